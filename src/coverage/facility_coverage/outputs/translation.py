"""A finished map in another language: every word that is ours, and every text that the study gives in both."""

from __future__ import annotations

from typing import Any

from facility_coverage.analysis.verdicts import Verdict
from facility_coverage.config.study import FacilityLayer
from facility_coverage.config.text import Lang, Text
from facility_coverage.outputs import panels, texts
from facility_coverage.outputs.embeds import first_scene
from facility_coverage.outputs.payload import Payload
from facility_coverage.outputs.runs import Run
from facility_coverage.outputs.themes import target_text, unit_of


def in_language(run: Run, lang: Lang) -> Payload:
    """Return a run's own state as its map would show it in a language."""
    payload = first_scene(run.payload)
    if lang == run.lang:
        return payload
    said = {key: run.said(key, lang) for key in ("title", "notice", "attribution")}
    scene = _scene(run, payload.core["scenes"][0], lang)
    return Payload(payload.core | said | {"lang": lang, "texts": texts.texts(lang), "scenes": [scene]}, payload.blobs)


def _scene(run: Run, scene: dict[str, Any], lang: Lang) -> dict[str, Any]:
    groups, by_id = run.groups(lang), {layer.id: layer for layer in run.layers}
    verdicts = {f"goal:{verdict.goal_id}": verdict for verdict in run.verdicts}
    population = run.parameters["population"]
    source = population.get("source")
    year = "" if population.get("year") is None else f" {population['year']}"
    return scene | {
        "name": scene["name"] if run.parameters["state"] else texts.text("as_of", lang).format(scene["date"][:4]),
        "population_source": "" if source is None else Text.model_validate(source).in_language(lang) + year,
        "groups": groups,
        "themes": [
            theme | _named(theme, groups, by_id.get(theme["layer"]), verdicts.get(theme["id"]), lang)
            for theme in scene["themes"]
        ],
        "goals": panels.goal_rows(run.verdicts, lang),
        "layers": [layer | _layer(run, layer, by_id[layer["id"]], lang) for layer in scene["layers"]],
    }


def state_name(run: Run, scene: dict[str, Any], lang: Lang) -> str:
    """Return the name of another state of a run's map."""
    if lang == run.lang:
        return str(scene["name"])
    names = {one["id"]: one["name"] for one in run.parameters["states"]}
    named = names.get(scene["id"])
    return str(scene["name"]) if named is None else Text.model_validate(named).in_language(lang)


def _named(
    theme: dict[str, Any], groups: dict[str, str], layer: FacilityLayer | None, verdict: Verdict | None, lang: Lang
) -> dict[str, str]:
    """Return what of a theme is words."""
    if verdict is not None:
        name = verdict.name_zh if lang == "zh" else verdict.name_en
        return {"name": name, "unit": unit_of(verdict, lang), "target": theme["target"] and target_text(verdict, lang)}
    kind, group = theme["id"].split(":", 1)[0], groups.get(theme["group"], theme["group"])
    if layer is not None:
        return {"name": f"{layer.name.in_language(lang)} · {group}"}
    unit = texts.text("per_km2", lang) if kind == "density" else theme["unit"]
    return {"name": texts.text(f"{kind}_of", lang).format(group), "unit": unit}


def _layer(run: Run, row: dict[str, Any], layer: FacilityLayer, lang: Lang) -> dict[str, Any]:
    return {
        "name": layer.name.in_language(lang),
        "cutoff": panels.cutoff_text(layer, run.profiles.get(layer.profile), lang),
        "unattached": _unattached(run, row, layer, lang),
        "tiers": [{"id": tier.id, "name": tier.name.in_language(lang)} for tier in layer.tiers],
        "capacity": [texts.word_for("capacity", column, lang) for column in layer.capacity],
        "attributes": [texts.word_for("attribute", column, lang) for column in layer.attributes],
    }


def _unattached(run: Run, row: dict[str, Any], layer: FacilityLayer, lang: Lang) -> str:
    if not row["unattached"]:
        return ""
    rows = [one for one in run.passport["networks"] if one["profile"] == layer.profile]
    people = sum(one.get(f"unattached_{layer.group}") or 0.0 for one in rows)
    metres = panels.number(float(run.core["max_access_m"]), lang)
    return texts.text("unattached", lang).format(people=f"{people:,.0f}", metres=metres)
