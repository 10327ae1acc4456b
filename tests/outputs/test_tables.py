"""Tables: nothing that a spreadsheet would run, no figure for missing data, equal bytes for equal input."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd
import pytest

from facility_coverage.analysis.verdicts import PlaceVerdict, Verdict
from facility_coverage.outputs.tables import write_csv
from facility_coverage.outputs.verdict_tables import verdict_table, write_verdicts

HOSTILE = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r\n=1"]


def test_text_that_starts_like_a_formula_is_disarmed_and_figures_are_not(tmp_path: Path) -> None:
    table = pd.DataFrame({"name": [*HOSTILE, "东街"], "value": [-1.5, 0, 1, 2, 3, 4, float("nan")]})
    write_csv(table, tmp_path / "t.csv")
    data = (tmp_path / "t.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [*(f"'{text.strip()}" for text in HOSTILE), "东街"]
    assert [row["value"] for row in rows] == ["-1.5", "0", "1", "2", "3", "4", ""]
    assert table["name"].iloc[0] == HOSTILE[0]


@pytest.fixture
def verdict() -> Verdict:
    empty = dict.fromkeys(PlaceVerdict.__dataclass_fields__)
    zone = PlaceVerdict(**{**empty, "id": "1", "name": "=东街", "value": float("nan"), "status": "no_data"})
    fields = dict.fromkeys(Verdict.__dataclass_fields__, "")
    return Verdict(
        **{**fields, "goal_id": "G", "value": float("nan"), "target": 0.6, "districts": (), "zones": (zone,)}
    )


def test_verdicts_without_data_are_null(tmp_path: Path, verdict: Verdict) -> None:
    write_verdicts([verdict], tmp_path)
    (row,) = json.loads((tmp_path / "verdicts.json").read_text(encoding="utf-8"))
    assert row["value"] is None
    assert row["target"] == 0.6
    (zone,) = row["zones"]
    assert (zone["id"], zone["name"], zone["value"], zone["status"]) == ("1", "=东街", None, "no_data")
    assert verdict_table([verdict])["level"].tolist() == ["study", "zone"]
    # What a spreadsheet would run has an apostrophe before it.
    assert "'=东街" in (tmp_path / "verdicts.csv").read_text(encoding="utf-8-sig")
