"""Heights of the roads from elevation rasters, and a fair account of where they are not known."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyproj

from facility_coverage.cache import key_of
from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers.boundaries import extent_text
from facility_coverage.layers.crs import WGS84
from facility_coverage.layers.elevation import Surface, extent_lonlat, open_surfaces
from facility_coverage.layers.heights import (
    BEYOND,
    FILLED,
    MAX_REACH_CELLS,
    REACH_SIGMAS,
    SATURATED,
    VOID,
    heights_at,
)
from facility_coverage.layers.spans import is_ferry, is_span, span_heights
from facility_coverage.layers.tables import shown_path

if TYPE_CHECKING:
    import numpy.typing as npt
    from shapely.geometry.base import BaseGeometry

    from facility_coverage.config.study import Terrain
    from facility_coverage.layers.heights import Status
    from facility_coverage.layers.model import Floats, Roads

    Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Use:
    """A surface that some road stands on, and the size of its cells there, down and across."""

    surface: Surface
    cell_m: tuple[float, float]
    tiles: int


@dataclass(frozen=True)
class _Known:
    """Heights and their status at every node or every vertex."""

    height_m: Floats
    status: Status


def add_elevation(
    roads: Roads, terrain: Terrain, box: BaseGeometry, *, crs: pyproj.CRS
) -> tuple[Roads, dict[str, float]]:
    """Return the roads with a height at each vertex, and figures on where it is known.

    The raster is smoothed, so that a place has one height whichever road passes it. Straight segments longer than
    the step (the size of a cell or the smoothing, the larger) are divided evenly. Bridges and tunnels run
    evenly between their ends, see `spans.span_heights`.

    Parameters
    ----------
    roads
        Ways, metres; their nodes are numbered 0 … nodes-1.
    terrain
        Rasters and how to use them.
    box
        Area that the study reads, metres; heights must be known within it.
    crs
        The metric reference system of roads and box.

    Returns
    -------
    tuple
        Roads: the old vertices keep their nodes, new ones have nodes of their own, numbered after them. Figures by
        name (docs/terrain.md); their kilometres are of roads within the box, measured on the map, without ferries.

    Raises
    ------
    LayerError
        If a raster is faulty, no road in the box stands on known ground, or some does not and `slope` is everywhere.
    """
    paths = [terrain.path] if isinstance(terrain.path, Path) else list(terrain.path)
    span = is_span(roads.tags)
    with ExitStack() as stack:
        surfaces = open_surfaces(paths, stack)
        where = _Extents(shown_path(paths[0]), len(paths), extent_lonlat(surfaces), _road_extent(roads, box, crs))
        used = _used(surfaces, _node_xy(roads), terrain.smoothing_m, crs=crs)
        if not used:
            raise LayerError([where.apart()])
        step_m = max(terrain.smoothing_m, min(min(use.cell_m) for use in used))
        fine = _divided(roads, step_m, ~span & ~is_ferry(roads.tags))
        ground, filled_cells = _ground(used, _node_xy(fine), terrain.smoothing_m, crs=crs)
    height_m, status = span_heights(fine, span, ground.height_m, ground.status)
    at = _Known(height_m[fine.node], status[fine.node])
    report = _report(fine, span, at, box)
    if report["unknown_km"] > 0 and (terrain.slope == "everywhere" or report["unknown_km"] >= report["length_km"]):
        raise LayerError([where.unknown(report, terrain.slope)])
    raised = _with_heights(fine, at.height_m, nodes=_node_count(roads))
    return raised, report | {
        "filled_cells": float(filled_cells),
        "vertices_added": float(len(raised.xy) - len(roads.xy)),
        "cell_m": min(min(use.cell_m) for use in used),
        "step_m": step_m,
        "tiles": float(len(paths)),
        "tiles_used": float(sum(use.tiles for use in used)),
    }


def _node_count(roads: Roads) -> int:
    return int(roads.node.max()) + 1


def _node_xy(roads: Roads) -> Floats:
    """Return one place for each node, shape (nodes, 2): vertices of a node may differ by a millimetre."""
    xy = np.full((_node_count(roads), 2), np.inf)
    for axis in (0, 1):
        np.minimum.at(xy[:, axis], roads.node, roads.xy[:, axis])
    return xy


def _used(surfaces: list[Surface], node_xy: Floats, smoothing_m: float, *, crs: pyproj.CRS) -> list[_Use]:
    """Return the surfaces that roads stand on; the Gaussian must reach over a bounded number of their cells."""
    used = []
    for surface in surfaces:
        cells = surface.cells(surface.project(node_xy, crs))
        tiles = surface.tiles_under(cells)
        if tiles:
            used.append(_Use(surface, surface.cell_m(cells, crs), tiles))
    faults = []
    for use in used:
        finest_m = REACH_SIGMAS * smoothing_m / MAX_REACH_CELLS
        if min(use.cell_m) < finest_m:
            message = f"has cells of {min(use.cell_m):.2g} m, too fine to be smoothed over {smoothing_m:g} m"
            advice = f"average it to cells of {finest_m:.2g} m or more, e.g. with gdalwarp -r average"
            faults.append(Fault(use.surface.tiles[0].file, message, advice=advice))
    if faults:
        raise LayerError(faults)
    return used


def _divided(roads: Roads, step_m: float, wanted: Mask) -> Roads:
    """Divide the straight segments of the wanted ways evenly into pieces of at most `step_m`.

    New vertices get nodes of their own, numbered after the old ones in the order of the ways.
    """
    last = roads.start[1:] - 1
    delta = np.diff(roads.xy, axis=0, append=roads.xy[-1:])
    delta[last] = 0.0
    pieces = np.ceil(np.hypot(delta[:, 0], delta[:, 1]) / step_m - 1e-9).astype(np.int64)
    pieces = np.where(np.repeat(wanted, np.diff(roads.start)), np.maximum(pieces, 1), 1)
    first = np.cumsum(pieces) - pieces
    source = np.repeat(np.arange(len(pieces)), pieces)
    number = np.arange(len(source)) - first[source]
    xy = roads.xy[source] + delta[source] * (number / pieces[source])[:, None]
    new = number > 0
    node = np.where(new, _node_count(roads) - 1 + np.cumsum(new), roads.node[source])
    return replace(roads, xy=xy, node=node, start=np.append(first[roads.start[:-1]], len(source)))


def _ground(used: list[_Use], node_xy: Floats, smoothing_m: float, *, crs: pyproj.CRS) -> tuple[_Known, int]:
    """Return the ground at the nodes, from the first surface that knows a height, and the number of filled cells."""
    height_m = np.full(len(node_xy), np.nan)
    status = np.full(len(node_xy), BEYOND, dtype=np.uint8)
    filled_cells = 0
    for use in used:
        open_ = np.flatnonzero(status < FILLED)
        cells = use.surface.cells(use.surface.project(node_xy[open_], crs))
        found = heights_at(use.surface, cells, sigma=(smoothing_m / use.cell_m[0], smoothing_m / use.cell_m[1]))
        height_m[open_] = found.height_m
        status[open_] = np.maximum(status[open_], found.status)
        filled_cells += found.filled_cells
    return _Known(height_m, status), filled_cells


def _report(roads: Roads, span: Mask, at: _Known, box: BaseGeometry) -> dict[str, float]:
    """Return kilometres of road by what is known of their height, and the range of heights."""
    first = np.ones(len(roads.xy), dtype=bool)
    first[roads.start[1:] - 1] = False
    a = np.flatnonzero(first)
    km = np.hypot(*(roads.xy[a + 1] - roads.xy[a]).T) / 1000.0
    # Nobody walks up or down on a ferry: it needs no height, and often leads far off the raster.
    ashore = ~np.repeat(is_ferry(roads.tags), np.diff(roads.start))[a]
    near = _touches(roads.xy[a], roads.xy[a + 1], box)
    inside = ashore & near
    blind = np.isnan(at.height_m)
    # Where the ends of a piece are unknown for different reasons, the higher status names it.
    why = np.where(blind, at.status, BEYOND)
    why = np.maximum(why[a], why[a + 1])
    unknown = blind[a] | blind[a + 1]
    filled = ~unknown & ((at.status[a] == FILLED) | (at.status[a + 1] == FILLED))

    def total(chosen: Mask) -> float:
        return float(km[inside & chosen].sum())

    length, missing = total(np.ones(len(a), dtype=bool)), total(unknown)
    return {
        "length_km": length,
        "known_share": float(km[inside & ~unknown].sum()) / length if length else 1.0,
        "unknown_km": missing,
        "beyond_km": total(unknown & (why == BEYOND)),
        "void_km": total(unknown & (why == VOID)),
        "saturated_km": total(unknown & (why == SATURATED)),
        "unknown_outside_km": float(km[ashore & ~near & unknown].sum()),
        "filled_km": total(filled),
        "span_km": total(np.repeat(span, np.diff(roads.start))[a]),
        "lowest_m": float(np.nanmin(at.height_m)) if not blind.all() else np.nan,
        "highest_m": float(np.nanmax(at.height_m)) if not blind.all() else np.nan,
    }


def _touches(a: Floats, b: Floats, box: BaseGeometry) -> Mask:
    """Return which straight pieces have an extent that touches the box."""
    west, south, east, north = box.bounds
    low, high = np.minimum(a, b), np.maximum(a, b)
    touches: Mask = (low[:, 0] <= east) & (high[:, 0] >= west) & (low[:, 1] <= north) & (high[:, 1] >= south)
    return touches


def _with_heights(roads: Roads, height_m: Floats, *, nodes: int) -> Roads:
    """Return the roads with heights, without those new vertices that lie amid unknown ones and say nothing."""
    unknown = np.isnan(height_m)
    amid = unknown.copy()
    amid[1:] &= unknown[:-1]
    amid[:-1] &= unknown[1:]
    kept = ~(amid & (roads.node >= nodes))
    position = np.concatenate([[0], np.cumsum(kept)])
    node = roads.node[kept]
    new = node >= nodes
    node = np.where(new, nodes - 1 + np.cumsum(new), node)
    raised = replace(roads, xy=roads.xy[kept], node=node, start=position[roads.start], elevation_m=height_m[kept])
    return replace(raised, digest=_digest(raised))


def _digest(roads: Roads) -> str:
    """Return the name of these roads: where they come from, and every height."""
    if not roads.digest or roads.elevation_m is None:
        return ""
    content = hashlib.sha256()
    for values in (roads.start, roads.xy, roads.elevation_m):
        content.update(np.ascontiguousarray(values).tobytes())
    return key_of("elevation", roads.digest, content.hexdigest())


def _road_extent(roads: Roads, box: BaseGeometry, crs: pyproj.CRS) -> tuple[float, float, float, float]:
    """Return the box around the roads as far as the study reads, degrees."""
    west, south, east, north = box.bounds
    low, high = roads.xy.min(axis=0), roads.xy.max(axis=0)
    bounds = max(west, low[0]), max(south, low[1]), min(east, high[0]), min(north, high[1])
    lonlat: tuple[float, float, float, float] = pyproj.Transformer.from_crs(
        crs, WGS84, always_xy=True
    ).transform_bounds(*bounds)
    return lonlat


@dataclass(frozen=True)
class _Extents:
    """Where rasters and roads lie, for faults."""

    file: str
    rasters: int
    raster: tuple[float, float, float, float]
    roads: tuple[float, float, float, float]

    def _raster(self) -> str:
        name = "the raster" if self.rasters == 1 else f"the {self.rasters} rasters"
        return f"{name} ({extent_text(*self.raster, digits=3)})"

    def apart(self) -> Fault:
        """Return the fault of rasters of another place."""
        message = f"no road stands on {self._raster()}; the roads lie at {extent_text(*self.roads, digits=3)}"
        return Fault(self.file, message, advice="use elevation of the study's area")

    def unknown(self, report: dict[str, float], slope: str) -> Fault:
        """Return the fault of roads without a height."""
        share = report["unknown_km"] / report["length_km"]
        reasons = {
            f"beyond {self._raster()}": report["beyond_km"],
            "in its voids": report["void_km"],
            "where its values end at the largest of their 8-bit type": report["saturated_km"],
        }
        parts = ", ".join(f"{_km(km)} km {reason}" for reason, km in reasons.items() if km > 0)
        message = (
            f"{_km(report['unknown_km'])} of {_km(report['length_km'])} km of roads ({share:.1%}) have no known height"
            f": {parts}; the roads lie at {extent_text(*self.roads, digits=3)}"
        )
        advice = "use elevation that covers the roads"
        if slope == "everywhere" and share < 1:
            advice += ", or say `slope: where_known`, and roads without a height are walked at level speed and reported"
        return Fault(self.file, message, advice=advice)


def _km(km: float) -> str:
    return f"{km:,.1f}" if km >= 1 else f"{km:.3f}"
