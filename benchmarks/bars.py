"""The bars that the project set itself, held against the rows of a run."""

from __future__ import annotations

import math
from collections.abc import Sequence

from table import OURS, Bar, Row

POA, MILLION = "Porto Alegre", "1 M lattice"
NEAREST, K_NEAREST, WHOLE, AREAS = "nearest facility, 3 layers", "3 nearest facilities", "whole query", "service areas"
BUILDING = "building the network"
READING, LIMIT = "reading an extract", "against the limit"
ONE_READING = "one pass over all links (numba)"
SCIPY, NETWORKX, SPARSE = "scipy", "networkx", "scipy, made sparse"
EXACT = "exact union (shapely)"


def catchments(count: int) -> str:
    """Return the name of the work for so many facilities."""
    return f"catchments of {count:,} facilities"


def held(rows: Sequence[Row], overlaps: dict[str, tuple[float, float]]) -> list[Bar]:
    """Return every bar for which this run has the rows; `overlaps` are least and median IoU of tools' service areas."""
    measured = [row for row in rows if not math.isnan(row.seconds)]
    bars = [_fastest(measured), *_ratios(measured), *_limits(measured, overlaps), _agreement(measured)]
    return [bar for bar in bars if bar is not None]


def _row(rows: Sequence[Row], graph: str, work: str, tool: str = OURS, threads: int = 1) -> Row | None:
    wanted = (graph, work, tool, threads)
    return next((row for row in rows if (row.graph, row.work, row.tool, row.threads) == wanted), None)


def _fastest(rows: Sequence[Row]) -> Bar | None:
    """Nearest facility: against each peer, with as many threads, on every graph."""
    found = []
    for row in rows:
        ours = _row(rows, row.graph, row.work, OURS, row.threads)
        if row.work == NEAREST and row.tool != OURS and ours is not None:
            found.append((row.seconds / ours.seconds, f"{row.tool}, {row.threads} thread(s), {row.graph}"))
    if not found:
        return None
    least, whose = min(found)
    return Bar(
        "nearest facility: faster than every peer on every graph", f"closest: {whose}, {least:.2f} ×", least > 1.0
    )


def _ratios(rows: Sequence[Row]) -> list[Bar | None]:
    return [
        _ratio(rows, "nearest facility, 1 M: ≥ 2 × scipy", MILLION, NEAREST, (SCIPY,), 2.0),
        _ratio(rows, "nearest facility, 1 M: ≥ 50 × networkx", MILLION, NEAREST, (NETWORKX,), 50.0),
        _ratio(rows, "catchments of 3,000, Porto Alegre: ≥ 4 × fastest peer", POA, catchments(3000), None, 4.0),
        _first_ratio(rows, "catchments of 3,000, 1 M: ≥ 80 × scipy's first run", MILLION, catchments(3000), 80.0),
        _ratio(rows, "reading Comoros: ≥ 5 × OSMnx", "Comoros", READING, ("osmnx, highways as .osm",), 5.0),
    ]


def _ratio(
    rows: Sequence[Row], asked: str, graph: str, work: str, tools: tuple[str, ...] | None, bar: float
) -> Bar | None:
    """Compare one thread of ours with one thread of the fastest of some peers."""
    ours = _row(rows, graph, work)
    peers = [row for row in rows if (row.graph, row.work) == (graph, work) and row.tool != OURS and row.threads == 1]
    peers = [row for row in peers if tools is None or row.tool in tools]
    if ours is None or not peers:
        return None
    peer = min(peers, key=lambda row: row.seconds)
    ratio = peer.seconds / ours.seconds
    found = f"{ratio:.1f} × {peer.tool} ({ours.seconds:.3g} s against {peer.seconds:.3g} s"
    return Bar(asked, f"{found}; first runs: {peer.first_s / ours.first_s:.1f} ×)", ratio >= bar)


def _first_ratio(rows: Sequence[Row], asked: str, graph: str, work: str, bar: float) -> Bar | None:
    """Compare our first run with SciPy's: most of its time is memory that its process never had before.

    Its later runs write their dense rows to the same memory again, which no single study does.
    """
    ours, peer = _row(rows, graph, work), _row(rows, graph, work, SCIPY)
    if ours is None or peer is None:
        return None
    ratio = peer.first_s / ours.first_s
    found = f"{ratio:.0f} × ({ours.first_s:.3g} s against {peer.first_s:.3g} s"
    return Bar(asked, f"{found}; medians: {peer.seconds / ours.seconds:.0f} ×)", ratio >= bar)


def _limits(rows: Sequence[Row], overlaps: dict[str, tuple[float, float]]) -> list[Bar | None]:
    bars: list[Bar | None] = []
    if (row := _row(rows, MILLION, catchments(30_000), threads=2)) is not None:
        found = f"{row.seconds:.2f} s, {row.peak_bytes / 1e9:.2f} GB"
        good = row.seconds < 3.0 and row.peak_bytes < 1.5e9
        bars.append(Bar("catchments of 30,000, 1 M, 2 threads: < 3 s and < 1.5 GB", found, good))
    for threads in (1, 2):
        if (row := _row(rows, MILLION, WHOLE, threads=threads)) is not None:
            asked = f"whole query, 1 M points, 1 M, {threads} thread(s): < 10 s"
            bars.append(Bar(asked, f"{row.seconds:.2f} s", row.seconds < 10.0))
        if (row := _row(rows, POA, AREAS, threads=threads)) is not None:
            asked = f"300 service areas, Porto Alegre, {threads} thread(s): < 2 s"
            bars.append(Bar(asked, f"{row.seconds:.2f} s", row.seconds < 2.0))
    if OURS in overlaps:
        least, median = overlaps[OURS]
        bars.append(
            Bar("service areas: IoU ≥ 0.98 with the exact", f"least {least:.4f}, median {median:.4f}", least >= 0.98)
        )
    one_pass, one_search = (_row(rows, MILLION, LIMIT, tool) for tool in (ONE_READING, OURS))
    if one_pass is not None and one_search is not None:
        found = (
            f"{one_search.seconds / one_pass.seconds:.0f} × one pass over all links ({one_pass.seconds * 1000:.1f} ms)"
        )
        bars.append(Bar("against the limit: state the multiple (one layer)", found, holds=True))
    return bars


def _agreement(rows: Sequence[Row]) -> Bar | None:
    """Ours against scipy, whose numbers are the same floating-point sums in another order."""
    gaps = [row.difference_s for row in rows if row.tool == SCIPY and not math.isnan(row.difference_s)]
    if not gaps:
        return None
    return Bar("exact: within 0.05 s of scipy everywhere", f"largest difference {max(gaps):.1e} s", max(gaps) <= 0.05)
