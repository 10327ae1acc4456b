"""Needed: how many new sites a goal that counts facilities, beds or towns is short of, and where they must stand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from facility_coverage.analysis.evidence import Evidence, inside_area, own_facilities, zones_in_scope
from facility_coverage.analysis.goals import reaches
from facility_coverage.analysis.measuring import areas_at, measure, scale_of, unit_of, zones_of_areas
from facility_coverage.analysis.placing import Unit
from facility_coverage.analysis.tally import Figure
from facility_coverage.config import measures as ask

Objects = npt.NDArray[np.object_]
Level = Literal["study", "district", "zone", "area"]
COLUMNS = ["level", "place_id", "wanted", "most", "short", "unit", "scale"]


@dataclass(frozen=True)
class Needed:
    """What is short of a goal.

    Attributes
    ----------
    units
        Zones, districts, areas or the whole study, with the sites that each needs; those that cannot have them are left
        out.
    enough
        How many units of each group must have theirs.
    lacking
        Where candidates are too few: `level` (study, district, zone, area), `place_id`, `wanted` and `most` (figures of
        the goal, or facilities of a unit), `short` (`unit`: facilities, beds … that would still be missing), `scale` of
        the figures.
    """

    units: tuple[Unit, ...]
    enough: tuple[int, ...]
    lacking: pd.DataFrame


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
        Candidates that may count, by unit (see `standing`).
    """
    if isinstance(goal, ask.ZonesWithFacility):
        return _of_units(goal, evidence, available)
    return _of_amounts(goal, evidence, holds.get(getattr(goal, "capacity", ""), 1.0), available)


def _of_amounts(goal: Any, evidence: Evidence, holds: float, available: Mapping[str, int]) -> Needed:
    """Count sites whose capacities add up to the target of the study, or of each of its places."""
    counted = measure(goal, evidence).tally
    assert counted is not None  # noqa: S101 - goals without data have been refused
    level = level_of(goal)
    units: list[Unit] = []
    rows: list[tuple[Any, ...]] = []
    for place, zones in _places(goal, evidence).items():
        figure = counted.figure(zones)
        if figure.value is None:
            continue  # nobody lives there: nothing is asked
        need = _count(figure, goal.target.value, holds)
        here = available.get(place, 0)
        if need > here:
            after = Figure(figure.amount + here * holds, figure.base)
            short = goal.target.value * figure.base - after.amount
            missing = float(max(1, math.ceil(short - 1e-9 * abs(short))))
            rows.append((level, place, goal.target.value, after.value, missing, unit_of(goal), scale_of(goal)))
        elif need:
            units.append(Unit(place, need, len(units)))
    return Needed(tuple(units), (1,) * len(units), _lacking(rows))


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
    """Count the zones (or districts, or areas) that must get a facility, and what each of them lacks."""
    assert goal.target is not None  # noqa: S101 - goals without a target have been refused
    level = level_of(goal)
    zone_of = _zones_of_units(goal, evidence)
    own = own_facilities(goal, evidence)
    counts = standing(goal, evidence, own).value_counts()
    most = math.inf if goal.at_most is None else goal.at_most
    units: list[Unit] = []
    enough: list[int] = []
    rows: list[tuple[Any, ...]] = []
    for place, zones in _places(goal, evidence).items():
        inside = set(zones)
        found = {name: int(counts.get(name, 0)) for name, some in zone_of.items() if inside.intersection(some)}
        if not found:
            continue  # nothing there that must have one
        here = {name: available.get(name, 0) for name in found}
        good = sum(goal.at_least <= count <= most for count in found.values())
        more = _count(Figure(float(good), float(len(found))), goal.target.value, 1.0)
        lacking = [name for name, count in found.items() if count < goal.at_least]
        able = [name for name in lacking if here[name] >= goal.at_least - found[name]]
        if more > len(able):
            without = [name for name in lacking if name not in able]
            rows += [
                (level, name, float(goal.at_least), float(found[name] + here[name]),
                 float(goal.at_least - found[name] - here[name]), "facilities", "count") for name in without
            ] or [
                (goal.scope.each or "study", place, goal.target.value, (good + len(able)) / len(found),
                 float(more - len(able)), unit_of(goal), "share")
            ]  # fmt: skip
        elif more:
            units += [Unit(name, goal.at_least - found[name], len(enough)) for name in able]
            enough.append(more)
    return Needed(tuple(units), tuple(enough), _lacking(rows))


def _zones_of_units(goal: ask.ZonesWithFacility, evidence: Evidence) -> dict[str, list[str]]:
    """Return the units in the goal's scope, with the zones of each."""
    ids = zones_in_scope(goal.scope, evidence)
    if goal.units == "zones":
        return {zone: [zone] for zone in ids}
    found: dict[str, list[str]] = {}
    if goal.units == "districts":
        for zone, district in evidence.district_of.reindex(ids).items():
            found.setdefault(str(district), []).append(str(zone))
        return found
    areas = evidence.layers.areas[goal.units]
    zone_of = zones_of_areas(areas, evidence)
    return {str(one): [str(zone)] for one, zone in zip(areas["area_id"], zone_of, strict=True) if zone in set(ids)}


def level_of(goal: Any) -> Level:
    """Return what the units of a goal are: where its sites are counted."""
    if isinstance(goal, ask.ZonesWithFacility):
        return "zone" if goal.units == "zones" else "district" if goal.units == "districts" else "area"
    return cast("Level", goal.scope.each or "study")


def standing(goal: Any, evidence: Evidence, frame: gpd.GeoDataFrame) -> pd.Series:
    """Return the unit in which each candidate or facility stands, None in none; areas do not overlap."""
    zone = frame["zone_id"].reset_index(drop=True)
    level = level_of(goal)
    if level == "area":
        areas = evidence.layers.areas[goal.units]
        place, area = areas_at(frame.geometry.to_numpy(), areas)
        ids = areas["area_id"].astype(str).to_numpy(dtype=object)[area]
        found = pd.Series(ids, index=place, dtype=object).groupby(level=0).first()
        return found.reindex(range(len(frame)))
    if level == "study":
        return pd.Series("", index=zone.index, dtype=object)
    found = zone if level == "zone" else zone.map(evidence.district_of)
    return pd.Series(found, dtype=object)


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
