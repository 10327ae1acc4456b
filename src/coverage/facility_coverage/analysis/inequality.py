"""Inequality: how unevenly what people have is shared among them, each person counting once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from facility_coverage.layers.model import Floats

#: Values that differ by no more than this part of themselves are equal: sums in another order differ by less.
SAME = 1e-9
#: A share of all that is had below this is the last digit of a sum, and means nothing.
NOTHING = 1e-12


@dataclass(frozen=True)
class Distribution:
    """People by what each of them has, those with least first.

    Attributes
    ----------
    value
        What one person has, not below 0, each value once, ascending.
    people
        How many people have it, above 0.
    """

    value: Floats
    people: Floats

    @classmethod
    def of(cls, values: npt.ArrayLike, people: npt.ArrayLike) -> Self:
        """Gather rows of equal values; rows without a value or without people are left out.

        Splitting a row in two, and any order of the rows, give the same.
        """
        value, weight = np.asarray(values, dtype=np.float64), np.asarray(people, dtype=np.float64)
        kept = (weight > 0) & ~np.isnan(value)
        distinct, which = np.unique(value[kept], return_inverse=True)
        return cls(distinct, np.bincount(which, weights=weight[kept], minlength=len(distinct)).astype(np.float64))

    @property
    def mean(self) -> float:
        """What one person has on average; NaN without people."""
        total = float(self.people.sum())
        return float((self.value * self.people).sum()) / total if total > 0 else float("nan")

    def lorenz(self, shares: npt.ArrayLike) -> Floats:
        """Return which share of all that is had the worst-served `shares` of people have (0–1).

        The curve is straight between the values, which splits people with equal values in proportion; NaN where nobody
        has anything.

        References
        ----------
        Lorenz, M. O. (1905). Methods of measuring the concentration of wealth. Publications of the American
        Statistical Association 9(70), 209–219.

        Examples
        --------
        >>> Distribution.of([0, 1, 3], [2, 1, 1]).lorenz([0, 0.5, 0.625, 0.75, 1]).tolist()
        [0.0, 0.0, 0.125, 0.25, 1.0]
        """
        people, had = self._curve()
        wanted = np.asarray(shares, dtype=np.float64)
        return np.interp(wanted, people, had) if len(had) else np.full(wanted.shape, np.nan)

    def gini(self) -> float:
        """Return the Gini coefficient: 0 where all have the same, near 1 where one person has all.

        Twice the area between the Lorenz curve and the diagonal, ``G = 1 - Σ (F_k - F_{k-1}) (L_k + L_{k-1})``, which
        is the mean difference of two people drawn at random over twice the mean. NaN where nobody has anything.

        References
        ----------
        Gini, C. (1914). Sulla misura della concentrazione e della variabilità dei caratteri. Atti del R. Istituto
        Veneto di Scienze, Lettere ed Arti 73(2), 1203–1248.

        Examples
        --------
        >>> Distribution.of([0, 4], [3, 1]).gini()
        0.75
        """
        people, had = self._curve()
        if not len(had):
            return float("nan")
        return max(0.0, 1.0 - float((np.diff(people) * (had[1:] + had[:-1])).sum()))

    def palma(self, *, best: float = 0.1, worst: float = 0.4) -> float:
        """Return what the best-served tenth has over what the worst-served four tenths have, all together.

        The ratio that Palma found telling of incomes. Equal values give 1/4. NaN where the four tenths have nothing.

        References
        ----------
        Palma, J. G. (2011). Homogeneous middles vs. heterogeneous tails, and the end of the 'inverted-U'. Development
        and Change 42(1), 87–153.

        Examples
        --------
        >>> Distribution.of([1, 3, 9], [4, 5, 1]).palma()
        2.25
        """
        below, above = self.lorenz([worst, 1.0 - best])
        return float((1.0 - above) / below) if below > NOTHING else float("nan")

    def part_below(self, share: float) -> Floats:
        """Return which part of the people of each value belongs to the worst-served `share` of all people (0–1).

        Values that are equal but for rounding stand together. Where such a class straddles the end, the same part of
        each of its rows belongs: nobody is preferred, and the parts add up to exactly the share.

        Examples
        --------
        >>> Distribution.of([0, 1, 3], [1, 4, 5]).part_below(0.3).tolist()
        [1.0, 0.5, 0.0]
        """
        if not len(self.value):
            return np.zeros(0)
        apart = np.diff(self.value) > SAME * self.value[1:]
        level = np.concatenate([[0], np.cumsum(apart)])
        people = np.bincount(level, weights=self.people)
        before = np.concatenate([[0.0], np.cumsum(people)[:-1]])
        part = np.clip((share * self.people.sum() - before) / people, 0.0, 1.0)
        return np.asarray(part[level], dtype=np.float64)

    def _curve(self) -> tuple[Floats, Floats]:
        """Return the knots of the Lorenz curve: shares of people and of what they have; none where nobody has any."""
        people = np.concatenate([[0.0], np.cumsum(self.people)])
        had = np.concatenate([[0.0], np.cumsum(self.people * self.value)])
        if not had[-1] > 0:
            return np.zeros(0), np.zeros(0)
        return people / people[-1], had / had[-1]
