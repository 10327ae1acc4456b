import dataclasses
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
import shapely.ops
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

import builders
import oracles
from facility_coverage.analysis import drawing
from facility_coverage.analysis.drawing import Pen
from facility_coverage.analysis.service_areas import LAYER_PEN, facility_service_areas, service_areas
from facility_coverage.analysis.trips import travel
from facility_coverage.analysis.walls import Walls, find_walls, no_walls
from facility_coverage.config.profile import Direction, Profile, Ways
from facility_coverage.config.study import NetworkOptions
from facility_coverage.layers.model import Layers, Roads
from facility_coverage.network.graph import Graph
from facility_coverage.network.links import link
from facility_coverage.network.network import Network, build_networks
from facility_coverage.network.snapping import Places, snap

STEP_M = 300.0
WAYS = builders.lattice(13, 13, step_m=STEP_M)  # 3.6 km square
WHOLE = shapely.box(-500, -500, 4100, 4100)
SITES = {"f1": (1030.0, 915.0, "z"), "f2": (2450.0, 2400.0, "z")}
NOBODY = pd.DataFrame({"demand_id": ["d"], "zone_id": ["z"], "x_m": [0.0], "y_m": [0.0], "total": [1.0]})
PEN = Pen(half_width_m=40.0, cell_m=10.0, max_cells=100_000)


def iou(one: BaseGeometry, other: BaseGeometry) -> float:
    return float(one.intersection(other).area / one.union(other).area)


# --- a whole layer


def drawn(sites: dict[str, tuple[float, float, str | None]], cutoff_min: object, zones: object = None) -> BaseGeometry:
    layers = builders.layers(WAYS, zones or {"z": ("urban", WHOLE)}, NOBODY, sites)
    network = builders.network(WAYS, np.zeros((1, 2)))
    trip = travel(builders.facility_layer(cutoff_min=cutoff_min), layers, network)
    table = service_areas(layers, [trip], {"walker": network})
    assert list(table.columns) == ["layer", "geometry"]
    assert table["layer"].tolist() == ["clinics"]
    assert table.crs == layers.crs
    return table.geometry.iloc[0]


def reached_samples(cutoff_s: float, *, step_m: float = 5.0) -> np.ndarray:
    """Return places on the streets within the cutoff, by the oracle: every sample is a demand point of its own."""
    along = np.arange(0, 3600 + step_m, step_m)
    samples = np.concatenate(
        [np.column_stack(pair) for k in range(13) for line in [np.full_like(along, k * STEP_M)]
         for pair in ((along, line), (line, along))]
    )  # fmt: skip
    segments = oracles.segments_of_ways(WAYS.xy, WAYS.node, WAYS.start, speed_ms=1.0)
    sites = np.array([(x, y) for x, y, _ in SITES.values()])
    seconds = oracles.nearest_seconds(segments, samples, sites, max_access_m=500.0, access_speed_ms=1.0)
    return samples[seconds <= cutoff_s]


def test_the_area_holds_the_reached_roads_and_is_their_buffer() -> None:
    area = drawn(SITES, 13)
    reached = reached_samples(13 * 60.0)
    assert shapely.contains_xy(area, reached).all()
    exact = shapely.union_all(shapely.buffer(shapely.points(reached), LAYER_PEN.half_width_m, quad_segs=16))
    assert iou(area, exact) >= 0.98
    assert area.is_valid


def test_the_area_ends_at_the_boundary() -> None:
    half = shapely.box(-500, -500, 1100, 4100)
    area = drawn(SITES, 13, {"z": ("urban", half)})
    assert area.area > 0
    assert area.difference(half.buffer(1e-6)).area == 0
    # What lies inside is drawn as if there were no boundary.
    assert iou(area, drawn(SITES, 13).intersection(half)) >= 0.999


def test_each_area_type_is_drawn_with_its_own_cutoff() -> None:
    west, east = shapely.box(-500, -500, 1500, 4100), shapely.box(1500, -500, 4100, 4100)
    mixed = drawn(SITES, {"urban": 4, "rural": 13}, {"a": ("urban", west), "z": ("rural", east)})
    short, long = drawn(SITES, 4), drawn(SITES, 13)
    expected = short.intersection(west).union(long.intersection(east))
    assert mixed.symmetric_difference(expected).area / expected.area < 0.001


def test_where_nothing_is_reached_nothing_is_drawn() -> None:
    assert drawn({"far": (0.0, 90_000.0, None)}, 13).is_empty
    assert drawn({"slow": (150.0, 150.0, "z")}, 2).is_empty  # the access leg alone takes 2.5 minutes
    assert drawn({}, 13).is_empty


def test_a_layer_is_the_union_of_its_facilities() -> None:
    network = builders.network(WAYS, np.zeros((1, 2)))
    places = network.snap(np.array([(x, y) for x, y, _ in SITES.values()]))
    single = facility_service_areas(network, places, no_walls(), limit_s=13 * 60.0, pen=LAYER_PEN)
    assert iou(drawn(SITES, 13), shapely.union_all(single)) >= 0.999


# --- single facilities


def on_graph(
    graph: Graph, sites: Sequence[Sequence[float]], *, direction: Direction = "to_facility", max_access_m: float = 500.0
) -> tuple[Network, Places]:
    """Return a network of these edges, and points that stand on it; the access leg takes one second a metre."""
    network = dataclasses.replace(
        builders.network(builders.lattice(2, 2), np.zeros((1, 2))), graph=graph, links=link(graph, direction=direction)
    )
    points = np.asarray(sites, dtype=np.float64).reshape(-1, 2)
    return network, snap(points, graph, max_access_m=max_access_m, access_speed_ms=1.0)


def one(
    network: Network, places: Places, limit_s: float, *, walls: Walls | None = None, pen: Pen = PEN
) -> BaseGeometry:
    (area,) = facility_service_areas(network, places, walls or no_walls(), limit_s=limit_s, pen=pen)
    assert area.geom_type == "MultiPolygon"
    assert area.is_valid
    return area


def reached_parts(graph: Graph, site: np.ndarray, limit_s: float, *, towards: bool) -> list[BaseGeometry]:
    """Return the reached parts of straight segments: the facility inserted as a node, times by NetworkX."""
    segments = oracles.segments_of_graph(graph)
    snapped = oracles.snap_by_segment(site[None, :], segments, max_access_m=500.0)
    assume(not snapped.tied[0])
    pieces = [
        [a, b, a_xy, b_xy, ahead, back]
        for a, b, a_xy, b_xy, ahead, back in zip(
            segments.a.tolist(), segments.b.tolist(), segments.a_xy, segments.b_xy,
            segments.ahead_s.tolist(), segments.back_s.tolist(), strict=True,
        )
    ]  # fmt: skip
    home = int(snapped.segment[0])
    if home < 0:
        return []
    a, b, a_xy, b_xy, ahead, back = pieces.pop(home)
    f, xy = float(snapped.fraction[0]), a_xy + snapped.fraction[0] * (b_xy - a_xy)
    pieces += [[a, "f", a_xy, xy, ahead * f, back * f], ["f", b, xy, b_xy, ahead * (1 - f), back * (1 - f)]]
    links = nx.DiGraph()
    links.add_node("f")
    for u, v, _, _, go, come in pieces:
        for tail, head, seconds in ((u, v, go), (v, u, come)):
            known = links.get_edge_data(tail, head, {"s": np.inf})["s"]
            if seconds < known:
                links.add_edge(tail, head, s=seconds)
    if f in (0.0, 1.0):  # at an end of the segment: the node itself, whichever way its edge leads
        links.add_edge("f", a if f == 0.0 else b, s=0.0)
        links.add_edge(a if f == 0.0 else b, "f", s=0.0)
    walked = links.reverse() if towards else links
    left = {
        node: limit_s - float(snapped.access_m[0]) - s
        for node, s in nx.single_source_dijkstra_path_length(walked, "f", weight="s").items()
    }
    parts = []
    for u, v, u_xy, v_xy, go, come in pieces:
        by_u, by_v = (come, go) if towards else (go, come)
        for end, far, seconds, budget in ((u_xy, v_xy, by_u, left.get(u, -1)), (v_xy, u_xy, by_v, left.get(v, -1))):
            if budget >= 0 and np.isfinite(seconds):
                share = 1.0 if seconds <= budget else budget / seconds
                parts.append(shapely.LineString([end, end + share * (far - end)]))
    if left["f"] >= 0:
        parts.append(shapely.Point(xy))
    return parts


def street(ahead: float | None = 1.0, back: float | None = 1.0) -> Graph:
    """Make one street of a kilometre from west to east, with a vertex at 300 m; seconds per metre ahead and back."""
    return builders.graph([(0, 1, [(0, 0), (300, 0), (1000, 0)], ahead, back)], 2)


@pytest.mark.parametrize(
    ("ahead", "back", "direction", "west", "east"),
    [
        (1.0, 1.0, "to_facility", 210, 690),  # 250 s less 10 s of access leg, either way
        (1.0, None, "to_facility", 210, 450),  # who has passed the facility cannot turn back
        (1.0, None, "from_facility", 450, 690),
        (None, 1.0, "to_facility", 450, 690),
        (None, 1.0, "from_facility", 210, 450),
        (2.0, 0.5, "to_facility", 330, 930),  # uphill to the east
        (2.0, 0.5, "from_facility", 0, 570),
    ],
)
def test_a_street_is_cut_where_the_time_is_up(
    ahead: float | None, back: float | None, direction: Direction, west: float, east: float
) -> None:
    network, places = on_graph(street(ahead, back), [(450, 10)], direction=direction)
    area = one(network, places, 250.0)
    exact = shapely.LineString([(west, 0), (east, 0)]).buffer(PEN.half_width_m, quad_segs=32)
    assert iou(area, exact) >= 0.985
    np.testing.assert_allclose(area.bounds, exact.bounds, atol=1.0)


def test_the_cutoff_is_inclusive() -> None:
    network, places = on_graph(street(), [(450, 10)])
    area = one(network, places, 10.0)  # the access leg alone: one place is reached, the street at the door
    assert iou(area, shapely.Point(450, 0).buffer(PEN.half_width_m)) >= 0.95
    assert one(network, places, 9.99).is_empty


def test_seconds_lost_at_junctions_are_not_spread_along_the_street() -> None:
    graph = street()
    # Twenty seconds at the western end, on a step without length, as drivers lose them.
    ends = {name: np.concatenate([[0.0], getattr(graph, name) + 20.0]) for name in ("forward_s", "backward_s")}
    double = {name: np.concatenate([getattr(graph, name)[:1], getattr(graph, name)]) for name in ("xy", "vertex_m")}
    graph = dataclasses.replace(graph, **ends, **double, start=np.array([0, 4]))
    network, places = on_graph(graph, [(0, 0)])
    assert one(network, places, 120.0).bounds[2] == pytest.approx(100 + PEN.half_width_m, abs=1.0)
    network, places = on_graph(graph, [(400, 0)])
    assert one(network, places, 300.0).bounds[0] == pytest.approx(100 - PEN.half_width_m, abs=1.0)


def test_blocks_that_nobody_reaches_are_holes() -> None:
    network = builders.network(builders.lattice(3, 3, step_m=400.0), np.zeros((1, 2)))
    area = one(network, network.snap(np.array([[400.0, 400.0]])), 900.0)
    (polygon,) = area.geoms
    assert len(polygon.interiors) == 4
    for hole in polygon.interiors:
        assert shapely.Polygon(hole).area == pytest.approx((400 - 2 * PEN.half_width_m) ** 2, rel=0.01)


def test_facilities_without_a_place_or_without_time_have_no_area() -> None:
    network, places = on_graph(street(), [(450, 10), (450, 900), (450, 200)], max_access_m=500.0)
    areas = facility_service_areas(network, places, no_walls(), limit_s=100.0)
    assert [area.is_empty for area in areas] == [False, True, True]
    assert {area.geom_type for area in areas} == {"MultiPolygon"}
    network, places = on_graph(street(), [])
    assert facility_service_areas(network, places, no_walls(), limit_s=100.0).shape == (0,)


def test_areas_do_not_depend_on_threads_or_on_the_other_facilities() -> None:
    network = builders.network(WAYS, np.zeros((1, 2)))
    places = network.snap(np.random.default_rng(5).uniform(0, 3600, (80, 2)))
    once, twice = (facility_service_areas(network, places, no_walls(), limit_s=700.0, threads=n) for n in (1, 2))
    assert shapely.to_wkb(once).tolist() == shapely.to_wkb(twice).tolist()
    alone = Places(**{f.name: getattr(places, f.name)[[60]] for f in dataclasses.fields(places)})
    assert shapely.to_wkb(one(network, alone, 700.0, pen=PEN)) == shapely.to_wkb(once[60])


def test_a_wide_area_is_drawn_with_a_wider_pen_and_bounded_memory() -> None:
    network, places = on_graph(street(), [(500, 0)])
    area = one(network, places, 900.0, pen=Pen(half_width_m=5.0, cell_m=5.0, max_cells=500))
    assert iou(area, shapely.LineString([(0, 0), (1000, 0)]).buffer(30.0)) >= 0.97  # cells of 20 m


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), towards=st.booleans())
def test_areas_are_the_exact_union_of_buffered_reached_parts(seed: int, towards: bool) -> None:
    rng = np.random.default_rng(seed)
    base = builders.network(builders.random_roads(rng), np.zeros((1, 2))).graph
    count = len(base.tail)
    slow, fast = rng.uniform(0.5, 2.0, (2, len(base.xy)))
    steps = np.diff(base.vertex_m, prepend=0.0)
    steps[base.start[:-1]] = 0.0

    def summed(rate: np.ndarray) -> np.ndarray:
        total = np.cumsum(steps * rate)
        return total - np.repeat(total[base.start[:-1]], np.diff(base.start))

    kind = rng.integers(0, 4, count)  # some streets lead one way only
    graph = dataclasses.replace(
        base, forward_s=summed(slow), backward_s=summed(fast), forward_ok=kind != 1, backward_ok=kind != 2
    )
    site, limit_s = rng.uniform(0, 1000, 2), float(rng.uniform(50, 900))
    network, places = on_graph(graph, [site], direction="to_facility" if towards else "from_facility")
    area, parts = one(network, places, limit_s), reached_parts(graph, site, limit_s, towards=towards)
    exact = shapely.union_all(shapely.buffer(parts, PEN.half_width_m, quad_segs=16))
    if exact.is_empty:
        assert area.is_empty
    else:
        assert iou(area, exact) >= (0.98 if exact.area > 30_000 else 0.95)
        # Corners and gaps finer than the grid are rounded, and nothing else.
        assert area.difference(exact.buffer(PEN.cell_m)).area == 0
        assert exact.buffer(-PEN.cell_m).difference(area).area == 0


# --- walls

RIVER = shapely.box(-1000, 0, 1000, 30)
BANK_ROAD = [(-300, -10), (0, -10), (300, -10)]
WIDE = Pen(half_width_m=60.0, cell_m=10.0, max_cells=100_000)


def world(ways: Roads, barriers: Sequence[BaseGeometry] = ()) -> Layers:
    layers = builders.layers(ways, {"z": ("urban", WHOLE)}, NOBODY, SITES)
    return dataclasses.replace(layers, barriers=gpd.GeoDataFrame(geometry=list(barriers), crs=layers.crs))


def around(
    ways: Roads, site: tuple[float, float], limit_s: float, barriers: Sequence[BaseGeometry] = (), pen: Pen = WIDE
) -> BaseGeometry:
    network = builders.network(ways, np.zeros((1, 2)))
    walls = find_walls(world(ways, barriers), network.profile)
    return one(network, network.snap(np.array([site])), limit_s, walls=walls, pen=pen)


FAR_BANK = shapely.box(-2000, 30, 2000, 2000)


@pytest.mark.parametrize("offset_m", [0.0, 5.0, 10.0, 12.5])  # on the bank itself, and drawn some metres into the water
def test_no_area_jumps_a_river(offset_m: float) -> None:
    ways = builders.roads([(x, y + offset_m) for x, y in BANK_ROAD], [[0, 1, 2]])
    free, held = around(ways, (0, -10), 200), around(ways, (0, -10), 200, [RIVER])
    assert free.intersection(FAR_BANK).area > 1000
    assert held.intersection(FAR_BANK.buffer(-1.0)).area == 0
    # On its own side everything is drawn as before.
    near = shapely.box(-2000, -2000, 2000, -12)
    assert iou(held.intersection(near), free.intersection(near)) >= 0.99


def test_a_river_drawn_as_a_line_is_not_jumped_either() -> None:
    ways = builders.roads(BANK_ROAD, [[0, 1, 2]])
    held = around(ways, (0, -10), 200, [shapely.LineString([(-1000, 7), (20, 3), (1000, 7)])])
    assert held.intersection(shapely.box(-2000, 8, 2000, 2000)).area == 0
    assert held.area > 20_000


def bridged() -> Roads:
    """A road along the bank, with a bridge at x = 0 to a road on the other side."""
    nodes = [(-300, -10), (0, -10), (300, -10), (0, 100), (-300, 100), (300, 100)]
    return builders.roads(nodes, [[0, 1, 2], [1, 3], [4, 3, 5]])


def test_with_a_bridge_the_far_bank_is_drawn_where_it_is_reached() -> None:
    area = around(bridged(), (0, -10), 200, [RIVER])
    assert area.contains(shapely.Point(0, 15))  # the bridge itself
    assert area.contains(shapely.Point(20, 15))  # and the water beside it
    assert area.contains(shapely.Point(0, 60))
    assert area.contains(shapely.Point(60, 100))
    # Between the ends of the bridge the banks are only drawn near it.
    assert not area.contains(shapely.Point(150, 25))
    assert not area.contains(shapely.Point(150, 36))


def test_a_bridge_that_is_not_crossed_in_time_leads_nowhere() -> None:
    area = around(bridged(), (0, -10), 25, [RIVER])  # as far as the middle of the bridge
    assert area.contains(shapely.Point(0, 14))
    assert area.intersection(FAR_BANK.buffer(-1.0)).area == 0


def test_a_bridge_on_the_slant_paints_both_sides_to_their_corners() -> None:
    nodes = [(-200, -60), (0, 0), (100, 30), (300, 90)]
    area = around(builders.roads(nodes, [[0, 1, 2, 3]]), (-200, -60), 900, [RIVER])
    assert area.contains(shapely.Point(10, -20))
    assert area.contains(shapely.Point(90, 50))


TWO_STREETS = [(-300, 0), (0, 0), (300, 0), (-300, 60), (0, 60), (300, 60), (-500, 30), (500, 30)]


def two_streets(highway: str = "motorway", *, joined: bool = False, **tags: str) -> Roads:
    """Two streets 60 m apart, a motorway between them, and perhaps an underpass."""
    ways = [[0, 1, 2], [3, 4, 5], [6, 7], *([[1, 4]] if joined else [])]
    given = {key: [None, None, value, *([None] if joined else [])] for key, value in tags.items()}
    underpass = ["residential"] if joined else []
    return builders.roads(TWO_STREETS, ways, highway=["residential", "residential", highway, *underpass], **given)


BEYOND = shapely.box(-2000, 31, 2000, 2000)


def test_no_area_jumps_a_motorway() -> None:
    area = around(two_streets(), (0, -5), 200)
    assert area.intersection(BEYOND).area == 0
    assert area.contains(shapely.Point(100, 15))


def test_an_underpass_joins_the_two_sides() -> None:
    area = around(two_streets(joined=True), (0, -5), 200)
    assert area.contains(shapely.Point(0, 30))
    assert area.contains(shapely.Point(60, 90))
    short = around(two_streets(joined=True), (0, -5), 25)  # in the underpass the time is up
    assert short.intersection(BEYOND).area == 0


def test_a_street_that_ends_at_a_motorway_stays_on_its_side() -> None:
    nodes = [(-300, 0), (0, 0), (300, 0), (0, 30), (-500, 30), (500, 30)]
    ways = builders.roads(nodes, [[0, 1, 2], [1, 3], [4, 3, 5]], highway=["residential", "residential", "motorway"])
    area = around(ways, (0, -5), 200)
    assert area.contains(shapely.Point(0, 20))
    assert area.intersection(BEYOND).area == 0


@pytest.mark.parametrize(
    ("highway", "tags", "wall"),
    [
        ("motorway", {}, True),
        ("motorway_link", {}, True),
        ("trunk", {"motorroad": "yes"}, True),
        ("trunk", {}, False),
        ("primary", {"motorroad": "yes"}, False),
        ("motorway", {"foot": "yes"}, False),
        ("motorway", {"bridge": "yes"}, False),
        ("motorway", {"bridge": "viaduct"}, False),
        ("motorway", {"tunnel": "yes"}, False),
        ("motorway", {"bridge": "no"}, True),
        ("residential", {"access": "no"}, False),
    ],
)
def test_walls_are_motorways_at_ground_level_that_are_closed(highway: str, tags: dict[str, str], wall: bool) -> None:
    walls = find_walls(world(two_streets(highway, **tags)), builders.WALKER)
    expected = [[-500.0, 30.0, 500.0, 30.0]] if wall else []
    assert walls.xy.tolist() == expected
    assert not walls.bank.any()


def test_who_may_use_the_motorway_is_not_held_by_it() -> None:
    bold = Profile(name="bold", level_speed_kmh=3.6, ways=Ways(motorway="allowed"), source="an example")
    assert not len(find_walls(world(two_streets()), bold).xy)


def test_barriers_of_all_kinds_are_walls() -> None:
    barriers = [
        shapely.GeometryCollection([shapely.box(0, 0, 10, 10), shapely.LineString([(20, 0), (30, 0)])]),
        shapely.MultiPolygon([shapely.box(5, 5, 15, 15)]),  # it overlaps the first: one outline
        shapely.MultiLineString([[(40, 0), (50, 0), (60, 0)], [(70, 0), (80, 0)]]),
        shapely.Point(0, 0),
    ]
    walls = find_walls(world(two_streets("residential"), barriers), builders.WALKER)
    assert (walls.bank.sum(), (~walls.bank).sum()) == (8, 4)
    assert walls.polygons.area == 175
    empty = find_walls(builders.layers(WAYS, {"z": ("urban", WHOLE)}, NOBODY, SITES), builders.WALKER)
    assert (len(empty.xy), empty.polygons.is_empty) == (0, True)


def test_a_place_reached_for_no_length_looks_along_its_own_street() -> None:
    # Facilities on the nine nodes of a lattice, each fenced in, and no time but for the node itself.
    ways = builders.lattice(3, 3, step_m=200.0)
    yards = [shapely.box(x - 20, y - 20, x + 20, y + 20) for y in (0, 200, 400) for x in (0, 200, 400)]
    network = builders.network(ways, np.zeros((1, 2)))
    walls = find_walls(world(ways, [yard.exterior for yard in yards]), network.profile)
    nodes = np.array([yard.centroid.coords[0] for yard in yards])
    areas = facility_service_areas(network, network.snap(nodes), walls, limit_s=0.0, pen=WIDE)
    for area, yard in zip(areas, yards, strict=True):
        assert area.area > 300
        assert area.difference(yard.buffer(0.01)).area == 0


def test_a_facility_where_a_one_way_street_begins_stays_behind_its_wall() -> None:
    # The street leads away: nothing of it is reached but its first vertex, and the edge before it lies far from walls.
    graph = builders.graph([(0, 1, [(5000, 0), (5100, 0)], 1.0, 1.0), (2, 3, [(0, 0), (300, 0)], 1.0, None)], 4)
    network, places = on_graph(graph, [(0, 0)])
    yard = shapely.box(-25, -25, 25, 25)
    walls = find_walls(world(WAYS, [yard.exterior]), network.profile)
    area = one(network, places, 60.0, walls=walls)
    assert area.area > 300
    assert area.difference(yard.buffer(0.01)).area == 0


def test_a_road_on_the_slant_paints_both_sides_up_to_the_wall() -> None:
    ways = builders.roads([(-300, -60), (300, 60)], [[0, 1]])
    area = around(ways, (-300, -60), 900, [shapely.LineString([(-500, 0), (500, 0)])])
    for corner in [(20, -30), (-20, 30)]:  # their nearest place on the road lies beyond the wall
        assert area.contains(shapely.Point(corner))


def test_ground_reached_beyond_a_wall_draws_nothing_across_it() -> None:
    nodes = [(-900, 0), (900, 0), (-900, 105), (900, 105)]
    ways = builders.roads(nodes, [[0, 1], [2, 3], [0, 2]])
    area = around(ways, (-900, 0), 3000, [shapely.LineString([(-700, 32), (700, 32)])])
    assert area.contains(shapely.Point(0, 25))
    assert area.contains(shapely.Point(0, 50))
    # The far street is drawn down to 45 m; what lies between it and the wall is nobody's.
    assert area.intersection(shapely.box(-600, 33, 600, 44)).area == 0


def test_a_piece_without_length_sees_walls_too() -> None:
    # A vertex drawn twice, as on real roads, and as steps that carry a turn penalty are.
    ways = builders.roads([(-100, 0), (0, 0), (0, 0), (100, 0)], [[0, 1, 2, 3]])
    fence = shapely.LineString([(-200, 20), (200, 20)])
    area = around(ways, (0, -5), 60, [fence])
    assert area.intersection(shapely.box(-300, 21, 300, 300)).area == 0
    driver = Profile(
        name="driver", mode="car", speeds_kmh={"residential": 18}, access_speed_kmh=5, turn_penalty_s=6,
        source="an example",
    )  # fmt: skip
    star = builders.roads([(0, 0), (-100, 0), (100, 0), (0, -100)], [[1, 0], [0, 2], [0, 3]])
    options = NetworkOptions(min_component_nodes=1)
    network = build_networks(star, {"driver": driver}, np.zeros((1, 2)), options=options, file="roads")["driver"]
    walls = find_walls(world(star, [fence]), driver)
    area = one(network, network.snap(np.array([[-50.0, 0.0]])), 60.0, walls=walls, pen=WIDE)
    assert area.contains(shapely.Point(0, 10))
    assert area.contains(shapely.Point(0, -120))
    assert area.intersection(shapely.box(-300, 21, 300, 300)).area == 0


def test_walls_change_no_time() -> None:
    # A street that crosses many fences is reached as far as one that crosses none.
    fences = [shapely.LineString([(x, -30), (x, 30)]) for x in range(255, 650, 10)]
    ways = builders.roads([(0, 0), (1000, 0)], [[0, 1]])
    free, fenced = around(ways, (450, 0), 255, pen=PEN), around(ways, (450, 0), 255, fences, pen=PEN)
    np.testing.assert_allclose(fenced.bounds, free.bounds, atol=1.0)


def on_one_side(part: BaseGeometry, fence: BaseGeometry) -> list[BaseGeometry]:
    """The pieces of a road between fences, each a centimetre shorter, so that it looks along its own side.

    Cutting away all that lies within a centimetre of a fence would lose the reached end of a road that crosses a fence
    almost along it: beyond the crossing it stays that near for longer than it is reached.
    """
    if part.geom_type == "Point":
        return [part]
    pieces = shapely.ops.split(part, fence).geoms
    trims = [min(0.01, piece.length / 4) for piece in pieces]
    return [shapely.ops.substring(piece, trim, piece.length - trim) for piece, trim in zip(pieces, trims, strict=True)]


def seen_past_ends(spot: np.ndarray, roads: np.ndarray, fences: list[BaseGeometry], reach_m: float) -> bool:
    """Whether some place of the roads within reach sees a spot past the ends of fences, though not the nearest place.

    What a spot sees of a straight road changes only behind an end of a fence: it is enough to look on either side of
    those places, and between them.
    """
    ends = np.concatenate([shapely.get_coordinates(one) for one in fences])
    far = spot + (ends - spot) * (1e4 / np.linalg.norm(ends - spot, axis=1))[:, None]
    rays = shapely.linestrings(np.stack([np.broadcast_to(spot, far.shape), far], axis=1))
    for road in roads[shapely.get_type_id(roads) == shapely.GeometryType.LINESTRING]:
        met = shapely.get_parts(shapely.intersection(rays, road))
        met = met[shapely.get_type_id(met) == shapely.GeometryType.POINT]
        marks = np.sort([0.0, road.length, *shapely.line_locate_point(road, met)])
        along = np.clip(np.concatenate([marks - 1e-3, marks + 1e-3, (marks[1:] + marks[:-1]) / 2]), 0.0, road.length)
        places = shapely.get_coordinates(shapely.line_interpolate_point(road, along))
        sights = shapely.linestrings(np.stack([np.broadcast_to(spot, places.shape), places], axis=1))
        short = shapely.length(sights) <= reach_m
        if (short & ~shapely.intersects(sights, shapely.union_all(fences))).any():
            return True
    return False


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
@example(seed=108148)
@example(seed=19223537)
def test_what_is_drawn_is_seen_from_a_reached_place(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ways = builders.random_roads(rng)
    network = builders.network(ways, np.zeros((1, 2)))
    site, limit_s = rng.uniform(0, 1000, 2), float(rng.uniform(100, 900))
    places = network.snap(site[None, :])
    fences = [shapely.LineString(ends) for ends in rng.uniform(0, 1000, (6, 2, 2))]
    walls = find_walls(world(ways, fences), network.profile)
    area = one(network, places, limit_s, walls=walls, pen=WIDE)
    parts = reached_parts(network.graph, site, limit_s, towards=True)
    assume(parts)
    fence = shapely.union_all(fences)
    roads = np.array([piece for part in parts for piece in on_one_side(part, fence)])
    low, high = shapely.total_bounds(parts).reshape(2, 2)
    points = rng.uniform(low - 70, high + 70, (300, 2))
    clear = shapely.distance(shapely.points(points), fence) > 2 * WIDE.cell_m
    for point in shapely.points(points[clear]):
        if area.contains(point):
            # The outline runs between grid points: one beside it lies within the half width of a road in sight.
            corners = WIDE.cell_m * np.round(shapely.get_coordinates(point)[0] / WIDE.cell_m)
            beside = corners + WIDE.cell_m * np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1]), axis=-1).reshape(-1, 2)
            sights = shapely.shortest_line(roads[None, :], shapely.points(beside)[:, None])
            short = shapely.length(sights) <= WIDE.half_width_m + 0.1
            seen = (short & ~shapely.intersects(sights, fence)).any()
            assert seen or any(seen_past_ends(spot, roads, fences, WIDE.half_width_m + 0.1) for spot in beside)
            continue
        sight = min(shapely.shortest_line(roads, point), key=shapely.length)
        if sight.length < WIDE.half_width_m - 1.5 * WIDE.cell_m and sight.distance(fence) > 1.5 * WIDE.cell_m:
            # With no fence about, all four grid points around it see the road.
            assert area.distance(point) <= 1.0


def test_the_area_of_a_layer_stays_on_its_side_too() -> None:
    ways = builders.roads([(-1500, 100), (1500, 100), (-1500, 180), (1500, 180)], [[0, 1], [2, 3]])
    layers = builders.layers(
        ways, {"z": ("urban", shapely.box(-2000, -500, 2000, 800))}, NOBODY, {"f": (0.0, 90.0, "z")}
    )
    network = builders.network(ways, np.zeros((1, 2)))
    trip = travel(builders.facility_layer(cutoff_min=15), layers, network)
    river = gpd.GeoDataFrame(geometry=[shapely.box(-3000, 120, 3000, 160)], crs=layers.crs)
    free, held = (
        service_areas(world_, [trip], {"walker": network}).geometry.iloc[0]
        for world_ in (layers, dataclasses.replace(layers, barriers=river))
    )
    far = shapely.box(-3000, 162.5, 3000, 900)
    assert free.intersection(far).area > 10_000
    assert held.intersection(far).area == 0


def test_threads_look_around_one_at_a_time_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # GEOS breaks when two threads ask one prepared shape: drawing many facilities beside a lake ended the program.
    at_work, most, calls = [0], [0], [0]

    def look(*_: object) -> None:
        at_work[0] += 1
        most[0], calls[0] = max(most[0], at_work[0]), calls[0] + 1
        time.sleep(0.05)
        at_work[0] -= 1

    monkeypatch.setattr(drawing, "look_around", look)
    sheet = drawing.Sheet.of(street(), "to_facility", no_walls())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(sheet.sight, [1.0, 1.0, 2.0, 2.0]))
    assert (most[0], calls[0]) == (1, 2)
