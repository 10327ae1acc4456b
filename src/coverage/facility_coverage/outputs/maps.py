"""The map: one page that opens offline, drawn by Folium and Leaflet from a study's results."""

from __future__ import annotations

from collections.abc import Sequence
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

from facility_coverage.config.study import StudyConfig
from facility_coverage.config.text import Lang
from facility_coverage.outputs import basemap, encoding, offline, palette, panels, texts
from facility_coverage.outputs.gap_tables import gap_rows
from facility_coverage.outputs.payload import Payload, blocks
from facility_coverage.outputs.pinyin import readings
from facility_coverage.outputs.scenes import MapContent, Scene, scene

__all__ = ["MapContent", "joined", "map_payload", "page", "write_map"]

SCRIPTS = (
    "geometry", "world", "grid", "figures", "symbols", "painter", "panel", "goals", "lists", "search", "card",
    "sites", "gaps", "compare", "printing", "main",
)  # fmt: skip
#: Vertices of all zones, and how far their outlines may stray from the truth to stay below, in metres.
MAX_ZONE_VERTICES = 200_000
_ZONE_TOLERANCES_M = (15.0, 30.0, 60.0, 120.0, 250.0)
#: Keys of a layer that most states have in common.
_SHARED = ("service", "gaps", "facilities")
#: A page larger than this may be slow to open.
MAX_PAGE_BYTES = 15_000_000


class _Coverage(MacroElement):
    """Puts the study's data, our scripts and our styles into a Folium figure."""

    _template = Template(
        """
        {% macro header(this, kwargs) %}
            {% for style in this.styles %}<style>{{ style }}</style>{% endfor %}
        {% endmacro %}
        {% macro html(this, kwargs) %}
            <noscript>{{ this.no_script }}</noscript>
            {% for name, text in this.blocks -%}
            <script type="application/octet-stream" id="fc-{{ name }}">{{ text }}</script>
            {% endfor %}
        {% endmacro %}
        {% macro script(this, kwargs) %}
            {% for script in this.scripts %}{{ script }}
            {% endfor %}
            fc.start({{ this._parent.get_name() }});
        {% endmacro %}
        """
    )

    def __init__(self, payload: Payload, no_script: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # branca annotates no constructor
        self._name = "Coverage"
        self.blocks = blocks(payload)
        self.no_script = no_script
        self.styles = [offline.asset("map/map.css")]
        self.scripts = [offline.asset(f"map/{name}.js") for name in SCRIPTS]


def write_map(path: Path, contents: Sequence[MapContent], *, lang: Lang) -> list[str]:
    """Write a study's map as one HTML file that fetches nothing.

    Parameters
    ----------
    path
        File to write.
    contents
        What to show: the study, and other states of it to compare.
    lang
        Language of every word that is not the user's.

    Returns
    -------
    Sentences on what had to be drawn more coarsely, and on a page that is large.

    Raises
    ------
    UnknownAssetError
        Folium's page links to something that is not vendored.
    """
    payload = map_payload(contents, lang=lang)
    html = page(payload)
    path.write_text(html, encoding="utf-8", newline="\n")
    remarks = [
        f"map: {what} are drawn to within {payload.core['drawn'][key]:g} m, to keep the page small"
        for key, what, fine in (("zones_m", "zones", _ZONE_TOLERANCES_M[0]), ("service_m", "service areas", 25.0))
        if payload.core["drawn"][key] > fine
    ]
    if len(html) > MAX_PAGE_BYTES:
        remarks.append(
            f"map: the page has {len(html) / 1e6:.0f} MB; browsers may be slow with more than "
            f"{MAX_PAGE_BYTES / 1e6:.0f} MB: divide the study, or leave outputs.map_states out"
        )
    return remarks


def page(payload: Payload) -> str:
    """Return the page that shows a payload."""
    lang: Lang = "zh" if payload.core["lang"] == "zh" else "en"
    west, south, east, north = (value / encoding.UNITS_PER_DEGREE for value in payload.core["view"])
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
    study_map.add_child(_Coverage(payload, texts.text("no_script", lang)))
    html = study_map.get_root().render()
    html = html.replace("<html>", f'<html lang="{"zh-CN" if lang == "zh" else "en"}">', 1)
    # Folium forbids zooming the page with the fingers, which people with poor sight need.
    html = html.replace("initial-scale=1.0, maximum-scale=1.0, user-scalable=no", "initial-scale=1.0", 1)
    vendored = {"leaflet": "leaflet/leaflet.js", "leaflet_css": "leaflet/leaflet.css"}
    links = [*folium.Map.default_js, *folium.Map.default_css]
    tiles = [origin for layer in payload.core["tiles"] for origin in layer["origins"]]
    return offline.inline(html, {url: vendored.get(name) for name, url in links}, images=tiles)


def map_payload(contents: Sequence[MapContent], *, lang: Lang) -> Payload:
    """Return everything a page shows; geometry in units of 1e-5 degrees."""
    content = contents[0]
    config, layers = content.config, content.layers
    transformer = encoding.to_wgs84(layers.crs)
    scenes = [scene(one, f"s{i}", transformer, lang=lang) for i, one in enumerate(contents)]
    zones, zones_m = _zones(content, transformer)
    under = _basemap(content, transformer)
    core = {
        "lang": lang,
        "texts": texts.texts(lang),
        "title": config.title.in_language(lang),
        "notice": config.notice.in_language(lang) if config.notice else "",
        "attribution": config.attribution.in_language(lang) if config.attribution else "",
        "approval_number": config.basemap.approval_number or "",
        "made": content.generated_on.isoformat(),
        "run": content.run_identity,
        "palette": _palette(),
        "max_access_m": config.network.max_access_m,
        "view": _degrees_box(layers.boundary.bounds, 0.0, transformer),
        "tiles": _tiles(config, lang),
        "basemap": under,
        "boundary": encoding.encode_areas([shapely.simplify(layers.boundary, 8.0)], transformer),
        "zones": zones,
        "districts": _districts(content, transformer),
        "drawn": {"zones_m": zones_m, "service_m": max(one.core["service_tolerance_m"] for one in scenes)},
        "scenes": [one.core for one in scenes],
        "sitings": panels.siting_rows(content.proposals, layers, transformer, lang),
        "gaps": gap_rows(content.gaps, layers, transformer, lang),
        "show": {},
    }
    core["pinyin"] = readings(_names(core))
    return Payload(core, _without_repetition(scenes))


def joined(shown: Payload, other: Payload, *, names: tuple[str, str]) -> Payload | None:
    """Return a page's content with the first scene of another beside its own, to compare; None if the zones differ.

    Parameters
    ----------
    shown
        Whose first scene is shown at once.
    other
        What it is compared with.
    names
        Of the two, where both scenes have the same name.
    """
    if [zone["id"] for zone in shown.core["zones"]] != [zone["id"] for zone in other.core["zones"]]:
        return None
    scenes = [dict(payload.core["scenes"][0]) for payload in (shown, other)]
    if scenes[0]["name"] == scenes[1]["name"]:
        scenes = [one | {"name": name} for one, name in zip(scenes, names, strict=True)]
    scenes[1] |= {"blobs": "s1", "id": scenes[1]["id"] or "other"}
    own, theirs = ({name: data for name, data in one.blobs.items() if name.startswith("s0-")} for one in (shown, other))
    core = shown.core | {"scenes": scenes, "pinyin": other.core["pinyin"] | shown.core["pinyin"]}
    return Payload(core, own | {name.replace("s0-", "s1-", 1): data for name, data in theirs.items()})


def _without_repetition(scenes: Sequence[Scene]) -> dict[str, bytes]:
    """Leave out what a later scene has in common with the first, where the page looks for what is missing."""
    first = scenes[0]
    own = {layer["id"]: layer for layer in first.core["layers"]}
    blobs = dict(first.blobs)
    for one in scenes[1:]:
        for layer in one.core["layers"]:
            for key in _SHARED:
                if layer["id"] in own and layer[key] == own[layer["id"]][key]:
                    del layer[key]
        blobs |= {
            name: data
            for name, data in one.blobs.items()
            if data != first.blobs.get(name.replace(one.core["blobs"], first.core["blobs"], 1))
        }
    return blobs


def _names(core: dict[str, Any]) -> list[str]:
    """Return every name that a reader may search for."""
    names = [row["name"] for row in (*core["zones"], *core["sitings"])]
    for one in core["scenes"]:
        names += [goal["name"] for goal in one["goals"]]
        names += [name for layer in one["layers"] for name in (layer["name"], *layer["facilities"]["name"])]
    return names


def _palette() -> dict[str, Any]:
    return {
        "no_data": palette.NO_DATA,
        "gap": palette.GAP,
        "service": palette.SERVICE,
        "facilities": palette.FACILITIES,
        "shapes": palette.SHAPES,
        "status": palette.STATUS,
        "chosen": palette.CHOSEN,
        "site": palette.SITE,
        "bands": palette.BANDS,
        "bands_min": palette.BANDS_MIN,
        "covered": palette.COVERED,
        "left_out": palette.LEFT_OUT,
        "density": palette.PEOPLE_PER_SQUARE,
    }


def _tiles(config: StudyConfig, lang: Lang) -> list[dict[str, Any]]:
    return [
        {
            "name": layer.name.in_language(lang),
            "url": layer.url,
            "subdomains": layer.subdomains,
            "max_zoom": layer.max_zoom,
            "attribution": layer.attribution.in_language(lang) if layer.attribution else "",
            "origins": layer.origins(),
        }
        for layer in config.basemap.tiles
    ]


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


def _districts(content: MapContent, transformer: pyproj.Transformer) -> list[dict[str, Any]]:
    """Return the districts with a place for their names, none where all zones lie in one."""
    zones = content.layers.zones
    if "district_name" not in zones or zones["district_name"].nunique() < 2:
        return []
    outlines = shapely.coverage_simplify(zones.geometry.to_numpy(), _ZONE_TOLERANCES_M[0])
    found = gpd.GeoSeries(outlines, index=zones.index).groupby(zones["district_name"]).agg(shapely.union_all)
    spots = shapely.get_coordinates(shapely.point_on_surface(found.to_numpy()))
    at = encoding.encode_points(spots[:, 0], spots[:, 1], transformer)
    return [
        {"name": str(name), "area": encoding.encode_areas([outline], transformer), "at": spot}
        for (name, outline), spot in zip(found.items(), at, strict=True)
    ]


def _zones(content: MapContent, transformer: pyproj.Transformer) -> tuple[list[dict[str, Any]], float]:
    """Return the zones, and how far their outlines may stray from the truth, in metres."""
    zones = content.layers.zones
    for tolerance_m in _ZONE_TOLERANCES_M:
        # Neighbouring zones keep a common border.
        outlines = shapely.coverage_simplify(zones.geometry.to_numpy(), tolerance_m)
        if shapely.get_num_coordinates(outlines).sum() <= MAX_ZONE_VERTICES:
            break
    circles = shapely.maximum_inscribed_circle(outlines, np.maximum(1.0, np.sqrt(shapely.area(outlines)) / 100))
    centres = shapely.get_coordinates(shapely.get_point(circles, 0))
    spots = encoding.encode_points(centres[:, 0], centres[:, 1], transformer)
    districts = zones["district_name"] if "district_name" in zones else [None] * len(zones)
    rows = [
        {
            "id": str(zone_id),
            "name": str(name),
            "district": "" if pd.isna(district) else str(district),
            "area_type": area_type,
            "area": encoding.encode_areas([outline], transformer),
            "at": at,
            "radius_m": round(float(radius)),
        }
        for zone_id, name, district, area_type, outline, at, radius in zip(
            zones["zone_id"], zones["name"], districts, zones["area_type"], outlines, spots, shapely.length(circles),
            strict=True,
        )
    ]  # fmt: skip
    return rows, tolerance_m
