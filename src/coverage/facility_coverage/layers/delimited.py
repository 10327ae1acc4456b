"""Text tables: in which encoding they are written, and what divides their fields."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import unicodedata
import warnings
from collections import Counter
from typing import TYPE_CHECKING

import pandas as pd

from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers.grid import Grid
from facility_coverage.layers.headings import too_wide

if TYPE_CHECKING:
    from pathlib import Path

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

SAMPLE_ROWS = 50
"""Rows by which the delimiter is found."""

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_NO_TEXT = {"Cn", "Co", "Cs"}


def read_delimited(path: Path, *, file: str, encoding: str | None) -> tuple[Grid, dict[str, str]]:
    """Read a text table as a grid.

    Parameters
    ----------
    path
        A text file.
    file
        Named in faults.
    encoding
        The encoding that the study names; None to find it.

    Returns
    -------
    grid
        Its lines are counted as a text editor does, if no field holds a line break.
    found
        Encoding and delimiter.

    Raises
    ------
    LayerError
        If no encoding fits, the delimiter is in doubt or the text is no table.
    """
    text, encoding = _decoded(path.read_bytes(), file, encoding)
    sample = {mark: _sample(text, mark) for mark in DELIMITERS}
    delimiter = _delimiter(sample, file)
    width = max((len(fields) for fields in sample[delimiter]), default=0)
    found = {"encoding": encoding, "delimiter": DELIMITERS[delimiter]}
    return Grid(_cells(text, delimiter, width, file), file, is_sheet=False), found


def encoding_of(name: str, *, file: str) -> str:
    """Return the name under which Python knows an encoding.

    Raises
    ------
    LayerError
        If it knows none, or one that is no encoding of text.
    """
    try:
        "a".encode(name)  # refuses codecs that are not of text, such as hex
    except (LookupError, ValueError):
        advice = "name one such as utf-8, gb18030 or big5"
        raise LayerError([Fault(file, f"encoding {name!r} is not known", advice=advice)]) from None
    return codecs.lookup(name).name


def decoded(data: bytes, encoding: str) -> str | None:
    """Return bytes as text, or None where they are not all text in this encoding.

    Examples
    --------
    >>> decoded("镇街".encode("gbk"), "gb18030"), decoded("镇街".encode("gbk"), "utf-8")
    ('镇街', None)
    """
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    # Bytes of other encodings decode to characters that nobody has given a meaning.
    strange = not text.isascii() and any(unicodedata.category(character) in _NO_TEXT for character in set(text))
    return None if strange or "\0" in text else text


def _decoded(data: bytes, file: str, encoding: str | None) -> tuple[str, str]:
    marked = [name for mark, name in _MARKS.items() if data.startswith(mark)]
    tried = [encoding_of(encoding, file=file)] if encoding else marked or ["utf-8", "gb18030"]
    for name in tried:
        text = decoded(data, name)
        if text is not None:
            return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"), name
    advice = "save it as CSV UTF-8, or name its encoding under `encoding:`"
    raise LayerError([Fault(file, f"is not text in {' or '.join(tried)}", advice=advice)])


def _sample(text: str, delimiter: str) -> list[list[str]]:
    """Return the fields of the first rows with anything in them; none where quotes do not close."""
    rows = (fields for fields in csv.reader(io.StringIO(text), delimiter=delimiter) if any(map(str.strip, fields)))
    try:
        return list(itertools.islice(rows, SAMPLE_ROWS))
    except csv.Error:
        return []


def _delimiter(sample: dict[str, list[list[str]]], file: str) -> str:
    """Return the delimiter that divides most rows into the same number of fields; of equals, into the most fields."""
    fits = {}
    for delimiter, rows in sample.items():
        counts = Counter(map(len, rows))
        if rows and (common := max(counts, key=lambda width: (counts[width], width))) > 1:
            fits[delimiter] = (counts[common], common)
    if not fits:
        return ","  # a single column
    best = [delimiter for delimiter, score in fits.items() if score == max(fits.values())]
    if len(best) == 1:
        return best[0]
    names = " or ".join(DELIMITERS[delimiter] for delimiter in best)
    advice = "put fields that hold another delimiter in quotes"
    raise LayerError([Fault(file, f"the delimiter is in doubt: {names}", advice=advice)])


def _cells(text: str, delimiter: str, width: int, file: str) -> pd.DataFrame:
    if not width:
        return pd.DataFrame()
    try:
        with warnings.catch_warnings():
            # Rows longer than the others would lose their last fields with no more than a warning.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            cells = pd.read_csv(
                io.StringIO(text),
                sep=delimiter,
                header=None,
                names=range(width),
                index_col=False,
                dtype=str,
                na_filter=False,
                skip_blank_lines=False,
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise LayerError(_parser_faults(text, delimiter, width, file, error)) from None
    cells.index = pd.RangeIndex(1, len(cells) + 1)
    return cells


def _parser_faults(text: str, delimiter: str, width: int, file: str, error: Exception) -> list[Fault]:
    """Return which rows are too long, or else what the parser says."""
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter, strict=True) if row]
    except csv.Error:
        rows = []
    long = [number for number, fields in enumerate(rows) if len(fields) > width]
    message = f"is not a CSV table: {' '.join(str(error).split())[:300]}"
    return too_wide(file, long, width) or [Fault(file, message, advice="close every quote")]
