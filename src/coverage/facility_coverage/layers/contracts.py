"""What each table must hold, checked row by row so that every fault is listed at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers.crs import WGS84
from facility_coverage.layers.numbers import COUNT_UNITS, read_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    import numpy.typing as npt

    Said = str | Callable[[Hashable], str]  # of a row: the same of every row, or made from its label

SHOWN_FAULTS = 20
"""Faults of one kind that are spelled out before the rest is counted."""

SWAP_DISTANCE_DEG = 5.0
"""A point nearer to the study than this is beyond it, not swapped (matters only where longitude is about latitude)."""

POLYGONS = ("Polygon", "MultiPolygon")
LINES = ("LineString", "MultiLineString")
PLACES = ("Point", "MultiPoint", *POLYGONS)


@dataclass(frozen=True)
class SourceTable:
    """A table as read from disk.

    Attributes
    ----------
    frame
        Rows kept, in the file's reference system; the index is the row of the spreadsheet, or else the data row from 1.
    file
        Path as shown in faults.
    rows_read
        Rows of the file before `where`.
    is_osm
        Whether rows are OpenStreetMap objects; faults then name the object, for its row means nothing to a user.
    found
        What reading found out, for the doctor: encoding, delimiter, sheet, heading row, rows skipped, aliases.
    """

    frame: gpd.GeoDataFrame
    file: str
    rows_read: int
    is_osm: bool = False
    found: Mapping[str, str] = field(default_factory=dict)

    def fault(self, label: Hashable, message: str, *, column: str | None = None, advice: str = "") -> Fault:
        """Return a fault at the row `label` of the frame."""
        if self.is_osm:
            return Fault(self.file, f"{self.frame.loc[label, 'osm_id']}: {message}", column=column, advice=advice)
        return Fault(self.file, message, row=int(str(label)), column=column, advice=advice)

    def fault_rows(
        self, wrong: Iterable[bool], message: Said, *, column: str | None = None, advice: Said = ""
    ) -> list[Fault]:
        """Return a fault for each row that is `wrong`; ``{}`` in the message stands for the column's value.

        Message and advice may also be functions of the row's label.
        """
        rows = self.frame.index[np.asarray(wrong, dtype=bool)]
        faults = []
        for label in rows[:SHOWN_FAULTS]:
            value = self.frame.loc[label, column] if column in self.frame.columns else None
            value = value.item() if isinstance(value, np.generic) else value
            says, helps = (one if isinstance(one, str) else one(label) for one in (message, advice))
            faults.append(self.fault(label, says.replace("{}", repr(value)), column=column, advice=helps))
        if len(rows) > SHOWN_FAULTS:
            faults.append(Fault(self.file, f"{len(rows) - SHOWN_FAULTS} more rows with this fault", column=column))
        return faults


def as_text(values: pd.Series) -> pd.Series:
    """Return values as stripped strings; whole floats lose their ``.0``, missing ones become empty.

    Examples
    --------
    >>> as_text(pd.Series([500118001.0, None, 2.5])).tolist()
    ['500118001', '', '2.5']
    """
    if pd.api.types.is_float_dtype(values.dtype):
        whole = values.notna() & np.isfinite(values) & (values == values.round())
        text = values.astype(str).astype(object)
        text[whole] = values[whole].astype("int64").astype(str)
    else:
        text = values.astype(object).map(str, na_action="ignore")
    return text.where(values.notna(), "").astype(object).map(lambda value: str(value).strip()).astype(object)


def text_or_none(values: pd.Series) -> pd.Series:
    """Return values as strings, None where they are missing or empty."""
    text = as_text(values).to_numpy(dtype=object).copy()
    text[text == ""] = None
    return pd.Series(text, index=values.index, dtype="object")


def check_columns(source: SourceTable, columns: Sequence[str]) -> list[Fault]:
    """Return a fault for each required column that the table lacks."""
    return [missing_column(source.file, c, source.frame.columns) for c in columns if c not in source.frame.columns]


def missing_column(file: str, column: str, present: Iterable[str]) -> Fault:
    """Return the fault of a column that is not there, with the nearest name that is."""
    names = [str(name) for name in present if name != "geometry"]
    near = get_close_matches(column, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    listed = ", ".join(repr(name) for name in names[:30]) or "none"
    advice = f"{hint}name it under `columns:` or give it under `constants:`; the file has {listed}"
    return Fault(file, f"column {column!r} is missing", advice=advice)


def check_geometry(source: SourceTable, types: Sequence[str], *, what: str) -> list[Fault]:
    """Return faults of missing geometry, wrong geometry types and coordinates that cannot be."""
    geometry = source.frame.geometry
    missing = (geometry.isna() | geometry.is_empty).to_numpy()
    faults = source.fault_rows(missing, "has no geometry (empty or NaN coordinates)")
    wrong = ~missing & ~geometry.geom_type.isin(types).to_numpy()
    found = ", ".join(sorted(set(geometry.geom_type[wrong])))
    faults += source.fault_rows(wrong, f"geometry is {found}", advice=f"{what} must be {' or '.join(types)}")
    bounds = geometry.bounds.to_numpy()
    faults += source.fault_rows(~missing & ~np.isfinite(bounds).all(axis=1), "has NaN or infinite coordinates")
    crs = geometry.crs
    if crs is not None and crs.is_geographic:
        with np.errstate(invalid="ignore"):
            beyond = np.isfinite(bounds).all(axis=1) & (
                (np.abs(bounds[:, [0, 2]]) > 360).any(axis=1) | (np.abs(bounds[:, [1, 3]]) > 90).any(axis=1)
            )
        faults += _range_faults(source, beyond & ~missing, bounds)
    return faults


def check_polygons(source: SourceTable, *, what: str) -> list[Fault]:
    """Return faults of shapes that are no polygons, or, where all are, of invalid ones."""
    faults = check_geometry(source, POLYGONS, what=what)
    invalid = ~source.frame.geometry.is_valid
    return faults or source.fault_rows(invalid, "the polygon is invalid", advice="correct the outline")


def _range_faults(source: SourceTable, beyond: npt.NDArray[np.bool_], bounds: npt.NDArray[np.float64]) -> list[Fault]:
    if not beyond.any():
        return []
    corner = dict(zip(source.frame.index, bounds[:, :2], strict=True))

    def advice(label: Hashable) -> str:
        lon, lat = np.abs(corner[label])
        if lon <= 90 and lat <= 180:
            return "lon and lat look swapped"
        return "correct it, or give the right `crs:` if the coordinates are projected"

    def message(label: Hashable) -> str:
        return "lon {:g}, lat {:g} is not on Earth".format(*corner[label])

    return source.fault_rows(beyond, message, advice=advice)


def check_ids(source: SourceTable, column: str) -> list[Fault]:
    """Return faults of empty and repeated ids."""
    text = as_text(source.frame[column])
    faults = source.fault_rows(text == "", "is empty", column=column, advice="give each row an id of its own")
    repeated = text.duplicated(keep=False) & (text != "")
    firsts = text[repeated].drop_duplicates()
    for label, value in list(firsts.items())[:SHOWN_FAULTS]:
        rows = [str(row) for row in text.index[text == value]]
        where = "" if source.is_osm else f" (rows {', '.join(rows[:10])})"
        faults.append(source.fault(label, f"{value!r} is there {len(rows)} times{where}", column=column))
    if len(firsts) > SHOWN_FAULTS:
        faults.append(Fault(source.file, f"{len(firsts) - SHOWN_FAULTS} more ids are repeated", column=column))
    return faults


def check_choice(source: SourceTable, column: str, choices: Sequence[str]) -> list[Fault]:
    """Return a fault for each value that is missing or is not one of `choices`."""
    listed = ", ".join(repr(choice) for choice in choices)
    text = as_text(source.frame[column])
    faults = source.fault_rows(text == "", "is empty", column=column, advice=f"give one of {listed}")

    given = dict(text.items())

    def advice(label: Hashable) -> str:
        near = get_close_matches(given[label], choices, n=1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        return f"{meant}correct it, or map it under `values: {{{column}: …}}`"

    wrong = ~text.isin(choices) & (text != "")
    return faults + source.fault_rows(wrong, f"{{}} is not one of {listed}", column=column, advice=advice)


def to_count(source: SourceTable, column: str, *, needs: str = "") -> tuple[pd.Series, list[Fault]]:
    """Return a column as non-negative float64, NaN where there is no data, and its faults.

    Parameters
    ----------
    source
        The table.
    column
        Counts of beds, people …, as `numbers.read_numbers` understands them.
    needs
        What to give where there is no data; by default no data is no fault.
    """
    counts = read_numbers(source.frame[column], units=COUNT_UNITS)
    advice = "give digits, as in 120, 1,200, 1.2万 or 120张, or leave it empty"
    faults = source.fault_rows(counts.is_wrong, "{} is not a number", column=column, advice=advice)
    negative = counts.value < 0
    faults += source.fault_rows(negative, "{} is negative", column=column, advice="give a count of 0 or more")
    if needs:
        faults += source.fault_rows(counts.is_empty, "is empty", column=column, advice=needs)
    return pd.Series(counts.value, index=source.frame.index, name=column), faults


def check_swapped(source: SourceTable, study_area: gpd.GeoSeries) -> list[Fault]:
    """Return faults of points that fall into the study's area only when lon and lat change places.

    Parameters
    ----------
    source
        Points in any reference system; only geographic ones can be swapped unnoticed.
    study_area
        Area read by the study, in its own reference system.
    """
    geometry = source.frame.geometry
    if not geometry.crs.is_geographic or not len(geometry):
        return []
    west, south, east, north = study_area.to_crs(WGS84).total_bounds
    x, y = shapely.get_coordinates(shapely.centroid(geometry.to_numpy())).T
    away = np.maximum.reduce([west - x, x - east, south - y, y - north])
    inside_when_swapped = (y >= west) & (y <= east) & (x >= south) & (x <= north)
    wrong = (away > SWAP_DISTANCE_DEG) & inside_when_swapped
    if not wrong.any():
        return []
    lon, lat = x[wrong][0], y[wrong][0]
    message = f"lon {lon:.5f}, lat {lat:.5f} is far from the study, but inside it when swapped"
    if wrong.sum() > 1:
        message = f"lies far from the study, but inside it when swapped (first: lon {lon:.5f}, lat {lat:.5f})"
    return source.fault_rows(wrong, message, advice="lon and lat are swapped: correct the columns")


def raise_faults(faults: Sequence[Fault]) -> None:
    """Raise the faults, if any.

    Raises
    ------
    LayerError
        With all of them.
    """
    if faults:
        raise LayerError(faults)
