"""Where the rows of a table are: points from columns of coordinates, and the reference system of a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np

from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers.contracts import missing_column, raise_faults
from facility_coverage.layers.crs import parse_crs
from facility_coverage.layers.numbers import read_numbers

if TYPE_CHECKING:
    from pathlib import Path

    import pyproj

    from facility_coverage.config.study import Table
    from facility_coverage.layers.contracts import SourceTable


def with_positions(source: SourceTable, table: Table) -> gpd.GeoDataFrame:
    """Return the rows with geometry in a named reference system.

    Parameters
    ----------
    source
        Rows as they stand in the file, under the names used here: with geometry, or with columns `lon` and `lat` in
        degrees, or `x` and `y` in metres.
    table
        How the study says to read them.

    Raises
    ------
    LayerError
        If a coordinate is no number, or the reference system is not known or not that of the file.
    """
    frame = source.frame
    if not isinstance(frame, gpd.GeoDataFrame):
        frame = _points_from_columns(source, table)
    return _set_crs(frame, table, source.file)


def _points_from_columns(source: SourceTable, table: Table) -> gpd.GeoDataFrame:
    frame = source.frame
    pair = ("lon", "lat") if "lon" in frame.columns or "x" not in frame.columns else ("x", "y")
    raise_faults([missing_column(source.file, name, frame.columns) for name in pair if name not in frame.columns])
    faults = []
    numbers = []
    for name in pair:
        number = read_numbers(frame[name]).value
        wrong = ~np.isfinite(number)
        faults += source.fault_rows(wrong, "{} is not a coordinate", column=name, advice="correct or remove the row")
        numbers.append(number)
    if table.crs is None:
        faults.append(_no_crs(source.file))
    raise_faults(faults)
    return gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(*numbers))


def _no_crs(file: str) -> Fault:
    return Fault(file, "has no reference system", advice="name it under `crs:`, e.g. EPSG:4490 or EPSG:4326")


def _set_crs(frame: gpd.GeoDataFrame, table: Table, file: str) -> gpd.GeoDataFrame:
    if table.crs is None:
        if frame.crs is None:
            raise LayerError([_no_crs(file)])
        return frame
    named = parse_crs(table.crs, file=file)
    if frame.crs is None or _geojson_default(frame.crs, table.path):
        return frame.set_crs(named, allow_override=True)
    if not frame.crs.equals(named, ignore_axis_order=True):
        message = f"carries {frame.crs.name}, but the study says {named.name}"
        raise LayerError([Fault(file, message, advice="remove `crs:`, or correct the file")])
    return frame


def _geojson_default(crs: pyproj.CRS, path: Path) -> bool:
    # GDAL reports WGS 84 for any GeoJSON without a `crs` member, so there the study's word counts.
    return path.suffix.lower() in {".geojson", ".json"} and crs.to_epsg() == 4326
