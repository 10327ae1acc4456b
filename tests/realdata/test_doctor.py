"""A district of Chongqing in GCJ-02 that claims to be in WGS 84."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
import yaml

from facility_coverage.checking import check_study

pytestmark = pytest.mark.realdata

CRS = "EPSG:4544"


def write_study(folder: Path, data: Path, *, zones: str, datum: str) -> Path:
    """Write a study of Yongchuan with streets every 2 km and ten stations beside them."""
    true = gpd.read_file(data / "china" / "datum_pair_wgs84.geojson")
    true.rename(columns={"district_name": "name"})[["name", "geometry"]].to_file(folder / "neighbours.geojson")
    west, south, east, north = true[true["district_name"] == "永川区"].to_crs(CRS).total_bounds
    xs, ys = np.arange(west - 4000, east + 4000, 2000), np.arange(south - 4000, north + 4000, 2000)
    lines = [shapely.LineString([(x, y) for y in ys]) for x in xs] + [
        shapely.LineString([(x, y) for x in xs]) for y in ys
    ]
    tags = {"way_id": [str(i) for i in range(len(lines))], "highway": ["residential"] * len(lines)}
    gpd.GeoDataFrame(tags, geometry=lines, crs=CRS).to_file(folder / "roads.gpkg")
    rows, columns = int(north - south) // 1000 + 3, int(east - west) // 1000 + 3
    options = {"driver": "GTiff", "count": 1, "dtype": "float32", "crs": CRS}
    transform = rasterio.transform.from_origin(west - 1000, north + 1000, 1000, 1000)
    with rasterio.open(
        folder / "people.tif", "w", width=columns, height=rows, transform=transform, **options
    ) as raster:
        raster.write(np.full((rows, columns), 10, dtype=np.float32), 1)
    places = gpd.GeoSeries.from_xy(xs[8:18] + 12, ys[8:18] + 9, crs=CRS).to_crs(4326)
    gpd.GeoDataFrame(
        {"facility_id": [f"s{i}" for i in range(10)], "name": [f"站{i}" for i in range(10)]}, geometry=places
    ).to_file(folder / "stations.geojson")
    station = {"id": "station", "name": "站", "kind": "elder_care", "path": "stations.geojson", "cutoff_min": 15}
    code, name = ("adcode", "district") if "gcj02" in zones else ("district_adcode", "district_name")
    source = {"path": str(data / "china" / zones), "datum": datum, "where": {name: "永川区"}}
    names = {code: "zone_id", name: "name"}
    study = {
        "id": "yongchuan", "title": "永川", "date": "2025-12-31", "crs": CRS,
        "zones": source | {"columns": names, "constants": {"area_type": "rural"}},
        "roads": {"path": "roads.gpkg"}, "population": {"kind": "raster", "path": "people.tif"},
        "facilities": [station | {"profile": "adult"}], "basemap": {"neighbours": {"path": "neighbours.geojson"}},
    }  # fmt: skip
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(study, allow_unicode=True), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("zones", "datum", "expected"),
    [
        ("datum_pair_gcj02.geojson", "wgs84", ["set datum: gcj02"]),
        ("datum_pair_gcj02.geojson", "gcj02", []),
        ("datum_pair_wgs84.geojson", "wgs84", []),
        ("datum_pair_wgs84.geojson", "gcj02", ["set datum: wgs84"]),
    ],
)
def test_a_shift_is_noticed_and_what_is_right_is_left_alone(
    zones: str, datum: str, expected: list[str], realdata: Path, tmp_path: Path
) -> None:
    checkup = check_study(write_study(tmp_path, realdata, zones=zones, datum=datum), allow_outside=True)
    shifts = [found for found in checkup.findings if found.code.startswith("datum_shift")]
    assert [found.layer for found in shifts] == ["zones"] * len(expected)
    for found, advice in zip(shifts, expected, strict=True):
        assert advice in found.advice.en
        assert found.figures["declared_m"] > 150
        assert found.figures["read_m"] < 10
        assert found.figures["sure"] > 0.999
