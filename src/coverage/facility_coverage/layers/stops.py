"""New vertices on lines, and the nodes in which lines meet."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from facility_coverage.layers.model import Floats, Ints, Roads

Bools = npt.NDArray[np.bool_]

NODE_GRID_M = 0.001
"""Vertices of lines that round to the same millimetre are one node. Copies of one coordinate stay equal through a
projection."""

ROUNDING_M = 1e-9
"""Lengths that differ by less are equal: the last digit of a coordinate in metres."""


@dataclass(frozen=True)
class Stops:
    """New vertices.

    Attributes
    ----------
    segment
        First vertex of the segment that gets each of them, shape (stops,).
    along_m, xy
        How far along the segment, and where, metres, shapes (stops,) and (stops, 2).
    node
        The node each of them is: one of the roads, or a new one numbered after those, shape (stops,).
    """

    segment: Ints
    along_m: Floats
    xy: Floats
    node: Ints


def insert(roads: Roads, stops: Stops) -> Roads:
    """Return the lines with the stops as vertices.

    Stops and vertices within `NODE_GRID_M` of each other on a segment become one node; the lines keep their order.
    """
    order = np.lexsort((*stops.xy.T[::-1], stops.along_m, stops.segment))
    stops = Stops(stops.segment[order], stops.along_m[order], stops.xy[order], stops.node[order])
    node = _merged(roads, stops)
    old, new = node[roads.node], node[stops.node]
    xy = np.empty((len(node), 2))
    xy[new[::-1]] = stops.xy[::-1]
    xy[old[::-1]] = roads.xy[::-1]
    again = (new == old[stops.segment]) | (new == old[stops.segment + 1])
    again[1:] |= (stops.segment[1:] == stops.segment[:-1]) & (new[1:] == new[:-1])
    kept = np.flatnonzero(~again)
    place = stops.segment[kept] + 1
    _, numbered = np.unique(np.insert(old, place, new[kept]), return_inverse=True)
    vertices = np.insert(roads.xy, place, xy[new[kept]], axis=0)
    start = roads.start + np.searchsorted(stops.segment[kept], roads.start)
    return replace(roads, xy=vertices, node=numbered.astype(np.int64), start=start.astype(np.int64))


def _merged(roads: Roads, stops: Stops) -> Ints:
    """Return the new number of each node, old nodes first: neighbours within a millimetre on a segment are one."""
    touched = np.unique(stops.segment)
    segment = np.concatenate([stops.segment, touched, touched])
    rank = np.concatenate([stops.along_m, np.full(len(touched), -np.inf), np.full(len(touched), np.inf)])
    xy = np.concatenate([stops.xy, roads.xy[touched], roads.xy[touched + 1]])
    node = np.concatenate([stops.node, roads.node[touched], roads.node[touched + 1]])
    order = np.lexsort((rank, segment))
    close = np.hypot(*np.diff(xy[order], axis=0).T) <= NODE_GRID_M + ROUNDING_M
    close &= np.diff(segment[order]) == 0
    pair = np.flatnonzero(close)
    count = max(node_count(roads), int(stops.node.max(initial=-1)) + 1)
    return groups(count, node[order[pair]], node[order[pair + 1]])


def groups(count: int, one: Ints, other: Ints) -> Ints:
    """Return the number of the connected group of each of `count` things, numbered in order of their first."""
    links = coo_array((np.ones(len(one), dtype=np.int8), (one, other)), shape=(count, count))
    label = connected_components(links.tocsr(), directed=False)[1]
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)


def segments(roads: Roads) -> Ints:
    """Return the first vertex of each segment."""
    last = np.zeros(len(roads.node), dtype=np.bool_)
    last[roads.start[1:] - 1] = True
    return np.flatnonzero(~last)


def way_of_vertex(roads: Roads) -> Ints:
    """Return the way that owns each vertex."""
    return np.repeat(np.arange(len(roads.tags)), np.diff(roads.start))


def is_end(roads: Roads) -> Bools:
    """Tell which vertices are the first or last of their way."""
    end = np.zeros(len(roads.node), dtype=np.bool_)
    end[roads.start[:-1]] = end[roads.start[1:] - 1] = True
    return end


def node_count(roads: Roads) -> int:
    """Return the number of nodes."""
    return int(roads.node.max(initial=-1)) + 1


def along_segment(roads: Roads, segment: Ints, xy: Floats) -> Floats:
    """Return how far along its segment each place lies, metres."""
    metres: Floats = np.hypot(*(xy - roads.xy[segment]).T)
    return metres


def firsts(*keys: Ints) -> Bools:
    """Tell which rows of sorted keys differ from the row before."""
    new = np.ones(len(keys[0]), dtype=np.bool_)
    new[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    return new


def ranges(first: Ints, stop: Ints) -> tuple[Ints, Ints]:
    """Return the ranges ``first[i]:stop[i]`` one after the other, each with its `i`."""
    count = stop - first
    which = np.repeat(np.arange(len(count)), count)
    return which, np.arange(count.sum()) + np.repeat(first - np.cumsum(count) + count, count)
