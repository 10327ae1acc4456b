"""Compiled loops behind the drawings: which parts of edges are reached, and how far grid points lie from them.

A position along an edge is a vertex number plus the fraction of the way to the next vertex.
"""

# Compiled loops hand on their growing arrays one by one.
# ruff: noqa: PLR0913, PLR0917

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from facility_coverage.layers.model import Floats, Ints
from facility_coverage.network.graph import Bools

#: The line of sight to a grid point leaves its stroke this far inside the stroke's end, so that a stroke which ends on
#: a wall looks along its own side of it.
INSET_M = 0.01
#: A wall met nearer than this to either end of the line of sight is not crossed: the road runs along it, or the grid
#: point lies on it.
ON_WALL_M = 1e-6
#: A road drawn inside a wall's polygon is a bridge, or runs along a bank that is drawn no better than this: it paints
#: the ground outside where that is nearer.
LEAVE_M = 10.0
#: How many cells beyond the outline distances are exact: the line is drawn between the two grid points beside it.
REACH_CELLS = 1.5


class Ground(NamedTuple):
    """A network as the drawings see it, for one direction of travel.

    Attributes
    ----------
    xy
        Vertices of all edges one after the other, metres, shape (vertices, 2).
    start
        Edge `e` owns vertices ``start[e]:start[e + 1]``, shape (edges + 1,).
    vertex_m
        Distance of each vertex from its edge's tail, metres, shape (vertices,).
    tail_s
        Seconds between each vertex and its edge's tail in the direction of travel, growing from the tail, shape
        (vertices,); they count where `tail_ok`.
    head_s
        The same for the head, as seconds from the tail onwards: between a vertex and the head lie
        ``head_s[last] - head_s[vertex]``; they count where `head_ok`.
    tail_ok, head_ok
        Whether places on the edge travel over its tail, and over its head, shape (edges,).
    tail, head
        Nodes at the ends of each edge, shape (edges,).
    incident_start, incident
        Edges at node `n`: ``incident[incident_start[n]:incident_start[n + 1]]``.
    """

    xy: Floats
    start: Ints
    vertex_m: Floats
    tail_s: Floats
    head_s: Floats
    tail_ok: Bools
    head_ok: Bools
    tail: Ints
    head: Ints
    incident_start: Ints
    incident: Ints


class Sight(NamedTuple):
    """Walls near a network.

    Attributes
    ----------
    start, wall
        Walls near the straight piece after vertex `v`: ``wall[start[v]:start[v + 1]]``.
    xy
        The two ends of each straight piece of wall, metres, shape (walls, 4).
    bank
        Whether a piece of wall is the outline of a polygon, shape (walls,).
    inside
        Whether the straight piece after each vertex lies inside such a polygon, as a bridge does, shape (vertices,).
    """

    start: Ints
    wall: Ints
    xy: Floats
    bank: Bools
    inside: Bools


class Homes(NamedTuple):
    """Facilities on their own edges.

    Attributes
    ----------
    edge
        Edge of each facility, -1 where it is unattached, shape (facilities,).
    position_m, tail_s, head_s
        Its place on the edge in the measures of `Ground`, shape (facilities,).
    access_s
        Seconds of its access leg, shape (facilities,).
    """

    edge: Ints
    position_m: Floats
    tail_s: Floats
    head_s: Floats
    access_s: Floats


class Grid(NamedTuple):
    """Grid points of a drawing: `rows` from south to north, `columns` from west to east, `cell_m` apart."""

    west: float
    south: float
    cell_m: float
    rows: int
    columns: int


class Grids(NamedTuple):
    """The grids of several drawings, each of shape (drawings,)."""

    west: Floats
    south: Floats
    cell_m: Floats
    rows: Ints
    columns: Ints


@njit(cache=True, nogil=True)
def last_within(values, first, last, most):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return the last position between vertices `first` and `last` whose value is at most `most`, -1 where none is."""
    if not values[first] <= most:
        return -1.0
    k = first
    while k < last and values[k + 1] <= most:
        k += 1
    return float(k) if k == last else k + (most - values[k]) / (values[k + 1] - values[k])


@njit(cache=True, nogil=True)
def first_within(values, first, last, least):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return the first position whose value is at least `least`, inf where none is."""
    if not values[last] >= least:
        return np.inf
    k = last
    while k > first and values[k - 1] >= least:
        k -= 1
    return float(k) if k == first else k - (values[k] - least) / (values[k] - values[k - 1])


@njit(cache=True, nogil=True)
def _cut(ground, last, low, high, strokes, piece, used):  # type: ignore[no-untyped-def]  # numba infers the types
    """Append the straight pieces between two positions of the edge that ends at `last`; return the arrays, grown."""
    k = min(int(low), last - 1)
    need = used + int(high) - k + 2
    if need > len(piece):
        larger, longer = np.empty((2 * need, 4)), np.empty(2 * need, np.int64)
        larger[:used], longer[:used] = strokes[:used], piece[:used]
        strokes, piece = larger, longer
    xy = ground.xy
    while True:
        a, b = max(low - k, 0.0), min(high - k, 1.0)
        dx, dy = xy[k + 1, 0] - xy[k, 0], xy[k + 1, 1] - xy[k, 1]
        strokes[used, 0], strokes[used, 1] = xy[k, 0] + a * dx, xy[k, 1] + a * dy
        strokes[used, 2], strokes[used, 3] = xy[k, 0] + b * dx, xy[k, 1] + b * dy
        piece[used] = k
        used += 1
        k += 1
        if k >= high:
            return strokes, piece, used


@njit(cache=True, nogil=True)
def _cut_edge(ground, e, by_tail, by_head, limit, strokes, piece, used):  # type: ignore[no-untyped-def]  # numba infers the types
    """Append what is within `limit` over the edge's tail (`by_tail` seconds on from there) and over its head."""
    first, last = ground.start[e], ground.start[e + 1] - 1
    to, since = -1.0, np.inf
    if ground.tail_ok[e]:
        to = last_within(ground.tail_s, first, last, limit - by_tail)
    if ground.head_ok[e]:
        since = first_within(ground.head_s, first, last, ground.head_s[last] - (limit - by_head))
    if to >= since:
        return _cut(ground, last, float(first), float(last), strokes, piece, used)
    # An end of the edge alone is left to the edge over which it was reached.
    if to > first:
        strokes, piece, used = _cut(ground, last, float(first), to, strokes, piece, used)
    if since < last:
        strokes, piece, used = _cut(ground, last, since, float(last), strokes, piece, used)
    return strokes, piece, used


@njit(cache=True, nogil=True)
def _cut_home(ground, homes, f, limit, strokes, piece, used):  # type: ignore[no-untyped-def]  # numba infers the types
    """Append what is within `limit` of facility `f` along its own edge."""
    e, left = homes.edge[f], limit - homes.access_s[f]
    if e < 0 or left < 0.0:
        return strokes, piece, used
    first, last = ground.start[e], ground.start[e + 1] - 1
    k = first
    while k < last - 1 and ground.vertex_m[k + 1] <= homes.position_m[f]:
        k += 1
    step = ground.vertex_m[k + 1] - ground.vertex_m[k]
    at = k + (min(1.0, (homes.position_m[f] - ground.vertex_m[k]) / step) if step > 0.0 else 0.0)
    low = high = at
    # Places nearer to the tail travel towards the head to come here, and the other way round.
    if ground.head_ok[e]:
        low = min(at, first_within(ground.head_s, first, last, homes.head_s[f] - left))
    if ground.tail_ok[e]:
        high = max(at, last_within(ground.tail_s, first, last, homes.tail_s[f] + left))
    return _cut(ground, last, low, high, strokes, piece, used)


@njit(cache=True, nogil=True)
def strokes_around(ground, homes, indptr, nodes, seconds, limit):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return the reached straight pieces around each facility.

    `nodes` and `seconds` are what lies within `limit` of facility `f`, at ``indptr[f]:indptr[f + 1]``. Returned are the
    two ends of each piece, shape (strokes, 4), the vertex that it follows, and where each facility's strokes begin.
    """
    node_s = np.full(len(ground.incident_start) - 1, np.inf)
    strokes, piece, used = np.empty((1024, 4)), np.empty(1024, np.int64), 0
    start = np.zeros(len(homes.edge) + 1, np.int64)
    for f in range(len(homes.edge)):
        for i in range(indptr[f], indptr[f + 1]):
            node_s[nodes[i]] = seconds[i]
        for i in range(indptr[f], indptr[f + 1]):
            u = nodes[i]
            for j in range(ground.incident_start[u], ground.incident_start[u + 1]):
                e = ground.incident[j]
                by_tail, by_head = node_s[ground.tail[e]], node_s[ground.head[e]]
                if ground.tail[e] == u or by_tail == np.inf:  # an edge between two reached nodes comes up twice
                    strokes, piece, used = _cut_edge(ground, e, by_tail, by_head, limit, strokes, piece, used)
        strokes, piece, used = _cut_home(ground, homes, f, limit, strokes, piece, used)
        start[f + 1] = used
        for i in range(indptr[f], indptr[f + 1]):
            node_s[nodes[i]] = np.inf
    return strokes[:used], piece[:used], start


@njit(cache=True, nogil=True)
def strokes_of_all(ground, homes, limit, node_s):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return the same for all facilities as one; `node_s` holds every node's seconds to the nearest."""
    strokes, piece, used = np.empty((1024, 4)), np.empty(1024, np.int64), 0
    for e in range(len(ground.tail)):
        by_tail, by_head = node_s[ground.tail[e]], node_s[ground.head[e]]
        if min(by_tail, by_head) <= limit:
            strokes, piece, used = _cut_edge(ground, e, by_tail, by_head, limit, strokes, piece, used)
    for f in range(len(homes.edge)):
        strokes, piece, used = _cut_home(ground, homes, f, limit, strokes, piece, used)
    return strokes[:used], piece[:used], np.array([0, used])


@njit(cache=True, nogil=True)
def _in_sight(x, y, to_x, to_y, k, sight):  # type: ignore[no-untyped-def]  # numba infers the types
    """Tell whether no wall stands between a place on the piece after vertex `k` and a grid point."""
    dx, dy = to_x - x, to_y - y
    length = np.hypot(dx, dy)
    crossed = 0
    for j in range(sight.start[k], sight.start[k + 1]):
        w = sight.wall[j]
        ax, ay = sight.xy[w, 0] - x, sight.xy[w, 1] - y
        bx, by = sight.xy[w, 2] - x, sight.xy[w, 3] - y
        side_a, side_b = dx * ay - dy * ax, dx * by - dy * bx
        if (side_a > 0.0) == (side_b > 0.0):
            continue
        share = side_a / (side_a - side_b)
        ahead_m = ((ax + share * (bx - ax)) * dx + (ay + share * (by - ay)) * dy) / length
        if ahead_m <= ON_WALL_M or ahead_m >= length - ON_WALL_M:
            continue
        crossed += 1
        # From a road inside a polygon, such as a bridge, one looks out of it over the bank at hand, and no farther.
        if not (sight.inside[k] and sight.bank[w] and crossed == 1 and ahead_m <= LEAVE_M):
            return False
    return True


@njit(cache=True, nogil=True)
def _reach_of_row(a, d, y, dy, reach_m):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return between which x a stroke from `a` to ``a + d`` can be within reach of the row that lies `y` above `a`."""
    low, high = 0.0, 1.0
    if dy != 0.0:
        u, v = (y - reach_m) / dy, (y + reach_m) / dy
        low, high = max(0.0, min(u, v)), min(1.0, max(u, v))
    return a + min(low * d, high * d) - reach_m, a + max(low * d, high * d) + reach_m


@njit(cache=True, nogil=True)
def boxes(strokes, start):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return west, south, east and north of each drawing's strokes, shape (drawings, 4), infinite where it has none."""
    box = np.empty((len(start) - 1, 4))
    box[:, :2], box[:, 2:] = np.inf, -np.inf
    for d in range(len(start) - 1):
        for i in range(start[d], start[d + 1]):
            box[d, 0] = min(box[d, 0], strokes[i, 0], strokes[i, 2])
            box[d, 1] = min(box[d, 1], strokes[i, 1], strokes[i, 3])
            box[d, 2] = max(box[d, 2], strokes[i, 0], strokes[i, 2])
            box[d, 3] = max(box[d, 3], strokes[i, 1], strokes[i, 3])
    return box


@njit(cache=True, nogil=True)
def paint(strokes, piece, start, sight, grids, half_width_m, far_m):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return the distances of the grid points of several drawings, one after the other: see `_paint`."""
    size = grids.rows * grids.columns
    distance_m = np.empty(size.sum(), np.float32)
    at = 0
    for d in range(len(start) - 1):
        grid = Grid(grids.west[d], grids.south[d], grids.cell_m[d], grids.rows[d], grids.columns[d])
        part = slice(start[d], start[d + 1])
        drawing = distance_m[at : at + size[d]].reshape((grid.rows, grid.columns))
        _paint(strokes[part], piece[part], sight, grid, half_width_m, far_m, drawing)
        at += size[d]
    return distance_m


@njit(cache=True, nogil=True)
def _paint(strokes, piece, sight, grid, half_width_m, far_m, squared):  # type: ignore[no-untyped-def]  # numba infers the types
    """Fill `squared`, shape (rows, columns), with each grid point's distance to the nearest stroke in sight.

    Distances are those to the strokes themselves, not to samples of them, and exact up to `REACH_CELLS` beyond the half
    width. Farther off stands `far_m`; so it does behind a wall, where the outline therefore runs through the last
    grid point in sight and never over the wall.
    """
    far, inside = np.float32(far_m * far_m), np.float32(half_width_m * half_width_m)
    squared[:] = far
    hidden = np.zeros((grid.rows, grid.columns), np.bool_)
    reach_m = half_width_m + REACH_CELLS * grid.cell_m
    most = np.float32(reach_m * reach_m)
    for i in range(len(strokes)):
        ax, ay = strokes[i, 0] - grid.west, strokes[i, 1] - grid.south
        dx, dy = strokes[i, 2] - strokes[i, 0], strokes[i, 3] - strokes[i, 1]
        square = dx * dx + dy * dy
        inverse = 1.0 / square if square > 0.0 else 0.0
        inset = min(0.5, INSET_M * np.sqrt(inverse))
        walled = sight.start[piece[i] + 1] > sight.start[piece[i]]
        bottom = max(0.0, np.ceil((min(ay, ay + dy) - reach_m) / grid.cell_m))
        top = min(grid.rows - 1.0, np.floor((max(ay, ay + dy) + reach_m) / grid.cell_m))
        for row in range(int(bottom), int(top) + 1):
            y = row * grid.cell_m - ay
            low, high = _reach_of_row(ax, dx, y, dy, reach_m)
            first, last = max(0.0, np.ceil(low / grid.cell_m)), min(grid.columns - 1.0, np.floor(high / grid.cell_m))
            for column in range(int(first), int(last) + 1):
                x = column * grid.cell_m - ax
                t = min(1.0, max(0.0, (x * dx + y * dy) * inverse))
                gap_x, gap_y = x - t * dx, y - t * dy
                gap = np.float32(gap_x * gap_x + gap_y * gap_y)
                if not walled:
                    squared[row, column] = min(squared[row, column], gap if gap <= most else far)
                elif gap <= most and (gap < squared[row, column] or squared[row, column] > inside):
                    t = min(1.0 - inset, max(inset, t))
                    here_x, here_y = strokes[i, 0] + t * dx, strokes[i, 1] + t * dy
                    there_x, there_y = grid.west + column * grid.cell_m, grid.south + row * grid.cell_m
                    if _in_sight(here_x, here_y, there_x, there_y, piece[i], sight):
                        squared[row, column] = min(squared[row, column], gap)
                    else:
                        hidden[row, column] = True
    for row in range(grid.rows):
        for column in range(grid.columns):
            if hidden[row, column] and squared[row, column] > inside:
                squared[row, column] = far
            squared[row, column] = np.sqrt(squared[row, column])
