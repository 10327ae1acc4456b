"""OpenStreetMap extracts, made on the fly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import osmium
import pyproj
import pytest
import shapely
from osmium.osm.mutable import Node, Relation, Way

import builders
from facility_coverage.config.study import Roads, Table
from facility_coverage.errors import LayerError
from facility_coverage.layers import openstreetmap
from facility_coverage.layers.facilities import read_facilities
from facility_coverage.layers.model import TAGS
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
    roads, ways_read, report = read_roads(Roads(path=extract), area, area, crs=pyproj.CRS.from_epsg(32648))
    assert ways_read == 3
    assert report == {"vertices_without_location": 2}
    assert roads.node.tolist() == [0, 1, 2, 2, 3]
    # 0.001° of longitude at 29.3 N is 97.2 m on the ellipsoid.
    assert np.hypot(*np.diff(roads.xy[:2], axis=0)[0]) == pytest.approx(97.2, abs=0.2)


def test_options_of_lines_are_refused(extract: Path) -> None:
    area = shapely.box(580_000, 3_230_000, 600_000, 3_260_000)
    table = Roads(path=extract, crossings="separate", snap_tolerance_m=0.5)
    with pytest.raises(LayerError) as caught:
        read_roads(table, area, area, crs=pyproj.CRS.from_epsg(32648))
    assert [fault.field for fault in caught.value.faults] == ["roads.crossings", "roads.snap_tolerance_m"]


NAMES = ["甲 乙=丙,丁", "100%", "%20%", "a\tb\nc", "l'île \u00e9 \U0001f6b6", '"q"', "w1 Tx=y Nn1", ""]


@pytest.fixture
def odd_ways(tmp_path: Path) -> Path:
    path = tmp_path / "odd.osm.pbf"
    with osmium.SimpleWriter(str(path)) as out:
        for i in range(1, 40):
            out.add_node(Node(id=i, location=(-43.3 + i / 997, -11.7 - i / 991)))
        for i, name in enumerate(NAMES):
            tags = {"name": name, "highway": "path", "note": "x=y, z"}
            out.add_way(Way(id=900 - i, nodes=list(range(1 + i, 5 + 2 * i)), tags=tags))
        out.add_way(Way(id=20, nodes=[7, 8, 9, 7], tags={"highway": "service", "oneway": "yes"}))
        out.add_way(Way(id=21, nodes=[], tags={"highway": "service"}))
        out.add_way(Way(id=22, nodes=[5], tags={"highway": "service"}))
        out.add_way(Way(id=23, nodes=[77, 5, 78, 6, 79], tags={"highway": "service"}))
        out.add_way(Way(id=31, nodes=[1, 2], tags={"route": "ferry", "duration": "00:25"}))
        out.add_way(Way(id=32, nodes=[2, 3], tags={"route": "ferry", "highway": "track"}))
        out.add_way(Way(id=33, nodes=[3, 4], tags={"route": "bus"}))
        out.add_way(Way(id=34, nodes=[4, 5], tags={"building": "yes"}))
    return path


@pytest.mark.parametrize("block", [1 << 24, 1000])
def test_ways_are_read_as_osmium_shows_them(odd_ways: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(openstreetmap, "_LONGEST_LINE", block)
    ways = openstreetmap.read_ways(odd_ways, file="odd")
    expected = by_hand(odd_ways)
    assert ways.tags["way_id"].tolist() == [str(way_id) for way_id, _, _ in expected]
    for i, (_, tags, vertices) in enumerate(expected):
        assert ways.tags.loc[i, list(tags)].to_dict() == tags
        part = slice(ways.start[i], ways.start[i + 1])
        assert ways.ref[part].tolist() == [ref for ref, _, _ in vertices]
        assert ways.lonlat[part].tolist() == [[lon, lat] for _, lon, lat in vertices]
    assert set(ways.tags["name"]) == {*NAMES, None}
    assert ways.tags.set_index("way_id").loc[["31", "32"], ["highway", "duration"]].to_numpy().tolist() == [
        ["ferry", "00:25"], ["track", None],
    ]  # fmt: skip
    assert (ways.ways_read, ways.vertices_dropped) == (len(NAMES) + 6, 3)


def by_hand(path: Path) -> list[tuple[int, dict[str, str | None], list[tuple[int, float, float]]]]:
    """Read roads and ferries object by object, by another way into osmium."""
    found = []
    for way in osmium.FileProcessor(str(path)).with_locations():
        if not way.is_way() or not ("highway" in way.tags or way.tags.get("route") == "ferry"):
            continue
        tags = {tag: way.tags.get(tag) for tag in TAGS} | {"highway": way.tags.get("highway", "ferry")}
        vertices = [(node.ref, node.lon, node.lat) for node in way.nodes if node.location.valid()]
        if len(vertices) >= 2:
            found.append((way.id, tags, vertices))
    return sorted(found, key=lambda item: item[0])


def test_no_road_at_all(tmp_path: Path) -> None:
    path = tmp_path / "none.osm.pbf"
    with osmium.SimpleWriter(str(path)) as out:
        out.add_node(Node(id=1, location=(1, 2)))
    ways = openstreetmap.read_ways(path, file="none")
    assert (len(ways.tags), ways.start.tolist(), ways.lonlat.shape) == (0, [0], (0, 2))


def test_places_are_nodes_and_areas(extract: Path) -> None:
    table = Table(path=extract, where={"amenity": "clinic"})
    outline = shapely.box(105.9, 29.3, 105.91, 29.31)
    places = read_table(table, role="population").frame
    assert places["osm_id"].tolist() == ["n60", "w4"]
    assert places.geometry.geom_type.tolist() == ["Point", "Point"]
    assert outline.contains(places.geometry.iloc[1])
    # Facilities keep their outlines until duplicates have been looked for; then they are the same points.
    sites = read_table(table, role="facilities").frame
    assert sites.geometry.geom_type.tolist() == ["Point", "MultiPolygon"]
    assert sites.geometry.iloc[1].equals(outline)
    (source,) = read_facilities(builders.facility_layer(path=extract, where={"amenity": "clinic"}))
    assert source.frame.geometry.geom_equals(places.geometry).all()


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


def test_a_relation_whose_outline_is_broken_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.osm.pbf"
    with osmium.SimpleWriter(str(path)) as out:
        for i, (x, y) in enumerate([(0, 0), (0.01, 0), (0.01, 0.01), (0, 0.01)], start=1):
            out.add_node(Node(id=i, location=(105.9 + x, 29.3 + y)))
        out.add_way(Way(id=5, nodes=[1, 3, 2, 4, 1]))  # crosses itself
        out.add_way(Way(id=6, nodes=[1, 2, 3]))  # ends in the open
        for relation, way in ((7, 5), (8, 6)):
            tags = {"type": "boundary", "boundary": "town", "name": f"镇{relation}"}
            out.add_relation(Relation(id=relation, members=[("w", way, "outer")], tags=tags))
    with pytest.raises(LayerError) as error:
        read_table(Table(path=path, where={"boundary": "town"}), role="zones")
    says = "has no closed outline or location in this extract"
    advice = f"{says}; use an extract that holds the whole outline, or narrow `where:`"
    assert [str(fault).split("broken.osm.pbf: ")[1] for fault in error.value.faults] == [
        f"r7 (镇7): {advice}",
        f"r8 (镇8): {advice}",
    ]
