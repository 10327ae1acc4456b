"""The frames that every later room works on, all in one metric reference system."""

from __future__ import annotations

from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
from shapely.geometry.base import BaseGeometry

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TAGS = (
    "highway", "foot", "access", "sidewalk", "oneway", "motorcar", "motor_vehicle", "vehicle", "emergency", "motorroad",
    "wheelchair", "maxspeed", "duration", "bridge", "tunnel", "layer", "area", "junction", "name",
)  # fmt: skip


STATISTICS = ("indicator", "year", "value", "zone_id", "district_id", "source")


def no_statistics() -> pd.DataFrame:
    """Return the table of a study without statistics."""
    columns: dict[str, pd.Series] = {name: pd.Series(dtype=object) for name in STATISTICS}
    return pd.DataFrame(columns | {"year": pd.Series(dtype="int64"), "value": pd.Series(dtype="float64")})


@dataclass(frozen=True)
class Roads:
    """Road ways as arrays.

    Attributes
    ----------
    xy
        Vertices of all ways one after the other, metres, shape (vertices, 2).
    node
        Identity of each vertex, 0 … nodes-1, shape (vertices,): ways meet where they share a node.
    start
        Way `w` owns vertices ``start[w]:start[w + 1]``, shape (ways + 1,).
    tags
        One row per way: `way_id` (string) and the columns of `TAGS`, strings or None.
    elevation_m
        Height of each vertex above sea level, metres, NaN where it is not known, shape (vertices,); None without
        terrain.
    digest
        Names the input files and parameters that these roads come from, for the cache; empty: not to be cached.
    """

    xy: Floats
    node: Ints
    start: Ints
    tags: pd.DataFrame
    elevation_m: Floats | None = None
    digest: str = ""


@dataclass(frozen=True)
class Demand:
    """People at points, each point within one zone or beyond them all.

    Attributes
    ----------
    points
        One row per piece of a cell (or per point): `demand_id` (string, unique), `cell_id` (int), `zone_id`
        (string; None beyond the zones), `x_m`, `y_m`, `total` and one column per group. Sorted by demand_id.
    ledger
        Where the people of the source went, one row per group: `group`, `read`, `in_zones`, `beyond_zones`
        (within the margin), `beyond_margin`; read = sum of the other three.
    cells
        Raster only: one row per populated cell read: `cell_id`, `row`, `col`, `read`, `in_zones`, `beyond_zones`.
    """

    points: pd.DataFrame
    ledger: pd.DataFrame
    cells: pd.DataFrame


@dataclass(frozen=True)
class Candidates:
    """What one siting may choose from.

    Attributes
    ----------
    frame
        `candidate_id` (unique, sorted), `name`, `price`, `zone_id`, points; those of files only.
    forbidden
        Where nothing may be built.
    """

    frame: gpd.GeoDataFrame
    forbidden: BaseGeometry


@dataclass(frozen=True)
class Layers:
    """All data of a study.

    Attributes
    ----------
    crs
        The metric reference system of every geometry and every `x_m`, `y_m`.
    boundary
        Outline of the study.
    zones
        `zone_id`, `name`, `area_type` (urban or rural), other columns of the source, geometry. Sorted by zone_id.
    demand
        Where people are.
    facilities
        Facility layer id → frame: `facility_id` (string, unique, sorted), `name`, `tier` (None where the layer has no
        tiers), capacity columns (float, NaN = no data), attributes (True, False or None), `address` (or None),
        `zone_id` (None beyond the zones), point geometry.
    roads
        Ways within the margin.
    barriers
        Lines and polygons that no access leg may cross, one column `geometry`; empty without any.
    reports
        What reading changed or could not know, by subject (``terrain``, ``roads``): name → figure, for the passport.
    details
        What reading found row by row, by subject, for the passport and the doctor: `topology`, `repairs`, `districts`,
        `codes`, `duplicates`, `same_names`, `openings`, `changes`; see their modules.
    areas
        Areas that goals speak of, by id: `area_id`, `name`, polygons.
    neighbours
        What lies beyond the zones: `district_id`, `name`, `area_type`, other columns of the source, polygons; None
        without.
    statistics
        Figures that no map can tell: `indicator`, `year`, `value` (NaN = no data), `zone_id`, `district_id`, `source`.
    candidates
        What each siting may choose from, by its id.
    basemap
        Optional frames drawn under the results: `water`, `neighbours` (with `name`).
    counts
        Rows read and kept per file, for the passport: `layer`, `file`, `rows_read`, `rows_kept`.
    """

    crs: pyproj.CRS
    boundary: BaseGeometry
    zones: gpd.GeoDataFrame
    demand: Demand
    facilities: dict[str, gpd.GeoDataFrame]
    roads: Roads
    barriers: gpd.GeoDataFrame = field(default_factory=gpd.GeoDataFrame)
    reports: dict[str, dict[str, float]] = field(default_factory=dict)
    details: dict[str, pd.DataFrame] = field(default_factory=dict)
    areas: dict[str, gpd.GeoDataFrame] = field(default_factory=dict)
    neighbours: gpd.GeoDataFrame | None = None
    statistics: pd.DataFrame = field(default_factory=no_statistics)
    candidates: dict[str, Candidates] = field(default_factory=dict)
    basemap: dict[str, gpd.GeoDataFrame] = field(default_factory=dict)
    counts: pd.DataFrame = field(default_factory=pd.DataFrame)
