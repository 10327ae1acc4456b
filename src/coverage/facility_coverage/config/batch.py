"""The batch: many studies in one YAML file, listed, or made from a template and a table of districts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from facility_coverage.config.document import Document, describe, read_document
from facility_coverage.config.faults import faults_of
from facility_coverage.config.number import Number, WholeNumber
from facility_coverage.config.table import Column, Identifier, Model
from facility_coverage.config.text import Lang
from facility_coverage.errors import ConfigError, Fault


class BatchConfig(Model):
    """Many studies: which, where their results go, and how many at once."""

    id: Identifier = Field(description="Name of the folder of all results")
    lang: Lang = Field("zh", description="Language of the index and its tables; each study keeps its own")
    studies: list[Column] | None = Field(
        None, min_length=1, description="Study files, relative to this file; `*` and `**` stand for any names"
    )
    template: Path | None = Field(
        None, description="A study with placeholders such as {adcode} in its texts and paths; `id` must hold one"
    )
    matrix: Path | None = Field(
        None, description="Table with a row for each study of the template; its columns are the placeholders"
    )
    outputs: Column | None = Field(
        None, description="Folder of all results, relative to this file; by default maps/<id> where the command is run"
    )
    workers: WholeNumber | None = Field(None, ge=1, le=1024, description="Studies at once; by default one per core")
    memory_mb: Number = Field(
        1000,
        ge=0,
        description="No study is started unless so much memory is free, besides what those under way may still take",
    )

    @model_validator(mode="after")
    def _one_way_to_name_studies(self) -> Self:
        if (self.studies is None) == (self.template is None):
            raise ValueError("give either `studies:`, or `template:` with `matrix:`")
        if (self.template is None) != (self.matrix is None):
            raise ValueError("`template:` and `matrix:` go together: give both or neither")
        return self


@dataclass(frozen=True)
class LoadedBatch:
    """A batch as asked for: its files are there, paths are absolute; faults stand in its `document`."""

    config: BatchConfig
    document: Document


def load_batch(path: Path) -> LoadedBatch:
    """Read a batch.

    Raises
    ------
    ConfigError
        With every fault of the file: line, character, key and advice. Studies, template and table are not read yet.
    """
    document = read_document(path)
    raw, faults = dict(document.content), list(document.faults)
    for key in ("template", "matrix"):
        if isinstance(raw.get(key), str):
            raw[key] = _file(document, key, raw[key], faults)
    try:
        config = BatchConfig.model_validate(raw)
    except ValidationError as error:
        faults += faults_of(error, document, BatchConfig)
    if faults:
        raise ConfigError(sorted(dict.fromkeys(faults), key=lambda fault: (fault.line or 0, fault.char or 0)))
    return LoadedBatch(config, document)


def batch_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a batch file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **BatchConfig.model_json_schema(),
        "title": "facility-coverage batch",
    }


def _file(document: Document, key: str, text: str, faults: list[Fault]) -> Path:
    path = document.path.parent / text
    if "\0" in text or not path.is_file():
        what = "is a folder" if "\0" not in text and path.is_dir() else "does not exist"
        advice = f"paths start from the folder of {document.path.name}"
        faults.append(document.fault((key,), f"the file {describe(text)} {what}", advice=advice))
        return Path("-")
    return path.resolve()
