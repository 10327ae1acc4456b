"""People from tables: at points, or per polygon with a grid of points laid into each."""

from __future__ import annotations

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
    check_columns,
    check_geometry,
    check_ids,
    check_swapped,
    raise_faults,
    to_count,
)
from facility_coverage.layers.counted import TOTAL, Counted
from facility_coverage.layers.people_cells import no_cells
from facility_coverage.layers.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facility_coverage.config.people import Group, PointPopulation, PolygonPopulation
    from facility_coverage.layers.counted import Area


def count_points(population: PointPopulation, groups: Sequence[Group], area: Area) -> Counted:
    """Read people at points.

    Raises
    ------
    LayerError
        If a count is missing, negative or no number, an id is repeated, or no point lies in the study's area.
    """
    source, counted = read_counts(population, groups, area, types=PLACES)
    frame = source.frame.to_crs(area.zones.crs)
    xy = shapely.get_coordinates(shapely.point_on_surface(frame.geometry.to_numpy()))
    inside = inside_box(xy, area.box)
    if not inside.any():
        raise LayerError([_nowhere(source, frame, area, what="points")])
    number = frame.index.to_series().astype("int64")
    everything = pd.DataFrame(
        {"demand_id": place_ids(frame, "p"), "cell_id": number - 1, "zone_id": None, "x_m": xy[:, 0], "y_m": xy[:, 1]}
    ).assign(**counted)
    points = everything[inside].reset_index(drop=True).assign(zone_id=zone_of(xy[inside], area.zones))
    beyond = {name: float(everything.loc[~inside, name].sum()) for name in counted}
    points = points.sort_values("demand_id").reset_index(drop=True)
    return Counted(points, beyond, no_cells(), source.rows_read, len(points))


def read_counts(
    population: PointPopulation | PolygonPopulation, groups: Sequence[Group], area: Area, *, types: Sequence[str]
) -> tuple[SourceTable, dict[str, pd.Series]]:
    """Return the places of people and the columns that count them.

    Raises
    ------
    LayerError
        If a column is missing, a count is missing, negative or no number, or a place is none of `types`.
    """
    source = read_table(population, role="population", wanted=[group.column for group in groups if group.column])
    columns = {TOTAL: TOTAL} | {group.id: group.column for group in groups if group.column is not None}
    faults = check_columns(source, list(dict.fromkeys(columns.values())))
    faults += [
        Fault(source.file, f"group {group.id!r} names a raster, but the population is {population.kind}",
              advice="name a column")
        for group in groups
        if group.path is not None
    ]  # fmt: skip
    counted = {}
    for name, column in columns.items():
        if column in source.frame.columns:
            counted[name], found = to_count(source, column, needs="give a count, 0 if there is none")
            faults += found
    if "demand_id" in source.frame.columns:
        faults += check_ids(source, "demand_id")
    faults += check_geometry(source, types, what="people" if types == PLACES else "where people are")
    if not faults:
        faults += check_swapped(source, gpd.GeoSeries([area.box], crs=area.zones.crs))
    raise_faults(faults)
    return source, counted


def place_ids(frame: pd.DataFrame, letter: str) -> pd.Series:
    """Return the `demand_id` of each row, or its number behind a letter."""
    if "demand_id" in frame.columns:
        return as_text(frame["demand_id"])
    return letter + frame.index.to_series().astype(str).str.zfill(9)


def _nowhere(source: SourceTable, frame: gpd.GeoDataFrame, area: Area, *, what: str) -> Fault:
    have = extent(shapely.box(*frame.total_bounds))
    message = f"none of the {len(frame)} {what} ({have}) lies in the study's area ({extent(area.box)})"
    return Fault(source.file, message, advice="check the reference system and the order of lon and lat")


def check_somewhere(source: SourceTable, frame: gpd.GeoDataFrame, area: Area) -> None:
    """Raise a fault where no polygon meets the study's area.

    Raises
    ------
    LayerError
        If none does.
    """
    if not shapely.intersects(frame.geometry.to_numpy(), area.box).any():
        raise LayerError([_nowhere(source, frame, area, what="polygons")])
