"""Symbols of facilities: the shapes, sizes and fillings of the web map (assets/map/symbols.js)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.path import Path
from matplotlib.transforms import IdentityTransform

from facility_coverage.outputs import palette
from facility_coverage.outputs.pictures.paths import Floats

_CORNERS = {"triangle": 3, "square": 4, "diamond": 4, "pentagon": 5}
#: Points of print that a pixel of the web map becomes.
PT_PER_PX = 0.75


def shape_of(index: int) -> str:
    """Return the shape of a facility layer by its place in the study."""
    return palette.SHAPES[index % len(palette.SHAPES)]


def colour_of(index: int) -> str:
    """Return the colour of a facility layer by its place in the study."""
    return palette.FACILITIES[index % len(palette.FACILITIES)]


def outline(shape: str) -> Path:
    """Return a symbol of radius 1."""
    if shape == "cross":
        a, b = 0.42, 1.1
        corners = [(-a, -b), (a, -b), (a, -a), (b, -a), (b, a), (a, a), (a, b), (-a, b), (-a, a), (-b, a), (-b, -a), (-a, -a)]  # fmt: skip  # noqa: E501
        return Path([*corners, corners[0]], closed=True)
    if shape == "star":
        far = np.where(np.arange(10) % 2, 0.55, 1.3)
        return _polygon(np.pi / 2 + np.arange(10) * np.pi / 5, far)
    if shape in _CORNERS:
        count, turn = _CORNERS[shape], np.pi / 4 if shape == "square" else 0.0
        return _polygon(turn + np.pi / 2 + np.arange(count) * 2 * np.pi / count, np.full(count, 1.2))
    return Path.unit_circle()


def _polygon(angle: Floats, far: Floats) -> Path:
    corners = np.column_stack([far * np.cos(angle), far * np.sin(angle)])
    return Path(np.vstack([corners, corners[:1]]), closed=True)


@dataclass(frozen=True)
class Symbol:
    """What a tier of a facility layer looks like.

    Attributes
    ----------
    index
        The layer's place in the study: it gives shape and colour.
    level, tiers
        The tier, 0 for the highest, None without; and how many there are.
    """

    index: int
    level: int | None
    tiers: int

    @property
    def radius_pt(self) -> float:
        """The radius in points: the highest tier is the largest."""
        last = max(self.tiers - 1, 0)
        return (7.4 - (4.2 * self._at / last if last else 2.2)) * PT_PER_PX

    @property
    def _at(self) -> int:
        return max(self.tiers - 1, 0) if self.level is None else self.level

    def parts(self, size: float) -> list[_Part]:
        """Return halo, filling and, for the highest of several tiers, the spot in its middle."""
        shape, colour, r = outline(shape_of(self.index)), colour_of(self.index), self.radius_pt * size
        hollow = self.tiers > 1 and self._at == self.tiers - 1
        drawn = [
            _Part(shape, r + size, "#ffffff", "none", 0.0),
            _Part(shape, r, "#ffffff" if hollow else colour, colour, (1.0 if hollow else 0.6) * size),
        ]
        spot = [_Part(Path.unit_circle(), 0.3 * r, "#ffffff", "none", 0.0)]
        return drawn + (spot if self.tiers > 1 and self._at == 0 else [])


@dataclass(frozen=True)
class _Part:
    path: Path
    radius_pt: float
    face: str
    edge: str
    width_pt: float


def draw(axes: Axes, xy: Floats, symbol: Symbol, *, size: float, zorder: float) -> list[Any]:
    """Draw a symbol at places of the axes, `size` times as large as on the web map; return what was drawn."""
    drawn = []
    for part in symbol.parts(size):
        marks = PathCollection(
            [part.path], sizes=[part.radius_pt**2], offsets=xy, offset_transform=axes.transData,
            facecolors=part.face, edgecolors=part.edge, linewidths=part.width_pt, zorder=zorder,
        )  # fmt: skip
        drawn.append(_put(axes, marks))
    return drawn


def dots(axes: Axes, xy: Floats, radius_pt: Floats, *, zorder: float) -> Any:
    """Draw discs of people left out, each of its own radius; return what was drawn."""
    marks = PathCollection(
        [Path.unit_circle()], sizes=np.asarray(radius_pt) ** 2, offsets=xy, offset_transform=axes.transData,
        facecolors=palette.GAP, edgecolors="none", alpha=0.7, zorder=zorder,
    )  # fmt: skip
    return _put(axes, marks)


def _put(axes: Axes, marks: PathCollection) -> Any:
    marks.set_transform(IdentityTransform())  # their size is in points, whatever the axes are in
    return axes.add_collection(marks, autolim=False)
