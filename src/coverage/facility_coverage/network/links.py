"""Links: the graph as a search sees it, and where its searches start and end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facility_coverage.config.profile import Direction
from facility_coverage.layers.model import Floats, Ints
from facility_coverage.network import search
from facility_coverage.network.graph import Graph
from facility_coverage.network.snapping import Places

#: Guards inclusive cutoffs against the last digit of a floating-point sum; far below what any clock shows.
TIME_TOLERANCE_S = 1e-6

#: Width of a bucket, in mean links: narrow, so that few nodes are taken up again, not so narrow that most are empty.
_BUCKET_LINKS = 0.25
#: Entries that a queue's pool holds at first; it grows where a search needs more.
_POOL = 65_536

#: What a search needs of places: access, times by tail and head, and where on the edge (metres, seconds either way).
Columns = tuple[Floats, Floats, Floats, Floats, Floats, Floats]


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
    bucket_s
        Width of a bucket of the queue, seconds.
    longest_s
        Seconds of the longest link.
    """

    indptr: npt.NDArray[np.uint32]
    arcs: npt.NDArray[np.void]
    direction: Direction
    bucket_s: float
    longest_s: float

    @property
    def cost_s(self) -> Floats:
        """Seconds of each link, shape (links,)."""
        seconds: Floats = self.arcs["cost_s"]
        return seconds

    def bucket_count(self, longest_seed_s: float, limit_s: float) -> int:
        """Return the number of buckets that hold everything queued at one time, a power of two."""
        longest = min(max(self.longest_s, longest_seed_s), limit_s)
        return 1 << (int(longest / self.bucket_s) + 2).bit_length()

    def queue(
        self, seed_s: Floats, limit_s: float, entry: npt.DTypeLike = search.ENTRY
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.void]]:
        """Return an empty queue: its buckets, and a pool of entries."""
        n_buckets = self.bucket_count(float(seed_s.max(initial=0.0)), limit_s)
        return np.full(n_buckets, search.NOBODY, np.int32), np.empty(_POOL, entry)


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
    cost = arcs["cost_s"]
    bucket_s = max(_BUCKET_LINKS * float(cost.mean()), 1e-3) if len(cost) else 1.0
    return Links(indptr.astype(np.uint32), arcs, direction, bucket_s, float(cost.max(initial=0.0)))


def seeds(graph: Graph, facilities: Places, direction: Direction) -> tuple[Ints, Floats, Ints]:
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


def columns(places: Places, direction: Direction, *, leaving: bool) -> Columns:
    """Return what the kernels need of places.

    `leaving` is True for the side that the search reaches last (demand): for trips to facilities it leaves its place.
    """
    outward = leaving == (direction == "to_facility")
    by_tail, by_head = (places.to_tail_s, places.to_head_s) if outward else (places.from_tail_s, places.from_head_s)
    return places.access_s, by_tail, by_head, places.position_m, places.forward_s, places.backward_s
