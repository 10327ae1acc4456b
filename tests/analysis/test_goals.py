from __future__ import annotations

import datetime as dt
import types
from typing import Any, cast

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facility_coverage.analysis.coverage import CoverageResult
from facility_coverage.analysis.goals import Verdict, expected_value, judge, status_of
from facility_coverage.config.plan import Goal, Plan
from facility_coverage.layers.model import Layers

NAN = float("nan")
END = dt.date(2025, 12, 31)


def goal(measure: str, target: float, **options: Any) -> Goal:
    given_options = {"id": "G", "name": {"zh": "目标", "en": "Goal"}, "layer": "care", **options}
    citation = {"document": "Plan", "clause": "1"}
    if measure.startswith("capacity"):
        given_options.setdefault("capacity", "beds")
    if measure == "capacity_share":
        given_options.setdefault("part", "nursing")
    content = {"measure": measure, "target": {"year": 2025, "value": target}, "citation": citation, **given_options}
    return Goal.model_validate(content)


def world(
    rows: list[tuple[str | None, float, float]], people: dict[str, tuple[float, float]]
) -> tuple[Layers, CoverageResult]:
    """Facilities as (zone, beds, nursing) and zones as id: (population, covered)."""
    facilities = pd.DataFrame(rows, columns=["zone_id", "beds", "nursing"]).astype({"beds": float, "nursing": float})
    facilities["tier"] = "top"
    zones = pd.DataFrame({"zone_id": list(people), "name": [f"Town {z}" for z in people]})
    table = pd.DataFrame(
        [(z, "care", "total", p, c) for z, (p, c) in people.items()],
        columns=["zone_id", "layer", "group", "population", "covered"],
    )
    totals = [sum(p for p, _ in people.values()), sum(c for _, c in people.values())]
    summary = pd.DataFrame([("study", "care", "total", *totals)], columns=["scope", *table.columns[1:]])
    layers = types.SimpleNamespace(zones=zones, facilities={"care": facilities})
    coverage = types.SimpleNamespace(zones=table, summary=summary)
    return cast("Layers", layers), cast("CoverageResult", coverage)


def verdict(one: Goal, rows: Any, people: Any, date: dt.date = END) -> Verdict:
    plan = Plan.model_validate({"id": "p", "title": "P", "goals": [one]})
    (result,) = judge(plan, *world(rows, people), date=date)
    return result


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
        assert [(z.zone_id, z.name, z.value, z.status, z.shortfall) for z in result.zones] == [
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
    verdicts = judge(plan, *world([], {"a": (1, 1)}), date=END)
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
