"""Roads of real places: what noding finds in a whole city, and that extracts are read as osmium shows them."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import osmium
import pyproj
import pytest
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from facility_coverage.cache import Cache
from facility_coverage.config.study import Roads as RoadsTable
from facility_coverage.errors import LayerError
from facility_coverage.layers.model import TAGS, Roads
from facility_coverage.layers.openstreetmap import read_ways
from facility_coverage.layers.roads import RoadsRead, read_roads

pytestmark = pytest.mark.realdata

UTM50 = pyproj.CRS.from_epsg(32650)
WUHAN = shapely.box(200_000, 3_300_000, 320_000, 3_480_000)


def wuhan(realdata: Path, **options: object) -> RoadsRead:
    table = RoadsTable.model_validate({"path": realdata / "wuhan" / "roads.parquet", **options})
    return read_roads(table, WUHAN, WUHAN, crs=UTM50, cache=Cache(None))


def largest_component(roads: Roads) -> tuple[int, int]:
    """Return the nodes of the largest connected piece, and of all."""
    tail = np.delete(np.arange(len(roads.node)), roads.start[1:] - 1)
    count = int(roads.node.max()) + 1
    links = coo_array((np.ones(len(tail)), (roads.node[tail], roads.node[tail + 1])), shape=(count, count))
    return int(np.bincount(connected_components(links.tocsr(), directed=False)[1]).max()), count


def crossings_by_geos(path: Path) -> tuple[int, int]:
    """Count the places where lines of two vertices cross or touch without a shared one; and those without motorways."""
    frame = gpd.read_parquet(path).to_crs(UTM50)
    lines = frame.geometry.to_numpy()
    one, other = shapely.STRtree(lines).query(lines, predicate="intersects")
    one, other = one[one < other], other[one < other]
    ends = np.rint(shapely.get_coordinates(lines).reshape(-1, 4) * 1000)  # all lines of this file are straight
    apart = np.all(
        [(ends[one, i : i + 2] != ends[other, j : j + 2]).any(axis=1) for i in (0, 2) for j in (0, 2)], axis=0
    )
    one, other = one[apart], other[apart]
    places = shapely.intersection(lines[one], lines[other])
    points = shapely.get_type_id(places) == 0
    xy = np.rint(shapely.get_coordinates(places[points]) * 1000)
    motor = frame["highway"].isin(["motorway", "motorway_link"]).to_numpy()
    free = ~(motor[one] | motor[other])[points]
    return len(np.unique(xy, axis=0)), len(np.unique(xy[free], axis=0))


def test_wuhan_must_say_whether_lines_that_cross_meet(realdata: Path) -> None:
    with pytest.raises(LayerError, match="cross without a shared vertex at 3290 places"):
        wuhan(realdata)


def test_crossings_of_wuhan_are_those_of_geos(realdata: Path) -> None:
    everywhere, free = crossings_by_geos(realdata / "wuhan" / "roads.parquet")
    joined = wuhan(realdata, crossings="joined", snap_tolerance_m=0)
    separate = wuhan(realdata, crossings="separate", snap_tolerance_m=0)
    assert joined.report["crossings_joined"] == free
    assert separate.report["crossings_separate"] == everywhere
    new = len(set(joined.roads.node)) - len(set(separate.roads.node))
    assert new == free - 2  # at two of them one of the lines has a vertex already


def test_wuhan_is_one_piece_and_hardly_an_end_is_loose(realdata: Path) -> None:
    read = wuhan(realdata, crossings="separate")
    assert largest_component(read.roads) == (82_891, 82_891)
    assert read.report.pop("largest_move_m") == pytest.approx(0.12, abs=0.005)
    assert read.report == {"crossings_joined": 0, "crossings_separate": 4091, "ends_joined": 3}
    joined = wuhan(realdata, crossings="joined")
    assert largest_component(joined.roads) == (86_179, 86_179)


@pytest.mark.parametrize("extract", ["comoros/comoros-2021.osm.pbf", "poa/poa_osm.pbf"])
def test_ways_are_read_as_osmium_shows_them(realdata: Path, extract: str) -> None:
    ways = read_ways(realdata / extract, file="extract")
    ids, refs, lonlat, rows = [], [], [], []
    for way in osmium.FileProcessor(str(realdata / extract)).with_locations():
        if way.is_way() and ("highway" in way.tags or way.tags.get("route") == "ferry"):
            ids.append(str(way.id))
            refs += [node.ref for node in way.nodes]
            lonlat += [(node.lon, node.lat) for node in way.nodes]
            rows.append([way.tags.get("highway", "ferry") if tag == "highway" else way.tags.get(tag) for tag in TAGS])
    order = np.argsort(np.array(ids, dtype=np.int64), kind="stable")
    assert ways.tags["way_id"].tolist() == [ids[i] for i in order]
    assert ways.tags[list(TAGS)].to_numpy().tolist() == [rows[i] for i in order]
    assert np.array_equal(np.sort(ways.ref), np.sort(refs))
    place = dict(zip(refs, lonlat, strict=True))
    assert ways.lonlat.tolist() == [list(place[ref]) for ref in ways.ref]


def test_ferries_of_comoros(realdata: Path) -> None:
    tags = read_ways(realdata / "comoros" / "comoros-2021.osm.pbf", file="extract").tags
    assert (len(tags), (tags["highway"] == "ferry").sum()) == (4381, 3)
