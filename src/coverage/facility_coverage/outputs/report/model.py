"""What a report is made of: chapters of a few kinds of blocks, the same for every format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from facility_coverage.config.text import Lang
from facility_coverage.outputs.plain_text import width_em

#: Fields up to this width, in their own size, stand on one line.
SHORT_EM = 9.0


@dataclass(frozen=True)
class Cell:
    """One field of a table.

    Attributes
    ----------
    text
        What it says.
    status
        A verdict (met, on_track …) that its colour and sign show, empty for none.
    to
        Id of a chapter that it leads to, empty for none.
    """

    text: str
    status: str = ""
    to: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, and whether it holds figures."""

    name: str
    number: bool = False


@dataclass(frozen=True)
class Table:
    """A table with a caption, empty for none."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""

    @cached_property
    def widths_em(self) -> tuple[float, ...]:
        """How wide each column would be with every field on one line."""
        return tuple(
            max([width_em(column.name), *(width_em(row[i].text) + 1.5 * bool(row[i].status) for row in self.rows)])
            for i, column in enumerate(self.columns)
        )

    @property
    def whole(self) -> tuple[bool, ...]:
        """Whether the fields of each column are so short that they are not broken."""
        return tuple(width <= SHORT_EM for width in self.widths_em)


@dataclass(frozen=True)
class Text:
    """A paragraph; `kind` is plain, lead (what the chapter says), head (of what follows), note or missing (no data)."""

    text: str
    kind: str = "plain"


@dataclass(frozen=True)
class Points:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """Names and what they stand for."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class MapView:
    """A map: which run's, which theme, and what it is called."""

    run: int
    theme: str
    caption: str


Block = Table | Text | Points | Facts | MapView


@dataclass(frozen=True)
class Chapter:
    """A heading with its blocks.

    Attributes
    ----------
    id, title, level
        Level 1 for the main chapters.
    blocks
        What stands in it.
    status
        A verdict shown beside the heading, empty for none.
    page
        Whether it begins a new page in print.
    """

    id: str
    title: str
    level: int
    blocks: tuple[Block, ...] = ()
    status: str = ""
    page: bool = False

    def below(self, level: int) -> Chapter:
        """Return the chapter so many levels further down."""
        return replace(self, level=self.level + level)


@dataclass(frozen=True)
class Report:
    """A whole report.

    Attributes
    ----------
    lang
        Its language.
    title, subtitle, notice
        On its cover.
    facts
        On its cover: dates, runs.
    chapters
        In order.
    """

    lang: Lang
    title: str
    subtitle: str
    notice: str
    facts: Facts
    chapters: tuple[Chapter, ...] = field(default=())

    def views(self) -> Iterator[MapView]:
        """Yield every map that the report shows."""
        for chapter in self.chapters:
            yield from (block for block in chapter.blocks if isinstance(block, MapView))


def table(columns: tuple[str, ...], rows: Sequence[tuple[Cell, ...]], *, numbers: str = "", caption: str = "") -> Table:
    """Return a table; `numbers` has a ``#`` for each column of figures.

    Examples
    --------
    >>> table(("town", "people"), [], numbers=" #").columns[1]
    Column(name='people', number=True)
    """
    marks = numbers.ljust(len(columns))
    return Table(
        tuple(Column(name, mark == "#") for name, mark in zip(columns, marks, strict=True)), tuple(rows), caption
    )


def cells(*texts: str) -> tuple[Cell, ...]:
    """Return a row of plain fields."""
    return tuple(Cell(text) for text in texts)
