"""Runs of the small study at the edges of what gaps and needs must bear."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from facility_coverage.running import RunResult, run_study
from small_study import edit, stations, write_small

NEED = [{"capacity": "beds", "per_person": 0.5}]


def run(folder: Path, *, beds: Any = None, opened: Any = None, **layer: Any) -> RunResult:
    small = write_small(folder)
    columns = {name: values for name, values in (("beds", beds), ("opened", opened)) if values is not None}
    if columns:
        stations(small, **columns)
    edit(small, lambda study: study["facilities"][0].update({"cutoff_min": 5, "needs": NEED, **layer}))
    return run_study(small, folder=folder / "out")


def read(result: RunResult, name: str) -> pd.DataFrame:
    return pd.read_csv(result.folder / f"{name}.csv", encoding="utf-8-sig")


def missed(result: RunResult) -> float:
    row = result.computed.coverage.summary.set_index(["scope", "layer", "group"]).loc[("study", "station", "total")]
    return float(row["population"] - row["covered"])


CASES: dict[str, Callable[[Path], RunResult]] = {
    "no facility is open yet": lambda folder: run(folder, opened=["2027-01-01"] * 3),
    "no capacity is told": lambda folder: run(folder, beds=["", "", ""]),
    "nobody is left out": lambda folder: run(folder, cutoff_min=200),
    "by ambulance": lambda folder: run(folder, profile="ambulance", cutoff_min=0.5),
}


@pytest.mark.parametrize("case", CASES)
def test_gaps_and_served_people_add_up_whatever_the_facilities(case: str, tmp_path: Path) -> None:
    result = CASES[case](tmp_path)
    gaps, served, spare = read(result, "gaps"), read(result, "served"), read(result, "spare")
    own = gaps[gaps["capacity"].isna()]
    assert own["people"].sum() == pytest.approx(missed(result), abs=1e-6)
    assert gaps.loc[gaps["capacity"].notna(), "people"].sum() == pytest.approx(served["residual"].sum(), abs=1e-6)
    parts = served[["served", "residual", "not_covered"]].sum(axis=1)
    assert served["population"].to_numpy() == pytest.approx(parts.to_numpy())
    assert spare["used"].sum() == pytest.approx(served["provided"].sum())
    remedies = read(result, "remedies")
    assert set(remedies["gap"]) <= set(gaps.loc[~gaps["scattered"], "gap"])
    json.loads((result.folder / "findings.json").read_text(encoding="utf-8"))


def test_without_any_facility_none_is_near(tmp_path: Path) -> None:
    result = run(tmp_path, opened=["2027-01-01"] * 3)
    gaps = read(result, "gaps")
    assert set(gaps["cause"]) == {"distance"}
    assert gaps["near_name"].isna().all()
    assert set(read(result, "remedies")["remedy"]) == {"new_site"}


def test_where_no_capacity_is_told_nobody_is_served_and_nothing_is_full(tmp_path: Path) -> None:
    result = run(tmp_path, beds=["", "", ""])
    served = read(result, "served")
    assert served["served"].sum() == 0
    assert served["residual"].sum() == pytest.approx(served["covered"].sum())
    gaps = read(result, "gaps")
    assert set(gaps.loc[gaps["capacity"].notna(), "cause"]) == {"no_data"}
    assert read(result, "spare")["held"].isna().all()
