"""Capacitated covering against every choice with a maximum flow of networkx; enlarging; too large an instance."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from facility_coverage.analysis import capacitated
from facility_coverage.analysis.capacitated import Holders, Sites, TooLargeError, Units
from facility_coverage.analysis.servable import servable


def flow(near: np.ndarray, need: np.ndarray, capacity: np.ndarray) -> float:
    graph = nx.DiGraph()
    graph.add_nodes_from(["from", "to"])
    for d, wanted in enumerate(need):
        graph.add_edge("from", f"d{d}", capacity=wanted)
    for u, d in zip(*np.nonzero(near), strict=True):
        graph.add_edge(f"d{d}", f"u{u}")
    for u, most in enumerate(capacity):
        graph.add_edge(f"u{u}", "to", capacity=most)
    return float(nx.maximum_flow_value(graph, "from", "to"))


def holders(near: np.ndarray, need: np.ndarray, units: Units, sites: Sites) -> Holders:
    return Holders.of(csr_array(near.astype(float)), need, units, sites)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 100_000), budget=st.floats(0.5, 5))
def test_as_many_are_served_as_by_the_best_of_all_choices(seed: int, budget: float) -> None:
    rng = np.random.default_rng(seed)
    sites, units, demand = int(rng.integers(2, 7)), int(rng.integers(2, 9)), int(rng.integers(1, 20))
    near, need = rng.random((units, demand)) < 0.4, rng.integers(0, 60, demand).astype(float)
    need[rng.random(demand) < 0.2] *= 0.5
    capacity, site = rng.integers(0, 150, units).astype(float), rng.integers(0, sites, units)
    kept = (np.arange(sites) == 1) & (rng.random() < 0.5)
    requires = np.full(sites, -1)
    # Such as enlarging what must be kept; what is open anyway needs nothing.
    requires[-1] = 0 if rng.random() < 0.5 and not kept[-1] else -1
    price = np.where(kept, 0.0, rng.choice([1.0, 0.5, 2.0], sites))
    asked = holders(near, need, Units(capacity, np.ones(units), site), Sites(price, kept, requires))
    best = 0.0
    for bits in itertools.product([False, True], repeat=sites):
        opened = np.array(bits) | kept
        allowed = (requires < 0) | ~opened | opened[requires]
        if price @ opened <= budget + 1e-9 and allowed.all():
            best = max(best, flow(near[opened[site]], need, capacity[opened[site]]))
    found = capacitated.mclp_capacitated(asked, budget)
    assert found.objective == pytest.approx(best, abs=1e-6)
    assert (found.outcome, found.gap) == ("optimal", 0.0)
    assert price @ found.opened <= budget + 1e-9
    assert found.opened[kept].all()
    open_units = found.opened[site]
    assert found.objective <= capacity[open_units].sum() + 1e-6
    assert found.objective <= need[near[open_units].any(axis=0)].sum() + 1e-6
    by_greedy = capacitated.greedy(asked, budget)
    assert asked.served(by_greedy) <= found.objective + 1e-6
    assert price @ by_greedy <= budget + 1e-9
    more = capacitated.mclp_capacitated(asked, budget + 1)
    assert more.objective >= found.objective - 1e-6


@pytest.mark.parametrize("seed", range(10))
def test_what_is_served_is_what_servable_says_and_steps_add_up(seed: int) -> None:
    rng = np.random.default_rng(seed)
    near, need = rng.random((8, 40)) < 0.3, rng.integers(1, 60, 40).astype(float)
    capacity = rng.integers(20, 200, 8).astype(float)
    nothing = np.zeros(8, dtype=bool)
    asked = holders(near, need, Units(capacity, np.ones(8), np.arange(8)), Sites(np.ones(8), nothing, np.full(8, -1)))
    assert len(asked.need) <= 40
    opened = rng.random(8) < 0.6
    expected = servable(csr_array(near[opened].astype(float)), need, capacity[opened]).served.sum()
    assert asked.served(opened) == pytest.approx(float(expected))
    steps = capacitated.steps_of(asked, nothing, opened, budget=np.inf)
    assert sum(gain for _, gain in steps) == pytest.approx(float(expected))
    gains = [gain for _, gain in steps]
    assert gains == sorted(gains, reverse=True)


def test_more_pairs_than_can_be_solved_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacitated, "MAX_PAIRS", 3)
    near = np.eye(4, dtype=bool)
    units, sites = Units(np.ones(4), np.ones(4), np.arange(4)), Sites(np.ones(4), np.zeros(4, bool), np.full(4, -1))
    with pytest.raises(TooLargeError, match="4 pairs, 3 at most"):
        holders(near, np.ones(4), units, sites)
    alike = np.ones((1, 100), dtype=bool)  # points that the same unit reaches are one
    one = Units(np.ones(1), np.ones(1), np.zeros(1, dtype=int))
    found = holders(alike, np.ones(100), one, Sites(np.ones(1), np.zeros(1, bool), np.array([-1])))
    assert found.need.tolist() == [100.0]


def test_nothing_to_serve() -> None:
    units, sites = Units(np.zeros(2), np.ones(2), np.arange(2)), Sites(np.ones(2), np.zeros(2, bool), np.full(2, -1))
    asked = holders(np.ones((2, 3), dtype=bool), np.ones(3), units, sites)
    found = capacitated.mclp_capacitated(asked, 2)
    assert (found.objective, found.outcome) == (0.0, "optimal")
