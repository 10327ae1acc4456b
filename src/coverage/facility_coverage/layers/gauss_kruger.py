"""Gauss-Krüger zones: whether eastings fit the code that a study or a file names.

China divides the country into zones of 3 or 6 degrees, each with a central meridian, from which eastings count with
500 km added. Surveyors write the number of the zone before the easting, as in 36 512345; each zone has two codes, one
with this prefix and one without (EPSG dataset: CGCS2000 in 4491 to 4554). They also call the northing X and the
easting Y.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pyproj

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt

    from facility_coverage.errors import Fault
    from facility_coverage.layers.contracts import SourceTable
    from facility_coverage.layers.model import Floats

CGCS2000_CODES = range(4491, 4555)
"""EPSG codes of the Gauss-Krüger zones of CGCS2000."""

_MIDDLE_M, _PREFIX_M = 500_000.0, 1_000_000.0
_HALF_ZONE_M = 334_000.0
"""3 degrees of longitude at the equator: no place is farther from the central meridian of its 6-degree zone."""
_NORTHING_M = (1_000_000.0, 6_000_000.0)
"""Northings of China, from the Paracel Islands to Mohe; no easting without prefix is as large."""


@dataclass(frozen=True)
class Zone:
    """A Gauss-Krüger zone as a code defines it.

    Attributes
    ----------
    code
        EPSG code, None where the system has none.
    meridian_deg
        Central meridian.
    prefix
        Number of the zone written before eastings, 0 for none.
    width_deg
        3 or 6; 0 where the name does not say.
    name
        Name of the reference system.
    """

    code: int | None
    meridian_deg: float
    prefix: int
    width_deg: int
    name: str


def zone_of_crs(crs: pyproj.CRS) -> Zone | None:
    """Return the Gauss-Krüger zone that a reference system is, None for any other.

    Examples
    --------
    >>> zone = zone_of_crs(pyproj.CRS.from_epsg(4524))
    >>> zone.meridian_deg, zone.prefix, zone.width_deg, zone.name
    (108.0, 36, 3, 'CGCS2000 / 3-degree Gauss-Kruger zone 36')
    >>> zone_of_crs(pyproj.CRS.from_epsg(32648)) is None
    True
    """
    operation = crs.coordinate_operation
    if not crs.is_projected or operation is None or operation.method_name != "Transverse Mercator":
        return None
    figures = {parameter.name: float(parameter.value) for parameter in operation.params}
    prefix, rest = divmod(figures.get("False easting", 0.0), _PREFIX_M)
    if figures.get("Scale factor at natural origin") != 1.0 or rest != _MIDDLE_M:
        return None
    meridian_deg = figures["Longitude of natural origin"]
    width = 3 if "3-degree" in crs.name else 6 if "Gauss-Kruger" in crs.name else 0
    return Zone(crs.to_epsg(), meridian_deg, int(prefix), width, crs.name)


@cache
def cgcs2000_zones() -> tuple[Zone, ...]:
    """Return every zone of CGCS2000 that PROJ knows: 11 of 6 degrees and 21 of 3, each with and without prefix."""
    zones = (zone_of_crs(pyproj.CRS.from_epsg(code)) for code in CGCS2000_CODES)
    return tuple(zone for zone in zones if zone is not None)


def check_eastings(source: SourceTable, frame: gpd.GeoDataFrame, *, columns: bool) -> list[Fault]:
    """Return a fault for each row whose easting does not fit the frame's code.

    Parameters
    ----------
    source
        Where rows are named.
    frame
        The same rows with geometry; in anything but a Gauss-Krüger zone they have no faults.
    columns
        Whether coordinates come from columns `x` and `y`.
    """
    zone = zone_of_crs(frame.crs)
    if zone is None:
        return []
    bounds = frame.geometry.bounds.to_numpy(dtype=np.float64)
    easting_m, northing_m = bounds[:, [0, 2]].mean(axis=1), bounds[:, [1, 3]].mean(axis=1)
    swapped = _swapped(easting_m, northing_m)
    prefixes = np.where(swapped, zone.prefix, _prefixes(easting_m))
    column = "x" if columns else None
    message = "x looks like a northing, and y like an easting"
    advice = "surveyors call the northing X: exchange x and y under `columns:`" if columns else "exchange the axes"
    faults = source.fault_rows(swapped, message, column=column, advice=advice)
    for prefix in np.unique(prefixes[(prefixes != zone.prefix) & (prefixes >= 0)]):
        message = f"the easting {'{} ' if columns else ''}{_mismatch(int(prefix), zone)}"
        advice = _fitting(int(prefix), zone)
        faults += source.fault_rows(prefixes == prefix, message, column=column, advice=advice)
    return faults


def _prefixes(easting_m: Floats) -> Floats:
    """Return the zone before each easting, 0 where there is none, -1 where it fits no zone that there is."""
    known = np.array(sorted({zone.prefix for zone in cgcs2000_zones()}), dtype=np.float64)
    prefix, rest = np.divmod(easting_m, _PREFIX_M)
    fits = (np.abs(rest - _MIDDLE_M) <= _HALF_ZONE_M) & np.isin(prefix, known)
    return np.where(fits, prefix, -1.0)


def _swapped(easting_m: Floats, northing_m: Floats) -> npt.NDArray[np.bool_]:
    """Tell which pairs make sense only the other way round."""
    low, high = _NORTHING_M
    swapped: npt.NDArray[np.bool_] = (easting_m >= low) & (easting_m <= high) & (_prefixes(northing_m) >= 0)
    return swapped


def _mismatch(prefix: int, zone: Zone) -> str:
    named = f"EPSG:{zone.code}" if zone.code is not None else "the reference system"
    if prefix == 0:
        return f"has no zone before it, but {named} writes {zone.prefix} there"
    if zone.prefix == 0:
        return f"begins with the zone {prefix}, but {named} writes none before eastings"
    return f"begins with the zone {prefix}, but {named} is of zone {zone.prefix}"


def _fitting(prefix: int, zone: Zone) -> str:
    """Return the code that eastings of this prefix fit, as advice."""
    if zone.code not in CGCS2000_CODES:
        return "name the code that fits" + (f", of zone {prefix}" if prefix else ", without zone in its eastings")
    fitting = [
        other for other in cgcs2000_zones() if other.prefix == prefix and (prefix or _area(other) == _area(zone))
    ]
    (one,) = fitting
    return f"the code that fits is EPSG:{one.code} ({one.name})"


def _area(zone: Zone) -> tuple[float, int]:
    return zone.meridian_deg, zone.width_deg
