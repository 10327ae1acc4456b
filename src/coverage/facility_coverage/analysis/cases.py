"""Cases: what a bracket is drawn around: each facility layer for each group, and each goal of people covered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from facility_coverage.analysis.evidence import Evidence, cutoff_of, people_of, zones_in_scope
from facility_coverage.analysis.goals import verdict_on
from facility_coverage.analysis.measuring import Measured, known_services, serving
from facility_coverage.analysis.reach import chosen_of
from facility_coverage.analysis.tally import tally
from facility_coverage.analysis.trips import cutoffs_by_type
from facility_coverage.analysis.varied import Ground, Scenario, Selection
from facility_coverage.analysis.verdicts import Verdict
from facility_coverage.config import measures as ask
from facility_coverage.config.goal import GoalBase
from facility_coverage.config.plan import Plan
from facility_coverage.config.study import FacilityLayer
from facility_coverage.layers.model import Floats, Ints
from facility_coverage.network.graph import Bools

#: Goals whose figure is a share of people within reach.
OF_COVERAGE = (ask.PopulationCovered, ask.ServiceCompleteness)


@dataclass(frozen=True)
class Case:
    """A figure of people within reach.

    Attributes
    ----------
    selections, needed
        Who is within reach of so many of the selections is counted.
    groups
        Columns of the demand points that are counted.
    zones, zone
        Ids of the zones spoken of, and the row of each demand point's zone among them, -1 for nobody's.
    """

    selections: tuple[Selection, ...]
    needed: int
    groups: tuple[str, ...]
    zones: tuple[str, ...]
    zone: Ints

    def counted(self, ground: Ground, scenario: Scenario) -> Bools:
        """Tell which demand points count as covered, shape (points,)."""
        reached = np.zeros(len(self.zone), dtype=np.int64)
        for one in self.selections:
            reached += ground.covered(one, scenario)
        return reached >= self.needed

    def sums(self, covered: Bools, people: Floats) -> tuple[Floats, Floats]:
        """Return the people covered and all people of each zone and group, shape (zones, groups).

        `people` has a row for each demand point and a column for each of `groups`.
        """
        inside = self.zone >= 0

        def per_zone(values: Floats) -> Floats:
            return np.bincount(self.zone[inside], values[inside], minlength=len(self.zones)).astype(np.float64)

        columns = [(per_zone(np.where(covered, one, 0.0)), per_zone(one)) for one in people.T]
        amount, base = zip(*columns, strict=True)
        return np.column_stack(amount), np.column_stack(base)


@dataclass(frozen=True)
class GoalCase(Case):
    """A goal of people within reach."""

    plan: Plan
    goal: GoalBase

    def judged(self, amount: Floats, base: Floats, evidence: Evidence) -> Verdict:
        """Judge the people of each zone, both of shape (zones,)."""
        index = pd.Index(list(self.zones), dtype=object)
        counts = tally(self.zones, amount=pd.Series(amount, index), base=pd.Series(base, index))
        return verdict_on(self.plan, self.goal, Measured(counts, "people"), evidence)


def layer_case(layer: FacilityLayer, evidence: Evidence, *, groups: Sequence[str]) -> Case:
    """Return the case of a facility layer as the study configures it."""
    facilities = evidence.layers.facilities[layer.id]
    chosen = chosen_of(layer, facilities, own_only=layer.facilities_from == "own_zones_only")
    selection = Selection.of(evidence.layers, layer.id, chosen, profile=layer.profile, minutes=layer.cutoff_min)
    zones = tuple(str(one) for one in evidence.zones["zone_id"])
    return Case((selection,), 1, tuple(groups), zones, _rows(evidence.layers.demand.points["zone_id"], zones))


def goal_cases(plans: Sequence[Plan], evidence: Evidence, judged: Sequence[Verdict]) -> Iterator[GoalCase]:
    """Yield the case of each goal of people within reach that has a figure, in the order in which they were judged."""
    goals = {(plan.id, goal.id): (plan, goal) for plan in plans for goal in plan.goals}
    for one in judged:
        plan, goal = goals[one.plan_id, one.goal_id]
        if not isinstance(goal, OF_COVERAGE) or one.reason == "absent":
            continue
        found = _of_services(goal, evidence) if isinstance(goal, ask.ServiceCompleteness) else _of_layer(goal, evidence)
        zone, _ = people_of(goal, evidence, goal.group)
        zones = tuple(zones_in_scope(goal.scope, evidence))
        yield GoalCase(*found, (goal.group,), zones, _rows(zone, zones), plan, goal)


def _of_layer(goal: ask.PopulationCovered, evidence: Evidence) -> tuple[tuple[Selection, ...], int]:
    layers, layer = evidence.layers, evidence.facility_layers[goal.layer]
    own_only = (goal.facilities_from or layer.facilities_from) == "own_zones_only"
    chosen = chosen_of(layer, layers.facilities[goal.layer], tiers=goal.tier, own_only=own_only)
    profile = goal.profile or layer.profile
    timed = Selection.of(layers, goal.layer, chosen, profile=profile, minutes=cutoff_of(goal, layer))
    if goal.radius_m is None:
        return (timed,), 1
    return (replace(timed, limit=cutoffs_by_type(goal.radius_m, layers) / 60.0, is_circle=True),), 1


def _of_services(goal: ask.ServiceCompleteness, evidence: Evidence) -> tuple[tuple[Selection, ...], int]:
    catalogue = evidence.catalogues[goal.catalogue]
    services = [service for _, service in known_services(catalogue, evidence)]
    selections = [
        Selection.of(
            evidence.layers,
            str(service.layer),
            serving(service, evidence),
            profile=catalogue.profile,
            minutes=dict(service.cutoff_min or catalogue.cutoff_min),
        )
        for service in services
    ]
    return tuple(selections), goal.at_least or len(services)


def _rows(zone_of_point: pd.Series, zones: Sequence[str]) -> Ints:
    rows = pd.Series(np.arange(len(zones)), index=pd.Index(list(zones), dtype=object), dtype=np.float64)
    return zone_of_point.map(rows).fillna(-1).to_numpy(dtype=np.int64)
