"""Verdicts, hierarchy and ledger as tables: the same input gives the same bytes."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from facility_coverage.analysis.ledger import Ledger
from facility_coverage.analysis.verdicts import PlaceVerdict, ServiceReach, Verdict
from facility_coverage.errors import ConfigError, Fault
from facility_coverage.outputs.tables import write_csv

FILES = ("verdicts.json", "verdicts.csv", "hierarchy.csv", "tiers.csv", "ledger.csv", "sharing.csv")

_OF_GOAL = ("plan_id", "goal_id", "name_zh", "name_en", "measure", "layer", "nature", "scale", "bound", "target",
            "target_year", "baseline", "baseline_year", "expected")  # fmt: skip
_OF_PLACE = ("value", "amount", "base", "status", "progress", "pace_per_year", "shortfall", "missing", "reason",
             "unreached_share")  # fmt: skip


def write_verdicts(verdicts: Sequence[Verdict], folder: Path) -> None:
    """Write verdicts.json, whole, and verdicts.csv, a row for each goal and place; figures without data are empty."""
    rows = [_without_nan(dataclasses.asdict(verdict)) for verdict in verdicts]
    text = json.dumps(rows, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    (folder / "verdicts.json").write_text(text, encoding="utf-8")
    write_csv(verdict_table(verdicts), folder / "verdicts.csv")


def read_verdicts(folder: Path) -> tuple[Verdict, ...]:
    """Return the verdicts that a run has written.

    Raises
    ------
    ConfigError
        When there are none, or they are not of this version.
    """
    file = folder / "verdicts.json"
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        return tuple(
            Verdict(
                **{
                    **row,
                    **{level: tuple(PlaceVerdict(**one) for one in row[level]) for level in ("districts", "zones")},
                    "services": tuple(ServiceReach(**one) for one in row["services"]),
                }
            )
            for row in rows
        )
    except FileNotFoundError:
        raise ConfigError([Fault(str(file), "no such file", advice="name the folder of a finished run")]) from None
    except (OSError, ValueError, TypeError, KeyError):
        advice = "run the study again with this version"
        raise ConfigError([Fault(str(file), "does not hold the verdicts of this version", advice=advice)]) from None


def verdict_table(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """Return a row for each goal and place, the study itself among them.

    Columns: `plan_id`, `goal_id`, `name_zh`, `name_en`, `measure`, `layer`, `nature`, `scale`, `bound`, `target`,
    `target_year`, `baseline`, `baseline_year`, `expected`, `level` (study, district, zone), `place_id`, `place`,
    `value`, `amount`, `base`, `status`, `progress`, `pace_per_year`, `shortfall`, `unit` (of the shortfall), `missing`,
    `reason`, `unreached_share`, `citation`, `verified`.
    """
    rows = [
        {
            **{key: getattr(verdict, key) for key in _OF_GOAL},
            "level": level,
            "place_id": place_id,
            "place": name,
            **{key: getattr(place, key) for key in _OF_PLACE},
            "unit": verdict.unit,
            "citation": verdict.citation,
            "verified": verdict.verified,
        }
        for verdict in verdicts
        for level, place_id, name, place in _places(verdict)
    ]
    order = [*_OF_GOAL, "level", "place_id", "place", *_OF_PLACE[:7], "unit", *_OF_PLACE[7:], "citation", "verified"]
    return pd.DataFrame(rows, columns=order)


def _places(verdict: Verdict) -> list[tuple[str, str, str, Verdict | PlaceVerdict]]:
    return [
        ("study", "", "", verdict),
        *(("district", one.id, one.name, one) for one in verdict.districts),
        *(("zone", one.id, one.name, one) for one in verdict.zones),
    ]


def write_hierarchy(hierarchy: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Write hierarchy.csv (who leads whom) and tiers.csv (whom each tier covers), where the study has tiers."""
    for name, table in hierarchy.items():
        write_csv(table, folder / f"{name}.csv")


def write_ledger(ledger: Ledger, folder: Path) -> None:
    """Write ledger.csv (who is served by whose facilities) and sharing.csv (what sharing is worth)."""
    write_csv(ledger.served, folder / "ledger.csv")
    write_csv(ledger.sharing, folder / "sharing.csv")


def _without_nan(value: Any) -> Any:
    """Return `value` with NaN as None, all the way down."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    if isinstance(value, float | np.floating) and not math.isfinite(value):
        return None
    return value
