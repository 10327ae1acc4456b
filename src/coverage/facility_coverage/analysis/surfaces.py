"""Time surfaces: the travel time from the centre of every cell of a grid, for a raster over the map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyproj
import rasterio
import shapely
from shapely.geometry.base import BaseGeometry

from facility_coverage.errors import ConfigError, Fault
from facility_coverage.network.network import Network
from facility_coverage.network.snapping import Places
from facility_coverage.network.travel import nearest_facility

#: Cells of the box around a boundary that one surface may have: 100 MB of seconds.
MAX_CELLS = 25_000_000
#: Cells that are joined to the network at one time, in whole rows: some 100 MB of places.
BLOCK_CELLS = 500_000


@dataclass(frozen=True)
class Surface:
    """Travel times on a grid.

    Attributes
    ----------
    seconds
        Seconds from the centre of each cell to the nearest facility (or back, as the profile travels), both access legs
        included; NaN beyond the boundary, and where a cell is unattached or reaches nothing. Shape (rows, columns), the
        first row in the north.
    transform
        Affine transform from columns and rows to metres.
    crs
        The metric reference system.
    """

    seconds: npt.NDArray[np.float32]
    transform: Any
    crs: pyproj.CRS


def time_surface(
    network: Network, facilities: Places, boundary: BaseGeometry, *, cell_m: float, crs: pyproj.CRS
) -> Surface:
    """Compute the travel time of every cell whose centre lies in the boundary or on it.

    A centre is a demand point like any other: it joins the network at the nearest place on an edge, within the longest
    access leg and without crossing a barrier.

    Parameters
    ----------
    network
        The roads as a profile uses them.
    facilities
        Snapped facilities.
    boundary
        Outline of the study, metres.
    cell_m
        Side of a cell in metres; cells lie on round multiples of it.
    crs
        The reference system of `boundary` and the network.

    Raises
    ------
    ValueError
        When the box around the boundary has more than `MAX_CELLS` cells (see `check_cell`).
    """
    if _cells(boundary, cell_m) > MAX_CELLS:
        raise ValueError(f"cells of {cell_m:g} m are more than {MAX_CELLS:,}")
    column, row, columns, rows = _box(boundary, cell_m)
    x_m = (column + np.arange(columns) + 0.5) * cell_m
    y_m = (row - np.arange(rows) - 0.5) * cell_m
    seconds = np.full((rows, columns), np.nan, dtype=np.float32)
    shapely.prepare(boundary)
    step = max(1, BLOCK_CELLS // columns)
    for first in range(0, rows, step):
        block = seconds[first : first + step]
        centres = np.stack(np.meshgrid(x_m, y_m[first : first + step]), axis=-1)
        inside = shapely.intersects_xy(boundary, centres[..., 0], centres[..., 1])
        if inside.any():
            nearest = nearest_facility(network.graph, network.links, network.snap(centres[inside]), facilities)
            block[inside] = nearest.seconds
    return Surface(seconds, rasterio.Affine(cell_m, 0.0, column * cell_m, 0.0, -cell_m, row * cell_m), crs)


def check_cell(boundary: BaseGeometry, cell_m: float, *, file: str) -> None:
    """See that a surface of `cell_m` stays within `MAX_CELLS` cells, before anything is computed.

    Raises
    ------
    ConfigError
        With the fault at ``outputs.time_surface_m`` of the study in `file`.
    """
    cells = _cells(boundary, cell_m)
    if cells > MAX_CELLS:
        west, south, east, north = boundary.bounds
        enough_m = int(np.ceil(np.sqrt((east - west) * (north - south) / MAX_CELLS))) + 1
        message = f"cells of {cell_m:g} m would be {cells:,} over this study, more than {MAX_CELLS:,}"
        raise ConfigError([Fault(file, message, field="outputs.time_surface_m", advice=f"give {enough_m} or more")])


def _cells(boundary: BaseGeometry, cell_m: float) -> int:
    _, _, columns, rows = _box(boundary, cell_m)
    return columns * rows


def _box(boundary: BaseGeometry, cell_m: float) -> tuple[int, int, int, int]:
    """Return the west and north edges of the grid in cells, and how many columns and rows it has."""
    west, south, east, north = boundary.bounds
    column, row = int(np.floor(west / cell_m)), int(np.ceil(north / cell_m))
    return column, row, max(1, int(np.ceil(east / cell_m)) - column), max(1, row - int(np.floor(south / cell_m)))
