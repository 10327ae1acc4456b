from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility_coverage.analysis.capacity import (
    capacity_per_1000,
    capacity_share,
    capacity_total,
    facility_count,
    own_facilities,
    population_covered,
)

NAN = float("nan")
BEDS = pd.DataFrame(
    {
        "zone_id": ["a", "a", "b", None],
        "tier": ["top", "low", "low", "top"],
        "beds": [30.0, NAN, 10.0, 500.0],
        "nursing": [15.0, 4.0, NAN, 500.0],
    }
)


def test_facilities_beyond_the_zones_are_not_the_studys_own() -> None:
    assert list(own_facilities(BEDS, {"a", "b"}).index) == [0, 1, 2]
    assert list(own_facilities(BEDS, {"a", "b"}, tier="low").index) == [1, 2]
    assert facility_count(own_facilities(BEDS, {"b"})).value == 1


def test_known_capacities_are_summed_and_unknown_ones_counted() -> None:
    figure = capacity_total(own_facilities(BEDS, {"a", "b"}), capacity="beds")
    assert (figure.value, figure.missing) == (40, 1)
    assert capacity_total(BEDS.iloc[:0], capacity="beds").value == 0
    unknown = capacity_total(BEDS.iloc[1:2], capacity="beds")
    assert (unknown.value, unknown.missing) == (None, 1)


def test_a_share_takes_only_facilities_where_both_are_known() -> None:
    figure = capacity_share(BEDS.iloc[:3], capacity="beds", part="nursing")
    assert (figure.value, figure.missing) == (0.5, 2)
    assert capacity_share(BEDS.iloc[:0], capacity="beds", part="nursing").value is None


@pytest.mark.parametrize(("people", "value"), [(8000, 5.0), (0, None), (NAN, None)])
def test_capacity_per_thousand(people: float, value: float | None) -> None:
    assert capacity_per_1000(BEDS.iloc[[0, 2]], capacity="beds", people=people).value == value


@pytest.mark.parametrize(("covered", "people", "value"), [(30, 40, 0.75), (0, 40, 0), (0, 0, None)])
def test_population_covered(covered: float, people: float, value: float | None) -> None:
    assert population_covered(covered=covered, people=people).value == value


@given(st.lists(st.floats(0, 1e6), max_size=20), st.randoms(use_true_random=False))
def test_sums_do_not_depend_on_the_order(beds: list[float], random: object) -> None:
    shuffled = list(beds)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis types it as object-like
    one, two = (
        capacity_total(pd.DataFrame({"beds": pd.Series(b, dtype=float)}), capacity="beds") for b in (beds, shuffled)
    )
    assert one == two
    assert one.amount == math.fsum(beds)
