"""Worth: what open sites are worth in each problem of siting, and what one more adds; more is better in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from facility_coverage.analysis.capacitated import Holders
from facility_coverage.analysis.centers import trip_lengths
from facility_coverage.analysis.saving_kernels import surplus
from facility_coverage.analysis.siting import Instance
from facility_coverage.layers.model import Floats, Ints

Bools = npt.NDArray[np.bool_]

_HAIR = 1e-9


class Worth(Protocol):
    """What any open sites are worth."""

    def value(self, opened: Bools) -> float:
        """Return the worth of open sites; longer trips are worth less, so that theirs is negative."""

    def gains(self, opened: Bools) -> Floats:
        """Return what each site would add to the open ones, shape (sites,)."""


@dataclass(frozen=True)
class Covering:
    """People covered; with a `second` weight, what being covered twice counts of 1 for both."""

    instance: Instance
    second: float = 0.0

    def value(self, opened: Bools) -> float:
        """Return people, weighted by how often they are covered."""
        times = self._times(opened)
        return float(self.instance.people @ ((1.0 - self.second) * (times > 0) + self.second * (times > 1)))

    def gains(self, opened: Bools) -> Floats:
        """Return people whom each site would cover for the first or second time."""
        times = self._times(opened)
        worth = np.where(times == 0, 1.0 - self.second, np.where(times == 1, self.second, 0.0))
        return np.asarray(self.instance.cover @ (worth * self.instance.people))

    def _times(self, opened: Bools) -> Ints:
        return np.asarray(np.rint(self.instance.cover.T @ opened.astype(np.float64)), dtype=np.int64)


@dataclass(frozen=True)
class Nearness:
    """People times the length of their trips to the nearest open site, `longest` where none reaches them."""

    instance: Instance
    longest: float

    def value(self, opened: Bools) -> float:
        """Return people times length, negative."""
        length = np.minimum(trip_lengths(self.instance, opened), self.longest)
        return -float(self.instance.people @ length)

    def gains(self, opened: Bools) -> Floats:
        """Return what each site would shorten."""
        reach, people = self.instance.reach, self.instance.people
        length = np.minimum(trip_lengths(self.instance, opened), self.longest)
        saving = people[reach.indices] * (self.longest - reach.data)
        return np.asarray(surplus(reach.indptr, reach.indices, saving, people * (self.longest - length)))


@dataclass(frozen=True)
class Farthest:
    """The longest trip of anybody whom any site reaches, `longest` while somebody is not reached."""

    instance: Instance
    longest: float

    def value(self, opened: Bools) -> float:
        """Return the longest trip, negative."""
        return -float(self._lengths(opened).max(initial=0.0))

    def gains(self, opened: Bools) -> Floats:
        """Return what each site would shorten the longest trip by."""
        reach, length = self.instance.reach, self._lengths(opened)
        now = float(length.max(initial=0.0))
        gain = np.zeros(reach.shape[0])
        for site in range(reach.shape[0]):
            row = slice(reach.indptr[site], reach.indptr[site + 1])
            then = length.copy()
            points = reach.indices[row]
            then[points] = np.minimum(then[points], reach.data[row])
            gain[site] = now - float(then.max(initial=0.0))
        return gain

    def _lengths(self, opened: Bools) -> Floats:
        reached = np.zeros(len(self.instance.people), dtype=np.bool_)
        reached[self.instance.reach.indices] = True
        return np.where(reached, np.minimum(trip_lengths(self.instance, opened), self.longest), 0.0)


@dataclass(frozen=True)
class Served:
    """People served within what open sites hold."""

    holders: Holders

    def value(self, opened: Bools) -> float:
        """Return the people served."""
        return self.holders.served(opened)

    def gains(self, opened: Bools) -> Floats:
        """Return the people whom each site would serve besides."""
        now, gain = self.value(opened), np.zeros(len(opened))
        for site in np.flatnonzero(~opened):
            one = opened.copy()
            one[site] = True
            gain[site] = max(0.0, self.value(one) - now)
        return gain


def part_of(instance: Instance, sites: Ints) -> Instance:
    """Return an instance with some of the sites only."""
    reach = csr_array(instance.reach[sites])
    return Instance(reach, instance.people, instance.price[sites], instance.kept[sites])


def greedy(worth: Worth, instance: Instance, budget: float) -> Bools:
    """Return the sites that are open after the one that adds most per price is opened, again and again."""
    opened, left = instance.kept.copy(), budget
    while True:
        gain = np.where(opened | (instance.price > left + _HAIR), 0.0, worth.gains(opened))
        free_of_charge = np.where(gain > 0, np.inf, 0.0)
        rate = np.divide(gain, instance.price, out=free_of_charge, where=instance.price > 0)
        site = int(np.argmax(rate))
        if rate[site] <= 0.0:
            return opened
        opened[site] = True
        left -= instance.price[site]


def in_order(worth: Worth, base: Bools, chosen: Sequence[int], *, ties: Worth) -> list[tuple[int, float]]:
    """Return the chosen sites in the order in which each adds most to those before, and what it adds.

    Parameters
    ----------
    worth
        What is counted.
    base
        Sites that are open before, shape (sites,).
    chosen
        Those to be opened.
    ties
        Decides where several add the same.
    """
    opened, left = base.copy(), list(chosen)
    steps = []
    while left:
        gain, second = worth.gains(opened)[left], ties.gains(opened)[left]
        best = np.flatnonzero(gain >= gain.max() - _HAIR * abs(gain.max()))
        place = int(best[np.argmax(second[best])])
        site = left.pop(place)
        opened[site] = True
        steps.append((site, float(gain[place])))
    return steps


def closings(worth: Worth, opened: Bools, closed: Sequence[int]) -> list[tuple[int, float]]:
    """Return sites to be closed in the order in which each loses least, and what it adds: nothing, or less.

    Parameters
    ----------
    worth
        What is counted.
    opened
        Sites that are open before, shape (sites,).
    closed
        Those of them to be closed.
    """
    opened, left, now = opened.copy(), list(closed), worth.value(opened)
    steps = []
    while left:
        then = []
        for site in left:
            opened[site] = False
            then.append(worth.value(opened))
            opened[site] = True
        place = int(np.argmax(then))
        site = left.pop(place)
        opened[site] = False
        steps.append((site, min(0.0, then[place] - now)))
        now = then[place]
    return steps


def without_idle(worth: Worth, opened: Bools, sites: Ints, price: Floats) -> Bools:
    """Return the open sites without those of `sites` that can be closed without any loss, the dearest first."""
    opened, value = opened.copy(), worth.value(opened)
    for site in sites[np.argsort(-price[sites], kind="stable")]:
        if opened[site]:
            opened[site] = False
            opened[site] = worth.value(opened) < value - _HAIR * max(abs(value), 1.0)
    return opened
