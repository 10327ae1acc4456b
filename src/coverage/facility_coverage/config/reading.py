"""Reading a study: YAML files to checked models, or every fault with its position."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from facility_coverage.config.catalogue import Catalogue
from facility_coverage.config.checks import check_study
from facility_coverage.config.document import Document, Place, describe, read_document
from facility_coverage.config.faults import did_you_mean, faults_of, one_of
from facility_coverage.config.fence import Fence, followed
from facility_coverage.config.measures import ServiceCompleteness
from facility_coverage.config.plan import Plan
from facility_coverage.config.plan_checks import Known, check_catalogue, check_no_data, check_plan
from facility_coverage.config.profile import Profile
from facility_coverage.config.siting_goals import check_siting_goals
from facility_coverage.config.study import FacilityLayer, Identifier, StudyConfig
from facility_coverage.config.table import TableKeys
from facility_coverage.config.template import Template, filled
from facility_coverage.config.text import Text
from facility_coverage.errors import ConfigError, Fault

_PROFILES = TypeAdapter(dict[Identifier, Profile])


_PATHS = frozenset({"path", "catalogue"})
_TOP_PATHS: frozenset[Place] = frozenset({("profiles",), ("plan",), ("basemap", "terrain")})
_RESULT: Place = ("outputs", "folder")
_NO_PATHS_IN = frozenset({"columns", "values", "constants", "where"})
"""Mappings whose keys are the user's."""
_NAMED_LAYERS = ("facilities",)
"""In a state, facility layers stand under their own names, and one may be called `values`."""


@dataclass(frozen=True)
class LoadedStudy:
    """A study as asked for, all paths absolute.

    Attributes
    ----------
    config
        The study file; `config.plan` and `config.profiles` are as written (a path or the thing itself).
    plans
        The goals to judge, plan by plan.
    profiles
        Every profile by name: the built-in ones, with the study's own over them.
    catalogues
        The catalogues of services that goals name, by path.
    state
        The state of the study that this is; empty for the study as its file says.
    state_name
        What the study calls that state.
    """

    config: StudyConfig
    plans: tuple[Plan, ...]
    profiles: dict[str, Profile]
    catalogues: dict[Path, Catalogue] = field(default_factory=dict)
    state: str = ""
    state_name: Text | None = None


def load_study(path: Path | Template, *, allow_outside: bool = False) -> LoadedStudy:
    """Read a study, or a template filled with the texts of a row, with its plan and profiles.

    Parameters
    ----------
    path
        The study.
    allow_outside
        Whether its files may name others outside the study's folder (`fence.Fence.around`).

    Raises
    ------
    ConfigError
        With every fault of the study, its plan and its profiles: file, line, character, key and advice.
    """
    document = (
        filled(read_document(path.path), dict(path.values)) if isinstance(path, Template) else read_document(path)
    )
    fence = Fence.around(path.path if isinstance(path, Template) else path, allow_outside=allow_outside)
    faults = list(document.faults)
    _check_paths(document, fence, faults)
    profiles_at, own_raw = _part(document, ("profiles",), fence, faults)
    own = _own_profiles(profiles_at, document, own_raw, faults)
    profiles = {**builtin_profiles(), **own}
    known = Known.of(
        document.content, {*profiles, *(str(name) for name in (own_raw if isinstance(own_raw, dict) else ()))}
    )
    plans = _plans(document, known, fence, faults)
    catalogues = _catalogues(plans, known, fence, faults)
    config = _config(document, plans, own, faults)
    faults += [*check_study(document, known.profiles), *check_no_data(document, known)]
    if len(plans) == len(_plan_places(document)):
        faults += check_siting_goals(document, plans)
    if faults or config is None:
        files = [document.shown, *sorted({fault.file for fault in faults} - {document.shown})]
        order = {name: i for i, name in enumerate(files)}
        faults = list(dict.fromkeys(faults))
        raise ConfigError(sorted(faults, key=lambda f: (order[f.file], f.line or 0, f.char or 0)))
    return LoadedStudy(config, plans, profiles, catalogues)


def in_state(study: LoadedStudy, name: str, *, file: str) -> LoadedStudy:
    """Return a study as it is in one of its states.

    Raises
    ------
    ConfigError
        If the study in `file` has no state of that name.
    """
    states = {state.id: state for state in study.config.states}
    if name not in states:
        options = list(states)
        advice = did_you_mean(name, options)
        raise ConfigError([Fault(file, f"the state {name!r} is not one of {one_of(options)}", advice=advice)])
    state = states[name]
    config = study.config
    chosen: dict[str, Any] = {
        key: value for key in ("date", "population", "groups", "roads") if (value := getattr(state, key)) is not None
    }
    if state.date is not None:
        chosen["facilities_as_of"] = None
    layers = [
        _read_from(layer, state.facilities[layer.id]) if layer.id in state.facilities else layer
        for layer in config.facilities
    ]
    changes = [*config.changes, *state.changes]
    config = config.model_copy(update={**chosen, "facilities": layers, "changes": changes, "states": [], "siting": []})
    return replace(study, config=config, state=name, state_name=state.name)


def _read_from(layer: FacilityLayer, table: TableKeys) -> FacilityLayer:
    """Return the layer read from another file; nothing of how its own files are read is left."""
    read = {key: getattr(table, key) for key in TableKeys.model_fields}
    kept = {
        key: getattr(layer, key) for key in type(layer).model_fields if key not in {*TableKeys.model_fields, "sources"}
    }
    return FacilityLayer.model_validate({**kept, **read})


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


def _part(document: Document, place: Place, fence: Fence, faults: list[Fault]) -> tuple[Document | None, Any]:
    """Return the document that holds a part, and the part: from a file of its own or written in place."""
    raw = document.at(place)
    if raw is None or isinstance(raw, dict):
        return (None, None) if raw is None else (document, raw)
    if not isinstance(raw, str):
        message = f"{describe(raw)} is not a path or a mapping"
        faults.append(document.fault(place, message))
        return None, None
    part = _other_file(document.path.parent / raw, fence, faults)
    return part, None if part is None else part.content


def _other_file(path: Path, fence: Fence, faults: list[Fault]) -> Document | None:
    if fence.leaves(path) or not _is_file(path):
        return None  # the check of paths has said so
    try:
        part = read_document(path)
    except ConfigError as error:
        faults += error.faults
        return None
    faults += part.faults
    return part


def _own_profiles(part: Document | None, study: Document, raw: Any, faults: list[Fault]) -> dict[str, Profile]:
    if part is None:
        return {}
    try:
        return _PROFILES.validate_python(raw)
    except ValidationError as error:
        faults += faults_of(error, part, Profile, under=_under(part, study, "profiles"))
        return {}


def _plans(study: Document, known: Known, fence: Fence, faults: list[Fault]) -> tuple[Plan, ...]:
    """Return the plans of a study: one in place, one file or several."""
    plans: list[Plan] = []
    for place in _plan_places(study):
        part, content = _part(study, place, fence, faults)
        if part is None:
            continue
        under = place if part is study else ()
        if part is not study:
            _check_paths(part, fence, faults)
        try:
            plans.append(Plan.model_validate(_at(_with_absolute_paths(part), under)))
        except ValidationError as error:
            faults += faults_of(error, part, Plan, under=under)
        if isinstance(content, dict):
            faults += check_plan(part, under, content, known)
        if plans and plans[-1].id in {plan.id for plan in plans[:-1]}:
            faults.append(part.fault((*under, "id"), f"the plan {plans.pop().id!r} is there twice"))
    return tuple(plans)


def _plan_places(study: Document) -> list[Place]:
    """Return where the plans of a study stand."""
    raw = study.content.get("plan")
    if raw is None:
        return []
    return [("plan", i) for i in range(len(raw))] if isinstance(raw, list) else [("plan",)]


def _at(content: dict[str, Any], place: Place) -> Any:
    value: Any = content
    for part in place:
        value = value[part]
    return value


def _catalogues(plans: Iterable[Plan], known: Known, fence: Fence, faults: list[Fault]) -> dict[Path, Catalogue]:
    """Return the catalogues that goals name."""
    goals = [goal for plan in plans for goal in plan.goals if isinstance(goal, ServiceCompleteness)]
    catalogues = {}
    for path in dict.fromkeys(goal.catalogue for goal in goals):
        part = _other_file(path, fence, faults)
        if part is None:
            continue
        try:
            catalogues[path] = Catalogue.model_validate(part.content)
        except ValidationError as error:
            faults += faults_of(error, part, Catalogue)
        faults += check_catalogue(part, known)
    return catalogues


def _config(
    document: Document, plans: Sequence[Plan], own: dict[str, Profile], faults: list[Fault]
) -> StudyConfig | None:
    raw = _with_absolute_paths(document)
    for key, model in (("plan", plans[0] if plans else None), ("profiles", own or None)):
        if not isinstance(raw.get(key), Path | list):
            raw[key] = model
    try:
        return StudyConfig.model_validate(raw)
    except ValidationError as error:
        faults += faults_of(error, document, StudyConfig)
        return None


def _paths(document: Document) -> Iterator[tuple[Place, str]]:
    """Yield every path that a file names, with its place."""
    yield from _paths_in(document.content, ())


def _paths_in(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        here = (*place, key)
        if key in _NO_PATHS_IN and place[2:] != _NAMED_LAYERS:
            continue
        if key in _PATHS or here in _TOP_PATHS:
            several = isinstance(item, list)
            named = [((*here, i), one) for i, one in enumerate(item)] if several else [(here, item)]
            yield from ((at, one) for at, one in named if isinstance(one, str))
        if isinstance(item, dict | list):
            yield from _paths_in(item, here)


def _check_paths(document: Document, fence: Fence, faults: list[Fault]) -> None:
    folder = document.at(_RESULT)
    faults += fence.faults(document, [(_RESULT, folder)] if isinstance(folder, str) else [])
    faults += fence.faults(document, _paths(document))
    for place, text in _paths(document):
        path = document.path.parent / text
        if fence.leaves(path) or _is_file(path) or (path.suffix.lower() == ".gdb" and path.is_dir()):
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
        path = followed(document.path.parent / text)
        _replace(content, place, text if path is None else path)
    return content


def _replace(content: dict[str, Any], place: Place, value: object) -> None:
    """Set a value in fresh copies of the containers on its way, so that the document stays as read."""
    container: Any = content
    for part in place[:-1]:
        inner = container[part]
        container[part] = dict(inner) if isinstance(inner, dict) else list(inner)
        container = container[part]
    container[place[-1]] = value
