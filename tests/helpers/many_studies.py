"""Batches of the small study: one template, a table of its rows, and rows that go wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import yaml

from interrupts import hearing
from small_study import STUDY, facilities, write_small

CITATION = {"document": "规划", "clause": "1"}
PLAN = {
    "id": "plan",
    "title": "规划",
    "goals": [
        {"id": "beds", "name": "床位", "measure": "capacity_total", "layer": "station", "capacity": "beds",
         "citation": CITATION, "target": {"year": 2030, "value": 25}},
    ],
}  # fmt: skip


def write_batch(folder: Path, rows: list[str], **batch: object) -> Path:
    """Write the small study as a template with these rows (id, title, table of stations); returns the batch's YAML."""
    write_small(folder).unlink()
    station = {**STUDY["facilities"][0], "path": "{stations}"}
    study = {**STUDY, "id": "d_{adcode}", "title": "{name}的研究", "facilities": [station], "plan": PLAN}
    (folder / "template.yaml").write_text(yaml.safe_dump(study, allow_unicode=True), encoding="utf-8")
    (folder / "districts.csv").write_text("\n".join(["adcode,name,stations", *rows]) + "\n", encoding="utf-8")
    path = folder / "batch.yaml"
    content = {"id": "province", "template": "template.yaml", "matrix": "districts.csv", "memory_mb": 100, **batch}
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def write_stations(folder: Path, name: str, beds: list[str]) -> str:
    """Write a table of the three stations with these beds; returns its name."""
    facilities().assign(beds=beds).to_csv(folder / name, index=False)
    return name


def command(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the installed command as a user does."""
    return subprocess.run(words(*arguments), cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603


def start(*arguments: str | Path, cwd: Path) -> subprocess.Popen[str]:
    """Start the installed command so that Ctrl-C stops it, and go on."""
    pipe = subprocess.PIPE
    return subprocess.Popen(hearing(words(*arguments)), cwd=cwd, stdout=pipe, stderr=pipe, text=True)  # noqa: S603


def words(*arguments: str | Path) -> list[str]:
    """The words of the installed command."""
    return [str(Path(sys.executable).with_name("facility-coverage")), *map(os.fspath, arguments)]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder but those that tell the time."""
    clocks = {"run.json", "map.html"}
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in clocks
    }
