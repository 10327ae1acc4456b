"""Rasters as offices have them: densities, forgotten nodata, scaled integers, several bands, and very large ones."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import rasterio
import rasterio.windows
import shapely
from hypothesis import given
from hypothesis import strategies as st

from facility_coverage.errors import LayerError
from facility_coverage.layers.boundaries import study_box
from facility_coverage.layers.cell_areas import cell_areas_m2, stretch_of
from facility_coverage.layers.raster import RasterFile, Window, read_window

WGS84 = pyproj.CRS.from_epsg(4326)
UTM = pyproj.CRS.from_epsg(32648)
# A box of 1 km in UTM zone 48, wholly within the rasters below.
INNER = shapely.box(500_000, 3_000_000, 501_000, 3_001_000)


def write(path: Path, *bands: np.ndarray, crs: Any = UTM, transform: Any = None, **options: Any) -> Path:
    height, width = bands[0].shape
    transform = transform or rasterio.Affine(500, 0, 499_000, 0, -500, 3_002_000)
    scales, offsets, names = (options.pop(key, None) for key in ("scales", "offsets", "names"))
    profile = {"driver": "GTiff", "height": height, "width": width, "count": len(bands), "dtype": bands[0].dtype}
    with rasterio.open(path, "w", **profile, crs=crs, transform=transform, **options) as out:
        for number, band in enumerate(bands, 1):
            out.write(band, number)
            if names:
                out.set_band_description(number, names[number - 1])
        if scales:
            out.scales, out.offsets = scales, offsets
    return path


def read(path: Path, *, margin_m: float = 400.0, **options: Any) -> Window:
    return read_window(RasterFile(path, "people.tif", **options), INNER, study_box(INNER, margin_m), crs=UTM)


def everybody(window: Window) -> float:
    return float(window.people.sum()) + window.beyond


def faults(path: Path, **options: Any) -> str:
    with pytest.raises(LayerError) as error:
        read(path, **options)
    return str(error.value)


SIX = np.arange(36.0).reshape(6, 6)


def test_densities_on_a_metric_grid_become_people_by_the_size_of_a_cell(tmp_path: Path) -> None:
    path = write(tmp_path / "people.tif", SIX)
    assert everybody(read(path)) == SIX.sum() == 630
    assert everybody(read(path, unit="per_km2")) == pytest.approx(630 * 0.25, rel=1e-15)  # cells of 500 m
    assert everybody(read(path, unit="per_ha")) == pytest.approx(630 * 25, rel=1e-15)


def test_a_grid_in_feet_has_cells_in_square_feet() -> None:
    feet = pyproj.CRS.from_epsg(2263)  # US survey feet of 1200/3937 m
    area = cell_areas_m2(rasterio.Affine(100, 0, 0, 0, -100, 0), feet, np.arange(2))
    assert area == pytest.approx([(100 * 1200 / 3937) ** 2] * 2, rel=1e-12)


def test_cells_in_degrees_have_their_area_on_the_ellipsoid() -> None:
    # All cells of the world: the published surface of the WGS 84 ellipsoid (Moritz, Geodetic Reference System 1980,
    # gives 510.0656217 million km² for GRS 80, whose axes differ by 0.1 mm).
    world = cell_areas_m2(rasterio.Affine(1, 0, -180, 0, -1, 90), WGS84, np.arange(180)) * 360
    assert world.sum() / 1e12 == pytest.approx(510.0656217, abs=1e-7)
    sphere = pyproj.CRS.from_proj4("+proj=longlat +R=6371000")
    half = cell_areas_m2(rasterio.Affine(360, 0, -180, 0, -90, 90), sphere, np.arange(2))
    assert half == pytest.approx([2 * np.pi * 6_371_000.0**2] * 2, rel=1e-12)


@given(south=st.floats(-89, 88), west=st.floats(-180, 179), size=st.floats(1e-3, 1))
def test_areas_agree_with_geodesic_polygons(south: float, west: float, size: float) -> None:
    # Geodesics leave a parallel, so its side is divided: the oracle is PROJ's polygon area.
    (area,) = cell_areas_m2(rasterio.Affine(size, 0, west, 0, -size, south + size), WGS84, np.arange(1))
    lon = np.linspace(west, west + size, 400)
    ring = np.concatenate([lon, lon[::-1]]), np.repeat([south, south + size], 400)
    oracle, _ = pyproj.Geod(ellps="WGS84").polygon_area_perimeter(*ring)
    assert area == pytest.approx(abs(oracle), rel=1e-6)


def test_a_density_in_degrees_gives_the_same_people_as_a_projected_count(tmp_path: Path) -> None:
    # 1,000 people per km² everywhere; the study's own square of 1 km must hold about 1,000 of them.
    transform = rasterio.Affine(1e-3, 0, 104.98, 0, -1e-3, 27.15)
    path = write(tmp_path / "people.tif", np.full((80, 60), 1000.0, dtype="float32"), crs=WGS84, transform=transform)
    window = read(path, unit="per_km2", margin_m=0.0)
    cells = gpd.GeoSeries(
        [
            shapely.box(x, y - 1e-3, x + 1e-3, y)
            for y in window.transform.f - 1e-3 * np.arange(window.people.shape[0])
            for x in window.transform.c + 1e-3 * np.arange(window.people.shape[1])
        ],
        crs=4326,
    ).to_crs(UTM)
    share = cells.intersection(INNER).area / cells.area
    # UTM shows lengths at its central meridian as 0.9996 of themselves, areas as 0.9996².
    assert (window.people.ravel() * share).sum() == pytest.approx(1000 / 0.9996**2, rel=1e-5)


def test_densities_on_a_grid_that_stretches_areas_are_refused(tmp_path: Path) -> None:
    mercator = pyproj.CRS.from_epsg(3857)
    x, y = pyproj.Transformer.from_crs(UTM, mercator, always_xy=True).transform(500_500, 3_000_500)
    transform = rasterio.Affine(500, 0, x - 1500, 0, -500, y + 1500)
    path = write(tmp_path / "people.tif", SIX, crs=mercator, transform=transform)
    assert "shows areas 1.26 times as large as they are" in faults(path, unit="per_km2")
    assert everybody(read(path)) == 630  # counts do not ask for areas
    assert abs(stretch_of(UTM, INNER.bounds) - 0.9996**2) < 1e-6


@pytest.mark.parametrize("kind", ["int16", "int32", "uint16", "float32", "float64"])
@pytest.mark.parametrize("declared", [True, False])
def test_nodata_is_nobody_whether_the_file_or_the_study_names_it(tmp_path: Path, kind: str, *, declared: bool) -> None:
    missing = 65535 if kind == "uint16" else -9999
    people = SIX.astype(kind)
    people[0, 0] = people[2, 3] = missing
    path = write(tmp_path / "people.tif", people, nodata=missing if declared else None)
    window = read(path, nodata=None if declared else float(missing))
    assert everybody(window) == 630 - SIX[0, 0] - SIX[2, 3]
    if not declared and kind != "uint16":
        assert "2 cells are negative" in faults(path)


def test_nan_is_nobody_and_float_nodata_is_met_in_its_own_precision(tmp_path: Path) -> None:
    people = SIX.astype("float32")
    people[0, 1], people[2, 2] = np.nan, np.float32(-3.4028234663852886e38)
    people[5, 5] = np.float32(0.1)
    path = write(tmp_path / "people.tif", people)
    window = read(path, nodata=-3.4028234663852886e38)
    assert everybody(window) == pytest.approx(630 - 1 - 14 - 35 + 0.1, abs=1e-6)
    people[2, 2] = np.float32(0.1)
    assert everybody(read(write(path, people), nodata=0.1)) == pytest.approx(630 - 1 - 14 - 35, abs=1e-6)


def test_scale_and_offset_apply_to_people_and_nodata_is_as_stored(tmp_path: Path) -> None:
    stored = SIX.astype("int16")
    stored[0, 0] = -200
    path = write(tmp_path / "people.tif", stored, scales=[0.5], offsets=[2.0])
    window = read(path, nodata=-200.0)
    assert everybody(window) == 35 * 2 + 630 * 0.5
    assert window.cells_read == 35


def test_negative_and_infinite_cells_are_listed_with_their_number_sum_and_places(tmp_path: Path) -> None:
    people = SIX.copy()
    people[1, 2], people[4, 0], people[5, 5] = -2, -0.5, np.inf
    told = faults(write(tmp_path / "people.tif", people)).splitlines()
    assert told == [
        "people.tif: 2 cells are negative, -2.5 people in sum (row 2, column 3: -2; row 5, column 1: -0.5); "
        "if the value means no data, name it under `nodata:`; otherwise correct the cells",
        "people.tif: 1 cell is infinite (row 6, column 6: inf); correct the cells",
    ]


def test_several_bands_ask_which(tmp_path: Path) -> None:
    path = write(tmp_path / "people.tif", SIX, SIX * 2, names=["men", "women"])
    assert "has 2 bands; say which one holds the people under `band:`: 1 'men', 2 'women'" in faults(path)
    assert everybody(read(path, band=2)) == 1260
    assert "has no band 3, only 2" in faults(path, band=3)


@pytest.mark.parametrize(
    ("kind", "nodata", "said"),
    [
        ("uint8", -9999.0, "nodata -9999 cannot stand in a band of uint8"),
        ("int16", 0.5, "nodata 0.5 cannot stand in a band of int16"),
        ("float32", 1e300, "nodata 1e+300 cannot stand in a band of float32"),
        ("complex64", None, "band 1 holds complex64, not plain numbers"),
    ],
)
def test_what_a_band_cannot_hold(tmp_path: Path, kind: str, nodata: float | None, said: str) -> None:
    assert said in faults(write(tmp_path / "people.tif", SIX.astype(kind)), nodata=nodata)


@given(data=st.data())
def test_the_sum_does_not_depend_on_blocks_or_the_window(tmp_path_factory: Any, data: st.DataObject) -> None:
    height, width = data.draw(st.integers(20, 70)), data.draw(st.integers(20, 70))
    people = np.random.default_rng(data.draw(st.integers(0, 9))).integers(0, 1000, (height, width)).astype("float64")
    tiles = data.draw(st.sampled_from([{}, {"tiled": True, "blockxsize": 16, "blockysize": 32}, {"blockysize": 7}]))
    path = tmp_path_factory.mktemp("blocks") / "people.tif"
    transform = rasterio.Affine(100, 0, 499_500, 0, -100, 3_001_400)
    write(path, people, transform=transform, **tiles)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("facility_coverage.layers.raster.CHUNK_CELLS", data.draw(st.sampled_from([1, 64, 1000, 10**6])))
        window = read(path, margin_m=data.draw(st.floats(0, 3000)))
    assert everybody(window) == people.sum()
    rows, cols = window.people.shape
    assert (window.people == people[window.row : window.row + rows, window.col : window.col + cols]).all()
    assert window.cells_read == (people > 0).sum()


LARGE = """
import json, re, sys
from pathlib import Path
import pyproj, shapely
from facility_coverage.layers.boundaries import study_box
from facility_coverage.layers.raster import RasterFile, read_window
inner = shapely.box(500_000, 3_000_000, 530_000, 3_030_000)
def peak_mb():
    # Not getrusage, which also counts the process that started this one.
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1e3
before_mb = peak_mb()
window = read_window(RasterFile(Path(sys.argv[1]), "large.tif"), inner, study_box(inner, 5000.0), crs=pyproj.CRS(32648))
print(json.dumps({"in": window.people.sum(), "beyond": window.beyond, "cells": window.cells_read,
                  "before_mb": before_mb, "peak_mb": peak_mb()}))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's own peak of memory")
@pytest.mark.parametrize("layout", [{"tiled": True, "blockxsize": 512, "blockysize": 512}, {"blockysize": 16}])
def test_two_gigabytes_are_read_within_one(tmp_path: Path, layout: dict[str, Any]) -> None:
    # 23,040 × 23,040 cells of float32 are 2.12 GB; every cell holds a number.
    side, rows = 23_040, 512
    path = tmp_path / "large.tif"
    transform = rasterio.Affine(30, 0, 200_000, 0, -30, 3_400_000)
    profile = {"driver": "GTiff", "height": side, "width": side, "count": 1, "dtype": "float32", "compress": "deflate",
               "zlevel": 1, "nodata": -9999.0, **layout}  # fmt: skip
    line = (np.arange(side) % 7).astype("float32")
    total = 0.0
    with rasterio.open(path, "w", **profile, crs=UTM, transform=transform) as out:
        for top in range(0, side, rows):
            block = np.tile(line + top // rows, (rows, 1))
            total += float(block.sum(dtype=np.float64))
            out.write(block, 1, window=rasterio.windows.Window(0, top, side, rows))
    ran = subprocess.run([sys.executable, "-c", LARGE, str(path)], capture_output=True, text=True, check=True)  # noqa: S603 - our own script
    found = json.loads(ran.stdout)
    assert side * side * 4 > 2e9
    assert found["in"] + found["beyond"] == pytest.approx(total, rel=1e-12)
    assert found["in"] > 1e6
    assert found["before_mb"] < found["peak_mb"] < 1000
