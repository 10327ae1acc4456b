"""Areas that plans speak of: new estates at the edge of the towns, old towns in their middle, and what is planned."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from facility_coverage.layers.model import Floats
from facility_coverage.sample.frame import CRS, metres, stream
from facility_coverage.sample.placing import World, spot
from facility_coverage.sample.streets import CORE
from facility_coverage.sample.towns import TOWNS

# Town, name, and what the estate is laid about: the town's outermost station or childcare that is not in one yet, or a
# place in its outskirts far from elder care.
ESTATES = (
    (0, "凤凰新城", "station"), (0, "锦绣家园", "station"), (1, "科创新居", "station"), (1, "望城苑", ""),
    (2, "翠湖新城", "station"), (2, "和润府", "station"), (5, "大安新苑", "station"), (18, "产城家园", ""),
    (23, "龙湾小区", "station"), (24, "玉龙苑", "childcare"), (27, "鹿鸣小区", "station"),
)  # fmt: skip
OLD_TOWNS = (
    (0, "中山路老城"), (1, "胜利路老城"), (2, "南大街老城"), (23, "石桥老街"), (24, "立石老街"), (27, "白鹿老街"),
)  # fmt: skip
# Of the radius of a seat; the seats of the core are larger and their old towns a smaller part of them.
OLD_SHARE, OLD_SHARE_CORE = 0.45, 0.26
APART_M = 1_500.0
# Least and greatest width and depth of an estate in the core; elsewhere they are this part of it.
WIDE_M, DEEP_M, SMALL = (380.0, 560.0), (280.0, 400.0), 0.6


def build_estates(world: World, elder: gpd.GeoDataFrame, childcare: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the new estates: area_id, name, district_id and polygons in longitude and latitude."""
    rng = stream("estates")
    spots = {"station": _xy(elder[elder["tier"] == "station"]), "childcare": _xy(childcare)}
    shapes: list[shapely.Geometry] = []
    for number, _, about in ESTATES:
        taken = shapely.union_all(shapes).buffer(APART_M)
        if about:
            at = _outermost(number, spots[about][_free(spots[about], number, world, taken)])
        else:
            at = _farthest(number, world, _xy(elder), taken)
        shapes.append(_block(world, number, at, rng) - shapely.union_all(shapes))
    return _areas("N", [(number, name) for number, name, _ in ESTATES], shapes)


def build_old_towns(world: World) -> gpd.GeoDataFrame:
    """Return the old towns about the middle of their seats: area_id, name, district_id and polygons."""
    rng = stream("old towns")
    turns = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
    shapes = []
    for number, _ in OLD_TOWNS:
        share = OLD_SHARE_CORE if number in CORE else OLD_SHARE
        phase = rng.uniform(0.0, 2.0 * np.pi, (3, 1))
        wave = 0.09 * np.sin(np.array([[2], [3], [5]]) * turns + phase).sum(axis=0)
        radius = TOWNS[number].radius_m * share * (1.0 + wave)
        ring = spot(number) + radius[:, None] * np.column_stack([np.cos(turns), np.sin(turns)])
        shapes.append(_clipped(world, number, shapely.Polygon(ring)))
    return _areas("O", list(OLD_TOWNS), shapes)


def build_planned_stations(estates: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return stations planned in Yongchuan's estates that have none: the columns of elder care."""
    lacking = [n for n, (_, _, about) in enumerate(ESTATES) if not about]
    table = {
        "facility_id": [f"EP{n:03d}" for n in range(1, len(lacking) + 1)],
        "name": [f"{TOWNS[ESTATES[n][0]].name}{ESTATES[n][1]}社区养老服务站（规划）" for n in lacking],
        "tier": "station",
        "beds": 30,
        "nursing_beds": 20,
        "quality_passed": None,
        "contracted": True,
        "opened": [2026 + n % 2 for n in range(len(lacking))],
        "address": None,
    }
    places = shapely.point_on_surface(estates.to_crs(CRS).geometry.iloc[lacking].to_numpy())
    return gpd.GeoDataFrame(pd.DataFrame(table), geometry=places, crs=CRS).to_crs("EPSG:4326")


def _xy(layer: gpd.GeoDataFrame) -> Floats:
    return np.asarray(shapely.get_coordinates(layer.to_crs(CRS).geometry.to_numpy()))


def _free(places: Floats, number: int, world: World, taken: shapely.Geometry) -> np.ndarray:
    zone = world.zones_m.geometry.iloc[number]
    return np.asarray(shapely.contains_xy(zone, places) & ~shapely.contains_xy(taken, places))


def _middle(number: int) -> Floats:
    """Return the middle of the town: of the three subdistricts of the core, or of the seat."""
    numbers = CORE if number in CORE else (number,)
    return np.asarray(metres([TOWNS[n].seat_km for n in numbers]).mean(axis=0))


def _outermost(number: int, places: Floats) -> Floats:
    far = np.hypot(*(places - _middle(number)).T)
    return np.asarray(places[far.argmax()])


def _farthest(number: int, world: World, elder: Floats, taken: shapely.Geometry) -> Floats:
    """Return the place in the outer half of a town's built-up seat that is farthest from elder care."""
    places = world.crowd[world.crowd_town == number]
    places = places[_free(places, number, world, taken)]
    far = np.hypot(*(places - _middle(number)).T)
    outer = places[far > np.quantile(far, 0.5)]
    alone = shapely.distance(shapely.points(outer), shapely.multipoints(elder))
    return np.asarray(outer[alone.argmax()])


def _block(world: World, number: int, at: Floats, rng: np.random.Generator) -> shapely.Geometry:
    """Return a rectangle about a place, along the nearest road."""
    size = np.array([rng.uniform(*WIDE_M), rng.uniform(*DEEP_M)]) * (1.0 if number in CORE else SMALL)
    line = world.roads_m[shapely.STRtree(world.roads_m).nearest(shapely.Point(at))]
    (x0, y0), (x1, y1) = shapely.get_coordinates(shapely.line_interpolate_point(line, [0.0, 1.0], normalized=True))
    along = np.array([x1 - x0, y1 - y0]) / max(np.hypot(x1 - x0, y1 - y0), 1.0)
    axes = np.array([along, [-along[1], along[0]]])
    # The place itself is within, but seldom in the middle.
    corner = at + (rng.uniform(-0.3, 0.3, 2) * size - size / 2.0) @ axes
    corners = corner + (np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * size) @ axes
    return _clipped(world, number, shapely.Polygon(corners))


def _clipped(world: World, number: int, shape: shapely.Geometry) -> shapely.Geometry:
    """Return the largest part of a shape on dry land of its town."""
    parts = shapely.get_parts((shape & world.zones_m.geometry.iloc[number]) - world.water_m)
    return max(parts, key=shapely.area)


def _areas(letter: str, named: list[tuple[int, str]], shapes: list[shapely.Geometry]) -> gpd.GeoDataFrame:
    table = {
        "area_id": [f"{letter}{n:02d}" for n in range(1, len(named) + 1)],
        "name": [name for _, name in named],
        "district_id": [TOWNS[number].district_id for number, _ in named],
    }
    return gpd.GeoDataFrame(table, geometry=shapes, crs=CRS).to_crs("EPSG:4326")
