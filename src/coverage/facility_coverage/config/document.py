"""A YAML file as plain values that remember where they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from facility_coverage.errors import ConfigError, Fault

Place = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_DECIMAL = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")


@dataclass
class Document:
    """The values of one YAML file, the position of each, and the faults of its text.

    Attributes
    ----------
    path
        Absolute path of the file.
    shown
        The path as faults show it: relative to the current directory when below it.
    values
        Position (line, character, both one-based) of each value by its place, e.g. ``("facilities", 1, "profile")``.
    keys
        Position of each mapping key by the place of its value.
    """

    path: Path
    shown: str
    content: dict[str, Any] = field(default_factory=dict)
    values: dict[Place, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Place, tuple[int, int]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def at(self, place: Place) -> Any:
        """Return the value at a place, None where the file has none."""
        value: Any = self.content
        for part in place:
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int):
                value = value[part]
            else:
                return None
        return value

    def fault(self, place: Place, message: str, *, advice: str = "", at_key: bool = False) -> Fault:
        """Return a fault at a value (or its key), or at the nearest value around it."""
        table = self.keys if at_key else self.values
        near = place
        while near and near not in table:
            near, table = near[:-1], self.values
        line, char = table.get(near, (1, 1))
        dotted = ".".join(str(part) for part in place)
        return Fault(self.shown, message, line=line, char=char, field=dotted or None, advice=advice)


def read_document(path: Path) -> Document:
    """Read a YAML file whose top level is a mapping.

    Keys and dates stay text. Faults of single values are collected in the document.

    Raises
    ------
    ConfigError
        If the file cannot be read, is not UTF-8, is not YAML, is empty or is not a mapping.
    """
    path = path.absolute()
    document = Document(path, _shown(path))
    root = _compose(_text(document), document)
    if root is None:
        raise ConfigError([Fault(document.shown, "the file is empty", line=1, char=1)])
    builder = _Builder(document)
    content = builder.value(root, ())
    if not isinstance(content, dict):
        raise ConfigError([document.fault((), f"a mapping of keys is needed, found {describe(content)}")])
    document.content = content
    return document


def describe(value: object) -> str:
    """Return a short text for a value in a message."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = value if isinstance(value, str) else str(value)
    text = text if len(text) <= 60 else text[:59] + "…"
    return repr(text) if isinstance(value, str) else text


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _text(document: Document) -> str:
    try:
        data = document.path.read_bytes()
    except FileNotFoundError:
        raise ConfigError([Fault(document.shown, "the file does not exist")]) from None
    except IsADirectoryError:
        raise ConfigError([Fault(document.shown, "a YAML file is needed, found a folder")]) from None
    except (OSError, ValueError) as error:
        raise ConfigError([Fault(document.shown, f"the file cannot be read: {error}")]) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, start = before.count(b"\n") + 1, before.rfind(b"\n") + 1
        char = len(before[start:].decode("utf-8")) + 1
        message = "the file is not UTF-8 text"
        raise ConfigError(
            [Fault(document.shown, message, line=line, char=char, advice="save it with encoding UTF-8")]
        ) from None


def _compose(text: str, document: Document) -> yaml.Node | None:
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, char = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        message = f"not valid YAML: {error.problem or error.context}"
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, char = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"not valid YAML: the character U+{ord(text[error.position]):04X} is not allowed"
    except RecursionError:
        line, char, message = 1, 1, "not usable: lists and mappings are nested too deeply"
    else:
        return node
    raise ConfigError([Fault(document.shown, message, line=line, char=char)])


class _Builder:
    """Turns nodes into values, noting positions and faults in the document."""

    MOST_VALUES = 1_000_000  # aliases of aliases would grow without end

    def __init__(self, document: Document) -> None:
        self.document = document
        self.open: set[int] = set()

    def value(self, node: yaml.Node, place: Place) -> Any:
        self.document.values[place] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, place)
        if id(node) in self.open:
            self.complain(place, "an alias stands inside its own anchor")
            return None
        if len(self.document.values) > self.MOST_VALUES:
            raise ConfigError([self.document.fault(place, "the file holds too many values")])
        self.open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self.mapping(node, place)
            assert isinstance(node, yaml.SequenceNode)  # noqa: S101 - YAML has three kinds of node
            return [self.value(item, (*place, i)) for i, item in enumerate(node.value)]
        finally:
            self.open.remove(id(node))

    def mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        content: dict[str, Any] = {}
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            position = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if not isinstance(key_node, yaml.ScalarNode):
                self.complain(place, "a key must be a plain text")
                continue
            if key_node.tag == _TAG + "merge":
                merged.append(value_node)
                continue
            key = str(key_node.value)
            here = (*place, key)
            if key in content:
                first = self.document.keys[here][0]
                self.document.keys[here] = position
                message = f"the key {describe(key)} is given twice"
                advice = f"it stands in line {first} already"
                self.document.faults.append(self.document.fault(here, message, advice=advice, at_key=True))
                continue
            self.document.keys[here] = position
            content[key] = self.value(value_node, here)
        for source in merged:
            self.merge(source, place, content)
        return content

    def merge(self, source: yaml.Node, place: Place, content: dict[str, Any]) -> None:
        """Add the keys of a merged mapping (`<<: *anchor`) that are not given beside it."""
        sources = source.value if isinstance(source, yaml.SequenceNode) else [source]
        for mapping in sources:
            if not isinstance(mapping, yaml.MappingNode):
                self.complain(place, "<< takes a mapping or a list of mappings")
                continue
            pairs = [(k, v) for k, v in mapping.value if str(k.value) not in content]
            content.update(self.mapping(yaml.MappingNode(mapping.tag, pairs), place))

    def scalar(self, node: yaml.ScalarNode, place: Place) -> Any:
        text, kind = str(node.value), node.tag.removeprefix(_TAG)
        if node.style is not None or kind in ("str", "timestamp", "value", "merge"):
            if node.style is None and (_LEADING_ZERO.fullmatch(text) or _SEXAGESIMAL.fullmatch(text)):
                self.ambiguous(place, text, "may be read as another number")
            return text
        if kind == "null":
            return None
        if kind == "bool":
            if text.lower() in ("true", "false"):
                return text.lower() == "true"
            return self.ambiguous(place, text, "may be read as true or false", "write true or false, ")
        if kind in ("int", "float"):
            return self.number(text, place)
        self.complain(place, f"the YAML tag {describe(node.tag)} is not known here")
        return text

    def number(self, text: str, place: Place) -> Any:
        plain = text.lower().lstrip("+-") in (".inf", ".nan")
        if not plain and (_LEADING_ZERO.fullmatch(text) or not _DECIMAL.fullmatch(text)):
            return self.ambiguous(place, text, "may be read as another number", "write a plain number, ")
        if plain:
            return float(text.lower().replace(".", ""))
        return int(text) if text.lstrip("+-").isdigit() and len(text) < 400 else float(text)

    def ambiguous(self, place: Place, text: str, danger: str, otherwise: str = "") -> str:
        advice = f'{otherwise}or "{text}" in quotes for a text' if otherwise else f'write "{text}" in quotes'
        self.document.faults.append(self.document.fault(place, f"unquoted {text} {danger}", advice=advice))
        return text

    def complain(self, place: Place, message: str) -> None:
        self.document.faults.append(self.document.fault(place, message))
