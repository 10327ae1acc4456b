"""Telling: a run in the language of its report, and how its figures are written there."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from facility_coverage.analysis.findings import Finding
from facility_coverage.analysis.verdicts import PlaceVerdict, Verdict
from facility_coverage.config.text import Lang
from facility_coverage.config.text import Text as BothLanguages
from facility_coverage.outputs import texts
from facility_coverage.outputs.panels import figure, number
from facility_coverage.outputs.payload import Payload
from facility_coverage.outputs.plain_text import legible
from facility_coverage.outputs.report.model import Cell
from facility_coverage.outputs.report.texts import bracketed, listed, said, word
from facility_coverage.outputs.runs import Run
from facility_coverage.outputs.translation import in_language, state_name

Row = list[float | None]
#: Beyond so many, towns have no chapters of their own.
MOST_TOWNS = 200
NOT_MET = ("behind", "on_track")
STATUSES = ("met", "on_track", "behind", "no_data")


@dataclass(frozen=True)
class Telling:
    """A run that is told.

    Attributes
    ----------
    run, index
        The run, and its number in the report.
    lang
        The language of the report.
    payload
        What the run's maps show, in that language.
    core
        The texts and figures of the map, without its geometry.
    """

    run: Run
    index: int
    lang: Lang
    payload: Payload
    core: dict[str, Any]

    @property
    def scene(self) -> dict[str, Any]:
        """The run's own state, in the language of the report."""
        own: dict[str, Any] = self.core["scene"]
        return own

    @cached_property
    def themes(self) -> dict[str, dict[str, Any]]:
        """What the run's maps can be coloured by."""
        return {theme["id"]: theme for theme in self.scene["themes"]}

    @property
    def title(self) -> str:
        """The title of the study."""
        return str(self.core["title"])

    def id(self, name: str) -> str:
        """Return the id of a chapter of this run."""
        return f"r{self.index}-{name}"

    def goal_id(self, position: int) -> str:
        """Return the id of the chapter of the goal at a position."""
        return self.id(f"goal-{position}")

    def town_id(self, zone_id: str) -> str:
        """Return the id of the chapter of a town, empty where towns have none."""
        return self._towns.get(zone_id, "")

    @cached_property
    def _towns(self) -> dict[str, str]:
        zones = self.core["zones"]
        return {} if len(zones) > MOST_TOWNS else {zone["id"]: self.id(f"town-{i}") for i, zone in enumerate(zones)}

    def name(self, verdict: Verdict) -> str:
        """Return the name of a goal."""
        return verdict.name_zh if self.lang == "zh" else verdict.name_en

    def theme_of(self, verdict: Verdict) -> str:
        """Return the theme that shows a goal, empty where its zones have no figures."""
        theme = f"goal:{verdict.goal_id}"
        return theme if theme in self.themes and any(zone.value is not None for zone in verdict.zones) else ""

    def value(self, verdict: Verdict, place: PlaceVerdict | None = None) -> str:
        """Return the figure of a goal, in one place or the whole study."""
        return figure(verdict.scale, (place or verdict).value, self.lang)

    def target(self, verdict: Verdict) -> str:
        """Return what a goal asks for, empty where it sets nothing."""
        if verdict.target is None:
            return ""
        return ("≤ " if verdict.bound == "at_most" else "") + figure(verdict.scale, verdict.target, self.lang)

    def shortfall(self, verdict: Verdict, place: PlaceVerdict | None = None) -> str:
        """Return what is missing, empty where nothing is."""
        missing = (place or verdict).shortfall
        if missing is None or missing <= 0:
            return ""
        return f"{number(missing, self.lang)} {texts.word_for('unit', verdict.unit, self.lang)}"

    def status(self, status: str | None) -> Cell:
        """Return a verdict as a field of a table."""
        return Cell(word("no_target", self.lang)) if status is None else Cell(texts.text(status, self.lang), status)

    def parts(self, statuses: list[str | None]) -> str:
        """Say how many of each verdict there are."""
        counted = [(texts.text(one, self.lang), statuses.count(one)) for one in STATUSES]
        counted.append((word("no_target", self.lang), statuses.count(None)))
        found = [said("part", self.lang, status=name, count=count) for name, count in counted if count]
        return listed(found, self.lang)

    def people(self, count: float | None) -> str:
        """Return a number of people."""
        return number(None if count is None or pd.isna(count) else float(round(count)), self.lang)

    def share(self, share: float | None) -> str:
        """Return a share, cut."""
        return figure("share", share, self.lang)

    def groups_of(self, counts: dict[str, float]) -> str:
        """Say how many people each group has, but for everybody."""
        names = self.scene["groups"]
        found = [
            said("group_count", self.lang, group=names[group], people=self.people(count))
            for group, count in counts.items()
            if group != "total" and group in names
        ]
        return said("of_whom", self.lang, list=listed(found, self.lang)) if found else ""

    def places(self, named: list[tuple[str, str]]) -> str:
        """Return names of places, each with what is said of it."""
        return listed((name + bracketed(told, self.lang) for name, told in named), self.lang)


def tell(run: Run, index: int, lang: Lang) -> Telling:
    """Return a run ready to be told: no text of its users can steer the report, or fill a page of it."""
    payload = in_language(run, lang)
    tables = ("hierarchy", "gaps", "remedies", "served")
    frames = {name: getattr(run, name) for name in tables}
    clean = replace(
        run, verdicts=legible(run.verdicts), passport=legible(run.passport), findings=_findings(run.findings),
        **{name: frame.map(legible) if len(frame) else frame for name, frame in frames.items()},
    )  # fmt: skip
    return Telling(clean, index, lang, payload, legible(_told(run, payload, lang)))


def _told(run: Run, payload: Payload, lang: Lang) -> dict[str, Any]:
    """Return what a report tells of a map: everything but its geometry."""
    core, scene = payload.core, payload.core["scenes"][0]
    own = {key: scene[key] for key in ("name", "date", "groups", "goals", "themes")}
    layers = [
        {key: layer[key] for key in ("id", "name", "group", "cutoff", "unattached", "tiers")}
        | {"facility_count": len(layer["facilities"]["lon"])}
        for layer in scene["layers"]
    ]
    return {key: core[key] for key in ("title", "notice", "attribution", "approval_number", "made", "run")} | {
        "zones": [{key: zone[key] for key in ("id", "name", "district", "area_type")} for zone in core["zones"]],
        "scene": own | {"layers": layers} | _exact(run),
        "others": [
            {"name": state_name(run, one, lang), "summary": one["summary"], "goals": one["goals"]}
            for one in run.core["scenes"][1:]
        ],
        "sitings": [
            {
                "name": one["name"],
                "said": one["said"] if lang == run.lang else [],
                "sites": one["sites"],
                "unit": one.get("unit", "people"),
            }
            for one in run.core.get("sitings") or ()
        ],
    }


def _exact(run: Run) -> dict[str, Any]:
    """Return people, people covered and shares as the run's tables have them: a page rounds people to tenths."""
    summary: dict[str, Any] = {}
    for one in run.passport["coverage"]:
        of_layer = summary.setdefault(one["scope"], {}).setdefault(one["layer"], {})
        of_layer[one["group"]] = [one["population"], one["covered"], one["share"]]
    figures = {
        zone: {
            layer.id: {
                group: [
                    _number(row[name])
                    for name in (f"population_{group}", f"{layer.id}_covered_{group}", f"{layer.id}_share_{group}")
                ]
                for group in run.groups("zh")
            }
            for layer in run.layers
        }
        for zone, row in zip(run.zones.index, run.zones.to_dict("records"), strict=True)
    }
    return {"summary": summary, "figures": figures}


def _number(value: float) -> float | None:
    return None if pd.isna(value) else float(value)


def _findings(findings: tuple[Finding, ...] | None) -> tuple[Finding, ...] | None:
    if findings is None:
        return None
    return tuple(
        replace(legible(found), **{
            key: BothLanguages(**legible(getattr(found, key).model_dump(), limit=600)) for key in ("message", "advice")
        })
        for found in findings
    )  # fmt: skip


def left_out(row: Row) -> float | None:
    """Return how many people are not covered, rounded up as the shortfall of a goal is.

    Examples
    --------
    >>> left_out([251302.3, 159323.1, 0.634]), left_out([None, None, None]), left_out([10.0, 10.0, 1.0])
    (91980.0, None, 0.0)
    """
    people, covered = row[0], row[1]
    if people is None or covered is None:
        return None
    return float(math.ceil(round(max(people - covered, 0.0), 6)))
