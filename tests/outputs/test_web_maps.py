"""Facilities and zones for web maps of China."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from facility_coverage.config.study import Table
from facility_coverage.errors import StudyError
from facility_coverage.layers.datum import SHIFTED, from_wgs84
from facility_coverage.layers.tables import read_table
from facility_coverage.outputs.folder import check_replaceable
from facility_coverage.outputs.maps import MapContent
from facility_coverage.outputs.tables import facility_table, zone_table
from facility_coverage.outputs.web_maps import check_in_china, web_map_names, write_web_maps

EVIL = '</script><img src=x onerror="alert(1)">\u2028'


@pytest.fixture(scope="module")
def content(make_content: Callable[..., MapContent]) -> MapContent:
    return make_content(evil=EVIL)


@pytest.mark.parametrize("datum", SHIFTED)
def test_the_files_read_back_in_their_datum_are_the_layers(content: MapContent, tmp_path: Path, datum: str) -> None:
    write_web_maps(content.config, content.layers, content.coverage, tmp_path, datum=datum)
    assert {path.name for path in tmp_path.iterdir()} == set(web_map_names(datum))
    wanted = {
        "facilities": facility_table(content.layers, content.coverage),
        "zones": content.layers.zones.set_index("zone_id").loc[
            zone_table(content.config, content.layers, content.coverage)["zone_id"]
        ],
    }
    for name, frame in wanted.items():
        path = tmp_path / f"{name}.{datum}.geojson"
        read = read_table(Table.model_validate({"path": path, "datum": datum}), role="water").frame.to_crs(frame.crs)
        apart_m = shapely.hausdorff_distance(read.geometry.to_numpy(), frame.geometry.to_numpy())
        assert apart_m.max() < 0.02, name
        # As a web map takes it, a file lies where the formula says.
        raw = shapely.get_coordinates(gpd.read_file(path).geometry.to_numpy())
        degrees = shapely.get_coordinates(frame.to_crs("EPSG:4326").geometry.to_numpy())
        np.testing.assert_allclose(raw, from_wgs84(degrees, datum), atol=1e-7)


def test_columns_are_those_of_the_tables_and_missing_values_are_null(content: MapContent, tmp_path: Path) -> None:
    write_web_maps(content.config, content.layers, content.coverage, tmp_path, datum="gcj02")
    features = {
        name: json.loads((tmp_path / f"{name}.gcj02.geojson").read_text(encoding="utf-8"))["features"]
        for name in ("facilities", "zones")
    }
    zones = zone_table(content.config, content.layers, content.coverage)
    assert list(features["zones"][0]["properties"]) == [*zones.columns, "datum"]
    for feature, (_, row) in zip(features["zones"], zones.iterrows(), strict=True):
        for column, value in row.items():
            said = feature["properties"][column]
            assert said is None if value != value else said == value  # noqa: PLR0124 - NaN alone differs from itself
    facilities = facility_table(content.layers, content.coverage)
    assert len(features["facilities"]) == len(facilities)
    assert {feature["properties"]["datum"] for feature in features["facilities"]} == {"gcj02"}
    nothing = facilities["tier"].isna().sum()
    assert sum(feature["properties"]["tier"] is None for feature in features["facilities"]) == nothing > 0


def test_text_stays_text_inside_a_page(content: MapContent, tmp_path: Path) -> None:
    write_web_maps(content.config, content.layers, content.coverage, tmp_path, datum="bd09")
    for name in web_map_names("bd09"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert not set(text) & set("<>&\u2028\u2029")
        assert any(EVIL in str(feature["properties"]["name"]) for feature in json.loads(text)["features"])


def test_a_study_beyond_china_is_refused_before_computing(content: MapContent) -> None:
    check_in_china(content.layers, "gcj02", file="study toy")
    away = content.layers.zones.to_crs("EPSG:4326").assign(geometry=shapely.box(43.2, -11.9, 43.4, -11.7))
    moved = type(content.layers)(**{**vars(content.layers), "zones": away})
    with pytest.raises(StudyError) as error:
        check_in_china(moved, "gcj02", file="study toy")
    assert str(error.value) == (
        "study toy: outputs.web_map_datum is gcj02, but zones reach beyond China (first: lon 43.40000, lat -11.90000); "
        "leave web_map_datum out"
    )


def test_a_run_replaces_its_own_web_maps(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    for name in ("run.json", *web_map_names("gcj02"), *web_map_names("bd09")):
        (folder / name).write_text("{}", encoding="utf-8")
    check_replaceable(folder)
    (folder / "zones.wgs84.geojson").write_text("{}", encoding="utf-8")
    with pytest.raises(StudyError, match=r"holds files that no run has written \(zones.wgs84.geojson\)"):
        check_replaceable(folder)
