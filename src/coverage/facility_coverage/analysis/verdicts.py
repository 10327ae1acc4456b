"""Verdicts: how a goal stands, in the whole study and in each of its places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["met", "on_track", "behind", "no_data"]
Reason = Literal[
    "", "study_only", "districts_only", "out_of_scope", "no_target", "absent", "nobody", "unreached", "unknown"
]  # fmt: skip


@dataclass(frozen=True)
class ServiceReach:
    """Who reaches one service of a catalogue: `covered` of `people`."""

    category: str
    service: str
    name_zh: str
    name_en: str
    layer: str
    covered: float
    people: float


@dataclass(frozen=True)
class PlaceVerdict:
    """A goal in one place: the study, a district or a zone.

    Attributes
    ----------
    id, name
        Of the zone or district.
    value
        The measured figure (shares 0–1), None without data.
    amount, base
        What it is made of: value = amount / base. They add up from zones to districts to the study.
    status
        None where the goal sets nothing for this place: `reason` says why.
    shortfall
        What is missing to the target, in whole units (means and statistics: in their own), None without data or target.
    progress
        Way from the baseline to the target that is done: 0 at the baseline, 1 at the target.
    pace_per_year
        What the figure must gain (or lose) each year from the study's date to the target; None once it is met or due.
    missing
        Facilities that gave no figure and are left out.
    reason
        Why there is no status or no data: ``study_only``, ``districts_only`` (the measure means nothing here),
        ``out_of_scope``, ``no_target``, ``absent`` (the study has no such data), ``nobody`` (nothing to divide by),
        ``unreached`` (nobody reaches a facility), ``unknown`` (no facility tells the figure).
    unreached_share
        Mean travel times only: the share of people who reach no facility and are not in the mean.
    """

    id: str
    name: str
    value: float | None
    amount: float | None
    base: float | None
    status: Status | None
    shortfall: float | None
    progress: float | None
    pace_per_year: float | None
    missing: int
    reason: Reason
    unreached_share: float | None = None


@dataclass(frozen=True)
class Verdict:
    """A goal in the whole study, and in its districts and zones.

    Attributes
    ----------
    plan_id, goal_id, name_zh, name_en, measure, layer, nature, citation, verified
        As the plan says.
    each
        ``district`` or ``zone`` where the goal must hold in each of them; the status is then the worst of theirs.
    bound
        ``at_least`` or ``at_most``.
    target, target_year, baseline, baseline_year
        As the plan says; None where it gives none.
    expected
        Where the straight line from baseline to target stands at the study's date; None without one.
    value, status, shortfall, progress, pace_per_year, missing, reason, unreached_share
        Of the whole study, as in `PlaceVerdict`.
    scale
        What the figures are in: ``share``, ``count``, ``per_1000``, ``minutes``, ``m2_per_person``,
        ``m2_per_10000_people``, ``m2_per_100_households``, or a statistic's own unit.
    beside
        The figure by travel time, where the goal draws circles.
    with_sharing, without_sharing
        People covered: the figure with facilities wherever they stand, and with those of the study's zones alone.
    unit
        Name of what is missing: the capacity column, ``facilities``, ``people``, ``zones`` …
    note_zh, note_en
        What a reader must know of the figure.
    districts, zones
        The goal in each place.
    services
        Where a catalogue is judged: who reaches each of its services.
    """

    plan_id: str
    goal_id: str
    name_zh: str
    name_en: str
    measure: str
    layer: str
    nature: str
    citation: str
    verified: bool
    each: str | None
    bound: str
    target: float | None
    target_year: int | None
    baseline: float | None
    baseline_year: int | None
    expected: float | None
    value: float | None
    amount: float | None
    base: float | None
    status: Status | None
    shortfall: float | None
    progress: float | None
    pace_per_year: float | None
    scale: str
    beside: float | None
    with_sharing: float | None
    without_sharing: float | None
    unit: str
    note_zh: str
    note_en: str
    districts: tuple[PlaceVerdict, ...]
    zones: tuple[PlaceVerdict, ...]
    missing: int = 0
    reason: Reason = ""
    unreached_share: float | None = None
    services: tuple[ServiceReach, ...] = ()
