"""Small maps to stand within other pages: one facility layer, or one goal, of a finished run."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facility_coverage.errors import ConfigError, Fault, StudyError
from facility_coverage.outputs.maps import page
from facility_coverage.outputs.payload import Payload, read_payload

#: Names of the byte strings of the first scene begin so.
_FIRST = "s0-"


@dataclass(frozen=True)
class Subject:
    """What an embedded map shows: its themes, and the facility layer that they speak of, empty for none."""

    themes: tuple[str, ...]
    layer: str


def first_scene(payload: Payload) -> Payload:
    """Return a page's content without its other states, and without sites that are only proposed."""
    blobs = {name: data for name, data in payload.blobs.items() if name.startswith(_FIRST)}
    return Payload(payload.core | {"scenes": payload.core["scenes"][:1], "sitings": [], "gaps": {}}, blobs)


def subjects(payload: Payload) -> dict[str, Subject]:
    """Return what a page can be narrowed to, by the id of the facility layer or goal."""
    scene = payload.core["scenes"][0]
    coverage: dict[str, list[str]] = {layer["id"]: [] for layer in scene["layers"]}
    for theme in scene["themes"]:
        if theme["kind"] == "coverage":
            coverage[theme["layer"]].append(theme["id"])
    found = {layer: Subject(tuple(themes), layer) for layer, themes in coverage.items()}
    goals = {theme["id"].removeprefix("goal:"): theme for theme in scene["themes"] if theme["kind"] == "goal"}
    # A goal may be called as a layer is: the layer comes first, as it holds more.
    return {name: Subject((theme["id"],), theme["layer"]) for name, theme in goals.items()} | found


def narrowed(payload: Payload, subject: Subject) -> Payload:
    """Return of a page's content only what its subject needs, to be shown without a panel."""
    whole = first_scene(payload)
    scene: dict[str, Any] = whole.core["scenes"][0]
    layers = [layer for layer in scene["layers"] if layer["id"] == subject.layer]
    place = [layer["id"] for layer in scene["layers"]].index(subject.layer) if layers else 0
    kept = {
        "themes": [theme for theme in scene["themes"] if theme["id"] in subject.themes],
        "layers": layers,
        "goals": [goal for goal in scene["goals"] if goal["theme"] in subject.themes],
        "summary": _only(scene["summary"], subject.layer),
        "figures": _only(scene["figures"], subject.layer),
    }
    blobs = {name: data for name, data in whole.blobs.items() if name.endswith(f"-{subject.layer}")} if layers else {}
    palette = whole.core["palette"]
    own = {key: _turned(palette[key], place) for key in ("facilities", "shapes")}
    return Payload(
        whole.core
        | {
            "scenes": [scene | kept],
            "pinyin": {},  # without a panel nobody searches
            "sitings": [siting for siting in whole.core["sitings"] if subject.layer in siting["layers"]],
            "palette": palette | own,
            "tiles": [],
            "show": {"panel": "none", "theme": subject.themes[0]},
        },
        blobs,
    )


def embed_run(run: Path, names: Sequence[str], folder: Path) -> list[Path]:
    """Write the small maps of a finished run: see `write_embeds`."""
    return write_embeds(read_payload(run / "map.html"), names, folder, run=str(run))


def _only(figures: dict[str, Any], layer: str) -> dict[str, Any]:
    return {place: {name: rows for name, rows in of.items() if name == layer} for place, of in figures.items()}


def _turned(values: Sequence[str], by: int) -> list[str]:
    """Return a cycle that begins elsewhere: a layer that stands alone keeps its colour and shape."""
    at = by % len(values)
    return [*values[at:], *values[:at]]


def write_embeds(payload: Payload, names: Sequence[str], folder: Path, *, run: str) -> list[Path]:
    """Write map-embed-<name>.html for facility layers and goals.

    Parameters
    ----------
    payload
        What the run's map carries.
    names
        Ids of facility layers or goals.
    folder
        Where the pages are written.
    run
        The run as the user named it.

    Raises
    ------
    ConfigError
        With every name that the run does not have.
    StudyError
        When the folder cannot be written.
    """
    known = subjects(payload)
    faults = [_unknown(name, known, payload, run) for name in names if name not in known]
    if faults:
        raise ConfigError(faults)
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in dict.fromkeys(names):
            path = folder / f"map-embed-{name}.html"
            path.write_text(page(narrowed(payload, known[name])), encoding="utf-8", newline="\n")
            written.append(path)
    except OSError as error:
        raise StudyError([Fault(str(folder), f"cannot be written: {error.strerror}")]) from None
    return written


def _unknown(name: str, known: dict[str, Subject], payload: Payload, run: str) -> Fault:
    if any(goal["id"] == name for goal in payload.core["scenes"][0]["goals"]):
        return Fault(run, f"goal {name!r} has no figures for zones", advice="it cannot be shown on a map")
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or list(known)[:5]
    return Fault(run, f"no facility layer or goal {name!r}", advice=f"for example {', '.join(near)}")
