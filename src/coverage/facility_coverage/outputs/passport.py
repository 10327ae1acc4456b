"""The passport of a run: what went in, what came out, with which versions, and how long it took."""

from __future__ import annotations

import glob
import hashlib
import importlib.metadata
import json
import platform
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

VERSIONS_OF = ("facility-coverage", "geopandas", "shapely", "pyproj", "rasterio", "exactextract", "numba", "numpy",
               "ortools", "osmium", "pandas", "scipy")  # fmt: skip


@dataclass
class Stopwatch:
    """Seconds and peak memory of each stage of a run, in order."""

    stages: list[dict[str, Any]] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block as one stage."""
        begin = time.perf_counter()
        yield
        seconds = time.perf_counter() - begin
        self.stages.append({"stage": name, "seconds": round(seconds, 3), "peak_memory_mb": peak_memory_mb()})


def peak_memory_mb() -> int | None:
    """Return the largest memory this process has held so far, in MB; None where the system does not tell (Windows)."""
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 (not there on Windows)

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e6 if sys.platform == "darwin" else 1e3))


def file_hashes(files: Mapping[str, Path]) -> list[dict[str, Any]]:
    """Return name, size and sha256 of each input file, and of the files that belong to it."""
    return [
        {"input": name, "file": part.name, "bytes": part.stat().st_size, "sha256": _sha256(part)}
        for name, path in sorted(files.items())
        for part in _parts(path)
    ]


def file_states(files: Mapping[str, Path]) -> dict[Path, tuple[int, int, int]]:
    """Return size, time of change and number of each input file: they tell whether it was written anew."""
    states = {}
    for part in (part for path in files.values() for part in _parts(path)):
        with suppress(OSError):  # gone, or not to be read: whoever reads it says so
            state = part.stat()
            states[part] = (state.st_size, state.st_mtime_ns, state.st_ino)
    return states


def _parts(path: Path) -> list[Path]:
    """Return the files that make up one input: a shapefile comes with companions, a file geodatabase is a folder."""
    if path.is_dir():
        return sorted(part for part in path.rglob("*") if part.is_file())
    if path.suffix.lower() == ".shp":
        return sorted(part for part in path.parent.glob(f"{glob.escape(path.stem)}.*") if part.is_file())
    return [path]


def identity(parameters: Mapping[str, Any], inputs: list[dict[str, Any]]) -> str:
    """Return 12 hexadecimal digits that stand for this program's version, the parameters and the inputs.

    Times, and the names and places of files, do not enter: the same study has the same identity everywhere.
    """
    figures = {
        "version": importlib.metadata.version("facility-coverage"),
        "parameters": parameters,
        "inputs": [(row["input"], row["sha256"]) for row in inputs],
    }
    text = json.dumps(figures, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table as JSON rows, with None for NaN."""
    rows: list[dict[str, Any]] = json.loads(table.to_json(orient="records", force_ascii=False, double_precision=15))
    return rows


def write_passport(path: Path, content: Mapping[str, Any]) -> None:
    """Write run.json: `content` together with the versions at work."""
    versions = {name: importlib.metadata.version(name) for name in VERSIONS_OF}
    whole = {**content, "versions": {"python": platform.python_version(), **versions}}
    path.write_text(json.dumps(whole, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
