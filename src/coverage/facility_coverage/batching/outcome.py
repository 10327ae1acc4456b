"""How one study of a batch ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Ending = Literal["done", "skipped", "failed", "not_run"]


@dataclass(frozen=True)
class Outcome:
    """How a study ended.

    Attributes
    ----------
    name
        Of the study.
    ending
        ``done``; ``skipped`` (its result was there already); ``failed``; ``not_run`` (the batch was stopped before).
    reasons
        Why it failed, one line for each fault.
    seconds
        How long it took.
    """

    name: str
    ending: Ending
    reasons: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def has_result(self) -> bool:
        """Whether its folder holds what the study says now."""
        return self.ending in ("done", "skipped")
