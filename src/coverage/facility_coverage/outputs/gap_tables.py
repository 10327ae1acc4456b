"""Gaps and remedies as tables: gaps.csv, remedies.csv, layers of coverage.gpkg and a sheet of the workbook."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from facility_coverage.analysis.gap_lists import GapList
from facility_coverage.analysis.remedies import COLUMNS
from facility_coverage.config.study import StudyConfig
from facility_coverage.config.text import Lang
from facility_coverage.layers.model import Layers
from facility_coverage.outputs.encoding import encode_points
from facility_coverage.outputs.panels import group_names
from facility_coverage.outputs.sheets import DEGREES, TENTHS, WHOLE, Column, Sheet
from facility_coverage.outputs.tables import write_csv, write_layer
from facility_coverage.outputs.texts import word_for
from facility_coverage.outputs.workbook_texts import word

FILES = ("gaps.csv", "remedies.csv")
_KEYS = ("layer", "goal", "capacity", "gap")
_FIRST = ("layer", "goal", "capacity", "gap", "name_zh", "name_en", "zone_id", "zone", "cause", "scattered",
          "group", "people")  # fmt: skip
_LAST = ("minutes_missing", "near_id", "near_name", "near_m", "near_direction", "lon", "lat")
#: Gaps of each layer that the map lists.
ON_MAP = 5
#: Nobody reads of fewer people than this in a sheet; gaps.csv holds them all.
_FEWEST = 0.5


def gap_table(lists: Sequence[GapList], layers: Layers) -> gpd.GeoDataFrame:
    """Return every gap of every promise and need, points.

    Columns: `layer`, `goal` and `capacity` (empty for the layer's own promise), `gap`, `name_zh`, `name_en`, `zone_id`,
    `zone`, `cause`, `scattered`, `group` (whom the promise is for), `people` (of that group), ``people_<group>``,
    `minutes_missing`, `near_id`, `near_name`, `near_m`, `near_direction`, `lon`, `lat`.
    """
    names = dict(zip(layers.zones["zone_id"], layers.zones["name"], strict=True))
    frames = []
    for one in lists:
        frame, group = one.gathered.table, one.layer.group
        zone = frame["zone_id"].map(names)
        told = frame.assign(
            goal=one.goal, capacity=one.capacity, group=group, people=frame[f"people_{group}"], zone=zone
        )
        frames.append(told.assign(name_zh=_names(frame, zone, "zh"), name_en=_names(frame, zone, "en")))
    together = pd.concat(frames, ignore_index=True)
    lon, lat = _degrees(together["x_m"], together["y_m"], layers.crs)
    together = together.assign(lon=lon, lat=lat)
    groups = [name for name in together.columns if name.startswith("people_")]
    shapes = gpd.points_from_xy(together["x_m"], together["y_m"], crs=layers.crs)
    return gpd.GeoDataFrame(together[[*_FIRST, *groups, *_LAST]], geometry=shapes)


def remedies_table(lists: Sequence[GapList], layers: Layers) -> gpd.GeoDataFrame:
    """Return the remedies of the largest gaps: points, and lines for paths.

    Columns: `layer`, `goal`, `capacity`, then those of `remedies.COLUMNS`, in degrees in place of metres: `lon`, `lat`,
    `to_lon`, `to_lat`.
    """
    together = pd.concat(
        [one.remedies.assign(goal=one.goal, capacity=one.capacity) for one in lists], ignore_index=True
    )
    lon, lat = _degrees(together["x_m"], together["y_m"], layers.crs)
    to_lon, to_lat = _degrees(together["to_x_m"], together["to_y_m"], layers.crs)
    together = together.assign(lon=lon, lat=lat, to_lon=to_lon, to_lat=to_lat)
    start, end = together[["x_m", "y_m"]].to_numpy(dtype=float), together[["to_x_m", "to_y_m"]].to_numpy(dtype=float)
    shapes = np.array(shapely.points(start), dtype=object)
    is_path = ~np.isnan(end[:, 0])
    shapes[is_path] = shapely.linestrings(np.stack([start[is_path], end[is_path]], axis=1))
    columns = [*_KEYS, *COLUMNS[2:-4], "lon", "lat", "to_lon", "to_lat"]
    return gpd.GeoDataFrame(together[columns], geometry=shapes, crs=layers.crs)


def _names(frame: pd.DataFrame, zone: pd.Series, lang: Lang) -> pd.Series:
    """Return where each gap is, in words: its zone, and how far in which direction of the nearest facility."""
    told = zip(zone, frame["scattered"], frame["near_name"].notna(), frame["near_name"], frame["near_m"],
               frame["near_direction"], strict=True)  # fmt: skip
    names = [
        word("scattered", lang).format(town) if scattered
        else _place(str(town), str(near), float(metres), str(direction), lang) if known
        else str(town)
        for town, scattered, known, near, metres, direction in told
    ]  # fmt: skip
    return pd.Series(names, index=frame.index, dtype=object)


def _place(town: str, near: str, metres: float, direction: str, lang: Lang) -> str:
    far, where = f"{metres / 1000:.1f}", word(direction, lang)
    if lang == "zh":
        # Facilities often carry their town's name already.
        start = "" if near.startswith(town) else f"{town}·"
        return f"{start}{near}{where}{far}公里"
    return f"{town}, {far} km {where} of {near}"


def _degrees(x_m: pd.Series, y_m: pd.Series, crs: pyproj.CRS) -> tuple[np.ndarray, np.ndarray]:
    """Return longitude and latitude (WGS 84), NaN where there is no place."""
    x, y = x_m.to_numpy(dtype=np.float64), y_m.to_numpy(dtype=np.float64)
    known = ~np.isnan(x)
    lon, lat = np.full(len(x), np.nan), np.full(len(x), np.nan)
    to_degrees = pyproj.Transformer.from_crs(crs, 4326, always_xy=True)
    lon[known], lat[known] = to_degrees.transform(x[known], y[known])
    return np.round(lon, 6), np.round(lat, 6)


def write_gaps(lists: Sequence[GapList], layers: Layers, folder: Path, *, drawn: bool) -> None:
    """Write gaps.csv and remedies.csv, and where `drawn` the layers `gaps`, `remedies` and `remedy_paths`."""
    table, cures = gap_table(lists, layers), remedies_table(lists, layers)
    write_csv(pd.DataFrame(table.drop(columns="geometry")), folder / FILES[0])
    write_csv(pd.DataFrame(cures.drop(columns="geometry")), folder / FILES[1])
    if not drawn:
        return
    package = folder / "coverage.gpkg"
    is_path = cures["to_lon"].notna()
    write_layer(table, package, "gaps", shape="Point")
    write_layer(cures[~is_path], package, "remedies", shape="Point")
    write_layer(cures[is_path], package, "remedy_paths", shape="LineString")


def gap_sheet(config: StudyConfig, lists: Sequence[GapList], layers: Layers, *, lang: Lang) -> Sheet:
    """Return the gaps of half a person or more with the cheapest remedy of each, under headings that people read."""
    table = pd.DataFrame(gap_table(lists, layers).drop(columns="geometry"))
    cures = pd.DataFrame(remedies_table(lists, layers).drop(columns="geometry"))
    best = cures[cures["cheapest"] | (cures["remedy"] == "record")]
    best = best[[*_KEYS, "remedy", "people", "price", "amount", "name"]].add_suffix("_cure")
    merged = table.merge(best, how="left", left_on=list(_KEYS), right_on=[f"{key}_cure" for key in _KEYS])
    merged = merged[merged["people"] >= _FEWEST].sort_values(
        "people", ascending=False, kind="stable", ignore_index=True
    )
    names = {layer.id: layer.name.in_language(lang) for layer in config.facilities}
    groups = group_names(config, lang)

    def column(key: str, values: pd.Series | list[object], form: str = "General") -> Column:
        return Column(word(key, lang), list(values), form)

    columns = [
        column("gap_place", merged[f"name_{lang}"]),
        column("layer", merged["layer"].map(names)),
        column("goal_id", merged["goal"]),
        column("capacity", [word_for("capacity", name, lang) if name else "" for name in merged["capacity"]]),
        column("group", merged["group"].map(groups)),
        column("left_out", merged["people"], WHOLE),
        column("cause", [word(f"cause_{cause}", lang) for cause in merged["cause"]]),
        column("minutes_missing", merged["minutes_missing"], TENTHS),
        column("remedy", ["" if pd.isna(one) else word(f"remedy_{one}", lang) for one in merged["remedy_cure"]]),
        column("remedy_at", ["" if pd.isna(name) else str(name) for name in merged["name_cure"]]),
        column("remedy_amount", merged["amount_cure"], TENTHS),
        column("remedy_people", merged["people_cure"], WHOLE),
        column("price", merged["price_cure"], TENTHS),
        column("lon", merged["lon"], DEGREES),
        column("lat", merged["lat"], DEGREES),
    ]
    return Sheet(word("sheet_gap_places", lang), columns, frozen=1)


def gap_rows(
    lists: Sequence[GapList], layers: Layers, transformer: pyproj.Transformer, lang: Lang
) -> dict[str, list[list[Any]]]:
    """Return the largest gaps of each facility layer for the map: place, name, people, cause, remedy, people gained.

    Places are in units of 1e-5 degrees; the remedy is empty where none was found.
    """
    rows = {}
    for one in lists:
        if one.goal or one.capacity:
            continue
        frame = gap_table([one], layers)
        frame = frame[~frame["scattered"].astype(bool)].head(ON_MAP)
        best = one.remedies[one.remedies["cheapest"]].set_index("gap")
        at = encode_points(frame.geometry.x, frame.geometry.y, transformer)
        told = zip(at, frame["gap"], frame[f"name_{lang}"], frame["people"], frame["cause"], strict=True)
        rows[one.layer.id] = [
            [place, name, math.ceil(round(people, 6)), word(f"cause_{cause}", lang), *_cure(best, gap, lang)]
            for place, gap, name, people, cause in told
        ]
    return rows


def _cure(best: pd.DataFrame, gap: int, lang: Lang) -> tuple[str, int]:
    """Return the cheapest remedy of a gap in words, and the people that it gains, cut."""
    if gap not in best.index:
        return "", 0
    cure = best.loc[[gap]].to_dict("records")[0]
    return word(f"remedy_{cure['remedy']}", lang), math.floor(cure["people"])
