"""Placing: so many sites in each of several units, such as towns; the cheapest, where most people are newly covered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack

from facility_coverage.analysis import covering
from facility_coverage.analysis.siting import Instance, Solution
from facility_coverage.layers.model import Floats, Ints

Bools = npt.NDArray[np.bool_]
_ROUNDS = 5


@dataclass(frozen=True)
class Unit:
    """Where a number of sites must stand.

    Attributes
    ----------
    id
        Of the zone or district; empty for the whole study.
    need
        How many sites.
    group
        Number of the place whose goal this unit helps to meet: of the units of a group some may be enough.
    """

    id: str
    need: int
    group: int = 0


@dataclass(frozen=True)
class Placed:
    """The sites: objective and bound are people covered, of all choices that cost as little; and what greedy covers."""

    solution: Solution
    greedy: float


@dataclass(frozen=True)
class _Choice:
    """The cheapest sites of a unit: those in every such choice, and those of one price of which `count` are."""

    sure: Ints
    open_to_choice: Ints
    count: int
    cost: float


def placed(
    instance: Instance, site_unit: Ints, units: Sequence[Unit], enough: Sequence[int], *, time_limit_s: float = 60.0
) -> Placed:
    """Place sites in units.

    Units whose sites are dearer than others' of their group are left out first, then those that gain fewer people.

    Parameters
    ----------
    instance
        Sites and people; kept sites are open and cost nothing.
    site_unit
        Unit in which each site stands, -1 where it may not be opened, shape (sites,).
    units
        Each with at least as many sites to choose from as it needs.
    enough
        How many units of each group must have theirs, by group.
    time_limit_s
        When to stop looking for something better.
    """
    begin = time.perf_counter()
    until = begin + time_limit_s
    choices = [_cheapest(instance, np.flatnonzero(site_unit == i), unit.need) for i, unit in enumerate(units)]
    kept = np.flatnonzero(instance.kept)
    before = _people(instance, kept)
    alone = [_best(instance, one, kept, (until - time.perf_counter()) / len(units)) for one in choices]
    most = np.array([bound for _, bound in alone]) - before
    chosen, certain = _units(units, enough, np.array([one.cost for one in choices]), most)
    picked = {i: alone[i][0] for i in chosen}
    _exchange(instance, choices, picked, kept, until)
    opened = instance.kept.copy()
    for sites in picked.values():
        opened[sites] = True
    objective = _people(instance, np.flatnonzero(opened))
    bound = max(objective, before + certain)
    proven = bound - objective <= 1e-8 * max(objective, 1.0)
    solution = Solution(
        opened, objective, objective if proven else bound, "optimal" if proven else "time_limit",
        time.perf_counter() - begin,
    )  # fmt: skip
    return Placed(solution, _greedy(instance, [choices[i] for i in chosen], kept))


def _cheapest(instance: Instance, sites: Ints, need: int) -> _Choice:
    """Return what is open to choice among the cheapest sites of a unit."""
    price = instance.price[sites]
    ordered = np.sort(price)
    last = ordered[need - 1]
    sure = sites[price < last]
    return _Choice(sure, sites[price == last], need - len(sure), float(ordered[:need].sum()))


def _best(instance: Instance, choice: _Choice, opened: Ints, seconds: float) -> tuple[Ints, float]:
    """Return the sites of a unit that cover most people beside what is open, and a bound on the people covered."""
    part = _part(instance, choice, opened)
    found = covering.mclp(part, float(choice.count), time_limit_s=max(seconds, 0.01))
    return _filled(instance, choice, np.flatnonzero(found.opened[1:])), found.bound


def _part(instance: Instance, choice: _Choice, opened: Ints) -> Instance:
    """Return an instance of a unit's sites alone; what is open, and its sites without choice, are its first site."""
    done = np.zeros(len(instance.price), dtype=np.bool_)
    done[opened] = True
    done[choice.sure] = True
    covered = csr_array(instance.covered(done).astype(np.float64)[None, :])
    covered.eliminate_zeros()
    reach = csr_array(vstack([covered, instance.cover[choice.open_to_choice]], format="csr"))
    return Instance.of(reach, instance.people, kept=np.arange(reach.shape[0]) == 0)


def _filled(instance: Instance, choice: _Choice, chosen: Ints) -> Ints:
    """Return sites of a unit up to their number: where nobody more can be covered, those that reach most people."""
    rest = np.setdiff1d(np.arange(len(choice.open_to_choice)), chosen)
    reached = np.asarray(instance.cover[choice.open_to_choice[rest]] @ instance.people)
    order = np.lexsort((rest, -reached))
    more = rest[order[: choice.count - len(chosen)]]
    return np.concatenate([choice.sure, choice.open_to_choice[np.concatenate([chosen, more]).astype(np.int64)]])


def _units(units: Sequence[Unit], enough: Sequence[int], cost: Floats, most: Floats) -> tuple[list[int], float]:
    """Return the units that get their sites, and a bound on the people whom any cheapest choice of units gains."""
    group = np.array([unit.group for unit in units], dtype=np.int64)
    chosen: list[int] = []
    for number, count in enumerate(enough):
        inside = np.flatnonzero(group == number)
        order = inside[np.lexsort((inside, -most[inside], cost[inside]))]
        chosen += [int(one) for one in order[:count]]
    return chosen, float(most[chosen].sum())


def _exchange(instance: Instance, choices: list[_Choice], picked: dict[int, Ints], kept: Ints, until: float) -> None:
    """Choose the sites of each unit anew beside those of the others, again and again, while more are covered."""
    if len(picked) < 2:
        return
    best = _people(instance, np.concatenate([kept, *picked.values()]))
    for _ in range(_ROUNDS):
        start = best
        for i in picked:
            seconds = until - time.perf_counter()
            if seconds <= 0:
                return
            others = np.concatenate([kept, *(sites for k, sites in picked.items() if k != i)])
            sites, _ = _best(instance, choices[i], others, seconds)
            people = _people(instance, np.concatenate([others, sites]))
            if people > best:
                best, picked[i] = people, sites
        if best <= start * (1 + 1e-12):
            return


def _greedy(instance: Instance, choices: list[_Choice], kept: Ints) -> float:
    """Return the people covered if in one unit after another the site that gains most were taken again and again."""
    opened = kept
    for choice in choices:
        taken = covering.greedy(_part(instance, choice, opened), float(choice.count))
        opened = np.concatenate([opened, _filled(instance, choice, np.array(taken, dtype=np.int64) - 1)])
    return _people(instance, opened)


def _people(instance: Instance, sites: Ints) -> float:
    opened = np.zeros(len(instance.price), dtype=np.bool_)
    opened[sites] = True
    return float(instance.people @ instance.covered(opened))
