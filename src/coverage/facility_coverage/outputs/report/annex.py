"""The last chapters: method, quality of the data, sources of the goals, passport - only facts of this run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from facility_coverage.config.text import Text as BothLanguages
from facility_coverage.outputs.checkup import badge
from facility_coverage.outputs.panels import number
from facility_coverage.outputs.report.model import Block, Cell, Chapter, Facts, Points, Table, Text, cells, table
from facility_coverage.outputs.report.telling import Telling
from facility_coverage.outputs.report.texts import listed, said, word


def annex(telling: Telling) -> Iterator[Chapter]:
    """Yield the last chapters of a run."""
    lang = telling.lang
    method = (Points(tuple(_rules(telling))), _services(telling), _profiles(telling))
    yield Chapter(telling.id("method"), word("method", lang), 1, method, page=True)
    yield Chapter(telling.id("quality"), word("quality", lang), 1, tuple(_quality(telling)), page=True)
    if telling.run.verdicts:
        yield Chapter(telling.id("citations"), word("citations", lang), 1, (_citations(telling),), page=True)
    yield Chapter(telling.id("passport"), word("passport", lang), 1, tuple(_passport(telling)), page=True)


def _rules(telling: Telling) -> Iterator[str]:
    """Yield how figures are made."""
    lang, parameters = telling.lang, telling.run.parameters
    yield word("rule_time", lang)
    network = parameters["network"]
    metres = number(float(network["max_access_m"]), lang)
    yield said("rule_access", lang, metres=metres, nodes=network["min_component_nodes"])
    yield _terrain(telling)
    barriers = [one["path"] for one in parameters["barriers"]]
    if barriers:
        yield said("rule_barriers", lang, list=listed(barriers, lang))
    own = [one.name.in_language(lang) for one in telling.run.layers if one.facilities_from == "own_zones_only"]
    yield said("rule_outside", lang, list=listed(own, lang)) if own else word("rule_anywhere", lang)
    yield _population(telling)
    yield word("rule_no_data", lang)
    yield word("rule_cut", lang)
    yield said("crs_line", lang, crs=telling.run.passport["crs"])


def _terrain(telling: Telling) -> str:
    terrain, report = telling.run.parameters["terrain"], telling.run.passport["reports"].get("terrain", {})
    if terrain is None:
        return word("rule_level", telling.lang)
    files = terrain["path"] if isinstance(terrain["path"], list) else [terrain["path"]]
    low, high = (number(_whole(report.get(key)), telling.lang) for key in ("lowest_m", "highest_m"))
    return said("rule_terrain", telling.lang, file=listed(files, telling.lang), low=low, high=high)


def _population(telling: Telling) -> str:
    """Say where the people come from, and that none was lost."""
    lang, people = telling.lang, telling.run.parameters["population"]
    total = next(one for one in telling.run.passport["population"] if one["group"] == "total")
    source = people.get("source")
    shown = "" if source is None else BothLanguages.model_validate(source).in_language(lang)
    beyond = [total[key] for key in ("beyond_zones", "beyond_margin")]
    outside = None if None in beyond else sum(beyond)
    told = said(
        "population_line", lang, file=people.get("path") or "", read=telling.people(total["read"]),
        source=said("population_source", lang, source=shown) if shown else "",
        inside=telling.people(total["in_zones"]), beyond=telling.people(outside),
    )  # fmt: skip
    if total["rescaled"]:
        told += ("" if lang == "zh" else " ") + said("rescaled_line", lang, people=telling.people(total["rescaled"]))
    return told


def _whole(value: float | None) -> float | None:
    return None if value is None else float(round(value))


def _services(telling: Telling) -> Table:
    lang = telling.lang
    rows = [
        cells(layer["name"], telling.scene["groups"][layer["group"]], layer["cutoff"],
              listed((tier["name"] for tier in layer["tiers"]), lang), f"{layer['facility_count']:,}")
        for layer in telling.scene["layers"]
    ]  # fmt: skip
    heads = tuple(word(key, lang) for key in ("service", "for_whom", "cutoff", "tiers", "facilities_read"))
    return table(heads, rows, numbers="    #", caption=word("services_table", lang))


def _profiles(telling: Telling) -> Table:
    """Return who travels how fast, according to whom, on how long a network."""
    lang = telling.lang
    networks = telling.run.passport["networks"]
    rows = [_profile(telling, one) for one in networks if one["profile"] in telling.run.profiles]
    heads = ("profile", "speed", "network", "unattached", "dropped", "source")
    caption = word("profiles_table", lang)
    return table(tuple(word(key, lang) for key in heads), rows, numbers=" ####", caption=caption)


def _profile(telling: Telling, network: dict[str, Any]) -> tuple[Cell, ...]:
    lang, profile = telling.lang, telling.run.profiles[network["profile"]]
    way = word("by_car" if profile.mode == "car" else "on_foot", lang)
    kilometres = f"{network['length_km']:,.0f} km"
    pieces = f"{number(float(network['dropped_component_count']), lang)} / {network['dropped_length_km']:,.1f} km"
    speed = "" if profile.level_speed_kmh is None else f" {profile.level_speed_kmh:g} km/h"
    far = telling.people(network.get("unattached_total"))
    return cells(profile.name.in_language(lang), way + speed, kilometres, far, pieces, profile.source)


def _quality(telling: Telling) -> Iterator[Block]:
    """Yield what the doctor found."""
    lang, findings = telling.lang, telling.run.findings
    if findings is None:
        yield Text(word("findings_unknown", lang), "missing")
    elif not findings:
        yield Text(word("no_findings", lang))
    else:
        rows = [
            (
                Cell(badge(found.rank, lang), status=found.rank),
                Cell(" · ".join(part for part in (found.layer, found.file) if part)),
                Cell(found.message.in_language(lang)),
                Cell(found.advice.in_language(lang)),
            )
            for found in findings
        ]
        yield table(tuple(word(key, lang) for key in ("rank", "layer", "finding", "advice")), rows)


def _citations(telling: Telling) -> Table:
    """Return the documents and clauses that goals come from, and whether they were read."""
    lang = telling.lang
    goals: dict[tuple[str, bool], list[str]] = {}
    for verdict in telling.run.verdicts:
        goals.setdefault((verdict.citation, verdict.verified), []).append(telling.name(verdict))
    rows = [
        cells(citation, listed(names, lang), word("checked_yes" if verified else "checked_no", lang))
        for (citation, verified), names in goals.items()
    ]
    return table(tuple(word(key, lang) for key in ("document", "for_goals", "checked")), rows)


def _passport(telling: Telling) -> Iterator[Block]:
    """Yield what the run was made from, with what, and how long it took."""
    lang, passport = telling.lang, telling.run.passport
    versions = ", ".join(f"{name} {version}" for name, version in passport["versions"].items())
    yield Facts((
        (word("run", lang), passport["identity"]),
        (word("finished", lang), passport["finished_at"]),
        (word("versions", lang), versions),
    ))  # fmt: skip
    inputs = [
        cells(one["input"], one["file"], f"{one['bytes']:,}", one["sha256"][:12] + "…") for one in passport["inputs"]
    ]
    heads = (word("input", lang), word("file", lang), word("bytes", lang), "SHA-256")
    yield table(heads, inputs, numbers="  # ", caption=word("inputs_table", lang))
    stages = [cells(one["stage"], f"{one['seconds']:,.1f}") for one in passport["stages"]]
    yield table((word("stage", lang), word("seconds", lang)), stages, numbers=" #", caption=word("stages_table", lang))
