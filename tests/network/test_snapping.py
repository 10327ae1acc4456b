import itertools

import numba
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import builders
import oracles
from facility_coverage.network.graph import Graph, build_graph
from facility_coverage.network.snapping import Barriers, EdgeIndex, Locations, Places, locate, snap, time_places


def built(roads: object) -> Graph:
    return build_graph(roads, builders.WALKER, min_component_nodes=1, file="roads")[0]


def snapped(points: object, graph: Graph, max_access_m: float = 500.0) -> Places:
    return snap(np.array(points, dtype=float).reshape(-1, 2), graph, max_access_m=max_access_m, access_speed_ms=2.0)


BENT = builders.roads([(0, 0), (100, 0), (100, 50)], [[0, 1, 2]])


def test_a_point_snaps_along_the_edge_and_both_directions_count() -> None:
    places = snapped([(30, 12), (108, 20)], built(BENT))
    assert places.edge.tolist() == [0, 0]
    assert places.xy.tolist() == [[30, 0], [100, 20]]
    assert places.position_m.tolist() == [30, 120]
    assert places.from_tail_s.tolist() == places.to_tail_s.tolist() == [30, 120]
    assert places.to_head_s.tolist() == places.from_head_s.tolist() == [120, 30]
    assert places.access_m.tolist() == [12, 8]
    assert places.access_s.tolist() == [6, 4]


def test_points_beyond_a_dead_end_on_a_bend_and_on_the_road_itself() -> None:
    places = snapped([(-3, -4), (103, -4), (100, 50), (55, 0)], built(BENT))
    assert places.position_m.tolist() == pytest.approx([0, 100, 150, 55], abs=1e-9)
    assert places.access_m.tolist() == pytest.approx([5, 5, 0, 0], abs=1e-9)


def test_the_limit_is_inclusive() -> None:
    places = snapped([(50, -25), (50, -25.0001), (50, 9999)], built(BENT), max_access_m=25)
    assert places.edge.tolist() == [0, -1, -1]
    assert np.isnan(places.access_m[1:]).all()
    assert np.isnan(places.xy[1:]).all()
    assert np.isnan(places.to_tail_s[1:]).all()


def test_a_tie_goes_to_the_first_edge() -> None:
    graph = built(builders.roads([(0, 0), (100, 0), (0, 20), (100, 20)], [[0, 1], [2, 3]]))
    assert snapped([(40, 10)], graph).edge.tolist() == [0]
    assert snapped([(40, 10.01)], graph).edge.tolist() == [1]


def test_a_place_at_the_end_of_a_one_way_edge_is_at_its_node() -> None:
    # 0 → 1 only: at the ends one is at the node although the edge leads away from it, or into it
    graph = builders.graph([(0, 1, [(0, 0), (100, 0)], 1.0, None)], 2)
    places = snapped([(0, 5), (100, 5), (50, 5)], graph)
    assert places.to_tail_s.tolist() == [0, np.inf, np.inf]
    assert places.from_head_s.tolist() == [np.inf, 0, np.inf]
    assert places.from_tail_s.tolist() == [0, 100, 50]
    assert places.to_head_s.tolist() == [100, 0, 50]


def test_no_points_are_no_places() -> None:
    assert len(snapped([], built(BENT))) == 0


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), limit=st.sampled_from([40.0, 150.0, 500.0]))
def test_against_shapely_on_every_edge(seed: int, limit: float) -> None:
    rng = np.random.default_rng(seed)
    roads = builders.random_roads(rng)
    graph = built(roads)
    points = builders.random_points(rng, roads, 40)
    places = snapped(points, graph, limit)
    lines = [shapely.LineString(graph.xy[a:b]) for a, b in zip(graph.start, graph.start[1:], strict=False)]
    for i, point in enumerate(shapely.points(points)):
        distance = np.array([point.distance(line) for line in lines])
        if distance.min() > limit:
            assert places.edge[i] == -1
            continue
        assert places.access_m[i] == pytest.approx(distance.min(), abs=1e-9)
        assert distance[places.edge[i]] == pytest.approx(distance.min(), abs=1e-9)
        line = lines[places.edge[i]]
        # Where a polyline touches itself the first place counts for both, up to rounding.
        assert shapely.Point(places.xy[i]).distance(point) == pytest.approx(distance.min(), abs=1e-9)
        if line.length > 0 and line.is_simple and not line.is_ring:
            assert places.position_m[i] == pytest.approx(line.project(point), abs=1e-6)


def test_the_oracle_snaps_as_by_hand() -> None:
    segments = oracles.segments_of_graph(built(BENT))
    found = oracles.snap_by_segment(np.array([(30.0, 12), (108, 20), (0, 900)]), segments, max_access_m=500)
    assert found.segment.tolist() == [0, 1, -1]
    assert found.fraction[:2].tolist() == [0.3, 0.4]


def lines(*corners: object) -> EdgeIndex:
    """Pack polylines, one edge each."""
    edges = [(0, 1, line, 1.0, 1.0) for line in corners]
    return EdgeIndex.of(builders.graph(edges, 2))


def places_of(points: np.ndarray, found: Locations, index: EdgeIndex) -> np.ndarray:
    """Return the place of each point, NaN where unattached."""
    places = np.full(points.shape, np.nan)
    a, b = index.xy[found.vertex], index.xy[found.vertex + 1]
    places[found.edge >= 0] = a + found.fraction[:, None] * (b - a)
    return places


def full(found: Locations, values: np.ndarray) -> np.ndarray:
    everywhere = np.full(len(found.edge), np.nan)
    everywhere[found.edge >= 0] = values
    return everywhere


def same(one: Locations, other: Locations) -> None:
    """Check two answers to the last bit."""
    for name in Locations.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


# --- the search -----------------------------------------------------------------------------------------------------


#: Coordinates as metric systems have them, where a double's last digit is half a nanometre.
FAR_OFF = np.array([415_000.0, 3_245_000.0])


def scattered(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make polylines as a country has them, far from the origin, and points; returns xy, start, points.

    A dense town, long ways across it, points in the sea, repeated vertices and edges without length.
    """
    parts = []
    for _ in range(60):
        centre, step = (rng.uniform(0, 200, 2), 5.0) if rng.random() < 0.8 else (rng.uniform(0, 5000, 2), 900.0)
        line = centre + np.cumsum(rng.normal(0, step, (rng.integers(2, 9), 2)), axis=0)
        parts.append(np.repeat(line, rng.integers(1, 3, len(line)), axis=0))
    parts.append(np.array([(60.0, 60.0), (60.0, 60.0)]))
    parts += [part[::-1] for part in parts[:5]]
    xy = np.concatenate(parts) + FAR_OFF
    start = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    points = rng.uniform(-50, 300, (150, 2)) + FAR_OFF
    points[:20] = xy[rng.integers(0, len(xy), 20)]
    points[20:40] += rng.uniform(-9000, 9000, (20, 2))
    return xy, start, points


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), limit=st.sampled_from([0.5, 20.0, 300.0, 1e5]))
def test_the_tree_finds_what_looking_at_every_segment_finds(seed: int, limit: float) -> None:
    xy, start, points = scattered(np.random.default_rng(seed))
    index = EdgeIndex.over(xy, start)
    found = locate(points, index, max_access_m=limit)
    ways = shapely.linestrings(xy, indices=np.repeat(np.arange(len(start) - 1), np.diff(start)))
    distance = shapely.distance(shapely.points(points)[:, None], ways[None, :])
    clear = np.abs(distance.min(axis=1) - limit) > 1e-6
    np.testing.assert_array_equal((found.edge >= 0)[clear], (distance.min(axis=1) <= limit)[clear])
    near = np.flatnonzero(found.edge >= 0)
    np.testing.assert_allclose(found.access_m, distance[near].min(axis=1), rtol=0, atol=2e-8)
    np.testing.assert_allclose(distance[near, found.edge[near]], distance[near].min(axis=1), rtol=0, atol=2e-8)
    assert (index.edge[found.vertex] == found.edge[near]).all()
    # Of two copies of one way, whichever way round they are drawn, the first has everybody.
    assert not (found.edge >= len(start) - 1 - 5).any()
    assert not found.blocked.any()


@pytest.mark.parametrize("threads", [1, 2])
def test_neither_the_order_of_points_nor_threads_change_anything(threads: int) -> None:
    rng = np.random.default_rng(7)
    xy, start, points = scattered(rng)
    points = np.concatenate([points] * 12)  # more than one block of work
    walls = Barriers.of(shapely.linestrings(rng.uniform(0, 300, (40, 2, 2)) + FAR_OFF))
    index = EdgeIndex.over(xy, start)
    once = locate(points, index, max_access_m=300, barriers=walls)
    assert once.blocked.any()
    order = rng.permutation(len(points))
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(min(threads, before))
        again = locate(points[order], index, max_access_m=300, barriers=walls)
    finally:
        numba.set_num_threads(before)
    for name in ("vertex", "fraction", "access_m"):
        np.testing.assert_array_equal(
            full(once, getattr(once, name))[order], full(again, getattr(again, name)), err_msg=name
        )
    np.testing.assert_array_equal(once.blocked[order], again.blocked)


def test_an_index_serves_many_calls_and_a_graph_packs_its_own() -> None:
    graph = built(builders.random_roads(np.random.default_rng(3)))
    points = np.random.default_rng(4).uniform(0, 1000, (50, 2))
    index = EdgeIndex.of(graph)
    same(locate(points, index, max_access_m=200), locate(points, graph, max_access_m=200))
    same(locate(points[:5], index, max_access_m=200), locate(points[:5], graph, max_access_m=200))
    by_index = snap(points, graph, max_access_m=200, access_speed_ms=1.0, index=index)
    by_graph = snap(points, graph, max_access_m=200, access_speed_ms=1.0)
    np.testing.assert_array_equal(by_index.xy, by_graph.xy)


def test_without_edges_everybody_is_unattached() -> None:
    index = EdgeIndex.over(np.empty((0, 2)), np.zeros(1, dtype=np.int64))
    found = locate(np.zeros((3, 2)), index, max_access_m=100)
    assert found.edge.tolist() == [-1, -1, -1]
    assert found.blocked.tolist() == [False, False, False]


# --- places at the ends of edges ------------------------------------------------------------------------------------


def test_a_penalty_at_the_ends_of_an_edge_is_not_paid_by_who_stands_there() -> None:
    # Ten seconds are lost on either end, on segments without length; ahead only.
    bare = builders.graph([(0, 1, [(0, 0), (0, 0), (60, 0), (100, 0), (100, 0)], 1.0, None)], 2)
    ahead = np.array([0.0, 10, 70, 110, 120])
    graph = Graph(**{**vars(bare), "forward_s": ahead, "backward_s": ahead})
    points = np.array([(-5.0, 0), (0, 3), (1e-9, 3), (30, 3), (60, 3), (100 - 1e-9, 3), (100, 0), (107, 3)])
    places = time_places(locate(points, graph, max_access_m=50), graph, access_speed_ms=1.0)
    assert places.position_m.tolist() == [0, 0, 0, 30, 60, 100, 100, 100]
    assert places.forward_s.tolist() == places.backward_s.tolist() == [0, 0, 0, 40, 70, 120, 120, 120]
    assert places.from_tail_s.tolist() == [0, 0, 0, 40, 70, 120, 120, 120]
    assert places.to_head_s.tolist() == [120, 120, 120, 80, 50, 0, 0, 0]
    # Against the one-way edge only those go who stand at its ends.
    closed = np.inf
    assert places.to_tail_s.tolist() == [0, 0, 0, *[closed] * 5]
    assert places.from_head_s.tolist() == [*[closed] * 5, 0, 0, 0]


def test_a_place_on_an_edge_without_length_is_at_both_its_ends() -> None:
    bare = builders.graph([(0, 1, [(5, 5), (5, 5)], 1.0, None)], 2)
    graph = Graph(**{**vars(bare), "forward_s": np.array([0.0, 8]), "backward_s": np.array([0.0, 8])})
    places = time_places(locate(np.array([(5.0, 9)]), graph, max_access_m=50), graph, access_speed_ms=1.0)
    assert (places.position_m, places.forward_s, places.access_m) == (0, 0, 4)
    assert (places.from_tail_s, places.to_tail_s, places.from_head_s, places.to_head_s) == (0, 0, 0, 0)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1))
def test_points_on_and_beyond_the_ends_stand_exactly_at_the_nodes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    line = rng.uniform(-1, 1, (2, 2)) * 300 + FAR_OFF
    graph = builders.graph([(0, 1, line, 1.0, None)], 2)
    along = (line[1] - line[0]) / np.linalg.norm(line[1] - line[0])
    across = np.array([-along[1], along[0]])
    # On the node, beyond it, and square to the edge at the node, where the last digit decides.
    beside = np.array([0.0, 0.0, 37.0, -37.0])[:, None] * across
    beyond = np.array([0.0, 11.0, 0.0, 0.0])[:, None] * along
    for node, points in ((0, line[0] - beyond + beside), (1, line[1] + beyond + beside)):
        places = snapped(points, graph)
        assert (places.position_m == (0.0, graph.vertex_m[-1])[node]).all()
        assert (places.to_tail_s == (0.0, np.inf)[node]).all()
        assert (places.from_head_s == (np.inf, 0.0)[node]).all()


# --- barriers -------------------------------------------------------------------------------------------------------

ROAD, FARTHER = [(0, 0), (100, 0)], [(0, 50), (100, 50)]


def joined(point: tuple[float, float], barriers: list[object], *ways: object, limit: float = 100.0) -> tuple[int, bool]:
    """Return the edge that a point joins, and whether its nearest was blocked."""
    found = locate(np.array([point], dtype=float), lines(*ways), max_access_m=limit, barriers=Barriers.of(barriers))
    return int(found.edge[0]), bool(found.blocked[0])


def wall(*corners: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString(corners)


def test_a_leg_goes_round_a_wall_to_the_next_nearest_edge_or_to_none() -> None:
    across = wall((-500, 10), (500, 10))
    assert joined((50, 20), [], ROAD, FARTHER) == (0, False)
    assert joined((50, 20), [across], ROAD, FARTHER) == (1, True)
    assert joined((50, 5), [across], ROAD, FARTHER) == (0, False)
    assert joined((50, 20), [across], ROAD) == (-1, True)
    assert joined((50, 20), [across], ROAD, FARTHER, limit=30.0) == (1, True)
    assert joined((50, 20), [across], ROAD, FARTHER, limit=29.9) == (-1, True)
    # Too far for any leg: the barrier has nothing to do with it.
    assert joined((50, 20), [across], ROAD, limit=19.0) == (-1, False)
    # Of two edges equally far, the lower number.
    assert joined((50, 20), [across], ROAD, FARTHER, FARTHER[::-1]) == (1, True)


def test_the_wall_is_in_the_way_only_where_it_stands() -> None:
    beside = wall((51, 10), (500, 10))
    assert joined((50, 20), [beside], ROAD) == (0, False)
    # Each straight piece of an edge is tried at its nearest place, so that how ways are cut changes nothing.
    bent = [(0, 0), (40, 0), (100, 0)]
    before = wall((47, 10), (500, 10))
    found = locate(np.array([(50.0, 20)]), lines(bent), max_access_m=100, barriers=Barriers.of([before]))
    assert places_of(np.array([(50.0, 20)]), found, lines(bent)).tolist() == [[40, 0]]
    pieces = locate(np.array([(50.0, 20)]), lines(bent[:2], bent[1:]), max_access_m=100, barriers=Barriers.of([before]))
    assert (found.access_m == pieces.access_m).all()


def test_touching_is_not_crossing() -> None:
    on_it = wall((-500, 0), (500, 0))
    assert joined((50, 20), [on_it], ROAD) == (0, False)  # the road runs on the barrier
    assert joined((50, 0), [on_it], ROAD) == (0, False)  # a leg without length
    assert joined((50, 20), [wall((-500, 20), (500, 20))], ROAD) == (0, False)  # the point stands on it
    bridge = [(50, -40), (50, 30), (50, 60)]
    assert joined((30, 30), [wall((50, 30), (500, 30))], bridge) == (0, False)  # the place on the bridge is its end
    assert joined((30, 30), [wall((50, -40), (50, 60))], bridge) == (0, False)


@pytest.mark.parametrize("turn", np.linspace(0.1, 6.2, 40))
def test_a_road_on_a_slanting_barrier_is_reached_from_both_sides(turn: float) -> None:
    # The place on a slanting road is rounded, and lies on neither side of the barrier for sure.
    across = np.array([np.cos(turn), np.sin(turn)])
    along = np.array([-across[1], across[0]])
    origin = np.array([415_123.4, 3_245_678.9])
    road = np.array([origin - 333.3 * along, origin + 444.4 * along])
    points = origin + np.linspace(-300, 300, 25)[:, None] * along + np.array([[17.7], [-17.7]] * 12 + [[3.1]]) * across
    river = shapely.Polygon([*road, *(road[::-1] + 90 * across)])
    for barrier in (shapely.LineString(road), river.exterior):
        found = locate(points, lines(road), max_access_m=100, barriers=Barriers.of([barrier]))
        assert (found.edge == 0).all()
        assert not found.blocked.any()
    # The road on the bank is reached from the land, and by those whom the raster puts into the river.
    assert (locate(points, lines(road), max_access_m=100, barriers=Barriers.of([river])).edge == 0).all()


def test_a_leg_through_a_corner_of_a_line_crosses() -> None:
    assert joined((50, 20), [wall((0, 0.5), (50, 10), (100, 0.5))], ROAD) == (-1, True)
    assert joined((50, 20), [wall((0, 30), (50, 10), (100, 0.5))], ROAD) == (-1, True)
    assert joined((50, 20), [wall((50, 10), (100, 10))], ROAD) == (-1, True)  # the very end of it
    assert joined((50, 20), [wall((50, 15), (50, 5))], ROAD) == (-1, True)  # along it
    assert joined((50, 20), [wall((50, 10), (50, 10), (100, 10))], ROAD) == (-1, True)


RIVER = shapely.box(-500, 5, 500, 15)


def test_a_polygon_bars_whoever_is_outside_it() -> None:
    assert joined((50, 20), [RIVER], ROAD, FARTHER) == (1, True)
    assert joined((50, 10), [RIVER], ROAD, FARTHER) == (0, False)  # a raster puts people into rivers
    assert joined((50, 4), [RIVER], ROAD, FARTHER) == (0, False)
    assert joined((50, 15), [RIVER], ROAD) == (-1, True)  # from the bank across
    assert joined((50, 15), [RIVER], FARTHER) == (0, False)  # from the bank away
    assert joined((50, 5), [RIVER], ROAD) == (0, False)
    # From bank to bank, and from the bank to a bridge: the leg meets the outline at its ends only, and crosses.
    assert joined((50, 15), [RIVER], [(0, 5), (100, 5)]) == (-1, True)
    assert joined((50, 15), [RIVER], [(0, 10), (100, 10)]) == (-1, True)
    assert joined((50, 20), [RIVER], [(0, 15), (100, 15)]) == (0, False)  # a road on the near bank
    assert joined((50, 10), [RIVER, shapely.box(0, 2, 100, 4)], ROAD) == (-1, True)  # held by one, barred by another
    assert joined((50, 10), [RIVER, shapely.box(0, 2, 100, 12)], ROAD) == (0, False)  # held by both
    assert joined((50, 10), [RIVER, wall((0, 2), (100, 2))], ROAD) == (-1, True)  # a line binds everybody


def test_grazing_a_polygon_is_not_entering_it() -> None:
    right = shapely.box(50, 5, 100, 15)
    assert joined((50, 20), [right], ROAD) == (0, False)  # along its side
    assert joined((50, 20), [shapely.Polygon([(50, 10), (80, 5), (80, 15)])], ROAD) == (0, False)  # past its corner
    assert joined((50, 20), [shapely.Polygon([(49.9, 10), (80, 5), (80, 15)])], ROAD) == (-1, True)


def test_an_island_is_cut_off_by_its_lake() -> None:
    lake = shapely.Polygon(shapely.box(0, 0, 100, 100).exterior, [shapely.box(40, 40, 60, 60).exterior])
    shore, path = [(0, -10), (100, -10)], [(45, 50), (46, 50)]
    assert joined((50, 45), [lake], shore, path, limit=200) == (1, False)
    assert joined((50, 45), [lake], shore, limit=200) == (-1, True)
    assert joined((50, 20), [lake], shore, path, limit=200) == (0, False)  # in the water itself


def test_barriers_of_any_kind_of_shape() -> None:
    across = wall((-500, 10), (500, 10))
    for shape in (
        shapely.MultiLineString([across, wall((0, 900), (1, 900))]),
        shapely.GeometryCollection([shapely.Point(0, 0), shapely.MultiLineString([across])]),
        shapely.MultiPolygon([RIVER, shapely.box(0, 900, 1, 901)]),
        shapely.LinearRing([(-500, 10), (500, 10), (500, 900), (-500, 900)]),
    ):
        assert joined((50, 20), [shape], ROAD, FARTHER) == (1, True)
    for nothing in ([], [shapely.Point(50, 10)], [shapely.LineString()], [shapely.Polygon()]):
        assert len(Barriers.of(nothing)) == 0
        assert joined((50, 20), nothing, ROAD) == (0, False)


def certain(leg: shapely.LineString, barrier: shapely.Geometry, point: shapely.Point) -> bool | None:
    """Tell by shapely's relations whether a leg crosses; None where a few millimetres decide."""
    if leg.length < 0.01:
        return None if leg.length else False
    if barrier.geom_type == "LineString":
        ends = [shapely.line_interpolate_point(leg, [cut, leg.length - cut]) for cut in (0.0, 0.003)]
        exact, short = (shapely.LineString(pair).intersects(barrier) for pair in ends)
        return exact if exact == short else None
    answers = {
        not shapely.contains(polygon, point) and shapely.relate_pattern(leg, polygon, "T********")
        for polygon in (barrier, barrier.buffer(-0.003))
        if not polygon.is_empty
    }
    return answers.pop() if len(answers) == 1 else None


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), limit=st.sampled_from([60.0, 200.0, 900.0]))
def test_barriers_against_shapely_leg_by_leg(seed: int, limit: float) -> None:
    rng = np.random.default_rng(seed)
    roads = builders.random_roads(rng)
    graph = built(roads)
    points = builders.random_points(rng, roads, 25)
    shapes = [shapely.LineString(rng.uniform(0, 1000, (rng.integers(2, 5), 2))) for _ in range(4)]
    shapes += [shapely.Point(rng.uniform(0, 1000, 2)).buffer(rng.uniform(5, 150), quad_segs=2) for _ in range(4)]
    hole = shapely.Point(rng.uniform(300, 700, 2))
    shapes.append(hole.buffer(250).difference(hole.buffer(120)))
    index = EdgeIndex.of(graph)
    found = locate(points, index, max_access_m=limit, barriers=Barriers.of(shapes))
    free = locate(points, index, max_access_m=limit)
    np.testing.assert_array_equal(found.edge[~found.blocked], free.edge[~found.blocked])
    pieces = [(a, b) for s, t in itertools.pairwise(graph.start) for a, b in itertools.pairwise(graph.xy[s:t])]
    access, places = full(found, found.access_m), places_of(points, found, index)
    for i, point in enumerate(shapely.points(points)):
        legs = sorted(shapely.shortest_line(point, shapely.LineString(piece)).coords[:] for piece in pieces)
        tries = sorted((shapely.LineString(leg) for leg in legs), key=lambda leg: leg.length)
        within = [leg for leg in tries if leg.length <= limit]
        if any(abs(leg.length - limit) < 1e-6 for leg in tries):
            continue
        verdicts = []
        for leg in within:
            single = [certain(leg, barrier, point) for barrier in shapes]
            verdicts.append(True if True in single else None if None in single else False)
            if verdicts[-1] is not True:
                break
        if None in verdicts:
            continue
        assert found.blocked[i] == (bool(verdicts) and verdicts[0])
        if verdicts and not verdicts[-1]:
            leg = within[len(verdicts) - 1]
            assert access[i] == pytest.approx(leg.length, abs=1e-9)
            assert places[i] == pytest.approx(leg.coords[1], abs=1e-6)
        else:
            assert found.edge[i] == -1
