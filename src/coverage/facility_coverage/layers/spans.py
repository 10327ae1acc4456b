"""Heights of what does not lie on the ground: bridges and tunnels run evenly between their ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph
import scipy.sparse.linalg

from facility_coverage.layers.heights import KNOWN

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from facility_coverage.layers.heights import Status
    from facility_coverage.layers.model import Floats, Ints, Roads

    Mask = npt.NDArray[np.bool_]

NOT_TAGGED = ("no", "false", "f", "0")
"""Values that say of a way that it is no bridge or tunnel: OpenStreetMap's, and those of tables made from it."""

SHORTEST_M = 1e-6
"""Segments of no length count as this long, so that no weight is infinite."""


@dataclass(frozen=True)
class _Segments:
    """The segments of the spans, each once from either end."""

    tail: Ints
    head: Ints
    weight: Floats


def is_span(tags: pd.DataFrame) -> Mask:
    """Return which ways are bridges or tunnels, shape (ways,)."""
    span = np.zeros(len(tags), dtype=bool)
    for key in ("bridge", "tunnel"):
        value = tags[key]
        span = span | np.asarray(value.notna() & ~value.astype(str).str.casefold().isin(NOT_TAGGED))
    return span & ~is_ferry(tags)


def is_ferry(tags: pd.DataFrame) -> Mask:
    """Return which ways are ferries, shape (ways,): they are read as ``highway=ferry``."""
    ferry: Mask = np.asarray(tags["highway"] == "ferry")
    return ferry


def span_heights(roads: Roads, span: Mask, height_m: Floats, status: Status) -> tuple[Floats, Status]:
    """Return the heights of the nodes with those of the spans drawn between their ends.

    A node of a span is on the ground where a way that is no span passes it, or where only one segment meets (a loose
    end); it keeps its height. The nodes between are on a line as straight as they allow: at each, the rises per metre
    of the segments that meet sum to 0. Along a chain that is even from end to end, however many ways it is made of;
    where spans fork, the nearer ends count more. Spans that touch no ground keep the heights under them, and those with
    an end of unknown height are unknown.

    Parameters
    ----------
    roads
        Ways, metres.
    span
        Which ways are spans, shape (ways,).
    height_m, status
        Height, metres, and status of the ground at each node, shape (nodes,).
    """
    segments, ground = _segments(roads, span, len(height_m))
    carried = np.zeros(len(height_m), dtype=bool)
    carried[segments.tail] = True
    carried &= ~ground
    if not carried.any():
        return height_m, status
    groups, group = _groups(segments, carried)
    landing = carried[segments.tail] & ground[segments.head]
    of, end = group[segments.tail[landing]], segments.head[landing]
    anchored = np.bincount(of, minlength=groups) > 0
    unknown = np.isnan(height_m[end])
    lost = np.bincount(of[unknown], minlength=groups) > 0
    why = np.zeros(groups, dtype=np.uint8)
    np.maximum.at(why, of[unknown], status[end[unknown]])
    new_height, new_status = height_m.copy(), status.copy()
    sunk = np.flatnonzero(carried)[lost[group[carried]]]
    new_height[sunk], new_status[sunk] = np.nan, why[group[sunk]]
    free = np.flatnonzero(carried)[(anchored & ~lost)[group[carried]]]
    if len(free):
        new_height[free] = _drawn(segments, free, height_m)
        new_status[free] = KNOWN
    return new_height, new_status


def _segments(roads: Roads, span: Mask, nodes: int) -> tuple[_Segments, Mask]:
    """Return the spans' segments in both directions, and which nodes are on the ground."""
    of_span = np.repeat(span, np.diff(roads.start))
    first = of_span.copy()
    first[roads.start[1:] - 1] = False
    vertex = np.flatnonzero(first)
    tail, head = roads.node[vertex], roads.node[vertex + 1]
    length = np.hypot(*(roads.xy[vertex + 1] - roads.xy[vertex]).T)
    apart = tail != head
    tail, head, weight = tail[apart], head[apart], 1.0 / np.maximum(length[apart], SHORTEST_M)
    ground = np.bincount(np.concatenate([tail, head]), minlength=nodes) == 1
    ground[roads.node[~of_span]] = True
    both = _Segments(np.concatenate([tail, head]), np.concatenate([head, tail]), np.concatenate([weight, weight]))
    return both, ground


def _groups(segments: _Segments, carried: Mask) -> tuple[int, Ints]:
    """Return how many groups of carried nodes hang together without the ground, and the group of each node."""
    inner = carried[segments.tail] & carried[segments.head]
    size = len(carried)
    links = scipy.sparse.coo_array(
        (np.ones(int(inner.sum())), (segments.tail[inner], segments.head[inner])), shape=(size, size)
    )
    groups, group = scipy.sparse.csgraph.connected_components(links.tocsr(), directed=False)
    return int(groups), group.astype(np.int64)


def _drawn(segments: _Segments, free: Ints, height_m: Floats) -> Floats:
    """Solve for the heights of the free nodes, shape (free,)."""
    position = np.full(len(height_m), -1, dtype=np.int64)
    position[free] = np.arange(len(free))
    mine = position[segments.tail] >= 0
    row, col = position[segments.tail[mine]], position[segments.head[mine]]
    weight, end = segments.weight[mine], segments.head[mine]
    inner = col >= 0
    # Counted from the lowest end, level bridges come out level to the last digit.
    base = float(height_m[end[~inner]].min())
    pull = np.bincount(row[~inner], weight[~inner] * (height_m[end[~inner]] - base), minlength=len(free))
    diagonal = np.bincount(row, weight, minlength=len(free))
    at = np.arange(len(free))
    matrix = scipy.sparse.coo_array(
        (
            np.concatenate([diagonal, -weight[inner]]),
            (np.concatenate([at, row[inner]]), np.concatenate([at, col[inner]])),
        ),
        shape=(len(free), len(free)),
    )
    rise = np.asarray(scipy.sparse.linalg.spsolve(matrix.tocsc(), pull))
    return base + rise
