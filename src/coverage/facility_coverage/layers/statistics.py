"""Statistics: figures that no map can tell, from a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers.columns import ALIASES, known_names, map_values, name_columns
from facility_coverage.layers.contracts import SourceTable, as_text, check_columns, raise_faults, text_or_none
from facility_coverage.layers.files import read_file
from facility_coverage.layers.model import STATISTICS
from facility_coverage.layers.numbers import COUNT_UNITS, read_numbers
from facility_coverage.layers.tables import keep_rows, shown_path

if TYPE_CHECKING:
    from collections.abc import Collection

    from facility_coverage.config.table import Table


def read_statistics(table: Table) -> SourceTable:
    """Read the statistics: `indicator`, `year`, `value` (NaN = no data), `zone_id`, `district_id`, `source` (or None).

    Raises
    ------
    LayerError
        If a column is missing, a year or value is no number, an indicator is empty, or a figure is there twice.
    """
    file = shown_path(table.path)
    if not table.path.is_file():
        raise LayerError([Fault(file, "no such file")])
    wanted = {name: ALIASES.get(name, ()) for name in STATISTICS}
    read = read_file(table, file=file, known=known_names(table, wanted))
    if not len(read.frame):
        raise LayerError([Fault(file, "the table is empty (0 rows)")])
    named, _ = name_columns(keep_rows(read.frame, table, file), table, wanted=wanted, file=file)
    source, faults = map_values(SourceTable(named, file, len(read.frame), found=read.found), table, choices={})
    faults += check_columns(source, list(STATISTICS[:3]))
    raise_faults(faults)
    return _typed(source)


def _typed(source: SourceTable) -> SourceTable:
    frame = source.frame
    indicator = as_text(frame["indicator"])
    faults = source.fault_rows(indicator == "", "is empty", column="indicator", advice="name the indicator")
    years, values = read_numbers(frame["year"], units=("年",)), read_numbers(frame["value"], units=(*COUNT_UNITS, "%"))
    whole = (years.value >= 1900) & (years.value <= 2200) & (years.value == np.round(years.value))
    faults += source.fault_rows(~whole, "{} is not a year", column="year", advice="write it like 2025")
    advice = "give a number in the goal's unit, or leave it empty"
    faults += source.fault_rows(values.is_wrong, "{} is not a number", column="value", advice=advice)
    raise_faults(faults)
    places = {
        name: text_or_none(frame[name]) if name in frame.columns else pd.Series([None] * len(frame), frame.index)
        for name in STATISTICS[3:]
    }
    columns = {"indicator": indicator, "year": years.value.astype(np.int64), "value": values.value, **places}
    typed = pd.DataFrame(columns, index=frame.index).astype(dict.fromkeys(STATISTICS[3:], object))
    key = ["indicator", "year", "zone_id", "district_id"]
    again = typed.duplicated(key).to_numpy()
    checked = SourceTable(typed, source.file, source.rows_read, found=source.found)
    raise_faults(checked.fault_rows(again, "{} is there twice for this year and place", column="indicator"))
    return checked


def place_statistics(source: SourceTable, zone_ids: Collection[str], district_ids: Collection[str]) -> pd.DataFrame:
    """Return the statistics of the study and its places, sorted; rows of other zones and districts are passed over."""
    frame = source.frame
    keep = np.ones(len(frame), dtype=np.bool_)
    for column, known in (("zone_id", zone_ids), ("district_id", district_ids)):
        keep &= (frame[column].isna() | frame[column].isin(list(known))).to_numpy()
    kept: pd.DataFrame = frame[keep].sort_values(["indicator", "year"], kind="stable").reset_index(drop=True)
    return kept
