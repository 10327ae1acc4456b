"""Promises: who is to reach which facilities in what time, by a facility layer or by a goal that asks otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from facility_coverage.analysis.evidence import Evidence, cutoff_of, people_of
from facility_coverage.analysis.measuring import absent_of
from facility_coverage.analysis.reach import chosen_of
from facility_coverage.analysis.trips import Trips, travel
from facility_coverage.config.measures import PopulationCovered
from facility_coverage.config.plan import Plan
from facility_coverage.config.study import FacilityLayer

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Promise:
    """Facilities that people are to reach.

    Attributes
    ----------
    trip
        Travel to the facilities that count; its layer has the cutoff, profile and group of the promise.
    goal
        Id of the goal, empty for the layer's own promise.
    other_tiers, neighbours
        Which facilities of the layer would count but for their tier, or but for lying beyond the zones,
        shape (facilities of the layer,).
    """

    trip: Trips
    goal: str
    other_tiers: Bools
    neighbours: Bools


def promises(plans: Sequence[Plan], evidence: Evidence, trips: Sequence[Trips]) -> Iterator[Promise]:
    """Yield the promise of each layer, then those of goals of coverage by travel time that differ from all before.

    Goals that differ in the people only, or that the study has no data for, are passed over.
    """
    seen: list[_Asked] = []
    for trip in trips:
        facilities = evidence.layers.facilities[trip.layer.id]
        counted = facilities["facility_id"].isin(trip.facilities["facility_id"]).to_numpy()
        seen.append(_Asked(trip.layer, counted, ""))
        yield Promise(trip, "", np.zeros(len(counted), dtype=np.bool_), ~counted)
    goals = [goal for plan in plans for goal in plan.goals if isinstance(goal, PopulationCovered)]
    for goal in goals:
        if goal.radius_m is not None or absent_of(goal, evidence):
            continue
        asked = _asked(goal, evidence)
        if not any(asked.is_part_of(other) for other in seen):
            seen.append(asked)
            yield _promise(goal, asked, evidence)


@dataclass(frozen=True)
class _Asked:
    """A layer as somebody asks for it: which facilities count, and for whom (`scope`, empty for everybody)."""

    layer: FacilityLayer
    counted: Bools
    scope: str

    def is_part_of(self, other: _Asked) -> bool:
        """Tell whether the other promises the same, to all the people of this one."""
        same = self.layer.model_copy(update={"group": other.layer.group}) == other.layer
        return same and np.array_equal(self.counted, other.counted) and other.scope in ("", self.scope)


def _asked(goal: PopulationCovered, evidence: Evidence) -> _Asked:
    """Return the layer as a goal asks for it."""
    layer = evidence.facility_layers[goal.layer]
    said = {"profile": goal.profile, "facilities_from": goal.facilities_from, "cutoff_min": cutoff_of(goal, layer)}
    changed = {key: value for key, value in said.items() if value is not None}
    asked = layer.model_copy(update={**changed, "group": goal.group})
    own_only = asked.facilities_from == "own_zones_only"
    counted = chosen_of(asked, evidence.layers.facilities[goal.layer], tiers=goal.tier, own_only=own_only)
    parts = (goal.scope.area_type, goal.scope.area)
    return _Asked(asked, counted, "" if parts == (None, None) else repr(parts))


def _promise(goal: PopulationCovered, asked: _Asked, evidence: Evidence) -> Promise:
    """Return the travel that a goal asks for; nobody outside its scope is promised anything."""
    layer, facilities = asked.layer, evidence.layers.facilities[goal.layer]
    trip = travel(layer, evidence.layers, evidence.reach.networks[layer.profile], chosen=asked.counted)
    zone, _ = people_of(goal, evidence, goal.group)
    in_scope = np.where(zone.notna(), trip.cutoff_s, np.nan)
    inside = chosen_of(layer, facilities, own_only=layer.facilities_from == "own_zones_only")
    of_tier = chosen_of(layer, facilities, tiers=goal.tier)
    return Promise(replace(trip, cutoff_s=in_scope), goal.id, inside & ~asked.counted, of_tier & ~asked.counted)
