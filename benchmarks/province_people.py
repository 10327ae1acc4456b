"""People of the synthetic province on its cells, and facilities beside its roads."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import rasterio
import shapely
from province_ground import COARSE, CRS, Ground, around, stream
from province_roads import Steps
from scipy import ndimage, spatial

from facility_coverage.layers.model import Floats, Ints

#: People of the whole province, and per square kilometre of the built-up capital, seats and towns on average.
PEOPLE = 32_000_000.0
CAPITAL_KM2, SEAT_KM2, TOWN_KM2 = 11_000.0, 7_000.0, 4_500.0
#: Largest share of the people who live in towns.
URBAN = 0.62
#: Facilities of the whole province in three layers: beside the first two, one of each stands in every town.
FACILITIES = {"elder_care": 4_096, "childcare": 3_072, "clinic": 6_144}
CAPACITY = {"elder_care": ("beds", 45.0), "childcare": ("slots", 60.0), "clinic": ("beds", 6.0)}
_IN_EVERY_TOWN = ("elder_care", "clinic")
_KINDS = {"elder_care": "养老服务站", "childcare": "托育园", "clinic": "卫生室"}
_VILLAGES_PER_KM2, _VILLAGE_CELLS = 0.6, 2.2
#: A cell holds sixty-fourths of a person, as rasters of people do that are modelled.
_PART = 64.0
_BESIDE_M = 12.0
NODATA = -99_999.0


def build_people(ground: Ground) -> npt.NDArray[np.float32]:
    """Return people per cell: dense in towns, about villages in the settled country, none on mountains and water."""
    rng = stream("people")
    shape = (ground.rows, ground.cols)
    free = ~(ground.core | ground.mountain | ground.wet)
    people = _villages(free, rng)
    urban = np.zeros(shape, dtype=np.float32)
    for number, ((row, col), radius) in enumerate(zip(ground.towns, ground.radius_m, strict=True)):
        window, far = around(row, col, radius, shape)
        inside = (far <= radius) & ~ground.wet[window]
        density = CAPITAL_KM2 if number == ground.capital else SEAT_KM2 if ground.seat[number] else TOWN_KM2
        # Thinning outwards by a bell curve, whose mean over the disc is 0.63 of its peak.
        bell = density / 0.63 / 100.0 * np.exp(-((far / radius) ** 2)) * inside
        urban[window] = np.maximum(urban[window], bell)
    urban *= rng.gamma(4.0, 0.25, shape).astype(np.float32)
    # Small parts have more seats for their size: however many there are, the country keeps its people.
    total, in_towns = PEOPLE * float(ground.size), float(urban.sum(dtype=np.float64))
    kept = min(in_towns, URBAN * total)
    people *= np.float32((total - kept) / people.sum(dtype=np.float64))
    people += urban * np.float32(kept / in_towns)
    rounded = np.maximum(np.round(people * _PART), 1.0) / _PART
    return np.where(ground.mountain | ground.wet, 0.0, rounded).astype(np.float32)


def _villages(free: npt.NDArray[np.bool_], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Return how thickly the country is settled, without unit; farms stand everywhere, villages here and there."""
    places = np.flatnonzero(free)
    count = round(_VILLAGES_PER_KM2 * len(places) / 100.0)
    seeds = np.zeros(free.shape, dtype=np.float32)
    seeds.ravel()[rng.choice(places, count, replace=False)] = rng.lognormal(0.0, 0.6, count)
    spread = ndimage.gaussian_filter(seeds, _VILLAGE_CELLS)
    spread += np.float32(0.12 * spread[free].mean())
    spread *= rng.gamma(2.0, 0.5, free.shape).astype(np.float32)
    return np.where(free, spread, np.float32(0.0))


def write_people(people: npt.NDArray[np.float32], ground: Ground, path: Path) -> None:
    """Write people per cell as a tiled, compressed GeoTIFF."""
    with rasterio.open(
        path, "w", driver="GTiff", height=ground.rows, width=ground.cols, count=1, dtype="float32", crs=CRS,
        transform=ground.transform, nodata=NODATA, tiled=True, blockxsize=256, blockysize=256, compress="deflate",
        predictor=3,
    ) as out:  # fmt: skip
        out.write(people, 1)


def build_facilities(
    ground: Ground, steps: Steps, people: npt.NDArray[np.float32], town_names: list[str]
) -> dict[str, gpd.GeoDataFrame]:
    """Return the facilities of each layer: facility_id, name, a capacity, points."""
    tail, head, weight = _beside(steps, people)
    middles = ground.towns[:, 0] * (ground.cols + 1) + ground.towns[:, 1]
    towns = spatial.KDTree(ground.towns_xy)
    layers = {}
    for layer, whole in FACILITIES.items():
        rng = stream(layer)
        first = steps.xy[middles] + _BESIDE_M / 2.0 if layer in _IN_EVERY_TOWN else np.empty((0, 2))
        count = round(whole * float(ground.size))
        drawn = _drawn(weight, max(0, count - len(first)), rng)
        start, end = steps.xy[tail[drawn]], steps.xy[head[drawn]]
        along = (end - start) / np.hypot(*(end - start).T)[:, None]
        places = np.vstack([first, (start + end) / 2.0 + _BESIDE_M * along[:, ::-1] * [-1.0, 1.0]])
        town = towns.query(places)[1]
        column, middle = CAPACITY[layer]
        table = {
            "facility_id": [f"{layer[0].upper()}{n:05d}" for n in range(1, len(places) + 1)],
            "name": _names(town, town_names, _KINDS[layer]),
            column: np.maximum(1, np.round(rng.lognormal(np.log(middle), 0.5, len(places)))).astype(np.int64),
        }
        points = shapely.points(np.round(places, 2))
        layers[layer] = gpd.GeoDataFrame(pd.DataFrame(table), geometry=points, crs=CRS)
    return layers


def _beside(steps: Steps, people: npt.NDArray[np.float32]) -> tuple[Ints, Ints, Floats]:
    """Return the steps that pass by people, and how likely a facility stands there: by the root of the people."""
    tail, head = steps.ends()
    row, col = np.divmod(tail, steps.across.shape[1] + 1)
    here = people[np.minimum(row, people.shape[0] - 1), np.minimum(col, people.shape[1] - 1)]
    inhabited = here > 0
    # The coarse lines of the country carry what three fine ones do in town.
    weight = np.sqrt(here[inhabited].astype(np.float64)) * np.where(here[inhabited] < 20.0, 1.0 / COARSE, 1.0)
    return tail[inhabited], head[inhabited], weight


def _drawn(weight: Floats, count: int, rng: np.random.Generator) -> Ints:
    """Draw without replacement by weight: the largest of random keys (Efraimidis and Spirakis, 2006)."""
    keys = np.log(rng.random(len(weight))) / weight
    return np.sort(np.argpartition(keys, -count)[len(keys) - count :])


def _names(town: Ints, town_names: list[str], kind: str) -> list[str]:
    """Return names with numbers, town by town."""
    number = pd.Series(town).groupby(town).cumcount() + 1
    return [f"{town_names[t]}第{n}{kind}" for t, n in zip(town, number, strict=True)]
