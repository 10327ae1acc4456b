"""Findings: what a study's data show that their owner should know, ranked."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from facility_coverage.analysis.finding_texts import SENTENCES
from facility_coverage.config.text import Text
from facility_coverage.errors import Fault

Rank = Literal["error", "warning", "note"]

RANKS: tuple[Rank, ...] = ("error", "warning", "note")

#: Rows, names or places that a finding spells out.
SHOWN = 10


@dataclass(frozen=True)
class Finding:
    """One thing found in a study's data.

    Attributes
    ----------
    rank
        `error` stops a run; `warning` changes figures or is likely wrong; `note` is good to know.
    code
        What kind of thing, e.g. ``datum_shift``; the same in every language.
    layer
        Which layer of the study, e.g. ``zones`` or the id of a facility layer.
    file
        Its file as the user would type it; empty where the finding is about several.
    message
        What was found.
    advice
        What to do about it.
    where
        Rows, ids or names concerned, the first `SHOWN` of them.
    count
        How many are concerned.
    figures
        Figures of the finding by name, with units in their names.
    """

    rank: Rank
    code: str
    layer: str
    file: str
    message: Text
    advice: Text
    where: tuple[str, ...] = ()
    count: int | None = None
    figures: dict[str, float] = field(default_factory=dict)


def finding(rank: Rank, code: str, layer: str, file: str, *, where: Iterable[object] = (), **fields: Any) -> Finding:
    """Return a finding whose sentences are those of its code.

    Parameters
    ----------
    rank, code, layer, file
        See `Finding`.
    where
        What is concerned; the first `SHOWN` are kept.
    fields
        What the sentences name in braces; numbers among them, where known, are its figures, `count` its count.

    Examples
    --------
    >>> found = finding("warning", "zone_without_people", "zones", "z.gpkg", where=["城南"], count=1)
    >>> found.message.zh, found.message.en, found.where
    ('1 个镇街没有人口', '1 zones have no people', ('城南',))
    """
    sentence = SENTENCES[code]
    zh, en, advice_zh, advice_en = (part.format(**fields) for part in sentence)
    numbers = {name: float(value) for name, value in fields.items() if isinstance(value, int | float)}
    known = {name: value for name, value in numbers.items() if name != "count" and not math.isnan(value)}
    count = fields.get("count")
    return Finding(
        rank=rank, code=code, layer=layer, file=file, message=Text(zh=zh, en=en),
        advice=Text(zh=advice_zh, en=advice_en), where=tuple(str(value) for value in islice(where, SHOWN)),
        count=count, figures=known,
    )  # fmt: skip


def of_fault(fault: Fault, *, layer: str) -> Finding:
    """Return a fault, which stops a run, as a finding.

    Examples
    --------
    >>> found = of_fault(Fault("beds.csv", "-3 is negative", row=12, column="beds"), layer="clinic")
    >>> found.rank, found.where, found.message.en
    ('error', ('row 12, beds',), '-3 is negative')
    """
    place = ", ".join(
        part
        for part in (
            f"line {fault.line}" if fault.line is not None else "",
            f"row {fault.row}" if fault.row is not None else "",
            fault.column or "",
            fault.field or "",
        )
        if part
    )
    advice = fault.advice or "correct it: a run stops here"
    return Finding(
        "error", "fault", layer, fault.file, Text(zh=fault.message, en=fault.message), Text(zh=advice, en=advice),
        where=(place,) if place else (),
    )  # fmt: skip


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings sorted: errors first, then warnings, then notes; within a rank as they came.

    Examples
    --------
    >>> found = [finding(rank, "found", "zones", "", what="名称") for rank in ("note", "error")]
    >>> [one.rank for one in ranked(found)]
    ['error', 'note']
    """
    return sorted(findings, key=lambda found: RANKS.index(found.rank))
