"""Compiled loops over edges, vertices, facilities and demand points; everything else in this room calls them."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from facility_coverage.layers.model import Floats, Ints
from facility_coverage.network.search import ENTRY, NO_LABEL, NOBODY, STATE, search, take_in

_STATE, _ENTRY = STATE, ENTRY  # constants of the compiled code
_SMALLEST_POOL = 1024


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


@njit(cache=True, nogil=True)
def chains(tail, head, through, incident, incident_start):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return the edges in chains across `through` nodes: edge, whether it runs backwards, and where chains start.

    A chain begins at a node that is not passed through; a ring of such nodes alone begins at its first edge's tail.
    """
    n = len(tail)
    order = np.empty(n, np.int64)
    backwards = np.empty(n, np.bool_)
    start = np.empty(n + 1, np.int64)
    done = np.zeros(n, np.bool_)
    used, n_chains = 0, 0
    for ring in range(2):
        for e in range(n):
            if done[e] or (ring == 0 and through[tail[e]] and through[head[e]]):
                continue
            start[n_chains] = used
            n_chains += 1
            at, node = e, head[e]
            reverse = ring == 0 and through[tail[e]]
            if reverse:
                node = tail[e]
            while True:
                done[at] = True
                order[used], backwards[used] = at, reverse
                used += 1
                if not through[node]:
                    break
                following = NOBODY
                for k in range(incident_start[node], incident_start[node + 1]):
                    if not done[incident[k]]:
                        following = incident[k]
                if following == NOBODY:
                    break
                at = following
                reverse = head[at] == node
                node = tail[at] if reverse else head[at]
    start[n_chains] = used
    return order, backwards, start[: n_chains + 1].copy()


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
        return along_edge_s(a[i, 3], a[i, 4], a[i, 5], b[j, 3], b[j, 4], b[j, 5], forward_ok, backward_ok)
    return along_edge_s(b[j, 3], b[j, 4], b[j, 5], a[i, 3], a[i, 4], a[i, 5], forward_ok, backward_ok)


@njit(cache=True, nogil=True, parallel=True)
def times_at_points(  # type: ignore[no-untyped-def]  # numba infers the types
    demand, edge, tail, head, forward_ok, backward_ok, states, near, near_row, at_edge, demand_leaves,
):  # fmt: skip
    """Return each demand point's seconds to its nearest facility, inf where none, and that facility's row."""
    n = len(edge)
    seconds = np.full(n, np.inf)
    facility = np.full(n, NOBODY, np.int64)
    for i in prange(n):
        e = edge[i]
        if e < 0:
            continue
        u, v = tail[e], head[e]
        best, who = demand[i, 1] + states[u].s, states[u].label
        other = demand[i, 2] + states[v].s
        if other < best or (other == best and states[v].label < who):
            best, who = other, states[v].label
        for j in range(at_edge[e], at_edge[e + 1]):
            along = near[j, 0] + _between(demand, i, near, j, forward_ok[e], backward_ok[e], demand_leaves)
            if along < best or (along == best and near_row[j] < who):
                best, who = along, near_row[j]
        if best < np.inf:
            seconds[i], facility[i] = best + demand[i, 0], who
    return seconds, facility


@njit(cache=True, nogil=True, parallel=True)
def nearest_at_points(  # type: ignore[no-untyped-def]  # numba infers the types
    demand, edge, tail, head, forward_ok, backward_ok, node_s, node_label, near, near_row, at_edge, demand_leaves,
):  # fmt: skip
    """Return each demand point's k shortest times to different facilities (inf where fewer), and those facilities."""
    n, k = len(edge), node_s.shape[1]
    seconds = np.full((n, k), np.inf)
    facility = np.full((n, k), NO_LABEL, np.int64)
    for i in prange(n):
        e = edge[i]
        if e < 0:
            continue
        u, v = tail[e], head[e]
        for j in range(k):
            if demand[i, 1] + node_s[u, j] < np.inf:
                take_in(seconds[i], facility[i], demand[i, 1] + node_s[u, j], node_label[u, j])
            if demand[i, 2] + node_s[v, j] < np.inf:
                take_in(seconds[i], facility[i], demand[i, 2] + node_s[v, j], node_label[v, j])
        for j in range(at_edge[e], at_edge[e + 1]):
            along = near[j, 0] + _between(demand, i, near, j, forward_ok[e], backward_ok[e], demand_leaves)
            if along < np.inf:
                take_in(seconds[i], facility[i], along, near_row[j])
        for j in range(k):
            seconds[i, j] += demand[i, 0]
    return seconds, facility


@njit(cache=True, nogil=True)
def _grown(array, needed):  # type: ignore[no-untyped-def]  # numba infers the types
    if needed <= len(array):
        return array
    larger = np.empty(max(2 * len(array), needed), array.dtype)
    larger[: len(array)] = array
    return larger


@njit(cache=True, nogil=True)
def _workspace(node_count, n_buckets):  # type: ignore[no-untyped-def]  # numba infers the types
    states = np.empty(node_count, _STATE)
    for u in range(node_count):
        states[u].s, states[u].label = np.inf, NO_LABEL
    touched = np.empty(node_count, np.int32)
    return states, touched, np.full(n_buckets, NOBODY, np.int32), np.empty(_SMALLEST_POOL, _ENTRY)


@njit(cache=True, nogil=True)
def _seed(f, home, fac, tail, head, seeds, seed_s):  # type: ignore[no-untyped-def]  # numba infers the types
    seeds[0], seeds[1] = tail[home], head[home]
    seed_s[0], seed_s[1] = fac[f, 1] + fac[f, 0], fac[f, 2] + fac[f, 0]


@njit(cache=True, nogil=True)
def _forget(states, touched, n_touched):  # type: ignore[no-untyped-def]  # numba infers the types
    for q in range(n_touched):
        states[touched[q]].s, states[touched[q]].label = np.inf, NO_LABEL


@njit(cache=True, nogil=True)
def node_times(rows, fac_edge, fac, indptr, arcs, per_s, n_buckets, tail, head, limit):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return, for each facility in `rows`, how many nodes are within `limit`, which (in order), and their seconds."""
    states, touched, first, pool = _workspace(len(indptr) - 1, n_buckets)
    counts = np.zeros(len(rows), np.int64)
    nodes = np.empty(_SMALLEST_POOL, np.int32)
    seconds = np.empty(_SMALLEST_POOL)
    used = 0
    seeds, seed_s, seed_label = np.empty(2, np.int64), np.empty(2), np.zeros(2, np.int64)
    for r in range(len(rows)):
        f = rows[r]
        if fac_edge[f] < 0:
            continue
        _seed(f, fac_edge[f], fac, tail, head, seeds, seed_s)
        n, pool = search(indptr, arcs, limit, per_s, seeds, seed_s, seed_label, states, touched, first, pool)
        nodes, seconds = _grown(nodes, used + n), _grown(seconds, used + n)
        nodes[used : used + n] = np.sort(touched[:n])
        for q in range(used, used + n):
            seconds[q] = states[nodes[q]].s
        counts[r] = n
        used += n
        _forget(states, touched, n)
    return counts, nodes[:used].copy(), seconds[:used].copy()


@njit(cache=True, nogil=True)
def catchments(  # type: ignore[no-untyped-def]  # numba infers the types
    rows, fac_edge, fac, indptr, arcs, per_s, n_buckets, tail, head, forward_ok, backward_ok,
    incident, incident_start, demand, demand_row, at_edge, limit, demand_leaves,
):  # fmt: skip
    """Return, for each facility in `rows`, how many demand points are within `limit`, which, and their seconds."""
    states, touched, first, pool = _workspace(len(indptr) - 1, n_buckets)
    seen = np.full(len(tail), NOBODY, np.int32)
    counts = np.zeros(len(rows), np.int64)
    points = np.empty(_SMALLEST_POOL, np.int32)
    seconds = np.empty(_SMALLEST_POOL)
    used = 0
    seeds, seed_s, seed_label = np.empty(2, np.int64), np.empty(2), np.zeros(2, np.int64)
    for r in range(len(rows)):
        f = rows[r]
        home = fac_edge[f]
        if home < 0:
            continue
        _seed(f, home, fac, tail, head, seeds, seed_s)
        n_touched, pool = search(indptr, arcs, limit, per_s, seeds, seed_s, seed_label, states, touched, first, pool)
        begin = used
        for q in range(-1, n_touched):
            lo = incident_start[touched[q]] if q >= 0 else 0
            hi = incident_start[touched[q] + 1] if q >= 0 else 1
            for k in range(lo, hi):
                e = incident[k] if q >= 0 else home
                if seen[e] == r:
                    continue
                seen[e] = r
                if at_edge[e] == at_edge[e + 1]:
                    continue
                tail_s, head_s = states[tail[e]].s, states[head[e]].s
                points = _grown(points, used + at_edge[e + 1] - at_edge[e])
                seconds = _grown(seconds, used + at_edge[e + 1] - at_edge[e])
                for j in range(at_edge[e], at_edge[e + 1]):
                    best = min(demand[j, 1] + tail_s, demand[j, 2] + head_s)
                    if e == home:
                        along = _between(demand, j, fac, f, forward_ok[e], backward_ok[e], demand_leaves)
                        best = min(best, fac[f, 0] + along)
                    best += demand[j, 0]
                    if best <= limit:
                        points[used], seconds[used] = demand_row[j], best
                        used += 1
        counts[r] = used - begin
        _forget(states, touched, n_touched)
    return counts, points[:used].copy(), seconds[:used].copy()
