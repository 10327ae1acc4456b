"""Maximal covering at the size of a city: reduce, find a good solution, bound it, and prove what is left by HiGHS.

Thousands of sites and tens of thousands of demand points are too many for a solver as they come. Demand points that the
same sites reach are one; sites that another one outdoes are none. Greedy choice with swaps finds a good solution; the
Lagrangian relaxation bounds every other (Galvao & ReVelle 1996) and shows of most sites that they are in no better one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from facility_coverage.analysis.alike import reached_alike
from facility_coverage.analysis.descent import Descent
from facility_coverage.analysis.program import Outcome
from facility_coverage.analysis.siting import Instance, Solution, mclp_direct
from facility_coverage.layers.model import Floats, Ints

Bools = npt.NDArray[np.bool_]

#: Sites are compared to find those outdone while the table of pairs that share a demand point has at most so many.
_MAX_PAIRS = 30_000_000
_ROUNDS, _PATIENCE = 600, 12
_HAIR = 1e-9
"""Of the objective: differences of floating-point sums."""


@dataclass(frozen=True)
class Reduced:
    """A smaller instance with the same best solutions.

    Attributes
    ----------
    instance
        Sites worth opening, and demand that nobody covers yet and somebody can.
    site
        Where they stand among all sites, shape (sites,).
    certain
        People whom the kept sites cover.
    """

    instance: Instance
    site: Ints
    certain: float


def reduced(instance: Instance) -> Reduced:
    """Return what is left when nothing that cannot matter is.

    Demand that kept sites cover is counted; demand that no site covers is dropped; points covered by the same sites
    become one; sites that cover no more than another one and cost no less are dropped.
    """
    done = instance.covered(instance.kept)
    certain = float(instance.people[done].sum())
    left = np.flatnonzero(~done & (instance.people > 0))
    free = np.flatnonzero(~instance.kept)
    cover = csr_array(instance.cover[free][:, left])
    cover, people = _merged(cover, instance.people[left])
    worth = undominated(cover, instance.price[free])
    cover = csr_array(cover[worth])
    cover, people = _merged(cover, people)
    site = free[worth]
    return Reduced(Instance.of(cover, people, price=instance.price[site]), site, certain)


def _merged(cover: csr_array, people: Floats) -> tuple[csr_array, Floats]:
    """Make one of the demand points that the same sites reach; drop those that none reaches."""
    trips = cover.tocoo()
    group = reached_alike(trips.row, trips.col, points=cover.shape[1])
    some = np.flatnonzero(group >= 0)
    count = int(group.max(initial=-1)) + 1
    first = np.full(count, cover.shape[1], dtype=np.int64)
    np.minimum.at(first, group[some], some)
    together = np.bincount(group[some], people[some], minlength=count).astype(np.float64)
    return csr_array(cover.tocsc()[:, first]), together


def undominated(cover: csr_array, price: Floats) -> Ints:
    """Return the sites that no other outdoes: of equals, the first."""
    size = np.diff(cover.indptr)
    some = np.flatnonzero(size > 0)
    per_point = np.bincount(cover.indices, minlength=cover.shape[1]).astype(np.float64)
    if float(per_point @ per_point) > _MAX_PAIRS:
        return some
    common = (cover @ cover.T).tocoo()
    inner, outer = common.row, common.col
    within = (common.data == size[inner]) & (inner != outer) & (price[outer] <= price[inner])
    equal = (size[inner] == size[outer]) & (price[inner] == price[outer])
    outdone = within & (~equal | (outer < inner))
    worth = np.ones(cover.shape[0], dtype=np.bool_)
    worth[inner[outdone]] = False
    return some[worth[some]]


def greedy(instance: Instance, budget: float) -> list[int]:
    """Return sites in the order of the gain per price that each adds to those before, while the budget lasts.

    Gains only shrink as sites are added, so a site is looked at again only when its old gain would be the best.
    """
    cover, price = instance.cover, instance.price
    open_people = np.where(instance.covered(instance.kept), 0.0, instance.people)
    gain = np.asarray(cover @ open_people)
    gain[instance.kept] = -1.0
    free_of_charge = np.where(gain > 0, np.inf, 0.0)
    rate = np.where(gain > 0, np.divide(gain, price, out=free_of_charge, where=price > 0), 0.0)
    chosen: list[int] = []
    spent = 0.0
    while True:
        rate[price > budget - spent + _HAIR] = 0.0
        site = int(np.argmax(rate))
        if rate[site] <= 0.0:
            return chosen
        points = cover.indices[cover.indptr[site] : cover.indptr[site + 1]]
        now = float(open_people[points].sum())
        fresh = now / price[site] if price[site] > 0 else (np.inf if now > 0 else 0.0)
        others = np.delete(rate, site)
        if fresh >= others.max(initial=0.0) or fresh == rate[site]:
            chosen.append(site)
            spent += price[site]
            open_people[points] = 0.0
            rate[site] = 0.0
        else:
            rate[site] = fresh


def swapped(instance: Instance, chosen: list[int], budget: float, *, until: float) -> list[int]:
    """Return the sites after the best exchange of one for another, again and again, while any covers more people."""
    cover, people, price = instance.cover, instance.people, instance.price
    chosen = list(chosen)
    times = np.asarray(cover.T @ _marked(chosen, len(price)))
    while time.perf_counter() < until:
        best = (people.sum() * _HAIR, -1, -1)
        for place, site in enumerate(chosen):
            points = cover.indices[cover.indptr[site] : cover.indptr[site + 1]]
            lost = float(people[points[times[points] == 1]].sum())
            without = times.copy()
            without[points] -= 1
            gain = np.asarray(cover @ (people * (without == 0)))
            gain[chosen] = -1.0
            gain[price > budget - price[chosen].sum() + price[site] + _HAIR] = -1.0
            other = int(np.argmax(gain))
            if gain[other] - lost > best[0]:
                best = (float(gain[other] - lost), place, other)
        if best[1] < 0:
            return chosen
        chosen[best[1]] = best[2]
        times = np.asarray(cover.T @ _marked(chosen, len(price)))
    return chosen


def _marked(chosen: list[int], count: int) -> Floats:
    marks = np.zeros(count)
    marks[chosen] = 1.0
    return marks


@dataclass(frozen=True)
class Bound:
    """What the Lagrangian relaxation says.

    Attributes
    ----------
    value
        No solution covers more people.
    opened, closed
        Sites that are, or are not, in every solution better than the one known, shape (sites,).
    """

    value: float
    opened: Bools
    closed: Bools


def relaxed(instance: Instance, budget: float, known: float, *, until: float) -> Bound:
    """Bound the people that any solution covers, and say which sites a solution better than `known` has or has not.

    Each person pays a price for being covered; sites then stand for themselves, and the best set is the one of the
    highest incomes. Subgradient steps look for the prices with the lowest bound.
    """
    cover, people, price = instance.cover, instance.people, instance.price
    backward = csr_array(cover.T)
    worth = people / np.maximum(1, np.diff(backward.indptr))
    search = Descent.of(len(price), step=1.5, patience=_PATIENCE)
    for _ in range(_ROUNDS):
        income = np.asarray(cover @ worth)
        low, high, take = knapsack(income, price, budget)
        here = float((people - worth).sum() + low * budget + np.maximum(income - low * price, 0.0).sum())
        search.lower(here)
        search.decide(here - known * (1 + _HAIR), income, price, (low, high), take)
        times = np.asarray(backward @ take.astype(np.float64))
        slope = times - np.where(worth < people, 1.0, np.minimum(times, 1.0))
        steepness = float(slope @ slope)
        near = search.value - known <= _HAIR * abs(known)
        if near or steepness == 0.0 or search.step < 1e-4 or time.perf_counter() > until:
            break
        worth = np.clip(worth - search.step * (here - known) / steepness * slope, 0.0, people)
    return Bound(search.value, search.opened & ~search.closed, search.closed)


def knapsack(income: Floats, price: Floats, budget: float) -> tuple[float, float, Bools]:
    """Return the rates of income per price of the first site left out and the last one taken, and which are taken."""
    rate = np.divide(income, price, out=np.full(len(price), np.inf), where=price > 0)
    order = np.argsort(-rate, kind="stable")
    fits = np.cumsum(price[order]) <= budget + _HAIR
    count = int(np.argmin(fits)) if not fits.all() else len(order)
    take = np.zeros(len(price), dtype=np.bool_)
    take[order[:count]] = True
    low = float(rate[order[count]]) if count < len(order) else 0.0
    high = float(rate[order[count - 1]]) if count else low
    whole = abs(float(price[order[:count]].sum()) - budget) <= _HAIR
    # Where the budget is not spent by whole sites, only the rate at which it breaks is a valid price of money.
    return low, (high if whole and np.isfinite(high) else low), take


def mclp(instance: Instance, budget: float, *, time_limit_s: float = 60.0, gap: float = 0.0) -> Solution:
    """Open sites within a budget so that most people are covered.

    Parameters
    ----------
    instance
        Sites and people; kept sites are open and cost nothing.
    budget
        With prices of 1, the number of sites.
    time_limit_s, gap
        When to stop: after so long, or when no solution can be better by more than this share.

    Returns
    -------
    The best solution, with the bound that no other exceeds.
    """
    begin = time.perf_counter()
    until = begin + time_limit_s
    small = reduced(instance)
    core, known, bound = small.instance, small.certain, small.certain
    chosen: list[int] = []
    if len(core.price) and len(core.people):
        chosen = swapped(core, greedy(core, budget), budget, until=until)
        found = float(core.people @ core.covered(_marked(chosen, len(core.price)) > 0))
        limit = relaxed(core, budget, found, until=until)
        top = max(limit.value, found)
        if top - found > max(gap, _HAIR) * (found + small.certain):
            others, better, ceiling = _rest(core, limit, budget, time_limit_s=until - time.perf_counter(), gap=gap)
            top = max(found, min(top, ceiling))
            if better > found:
                chosen, found = others, better
                top = max(top, found)
        elif not gap:
            top = found
        known, bound = small.certain + found, small.certain + top
    opened = instance.kept.copy()
    opened[small.site[chosen]] = True
    outcome: Outcome = "optimal" if bound - known <= max(gap, 10 * _HAIR) * max(known, 1.0) else "time_limit"
    proven = known if outcome == "optimal" and not gap else bound
    return Solution(opened, known, proven, outcome, time.perf_counter() - begin)


def _rest(
    core: Instance, limit: Bound, budget: float, *, time_limit_s: float, gap: float
) -> tuple[list[int], float, float]:
    """Let HiGHS choose among the sites that may be in a better solution; return sites, people and bound.

    Where no choice among them keeps the budget there is no better solution, and the bound is nothing.
    """
    free = np.flatnonzero(~limit.closed)
    kept = limit.opened[free]
    paid = float(core.price[free][kept].sum())
    part = Instance(csr_array(core.cover[free]), core.people, np.where(kept, 0.0, core.price[free]), kept)
    small = reduced(part)
    if paid > budget + _HAIR:
        return [], 0.0, 0.0
    if not len(small.instance.price):
        return free[kept].tolist(), small.certain, small.certain
    answer = mclp_direct(small.instance, budget - paid, time_limit_s=time_limit_s, gap=gap)
    if np.isnan(answer.objective):
        return [], 0.0, small.certain + answer.bound
    sites = [*free[kept].tolist(), *free[small.site[answer.opened]].tolist()]
    return sites, small.certain + answer.objective, small.certain + answer.bound
