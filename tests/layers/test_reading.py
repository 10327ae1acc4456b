"""Whole studies on small synthetic files: what is read, and what each kind of bad input says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

from facility_coverage.config.study import StudyConfig
from facility_coverage.errors import LayerError
from facility_coverage.layers.reading import read_layers

# Two zones of 0.02° by 0.02° side by side near 105.9 E, 29.3 N.
WEST, SOUTH = 105.90, 29.30


def write_zones(path: Path, shapes: list[shapely.Geometry] | None = None, *, crs: str | None = "EPSG:4326") -> Path:
    shapes = shapes or [
        shapely.box(WEST + 0.02, SOUTH, WEST + 0.04, SOUTH + 0.02),
        shapely.box(WEST, SOUTH, WEST + 0.02, SOUTH + 0.02),
    ]
    n = len(shapes)
    frame = gpd.GeoDataFrame(
        {
            "zone_id": [500118002 - i for i in range(n)],
            "name": [f"镇{i}" for i in range(n)],
            "area_type": ["rural", "urban", "rural"][:n],
            "old_share": [0.25, 0.5, 0.1][:n],
        },
        geometry=shapes,
        crs=crs,
    )
    frame.to_parquet(path)
    return path


def write_roads(path: Path, *, west: float = WEST, south: float = SOUTH, crs: str | None = "EPSG:4326") -> Path:
    x = west + np.array([0.001, 0.020, 0.039])
    y = south + 0.01
    lines = [
        shapely.LineString([(x[0], y), (x[1], y)]),
        shapely.LineString([(x[1], y), (x[2], y)]),
        shapely.LineString([(x[1], y), (x[1], y + 0.005)]),
    ]
    gpd.GeoDataFrame({"highway": ["primary", "residential", "steps"]}, geometry=lines, crs=crs).to_parquet(path)
    return path


def write_raster(path: Path, people: np.ndarray, **options: Any) -> Path:
    transform = options.pop("transform", rasterio.Affine(0.01, 0, WEST - 0.01, 0, -0.01, SOUTH + 0.03))
    profile = {"driver": "GTiff", "height": people.shape[0], "width": people.shape[1], "count": 1, "dtype": "float64"}
    with rasterio.open(
        path, "w", **profile, crs=options.pop("crs", "EPSG:4326"), transform=transform, **options
    ) as out:
        out.write(people, 1)
    return path


CLINICS = "facility_id,name,lon,lat,beds\n007,甲,105.905,29.305,3\n002,,105.935,29.305,\n003,远,105.80,29.305,1\n"


@pytest.fixture
def study(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "clinics.csv").write_text(CLINICS, encoding="utf-8-sig")
    return {
        "id": "small",
        "title": "small",
        "date": "2025-12-31",
        "zones": {"path": write_zones(tmp_path / "zones.parquet")},
        "roads": {"path": write_roads(tmp_path / "roads.parquet")},
        "population": {"kind": "raster", "path": write_raster(tmp_path / "people.tif", np.ones((4, 6)))},
        "facilities": [
            {
                "id": "clinic",
                "name": "clinic",
                "kind": "clinic",
                "path": tmp_path / "clinics.csv",
                "datum": "wgs84",
                "capacity": ["beds"],
                "profile": "adult",
                "cutoff_min": 15,
            }
        ],
    }


def read(study: dict[str, Any], *, margin_m: float = 500.0) -> Any:
    return read_layers(StudyConfig.model_validate(study), margin_m=margin_m)


def faults_of(study: dict[str, Any]) -> str:
    with pytest.raises(LayerError) as error:
        read(study)
    return str(error.value)


def test_a_sound_study_is_read_whole(study: dict[str, Any]) -> None:
    study["groups"] = [
        {"id": "old", "name": "old", "zone_column": "old_share"},
        {"id": "young", "name": "young", "share": 0.1},
        {"id": "town", "name": "town", "share": {"urban": 0.5, "rural": 0.0}},
    ]
    layers = read(study)
    assert layers.crs.to_epsg() == 32648
    assert layers.zones["zone_id"].tolist() == ["500118001", "500118002"]
    assert layers.zones["area_type"].tolist() == ["urban", "rural"]
    # 6 × 4 cells of one person each; the zones cover 4 × 2 of them.
    ledger = layers.demand.ledger.set_index("group")
    assert ledger.loc["total", "read"] == 24
    assert ledger.loc["total", "in_zones"] == pytest.approx(8, abs=1e-9)
    assert ledger.loc["old", "in_zones"] == pytest.approx(4 * 0.5 + 4 * 0.25, abs=1e-9)
    assert np.isnan(ledger.loc["old", "read"])
    assert ledger.loc["young", "read"] == pytest.approx(2.4, abs=1e-9)
    assert ledger.loc["town", "in_zones"] == pytest.approx(2.0, abs=1e-9)
    points = layers.demand.points
    assert points["demand_id"].is_unique
    assert points["demand_id"].is_monotonic_increasing
    # Row 1, column 1 of a raster 6 wide is cell 7, wholly in the western zone.
    first = points[points["demand_id"] == "c000000007/500118001"].iloc[0]
    x, y = layers.zones.geometry.iloc[0].bounds[0], layers.zones.geometry.iloc[0].bounds[3]
    assert (first["x_m"] - x, y - first["y_m"]) == pytest.approx((486, 554), abs=15)
    assert set(points.loc[points["zone_id"].isna(), "zone_id"]) == {None}


def test_facilities_keep_codes_clip_to_the_margin_and_know_their_zone(study: dict[str, Any]) -> None:
    layers = read(study)
    clinics = layers.facilities["clinic"]
    assert clinics["facility_id"].tolist() == ["002", "007"]  # 003 lies 10 km west
    assert clinics["name"].tolist() == ["002", "甲"]
    assert clinics["zone_id"].tolist() == ["500118002", "500118001"]
    assert clinics["tier"].tolist() == [None, None]
    np.testing.assert_array_equal(clinics["beds"], [np.nan, 3.0])
    counted = layers.counts.set_index("layer")
    assert counted.loc["clinic", ["rows_read", "rows_kept"]].tolist() == [3, 2]
    wide = read({**study, "network": {"margin_m": 12_000}}).facilities["clinic"]
    assert wide["zone_id"].tolist() == ["500118002", None, "500118001"]


def test_order_of_rows_does_not_matter(study: dict[str, Any], tmp_path: Path) -> None:
    before = read(study)
    for name in ("roads", "zones"):
        frame = gpd.read_parquet(tmp_path / f"{name}.parquet")
        frame.iloc[::-1].to_parquet(tmp_path / f"{name}.parquet")
    header, *rows = CLINICS.splitlines()
    (tmp_path / "clinics.csv").write_text("\n".join([header, *rows[::-1]]), encoding="utf-8")
    after = read(study)
    pd.testing.assert_frame_equal(before.demand.points, after.demand.points)
    pd.testing.assert_frame_equal(before.zones, after.zones)
    pd.testing.assert_frame_equal(before.facilities["clinic"], after.facilities["clinic"])
    np.testing.assert_array_equal(before.roads.xy, after.roads.xy)
    np.testing.assert_array_equal(before.roads.node, after.roads.node)


def test_every_layer_reports_in_one_error(study: dict[str, Any], tmp_path: Path) -> None:
    write_roads(tmp_path / "roads.parquet", west=10.0, south=50.0)
    write_raster(tmp_path / "people.tif", np.full((4, 6), -1.0))
    (tmp_path / "clinics.csv").write_text(CLINICS.replace("甲,105.905,29.305,3", "甲,105.905,29.305,-3"), "utf-8")
    text = faults_of(study)
    assert "clinics.csv: row 1, column 'beds': '-3' is negative" in text
    assert "do not meet the boundary" in text
    assert "24 cells are negative" in text


def _clinics(tmp_path: Path, text: str) -> None:
    (tmp_path / "clinics.csv").write_text("facility_id,name,lon,lat,beds\n" + text, encoding="utf-8")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("1,a,105.9,29.3,1\n1,b,105.91,29.3,1\n", "row 1, column 'facility_id': '1' is there 2 times (rows 1, 2)"),
        ("1,a,105.9,29.3,1\n,b,105.91,29.3,1\n", "row 2, column 'facility_id': is empty"),
        ("1,a,105.9,29.3,-1\n", "row 1, column 'beds': '-1' is negative"),
        ("1,a,105.9,29.3,many\n", "row 1, column 'beds': 'many' is not a number"),
        ("1,a,105.9,29.3,inf\n", "column 'beds': 'inf' is not a number"),
        ("1,a,105.9,29.3,1\n2,b,NaN,29.3,1\n", "row 2, column 'lon': 'NaN' is not a coordinate"),
        ("1,a,105.9,,1\n", "row 1, column 'lat': '' is not a coordinate"),
        ("1,a,29.3,105.9,1\n", "lon and lat look swapped"),
        ("1,a,600000,3200000,1\n", "correct it, or give the right `crs:` if the coordinates are projected"),
        ("1,a,10.9,49.3,1\n", "none of the 1 facilities"),
        ("1,a,105.9,29.3,1,5\n", "clinics.csv: row 1: has more fields than the heading row, which has 5"),
        ("", "the layer is empty (0 rows)"),
    ],
)
def test_bad_facilities(study: dict[str, Any], tmp_path: Path, rows: str, said: str) -> None:
    _clinics(tmp_path, rows)
    assert said in faults_of(study)


def test_swapped_within_the_range_of_latitudes(study: dict[str, Any], tmp_path: Path) -> None:
    # At 43 E, 12 S swapped coordinates stay on Earth: only the study's area tells.
    shapes = [shapely.box(43.2, -11.9, 43.4, -11.7)]
    write_zones(tmp_path / "zones.parquet", shapes)
    write_roads(tmp_path / "roads.parquet", west=43.25, south=-11.8)
    write_raster(tmp_path / "people.tif", np.ones((3, 3)), transform=rasterio.Affine(0.1, 0, 43.2, 0, -0.1, -11.6))
    _clinics(tmp_path, "1,a,43.3,-11.8,1\n2,b,-11.8,43.3,1\n")
    text = faults_of(study)
    assert "row 2: lon -11.80000, lat 43.30000 is far from the study, but inside it when swapped" in text


def test_csv_without_datum(study: dict[str, Any]) -> None:
    del study["facilities"][0]["datum"]
    assert "clinics.csv: lon and lat have no datum; say under `datum:` which one: wgs84" in faults_of(study)


@pytest.mark.parametrize("layer", ["zones", "roads"])
def test_layer_without_crs(study: dict[str, Any], tmp_path: Path, layer: str) -> None:
    {"zones": write_zones, "roads": write_roads}[layer](tmp_path / f"{layer}.parquet", crs=None)
    assert f"{layer}.parquet: has no reference system" in faults_of(study)
    study[layer]["crs"] = "EPSG:4326"
    assert read(study).crs.to_epsg() == 32648


def test_crs_that_contradicts_the_file(study: dict[str, Any]) -> None:
    study["zones"]["crs"] = "EPSG:32650"
    assert "carries WGS 84, but the study says WGS 84 / UTM zone 50N" in faults_of(study)


def test_degrees_are_no_metric_system(study: dict[str, Any]) -> None:
    assert "does not measure in metres" in faults_of({**study, "crs": "EPSG:4490"})


def test_where_that_keeps_nothing_names_what_there_is(study: dict[str, Any]) -> None:
    study["zones"]["where"] = {"area_type": "suburb"}
    text = faults_of(study)
    assert "none of the 2 rows is kept by where area_type: suburb" in text
    assert "the column holds 'rural', 'urban'" in text


def test_where_compares_codes_as_text(study: dict[str, Any]) -> None:
    study["zones"]["where"] = {"zone_id": "500118001"}
    assert read(study).zones["name"].tolist() == ["镇1"]


def test_missing_column_offers_the_nearest(study: dict[str, Any], tmp_path: Path) -> None:
    text = CLINICS.replace("facility_id", "facilityid")
    (tmp_path / "clinics.csv").write_text(text, encoding="utf-8")
    assert "column 'facility_id' is missing; did you mean 'facilityid'?" in faults_of(study)
    study["facilities"][0]["columns"] = {"facilityid": "facility_id"}
    assert len(read(study).facilities["clinic"]) == 2


def test_overlapping_zones(study: dict[str, Any], tmp_path: Path) -> None:
    shapes = [shapely.box(105.9, 29.3, 105.93, 29.32), shapely.box(105.92, 29.3, 105.94, 29.32)]
    write_zones(tmp_path / "zones.parquet", shapes)
    area = gpd.GeoSeries([shapely.box(105.92, 29.3, 105.93, 29.32)], crs=4326).to_crs(32648).area.iloc[0]
    text = faults_of(study)
    assert "zones '500118001' and '500118002' overlap by " in text
    said = float(text.split("overlap by ")[1].split(" m²")[0].replace(",", ""))
    assert said == pytest.approx(area, rel=1e-4)


def test_invalid_ring_says_where(study: dict[str, Any], tmp_path: Path) -> None:
    bow = shapely.Polygon([(105.9, 29.3), (105.92, 29.32), (105.92, 29.3), (105.9, 29.32)])
    write_zones(tmp_path / "zones.parquet", [bow])
    assert "row 1: the polygon is invalid: Self-intersection[105.91 29.31" in faults_of(study)


def test_raster_of_another_continent(study: dict[str, Any], tmp_path: Path) -> None:
    write_raster(tmp_path / "people.tif", np.ones((4, 4)), transform=rasterio.Affine(0.01, 0, -70, 0, -0.01, -33))
    text = faults_of(study)
    assert "the raster (-70.000…-69.960 E, -33.040…-33.000 N) does not meet the boundary (105.9" in text


def test_raster_without_crs(study: dict[str, Any], tmp_path: Path) -> None:
    write_raster(tmp_path / "people.tif", np.ones((4, 4)), crs=None)
    assert "people.tif: has no reference system" in faults_of(study)


def test_lines_without_highway(study: dict[str, Any], tmp_path: Path) -> None:
    gpd.read_parquet(tmp_path / "roads.parquet").drop(columns="highway").to_parquet(tmp_path / "roads.parquet")
    assert "roads.parquet: column 'highway' is missing" in faults_of(study)
    study["roads"]["constants"] = {"highway": "residential"}
    assert set(read(study).roads.tags["highway"]) == {"residential"}


def test_group_column_missing_or_more_than_one(study: dict[str, Any], tmp_path: Path) -> None:
    study["groups"] = [{"id": "old", "name": "old", "zone_column": "share_old"}]
    assert "column 'share_old' is missing" in faults_of(study)
    study["groups"] = [{"id": "old", "name": "old", "zone_column": "old_share"}]
    frame = gpd.read_parquet(tmp_path / "zones.parquet")
    frame.assign(old_share=[0.2, 25.0]).to_parquet(tmp_path / "zones.parquet")
    assert "row 2, column 'old_share': 25.0 is more than 1" in faults_of(study)


def test_missing_file(study: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "roads.parquet").unlink()
    assert "roads.parquet: no such file" in faults_of(study)


@pytest.mark.parametrize(
    ("layer", "name"),
    [("zones", "zones.gpkg"), ("zones", "zones.parquet"), ("roads", "roads.osm"), ("roads", "roads.graphml")],
)
def test_a_file_of_another_kind_is_a_fault(study: dict[str, Any], tmp_path: Path, layer: str, name: str) -> None:
    (tmp_path / name).write_text("this is no map", encoding="utf-8")
    study[layer] = {"path": tmp_path / name}
    assert f"{name}: " in faults_of(study)


def test_a_raster_cut_in_half_is_a_fault(study: dict[str, Any], tmp_path: Path) -> None:
    whole = write_raster(tmp_path / "people.tif", np.random.default_rng(1).random((400, 600))).read_bytes()
    (tmp_path / "people.tif").write_bytes(whole[: len(whole) // 2])
    assert "people.tif: cannot be read" in faults_of(study)


def test_a_file_of_several_layers_asks_which(study: dict[str, Any], tmp_path: Path) -> None:
    zones = gpd.read_parquet(tmp_path / "zones.parquet")
    for name in ("towns", "villages"):
        zones.to_file(tmp_path / "zones.gpkg", layer=name)
    study["zones"] = {"path": tmp_path / "zones.gpkg"}
    assert "name one under `layer:` ('towns', 'villages')" in faults_of(study)
    study["zones"]["layer"] = "towns"
    assert len(read(study).zones) == 2


def test_tiers_are_checked_and_boundary_water_and_neighbours_are_read(study: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "clinics.csv").write_text(
        "facility_id,name,lon,lat,beds,tier\n1,a,105.905,29.305,3,hospital\n2,b,105.935,29.305,1,clnic\n", "utf-8"
    )
    study["facilities"][0]["tiers"] = [{"id": "hospital", "name": "h"}, {"id": "clinic", "name": "c"}]
    assert "row 2, column 'tier': 'clnic' is not one of 'hospital', 'clinic'" in faults_of(study)
    study["facilities"][0]["where"] = {"tier": "hospital"}
    study["boundary"] = {"path": tmp_path / "zones.parquet", "where": {"area_type": "urban"}}
    study["basemap"] = {
        "water": {"path": tmp_path / "zones.parquet"},
        "neighbours": {"path": tmp_path / "zones.parquet"},
    }
    layers = read(study, margin_m=100.0)
    assert layers.facilities["clinic"]["tier"].tolist() == ["hospital"]
    west, south, east, north = layers.boundary.bounds
    # 0.02° is 1,944 m; the grid's convergence tilts the box by another 17 m.
    assert (east - west) == pytest.approx(1_961, abs=5)
    assert layers.basemap["neighbours"]["name"].tolist() == ["镇1", "镇0"]
    # The base map fills the page: 0.6 of the study's longer side around it, whatever the margin of the trips.
    assert layers.basemap["water"].total_bounds[2] == pytest.approx(east + 0.6 * (north - south))
