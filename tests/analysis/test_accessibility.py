"""The floating catchment area family: by hand, by law, and against PySAL's `access`."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
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
)

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
def test_two_steps_hand_out_all_capacity_that_somebody_reaches(seed: int) -> None:
    table, capacity, people, _ = random_case(seed)
    reached = np.asarray(table.sum(axis=1)).ravel() > 0
    for steps in (enhanced_two_step, three_step):
        assert (steps(table, capacity, people) * people).sum() == pytest.approx(capacity[reached].sum())
    # Where decay keeps people from the whole of what they demand, not all is handed out.
    assert (huff_three_step(table, capacity, people) * people).sum() <= capacity[reached].sum() + 1e-9


@pytest.mark.parametrize("seed", range(5))
def test_as_access_computes_them(seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from access import fca  # noqa: PLC0415 - only here

        table, capacity, people, minutes = random_case(seed)
        rows, columns = np.nonzero(~np.isnan(minutes))
        cost = pd.DataFrame({"origin": columns, "dest": rows, "cost": minutes[rows, columns]})
        demand = pd.DataFrame({"geoid": np.arange(len(people)), "demand": people}).set_index("geoid")
        supply = pd.DataFrame({"geoid": np.arange(len(capacity)), "supply": capacity}).set_index("geoid")

        def weight(minute: float) -> float:
            return 1.0 if minute <= 10 else 0.5 if minute <= 15 else 0.0

        tables = demand.reset_index(), supply.reset_index()
        theirs = fca.two_stage_fca(*tables, cost.copy(), max_cost=15, weight_fn=weight)
        ours = enhanced_two_step(table, capacity, people)
        np.testing.assert_allclose(theirs.reindex(np.arange(len(people))).fillna(0).to_numpy(), ours, rtol=1e-9)
        theirs = fca.three_stage_fca(*tables, cost.copy(), max_cost=15, weight_fn=weight)
        ours = three_step(table, capacity, people)
        np.testing.assert_allclose(theirs.reindex(np.arange(len(people))).fillna(0).to_numpy(), ours, rtol=1e-9)
