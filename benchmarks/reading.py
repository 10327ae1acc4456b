"""Reading an extract into a network that can be searched: ours, and tools that do the same."""

from __future__ import annotations

from pathlib import Path

import graphs
from measuring import Query, Task

#: In the folder of a network: the path of its extract, and its highways as .osm.
EXTRACT, HIGHWAYS = "extract.txt", "highways.osm"


def prepare(extract: Path, folder: Path) -> None:
    """Say in a folder where the extract lies, and write its highways there as .osm."""
    (folder / EXTRACT).write_text(str(extract), encoding="utf-8")
    graphs.write_highways(extract, folder / HIGHWAYS)


class _Reader:
    threads = (1,)
    threaded: frozenset[str] = frozenset()

    def __init__(self, folder: Path, threads: int) -> None:
        del threads
        self._extract = Path((folder / EXTRACT).read_text(encoding="utf-8"))
        self._highways = folder / HIGHWAYS


class Reading(_Reader):
    """The whole .pbf to our graph: ways with their tags, metres, graph and links."""

    label, package = "facility-coverage", "facility_coverage"

    def __init__(self, folder: Path, threads: int) -> None:
        super().__init__(folder, threads)
        graphs.own_graph(graphs.lattice(8))  # compiled

    def reading(self, _query: Query) -> Task:
        """From the file to the graph."""
        extract = graphs.Extract(self._extract, graphs.EXTRACTS["Comoros"].epsg)
        return Task(lambda: graphs.own_graph(graphs.roads_of(extract)))


class Osmnx(_Reader):
    """osmnx.graph_from_xml; it is given highways only, since it takes every way of a file for a road."""

    label, package = "osmnx, highways as .osm", "osmnx"

    def reading(self, _query: Query) -> Task:
        """From the file to the simplified graph."""
        import osmnx  # noqa: PLC0415 - only in its own process

        return Task(lambda: osmnx.graph_from_xml(self._highways, retain_all=True))


class Pyrosm(_Reader):
    """pyrosm on the whole .pbf: the walking network, as a graph of igraph."""

    label, package = "pyrosm", "pyrosm"

    def reading(self, _query: Query) -> Task:
        """From the file to the graph."""
        import pyrosm  # noqa: PLC0415

        def run() -> object:
            extract = pyrosm.OSM(str(self._extract))
            nodes, edges = extract.get_network(network_type="walking", nodes=True)
            return extract.to_graph(nodes, edges, graph_type="igraph", retain_all=True)

        return Task(run)


READERS = (Reading, Osmnx, Pyrosm)
