"""Which facilities are there on a day: by the columns `opened` and `closed`, a year or a date each."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from facility_coverage.layers.contracts import as_text

if TYPE_CHECKING:
    from collections.abc import Hashable

    from facility_coverage.errors import Fault
    from facility_coverage.layers.contracts import SourceTable

DATES = ("opened", "closed")

_FORM = re.compile(r"(\d{4})(?:\s*[-/.年]\s*(\d{1,2}))?(?:\s*[-/.月]\s*(\d{1,2}))?\s*[年月日]?(?:[ T]00:00(?::00)?.*)?")


def to_dates(source: SourceTable, column: str) -> tuple[pd.Series, list[Fault]]:
    """Return a column of years and dates as dates, None where nothing is written, and the faults of others.

    A year stands for its 1 January, a month for its first day.

    Examples
    --------
    >>> [str(as_date(text)) for text in ("2021", "2021年6月", "2021/6/30", "2021-06-30 00:00:00")]
    ['2021-01-01', '2021-06-01', '2021-06-30', '2021-06-30']
    """
    text = as_text(source.frame[column])
    dates = text.map(as_date)
    wrong = ((text != "") & dates.isna()).to_numpy(dtype=np.bool_)
    advice = "write a year or a date, like 2021 or 2021-06-30, or leave it empty"
    return dates.astype(object), source.fault_rows(wrong, "{} is not a date", column=column, advice=advice)


def as_date(text: str) -> dt.date | None:
    """Return the day that a text means, None where it is none."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day = (int(part) if part else 1 for part in found.groups())
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def order_faults(source: SourceTable, opened: pd.Series, closed: pd.Series) -> list[Fault]:
    """Return faults of facilities that close before they open."""
    begins, ends = dict(opened.items()), dict(closed.items())

    def message(label: Hashable) -> str:
        return f"it closes ({ends[label]}) before it opens ({begins[label]})"

    both = opened.notna() & closed.notna()
    wrong = np.zeros(len(opened), dtype=np.bool_)
    wrong[both.to_numpy()] = (closed[both] < opened[both]).to_numpy()
    return source.fault_rows(wrong, message, advice="correct one of the dates")


def openings(frame: pd.DataFrame, day: dt.date) -> pd.Series:
    """Return for each facility whether it is ``open`` on a day, ``not yet open`` or ``closed``.

    Unknown dates say nothing. A facility is open from the day on which it opens, and no longer on the day on which it
    closes.
    """
    later = frame["opened"].map(lambda date: date is not None and date > day)
    gone = frame["closed"].map(lambda date: date is not None and date <= day)
    return pd.Series(np.select([later, gone], ["not yet open", "closed"], "open"), index=frame.index, dtype=object)
