import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import builders
from facility_coverage.config.profile import Profile
from facility_coverage.errors import NetworkError
from facility_coverage.network.graph import Graph, build_graph


def built(roads: object, *, min_nodes: int = 1) -> Graph:
    return build_graph(roads, builders.WALKER, min_component_nodes=min_nodes, file="roads")[0]


def lines_of(graph: Graph) -> list[list[list[float]]]:
    """Polylines of all edges, each from its lower end, sorted."""
    spans = itertools.pairwise(graph.start.tolist())
    return sorted(min(line, line[::-1]) for line in (graph.xy[a:b].tolist() for a, b in spans))


def test_ways_are_split_where_another_way_meets_them_and_nowhere_else() -> None:
    # 0 ─ 1 ─ 2 ─ 3, and 4 joins at 2; vertex 1 is a bend only
    nodes = [(0, 0), (30, 40), (60, 0), (160, 0), (60, 70)]
    graph = built(builders.roads(nodes, [[0, 1, 2, 3], [4, 2]]))
    assert lines_of(graph) == [[[0, 0], [30, 40], [60, 0]], [[60, 0], [60, 70]], [[60, 0], [160, 0]]]
    assert sorted(graph.length_m.tolist()) == [70.0, 100.0, 100.0]
    assert graph.node_count == 4
    assert graph.forward_s.tolist() == graph.backward_s.tolist() == graph.vertex_m.tolist()
    bent = int(np.argmax(np.diff(graph.start)))
    assert graph.vertex_m[graph.start[bent] : graph.start[bent + 1]].tolist() == [0, 50, 100]
    ends = np.bincount(np.concatenate([graph.tail, graph.head]))
    assert sorted(ends.tolist()) == [1, 1, 1, 3]
    assert graph.xy[graph.start[:-1][graph.tail == np.argmax(ends)]].tolist() in ([], [[60, 0]], [[60, 0]] * 2)


def test_ways_that_continue_each_other_are_one_edge_in_any_direction() -> None:
    nodes = [(0, 0), (10, 0), (20, 0), (30, 0), (30, 10)]
    for ways in ([[0, 1], [1, 2], [2, 3], [3, 4]], [[1, 0], [1, 2], [3, 2], [3, 4]], [[0, 1, 2], [4, 3, 2]]):
        graph = built(builders.roads(nodes, ways))
        assert lines_of(graph) == [[[0, 0], [10, 0], [20, 0], [30, 0], [30, 10]]]
        assert graph.vertex_m.tolist() == [0, 10, 20, 30, 40]
        assert graph.node_count == 2


def test_a_ring_without_a_junction_keeps_one_node() -> None:
    square = [(0, 0), (10, 0), (10, 10), (0, 10)]
    for ways in ([[0, 1], [1, 2], [2, 3], [3, 0]], [[0, 1, 2], [0, 3, 2]], [[0, 1, 2, 3, 0]]):
        ring = built(builders.roads(square, ways))
        assert (ring.length_m.tolist(), ring.node_count) == ([40.0], 1)


def drive(**options: object) -> Profile:
    speeds = {"residential": 36.0}
    return Profile.model_validate(
        {"name": "car", "mode": "car", "speeds_kmh": speeds, "access_speed_kmh": 3.6, "source": "10 m/s", **options}
    )


def test_a_one_way_street_ends_where_two_way_traffic_begins() -> None:
    nodes = [(0, 0), (100, 0), (200, 0), (300, 0), (400, 0)]
    oneway = [None, "yes", "-1", None]
    roads = builders.roads(nodes, [[0, 1], [1, 2], [3, 2], [3, 4]], oneway=oneway)
    graph, _ = build_graph(roads, drive(), min_component_nodes=1, file="roads")
    # 1 → 2 and, drawn against the traffic, 2 → 3: together one edge of one direction
    assert sorted(graph.length_m.tolist()) == [100.0, 100.0, 200.0]
    both = graph.forward_ok & graph.backward_ok
    assert both[graph.length_m == 100.0].all()
    assert (graph.forward_ok ^ graph.backward_ok)[graph.length_m == 200.0].all()
    # two one-way streets that run towards each other never join
    trap = builders.roads(nodes, [[0, 1], [1, 2], [3, 2], [3, 4]], oneway=[None, "yes", "yes", None])
    assert len(build_graph(trap, drive(), min_component_nodes=1, file="roads")[0].tail) == 4


def test_half_the_turn_penalty_lies_at_each_end_at_a_junction() -> None:
    # a T: the stem ends at the bar; only there do three ends meet
    nodes = [(0, 0), (100, 0), (200, 0), (100, -50)]
    graph, _ = build_graph(
        builders.roads(nodes, [[0, 1, 2], [1, 3]]), drive(turn_penalty_s=8), min_component_nodes=1, file="roads"
    )
    last = graph.last
    assert sorted(graph.forward_s[last].tolist()) == sorted(graph.backward_s[last].tolist()) == [9.0, 14.0, 14.0]
    assert sorted(graph.length_m.tolist()) == [50.0, 100.0, 100.0]
    for e in range(3):
        span = slice(graph.start[e], graph.start[e + 1])
        metres, seconds = graph.vertex_m[span], graph.forward_s[span]
        assert metres[:2].tolist() == [0, 0]
        assert metres[-2] == metres[-1]
        waits = [seconds[1], seconds[-1] - seconds[-2]]
        assert sorted(waits) == [0.0, 4.0]
        assert graph.xy[span][0].tolist() == graph.xy[span][1].tolist()


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1))
def test_cutting_ways_at_their_bends_changes_neither_edges_nor_times(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ways = builders.random_roads(rng, n_nodes=15, n_ways=12)
    pieces = []
    for a, b in itertools.pairwise(ways.start.tolist()):
        path = ways.node[a:b].tolist()
        cuts = [
            0,
            *sorted(rng.choice(np.arange(1, b - a - 1), rng.integers(0, max(b - a - 2, 1)), replace=False)),
            b - a - 1,
        ]
        parts = [path[i : j + 1] for i, j in itertools.pairwise(cuts)]
        pieces += [part[::-1] if rng.random() < 0.5 else part for part in parts]
    place = dict(zip(ways.node.tolist(), ways.xy.tolist(), strict=True))
    nodes = [place.get(i, (0, 0)) for i in range(max(place) + 1)]
    whole, cut = built(ways), built(builders.roads(nodes, pieces))
    assert lines_of(cut) == lines_of(whole) or sorted(cut.length_m) == pytest.approx(sorted(whole.length_m))
    assert cut.node_count == whole.node_count
    assert sorted(cut.forward_s[cut.last]) == pytest.approx(sorted(whole.forward_s[whole.last]), abs=1e-9)


def test_ways_that_cross_without_a_shared_node_do_not_meet() -> None:
    graph = built(builders.roads([(0, 0), (2, 2), (0, 2), (2, 0)], [[0, 1], [2, 3]]))
    assert (len(graph.tail), graph.node_count) == (2, 4)


def test_a_closed_way_is_one_loop_and_a_figure_of_eight_two() -> None:
    square = [(0, 0), (10, 0), (10, 10), (0, 10)]
    loop = built(builders.roads(square, [[0, 1, 2, 3, 0]]))
    assert loop.length_m.tolist() == [40.0]
    assert (loop.tail == loop.head).all()
    eight = built(builders.roads([(0, 0), (3, 4), (6, 0), (-3, 4), (-6, 0)], [[0, 1, 2, 0, 3, 4, 0]]))
    assert eight.length_m.tolist() == [16.0, 16.0]
    assert eight.node_count == 1


def test_parallel_ways_stay_two_edges() -> None:
    graph = built(builders.roads([(0, 0), (10, 0), (5, 12)], [[0, 1], [0, 2, 1], [1, 0]]))
    assert sorted(graph.length_m.tolist()) == [10.0, 10.0, 26.0]
    assert graph.node_count == 2


def test_a_vertex_given_twice_adds_no_length() -> None:
    graph = built(builders.roads([(0, 0), (10, 0), (20, 0)], [[0, 1, 1, 2]]))
    assert graph.length_m.sum() == 20.0
    doubled = built(builders.roads([(0, 0), (10, 0), (10, 0), (20, 0)], [[0, 1, 2, 3]]))
    assert doubled.length_m.tolist() == [20.0]


def test_ways_that_may_not_be_walked_neither_count_nor_split() -> None:
    nodes = [(0, 0), (10, 0), (20, 0), (10, 5)]
    graph = built(builders.roads(nodes, [[0, 1, 2], [1, 3]], highway=["residential", "motorway"]))
    assert graph.length_m.tolist() == [20.0]


def test_small_pieces_are_dropped_and_reported() -> None:
    nodes = [(0, 0), (10, 0), (20, 0), (30, 0), (0, 100), (0, 107), (500, 0), (500, 3), (500, 5)]
    roads = builders.roads(nodes, [[0, 1], [1, 2], [2, 3], [4, 5], [6, 7], [7, 8]])
    graph, dropped = build_graph(roads, builders.WALKER, min_component_nodes=4, file="roads")
    assert (graph.length_m.tolist(), graph.node_count) == ([30.0], 2)
    assert (dropped.component_count, dropped.length_m) == (2, 12.0)
    assert len(dropped.start) == 4
    assert dropped.xy.tolist() == [[0, 100], [0, 107], [500, 0], [500, 3], [500, 3], [500, 5]]
    everything, nothing = build_graph(roads, builders.WALKER, min_component_nodes=2, file="roads")
    assert sorted(everything.length_m.tolist()) == [5.0, 7.0, 30.0]
    assert (nothing.component_count, nothing.length_m, len(nothing.xy)) == (0, 0.0, 0)


def test_length_is_conserved_however_ways_are_cut() -> None:
    roads = builders.random_roads(np.random.default_rng(7), n_nodes=40, n_ways=60)
    whole = sum(
        np.linalg.norm(np.diff(roads.xy[a:b], axis=0), axis=1).sum()
        for a, b in zip(roads.start, roads.start[1:], strict=False)
    )
    assert built(roads).length_m.sum() == pytest.approx(whole, rel=1e-12)


def test_speed_comes_from_the_profile() -> None:
    fast = Profile(name="fast", level_speed_kmh=7.2, source="twice as fast")
    graph, _ = build_graph(builders.lattice(2, 2), fast, min_component_nodes=1, file="roads")
    assert graph.forward_s[graph.last].tolist() == [200.0]


def test_roads_that_serve_nobody_are_refused_with_what_was_found() -> None:
    motorway = builders.roads([(0, 0), (1, 0)], [[0, 1]], highway=["motorway"])
    with pytest.raises(NetworkError, match=r"roads.*'highway'.*none of the 1 ways may be used.*motorway"):
        built(motorway)
    with pytest.raises(NetworkError, match=r"min_component_nodes.*fewer than 3"):
        built(builders.roads([(0, 0), (1, 0)], [[0, 1]]), min_nodes=3)
