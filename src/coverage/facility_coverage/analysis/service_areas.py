"""Service areas: the polygon drawn around the ground that reaches a layer; for eyes only, no figure uses it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import contourpy
import geopandas as gpd
import numpy as np
import shapely
from numba import njit
from shapely.geometry.base import BaseGeometry

from facility_coverage.analysis.trips import Trips
from facility_coverage.layers.model import Floats, Ints, Layers
from facility_coverage.network.graph import Graph, ranges
from facility_coverage.network.network import Network
from facility_coverage.network.snapping import Places

#: Ground this near to a reached road is drawn as reached.
HALF_WIDTH_M = 90.0
#: Cells of the drawing grid: fine enough for a map, and bounded in number whatever the study's size.
CELL_M = 25.0
MAX_CELLS = 6_000_000


def service_areas(layers: Layers, trips: Sequence[Trips], networks: Mapping[str, Network]) -> gpd.GeoDataFrame:
    """Draw where each facility layer is within its cutoff.

    Reached parts of edges (partial edges included) are painted on a grid; the polygon is the line at
    `HALF_WIDTH_M` around them. Each area type is drawn with its own cutoff.

    Returns
    -------
    Columns `layer` and geometry (metric), one row per layer in the order of `trips`.
    """
    urban = shapely.union_all(layers.zones.geometry[layers.zones["area_type"] == "urban"].to_numpy())
    shapes = []
    for trip in trips:
        network = networks[trip.layer.profile]
        drawn = {
            minutes: _drawn(_reached(network, trip, 60.0 * minutes), layers.boundary)
            for minutes in set(trip.layer.cutoff_min.values())
        }
        in_towns, elsewhere = drawn[trip.layer.cutoff_min["urban"]], drawn[trip.layer.cutoff_min["rural"]]
        if in_towns is not elsewhere:
            elsewhere = shapely.union(shapely.intersection(in_towns, urban), shapely.difference(elsewhere, urban))
        shapes.append(shapely.intersection(elsewhere, layers.boundary))
    return gpd.GeoDataFrame({"layer": [trip.layer.id for trip in trips]}, geometry=shapes, crs=layers.crs)


def _reached(network: Network, trip: Trips, cutoff_s: float) -> Floats:
    """Return places along edges from which some facility is within `cutoff_s`, shape (places, 2)."""
    graph = network.graph
    edge, xy, forward_s, backward_s = _samples(graph)
    last = graph.last[edge]
    to_head = np.where(graph.forward_ok[edge], graph.forward_s[last] - forward_s, np.inf)
    to_tail = np.where(graph.backward_ok[edge], backward_s, np.inf)
    node_s = trip.nearest.node_s
    seconds = np.minimum(to_tail + node_s[graph.tail[edge]], to_head + node_s[graph.head[edge]])
    _shorten_on_own_edges(seconds, edge, forward_s, backward_s, graph, trip.places)
    return xy[seconds <= cutoff_s]


def _samples(graph: Graph) -> tuple[Ints, Floats, Floats, Floats]:
    """Return places every cell or less along each edge: edge, xy, and seconds from and to its tail."""
    step_m = np.diff(graph.vertex_m, append=graph.vertex_m[-1:])
    step_m[graph.last] = 0.0  # the last vertex stands for itself
    count = np.maximum(1, np.ceil(step_m / CELL_M).astype(np.int64))
    vertex = np.repeat(np.arange(len(step_m)), count)
    fraction = (np.arange(len(vertex)) - np.repeat(np.cumsum(count) - count, count)) / count[vertex]
    following = np.minimum(vertex + 1, len(step_m) - 1)

    def between(values: Floats) -> Floats:
        weight = fraction if values.ndim == 1 else fraction[:, None]
        mixed: Floats = values[vertex] + weight * (values[following] - values[vertex])
        return mixed

    edge = np.repeat(np.arange(len(graph.tail)), np.diff(graph.start))[vertex]
    return edge, between(graph.xy), between(graph.forward_s), between(graph.backward_s)


def _shorten_on_own_edges(
    seconds: Floats, edge: Ints, forward_s: Floats, backward_s: Floats, graph: Graph, places: Places
) -> None:
    """Lower `seconds` where a facility stands on the same edge; samples of an edge lie side by side."""
    row = np.flatnonzero(places.edge >= 0)
    home = places.edge[row]
    sample, start = ranges(np.searchsorted(edge, home), np.searchsorted(edge, home, side="right"))
    facility = np.repeat(row, np.diff(start))
    ahead = places.forward_s[facility] - forward_s[sample]
    behind = backward_s[sample] - places.backward_s[facility]
    on = edge[sample]
    along = np.where(
        ahead >= 0,
        np.where(graph.forward_ok[on], ahead, np.inf),
        np.where(graph.backward_ok[on], behind, np.inf),
    )
    np.minimum.at(seconds, sample, along + places.access_s[facility])


def _drawn(places: Floats, boundary: BaseGeometry) -> BaseGeometry:
    """Return the ground within `HALF_WIDTH_M` of `places`, drawn on a grid over the boundary."""
    west, south, east, north = boundary.buffer(4 * HALF_WIDTH_M).bounds
    cell = max(CELL_M, float(np.sqrt((east - west) * (north - south) / MAX_CELLS)))
    width, height = int((east - west) / cell) + 1, int((north - south) / cell) + 1
    half_width_m = max(HALF_WIDTH_M, 1.5 * cell)  # a road between two grid points of a wide grid is drawn too
    distance_m = _distances(places, (west, south), cell, (height, width), half_width_m)
    contours = contourpy.contour_generator(
        west + cell * np.arange(width),
        south + cell * np.arange(height),
        distance_m,
        fill_type=contourpy.FillType.OuterOffset,
    )
    filled: Any = contours.filled(-1.0, half_width_m)  # the type depends on fill_type
    polygons = [
        shapely.Polygon(xy[at[0] : at[1]], [xy[a:b] for a, b in itertools.pairwise(at[1:])])
        for xy, at in zip(*filled, strict=True)
    ]
    return shapely.union_all(shapely.make_valid(shapely.simplify(polygons, cell / 2, preserve_topology=False)))


@njit(cache=True)
def _distances(places, corner, cell, shape, half_width_m):  # type: ignore[no-untyped-def]  # numba infers the types
    """Return each grid point's distance to the nearest place, exact where it matters and twice too far elsewhere."""
    squared = np.full(shape, (2.0 * half_width_m / cell) ** 2, np.float32)
    reach = int(half_width_m / cell) + 2
    for i in range(len(places)):
        x, y = (places[i, 0] - corner[0]) / cell, (places[i, 1] - corner[1]) / cell
        for row in range(max(0, int(y) - reach), min(shape[0], int(y) + reach + 2)):
            for column in range(max(0, int(x) - reach), min(shape[1], int(x) + reach + 2)):
                gap = (column - x) * (column - x) + (row - y) * (row - y)
                squared[row, column] = min(squared[row, column], gap)
    return cell * np.sqrt(squared)
