"""Attributes of facilities: columns that say yes or no, in the words of offices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from facility_coverage.layers.contracts import as_text
from facility_coverage.layers.names import plain
from facility_coverage.layers.numbers import EMPTY_MARKS

if TYPE_CHECKING:
    from facility_coverage.errors import Fault
    from facility_coverage.layers.contracts import SourceTable

YES = ("是", "有", "达标", "合格", "通过", "已签约", "签约", "普惠", "公办", "yes", "y", "true", "t", "1", "√", "✓")
NO = ("否", "无", "没有", "未达标", "不合格", "未通过", "未签约", "非普惠", "民办", "no", "n", "false", "f", "0", "×")

_MEANS = {plain(word): False for word in NO} | {plain(word): True for word in YES}
_EMPTY = {plain(mark) for mark in EMPTY_MARKS} - set(_MEANS) | {""}


def to_yes_no(source: SourceTable, column: str) -> tuple[pd.Series, list[Fault]]:
    """Return a column as True, False or None (no data), and the faults of words that say neither.

    Parameters
    ----------
    source
        The table; native true and false, 1 and 0, and the words of `YES` and `NO` are understood.
    column
        Its column.
    """
    text = as_text(source.frame[column])
    spelling = {value: plain(value) for value in pd.unique(text)}
    wrong = text.map(lambda value: spelling[value] not in _MEANS and spelling[value] not in _EMPTY)
    advice = f"write 是 or 否, leave it empty where it is not known, or map it under `values: {{{column}: …}}`"
    faults = source.fault_rows(
        wrong.to_numpy(dtype=np.bool_), "{} says neither yes nor no", column=column, advice=advice
    )
    meant = text.map(lambda value: _MEANS.get(spelling[value])).astype(object)
    return meant.where(meant.notna(), None), faults
