"""Facilities beside the streets of a town in Chongqing, declared in the right and in a wrong datum."""

import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import builders
from facility_coverage.analysis.findings import Finding
from facility_coverage.analysis.shifts import shifts
from facility_coverage.config.study import StudyConfig
from facility_coverage.layers.datum import from_wgs84, to_wgs84
from facility_coverage.layers.model import Layers

CRS = pyproj.CRS("EPSG:4544")
X0, Y0, SIDE = 587_000.0, 3_247_000.0, 4_000.0
DEGREES = pyproj.Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
ZONE = shapely.box(X0, Y0, X0 + SIDE, Y0 + SIDE)
STREETS = builders.lattice(11, 11, step_m=SIDE / 10)
ROADS = dataclasses.replace(STREETS, xy=STREETS.xy + np.array([X0, Y0]))


def beside_streets(rng: np.random.Generator, count: int) -> np.ndarray:
    """Places 3 to 15 m from a street (metres)."""
    along, street = rng.uniform(0, SIDE, count), 400.0 * rng.integers(0, 11, count)
    off = rng.uniform(3, 15, count) * rng.choice([-1, 1], count)
    across = rng.random(count) < 0.5
    places = np.where(across[:, None], np.column_stack([along, street + off]), np.column_stack([street + off, along]))
    return places + np.array([X0, Y0])


def moved(places: np.ndarray, change) -> np.ndarray:
    """Move places (metres) as `change` moves degrees."""
    lonlat = change(np.column_stack(DEGREES.transform(*places.T)))
    return np.column_stack(DEGREES.transform(*lonlat.T, direction="INVERSE"))


def read_as(places: np.ndarray, *, written: str, declared: str) -> np.ndarray:
    """Return where places end up that are written in one datum and declared in another."""
    return moved(places, lambda lonlat: to_wgs84(from_wgs84(lonlat, written), declared))


def study(datum: str | None, **more: object) -> StudyConfig:
    layer = builders.facility_layer().model_dump() | {"datum": datum}
    return StudyConfig.model_validate(
        {
            "id": "town", "title": "镇", "date": "2025-12-31", "zones": {"path": "zones.gpkg"},
            "roads": {"path": "roads.gpkg"}, "population": {"kind": "raster", "path": "people.tif"},
            "facilities": [layer], **more,
        }
    )  # fmt: skip


def world(places: np.ndarray, roads=ROADS) -> Layers:
    people = pd.DataFrame([("p", "a", X0, Y0, 1.0)], columns=["demand_id", "zone_id", "x_m", "y_m", "total"])
    stations = {f"f{i}": (x, y, "a") for i, (x, y) in enumerate(places)}
    data = builders.layers(roads, {"a": ("urban", ZONE)}, people, stations)
    return dataclasses.replace(
        data, crs=CRS, zones=data.zones.set_crs(CRS, allow_override=True),
        facilities={"clinics": data.facilities["clinics"].set_crs(CRS, allow_override=True)},
    )  # fmt: skip


def found(data: Layers, config: StudyConfig) -> list[Finding]:
    network = builders.network(data.roads, np.array([[X0, Y0]]))
    return list(shifts(config, data, {"walker": network}))


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), datum=st.sampled_from([None, "wgs84", "cgcs2000", "gcj02", "bd09"]))
def test_what_is_declared_right_is_left_alone(seed: int, datum: str | None) -> None:
    places = beside_streets(np.random.default_rng(seed), 40)
    right = datum if datum in ("gcj02", "bd09") else "wgs84"
    assert found(world(read_as(places, written=right, declared=right)), study(datum)) == []


@pytest.mark.parametrize(
    ("written", "declared"),
    [
        ("gcj02", "wgs84"),
        ("bd09", "wgs84"),
        ("wgs84", "gcj02"),
        ("bd09", "gcj02"),
        ("wgs84", "bd09"),
        ("gcj02", "bd09"),
    ],
)
def test_a_wrong_datum_is_named_with_the_right_one(written: str, declared: str) -> None:
    places = beside_streets(np.random.default_rng(1), 60)
    (finding,) = found(world(read_as(places, written=written, declared=declared)), study(declared))
    assert (finding.code, finding.rank, finding.layer) == ("datum_shift", "warning", "clinics")
    assert f"set datum: {written}" in finding.advice.en
    assert finding.figures["read_m"] < 15
    assert finding.figures["declared_m"] > 50
    assert finding.figures["sure"] > 0.999
    assert "roads" in finding.message.en


def test_roads_in_another_datum_are_named_as_such() -> None:
    places = beside_streets(np.random.default_rng(2), 60)
    roads = dataclasses.replace(ROADS, xy=moved(ROADS.xy, lambda lonlat: from_wgs84(lonlat, "gcj02")))
    (finding,) = found(world(places, roads), study("wgs84"))
    assert (finding.code, finding.layer, finding.file) == ("datum_shift_roads", "roads", "roads.gpkg")
    assert "datum: gcj02" in finding.advice.en


def test_too_few_places_and_places_beyond_china_say_nothing() -> None:
    places = read_as(beside_streets(np.random.default_rng(3), 7), written="gcj02", declared="wgs84")
    assert found(world(places), study("wgs84")) == []
    comoros = dataclasses.replace(world(beside_streets(np.random.default_rng(4), 30)), crs=pyproj.CRS("EPSG:32738"))
    assert found(comoros, study("wgs84")) == []


@pytest.mark.parametrize(("written", "expected"), [("gcj02", ["zones"]), ("wgs84", [])])
def test_zones_are_measured_against_their_neighbours(written: str, expected: list[str]) -> None:
    outline = np.array([(0, 0), (4000, 300), (4200, 4100), (1500, 3900), (-200, 4000)]) + np.array([X0, Y0])
    zone = shapely.Polygon(read_as(outline, written=written, declared="wgs84"))
    hole = shapely.Polygon(outline)
    around = shapely.difference(shapely.box(*shapely.buffer(hole, 9_000).bounds), hole)
    data = world(beside_streets(np.random.default_rng(5), 3))
    data = dataclasses.replace(
        data, zones=data.zones.set_geometry([zone], crs=CRS), boundary=zone,
        basemap={"neighbours": gpd.GeoDataFrame({"name": ["邻"]}, geometry=[around], crs=CRS)},
    )  # fmt: skip
    assert [finding.layer for finding in found(data, study("wgs84"))] == expected
