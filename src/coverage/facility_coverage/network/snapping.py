"""Snapping: the nearest place on an edge for each point, and the walk there and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from facility_coverage.layers.model import Floats, Ints
from facility_coverage.network import kernels
from facility_coverage.network.graph import Graph


@dataclass(frozen=True)
class Places:
    """Where points stand on the network.

    Attributes
    ----------
    edge
        Edge of each point, -1 where no edge is within reach (unattached), shape (points,).
    xy
        The place on the edge, metres, NaN where unattached, shape (points, 2).
    position_m
        Distance of the place from the edge's tail, metres.
    from_tail_s, to_tail_s, from_head_s, to_head_s
        Seconds along the edge between its ends and the place, inf where the edge does not lead that way.
    forward_s, backward_s
        Seconds tail → place and place → tail by slope alone, whether or not the direction is allowed.
    access_m, access_s
        The straight access leg between point and place: metres and seconds.
    """

    edge: Ints
    xy: Floats
    position_m: Floats
    from_tail_s: Floats
    to_tail_s: Floats
    from_head_s: Floats
    to_head_s: Floats
    forward_s: Floats
    backward_s: Floats
    access_m: Floats
    access_s: Floats

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.edge)


@dataclass(frozen=True)
class Locations:
    """Where points stand on the geometry of a network, whatever the speed.

    Attributes
    ----------
    edge
        Edge of each point, -1 where none is within reach, shape (points,).
    vertex, fraction
        The place lies at this fraction of the way from this vertex to the next; attached points only.
    access_m
        Length of the access leg; attached points only.
    """

    edge: Ints
    vertex: Ints
    fraction: Floats
    access_m: Floats


def snap(points: Floats, graph: Graph, *, max_access_m: float, access_speed_ms: float) -> Places:
    """Find the nearest place on any edge for each point, and the times there.

    Parameters
    ----------
    points
        Metres, shape (points, 2).
    graph
        The network.
    max_access_m
        Points farther than this from every edge stay unattached; a point exactly as far is attached.
    access_speed_ms
        Speed of the access leg in metres per second.
    """
    return time_places(locate(points, graph, max_access_m=max_access_m), graph, access_speed_ms=access_speed_ms)


def locate(points: Floats, graph: Graph, *, max_access_m: float) -> Locations:
    """Find the nearest place on any edge for each point (metres, shape (points, 2)).

    Notes
    -----
    A point equally near to several edges takes the first of them; where that happens at a shared node
    the choice changes no travel time.
    """
    points = np.ascontiguousarray(points, dtype=np.float64)
    edge = _nearest_edges(points, graph, max_access_m)
    found = edge >= 0
    return Locations(edge, *kernels.place_on_edges(points[found], edge[found], graph.xy, graph.start))


def time_places(locations: Locations, graph: Graph, *, access_speed_ms: float) -> Places:
    """Return the times between the locations and the ends of their edges, at the speeds of `graph`."""
    edge, vertex, fraction = locations.edge, locations.vertex, locations.fraction
    found = np.flatnonzero(edge >= 0)

    def spread(values: Floats) -> Floats:
        full = np.full((len(edge), *values.shape[1:]), np.nan)
        full[found] = values
        return full

    def between(at_vertex: Floats) -> Floats:
        weight = fraction if at_vertex.ndim == 1 else fraction[:, None]
        mixed: Floats = (1.0 - weight) * at_vertex[vertex] + weight * at_vertex[vertex + 1]
        return mixed

    on, last = edge[found], graph.last[edge[found]]
    position_m, forward, backward = (
        between(graph.vertex_m),
        between(graph.forward_s),
        between(graph.backward_s),
    )
    go, come = graph.forward_ok[on], graph.backward_ok[on]
    # A place at an end of its edge is at that node, also where the edge itself does not lead there.
    at_tail, at_head = position_m == 0.0, position_m == graph.vertex_m[last]
    return Places(
        edge=edge,
        xy=spread(between(graph.xy)),
        position_m=spread(position_m),
        from_tail_s=spread(np.where(go | at_tail, forward, np.inf)),
        to_head_s=spread(np.where(go | at_head, graph.forward_s[last] - forward, np.inf)),
        to_tail_s=spread(np.where(come | at_tail, backward, np.inf)),
        from_head_s=spread(np.where(come | at_head, graph.backward_s[last] - backward, np.inf)),
        forward_s=spread(forward),
        backward_s=spread(backward),
        access_m=spread(locations.access_m),
        access_s=spread(locations.access_m / access_speed_ms),
    )


def _nearest_edges(points: Floats, graph: Graph, max_access_m: float) -> Ints:
    """Return the nearest edge of each point, -1 beyond `max_access_m`; the lowest number wins a tie."""
    lines = shapely.linestrings(graph.xy, indices=np.repeat(np.arange(len(graph.tail)), np.diff(graph.start)))
    # GEOS compares distances that it rounds in its own way: ask a little farther, then measure ourselves.
    point, edge = shapely.STRtree(lines).query_nearest(
        shapely.points(points), max_distance=max_access_m + 0.001, all_matches=True
    )
    nearest = np.full(len(points), len(graph.tail), dtype=np.int64)
    np.minimum.at(nearest, point, edge)
    found = np.flatnonzero(nearest < len(graph.tail))
    _, _, distance = kernels.place_on_edges(points[found], nearest[found], graph.xy, graph.start)
    nearest[found[distance > max_access_m]] = len(graph.tail)
    return np.where(nearest < len(graph.tail), nearest, -1)
