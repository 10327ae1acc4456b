"""Facilities of the sample: elder care, childcare and medical care beside the roads."""

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
from facility_coverage.sample.towns import DISTRICTS, TOWNS

FIRST = "石双黄龙大金白青朱马罗张王李陈周杨高长新凉桂竹柏松观凤天永红清太福"
SECOND = "坝湾桥沟堡坪塘垭湖山河店祠寺井滩咀林岩坳院庙湾溪田石坡岭"
BESIDE = ("secondary", "tertiary", "unclassified", "residential", "service")
YONGCHUAN_BEDS, YONGCHUAN_NURSING_BEDS, YONGCHUAN_SLOTS = 8_216, 4_643, 5_318


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


def build_elder_care(world: World) -> gpd.GeoDataFrame:
    """Return facility_id, name, tier, beds, nursing_beds and the place in longitude and latitude."""
    rng = stream("elder care")
    rows = []
    for number, town in enumerate(TOWNS):
        street = town.name.endswith("街道")
        kind = "street_centre" if street else "town_centre"
        low, high = (200, 340) if street else (110, 220)
        rows.append(
            (
                f"{DISTRICTS[town.district_id]}{town.name}养老服务中心",
                kind,
                _spot(number),
                rng.integers(low, high),
                number,
            )
        )
    for number, count in enumerate(_stations()):
        for n, place in enumerate(_crowded(world, number, count, rng)):
            name = f"{TOWNS[number].name}{_community(number, n)}社区养老服务站"
            rows.append((name, "station", place, rng.integers(14, 36), number))
    for v in _villages_with(world, 207, 24, rng):
        number = int(world.village_town[v])
        name = f"{TOWNS[number].name}{world.village_names[v]}村互助养老点"
        rows.append((name, "village_point", world.villages_m[v], rng.integers(5, 17), number))
    table = _placed(world, pd.DataFrame(rows, columns=["name", "tier", "xy", "beds", "town"]), rng)
    return _identified(_with_beds(table, rng), "E", ["name", "tier", "beds", "nursing_beds"])


def build_childcare(world: World) -> gpd.GeoDataFrame:
    """Return facility_id, name, slots and the place in longitude and latitude."""
    rng = stream("childcare")
    words = ("阳光", "小星星", "向日葵", "彩虹", "童心", "金苹果", "蓓蕾", "启明", "小雨点", "乐贝", "春苗", "七彩")
    rows = []
    for number, count in enumerate(
        [22, 17, 17, 1, 4, 4, 2, 1, 2, 1, 3, 1, 1, 2, 0, 1, 1, 2, 3, 1, 1, 1, 1, 1, 2, 1, 1, 1]
    ):
        for n, place in enumerate(_crowded(world, number, count, rng)):
            name = f"{TOWNS[number].name}{words[(n + number) % 12]}{'二三'[n // 12 - 1] if n >= 12 else ''}托育园"
            rows.append((name, place, rng.integers(30, 96), number))
    table = _placed(world, pd.DataFrame(rows, columns=["name", "xy", "slots", "town"]), rng)
    own = _in_yongchuan(table)
    table["slots"] = _to_total(table["slots"], own, YONGCHUAN_SLOTS)
    return _identified(table, "C", ["name", "slots"])


def build_medical(world: World) -> gpd.GeoDataFrame:
    """Return facility_id, name, tier, beds and the place in longitude and latitude."""
    rng = stream("medical")
    rows: list[tuple[object, ...]] = []
    hospitals = ((0, 4), (1, 3), (2, 2), (5, 1), (10, 1), (18, 1), (24, 1))
    kinds = ("人民医院", "中医院", "康宁医院", "骨科医院")
    for number, count in hospitals:
        for n, place in enumerate(_crowded(world, number, count, rng)):
            rows.append((f"{TOWNS[number].name}{kinds[n]}", "hospital", place, rng.integers(90, 700), number))
    for number, town in enumerate(TOWNS):
        kind = "社区卫生服务中心" if town.name.endswith("街道") else "中心卫生院"
        rows.append((f"{town.name}{kind}", "health_centre", _spot(number), rng.integers(30, 130), number))
    for number, count in enumerate([38, 30, 32] + [3, 5, 6, 4] + [3] * 21):
        for n, place in enumerate(_crowded(world, number, count, rng)):
            rows.append((f"{TOWNS[number].name}{_community(number, n)}诊所", "clinic", place, np.nan, number))
    for v in _villages_with(world, 134, 18, rng):
        number = int(world.village_town[v])
        rows.append(
            (f"{TOWNS[number].name}{world.village_names[v]}村卫生室", "clinic", world.villages_m[v], np.nan, number)
        )
    table = _placed(world, pd.DataFrame(rows, columns=["name", "tier", "xy", "beds", "town"]), rng)
    return _identified(table, "M", ["name", "tier", "beds"])


def _spot(number: int) -> Floats:
    return np.asarray(metres([TOWNS[number].seat_km])[0])


def _stations() -> list[int]:
    return [12, 9, 9, 2, 3, 3, 1] + [1] * 16 + [1] * 5


def _community(town: int, n: int) -> str:
    return FIRST[(7 * n + 5 * town) % len(FIRST)] + SECOND[(3 * n + town + n // 9) % len(SECOND)]


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


def _crowded(world: World, number: int, count: int, rng: np.random.Generator) -> Floats:
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


def _villages_with(world: World, own: int, strip: int, rng: np.random.Generator) -> list[int]:
    """Choose villages that have a facility; the others go without."""
    is_own = np.asarray([t.district_id == "500118" for t in TOWNS])[world.village_town]
    picks = [
        np.sort(rng.choice(np.flatnonzero(mask), min(count, int(mask.sum())), replace=False))
        for mask, count in ((is_own, own), (~is_own, strip))
    ]
    return [int(v) for v in np.concatenate(picks)]


def _placed(world: World, table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
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


def _in_yongchuan(table: pd.DataFrame) -> np.ndarray:
    return np.asarray([TOWNS[z].district_id == "500118" for z in table["zone"]])


def _to_total(values: pd.Series, own: np.ndarray, total: int) -> pd.Series:
    """Scale the values of Yongchuan to whole numbers with this sum; the largest takes the rest."""
    scaled = values.astype(np.float64).to_numpy().copy()
    scaled[own] = np.round(scaled[own] * total / np.nansum(scaled[own]))
    largest = np.flatnonzero(own)[np.nanargmax(scaled[own])]
    scaled[largest] += total - np.nansum(scaled[own])
    return pd.Series(scaled, index=values.index)


def _with_beds(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Bring beds and nursing beds to their totals; a few village points report none."""
    own = _in_yongchuan(table)
    beds = table["beds"].astype(np.float64)
    silent = (table["tier"] == "village_point").to_numpy() & (rng.random(len(table)) < 0.06)
    beds = _to_total(beds.mask(silent), own, YONGCHUAN_BEDS)
    share = np.clip(rng.normal(0.565, 0.06, len(table)), 0.3, 0.8)
    nursing = _to_total(pd.Series(np.round(beds * share), index=beds.index), own, YONGCHUAN_NURSING_BEDS)
    return table.assign(beds=beds, nursing_beds=np.minimum(nursing, beds))


def _identified(table: pd.DataFrame, letter: str, columns: list[str]) -> gpd.GeoDataFrame:
    ids = [f"{letter}{TOWNS[z].zone_id}{n:04d}" for n, z in enumerate(table["zone"], start=1)]
    return gpd.GeoDataFrame(
        {"facility_id": ids, **{c: table[c].to_numpy() for c in columns}},
        geometry=gpd.points_from_xy(table["lon"], table["lat"]),
        crs="EPSG:4326",
    )
