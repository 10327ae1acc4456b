"""Siting: where to build next, as a study asks for it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from facility_coverage.config.number import Number, WholeNumber
from facility_coverage.config.table import Column, Identifier, Model, Scalar, Share, Table
from facility_coverage.config.text import Text

Problem = Literal["mclp", "lscp", "backup", "p_median", "p_center", "mclp_capacitated"]

#: Problems that count how far people go, not only whether they are within the cutoff.
DISTANT = ("p_median", "p_center")


Where = dict[Column, Scalar | list[Scalar]]


class Enlarge(Model):
    """How existing facilities may be enlarged."""

    where: Where = Field(
        default_factory=dict, description="Which: those whose column has this value or one of these; by default all"
    )
    adds: dict[Column, Annotated[Number, Field(gt=0)]] = Field(
        min_length=1, description="The capacity that each gains, not what it has then: {beds: 20}"
    )
    price: Number = Field(gt=0, description="What enlarging one costs")


class Existing(Model):
    """What may be done with existing facilities; by default they stay as they are."""

    closable: Annotated[bool, Field(strict=True)] | Where = Field(
        False, description="Which may be closed: true for all, or {tier: station} for those whose column has this value"
    )
    keep_price: Number | None = Field(None, gt=0, description="What keeping one costs that may be closed")
    enlarge: Enlarge | None = Field(None, description="mclp_capacitated: how they may be enlarged")

    @model_validator(mode="after")
    def _says_something(self) -> Existing:
        if not self.closable and self.enlarge is None:
            raise ValueError("give closable or enlarge, or remove existing: facilities stay as they are")
        if bool(self.closable) != (self.keep_price is not None):
            raise ValueError("closable and keep_price go together: what is kept costs keep_price of the budget")
        return self


GoalName = Annotated[str, Field(pattern=r"^([a-z][a-z0-9_-]{0,62}:)?[A-Za-z][A-Za-z0-9_-]{0,62}$")]


class Served(Model):
    """One facility layer that a new building would serve, and what it would hold."""

    layer: Identifier = Field(description="Id of the facility layer")
    tier: Identifier | None = Field(None, description="Tier of the new facility, where the layer has tiers")
    group: Identifier | None = Field(None, description="Whose coverage counts; by default that of the layer")
    weight: Number = Field(1.0, gt=0, description="What one person covered counts beside those of other layers")
    capacity: dict[Column, Number] = Field(
        default_factory=dict, description="What a new facility holds, e.g. {beds: 30}; counted in goals after building"
    )
    per_person: dict[Column, Annotated[Number, Field(gt=0)]] = Field(
        default_factory=dict,
        description="mclp_capacitated: what one person of the group takes up, of one capacity: {beds: 0.03} for 3 beds "
        "per 100 people",
    )
    existing: Existing | None = Field(None, description="Which existing facilities may be closed or enlarged")

    @model_validator(mode="after")
    def _one_capacity(self) -> Served:
        if len(self.per_person) > 1:
            raise ValueError("per_person names one capacity, such as {beds: 0.03}")
        return self


class CandidateTable(Table):
    """Places where one could build, such as idle schools: columns facility_id, name."""

    price_column: Column | None = Field(None, description="Column of what a site costs; by default each costs 1")
    capacity: list[Column] = Field(
        default_factory=list,
        description="Columns of what a facility there would hold, e.g. [beds]; where empty, the capacity under serves",
    )
    id_prefix: str = Field("", description="Put before each facility_id, where two files use the same ids")


class Siting(Model):
    """One question of where to build next."""

    id: Identifier = Field(description="Name in tables and on the map")
    name: Text = Field(description="What the map calls it")
    serves: list[Served] = Field(min_length=1, description="Facility layers; several share each new building")
    problem: Problem = Field(
        "mclp",
        description="mclp: most people covered; lscp: fewest sites for a coverage goal; backup: most people covered, "
        "and covered twice; p_median: people times travel time least; p_center: the longest trip of anybody shortest; "
        "mclp_capacitated: most people served, by what facilities hold",
    )
    goal: GoalName | None = Field(
        None,
        description="Id of a goal of the study's plans (plan:goal where several have one of that id): the fewest sites "
        "with which it is met; leave problem, sites, budget, share and each_zone out",
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
        if self.goal is not None:
            return self._of_a_goal()
        if self.problem == "lscp":
            if self.sites is not None or self.budget is not None:
                raise ValueError("lscp looks for the fewest sites: remove sites and budget, or ask for mclp")
            if self.share is not None and self.each_zone is not None:
                raise ValueError("give share or each_zone, not both")
        elif self.share is not None or self.each_zone is not None:
            raise ValueError("share and each_zone are goals of lscp: remove them, or ask for lscp")
        elif (self.sites is None) == (self.budget is None):
            raise ValueError("give sites or budget, one of the two")
        self._check_capacities()
        self._check_existing()
        if (self.longest_min is not None) != (self.problem in DISTANT):
            if self.longest_min is not None:
                raise ValueError(
                    f"longest_min is for p_median and p_center: remove it, {self.problem} goes by the cutoff"
                )
            raise ValueError(f"{self.problem} needs longest_min: the minutes up to which trips are looked for, e.g. 60")
        return self

    def _of_a_goal(self) -> Siting:
        said = sorted({"problem", "sites", "budget", "share", "each_zone", "second_weight"} & self.model_fields_set)
        if said:
            raise ValueError(f"the goal says how many sites are needed: remove {', '.join(said)}")
        if len(self.serves) != 1:
            raise ValueError("a goal speaks of one facility layer: serve that one alone")
        served = self.serves[0]
        if served.existing is not None or served.per_person or self.longest_min is not None:
            raise ValueError("a goal is met by new sites: remove existing, per_person and longest_min")
        if any(table.capacity for table in self.candidates):
            raise ValueError("with a goal every new site holds what serves says: remove capacity from candidates")
        return self

    def _check_capacities(self) -> None:
        capacitated = self.problem == "mclp_capacitated"
        layers = [served.layer for served in self.serves]
        if capacitated and not all(served.per_person for served in self.serves):
            raise ValueError("mclp_capacitated needs per_person in each of serves, such as {beds: 0.03}")
        if not capacitated and any(served.per_person for served in self.serves):
            raise ValueError(f"{self.problem} counts no capacity: remove per_person, or ask for mclp_capacitated")
        if capacitated and len(set(layers)) < len(layers):
            raise ValueError("mclp_capacitated counts the capacity of a layer once: name each layer once in serves")

    def _check_existing(self) -> None:
        layers = [served.layer for served in self.serves]
        existing = [served.existing for served in self.serves if served.existing is not None]
        if existing and self.sites is not None:
            raise ValueError("keeping and enlarging facilities costs money: give budget in place of sites")
        if existing and len(set(layers)) < len(layers):
            raise ValueError("with existing, name each layer once in serves")
        if self.problem != "mclp_capacitated" and any(one.enlarge is not None for one in existing):
            raise ValueError(f"{self.problem} counts no capacity: remove enlarge, or ask for mclp_capacitated")
