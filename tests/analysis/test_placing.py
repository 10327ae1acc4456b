"""Sites placed unit by unit: against every choice there is of as many."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from facility_coverage.analysis.placing import Unit, placed
from facility_coverage.analysis.siting import Instance


def by_trying_all(instance: Instance, site_unit: np.ndarray, needs: list[int], enough: int) -> tuple[float, float]:
    """The least price, and the most people covered at that price."""
    reach = instance.reach.toarray() > 0
    per_unit = [list(itertools.combinations(np.flatnonzero(site_unit == i), need)) for i, need in enumerate(needs)]
    best = (np.inf, 0.0)
    for units in itertools.combinations(range(len(needs)), enough):
        for picks in itertools.product(*(per_unit[i] for i in units)):
            rows = [0, *itertools.chain(*picks)]
            cost = float(instance.price[rows].sum())
            people = float(instance.people[reach[rows].any(axis=0)].sum())
            best = min(best, (cost, -people))
    return best[0], -best[1]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), enough=st.integers(1, 3), prices=st.integers(1, 3))
def test_as_many_as_are_needed_stand_where_no_other_choice_is_cheaper(seed: int, enough: int, prices: int) -> None:
    rng = np.random.default_rng(seed)
    reach = csr_array((rng.random((13, 40)) < 0.15).astype(float))
    price = rng.integers(1, prices + 1, 13).astype(float)
    instance = Instance.of(reach, rng.integers(0, 30, 40).astype(float), price=price, kept=np.arange(13) == 0)
    site_unit = np.concatenate([[-1], np.arange(12) % 3])
    needs = [int(one) for one in rng.integers(1, 4, 3)]
    units = [Unit(str(i), need) for i, need in enumerate(needs)]
    cost, people = by_trying_all(instance, site_unit, needs, enough)
    found = placed(instance, site_unit, units, [enough])
    opened = found.solution.opened & ~instance.kept
    counts = np.bincount(site_unit[opened], minlength=3)
    chosen = [i for i in range(3) if counts[i]]
    assert len(chosen) == enough
    assert all(counts[i] == needs[i] for i in chosen)
    assert instance.price @ opened == pytest.approx(cost)
    assert found.solution.objective <= people + 1e-9 <= found.solution.bound + 2e-9
    if found.solution.outcome == "optimal" or enough == 1:
        assert found.solution.objective == pytest.approx(people)
    assert found.solution.objective == pytest.approx(
        instance.people[(reach.toarray()[found.solution.opened] > 0).any(axis=0)].sum()
    )


def test_where_nobody_is_left_to_cover_the_sites_that_reach_most_are_taken() -> None:
    reach = csr_array(np.array([[1.0, 1, 1, 1], [1, 0, 0, 0], [1, 1, 1, 0], [0, 1, 1, 0]]))
    instance = Instance.of(reach, [5.0, 5, 5, 5], kept=np.arange(4) == 0)
    found = placed(instance, np.array([-1, 0, 0, 0]), [Unit("", 2)], [1])
    assert np.flatnonzero(found.solution.opened).tolist() == [0, 2, 3]
    assert found.solution.objective == found.solution.bound == found.greedy == 20.0
