"""What a model refuses, said in words of the YAML file."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from facility_coverage.config.document import Document, Place, describe
from facility_coverage.config.measures import MEASURES
from facility_coverage.config.state import CHANGES
from facility_coverage.errors import Fault

_FORMS = {
    "share": "give a number, or one per area type: {urban: …, rural: …}",
    "cutoff_min": "give a number of minutes, or one per area type: {urban: …, rural: …}",
}
_NAME_FORM = "start with a letter; then letters, digits and _ (small letters, at most 63 in all)"
_BRANCH = re.compile(r"(dict|list)\[")
_SCALAR_BRANCH = re.compile(r"(constrained-)?(str|int|float|bool)|lax-or-strict\[.*")  # the last is a path

_EXPECTED = {
    "kind": "give 'raster', 'points' or 'polygons'",
    "measure": "say how the figure is computed",
    "do": "give 'add', 'close', 'move' or 'enlarge'",
    "year": "say by when, or since when",
}
_SIMPLE = {
    "string_type": "is not a text",
    "float_type": "is not a number",
    "int_type": "is not a whole number",
    "bool_type": "is not true or false",
    "finite_number": "is not a finite number",
    "dict_type": "is not a mapping",
    "model_type": "is not a mapping",
    "model_attributes_type": "is not a mapping",
    "list_type": "is not a list",
    "path_type": "is not a path",
}
_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


_WORDS = frozenset(
    word
    for model in (*MEASURES, *CHANGES)
    for key in ("measure", "do")
    if key in model.model_fields
    for word in get_args(model.model_fields[key].annotation)
)
"""Words that choose one of several models; they stand in pydantic's location, but not in the file."""


def one_of(options: Iterable[str]) -> str:
    """Return names quoted and joined for a message."""
    return ", ".join(repr(option) for option in options) or "nothing"


def did_you_mean(value: str, options: Iterable[str]) -> str:
    """Return advice naming the option nearest to a misspelt one, or nothing."""
    near = difflib.get_close_matches(value, list(options), n=1)
    return f"did you mean {near[0]!r}?" if near else ""


def faults_of(error: ValidationError, document: Document, model: type, *, under: Place = ()) -> list[Fault]:
    """Translate pydantic's errors into faults at the positions of a document.

    Parameters
    ----------
    model
        The type that was validated, to suggest its keys.
    under
        Where in the document the validated value stands.
    """
    entries = [(d, *_resolve(document, under, d)) for d in error.errors(include_url=False)]
    fitting = [place for _, place, fits in entries if fits]
    found: dict[Place, list[ErrorDetails]] = {}
    for details, place, fits in entries:
        # of a union's branches only the one the user meant speaks, unless none fits
        if fits or not any(other[: len(place)] == place for other in fitting):
            found.setdefault(place, []).append(details)
    return [fault for place, group in found.items() for fault in _at_one_place(group, place, document, model)]


def _resolve(document: Document, under: Place, details: ErrorDetails) -> tuple[Place, bool]:
    """Return the place in the file, and whether the value there has the form of the union branch that failed.

    Names of union branches and validators stand in pydantic's location but not in the file.
    """
    value, place, branch_fits = document.at(under), under, None
    for part in details["loc"]:
        inside = part in value if isinstance(value, dict) else isinstance(value, list) and isinstance(part, int)
        if inside:
            place, value = (*place, part), value[part]
        elif branch_fits is None and isinstance(part, str):
            if match := _BRANCH.match(part):
                branch_fits = isinstance(value, dict if match[1] == "dict" else list)
            elif _SCALAR_BRANCH.fullmatch(part):
                branch_fits = not isinstance(value, dict | list)
    if details["type"] == "missing":
        place = (*place, details["loc"][-1])
    return place, branch_fits is not False


def _at_one_place(entries: list[ErrorDetails], place: Place, document: Document, model: type) -> Iterator[Fault]:
    types = {details["type"] for details in entries}
    details = entries[0]
    if {"string_type", "int_type", "bool_type"} <= types or {"string_type", "bool_type", "float_type"} <= types:
        yield document.fault(place, f"{describe(details['input'])} is not a text, a number or true/false")
        return
    seen = set()
    for details in entries:
        fault = _fault(details, place, document, model)
        if fault not in seen:
            seen.add(fault)
            yield fault


def _fault(details: ErrorDetails, place: Place, document: Document, model: type) -> Fault:
    kind, last = details["type"], str(place[-1]) if place else ""
    if kind == "extra_forbidden":
        *way, _ = details["loc"]
        known = _known_keys(model, way)
        if way and last not in known and last in _known_keys(model, [part for part in way if part not in _WORDS]):
            return document.fault(place, f"{way[-1]} takes no {last!r}", advice="leave it out", at_key=True)
        advice = did_you_mean(last, known) or f"known here: {', '.join(known)}"
        return document.fault(place, f"the key {describe(last)} is not known", advice=advice, at_key=True)
    if kind in ("missing", "union_tag_not_found"):
        name = last if kind == "missing" else _tag(details)
        place = place if kind == "missing" else (*place, name)
        return document.fault(place, f"the key {name!r} is missing", advice=_EXPECTED.get(name) or _needs(details))
    if details["loc"][-1:] == ("[key]",):
        message, advice = _message({**details, "input": last}, "")
        return document.fault(place, message, advice=advice, at_key=True)
    if kind == "union_tag_invalid":
        place = (*place, _tag(details))
        details = {**details, "input": details["ctx"]["tag"]}
    message, advice = _message(details, last)
    return document.fault(place, message, advice=advice)


def _needs(details: ErrorDetails) -> str:
    """Return which measure or kind of change needs a key."""
    word = details["loc"][-2] if len(details["loc"]) > 1 else ""
    return f"{word} needs it" if word in _WORDS else ""


def _tag(details: ErrorDetails) -> str:
    """Return the key that says which of several models is meant."""
    return str(details["ctx"]["discriminator"]).strip("'")


def _message(details: ErrorDetails, last: str) -> tuple[str, str]:
    """Return what is wrong with a value and what to do."""
    kind, shown, context = details["type"], describe(details["input"]), details.get("ctx", {})
    if kind in ("literal_error", "union_tag_invalid"):
        options = re.findall(r"'([^']*)'", str(context.get("expected", context.get("expected_tags"))))
        return f"{shown} is not one of {one_of(options)}", did_you_mean(str(details["input"]), options)
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return f"{shown} is not {words} {context[name]:g}", ""
    if kind in _SIMPLE:
        quote = kind == "string_type" and isinstance(details["input"], int | float)
        return f"{shown} {_SIMPLE[kind]}", _FORMS.get(last, "put it in quotes" if quote else "")
    if kind.startswith("date"):
        return f"{shown} is not a date", "write it like 2025-12-31"
    fixed = {
        "string_pattern_mismatch": (f"{shown} is not a usable name", _NAME_FORM),
        "string_too_short": ("the text is empty", ""),
        "too_short": ("the list is empty", "give at least one entry"),
    }
    return fixed.get(kind, (details["msg"].removeprefix("Value error, "), _FORMS.get(last, "")))


def _known_keys(model: type, place: Iterable[int | str]) -> list[str]:
    """Keys of the model at a place, followed through lists, mappings and unions."""
    models = list(_models(model))
    for part in place:
        meant = [m for m in models if part in _tags(m)]
        if meant:
            models = meant
            continue
        inner = [m.model_fields[part].annotation for m in models if part in m.model_fields]
        if inner:
            models = [found for annotation in inner for found in _models(annotation)]
    return list(dict.fromkeys(name for found in models for name in _keys(found)))


def _tags(model: type[BaseModel]) -> list[Any]:
    """Return the words by which a model is chosen among several."""
    fields = (model.model_fields.get(key) for key in ("kind", "measure", "do"))
    return [word for one in fields if one is not None for word in get_args(one.annotation)]


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
