"""A sheet as it stands: cells of text, before anything is known of headings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class CellFault:
    """A cell that cannot be used, by the row and column of its sheet, both from 1."""

    row: int
    col: int
    message: str
    advice: str


@dataclass(frozen=True)
class Grid:
    """The cells of a sheet or of a text table.

    Attributes
    ----------
    cells
        Text, empty where there is none; the index is the row of the sheet or the line of the file, from 1.
    file
        Named in faults.
    is_sheet
        Whether rows are those of a spreadsheet; faults then name the sheet's own row, otherwise the data row.
    merged
        Merged cells: first row, first column, last row, last column, from 1.
    cell_faults
        Cells that cannot be used; they are faults only where they belong to the data.
    """

    cells: pd.DataFrame
    file: str
    is_sheet: bool
    merged: tuple[tuple[int, int, int, int], ...] = ()
    cell_faults: tuple[CellFault, ...] = ()


def cell_name(row: int, col: int) -> str:
    """Return the name of a cell in a spreadsheet.

    Examples
    --------
    >>> cell_name(4, 3), cell_name(1, 28)
    ('C4', 'AB1')
    """
    return f"{column_name(col)}{row}"


def column_name(col: int) -> str:
    """Return the letters of a spreadsheet's column, counted from 1."""
    letters = ""
    while col:
        col, rest = divmod(col - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
