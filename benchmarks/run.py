"""The program's travel times against SciPy's and NetworkX's, in one run: ``make bench``.

All three get the same road graph with the same snapped points. The program searches its own graph of junctions; the
peers need every point inserted as a node, which is prepared outside the clock.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from facility_coverage.config.reading import builtin_profiles
from facility_coverage.layers.model import Roads
from facility_coverage.network.graph import build_graph
from facility_coverage.network.snapping import snap
from facility_coverage.network.travel import link, nearest_facility

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "helpers"))

import builders  # noqa: E402 - lies in the tests
import oracles  # noqa: E402

EXTRACT = ROOT.parent / "shared" / "data" / "comoros" / "comoros-2021.osm.pbf"
ROUNDS, LAYERS, FACILITIES, PEOPLE = 5, 3, 300, 20_000


def comoros() -> Roads:
    """Read the ways of the country, in metres."""
    import pyproj  # noqa: PLC0415 - only where the data are

    from facility_coverage.layers.openstreetmap import read_ways  # noqa: PLC0415

    ways = read_ways(EXTRACT, file=EXTRACT.name)
    x, y = pyproj.Transformer.from_crs(4326, 32738, always_xy=True).transform(ways.lonlat[:, 0], ways.lonlat[:, 1])
    node = np.unique(ways.ref, return_inverse=True)[1]
    return Roads(np.column_stack([x, y]), node.astype(np.int64), ways.start, ways.tags)


def median_s(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the median seconds of `ROUNDS` runs, and what the work returns."""
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times), result


def measure(name: str, roads: Roads) -> None:
    """Print one line per tool for one network."""
    rng = np.random.default_rng(2026)
    profile = builtin_profiles()["adult"]
    graph, _ = build_graph(roads, profile, min_component_nodes=30, file=name)
    speed = profile.access_speed_ms

    def scattered(count: int) -> np.ndarray:
        return graph.xy[rng.integers(0, len(graph.xy), count)] + rng.normal(0, 30, (count, 2))

    people, sites = scattered(PEOPLE), [scattered(FACILITIES) for _ in range(LAYERS)]
    links, standing = link(graph), snap(people, graph, max_access_m=500.0, access_speed_ms=speed)
    serving = [snap(xy, graph, max_access_m=500.0, access_speed_ms=speed) for xy in sites]

    def ours() -> list[np.ndarray]:
        return [nearest_facility(graph, links, standing, places).seconds for places in serving]

    ours()  # compile
    segments = oracles.segments_of_graph(graph)
    prepared = []
    for xy in sites:
        arcs, stops, placed, attached = oracles.inserted(segments, people, xy, max_access_m=500.0, speed_ms=speed)
        prepared.append((arcs, stops, placed, attached))
    with_scipy, with_networkx = [], []
    for (tail, head, cost, count), stops, source, legs in prepared:
        with_scipy.append((csr_array((cost, (tail, head)), shape=(count, count)), source, stops, legs))
        peer = nx.DiGraph()
        peer.add_weighted_edges_from(zip(tail.tolist(), head.tolist(), cost.tolist(), strict=True))
        with_networkx.append((peer, source, stops, legs))

    def scipy() -> list[np.ndarray]:
        return [dijkstra(m, indices=[source], min_only=True)[stops] + legs for m, source, stops, legs in with_scipy]

    def networkx() -> list[np.ndarray]:
        results = []
        for peer, source, stops, legs in with_networkx:
            reached = nx.multi_source_dijkstra_path_length(peer, {source})
            results.append(np.array([reached.get(stop, np.inf) for stop in stops.tolist()]) + legs)
        return results

    print(f"\n{name}: {len(graph.tail):,} edges, {len(graph.xy):,} vertices, {PEOPLE:,} demand points, "
          f"{LAYERS} layers of {FACILITIES} facilities, median of {ROUNDS}")  # fmt: skip
    base, reference = median_s(ours)
    print(f"  {'facility-coverage':<20}{base * 1000:>10.1f} ms")
    for tool, work in (("scipy", scipy), ("networkx", networkx)):
        seconds, result = median_s(work)
        gap = max(
            float(np.nanmax(np.abs(np.where(np.isinf(r), np.nan, r) - o)))
            for r, o in zip(result, reference, strict=True)
        )
        print(
            f"  {tool:<20}{seconds * 1000:>10.1f} ms   {seconds / base:>6.1f} × ours   largest difference {gap:.1e} s"
        )


def main() -> None:
    """Run all networks at hand."""
    measure("lattice 150 × 150", builders.lattice(150, 150))
    if EXTRACT.exists():
        measure("Comoros", comoros())
    else:
        print("\nComoros: ../shared/data is absent")


if __name__ == "__main__":
    main()
