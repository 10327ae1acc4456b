"""How time and memory grow with the area: the synthetic province at several sizes, from its files to its figures.

``python benchmarks/scale.py --sizes 1/8 1/4``. Each size is written by one process and measured in another, stage by
stage, without anything kept from earlier runs; compiling is done before, on a small part of the province.
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
from facility_coverage.study import compute

#: On this everything is compiled before the clock runs.
SMALL = Fraction(1, 256)
_TIMEOUT_S = 3_600.0


@dataclass(frozen=True)
class Stage:
    """What one stage took: seconds, and the largest memory of the process meanwhile, bytes."""

    name: str
    seconds: float
    peak_bytes: int


@dataclass
class Gauge:
    """Measures stages, told of each as it begins."""

    stages: list[Stage] = field(default_factory=list)
    _name: str = ""
    _begin: float = 0.0

    def __call__(self, name: str) -> None:
        """End the stage before, if any, and begin another."""
        self.stop()
        self._name = name
        forget_peak()
        self._begin = time.perf_counter()

    def stop(self) -> None:
        """End the last stage."""
        if self._name:
            self.stages.append(Stage(self._name, time.perf_counter() - self._begin, peak_bytes()))
        self._name = ""


def measure(folder: Path, threads: int) -> dict[str, Any]:
    """Return what the stages of the province's study took, and the figures that it came to."""
    with tempfile.TemporaryDirectory() as small:
        write_province(Path(small), SMALL)
        compute(load_study(Path(small) / "province.yaml"), threads=threads)
    gauge = Gauge()
    gauge("read study")
    study = load_study(folder / "province.yaml")
    computed = compute(study, threads=threads, progress=gauge)
    gauge.stop()
    summary = computed.coverage.summary
    whole = summary[(summary["scope"] == "study") & (summary["group"] == "total")]
    return {
        "stages": [asdict(stage) for stage in gauge.stages],
        "demand_points": len(computed.layers.demand.points),
        "directed_edges": {name: int(2 * len(net.graph.tail)) for name, net in computed.networks.items()},
        "covered": dict(zip(whole["layer"], whole["share"].astype(float), strict=True)),
    }


def in_process(folder: Path, *, work: str, size: Fraction, threads: int, memory_gb: float) -> dict[str, Any] | str:
    """Do one kind of work in a process of its own; return what it says, or why it failed."""
    command = [sys.executable, __file__, "--work", work, "--folder", str(folder), "--sizes", str(size)]
    command += ["--threads", str(threads), "--memory-gb", str(memory_gb)]
    environment = os.environ | {"FACILITY_COVERAGE_CACHE": "off", "NUMBA_NUM_THREADS": str(threads)}
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
        print(json.dumps(measure(arguments.folder, arguments.threads)))


def table(results: dict[str, tuple[dict[str, Any], dict[str, Any]]]) -> str:
    """Return the results as a table of Markdown: a column for each size, a row for each stage."""
    counts = {
        "area, km²": "area_km2", "towns": "towns", "districts": "districts", "populated cells": "populated_cells",
        "directed edges": "directed_edges",
    }  # fmt: skip
    lines = ["| | " + " | ".join(results) + " |", "|---|" + "---|" * len(results)]
    for label, key in counts.items():
        lines.append(f"| {label} | " + " | ".join(f"{written[key]:,.0f}" for written, _ in results.values()) + " |")
    layers = ("elder_care", "childcare", "clinic")
    sums = (f"{sum(written[layer] for layer in layers):,}" for written, _ in results.values())
    lines.append("| facilities in three layers | " + " | ".join(sums) + " |")
    columns = [written["stages"] + measured["stages"] for written, measured in results.values()]
    for number, stage in enumerate(columns[0]):
        cells = (f"{c[number]['seconds']:.1f} s, {c[number]['peak_bytes'] / 1e9:.2f} GB" for c in columns)
        lines.append(f"| {stage['name']} | " + " | ".join(cells) + " |")
    sums = (
        f"{sum(s['seconds'] for s in c[1:]):.1f} s, {max(s['peak_bytes'] for s in c[1:]) / 1e9:.2f} GB" for c in columns
    )
    lines.append("| **from files to figures** | " + " | ".join(sums) + " |")
    return "\n".join(lines)


def main() -> None:
    """Write, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=part_of, nargs="+", default=[Fraction(1, 8)], help="parts of the province")
    parser.add_argument("--threads", type=int, default=2, help="threads of the searches")
    parser.add_argument("--memory-gb", type=float, default=8.0, help="most memory of a process; beyond it ends (Linux)")
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
            options = {"size": size, "threads": arguments.threads, "memory_gb": arguments.memory_gb}
            written = in_process(folder, work="write", **options)
            measured = in_process(folder, work="measure", **options) if isinstance(written, dict) else "not measured"
            if isinstance(written, dict) and isinstance(measured, dict):
                results[str(size)] = (written, measured)
                print(f"{size}: {json.dumps({k: v for k, v in measured.items() if k != 'stages'})}", flush=True)
            else:
                print(f"{size}: writing: {written}; measuring: {measured}", flush=True)
    if results:
        print(f"\n{platform.python_version()}, {os.cpu_count()} cores, {arguments.threads} threads\n\n{table(results)}")


if __name__ == "__main__":
    main()
