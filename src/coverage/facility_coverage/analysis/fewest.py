"""Fewest: the cheapest sites with which enough people are covered, in the whole study or in each of its places.

A goal that one share of all people must be covered is asked of maximal covering, number by number: so many sites cover
enough, one fewer do not. Where every place has a share of its own, or sites have prices, it is the set covering problem
with partial coverage, and HiGHS solves what reduction leaves of it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from facility_coverage.analysis import covering, siting
from facility_coverage.analysis.alike import reached_alike
from facility_coverage.analysis.program import Outcome
from facility_coverage.analysis.siting import Instance, Solution
from facility_coverage.layers.model import Floats, Ints

Bools = npt.NDArray[np.bool_]
_TRIES = 6
"""How often a solver's answer that is short by its tolerance is asked for anew."""
_FOR_FEWER = 0.5
"""Of the time that is left, what each search for one site fewer may take."""
_FOR_ALL, _FOR_ONE_S = 0.5, 6.0
"""Of the time, what HiGHS has for all places at once; and the seconds for one place."""


@dataclass(frozen=True)
class Fewest:
    """What was found.

    Attributes
    ----------
    solution
        Its objective is what the sites cost; infeasible where all sites together do not cover enough.
    greedy
        What they would cost if the site that helps most for its price were taken again and again.
    most
        People whom all sites together cover in each place, what is open counted, shape (places,).
    """

    solution: Solution
    greedy: float
    most: Floats


@dataclass(frozen=True)
class _Core:
    """What is left without what cannot matter: sites, points not covered yet, and people still to be covered."""

    instance: Instance
    place: Ints
    need: Floats
    site: Ints

    @property
    def alike(self) -> bool:
        """Whether there is one place, and one price."""
        return len(self.need) == 1 and bool((self.instance.price == self.instance.price[0]).all())

    def met(self, chosen: list[int]) -> bool:
        """Tell whether these sites cover enough."""
        return bool((self.left(chosen) <= 0.0).all())

    def left(self, chosen: list[int]) -> Floats:
        """Return the people still to be covered in each place."""
        opened = np.zeros(len(self.site), dtype=np.bool_)
        opened[chosen] = True
        covered = self.instance.covered(opened)
        people = np.bincount(self.place[covered], self.instance.people[covered], minlength=len(self.need))
        return np.asarray(self.need - people)

    def cost(self, chosen: list[int]) -> float:
        """Return what these sites cost."""
        return float(self.instance.price[chosen].sum())


def fewest(instance: Instance, place: Ints, wanted: Floats, *, time_limit_s: float = 60.0, gap: float = 0.0) -> Fewest:
    """Open the cheapest sites that cover so many people in each place.

    Parameters
    ----------
    instance
        Sites and people; kept sites are open and cost nothing.
    place
        Number of each demand point's place, shape (demand,); one place is the whole study.
    wanted
        People to be covered in each place, those whom kept sites cover counted, shape (places,).
    time_limit_s, gap
        When to stop: after so long, or when nothing can be cheaper by more than this share.
    """
    begin = time.perf_counter()
    everything = instance.covered(np.ones(len(instance.price), dtype=np.bool_))
    most = np.bincount(place[everything], instance.people[everything], minlength=len(wanted)).astype(np.float64)
    nothing = np.zeros(len(instance.price), dtype=np.bool_)
    if (most < wanted).any():
        solution = Solution(nothing, np.nan, np.nan, "infeasible", time.perf_counter() - begin)
        return Fewest(solution, np.nan, most)
    core = _core(instance, place, wanted)
    first = _greedy(core)
    chosen, bound = _searched(core, _without_idle(core, first), begin + time_limit_s, gap)
    cost = core.cost(chosen)
    outcome: Outcome = "optimal" if cost - bound <= max(gap, 1e-9) * max(cost, 1e-9) else "time_limit"
    opened = instance.kept.copy()
    opened[core.site[chosen]] = True
    bound = cost if outcome == "optimal" and not gap else min(bound, cost)
    return Fewest(Solution(opened, cost, bound, outcome, time.perf_counter() - begin), core.cost(first), most)


def _searched(core: _Core, chosen: list[int], until: float, gap: float) -> tuple[list[int], float]:
    """Look for cheaper sites than those given; return them and the cost that none is below."""
    if not chosen:
        return chosen, 0.0
    if core.alike:
        return _by_number(core, chosen, until)
    now = time.perf_counter()
    chosen, bound = _by_program(core, chosen, now + _FOR_ALL * (until - now), gap)
    if core.cost(chosen) - bound > max(gap, 1e-9) * core.cost(chosen):
        chosen = _place_by_place(core, chosen, bound, until)
    return chosen, bound


def _core(instance: Instance, place: Ints, wanted: Floats) -> _Core:
    """Drop points that are covered or whose place has enough; merge those alike; drop sites that others outdo."""
    done = instance.covered(instance.kept)
    need = np.maximum(wanted - np.bincount(place[done], instance.people[done], minlength=len(wanted)), 0.0)
    left = np.flatnonzero(~done & (instance.people > 0) & (need[place] > 0))
    free = np.flatnonzero(~instance.kept)
    cover, people, place = _merged(csr_array(instance.cover[free][:, left]), instance.people[left], place[left])
    worth = covering.undominated(cover, instance.price[free])
    cover, people, place = _merged(csr_array(cover[worth]), people, place)
    short = np.flatnonzero(need > 0)
    number = np.full(len(need), -1, dtype=np.int64)
    number[short] = np.arange(len(short))
    return _Core(Instance.of(cover, people, price=instance.price[free[worth]]), number[place], need[short], free[worth])


def _merged(cover: csr_array, people: Floats, place: Ints) -> tuple[csr_array, Floats, Ints]:
    """Make one of the points of one place that the same sites reach; drop those that none reaches."""
    trips = cover.tocoo()
    alike = reached_alike(trips.row, trips.col, points=cover.shape[1])
    some = np.flatnonzero(alike >= 0)
    _, first, group = np.unique(
        np.column_stack([alike[some], place[some]]), axis=0, return_index=True, return_inverse=True
    )
    together = np.bincount(group.ravel(), people[some], minlength=len(first)).astype(np.float64)
    chosen = some[first]
    return csr_array(cover.tocsc()[:, chosen]), together, place[chosen]


def _greedy(core: _Core) -> list[int]:
    """Return sites in the order of what each adds to what is still needed, for its price, until it is enough."""
    cover, people, place = core.instance.cover, core.instance.people, core.place
    backward = csr_array(cover.T)
    gain = np.zeros((cover.shape[0], len(core.need)))
    row = np.repeat(np.arange(cover.shape[0]), np.diff(cover.indptr))
    np.add.at(gain, (row, place[cover.indices]), people[cover.indices])
    uncovered = np.ones(len(people), dtype=np.bool_)
    chosen: list[int] = []
    left = core.need
    while (left > 0.0).any():
        rate = np.minimum(gain, np.maximum(left, 0.0)).sum(axis=1) / core.instance.price
        rate[chosen] = -1.0
        site = int(np.argmax(rate))
        if rate[site] < 0.0:
            return chosen
        chosen.append(site)
        reached = cover.indices[cover.indptr[site] : cover.indptr[site + 1]]
        fresh = reached[uncovered[reached]]
        uncovered[fresh] = False
        lost = backward[fresh].tocoo()
        np.subtract.at(gain, (lost.col, place[fresh][lost.row]), people[fresh][lost.row])
        left = core.left(chosen)
    return chosen


def _without_idle(core: _Core, chosen: list[int]) -> list[int]:
    """Return the sites without those that are not needed once the others are there, the dearest and last looked at."""
    for site in sorted(chosen, key=lambda one: (-core.instance.price[one], -chosen.index(one))):
        rest = [other for other in chosen if other != site]
        if core.met(rest):
            chosen = rest
    return chosen


def _by_number(core: _Core, chosen: list[int], until: float) -> tuple[list[int], float]:
    """Look for fewer sites of one price, number by number, by maximal covering; return them and the least cost."""
    price = float(core.instance.price[0])
    counted = replace(core.instance, price=np.ones(len(core.site)))
    need = float(core.need[0])
    while len(chosen) > 1:
        seconds = _FOR_FEWER * (until - time.perf_counter())
        found = covering.mclp(counted, len(chosen) - 1.0, time_limit_s=max(seconds, 0.01))
        sites = [int(site) for site in np.flatnonzero(found.opened)]
        if core.met(sites):
            chosen = _without_idle(core, sites)
        elif found.bound < need:
            return chosen, price * len(chosen)
        else:
            return chosen, price * _least(counted, need, len(chosen), until)
    return chosen, price


def _least(counted: Instance, need: float, most: int, until: float) -> int:
    """Return a number of sites that no choice does without: with one fewer, even the relaxation covers too few."""
    alone = np.cumsum(np.sort(np.asarray(counted.cover @ counted.people))[::-1])
    least = min(int(np.searchsorted(alone, need * (1 - 1e-12))) + 1, most)
    unknown = most
    while least < unknown and time.perf_counter() < until:
        count = (least + unknown) // 2
        # The steps aim at a bound just short of what is needed: reaching it is proof.
        bound = covering.relaxed(counted, float(count), need * (1 - 1e-7), until=until).value
        if bound < need * (1 - 1e-12):
            least = count + 1
        else:
            unknown = count
    return least


def _place_by_place(core: _Core, chosen: list[int], bound: float, until: float) -> list[int]:
    """Choose anew the sites that serve one place most, beside all others, again and again, while it is cheaper."""
    served = np.zeros((core.instance.cover.shape[0], len(core.need)))
    cover = core.instance.cover
    row = np.repeat(np.arange(cover.shape[0]), np.diff(cover.indptr))
    np.add.at(served, (row, core.place[cover.indices]), core.instance.people[cover.indices])
    main = served.argmax(axis=1)
    waiting = list(range(len(core.need)))
    while waiting and time.perf_counter() < until and core.cost(chosen) > bound + 1e-9:
        here = waiting.pop(0)
        others = [site for site in chosen if main[site] != here]
        kept = np.zeros(len(core.site), dtype=np.bool_)
        kept[others] = True
        rest = _core(
            Instance.of(cover, core.instance.people, price=core.instance.price, kept=kept), core.place, core.need
        )
        start = _without_idle(rest, _greedy(rest))
        end = min(until, time.perf_counter() + _FOR_ONE_S)
        if start:
            start, _ = _by_number(rest, start, end) if rest.alike else _by_program(rest, start, end, 0.0)
        fresh = _without_idle(core, [*others, *(int(site) for site in rest.site[start])])
        if core.met(fresh) and core.cost(fresh) < core.cost(chosen) - 1e-9:
            chosen = fresh
            waiting = [place for place in range(len(core.need)) if place != here]
    return chosen


def _by_program(core: _Core, chosen: list[int], until: float, gap: float) -> tuple[list[int], float]:
    """Look for cheaper sites by HiGHS; return them and the cost that none is below."""
    total = np.bincount(core.place, core.instance.people, minlength=len(core.need))
    extra, bound = np.zeros(len(core.need)), 0.0
    for _ in range(_TRIES):
        seconds = until - time.perf_counter()
        if seconds <= 0:
            break
        share = np.minimum((core.need + extra) / total, 1.0)
        answer = siting.lscp_goal(core.instance, core.place, share, time_limit_s=seconds, gap=gap)
        if not bound and np.isfinite(answer.bound):
            bound = answer.bound
        sites = [int(site) for site in np.flatnonzero(answer.opened)]
        short = np.maximum(core.left(sites), 0.0)
        if not sites or not short.any():
            if sites and core.cost(sites) < core.cost(chosen):
                chosen = _without_idle(core, sites)
            break
        # The solver's tolerance lets it miss a share by a hair: ask for that much more.
        extra = extra + 2 * short
    if bool((core.instance.price == np.round(core.instance.price)).all()):
        bound = float(np.ceil(bound - 1e-6))
    return chosen, min(bound, core.cost(chosen))
