"""A whole study of two districts whose towns were digitised apart: people stay, districts are sums of their towns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
import shapely
import yaml
from shapely import box

from facility_coverage.analysis.details import details_findings
from facility_coverage.config.reading import load_study
from facility_coverage.errors import ConfigError
from facility_coverage.layers.reading import read_layers
from facility_coverage.running import run_study

CRS = "EPSG:4544"
X, Y = 587_000.0, 3_247_000.0


def towns() -> list[shapely.Geometry]:
    """Four towns in a row; the second overlaps the first by 2 m, and leaves a hole of 4 × 100 m to the third."""
    hole = box(1198, 100, 1202, 200)
    return [box(0, 0, 601, 400), box(599, 0, 1200, 400) - hole, box(1200, 0, 1800, 400) - hole, box(1800, 0, 2400, 400)]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    names = {"zone_id": ["0110101", "0110102", "0110201", "0110202"], "name": ["a", "b", "c", "d"],
             "area_type": ["urban", "rural", "urban", "rural"]}  # fmt: skip
    zones = gpd.GeoDataFrame(names, geometry=towns(), crs=CRS)
    zones.geometry = zones.geometry.translate(X, Y)
    zones.to_file(tmp_path / "zones.gpkg")
    west, east = box(-1, -1, 1205, 401), box(1205, -1, 2401, 401)
    districts = gpd.GeoDataFrame(
        {"district_id": ["01101", "01102"], "name": ["西区", "东区"]}, geometry=[west, east], crs=CRS
    )
    districts.geometry = districts.geometry.translate(X, Y)
    districts.to_file(tmp_path / "districts.gpkg")
    line = gpd.GeoSeries([shapely.LineString([(x, 300) for x in range(0, 2401, 100)])], crs=CRS).translate(X, Y)
    gpd.GeoDataFrame({"highway": ["residential"]}, geometry=line).to_file(tmp_path / "roads.gpkg")
    cells = np.arange(1.0, 97.0).reshape(4, 24)  # 100 m cells
    with rasterio.open(
        tmp_path / "people.tif", "w", driver="GTiff", height=4, width=24, count=1, dtype="float64", crs=CRS,
        transform=rasterio.Affine(100, 0, X, 0, -100, Y + 400),
    ) as out:  # fmt: skip
        out.write(cells, 1)
    places = [("s1", 100, 10.0), ("s2", 900, np.nan), ("s3", 1300, np.nan)]
    rows = [{"facility_id": i, "name": i, "x": X + x, "y": Y + 300, "beds": beds} for i, x, beds in places]
    pd.DataFrame(rows).to_csv(tmp_path / "stations.csv", index=False)
    content = {
        "id": "towns",
        "title": "towns",
        "date": "2025-12-31",
        "crs": CRS,
        "zones": {"path": "zones.gpkg", "repair": True, "sliver_width_m": 5},
        "districts": {"path": "districts.gpkg", "crossing_share": 0.005},
        "roads": {"path": "roads.gpkg"},
        "population": {"kind": "raster", "path": "people.tif"},
        "facilities": [
            {"id": "stop", "name": "stop", "kind": "clinic", "path": "stations.csv", "crs": CRS, "capacity": ["beds"],
             "profile": "adult", "cutoff_min": 5}
        ],
        "network": {"min_component_nodes": 2},
    }  # fmt: skip
    path = tmp_path / "towns.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def changed(path: Path, **parts: Any) -> Path:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    for key, values in parts.items():
        content[key] = {**content[key], **values} if isinstance(values, dict) else values
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def test_repair_conserves_people(study: Path) -> None:
    layers = read_layers(load_study(study).config, margin_m=0)
    everybody = np.arange(1.0, 97.0).sum()
    ledger = layers.demand.ledger.set_index("group").loc["total"]
    # The towns now cover all of the raster, and every person is in exactly one.
    assert ledger["in_zones"] == pytest.approx(everybody, abs=1e-6)
    assert (ledger["beyond_zones"], ledger["beyond_margin"]) == (pytest.approx(0, abs=1e-6), pytest.approx(0, abs=1e-6))
    assert layers.zones.geometry.area.sum() == pytest.approx(2400 * 400, abs=1e-3)
    kinds = layers.details["topology"][["kind", "zones", "area_m2", "repaired"]].round(3).to_numpy().tolist()
    assert kinds == [["overlap", "0110101, 0110102", 800.0, True], ["gap", "0110102, 0110201", 400.0, True]]
    repairs = layers.details["repairs"].set_index("zone_id")
    assert (repairs["area_after_m2"] - repairs["area_before_m2"]).sum() == pytest.approx(400 - 800, abs=1e-3)


def test_without_repair_the_overlap_stops_the_study_and_the_gap_loses_people(study: Path) -> None:
    with pytest.raises(Exception, match=r"zones '0110101' and '0110102' overlap by 800 m² \(2.0 m wide\)"):
        read_layers(load_study(changed(study, zones={"repair": False})).config, margin_m=0)
    frame = gpd.read_file(study.parent / "zones.gpkg")
    frame.geometry = [box(X, Y, X + 600, Y + 400), *frame.geometry[1:]]
    frame.loc[1, "geometry"] = frame.geometry[1].difference(frame.geometry[0])
    frame.to_file(study.parent / "zones.gpkg")
    layers = read_layers(load_study(study).config, margin_m=0)
    lost = np.arange(1.0, 97.0).reshape(4, 24)[2, 11:13].sum() * 0.02  # 2 of 100 m of two cells
    assert layers.demand.ledger.loc[0, "beyond_zones"] == pytest.approx(lost, rel=1e-5)  # shares of cells are float32
    found = {one.code: one for one in details_findings(layers)}
    assert set(found) == {"zone_gap", "zone_crosses_district"}
    assert found["zone_gap"].where == ("0110102, 0110201 (400 m²)",)


def test_districts_are_sums_of_their_towns(study: Path, tmp_path: Path) -> None:
    folder = run_study(study, folder=tmp_path / "out", lang="en").folder
    text = {"zone_id": str, "district_id": str}
    zones = pd.read_csv(folder / "zones.csv", encoding="utf-8-sig", dtype=text)
    districts = pd.read_csv(folder / "districts.csv", encoding="utf-8-sig", dtype=text)
    assert zones["district_id"].tolist() == ["01101", "01101", "01102", "01102"]
    assert zones["district_name"].tolist() == ["西区", "西区", "东区", "东区"]
    assert districts[["district_id", "name", "zone_count"]].to_numpy().tolist() == [
        ["01101", "西区", 2],
        ["01102", "东区", 2],
    ]
    for column in ("population_total", "stop_covered_total", "stop_facility_count", "area_km2"):
        np.testing.assert_allclose(districts[column], zones.groupby("district_id")[column].sum(), rtol=1e-9)
    covered, people = districts["stop_covered_total"], districts["population_total"]
    np.testing.assert_allclose(districts["stop_share_total"], covered / people, rtol=1e-9)
    means = zones.groupby("district_id")["stop_share_total"].mean()
    assert (np.abs(districts["stop_share_total"].to_numpy() - means.to_numpy()) > 1e-3).any()
    # West: 10 beds known and one station that says nothing. East: one station, nothing known: no data, not 0.
    np.testing.assert_array_equal(districts["stop_beds"], [10.0, np.nan])
    np.testing.assert_array_equal(zones["stop_beds"], [10.0, np.nan, np.nan, 0.0])
    passport = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    repairs = {row["zone_id"]: row for row in passport["details"]["repairs"]}
    # The gap's border is as long with either neighbour, the overlap's with either town: the first by code takes it.
    assert {zone: round(row["area_after_m2"] - row["area_before_m2"], 3) for zone, row in repairs.items()} == {
        "0110102": 400.0 - 800.0
    }
    # 5 m × 400 m of the third town lie in the west, but for its half of the hole, which its neighbour has got.
    (crossing,) = passport["details"]["districts"]
    assert (crossing["zone_id"], crossing["others"]) == ("0110201", "01101")
    assert crossing["share"] == pytest.approx(1800 / 239_800, rel=1e-6)
    assert "districts" in {name for name, _ in pyogrio.list_layers(folder / "coverage.gpkg")}
    outlines = gpd.read_file(folder / "coverage.gpkg", layer="districts")
    np.testing.assert_allclose(outlines.geometry.area / 1e6, districts["area_km2"], rtol=1e-6)
    run_study(study, folder=tmp_path / "out", lang="en")  # the folder is known as a run's own


def test_a_study_without_districts_writes_no_such_table(study: Path, tmp_path: Path) -> None:
    folder = run_study(changed(study, districts=None), folder=tmp_path / "out", lang="en").folder
    assert not (folder / "districts.csv").exists()
    zones = pd.read_csv(folder / "zones.csv", encoding="utf-8-sig")
    assert zones[["district_id", "district_name"]].isna().all(axis=None)


def test_paths_and_systems_of_districts_and_sources_are_checked_with_the_rest(study: Path) -> None:
    sources = [{"path": "gone.csv", "crs": "EPSG:0"}, {"path": "stations.csv"}]
    layer = {"id": "stop", "name": "s", "kind": "clinic", "sources": sources, "profile": "adult", "cutoff_min": 5}
    path = changed(study, districts={"path": "none.gpkg"}, facilities=[layer])
    with pytest.raises(ConfigError) as error:
        load_study(path)
    fields = {fault.field: fault.message for fault in error.value.faults}
    assert fields == {
        "districts.path": "the file 'none.gpkg' does not exist",
        "facilities.0.sources.0.path": "the file 'gone.csv' does not exist",
        "facilities.0.sources.0.crs": "the reference system 'EPSG:0' is not known",
    }
