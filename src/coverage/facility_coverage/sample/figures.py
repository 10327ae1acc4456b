"""Figures that no map tells: invented statistics, and the people of 2020."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from facility_coverage.sample.people import People, people_by_zone
from facility_coverage.sample.towns import TOWNS

SOURCE = "合成样例数据 / synthetic sample data"
# Goal, its figures by year, and the district they are of (empty: the whole study). Some goals of the plans have none.
INDICATORS: tuple[tuple[str, dict[int, float], str], ...] = (
    ("YC-orphans", {2025: 100}, ""),
    ("YC-preschool-enrolment", {2020: 97.5, 2023: 98.6, 2025: 99.2}, ""),
    ("YC-compulsory-completion", {2020: 99.15, 2025: 99.8}, ""),
    ("YC-high-school-enrolment", {2020: 98.0, 2025: 99.1}, ""),
    ("YC-higher-education-enrolment", {2020: 52.0, 2025: 60.4}, ""),
    ("YC-unemployment", {2020: 5.4, 2025: 5.1}, ""),
    ("YC-life-expectancy", {2020: 78.15, 2024: 79.1}, ""),
    ("YC-health-literacy", {2020: 21.74, 2025: 31.2}, ""),
    ("YC-nurses", {2020: 3.44, 2023: 4.02, 2025: 4.42}, ""),
    ("YC-general-practitioners", {2020: 3.27, 2025: 4.05}, ""),
    ("YC-doctors", {2020: 2.59, 2025: 3.31}, ""),
    ("YC-public-rental", {2025: 100}, ""),
    ("YC-old-estates", {2025: 341}, ""),
    ("YC-pension-insured", {2020: 63.02, 2025: 64.6}, ""),
    ("YC-health-insurance", {2020: 96.1, 2025: 96.4}, ""),
    ("YC-minimum-allowance", {2020: 76.0, 2025: 87.0}, ""),
    ("YC-disability-allowances", {2020: 100, 2025: 100}, ""),
    ("YC-culture-visits", {2025: 3.1}, ""),
    ("LZ-population", {2020: 425.41, 2025: 426.2}, ""),
    ("LZ-sex-ratio", {2020: 109.2, 2025: 106.8}, ""),
    ("LZ-life-expectancy", {2020: 78.67, 2025: 78.92}, ""),
    ("LZ-schooling-years", {2020: 10.16, 2025: 10.46}, ""),
    ("LZ-urban-share", {2020: 53.0, 2025: 60.3}, ""),
    ("LZ-urban-share", {2025: 52.1}, "510521"),
    ("LZ-urban-share", {2025: 49.8}, "510522"),
    ("LZ-pension", {2020: 90.4, 2025: 95.6}, ""),
    ("LZ-pension", {2025: 96.1}, "510521"),
    ("LZ-pension", {2025: 94.2}, "510522"),
    ("LZ-health-insurance", {2020: 98.0, 2025: 98.1}, ""),
)

# People of 2020 as a share of those of 2025: the seats of the core have grown, the countryside has shrunk.
CORE_2020, TOWNS_2020, VILLAGES_2020 = 0.955, 0.99, 1.035
# Likewise of the shares: fewer old people then, and more small children.
ELDER_2020, CHILDREN_2020 = 0.93, 1.32


def build_statistics() -> pd.DataFrame:
    """Return indicator, year, value, zone_id, district_id and source; no figure is of a single zone."""
    rows = [(goal, year, value, district) for goal, figures, district in INDICATORS for year, value in figures.items()]
    table = pd.DataFrame(rows, columns=["indicator", "year", "value", "district_id"])
    return table.assign(zone_id="", source=SOURCE)[["indicator", "year", "value", "zone_id", "district_id", "source"]]


def build_controls(people: People, zones: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the people of each zone in 2020: zone_id, district_id, total, elder_60, child_0_2 and source."""
    now = people_by_zone(people, zones)
    change = [CORE_2020 if n < 3 else TOWNS_2020 if town.urban else VILLAGES_2020 for n, town in enumerate(TOWNS)]
    total = np.round(now * np.asarray(change))
    return pd.DataFrame(
        {
            "zone_id": zones["zone_id"],
            "district_id": zones["district_id"],
            "total": total.astype(np.int64),
            "elder_60": np.round(total * zones["share_60_plus"] * ELDER_2020).astype(np.int64),
            "child_0_2": np.round(total * zones["share_0_2"] * CHILDREN_2020).astype(np.int64),
            "source": SOURCE,
        }
    )
