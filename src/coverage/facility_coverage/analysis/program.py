"""Mixed-integer programs, put together block by block and handed to HiGHS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array, csr_array, vstack

from facility_coverage.layers.model import Floats

Bools = npt.NDArray[np.bool_]
Outcome = Literal["optimal", "time_limit", "infeasible"]

_FEASIBLE = 2
"""HiGHS's own number for a solution that keeps all constraints."""


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

    def solve(self, *, time_limit_s: float, gap: float = 0.0, start: Floats | None = None) -> Answer:
        """Solve the program, from a start if one is known, until proven within the relative `gap` or out of time."""
        import highspy  # noqa: PLC0415 (loading it takes a moment, and most runs site nothing)

        solver = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy annotates no constructor
        for name, value in (
            ("output_flag", False),
            ("log_to_console", False),
            ("time_limit", max(time_limit_s, 0.01)),
            ("mip_rel_gap", gap),
            ("mip_abs_gap", 0.0),
        ):
            solver.setOptionValue(name, value)
        matrix = csc_array(vstack(self.rows, format="csc"))
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = matrix.shape[1], matrix.shape[0]
        program.sense_ = highspy.ObjSense.kMaximize if self.maximize else highspy.ObjSense.kMinimize
        program.col_cost_ = np.concatenate(self.cost)
        program.col_lower_, program.col_upper_ = np.concatenate(self.lower), np.concatenate(self.upper)
        program.row_lower_, program.row_upper_ = np.concatenate(self.row_lower), np.concatenate(self.row_upper)
        program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        program.a_matrix_.start_, program.a_matrix_.index_ = matrix.indptr, matrix.indices
        program.a_matrix_.value_ = matrix.data
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        program.integrality_ = [kinds[int(whole)] for whole in np.concatenate(self.whole)]
        solver.passModel(program)
        if start is not None:
            solution = highspy.HighsSolution()
            solution.col_value = start.tolist()
            solver.setSolution(solution)
        solver.run()
        status, info = solver.getModelStatus(), solver.getInfo()
        if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            return Answer("infeasible", np.empty(0), np.nan)
        found = info.primal_solution_status == _FEASIBLE
        values = np.asarray(solver.getSolution().col_value) if found else np.empty(0)
        outcome: Outcome = "optimal" if status == highspy.HighsModelStatus.kOptimal else "time_limit"
        return Answer(outcome, values, float(info.mip_dual_bound))
