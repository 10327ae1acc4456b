"""Tables and vector layers from disk: any format GDAL reads, CSV, GeoParquet and OpenStreetMap files."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import geopandas as gpd
import pandas as pd
import pyogrio
import pyogrio.errors
import shapely

from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers import openstreetmap
from facility_coverage.layers.contracts import SourceTable, as_text, missing_column, raise_faults
from facility_coverage.layers.positions import with_positions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from facility_coverage.config.study import Scalar, Table

Role = Literal["zones", "boundary", "facilities", "population", "roads", "water", "neighbours", "barriers"]

SHOWN_VALUES = 8

_OSM_SHAPE: dict[Role, openstreetmap.Shape] = {
    "facilities": "places",
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
    return path.name.endswith((".pbf", ".osm", ".osm.gz", ".osm.bz2"))


def read_table(table: Table, *, role: Role) -> SourceTable:
    """Read a table, keep the rows asked for, and name its columns as the study does.

    Parameters
    ----------
    table
        File and how to read it. `where` looks at the file's own column names; values are compared as strings.
    role
        What the table is for; decides how OpenStreetMap objects become geometry.

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
    frame = _read_frame(table, file)
    rows_read = len(frame)
    if rows_read == 0:
        raise LayerError([Fault(file, "the layer is empty (0 rows)")])
    frame.index = pd.RangeIndex(1, rows_read + 1)
    frame = _keep_rows(frame, table, file)
    frame = _name_columns(frame, table, file)
    frame = with_positions(SourceTable(frame, file, rows_read), table)
    return SourceTable(frame.set_geometry(shapely.force_2d(frame.geometry.to_numpy()), crs=frame.crs), file, rows_read)


def _read_frame(table: Table, file: str) -> pd.DataFrame:
    suffix = table.path.suffix.lower()
    if suffix in {".csv", ".txt"}:
        return _read_csv(table.path, file)
    if suffix in {".parquet", ".geoparquet"}:
        return _read_parquet(table.path, file)
    try:
        layer = table.layer if table.layer is not None else _only_layer(table.path, file)
        frame: pd.DataFrame = pyogrio.read_dataframe(table.path, layer=layer)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.GeometryError) as error:
        raise LayerError([Fault(file, f"cannot be read: {_one_line(error)}")]) from None
    if not isinstance(frame, gpd.GeoDataFrame):
        frame = frame.drop(columns="geometry", errors="ignore")
    return frame


def _only_layer(path: Path, file: str) -> str | None:
    names = [str(name) for name, _ in pyogrio.list_layers(path)]
    if len(names) > 1:
        listed = ", ".join(repr(name) for name in names)
        raise LayerError([Fault(file, "holds several layers", advice=f"name one under `layer:` ({listed})")])
    return names[0] if names else None


def _read_csv(path: Path, file: str) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            # Rows longer than the header would lose their last fields with no more than a warning.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                path, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False, header=None
            )
    except UnicodeDecodeError:
        raise LayerError([Fault(file, "is not UTF-8 text", advice="save it as CSV UTF-8")]) from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, pd.errors.ParserWarning) as error:
        raise LayerError([Fault(file, f"is not a CSV table: {_one_line(error)}")]) from None
    header = table.iloc[0].tolist()
    twice = sorted({name for name in header if header.count(name) > 1})
    raise_faults([Fault(file, "two columns have this name", column=name, advice="rename one") for name in twice])
    frame = table.iloc[1:].reset_index(drop=True)
    frame.columns = header
    return frame


def _read_parquet(path: Path, file: str) -> pd.DataFrame:
    import pyarrow as pa  # noqa: PLC0415 - only for the name of its error

    try:
        try:
            frame: pd.DataFrame = gpd.read_parquet(path)
        except ValueError:  # no geo metadata: a plain table, with lon and lat columns like a CSV
            frame = pd.read_parquet(path)
    except (pa.ArrowException, OSError) as error:
        raise LayerError([Fault(file, f"cannot be read: {_one_line(error)}")]) from None
    return frame


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]


def _keep_rows(frame: pd.DataFrame, table: Table, file: str) -> pd.DataFrame:
    own_names = {ours: theirs for theirs, ours in table.columns.items()}
    keep = pd.Series(data=True, index=frame.index)
    for name, wanted in table.where.items():
        column = name if name in frame.columns else own_names.get(name, name)
        if column not in frame.columns:
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


def _name_columns(frame: pd.DataFrame, table: Table, file: str) -> pd.DataFrame:
    raise_faults([missing_column(file, name, frame.columns) for name in table.columns if name not in frame.columns])
    twice = sorted({ours for ours in table.columns.values() if list(table.columns.values()).count(ours) > 1})
    raise_faults([Fault(file, f"two columns are to be called {name!r}", advice="see `columns:`") for name in twice])
    renamed = {theirs: ours for theirs, ours in table.columns.items() if theirs != ours}
    # A column that already has one of our names makes way for the one the study names.
    frame = frame.drop(columns=[ours for ours in renamed.values() if ours in frame.columns and ours not in renamed])
    frame = frame.rename(columns=renamed)
    return frame.assign(**dict(table.constants))


def _read_osm_table(table: Table, file: str, role: Role) -> SourceTable:
    if role == "roads":
        raise ValueError("roads of an OpenStreetMap file are read by roads.read_roads")
    if not table.where:
        raise LayerError([Fault(file, "no tags are named", advice="name them under `where:`, e.g. {amenity: clinic}")])
    tags: Mapping[str, list[str]] = {key: wanted_texts(value) for key, value in table.where.items()}
    geometry = _OSM_SHAPE.get(role, "areas")
    frame, rows_read = openstreetmap.read_objects(table.path, tags, file=file, shape=geometry)
    missing = [name for name in table.columns if name not in frame.columns]
    frame = frame.assign(**dict.fromkeys(missing))
    frame = _name_columns(frame, table, file)
    return SourceTable(frame, file, rows_read, is_osm=True)
