"""Measures of goals: an amount (beds, slots, facilities, people) against what it is counted per."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Figure:
    """An amount over a base, with the facilities that gave no figure.

    Attributes
    ----------
    amount
        Beds, slots, facilities or people; NaN without data.
    base
        What the amount is divided by: 1 for totals, thousands of people, all beds, or all people.
    missing
        Facilities left out because a capacity they need is unknown.

    Examples
    --------
    >>> Figure(450, 100).value
    4.5
    >>> Figure(450, 0).value is None
    True
    """

    amount: float
    base: float = 1.0
    missing: int = 0

    @property
    def value(self) -> float | None:
        """The measured figure; None where the amount is unknown or there is nothing to divide by."""
        if math.isnan(self.amount) or math.isnan(self.base) or self.base <= 0:
            return None
        return self.amount / self.base


def own_facilities(facilities: pd.DataFrame, zone_ids: Collection[str], *, tier: str | None = None) -> pd.DataFrame:
    """Return the facilities that stand in the zones, all of them or those of one tier.

    Facilities beyond the zones serve people but are not the study's own stock.
    """
    keep = facilities["zone_id"].isin(list(zone_ids))
    if tier is not None:
        keep &= facilities["tier"] == tier
    return facilities.loc[keep]


def facility_count(facilities: pd.DataFrame) -> Figure:
    """Count the facilities given, one per row."""
    return Figure(float(len(facilities)))


def capacity_total(facilities: pd.DataFrame, *, capacity: str) -> Figure:
    """Sum a capacity column over the facilities whose figure is known.

    No facilities have a capacity of 0; facilities that all lack a figure have no data.

    Examples
    --------
    >>> capacity_total(pd.DataFrame({"beds": [30.0, float("nan")]}), capacity="beds")
    Figure(amount=30.0, base=1.0, missing=1)
    """
    amount, missing = _sums(facilities, [capacity])
    return Figure(amount[0], missing=missing)


def capacity_per_1000(facilities: pd.DataFrame, *, capacity: str, people: float) -> Figure:
    """Relate a capacity to every thousand people; without people there is no value."""
    amount, missing = _sums(facilities, [capacity])
    return Figure(amount[0], people / 1000, missing)


def capacity_share(facilities: pd.DataFrame, *, capacity: str, part: str) -> Figure:
    """Relate one capacity column to another, over the facilities where both are known (0–1)."""
    (amount, base), missing = _sums(facilities, [part, capacity])
    return Figure(amount, base, missing)


def population_covered(*, covered: float, people: float) -> Figure:
    """Relate the people within the cutoff to all people (0–1); without people there is no value."""
    return Figure(covered, people)


def _sums(facilities: pd.DataFrame, columns: list[str]) -> tuple[list[float], int]:
    """Return the exact sum of each column over rows where all are known, and the number of other rows."""
    values = facilities[columns].to_numpy(dtype=np.float64)
    known = ~np.isnan(values).any(axis=1)
    missing = int((~known).sum())
    if missing and not known.any():
        return [math.nan] * len(columns), missing
    # fsum does not depend on the order of the rows
    return [math.fsum(values[known, c]) for c in range(len(columns))], missing
