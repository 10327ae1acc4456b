"""p-center at the size of a city: open sites so that the longest trip of anybody is as short as it can be.

The answer is one of the lengths of trips; whether one can be kept is a set covering problem. Greedy covers find one
that can, linear programs one that cannot, and whole numbers decide between. Each program is solved for few points, to
which those are added that its answer leaves out (Chen & Handler 1987; Chen & Chen 2009): what cannot be done for some
people cannot be done for all.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csc_array, csr_array

from facility_coverage.analysis import covering
from facility_coverage.analysis.program import Outcome, Program
from facility_coverage.analysis.siting import Instance, Solution
from facility_coverage.layers.model import Floats, Ints

Bools = npt.NDArray[np.bool_]

_HALF = 0.5
_HAIR = 1e-9
_PATIENCE = 0.08
"""Share of the time that is left for each linear program."""
_BATCH = 60
"""So many points are added at most after each answer."""


@dataclass
class _Search:
    """Trips by site and by point; the points that answers have to serve so far; the best sites found.

    Only points that some site that is not kept might serve better than the kept ones can change anything, but all of
    them count: a kept site's trip may be the longest.
    """

    instance: Instance
    budget: float
    until: float
    by_point: csc_array = field(init=False)
    points: list[int] = field(default_factory=list)
    best: Bools | None = None
    value: float = math.inf

    def __post_init__(self) -> None:
        self.by_point = csc_array(self.instance.reach)

    def sites_of(self, point: int, length: float) -> Ints:
        """Return the sites within a length of a point."""
        part = slice(self.by_point.indptr[point], self.by_point.indptr[point + 1])
        return np.asarray(self.by_point.indices[part][self.by_point.data[part] <= length], dtype=np.int64)

    def keep(self, opened: Bools, farthest: float) -> None:
        """Keep sites that are better than the best so far."""
        if farthest < self.value:
            self.best, self.value = opened.copy(), farthest


def trip_lengths(instance: Instance, opened: Bools) -> Floats:
    """Return the length of each point's trip to the nearest open site, inf without any, shape (points,)."""
    part = csr_array(instance.reach[np.flatnonzero(opened)])
    length = np.full(len(instance.people), np.inf)
    np.minimum.at(length, part.indices, part.data)
    return length


def farthest_first(instance: Instance, budget: float) -> Bools:
    """Return sites as one opens them who serves the farthest person best, again and again, while the budget lasts."""
    opened, left = instance.kept.copy(), budget
    by_point = csc_array(instance.reach)
    reachable = np.diff(by_point.indptr) > 0
    length = np.where(reachable, trip_lengths(instance, opened), -np.inf)
    while reachable.any():
        point = int(np.argmax(length))
        part = slice(by_point.indptr[point], by_point.indptr[point + 1])
        sites, trips = by_point.indices[part], by_point.data[part]
        usable = (instance.price[sites] <= left + _HAIR) & (trips < length[point]) & ~opened[sites]
        if not usable.any():
            return opened
        site = int(sites[usable][np.argmin(trips[usable])])
        opened[site] = True
        left -= instance.price[site]
        row = slice(instance.reach.indptr[site], instance.reach.indptr[site + 1])
        points = instance.reach.indices[row]
        length[points] = np.minimum(length[points], instance.reach.data[row])
    return opened


def p_center(instance: Instance, budget: float, *, time_limit_s: float = 60.0, gap: float = 0.0) -> Solution:
    """Open sites within a budget so that the longest trip of anybody is shortest.

    Everybody counts whom some site reaches. Where the budget is too small to reach them all, no solution exists:
    see `cheapest`.

    Parameters
    ----------
    instance
        Sites, people, and the lengths of trips; kept sites are open and cost nothing.
    budget
        With prices of 1, the number of sites (p).
    time_limit_s, gap
        When to stop: after so long, or when no solution can be better by more than this share.
    """
    begin = time.perf_counter()
    search = _Search(instance, budget, begin + time_limit_s)
    reachable = np.diff(search.by_point.indptr) > 0
    if not reachable.any():
        return Solution(instance.kept.copy(), 0.0, 0.0, "optimal", time.perf_counter() - begin)
    nearest = np.full(len(instance.people), np.inf)
    np.minimum.at(nearest, instance.reach.indices, instance.reach.data)
    lower = float(nearest[reachable].max())
    lengths = np.unique(instance.reach.data[instance.reach.data >= lower])
    opened = farthest_first(instance, budget)
    search.keep(opened, float(trip_lengths(instance, opened)[reachable].max()))
    search.points.append(int(np.flatnonzero(reachable)[np.argmax(nearest[reachable])]))
    # One remote home often sets the answer: then it is the shortest of all lengths.
    low, high = _first_tried(search, lengths, reachable), len(lengths)
    if search.value > lengths[0]:
        _greedily(search, lengths, reachable)
        low = max(low, _too_short(search, lengths, reachable))
    while True:
        high = min(high, int(np.searchsorted(lengths, search.value)))
        if low >= high or (high < len(lengths) and lengths[high] - lengths[low] <= gap * lengths[high]):
            break
        # The largest length tells whether there is any solution at all.
        middle = high - 1 if high == len(lengths) else (low + high) // 2
        answer = _keeps(search, float(lengths[middle]), reachable)
        if answer is None:
            break
        if not answer:
            low = middle + 1
    seconds = time.perf_counter() - begin
    if search.best is None or not math.isfinite(search.value):
        nothing = np.zeros(len(instance.price), dtype=np.bool_)
        bound = float(lengths[low]) if low < len(lengths) else math.nan
        return Solution(nothing, math.nan, bound, "infeasible" if low >= high else "time_limit", seconds)
    bound = search.value if low >= high else float(lengths[low])
    done = search.value - bound <= gap * search.value
    return Solution(search.best, search.value, bound, "optimal" if done else "time_limit", seconds)


def cheapest(instance: Instance, *, time_limit_s: float = 60.0) -> float:
    """Return the least price at which everybody is reached whom any site reaches, or a bound below it when out of time.

    It is what an infeasible p-center lacks.
    """
    search = _Search(instance, math.inf, time.perf_counter() + time_limit_s)
    reachable = np.diff(search.by_point.indptr) > 0
    length = float(instance.reach.data.max(initial=0.0))
    search.points += _left_out(search, np.where(reachable, np.inf, -np.inf), length)
    price = 0.0
    while True:
        opened, price, _ = _covering(search, length, cheap=True)
        if opened is None:
            return price
        more = _left_out(search, np.where(reachable, trip_lengths(instance, opened), -np.inf), length)
        if not more:
            return price
        search.points += more


def _first_tried(search: _Search, lengths: Floats, reachable: Bools) -> int:
    """Try the shortest length for a while; return 1 where it cannot be kept, else 0."""
    until, now = search.until, time.perf_counter()
    search.until = now + 2 * _PATIENCE * (until - now)
    kept = _keeps(search, float(lengths[0]), reachable)
    search.until = until
    return int(kept is False)


def _greedily(search: _Search, lengths: Floats, reachable: Bools) -> None:
    """Look for a short length that greedy covers keep, by bisection; it may miss a shorter one."""
    low, high = 0, len(lengths)
    instance = search.instance
    reach, ones = instance.reach, np.where(reachable, 1.0, 0.0)
    while low < high and time.perf_counter() < search.until:
        middle = (low + high) // 2
        near = reach.data <= lengths[middle]
        row = np.repeat(np.arange(reach.shape[0]), np.diff(reach.indptr))[near]
        cover = csr_array((reach.data[near], (row, reach.indices[near])), shape=reach.shape)
        part = Instance(cover, ones, instance.price, instance.kept)
        opened = instance.kept.copy()
        opened[covering.greedy(part, search.budget)] = True
        farthest = float(trip_lengths(instance, opened)[reachable].max())
        search.keep(opened, farthest)
        if farthest <= lengths[middle]:
            high = min(middle, int(np.searchsorted(lengths, search.value)))
        else:
            low = middle + 1


def _too_short(search: _Search, lengths: Floats, reachable: Bools) -> int:
    """Return how many of the lengths are too short even if sites could be opened in part, by bisection."""
    low, high = 0, min(len(lengths), int(np.searchsorted(lengths, search.value)))
    while low < high and time.perf_counter() < search.until:
        middle = (low + high) // 2
        if _partly_keeps(search, float(lengths[middle]), reachable):
            high = middle
        else:
            low = middle + 1
    return low


def _partly_keeps(search: _Search, length: float, reachable: Bools) -> bool:
    """Tell whether sites opened in part reach everybody within a length for the budget; in doubt they do."""
    reach = search.instance.reach
    near = np.flatnonzero(reach.data <= length)
    point = reach.indices[near]
    row = np.repeat(np.arange(reach.shape[0]), np.diff(reach.indptr))[near]
    points = list(search.points)
    # What cannot be kept shows soon; the others take longest.
    now = time.perf_counter()
    until = now + _PATIENCE * (search.until - now)
    while time.perf_counter() < until:
        use, cover = _patterns(search, points, length)
        price = search.instance.price[use]
        program = Program(maximize=False)
        program.columns(price, upper=np.inf)
        program.constrain(csr_array(cover.T), lower=1.0)
        answer = program.solve(time_limit_s=until - time.perf_counter())
        if answer.outcome != "optimal":
            return True
        if float(price @ answer.values) > search.budget * (1 + _HAIR) + _HAIR:
            search.points += [one for one in points if one not in set(search.points)][:_BATCH]
            return False
        share = search.instance.kept.astype(np.float64)
        share[use] += answer.values
        reached = np.bincount(point, share[row], minlength=len(reachable))
        lacking = np.where(reachable & (reached < 1 - 1e-6), 1.0 - reached, 0.0)
        if not lacking.any():
            return True
        points += _apart(search, lacking, length)
    return True


def _apart(search: _Search, lacking: Floats, length: float) -> list[int]:
    """Return points that lack most, no two of which one site would serve within a length."""
    found: list[int] = []
    lacking, reach = lacking.copy(), search.instance.reach
    while len(found) < _BATCH and lacking.max() > 0:
        point = int(np.argmax(lacking))
        found.append(point)
        lacking[point] = 0.0
        for site in search.sites_of(point, length):
            part = slice(reach.indptr[site], reach.indptr[site + 1])
            lacking[reach.indices[part][reach.data[part] <= length]] = 0.0
    return found


def _keeps(search: _Search, length: float, reachable: Bools) -> bool | None:
    """Tell whether sites within the budget reach everybody within a length; None when out of time."""
    while True:
        opened, _, outcome = _covering(search, length, cheap=False)
        if opened is None:
            return False if outcome == "infeasible" else None
        trips = np.where(reachable, trip_lengths(search.instance, opened), -np.inf)
        search.keep(opened, float(trips.max()))
        more = _left_out(search, trips, length)
        if not more:
            return True
        search.points += more


def _left_out(search: _Search, trips: Floats, length: float) -> list[int]:
    """Return points with trips above a length, the farthest first, no two of which one site would serve."""
    found: list[int] = []
    trips = trips.copy()
    reach = search.instance.reach
    while len(found) < _BATCH:
        point = int(np.argmax(trips))
        if trips[point] <= length:
            break
        found.append(point)
        trips[point] = -np.inf
        for site in search.sites_of(point, length):
            row = slice(reach.indptr[site], reach.indptr[site + 1])
            trips[reach.indices[row][reach.data[row] <= length]] = -np.inf
    return found


def _covering(search: _Search, length: float, *, cheap: bool) -> tuple[Bools | None, float, Outcome]:
    """Return sites that serve the points so far within a length, a bound of their price, and how the search ended.

    Sites that serve the same of these points are one, the cheapest; `cheap` asks for the least price, else any within
    the budget will do.
    """
    instance = search.instance
    use, cover = _patterns(search, search.points, length)
    program = Program(maximize=False)
    program.columns(instance.price[use] if cheap else np.zeros(len(use)), whole=True)
    program.constrain(csr_array(cover.T), lower=1.0)
    if math.isfinite(search.budget):
        program.constrain(csr_array(instance.price[use][None, :]), upper=search.budget)
    answer = program.solve(time_limit_s=search.until - time.perf_counter())
    if not len(answer.values) or (cheap and answer.outcome != "optimal"):
        return None, answer.bound, answer.outcome
    opened = instance.kept.copy()
    opened[use[answer.values > _HALF]] = True
    return opened, float(instance.price @ opened), answer.outcome


def _patterns(search: _Search, points: list[int], length: float) -> tuple[Ints, csr_array]:
    """Return the sites that serve any of the points, of those that serve the same the cheapest, and whom they serve."""
    sites = [search.sites_of(point, length) for point in points]
    row = np.repeat(np.arange(len(sites)), [len(some) for some in sites])
    use, place = np.unique(np.concatenate(sites), return_inverse=True)
    cover = csr_array(coo_array((np.ones(len(row)), (place, row)), shape=(len(use), len(sites))))
    marks = np.random.default_rng(7).random((len(sites), 2))
    served = np.round(np.asarray(cover @ marks), 9)
    order = np.lexsort((search.instance.price[use], *served.T))
    _, first = np.unique(served[order], axis=0, return_index=True)
    return use[order[first]], csr_array(cover[order[first]])
