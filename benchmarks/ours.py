"""facility-coverage, as it is asked in the benchmark."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import graphs
import numba
import numpy as np
from measuring import Query, Task

from facility_coverage.layers.model import Ints
from facility_coverage.network.catchment import catchments, stand
from facility_coverage.network.links import link
from facility_coverage.network.snapping import EdgeIndex, Locations, Places, locate, time_places
from facility_coverage.network.travel import nearest_facilities, nearest_facility

_SPEED_MS = graphs.PROFILE.access_speed_ms
_MAX_ACCESS_M = 500.0


@numba.njit(parallel=True)
def _in_parallel(count):  # type: ignore[no-untyped-def]  # numba infers the types
    total = 0
    for i in numba.prange(count):
        total += i
    return total


def _side_by_side() -> bool:
    """Tell whether compiled loops that use threads may run in several threads at once: numba's own layer cannot."""
    _in_parallel(2)
    return numba.threading_layer() != "workqueue"


@numba.njit(cache=True)
def _pass_over_edges(indptr, arcs):  # type: ignore[no-untyped-def]  # numba infers the types
    total = 0.0
    for u in range(len(indptr) - 1):
        for k in range(indptr[u], indptr[u + 1]):
            total += arcs[k].cost_s
    return total


class FacilityCoverage:
    """Our own searches; `build` cuts the roads' arrays at junctions and puts the search's links together."""

    label, package, threads = "facility-coverage", "facility_coverage", (1, 2)
    threaded = frozenset({"nearest", "nearest_k", "catchments", "whole"})

    def __init__(self, folder: Path, threads: int) -> None:
        self._threads = threads
        self._side_by_side = threads == 1 or _side_by_side()
        # Compiled code is loaded, and compiled where this machine has none yet, on a network of a few streets.
        self._roads = graphs.lattice(8)
        self._given = graphs.plain(self._roads)
        self.build()
        few = (np.arange(3),) * 2
        for work in ("nearest", "nearest_k", "catchments", "whole", "one_pass"):
            task = getattr(self, work)(Query(work, few, limit_s=60.0, k=2, points=10))
            task.answer(task.run())
        self._roads = graphs.load_roads(folder)
        self._given = graphs.Plain.load(folder)

    def build(self) -> None:
        """Build graph and links."""
        self._graph = graphs.own_graph(self._roads)
        del self._roads
        self._links = link(self._graph)

    def _at(self, nodes: Ints) -> Places:
        """Return places at the given nodes, on an edge and without an access leg."""
        given, none = self._given, np.zeros(len(nodes))
        found = Locations(given.edge[nodes], given.vertex[nodes], given.fraction[nodes], none, none > 0.0)
        return time_places(found, self._graph, access_speed_ms=_SPEED_MS)

    def _everybody(self) -> Places:
        return self._at(np.arange(len(self._given.xy)))

    def nearest(self, query: Query) -> Task:
        """Seconds from every node to the nearest facility of each layer; layers are shared among threads."""
        layers, everybody = [self._at(layer) for layer in query.sources], self._everybody()

        def one(facilities: Places) -> np.ndarray:
            return nearest_facility(self._graph, self._links, everybody, facilities).seconds

        def run() -> list[np.ndarray]:
            if self._threads == 1 or not self._side_by_side:
                return [one(facilities) for facilities in layers]
            with ThreadPoolExecutor(max_workers=self._threads) as pool:
                return list(pool.map(one, layers))

        return Task(run)

    def nearest_k(self, query: Query) -> Task:
        """Seconds from every node to its k nearest facilities, and which they are."""
        facilities, everybody = self._at(query.sources[0]), self._everybody()
        return Task(
            lambda: nearest_facilities(self._graph, self._links, everybody, facilities, k=query.k),
            lambda result: result.seconds,
        )

    def catchments(self, query: Query) -> Task:
        """Facility × node matrix of seconds within the cutoff."""
        facilities = self._at(query.sources[0])
        standing = stand(self._graph, self._everybody())

        def answer(found) -> np.ndarray:  # type: ignore[no-untyped-def]  # a sparse array, without stubs here
            pairs = found.tocoo()
            return np.column_stack([query.sources[0][pairs.row], pairs.col, pairs.data])

        return Task(
            lambda: catchments(
                self._graph, self._links, standing, facilities, limit_s=query.limit_s, threads=self._threads
            ),
            answer,
        )

    def whole(self, query: Query) -> Task:
        """Snap points to edges and find their nearest facility of each layer; packing the edges is part of it."""
        points = graphs.demand_points(self._given.xy, query.points)
        layers = [self._at(layer) for layer in query.sources]

        def run() -> list[np.ndarray]:
            found = locate(points, EdgeIndex.of(self._graph), max_access_m=_MAX_ACCESS_M)
            demand = time_places(found, self._graph, access_speed_ms=_SPEED_MS)
            return [nearest_facility(self._graph, self._links, demand, layer).seconds for layer in layers]

        return Task(run)

    def one_pass(self, _query: Query) -> Task:
        """Add up the seconds of all links, compiled: what any search at least has to read."""
        return Task(lambda: _pass_over_edges(self._links.indptr, self._links.arcs))
