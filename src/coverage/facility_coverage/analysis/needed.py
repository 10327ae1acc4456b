"""Needed: how many new sites a goal that counts facilities, beds or towns is short of, and where they must stand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from facility_coverage.analysis.evidence import Evidence, inside_area, own_facilities, zones_in_scope
from facility_coverage.analysis.goals import reaches
from facility_coverage.analysis.measuring import measure, scale_of, unit_of
from facility_coverage.analysis.placing import Unit
from facility_coverage.analysis.tally import Figure
from facility_coverage.config import measures as ask

Objects = npt.NDArray[np.object_]
Level = Literal["study", "district", "zone"]
COLUMNS = ["level", "place_id", "wanted", "most", "short", "unit", "scale"]


@dataclass(frozen=True)
class Needed:
    """What is short of a goal.

    Attributes
    ----------
    units
        Zones, districts or the whole study, with the sites that each needs; those that cannot have them are left out.
    enough
        How many units of each group must have theirs.
    lacking
        Where candidates are too few: `level` (study, district, zone), `place_id`, `wanted` and `most` (figures of the
        goal, or facilities of a zone), `short` (`unit`: facilities, beds … that would still be missing), `scale` of the
        figures.
    level
        What the units are: ``study``, ``district`` or ``zone``.
    """

    units: tuple[Unit, ...]
    enough: tuple[int, ...]
    lacking: pd.DataFrame
    level: Level


def needed(goal: Any, evidence: Evidence, holds: Mapping[str, float], available: Mapping[str, int]) -> Needed:
    """Return how many sites a goal needs.

    Parameters
    ----------
    goal
        Of facilities, capacities or zones with facilities; it has a target that is to be reached.
    evidence
        What the goal is judged on.
    holds
        Capacity of a new site by column.
    available
        Candidates that may count, by zone; zones beyond the goal's scope have none.
    """
    if isinstance(goal, ask.ZonesWithFacility):
        return _of_units(goal, evidence, available)
    return _of_amounts(goal, evidence, holds.get(getattr(goal, "capacity", ""), 1.0), available)


def _of_amounts(goal: Any, evidence: Evidence, holds: float, available: Mapping[str, int]) -> Needed:
    """Count sites whose capacities add up to the target of the study, or of each of its places."""
    counted = measure(goal, evidence).tally
    assert counted is not None  # noqa: S101 - goals without data have been refused
    level: Level = goal.scope.each or "study"
    units: list[Unit] = []
    rows: list[tuple[Any, ...]] = []
    for place, zones in _places(goal, evidence).items():
        figure = counted.figure(zones)
        if figure.value is None:
            continue  # nobody lives there: nothing is asked
        need = _count(figure, goal.target.value, holds)
        here = sum(available.get(zone, 0) for zone in zones)
        if need > here:
            after = Figure(figure.amount + here * holds, figure.base)
            short = goal.target.value * figure.base - after.amount
            missing = float(max(1, math.ceil(short - 1e-9 * abs(short))))
            rows.append((level, place, goal.target.value, after.value, missing, unit_of(goal), scale_of(goal)))
        elif need:
            units.append(Unit(place, need, len(units)))
    return Needed(tuple(units), (1,) * len(units), _lacking(rows), level)


def _count(figure: Figure, target: float, holds: float) -> int:
    """Return the fewest sites of a capacity with which a figure reaches its target."""

    def met(sites: int) -> bool:
        return reaches((figure.amount + sites * holds) / figure.base, target, "at_least")

    sites = max(0, math.ceil((target * figure.base - figure.amount) / holds))
    while not met(sites):
        sites += 1
    while sites and met(sites - 1):
        sites -= 1
    return sites


def _of_units(goal: ask.ZonesWithFacility, evidence: Evidence, available: Mapping[str, int]) -> Needed:
    """Count the zones (or districts) that must get a facility, and what each of them lacks."""
    assert goal.target is not None  # noqa: S101 - goals without a target have been refused
    level: Level = "zone" if goal.units == "zones" else "district"
    counts = _facilities_by_zone(goal, evidence)
    ids = zones_in_scope(goal.scope, evidence)
    unit_of = pd.Series(ids, index=ids, dtype=object) if goal.units == "zones" else evidence.district_of.reindex(ids)
    groups = {place: set(zones) for place, zones in _places(goal, evidence).items()}
    units: list[Unit] = []
    enough: list[int] = []
    rows: list[tuple[Any, ...]] = []
    for place, zones in groups.items():
        names = list(dict.fromkeys(unit_of[zone] for zone in ids if zone in zones))
        parts = {name: [zone for zone in ids if unit_of[zone] == name] for name in names}
        found = {name: sum(counts.get(zone, 0) for zone in part) for name, part in parts.items()}
        here = {name: sum(available.get(zone, 0) for zone in part) for name, part in parts.items()}
        most = math.inf if goal.at_most is None else goal.at_most
        good = sum(goal.at_least <= found[name] <= most for name in names)
        more = _count(Figure(float(good), float(len(names))), goal.target.value, 1.0)
        lacking = [name for name in names if found[name] < goal.at_least]
        able = [name for name in lacking if here[name] >= goal.at_least - found[name]]
        if more > len(able):
            without = [name for name in lacking if name not in able]
            rows += [
                (level, str(name), float(goal.at_least), float(found[name] + here[name]),
                 float(goal.at_least - found[name] - here[name]), "facilities", "count") for name in without
            ] or [
                (goal.scope.each or "study", place, goal.target.value, (good + len(able)) / len(names),
                 float(more - len(able)), goal.units, "share")
            ]  # fmt: skip
        elif more:
            units += [Unit(str(name), goal.at_least - found[name], len(enough)) for name in able]
            enough.append(more)
    return Needed(tuple(units), tuple(enough), _lacking(rows), level)


def _facilities_by_zone(goal: ask.ZonesWithFacility, evidence: Evidence) -> dict[str, int]:
    """Return how many facilities that the goal counts stand in each zone."""
    return {str(zone): int(count) for zone, count in own_facilities(goal, evidence)["zone_id"].value_counts().items()}


def _places(goal: Any, evidence: Evidence) -> dict[str, list[str]]:
    """Return the places in which the goal must hold, with the zones of each; the whole study has no id."""
    ids = zones_in_scope(goal.scope, evidence)
    if goal.scope.each is None:
        return {"": ids}
    if goal.scope.each == "zone":
        return {zone: [zone] for zone in ids}
    district = evidence.district_of
    return {str(one): [zone for zone in ids if district[zone] == one] for one in dict.fromkeys(district.reindex(ids))}


def usable(goal: Any, evidence: Evidence, zone: pd.Series, places: Objects) -> npt.NDArray[np.bool_]:
    """Tell which candidates would count in a goal of facilities: those that stand in its zones and areas."""
    keep = zone.isin(zones_in_scope(goal.scope, evidence)).to_numpy(dtype=bool)
    if goal.scope.area is not None:
        keep = keep & inside_area(goal.scope.area, places, evidence)
    return np.asarray(keep)


def _lacking(rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS).astype(dict.fromkeys(("wanted", "most", "short"), float))
