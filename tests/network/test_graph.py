import numpy as np
import pytest

import builders
from facility_coverage.config.profile import Profile
from facility_coverage.errors import NetworkError
from facility_coverage.network.graph import Graph, build_graph


def built(roads: object, *, min_nodes: int = 1) -> Graph:
    return build_graph(roads, builders.WALKER, min_component_nodes=min_nodes, file="roads")[0]


def line_of(graph: Graph, edge: int) -> list[list[float]]:
    return graph.xy[graph.start[edge] : graph.start[edge + 1]].tolist()


def test_ways_are_split_where_another_way_meets_them_and_nowhere_else() -> None:
    # 0 ─ 1 ─ 2 ─ 3, and 4 joins at 2; vertex 1 is a bend only
    nodes = [(0, 0), (30, 40), (60, 0), (160, 0), (60, 70)]
    graph = built(builders.roads(nodes, [[0, 1, 2, 3], [4, 2]]))
    assert graph.length_m.tolist() == [100.0, 100.0, 70.0]
    assert graph.way.tolist() == [0, 0, 1]
    assert graph.node_count == 4
    assert line_of(graph, 0) == [[0, 0], [30, 40], [60, 0]]
    assert graph.vertex_m.tolist() == [0, 50, 100, 0, 100, 0, 70]
    assert graph.forward_s.tolist() == graph.backward_s.tolist() == graph.vertex_m.tolist()
    assert graph.head[0] == graph.tail[1] == graph.head[2]
    assert len({*graph.tail.tolist(), *graph.head.tolist()}) == 4


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
    assert graph.length_m.tolist() == [10.0, 26.0, 10.0]
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
    assert graph.length_m.tolist() == [10.0, 10.0, 10.0]
    assert graph.node_count == 4
    assert (dropped.component_count, dropped.length_m) == (2, 12.0)
    assert len(dropped.start) == 4
    assert dropped.xy.tolist() == [[0, 100], [0, 107], [500, 0], [500, 3], [500, 3], [500, 5]]
    everything, nothing = build_graph(roads, builders.WALKER, min_component_nodes=2, file="roads")
    assert len(everything.tail) == 6
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
    assert graph.forward_s[graph.last].tolist() == [50.0] * 4


def test_roads_that_serve_nobody_are_refused_with_what_was_found() -> None:
    motorway = builders.roads([(0, 0), (1, 0)], [[0, 1]], highway=["motorway"])
    with pytest.raises(NetworkError, match=r"roads.*'highway'.*none of the 1 ways.*motorway"):
        built(motorway)
    with pytest.raises(NetworkError, match=r"min_component_nodes.*fewer than 3"):
        built(builders.roads([(0, 0), (1, 0)], [[0, 1]]), min_nodes=3)
