"""Findings of the data doctor as JSON: what a run wrote, read back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from facility_coverage.analysis.findings import Finding
from facility_coverage.config.text import Text

FILE = "findings.json"


def rows(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return findings as plain values, their texts in both languages."""
    return [
        dataclasses.asdict(found) | {"message": found.message.model_dump(), "advice": found.advice.model_dump()}
        for found in findings
    ]


def write_findings(findings: Sequence[Finding], folder: Path) -> None:
    """Write findings.json, ranked as given."""
    text = json.dumps(rows(findings), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    (folder / FILE).write_text(text, encoding="utf-8")


def read_findings(folder: Path) -> tuple[Finding, ...] | None:
    """Return the findings of a run, None where it wrote none.

    Raises
    ------
    ValueError
        When the file holds something else.
    """
    file = folder / FILE
    if not file.exists():
        return None
    try:
        return tuple(
            Finding(**{**row, "message": Text(**row["message"]), "advice": Text(**row["advice"]),
                       "where": tuple(row["where"])})
            for row in json.loads(file.read_text(encoding="utf-8"))
        )  # fmt: skip
    except (TypeError, KeyError) as error:
        raise ValueError(str(error)) from None
