"""The verdicts of all studies of a batch as tables: the same results give the same bytes."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from facility_coverage.analysis.verdicts import Status, Verdict
from facility_coverage.config.text import Lang, Text
from facility_coverage.outputs.sheets import WHOLE, YEAR, Cell, Column, Sheet, figure_form, write_book
from facility_coverage.outputs.verdict_tables import read_verdicts, verdict_table

STATUSES: tuple[Status, ...] = ("met", "on_track", "behind", "no_data")
#: In the order in which they are put in place: the first tells that the others are ours.
FILES = ("batch.json", "index.html", "verdicts.parquet", "verdicts.xlsx")

_NUMBERS = ("target", "baseline", "expected", "value", "amount", "base", "progress", "pace_per_year", "shortfall",
            "unreached_share")  # fmt: skip
_WHOLES = ("target_year", "baseline_year", "missing")
_WORDS: dict[str, tuple[str, str]] = {
    "studies": ("研究", "Studies"),
    "verdicts": ("目标判定", "Verdicts"),
    "study": ("研究", "Study"),
    "title": ("名称", "Title"),
    "date": ("数据时点", "Data as of"),
    "ending": ("结果", "Result"),
    "done": ("完成", "done"),
    "failed": ("失败", "failed"),
    "not_run": ("未运行", "not run"),
    "skipped": ("跳过", "skipped"),
    "reasons": ("原因", "Reasons"),
    "identity": ("运行标识", "Run"),
    "met": ("达到", "met"),
    "on_track": ("按进度", "on track"),
    "behind": ("滞后", "behind"),
    "no_data": ("无数据", "no data"),
    "plan": ("规划", "Plan"),
    "goal": ("目标编号", "Goal"),
    "goal_name": ("目标", "Name of the goal"),
    "status": ("判定", "Verdict"),
    "value": ("现状", "Now"),
    "target": ("目标值", "Target"),
    "target_year": ("目标年", "Target year"),
    "shortfall": ("缺口", "Shortfall"),
    "unit": ("缺口单位", "Unit of the shortfall"),
    "scale": ("计量", "Measured in"),
}


@dataclass(frozen=True)
class Entry:
    """One study of a batch as the index tells it.

    Attributes
    ----------
    name
        Its folder.
    ending
        ``done``, ``failed`` or ``not_run``.
    reasons
        Why it failed.
    title, date, identity, verdicts
        Of its result; nothing where it has none.
    """

    name: str
    ending: str
    reasons: tuple[str, ...] = ()
    title: Text | None = None
    date: str = ""
    identity: str = ""
    verdicts: tuple[Verdict, ...] = ()

    @property
    def counts(self) -> dict[Status, int]:
        """How many goals have each verdict."""
        counted = Counter(verdict.status for verdict in self.verdicts)
        return {status: counted[status] for status in STATUSES}


def word(name: str, lang: Lang) -> str:
    """Return a word of the index."""
    return _WORDS[name][0 if lang == "zh" else 1]


def read_entry(folder: Path, name: str) -> Entry:
    """Return what the result of one study says.

    Raises
    ------
    StudyError, OSError, ValueError, KeyError
        When it cannot be read.
    """
    passport = json.loads((folder / name / "run.json").read_text(encoding="utf-8"))
    parameters = passport["parameters"]
    title = Text.model_validate(parameters["title"])
    return Entry(name, "done", (), title, parameters["date"], passport["identity"], read_verdicts(folder / name))


def write_batch_json(batch: str, entries: Sequence[Entry], path: Path) -> None:
    """Write how each study ended; nothing in it tells when, or how often it was tried."""
    studies: list[dict[str, Any]] = [
        {"study": one.name, "ending": one.ending, "identity": one.identity or None, "reasons": list(one.reasons)}
        for one in entries
    ]
    text = json.dumps({"batch": batch, "studies": studies}, ensure_ascii=False, indent=1) + "\n"
    path.write_text(text, encoding="utf-8")


def batch_verdicts(entries: Sequence[Entry]) -> pd.DataFrame:
    """Return a row for each study, goal and place: `study`, `run`, and the columns of verdicts.csv."""
    frames = [verdict_table(one.verdicts).assign(study=one.name, run=one.identity) for one in entries if one.verdicts]
    table = pd.concat([frame.astype(object) for frame in frames], ignore_index=True) if frames else verdict_table(())
    columns = ["study", "run", *(column for column in verdict_table(()).columns)]
    return table.reindex(columns=columns)


def write_parquet(entries: Sequence[Entry], path: Path) -> None:
    """Write verdicts.parquet; its columns have the same types whatever the studies know."""
    table = batch_verdicts(entries)
    kinds = {**dict.fromkeys(_NUMBERS, pa.float64()), **dict.fromkeys(_WHOLES, pa.int64()), "verified": pa.bool_()}
    schema = pa.schema([(str(column), kinds.get(str(column), pa.string())) for column in table.columns])
    plain = table.astype(object).where(table.notna(), None)
    pq.write_table(pa.Table.from_pylist(plain.to_dict("records"), schema=schema), path)


def write_workbook(entries: Sequence[Entry], path: Path, *, lang: Lang) -> None:
    """Write verdicts.xlsx: a sheet of the studies, and a sheet of their goals."""
    day = max((one.date for one in entries if one.date), default="2000-01-01")
    sheets = [_studies(entries, lang), _goals(entries, lang)]
    write_book(path, sheets, day=dt.date.fromisoformat(day), footer="facility-coverage")


def _studies(entries: Sequence[Entry], lang: Lang) -> Sheet:
    columns = [
        Column(word("study", lang), [one.name for one in entries]),
        Column(word("title", lang), [one.title.in_language(lang) if one.title else "" for one in entries]),
        Column(word("date", lang), [dt.date.fromisoformat(one.date) if one.date else None for one in entries]),
        Column(word("ending", lang), [word(one.ending, lang) for one in entries]),
        *(
            Column(word(status, lang), [one.counts[status] if one.ending == "done" else None for one in entries], WHOLE)
            for status in STATUSES
        ),
        Column(word("identity", lang), [one.identity for one in entries]),
        Column(word("reasons", lang), [" | ".join(one.reasons) for one in entries]),
    ]
    return Sheet(word("studies", lang), columns)


def _goals(entries: Sequence[Entry], lang: Lang) -> Sheet:
    pairs = [(one.name, verdict) for one in entries for verdict in one.verdicts]
    goals = [verdict for _, verdict in pairs]
    columns = [
        Column(word("study", lang), [name for name, _ in pairs]),
        Column(word("plan", lang), [goal.plan_id for goal in goals]),
        Column(word("goal", lang), [goal.goal_id for goal in goals]),
        Column(word("goal_name", lang), [goal.name_zh if lang == "zh" else goal.name_en for goal in goals]),
        Column(word("status", lang), [Cell(word(goal.status, lang) if goal.status else "", status=goal.status)
                                      for goal in goals]),
        Column(word("value", lang), [_figure(goal, goal.value) for goal in goals]),
        Column(word("target", lang), [_figure(goal, goal.target) for goal in goals]),
        Column(word("target_year", lang), [goal.target_year for goal in goals], YEAR),
        Column(word("shortfall", lang), [goal.shortfall for goal in goals], "#,##0.##"),
        Column(word("unit", lang), [goal.unit for goal in goals]),
        Column(word("scale", lang), [goal.scale for goal in goals]),
    ]  # fmt: skip
    return Sheet(word("verdicts", lang), columns, frozen=3)


def _figure(goal: Verdict, value: float | None) -> Cell:
    return Cell(None) if value is None else Cell(value, figure_form(goal.scale, value, goal.target))
