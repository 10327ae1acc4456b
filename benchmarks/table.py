"""The results: rows, how far answers lie apart, the printed table, and the bars that the project set itself."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

OURS = "facility-coverage"
_HEADER = ("graph", "work", "tool", "threads", "median", "first", "runs", "to ours", "memory", "difference", "remark")


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes
    ----------
    graph, work, tool, threads
        What was done, by whom.
    seconds
        Median; NaN where it was not measured (`remark` says why).
    first_s
        The first run: in memory that the process has not used before.
    runs
        How many runs the median is of.
    peak_bytes
        Largest memory of the process during any of them, its graph included; NaN where not measured.
    difference_s
        Largest difference from our answer, NaN where there is none to compare.
    remark
        What else there is to say.
    """

    graph: str
    work: str
    tool: str
    threads: int
    seconds: float
    first_s: float = np.nan
    runs: int = 0
    peak_bytes: float = np.nan
    difference_s: float = np.nan
    remark: str = ""


def apart(one: np.ndarray, other: np.ndarray, limit_s: float) -> float:
    """Return the largest difference in seconds between two answers of the same shape.

    No answer is inf or NaN. Where only one has an answer, the other is beyond its limit: the difference is what the
    answer lacks to it. Where either is -inf, it was not asked.
    """
    asked = ~(np.isneginf(one) | np.isneginf(other))
    one, other = one[asked], other[asked]
    difference, one_has, other_has = 0.0, np.isfinite(one), np.isfinite(other)
    if (both := one_has & other_has).any():
        difference = float(np.abs(one[both] - other[both]).max())
    for has, lacks, seconds in ((one_has, other_has, one), (other_has, one_has, other)):
        alone = seconds[has & ~lacks]
        if len(alone):
            difference = max(difference, limit_s - float(alone.min()))
    return difference


def pairs_apart(one: np.ndarray, other: np.ndarray, limit_s: float) -> float:
    """Return the largest difference between two lists of (source, node, seconds), shape (pairs, 3); see `apart`."""
    order = [np.lexsort((pairs[:, 1], pairs[:, 0])) for pairs in (one, other)]
    one, other = one[order[0]], other[order[1]]
    keys = [pairs[:, 0] * 2.0**32 + pairs[:, 1] for pairs in (one, other)]
    every = np.union1d(*keys)
    full = np.full((2, len(every)), np.inf)
    for row, key, pairs in zip(full, keys, (one, other), strict=True):
        row[np.searchsorted(every, key)] = pairs[:, 2]
    return apart(*full, limit_s)


def largest_gap(answers: dict[str, np.ndarray], limit_s: float) -> tuple[float, str]:
    """Return the largest difference between any two answers, and between whose."""
    gaps = [
        (_gap(one, other, limit_s), f"{a} and {b}")
        for (a, one), (b, other) in itertools.combinations(answers.items(), 2)
    ]
    return max(gaps, default=(np.nan, ""))


def _gap(one: np.ndarray, other: np.ndarray, limit_s: float) -> float:
    return (pairs_apart if np.isfinite(limit_s) and one.shape[1:] == (3,) else apart)(one, other, limit_s)


def _time(seconds: float) -> str:
    if np.isnan(seconds):
        return "–"
    return (
        f"{seconds * 1000:.3g} ms"
        if seconds < 0.9995
        else f"{seconds:.3g} s"
        if seconds < 999.5
        else f"{seconds:.0f} s"
    )


def _cells(row: Row, ours: dict[tuple[str, str, int], float]) -> tuple[str, ...]:
    base = ours.get((row.graph, row.work, row.threads), np.nan)
    ratio = row.seconds / base
    return (
        row.graph,
        row.work,
        row.tool,
        str(row.threads),
        _time(row.seconds),
        _time(row.first_s),
        str(row.runs) if row.runs else "–",
        "–" if np.isnan(ratio) else f"{ratio:.3g} ×" if ratio < 999.5 else f"{ratio:,.0f} ×",
        "–" if np.isnan(row.peak_bytes) else f"{row.peak_bytes / 1e6:.0f} MB",
        "–" if np.isnan(row.difference_s) else f"{row.difference_s:.1e} s",
        row.remark,
    )


def text(rows: Sequence[Row]) -> str:
    """Return the table, in Markdown and aligned."""
    ours = {(row.graph, row.work, row.threads): row.seconds for row in rows if row.tool == OURS}
    return _aligned([_HEADER, *(_cells(row, ours) for row in rows)])


def _aligned(lines: Iterable[Sequence[str]]) -> str:
    header, *body = lines
    widths = [max(map(len, column)) for column in zip(header, *body, strict=True)]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in (header, rule, *body)
    )


@dataclass(frozen=True)
class Bar:
    """One bar that the project set itself: what was asked, what was found, and whether it holds."""

    asked: str
    found: str
    holds: bool


def bars_text(bars: Sequence[Bar]) -> str:
    """Return the bars as a table."""
    lines = [(bar.asked, bar.found, "holds" if bar.holds else "MISSED") for bar in bars]
    return _aligned([("bar", "found", ""), *lines])
