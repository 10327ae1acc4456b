"""OpenStreetMap extracts: road ways, and objects by tag."""

from __future__ import annotations

import re
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import geopandas as gpd
import numpy as np
import osmium
import osmium.filter
import osmium.geom
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from pyarrow import csv

from facility_coverage.errors import Fault, LayerError, said_by
from facility_coverage.layers.contracts import raise_faults
from facility_coverage.layers.crs import WGS84
from facility_coverage.layers.model import TAGS
from facility_coverage.layers.unpacking import extract_faults, stream_faults
from facility_coverage.layers.vetting import xml_faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from dataclasses import dataclass
    from typing import Any

    import numpy.typing as npt

    from facility_coverage.layers.model import Floats, Ints
else:
    from dataclasses import dataclass

Shape = Literal["places", "sites", "areas", "lines_and_areas"]

#: A closed way with one of these keys is a ring and not what it encloses, unless it says ``area=yes``.
_LINEAR = frozenset({"barrier", "highway", "railway"})

_AREAS = (3, 6)  # shapely's ids of polygons and multipolygons

_ESCAPED = re.compile("%([0-9a-fA-F]+)%")
_LONGEST_LINE = 1 << 24


@dataclass(frozen=True)
class OsmWays:
    """Road ways and ferries of an extract, in increasing order of way id.

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
def _whole_file(path: Path, file: str) -> Iterator[None]:
    """Refuse a file that unpacks to too much or declares entities; say what osmium says of a broken one."""
    if path.suffix.lower() in {".gz", ".bz2"}:
        raise_faults(stream_faults(path, file=file))
    elif path.suffix.lower() == ".pbf":
        raise_faults(extract_faults(path, file=file))
    elif path.suffix.lower() == ".osm":
        raise_faults(xml_faults(path, file=file))
    try:
        yield
    except RuntimeError as error:  # osmium raises nothing more precise for broken input
        message = f"is not a whole OpenStreetMap file: {said_by(error, path)}"
        raise LayerError([Fault(file, message, advice="download it again and compare its checksum")]) from None


def read_ways(path: Path, *, file: str) -> OsmWays:
    """Read every way with a `highway` tag, and ferries as ``highway=ferry``.

    A ferry is a way with ``route=ferry`` and no `highway`; relations are not read.

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
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "ways.opl"
        with _whole_file(path, file):
            _write_roads(path, text)
        portions = [_portion(lines) for lines in _lines(text)]
    tags = pd.concat([_no_ways(), *(portion[0] for portion in portions)], ignore_index=True)
    lengths, refs, lonlat = (
        np.concatenate([nothing, *(portion[i] for portion in portions)])
        for i, nothing in ((1, np.empty(0, np.int64)), (2, np.empty(0, np.int64)), (3, np.empty((0, 2))))
    )
    return _ordered_ways(tags, lengths, refs, lonlat)


def _write_roads(path: Path, text: Path) -> None:
    """Write roads and routes of any kind as OPL (osmcode.org/opl-file-format): a line for each way, with locations.

    All of this happens outside Python and with threads; going through ways and nodes one by one in Python takes
    several times longer.
    """
    locations = osmium.NodeLocationsForWays(osmium.index.create_map("flex_mem"))
    locations.ignore_errors()
    only_ways, with_key = osmium.filter.EntityFilter(osmium.osm.WAY), osmium.filter.KeyFilter("highway", "route")
    opl = osmium.io.File(str(text), "opl,add_metadata=false,locations_on_ways=true")
    with osmium.io.Reader(str(path), osmium.osm.NODE | osmium.osm.WAY) as reader, osmium.SimpleWriter(opl) as writer:
        osmium.apply(reader, locations, only_ways, with_key, writer)


def _lines(text: Path) -> Iterator[pa.RecordBatch]:
    """Yield the lines of an OPL file of ways, split into `way`, `tags` and `nodes`, some megabytes at a time."""
    if not text.stat().st_size:
        return
    layout = csv.ParseOptions(delimiter=" ", quote_char=False)
    names = csv.ReadOptions(column_names=["way", "tags", "nodes"], block_size=_LONGEST_LINE)
    with csv.open_csv(
        text, names, layout, csv.ConvertOptions(column_types=dict.fromkeys(names.column_names, "string"))
    ) as batches:
        yield from batches


def _portion(lines: pa.RecordBatch) -> tuple[pd.DataFrame, Ints, Ints, Floats]:
    """Return tags and numbers of nodes of some ways, and id and location (NaN without one) of all their nodes.

    A line reads ``w7 Thighway=path,foot=yes Nn1x105.9y29.3,n2xy``.
    """
    pairs = pc.split_pattern(pc.utf8_slice_codeunits(lines["tags"], 1), ",")
    way = pc.list_parent_indices(pairs).to_numpy()
    parts = pc.split_pattern(pairs.flatten(), "=", max_splits=1)
    key, value = pc.list_element(parts, 0).dictionary_encode(), pc.list_element(parts, 1)
    code, names = key.indices.to_numpy(), key.dictionary.to_pylist()
    columns = {}
    for tag in (*TAGS, "route"):
        columns[tag] = np.full(len(lines), None, dtype=object)
        if tag in names:
            found = np.flatnonzero(code == names.index(tag))
            columns[tag][way[found]] = _texts(value.take(pa.array(found)))
    ferry = pd.isna(columns["highway"]) & (columns["route"] == "ferry")
    columns["highway"][ferry] = "ferry"
    kept = np.flatnonzero(~pd.isna(columns["highway"]))
    way_id = pc.utf8_slice_codeunits(lines["way"], 1).to_numpy(zero_copy_only=False)
    tags = pd.DataFrame({"way_id": way_id} | {tag: columns[tag] for tag in TAGS}, dtype=object).iloc[kept]
    return tags, *_nodes(lines["nodes"].take(pa.array(kept)))


def _texts(values: pa.Array) -> npt.NDArray[np.object_]:
    """Return strings without OPL's ``%20%`` for characters that it needs itself."""
    coded = values.dictionary_encode()
    plain = [_ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) for text in coded.dictionary.to_pylist()]
    texts: npt.NDArray[np.object_] = np.array(plain, dtype=object)[coded.indices.to_numpy()]
    return texts


def _nodes(texts: pa.Array) -> tuple[Ints, Ints, Floats]:
    """Return numbers of nodes per way, and id and location of all of them, from ``Nn1x105.9y29.3,n2xy``."""
    lists = pc.split_pattern(pc.utf8_slice_codeunits(texts, 1), ",")
    way = pc.list_parent_indices(lists)
    given = pc.not_equal(lists.flatten(), "")
    lengths = np.bincount(way.filter(given), minlength=len(texts))
    node = pc.extract_regex(lists.flatten().filter(given), pattern="^n(?P<ref>[^x]+)x(?P<x>[^y]*)y(?P<y>.*)$")
    x, y = (pc.if_else(pc.equal(node.field(axis), ""), "nan", node.field(axis)).cast("float64") for axis in "xy")
    return lengths, node.field("ref").cast("int64").to_numpy(), np.column_stack([x, y])


def _no_ways() -> pd.DataFrame:
    return pd.DataFrame(columns=["way_id", *TAGS], dtype=object)


def _ordered_ways(tags: pd.DataFrame, lengths: Ints, refs: Ints, lonlat: Floats) -> OsmWays:
    """Return the ways by increasing id, without vertices that have no location and ways of fewer than two."""
    order = np.argsort(tags["way_id"].to_numpy(dtype=np.int64), kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    of_vertex = np.repeat(rank, lengths)
    located = np.isfinite(lonlat).all(axis=1)
    vertices = np.flatnonzero(located)
    vertices = vertices[np.argsort(of_vertex[vertices], kind="stable")]
    kept = np.bincount(of_vertex[vertices], minlength=len(order))
    enough = kept >= 2
    vertices = vertices[enough[of_vertex[vertices]]]
    return OsmWays(
        lonlat=lonlat[vertices],
        ref=refs[vertices],
        start=np.concatenate([[0], np.cumsum(kept[enough])]).astype(np.int64),
        tags=tags.iloc[order[enough]].reset_index(drop=True),
        ways_read=len(order),
        vertices_dropped=int((~located).sum()),
    )


def read_objects(
    path: Path, any_of: Sequence[Mapping[str, Sequence[str]]], *, file: str, shape: Shape
) -> tuple[gpd.GeoDataFrame, int]:
    """Read the objects that carry all tags of at least one set, and how many there are.

    Parameters
    ----------
    path
        An .osm.pbf or .osm file.
    any_of
        Sets of tags, each key → accepted values.
    file
        Its name in faults.
    shape
        ``places``: nodes, open ways, and areas from closed ways and multipolygons, each as one point on it;
        ``sites``: the same objects, areas as polygons;
        ``areas``: the areas only, as polygons;
        ``lines_and_areas``: open ways as lines and areas as polygons; closed walls and railways stay lines.

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
    with _whole_file(path, file):
        found, shapes = _scan(path, any_of, shape)
    if shape == "areas":
        found = {key: value for key, value in found.items() if key in shapes or key.startswith("r")}
    if not found:
        raise LayerError([Fault(file, f"holds no object with {_listed(any_of)}", advice="see the tags under `where:`")])
    lacking = sorted(set(found) - set(shapes))
    if lacking:
        advice = "use an extract that holds the whole outline, or narrow `where:`"
        message = "has no closed outline or location in this extract"
        raise LayerError(
            [Fault(file, f"{key} ({found[key].get('name', '')}): {message}", advice=advice) for key in lacking]
        )
    keys = sorted(found, key=lambda key: (key[0], int(key[1:])))
    geometry = shapely.from_wkb([shapes[key] for key in keys])
    if shape in {"places", "sites"}:
        pointed = (shape == "places") | ~np.isin(shapely.get_type_id(geometry), _AREAS)
        geometry = np.where(pointed, shapely.point_on_surface(geometry), geometry)
    columns = pd.DataFrame([{**found[key], "osm_id": key} for key in keys], dtype=object)
    columns.index = pd.RangeIndex(1, len(keys) + 1)
    # `geometry` and tags like it would be columns of their own; a tag never wins over the geometry.
    columns = columns.drop(columns="geometry", errors="ignore")
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=WGS84), len(found)


def _listed(any_of: Sequence[Mapping[str, Sequence[str]]]) -> str:
    return " or ".join(", ".join(f"{key}={'|'.join(values)}" for key, values in tags.items()) for tags in any_of)


def _scan(
    path: Path, any_of: Sequence[Mapping[str, Sequence[str]]], shape: Shape
) -> tuple[dict[str, dict[str, str]], dict[str, Any]]:
    """Return tags and WKB of the matching objects; of areas and open ways alike, an area wins."""
    firsts = [next(iter(tags.items())) for tags in any_of]
    pairs = osmium.filter.TagFilter(*[(key, value) for key, values in firsts for value in values])
    factory = osmium.geom.WKBFactory()
    found: dict[str, dict[str, str]] = {}
    shapes: dict[str, Any] = {}
    item: Any
    objects = osmium.FileProcessor(str(path)).with_locations().with_areas(pairs).with_filter(pairs)
    for item in objects:
        if not any(all(item.tags.get(key) in values for key, values in tags.items()) for tags in any_of):
            continue
        if item.is_area():
            if shape == "lines_and_areas" and _is_ring(item):
                continue
            key = f"{'w' if item.from_way() else 'r'}{item.orig_id()}"
            if item.num_rings()[0]:  # none where the outline is broken
                shapes[key] = factory.create_multipolygon(item)
        else:
            key = f"{item.type_str()}{item.id}"
        found[key] = dict(item.tags)
        if shape != "areas" and key not in shapes:
            _add_place(item, key, shapes, factory)
    return found, shapes


def _add_place(item: Any, key: str, shapes: dict[str, Any], factory: Any) -> None:
    if item.is_node():
        shapes[key] = factory.create_point(item)
    elif item.is_way() and all(node.location.valid() for node in item.nodes) and len(item.nodes) > 1:
        shapes[key] = factory.create_linestring(item)


def _is_ring(area: Any) -> bool:
    return area.from_way() and area.tags.get("area") != "yes" and any(key in area.tags for key in _LINEAR)
