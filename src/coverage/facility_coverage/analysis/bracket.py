"""The bracket: how far coverage and verdicts would be elsewhere, had the inputs been a little otherwise.

Two answers stand side by side. At the ends of all ranges together the worst and the best are computed (`lower`,
`upper`). In the draws every input varies at random at once (`low`, `high`), and by itself, which tells the causes apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from facility_coverage.analysis import draws
from facility_coverage.analysis.cases import Case, GoalCase, goal_cases, layer_case
from facility_coverage.analysis.evidence import Evidence
from facility_coverage.analysis.varied import Ground, Scenario
from facility_coverage.analysis.verdicts import PlaceVerdict, Verdict
from facility_coverage.config.plan import Plan
from facility_coverage.config.uncertainty import Uncertainty
from facility_coverage.layers.model import Floats
from facility_coverage.network.graph import Bools

CAUSES = ("speed", "access", "position", "population")


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
class _Counts:
    """People covered and all people of a case, shape (zones, groups), as the study has them and otherwise.

    `ends` holds the corners (`lower`, `upper`) and each cause at its own ends, `drawn` a list of one for each draw:
    `joint`, and each cause alone.
    """

    central: tuple[Floats, Floats]
    ends: dict[str, tuple[Floats, Floats]]
    drawn: dict[str, list[tuple[Floats, Floats]]] = field(default_factory=lambda: {"joint": []} | {c: [] for c in CAUSES})


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
    layers = [layer_case(layer, evidence, groups=groups) for layer in evidence.facility_layers.values()]
    goals = list(goal_cases(plans, evidence, verdicts))
    counts = _count([*layers, *goals], ground, progress)
    of_layers, of_goals = counts[: len(layers)], counts[len(layers) :]
    judged = [_judged(case, one, evidence) for case, one in zip(goals, of_goals, strict=True)]
    tail = ground.asked.interval
    coverage = [_coverage(case, one, evidence, tail) for case, one in zip(layers, of_layers, strict=True)]
    causes = [_layer_causes(case, one, tail) for case, one in zip(layers, of_layers, strict=True)]
    causes += [_goal_causes(case, one, tail) for case, one in zip(goals, of_goals, strict=True)]
    tables = [_goal_rows(*each, evidence, tail) for each in zip(goals, of_goals, judged, strict=True)]
    return Bracket(
        pd.concat(coverage, ignore_index=True),
        pd.DataFrame([row for rows in tables for row in rows], columns=list(GOAL_COLUMNS)),
        pd.concat(causes, ignore_index=True),
    )


COVERAGE_COLUMNS = (
    "layer", "group", "zone_id", "zone", "population", "lower", "central", "upper", "low", "high", "cause",
)  # fmt: skip
GOAL_COLUMNS = (
    "plan_id", "goal_id", "name_zh", "name_en", "level", "place_id", "place", "bound", "target", "lower", "central",
    "upper", "low", "high", "status_lower", "status", "status_upper", "met_share", "same_share", "flips", "cause",
)  # fmt: skip


def corners(asked: Uncertainty, *, max_access_m: float) -> dict[str, Scenario]:
    """Return the scenarios at the ends of the ranges: all causes together, and each alone."""
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


def _count(cases: Sequence[Case], ground: Ground, progress: Callable[[str], None]) -> list[_Counts]:
    """Count everybody in every scenario and every draw."""
    asked, own_m = ground.asked, ground.options.max_access_m
    points = ground.layers.demand.points
    people = [points[list(case.groups)].to_numpy(dtype=np.float64) for case in cases]
    central = [case.counted(ground, Scenario()) for case in cases]
    ends = corners(asked, max_access_m=own_m)
    counts = [
        _Counts(
            case.sums(mask, persons),
            {name: case.sums(case.counted(ground, one), persons) for name, one in ends.items()},
        )
        for case, mask, persons in zip(cases, central, people, strict=True)
    ]
    for number in range(1, asked.draws + 1):
        progress(f"coverage bracket: {number} of {asked.draws}")
        here, factor = ground.for_draw(), draws.people_factors(asked, number, points)[:, None]
        scenarios = _scenarios(draws.draw(asked, number, max_access_m=own_m))
        for case, mask, persons, into in zip(cases, central, people, counts, strict=True):
            for name, scenario in scenarios.items():
                varied = persons * factor if name == "joint" else persons
                into.drawn[name].append(case.sums(case.counted(here, scenario), varied))
            into.drawn["population"].append(case.sums(mask, persons * factor))
    return counts


def _scenarios(one: draws.Draw) -> dict[str, Scenario]:
    """Return a draw as scenarios: all of its causes together, and each that changes travel alone."""
    return {
        "joint": Scenario(one.speed, one.max_access_m, draw=one.number),
        "speed": Scenario(speed=one.speed),
        "access": Scenario(max_access_m=one.max_access_m),
        "position": Scenario(draw=one.number),
    }


def _shares(counted: tuple[Floats, Floats]) -> Floats:
    """Return the shares of the study and of each zone, NaN where nobody lives, shape (1 + zones, groups)."""
    amount, base = (np.vstack([one.sum(axis=0), one]) for one in counted)
    share = np.full(amount.shape, np.nan)
    np.divide(amount, base, out=share, where=base > 0)
    return share


def _between(samples: Sequence[Floats], interval: float) -> tuple[Floats, Floats]:
    """Return the ends of the interval that holds this share of the samples, of the shape of one."""
    tail = (1.0 - interval) / 2.0
    low, high = np.quantile(np.stack(list(samples)), [tail, 1.0 - tail], axis=0)
    return low, high


def _drawn(counts: _Counts, interval: float) -> dict[str, tuple[Floats, Floats]]:
    """Return low and high shares of all draws together and of each cause alone, each of shape (1 + zones, groups)."""
    return {name: _between([_shares(one) for one in sums], interval) for name, sums in counts.drawn.items()}


def _main_cause(drawn: Mapping[str, tuple[Floats, Floats]]) -> np.ndarray:
    """Return the cause whose draws alone lie farthest apart, empty where none moves the figure."""
    width = np.stack([drawn[cause][1] - drawn[cause][0] for cause in CAUSES])
    width = np.where(np.isnan(width), 0.0, width)
    names = np.array(CAUSES, dtype=object)[width.argmax(axis=0)]
    return np.where(width.max(axis=0) > 0, names, "")


def _coverage(case: Case, counts: _Counts, evidence: Evidence, interval: float) -> pd.DataFrame:
    """Return the rows of a facility layer: the study first, then its zones."""
    drawn = _drawn(counts, interval)
    population = np.vstack([counts.central[1].sum(axis=0), counts.central[1]])
    figures = {
        "population": population,
        "lower": _shares(counts.ends["lower"]),
        "central": _shares(counts.central),
        "upper": _shares(counts.ends["upper"]),
        "low": drawn["joint"][0],
        "high": drawn["joint"][1],
        "cause": _main_cause(drawn),
    }
    names = dict(zip(evidence.zones["zone_id"], evidence.zones["name"], strict=True))
    lead = {"zone_id": ["", *case.zones], "zone": ["", *(names[zone] for zone in case.zones)]}
    parts = [
        pd.DataFrame(
            {"layer": case.selections[0].layer, "group": group, **lead, **{k: v[:, i] for k, v in figures.items()}}
        )
        for i, group in enumerate(case.groups)
    ]
    return pd.concat(parts, ignore_index=True)[list(COVERAGE_COLUMNS)]


def _causes(case: Case, counts: _Counts, interval: float) -> pd.DataFrame:
    """Return what each cause alone does to the study's figure, for each group."""
    drawn, rows = _drawn(counts, interval), []
    central = _shares(counts.central)[0]
    most = _main_cause(drawn)[0]
    for i, group in enumerate(case.groups):
        for cause in CAUSES:
            ends = [counts.ends.get(f"{cause} {end}") for end in ("lower", "upper")]
            lower, upper = (np.nan if end is None else _shares(end)[0, i] for end in ends)
            low, high = (end[0, i] for end in drawn[cause])
            rows.append((group, cause, lower, central[i], upper, low, high, high - low, most[i] == cause))
    names = ["group", "cause", "lower", "central", "upper", "low", "high", "width", "moves_most"]
    return pd.DataFrame(rows, columns=names)


def _layer_causes(case: Case, counts: _Counts, interval: float) -> pd.DataFrame:
    table = _causes(case, counts, interval)
    table.insert(0, "layer", case.selections[0].layer)
    table.insert(2, "plan_id", "")
    table.insert(3, "goal_id", "")
    return table


def _goal_causes(case: GoalCase, counts: _Counts, interval: float) -> pd.DataFrame:
    table = _causes(case, counts, interval)
    table.insert(0, "layer", getattr(case.goal, "layer", ""))
    table.insert(2, "plan_id", case.plan.id)
    table.insert(3, "goal_id", case.goal.id)
    return table


@dataclass(frozen=True)
class _Judged:
    """A goal's verdicts: as the study has it, at the corners, and in each draw."""

    central: Verdict
    lower: Verdict
    upper: Verdict
    drawn: tuple[Verdict, ...]


def _judged(case: GoalCase, counts: _Counts, evidence: Evidence) -> _Judged:
    def verdict(counted: tuple[Floats, Floats]) -> Verdict:
        return case.judged(counted[0][:, 0], counted[1][:, 0], evidence)

    return _Judged(
        verdict(counts.central), verdict(counts.ends["lower"]), verdict(counts.ends["upper"]),
        tuple(verdict(one) for one in counts.drawn["joint"]),
    )  # fmt: skip


def _places(verdict: Verdict) -> list[tuple[str, Verdict | PlaceVerdict]]:
    """Return the study and its places with their levels, those that the goal speaks of."""
    places: list[tuple[str, Verdict | PlaceVerdict]] = [("study", verdict)]
    places += [("district", one) for one in verdict.districts]
    places += [("zone", one) for one in verdict.zones]
    return [(level, one) for level, one in places if one.reason != "out_of_scope"]


def _goal_rows(
    case: GoalCase, counts: _Counts, judged: _Judged, evidence: Evidence, interval: float
) -> list[dict[str, object]]:
    """Return a row for each place that a goal speaks of."""
    causes = _causes_by_place(case, counts, evidence, interval)
    drawn = [_places(one) for one in judged.drawn]
    rows = []
    both = zip(_places(judged.lower), _places(judged.central), _places(judged.upper), strict=True)
    for i, ((_, lower), (level, central), (_, upper)) in enumerate(both):
        place_id = "" if level == "study" else getattr(central, "id", "")
        rows.append(
            {
                "plan_id": case.plan.id, "goal_id": case.goal.id, "name_zh": case.goal.name.zh,
                "name_en": case.goal.name.en, "level": level, "place_id": place_id,
                "place": "" if level == "study" else getattr(central, "name", ""),
                "bound": judged.central.bound, "target": judged.central.target, "lower": lower.value,
                "central": central.value, "upper": upper.value,
                **_of_draws([places[i][1] for places in drawn], central, interval),
                "status_lower": lower.status, "status": central.status, "status_upper": upper.status,
                "cause": causes.get((level, place_id), ""),
            }
        )  # fmt: skip
        rows[-1]["flips"] = _flips(rows[-1], interval)
    return rows


def _of_draws(
    drawn: Sequence[Verdict | PlaceVerdict], central: Verdict | PlaceVerdict, interval: float
) -> dict[str, float | None]:
    """Return what the draws say of a place."""
    if central.value is None:
        return {"low": None, "high": None, "met_share": None, "same_share": None}
    values = [np.array([np.nan if one.value is None else one.value]) for one in drawn]
    (low,), (high,) = _between(values, interval)
    if central.status is None:
        return {"low": float(low), "high": float(high), "met_share": None, "same_share": None}
    met = np.mean([one.status == "met" for one in drawn])
    same = np.mean([one.status == central.status for one in drawn])
    return {"low": float(low), "high": float(high), "met_share": float(met), "same_share": float(same)}


def _flips(row: Mapping[str, object], interval: float) -> bool:
    """Tell whether a verdict is another at a corner, or in more draws than lie beyond one end of the interval."""
    if len({row["status_lower"], row["status"], row["status_upper"]}) > 1:
        return True
    same = row["same_share"]
    return isinstance(same, float) and 1.0 - same > (1.0 - interval) / 2.0


def _causes_by_place(
    case: GoalCase, counts: _Counts, evidence: Evidence, interval: float
) -> dict[tuple[str, str], str]:
    """Return the cause that moves the figure of each place most."""
    district = evidence.district_of.reindex(list(case.zones)).to_numpy(dtype=object)
    names = [one for one in dict.fromkeys(district) if isinstance(one, str)]
    member = np.array([district == name for name in names], dtype=np.float64).reshape(len(names), len(case.zones))

    def with_districts(counted: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
        # Districts stand before the zones; the study, which `_shares` adds, counts everybody twice and is the same.
        amount, base = (np.vstack([member @ one, one]) for one in counted)
        return amount, base

    every = {name: [_shares(with_districts(one)) for one in sums] for name, sums in counts.drawn.items()}
    cause = _main_cause({name: _between(shares, interval) for name, shares in every.items()})[:, 0]
    keys = [("study", ""), *(("district", name) for name in names), *(("zone", zone) for zone in case.zones)]
    return {key: str(one) for key, one in zip(keys, cause, strict=True)}
