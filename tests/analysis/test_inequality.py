"""Gini, Lorenz curve, Palma-like ratio and worst-served part: by hand, by law, person by person and against PySAL."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility_coverage.analysis.inequality import Distribution

# Ten people: four have nothing, five have 2, one has 10; 20 in all.
VALUES, PEOPLE = [2.0, 10.0, 0.0], [5.0, 1.0, 4.0]

# Eighths differ by more than rounding: no unit makes two of them the same number.
values = st.integers(0, 8_000_000).map(lambda eighths: eighths / 8) | st.just(0.0)
rows = st.lists(st.tuples(values, st.integers(1, 40)), min_size=1, max_size=30)


def of(pairs: list[tuple[float, int]], *, scale: float = 1.0) -> Distribution:
    return Distribution.of([scale * value for value, _ in pairs], [people for _, people in pairs])


def by_pairs(value: np.ndarray, people: np.ndarray) -> float:
    """The mean difference of every two people, over twice the mean: the definition, without sorting anything."""
    apart = np.abs(value[:, None] - value[None, :])
    total = people.sum()
    return float((people[:, None] * people[None, :] * apart).sum() / (2 * total * (people * value).sum()))


def pysal(everybody: np.ndarray) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from inequality.gini import Gini  # noqa: PLC0415 - only here
    return float(Gini(everybody).g)


def test_by_hand() -> None:
    ten = Distribution.of(VALUES, PEOPLE)
    assert ten.value.tolist() == [0, 2, 10]
    assert ten.people.tolist() == [4, 5, 1]
    assert ten.mean == 2
    assert ten.lorenz([0, 0.2, 0.4, 0.5, 0.9, 0.95, 1]).tolist() == pytest.approx([0, 0, 0, 0.1, 0.5, 0.75, 1])
    # Under the curve: 0 up to 0.4, a triangle of 0.5 by 0.5, then 0.1 at 0.75 on average.
    assert ten.gini() == pytest.approx(1 - 2 * (0.125 + 0.075))
    # Six tenths of the people: the tenth at the top has 10, the four tenths at the bottom nothing.
    assert np.isnan(ten.palma())
    # Of five of ten people: the four with nothing, and one of the five with 2.
    assert ten.part_below(0.5).tolist() == pytest.approx([1, 0.2, 0])
    assert ten.part_below(0.1).tolist() == pytest.approx([0.25, 0, 0])
    assert Distribution.of([1, 2, 5], [5, 4, 1]).palma() == pytest.approx(5 / 4)


def test_nobody_and_nothing_have_no_figure() -> None:
    nobody = Distribution.of([1.0, np.nan], [0.0, 3.0])
    assert len(nobody.value) == 0
    assert len(nobody.part_below(0.1)) == 0
    nothing = Distribution.of([0.0, 0.0], [2.0, 3.0])
    assert nothing.mean == 0
    assert nothing.part_below(0.1).tolist() == pytest.approx([0.1])
    assert np.isnan(nobody.mean)
    for none in (nobody, nothing):
        assert np.isnan([none.gini(), none.palma(), *none.lorenz([0, 0.5, 1])]).all()


def test_people_without_a_figure_are_left_out() -> None:
    with_them = Distribution.of([*VALUES, np.nan], [*PEOPLE, 90.0])
    assert with_them.gini() == Distribution.of(VALUES, PEOPLE).gini()
    assert with_them.people.sum() == 10


def test_values_that_differ_in_the_last_digit_are_one_class() -> None:
    # 0.1 + 0.2 is not 0.3 to the last digit: both halves of the class give the same part of their people.
    almost = Distribution.of([0.3, 0.1 + 0.2, 1.0], [10, 30, 60])
    assert len(almost.value) == 3
    assert almost.part_below(0.1).tolist() == pytest.approx([0.25, 0.25, 0])


def test_four_tenths_whose_end_is_the_last_digit_of_a_sum_have_nothing() -> None:
    tenths = Distribution.of([0.0, 1.0], [0.1 + 0.3 - 1e-16, 0.6])
    assert np.isnan(tenths.palma())


@given(rows)
def test_person_by_person(pairs: list[tuple[float, int]]) -> None:
    shared = of(pairs)
    everybody = np.sort(np.repeat([value for value, _ in pairs], [people for _, people in pairs]))
    ten_times = np.repeat(everybody, 10)  # so that tenths are whole people
    if not everybody.sum() > 0:
        assert np.isnan(shared.gini())
        return
    assert shared.mean == pytest.approx(everybody.mean(), rel=1e-12)
    assert shared.gini() == pytest.approx(pysal(everybody), abs=1e-9)
    assert shared.gini() == pytest.approx(by_pairs(shared.value, shared.people), abs=1e-9)
    count = len(everybody)
    share = np.array([ten_times[: k * count].sum() for k in range(11)]) / ten_times.sum()
    assert shared.lorenz(np.linspace(0, 1, 11)) == pytest.approx(share, abs=1e-9)
    if share[4] > 0:
        assert shared.palma() == pytest.approx((1 - share[9]) / share[4], rel=1e-9)
    else:
        assert np.isnan(shared.palma())


@pytest.mark.parametrize("seed", range(10))
def test_as_pysal_computes_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    value = rng.lognormal(0, 1 + seed / 5, 300) * (rng.random(300) < 0.7)
    people = rng.integers(1, 200, 300)
    assert Distribution.of(value, people).gini() == pytest.approx(pysal(np.repeat(value, people)), abs=1e-9)
    # Hundredths of a person, as sharing out cells gives them: whole hundredths stand for people.
    assert Distribution.of(value, people / 100).gini() == pytest.approx(pysal(np.repeat(value, people)), abs=1e-9)


@given(rows, st.floats(1e-3, 1e3))
def test_neither_the_unit_nor_the_number_of_people_matters(pairs: list[tuple[float, int]], factor: float) -> None:
    shared, scaled = of(pairs), of(pairs, scale=factor)
    more = Distribution.of(shared.value, factor * shared.people)
    at = np.linspace(0, 1, 21)
    for other in (scaled, more):
        assert other.gini() == pytest.approx(shared.gini(), abs=1e-9, nan_ok=True)
        assert other.lorenz(at) == pytest.approx(shared.lorenz(at), abs=1e-9, nan_ok=True)
        assert other.part_below(0.1) == pytest.approx(shared.part_below(0.1), abs=1e-9)


@given(rows, st.randoms(use_true_random=False), st.integers(0, 29), st.floats(0.01, 0.99))
def test_order_does_not_matter_nor_does_splitting_a_cell(
    pairs: list[tuple[float, int]], random: object, at: int, part: float
) -> None:
    shared = of(pairs)
    mixed = list(pairs)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    value, people = mixed.pop(at % len(mixed))
    split = Distribution.of(
        [*(one for one, _ in mixed), value, value], [*(n for _, n in mixed), part * people, people - part * people]
    )
    assert split.value.tolist() == shared.value.tolist()
    assert split.people == pytest.approx(shared.people, rel=1e-12)
    assert split.gini() == pytest.approx(shared.gini(), abs=1e-12, nan_ok=True)
    assert split.part_below(0.1) == pytest.approx(shared.part_below(0.1), abs=1e-12)


@given(st.floats(1e-3, 1e6), st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_equal_values_are_perfectly_even(value: float, people: list[int]) -> None:
    equal = Distribution.of([value] * len(people), people)
    assert equal.gini() == 0
    assert equal.palma() == pytest.approx(0.25)
    assert equal.lorenz([0.3]).tolist() == pytest.approx([0.3])


@given(rows)
def test_lorenz_curves_are_convex_and_below_the_diagonal(pairs: list[tuple[float, int]]) -> None:
    shared, at = of(pairs), np.linspace(0, 1, 101)
    curve = shared.lorenz(at)
    if np.isnan(curve).all():
        return
    assert (curve[0], curve[-1]) == (0, 1)
    assert (np.diff(curve) >= 0).all()
    assert (np.diff(curve, 2) >= -1e-12).all()
    assert (curve <= at + 1e-12).all()
    assert 0 <= shared.gini() < 1


@given(rows, st.floats(0.01, 0.99))
def test_the_worst_served_part_is_exactly_that_part_and_nobody_below_is_left(
    pairs: list[tuple[float, int]], share: float
) -> None:
    shared = of(pairs)
    part = shared.part_below(share)
    assert (part * shared.people).sum() == pytest.approx(share * shared.people.sum(), rel=1e-12)
    # Whole below, nobody above, and one value in between (or values that are the same but for rounding).
    assert (np.diff(part) <= 1e-12).all()
    between = shared.value[(part > 1e-9) & (part < 1 - 1e-9)]
    assert len(between) == 0 or np.ptp(between) <= 1e-9 * between.max() * len(between)
