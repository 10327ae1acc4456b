"""The table of a batch: a row for each study, whose cells fill the template's placeholders."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from facility_coverage.config.study import Table
from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers.files import SHEET_SUFFIXES, TEXT_SUFFIXES, read_file
from facility_coverage.layers.names import plain
from facility_coverage.layers.tables import shown_path


@dataclass(frozen=True)
class MatrixRow:
    """One row: its number as the user counts, and the text of each column."""

    number: int
    values: Mapping[str, str]


def read_matrix(path: Path, *, wanted: Collection[str]) -> tuple[tuple[str, ...], list[MatrixRow]]:
    """Return the columns and rows of a text table or sheet; nothing is taken for a number.

    Parameters
    ----------
    path
        A .csv, .txt, .tsv or Excel file.
    wanted
        Names that a heading row is recognised by.

    Raises
    ------
    LayerError
        When it cannot be read, or holds no row.
    """
    file = shown_path(path)
    if path.suffix.lower() not in (*TEXT_SUFFIXES, *SHEET_SUFFIXES):
        raise LayerError([Fault(file, "is not a table of texts", advice="save it as .xlsx, or as CSV UTF-8")])
    known = frozenset(map(plain, wanted))
    frame = read_file(Table(path=path), file=file, known=known, with_totals=True).frame
    if not len(frame):
        raise LayerError([Fault(file, "the table has no rows", advice="give a row for each study")])
    columns = tuple(str(column).strip() for column in frame.columns)
    texts = [_texts(frame.iloc[:, position]) for position in range(len(columns))]
    rows = zip(frame.index, *texts, strict=True)
    return columns, [MatrixRow(int(number), dict(zip(columns, cells, strict=True))) for number, *cells in rows]


def _texts(column: pd.Series) -> list[str]:
    return ["" if pd.isna(value) else str(value).strip() for value in column]
