"""Siting: where to build next, as a study asks for it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from facility_coverage.config.number import Number, WholeNumber
from facility_coverage.config.table import Column, Identifier, Model, Share, Table
from facility_coverage.config.text import Text

Problem = Literal["mclp", "lscp", "backup", "p_median", "p_center"]

#: Problems that count how far people go, not only whether they are within the cutoff.
DISTANT = ("p_median", "p_center")


class Served(Model):
    """One facility layer that a new building would serve, and what it would hold."""

    layer: Identifier = Field(description="Id of the facility layer")
    tier: Identifier | None = Field(None, description="Tier of the new facility, where the layer has tiers")
    group: Identifier | None = Field(None, description="Whose coverage counts; by default that of the layer")
    weight: Number = Field(1.0, gt=0, description="What one person covered counts beside those of other layers")
    capacity: dict[Column, Number] = Field(
        default_factory=dict, description="What a new facility holds, e.g. {beds: 30}; counted in goals after building"
    )


class CandidateTable(Table):
    """Places where one could build, such as idle schools: columns facility_id, name."""

    price_column: Column | None = Field(None, description="Column of what a site costs; by default each costs 1")
    id_prefix: str = Field("", description="Put before each facility_id, where two files use the same ids")


class Siting(Model):
    """One question of where to build next."""

    id: Identifier = Field(description="Name in tables and on the map")
    name: Text = Field(description="What the map calls it")
    serves: list[Served] = Field(min_length=1, description="Facility layers; several share each new building")
    problem: Problem = Field(
        "mclp",
        description="mclp: most people covered; lscp: fewest sites for a coverage goal; backup: most people covered, "
        "and covered twice; p_median: people times travel time least; p_center: the longest trip of anybody shortest",
    )
    sites: WholeNumber | None = Field(None, ge=1, description="How many sites to open")
    budget: Number | None = Field(None, gt=0, description="What the sites may cost together, instead of their number")
    share: Share | None = Field(None, description="lscp: share of all people to cover; by default all who can be")
    each_zone: Share | None = Field(None, description="lscp: share of the people to cover in every zone")
    second_weight: Share = Field(0.3, description="backup: what being covered twice counts, of 1 for both")
    longest_min: Number | None = Field(
        None,
        gt=0,
        le=240,
        description="p_median, p_center: trips are looked for up to so many minutes; p_median counts so many for those "
        "whom nothing reaches, p_center leaves them out",
    )
    candidates: list[CandidateTable] = Field(default_factory=list, description="Files of places where one could build")
    spacing_m: Number | None = Field(
        None,
        ge=50,
        le=10_000,
        description="Junctions are candidates too: of each square of this side in metres, the one nearest its centre",
    )
    forbidden: list[Table] = Field(default_factory=list, description="Polygons where nothing may be built")
    time_limit_s: Number = Field(60.0, gt=0, le=86_400, description="When to stop looking for something better")
    gap: Share = Field(0.0, description="Stop when nothing can be better by more than this share")

    @model_validator(mode="after")
    def _asks_one_question(self) -> Siting:
        if not self.candidates and self.spacing_m is None:
            raise ValueError("give candidates, spacing_m or both")
        if self.problem == "lscp":
            if self.sites is not None or self.budget is not None:
                raise ValueError("lscp looks for the fewest sites: remove sites and budget, or ask for mclp")
            if self.share is not None and self.each_zone is not None:
                raise ValueError("give share or each_zone, not both")
        elif self.share is not None or self.each_zone is not None:
            raise ValueError("share and each_zone are goals of lscp: remove them, or ask for lscp")
        elif (self.sites is None) == (self.budget is None):
            raise ValueError("give sites or budget, one of the two")
        if (self.longest_min is not None) != (self.problem in DISTANT):
            if self.longest_min is not None:
                raise ValueError(
                    f"longest_min is for p_median and p_center: remove it, {self.problem} goes by the cutoff"
                )
            raise ValueError(f"{self.problem} needs longest_min: the minutes up to which trips are looked for, e.g. 60")
        return self
