"""Misfit: how far a layer lies from what it should lie on, as declared and if its datum were another.

Facilities stand beside roads, and zones border on their neighbours. Coordinates of another datum lie 300 to 700 m away
(GCJ-02) or about 1 km (BD-09), and nearer to a road only by chance. So each place is measured twice, as declared and
as it would lie in another datum, and the two are compared place by place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from facility_coverage.layers.model import Floats

#: Fewer places say nothing.
MIN_PLACES = 8
#: Another datum is named where the median distance falls below this share of that as declared ...
CLEAR_SHARE = 0.6
#: ... and the chance that so many places are nearer by accident is below this.
MAX_CHANCE = 1e-3
#: Distances beyond are taken for this one, metres: how far off hardly matters.
FARTHEST_M = 2000.0


@dataclass(frozen=True)
class Misfit:
    """How well places fit, as declared and as one other reading.

    Attributes
    ----------
    reading
        The other datum, or what else was supposed.
    places
        How many were measured.
    declared_m, read_m
        Median distance as declared, and as read otherwise, metres.
    nearer_share
        Share of the places that lie nearer as read otherwise (0–1).
    chance
        Probability of so many or more if either were as likely (one-sided sign test; ties left out), times the number
        of readings tried.
    """

    reading: str
    places: int
    declared_m: float
    read_m: float
    nearer_share: float
    chance: float

    @property
    def clear(self) -> bool:
        """Whether the other reading fits clearly better."""
        return self.chance < MAX_CHANCE and self.read_m < CLEAR_SHARE * self.declared_m


def best_reading(
    declared: Floats, readings: Mapping[str, Floats], distance_m: Callable[[Floats], Floats]
) -> Misfit | None:
    """Return the reading under which places lie nearest, compared with how they are declared.

    Parameters
    ----------
    declared
        Places in metres as declared, shape (places, 2).
    readings
        The same places as they would lie otherwise; of readings that fit alike the first is taken.
    distance_m
        Returns how far each place lies from what it should lie on, NaN for farther than it looks.

    Returns
    -------
    The best reading, or None with fewer than `MIN_PLACES` places or no reading.
    """
    if len(declared) < MIN_PLACES or not readings:
        return None
    here = _limited(distance_m(declared))
    found = []
    for name, places in readings.items():
        there = _limited(distance_m(places))
        nearer, farther = int((there < here).sum()), int((there > here).sum())
        chance = binomtest(nearer, nearer + farther, alternative="greater").pvalue if nearer + farther else 1.0
        share = nearer / len(declared)
        all_chances = min(1.0, float(chance) * len(readings))
        medians = float(np.median(here)), float(np.median(there))
        found.append(Misfit(name, len(declared), *medians, share, all_chances))
    return min(found, key=lambda misfit: round(misfit.read_m, 3))


def _limited(distance_m: Floats) -> Floats:
    return np.where(np.isnan(distance_m), FARTHEST_M, np.minimum(distance_m, FARTHEST_M))
