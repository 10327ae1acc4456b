"""The networks that are measured: a lattice written here, and two extracts of OpenStreetMap beside the project."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import osmium
import osmium.filter
import pandas as pd
import pyproj

from facility_coverage.config.reading import builtin_profiles
from facility_coverage.layers.model import TAGS, Floats, Ints, Roads
from facility_coverage.layers.openstreetmap import read_ways
from facility_coverage.network.graph import Graph, build_graph

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
#: An adult on level ground, on stairs as fast as elsewhere: one speed everywhere, so that each peer can have the graph.
PROFILE = builtin_profiles()["adult"].model_copy(update={"stairs_speed_kmh": None})
#: Pieces of network with fewer junctions are left out, as in a study.
MIN_COMPONENT_NODES = 30
_STEP_M, _JITTER_M = 100.0, 30.0


@dataclass(frozen=True)
class Extract:
    """An extract of OpenStreetMap: its file and a metric reference system for it."""

    path: Path
    epsg: int


EXTRACTS = {
    "Comoros": Extract(DATA / "comoros" / "comoros-2021.osm.pbf", 32738),
    "Porto Alegre": Extract(DATA / "poa" / "poa_osm.pbf", 32722),
}


@dataclass(frozen=True)
class Plain:
    """A network as every tool gets it: nodes, and streets between them that take the same time both ways.

    Attributes
    ----------
    xy
        Nodes in the given order, metres, shape (nodes, 2).
    tail, head, seconds
        Streets, each once, ``tail < head``; no loop, and of parallel streets the quickest; shape (streets,).
    edge, vertex, fraction
        Where each node lies on the edges of our `Graph` (as in `snapping.Locations`), shape (nodes,).
    """

    xy: Floats
    tail: Ints
    head: Ints
    seconds: Floats
    edge: Ints
    vertex: Ints
    fraction: Floats

    def save(self, folder: Path) -> None:
        """Write the arrays to a folder."""
        np.savez(folder / "plain.npz", **vars(self))

    @classmethod
    def load(cls, folder: Path) -> Plain:
        """Read what `save` wrote."""
        with np.load(folder / "plain.npz") as arrays:
            return cls(**arrays)


def lattice(side: int) -> Roads:
    """Return `side` × `side` streets, 100 m apart, every crossing moved by up to 30 m; nodes are written row by row."""
    rng = np.random.default_rng(2026)
    number = np.arange(side * side).reshape(side, side)
    row, column = np.divmod(number.ravel(), side)
    xy = np.column_stack([column, row]) * _STEP_M + rng.uniform(-_JITTER_M, _JITTER_M, (side * side, 2))
    node = np.concatenate([number.ravel(), number.T.ravel()])
    tags = pd.DataFrame({"way_id": [str(way) for way in range(2 * side)]} | dict.fromkeys(TAGS), dtype=object)
    tags["highway"] = "residential"
    return Roads(xy[node], node, np.arange(0, len(node) + 1, side), tags)


def roads_of(extract: Extract, path: Path | None = None) -> Roads:
    """Read the roads of an extract, or of the file `path` that stands for it, in metres."""
    file = path or extract.path
    ways = read_ways(file, file=file.name)
    to_metres = pyproj.Transformer.from_crs(4326, extract.epsg, always_xy=True)
    xy = np.column_stack(to_metres.transform(ways.lonlat[:, 0], ways.lonlat[:, 1]))
    node = np.unique(ways.ref, return_inverse=True)[1].astype(np.int64)
    return Roads(xy, node, ways.start, ways.tags)


def own_graph(roads: Roads) -> Graph:
    """Build our graph of roads."""
    return build_graph(roads, PROFILE, min_component_nodes=MIN_COMPONENT_NODES, file="roads")[0]


def plain(roads: Roads, *, junctions_only: bool = False) -> Plain:
    """Return the network that is left of roads after small pieces are dropped, in the order of the roads' own numbers.

    Parameters
    ----------
    roads
        Ways.
    junctions_only
        Leave out the nodes at which a street merely goes on, as `Graph` does.
    """
    graph = own_graph(roads)
    if not (graph.forward_ok.all() and np.allclose(graph.forward_s, graph.backward_s, rtol=0, atol=1e-6)):
        raise ValueError("the peers need streets that take the same time both ways")
    first, last = graph.start[:-1], graph.last
    node = np.full(len(graph.xy), -1, dtype=np.int64)
    node[first], node[last] = graph.tail, graph.head
    inner = np.flatnonzero(node < 0)
    if junctions_only:
        inner, tail, head, seconds = inner[:0], graph.tail, graph.head, graph.forward_s[last]
    else:
        node[inner] = graph.node_count + np.arange(len(inner))
        step = np.setdiff1d(np.arange(len(graph.xy)), last)
        tail, head, seconds = node[step], node[step + 1], graph.forward_s[step + 1] - graph.forward_s[step]
    at = np.empty(graph.node_count + len(inner), dtype=np.int64)  # a vertex of each node
    at[graph.tail], at[graph.head], at[graph.node_count :] = first, last, inner
    edge = np.searchsorted(graph.start, at, side="right") - 1
    fraction = (at == last[edge]).astype(np.float64)
    order = np.argsort(_written_numbers(roads, graph.xy[at]), kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    streets = _quickest(rank[tail], rank[head], seconds)
    # An edge's last place is the end of its last but one vertex.
    return Plain(graph.xy[at][order], *streets, edge[order], (at - fraction.astype(np.int64))[order], fraction[order])


def _quickest(tail: Ints, head: Ints, seconds: Floats) -> tuple[Ints, Ints, Floats]:
    """Return streets from the lower to the higher node, without loops, and of parallel ones the quickest."""
    low, high = np.minimum(tail, head), np.maximum(tail, head)
    order = np.lexsort((seconds, high, low))
    low, high, seconds = low[order], high[order], seconds[order]
    kept = (low != high) & np.append(True, (np.diff(low) != 0) | (np.diff(high) != 0))
    # A peer may take a link without length for no link at all; a nanosecond is seen by none of the answers.
    return low[kept], high[kept], np.maximum(seconds[kept], 1e-9)


def _written_numbers(roads: Roads, xy: Floats) -> Ints:
    """Return the lowest number of a road vertex at each place (shape (places, 2))."""
    order = np.lexsort((roads.node, roads.xy[:, 1], roads.xy[:, 0]))
    vertices = roads.xy[order].view(np.complex128).ravel()  # complex numbers sort by x, then by y
    at = np.searchsorted(vertices, np.ascontiguousarray(xy).view(np.complex128).ravel())
    return roads.node[order][at]


def demand_points(xy: Floats, count: int) -> Floats:
    """Scatter points evenly over the box of a network's nodes (shape (nodes, 2)), metres."""
    return np.random.default_rng(7).uniform(xy.min(axis=0), xy.max(axis=0), (count, 2))


def prepare(source: str | int, folder: Path, *, junctions_only: bool = False) -> tuple[int, int]:
    """Write a network (an extract's name, or the side of a lattice); return its numbers of nodes and directed edges."""
    roads = lattice(source) if isinstance(source, int) else roads_of(EXTRACTS[source])
    with (folder / "roads.pickle").open("wb") as file:
        pickle.dump(roads, file)
    network = plain(roads, junctions_only=junctions_only)
    network.save(folder)
    return len(network.xy), 2 * len(network.tail)


def load_roads(folder: Path) -> Roads:
    """Read the roads that `prepare` wrote."""
    with (folder / "roads.pickle").open("rb") as file:
        roads: Roads = pickle.load(file)  # noqa: S301 - written by this very run
    return roads


def write_extract(side: int, path: Path) -> None:
    """Write a lattice as an OpenStreetMap file near the equator, in the zone of `EXTRACTS["Comoros"]`."""
    roads = lattice(side)
    to_degrees = pyproj.Transformer.from_crs(EXTRACTS["Comoros"].epsg, 4326, always_xy=True)
    lon, lat = to_degrees.transform(roads.xy[:, 0] + 400_000.0, roads.xy[:, 1] + 9_000_000.0)
    first = np.unique(roads.node, return_index=True)[1]
    with osmium.SimpleWriter(str(path), overwrite=True) as writer:
        for number, at in enumerate(first.tolist()):
            writer.add_node(osmium.osm.mutable.Node(id=number + 1, location=(lon[at], lat[at])))
        for way in range(len(roads.tags)):
            refs = (roads.node[roads.start[way] : roads.start[way + 1]] + 1).tolist()
            writer.add_way(osmium.osm.mutable.Way(id=way + 1, nodes=refs, tags={"highway": "residential"}))


def write_highways(extract: Path, path: Path) -> None:
    """Write the highways of an extract and their nodes to another file, for tools that read nothing but .osm."""
    with osmium.BackReferenceWriter(str(path), ref_src=str(extract), overwrite=True) as writer:
        ways = osmium.FileProcessor(str(extract), osmium.osm.WAY).with_filter(osmium.filter.KeyFilter("highway"))
        for way in ways:
            writer.add(way)
