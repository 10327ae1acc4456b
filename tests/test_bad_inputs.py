"""Bad inputs of every kind: the whole of what is said, exit code 2, and nothing written."""
# ruff: noqa: E501 - a fault stands on one line, as it is printed

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import rasterio
import shapely

from facility_coverage import cli
from small_study import CRS, SIDE, X0, Y0, edit, facilities, roads, stations, write_population, write_small, zones

STATIONS = facilities()
ROWS = [
    ["facility_id", "name", "beds", "lon", "lat"],
    *STATIONS.astype(object).where(STATIONS != "", None).to_numpy().tolist(),
]
STAGES = ("read study", "read layers", "build networks")
CASES = []


def says(*lines: str) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    """Mark a way to break the small study, with the faults it must be told, one a line."""

    def mark(break_it: Callable[[Path], None]) -> Callable[[Path], None]:
        CASES.append(pytest.param(break_it, lines, id=break_it.__name__))
        return break_it

    return mark


def put(small: Path, content: str | bytes, name: str = "stations.csv") -> None:
    (small.parent / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def of_study(small: Path, **keys: object) -> None:
    edit(small, lambda study: study.update(keys))


def of_layer(small: Path, **keys: object) -> None:
    edit(small, lambda study: study["facilities"][0].update(keys))


def of_zones(small: Path, **columns: list[object]) -> None:
    zones().assign(**columns).to_file(small.parent / "zones.geojson")


@says(
    "small.yaml:2:8: not valid YAML: mapping values are not allowed here",
)
def yaml_unclosed(small: Path) -> None:
    small.write_text("id: small\n  title: [unclosed\n\t- x", encoding="utf-8")


@says(
    "small.yaml:1:1: a mapping of keys is needed, found a list",
)
def yaml_list(small: Path) -> None:
    small.write_text("- a\n- b\n")


@says(
    "small.yaml:1:1: the file is empty",
)
def yaml_empty(small: Path) -> None:
    small.write_text("")


@says(
    "small.yaml:24:1: date: the key 'date' is given twice; it stands in line 2 already",
)
def yaml_twice(small: Path) -> None:
    small.write_text(small.read_text() + "date: 2024-01-01\n")


@says(
    "small.yaml:10:9: the file is not UTF-8 text; save it with encoding UTF-8",
)
def yaml_gbk(small: Path) -> None:
    small.write_bytes(small.read_text().encode("gb18030"))


@says(
    "small.yaml:6:3: facilities.0.colour: the key 'colour' is not known; did you mean 'columns'?",
)
def yaml_unknown_key(small: Path) -> None:
    of_layer(small, colour="red")


@says(
    "small.yaml:4:3: facilities.0.cutoff_min: the key 'cutoff_min' is missing",
    "small.yaml:6:3: facilities.0.cutof_min: the key 'cutof_min' is not known; did you mean 'cutoff_min'?",
)
def yaml_misspelt_key(small: Path) -> None:
    edit(small, lambda study: study["facilities"][0].update(cutof_min=study["facilities"][0].pop("cutoff_min")))


@says(
    "small.yaml:1:1: population: the key 'population' is missing",
)
def yaml_missing(small: Path) -> None:
    edit(small, lambda study: study.pop("population"))


@says(
    "small.yaml:2:7: date: 2025 is not a date; write it like 2025-12-31",
)
def yaml_date(small: Path) -> None:
    of_study(small, date=2025)


@says(
    "small.yaml:13:5: id: '../evil' is not a usable name; start with a letter; then letters, digits and _ (small letters, at most 63 in all)",
)
def yaml_id(small: Path) -> None:
    of_study(small, id="../evil")


@says(
    "small.yaml:12:12: facilities.0.profile: 'eldr' is not one of 'adult', 'ambulance', 'car', 'carer_with_pushchair', 'elder', 'wheelchair'; did you mean 'elder'?",
)
def yaml_profile(small: Path) -> None:
    of_layer(small, profile="eldr")


@says(
    "small.yaml:6:15: facilities.0.cutoff_min: 0 is not more than 0",
)
def yaml_cutoff_zero(small: Path) -> None:
    of_layer(small, cutoff_min=0)


@says(
    "small.yaml:7:5: facilities.0.cutoff_min: rural is missing; give a number of minutes, or one per area type: {urban: …, rural: …}",
)
def yaml_cutoff_half(small: Path) -> None:
    of_layer(small, cutoff_min={"urban": 15})


@says(
    "small.yaml:6:15: facilities.0.cutoff_min: 'fifteen' is not a mapping; give a number of minutes, or one per area type: {urban: …, rural: …}",
)
def yaml_cutoff_text(small: Path) -> None:
    of_layer(small, cutoff_min="fifteen")


@says(
    "small.yaml:1:6: crs: the reference system 'EPSG:999999' is not known; give a code such as EPSG:4326",
)
def yaml_crs(small: Path) -> None:
    of_study(small, crs="EPSG:999999")


@says(
    "small.yaml:1:6: crs: 'EPSG:4326' (WGS 84) is not a projected system in metres; choose one such as EPSG:4544, or leave crs out",
)
def yaml_crs_degrees(small: Path) -> None:
    of_study(small, crs="EPSG:4326")


@says(
    "small.yaml:9:7: facilities.1.id: the id 'station' is used twice; it stands in line 9 already",
)
def yaml_same_layers(small: Path) -> None:
    edit(small, lambda study: study["facilities"].append(study["facilities"][0]))


@says(
    "small.yaml:16:10: groups.0.share: 22 is not at most 1",
)
def yaml_share(small: Path) -> None:
    of_study(small, groups=[{"id": "old", "name": "老", "share": 22}])


@says(
    "small.yaml:14:3: groups.0: a share per area type needs both urban and rural",
)
def yaml_share_one(small: Path) -> None:
    of_study(small, groups=[{"id": "old", "name": "老", "share": {"urban": 0.2}}])


@says(
    "small.yaml:14:3: groups.0: give exactly one of share, zone_column, column, path, table (found: share, zone_column)",
)
def yaml_two_ways(small: Path) -> None:
    of_study(small, groups=[{"id": "old", "name": "老", "share": 0.2, "zone_column": "old"}])


@says(
    "small.yaml:5:5: facilities.0.capacity.0: 'Name' is taken; the result tables have a column of that name; choose another",
    "small.yaml:6:5: facilities.0.capacity.1: 'facility_count' is taken; the result tables have a column of that name; choose another",
    "small.yaml:15:7: groups.0.id: 'station_s' is taken; the result tables have a column of that name; choose another",
)
def yaml_reserved(small: Path) -> None:
    of_study(small, groups=[{"id": "station_s", "name": "老年人", "share": 0.2}])
    of_layer(small, capacity=["Name", "facility_count"])


@says(
    "small.yaml:4:3: facilities.0: datum gcj02 is in degrees and has no crs: remove one of them",
)
def yaml_datum_crs(small: Path) -> None:
    of_layer(small, datum="gcj02", crs="EPSG:4326")


@says(
    "small.yaml:20:9: roads.path: the file 'roads.gpkg' does not exist; paths start from the folder of small.yaml",
)
def file_missing(small: Path) -> None:
    (small.parent / "roads.gpkg").unlink()


@says(
    "stations.csv: the layer is empty (0 rows)",
)
def file_empty(small: Path) -> None:
    put(small, b"")


@says(
    "small.yaml:11:9: facilities.0.path: 'stations.csv' is a folder; name a file",
)
def file_folder(small: Path) -> None:
    (small.parent / "stations.csv").unlink()
    (small.parent / "stations.csv").mkdir()


@says(
    "stations.docx: .docx files are not read; save it as .xlsx, or as CSV UTF-8",
)
def file_kind(small: Path) -> None:
    shutil.copy(small.parent / "stations.csv", small.parent / "stations.docx")
    of_layer(small, path="stations.docx")


@says(
    "stations.xlsx: is not a spreadsheet, whatever its name says; save it as .xlsx",
)
def file_xlsx_text(small: Path) -> None:
    shutil.copy(small.parent / "stations.csv", small.parent / "stations.xlsx")
    of_layer(small, path="stations.xlsx")


@says(
    "roads.gpkg: cannot be read: 'roads.gpkg' not recognized as being in a supported file format; save it as GeoPackage, GeoJSON or shapefile",
)
def file_gpkg_text(small: Path) -> None:
    put(small, "hello", "roads.gpkg")


@says(
    "zones.geojson: cannot be read: Failed to read GeoJSON data; At line 6, character 72: Unterminated array",
)
def file_geojson_cut(small: Path) -> None:
    text = (small.parent / "zones.geojson").read_text()
    (small.parent / "zones.geojson").write_text(text[: len(text) // 2])


@says(
    "people.tif: cannot be read: 'people.tif' not recognized as being in a supported file format",
)
def file_tif_text(small: Path) -> None:
    put(small, "no raster", "people.tif")


@says(
    "stations.csv: the layer is empty (0 rows)",
)
def table_no_rows(small: Path) -> None:
    STATIONS.head(0).to_csv(small.parent / "stations.csv", index=False)


@says(
    "stations.csv: lon and lat have no datum; say under `datum:` which one: wgs84 (GPS, OpenStreetMap), cgcs2000 (surveys, Tianditu), gcj02 (Amap, Tencent) or bd09 (Baidu); ask who made the file where its points were picked, or lay them over the roads: a wrong datum shows as a shift of 30 m to 1.5 km",
)
def table_no_datum(small: Path) -> None:
    edit(small, lambda study: study["facilities"][0].pop("datum"))


@says(
    "stations.csv: column 'beds' is missing; name it under `columns:` or give it under `constants:`; the file has 'facility_id', 'name', 'lon', 'lat'",
)
def table_missing_column(small: Path) -> None:
    STATIONS.drop(columns="beds").to_csv(small.parent / "stations.csv", index=False)


@says(
    "stations.csv: column 'beds' is missing; did you mean 'bedz'? name it under `columns:` or give it under `constants:`; the file has 'facility_id', 'name', 'bedz', 'lon', 'lat'",
)
def table_misspelt_column(small: Path) -> None:
    STATIONS.rename(columns={"beds": "bedz"}).to_csv(small.parent / "stations.csv", index=False)


@says(
    "stations.csv: column '床位' is missing; name it under `columns:` or give it under `constants:`; the file has 'facility_id', 'name', 'beds', 'lon', 'lat'",
)
def table_columns_stray(small: Path) -> None:
    of_layer(small, columns={"床位": "beds"})


@says(
    "stations.csv: two columns are to be called 'beds'; see `columns:`",
)
def table_two_of_one(small: Path) -> None:
    of_layer(small, columns={"beds": "beds", "name": "beds"})


@says(
    "stations.csv: column 'beds': two columns have this name; rename one",
)
def table_heading_twice(small: Path) -> None:
    text = (small.parent / "stations.csv").read_text()
    put(small, text.replace("name", "beds", 1))


@says(
    "stations.csv: row 2: has more fields than the heading row, which has 5; put fields that hold the delimiter in quotes",
)
def table_long_row(small: Path) -> None:
    text = (small.parent / "stations.csv").read_text().splitlines()
    text[2] += ",x,y"
    put(small, "\n".join(text))


@says(
    "stations.csv: row 1, column 'facility_id': 'a' is there 2 times (rows 1, 3)",
)
def table_ids_twice(small: Path) -> None:
    stations(small, facility_id=["a", "b", "a"])


@says(
    "stations.csv: row 2, column 'facility_id': is empty; give each row an id of its own",
)
def table_id_missing(small: Path) -> None:
    stations(small, facility_id=["a", None, "c"])


@says(
    "stations.csv: row 2, column 'beds': '-3' is negative; give a count of 0 or more",
)
def table_negative(small: Path) -> None:
    stations(small, beds=["10", "-3", ""])


@says(
    "stations.csv: row 2, column 'beds': '约二十' is not a number; give digits, as in 120, 1,200, 1.2万 or 120张, or leave it empty",
)
def table_words(small: Path) -> None:
    stations(small, beds=["10", "约二十", ""])


@says(
    "stations.csv: row 2, column 'beds': 'inf' is not a number; give digits, as in 120, 1,200, 1.2万 or 120张, or leave it empty",
)
def table_infinite(small: Path) -> None:
    stations(small, beds=["10", "inf", ""])


@says(
    "stations.csv: row 2, column 'beds': '20 m²' is not a number; give digits, as in 120, 1,200, 1.2万 or 120张, or leave it empty",
)
def table_two_units(small: Path) -> None:
    stations(small, beds=["10", "20 m²", ""])


@says(
    "stations.csv: row 2, column 'beds': '20-30' is not a number; give digits, as in 120, 1,200, 1.2万 or 120张, or leave it empty",
)
def table_range(small: Path) -> None:
    stations(small, beds=["10", "20-30", ""])


@says(
    "stations.csv: is not text in utf-8 or gb18030; save it as CSV UTF-8, or name its encoding under `encoding:`",
)
def table_encoding(small: Path) -> None:
    put(small, b"facility_id,name,beds,lon,lat\na,\xff\xfe\xfa\x81,10,105.9,29.3\n")


@says(
    "stations.csv: is not text in utf-8; save it as CSV UTF-8, or name its encoding under `encoding:`",
)
def table_encoding_named(small: Path) -> None:
    put(small, (small.parent / "stations.csv").read_text().encode("gb18030"))
    of_layer(small, encoding="utf-8")


@says(
    "stations.csv: encoding 'klingon' is not known; name one such as utf-8, gb18030 or big5",
)
def table_encoding_unknown(small: Path) -> None:
    of_layer(small, encoding="klingon")


@says(
    "stations.csv: is not a CSV table: Error tokenizing data. C error: EOF inside string starting at row 1; close every quote",
)
def table_quote(small: Path) -> None:
    put(small, 'facility_id,name,beds,lon,lat\na,"甲站,10,105.9,29.3\nb,乙,1,105.9,29.3\n')


@says(
    "stations.csv: header_row names row 9, which is empty; the first row with anything in it is 1",
)
def table_header_row(small: Path) -> None:
    of_layer(small, header_row=9)


@says(
    "stations.csv: row 3, column 'tier': 'street_center' is not one of 'street_centre', 'station'; did you mean 'street_centre'? correct it, or map it under `values: {tier: …}`",
)
def table_tier(small: Path) -> None:
    of_layer(small, tiers=[{"id": "street_centre", "name": "中心"}, {"id": "station", "name": "站"}])
    stations(small, tier=["street_centre", "station", "street_center"])


@says(
    "stations.csv: row 3, column 'tier': '服务站' is none of '中心', 'centre'; map it under `values: {tier: …}`; the column holds '中心' (2), '服务站' (1)",
)
def table_values(small: Path) -> None:
    of_layer(small, tiers=[{"id": "centre", "name": "中心"}], values={"tier": {"中心": "centre"}})
    stations(small, tier=["中心", "中心", "服务站"])


@says(
    "stations.csv: column 'name': none of the 3 rows is kept by where name: 丁站; the column holds '丙站', '乙站', '甲站'",
)
def table_where(small: Path) -> None:
    of_layer(small, where={"name": "丁站"})


@says(
    "stations.csv: column 'status' is missing; name it under `columns:` or give it under `constants:`; the file has 'facility_id', 'name', 'beds', 'lon', 'lat'",
)
def table_where_column(small: Path) -> None:
    of_layer(small, where={"status": "open"})


def book(small, rows, name="stations.xlsx", sheet="表"):
    wb = openpyxl.Workbook()
    ws = wb.active
    ws.title = sheet
    for raster in rows:
        ws.append(raster)
    wb.save(small.parent / name)
    of_layer(small, path=name)


@says(
    "stations.xlsx: has no sheet '养老'; name one under `layer:` ('表')",
)
def sheet_missing(small: Path) -> None:
    book(small, ROWS)
    of_layer(small, layer="养老")


@says(
    "stations.xlsx: holds several sheets; name one under `layer:` ('表', '二')",
)
def sheet_several(small: Path) -> None:
    book(small, ROWS)
    wb = openpyxl.load_workbook(small.parent / "stations.xlsx")
    w = wb.create_sheet("二")
    for raster in ROWS:
        w.append(raster)
    wb.save(small.parent / "stations.xlsx")


@says(
    "stations.xlsx: row 5, column 'beds': '很多' is not a number; give digits, as in 120, 1,200, 1.2万 or 120张, or leave it empty",
)
def sheet_row(small: Path) -> None:
    book(small, [["2025年养老服务设施一览表"], [None], *ROWS[:2], ["b", "乙", "很多", *ROWS[2][3:]]])


@says(
    "stations.xlsx: row 3, column 'beds': cell C3 holds the error #DIV/0!; correct the formula, or empty the cell",
)
def sheet_error(small: Path) -> None:
    book(small, [*ROWS[:2], ["b", "乙", "#DIV/0!", *ROWS[2][3:]]])


@says(
    "stations.xlsx: row 2, column 'facility_id': the number in cell A2 has more digits than a spreadsheet keeps; format the cell as text and type it anew",
)
def sheet_digits(small: Path) -> None:
    book(small, [ROWS[0], [5001182024000000001, "甲", 3, *ROWS[1][3:]]])


@says(
    "stations.csv: row 2, column 'lon': '' is not a coordinate; correct or remove the row",
)
def place_nan(small: Path) -> None:
    stations(small, lon=[STATIONS.lon[0], np.nan, STATIONS.lon[2]])


@says(
    "stations.csv: row 2, column 'lon': '东经一百零五' is not a coordinate; correct or remove the row",
)
def place_text(small: Path) -> None:
    stations(small, lon=[STATIONS.lon[0], "东经一百零五", STATIONS.lon[2]])


@says(
    "stations.csv: row 2: lon 1059.1, lat 29.3464 is not on Earth; correct it, or give the right `crs:` if the coordinates are projected",
)
def place_beyond(small: Path) -> None:
    stations(small, lon=[STATIONS.lon[0], 1059.1, STATIONS.lon[2]])


@says(
    "stations.csv: row 1: lon 29.3393, lat 105.897 is not on Earth; lon and lat look swapped",
    "stations.csv: row 2: lon 29.3464, lat 105.906 is not on Earth; lon and lat look swapped",
    "stations.csv: row 3: lon 29.34, lat 105.915 is not on Earth; lon and lat look swapped",
)
def place_swapped(small: Path) -> None:
    stations(small, lon=list(STATIONS.lat), lat=list(STATIONS.lon))


@says(
    "stations.csv: none of the 3 facilities (-12,573,301…-12,573,301 E, 20,003,931…20,003,931 N) lies in the study's area (586,142…589,858 E, 3,246,142…3,249,858 N); check the reference system and the order of lon and lat",
)
def place_null_island(small: Path) -> None:
    stations(small, lon=[0, 0, 0], lat=[0, 0, 0])


@says(
    "stations.csv: row 1: lies outside China (lon 2.35000, lat 48.85000), where GCJ-02 means nothing; correct the coordinates, or the datum if they are not in GCJ-02",
)
def place_gcj_abroad(small: Path) -> None:
    of_layer(small, datum="gcj02")
    stations(small, lon=[2.35, STATIONS.lon[1], STATIONS.lon[2]], lat=[48.85, STATIONS.lat[1], STATIONS.lat[2]])


@says(
    "stations.csv: row 1: lon 587150, lat 3.24721e+06 is not on Earth; correct it, or give the right `crs:` if the coordinates are projected",
    "stations.csv: row 2: lon 587150, lat 3.24721e+06 is not on Earth; correct it, or give the right `crs:` if the coordinates are projected",
    "stations.csv: row 3: lon 587150, lat 3.24721e+06 is not on Earth; correct it, or give the right `crs:` if the coordinates are projected",
)
def place_metres(small: Path) -> None:
    stations(small, lon=[587150.0] * 3, lat=[3247210.0] * 3)


@says(
    "stations.csv: x and y have no reference system; name it under `crs:`, e.g. EPSG:4544; if they are degrees, call the columns lon and lat under `columns:` and name their `datum:`",
)
def place_xy_no_crs(small: Path) -> None:
    STATIONS.drop(columns=["lon", "lat"]).assign(x=[X0, X0 + 5, X0 + 9], y=[Y0] * 3).to_csv(
        small.parent / "stations.csv", index=False
    )


@says(
    "stations.csv: row 1, column 'x': x looks like a northing, and y like an easting; surveyors call the northing X: exchange x and y under `columns:`",
    "stations.csv: row 2, column 'x': x looks like a northing, and y like an easting; surveyors call the northing X: exchange x and y under `columns:`",
    "stations.csv: row 3, column 'x': x looks like a northing, and y like an easting; surveyors call the northing X: exchange x and y under `columns:`",
)
def place_xy_swapped(small: Path) -> None:
    of_layer(small, crs=CRS, datum=None)
    STATIONS.drop(columns=["lon", "lat"]).assign(y=[X0 + 100, X0 + 500, X0 + 900], x=[Y0 + 50] * 3).to_csv(
        small.parent / "stations.csv", index=False
    )


@says(
    "stations.csv: row 1, column 'x': the easting '587100.0' has no zone before it, but EPSG:4524 writes 36 there; the code that fits is EPSG:4545 (CGCS2000 / 3-degree Gauss-Kruger CM 108E)",
    "stations.csv: row 2, column 'x': the easting '587500.0' has no zone before it, but EPSG:4524 writes 36 there; the code that fits is EPSG:4545 (CGCS2000 / 3-degree Gauss-Kruger CM 108E)",
    "stations.csv: row 3, column 'x': the easting '587900.0' has no zone before it, but EPSG:4524 writes 36 there; the code that fits is EPSG:4545 (CGCS2000 / 3-degree Gauss-Kruger CM 108E)",
)
def place_xy_zone(small: Path) -> None:
    of_layer(small, crs="EPSG:4524", datum=None)
    STATIONS.drop(columns=["lon", "lat"]).assign(x=[X0 + 100, X0 + 500, X0 + 900], y=[Y0 + 50] * 3).to_csv(
        small.parent / "stations.csv", index=False
    )


@says(
    "zones.geojson: zones '0110101' and '0110102' overlap by 100,000 m² (50.0 m wide); correct the outlines: nobody can live in two zones; `repair: true` divides overlaps up to `sliver_width_m`",
)
def zones_overlap(small: Path) -> None:
    frame = zones()
    frame.loc[0, "geometry"] = frame.geometry.iloc[0].buffer(50, cap_style="square", join_style="mitre")
    frame.to_file(small.parent / "zones.geojson")


@says(
    "zones.geojson: row 1: the polygon is invalid: Self-intersection[587450 3247450]; correct the outline there, or say `repair: true`",
)
def zones_bowtie(small: Path) -> None:
    frame = zones()
    frame.loc[0, "geometry"] = shapely.Polygon([(X0, Y0), (X0 + 900, Y0 + 900), (X0 + 900, Y0), (X0, Y0 + 900)])
    frame.to_file(small.parent / "zones.geojson")


@says(
    "zones.geojson: row 2, column 'area_type': 'countryside' is not one of 'urban', 'rural'; correct it, or map it under `values: {area_type: …}`",
)
def zones_area_type(small: Path) -> None:
    of_zones(small, area_type=["urban", "countryside"])


@says(
    "zones.geojson: row 2, column 'area_type': is empty; give one of 'urban', 'rural'",
)
def zones_area_type_missing(small: Path) -> None:
    of_zones(small, area_type=["urban", None])


@says(
    "zones.geojson: row 1, column 'zone_id': '0110101' is there 2 times (rows 1, 2)",
)
def zones_ids(small: Path) -> None:
    of_zones(small, zone_id=["0110101", "0110101"])


@says(
    "zones.geojson: row 1: geometry is Point; the outline must be Polygon or MultiPolygon",
    "zones.geojson: row 2: geometry is Point; the outline must be Polygon or MultiPolygon",
)
def zones_points(small: Path) -> None:
    frame = zones()
    frame.geometry = frame.centroid
    frame.to_file(small.parent / "zones.geojson")


@says(
    "zones.shp: has no reference system; name it under `crs:`, e.g. EPSG:4544, or where it is in degrees name its `datum:`",
)
def zones_no_crs(small: Path) -> None:
    zones().to_file(small.parent / "zones.shp", encoding="UTF-8")
    (small.parent / "zones.prj").unlink()
    of_study(small, zones={"path": "zones.shp"})


@says(
    "zones.geojson: row 2, column 'old': is empty; give a share between 0 and 1",
)
def zones_share_missing(small: Path) -> None:
    of_zones(small, old=[0.2, None])
    of_study(small, groups=[{"id": "old", "name": "老", "zone_column": "old"}])


@says(
    "zones.geojson: row 1, column 'old': 20 is more than 1; give a share between 0 and 1",
    "zones.geojson: row 2, column 'old': 25 is more than 1; give a share between 0 and 1",
)
def zones_share_percent(small: Path) -> None:
    of_zones(small, old=[20, 25])
    of_study(small, groups=[{"id": "old", "name": "老", "zone_column": "old"}])


@says(
    "zones.geojson: column 'district_id': district '02' of zone '0110102' is not in districts.csv; there are '01'",
)
def districts_missing(small: Path) -> None:
    of_zones(small, district_id=["01", "02"])
    put(small, "district_id,name\n01,甲区\n", "districts.csv")
    of_study(small, districts={"path": "districts.csv"})


@says(
    "outline.geojson: the boundary (677,000…678,000 E, 3,247,000…3,249,000 N) does not meet the zones (587,000…589,000 E, 3,247,000…3,249,000 N)",
)
def boundary_elsewhere(small: Path) -> None:
    frame = zones().head(1)
    frame.geometry = frame.translate(90000, 0)
    frame.to_file(small.parent / "outline.geojson")
    of_study(small, boundary={"path": "outline.geojson"})


@says(
    "roads.gpkg: the roads (667,000…669,000 E, 3,247,000…3,249,000 N) do not meet the boundary (587,000…589,000 E, 3,247,000…3,249,000 N); use roads of the study's area, in the right reference system",
)
def roads_elsewhere(small: Path) -> None:
    frame = roads()
    frame.geometry = frame.geometry.translate(80000, 0)
    frame.to_file(small.parent / "roads.gpkg")


@says(
    "roads.gpkg: row 1: geometry is Point; a road must be LineString or MultiLineString",
    "roads.gpkg: row 2: geometry is Point; a road must be LineString or MultiLineString",
    "roads.gpkg: row 3: geometry is Point; a road must be LineString or MultiLineString",
    "roads.gpkg: row 4: geometry is Point; a road must be LineString or MultiLineString",
    "roads.gpkg: row 5: geometry is Point; a road must be LineString or MultiLineString",
    "roads.gpkg: row 6: geometry is Point; a road must be LineString or MultiLineString",
    "roads.gpkg: row 7: geometry is Point; a road must be LineString or MultiLineString",
    "roads.gpkg: row 8: geometry is Point; a road must be LineString or MultiLineString",
    "roads.gpkg: row 9: geometry is Point; a road must be LineString or MultiLineString",
    "roads.gpkg: row 10: geometry is Point; a road must be LineString or MultiLineString",
    "roads.gpkg: row 11: geometry is Point; a road must be LineString or MultiLineString",
    "roads.gpkg: row 12: geometry is Point; a road must be LineString or MultiLineString",
    "roads.gpkg: row 13: geometry is Point; a road must be LineString or MultiLineString",
    "roads.gpkg: row 14: geometry is Point; a road must be LineString or MultiLineString",
    "roads.gpkg: row 15: geometry is Point; a road must be LineString or MultiLineString",
    "roads.gpkg: row 16: geometry is Point; a road must be LineString or MultiLineString",
    "roads.gpkg: row 17: geometry is Point; a road must be LineString or MultiLineString",
    "roads.gpkg: row 18: geometry is Point; a road must be LineString or MultiLineString",
    "roads.gpkg: row 19: geometry is Point; a road must be LineString or MultiLineString",
    "roads.gpkg: row 20: geometry is Point; a road must be LineString or MultiLineString",
    "roads.gpkg: 22 more rows with this fault",
)
def roads_points(small: Path) -> None:
    frame = roads()
    frame.geometry = frame.centroid
    frame.to_file(small.parent / "roads.gpkg")


@says(
    "roads.gpkg: column 'highway' is missing; name it under `columns:` or give it under `constants:`; the file has 'way_id'",
)
def roads_no_highway(small: Path) -> None:
    roads().drop(columns="highway").to_file(small.parent / "roads.gpkg")


@says(
    "roads.gpkg: column 'highway': none of the 42 ways may be used by this profile; its values are: motorway",
)
def roads_motorways(small: Path) -> None:
    roads().assign(highway="motorway").to_file(small.parent / "roads.gpkg")


@says(
    "roads.gpkg: roads.crossings: lines cross without a shared vertex at 1 place (the first at lon 105.90511, lat 29.34546), and no column bridge, tunnel or layer says whether they meet there; state `crossings: joined` (they are junctions) or `crossings: separate` (one passes over the other), or name such a column under `columns:`",
)
def roads_crossing(small: Path) -> None:
    frame = gpd.GeoDataFrame(
        {"highway": ["residential"] * 2},
        geometry=[
            shapely.LineString([(X0, Y0 + 900), (X0 + 2000, Y0 + 900)]),
            shapely.LineString([(X0 + 900, Y0), (X0 + 900, Y0 + 2000)]),
        ],
        crs=CRS,
    )
    frame.to_file(small.parent / "roads.gpkg")


@says(
    "roads.gpkg: network.min_component_nodes: every connected piece has fewer than 5000 junctions; lower it, or check that lines which meet share a vertex",
)
def roads_pieces(small: Path) -> None:
    of_study(small, network={"min_component_nodes": 5000})


@says(
    "people.tif: the raster (467,000.000…469,000.000 E, 1,247,000.000…1,249,000.000 N) does not meet the boundary (587,000.000…589,000.000 E, 3,247,000.000…3,249,000.000 N); use a raster of the study's area",
)
def people_elsewhere(small: Path) -> None:
    write_population(small.parent / "people.tif", x0=X0 - 60 * SIDE, y0=Y0 - 2000000)


@says(
    "people.tif: 50% of zone '0110101' lies off the raster; use a raster that covers every zone, or cut the zones to what it covers",
    "people.tif: 100% of zone '0110102' lies off the raster; use a raster that covers every zone, or cut the zones to what it covers",
)
def people_zone_off(small: Path) -> None:
    write_population(small.parent / "people.tif", x0=X0 - SIDE * 3 / 4)


@says(
    "people.tif: 50% of zone '0110102' lies off the raster; use a raster that covers every zone, or cut the zones to what it covers",
)
def people_half_off(small: Path) -> None:
    write_population(small.parent / "people.tif", x0=X0 - SIDE / 4)


def cells(small, change):
    with rasterio.open(small.parent / "people.tif", "r+") as raster:
        people = raster.read(1)
        change(people)
        raster.write(people, 1)


@says(
    "people.tif: no cell of the study's area holds people; check its nodata value",
)
def people_nobody(small: Path) -> None:
    cells(small, lambda people: people.fill(0))


@says(
    "people.tif: 1 cell is negative, -5 people in sum (row 4, column 5: -5); if the value means no data, name it under `nodata:`; otherwise correct the cells",
)
def people_negative(small: Path) -> None:
    cells(small, lambda people: people.__setitem__((3, 4), -5))


@says(
    "people.tif: 1 cell is infinite (row 4, column 5: inf); correct the cells",
)
def people_infinite(small: Path) -> None:
    cells(small, lambda people: people.__setitem__((3, 4), np.inf))


@says(
    "people.tif: has no band 3, only 1; correct `band:`",
)
def people_band(small: Path) -> None:
    edit(small, lambda study: study["population"].update(band=3))


@says(
    "people.tif: has no reference system; write it into the file, e.g. with gdal_edit -a_srs",
)
def people_no_crs(small: Path) -> None:
    with rasterio.open(small.parent / "people.tif") as raster:
        people = raster.read()
        profile = raster.profile
    profile.pop("crs")
    with rasterio.open(small.parent / "people.tif", "w", **profile) as raster:
        raster.write(people)


@says(
    "totals.csv: row 2, column 'total': '六百' is not a number; give digits, as in 120, 1,200, 1.2万 or 120张, or leave it empty",
)
def people_controls_text(small: Path) -> None:
    put(small, "zone_id,total\n0110101,600\n0110102,六百\n", "totals.csv")
    edit(small, lambda study: study["population"].update(controls={"path": "totals.csv"}))


@says(
    "people.csv: row 2, column 'total': '-2' is negative; give a count of 0 or more",
)
def people_point_negative(small: Path) -> None:
    put(small, "lon,lat,total\n105.9,29.335,30\n105.905,29.336,-2\n", "people.csv")
    of_study(small, population={"kind": "points", "path": "people.csv", "datum": "wgs84"})


@says(
    "stations.csv: cannot be read as an elevation raster: 'stations.csv' not recognized as being in a supported file format; name a GeoTIFF, or leave terrain out",
)
def terrain_none(small: Path) -> None:
    of_study(small, basemap={"terrain": "stations.csv"})


@says(
    "people.tif: 8.0 of 84.0 km of roads (9.5%) have no known height: 8.0 km beyond the raster (105.896…105.917 E, 29.337…29.355 N); the roads lie at 105.896…105.917 E, 29.337…29.355 N; use elevation that covers the roads, or say `slope: where_known`, and roads without a height are walked at level speed and reported",
)
def terrain_short(small: Path) -> None:
    of_study(small, terrain={"path": "people.tif"})


@says(
    "small.yaml:15:13: network.margin_m: -1 is not at least 0",
)
def margin_negative(small: Path) -> None:
    of_study(small, network={"margin_m": -1})


@says(
    "out: holds files that no run has written (thesis.docx); name another folder, or move them away: a run replaces its folder as a whole",
)
def folder_of_others(small: Path) -> None:
    (small.parent / "out").mkdir()
    (small.parent / "out" / "thesis.docx").write_text("x")


@says(
    "small.yaml:12:15: facilities.0.needs.0.capacity: 'bed' is not one of 'beds'; did you mean 'beds'?",
    "small.yaml:13:12: facilities.0.needs.0.group: 'old' is not one of 'total'",
    "small.yaml:16:17: facilities.0.needs.1.per_person: 0 is not more than 0",
)
def need_of_nothing(small: Path) -> None:
    of_layer(
        small, needs=[{"capacity": "bed", "per_person": 0.1, "group": "old"}, {"capacity": "beds", "per_person": 0}]
    )


@pytest.mark.parametrize(("break_it", "lines"), CASES)
def test_bad_input_is_named_exactly_and_nothing_is_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    break_it: Callable[[Path], None],
    lines: tuple[str, ...],
) -> None:
    small = write_small(tmp_path)
    break_it(small)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["facility-coverage", "run", small.name, "-o", "out"])
    with pytest.raises(SystemExit) as exited:
        cli.main()
    assert exited.value.code == 2
    *said, last = [line for line in capsys.readouterr().err.splitlines() if line not in STAGES]
    assert said == list(lines)
    count = len(lines)
    assert last == f"{count} fault{'s' if count != 1 else ''}; nothing was written"
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_there_are_bad_inputs_of_every_kind() -> None:
    assert len(CASES) >= 60
