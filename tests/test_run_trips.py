"""A run with goals on trips: accessibility by each method, mean times, numbers within reach; in everything written."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from facility_coverage.outputs.report.building import build
from facility_coverage.outputs.report.telling import tell
from facility_coverage.outputs.runs import read_run
from facility_coverage.running import run_study
from small_study import edit, facilities, write_small

BANDS = {"ends_min": [5, 15], "weights": [1, 0.5]}
GOALS = {
    "steps": {"measure": "accessibility", "capacity": "beds", "target": {"year": 2025, "value": 30}},
    "bands": {"measure": "accessibility", "capacity": "beds", "method": "enhanced_two_step", "decay": BANDS},
    "bell": {"measure": "accessibility", "capacity": "beds", "method": "three_step", "decay": "gaussian"},
    "huff": {"measure": "accessibility", "capacity": "beds", "method": "huff_three_step", "decay": BANDS},
    "time": {"measure": "travel_time", "target": {"year": 2025, "value": 9.5, "bound": "at_most"}},
    "number": {"measure": "facilities_in_reach", "target": {"year": 2025, "value": 1.5}},
    "choice": {"measure": "population_with_choice", "cutoff_min": 30, "target": {"year": 2025, "value": 0.6}},
    "lost": {"measure": "travel_time", "layer": "far", "target": {"year": 2025, "value": 9.5, "bound": "at_most"}},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trips")
    small = write_small(folder)
    facilities().iloc[:1].assign(lon=facilities()["lon"][0] - 0.0098).to_csv(
        folder / "far.csv", index=False
    )  # beyond every road

    def change(study: dict[str, Any]) -> None:
        station = study["facilities"][0]
        study["network"]["max_access_m"] = 300
        study["facilities"] = [station, station | {"id": "far", "name": "远处", "path": "far.csv"}]
        study["plan"] = {"id": "p", "title": "P", "goals": [
            {
                "id": name, "name": {"zh": f"目标{name}", "en": f"Goal {name}"}, "layer": "station",
                "citation": {"document": "d", "clause": "c"}, **keys,
            }
            for name, keys in GOALS.items()
        ]}  # fmt: skip

    edit(small, change)
    return run_study(small, folder=folder / "out").folder


def test_the_tables_hold_them(run: Path) -> None:
    table = pd.read_csv(run / "verdicts.csv", dtype={"place_id": str})
    whole = table[table["level"] == "study"].set_index("goal_id")
    assert list(whole.index) == list(GOALS)
    assert whole["value"].drop("lost").gt(0).all()
    assert whole.loc["time", ["scale", "unit", "unreached_share"]].tolist() == ["minutes", "minutes", 0]
    assert whole.loc["lost", ["status", "reason", "unreached_share"]].tolist() == ["no_data", "unreached", 1]
    assert math.isnan(whole.loc["number", "unreached_share"])
    for name in ("steps", "time", "number", "choice"):
        zones = table[(table["goal_id"] == name) & (table["level"] == "zone")]
        assert zones["amount"].sum() == pytest.approx(whole.loc[name, "amount"], rel=1e-9)
        assert set(zones["status"]) <= {"met", "behind"}
    assert whole.loc["time", "shortfall"] == pytest.approx(whole.loc["time", "value"] - 9.5, rel=1e-9)
    assert whole.loc["number", "shortfall"] == pytest.approx(1.5 - whole.loc["number", "value"], rel=1e-9)
    # 30 beds of the two stations that tell theirs; decay hands out no more.
    assert whole.loc["steps", "amount"] == pytest.approx(30)
    assert whole.loc[["bands", "bell"], "amount"].tolist() == pytest.approx([30, 30])
    assert 15 < whole.loc["huff", "amount"] < 30
    assert (whole["missing"] == [1, 1, 1, 1, 0, 0, 0, 0]).all()
    # Read again, they are the same.
    verdicts = {one.goal_id: one for one in read_run(run).verdicts}
    assert verdicts["time"].value == pytest.approx(whole.loc["time", "value"], rel=1e-9)
    assert verdicts["lost"].unreached_share == 1


def test_the_workbook_shows_them_with_their_units(run: Path) -> None:
    book = openpyxl.load_workbook(run / "zones.xlsx")
    sheet = book.worksheets[0]
    head, *rows = sheet.iter_rows(values_only=True)
    told = {row[head.index("目标代码")]: dict(zip(head, row, strict=True)) for row in rows}
    units = {name: (row["单位"], row["缺口单位"]) for name, row in told.items()}
    assert units["time"] == ("分钟", "分钟")
    assert units["number"] == ("处设施(人均可达)", "处设施(人均可达)")
    assert units["choice"] == ("%", "人")
    assert units["steps"] == ("每千人 张", "张")
    assert "无人能到达任何一处设施" in told["lost"]["说明"]
    assert "到不了任何一处设施" in told["lost"]["说明"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_report_says_them_in_both_languages(run: Path, lang: Any) -> None:
    text = repr(build([tell(read_run(run), 0, lang)]))
    value = {one.goal_id: one.value for one in read_run(run).verdicts}["time"]
    assert value is not None
    shown = f"{math.ceil(100 * value) / 100:.2f}".rstrip("0").rstrip(".")
    assert (f"{shown} 分钟" if lang == "zh" else f"{shown} min") in text
    assert ("≤ 9.5 分钟" if lang == "zh" else "≤ 9.5 min") in text
    assert ("处设施(人均可达)" if lang == "zh" else "facilities within reach (mean)") in text
    assert ("(100%)到不了任何一处设施" if lang == "zh" else "(100%) reach no facility") in text


def test_the_map_of_the_run_has_a_theme_for_each(run: Path) -> None:
    themes = {theme["id"]: theme for theme in read_run(run).core["scenes"][0]["themes"]}
    assert set(GOALS) - {"lost"} <= {name.removeprefix("goal:") for name in themes}
    assert (themes["goal:time"]["scale"], themes["goal:time"]["unit"], themes["goal:time"]["at_most"]) == (
        "minutes", "分钟", True,
    )  # fmt: skip
    assert json.dumps(themes["goal:number"]["values"]) != "[null, null]"
