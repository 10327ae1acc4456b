"""The peers, each asked as its users would; what is said of a method is what its clock covers.

Every peer gets the nodes in the given order and the streets with their seconds; sources are nodes. A peer has a method
for each work that it can do, and `threaded` names those that it shares among threads.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from graphs import PROFILE, Plain, demand_points
from measuring import Query, Task

#: Dense rows that SciPy may hold at one time, bytes: where they are the answer, and where they are only passed through.
_ROWS_BYTES, _PASSING_BYTES = 2_400_000_000, 120_000_000
#: What pandana takes for no limit, seconds: it writes the limit where it finds nothing.
_NO_LIMIT_S = 1e6
_SPEED_MS = PROFILE.level_speed_ms


class _Peer:
    threads: ClassVar[tuple[int, ...]] = (1,)
    threaded: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, folder: Path, threads: int) -> None:
        del threads  # set in the environment of the process
        self._given = Plain.load(folder)
        self._count = len(self._given.xy)


def _pairs(source: np.ndarray, node: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    return np.column_stack([source, node, seconds])


class Scipy(_Peer):
    """scipy.sparse.csgraph.dijkstra on a CSR matrix."""

    label, package = "scipy", "scipy"

    def build(self) -> None:
        """Make the matrix."""
        from scipy.sparse import csr_array  # noqa: PLC0415 - of each peer, only in its own process

        tail, head, seconds = self._given.tail, self._given.head, self._given.seconds
        ends = (np.concatenate([tail, head]), np.concatenate([head, tail]))
        self._matrix = csr_array((np.concatenate([seconds, seconds]), ends), shape=(self._count, self._count))

    def nearest(self, query: Query) -> Task:
        """One search from all facilities of a layer at once."""
        from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415

        return Task(lambda: [dijkstra(self._matrix, indices=layer, min_only=True) for layer in query.sources])

    def catchments(self, query: Query) -> Task:
        """Dense rows up to the limit, some gigabytes at a time; picking the finite entries is left out of the clock."""
        from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415

        sources = query.sources[0]
        chunks = np.array_split(sources, -(-len(sources) * self._count * 8 // _ROWS_BYTES))

        def run() -> np.ndarray:
            for chunk in chunks:
                rows = None  # a user would have taken what he needs; two chunks at once would double the memory
                rows = dijkstra(self._matrix, indices=chunk, limit=query.limit_s)
            return rows

        def answer(rows: np.ndarray) -> np.ndarray:
            at, node = np.nonzero(np.isfinite(rows))
            return _pairs(chunks[-1][at], node, rows[at, node])

        return Task(run, answer)

    def catchments_sparse(self, query: Query) -> Task:
        """Search a few rows at a time, and pick the entries within the limit: the matrix that other tools return."""
        from scipy.sparse import csr_array, vstack  # noqa: PLC0415
        from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415

        sources = query.sources[0]
        chunks = np.array_split(sources, -(-len(sources) * self._count * 8 // _PASSING_BYTES))

        def picked(chunk: np.ndarray) -> csr_array:
            rows = dijkstra(self._matrix, indices=chunk, limit=query.limit_s).ravel()
            at = np.flatnonzero(rows <= query.limit_s)
            start = np.searchsorted(at, np.arange(len(chunk) + 1) * self._count)
            return csr_array((rows[at], at % self._count, start), shape=(len(chunk), self._count))

        def answer(found: csr_array) -> np.ndarray:
            pairs = found.tocoo()
            return _pairs(sources[pairs.row], pairs.col, pairs.data)

        return Task(lambda: vstack([picked(chunk) for chunk in chunks], format="csr"), answer)

    def whole(self, query: Query) -> Task:
        """Snap points to nodes with a k-d tree, and take the times there: no place on an edge, no access leg."""
        from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415
        from scipy.spatial import cKDTree  # noqa: PLC0415

        points = demand_points(self._given.xy, query.points)

        def run() -> list[np.ndarray]:
            _, node = cKDTree(self._given.xy).query(points)
            return [dijkstra(self._matrix, indices=layer, min_only=True)[node] for layer in query.sources]

        return Task(run)


class Networkx(_Peer):
    """networkx, as OSMnx users do: a DiGraph (``osmnx.convert.to_digraph``) with an attribute `travel_time`.

    On OSMnx's own MultiDiGraph the same calls take longer.
    """

    label, package = "networkx", "networkx"

    def build(self) -> None:
        """Make the graph."""
        import networkx as nx  # noqa: PLC0415

        self._graph = nx.DiGraph()
        self._graph.add_nodes_from(range(self._count))
        tail, head, seconds = (a.tolist() for a in (self._given.tail, self._given.head, self._given.seconds))
        self._graph.add_weighted_edges_from(zip(tail, head, seconds, strict=True), weight="travel_time")
        self._graph.add_weighted_edges_from(zip(head, tail, seconds, strict=True), weight="travel_time")

    def nearest(self, query: Query) -> Task:
        """multi_source_dijkstra_path_length."""
        import networkx as nx  # noqa: PLC0415

        layers = [set(layer.tolist()) for layer in query.sources]

        def answer(result: list[dict[int, float]]) -> np.ndarray:
            return np.array([[found.get(node, np.inf) for node in range(self._count)] for found in result])

        return Task(
            lambda: [
                nx.multi_source_dijkstra_path_length(self._graph, layer, weight="travel_time") for layer in layers
            ],
            answer,
        )

    def catchments(self, query: Query) -> Task:
        """single_source_dijkstra_path_length with a cutoff, facility by facility."""
        import networkx as nx  # noqa: PLC0415

        sources = query.sources[0].tolist()

        def run() -> list[dict[int, float]]:
            return [
                nx.single_source_dijkstra_path_length(self._graph, source, cutoff=query.limit_s, weight="travel_time")
                for source in sources
            ]

        def answer(result: list[dict[int, float]]) -> np.ndarray:
            return _rows(sources, result)

        return Task(run, answer)


def _rows(sources: list[int], found: list[dict[Any, float]]) -> np.ndarray:
    """Return (source, node, seconds) of one dictionary for each source."""
    source = np.repeat(sources, [len(row) for row in found])
    node = np.array([int(node) for row in found for node in row])
    return _pairs(source, node, np.array([seconds for row in found for seconds in row.values()]))


class Igraph(_Peer):
    """igraph's Graph.distances, which knows neither several sources at once nor a limit."""

    label, package = "igraph", "igraph"

    def build(self) -> None:
        """Make the graph."""
        import igraph  # noqa: PLC0415

        tail, head, seconds = self._given.tail, self._given.head, self._given.seconds
        streets = np.concatenate([np.column_stack([tail, head]), np.column_stack([head, tail])])
        self._graph = igraph.Graph(n=self._count, edges=streets, directed=True)
        self._graph.es["travel_time"] = np.concatenate([seconds, seconds]).tolist()

    def nearest(self, query: Query) -> Task:
        """One search from a vertex for each layer, linked to its facilities at no cost (outside the clock)."""
        first = self._graph.vcount()
        self._graph.add_vertices(len(query.sources))
        for i, layer in enumerate(query.sources):
            links = [(first + i, node) for node in layer.tolist()]
            self._graph.add_edges(links, attributes={"travel_time": [0.0] * len(links)})
        virtual = list(range(first, first + len(query.sources)))
        return Task(
            lambda: self._graph.distances(virtual, weights="travel_time"),
            lambda result: np.array(result)[:, : self._count],
        )

    def catchments(self, query: Query) -> Task:
        """Seconds to all nodes, one facility at a time: igraph has no limit, so the whole network is searched."""
        sources = query.sources[0].tolist()
        nodes = np.arange(self._count)

        def run() -> list[np.ndarray]:
            rows = []
            for source in sources:
                (row,) = self._graph.distances([source], weights="travel_time")
                seconds = np.array(row[: self._count])
                within = seconds <= query.limit_s
                rows.append(_pairs(np.full(within.sum(), source), nodes[within], seconds[within]))
            return rows

        return Task(run, np.concatenate)


class Pandana(_Peer):
    """pandana.Network, contraction hierarchies; it keeps seconds as whole milliseconds."""

    label, package, threads = "pandana", "pandana", (1, 2)
    threaded = frozenset({"nearest", "nearest_k", "catchments", "whole"})

    def build(self) -> None:
        """Make the network, which puts its hierarchy together."""
        import pandana  # noqa: PLC0415
        import pandas as pd  # noqa: PLC0415

        given = self._given
        self._network = pandana.Network(
            pd.Series(given.xy[:, 0]), pd.Series(given.xy[:, 1]), pd.Series(given.tail), pd.Series(given.head),
            pd.DataFrame({"seconds": given.seconds}), twoway=True,
        )  # fmt: skip

    def _set(self, name: str, layer: np.ndarray, items: int) -> None:
        import pandas as pd  # noqa: PLC0415

        xy = self._given.xy[layer]
        self._network.set_pois(name, _NO_LIMIT_S, items, pd.Series(xy[:, 0]), pd.Series(xy[:, 1]))

    def _nearest(self, layers: tuple[np.ndarray, ...], k: int) -> list[Any]:
        found = []
        for i, layer in enumerate(layers):
            self._set(f"layer {i}", layer, k)
            found.append(self._network.nearest_pois(_NO_LIMIT_S, f"layer {i}", num_pois=k))
        return found

    def nearest(self, query: Query) -> Task:
        """set_pois (it begins the search from the facilities) and nearest_pois for each layer."""
        return Task(
            lambda: self._nearest(query.sources, 1),
            lambda result: np.array([_open(frame[1].to_numpy()) for frame in result]),
        )

    def nearest_k(self, query: Query) -> Task:
        """set_pois and nearest_pois with num_pois=k."""
        return Task(lambda: self._nearest(query.sources[:1], query.k), lambda result: _open(result[0].to_numpy()))

    def catchments(self, query: Query) -> Task:
        """nodes_in_range."""
        sources = query.sources[0]
        return Task(
            lambda: self._network.nodes_in_range(sources, query.limit_s),
            lambda frame: frame[["source", "destination", "seconds"]].to_numpy(),
        )

    def whole(self, query: Query) -> Task:
        """get_node_ids, set_pois and nearest_pois: no place on an edge, no access leg."""
        import pandas as pd  # noqa: PLC0415

        points = demand_points(self._given.xy, query.points)
        x, y = pd.Series(points[:, 0]), pd.Series(points[:, 1])

        def run() -> list[np.ndarray]:
            node = self._network.get_node_ids(x, y).to_numpy()
            return [frame[1].to_numpy()[node] for frame in self._nearest(query.sources, 1)]

        return Task(run)


def _open(seconds: np.ndarray) -> np.ndarray:
    return np.where(seconds >= _NO_LIMIT_S, np.inf, seconds)


class Cityseer(_Peer):
    """cityseer's compiled core, NetworkStructure and DataMap, which knows lengths and one speed.

    `accessibility` searches from every node (the people) for the facilities around it, up to a limit: it cannot be
    asked without one.
    """

    label, package, threads = "cityseer", "cityseer", (1, 2)
    threaded = frozenset({"nearest"})
    #: On a network of more nodes it searches from a few only: from every node of a million it would take hours.
    large = 20_000

    def build(self) -> None:
        """Make the structure, with the index of streets by which data are assigned to it."""
        from cityseer.rustalgos import graph  # noqa: PLC0415

        given, texts = self._given, self._texts()
        self._network = graph.NetworkStructure()
        for node, (x, y) in enumerate(given.xy.tolist()):
            self._network.add_street_node(node, x, y, True, 1.0)
        for street, (u, v) in enumerate(zip(given.tail.tolist(), given.head.tolist(), strict=True)):
            for a, b in ((u, v), (v, u)):
                self._network.add_street_edge(a, b, street, a, b, f"LINESTRING ({texts[a]}, {texts[b]})")
        self._network.build_edge_rtree()

    def _texts(self) -> list[str]:
        return [f"{x!r} {y!r}" for x, y in self._given.xy.tolist()]

    def _data(self, nodes: np.ndarray) -> Any:
        from cityseer.rustalgos import data  # noqa: PLC0415

        points, texts = data.DataMap(), self._texts()
        for node in nodes.tolist():
            points.insert(node, f"POINT ({texts[node]})")
        points.assign_data_to_network(self._network, 100.0, 4)
        return points

    @cached_property
    def _everybody(self) -> Any:
        return self._data(np.arange(self._count))

    def nearest(self, query: Query) -> Task:
        """DataMap.accessibility for each layer, for facilities within 15 minutes."""
        layers = [(self._data(layer), dict.fromkeys(layer.tolist(), "facility")) for layer in query.sources]
        some = np.arange(self._count)
        if self._count > self.large:
            some = some[:: self._count // (100_000_000 // self._count)]  # each search takes time for all nodes
        self._live(some)

        def run() -> list[Any]:
            return [
                points.accessibility(
                    self._network, kinds, ["facility"], minutes=[15.0], speed_m_s=_SPEED_MS, pbar_disabled=True
                )
                for points, kinds in layers
            ]

        def answer(result: list[Any]) -> np.ndarray:
            (limit,) = result[0].distances
            seconds = np.full((len(result), self._count), -np.inf)
            for row, found in zip(seconds, result, strict=True):
                row[some] = found.result["facility"].distance[limit][some] / _SPEED_MS
            return seconds

        return Task(run, answer, self._count / len(some))

    def _live(self, some: np.ndarray) -> None:
        """Let it search from some nodes only."""
        live = np.zeros(self._count, dtype=np.bool_)
        live[some] = True
        for node, lives in enumerate(live.tolist()):
            self._network.set_node_live(node, lives)

    def catchments(self, query: Query) -> Task:
        """DataMap.aggregate_to_src_idx, facility by facility, with a datum at every node."""
        sources, everybody = query.sources[0].tolist(), self._everybody

        def run() -> list[dict[str, float]]:
            limit_s = int(query.limit_s)
            return [everybody.aggregate_to_src_idx(source, self._network, limit_s, _SPEED_MS) for source in sources]

        def answer(result: list[dict[str, float]]) -> np.ndarray:
            seconds = [{key.removeprefix("int:"): m / _SPEED_MS for key, m in row.items()} for row in result]
            return _rows(sources, seconds)

        return Task(run, answer)


PEERS = (Scipy, Networkx, Igraph, Pandana, Cityseer)
