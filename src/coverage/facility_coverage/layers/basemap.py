"""Layers drawn under the results; they change no figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rasterio
import rasterio.errors
import shapely

from facility_coverage.errors import Fault, LayerError, said_by
from facility_coverage.layers.contracts import (
    LINES,
    POLYGONS,
    SourceTable,
    as_text,
    check_columns,
    check_geometry,
    raise_faults,
)
from facility_coverage.layers.gdal import open_raster
from facility_coverage.layers.tables import read_table, shown_path

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    import pyproj
    from shapely.geometry.base import BaseGeometry

    from facility_coverage.config.study import Table


def read_water(table: Table) -> SourceTable:
    """Read rivers and lakes in their own reference system.

    Raises
    ------
    LayerError
        If they are neither lines nor polygons.
    """
    source = read_table(table, role="water")
    raise_faults(check_geometry(source, (*LINES, *POLYGONS), what="water"))
    return source


def read_neighbours(table: Table) -> SourceTable:
    """Read the neighbouring districts in their own reference system.

    Raises
    ------
    LayerError
        If they are not polygons with a `name`.
    """
    source = read_table(table, role="neighbours")
    raise_faults(check_columns(source, ["name"]) + check_geometry(source, POLYGONS, what="a neighbour"))
    return source


def check_terrain(path: Path) -> None:
    """Check that the elevation raster can be drawn.

    Raises
    ------
    LayerError
        If it cannot be opened or has no reference system.
    """
    file = shown_path(path)
    try:
        with open_raster(path) as raster:
            if raster.crs is None:
                advice = "write it into the file, e.g. with gdal_edit -a_srs"
                raise LayerError([Fault(file, "has no reference system", advice=advice)])
    except rasterio.errors.RasterioIOError as error:
        message = f"cannot be read as an elevation raster: {said_by(error, path)}"
        raise LayerError([Fault(file, message, advice="name a GeoTIFF, or leave terrain out")]) from None


def place_basemap(source: SourceTable, box: BaseGeometry, *, crs: pyproj.CRS) -> gpd.GeoDataFrame:
    """Return the shapes within the box, projected, cut at its edge, sorted by where they lie."""
    frame = source.frame.to_crs(crs)
    valid = shapely.make_valid(frame.geometry.to_numpy())
    frame = frame.set_geometry(shapely.clip_by_rect(valid, *box.bounds), crs=crs)
    frame = frame[~frame.geometry.is_empty]
    named = frame.assign(name=as_text(frame["name"])) if "name" in frame.columns else frame
    columns = ["name", "geometry"] if "name" in frame.columns else ["geometry"]
    bounds = named.geometry.bounds
    order = bounds.sort_values(list(bounds.columns), kind="stable").index
    return named.loc[order, columns].reset_index(drop=True)
