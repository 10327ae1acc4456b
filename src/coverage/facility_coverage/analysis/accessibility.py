"""Accessibility: how much capacity is within reach for each person who competes for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

from facility_coverage.layers.model import Floats
from facility_coverage.network.links import TIME_TOLERANCE_S


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


def step_decay(seconds: Floats, ends_s: Sequence[float], weights: Sequence[float]) -> Floats:
    """Return the weight of each trip: that of the first band whose end it does not exceed, 0 beyond the last.

    Examples
    --------
    >>> step_decay(np.array([300.0, 600.0, 601.0, 1801.0]), [600, 1200, 1800], [1.0, 0.68, 0.22]).tolist()
    [1.0, 1.0, 0.68, 0.0]
    """
    band = np.searchsorted(np.asarray(ends_s, dtype=np.float64), seconds - TIME_TOLERANCE_S, side="left")
    return np.append(np.asarray(weights, dtype=np.float64), 0.0)[band]


def gaussian_decay(seconds: Floats, limit_s: float) -> Floats:
    """Return weights that fall from 1 at no time to 0 at the limit L (Dai 2010).

    ``w = (e^{-t²/2L²} - e^{-½}) / (1 - e^{-½})``.

    Examples
    --------
    >>> gaussian_decay(np.array([0.0, 900.0, 901.0]), 900.0).tolist()
    [1.0, 0.0, 0.0]
    """
    edge = np.exp(-0.5)
    weight = (np.exp(-0.5 * (seconds / limit_s) ** 2) - edge) / (1.0 - edge)
    return np.where(seconds <= limit_s + TIME_TOLERANCE_S, np.maximum(weight, 0.0), 0.0)


def enhanced_two_step(weights: csr_array, capacity: Floats, people: Floats) -> Floats:
    """Return the capacity within reach for one person, trips weighted by their length (E2SFCA; Luo & Qi 2009).

    ``A_i = Σ_j w_ij S_j / Σ_k w_kj P_k``.

    Parameters
    ----------
    weights
        Of each trip within the cutoff (`step_decay`, `gaussian_decay`), sparse, shape (facilities, points).
    capacity
        Of each facility, NaN counted as none, shape (facilities,).
    people
        At each point, shape (points,).
    """
    return np.asarray(weights.T @ _ratio(capacity, weights @ people), dtype=np.float64)


def three_step(weights: csr_array, capacity: Floats, people: Floats) -> Floats:
    """Return the capacity within reach for one person who chooses among facilities by weight (3SFCA; Wan et al. 2012).

    A person of point i counts at facility j with the share ``G_ij = w_ij / Σ_k w_ik`` of the choice; then
    ``A_i = Σ_j G_ij w_ij S_j / Σ_k G_kj w_kj P_k``. Parameters as in `enhanced_two_step`.
    """
    chosen = _scaled(weights, _inverse(_by_point(weights)))
    weighted = _times(chosen, weights)
    return np.asarray(weighted.T @ _ratio(capacity, weighted @ people), dtype=np.float64)


def huff_three_step(weights: csr_array, capacity: Floats, people: Floats) -> Floats:
    """Return the capacity within reach for one person who prefers near and large facilities.

    The modified Huff model (MH3SFCA; Jörg & Haldimann 2019): facility j is chosen from point i with probability
    ``H_ij = S_j w_ij / Σ_k S_k w_ik``, everybody is somebody's demand whole, and ``A_i = Σ_j H_ij w_ij S_j / Σ_k H_kj
    P_k``. Parameters as in `enhanced_two_step`.
    """
    size = np.nan_to_num(np.asarray(capacity, dtype=np.float64))
    drawn = csr_array(weights.multiply(size[:, None]))
    chosen = _scaled(drawn, _inverse(_by_point(drawn)))
    return np.asarray(_times(chosen, weights).T @ _ratio(size, chosen @ people), dtype=np.float64)


def _ratio(capacity: Floats, demand: Floats) -> Floats:
    known = np.nan_to_num(np.asarray(capacity, dtype=np.float64))
    return np.divide(known, demand, out=np.zeros_like(demand), where=demand > 0)


def _by_point(table: csr_array) -> Floats:
    return np.asarray(table.T @ np.ones(table.shape[0]), dtype=np.float64)


def _inverse(sums: Floats) -> Floats:
    return np.divide(1.0, sums, out=np.zeros_like(sums), where=sums > 0)


def _scaled(table: csr_array, by_point: Floats) -> csr_array:
    return csr_array(table.multiply(by_point[None, :]))


def _times(one: csr_array, other: csr_array) -> csr_array:
    return csr_array(one.multiply(other))
