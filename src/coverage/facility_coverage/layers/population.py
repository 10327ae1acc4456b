"""Where people are: read from a raster, polygons or points, in groups, rescaled to control totals."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from facility_coverage.config.people import AreaTypes, PointPopulation, RasterPopulation
from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers.area_types import type_zones
from facility_coverage.layers.contracts import raise_faults
from facility_coverage.layers.controls import ControlTotals, read_controls
from facility_coverage.layers.counted import TOTAL, Area, Counted
from facility_coverage.layers.groups import with_groups
from facility_coverage.layers.model import Demand
from facility_coverage.layers.people_cells import count_cells
from facility_coverage.layers.people_places import count_points
from facility_coverage.layers.people_polygons import count_polygons
from facility_coverage.layers.rescaling import Rescaled, meet_totals

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

    from facility_coverage.config.people import Group, Population

ZONE_TYPES = AreaTypes.model_validate({"from": "column"})


@dataclass(frozen=True)
class People:
    """The people of a study.

    Attributes
    ----------
    demand
        Where they are.
    zones
        The zones, with their area types.
    rows_read, rows_kept
        Cells, points or polygons of the source, and those within the study's area.
    details
        `controls` and `area_types`, row by row; see their modules.
    reports
        `controls`: how raking ended.
    """

    demand: Demand
    zones: gpd.GeoDataFrame
    rows_read: int
    rows_kept: int
    details: dict[str, pd.DataFrame] = field(default_factory=dict)
    reports: dict[str, dict[str, float]] = field(default_factory=dict)


def read_population(
    population: Population, groups: Sequence[Group], area: Area, *, area_types: AreaTypes = ZONE_TYPES
) -> People:
    """Read the people of a study.

    Groups that are a number's share of everybody, or counted on their own, are known everywhere; shares per area
    type, from a column of the zones or from a table are known in zones only and are NaN beyond.

    Raises
    ------
    LayerError
        If the source, the groups, the control totals or the area types are faulty.
    """
    counted, controls = _read(population, groups, area)
    zones, types = type_zones(area_types, counted.points, area.zones)
    read = with_groups(counted.points, groups, replace(area, zones=zones))
    rescaled = Rescaled(read, pd.DataFrame(), {})
    if controls is not None:
        rescaled = meet_totals(read, [group.id for group in groups], controls)
    ledger = _ledger(read, rescaled.points, groups, counted.beyond_margin)
    details = {"controls": rescaled.factors, "area_types": types}
    return People(
        Demand(rescaled.points, ledger, counted.cells), zones, counted.rows_read, counted.rows_kept,
        details={name: table for name, table in details.items() if len(table)},
        reports={"controls": rescaled.report} if rescaled.report else {},
    )  # fmt: skip


def _read(population: Population, groups: Sequence[Group], area: Area) -> tuple[Counted, ControlTotals | None]:
    """Return what is counted and what it must meet; the faults of both are raised together."""
    faults: list[Fault] = []
    counted = controls = None
    try:
        counted = _count(population, groups, area)
    except LayerError as error:
        faults += error.faults
    try:
        if population.controls is not None:
            names = [group.id for group in groups]
            controls = read_controls(population.controls, names, area.zones["zone_id"].tolist())
    except LayerError as error:
        faults += error.faults
    raise_faults(faults)
    if counted is None:
        raise ValueError("nothing was read, and no fault says why")
    return counted, controls


def _count(population: Population, groups: Sequence[Group], area: Area) -> Counted:
    if isinstance(population, RasterPopulation):
        return count_cells(population, groups, area)
    if isinstance(population, PointPopulation):
        return count_points(population, groups, area)
    return count_polygons(population, groups, area)


def _ledger(
    read: pd.DataFrame, rescaled: pd.DataFrame, groups: Sequence[Group], beyond_margin: dict[str, float]
) -> pd.DataFrame:
    """Return where the people of the source went, group by group."""
    inside = read["zone_id"].notna()
    shares = {group.id: group.share for group in groups if isinstance(group.share, float)}
    rows = []
    for name in [TOTAL, *(group.id for group in groups)]:
        counted = float(read.loc[inside, name].sum())
        in_zones = float(rescaled.loc[inside, name].sum())
        # What is not known for one point beyond the zones is not known for all of them.
        beyond = float(read.loc[~inside, name].sum(skipna=False))
        margin = beyond_margin.get(name, np.nan)
        if name in shares:
            margin = beyond_margin[TOTAL] * shares[name]
        rows.append((name, counted + beyond + margin, in_zones - counted, in_zones, beyond, margin))
    return pd.DataFrame(rows, columns=["group", "read", "rescaled", "in_zones", "beyond_zones", "beyond_margin"])
