"""The table within a sheet: which row names the columns, and which rows around it are no data.

Offices put a title above the heading row, units below it, and a total, notes and signatures at the end. The rules are
those of docs/tables.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers.contracts import SHOWN_FAULTS, raise_faults
from facility_coverage.layers.grid import Grid, cell_name, column_name
from facility_coverage.layers.names import is_scaled, is_unit, plain
from facility_coverage.layers.numbers import read_numbers

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import numpy.typing as npt

HEAD_ROWS = 20
"""Rows with anything in them that are searched for the heading row."""

SHOWN_NAMES = 8

TOTALS = ("合计", "总计", "共计", "小计", "Total")
"""What the first filled cell of a row of totals says."""

NOTES = ("注", "备注", "说明", "数据来源", "资料来源", "来源", "填表", "填报", "制表", "审核", "复核", "联系")
"""How the first filled cell of a line below the table begins, up to its colon."""

_TOTAL = re.compile("(?:" + "|".join(r"\s*".join(word) for word in TOTALS) + r")\s*[:：]?", re.IGNORECASE)
_NOTE = re.compile(rf"(?:{'|'.join(NOTES)})\w{{0,4}}\s*[:：]")

Bools = np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True)
class Block:
    """The rows that name the columns, and what stands around them."""

    top: int
    bottom: int
    skipped: dict[int, str] = field(default_factory=dict)


def table_of(
    grid: Grid, *, known: Collection[str], header_row: int | None, with_totals: bool = False
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the rows of data under their headings, and what was found.

    Parameters
    ----------
    grid
        The sheet.
    known
        Names by which a heading row is recognised, as `plain` gives them.
    header_row
        The heading row that the study names, from 1; None to look for it.
    with_totals
        Whether rows of totals are data, for the study has a use for them.

    Returns
    -------
    frame
        Text; the index is the sheet's row, or the data row of a text table.
    found
        Heading row, rows skipped, columns without a heading.

    Raises
    ------
    LayerError
        If the heading row is in doubt, a heading is there twice, or a cell cannot be used.
    """
    filled, first = _first_filled(grid.cells)
    if not filled.any():
        return pd.DataFrame(), {}
    row = _heading_row(grid, filled, known) if header_row is None else _named_row(grid, filled, header_row)
    block = _block(grid, row)
    if with_totals:
        first = np.array(["" if _TOTAL.fullmatch(text) else text for text in first], dtype=object)
    skipped, is_data = _rows_around(grid, block, filled, first)
    headings = _headings(grid, replace(block, skipped=skipped))
    faults = [*_named_twice(grid.file, headings), *_totals_amid(grid, is_data, first)]
    frame, merged_faults = _with_merged(grid, _rows(grid.cells, is_data))
    frame, unnamed, long_faults = _named(grid, frame, headings)
    raise_faults([*faults, *long_faults, *_cell_faults(grid, frame.index, headings, block), *merged_faults])
    if not grid.is_sheet:
        frame.index = pd.RangeIndex(1, len(frame) + 1)
    rows = str(block.top) if block.top == block.bottom else f"{block.top}–{block.bottom}"
    told = {"heading row": rows, "rows skipped": _listed(skipped), "columns without a heading": ", ".join(unnamed)}
    return frame, {key: value for key, value in told.items() if value}


def _rows(cells: pd.DataFrame, is_data: Bools) -> pd.DataFrame:
    """Return the rows of data; without a copy where they follow each other."""
    at = np.flatnonzero(is_data)
    if len(at) and at[-1] - at[0] == len(at) - 1:
        return cells.iloc[at[0] : at[-1] + 1]
    return cells.loc[is_data]


def _first_filled(cells: pd.DataFrame) -> tuple[Bools, npt.NDArray[np.object_]]:
    """Return which rows hold anything, and the stripped text of their first filled cell."""
    filled = np.zeros(len(cells), dtype=bool)
    first = np.full(len(cells), "", dtype=object)
    for name in cells.columns:
        rest = np.flatnonzero(~filled)
        text = cells[name].iloc[rest].str.strip().to_numpy(dtype=object)
        first[rest] = text
        filled[rest] = text != ""
    return filled, first


def _texts(cells: pd.DataFrame, row: int) -> list[str]:
    return [" ".join(str(value).split()) for value in cells.loc[row]]


def _heading_row(grid: Grid, filled: Bools, known: Collection[str]) -> int:
    """Return the row with the most known names; without any, the first row if no other is wider.

    Rows that hold a number count only where no other row has a known name.
    """
    head = [int(row) for row in grid.cells.index[filled][:HEAD_ROWS]]
    names = {row: [text for text in _texts(grid.cells, row) if text] for row in head}
    score = {row: len({plain(text) for text in texts} & set(known)) for row, texts in names.items()}
    wordy = {row: count for row, count in score.items() if not np.isfinite(_numbers(names[row])).any()}
    score = wordy | dict.fromkeys(score.keys() - wordy.keys(), 0) if any(wordy.values()) else score
    best = [row for row in head if score[row] == max(score.values())]
    if score[best[0]] and best[-1] <= _block(grid, best[0]).bottom:
        return best[0]
    if not score[best[0]]:
        if len(names[head[0]]) == max(map(len, names.values())):
            return head[0]
        widest = max(map(len, names.values()))
        best = [row for row in head if len(names[row]) == widest or row == head[0]]
    shown = "; ".join(f"row {row}: {', '.join(map(repr, names[row][:SHOWN_NAMES]))}" for row in best[:4])
    raise LayerError([Fault(grid.file, "the heading row is in doubt", advice=f"name it under `header_row:` ({shown})")])


def _numbers(texts: list[str]) -> npt.NDArray[np.float64]:
    return read_numbers(pd.Series(texts, dtype=object)).value


def _named_row(grid: Grid, filled: Bools, header_row: int) -> int:
    rows = grid.cells.index[filled]
    if header_row in rows:
        return header_row
    message = f"header_row names row {header_row}, which is empty"
    raise LayerError([Fault(grid.file, message, advice=f"the first row with anything in it is {rows[0]}")])


def _block(grid: Grid, row: int) -> Block:
    """Return the heading rows: those that cells merged downwards join to the one found."""
    top = bottom = row
    for _ in range(HEAD_ROWS):
        joined = [(r0, r1) for r0, _, r1, _ in grid.merged if r0 <= bottom and r1 >= top]
        wider = min([top, *(r0 for r0, _ in joined)]), max([bottom, *(r1 for _, r1 in joined)])
        if wider == (top, bottom):
            break
        top, bottom = wider
    return Block(top, bottom)


def _rows_around(
    grid: Grid, block: Block, filled: Bools, first: npt.NDArray[np.object_]
) -> tuple[dict[int, str], Bools]:
    """Return the rows that are no data and why, and which rows are data."""
    index = grid.cells.index.to_numpy()
    skipped = {int(row): "above the heading" for row in index[filled & (index < block.top)]}
    is_data = filled & (index > block.bottom)
    below = np.flatnonzero(is_data)
    if len(below) and _is_unit_row(grid, int(index[below[0]])):
        skipped[int(index[below[0]])] = "units"
        below = below[1:]
    for position in below[::-1]:
        why = "total" if _TOTAL.fullmatch(first[position]) else "note" if _NOTE.match(first[position]) else ""
        if not why:
            break
        skipped[int(index[position])] = why
    return skipped, is_data & ~np.isin(index, list(skipped))


def _is_unit_row(grid: Grid, row: int) -> bool:
    texts = [_without_brackets(text) for text in _texts(grid.cells, row) if text]
    return all(is_unit(text) or is_scaled(text) for text in texts)


def _without_brackets(text: str) -> str:
    return re.sub(r"^[(（](.*)[)）]$", r"\1", text)


def _totals_amid(grid: Grid, is_data: Bools, first: npt.NDArray[np.object_]) -> list[Fault]:
    """Return a fault for each row of totals that more data follow: its figures would count twice."""
    at = np.flatnonzero(is_data & pd.Series(first).str.fullmatch(_TOTAL).to_numpy(dtype=bool))
    number = grid.cells.index.to_numpy() if grid.is_sheet else np.cumsum(is_data)
    advice = "remove it: totals are skipped only at the end of the table"
    return [Fault(grid.file, f"{first[p]!r} is a row of totals", row=int(number[p]), advice=advice) for p in at]


def _headings(grid: Grid, block: Block) -> list[str]:
    """Return the name of each column: its lowest heading, or all of them joined where that alone is there twice."""
    head = np.array([_texts(grid.cells, row) for row in range(block.top, block.bottom + 1)], dtype=object)
    for r0, c0, r1, c1 in grid.merged:
        if block.top <= r0 and r1 <= block.bottom and block.top < block.bottom:
            head[r0 - block.top : r1 - block.top + 1, c0 - 1 : c1] = head[r0 - block.top, c0 - 1]
    paths = [[text for text in dict.fromkeys(column) if text] for column in head.T]
    lowest = [path[-1] if path else "" for path in paths]
    names = ["/".join(path) if lowest.count(low) > 1 else low for path, low in zip(paths, lowest, strict=True)]
    units = [row for row, why in block.skipped.items() if why == "units"]
    below = [_without_brackets(text) for text in _texts(grid.cells, units[0])] if units else [""] * len(names)
    # 万人 in the row of units must not be lost: it goes where a heading of its own would have it.
    return [f"{name}（{unit}）" if is_scaled(unit) else name for name, unit in zip(names, below, strict=True)]


def _with_merged(grid: Grid, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Fault]]:
    """Return the data with text of cells merged downwards in each of their rows; a merged number is a fault."""
    rows, cells = frame.index.to_numpy(), frame.to_numpy(dtype=object, copy=True)
    down = [(r0, c0, r1) for r0, c0, r1, _ in grid.merged if r1 > r0 and r0 in frame.index]
    if not down:
        return frame, []
    first, end = np.searchsorted(rows, np.array([(r0, r1 + 1) for r0, _, r1 in down])).T
    text = pd.Series([cells[at, c0 - 1] for at, (_, c0, _) in zip(first, down, strict=True)], dtype=object)
    faults = []
    for (r0, c0, r1), number, at, behind in zip(down, read_numbers(text).value, first, end, strict=True):
        if np.isnan(number):
            cells[at:behind, c0 - 1] = cells[at, c0 - 1]
        else:
            message = f"the number in {cell_name(r0, c0)} stands in cells merged down to row {r1}"
            faults.append(Fault(grid.file, message, row=r0, advice="undo the merge and give each row its own value"))
    return pd.DataFrame(cells, index=frame.index, columns=frame.columns, dtype=object), faults[:SHOWN_FAULTS]


def _cell_faults(grid: Grid, rows: pd.Index, headings: list[str], block: Block) -> list[Fault]:
    read = {*rows, *range(block.top, block.bottom + 1)}
    found = [fault for fault in grid.cell_faults if fault.row in read]
    faults = [
        Fault(grid.file, fault.message, row=fault.row, column=headings[fault.col - 1] or None, advice=fault.advice)
        for fault in found[:SHOWN_FAULTS]
    ]
    more = len(found) - SHOWN_FAULTS
    return faults if more <= 0 else [*faults, Fault(grid.file, f"{more} more cells cannot be used")]


def _named_twice(file: str, headings: list[str]) -> list[Fault]:
    twice = sorted({name for name in headings if name and headings.count(name) > 1})
    return [Fault(file, "two columns have this name", column=name, advice="rename one") for name in twice]


def _named(grid: Grid, frame: pd.DataFrame, headings: list[str]) -> tuple[pd.DataFrame, list[str], list[Fault]]:
    """Return the columns that have a heading, the others that hold anything, and the fields beyond the headings."""
    without = [position for position, name in enumerate(headings) if not name]
    held = {position: (frame[position].str.strip() != "").to_numpy() for position in without}
    width = max((position for position, name in enumerate(headings) if name), default=-1) + 1
    named = frame.drop(columns=without).set_axis([name for name in headings if name], axis=1)
    faults = []
    if not grid.is_sheet:
        beyond = np.zeros(len(frame), dtype=bool)
        for position in without:
            beyond |= held[position] & (position >= width)
        faults = too_wide(grid.file, np.flatnonzero(beyond) + 1, width)
    return named, [column_name(position + 1) for position in without if held[position].any()], faults


def too_wide(file: str, rows: Sequence[int] | npt.NDArray[np.intp], width: int) -> list[Fault]:
    """Return a fault for each data row that has more fields than the heading row."""
    message = f"has more fields than the heading row, which has {width}"
    advice = "put fields that hold the delimiter in quotes"
    faults = [Fault(file, message, row=int(row), advice=advice) for row in rows[:SHOWN_FAULTS]]
    more = len(rows) - SHOWN_FAULTS
    return faults if more <= 0 else [*faults, Fault(file, f"{more} more rows are too long")]


def _listed(skipped: dict[int, str]) -> str:
    return ", ".join(f"{row} ({why})" for row, why in sorted(skipped.items()))
