"""Districts: which zone lies in which, by its code or by where most of it lies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from facility_coverage.errors import Fault
from facility_coverage.layers.contracts import (
    POLYGONS,
    SHOWN_FAULTS,
    SourceTable,
    as_text,
    check_columns,
    check_geometry,
    check_ids,
    raise_faults,
)
from facility_coverage.layers.tables import read_table
from facility_coverage.layers.topology import polygons_of

if TYPE_CHECKING:
    from facility_coverage.config.study import Districts

MOST = 0.5
"""A zone without a code belongs to the one district that holds more than this share of it."""

SHORTEST_CODE = 5
"""Codes at least this long have a fixed length; numbers shorter than this may simply count."""

LEAD = ("zone_id", "name", "area_type", "district_id", "district_name")


def read_districts(table: Districts) -> SourceTable:
    """Read the districts, with outlines where the file has them.

    Returns
    -------
    SourceTable
        `district_id`, `name` (the id where it is empty), polygons or no geometry at all.

    Raises
    ------
    LayerError
        If a column is missing, an id is empty or repeated, or an outline is invalid.
    """
    source = read_table(table, role="districts", wanted=("district_id", "name"))
    frame = source.frame
    if source.is_osm:
        named = {"district_id": "osm_id", "name": "name" if "name" in frame.columns else "osm_id"}
        absent = {ours: frame[theirs] for ours, theirs in named.items() if ours not in frame.columns}
        source = replace(source, frame=frame.assign(**absent))
    faults = check_columns(source, ["district_id", "name"])
    if "district_id" in source.frame.columns:
        faults += check_ids(source, "district_id")
    if has_outlines(source):
        faults += check_geometry(source, POLYGONS, what="the outline of a district") or _ring_faults(source)
    raise_faults(faults)
    ids, names = as_text(source.frame["district_id"]), as_text(source.frame["name"])
    kept = source.frame[["geometry"]].assign(district_id=ids, name=names.where(names != "", ids))
    return replace(source, frame=kept)


def _ring_faults(source: SourceTable) -> list[Fault]:
    valid = source.frame.geometry.is_valid
    return source.fault_rows(~valid, "the outline of the district is invalid", advice="repair the outline")


def has_outlines(source: SourceTable) -> bool:
    """Return whether any district has an outline."""
    return bool(source.frame.geometry.notna().any())


def with_districts(
    zones: gpd.GeoDataFrame, file: str, source: SourceTable | None, *, crossing_share: float = 0.0
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return the zones with `district_id` and `district_name`, and those that cross the border of their district.

    Parameters
    ----------
    zones
        In metres, sorted by `zone_id`; `district_id` is a code, empty or absent where outlines are to tell.
    file
        The zones' file, named in faults.
    source
        From `read_districts`; without it a district is called by its code, and zones without a code have none.
    crossing_share
        A zone with more of its area than this beyond its district's outline is listed.

    Returns
    -------
    zones
        New, with both columns; None where the study knows no district.
    crossings
        `zone_id`, `name`, `district_id`, `area_m2` and `share` beyond the district, `others` (districts entered).

    Raises
    ------
    LayerError
        If a zone names a district that is not there, or none holds most of it.
    """
    absent = pd.Series("", index=zones.index, dtype=object)
    codes = as_text(zones["district_id"]) if "district_id" in zones.columns else absent
    if source is None:
        ids = codes.where(codes != "", None).astype(object)
        return _named(zones, ids, ids), _no_crossings()
    parts = _parts(zones, source)
    raise_faults(_unknown(codes, zones, file, source))
    codes, faults = _told_by_outlines(codes, zones, file, parts, source)
    raise_faults(faults)
    names = source.frame.set_index("district_id")["name"]
    return _named(zones, codes, codes.map(names)), _crossings(zones, codes, parts, crossing_share)


def _named(zones: gpd.GeoDataFrame, ids: pd.Series, names: pd.Series) -> gpd.GeoDataFrame:
    frame = zones.assign(district_id=ids.astype(object), district_name=names.astype(object))
    rest = [column for column in frame.columns if column not in {*LEAD, "geometry"}]
    return frame[[*LEAD, *rest, "geometry"]]


def _parts(zones: gpd.GeoDataFrame, source: SourceTable) -> pd.DataFrame:
    """Return the shares of zones in districts: `zone` (position), `district_id`, `area_m2`, `share`; > 0 only."""
    if not has_outlines(source):
        return pd.DataFrame({"zone": np.empty(0, np.int64), "district_id": [], "area_m2": [], "share": []})
    districts = source.frame.to_crs(zones.crs).sort_values("district_id")
    shapes, outlines = zones.geometry.to_numpy(), polygons_of(districts.geometry.to_numpy())
    zone, district = shapely.STRtree(outlines).query(shapes, predicate="intersects")
    area = shapely.area(shapely.intersection(shapes[zone], outlines[district]))
    ids = districts["district_id"].to_numpy()[district]
    table = pd.DataFrame(
        {"zone": zone, "district_id": ids, "area_m2": area, "share": area / shapely.area(shapes)[zone]}
    )
    return table[table["area_m2"] > 0].sort_values(["zone", "district_id"], ignore_index=True)


def _unknown(codes: pd.Series, zones: gpd.GeoDataFrame, file: str, source: SourceTable) -> list[Fault]:
    """Return faults of codes that no district has; where only leading zeros differ, say so."""
    known = source.frame["district_id"].tolist()
    short: dict[str, list[str]] = {}
    for code in known:
        short.setdefault(code.lstrip("0"), []).append(code)
    faults = []
    for code in sorted({code for code in codes if code and code not in set(known)}):
        listed = ", ".join(repr(one) for one in known[:SHOWN_FAULTS])
        alike = short.get(code.lstrip("0"), [])
        lost = f"{alike[0]!r} differs in its leading zeros only: keep codes as text" if alike else ""
        rows = zones.loc[codes == code, "zone_id"]
        message = f"district {code!r} of zone {rows.iloc[0]!r}{_and_more(len(rows) - 1)} is not in {source.file}"
        faults.append(Fault(file, message, column="district_id", advice=lost or f"there are {listed}"))
    return faults[:SHOWN_FAULTS]


def _and_more(count: int) -> str:
    return f" and {count} more" if count else ""


def _told_by_outlines(
    codes: pd.Series, zones: gpd.GeoDataFrame, file: str, parts: pd.DataFrame, source: SourceTable
) -> tuple[pd.Series, list[Fault]]:
    """Return a code for every zone, and faults of those of which no district, or more than one, holds most."""
    open_ones = np.flatnonzero(codes == "")
    if len(open_ones) and not has_outlines(source):
        advice = f"give each zone its district_id, or {source.file} outlines"
        one = zones["zone_id"].iloc[open_ones[0]]
        return codes, [Fault(file, f"zone {one!r}{_and_more(len(open_ones) - 1)} names no district", advice=advice)]
    most = parts[parts["share"] > MOST]
    told = most[~most["zone"].duplicated(keep=False)].set_index("zone")["district_id"]
    faults = []
    for zone in np.setdiff1d(open_ones, told.index.to_numpy()):
        held = parts[parts["zone"] == zone].sort_values(["share", "district_id"], ascending=[False, True])
        said = ", ".join(
            f"{share:.0%} in {code!r}" for code, share in zip(held["district_id"], held["share"], strict=True)
        )
        message = f"zone {zones['zone_id'].iloc[zone]!r} lies in no one district for the most part"
        advice = "give it its district_id, or correct the outlines"
        faults.append(Fault(file, f"{message} ({said or 'it meets none'})", advice=advice))
    filled = codes.to_numpy(dtype=object).copy()
    filled[open_ones] = told.reindex(open_ones).to_numpy()
    return pd.Series(filled, index=codes.index, dtype=object), faults[:SHOWN_FAULTS]


def _no_crossings() -> pd.DataFrame:
    return pd.DataFrame(columns=["zone_id", "name", "district_id", "area_m2", "share", "others"])


def _crossings(zones: gpd.GeoDataFrame, codes: pd.Series, parts: pd.DataFrame, crossing_share: float) -> pd.DataFrame:
    if parts.empty:
        return _no_crossings()
    own = parts["district_id"].to_numpy() == codes.to_numpy()[parts["zone"]]
    inside = parts[own].set_index("zone")["area_m2"].reindex(range(len(zones)), fill_value=0.0).to_numpy()
    area = shapely.area(zones.geometry.to_numpy())
    others = parts[~own].groupby("zone")["district_id"].agg(", ".join).reindex(range(len(zones)), fill_value="")
    table = pd.DataFrame(
        {
            "zone_id": zones["zone_id"],
            "name": zones["name"],
            "district_id": codes,
            "area_m2": area - inside,
            "share": 1.0 - inside / area,
            "others": others.to_numpy(),
        }
    )
    return table[table["share"] > crossing_share].reset_index(drop=True)


def uneven_codes(source: SourceTable, column: str, *, layer: str) -> pd.DataFrame:
    """Return a row if a column of codes seems to have lost leading zeros: all digits, and not all of one length.

    Returns
    -------
    pandas.DataFrame
        `layer`, `file`, `column`, `short_count` (codes shorter than the longest), `code` (the first of them), `length`
        (of the longest); at most one row.
    """
    names = ["layer", "file", "column", "short_count", "code", "length"]
    if column not in source.frame.columns:
        return pd.DataFrame(columns=names)
    codes = as_text(source.frame[column])
    codes = codes[codes != ""]
    lengths = codes.str.len()
    if not len(codes) or not codes.str.fullmatch(r"[0-9]+").all() or lengths.max() < SHORTEST_CODE:
        return pd.DataFrame(columns=names)
    short = codes[lengths < lengths.max()].sort_values()
    row = [layer, source.file, column, len(short), short.iloc[0] if len(short) else "", int(lengths.max())]
    return pd.DataFrame([row] if len(short) else [], columns=names)
