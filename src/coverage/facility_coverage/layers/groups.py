"""Groups that are a share of everybody: one share, one per area type, or one per zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers.contracts import (
    SHOWN_FAULTS,
    SourceTable,
    as_text,
    check_columns,
    missing_column,
    raise_faults,
    to_count,
)
from facility_coverage.layers.counted import TOTAL
from facility_coverage.layers.zone_tables import read_zone_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

    from facility_coverage.config.people import Group
    from facility_coverage.config.table import Table
    from facility_coverage.layers.counted import Area

SHARE = "share"


def check_groups(groups: Sequence[Group], zones: SourceTable) -> list[Fault]:
    """Return the faults of the shares that groups take from the zones or from tables of their own."""
    faults = []
    for column in dict.fromkeys(group.zone_column for group in groups if group.zone_column is not None):
        if column not in zones.frame.columns:
            faults.append(missing_column(zones.file, column, zones.frame.columns))
        else:
            faults += _shares(zones, column)[1]
    for table in (group.table for group in groups if group.table is not None):
        try:
            shares_of_table(table, as_text(zones.frame["zone_id"]).tolist())
        except LayerError as error:
            faults += error.faults
    return faults


def _shares(source: SourceTable, column: str) -> tuple[pd.Series, list[Fault]]:
    share, faults = to_count(source, column, needs="give a share between 0 and 1")
    advice = "give a share between 0 and 1"
    return share, faults + source.fault_rows(share > 1, "{} is more than 1", column=column, advice=advice)


def shares_of_table(table: Table, zone_ids: Sequence[str]) -> pd.Series:
    """Return the share of each zone from a table of its own; rows of other zones are passed over.

    Raises
    ------
    LayerError
        If a share is missing or not between 0 and 1, or a zone has no row.
    """
    source = read_zone_table(table, figures=[SHARE])
    rows = source.frame[source.frame["zone_id"].isin(list(zone_ids))]
    own = SourceTable(rows, source.file, source.rows_read, found=source.found)
    faults = check_columns(own, [SHARE])
    if not faults:
        share, faults = _shares(own, SHARE)
    missing = sorted(set(zone_ids) - set(rows["zone_id"]))
    faults += [Fault(source.file, f"zone {zone!r} has no row", advice="add it") for zone in missing[:SHOWN_FAULTS]]
    if len(missing) > SHOWN_FAULTS:
        faults.append(Fault(source.file, f"{len(missing) - SHOWN_FAULTS} more zones have no row"))
    raise_faults(faults)
    return share.set_axis(rows["zone_id"])


def with_groups(points: pd.DataFrame, groups: Sequence[Group], area: Area) -> pd.DataFrame:
    """Return the points with a column per group, in the study's order.

    Shares per area type or zone are known in zones only and are NaN beyond.
    """
    by_zone = {
        group.id: points["zone_id"].map(_zone_share(group, area.zones, area.zones_file)).astype("float64")
        for group in groups
        if isinstance(group.share, dict) or group.zone_column is not None or group.table is not None
    }
    counted = {name: points[TOTAL] * share for name, share in by_zone.items()}
    counted |= {group.id: points[TOTAL] * group.share for group in groups if isinstance(group.share, float)}
    lead = ["demand_id", "cell_id", "zone_id", "x_m", "y_m", TOTAL]
    return points.assign(**counted)[[*lead, *(group.id for group in groups)]]


def _zone_share(group: Group, zones: gpd.GeoDataFrame, file: str) -> pd.Series:
    """Return the group's share by `zone_id`."""
    ids = zones["zone_id"]
    if group.table is not None:
        return shares_of_table(group.table, ids.tolist())
    if group.zone_column is not None:
        if group.zone_column not in zones.columns:
            raise LayerError([missing_column(file, group.zone_column, zones.columns)])
        source = SourceTable(zones, file, len(zones))
        return to_count(source, group.zone_column)[0].set_axis(ids)
    per_type = group.share if isinstance(group.share, dict) else {}
    by_area_type = {str(area_type): value for area_type, value in per_type.items()}
    share: pd.Series = zones["area_type"].map(by_area_type).astype("float64")
    return share.set_axis(ids)
