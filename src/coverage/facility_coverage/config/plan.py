"""The plan: goals with measure, target, year and citation."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from facility_coverage.config.number import Number, WholeNumber
from facility_coverage.config.text import Text

Measure = Literal["population_covered", "facility_count", "capacity_total", "capacity_per_1000", "capacity_share"]
Nature = Literal["binding", "expected", "text"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Citation(_Model):
    """Where a goal is written."""

    document: str = Field(min_length=1)
    clause: str = Field(min_length=1)


class Baseline(_Model):
    """The figure the plan starts from."""

    year: WholeNumber = Field(ge=1900, le=2200)
    value: Number = Field(ge=0)


class Target(_Model):
    """The figure the plan wants, at least, by the end of a year; shares are 0–1."""

    year: WholeNumber = Field(ge=1900, le=2200)
    value: Number = Field(ge=0)


class Goal(_Model):
    """One goal of a plan: a measure on a facility layer, with its target."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,62}$")]
    name: Text
    measure: Measure
    layer: str = Field(description="Id of the facility layer")
    tier: str | None = Field(None, description="Only facilities of this tier")
    group: str = Field("total", description="The people counted (population_covered, capacity_per_1000)")
    capacity: str | None = Field(None, description="Capacity column (capacity_*)")
    part: str | None = Field(None, description="Capacity column that is the part (capacity_share)")
    target: Target
    baseline: Baseline | None = None
    nature: Nature = "text"
    citation: Citation
    note: Text | None = Field(None, description="Conflicts inside the source, readings chosen")
    verified: bool = Field(False, strict=True, description="Whether the figure was read in the original document")


class Plan(_Model):
    """The goals of one document."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
    title: Text
    goals: list[Goal] = Field(min_length=1)
