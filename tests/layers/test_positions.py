"""Where rows are: datum and reference system of columns and layers, and what each contradiction says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from pydantic import ValidationError

from facility_coverage.config.study import Table
from facility_coverage.errors import LayerError
from facility_coverage.layers.datum import from_wgs84
from facility_coverage.layers.gauss_kruger import CGCS2000_CODES, cgcs2000_zones, zone_of_crs
from facility_coverage.layers.tables import read_table

PLACES = np.array([[105.9, 29.35], [105.95, 29.3], [106.0, 29.4]])
ASK = (
    "say under `datum:` which one: wgs84 (GPS, OpenStreetMap), cgcs2000 (surveys, Tianditu), gcj02 (Amap, Tencent) or "
    "bd09 (Baidu); ask who made the file where its points were picked, or lay them over the roads: a wrong datum shows "
    "as a shift of 30 m to 1.5 km"
)
LONLAT = "if they are degrees, call the columns lon and lat under `columns:` and name their `datum:`"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def table(places: np.ndarray = PLACES, names: tuple[str, str] = ("lon", "lat"), file: str = "points.csv") -> str:
    frame = pd.DataFrame(places, columns=list(names)).assign(name="a")
    if file.endswith(".csv"):
        frame.to_csv(file, index=False)
    else:
        frame.to_parquet(file)
    return file


def layer(file: str, shapes: Any = None, *, crs: str | None = "EPSG:4326") -> str:
    shapes = shapely.points(PLACES) if shapes is None else shapes
    frame = gpd.GeoDataFrame({"name": ["a"] * len(shapes)}, geometry=shapes, crs=crs or "EPSG:4326")
    frame.to_file(file)
    if crs is None:
        Path(file).with_suffix(".prj").unlink()
    return file


def read(file: str, **options: Any) -> gpd.GeoDataFrame:
    return read_table(Table.model_validate({"path": Path.cwd() / file, **options}), role="water").frame


def faults(file: str, **options: Any) -> list[str]:
    with pytest.raises(LayerError) as error:
        read(file, **options)
    return [str(fault) for fault in error.value.faults]


def lonlat(frame: gpd.GeoDataFrame) -> np.ndarray:
    return shapely.get_coordinates(frame.to_crs("EPSG:4326").geometry.to_numpy())


# columns of degrees


@pytest.mark.parametrize("file", ["points.csv", "points.parquet"])
@pytest.mark.parametrize(("datum", "code"), [("wgs84", 4326), ("cgcs2000", 4490), ("gcj02", 4326), ("bd09", 4326)])
def test_each_datum_leads_to_the_same_places(file: str, datum: Any, code: int) -> None:
    frame = read(table(from_wgs84(PLACES, datum), file=file), datum=datum)
    assert frame.crs.to_epsg() == code
    np.testing.assert_allclose(lonlat(frame), PLACES, atol=1e-9)


@pytest.mark.parametrize("options", [{}, {"crs": "EPSG:4326"}])
def test_degrees_without_a_datum_ask_for_it(options: dict[str, str]) -> None:
    assert faults(table(), **options) == [f"points.csv: lon and lat have no datum; {ASK}"]


def test_what_is_wrong_comes_together() -> None:
    Path("points.csv").write_text("lon,lat\n105.9,29.3\neast,29.3\n105.9,\n", encoding="utf-8")
    assert faults("points.csv") == [
        f"points.csv: lon and lat have no datum; {ASK}",
        "points.csv: row 2, column 'lon': 'east' is not a coordinate; correct or remove the row",
        "points.csv: row 3, column 'lat': '' is not a coordinate; correct or remove the row",
    ]


@pytest.mark.parametrize(("datum", "crs"), [("wgs84", "EPSG:4326"), ("cgcs2000", "EPSG:4490")])
def test_crs_may_stand_beside_a_datum_that_agrees(datum: str, crs: str) -> None:
    assert read(table(), datum=datum, crs=crs).crs.to_string() == crs


def test_crs_that_contradicts_the_datum() -> None:
    advice = "remove `crs:`, or correct one of them"
    assert faults(table(), datum="wgs84", crs="EPSG:4490") == [
        f"points.csv: the reference system is China Geodetic Coordinate System 2000, but datum is wgs84; {advice}"
    ]
    assert faults(table(), datum="cgcs2000", crs="EPSG:4214") == [
        f"points.csv: the reference system is Beijing 1954, but datum is cgcs2000; {advice}"
    ]


def test_lon_and_lat_are_never_metres() -> None:
    assert faults(table(), datum="cgcs2000", crs="EPSG:4544") == [
        "points.csv: lon and lat are degrees, but CGCS2000 / 3-degree Gauss-Kruger CM 105E is not; call the columns x "
        "and y, or remove `crs:` and name the `datum:`"
    ]


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_a_shifted_datum_takes_no_crs_and_no_openstreetmap_file(datum: str) -> None:
    with pytest.raises(ValidationError, match=f"datum {datum} is in degrees and has no crs: remove one of them"):
        Table.model_validate({"path": "a.csv", "datum": datum, "crs": "EPSG:4326"})
    with pytest.raises(ValidationError, match=f"OpenStreetMap files are in wgs84, not in {datum}: remove datum"):
        Table.model_validate({"path": "a.osm.pbf", "datum": datum})
    assert Table.model_validate({"path": "a.osm.pbf", "datum": "wgs84"}).datum == "wgs84"


def test_outside_china_a_shifted_datum_is_a_fault_with_its_rows() -> None:
    places = np.array([[105.9, 29.35], [43.3, -11.7], [29.3, 105.9], [0.0, 0.0], [587e3, 3247e3]])
    correct = "correct the coordinates, or the datum if they are not in GCJ-02"
    assert faults(table(places), datum="gcj02") == [
        "points.csv: row 3: lies outside China (lon 29.30000, lat 105.90000), where GCJ-02 means nothing; lon and lat "
        "look swapped",
        "points.csv: row 5: lies outside China (lon 587000.00000, lat 3247000.00000), where GCJ-02 means nothing; the "
        "coordinates look projected: call the columns x and y, and name their `crs:`",
        "points.csv: row 2: lies outside China (first: lon 43.30000, lat -11.70000), where GCJ-02 means nothing; "
        + correct,
        "points.csv: row 4: lies outside China (first: lon 43.30000, lat -11.70000), where GCJ-02 means nothing; "
        + correct,
    ]
    assert len(read(table(places[[0, 1, 3]]), datum="wgs84")) == 3


# columns of metres


def in_metres(code: int) -> np.ndarray:
    to_metres = pyproj.Transformer.from_crs(4490, code, always_xy=True)
    return np.column_stack(to_metres.transform(*PLACES.T))


@pytest.mark.parametrize("options", [{}, {"datum": "cgcs2000"}])
def test_metres_need_a_crs_and_may_name_the_datum(options: dict[str, str]) -> None:
    frame = read(table(in_metres(4544), ("x", "y")), crs="EPSG:4544", **options)
    assert frame.crs.to_epsg() == 4544
    np.testing.assert_allclose(lonlat(frame), PLACES, atol=1e-9)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, f"x and y have no reference system; name it under `crs:`, e.g. EPSG:4544; {LONLAT}"),
        ({"datum": "cgcs2000"}, f"x and y have no reference system; name it under `crs:`, e.g. EPSG:4544; {LONLAT}"),
        ({"datum": "gcj02"}, f"datum gcj02 is in degrees, but the columns are x and y; {LONLAT}"),
        ({"crs": "EPSG:4326"}, f"x and y are metres, but WGS 84 is in degrees; {LONLAT}"),
        (
            {"crs": "EPSG:4544", "datum": "wgs84"},
            "the reference system is CGCS2000 / 3-degree Gauss-Kruger CM 105E, but datum is wgs84; remove `datum:` or "
            "correct it",
        ),
    ],
)
def test_metres_that_are_not_said_whole(options: dict[str, str], said: str) -> None:
    assert faults(table(in_metres(4544), ("x", "y")), **options) == [f"points.csv: {said}"]


# layers that carry a reference system


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
@pytest.mark.parametrize(("file", "crs"), [("web.geojson", "EPSG:4326"), ("web.gpkg", "EPSG:4490"), ("web.shp", None)])
def test_a_layer_of_a_web_map_is_moved_whole(datum: Any, file: str, crs: str | None) -> None:
    box = shapely.box(105.9, 29.3, 106.0, 29.4)
    shapes = [shapely.transform(shape, lambda xy: from_wgs84(xy, datum)) for shape in (box, box.buffer(0.01))]
    frame = read(layer(file, shapes, crs=crs), datum=datum)
    assert frame.crs.to_epsg() == 4326
    # Degrees; GeoJSON keeps seven decimals.
    assert shapely.hausdorff_distance(frame.geometry.to_numpy(), [box, box.buffer(0.01)]).max() < 1e-6


def test_without_a_datum_the_file_s_own_reference_system_counts() -> None:
    assert read(layer("a.gpkg", crs="EPSG:4490")).crs.to_epsg() == 4490
    np.testing.assert_allclose(lonlat(read(layer("b.geojson"))), PLACES)
    # GeoJSON says WGS 84 unasked, so the study's word counts.
    assert read("b.geojson", datum="cgcs2000").crs.to_epsg() == 4490
    assert faults(layer("c.shp", crs=None)) == [
        "c.shp: has no reference system; name it under `crs:`, e.g. EPSG:4544, or where it is in degrees name its "
        "`datum:`"
    ]
    assert read("c.shp", datum="cgcs2000").crs.to_epsg() == 4490


@pytest.mark.parametrize(
    ("crs", "datum", "said"),
    [
        ("EPSG:4490", "wgs84", "the reference system is China Geodetic Coordinate System 2000, but datum is wgs84; "
         "remove `crs:`, or correct one of them"),
        ("EPSG:4544", "gcj02", "datum gcj02 is in degrees and passes for WGS 84 or CGCS2000, but the file has CGCS2000 "
         "/ 3-degree Gauss-Kruger CM 105E; remove `datum:`, or take the layer as it was before it was projected"),
        ("EPSG:4214", "bd09", "datum bd09 is in degrees and passes for WGS 84 or CGCS2000, but the file has Beijing "
         "1954; remove `datum:`, or take the layer as it was before it was projected"),
    ],
)  # fmt: skip
def test_a_layer_whose_reference_system_contradicts_the_datum(crs: str, datum: str, said: str) -> None:
    shapes = gpd.GeoSeries(shapely.points(PLACES), crs=4326).to_crs(crs).to_numpy()
    assert faults(layer("a.gpkg", shapes, crs=crs), datum=datum) == [f"a.gpkg: {said}"]


def test_a_shapefile_of_arcgis_is_known_by_its_own_words() -> None:
    layer("a.shp", crs=None)
    Path("a.prj").write_text(
        'GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",SPHEROID["CGCS2000",6378137.0,'
        '298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]',
        encoding="utf-8",
    )
    assert read("a.shp", datum="cgcs2000").crs.to_epsg(25) == 4490


# Gauss-Krüger zones


def test_all_zones_of_cgcs2000_are_known_and_agree_with_their_names() -> None:
    zones = cgcs2000_zones()
    assert [zone.code for zone in zones] == list(CGCS2000_CODES)
    for zone in zones:
        last = zone.name.split()[-1]
        if "zone" in zone.name:
            # A zone's number gives its meridian: 3 n for 3 degrees, 6 n - 3 for 6.
            assert zone.prefix == int(last)
            assert zone.meridian_deg == (3 * zone.prefix if zone.width_deg == 3 else 6 * zone.prefix - 3)
        else:
            assert (zone.prefix, f"{zone.meridian_deg:.0f}E") == (0, last)
    assert [sum(zone.width_deg == width for zone in zones) for width in (3, 6)] == [42, 22]


@pytest.mark.parametrize("code", [4544, 4523, 4507, 4496])
def test_eastings_that_fit_their_code_are_read(code: int) -> None:
    np.testing.assert_allclose(lonlat(read(table(in_metres(code), ("x", "y")), crs=f"EPSG:{code}")), PLACES, atol=1e-9)


ONE = "EPSG:4544 (CGCS2000 / 3-degree Gauss-Kruger CM 105E)"
WRONG = [
    # the file's code, the study's code, what is said of the easting, the code that fits
    (4523, 4544, "begins with the zone 35, but EPSG:4544 writes none before eastings", 4523),
    (4544, 4523, "has no zone before it, but EPSG:4523 writes 35 there", 4544),
    (4523, 4524, "begins with the zone 35, but EPSG:4524 is of zone 36", 4523),
    (4496, 4523, "begins with the zone 18, but EPSG:4523 is of zone 35", 4496),
    (4507, 4496, "has no zone before it, but EPSG:4496 writes 18 there", 4507),
    (4496, 4507, "begins with the zone 18, but EPSG:4507 writes none before eastings", 4496),
]


@pytest.mark.parametrize(("own", "named", "said", "fits"), WRONG)
def test_eastings_that_do_not_fit_name_the_code_that_does(own: int, named: int, said: str, fits: int) -> None:
    places = in_metres(own)[:1].round(2)
    advice = f"the code that fits is EPSG:{fits} ({pyproj.CRS.from_epsg(fits).name})"
    assert faults(table(places, ("x", "y")), crs=f"EPSG:{named}") == [
        f"points.csv: row 1, column 'x': the easting '{places[0, 0]}' {said}; {advice}"
    ]
    shapes = shapely.points(places).tolist()
    assert faults(layer("a.gpkg", shapes, crs=f"EPSG:{named}")) == [f"a.gpkg: row 1: the easting {said}; {advice}"]


def test_only_the_rows_that_do_not_fit_are_named() -> None:
    places = np.vstack([in_metres(4523)[:1], in_metres(4544)[1:2], in_metres(4523)[2:]]).round(1)
    (fault,) = faults(table(places, ("x", "y")), crs="EPSG:4523")
    assert fault.startswith("points.csv: row 2, column 'x': the easting ")


@pytest.mark.parametrize("code", [4544, 4523])
def test_a_surveyor_s_x_is_the_northing(code: int) -> None:
    found = faults(table(in_metres(code)[:2, ::-1], ("x", "y")), crs=f"EPSG:{code}")
    assert found == [
        f"points.csv: row {row}, column 'x': x looks like a northing, and y like an easting; surveyors call the "
        "northing X: exchange x and y under `columns:`"
        for row in (1, 2)
    ]


@pytest.mark.parametrize("crs", ["EPSG:32648", "EPSG:3857", "EPSG:4490"])
def test_systems_that_are_no_gauss_kruger_zone(crs: str) -> None:
    assert zone_of_crs(pyproj.CRS.from_user_input(crs)) is None


def test_zones_of_an_older_datum_have_no_code_of_cgcs2000_as_advice() -> None:
    places = in_metres(4523)[:1].round(1)
    assert faults(table(places, ("x", "y")), crs="EPSG:2381") == [
        f"points.csv: row 1, column 'x': the easting '{places[0, 0]}' begins with the zone 35, but EPSG:2381 writes "
        "none before eastings; name the code that fits, of zone 35"
    ]
