"""Zones and the outline of the study."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers import topology
from facility_coverage.layers.contracts import (
    POLYGONS,
    SHOWN_FAULTS,
    SourceTable,
    as_text,
    check_choice,
    check_columns,
    check_geometry,
    check_ids,
    raise_faults,
)
from facility_coverage.layers.tables import read_table

if TYPE_CHECKING:
    import pyproj
    from shapely.geometry.base import BaseGeometry

    from facility_coverage.config.study import Table, Zones
    from facility_coverage.layers.model import Floats

    Objects = np.ndarray[tuple[int], np.dtype[np.object_]]

OVERLAP_SHARE = 1e-4
"""Zones may overlap by this share of the smaller one: neighbours digitised apart never fit to the millimetre."""

OVERLAP_M2 = 1.0

AREA_TYPES = ("urban", "rural")


def read_zones(table: Zones, *, typed: bool = True) -> SourceTable:
    """Read the zones in their own reference system, checked but for overlaps.

    Parameters
    ----------
    table
        How the study says to read them.
    typed
        Whether their own column says the area type; otherwise it is empty until people are known.

    Returns
    -------
    SourceTable
        `zone_id`, `name`, `area_type`, the other columns of the source, polygons; valid ones, unless they are to be
        repaired.

    Raises
    ------
    LayerError
        If a column is missing, an id is empty or repeated, an area type is unknown or a polygon is invalid.
    """
    source = read_table(table, role="zones", wanted=("district_id",))
    frame = source.frame
    if source.is_osm:
        names = frame["name"] if "name" in frame.columns else frame["osm_id"]
        ids = frame["zone_id"] if "zone_id" in frame.columns else frame["osm_id"]
        # Names in other languages (name:fr …) would be dozens of columns, some alike but for their case.
        frame = frame.drop(columns=[column for column in frame.columns if ":" in column])
        frame = frame.assign(name=names, zone_id=ids)
        source = replace(source, frame=frame)
    if not typed:
        frame = frame.assign(area_type="")
        source = replace(source, frame=frame)
    faults = check_columns(source, ["zone_id", "name", "area_type"])
    if "zone_id" in frame.columns:
        faults += check_ids(source, "zone_id")
    if typed and "area_type" in frame.columns:
        faults += check_choice(source, "area_type", AREA_TYPES)
    faults += _polygon_faults(source, repair=table.repair)
    raise_faults(faults)
    texts = {column: as_text(frame[column]) for column in ("zone_id", "name", "area_type")}
    texts["name"] = texts["name"].where(texts["name"] != "", texts["zone_id"])
    return replace(source, frame=frame.assign(**texts))


def _polygon_faults(source: SourceTable, *, repair: bool = False) -> list[Fault]:
    faults = check_geometry(source, POLYGONS, what="the outline")
    if faults or repair:
        return faults
    geometry = source.frame.geometry
    invalid = geometry.index[~geometry.is_valid]
    for label in invalid[:SHOWN_FAULTS]:
        reason = shapely.is_valid_reason(geometry.loc[label])
        faults.append(
            source.fault(
                label, f"the polygon is invalid: {reason}", advice="correct the outline there, or say `repair: true`"
            )
        )
    if len(invalid) > SHOWN_FAULTS:
        faults.append(Fault(source.file, f"{len(invalid) - SHOWN_FAULTS} more polygons are invalid"))
    return faults


@dataclass(frozen=True)
class PlacedZones:
    """The zones on the ground.

    Attributes
    ----------
    frame
        `zone_id`, `name`, `area_type`, the other columns of the source, polygons in metres; sorted by `zone_id`.
    topology
        Where they do not fit together: see `topology.misfits`; what is marked as repaired no longer is so in `frame`.
    repairs
        What a repair changed: see `topology.repairs`.
    """

    frame: gpd.GeoDataFrame
    topology: pd.DataFrame
    repairs: pd.DataFrame


def place_zones(source: SourceTable, crs: pyproj.CRS, *, sliver_width_m: float, repair: bool = False) -> PlacedZones:
    """Return the zones in the metric reference system, sorted by `zone_id`.

    Parameters
    ----------
    source
        From `read_zones`.
    crs
        The study's metric reference system.
    sliver_width_m
        Up to this width, overlaps and gaps are slivers.
    repair
        Whether rings are made valid, and slivers given to the neighbour with the longest common border.

    Raises
    ------
    LayerError
        If zones overlap by more than `OVERLAP_SHARE` of the smaller (and, where slivers are repaired, by more than the
        width), or cannot be projected, or nothing would be left of one.
    """
    zones = source.frame.to_crs(crs)
    if not np.isfinite(zones.total_bounds).all():
        raise LayerError([Fault(source.file, f"lies outside what {crs.name} can show", advice="name another `crs:`")])
    rings = source.frame.geometry.to_numpy()
    reason = np.where(shapely.is_valid(rings), "", shapely.is_valid_reason(rings))
    zones = zones.assign(ring=reason).sort_values("zone_id").reset_index(drop=True)
    reasons, zones = zones["ring"].tolist(), zones.drop(columns="ring")
    valid = zones.set_geometry(gpd.GeoSeries(topology.polygons_of(zones.geometry.to_numpy()), crs=crs))
    shared = topology.overlaps(valid)
    too_wide = shared["width_m"] > sliver_width_m if repair else np.full(len(shared), fill_value=True)
    raise_faults(_overlap_faults(valid, shared[too_wide], source.file))
    misfits = topology.misfits(valid, sliver_width_m=sliver_width_m, repair=repair)
    fitting = topology.repaired(valid, sliver_width_m=sliver_width_m) if repair else valid
    raise_faults(_vanished_faults(fitting, source.file))
    lead = ["zone_id", "name", "area_type"]
    rest = [column for column in zones.columns if column not in {*lead, "geometry"}]
    changes = topology.repairs(zones, fitting, reasons) if repair else topology.repairs(zones, zones, [""] * len(zones))
    return PlacedZones(fitting[[*lead, *rest, "geometry"]], misfits, changes)


def _vanished_faults(zones: gpd.GeoDataFrame, file: str) -> list[Fault]:
    return [
        Fault(
            file, f"nothing is left of zone {zones['zone_id'].iloc[i]!r} after the repair", advice="correct its outline"
        )
        for i in topology.vanished(zones)[:SHOWN_FAULTS]
    ]


def _overlap_faults(zones: gpd.GeoDataFrame, shared: pd.DataFrame, file: str) -> list[Fault]:
    size = shapely.area(zones.geometry.to_numpy())
    smaller = np.minimum(size[shared["first"]], size[shared["second"]])
    wrong = shared[shared["area_m2"] > np.maximum(OVERLAP_M2, OVERLAP_SHARE * smaller)]
    ids = zones["zone_id"]
    advice = (
        "correct the outlines: nobody can live in two zones; `repair: true` divides overlaps up to `sliver_width_m`"
    )
    faults = [
        Fault(file, f"zones {ids[i]!r} and {ids[j]!r} overlap by {area:,.0f} m² ({width:,.1f} m wide)", advice=advice)
        for i, j, area, width in wrong.head(SHOWN_FAULTS).itertuples(index=False)
    ]
    more = len(wrong) - SHOWN_FAULTS
    return faults if more <= 0 else [*faults, Fault(file, f"{more} more pairs of zones overlap")]


def read_boundary(table: Table) -> SourceTable:
    """Read the outline of the study in its own reference system.

    Raises
    ------
    LayerError
        If it is not made of valid polygons.
    """
    source = read_table(table, role="boundary")
    raise_faults(_polygon_faults(source))
    return source


def place_boundary(source: SourceTable | None, zones: gpd.GeoDataFrame) -> BaseGeometry:
    """Return the given outline, or the union of the zones, in the zones' reference system.

    Raises
    ------
    LayerError
        If the given outline does not meet the zones.
    """
    union = zones.geometry.union_all()
    if source is None:
        return union
    boundary = source.frame.to_crs(zones.crs).geometry.make_valid().union_all()
    if not boundary.intersects(union):
        raise LayerError(
            [Fault(source.file, f"the boundary ({extent(boundary)}) does not meet the zones ({extent(union)})")]
        )
    return boundary


def extent(geometry: BaseGeometry) -> str:
    """Return the bounding box of a geometry as text.

    Examples
    --------
    >>> extent(shapely.box(0, 1, 1234, 5))
    '0…1,234 E, 1…5 N'
    """
    return extent_text(*geometry.bounds)


def extent_text(west: float, south: float, east: float, north: float, *, digits: int = 0) -> str:
    """Return a bounding box as text."""
    return f"{west:,.{digits}f}…{east:,.{digits}f} E, {south:,.{digits}f}…{north:,.{digits}f} N"


def study_box(boundary: BaseGeometry, margin_m: float) -> BaseGeometry:
    """Return the box of the boundary, widened by the margin on all sides."""
    west, south, east, north = boundary.bounds
    return shapely.box(west - margin_m, south - margin_m, east + margin_m, north + margin_m)


def inside_box(xy: Floats, box: BaseGeometry) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which points, shape (points, 2), lie in the box or on its edge."""
    west, south, east, north = box.bounds
    inside: np.ndarray[tuple[int], np.dtype[np.bool_]] = (
        (xy[:, 0] >= west) & (xy[:, 0] <= east) & (xy[:, 1] >= south) & (xy[:, 1] <= north)
    )
    return inside


def ids_and_none(zones: gpd.GeoDataFrame) -> Objects:
    """Return the zone ids and, at the end (position -1), None for what lies beyond the zones; shape (zones + 1,)."""
    ids = np.full(len(zones) + 1, None, dtype=object)
    ids[:-1] = zones["zone_id"].to_numpy(dtype=object)
    return ids


def zone_of(xy: Floats, zones: gpd.GeoDataFrame) -> pd.Series:
    """Return the zone of each point: a point on a shared border belongs to the zone whose id sorts first.

    Parameters
    ----------
    xy
        Points in the zones' reference system, shape (points, 2).
    zones
        Sorted by `zone_id`.

    Returns
    -------
    pandas.Series
        Zone ids, None beyond the zones.
    """
    point, zone = shapely.STRtree(zones.geometry.to_numpy()).query(shapely.points(xy), predicate="intersects")
    nearest = np.full(len(xy), len(zones), dtype=np.int64)
    np.minimum.at(nearest, point, zone)
    return pd.Series(ids_and_none(zones)[nearest], dtype="object")
