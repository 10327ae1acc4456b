"""The chapter on people who are left out: why, where most of them live, and what would help."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import pandas as pd

from facility_coverage.analysis.gaps import CAUSES
from facility_coverage.outputs import workbook_texts
from facility_coverage.outputs.panels import number
from facility_coverage.outputs.report.model import Block, Cell, Chapter, Text, cells, table
from facility_coverage.outputs.report.telling import Telling
from facility_coverage.outputs.report.texts import said, word
from facility_coverage.outputs.texts import word_for

#: Gaps of each service that the report names.
NAMED = 3


def cause_chapters(telling: Telling) -> Iterator[Chapter]:
    """Yield a chapter on causes and remedies, none where the run tells no gaps."""
    gaps, served = telling.run.gaps, telling.run.served
    own = gaps[(gaps["goal"] == "") & (gaps["capacity"] == "")] if len(gaps) else gaps
    blocks: list[Block] = []
    if len(own):
        blocks += [Text(word("causes_lead", telling.lang), "note"), _causes(telling, own), _largest(telling, own)]
    if len(served):
        blocks += [Text(word("served_lead", telling.lang), "note"), _served(telling, served)]
    if blocks:
        yield Chapter(telling.id("causes"), word("causes", telling.lang), 1, tuple(blocks), page=True)


def _causes(telling: Telling, gaps: pd.DataFrame) -> Block:
    """Return people left out of each service by cause."""
    lang = telling.lang
    sums = gaps.groupby(["layer", "cause"])["people"].sum()
    found = [cause for cause in CAUSES if cause in set(gaps["cause"])]
    rows = []
    for layer in telling.scene["layers"]:
        counts = [float(sums.get((layer["id"], cause), 0.0)) for cause in found]
        told = (telling.people(_up(count)) for count in (math.fsum(counts), *counts))
        rows.append(cells(layer["name"], telling.scene["groups"][layer["group"]], *told))
    names = (workbook_texts.word(f"cause_{cause}", lang) for cause in found)
    heads = (word("service", lang), word("for_whom", lang), word("left_out", lang), *names)
    return table(heads, rows, numbers="  #" + "#" * len(found), caption=word("causes_table", lang))


def _largest(telling: Telling, gaps: pd.DataFrame) -> Block:
    """Return the largest gaps of each service with what would help at least cost."""
    lang, cures = telling.lang, telling.run.remedies
    best = cures[(cures["goal"] == "") & (cures["capacity"] == "") & (cures["cheapest"] == "True")]
    by_gap = {(row["layer"], row["gap"]): row for row in best.to_dict("records")}
    rows = []
    for layer in telling.scene["layers"]:
        mine = gaps[(gaps["layer"] == layer["id"]) & (gaps["scattered"] == "False")]
        for gap in mine.head(NAMED).to_dict("records"):
            cause = workbook_texts.word(f"cause_{gap['cause']}", lang)
            cure = by_gap.get((gap["layer"], gap["gap"]))
            place = (layer["name"], gap[f"name_{lang}"], telling.people(_up(gap["people"])), cause)
            rows.append((*cells(*place), Cell("" if cure is None else _told(telling, cure))))
    heads = tuple(word(key, lang) for key in ("service", "gap", "left_out", "cause", "remedy"))
    return table(heads, rows, numbers="  #  ", caption=word("gaps_table", lang))


def _told(telling: Telling, cure: Mapping[Hashable, Any]) -> str:
    """Say what would help, where it matters how long or where, and how many people it gains."""
    lang, kind = telling.lang, str(cure["remedy"])
    name = workbook_texts.word(f"remedy_{kind}", lang)
    if kind == "path":
        name = said("remedy_metres", lang, remedy=name, metres=number(round(float(cure["amount"])), lang))
    elif cure["name"]:
        name = said("remedy_where", lang, remedy=name, name=str(cure["name"]))
    return said("remedy_gain", lang, remedy=name, people=telling.people(math.floor(float(cure["people"]))))


def _up(people: float) -> float:
    """Round people who are left out up, as everywhere in a report; a millionth of a person is nobody."""
    return float(math.ceil(round(people, 6)))


def _served(telling: Telling, served: pd.DataFrame) -> Block:
    """Return how many people facilities can serve within capacity."""
    lang = telling.lang
    names = {layer["id"]: layer["name"] for layer in telling.scene["layers"]}
    rows = []
    for (layer, capacity, group), part in served.groupby(["layer", "capacity", "group"], sort=False):
        people = (telling.people(part[key].sum()) for key in ("population", "covered", "served", "residual"))
        told = (names[str(layer)], telling.scene["groups"][str(group)], word_for("capacity", str(capacity), lang))
        rows.append(cells(*told, *people))
    heads = ("service", "for_whom", "capacity", "people", "covered_people", "served_people", "residual_people")
    return table(tuple(word(key, lang) for key in heads), rows, numbers="   ####", caption=word("served_table", lang))
