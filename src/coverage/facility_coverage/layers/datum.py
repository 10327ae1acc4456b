"""Datums of China: GCJ-02 and BD-09, in which its web maps give coordinates, to and from WGS 84.

The transformation from WGS 84 to GCJ-02 was never published; its formula is known from a program that leaked. It is
taken here as https://en.wikipedia.org/wiki/Restrictions_on_geographic_data_in_China (sections GCJ-02 and BD-09)
states it: polynomials and sines of degrees east of 105° and north of 35°, in metres, on Krasovsky's ellipsoid. The
conversion service of Amap gives the same to 4 cm (docs/datum.md). The way back has no formula. It is iterated here
until a place moves by less than a ten-thousandth of a millimetre.
"""

from __future__ import annotations

import math
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import shapely
from numba import njit, prange

from facility_coverage.config.study import Datum, ShiftedDatum
from facility_coverage.layers.model import Floats

DATUMS: tuple[Datum, ...] = get_args(Datum)
#: Datums in which coordinates are shifted; the other two differ from each other by less than a metre.
SHIFTED: tuple[ShiftedDatum, ...] = get_args(ShiftedDatum)

#: West, south, east, north of the box in which the leaked program shifts coordinates, degrees: China with its seas. The
#: neighbours inside it cannot be told apart without an outline; outside it the two datums mean nothing.
CHINA = (72.004, 0.8293, 137.8347, 55.8271)

Geometries = npt.NDArray[np.object_]

# Krasovsky's ellipsoid: semi-major axis in metres, and the eccentricity squared that the formula uses.
_AXIS_M, _ECCENTRICITY_2 = 6_378_245.0, 0.00669342162296594323
_BD_WAVE = math.pi * 3000.0 / 180.0
_MOST_ROUNDS, _STILL_DEG = 40, 1e-12


def to_wgs84(lonlat: Floats, datum: Datum) -> Floats:
    """Return coordinates of a datum in WGS 84.

    Parameters
    ----------
    lonlat
        Longitude and latitude in degrees, shape (points, 2); shifted datums only within `CHINA`.
    datum
        The datum of `lonlat`. CGCS2000 is taken for WGS 84: they differ by less than a metre.

    Examples
    --------
    >>> to_wgs84(from_wgs84(np.array([[105.9, 29.35]]), "bd09"), "bd09").round(9).tolist()
    [[105.9, 29.35]]
    """
    lonlat = np.ascontiguousarray(lonlat, dtype=np.float64)
    if datum in SHIFTED:
        places: Floats = _unshifted(lonlat, datum == "bd09")
        return places
    return lonlat.copy()


def from_wgs84(lonlat: Floats, datum: Datum) -> Floats:
    """Return coordinates in WGS 84 (degrees, shape (points, 2)) in another datum; shifted datums only within `CHINA`.

    Examples
    --------
    >>> (from_wgs84(np.array([[105.9, 29.35]]), "gcj02") - [105.9, 29.35]).round(4).tolist()
    [[0.0035, -0.003]]
    """
    lonlat = np.ascontiguousarray(lonlat, dtype=np.float64)
    if datum in SHIFTED:
        places: Floats = _shifted(lonlat, datum == "bd09")
        return places
    return lonlat.copy()


def geometries_to_wgs84(geometries: Geometries, datum: Datum) -> Geometries:
    """Return points, lines or polygons of a datum in WGS 84, vertex by vertex; None stays None.

    Examples
    --------
    >>> line = shapely.LineString([(105.9035, 29.347), (105.9135, 29.347)])
    >>> shapely.get_coordinates(geometries_to_wgs84(np.array([line]), "gcj02")).round(4).tolist()
    [[105.9, 29.35], [105.91, 29.35]]
    """
    there: Any = shapely.transform(geometries, lambda lonlat: to_wgs84(lonlat, datum))
    return np.asarray(there, dtype=object)


def geometries_from_wgs84(geometries: Geometries, datum: Datum) -> Geometries:
    """Return points, lines or polygons in WGS 84 in another datum, vertex by vertex; None stays None."""
    there: Any = shapely.transform(geometries, lambda lonlat: from_wgs84(lonlat, datum))
    return np.asarray(there, dtype=object)


def in_china(lonlat: Floats) -> npt.NDArray[np.bool_]:
    """Tell which places (degrees, shape (points, 2)) lie where shifted datums are used."""
    west, south, east, north = CHINA
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    inside: npt.NDArray[np.bool_] = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return inside


@njit(cache=True, nogil=True)
def _gcj02(lon, lat):  # type: ignore[no-untyped-def]  # numba infers the types
    x, y = lon - 105.0, lat - 35.0
    waves = (20.0 * math.sin(6.0 * x * math.pi) + 20.0 * math.sin(2.0 * x * math.pi)) * 2.0 / 3.0
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + waves
    north_m += (20.0 * math.sin(y * math.pi) + 40.0 * math.sin(y / 3.0 * math.pi)) * 2.0 / 3.0
    north_m += (160.0 * math.sin(y / 12.0 * math.pi) + 320.0 * math.sin(y * math.pi / 30.0)) * 2.0 / 3.0
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + waves
    east_m += (20.0 * math.sin(x * math.pi) + 40.0 * math.sin(x / 3.0 * math.pi)) * 2.0 / 3.0
    east_m += (150.0 * math.sin(x / 12.0 * math.pi) + 300.0 * math.sin(x / 30.0 * math.pi)) * 2.0 / 3.0
    phi = math.radians(lat)
    root = math.sqrt(1.0 - _ECCENTRICITY_2 * math.sin(phi) ** 2)
    per_north_m = math.degrees(root**3 / (_AXIS_M * (1.0 - _ECCENTRICITY_2)))
    per_east_m = math.degrees(root / (_AXIS_M * math.cos(phi)))
    return lon + east_m * per_east_m, lat + north_m * per_north_m


@njit(cache=True, nogil=True)
def _bd09(lon, lat):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return a place in GCJ-02 in BD-09."""
    radius = math.hypot(lon, lat) + 0.00002 * math.sin(lat * _BD_WAVE)
    angle = math.atan2(lat, lon) + 0.000003 * math.cos(lon * _BD_WAVE)
    return radius * math.cos(angle) + 0.0065, radius * math.sin(angle) + 0.006


@njit(cache=True, nogil=True)
def _forward(lon, lat, baidu):  # type: ignore[no-untyped-def]  # numba infers the types
    lon, lat = _gcj02(lon, lat)
    return _bd09(lon, lat) if baidu else (lon, lat)


@njit(cache=True, nogil=True, parallel=True)
def _shifted(lonlat, baidu):  # type: ignore[no-untyped-def]  # numba infers the types
    places = np.empty_like(lonlat)
    for i in prange(len(lonlat)):
        places[i, 0], places[i, 1] = _forward(lonlat[i, 0], lonlat[i, 1], baidu)
    return places


@njit(cache=True, nogil=True, parallel=True)
def _unshifted(lonlat, baidu):  # type: ignore[no-untyped-def]  # numba infers the types
    """Correct each place by what its own shift misses, until nothing is missed: the shift changes slowly."""
    places = np.empty_like(lonlat)
    for i in prange(len(lonlat)):
        lon, lat = lonlat[i, 0], lonlat[i, 1]
        for _ in range(_MOST_ROUNDS):
            there_lon, there_lat = _forward(lon, lat, baidu)
            off_lon, off_lat = lonlat[i, 0] - there_lon, lonlat[i, 1] - there_lat
            lon, lat = lon + off_lon, lat + off_lat
            if abs(off_lon) < _STILL_DEG and abs(off_lat) < _STILL_DEG:
                break
        places[i, 0], places[i, 1] = lon, lat
    return places
