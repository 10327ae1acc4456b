"""Paths: the same network with a path or a footbridge more, to see whom it would help."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from facility_coverage.layers.model import Floats, Ints
from facility_coverage.network.graph import Graph
from facility_coverage.network.links import link
from facility_coverage.network.network import Network
from facility_coverage.network.snapping import Places, locate, time_places
from facility_coverage.network.travel import Nearest, nearest_facility


def nearest_with_path(network: Network, facilities: Places, one: int, other: int, *, seconds: float) -> Nearest:
    """Find the nearest facility of everybody when a path joins two nodes.

    Nobody steps onto the path between its ends, so that everybody else stands where they stood.

    Parameters
    ----------
    network
        Without the path.
    facilities
        Snapped to it.
    one, other
        The nodes at its ends.
    seconds
        That the path takes, either way.
    """
    graph = network.graph
    places, extra = graph.node_xy[[one, other]], np.array([0.0, seconds])
    length_m = np.array([0.0, float(np.hypot(*(places[1] - places[0])))])
    longer = Graph(
        xy=np.concatenate([graph.xy, places]), start=np.append(graph.start, graph.start[-1] + 2),
        vertex_m=np.append(graph.vertex_m, length_m), forward_s=np.append(graph.forward_s, extra),
        backward_s=np.append(graph.backward_s, extra), tail=np.append(graph.tail, one),
        head=np.append(graph.head, other), forward_ok=np.append(graph.forward_ok, True),
        backward_ok=np.append(graph.backward_ok, True), node_count=graph.node_count,
    )  # fmt: skip
    links = link(longer, direction=network.profile.direction)
    return nearest_facility(longer, links, network.demand, facilities)


def foot_of(network: Network, point: Floats, *, longest_m: float) -> tuple[Places, float] | None:
    """Return the nearest place on the network of a point (metres, shape (2,)), whatever bars the way, and its distance.

    None where it is farther than `longest_m`.
    """
    found = locate(point[None, :], network.index, max_access_m=longest_m)
    if found.edge[0] < 0:
        return None
    # Whoever comes there stands at the place itself.
    at = replace(found, access_m=np.zeros(1))
    places = time_places(at, network.graph, access_speed_ms=network.profile.access_speed_ms)
    return places, float(found.access_m[0])


def nearest_with_access(network: Network, facilities: Places, rows: Ints, foot: Places, access_s: Floats) -> Nearest:
    """Find the nearest facility of everybody when the points `rows` come onto the network at one place.

    Parameters
    ----------
    network, facilities
        Without the path, and snapped to it.
    rows
        Demand points, shape (n,).
    foot
        The one place where they come onto the network.
    access_s
        Seconds that each of them needs to get there, shape (n,).
    """
    demand = network.demand
    columns = {name: getattr(demand, name).copy() for name in demand.__dataclass_fields__}
    for name, values in columns.items():
        values[rows] = getattr(foot, name)[0]
    columns["access_s"][rows] = access_s
    return nearest_facility(network.graph, network.links, Places(**columns), facilities)
