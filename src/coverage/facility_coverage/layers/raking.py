"""Raking: a table of people is scaled until its rows, columns and sum meet the totals given for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from facility_coverage.layers.model import Floats

TOLERANCE = 1e-9
"""Every total is met to this share of itself."""

MOST_ROUNDS = 10_000


@dataclass(frozen=True)
class Totals:
    """What a table of people by zone and part must meet; NaN where nothing is given.

    Attributes
    ----------
    cell
        People of each zone and part, shape (zones, parts).
    zone
        People of each zone, all parts together, shape (zones,).
    part
        People of each part in the whole study, shape (parts,).
    whole
        Everybody in the whole study.
    """

    cell: Floats
    zone: Floats
    part: Floats
    whole: float


@dataclass(frozen=True)
class Raked:
    """A table that meets its totals, or what it misses.

    Attributes
    ----------
    people
        Shape (zones, parts).
    rounds
        Rounds of scaling.
    residual
        The table less its totals; NaN where nothing is given.
    is_met
        Whether every total is met to `TOLERANCE`.
    """

    people: Floats
    rounds: int
    residual: Totals
    is_met: bool


def rake(seed: Floats, totals: Totals) -> Raked:
    """Scale a table by turns to each of its totals until it meets them all (iterative proportional fitting).

    Parameters
    ----------
    seed
        People as counted, at least 0, shape (zones, parts). What is 0 stays 0.
    totals
        What to meet, at least 0.

    Notes
    -----
    W. E. Deming and F. F. Stephan, On a Least Squares Adjustment of a Sampled Frequency Table When the Expected
    Marginal Totals are Known, Annals of Mathematical Statistics 11 (1940), 427-444. Of all tables that meet the totals,
    the limit is the one nearest to the seed in relative entropy; it does not depend on the order of zones and parts.
    """
    people = np.array(seed, dtype=np.float64)
    for rounds in range(MOST_ROUNDS + 1):
        residual = _less(people, totals)
        if _is_met(residual, totals):
            return Raked(people, rounds, residual, is_met=True)
        people = people * _factor(people, totals.cell)
        people = people * _factor(people.sum(axis=1), totals.zone)[:, None]
        people = people * _factor(people.sum(axis=0), totals.part)
        people = people * _factor(people.sum(keepdims=True).ravel(), np.array([totals.whole]))
    return Raked(people, MOST_ROUNDS, residual, is_met=False)


def _factor(sums: Floats, totals: Floats) -> Floats:
    known = ~np.isnan(totals) & (sums > 0)
    return np.divide(totals, sums, out=np.ones_like(sums), where=known)


def _less(people: Floats, totals: Totals) -> Totals:
    return Totals(
        people - totals.cell,
        people.sum(axis=1) - totals.zone,
        people.sum(axis=0) - totals.part,
        float(people.sum() - totals.whole),
    )


def _is_met(residual: Totals, totals: Totals) -> bool:
    pairs = (
        (residual.cell, totals.cell),
        (residual.zone, totals.zone),
        (residual.part, totals.part),
        (np.array([residual.whole]), np.array([totals.whole])),
    )
    return not any(np.any(np.abs(off) > TOLERANCE * goal) for off, goal in pairs)
