"""Tallies: a measure zone by zone, as amounts over bases that add up to districts and to the study."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd


@dataclass(frozen=True)
class Figure:
    """An amount over a base, with what gave no figure.

    Attributes
    ----------
    amount
        Beds, slots, facilities, zones, square metres or people; NaN without data.
    base
        What the amount is divided by: 1 for totals, thousands of people, all beds, or all people.
    missing
        Facilities left out because a figure they need is unknown.
    unreached
        People left out because they reach no facility.

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
    unreached: float = field(default=0.0, repr=False)

    @property
    def unreached_share(self) -> float:
        """People left out as a share of them and of those that the figure is of; 0 where there is nobody."""
        return self.unreached / (self.base + self.unreached) if self.unreached > 0 else 0.0

    @property
    def value(self) -> float | None:
        """The measured figure; None where the amount is unknown or there is nothing to divide by."""
        if math.isnan(self.amount) or math.isnan(self.base) or self.base <= 0:
            return None
        return self.amount / self.base


@dataclass(frozen=True)
class Tally:
    """What a measure counts, zone by zone (or district by district).

    Attributes
    ----------
    rows
        Indexed by id: `amount`, `base` (0 where there is nothing to count), `known` and `missing` (facilities that gave
        a figure, and those that did not), `unsure` (not 0 where the amount rests on facilities that did not, unless
        some others did) and `unreached` (people who reach no facility, where these are left out).
    is_total
        Whether the figure is the amount itself, so that bases do not add up.
    """

    rows: pd.DataFrame
    is_total: bool = False

    def figure(self, ids: Collection[str]) -> Figure:
        """Add up the rows of these ids; without a single known figure among facilities there is no amount.

        `math.fsum` makes the sum independent of the order of the rows.
        """
        rows = self.rows.loc[self.rows.index.isin(list(ids))]
        missing = int(rows["missing"].sum())
        amount = math.nan if rows["unsure"].any() and not rows["known"].any() else math.fsum(rows["amount"])
        base = 1.0 if self.is_total else math.fsum(rows["base"])
        return Figure(amount, base, missing, math.fsum(rows["unreached"]))


def tally(
    ids: Collection[str],
    *,
    amount: pd.Series,
    base: pd.Series | float,
    known: pd.Series | int = 1,
    missing: pd.Series | int = 0,
) -> Tally:
    """Return the tally of series indexed by id; ids that they lack count 0.

    Parameters
    ----------
    ids
        All zones or districts.
    amount, base, known, missing
        Sums by id; one number stands for all ids. Places are unsure that have `missing`.
    """
    index = pd.Index(list(ids), dtype=object)

    def column(values: pd.Series | float) -> npt.NDArray[np.float64]:
        if isinstance(values, pd.Series):
            return values.reindex(index, fill_value=0.0).to_numpy(dtype=np.float64)
        return np.full(len(index), float(values))

    columns = {"amount": amount, "base": base, "known": known, "missing": missing, "unsure": missing, "unreached": 0.0}
    return Tally(pd.DataFrame({name: column(values) for name, values in columns.items()}, index=index))


def sums_by(keys: pd.Series, values: npt.ArrayLike) -> pd.Series:
    """Return the sums of values by key, rows without a key left out."""
    return pd.Series(np.asarray(values, dtype=np.float64)).groupby(keys.to_numpy(dtype=object)).sum()
