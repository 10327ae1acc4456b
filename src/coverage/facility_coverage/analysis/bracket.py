"""The bracket: how far coverage and verdicts would be elsewhere, had the inputs been a little otherwise.

Two answers stand side by side. At the ends of all ranges together the worst and the best are computed (`lower`,
`upper`). In the draws every input varies at random at once (`low`, `high`), and by itself, which tells causes apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from facility_coverage.analysis import draws
from facility_coverage.analysis.cases import Case, Cases, Counts, GoalCase
from facility_coverage.analysis.evidence import Evidence
from facility_coverage.analysis.goals import NOISE, status_of, worst
from facility_coverage.analysis.varied import Ground, Scenario
from facility_coverage.analysis.verdicts import PlaceVerdict, Status, Verdict
from facility_coverage.config.plan import Plan
from facility_coverage.config.uncertainty import Uncertainty
from facility_coverage.layers.model import Floats
from facility_coverage.network.graph import Bools

CAUSES = ("speed", "access", "position", "population")

_COVERAGE_COLUMNS = (
    "layer", "group", "zone_id", "zone", "population", "lower", "central", "upper", "low", "high", "cause",
)  # fmt: skip
_GOAL_COLUMNS = (
    "plan_id", "goal_id", "name_zh", "name_en", "level", "place_id", "place", "bound", "target", "lower", "central",
    "upper", "low", "high", "status_lower", "status", "status_upper", "met_share", "same_share", "flips", "cause",
)  # fmt: skip
_CAUSE_COLUMNS = (
    "layer", "group", "plan_id", "goal_id", "cause", "lower", "central", "upper", "low", "high", "width", "moves_most",
)  # fmt: skip


@dataclass(frozen=True)
class Bracket:
    """What might as well have come out.

    Attributes
    ----------
    coverage
        `layer`, `group`, `zone_id` (empty for the study), `zone`, `population`, `lower`, `central`, `upper`, `low`,
        `high`, `cause`: shares of the people, NaN where nobody lives.
    goals
        A row for each goal of people within reach and each of its places: `plan_id`, `goal_id`, `name_zh`, `name_en`,
        `level`, `place_id`, `place`, `bound`, `target`, the same five figures, `status_lower`, `status`,
        `status_upper`, `met_share` and `same_share` (of the draws: those that meet it, those with the same verdict),
        `flips`, `cause`.
    causes
        `layer`, `group`, `plan_id`, `goal_id`, `cause`, `lower`, `central`, `upper` (this cause alone at its ends; NaN
        for people, which have no worse end), `low`, `high`, `width` (of its draws alone), `moves_most`: for the study.
    """

    coverage: pd.DataFrame
    goals: pd.DataFrame
    causes: pd.DataFrame


@dataclass(frozen=True)
class _Counted:
    """A case in every scenario.

    Attributes
    ----------
    covered
        Demand points that count as covered as the study has it, shape (points,).
    central
        As the study has it.
    ends
        The corners (`lower`, `upper`) and each cause alone at its ends.
    drawn
        In each draw: `joint`, and each cause alone.
    """

    covered: Bools
    central: Counts
    ends: dict[str, Counts]
    drawn: dict[str, list[Counts]]

    def low_high(self, places: Floats, interval: float) -> dict[str, tuple[Floats, Floats]]:
        """Return the ends of the interval of the draws, `joint` and by cause, each of shape (places, groups)."""
        tail = (1.0 - interval) / 2.0
        found = {}
        for name, counts in self.drawn.items():
            low, high = np.quantile(np.stack([one.shares(places) for one in counts]), [tail, 1.0 - tail], axis=0)
            found[name] = (low, high)
        return found


def bracket(
    ground: Ground,
    evidence: Evidence,
    plans: Sequence[Plan],
    verdicts: Sequence[Verdict],
    *,
    groups: Sequence[str],
    progress: Callable[[str], None] = lambda _: None,
) -> Bracket:
    """Draw the bracket of every facility layer and of every goal of people within reach.

    The same draws serve all layers, zones and goals, so that differences between them are not those of chance.

    Parameters
    ----------
    ground
        The study's travel, with its uncertainty.
    evidence, plans, verdicts
        What the goals were judged on, the goals, and how they stand.
    groups
        People to count for the layers, `total` among them.
    progress
        Told how many draws are done.
    """
    make, interval = Cases.of(evidence), ground.asked.interval
    layers = [make.layer(layer, groups=groups) for layer in evidence.facility_layers.values()]
    goals = list(make.goals(plans, verdicts))
    counted = _count([*layers, *goals], ground, progress)
    both = list(zip(layers, counted, strict=False))
    coverage = [row for case, one in both for row in _coverage(case, one, evidence, interval)]
    causes = [{"layer": case.selections[0].layer, **row} for case, one in both for row in _causes(one, case, interval)]
    judged: list[dict[str, object]] = []
    for goal, one in zip(goals, counted[len(layers) :], strict=True):
        judged += _goal_rows(goal, one, evidence, interval)
        named = {"layer": getattr(goal.goal, "layer", ""), "plan_id": goal.plan.id, "goal_id": goal.goal.id}
        causes += [{**row, **named} for row in _causes(one, goal, interval)]
    return Bracket(
        pd.DataFrame(coverage, columns=list(_COVERAGE_COLUMNS)),
        pd.DataFrame(judged, columns=list(_GOAL_COLUMNS)),
        pd.DataFrame(causes, columns=list(_CAUSE_COLUMNS)),
    )


def corners(asked: Uncertainty, *, max_access_m: float) -> dict[str, Scenario]:
    """Return the scenarios at the ends of the ranges: all causes together (`lower`, `upper`), and each alone."""
    low_m, high_m = asked.access_m(max_access_m)
    slow, fast = 1.0 - asked.speed_share, 1.0 + asked.speed_share
    return {
        "lower": Scenario(slow, low_m, asked.position_m),
        "upper": Scenario(fast, high_m, -asked.position_m),
        "speed lower": Scenario(speed=slow),
        "speed upper": Scenario(speed=fast),
        "access lower": Scenario(max_access_m=low_m),
        "access upper": Scenario(max_access_m=high_m),
        "position lower": Scenario(longer_m=asked.position_m),
        "position upper": Scenario(longer_m=-asked.position_m),
    }


def _scenarios(one: draws.Draw) -> tuple[Scenario, dict[str, Scenario]]:
    """Return a draw as scenarios: all of its causes together, and each that changes travel alone."""
    return Scenario(one.speed, one.max_access_m, draw=one.number), {
        "speed": Scenario(speed=one.speed),
        "access": Scenario(max_access_m=one.max_access_m),
        "position": Scenario(draw=one.number),
    }


def _count(cases: Sequence[Case], ground: Ground, progress: Callable[[str], None]) -> list[_Counted]:
    """Count everybody in every scenario and every draw."""
    asked, own_m, points = ground.asked, ground.options.max_access_m, ground.layers.demand.points
    people = {group: points[group].to_numpy(dtype=np.float64) for case in cases for group in case.groups}
    ends, crowd = corners(asked, max_access_m=own_m), draws.Crowd.of(points)
    counted = [_at_ends(case, ground, ends, people) for case in cases]
    for number in range(1, asked.draws + 1):
        progress(f"coverage bracket: {number} of {asked.draws}")
        here, one = ground.for_draw(), draws.draw(asked, number, max_access_m=own_m)
        factor = crowd.factors(asked, number)
        varied = {group: factor * persons for group, persons in people.items()}
        for case, into in zip(cases, counted, strict=True):
            for name, counts in _in_draw(case, into, here, one, (people, varied)).items():
                into.drawn[name].append(counts)
    return counted


def _at_ends(case: Case, ground: Ground, ends: Mapping[str, Scenario], people: Mapping[str, Floats]) -> _Counted:
    """Count a case as the study has it and at the ends of the ranges; nothing is drawn yet."""
    persons, covered = [people[group] for group in case.groups], case.counted(ground, Scenario())
    own = case.counts(covered, persons)
    found = {name: case.counts(case.counted(ground, one), persons, base=own.base) for name, one in ends.items()}
    return _Counted(covered, own, found, {name: [] for name in ("joint", *CAUSES)})


def _in_draw(
    case: Case, own: _Counted, ground: Ground, one: draws.Draw, people: tuple[Mapping[str, Floats], ...]
) -> dict[str, Counts]:
    """Count a case in a draw: all causes together and each alone; `people` as they are counted, and as drawn."""
    counted, drawn = ([those[group] for group in case.groups] for those in people)
    joint, alone = _scenarios(one)
    population = case.counts(own.covered, drawn)
    base = own.central.base
    found = {name: case.counts(case.counted(ground, other), counted, base=base) for name, other in alone.items()}
    together = case.counts(case.counted(ground, joint), drawn, base=population.base)
    return {"joint": together, "population": population, **found}


def _study_and_zones(case: Case) -> Floats:
    """Return the study and its zones as places made of zones."""
    return np.vstack([np.ones(len(case.zones)), np.eye(len(case.zones))])


def _main_cause(drawn: Mapping[str, tuple[Floats, Floats]]) -> np.ndarray:
    """Return the cause whose draws alone lie farthest apart, empty where none moves the figure."""
    width = np.stack([drawn[cause][1] - drawn[cause][0] for cause in CAUSES])
    width = np.where(np.isnan(width), 0.0, width)
    names = np.array(CAUSES, dtype=object)[width.argmax(axis=0)]
    return np.where(width.max(axis=0) > NOISE, names, "")


def _coverage(case: Case, counted: _Counted, evidence: Evidence, interval: float) -> list[dict[str, object]]:
    """Return the rows of a facility layer: for each group the study first, then its zones."""
    places = _study_and_zones(case)
    drawn = counted.low_high(places, interval)
    figures = {
        "population": places @ counted.central.base,
        "lower": counted.ends["lower"].shares(places),
        "central": counted.central.shares(places),
        "upper": counted.ends["upper"].shares(places),
        "low": drawn["joint"][0],
        "high": drawn["joint"][1],
        "cause": _main_cause(drawn),
    }
    name_of = dict(zip(evidence.zones["zone_id"], evidence.zones["name"], strict=True))
    names = [("", ""), *((zone, name_of[zone]) for zone in case.zones)]
    return [
        {"layer": case.selections[0].layer, "group": group, "zone_id": zone, "zone": name}
        | {key: values[row, column] for key, values in figures.items()}
        for column, group in enumerate(case.groups)
        for row, (zone, name) in enumerate(names)
    ]


def _causes(counted: _Counted, case: Case, interval: float) -> list[dict[str, object]]:
    """Return what each cause alone does to the study's figure, for each group."""
    study = np.ones((1, len(case.zones)))
    drawn = counted.low_high(study, interval)
    central, most = counted.central.shares(study)[0], _main_cause(drawn)[0]
    rows: list[dict[str, object]] = []
    for column, group in enumerate(case.groups):
        for cause in CAUSES:
            ends = (counted.ends.get(f"{cause} {end}") for end in ("lower", "upper"))
            lower, upper = (np.nan if end is None else end.shares(study)[0, column] for end in ends)
            low, high = (end[0, column] for end in drawn[cause])
            rows.append(
                {"group": group, "plan_id": "", "goal_id": "", "cause": cause, "lower": lower,
                 "central": central[column], "upper": upper, "low": low, "high": high, "width": high - low,
                 "moves_most": bool(most[column] == cause)}
            )  # fmt: skip
    return rows


@dataclass(frozen=True)
class _Place:
    """A place that a goal speaks of, and the verdict on it."""

    level: str
    id: str
    name: str
    found: Verdict | PlaceVerdict


def _places(verdict: Verdict) -> list[_Place]:
    """Return the study and its places, those that the goal speaks of."""
    found = [_Place("study", "", "", verdict)]
    for level, ones in (("district", verdict.districts), ("zone", verdict.zones)):
        found += [_Place(level, one.id, one.name, one) for one in ones if one.reason != "out_of_scope"]
    return found


def _goal_rows(case: GoalCase, counted: _Counted, evidence: Evidence, interval: float) -> list[dict[str, object]]:
    """Return a row for each place that a goal speaks of."""
    verdict = case.judged(counted.central, evidence)
    ends = {end: _places(case.judged(counted.ends[end], evidence)) for end in ("lower", "upper")}
    places = _places(verdict)
    made_of = _made_of(places, case, evidence)
    drawn = counted.low_high(made_of, interval)
    causes = _main_cause(drawn)[:, 0]
    statuses = _statuses(case, places, [one.shares(made_of)[:, 0] for one in counted.drawn["joint"]], evidence)
    rows: list[dict[str, object]] = []
    for i, place in enumerate(places):
        low, high = (_figure(end[i, 0]) for end in drawn["joint"])
        met, same = _parts([each[i] for each in statuses], place.found.status)
        row: dict[str, object] = {
            "plan_id": case.plan.id, "goal_id": case.goal.id, "name_zh": case.goal.name.zh,
            "name_en": case.goal.name.en, "level": place.level, "place_id": place.id, "place": place.name,
            "bound": verdict.bound, "target": verdict.target, "lower": ends["lower"][i].found.value,
            "central": place.found.value, "upper": ends["upper"][i].found.value, "low": low, "high": high,
            "status_lower": ends["lower"][i].found.status, "status": place.found.status,
            "status_upper": ends["upper"][i].found.status, "met_share": met, "same_share": same, "cause": causes[i],
        }  # fmt: skip
        rows.append(row | {"flips": _flips(row, interval)})
    return rows


def _made_of(places: Sequence[_Place], case: GoalCase, evidence: Evidence) -> Floats:
    """Tell which zones each place is made of, shape (places, zones)."""
    zones = np.array(case.zones, dtype=object)
    district = evidence.district_of.reindex(list(case.zones)).to_numpy(dtype=object)
    of_level = {"study": np.full(len(zones), "", dtype=object), "district": district, "zone": zones}
    return np.array([of_level[place.level] == place.id for place in places], dtype=np.float64)


def _statuses(
    case: GoalCase, places: Sequence[_Place], drawn: Sequence[Floats], evidence: Evidence
) -> list[list[Status | None]]:
    """Return how each place stands in each draw; None where the goal sets nothing for it."""
    each, goal = case.goal.scope.each, case.goal
    found = []
    for values in drawn:
        row = [
            None if place.found.status is None else status_of(goal, _figure(value), evidence.date)
            for place, value in zip(places, values, strict=True)
        ]
        if each is not None and goal.target is not None:
            judged = zip(places, row, strict=True)
            row[0] = worst(one for place, one in judged if place.level == each and place.found.reason != "nobody")
        found.append(row)
    return found


def _figure(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _parts(statuses: Sequence[Status | None], central: Status | None) -> tuple[float | None, float | None]:
    """Return the shares of the draws that meet a goal, and that have the verdict of the study."""
    if central in (None, "no_data"):
        return None, None
    return tuple(float(np.mean([one == status for one in statuses])) for status in ("met", central))  # type: ignore[return-value]


def _flips(row: Mapping[str, object], interval: float) -> bool:
    """Tell whether a verdict is another at a corner, or in more draws than lie beyond one end of the interval."""
    if len({row["status_lower"], row["status"], row["status_upper"]}) > 1:
        return True
    same = row["same_share"]
    return isinstance(same, float) and 1.0 - same > (1.0 - interval) / 2.0
