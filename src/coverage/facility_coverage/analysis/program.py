"""Mixed-integer programs, put together block by block and handed to HiGHS, which SciPy brings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csc_array, csr_array, vstack

from facility_coverage.layers.model import Floats

Bools = npt.NDArray[np.bool_]
Outcome = Literal["optimal", "time_limit", "infeasible"]

_INFEASIBLE = 2
"""SciPy's number for a program without any solution."""


@dataclass(frozen=True)
class Answer:
    """What HiGHS says: how the search ended, the columns' values (empty without any), and the objective's bound."""

    outcome: Outcome
    values: Floats
    bound: float


@dataclass
class Program:
    """A program in the making; columns lie between 0 and 1 where nothing else is said.

    Attributes
    ----------
    maximize
        Whether the objective is to be large.
    """

    maximize: bool
    cost: list[Floats] = field(default_factory=list)
    lower: list[Floats] = field(default_factory=list)
    upper: list[Floats] = field(default_factory=list)
    whole: list[Bools] = field(default_factory=list)
    rows: list[csr_array] = field(default_factory=list)
    row_lower: list[Floats] = field(default_factory=list)
    row_upper: list[Floats] = field(default_factory=list)

    def columns(
        self, cost: Floats, *, lower: Floats | float = 0.0, upper: Floats | float = 1.0, whole: bool = False
    ) -> None:
        """Add columns, whole numbers or not."""
        count = len(cost)
        self.cost.append(np.asarray(cost, dtype=np.float64))
        self.lower.append(np.broadcast_to(np.asarray(lower, dtype=np.float64), count))
        self.upper.append(np.broadcast_to(np.asarray(upper, dtype=np.float64), count))
        self.whole.append(np.full(count, whole))

    def constrain(self, rows: csr_array, *, lower: Floats | float = -np.inf, upper: Floats | float = np.inf) -> None:
        """Add rows over all columns."""
        count = rows.shape[0]
        self.rows.append(csr_array(rows))
        self.row_lower.append(np.broadcast_to(np.asarray(lower, dtype=np.float64), count))
        self.row_upper.append(np.broadcast_to(np.asarray(upper, dtype=np.float64), count))

    def solve(self, *, time_limit_s: float, gap: float = 0.0) -> Answer:
        """Solve the program until proven within the relative `gap`, or out of time."""
        matrix = csc_array(vstack(self.rows, format="csc"))
        found = milp(
            (-1.0 if self.maximize else 1.0) * np.concatenate(self.cost),
            integrality=np.concatenate(self.whole).astype(np.int8),
            bounds=Bounds(np.concatenate(self.lower), np.concatenate(self.upper)),
            constraints=LinearConstraint(matrix, np.concatenate(self.row_lower), np.concatenate(self.row_upper)),
            options={"time_limit": max(time_limit_s, 0.01), "mip_rel_gap": gap},
        )
        if found.status == _INFEASIBLE:
            return Answer("infeasible", np.empty(0), np.nan)
        values = np.empty(0) if found.x is None else np.asarray(found.x, dtype=np.float64)
        bound = found.get("mip_dual_bound")
        if bound is None:  # a linear program is solved or not
            bound = found.fun if found.fun is not None else np.nan
        sign = -1.0 if self.maximize else 1.0
        return Answer("optimal" if found.status == 0 else "time_limit", values, sign * float(bound))
