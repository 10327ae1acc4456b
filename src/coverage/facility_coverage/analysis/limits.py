"""Limits: who travels in a study, and how far anybody may."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from facility_coverage.config.measures import (
    Accessibility,
    FacilitiesInReach,
    PopulationCovered,
    PopulationWithChoice,
    TravelTime,
)
from facility_coverage.config.reading import LoadedStudy
from facility_coverage.config.study import AreaType
from facility_coverage.network.speed import fastest_ms

_ON_TRIPS = (PopulationCovered, Accessibility, TravelTime, FacilitiesInReach, PopulationWithChoice)


def profiles_of(study: LoadedStudy) -> list[str]:
    """Return the names of the profiles that facility layers, goals and catalogues name."""
    goals = [goal for plan in study.plans for goal in plan.goals]
    named = {layer.profile for layer in study.config.facilities}
    named |= {profile for goal in goals if (profile := getattr(goal, "profile", None)) is not None}
    return sorted(named | {catalogue.profile for catalogue in study.catalogues.values()})


def longest_trip_m(study: LoadedStudy) -> float:
    """Return how far anybody of the study may travel within a cutoff of a layer, tier, goal or catalogue, in metres."""
    return max(limit_m for _, limit_m in _trips_m(study))


def _trips_m(study: LoadedStudy) -> Iterator[tuple[str, float]]:
    """Yield what limits a trip, and how far it may lead in metres."""
    layers = {layer.id: layer for layer in study.config.facilities}

    def longest(cutoff_min: Mapping[AreaType, float], profile: str) -> float:
        return 60.0 * max(cutoff_min.values()) * fastest_ms(study.profiles[profile])

    for layer in layers.values():
        for cutoff in (layer.cutoff_min, *(tier.cutoff_min for tier in layer.tiers if tier.cutoff_min)):
            yield layer.id, longest(cutoff, layer.profile)
    for goal in (goal for plan in study.plans for goal in plan.goals):
        if isinstance(goal, _ON_TRIPS) and goal.layer in layers:
            asked = layers[goal.layer]
            own = getattr(goal, "cutoff_min", None) or asked.cutoff_min
            limit = goal.longest_min(own) if isinstance(goal, Accessibility) else own
            yield goal.id, longest(limit, goal.profile or asked.profile)
            if isinstance(goal, PopulationCovered) and goal.radius_m is not None:
                yield goal.id, max(goal.radius_m.values())
    for catalogue in study.catalogues.values():
        for cutoff in (catalogue.cutoff_min, *(one.cutoff_min for one in catalogue.known() if one.cutoff_min)):
            yield catalogue.id, longest(cutoff, catalogue.profile)
