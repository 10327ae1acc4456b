"""Placing facilities: in the seats by people, in villages, and beside the roads."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from facility_coverage.layers.model import Floats, Ints
from facility_coverage.sample.frame import CRS, metres, stream, to_lonlat, to_metres
from facility_coverage.sample.people import CELL_DEG, People
from facility_coverage.sample.settlements import Settlements
from facility_coverage.sample.terrain import Terrain
from facility_coverage.sample.towns import TOWNS

FIRST = "石双黄龙大金白青朱马罗张王李陈周杨高长新凉桂竹柏松观凤天永红清太福"
SECOND = "坝湾桥沟堡坪塘垭湖山河店祠寺井滩咀林岩坳院庙湾溪田石坡岭"
BESIDE = ("secondary", "tertiary", "unclassified", "residential", "service")


@dataclass(frozen=True)
class World:
    """What facilities are placed in.

    Attributes
    ----------
    zones_m
        Zones in metres, in the order of `TOWNS`.
    roads_m
        Lines beside which a facility may stand, in metres.
    water_m
        All water, in metres.
    crowd, crowd_people
        Places in the built-up seats in metres, shape (cells, 2), and the people there.
    crowd_town
        Number of the town of each of these places.
    villages_m, village_town, village_names
        Villages in metres, the number of their town, and their invented names.
    """

    zones_m: gpd.GeoDataFrame
    roads_m: np.ndarray
    water_m: shapely.Geometry
    crowd: Floats
    crowd_people: Floats
    crowd_town: Ints
    villages_m: Floats
    village_town: Ints
    village_names: list[str]


def build_world(
    terrain: Terrain, places: Settlements, people: People, zones: gpd.GeoDataFrame, roads: gpd.GeoDataFrame
) -> World:
    """Gather what facilities are placed in."""
    zones_m = zones.to_crs(CRS)
    row, col = np.nonzero(people.count > 0)
    lonlat = np.column_stack([people.west_deg + (col + 0.5) * CELL_DEG, people.north_deg - (row + 0.5) * CELL_DEG])
    xy = to_metres(lonlat)
    town = places.built_up.ravel()[terrain.coarse.cell(xy)]
    villages = terrain.coarse.xy(places.villages)
    village_town = _town_of(zones_m, villages)
    villages, village_town = villages[village_town >= 0], village_town[village_town >= 0]
    beside = roads[roads["highway"].isin(BESIDE) & roads["bridge"].isna()].to_crs(CRS)
    return World(
        zones_m,
        beside.geometry.to_numpy(),
        shapely.union_all([polygon for _, polygon in terrain.water.values()]),
        xy[town >= 0],
        people.count[row, col][town >= 0],
        town[town >= 0],
        villages,
        village_town,
        _village_names(village_town),
    )


def spot(number: int) -> Floats:
    """Return the middle of a town's seat in metres."""
    return np.asarray(metres([TOWNS[number].seat_km])[0])


def community(town: int, n: int) -> str:
    """Return the invented name of a town's community."""
    return FIRST[(7 * n + 5 * town) % len(FIRST)] + SECOND[(3 * n + town + n // 9) % len(SECOND)]


def crowded(world: World, number: int, count: int, rng: np.random.Generator) -> Floats:
    """Choose places in a seat by people, each away from those chosen before."""
    here = np.flatnonzero(world.crowd_town == number)
    chosen: list[int] = []
    weight = world.crowd_people[here] ** 0.7
    for _ in range(count):
        pick = int(rng.choice(here, p=weight / weight.sum()))
        chosen.append(pick)
        far = np.hypot(*(world.crowd[here] - world.crowd[pick]).T)
        weight = weight * (1.0 - 0.97 * np.exp(-((far / 450.0) ** 2)))
    return world.crowd[chosen].reshape(-1, 2)


def villages_with(world: World, own: int, strip: int, rng: np.random.Generator) -> list[int]:
    """Choose villages that have a facility; the others go without."""
    is_own = np.asarray([t.district_id == "500118" for t in TOWNS])[world.village_town]
    picks = [
        np.sort(rng.choice(np.flatnonzero(mask), min(count, int(mask.sum())), replace=False))
        for mask, count in ((is_own, own), (~is_own, strip))
    ]
    return [int(v) for v in np.concatenate(picks)]


def placed(world: World, table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Move each facility to 5–40 m beside the nearest road, on dry land and within its zone."""
    points = shapely.points(np.vstack(table["xy"].to_list()))
    lines = world.roads_m[shapely.STRtree(world.roads_m).nearest(points)]
    at = shapely.line_locate_point(lines, points)
    at = np.clip(at + rng.uniform(-15.0, 15.0, len(points)), 0.0, shapely.length(lines))
    here = shapely.get_coordinates(shapely.line_interpolate_point(lines, at))
    step = np.minimum(at + 2.0, shapely.length(lines))
    tangent = shapely.get_coordinates(shapely.line_interpolate_point(lines, step)) - shapely.get_coordinates(
        shapely.line_interpolate_point(lines, step - 2.0)
    )
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]]) / np.maximum(np.hypot(*tangent.T), 1e-6)[:, None]
    offset = rng.uniform(6.0, 32.0, len(points)) * rng.choice([-1.0, 1.0], len(points))
    result, settled = here.copy(), np.zeros(len(points), dtype=np.bool_)
    for factor in (1.0, -1.0, 0.4, -0.4):
        tried = here + normal * (offset * factor)[:, None]
        good = (_town_of(world.zones_m, tried) >= 0) & ~shapely.contains_xy(world.water_m, tried) & ~settled
        result[good] = tried[good]
        settled |= good
    lonlat = to_lonlat(result)
    return table.assign(lon=lonlat[:, 0], lat=lonlat[:, 1], zone=_town_of(world.zones_m, result))


def in_yongchuan(table: pd.DataFrame) -> np.ndarray:
    """Say which rows of a placed table lie in Yongchuan."""
    return np.asarray([TOWNS[z].district_id == "500118" for z in table["zone"]])


def to_total(values: pd.Series, own: np.ndarray, total: int) -> pd.Series:
    """Scale the values of Yongchuan to whole numbers with this sum; the largest takes the rest."""
    scaled = values.astype(np.float64).to_numpy().copy()
    scaled[own] = np.round(scaled[own] * total / np.nansum(scaled[own]))
    largest = np.flatnonzero(own)[np.nanargmax(scaled[own])]
    scaled[largest] += total - np.nansum(scaled[own])
    return pd.Series(scaled, index=values.index)


def identified(table: pd.DataFrame, letter: str, columns: list[str]) -> gpd.GeoDataFrame:
    """Return a placed table as a layer in longitude and latitude, with ids that begin with a letter and the zone."""
    ids = [f"{letter}{TOWNS[z].zone_id}{n:04d}" for n, z in enumerate(table["zone"], start=1)]
    return gpd.GeoDataFrame(
        {"facility_id": ids, **{c: table[c].to_numpy() for c in columns}},
        geometry=gpd.points_from_xy(table["lon"], table["lat"]),
        crs="EPSG:4326",
    )


def towns_of(layer: pd.DataFrame) -> Ints:
    """Return the number of the town of each facility, which its id tells."""
    number = {town.zone_id: n for n, town in enumerate(TOWNS)}
    return np.asarray([number[one[1:10]] for one in layer["facility_id"]], dtype=np.int64)


def _village_names(village_town: Ints) -> list[str]:
    """Return a name for each village, used once in its town."""
    rng = stream("names")
    pool = [a + b for a in dict.fromkeys(FIRST) for b in dict.fromkeys(SECOND) if a != b]
    names = [""] * len(village_town)
    for number in range(len(TOWNS)):
        mine = np.flatnonzero(village_town == number)
        for v, pick in zip(mine.tolist(), rng.choice(len(pool), len(mine), replace=False).tolist(), strict=True):
            names[v] = pool[pick]
    return names


def _town_of(zones_m: gpd.GeoDataFrame, xy: Floats) -> Ints:
    town = np.full(len(xy), -1, dtype=np.int64)
    for number, polygon in enumerate(zones_m.geometry):
        town[shapely.contains_xy(polygon, xy)] = number
    return town
