"""The chapter on services: who reaches each facility layer, with its map."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from facility_coverage.outputs.panels import number
from facility_coverage.outputs.report.model import Block, Chapter, MapView, Points, Text, cells, table
from facility_coverage.outputs.report.summary import figures, service_told
from facility_coverage.outputs.report.telling import Telling, left_out
from facility_coverage.outputs.report.texts import word

SCOPES = ("study", "urban", "rural")


def service_chapters(telling: Telling) -> Iterator[Chapter]:
    """Yield a chapter for all services, and one for each."""
    lang = telling.lang
    yield Chapter(telling.id("services"), word("services", lang), 1, page=True)
    for i, layer in enumerate(telling.scene["layers"]):
        blocks: list[Block] = [Text(service_told(telling, layer), "lead"), Text(layer["cutoff"], "note")]
        if layer["unattached"]:
            blocks.append(Text(layer["unattached"], "note"))
        blocks.append(MapView(telling.index, f"coverage:{layer['id']}:{layer['group']}", layer["name"]))
        blocks.append(_groups(telling, layer))
        yield Chapter(telling.id(f"service-{i}"), layer["name"], 2, tuple(blocks), page=i > 0)


def site_chapters(telling: Telling) -> Iterator[Chapter]:
    """Yield a chapter on the sites that the run proposes, none where it was not asked for any."""
    lang, sitings = telling.lang, telling.core["sitings"]
    blocks: list[Block] = []
    for siting in sitings:
        if siting["said"]:
            blocks += [Text(siting["name"], "head"), Points(tuple(siting["said"]))]
        blocks.append(_sites(telling, siting))
    if sitings:
        yield Chapter(telling.id("sites"), word("sites", lang), 1, tuple(blocks), page=True)


def _sites(telling: Telling, siting: dict[str, Any]) -> Block:
    """Return sites in the order of building; candidates of the ground have no names."""
    lang = telling.lang
    sites = sorted(siting["sites"], key=lambda one: int(one["order"]))
    named = any(site["name"] for site in sites)
    rows = []
    for site in sites:
        gain = _gain(telling, siting, site["gain"])
        place = (site["name"], site["zone"]) if named else (site["zone"],)
        rows.append(cells(str(site["order"]), *place, gain, telling.share(site["share"])))
    gained = {"people": "gain"}.get(siting["unit"], f"gain_{siting['unit']}")
    heads = ("order", "site", "town", gained, "share_then") if named else ("order", "town", gained, "share_then")
    caption = "" if siting["said"] else siting["name"]
    numbers = "   ##" if named else "  ##"
    return table(tuple(word(key, lang) for key in heads), rows, numbers=numbers, caption=caption)


def _gain(telling: Telling, siting: dict[str, Any], gain: float) -> str:
    """Return people in whole numbers, minutes with decimals."""
    return number(gain, telling.lang) if siting["unit"] == "minutes" else telling.people(gain)


def _groups(telling: Telling, layer: dict[str, Any]) -> Block:
    """Return people within reach by group, in the whole study and in its urban and rural zones."""
    lang = telling.lang
    rows = []
    for scope in SCOPES:
        place = word("whole" if scope == "study" else scope, lang)
        for group, name in telling.scene["groups"].items():
            row = figures(telling.scene, scope, layer["id"], group)
            if row[0] is not None:
                told = (telling.people(row[0]), telling.share(row[2]), telling.people(left_out(row)))
                rows.append(cells(place, name, *told))
    heads = (word("scope", lang), *(word(key, lang) for key in ("for_whom", "people", "share", "left_out")))
    return table(heads, rows, numbers="  ###")
