"""Barriers from disk: lines and polygons of any reference system, cut at the box, counted, and every fault listed."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import osmium
import pyproj
import pytest
import rasterio
import shapely
from osmium.osm.mutable import Node, Way

from facility_coverage.config.study import StudyConfig, Table
from facility_coverage.errors import LayerError
from facility_coverage.layers.barriers import BarrierLayer, read_barriers
from facility_coverage.layers.reading import read_layers

UTM = pyproj.CRS.from_epsg(32648)
BOX = shapely.box(415_000, 3_245_000, 416_000, 3_246_000)


def at(*corners: tuple[float, float]) -> list[tuple[float, float]]:
    """Return coordinates counted from the box's south-western corner."""
    return [(415_000 + x, 3_245_000 + y) for x, y in corners]


def write(path: Path, *shapes: shapely.Geometry, crs: str | None = "EPSG:32648", **columns: list[str]) -> Table:
    frame = gpd.GeoDataFrame(columns or {"n": range(len(shapes))}, geometry=list(shapes), crs="EPSG:32648")
    frame = frame.set_crs(None, allow_override=True) if crs is None else frame.to_crs(crs)
    frame.to_parquet(path)
    return Table(path=path)


def read(*tables: Table) -> BarrierLayer:
    return read_barriers(tables, BOX, crs=UTM)


def faults_of(*tables: Table) -> str:
    with pytest.raises(LayerError) as error:
        read(*tables)
    return str(error.value)


RIVER = shapely.LineString(at((-500, 400), (1500, 400)))
LAKE = shapely.Polygon(at((100, 100), (200, 100), (200, 200), (100, 200)))


def test_lines_and_polygons_are_cut_at_the_box(tmp_path: Path) -> None:
    far = shapely.LineString(at((0, 5000), (10, 5000)))
    layer = read(write(tmp_path / "a.parquet", RIVER, LAKE, far))
    assert layer.frame.crs == UTM
    assert list(layer.frame.columns) == ["geometry"]
    assert sorted(layer.frame.geom_type) == ["LineString", "Polygon"]
    (river,) = layer.frame.geometry[layer.frame.geom_type == "LineString"]
    assert river.equals(shapely.LineString(at((0, 400), (1000, 400))))
    (lake,) = layer.frame.geometry[layer.frame.geom_type == "Polygon"]
    np.testing.assert_array_equal(shapely.get_coordinates(lake), shapely.get_coordinates(LAKE))
    assert layer.rows == [(str(tmp_path / "a.parquet"), 3, 2)]
    assert layer.reports == {"barriers": {"repaired_polygon_count": 0}}


def test_any_reference_system_is_projected(tmp_path: Path) -> None:
    (lake,) = read(write(tmp_path / "a.parquet", LAKE, crs="EPSG:4490")).frame.geometry
    assert shapely.hausdorff_distance(lake, LAKE) < 1e-3


def test_several_tables_and_the_order_of_rows(tmp_path: Path) -> None:
    wall = shapely.LineString(at((300, 0), (300, 900)))
    one = read(write(tmp_path / "a.parquet", RIVER, LAKE), write(tmp_path / "b.parquet", wall))
    other = read(write(tmp_path / "c.parquet", wall), write(tmp_path / "d.parquet", LAKE, RIVER))
    assert one.frame.geometry.to_wkb().tolist() == other.frame.geometry.to_wkb().tolist()
    assert [rows[1:] for rows in one.rows] == [(2, 2), (1, 1)]


def test_where_keeps_some_of_a_table(tmp_path: Path) -> None:
    table = write(tmp_path / "a.parquet", RIVER, LAKE, kind=["river", "pond"])
    layer = read(table.model_copy(update={"where": {"kind": "river"}}))
    assert layer.frame.geom_type.tolist() == ["LineString"]
    assert [rows[1:] for rows in layer.rows] == [(2, 1)]


def test_parts_become_barriers_of_their_own_and_points_none(tmp_path: Path) -> None:
    two = shapely.MultiPolygon([LAKE, shapely.affinity.translate(LAKE, 300, 300)])
    # A line that only touches the box's corner from outside leaves a point.
    touching = shapely.LineString(at((-10, 10), (10, -10)))
    layer = read(write(tmp_path / "a.parquet", two, touching))
    assert layer.frame.geom_type.tolist() == ["Polygon", "Polygon"]
    assert [rows[1:] for rows in layer.rows] == [(2, 1)]


def test_a_polygon_that_crosses_itself_is_taken_apart_and_counted(tmp_path: Path) -> None:
    bow = shapely.Polygon(at((0, 0), (100, 100), (100, 0), (0, 100)))
    far_bow = shapely.affinity.translate(bow, 5000, 0)
    layer = read(write(tmp_path / "a.parquet", bow, LAKE, far_bow))
    assert layer.frame.geom_type.tolist() == ["Polygon"] * 3
    assert layer.frame.area.sum() == pytest.approx(2 * 2500 + 10_000)
    assert layer.reports == {"barriers": {"repaired_polygon_count": 1}}


def test_no_table_is_no_barrier() -> None:
    layer = read()
    assert len(layer.frame) == 0
    assert (layer.frame.crs, layer.rows, layer.reports) == (UTM, [], {})


def test_a_table_without_a_shape_near_by_is_counted_as_such(tmp_path: Path) -> None:
    layer = read(write(tmp_path / "a.parquet", shapely.LineString(at((0, 5000), (10, 5000)))))
    assert (len(layer.frame), [rows[1:] for rows in layer.rows]) == (0, [(1, 0)])


def test_faults_of_all_tables_are_listed(tmp_path: Path) -> None:
    points = write(tmp_path / "points.parquet", RIVER, shapely.Point(at((1, 1))[0]), shapely.LineString())
    text = faults_of(points, Table(path=tmp_path / "nowhere.gpkg"), write(tmp_path / "bare.parquet", RIVER, crs=None))
    assert "points.parquet: row 2: geometry is Point; a barrier must be LineString or MultiLineString or" in text
    assert "points.parquet: row 3: has no geometry" in text
    assert "nowhere.gpkg: no such file" in text
    assert "bare.parquet: has no reference system" in text
    assert len(text.splitlines()) == 4


def test_what_the_reference_system_cannot_show_is_a_fault(tmp_path: Path) -> None:
    gpd.GeoDataFrame(geometry=[shapely.LineString([(105, 29), (-165, 0)])], crs="EPSG:4326").to_parquet(
        tmp_path / "a.parquet"
    )
    text = faults_of(Table(path=tmp_path / "a.parquet"))
    assert "row 1: lies outside what WGS 84 / UTM zone 48N can show; keep only the shapes of the study's area" in text


def test_a_study_reads_its_barriers_as_far_as_legs_may_lie(tmp_path: Path) -> None:
    west, south = 105.90, 29.30
    zone = shapely.box(west, south, west + 0.02, south + 0.02)
    gpd.GeoDataFrame(
        {"zone_id": ["1"], "name": ["one"], "area_type": ["urban"]}, geometry=[zone], crs="EPSG:4326"
    ).to_parquet(tmp_path / "zones.parquet")
    road = shapely.LineString([(west, south + 0.01), (west + 0.02, south + 0.01)])
    gpd.GeoDataFrame({"highway": ["path"]}, geometry=[road], crs="EPSG:4326").to_parquet(tmp_path / "roads.parquet")
    (tmp_path / "clinics.csv").write_text(f"facility_id,name,lon,lat\n1,one,{west + 0.01},{south + 0.01}\n")
    with rasterio.open(
        tmp_path / "people.tif", "w", driver="GTiff", height=2, width=2, count=1, dtype="float64", crs="EPSG:4326",
        transform=rasterio.Affine(0.01, 0, west, 0, -0.01, south + 0.02),
    ) as out:  # fmt: skip
        out.write(np.ones((2, 2)), 1)
    river = shapely.LineString([(west - 1, south + 0.005), (west + 1, south + 0.005)])
    gpd.GeoDataFrame(geometry=[river], crs="EPSG:4326").to_parquet(tmp_path / "river.parquet")
    clinic = {"id": "clinic", "name": "clinic", "kind": "clinic", "path": tmp_path / "clinics.csv", "datum": "wgs84"}
    study = {
        "id": "small",
        "title": "small",
        "date": "2025-12-31",
        "zones": {"path": tmp_path / "zones.parquet"},
        "roads": {"path": tmp_path / "roads.parquet"},
        "population": {"kind": "raster", "path": tmp_path / "people.tif"},
        "facilities": [{**clinic, "profile": "adult", "cutoff_min": 15}],
        "barriers": [{"path": tmp_path / "river.parquet"}],
        "network": {"max_access_m": 300},
    }
    layers = read_layers(StudyConfig.model_validate(study), margin_m=1000.0)
    (barrier,) = layers.barriers.geometry
    west_m, _, east_m, _ = layers.boundary.bounds
    assert barrier.bounds[::2] == pytest.approx((west_m - 1300, east_m + 1300), abs=1e-6)
    counted = layers.counts.set_index("layer").loc["barriers"]
    assert counted[["rows_read", "rows_kept"]].tolist() == [1, 1]
    assert layers.reports["barriers"] == {"repaired_polygon_count": 0}
    del study["barriers"]
    without = read_layers(StudyConfig.model_validate(study), margin_m=1000.0)
    assert len(without.barriers) == 0
    assert "barriers" not in without.reports
    study["barriers"] = [{"path": tmp_path / "clinics.csv", "datum": "wgs84"}, {"path": tmp_path / "none.shp"}]
    with pytest.raises(LayerError) as error:
        read_layers(StudyConfig.model_validate(study), margin_m=1000.0)
    assert "geometry is Point; a barrier must be" in str(error.value)
    assert "none.shp: no such file" in str(error.value)


def test_openstreetmap_lines_stay_lines_and_areas_polygons(tmp_path: Path) -> None:
    path = tmp_path / "small.osm.pbf"
    with osmium.SimpleWriter(str(path)) as out:
        to_degrees = pyproj.Transformer.from_crs(UTM, 4326, always_xy=True)
        for i, corner in enumerate(at((100, 100), (200, 100), (200, 200), (100, 200)), start=1):
            out.add_node(Node(id=i, location=to_degrees.transform(*corner)))
        out.add_way(Way(id=1, nodes=[1, 2, 3], tags={"waterway": "river"}))
        out.add_way(Way(id=2, nodes=[1, 2, 3, 4, 1], tags={"natural": "water"}))
        out.add_way(Way(id=3, nodes=[1, 2, 3, 4, 1], tags={"barrier": "wall"}))
        out.add_way(Way(id=4, nodes=[1, 2, 3, 4, 1], tags={"barrier": "hedge", "area": "yes"}))
        out.add_way(Way(id=5, nodes=[1, 2], tags={"railway": "rail"}))

    def kinds(**where: object) -> list[str]:
        return read(Table(path=path, where=where)).frame.geom_type.tolist()

    assert kinds(waterway="river") == ["LineString"]
    assert kinds(natural="water") == ["Polygon"]
    # Whoever lives inside a wall is not free to walk through it.
    assert kinds(barrier="wall") == ["LineString"]
    assert kinds(barrier=["wall", "hedge"]) == ["LineString", "Polygon"]
    assert kinds(railway="rail") == ["LineString"]
    assert "holds no object with railway=tram" in faults_of(Table(path=path, where={"railway": "tram"}))
