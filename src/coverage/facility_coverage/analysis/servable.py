"""Servable people: how many the facilities can serve within reach and within their capacity, and who is left over.

Covered is not served: a station of 20 beds within reach of 3,000 older people serves 20 of them. The largest number
that can be served is a maximum flow from people to facilities (Ford & Fulkerson 1956), which OR-tools finds by scaling
costs (Goldberg & Tarjan 1990): at half a million points in a seventh of the time of a linear program.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ortools.graph.python import min_cost_flow
from scipy.sparse import csr_array

from facility_coverage.analysis.alike import reached_alike
from facility_coverage.layers.model import Floats, Ints

#: Parts of all need that the flow counts in: as many as leave room, in 63 bits, for costs of four hours.
PARTS = 2**42
#: Trips are compared to the hundredth of a second.
_COSTS_PER_S = 100.0


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


def servable(within: csr_array, need: Floats, capacity: Floats) -> Servable:
    """Serve as much need as can be served, and among all ways to do so the one with the least travel in all.

    Parameters
    ----------
    within
        Seconds between each facility and each point within its cutoff, sparse, shape (facilities, points).
    need
        Of each point, in units of the capacity, shape (points,).
    capacity
        Of each facility, NaN for no data, shape (facilities,).

    Returns
    -------
    Points that the same facilities reach are served alike: each has the same share of its need served.

    Notes
    -----
    The flow is found in whole numbers: units of the capacity are cut into `PARTS` parts of all that is needed, and what
    is left of a part is dropped. So never more is served than needed or held, and what is served falls short of the
    largest flow by less than one part for each set of facilities and each facility.
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
        flow = _flow(pairs[:, 0], pairs[:, 1], mean_s, together, size)
        share = np.bincount(pairs[:, 1], flow, minlength=len(together)) / together
        inside = group >= 0
        served[inside] = np.minimum(share[group[inside]], 1.0) * need[inside]
        used = np.minimum(np.bincount(pairs[:, 0], flow, minlength=len(size)), size)
    return Servable(covered, np.asarray(need, dtype=np.float64), served, used, size)


def _flow(facility: Ints, group: Ints, seconds: Floats, need: Floats, capacity: Floats) -> Floats:
    """Return how much of each group's need goes to each facility: as much as can be, by the shortest trips."""
    groups, source, sink = len(need), len(need) + len(capacity), len(need) + len(capacity) + 1
    # A power of two: nothing is rounded but what is smaller than a part.
    parts = 2.0 ** math.floor(math.log2(PARTS / need.sum()))
    most = np.minimum(need[group], capacity[facility])
    flow = min_cost_flow.SimpleMinCostFlow()
    flow.add_arcs_with_capacity_and_unit_cost(
        np.concatenate([np.full(groups, source), group, groups + np.arange(len(capacity))]),
        np.concatenate([np.arange(groups), groups + facility, np.full(len(capacity), sink)]),
        np.floor(np.concatenate([need, most, np.minimum(capacity, need.sum())]) * parts).astype(np.int64),
        np.concatenate([np.zeros(groups), np.rint(seconds * _COSTS_PER_S), np.zeros(len(capacity))]).astype(np.int64),
    )
    flow.set_nodes_supplies(np.array([source, sink]), np.array([PARTS, -PARTS]))
    if flow.solve_max_flow_with_min_cost() != flow.OPTIMAL:
        raise RuntimeError("no flow was found")
    through = np.asarray(flow.flows(np.arange(groups, groups + len(facility))), dtype=np.float64)
    return np.divide(through, parts)
