"""The map: one page that opens offline, drawn by Folium and Leaflet from a study's results."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from branca.element import MacroElement
from folium.template import Template

from facility_coverage.analysis.coverage import CoverageResult
from facility_coverage.analysis.verdicts import Verdict
from facility_coverage.config.profile import Profile
from facility_coverage.config.study import FacilityLayer, StudyConfig
from facility_coverage.config.text import Lang
from facility_coverage.layers.model import Layers
from facility_coverage.outputs import basemap, encoding, offline, palette, panels, texts

MAX_GAP_DOTS = 4_000
_GAP_CELLS_M = (100, 200, 250, 500, 1_000, 2_000, 5_000, 10_000)
_SCRIPTS = ("geometry", "painter", "sidebar", "main")


@dataclass(frozen=True)
class MapContent:
    """Everything a map shows.

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
    """

    config: StudyConfig
    layers: Layers
    coverage: CoverageResult
    verdicts: tuple[Verdict, ...]
    service_areas: gpd.GeoDataFrame
    run_identity: str
    generated_on: dt.date
    profiles: Mapping[str, Profile]


class _Coverage(MacroElement):
    """Puts the study's data, our scripts and our styles into a Folium figure."""

    _template = Template(
        """
        {% macro header(this, kwargs) %}
            {% for style in this.styles %}<style>{{ style }}</style>{% endfor %}
        {% endmacro %}
        {% macro html(this, kwargs) %}
            <noscript>{{ this.no_script }}</noscript>
            <script type="application/json" id="coverage-data">{{ this.data }}</script>
        {% endmacro %}
        {% macro script(this, kwargs) %}
            {% for script in this.scripts %}{{ script }}
            {% endfor %}
            fc.start({{ this._parent.get_name() }});
        {% endmacro %}
        """
    )

    def __init__(self, data: str, no_script: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # branca annotates no constructor
        self._name = "Coverage"
        self.data = data
        self.no_script = no_script
        self.styles = [offline.asset("map/map.css")]
        self.scripts = [offline.asset(f"map/{name}.js") for name in _SCRIPTS]


def write_map(path: Path, content: MapContent, *, lang: Lang) -> None:
    """Write a study's map as one HTML file that fetches nothing.

    Parameters
    ----------
    path
        File to write.
    content
        What to show.
    lang
        Language of every word that is not the user's.

    Raises
    ------
    UnknownAssetError
        Folium's page links to something that is not vendored.
    """
    page = _folium_page(map_data(content, lang=lang), lang)
    path.write_text(page, encoding="utf-8", newline="\n")


def _folium_page(data: dict[str, Any], lang: Lang) -> str:
    west, south, east, north = (value / encoding.UNITS_PER_DEGREE for value in data["view"])
    study_map = folium.Map(
        location=[(south + north) / 2, (west + east) / 2],
        tiles=None,
        prefer_canvas=True,
        zoom_control=False,
        attribution_control=False,
        zoom_snap=0.25,
        zoom_delta=0.5,
        max_zoom=18,
    )
    study_map._id = "study"  # a name of its own each time would change the page and its policy
    coverage = _Coverage(encoding.safe_json(data), texts.text("no_script", lang))
    study_map.add_child(coverage)
    html = study_map.get_root().render()
    html = html.replace("<html>", f'<html lang="{"zh-CN" if lang == "zh" else "en"}">', 1)
    # Folium forbids zooming the page with the fingers, which people with poor sight need.
    html = html.replace("initial-scale=1.0, maximum-scale=1.0, user-scalable=no", "initial-scale=1.0", 1)
    vendored = {"leaflet": "leaflet/leaflet.js", "leaflet_css": "leaflet/leaflet.css"}
    links = [*folium.Map.default_js, *folium.Map.default_css]
    return offline.inline(html, {url: vendored.get(name) for name, url in links})


def map_data(content: MapContent, *, lang: Lang) -> dict[str, Any]:
    """Return everything the page's script shows, as plain JSON values; geometry in units of 1e-5 degrees."""
    config, layers = content.config, content.layers
    transformer = encoding.to_wgs84(layers.crs)
    return {
        "lang": lang,
        "texts": texts.texts(lang),
        "title": config.title.in_language(lang),
        "notice": config.notice.in_language(lang) if config.notice else "",
        "attribution": config.attribution.in_language(lang) if config.attribution else "",
        "population_source": _population_source(config, lang),
        "date": config.date.isoformat(),
        "made": content.generated_on.isoformat(),
        "run": content.run_identity,
        "palette": _palette(),
        "groups": panels.group_names(config, lang),
        "view": _degrees_box(layers.boundary.bounds, 0.0, transformer),
        "basemap": _basemap(content, transformer),
        "boundary": encoding.encode_areas([shapely.simplify(layers.boundary, 8.0)], transformer),
        "zones": _zones(content, transformer),
        "summary": panels.figures(content.coverage.summary, "scope"),
        "layers": [_facility_layer(content, layer, transformer, lang) for layer in config.facilities],
        "goals": panels.goal_rows(content.verdicts, lang),
    }


def _palette() -> dict[str, Any]:
    return {
        "breaks": palette.BREAKS,
        "classes": palette.CLASSES,
        "no_data": palette.NO_DATA,
        "gap": palette.GAP,
        "service": palette.SERVICE,
        "facilities": palette.FACILITIES,
        "shapes": palette.SHAPES,
        "status": palette.STATUS,
    }


def _population_source(config: StudyConfig, lang: Lang) -> str:
    source = config.population.source
    year = "" if config.population.year is None else f" {config.population.year}"
    return "" if source is None else source.in_language(lang) + year


def _grown(bounds: tuple[float, ...], share: float) -> basemap.Bounds:
    west, south, east, north = bounds
    margin = share * max(east - west, north - south)
    return west - margin, south - margin, east + margin, north + margin


def _degrees_box(bounds: tuple[float, ...], share: float, transformer: pyproj.Transformer) -> list[int]:
    degrees = transformer.transform_bounds(*_grown(bounds, share))
    return [round(value * encoding.UNITS_PER_DEGREE) for value in degrees]


def _basemap(content: MapContent, transformer: pyproj.Transformer) -> dict[str, Any]:
    layers = content.layers
    near, far = _grown(layers.boundary.bounds, 0.05), _grown(layers.boundary.bounds, 0.6)
    under: dict[str, Any] = {"roads": basemap.encode_roads(layers.roads, near, transformer)}
    if "water" in layers.basemap:
        under["water"] = basemap.encode_water(layers.basemap["water"], far, transformer)
    if "neighbours" in layers.basemap:
        under["neighbours"] = basemap.encode_neighbours(layers.basemap["neighbours"], far, layers.boundary, transformer)
    terrain = content.config.basemap.terrain
    if terrain is not None:
        degrees = [
            value / encoding.UNITS_PER_DEGREE for value in _degrees_box(layers.boundary.bounds, 0.1, transformer)
        ]
        under["relief"] = basemap.shaded_relief(terrain, (degrees[0], degrees[1], degrees[2], degrees[3]))
    return under


def _zones(content: MapContent, transformer: pyproj.Transformer) -> list[dict[str, Any]]:
    zones = content.layers.zones
    # Neighbouring zones keep a common border.
    outlines = shapely.coverage_simplify(zones.geometry.to_numpy(), 15.0)
    circles = shapely.maximum_inscribed_circle(outlines, 50.0)
    centres = shapely.get_coordinates(shapely.get_point(circles, 0))
    spots = encoding.encode_points(centres[:, 0], centres[:, 1], transformer)
    shares = panels.figures(content.coverage.zones, "zone_id")
    return [
        {
            "id": str(zone_id),
            "name": str(name),
            "area_type": area_type,
            "area": encoding.encode_areas([outline], transformer),
            "at": at,
            "radius_m": round(float(radius)),
            "figures": shares.get(str(zone_id), {}),
        }
        for zone_id, name, area_type, outline, at, radius in zip(
            zones["zone_id"], zones["name"], zones["area_type"], outlines, spots, shapely.length(circles), strict=True
        )
    ]


def _facility_layer(
    content: MapContent, layer: FacilityLayer, transformer: pyproj.Transformer, lang: Lang
) -> dict[str, Any]:
    areas = content.service_areas
    shapes = shapely.simplify(areas.loc[areas["layer"] == layer.id].geometry.to_numpy(), 15.0)
    return {
        "id": layer.id,
        "name": layer.name.in_language(lang),
        "group": layer.group,
        "cutoff": panels.cutoff_text(layer, content.profiles[layer.profile], lang),
        "unattached": _unattached(content, layer, lang),
        "tiers": [{"id": tier.id, "name": tier.name.in_language(lang)} for tier in layer.tiers],
        "capacity": [texts.word_for("capacity", column, lang) for column in layer.capacity],
        "service": encoding.encode_areas(shapes, transformer),
        **dict(zip(("gaps", "gap_cell_m"), _gaps(content, layer, transformer), strict=True)),
        "facilities": _facilities(content, layer, transformer),
    }


def _unattached(content: MapContent, layer: FacilityLayer, lang: Lang) -> str:
    """Say how many people of the layer's group live too far from any way, or nothing where nobody does."""
    access = content.coverage.access
    people = float(access.loc[access["profile"] == layer.profile, f"unattached_{layer.group}"].sum())
    if people < 0.5:
        return ""
    limit = panels.number(content.config.network.max_access_m, lang)
    return texts.text("unattached", lang).format(people=f"{people:,.0f}", metres=limit)


def _facilities(content: MapContent, layer: FacilityLayer, transformer: pyproj.Transformer) -> list[list[Any]]:
    """Return rows of lon, lat, name, tier's position, capacities, people in the catchment, largest tier last."""
    frame = content.layers.facilities[layer.id]
    reached = content.coverage.facilities
    of_layer = reached.loc[reached["layer"] == layer.id].set_index("facility_id")
    people = frame["facility_id"].map(of_layer[f"catchment_{layer.group}"])
    tiers = {tier.id: position for position, tier in enumerate(layer.tiers)}
    capacities = frame[layer.capacity].to_numpy(dtype=float).tolist()
    tier_column = frame["tier"] if "tier" in frame else pd.Series(None, index=frame.index, dtype=object)
    rows = [
        [
            *at,
            "" if pd.isna(name) else str(name),
            tiers.get(tier),
            [None if np.isnan(count) else round(count, 1) for count in counts],
            None if pd.isna(caught) else round(float(caught), 1),
        ]
        for at, name, tier, counts, caught in zip(
            encoding.encode_points(frame.geometry.x, frame.geometry.y, transformer),
            frame["name"],
            tier_column,
            capacities,
            people,
            strict=True,
        )
    ]
    return sorted(rows, key=lambda row: -(row[3] if row[3] is not None else len(tiers)))


def _gaps(content: MapContent, layer: FacilityLayer, transformer: pyproj.Transformer) -> tuple[list[list[float]], int]:
    """Return people of the layer's group who are left out, and the side of the square cells they are gathered in.

    Rows are lon, lat, people.
    """
    points = content.layers.demand.points
    covered = content.coverage.demand[f"{layer.id}_covered"].to_numpy(dtype=bool)
    people = points[layer.group].to_numpy(dtype=float)
    keep = ~covered & points["zone_id"].notna().to_numpy() & (people > 0)
    if not keep.any():
        return [], _GAP_CELLS_M[0]
    xy, people = points.loc[keep, ["x_m", "y_m"]].to_numpy(dtype=float), people[keep]
    for cell_m in _GAP_CELLS_M:
        column, row = np.floor((xy - xy.min(axis=0)) / cell_m).astype(np.int64).T
        _, cell = np.unique(row * (column.max() + 1) + column, return_inverse=True)
        if cell.max() < MAX_GAP_DOTS:
            break
    total = np.bincount(cell, people)
    x, y = (np.bincount(cell, people * xy[:, axis]) / total for axis in (0, 1))
    spots = encoding.encode_points(x, y, transformer)
    return [[*at, round(count, 1)] for at, count in zip(spots, total.tolist(), strict=True)], cell_m
