"""Facilities of the sample: elder care, childcare and medical care."""

from __future__ import annotations

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
    spot,
    to_total,
    villages_with,
)
from facility_coverage.sample.towns import DISTRICTS, TOWNS

YONGCHUAN_BEDS, YONGCHUAN_NURSING_BEDS, YONGCHUAN_SLOTS = 8_216, 4_643, 5_318


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
                spot(number),
                rng.integers(low, high),
                number,
            )
        )
    for number, count in enumerate(_stations()):
        for n, place in enumerate(crowded(world, number, count, rng)):
            name = f"{TOWNS[number].name}{community(number, n)}社区养老服务站"
            rows.append((name, "station", place, rng.integers(14, 36), number))
    for v in villages_with(world, 207, 24, rng):
        number = int(world.village_town[v])
        name = f"{TOWNS[number].name}{world.village_names[v]}村互助养老点"
        rows.append((name, "village_point", world.villages_m[v], rng.integers(5, 17), number))
    table = placed(world, pd.DataFrame(rows, columns=["name", "tier", "xy", "beds", "town"]), rng)
    return identified(_with_beds(table, rng), "E", ["name", "tier", "beds", "nursing_beds"])


def build_childcare(world: World) -> gpd.GeoDataFrame:
    """Return facility_id, name, slots and the place in longitude and latitude."""
    rng = stream("childcare")
    words = ("阳光", "小星星", "向日葵", "彩虹", "童心", "金苹果", "蓓蕾", "启明", "小雨点", "乐贝", "春苗", "七彩")
    rows = []
    for number, count in enumerate(
        [22, 17, 17, 1, 4, 4, 2, 1, 2, 1, 3, 1, 1, 2, 0, 1, 1, 2, 3, 1, 1, 1, 1, 1, 2, 1, 1, 1]
    ):
        for n, place in enumerate(crowded(world, number, count, rng)):
            name = f"{TOWNS[number].name}{words[(n + number) % 12]}{'二三'[n // 12 - 1] if n >= 12 else ''}托育园"
            rows.append((name, place, rng.integers(30, 96), number))
    table = placed(world, pd.DataFrame(rows, columns=["name", "xy", "slots", "town"]), rng)
    own = in_yongchuan(table)
    table["slots"] = to_total(table["slots"], own, YONGCHUAN_SLOTS)
    return identified(table, "C", ["name", "slots"])


def build_medical(world: World) -> gpd.GeoDataFrame:
    """Return facility_id, name, tier, beds and the place in longitude and latitude."""
    rng = stream("medical")
    rows: list[tuple[object, ...]] = []
    hospitals = ((0, 4), (1, 3), (2, 2), (5, 1), (10, 1), (18, 1), (24, 1))
    kinds = ("人民医院", "中医院", "康宁医院", "骨科医院")
    for number, count in hospitals:
        for n, place in enumerate(crowded(world, number, count, rng)):
            rows.append((f"{TOWNS[number].name}{kinds[n]}", "hospital", place, rng.integers(90, 700), number))
    for number, town in enumerate(TOWNS):
        kind = "社区卫生服务中心" if town.name.endswith("街道") else "中心卫生院"
        rows.append((f"{town.name}{kind}", "health_centre", spot(number), rng.integers(30, 130), number))
    for number, count in enumerate([38, 30, 32] + [3, 5, 6, 4] + [3] * 21):
        for n, place in enumerate(crowded(world, number, count, rng)):
            rows.append((f"{TOWNS[number].name}{community(number, n)}诊所", "clinic", place, np.nan, number))
    for v in villages_with(world, 134, 18, rng):
        number = int(world.village_town[v])
        rows.append(
            (f"{TOWNS[number].name}{world.village_names[v]}村卫生室", "clinic", world.villages_m[v], np.nan, number)
        )
    table = placed(world, pd.DataFrame(rows, columns=["name", "tier", "xy", "beds", "town"]), rng)
    return identified(table, "M", ["name", "tier", "beds"])


def _stations() -> list[int]:
    return [12, 9, 9, 2, 3, 3, 1] + [1] * 16 + [1] * 5


def _with_beds(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Bring beds and nursing beds to their totals; a few village points report none."""
    own = in_yongchuan(table)
    beds = table["beds"].astype(np.float64)
    silent = (table["tier"] == "village_point").to_numpy() & (rng.random(len(table)) < 0.06)
    beds = to_total(beds.mask(silent), own, YONGCHUAN_BEDS)
    share = np.clip(rng.normal(0.565, 0.06, len(table)), 0.3, 0.8)
    nursing = to_total(pd.Series(np.round(beds * share), index=beds.index), own, YONGCHUAN_NURSING_BEDS)
    return table.assign(beds=beds, nursing_beds=np.minimum(nursing, beds))
