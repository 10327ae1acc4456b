"""Raking meets its totals and keeps what the source says beyond them."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from facility_coverage.layers.raking import TOLERANCE, Totals, rake

NAN = np.nan
# Scaling by turns converges the more slowly the more a table falls apart into blocks; 800 to 1 is met here.
counts = st.integers(1, 800).map(lambda n: n / 2)


def totals(cell: np.ndarray, *, zone: object = NAN, part: object = NAN, whole: float = NAN) -> Totals:
    rows, columns = cell.shape
    return Totals(
        cell, np.broadcast_to(np.asarray(zone, float), rows), np.broadcast_to(np.asarray(part, float), columns), whole
    )


def free(shape: tuple[int, int]) -> np.ndarray:
    return np.full(shape, NAN)


def test_one_round_by_hand() -> None:
    # Zone totals alone: each row is scaled to its own, and the third keeps its figures.
    seed = np.array([[1.0, 3.0], [2.0, 2.0], [5.0, 6.0]])
    raked = rake(seed, totals(free((3, 2)), zone=[8, 2, NAN]))
    assert raked.is_met
    assert raked.people.tolist() == [[2, 6], [1, 1], [5, 6]]


def test_a_table_of_independent_margins_is_their_product() -> None:
    # A seed of ones holds no interaction, so people are row × column ÷ sum.
    raked = rake(np.ones((2, 3)), totals(free((2, 3)), zone=[30, 70], part=[20, 30, 50]))
    np.testing.assert_allclose(raked.people, np.outer([30, 70], [20, 30, 50]) / 100, rtol=1e-12)


def test_the_study_scales_zones_without_a_total_of_their_own() -> None:
    raked = rake(np.array([[10.0], [20.0], [30.0]]), totals(free((3, 1)), zone=[15, NAN, NAN], whole=115.0))
    np.testing.assert_allclose(raked.people.ravel(), [15, 40, 60], rtol=1e-8)


@given(
    seed=arrays(np.float64, (3, 4), elements=counts), wanted=arrays(np.float64, (3, 4), elements=counts), data=st.data()
)
def test_margins_are_met_and_odds_ratios_are_kept(seed: np.ndarray, wanted: np.ndarray, data: st.DataObject) -> None:
    raked = rake(seed, totals(free((3, 4)), zone=wanted.sum(axis=1), part=wanted.sum(axis=0)))
    assert raked.is_met
    np.testing.assert_allclose(raked.people.sum(axis=1), wanted.sum(axis=1), rtol=2 * TOLERANCE)
    np.testing.assert_allclose(raked.people.sum(axis=0), wanted.sum(axis=0), rtol=2 * TOLERANCE)

    def odds(table: np.ndarray) -> np.ndarray:
        return np.log(table[0, 0]) + np.log(table[1:, 1:]) - np.log(table[:1, 1:]) - np.log(table[1:, :1])

    np.testing.assert_allclose(odds(raked.people), odds(seed), atol=1e-9)
    rows, columns = data.draw(st.permutations(range(3))), data.draw(st.permutations(range(4)))
    turned = rake(
        seed[np.ix_(rows, columns)],
        totals(free((3, 4)), zone=wanted.sum(axis=1)[rows], part=wanted.sum(axis=0)[columns]),
    )
    np.testing.assert_allclose(turned.people, raked.people[np.ix_(rows, columns)], rtol=1e-7)


def test_it_is_the_nearest_table_in_relative_entropy() -> None:
    # SciPy minimises the divergence under the same totals, some of which are not given.
    seed = np.array([[8.0, 2.0, 5.0], [1.0, 9.0, 4.0]])
    cell = free((2, 3))
    cell[0, 1] = 3.0
    raked = rake(seed, totals(cell, zone=[20, NAN], part=[NAN, 14, NAN], whole=40))
    conditions = [
        {"type": "eq", "fun": lambda x: x[1] - 3},
        {"type": "eq", "fun": lambda x: x[:3].sum() - 20},
        {"type": "eq", "fun": lambda x: x[1] + x[4] - 14},
        {"type": "eq", "fun": lambda x: x.sum() - 40},
    ]
    best = scipy.optimize.minimize(
        lambda x: float((x * np.log(x / seed.ravel()) - x).sum()), seed.ravel(), bounds=[(1e-9, None)] * 6,
        constraints=conditions, method="SLSQP", options={"ftol": 1e-14, "maxiter": 500},
    )  # fmt: skip
    assert raked.is_met
    np.testing.assert_allclose(raked.people.ravel(), best.x, rtol=1e-5)


def test_contradictions_are_told_by_their_residuals() -> None:
    raked = rake(np.ones((2, 1)), totals(free((2, 1)), zone=[10, 10], whole=21))
    assert not raked.is_met
    assert raked.residual.zone.tolist() == pytest.approx([0.5, 0.5])
    assert raked.residual.whole == pytest.approx(0)
    assert np.isnan(raked.residual.cell).all()


def test_nobody_stays_nobody() -> None:
    raked = rake(np.array([[0.0, 4.0], [3.0, 0.0]]), totals(free((2, 2)), zone=[8, 0]))
    assert raked.is_met
    assert raked.people.tolist() == [[0, 8], [0, 0]]
