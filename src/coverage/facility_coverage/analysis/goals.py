"""Goals: what the plan wants against what the data show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["met", "on_track", "behind", "no_data"]


@dataclass(frozen=True)
class ZoneVerdict:
    """A goal in one zone; `status` is None where the measure sets no target for a zone."""

    zone_id: str
    name: str
    value: float | None
    status: Status | None
    shortfall: float | None


@dataclass(frozen=True)
class Verdict:
    """A goal in the whole study.

    Attributes
    ----------
    value
        The measured figure (shares 0–1), None without data.
    shortfall
        What is missing to the target, in `unit` (beds, slots, facilities, people), None without data.
    unit
        Name of what is missing: the capacity column, ``facilities`` or ``people``.
    """

    goal_id: str
    name_zh: str
    name_en: str
    measure: str
    layer: str
    nature: str
    target: float
    target_year: int
    baseline: float | None
    baseline_year: int | None
    value: float | None
    status: Status
    shortfall: float | None
    unit: str
    citation: str
    note_zh: str
    note_en: str
    zones: tuple[ZoneVerdict, ...]
