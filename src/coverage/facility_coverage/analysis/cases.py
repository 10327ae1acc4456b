"""Cases: what a bracket is drawn around: each facility layer for each group, and each goal of people covered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from facility_coverage.analysis.evidence import Evidence, cutoff_of, people_of, zones_in_scope
from facility_coverage.analysis.goals import verdict_on
from facility_coverage.analysis.measuring import Measured, known_services, serving
from facility_coverage.analysis.reach import chosen_of
from facility_coverage.analysis.tally import tally
from facility_coverage.analysis.varied import Ground, Scenario, Selection
from facility_coverage.analysis.verdicts import Verdict
from facility_coverage.config import measures as ask
from facility_coverage.config.goal import GoalBase
from facility_coverage.config.plan import Plan
from facility_coverage.config.study import AreaType, FacilityLayer
from facility_coverage.layers.model import Floats, Ints
from facility_coverage.network.graph import Bools

#: Goals whose figure is a share of people within reach.
OF_COVERAGE = (ask.PopulationCovered, ask.ServiceCompleteness)


@dataclass(frozen=True)
class Counts:
    """People covered and all people, both of shape (zones, groups)."""

    amount: Floats
    base: Floats

    def shares(self, places: Floats) -> Floats:
        """Return the shares of places made of zones, NaN where nobody lives.

        Parameters
        ----------
        places
            1 where a zone belongs to a place, shape (places, zones).

        Returns
        -------
        Shape (places, groups).
        """
        amount, base = places @ self.amount, places @ self.base
        share = np.full(amount.shape, np.nan)
        np.divide(amount, base, out=share, where=base > 0)
        return share


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
        Ids of the zones spoken of, and the number of each demand point's zone among them, from 1; 0 for nobody's.
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

    def counts(self, covered: Bools, people: Sequence[Floats], *, base: Floats | None = None) -> Counts:
        """Return the people of each zone.

        Parameters
        ----------
        covered
            Who counts as covered, shape (points,).
        people
            Those of each of `groups`, shape (points,).
        base
            All people, where they are known already.
        """
        amount = np.column_stack([self._per_zone(np.where(covered, one, 0.0)) for one in people])
        return Counts(amount, np.column_stack([self._per_zone(one) for one in people]) if base is None else base)

    def _per_zone(self, people: Floats) -> Floats:
        return np.bincount(self.zone, people, minlength=len(self.zones) + 1)[1:].astype(np.float64)


@dataclass(frozen=True)
class GoalCase(Case):
    """A goal of people within reach."""

    plan: Plan
    goal: GoalBase

    def judged(self, counts: Counts, evidence: Evidence) -> Verdict:
        """Judge the people of each zone."""
        index = pd.Index(list(self.zones), dtype=object)
        amount, base = (pd.Series(one[:, 0], index) for one in (counts.amount, counts.base))
        found = Measured(tally(self.zones, amount=amount, base=base), "people")
        return verdict_on(self.plan, self.goal, found, evidence)


@dataclass(frozen=True)
class Cases:
    """Makes the cases of a study.

    Attributes
    ----------
    evidence
        What its goals are judged on.
    zones, zone
        All zones, and the number of each demand point's, as in `Case`.
    """

    evidence: Evidence
    zones: tuple[str, ...]
    zone: Ints

    @classmethod
    def of(cls, evidence: Evidence) -> Cases:
        """Return what makes the cases of goals judged on this evidence."""
        zones = tuple(str(one) for one in evidence.zones["zone_id"])
        return cls(evidence, zones, _numbers(evidence.layers.demand.points["zone_id"], zones))

    def layer(self, layer: FacilityLayer, *, groups: Sequence[str]) -> Case:
        """Return the case of a facility layer as the study configures it."""
        facilities = self.evidence.layers.facilities[layer.id]
        chosen = chosen_of(layer, facilities, own_only=layer.facilities_from == "own_zones_only")
        selection = Selection(layer.id, chosen, layer.profile, self._limit(layer.cutoff_min))
        return Case((selection,), 1, tuple(groups), self.zones, self.zone)

    def goals(self, plans: Sequence[Plan], judged: Sequence[Verdict]) -> Iterator[GoalCase]:
        """Yield the case of each goal of people within reach that has a figure, in the order in which they stand."""
        goals = {(plan.id, goal.id): (plan, goal) for plan in plans for goal in plan.goals}
        for one in judged:
            plan, goal = goals[one.plan_id, one.goal_id]
            if not isinstance(goal, OF_COVERAGE) or one.reason == "absent":
                continue
            found = self._of_services(goal) if isinstance(goal, ask.ServiceCompleteness) else self._of_layer(goal)
            zone, _ = people_of(goal, self.evidence, goal.group)
            zones = tuple(zones_in_scope(goal.scope, self.evidence))
            yield GoalCase(*found, (goal.group,), zones, _numbers(zone, zones), plan, goal)

    def _of_layer(self, goal: ask.PopulationCovered) -> tuple[tuple[Selection, ...], int]:
        layer = self.evidence.facility_layers[goal.layer]
        own_only = (goal.facilities_from or layer.facilities_from) == "own_zones_only"
        facilities = self.evidence.layers.facilities[goal.layer]
        chosen = chosen_of(layer, facilities, tiers=goal.tier, own_only=own_only)
        profile = goal.profile or layer.profile
        if goal.radius_m is not None:
            return (Selection(goal.layer, chosen, profile, self._limit(goal.radius_m) / 60.0, is_circle=True),), 1
        return (Selection(goal.layer, chosen, profile, self._limit(cutoff_of(goal, layer))),), 1

    def _of_services(self, goal: ask.ServiceCompleteness) -> tuple[tuple[Selection, ...], int]:
        catalogue = self.evidence.catalogues[goal.catalogue]
        selections = []
        for _, service in known_services(catalogue, self.evidence):
            limit = self._limit(service.cutoff_min or catalogue.cutoff_min)
            selections.append(Selection(str(service.layer), serving(service, self.evidence), catalogue.profile, limit))
        return tuple(selections), goal.at_least or len(selections)

    def _limit(self, minutes: Mapping[AreaType, float]) -> Floats:
        """Return each demand point's cutoff in seconds by the area type of its zone, NaN beyond the zones."""
        of_zone = self.evidence.zones["area_type"].map(dict(minutes)).to_numpy(dtype=np.float64)
        return 60.0 * np.append(np.nan, of_zone)[self.zone]


def _numbers(zone_of_point: pd.Series, zones: Sequence[str]) -> Ints:
    """Return the number of each point's zone among these, from 1; 0 where it is none of them."""
    found = pd.Index(list(zones), dtype=object).get_indexer(pd.Index(zone_of_point, dtype=object))
    return found.astype(np.int64) + 1
