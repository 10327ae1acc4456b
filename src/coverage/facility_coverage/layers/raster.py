"""Rasters of people: what a cell holds, and the part of them that a study reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import rasterio
import rasterio.errors
import rasterio.warp
import rasterio.windows

from facility_coverage.errors import Fault, LayerError, said_by
from facility_coverage.layers.boundaries import extent_text
from facility_coverage.layers.cell_areas import cell_areas_m2, stretch_of
from facility_coverage.layers.contracts import raise_faults
from facility_coverage.layers.gdal import open_raster

if TYPE_CHECKING:
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry

    from facility_coverage.config.people import Unit
    from facility_coverage.layers.model import Floats

UNIT_M2 = {"per_km2": 1e6, "per_ha": 1e4}

CHUNK_CELLS = 4_000_000
"""Cells read at a time, about: 32 MB as float64."""

BLOCK_CACHE_MB = 128
"""Memory in which GDAL keeps decoded blocks; its own default is a share of the machine's memory."""

SHOWN_CELLS = 5
STRETCH = 0.01
"""A projected grid may stretch areas by this share before densities on it are refused; UTM stays below 0.002."""


@dataclass(frozen=True)
class RasterFile:
    """A raster of people and how it is read.

    Attributes
    ----------
    path, file
        The file, and its name in faults.
    unit
        What a cell holds.
    band
        Band of the people, from 1; None: the only one.
    nodata
        Stored value that means no data, beside what the file declares.
    """

    path: Path
    file: str
    unit: Unit = "count"
    band: int | None = None
    nodata: float | None = None


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


@dataclass
class _Wrong:
    """Cells that cannot be people: how many, their sum, and the first of them."""

    count: int = 0
    total: float = 0.0
    places: list[str] = field(default_factory=list)

    def add(self, values: Floats, wrong: Any, window: Any) -> None:
        """Note the cells of a part of the raster that are `wrong`."""
        self.count += int(wrong.sum())
        self.total += float(values[wrong].sum())
        for row, col in np.argwhere(wrong)[: SHOWN_CELLS - len(self.places)]:
            place = f"row {window.row_off + row + 1}, column {window.col_off + col + 1}: {values[row, col]:g}"
            self.places.append(place)


@dataclass(frozen=True)
class _Reader:
    """An open raster whose cells become people."""

    raster: Any
    band: int
    nodata: float | None
    density_m2: float | None

    def people(self, window: Any) -> Floats:
        """Return the people per cell of a window, no data as 0, shape (rows, columns)."""
        values: Floats
        stored = self.raster.read(self.band, window=window, masked=True)
        missing = np.ma.getmaskarray(stored)
        data = stored.data
        if self.nodata is not None:
            missing = missing | (data == data.dtype.type(self.nodata))
        values = data.astype(np.float64)
        missing |= np.isnan(values)
        scale, offset = self.raster.scales[self.band - 1], self.raster.offsets[self.band - 1]
        if (scale, offset) != (1.0, 0.0):
            values = values * scale + offset
        if self.density_m2 is not None:
            rows = np.arange(window.row_off, window.row_off + window.height)
            crs = pyproj.CRS.from_user_input(self.raster.crs)
            values *= cell_areas_m2(self.raster.transform, crs, rows)[:, None] / self.density_m2
        values[missing] = 0.0
        return values


def read_window(source: RasterFile, boundary: BaseGeometry, box: BaseGeometry, *, crs: pyproj.CRS) -> Window:
    """Read the cells within the box and sum the rest part by part, so that memory grows with the box only.

    Parameters
    ----------
    source
        A raster with people or their density per cell, north up. Cells without data hold nobody.
    boundary, box
        Outline of the study and the area it reads, metres in `crs`.
    crs
        The metric reference system.

    Raises
    ------
    LayerError
        If the raster is unreadable, has no reference system, is turned, does not say which of several bands is meant,
        holds negative or infinite values, or does not meet the boundary.
    """
    if not source.path.is_file():
        raise LayerError([Fault(source.file, "no such file")])
    try:
        with rasterio.Env(GDAL_CACHEMAX=BLOCK_CACHE_MB), open_raster(source.path) as raster:
            raise_faults(_format_faults(raster, source))
            window = _window_of(raster, boundary, box, crs=crs, file=source.file)
            raise_faults(_stretch_faults(raster, window, source))
            reader = _Reader(raster, source.band or 1, source.nodata, UNIT_M2.get(source.unit))
            beyond, cells_read = _scan(reader, window, source.file)
            return Window(
                people=reader.people(window),
                row=window.row_off,
                col=window.col_off,
                width=raster.width,
                transform=_moved(raster.transform, window),
                crs=pyproj.CRS.from_user_input(raster.crs),
                beyond=beyond,
                cells_read=cells_read,
            )
    except rasterio.errors.RasterioIOError as error:
        raise LayerError([Fault(source.file, f"cannot be read: {said_by(error, source.path)}")]) from None


def _moved(transform: Any, window: Any) -> Any:
    """Return the transform of a window of a plain north-up grid."""
    left, top = transform.c + window.col_off * transform.a, transform.f + window.row_off * transform.e
    return rasterio.Affine(transform.a, 0.0, left, 0.0, transform.e, top)


def _format_faults(raster: Any, source: RasterFile) -> list[Fault]:
    file, faults = source.file, []
    if raster.crs is None:
        advice = "write it into the file, e.g. with gdal_edit -a_srs"
        faults.append(Fault(file, "has no reference system", advice=advice))
    elif not (raster.crs.is_geographic or raster.crs.is_projected):
        advice = "give the file the true system of its grid, e.g. an EPSG code"
        faults.append(Fault(file, "has a local reference system that cannot be placed on the earth", advice=advice))
    transform = raster.transform
    if transform.b != 0 or transform.d != 0 or transform.a <= 0 or transform.e >= 0:
        faults.append(Fault(file, "is not north up", advice="warp it to a plain north-up grid"))
    return faults + _band_faults(raster, source)


def _band_faults(raster: Any, source: RasterFile) -> list[Fault]:
    if source.band is None and raster.count > 1:
        names = [f"{i} {name!r}" if name else str(i) for i, name in enumerate(raster.descriptions, 1)]
        advice = f"say which one holds the people under `band:`: {', '.join(names[:20])}"
        return [Fault(source.file, f"has {raster.count} bands", advice=advice)]
    band = source.band or 1
    if band > raster.count:
        return [Fault(source.file, f"has no band {band}, only {raster.count}", advice="correct `band:`")]
    kind = np.dtype(raster.dtypes[band - 1])
    if kind.kind not in "iuf":
        return [Fault(source.file, f"band {band} holds {kind}, not plain numbers", advice="save it as float32")]
    if source.nodata is not None and not _can_hold(kind, source.nodata):
        message = f"nodata {source.nodata:g} cannot stand in a band of {kind}"
        return [Fault(source.file, message, advice="remove `nodata:`, or give the value that is stored")]
    return []


def _can_hold(kind: np.dtype[Any], value: float) -> bool:
    """Return whether a number can be stored in a band of this type."""
    if kind.kind == "f":
        return abs(value) <= float(np.finfo(kind).max)
    limits = np.iinfo(kind)
    return value == int(value) and limits.min <= value <= limits.max


def _stretch_faults(raster: Any, window: Any, source: RasterFile) -> list[Fault]:
    """Return a fault where densities cannot become people, since the plane shows cells larger than they are."""
    if source.unit == "count" or not raster.crs.is_projected:
        return []
    crs = pyproj.CRS.from_user_input(raster.crs)
    stretch = stretch_of(crs, rasterio.windows.bounds(window, raster.transform))
    if np.isfinite(stretch) and abs(stretch - 1.0) <= STRETCH:
        return []
    message = f"{crs.name} shows areas {stretch:.2f} times as large as they are, so {source.unit} cannot become people"
    return [Fault(source.file, message, advice="warp it to degrees (EPSG:4326), or to a system that keeps areas")]


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


def _chunks(raster: Any, band: int) -> Iterator[Any]:
    """Yield windows of about `CHUNK_CELLS` that cover the raster, along its blocks where these are not larger."""
    block_height, block_width = raster.block_shapes[band - 1]
    across = max(1, CHUNK_CELLS // block_height // block_width)
    width = min(raster.width, block_width * across)
    high = max(1, CHUNK_CELLS // width)
    height = min(raster.height, high // block_height * block_height if high >= block_height else high)
    for top in range(0, raster.height, height):
        for left in range(0, raster.width, width):
            size = (min(width, raster.width - left), min(height, raster.height - top))
            yield rasterio.windows.Window(left, top, *size)


def _scan(reader: _Reader, window: Any, file: str) -> tuple[float, int]:
    """Return the people outside the window and the cells with people; look at every cell for faults."""
    sums: list[float] = []
    cells, negative, infinite = 0, _Wrong(), _Wrong()
    for part in _chunks(reader.raster, reader.band):
        values = reader.people(part)
        infinite.add(values, np.isinf(values), part)
        negative.add(values, (values < 0) & np.isfinite(values), part)
        cells += int(np.count_nonzero(values > 0))
        top, left = window.row_off - part.row_off, window.col_off - part.col_off
        values[max(top, 0) : max(top + window.height, 0), max(left, 0) : max(left + window.width, 0)] = 0.0
        sums.append(float(values.sum()))
    raise_faults(_value_faults(negative, infinite, file))
    return float(np.sum(sums)), cells


def _value_faults(negative: _Wrong, infinite: _Wrong, file: str) -> list[Fault]:
    faults = []
    if negative.count:
        cells = "1 cell is" if negative.count == 1 else f"{negative.count} cells are"
        message = f"{cells} negative, {negative.total:g} people in sum ({'; '.join(negative.places)})"
        advice = "if the value means no data, name it under `nodata:`; otherwise correct the cells"
        faults.append(Fault(file, message, advice=advice))
    if infinite.count:
        cells = "1 cell is" if infinite.count == 1 else f"{infinite.count} cells are"
        faults.append(Fault(file, f"{cells} infinite ({'; '.join(infinite.places)})", advice="correct the cells"))
    return faults
