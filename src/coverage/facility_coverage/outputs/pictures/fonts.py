"""Fonts of pictures: which of those installed can write a text, so that no character becomes an empty box."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from facility_coverage.errors import Fault, StudyError

#: Families that write simplified Chinese, the plainest first.
CHINESE = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC", "Microsoft YaHei",
    "Hiragino Sans GB", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "SimHei", "DengXian", "Noto Sans CJK JP",
    "Noto Serif CJK SC", "SimSun", "Arial Unicode MS", "Droid Sans Fallback",
)  # fmt: skip
#: Comes with matplotlib: every Latin letter, and most signs.
LATIN = "DejaVu Sans"
ADVICE = (
    "install a Chinese font and run again: on Debian or Ubuntu `apt-get install fonts-noto-cjk`, on Fedora "
    "`dnf install google-noto-sans-cjk-fonts`; Windows and macOS bring Microsoft YaHei and PingFang SC"
)
#: What printers set for a character that they do not have.
MISSING = ("〓", "?")


@dataclass(frozen=True)
class Fonts:
    """Families that together write a picture's texts, and the characters that they have."""

    families: tuple[str, ...]
    known: frozenset[int]

    def written(self, text: str) -> str:
        """Return a text with a mark in place of each character that no font has."""
        if self.families[0] != LATIN:
            text = text.replace(" · ", "·")  # which a Chinese font sets as wide as a character
        mark = next(one for one in MISSING if ord(one) in self.known)
        return "".join(one if ord(one) in self.known else mark for one in text)


def fonts_for(texts: Iterable[str], *, installed: Iterable[str] | None = None) -> Fonts:
    """Return fonts for texts.

    Parameters
    ----------
    texts
        Everything that the picture says.
    installed
        Names of the families that may be used; by default all that are installed.

    Raises
    ------
    StudyError
        When the texts are Chinese and no font for that is installed.
    """
    files = _files()
    allowed = set(files) if installed is None else set(installed)
    # Beside the first only what it lacks: one family for all makes an even line.
    families = [name for name in CHINESE if name in files and name in allowed][:1]
    needed = {one for text in texts for one in text if _is_chinese(one)}
    if needed and not families:
        shown = "".join(sorted(needed)[:10])
        raise StudyError([Fault("pictures", f"no installed font has Chinese characters ({shown})", advice=ADVICE)])
    known = {code for name in (*families, LATIN) for code in _characters(*files[name])}
    return Fonts((*families, LATIN), frozenset(known))


def _is_chinese(character: str) -> bool:
    return "\u2e80" <= character <= "\ufaff" or "\uff00" <= character <= "\uffef"


def _files() -> dict[str, tuple[str, int]]:
    """Return the file of each family, and which of its faces."""
    manager = font_manager.fontManager
    found = _listed(manager)
    if not any(name in found for name in CHINESE):
        # Matplotlib keeps a list of the fonts that were there when it was first used.
        known = {entry.fname for entry in manager.ttflist}
        for path in font_manager.findSystemFonts():
            if path not in known:
                manager.addfont(path)
        found = _listed(manager)
    return found


def _listed(manager: font_manager.FontManager) -> dict[str, tuple[str, int]]:
    plain = sorted(manager.ttflist, key=lambda entry: (entry.style != "normal", abs(_weight(entry.weight) - 400)))
    found: dict[str, tuple[str, int]] = {}
    for entry in plain:
        found.setdefault(entry.name, (str(entry.fname), int(getattr(entry, "index", 0))))
    return found


def _weight(weight: object) -> int:
    return weight if isinstance(weight, int) else 400


def _characters(path: str, face: int) -> Iterable[int]:
    return FT2Font(path, face_index=face).get_charmap() if face else FT2Font(path).get_charmap()
