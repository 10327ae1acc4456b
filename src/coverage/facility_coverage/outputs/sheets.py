"""Sheets of a workbook: columns with a heading, filters, frozen panes and a print setup; every text is text."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

from facility_coverage.analysis.verdicts import Status
from facility_coverage.outputs import palette
from facility_coverage.outputs.plain_text import visible

#: Number formats.
WHOLE, TENTHS, YEAR, DEGREES = "#,##0", "#,##0.0", "0", "0.000000"
#: A cell of a workbook holds no more UTF-16 units.
LONGEST = 32_767
#: Widths of columns; rows, and characters of a text, that they go by.
_NARROW, _WIDE, _SAMPLE = 8, 64, 2_000
#: Widths that a page takes, in print still legible.
_A_PAGE = 230
_LINE_PT, _HIGHEST_PT = 15, 409
_LOOK = {"valign": "top", "bottom": 1, "bottom_color": "#d9dee3"}
_HEADER = {
    "bold": True,
    "text_wrap": True,
    "align": "left",
    "indent": 1,
    "valign": "vcenter",
    "bottom": 1,
    "bg_color": "#e8ecf0",
}
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


@dataclass(frozen=True)
class Cell:
    """A cell that does not look like its column: with a number format of its own, or coloured by a verdict."""

    value: object
    form: str = ""
    status: Status | None = None


@dataclass(frozen=True)
class Column:
    """A column: values, or cells, under a heading; `form` is the format of its numbers."""

    heading: str
    values: Sequence[object]
    form: str = "General"


@dataclass(frozen=True)
class Sheet:
    """A sheet whose first `frozen` columns stay in sight; `widths` holds those that do not go by content."""

    name: str
    columns: Sequence[Column]
    frozen: int = 1
    widths: Sequence[float] = ()


def write_book(path: Path, sheets: Sequence[Sheet], *, day: dt.date, footer: str) -> None:
    """Write a workbook that says it was made on `day`, so that the same sheets are the same bytes.

    The footer is ours: what a user wrote could hold codes that a spreadsheet obeys.
    """
    book = xlsxwriter.Workbook(str(path), _OPTIONS)
    book.set_properties({"created": dt.datetime.combine(day, dt.time())})
    looks = _Looks(book)
    for sheet in sheets:
        page = book.add_worksheet(sheet.name)
        widths = sheet.widths or [_width(column) for column in sheet.columns]
        lines: dict[int, int] = {}
        for number, (column, width) in enumerate(zip(sheet.columns, widths, strict=True)):
            page.set_column(number, number, width)
            heading = "\n".join(_seen(line) for line in column.heading.split("\n"))
            lines[0] = max(lines.get(0, 1), _lines(heading, width))
            page.write_string(0, number, _cut(heading), looks.of(**_HEADER))
            for row, value in enumerate(column.values, start=1):
                cell = value if isinstance(value, Cell) else Cell(value, column.form)
                lines[row] = max(lines.get(row, 1), _write(page, (row, number), cell, width, looks))
        _set_up(page, sheet, sum(widths), footer)
        for row, count in lines.items():
            if count > 1 or row == 0:
                page.set_row(row, min(_LINE_PT * (count + (row == 0) / 2), _HIGHEST_PT))
    book.close()


class _Looks:
    """Formats of a workbook, one for each look."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._known: dict[tuple[tuple[str, object], ...], Any] = {}

    def of(self, **look: object) -> Any:
        key = tuple(sorted(look.items()))
        if key not in self._known:
            self._known[key] = self._book.add_format(look)
        return self._known[key]


def _set_up(page: Any, sheet: Sheet, width: float, footer: str) -> None:
    """Freeze, filter and prepare for printing."""
    page.freeze_panes(1, sheet.frozen)
    page.autofilter(0, 0, max(len(column.values) for column in sheet.columns), len(sheet.columns) - 1)
    page.set_landscape()
    page.set_paper(9)  # A4
    # One page wide, or as many as keep print legible, each with the first columns.
    page.fit_to_pages(max(1, math.ceil(width / _A_PAGE)), 0)
    page.repeat_rows(0)
    page.repeat_columns(0, sheet.frozen - 1)
    page.set_header("&L&A")
    page.set_footer(f"&L{footer}&R&P / &N")
    # Codes of places are texts that look like numbers, and are meant so.
    page.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})


def _write(page: Any, at: tuple[int, int], cell: Cell, width: float, looks: _Looks) -> int:
    """Write one cell and return how many lines it takes; what is not there stays empty."""
    value, look = cell.value, _LOOK | _colours(cell.status)
    if isinstance(value, str) and (text := _seen(value)):
        lines = _lines(text, width)
        page.write_string(*at, text, looks.of(**look, align="left", indent=1, text_wrap=lines > 1))
        return lines
    if isinstance(value, str) or pd.isna(value):  # type: ignore[call-overload]
        page.write_blank(*at, None, looks.of(**look))
    elif isinstance(value, dt.date):
        page.write_datetime(*at, dt.datetime.combine(value, dt.time()), looks.of(**look, num_format="yyyy-mm-dd"))
    else:
        page.write_number(*at, value, looks.of(**look, num_format=cell.form))
    return 1


def _colours(status: Status | None) -> dict[str, object]:
    if status is None:
        return {}
    return {"bold": True, "font_color": palette.PAPER, "bg_color": palette.STATUS[status]}


def figure_form(scale: str, value: float, target: float | None = None) -> str:
    """Return a number format that shows a figure on its side of the target, with as few decimals as that takes.

    Shares are in per cent, and never look like nobody or everybody when they are not.

    Examples
    --------
    >>> figure_form("share", 0.5996, 0.6), figure_form("share", 0.612, 0.6), figure_form("share", 0.99996)
    ('0.00%', '0.0%', '0.000%')
    >>> figure_form("count", 8216.0, 9000.0), figure_form("per_1000", 4.626, 4.5), figure_form("%", 99.8)
    ('#,##0', '#,##0.00', '0.0"%"')
    """
    factor, marks = (100.0, [0.0, 1.0]) if scale == "share" else (1.0, [])
    marks = [factor * mark for mark in (*marks, target) if mark is not None]
    shown = _decimal(factor * value)
    least = 1 if scale == "share" else min(2, max(0, -int(shown.normalize().as_tuple().exponent)))
    digits = next((n for n in range(least, 9) if all(_on_its_side(shown, n, _decimal(mark)) for mark in marks)), 9)
    places = "." + digits * "0" if digits else ""
    if scale == "share":
        return f"0{places}%"
    return f'0{places}"%"' if scale == "%" else f"{WHOLE}{places}"


def _decimal(value: float) -> Decimal:
    """Return a float without the noise of sums: nine digits are what a verdict goes by."""
    return Decimal(f"{value:.9g}")


def _on_its_side(value: Decimal, digits: int, mark: Decimal) -> bool:
    rounded = value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    return (rounded > mark) - (rounded < mark) == (value > mark) - (value < mark)


def _seen(text: str) -> str:
    """Return text on one line as a cell takes it, with … where it is cut off."""
    return _cut(visible(text, limit=LONGEST).strip())


def _cut(text: str) -> str:
    """Return text as long as a cell can hold; what is cut off shows as …."""
    units = text.encode("utf-16-le")
    if len(units) <= 2 * LONGEST:
        return text
    return units[: 2 * (LONGEST - 1)].decode("utf-16-le", "ignore") + "…"


def _width(column: Column) -> float:
    """Return a width for the texts and numbers of a column, and for a part of its heading."""
    values = (value.value if isinstance(value, Cell) else value for value in itertools.islice(column.values, _SAMPLE))
    longest = max((_shown(value if isinstance(value, str) else _number(value)) for value in values), default=0)
    heading = max(_shown(line) for line in column.heading.split("\n"))
    return min(_WIDE, max(_NARROW, longest + 3, min(heading + 4, 18)))


def _number(value: object) -> str:
    return f"{value:,.1f}" if isinstance(value, float) else str(value)


def _lines(text: str, width: float) -> int:
    """Return how many lines a text takes in a column."""
    return sum(max(1, math.ceil(_shown(line) / (width - 2))) for line in text.split("\n"))


def _shown(text: str) -> int:
    """Return the columns of print that a text takes: Chinese characters take two."""
    looked_at = text[:_SAMPLE]
    return len(looked_at) + sum(unicodedata.east_asian_width(character) in "WF" for character in looked_at)
