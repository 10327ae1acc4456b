"""Facilities and zones for web maps of China, whose coordinates are GCJ-02 or BD-09."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import shapely

from facility_coverage.errors import Fault, StudyError
from facility_coverage.layers.crs import WGS84
from facility_coverage.layers.datum import geometries_from_wgs84, in_china
from facility_coverage.outputs.geojson import write_geojson
from facility_coverage.outputs.tables import facility_table, zone_table

if TYPE_CHECKING:
    from pathlib import Path

    from facility_coverage.analysis.coverage import CoverageResult
    from facility_coverage.config.study import ShiftedDatum, StudyConfig
    from facility_coverage.layers.model import Layers


def web_map_names(datum: ShiftedDatum | None) -> tuple[str, ...]:
    """Return the names of the files that `write_web_maps` writes, none without a datum.

    Examples
    --------
    >>> web_map_names("gcj02")
    ('facilities.gcj02.geojson', 'zones.gcj02.geojson')
    """
    return tuple(f"{what}.{datum}.geojson" for what in ("facilities", "zones")) if datum is not None else ()


def check_in_china(layers: Layers, datum: ShiftedDatum, *, file: str) -> None:
    """See that zones and facilities lie where the datum is defined, before anything is computed.

    Raises
    ------
    StudyError
        If one lies elsewhere.
    """
    faults = []
    for name, frame in {"zones": layers.zones, **layers.facilities}.items():
        lonlat = shapely.get_coordinates(frame.geometry.to_crs(WGS84).to_numpy())
        outside = lonlat[~in_china(lonlat)]
        if len(outside):
            message = f"outputs.web_map_datum is {datum}, but {name} reach beyond China"
            where = f" (first: lon {outside[0, 0]:.5f}, lat {outside[0, 1]:.5f})"
            faults.append(Fault(file, message + where, advice="leave web_map_datum out"))
    if faults:
        raise StudyError(faults)


def write_web_maps(
    config: StudyConfig, layers: Layers, coverage: CoverageResult, folder: Path, *, datum: ShiftedDatum
) -> None:
    """Write facilities and zones with the columns of coverage.gpkg, and a column that names the datum.

    Coordinates are rounded to 1e-7 degrees, about 1 cm.
    """
    facilities, zones = web_map_names(datum)
    _write(facility_table(layers, coverage), folder / facilities, datum)
    table = zone_table(config, layers, coverage)
    geometry = layers.zones.set_index("zone_id").loc[table["zone_id"]].geometry.to_numpy()
    _write(gpd.GeoDataFrame(table, geometry=geometry, crs=layers.crs), folder / zones, datum)


def _write(frame: gpd.GeoDataFrame, file: Path, datum: ShiftedDatum) -> None:
    degrees = frame.to_crs(WGS84)
    there = geometries_from_wgs84(degrees.geometry.to_numpy(), datum)
    named = degrees.assign(datum=datum)
    write_geojson(named.set_geometry(gpd.GeoSeries(there, index=named.index, crs=WGS84)), file)
