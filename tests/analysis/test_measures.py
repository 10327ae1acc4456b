"""Measures as pure functions, computed by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from facility_coverage.analysis import measures
from facility_coverage.analysis.accessibility import two_step
from facility_coverage.analysis.tally import Figure, tally

NAN = float("nan")
ZONES = ["a", "b", "c"]
BEDS = pd.DataFrame(
    {
        "zone_id": ["a", "a", "b", None],
        "beds": [30.0, NAN, 10.0, 500.0],
        "nursing": [15.0, 4.0, NAN, 500.0],
        "public": [True, False, None, True],
    }
)


def test_facilities_are_counted_where_they_stand() -> None:
    counted = measures.facility_count(BEDS, ZONES)
    assert counted.rows["amount"].tolist() == [2, 1, 0]
    assert counted.figure(ZONES) == Figure(3.0)
    assert counted.figure(["c"]).value == 0


def test_known_capacities_are_summed_and_unknown_ones_counted() -> None:
    total = measures.capacity_total(BEDS, ZONES, capacity="beds")
    assert total.figure(ZONES) == Figure(40.0, missing=1)
    assert total.figure(["c"]) == Figure(0.0)  # no facility: that is known
    unknown = measures.capacity_total(BEDS.iloc[1:2], ZONES, capacity="beds").figure(["a"])
    assert (unknown.value, unknown.missing) == (None, 1)


def test_a_share_takes_only_facilities_where_both_are_known() -> None:
    shared = measures.capacity_share(BEDS, ZONES, capacity="beds", part="nursing")
    assert shared.figure(ZONES) == Figure(15.0, 30.0, 2)
    assert measures.capacity_share(BEDS.iloc[:0], ZONES, capacity="beds", part="nursing").figure(ZONES).value is None


def test_a_share_of_the_capacity_of_facilities_of_a_kind() -> None:
    known = BEDS.assign(beds=[30.0, 20.0, 10.0, 500.0])
    shared = measures.capacity_share(known, ZONES, capacity="beds", attribute="public")
    assert shared.figure(ZONES) == Figure(30.0, 50.0, 1)


def test_a_share_of_facilities_leaves_unknown_ones_out() -> None:
    assert measures.facility_share(BEDS, ZONES, attribute="public").figure(ZONES) == Figure(1.0, 2.0, 1)


@pytest.mark.parametrize(("people", "value"), [(8000, 5.0), (0, None)])
def test_capacity_per_thousand(people: float, value: float | None) -> None:
    per_zone = pd.Series({"a": people / 2, "b": people / 2, "c": 0.0})
    assert measures.capacity_per_1000(BEDS.iloc[[0, 2]], per_zone, capacity="beds").figure(ZONES).value == value


@pytest.mark.parametrize(("per", "value"), [(1.0, 0.1), (10_000.0, 1000.0), (310.0, 31.0)])
def test_square_metres_per_person_ten_thousand_and_hundred_households(per: float, value: float) -> None:
    halls = pd.DataFrame({"zone_id": ["a", "b"], "area_m2": [60.0, 40.0]})
    people = pd.Series({"a": 600.0, "b": 400.0})  # households of 3.1: a hundred are 310 people
    figure = measures.area_per_person(halls, people, capacity="area_m2", per=per).figure(["a", "b"])
    assert figure.value == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("limits", "amounts"),
    [({}, [1, 1, 0]), ({"at_least": 2}, [1, 0, 0]), ({"at_least": 1, "at_most": 1}, [0, 1, 0])],
)
def test_zones_with_enough_facilities_and_not_too_many(limits: dict[str, int], amounts: list[int]) -> None:
    counted = measures.units_with_facility(BEDS["zone_id"], ZONES, **limits)
    assert counted.rows["amount"].tolist() == amounts
    assert counted.figure(ZONES) == Figure(float(sum(amounts)), 3.0)


def test_people_within_reach_are_counted_zone_by_zone() -> None:
    zone = pd.Series(["a", "a", "b", None], dtype=object)
    counted = measures.population_covered(
        zone, np.array([300.0, 100.0, 100.0, 999.0]), np.array([1, 0, 1, 1], bool), ZONES
    )
    assert counted.figure(ZONES) == Figure(400.0, 500.0)
    assert counted.figure(["c"]).value is None


def test_facilities_beside_another() -> None:
    counted = measures.colocated_share(BEDS.iloc[:3], np.array([True, False, True]), ZONES)
    assert counted.figure(ZONES) == Figure(2.0, 3.0)


def test_two_step_accessibility_by_hand() -> None:
    """Luo and Wang's two steps: 20 beds for 200 people, 30 for 150; the middle place reaches both."""
    within = csr_array(np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 0.0]]))
    people = np.array([100.0, 100.0, 50.0])
    index = two_step(within, np.array([20.0, 30.0, 7.0]), people)
    np.testing.assert_allclose(index, [0.1, 0.3, 0.2], rtol=1e-14)
    counted = measures.mean_accessibility(pd.Series(["a", "a", "b"]), people, index, ZONES)
    # 50 beds for 250 people: 200 for every thousand; the seven that nobody reaches count for nobody.
    assert counted.figure(ZONES).value == pytest.approx(200.0)


@given(st.data())
def test_two_step_hands_out_every_capacity_that_somebody_reaches(data: Any) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    within = csr_array((rng.random((4, 9)) < 0.4).astype(float))
    people, capacity = rng.integers(0, 50, 9).astype(float), rng.integers(0, 99, 4).astype(float)
    reached = (within @ people) > 0
    assert (two_step(within, capacity, people) * people).sum() == pytest.approx(capacity[reached].sum(), rel=1e-12)


@given(st.lists(st.floats(0, 1e6), max_size=20), st.randoms(use_true_random=False))
def test_sums_do_not_depend_on_the_order(beds: list[float], random: Any) -> None:
    shuffled = list(beds)
    random.shuffle(shuffled)
    zones = [f"z{i}" for i in range(len(beds))]
    one, two = (tally(zones, amount=pd.Series(b, index=zones, dtype=float), base=1.0) for b in (beds, shuffled))
    assert one.figure(zones).amount == two.figure(zones).amount == math.fsum(beds)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.one_of(st.none(), st.floats(0, 1e6))), max_size=12))
def test_zones_add_up_to_the_study(rows: list[tuple[str, float | None]]) -> None:
    table = pd.DataFrame({"zone_id": [z for z, _ in rows], "beds": pd.Series([b for _, b in rows], dtype=float)})
    total = measures.capacity_total(table, ZONES, capacity="beds")
    whole, parts = total.figure(ZONES), [total.figure([zone]) for zone in ZONES]
    assert whole.missing == sum(part.missing for part in parts)
    known = [part.amount for part in parts if not math.isnan(part.amount)]
    if not math.isnan(whole.amount):
        assert whole.amount == pytest.approx(math.fsum(known), rel=1e-12)
