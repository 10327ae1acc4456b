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

from facility_coverage.network.prefetch import prefetch

NOBODY = np.int32(-1)
NO_LABEL = np.iinfo(np.int64).max

#: A link as the search reads it, in one piece of memory: where it leads and what it costs. Numbers of nodes have no
#: sign: for one that may be negative, compiled code asks at each access whether it counts from an array's end.
ARC: npt.DTypeLike = np.dtype([("to", np.uint32), ("cost_s", np.float64)])
#: What the search knows of a node.
STATE: npt.DTypeLike = np.dtype([("s", np.float64), ("label", np.int64)])
#: A node waiting in a bucket, with the time it was put there for.
ENTRY: npt.DTypeLike = np.dtype([("node", np.uint32), ("next", np.int32), ("s", np.float64)])
#: The same where a node waits for each of its labels.
LABELLED_ENTRY: npt.DTypeLike = np.dtype([*np.dtype(ENTRY).descr, ("label", "<i8")])
_ONE = np.uint64(1)


def empty_states(*shape: int) -> npt.NDArray[np.void]:
    """Return what is known before a search, of each node, or of the k nearest of each: nothing."""
    states = np.empty(shape, STATE)
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
def _push(first, pool, entry, node, s, bucket):  # type: ignore[no-untyped-def]  # numba infers the types
    """Let a node wait in a bucket."""
    pool[entry].node, pool[entry].s, pool[entry].next = node, s, first[bucket]
    first[bucket] = entry


@njit(cache=True, nogil=True)
def search_one(indptr, arcs, limit, per_s, seeds, seed_s, times, touched, first, pool):  # type: ignore[no-untyped-def]  # numba infers the types
    """Settle every node within `limit` seconds of a seed; return how many nodes were touched, and the pool.

    `times` is inf at every node before, and the nodes touched stand in `touched` after (one place more than nodes).
    `first` is the queue, -1 everywhere, a power of two long; `per_s` buckets hold a second. All that waits at one time
    must fit into its length.
    """
    n_touched, top, taken = 0, 0, 0
    mask = np.uint64(len(first) - 1)
    lowest = np.inf
    pool = with_room(pool, 0, len(seeds))
    for i in range(len(seeds)):
        u, s = np.uint32(seeds[i]), seed_s[i]
        if s <= limit and s < times[u]:
            touched[n_touched] = u
            n_touched += times[u] == np.inf
            times[u] = s
            _push(first, pool, np.uint32(top), u, s, np.uint64(s * per_s) & mask)
            top += 1
            lowest = min(lowest, s)
    current = np.uint64(lowest * per_s) & mask if top > 0 else np.uint64(0)
    while taken < top:
        following = first[current]
        if following == NOBODY:
            current = (current + _ONE) & mask
            continue
        first[current] = NOBODY
        while following != NOBODY:
            entry = np.uint32(following)
            u, s, following = pool[entry].node, pool[entry].s, pool[entry].next
            taken += 1
            if times[u] != s:
                continue
            begin, end = indptr[u], indptr[u + _ONE]
            if top + end > len(pool) + begin:
                pool = with_room(pool, top, np.int64(end) - np.int64(begin))
            for k in range(begin, end):
                v, reached = arcs[k].to, s + arcs[k].cost_s
                known = times[v]
                if reached >= known or reached > limit:
                    continue
                # Written whether or not the node is new: if not, the next one takes its place.
                touched[n_touched] = v
                n_touched += known == np.inf
                times[v] = reached
                prefetch(arcs, indptr[v])
                _push(first, pool, np.uint32(top), v, reached, np.uint64(reached * per_s) & mask)
                top += 1
    return n_touched, pool


@njit(cache=True, nogil=True)
def search_nearest(indptr, arcs, limit, per_s, seeds, seed_s, seed_label, states, first, pool):  # type: ignore[no-untyped-def]  # numba infers the types
    """Find each node's nearest seed within `limit` seconds, from all at once.

    `states` holds time and label of each node (`empty_states`); the queue is that of `search_one`, and here entries
    are used again: what many nodes read and write stays in the cache.
    """
    queued, top, free = 0, 0, NOBODY
    mask = np.uint64(len(first) - 1)
    lowest = np.inf
    pool = with_room(pool, 0, len(seeds))
    for i in range(len(seeds)):
        u, s, label = np.uint32(seeds[i]), seed_s[i], seed_label[i]
        if s <= limit and (s < states[u].s or (s == states[u].s and label < states[u].label)):
            states[u].s, states[u].label = s, label
            _push(first, pool, np.uint32(top), u, s, np.uint64(s * per_s) & mask)
            top += 1
            queued += 1
            lowest = min(lowest, s)
    current = np.uint64(lowest * per_s) & mask if queued > 0 else np.uint64(0)
    while queued > 0:
        following = first[current]
        if following == NOBODY:
            current = (current + _ONE) & mask
            continue
        first[current] = NOBODY
        while following != NOBODY:
            entry = np.uint32(following)
            u, s, following = pool[entry].node, pool[entry].s, pool[entry].next
            pool[entry].next, free = free, np.int32(entry)
            queued -= 1
            if states[u].s != s:
                continue
            label = states[u].label
            begin, end = indptr[u], indptr[u + _ONE]
            if top + end > len(pool) + begin:
                pool = with_room(pool, top, np.int64(end) - np.int64(begin))
            for k in range(begin, end):
                v, reached = arcs[k].to, s + arcs[k].cost_s
                known = states[v].s
                if reached > known or reached > limit or (reached == known and label >= states[v].label):
                    continue
                states[v].s, states[v].label = reached, label
                prefetch(arcs, indptr[v])
                if free != NOBODY:
                    entry = np.uint32(free)
                    free = pool[entry].next
                else:
                    entry = np.uint32(top)
                    top += 1
                _push(first, pool, entry, v, reached, np.uint64(reached * per_s) & mask)
                queued += 1
    return pool


@njit(cache=True, nogil=True)
def take_in(nearest, s, label):  # type: ignore[no-untyped-def]  # numba infers the types
    """Insert a time into the k shortest of different labels, in order; return whether it belongs there."""
    k = len(nearest)
    at = k
    for i in range(k):  # where the same label stands, or would end
        if nearest[i].label == label:
            if nearest[i].s <= s:
                return False
            at = i
            break
    if at == k:
        at = k - 1
        if s > nearest[at].s or (s == nearest[at].s and label >= nearest[at].label):
            return False
    while at > 0 and (s < nearest[at - 1].s or (s == nearest[at - 1].s and label < nearest[at - 1].label)):
        nearest[at].s, nearest[at].label = nearest[at - 1].s, nearest[at - 1].label
        at -= 1
    nearest[at].s, nearest[at].label = s, label
    return True


@njit(cache=True, nogil=True)
def search_nearest_k(indptr, arcs, limit, per_s, seeds, seed_s, seed_label, states, first, pool):  # type: ignore[no-untyped-def]  # numba infers the types
    """Fill the k shortest times of different labels at each node, within `limit` seconds.

    `states` (`empty_states`) has the shape (nodes, k); the queue is that of `search_nearest`. What is not among the k
    of a node is not among the k of any node beyond it either, so it need not travel on.
    """
    queued, top, free = 0, 0, NOBODY
    mask = np.uint64(len(first) - 1)
    lowest = np.inf
    pool = with_room(pool, 0, len(seeds))
    for i in range(len(seeds)):
        u, s, label = np.uint32(seeds[i]), seed_s[i], seed_label[i]
        if s <= limit and take_in(states[u], s, label):
            pool[top].label = label
            _push(first, pool, np.uint32(top), u, s, np.uint64(s * per_s) & mask)
            top += 1
            queued += 1
            lowest = min(lowest, s)
    current = np.uint64(lowest * per_s) & mask if queued > 0 else np.uint64(0)
    while queued > 0:
        following = first[current]
        if following == NOBODY:
            current = (current + _ONE) & mask
            continue
        first[current] = NOBODY
        while following != NOBODY:
            entry = np.uint32(following)
            u, s, label, following = pool[entry].node, pool[entry].s, pool[entry].label, pool[entry].next
            pool[entry].next, free = free, np.int32(entry)
            queued -= 1
            still = False
            for i in range(states.shape[1]):
                still = still or (states[u, i].label == label and states[u, i].s == s)
            if not still:
                continue
            begin, end = indptr[u], indptr[u + _ONE]
            if top + end > len(pool) + begin:
                pool = with_room(pool, top, np.int64(end) - np.int64(begin))
            for k in range(begin, end):
                v, reached = arcs[k].to, s + arcs[k].cost_s
                if reached > limit or not take_in(states[v], reached, label):
                    continue
                if free != NOBODY:
                    entry = np.uint32(free)
                    free = pool[entry].next
                else:
                    entry = np.uint32(top)
                    top += 1
                pool[entry].label = label
                _push(first, pool, entry, v, reached, np.uint64(reached * per_s) & mask)
                queued += 1
    return pool
