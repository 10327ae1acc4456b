"""Random numbers that belong to names: whatever else there is, and in whatever order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from facility_coverage.analysis.draws import Crowd, draw, shifts_m
from facility_coverage.config.uncertainty import Uncertainty

ASKED = Uncertainty()
NAMES = pd.Series([f"f{i:05d}" for i in range(4000)])


def people_factors(asked: Uncertainty, number: int, points: pd.DataFrame) -> np.ndarray:
    return Crowd.of(points).factors(asked, number)


def people(cells: int = 4000) -> pd.DataFrame:
    return pd.DataFrame({"zone_id": np.array(["a", "b", None], dtype=object)[np.arange(cells) % 3],
                         "cell_id": np.arange(cells), "demand_id": [f"c{i:05d}" for i in range(cells)]})  # fmt: skip


def test_shifts_are_normal_with_the_deviation_asked_for_and_independent() -> None:
    found = shifts_m(ASKED, 1, layer="x", facility_ids=NAMES)
    for column in found.T:
        assert stats.kstest(column / 20.0, "norm").pvalue > 0.01
    other = shifts_m(ASKED, 2, layer="x", facility_ids=NAMES)
    elsewhere = shifts_m(ASKED, 1, layer="y", facility_ids=NAMES)
    seeded = shifts_m(Uncertainty(seed=2), 1, layer="x", facility_ids=NAMES)
    together = np.column_stack([found, other, elsewhere, seeded])
    correlation = np.corrcoef(together.T)
    assert np.abs(correlation - np.eye(8)).max() < 0.06


def test_factors_of_people_have_mean_one_and_the_deviations_asked_for() -> None:
    asked, points = Uncertainty(population_share=0.2, cell_share=0.5), people()
    drawn = np.array([people_factors(asked, number, points) for number in range(1, 401)])
    beyond = points["zone_id"].isna().to_numpy()
    assert drawn.min() > 0
    assert drawn[:, beyond].mean() == pytest.approx(1.0, abs=0.01)
    assert drawn[:, beyond].std() == pytest.approx(0.5, rel=0.02)
    by_zone = np.array([drawn[:, points["zone_id"] == zone].mean(axis=1) for zone in ("a", "b")])
    assert by_zone.mean(axis=1) == pytest.approx([1.0, 1.0], abs=0.04)
    assert by_zone.std(axis=1) == pytest.approx([0.2, 0.2], rel=0.15)
    assert abs(np.corrcoef(by_zone)[0, 1]) < 0.15


def test_pieces_of_a_cell_share_its_factor() -> None:
    asked = Uncertainty(population_share=0)
    points = pd.DataFrame({"zone_id": ["a", "b", None], "cell_id": [7, 7, 7], "demand_id": ["c7/a", "c7/b", "c7"]})
    (factor,) = set(people_factors(asked, 3, points))
    # A point keeps its factor wherever its row stands in the file, whose rows number the cells.
    alone = points.iloc[[2]]
    for cell in (0, 99):
        assert people_factors(asked, 3, alone.assign(cell_id=cell)).tolist() == [factor]


@given(seed=st.integers(0, 2**32 - 1), number=st.integers(1, 1000), data=st.data())
def test_neither_order_nor_company_nor_the_number_of_draws_matters(seed: int, number: int, data: st.DataObject) -> None:
    asked, more = Uncertainty(seed=seed, draws=5), Uncertainty(seed=seed, draws=500)
    rows = data.draw(st.lists(st.integers(0, 99), min_size=1, unique=True))
    whole = shifts_m(asked, number, layer="x", facility_ids=NAMES[:100])
    assert np.array_equal(shifts_m(more, number, layer="x", facility_ids=NAMES[rows]), whole[rows])
    points = people(100)
    factors = people_factors(asked, number, points)
    assert np.array_equal(people_factors(more, number, points.iloc[rows]), factors[rows])
    assert draw(asked, number, max_access_m=500) == draw(more, number, max_access_m=500)


@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0, 0.5), own=st.floats(10, 5000))
def test_speeds_and_limits_fill_their_ranges_evenly(seed: int, share: float, own: float) -> None:
    asked = Uncertainty(seed=seed, speed_share=share)
    found = [draw(asked, number, max_access_m=own) for number in range(1, 41)]
    speed, limit = np.array([one.speed for one in found]), np.array([one.max_access_m for one in found])
    assert (np.abs(speed - 1.0) <= share + 1e-12).all()
    assert (limit >= 0.6 * own - 1e-9).all()
    assert (limit <= 1.6 * own + 1e-9).all()
    # Every second set of independent draws lies farther from an even spread than this; none of these does.
    evenly = np.where(limit < own, (limit / own - 0.6) / 0.8, 0.5 + (limit / own - 1.0) / 1.2)
    assert stats.kstest(evenly, "uniform").statistic < 0.125
    if share > 1e-6:
        assert stats.kstest(((speed - 1.0) / share + 1.0) / 2.0, "uniform").statistic < 0.125


def test_ranges_of_nothing_give_the_studys_own_figures_to_the_last_digit() -> None:
    asked = Uncertainty.model_validate(
        {"speed_share": 0, "max_access_m": {"low": 333.3, "high": 333.3}, "position_m": 0, "population_share": 0,
         "cell_share": 0}
    )  # fmt: skip
    one = draw(asked, 9, max_access_m=333.3)
    assert (one.speed, one.max_access_m) == (1.0, 333.3)
    assert (people_factors(asked, 9, people()) == 1.0).all()
    assert not shifts_m(asked, 9, layer="x", facility_ids=NAMES).any()


def test_nobody_stays_nobody_and_no_data_stays_no_data() -> None:
    points = people(3).assign(total=[0.0, np.nan, 5.0])
    varied = points["total"].to_numpy() * people_factors(ASKED, 1, points)
    assert varied[0] == 0
    assert np.isnan(varied[1])
    assert varied[2] != 5
