"""Compiled loops of snapping: a tree of straight segments, the nearest of them, and legs that meet one.

The tree is packed once: segments in the order of a Hilbert curve through their middles, boxes around every
`FANOUT` of them, boxes around every `FANOUT` boxes, and so on up to one. It needs no cell size, so that dense
towns, empty country and long ways cost alike. What a search finds is the smallest of all by a stated order (distance,
then owner), never the first that it came across: results depend neither on the tree nor on the order of points.

A tree is passed to a loop as the tuple ``(segment, owner, box, level)`` of `SegmentTree`.
"""

# Compiled loops take arrays one by one and are long where a call would cost more than the work.
# ruff: noqa: C901, PLR0913, PLR0917

from __future__ import annotations

import numpy as np
from numba import njit, prange

FANOUT = 8

#: Points that one thread takes at a time: enough to make its workspace once for many.
BLOCK = 256

#: Boxes are kept in play a little beyond the best distance, since a place on a segment is rounded and a box is not.
SLACK_M = 1e-6

#: A leg may meet a line this near to its own ends: there it touches, and does not cross.
TOUCH_M = 0.001

NOBODY = -1


@njit(cache=True, nogil=True)
def hilbert_keys(segment, low, scale):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return where along a Hilbert curve of 2¹⁶ × 2¹⁶ cells the middle of each segment lies.

    The curve is walked by the bits of both coordinates, most significant first (Hilbert 1891).
    """
    n = len(segment)
    key = np.empty(n, np.uint32)
    for i in range(n):
        x = int((0.5 * (segment[i, 0] + segment[i, 2]) - low[0]) * scale)
        y = int((0.5 * (segment[i, 1] + segment[i, 3]) - low[1]) * scale)
        d, s = 0, 32768
        while s > 0:
            right, up = int((x & s) > 0), int((y & s) > 0)
            d += s * s * ((3 * right) ^ up)
            if up == 0:
                if right == 1:
                    x, y = 65535 - x, 65535 - y
                x, y = y, x
            s //= 2
        key[i] = d
    return key


@njit(cache=True, nogil=True)
def sorted_segments(segment, owner, order):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return segments and owners in `order`, each segment from its western (else southern) end to the other.

    A segment drawn the other way round is then the same to the last digit, and as far from any point.
    """
    n = len(order)
    packed = np.empty((n, 4))
    whose = np.empty(n, np.int32)
    for i in range(n):
        k = order[i]
        ax, ay, bx, by = segment[k, 0], segment[k, 1], segment[k, 2], segment[k, 3]
        if bx < ax or (bx == ax and by < ay):
            ax, ay, bx, by = bx, by, ax, ay
        packed[i, 0], packed[i, 1], packed[i, 2], packed[i, 3] = ax, ay, bx, by
        whose[i] = owner[k]
    return packed, whose


@njit(cache=True, nogil=True)
def packed_boxes(segment, level):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return the boxes (west, south, east, north) of all levels, the lowest first."""
    box = np.empty((level[-1], 4))
    n = len(segment)
    for i in range(level[1]):
        first = i * FANOUT
        box[i, 0], box[i, 2] = segment[first, 0], segment[first, 2]
        box[i, 1] = min(segment[first, 1], segment[first, 3])
        box[i, 3] = max(segment[first, 1], segment[first, 3])
        for k in range(first + 1, min(first + FANOUT, n)):
            box[i, 0] = min(box[i, 0], segment[k, 0])
            box[i, 2] = max(box[i, 2], segment[k, 2])
            box[i, 1] = min(box[i, 1], segment[k, 1], segment[k, 3])
            box[i, 3] = max(box[i, 3], segment[k, 1], segment[k, 3])
    for up in range(1, len(level) - 1):
        for i in range(level[up], level[up + 1]):
            first = level[up - 1] + (i - level[up]) * FANOUT
            box[i] = box[first]
            for k in range(first + 1, min(first + FANOUT, level[up])):
                box[i, 0] = min(box[i, 0], box[k, 0])
                box[i, 1] = min(box[i, 1], box[k, 1])
                box[i, 2] = max(box[i, 2], box[k, 2])
                box[i, 3] = max(box[i, 3], box[k, 3])
    return box


@njit(cache=True, nogil=True, inline="always")
def _segment_m(px, py, ax, ay, bx, by):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return the distance between a point and a segment, exact at the segment's ends."""
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    t = ((px - ax) * dx + (py - ay) * dy) / square if square > 0.0 else 0.0
    if t <= 0.0:
        gx, gy = px - ax, py - ay
    elif t >= 1.0:
        gx, gy = px - bx, py - by
    else:
        gx, gy = px - (ax + t * dx), py - (ay + t * dy)
    return np.sqrt(gx * gx + gy * gy)


@njit(cache=True, nogil=True, inline="always")
def _box_square(px, py, box, i):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return the square of the distance between a point and a box."""
    gx = max(box[i, 0] - px, 0.0, px - box[i, 2])
    gy = max(box[i, 1] - py, 0.0, py - box[i, 3])
    return gx * gx + gy * gy


@njit(cache=True, nogil=True)
def _nearest(px, py, limit_m, tree, stack, stack_square):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return owner and distance of the nearest segment within `limit_m`; equally near, the lowest owner."""
    segment, owner, box, level = tree
    n = len(segment)
    best, whose = limit_m, NOBODY
    if n == 0:
        return whose, best
    bound = (best + SLACK_M) * (best + SLACK_M)
    top = len(level) - 2
    stack[0] = level[top]
    stack_square[0] = _box_square(px, py, box, level[top])
    size = 1
    while size > 0:
        size -= 1
        if stack_square[size] > bound:
            continue
        i = stack[size]
        if i < level[1]:
            for k in range(i * FANOUT, min(i * FANOUT + FANOUT, n)):
                gap = _segment_m(px, py, segment[k, 0], segment[k, 1], segment[k, 2], segment[k, 3])
                if gap < best or (gap == best and (whose == NOBODY or owner[k] < whose)):
                    best, whose = gap, owner[k]
                    bound = (best + SLACK_M) * (best + SLACK_M)
            continue
        up = 1
        while i >= level[up + 1]:
            up += 1
        first = level[up - 1] + (i - level[up]) * FANOUT
        bottom = size
        for k in range(first, min(first + FANOUT, level[up])):
            square = _box_square(px, py, box, k)
            if square > bound:
                continue
            # Children are kept with the nearest on top, so that it is taken first and the others are soon passed over.
            j = size
            while j > bottom and stack_square[j - 1] < square:
                stack[j], stack_square[j] = stack[j - 1], stack_square[j - 1]
                j -= 1
            stack[j], stack_square[j] = k, square
            size += 1
    return whose, best


@njit(cache=True, nogil=True, parallel=True)
def nearest_owners(points, limit_m, tree):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return the owner of the segment nearest to each point, -1 beyond `limit_m`, and its distance."""
    n = len(points)
    owner = np.empty(n, np.int64)
    distance = np.empty(n)
    room = len(tree[3]) * FANOUT + 1
    for block in prange((n + BLOCK - 1) // BLOCK):
        stack, stack_square = np.empty(room, np.int64), np.empty(room)
        for i in range(block * BLOCK, min(n, block * BLOCK + BLOCK)):
            owner[i], distance[i] = _nearest(points[i, 0], points[i, 1], limit_m, tree, stack, stack_square)
    return owner, distance


@njit(cache=True, nogil=True)
def _place(px, py, k, xy):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return fraction, coordinates and distance of the place nearest to a point between vertex `k` and the next."""
    if k < 0:
        return 0.0, np.nan, np.nan, np.inf
    ax, ay = xy[k, 0], xy[k, 1]
    bx, by = xy[k + 1, 0], xy[k + 1, 1]
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    t = 0.0
    if square > 0.0:
        t = min(1.0, max(0.0, ((px - ax) * dx + (py - ay) * dy) / square))
    # Exact at both ends, so that a node is equally far whichever edge it is reached by.
    qx, qy = (ax + t * dx, ay + t * dy) if t < 1.0 else (bx, by)
    return t, qx, qy, np.hypot(px - qx, py - qy)


@njit(cache=True, nogil=True, parallel=True)
def places(points, vertex, xy):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return where on the segment from `vertex` to the next each point has its place: fraction, distance, place.

    Where the vertex is -1 the distance is infinite.
    """
    n = len(points)
    fraction = np.empty(n)
    distance = np.empty(n)
    place = np.empty((n, 2))
    for i in prange(n):
        fraction[i], place[i, 0], place[i, 1], distance[i] = _place(points[i, 0], points[i, 1], vertex[i], xy)
    return fraction, distance, place


@njit(cache=True, nogil=True, inline="always")
def _turn(ax, ay, bx, by, cx, cy):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return on which side of a → b the point c lies: positive on the left, 0 on the line."""
    return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)


@njit(cache=True, nogil=True, inline="always")
def _meet(px, py, qx, qy, ax, ay, bx, by):  # type: ignore[no-untyped-def]  # numba infers the types
    """Tell whether two closed segments have a point in common."""
    if max(px, qx) < min(ax, bx) or max(ax, bx) < min(px, qx):
        return False
    if max(py, qy) < min(ay, by) or max(ay, by) < min(py, qy):
        return False
    a, b = _turn(px, py, qx, qy, ax, ay), _turn(px, py, qx, qy, bx, by)
    if (a > 0.0 and b > 0.0) or (a < 0.0 and b < 0.0):
        return False
    p, q = _turn(ax, ay, bx, by, px, py), _turn(ax, ay, bx, by, qx, qy)
    return not ((p > 0.0 and q > 0.0) or (p < 0.0 and q < 0.0))


@njit(cache=True, nogil=True)
def _crosses(px, py, qx, qy, tree, held, lo, hi, stack):  # type: ignore[no-untyped-def]  # numba infers the types
    """Tell whether the leg p → q crosses a barrier; outlines of the polygons ``held[lo:hi]`` do not count."""
    segment, owner, box, level = tree
    n = len(segment)
    length = np.hypot(qx - px, qy - py)
    if n == 0 or length == 0.0:
        return False
    # Lines are met by the leg without the millimetre at either end; outlines lie a millimetre inside their polygons.
    open_leg = length > 2.0 * TOUCH_M
    ux, uy = TOUCH_M * (qx - px) / length, TOUCH_M * (qy - py) / length
    west, east, south, north = min(px, qx), max(px, qx), min(py, qy), max(py, qy)
    stack[0] = level[len(level) - 2]
    size = 1
    while size > 0:
        size -= 1
        i = stack[size]
        if box[i, 0] > east or box[i, 2] < west or box[i, 1] > north or box[i, 3] < south:
            continue
        if i >= level[1]:
            up = 1
            while i >= level[up + 1]:
                up += 1
            first = level[up - 1] + (i - level[up]) * FANOUT
            for k in range(first, min(first + FANOUT, level[up])):
                stack[size] = k
                size += 1
            continue
        for k in range(i * FANOUT, min(i * FANOUT + FANOUT, n)):
            ax, ay, bx, by = segment[k, 0], segment[k, 1], segment[k, 2], segment[k, 3]
            if owner[k] == NOBODY:
                if open_leg and _meet(px + ux, py + uy, qx - ux, qy - uy, ax, ay, bx, by):
                    return True
            elif _meet(px, py, qx, qy, ax, ay, bx, by):
                bound = True
                for h in range(lo, hi):
                    bound = bound and held[h] != owner[k]
                if bound:
                    return True
    return False


@njit(cache=True, nogil=True, parallel=True)
def legs_cross(points, places, tree, held, held_start):  # type: ignore[no-untyped-def]  # numba infers the types
    """Tell which legs cross a barrier; ``held[held_start[i]:held_start[i + 1]]`` are the polygons that hold point i."""
    n = len(points)
    crosses = np.empty(n, np.bool_)
    room = len(tree[3]) * FANOUT + 1
    for block in prange((n + BLOCK - 1) // BLOCK):
        stack = np.empty(room, np.int64)
        for i in range(block * BLOCK, min(n, block * BLOCK + BLOCK)):
            crosses[i] = _crosses(
                points[i, 0], points[i, 1], places[i, 0], places[i, 1], tree, held, held_start[i], held_start[i + 1],
                stack,
            )  # fmt: skip
    return crosses


@njit(cache=True, nogil=True)
def _within(px, py, radius_m, tree, stack, whose, gaps):  # type: ignore[no-untyped-def]  # numba infers the types
    """Collect owner and distance of every segment within `radius_m`; return how many, and the (grown) lists."""
    segment, owner, box, level = tree
    n = len(segment)
    bound = (radius_m + SLACK_M) * (radius_m + SLACK_M)
    found = 0
    stack[0] = level[len(level) - 2]
    size = 1
    while size > 0:
        size -= 1
        i = stack[size]
        if _box_square(px, py, box, i) > bound:
            continue
        if i >= level[1]:
            up = 1
            while i >= level[up + 1]:
                up += 1
            first = level[up - 1] + (i - level[up]) * FANOUT
            for k in range(first, min(first + FANOUT, level[up])):
                stack[size] = k
                size += 1
            continue
        for k in range(i * FANOUT, min(i * FANOUT + FANOUT, n)):
            gap = _segment_m(px, py, segment[k, 0], segment[k, 1], segment[k, 2], segment[k, 3])
            if gap <= radius_m:
                if found == len(gaps):
                    more, further = np.empty(2 * found, np.int64), np.empty(2 * found)
                    more[:found], further[:found] = whose, gaps
                    whose, gaps = more, further
                whose[found], gaps[found] = owner[k], gap
                found += 1
    return found, whose, gaps


@njit(cache=True, nogil=True)
def _in_order(whose, gaps):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return the order of distances, equal ones by owner."""
    order = np.argsort(gaps)
    for k in range(1, len(order)):
        j = k
        while j > 0 and gaps[order[j]] == gaps[order[j - 1]] and whose[order[j]] < whose[order[j - 1]]:
            order[j], order[j - 1] = order[j - 1], order[j]
            j -= 1
    return order


@njit(cache=True, nogil=True, parallel=True)
def reachable_owners(  # type: ignore[no-untyped-def]  # numba infers the types
    points, nearest_m, limit_m, ways, xy, barriers, held, held_start
):
    """Return the owner of the nearest segment that a leg reaches without crossing a barrier, -1 within `limit_m` none.

    Owners are vertices: the segment runs to the next one. Segments are tried in the order of their distance, then of
    their owner, each at its place nearest to the point. Each round looks twice as far as the one before, so that a
    point whose way is near never collects all that lie within the limit.
    """
    n = len(points)
    answer = np.full(n, NOBODY, np.int64)
    room = max(len(ways[3]), len(barriers[3])) * FANOUT + 1
    for i in prange(n):
        px, py = points[i, 0], points[i, 1]
        stack = np.empty(room, np.int64)
        whose, gaps = np.empty(64, np.int64), np.empty(64)
        farthest = limit_m + TOUCH_M
        tried_m, radius = -1.0, min(farthest, max(2.0 * nearest_m[i], limit_m / 16.0))
        while answer[i] == NOBODY and tried_m < farthest:
            found, whose, gaps = _within(px, py, radius, ways, stack, whose, gaps)
            for k in _in_order(whose[:found], gaps[:found]):
                if gaps[k] <= tried_m:
                    continue
                _, qx, qy, gap = _place(px, py, whose[k], xy)
                if gap <= limit_m and not _crosses(
                    px, py, qx, qy, barriers, held, held_start[i], held_start[i + 1], stack
                ):
                    answer[i] = whose[k]
                    break
            tried_m, radius = radius, min(farthest, 2.0 * radius)
    return answer
