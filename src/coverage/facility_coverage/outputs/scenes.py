"""Scenes: the study in one of its states as a map shows it - facilities, service areas, people left out, goals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from facility_coverage.analysis.coverage import CoverageResult
from facility_coverage.analysis.gap_lists import GapList
from facility_coverage.analysis.proposals import Proposal
from facility_coverage.analysis.time_grid import TimeGrid
from facility_coverage.analysis.verdicts import Verdict
from facility_coverage.config.profile import Profile
from facility_coverage.config.study import FacilityLayer, StudyConfig
from facility_coverage.config.text import Lang
from facility_coverage.layers.model import Ints, Layers
from facility_coverage.outputs import encoding, grids, panels, texts
from facility_coverage.outputs.tables import zone_table
from facility_coverage.outputs.themes import Theme, themes

MAX_GAP_DOTS = 2_000
_GAP_CELLS_M = (100, 200, 250, 500, 1_000, 2_000, 5_000, 10_000)
#: Vertices of all service areas of a scene, and how far they may stray from the truth to stay below, in metres.
MAX_SERVICE_VERTICES = 250_000
_SERVICE_TOLERANCES_M = (25.0, 50.0, 100.0, 200.0, 400.0)


@dataclass(frozen=True)
class MapContent:
    """Everything a map shows of one state of a study.

    Attributes
    ----------
    config, layers, coverage, verdicts
        The study, its data and its results.
    service_areas
        `layer`, MultiPolygon geometry in the study's metric system; one row per facility layer.
    run_identity
        Short name of the run, printed on the map.
    generated_on
        Day the map was made.
    profiles
        Travel profiles by name.
    grid
        Travel times on the ground; without it a click on the ground tells only the zone.
    leaders
        Rows of `hierarchy.led_facilities`, None where no layer has tiers that lead.
    proposals
        Where to build next.
    gaps
        Who is left out, and why.
    state, state_name
        Id and name of the state; empty for the study as it is written.
    """

    config: StudyConfig
    layers: Layers
    coverage: CoverageResult
    verdicts: tuple[Verdict, ...]
    service_areas: gpd.GeoDataFrame
    run_identity: str
    generated_on: dt.date
    profiles: Mapping[str, Profile]
    grid: TimeGrid | None = None
    leaders: pd.DataFrame | None = None
    proposals: tuple[Proposal, ...] = ()
    gaps: tuple[GapList, ...] = ()
    state: str = ""
    state_name: str = ""


@dataclass(frozen=True)
class Scene:
    """What a page carries of one state: plain JSON values, and byte strings by name."""

    core: dict[str, Any]
    blobs: dict[str, bytes]


def scene(content: MapContent, name: str, transformer: pyproj.Transformer, *, lang: Lang) -> Scene:
    """Return a state of a study as a page carries it.

    Parameters
    ----------
    content
        The state.
    name
        Put before the names of its byte strings.
    transformer
        From the study's metric system to WGS 84.
    lang
        Language of every word that is not the user's.
    """
    config = content.config
    orders = {layer.id: _order(content.layers.facilities[layer.id], layer) for layer in config.facilities}
    service, tolerance_m = _service_areas(content)
    table = zone_table(config, content.layers, content.coverage)
    core = {
        "id": content.state,
        "name": content.state_name or texts.text("as_of", lang).format(config.date.year),
        "date": config.date.isoformat(),
        "population_source": _population_source(config, lang),
        "groups": panels.group_names(config, lang),
        "summary": panels.figures(content.coverage.summary, "scope"),
        "figures": panels.figures(content.coverage.zones, "zone_id"),
        "themes": [_theme(theme) for theme in themes(config, table, content.verdicts, lang=lang)],
        "goals": panels.goal_rows(content.verdicts, lang),
        "service_tolerance_m": tolerance_m,
        "layers": [
            {
                "id": layer.id,
                "name": layer.name.in_language(lang),
                "group": layer.group,
                "cutoff": panels.cutoff_text(layer, content.profiles[layer.profile], lang),
                "cutoff_min": {kind: float(minutes) for kind, minutes in layer.cutoff_min.items()},
                "bounds_s": grids.bounds_s(layer).tolist(),
                "level_speed_kmh": _level_speed(content.profiles[layer.profile]),
                "unattached": _unattached(content, layer, lang),
                "tiers": [{"id": tier.id, "name": tier.name.in_language(lang)} for tier in layer.tiers],
                "capacity": [texts.word_for("capacity", column, lang) for column in layer.capacity],
                "attributes": [texts.word_for("attribute", column, lang) for column in layer.attributes],
                "service": encoding.encode_areas([service[layer.id]], transformer),
                **_gaps(content, layer, transformer),
                "facilities": _facilities(content, layer, orders[layer.id], transformer),
            }
            for layer in config.facilities
        ],
        "blobs": name,
        "grid": None if content.grid is None else grids.frame(content.grid.ground),
    }
    blobs = {} if content.grid is None else _blobs(content, content.grid, name, orders)
    return Scene(core, blobs)


def _blobs(content: MapContent, grid: TimeGrid, name: str, orders: Mapping[str, Ints]) -> dict[str, bytes]:
    """Return the travel times on the ground, the catchments of facilities and the people in the squares."""
    points, crs = content.layers.demand.points, content.layers.crs
    counted = points["zone_id"].notna().to_numpy()
    found: dict[str, bytes] = {}
    for times in grid.times:
        layer = next(one for one in content.config.facilities if one.id == times.layer)
        order = orders[layer.id]
        found[f"{name}-times-{layer.id}"] = grids.encode_times(
            grid.ground, times, grids.bounds_s(layer), np.argsort(order)
        )
        found[f"{name}-reach-{layer.id}"] = grids.encode_catchments(grid.ground, times, order)
        covered = content.coverage.demand[f"{layer.id}_covered"].to_numpy(dtype=bool)
        people = points[layer.group].fillna(0.0).to_numpy(dtype=float) * counted
        found[f"{name}-people-{layer.id}"] = grids.encode_people(grid.ground, points, people, covered, crs)
    return found


def _theme(theme: Theme) -> dict[str, Any]:
    """Return a theme with its zones' figures in columns."""
    return {
        "id": theme.id,
        "kind": theme.kind,
        "name": theme.name,
        "layer": theme.layer,
        "group": theme.group,
        "scale": theme.scale,
        "unit": theme.unit,
        "colours": theme.colours,
        "labels": theme.labels,
        "target": theme.target_text,
        "at_most": theme.at_most,
        "values": [_plain(value.value, 9) for value in theme.zones],
        "numbers": [value.number for value in theme.zones],
        "status": [value.status for value in theme.zones],
        "reasons": [value.reason for value in theme.zones],
        "shortfalls": [_plain(value.shortfall, 3) for value in theme.zones],
    }


def _plain(value: float | None, digits: int) -> float | None:
    return None if value is None or np.isnan(value) else round(float(value), digits)


def _level_speed(profile: Profile) -> float | None:
    """Return the speed on level ground of who walks, None for who drives: then there is no one speed."""
    return None if profile.mode == "car" or profile.level_speed_kmh is None else float(profile.level_speed_kmh)


def _population_source(config: StudyConfig, lang: Lang) -> str:
    source = config.population.source
    year = "" if config.population.year is None else f" {config.population.year}"
    return "" if source is None else source.in_language(lang) + year


def _service_areas(content: MapContent) -> tuple[dict[str, Any], float]:
    """Return each layer's service area, simplified until all together are few vertices, and the tolerance in metres."""
    areas = content.service_areas
    for tolerance_m in _SERVICE_TOLERANCES_M:
        shapes = shapely.simplify(areas.geometry.to_numpy(), tolerance_m)
        if shapely.get_num_coordinates(shapes).sum() <= MAX_SERVICE_VERTICES:
            break
    drawn = dict.fromkeys((layer.id for layer in content.config.facilities), shapely.MultiPolygon())
    return drawn | dict(zip(areas["layer"], shapes, strict=True)), tolerance_m


def _unattached(content: MapContent, layer: FacilityLayer, lang: Lang) -> str:
    """Say how many people of the layer's group live too far from any way, or nothing where nobody does."""
    access = content.coverage.access
    people = float(access.loc[access["profile"] == layer.profile, f"unattached_{layer.group}"].sum())
    if people < 0.5:
        return ""
    limit = panels.number(content.config.network.max_access_m, lang)
    return texts.text("unattached", lang).format(people=f"{people:,.0f}", metres=limit)


def _order(frame: pd.DataFrame, layer: FacilityLayer) -> Ints:
    """Return the rows of a layer's frame in the order in which they are drawn, the highest tier last."""
    rank = {tier.id: position for position, tier in enumerate(layer.tiers)}
    tiers = frame["tier"].map(rank).fillna(len(rank)) if "tier" in frame else np.zeros(len(frame))
    return np.argsort(-np.asarray(tiers, dtype=float), kind="stable")


def _facilities(
    content: MapContent, layer: FacilityLayer, order: Ints, transformer: pyproj.Transformer
) -> dict[str, list[Any]]:
    """Return a layer's facilities in columns, in the order in which they are drawn."""
    frame = content.layers.facilities[layer.id].iloc[order].reset_index(drop=True)
    reached = content.coverage.facilities
    of_layer = reached.loc[reached["layer"] == layer.id].set_index("facility_id")
    rank = {tier.id: position for position, tier in enumerate(layer.tiers)}
    leaders = content.leaders
    led = None if leaders is None else leaders.loc[leaders["layer"] == layer.id].set_index("facility_id")
    ids = frame["facility_id"]
    position = pd.Series(np.arange(len(frame)), index=ids.to_numpy())
    none = pd.Series(None, index=frame.index, dtype=object)
    spots = np.asarray(encoding.encode_points(frame.geometry.x, frame.geometry.y, transformer), dtype=np.int64)
    spots = spots.reshape(-1, 2)
    return {
        "lon": spots[:, 0].tolist(),
        "lat": spots[:, 1].tolist(),
        "id": ids.astype(str).tolist(),
        "name": ["" if pd.isna(name) else str(name) for name in frame["name"]],
        "address": _texts(frame.get("address", none)),
        "tier": _numbers(frame["tier"].map(rank) if "tier" in frame else none, 0),
        "capacity": [_numbers(frame[column], 2) for column in layer.capacity],
        "attributes": [_numbers(frame[column].astype(object), 0) for column in layer.attributes],
        "people": _numbers(ids.map(of_layer[f"catchment_{layer.group}"]), 1),
        "leader": _numbers(ids.map(led["leader_id"]).map(position) if led is not None else none, 0),
        "leader_min": _numbers(ids.map(led["minutes"]) if led is not None else none, 1),
        "orphan": _numbers(ids.map(led["status"] == "orphan") if led is not None else none, 0),
    }


def _numbers(column: pd.Series, digits: int) -> list[float | int | None]:
    values: npt.NDArray[np.float64] = pd.to_numeric(column).to_numpy(dtype=float, na_value=np.nan)
    return [None if np.isnan(v) else int(v) if digits == 0 else round(v, digits) for v in values.tolist()]


def _texts(column: pd.Series) -> list[str]:
    """Return texts with "" for none; no list at all where nothing is said."""
    said = ["" if pd.isna(value) else str(value) for value in column]
    return said if any(said) else []


def _gaps(content: MapContent, layer: FacilityLayer, transformer: pyproj.Transformer) -> dict[str, Any]:
    """Return people of the layer's group who are left out (`gaps`), gathered in square cells of side `gap_cell_m`.

    Rows are lon, lat, people.
    """
    points = content.layers.demand.points
    covered = content.coverage.demand[f"{layer.id}_covered"].to_numpy(dtype=bool)
    people = points[layer.group].to_numpy(dtype=float)
    keep = ~covered & points["zone_id"].notna().to_numpy() & (people > 0)
    if not keep.any():
        return {"gaps": [], "gap_cell_m": _GAP_CELLS_M[0]}
    xy, people = points.loc[keep, ["x_m", "y_m"]].to_numpy(dtype=float), people[keep]
    for cell_m in _GAP_CELLS_M:
        column, row = np.floor((xy - xy.min(axis=0)) / cell_m).astype(np.int64).T
        _, cell = np.unique(row * (column.max() + 1) + column, return_inverse=True)
        if cell.max() < MAX_GAP_DOTS:
            break
    total = np.bincount(cell, people)
    x, y = (np.bincount(cell, people * xy[:, axis]) / total for axis in (0, 1))
    spots = encoding.encode_points(x, y, transformer)
    return {
        "gaps": [[*at, round(count, 1)] for at, count in zip(spots, total.tolist(), strict=True)],
        "gap_cell_m": cell_m,
    }
