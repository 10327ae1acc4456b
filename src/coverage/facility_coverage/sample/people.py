"""People on a grid of three arc-seconds."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from scipy import ndimage

from facility_coverage.layers.model import Floats
from facility_coverage.sample.frame import stream, to_metres
from facility_coverage.sample.settlements import Settlements
from facility_coverage.sample.terrain import Terrain
from facility_coverage.sample.towns import TOWNS

CELL_DEG = 3.0 / 3600.0
NODATA = -99_999.0
YONGCHUAN_PEOPLE = 1_150_000.0
STRIP_RURAL_PER_KM2 = 190.0


@dataclass(frozen=True)
class People:
    """People per cell (NaN beyond the districts), row 0 in the north, and the grid's north-western corner."""

    count: Floats
    west_deg: float
    north_deg: float


def build_people(terrain: Terrain, places: Settlements, zones: gpd.GeoDataFrame, roads: gpd.GeoDataFrame) -> People:
    """Return the people of the sample: dense in the seats, in villages and along roads, none on crests or water."""
    west, south, east, north = zones.total_bounds
    west, north = np.floor(west / CELL_DEG) * CELL_DEG, np.ceil(north / CELL_DEG) * CELL_DEG
    lon, lat = np.meshgrid(
        np.arange(west + CELL_DEG / 2, east, CELL_DEG), np.arange(north - CELL_DEG / 2, south, -CELL_DEG)
    )
    xy = to_metres(np.column_stack([lon.ravel(), lat.ravel()]))
    zone = _zone_of(zones, lon, lat)
    cell = terrain.coarse.cell(xy).reshape(lon.shape)
    rural = _rural(terrain, places, roads).ravel()[cell]
    town = places.built_up.ravel()[cell]
    dry = terrain.wet.ravel()[cell] == 0
    noise = np.exp(0.35 * terrain.coarse.noise(stream("density"), 450)).ravel()[cell]
    count = np.zeros(lon.shape)
    for number, place in enumerate(TOWNS):
        here = dry & (town == number) & (zone >= 0)
        far = np.hypot(xy[:, 0] - _seat(number)[0], xy[:, 1] - _seat(number)[1]).reshape(lon.shape)
        weight = np.where(here, np.exp(-((far / (0.75 * place.radius_m)) ** 1.6)) * noise + 0.05, 0.0)
        count += weight / weight.sum() * place.seat_people
    own = np.asarray([t.district_id == "500118" for t in TOWNS])
    in_own = (zone >= 0) & own[zone]
    spread = np.where(dry & (town < 0) & (zone >= 0), rural, 0.0)
    seats = sum(t.seat_people for t in TOWNS if t.district_id == "500118")
    count += np.where(in_own, spread * (YONGCHUAN_PEOPLE - seats) / spread[in_own].sum(), 0.0)
    strip = (zone >= 0) & ~in_own
    strip_people = STRIP_RURAL_PER_KM2 * strip.sum() * 0.0075
    count += np.where(strip, spread * strip_people / spread[strip].sum(), 0.0)
    count = np.where(count < 0.02, 0.0, count)
    count[in_own] *= YONGCHUAN_PEOPLE / count[in_own].sum()
    return People(np.where(zone >= 0, np.round(count * 64.0) / 64.0, np.nan), float(west), float(north))


def people_by_zone(people: People, zones: gpd.GeoDataFrame) -> Floats:
    """Return the people of each zone, cells counted where their middle lies."""
    row, col = np.nonzero(people.count > 0)
    lon = np.asarray(people.west_deg + (col + 0.5) * CELL_DEG, dtype=np.float64)
    lat = np.asarray(people.north_deg - (row + 0.5) * CELL_DEG, dtype=np.float64)
    zone = _zone_of(zones, lon, lat)
    weights = people.count[row, col][zone >= 0]
    return np.bincount(zone[zone >= 0], weights, minlength=len(zones)).astype(np.float64)


def _seat(number: int) -> Floats:
    from facility_coverage.sample.frame import metres  # noqa: PLC0415

    return np.asarray(metres([TOWNS[number].seat_km])[0])


def _zone_of(zones: gpd.GeoDataFrame, lon: Floats, lat: Floats) -> npt.NDArray[np.int64]:
    zone = np.full(lon.shape, -1, dtype=np.int64)
    for number, polygon in enumerate(zones.geometry):
        zone[shapely.contains_xy(polygon, lon, lat)] = number
    return zone


def _rural(terrain: Terrain, places: Settlements, roads: gpd.GeoDataFrame) -> Floats:
    grid = terrain.coarse
    seeds = np.zeros(grid.rows * grid.cols)
    rng = stream("villages")
    seeds[places.villages] = rng.lognormal(2.0, 0.5, len(places.villages))
    seeds[places.hamlets] = rng.lognormal(0.3, 0.7, len(places.hamlets))
    homes = ndimage.gaussian_filter(seeds.reshape(grid.shape), 1.3)
    on_road = np.zeros(grid.rows * grid.cols)
    usable = roads["highway"].isin(["tertiary", "unclassified", "residential", "secondary"])
    along = shapely.get_coordinates(roads.geometry[usable].to_numpy())
    np.add.at(on_road, grid.cell(to_metres(along)), 1.0)
    strung = np.minimum(ndimage.gaussian_filter(on_road.reshape(grid.shape), 0.7), 1.5)
    high = terrain.coarse_m - ndimage.minimum_filter(terrain.coarse_m, 25)
    return np.asarray((homes + 0.05 * strung) * np.exp(-np.maximum(high - 70.0, 0.0) / 45.0))
