"""Accessibility: how much capacity is within reach for each person who competes for it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]


def two_step(catchment: csr_array, capacity: Floats, people: Floats) -> Floats:
    """Return the capacity within reach for one person at each demand point, by two-step floating catchment areas.

    Step one divides each facility's capacity by all people of its catchment; step two adds up, for each point, these
    ratios over the facilities within reach: ``A_i = Σ_j S_j / Σ_k P_k``, j within reach of i, k within reach of j.
    Facilities that nobody reaches give nothing; the sum of people times accessibility is the capacity of the others.

    Parameters
    ----------
    catchment
        Pairs within the cutoff, sparse, shape (facilities, points); only which are stored matters.
    capacity
        Beds, slots … of each facility, NaN counted as none, shape (facilities,).
    people
        People at each point, shape (points,).

    Returns
    -------
    ndarray
        Capacity for one person at each point, 0 where nothing is within reach, shape (points,).

    References
    ----------
    Luo, W. and Wang, F. (2003). Measures of spatial accessibility to health care in a GIS environment. Environment
    and Planning B 30(6), 865–884.

    Examples
    --------
    >>> within = csr_array(np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]))
    >>> two_step(within, np.array([20.0, 30.0]), np.array([100.0, 100.0, 50.0])).tolist()
    [0.1, 0.30000000000000004, 0.2]
    """
    within = catchment.copy()
    within.data = np.ones_like(within.data, dtype=np.float64)
    demand = within @ people
    known = np.nan_to_num(np.asarray(capacity, dtype=np.float64))
    ratio = np.divide(known, demand, out=np.zeros_like(demand), where=demand > 0)
    return np.asarray(within.T @ ratio, dtype=np.float64)
