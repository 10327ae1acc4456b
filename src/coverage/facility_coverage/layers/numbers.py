"""Numbers as offices write them: full-width digits, thousands separators, units, 万, and the marks of "no data"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

EMPTY_MARKS = ("", "-", "—", "/", "无", "暂无", "NA", "N/A", "null")
"""What stands for "no data" where a number is expected; capitals and small letters are alike."""

COUNT_UNITS = (
    *("张", "张床", "张床位", "床", "床位", "个", "个床位", "个托位", "托位"),
    *("位", "名", "人", "户", "家", "所", "处", "间", "座"),
)
"""Units that may follow a count; all of them count single things."""

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0x00A0: " ", 0x2212: "-"}
_MARKS = frozenset(mark.casefold() for mark in EMPTY_MARKS)
_WHOLE = r"[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d{0,2}(?: \d{3})+|\d+"


@dataclass(frozen=True)
class Numbers:
    """A column read as numbers.

    Attributes
    ----------
    value
        (n,) float64; NaN where there is no data or no number.
    is_empty
        (n,) where the source has no data.
    is_wrong
        (n,) where the source has something that is not a finite number.
    """

    value: npt.NDArray[np.float64]
    is_empty: npt.NDArray[np.bool_]
    is_wrong: npt.NDArray[np.bool_]


def read_numbers(values: pd.Series, *, units: Sequence[str] = ()) -> Numbers:
    """Read a column of numbers or of text.

    Parameters
    ----------
    values
        Numbers, or text such as ``１，２００`` and ``30 位``.
    units
        Units that may stand behind a number; with any, 万 before the unit or in its place counts ten thousand.

    Returns
    -------
    Numbers
        Signs and fractions are kept; whether a number may be negative is the caller's to say.

    Examples
    --------
    >>> read_numbers(pd.Series(["120张", "1.2万", "1,200", "无"]), units=COUNT_UNITS).value.tolist()
    [120.0, 12000.0, 1200.0, nan]
    >>> read_numbers(pd.Series(["1,20", "120-150", "一百"]), units=COUNT_UNITS).is_wrong.tolist()
    [True, True, True]
    """
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        plain = values.to_numpy(dtype=np.float64, na_value=np.nan)
        return _numbers(plain, np.isnan(plain))
    is_text = isinstance(values.dtype, pd.StringDtype)
    text = values.fillna("") if is_text else values.astype(object).where(values.notna(), "").map(str)
    value = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64, copy=True, na_value=np.nan)
    rest = ~np.isfinite(value)
    is_empty = np.zeros(len(value), dtype=bool)
    if rest.any():
        # Each spelling is read once: a column of a million "120张" costs no more than one of them.
        code, spelling = pd.factorize(text[rest])
        told = _read_spellings(pd.Series(spelling, dtype=object), units)
        value[rest], is_empty[rest] = told.value[code], told.is_empty[code]
    return _numbers(value, is_empty)


def _numbers(value: npt.NDArray[np.float64], is_empty: npt.NDArray[np.bool_]) -> Numbers:
    finite = np.isfinite(value)
    return Numbers(np.where(finite, value, np.nan), is_empty, ~is_empty & ~finite)


def _read_spellings(text: pd.Series, units: Sequence[str]) -> Numbers:
    """Read text that is not a plain number."""
    # Only full-width signs are made narrow: the wider NFKC would turn ½ and ② into numbers too.
    narrow = text.str.translate(_FULL_WIDTH).str.strip()
    parts = narrow.str.extract(_pattern(units))
    digits = parts["number"].fillna("").str.replace(r"[, ]", "", regex=True).to_numpy(dtype=object)
    # The power of ten goes into the text: 1.1 × 10,000 computed in floats is not 11,000.
    power = np.where(parts["ten_thousand"].notna().to_numpy(dtype=bool), "e4", "").astype(object)
    value = pd.to_numeric(pd.Series(digits + power, dtype=object), errors="coerce").to_numpy(dtype=np.float64)
    return _numbers(value, narrow.str.casefold().isin(_MARKS).to_numpy(dtype=bool))


def _pattern(units: Sequence[str]) -> re.Pattern[str]:
    behind = r"(?P<ten_thousand>(?!))?"
    if units:
        alternatives = "|".join(re.escape(unit) for unit in sorted(units, key=len, reverse=True))
        behind = rf"\s*(?P<ten_thousand>万)?\s*(?:{alternatives})?"
    return re.compile(rf"\A(?P<number>[+-]?(?:(?:{_WHOLE})(?:\.\d*)?|\.\d+)){behind}\Z", re.ASCII)
