"""The true area of raster cells, which turns people per square kilometre into people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj

if TYPE_CHECKING:
    from facility_coverage.layers.model import Floats, Ints


def cell_areas_m2(transform: Any, crs: pyproj.CRS, rows: Ints) -> Floats:
    """Return the area of a cell in each row of a north-up grid, square metres, shape (rows,).

    Parameters
    ----------
    transform
        Affine transform of the raster.
    crs
        Its reference system. A geographic one has cells between two parallels and two meridians, whose area on the
        ellipsoid is exact; a projected one has cells of one size, as its plane shows them.
    rows
        Rows of the raster, from 0, shape (rows,).

    Notes
    -----
    The area between the equator and latitude φ, per radian of longitude, is b²/2 · (sin φ / (1 − e² sin² φ)
    + artanh(e sin φ) / e), with the semi-minor axis b and the eccentricity e (J. P. Snyder, Map Projections: A Working
    Manual, U.S. Geological Survey Professional Paper 1395, 1987, equation 3-12, where it is q·a²/2).
    """
    unit = float(crs.axis_info[0].unit_conversion_factor)
    if not crs.is_geographic:
        return np.full(len(rows), abs(transform.a * transform.e) * unit**2)
    edges = np.sin(np.clip((transform.f + np.stack([rows, rows + 1]) * transform.e) * unit, -np.pi / 2, np.pi / 2))
    ellipsoid = crs.ellipsoid
    if ellipsoid is None:
        raise ValueError(f"{crs.name} has no ellipsoid")
    a, b = float(ellipsoid.semi_major_metre), float(ellipsoid.semi_minor_metre)
    e = np.sqrt(max(0.0, 1.0 - (b / a) ** 2))
    bands = 2.0 * edges if e == 0.0 else edges / (1.0 - (e * edges) ** 2) + np.arctanh(e * edges) / e
    areas: Floats = np.abs(transform.a) * unit * b**2 / 2.0 * (bands[0] - bands[1])
    return areas


def stretch_of(crs: pyproj.CRS, bounds: tuple[float, float, float, float]) -> float:
    """Return how many times as large as it is a projected system shows an area, where that is worst in a box.

    Parameters
    ----------
    crs
        A projected system.
    bounds
        West, south, east, north in the system's own units; corners, middles of sides and centre are tried.
    """
    west, south, east, north = bounds
    x, y = (part.ravel() for part in np.meshgrid(np.linspace(west, east, 3), np.linspace(south, north, 3)))
    geographic = pyproj.CRS.from_user_input(crs.geodetic_crs)
    lon, lat = pyproj.Transformer.from_crs(crs, geographic, always_xy=True).transform(x, y)
    scale = np.asarray(pyproj.Proj(crs).get_factors(lon, lat).areal_scale, dtype=np.float64)
    return float(scale[np.argmax(np.abs(scale - 1.0))])
