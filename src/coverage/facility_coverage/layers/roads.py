"""Roads as arrays of ways that meet in shared nodes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from facility_coverage.cache import Cache, Stored, digest, key_of
from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers import openstreetmap
from facility_coverage.layers.boundaries import extent, extent_text
from facility_coverage.layers.contracts import (
    LINES,
    SourceTable,
    as_text,
    check_columns,
    check_geometry,
    raise_faults,
    text_or_none,
)
from facility_coverage.layers.crs import WGS84, project_xy
from facility_coverage.layers.model import TAGS, Roads
from facility_coverage.layers.noding import NodingReport, node_lines
from facility_coverage.layers.stops import NODE_GRID_M
from facility_coverage.layers.tables import is_osm_file, read_table, shown_path, wanted_texts
from facility_coverage.layers.vetting import xml_faults

if TYPE_CHECKING:
    from pathlib import Path

    import pyproj
    from shapely.geometry.base import BaseGeometry

    from facility_coverage.config.study import Roads as RoadsTable
    from facility_coverage.layers.model import Floats, Ints

LEVEL_COLUMNS = ("bridge", "tunnel", "layer")
"""Columns that tell whether lines which cross meet; a file with any of them is taken to say so for all lines."""


class RoadsRead(NamedTuple):
    """Roads of a study, ways or lines in the file, and what reading changed: name → figure."""

    roads: Roads
    ways_read: int
    report: dict[str, float]


def read_roads(
    table: RoadsTable, boundary: BaseGeometry, box: BaseGeometry, *, crs: pyproj.CRS, cache: Cache | None = None
) -> RoadsRead:
    """Read the ways that touch the box, each kept whole.

    Parameters
    ----------
    table
        OpenStreetMap extract, graph of OSMnx (.graphml) or any layer of lines with a `highway` column.
    boundary
        Outline of the study, metres.
    box
        Area that the study reads, metres.
    crs
        The metric reference system.
    cache
        Where the roads of the whole file are kept; by default where the environment says.

    Returns
    -------
    RoadsRead
        Roads, in an order that does not depend on the file's; ways or lines read; and a report: for layers of lines
        `crossings_joined`, `crossings_separate`, `ends_joined`, `largest_move_m` (see `noding.NodingReport`), for
        OpenStreetMap extracts `vertices_without_location`.

    Raises
    ------
    LayerError
        If the file is broken, is not made of lines, lacks `highway`, does not meet the boundary, or holds lines that
        cross without saying whether they meet.
    """
    file = shown_path(table.path)
    _check_options(table, file)
    kind = "".join(table.path.suffixes[-2:])
    parameters = table.model_dump(mode="json", exclude={"path"})
    key = key_of("roads", digest(table.path), kind=kind, table=parameters, crs=crs.to_wkt())
    stored = (cache or Cache.from_environment()).stored(key, lambda: _read(table, file, crs))
    roads = Roads(stored.arrays["xy"], stored.arrays["node"], stored.arrays["start"], stored.tables["tags"])
    near = _keep_near(roads, box)
    if not _meets(near, boundary):
        (west, south), (east, north) = roads.xy.min(axis=0), roads.xy.max(axis=0)
        message = f"the roads ({extent_text(west, south, east, north)}) do not meet the boundary ({extent(boundary)})"
        raise LayerError([Fault(file, message, advice="use roads of the study's area, in the right reference system")])
    named = replace(near, digest=key_of("roads near", key, bounds=box.bounds))
    return RoadsRead(named, stored.figures["ways_read"], stored.figures["report"])


def _check_options(table: RoadsTable, file: str) -> None:
    """Refuse options of lines where ways say themselves in which nodes they meet: they would change nothing."""
    if not (is_osm_file(table.path) or _is_graph(table.path)):
        return
    advice = "remove it: the ways of this file meet where they share a node"
    given = sorted(table.model_fields_set & {"crossings", "snap_tolerance_m"})
    raise_faults([Fault(file, "is for layers of lines", field=f"roads.{name}", advice=advice) for name in given])


def _is_graph(path: Path) -> bool:
    return path.suffix == ".graphml"


def _read(table: RoadsTable, file: str, crs: pyproj.CRS) -> Stored:
    """Read all roads of the file."""
    report: dict[str, float] = {}
    if is_osm_file(table.path):
        roads, ways_read, report["vertices_without_location"] = _osm_roads(table, file, crs)
    elif _is_graph(table.path):
        source = _read_graph(table.path, file)
        roads, ways_read = _line_roads(source, crs), source.rows_read
    else:
        source = read_table(table, role="roads")
        roads, noded = node_lines(
            _line_roads(source, crs),
            join_crossings=table.crossings != "separate",
            snap_tolerance_m=table.snap_tolerance_m,
        )
        if table.crossings is None:
            _check_crossings(source, noded, crs)
        ways_read = source.rows_read
        names = ("crossings_joined", "crossings_separate", "ends_joined", "largest_move_m")
        report = {name: getattr(noded, name) for name in names}
    arrays = {"xy": roads.xy, "node": roads.node, "start": roads.start}
    return Stored(arrays, {"tags": roads.tags}, {"ways_read": ways_read, "report": report})


def _check_crossings(source: SourceTable, noded: NodingReport, crs: pyproj.CRS) -> None:
    """Refuse to guess whether lines that cross meet, where no column can tell."""
    if noded.first_joined is None or any(column in source.frame.columns for column in LEVEL_COLUMNS):
        return
    lon, lat = project_xy(*np.array(noded.first_joined)[:, None], source=crs, target=WGS84)
    places = f"{noded.crossings_joined} place{'' if noded.crossings_joined == 1 else 's'}"
    message = (
        f"lines cross without a shared vertex at {places} (the first at lon {lon[0]:.5f}, "
        f"lat {lat[0]:.5f}), and no column bridge, tunnel or layer says whether they meet there"
    )
    advice = (
        "state `crossings: joined` (they are junctions) or `crossings: separate` (one passes over the other), "
        "or name such a column under `columns:`"
    )
    raise LayerError([Fault(source.file, message, field="roads.crossings", advice=advice)])


def _osm_roads(table: RoadsTable, file: str, crs: pyproj.CRS) -> tuple[Roads, int, int]:
    if not table.path.is_file():
        raise LayerError([Fault(file, "no such file")])
    ways = openstreetmap.read_ways(table.path, file=file)
    if not len(ways.tags):
        raise LayerError([Fault(file, "holds no way with a highway tag and located nodes")])
    x, y = project_xy(ways.lonlat[:, 0], ways.lonlat[:, 1], source=WGS84, target=crs)
    _, node = np.unique(ways.ref, return_inverse=True)
    roads = Roads(np.column_stack([x, y]), node.astype(np.int64), ways.start, ways.tags)
    wanted = np.ones(len(ways.tags), dtype=bool)
    for key, value in table.where.items():
        if key not in ways.tags.columns:
            advice = f"roads keep only {', '.join(TAGS)}"
            raise LayerError([Fault(file, f"where names the tag {key!r}", advice=advice)])
        wanted &= ways.tags[key].isin(wanted_texts(value)).to_numpy()
    if not wanted.any():
        raise LayerError([Fault(file, f"none of the {len(wanted)} ways is kept by where")])
    return (roads if wanted.all() else _select(roads, wanted)), ways.ways_read, ways.vertices_dropped


def _read_graph(path: Path, file: str) -> SourceTable:
    import osmnx  # noqa: PLC0415 - slow to import, and rarely needed

    if not path.is_file():
        raise LayerError([Fault(file, "no such file")])
    raise_faults(xml_faults(path, file=file))
    try:
        graph = osmnx.convert.to_undirected(osmnx.io.load_graphml(path))
    except (ValueError, KeyError, SyntaxError) as error:
        raise LayerError([Fault(file, f"is not a graph of OSMnx: {error}")]) from None
    edges = osmnx.convert.graph_to_gdfs(graph, nodes=False).reset_index(drop=True)
    # Where OSMnx merged ways of several kinds, the first named stands for the edge.
    firsts = {name: edges[name].map(_first_of) for name in edges.columns if name != "geometry"}
    edges = edges.assign(**firsts).rename(columns={"osmid": "way_id"})
    edges.index = pd.RangeIndex(1, len(edges) + 1)
    return SourceTable(edges, file, len(edges))


def _first_of(value: object) -> object:
    return value[0] if isinstance(value, list) and value else value


def _line_roads(source: SourceTable, crs: pyproj.CRS) -> Roads:
    faults = check_columns(source, ["highway"])
    faults += check_geometry(source, LINES, what="a road")
    if "highway" in source.frame.columns:
        empty = as_text(source.frame["highway"]) == ""
        faults += source.fault_rows(empty, "is empty", column="highway", advice="say what kind of way it is")
    raise_faults(faults)
    frame = source.frame
    tags = pd.DataFrame({"way_id": _way_ids(frame)} | {tag: _tag(frame, tag) for tag in TAGS}, index=frame.index)
    lines = gpd.GeoDataFrame(tags, geometry=frame.geometry, crs=frame.crs).to_crs(crs)
    lines = lines.explode(ignore_index=True)
    lines = lines[lines.geometry.count_coordinates() >= 2]
    xy, way = shapely.get_coordinates(lines.geometry.to_numpy(), return_index=True)
    counts = np.bincount(way, minlength=len(lines))
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    order = _way_order(lines["way_id"], xy, start, by_id="way_id" in frame.columns)
    unordered = Roads(xy, np.zeros(len(xy), dtype=np.int64), start, lines.drop(columns="geometry"))
    roads = _take(unordered, order)
    return Roads(roads.xy, _node_of(roads.xy), roads.start, roads.tags)


def _way_ids(frame: gpd.GeoDataFrame) -> pd.Series:
    if "way_id" in frame.columns:
        return as_text(frame["way_id"])
    return pd.Series(frame.index.astype(str), index=frame.index, dtype=object)


def _tag(frame: gpd.GeoDataFrame, tag: str) -> pd.Series:
    if tag not in frame.columns:
        return pd.Series([None] * len(frame), index=frame.index, dtype="object")
    return text_or_none(frame[tag]).replace({"True": "yes", "False": "no"})


def _way_order(way_id: pd.Series, xy: Floats, start: Ints, *, by_id: bool) -> Ints:
    """Return an order of the ways that is the same however the file is sorted."""
    first, last = xy[start[:-1]], xy[start[1:] - 1]
    length = np.add.reduceat(xy[:, 0] * 3 + xy[:, 1], start[:-1])  # tells ways with the same ends apart
    keys = [length, last[:, 1], last[:, 0], first[:, 1], first[:, 0]]
    if by_id:
        keys.append(pd.factorize(way_id, sort=True)[0])
    return np.lexsort(keys).astype(np.int64)


def _node_of(xy: Floats) -> Ints:
    """Return the node of each vertex: vertices are one node when they agree to `NODE_GRID_M`."""
    grid = np.rint(xy / NODE_GRID_M).astype(np.int64)
    order = np.lexsort((grid[:, 1], grid[:, 0]))
    new = np.any(np.diff(grid[order], axis=0) != 0, axis=1)
    node = np.empty(len(xy), dtype=np.int64)
    node[order] = np.concatenate([[0], np.cumsum(new)])
    return node


def _keep_near(roads: Roads, box: BaseGeometry) -> Roads:
    """Return the ways whose extent touches the box, whole."""
    west, south, east, north = box.bounds
    low = np.minimum.reduceat(roads.xy, roads.start[:-1], axis=0)
    high = np.maximum.reduceat(roads.xy, roads.start[:-1], axis=0)
    near = (low[:, 0] <= east) & (high[:, 0] >= west) & (low[:, 1] <= north) & (high[:, 1] >= south)
    return roads if near.all() else _select(roads, near)


def _select(roads: Roads, keep: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Roads:
    part = _take(roads, np.flatnonzero(keep))
    _, node = np.unique(part.node, return_inverse=True)
    return Roads(part.xy, node.astype(np.int64), part.start, part.tags)


def _take(roads: Roads, ways: Ints) -> Roads:
    """Return the named ways in the named order, node numbers unchanged."""
    counts = np.diff(roads.start)[ways]
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    vertex = np.arange(start[-1]) + np.repeat(roads.start[ways] - start[:-1], counts)
    return Roads(roads.xy[vertex], roads.node[vertex], start, roads.tags.iloc[ways].reset_index(drop=True))


def _meets(roads: Roads, boundary: BaseGeometry) -> bool:
    if not len(roads.tags):
        return False
    shapely.prepare(boundary)
    if shapely.contains_xy(boundary, roads.xy).any():
        return True
    way = np.repeat(np.arange(len(roads.tags)), np.diff(roads.start))
    return bool(shapely.intersects(boundary, shapely.linestrings(roads.xy, indices=way)).any())
