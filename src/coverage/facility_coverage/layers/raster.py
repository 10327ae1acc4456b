"""Rasters of people per cell, and how cells fall to zones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import exactextract
import numpy as np
import pyproj
import rasterio
import rasterio.errors
import rasterio.warp
import rasterio.windows
from exactextract.raster import NumPyRasterSource

from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers.boundaries import extent_text
from facility_coverage.layers.contracts import raise_faults

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    from shapely.geometry.base import BaseGeometry

    from facility_coverage.layers.model import Floats, Ints

WHOLE = 1e-6
"""Area fractions come in single precision: below this a share is nothing, and this near to one it is all."""


@dataclass(frozen=True)
class Window:
    """The part of a raster that a study reads.

    Attributes
    ----------
    people
        People per cell, NaN and nodata as 0, shape (rows, columns).
    row, col
        First row and column of the window in the raster, from 0.
    width
        Columns of the whole raster.
    transform
        Affine transform of the window.
    crs
        Reference system of the raster.
    beyond
        People of the raster outside the window.
    cells_read
        Cells of the whole raster that hold people.
    """

    people: Floats
    row: int
    col: int
    width: int
    transform: Any
    crs: pyproj.CRS
    beyond: float
    cells_read: int


@dataclass(frozen=True)
class Pieces:
    """Pieces of cells: one per cell and zone, and one for what lies beyond the zones.

    Attributes
    ----------
    cell
        Position in the flattened window, shape (pieces,), increasing.
    zone
        Row of the zones, -1 beyond them, shape (pieces,).
    share
        Share of the cell, 0–1, shape (pieces,); the shares of a cell sum to 1.
    """

    cell: Ints
    zone: Ints
    share: Floats


def read_window(path: Path, boundary: BaseGeometry, box: BaseGeometry, *, crs: pyproj.CRS, file: str) -> Window:
    """Read the cells within the box and sum the rest block by block.

    Parameters
    ----------
    path
        A raster of one band with people per cell, north up.
    boundary, box
        Outline of the study and the area it reads, metres in `crs`.
    crs
        The metric reference system.
    file
        Name of the raster in faults.

    Raises
    ------
    LayerError
        If the raster is unreadable, has no reference system or several bands, is turned, holds negative or infinite
        values, or does not meet the boundary.
    """
    if not path.is_file():
        raise LayerError([Fault(file, "no such file")])
    try:
        with rasterio.open(path) as raster:
            raise_faults(_format_faults(raster, file))
            window = _window_of(raster, boundary, box, crs=crs, file=file)
            beyond, cells_read = _scan(raster, window, file)
            return Window(
                people=_people(raster, window),
                row=window.row_off,
                col=window.col_off,
                width=raster.width,
                transform=_moved(raster.transform, window),
                crs=pyproj.CRS.from_user_input(raster.crs),
                beyond=beyond,
                cells_read=cells_read,
            )
    except rasterio.errors.RasterioIOError as error:
        raise LayerError([Fault(file, f"cannot be read: {' '.join(str(error).split())}")]) from None


def _moved(transform: Any, window: Any) -> Any:
    """Return the transform of a window of a plain north-up grid."""
    left, top = transform.c + window.col_off * transform.a, transform.f + window.row_off * transform.e
    return rasterio.Affine(transform.a, 0.0, left, 0.0, transform.e, top)


def _format_faults(raster: Any, file: str) -> list[Fault]:
    faults = []
    if raster.crs is None:
        advice = "write it into the file, e.g. with gdal_edit -a_srs"
        faults.append(Fault(file, "has no reference system", advice=advice))
    elif not (raster.crs.is_geographic or raster.crs.is_projected):
        advice = "give the file the true system of its grid, e.g. an EPSG code"
        faults.append(Fault(file, "has a local reference system that cannot be placed on the earth", advice=advice))
    if raster.count != 1:
        faults.append(Fault(file, f"has {raster.count} bands", advice="keep the one with people per cell"))
    transform = raster.transform
    if transform.b != 0 or transform.d != 0 or transform.a <= 0 or transform.e >= 0:
        faults.append(Fault(file, "is not north up", advice="warp it to a plain north-up grid"))
    return faults


def _window_of(raster: Any, boundary: BaseGeometry, box: BaseGeometry, *, crs: pyproj.CRS, file: str) -> Any:
    target = raster.crs
    source = rasterio.crs.CRS.from_user_input(crs.to_wkt())
    west, south, east, north = rasterio.warp.transform_bounds(source, target, *boundary.bounds)
    have = raster.bounds
    if not (west < have.right and east > have.left and south < have.top and north > have.bottom):
        message = (
            f"the raster ({extent_text(*have, digits=3)}) does not meet the boundary "
            f"({extent_text(west, south, east, north, digits=3)})"
        )
        raise LayerError([Fault(file, message, advice="use a raster of the study's area")])
    bounds = rasterio.warp.transform_bounds(source, target, *box.bounds)
    asked = rasterio.windows.from_bounds(*bounds, transform=raster.transform)
    top, left = max(0, int(np.floor(asked.row_off))), max(0, int(np.floor(asked.col_off)))
    bottom = min(raster.height, int(np.ceil(asked.row_off + asked.height)))
    right = min(raster.width, int(np.ceil(asked.col_off + asked.width)))
    return rasterio.windows.Window(left, top, right - left, bottom - top)


def _people(raster: Any, window: Any) -> Floats:
    band = raster.read(1, window=window, masked=True)
    values: Floats = band.astype(np.float64).filled(0.0)
    return np.where(np.isnan(values), 0.0, values)


def _scan(raster: Any, window: Any, file: str) -> tuple[float, int]:
    """Return the people outside the window and the cells with people; look at every cell for faults."""
    beyond, cells, wrong = 0.0, 0, 0
    first = ""
    for _, block in raster.block_windows(1):
        values = _people(raster, block)
        bad = (values < 0) | np.isinf(values)
        if bad.any():
            wrong += int(bad.sum())
            row, col = np.argwhere(bad)[0]
            first = first or f"row {block.row_off + row + 1}, column {block.col_off + col + 1}: {values[row, col]:g}"
        cells += int((values > 0).sum())
        rows = np.arange(block.row_off, block.row_off + block.height)
        cols = np.arange(block.col_off, block.col_off + block.width)
        in_rows = (rows >= window.row_off) & (rows < window.row_off + window.height)
        in_cols = (cols >= window.col_off) & (cols < window.col_off + window.width)
        values[np.ix_(in_rows, in_cols)] = 0.0
        beyond += float(values.sum())
    if wrong:
        message = f"{wrong} cells are negative or infinite (first: {first})"
        raise LayerError([Fault(file, message, advice="declare the value that means no data, or correct the cells")])
    return beyond, cells


def apportion(window: Window, zones: gpd.GeoDataFrame, populated: Ints) -> Pieces:
    """Divide cells among zones by exact area shares.

    Parameters
    ----------
    window
        The raster's part.
    zones
        Polygons in any reference system.
    populated
        Flat positions of the cells wanted, increasing, shape (cells,).

    Returns
    -------
    Pieces
        Sorted by cell, then zone, what lies beyond last; the shares of a cell sum to 1. Cells that zones cover wholly
        (to 1e-6, the precision of the area shares) are shared among them alone.
    """
    cell, zone, share = _zone_shares(window, zones)
    position = np.searchsorted(populated, cell)
    wanted = (share > WHOLE) & (position < len(populated))
    wanted[wanted] = populated[position[wanted]] == cell[wanted]
    position, zone, share = position[wanted], zone[wanted], share[wanted]
    covered = np.bincount(position, weights=share, minlength=len(populated))
    # Cells covered wholly, or a trifle more where outlines overlap, belong to their zones alone.
    scale = np.where(covered >= 1.0 - WHOLE, covered, 1.0)
    share = share / scale[position]
    rest = np.where(covered >= 1.0 - WHOLE, 0.0, 1.0 - covered)
    beyond = np.flatnonzero(rest > 0)
    position = np.concatenate([position, beyond])
    zone = np.concatenate([zone, np.full(len(beyond), -1, dtype=np.int64)])
    share = np.concatenate([share, rest[beyond]])
    order = np.lexsort((np.where(zone < 0, len(zones), zone), position))
    return Pieces(populated[position[order]], zone[order], share[order])


def _zone_shares(window: Window, zones: gpd.GeoDataFrame) -> tuple[Ints, Ints, Floats]:
    height, width = window.people.shape
    left, top = window.transform.c, window.transform.f
    right, bottom = left + width * window.transform.a, top + height * window.transform.e
    wkt = window.crs.to_wkt()
    source = NumPyRasterSource(
        np.zeros((height, width), dtype=np.int8), xmin=left, ymin=bottom, xmax=right, ymax=top, srs_wkt=wkt
    )
    shapes = zones[["geometry"]].to_crs(window.crs).set_crs(wkt, allow_override=True).assign(zone=range(len(zones)))
    found = exactextract.exact_extract(source, shapes, ["cell_id", "coverage"], include_cols=["zone"], output="pandas")
    counts = found["cell_id"].map(len).to_numpy()
    cell = np.concatenate([np.asarray(ids, dtype=np.int64) for ids in found["cell_id"]])
    share = np.concatenate([np.asarray(part, dtype=np.float64) for part in found["coverage"]])
    return cell, np.repeat(found["zone"].to_numpy(dtype=np.int64), counts), share


def split(values: Floats, pieces: Pieces) -> Floats:
    """Return the people of each piece; the pieces of a cell sum to its value to the last bit that floats allow.

    Parameters
    ----------
    values
        People per cell of the flattened window, shape (rows × columns,).
    pieces
        From `apportion`.
    """
    people = values[pieces.cell] * pieces.share
    if not len(people):
        return people
    first = np.flatnonzero(np.concatenate([[True], np.diff(pieces.cell) != 0]))
    missing = values[pieces.cell[first]] - np.add.reduceat(people, first)
    last = np.concatenate([first[1:], [len(people)]]) - 1
    people[last] = np.maximum(people[last] + missing, 0.0)
    return people
