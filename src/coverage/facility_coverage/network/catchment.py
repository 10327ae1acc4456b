"""Catchments: everybody, or every node, within a limit of each facility."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from facility_coverage.config.profile import Direction
from facility_coverage.layers.model import Floats, Ints
from facility_coverage.network import catchment_kernels as kernels
from facility_coverage.network.catchment_kernels import AHEAD, POINT, SPOT
from facility_coverage.network.graph import Graph
from facility_coverage.network.links import TIME_TOLERANCE_S, Links, columns, seeds
from facility_coverage.network.order import group
from facility_coverage.network.snapping import Places

#: Entries of a block of memory for results, 12 bytes each.
_BLOCK = 1 << 18


@dataclass(frozen=True)
class Standing:
    """Demand points in the order in which catchments look for them; made once for all facility layers.

    Points stand with the tail of their edge, edge by edge. Points right at a node, from where either way is open, stand
    with that node: their time is the node's.

    Attributes
    ----------
    points
        Attached points (`catchment_kernels.POINT`), shape (attached,).
    spots
        With node `u` stand ``points[spots[u].points:spots[u + 1].points]``. Of the edges that hold points,
        ``ahead[spots[u].ahead:spots[u + 1].ahead]`` end at it; `ahead_s` is the longest time along these from the head
        on, inf where one does not lead that way (`catchment_kernels.SPOT`), shape (nodes + 1,).
    ahead
        Edges that hold points (`catchment_kernels.AHEAD`), by their heads, shape (edges that hold points,).
    on_edge
        On edge `e` stand ``points[on_edge[e, 0]:on_edge[e, 1]]``, shape (edges, 2).
    where
        Metres from the tail, and seconds from it and to it, of each of `points`, shape (attached, 3).
    count
        Number of all demand points.
    direction
        Which way people travel.
    """

    points: npt.NDArray[np.void]
    spots: npt.NDArray[np.void]
    ahead: npt.NDArray[np.void]
    on_edge: npt.NDArray[np.uint32]
    where: Floats
    count: int
    direction: Direction


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
    node: npt.NDArray[np.int32]
    seconds: Floats


def stand(graph: Graph, demand: Places, *, direction: Direction = "to_facility") -> Standing:
    """Return the demand points in the order in which catchments look for them."""
    attached = np.flatnonzero(demand.edge >= 0)
    edge, node = demand.edge[attached], _own_node(graph, demand)[attached]
    # In one series: each node, followed by the edges of which it is the tail (edges are sorted by their tails).
    first_edge = np.searchsorted(graph.tail, np.arange(graph.node_count))
    of_node = first_edge + np.arange(graph.node_count)
    of_edge = np.arange(len(graph.tail)) + graph.tail + 1
    order, start = group(np.where(node >= 0, of_node[node], of_edge[edge]), graph.node_count + len(graph.tail))
    row, edge, node = attached[order], edge[order], node[order]
    access_s, by_tail, by_head, *along = (column[row] for column in columns(demand, direction, leaving=True))
    points = np.empty(len(row), POINT)
    points["row"], points["head"] = row, np.where(node >= 0, node, graph.head[edge])
    points["tail_s"], points["head_s"] = np.where(node >= 0, 0.0, by_tail), np.where(node >= 0, np.inf, by_head)
    points["access_s"] = access_s
    on_edge = np.column_stack([start[of_edge], start[of_edge + 1]]).astype(np.uint32)
    holds = np.flatnonzero((on_edge[:, 0] < on_edge[:, 1]) & (graph.tail != graph.head))
    by_head_node, at_head = group(graph.head[holds], graph.node_count)
    ahead = np.empty(len(holds), AHEAD)
    ahead["tail"], ahead["edge"], (ahead["first"], ahead["stop"]) = graph.tail[holds], holds, on_edge[holds].T
    spots = np.empty(graph.node_count + 1, SPOT)
    spots["points"], spots["ahead"] = np.append(start[of_node], len(row)), at_head
    spots["ahead_s"] = _longest(graph, holds, direction)
    return Standing(points, spots, ahead[by_head_node], on_edge, np.column_stack(along), len(demand), direction)


def _longest(graph: Graph, edges: Ints, direction: Direction) -> Floats:
    """Return for each node the longest time in which a search passes one of `edges` from head to tail."""
    if direction == "to_facility":  # the search runs backwards
        seconds, passes = graph.forward_s[graph.last[edges]], graph.forward_ok[edges]
    else:
        seconds, passes = graph.backward_s[graph.last[edges]], graph.backward_ok[edges]
    longest = np.full(graph.node_count + 1, -np.inf)
    np.maximum.at(longest, graph.head[edges], np.where(passes, seconds, np.inf))
    return longest


def _own_node(graph: Graph, places: Places) -> Ints:
    """Return the node at which each place stands, if from there either way along its edge is open, else -1."""
    at_tail = (places.from_tail_s == 0.0) & (places.to_tail_s == 0.0)
    at_head = (places.from_head_s == 0.0) & (places.to_head_s == 0.0)
    return np.where(at_tail, graph.tail[places.edge], np.where(at_head, graph.head[places.edge], -1))


def catchments(
    graph: Graph, links: Links, demand: Places | Standing, facilities: Places, *, limit_s: float, threads: int = 1
) -> csr_array:
    """Find everybody within `limit_s` of each facility.

    Memory: 24 bytes for each pair found; 12 for each node and thread.

    Parameters
    ----------
    graph, links
        The network, and its links for the direction of travel.
    demand, facilities
        Snapped points; demand may stand in order already.
    limit_s
        The longest trip, inclusive.
    threads
        Facilities are divided among so many.

    Returns
    -------
    Sparse array of seconds, shape (facilities, demand points); a stored value, also a stored zero, is a
    demand point within the limit (inclusive), and those of a facility stand in no order that means anything. The
    result does not depend on `threads`.
    """
    standing = demand if isinstance(demand, Standing) else stand(graph, demand, direction=links.direction)
    if standing.direction != links.direction:
        raise ValueError(f"demand stands for trips {standing.direction}, links are for trips {links.direction}")
    begin = _beginnings(graph, links, facilities, limit_s)
    points = standing.points, standing.spots, standing.on_edge, standing.where, standing.ahead
    ways = graph.forward_ok, graph.backward_ok, links.direction == "to_facility"
    search = _Search(kernels.catchments, (*begin, *points, *ways), graph.node_count, standing.count)
    indptr, point, seconds = _in_parts(search, facilities, threads)
    if len(point) <= np.iinfo(np.int32).max:
        indptr = indptr.astype(np.int32)
    return csr_array((seconds, point.astype(indptr.dtype, copy=False), indptr), shape=(len(facilities), standing.count))


def node_times(graph: Graph, links: Links, facilities: Places, *, limit_s: float, threads: int = 1) -> NodeTimes:
    """Find the nodes within `limit_s` of each facility; the result does not depend on `threads`."""
    begin = _beginnings(graph, links, facilities, limit_s)
    search = _Search(kernels.node_times, begin, graph.node_count, graph.node_count)
    return NodeTimes(*_in_parts(search, facilities, threads))


def _beginnings(graph: Graph, links: Links, facilities: Places, limit_s: float) -> tuple[Any, ...]:
    """Return what a kernel is given to search from facilities."""
    # Ends that an edge does not lead to are infinitely far, and stay beyond the largest limit.
    limit = min(limit_s + TIME_TOLERANCE_S, float(np.finfo(np.float64).max))
    _, seed_s, _ = seeds(graph, facilities, links.direction)
    arriving = columns(facilities, links.direction, leaving=False)
    queue = 1.0 / links.bucket_s, links.bucket_count(float(seed_s.max(initial=0.0)), limit)
    return facilities.edge, arriving, graph.tail, graph.head, links.indptr, links.arcs, *queue, limit


@dataclass(frozen=True)
class _Search:
    """A search from single facilities: the kernel, what it is given, the nodes, and how many entries it can find."""

    kernel: Any
    given: tuple[Any, ...]
    node_count: int
    most: int

    def blocks(self, rows: Ints) -> list[_Block]:
        """Search from the facilities `rows`, block by block of memory.

        Small blocks come from memory that was used before: most of a new page's first use is the page's, not the
        search's.
        """
        workspace = np.full(self.node_count, np.inf), np.empty(self.node_count + 1, dtype=np.uint32)
        blocks: list[_Block] = []
        done, room = 0, min(_BLOCK, self.most + 1)
        while done < len(rows):
            block = _Block(rows[done:], np.empty(len(rows) - done, np.int64), np.empty(room, np.int32), np.empty(room))
            number, used = self.kernel(block.rows, block.counts, block.entries, block.seconds, workspace, *self.given)
            if number:
                blocks.append(block.first(number, used))
                done += number
            else:  # too small for a single facility
                room = min(2 * room, self.most + 1)
        return blocks


@dataclass(frozen=True)
class _Block:
    """What was found for some facilities, one after the other: how many, which, and their seconds."""

    rows: Ints
    counts: Ints
    entries: npt.NDArray[np.int32]
    seconds: Floats

    def first(self, number: int, used: int) -> _Block:
        """Return the first facilities, which have used so many entries."""
        return _Block(self.rows[:number], self.counts[:number], self.entries[:used], self.seconds[:used])


def _in_parts(search: _Search, facilities: Places, threads: int) -> tuple[Ints, npt.NDArray[np.int32], Floats]:
    """Search from facilities side by side; return what was found as compressed rows in the order of the facilities.

    Facilities are taken edge by edge, which is along the curve: the next one finds its neighbourhood in the cache.
    """
    along = np.argsort(facilities.edge, kind="stable")
    with ThreadPoolExecutor(max_workers=threads) as pool:
        parts = pool.map(lambda first: search.blocks(along[first::threads]), range(threads))
        blocks = [block for part in parts for block in part]
    counts = np.zeros(len(along) + 1, dtype=np.int64)
    for block in blocks:
        counts[block.rows + 1] = block.counts
    indptr = np.cumsum(counts)
    entries, seconds = np.empty(indptr[-1], dtype=np.int32), np.empty(indptr[-1])
    while blocks:
        block = blocks.pop()
        kernels.place(block.rows, block.counts, block.entries, block.seconds, indptr, entries, seconds)
    return indptr, entries, seconds
