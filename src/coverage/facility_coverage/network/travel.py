"""Travel times: the nearest facility of each demand point, and every facility's catchment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import csr_array

from facility_coverage.layers.model import Floats, Ints
from facility_coverage.network import kernels
from facility_coverage.network.graph import Graph
from facility_coverage.network.snapping import Places

Direction = Literal["to_facility", "from_facility"]

#: Guards inclusive cutoffs against the last digit of a floating-point sum; far below what any clock shows.
TIME_TOLERANCE_S = 1e-6


@dataclass(frozen=True)
class Links:
    """The graph as a search sees it: from a node settled at some time, where the time grows to next.

    For trips to a facility the search runs backwards, so a link u → v carries the seconds of travelling v → u.

    Attributes
    ----------
    indptr, neighbour, cost_s
        Compressed rows per node: shapes (nodes + 1,), (links,), (links,).
    direction
        Which way people travel.
    """

    indptr: Ints
    neighbour: Ints
    cost_s: Floats
    direction: Direction

    @property
    def bucket_s(self) -> float:
        """Return the width of a bucket in seconds: the mean link, so that few nodes are taken up again."""
        return max(float(self.cost_s.mean()), 1e-3) if len(self.cost_s) else 1.0

    def bucket_count(self, longest_seed_s: float) -> int:
        """Return the number of buckets that hold everything queued at one time."""
        longest = max(float(self.cost_s.max(initial=0.0)), longest_seed_s)
        return int(longest / self.bucket_s) + 2


@dataclass(frozen=True)
class Nearest:
    """The nearest facility of each demand point.

    Attributes
    ----------
    seconds
        Travel time incl. both access legs, NaN where no facility can be reached, shape (points,).
    facility
        Row of that facility, -1 where none; the lower row wins a tie, shape (points,).
    node_s
        Seconds between each node and its nearest facility (with that facility's access leg), inf where none,
        shape (nodes,).
    """

    seconds: Floats
    facility: Ints
    node_s: Floats


def link(graph: Graph, *, direction: Direction = "to_facility") -> Links:
    """Return the links of a search for trips in `direction`."""
    last = graph.last
    ahead, back = graph.forward_s[last], graph.backward_s[last]
    to_facility = direction == "to_facility"
    # Travelling tail → head takes `ahead`; a search for trips to facilities learns of the tail from the head.
    source = np.concatenate([graph.head, graph.tail] if to_facility else [graph.tail, graph.head])
    target = np.concatenate([graph.tail, graph.head] if to_facility else [graph.head, graph.tail])
    cost = np.concatenate([ahead, back])
    open_ = np.concatenate([graph.forward_ok, graph.backward_ok])
    source, target, cost = source[open_], target[open_], cost[open_]
    order = np.lexsort((cost, target, source))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=graph.node_count))])
    return Links(indptr.astype(np.int64), target[order], cost[order], direction)


def nearest_facility(
    graph: Graph, links: Links, demand: Places, facilities: Places, *, limit_s: float = np.inf
) -> Nearest:
    """Find the nearest facility of each demand point by one search from all facilities at once.

    Parameters
    ----------
    graph, links
        The network, and its links for the direction of travel.
    demand, facilities
        Snapped points; rows of `facilities` are what `Nearest.facility` returns.
    limit_s
        Trips longer than this count as unreachable.
    """
    seeds, seed_s, label = _seeds(graph, facilities, links.direction)
    space = kernels.workspace(graph.node_count, links.bucket_count(float(seed_s.max(initial=0.0))))
    limit_s += TIME_TOLERANCE_S
    kernels.search(links.indptr, links.neighbour, links.cost_s, limit_s, links.bucket_s, seeds, seed_s, label, space)
    fac = np.flatnonzero(facilities.edge >= 0)
    fac = fac[np.argsort(facilities.edge[fac], kind="stable")]
    at_edge = np.searchsorted(facilities.edge[fac], np.arange(len(graph.tail) + 1))
    seconds, facility = kernels.times_at_points(
        _columns(demand, links.direction, leaving=True), demand.edge, graph.tail, graph.head,
        graph.forward_ok, graph.backward_ok, space[0], space[1],
        _columns(facilities, links.direction, leaving=False)[:, fac], fac, at_edge,
        links.direction == "to_facility",
    )  # fmt: skip
    beyond = ~(np.isfinite(seconds) & (seconds <= limit_s))
    return Nearest(np.where(beyond, np.nan, seconds), np.where(beyond, -1, facility), space[0])


def catchments(
    graph: Graph, links: Links, demand: Places, facilities: Places, *, limit_s: float, threads: int = 1
) -> csr_array:
    """Find everybody within `limit_s` of each facility.

    Returns
    -------
    Sparse array of seconds, shape (facilities, demand points); a stored value, also a stored zero, is a
    demand point within the limit (inclusive). The result does not depend on `threads`.
    """
    order = np.argsort(demand.edge, kind="stable")
    order = order[demand.edge[order] >= 0]
    at_edge = np.searchsorted(demand.edge[order], np.arange(len(graph.tail) + 1))
    incident, incident_start = _incidence(graph)
    _, seed_s, _ = _seeds(graph, facilities, links.direction)
    n_buckets = links.bucket_count(float(seed_s.max(initial=0.0)))
    # Ends that an edge does not lead to are infinitely far, and stay beyond the largest limit.
    limit = min(limit_s + TIME_TOLERANCE_S, float(np.finfo(np.float64).max))
    leaving = np.ascontiguousarray(_columns(demand, links.direction, leaving=True)[:, order])
    arriving = _columns(facilities, links.direction, leaving=False)

    def part(rows: Ints) -> tuple[Ints, Ints, Floats]:
        found: tuple[Ints, Ints, Floats] = kernels.catchments(
            rows, facilities.edge, arriving, links.indptr, links.neighbour, links.cost_s, links.bucket_s,
            n_buckets, graph.tail, graph.head, graph.forward_ok, graph.backward_ok, incident, incident_start,
            leaving, order, at_edge, limit, links.direction == "to_facility",
        )  # fmt: skip
        return found

    chunks = np.array_split(np.arange(len(facilities)), max(1, min(threads * 4, len(facilities))))
    with ThreadPoolExecutor(max_workers=threads) as pool:
        parts = list(pool.map(part, chunks))
    counts, points, seconds = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    indptr = np.concatenate([[0], np.cumsum(counts)])
    return csr_array((seconds, points, indptr), shape=(len(facilities), len(demand)))


def _seeds(graph: Graph, facilities: Places, direction: Direction) -> tuple[Ints, Floats, Ints]:
    """Return nodes, seconds and facility rows from which a search starts."""
    row = np.flatnonzero(facilities.edge >= 0)
    edge = facilities.edge[row]
    if direction == "to_facility":
        by_tail, by_head = facilities.from_tail_s[row], facilities.from_head_s[row]
    else:
        by_tail, by_head = facilities.to_tail_s[row], facilities.to_head_s[row]
    access = facilities.access_s[row]
    nodes = np.concatenate([graph.tail[edge], graph.head[edge]])
    seconds = np.concatenate([by_tail + access, by_head + access])
    labels = np.concatenate([row, row])
    open_ = np.isfinite(seconds)
    return nodes[open_], seconds[open_], labels[open_]


def _columns(places: Places, direction: Direction, *, leaving: bool) -> Floats:
    """Return what the kernels need of each place: access, times by tail and head, and place on the edge.

    `leaving` is True for the side that the search reaches last (demand): for trips to facilities it leaves its place.
    """
    outward = leaving == (direction == "to_facility")
    by_tail, by_head = (places.to_tail_s, places.to_head_s) if outward else (places.from_tail_s, places.from_head_s)
    return np.stack([places.access_s, by_tail, by_head, places.position_m, places.forward_s, places.backward_s])


def _incidence(graph: Graph) -> tuple[Ints, Ints]:
    """Return the edges at each node, as compressed rows."""
    nodes = np.concatenate([graph.tail, graph.head])
    edges = np.tile(np.arange(len(graph.tail)), 2)
    order = np.argsort(nodes, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(nodes, minlength=graph.node_count))])
    return edges[order], start.astype(np.int64)
