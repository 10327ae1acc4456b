"""The network of one profile: edges between junctions, with the travel time at every vertex.

An edge keeps its polyline, so that a point snaps to a place *along* it and a partial edge has its own time.
Times are kept per vertex and per direction: where an edge climbs, the two differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from facility_coverage.config.profile import Profile
from facility_coverage.errors import Fault, NetworkError
from facility_coverage.layers.model import Floats, Ints, Roads
from facility_coverage.network import kernels
from facility_coverage.network.access import walkable

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Graph:
    """Edges between junctions, as arrays.

    Attributes
    ----------
    xy
        Vertices of all edges one after the other, metres, shape (vertices, 2).
    start
        Edge `e` owns vertices ``start[e]:start[e + 1]``, shape (edges + 1,).
    vertex_m
        Distance of each vertex from its edge's tail along the edge, metres, shape (vertices,).
    forward_s, backward_s
        Seconds from the tail to each vertex, and from each vertex back to the tail, shape (vertices,).
    tail, head
        Nodes at the two ends of each edge, 0 … nodes-1, shape (edges,).
    forward_ok, backward_ok
        Whether an edge may be travelled tail → head, and head → tail, shape (edges,).
    way
        Row of each edge in ``roads.tags``, shape (edges,).
    node_count
        Number of nodes.
    """

    xy: Floats
    start: Ints
    vertex_m: Floats
    forward_s: Floats
    backward_s: Floats
    tail: Ints
    head: Ints
    forward_ok: Bools
    backward_ok: Bools
    way: Ints
    node_count: int

    @property
    def last(self) -> Ints:
        """Index of the last vertex of each edge, shape (edges,)."""
        return self.start[1:] - 1

    @property
    def length_m(self) -> Floats:
        """Length of each edge in metres, shape (edges,)."""
        return self.vertex_m[self.last]

    def at_speed(self, speed_ms: float) -> Graph:
        """Return the same edges travelled at `speed_ms` metres per second."""
        seconds = self.vertex_m / speed_ms
        return replace(self, forward_s=seconds, backward_s=seconds)

    def edges(self, keep: Bools) -> Graph:
        """Return the graph of the edges in `keep` (shape (edges,)), with its nodes numbered anew in order."""
        chosen = np.flatnonzero(keep)
        vertices, start = ranges(self.start[chosen], self.start[chosen + 1])
        nodes, ends = np.unique(np.concatenate([self.tail[chosen], self.head[chosen]]), return_inverse=True)
        tail, head = ends[: len(chosen)], ends[len(chosen) :]
        return Graph(
            xy=self.xy[vertices], start=start, vertex_m=self.vertex_m[vertices],
            forward_s=self.forward_s[vertices], backward_s=self.backward_s[vertices], tail=tail, head=head,
            forward_ok=self.forward_ok[chosen], backward_ok=self.backward_ok[chosen], way=self.way[chosen],
            node_count=len(nodes),
        )  # fmt: skip


@dataclass(frozen=True)
class Dropped:
    """Pieces of network that were too small to keep."""

    component_count: int
    length_m: float
    xy: Floats
    start: Ints


def build_graph(roads: Roads, profile: Profile, *, min_component_nodes: int, file: str) -> tuple[Graph, Dropped]:
    """Build the network that a profile may use.

    Parameters
    ----------
    roads
        Ways of the study.
    profile
        Who travels: decides the ways allowed and the speed.
    min_component_nodes
        Connected pieces with fewer nodes are dropped.
    file
        Where the roads come from, for the error.

    Returns
    -------
    The graph, and what was dropped.

    Raises
    ------
    NetworkError
        When no way may be used, or no piece is large enough.
    """
    allowed = walkable(roads.tags, stairs=profile.stairs == "allowed")
    if not allowed.any():
        found = ", ".join(sorted(roads.tags["highway"].dropna().unique())[:12])
        raise NetworkError([Fault(file, f"none of the {len(allowed)} ways may be walked along",
                                  column="highway", advice=f"its values are: {found}")])  # fmt: skip
    graph = _split_at_junctions(roads, np.flatnonzero(allowed), profile.level_speed_ms)
    kept, component_count = _large_components(graph, min_component_nodes)
    if not kept.any():
        raise NetworkError([Fault(file, f"every connected piece has fewer than {min_component_nodes} junctions",
                                  field="network.min_component_nodes",
                                  advice="lower it, or check that lines which meet share a vertex")])  # fmt: skip
    small = graph.edges(~kept) if not kept.all() else None
    dropped = Dropped(
        component_count=component_count,
        length_m=float(graph.length_m[~kept].sum()),
        xy=graph.xy[:0] if small is None else small.xy,
        start=graph.start[:1] if small is None else small.start,
    )
    return graph.edges(kept), dropped


def _split_at_junctions(roads: Roads, ways: Ints, speed_ms: float) -> Graph:
    """Cut ways wherever a node is used more than once, or a way ends."""
    vertices, way_start = ranges(roads.start[ways], roads.start[ways + 1])
    node = roads.node[vertices]
    is_break = np.bincount(node, minlength=1)[node] > 1
    is_break[way_start[:-1]] = is_break[way_start[1:] - 1] = True
    breaks = np.flatnonzero(is_break)
    ends_way = np.zeros(len(node), dtype=np.bool_)
    ends_way[way_start[1:] - 1] = True
    first = breaks[~ends_way[breaks]]
    last = breaks[np.searchsorted(breaks, first) + 1]
    index, start = ranges(first, last + 1)
    xy = roads.xy[vertices][index]
    vertex_m = _cumulative_length(xy, start)
    nodes, end_nodes = np.unique(node[np.concatenate([first, last])], return_inverse=True)
    both_ways = np.ones(len(first), dtype=np.bool_)
    return Graph(
        xy=xy, start=start, vertex_m=vertex_m, forward_s=vertex_m / speed_ms, backward_s=vertex_m / speed_ms,
        tail=end_nodes[: len(first)], head=end_nodes[len(first) :], forward_ok=both_ways, backward_ok=both_ways,
        way=ways[np.searchsorted(way_start, first, side="right") - 1], node_count=len(nodes),
    )  # fmt: skip


def _large_components(graph: Graph, min_nodes: int) -> tuple[Bools, int]:
    """Return which edges lie in large components, and how many components are small."""
    links = coo_array(
        (np.ones(len(graph.tail), dtype=np.int8), (graph.tail, graph.head)),
        shape=(graph.node_count, graph.node_count),
    )
    _, component = connected_components(links.tocsr(), directed=False)
    size = np.bincount(component)
    return (size >= min_nodes)[component[graph.tail]], int((size < min_nodes).sum())


def _cumulative_length(xy: Floats, start: Ints) -> Floats:
    """Return each vertex's distance from the first vertex of its polyline."""
    step = np.zeros(len(xy))
    step[1:] = np.hypot(*(xy[1:] - xy[:-1]).T)
    step[start[:-1]] = 0.0
    return kernels.running_sums(step, start)


def ranges(first: Ints, stop: Ints) -> tuple[Ints, Ints]:
    """Return the ranges ``first[i]:stop[i]`` one after the other, and where each begins.

    Examples
    --------
    >>> index, start = ranges(np.array([5, 0]), np.array([8, 2]))
    >>> index.tolist(), start.tolist()
    ([5, 6, 7, 0, 1], [0, 3, 5])
    """
    start = np.concatenate([[0], np.cumsum(stop - first)]).astype(np.int64)
    return np.arange(start[-1]) + np.repeat(first - start[:-1], stop - first), start
