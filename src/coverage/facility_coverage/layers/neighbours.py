"""Neighbours: what lies beyond the study's zones, for the ledger of who serves whom."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from facility_coverage.layers.boundaries import AREA_TYPES
from facility_coverage.layers.contracts import (
    as_text,
    check_choice,
    check_columns,
    check_polygons,
    raise_faults,
)
from facility_coverage.layers.tables import read_table

if TYPE_CHECKING:
    from facility_coverage.config.study import Neighbours
    from facility_coverage.layers.contracts import SourceTable
    from facility_coverage.layers.model import Floats, Ints

NEEDED = ("district_id", "name", "area_type")


def read_neighbours(table: Neighbours) -> SourceTable:
    """Read neighbouring zones or districts in their own reference system: `district_id`, `name`, `area_type`, polygons.

    Raises
    ------
    LayerError
        If a column is missing, an area type is unknown or a polygon is invalid.
    """
    source = read_table(table, role="neighbours", wanted=NEEDED)
    faults = check_columns(source, list(NEEDED))
    if "area_type" in source.frame.columns:
        faults += check_choice(source, "area_type", AREA_TYPES)
    if "district_id" in source.frame.columns:
        empty = as_text(source.frame["district_id"]) == ""
        faults += source.fault_rows(empty, "is empty", column="district_id", advice="give each its district's code")
    faults += check_polygons(source, what="a neighbour")
    raise_faults(faults)
    return replace(source, frame=source.frame.assign(**{name: as_text(source.frame[name]) for name in NEEDED}))


def place_neighbours(source: SourceTable, zones: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the neighbours projected, without what is the study's own, sorted by district and name."""
    frame = source.frame.to_crs(zones.crs)
    own = shapely.union_all(zones.geometry.to_numpy())
    shapes = frame.geometry.to_numpy()
    meets = shapely.intersects(shapes, own)
    rest = np.where(meets, shapely.difference(shapes, own), shapes)
    left = frame.set_geometry(gpd.GeoSeries(rest, index=frame.index, crs=zones.crs))
    left = left[~left.geometry.is_empty]
    placed: gpd.GeoDataFrame = left.sort_values(["district_id", "name"], kind="stable").reset_index(drop=True)
    return placed


def neighbour_of(xy: Floats, neighbours: gpd.GeoDataFrame, *, within_m: float = 0.0) -> Ints:
    """Return the row of the neighbour at each place (metres, shape (places, 2)), -1 where there is none.

    A place in none belongs to the nearest within `within_m`. On a common border the first row wins.
    """
    row = np.full(len(xy), -1, dtype=np.int64)
    tree, points = shapely.STRtree(neighbours.geometry.to_numpy()), shapely.points(xy)
    place, polygon = tree.query(points, predicate="intersects")
    order = np.argsort(polygon, kind="stable")[::-1]
    row[place[order]] = polygon[order]
    away = np.flatnonzero(row < 0)
    if within_m > 0 and len(away):
        place, polygon = tree.query_nearest(points[away], max_distance=within_m, all_matches=False)
        row[away[place]] = polygon
    return row
