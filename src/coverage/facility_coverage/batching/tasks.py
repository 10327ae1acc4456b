"""The studies of a batch, each with the name of its folder; or every fault of the list."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from facility_coverage.config.batch import LoadedBatch
from facility_coverage.config.document import Document, describe, read_document
from facility_coverage.config.faults import did_you_mean, one_of
from facility_coverage.config.table import Identifier
from facility_coverage.config.template import Template, fill, names_in, placeholders
from facility_coverage.errors import ConfigError, Fault, StudyError
from facility_coverage.layers.matrix import MatrixRow, read_matrix
from facility_coverage.layers.tables import shown_path

_IDENTIFIER = TypeAdapter(Identifier)
_UNUSABLE = re.compile(r"[^\w-]+")
_NAME_FORM = "an id starts with a letter; then letters, digits and _ (small letters, at most 63 in all)"


@dataclass(frozen=True)
class Task:
    """One study of a batch.

    Attributes
    ----------
    name
        The study's id, which is its folder; of a file whose id cannot be read, the file's own name.
    source
        The study file, or the template with the texts of a row.
    row
        The row of the table, for a template.
    """

    name: str
    source: Path | Template
    row: int | None = None


def list_tasks(batch: LoadedBatch) -> tuple[Task, ...]:
    """Return the studies in their order.

    Raises
    ------
    ConfigError
        With every fault of the list, the template's placeholders and the table.
    """
    config = batch.config
    if config.template is not None and config.matrix is not None:
        return _of_template(config.template, config.matrix)
    return _of_files(batch.document, config.studies or [])


def _of_files(document: Document, patterns: Sequence[str]) -> tuple[Task, ...]:
    faults: list[Fault] = []
    places: dict[Path, int] = {}
    for number, pattern in enumerate(patterns):
        found = list(_matches(document.path.parent, pattern, but=document.path))
        if not found:
            advice = f"paths start from the folder of {document.path.name}"
            message = f"no study file is named {describe(pattern)}"
            faults.append(document.fault(("studies", number), message, advice=advice))
        for path in found:
            places.setdefault(path, number)
    tasks = {path: Task(_name_of(path), path) for path in places}
    first: dict[str, Path] = {}
    for path, task in tasks.items():
        if first.setdefault(task.name, path) != path:
            message = f"{shown_path(path)} has the id {task.name!r} of {shown_path(first[task.name])}"
            advice = "each study needs an id of its own: it names its folder"
            faults.append(document.fault(("studies", places[path]), message, advice=advice))
    if faults:
        raise ConfigError(faults)
    return tuple(tasks.values())


def _matches(folder: Path, pattern: str, *, but: Path) -> Iterator[Path]:
    if "\0" in pattern:
        return
    for name in sorted(glob.glob(pattern, root_dir=folder, recursive=True)):  # noqa: PTH207 - it may be absolute
        path = (folder / name).resolve()
        if path.is_file() and path != but.resolve():
            yield path


def _name_of(path: Path) -> str:
    """Return the id that a study file gives; where it cannot be read, the study fails later, under its file's name."""
    try:
        said: Any = read_document(path).content.get("id")
    except StudyError:
        said = None
    return said if _is_identifier(said) else _UNUSABLE.sub("_", path.stem)


def _of_template(template: Path, matrix: Path) -> tuple[Task, ...]:
    document = read_document(template)
    faults = list(document.faults)
    used = list(placeholders(document))
    table = shown_path(matrix)
    try:
        columns, rows = read_matrix(matrix, wanted={name for _, name in used})
    except StudyError as error:
        raise ConfigError([*faults, *error.faults]) from None
    faults += _unknown(document, columns, table)
    faults += _unfilled([name for name in dict.fromkeys(name for _, name in used) if name in columns], rows, table)
    said = document.content.get("id")
    if not isinstance(said, str) or not set(names_in(said)) & set(columns):
        message = f"every study would have the id {describe(said)}"
        faults.append(document.fault(("id",), message, advice=f"put a column of {table} in it: {one_of(columns)}"))
        raise ConfigError(faults)
    tasks = [Task(fill(said, row.values), Template(template, tuple(row.values.items())), row.number) for row in rows]
    faults += _wrong_ids(tasks, names_in(said)[0], table)
    if faults:
        raise ConfigError(faults)
    return tuple(tasks)


def _unknown(document: Document, columns: Sequence[str], table: str) -> Iterator[Fault]:
    """Yield the placeholders that are no columns."""
    for place, name in placeholders(document):
        if name not in columns:
            advice = did_you_mean(name, columns) or f"write {{{{{name}}}}} for braces that are meant as such"
            message = f"{{{name}}} is no column of {table}, which has {one_of(columns)}"
            yield document.fault(place, message, advice=advice)


def _unfilled(columns: Sequence[str], rows: Sequence[MatrixRow], table: str) -> Iterator[Fault]:
    """Yield the cells that cannot stand in a text."""
    for row in rows:
        for column in columns:
            value = row.values[column]
            if not value:
                advice = "the template needs it: give a text, or take the row out"
                yield Fault(table, "the cell is empty", row=row.number, column=column, advice=advice)
            elif not value.isprintable():
                message = f"{describe(value)} holds a line break or another sign that is not printed"
                yield Fault(table, message, row=row.number, column=column, advice="write it on one line")


def _wrong_ids(tasks: Sequence[Task], column: str, table: str) -> Iterator[Fault]:
    first: dict[str, int | None] = {}
    for task in tasks:
        if not _is_identifier(task.name):
            message = f"{describe(task.name)} is not a usable id"
            yield Fault(table, message, row=task.row, column=column, advice=_NAME_FORM)
        elif task.name in first:
            message = f"{describe(task.name)} is the id of row {first[task.name]} already"
            advice = "each study needs an id of its own: it names its folder"
            yield Fault(table, message, row=task.row, column=column, advice=advice)
        first.setdefault(task.name, task.row)


def _is_identifier(value: object) -> bool:
    try:
        _IDENTIFIER.validate_python(value)
    except ValidationError:
        return False
    return True
