"""The k nearest facilities, and the nodes around each facility."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import builders
import oracles
from facility_coverage.network.catchment import catchments, node_times, stand
from facility_coverage.network.graph import Graph, build_graph
from facility_coverage.network.links import link
from facility_coverage.network.snapping import Places, snap
from facility_coverage.network.travel import nearest_facilities, nearest_facility

SEEDS = st.integers(0, 2**32 - 1)
LAW = settings(deadline=None, max_examples=60)


def built(roads: object) -> Graph:
    return build_graph(roads, builders.WALKER, min_component_nodes=1, file="roads")[0]


def places(points: object, graph: Graph, *, limit: float = 500.0) -> Places:
    return snap(np.array(points, dtype=float).reshape(-1, 2), graph, max_access_m=limit, access_speed_ms=1.0)


def test_the_nearest_two_counted_by_hand() -> None:
    graph = built(builders.roads([(0, 0), (1000, 0)], [[0, 1]]))
    people, sites = places([(100, 0), (600, 0), (-900, 0)], graph), places([(0, 0), (500, 0), (700, 10)], graph)
    found = nearest_facilities(graph, link(graph), people, sites, k=2)
    assert found.seconds[:2].tolist() == [[100, 400], [100, 110]]
    assert found.facility.tolist() == [[0, 1], [1, 2], [-1, -1]]
    assert np.isnan(found.seconds[2]).all()
    limited = nearest_facilities(graph, link(graph), people, sites, k=2, limit_s=110.0)
    assert limited.facility.tolist() == [[0, -1], [1, 2], [-1, -1]]


def test_more_than_there_are_is_missing_and_none_is_refused() -> None:
    graph = built(builders.lattice(3, 3))
    people, sites = places([(50, 0)], graph), places([(100, 100), (0, 0)], graph)
    found = nearest_facilities(graph, link(graph), people, sites, k=4)
    assert found.facility.tolist() == [[1, 0, -1, -1]]
    assert found.seconds[0].tolist() == pytest.approx([50, 150, np.nan, np.nan], nan_ok=True)
    with pytest.raises(ValueError, match="k must be at least 1, found 0"):
        nearest_facilities(graph, link(graph), people, sites, k=0)


def test_ties_go_to_the_lower_row_among_all_k() -> None:
    graph = built(builders.lattice(3, 3))
    people, sites = places([(100, 100)], graph), places([(100, 0), (0, 100), (200, 100), (100, 200)], graph)
    assert nearest_facilities(graph, link(graph), people, sites, k=3).facility.tolist() == [[0, 1, 2]]


@LAW
@given(seed=SEEDS, k=st.integers(1, 7), towards=st.booleans())
def test_the_k_nearest_are_the_k_smallest_of_an_independent_matrix(seed: int, k: int, towards: bool) -> None:
    rng = np.random.default_rng(seed)
    ways = builders.random_roads(rng)
    graph = built(ways)
    people, sites = builders.random_points(rng, ways, 30), rng.uniform(0, 1000, (6, 2))
    segments = oracles.segments_of_ways(ways.xy, ways.node, ways.start, speed_ms=1.0)
    matrix, tied = oracles.travel_matrix(segments, people, sites, max_access_m=500.0, towards=towards)
    assume(not tied)
    links = link(graph, direction="to_facility" if towards else "from_facility")
    found = nearest_facilities(graph, links, places(people, graph), places(sites, graph), k=k)
    expected = np.full((30, max(k, 6)), np.inf)
    expected[:, :6] = np.sort(matrix.T, axis=1)
    ours = np.nan_to_num(found.seconds, nan=np.inf)
    np.testing.assert_array_equal(np.isfinite(ours), np.isfinite(expected[:, :k]))
    np.testing.assert_allclose(ours[np.isfinite(ours)], expected[:, :k][np.isfinite(ours)], rtol=0, atol=1e-6)
    point, rank = np.nonzero(found.facility >= 0)
    np.testing.assert_allclose(matrix[found.facility[point, rank], point], ours[point, rank], rtol=0, atol=1e-6)
    assert all(len(set(row[row >= 0])) == (row >= 0).sum() for row in found.facility)


@LAW
@given(seed=SEEDS)
def test_one_nearest_is_the_nearest_to_the_last_digit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ways = builders.random_roads(rng)
    graph = built(ways)
    links = link(graph)
    people = places(builders.random_points(rng, ways, 30), graph)
    sites = places(builders.random_points(rng, ways, 6), graph)
    one, many = nearest_facility(graph, links, people, sites), nearest_facilities(graph, links, people, sites, k=3)
    assert many.seconds[:, 0].tobytes() == one.seconds.tobytes()
    np.testing.assert_array_equal(many.facility[:, 0], one.facility)


@LAW
@given(seed=SEEDS)
def test_nodes_around_facilities_are_those_of_points_standing_on_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ways = builders.random_roads(rng)
    graph = built(ways)
    links, sites = link(graph), places(rng.uniform(0, 1000, (5, 2)), graph)
    at = np.empty((graph.node_count, 2))
    at[graph.tail], at[graph.head] = graph.xy[graph.start[:-1]], graph.xy[graph.last]
    standing = stand(graph, places(at, graph))
    limit_s = float(rng.uniform(100, 1500))
    stored = catchments(graph, links, standing, sites, limit_s=limit_s)
    found = node_times(graph, links, sites, limit_s=limit_s, threads=2)
    for f in range(5):
        mine = slice(found.indptr[f], found.indptr[f + 1])
        row = slice(stored.indptr[f], stored.indptr[f + 1])
        # Of nodes on the facility's own edge the search knows the time by its ends, which is the same or longer.
        order = np.argsort(stored.indices[row])
        assert found.node[mine].tolist() == stored.indices[row][order].tolist()
        np.testing.assert_allclose(found.seconds[mine], stored.data[row][order], rtol=0, atol=1e-9)


def test_demand_that_stands_for_the_other_direction_is_refused() -> None:
    graph = built(builders.lattice(2, 3))
    people = places([(0, 0)], graph)
    with pytest.raises(ValueError, match="to_facility, links are for trips from_facility"):
        catchments(graph, link(graph, direction="from_facility"), stand(graph, people), people, limit_s=900.0)
