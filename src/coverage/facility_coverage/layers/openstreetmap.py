"""OpenStreetMap extracts: road ways, and objects by tag."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import geopandas as gpd
import numpy as np
import osmium
import osmium.filter
import osmium.geom
import pandas as pd
import shapely

from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers.crs import WGS84
from facility_coverage.layers.model import TAGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from dataclasses import dataclass
    from pathlib import Path
    from typing import Any

    from facility_coverage.layers.model import Floats, Ints
else:
    from dataclasses import dataclass

Shape = Literal["places", "areas"]

_NO_LOCATION = np.iinfo(np.int32).max
_UNITS_PER_DEGREE = 10_000_000


@dataclass(frozen=True)
class OsmWays:
    """Road ways of an extract, in increasing order of way id.

    Attributes
    ----------
    lonlat
        Vertices of all ways one after the other, degrees, shape (vertices, 2).
    ref
        OSM node id of each vertex, shape (vertices,).
    start
        Way `w` owns vertices ``start[w]:start[w + 1]``, shape (ways + 1,).
    tags
        `way_id` and the columns of `model.TAGS`.
    ways_read, vertices_dropped
        Ways in the file; vertices whose node the file lacks.
    """

    lonlat: Floats
    ref: Ints
    start: Ints
    tags: pd.DataFrame
    ways_read: int
    vertices_dropped: int


@contextmanager
def _whole_file(file: str) -> Iterator[None]:
    """Turn what osmium says of a broken file into a fault."""
    try:
        yield
    except RuntimeError as error:  # osmium raises nothing more precise for broken input
        message = f"is not a whole OpenStreetMap file: {' '.join(str(error).split())}"
        raise LayerError([Fault(file, message, advice="download it again and compare its checksum")]) from None


def read_ways(path: Path, *, file: str) -> OsmWays:
    """Read every way with a `highway` tag.

    Parameters
    ----------
    path
        An .osm.pbf or .osm file.
    file
        Its name in faults.

    Raises
    ------
    LayerError
        If the file is cut off or not OpenStreetMap data.
    """
    ids: list[int] = []
    lengths: list[int] = []
    rows: list[tuple[str | None, ...]] = []
    refs: list[int] = []
    xs: list[int] = []
    ys: list[int] = []
    with _whole_file(file):
        ways = osmium.FileProcessor(str(path)).with_locations().with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
        way: Any
        for way in ways.with_filter(osmium.filter.KeyFilter("highway")):
            nodes = way.nodes
            ids.append(way.id)
            lengths.append(len(nodes))
            rows.append(tuple(way.tags.get(key) for key in TAGS))
            refs += [node.ref for node in nodes]
            xs += [node.x for node in nodes]
            ys += [node.y for node in nodes]
    tags = pd.DataFrame(rows, columns=list(TAGS), dtype=object)
    tags.insert(0, "way_id", [str(way) for way in ids])
    arrays = [np.array(values, dtype=np.int64) for values in (ids, lengths, refs, xs, ys)]
    return _ordered_ways(tags, arrays)


def _ordered_ways(tags: pd.DataFrame, arrays: list[Ints]) -> OsmWays:
    ids, lengths, refs, xs, ys = arrays
    way = np.repeat(np.arange(len(ids)), lengths)
    rank = np.empty(len(ids), dtype=np.int64)
    order = np.argsort(ids, kind="stable")
    rank[order] = np.arange(len(ids))
    located = (xs != _NO_LOCATION) & (ys != _NO_LOCATION)
    vertices = np.flatnonzero(located)
    vertices = vertices[np.argsort(rank[way[vertices]], kind="stable")]
    kept = np.bincount(rank[way[vertices]], minlength=len(ids))
    enough = kept >= 2
    vertices = vertices[enough[rank[way[vertices]]]]
    return OsmWays(
        lonlat=np.column_stack([xs[vertices], ys[vertices]]) / _UNITS_PER_DEGREE,
        ref=refs[vertices],
        start=np.concatenate([[0], np.cumsum(kept[enough])]).astype(np.int64),
        tags=tags.iloc[order[enough]].reset_index(drop=True),
        ways_read=len(ids),
        vertices_dropped=int((~located).sum()),
    )


def read_objects(path: Path, tags: Mapping[str, list[str]], *, file: str, shape: Shape) -> tuple[gpd.GeoDataFrame, int]:
    """Read the objects that carry all the tags, and how many there are.

    Parameters
    ----------
    path
        An .osm.pbf or .osm file.
    tags
        Key → accepted values.
    file
        Its name in faults.
    shape
        ``places``: nodes, open ways, and areas from closed ways and multipolygons, each as one point on it;
        ``areas``: the areas only, as polygons.

    Returns
    -------
    tuple
        Frame in WGS 84 with `osm_id` (n…, w…, r…) and one column per tag, sorted by it and numbered from 1;
        number of matching objects in the file.

    Raises
    ------
    LayerError
        If the file is broken, nothing matches, or an outline is not closed within the extract.
    """
    with _whole_file(file):
        found, shapes = _scan(path, tags, shape)
    if shape == "areas":
        found = {key: value for key, value in found.items() if key in shapes or key.startswith("r")}
    if not found:
        listed = ", ".join(f"{key}={'|'.join(values)}" for key, values in tags.items())
        raise LayerError([Fault(file, f"holds no object with {listed}", advice="correct the tags under `where:`")])
    lacking = sorted(set(found) - set(shapes))
    if lacking:
        advice = "use an extract that holds the whole outline, or narrow `where:`"
        message = "has no closed outline or location in this extract"
        raise LayerError(
            [Fault(file, f"{key} ({found[key].get('name', '')}): {message}", advice=advice) for key in lacking]
        )
    keys = sorted(found, key=lambda key: (key[0], int(key[1:])))
    geometry = shapely.from_wkb([shapes[key] for key in keys])
    if shape == "places":
        geometry = shapely.point_on_surface(geometry)
    columns = pd.DataFrame([{**found[key], "osm_id": key} for key in keys], dtype=object)
    columns.index = pd.RangeIndex(1, len(keys) + 1)
    # `geometry` and tags like it would be columns of their own; a tag never wins over the geometry.
    columns = columns.drop(columns="geometry", errors="ignore")
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=WGS84), len(found)


def _scan(path: Path, tags: Mapping[str, list[str]], shape: Shape) -> tuple[dict[str, dict[str, str]], dict[str, Any]]:
    """Return tags and WKB of the matching objects; of areas and open ways alike, an area wins."""
    first = next(iter(tags))
    pairs = osmium.filter.TagFilter(*[(first, value) for value in tags[first]])
    factory = osmium.geom.WKBFactory()
    found: dict[str, dict[str, str]] = {}
    shapes: dict[str, Any] = {}
    item: Any
    objects = osmium.FileProcessor(str(path)).with_locations().with_areas(pairs).with_filter(pairs)
    for item in objects:
        if any(item.tags.get(key) not in values for key, values in tags.items()):
            continue
        if item.is_area():
            key = f"{'w' if item.from_way() else 'r'}{item.orig_id()}"
            shapes[key] = factory.create_multipolygon(item)
        else:
            key = f"{item.type_str()}{item.id}"
        found[key] = dict(item.tags)
        if shape == "places" and key not in shapes:
            _add_place(item, key, shapes, factory)
    return found, shapes


def _add_place(item: Any, key: str, shapes: dict[str, Any], factory: Any) -> None:
    if item.is_node():
        shapes[key] = factory.create_point(item)
    elif item.is_way() and all(node.location.valid() for node in item.nodes) and len(item.nodes) > 1:
        shapes[key] = factory.create_linestring(item)
