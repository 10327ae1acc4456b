"""How a file becomes a frame: by its kind, its rows numbered as its user counts them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from facility_coverage.errors import Fault, LayerError, said_by
from facility_coverage.layers.contracts import raise_faults
from facility_coverage.layers.delimited import read_delimited
from facility_coverage.layers.headings import table_of
from facility_coverage.layers.spreadsheets import read_spreadsheet
from facility_coverage.layers.vectors import read_vectors

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from facility_coverage.config.study import Table

TEXT_SUFFIXES = (".csv", ".txt", ".tsv")
SHEET_SUFFIXES = (".xlsx", ".xlsm", ".xls")
PARQUET_SUFFIXES = (".parquet", ".geoparquet")
MOST_VALUES = 1_000_000_000
"""Values of a Parquet file, in which a few bytes may stand for as many equal ones."""
REFUSED_SUFFIXES = (".ods", ".et", ".xlsb", ".doc", ".docx", ".wps", ".pdf")
"""Files that offices have and that cannot be read without guessing."""


@dataclass(frozen=True)
class FileTable:
    """A file as read.

    Attributes
    ----------
    frame
        The file's own columns; the index is the sheet's row, else the data row from 1.
    found
        What reading found out: encoding, delimiter, sheet, heading row, rows skipped.
    """

    frame: pd.DataFrame
    found: Mapping[str, str] = field(default_factory=dict)


def read_file(table: Table, *, file: str, known: Collection[str], with_totals: bool = False) -> FileTable:
    """Read a table or layer of any kind but OpenStreetMap's.

    Parameters
    ----------
    table
        Path, `layer` (the sheet of a spreadsheet), `encoding` and `header_row`.
    file
        Named in faults.
    known
        Names by which a heading row is recognised, as `names.plain` gives them.
    with_totals
        Whether rows of totals are data; otherwise those at the end are skipped.

    Raises
    ------
    LayerError
        If it cannot be read, or how it is to be read is in doubt.
    """
    suffix = table.path.suffix.lower()
    raise_faults(_option_faults(table, suffix, file))
    if suffix in TEXT_SUFFIXES:
        grid, found = read_delimited(table.path, file=file, encoding=table.encoding)
    elif suffix in SHEET_SUFFIXES:
        grid, found = read_spreadsheet(table.path, file=file, sheet=table.layer)
    else:
        frame, found = _read_parquet(table.path, file) if suffix in PARQUET_SUFFIXES else read_vectors(table, file=file)
        return FileTable(frame.set_axis(pd.RangeIndex(1, len(frame) + 1)), found)
    frame, rows = table_of(grid, known=known, header_row=table.header_row, with_totals=with_totals)
    return FileTable(frame, found | rows)


def _option_faults(table: Table, suffix: str, file: str) -> list[Fault]:
    """Return faults of a kind of file that cannot be read, and of options that would change nothing."""
    if suffix in REFUSED_SUFFIXES:
        return [Fault(file, f"{suffix} files are not read", advice="save it as .xlsx, or as CSV UTF-8")]
    faults = []
    if table.header_row is not None and suffix not in (*TEXT_SUFFIXES, *SHEET_SUFFIXES):
        faults.append(Fault(file, "`header_row:` is for spreadsheets and text tables", advice="remove it"))
    if table.encoding is not None and suffix not in (*TEXT_SUFFIXES, ".shp", ".dbf"):
        faults.append(Fault(file, "`encoding:` is for text tables and shapefiles", advice="remove it"))
    return faults


def _read_parquet(path: Path, file: str) -> tuple[pd.DataFrame, dict[str, str]]:
    import pyarrow as pa  # noqa: PLC0415 - only for these files
    from pyarrow import parquet  # noqa: PLC0415

    try:
        told = parquet.read_metadata(path)
        if told.num_rows * told.num_columns > MOST_VALUES:
            message = f"holds {told.num_rows} rows of {told.num_columns} columns"
            raise LayerError([Fault(file, message, advice=f"keep {MOST_VALUES:,} values or fewer")])
        try:
            frame: pd.DataFrame = gpd.read_parquet(path)
        except ValueError:  # no geo metadata: a plain table, with lon and lat columns like a CSV
            frame = pd.read_parquet(path)
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:  # its metadata may be any text
        raise LayerError([Fault(file, f"cannot be read: {said_by(error, path)}")]) from None
    return frame, {}
