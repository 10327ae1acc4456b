"""Facility layers: where the places are, of which tier and how large; from one file or several."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers.attributes import to_yes_no
from facility_coverage.layers.boundaries import extent, inside_box, zone_of
from facility_coverage.layers.changes import COLUMNS as CHANGE_COLUMNS
from facility_coverage.layers.changes import apply_changes
from facility_coverage.layers.contracts import (
    PLACES,
    SHOWN_FAULTS,
    SourceTable,
    as_text,
    check_choice,
    check_columns,
    check_geometry,
    check_ids,
    check_swapped,
    raise_faults,
    text_or_none,
    to_count,
)
from facility_coverage.layers.duplicates import find_pairs, merged, same_names
from facility_coverage.layers.opening import DATES, openings, order_faults, to_dates
from facility_coverage.layers.tables import read_table

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from facility_coverage.config.state import Change
    from facility_coverage.config.study import FacilityLayer, FacilityTable
    from facility_coverage.layers.counted import Area


@dataclass(frozen=True)
class PlacedFacilities:
    """The facilities of a layer on the ground.

    Attributes
    ----------
    frame
        `facility_id` (unique, sorted), `name`, `tier`, capacity columns, attributes (True, False or None), `address`
        (or None), `zone_id` (None beyond the zones), points.
    rows
        Per file: its name, rows read, and facilities within the box before duplicates were made one.
    duplicates
        Pairs that are likely one facility: `layer`, `first`, `second` (ids), `first_name`, `second_name`, `first_file`,
        `second_file`, `distance_m`, `similarity`, `merged`.
    openings
        Facilities that are not there on the study's day: `layer`, `facility_id`, `name`, `status` (``not yet open`` or
        ``closed``).
    changes
        What the study changed: `layer`, `facility_id`, `name`, `change`.
    same_names
        Names of several facilities that are not the same: `layer`, `name`, `facility_count`, `facilities`.
    """

    frame: gpd.GeoDataFrame
    rows: tuple[tuple[str, int, int], ...]
    duplicates: pd.DataFrame
    same_names: pd.DataFrame
    openings: pd.DataFrame
    changes: pd.DataFrame


@dataclass(frozen=True)
class Scenario:
    """What of the facilities is there: those open on a `day`, after `changes`; `file` names the study in faults."""

    day: dt.date
    changes: Sequence[Change]
    file: str


def read_facilities(layer: FacilityLayer) -> tuple[SourceTable, ...]:
    """Read the files of a facility layer, each in its own reference system, checked row by row.

    Returns
    -------
    tuple of SourceTable
        The most trusted first: `facility_id`, `name` (the id where the source has none), `tier` (None where the layer
        has no tiers), capacity columns as float64 (NaN = no data), attributes (True, False or None), `address`,
        `opened` and `closed` (dates; None where the file says nothing), `outline` (what the file draws), points.

    Raises
    ------
    LayerError
        If a column is missing, an id is empty or repeated, a tier is unknown, a capacity is negative or not a number,
        or a place cannot be made a point; with the faults of all files.
    """
    sources: list[SourceTable] = []
    faults: list[Fault] = []
    for table in layer.tables():
        try:
            sources.append(_read_source(table))
        except LayerError as error:
            faults += error.faults
    raise_faults(faults or _shared_ids(sources))
    return tuple(sources)


def _read_source(table: FacilityTable) -> SourceTable:
    source = _with_osm_columns(read_table(table, role="facilities"), table)
    frame = source.frame
    tier = ["tier"] if table.tiers else []
    faults = check_columns(source, ["facility_id", "name", *tier, *table.capacity, *table.attributes])
    if "facility_id" in frame.columns:
        faults += check_ids(source, "facility_id")
    if table.tiers and "tier" in frame.columns:
        faults += check_choice(source, "tier", [level.id for level in table.tiers])
    counts: dict[str, pd.Series] = {}
    for capacity in table.capacity:
        if capacity in frame.columns:
            counts[capacity], found = to_count(source, capacity)
            faults += found
    said, more = _optional(source, table)
    faults += [*more, *check_geometry(source, PLACES, what="a facility")]
    raise_faults(faults)
    ids, names = table.id_prefix + as_text(frame["facility_id"]), as_text(frame["name"])
    no_tier = pd.Series([None] * len(frame), frame.index, dtype="object")
    ordered = {
        "facility_id": ids,
        "name": names.where(names != "", ids),
        "tier": text_or_none(frame["tier"]) if table.tiers else no_tier,
        **counts,
        **said,
        "outline": frame.geometry.to_numpy(),
    }
    points = shapely.point_on_surface(frame.geometry.to_numpy())
    return replace(source, frame=gpd.GeoDataFrame(ordered, geometry=points, crs=frame.crs))


def _optional(source: SourceTable, table: FacilityTable) -> tuple[dict[str, pd.Series], list[Fault]]:
    """Return attributes, address and dates, None where the file says nothing, and their faults."""
    frame, faults = source.frame, []
    said: dict[str, pd.Series] = {}
    for attribute in table.attributes:
        if attribute in frame.columns:
            said[attribute], found = to_yes_no(source, attribute)
            faults += found
    nothing = pd.Series([None] * len(frame), frame.index, dtype="object")
    said["address"] = text_or_none(frame["address"]) if "address" in frame.columns else nothing
    for date in DATES:
        said[date], found = to_dates(source, date) if date in frame.columns else (nothing, [])
        faults += found
    return said, faults or order_faults(source, *(said[date] for date in DATES))


def _with_osm_columns(source: SourceTable, table: FacilityTable) -> SourceTable:
    """Return OpenStreetMap objects with the columns that a table must have; a tag that no object carries is no data."""
    if not source.is_osm:
        return source
    frame = source.frame
    absent = [column for column in ("name", *table.capacity, *table.attributes) if column not in frame.columns]
    ids = {} if "facility_id" in frame.columns else {"facility_id": frame["osm_id"]}
    return replace(source, frame=frame.assign(**dict.fromkeys(absent), **ids))


def _shared_ids(sources: Sequence[SourceTable]) -> list[Fault]:
    """Return faults of ids that stand in two files: whether they are one facility is not theirs to say."""
    files = [source.file for source in sources for _ in range(len(source.frame))]
    ids = pd.concat([source.frame["facility_id"] for source in sources])
    table = pd.DataFrame({"id": ids.to_numpy(), "file": files, "row": ids.index})
    again = table[table["id"].duplicated()]
    first = table.drop_duplicates("id").set_index("id")["file"]
    advice = "give one of the sources an `id_prefix`"
    faults = [
        Fault(file, f"{one!r} is there, and in {first[one]} too", row=int(row), column="facility_id", advice=advice)
        for one, file, row in again.head(SHOWN_FAULTS).itertuples(index=False)
    ]
    more = len(again) - SHOWN_FAULTS
    return faults if more <= 0 else [*faults, Fault(faults[-1].file, f"{more} more ids are in two files")]


def place_facilities(
    layer: FacilityLayer, sources: Sequence[SourceTable], area: Area, scenario: Scenario | None = None
) -> PlacedFacilities:
    """Return the facilities within the study's box, projected, with their zone, sorted by `facility_id`.

    Parameters
    ----------
    layer
        Says what counts as a duplicate, and whether duplicates are made one.
    sources
        From `read_facilities`.
    area
        The study's zones, and the box that it reads.
    scenario
        The day on which facilities must be there, and what is changed; by default all are, and nothing is.

    Raises
    ------
    LayerError
        If longitude and latitude are swapped, no facility of a file lies in the box, or a change cannot be made.
    """
    zones, box = area.zones, area.box
    faults: list[Fault] = []
    frames: list[gpd.GeoDataFrame] = []
    for source in sources:
        try:
            frames.append(_projected(source, zones, box))
        except LayerError as error:
            faults += error.faults
    raise_faults(faults)
    rows = tuple((source.file, source.rows_read, len(frame)) for source, frame in zip(sources, frames, strict=True))
    everything = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), geometry="geometry", crs=zones.crs)
    kept, pairs = _examined(everything, layer)
    names = same_names(everything, pairs).assign(layer=layer.id)
    kept = kept.sort_values("facility_id").reset_index(drop=True)
    there, away, changed = kept, kept.iloc[:0], pd.DataFrame(columns=list(CHANGE_COLUMNS))
    if scenario is not None:
        status = openings(kept, scenario.day)
        there, away = kept[status == "open"], kept.assign(status=status)[status != "open"]
        read = partial(_read_planned, zones=zones, box=box)
        there, changed = apply_changes(there, scenario.changes, layer, read=read, file=scenario.file)
    there = there.reset_index(drop=True)
    zone = zone_of(shapely.get_coordinates(there.geometry.to_numpy()), zones)
    columns = [column for column in there.columns if column not in {"geometry", "outline", "file", *DATES}]
    placed = there.assign(zone_id=zone)[[*columns, "zone_id", "geometry"]]
    gone = pd.DataFrame(
        {
            "layer": layer.id,
            **{name: away.get(name, pd.Series(dtype=object)) for name in ("facility_id", "name", "status")},
        }
    )
    return PlacedFacilities(
        placed,
        rows,
        _told(everything, pairs, layer),
        names[["layer", "name", "facility_count", "facilities"]],
        openings=gone.reset_index(drop=True),
        changes=changed,
    )


def _read_planned(table: FacilityTable, *, zones: gpd.GeoDataFrame, box: BaseGeometry) -> gpd.GeoDataFrame:
    """Return the facilities of a file that a change adds."""
    return _projected(_read_source(table), zones, box)


def _projected(source: SourceTable, zones: gpd.GeoDataFrame, box: BaseGeometry) -> gpd.GeoDataFrame:
    """Return the facilities of a file within the box, sorted by id, in the zones' reference system."""
    raise_faults(check_swapped(source, gpd.GeoSeries([box], crs=zones.crs)))
    outline = gpd.GeoSeries(source.frame["outline"], crs=source.frame.crs).to_crs(zones.crs)
    frame = source.frame.to_crs(zones.crs).assign(outline=outline.to_numpy(), file=source.file)
    inside = inside_box(shapely.get_coordinates(frame.geometry.to_numpy()), box)
    if not inside.any():
        west, south, east, north = frame.total_bounds
        where = extent(shapely.box(west, south, east, north))
        message = f"none of the {len(frame)} facilities ({where}) lies in the study's area ({extent(box)})"
        advice = "check the reference system and the order of lon and lat"
        raise LayerError([Fault(source.file, message, advice=advice)])
    return frame[inside].sort_values("facility_id")


def _examined(everything: gpd.GeoDataFrame, layer: FacilityLayer) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return the facilities to keep, and the pairs of duplicates by position in `everything`."""
    outlines = everything.set_geometry(gpd.GeoSeries(everything["outline"].to_numpy(), crs=everything.crs))
    pairs = find_pairs(outlines, distance_m=layer.duplicate_distance_m, similarity=layer.duplicate_similarity)
    return (merged(everything, pairs) if layer.duplicates == "merge" else everything), pairs


def _told(everything: gpd.GeoDataFrame, pairs: pd.DataFrame, layer: FacilityLayer) -> pd.DataFrame:
    """Return the pairs of duplicates with what a person needs to judge them."""
    sides = {side: everything.iloc[pairs[side].to_numpy()] for side in ("first", "second")}
    return pd.DataFrame(
        {
            "layer": np.full(len(pairs), layer.id, dtype=object),
            **{side: rows["facility_id"].to_numpy() for side, rows in sides.items()},
            **{f"{side}_name": rows["name"].to_numpy() for side, rows in sides.items()},
            **{f"{side}_file": rows["file"].to_numpy() for side, rows in sides.items()},
            "distance_m": pairs["distance_m"].to_numpy(),
            "similarity": pairs["similarity"].to_numpy(),
            "merged": np.full(len(pairs), layer.duplicates == "merge"),
        }
    )
