"""Readings of Chinese characters, so that a name is found by typing pinyin or initials."""

from __future__ import annotations

from collections.abc import Iterable


def readings(texts: Iterable[str]) -> dict[str, list[str]]:
    """Return the readings of every Chinese character in `texts`, without tones; a character may have several.

    Examples
    --------
    >>> readings(["重庆A"])
    {'庆': ['qing'], '重': ['zhong', 'chong', 'tong']}
    """
    from pypinyin import Style, pinyin  # noqa: PLC0415 (its dictionary takes a while to load)

    characters = sorted(set("".join(texts)))
    found = {
        character: list(dict.fromkeys(pinyin(character, style=Style.NORMAL, heteronym=True)[0]))
        for character in characters
        if "㐀" <= character <= "鿿"
    }
    return {character: names for character, names in found.items() if names != [character]}
