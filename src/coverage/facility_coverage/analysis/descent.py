"""Descent: a search for the lowest Lagrangian bound, step by step, and the sites that it decides on its way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facility_coverage.layers.model import Floats

Bools = npt.NDArray[np.bool_]
_HAIR = 1e-9


@dataclass
class Descent:
    """How far a search has come.

    Attributes
    ----------
    opened, closed
        Sites that are, or are not, in every solution better than the one known, shape (sites,).
    step
        Length of the next step, as a share of what is between the bound and the known solution.
    patience
        Steps without a lower bound after which they become half as long.
    value
        The lowest bound so far.
    since
        Steps since it was found.
    """

    opened: Bools
    closed: Bools
    step: float
    patience: int
    value: float = np.inf
    since: int = 0

    @classmethod
    def of(cls, sites: int, *, step: float, patience: int) -> Descent:
        """Begin with no site decided."""
        return cls(np.zeros(sites, dtype=np.bool_), np.zeros(sites, dtype=np.bool_), step, patience)

    def lower(self, here: float) -> None:
        """Take in a bound."""
        if here < self.value - _HAIR * abs(here):
            self.value, self.since = here, 0
            return
        self.since += 1
        if self.since >= self.patience:
            self.step, self.since = self.step / 2, 0

    def decide(self, slack: float, income: Floats, price: Floats, rates: tuple[float, float], take: Bools) -> None:
        """Decide the sites whose other choice would bring the bound below what is known.

        `slack` lies between them; `rates` are those of the first site left out and of the last one taken (`take`).
        """
        low, high = rates
        self.closed |= ~take & (np.maximum(high * price - income, 0.0) > slack)
        self.opened |= take & (np.maximum(income - low * price, 0.0) > slack)
