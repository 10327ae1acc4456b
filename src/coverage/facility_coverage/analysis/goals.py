"""Goals: what the plan wants against what the data show, for the study, each district and each zone."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from facility_coverage.analysis.evidence import Evidence, zones_in_scope
from facility_coverage.analysis.measuring import Measured, measure, scale_of
from facility_coverage.analysis.tally import Figure, Tally
from facility_coverage.analysis.verdicts import PlaceVerdict, Reason, Status, Verdict
from facility_coverage.config import measures as ask
from facility_coverage.config.goal import GoalBase
from facility_coverage.config.plan import Plan

NOISE = 1e-9
"""Relative error of sums of floating-point people that does not count as missing a target."""

DAYS_A_YEAR = 365.2425

_NATURES = ("binding", "expected", "text")
_TOTALS = (ask.FacilityCount, ask.CapacityTotal)
_NOT_WHOLE = (ask.Statistic,)
_MEANS = (ask.TravelTime, ask.FacilitiesInReach)


def judge(plans: Sequence[Plan], evidence: Evidence) -> tuple[Verdict, ...]:
    """Judge every goal of the plans, for the study, each district and each zone.

    Binding goals come first, then expected ones, then those stated in prose; within each, in the plans' order.
    Places are compared with the target and the line of the whole study, since plans give them none of their own.
    """
    goals = [(plan, goal) for plan in plans for goal in plan.goals]
    goals.sort(key=lambda pair: _NATURES.index(pair[1].nature))
    return tuple(verdict_on(plan, goal, measure(goal, evidence), evidence) for plan, goal in goals)


def status_of(goal: GoalBase, value: float | None, date: dt.date) -> Status | None:
    """Return how a value stands against a goal at a date; None where the goal sets no target.

    A value is `met` when it is at or above the target (at or below, where the target is a most). It is never rounded:
    59.96 % misses 60 %. Only a relative difference of at most `NOISE` counts as equal, because sums of shared-out
    people carry float noise. Short of the target it is `on_track` at or beyond the line of `expected_value`.
    """
    if value is None:
        return "no_data"
    if goal.target is None:
        return None
    if reaches(value, goal.target.value, goal.target.bound):
        return "met"
    line = expected_value(goal, date)
    return "on_track" if line is not None and reaches(value, line, goal.target.bound) else "behind"


def worst(statuses: Iterable[Status | None]) -> Status:
    """Return how a goal stands that must hold in each of several places."""
    found = set(statuses)
    order: tuple[Status, ...] = ("behind", "no_data", "on_track", "met")
    return next((one for one in order if one in found), "no_data")


def expected_value(goal: GoalBase, date: dt.date) -> float | None:
    """Return the line from baseline over milestones to target at a date; None without a start, or after the end.

    Figures of a year stand for its 31 December, and the line runs by days: between two of them the fraction is
    (date − end of the first year) / (end of the second − end of the first); before the first it stands there.
    """
    steps = [step for step in (goal.baseline, *goal.milestones, goal.target) if step is not None]
    if len(steps) < 2 or goal.target is None:
        return None
    ends = [_end(step.year) for step in steps]
    if date > ends[-1] or ends[0] >= ends[-1]:
        return None
    if date <= ends[0]:
        return float(steps[0].value)
    i = next(k for k, end in enumerate(ends) if date <= end)
    fraction = (date - ends[i - 1]).days / (ends[i] - ends[i - 1]).days
    return float(steps[i - 1].value + fraction * (steps[i].value - steps[i - 1].value))


def _end(year: int) -> dt.date:
    return dt.date(year, 12, 31)


def reaches(value: float, target: float, bound: str) -> bool:
    """Tell whether a value is at or beyond a target, but for the noise of sums (see `status_of`)."""
    beyond = value >= target if bound == "at_least" else value <= target
    return beyond or math.isclose(value, target, rel_tol=NOISE, abs_tol=0.0)


def _shortfall(goal: GoalBase, figure: Figure) -> float | None:
    """Return whole units missing to the target at the given base (or too many): 0 when met, else at least 1.

    Of means, and of statistics, it is the distance to the target in their own unit.
    """
    if figure.value is None or goal.target is None:
        return None
    if reaches(figure.value, goal.target.value, goal.target.bound):
        return 0.0
    if isinstance(goal, _MEANS):
        return float(f"{abs(goal.target.value - figure.value):.12g}")
    wanted = goal.target.value * figure.base
    missing = abs(wanted - figure.amount)
    if isinstance(goal, _NOT_WHOLE):
        return float(f"{missing:.12g}")  # 79.3 - 79.1 is 0.2
    return float(max(1, math.ceil(missing - NOISE * wanted)))


def _progress(goal: GoalBase, value: float | None) -> float | None:
    if value is None or goal.target is None or goal.baseline is None or goal.target.value == goal.baseline.value:
        return None
    return (value - goal.baseline.value) / (goal.target.value - goal.baseline.value)


def _pace(goal: GoalBase, value: float | None, date: dt.date) -> float | None:
    if value is None or goal.target is None or reaches(value, goal.target.value, goal.target.bound):
        return None
    years = (_end(goal.target.year) - date).days / DAYS_A_YEAR
    return (goal.target.value - value) / years if years > 0 else None


def verdict_on(plan: Plan, goal: GoalBase, measured: Measured, evidence: Evidence) -> Verdict:
    """Judge what was measured for a goal of a plan."""
    place = _Places(goal, measured, evidence)
    districts, zones = place.districts(), place.zones()
    study = place.study(districts, zones)
    note_zh, note_en = _notes(goal, measured, study.missing)
    return Verdict(
        plan_id=plan.id,
        goal_id=goal.id,
        name_zh=goal.name.zh,
        name_en=goal.name.en,
        measure=goal.measure,
        layer=getattr(goal, "layer", ""),
        nature=goal.nature,
        citation=f"{goal.citation.document} {goal.citation.clause}",
        verified=goal.verified,
        each=goal.scope.each,
        bound=goal.target.bound if goal.target else "at_least",
        target=goal.target.value if goal.target else None,
        target_year=goal.target.year if goal.target else None,
        baseline=goal.baseline.value if goal.baseline else None,
        baseline_year=goal.baseline.year if goal.baseline else None,
        expected=expected_value(goal, evidence.date),
        value=study.value,
        amount=study.amount,
        base=study.base,
        status=study.status,
        shortfall=study.shortfall,
        progress=study.progress,
        pace_per_year=study.pace_per_year,
        scale=scale_of(goal),
        beside=_whole(measured.beside),
        with_sharing=_whole(measured.anywhere),
        without_sharing=_whole(measured.own),
        unit=measured.unit,
        note_zh=note_zh,
        note_en=note_en,
        districts=districts,
        zones=zones,
        missing=study.missing,
        reason=study.reason,
        unreached_share=study.unreached_share,
        services=measured.services,
    )


def _whole(counted: Tally | None) -> float | None:
    """Return the figure of all rows of a tally."""
    return None if counted is None else counted.figure(list(counted.rows.index)).value


@dataclass(frozen=True)
class _Places:
    """A measured goal in the study's places."""

    goal: GoalBase
    measured: Measured
    evidence: Evidence

    def study(self, districts: Sequence[PlaceVerdict], zones: Sequence[PlaceVerdict]) -> PlaceVerdict:
        """Return the verdict of the whole study: the worst of its places where the goal must hold in each."""
        verdict = self._place("", "", self._figure("study", ""), "")
        each = self.goal.scope.each
        if each is None or self.goal.target is None:
            return verdict
        places = [one for one in (districts if each == "district" else zones) if one.reason != "out_of_scope"]
        places = [one for one in places if one.reason != "nobody"]
        status = worst(place.status for place in places)
        short = [place.shortfall for place in places if place.shortfall is not None]
        whole = max if isinstance(self.goal, _MEANS) else math.fsum  # minutes of several towns do not add up
        return replace(verdict, status=status, shortfall=whole(short) if short else None)

    def districts(self) -> tuple[PlaceVerdict, ...]:
        """Return the verdict of each district, where zones name theirs."""
        zones = self.evidence.zones
        if "district_id" not in zones.columns:
            return ()
        named = zones[zones["district_id"].notna()]
        names = named.drop_duplicates("district_id").sort_values("district_id")
        label = names["district_name"] if "district_name" in names.columns else names["district_id"]
        judged = self.goal.scope.each == "district" or not isinstance(self.goal, _TOTALS)
        return tuple(
            self._place(str(one), str(name), self._figure("district", str(one)), "" if judged else "study_only")
            for one, name in zip(names["district_id"], label, strict=True)
        )

    def zones(self) -> tuple[PlaceVerdict, ...]:
        """Return the verdict of each zone."""
        inside = set(zones_in_scope(self.goal.scope, self.evidence))
        zones = self.evidence.zones
        return tuple(
            self._place(str(one), str(name), self._figure("zone", str(one)), self._silence(str(one), inside))
            for one, name in zip(zones["zone_id"], zones["name"], strict=True)
        )

    def _silence(self, zone: str, inside: Iterable[str]) -> Reason:
        """Return why the goal sets nothing for a zone."""
        if zone not in inside:
            return "out_of_scope"
        if self.measured.level == "district":
            return "districts_only"
        has_own = any(level == "zone" for level, _ in self.measured.per_level)
        if isinstance(self.goal, ask.Statistic) and not has_own:
            return "study_only"
        if isinstance(self.goal, _TOTALS) and self.goal.scope.each != "zone":
            return "study_only"
        return ""

    def _figure(self, level: str, place: str) -> Figure | None:
        """Return the figure of a place; None where there is nothing to measure it on."""
        if self.measured.tally is None:
            value = self.measured.per_level.get((level, place))
            return None if value is None else Figure(value)
        rows = self.measured.tally.rows.index
        if level == "study":
            return self.measured.tally.figure(list(rows))
        if level == self.measured.level:
            return self.measured.tally.figure([place]) if place in rows else None
        if level == "district":
            district = self.evidence.district_of
            return self.measured.tally.figure([zone for zone in rows if district.get(zone) == place])
        return None

    def _place(self, one: str, name: str, figure: Figure | None, silence: Reason) -> PlaceVerdict:
        goal, date = self.goal, self.evidence.date
        value = None if figure is None else figure.value
        speaks = not silence and goal.target is not None
        # A total for the district says nothing about one town: its amount is shown and not judged.
        status = status_of(goal, value, date) if not silence else None
        return PlaceVerdict(
            id=one,
            name=name,
            value=value,
            amount=None if figure is None or math.isnan(figure.amount) else figure.amount,
            base=None if figure is None else figure.base,
            status=status,
            shortfall=_shortfall(goal, figure) if speaks and figure is not None else None,
            progress=_progress(goal, value) if speaks else None,
            pace_per_year=_pace(goal, value, date) if speaks else None,
            missing=0 if figure is None else figure.missing,
            reason=silence or self._why(figure),
            unreached_share=None if figure is None or not isinstance(goal, ask.TravelTime) else figure.unreached_share,
        )

    def _why(self, figure: Figure | None) -> Reason:
        """Return why there is no value, or no verdict on one."""
        if figure is None:
            return "absent"
        if math.isnan(figure.amount):
            return "unknown"
        if figure.base <= 0:
            return "unreached" if figure.unreached > 0 else "nobody"
        return "no_target" if self.goal.target is None else ""


def _notes(goal: GoalBase, measured: Measured, missing: int) -> tuple[str, str]:
    zh, en = (goal.note.zh, goal.note.en) if goal.note else ("", "")
    said = [(zh, en), measured.note]
    if measured.absent:
        said.append((f"本研究没有 {measured.absent} 的数据", f"the study has no data on {measured.absent}"))
    if goal.target is not None and not goal.target.year_stated:
        said.append(("原文未写年份，取规划末年", "the source names no year; the last of the plan is taken"))
    if missing:
        keys = ("capacity", "part", "attribute")
        columns = ", ".join(column for column in (getattr(goal, key, None) for key in keys) if column)
        noun, verb = ("facility has", "is") if missing == 1 else ("facilities have", "are")
        said.append(
            (
                f"{missing} 处设施缺少 {columns} 数据，未计入",
                f"{missing} {noun} no figure for {columns} and {verb} left out",
            )
        )
    return "；".join(a for a, _ in said if a), "; ".join(b for _, b in said if b)
