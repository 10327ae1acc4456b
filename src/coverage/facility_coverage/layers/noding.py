"""Junctions that plain lines lack: where lines cross, and where an end stops just short of another line."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import shapely

from facility_coverage.layers.model import Floats, Ints, Roads
from facility_coverage.layers.stops import (
    NODE_GRID_M,
    ROUNDING_M,
    Bools,
    Stops,
    along_segment,
    firsts,
    groups,
    insert,
    is_end,
    node_count,
    ranges,
    segments,
    way_of_vertex,
)

PARALLEL = 1e-6
"""Angle, radians, below which lines only overlap: the place where they cross would be uncertain by a millimetre."""

NOT_BY_CROSSING = frozenset({"ferry", "motorway", "motorway_link"})
"""Classes that join nothing by a mere crossing: none of them has level crossings, not even with its own kind."""

_NO = frozenset({"", "0", "f", "false", "n", "no"})
_PORTION = 200_000


@dataclass(frozen=True)
class NodingReport:
    """What noding changed.

    Attributes
    ----------
    crossings_joined, crossings_separate
        Places where lines cross without a shared vertex: made junctions, and left apart.
    ends_joined
        Ends of lines joined to another line.
    largest_move_m
        How far the end that moved farthest moved, metres.
    first_joined
        Westernmost of the places made junctions, metres; None without any.
    """

    crossings_joined: int
    crossings_separate: int
    ends_joined: int
    largest_move_m: float
    first_joined: tuple[float, float] | None = None


def node_lines(roads: Roads, *, join_crossings: bool, snap_tolerance_m: float) -> tuple[Roads, NodingReport]:
    """Join lines where they meet or cross on one level without a shared vertex (docs: roads).

    Parameters
    ----------
    roads
        Lines in an order that does not depend on the file's, metres.
    join_crossings
        Whether places where lines cross become junctions.
    snap_tolerance_m
        Loose ends this near to another line are joined to it, metres, inclusive; 0 joins none.

    Returns
    -------
    Lines in the same order with further vertices, loose ends moved; and what was changed.
    """
    level = levels(roads.tags)
    ends_joined, largest_move_m = 0, 0.0
    if snap_tolerance_m > 0:
        roads, ends_joined, largest_move_m = _join_ends(roads, level, snap_tolerance_m)
    first, second, xy = _crossings(roads)
    way = way_of_vertex(roads)[[first, second]]
    never = _never_by_crossing(roads.tags)[way].any(axis=0)
    # A bridge that crosses itself is a spiral ramp; lines on the ground that do so meet.
    same = (way[0] == way[1]) & (level[way[0]] != 0)
    meets = (level[way[0]] == level[way[1]]) & ~never & ~same & join_crossings
    count, left = _places(xy[meets]), _places(xy[~meets])
    if meets.any():
        roads = insert(roads, _both(roads, first[meets], second[meets], xy[meets]))
    place = min(map(tuple, xy[meets].tolist()), default=None)
    return roads, NodingReport(count, left, ends_joined, largest_move_m, place)


def levels(tags: pd.DataFrame) -> Ints:
    """Return the level of each way, shape (ways,).

    The level is an integer `layer` other than 0, otherwise 1 for a bridge, -1 for a tunnel, and 0 on the ground.

    Examples
    --------
    >>> levels(pd.DataFrame({
    ...     "bridge": ["yes", "no", None, "viaduct"],
    ...     "tunnel": [None, None, "yes", None],
    ...     "layer": ["2", None, "0", None],
    ... })).tolist()
    [2, 0, -1, 1]
    """
    layer = pd.to_numeric(tags["layer"], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    given = np.isfinite(layer) & (layer == np.round(layer)) & (layer != 0)
    by_kind = np.where(_is_set(tags["bridge"]), 1, np.where(_is_set(tags["tunnel"]), -1, 0))
    return np.where(given, np.where(given, layer, 0), by_kind).astype(np.int64)


def _is_set(tag: pd.Series) -> Bools:
    return (tag.notna() & ~tag.astype(str).str.lower().isin(_NO)).to_numpy(dtype=np.bool_)


def _never_by_crossing(tags: pd.DataFrame) -> Bools:
    motorroad = tags["highway"].isin(("trunk", "trunk_link")) & (tags["motorroad"] == "yes")
    return (tags["highway"].isin(NOT_BY_CROSSING) | motorroad).to_numpy(dtype=np.bool_)


def _places(xy: Floats) -> int:
    return len(np.unique(np.rint(xy / NODE_GRID_M), axis=0))


# --- crossings ---


def _crossings(roads: Roads) -> tuple[Ints, Ints, Floats]:
    """Return pairs of segments that cross or touch without a shared node, by first vertex, and where."""
    start = segments(roads)
    a, b = roads.xy[start], roads.xy[start + 1]
    boxes = shapely.box(*(np.minimum(a, b) - NODE_GRID_M / 2).T, *(np.maximum(a, b) + NODE_GRID_M / 2).T)
    tree = shapely.STRtree(boxes)
    found = []
    for low in range(0, len(boxes), _PORTION):
        one, other = tree.query(boxes[low : low + _PORTION])
        once = low + one < other
        found.append(_crossing_among(roads, np.stack([start[low + one[once]], start[other[once]]])))
    first, second = np.concatenate([np.empty((2, 0), dtype=np.int64), *(pair for pair, _ in found)], axis=1)
    xy = np.concatenate([np.empty((0, 2)), *(places for _, places in found)])
    order = np.lexsort((second, first))
    return first[order], second[order], xy[order]


def _crossing_among(roads: Roads, pair: Ints) -> tuple[Ints, Floats]:
    """Return which of the pairs of segments (first vertices, shape (2, pairs)) cross or touch, and where."""
    tails, heads = roads.node[pair], roads.node[pair + 1]
    apart = (tails[0] != tails[1]) & (tails[0] != heads[1]) & (heads[0] != tails[1]) & (heads[0] != heads[1])
    pair = pair[:, apart]
    origin = roads.xy[pair]
    run = roads.xy[pair + 1] - origin
    length = np.hypot(run[..., 0], run[..., 1])
    between = origin[1] - origin[0]
    cross = _cross(run[0], run[1])
    lines = np.abs(cross) > PARALLEL * length[0] * length[1]
    pair, origin, run, length = pair[:, lines], origin[:, lines], run[:, lines], length[:, lines]
    share = np.stack([_cross(between[lines], run[1]), _cross(between[lines], run[0])]) / cross[lines]
    along = share * length
    on = ((along >= -NODE_GRID_M) & (along <= length + NODE_GRID_M)).all(axis=0)
    xy = origin[0] + share[0, :, None] * run[0]
    for side in (1, 0):  # a place at a vertex is that vertex
        at_tail, at_head = np.abs(along[side]) <= NODE_GRID_M, np.abs(along[side] - length[side]) <= NODE_GRID_M
        xy = np.where(at_head[:, None], roads.xy[pair[side] + 1], xy)
        xy = np.where(at_tail[:, None], origin[side], xy)
    return pair[:, on], xy[on]


def _both(roads: Roads, first: Ints, second: Ints, xy: Floats) -> Stops:
    """Return a stop of one new node on each of two segments."""
    segment, both = np.concatenate([first, second]), np.concatenate([xy, xy])
    node = node_count(roads) + np.tile(np.arange(len(first)), 2)
    return Stops(segment, along_segment(roads, segment, both), both, node)


# --- loose ends ---


@dataclass(frozen=True)
class _Near:
    """Lines near a loose end: the end's number, the segment's first vertex, how far along, where, how far away."""

    end: Ints
    segment: Ints
    xy: Floats
    distance_m: Floats

    def __getitem__(self, rows: Ints | Bools) -> _Near:
        return _Near(self.end[rows], self.segment[rows], self.xy[rows], self.distance_m[rows])


def _join_ends(roads: Roads, level: Ints, tolerance_m: float) -> tuple[Roads, int, float]:
    """Join loose ends to lines near them; return the roads, the ends joined and the farthest move."""
    way, at_end = way_of_vertex(roads), is_end(roads)
    ends = np.flatnonzero(at_end & (np.bincount(roads.node)[roads.node] == 1))
    near = _near_lines(roads, ends, tolerance_m)
    near = near[~_already_joined(roads, ends, near, 2 * tolerance_m)]
    loose = np.full(len(roads.node), -1, dtype=np.int64)
    loose[ends] = np.arange(len(ends))
    vertex = _vertex_within(roads, ends, near, loose >= 0, tolerance_m)
    own, other = level[way[ends[near.end]]], level[way[near.segment]]
    # An end of a bridge or tunnel comes to the ground; what passes above or below on another level is not met.
    allowed = (other == own) | (other == 0) | ((vertex >= 0) & at_end[vertex])
    near, vertex = near[allowed], vertex[allowed]
    partner = np.where(vertex >= 0, loose[vertex], -1)
    group = groups(len(ends), near.end[partner >= 0], partner[partner >= 0])
    fixed = np.flatnonzero((partner < 0) & ~np.isin(*_keys(group[near.end], way[near.segment], group, way[ends])))
    order = np.lexsort((near.segment[fixed], *near.xy[fixed].T[::-1], near.distance_m[fixed], group[near.end[fixed]]))
    fixed = fixed[order][firsts(group[near.end[fixed]][order])]
    return _moved(roads, ends, group, near[fixed], vertex[fixed])


def _near_lines(roads: Roads, ends: Ints, tolerance_m: float) -> _Near:
    """Return the nearest place on each other line within the tolerance of each loose end."""
    start = segments(roads)
    a, run = roads.xy[start], roads.xy[start + 1] - roads.xy[start]
    tree = shapely.STRtree(shapely.linestrings(np.stack([a, roads.xy[start + 1]], axis=1)))
    reach = tolerance_m + ROUNDING_M
    end, segment = tree.query(shapely.points(roads.xy[ends]), predicate="dwithin", distance=reach)
    square = np.maximum((run[segment] ** 2).sum(axis=1), np.finfo(np.float64).tiny)
    share = np.clip(((roads.xy[ends[end]] - a[segment]) * run[segment]).sum(axis=1) / square, 0.0, 1.0)
    xy = np.where(share[:, None] < 1, a[segment] + share[:, None] * run[segment], roads.xy[start[segment] + 1])
    distance = np.hypot(*(xy - roads.xy[ends[end]]).T)
    way = way_of_vertex(roads)
    other = (way[start[segment]] != way[ends[end]]) & (distance <= reach)
    near = _Near(end[other], start[segment[other]], xy[other], distance[other])
    order = np.lexsort((near.segment, near.distance_m, way[near.segment], near.end))
    return near[order[firsts(near.end[order], way[near.segment][order])]]


def _already_joined(roads: Roads, ends: Ints, near: _Near, reach_m: float) -> Bools:
    """Tell where the end's own line meets the near one within so many metres of the end."""
    way = way_of_vertex(roads)
    step = np.hypot(*np.diff(roads.xy, axis=0, prepend=roads.xy[:1]).T)
    step[roads.start[:-1]] = 0.0
    along = np.cumsum(step)
    low = np.maximum(np.searchsorted(along, along[ends] - reach_m), roads.start[way[ends]])
    high = np.minimum(np.searchsorted(along, along[ends] + reach_m, side="right"), roads.start[way[ends] + 1])
    end, vertex = ranges(low, high)
    by_node = np.argsort(roads.node, kind="stable")
    node_start = np.concatenate([[0], np.cumsum(np.bincount(roads.node))])
    node = roads.node[vertex]
    which, position = ranges(node_start[node], node_start[node + 1])
    return np.isin(*_keys(near.end, way[near.segment], end[which], way[by_node[position]]))


def _vertex_within(roads: Roads, ends: Ints, near: _Near, is_loose: Bools, tolerance_m: float) -> Ints:
    """Return the vertex of the near line within the tolerance of the nearest place on it, or -1.

    Another loose end counts only within the tolerance of the end itself: it will move, and only what is near may.
    """
    tail, head = near.segment, near.segment + 1
    to_tail, to_head = (np.hypot(*(near.xy - roads.xy[vertex]).T) for vertex in (tail, head))
    vertex = np.where(to_tail <= to_head, tail, head)
    gap = np.where(is_loose[vertex], np.hypot(*(roads.xy[ends[near.end]] - roads.xy[vertex]).T), 0.0)
    reach = np.maximum(np.minimum(to_tail, to_head), gap)
    return np.where(reach <= tolerance_m + ROUNDING_M, vertex, -1).astype(np.int64)


def _moved(roads: Roads, ends: Ints, group: Ints, target: _Near, vertex: Ints) -> tuple[Roads, int, float]:
    """Move each group of ends to its target, or to its middle; groups of one without a target stay."""
    count = np.bincount(group)
    anchor = ends[np.unique(group, return_index=True)[1]]
    offset = roads.xy[ends] - roads.xy[anchor[group]]
    middle = [np.bincount(group, weights=offset[:, axis]) / count for axis in (0, 1)]
    xy, node = roads.xy[anchor] + np.column_stack(middle), roads.node[anchor]
    aimed, at_vertex = group[target.end], vertex >= 0
    # An end that lies on the line already stays where it is, to the millimetre.
    there = np.where((target.distance_m <= NODE_GRID_M)[:, None], roads.xy[ends[target.end]], target.xy)
    xy[aimed] = np.where(at_vertex[:, None], roads.xy[vertex], there)
    node[aimed[at_vertex]] = roads.node[vertex[at_vertex]]
    joined = count > 1
    joined[aimed] = True
    moving = ends[joined[group]]
    new_xy, new_node = roads.xy.copy(), roads.node.copy()
    new_xy[moving], new_node[moving] = xy[group[joined[group]]], node[group[joined[group]]]
    largest = np.hypot(*(new_xy[moving] - roads.xy[moving]).T).max(initial=0.0)
    segment = target.segment[~at_vertex]
    on = aimed[~at_vertex]
    stops = Stops(segment, along_segment(roads, segment, target.xy[~at_vertex]), xy[on], node[on])
    return insert(replace(roads, xy=new_xy, node=new_node), stops), len(moving), float(largest)


def _cross(a: Floats, b: Floats) -> Floats:
    product: Floats = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return product


def _keys(a: Ints, b: Ints, other_a: Ints, other_b: Ints) -> tuple[Ints, Ints]:
    """Return pairs of numbers as single numbers, for two sets of pairs."""
    width = max(b.max(initial=0), other_b.max(initial=0)) + 1
    return a * width + b, other_a * width + other_b
