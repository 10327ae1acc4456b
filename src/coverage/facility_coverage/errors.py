"""Errors that a user can act on: one error carries every fault found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fault:
    r"""One thing wrong in one place of a user's input.

    Attributes
    ----------
    file
        Path of the file as the user would type it.
    message
        What is wrong, in one sentence without a full stop.
    line, char
        One-based position in a text file.
    field
        Dotted path of a configuration key, e.g. ``facilities.1.profile``.
    row, column
        Row and column name of a table: a spreadsheet's own row, else the data row from 1 (the header not counted).
    advice
        What to do about it.

    Examples
    --------
    >>> print(Fault("study.yaml", "'eldr' is not one of 'adult', 'elder'", line=10, char=14, field="profile"))
    study.yaml:10:14: profile: 'eldr' is not one of 'adult', 'elder'
    >>> print(Fault("beds.csv", "-3 is negative", row=12, column="beds", advice="give a count of 0 or more"))
    beds.csv: row 12, column 'beds': -3 is negative; give a count of 0 or more
    >>> str(Fault("a.csv", "'\x1b[2J' is not a number"))
    "a.csv: ' [2J' is not a number"
    """

    file: str
    message: str
    line: int | None = None
    char: int | None = None
    field: str | None = None
    row: int | None = None
    column: str | None = None
    advice: str = ""

    def __str__(self) -> str:
        """Return the fault on one line, position first."""
        position = ":".join(str(part) for part in (self.file, self.line, self.char) if part is not None)
        place = ", ".join(
            part
            for part in (
                f"row {self.row}" if self.row is not None else "",
                f"column {self.column!r}" if self.column is not None else "",
            )
            if part
        )
        parts = [part for part in (position, self.field, place, self.message) if part]
        text = ": ".join(parts) + (f"; {self.advice}" if self.advice else "")
        # A user's text may hold characters that would steer a terminal.
        return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def said_by(error: BaseException, path: Path) -> str:
    r"""Return what a library says of a file, on one short line and without the folders of this machine.

    Examples
    --------
    >>> said_by(OSError("'/data/a.tif' is\nnot readable"), Path("/data/a.tif"))
    "'a.tif' is not readable"
    """
    text = str(error).split("; It might help to specify")[0]  # GDAL's hint for programmers
    return " ".join(text.replace(str(path), path.name).split())[:300].rstrip(".")


class StudyError(Exception):
    """A study that cannot be run, with every fault found so far."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class ConfigError(StudyError):
    """Faults in a YAML file: the study, its plan or its profiles."""


class LayerError(StudyError):
    """Faults in the data a study names."""


class NetworkError(StudyError):
    """Faults that show only when roads, people and facilities are put together."""
