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
#: A node waiting in a bucket, with the time it was put there for.
ENTRY: npt.DTypeLike = np.dtype([("node", np.int32), ("next", np.int32), ("s", np.float64)])
#: The same where a node waits for each of its labels.
LABELLED_ENTRY: npt.DTypeLike = np.dtype([*np.dtype(ENTRY).descr, ("label", "<i8")])


def empty_states(node_count: int) -> npt.NDArray[np.void]:
    """Return what is known before a search: nothing, shape (nodes,)."""
    states = np.empty(node_count, STATE)
    states["s"] = np.inf
    states["label"] = NO_LABEL
    return states


@njit(cache=True, nogil=True)
def with_room(pool, used, more):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return the pool, or a larger copy of it where `more` entries would not fit."""
    if used + more <= len(pool):
        return pool
    larger = np.empty(2 * len(pool) + more, pool.dtype)
    larger[:used] = pool[:used]
    return larger


@njit(cache=True, nogil=True)
def search(indptr, arcs, limit, per_s, seeds, seed_s, seed_label, states, touched, first, pool):  # type: ignore[no-untyped-def]  # numba infers the types
    """Settle every node within `limit` seconds of a seed; return how many nodes were touched, and the pool.

    `states` holds time and label of each node (`empty_states`); the nodes touched stand in `touched`. `first` is the
    queue, -1 everywhere, a power of two long; `per_s` buckets hold a second. All that waits at one time must fit into
    its length.
    """
    n_touched, queued, free, top = 0, 0, NOBODY, 0
    mask = np.int64(len(first) - 1)
    lowest = np.inf
    pool = with_room(pool, 0, len(seeds))
    for i in range(len(seeds)):
        u, s, label = seeds[i], seed_s[i], seed_label[i]
        if s <= limit and (s < states[u].s or (s == states[u].s and label < states[u].label)):
            if states[u].s == np.inf:
                touched[n_touched] = u
                n_touched += 1
            states[u].s, states[u].label = s, label
            bucket = np.int64(s * per_s) & mask
            pool[top].node, pool[top].s, pool[top].next = u, s, first[bucket]
            first[bucket] = top
            top += 1
            queued += 1
            lowest = min(lowest, s)
    current = np.int64(lowest * per_s) & mask if queued > 0 else np.int64(0)
    while queued > 0:
        entry = first[current]
        if entry == NOBODY:
            current = (current + 1) & mask
            continue
        u, s = pool[entry].node, pool[entry].s
        first[current] = pool[entry].next
        pool[entry].next = free
        free = entry
        queued -= 1
        if states[u].s != s:
            continue
        label = states[u].label
        begin, end = indptr[u], indptr[u + 1]
        if top + end - begin > len(pool):
            pool = with_room(pool, top, end - begin)
        for k in range(begin, end):
            v = arcs[k].to
            reached = s + arcs[k].cost_s
            known = states[v].s
            if reached > known or reached > limit or (reached == known and label >= states[v].label):
                continue
            if known == np.inf:
                touched[n_touched] = v
                n_touched += 1
            states[v].s, states[v].label = reached, label
            # Written out: a function that may return another pool would count references at every link.
            if free != NOBODY:
                entry = free
                free = pool[entry].next
            else:
                entry = top
                top += 1
            bucket = np.int64(reached * per_s) & mask
            pool[entry].node, pool[entry].s, pool[entry].next = v, reached, first[bucket]
            first[bucket] = entry
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

    `times` (inf) and `labels` (`NO_LABEL`) have the shape (nodes, k); the queue is that of `search`. What is not among
    the k of a node is not among the k of any node beyond it either, so it need not travel on.
    """
    queued, free, top = 0, NOBODY, 0
    mask = np.int64(len(first) - 1)
    lowest = np.inf
    pool = with_room(pool, 0, len(seeds))
    for i in range(len(seeds)):
        u = seeds[i]
        if seed_s[i] <= limit and take_in(times[u], labels[u], seed_s[i], seed_label[i]):
            bucket = np.int64(seed_s[i] * per_s) & mask
            pool[top].node, pool[top].s, pool[top].label = u, seed_s[i], seed_label[i]
            pool[top].next = first[bucket]
            first[bucket] = top
            top += 1
            queued += 1
            lowest = min(lowest, seed_s[i])
    current = np.int64(lowest * per_s) & mask if queued > 0 else np.int64(0)
    while queued > 0:
        entry = first[current]
        if entry == NOBODY:
            current = (current + 1) & mask
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
        begin, end = indptr[u], indptr[u + 1]
        if top + end - begin > len(pool):
            pool = with_room(pool, top, end - begin)
        for k in range(begin, end):
            v, reached = arcs[k].to, s + arcs[k].cost_s
            if reached > limit or not take_in(times[v], labels[v], reached, label):
                continue
            if free != NOBODY:
                entry = free
                free = pool[entry].next
            else:
                entry = top
                top += 1
            bucket = np.int64(reached * per_s) & mask
            pool[entry].node, pool[entry].s, pool[entry].label = v, reached, label
            pool[entry].next = first[bucket]
            first[bucket] = entry
            queued += 1
    return pool
