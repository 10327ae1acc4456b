"""Goals as columns of the zones: a GIS colours zones by their own columns."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from facility_coverage.analysis.verdicts import Verdict


def goal_columns(zones: pd.DataFrame, verdicts: Sequence[Verdict]) -> dict[str, Verdict]:
    """Return a column for each goal with figures for zones: ``goal_<goal>``, in the order of the verdicts.

    Where plans share an id, or ids differ by case only, which a GeoPackage does not tell apart, the plan's id comes
    before it: ``goal_<plan>_<goal>``.
    """
    taken = {str(column).lower() for column in zones.columns}
    found: dict[str, Verdict] = {}
    for verdict in verdicts:
        if all(zone.value is None for zone in verdict.zones):
            continue
        for name in (f"goal_{verdict.goal_id}", f"goal_{verdict.plan_id}_{verdict.goal_id}"):
            both = {name.lower(), status_column(name).lower()}
            if not both & taken:
                found[name] = verdict
                taken |= both
                break
    return found


def status_column(column: str) -> str:
    """Return the column that holds the verdict on the figures of another."""
    return f"{column}_status"


def with_goals(zones: pd.DataFrame, verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """Return the zones with figure and verdict of each goal."""
    added: dict[str, pd.Series] = {}
    for column, verdict in goal_columns(zones, verdicts).items():
        value = {zone.id: zone.value for zone in verdict.zones}
        status = {zone.id: zone.status for zone in verdict.zones}
        added[column] = zones["zone_id"].map(value).astype(float)
        added[status_column(column)] = zones["zone_id"].map(status).astype(object)
    return zones.assign(**added)
