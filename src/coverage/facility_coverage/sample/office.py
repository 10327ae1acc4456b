"""The sample as an office would send it: spreadsheets and a shapefile with Chinese headers, in other datums."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path

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

Rows = Sequence[Sequence[str | float | None]]


def write_office(
    folder: Path,
    *,
    zones: gpd.GeoDataFrame,
    elder_care: gpd.GeoDataFrame,
    childcare: gpd.GeoDataFrame,
    medical: gpd.GeoDataFrame,
) -> None:
    """Write the tables of the sample, given in WGS 84, as an office keeps them.

    ``设施台账.xlsx`` holds elder care and medical care in GCJ-02, with title and unit rows above the data and a sum
    below; ``托育机构.csv`` is GB18030 text in BD-09; ``镇街.shp`` lies in CGCS2000, with a GBK table.
    """
    folder.mkdir(parents=True)
    _write_workbook(folder / "设施台账.xlsx", elder_care, medical)
    _write_text(folder / "托育机构.csv", childcare)
    _write_zones(folder / "镇街.shp", zones)


def _write_workbook(file: Path, elder_care: gpd.GeoDataFrame, medical: gpd.GeoDataFrame) -> None:
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(file), options) as book:
        book.set_properties({"title": "合成样例", "comments": "Synthetic sample data", "created": _DAY})
        bold = book.add_format({"bold": True, "align": "center"})
        for name, frame, tiers, columns in (
            ("养老服务设施", elder_care, ELDER_TIERS, {"beds": "床位数（张）", "nursing_beds": "护理型床位（张）"}),
            ("医疗机构", medical, MEDICAL_TIERS, {"beds": "床位数（张）"}),
        ):
            sheet = book.add_worksheet(name)
            header = ["序号", "机构编号", "机构名称", "级别", *columns.values(), "经度", "纬度"]
            sheet.merge_range(0, 0, 0, len(header) - 1, f"永川区{name}台账（合成样例数据）", bold)
            sheet.write_string(1, 0, "填报单位：（样例）")
            sheet.write_string(1, len(header) - 2, "截至2025年12月31日")
            for at, title in enumerate(header):
                sheet.write_string(2, at, title, bold)
            for number, row in enumerate(_ledger(frame, tiers, list(columns)), start=1):
                _write_row(sheet, 2 + number, [float(number), *row])
            last = 3 + len(frame)
            sheet.write_string(last, 1, "合计")
            for at, column in enumerate(columns, start=4):
                sheet.write_number(last, at, float(frame[column].sum()))


def _ledger(frame: gpd.GeoDataFrame, tiers: Mapping[str, str], columns: Sequence[str]) -> Rows:
    """Return the rows of a ledger; every tenth count is written as people write it."""
    places = _written(frame, "gcj02")
    counts = {column: [_count(at, value) for at, value in enumerate(frame[column])] for column in columns}
    table = pd.DataFrame(
        {"id": frame["facility_id"], "name": frame["name"], "tier": frame["tier"].map(tiers), **counts,
         "lon": places[:, 0], "lat": places[:, 1]}
    )  # fmt: skip
    return [tuple(row) for row in table.itertuples(index=False)]


def _count(at: int, value: float) -> str | float | None:
    if np.isnan(value):
        return "" if at % 2 else "—"
    if at % 10 == 3:
        return f"{value:.0f}张"
    if at % 10 == 7:
        return f"{value:.0f}".translate({ord("0") + digit: ord("０") + digit for digit in range(10)})
    return float(value)


def _write_row(sheet: xlsxwriter.worksheet.Worksheet, at: int, row: Sequence[str | float | None]) -> None:
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
