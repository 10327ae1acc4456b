"""Equity as tables: the same input gives the same bytes."""

from __future__ import annotations

from pathlib import Path

from facility_coverage.analysis.equity import Equity
from facility_coverage.outputs.tables import write_csv

FILES = ("equity.csv", "lorenz.csv", "worst_served.csv")


def write_equity(equity: Equity, folder: Path) -> None:
    """Write equity.csv (figures), lorenz.csv (curves) and worst_served.csv (where the worst-served tenth live)."""
    for name, table in zip(FILES, (equity.figures, equity.lorenz, equity.worst_served), strict=True):
        write_csv(table, folder / name)
