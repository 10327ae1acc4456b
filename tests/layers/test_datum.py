"""Datums of China: laws of the conversions, and figures that others have published."""

from __future__ import annotations

import math

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from facility_coverage.layers.datum import (
    CHINA,
    SHIFTED,
    from_wgs84,
    geometries_from_wgs84,
    geometries_to_wgs84,
    in_china,
    to_wgs84,
)

GEOD = pyproj.Geod(ellps="WGS84")
WEST, SOUTH, EAST, NORTH = CHINA
LON = st.floats(WEST + 0.1, EAST - 0.1)
LAT = st.floats(SOUTH + 0.1, NORTH - 0.1)
MILLIMETRE = 1e-3


def metres_between(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.asarray(GEOD.inv(*one.T, *other.T)[2])


def by_hand(lon: float, lat: float, datum: str) -> tuple[float, float]:
    """The published formulas, one place at a time: waves as (metres, waves per degree), planes as coefficients."""
    x, y = lon - 105.0, lat - 35.0

    def waves(of: float, *parts: tuple[float, float]) -> float:
        return sum(2 / 3 * metres * math.sin(math.pi * of * per_degree) for metres, per_degree in parts)

    both = waves(x, (20, 6), (20, 2))
    east = 300 + x + 2 * y + 0.1 * x**2 + 0.1 * x * y + 0.1 * abs(x) ** 0.5 + both
    east += waves(x, (20, 1), (40, 1 / 3), (150, 1 / 12), (300, 1 / 30))
    north = -100 + 2 * x + 3 * y + 0.2 * y**2 + 0.1 * x * y + 0.2 * abs(x) ** 0.5 + both
    north += waves(y, (20, 1), (40, 1 / 3), (160, 1 / 12), (320, 1 / 30))
    # Radii of curvature of the ellipsoid, from PROJ's own definition of Krasovsky's.
    krassovsky = pyproj.Geod(ellps="krass")
    w = math.sqrt(1 - krassovsky.es * math.sin(math.radians(lat)) ** 2)
    prime_vertical, meridional = krassovsky.a / w, krassovsky.a * (1 - krassovsky.es) / w**3
    lon += math.degrees(east / (prime_vertical * math.cos(math.radians(lat))))
    lat += math.degrees(north / meridional)
    if datum == "gcj02":
        return lon, lat
    place = complex(lon, lat)
    length = abs(place) + 2e-5 * math.sin(math.radians(3000 * lat))
    angle = math.atan2(lat, lon) + 3e-6 * math.cos(math.radians(3000 * lon))
    place = complex(length * math.cos(angle), length * math.sin(angle)) + 0.0065 + 0.006j
    return place.real, place.imag


@pytest.mark.parametrize("datum", SHIFTED)
@given(lon=LON, lat=LAT)
def test_the_compiled_formula_is_that_written_by_hand(datum: str, lon: float, lat: float) -> None:
    (there,) = from_wgs84(np.array([[lon, lat]]), datum)
    assert there == pytest.approx(by_hand(lon, lat, datum), abs=1e-10)


@pytest.mark.parametrize("datum", SHIFTED)
def test_a_million_places_come_back_within_a_millimetre(datum: str) -> None:
    rng = np.random.default_rng(20_251_231)
    places = np.column_stack([rng.uniform(WEST, EAST, 1_000_000), rng.uniform(SOUTH, NORTH, 1_000_000)])
    assert metres_between(to_wgs84(from_wgs84(places, datum), datum), places).max() < MILLIMETRE
    assert metres_between(from_wgs84(to_wgs84(places, datum), datum), places).max() < MILLIMETRE


@pytest.mark.parametrize("datum", SHIFTED)
@given(
    lon=LON | st.floats(-1e-9, 1e-9).map(lambda off: 105.0 + off) | st.just(105.0),
    lat=LAT | st.sampled_from([35.0, SOUTH + 0.01, NORTH - 0.01]),
)
def test_places_come_back_also_where_the_formula_has_an_edge(datum: str, lon: float, lat: float) -> None:
    # At 105° E the square root of the distance has no slope: there the iteration is slowest.
    place = np.array([[lon, lat]])
    assert metres_between(to_wgs84(from_wgs84(place, datum), datum), place)[0] < MILLIMETRE
    assert metres_between(from_wgs84(to_wgs84(place, datum), datum), place)[0] < MILLIMETRE


@pytest.mark.parametrize("datum", SHIFTED)
@given(places=st.lists(st.tuples(LON, LAT), min_size=1, max_size=20))
def test_many_places_are_converted_as_one_by_one(datum: str, places: list[tuple[float, float]]) -> None:
    together = to_wgs84(np.array(places), datum)
    np.testing.assert_array_equal(together, [to_wgs84(np.array([place]), datum)[0] for place in places])


# What Amap's service answers to GPS coordinates: the example of its documentation,
# https://apifox.com/apidoc/project-759159/api-14671355. What Baidu's service answers to the example of its
# documentation, https://lbsyun.baidu.com/index.php?title=webapi/guide/changeposition, as several public programs have
# logged it; it seems to round to 32-bit figures on its way.
AMAP = [
    ((116.481499, 39.990475), (116.487585177952, 39.991754014757)),
    ((116.481499, 39.990375), (116.487585177952, 39.991653917101)),
]
BAIDU = ((114.21892734521, 29.575429778924), (114.2307519546763, 29.57908428837437))


@pytest.mark.parametrize(("gps", "amap"), AMAP)
def test_amap_answers_the_same(gps: tuple[float, float], amap: tuple[float, float]) -> None:
    assert metres_between(from_wgs84(np.array([gps]), "gcj02"), np.array([amap]))[0] < 0.05
    assert metres_between(to_wgs84(np.array([amap]), "gcj02"), np.array([gps]))[0] < 0.05


def test_baidu_answers_the_same() -> None:
    gps, baidu = np.array([BAIDU[0]]), np.array([BAIDU[1]])
    assert metres_between(from_wgs84(gps, "bd09"), baidu)[0] < 0.75
    assert metres_between(to_wgs84(baidu, "bd09"), gps)[0] < 0.75


# Figures in the tests of other programs: https://github.com/googollee/eviltransform (three cities, to 5 decimals),
# https://github.com/wandergis/coordtransform (116.404, 39.915), and a command-line tool called geotool (BD-09).
PUBLISHED = [
    ("gcj02", (121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ("gcj02", (113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ("gcj02", (116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
    ("gcj02", (116.404, 39.915), (116.41024449916938, 39.91640428150164)),
    ("bd09", (121.0917077, 30.6107779), (121.10271732371203, 30.61484572185035)),
]


@pytest.mark.parametrize(("datum", "wgs84", "there"), PUBLISHED)
def test_other_programs_say_the_same(datum: str, wgs84: tuple[float, float], there: tuple[float, float]) -> None:
    np.testing.assert_allclose(from_wgs84(np.array([wgs84]), datum), [there], atol=5e-6)
    np.testing.assert_allclose(to_wgs84(np.array([there]), datum), [wgs84], atol=5e-6)


def test_cgcs2000_and_wgs84_stay_as_they_are() -> None:
    places = np.array([[105.9, 29.35], [120.0, 31.0]])
    for datum in ("wgs84", "cgcs2000"):
        np.testing.assert_array_equal(to_wgs84(places, datum), places)
        np.testing.assert_array_equal(from_wgs84(places, datum), places)


@pytest.mark.parametrize("datum", SHIFTED)
def test_whole_geometries_go_there_and_back(datum: str) -> None:
    hole = shapely.box(105.92, 29.32, 105.95, 29.35)
    shapes = np.array(
        [
            shapely.Point(105.9, 29.3),
            shapely.LineString([(105.9, 29.3), (106.0, 29.4)]),
            shapely.box(105.9, 29.3, 106.0, 29.4).difference(hole),
            shapely.MultiPolygon([shapely.box(105, 29, 106, 30), shapely.box(107, 29, 108, 30)]),
            shapely.Point(),
            None,
        ],
        dtype=object,
    )
    there = geometries_from_wgs84(shapes, datum)
    np.testing.assert_array_equal(shapely.get_coordinates(there), from_wgs84(shapely.get_coordinates(shapes), datum))
    back = geometries_to_wgs84(there, datum)
    assert back[5] is None
    assert shapely.get_type_id(back).tolist() == shapely.get_type_id(shapes).tolist()
    assert shapely.equals_exact(back[:5], shapes[:5], tolerance=1e-9).all()


def test_china_is_a_box_with_its_borders() -> None:
    corners = np.array([[WEST, SOUTH], [EAST, NORTH], [WEST - 1e-6, 30], [116, NORTH + 1e-6], [0, 0], [np.nan, 30]])
    assert in_china(corners).tolist() == [True, True, False, False, False, False]
