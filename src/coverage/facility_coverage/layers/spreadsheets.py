"""Spreadsheets as grids: .xlsx and .xls, with their own row numbers, merged cells and cells that cannot be used."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import pandas as pd
import python_calamine as calamine
import xlrd

from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers import workbook_xml
from facility_coverage.layers.contracts import raise_faults
from facility_coverage.layers.grid import CellFault, Grid, cell_name
from facility_coverage.layers.unpacking import archive_faults

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    Rows = Sequence[Sequence[object]]

MOST_DIGITS = 1e15
"""Spreadsheets keep 15 digits of a number: from here on, the last ones are lost."""

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def read_spreadsheet(path: Path, *, file: str, sheet: str | None) -> tuple[Grid, dict[str, str]]:
    """Read one sheet of a spreadsheet as a grid.

    Parameters
    ----------
    path
        An .xlsx or .xls file; what it is, its first bytes tell.
    file
        Named in faults.
    sheet
        Its name; None where only one visible sheet holds anything.

    Returns
    -------
    grid
        Formulas by their stored values; whole numbers without a point, dates as 2025-12-31, truths as TRUE and FALSE.
    found
        The sheet.

    Raises
    ------
    LayerError
        If it is no spreadsheet, is locked or damaged, or it is not clear which sheet is meant.
    """
    with path.open("rb") as stream:
        start = stream.read(4)
    if start == _ZIP:
        name, grid = _read_xlsx(path, file, sheet)
    elif start == _OLE:
        name, grid = _read_xls(path, file, sheet)
    else:
        raise LayerError([Fault(file, "is not a spreadsheet, whatever its name says", advice="save it as .xlsx")])
    return grid, {"sheet": name}


def _damaged(file: str, error: BaseException) -> LayerError:
    return LayerError(
        [Fault(file, f"cannot be read: {' '.join(str(error).split())[:300]}", advice="save it anew as .xlsx")]
    )


def _chosen(names: list[str], usable: list[str], sheet: str | None, file: str) -> str:
    """Return the sheet that is named, or the only one that is usable."""
    if sheet is not None:
        if sheet in names:
            return sheet
        listed = ", ".join(map(repr, names))
        raise LayerError([Fault(file, f"has no sheet {sheet!r}", advice=f"name one under `layer:` ({listed})")])
    if len(usable) > 1:
        listed = ", ".join(map(repr, usable))
        raise LayerError([Fault(file, "holds several sheets", advice=f"name one under `layer:` ({listed})")])
    if not usable:
        raise LayerError([Fault(file, "has no visible sheet that holds anything", advice="name one under `layer:`")])
    return usable[0]


def _read_xlsx(path: Path, file: str, sheet: str | None) -> tuple[str, Grid]:
    try:
        raise_faults(archive_faults(path, file=file) or workbook_xml.document_type_faults(path, file=file))
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes()))
        xml: dict[str, bytes] = {}
        for position, meta in enumerate(book.sheets_metadata):
            if meta.name == sheet or (sheet is None and meta.visible == calamine.SheetVisibleEnum.Visible):
                xml[meta.name] = workbook_xml.sheet_xml(path, position)
        usable = [name for name, part in xml.items() if workbook_xml.holds_anything(part)]
        name = _chosen(book.sheet_names, usable, sheet, file)
        if end := workbook_xml.too_far(xml[name]):
            message = f"the sheet reaches to cell {cell_name(*end)}"
            raise LayerError([Fault(file, message, advice="delete what stands apart")])
        table = book.get_sheet_by_name(name)
        merged = [(r0 + 1, c0 + 1, r1 + 1, c1 + 1) for (r0, c0), (r1, c1) in table.merged_cell_ranges or []]
        cell_faults = workbook_xml.unusable_cells(xml[name])
        return name, _grid(table.to_python(skip_empty_area=False), file, merged, cell_faults)
    except (
        calamine.CalamineError, zipfile.BadZipFile, zlib.error, OSError, LookupError, RuntimeError, ValueError,
    ) as error:  # fmt: skip
        raise _damaged(file, error) from None


def _read_xls(path: Path, file: str, sheet: str | None) -> tuple[str, Grid]:
    if _ENCRYPTED in path.read_bytes():
        raise LayerError([Fault(file, "is locked by a password", advice="save it without one")])
    try:
        book = xlrd.open_workbook(path, formatting_info=True, logfile=io.StringIO())
    except Exception as error:  # a damaged file makes xlrd raise whatever its bytes lead to
        raise _damaged(file, error) from None
    usable = [table.name for table in book.sheets() if table.visibility == 0 and table.nrows]
    name = _chosen(book.sheet_names(), usable, sheet, file)
    table = book.sheet_by_name(name)
    merged = [(r0 + 1, c0 + 1, r1, c1) for r0, r1, c0, c1 in table.merged_cells]
    faults, rows = [], []
    for r in range(table.nrows):
        kinds, values = table.row_types(r), table.row_values(r)
        rows.append([_xls_value(kind, value, book.datemode) for kind, value in zip(kinds, values, strict=True)])
        faults += [
            CellFault(
                r + 1,
                c + 1,
                f"cell {cell_name(r + 1, c + 1)} holds the error {xlrd.error_text_from_code[values[c]]}",
                "correct the formula, or empty the cell",
            )
            for c, kind in enumerate(kinds)
            if kind == xlrd.XL_CELL_ERROR
        ]
    return name, _grid(rows, file, merged, faults)


def _xls_value(kind: int, value: Any, datemode: int) -> object:
    if kind == xlrd.XL_CELL_DATE:
        return xlrd.xldate_as_datetime(value, datemode)
    if kind == xlrd.XL_CELL_BOOLEAN:
        return bool(value)
    return "" if kind == xlrd.XL_CELL_ERROR else value


def _grid(rows: Rows, file: str, merged: Sequence[tuple[int, int, int, int]], cell_faults: Sequence[CellFault]) -> Grid:
    cells = pd.DataFrame([[_text(value) for value in row] for row in rows], dtype=object).fillna("")
    cells.index = pd.RangeIndex(1, len(cells) + 1)
    # A row is not empty for holding nothing but an error.
    for fault in cell_faults:
        if fault.row <= len(cells) and fault.col <= cells.shape[1]:
            cells.iloc[fault.row - 1, fault.col - 1] = "#"
    advice = "format the cell as text and type it anew"
    long = [
        CellFault(r, c, f"the number in cell {cell_name(r, c)} has more digits than a spreadsheet keeps", advice)
        for r, row in enumerate(rows, 1)
        for c, value in enumerate(row, 1)
        if isinstance(value, int | float) and abs(value) >= MOST_DIGITS
    ]
    return Grid(cells, file, is_sheet=True, merged=tuple(merged), cell_faults=(*cell_faults, *long))


def _text(value: object) -> str:
    """Return a cell as text: codes keep their form, whole numbers have no point, midnight is a date."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return str(int(value)) if value == value // 1 else repr(value)
    if isinstance(value, dt.datetime):
        return str(value.date()) if value.time() == dt.time() else str(value)
    return str(value)
