"""Siting: which sites to open, solved to proven optimality or with a proven gap.

The problems are the classic ones of location science: the location set covering problem (Toregas, Swain, ReVelle &
Bergman 1971), the maximal covering location problem (Church & ReVelle 1974) and backup coverage (Hogan & ReVelle 1986).
HiGHS solves them. p-median and p-center (Hakimi 1964) and capacitated covering have modules of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array, eye_array, hstack

from facility_coverage.analysis.program import Answer, Outcome, Program
from facility_coverage.layers.model import Floats, Ints

Bools = npt.NDArray[np.bool_]
_HALF = 0.5


@dataclass(frozen=True)
class Instance:
    """Sites, people, and who is within reach of which site.

    Attributes
    ----------
    reach
        Trips within the cutoff, sparse, shape (sites, demand): a stored value, also a stored zero, is the length of one
        (seconds or metres).
    people
        Weight of each demand point, shape (demand,).
    price
        Of opening each site, shape (sites,); kept ones cost nothing more.
    kept
        Sites that are open anyway, shape (sites,).
    """

    reach: csr_array
    people: Floats
    price: Floats
    kept: Bools

    @classmethod
    def of(
        cls, reach: csr_array, people: npt.ArrayLike, *, price: npt.ArrayLike = 1.0, kept: npt.ArrayLike = False
    ) -> Instance:
        """Return an instance; by default every site costs 1 and none is open yet."""
        sites = reach.shape[0]
        stay = np.broadcast_to(np.asarray(kept, dtype=np.bool_), sites)
        prices = np.where(stay, 0.0, np.broadcast_to(np.asarray(price, dtype=np.float64), sites))
        return cls(csr_array(reach), np.asarray(people, dtype=np.float64), prices, stay)

    @property
    def cover(self) -> csr_array:
        """Who is within reach: 1 for each trip, shape (sites, demand)."""
        return csr_array((np.ones(len(self.reach.data)), self.reach.indices, self.reach.indptr), shape=self.reach.shape)

    def covered(self, opened: Bools) -> Bools:
        """Tell who is within reach of an open site, shape (demand,)."""
        return np.asarray(self.cover.T @ opened.astype(np.float64) > _HALF)


@dataclass(frozen=True)
class Solution:
    """What was found, and how good it is.

    Attributes
    ----------
    opened
        Sites that are open, the kept ones among them, shape (sites,).
    objective
        Price (LSCP), people (covering problems), people times length (p-median), length (p-center).
    bound
        No solution is better than this; equal to the objective where it is proven optimal.
    outcome
        ``optimal`` (proven), ``time_limit`` (the best found, see `gap`), ``infeasible``.
    seconds
        That the search took.
    """

    opened: Bools
    objective: float
    bound: float
    outcome: Outcome
    seconds: float

    @property
    def gap(self) -> float:
        """Share of the objective by which the bound is better, 0 where optimal."""
        return abs(self.bound - self.objective) / max(abs(self.objective), 1e-12)


def lscp(instance: Instance, *, time_limit_s: float = 60.0) -> Solution:
    """Open the cheapest sites that cover everybody whom any site can cover."""
    begin = time.perf_counter()
    cover = instance.cover
    reachable = np.diff(cover.tocsc().indptr) > 0
    program = Program(maximize=False)
    program.columns(instance.price, lower=instance.kept.astype(float), whole=True)
    program.constrain(csr_array(cover.T)[np.flatnonzero(reachable)], lower=1.0)
    return _solution(program.solve(time_limit_s=time_limit_s), instance, begin)


def lscp_goal(
    instance: Instance, zone: Ints, share: Floats, *, time_limit_s: float = 60.0, gap: float = 0.0
) -> Solution:
    """Open the cheapest sites so that in every zone at least a share of the people is covered.

    Parameters
    ----------
    instance
        Sites and people.
    zone
        Number of each demand point's zone, shape (demand,).
    share
        That each zone must reach, 0–1, shape (zones,); one zone is the whole study.
    time_limit_s, gap
        When to stop.
    """
    begin = time.perf_counter()
    demand, sites = len(instance.people), len(instance.price)
    wanted = share * np.bincount(zone, instance.people, minlength=len(share))
    program = Program(maximize=False)
    program.columns(instance.price, lower=instance.kept.astype(float), whole=True)
    program.columns(np.zeros(demand))
    program.constrain(_at_most_covered(instance), upper=0.0)
    inside = coo_array((instance.people, (zone, np.arange(demand))), shape=(len(share), demand))
    program.constrain(csr_array(hstack([coo_array((len(share), sites)), inside])), lower=wanted * (1 - 1e-12))
    return _solution(program.solve(time_limit_s=time_limit_s, gap=gap), instance, begin)


def mclp_direct(instance: Instance, budget: float, *, time_limit_s: float = 60.0, gap: float = 0.0) -> Solution:
    """Open sites within a budget so that most people are covered, by HiGHS alone: for small instances."""
    begin = time.perf_counter()
    demand = len(instance.people)
    program = Program(maximize=True)
    program.columns(np.zeros(len(instance.price)), lower=instance.kept.astype(float), whole=True)
    program.columns(instance.people)
    program.constrain(_at_most_covered(instance), upper=0.0)
    program.constrain(_within(instance.price, demand), upper=budget)
    answer = program.solve(time_limit_s=time_limit_s, gap=gap)
    return _solution(answer, instance, begin, objective=lambda opened: _people(instance, opened))


def backup(
    instance: Instance, budget: float, *, second_weight: float, time_limit_s: float = 60.0, gap: float = 0.0
) -> Solution:
    """Open sites within a budget so that most people are covered, and many of them by a second site too.

    The objective is (1 - `second_weight`) times the people covered and `second_weight` times those covered twice.
    """
    begin = time.perf_counter()
    sites, demand = instance.reach.shape
    program = Program(maximize=True)
    program.columns(np.zeros(sites), lower=instance.kept.astype(float), whole=True)
    program.columns((1.0 - second_weight) * instance.people)
    program.columns(second_weight * instance.people)
    once, nothing = eye_array(demand), coo_array((demand, sites))
    program.constrain(csr_array(hstack([-instance.cover.T, once, once])), upper=0.0)
    program.constrain(csr_array(hstack([nothing, -once, once])), upper=0.0)
    program.constrain(_within(instance.price, 2 * demand), upper=budget)

    def value(opened: Bools) -> float:
        times = instance.cover.T @ opened.astype(np.float64)
        return float(instance.people @ ((1.0 - second_weight) * (times > _HALF) + second_weight * (times > 1 + _HALF)))

    return _solution(program.solve(time_limit_s=time_limit_s, gap=gap), instance, begin, objective=value)


def _at_most_covered(instance: Instance) -> csr_array:
    """Return rows that let a demand point count only where a site that reaches it is open."""
    return csr_array(hstack([-instance.cover.T, eye_array(len(instance.people))]))


def _within(price: Floats, others: int) -> csr_array:
    """Return the row of the budget."""
    return csr_array(np.concatenate([price, np.zeros(others)])[None, :])


def _people(instance: Instance, opened: Bools) -> float:
    return float(instance.people @ instance.covered(opened))


def _solution(
    answer: Answer, instance: Instance, begin: float, *, objective: Callable[[Bools], float] | None = None
) -> Solution:
    """Return the solution with its objective counted anew from the open sites, not as the solver sums it."""
    seconds = time.perf_counter() - begin
    sites = len(instance.price)
    if not len(answer.values):
        return Solution(np.zeros(sites, dtype=np.bool_), np.nan, answer.bound, answer.outcome, seconds)
    opened = answer.values[:sites] > _HALF
    value = float(instance.price @ opened) if objective is None else objective(opened)
    bound = value if answer.outcome == "optimal" else answer.bound
    return Solution(opened, value, bound, answer.outcome, seconds)
