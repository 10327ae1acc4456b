"""The one metric reference system of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyproj
from pyproj.exceptions import CRSError

from facility_coverage.errors import Fault, LayerError

if TYPE_CHECKING:
    import geopandas as gpd

    from facility_coverage.layers.model import Floats

WGS84 = pyproj.CRS.from_epsg(4326)


def parse_crs(text: str, *, file: str) -> pyproj.CRS:
    """Return the reference system that `text` names.

    Raises
    ------
    LayerError
        If PROJ does not know it.

    Examples
    --------
    >>> parse_crs("EPSG:32648", file="study.yaml").name
    'WGS 84 / UTM zone 48N'
    """
    try:
        return pyproj.CRS.from_user_input(text)
    except CRSError:
        message = f"crs {text!r} is not a known reference system"
        raise LayerError([Fault(file, message, advice="name it by its code, e.g. EPSG:4490")]) from None


def choose_metric_crs(zones: gpd.GeoDataFrame, crs: str | None, *, file: str) -> pyproj.CRS:
    """Return `crs`, or the WGS 84 UTM zone at the centre of the zones.

    Parameters
    ----------
    zones
        Zones in any reference system.
    crs
        What the study asks for; it must be projected, with metres on both axes.
    file
        Named in faults.

    Raises
    ------
    LayerError
        If `crs` is unknown, geographic or not in metres.
    """
    if crs is None:
        return pyproj.CRS.from_user_input(zones.to_crs(WGS84).estimate_utm_crs(datum_name="WGS 84"))
    metric = parse_crs(crs, file=file)
    in_metres = all(axis.unit_conversion_factor == 1.0 for axis in metric.axis_info[:2])
    if not metric.is_projected or not in_metres:
        message = f"crs {crs!r} does not measure in metres"
        advice = "name a projected system such as EPSG:4544, or leave crs out to use the UTM zone"
        raise LayerError([Fault(file, message, advice=advice)])
    return metric


def project_xy(x: Floats, y: Floats, *, source: pyproj.CRS, target: pyproj.CRS) -> tuple[Floats, Floats]:
    """Project coordinate arrays, easting or longitude first on both sides."""
    transformer = pyproj.Transformer.from_crs(source, target, always_xy=True)
    projected: tuple[Floats, Floats] = transformer.transform(x, y)
    return projected
