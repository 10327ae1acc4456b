"""Tables and vector layers from disk: rows kept, columns and values under the names used here, and positions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import geopandas as gpd
import pandas as pd
import shapely

from facility_coverage.config.study import OSM_SUFFIXES, AreaType, FacilityTable
from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers import openstreetmap
from facility_coverage.layers.columns import (
    SHOWN_VALUES,
    find_column,
    known_names,
    map_values,
    name_columns,
    wanted_columns,
)
from facility_coverage.layers.contracts import SourceTable, as_text, missing_column, raise_faults
from facility_coverage.layers.crs import WGS84
from facility_coverage.layers.files import read_file
from facility_coverage.layers.osm_kinds import KINDS
from facility_coverage.layers.positions import with_positions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from facility_coverage.config.study import Scalar, Table

Role = Literal[
    "zones", "districts", "boundary", "facilities", "population", "roads", "water", "neighbours", "barriers", "areas",
]  # fmt: skip

_OSM_SHAPE: dict[Role, openstreetmap.Shape] = {
    "facilities": "sites",
    "population": "places",
    "barriers": "lines_and_areas",
}


def shown_path(path: Path) -> str:
    """Return a path as the user would type it: relative to the working directory where it lies below it."""
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(path)


def is_osm_file(path: Path) -> bool:
    """Return whether a path names an OpenStreetMap extract.

    Examples
    --------
    >>> is_osm_file(Path("comoros.osm.pbf")), is_osm_file(Path("roads.gpkg"))
    (True, False)
    """
    return path.name.endswith(OSM_SUFFIXES)


def read_table(table: Table, *, role: Role, wanted: Sequence[str] = ()) -> SourceTable:
    """Read a table, keep the rows asked for, and name its columns as the study does.

    Parameters
    ----------
    table
        File and how to read it. `where` looks at the file's own column names; values are compared as strings.
    role
        What the table is for; decides how OpenStreetMap objects become geometry, and which columns are needed.
    wanted
        Further columns that the caller looks for, so that they are known by their aliases.

    Returns
    -------
    SourceTable
        Geometry in the file's reference system.

    Raises
    ------
    LayerError
        If the file is missing or unreadable, has no reference system, lacks a named column, or keeps no row.
    """
    file = shown_path(table.path)
    if not table.path.is_file() and table.path.suffix != ".gdb":
        raise LayerError([Fault(file, "no such file")])
    if is_osm_file(table.path):
        return _read_osm_table(table, file, role)
    names = wanted_columns(table, role=role, more=wanted)
    read = read_file(table, file=file, known=known_names(table, names))
    if not len(read.frame):
        raise LayerError([Fault(file, "the layer is empty (0 rows)")])
    frame, aliases = name_columns(keep_rows(read.frame, table, file), table, wanted=names, file=file)
    source = SourceTable(frame, file, len(read.frame), found={**read.found, **_told(aliases)})
    source, faults = map_values(source, table, choices=_valid_values(table))
    if role == "districts" and not isinstance(frame, gpd.GeoDataFrame):
        raise_faults(faults)
        return replace(source, frame=gpd.GeoDataFrame(source.frame, geometry=[None] * len(frame), crs=WGS84))
    try:
        placed = with_positions(source, table)
    except LayerError as error:
        raise LayerError([*faults, *error.faults]) from None
    raise_faults(faults)
    flat = placed.set_geometry(shapely.force_2d(placed.geometry.to_numpy()), crs=placed.crs)
    return replace(source, frame=flat)


def _told(aliases: Mapping[str, str]) -> dict[str, str]:
    listed = ", ".join(f"{theirs}: {ours}" for theirs, ours in aliases.items())
    return {"aliases": listed} if listed else {}


def _valid_values(table: Table) -> dict[str, Sequence[str]]:
    tiers = [tier.id for tier in table.tiers] if isinstance(table, FacilityTable) else []
    return {"area_type": get_args(AreaType), "tier": tiers}


def keep_rows(frame: pd.DataFrame, table: Table, file: str) -> pd.DataFrame:
    """Return the rows of a file that `where` keeps; the columns still have the file's names.

    Raises
    ------
    LayerError
        If a column is missing or no row is kept.
    """
    own_names = {ours: theirs for theirs, ours in table.columns.items()}
    keep = pd.Series(data=True, index=frame.index)
    for name, wanted in table.where.items():
        column = find_column(name, frame.columns) or find_column(own_names.get(name, name), frame.columns)
        if column is None:
            raise LayerError([missing_column(file, name, frame.columns)])
        values = as_text(frame[column])
        keep &= values.isin(wanted_texts(wanted))
        if not keep.any():
            raise LayerError([_nothing_kept(file, column, wanted, values)])
    return frame.loc[keep]


def wanted_texts(wanted: Scalar | list[Scalar]) -> list[str]:
    """Return the value or values of a `where` as strings.

    Examples
    --------
    >>> wanted_texts([4, "5"])
    ['4', '5']
    """
    texts = [str(value) for value in (wanted if isinstance(wanted, list) else [wanted])]
    # Files write a truth in either case: True, true.
    return [*texts, *(text.lower() for text in texts if text in {"True", "False"})]


def _nothing_kept(file: str, column: str, wanted: Scalar | list[Scalar], values: pd.Series) -> Fault:
    counted = values.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    listed = ", ".join(repr(value) for value in counted.index[:SHOWN_VALUES])
    more = f" and {len(counted) - SHOWN_VALUES} others" if len(counted) > SHOWN_VALUES else ""
    message = f"none of the {len(values)} rows is kept by where {column}: {', '.join(wanted_texts(wanted))}"
    return Fault(file, message, column=column, advice=f"the column holds {listed}{more}")


def _tags(table: Table, file: str) -> Sequence[Mapping[str, Sequence[str]]]:
    """Return the tags that the study names, or those of the layer's kind."""
    if table.where:
        return [{key: wanted_texts(value) for key, value in table.where.items()}]
    if not isinstance(table, FacilityTable):
        raise LayerError([Fault(file, "no tags are named", advice="name them under `where:`, e.g. {amenity: clinic}")])
    if table.kind not in KINDS:
        advice = f"name tags under `where:`, or one of these kinds: {', '.join(KINDS)}"
        raise LayerError([Fault(file, f"no tags are known for the kind {table.kind!r}", advice=advice)])
    return KINDS[table.kind].any_of


def _read_osm_table(table: Table, file: str, role: Role) -> SourceTable:
    if role == "roads":
        raise ValueError("roads of an OpenStreetMap file are read by roads.read_roads")
    geometry = _OSM_SHAPE.get(role, "areas")
    frame, rows_read = openstreetmap.read_objects(table.path, _tags(table, file), file=file, shape=geometry)
    missing = [name for name in table.columns if name not in frame.columns]
    frame = frame.assign(**dict.fromkeys(missing))
    frame, _ = name_columns(frame, table, wanted={}, file=file)
    source, faults = map_values(SourceTable(frame, file, rows_read, is_osm=True), table, choices=_valid_values(table))
    raise_faults(faults)
    return source
