"""The floating catchment area family: by hand, by law, and against PySAL's `access`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from facility_coverage.analysis.accessibility import (
    enhanced_two_step,
    gaussian_decay,
    huff_three_step,
    step_decay,
    three_step,
    two_step,
    weights_of,
)
from pysal import accessed

# Two stations of 20 and 30 beds; three villages of 100, 100 and 50; minutes.
MINUTES = np.array([[5.0, 12.0, np.nan], [np.nan, 8.0, 3.0]])
CAPACITY, PEOPLE = np.array([20.0, 30.0]), np.array([100.0, 100.0, 50.0])
STEPS = ([600.0, 900.0], [1.0, 0.5])


def weights(minutes: np.ndarray = MINUTES) -> csr_array:
    rows, columns = np.nonzero(~np.isnan(minutes))
    return csr_array((step_decay(60 * minutes[rows, columns], *STEPS), (rows, columns)), shape=minutes.shape)


def test_by_hand() -> None:
    # Weights: station 0 reaches village 0 with 1 and village 1 with ½; station 1 villages 1 and 2 with 1.
    # E2SFCA: 20 / (100 + 50) and 30 / 150.
    assert enhanced_two_step(weights(), CAPACITY, PEOPLE).tolist() == pytest.approx([2 / 15, 1 / 15 + 0.2, 0.2])
    # 3SFCA: village 1 chooses station 0 with a third, station 1 with two thirds.
    r0, r1 = 20 / (100 + 100 / 3 * 0.5), 30 / (100 * 2 / 3 + 50)
    expected = [r0, r0 * 0.5 / 3 + r1 * 2 / 3, r1]
    assert three_step(weights(), CAPACITY, PEOPLE).tolist() == pytest.approx(expected)
    # MH3SFCA: station 0 draws village 1 with 20 · ½ = 10, station 1 with 30: a quarter and three quarters.
    r0, r1 = 20 / (100 + 25), 30 / (75 + 50)
    expected = [r0, 0.25 * 0.5 * r0 + 0.75 * r1, r1]
    assert huff_three_step(weights(), CAPACITY, PEOPLE).tolist() == pytest.approx(expected)


def test_weights_of_one_are_the_plain_two_steps() -> None:
    whole = weights()
    whole.data[:] = 1.0
    np.testing.assert_allclose(enhanced_two_step(whole, CAPACITY, PEOPLE), two_step(whole, CAPACITY, PEOPLE))


def test_decay_ends_at_the_limit_and_includes_it() -> None:
    assert step_decay(np.array([600.0, 600.0 + 1e-9, 900.0, 900.1]), *STEPS).tolist() == [1.0, 1.0, 0.5, 0.0]
    falling = gaussian_decay(np.linspace(0, 1000, 50), 900.0)
    assert (np.diff(falling) <= 0).all()
    assert gaussian_decay(np.array([450.0]), 900.0)[0] == pytest.approx(
        (np.exp(-0.125) - np.exp(-0.5)) / (1 - np.exp(-0.5))
    )


def random_case(
    seed: int, facilities: int = 6, points: int = 30
) -> tuple[csr_array, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    minutes = rng.uniform(0.1, 25, (facilities, points))
    minutes[minutes > 15] = np.nan
    return weights(minutes), rng.uniform(1, 50, facilities), rng.uniform(1, 500, points), minutes


@given(st.integers(0, 100_000))
def test_all_capacity_that_somebody_reaches_is_handed_out(seed: int) -> None:
    table, capacity, people, minutes = random_case(seed)
    reached = capacity[np.asarray(table.sum(axis=1)).ravel() > 0].sum()
    for steps in (two_step, enhanced_two_step, three_step):
        assert (steps(table, capacity, people) * people).sum() == pytest.approx(reached)
    # The Huff steps keep from people what decay keeps them from: with all near, nothing.
    assert (huff_three_step(table, capacity, people) * people).sum() <= reached + 1e-9
    near = weights(np.where(np.isnan(minutes), np.nan, minutes / 10.0))
    assert (huff_three_step(near, capacity, people) * people).sum() == pytest.approx(reached)


@given(st.integers(0, 100_000))
def test_the_order_of_facilities_points_and_pairs_means_nothing(seed: int) -> None:
    table, capacity, people, _ = random_case(seed)
    rng = np.random.default_rng(seed)
    facility, point = rng.permutation(len(capacity)), rng.permutation(len(people))
    pairs = table.tocoo()
    pair = rng.permutation(len(pairs.data))
    again = csr_array(
        (pairs.data[pair], (np.argsort(facility)[pairs.coords[0][pair]], np.argsort(point)[pairs.coords[1][pair]])),
        shape=table.shape,
    )
    for steps in (two_step, enhanced_two_step, three_step, huff_three_step):
        moved = steps(again, capacity[facility], people[point])
        np.testing.assert_allclose(moved, steps(table, capacity, people)[point], rtol=1e-12, atol=0)


@given(st.integers(0, 100_000), st.floats(0.1, 10))
def test_capacity_scales_and_nothing_given_is_changed(seed: int, factor: float) -> None:
    table, capacity, people, _ = random_case(seed)
    given_ = [array.copy() for array in (table.data, table.indices, table.indptr, capacity, people)]
    for steps in (two_step, enhanced_two_step, three_step, huff_three_step):
        once = steps(table, capacity, people)
        np.testing.assert_allclose(steps(table, factor * capacity, people), factor * once, rtol=1e-12)
        np.testing.assert_allclose(steps(table, capacity, factor * people), once / factor, rtol=1e-12)
    for array, before in zip((table.data, table.indices, table.indptr, capacity, people), given_, strict=True):
        np.testing.assert_array_equal(array, before)


def huff_by_definition(weight: np.ndarray, capacity: np.ndarray, people: np.ndarray) -> np.ndarray:
    """MH3SFCA as it is defined, on a dense table of weights (facilities, points), one pair at a time."""
    facilities, points = weight.shape
    chosen = np.zeros_like(weight)
    for i in range(points):
        drawn = [capacity[j] * weight[j, i] for j in range(facilities)]
        for j in range(facilities):
            chosen[j, i] = drawn[j] / sum(drawn) if sum(drawn) > 0 else 0.0
    ratio = np.zeros(facilities)
    for j in range(facilities):
        demand = sum(chosen[j, k] * people[k] for k in range(points))
        ratio[j] = capacity[j] / demand if demand > 0 else 0.0
    return np.array([sum(chosen[j, i] * weight[j, i] * ratio[j] for j in range(facilities)) for i in range(points)])


@given(st.integers(0, 100_000))
def test_huff_steps_are_those_of_the_definition(seed: int) -> None:
    table, capacity, people, _ = random_case(seed, facilities=4, points=12)
    capacity[seed % 4] = 0.0  # nobody is drawn to no bed
    expected = huff_by_definition(table.toarray(), capacity, people)
    np.testing.assert_allclose(huff_three_step(table, capacity, people), expected, rtol=1e-12, atol=1e-15)


def test_weights_of_many_pairs_are_those_of_single_ones() -> None:
    rng = np.random.default_rng(5)
    seconds = rng.uniform(0, 1000, 300_000)
    point = rng.permutation(300_000)
    limit = np.where(point % 2, 900.0, 600.0)
    catchment = csr_array((seconds, point, [0, 150_000, 150_000, 300_000]), shape=(3, 300_000))
    found = weights_of(catchment, lambda part, where: gaussian_decay(part, limit[where]))
    edge = np.exp(-0.5)
    expected = np.maximum((np.exp(-((seconds / limit) ** 2) / 2) - edge) / (1 - edge), 0)
    np.testing.assert_allclose(found.data, expected, rtol=1e-12, atol=1e-15)
    assert found.indices is catchment.indices or np.shares_memory(found.indices, catchment.indices)


@pytest.mark.parametrize("seed", range(5))
def test_as_access_computes_them(seed: int) -> None:
    table, capacity, people, minutes = random_case(seed)
    theirs = accessed(minutes, capacity, people, limit_min=15, weight=lambda at: 1.0 if at <= 10 else 0.5)
    for steps, given_ in ((two_step, table), (enhanced_two_step, table), (three_step, table)):
        np.testing.assert_allclose(steps(given_, capacity, people), theirs[steps.__name__], rtol=1e-9, atol=1e-15)
