"""The program against its peers, in one table: ``make bench``.

Every tool lives in a process of its own; their runs take turns, so that whatever else the machine does hits all alike.
What each peer is asked is said in `peers`, and explained in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import bars
import graphs
import numpy as np
import reading
from areas import AREAS, overlap
from measuring import Query
from ours import FacilityCoverage
from peers import PEERS, Cityseer
from running import Entry, Seat, able_to, by_turns, say, seats
from table import OURS, Row, bars_text, largest_gap, text

CUTOFF_S, K, LAYERS = 900.0, 3, 3
WORKS = ("building", "nearest", "nearest_k", "catchments", "whole", "limit", "areas", "reading")
#: Catchments are tried for a few facilities first; where all would take longer than `_LONG_SET_S`, some stand for all.
_PROBE, _FEW, _LONG_SET_S = 3, 6, 3.0
#: A larger set with which a peer would take longer is run once; one that would take very long is scaled up.
_ONCE_S, _SCALED_S = 4.0, 12.0


@dataclass(frozen=True)
class Size:
    """How much is asked.

    Attributes
    ----------
    graphs
        Name → extract by name, or side of a lattice.
    facilities
        In each layer.
    catchments
        Numbers of facilities.
    whole, areas, reading
        The graphs on which these are done.
    rounds
        Runs of each tool.
    peers_threads
        Most threads of a peer.
    """

    graphs: dict[str, str | int]
    facilities: int
    catchments: tuple[int, ...]
    whole: str
    areas: str
    reading: str
    rounds: int
    peers_threads: int


JUNCTIONS = f"{bars.POA}, junctions"
FULL = Size(
    {"Comoros": "Comoros", bars.POA: "Porto Alegre", JUNCTIONS: "Porto Alegre", bars.MILLION: 1000},
    300, (300, 3000, 30_000), bars.MILLION, bars.POA, "Comoros", rounds=5, peers_threads=2,
)  # fmt: skip
QUICK = Size({"small lattice": 20}, 8, (8, 24), "small lattice", "small lattice", "small lattice", 1, 1)


@dataclass
class Results:
    """What has been found so far."""

    rows: list[Row] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    overlaps: dict[str, tuple[float, float]] = field(default_factory=dict)

    def add(self, graph: str, work: str, entries: Sequence[Entry], limit_s: float = np.inf) -> None:
        """Add the rows of one work, with how far each answer lies from ours, and any two from each other."""
        answers = {entry.name: np.load(entry.answer) for entry in entries if entry.answer is not None}
        for entry in entries:
            row, pair = entry.row(graph, work), (f"{OURS}/1", entry.name)
            if entry.name != pair[0] and all(name in answers for name in pair):
                row = replace(row, difference_s=largest_gap({name: answers[name] for name in pair}, limit_s)[0])
            self.rows.append(row)
        gap, whose = largest_gap(answers, limit_s)
        if whose:
            self.gaps.append(f"{graph}, {work}: {gap:.1e} s ({whose})")
        say(f"  {work}: " + ", ".join(f"{entry.name} {entry.seconds:.3g} s" for entry in entries))


def sources(count: int, nodes: int, seed: int) -> np.ndarray:
    """Draw nodes, none again before all are drawn."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.permutation(nodes) for _ in range(-(-count // nodes))])[:count]


def on_graph(name: str, size: Size, chosen: set[str], folder: Path) -> Results:
    """Do every search that is asked for on one graph."""
    results = Results()
    nodes, links = graphs.prepare(size.graphs[name], folder, junctions_only=name == JUNCTIONS)
    say(f"{name}: {nodes:,} nodes, {links:,} directed edges")
    # A street between junctions is not straight, and cityseer takes lengths from lines.
    peers = [peer for peer in PEERS if name != JUNCTIONS or peer is not Cityseer]
    layers = tuple(sources(size.facilities, nodes, seed) for seed in range(LAYERS))
    with seats([FacilityCoverage, *peers], folder, peers_threads=size.peers_threads) as seated:
        if "building" in chosen:
            built = [Entry(seat, Query("build"), costs=[seat.built] if seat.built else []) for seat in seated]
            results.rows += [entry.row(name, bars.BUILDING) for entry in built]
        if "nearest" in chosen:
            _nearest(name, size, layers, seated, results, folder)
        if "nearest_k" in chosen and name != JUNCTIONS:
            entries = [Entry(seat, Query("nearest_k", layers[:1], k=K)) for seat in able_to("nearest_k", seated)]
            by_turns(entries, size.rounds, folder)
            results.add(name, bars.K_NEAREST, entries)
        if "catchments" in chosen:
            _catchments(name, size, sources(max(size.catchments), nodes, LAYERS), seated, results, folder)
        if "whole" in chosen and name == size.whole:
            query = Query("whole", layers, points=nodes)
            entries = [Entry(seat, query, remark=_whole_remark(seat)) for seat in able_to("whole", seated)]
            by_turns(entries, size.rounds)
            results.add(name, bars.WHOLE, entries)
        if "limit" in chosen and name == size.whole:
            _against_the_limit(name, size, layers, seated[0], results)
    return results


def _nearest(
    name: str, size: Size, layers: tuple[np.ndarray, ...], seated: Sequence[Seat], results: Results, folder: Path
) -> None:
    """Find the nearest facility; cityseer's answer has a limit, and is compared up to there."""
    entries = [Entry(seat, Query("nearest", layers)) for seat in able_to("nearest", seated)]
    bounded = [entry for entry in entries if entry.seat.tool is Cityseer]
    for entry in bounded:
        entry.remark = "within 15 min only"
    by_turns(entries, size.rounds, folder)
    results.add(name, bars.NEAREST, [entry for entry in entries if entry not in bounded])
    if bounded:
        known, gaps = len(results.rows), len(results.gaps)
        results.add(name, bars.NEAREST, [entries[0], *bounded], CUTOFF_S)
        del results.rows[known]  # ours, once more
        results.gaps[gaps:] = [f"{gap} up to 15 min" for gap in results.gaps[gaps:]]


def _whole_remark(seat: Seat) -> str:
    return "" if seat.tool is FacilityCoverage else "another answer: nearest node, no access leg"


def _catchments(
    name: str, size: Size, facilities: np.ndarray, seated: Sequence[Seat], results: Results, folder: Path
) -> None:
    """Catchments of more and more facilities; who would take too long is scaled up."""
    ways = [(seat, "catchments", "") for seat in able_to("catchments", seated)]
    ways += [(seat, "catchments_sparse", bars.SPARSE) for seat in able_to("catchments_sparse", seated)]
    measured: dict[int, tuple[Entry, int]] = {}
    # Between junctions alone it is a second look at Porto Alegre: without the largest set.
    for count in size.catchments[:2] if name == JUNCTIONS else size.catchments:
        entries, first_set = [], not measured
        for number, (seat, method, label) in enumerate(ways):
            query = Query(method, (facilities[:count],), limit_s=CUTOFF_S)
            if seat.tool is FacilityCoverage:
                entry = Entry(seat, query)
            elif first_set:
                entry = _fewer_if_slow(Entry(seat, query, label))
            else:
                entry = _scaled_if_slow(Entry(seat, query, label), *measured[number])
            entries.append(entry)
        by_turns([entry for entry in entries if not entry.costs], size.rounds, folder if first_set else None)
        measured |= {n: (entry, count) for n, entry in enumerate(entries) if entry.part == 1.0 or first_set}
        results.add(name, bars.catchments(count), entries, CUTOFF_S)


def _scaled_if_slow(entry: Entry, known: Entry, known_count: int) -> Entry:
    """Return the entry, or what is `known` of fewer facilities multiplied up, where all would take very long."""
    factor = len(entry.query.sources[0]) / known_count
    expected_s = factor * known.seconds if known.costs else 0.0
    if expected_s > _SCALED_S:
        return replace(known, part=known.part * factor, answer=None)
    return replace(entry, once=expected_s > _ONCE_S)


def _fewer_if_slow(entry: Entry) -> Entry:
    """Return the entry, or one with fewer facilities that stand for all, where all would take long."""
    (facilities,) = entry.query.sources
    probe = replace(entry, query=replace(entry.query, sources=(facilities[:_PROBE],)), costs=[])
    probe.try_to("run")
    if probe.seconds * len(facilities) / _PROBE >= _LONG_SET_S:  # or only because its memory was new
        probe.try_to("run")
    if not probe.costs or probe.costs[-1].seconds * len(facilities) / _PROBE < _LONG_SET_S:
        return entry
    query = replace(entry.query, sources=(facilities[:_FEW],))
    return replace(entry, query=query, part=len(facilities) / _FEW)


def _against_the_limit(name: str, size: Size, layers: tuple[np.ndarray, ...], ours: Seat, results: Results) -> None:
    """One layer's search beside one pass over all links."""
    entries = [
        Entry(ours, Query("nearest", layers[:1]), remark="nearest facility, one layer"),
        Entry(ours, Query("one_pass"), bars.ONE_READING),
    ]
    by_turns(entries, size.rounds)
    results.add(name, bars.LIMIT, entries)


def service_areas(size: Size, folder: Path) -> Results:
    """Service areas, and how much they have in common with the exact ones."""
    results, name = Results(), size.areas
    nodes, _ = graphs.prepare(size.graphs[name], folder)
    query = Query("areas", (sources(size.facilities, nodes, LAYERS),), limit_s=CUTOFF_S)
    say(f"{name}: {bars.AREAS}")
    with seats(AREAS, folder) as seated:
        entries = [Entry(seat, query) for seat in able_to("areas", seated)]
        by_turns(entries, size.rounds, folder)
        shapes = {e.name: np.load(e.answer, allow_pickle=True) for e in entries if e.answer is not None}
    exact = shapes.get(f"{bars.EXACT}/1")
    for entry in entries:
        if exact is not None and entry.name in shapes and entry.label != bars.EXACT:
            shares = overlap(shapes[entry.name], exact)
            results.overlaps[entry.label] = (float(shares.min()), float(np.median(shares)))
            entry.remark = "IoU with the exact: least {:.3f}, median {:.3f}".format(*results.overlaps[entry.label])
        results.rows.append(entry.row(name, bars.AREAS))
    return results


def reading_an_extract(size: Size, folder: Path) -> Results:
    """Read an extract; the lattice of a quick run is written as one first."""
    results, name = Results(), size.reading
    source = size.graphs[name]
    extract = folder / "lattice.osm.pbf" if isinstance(source, int) else graphs.EXTRACTS[source].path
    if isinstance(source, int):
        graphs.write_extract(source, extract)
    reading.prepare(extract, folder)
    megabytes = extract.stat().st_size / 1e6
    say(f"{name}: {bars.READING}, {megabytes:.1f} MB")
    with seats(reading.READERS, folder) as seated:
        entries = [Entry(seat, Query("reading")) for seat in seated]
        by_turns(entries, size.rounds)
    for entry in entries:
        entry.remark = f"{megabytes / entry.seconds:.2g} MB of the .pbf a second" if entry.costs else ""
        results.rows.append(entry.row(name, bars.READING))
    return results


def everything(size: Size, chosen: set[str], wanted: str) -> Results:
    """Do all that was chosen on all graphs whose name holds `wanted`."""
    results = Results()
    for name, source in size.graphs.items():
        if wanted.lower() not in name.lower():
            continue
        if source in graphs.EXTRACTS and not graphs.EXTRACTS[str(source)].path.exists():
            print(f"{name}: skipped, ../shared/data is absent")
            continue
        parts = []
        if chosen - {"areas", "reading"}:
            parts.append(lambda folder, name=name: on_graph(name, size, chosen, folder))
        if "areas" in chosen and name == size.areas:
            parts.append(lambda folder: service_areas(size, folder))
        if "reading" in chosen and name == size.reading:
            parts.append(lambda folder: reading_an_extract(size, folder))
        for part in parts:
            with tempfile.TemporaryDirectory() as folder:
                found = part(Path(folder))
            results.rows += found.rows
            results.gaps += found.gaps
            results.overlaps |= found.overlaps
    return results


def main() -> None:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(description="facility-coverage against its peers")
    parser.add_argument("--quick", action="store_true", help="a small lattice, one run: to see that it works")
    parser.add_argument("--only", default=",".join(WORKS), metavar="WORK,…", help=f"some of {', '.join(WORKS)}")
    parser.add_argument("--graph", default="", metavar="NAME", help="only graphs whose name holds this")
    options = parser.parse_args()
    chosen = set(options.only.split(","))
    if not chosen <= set(WORKS):
        parser.error(f"--only takes {', '.join(WORKS)}")
    size = QUICK if options.quick else FULL
    begin = time.perf_counter()
    results = everything(size, chosen, options.graph)
    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores ({platform.machine()}), Python "
          f"{platform.python_version()}, {(time.perf_counter() - begin) / 60:.1f} minutes; {LAYERS} layers of "
          f"{size.facilities} facilities, cutoff {CUTOFF_S / 60:.0f} min\n")  # fmt: skip
    print(text(results.rows), "\n")
    print("Largest difference between any two answers\n")
    print("\n".join(f"- {gap}" for gap in results.gaps), "\n")
    if not options.quick:
        print(bars_text(bars.held(results.rows, results.overlaps)))


if __name__ == "__main__":
    main()
