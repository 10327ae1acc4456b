"""p-median at the size of a city: open sites so that people's trips to the nearest are shortest in all.

Where nobody goes farther than a longest trip, shortest trips are largest savings: what a site saves each person against
that longest trip, the largest saving of the open sites counted. Greedy choice and exchanges (Teitz & Bart 1968, all
exchanges valued in one pass as by Resende & Werneck 2007) find a good set; the Lagrangian relaxation of each person's
one trip (Narula, Ogbu & Samuelsson 1977) bounds every other and shows which sites are in no better one; HiGHS decides
among the rest.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array, hstack

from facility_coverage.analysis.covering import Bound, knapsack
from facility_coverage.analysis.descent import Descent
from facility_coverage.analysis.program import Outcome, Program
from facility_coverage.analysis.saving_kernels import exchanges, surplus, two_best
from facility_coverage.analysis.siting import Instance, Solution
from facility_coverage.layers.model import Floats, Ints

Bools = npt.NDArray[np.bool_]

_HAIR = 1e-9
"""Of the objective: differences of floating-point sums."""
_ROUNDS, _PATIENCE = 1000, 10
#: HiGHS is asked only about so many pairs of a site and a point: with more it finds nothing in a minute.
_MAX_PAIRS = 400_000


@dataclass(frozen=True)
class Savings:
    """What sites save people.

    Attributes
    ----------
    saving
        Weight times what is saved, above 0, sparse, shape (sites, points).
    price
        Of each site, shape (sites,).
    """

    saving: csr_array
    price: Floats

    @classmethod
    def of(cls, instance: Instance, longest: float) -> tuple[Savings, Floats]:
        """Return what sites save beyond what the kept ones do, and what these save each point."""
        reach = instance.reach
        worth = instance.people[reach.indices] * (longest - reach.data)
        saving = csr_array((worth, reach.indices, reach.indptr), shape=reach.shape)
        floor = best_saving(saving, np.flatnonzero(instance.kept))
        return cls(_above(saving, floor, np.flatnonzero(~instance.kept)), instance.price[~instance.kept]), floor

    def surplus(self, level: Floats) -> Floats:
        """Return what each site saves above the level of each point, shape (sites,)."""
        saving = self.saving
        return np.asarray(surplus(saving.indptr, saving.indices, saving.data, level))

    def saved(self, chosen: Ints) -> float:
        """Return what the chosen sites save in all."""
        return float(best_saving(self.saving, chosen).sum())


def best_saving(saving: csr_array, chosen: Ints) -> Floats:
    """Return the largest saving of each point among the chosen sites, 0 without any, shape (points,)."""
    chosen = np.asarray(chosen, dtype=np.int64)
    return np.asarray(two_best(chosen, saving.indptr, saving.indices, saving.data, saving.shape[1])[0])


def _above(saving: csr_array, level: Floats, sites: Ints) -> csr_array:
    """Return the savings of some sites above a level, without those that are not."""
    part = csr_array(saving[sites])
    more = part.data - level[part.indices]
    keep = more > 0.0
    row = np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))[keep]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=part.shape[0]))])
    return csr_array((more[keep], part.indices[keep], indptr), shape=part.shape)


def p_median(
    instance: Instance, budget: float, *, longest: float, time_limit_s: float = 60.0, gap: float = 0.0
) -> Solution:
    """Open sites within a budget so that people times the length of their trips is least.

    Parameters
    ----------
    instance
        Sites, people, and trips up to `longest`; kept sites are open and cost nothing.
    budget
        With prices of 1, the number of sites (p).
    longest
        What the trip of somebody counts whom no open site reaches.
    time_limit_s, gap
        When to stop: after so long, or when no solution can be better by more than this share.

    Returns
    -------
    The best solution; objective and bound are people times length.
    """
    begin = time.perf_counter()
    until = begin + time_limit_s
    savings, floor = Savings.of(instance, longest)
    worst = float(instance.people.sum()) * longest - float(floor.sum())
    chosen = exchanged(savings, greedy(savings, budget), budget, until=until)
    found = savings.saved(chosen)
    slack = max(gap * (worst - found), _HAIR * worst)
    top = found
    if savings.saving.nnz:
        limit = relaxed(savings, budget, found, until=until, enough=slack)
        top = max(limit.value, found)
        if top - found > slack:
            chosen, found, top = _rest(savings, limit, budget, (chosen, found, top), until=until, gap=gap)
    outcome: Outcome = "optimal" if top - found <= slack else "time_limit"
    if outcome == "optimal" and not gap:
        top = found
    opened = instance.kept.copy()
    opened[np.flatnonzero(~instance.kept)[chosen]] = True
    return Solution(opened, worst - found, worst - top, outcome, time.perf_counter() - begin)


def greedy(savings: Savings, budget: float) -> Ints:
    """Return sites in the order of what each saves per price beyond those before, while the budget lasts.

    Savings only shrink as sites are added, so a site is looked at again only when its old one would be the best.
    """
    saving, price = savings.saving, savings.price
    level = np.zeros(saving.shape[1])
    rate = _per_price(savings.surplus(level), price)
    chosen: list[int] = []
    left = budget
    while len(rate):
        rate[price > left + _HAIR] = 0.0
        site = int(np.argmax(rate))
        if rate[site] <= 0.0:
            break
        points, here = _row(saving, site)
        more = float(np.maximum(here - level[points], 0.0).sum())
        fresh = float(_per_price(np.array([more]), price[site : site + 1])[0])
        stale, rate[site] = rate[site], 0.0
        if fresh > 0.0 and (fresh >= rate.max(initial=0.0) or fresh == stale):
            chosen.append(site)
            left -= price[site]
            level[points] = np.maximum(level[points], here)
        else:
            rate[site] = fresh
    return np.array(chosen, dtype=np.int64)


def _per_price(gain: Floats, price: Floats) -> Floats:
    free_of_charge = np.where(gain > 0, np.inf, 0.0)
    return np.where(gain > 0, np.divide(gain, price, out=free_of_charge, where=price > 0), 0.0)


def _row(saving: csr_array, site: int) -> tuple[npt.NDArray[np.integer], Floats]:
    part = slice(saving.indptr[site], saving.indptr[site + 1])
    return saving.indices[part], saving.data[part]


def exchanged(savings: Savings, chosen: Ints, budget: float, *, until: float) -> Ints:
    """Return the sites after the best exchange of one for another, again and again, while any saves more."""
    saving, price, chosen = savings.saving, savings.price, np.array(chosen, dtype=np.int64)
    while len(chosen) and time.perf_counter() < until:
        level, second, owner = two_best(chosen, saving.indptr, saving.indices, saving.data, saving.shape[1])
        gain, good = exchanges(saving.indptr, saving.indices, saving.data, level, second, owner, len(chosen))
        owned = owner >= 0
        loss = np.bincount(owner[owned], (level - second)[owned], minlength=len(chosen))
        net = gain[:, None] + good - loss
        net[chosen] = -np.inf
        net[price[:, None] > budget - price[chosen].sum() + price[chosen] + _HAIR] = -np.inf
        site, place = np.unravel_index(int(np.argmax(net)), net.shape)
        if net[site, place] <= level.sum() * _HAIR:
            return chosen
        chosen[place] = site
    return chosen


def relaxed(savings: Savings, budget: float, known: float, *, until: float, enough: float = 0.0) -> Bound:
    """Bound what any sites within the budget save, and say which sites a set better than `known` has or has not.

    Each point pays `level` for its trip; a site's income is what it saves above that. Subgradient steps look for the
    levels with the lowest bound; `enough` above `known` ends the search.
    """
    saving, price = savings.saving, savings.price
    most = np.zeros(saving.shape[1])
    np.maximum.at(most, saving.indices, saving.data)
    level = best_saving(saving, greedy(savings, budget))
    search = Descent.of(len(price), step=1.0, patience=_PATIENCE)
    for _ in range(_ROUNDS):
        income = savings.surplus(level)
        low, high, take = knapsack(income, price, budget)
        here = float(level.sum() + low * budget + np.maximum(income - low * price, 0.0).sum())
        search.lower(here)
        search.decide(here - known * (1 + _HAIR), income, price, (low, high), take)
        part = csr_array(saving[np.flatnonzero(take)])
        above = part.data > level[part.indices]
        slope = np.bincount(part.indices[above], minlength=len(level)) - 1.0
        slope[(level <= 0.0) & (slope < 0.0)] = 0.0
        steepness = float(slope @ slope)
        if search.value - known <= max(enough, _HAIR * abs(known)) or steepness == 0.0 or search.step < 1e-3:
            break
        if time.perf_counter() > until:
            break
        level = np.clip(level + search.step * (here - known) / steepness * slope, 0.0, most)
    return Bound(search.value, search.opened & ~search.closed, search.closed)


def _rest(
    savings: Savings, limit: Bound, budget: float, known: tuple[Ints, float, float], *, until: float, gap: float
) -> tuple[Ints, float, float]:
    """Let HiGHS choose among the sites that may be in a better set; return sites, what they save, and the bound."""
    chosen, found, top = known
    sure, maybe = np.flatnonzero(limit.opened), np.flatnonzero(~limit.closed & ~limit.opened)
    left = budget - float(savings.price[sure].sum())
    if left < -_HAIR:  # no better set exists
        return chosen, found, found
    floor = best_saving(savings.saving, sure)
    part = _above(savings.saving, floor, maybe)
    if part.nnz > _MAX_PAIRS:
        return chosen, found, top
    price = savings.price[maybe]
    solved, ceiling = _by_program(part, price, left, time_limit_s=until - time.perf_counter(), gap=gap)
    ceiling += float(floor.sum())
    if solved is not None:
        others = np.concatenate([sure, maybe[solved]])
        better = savings.saved(others)
        if better > found:
            chosen, found = others, better
    return chosen, found, max(found, min(top, ceiling))


def _by_program(
    saving: csr_array, price: Floats, budget: float, *, time_limit_s: float, gap: float
) -> tuple[Ints | None, float]:
    """Return the sites that save most within the budget, None where none are found in time, and the bound."""
    if not saving.nnz:
        return np.empty(0, dtype=np.int64), 0.0
    pairs = saving.tocoo()
    sites, points = pairs.shape
    count = len(pairs.data)
    use, one = np.arange(count), np.ones(count)
    program = Program(maximize=True)
    program.columns(np.zeros(sites), whole=True)
    program.columns(pairs.data)
    program.constrain(csr_array(coo_array((one, (pairs.col, sites + use)), shape=(points, sites + count))), upper=1.0)
    shut = coo_array((-one, (use, pairs.row)), shape=(count, sites))
    program.constrain(csr_array(hstack([shut, coo_array((one, (use, use)), shape=(count, count))])), upper=0.0)
    program.constrain(csr_array(np.concatenate([price, np.zeros(count)])[None, :]), upper=budget)
    answer = program.solve(time_limit_s=time_limit_s, gap=gap)
    if not len(answer.values):
        return None, answer.bound if np.isfinite(answer.bound) else np.inf
    return np.flatnonzero(answer.values[:sites] > 0.5), answer.bound
