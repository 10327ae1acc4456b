"""Elevation rasters: tiles on one grid make a surface."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyproj
import rasterio
import rasterio.errors

from facility_coverage.errors import Fault, said_by
from facility_coverage.layers.contracts import raise_faults
from facility_coverage.layers.crs import WGS84
from facility_coverage.layers.gdal import open_raster
from facility_coverage.layers.tables import shown_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import ExitStack
    from pathlib import Path

    from facility_coverage.layers.model import Floats, Ints

GRID_TOLERANCE = 0.01
"""Tiles are on one grid where their cells agree to this share of a cell."""


def whole_cells(cells: Floats) -> Ints:
    """Return the row and column each point stands in; places that cannot be projected are far off every tile."""
    return np.floor(np.clip(np.nan_to_num(cells, nan=-1e9), -1e9, 1e9)).astype(np.int64)


@dataclass(frozen=True)
class Tile:
    """An open elevation raster.

    Attributes
    ----------
    file
        Its name in faults.
    raster
        The dataset, north up, one band.
    row, col
        Its first cell on the grid of its surface.
    """

    file: str
    raster: Any
    row: int = 0
    col: int = 0

    @property
    def scale(self) -> tuple[float, float, float, float]:
        """Left edge, width of a cell, upper edge, height of a cell (negative), in the raster's units."""
        transform = self.raster.transform
        return transform.c, transform.a, transform.f, transform.e

    def covers(self, row: Ints, col: Ints) -> npt.NDArray[np.bool_]:
        """Return which cells of the surface's grid lie in the tile."""
        rows, cols = row - self.row, col - self.col
        inside: npt.NDArray[np.bool_] = (
            (rows >= 0) & (rows < self.raster.height) & (cols >= 0) & (cols < self.raster.width)
        )
        return inside


@dataclass(frozen=True)
class Surface:
    """Tiles in one reference system and on one grid; where they overlap, the first that knows a height gives it."""

    tiles: tuple[Tile, ...]

    @cached_property
    def crs(self) -> pyproj.CRS:
        """The horizontal reference system."""
        crs = pyproj.CRS.from_user_input(self.tiles[0].raster.crs)
        return crs.sub_crs_list[0] if crs.is_compound else crs

    def cells(self, xy: Floats) -> Floats:
        """Return points in the raster's units as fractional rows and columns, cell edges at whole numbers."""
        left, width, top, height = self.tiles[0].scale
        return np.column_stack([(xy[:, 1] - top) / height, (xy[:, 0] - left) / width])

    def project(self, xy: Floats, crs: pyproj.CRS) -> Floats:
        """Return points of another reference system in the raster's own; inf where it cannot show them."""
        transformer = pyproj.Transformer.from_crs(crs, self.crs, always_xy=True)
        return np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))

    def on(self, cells: Floats) -> npt.NDArray[np.bool_]:
        """Return which points, as fractional rows and columns, lie on one of the tiles."""
        whole = whole_cells(cells)
        on: npt.NDArray[np.bool_] = np.logical_or.reduce([tile.covers(whole[:, 0], whole[:, 1]) for tile in self.tiles])
        return on

    def tiles_under(self, cells: Floats) -> int:
        """Return on how many tiles some of the points lie."""
        whole = whole_cells(cells)
        return sum(bool(tile.covers(whole[:, 0], whole[:, 1]).any()) for tile in self.tiles)

    def cell_m(self, cells: Floats, crs: pyproj.CRS) -> tuple[float, float]:
        """Return height and width in metres of the cell under the middle one, from north to south, of some points.

        Parameters
        ----------
        cells
            Fractional rows and columns, shape (points, 2), at least one on the surface; those beyond are passed over.
        crs
            The metric reference system in which the cell is measured.
        """
        points = cells[self.on(cells)]
        row, col = points[np.lexsort((points[:, 1], points[:, 0]))[len(points) // 2]]
        left, width, top, height = self.tiles[0].scale
        cols, rows = np.array([col - 0.5, col + 0.5, col, col]), np.array([row, row, row - 0.5, row + 0.5])
        back = pyproj.Transformer.from_crs(self.crs, crs, always_xy=True)
        west, east, north, south = np.column_stack(back.transform(left + cols * width, top + rows * height))
        return float(np.hypot(*(north - south))), float(np.hypot(*(east - west)))


def open_surfaces(paths: Sequence[Path], stack: ExitStack) -> list[Surface]:
    """Open elevation rasters and put those on one grid together.

    Parameters
    ----------
    paths
        GeoTIFF, .hgt or .hgt.zip files, north up, of one band, in metres.
    stack
        Closes them in the end.

    Returns
    -------
    list of Surface
        In the order of their first tiles.

    Raises
    ------
    LayerError
        With the faults of all files.
    """
    tiles: list[Tile] = []
    faults: list[Fault] = []
    for path in paths:
        file = shown_path(path)
        try:
            with warnings.catch_warnings():
                # A raster without a reference system is a fault below.
                warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
                raster = stack.enter_context(open_raster(path))
        except rasterio.errors.RasterioIOError as error:
            faults.append(_unreadable(path, file, error))
            continue
        tiles.append(Tile(file, raster))
        faults += _format_faults(raster, file)
    raise_faults(faults)
    surfaces: list[Surface] = []
    for tile in tiles:
        for i, surface in enumerate(surfaces):
            placed = _on_grid(tile, surface.tiles[0])
            if placed is not None:
                surfaces[i] = Surface((*surface.tiles, placed))
                break
        else:
            surfaces.append(Surface((tile,)))
    return surfaces


def _unreadable(path: Path, file: str, error: Exception) -> Fault:
    if not path.is_file():
        return Fault(file, "no such file")
    advice = "name a GeoTIFF, .hgt or .hgt.zip file"
    if ".hgt" in path.name.lower():
        advice = "an .hgt file says by its name where it lies, so it must keep one such as N29E105.hgt"
    return Fault(file, f"cannot be read as an elevation raster: {said_by(error, path)}", advice=advice)


def _format_faults(raster: Any, file: str) -> list[Fault]:
    faults = []
    if raster.crs is None:
        advice = "write it into the file, e.g. with gdal_edit -a_srs"
        faults.append(Fault(file, "has no reference system", advice=advice))
    elif not (raster.crs.is_geographic or raster.crs.is_projected):
        advice = "give the file the true system of its grid, e.g. an EPSG code"
        faults.append(Fault(file, "has a local reference system that cannot be placed on the earth", advice=advice))
    if raster.count != 1:
        faults.append(Fault(file, f"has {raster.count} bands", advice="keep the one with the elevation"))
    unit = (raster.units[0] or "").strip()
    if unit not in {"", "m", "米"} and not unit.lower().startswith("met"):
        faults.append(Fault(file, f"says that its heights are in {unit!r}", advice="convert them to metres"))
    if np.dtype(raster.dtypes[0]).kind not in "iuf":
        faults.append(Fault(file, f"holds values of the type {raster.dtypes[0]}", advice="use whole or real numbers"))
    transform = raster.transform
    turned = transform.b != 0 or transform.d != 0 or transform.a <= 0 or transform.e >= 0
    if turned and raster.crs is not None:  # without a system there is mostly no grid either, and one fault is enough
        faults.append(Fault(file, "is not north up", advice="warp it to a plain north-up grid"))
    return faults


def _on_grid(tile: Tile, first: Tile) -> Tile | None:
    """Return the tile with its place on the grid of the first one, None where its cells lie otherwise."""
    left, width, top, height = first.scale
    own_left, own_width, own_top, own_height = tile.scale
    size = max(tile.raster.width, tile.raster.height)
    stretch = max(abs(own_width / width - 1), abs(own_height / height - 1)) * size
    row, col = (own_top - top) / height, (own_left - left) / width
    off = max(abs(row - round(row)), abs(col - round(col)))
    if tile.raster.crs != first.raster.crs or stretch > GRID_TOLERANCE or off > GRID_TOLERANCE:
        return None
    return Tile(tile.file, tile.raster, round(row), round(col))


def _bounds(tile: Tile) -> tuple[float, float, float, float]:
    """Return west, south, east, north in the raster's units."""
    left, width, top, height = tile.scale
    return left, top + tile.raster.height * height, left + tile.raster.width * width, top


def extent_lonlat(surfaces: Sequence[Surface]) -> tuple[float, float, float, float]:
    """Return the box around all tiles, degrees."""
    boxes = [
        pyproj.Transformer.from_crs(surface.crs, WGS84, always_xy=True).transform_bounds(*_bounds(tile))
        for surface in surfaces
        for tile in surface.tiles
    ]
    west, south, east, north = np.array(boxes).T
    return float(west.min()), float(south.min()), float(east.max()), float(north.max())
