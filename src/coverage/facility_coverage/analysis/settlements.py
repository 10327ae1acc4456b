"""Settlements: people gathered into places that a name can be given to."""

from __future__ import annotations

import numpy as np
from numba import njit
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from facility_coverage.layers.model import Floats, Ints

_CELL_M = 100.0


def settlements(xy: Floats, kind: Ints, people: Floats, *, together_m: float, radius_m: float) -> Ints:
    """Return the number of the settlement of each point; those of one kind and near each other live in one.

    Points are put into squares of 100 m, and squares within `together_m` of each other are connected. Of what is
    connected the square with most people becomes the middle of a settlement, which takes every square within
    `radius_m`; so again with what is left.

    Parameters
    ----------
    xy
        Metres, shape (points, 2).
    kind
        Points of different kinds are never together, shape (points,).
    people
        At each point, shape (points,).
    together_m, radius_m
        How near, and how far from the middle.

    Examples
    --------
    >>> along = np.array([[50.0, 50.0], [250.0, 50.0], [450.0, 50.0], [5050.0, 50.0]])
    >>> kind = np.zeros(4, dtype=np.int64)
    >>> settlements(along, kind, np.ones(4), together_m=300, radius_m=750).tolist()
    [0, 0, 0, 1]
    """
    if not len(xy):
        return np.empty(0, dtype=np.int64)
    square = np.floor(xy / _CELL_M).astype(np.int64)
    cells, cell = np.unique(np.column_stack([kind, square]), axis=0, return_inverse=True)
    cell = cell.ravel()
    # Cells of another kind are put far away, so that one search finds neighbours of one kind.
    apart = np.column_stack([cells[:, 1:] * _CELL_M, cells[:, 0] * 1e7])
    pairs = cKDTree(apart).query_pairs(together_m, output_type="ndarray")
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(cells), len(cells)))
    count, piece = connected_components(links, directed=False)
    weight = np.bincount(cell, people, minlength=len(cells))
    # Within each piece the most populous first; a tie goes to the south-west.
    order = np.lexsort((cells[:, 2], cells[:, 1], -weight, piece))
    start = np.concatenate([[0], np.cumsum(np.bincount(piece, minlength=count))]).astype(np.int64)
    middle = cells[order, 1:].astype(np.float64) * _CELL_M
    of_cell = np.empty(len(cells), dtype=np.int64)
    of_cell[order] = _taken(middle, start, float(radius_m))
    return of_cell[cell]


@njit(cache=True, nogil=True)
def _taken(middle: Floats, start: Ints, radius_m: float) -> Ints:
    """Return the number of the settlement of each cell; cells of a piece stand together, its largest first."""
    number = np.full(len(middle), -1, np.int64)
    count = 0
    for piece in range(len(start) - 1):
        for cell in range(start[piece], start[piece + 1]):
            if number[cell] >= 0:
                continue
            for other in range(cell, start[piece + 1]):
                east, north = middle[other, 0] - middle[cell, 0], middle[other, 1] - middle[cell, 1]
                if number[other] < 0 and east * east + north * north <= radius_m * radius_m:
                    number[other] = count
            count += 1
    return number
