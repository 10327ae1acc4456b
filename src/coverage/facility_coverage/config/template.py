"""A study with gaps in its texts, `{adcode}`, which the row of a table fills."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from facility_coverage.config.document import Document, Place

_MARK = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_DOUBLED = {"{{": "{", "}}": "}"}


@dataclass(frozen=True)
class Template:
    """A study file with placeholders, and what stands in their place: pairs of column and text."""

    path: Path
    values: tuple[tuple[str, str], ...]


def placeholders(document: Document) -> Iterator[tuple[Place, str]]:
    """Yield the name of every placeholder of a template with its place."""
    yield from _named(document.content, ())


def names_in(text: str) -> list[str]:
    """Return the names of the placeholders of a text.

    Examples
    --------
    >>> names_in("layers/{adcode}/{kind}.gpkg, {{z}}")
    ['adcode', 'kind']
    """
    return [match[1].strip() for match in _MARK.finditer(text) if match[0] not in _DOUBLED]


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its placeholders filled, and doubled braces single; unknown placeholders stay.

    Examples
    --------
    >>> fill("layers/{adcode}.gpkg of {{z}} {other}", {"adcode": "500118"})
    'layers/500118.gpkg of {z} {other}'
    """
    return _MARK.sub(lambda found: _DOUBLED.get(found[0]) or values.get(found[1].strip(), found[0]), text)


def filled(document: Document, values: Mapping[str, str]) -> Document:
    """Return a template as the study of one row; every value stands where it stood."""
    return replace(document, content=_filled(document.content, values))


def _named(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        yield from ((place, name) for name in names_in(value))
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _named(item, (*place, key))


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    return fill(value, values) if isinstance(value, str) else value
