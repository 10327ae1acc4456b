"""The fewest sites for a share of the people: against every set of sites, and against HiGHS given everything."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from facility_coverage.analysis import siting
from facility_coverage.analysis.fewest import fewest
from facility_coverage.analysis.siting import Instance


def random_instance(
    seed: int, *, sites: int = 9, points: int = 30, priced: bool = False, open_one: bool = True
) -> Instance:
    rng = np.random.default_rng(seed)
    reach = (rng.random((sites, points)) < 0.22).astype(float)
    people = rng.integers(0, 40, points).astype(float)
    price = rng.integers(1, 6, sites).astype(float) if priced else 1.0
    kept = np.arange(sites) == 0 if open_one else False
    return Instance.of(csr_array(reach), people, price=price, kept=kept)


def by_trying_all(instance: Instance, place: np.ndarray, wanted: np.ndarray) -> float:
    """The least price of all sets of sites that cover enough, without any cleverness."""
    free = np.flatnonzero(~instance.kept)
    reach = instance.reach.toarray() > 0
    best = np.inf
    for count in range(len(free) + 1):
        for chosen in itertools.combinations(free, count):
            rows = [*np.flatnonzero(instance.kept), *chosen]
            covered = reach[rows].any(axis=0) if rows else np.zeros(reach.shape[1], dtype=bool)
            sums = np.array([instance.people[covered & (place == one)].sum() for one in range(len(wanted))])
            if (sums >= wanted).all():
                best = min(best, float(instance.price[list(chosen)].sum()))
    return best


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0.1, 1.0), places=st.integers(1, 3), priced=st.booleans())
def test_no_set_of_sites_that_covers_enough_is_cheaper(seed: int, share: float, places: int, priced: bool) -> None:
    instance = random_instance(seed, priced=priced)
    place = np.random.default_rng(seed + 1).integers(0, places, len(instance.people))
    wanted = share * np.bincount(place, instance.people, minlength=places)
    expected = by_trying_all(instance, place, wanted)
    found = fewest(instance, place, wanted)
    if np.isinf(expected):
        assert found.solution.outcome == "infeasible"
        assert (found.most < wanted).any()
        return
    assert found.solution.outcome == "optimal"
    assert found.solution.objective == pytest.approx(expected)
    assert found.solution.bound == pytest.approx(expected)
    assert found.greedy >= expected - 1e-9
    covered = instance.covered(found.solution.opened)
    assert (np.bincount(place[covered], instance.people[covered], minlength=places) >= wanted).all()
    assert instance.price @ found.solution.opened == pytest.approx(expected)


def test_number_by_number_agrees_with_highs_given_everything() -> None:
    rng = np.random.default_rng(5)
    sites, points = rng.random((60, 2)), rng.random((600, 2))
    reach = csr_array((np.linalg.norm(sites[:, None] - points[None], axis=2) < 0.16).astype(float))
    people = rng.integers(1, 50, 600).astype(float)
    instance = Instance.of(reach, people, kept=np.arange(60) == 0)
    for share in (0.4, 0.7, 0.9):
        whole = np.zeros(600, dtype=np.int64)
        expected = siting.lscp_goal(instance, whole, np.array([share]))
        found = fewest(instance, whole, np.array([share * people.sum()]))
        assert expected.outcome == found.solution.outcome == "optimal"
        assert found.solution.objective == expected.objective


def test_what_is_reached_already_needs_no_site() -> None:
    instance = random_instance(3)
    place = np.zeros(len(instance.people), dtype=np.int64)
    done = instance.people @ instance.covered(instance.kept)
    found = fewest(instance, place, np.array([done]))
    assert found.solution.objective == found.solution.bound == 0.0
    assert found.solution.outcome == "optimal"
    assert (found.solution.opened == instance.kept).all()


def test_without_time_the_best_known_stands_with_an_honest_bound() -> None:
    instance = random_instance(11, sites=40, points=400, priced=True)
    place = np.arange(400) % 3
    wanted = 0.97 * np.bincount(place, instance.people)
    found = fewest(instance, place, wanted, time_limit_s=0.0)
    best = fewest(instance, place, wanted)
    covered = instance.covered(found.solution.opened)
    assert (np.bincount(place[covered], instance.people[covered]) >= wanted).all()
    assert found.solution.bound <= best.solution.objective <= found.solution.objective
