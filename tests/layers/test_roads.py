"""Lines become ways that meet in nodes."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely

from facility_coverage.config.study import Roads
from facility_coverage.errors import LayerError
from facility_coverage.layers.roads import read_roads

UTM = pyproj.CRS.from_epsg(32648)
BOUNDARY = shapely.box(500_000, 3_000_000, 501_000, 3_001_000)


def lines(path: Path, geometry: list[shapely.Geometry], **columns: object) -> Roads:
    gpd.GeoDataFrame({"highway": "path", **columns}, geometry=geometry, crs=UTM, index=range(len(geometry))).to_file(
        path
    )
    return Roads(path=path)


def line(*xy: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([(500_000 + x, 3_000_000 + y) for x, y in xy])


def test_ends_within_a_millimetre_meet_and_wider_gaps_stay_open(tmp_path: Path) -> None:
    shapes = [line((0, 0), (100, 0)), line((100.0001, 0), (200, 0)), line((200.01, 0), (300, 0))]
    roads, _ = read_roads(lines(tmp_path / "r.gpkg", shapes, way_id=["1", "2", "3"]), BOUNDARY, BOUNDARY, crs=UTM)
    a, b, c = (roads.node[roads.start[i] : roads.start[i + 1]] for i in range(3))
    assert a[1] == b[0]
    assert b[1] != c[0]
    assert len(set(roads.node)) == 5


def test_several_lines_in_one_row_and_ways_kept_whole(tmp_path: Path) -> None:
    far = line((5000, 0), (6000, 0))
    crossing = line((900, 500), (1500, 500), (4000, 500))
    both = shapely.MultiLineString([line((0, 0), (10, 0)), line((20, 0), (30, 0))])
    table = lines(tmp_path / "r.gpkg", [far, crossing, both], bridge=[None, "yes", None])
    roads, read = read_roads(table, BOUNDARY, BOUNDARY, crs=UTM)
    assert read == 3
    assert sorted(roads.tags["way_id"]) == ["2", "3", "3"]
    assert roads.tags.set_index("way_id").loc["2", "bridge"] == "yes"
    assert set(roads.tags["bridge"]) == {"yes", None}
    assert len(roads.xy) == 7
    assert roads.xy[:, 0].max() == 504_000
    np.testing.assert_array_equal(np.unique(roads.node), np.arange(7))


def test_a_road_that_crosses_without_a_vertex_inside_meets(tmp_path: Path) -> None:
    roads, _ = read_roads(lines(tmp_path / "r.gpkg", [line((-50, 500), (2000, 500))]), BOUNDARY, BOUNDARY, crs=UTM)
    assert len(roads.tags) == 1


def test_roads_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(
        LayerError, match=r"the roads \(505,000…506,000 E.*do not meet the boundary \(500,000…501,000 E"
    ):
        read_roads(lines(tmp_path / "r.gpkg", [line((5000, 0), (6000, 0))]), BOUNDARY, BOUNDARY, crs=UTM)


def test_points_are_no_roads(tmp_path: Path) -> None:
    with pytest.raises(LayerError, match="row 1: geometry is Point; a road must be LineString"):
        read_roads(lines(tmp_path / "r.gpkg", [shapely.Point(1, 1)]), BOUNDARY, BOUNDARY, crs=UTM)


def test_graph_of_osmnx(tmp_path: Path) -> None:
    nx = pytest.importorskip("networkx")
    import osmnx  # noqa: PLC0415 - slow to import

    graph = nx.MultiDiGraph(crs="EPSG:32648")
    for node, x in ((1, 500_000.0), (2, 500_100.0), (3, 500_200.0)):
        graph.add_node(node, x=x, y=3_000_000.0)
    for u, v in ((1, 2), (2, 1), (2, 3)):
        graph.add_edge(u, v, osmid=7, highway="residential", length=100.0)
    osmnx.save_graphml(graph, tmp_path / "g.graphml")
    roads, read = read_roads(Roads(path=tmp_path / "g.graphml"), BOUNDARY, BOUNDARY, crs=UTM)
    assert (read, len(roads.tags), len(set(roads.node))) == (2, 2, 3)
