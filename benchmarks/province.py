"""A synthetic province of Chongqing's size, or a part of it, written into a folder as files that the program reads.

``python benchmarks/province.py FOLDER --size 1/8``. Nothing of it is real; the same size gives the same files.
"""

from __future__ import annotations

import argparse
import json
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import province_ground
import shapely
import yaml
from province_ground import CRS, Ground, build_ground, stream, zone_outlines
from province_people import CAPACITY, build_facilities, build_people, write_people
from province_roads import Steps, build_roads, write_roads

NOTICE = {
    "zh": "合成数据,并非真实测绘、人口与设施数据",
    "en": "Synthetic data: not a survey, no real people or facilities",
}
_LAYERS = {
    "elder_care": ({"zh": "养老服务设施", "en": "Elder care"}, "elder", "elder_60", {"urban": 15, "rural": 30}),
    "childcare": (
        {"zh": "托育机构", "en": "Childcare"},
        "carer_with_pushchair",
        "child_0_2",
        {"urban": 15, "rural": 30},
    ),
    "clinic": ({"zh": "医疗机构", "en": "Clinics"}, "adult", "total", {"urban": 15, "rural": 30}),
}


def write_province(folder: Path, size: Fraction) -> dict[str, Any]:
    """Write `size` of the province into `folder`; return what is in it, which `province.json` says too."""
    folder.mkdir(parents=True, exist_ok=True)
    ground = build_ground(size)
    zones, districts = build_zones(ground)
    zones.to_parquet(folder / "zones.parquet", index=False)
    districts.to_parquet(folder / "districts.parquet", index=False)
    ground.rivers.to_parquet(folder / "water.parquet", index=False)
    people = build_people(ground)
    write_people(people, ground, folder / "population.tif")
    steps = build_roads(ground)
    ways = write_roads(steps, folder / "roads.parquet")
    facilities = build_facilities(ground, steps, people, zones["name"].tolist())
    for layer, frame in facilities.items():
        frame.to_crs("EPSG:4326").to_file(folder / f"{layer}.geojson", driver="GeoJSON", engine="pyogrio")
    write_studies(folder, districts)
    facts = {
        "size": str(size),
        "area_km2": ground.area_km2,
        "towns": len(zones),
        "districts": len(districts),
        "people": float(people.sum(dtype=np.float64)),
        "populated_cells": int(np.count_nonzero(people)),
        "ways": ways,
        "directed_edges": directed_edges(steps),
        **{layer: len(frame) for layer, frame in facilities.items()},
    }
    (folder / "province.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return facts


def directed_edges(steps: Steps) -> int:
    """Return the edges between junctions and dead ends, each in both directions.

    Of the pieces between corners, each corner at which a street merely goes on takes one away.
    """
    tail, head = steps.ends()
    degree = np.bincount(np.concatenate([tail, head]))
    return 2 * (len(tail) - int(np.count_nonzero(degree == 2)))


def build_zones(ground: Ground) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return the towns and the districts, with codes and names."""
    rng = stream("shares")
    count, districts = len(ground.towns), int(ground.district.max()) + 1
    codes = np.array([f"5001{d + 1:02d}" for d in range(districts)])
    capital_m = ground.radius_m[ground.capital]
    near_capital = np.hypot(*(ground.towns_xy - ground.towns_xy[ground.capital]).T) <= capital_m
    urban = ground.seat | near_capital
    stems = province_ground.names(districts, "district names")
    district_names = [f"{stem}区" for stem in stems]
    number = pd.Series(ground.district).groupby(ground.district).cumcount() + 1
    table = {
        "zone_id": [f"{codes[d]}{n:03d}" for d, n in zip(ground.district, number, strict=True)],
        "name": [
            n + ("街道" if u else "镇") for n, u in zip(province_ground.names(count, "towns"), urban, strict=True)
        ],
        "area_type": np.where(urban, "urban", "rural"),
        "district_id": codes[ground.district],
        "district_name": np.array(district_names)[ground.district],
        "share_60_plus": np.round(np.where(urban, 0.17, 0.29) + rng.uniform(-0.03, 0.03, count), 4),
        "share_0_2": np.round(np.where(urban, 0.021, 0.016) + rng.uniform(-0.003, 0.003, count), 4),
    }
    zones = gpd.GeoDataFrame(pd.DataFrame(table), geometry=zone_outlines(ground), crs=CRS)
    outlines = [shapely.coverage_union_all(zones.geometry[ground.district == d].to_numpy()) for d in range(districts)]
    frame = pd.DataFrame({"district_id": codes, "name": district_names})
    return zones, gpd.GeoDataFrame(frame, geometry=outlines, crs=CRS)


def write_studies(folder: Path, districts: gpd.GeoDataFrame) -> None:
    """Write the study of the whole province, and one of each district."""
    title = {"zh": "合成省十五分钟服务圈", "en": "Synthetic province: fifteen-minute services"}
    _write_study(folder / "province.yaml", study("province", title, None))
    for code, name in zip(districts["district_id"], districts["name"], strict=True):
        own = {"zh": f"{name}十五分钟服务圈", "en": f"{name}: fifteen-minute services"}
        _write_study(folder / f"district_{code}.yaml", study(f"district_{code}", own, str(code)))


def study(name: str, title: dict[str, str], district: str | None) -> dict[str, Any]:
    """Return a study: of one district, or of all."""
    part = {} if district is None else {"where": {"district_id": district}}
    return {
        "id": name,
        "title": title,
        "date": "2025-12-31",
        "notice": NOTICE,
        "crs": CRS,
        "zones": {"path": "zones.parquet"} | part,
        "districts": {"path": "districts.parquet"} | part,
        "roads": {"path": "roads.parquet"},
        "population": {"kind": "raster", "path": "population.tif", "year": 2025},
        "groups": [
            {"id": "elder_60", "name": {"zh": "60岁及以上", "en": "Aged 60 and over"}, "zone_column": "share_60_plus"},
            {"id": "child_0_2", "name": {"zh": "0–2岁婴幼儿", "en": "Aged 0 to 2"}, "zone_column": "share_0_2"},
        ],
        "facilities": [
            {"id": layer, "name": text, "kind": layer, "path": f"{layer}.geojson", "capacity": [CAPACITY[layer][0]],
             "profile": profile, "group": group, "cutoff_min": cutoff}
            for layer, (text, profile, group, cutoff) in _LAYERS.items()
        ],
        "barriers": [{"path": "water.parquet"}],
        "basemap": {"water": {"path": "water.parquet"}},
        "outputs": {"geopackage": ["zones", "facilities"]},
    }  # fmt: skip


def _write_study(path: Path, content: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")


def part_of(text: str) -> Fraction:
    """Return a size such as ``1/8``.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is no fraction from 1/500 to 1.
    """
    try:
        size = Fraction(text)
    except (ValueError, ZeroDivisionError):
        size = Fraction(0)
    if not Fraction(1, 500) <= size <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a part from 1/500 to 1, such as 1/8")
    return size


def main() -> None:
    """Write the province."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where to write; files of the same names are replaced")
    parser.add_argument("--size", type=part_of, default=Fraction(1, 8), help="part of the province: 1, 1/2, 1/4, 1/8 …")
    arguments = parser.parse_args()
    begin = time.perf_counter()
    facts = write_province(arguments.folder, arguments.size)
    print(json.dumps(facts, indent=2))
    print(
        f"Written in {time.perf_counter() - begin:.1f} s: facility-coverage check {arguments.folder / 'province.yaml'}"
    )


if __name__ == "__main__":
    main()
