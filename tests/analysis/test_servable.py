"""Servable people against a maximum flow of another library, and by hand."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from facility_coverage.analysis.servable import servable


def within(pairs: dict[tuple[int, int], float], facilities: int, points: int) -> csr_array:
    rows, columns = zip(*pairs, strict=True) if pairs else ((), ())
    return csr_array((list(pairs.values()), (rows, columns)), shape=(facilities, points))


def test_by_hand() -> None:
    # Station 0 (20 beds) is reached by points 0 and 1, station 1 (10 beds) by points 1 and 2; point 3 by none.
    reach = within({(0, 0): 60.0, (0, 1): 60.0, (1, 1): 500.0, (1, 2): 60.0}, 2, 4)
    found = servable(reach, np.array([15.0, 10, 3, 7]), np.array([20.0, 10]))
    assert found.covered.tolist() == [True, True, True, False]
    # All 28 can be served; of point 1 the nearer station takes 5, as 15 of its beds go to point 0.
    assert found.served.tolist() == pytest.approx([15, 10, 3, 0])
    assert found.used.tolist() == pytest.approx([20, 8])
    assert found.spare.tolist() == pytest.approx([0, 2])
    assert found.residual.sum() == pytest.approx(0, abs=1e-6)


def test_too_few_beds_leave_a_residual() -> None:
    reach = within({(0, 0): 60.0, (0, 1): 60.0}, 1, 2)
    found = servable(reach, np.array([30.0, 10]), np.array([20.0]))
    assert found.served.sum() == pytest.approx(20)
    # Both are reached by the same station, and served alike.
    assert found.served.tolist() == pytest.approx([15, 5])
    assert found.residual.tolist() == pytest.approx([15, 5])


def test_no_data_is_no_bed_and_nobody_needs_nothing() -> None:
    reach = within({(0, 0): 60.0, (1, 0): 90.0}, 2, 2)
    found = servable(reach, np.array([5.0, 0]), np.array([np.nan, 3.0]))
    assert found.served.tolist() == pytest.approx([3, 0])
    assert found.used.tolist() == pytest.approx([0, 3])
    empty = servable(within({}, 2, 2), np.array([5.0, 1]), np.array([4.0, 3.0]))
    assert empty.served.sum() == empty.used.sum() == 0


@settings(max_examples=80)
@given(seed=st.integers(0, 100_000), facilities=st.integers(1, 7), points=st.integers(1, 20), thick=st.floats(0, 0.8))
def test_as_much_as_the_maximum_flow_and_never_more_than_need_or_capacity(
    seed: int, facilities: int, points: int, thick: float
) -> None:
    rng = np.random.default_rng(seed)
    need, capacity = rng.integers(0, 20, points).astype(float), rng.integers(0, 60, facilities).astype(float)
    near = rng.random((facilities, points)) < thick
    reach = within({(f, p): float(rng.uniform(1, 900)) for f, p in np.argwhere(near).tolist()}, facilities, points)
    graph = nx.DiGraph()
    graph.add_nodes_from(["from", "to"])
    for p in range(points):
        graph.add_edge("from", f"p{p}", capacity=need[p])
    for f in range(facilities):
        graph.add_edge(f"f{f}", "to", capacity=capacity[f])
    graph.add_edges_from((f"p{p}", f"f{f}") for f, p in np.argwhere(near).tolist())
    found = servable(reach, need, capacity)
    assert found.served.sum() == pytest.approx(nx.maximum_flow_value(graph, "from", "to"), abs=1e-6)
    assert found.used.sum() == pytest.approx(found.served.sum())
    assert (found.served <= need + 1e-9).all()
    assert (found.used <= capacity + 1e-9).all()
    assert (found.served[~found.covered] == 0).all()
    assert found.served.sum() + found.residual.sum() + need[~found.covered].sum() == pytest.approx(need.sum())


@settings(max_examples=30)
@given(seed=st.integers(0, 100_000))
def test_more_beds_never_serve_fewer(seed: int) -> None:
    rng = np.random.default_rng(seed)
    near = rng.random((5, 15)) < 0.3
    reach = within({(f, p): float(rng.uniform(1, 900)) for f, p in np.argwhere(near).tolist()}, 5, 15)
    need, capacity = rng.uniform(0, 20, 15), rng.uniform(0, 40, 5)
    more = capacity + rng.uniform(0, 10, 5)
    assert servable(reach, need, capacity).served.sum() <= servable(reach, need, more).served.sum() + 1e-6
