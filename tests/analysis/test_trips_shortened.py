"""p-median and p-center: by trying every choice, on a lattice, and what more sites must do."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from facility_coverage.analysis import centers, medians
from facility_coverage.analysis.siting import Instance
from facility_coverage.analysis.worth import Covering, Farthest, Nearness, greedy, in_order, part_of


def town(seed: int, *, sites: int = 8, demand: int = 30) -> tuple[Instance, np.ndarray, float]:
    """Sites of several prices, some open already; lengths with inf beyond the longest."""
    rng = np.random.default_rng(seed)
    length = np.linalg.norm(rng.uniform(0, 10, (sites, 2))[:, None] - rng.uniform(0, 10, (demand, 2))[None], axis=2)
    longest = float(rng.uniform(1, 8))
    row, column = np.nonzero(length <= longest)
    reach = csr_array((length[row, column], (row, column)), shape=length.shape)
    people = rng.integers(1, 100, demand).astype(float)
    price, kept = rng.choice([1.0, 1.0, 0.5, 2.0], sites), rng.random(sites) < 0.15
    return Instance.of(reach, people, price=price, kept=kept), np.where(length <= longest, length, np.inf), longest


def choices(instance: Instance, budget: float) -> list[np.ndarray]:
    every = (np.array(bits) | instance.kept for bits in itertools.product([False, True], repeat=len(instance.price)))
    return [opened for opened in every if instance.price @ opened <= budget + 1e-9]


def nearest(length: np.ndarray, opened: np.ndarray) -> np.ndarray:
    return length[opened].min(axis=0, initial=np.inf)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 100_000), budget=st.floats(0.5, 6), sites=st.integers(1, 8), demand=st.integers(1, 40))
def test_people_times_length_is_the_least_of_all_choices(seed: int, budget: float, sites: int, demand: int) -> None:
    instance, length, longest = town(seed, sites=sites, demand=demand)
    least = min(
        float(instance.people @ np.minimum(nearest(length, opened), longest)) for opened in choices(instance, budget)
    )
    found = medians.p_median(instance, budget, longest=longest)
    assert found.objective == pytest.approx(least, abs=1e-6)
    assert (found.outcome, found.gap) == ("optimal", 0.0)
    assert instance.price @ found.opened <= budget + 1e-9
    assert found.opened[instance.kept].all()
    assert -Nearness(instance, longest).value(found.opened) == pytest.approx(found.objective)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 100_000), budget=st.floats(0.5, 6), sites=st.integers(1, 8), demand=st.integers(1, 40))
def test_the_longest_trip_is_the_shortest_of_all_choices(seed: int, budget: float, sites: int, demand: int) -> None:
    instance, length, longest = town(seed, sites=sites, demand=demand)
    reachable = np.isfinite(length.min(axis=0))
    every = choices(instance, np.inf)
    trips = [float(nearest(length, opened)[reachable].max(initial=0.0)) for opened in every]
    least = min(trip for trip, opened in zip(trips, every, strict=True) if instance.price @ opened <= budget + 1e-9)
    found = centers.p_center(instance, budget)
    if np.isinf(least):
        assert found.outcome == "infeasible"
        needed = min(
            float(instance.price @ opened) for trip, opened in zip(trips, every, strict=True) if np.isfinite(trip)
        )
        assert centers.cheapest(instance) == pytest.approx(needed)
        return
    assert found.objective == pytest.approx(least)
    assert (found.outcome, found.gap) == ("optimal", 0.0)
    assert instance.price @ found.opened <= budget + 1e-9
    assert -Farthest(instance, longest).value(found.opened) == pytest.approx(found.objective)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 100_000), p=st.integers(0, 8))
def test_one_more_site_never_lengthens_trips_and_no_choice_passes_the_bound(seed: int, p: int) -> None:
    instance, _, longest = town(seed, sites=15, demand=60)
    fewer, more = (medians.p_median(instance, q, longest=longest) for q in (p, p + 1))
    assert more.objective <= fewer.objective + 1e-6
    savings, floor = medians.Savings.of(instance, longest)
    chosen = medians.greedy(savings, p)
    assert savings.price[chosen].sum() <= p + 1e-9
    by_greedy = float(instance.people.sum()) * longest - float(floor.sum()) - savings.saved(chosen)
    assert by_greedy >= fewer.objective - 1e-6
    best = float(instance.people.sum()) * longest - float(floor.sum()) - fewer.objective
    bound = medians.relaxed(savings, p, savings.saved(chosen), until=np.inf)
    assert bound.value >= best - 1e-6
    # What the relaxation shuts is in no better choice, and what it opens is in each.
    if best > savings.saved(chosen) + 1e-6:
        opened = fewer.opened[~instance.kept]
        assert not (opened & bound.closed).any()
        assert opened[bound.opened].all()
    near, nearer = (centers.p_center(instance, q) for q in (p, p + 1))
    if near.outcome == "optimal":
        assert nearer.objective <= near.objective + 1e-9


@pytest.mark.parametrize("seed", range(20))
def test_gains_in_order_add_up_to_what_all_are_worth(seed: int) -> None:
    instance, _, longest = town(seed, sites=10)
    worths = [Covering(instance), Covering(instance, 0.3), Nearness(instance, longest), Farthest(instance, longest)]
    for worth in worths:
        opened = greedy(worth, instance, 4.0)
        assert instance.price @ opened <= 4.0 + 1e-9
        rows = np.flatnonzero(opened)
        part = part_of(instance, rows)
        same = type(worth)(part, *list(vars(worth).values())[1:])
        steps = in_order(same, part.kept, np.flatnonzero(~part.kept).tolist(), ties=same)
        assert sorted(site for site, _ in steps) == np.flatnonzero(~part.kept).tolist()
        gained = sum(gain for _, gain in steps)
        assert worth.value(instance.kept) + gained == pytest.approx(worth.value(opened))
        for site in np.flatnonzero(~instance.kept):
            one = instance.kept | (np.arange(len(instance.price)) == site)
            added = worth.value(one) - worth.value(instance.kept)
            assert worth.gains(instance.kept)[site] == pytest.approx(added, abs=1e-9)


def test_by_hand_on_a_street() -> None:
    # Homes at 0, 1, 2, 10 along a street, one site at each; 5 people live at 10.
    place = np.array([0.0, 1.0, 2.0, 10.0])
    length = np.abs(place[:, None] - place[None])
    instance = Instance.of(
        csr_array((length.ravel(), (np.repeat(np.arange(4), 4), np.tile(np.arange(4), 4)))), [1, 1, 1, 5]
    )
    one, two = (medians.p_median(instance, p, longest=20.0) for p in (1, 2))
    assert (one.objective, one.opened.tolist()) == (27.0, [False, False, False, True])
    assert (two.objective, two.opened.tolist()) == (2.0, [False, True, False, True])
    assert centers.p_center(instance, 1).objective == 8.0
    assert centers.p_center(instance, 2).objective == 1.0


def test_nothing_reached_and_nothing_to_spend() -> None:
    empty = Instance.of(csr_array((3, 4)), np.ones(4))
    assert medians.p_median(empty, 2, longest=5.0).objective == 20.0
    assert centers.p_center(empty, 2).objective == 0.0
    full = Instance.of(csr_array(np.ones((3, 4))), np.ones(4))
    assert medians.p_median(full, 0, longest=5.0).objective == 20.0
    assert centers.p_center(full, 0).outcome == "infeasible"
