"""Facility layers: where the places are, of which tier and how large."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import shapely

from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers.boundaries import extent, inside_box, zone_of
from facility_coverage.layers.contracts import (
    PLACES,
    SourceTable,
    as_text,
    check_choice,
    check_columns,
    check_geometry,
    check_ids,
    check_swapped,
    raise_faults,
    text_or_none,
    to_count,
)
from facility_coverage.layers.tables import read_table

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from facility_coverage.config.study import FacilityLayer


def read_facilities(layer: FacilityLayer) -> SourceTable:
    """Read one facility layer in its own reference system, checked row by row.

    Returns
    -------
    SourceTable
        `facility_id`, `name` (the id where the source has none), `tier` (None where the layer has no tiers), capacity
        columns as float64 (NaN = no data), points.

    Raises
    ------
    LayerError
        If a column is missing, an id is empty or repeated, a tier is unknown, a capacity is negative or not a number,
        or a place cannot be made a point.
    """
    source = _with_osm_columns(read_table(layer, role="facilities"), layer)
    frame = source.frame
    tier = ["tier"] if layer.tiers else []
    faults = check_columns(source, ["facility_id", "name", *tier, *layer.capacity])
    columns: dict[str, pd.Series] = {}
    if "facility_id" in frame.columns:
        faults += check_ids(source, "facility_id")
        columns["facility_id"] = as_text(frame["facility_id"])
    if layer.tiers and "tier" in frame.columns:
        faults += check_choice(source, "tier", [level.id for level in layer.tiers])
    for capacity in layer.capacity:
        if capacity in frame.columns:
            columns[capacity], found = to_count(source, capacity)
            faults += found
    faults += check_geometry(source, PLACES, what="a facility")
    raise_faults(faults)
    names = as_text(frame["name"])
    ordered = {
        "facility_id": columns["facility_id"],
        "name": names.where(names != "", columns["facility_id"]),
        "tier": text_or_none(frame["tier"])
        if layer.tiers
        else pd.Series([None] * len(frame), frame.index, dtype="object"),
        **{capacity: columns[capacity] for capacity in layer.capacity},
    }
    points = shapely.point_on_surface(frame.geometry.to_numpy())
    return replace(source, frame=gpd.GeoDataFrame(ordered, geometry=points, crs=frame.crs))


def _with_osm_columns(source: SourceTable, layer: FacilityLayer) -> SourceTable:
    """Return OpenStreetMap objects with the columns that a table must have; a tag that no object carries is no data."""
    if not source.is_osm:
        return source
    frame = source.frame
    absent = [column for column in ("name", *layer.capacity) if column not in frame.columns]
    ids = {} if "facility_id" in frame.columns else {"facility_id": frame["osm_id"]}
    frame = frame.assign(**dict.fromkeys(absent), **ids)
    return replace(source, frame=frame)


def place_facilities(source: SourceTable, zones: gpd.GeoDataFrame, box: BaseGeometry) -> gpd.GeoDataFrame:
    """Return the facilities within the box, projected, with their zone, sorted by `facility_id`.

    Parameters
    ----------
    source
        From `read_facilities`.
    zones
        In the metric reference system, sorted by `zone_id`.
    box
        Area that the study reads.

    Raises
    ------
    LayerError
        If longitude and latitude are swapped, or no facility lies in the box.
    """
    raise_faults(check_swapped(source, gpd.GeoSeries([box], crs=zones.crs)))
    frame = source.frame.to_crs(zones.crs)
    inside = inside_box(shapely.get_coordinates(frame.geometry.to_numpy()), box)
    if not inside.any():
        west, south, east, north = frame.total_bounds
        where = extent(shapely.box(west, south, east, north))
        message = f"none of the {len(frame)} facilities ({where}) lies in the study's area ({extent(box)})"
        raise LayerError(
            [Fault(source.file, message, advice="check the reference system and the order of lon and lat")]
        )
    frame = frame[inside].sort_values("facility_id").reset_index(drop=True)
    zone = zone_of(shapely.get_coordinates(frame.geometry.to_numpy()), zones)
    columns = [column for column in frame.columns if column != "geometry"]
    return frame.assign(zone_id=zone)[[*columns, "zone_id", "geometry"]]
