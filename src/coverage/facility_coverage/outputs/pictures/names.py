"""Names on a picture: districts, zones and neighbours, each with a halo, none over another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from matplotlib import patheffects
from matplotlib.axes import Axes

from facility_coverage.outputs.pictures import ground, paths
from facility_coverage.outputs.pictures.fonts import Fonts
from facility_coverage.outputs.pictures.ground import View
from facility_coverage.outputs.plain_text import visible, width_em

#: A name longer than this is cut: it would cover the map.
LONGEST = 40


@dataclass(frozen=True)
class _Name:
    text: str
    at: tuple[float, float]
    size_pt: float
    weight: str
    colour: str
    halo: str


def draw_names(axes: Axes, core: dict[str, Any], view: View, fonts: Fonts) -> None:
    """Write the names that have room, those of larger zones first."""
    taken: list[tuple[float, float, float, float]] = []
    for name in _names(core, view):
        x, y = ((name.at[0] - view.left) * view.pt_per_m, (name.at[1] - view.bottom) * view.pt_per_m)
        half = width_em(name.text) * name.size_pt / 2 + 2, name.size_pt / 2 + 1.5
        room = (view.right - view.left) * view.pt_per_m, (view.top - view.bottom) * view.pt_per_m
        if any(not 2 + h < v < r - h - 2 for v, h, r in zip((x, y), half, room, strict=True)):
            continue
        if any(abs(x - a) < half[0] + w and abs(y - b) < half[1] + h for a, b, w, h in taken):
            continue
        taken.append((x, y, *half))
        halo = patheffects.withStroke(linewidth=2.6 * view.mark, foreground=name.halo)
        axes.text(
            *name.at, fonts.written(name.text), family=list(fonts.families), size=name.size_pt, weight=name.weight,
            color=name.colour, ha="center", va="center", parse_math=False, clip_on=True, zorder=ground.NAMES,
            path_effects=[halo],
        )  # fmt: skip


def _names(core: dict[str, Any], view: View) -> Iterator[_Name]:
    """Yield names, the most important first."""
    grow = 0.75 * (0.35 + 0.65 * view.mark)
    if view.zoom < 10.5:
        for one in core.get("districts") or ():
            yield _Name(visible(one["name"], limit=LONGEST), _spot(one), 15 * grow, "bold", "#111820", "#ffffff")
    size = grow * min(16.0, 11.5 + max(0.0, view.zoom - 9.5))
    for zone in sorted(core["zones"], key=lambda one: -one["radius_m"]):
        # A name much wider than its zone says nothing: the reader cannot tell whose it is.
        if zone["radius_m"] * view.ground_pt_per_m >= 0.85 * size:
            yield _Name(visible(zone["name"], limit=LONGEST), _spot(zone), size, "bold", "#1d262e", "#ffffff")
    for one in core["basemap"].get("neighbours") or ():
        yield _Name(visible(one["name"], limit=LONGEST), _spot(one), 12 * grow, "normal", "#66625b", ground.PAPER)


def _spot(place: dict[str, Any]) -> tuple[float, float]:
    x, y = paths.points([place["at"][0]], [place["at"][1]])[0]
    return float(x), float(y)
