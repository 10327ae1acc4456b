"""Control totals: counts of zones and groups from elsewhere, which people are rescaled to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from facility_coverage.errors import Fault
from facility_coverage.layers.contracts import SourceTable, missing_column, raise_faults, to_count
from facility_coverage.layers.counted import TOTAL
from facility_coverage.layers.raking import TOLERANCE
from facility_coverage.layers.zone_tables import read_zone_table, unknown_zones

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facility_coverage.config.people import Controls


@dataclass(frozen=True)
class ControlTotals:
    """Control totals as read; NaN where none is given.

    Attributes
    ----------
    zones
        People by `zone_id` (the index, all zones of the study) and column: `total` or a group.
    study
        People of the whole study by column.
    disjoint
        Groups of which nobody is in two.
    file
        Name of the table in faults.
    """

    zones: pd.DataFrame
    study: pd.Series
    disjoint: tuple[str, ...]
    file: str


def read_controls(controls: Controls, groups: Sequence[str], zone_ids: Sequence[str]) -> ControlTotals:
    """Read the control totals.

    Parameters
    ----------
    controls
        The table, and what its rows and columns mean.
    groups
        Ids of the study's groups.
    zone_ids
        Ids of its zones.

    Raises
    ------
    LayerError
        If no column counts anybody, a count is negative or no number, a zone is unknown, the study's row is not there,
        or a group is larger than its total.
    """
    names = [TOTAL, *groups]
    source = read_zone_table(controls, figures=names, with_totals=controls.study_row is not None)
    present = [name for name in names if name in source.frame.columns]
    faults = [] if present else [missing_column(source.file, TOTAL, source.frame.columns)]
    counts = {}
    for name in present:
        counts[name], found = to_count(source, name)
        faults += found
    of_study = source.frame["zone_id"] == controls.study_row
    if controls.study_row is not None and not of_study.any():
        message, advice = f"no row has the zone_id {controls.study_row!r}", "correct `study_row:`"
        faults.append(Fault(source.file, message, column="zone_id", advice=advice))
    faults += unknown_zones(replace(source, frame=source.frame[~of_study]), zone_ids)
    table = pd.DataFrame(counts, index=source.frame.index)
    faults += _larger_than_total(source, table, controls.disjoint)
    raise_faults(faults)
    by_zone = table[~of_study].set_axis(source.frame.loc[~of_study, "zone_id"]).reindex(zone_ids)
    study = table[of_study].iloc[0] if of_study.any() else pd.Series(np.nan, index=table.columns)
    return ControlTotals(by_zone, study, tuple(controls.disjoint), source.file)


def _larger_than_total(source: SourceTable, table: pd.DataFrame, disjoint: Sequence[str]) -> list[Fault]:
    if TOTAL not in table.columns:
        return []
    limit = table[TOTAL] * (1 + TOLERANCE)
    faults = []
    for name in table.columns.drop(TOTAL):
        faults += source.fault_rows(
            table[name] > limit, f"{{}} of group {name!r} are more than the total", column=name,
            advice="correct one of them: a group is part of everybody",
        )  # fmt: skip
    parts = [name for name in disjoint if name in table.columns]
    if len(parts) > 1:
        message = f"groups {', '.join(parts)} sum to more than the total"
        wrong = (table[parts].sum(axis=1) > limit) & (table[parts] <= limit.to_numpy()[:, None]).any(axis=1)
        faults += source.fault_rows(
            wrong, message, column=TOTAL, advice="correct them, or take them out of `disjoint:`"
        )
    return faults
