"""What the XML of an .xlsx workbook says that its reader leaves out: errors, formulas without a value, stray cells.

Calamine reads an error, and a formula that was never computed, as an empty cell; and it asks for memory for every cell
up to the last one, so that one cell in the last row would end the program. The XML is therefore looked at first.
"""

from __future__ import annotations

import html
import re
import zipfile
from typing import TYPE_CHECKING

from facility_coverage.layers.grid import CellFault
from facility_coverage.layers.vetting import START, start_faults

if TYPE_CHECKING:
    from pathlib import Path

    from facility_coverage.errors import Fault

MOST_CELLS = 20_000_000

# Each piece of a tag is bounded, so that no file, however made, takes more than linear time.
_IN = rb"[^<>]{0,300}"
_C, _F, _V = rb"(?:\w{1,9}:)?c", rb"(?:\w{1,9}:)?f", rb"(?:\w{1,9}:)?v"
_PLACE = _IN + rb"\sr=[\"']([A-Z]{1,3}\d{1,7})[\"']" + _IN + rb">"
_UNTIL_VALUE = rb"(?:[^<]|<(?!/?" + _C + rb"[\s/>])){0,10000}?<" + _V + rb">([^<]*)<"
_ERROR = re.compile(rb"<" + _C + rb"(?=\s" + _IN + rb"\bt=[\"']e[\"'])" + _PLACE + _UNTIL_VALUE)
_NOT_COMPUTED = re.compile(
    rb"<" + _C + rb"(?!\s" + _IN + rb"\bt=[\"']str[\"'])" + _PLACE + rb"\s*<" + _F + rb"(?:\s" + _IN + rb")?"
    rb"(?:/>|>[^<]*</" + _F + rb">)\s*(?:<" + _V + rb"\s*/>|<" + _V + rb">\s*</" + _V + rb">)?\s*</" + _C + rb">"
)
_FILLED = re.compile(rb"<" + _C + rb"\s(?:" + _IN + rb"[^<>/])?>(?!</)")
_FILLED_AT = re.compile(
    rb"<" + _C + rb"\s(?:" + _IN + rb"\s)?r=[\"']([A-Z]{1,3})(\d{1,7})[\"'](?:" + _IN + rb"[^<>/])?>(?!</)"
)
_ROW = re.compile(rb"<(?:\w{1,9}:)?row\s(?:[^<>]{0,300}\s)?r=[\"'](\d{1,7})[\"']")
_LETTERS = re.compile(rb"\sr=[\"']([A-Z]{1,3})\d")
_SHEET_ID = re.compile(r"<(?:\w{1,9}:)?sheet\s[^<>]{0,2000}\s\w{1,30}:id=[\"']([^\"'<>]+)[\"']")
_LINK = re.compile(r"<(?:\w{1,9}:)?Relationship\s[^<>]{0,9000}>")


def document_type_faults(path: Path, *, file: str) -> list[Fault]:
    """Return a fault where a part of a workbook declares a document type; its reader knows no entities."""
    with zipfile.ZipFile(path) as parts:
        for part in parts.infolist():
            if part.filename.lower().endswith((".xml", ".rels")):
                with parts.open(part) as stream:
                    faults = start_faults(stream.read(START), file=file)
                if faults:
                    return faults
    return []


def sheet_xml(path: Path, position: int) -> bytes:
    """Return the XML of a sheet by its position in the workbook, from 0.

    Raises
    ------
    KeyError, IndexError
        If the workbook has no such part.
    """
    with zipfile.ZipFile(path) as parts:
        ids = _SHEET_ID.findall(parts.read("xl/workbook.xml").decode("utf-8", "replace"))
        links = _LINK.findall(parts.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace"))
        target = {_attribute(link, "Id"): _attribute(link, "Target") for link in links}[html.unescape(ids[position])]
        return parts.read(target[1:] if target.startswith("/") else f"xl/{target}")


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf"\s{name}=[\"']([^\"']*)[\"']", tag)
    return html.unescape(found[1]) if found else ""


def holds_anything(xml: bytes) -> bool:
    """Return whether a sheet has a cell with content."""
    return _FILLED.search(xml) is not None


def too_far(xml: bytes) -> tuple[int, int] | None:
    """Return the last row and column with content, from 1, where they span more than `MOST_CELLS`."""
    rows = max(map(int, _ROW.findall(xml)), default=0)
    cols = max(map(_column, set(_LETTERS.findall(xml))), default=0)
    if rows * cols <= MOST_CELLS:
        return None
    # Formats alone may reach to the last row; only content counts.
    places = set(_FILLED_AT.findall(xml))
    rows = max((int(row) for _, row in places), default=0)
    cols = max((_column(letters) for letters in {letters for letters, _ in places}), default=0)
    return (rows, cols) if rows * cols > MOST_CELLS else None


def unusable_cells(xml: bytes) -> list[CellFault]:
    """Return the cells that hold an error, or a formula without a value."""
    advice = "correct the formula, or empty the cell"
    faults = [_cell_fault(place, f"holds the error {value.decode()}", advice) for place, value in _ERROR.findall(xml)]
    advice = "open the file in a spreadsheet program and save it"
    faults += [_cell_fault(place, "holds a formula without a value", advice) for place in _NOT_COMPUTED.findall(xml)]
    return sorted(faults, key=lambda fault: (fault.row, fault.col))


def _cell_fault(place: bytes, message: str, advice: str) -> CellFault:
    letters = place.rstrip(b"0123456789")
    return CellFault(int(place[len(letters) :]), _column(letters), f"cell {place.decode()} {message}", advice)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number
