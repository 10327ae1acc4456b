"""Servable people: how many the facilities can serve within reach and within their capacity, and who is left over.

Covered is not served: a station of 20 beds within reach of 3,000 older people serves 20 of them. The largest number
that can be served is a maximum flow from people to facilities (Ford & Fulkerson 1956), found as a linear program.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array

from facility_coverage.analysis.alike import reached_alike
from facility_coverage.analysis.program import Program
from facility_coverage.layers.model import Floats, Ints


@dataclass(frozen=True)
class Servable:
    """What can be served, in units of the capacity (beds, slots).

    Attributes
    ----------
    covered
        Whether some facility is within reach of each point, shape (points,).
    need, served
        Of each point; served never exceeds need, shape (points,).
    used
        Of each facility; never above its capacity, shape (facilities,).
    capacity
        Of each facility, no data counted as none, shape (facilities,).
    """

    covered: npt.NDArray[np.bool_]
    need: Floats
    served: Floats
    used: Floats
    capacity: Floats

    @property
    def residual(self) -> Floats:
        """Need of covered points that no capacity is left for, shape (points,)."""
        return np.where(self.covered, self.need - self.served, 0.0)

    @property
    def spare(self) -> Floats:
        """Capacity that nobody within reach needs, shape (facilities,)."""
        return self.capacity - self.used


def servable(within: csr_array, need: Floats, capacity: Floats, *, time_limit_s: float = 120.0) -> Servable:
    """Serve as much need as can be served, and among all ways to do so the one with the least travel in all.

    Parameters
    ----------
    within
        Seconds between each facility and each point within its cutoff, sparse, shape (facilities, points).
    need
        Of each point, in units of the capacity, shape (points,).
    capacity
        Of each facility, NaN for no data, shape (facilities,).
    time_limit_s
        When to give up.

    Returns
    -------
    Points that the same facilities reach are served alike: each has the same share of its need served.

    Raises
    ------
    RuntimeError
        If no answer is found in time.
    """
    size = np.nan_to_num(np.asarray(capacity, dtype=np.float64), nan=0.0)
    trips = within.tocoo()
    useful = (need[trips.col] > 0) & (size[trips.row] > 0)
    row, column, seconds = trips.row[useful], trips.col[useful], trips.data[useful]
    covered = np.zeros(len(need), dtype=np.bool_)
    covered[trips.col] = True
    served, used = np.zeros(len(need)), np.zeros(len(size))
    if len(row):
        group = reached_alike(row, column, points=len(need))
        pairs, of = np.unique(np.column_stack([row, group[column]]), axis=0, return_inverse=True)
        together = np.bincount(group[group >= 0], need[group >= 0]).astype(np.float64)
        weight = need[column]
        mean_s = np.bincount(of.ravel(), weight * seconds) / np.bincount(of.ravel(), weight)
        flow = _flow(pairs[:, 0], pairs[:, 1], mean_s, together, size, time_limit_s)
        share = np.bincount(pairs[:, 1], flow, minlength=len(together)) / together
        inside = group >= 0
        served[inside] = np.minimum(share[group[inside]], 1.0) * need[inside]
        used = np.minimum(np.bincount(pairs[:, 0], flow, minlength=len(size)), size)
    return Servable(covered, np.asarray(need, dtype=np.float64), served, used, size)


def _flow(facility: Ints, group: Ints, seconds: Floats, need: Floats, capacity: Floats, time_limit_s: float) -> Floats:
    """Return how much of each group's need goes to each facility: as much as can be, by the shortest trips."""
    count = len(facility)
    use, one = np.arange(count), np.ones(count)
    needed = csr_array(coo_array((one, (group, use)), shape=(len(need), count)))
    held = csr_array(coo_array((one, (facility, use)), shape=(len(capacity), count)))
    most = np.minimum(need[group], capacity[facility])
    program = Program(maximize=True)
    program.columns(one, upper=most)
    program.constrain(needed, upper=need)
    program.constrain(held, upper=capacity)
    largest = program.solve(time_limit_s=time_limit_s)
    if not len(largest.values):
        raise RuntimeError("no flow was found in time")
    # Then the shortest trips among those that serve as many.
    shortest = Program(maximize=False)
    shortest.columns(seconds, upper=most)
    shortest.constrain(needed, upper=need)
    shortest.constrain(held, upper=capacity)
    shortest.constrain(csr_array(one[None, :]), lower=float(largest.values.sum()))
    answer = shortest.solve(time_limit_s=time_limit_s)
    if not len(answer.values):
        raise RuntimeError("no flow was found in time")
    return np.clip(answer.values, 0.0, most)
