"""People from rasters: cells divided among zones, and groups with rasters of their own on the same grid."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers import apportioning, raster
from facility_coverage.layers.boundaries import ids_and_none
from facility_coverage.layers.contracts import raise_faults
from facility_coverage.layers.counted import TOTAL, Counted
from facility_coverage.layers.crs import project_xy
from facility_coverage.layers.tables import shown_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

    from facility_coverage.config.people import Group, RasterPopulation
    from facility_coverage.layers.counted import Area
    from facility_coverage.layers.model import Floats, Ints

OFF_RASTER_SHARE = 0.01
"""Zones may reach this far off the raster: coastal outlines take in some sea, where rasters end."""


def count_cells(population: RasterPopulation, groups: Sequence[Group], area: Area) -> Counted:
    """Read people per cell and divide them among zones.

    Raises
    ------
    LayerError
        If a raster is faulty or on another grid, leaves a zone out, or holds nobody.
    """
    file = shown_path(population.path)
    message = "group {!r} names a column, but the population is a raster"
    named = [group.id for group in groups if group.column is not None]
    raise_faults([Fault(file, message.format(name), advice="name a raster: path") for name in named])
    source = raster.RasterFile(population.path, file, population.unit, population.band, population.nodata)
    total = raster.read_window(source, area.boundary, area.box, crs=area.zones.crs)
    windows = {TOTAL: total} | {group.id: _group_window(group, total, area) for group in groups if group.paths()}
    raise_faults(_zones_off_the_raster(total, area.zones, file))
    if not (total.people > 0).any():
        raise LayerError([Fault(file, "no cell of the study's area holds people", advice="check its nodata value")])
    everybody = reduce(np.add, (part.people for part in windows.values()))
    pieces = apportioning.apportion(total, area.zones, np.flatnonzero(everybody.ravel() > 0))
    counted = {name: apportioning.split(part.people.ravel(), pieces) for name, part in windows.items()}
    points, cells = _placed(total, pieces, counted, area.zones)
    beyond = {name: part.beyond for name, part in windows.items()}
    return Counted(points, beyond, cells, total.cells_read, len(cells))


def _placed(
    window: raster.Window, pieces: apportioning.Pieces, counted: dict[str, Floats], zones: gpd.GeoDataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a point per piece of a cell, at the cell's centre, and the account of each cell."""
    width = window.people.shape[1]
    row, col = window.row + pieces.cell // width, window.col + pieces.cell % width
    easting = window.transform.c + (pieces.cell % width + 0.5) * window.transform.a
    northing = window.transform.f + (pieces.cell // width + 0.5) * window.transform.e
    x, y = project_xy(easting, northing, source=window.crs, target=zones.crs)
    cell_id = row * window.width + col
    zone_id = pd.Series(ids_and_none(zones)[pieces.zone], dtype="object")  # keeps None apart from NaN
    lead = {"demand_id": _piece_ids(cell_id, zone_id), "cell_id": cell_id, "zone_id": zone_id, "x_m": x, "y_m": y}
    points = pd.DataFrame({**lead, **counted})
    return points.sort_values("demand_id").reset_index(drop=True), _cells(points, row, col)


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


def _piece_ids(cell_id: Ints, zone_id: pd.Series) -> pd.Series:
    suffix = ("/" + zone_id).where(zone_id.notna(), "")
    return "c" + pd.Series(cell_id).astype(str).str.zfill(9) + suffix


def _group_window(group: Group, total: raster.Window, area: Area) -> raster.Window:
    """Return the sum of a group's rasters."""
    whole: raster.Window | None = None
    for path in group.paths():
        source = raster.RasterFile(path, shown_path(path), group.unit, group.band, group.nodata)
        window = raster.read_window(source, area.boundary, area.box, crs=area.zones.crs)
        if not _same_grid(window, total):
            message = f"the raster of group {group.id!r} is not on the population's grid"
            advice = "warp it to the same origin, cell size and reference system"
            raise LayerError([Fault(source.file, message, advice=advice)])
        if whole is None:
            whole = window
        else:
            whole = replace(whole, people=whole.people + window.people, beyond=whole.beyond + window.beyond)
    if whole is None:
        raise ValueError("the group has no raster")
    return whole


def _same_grid(window: raster.Window, total: raster.Window) -> bool:
    same_place = (window.row, window.col, window.width) == (total.row, total.col, total.width)
    return (
        same_place
        and window.people.shape == total.people.shape
        and window.transform.almost_equals(total.transform, precision=abs(total.transform.a) * 1e-3)
        and window.crs.equals(total.crs, ignore_axis_order=True)
    )


def _cells(points: pd.DataFrame, row: Ints, col: Ints) -> pd.DataFrame:
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


def no_cells() -> pd.DataFrame:
    """Return the account of cells where people were not counted per cell."""
    return pd.DataFrame(columns=["cell_id", "row", "col", "read", "in_zones", "beyond_zones"])
