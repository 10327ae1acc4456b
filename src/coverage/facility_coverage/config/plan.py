"""The plan: the goals of one document."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from facility_coverage.config.measures import Goal
from facility_coverage.config.table import Model
from facility_coverage.config.text import Text


class Plan(Model):
    """The goals of one document."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
    title: Text
    goals: list[Goal] = Field(min_length=1)
