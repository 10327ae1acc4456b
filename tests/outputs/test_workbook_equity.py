"""The sheet on equity: its words in both languages, what it leaves empty and why, and names that attack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from facility_coverage.analysis.equity import Equity
from facility_coverage.outputs.equity_tables import FILES, write_equity
from facility_coverage.outputs.scenes import MapContent
from facility_coverage.outputs.workbook import Result, write_workbook

Make = Callable[..., MapContent]
EVIL = "=cmd|'/c calc'!A1"
KEYS = {"layer": "elder_care", "capacity": "beds", "group": "total"}
NONE = {"gini": None, "palma_ratio": None, "best_tenth_share": None, "worst_four_tenths_share": None}
#: What each note says, in Chinese and English.
REASONS = {
    "four_tenths_have_none": ("最差四成可及性为零，比值没有分母", "the worst-served four tenths have none: no ratio"),
    "nobody_has_any": ("无人可及，不能比较", "nobody has any: there is nothing to compare"),
    "no_data": ("没有已知容量的设施", "no capacity is known"),
}


def figures(**changes: Any) -> dict[str, Any]:
    return {
        **KEYS, "scope": "study", "population": 1234.5, "no_data": 0.0, "partly_known": 0.0, "with_none": 90.0,
        "missing": 0, "mean_per_1000": 4.625, "gini": 0.51, "palma_ratio": 3.25, "best_tenth_share": 0.41,
        "worst_four_tenths_share": 0.126, "worst_tenth_up_to_per_1000": 0.0, "reason": "", **changes,
    }  # fmt: skip


def towns(count: int, *, name: str = "镇") -> pd.DataFrame:
    people = [100.0 / (at + 1) for at in range(count)]
    table = pd.DataFrame({"zone_name": [f"{name}{at}" for at in range(count)], "people": people})
    return table.assign(**KEYS, scope="study", zone_id="1", share_of_tenth=0.1, population=400.0, share_of_zone=0.0996)


def write(content: MapContent, path: Path, *rows: dict[str, Any], of: pd.DataFrame, lang: Any = "zh") -> Any:
    equity = Equity(pd.DataFrame(list(rows)), pd.DataFrame(), of)
    told = Result(
        content.config, content.profiles, content.layers, content.coverage, content.verdicts, None, "a1b2c3d4e5f6"
    )
    write_workbook(replace(told, equity=equity), path, lang=lang)
    return openpyxl.load_workbook(path)["公平" if lang == "zh" else "Equity"]


def record(page: Any, row: int = 2) -> dict[str, Any]:
    heading = [cell.value for cell in page[1]]
    return dict(zip(heading, [cell.value for cell in page[row]], strict=True))


def test_in_chinese(make_content: Make, tmp_path: Path) -> None:
    page = write(make_content(), tmp_path / "z.xlsx", figures(missing=2, partly_known=7.2), of=towns(7))
    named = [f"镇{at} {people} 人(9.9%)" for at, people in enumerate((100, 50, 33, 25, 20))]
    others = f"另 2 个镇街 {100 / 6 + 100 / 7:,.0f} 人"
    assert record(page) == {
        "设施类型": "养老服务设施", "计入的容量": "床位", "人群": "全体人口", "城乡": "全域", "人口(人)": 1234.5,
        "可及性均值\n(每千人)": 4.625, "基尼系数": 0.51, "帕尔马式比值": 3.25, "最好一成\n所得份额": 0.41,
        "最差四成\n所得份额": 0.126, "可及性为零(人)": 90, "最差一成的可及性\n不高于(每千人)": 0,
        "最差一成所在镇街(人,占该镇街)": "；".join([*named, others]),
        "无数据(人)": 0, "说明": "容量未知的设施：2 处；另可及容量未知设施的人：7",
    }  # fmt: skip
    assert page.freeze_panes == "E2"
    assert [cell.number_format for cell in page[2]][5:10] == ["#,##0.00", "0.000", "0.00", "0.0%", "0.0%"]


def test_in_english(make_content: Make, tmp_path: Path) -> None:
    rows = [figures(scope=scope, capacity="") for scope in ("study", "urban", "rural")]
    page = write(make_content(), tmp_path / "z.xlsx", *rows, of=towns(2).assign(capacity=""), lang="en")
    first = record(page)
    assert list(first.values())[1] == "facilities"
    assert first["Where the worst-served tenth live (people, share of the town)"] == "镇0 100 (9.9%); 镇1 50 (9.9%)"
    assert [record(page, row)["Area type"] for row in (2, 3, 4)] == ["Whole area", "Urban", "Rural"]
    # No towns are told of the two others here.
    assert record(page, 3)["Where the worst-served tenth live (people, share of the town)"] is None


@pytest.mark.parametrize("reason", REASONS)
def test_an_empty_figure_has_its_reason(make_content: Make, tmp_path: Path, reason: str) -> None:
    row = figures(reason=reason, mean_per_1000=None, worst_tenth_up_to_per_1000=None, **NONE)
    for lang, said in zip(("zh", "en"), REASONS[reason], strict=True):
        page = write(make_content(), tmp_path / f"{lang}.xlsx", row, of=towns(0), lang=lang)
        values = list(record(page).values())
        assert values[5:10] == [None] * 5
        assert values[11:13] == [None] * 2
        assert values[-1] == said


def test_a_small_figure_shows_two_digits(make_content: Make, tmp_path: Path) -> None:
    rows = [figures(mean_per_1000=mean) for mean in (0.0123, 0.1, 0.0, 2400.5)]
    page = write(make_content(), tmp_path / "z.xlsx", *rows, of=towns(1))
    forms = [page.cell(row, 6).number_format for row in (2, 3, 4, 5)]
    assert forms == ["#,##0.000", "#,##0.00", "#,##0.00", "#,##0.00"]


def test_names_of_towns_are_texts(make_content: Make, tmp_path: Path) -> None:
    worst = towns(1, name=EVIL)
    page = write(make_content(), tmp_path / "z.xlsx", figures(), of=worst)
    cell = page.cell(2, 13)
    assert cell.data_type == "s"
    assert cell.value.startswith(EVIL)
    write_equity(Equity(pd.DataFrame([figures()]), pd.DataFrame({"people_share": [0.0]}), worst), tmp_path)
    assert f",'{EVIL}0," in "," + (tmp_path / "worst_served.csv").read_text(encoding="utf-8-sig").split("\n")[1]
    assert {path.name for path in tmp_path.glob("*.csv")} == set(FILES)
