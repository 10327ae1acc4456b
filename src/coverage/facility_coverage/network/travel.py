"""Travel times: the nearest facility of each demand point, and the k nearest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facility_coverage.config.profile import Direction
from facility_coverage.layers.model import Floats, Ints
from facility_coverage.network import kernels, search
from facility_coverage.network.graph import Graph
from facility_coverage.network.links import TIME_TOLERANCE_S, Links, columns, seeds
from facility_coverage.network.order import group
from facility_coverage.network.snapping import Places


@dataclass(frozen=True)
class Nearest:
    """The nearest facility of each demand point.

    Attributes
    ----------
    seconds
        Travel time incl. both access legs, NaN where no facility can be reached, shape (points,).
    facility
        Row of that facility, -1 where none; the lower row wins a tie, shape (points,).
    node_s
        Seconds between each node and its nearest facility (with that facility's access leg), inf where none,
        shape (nodes,).
    """

    seconds: Floats
    facility: Ints
    node_s: Floats


@dataclass(frozen=True)
class NearestK:
    """The k nearest facilities of each demand point, nearest first.

    Attributes
    ----------
    seconds
        Travel times incl. both access legs, NaN where fewer than k can be reached, shape (points, k).
    facility
        Rows of those facilities, -1 where there is none, shape (points, k).
    """

    seconds: Floats
    facility: Ints


def nearest_facility(
    graph: Graph, links: Links, demand: Places, facilities: Places, *, limit_s: float = np.inf
) -> Nearest:
    """Find the nearest facility of each demand point by one search from all facilities at once.

    Parameters
    ----------
    graph, links
        The network, and its links for the direction of travel.
    demand, facilities
        Snapped points; rows of `facilities` are what `Nearest.facility` returns.
    limit_s
        Trips longer than this count as unreachable.
    """
    node, seed_s, label = seeds(graph, facilities, links.direction)
    states = search.empty_states(graph.node_count)
    limit_s += TIME_TOLERANCE_S
    search.search_nearest(
        links.indptr, links.arcs, limit_s, 1.0 / links.bucket_s, node, seed_s, label, states,
        *links.queue(seed_s, limit_s),
    )  # fmt: skip
    seconds, facility = kernels.times_at_points(
        columns(demand, links.direction, leaving=True), demand.edge, graph.tail, graph.head,
        graph.forward_ok, graph.backward_ok, states, *_on_edges(graph, facilities, links.direction),
        limit_s, links.direction == "to_facility",
    )  # fmt: skip
    return Nearest(seconds, facility, states["s"])


def nearest_facilities(
    graph: Graph, links: Links, demand: Places, facilities: Places, *, k: int, limit_s: float = np.inf
) -> NearestK:
    """Find the `k` nearest facilities of each demand point, in one search whose nodes keep k times each.

    Memory: 16 bytes for each node or point and each of the k. Ties go to the lower row.

    Parameters
    ----------
    graph, links
        The network, and its links for the direction of travel.
    demand, facilities
        Snapped points; rows of `facilities` are what `NearestK.facility` returns.
    k
        How many, at least 1.
    limit_s
        Trips longer than this count as unreachable.

    Raises
    ------
    ValueError
        If `k` is less than 1.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, found {k}")
    node, seed_s, label = seeds(graph, facilities, links.direction)
    states = search.empty_states(graph.node_count, k)
    limit_s += TIME_TOLERANCE_S
    search.search_nearest_k(
        links.indptr, links.arcs, limit_s, 1.0 / links.bucket_s, node, seed_s, label, states,
        *links.queue(seed_s, limit_s, search.LABELLED_ENTRY),
    )  # fmt: skip
    found = kernels.nearest_at_points(
        columns(demand, links.direction, leaving=True), demand.edge, graph.tail, graph.head,
        graph.forward_ok, graph.backward_ok, states, *_on_edges(graph, facilities, links.direction),
        limit_s, links.direction == "to_facility",
    )  # fmt: skip
    return NearestK(found["s"].copy(), found["label"].copy())


def _on_edges(graph: Graph, facilities: Places, direction: Direction) -> tuple[Floats, Ints, npt.NDArray[np.int32]]:
    """Return the attached facilities edge by edge: their columns, their rows, and where each edge begins."""
    row = np.flatnonzero(facilities.edge >= 0)
    order, at_edge = group(facilities.edge[row], len(graph.tail))
    row = row[order]
    here = np.column_stack(columns(facilities, direction, leaving=False))
    return here[row], row, at_edge.astype(np.int32)
