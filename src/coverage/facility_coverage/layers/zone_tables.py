"""Tables without places, a row for each zone: shares of groups, control totals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers.columns import ALIASES, known_names, map_values, name_columns
from facility_coverage.layers.contracts import SourceTable, as_text, check_columns, check_ids, raise_faults
from facility_coverage.layers.files import read_file
from facility_coverage.layers.tables import keep_rows, shown_path

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from facility_coverage.config.table import Table


def read_zone_table(table: Table, *, figures: Sequence[str], with_totals: bool = False) -> SourceTable:
    """Read a table that has a row for each zone and no geometry.

    Parameters
    ----------
    table
        File and how to read it.
    figures
        Columns that the caller looks for, so that they are known by their aliases.
    with_totals
        Whether a row such as 合计 is data; otherwise those at the end are skipped.

    Returns
    -------
    SourceTable
        Rows kept; `zone_id` is text, unique and never empty.

    Raises
    ------
    LayerError
        If the file is missing or unreadable, keeps no row, or a zone's id is empty or repeated.
    """
    file = shown_path(table.path)
    if not table.path.is_file():
        raise LayerError([Fault(file, "no such file")])
    wanted = {name: ALIASES.get(name, ()) for name in ("zone_id", *figures)}
    read = read_file(table, file=file, known=known_names(table, wanted), with_totals=with_totals)
    if not len(read.frame):
        raise LayerError([Fault(file, "the table is empty (0 rows)")])
    frame, _ = name_columns(keep_rows(read.frame, table, file), table, wanted=wanted, file=file)
    source, faults = map_values(SourceTable(frame, file, len(read.frame), found=read.found), table, choices={})
    missing = check_columns(source, ["zone_id"])
    faults += missing or check_ids(source, "zone_id")
    raise_faults(faults)
    return SourceTable(
        source.frame.assign(zone_id=as_text(source.frame["zone_id"])), file, source.rows_read, found=source.found
    )


def unknown_zones(source: SourceTable, zone_ids: Collection[str]) -> list[Fault]:
    """Return a fault for each row whose `zone_id` is none of the study's."""
    listed = ", ".join(repr(zone) for zone in sorted(zone_ids)[:5]) + (" …" if len(zone_ids) > 5 else "")
    advice = f"correct the code or keep other rows out by `where:`; the study has {listed}"
    unknown = ~source.frame["zone_id"].isin(list(zone_ids))
    return source.fault_rows(unknown, "{} is no zone of the study", column="zone_id", advice=advice)
