"""Where the rows of a table are: points from columns of coordinates, the reference system of a layer, and its datum."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers.contracts import missing_column, raise_faults
from facility_coverage.layers.crs import WGS84, parse_crs
from facility_coverage.layers.datum import SHIFTED, geometries_to_wgs84, in_china
from facility_coverage.layers.gauss_kruger import check_eastings
from facility_coverage.layers.numbers import read_numbers

if TYPE_CHECKING:
    from pathlib import Path

    from facility_coverage.config.study import Datum, Table
    from facility_coverage.layers.contracts import SourceTable

_CODES: dict[Datum, int] = {"wgs84": 4326, "cgcs2000": 4490}
_DATUM_OF_CODE: dict[int | None, Datum] = {4326: "wgs84", 4979: "wgs84", 4490: "cgcs2000", 4480: "cgcs2000"}
_NAMES: dict[Datum, str] = {"wgs84": "WGS 84", "cgcs2000": "CGCS2000", "gcj02": "GCJ-02", "bd09": "BD-09"}

WHICH_DATUM = (
    "say under `datum:` which one: wgs84 (GPS, OpenStreetMap), cgcs2000 (surveys, Tianditu), gcj02 (Amap, Tencent) or "
    "bd09 (Baidu); ask who made the file where its points were picked, or lay them over the roads: a wrong datum shows "
    "as a shift of 30 m to 1.5 km"
)


def with_positions(source: SourceTable, table: Table) -> gpd.GeoDataFrame:
    """Return the rows with geometry in a named reference system.

    Parameters
    ----------
    source
        Rows as they stand in the file, under the names used here: with geometry, or with columns `lon` and `lat` in
        degrees, or `x` and `y` in metres.
    table
        How the study says to read them. Layers in GCJ-02 and BD-09 become WGS 84.

    Raises
    ------
    LayerError
        If a coordinate is no number or does not fit, the reference system or the datum is not known, or they
        contradict each other or the file.
    """
    if isinstance(source.frame, gpd.GeoDataFrame):
        named = _set_crs(source.frame, table, source.file)
        frame = _unshifted(source, named, table.datum)
        raise_faults(check_eastings(source, frame, columns=False))
        return frame
    points, in_metres = _points_from_columns(source, table)
    frame = points.set_crs(_crs_of_columns(table, source.file))
    if in_metres:
        raise_faults(check_eastings(source, frame, columns=True))
        return frame
    return _unshifted(source, frame, table.datum)


def _points_from_columns(source: SourceTable, table: Table) -> tuple[gpd.GeoDataFrame, bool]:
    """Return points, and whether they are in metres, once what the study says of their columns is whole."""
    columns = source.frame.columns
    in_metres = "x" in columns and "lon" not in columns
    pair = ("x", "y") if in_metres else ("lon", "lat")
    raise_faults([missing_column(source.file, name, columns) for name in pair if name not in columns])
    crs = parse_crs(table.crs, file=source.file) if table.crs is not None else None
    faults = (_faults_of_metres if in_metres else _faults_of_degrees)(source.file, crs, table.datum)
    numbers = []
    for name in pair:
        number = read_numbers(source.frame[name]).value
        wrong = ~np.isfinite(number)
        faults += source.fault_rows(wrong, "{} is not a coordinate", column=name, advice="correct or remove the row")
        numbers.append(number)
    raise_faults(faults)
    return gpd.GeoDataFrame(source.frame, geometry=gpd.points_from_xy(*numbers)), in_metres


def _faults_of_degrees(file: str, crs: pyproj.CRS | None, datum: Datum | None) -> list[Fault]:
    if crs is not None and not crs.is_geographic:
        advice = "call the columns x and y, or remove `crs:` and name the `datum:`"
        return [Fault(file, f"lon and lat are degrees, but {crs.name} is not", advice=advice)]
    if datum is None:
        return [Fault(file, "lon and lat have no datum", advice=WHICH_DATUM)]
    return _contradiction(file, crs, datum)


def _faults_of_metres(file: str, crs: pyproj.CRS | None, datum: Datum | None) -> list[Fault]:
    degrees = "if they are degrees, call the columns lon and lat under `columns:` and name their `datum:`"
    if datum in SHIFTED:
        return [Fault(file, f"datum {datum} is in degrees, but the columns are x and y", advice=degrees)]
    if crs is None:
        advice = f"name it under `crs:`, e.g. EPSG:4544; {degrees}"
        return [Fault(file, "x and y have no reference system", advice=advice)]
    if crs.is_geographic:
        return [Fault(file, f"x and y are metres, but {crs.name} is in degrees", advice=degrees)]
    return _contradiction(file, crs, datum)


def _contradiction(file: str, crs: pyproj.CRS | None, datum: Datum | None) -> list[Fault]:
    """Return the fault of a reference system of another datum; those of WGS 84 and CGCS2000 only are known."""
    found = datum_of(crs) if crs is not None else datum
    if crs is None or datum is None or found == datum:
        return []
    advice = "remove `datum:` or correct it" if crs.is_projected else "remove `crs:`, or correct one of them"
    return [Fault(file, f"the reference system is {crs.name}, but datum is {datum}", advice=advice)]


def datum_of(crs: pyproj.CRS) -> Datum | None:
    """Return the datum of a reference system where it is WGS 84 or CGCS2000, else None.

    Examples
    --------
    >>> [datum_of(pyproj.CRS.from_user_input(code)) for code in ("EPSG:32648", "EPSG:4543", "OGC:CRS84", "EPSG:4214")]
    ['wgs84', 'cgcs2000', 'wgs84', None]
    """
    geodetic = crs.geodetic_crs
    if geodetic is None:
        return None
    names = (str(part.name) for part in (geodetic, geodetic.datum) if part is not None)
    if any(name.startswith(("WGS 84", "World Geodetic System 1984")) for name in names):
        return "wgs84"
    return _DATUM_OF_CODE.get(geodetic.to_epsg(min_confidence=25))


def _crs_of_columns(table: Table, file: str) -> pyproj.CRS:
    """Return the reference system of columns of coordinates."""
    if table.crs is not None:
        return parse_crs(table.crs, file=file)
    return pyproj.CRS.from_epsg(_CODES.get(table.datum or "wgs84", 4326))


def _set_crs(frame: gpd.GeoDataFrame, table: Table, file: str) -> gpd.GeoDataFrame:
    """Return a layer in the reference system that its file, `crs` and `datum` agree on."""
    named = parse_crs(table.crs, file=file) if table.crs is not None else None
    if named is None and table.datum is not None and (frame.crs is None or _geojson_default(frame.crs, table.path)):
        named = pyproj.CRS.from_epsg(_CODES.get(table.datum, 4326))
    if named is None and frame.crs is None:
        advice = "name it under `crs:`, e.g. EPSG:4544, or where it is in degrees name its `datum:`"
        raise LayerError([Fault(file, "has no reference system", advice=advice)])
    if named is not None and (frame.crs is None or _geojson_default(frame.crs, table.path)):
        frame = frame.set_crs(named, allow_override=True)
    elif named is not None and not frame.crs.equals(named, ignore_axis_order=True):
        message = f"carries {frame.crs.name}, but the study says {named.name}"
        raise LayerError([Fault(file, message, advice="remove `crs:`, or correct the file")])
    raise_faults(_contradiction(file, frame.crs, table.datum if table.datum not in SHIFTED else None))
    return frame


def _geojson_default(crs: pyproj.CRS, path: Path) -> bool:
    # GDAL reports WGS 84 for any GeoJSON without a `crs` member, so there the study's word counts.
    return path.suffix.lower() in {".geojson", ".json"} and crs.to_epsg() == 4326


def _unshifted(source: SourceTable, frame: gpd.GeoDataFrame, datum: Datum | None) -> gpd.GeoDataFrame:
    """Return a layer in GCJ-02 or BD-09 in WGS 84, any other as it is."""
    if datum is None or datum not in SHIFTED:
        return frame
    if not frame.crs.is_geographic or datum_of(frame.crs) is None:
        message = f"datum {datum} is in degrees and passes for WGS 84 or CGCS2000, but the file has {frame.crs.name}"
        advice = "remove `datum:`, or take the layer as it was before it was projected"
        raise LayerError([Fault(source.file, message, advice=advice)])
    raise_faults(_outside_china(replace(source, frame=frame), datum))
    there = geometries_to_wgs84(frame.geometry.to_numpy(), datum)
    return frame.set_geometry(gpd.GeoSeries(there, index=frame.index, crs=WGS84))


def _outside_china(source: SourceTable, datum: Datum) -> list[Fault]:
    """Return a fault for each row with a vertex outside the box in which the datum is defined."""
    lonlat, row = shapely.get_coordinates(source.frame.geometry.to_numpy(), return_index=True)
    outside = ~in_china(lonlat) & np.isfinite(lonlat).all(axis=1)
    swapped = outside & in_china(lonlat[:, ::-1])
    metres = outside & (np.abs(lonlat) > 360).any(axis=1)
    kinds = (
        (swapped, "lon and lat look swapped"),
        (metres, "the coordinates look projected: call the columns x and y, and name their `crs:`"),
        (outside & ~swapped & ~metres, f"correct the coordinates, or the datum if they are not in {_NAMES[datum]}"),
    )
    faults = []
    for which, advice in kinds:
        wrong = np.zeros(len(source.frame), dtype=bool)
        wrong[row[which]] = True
        if not wrong.any():
            continue
        lon, lat = lonlat[which][0]
        first = "" if wrong.sum() == 1 else "first: "
        message = f"lies outside China ({first}lon {lon:.5f}, lat {lat:.5f}), where {_NAMES[datum]} means nothing"
        faults += source.fault_rows(wrong, message, advice=advice)
    return faults
