"""Demand points that are alike: those that the same facilities or sites reach."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facility_coverage.layers.model import Ints


def reached_alike(row: npt.NDArray[np.integer], column: npt.NDArray[np.integer], *, points: int) -> Ints:
    """Return the number of the set of rows that reach each point, from 0; -1 where none does.

    Parameters
    ----------
    row, column
        Pairs of a facility (or site) and a point that it reaches, each pair once, shape (pairs,).
    points
        Number of points.

    Examples
    --------
    >>> alike = reached_alike(np.array([0, 1, 0, 1]), np.array([0, 0, 2, 2]), points=4)
    >>> bool(alike[0] == alike[2]), alike[[1, 3]].tolist()
    (True, [-1, -1])
    """
    group = np.full(points, -1, dtype=np.int64)
    if not len(row):
        return group
    # Equal sets have equal sums of random numbers; unequal ones have not, but once in 2**60.
    marks = np.random.default_rng(20).integers(1, 2**62, size=(2, int(row.max()) + 1), dtype=np.uint64)
    sums = np.zeros((points, 2), dtype=np.uint64)
    for place, mark in enumerate(marks):
        np.add.at(sums[:, place], column, mark[row])
    reached = np.flatnonzero(np.bincount(column, minlength=points))
    group[reached] = np.unique(sums[reached], axis=0, return_inverse=True)[1].ravel()
    return group
