"""Files as offices have them: every kind, encoding and delimiter gives the same table."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import struct
import warnings
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely
import xlwt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facility_coverage.config.study import Table
from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers import workbook_xml
from facility_coverage.layers.columns import known_names, wanted_columns
from facility_coverage.layers.files import FileTable, read_file

ROWS = [
    ["编号", "名称", "床位数", "地址"],
    ["0110101", "永川区，中山路", "120张", "a,b;c|d\te"],
    ["0110102", '引号"站"', "", "两行\n地址"],
    ["0110103", "龙门𬒈镇", "45", "—"],  # the third character of the name is beyond GBK, not beyond GB18030
]


def read(path: Path, **options: Any) -> FileTable:
    table = Table(path=path, **options)
    known = known_names(table, wanted_columns(table, role="facilities"))
    return read_file(table, file=path.name, known=known)


def values(table: FileTable) -> list[list[str]]:
    return [list(table.frame.columns), *table.frame.to_numpy(dtype=object).tolist()]


def written(rows: Sequence[Sequence[str]], delimiter: str, newline: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=newline).writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("suffix", ["csv", "txt", "tsv"])
def test_text_tables(tmp_path: Path, encoding: str, delimiter: str, newline: str, suffix: str) -> None:
    path = tmp_path / f"stations.{suffix}"
    path.write_bytes(written(ROWS, delimiter, newline).encode(encoding))
    table = read(path)
    assert values(table) == ROWS
    assert table.frame.index.tolist() == [1, 2, 3]
    assert table.found["encoding"] == encoding
    assert table.found["delimiter"] == {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}[delimiter]
    assert table.found["heading row"] == "1"


def test_gbk_is_a_part_of_gb18030(tmp_path: Path) -> None:
    path = tmp_path / "stations.csv"
    path.write_bytes(written(ROWS[:3], ",", "\n").encode("gbk"))
    assert values(read(path)) == ROWS[:3]
    assert read(path, encoding="GBK").found["encoding"] == "gbk"


def test_the_study_names_an_encoding(tmp_path: Path) -> None:
    path = tmp_path / "stations.csv"
    path.write_bytes("編號,名稱\n1,臺北\n".encode("big5"))
    assert values(read(path, encoding="big5")) == [["編號", "名稱"], ["1", "臺北"]]


def test_decimal_commas_do_not_win_over_semicolons(tmp_path: Path) -> None:
    path = tmp_path / "stations.csv"
    path.write_text("编号;名称;面积\n1;甲;2,5\n2;乙;3,5\n3;丙;4,5\n", encoding="utf-8")
    assert values(read(path))[1] == ["1", "甲", "2,5"]


def test_a_single_column_needs_no_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "stations.csv"
    path.write_text("编号\n1\n2\n", encoding="utf-8")
    assert values(read(path)) == [["编号"], ["1"], ["2"]]


def test_rows_may_be_shorter_than_the_heading(tmp_path: Path) -> None:
    path = tmp_path / "stations.csv"
    path.write_text("编号,名称,床位\n1,甲\n\n2,乙,3\n", encoding="utf-8")
    assert values(read(path))[1:] == [["1", "甲", ""], ["2", "乙", "3"]]


TEXT = st.text(
    st.characters(categories=["L", "M", "N", "P", "S", "Zs"], include_characters="\n", exclude_characters="\ufeff"),
    max_size=12,
)
IDS = st.integers(0, 10**9).map(str)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    names = draw(st.lists(st.text(st.characters(categories=["L"]), min_size=1, max_size=6), max_size=4, unique=True))
    names = [f"列{name}" for name in names]
    row = st.tuples(IDS, *(TEXT for _ in names)).map(list)
    return [["编号", *names], *draw(st.lists(row, min_size=1, max_size=8))]


@given(tables(), st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_table_is_read_as_it_was_written(
    tmp_path: Path, rows: list[list[str]], delimiter: str, encoding: str
) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(written(rows, delimiter, "\r\n").encode(encoding))
    assert values(read(path)) == rows


CELLS = st.one_of(
    TEXT.map(lambda text: text.replace("\n", "") or "x").filter(lambda text: not text.startswith("=")),
    st.integers(-(10**14), 10**14),
    st.floats(-1e14, 1e14, allow_nan=False),
    st.booleans(),
    st.dates(dt.date(1950, 1, 1), dt.date(2100, 1, 1)),
    st.none(),
)


def shown(value: object) -> object:
    """Return what a cell's text stands for, as the spreadsheet's user sees it."""
    if value is None:
        return ""
    return str(value).upper() if isinstance(value, bool) else value


@given(st.lists(st.tuples(IDS, CELLS, CELLS).map(list), min_size=1, max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_any_spreadsheet_is_read_as_it_was_written(tmp_path: Path, rows: list[list[Any]]) -> None:
    book = openpyxl.Workbook()
    for row in [["编号", "甲", "乙"], *rows]:
        book.active.append(row)
    book.save(tmp_path / "any.xlsx")
    for got, meant in zip(values(read(tmp_path / "any.xlsx"))[1:], rows, strict=True):
        for text, value in zip(got, map(shown, meant), strict=True):
            if isinstance(value, int | float):
                assert float(text) == float(repr(value)) or text == format(value, ".16g")
            else:
                assert text == str(value)


def office_book() -> openpyxl.Workbook:
    """A table as an office keeps it: title, two heading rows, units, merged cells, a total and a note."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "养老机构"
    sheet.append(["附件1"])
    sheet.append(["永川区养老机构一览表（2025年）"])
    sheet.append([])
    sheet.append(["编号", "机构名称", "镇街", "位置", None, "级别", "床位数（张）", "日期"])
    sheet.append([None, None, None, "经度", "纬度", None, None, None])
    sheet.append([None, None, None, "°", "°", None, "张", None])
    sheet.append(["0110101", "甲", "中山路街道", 105.9, 29.3, "街道中心", "１２０张", dt.date(2025, 1, 2)])
    sheet.append(["0110102", "乙", None, "105.91", "29.31", "社区站", 1200, "2024年"])
    sheet.append([])
    sheet.append([500118, "丙", "胜利路街道", 105.92, 29.32, None, "无", dt.datetime(2025, 1, 2, 3, 4, 5)])
    sheet.append(["合 计", None, None, None, None, None, 1320])
    sheet.append(["注：数据截至2025年底"])
    for cells in ("A2:H2", "D4:E4", "C7:C8", "F8:F10", "A11:B11", *(f"{column}4:{column}5" for column in "ABCFGH")):
        sheet.merge_cells(cells)
    return book


def test_an_office_table(tmp_path: Path) -> None:
    office_book().save(tmp_path / "office.xlsx")
    table = read(tmp_path / "office.xlsx")
    assert values(table) == [
        ["编号", "机构名称", "镇街", "经度", "纬度", "级别", "床位数（张）", "日期"],
        ["0110101", "甲", "中山路街道", "105.9", "29.3", "街道中心", "１２０张", "2025-01-02"],
        ["0110102", "乙", "中山路街道", "105.91", "29.31", "社区站", "1200", "2024年"],
        ["500118", "丙", "胜利路街道", "105.92", "29.32", "社区站", "无", "2025-01-02 03:04:05"],
    ]
    assert table.frame.index.tolist() == [7, 8, 10]
    assert dict(table.found) == {
        "sheet": "养老机构",
        "heading row": "4–5",
        "rows skipped": "1 (above the heading), 2 (above the heading), 6 (units), 11 (total), 12 (note)",
    }


def test_hidden_and_empty_sheets_are_passed_over(tmp_path: Path) -> None:
    book = office_book()
    book.create_sheet("空表", 0)
    hidden = book.create_sheet("隐藏")
    hidden.append(["编号", "名称"])
    hidden.append(["9", "旧"])
    hidden.sheet_state = "hidden"
    book.save(tmp_path / "office.xlsx")
    assert read(tmp_path / "office.xlsx").found["sheet"] == "养老机构"
    assert values(read(tmp_path / "office.xlsx", layer="隐藏"))[1:] == [["9", "旧"]]


def test_groups_of_headings_are_joined_where_their_lower_names_repeat(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["编号", "床位", None, "托位", None])
    sheet.append([None, "总数", "护理型", "总数", "普惠"])
    sheet.append(["1", 10, 4, 20, 5])
    for cells in ("A1:A2", "B1:C1", "D1:E1"):
        sheet.merge_cells(cells)
    book.save(tmp_path / "groups.xlsx")
    assert values(read(tmp_path / "groups.xlsx"))[0] == ["编号", "床位/总数", "护理型", "托位/总数", "普惠"]


def test_the_study_names_the_heading_row(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["编号", "名称", "经度"], ["代号", "站名", "东经"], ["1", "甲", 105]):
        book.active.append(row)
    book.save(tmp_path / "two.xlsx")
    assert values(read(tmp_path / "two.xlsx"))[0] == ["编号", "名称", "经度"]
    assert values(read(tmp_path / "two.xlsx", header_row=2)) == [["代号", "站名", "东经"], ["1", "甲", "105"]]


def test_text_tables_may_have_titles_and_totals_too(tmp_path: Path) -> None:
    path = tmp_path / "title.csv"
    path.write_bytes("一览表\n\n编号,名称\n1,甲\n\n2,乙\n合计,2\n填表人：张三,\n".encode("gb18030"))
    table = read(path)
    assert values(table) == [["编号", "名称"], ["1", "甲"], ["2", "乙"]]
    assert table.frame.index.tolist() == [1, 2]
    assert table.found["rows skipped"] == "1 (above the heading), 7 (total), 8 (note)"
    assert values(read(path, header_row=3)) == values(table)


def test_a_column_without_a_heading_is_left_out_and_told(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["编号", "名称"], ["1", "甲", None, "已核实"], ["2", "乙"]):
        book.active.append(row)
    book.save(tmp_path / "remark.xlsx")
    table = read(tmp_path / "remark.xlsx")
    assert list(table.frame.columns) == ["编号", "名称"]
    assert table.found["columns without a heading"] == "D"


def test_formulas_are_their_stored_values(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["编号", "床位数", "备注"])
    book.active.append(["1", "=60*2", '=IF(1,"","x")'])
    book.save(tmp_path / "plain.xlsx")
    # As a spreadsheet program saves it: with values, of which that of a text may be empty.
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as old, zipfile.ZipFile(tmp_path / "formulas.xlsx", "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("sheet1.xml"):
                assert data.count(b"<v />") + data.count(b"<v></v>") + data.count(b"<v/>") == 2
                data = re.sub(rb'(<c r="B2"[^>]*>.*?)<v ?(?:/>|></v>)', rb"\1<v>120</v>", data)
                data = data.replace(b'<c r="C2"', b'<c r="C2" t="str"')
            new.writestr(name, data)
    assert values(read(tmp_path / "formulas.xlsx"))[1] == ["1", "120", ""]


def test_old_spreadsheets(tmp_path: Path) -> None:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("养老")
    book.add_sheet("空")
    sheet.write_merge(0, 0, 0, 3, "一览表")
    for col, name in enumerate(["编号", "名称", "镇街", "床位数"]):
        sheet.write(1, col, name)
    sheet.write_merge(2, 3, 2, 2, "中山路街道")
    for row, cells in ((2, ["0110101", "甲"]), (3, ["0110102", "乙"])):
        for col, value in enumerate(cells):
            sheet.write(row, col, value)
    sheet.write(2, 3, 120)
    sheet.write(3, 3, dt.date(2025, 1, 2), xlwt.easyxf(num_format_str="YYYY-MM-DD"))
    sheet.row(4).set_cell_boolean(0, value=True)
    book.save(str(tmp_path / "old.xls"))
    table = read(tmp_path / "old.xls")
    assert values(table)[1:] == [
        ["0110101", "甲", "中山路街道", "120"],
        ["0110102", "乙", "中山路街道", "2025-01-02"],
        ["TRUE", "", "", ""],
    ]
    assert table.frame.index.tolist() == [3, 4, 5]


def test_what_a_spreadsheet_is_its_bytes_tell(tmp_path: Path) -> None:
    office_book().save(tmp_path / "office.xlsx")
    renamed = (tmp_path / "office.xlsx").rename(tmp_path / "office.xls")
    assert len(read(renamed).frame) == 3


def places() -> gpd.GeoDataFrame:
    names = ["永川区中山路街道", "镇" * 100, None]
    return gpd.GeoDataFrame(
        {"名称": names, "机构床位数": ["一", "二", "ab"], "n": [1, 2, 3]},
        geometry=[shapely.Point(x, 29) for x in (105, 106, 107)],
        crs="EPSG:4490",
    )


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK", "GB18030"])
@pytest.mark.parametrize("cpg", ["as written", None, "UTF-8", "GBK", "936", "", "nonsense"])
def test_shapefiles_are_never_garbled(tmp_path: Path, encoding: str, cpg: str | None) -> None:
    path = tmp_path / "zones.shp"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # 300 bytes of UTF-8 are cut to the 254 that a field holds
        pyogrio.write_dataframe(places(), path, encoding=encoding)
    if cpg is None:
        path.with_suffix(".cpg").unlink()
    elif cpg != "as written":
        path.with_suffix(".cpg").write_text(cpg)
    frame = read(path).frame
    # A name holds ten bytes: five Chinese characters of two bytes, or three of three.
    second = "机构床位数" if encoding != "UTF-8" else "机构床"
    assert list(frame.columns) == ["名称", second, "n", "geometry"]
    assert frame["名称"].iloc[0] == "永川区中山路街道"
    assert set(frame["名称"].iloc[1]) == {"镇"}
    assert frame["名称"].isna().tolist() == [False, False, True]
    assert frame[second].tolist() == ["一", "二", "ab"]


def test_a_field_cut_within_a_character_loses_only_that(tmp_path: Path) -> None:
    path = tmp_path / "cut.dbf"
    text = ("中" * 4).encode("utf-8")[:10]
    name = "机构床位".encode()[:10]
    header = struct.pack("<B3BIHH20x", 3, 125, 1, 1, 2, 32 + 2 * 32 + 1, 1 + 10 + 3)
    field = struct.pack("<11sc4xBB14x", name, b"C", 10, 0) + struct.pack("<11sc4xBB14x", b"id", b"C", 3, 0)
    path.write_bytes(header + field + b"\r" + b" " * 11 + b"1  " + b" " + text + b"2  " + b"\x1a")
    frame = read(path).frame
    assert list(frame.columns) == ["机构床", "id"]
    assert frame["机构床"].iloc[1] == "中中中"


@pytest.mark.parametrize(
    ("suffix", "driver"), [("gpkg", "GPKG"), ("geojson", "GeoJSON"), ("fgb", "FlatGeobuf"), ("kml", "KML")]
)
def test_layers_for_gis(tmp_path: Path, suffix: str, driver: str) -> None:
    path = tmp_path / f"zones.{suffix}"
    places().to_crs(4326).to_file(path, driver=driver)
    frame = read(path).frame
    assert isinstance(frame, gpd.GeoDataFrame)
    frame = frame.sort_values("n")  # FlatGeobuf keeps rows in the order of its index
    assert frame.geometry.x.tolist() == pytest.approx([105, 106, 107], abs=1e-6)
    assert frame["名称"].iloc[0] == "永川区中山路街道"
    assert sorted(frame.index) == [1, 2, 3]


def test_parquet_with_and_without_geometry(tmp_path: Path) -> None:
    places().to_parquet(tmp_path / "a.parquet")
    pd.DataFrame(places().drop(columns="geometry")).to_parquet(tmp_path / "b.parquet")
    assert isinstance(read(tmp_path / "a.parquet").frame, gpd.GeoDataFrame)
    assert read(tmp_path / "b.parquet").frame["n"].tolist() == [1, 2, 3]


@cache
def whole_files() -> dict[str, bytes]:
    """A sound file of each kind, the same in every example."""
    new, old = io.BytesIO(), io.BytesIO()
    office_book().save(new)
    book = xlwt.Workbook(encoding="utf-8")
    book.add_sheet("a").write(0, 0, "编号")
    book.save(old)
    text = written(ROWS, ",", "\n").encode("gb18030")
    return {"csv": text, "xls": old.getvalue(), "xlsx": new.getvalue()}


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_a_file_with_wrong_bytes_is_a_table_or_a_fault(tmp_path: Path, data: st.DataObject) -> None:
    suffix = data.draw(st.sampled_from(["csv", "xls", "xlsx"]))
    content = bytearray(whole_files()[suffix])
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=5)):
        content[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    (tmp_path / f"wrong.{suffix}").write_bytes(content)
    faults: tuple[Fault, ...] = ()
    try:
        read(tmp_path / f"wrong.{suffix}")
    except LayerError as error:
        faults = error.faults
    assert all(str(fault).startswith(f"wrong.{suffix}: ") for fault in faults)


@pytest.mark.parametrize(
    "piece",
    [b"<c ", b'<c r="A1" t="e"/>', b'<c r="A1" t="e">', b'<c r="A1"><f>', b'<c r="A1" t="e"><f>x</f>', b'r="A1" '],
)
def test_no_sheet_takes_more_than_linear_time(piece: bytes) -> None:
    # With quadratic time each of these would take hours, not a fraction of a second.
    xml = b"<c " + piece * 200_000
    workbook_xml.holds_anything(xml)
    assert workbook_xml.too_far(xml) is None
    assert workbook_xml.unusable_cells(xml) == []
