import numba
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import builders
import oracles
from facility_coverage.network.catchment import catchments
from facility_coverage.network.graph import Graph, build_graph
from facility_coverage.network.links import link
from facility_coverage.network.snapping import Places, snap
from facility_coverage.network.travel import Direction, Nearest, nearest_facility

SEEDS = st.integers(0, 2**32 - 1)
LAW = settings(deadline=None, max_examples=60)


def built(roads: object) -> Graph:
    return build_graph(roads, builders.WALKER, min_component_nodes=1, file="roads")[0]


def places(points: object, graph: Graph, speed: float = 1.0, limit: float = 500.0) -> Places:
    return snap(np.array(points, dtype=float).reshape(-1, 2), graph, max_access_m=limit, access_speed_ms=speed)


def nearest(
    graph: Graph, people: object, sites: object, *, direction: Direction = "to_facility", limit_s: float = np.inf
) -> Nearest:
    links = link(graph, direction=direction)
    return nearest_facility(graph, links, places(people, graph), places(sites, graph), limit_s=limit_s)


def within(
    graph: Graph,
    people: object,
    sites: object,
    limit_s: float,
    *,
    direction: Direction = "to_facility",
    threads: int = 1,
) -> np.ndarray:
    """Return catchments as a full array, inf where nothing is stored."""
    links = link(graph, direction=direction)
    stored = catchments(graph, links, places(people, graph), places(sites, graph), limit_s=limit_s, threads=threads)
    full = np.full(stored.shape, np.inf)
    full[np.repeat(np.arange(stored.shape[0]), np.diff(stored.indptr)), stored.indices] = stored.data
    return full


LATTICE = built(builders.lattice(4, 3))


def test_times_counted_by_hand_on_a_lattice() -> None:
    # 100 m blocks, 1 m/s; the facility stands 10 m north of the street, 30 m east of the corner (0, 0)
    people = [(0, 0), (130, 0), (30, -5), (95, 0), (100, 150), (240, 207)]
    result = nearest(LATTICE, people, [(30, 10)])
    #         30+10  100+10  5+10  65+10  70+150+10  210 + 200 + 10 + 7
    assert result.seconds.tolist() == pytest.approx([40, 110, 15, 75, 230, 427], abs=1e-9)
    assert result.facility.tolist() == [0] * 6


def test_points_on_one_edge_meet_along_it_and_not_by_its_ends() -> None:
    result = nearest(LATTICE, [(120, 0), (180, 0)], [(140, 0), (175, 3)])
    assert result.seconds.tolist() == pytest.approx([20, 8], abs=1e-9)
    assert result.facility.tolist() == [0, 1]


def test_a_long_edge_is_left_when_the_way_round_is_shorter() -> None:
    # A horseshoe of 1020 m between two nodes that a 20 m street joins
    nodes = [(0, 0), (0, 500), (20, 500), (20, 0)]
    graph = built(builders.roads(nodes, [[0, 1, 2, 3], [0, 3]]))
    result = nearest(graph, [(-5, 50)], [(25, 50)])
    assert result.seconds.tolist() == [5 + 50 + 20 + 50 + 5]
    assert within(graph, [(-5, 50)], [(25, 50)], 900.0).tolist() == [[130.0]]


def test_a_facility_on_a_node_serves_all_its_streets() -> None:
    result = nearest(LATTICE, [(100, 100), (150, 100), (100, 60), (40, 100)], [(100, 100)])
    assert result.seconds.tolist() == pytest.approx([0, 50, 40, 60], abs=1e-9)


def test_of_two_facilities_at_one_place_the_lower_row_wins() -> None:
    people = [(30, 0), (0, 0), (250, 200)]
    assert nearest(LATTICE, people, [(30, 10), (30, 10)]).facility.tolist() == [0, 0, 0]
    # on one edge, at one node, and half-way between two
    assert nearest(LATTICE, [(150, 0), (100, 100)], [(200, 0), (100, 0), (100, 0)]).facility.tolist() == [0, 1]


def test_unreachable_is_nan_and_has_no_facility() -> None:
    graph = built(builders.roads([(0, 0), (100, 0), (2000, 0), (2100, 0)], [[0, 1], [2, 3]]))
    people = [(50, 0), (2050, 0), (50, 900)]
    result = nearest(graph, people, [(0, 0)])
    assert result.seconds.tolist() == pytest.approx([50, np.nan, np.nan], nan_ok=True)
    assert result.facility.tolist() == [0, -1, -1]
    assert np.isinf(within(graph, people, [(0, 0)], np.inf)[0, 1:]).all()


def test_without_any_attached_facility_nobody_arrives() -> None:
    for sites in ([], [(0, -9000)]):
        result = nearest(LATTICE, [(0, 0)], sites)
        assert np.isnan(result.seconds).all()
        assert result.facility.tolist() == [-1]
        assert np.isinf(within(LATTICE, [(0, 0)], sites, 900.0)).all()
        assert within(LATTICE, [(0, 0)], sites, 900.0).shape == (len(sites), 1)


def test_the_cutoff_is_inclusive() -> None:
    graph = built(builders.roads([(0, 0), (1000, 0)], [[0, 1]]))
    people = [(900, 0), (900.01, 0), (899, 1), (899, 1.01)]
    assert nearest(graph, people, [(0, 0)], limit_s=900.0).seconds.tolist() == pytest.approx(
        [900, np.nan, 900, np.nan], nan_ok=True
    )
    assert np.isfinite(within(graph, people, [(0, 0)], 900.0)).tolist() == [[True, False, True, False]]


def test_uphill_to_the_facility_is_not_downhill_from_it() -> None:
    # 0 → 1 climbs: 3 s per metre ahead, 1 s per metre back; the facility stands on top
    graph = builders.graph([(0, 1, [(0, 0), (100, 0)], 3.0, 1.0), (1, 2, [(100, 0), (200, 0)], 1.0, 2.0)], 3)
    people = [(0, 0), (40, 0), (170, 0)]
    up = nearest(graph, people, [(100, 0)], direction="to_facility")
    down = nearest(graph, people, [(100, 0)], direction="from_facility")
    assert up.seconds.tolist() == pytest.approx([300, 180, 140])
    assert down.seconds.tolist() == pytest.approx([100, 60, 70])
    same_edge = nearest(graph, [(20, 0), (80, 0)], [(50, 0)], direction="to_facility")
    assert same_edge.seconds.tolist() == pytest.approx([90, 30])


def test_a_one_way_trap_lets_nobody_out_and_a_loop_brings_them_round() -> None:
    # 0 ↔ 1 → 2: whoever stands beyond 1 cannot come back
    trap = builders.graph([(0, 1, [(0, 0), (100, 0)], 1.0, 1.0), (1, 2, [(100, 0), (200, 0)], 1.0, None)], 3)
    people = [(50, 0), (150, 0), (100, 0), (200, 0)]
    expected_out = [50, np.nan, 100, np.nan]
    for limit_s in (900.0, np.inf):
        assert nearest(trap, people, [(0, 0)]).seconds.tolist() == pytest.approx(expected_out, nan_ok=True)
        assert within(trap, people, [(0, 0)], limit_s).tolist() == [[50, np.inf, 100, np.inf]]
        assert within(trap, people, [(0, 0)], limit_s, direction="from_facility").tolist() == [[50, 150, 100, 200]]
    # A facility inside the one-way piece: those before it arrive, those after it do not
    assert within(trap, people, [(140, 0)], np.inf).tolist() == [[90, np.inf, 40, np.inf]]
    # A one-way ring: ten metres behind is thirty metres round
    ring = [(0, 0), (10, 0), (10, 10), (0, 10), (0, 0)]
    loop = builders.graph([(0, 0, ring, 1.0, None)], 1)
    assert within(loop, [(5, 0), (10, 5)], [(10, 0)], np.inf).tolist() == [[5, 35]]


def test_loops_parallel_and_empty_edges() -> None:
    nodes = [(0, 0), (10, 0), (10, 10), (0, 10), (-30, 0), (-30, 0), (-60, 0)]
    graph = built(builders.roads(nodes, [[0, 1, 2, 3, 0], [0, 4], [4, 5], [5, 6], [6, 5]]))
    #                      5 + 30 + 0 + 20    corner opposite: 20 + 50
    result = nearest(graph, [(0, 5), (10, 10), (-30, 0)], [(-50, 0)])
    assert result.seconds.tolist() == [55, 70, 20]
    assert within(graph, [(0, 5), (10, 10), (-30, 0)], [(-50, 0)], 60.0).tolist() == [[55, np.inf, 20]]


def assert_agree(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Equal where finite, and finite at the same places."""
    np.testing.assert_array_equal(np.isfinite(ours), np.isfinite(theirs))
    both = np.isfinite(ours)
    np.testing.assert_allclose(ours[both], theirs[both], rtol=0, atol=1e-6)


@LAW
@given(seed=SEEDS)
def test_against_dijkstra_with_the_points_inserted_as_nodes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ways = builders.random_roads(rng)
    graph = built(ways)
    people, sites = builders.random_points(rng, ways, 30), builders.random_points(rng, ways, 6)
    segments = oracles.segments_of_ways(ways.xy, ways.node, ways.start, speed_ms=1.0)
    matrix, tied = oracles.travel_matrix(segments, people, sites, max_access_m=500.0)
    assume(not tied)
    assert_agree(nearest(graph, people, sites).seconds, matrix.min(axis=0))
    assert_agree(within(graph, people, sites, np.inf), matrix)
    limit_s = float(rng.uniform(100, 1500))
    assume(not np.isclose(matrix, limit_s, atol=1e-3).any())
    assert_agree(within(graph, people, sites, limit_s), np.where(matrix <= limit_s, matrix, np.inf))


def random_graph(rng: np.random.Generator) -> Graph:
    """Edges with a speed of their own in each direction, some closed in one, some in both."""
    plain = built(builders.random_roads(rng))
    edges = []
    for e in range(len(plain.tail)):
        ahead, back = rng.uniform(0.5, 3, 2).tolist()
        closed = rng.integers(0, 6)
        line = plain.xy[plain.start[e] : plain.start[e + 1]]
        edges.append((plain.tail[e], plain.head[e], line, None if closed in (0, 2) else ahead,
                      None if closed in (1, 2) else back))  # fmt: skip
    return builders.graph(edges, plain.node_count)


@LAW
@given(seed=SEEDS, direction=st.sampled_from(["to_facility", "from_facility"]))
def test_one_way_and_sloping_edges_against_dijkstra(seed: int, direction: Direction) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng)
    # Off the nodes: at a node that several edges share, the first edge decides where the access leg ends.
    people, sites = rng.uniform(0, 1000, (25, 2)), rng.uniform(0, 1000, (5, 2))
    segments = oracles.segments_of_graph(graph)
    matrix, tied = oracles.travel_matrix(segments, people, sites, towards=direction == "to_facility")
    assume(not tied)
    assert_agree(within(graph, people, sites, np.inf, direction=direction), matrix)
    assert_agree(nearest(graph, people, sites, direction=direction).seconds, matrix.min(axis=0))


@LAW
@given(seed=SEEDS, direction=st.sampled_from(["to_facility", "from_facility"]))
def test_a_reversed_graph_travelled_the_other_way_is_the_same(seed: int, direction: Direction) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng)
    mirrored = Graph(
        graph.xy, graph.start, graph.vertex_m, graph.backward_s, graph.forward_s, graph.tail, graph.head,
        graph.backward_ok, graph.forward_ok, graph.node_count,
    )  # fmt: skip
    other: Direction = "from_facility" if direction == "to_facility" else "to_facility"
    people, sites = rng.uniform(0, 1000, (25, 2)), rng.uniform(0, 1000, (5, 2))
    np.testing.assert_array_equal(
        nearest(graph, people, sites, direction=direction).seconds,
        nearest(mirrored, people, sites, direction=other).seconds,
    )


@LAW
@given(seed=SEEDS)
def test_one_facility_more_never_lengthens_a_trip(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ways = builders.random_roads(rng)
    graph = built(ways)
    people, sites = builders.random_points(rng, ways, 30), builders.random_points(rng, ways, 5)
    fewer = np.nan_to_num(nearest(graph, people, sites[:-1]).seconds, nan=np.inf)
    more = np.nan_to_num(nearest(graph, people, sites).seconds, nan=np.inf)
    assert (more <= fewer).all()


@LAW
@given(seed=SEEDS, factor=st.sampled_from([0.3, 2.0, 7.5]))
def test_times_scale_with_speed(seed: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    ways = builders.random_roads(rng)
    graph = built(ways)
    faster = Graph(
        graph.xy, graph.start, graph.vertex_m, graph.forward_s / factor, graph.backward_s / factor, graph.tail,
        graph.head, graph.forward_ok, graph.backward_ok, graph.node_count,
    )  # fmt: skip
    people, sites = builders.random_points(rng, ways, 30), builders.random_points(rng, ways, 4)
    slow = nearest(graph, people, sites).seconds
    fast = nearest_facility(faster, link(faster), places(people, faster, factor), places(sites, faster, factor)).seconds
    np.testing.assert_allclose(fast, slow / factor, rtol=1e-9, atol=1e-9)


@LAW
@given(seed=SEEDS)
def test_no_order_changes_a_digit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ways = builders.random_roads(rng)
    people, sites = rng.uniform(0, 1000, (30, 2)), rng.uniform(0, 1000, (6, 2))
    person_order, site_order = rng.permutation(30), rng.permutation(6)
    graph = built(ways)
    shuffled = built(builders.shuffled(rng, ways))
    once = nearest(graph, people, sites)
    again = nearest(shuffled, people[person_order], sites[site_order])
    assert again.seconds.tobytes() == once.seconds[person_order].tobytes()
    rows = np.where(again.facility >= 0, site_order[again.facility], -1)
    np.testing.assert_array_equal(rows, once.facility[person_order])
    full, mixed = within(graph, people, sites, 800.0), within(shuffled, people[person_order], sites[site_order], 800.0)
    assert mixed.tobytes() == full[np.ix_(site_order, person_order)].tobytes()


@LAW
@given(seed=SEEDS)
def test_the_shortest_of_all_catchments_is_the_nearest_facility(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ways = builders.random_roads(rng)
    graph = built(ways)
    people, sites = builders.random_points(rng, ways, 30), builders.random_points(rng, ways, 6)
    limit_s = float(rng.uniform(50, 1500))
    shortest = within(graph, people, sites, limit_s).min(axis=0)
    seconds = nearest(graph, people, sites, limit_s=limit_s).seconds
    np.testing.assert_array_equal(np.where(np.isinf(shortest), np.nan, shortest), seconds)


def test_threads_change_no_byte() -> None:
    rng = np.random.default_rng(3)
    ways = builders.random_roads(rng, n_nodes=400, n_ways=500)
    graph = built(ways)
    people, sites = builders.random_points(rng, ways, 3000), builders.random_points(rng, ways, 40)
    links, standing, serving = link(graph), places(people, graph), places(sites, graph)
    seen = set()
    before = numba.get_num_threads()
    try:
        for threads in (1, min(2, before)):
            numba.set_num_threads(threads)
            found = nearest_facility(graph, links, places(people, graph), serving)
            seen.add((found.seconds.tobytes(), found.facility.tobytes(), found.node_s.tobytes()))
    finally:
        numba.set_num_threads(before)
    assert len(seen) == 1
    parts = {
        tuple(getattr(stored, name).tobytes() for name in ("indptr", "indices", "data"))
        for threads in (1, 2, 7)
        for stored in [catchments(graph, links, standing, serving, limit_s=700.0, threads=threads)]
    }
    assert len(parts) == 1
