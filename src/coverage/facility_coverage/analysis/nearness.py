"""Nearness: how long people travel to the nearest facility, and how many facilities they have to choose from."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from facility_coverage.analysis import measures
from facility_coverage.analysis.evidence import Evidence, cutoff_of, people_of, serving, zones_in_scope
from facility_coverage.analysis.tally import Tally, sums_by, tally
from facility_coverage.config.measures import FacilitiesInReach, PopulationWithChoice, TravelTime
from facility_coverage.layers.model import Ints


def mean_minutes(goal: TravelTime, evidence: Evidence) -> Tally:
    """Average the minutes to the nearest facility over the people of each zone who reach one, however far it is."""
    layer, chosen = serving(goal, evidence)
    seconds = evidence.reach.nearest(goal.layer, chosen, profile=goal.profile or layer.profile).seconds
    zone, people = people_of(goal, evidence, goal.group)
    reached = ~np.isnan(seconds)
    counted = tally(
        zones_in_scope(goal.scope, evidence),
        amount=sums_by(zone, np.where(reached, people * seconds / 60.0, 0.0)),
        base=sums_by(zone, np.where(reached, people, 0.0)),
    )
    left_out = sums_by(zone, np.where(reached, 0.0, people)).reindex(counted.rows.index, fill_value=0.0)
    return replace(counted, rows=counted.rows.assign(unreached=left_out))


def unreached_note(counted: Tally) -> tuple[str, str]:
    """Return a note on the people who reach no facility and are therefore not in a mean."""
    figure = counted.figure(list(counted.rows.index))
    people = math.ceil(figure.unreached - 1e-6)  # sums of shared-out people carry float noise
    if people <= 0:
        return "", ""
    share = f"{100 * figure.unreached_share:.3g}%"
    return (
        f"另有 {people:,} 人({share})到不了任何一处设施，未计入平均",
        f"{people:,} people ({share}) reach no facility and are not in the mean",
    )


def mean_facilities(goal: FacilitiesInReach, evidence: Evidence) -> Tally:
    """Average the number of facilities within the cutoff over the people of each zone."""
    zone, people = people_of(goal, evidence, goal.group)
    return tally(
        zones_in_scope(goal.scope, evidence),
        amount=sums_by(zone, people * _number_within(goal, evidence)),
        base=sums_by(zone, people),
    )


def people_with_choice(goal: PopulationWithChoice, evidence: Evidence) -> Tally:
    """Relate the people who have enough facilities within the cutoff to all people (0–1)."""
    zone, people = people_of(goal, evidence, goal.group)
    enough = _number_within(goal, evidence) >= goal.at_least
    return measures.population_covered(zone, people, enough, zones_in_scope(goal.scope, evidence))


def _number_within(goal: FacilitiesInReach | PopulationWithChoice, evidence: Evidence) -> Ints:
    """Return how many facilities each demand point has within its cutoff."""
    layer, chosen = serving(goal, evidence)
    within = evidence.reach.catchment(
        goal.layer, chosen, profile=goal.profile or layer.profile, cutoff_min=cutoff_of(goal, layer)
    )
    return np.bincount(within.indices, minlength=within.shape[1])
