"""Names and values of columns, and what each kind of bad table says."""
# ruff: noqa: E501 - a fault stands on one line, as it is printed

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import shapely
import xlwt
import yaml
from openpyxl.styles import Font

from facility_coverage.config.study import FacilityTable, Table
from facility_coverage.errors import LayerError
from facility_coverage.layers.columns import ALIASES, ZONE_NAMES
from facility_coverage.layers.contracts import SourceTable, to_count
from facility_coverage.layers.names import plain
from facility_coverage.layers.tables import read_table

STATIONS = "编号,机构名称,经度,纬度,级别,床位数（张）\n0110101,甲,105.9,29.3,街道中心,１２０张\n0110102,乙,105.91,29.31,社区站,\n"
TIERS = [{"id": "centre", "name": "c"}, {"id": "station", "name": "s"}]
WORDS = {"tier": {"街道中心": "centre", "社区站": "station"}}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def stations(text: str | bytes = STATIONS, *, name: str = "s.csv", **options: Any) -> SourceTable:
    path = Path(name).absolute()
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return read_stations(path, **options)


def read_stations(path: Path, **options: Any) -> SourceTable:
    chosen = {"path": path.absolute(), "datum": "cgcs2000", "kind": "elder_care", "capacity": ["beds"], **options}
    return read_table(FacilityTable.model_validate(chosen), role="facilities")


def said(call: Callable[[], object]) -> list[str]:
    with pytest.raises(LayerError) as error:
        call()
    return str(error.value).splitlines()


def test_an_office_table_needs_no_columns_key() -> None:
    source = stations(values=WORDS, tiers=TIERS)
    frame = source.frame
    assert frame["facility_id"].tolist() == ["0110101", "0110102"]
    assert frame["name"].tolist() == ["甲", "乙"]
    assert frame["tier"].tolist() == ["centre", "station"]
    assert frame.geometry.x.tolist() == [105.9, 105.91]
    beds, faults = to_count(source, "beds")
    np.testing.assert_array_equal(beds, [120, np.nan])
    assert faults == []
    assert source.found["aliases"] == (
        "编号: facility_id, 机构名称: name, 级别: tier, 床位数（张）: beds, 经度: lon, 纬度: lat"
    )


def test_only_needed_columns_are_renamed() -> None:
    source = stations(STATIONS.replace("级别", "等级"), capacity=[])
    assert {"等级", "床位数（张）"} <= set(source.frame.columns)
    assert {"tier", "beds"} & set(source.frame.columns) == set()


def test_an_alias_yields_to_our_name_and_to_the_study() -> None:
    ours = stations("facility_id,name,名称,lon,lat,beds\n1,a,甲,105,29,3\n")
    assert ours.frame["name"].tolist() == ["a"]
    assert ours.frame["名称"].tolist() == ["甲"]
    named = stations("facility_id,名称,简称,lon,lat,beds\n1,甲,j,105,29,3\n", columns={"简称": "name"})
    assert named.frame["name"].tolist() == ["j"]
    fixed = stations("facility_id,名称,lon,lat,beds\n1,甲,105,29,3\n", constants={"name": "站"})
    assert fixed.frame["name"].tolist() == ["站"]


@pytest.mark.parametrize(
    "written", ["床位数", "床 位 数", "床位数（张）", "床位数(个)", "ＢＥＤＳ", "Beds", "床位数 [张]", "床位\u3000数"]
)
def test_headings_are_compared_without_width_spaces_capitals_and_units(written: str) -> None:
    source = stations(f"编号,名称,经度,纬度,{written}\n1,甲,105,29,3\n")
    assert source.frame["beds"].tolist() == ["3"]
    mapped = stations(f"编号,名称,经度,纬度,{written}\n1,甲,105,29,3\n", capacity=["rooms"], columns={written: "rooms"})
    assert mapped.frame["rooms"].tolist() == ["3"]


def test_names_under_columns_may_differ_in_spaces_and_units() -> None:
    source = stations(
        "编号,名称,经度,纬度,可用 房间（间）\n1,甲,105,29,3\n", capacity=["rooms"], columns={"可用房间": "rooms"}
    )
    assert source.frame["rooms"].tolist() == ["3"]


def test_zones_are_known_by_more_names() -> None:
    frame = gpd.GeoDataFrame(
        {"XZQDM": ["500118001"], "镇街": ["中山路街道"], "城乡分类": ["城镇"]},
        geometry=[shapely.box(105, 29, 106, 30)],
        crs=4490,
    )
    frame.to_file("zones.gpkg")
    table = Table(path=Path("zones.gpkg").absolute(), values={"area_type": {"城镇": "urban"}})
    source = read_table(table, role="zones")
    assert source.frame[["zone_id", "name", "area_type"]].to_numpy().tolist() == [["500118001", "中山路街道", "urban"]]


def test_a_town_is_no_name_of_a_facility() -> None:
    source = stations("编号,名称,镇街,经度,纬度,床位\n1,甲,中山路,105,29,3\n")
    assert source.frame[["name", "镇街"]].to_numpy().tolist() == [["甲", "中山路"]]


def test_no_two_columns_of_one_layer_share_an_alias() -> None:
    for names in (
        ("facility_id", "name", "tier", "beds", "nursing_beds", "slots", "seats", "staff"),
        ("zone_id", "name", "area_type", "total"),
    ):
        known = [
            plain(alias) for name in (*names, "lon", "lat", "x", "y", "address") for alias in (name, *ALIASES[name])
        ]
        assert sorted(known) == sorted(set(known))
    assert not {plain(name) for name in ZONE_NAMES} & {
        plain(alias) for aliases in ALIASES.values() for alias in aliases
    }


def test_values_are_mapped_and_valid_ones_stay() -> None:
    text = STATIONS + "3,丙,105,29,station,1\n4,丁,105,29,社 区 站,1\n5,戊,105,29,,1\n"
    source = stations(text, values=WORDS, tiers=TIERS)
    assert source.frame["tier"].tolist() == ["centre", "station", "station", "station", ""]
    by_own_name = stations(STATIONS, values={"级别": {"街道中心": "a", "社区站": "b"}})
    assert by_own_name.frame["级别"].tolist() == ["a", "b"]


def test_where_sees_the_values_of_the_file() -> None:
    source = stations(values=WORDS, tiers=TIERS, where={"级别": "社区站"})
    assert source.frame["tier"].tolist() == ["station"]
    assert source.frame.index.tolist() == [2]


def test_numbers_may_be_codes_of_values() -> None:
    text = STATIONS.replace("街道中心", "1").replace("社区站", "2.0")
    assert stations(text, values={"tier": {"1": "centre", "2.0": "station"}}, tiers=TIERS).frame["tier"].tolist() == [
        "centre",
        "station",
    ]


def test_faults_of_a_spreadsheet_name_its_own_rows() -> None:
    book = openpyxl.Workbook()
    for row in (
        ["一览表"],
        [],
        ["编号", "名称", "经度", "纬度", "床位数"],
        ["1", "甲", 105, 29, 3],
        [],
        ["2", "乙", "东", 29, "约3"],
    ):
        book.active.append(row)
    book.save("s.xlsx")
    assert said(lambda: read_stations(Path("s.xlsx"))) == [
        "s.xlsx: row 6, column 'lon': '东' is not a coordinate; correct or remove the row"
    ]
    book.active["C6"] = 105
    book.save("s.xlsx")
    _, faults = to_count(read_stations(Path("s.xlsx")), "beds")
    assert list(map(str, faults)) == [
        "s.xlsx: row 6, column 'beds': '约3' is not a number; give digits, as in 120, 1,200, 1.2万 or 120张, or leave it empty"
    ]


def test_coordinates_may_be_full_width_but_have_no_units() -> None:
    source = stations(STATIONS.replace("105.9,", "１０５．９,"))
    assert source.frame.geometry.x.iloc[0] == 105.9
    wrong = said(lambda: stations(STATIONS.replace("105.9,", "105.9人,")))
    assert wrong == ["s.csv: row 1, column 'lon': '105.9人' is not a coordinate; correct or remove the row"]


ROW = "1,甲,105,29,街道中心,3\n"
HEAD = "编号,名称,经度,纬度,级别,床位数\n"

BAD: list[tuple[str | bytes, dict[str, Any], list[str]]] = [
    # text tables
    ("", {}, ["s.csv: the layer is empty (0 rows)"]),
    (HEAD, {}, ["s.csv: the layer is empty (0 rows)"]),
    (HEAD + "合计,,,,,3\n", {}, ["s.csv: the layer is empty (0 rows)"]),
    (
        HEAD + ROW.replace("\n", ",5\n"),
        {},
        [
            "s.csv: row 1: has more fields than the heading row, which has 6; put fields that hold the delimiter in quotes"
        ],
    ),
    (
        HEAD + ROW * 60 + ROW.replace("\n", ",5\n"),
        {},
        [
            "s.csv: row 61: has more fields than the heading row, which has 6; put fields that hold the delimiter in quotes"
        ],
    ),
    (
        HEAD + '1,"甲,105,29,街道中心,3\n',
        {},
        [
            "s.csv: is not a CSV table: Error tokenizing data. C error: EOF inside string starting at row 1; close every quote"
        ],
    ),
    (
        "編號,名稱\n1,臺北\n".encode("big5"),
        {},
        ["s.csv: is not text in utf-8 or gb18030; save it as CSV UTF-8, or name its encoding under `encoding:`"],
    ),
    (
        (HEAD + ROW).encode("gb18030"),
        {"encoding": "utf-8"},
        ["s.csv: is not text in utf-8; save it as CSV UTF-8, or name its encoding under `encoding:`"],
    ),
    (
        b"\x00\x01\x02\xff\xfe",
        {},
        ["s.csv: is not text in utf-8 or gb18030; save it as CSV UTF-8, or name its encoding under `encoding:`"],
    ),
    (HEAD + ROW, {"encoding": "hex"}, ["s.csv: encoding 'hex' is not known; name one such as utf-8, gb18030 or big5"]),
    (
        HEAD + ROW,
        {"encoding": "nope"},
        ["s.csv: encoding 'nope' is not known; name one such as utf-8, gb18030 or big5"],
    ),
    (
        "a,b;c\n1,2;3\n",
        {},
        ["s.csv: the delimiter is in doubt: comma or semicolon; put fields that hold another delimiter in quotes"],
    ),
    # heading rows
    (
        HEAD + HEAD + ROW,
        {},
        [
            "s.csv: the heading row is in doubt; name it under `header_row:` "
            "(row 1: '编号', '名称', '经度', '纬度', '级别', '床位数'; row 2: '编号', '名称', '经度', '纬度', '级别', '床位数')"
        ],
    ),
    (
        "一览表\n甲,乙,丙\n1,2,3\n",
        {},
        [
            "s.csv: the heading row is in doubt; name it under `header_row:` "
            "(row 1: '一览表'; row 2: '甲', '乙', '丙'; row 3: '1', '2', '3')"
        ],
    ),
    (
        "\n" + HEAD + ROW,
        {"header_row": 1},
        ["s.csv: header_row names row 1, which is empty; the first row with anything in it is 2"],
    ),
    (
        HEAD + ROW,
        {"header_row": 9},
        ["s.csv: header_row names row 9, which is empty; the first row with anything in it is 1"],
    ),
    (
        HEAD.replace("级别", "名称") + ROW,
        {},
        ["s.csv: column '名称': two columns have this name; rename one"],
    ),
    (
        HEAD + ROW + "小计,,,,,3\n" + ROW + "合计,,,,,6\n",
        {},
        ["s.csv: row 2: '小计' is a row of totals; remove it: totals are skipped only at the end of the table"],
    ),
    # names
    (
        HEAD.replace("级别", "机构名称") + ROW,
        {},
        ["s.csv: columns '名称' and '机构名称' could both be 'name'; name one under `columns:`, e.g. {名称: name}"],
    ),
    (
        HEAD.replace("级别", "床位") + ROW,
        {},
        ["s.csv: columns '床位' and '床位数' could both be 'beds'; name one under `columns:`, e.g. {床位: beds}"],
    ),
    (
        HEAD.replace("床位数", "床位数（万张）") + ROW,
        {},
        ["s.csv: column '床位数（万张）': is in 万张; give single units: nothing is multiplied unasked"],
    ),
    (
        HEAD.replace("床位数", "老人（百人）") + ROW,
        {"columns": {"老人（百人）": "beds"}},
        ["s.csv: column '老人（百人）': is in 百人; give single units: nothing is multiplied unasked"],
    ),
    (
        HEAD + ",,°,°,,千张\n" + ROW,
        {},
        ["s.csv: column '床位数（千张）': is in 千张; give single units: nothing is multiplied unasked"],
    ),
    (
        HEAD + ROW,
        {"columns": {"房间": "rooms"}},
        [
            "s.csv: column '房间' is missing; name it under `columns:` or give it under `constants:`; "
            "the file has '编号', '名称', '经度', '纬度', '级别', '床位数'"
        ],
    ),
    (
        HEAD + ROW,
        {"columns": {"名称": "name", "级别": "name"}},
        ["s.csv: two columns are to be called 'name'; see `columns:`"],
    ),
    # values
    (
        HEAD + ROW + ROW.replace("街道中心", "村级点"),
        {"values": WORDS, "tiers": TIERS},
        [
            "s.csv: row 2, column 'tier': '村级点' is none of '街道中心', '社区站', 'centre', 'station'; "
            "map it under `values: {tier: …}`; the column holds '村级点' (1), '街道中心' (1)"
        ],
    ),
    (
        HEAD + ROW,
        {"values": {"area_type": {"城镇": "urban"}}},
        [
            "s.csv: column 'area_type' is missing; name it under `columns:` or give it under `constants:`; "
            "the file has 'facility_id', 'name', 'lon', 'lat', '级别', 'beds'"
        ],
    ),
    (
        HEAD + ROW.replace("105,", "东,").replace("街道中心", "甲级"),
        {"values": WORDS, "tiers": TIERS},
        [
            "s.csv: row 1, column 'tier': '甲级' is none of '街道中心', '社区站', 'centre', 'station'; "
            "map it under `values: {tier: …}`; the column holds '甲级' (1)",
            "s.csv: row 1, column 'lon': '东' is not a coordinate; correct or remove the row",
        ],
    ),
]


@pytest.mark.parametrize(("text", "options", "faults"), BAD, ids=[faults[0][7:60] for _, _, faults in BAD])
def test_bad_text_tables(text: str | bytes, options: dict[str, Any], faults: list[str]) -> None:
    assert said(lambda: stations(text, **options)) == faults


@pytest.mark.parametrize(
    ("name", "data", "fault"),
    [
        ("s.xlsx", b"", "s.xlsx: is not a spreadsheet, whatever its name says; save it as .xlsx"),
        ("s.xls", b"<html><table></table></html>", "s.xls: is not a spreadsheet, whatever its name says; save it as .xlsx"),
        ("s.xlsx", b"PK\x03\x04 and no more", "s.xlsx: cannot be read: File is not a zip file; save it anew as .xlsx"),
        ("s.ods", b"", "s.ods: .ods files are not read; save it as .xlsx, or as CSV UTF-8"),
        ("s.et", b"", "s.et: .et files are not read; save it as .xlsx, or as CSV UTF-8"),
        ("s.geojson", '{"type": "Feature", "properties": {"名": "永川"}, "geometry": null}'.encode("gb18030"),
         "s.geojson: holds text that is not UTF-8; save it anew as UTF-8"),
        ("s.shp", b"", "s.shp: its part s.shx is missing; copy the .shp together with its .shx, .dbf, .prj and .cpg"),
    ],
)  # fmt: skip
def test_bad_files(name: str, data: bytes, fault: str) -> None:
    assert said(lambda: stations(data, name=name))[0] == fault


def test_damaged_spreadsheets_are_faults_wherever_they_end() -> None:
    book = openpyxl.Workbook()
    for row in [["编号", "名称"]] + [[str(i), "甲"] for i in range(50)]:
        book.active.append(row)
    book.save("s.xlsx")
    old = xlwt.Workbook(encoding="utf-8")
    sheet = old.add_sheet("a")
    for row in range(50):
        sheet.write(row, 0, f"甲{row}")
    old.save("s.xls")
    for name in ("s.xlsx", "s.xls"):
        whole = Path(name).read_bytes()
        for part in range(1, 12):
            Path(name).write_bytes(whole[: len(whole) * part // 12])
            assert all(fault.startswith(f"{name}: ") for fault in said(lambda name=name: read_stations(Path(name))))


def test_a_locked_spreadsheet() -> None:
    Path("s.xlsx").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(508) + "EncryptedPackage".encode("utf-16-le"))
    assert said(lambda: read_stations(Path("s.xlsx"))) == ["s.xlsx: is locked by a password; save it without one"]


def workbook(**cells: object) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.active.title = "养老"
    for row in (["编号", "名称", "经度", "纬度", "床位数"], ["1", "甲", 105, 29, 3], ["2", "乙", 105, 29, 4]):
        book.active.append(row)
    for place, value in cells.items():
        book.active[place] = value
    return book


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"E3": "#N/A"}, "s.xlsx: row 3, column '床位数': cell E3 holds the error #N/A; correct the formula, or empty the cell"),
        ({"E2": "#REF!"}, "s.xlsx: row 2, column '床位数': cell E2 holds the error #REF!; correct the formula, or empty the cell"),
        ({"G2": "#DIV/0!"}, "s.xlsx: row 2: cell G2 holds the error #DIV/0!; correct the formula, or empty the cell"),
        ({"E2": "=1+1"}, "s.xlsx: row 2, column '床位数': cell E2 holds a formula without a value; "
         "open the file in a spreadsheet program and save it"),
        ({"A2": 123456789012345678}, "s.xlsx: row 2, column '编号': the number in cell A2 has more digits than a spreadsheet keeps; "
         "format the cell as text and type it anew"),
        ({"XFD1048576": "x"}, "s.xlsx: the sheet reaches to cell XFD1048576; delete what stands apart"),
    ],
)  # fmt: skip
def test_cells_that_cannot_be_used(cells: dict[str, object], fault: str) -> None:
    workbook(**cells).save("s.xlsx")
    assert said(lambda: read_stations(Path("s.xlsx"))) == [fault]


def test_formats_alone_may_reach_to_the_last_row() -> None:
    book = workbook()
    book.active["XFD1048576"].font = Font(bold=True)
    book.save("s.xlsx")
    assert len(read_stations(Path("s.xlsx")).frame) == 2


def test_errors_in_a_row_of_totals_do_no_harm() -> None:
    workbook(A4="合计", E4="#REF!").save("s.xlsx")
    assert len(read_stations(Path("s.xlsx")).frame) == 2


def test_a_merged_number_is_not_counted_twice_in_silence() -> None:
    book = workbook()
    book.active.merge_cells("E2:E3")
    book.save("s.xlsx")
    assert said(lambda: read_stations(Path("s.xlsx"))) == [
        "s.xlsx: row 2: the number in E2 stands in cells merged down to row 3; undo the merge and give each row its own value"
    ]


def test_which_sheet_is_meant() -> None:
    book = workbook()
    book.create_sheet("托育")["A1"] = "编号"
    book.save("s.xlsx")
    assert said(lambda: read_stations(Path("s.xlsx"))) == [
        "s.xlsx: holds several sheets; name one under `layer:` ('养老', '托育')"
    ]
    assert said(lambda: read_stations(Path("s.xlsx"), layer="学校")) == [
        "s.xlsx: has no sheet '学校'; name one under `layer:` ('养老', '托育')"
    ]
    assert len(read_stations(Path("s.xlsx"), layer="养老").frame) == 2


def test_a_book_of_nothing() -> None:
    openpyxl.Workbook().save("s.xlsx")
    assert said(lambda: read_stations(Path("s.xlsx"))) == [
        "s.xlsx: has no visible sheet that holds anything; name one under `layer:`"
    ]


def test_an_error_of_an_old_spreadsheet() -> None:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("a")
    for col, name in enumerate(["编号", "名称", "经度", "纬度", "床位数"]):
        sheet.write(0, col, name)
        sheet.write(1, col, 100 if col != 3 else 29)
    sheet.row(2).set_cell_error(4, 0x2A)
    book.save("s.xls")
    assert said(lambda: read_stations(Path("s.xls"))) == [
        "s.xls: row 3, column '床位数': cell E3 holds the error #N/A; correct the formula, or empty the cell"
    ]


def shapefile(text: str, encoding: str, cpg: str) -> Path:
    frame = gpd.GeoDataFrame({"name": [text], "ID": ["1"], "beds": [1]}, geometry=[shapely.Point(105, 29)], crs=4490)
    frame.to_file("s.shp", encoding=encoding)
    Path("s.cpg").write_text(cpg)
    return Path("s.shp")


def test_a_shapefile_whose_encoding_is_in_doubt() -> None:
    path = shapefile("永川区", "GBK", "ISO-8859-1")
    assert said(lambda: read_stations(path, datum=None)) == [
        "s.shp: its .cpg says iso8859-1, but its text also reads as gb18030 ('永川区'); name the right one under `encoding:`"
    ]
    source = read_stations(path, datum=None, encoding="gb18030")
    assert source.frame["name"].tolist() == ["永川区"]
    assert source.found["encoding"] == "gb18030"
    assert said(lambda: read_stations(path, datum=None, encoding="utf-8")) == [
        "s.shp: holds text that is not utf-8; correct `encoding:`, or remove it"
    ]


def test_a_shapefile_of_other_letters() -> None:
    path = shapefile("Évian é", "ISO-8859-1", "ISO-8859-1")
    assert read_stations(path, datum=None).frame["name"].tolist() == ["Évian é"]
    Path("s.cpg").unlink()
    assert said(lambda: read_stations(path, datum=None)) == [
        "s.shp: holds text that is none of utf-8, gb18030; name its encoding under `encoding:`"
    ]


def test_options_that_would_change_nothing() -> None:
    gpd.GeoDataFrame({"name": ["a"]}, geometry=[shapely.Point(105, 29)], crs=4490).to_file("s.gpkg")
    assert said(lambda: read_stations(Path("s.gpkg"), datum=None, header_row=2, encoding="gbk")) == [
        "s.gpkg: `header_row:` is for spreadsheets and text tables; remove it",
        "s.gpkg: `encoding:` is for text tables and shapefiles; remove it",
    ]


def test_the_example_of_the_documentation_is_read_as_it_says() -> None:
    page = (Path(__file__).parents[2] / "docs" / "tables.md").read_text(encoding="utf-8").split("## Kinds of files")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("| **")
    ]
    book = openpyxl.Workbook()
    book.active.title = "养老机构"
    for number, (row, *cells) in enumerate(rows, 1):
        assert row == f"**{number}**"
        book.active.append([None if cell in {"", "*(merged)*"} else cell for cell in cells])
    book.active.merge_cells("C4:C5")
    book.save("台账.xlsx")
    layer = yaml.safe_load(page.split("```yaml\n")[1].split("```")[0])["facilities"][0]
    keys = ("layer", "datum", "values", "tiers", "capacity", "kind")
    table = {key: layer[key] for key in keys} | {"path": Path("台账.xlsx").absolute(), "datum": "wgs84"}
    source = read_table(FacilityTable.model_validate(table), role="facilities")
    assert source.frame.index.tolist() == [4, 5, 6]
    assert source.frame["facility_id"].tolist() == ["0110101", "0110102", "0110103"]
    assert source.frame["镇街"].tolist() == ["河滨街道", "河滨街道", "南山镇"]
    assert source.frame["tier"].tolist() == ["centre", "station", "station"]
    np.testing.assert_array_equal(to_count(source, "beds")[0], [1200, 45, np.nan])
    np.testing.assert_array_equal(source.frame.geometry.x, [105.9, 105.91, 105.95])
    assert source.found["rows skipped"] == "1 (above the heading), 7 (total), 8 (note)"
