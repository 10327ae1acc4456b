"""How time and memory grow with the area: the synthetic province at several sizes, from its files to its figures.

``python benchmarks/scale.py --sizes 1/8 1/4``. Each size is written by one process and measured in another, stage by
stage, without anything kept from earlier runs; compiling is done before, on a small part of the province. With
``--study district_500101`` the study of one district is measured, on the roads and people of all; with ``--whole-run``
also what a run draws and writes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from measuring import forget_peak, peak_bytes
from province import part_of, write_province

from facility_coverage.config.reading import load_study
from facility_coverage.running import run_study
from facility_coverage.study import Computed, compute

#: On this everything is compiled before the clock runs.
SMALL = Fraction(1, 256)
_TIMEOUT_S = 3_600.0
OUT_OF_MEMORY, UNKNOWN = "not within the memory allowed", "–"


@dataclass(frozen=True)
class Stage:
    """What one stage took: seconds, and the largest memory of the process meanwhile, bytes."""

    name: str
    seconds: float
    peak_bytes: int


@dataclass
class Gauge:
    """Measures stages, told of each as it begins; `name` is the one under way."""

    stages: list[Stage] = field(default_factory=list)
    name: str = ""
    _begin: float = 0.0

    def __call__(self, name: str) -> None:
        """End the stage before, if any, and begin another."""
        self.stop()
        self.name = name
        forget_peak()
        self._begin = time.perf_counter()

    def stop(self) -> None:
        """End the last stage."""
        if self.name:
            self.stages.append(Stage(self.name, time.perf_counter() - self._begin, peak_bytes()))
        self.name = ""


def measure(path: Path, *, threads: int, whole_run: bool) -> dict[str, Any]:
    """Return what the stages of a study took, and the figures that it came to."""
    with tempfile.TemporaryDirectory() as spare:
        write_province(Path(spare), SMALL)
        _study(Path(spare) / "province.yaml", Gauge(), threads, Path(spare) / "result" if whole_run else None)
        gauge = Gauge()
        try:
            computed = _study(path, gauge, threads, Path(spare) / "result" if whole_run else None)
        except MemoryError:
            # What was done until then counts; the stage that did not end has no time.
            return {"stages": [asdict(stage) for stage in gauge.stages], "out_of_memory_in": gauge.name}
    summary = computed.coverage.summary
    whole = summary[(summary["scope"] == "study") & (summary["group"] == "total")]
    return {
        "stages": [asdict(stage) for stage in gauge.stages],
        "demand_points": len(computed.layers.demand.points),
        "directed_edges": max(2 * len(network.graph.tail) for network in computed.networks.values()),
        "covered": dict(zip(whole["layer"], whole["share"].astype(float), strict=True)),
    }


def _study(path: Path, gauge: Gauge, threads: int, folder: Path | None) -> Computed:
    """Compute a study, and write its result where a folder is given."""
    if folder is not None:
        computed = run_study(path, folder=folder, threads=threads, progress=gauge).computed
    else:
        gauge("read study")
        computed = compute(load_study(path), threads=threads, progress=gauge)
    gauge.stop()
    return computed


def in_process(work: str, folder: Path, size: Fraction, asked: argparse.Namespace) -> dict[str, Any] | str:
    """Do one kind of work in a process of its own; return what it says, or why it failed."""
    command = [sys.executable, __file__, "--work", work, "--folder", str(folder), "--sizes", str(size)]
    command += ["--threads", str(asked.threads), "--memory-gb", str(asked.memory_gb), "--study", asked.study]
    command += ["--whole-run"] * asked.whole_run
    environment = os.environ | {"FACILITY_COVERAGE_CACHE": "off", "NUMBA_NUM_THREADS": str(asked.threads)}
    try:
        done = subprocess.run(  # noqa: S603 - this file
            command, capture_output=True, text=True, check=False, env=environment, timeout=_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return f"stopped after {_TIMEOUT_S:.0f} s"
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def work_alone(arguments: argparse.Namespace) -> None:
    """Do what the parent process asks for."""
    limit = int(arguments.memory_gb * 1024**3)
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    if arguments.work == "write":
        begin = time.perf_counter()
        facts = write_province(arguments.folder, arguments.sizes[0])
        stage = Stage("write the province", time.perf_counter() - begin, peak_bytes())
        print(json.dumps(facts | {"stages": [asdict(stage)]}))
    else:
        path = arguments.folder / f"{arguments.study}.yaml"
        print(json.dumps(measure(path, threads=arguments.threads, whole_run=arguments.whole_run)))


def table(results: dict[str, tuple[dict[str, Any], dict[str, Any]]]) -> str:
    """Return the results as a table of Markdown: a column for each size, a row for each stage."""
    counts = {
        "area, km²": "area_km2", "towns": "towns", "districts": "districts", "populated cells": "populated_cells",
        "directed edges": "directed_edges",
    }  # fmt: skip
    in_study = {"demand points of the study": "demand_points", "directed edges of the study": "directed_edges"}
    lines = ["| | " + " | ".join(results) + " |", "|---|" + "---|" * len(results)]
    for label, key in counts.items():
        lines.append(f"| {label} | " + " | ".join(f"{written[key]:,.0f}" for written, _ in results.values()) + " |")
    layers = ("elder_care", "childcare", "clinic")
    sums = (f"{sum(written[layer] for layer in layers):,}" for written, _ in results.values())
    lines.append("| facilities in three layers | " + " | ".join(sums) + " |")
    for label, key in in_study.items():
        known = (f"{measured[key]:,}" if key in measured else UNKNOWN for _, measured in results.values())
        lines.append(f"| {label} | " + " | ".join(known) + " |")
    return "\n".join(lines + _costs(results))


def _costs(results: dict[str, tuple[dict[str, Any], dict[str, Any]]]) -> list[str]:
    """Return the rows of the stages, and of all of them."""
    columns = [
        {stage["name"]: stage for stage in written["stages"] + measured["stages"]}
        for written, measured in results.values()
    ]
    ended = [measured.get("out_of_memory_in") for _, measured in results.values()]
    names = list(max(columns, key=len)) + [name for name in dict.fromkeys(ended) if name]
    rows = []
    for name in dict.fromkeys(names):
        cells = (
            _cost(column[name]["seconds"], column[name]["peak_bytes"]) if name in column
            else OUT_OF_MEMORY if name == end else UNKNOWN
            for column, end in zip(columns, ended, strict=True)
        )  # fmt: skip
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    sums = []
    for column, end in zip(columns, ended, strict=True):
        own = list(column.values())[1:]  # writing the province is not the study's
        whole = _cost(sum(stage["seconds"] for stage in own), max((stage["peak_bytes"] for stage in own), default=0))
        sums.append(UNKNOWN if end else whole)
    return [*rows, "| **all stages of the study** | " + " | ".join(sums) + " |"]


def _cost(seconds: float, peak: int) -> str:
    return f"{seconds:.1f} s, {peak / 1e9:.2f} GB"


def main() -> None:
    """Write, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=part_of, nargs="+", default=[Fraction(1, 8)], help="parts of the province")
    parser.add_argument("--threads", type=int, default=2, help="threads of the searches")
    parser.add_argument("--memory-gb", type=float, default=8.0, help="most memory of a process; beyond it ends (Linux)")
    parser.add_argument("--study", default="province", help="which study is measured: province, or district_500101 …")
    parser.add_argument("--whole-run", action="store_true", help="also draw and write, as facility-coverage run does")
    parser.add_argument("--folder", type=Path, help="where to write; by default a folder that is deleted afterwards")
    parser.add_argument("--work", choices=["write", "measure"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work_alone(arguments)
        return
    with tempfile.TemporaryDirectory() as spare:
        results = {}
        for size in arguments.sizes:
            folder = (arguments.folder or Path(spare)) / f"province-{size.numerator}-{size.denominator}"
            written = in_process("write", folder, size, arguments)
            measured = in_process("measure", folder, size, arguments) if isinstance(written, dict) else "not done"
            if isinstance(written, dict) and isinstance(measured, dict):
                results[str(size)] = (written, measured)
                print(f"{size}: {json.dumps({k: v for k, v in measured.items() if k != 'stages'})}", flush=True)
            else:
                print(f"{size}: writing: {written}; measuring: {measured}", flush=True)
    if results:
        print(f"\n{platform.python_version()}, {os.cpu_count()} cores, {arguments.threads} threads\n\n{table(results)}")


if __name__ == "__main__":
    main()
