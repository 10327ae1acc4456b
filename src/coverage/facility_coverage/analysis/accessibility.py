"""Accessibility: how much capacity is within reach for each person who competes for it.

Memory: beside the pairs of the catchment nothing but 8 bytes for each of them; their indices are shared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.sparse import csr_array

from facility_coverage.layers.model import Floats
from facility_coverage.network.links import TIME_TOLERANCE_S

#: Pairs that are weighed at a time: what is in between stays in the processor's cache.
_PAIRS = 1 << 17


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
    return enhanced_two_step(_sharing(catchment, np.ones(len(catchment.data))), capacity, people)


def weights_of(catchment: csr_array, decay: Callable[[Floats, slice], Floats]) -> csr_array:
    """Return the weight of each trip of a catchment.

    Parameters
    ----------
    catchment
        Seconds, sparse, shape (facilities, points).
    decay
        Is given the seconds of some pairs, and where these stand among all; returns their weights.
    """
    weights = np.empty(len(catchment.data))
    for start in range(0, len(weights), _PAIRS):
        part = slice(start, start + _PAIRS)
        weights[part] = decay(catchment.data[part], part)
    return _sharing(catchment, weights)


def step_decay(seconds: Floats, ends_s: Sequence[float], weights: Sequence[float]) -> Floats:
    """Return the weight of each trip: that of the first band whose end it does not exceed, 0 beyond the last.

    Examples
    --------
    >>> step_decay(np.array([300.0, 600.0, 601.0, 1801.0]), [600, 1200, 1800], [1.0, 0.68, 0.22]).tolist()
    [1.0, 1.0, 0.68, 0.0]
    """
    found = np.zeros(np.shape(seconds))
    for end_s, weight in reversed(list(zip(ends_s, weights, strict=True))):
        np.copyto(found, weight, where=seconds <= end_s + TIME_TOLERANCE_S)
    return found


def gaussian_decay(seconds: Floats, limit_s: float | Floats) -> Floats:
    """Return weights that fall from 1 at no time to 0 at the limit L, one for all trips or one for each (Dai 2010).

    ``w = (e^{-t²/2L²} - e^{-½}) / (1 - e^{-½})``.

    Examples
    --------
    >>> gaussian_decay(np.array([0.0, 900.0, 901.0]), 900.0).tolist()
    [1.0, 0.0, 0.0]

    References
    ----------
    Dai, D. (2010). Black residential segregation, disparities in spatial access to health care facilities, and
    late-stage breast cancer diagnosis in metropolitan Detroit. Health & Place 16(5), 1038–1052.
    """
    edge = np.exp(-0.5)
    weight = (np.exp(-0.5 * (seconds / limit_s) ** 2) - edge) / (1.0 - edge)
    return np.where(seconds <= limit_s + TIME_TOLERANCE_S, np.maximum(weight, 0.0), 0.0)


def enhanced_two_step(weights: csr_array, capacity: Floats, people: Floats) -> Floats:
    """Return the capacity within reach for one person, trips weighted by their length (E2SFCA).

    ``A_i = Σ_j w_ij S_j / Σ_k w_kj P_k``.

    Parameters
    ----------
    weights
        Of each trip within the cutoff (`weights_of`), sparse, shape (facilities, points).
    capacity
        Of each facility, NaN counted as none, shape (facilities,).
    people
        At each point, shape (points,).

    References
    ----------
    Luo, W. and Qi, Y. (2009). An enhanced two-step floating catchment area (E2SFCA) method for measuring spatial
    accessibility to primary care physicians. Health & Place 15(4), 1100–1107.
    """
    return _handed_out(weights, _ratio(capacity, weights @ people))


def three_step(weights: csr_array, capacity: Floats, people: Floats) -> Floats:
    """Return the capacity within reach for one person who chooses among facilities by weight (3SFCA).

    A person of point i counts at facility j with the share ``G_ij = w_ij / Σ_k w_ik`` of the choice; then
    ``A_i = Σ_j G_ij w_ij S_j / Σ_k G_kj w_kj P_k``. Parameters as in `enhanced_two_step`.

    References
    ----------
    Wan, N., Zou, B. and Sternberg, T. (2012). A three-step floating catchment area method for analyzing spatial access
    to health services. International Journal of Geographical Information Science 26(6), 1073–1089.
    """
    one_of = _inverse(_handed_out(weights, np.ones(weights.shape[0])))
    squared = _sharing(weights, np.square(weights.data))
    return one_of * _handed_out(squared, _ratio(capacity, squared @ (one_of * people)))


def huff_three_step(weights: csr_array, capacity: Floats, people: Floats) -> Floats:
    """Return the capacity within reach for one person who prefers near and large facilities (MH3SFCA).

    Facility j is chosen from point i with the modified Huff model's probability ``H_ij = S_j w_ij / Σ_k S_k w_ik``;
    everybody is somebody's demand whole, and ``A_i = Σ_j H_ij w_ij S_j / Σ_k H_kj P_k``. Parameters as in
    `enhanced_two_step`.

    References
    ----------
    Jörg, R., Lenz, N., Wetz, S. and Widmer, M. (2019). Ein Modell zur Analyse der Versorgungsdichte (Obsan Bericht
    01/2019). Neuchâtel: Schweizerisches Gesundheitsobservatorium.
    """
    size = np.nan_to_num(np.asarray(capacity, dtype=np.float64))
    one_of = _inverse(_handed_out(weights, size))
    ratio = _ratio(size, size * (weights @ (one_of * people)))
    return one_of * _handed_out(_sharing(weights, np.square(weights.data)), size * ratio)


def _sharing(pairs: csr_array, data: Floats) -> csr_array:
    """Return other figures of the same pairs, whose indices are not copied."""
    return csr_array((data, pairs.indices, pairs.indptr), shape=pairs.shape, copy=False)


def _handed_out(pairs: csr_array, by_facility: Floats) -> Floats:
    """Return the sum over the facilities of each point; transposing copies nothing."""
    return np.asarray(pairs.T @ by_facility, dtype=np.float64)


def _ratio(capacity: Floats, demand: Floats) -> Floats:
    known = np.nan_to_num(np.asarray(capacity, dtype=np.float64))
    return np.divide(known, demand, out=np.zeros_like(demand), where=demand > 0)


def _inverse(sums: Floats) -> Floats:
    return np.divide(1.0, sums, out=np.zeros_like(sums), where=sums > 0)
