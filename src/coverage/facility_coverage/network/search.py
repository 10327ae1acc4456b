"""Shortest paths: a queue of buckets over links packed in memory, compiled.

Nodes wait in buckets of travel time. A node that leaves its bucket relaxes its links; where a shorter way to it is
found later, also inside the same bucket, it waits again (label correction) and its older entry is passed over. So
results are exact: the same fixed point as Dijkstra's algorithm on the same floating-point numbers, whatever the order
of work. Equal times go to the smaller label.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

NOBODY = -1
NO_LABEL = np.iinfo(np.int64).max

#: A link as the search reads it, in one piece of memory: where it leads and what it costs.
ARC: npt.DTypeLike = np.dtype([("to", np.int32), ("cost_s", np.float64)])
#: What the search knows of a node.
STATE: npt.DTypeLike = np.dtype([("s", np.float64), ("label", np.int64)])
#: A node waiting in a bucket, with the time and label it was put there for.
ENTRY: npt.DTypeLike = np.dtype([("node", np.int32), ("next", np.int32), ("s", np.float64), ("label", np.int64)])


def empty_states(node_count: int) -> npt.NDArray[np.void]:
    """Return what is known before a search: nothing, shape (nodes,)."""
    states = np.empty(node_count, STATE)
    states["s"] = np.inf
    states["label"] = NO_LABEL
    return states


@njit(cache=True, nogil=True)
def put(node, s, label, per_s, first, pool, free, top):  # type: ignore[no-untyped-def]  # numba infers the types
    """Put a node into its bucket; return the pool of entries, its free entry and its used length."""
    if free != NOBODY:
        entry = free
        free = pool[entry].next
    else:
        if top == len(pool):
            larger = np.empty(2 * len(pool), pool.dtype)
            larger[:top] = pool
            pool = larger
        entry = top
        top += 1
    bucket = np.int64(s * per_s) % len(first)
    pool[entry].node, pool[entry].s, pool[entry].label = node, s, label
    pool[entry].next = first[bucket]
    first[bucket] = entry
    return pool, free, top


@njit(cache=True, nogil=True)
def search(indptr, arcs, limit, per_s, seeds, seed_s, seed_label, states, touched, first, pool):  # type: ignore[no-untyped-def]  # numba infers the types
    """Settle every node within `limit` seconds of a seed; return how many nodes were touched, and the pool.

    `states` holds time and label of each node (`empty_states`); the nodes touched stand in `touched`. `first` is the
    queue, -1 everywhere; `per_s` buckets hold a second. All of a queue's entries at one time must fit into `first`.
    """
    n_touched, queued, free, top = 0, 0, NOBODY, 0
    lowest = np.inf
    for i in range(len(seeds)):
        u, s, label = seeds[i], seed_s[i], seed_label[i]
        if s <= limit and (s < states[u].s or (s == states[u].s and label < states[u].label)):
            if states[u].s == np.inf:
                touched[n_touched] = u
                n_touched += 1
            states[u].s, states[u].label = s, label
            pool, free, top = put(u, s, label, per_s, first, pool, free, top)
            queued += 1
            lowest = min(lowest, s)
    current = np.int64(lowest * per_s) % len(first) if queued > 0 else 0
    while queued > 0:
        entry = first[current]
        if entry == NOBODY:
            current = current + 1 if current + 1 < len(first) else 0
            continue
        u, s, label = pool[entry].node, pool[entry].s, pool[entry].label
        first[current] = pool[entry].next
        pool[entry].next = free
        free = entry
        queued -= 1
        if states[u].s != s or states[u].label != label:
            continue
        for k in range(indptr[u], indptr[u + 1]):
            v = arcs[k].to
            reached = s + arcs[k].cost_s
            if reached > states[v].s or reached > limit or (reached == states[v].s and label >= states[v].label):
                continue
            if states[v].s == np.inf:
                touched[n_touched] = v
                n_touched += 1
            states[v].s, states[v].label = reached, label
            pool, free, top = put(v, reached, label, per_s, first, pool, free, top)
            queued += 1
    return n_touched, pool


@njit(cache=True, nogil=True)
def take_in(times, labels, s, label):  # type: ignore[no-untyped-def]  # numba infers the types
    """Insert a time into the k shortest of different labels, in order; return whether it belongs there."""
    k = len(times)
    at = k
    for i in range(k):  # where the same label stands, or would end
        if labels[i] == label:
            if times[i] <= s:
                return False
            at = i
            break
    if at == k:
        at = k - 1
        if s > times[at] or (s == times[at] and label >= labels[at]):
            return False
    while at > 0 and (s < times[at - 1] or (s == times[at - 1] and label < labels[at - 1])):
        times[at], labels[at] = times[at - 1], labels[at - 1]
        at -= 1
    times[at], labels[at] = s, label
    return True


@njit(cache=True, nogil=True)
def search_nearest(indptr, arcs, limit, per_s, seeds, seed_s, seed_label, times, labels, first, pool):  # type: ignore[no-untyped-def]  # numba infers the types
    """Fill the k shortest times of different labels at each node, within `limit` seconds.

    `times` (inf) and `labels` (`NO_LABEL`) have the shape (nodes, k). What is not among the k of a node is not among
    the k of any node beyond it either, so it need not travel on.
    """
    queued, free, top = 0, NOBODY, 0
    lowest = np.inf
    for i in range(len(seeds)):
        u = seeds[i]
        if seed_s[i] <= limit and take_in(times[u], labels[u], seed_s[i], seed_label[i]):
            pool, free, top = put(u, seed_s[i], seed_label[i], per_s, first, pool, free, top)
            queued += 1
            lowest = min(lowest, seed_s[i])
    current = np.int64(lowest * per_s) % len(first) if queued > 0 else 0
    while queued > 0:
        entry = first[current]
        if entry == NOBODY:
            current = current + 1 if current + 1 < len(first) else 0
            continue
        u, s, label = pool[entry].node, pool[entry].s, pool[entry].label
        first[current] = pool[entry].next
        pool[entry].next = free
        free = entry
        queued -= 1
        still = False
        for i in range(times.shape[1]):
            still = still or (labels[u, i] == label and times[u, i] == s)
        if not still:
            continue
        for k in range(indptr[u], indptr[u + 1]):
            reached = s + arcs[k].cost_s
            if reached <= limit and take_in(times[arcs[k].to], labels[arcs[k].to], reached, label):
                pool, free, top = put(arcs[k].to, reached, label, per_s, first, pool, free, top)
                queued += 1
    return pool
