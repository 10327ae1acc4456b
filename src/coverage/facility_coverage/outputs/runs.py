"""Finished runs: what their folders hold, for whoever writes about them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from facility_coverage.analysis.findings import Finding
from facility_coverage.analysis.verdicts import Verdict
from facility_coverage.config.profile import Profile
from facility_coverage.config.study import FacilityLayer
from facility_coverage.config.text import Lang, Text
from facility_coverage.errors import ConfigError, Fault
from facility_coverage.outputs.findings import read_findings
from facility_coverage.outputs.payload import Payload, read_payload
from facility_coverage.outputs.texts import text
from facility_coverage.outputs.verdict_tables import read_verdicts

_OF_LAYER = (
    "id",
    "name",
    "kind",
    "tiers",
    "capacity",
    "attributes",
    "profile",
    "cutoff_min",
    "facilities_from",
    "group",
)

#: What is read of tables that not every run writes.
_TABLES: dict[str, tuple[str, ...]] = {
    "gaps.csv": ("layer", "goal", "capacity", "gap", "name_zh", "name_en", "cause", "scattered", "people"),
    "remedies.csv": ("layer", "goal", "capacity", "gap", "remedy", "people", "cheapest", "name", "amount"),
    "served.csv": ("layer", "capacity", "group", "population", "covered", "served", "residual"),
}
_NUMBERS = ("gap", "people", "amount", "population", "covered", "served", "residual")


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes
    ----------
    folder
        Name of its folder.
    payload
        What its map carries; the first scene is the run's own state.
    passport
        Content of run.json.
    verdicts
        Its goals.
    zones
        Rows of zones.csv, indexed by `zone_id`.
    hierarchy
        Rows of hierarchy.csv; empty where no tier is led.
    findings
        What the doctor found, None where the run wrote no findings.json.
    gaps, remedies, served
        Rows of gaps.csv, remedies.csv and served.csv; empty where there are none.
    """

    folder: str
    payload: Payload
    passport: dict[str, Any]
    verdicts: tuple[Verdict, ...]
    zones: pd.DataFrame
    hierarchy: pd.DataFrame
    findings: tuple[Finding, ...] | None
    gaps: pd.DataFrame = field(default_factory=pd.DataFrame)
    remedies: pd.DataFrame = field(default_factory=pd.DataFrame)
    served: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def core(self) -> dict[str, Any]:
        """What the map needs at once."""
        return self.payload.core

    @property
    def scene(self) -> dict[str, Any]:
        """The run's own state."""
        own: dict[str, Any] = self.payload.core["scenes"][0]
        return own

    @property
    def parameters(self) -> dict[str, Any]:
        """Everything the study said."""
        said: dict[str, Any] = self.passport["parameters"]
        return said

    @property
    def lang(self) -> Lang:
        """The language of the run's own map."""
        return "en" if self.parameters["lang"] == "en" else "zh"

    @cached_property
    def layers(self) -> tuple[FacilityLayer, ...]:
        """The facility layers as the study says."""
        # Where it was read from is of no use here, and only the YAML's own words would pass as such.
        return tuple(
            FacilityLayer.model_validate({key: one[key] for key in _OF_LAYER} | {"path": "-"})
            for one in self.parameters["facilities"]
        )

    @cached_property
    def profiles(self) -> dict[str, Profile]:
        """Who travels."""
        return {name: Profile.model_validate(one) for name, one in self.parameters["profiles"].items()}

    def said(self, key: str, lang: Lang) -> str:
        """Return a text of the study, such as its title; empty where it says nothing."""
        value = self.parameters.get(key)
        return "" if value is None else Text.model_validate(value).in_language(lang)

    def groups(self, lang: Lang) -> dict[str, str]:
        """Return the name of every group by id, everybody first."""
        named = {one["id"]: Text.model_validate(one["name"]) for one in self.parameters["groups"]}
        return {"total": text("everybody", lang)} | {group: name.in_language(lang) for group, name in named.items()}


def read_run(folder: Path) -> Run:
    """Read the folder of a finished run.

    Raises
    ------
    ConfigError
        When a file is missing, or is not of this version.
    """
    payload, verdicts = read_payload(folder / "map.html"), read_verdicts(folder)
    try:
        passport = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        zones = pd.read_csv(folder / "zones.csv", dtype={"zone_id": str, "name": str, "district_id": str},
                            keep_default_na=False, na_values=[""]).set_index("zone_id")  # fmt: skip
        led = folder / "hierarchy.csv"
        hierarchy = pd.read_csv(led, dtype=str, keep_default_na=False) if led.exists() else pd.DataFrame()
        name = folder.resolve().name
        gaps, remedies, served = (_rows(folder / file, needed) for file, needed in _TABLES.items())
        run = Run(name, payload, passport, verdicts, zones, hierarchy, read_findings(folder), gaps, remedies, served)
        assert run.layers and run.profiles and run.scene  # noqa: S101, PT018 - whatever is missing is missed here
    except FileNotFoundError as error:
        missing = Path(str(error.filename)).name
        fault = Fault(str(folder), f"holds no {missing}", advice="name the folder of a finished run")
        raise ConfigError([fault]) from None
    except (OSError, ValueError, KeyError, TypeError, AssertionError, ValidationError):
        advice = "run the study again with this version"
        fault = Fault(str(folder), "does not hold a run of this version", advice=advice)
        raise ConfigError([fault]) from None
    return run


def _rows(path: Path, needed: tuple[str, ...]) -> pd.DataFrame:
    """Return these columns of a table, texts as texts; none where the run has not written it."""
    if not path.exists():
        return pd.DataFrame()
    frame = pd.read_csv(path, encoding="utf-8-sig", dtype=str, keep_default_na=False)[list(needed)]
    numbers = [name for name in needed if name in _NUMBERS]
    return frame.assign(**{name: pd.to_numeric(frame[name].replace("", np.nan)) for name in numbers})
