"""Goals on the street of `judging`: a metre a second, so that 15 minutes are 900 m; every figure by hand."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import builders
from facility_coverage.analysis.goals import expected_value, judge, status_of
from facility_coverage.analysis.verdicts import Verdict
from facility_coverage.config.catalogue import Catalogue
from facility_coverage.config.plan import Plan
from judging import END, evidence, goal, judged, simple

NAN = float("nan")


def verdict(one: Any, rows: Any, people: Any, date: dt.date = END) -> Verdict:
    return judged(one, simple(rows, people, date=date))


def test_slots_exactly_at_the_target_are_met() -> None:
    result = verdict(goal("capacity_per_1000", 4.5), [("a", 45, 0), ("b", 0, 0)], {"a": (4000, 0), "b": (6000, 0)})
    assert (result.value, result.status, result.shortfall, result.unit) == (4.5, "met", 0, "beds")
    assert [(z.value, z.status, z.shortfall) for z in result.zones] == [(11.25, "met", 0), (0, "behind", 27)]


def test_a_value_is_never_rounded_to_its_target() -> None:
    result = verdict(goal("capacity_share", 0.6), [("a", 10_000, 5996)], {"a": (1, 1)})
    assert (result.value, result.status, result.shortfall, result.unit) == (0.5996, "behind", 4, "nursing")


def test_float_noise_does_not_miss_a_target() -> None:
    people = sum([0.1] * 10)  # 0.9999999999999999
    result = verdict(goal("population_covered", 1), [], {"a": (1.0, people)})
    assert (result.status, result.shortfall) == ("met", 0)
    missed = verdict(goal("population_covered", 1), [], {"a": (1e6, 1e6 - 0.01)})
    assert (missed.status, missed.shortfall, missed.unit) == ("behind", 1, "people")


def test_shortfalls_are_whole() -> None:
    assert verdict(goal("capacity_total", 9000), [("a", 8999.5, 0)], {"a": (1, 1)}).shortfall == 1
    assert verdict(goal("facility_count", 7), [("a", 1, 0)] * 5 + [(None, 1, 0)], {"a": (1, 1)}).shortfall == 2
    # 0.9 of 10.5 people are 9.45; 4 are covered, 5.45 are missing
    assert verdict(goal("population_covered", 0.9), [], {"a": (10.5, 4)}).shortfall == 6


def test_totals_have_values_but_no_status_per_zone() -> None:
    for measure, value in (("facility_count", 1), ("capacity_total", 30)):
        result = verdict(goal(measure, 5), [("a", 30, 0)], {"a": (1, 1), "b": (1, 1)})
        assert [(z.id, z.name, z.value, z.status, z.shortfall) for z in result.zones] == [
            ("a", "Town a", value, None, None),
            ("b", "Town b", 0, None, None),
        ]


@pytest.mark.parametrize(
    ("measure", "rows", "people"),
    [
        ("capacity_total", [("a", NAN, NAN)], (5, 5)),
        ("capacity_per_1000", [("a", 5, 5)], (0, 0)),
        ("capacity_share", [("a", 0, 0)], (5, 5)),
        ("capacity_share", [], (5, 5)),
        ("population_covered", [], (0, 0)),
    ],
)
def test_nothing_to_measure_is_no_data(measure: str, rows: Any, people: tuple[float, float]) -> None:
    result = verdict(goal(measure, 0.5), rows, {"a": people})
    assert (result.value, result.status, result.shortfall) == (None, "no_data", None)


def test_missing_capacities_are_counted_and_noted() -> None:
    result = verdict(goal("capacity_total", 40), [("a", 30, 0), ("a", NAN, 0), (None, NAN, 0)], {"a": (1, 1)})
    assert (result.value, result.missing, result.shortfall) == (30, 1, 10)
    assert result.note_en == "1 facility has no figure for beds and is left out"
    assert result.note_zh == "1 处设施缺少 beds 数据，未计入"


LINE = {"baseline": {"year": 2020, "value": 1.0}}  # to 6.0 at the end of 2025: 1 a year


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        (dt.date(2019, 6, 1), 1.0),
        (dt.date(2020, 12, 31), 1.0),
        (dt.date(2021, 12, 31), 1 + 5 * 365 / 1826),
        (dt.date(2025, 12, 31), 6.0),
        (dt.date(2026, 1, 1), None),
    ],
)
def test_the_line_runs_by_days_between_the_ends_of_years(date: dt.date, expected: float | None) -> None:
    line = expected_value(goal("capacity_total", 6, **LINE), date)
    assert line == (None if expected is None else pytest.approx(expected, rel=1e-12))


@pytest.mark.parametrize(
    ("date", "value", "status"),
    [
        (dt.date(2021, 12, 31), 1.999, "behind"),  # the line stands at 1.99945
        (dt.date(2021, 12, 31), 2.0, "on_track"),
        (dt.date(2021, 12, 31), 6.0, "met"),
        (dt.date(2019, 1, 1), 1.0, "on_track"),
        (dt.date(2025, 12, 31), 5.999, "behind"),
        (dt.date(2026, 1, 1), 5.999, "behind"),
        (dt.date(2026, 1, 1), 6.0, "met"),
        (dt.date(2021, 12, 31), None, "no_data"),
    ],
)
def test_status_before_on_and_after_the_end(date: dt.date, value: float | None, status: str) -> None:
    assert status_of(goal("capacity_total", 6, **LINE), value, date) == status


def test_without_a_baseline_there_is_no_track() -> None:
    assert status_of(goal("capacity_total", 6), 5.9, dt.date(2021, 1, 1)) == "behind"


def test_a_baseline_above_the_target_leaves_only_met_and_behind() -> None:
    one = goal("capacity_total", 6, baseline={"year": 2020, "value": 8})
    assert status_of(one, 6, dt.date(2021, 1, 1)) == "met"
    assert status_of(one, 5.9, dt.date(2021, 1, 1)) == "behind"


def test_binding_goals_come_first_then_expected_then_text() -> None:
    natures = ["text", "expected", "binding", "expected", "binding", "text"]
    goals = [goal("facility_count", 1, id=f"G{i}", nature=n) for i, n in enumerate(natures)]
    plan = Plan.model_validate({"id": "p", "title": "P", "goals": goals})
    verdicts = judge([plan], simple([], {"a": (1, 1)}))
    assert [v.goal_id for v in verdicts] == ["G2", "G4", "G1", "G3", "G0", "G5"]


def test_a_tier_and_the_zones_are_selected() -> None:
    one = goal("facility_count", 1, tier="low")
    assert verdict(one, [("a", 1, 1)], {"a": (1, 1)}).value == 0
    result = verdict(goal("facility_count", 1, tier="top"), [("a", 1, 1), ("elsewhere", 1, 1)], {"a": (1, 1)})
    assert (result.value, result.status) == (1, "met")


ROWS = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 200), st.integers(0, 200)), max_size=8)
RANK = {"no_data": 0, "behind": 0, "on_track": 1, "met": 2}


@settings(max_examples=30, deadline=None)
@given(
    rows=ROWS,
    more=st.integers(0, 500),
    target=st.floats(0, 50),
    date=st.dates(dt.date(2018, 1, 1), dt.date(2030, 1, 1)),
)
def test_more_beds_never_worsen_a_status(rows: Any, more: int, target: float, date: dt.date) -> None:
    for measure in ("capacity_total", "capacity_per_1000", "facility_count"):
        one = goal(measure, target, **LINE)
        people = {"a": (1000.0, 1.0), "b": (3000.0, 1.0)}
        before, after = verdict(one, rows, people, date), verdict(one, [*rows, ("a", more, 0)], people, date)
        assert RANK[after.status] >= RANK[before.status]
        assert cast("float", after.shortfall) <= cast("float", before.shortfall)


@settings(max_examples=30, deadline=None)
@given(rows=ROWS)
def test_zones_sum_to_the_study(rows: Any) -> None:
    for measure in ("capacity_total", "facility_count"):
        result = verdict(goal(measure, 5), rows, {"a": (1, 1), "b": (1, 1)})
        assert sum(cast("float", zone.value) for zone in result.zones) == result.value


@settings(max_examples=30, deadline=None)
@given(rows=ROWS, target=st.floats(0.01, 20))
def test_building_the_shortfall_meets_the_goal(rows: Any, target: float) -> None:
    one, people = goal("capacity_per_1000", target), {"a": (777.7, 1.0), "b": (3000.0, 1.0)}
    result = verdict(one, rows, people)
    assert verdict(one, [*rows, ("a", result.shortfall, 0)], people).status == "met"
    if result.shortfall:
        assert verdict(one, [*rows, ("a", cast("float", result.shortfall) - 1, 0)], people).status != "met"


# --- every measure, scope and boundary on the street: a metre a second, so that 15 minutes are 900 m


def town(**columns: Any) -> pd.DataFrame:
    """Two towns: `a` urban, `b` rural."""
    return pd.DataFrame({"zone_id": ["a", "b"], "area_type": ["urban", "rural"], **columns})


PEOPLE = pd.DataFrame(
    {
        "zone_id": ["a", "a", "a", "b", "b"],
        "x_m": [720.0, 900.0, 901.0, 1800.0, 2500.0],
        "total": [300.0, 100.0, 100.0, 50.0, 150.0],
        "old": [30.0, 20.0, 50.0, 40.0, 60.0],
    }
)
ONE_CLINIC = pd.DataFrame({"x_m": [0.0], "zone_id": ["a"], "tier": ["top"]})


def on_street(facilities: Any = ONE_CLINIC, **more: Any) -> Any:
    return evidence(facilities, PEOPLE, more.pop("zones", town()), **more)


def test_cutoffs_are_inclusive_and_follow_the_area_type() -> None:
    """300 at 12 min and 100 at exactly 15 are within, 100 at 15 min 1 s are not; in the country 30 min count."""
    result = judged(goal("population_covered", 0.6), on_street())
    assert [(z.value, z.amount, z.base) for z in result.zones] == [(0.8, 400, 500), (0.25, 50, 200)]
    assert (result.value, result.status, result.shortfall) == (450 / 700, "met", 0)
    strict = judged(goal("population_covered", 0.65), on_street())
    assert (strict.status, strict.shortfall) == ("behind", 5)  # 0.65 of 700 are 455


def test_a_goal_may_set_group_cutoff_and_scope() -> None:
    old = judged(goal("population_covered", 1, group="old", cutoff_min=12), on_street())
    assert (old.value, old.amount, old.base) == (0.15, 30, 200)
    town_only = judged(goal("population_covered", 0.8, scope={"area_type": "urban"}), on_street())
    assert (town_only.value, town_only.status) == (0.8, "met")
    assert [(z.value, z.status, z.reason) for z in town_only.zones] == [(0.8, "met", ""), (None, None, "out_of_scope")]


def test_a_goal_in_each_zone_takes_the_worst_of_them() -> None:
    each = judged(goal("population_covered", 0.5, scope={"each": "zone"}), on_street())
    assert (each.value, each.status, each.shortfall) == (450 / 700, "behind", 50)  # half of 200 less 50
    assert [z.status for z in each.zones] == ["met", "behind"]
    empty = evidence(ONE_CLINIC, PEOPLE[PEOPLE["zone_id"] == "a"], town())
    assert judged(goal("population_covered", 0.5, scope={"each": "zone"}), empty).status == "met"  # nobody lives in b


def test_a_study_that_knows_no_district_has_no_verdict_of_one() -> None:
    """Its zones come with empty columns."""
    nowhere = on_street(zones=town(district_id=[None, None], district_name=[None, None]))
    assert judged(goal("facility_count", 1), nowhere).districts == ()
    assert judged(goal("facility_count", 1, scope={"each": "district"}), nowhere).status == "no_data"


def test_zones_without_a_district_make_none() -> None:
    nameless = town(district_id=[None, None], district_name=[None, None])
    assert judged(goal("facility_count", 1), on_street(zones=nameless)).districts == ()
    partly = town(district_id=["x", None], district_name=["X", None])
    assert [one.id for one in judged(goal("facility_count", 1), on_street(zones=partly)).districts] == ["x"]


def test_a_goal_in_each_district() -> None:
    districts = town(district_id=["x", "y"], district_name=["X", "Y"])
    each = judged(goal("facility_count", 1, scope={"each": "district"}), on_street(zones=districts))
    assert (each.value, each.status, each.shortfall) == (1, "behind", 1)
    assert [(d.id, d.name, d.value, d.status) for d in each.districts] == [
        ("x", "X", 1, "met"),
        ("y", "Y", 0, "behind"),
    ]
    whole = judged(goal("facility_count", 1), on_street(zones=districts))
    assert [(d.value, d.status, d.reason) for d in whole.districts] == [
        (1, None, "study_only"),
        (0, None, "study_only"),
    ]


TIERS = [{"id": "top", "name": "t"}, {"id": "low", "name": "l", "cutoff_min": 5}]
CARE = pd.DataFrame({"x_m": [0.0, 2500.0, 700.0], "zone_id": ["a", "b", "a"], "tier": ["top", "top", "low"]})


@pytest.mark.parametrize(
    ("inclusive", "tier", "covered"),
    [
        (False, "top", 600),  # from 0 m the 400 in town, from 2,500 m both places in the country
        (False, "low", 500),  # from 700 m, five minutes: everybody in town
        (True, "low", 650),  # and those who live at the centre of 2,500 m
        (False, ["top", "low"], 700),  # the layer's own cutoff, since the tiers have different ones
    ],
)
def test_tiers_serve_alone_or_with_those_above(inclusive: bool, tier: Any, covered: float) -> None:
    asked = {"care": {"tiers": TIERS, "tiers_inclusive": inclusive}}
    assert judged(goal("population_covered", 1, tier=tier), on_street(CARE, layers=asked)).amount == covered


def test_without_sharing_only_own_facilities_serve() -> None:
    border = pd.DataFrame({"x_m": [0.0, 2600.0], "zone_id": pd.Series(["a", None], dtype=object)})
    result = judged(goal("population_covered", 1), on_street(border))
    assert (result.with_sharing, result.without_sharing) == (600 / 700, 450 / 700)
    assert result.value == result.with_sharing
    own = judged(goal("population_covered", 1, facilities_from="own_zones_only"), on_street(border))
    assert own.value == own.without_sharing == 450 / 700


def test_a_circle_stands_beside_the_way_on_foot() -> None:
    """A clinic 100 m off as the crow flies is 900 m away on foot, around the end of a dead street."""
    detour = builders.roads([(0, 0), (0, 400), (100, 400), (100, 0)], [[0, 1, 2, 3]])
    people = pd.DataFrame({"zone_id": ["a"], "x_m": [0.0], "total": [80.0]})
    clinic = pd.DataFrame({"x_m": [100.0], "zone_id": ["a"]})
    world = evidence(clinic, people, pd.DataFrame({"zone_id": ["a"]}), roads=detour)
    result = judged(goal("population_covered", 1, radius_m=100, cutoff_min=14.9), world)
    assert (result.value, result.beside, result.status) == (1, 0, "met")
    assert judged(goal("population_covered", 1, radius_m=99.9, cutoff_min=15), world).value == 0
    assert judged(goal("population_covered", 1, radius_m=99.9, cutoff_min=15), world).beside == 1


ATTRIBUTES = pd.DataFrame(
    {
        "x_m": [0.0, 100.0, 200.0, 2000.0],
        "zone_id": ["a", "a", "a", "b"],
        "good": pd.Series([True, False, None, True], dtype=object),
        "beds": [10.0, 20.0, 5.0, 30.0],
    }
)


def test_attributes_are_shared_counted_and_weighed() -> None:
    world = on_street(ATTRIBUTES, layers={"care": {"attributes": ["good"], "capacity": ["beds"]}})
    share = judged(goal("facility_share", 1, attribute="good"), world)
    assert (share.value, share.shortfall, share.unit, share.missing) == (2 / 3, 1, "facilities", 1)
    assert share.note_en == "1 facility has no figure for good and is left out"
    assert [z.value for z in share.zones] == [0.5, 1]
    counted = judged(goal("facility_count", 2, attribute="good"), world)
    assert (counted.value, counted.status) == (2, "met")
    assert counted.note_en == "good is unknown for 1 facilities, which are not counted"
    weighed = judged(goal("capacity_share", 0.7, attribute="good", part=None), world)
    assert (weighed.value, weighed.missing) == (40 / 60, 1)


def test_zones_with_a_facility() -> None:
    world = on_street(ONE_CLINIC)
    result = judged(goal("zones_with_facility", 1), world)
    assert (result.value, result.status, result.shortfall, result.unit) == (0.5, "behind", 1, "zones")
    assert [(z.value, z.status) for z in result.zones] == [(1, "met"), (0, "behind")]


@pytest.mark.parametrize(("counts", "value"), [((1, 6), 1.0), ((0, 3), 0.5), ((7, 1), 0.5)])
def test_one_to_six_in_each_county(counts: tuple[int, int], value: float) -> None:
    zone = ["a"] * counts[0] + ["b"] * counts[1]
    table = pd.DataFrame({"x_m": 0.0, "zone_id": pd.Series(zone, dtype=object)})
    world = on_street(table, zones=town(district_id=["x", "y"], district_name=["X", "Y"]))
    result = judged(goal("zones_with_facility", 1, units="districts", at_least=1, at_most=6), world)
    assert (result.value, result.unit) == (value, "districts")
    assert [d.value for d in result.districts] == [float(1 <= n <= 6) for n in counts]
    assert {z.reason for z in result.zones} == {"districts_only"}


@pytest.mark.parametrize(
    ("options", "value"),
    [({}, 0.1), ({"per": "10000_people"}, 1000), ({"per": "100_households", "household_size": 2.5}, 25)],
)
def test_square_metres(options: dict[str, Any], value: float) -> None:
    halls = pd.DataFrame({"x_m": [0.0], "zone_id": ["b"], "floor": [70.0]})
    result = judged(goal("area_per_person", value, capacity="floor", **options), on_street(halls))
    assert result.value == pytest.approx(value, rel=1e-12)
    assert (result.status, result.zones[0].value, result.zones[0].status) == ("met", 0, "behind")
    assert result.zones[1].value == pytest.approx(value * 3.5, rel=1e-12)


def test_colocation_is_walked_not_measured_in_a_straight_line() -> None:
    """The clinics stand 20 m apart, but 520 m on foot; a third one shares its address."""
    ways = builders.roads([(0, 0), (0, 250), (20, 250), (20, 0), (900, 0)], [[0, 1, 2, 3, 4]])
    tables = {
        "care": pd.DataFrame({"x_m": [0.0, 500.0, 800.0], "zone_id": ["a"] * 3, "address": [None, None, "河街 ５号"]}),
        "medical": pd.DataFrame({"x_m": [20.0, 400.0], "zone_id": ["a", "a"], "address": ["河街5号", None]}),
    }
    world = evidence(tables, PEOPLE.iloc[:1], pd.DataFrame({"zone_id": ["a"]}), roads=ways)
    beside = goal("colocated_share", 1, with_layer="medical", within_m=100)
    assert judged(beside, world).value == pytest.approx(2 / 3)  # 500 m and 400 m exactly; and the address
    assert judged(goal("colocated_share", 1, with_layer="medical", within_m=99.9), world).value == pytest.approx(1 / 3)
    far = goal("colocated_share", 1, with_layer="medical", within_m=520, same_address=False)
    assert judged(far, world).value == 1


def test_accessibility_by_hand() -> None:
    """20 beds at 0 m for the 400 within 15 min in town and the 50 at 30 min in the country: 44.4 for every thousand."""
    beds = pd.DataFrame({"x_m": [0.0], "zone_id": ["a"], "beds": [20.0]})
    result = judged(goal("accessibility", 25), on_street(beds))
    assert result.value == pytest.approx(20 / 0.7, rel=1e-12)  # nobody's share is lost: 20 beds for 700 people
    assert [z.value for z in result.zones] == pytest.approx([20 / 450 * 400 / 0.5, 20 / 450 * 50 / 0.2], rel=1e-12)
    assert result.status == "met"


STATISTICS = pd.DataFrame(
    {
        "indicator": ["nurses", "nurses", "nurses", "nurses", "other"],
        "year": [2020, 2024, 2026, 2024, 2025],
        "value": [3.44, 4.1, 9.9, 5.0, 1.0],
        "zone_id": pd.Series([None, None, None, "a", None], dtype=object),
        "district_id": pd.Series([None] * 5, dtype=object),
        "source": "",
    }
)


def test_statistics_are_those_of_the_last_year_and_of_the_places_that_tell() -> None:
    nurses = goal("statistic", 4.7, indicator="nurses", unit="人", baseline={"year": 2020, "value": 3.44})
    result = judged(nurses, on_street(statistics=STATISTICS))
    assert (result.value, result.status, result.note_en) == (4.1, "behind", "figure of 2024")
    assert result.shortfall == pytest.approx(0.6)
    assert [(z.value, z.status) for z in result.zones] == [(5.0, "met"), (None, "no_data")]
    assert result.progress == pytest.approx((4.1 - 3.44) / (4.7 - 3.44))
    silent = judged(goal("statistic", 4.7, indicator="gps", unit="人"), on_street(statistics=STATISTICS))
    assert (silent.status, {z.reason for z in silent.zones}) == ("no_data", {"study_only"})


def test_a_most_is_met_from_below() -> None:
    jobless = {"indicator": "nurses", "unit": "%", "to": {"bound": "at_most"}}
    met = judged(goal("statistic", 4.1, **jobless), on_street(statistics=STATISTICS))
    assert (met.status, met.shortfall) == ("met", 0)
    missed = judged(
        goal("statistic", 4.0, baseline={"year": 2020, "value": 5.0}, **jobless), on_street(statistics=STATISTICS)
    )
    assert (missed.status, missed.shortfall) == ("behind", pytest.approx(0.1))


def test_milestones_bend_the_line() -> None:
    """From 425 in 2020 over 465 in 2025 to 500 in 2030: at the end of 2025 the line stands at 465."""
    one = goal(
        "statistic", 500, unit="万", to={"year": 2030}, baseline={"year": 2020, "value": 425},
        milestones=[{"year": 2025, "value": 465}],
    )  # fmt: skip
    assert expected_value(one, END) == 465
    assert expected_value(one, dt.date(2027, 12, 31)) == pytest.approx(465 + 35 * 730 / 1826)
    assert status_of(one, 465, END) == "on_track"
    assert status_of(one, 464.9, END) == "behind"


def test_pace_and_progress() -> None:
    one = goal("capacity_total", 60, baseline={"year": 2020, "value": 10})
    result = judged(one, simple([("a", 35, 0)], {"a": (1, 1)}, date=dt.date(2023, 12, 31)))
    assert result.progress == 0.5
    assert result.pace_per_year == pytest.approx(25 / (731 / 365.2425))
    assert result.expected == pytest.approx(10 + 50 * 1095 / 1826)
    assert judged(one, simple([("a", 35, 0)], {"a": (1, 1)}, date=dt.date(2026, 1, 1))).pace_per_year is None


def test_goals_without_target_or_data_say_so() -> None:
    shown = judged(goal("capacity_total", None), simple([("a", 35, 0)], {"a": (1, 1)}))
    assert (shown.value, shown.status, shown.shortfall, shown.reason) == (35, None, None, "no_target")
    absent = judged(
        goal("capacity_total", 5, capacity="rooms"), simple([("a", 35, 0)], {"a": (1, 1)}, no_data=["care.rooms"])
    )
    assert (absent.value, absent.status, absent.reason) == (None, "no_data", "absent")
    assert absent.note_en == "the study has no data on care.rooms"
    missing = judged(goal("facility_count", 5, layer="canteen"), simple([], {"a": (1, 1)}, no_data=["canteen"]))
    assert (missing.status, [z.status for z in missing.zones]) == ("no_data", [None])
    late = judged(goal("facility_count", 5, to={"year_stated": False}), simple([], {"a": (1, 1)}))
    assert late.note_en == "the source names no year; the last of the plan is taken"


def test_nobody_no_bed_and_no_facility_are_different_things() -> None:
    people = {"a": (0, 0), "b": (1000, 0), "c": (1000, 0)}
    result = judged(goal("capacity_per_1000", 5), simple([("a", 5, 0), ("b", 0, 0)], people))
    assert [(z.value, z.status, z.reason) for z in result.zones] == [
        (None, "no_data", "nobody"), (0, "behind", ""), (0, "behind", ""),
    ]  # fmt: skip
    unknown = judged(goal("capacity_per_1000", 5), simple([("b", NAN, 0)], people))
    assert [(z.value, z.status, z.reason) for z in unknown.zones][1] == (None, "no_data", "unknown")


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_zones_add_up_to_districts_and_districts_to_the_study(seed: int) -> None:
    rng = np.random.default_rng(seed)
    zones = pd.DataFrame({"zone_id": list("abcd"), "district_id": list("xxyy"), "district_name": list("XXYY")})
    places = pd.DataFrame({"x_m": rng.uniform(0, 3000, 12), "zone_id": rng.choice(list("abcd"), 12)})
    care = places.assign(beds=rng.integers(0, 30, 12).astype(float), nursing=rng.integers(0, 9, 12).astype(float))
    care = care.assign(good=pd.Series(rng.choice([True, False, None], 12), dtype=object))
    points = pd.DataFrame({"x_m": rng.uniform(0, 3000, 40), "zone_id": rng.choice(list("abcd"), 40)})
    points = points.assign(total=rng.uniform(0, 50, 40))
    world = evidence(care, points, zones, layers={"care": {"capacity": ["beds", "nursing"], "attributes": ["good"]}})
    for one in (
        goal("population_covered", 1), goal("facility_count", 9), goal("capacity_total", 9),
        goal("capacity_per_1000", 9), goal("capacity_share", 1), goal("facility_share", 1, attribute="good"),
        goal("area_per_person", 1), goal("accessibility", 1), goal("zones_with_facility", 1),
    ):  # fmt: skip
        result = judged(one, world)
        for key in ("amount", "base") if one.measure not in ("facility_count", "capacity_total") else ("amount",):
            whole = getattr(result, key)
            assert sum(getattr(d, key) or 0.0 for d in result.districts) == pytest.approx(whole, rel=1e-9)
            assert sum(getattr(z, key) or 0.0 for z in result.zones) == pytest.approx(whole, rel=1e-9)


# --- areas within the study, and catalogues of services

ESTATES = gpd.GeoDataFrame(
    {"area_id": ["1", "2", "3"], "name": ["E1", "E2", "E3"]},
    geometry=[shapely.box(700, -50, 900, 50), shapely.box(1700, -50, 1900, 50), shapely.box(2400, -50, 2600, 50)],
    crs=32648,
)
HALVES = [shapely.box(0, -50, 1500, 50), shapely.box(1500, -50, 3000, 50)]
SLOTS = pd.DataFrame({"x_m": [800.0, 1000.0, 1900.0], "zone_id": ["a", "a", "b"], "beds": [3.0, 50.0, 2.0]})


def test_a_goal_within_areas_takes_their_people_and_facilities_with_their_edges() -> None:
    """In the estates live 300 + 100 (at 900 m, on the edge) in a, 50 + 150 in b; 3 and (on the edge) 2 slots."""
    world = on_street(SLOTS, areas={"new": ESTATES}, shapes=HALVES)
    result = judged(goal("capacity_per_1000", 10, scope={"area": "new"}), world)
    assert (result.amount, result.base, result.status) == (5, pytest.approx(0.6), "behind")
    assert [(z.amount, z.base) for z in result.zones] == [(3, 0.4), (2, 0.2)]
    rural = judged(goal("population_covered", 1, scope={"area": "new", "area_type": "rural"}), world)
    assert (rural.amount, rural.base) == (200, 200)
    assert rural.zones[0].reason == "out_of_scope"


def test_areas_with_a_facility_count_where_they_lie() -> None:
    world = on_street(SLOTS, areas={"new": ESTATES}, shapes=HALVES)
    result = judged(goal("zones_with_facility", 1, units="new"), world)
    assert (result.amount, result.base, result.unit, result.shortfall) == (2, 3, "areas", 1)
    assert [(z.value, z.base) for z in result.zones] == [(1, 1), (0.5, 2)]
    absent = judged(goal("zones_with_facility", 1, units="old"), on_street(SLOTS, no_data=["old"]))
    assert (absent.status, absent.reason) == ("no_data", "absent")


CATALOGUE = Catalogue.model_validate(
    {
        "id": "circle", "title": "C", "citation": {"document": "d", "clause": "c"},
        "cutoff_min": 15, "profile": "walker",
        "categories": [
            {
                "id": "care", "name": "c",
                "services": [
                    {"id": "clinic", "name": "c", "layer": "care"},
                    {"id": "good_clinic", "name": "g", "layer": "care", "attribute": "good", "cutoff_min": 5},
                ],
            },
            {
                "id": "more", "name": "m",
                "services": [{"id": "school", "name": "s", "layer": "school"}, {"id": "canteen", "name": "k"}],
            },
        ],
    }
)  # fmt: skip


def circle(**more: Any) -> Any:
    care = pd.DataFrame({"x_m": [0.0, 1000.0], "zone_id": ["a", "a"], "good": pd.Series([None, True], dtype=object)})
    school = pd.DataFrame({"x_m": [1700.0], "zone_id": ["b"]})
    asked = {"care": {"attributes": ["good"]}}
    return on_street({"care": care, "school": school}, layers=asked, catalogues={Path("c.yaml"): CATALOGUE}, **more)


@pytest.mark.parametrize(("at_least", "people"), [(None, 200), (3, 200), (2, 550), (1, 700), (4, None)])
def test_people_who_reach_enough_services(at_least: int | None, people: float | None) -> None:
    """By hand, of 300 at 720 m, 100 at 900, 100 at 901, 50 at 1,800 and 150 at 2,500 m.

    A clinic (at 0 and 1,000 m) is within 15 min of the first four, the good one (1,000 m) within 5 min of the first
    three, the school (1,700 m) within 15 min of those at 900 (800 m off), 901, 1,800 and 2,500 m.
    """
    asked = goal("service_completeness", 1, catalogue="c.yaml", **({} if at_least is None else {"at_least": at_least}))
    result = judged(asked, circle())
    assert result.amount == people
    assert result.note_en == "3 of the catalogue's 4 services have data"
    assert [(one.service, one.covered) for one in result.services] == [
        ("clinic", 550),
        ("good_clinic", 500),
        ("school", 400),
    ]


def test_services_that_the_study_has_no_data_for_are_not_counted() -> None:
    result = judged(goal("service_completeness", 1, catalogue="c.yaml"), circle(no_data=["care.good", "school"]))
    assert (result.amount, [one.service for one in result.services]) == (550, ["clinic"])


def test_tiers_without_data_beside_others_are_noted() -> None:
    asked = {"care": {"tiers": TIERS}}
    world = on_street(CARE, layers=asked, no_data=["care.home"])
    result = judged(goal("facility_count", 3, tier=["top", "home"]), world)
    assert (result.value, result.note_en) == (2, "no data on care.home: not counted")
    assert judged(goal("facility_count", 3, tier=["home"]), world).status == "no_data"
