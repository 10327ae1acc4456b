"""Compiled loops over edges, vertices and demand points; everything else in this room calls them.

The shortest-path search keeps nodes in buckets of travel time. A node leaves its bucket, relaxes its links and may be
taken up again if a shorter way is found inside the same bucket (label correction), so results are exact: the same
fixed point as Dijkstra's algorithm on the same floating-point numbers, whatever the order of work.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from facility_coverage.layers.model import Floats, Ints

NOBODY = -1


@njit(cache=True, nogil=True)
def running_sums(step: Floats, start: Ints) -> Floats:
    """Return the running sum of `step` within each range ``start[i]:start[i + 1]``."""
    sums = np.empty_like(step)
    for i in range(len(start) - 1):
        total = 0.0
        for k in range(start[i], start[i + 1]):
            total += step[k]
            sums[k] = total
    return sums


@njit(cache=True, nogil=True, parallel=True)
def place_on_edges(points, edges, xy, start):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return vertex, fraction and distance of the place on its edge nearest to each point."""
    n = len(points)
    vertex = np.empty(n, np.int64)
    fraction = np.empty(n)
    distance = np.empty(n)
    for i in prange(n):
        px, py = points[i, 0], points[i, 1]
        best = np.inf
        best_k, best_t = start[edges[i]], 0.0
        for k in range(start[edges[i]], start[edges[i] + 1] - 1):
            ax, ay = xy[k, 0], xy[k, 1]
            bx, by = xy[k + 1, 0], xy[k + 1, 1]
            dx, dy = bx - ax, by - ay
            square = dx * dx + dy * dy
            t = 0.0
            if square > 0.0:
                t = min(1.0, max(0.0, ((px - ax) * dx + (py - ay) * dy) / square))
            # Exact at both ends, so that a node is equally far whichever edge it is reached by.
            qx, qy = (ax + t * dx, ay + t * dy) if t < 1.0 else (bx, by)
            gap = np.hypot(px - qx, py - qy)
            if gap < best:
                best, best_k, best_t = gap, k, t
        vertex[i], fraction[i], distance[i] = best_k, best_t, best
    return vertex, fraction, distance


@njit(cache=True, nogil=True)
def _link(u, bucket, first, following, previous, member):  # type: ignore[no-untyped-def]  # numba infers the types
    following[u] = first[bucket]
    previous[u] = NOBODY
    if first[bucket] != NOBODY:
        previous[first[bucket]] = u
    first[bucket] = u
    member[u] = bucket


@njit(cache=True, nogil=True)
def _unlink(u, first, following, previous, member):  # type: ignore[no-untyped-def]  # numba infers the types
    if previous[u] != NOBODY:
        following[previous[u]] = following[u]
    else:
        first[member[u]] = following[u]
    if following[u] != NOBODY:
        previous[following[u]] = previous[u]
    member[u] = NOBODY


@njit(cache=True, nogil=True)
def search(indptr, neighbour, cost, limit, width, seeds, seed_s, seed_label, space):  # type: ignore[no-untyped-def]  # numba infers the types
    """Settle every node within `limit` seconds of a seed; return how many nodes were touched.

    `space` holds the workspace: time (inf where untouched), label, and the queue's links; the touched nodes stand in
    ``space[-1]``. Equal times go to the smaller label, so that ties do not depend on the order of work.
    """
    time, label, first, following, previous, member, touched = space
    n_buckets = len(first)
    n_touched = 0
    queued = 0
    current = 0
    lowest = np.inf
    for i in range(len(seeds)):
        u = seeds[i]
        if seed_s[i] > limit:
            continue
        if seed_s[i] < time[u] or (seed_s[i] == time[u] and seed_label[i] < label[u]):
            if time[u] == np.inf:
                touched[n_touched] = u
                n_touched += 1
            if member[u] != NOBODY:
                _unlink(u, first, following, previous, member)
                queued -= 1
            time[u], label[u] = seed_s[i], seed_label[i]
            _link(u, np.int64(seed_s[i] / width) % n_buckets, first, following, previous, member)
            queued += 1
            lowest = min(lowest, seed_s[i])
    if queued > 0:
        current = int(lowest / width) % n_buckets
    while queued > 0:
        u = first[current]
        if u == NOBODY:
            current = current + 1 if current + 1 < n_buckets else 0
            continue
        _unlink(u, first, following, previous, member)
        queued -= 1
        for k in range(indptr[u], indptr[u + 1]):
            v = neighbour[k]
            reached = time[u] + cost[k]
            if reached > limit or reached > time[v] or (reached == time[v] and label[u] >= label[v]):
                continue
            if time[v] == np.inf:
                touched[n_touched] = v
                n_touched += 1
            if member[v] != NOBODY:
                _unlink(v, first, following, previous, member)
                queued -= 1
            time[v], label[v] = reached, label[u]
            _link(v, np.int64(reached / width) % n_buckets, first, following, previous, member)
            queued += 1
    return n_touched


@njit(cache=True, nogil=True)
def workspace(node_count, n_buckets):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return an empty workspace of `search`."""
    return (
        np.full(node_count, np.inf),
        np.full(node_count, np.iinfo(np.int64).max, np.int64),
        np.full(n_buckets, NOBODY, np.int64),
        np.empty(node_count, np.int64),
        np.empty(node_count, np.int64),
        np.full(node_count, NOBODY, np.int64),
        np.empty(node_count, np.int64),
    )


@njit(cache=True, nogil=True)
def along_edge_s(a_m, a_forward, a_backward, b_m, b_forward, b_backward, forward_ok, backward_ok):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return the seconds from place a to place b on the same edge, inf where the edge does not lead there."""
    if a_m == b_m:
        return 0.0
    if a_m < b_m:
        return b_forward - a_forward if forward_ok else np.inf
    return a_backward - b_backward if backward_ok else np.inf


@njit(cache=True, nogil=True)
def _between(a, i, b, j, forward_ok, backward_ok, a_leaves):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return the seconds along a shared edge between place i of `a` and place j of `b`, without access legs."""
    if a_leaves:
        return along_edge_s(a[3, i], a[4, i], a[5, i], b[3, j], b[4, j], b[5, j], forward_ok, backward_ok)
    return along_edge_s(b[3, j], b[4, j], b[5, j], a[3, i], a[4, i], a[5, i], forward_ok, backward_ok)


@njit(cache=True, nogil=True, parallel=True)
def times_at_points(  # type: ignore[no-untyped-def]  # numba infers the types
    demand,
    edge,
    tail,
    head,
    forward_ok,
    backward_ok,
    node_s,
    node_label,
    near,
    near_row,
    at_edge,
    demand_leaves,
):
    """Return each demand point's seconds to its nearest facility, inf where none, and that facility's row."""
    n = len(edge)
    seconds = np.full(n, np.inf)
    facility = np.full(n, NOBODY, np.int64)
    for i in prange(n):
        e = edge[i]
        if e < 0:
            continue
        u, v = tail[e], head[e]
        best, who = demand[1, i] + node_s[u], node_label[u]
        other = demand[2, i] + node_s[v]
        if other < best or (other == best and node_label[v] < who):
            best, who = other, node_label[v]
        for j in range(at_edge[e], at_edge[e + 1]):
            along = near[0, j] + _between(demand, i, near, j, forward_ok[e], backward_ok[e], demand_leaves)
            if along < best or (along == best and near_row[j] < who):
                best, who = along, near_row[j]
        if best < np.inf:
            seconds[i], facility[i] = best + demand[0, i], who
    return seconds, facility


@njit(cache=True, nogil=True)
def _grown(array, used):  # type: ignore[no-untyped-def]  # numba infers the types
    larger = np.empty(2 * len(array), array.dtype)
    larger[:used] = array[:used]
    return larger


@njit(cache=True, nogil=True)
def catchments(  # type: ignore[no-untyped-def]  # numba infers the types
    rows, fac_edge, fac, indptr, neighbour, cost, width, n_buckets, tail, head, forward_ok, backward_ok,
    incident, incident_start, demand, demand_row, at_edge, limit, demand_leaves,
):  # fmt: skip
    """Return, for each facility in `rows`, how many demand points are within `limit`, which, and their seconds."""
    space = workspace(len(indptr) - 1, n_buckets)
    time, label, touched = space[0], space[1], space[6]
    seen = np.full(len(tail), NOBODY, np.int64)
    counts = np.zeros(len(rows), np.int64)
    points = np.empty(1024, np.int64)
    seconds = np.empty(1024)
    used = 0
    seeds, seed_s, seed_label = np.empty(2, np.int64), np.empty(2), np.zeros(2, np.int64)
    for r in range(len(rows)):
        f = rows[r]
        home = fac_edge[f]
        if home < 0:
            continue
        seeds[0], seeds[1] = tail[home], head[home]
        seed_s[0], seed_s[1] = fac[1, f] + fac[0, f], fac[2, f] + fac[0, f]
        n_touched = search(indptr, neighbour, cost, limit, width, seeds, seed_s, seed_label, space)
        begin = used
        for q in range(-1, n_touched):
            lo = incident_start[touched[q]] if q >= 0 else 0
            hi = incident_start[touched[q] + 1] if q >= 0 else 1
            for k in range(lo, hi):
                e = incident[k] if q >= 0 else home
                if seen[e] == r:
                    continue
                seen[e] = r
                for j in range(at_edge[e], at_edge[e + 1]):
                    best = min(demand[1, j] + time[tail[e]], demand[2, j] + time[head[e]])
                    if e == home:
                        along = _between(demand, j, fac, f, forward_ok[e], backward_ok[e], demand_leaves)
                        best = min(best, fac[0, f] + along)
                    best += demand[0, j]
                    if best <= limit:
                        if used == len(points):
                            points, seconds = _grown(points, used), _grown(seconds, used)
                        points[used], seconds[used] = demand_row[j], best
                        used += 1
        counts[r] = used - begin
        order = np.argsort(points[begin:used])
        points[begin:used] = points[begin:used][order]
        seconds[begin:used] = seconds[begin:used][order]
        for q in range(n_touched):
            time[touched[q]] = np.inf
            label[touched[q]] = np.iinfo(np.int64).max
    return counts, points[:used].copy(), seconds[:used].copy()
