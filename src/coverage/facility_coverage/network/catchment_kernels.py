"""Compiled loops over facilities, each with a search of its own, and over what they reach."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from facility_coverage.network.kernels import along_edge_s
from facility_coverage.network.prefetch import prefetch
from facility_coverage.network.search import ENTRY, NOBODY, search_one

#: A demand point as catchments read it: seconds to tail and head of its edge, and of its access leg; row; head.
POINT: npt.DTypeLike = np.dtype(
    [("tail_s", np.float64), ("head_s", np.float64), ("access_s", np.float64), ("row", np.int32), ("head", np.uint32)]
)
#: What a node needs for its points: where those begin that stand with it, and the edges ahead, and how far these lead.
SPOT: npt.DTypeLike = np.dtype([("points", np.uint32), ("ahead", np.uint32), ("ahead_s", np.float64)])
#: An edge that holds points as its head sees it: its tail, its number, and which points they are.
AHEAD: npt.DTypeLike = np.dtype([("tail", np.uint32), ("edge", np.uint32), ("first", np.uint32), ("stop", np.uint32)])

_ENTRY = ENTRY  # a constant of the compiled code
_SMALLEST_POOL = 1024
_ONE = np.uint64(1)
#: How many nodes before its turn a node's points are asked for.
_AHEAD = 8


@njit(cache=True, nogil=True)
def _queue(n_buckets):  # type: ignore[no-untyped-def]  # numba infers the types
    return np.full(n_buckets, NOBODY, np.int32), np.empty(_SMALLEST_POOL, _ENTRY)


@njit(cache=True, nogil=True)
def _seed(f, home, arriving, tail, head, seeds, seed_s):  # type: ignore[no-untyped-def]  # numba infers the types
    access_s, by_tail, by_head = arriving[0][f], arriving[1][f], arriving[2][f]
    seeds[0], seeds[1] = tail[home], head[home]
    seed_s[0], seed_s[1] = by_tail + access_s, by_head + access_s


@njit(cache=True, nogil=True)
def node_times(  # type: ignore[no-untyped-def]  # numba infers the types
    rows, counts, found, seconds, workspace,
    fac_edge, arriving, tail, head, indptr, arcs, per_s, n_buckets, limit,
):  # fmt: skip
    """Write down which nodes are within `limit` of each facility in `rows` (in order), and their seconds.

    Return how many facilities had room, and how many entries they took.
    """
    times, touched = workspace
    first, pool = _queue(n_buckets)
    seeds, seed_s = np.empty(2, np.int64), np.empty(2)
    used = 0
    for r in range(len(rows)):
        f = rows[r]
        counts[r] = 0
        if fac_edge[f] < 0:
            continue
        _seed(f, fac_edge[f], arriving, tail, head, seeds, seed_s)
        n, pool = search_one(indptr, arcs, limit, per_s, seeds, seed_s, times, touched, first, pool)
        room = used + n <= len(found)
        if room:
            found[used : used + n] = np.sort(touched[:n])
            for q in range(used, used + n):
                seconds[q] = times[found[q]]
            counts[r] = n
            used += n
        for q in range(n):
            times[touched[q]] = np.inf
        if not room:
            return r, used
    return len(rows), used


@njit(cache=True, nogil=True)
def catchments(  # type: ignore[no-untyped-def]  # numba infers the types
    rows, counts, found, seconds, workspace,
    fac_edge, arriving, tail, head, indptr, arcs, per_s, n_buckets, limit,
    points, spots, on_edge, where, ahead, forward_ok, backward_ok, demand_leaves,
):  # fmt: skip
    """Write down which demand points are within `limit` of each facility in `rows`, and their seconds.

    Return how many facilities had room, and how many entries they took; where there is room, one is left over.
    """
    times, touched = workspace
    first, pool = _queue(n_buckets)
    seeds, seed_s = np.empty(2, np.int64), np.empty(2)
    used = 0
    for r in range(len(rows)):
        f = rows[r]
        home = fac_edge[f]
        counts[r] = 0
        if home < 0:
            continue
        _seed(f, home, arriving, tail, head, seeds, seed_s)
        n, pool = search_one(indptr, arcs, limit, per_s, seeds, seed_s, times, touched, first, pool)
        begin = used
        for q in range(n):
            u = touched[q]
            soon = touched[min(q + _AHEAD, n - 1)]
            prefetch(points, spots[soon].points)
            stop = spots[u + _ONE].points
            if u == tail[home]:  # the facility's own edge comes last
                used = _take(points, on_edge[home, 1], stop, times[u], times, limit, found, seconds, used)
                stop = on_edge[home, 0]
            used = _take(points, spots[u].points, stop, times[u], times, limit, found, seconds, used)
            if times[u] + spots[u].ahead_s <= limit:
                continue
            for p in range(spots[u].ahead, spots[u + _ONE].ahead):
                # An edge whose tail is reached is seen from there.
                if times[ahead[p].tail] == np.inf and ahead[p].edge != home:
                    used = _take(points, ahead[p].first, ahead[p].stop, np.inf, times, limit, found, seconds, used)
        if used + on_edge[home, 1] >= len(found) + on_edge[home, 0]:
            used = len(found)
        else:
            for j in range(on_edge[home, 0], on_edge[home, 1]):
                best = min(points[j].tail_s + times[tail[home]], points[j].head_s + times[head[home]])
                along = _along(where, j, arriving, f, forward_ok[home], backward_ok[home], demand_leaves)
                best = min(best, arriving[0][f] + along) + points[j].access_s
                found[used], seconds[used] = points[j].row, best
                used += best <= limit
        for q in range(n):
            times[touched[q]] = np.inf
        if used >= len(found):
            return r, begin
        counts[r] = used - begin
    return len(rows), used


@njit(cache=True, nogil=True)
def _take(points, first, stop, tail_s, times, limit, found, seconds, used):  # type: ignore[no-untyped-def]  # numba infers the types
    """Write down the points that are within `limit`; return how many have been by now, or as many as have no room."""
    if used + stop >= len(found) + first:
        return len(found)
    for j in range(first, stop):
        best = min(points[j].tail_s + tail_s, points[j].head_s + times[points[j].head]) + points[j].access_s
        # Written whether or not it is kept: the next one would take its place.
        found[used], seconds[used] = points[j].row, best
        used += best <= limit
    return used


@njit(cache=True, nogil=True)
def _along(where, j, arriving, f, forward_ok, backward_ok, demand_leaves):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return the seconds between point j and facility f along their common edge, without access legs."""
    m, forward, backward = arriving[3][f], arriving[4][f], arriving[5][f]
    if demand_leaves:
        return along_edge_s(where[j, 0], where[j, 1], where[j, 2], m, forward, backward, forward_ok, backward_ok)
    return along_edge_s(m, forward, backward, where[j, 0], where[j, 1], where[j, 2], forward_ok, backward_ok)


@njit(cache=True, nogil=True)
def place(rows, counts, block_entries, block_seconds, indptr, entries, seconds):  # type: ignore[no-untyped-def]  # numba infers the types
    """Copy what was found for `rows` to where it stands among all."""
    used = 0
    for r in range(len(rows)):
        begin, n = indptr[rows[r]], counts[r]
        entries[begin : begin + n] = block_entries[used : used + n]
        seconds[begin : begin + n] = block_seconds[used : used + n]
        used += n
