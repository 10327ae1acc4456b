"""Tables of the documentation that are written from the code, so that they cannot fall behind it.

A page holds a marker such as ``<!-- config keys -->``; `fill` puts the table in its place.
"""

from __future__ import annotations

import re
from typing import Any

from facility_coverage.config.catalogue import Catalogue
from facility_coverage.config.measures import MEASURES
from facility_coverage.config.plan import Plan
from facility_coverage.config.profile import Profile, Ways
from facility_coverage.config.reading import builtin_profiles
from facility_coverage.config.study import StudyConfig
from facility_coverage.layers.columns import ALIASES, ZONE_NAMES
from facility_coverage.layers.numbers import COUNT_UNITS, EMPTY_MARKS
from facility_coverage.layers.osm_kinds import KINDS

#: What every goal says, whatever its measure.
_OF_GOALS = {
    "id": "Name of the goal in verdicts.json",
    "name": "Name on the map",
    "measure": "How the figure is computed: see [measures](../measures.md)",
    "scope": "Which part of the study the goal speaks of, and for whom it must hold",
    "baseline": "Where the plan starts from; without it no goal can be `on_track`",
    "nature": "`binding` (约束性), `expected` (预期性), or `text`: stated in prose",
    "citation": "Where the goal is written",
}

#: Keys whose name and type alone do not say enough, and that the models leave undescribed.
MORE = {
    "StudyConfig.title": "Name of the study, printed on the map",
    "StudyConfig.roads": "Roads and paths",
    "StudyConfig.population": "Where people are: `raster`, `points` or `polygons`; see [people](../population.md)",
    "StudyConfig.groups": "People of one kind, beside `total`",
    "StudyConfig.facilities": "One entry for each facility layer",
    "StudyConfig.network": "Choices that change figures; the defaults suit a district",
    "StudyConfig.basemap": "Layers drawn under the results",
    "StudyConfig.outputs": "Where the result goes and what it holds",
    "RasterPopulation.kind": "Says that people are counted per cell of a raster",
    "PointPopulation.kind": "Says that people are counted at points",
    "PolygonPopulation.kind": "Says that people are counted per polygon",
    "Group.name": "Name on the map",
    "Tier.name": "Name on the map",
    "FacilityLayer.id": "Name of the layer in tables and goals",
    "FacilityLayer.name": "Name on the map",
    "Plan.id": "Name of the plan",
    "Plan.title": "Title of the plan",
    "Plan.goals": "One entry for each goal",
    "Citation.document": "Title of the document, with its number or date",
    "Citation.clause": "Chapter, box or clause within it",
    "Baseline.year": "The figure stands for 31 December of this year",
    "Baseline.value": "The figure; shares are 0–1",
    "Target.year": "The goal is due on 31 December of this year",
    "Target.value": "The least figure that meets the goal; shares are 0–1",
    "Milestone.year": "The figure stands for 31 December of this year",
    "Milestone.value": "The figure; shares are 0–1",
    "AreaPerPerson.per": "For how many people or households",
    "Areas.name": "Name on the map",
    "State.name": "Name in comparisons",
    "State.population": "People of this state, as in the study",
    "State.groups": "Groups of this state, as in the study",
    "State.roads": "Roads of this state, as in the study",
    "Catalogue.id": "Name of the catalogue",
    "Catalogue.title": "Title of the catalogue",
    "Catalogue.citation": "Where it comes from",
    "Catalogue.categories": "One entry for each kind of services",
    "Category.id": "Name of the category",
    "Category.name": "Name on the map",
    "Category.services": "One entry for each service",
    "Service.id": "Name of the service",
    "Service.name": "Name on the map",
    "AddFacilities.do": "Adds the facilities of a file",
    "CloseFacilities.do": "Closes facilities",
    "MoveFacility.do": "Moves a facility",
    "MoveFacility.lon": "Where it moves to, degrees",
    "MoveFacility.lat": "Where it moves to, degrees",
    "EnlargeFacility.do": "Changes the capacity of a facility",
    "Profile.name": "Name on the map",
}
MORE |= {f"{one.__name__}.{key}": text for one in MEASURES for key, text in _OF_GOALS.items()}


def fill(text: str) -> str:
    """Return the page with each marker replaced by its table."""
    for marker, write in MARKERS.items():
        if f"<!-- {marker} -->" in text:
            text = text.replace(f"<!-- {marker} -->", write())
    return text


def key_tables() -> str:
    """Return a heading and a table for every mapping that a study, a plan or a profile may hold."""
    parts = []
    for name, definition in definitions().items():
        rows = [_row(name, key, part, definition) for key, part in definition["properties"].items()]
        about = " ".join(definition.get("description", "").split("\n\n")[0].split())
        head = ["| key | type | needed | meaning |", "|---|---|---|---|"]
        parts.append("\n".join([f"## {_title(name)}", "", about, "", *head, *rows]))
    return "\n\n".join(parts)


def definitions() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each mapping by its class, the study first."""
    found: dict[str, dict[str, Any]] = {}
    for model in (StudyConfig, Plan, Catalogue, Profile):
        schema = model.model_json_schema()
        parts = {model.__name__: schema, **schema.get("$defs", {})}
        found |= {name: part for name, part in parts.items() if "properties" in part and name not in found}
    return found


def meaning(owner: str, key: str, part: dict[str, Any]) -> str:
    """Return what a key means: the model's own description, or the one given here."""
    return str(part.get("description") or MORE.get(f"{owner}.{key}", ""))


def profile_table() -> str:
    """Return the table of the built-in profiles: who, and each figure with its source."""
    rows = ["| profile | key | value | source |", "|---|---|---|---|"]
    for name, profile in sorted(builtin_profiles().items()):
        way = "by car" if profile.mode == "car" else "on foot"
        rows.append(f"| `{name}` | {profile.name.en} · {profile.name.zh} | {way} | |")
        main = "speeds_kmh" if profile.mode == "car" else "level_speed_kmh"
        cited = {main: profile.source, **profile.sources}
        rows += [f"| | `{key}` | {_figure(getattr(profile, key))} | {source} |" for key, source in cited.items()]
        rows += [f"| | `{key}` | {value} | a choice |" for key, value in _choices(profile).items()]
    return "\n".join(rows)


def kind_table() -> str:
    """Return the table of the kinds of facilities that OpenStreetMap knows: tags, meaning, page of its wiki."""
    rows = ["| kind | name | tags | meaning | wiki page |", "|---|---|---|---|---|"]
    for name, kind in KINDS.items():
        for i, tags in enumerate(kind.any_of):
            listed = " and ".join(f"`{key}={'`, `'.join(values)}`" for key, values in tags.items())
            first = (f"`{name}`", f"{kind.en} · {kind.zh}") if i == 0 else ("", "or")
            last = (kind.meaning, f"`{kind.page}`") if i == 0 else ("", "")
            rows.append(f"| {' | '.join((*first, listed, *last))} |")
    return "\n".join(rows)


def _figure(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {figure:g}" for key, figure in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def _choices(profile: Profile) -> dict[str, object]:
    """Return what a profile chooses beside its figures, where that is not the default."""
    named = {key: getattr(profile, key) for key in ("direction", "stairs")}
    named |= {f"ways.{key}": getattr(profile.ways, key) for key in Ways.model_fields}
    usual = {key: Profile.model_fields[key].default for key in ("direction", "stairs")}
    usual |= {f"ways.{key}": field.default for key, field in Ways.model_fields.items()}
    return {key: value for key, value in named.items() if value != usual[key]}


def _row(owner: str, key: str, part: dict[str, Any], definition: dict[str, Any]) -> str:
    needed = "yes" if key in definition.get("required", []) else _default(part.get("default"))
    cells = (f"`{key}`", _type(part), needed, meaning(owner, key, part))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(value: object) -> str:
    if value is None or value in ([], {}, ""):
        return "no"
    shown = f"{value:g}" if isinstance(value, float) else str(value).lower()
    return f"no; `{shown}`"


def _type(part: dict[str, Any]) -> str:
    options = part.get("anyOf") or part.get("oneOf") or part.get("allOf")
    if options:
        return _one_of(options)
    if "$ref" in part:
        return _link(part["$ref"])
    if "const" in part or "enum" in part:
        return ", ".join(f"`{value}`" for value in part.get("enum", [part.get("const")]))
    if part.get("type") == "array":
        return f"list of {_type(part.get('items', {}))}"
    if part.get("type") == "object":
        values = part.get("additionalProperties") or next(iter(part.get("patternProperties", {}).values()), None)
        return f"mapping to {_type(values)}" if isinstance(values, dict) else "mapping"
    return _single(part)


def _one_of(options: list[dict[str, Any]]) -> str:
    names = [_type(option) for option in options if option.get("type") != "null"]
    if {"text", "number", "true or false"} <= set(names):  # any single value
        names = ["value", *("list of values" for option in options if option.get("type") == "array")]
    return " or ".join(dict.fromkeys(names))


def _single(part: dict[str, Any]) -> str:
    names = {"string": "text", "integer": "whole number", "boolean": "true or false"}
    formats = {"path": "file", "date": "date (YYYY-MM-DD)"}
    kind = str(part.get("type", "value"))
    return formats.get(part.get("format", ""), names.get(kind, kind)) + _range(part)


def _range(part: dict[str, Any]) -> str:
    limits = [("exclusiveMinimum", "> "), ("minimum", "≥ "), ("exclusiveMaximum", "< "), ("maximum", "≤ ")]
    said = [f"{sign}{part[key]:g}" for key, sign in limits if key in part]
    return f" ({', '.join(said)})" if said else ""


def _link(reference: str) -> str:
    name = reference.rsplit("/", 1)[-1]
    if name not in definitions():
        return "text, or `{zh: …, en: …}`" if name == "Text" else name
    title = _title(name)
    return f"[{title}](#{title.lower().replace(' ', '-')})"


def _title(name: str) -> str:
    words = "Study" if name == "StudyConfig" else re.sub(r"(?<!^)(?=[A-Z])", " ", name)
    return words.capitalize()


def alias_table() -> str:
    """Return the table of the names by which columns are known."""
    rows = ["| our name | known as |", "|---|---|"]
    rows += [f"| `{name}` | {', '.join(aliases) or 'in capitals too'} |" for name, aliases in ALIASES.items()]
    return "\n".join([*rows, f"| `name` of zones and neighbours | also {', '.join(ZONE_NAMES)} |"])


def empty_marks() -> str:
    """Return the marks of no data."""
    return ", ".join(f"`{mark}`" if mark else "nothing" for mark in EMPTY_MARKS)


def count_units() -> str:
    """Return the units that may follow a count."""
    return ", ".join(COUNT_UNITS)


MARKERS = {
    "config keys": key_tables,
    "profiles": profile_table,
    "column aliases": alias_table,
    "empty marks": empty_marks,
    "count units": count_units,
    "osm kinds": kind_table,
}
