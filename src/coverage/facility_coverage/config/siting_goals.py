"""Goals that a siting asks for: which one a name means, and why new sites cannot meet it, where they cannot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from facility_coverage.config import measures as ask
from facility_coverage.config.checks import entries
from facility_coverage.config.document import Document, Place, describe
from facility_coverage.config.faults import did_you_mean, one_of
from facility_coverage.config.goal import GoalBase
from facility_coverage.config.plan import Plan
from facility_coverage.errors import Fault

MEASURES = ("population_covered", "capacity_total", "capacity_per_1000", "facility_count", "zones_with_facility")
"""Measures whose goals a number of new sites can meet."""

Refusal = tuple[Place, str, str]
"""Where in the siting, what is wrong, what to do."""


def goals_named(name: str, plans: Sequence[Plan]) -> list[tuple[Plan, GoalBase]]:
    """Return the goals that a name, ``goal`` or ``plan:goal``, may mean."""
    plan_id, _, goal_id = name.rpartition(":")
    return [(plan, goal) for plan in plans for goal in plan.goals if goal.id == goal_id and plan_id in ("", plan.id)]


def check_siting_goals(document: Document, plans: Sequence[Plan]) -> list[Fault]:
    """Return the faults of a study's sitings that ask for goals."""
    layers = {str(layer.get("id")): layer for _, layer in entries(document.content.get("facilities"))}
    return [
        document.fault(("siting", i, *place), message, advice=advice)
        for i, siting in entries(document.content.get("siting"))
        if isinstance(siting.get("goal"), str)
        for place, message, advice in refusals(siting, plans, layers)
    ]


def refusals(
    siting: Mapping[str, Any], plans: Sequence[Plan], layers: Mapping[str, Mapping[str, Any]]
) -> list[Refusal]:
    """Return why the goal of a siting cannot be asked for.

    Parameters
    ----------
    siting
        As written in YAML, with a `goal`.
    plans
        Plans of the study.
    layers
        Its facility layers as written, by id.
    """
    name = str(siting["goal"])
    found = goals_named(name, plans)
    if len(found) != 1:
        return [(("goal",), *_which(name, found, plans))]
    goal: Any = found[0][1]
    whole = _of_the_goal(goal)
    if whole:
        return [(("goal",), message, advice) for message, advice in whole]
    serves = siting.get("serves")
    served = next((one for _, one in entries(serves)), None)
    return [] if served is None else list(_of_the_served(goal, served, layers.get(goal.layer, {})))


def _which(name: str, found: Sequence[tuple[Plan, GoalBase]], plans: Sequence[Plan]) -> tuple[str, str]:
    """Say that a name means no goal, or several."""
    if found:
        several = one_of(f"{plan.id}:{goal.id}" for plan, goal in found)
        return f"{len(found)} plans have a goal {describe(name)}", f"write one of {several}"
    options = [goal.id for plan in plans for goal in plan.goals if goal.measure in MEASURES and goal.target]
    options += [f"{plan.id}:{goal.id}" for plan in plans for goal in plan.goals] if ":" in name else []
    advice = did_you_mean(name, options) or (f"give one of {one_of(options[:8])}" if options else "name a plan first")
    return f"{describe(name)} is no goal of the study's plans", advice


def _of_the_goal(goal: Any) -> list[tuple[str, str]]:
    """Return what of a goal itself no new site can meet."""
    shown = describe(goal.id)
    if goal.measure not in MEASURES:
        message = f"the measure of {shown} is {goal.measure}, which says nothing of a number of sites"
        return [(message, f"sites can be counted for goals of {one_of(MEASURES)}")]
    faults = []
    if goal.target is None:
        faults.append((f"the goal {shown} has no target", "give it one, or ask for a number of sites"))
    elif goal.target.bound == "at_most":
        faults.append((f"the goal {shown} sets a most, which new sites only exceed", "ask for another goal"))
    if getattr(goal, "attribute", None) is not None:
        message = f"the goal {shown} counts only facilities of which {goal.attribute!r} says yes"
        faults.append((message, "of a new one nobody knows it yet; ask for a goal without attribute"))
    return faults


def _of_the_served(goal: Any, served: Mapping[str, Any], layer: Mapping[str, Any]) -> Iterator[Refusal]:
    """Yield what keeps a new facility from counting in the goal."""
    place: Place = ("serves", 0)
    if isinstance(served.get("layer"), str) and served["layer"] != goal.layer:
        message = f"{describe(served['layer'])} is not the layer of the goal {describe(goal.id)}"
        yield (*place, "layer"), message, f"write layer: {goal.layer}"
        return
    tier, counted = served.get("tier"), counted_tiers(goal, layer)
    if counted == []:
        message = f"the goal {describe(goal.id)} counts {one_of(goal.tier)}, and the layer has no such tier"
        yield ("goal",), message, "give the layer that tier, or ask for another goal"
    elif counted is not None and isinstance(tier, str) and tier not in counted:
        message = f"a new {describe(tier)} does not count in the goal {describe(goal.id)}"
        yield (*place, "tier"), message, f"tier: one of {one_of(counted)}"
    if isinstance(goal, ask.PopulationCovered):
        for key in ("group", "weight"):
            if key in served:
                message = f"the goal {describe(goal.id)} says whose coverage counts"
                yield (*place, key), message, f"leave {key} out"
    column = getattr(goal, "capacity", None)
    holds = served.get("capacity")
    holds = holds.get(column) if isinstance(holds, dict) else None
    if column is not None and not (isinstance(holds, int | float) and holds > 0):
        message = f"the goal {describe(goal.id)} counts {column}, and a new site holds none"
        yield place, message, f"say what it would hold: capacity: {{{column}: …}}"


def counted_tiers(goal: Any, layer: Mapping[str, Any]) -> list[str] | None:
    """Return the tiers whose facilities count in a goal, highest first; None where all do.

    Parameters
    ----------
    goal
        Coverage counts higher tiers too, where the layer's `tiers_inclusive` says so.
    layer
        The facility layer as written.
    """
    if goal.tier is None:
        return None
    ordered = [str(tier.get("id")) for _, tier in entries(layer.get("tiers"))]
    if not (isinstance(goal, ask.PopulationCovered) and layer.get("tiers_inclusive") is True):
        return [tier for tier in ordered if tier in goal.tier]
    last = max((ordered.index(tier) for tier in goal.tier if tier in ordered), default=-1)
    return ordered[: last + 1]
