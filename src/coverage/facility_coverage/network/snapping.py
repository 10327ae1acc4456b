"""Snapping: the nearest place on an edge that each point reaches, and the walk there and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from facility_coverage.layers.model import Floats, Ints
from facility_coverage.network import snap_kernels
from facility_coverage.network.graph import Bools, Graph

#: A place this near to an end of its edge is at that end: the last digit of a projection does not decide
#: whether somebody stands at a junction.
END_M = 1e-6

_Arrays = tuple[Floats, npt.NDArray[np.int32], Floats, Ints]


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
    blocked
        Points whose nearest place lay within reach, but behind a barrier: they stand at another place, or at none.
        Shape (points,).
    """

    edge: Ints
    vertex: Ints
    fraction: Floats
    access_m: Floats
    blocked: Bools


@dataclass(frozen=True)
class SegmentTree:
    """Straight segments packed for searching (`snap_kernels`).

    Attributes
    ----------
    segment
        West end and east end, metres: x, y, x, y, shape (segments, 4).
    owner
        What each segment is called, shape (segments,).
    box
        Boxes of all levels, the lowest first: west, south, east, north, shape (boxes, 4).
    level
        Level `l` owns boxes ``level[l]:level[l + 1]``, shape (levels + 1,).
    """

    segment: Floats
    owner: npt.NDArray[np.int32]
    box: Floats
    level: Ints

    @classmethod
    def of(cls, segment: Floats, owner: Ints) -> SegmentTree:
        """Pack segments (metres: x, y, x, y, shape (segments, 4)) called `owner` (shape (segments,))."""
        ends = segment.reshape(-1, 2)
        low, high = ends.min(axis=0, initial=np.inf), ends.max(axis=0, initial=-np.inf)
        extent = float((high - low).max()) if len(segment) else 0.0
        key = snap_kernels.hilbert_keys(segment, low, 65535.0 / extent if extent > 0.0 else 0.0)
        packed, packed_owner = snap_kernels.sorted_segments(segment, owner, np.argsort(key, kind="stable"))
        sizes = [-(-len(packed) // snap_kernels.FANOUT)]
        while sizes[-1] > 1:
            sizes.append(-(-sizes[-1] // snap_kernels.FANOUT))
        level = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return cls(packed, packed_owner, snap_kernels.packed_boxes(packed, level), level)

    @property
    def arrays(self) -> _Arrays:
        """What the compiled loops take."""
        return self.segment, self.owner, self.box, self.level


@dataclass(frozen=True)
class EdgeIndex:
    """The edges of a network, packed once so that many sets of points can be snapped to them.

    It holds geometry only: graphs that differ in their times share it.

    Attributes
    ----------
    xy
        Vertices of all edges one after the other, metres, shape (vertices, 2).
    edge
        Edge of each vertex, shape (vertices,).
    tree
        The segments, each called by its first vertex.
    """

    xy: Floats
    edge: npt.NDArray[np.int32]
    tree: SegmentTree

    @classmethod
    def of(cls, graph: Graph) -> EdgeIndex:
        """Pack the edges of a graph."""
        return cls.over(graph.xy, graph.start)

    @classmethod
    def over(cls, xy: Floats, start: Ints) -> EdgeIndex:
        """Pack polylines, given as the edges of a `Graph` are."""
        edge = np.repeat(np.arange(len(start) - 1, dtype=np.int32), np.diff(start))
        first = _first_vertices(start)
        return cls(xy, edge, SegmentTree.of(np.concatenate([xy[first], xy[first + 1]], axis=1), first))


def _first_vertices(start: Ints) -> Ints:
    """Return the first vertex of every segment of polylines that own the vertices ``start[p]:start[p + 1]``."""
    leads_on = np.ones(start[-1], dtype=np.bool_)
    leads_on[start[1:] - 1] = False
    return np.flatnonzero(leads_on)


@dataclass(frozen=True)
class Barriers:
    """Lines and polygons that no access leg may cross (docs/barriers.md).

    Attributes
    ----------
    tree
        Segments of the lines (owner -1), and of the polygons' outlines drawn a millimetre inside (owner: polygon).
    polygons
        The polygons without that millimetre, prepared, shape (polygons,).
    """

    tree: SegmentTree
    polygons: npt.NDArray[np.object_]

    @classmethod
    def of(cls, geometries: Iterable[BaseGeometry]) -> Barriers:
        """Make barriers from valid lines and polygons in the metric reference system; points bar nobody."""
        parts = shapely.get_parts(shapely.get_parts(np.array(list(geometries), dtype=object)))
        parts = parts[~shapely.is_empty(parts)]
        kind = shapely.get_type_id(parts)
        lines = parts[np.isin(kind, (shapely.GeometryType.LINESTRING, shapely.GeometryType.LINEARRING))]
        whole = parts[kind == shapely.GeometryType.POLYGON]
        # Mitred corners keep every side parallel to itself; a polygon thinner than two millimetres bars nobody.
        polygons = shapely.get_parts(shapely.buffer(whole, -snap_kernels.TOUCH_M, join_style="mitre"))
        polygons = polygons[~shapely.is_empty(polygons)]
        shapely.prepare(polygons)
        rings, polygon = shapely.get_rings(polygons, return_index=True)
        xy, part = shapely.get_coordinates(np.concatenate([lines, rings]), return_index=True)
        start = np.concatenate([[0], np.cumsum(np.bincount(part, minlength=len(lines) + len(rings)))])
        first = _first_vertices(start)
        owner = np.concatenate([np.full(len(lines), snap_kernels.NOBODY), polygon]).astype(np.int64)
        segment = np.concatenate([xy[first], xy[first + 1]], axis=1)
        return cls(SegmentTree.of(segment, owner[part[first]]), polygons)

    def __len__(self) -> int:
        """Return the number of segments."""
        return len(self.tree.segment)

    def holding(self, points: Floats) -> tuple[Ints, Ints]:
        """Return the polygons that hold each point (shape (points, 2)), as compressed rows: numbers, starts."""
        point, polygon = shapely.STRtree(self.polygons).query(shapely.points(points))
        inside = shapely.intersects_xy(self.polygons[polygon], *points[point].T)
        point, polygon = point[inside], polygon[inside]
        start = np.concatenate([[0], np.cumsum(np.bincount(point, minlength=len(points)))])
        return polygon[np.argsort(point, kind="stable")].astype(np.int64), start.astype(np.int64)

    def block(self, points: Floats, places: Floats) -> Bools:
        """Tell which legs from `points` to `places` (both shape (legs, 2), metres) cross a barrier."""
        nobody, none = np.empty(0, dtype=np.int64), np.zeros(len(points) + 1, dtype=np.int64)
        blocked: Bools = snap_kernels.legs_cross(points, places, self.tree.arrays, nobody, none)
        # Few legs meet anything: only for them is it worth asking which polygons hold their point.
        met = np.flatnonzero(blocked)
        blocked[met] = snap_kernels.legs_cross(points[met], places[met], self.tree.arrays, *self.holding(points[met]))
        return blocked


def snap(
    points: Floats,
    graph: Graph,
    *,
    max_access_m: float,
    access_speed_ms: float,
    barriers: Barriers | None = None,
    index: EdgeIndex | None = None,
) -> Places:
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
    barriers
        What the access leg may not cross.
    index
        The edges of `graph`, where they are packed already.
    """
    locations = locate(points, index or EdgeIndex.of(graph), max_access_m=max_access_m, barriers=barriers)
    return time_places(locations, graph, access_speed_ms=access_speed_ms)


def locate(
    points: Floats, edges: EdgeIndex | Graph, *, max_access_m: float, barriers: Barriers | None = None
) -> Locations:
    """Find the nearest place on any edge that each point reaches.

    Parameters
    ----------
    points
        Metres, shape (points, 2).
    edges
        The edges, packed once for several calls; a graph is packed for this one.
    max_access_m
        Length of the longest access leg, inclusive.
    barriers
        What an access leg may not cross. A point whose nearest place lies behind one takes the next nearest straight
        piece of an edge, by the distance of the piece's nearest place, that it reaches without crossing.

    Notes
    -----
    A point equally near to several edges takes the one with the lowest number; where that happens at a shared node
    the choice changes no travel time. Results depend neither on the order of points nor on the number of threads.
    """
    index = edges if isinstance(edges, EdgeIndex) else EdgeIndex.of(edges)
    points = np.ascontiguousarray(points, dtype=np.float64)
    # The search measures in its own order of sums: look a little farther, then measure at the place itself.
    vertex, nearest_m = snap_kernels.nearest_owners(points, max_access_m + snap_kernels.TOUCH_M, index.tree.arrays)
    fraction, access_m, places = snap_kernels.places(points, vertex, index.xy)
    vertex[access_m > max_access_m] = snap_kernels.NOBODY
    blocked = np.zeros(len(points), dtype=np.bool_)
    if barriers is not None and len(barriers):
        near = np.flatnonzero(vertex >= 0)
        blocked[near] = barriers.block(points[near], places[near])
        again = np.flatnonzero(blocked)
        vertex[again] = snap_kernels.reachable_owners(
            points[again], nearest_m[again], float(max_access_m), index.tree.arrays, index.xy,
            barriers.tree.arrays, *barriers.holding(points[again]),
        )  # fmt: skip
        fraction[again], access_m[again], _ = snap_kernels.places(points[again], vertex[again], index.xy)
    found = vertex >= 0
    edge = np.full(len(points), snap_kernels.NOBODY, dtype=np.int64)
    edge[found] = index.edge[vertex[found]]
    return Locations(edge, vertex[found], fraction[found], access_m[found], blocked)


def time_places(locations: Locations, graph: Graph, *, access_speed_ms: float) -> Places:
    """Return the times between the locations and the ends of their edges, at the speeds of `graph`.

    A place at an end of its edge is at that node: on an edge of one direction, and where time jumps at the end
    (a penalty for turning, on a segment without length).
    """
    edge, vertex, fraction = locations.edge, locations.vertex, locations.fraction
    found = np.flatnonzero(edge >= 0)
    on = edge[found]
    first, last = graph.start[on], graph.last[on]

    def spread(values: Floats) -> Floats:
        full = np.full((len(edge), *values.shape[1:]), np.nan)
        full[found] = values
        return full

    def between(at_vertex: Floats) -> Floats:
        weight = fraction if at_vertex.ndim == 1 else fraction[:, None]
        mixed: Floats = (1.0 - weight) * at_vertex[vertex] + weight * at_vertex[vertex + 1]
        return mixed

    position_m = between(graph.vertex_m)
    at_tail, at_head = position_m <= END_M, position_m >= graph.vertex_m[last] - END_M

    def along(at_vertex: Floats) -> Floats:
        inside = np.where(at_head, at_vertex[last], between(at_vertex))
        return np.where(at_tail, at_vertex[first], inside)

    position_m, forward, backward = along(graph.vertex_m), along(graph.forward_s), along(graph.backward_s)
    go, come = graph.forward_ok[on], graph.backward_ok[on]
    return Places(
        edge=edge,
        xy=spread(between(graph.xy)),
        position_m=spread(position_m),
        from_tail_s=spread(np.where(go | at_tail, forward, np.inf)),
        to_head_s=spread(np.where(at_head, 0.0, np.where(go, graph.forward_s[last] - forward, np.inf))),
        to_tail_s=spread(np.where(come | at_tail, backward, np.inf)),
        from_head_s=spread(np.where(at_head, 0.0, np.where(come, graph.backward_s[last] - backward, np.inf))),
        forward_s=spread(forward),
        backward_s=spread(backward),
        access_m=spread(locations.access_m),
        access_s=spread(locations.access_m / access_speed_ms),
    )
