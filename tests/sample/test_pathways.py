from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility_coverage.sample.frame import Grid
from facility_coverage.sample.pathways import Links, chains, links_between, spanner, step_graph, trace

GRID = Grid(0.0, 0.0, 100.0, 3, 4)
FLAT, EVEN, ALL = np.zeros(GRID.shape), np.ones(GRID.shape), np.ones(GRID.shape, dtype=np.bool_)


def test_steps_on_flat_ground_cost_their_length():
    graph = step_graph(FLAT, GRID, EVEN, ALL)
    assert (graph != graph.T).nnz == 0
    # 3 × 3 level, 2 × 4 upright and 2 × (2 × 3) diagonal steps, both ways.
    assert graph.nnz == 2 * (9 + 8 + 12)
    assert graph[0, 1] == graph[0, 4] == pytest.approx(100.0)
    assert graph[0, 5] == graph[1, 4] == pytest.approx(100.0 * np.sqrt(2.0))
    assert graph[0, 2] == 0.0
    assert graph[3, 4] == 0.0  # the end of a row does not touch the start of the next
    assert step_graph(FLAT, GRID, EVEN, ALL, diagonal=False).nnz == 2 * (9 + 8)


def test_steep_steps_cost_more_up_to_a_limit():
    land = FLAT.copy()
    land[0, 1], land[2, 3] = 7.0, 500.0
    graph = step_graph(land, GRID, EVEN, ALL, diagonal=False)
    assert graph[0, 1] == graph[1, 0] == pytest.approx(200.0)  # 7 % doubles the cost
    assert graph[10, 11] == pytest.approx(2_600.0)


def test_the_factor_is_the_mean_of_both_cells_and_forbidden_cells_have_no_steps():
    factor, allowed = EVEN.copy(), ALL.copy()
    factor[0, 0], allowed[1, 1] = 4.0, False
    graph = step_graph(FLAT, GRID, factor, allowed)
    assert graph[0, 1] == pytest.approx(250.0)
    assert graph[[5], :].nnz == graph[:, [5]].nnz == 0


def test_trace_leads_back_to_the_source():
    before = np.asarray([-9999, 0, 1, 1, 3], dtype=np.int32)
    assert trace(before, 4).tolist() == [4, 3, 1, 0]
    assert trace(before, 0).tolist() == [0]


def test_links_join_neighbouring_places_by_the_cheapest_way():
    row = Grid(0.0, 0.0, 100.0, 1, 9)
    flat = np.zeros(row.shape)
    links = links_between(step_graph(flat, row, flat + 1.0, flat == 0), np.asarray([0, 3, 8]))
    assert links.pair.tolist() == [[0, 1], [1, 2]]
    assert links.cost.tolist() == pytest.approx([300.0, 500.0])
    assert links.steps(np.asarray([0])).tolist() == [[0, 1], [1, 2], [2, 3]]
    assert links.steps(np.asarray([1])).tolist() == [[3, 4], [4, 5], [5, 6], [6, 7], [7, 8]]


def test_links_cost_what_an_independent_search_finds():
    rng = np.random.default_rng(4)
    grid = Grid(0.0, 0.0, 100.0, 12, 15)
    everywhere = np.ones(grid.shape, dtype=np.bool_)
    graph = step_graph(rng.uniform(0.0, 20.0, grid.shape), grid, rng.uniform(1.0, 3.0, grid.shape), everywhere)
    places = np.asarray([3, 40, 95, 130, 171])
    links = links_between(graph, places)
    assert (np.diff(links.cost) >= 0).all()
    costs = nx.from_scipy_sparse_array(graph)
    tree = nx.Graph()
    for link, ((a, b), cost) in enumerate(zip(links.pair, links.cost, strict=True)):
        assert cost >= nx.dijkstra_path_length(costs, places[a], places[b]) - 1e-9
        tree.add_edge(int(a), int(b), weight=cost)
        way = nx.Graph((int(s), int(t), costs[s][t]) for s, t in links.steps(np.asarray([link])))
        assert sum(d["weight"] for _, _, d in way.edges(data=True)) == pytest.approx(cost)
        assert nx.has_path(way, places[a], places[b])
    # The cheapest tree over all places uses only links between neighbouring catchments.
    full = nx.Graph()
    for a, b in itertools.combinations(range(5), 2):
        full.add_edge(a, b, weight=nx.dijkstra_path_length(costs, places[a], places[b]))
    least, found = (sum(d["weight"] for *_, d in nx.minimum_spanning_edges(g)) for g in (full, tree))
    assert found == pytest.approx(least)


def _links(table: list[tuple[int, int, float]]) -> Links:
    ordered = sorted(table, key=lambda link: link[2])
    pair = np.asarray([link[:2] for link in ordered], dtype=np.int64).reshape(-1, 2)
    cost = np.asarray([link[2] for link in ordered])
    return Links(pair, cost, np.zeros_like(pair), np.zeros(0, dtype=np.int32))


def test_spanner_leaves_out_links_that_shorten_nothing():
    triangle = _links([(0, 1, 1.0), (1, 2, 1.0), (0, 2, 1.9)])
    assert spanner(triangle, 3, 1.1).tolist() == [0, 1]  # 2.0 round the corner is within 1.1 × 1.9
    assert spanner(triangle, 3, 1.01).tolist() == [0, 1, 2]


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda p: p[0] < p[1]), st.integers(1, 50), min_size=1
    ),
    st.sampled_from([1.0, 1.5, 3.0]),
)
def test_no_way_in_a_spanner_is_longer_than_its_stretch(costs: dict[tuple[int, int], int], stretch: float):
    links = _links([(a, b, float(cost)) for (a, b), cost in costs.items()])
    chosen = nx.Graph()
    for link in spanner(links, 8, stretch):
        chosen.add_edge(*links.pair[link].tolist(), weight=links.cost[link])
    for (a, b), cost in costs.items():
        assert nx.dijkstra_path_length(chosen, a, b) <= stretch * cost + 1e-9


def test_chains_keep_rings_and_end_at_breaks():
    ring = np.asarray([[0, 1], [1, 2], [0, 2]])
    (found,) = chains(ring, np.zeros(3, dtype=np.bool_))
    assert found[0] == found[-1]
    assert sorted(found[:-1].tolist()) == [0, 1, 2]
    star = np.asarray([[0, 1], [0, 2], [0, 3]])
    assert sorted(c.tolist() for c in chains(star, np.ones(4, dtype=np.bool_))) == [[0, 1], [0, 2], [0, 3]]


@given(st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda p: p[0] < p[1]), min_size=1, max_size=20))
def test_chains_take_each_step_once(steps: set[tuple[int, int]]):
    table = np.asarray(sorted(steps), dtype=np.int64)
    breaks = np.bincount(table.ravel(), minlength=10) != 2
    found = chains(table, breaks)
    taken = [tuple(sorted(step)) for chain in found for step in itertools.pairwise(chain.tolist())]
    assert sorted(taken) == sorted(steps)
    for chain in found:
        assert not breaks[chain[1:-1]].any()
        assert breaks[chain[[0, -1]]].all() or chain[0] == chain[-1]
