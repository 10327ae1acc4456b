"""OpenStreetMap extracts, made on the fly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import osmium
import pyproj
import pytest
import shapely
from osmium.osm.mutable import Node, Relation, Way

from facility_coverage.config.study import Roads, Table
from facility_coverage.errors import LayerError
from facility_coverage.layers import openstreetmap
from facility_coverage.layers.roads import read_roads
from facility_coverage.layers.tables import read_table


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    path = tmp_path / "small.osm.pbf"
    town = {"type": "boundary", "boundary": "town", "name": "镇"}
    with osmium.SimpleWriter(str(path)) as out:
        for i in range(1, 7):
            tags = {"amenity": "clinic", "name": "甲"} if i == 6 else {}
            out.add_node(Node(id=i * 10, location=(105.9 + i / 1000, 29.3), tags=tags))
        for i, (x, y) in enumerate([(0, 0), (0.01, 0), (0.01, 0.01), (0, 0.01)]):
            out.add_node(Node(id=100 + i, location=(105.9 + x, 29.3 + y)))
        out.add_way(Way(id=1, nodes=[10, 20, 30], tags={"highway": "footway", "foot": "yes"}))
        out.add_way(Way(id=2, nodes=[30, 40, 999], tags={"highway": "residential"}))  # 999 is not in the file
        out.add_way(Way(id=3, nodes=[50, 999], tags={"highway": "path"}))  # one located vertex: no way
        out.add_way(Way(id=4, nodes=[100, 101, 102, 103, 100], tags={"amenity": "clinic"}))
        out.add_way(Way(id=5, nodes=[100, 101, 102, 103, 100]))
        out.add_relation(Relation(id=7, members=[("w", 5, "outer")], tags=town))
    return path


def test_ways_share_nodes_and_drop_vertices_without_location(extract: Path) -> None:
    ways = openstreetmap.read_ways(extract, file="small")
    assert ways.tags["way_id"].tolist() == ["1", "2"]
    assert ways.tags["foot"].tolist() == ["yes", None]
    assert ways.ref.tolist() == [10, 20, 30, 30, 40]
    assert ways.start.tolist() == [0, 3, 5]
    assert (ways.ways_read, ways.vertices_dropped) == (3, 2)
    np.testing.assert_allclose(ways.lonlat[:, 0], 105.9 + np.array([1, 2, 3, 3, 4]) / 1000, atol=1e-9)


def test_roads_number_nodes_by_osm_id(extract: Path) -> None:
    area = shapely.box(580_000, 3_230_000, 600_000, 3_260_000)
    roads, ways_read = read_roads(Roads(path=extract), area, area, crs=pyproj.CRS.from_epsg(32648))
    assert ways_read == 3
    assert roads.node.tolist() == [0, 1, 2, 2, 3]
    # 0.001° of longitude at 29.3 N is 97.2 m on the ellipsoid.
    assert np.hypot(*np.diff(roads.xy[:2], axis=0)[0]) == pytest.approx(97.2, abs=0.2)


def test_places_are_nodes_and_areas(extract: Path) -> None:
    source = read_table(Table(path=extract, where={"amenity": "clinic"}), role="facilities")
    assert source.frame["osm_id"].tolist() == ["n60", "w4"]
    assert source.frame.geometry.geom_type.tolist() == ["Point", "Point"]
    assert shapely.box(105.9, 29.3, 105.91, 29.31).contains(source.frame.geometry.iloc[1])


def test_relations_are_polygons_for_zones(extract: Path) -> None:
    table = Table(path=extract, where={"boundary": "town"}, constants={"area_type": "rural"})
    frame = read_table(table, role="zones").frame
    assert frame[["osm_id", "name", "area_type"]].to_numpy().tolist() == [["r7", "镇", "rural"]]
    assert frame.geometry.iloc[0].equals(shapely.box(105.9, 29.3, 105.91, 29.31))


def test_no_such_tag(extract: Path) -> None:
    with pytest.raises(LayerError, match="holds no object with amenity=hospital"):
        read_table(Table(path=extract, where={"amenity": "hospital"}), role="facilities")


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_half_a_file_is_a_fault(extract: Path, tmp_path: Path, share: float) -> None:
    whole = extract.read_bytes()
    half = tmp_path / "half.osm.pbf"
    half.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(LayerError, match="is not a whole OpenStreetMap file"):
        openstreetmap.read_ways(half, file="half")
    with pytest.raises(LayerError, match="is not a whole OpenStreetMap file"):
        read_table(Table(path=half, where={"amenity": "clinic"}), role="facilities")
