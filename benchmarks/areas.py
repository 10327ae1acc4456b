"""Service areas of single facilities: ours, the exact shape, and the hulls of nodes that peers draw."""

from __future__ import annotations

import abc
from pathlib import Path

import graphs
import numpy as np
import shapely
from measuring import Query, Task
from peers import Scipy

from facility_coverage.analysis.service_areas import FACILITY_PEN, facility_service_areas
from facility_coverage.analysis.walls import no_walls
from facility_coverage.config.study import NetworkOptions
from facility_coverage.network.network import build_networks
from facility_coverage.network.snapping import Locations, time_places


class Areas:
    """facility_service_areas with its own pen, in open country."""

    label, package, threads = "facility-coverage", "facility_coverage", (1, 2)
    threaded = frozenset({"areas"})

    def __init__(self, folder: Path, threads: int) -> None:
        self._threads = threads
        self._roads = graphs.lattice(8)
        self._given = graphs.plain(self._roads)
        self.build()
        self.areas(Query("areas", (np.arange(3),), limit_s=60.0)).run()  # compiled
        self._roads, self._given = graphs.load_roads(folder), graphs.Plain.load(folder)

    def build(self) -> None:
        """Build the network."""
        options = NetworkOptions(min_component_nodes=graphs.MIN_COMPONENT_NODES)
        somebody = self._given.xy[:1]
        networks = build_networks(self._roads, {"adult": graphs.PROFILE}, somebody, options=options, file="roads")
        self._network = networks["adult"]

    def areas(self, query: Query) -> Task:
        """Search and drawing."""
        nodes, given = query.sources[0], self._given
        none = np.zeros(len(nodes))
        found = Locations(given.edge[nodes], given.vertex[nodes], given.fraction[nodes], none, none > 0.0)
        places = time_places(found, self._network.graph, access_speed_ms=graphs.PROFILE.access_speed_ms)
        return Task(
            lambda: facility_service_areas(
                self._network, places, no_walls(), limit_s=query.limit_s, threads=self._threads
            ),
            shapely.to_wkb,
        )


class _Drawn(Scipy, abc.ABC):
    """Shapes drawn of SciPy's times at nodes, one facility after the other."""

    package = "shapely"

    def areas(self, query: Query) -> Task:
        """Search and drawing."""
        from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415 - as in `peers`

        def run() -> np.ndarray:
            rows = (dijkstra(self._matrix, indices=source, limit=query.limit_s) for source in query.sources[0].tolist())
            return np.array([self._shape(row, query.limit_s) for row in rows], dtype=object)

        return Task(run, shapely.to_wkb)

    @abc.abstractmethod
    def _shape(self, seconds: np.ndarray, limit_s: float) -> shapely.Geometry:
        """Draw what is within the limit."""


class ExactUnion(_Drawn):
    """The exact shape: every reached street or part of one, buffered by shapely, and all of them united."""

    label = "exact union (shapely)"

    def _shape(self, seconds: np.ndarray, limit_s: float) -> shapely.Geometry:
        given = self._given
        left = limit_s - seconds  # minus infinity where nobody comes
        near = np.flatnonzero((left[given.tail] > 0.0) | (left[given.head] > 0.0))
        tail, head = given.tail[near], given.head[near]
        by_tail, by_head = (np.clip(left[end] / given.seconds[near], 0.0, 1.0)[:, None] for end in (tail, head))
        a, b = given.xy[tail], given.xy[head]
        pieces = [np.stack([a, a + by_tail * (b - a)], axis=1), np.stack([b, b + by_head * (a - b)], axis=1)]
        lines = shapely.linestrings(np.concatenate(pieces)[np.concatenate([by_tail, by_head])[:, 0] > 0.0])
        return shapely.union_all(shapely.buffer(lines, FACILITY_PEN.half_width_m, quad_segs=16))


class ConvexHull(_Drawn):
    """The convex hull of the reached nodes."""

    label = "convex hulls of nodes"

    def _shape(self, seconds: np.ndarray, limit_s: float) -> shapely.Geometry:
        return shapely.convex_hull(shapely.multipoints(self._given.xy[seconds <= limit_s]))


class ConcaveHull(_Drawn):
    """The concave hull of the reached nodes; of the longest edges of their triangles, seven in ten are cut."""

    label = "concave hulls of nodes"

    def _shape(self, seconds: np.ndarray, limit_s: float) -> shapely.Geometry:
        return shapely.concave_hull(shapely.multipoints(self._given.xy[seconds <= limit_s]), ratio=0.3)


def overlap(areas: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Return how much shapes (as WKB) have in common with the exact ones: intersection over union, 0–1."""
    drawn, true = shapely.from_wkb(areas), shapely.from_wkb(exact)
    common = shapely.area(shapely.intersection(drawn, true))
    shares: np.ndarray = common / (shapely.area(drawn) + shapely.area(true) - common)
    return shares


AREAS = (Areas, ExactUnion, ConvexHull, ConcaveHull)
