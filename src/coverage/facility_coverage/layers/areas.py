"""Areas that goals speak of: new estates, the old town."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from facility_coverage.errors import Fault
from facility_coverage.layers.contracts import (
    SHOWN_FAULTS,
    as_text,
    check_columns,
    check_ids,
    check_polygons,
    raise_faults,
)
from facility_coverage.layers.tables import read_table

if TYPE_CHECKING:
    import pyproj

    from facility_coverage.config.study import Areas
    from facility_coverage.layers.contracts import SourceTable

OVERLAP_SHARE = 1e-4
"""Areas may overlap by this share of the smaller one, as zones may."""


def read_areas(table: Areas) -> SourceTable:
    """Read areas in their own reference system: `area_id`, `name`, polygons.

    Raises
    ------
    LayerError
        If a column is missing, an id is empty or repeated, or a polygon is invalid.
    """
    source = read_table(table, role="areas", wanted=("area_id", "name"))
    faults = check_columns(source, ["area_id", "name"])
    if not faults:
        faults += check_ids(source, "area_id")
    faults += check_polygons(source, what="an area")
    raise_faults(faults)
    frame = source.frame[["geometry"]].assign(**{name: as_text(source.frame[name]) for name in ("area_id", "name")})
    return replace(source, frame=frame[["area_id", "name", "geometry"]])


def place_areas(source: SourceTable, crs: pyproj.CRS) -> gpd.GeoDataFrame:
    """Return the areas projected, sorted by `area_id`.

    Raises
    ------
    LayerError
        If two of them overlap: people there would count twice.
    """
    frame: gpd.GeoDataFrame = source.frame.to_crs(crs).sort_values("area_id").reset_index(drop=True)
    shapes = frame.geometry.to_numpy()
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = first < second
    first, second = first[pairs], second[pairs]
    shared = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    wrong = shared > OVERLAP_SHARE * np.minimum(shapely.area(shapes[first]), shapely.area(shapes[second]))
    ids = frame["area_id"].to_numpy()
    raise_faults(
        [
            Fault(
                source.file, f"areas {ids[i]!r} and {ids[j]!r} overlap by {area:,.0f} m²", advice="correct the outlines"
            )
            for i, j, area in zip(first[wrong], second[wrong], shared[wrong], strict=True)
        ][:SHOWN_FAULTS]
    )
    return frame
