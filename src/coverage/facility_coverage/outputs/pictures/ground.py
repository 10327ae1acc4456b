"""The ground of a picture: what all themes have in common, in the colours of the web map (assets/map/painter.js)."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import imread
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from facility_coverage.outputs import palette
from facility_coverage.outputs.pictures import paths
from facility_coverage.outputs.pictures.symbols import PT_PER_PX

PAPER, BEYOND = "#f3f1ec", "#ebe8e1"
#: What is drawn above what.
NEIGHBOURS, ZONES, RELIEF, WATER, SERVICE, ROADS, OUTLINES, VEIL, BOUNDARY, GAPS, FACILITIES, NAMES, FRAME = range(13)
_DATA_URL = "data:image/png;base64,"


@dataclass(frozen=True)
class Road:
    """How a class of road is drawn: from which zoom on, how wide at zooms 10.5 and 16.5 (pixels), in which colours."""

    from_zoom: float
    width_px: tuple[float, float]
    colour: str
    casing: str = ""


ROAD_STYLES = {
    "path": Road(14.0, (0.7, 1.0), "#b9b2a6"),
    "minor": Road(12.25, (0.6, 2.4), "#ffffff", "#b4b0a8"),
    "tertiary": Road(11.0, (0.6, 3.4), "#ffffff", "#9f9b94"),
    "secondary": Road(0.0, (0.8, 4.4), "#fffdf4", "#8f8b84"),
    "primary": Road(0.0, (1.1, 5.2), "#fbe3a6", "#8a7a55"),
    "motorway": Road(0.0, (1.7, 6.0), "#f0b45f", "#8a5a1c"),
}


@dataclass(frozen=True)
class View:
    """The part of the world on a picture.

    Attributes
    ----------
    left, bottom, right, top
        Metres of Web Mercator.
    pt_per_m
        Points of paper to such a metre.
    mark
        How large symbols are beside those of an A4 sheet.
    """

    left: float
    bottom: float
    right: float
    top: float
    pt_per_m: float
    mark: float

    @classmethod
    def around(cls, box: list[int], width_in: float, height_in: float, mark: float) -> View:
        """Return the view that shows a box, in units of 1e-5 degrees, as large as the paper allows."""
        (west, south), (east, north) = paths.points(box[::2], box[1::2])
        x, y = (west + east) / 2, (south + north) / 2
        scale = 1.06 * max((east - west) / width_in, (north - south) / height_in, 1.0)
        half = scale * width_in / 2, scale * height_in / 2
        return cls(x - half[0], y - half[1], x + half[0], y + half[1], 72 / scale, mark)

    @property
    def zoom(self) -> float:
        """The zoom at which the web map is as large."""
        return float(np.log2(self.pt_per_m / PT_PER_PX * 2 * np.pi * paths.RADIUS_M / 256))

    @property
    def ground_pt_per_m(self) -> float:
        """Points of paper to a metre on the ground, in the middle."""
        return self.pt_per_m * paths.stretch((self.bottom + self.top) / 2)


def draw_ground(axes: Axes, core: dict[str, Any], view: View) -> None:
    """Draw everything that is the same for every theme."""
    under = core["basemap"]
    axes.set_facecolor(PAPER)
    for one in under.get("neighbours") or ():
        fill(axes, paths.areas(one["area"]), BEYOND, NEIGHBOURS)
        stroke(axes, paths.areas(one["area"]), "#aaa59b", 0.8 * view.mark, NEIGHBOURS, dashes=(4.5, 2.5))
    _relief(axes, under.get("relief"))
    water = under.get("water") or {}
    bodies = paths.areas(water.get("areas") or [])
    fill(axes, bodies, "#a9cde6", WATER)
    stroke(axes, bodies, "#78a9cc", 0.5 * view.mark, WATER)
    courses = paths.lines(water.get("lines") or [])
    stroke(axes, courses, "#86b6d8", max(0.7, (view.zoom - 8) * 0.4) * view.mark, WATER)
    _roads(axes, under["roads"], view)
    _outlines(axes, core, view)


def fill(axes: Axes, path: Path, colour: str, zorder: float, *, alpha: float = 1.0, hatch: str | None = None) -> Any:
    """Fill areas; lines of a hatch are grey."""
    edge = "#a5a19a" if hatch else "none"
    patch = PathPatch(path, facecolor=colour, edgecolor=edge, linewidth=0, alpha=alpha, hatch=hatch, zorder=zorder)
    return axes.add_artist(patch)


def stroke(
    axes: Axes, path: Path, colour: str, width_pt: float, zorder: float, *, dashes: tuple[float, float] | None = None
) -> Any:
    """Draw lines of a width in points."""
    style = "solid" if dashes is None else (0, dashes)
    patch = PathPatch(
        path, fill=False, edgecolor=colour, linewidth=width_pt, linestyle=style, joinstyle="round", capstyle="round",
        zorder=zorder,
    )  # fmt: skip
    return axes.add_artist(patch)


def _relief(axes: Axes, relief: dict[str, Any] | None) -> None:
    if not relief or not relief["url"].startswith(_DATA_URL):
        return
    grey = imread(io.BytesIO(base64.b64decode(relief["url"][len(_DATA_URL) :])), format="png")
    # Black that is clear where the ground is level darkens colours as the web map's multiplying does.
    shade = np.zeros((*grey.shape, 4), dtype=np.float32)
    shade[..., 3] = 0.75 * (1 - grey) * np.outer(_fading(grey.shape[0]), _fading(grey.shape[1]))
    west, south, east, north = relief["box"]
    (left, bottom), (right, top) = paths.points([west, east], [south, north])
    axes.imshow(shade, extent=(left, right, bottom, top), interpolation="bilinear", zorder=RELIEF, aspect="auto")


def _fading(count: int) -> Any:
    """Return 1 but for a rise at either end: the relief's own edge would read as a line on the map."""
    steps = np.arange(count)
    return np.clip(np.minimum(steps, steps[::-1]) / (0.08 * count), 0, 1)


def _roads(axes: Axes, roads: dict[str, Any], view: View) -> None:
    grow = min(1.0, max(0.0, (view.zoom - 10.5) / 6))
    shown = [(ROAD_STYLES[name], paths.lines(lines)) for name, lines in roads.items()]
    for casing in (True, False):
        for style, path in shown:
            width_px = style.width_px[0] + grow * (style.width_px[1] - style.width_px[0])
            thin = width_px < 1.5
            if view.zoom < style.from_zoom or (casing and not style.casing) or (thin and not casing and style.casing):
                continue
            colour = style.casing if casing else style.colour
            width_pt = (width_px + (1.2 if casing and not thin else 0.0)) * PT_PER_PX * view.mark
            stroke(axes, path, colour, width_pt, ROADS).set_alpha(0.7 if casing else 1.0)


def _outlines(axes: Axes, core: dict[str, Any], view: View) -> None:
    thin = len(core["zones"]) > 400
    zones = paths.joined([paths.lines(zone["area"]) for zone in core["zones"]])
    stroke(axes, zones, "#5d6870", (0.25 if thin else 0.75) * view.mark, OUTLINES)
    for district in core.get("districts") or ():
        path = paths.lines(district["area"])
        stroke(axes, path, "#ffffff", 2.8 * view.mark, OUTLINES).set_alpha(0.8)
        stroke(axes, path, "#2b2f36", 1.3 * view.mark, OUTLINES)
    boundary = paths.lines(core["boundary"])
    fill(axes, _beyond(core, view), PAPER, VEIL, alpha=0.5)
    stroke(axes, boundary, "#ffffff", 4.0 * view.mark, BOUNDARY).set_alpha(0.85)
    stroke(axes, boundary, palette.INK, 1.75 * view.mark, BOUNDARY)


def _beyond(core: dict[str, Any], view: View) -> Path:
    """Return what lies beyond the study: a veil over it keeps the eye inside."""
    far = view.right - view.left + view.top - view.bottom
    left, right, bottom, top = view.left - far, view.right + far, view.bottom - far, view.top + far
    frame = np.array([[left, bottom], [right, bottom], [right, top], [left, top], [left, bottom]])
    return paths.wound([frame, *paths.rings(core["boundary"])])
