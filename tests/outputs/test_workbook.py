"""zones.xlsx: read back with another library, it says what the tables say, and nothing in it runs."""

from __future__ import annotations

import datetime as dt
import re
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pandas as pd
import pytest

from facility_coverage.analysis.verdicts import PlaceVerdict
from facility_coverage.outputs import palette
from facility_coverage.outputs.scenes import MapContent
from facility_coverage.outputs.sheets import LONGEST, Cell, Column, Sheet, figure_form, write_book
from facility_coverage.outputs.tables import zone_table
from facility_coverage.outputs.workbook import Result, write_workbook

Make = Callable[..., MapContent]
LIMIT = 32_767
HOSTILE = [
    "=cmd|'/c calc'!A1", "+1", "-1+2", "@SUM(A1)", "javascript:alert(1)", "https://example.org/x", "mailto:a@b.c",
    "</t></si><f>1</f>", "_x0041_", "007", "1E5", "TRUE", "{=1}", "a & b < c > \"d\" 'e'",
]  # fmt: skip


def result_of(content: MapContent, **changes: Any) -> Result:
    return replace(
        Result(
            content.config, content.profiles, content.layers, content.coverage, content.verdicts, None, "a1b2c3d4e5f6"
        ),
        **changes,
    )


def rows_of(path: Path, sheet: str) -> list[dict[str, Any]]:
    heading, *rows = openpyxl.load_workbook(path)[sheet].iter_rows(values_only=True)
    return [dict(zip(heading, row, strict=True)) for row in rows]


def xml_of(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as book:
        assert book.testzip() is None
        return {name: book.read(name).decode("utf-8") for name in book.namelist()}


def shown(form: str, value: float) -> Decimal:
    """The number that a spreadsheet shows for a format of per cents: it rounds half up what it has in 15 digits."""
    decimals = len(form.rstrip("%").split(".")[1])
    return (100 * Decimal(f"{value:.15g}")).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP) / 100


def test_the_workbook_has_six_sheets_that_print_and_filter(make_content: Make, tmp_path: Path) -> None:
    write_workbook(result_of(make_content()), tmp_path / "z.xlsx", lang="zh")
    book = openpyxl.load_workbook(tmp_path / "z.xlsx")
    assert book.sheetnames == ["目标判定", "镇街目标", "镇街", "设施", "未可达人口", "方法说明"]
    for page in book:
        assert page.freeze_panes is not None
        assert page.freeze_panes.endswith("2")
        assert page.auto_filter.ref == page.dimensions
        assert page.print_title_rows == "$1:$1"
        assert page.page_setup.orientation == "landscape"
        assert page.sheet_properties.pageSetUpPr.fitToPage
        assert (page.page_setup.fitToWidth or 1) >= 1
        assert page.page_setup.fitToHeight == 0
    assert book["方法说明"].page_setup.fitToWidth in (None, 1)
    write_workbook(result_of(make_content()), tmp_path / "e.xlsx", lang="en")
    assert openpyxl.load_workbook(tmp_path / "e.xlsx").sheetnames == [
        "Verdicts", "Goals by zone", "Zones", "Facilities", "Gaps", "Method",
    ]  # fmt: skip


def test_zones_are_those_of_the_table(make_content: Make, tmp_path: Path) -> None:
    content = make_content()
    write_workbook(result_of(content), tmp_path / "z.xlsx", lang="zh")
    table = zone_table(content.config, content.layers, content.coverage)
    page = openpyxl.load_workbook(tmp_path / "z.xlsx")["镇街"]
    # The columns stand in the order of zones.csv; only their headings differ.
    columns = list(page.iter_cols(min_row=2, values_only=True))
    assert len(columns) == len(table.columns)
    for written, name in zip(columns, table.columns, strict=True):
        if name == "area_type":
            assert set(written) == {"城镇地区", "农村地区"}
        elif pd.api.types.is_numeric_dtype(table[name]):
            pd.testing.assert_series_equal(
                pd.Series(written, dtype=float), table[name].astype(float), rtol=1e-14, check_names=False
            )
        else:
            assert list(written) == table[name].astype(object).where(table[name].notna(), None).tolist(), name
    assert page.cell(1, 8).value == "60岁及以上\n人口(人)"


def test_facilities_have_a_place_a_catchment_and_a_leader(make_content: Make, tmp_path: Path) -> None:
    content = make_content()
    led = pd.DataFrame(
        {
            "layer": ["elder_care"] * 2, "facility_id": ["elder_care000", "elder_care001"], "name": "", "tier": "point",
            "zone_id": "1", "leader_id": ["elder_care002", None], "leader_name": ["甲中心", None],
            "leader_tier": ["centre", None], "minutes": [12.25, float("nan")], "status": ["led", "orphan"],
        }
    )  # fmt: skip
    write_workbook(result_of(content, hierarchy=led), tmp_path / "z.xlsx", lang="zh")
    rows = {row["设施代码"]: row for row in rows_of(tmp_path / "z.xlsx", "设施")}
    frames = content.layers.facilities
    assert len(rows) == sum(map(len, frames.values()))
    place = frames["elder_care"].to_crs(4326).geometry.iloc[0]
    first = rows["elder_care000"]
    assert (first["经度(°,WGS 84)"], first["纬度(°,WGS 84)"]) == pytest.approx((place.x, place.y), abs=1e-9)
    assert first["服务范围内(人)\n全体人口"] == 1234.5
    assert (first["层级关系"], first["带动它的中心"], first["到中心(分钟)"]) == ("有中心带动", "甲中心", 12.25)
    assert [rows["elder_care001"][key] for key in ("层级关系", "到中心(分钟)")] == ["无中心带动", None]
    assert rows["medical000"]["带动它的中心"] is None
    known = frames["elder_care"].set_index("facility_id")["beds"]
    assert [rows[i]["床位"] for i in known.index] == [None if pd.isna(value) else value for value in known]


def test_gaps_are_people_left_out_most_first(make_content: Make, tmp_path: Path) -> None:
    content = make_content()
    write_workbook(result_of(content), tmp_path / "z.xlsx", lang="zh")
    rows = rows_of(tmp_path / "z.xlsx", "未可达人口")
    points, demand = content.layers.demand.points, content.coverage.demand
    for layer, group in (("elder_care", "elder_60"), ("childcare", "child_0_2"), ("medical", "total")):
        out = points[group].where(~demand[f"{layer}_covered"], 0.0).groupby(points["zone_id"]).sum()
        (name,) = [one.name.zh for one in content.config.facilities if one.id == layer]
        found = {row["镇街代码"]: row["未可达(人)"] for row in rows if row["设施类型"] == name}
        assert found == pytest.approx(out[out > 0].to_dict(), rel=1e-9)
    left_out = [row["未可达(人)"] for row in rows]
    assert left_out == sorted(left_out, reverse=True)
    assert all(row["未可达比例"] == pytest.approx(row["未可达(人)"] / row["人口(人)"]) for row in rows)


def test_verdicts_are_words_in_the_colours_of_their_status(make_content: Make, tmp_path: Path) -> None:
    write_workbook(result_of(make_content()), tmp_path / "z.xlsx", lang="zh")
    page = openpyxl.load_workbook(tmp_path / "z.xlsx")["目标判定"]
    found = {page.cell(row, 2).value: page.cell(row, 2) for row in range(2, 6)}
    words = {"达到": "met", "按进度": "on_track", "滞后": "behind", "无数据": "no_data"}
    assert set(found) == set(words)
    for word, status in words.items():
        cell = found[word]
        assert cell.fill.fgColor.rgb[2:].lower() == palette.STATUS[status][1:]
        assert (cell.font.b, cell.font.color.rgb[2:].lower()) == (True, "ffffff")
        assert palette.contrast(palette.STATUS[status], palette.PAPER) >= 4.5
    rows = rows_of(tmp_path / "z.xlsx", "目标判定")
    assert [row["现状值"] for row in rows] == [5500, 5100, 3000, None]
    assert [row["缺口"] for row in rows] == [0, 400, 2500, None]
    assert [row["属性"] for row in rows] == ["约束性", "预期性", "约束性", "文字表述"]


def test_a_zone_that_misses_by_a_little_is_not_shown_as_meeting(make_content: Make, tmp_path: Path) -> None:
    content = make_content()
    values = [0.5996, 0.6, 0.59996, None, 0.61]
    status = ["behind", "met", "behind", "no_data", None]
    zones = tuple(
        PlaceVerdict(zone, "", value, value, 1.0, one, None, None, None, 0, "")  # type: ignore[arg-type]
        for zone, value, one in zip(content.layers.zones["zone_id"], values, status, strict=False)
    )
    goal = replace(content.verdicts[0], scale="share", target=0.6, zones=zones, value=0.5996, status="behind")
    write_workbook(result_of(content, verdicts=[goal]), tmp_path / "z.xlsx", lang="zh")
    page = openpyxl.load_workbook(tmp_path / "z.xlsx")["镇街目标"]
    cells = [page.cell(row, 3) for row in range(2, 7)]
    assert [cell.value for cell in cells] == values
    assert [cell.number_format for cell in cells if cell.value is not None] == [
        '0.00%" 滞后"', '0.0%" 达到"', '0.000%" 滞后"', "0.0%",
    ]  # fmt: skip
    assert page.cell(1, 3).value == "养老机构床位数\n≥ 60.0%"
    assert all(page.cell(row, 3).value is None for row in range(7, 22))


@pytest.mark.parametrize("target", [0.6, 1.0, 0.55, 0.005])
@pytest.mark.parametrize("step", [0, 1e-7, -1e-7, 4e-5, -4e-5, 0.0005, -0.0005, 0.00051, -0.00049])
def test_a_share_is_shown_on_its_side_of_the_target(target: float, step: float) -> None:
    value = target + step
    read, asked = shown(figure_form("share", value, target), value), Decimal(str(target))
    assert (read > asked) == (step > 0)
    assert (read < asked) == (step < 0)


@pytest.mark.parametrize("evil", [HOSTILE[0], "\n@SUM(A1)", "</t></si><f>1</f>", "\u202e\x00\x07", "字" * 40_000])
def test_every_text_of_a_user_arrives_as_text(make_content: Make, tmp_path: Path, evil: str) -> None:
    path = tmp_path / "z.xlsx"
    write_workbook(result_of(make_content(evil=evil)), path, lang="zh")
    for name, text in xml_of(path).items():
        ElementTree.fromstring(text)  # noqa: S314 - our own file: it raises where a character is no XML
        if name.startswith("xl/worksheets/"):
            assert not re.search(r"<f[ >/]", text)
            assert "hyperlink" not in text
    book = openpyxl.load_workbook(path)
    assert all(cell.data_type != "f" and cell.hyperlink is None for page in book for row in page for cell in row)
    name = book["镇街"].cell(2, 2).value
    assert name.startswith("中山路镇")
    if evil == HOSTILE[0]:
        assert name == "中山路镇" + evil


def column(*values: object) -> Sheet:
    return Sheet("s", [Column("h", values)])


def test_a_cell_holds_the_text_itself_or_what_can_be_seen_of_it(tmp_path: Path) -> None:
    texts = {
        **{text: text for text in HOSTILE},
        "a\u202eb": "a[U+202E]b",
        "\x00\x1f\x85": "[U+0000][U+001F][U+0085]", "\ud800x": "[U+D800]x", "two\nlines\tand": "two lines and",
        "x" * LIMIT: "x" * LIMIT, "x" * 40_000: "x" * (LIMIT - 1) + "…", "😀" * 20_000: "😀" * 16_383 + "…",
    }  # fmt: skip
    assert LONGEST == LIMIT
    write_book(tmp_path / "t.xlsx", [column(*texts)], day=dt.date(2025, 12, 31), footer="")
    page = openpyxl.load_workbook(tmp_path / "t.xlsx")["s"]
    read = [page.cell(row, 1).value for row in range(2, 2 + len(texts))]
    assert read == list(texts.values())
    assert all(len(str(text).encode("utf-16-le")) <= 2 * LIMIT for text in read)


def test_sheets_without_rows_and_cells_without_data_are_empty(tmp_path: Path) -> None:
    empty = Sheet("none", [Column("a", []), Column("b", [])])
    values = [None, float("nan"), pd.NA, pd.NaT, 0, dt.date(2025, 12, 31), Cell(None), Cell("")]
    write_book(tmp_path / "t.xlsx", [empty, column(*values)], day=dt.date(2025, 12, 31), footer="")
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    assert [list(row) for row in book["none"].iter_rows(values_only=True)] == [["a", "b"]]
    read = [book["s"].cell(row, 1).value for row in range(2, 10)]
    assert read == [None, None, None, None, 0, dt.datetime(2025, 12, 31), None, None]
    assert book["s"].cell(7, 1).number_format == "yyyy-mm-dd"


def test_a_study_without_goals_and_without_gaps_still_opens(make_content: Make, tmp_path: Path) -> None:
    content = make_content()
    whole = content.coverage.zones.assign(covered=content.coverage.zones["population"], share=1.0)
    everybody = replace(content.coverage, zones=whole)
    write_workbook(result_of(content, verdicts=[], coverage=everybody), tmp_path / "z.xlsx", lang="en")
    book = openpyxl.load_workbook(tmp_path / "z.xlsx")
    assert book["Verdicts"].max_row == book["Gaps"].max_row == 1
    assert book["Goals by zone"].max_column == 2


def test_the_same_result_is_the_same_bytes(make_content: Make, tmp_path: Path) -> None:
    written = []
    for name in ("a", "b"):
        write_workbook(result_of(make_content()), tmp_path / f"{name}.xlsx", lang="zh")
        written.append((tmp_path / f"{name}.xlsx").read_bytes())
        time.sleep(2.1)  # a zip file counts time in steps of two seconds
    assert written[0] == written[1]
    properties = openpyxl.load_workbook(tmp_path / "a.xlsx").properties
    assert properties.created == properties.modified == dt.datetime(2025, 12, 31)


def test_the_method_sheet_names_cutoffs_groups_sources_and_the_run(make_content: Make, tmp_path: Path) -> None:
    write_workbook(result_of(make_content()), tmp_path / "z.xlsx", lang="zh")
    method = {row["项目"]: row["说明"] for row in rows_of(tmp_path / "z.xlsx", "方法说明")}
    assert method["设施类型：养老服务设施"] == "老年人 2.88 km/h 步行 15 分钟(城)/30 分钟(乡)；服务对象：60岁及以上"
    assert method["人群：60岁及以上"] == "总人口的 20%"
    assert method["数据时点"] == "2025-12-31"
    assert method["运行标识"] == "a1b2c3d4e5f6"
    assert method["人口"] == "合成人口, 2025"
    assert method["输入文件"] == (
        "zones.geojson, roads.parquet, p.tif, elder_care.geojson, childcare.geojson, medical.geojson"
    )
    assert "不是 0" in method["空单元格"]
