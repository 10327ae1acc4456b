"""Travel times: the nearest facilities of each demand point, and every facility's catchment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from facility_coverage.config.profile import Direction
from facility_coverage.layers.model import Floats, Ints
from facility_coverage.network import kernels, search
from facility_coverage.network.graph import Graph
from facility_coverage.network.order import group, ranges
from facility_coverage.network.snapping import Places

#: Guards inclusive cutoffs against the last digit of a floating-point sum; far below what any clock shows.
TIME_TOLERANCE_S = 1e-6

#: Entries that a queue's pool holds at first; it grows where a search needs more.
_POOL = 65_536


@dataclass(frozen=True)
class Links:
    """The graph as a search sees it: from a node settled at some time, where the time grows to next.

    For trips to a facility the search runs backwards, so a link u → v carries the seconds of travelling v → u. Loops
    and all but the quickest of parallel links are left out: no search uses them.

    Attributes
    ----------
    indptr
        Links of node u: ``indptr[u]:indptr[u + 1]``, shape (nodes + 1,).
    arcs
        Where each link leads and its seconds (`search.ARC`), shape (links,).
    direction
        Which way people travel.
    incident, incident_start
        Edges of the graph at node u: ``incident[incident_start[u]:incident_start[u + 1]]``, shapes (2 × edges,) and
        (nodes + 1,).
    """

    indptr: Ints
    arcs: npt.NDArray[np.void]
    direction: Direction
    incident: npt.NDArray[np.int32]
    incident_start: Ints

    @property
    def cost_s(self) -> Floats:
        """Seconds of each link, shape (links,)."""
        seconds: Floats = self.arcs["cost_s"]
        return seconds

    @property
    def bucket_s(self) -> float:
        """Width of a bucket in seconds: twice the mean link, so that few nodes are taken up again and few are empty."""
        return max(2.0 * float(self.cost_s.mean()), 1e-3) if len(self.arcs) else 1.0

    def bucket_count(self, longest_seed_s: float) -> int:
        """Return the number of buckets that hold everything queued at one time, a power of two."""
        longest = max(float(self.cost_s.max(initial=0.0)), longest_seed_s)
        return 1 << (int(longest / self.bucket_s) + 2).bit_length()


@dataclass(frozen=True)
class Standing:
    """Demand points edge by edge, as catchments look for them; made once for all facility layers.

    Attributes
    ----------
    row
        Attached demand points in the order of their edges, shape (attached,).
    at_edge
        Edge `e` holds ``row[at_edge[e]:at_edge[e + 1]]``, shape (edges + 1,).
    columns
        Their times and places, shape (attached, 6).
    count
        Number of all demand points.
    direction
        Which way people travel.
    """

    row: npt.NDArray[np.int32]
    at_edge: Ints
    columns: Floats
    count: int
    direction: Direction


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


@dataclass(frozen=True)
class NearestK:
    """The k nearest facilities of each demand point, nearest first.

    Attributes
    ----------
    seconds
        Travel times incl. both access legs, NaN where fewer than k can be reached, shape (points, k).
    facility
        Rows of those facilities, -1 where there is none, shape (points, k).
    """

    seconds: Floats
    facility: Ints


@dataclass(frozen=True)
class NodeTimes:
    """The nodes within a limit of each facility, as compressed rows.

    Attributes
    ----------
    indptr
        Facility `f` reaches entries ``indptr[f]:indptr[f + 1]``, shape (facilities + 1,).
    node
        Nodes, increasing within a facility, shape (entries,).
    seconds
        Between the node and the facility incl. the facility's access leg, shape (entries,).
    """

    indptr: Ints
    node: Ints
    seconds: Floats


def link(graph: Graph, *, direction: Direction = "to_facility") -> Links:
    """Return the links of a search for trips in `direction`."""
    last = graph.last
    ahead, back = graph.forward_s[last], graph.backward_s[last]
    to_facility = direction == "to_facility"
    # Travelling tail → head takes `ahead`; a search for trips to facilities learns of the tail from the head.
    source = np.concatenate([graph.head, graph.tail] if to_facility else [graph.tail, graph.head])
    target = np.concatenate([graph.tail, graph.head] if to_facility else [graph.head, graph.tail])
    cost = np.concatenate([ahead, back])
    open_ = np.concatenate([graph.forward_ok, graph.backward_ok]) & (source != target)
    source, target, cost = source[open_], target[open_], cost[open_]
    order = np.lexsort((cost, target, source))
    source, target, cost = source[order], target[order], cost[order]
    quickest = np.ones(len(order), dtype=np.bool_)
    quickest[1:] = (np.diff(source) != 0) | (np.diff(target) != 0)
    arcs = np.empty(int(quickest.sum()), search.ARC)
    arcs["to"], arcs["cost_s"] = target[quickest], cost[quickest]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(source[quickest], minlength=graph.node_count))])
    incident, incident_start = group(np.concatenate([graph.tail, graph.head]), graph.node_count)
    edge = (incident % max(len(graph.tail), 1)).astype(np.int32)
    return Links(indptr.astype(np.int64), arcs, direction, edge, incident_start)


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
    states = search.empty_states(graph.node_count)
    limit_s += TIME_TOLERANCE_S
    search.search(
        links.indptr, links.arcs, limit_s, 1.0 / links.bucket_s, seeds, seed_s, label, states,
        np.empty(graph.node_count, np.int32), *_queue(links, seed_s),
    )  # fmt: skip
    seconds, facility = kernels.times_at_points(
        _columns(demand, links.direction, leaving=True), demand.edge, graph.tail, graph.head,
        graph.forward_ok, graph.backward_ok, states, *_on_edges(graph, facilities, links.direction),
        links.direction == "to_facility",
    )  # fmt: skip
    beyond = ~(np.isfinite(seconds) & (seconds <= limit_s))
    return Nearest(np.where(beyond, np.nan, seconds), np.where(beyond, -1, facility), states["s"].copy())


def nearest_facilities(
    graph: Graph, links: Links, demand: Places, facilities: Places, *, k: int, limit_s: float = np.inf
) -> NearestK:
    """Find the `k` nearest facilities of each demand point, in one search whose nodes keep k times each.

    Memory: 16 bytes for each node or point and each of the k. Ties go to the lower row.

    Parameters
    ----------
    graph, links
        The network, and its links for the direction of travel.
    demand, facilities
        Snapped points; rows of `facilities` are what `NearestK.facility` returns.
    k
        How many, at least 1.
    limit_s
        Trips longer than this count as unreachable.

    Raises
    ------
    ValueError
        If `k` is less than 1.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, found {k}")
    seeds, seed_s, label = _seeds(graph, facilities, links.direction)
    node_s = np.full((graph.node_count, k), np.inf)
    node_label = np.full((graph.node_count, k), search.NO_LABEL, dtype=np.int64)
    limit_s += TIME_TOLERANCE_S
    search.search_nearest(
        links.indptr, links.arcs, limit_s, 1.0 / links.bucket_s, seeds, seed_s, label, node_s, node_label,
        *_queue(links, seed_s, search.LABELLED_ENTRY),
    )  # fmt: skip
    seconds, facility = kernels.nearest_at_points(
        _columns(demand, links.direction, leaving=True), demand.edge, graph.tail, graph.head,
        graph.forward_ok, graph.backward_ok, node_s, node_label, *_on_edges(graph, facilities, links.direction),
        links.direction == "to_facility",
    )  # fmt: skip
    beyond = ~(np.isfinite(seconds) & (seconds <= limit_s))
    return NearestK(np.where(beyond, np.nan, seconds), np.where(beyond, -1, facility))


def stand(graph: Graph, demand: Places, *, direction: Direction = "to_facility") -> Standing:
    """Return the demand points edge by edge."""
    attached = np.flatnonzero(demand.edge >= 0)
    order, at_edge = group(demand.edge[attached], len(graph.tail))
    row = attached[order]
    return Standing(
        row.astype(np.int32), at_edge, _columns(demand, direction, leaving=True)[row], len(demand), direction
    )


def catchments(
    graph: Graph, links: Links, demand: Places | Standing, facilities: Places, *, limit_s: float, threads: int = 1
) -> csr_array:
    """Find everybody within `limit_s` of each facility.

    Memory: 12 bytes for each pair found, and 20 more while the rows are put together; for each thread 28 bytes for each
    node and 4 for each edge.

    Parameters
    ----------
    graph, links
        The network, and its links for the direction of travel.
    demand, facilities
        Snapped points; demand may stand edge by edge already.
    limit_s
        The longest trip, inclusive.
    threads
        Facilities are divided among so many.

    Returns
    -------
    Sparse array of seconds, shape (facilities, demand points); a stored value, also a stored zero, is a
    demand point within the limit (inclusive). The result does not depend on `threads`.
    """
    standing = demand if isinstance(demand, Standing) else stand(graph, demand, direction=links.direction)
    if standing.direction != links.direction:
        raise ValueError(f"demand stands for trips {standing.direction}, links are for trips {links.direction}")
    _, seed_s, _ = _seeds(graph, facilities, links.direction)
    n_buckets = links.bucket_count(float(seed_s.max(initial=0.0)))
    # Ends that an edge does not lead to are infinitely far, and stay beyond the largest limit.
    limit = min(limit_s + TIME_TOLERANCE_S, float(np.finfo(np.float64).max))
    arriving = _columns(facilities, links.direction, leaving=False)

    def part(rows: Ints) -> tuple[Ints, Ints, Floats]:
        found: tuple[Ints, Ints, Floats] = kernels.catchments(
            rows, facilities.edge, arriving, links.indptr, links.arcs, 1.0 / links.bucket_s, n_buckets,
            graph.tail, graph.head, graph.forward_ok, graph.backward_ok, links.incident, links.incident_start,
            standing.columns, standing.row, standing.at_edge, limit, links.direction == "to_facility",
        )  # fmt: skip
        return found

    counts, points, seconds = _in_parts(part, facilities, threads)
    wide = np.int64 if len(points) > np.iinfo(np.int32).max else np.int32
    indptr, columns = np.concatenate([[0], np.cumsum(counts)]).astype(wide), points.astype(wide, copy=False)
    found: csr_array = csr_array((seconds, columns, indptr), shape=(len(facilities), standing.count))
    found.sort_indices()
    return found


def node_times(graph: Graph, links: Links, facilities: Places, *, limit_s: float, threads: int = 1) -> NodeTimes:
    """Find the nodes within `limit_s` of each facility; the result does not depend on `threads`."""
    _, seed_s, _ = _seeds(graph, facilities, links.direction)
    n_buckets = links.bucket_count(float(seed_s.max(initial=0.0)))
    limit = min(limit_s + TIME_TOLERANCE_S, float(np.finfo(np.float64).max))
    arriving = _columns(facilities, links.direction, leaving=False)

    def part(rows: Ints) -> tuple[Ints, Ints, Floats]:
        found: tuple[Ints, Ints, Floats] = kernels.node_times(
            rows, facilities.edge, arriving, links.indptr, links.arcs, 1.0 / links.bucket_s, n_buckets,
            graph.tail, graph.head, limit,
        )  # fmt: skip
        return found

    counts, nodes, seconds = _in_parts(part, facilities, threads)
    return NodeTimes(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), nodes, seconds)


def _in_parts(
    part: Callable[[Ints], tuple[Ints, Ints, Floats]], facilities: Places, threads: int
) -> tuple[Ints, Ints, Floats]:
    """Run `part` on facilities side by side; return its results in the order of the facilities.

    Facilities are taken edge by edge, which is along the curve: the next one finds its neighbourhood in the cache.
    """
    rows = np.argsort(facilities.edge, kind="stable")
    chunks = np.array_split(rows, max(1, min(threads * 4, len(rows))) if threads > 1 else 1)
    with ThreadPoolExecutor(max_workers=threads) as pool:
        parts = list(pool.map(part, chunks))
    counts, entries, seconds = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    place = np.empty_like(rows)
    place[rows] = np.arange(len(rows))
    start = np.concatenate([[0], np.cumsum(counts)])
    at, _ = ranges(start[place], start[place + 1])
    return counts[place], entries[at], seconds[at]


def _queue(
    links: Links, seed_s: Floats, entry: npt.DTypeLike = search.ENTRY
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.void]]:
    """Return an empty queue: its buckets, and a pool of entries."""
    n_buckets = links.bucket_count(float(seed_s.max(initial=0.0)))
    return np.full(n_buckets, search.NOBODY, np.int32), np.empty(_POOL, entry)


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
    columns = [places.access_s, by_tail, by_head, places.position_m, places.forward_s, places.backward_s]
    return np.column_stack(columns)


def _on_edges(graph: Graph, facilities: Places, direction: Direction) -> tuple[Floats, Ints, Ints]:
    """Return the attached facilities edge by edge: their columns, their rows, and where each edge begins."""
    row = np.flatnonzero(facilities.edge >= 0)
    order, at_edge = group(facilities.edge[row], len(graph.tail))
    row = row[order]
    return _columns(facilities, direction, leaving=False)[row], row, at_edge
