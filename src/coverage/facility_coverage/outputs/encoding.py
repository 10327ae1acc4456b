"""Geometries as short lists of whole numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyproj
import shapely

Geometries = npt.NDArray[np.object_]
Deltas = list[list[int]]

# One unit is 1e-5 degrees: about a metre, finer than any screen at the deepest zoom shows.
UNITS_PER_DEGREE = 100_000


def to_wgs84(crs: pyproj.CRS) -> pyproj.Transformer:
    """Return the transformer from `crs` to longitude, latitude in degrees."""
    return pyproj.Transformer.from_crs(crs, 4326, always_xy=True)


def encode_lines(lines: Geometries, transformer: pyproj.Transformer) -> Deltas:
    """Return each line as ``[lon, lat, dlon, dlat, …]`` in units of 1e-5 degrees.

    Parameters
    ----------
    lines
        LineStrings or LinearRings, shape (n,); those shorter than a unit are left out.
    transformer
        From their reference system to WGS 84.
    """
    xy, index = shapely.get_coordinates(lines, return_index=True)
    if not len(xy):
        return []
    lon, lat = transformer.transform(xy[:, 0], xy[:, 1])
    grid = np.rint(np.column_stack([lon, lat]) * UNITS_PER_DEGREE).astype(np.int64)
    fresh = np.ones(len(grid), dtype=bool)
    fresh[1:] = (index[1:] != index[:-1]) | (grid[1:] != grid[:-1]).any(axis=1)
    grid, index = grid[fresh], index[fresh]
    first = np.flatnonzero(np.r_[True, index[1:] != index[:-1]])
    deltas = np.diff(grid, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
    deltas[first] = grid[first]
    return [part.ravel().tolist() for part in np.split(deltas, first[1:]) if len(part) > 1]


def decode_lines(encoded: Deltas) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return what `encode_lines` made: lon, lat in degrees, shape (n, 2), and the row at which each line begins.

    Examples
    --------
    >>> degrees, first = decode_lines([[10500000, 2900000, 100, -100], [10600000, 2900000, 1, 1]])
    >>> degrees[1].tolist(), first.tolist()
    ([105.001, 28.999], [0, 2])
    """
    first = np.cumsum([0, *(len(line) // 2 for line in encoded)], dtype=np.int64)[:-1]
    if not encoded:
        return np.empty((0, 2)), first
    steps = np.concatenate([np.asarray(line, dtype=np.int64).reshape(-1, 2) for line in encoded])
    run = np.cumsum(steps, axis=0)
    before = run[first] - steps[first]
    count = np.diff(np.r_[first, len(steps)])
    return (run - np.repeat(before, count, axis=0)) / UNITS_PER_DEGREE, first


def encode_areas(areas: Iterable[Any], transformer: pyproj.Transformer) -> Deltas:
    """Return all rings of polygons as `encode_lines` does; fill them with the even-odd rule."""
    parts = shapely.get_parts(shapely.get_parts(np.asarray(list(areas), dtype=object)))
    polygons = parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]
    return encode_lines(shapely.get_rings(polygons), transformer)


def encode_points(x: npt.ArrayLike, y: npt.ArrayLike, transformer: pyproj.Transformer) -> Deltas:
    """Return points as ``[[lon, lat], …]`` in units of 1e-5 degrees."""
    lon, lat = transformer.transform(np.asarray(x, dtype=float), np.asarray(y, dtype=float))
    units: Deltas = np.rint(np.column_stack([lon, lat]) * UNITS_PER_DEGREE).astype(np.int64).tolist()
    return units
