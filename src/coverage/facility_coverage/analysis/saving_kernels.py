"""Compiled loops over pairs of a site and a demand point."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def surplus(indptr, indices, saving, level):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return for each site the sum of what its savings are above the level of their points."""
    above = np.zeros(len(indptr) - 1)
    for site in range(len(above)):
        for k in range(indptr[site], indptr[site + 1]):
            more = saving[k] - level[indices[k]]
            if more > 0.0:
                above[site] += more
    return above


@njit(cache=True, nogil=True)
def exchanges(indptr, indices, saving, level, second, owner, count):  # type: ignore[no-untyped-def]
    """Return what each site adds, and what it makes good of the loss of each chosen one, shape (sites, count).

    `level` is the best saving of each point, that of the chosen site `owner`; `second` the best without it.
    """
    gain, good = np.zeros(len(indptr) - 1), np.zeros((len(indptr) - 1, count))
    for site in range(len(gain)):
        for k in range(indptr[site], indptr[site + 1]):
            point = indices[k]
            if saving[k] > level[point]:
                gain[site] += saving[k] - level[point]
                if owner[point] >= 0:
                    good[site, owner[point]] += level[point] - second[point]
            elif owner[point] >= 0 and saving[k] > second[point]:
                good[site, owner[point]] += saving[k] - second[point]
    return gain, good


@njit(cache=True, nogil=True)
def two_best(sites, indptr, indices, saving, points):  # type: ignore[no-untyped-def]
    """Return the largest and second largest saving of each point among `sites`, and which of them has the largest."""
    level, second, owner = np.zeros(points), np.zeros(points), np.full(points, -1)
    for number in range(len(sites)):
        for k in range(indptr[sites[number]], indptr[sites[number] + 1]):
            point = indices[k]
            if saving[k] > level[point]:
                second[point], level[point], owner[point] = level[point], saving[k], number
            elif saving[k] > second[point]:
                second[point] = saving[k]
    return level, second, owner
