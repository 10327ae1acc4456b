"""Goals: what the plan wants against what the data show."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from facility_coverage.analysis import capacity
from facility_coverage.analysis.capacity import Figure
from facility_coverage.analysis.coverage import CoverageResult
from facility_coverage.config.plan import Goal, Plan
from facility_coverage.layers.model import Layers

Status = Literal["met", "on_track", "behind", "no_data"]

NOISE = 1e-9
"""Relative error of sums of floating-point people that does not count as missing a target."""

_NATURES = ("binding", "expected", "text")
_PER_ZONE = {"capacity_per_1000", "capacity_share", "population_covered"}


@dataclass(frozen=True)
class ZoneVerdict:
    """A goal in one zone; `status` is None where the measure sets no target for a zone."""

    zone_id: str
    name: str
    value: float | None
    status: Status | None
    shortfall: float | None


@dataclass(frozen=True)
class Verdict:
    """A goal in the whole study.

    Attributes
    ----------
    value
        The measured figure (shares 0–1), None without data.
    shortfall
        What is missing to the target, in whole `unit` (beds, slots, facilities, people), None without data.
    unit
        Name of what is missing: the capacity column, ``facilities`` or ``people``.
    missing
        Facilities that gave no figure and are left out of `value`; the notes say so too.
    """

    goal_id: str
    name_zh: str
    name_en: str
    measure: str
    layer: str
    nature: str
    target: float
    target_year: int
    baseline: float | None
    baseline_year: int | None
    value: float | None
    status: Status
    shortfall: float | None
    unit: str
    citation: str
    note_zh: str
    note_en: str
    zones: tuple[ZoneVerdict, ...]
    missing: int = 0


def judge(plan: Plan, layers: Layers, coverage: CoverageResult, *, date: dt.date) -> tuple[Verdict, ...]:
    """Judge every goal of a plan at a date, for the study and for each zone.

    Binding goals come first, then expected ones, then those stated in prose; within each, in the plan's order.
    Zones are compared with the target and the line of the whole study, since plans give none of their own.
    """
    goals = sorted(plan.goals, key=lambda goal: _NATURES.index(goal.nature))
    return tuple(_verdict(goal, layers, coverage, date) for goal in goals)


def status_of(goal: Goal, value: float | None, date: dt.date) -> Status:
    """Return how a value stands against a goal at a date.

    A value is `met` when it is at or above the target. It is never rounded: 59.96 % misses 60 %. Only a
    relative difference of at most `NOISE` counts as equal, because sums of shared-out people carry float
    noise. Below the target it is `on_track` at or above the straight line of `expected_value`.
    """
    if value is None:
        return "no_data"
    if _reaches(value, goal.target.value):
        return "met"
    line = expected_value(goal, date)
    return "on_track" if line is not None and _reaches(value, line) else "behind"


def expected_value(goal: Goal, date: dt.date) -> float | None:
    """Return the straight line from baseline to target at a date; None without a baseline or after the end.

    Figures of a year stand for its 31 December, and the line runs by days: the fraction is (date − end of the
    baseline year) / (end of the target year − end of the baseline year), not below 0.
    """
    if goal.baseline is None or goal.baseline.year >= goal.target.year:
        return None
    start, end = dt.date(goal.baseline.year, 12, 31), dt.date(goal.target.year, 12, 31)
    if date > end:
        return None
    fraction = max(0.0, (date - start).days / (end - start).days)
    return goal.baseline.value + fraction * (goal.target.value - goal.baseline.value)


def _reaches(value: float, target: float) -> bool:
    return value >= target or math.isclose(value, target, rel_tol=NOISE, abs_tol=0.0)


def _shortfall(goal: Goal, figure: Figure) -> float | None:
    """Whole units missing to the target at the given base: 0 when met, else at least 1."""
    if figure.value is None:
        return None
    if _reaches(figure.value, goal.target.value):
        return 0.0
    wanted = goal.target.value * figure.base
    return float(max(1, math.ceil((wanted - figure.amount) - NOISE * wanted)))


def _verdict(goal: Goal, layers: Layers, coverage: CoverageResult, date: dt.date) -> Verdict:
    zones = layers.zones[["zone_id", "name"]].astype(str)
    own = capacity.own_facilities(layers.facilities[goal.layer], set(zones["zone_id"]), tier=goal.tier)
    people = _people(coverage.zones, goal, "zone_id")
    study = _figure(goal, own, _people(coverage.summary, goal, "scope"), "study")
    per_zone = tuple(
        _zone_verdict(goal, zone_id, name, _figure(goal, own.loc[own["zone_id"] == zone_id], people, zone_id), date)
        for zone_id, name in zip(zones["zone_id"], zones["name"], strict=True)
    )
    note_zh, note_en = _notes(goal, study.missing)
    return Verdict(
        goal_id=goal.id,
        name_zh=goal.name.zh,
        name_en=goal.name.en,
        measure=goal.measure,
        layer=goal.layer,
        nature=goal.nature,
        target=goal.target.value,
        target_year=goal.target.year,
        baseline=goal.baseline.value if goal.baseline else None,
        baseline_year=goal.baseline.year if goal.baseline else None,
        value=study.value,
        status=status_of(goal, study.value, date),
        shortfall=_shortfall(goal, study),
        unit=_unit(goal),
        citation=f"{goal.citation.document} {goal.citation.clause}",
        note_zh=note_zh,
        note_en=note_en,
        zones=per_zone,
        missing=study.missing,
    )


def _zone_verdict(goal: Goal, zone_id: str, name: str, figure: Figure, date: dt.date) -> ZoneVerdict:
    if goal.measure not in _PER_ZONE:  # a total for the district says nothing about one town
        return ZoneVerdict(zone_id, name, figure.value, None, None)
    return ZoneVerdict(zone_id, name, figure.value, status_of(goal, figure.value, date), _shortfall(goal, figure))


def _people(table: pd.DataFrame, goal: Goal, key: str) -> pd.DataFrame:
    """Return population and covered people of the goal's layer and group, one row per zone or scope."""
    rows = (table["layer"] == goal.layer) & (table["group"] == goal.group)
    return table.loc[rows].set_index(key)[["population", "covered"]]


def _figure(goal: Goal, facilities: pd.DataFrame, people: pd.DataFrame, place: str) -> Figure:
    if goal.measure == "facility_count":
        return capacity.facility_count(facilities)
    if goal.measure == "population_covered":
        population, covered = _at(people, place)
        return capacity.population_covered(covered=covered, people=population)
    column = goal.capacity or ""  # reading has checked that capacity goals name one
    if goal.measure == "capacity_total":
        return capacity.capacity_total(facilities, capacity=column)
    if goal.measure == "capacity_share":
        return capacity.capacity_share(facilities, capacity=column, part=goal.part or "")
    return capacity.capacity_per_1000(facilities, capacity=column, people=_at(people, place)[0])


def _at(people: pd.DataFrame, place: str) -> tuple[float, float]:
    if place not in people.index:
        return math.nan, math.nan
    population, covered = people.loc[[place], ["population", "covered"]].to_numpy(dtype=np.float64)[0]
    return float(population), float(covered)


def _unit(goal: Goal) -> str:
    if goal.measure == "facility_count":
        return "facilities"
    if goal.measure == "population_covered":
        return "people"
    return (goal.part if goal.measure == "capacity_share" else goal.capacity) or ""


def _notes(goal: Goal, missing: int) -> tuple[str, str]:
    zh, en = (goal.note.zh, goal.note.en) if goal.note else ("", "")
    if not missing:
        return zh, en
    columns = ", ".join(column for column in (goal.capacity, goal.part) if column)
    noun, verb = ("facility has", "is") if missing == 1 else ("facilities have", "are")
    return (
        "；".join(part for part in (zh, f"{missing} 处设施缺少 {columns} 数据，未计入") if part),
        "; ".join(part for part in (en, f"{missing} {noun} no figure for {columns} and {verb} left out") if part),
    )
