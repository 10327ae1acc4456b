"""Orders and groups of arrays: ranges, rows that belong together, and points along a space-filling curve."""

from __future__ import annotations

import numpy as np
from numba import njit

from facility_coverage.layers.model import Floats, Ints

_CURVE_BITS = 20


def ranges(first: Ints, stop: Ints) -> tuple[Ints, Ints]:
    """Return the ranges ``first[i]:stop[i]`` one after the other, and where each begins.

    Examples
    --------
    >>> index, start = ranges(np.array([5, 0]), np.array([8, 2]))
    >>> index.tolist(), start.tolist()
    ([5, 6, 7, 0, 1], [0, 3, 5])
    """
    start = np.concatenate([[0], np.cumsum(stop - first)]).astype(np.int64)
    return np.arange(start[-1]) + np.repeat(first - start[:-1], stop - first), start


def group(key: Ints, count: int) -> tuple[Ints, Ints]:
    """Return an order that sorts rows by `key` (0 … count-1), stable, and where each key begins.

    Examples
    --------
    >>> order, start = group(np.array([2, 0, 2]), 3)
    >>> order.tolist(), start.tolist()
    ([1, 0, 2], [0, 1, 1, 3])
    """
    start = np.concatenate([[0], np.cumsum(np.bincount(key, minlength=count))]).astype(np.int64)
    return _counted(key, start[:-1].copy()), start


@njit(cache=True, nogil=True)
def _counted(key: Ints, following: Ints) -> Ints:
    order = np.empty(len(key), np.int64)
    for i in range(len(key)):
        order[following[key[i]]] = i
        following[key[i]] += 1
    return order


def numbered(ids: Ints) -> tuple[Ints, int]:
    """Return ids (0 or more) numbered anew 0, 1, 2 … in their order, without gaps, and how many there are.

    Examples
    --------
    >>> new, count = numbered(np.array([7, 3, 7]))
    >>> new.tolist(), count
    ([1, 0, 1], 2)
    """
    used = np.zeros(int(ids.max(initial=-1)) + 1, dtype=np.int64)
    used[ids] = 1
    return (np.cumsum(used) - 1)[ids], int(used.sum())


def along_curve(xy: Floats) -> Ints:
    """Return the order of points (shape (points, 2)) along a Hilbert curve; equal cells by coordinates.

    Neighbours along the curve are neighbours on the ground, so that work in this order finds its data in the cache. The
    curve's turns follow Hilbert (1891), Mathematische Annalen 38, 459-460.

    Examples
    --------
    >>> along_curve(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])).tolist()
    [0, 2, 3, 1]
    """
    if not len(xy):
        return np.empty(0, dtype=np.int64)
    low = xy.min(axis=0)
    side = (1 << _CURVE_BITS) - 1
    return np.lexsort((xy[:, 1], xy[:, 0], _distances(xy, low, max(float((xy.max(axis=0) - low).max()), 1e-9), side)))


@njit(cache=True, nogil=True)
def _distances(xy: Floats, low: Floats, extent: float, side: int) -> Ints:
    """Return how far along the curve each point's cell lies."""
    distances = np.empty(len(xy), np.int64)
    for i in range(len(xy)):
        x = min(int((xy[i, 0] - low[0]) / extent * side), side)
        y = min(int((xy[i, 1] - low[1]) / extent * side), side)
        distance = np.int64(0)
        for bit in range(_CURVE_BITS - 1, -1, -1):
            right, up = (x >> bit) & 1, (y >> bit) & 1
            distance += ((3 * right) ^ up) << (2 * bit)
            if up == 0:
                if right == 1:
                    x, y = side - x, side - y
                x, y = y, x
        distances[i] = distance
    return distances
