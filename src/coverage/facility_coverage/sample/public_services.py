"""Facilities of everyday life: kindergartens, sports grounds, houses of culture and community centres."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from facility_coverage.sample.frame import stream
from facility_coverage.sample.placing import (
    World,
    community,
    crowded,
    identified,
    in_yongchuan,
    placed,
    to_total,
    villages_with,
)
from facility_coverage.sample.records import opened_after
from facility_coverage.sample.towns import TOWNS

# Square metres in Yongchuan: about 2.4 of sports ground for each of its people, 900 of culture for 10,000 of them,
# and 31 of community centres for 100 households of 2.6.
SPORTS_M2, CULTURE_M2, COMMUNITY_M2 = 2_760_000, 103_500, 137_000
# What of it was there in 2020: about 2.3 and 764.
SPORTS_2020_M2, CULTURE_2020_M2 = 2_626_000, 87_300

# Facilities in the seat of each town, in the order of `TOWNS`.
KINDERGARTENS = (24, 19, 20, 1, 3, 3, 2, 2, 2, 1, 3, 1, 1, 2, 0, 1, 1, 2, 3, 1, 1, 1, 1, 1, 2, 1, 1, 1)
SPORTS = (12, 9, 10, 1, 2, 2, 2, 1, 1, 1, 2, 1, 1, 1, 1, 1, 0, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1)
CULTURE = (8, 5, 5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1)
COMMUNITY = (20, 15, 16, 2, 3, 3, 2, 1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 2, 1, 0, 1, 1, 1, 1, 1, 1, 1)

Named = Callable[[int, int], tuple[str, int, int]]
"""Town and number in it → name, least and greatest size."""


def build_kindergartens(world: World) -> gpd.GeoDataFrame:
    """Return facility_id, name, places, inclusive, public and the place in longitude and latitude."""
    rng = stream("kindergartens")
    table = _placed(world, KINDERGARTENS, rng, lambda t, n: (f"{TOWNS[t].name}{community(t, n)}幼儿园", 120, 420))
    count = len(table)
    # Those of the countryside are mostly public.
    urban = np.asarray([TOWNS[z].urban for z in table["zone"]])
    public = rng.random(count) < np.where(urban, 0.4, 0.75)
    inclusive = public | (rng.random(count) < 0.8)
    # The newest has not told whether it is inclusive.
    table = table.assign(places=table["size"], inclusive=inclusive.astype(object), public=public)
    table.loc[table.index[-1], "inclusive"] = None
    return identified(table, "K", ["name", "places", "inclusive", "public"])


def build_fitness(world: World) -> gpd.GeoDataFrame:
    """Return facility_id, name, area_m2, opened and the place in longitude and latitude."""
    rng = stream("fitness")

    def named(town: int, n: int) -> tuple[str, int, int]:
        name = TOWNS[town].name
        if n == 0:
            large = name.endswith("街道")
            return (
                f"{name}{'体育公园' if large else '全民健身广场'}",
                40_000 if large else 9_000,
                90_000 if large else 25_000,
            )
        return f"{name}{community(town, n)}运动场", 6_000, 24_000

    table = _placed(world, SPORTS, rng, named, villages=(34, 5, "村健身广场", 700, 2_600))
    return _measured(table, "F", "area_m2", (SPORTS_M2, SPORTS_2020_M2), rng)


def build_culture(world: World) -> gpd.GeoDataFrame:
    """Return facility_id, name, floor_area_m2, opened and the place in longitude and latitude."""
    rng = stream("culture")
    large = {(0, 1): "图书馆", (0, 2): "文化馆", (1, 1): "博物馆", (2, 1): "美术馆"}

    def named(town: int, n: int) -> tuple[str, int, int]:
        name = TOWNS[town].name
        if (town, n) in large:
            return f"永川{large[town, n]}", 6_000, 12_000
        if n == 0:
            return f"{name}综合文化{'服务中心' if name.endswith('街道') else '站'}", 600, 2_400
        return f"{name}{community(town, n)}社区文化室", 250, 600

    table = _placed(world, CULTURE, rng, named, villages=(22, 3, "村文化大院", 180, 420))
    return _measured(table, "L", "floor_area_m2", (CULTURE_M2, CULTURE_2020_M2), rng)


def build_community_centres(world: World) -> gpd.GeoDataFrame:
    """Return facility_id, name, floor_area_m2, elder_friendly and the place in longitude and latitude."""
    rng = stream("community centres")
    table = _placed(
        world, COMMUNITY, rng, lambda t, n: (f"{TOWNS[t].name}{community(t, n)}社区便民服务中心", 500, 1_600),
        villages=(52, 8, "村便民服务中心", 260, 700),
    )  # fmt: skip
    table["floor_area_m2"] = to_total(table["size"], in_yongchuan(table), COMMUNITY_M2)
    friendly = rng.random(len(table)) < np.where(in_yongchuan(table), 0.58, 0.5)
    known = rng.random(len(table)) < 0.97
    table["elder_friendly"] = friendly.astype(object)
    table.loc[~known, "elder_friendly"] = None
    return identified(table, "P", ["name", "floor_area_m2", "elder_friendly"])


def _placed(
    world: World,
    counts: Sequence[int],
    rng: np.random.Generator,
    named: Named,
    villages: tuple[int, int, str, int, int] = (0, 0, "", 0, 1),
) -> pd.DataFrame:
    """Place facilities in the seats and in some villages: name, size, place, zone.

    `villages` says how many in Yongchuan and beyond it, how they are called, and their least and greatest size.
    """
    rows = []
    for town, count in enumerate(counts):
        for n, place in enumerate(crowded(world, town, count, rng)):
            name, low, high = named(town, n)
            rows.append((name, place, rng.integers(low, high)))
    own, strip, word, low, high = villages
    for v in villages_with(world, own, strip, rng):
        name = f"{TOWNS[int(world.village_town[v])].name}{world.village_names[v]}{word}"
        rows.append((name, world.villages_m[v], rng.integers(low, high)))
    return placed(world, pd.DataFrame(rows, columns=["name", "xy", "size"]), rng)


def _measured(
    table: pd.DataFrame, letter: str, column: str, totals: tuple[int, int], rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """Bring the sizes to Yongchuan's total, and what was there in 2020 to near the earlier one."""
    own = in_yongchuan(table)
    sizes = to_total(table["size"], own, totals[0])
    opened = opened_after(sizes.to_numpy(), own, totals[1], rng)
    measured = table.rename(columns={"size": column}).assign(opened=opened)
    measured[column] = sizes
    return identified(measured, letter, ["name", column, "opened"])
