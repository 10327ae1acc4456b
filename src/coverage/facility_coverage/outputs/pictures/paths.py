"""Paths: the geometry that a page carries, in metres of Web Mercator, as Matplotlib draws it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from matplotlib.path import Path

from facility_coverage.outputs.encoding import UNITS_PER_DEGREE, Deltas, decode_lines

Floats = npt.NDArray[np.float64]
RADIUS_M = 6_378_137.0


def projected(degrees: Floats) -> Floats:
    """Return lon, lat in degrees as metres of Web Mercator, shape (n, 2)."""
    lon, lat = np.radians(degrees).T
    return RADIUS_M * np.column_stack([lon, np.log(np.tan(np.pi / 4 + lat / 2))])


def points(lon: Any, lat: Any) -> Floats:
    """Return places in units of 1e-5 degrees as metres of Web Mercator, shape (n, 2)."""
    return projected(np.column_stack([lon, lat]).reshape(-1, 2).astype(float) / UNITS_PER_DEGREE)


def stretch(y: float) -> float:
    """Return how many metres of Web Mercator a metre on the ground is, at a northing of it."""
    return float(np.cosh(y / RADIUS_M))


def lines(encoded: Deltas) -> Path:
    """Return lines as one path."""
    degrees, first = decode_lines(encoded)
    return _path(projected(degrees) if len(degrees) else degrees, first)


def areas(encoded: Deltas) -> Path:
    """Return rings as one path whose holes wind the other way: Matplotlib knows no even-odd rule."""
    return wound(rings(encoded))


def rings(encoded: Deltas) -> list[Floats]:
    """Return each ring, shape (n, 2)."""
    degrees, first = decode_lines(encoded)
    return np.split(projected(degrees), first[1:]) if len(degrees) else []


def wound(outlines: list[Floats]) -> Path:
    """Return rings as one path, those within an odd number of others wound against them."""
    whole = [ring for ring in outlines if len(ring) > 3]
    if not whole:
        return _path(np.empty((0, 2)), np.empty(0, dtype=np.int64))
    polygons = shapely.polygons([shapely.linearrings(ring) for ring in whole])
    within, around = shapely.STRtree(polygons).query(polygons, predicate="covered_by")
    depth = np.bincount(within[within != around], minlength=len(whole))
    turned = shapely.is_ccw(shapely.get_exterior_ring(polygons)) == (depth % 2 == 1)
    oriented = [ring[::-1] if turn else ring for ring, turn in zip(whole, turned, strict=True)]
    first = np.cumsum([0, *(len(ring) for ring in oriented)])[:-1]
    return _path(np.concatenate(oriented), first)


def _path(xy: Floats, first: npt.NDArray[np.int64]) -> Path:
    codes = np.full(len(xy), Path.LINETO, dtype=Path.code_type)
    codes[first] = Path.MOVETO
    return Path(xy, codes)


def joined(paths: list[Path]) -> Path:
    """Return several paths as one."""
    return Path.make_compound_path(*paths) if paths else Path(np.empty((0, 2)))
