"""How names of columns are compared: without width, spaces, capitals and harmless units."""

from __future__ import annotations

import re
import unicodedata

from facility_coverage.layers.numbers import COUNT_UNITS

UNITS = (*COUNT_UNITS, "平方米", "㎡", "m2", "m²", "米", "m", "度", "°", "岁", "年")
"""Units that may stand in brackets behind a heading, or in a row of their own below it."""

_PLAIN_UNITS = frozenset(unicodedata.normalize("NFKC", unit).casefold() for unit in UNITS)
_SCALED = re.compile(rf"[十百千万亿]+(?:元|吨|公顷|{'|'.join(map(re.escape, UNITS))})?")
_BRACKETS = re.compile(r"[(\[【]([^()\[\]【】]*)[)\]】]$")


def plain(text: object) -> str:
    """Return a name as it is compared: NFKC, no white space, small letters, no unit in brackets at the end.

    Examples
    --------
    >>> plain("床 位 数（张）"), plain("ＩＤ"), plain("总人口（万人）")
    ('床位数', 'id', '总人口(万人)')
    """
    short = _short(text)
    brackets = _BRACKETS.search(short)
    return short[: brackets.start()] if brackets and brackets.start() and is_unit(brackets[1]) else short


def scale_of(heading: str) -> str:
    """Return the unit in brackets behind a heading that does not count single things, or nothing.

    Examples
    --------
    >>> scale_of("总人口（万人）"), scale_of("床位数（张）")
    ('万人', '')
    """
    brackets = _BRACKETS.search(_short(heading))
    return brackets[1] if brackets and is_scaled(brackets[1]) else ""


def is_unit(text: str) -> bool:
    """Return whether a text is a unit that counts single things, metres or degrees."""
    return _short(text).removeprefix("单位:") in _PLAIN_UNITS


def is_scaled(text: str) -> bool:
    """Return whether a text is a unit of tens, hundreds, 万 and so on."""
    return _SCALED.fullmatch(_short(text).removeprefix("单位:")) is not None


def _short(text: object) -> str:
    return "".join(unicodedata.normalize("NFKC", str(text)).split()).casefold()
