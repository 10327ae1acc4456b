"""Heights of a surface at points: voids filled where they are small, noise smoothed, block by block."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import rasterio.errors
import rasterio.fill
import rasterio.windows
import scipy.ndimage
import scipy.signal

from facility_coverage.errors import Fault, LayerError, said_by
from facility_coverage.layers.elevation import whole_cells

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facility_coverage.layers.elevation import Surface, Tile
    from facility_coverage.layers.model import Floats, Ints

Status = npt.NDArray[np.uint8]

BEYOND, VOID, SATURATED, FILLED, KNOWN = range(5)
"""What a raster says of a place: nothing, for it ends before; no data; the largest value of its 8-bit type, which may
stand for anything higher; a height filled in from both sides; a height."""

VOID_CELLS = 10
"""Voids are filled where they are at most this many cells across (300 m at 1″), from known cells as near as that."""

REACH_SIGMAS = 4.0
"""The Gaussian is cut off here; beyond lies 1 part in 16,000 of its weight along either axis."""

MAX_REACH_CELLS = 512
"""Blocks are read with a rim of the Gaussian's reach: this bounds their memory."""

BLOCK_CELLS = 512

FAST_SIGMA = 8.0
"""Wider Gaussians (in cells) go through Fourier transforms, which take no longer for a wide one."""

LOWEST_M, HIGHEST_M = -500.0, 9000.0
"""The Dead Sea lies at -440 m, the top of Everest at 8,849 m: heights beyond are no heights in metres."""


@dataclass(frozen=True)
class Heights:
    """What a surface says at points.

    Attributes
    ----------
    height_m
        Metres, NaN where not known, shape (points,).
    status
        `BEYOND` … `KNOWN`, shape (points,).
    filled_cells
        Different cells filled in, among those the points stand in.
    """

    height_m: Floats
    status: Status
    filled_cells: int


def heights_at(surface: Surface, cells: Floats, *, sigma: tuple[float, float], block: int = BLOCK_CELLS) -> Heights:
    """Return the heights of the smoothed surface at points.

    A place is known where the cell under it is. Its height is then interpolated bilinearly between those of the four
    nearest cell centres that are known. Blocks of the raster are read one by one, and only those with points; one
    takes at most about (block + 2 · (4 · sigma + 13))² cells of 75 bytes.

    Parameters
    ----------
    surface
        The tiles.
    cells
        Fractional rows and columns from `Surface.cells`, shape (points, 2).
    sigma
        Standard deviation of the Gaussian in cells, down and across, at most `MAX_REACH_CELLS` / `REACH_SIGMAS`; 0
        leaves the raster as it is.
    block
        Rows and columns of a block; the heights do not depend on it but for the last digits.

    Raises
    ------
    LayerError
        If a cell read is no height in metres, or a file is broken.
    """
    height_m = np.full(len(cells), np.nan)
    status = np.full(len(cells), BEYOND, dtype=np.uint8)
    filled = 0
    whole, on = whole_cells(cells), surface.on(cells)
    rim = tuple(int(np.ceil(REACH_SIGMAS * value)) + VOID_CELLS + 3 for value in sigma)
    for points, row, col in _blocks(whole, np.flatnonzero(on), block):
        window = (row - rim[0], col - rim[1], block + 2 * rim[0], block + 2 * rim[1])
        values, kind = _read(surface, window)
        values, kind = _filled(values, kind)
        corner = np.array(window[:2])
        at = whole[points] - corner
        status[points] = kind[at[:, 0], at[:, 1]]
        filled += len(np.unique(at[status[points] == FILLED], axis=0))
        known = points[status[points] >= FILLED]
        if len(known):
            height_m[known] = _between(*_smoothed(values, kind >= FILLED, sigma), cells[known] - corner)
    return Heights(height_m, status, filled)


def _blocks(whole: Ints, points: Ints, block: int) -> Iterator[tuple[Ints, int, int]]:
    """Yield the points of each block that has any, and its first row and column."""
    place = whole[points] // block
    order = np.lexsort((place[:, 1], place[:, 0]))
    points, place = points[order], place[order]
    new = np.flatnonzero(np.any(np.diff(place, axis=0) != 0, axis=1)) + 1
    for first, last in zip(np.concatenate([[0], new]), np.concatenate([new, [len(points)]]), strict=True):
        if last > first:
            yield points[first:last], int(place[first, 0]) * block, int(place[first, 1]) * block


def _read(surface: Surface, window: tuple[int, int, int, int]) -> tuple[Floats, Status]:
    """Return heights, 0 where unknown, and the status of the cells of a window: first row and column, rows, columns."""
    top, left, rows, cols = window
    values = np.zeros((rows, cols))
    kind = np.full((rows, cols), BEYOND, dtype=np.uint8)
    for tile in surface.tiles:
        row, col = max(top, tile.row), max(left, tile.col)
        end_row, end_col = (
            min(top + rows, tile.row + tile.raster.height),
            min(left + cols, tile.col + tile.raster.width),
        )
        if row >= end_row or col >= end_col:
            continue
        part = rasterio.windows.Window(col - tile.col, row - tile.row, end_col - col, end_row - row)
        own, own_kind = _read_tile(tile, part)
        place = (slice(row - top, end_row - top), slice(col - left, end_col - left))
        better = own_kind > kind[place]
        values[place] = np.where(better, own, values[place])
        kind[place] = np.where(better, own_kind, kind[place])
    return values, kind


def _read_tile(tile: Tile, window: Any) -> tuple[Floats, Status]:
    raster = tile.raster
    try:
        band = raster.read(1, window=window, masked=True)
    except rasterio.errors.RasterioIOError as error:
        message = f"breaks off in the middle: {said_by(error, Path(raster.name))}"
        raise LayerError([Fault(tile.file, message, advice="download it again")]) from None
    raw = band.data
    void = np.ma.getmaskarray(band) | ~np.isfinite(raw)
    kind = np.where(void, np.uint8(VOID), np.uint8(KNOWN))
    if raw.dtype.kind in "iu" and raw.dtype.itemsize == 1:
        kind[~void & (raw == np.iinfo(raw.dtype).max)] = SATURATED
    known = kind == KNOWN
    height = np.where(known, raw.astype(np.float64) * raster.scales[0] + raster.offsets[0], 0.0)
    absurd = (height < LOWEST_M) | (height > HIGHEST_M)
    if absurd.any():
        row, col = np.argwhere(absurd)[0]
        where = f"row {window.row_off + row + 1}, column {window.col_off + col + 1}"
        message = f"{where} holds {height[row, col]:g}, which is no height in metres"
        message += f" ({int(absurd.sum()):,} such cells near the roads)" if absurd.sum() > 1 else ""
        advice = (
            "declare the value that means no data, e.g. with gdal_edit -a_nodata, or convert the heights to metres; "
            "a raster of the sea floor too is cut off at 0 first"
        )
        raise LayerError([Fault(tile.file, message, advice=advice)])
    return height, kind


def _filled(values: Floats, kind: Status) -> tuple[Floats, Status]:
    """Fill the voids that are nowhere wider than `VOID_CELLS`."""
    void = kind == VOID
    if not void.any():
        return values, kind
    known = kind == KNOWN
    # What a square of unknown cells one wider than that fits into is a wide void; cells past the window are unknown.
    pad = VOID_CELLS + 1
    unknown = np.pad(~known, pad, constant_values=True)
    square = np.ones((VOID_CELLS + 1, VOID_CELLS + 1), dtype=bool)
    wide = scipy.ndimage.binary_opening(unknown, square)[pad:-pad, pad:-pad]
    small = void & ~wide
    if not small.any():
        return values, kind
    base = values[known].min()
    image = (values - base).astype(np.float32)
    image = rasterio.fill.fillnodata(image, mask=known, max_search_distance=VOID_CELLS, smoothing_iterations=0)
    return np.where(small, image + base, values), np.where(small, np.uint8(FILLED), kind)


def _smoothed(
    values: Floats, known: npt.NDArray[np.bool_], sigma: tuple[float, float]
) -> tuple[Floats, npt.NDArray[np.bool_], float]:
    """Return the Gaussian mean of the known cells around each, less a base height; which are known; the base.

    Heights are counted from a base so that level ground stays level to the last digit.
    """
    base = float(values[known].min())
    above = np.where(known, values - base, 0.0)
    if max(sigma) > 0:
        weight = _gaussian(known.astype(np.float64), sigma)
        above = _gaussian(above, sigma)
        above = np.where(known, above / np.where(known, weight, 1.0), 0.0)
    return above, known, base


def _gaussian(values: Floats, sigma: tuple[float, float]) -> Floats:
    """Return the values under a Gaussian, 0 beyond the edges."""
    if max(sigma) <= FAST_SIGMA:
        smooth: Floats = scipy.ndimage.gaussian_filter(values, sigma, mode="constant", truncate=REACH_SIGMAS)
        return smooth
    for axis in (0, 1):
        reach = int(REACH_SIGMAS * sigma[axis] + 0.5)
        bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma[axis]) ** 2)
        kernel = np.expand_dims(bell / bell.sum(), 1 - axis)
        values = scipy.signal.fftconvolve(values, kernel, mode="full", axes=axis)
        values = values.take(np.arange(reach, values.shape[axis] - reach), axis=axis)
    return values


def _between(above: Floats, known: npt.NDArray[np.bool_], base: float, cells: Floats) -> Floats:
    """Interpolate between the centres of the known cells around each point."""
    corner = np.floor(cells - 0.5).astype(np.int64)
    part = cells - 0.5 - corner
    total, weights = np.zeros(len(cells)), np.zeros(len(cells))
    for down in (0, 1):
        for across in (0, 1):
            row, col = corner[:, 0] + down, corner[:, 1] + across
            weight = np.abs(1 - down - part[:, 0]) * np.abs(1 - across - part[:, 1]) * known[row, col]
            total += weight * above[row, col]
            weights += weight
    return np.asarray(base + total / weights)
