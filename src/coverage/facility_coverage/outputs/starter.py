"""A study to start from: the YAML beside downloaded layers, with what is still missing said in comments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CUTOFF_MIN = 15

ATTRIBUTION = {
    "zh": "© OpenStreetMap 贡献者(ODbL 1.0)",
    "en": "© OpenStreetMap contributors, ODbL 1.0",
}

_DATUM = "# Say what its degrees are: `datum: wgs84`, cgcs2000, gcj02 (Amap, Tencent) or bd09 (Baidu)."

_PROFILES = {
    "elder_care": "elder",
    "nursing_home": "elder",
    "childcare": "carer_with_pushchair",
    "kindergarten": "carer_with_pushchair",
}


@dataclass(frozen=True)
class Starter:
    """What the study says.

    Attributes
    ----------
    study_id, title, date, crs
        As in the study; the date is an ISO date.
    margin_m
        How far beyond the boundary roads and facilities were downloaded.
    zones_file
        Layer of the zones.
    facilities
        Kind → its name in both languages, and whether OpenStreetMap has any.
    water
        Whether there is a layer of water.
    """

    study_id: str
    title: str
    date: str
    crs: str
    margin_m: float
    zones_file: str
    facilities: Mapping[str, tuple[Mapping[str, str], bool]]
    water: bool


def profile_of(kind: str) -> str:
    """Return the profile of who goes to facilities of a kind.

    Examples
    --------
    >>> profile_of("elder_care"), profile_of("hospital")
    ('elder', 'adult')
    """
    return _PROFILES.get(kind, "adult")


def identifier(text: str) -> str:
    """Return a text as the name of a study.

    Examples
    --------
    >>> identifier("Yongchuan 2026"), identifier("永川"), identifier("2026")
    ('yongchuan_2026', 'study', 'study_2026')
    """
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return (plain if plain[:1].isalpha() else f"study_{plain}".rstrip("_"))[:63].rstrip("_")


def study_text(starter: Starter) -> str:
    """Return the study as YAML. Names from elsewhere stand in quoted values only, never in comments."""
    has = [kind for kind, (_, found) in starter.facilities.items() if found]
    lacking = [kind for kind in starter.facilities if kind not in has]
    active = has or lacking[:1]
    blocks = [
        "# A study of what OpenStreetMap knows, written by `facility-coverage download`. Change it as you like.",
        _dump({"id": starter.study_id, "title": starter.title}),
        "# The day that the data show.",
        f"date: {starter.date}",
        _dump({"attribution": ATTRIBUTION, "crs": starter.crs}),
        "",
        _dump({"boundary": {"path": "boundary.geojson"}}),
        "# OpenStreetMap does not say what is urban and what rural. As long as both have the same cutoff, it does not",
        "# matter; otherwise give the zones a column `area_type`.",
        _dump({"zones": {"path": starter.zones_file, "constants": {"area_type": "urban"}}}),
        _dump({"roads": {"path": "roads.osm.pbf"}}),
        "# Roads and facilities were downloaded as far beyond the boundary as this. A longer cutoff or a",
        "# faster profile needs a new download with a larger --margin-m.",
        _dump({"network": {"margin_m": starter.margin_m}}),
        "",
        "# MISSING: people. OpenStreetMap has none. Put a raster with people per cell, such as WorldPop's, into this",
        "# folder as population.tif; or name a table of points (docs/reference/config.md).",
        _dump({"population": {"kind": "raster", "path": "population.tif"}}),
        "",
        "# Cutoffs and profiles are suggestions. A capacity counts once its column is named: `capacity: [beds]`.",
        "facilities:",
        *(_indented(_layer(kind, starter.facilities[kind][0], kind in has)) for kind in active),
        *_commented(starter, [kind for kind in lacking if kind not in active]),
    ]
    if not has:
        blocks += [
            "# MISSING: facilities. OpenStreetMap has none of these kinds here; put your own table there.",
            _DATUM,
        ]
    if starter.water:
        blocks += [
            "",
            "# No access leg crosses water; remove this where people do.",
            _dump({"barriers": [{"path": "water.geojson"}], "basemap": {"water": {"path": "water.geojson"}}}),
        ]
    return "\n".join(blocks) + "\n"


def _layer(kind: str, name: Mapping[str, str], found: bool) -> dict[str, Any]:
    file: dict[str, Any] = {"path": f"facilities/{kind}.geojson"}
    if not found:
        file = {"path": f"facilities/{kind}.csv"}
    return {
        "id": kind, "name": dict(name), "kind": kind, **file, "profile": profile_of(kind), "cutoff_min": CUTOFF_MIN,
    }  # fmt: skip


def _commented(starter: Starter, kinds: Sequence[str]) -> list[str]:
    if not kinds:
        return []
    lines = ["# OpenStreetMap has none of these here; put your own table there and take away the marks.", _DATUM]
    for kind in kinds:
        lines += [f"#{line}" for line in _indented(_layer(kind, starter.facilities[kind][0], found=False)).split("\n")]
    return lines


def _indented(layer: dict[str, Any]) -> str:
    return "\n".join(f"  {line}" for line in _dump([layer]).split("\n"))


def _dump(content: object) -> str:
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=2**20).rstrip("\n")
