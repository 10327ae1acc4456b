"""Users' texts where no page can hold them as they are: nothing in them steers a reader, a printer or Word."""

from __future__ import annotations

import dataclasses
import unicodedata
from typing import Any

#: Categories of characters that show nothing, or steer what stands around them.
_UNSEEN = {"Cc", "Cf", "Cs", "Cn", "Co"}
#: Joiners that scripts and pictures need within a word.
_JOINERS = {"\u200c", "\u200d"}
CUT = "…"


def visible(text: str, *, limit: int = 200) -> str:
    r"""Return a text on one line, what cannot be seen spelled out, and cut after `limit` characters.

    Examples
    --------
    >>> visible("a\u202egnp.exe\x07"), visible("two\nlines"), visible("x" * 9, limit=5)
    ('a[U+202E]gnp.exe[U+0007]', 'two lines', 'xxxx…')
    """
    cut = text[:limit] if len(text) <= limit else text[: limit - 1] + CUT
    return "".join(_seen(character) for character in cut)


def legible(value: Any, *, limit: int = 300) -> Any:
    r"""Return plain values, all the way down, with every text made `visible`.

    Examples
    --------
    >>> legible({"name": ["a\u202eb", 1]})
    {'name': ['a[U+202E]b', 1]}
    """
    if isinstance(value, str):
        return visible(value, limit=limit)
    if isinstance(value, dict):
        return {key: legible(item, limit=limit) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(legible(item, limit=limit) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {part.name: legible(getattr(value, part.name), limit=limit) for part in dataclasses.fields(value)}
        return dataclasses.replace(value, **parts)
    return value


def _seen(character: str) -> str:
    if character in "\t\n\r\u2028\u2029":
        return " "
    if unicodedata.category(character) in _UNSEEN and character not in _JOINERS:
        return f"[U+{ord(character):04X}]"
    return character


def width_em(text: str) -> float:
    """Return about how wide a text is, in its own size: a Chinese character is one em, a Latin one about half.

    Examples
    --------
    >>> width_em("养老"), width_em("ab")
    (2.0, 1.14)
    """
    wide = sum(unicodedata.east_asian_width(character) in "WFA" for character in text)
    return wide + 0.57 * (len(text) - wide)


def fitted(text: str, width: float) -> str:
    """Return a text cut to a width in em.

    Examples
    --------
    >>> fitted("养老服务设施", 4.0)
    '养老服…'
    """
    if width_em(text) <= width:
        return text
    while text and width_em(text + CUT) > width:
        text = text[:-1]
    return text.rstrip() + CUT


def lines(text: str, width: float, *, most: int) -> list[str]:
    """Return a text broken into at most so many lines of a width in em, the last one cut where it goes on.

    Examples
    --------
    >>> lines("所有养老床位按图层计算", 4.0, most=2)
    ['所有养老', '床位按…']
    >>> lines("Nursing beds of all", 8.0, most=3)
    ['Nursing beds', 'of all']
    """
    found: list[str] = []
    rest = text.strip()
    while rest and len(found) < most - 1:
        head = _first(rest, width)
        found.append(head.strip())
        rest = rest[len(head) :].strip()
    return [*found, fitted(rest, width)] if rest else found


def _first(text: str, width: float) -> str:
    """Return the start of a text that fits, broken at a space where words are Latin."""
    end, sum_em = 0, 0.0
    while end < len(text) and (sum_em := sum_em + width_em(text[end])) <= width:
        end += 1
    if end >= len(text):
        return text
    space = text.rfind(" ", 0, end + 1)
    if space > 0 and (width_em(text[:space]) > 0.55 * width or (text[end].isascii() and text[end - 1].isascii())):
        return text[: space + 1]
    # Punctuation does not begin a line.
    return text[: max(end - (text[end] in "，。、；：）》”"), 1)]
