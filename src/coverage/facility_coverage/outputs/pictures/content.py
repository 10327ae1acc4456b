"""What a theme puts on a picture: zones by their classes, service area, people left out, facilities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.path import Path

from facility_coverage.outputs import palette
from facility_coverage.outputs.pictures import ground, paths, symbols
from facility_coverage.outputs.pictures.ground import View
from facility_coverage.outputs.pictures.symbols import PT_PER_PX, Symbol

#: Beyond so many facilities their symbols shrink.
MANY = 600
HATCH = "////"


def layer_of(scene: dict[str, Any], theme: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
    """Return the facility layer that a theme speaks of, with its place in the study; None where it speaks of none."""
    return next(((i, one) for i, one in enumerate(scene["layers"]) if one["id"] == theme["layer"]), None)


def draw_theme(axes: Axes, scene: dict[str, Any], theme: dict[str, Any], zones: list[Path], view: View) -> list[Any]:
    """Draw a theme above its ground; return what was drawn.

    Parameters
    ----------
    axes
        Of the map.
    scene, theme
        As a page carries them.
    zones
        Outlines of the zones, in their order.
    view
        The part of the world that is shown.
    """
    drawn = _zones(axes, theme, zones)
    found = layer_of(scene, theme)
    if found is None:
        return drawn
    index, layer = found
    if theme["kind"] == "coverage":
        drawn += _service(axes, layer, view)
        if theme["group"] == layer["group"]:
            drawn += _gaps(axes, layer, view)
    return drawn + _facilities(axes, index, layer, view)


def _zones(axes: Axes, theme: dict[str, Any], zones: list[Path]) -> list[Any]:
    numbers = theme["numbers"]
    drawn = []
    for number in sorted({one for one in numbers if one is not None}):
        alike = [path for path, one in zip(zones, numbers, strict=True) if one == number]
        drawn.append(ground.fill(axes, paths.joined(alike), theme["colours"][number], ground.ZONES))
    unknown = [path for path, one in zip(zones, numbers, strict=True) if one is None]
    if unknown:
        drawn.append(ground.fill(axes, paths.joined(unknown), palette.NO_DATA, ground.ZONES, hatch=HATCH))
    return drawn


def _service(axes: Axes, layer: dict[str, Any], view: View) -> list[Any]:
    area = paths.areas(layer["service"])
    far = view.zoom < 11.5
    outline = ground.stroke(axes, area, palette.SERVICE, (0.4 if far else 0.75) * view.mark, ground.SERVICE)
    outline.set_alpha(0.35 if far else 0.75)
    return [ground.fill(axes, area, "#ffffff", ground.SERVICE, alpha=0.34), outline]


def gap_scale(layer: dict[str, Any], view: View) -> float:
    """Return points of radius to the root of a person: the largest dot fills its cell."""
    most = float(max((gap[2] for gap in layer["gaps"]), default=1.0))
    largest: float = min(14.0, max(2.2, 0.55 * layer["gap_cell_m"] * view.ground_pt_per_m / PT_PER_PX))
    return largest * PT_PER_PX * view.mark / math.sqrt(max(most, 1.0))


def gap_steps(layer: dict[str, Any]) -> list[int]:
    """Return up to three round numbers of people for the legend, the last near the largest dot.

    Examples
    --------
    >>> gap_steps({"gaps": [[0, 0, 3621.0]]})
    [100, 1000, 3000]
    """
    most = max((gap[2] for gap in layer["gaps"]), default=1.0)
    steps = []
    for share in (0.05, 0.3, 1.0):
        unit = 10 ** math.floor(math.log10(max(share * most, 1.0)))
        steps.append(max(1, math.floor(share * most / unit) * unit))
    return sorted(set(steps))


def _gaps(axes: Axes, layer: dict[str, Any], view: View) -> list[Any]:
    if not layer["gaps"]:
        return []
    lon, lat, people = np.array(layer["gaps"], dtype=float).T
    radius = np.maximum(0.5 * view.mark, np.sqrt(people) * gap_scale(layer, view))
    return [symbols.dots(axes, paths.points(lon, lat), radius, zorder=ground.GAPS)]


def _facilities(axes: Axes, index: int, layer: dict[str, Any], view: View) -> list[Any]:
    """Draw the facilities, tier by tier, the highest on top."""
    given = layer["facilities"]
    if not given["lon"]:
        return []
    xy = paths.points(given["lon"], given["lat"])
    tiers = len(layer["tiers"])
    levels = np.array([tiers if level is None else level for level in given["tier"]])
    size = 0.74 * view.mark * min(1.0, max(0.45, math.sqrt(MANY / len(xy))))
    drawn = []
    for level in sorted(set(levels.tolist()), reverse=True):
        symbol = Symbol(index, None if level == tiers else level, tiers)
        drawn += symbols.draw(axes, xy[levels == level], symbol, size=size, zorder=ground.FACILITIES)
    return drawn
