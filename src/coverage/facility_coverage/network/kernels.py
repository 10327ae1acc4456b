"""Compiled loops over edges, vertices, facilities and demand points; everything else in this room calls them."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from facility_coverage.layers.model import Floats, Ints
from facility_coverage.network.search import NO_LABEL, NOBODY, STATE, take_in

_STATE = STATE  # a constant of the compiled code


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
                following = -1
                for k in range(incident_start[node], incident_start[node + 1]):
                    if not done[incident[k]]:
                        following = incident[k]
                if following < 0:
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


@njit(cache=True, nogil=True, parallel=True)
def times_at_points(  # type: ignore[no-untyped-def]  # numba infers the types
    demand, edge, tail, head, forward_ok, backward_ok, states, near, near_row, at_edge, limit, demand_leaves,
):  # fmt: skip
    """Return each demand point's seconds to its nearest facility within `limit` (else NaN), and its row (else -1)."""
    access_s, by_tail, by_head, m, forward, backward = demand
    n = len(edge)
    seconds, facility = np.empty(n), np.empty(n, np.int64)
    for i in prange(n):
        e = edge[i]
        seconds[i], facility[i] = np.nan, NOBODY
        if e < 0:
            continue
        u, v = tail[e], head[e]
        best, who = by_tail[i] + states[u].s, states[u].label
        other = by_head[i] + states[v].s
        if other < best or (other == best and states[v].label < who):
            best, who = other, states[v].label
        for j in range(at_edge[e], at_edge[e + 1]):
            here = m[i], forward[i], backward[i]
            along = near[j, 0] + _along(here, near[j], forward_ok[e], backward_ok[e], demand_leaves)
            if along < best or (along == best and near_row[j] < who):
                best, who = along, near_row[j]
        best += access_s[i]
        if best < np.inf and best <= limit:
            seconds[i], facility[i] = best, who
    return seconds, facility


@njit(cache=True, nogil=True, parallel=True)
def nearest_at_points(  # type: ignore[no-untyped-def]  # numba infers the types
    demand, edge, tail, head, forward_ok, backward_ok, states, near, near_row, at_edge, limit,
    demand_leaves,
):  # fmt: skip
    """Return each demand point's k shortest times to different facilities within `limit` (else NaN), and their rows."""
    access_s, by_tail, by_head, m, forward, backward = demand
    n, k = len(edge), states.shape[1]
    found = np.empty((n, k), _STATE)
    for i in prange(n):
        nearest = found[i]
        for j in range(k):
            nearest[j].s, nearest[j].label = np.inf, NO_LABEL
        e = edge[i]
        if e >= 0:
            u, v = tail[e], head[e]
            for j in range(k):
                if by_tail[i] + states[u, j].s < np.inf:
                    take_in(nearest, by_tail[i] + states[u, j].s, states[u, j].label)
                if by_head[i] + states[v, j].s < np.inf:
                    take_in(nearest, by_head[i] + states[v, j].s, states[v, j].label)
            for j in range(at_edge[e], at_edge[e + 1]):
                here = m[i], forward[i], backward[i]
                along = near[j, 0] + _along(here, near[j], forward_ok[e], backward_ok[e], demand_leaves)
                if along < np.inf:
                    take_in(nearest, along, near_row[j])
        for j in range(k):
            nearest[j].s += access_s[i]
            if not (nearest[j].s < np.inf and nearest[j].s <= limit):
                nearest[j].s, nearest[j].label = np.nan, NOBODY
    return found


@njit(cache=True, nogil=True)
def _along(here, near, forward_ok, backward_ok, demand_leaves):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return the seconds along a shared edge between a demand point's place and a facility's, without access legs."""
    m, forward, backward = here
    if demand_leaves:
        return along_edge_s(m, forward, backward, near[3], near[4], near[5], forward_ok, backward_ok)
    return along_edge_s(near[3], near[4], near[5], m, forward, backward, forward_ok, backward_ok)
