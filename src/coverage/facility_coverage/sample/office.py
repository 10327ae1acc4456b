"""The sample as an office would send it: spreadsheets and a shapefile with Chinese headers, in other datums."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
import xlsxwriter

from facility_coverage.config.study import Datum
from facility_coverage.layers.datum import from_wgs84
from facility_coverage.layers.model import Floats

#: CGCS2000 in the 3-degree zone 35 (central meridian 105° E), whose eastings begin with the zone's number.
ZONE_CRS = "EPSG:4523"
#: Coordinates to a tenth of a millimetre: what is read back is what the clean sample holds.
_DIGITS = 9
_DAY = dt.datetime(2025, 12, 31, tzinfo=dt.UTC)

ELDER_TIERS = {
    "street_centre": "街道养老服务中心",
    "town_centre": "镇养老服务中心",
    "station": "社区养老服务站",
    "village_point": "村级互助养老点",
}
MEDICAL_TIERS = {"hospital": "医院", "health_centre": "卫生院/社区卫生服务中心", "clinic": "诊所/村卫生室"}
AREA_TYPES = {"urban": "城镇", "rural": "乡村"}
YES_NO = {True: "是", False: "否"}

Cell = str | float | None
Rows = Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class _Sheet:
    """A sheet of the workbook.

    Attributes
    ----------
    name
        Of the sheet.
    columns
        Our columns and their headings, in the order of the sheet.
    counts
        Those that have a sum below.
    words
        Column → what is written for its values; numbers and texts without words are written as they are.
    """

    name: str
    columns: Mapping[str, str]
    counts: Sequence[str]
    words: Mapping[str, Mapping[Any, str]]


_SHEETS = {
    "elder_care": _Sheet(
        "养老服务设施",
        {
            "tier": "级别", "beds": "床位数（张）", "nursing_beds": "护理型床位（张）", "quality_passed": "质量达标",
            "contracted": "签约医疗机构", "opened": "启用年份", "address": "地址",
        },
        ("beds", "nursing_beds"),
        {"tier": ELDER_TIERS, "quality_passed": YES_NO, "contracted": YES_NO},
    ),
    "medical": _Sheet(
        "医疗机构",
        {"tier": "级别", "beds": "床位数（张）", "sub_centre": "医疗次中心", "opened": "启用年份", "address": "地址"},
        ("beds",),
        {"tier": MEDICAL_TIERS, "sub_centre": YES_NO},
    ),
    "kindergarten": _Sheet(
        "幼儿园",
        {"places": "学位数（个）", "inclusive": "普惠", "public": "办园性质"},
        ("places",),
        {"inclusive": YES_NO, "public": {True: "公办", False: "民办"}},
    ),
}  # fmt: skip


def write_office(folder: Path, *, zones: gpd.GeoDataFrame, services: Mapping[str, gpd.GeoDataFrame]) -> None:
    """Write zones and services of the sample, given in WGS 84, as an office keeps them.

    ``设施台账.xlsx`` holds elder care, medical care and kindergartens in GCJ-02, with title and unit rows above the
    data and a sum below; ``托育机构.csv`` is GB18030 text in BD-09; ``镇街.shp`` lies in CGCS2000, with a GBK table.
    """
    folder.mkdir(parents=True)
    _write_workbook(folder / "设施台账.xlsx", services)
    _write_text(folder / "托育机构.csv", services["childcare"])
    _write_zones(folder / "镇街.shp", zones)


def _write_workbook(file: Path, services: Mapping[str, gpd.GeoDataFrame]) -> None:
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(file), options) as book:
        book.set_properties({"title": "合成样例", "comments": "Synthetic sample data", "created": _DAY})
        bold = book.add_format({"bold": True, "align": "center"})
        for layer, form in _SHEETS.items():
            frame, sheet = services[layer], book.add_worksheet(form.name)
            header = ["序号", "机构编号", "机构名称", *form.columns.values(), "经度", "纬度"]
            sheet.merge_range(0, 0, 0, len(header) - 1, f"永川区{form.name}台账（合成样例数据）", bold)
            sheet.write_string(1, 0, "填报单位：（样例）")
            sheet.write_string(1, len(header) - 2, "截至2025年12月31日")
            for at, title in enumerate(header):
                sheet.write_string(2, at, title, bold)
            for number, row in enumerate(_ledger(frame, form), start=1):
                _write_row(sheet, 2 + number, [float(number), *row])
            last = 3 + len(frame)
            sheet.write_string(last, 1, "合计")
            for column in form.counts:
                sheet.write_number(last, header.index(form.columns[column]), float(frame[column].sum()))


def _ledger(frame: gpd.GeoDataFrame, form: _Sheet) -> Rows:
    """Return the rows of a ledger; every tenth count is written as people write it."""
    columns = [frame["facility_id"], frame["name"]]
    for name in form.columns:
        if name in form.counts:
            unit = form.columns[name][-2]
            columns.append([_count(at, value, unit) for at, value in enumerate(frame[name])])
        else:
            columns.append([_cell(value, form.words.get(name)) for value in frame[name]])
    return list(zip(*columns, *_written(frame, "gcj02").T.tolist(), strict=True))


def _cell(value: Any, words: Mapping[Any, str] | None) -> Cell:
    """Return what is written into a cell; nothing where nothing is known."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return value if words is None else words[value]


def _count(at: int, value: float, unit: str) -> Cell:
    if np.isnan(value):
        return "" if at % 2 else "—"
    if at % 10 == 3:
        return f"{value:.0f}{unit}"
    if at % 10 == 7:
        return f"{value:.0f}".translate({ord("0") + digit: ord("０") + digit for digit in range(10)})
    return float(value)


def _write_row(sheet: xlsxwriter.worksheet.Worksheet, at: int, row: Sequence[Cell]) -> None:
    for column, value in enumerate(row):
        if isinstance(value, str):
            sheet.write_string(at, column, value)
        elif value is not None:
            sheet.write_number(at, column, value)


def _write_text(file: Path, childcare: gpd.GeoDataFrame) -> None:
    places = _written(childcare, "bd09")
    table = pd.DataFrame(
        {
            "机构编号": childcare["facility_id"],
            "机构名称": childcare["name"],
            "托位数": [f"{slots:.0f}个" for slots in childcare["slots"]],
            "普惠": [_cell(value, YES_NO) for value in childcare["inclusive"]],
            "示范": [_cell(value, YES_NO) for value in childcare["demonstration"]],
            "启用年份": [f"{year:.0f}" if year > 0 else "" for year in childcare["opened"]],
            "经度": [f"{lon:.{_DIGITS}f}" for lon in places[:, 0]],
            "纬度": [f"{lat:.{_DIGITS}f}" for lat in places[:, 1]],
        }
    )
    table.to_csv(file, index=False, encoding="gb18030", lineterminator="\r\n")


def _written(frame: gpd.GeoDataFrame, datum: Datum) -> Floats:
    """Return the places of a layer in WGS 84 in another datum, degrees, shape (rows, 2)."""
    places = from_wgs84(np.round(shapely.get_coordinates(frame.geometry.to_numpy()), 6), datum)
    return np.round(places, _DIGITS)


def _write_zones(file: Path, zones: gpd.GeoDataFrame) -> None:
    rounded = shapely.transform(zones.geometry.to_numpy(), lambda xy: np.round(xy, 6))
    frame = gpd.GeoDataFrame(
        {
            "镇街代码": zones["zone_id"],
            "镇街名称": zones["name"],
            "城乡": zones["area_type"].map(AREA_TYPES),
            "区县代码": zones["district_id"],
            "老年占比": zones["share_60_plus"],
            "婴幼占比": zones["share_0_2"],
        },
        geometry=rounded,
        crs="EPSG:4490",
    ).to_crs(ZONE_CRS)
    pyogrio.write_dataframe(
        frame, file, encoding="GBK", layer_options={"DBF_DATE_LAST_UPDATE": _DAY.date().isoformat()}
    )
    file.with_suffix(".cpg").unlink(missing_ok=True)  # as many programs leave it out
