"""The network of one profile: edges between junctions, with the travel time at every vertex.

An edge keeps its polyline, so that a point snaps to a place *along* it and a partial edge has its own time.
Times are kept per vertex and per direction: where an edge climbs, the two differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from facility_coverage.config.profile import Profile
from facility_coverage.errors import Fault, NetworkError
from facility_coverage.layers.model import Floats, Ints, Roads
from facility_coverage.network import kernels
from facility_coverage.network.order import along_curve, group, numbered, ranges
from facility_coverage.network.speed import SegmentTimes, segment_times

Bools = npt.NDArray[np.bool_]

#: A node where this many ends of edges meet is a junction that costs a driver the turn penalty.
JUNCTION_ENDS = 3


@dataclass(frozen=True)
class Graph:
    """Edges between junctions, as arrays; nodes and edges lie in the order of a space-filling curve.

    Attributes
    ----------
    xy
        Vertices of all edges one after the other, metres, shape (vertices, 2).
    start
        Edge `e` owns vertices ``start[e]:start[e + 1]``, shape (edges + 1,).
    vertex_m
        Distance of each vertex from its edge's tail along the edge, metres, shape (vertices,).
    forward_s, backward_s
        Seconds from the tail to each vertex, and from each vertex back to the tail, shape (vertices,). Where the
        profile loses time at junctions, the first and the last step of an edge have no length and half of that time.
    tail, head
        Nodes at the two ends of each edge, 0 … nodes-1, shape (edges,).
    forward_ok, backward_ok
        Whether an edge may be travelled tail → head, and head → tail, shape (edges,).
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
    node_count: int

    @property
    def last(self) -> Ints:
        """Index of the last vertex of each edge, shape (edges,)."""
        return self.start[1:] - 1

    @property
    def length_m(self) -> Floats:
        """Length of each edge in metres, shape (edges,)."""
        return self.vertex_m[self.last]

    @property
    def node_xy(self) -> Floats:
        """Places of the nodes, metres, shape (nodes, 2)."""
        place = np.empty((self.node_count, 2))
        place[self.tail] = self.xy[self.start[:-1]]
        place[self.head] = self.xy[self.last]
        return place


def piece_lengths_m(graph: Graph) -> Floats:
    """Return the length of the connected piece that each edge belongs to, metres, shape (edges,)."""
    component = _components(graph.tail, graph.head, graph.node_count)[graph.tail]
    return np.bincount(component, weights=graph.length_m).astype(np.float64)[component]


@dataclass(frozen=True)
class Dropped:
    """What a network leaves out.

    Attributes
    ----------
    component_count, length_m
        Pieces of network that were too small to keep: their number and length.
    xy, start
        Their polylines: piece `p` owns vertices ``start[p]:start[p + 1]``.
    report
        What was closed or not understood before (`speed.SegmentTimes.report`).
    """

    component_count: int
    length_m: float
    xy: Floats
    start: Ints
    report: dict[str, float]


@dataclass(frozen=True)
class _Edges:
    """Edges as lists of vertices of the ways: `step_*` belong to the step from a vertex to the next of its edge."""

    vertex: Ints
    start: Ints
    step_m: Floats
    ahead_s: Floats
    back_s: Floats
    tail: Ints
    head: Ints
    node_count: int

    def __len__(self) -> int:
        return len(self.tail)

    @property
    def open_(self) -> tuple[Bools, Bools]:
        """Whether each edge may be travelled ahead, and back: all its steps may, or none."""
        first = self.start[:-1]
        return np.isfinite(self.ahead_s[first]), np.isfinite(self.back_s[first])

    def take(self, edges: Ints, *, backwards: Bools | None = None) -> _Edges:
        """Return the named edges in the named order, those in `backwards` turned round."""
        turned = np.zeros(len(edges), dtype=np.bool_) if backwards is None else backwards
        at, start = ranges(self.start[edges], self.start[edges + 1])
        flip = np.repeat(turned, np.diff(start))
        mirrored = np.repeat(self.start[edges] + self.start[edges + 1] - 1, np.diff(start)) - at
        vertex = np.where(flip, mirrored, at)
        # The step of a turned edge belongs to the vertex where it used to end; the last step of any edge is none.
        step = np.where(flip, np.maximum(mirrored - 1, 0), at)
        ahead, back, step_m = self.ahead_s[step], self.back_s[step], self.step_m[step]
        step_m[start[1:] - 1] = 0.0
        tail, head = self.tail[edges], self.head[edges]
        return _Edges(
            vertex=self.vertex[vertex], start=start, step_m=step_m,
            ahead_s=np.where(flip, back, ahead), back_s=np.where(flip, ahead, back),
            tail=np.where(turned, head, tail), head=np.where(turned, tail, head), node_count=self.node_count,
        )  # fmt: skip


def build_graph(roads: Roads, profile: Profile, *, min_component_nodes: int, file: str) -> tuple[Graph, Dropped]:
    """Build the network that a profile may use.

    Ways are cut at junctions, small pieces dropped, and edges that merely continue each other joined to one: fewer
    edges to search, every vertex and every travel time kept.

    Parameters
    ----------
    roads
        Ways of the study.
    profile
        Who travels: decides the ways allowed and the speed.
    min_component_nodes
        Connected pieces with fewer junctions and ends (joints of ways counted) are dropped.
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
    times = segment_times(roads, profile)
    cut = _cut_at_junctions(roads, times)
    if not len(cut):
        found = ", ".join(sorted(roads.tags["highway"].dropna().unique())[:12])
        raise NetworkError([Fault(file, f"none of the {len(roads.tags)} ways may be used by this profile",
                                  column="highway", advice=f"its values are: {found}")])  # fmt: skip
    kept, component_count = _large_components(cut, min_component_nodes)
    if not kept.any():
        raise NetworkError([Fault(file, f"every connected piece has fewer than {min_component_nodes} junctions",
                                  field="network.min_component_nodes",
                                  advice="lower it, or check that lines which meet share a vertex")])  # fmt: skip
    small = cut.take(np.flatnonzero(~kept))
    dropped = Dropped(component_count, float(small.step_m.sum()), roads.xy[small.vertex], small.start, times.report)
    edges = _in_curve_order(_joined(cut.take(np.flatnonzero(kept))), roads.xy)
    return _with_penalty(_graph(edges, roads.xy), profile.turn_penalty_s), dropped


def _cut_at_junctions(roads: Roads, times: SegmentTimes) -> _Edges:
    """Cut ways wherever a node is used more than once, a way ends, or one may go on in other directions."""
    ahead_ok, back_ok = np.isfinite(times.forward_s), np.isfinite(times.backward_s)
    usable = ahead_ok | back_ok
    usable[roads.start[1:] - 1] = False
    before = np.concatenate([[False], usable[:-1]])
    at = np.flatnonzero(usable | before)
    uses = np.bincount(roads.node[at], minlength=int(roads.node.max(initial=0)) + 1)
    same = np.concatenate([[False], (ahead_ok[1:] == ahead_ok[:-1]) & (back_ok[1:] == back_ok[:-1])])
    is_break = (uses[roads.node] > 1) | ~(usable & before & same)
    breaks = at[is_break[at]]
    first = breaks[usable[breaks]]
    last = breaks[np.searchsorted(breaks, first) + 1]
    vertex, start = ranges(first, last + 1)
    ends, node_count = numbered(roads.node[np.concatenate([first, last])])
    step_m = np.zeros(len(vertex))
    step_m[:-1] = np.hypot(*(roads.xy[vertex[1:]] - roads.xy[vertex[:-1]]).T)
    step_m[start[1:] - 1] = 0.0
    return _Edges(
        vertex=vertex, start=start, step_m=step_m, ahead_s=times.forward_s[vertex], back_s=times.backward_s[vertex],
        tail=ends[: len(first)], head=ends[len(first) :], node_count=node_count,
    )  # fmt: skip


def _large_components(edges: _Edges, min_nodes: int) -> tuple[Bools, int]:
    """Return which edges lie in large components, and how many components are small."""
    component = _components(edges.tail, edges.head, edges.node_count)
    size = np.bincount(component)
    return (size >= min_nodes)[component[edges.tail]], int((size < min_nodes).sum())


def _components(tail: Ints, head: Ints, node_count: int) -> Ints:
    """Return the number of the connected piece that each node belongs to, whatever the directions."""
    links = coo_array((np.ones(len(tail), dtype=np.int8), (tail, head)), shape=(node_count, node_count))
    _, component = connected_components(links.tocsr(), directed=False)
    return np.asarray(component, dtype=np.int64)


def _joined(edges: _Edges) -> _Edges:
    """Join edges end to end wherever exactly two meet and one may pass from either to the other alike."""
    nodes = np.concatenate([edges.tail, edges.head])
    ids = np.tile(np.arange(len(edges)), 2)
    order, node_start = group(nodes, edges.node_count)
    ahead, back = edges.open_
    into, out_of = np.concatenate([back, ahead]), np.concatenate([ahead, back])
    two = np.flatnonzero(np.diff(node_start) == 2)
    one, other = order[node_start[two]], order[node_start[two] + 1]
    # Whoever comes in by the one may leave by the other, in both directions or in neither.
    passes = (ids[one] != ids[other]) & (into[one] == out_of[other]) & (out_of[one] == into[other])
    through = np.zeros(edges.node_count, dtype=np.bool_)
    through[two[passes]] = True
    chain, backwards, chain_start = kernels.chains(edges.tail, edges.head, through, ids[order], node_start)
    turned = edges.take(chain, backwards=backwards)
    # Where one edge ends the next begins with the same vertex: its end, which carries no step, is left out.
    keep = np.ones(len(turned.vertex), dtype=np.bool_)
    keep[turned.start[1:] - 1] = False
    keep[turned.start[chain_start[1:]] - 1] = True
    kept_before = np.concatenate([[0], np.cumsum(keep)])
    return _Edges(
        vertex=turned.vertex[keep], start=kept_before[turned.start[chain_start]],
        step_m=turned.step_m[keep], ahead_s=turned.ahead_s[keep], back_s=turned.back_s[keep],
        tail=turned.tail[chain_start[:-1]], head=turned.head[chain_start[1:] - 1], node_count=edges.node_count,
    )  # fmt: skip


def _in_curve_order(edges: _Edges, xy: Floats) -> _Edges:
    """Return edges sorted by their nodes, numbered along a space-filling curve, whatever the order of the ways.

    Neighbours on the ground become neighbours in memory. Each edge runs from its lower to its higher node.
    """
    ends, node_count = numbered(np.concatenate([edges.tail, edges.head]))
    place = np.empty((node_count, 2))
    place[ends[: len(edges)]] = xy[edges.vertex[edges.start[:-1]]]
    place[ends[len(edges) :]] = xy[edges.vertex[edges.start[1:] - 1]]
    order = along_curve(place)
    rank = np.empty(node_count, dtype=np.int64)
    rank[order] = np.arange(node_count)
    tail, head = rank[ends[: len(edges)]], rank[ends[len(edges) :]]
    # A loop runs the way round that meets the lower coordinate first.
    second, last_but_one = xy[edges.vertex[edges.start[:-1] + 1]], xy[edges.vertex[edges.start[1:] - 2]]
    mirrored = (second[:, 0] > last_but_one[:, 0]) | (
        (second[:, 0] == last_but_one[:, 0]) & (second[:, 1] > last_but_one[:, 1])
    )
    turn = (tail > head) | ((tail == head) & mirrored)
    ranked = _Edges(edges.vertex, edges.start, edges.step_m, edges.ahead_s, edges.back_s, tail, head, node_count)
    length_m = np.add.reduceat(edges.step_m, edges.start[:-1])
    low, high = np.minimum(tail, head), np.maximum(tail, head)
    # Copies of one road differ in no digit that matters; the millimetre tells other parallel roads apart.
    by = np.lexsort((np.rint(length_m * 1000), high, low))
    return ranked.take(by, backwards=turn[by])


def _graph(edges: _Edges, xy: Floats) -> Graph:
    """Add up lengths and times along each edge."""
    forward_ok, backward_ok = edges.open_

    def summed(step: Floats) -> Floats:
        arriving = np.zeros_like(step)
        arriving[1:] = np.where(np.isfinite(step[:-1]), step[:-1], 0.0)
        arriving[edges.start[:-1]] = 0.0
        return kernels.running_sums(arriving, edges.start)

    return Graph(
        xy=xy[edges.vertex], start=edges.start, vertex_m=summed(edges.step_m), forward_s=summed(edges.ahead_s),
        backward_s=summed(edges.back_s), tail=edges.tail, head=edges.head,
        forward_ok=forward_ok, backward_ok=backward_ok, node_count=edges.node_count,
    )  # fmt: skip


def _with_penalty(graph: Graph, penalty_s: float) -> Graph:
    """Return the graph with half of `penalty_s` at every end of an edge that lies at a junction.

    The ends get a step without length that carries the time: passing a junction costs the whole, beginning or
    ending a trip at it one half, and moving within an edge nothing. So a trip and its reverse cost the same.
    """
    if penalty_s == 0.0:
        return graph
    ends = np.bincount(np.concatenate([graph.tail, graph.head]), minlength=graph.node_count)
    half = np.where(ends >= JUNCTION_ENDS, penalty_s / 2.0, 0.0)
    count = np.diff(graph.start)
    vertex, start = ranges(graph.start[:-1] - 1, graph.start[1:] + 1)
    # The vertices before the first and after the last stand at the first and the last.
    edge = np.repeat(np.arange(len(count)), count + 2)
    vertex = np.clip(vertex, graph.start[edge], graph.start[edge + 1] - 1)
    wait = np.repeat(half[graph.tail], count + 2)
    wait[start[:-1]] = 0.0
    wait[start[1:] - 1] += half[graph.head]
    return Graph(
        xy=graph.xy[vertex], start=start, vertex_m=graph.vertex_m[vertex],
        forward_s=graph.forward_s[vertex] + wait, backward_s=graph.backward_s[vertex] + wait, tail=graph.tail,
        head=graph.head, forward_ok=graph.forward_ok, backward_ok=graph.backward_ok, node_count=graph.node_count,
    )  # fmt: skip
