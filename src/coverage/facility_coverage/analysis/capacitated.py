"""Capacitated covering: open sites so that most people are served, within reach and within what facilities hold.

Current & Storbeck (1988), with people divided among facilities as it serves most (a transport problem). Everything that
holds something is a unit of its own: facilities that are there, and each layer of a new building. Points that the same
units reach are one, which changes nothing.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array, hstack

from facility_coverage.analysis.alike import reached_alike
from facility_coverage.analysis.program import Outcome, Program
from facility_coverage.analysis.siting import Solution
from facility_coverage.layers.model import Floats, Ints

Bools = npt.NDArray[np.bool_]

_HALF, _HAIR = 0.5, 1e-9
#: HiGHS finds good sites among so many pairs of a unit and a group of points in a minute or two.
MAX_PAIRS = 300_000


class TooLargeError(ValueError):
    """More pairs than can be solved."""

    def __init__(self, pairs: int) -> None:
        self.pairs = pairs
        super().__init__(f"{pairs} pairs, {MAX_PAIRS} at most")


@dataclass(frozen=True)
class Holders:
    """What can serve whom, with points that the same units reach made one.

    Attributes
    ----------
    unit, group
        Of each pair of a unit and a group of points that it reaches, shape (pairs,).
    need
        Of each group, in units of the capacity, shape (groups,).
    capacity, worth, site
        Of each unit: what it holds, what one of that counts as people, and the site that it stands or falls with,
        shape (units,).
    price, kept, requires
        Of each site: what it costs, whether it is open anyway, and the site without which it cannot be open (-1: none),
        shape (sites,).
    """

    unit: Ints
    group: Ints
    need: Floats
    capacity: Floats
    worth: Floats
    site: Ints
    price: Floats
    kept: Bools
    requires: Ints

    @classmethod
    def of(cls, reach: csr_array, need: Floats, units: Units, sites: Sites) -> Holders:
        """Return holders with points made one; `reach` has the shape (units, points).

        Raises
        ------
        TooLargeError
            If more than `MAX_PAIRS` pairs are left.
        """
        pairs = reach.tocoo()
        useful = (units.capacity[pairs.row] > 0) & (need[pairs.col] > 0)
        row, column = pairs.row[useful], pairs.col[useful]
        alike = reached_alike(row, column, points=len(need))
        if not len(row):
            empty = np.empty(0, dtype=np.int64)
            return cls(empty, empty, np.empty(0), units.capacity, units.worth, units.site, *sites.columns())
        pair = np.unique(np.column_stack([row, alike[column]]), axis=0)
        if len(pair) > MAX_PAIRS:
            raise TooLargeError(len(pair))
        together = np.bincount(alike[alike >= 0], need[alike >= 0]).astype(np.float64)
        # No unit serves more than there is need of within its reach: a tighter bound of the same choices.
        most = np.bincount(pair[:, 0], together[pair[:, 1]], minlength=len(units.capacity))
        capacity = np.minimum(units.capacity, most)
        return cls(pair[:, 0], pair[:, 1], together, capacity, units.worth, units.site, *sites.columns())

    def served(self, opened: Bools) -> float:
        """Return how many people the open sites can serve, weighted; what lacks a site that it needs counts nothing."""
        usable = self.usable(opened)
        return float(self.worth[self.unit[usable]] @ _flow(self, usable))

    def usable(self, opened: Bools) -> Bools:
        """Tell which pairs can be used when some sites are open, shape (pairs,)."""
        there = opened & ((self.requires < 0) | opened[self.requires])
        return np.asarray(there[self.site[self.unit]])

    def most(self) -> Floats:
        """Return what each site serves at most, whatever else is open, shape (sites,)."""
        return np.bincount(self.site, self.capacity * self.worth, minlength=len(self.price)).astype(np.float64)


@dataclass(frozen=True)
class Units:
    """What each unit holds, what one of that counts as people, and its site."""

    capacity: Floats
    worth: Floats
    site: Ints


@dataclass(frozen=True)
class Sites:
    """What each site costs, whether it is open anyway, and which other site it needs (-1: none)."""

    price: Floats
    kept: Bools
    requires: Ints

    def columns(self) -> tuple[Floats, Bools, Ints]:
        """Return the three."""
        return self.price, self.kept, self.requires


def _flow(holders: Holders, usable: Bools) -> Floats:
    """Return how much of each usable pair's need is served when most people are, shape (usable pairs,)."""
    if not usable.any():
        return np.empty(0)
    units, unit = np.unique(holders.unit[usable], return_inverse=True)
    groups, group = np.unique(holders.group[usable], return_inverse=True)
    capacity, need = holders.capacity[units], holders.need[groups]
    use, one = np.arange(len(unit)), np.ones(len(unit))
    most = np.minimum(need[group], capacity[unit])
    program = Program(maximize=True)
    program.columns(holders.worth[holders.unit[usable]], upper=most)
    program.constrain(csr_array(coo_array((one, (group, use)), shape=(len(need), len(use)))), upper=need)
    program.constrain(csr_array(coo_array((one, (unit, use)), shape=(len(capacity), len(use)))), upper=capacity)
    return np.clip(program.solve(time_limit_s=600.0).values, 0.0, most)


def _most_added(holders: Holders, opened: Bools) -> tuple[float, Floats]:
    """Return the people served by open sites, and what each other site adds at most, shape (sites,).

    The minimum cut of the flow says who could use more: people whose need is not met, and those who share a facility
    with them that could then serve these. What is added to the reach of anybody else is of no use.
    """
    usable = holders.usable(opened)
    unit, group, flow = holders.unit[usable], holders.group[usable], _flow(holders, usable)
    served = np.bincount(group, flow, minlength=len(holders.need))
    hungry = served < holders.need * (1 - 1e-7)
    count = -1
    while count < int(hungry.sum()):
        count = int(hungry.sum())
        shared = np.zeros(len(holders.capacity), dtype=np.bool_)
        shared[unit[hungry[group]]] = True
        hungry[group[shared[unit] & (flow > 1e-9)]] = True
    wanted = np.where(hungry, holders.need, 0.0)[holders.group]
    room = np.minimum(holders.capacity, np.bincount(holders.unit, wanted, minlength=len(holders.capacity)))
    added = np.bincount(holders.site, room * holders.worth, minlength=len(holders.price)).astype(np.float64)
    return float(holders.worth[unit] @ flow), added


def mclp_capacitated(
    holders: Holders, budget: float, *, known: Bools | None = None, time_limit_s: float = 60.0, gap: float = 0.0
) -> Solution:
    """Open sites within a budget so that most people are served.

    Parameters
    ----------
    holders
        What can serve whom.
    budget
        With prices of 1, the number of sites.
    known
        Open sites that keep the budget, to fall back on; by default those of greedy choice.
    time_limit_s, gap
        When to stop: after so long, or when no solution can be better by more than this share.
    """
    begin = time.perf_counter()
    opened = greedy(holders, budget) if known is None else known
    value = holders.served(opened)
    answer_opened, bound, outcome = _by_program(holders, budget, time_limit_s=time_limit_s, gap=gap)
    if answer_opened is not None:
        other = holders.served(answer_opened)
        if other > value:
            opened, value = answer_opened, other
    if not math.isfinite(bound):
        bound = float(holders.most().sum())
    top = max(value, bound)
    proven = outcome == "optimal" or top - value <= max(gap, _HAIR) * max(value, 1.0)
    if proven and not gap:
        top = value
    return Solution(opened, value, top, "optimal" if proven else "time_limit", time.perf_counter() - begin)


def _by_program(
    holders: Holders, budget: float, *, time_limit_s: float, gap: float
) -> tuple[Bools | None, float, Outcome]:
    """Let HiGHS look for sites; return them, None where it finds none in time, and the bound."""
    sites, count = len(holders.price), len(holders.unit)
    use, one = np.arange(count), np.ones(count)
    units = len(holders.capacity)
    program = Program(maximize=True)
    program.columns(np.zeros(sites), lower=holders.kept.astype(float), whole=True)
    most = np.minimum(holders.need[holders.group], holders.capacity[holders.unit])
    program.columns(holders.worth[holders.unit], upper=most)
    living = coo_array((one, (holders.group, sites + use)), shape=(len(holders.need), sites + count))
    program.constrain(csr_array(living), upper=holders.need)
    holding = coo_array((-holders.capacity, (np.arange(units), holders.site)), shape=(units, sites))
    held = coo_array((one, (holders.unit, use)), shape=(units, count))
    program.constrain(csr_array(hstack([holding, held])), upper=0.0)
    needy = np.flatnonzero(holders.requires >= 0)
    if len(needy):
        both, row = np.ones(len(needy)), np.arange(len(needy))
        shape = (len(needy), sites + count)
        pairs = (np.concatenate([row, row]), np.concatenate([needy, holders.requires[needy]]))
        program.constrain(csr_array(coo_array((np.concatenate([both, -both]), pairs), shape=shape)), upper=0.0)
    program.constrain(csr_array(np.concatenate([holders.price, np.zeros(count)])[None, :]), upper=budget)
    answer = program.solve(time_limit_s=time_limit_s, gap=gap)
    found = answer.values[:sites] > _HALF if len(answer.values) else None
    return found, answer.bound, answer.outcome


def greedy(holders: Holders, budget: float) -> Bools:
    """Return the sites that are open after the one that serves most more per price is opened, again and again."""
    allowed = np.ones(len(holders.price), dtype=np.bool_)
    steps = steps_of(holders, holders.kept, allowed, budget=budget)
    opened = holders.kept.copy()
    opened[[site for site, _ in steps]] = True
    return opened


def steps_of(holders: Holders, base: Bools, allowed: Bools, *, budget: float) -> list[tuple[int, float]]:
    """Return allowed sites in the order of what each adds per price to those before, and what it adds.

    What a site adds only shrinks as others open, so it is computed anew only when what it was would be the most. Sites
    that add nothing are left out.

    Parameters
    ----------
    holders
        What can serve whom.
    base
        Sites that are open before, shape (sites,).
    allowed
        Those that may be opened, shape (sites,).
    budget
        What they may cost together.
    """
    opened, left = base.copy(), budget
    value, most = _most_added(holders, base)
    gain = np.where(opened | ~allowed, 0.0, most)
    fresh = np.zeros(len(gain), dtype=np.bool_)
    requires = holders.requires
    steps: list[tuple[int, float]] = []
    while True:
        shut = opened | (holders.price > left + _HAIR) | ((requires >= 0) & ~opened[requires])
        free_of_charge = np.where(gain > 0, np.inf, 0.0)
        rate = np.where(shut, 0.0, np.divide(gain, holders.price, out=free_of_charge, where=holders.price > 0))
        # Of equals, one that is computed already: most new buildings serve all that they hold.
        equal = np.flatnonzero(rate >= rate.max() * (1 - _HAIR))
        site = int(equal[np.argmax(fresh[equal])])
        if rate[site] <= 0.0:
            return steps
        if fresh[site]:
            opened[site] = True
            left -= holders.price[site]
            steps.append((site, float(gain[site])))
            gain[site] = 0.0
            value, most = _most_added(holders, opened)
            gain = np.minimum(gain, most)
            fresh[:] = False
            continue
        one = opened.copy()
        one[site] = True
        more = holders.served(one) - value
        gain[site] = more if more > _HAIR * max(value, 1.0) else 0.0
        fresh[site] = True
