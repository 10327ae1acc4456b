"""Reading a study: YAML files to checked models, or every fault with its position."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from facility_coverage.config.checks import check_plan, check_study
from facility_coverage.config.document import Document, Place, describe, read_document
from facility_coverage.config.faults import faults_of
from facility_coverage.config.plan import Plan
from facility_coverage.config.profile import Profile
from facility_coverage.config.study import Identifier, StudyConfig
from facility_coverage.errors import ConfigError, Fault

_PROFILES = TypeAdapter(dict[Identifier, Profile])


@dataclass(frozen=True)
class LoadedStudy:
    """A study as asked for, all paths absolute.

    Attributes
    ----------
    config
        The study file; `config.plan` and `config.profiles` are as written (a path or the thing itself).
    plan
        The goals to judge, if any.
    profiles
        Every profile by name: the built-in ones, with the study's own over them.
    """

    config: StudyConfig
    plan: Plan | None
    profiles: dict[str, Profile]


def load_study(path: Path) -> LoadedStudy:
    """Read a study with its plan and profiles.

    Raises
    ------
    ConfigError
        With every fault of the study, its plan and its profiles: file, line, character, key and advice.
    """
    document = read_document(path)
    faults = list(document.faults)
    _check_paths(document, faults)
    profiles_at, own_raw = _part(document, "profiles", faults)
    plan_at, plan_raw = _part(document, "plan", faults)
    own = _own_profiles(profiles_at, document, own_raw, faults)
    profiles = {**builtin_profiles(), **own}
    plan = _plan(plan_at, document, plan_raw, faults)
    config = _config(document, plan, own, faults)
    names = profiles.keys() | (own_raw.keys() if isinstance(own_raw, dict) else ())
    faults += check_study(document, names)
    if plan_at is not None and isinstance(plan_raw, dict):
        faults += check_plan(plan_at, _under(plan_at, document, "plan"), plan_raw, document.content)
    if faults or config is None:
        files = [document.shown, *sorted({fault.file for fault in faults} - {document.shown})]
        order = {name: i for i, name in enumerate(files)}
        faults = list(dict.fromkeys(faults))
        raise ConfigError(sorted(faults, key=lambda f: (order[f.file], f.line or 0, f.char or 0)))
    return LoadedStudy(config, plan, profiles)


def builtin_profiles() -> dict[str, Profile]:
    """Return the travel profiles that come with the program, by name."""
    source = resources.files("facility_coverage.config") / "profiles.yaml"
    with resources.as_file(source) as path:
        return _PROFILES.validate_python(read_document(path).content)


def study_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a study file."""
    schema = StudyConfig.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "facility-coverage study",
        "description": "One study: where, for whom, which facilities, which goals.",
    }


def plan_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a plan file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Plan.model_json_schema(),
        "title": "facility-coverage plan",
    }


def _under(part: Document, study: Document, key: str) -> Place:
    return (key,) if part is study else ()


def _part(document: Document, key: str, faults: list[Fault]) -> tuple[Document | None, Any]:
    """Return the document that holds a part, and the part: from a file of its own or written in place."""
    raw = document.content.get(key)
    if raw is None or isinstance(raw, dict):
        return (None, None) if raw is None else (document, raw)
    if not isinstance(raw, str):
        message = f"{describe(raw)} is not a path or a mapping"
        faults.append(document.fault((key,), message))
        return None, None
    path = document.path.parent / raw
    if not _is_file(path):
        return None, None  # the check of paths has said so
    try:
        part = read_document(path)
    except ConfigError as error:
        faults += error.faults
        return None, None
    faults += part.faults
    return part, part.content


def _own_profiles(part: Document | None, study: Document, raw: Any, faults: list[Fault]) -> dict[str, Profile]:
    if part is None:
        return {}
    try:
        return _PROFILES.validate_python(raw)
    except ValidationError as error:
        faults += faults_of(error, part, Profile, under=_under(part, study, "profiles"))
        return {}


def _plan(part: Document | None, study: Document, raw: Any, faults: list[Fault]) -> Plan | None:
    if part is None:
        return None
    try:
        return Plan.model_validate(raw)
    except ValidationError as error:
        faults += faults_of(error, part, Plan, under=_under(part, study, "plan"))
        return None


def _config(document: Document, plan: Plan | None, own: dict[str, Profile], faults: list[Fault]) -> StudyConfig | None:
    raw = _with_absolute_paths(document)
    for key, model in (("plan", plan), ("profiles", own or None)):
        if not isinstance(raw.get(key), Path):
            raw[key] = model
    try:
        return StudyConfig.model_validate(raw)
    except ValidationError as error:
        faults += faults_of(error, document, StudyConfig)
        return None


def _paths(document: Document) -> Iterator[tuple[Place, str]]:
    """Yield every path a study names, with its place."""
    places: list[Place] = [(key, "path") for key in ("boundary", "zones", "districts", "roads", "population")]
    for key in ("groups", "facilities", "barriers"):
        entries = document.content.get(key)
        places += [(key, i, "path") for i in range(_length(entries))]
    for i in range(_length(document.content.get("facilities"))):
        sources = document.at(("facilities", i, "sources"))
        places += [("facilities", i, "sources", k, "path") for k in range(_length(sources))]
    for i in range(_length(document.content.get("groups"))):
        rasters = document.at(("groups", i, "path"))
        places += [("groups", i, "table", "path"), *(("groups", i, "path", k) for k in range(_length(rasters)))]
    places += [("population", "controls", "path"), ("area_types", "path")]
    places += [("profiles",), ("plan",), ("basemap", "water", "path"), ("basemap", "terrain")]
    places += [("basemap", "neighbours", "path"), ("terrain", "path")]
    tiles = document.at(("terrain", "path"))
    places += [("terrain", "path", i) for i in range(_length(tiles))]
    for place in places:
        value = document.at(place)
        if isinstance(value, str):
            yield place, value


def _length(value: object) -> int:
    return len(value) if isinstance(value, list) else 0


def _check_paths(document: Document, faults: list[Fault]) -> None:
    for place, text in _paths(document):
        path = document.path.parent / text
        if _is_file(path) or (path.suffix.lower() == ".gdb" and path.is_dir()):
            continue
        if "\0" not in text and path.is_dir():
            faults.append(document.fault(place, f"{describe(text)} is a folder", advice="name a file"))
        else:
            advice = f"paths start from the folder of {document.path.name}"
            faults.append(document.fault(place, f"the file {describe(text)} does not exist", advice=advice))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or with a null character
        return False


def _with_absolute_paths(document: Document) -> dict[str, Any]:
    """Return the study's content with its paths absolute; what has no path is shared, not copied."""
    content = dict(document.content)
    for place, text in _paths(document):
        _replace(content, place, Path((document.path.parent / text).resolve()) if "\0" not in text else text)
    return content


def _replace(content: dict[str, Any], place: Place, value: object) -> None:
    """Set a value in fresh copies of the containers on its way, so that the document stays as read."""
    container: Any = content
    for part in place[:-1]:
        inner = container[part]
        container[part] = dict(inner) if isinstance(inner, dict) else list(inner)
        container = container[part]
    container[place[-1]] = value
