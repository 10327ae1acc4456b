from __future__ import annotations

import zipfile
from pathlib import Path

import exactextract
import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import rasterio
import shapely
from scipy import sparse
from scipy.sparse import csgraph

from facility_coverage.errors import StudyError
from facility_coverage.sample.frame import metres
from facility_coverage.sample.towns import TOWNS
from facility_coverage.sample.writing import write_sample

REPO = Path(__file__).parents[2]
METRIC = "EPSG:4544"
SERVICES = ("elder_care", "medical", "childcare", "kindergarten", "fitness", "culture", "community_centre")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder)
    return folder


@pytest.fixture(scope="module")
def layers() -> Path:
    return REPO / "layers" / "yongchuan"


@pytest.fixture(scope="module")
def zones(layers: Path) -> gpd.GeoDataFrame:
    return gpd.read_file(layers / "zones.geojson")


def _with_district(file: Path, zones: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return gpd.read_file(file).sjoin(zones[["zone_id", "district_id", "geometry"]], how="left")


def test_the_repository_holds_what_the_generator_makes(made: Path):
    # The repository's files come from an earlier run: equal bytes also show that writing twice gives the same.
    names = {f.relative_to(made) for f in made.rglob("*") if f.is_file()}
    assert len(names) >= 24
    present = {f.relative_to(REPO) for f in (REPO / "layers" / "yongchuan").rglob("*") if f.is_file()}
    assert present == {name for name in names if "layers" in name.parts}
    for name in sorted(names):
        if (REPO / name).read_bytes() != (made / name).read_bytes():
            # Another build of a library may compress otherwise; the values are the same.
            assert name.suffix in {".tif", ".parquet", ".xlsx"}, f"{name} differs"
            same = {".tif": _same_raster, ".parquet": _same_roads, ".xlsx": _same_book}[name.suffix]
            same(REPO / name, made / name)


def _same_raster(left: Path, right: Path) -> None:
    with rasterio.open(left) as old, rasterio.open(right) as new:
        np.testing.assert_allclose(old.read(1), new.read(1), rtol=0, atol=1e-9)
        assert old.transform.almost_equals(new.transform, 1e-9)
        assert (old.crs, old.nodata) == (new.crs, new.nodata)


def _same_book(left: Path, right: Path) -> None:
    old, new = (pd.read_excel(file, sheet_name=None, header=None) for file in (left, right))
    assert list(old) == list(new)
    for name in old:
        pd.testing.assert_frame_equal(old[name], new[name])


def _same_roads(left: Path, right: Path) -> None:
    old, new = gpd.read_parquet(left), gpd.read_parquet(right)
    assert old.crs == new.crs
    pd.testing.assert_frame_equal(
        pd.DataFrame(old.drop(columns="geometry")), pd.DataFrame(new.drop(columns="geometry"))
    )
    np.testing.assert_allclose(old.get_coordinates(), new.get_coordinates(), rtol=0, atol=1e-9)
    np.testing.assert_array_equal(shapely.get_num_points(old.geometry), shapely.get_num_points(new.geometry))


def test_writing_again_refuses_changed_files_and_names_them(made: Path, monkeypatch: pytest.MonkeyPatch):
    # The layers are taken as made: only the refusal is tested here.
    monkeypatch.setattr("facility_coverage.sample.writing._write_layers", lambda _folder: None)
    study = made / "configs" / "luzhou.yaml"
    before = study.read_bytes()
    write_sample(made)
    study.write_text("mine", encoding="utf-8")
    with pytest.raises(StudyError, match=r"luzhou\.yaml.*differs"):
        write_sample(made)
    assert study.read_text(encoding="utf-8") == "mine"
    write_sample(made, overwrite=True)
    assert study.read_bytes() == before


def test_names_and_codes(zones: gpd.GeoDataFrame):
    own = zones[zones["district_id"] == "500118"]
    assert len(own) == 23
    assert own["name"].str.endswith("街道").sum() == 7
    assert own["name"].str.endswith("镇").sum() == 16
    expected = {f"50011800{n}" for n in range(1, 8)} | {"500118102"} | {f"500118{n}" for n in range(104, 119)}
    assert set(own["zone_id"]) == expected
    assert zones.set_index("zone_id").loc[["500118006", "500118105", "510521115"], "name"].tolist() == [
        "大安街道",
        "松溉镇",
        "立石镇",
    ]
    assert set(zones["area_type"]) == {"urban", "rural"}
    assert zones["share_60_plus"].between(0.1, 0.4).all()


def test_area_and_tiling(layers: Path, zones: gpd.GeoDataFrame):
    districts = gpd.read_file(layers / "districts.geojson")
    area = districts.to_crs(METRIC).set_index("district_id").area / 1e6
    assert area["500118"] == pytest.approx(1579, rel=0.005)
    flat = zones.to_crs(METRIC)
    for district, polygon in zip(districts["district_id"], districts.to_crs(METRIC).geometry, strict=True):
        mine = flat.geometry[flat["district_id"] == district]
        assert mine.area.sum() == pytest.approx(polygon.area, abs=1.0)
        assert shapely.union_all(mine.to_numpy()).symmetric_difference(polygon).area < 1.0
    assert shapely.coverage_is_valid(zones.geometry.to_numpy())


def test_people(layers: Path, zones: gpd.GeoDataFrame):
    people = exactextract.exact_extract(
        str(layers / "population.tif"), zones, "sum", include_cols=["zone_id", "district_id"], output="pandas"
    )
    own = people[people["district_id"] == "500118"].set_index("zone_id")["sum"]
    assert own.sum() == pytest.approx(1_150_000, rel=0.01)
    core = own[["500118001", "500118002", "500118003"]].sum() / own.sum()
    assert 0.4 < core < 0.6
    assert (people["sum"] > 1_000).all()


def test_facilities(layers: Path, zones: gpd.GeoDataFrame):
    elder = _with_district(layers / "elder_care.geojson", zones)
    medical = _with_district(layers / "medical.geojson", zones)
    childcare = _with_district(layers / "childcare.geojson", zones)
    for name in SERVICES:
        table = _with_district(layers / f"{name}.geojson", zones)
        assert table["district_id"].notna().all()
        assert table["facility_id"].is_unique
    own = elder[elder["district_id"] == "500118"]
    assert own["tier"].value_counts().to_dict() == {
        "village_point": 207, "station": 55, "town_centre": 16, "street_centre": 7,
    }  # fmt: skip
    assert set(elder.loc[elder["beds"].isna(), "tier"]) == {"village_point"}
    known = elder.dropna(subset=["beds"])
    assert (known["nursing_beds"] <= known["beds"]).all()
    assert (known["nursing_beds"] >= 0).all()
    assert own["beds"].sum() == 8_216
    assert 0.55 < own["nursing_beds"].sum() / own["beds"].sum() < 0.58
    assert medical[medical["district_id"] == "500118"]["tier"].value_counts().to_dict() == {
        "clinic": 300, "health_centre": 23, "hospital": 12,
    }  # fmt: skip
    slots = childcare[childcare["district_id"] == "500118"]["slots"].sum()
    assert slots == 5_318


def test_facilities_stand_beside_roads_on_dry_land(layers: Path):
    roads = gpd.read_parquet(layers / "roads.parquet").to_crs(METRIC)
    water = gpd.read_file(layers / "water.geojson").to_crs(METRIC).union_all()
    for name in SERVICES:
        points = gpd.read_file(layers / f"{name}.geojson").to_crs(METRIC).geometry.to_numpy()
        _, far = shapely.STRtree(roads.geometry.to_numpy()).query_nearest(
            points, return_distance=True, all_matches=False
        )
        assert far.max() < 60
        assert not shapely.intersects(water, points).any()


def test_roads_share_vertices_and_hang_together(layers: Path):
    roads = gpd.read_parquet(layers / "roads.parquet")
    assert roads["way_id"].is_unique
    assert {"motorway", "motorway_link", "trunk", "steps", "footway", "track"} <= set(roads["highway"])
    assert 12_000 < len(roads) < 25_000
    lines = roads.geometry.to_numpy()
    xy, way = shapely.get_coordinates(lines, return_index=True)
    np.testing.assert_array_equal(xy, np.round(xy, 6))
    _, node = np.unique(xy, axis=0, return_inverse=True)
    size = len(lines) + int(node.max()) + 1
    links = sparse.coo_array((np.ones(len(way)), (way, len(lines) + node.ravel())), shape=(size, size))
    _, piece = csgraph.connected_components(links, directed=False)
    length = np.bincount(piece[: len(lines)], weights=roads.to_crs(METRIC).length.to_numpy())
    assert length.max() / length.sum() > 0.97
    assert 2 <= (length > 0).sum() <= 12
    assert ((roads["bridge"] == "yes") <= (roads["layer"] == "1")).all()


def test_every_file_says_it_is_synthetic_and_all_are_small(layers: Path):
    files = sorted(file for file in layers.rglob("*") if file.is_file())
    assert sum(f.stat().st_size for f in files) < 8e6
    with zipfile.ZipFile(layers / "office" / "设施台账.xlsx") as book:
        assert "Synthetic" in book.read("docProps/core.xml").decode()
    files = [file for file in files if file.parent == layers]  # an office's text and shapefiles have no place for it
    for file in files:
        if file.suffix == ".geojson":
            assert '"synthetic": true' in file.read_text(encoding="utf-8")[:200], file
        elif file.suffix == ".tif":
            with rasterio.open(file) as raster:
                assert raster.tags()["synthetic"] == "true"
        elif file.suffix == ".csv":
            assert pd.read_csv(file)["source"].str.contains("synthetic").all(), file
        else:
            assert pq.read_schema(file).metadata[b"synthetic"] == b"true"


def test_water_ends_where_the_elevations_end(layers: Path):
    water = gpd.read_file(layers / "water.geojson").to_crs(METRIC)
    with rasterio.open(layers / "dem.tif") as raster:
        # Coordinates are rounded to a millionth of a degree, about 0.1 m.
        extent = shapely.box(*raster.bounds).buffer(0.2, join_style="mitre")
    assert shapely.covers(extent, water.geometry.to_numpy()).all()


def test_the_strip_has_no_long_straight_border(layers: Path):
    districts = gpd.read_file(layers / "districts.geojson").to_crs(METRIC)
    for shape in districts.geometry:
        xy = shapely.get_coordinates(shapely.simplify(shape.exterior, 30.0))
        assert np.hypot(*np.diff(xy, axis=0).T).max() < 3_000


def test_the_core_is_one_town(layers: Path):
    roads = gpd.read_parquet(layers / "roads.parquet").to_crs(METRIC)
    streets = roads.geometry[roads["highway"].isin(["secondary", "tertiary", "residential"])]
    town = streets.cx[586_500:592_500, 3_246_000:3_251_500].buffer(100).union_all()
    seats = metres([t.seat_km for t in TOWNS[:3]])
    (whole,) = [part for part in shapely.get_parts(town) if shapely.contains_xy(part, *seats[0])]
    assert shapely.contains_xy(whole, seats).all()
    # Hardly any of the ground between the three seats is farther than a block from a street.
    assert shapely.intersection(whole, shapely.Polygon(seats)).area > 0.9 * shapely.Polygon(seats).area
