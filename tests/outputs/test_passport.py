"""The passport: its identity depends on what goes in, and on nothing else."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd

from facility_coverage.outputs import passport


def test_hashes_are_those_of_the_files(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_bytes(b"1,2\n")
    (tmp_path / "a.tif").write_bytes(b"")
    rows = passport.file_hashes({"zones.path": tmp_path / "b.csv", "population.path": tmp_path / "a.tif"})
    assert [row["input"] for row in rows] == ["population.path", "zones.path"]
    assert rows[1] == {
        "input": "zones.path", "file": "b.csv", "bytes": 4, "sha256": hashlib.sha256(b"1,2\n").hexdigest(),
    }  # fmt: skip


def test_identity_changes_with_parameters_and_inputs_only() -> None:
    row = {"input": "roads", "file": "roads.gpkg", "bytes": 1, "sha256": "aa"}
    same = passport.identity({"cutoff": 15, "speed": 1.0}, [row])
    assert same == passport.identity({"speed": 1.0, "cutoff": 15}, [{**row, "file": "elsewhere.gpkg"}])
    assert len(same) == 12
    assert same != passport.identity({"cutoff": 16, "speed": 1.0}, [row])
    assert same != passport.identity({"cutoff": 15, "speed": 1.0}, [{**row, "sha256": "ab"}])


def test_records_hold_null_for_nothing_and_full_digits() -> None:
    rows = passport.records(pd.DataFrame({"x": [1 / 3, float("nan")], "name": ["东", None]}))
    assert rows == [{"x": 0.333333333333333, "name": "东"}, {"x": None, "name": None}]


def test_stages_are_timed_in_order(tmp_path: Path) -> None:
    watch = passport.Stopwatch()
    for name in ("read", "write"):
        with watch.stage(name):
            pass
    passport.write_passport(tmp_path / "run.json", {"stages": watch.stages})
    content = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert [stage["stage"] for stage in content["stages"]] == ["read", "write"]
    assert all(stage["seconds"] >= 0 for stage in content["stages"])
    assert {"python", "numpy", "facility-coverage"} <= set(content["versions"])
