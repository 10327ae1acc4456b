"""Where people are: cells of a raster divided among zones, or points; and the groups among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from facility_coverage.config.study import Group, PointPopulation, RasterPopulation
from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers import raster
from facility_coverage.layers.boundaries import extent, ids_and_none, inside_box, zone_of
from facility_coverage.layers.contracts import (
    PLACES,
    SourceTable,
    as_text,
    check_columns,
    check_geometry,
    check_ids,
    check_swapped,
    missing_column,
    raise_faults,
    to_count,
)
from facility_coverage.layers.crs import project_xy
from facility_coverage.layers.model import Demand
from facility_coverage.layers.tables import read_table, shown_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from facility_coverage.layers.model import Floats

TOTAL = "total"

OFF_RASTER_SHARE = 0.01
"""Zones may reach this far off the raster: coastal outlines take in some sea, where rasters end."""


@dataclass(frozen=True)
class Area:
    """Where a study looks for people: its zones, its outline and the box it reads, all in metres."""

    zones: gpd.GeoDataFrame
    zones_file: str
    boundary: BaseGeometry
    box: BaseGeometry


def read_population(
    population: RasterPopulation | PointPopulation, groups: Sequence[Group], area: Area
) -> tuple[Demand, int, int]:
    """Read the people of a study.

    Groups that are a number's share of everybody, or counted on their own, are known everywhere; shares per area
    type or from a column of the zones are known in zones only and are NaN beyond.

    Returns
    -------
    tuple
        Demand; cells or points read; cells or points kept.

    Raises
    ------
    LayerError
        If the source or the groups are faulty.
    """
    if isinstance(population, RasterPopulation):
        return _raster_demand(population, groups, area)
    return _point_demand(population, groups, area)


def _raster_demand(population: RasterPopulation, groups: Sequence[Group], area: Area) -> tuple[Demand, int, int]:
    file = shown_path(population.path)
    faults = [
        Fault(file, f"group {group.id!r} names a column, but the population is a raster", advice="name a raster: path")
        for group in groups
        if group.column is not None
    ]
    raise_faults(faults)
    crs = area.zones.crs
    windows = {TOTAL: raster.read_window(population.path, area.boundary, area.box, crs=crs, file=file)}
    for group in groups:
        if group.path is not None:
            windows[group.id] = _group_window(group, windows[TOTAL], area)
    window = windows[TOTAL]
    raise_faults(_zones_off_the_raster(window, area.zones, file))
    if not (window.people > 0).any():
        raise LayerError([Fault(file, "no cell of the study's area holds people", advice="check its nodata value")])
    everybody = np.sum([part.people for part in windows.values()], axis=0)
    pieces = raster.apportion(window, area.zones, np.flatnonzero(everybody.ravel() > 0))
    width = window.people.shape[1]
    row, col = window.row + pieces.cell // width, window.col + pieces.cell % width
    easting = window.transform.c + (pieces.cell % width + 0.5) * window.transform.a
    northing = window.transform.f + (pieces.cell // width + 0.5) * window.transform.e
    x, y = project_xy(easting, northing, source=window.crs, target=crs)
    zone = ids_and_none(area.zones)[pieces.zone]
    cell_id = row * window.width + col
    zone_id = pd.Series(zone, dtype="object")  # keeps None apart from NaN
    points = pd.DataFrame({"cell_id": cell_id, "zone_id": zone_id, "x_m": x, "y_m": y})
    points.insert(0, "demand_id", _piece_ids(cell_id, points["zone_id"]))
    counted = {name: raster.split(part.people.ravel(), pieces) for name, part in windows.items()}
    points = _with_groups(points.assign(**counted), groups, area)
    ledger = _ledger(points, groups, {name: part.beyond for name, part in windows.items()})
    cells = _cells(points, row, col)
    points = points.sort_values("demand_id").reset_index(drop=True)
    return Demand(points, ledger, cells), window.cells_read, len(cells)


def _zones_off_the_raster(window: raster.Window, zones: gpd.GeoDataFrame, file: str) -> list[Fault]:
    """Return a fault for each zone that the raster leaves out in part: nothing is known there, which is not 0."""
    height, width = window.people.shape
    left, top = window.transform.c, window.transform.f
    covered = shapely.box(left, top + height * window.transform.e, left + width * window.transform.a, top)
    outlines = zones.geometry.to_crs(window.crs).to_numpy()
    # A ratio of areas of one zone: degrees serve as well as metres.
    outside = 1.0 - shapely.area(shapely.intersection(outlines, covered)) / shapely.area(outlines)
    advice = "use a raster that covers every zone, or cut the zones to what it covers"
    return [
        Fault(file, f"{share:.0%} of zone {zone!r} lies off the raster", advice=advice)
        for zone, share in zip(zones["zone_id"], outside, strict=True)
        if share > OFF_RASTER_SHARE
    ]


def _piece_ids(cell_id: np.ndarray[tuple[int], np.dtype[np.int64]], zone_id: pd.Series) -> pd.Series:
    suffix = ("/" + zone_id).where(zone_id.notna(), "")
    return "c" + pd.Series(cell_id).astype(str).str.zfill(9) + suffix


def _group_window(group: Group, total: raster.Window, area: Area) -> raster.Window:
    if group.path is None:
        raise ValueError("the group has no raster")
    file = shown_path(group.path)
    window = raster.read_window(group.path, area.boundary, area.box, crs=area.zones.crs, file=file)
    same_place = (window.row, window.col, window.width) == (total.row, total.col, total.width)
    if not (
        same_place
        and window.people.shape == total.people.shape
        and window.transform.almost_equals(total.transform, precision=abs(total.transform.a) * 1e-3)
        and window.crs.equals(total.crs, ignore_axis_order=True)
    ):
        message = f"the raster of group {group.id!r} is not on the population's grid"
        raise LayerError([Fault(file, message, advice="warp it to the same origin, cell size and reference system")])
    return window


def _cells(points: pd.DataFrame, row: Floats, col: Floats) -> pd.DataFrame:
    inside = points["zone_id"].notna()
    people = points[TOTAL]
    frame = pd.DataFrame(
        {
            "cell_id": points["cell_id"],
            "row": row,
            "col": col,
            "read": people,
            "in_zones": people.where(inside, 0.0),
            "beyond_zones": people.where(~inside, 0.0),
        }
    )
    how = {"row": "first", "col": "first", "read": "sum", "in_zones": "sum", "beyond_zones": "sum"}
    return frame.groupby("cell_id", sort=True, as_index=False).agg(how)


def _with_groups(points: pd.DataFrame, groups: Sequence[Group], area: Area) -> pd.DataFrame:
    """Return the points with a column per group, in the study's order."""
    zones = area.zones.set_index("zone_id")
    shares = {
        group.id: points["zone_id"].map(_zone_share(group, zones, area.zones_file)).astype("float64")
        for group in groups
        if isinstance(group.share, dict) or group.zone_column is not None
    }
    counted = {name: points[TOTAL] * share for name, share in shares.items()}
    counted |= {group.id: points[TOTAL] * group.share for group in groups if isinstance(group.share, float)}
    frame = points.assign(**counted)
    lead = ["demand_id", "cell_id", "zone_id", "x_m", "y_m", TOTAL]
    return frame[[*lead, *(group.id for group in groups)]]


def check_groups(groups: Sequence[Group], zones: SourceTable) -> list[Fault]:
    """Return the faults of the zones' share columns that groups name."""
    faults = []
    for column in dict.fromkeys(group.zone_column for group in groups if group.zone_column is not None):
        if column not in zones.frame.columns:
            faults.append(missing_column(zones.file, column, zones.frame.columns))
            continue
        share, found = to_count(zones, column, required=True)
        faults += found
        advice = "give a share between 0 and 1"
        faults += zones.fault_rows(share > 1, "{} is more than 1", column=column, advice=advice)
    return faults


def _zone_share(group: Group, zones: gpd.GeoDataFrame, file: str) -> pd.Series:
    if group.zone_column is not None:
        if group.zone_column not in zones.columns:
            raise LayerError([missing_column(file, group.zone_column, zones.columns)])
        return pd.to_numeric(as_text(zones[group.zone_column]), errors="coerce").astype("float64")
    per_type = group.share if isinstance(group.share, dict) else {}
    by_area_type = {str(area_type): value for area_type, value in per_type.items()}
    share: pd.Series = zones["area_type"].map(by_area_type).astype("float64")
    return share


def _ledger(points: pd.DataFrame, groups: Sequence[Group], beyond_margin: dict[str, float]) -> pd.DataFrame:
    inside = points["zone_id"].notna()
    shares = {group.id: group.share for group in groups if isinstance(group.share, float)}
    rows = []
    for name in [TOTAL, *(group.id for group in groups)]:
        in_zones = float(points.loc[inside, name].sum())
        # What is not known for one point beyond the zones is not known for all of them.
        beyond = float(points.loc[~inside, name].sum(skipna=False))
        margin = beyond_margin.get(name, np.nan)
        if name in shares:
            margin = beyond_margin[TOTAL] * shares[name]
        rows.append((name, in_zones + beyond + margin, in_zones, beyond, margin))
    return pd.DataFrame(rows, columns=["group", "read", "in_zones", "beyond_zones", "beyond_margin"])


def _point_demand(population: PointPopulation, groups: Sequence[Group], area: Area) -> tuple[Demand, int, int]:
    source = read_table(population, role="population")
    columns = {TOTAL: TOTAL} | {group.id: group.column for group in groups if group.column is not None}
    faults = check_columns(source, list(dict.fromkeys(columns.values())))
    faults += [
        Fault(source.file, f"group {group.id!r} names a raster, but the population is points", advice="name a column")
        for group in groups
        if group.path is not None
    ]
    counted = {}
    for name, column in columns.items():
        if column in source.frame.columns:
            counted[name], found = to_count(source, column, required=True)
            faults += found
    if "demand_id" in source.frame.columns:
        faults += check_ids(source, "demand_id")
    faults += check_geometry(source, PLACES, what="people")
    if not faults:
        faults += check_swapped(source, gpd.GeoSeries([area.box], crs=area.zones.crs))
    raise_faults(faults)
    return _placed_points(source, counted, groups, area)


def _placed_points(
    source: SourceTable, counted: dict[str, pd.Series], groups: Sequence[Group], area: Area
) -> tuple[Demand, int, int]:
    frame = source.frame.to_crs(area.zones.crs)
    xy = shapely.get_coordinates(shapely.point_on_surface(frame.geometry.to_numpy()))
    inside = inside_box(xy, area.box)
    if not inside.any():
        have = extent(shapely.box(*frame.total_bounds))
        message = f"none of the {len(frame)} points ({have}) lies in the study's area ({extent(area.box)})"
        raise LayerError(
            [Fault(source.file, message, advice="check the reference system and the order of lon and lat")]
        )
    number = frame.index.to_series().astype("int64")
    ids = as_text(frame["demand_id"]) if "demand_id" in frame.columns else "p" + number.astype(str).str.zfill(9)
    everything = pd.DataFrame(
        {"demand_id": ids, "cell_id": number - 1, "zone_id": None, "x_m": xy[:, 0], "y_m": xy[:, 1], **counted},
        index=frame.index,
    )
    points = everything[inside].reset_index(drop=True).assign(zone_id=zone_of(xy[inside], area.zones))
    points = _with_groups(points, groups, area).sort_values("demand_id").reset_index(drop=True)
    beyond = {name: float(everything.loc[~inside, name].sum()) for name in counted}
    cells = pd.DataFrame(columns=["cell_id", "row", "col", "read", "in_zones", "beyond_zones"])
    return Demand(points, _ledger(points, groups, beyond), cells), source.rows_read, len(points)
