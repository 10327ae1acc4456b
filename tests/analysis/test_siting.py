"""Siting against every choice tried, by hand, and against spopt."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from facility_coverage.analysis import centers, covering, medians, siting
from facility_coverage.analysis.siting import Instance, Solution


def distances(seed: int, sites: int, demand: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    here, there = rng.uniform(0, 10, (sites, 2)), rng.uniform(0, 10, (demand, 2))
    length = np.linalg.norm(here[:, None] - there[None], axis=2)
    return length, rng.integers(1, 100, demand).astype(float)


def within(length: np.ndarray, limit: float) -> csr_array:
    rows, columns = np.nonzero(length <= limit)
    return csr_array((length[rows, columns], (rows, columns)), shape=length.shape)


def choices(sites: int, size: int) -> Any:
    for chosen in itertools.combinations(range(sites), size):
        yield np.isin(np.arange(sites), chosen)


def best_covering(length: np.ndarray, people: np.ndarray, limit: float, p: int) -> float:
    return max(float(people[(length[opened] <= limit).any(axis=0)].sum()) for opened in choices(len(length), p))


@pytest.mark.parametrize("seed", range(8))
def test_each_problem_is_solved_as_by_trying_every_choice(seed: int) -> None:
    length, people = distances(seed, 9, 40)
    near, everywhere = Instance.of(within(length, 3.0), people), Instance.of(within(length, 99.0), people)
    for p in (1, 3):
        best = best_covering(length, people, 3.0, p)
        for solved in (siting.mclp_direct(near, p), covering.mclp(near, p)):
            assert solved.objective == pytest.approx(best)
            assert (solved.outcome, solved.gap) == ("optimal", 0.0)
            assert solved.opened.sum() <= p
        median = min(float(people @ length[opened].min(axis=0)) for opened in choices(9, p))
        assert medians.p_median(everywhere, p, longest=99.0).objective == pytest.approx(median)
        centre = min(float(length[opened].min(axis=0).max()) for opened in choices(9, p))
        assert centers.p_center(everywhere, p).objective == pytest.approx(centre)
        twice = max(
            0.7 * people[(length[o] <= 3.0).any(axis=0)].sum() + 0.3 * people[(length[o] <= 3.0).sum(axis=0) > 1].sum()
            for o in choices(9, p)
        )
        assert siting.backup(near, p, second_weight=0.3).objective == pytest.approx(twice)
    reachable = (length <= 3.0).any(axis=0)
    fewest = next(
        size for size in range(10) if any((length[o] <= 3.0).any(axis=0)[reachable].all() for o in choices(9, size))
    )
    assert siting.lscp(near).objective == fewest


@pytest.mark.parametrize("seed", range(5))
def test_a_goal_for_every_town_takes_the_fewest_sites(seed: int) -> None:
    length, people = distances(seed, 8, 30)
    zone = np.arange(30) % 3
    share = np.array([0.5, 0.3, 0.6])
    near = Instance.of(within(length, 4.0), people)

    def enough(opened: np.ndarray) -> bool:
        covered = (length[opened] <= 4.0).any(axis=0)
        return all(people[covered & (zone == z)].sum() >= share[z] * people[zone == z].sum() for z in range(3))

    fewest = next(size for size in range(9) if any(enough(opened) for opened in choices(8, size)))
    solved = siting.lscp_goal(near, zone, share)
    assert solved.objective == fewest
    assert enough(solved.opened)


def test_a_goal_that_no_sites_reach_is_infeasible() -> None:
    near = Instance.of(csr_array(np.array([[1.0, 0.0], [1.0, 0.0]])), [10.0, 10.0])
    solved = siting.lscp_goal(near, np.zeros(2, dtype=int), np.array([0.9]))
    assert (solved.outcome, solved.opened.sum()) == ("infeasible", 0)
    assert np.isnan(solved.objective)


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000), budget=st.floats(0.5, 6), sites=st.integers(1, 25), demand=st.integers(1, 60))
def test_what_is_reduced_and_bounded_keeps_the_optimum(seed: int, budget: float, sites: int, demand: int) -> None:
    length, people = distances(seed, sites, demand)
    rng = np.random.default_rng(seed + 1)
    instance = Instance.of(
        within(length, rng.uniform(1, 5)),
        people,
        price=rng.choice([1.0, 1.0, 0.5, 2.0], sites),
        kept=rng.random(sites) < 0.1,
    )
    ours, direct = covering.mclp(instance, budget), siting.mclp_direct(instance, budget)
    assert ours.objective == pytest.approx(direct.objective)
    assert ours.outcome == "optimal"
    assert float(instance.price @ ours.opened) <= budget + 1e-9
    assert (ours.opened | ~instance.kept).all()
    assert float(people @ instance.covered(ours.opened)) == pytest.approx(ours.objective)
    chosen = covering.greedy(instance, budget)
    assert float(instance.price[chosen].sum()) <= budget + 1e-9
    assert not instance.kept[chosen].any()
    small = covering.reduced(instance).instance
    assert len(small.people) <= demand
    assert len(small.price) <= sites


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), p=st.integers(0, 8))
def test_one_more_site_never_covers_fewer_and_no_solution_passes_the_bound(seed: int, p: int) -> None:
    length, people = distances(seed, 20, 80)
    instance = Instance.of(within(length, 2.0), people)
    fewer, more = covering.mclp(instance, p), covering.mclp(instance, p + 1)
    assert fewer.objective <= more.objective + 1e-9
    chosen = covering.greedy(instance, p)
    assert len(chosen) <= p
    opened = np.isin(np.arange(20), chosen)
    found = float(people @ instance.covered(opened))
    assert found <= fewer.objective + 1e-9
    # Church & ReVelle's greedy choice covers at least 1 - 1/e of the best.
    assert found >= (1 - 1 / np.e) * fewer.objective - 1e-9
    bound = covering.relaxed(instance, p, found, until=np.inf)
    assert bound.value >= fewer.objective - 1e-6


def test_kept_sites_cost_nothing_and_stay() -> None:
    reach = csr_array(np.array([[1.0, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]]))
    instance = Instance.of(reach, [5.0, 5, 3, 1], kept=[True, False, False])
    solved = covering.mclp(instance, 1)
    assert solved.opened.tolist() == [True, True, False]
    assert solved.objective == 13


def test_nothing_to_cover_and_nothing_to_spend() -> None:
    empty = Instance.of(csr_array((3, 4)), np.ones(4))
    assert covering.mclp(empty, 2).objective == 0
    full = Instance.of(csr_array(np.ones((3, 4))), np.ones(4))
    assert covering.mclp(full, 0).objective == 0
    assert isinstance(covering.mclp(full, 1), Solution)


def test_a_thousand_sites_are_proven_within_seconds() -> None:
    length, people = distances(5, 500, 2_000)
    solved = covering.mclp(Instance.of(within(length, 1.0), people), 10, time_limit_s=60)
    assert (solved.outcome, solved.gap) == ("optimal", 0.0)


@pytest.mark.parametrize("seed", range(20))
def test_the_four_problems_as_spopt_solves_them(seed: int) -> None:
    import pulp  # noqa: PLC0415 - only here

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from spopt.locate import LSCP, MCLP, PCenter, PMedian  # noqa: PLC0415 - heavy

        length, people = distances(seed, 12, 50)
        radius = float(np.quantile(length.min(axis=0), 1.0)) + 0.01
        solver = pulp.PULP_CBC_CMD(msg=False)
        table = length.T  # spopt: rows are demand
        near, everywhere = Instance.of(within(length, radius), people), Instance.of(within(length, 99.0), people)
        half = Instance.of(within(length, radius / 2), people)
        theirs = LSCP.from_cost_matrix(table, radius).solve(solver)
        assert siting.lscp(near).objective == theirs.problem.objective.value()
        theirs = MCLP.from_cost_matrix(table, people, radius / 2, p_facilities=3).solve(solver)
        assert covering.mclp(half, 3).objective == pytest.approx(theirs.problem.objective.value())
        theirs = PMedian.from_cost_matrix(table, people, p_facilities=3).solve(solver)
        assert medians.p_median(everywhere, 3, longest=99.0).objective == pytest.approx(
            theirs.problem.objective.value()
        )
        theirs = PCenter.from_cost_matrix(table, p_facilities=3).solve(solver)
        assert centers.p_center(everywhere, 3).objective == pytest.approx(theirs.problem.objective.value())
