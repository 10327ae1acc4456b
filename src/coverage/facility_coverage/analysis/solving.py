"""Solving: which solver answers a siting, what its sites are worth, and what greedy choice would reach."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from facility_coverage.analysis import centers, covering, medians, siting
from facility_coverage.analysis.siting import Bools, Instance, Solution
from facility_coverage.analysis.worth import Covering, Farthest, Nearness, Worth, greedy
from facility_coverage.config.siting import Siting
from facility_coverage.layers.model import Floats, Ints


def worth_of(asked: Siting, instance: Instance) -> Worth:
    """Return what open sites are worth in the problem that is asked; lengths are seconds."""
    if asked.problem == "p_median":
        return Nearness(instance, _longest_s(asked))
    if asked.problem == "p_center":
        return Farthest(instance, _longest_s(asked))
    return Covering(instance, asked.second_weight if asked.problem == "backup" else 0.0)


def solve(asked: Siting, instance: Instance, zone: Ints, zones: int) -> Solution:
    """Solve the problem that is asked.

    Parameters
    ----------
    asked
        The question.
    instance
        Sites, people, and who is within reach of what.
    zone
        The row of each demand point's zone, shape (demand,).
    zones
        How many there are.
    """
    limit_s, gap = asked.time_limit_s, asked.gap
    if asked.problem == "lscp":
        goal = _goal(asked, zone, zones)
        if goal is None:
            return siting.lscp(instance, time_limit_s=limit_s)
        return siting.lscp_goal(instance, *goal, time_limit_s=limit_s, gap=gap)
    priced, budget = _priced(asked, instance), budget_of(asked)
    if asked.problem == "backup":
        weight = asked.second_weight
        return siting.backup(priced, budget, second_weight=weight, time_limit_s=limit_s, gap=gap)
    if asked.problem == "p_median":
        return medians.p_median(priced, budget, longest=_longest_s(asked), time_limit_s=limit_s, gap=gap)
    if asked.problem == "p_center":
        return centers.p_center(priced, budget, time_limit_s=limit_s, gap=gap)
    return covering.mclp(priced, budget, time_limit_s=limit_s, gap=gap)


def greedy_objective(asked: Siting, instance: Instance, zone: Ints, zones: int) -> float:
    """Return the objective of choosing the best next site again and again, NaN where that reaches no goal."""
    if asked.problem == "lscp":
        return _greedy_price(asked, instance, zone, zones)
    priced, budget = _priced(asked, instance), budget_of(asked)
    opened = instance.kept.copy()
    if asked.problem == "p_center":
        opened = centers.farthest_first(priced, budget)
        reached = np.zeros(len(instance.people), dtype=np.bool_)
        reached[instance.reach.indices] = True
        farthest = float(centers.trip_lengths(instance, opened)[reached].max(initial=0.0))
        return farthest if np.isfinite(farthest) else np.nan
    if asked.problem == "p_median":
        savings, _ = medians.Savings.of(priced, _longest_s(asked))
        opened[np.flatnonzero(~instance.kept)[medians.greedy(savings, budget)]] = True
    elif asked.problem == "mclp":
        opened[covering.greedy(priced, budget)] = True
    else:
        opened = greedy(worth_of(asked, instance), priced, budget)
    return abs(worth_of(asked, instance).value(opened))


def _greedy_price(asked: Siting, instance: Instance, zone: Ints, zones: int) -> float:
    """Return what greedy choice pays for the goal; people of zones that have reached it count no more."""
    goal = _goal(asked, zone, zones)
    if goal is None:
        return float(instance.price[covering.greedy(instance, np.inf)].sum())
    place, share = goal
    cover, left = instance.cover, np.where(instance.covered(instance.kept), 0.0, instance.people)
    people = np.bincount(place, instance.people, minlength=len(share))
    price, spent = np.maximum(instance.price, 1e-12), 0.0
    while True:
        covered = people - np.bincount(place, left, minlength=len(share))
        short = covered < share * people * (1 - 1e-12)
        if not short.any():
            return spent
        rate = np.where(instance.kept, 0.0, np.asarray(cover @ (left * short[place])) / price)
        site = int(np.argmax(rate))
        if rate[site] <= 0.0:
            return float(np.nan)
        spent += float(instance.price[site])
        left[cover.indices[cover.indptr[site] : cover.indptr[site + 1]]] = 0.0


def _goal(asked: Siting, zone: Ints, zones: int) -> tuple[Ints, Floats] | None:
    """Return the zone of each point and the share that each zone must reach, None for all who can be covered."""
    if asked.each_zone is not None:
        return zone, np.full(zones, asked.each_zone)
    return None if asked.share is None else (np.zeros_like(zone), np.array([asked.share]))


def _priced(asked: Siting, instance: Instance) -> Instance:
    """Return the instance with the prices that count: the number of sites is the budget where all cost the same."""
    kept: Bools = instance.kept
    return instance if asked.budget is not None else replace(instance, price=np.where(kept, 0.0, 1.0))


def budget_of(asked: Siting) -> float:
    """Return what sites may cost together, or how many there may be."""
    return float(asked.sites if asked.sites is not None else asked.budget or 0.0)


def _longest_s(asked: Siting) -> float:
    return 60.0 * float(asked.longest_min or 0.0)
