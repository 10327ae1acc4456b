"""Goals: what a plan wants, by when, for whom, and where it says so; the measures are in `config.measures`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from facility_coverage.config.number import Number, WholeNumber
from facility_coverage.config.table import AreaType, Identifier, Model
from facility_coverage.config.text import Text

Nature = Literal["binding", "expected", "text"]
Bound = Literal["at_least", "at_most"]
Each = Literal["district", "zone"]
Year = Annotated[WholeNumber, Field(ge=1900, le=2200)]


class Citation(Model):
    """Where a goal is written."""

    document: str = Field(min_length=1)
    clause: str = Field(min_length=1)


class Baseline(Model):
    """The figure the plan starts from, or one that a report states."""

    year: Year
    value: Number = Field(ge=0)
    is_about: bool = Field(False, strict=True, description="Whether the source says about, nearly or more than")


class Milestone(Model):
    """A figure on the way to the target."""

    year: Year
    value: Number = Field(ge=0)


class Target(Model):
    """The figure the plan wants by the end of a year; shares are 0–1."""

    year: Year
    value: Number = Field(ge=0)
    bound: Bound = Field("at_least", description="Whether the figure is the least or the most that meets the goal")
    year_stated: bool = Field(
        True, strict=True, description="False where the clause names no year, and the last year of the plan is taken"
    )


class Scope(Model):
    """The part of the study that a goal speaks of, and for whom it must hold."""

    area_type: AreaType | None = Field(None, description="Only zones of this type, their people and facilities")
    area: Identifier | None = Field(
        None, description="Only within these areas of the study, e.g. new_estates: their people and facilities"
    )
    each: Each | None = Field(
        None, description="The goal must hold in each district, or in each zone; by default for the study as a whole"
    )


class GoalBase(Model):
    """What every goal says, whatever its measure."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,62}$")]
    name: Text
    measure: str
    scope: Scope = Field(default_factory=lambda: Scope.model_validate({}))
    target: Target | None = Field(None, description="Without a target the figure is shown and not judged")
    baseline: Baseline | None = None
    milestones: list[Milestone] = Field(
        default_factory=list, description="Figures between baseline and target, which the line to the target passes"
    )
    nature: Nature = "text"
    unit: str | None = Field(None, min_length=1, description="Unit of the figures, checked against the measure")
    citation: Citation
    note: Text | None = Field(None, description="Conflicts inside the source, readings chosen")
    verified: bool = Field(False, strict=True, description="Whether the figure was read in the original document")

    @model_validator(mode="after")
    def _years_in_order(self) -> GoalBase:
        if self.milestones and self.target is None:
            raise ValueError("milestones lead to a target: give one")
        years = [step.year for step in (self.baseline, *self.milestones, self.target) if step is not None]
        if self.milestones and years != sorted(set(years)):
            raise ValueError("the years of baseline, milestones and target are not in order")
        return self
