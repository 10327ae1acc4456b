"""Whole studies with people in every form: groups, control totals, area types, and an account of everybody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facility_coverage.config.study import Group, PointPopulation, PolygonPopulation, RasterPopulation, StudyConfig
from facility_coverage.errors import LayerError
from facility_coverage.layers.boundaries import study_box
from facility_coverage.layers.counted import Area
from facility_coverage.layers.population import People, read_population
from facility_coverage.layers.reading import read_layers

UTM = "EPSG:32648"
EAST, NORTH = 500_000.0, 3_000_000.0


def area(*, split: float = 1000.0) -> Area:
    """Two zones of 2 km by 1 km together, and 500 m around."""
    shapes = [
        shapely.box(EAST, NORTH, EAST + split, NORTH + 1000),
        shapely.box(EAST + split, NORTH, EAST + 2000, NORTH + 1000),
    ]
    frame = {"zone_id": ["a", "b"], "name": ["a", "b"], "area_type": ["urban", "rural"], "old_share": [0.1, 0.3]}
    zones = gpd.GeoDataFrame(frame, geometry=shapes, crs=UTM)
    return Area(zones, "zones", zones.union_all(), study_box(zones.union_all(), 500.0))


def grid_of(folder: Path, name: str, people: np.ndarray) -> Path:
    """Cells of 250 m from 1 km north-west of the zones."""
    transform = rasterio.Affine(250, 0, EAST - 1000, 0, -250, NORTH + 2000)
    profile = {"driver": "GTiff", "height": people.shape[0], "width": people.shape[1], "count": 1, "dtype": "float64"}
    with rasterio.open(folder / name, "w", **profile, crs=UTM, transform=transform) as out:
        out.write(people, 1)
    return folder / name


def source(folder: Path, kind: str, total: np.ndarray, old: np.ndarray, **options: Any) -> tuple[Any, Group]:
    """The same people as cells, as their centres, and as squares; `old` counted on its own."""
    row, col = (index.ravel() for index in np.indices(total.shape))
    west, top = EAST - 1000 + 250 * col, NORTH + 2000 - 250 * row
    counts = {"total": total.ravel(), "old": old.ravel()}
    if kind == "raster":
        group = Group.model_validate({"id": "old", "name": "old", "path": grid_of(folder, "old.tif", old)})
        path = grid_of(folder, "people.tif", total)
        return RasterPopulation.model_validate({"kind": "raster", "path": path, **options}), group
    group = Group.model_validate({"id": "old", "name": "old", "column": "old"})
    if kind == "points":
        path = folder / "people.csv"
        pd.DataFrame({"x": west + 125, "y": top - 125, **counts}).to_csv(path, index=False)
        return PointPopulation.model_validate({"kind": "points", "path": path, "crs": UTM, **options}), group
    path = folder / "people.parquet"
    gpd.GeoDataFrame(counts, geometry=shapely.box(west, top - 250, west + 250, top), crs=UTM).to_parquet(path)
    return PolygonPopulation.model_validate({"kind": "polygons", "path": path, **options}), group


KINDS = ("raster", "points", "polygons")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), split=st.floats(300, 1700), kind=st.sampled_from(KINDS), scale=st.floats(0.1, 9))
def test_everybody_is_accounted_for(tmp_path: Path, seed: int, split: float, kind: str, scale: float) -> None:
    rng = np.random.default_rng(seed)
    total = rng.uniform(0, 1e4, (12, 16)) * (rng.uniform(0, 1, (12, 16)) < 0.7)
    total[6, 5:11] = 100.0
    old = total * rng.uniform(0, 1, total.shape)
    plain, group = source(tmp_path, kind, total, old)
    read = read_population(plain, [group], area(split=split))
    for name, figures in (("total", total), ("old", old)):
        row = read.demand.ledger.set_index("group").loc[name]
        assert row["read"] == pytest.approx(figures.sum(), rel=1e-9)
        assert row[["in_zones", "beyond_zones", "beyond_margin"]].sum() == pytest.approx(figures.sum(), rel=1e-9)
    # A control of the first zone: it is met, and nothing else changes.
    before = read.demand.ledger.set_index("group").loc["total"]
    of_a = float(read.demand.points.loc[read.demand.points["zone_id"] == "a", "total"].sum())
    (tmp_path / "controls.csv").write_text(f"zone_id,total\na,{of_a * scale!r}\n", encoding="utf-8")
    controlled, group = source(tmp_path, kind, total, old, controls={"path": tmp_path / "controls.csv"})
    met = read_population(controlled, [group], area(split=split))
    after = met.demand.ledger.set_index("group").loc["total"]
    assert after["read"] == before["read"]
    assert after["rescaled"] == pytest.approx(of_a * (scale - 1), rel=1e-9, abs=1e-6)
    assert after["read"] + after["rescaled"] == pytest.approx(
        after[["in_zones", "beyond_zones", "beyond_margin"]].sum(), rel=1e-9
    )
    by_zone = [people.demand.points.groupby("zone_id")["total"].sum() for people in (read, met)]
    assert by_zone[1]["a"] == pytest.approx(of_a * scale, rel=1e-9)
    assert by_zone[1]["b"] == by_zone[0]["b"]


def test_rasters_and_polygons_agree_cell_by_cell(tmp_path: Path) -> None:
    total = np.random.default_rng(1).uniform(0, 100, (12, 16))
    sums = []
    for kind in ("raster", "polygons"):
        population, group = source(tmp_path, kind, total, total / 4)
        sums.append(read_population(population, [group], area(split=777.0)).demand.points.groupby("zone_id").sum(True))
    # Shares of raster cells come in single precision.
    np.testing.assert_allclose(sums[0][["total", "old"]], sums[1][["total", "old"]], rtol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_zones_does_not_matter(tmp_path: Path, kind: str) -> None:
    total = np.random.default_rng(4).uniform(0, 100, (12, 16))
    population, group = source(tmp_path, kind, total, total / 3)
    place = area(split=777.0)
    turned = Area(place.zones.iloc[::-1].reset_index(drop=True), "zones", place.boundary, place.box)
    columns = ["zone_id", "x_m", "y_m", "total", "old"]
    one, other = (
        read_population(population, [group], where).demand.points[columns].sort_values(columns, ignore_index=True)
        for where in (place, turned)
    )
    pd.testing.assert_frame_equal(one, other, rtol=1e-12)


def test_a_group_may_be_several_rasters(tmp_path: Path) -> None:
    total, rng = np.full((12, 16), 50.0), np.random.default_rng(2)
    women, men = rng.uniform(0, 9, total.shape), rng.uniform(0, 9, total.shape)
    paths = [grid_of(tmp_path, "f_60.tif", women), grid_of(tmp_path, "m_60.tif", men)]
    group = Group.model_validate({"id": "old", "name": "old", "path": paths})
    population, together = source(tmp_path, "raster", total, women + men)
    found = read_population(population, [group], area()).demand
    pd.testing.assert_frame_equal(found.points, read_population(population, [together], area()).demand.points)
    assert found.ledger.set_index("group").loc["old", "read"] == pytest.approx((women + men).sum(), rel=1e-12)
    grid_of(tmp_path, "m_60.tif", men[:, 1:])
    with pytest.raises(LayerError, match="the raster of group 'old' is not on the population's grid"):
        read_population(population, [group], area())


def shares(folder: Path, text: str, **options: Any) -> Group:
    (folder / "shares.csv").write_text(text, encoding="utf-8")
    table = {"path": folder / "shares.csv", **options}
    return Group.model_validate({"id": "old", "name": "old", "table": table})


def old_of(people: People) -> dict[str, float]:
    return dict(people.demand.points.groupby("zone_id")["old"].sum())


def test_shares_come_from_a_table_of_their_own(tmp_path: Path) -> None:
    population, _ = source(tmp_path, "raster", np.full((12, 16), 50.0), np.zeros((12, 16)))
    group = shares(tmp_path, "代码,老年比例\nb,0.3\na,0.1\nelsewhere,0.9\n", columns={"老年比例": "share"})
    column = Group.model_validate({"id": "old", "name": "old", "zone_column": "old_share"})
    found = old_of(read_population(population, [group], area()))
    assert found == old_of(read_population(population, [column], area()))
    assert found == pytest.approx({"a": 16 * 50 * 0.1, "b": 16 * 50 * 0.3})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("zone_id,share\na,0.1\n", "zone 'b' has no row; add it"),
        ("zone_id,share\na,0.1\nb,30\n", "row 2, column 'share': '30' is more than 1; give a share between 0 and 1"),
        ("zone_id,share\na,0.1\nb,\n", "row 2, column 'share': is empty"),
        ("zone_id,share\na,0.1\na,0.2\nb,0.3\n", "'a' is there 2 times"),
        ("zone_id,old\na,0.1\nb,0.1\n", "column 'share' is missing"),
    ],
)
def test_bad_shares(tmp_path: Path, text: str, said: str) -> None:
    population, _ = source(tmp_path, "raster", np.full((12, 16), 50.0), np.zeros((12, 16)))
    with pytest.raises(LayerError) as error:
        read_population(population, [shares(tmp_path, text)], area())
    assert said in str(error.value)


def test_the_faults_of_people_and_of_their_controls_come_together(tmp_path: Path) -> None:
    (tmp_path / "controls.csv").write_text("zone_id,total\nx,5\n", encoding="utf-8")
    population, group = source(
        tmp_path, "raster", np.full((12, 16), -1.0), np.zeros((12, 16)), controls={"path": tmp_path / "controls.csv"}
    )
    with pytest.raises(LayerError) as error:
        read_population(population, [group], area())
    assert "192 cells are negative, -192 people in sum" in str(error.value)
    assert "'x' is no zone of the study" in str(error.value)


@pytest.fixture
def study(tmp_path: Path) -> dict[str, Any]:
    place = area()
    place.zones.drop(columns="area_type").to_parquet(tmp_path / "zones.parquet")
    line = shapely.LineString([(EAST, NORTH + 500), (EAST + 2000, NORTH + 500)])
    gpd.GeoDataFrame({"highway": ["residential"]}, geometry=[line], crs=UTM).to_parquet(tmp_path / "roads.parquet")
    (tmp_path / "clinics.csv").write_text(f"facility_id,name,x,y\n1,one,{EAST + 100},{NORTH + 500}\n", encoding="utf-8")
    total = np.full((12, 16), 100.0)
    total[:, 9:] = 10.0
    (tmp_path / "controls.csv").write_text("zone_id,total,old\nb,600,\n全区,,180\n", encoding="utf-8")
    return {
        "id": "people",
        "title": "people",
        "date": "2025-12-31",
        "zones": {"path": tmp_path / "zones.parquet"},
        "roads": {"path": tmp_path / "roads.parquet"},
        "population": {
            "kind": "raster",
            "path": grid_of(tmp_path, "people.tif", total),
            "controls": {"path": tmp_path / "controls.csv", "study_row": "全区"},
        },
        "groups": [{"id": "old", "name": "old", "share": {"urban": 0.1, "rural": 0.2}}],
        "area_types": {"from": "density"},
        "facilities": [
            {"id": "clinic", "name": "clinic", "kind": "clinic", "path": tmp_path / "clinics.csv", "crs": UTM,
             "profile": "adult", "cutoff_min": 15}
        ],
    }  # fmt: skip


def test_a_study_knows_its_area_types_and_factors(study: dict[str, Any]) -> None:
    # Zone a has 1,600 people on its km², zone b 520; with the cells around them, 3 × (2 × 1,600 + 520) = 11,160 people
    # live in cells of 300 and more that touch, and 160 live on each km² in the east.
    layers = read_layers(StudyConfig.model_validate(study), margin_m=2500.0)
    types = layers.details["area_types"].set_index("zone_id")
    assert layers.zones["area_type"].tolist() == types["area_type"].tolist() == ["urban", "urban"]
    assert types["urban_share"].tolist() == [1, 1]
    assert types["total"].tolist() == pytest.approx([1600, 4 * 100 + 12 * 10])
    factors = layers.details["controls"].set_index(["group", "zone_id"])
    assert factors.loc[("total", "b"), "control"] == 600
    assert factors.loc[("total", "b"), "factor"] == pytest.approx(600 / 520, rel=1e-9)
    assert factors.loc[("total", "a"), "factor"] == 1
    points = layers.demand.points
    assert points.loc[points["zone_id"].notna(), "old"].sum() == pytest.approx(180, rel=1e-8)
    assert layers.reports["controls"]["largest_residual"] <= 1e-9
    study["area_types"] = {"from": "column"}
    with pytest.raises(LayerError, match="column 'area_type' is missing"):
        read_layers(StudyConfig.model_validate(study), margin_m=2500.0)
