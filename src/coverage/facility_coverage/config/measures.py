"""Measures: how the figure of a goal is computed, and the parameters each takes; formulas are in docs/measures.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from facility_coverage.config.cutoff import CutoffMin, RadiusM
from facility_coverage.config.decay import Decay, StepDecay
from facility_coverage.config.goal import GoalBase
from facility_coverage.config.number import Number, WholeNumber
from facility_coverage.config.table import AreaType, Column, Identifier


def _one_is_a_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Tiers = Annotated[
    list[Identifier],
    Field(min_length=1),
    BeforeValidator(_one_is_a_list, json_schema_input_type=Identifier | list[Identifier]),
]


class _OnFacilities(GoalBase):
    layer: Identifier = Field(description="Id of the facility layer")
    tier: Tiers | None = Field(None, description="Only facilities of this tier, or of these")


class _OnCapacity(_OnFacilities):
    capacity: Column = Field(description="Column that counts beds, slots, square metres …")


class PopulationCovered(_OnFacilities):
    """The share of people within the cutoff of a facility."""

    measure: Literal["population_covered"]
    group: Identifier = Field("total", description="The people counted")
    cutoff_min: CutoffMin | None = Field(None, description="By default that of the layer")
    profile: str | None = Field(None, description="Who travels; by default the layer's profile")
    facilities_from: Literal["anywhere", "own_zones_only"] | None = Field(
        None, description="Whether facilities beyond the study's zones count; by default as the layer says"
    )
    radius_m: RadiusM | None = Field(
        None,
        description="For standards that draw circles: straight-line distance in place of travel time, in metres; the "
        "figure by travel time stands beside it",
    )


class FacilityCount(_OnFacilities):
    """The number of facilities."""

    measure: Literal["facility_count"]
    attribute: Column | None = Field(None, description="Only facilities for which this yes/no column says yes")


class CapacityTotal(_OnCapacity):
    """The sum of a capacity."""

    measure: Literal["capacity_total"]


class CapacityPer1000(_OnCapacity):
    """A capacity for every thousand people of a group."""

    measure: Literal["capacity_per_1000"]
    group: Identifier = Field("total", description="The people counted")


class CapacityShare(_OnCapacity):
    """One capacity as a share of another, or the share of it that is in facilities of a kind."""

    measure: Literal["capacity_share"]
    part: Column | None = Field(None, description="Capacity column that is the part")
    attribute: Column | None = Field(
        None, description="In place of `part`: the capacity of facilities for which this yes/no column says yes"
    )

    @model_validator(mode="after")
    def _part_or_attribute(self) -> CapacityShare:
        if (self.part is None) == (self.attribute is None):
            raise ValueError("capacity_share needs either part or attribute")
        return self


class FacilityShare(_OnFacilities):
    """The share of facilities for which a yes/no column says yes."""

    measure: Literal["facility_share"]
    attribute: Column = Field(description="Yes/no column, such as quality_passed, contracted, inclusive or public")


class ZonesWithFacility(_OnFacilities):
    """The share of zones, districts or areas that have at least (and at most) a number of facilities."""

    measure: Literal["zones_with_facility"]
    units: Identifier = Field(
        "zones", description="What is counted: `zones`, `districts`, or the id of areas of the study"
    )
    at_least: WholeNumber = Field(1, ge=1, description="Facilities that are enough")
    at_most: WholeNumber | None = Field(None, ge=1, description="Facilities above which it is too many")
    attribute: Column | None = Field(None, description="Only facilities for which this yes/no column says yes")

    @model_validator(mode="after")
    def _in_order(self) -> ZonesWithFacility:
        if self.at_most is not None and self.at_most < self.at_least:
            raise ValueError(f"at_most {self.at_most} is less than at_least {self.at_least}")
        return self


class AreaPerPerson(_OnCapacity):
    """Square metres of floor or ground for each person, 10,000 people or 100 households."""

    measure: Literal["area_per_person"]
    per: Literal["person", "10000_people", "100_households"] = "person"
    group: Identifier = Field("total", description="The people counted")
    household_size: Number | None = Field(None, gt=0, le=20, description="People per household; with 100_households")

    @model_validator(mode="after")
    def _households_have_a_size(self) -> AreaPerPerson:
        if (self.per == "100_households") != (self.household_size is not None):
            raise ValueError("per: 100_households needs household_size, and nothing else takes it")
        return self


class ColocatedShare(_OnFacilities):
    """The share of facilities that have one of another layer at the same address, or within a walk."""

    measure: Literal["colocated_share"]
    with_layer: Identifier = Field(description="Id of the other facility layer")
    with_tier: Tiers | None = Field(None, description="Only these tiers of the other layer")
    within_m: Number = Field(ge=0, le=5000, description="Metres on foot along the network, not in a straight line")
    same_address: bool = Field(
        True, strict=True, description="Whether equal texts in the columns `address` count whatever the distance"
    )


class ServiceCompleteness(GoalBase):
    """The share of people who reach enough of the services of a catalogue."""

    measure: Literal["service_completeness"]
    catalogue: Path = Field(description="File of the services: see docs/life-circle.md")
    at_least: WholeNumber | None = Field(
        None, ge=1, description="Services to be reached; by default all that the catalogue can tell"
    )
    group: Identifier = Field("total", description="The people counted")


AccessibilityMethod = Literal["two_step", "enhanced_two_step", "three_step", "huff_three_step"]


class _OfTrips(_OnFacilities):
    group: Identifier = Field("total", description="The people counted")
    profile: str | None = Field(None, description="Who travels; by default the layer's profile")
    facilities_from: Literal["anywhere", "own_zones_only"] | None = Field(
        None, description="Whether facilities beyond the study's zones count; by default as the layer says"
    )


class _OfTripsWithin(_OfTrips):
    cutoff_min: CutoffMin | None = Field(None, description="By default that of the layer")


class Accessibility(_OfTripsWithin, _OnCapacity):
    """Capacity within reach for every thousand people who compete for it (floating catchment areas)."""

    measure: Literal["accessibility"]
    group: Identifier = Field("total", description="The people who compete")
    cutoff_min: CutoffMin | None = Field(
        None, description="By default that of the layer; where `decay` gives bands, the end of the last"
    )
    method: AccessibilityMethod = Field("two_step", description="Which floating catchment areas: see docs/measures.md")
    decay: Decay | None = Field(
        None,
        description="How much less a longer trip counts: `gaussian`, or bands of minutes; every method but two_step "
        "needs it",
    )

    @model_validator(mode="after")
    def _decay_fits(self) -> Accessibility:
        if (self.method == "two_step") != (self.decay is None):
            raise ValueError(
                "two_step counts every trip alike: leave decay out, or name another method"
                if self.decay is not None
                else f"{self.method} needs decay: gaussian, or {{ends_min: […], weights: […]}}"
            )
        if isinstance(self.decay, StepDecay) and self.cutoff_min is not None:
            longest, (*before, last) = max(self.cutoff_min.values()), (0.0, *self.decay.ends_min)
            if not before[-1] < longest <= last:
                band = f"from {before[-1]:g} to {last:g} minutes"
                raise ValueError(f"the longest cutoff, {longest:g} minutes, is not in the last band, {band}")
        return self

    def longest_min(self, layer: Mapping[AreaType, float]) -> Mapping[AreaType, float]:
        """Return the cutoff: the goal's own, the end of its last band, or that of the layer."""
        if self.cutoff_min is None and isinstance(self.decay, StepDecay):
            return {"urban": self.decay.ends_min[-1], "rural": self.decay.ends_min[-1]}
        return layer if self.cutoff_min is None else self.cutoff_min


class TravelTime(_OfTrips):
    """The mean minutes to the nearest facility, of the people who reach one."""

    measure: Literal["travel_time"]

    @model_validator(mode="after")
    def _less_is_better(self) -> TravelTime:
        if self.target is not None and self.target.bound == "at_least":
            raise ValueError("a travel time is to be short: write `bound: at_most` in target")
        return self


class FacilitiesInReach(_OfTripsWithin):
    """The mean number of facilities within the cutoff of a person."""

    measure: Literal["facilities_in_reach"]


class PopulationWithChoice(_OfTripsWithin):
    """The share of people who have several facilities within the cutoff."""

    measure: Literal["population_with_choice"]
    at_least: WholeNumber = Field(2, ge=1, description="Facilities that are a choice")


class Statistic(GoalBase):
    """A figure that no map can tell, from the study's table of statistics."""

    measure: Literal["statistic"]
    indicator: str | None = Field(None, min_length=1, description="Name in the table; by default the goal's id")
    unit: str = Field(min_length=1, description="Unit of the figures, e.g. %, 岁")


Goal = Annotated[
    PopulationCovered
    | FacilityCount
    | CapacityTotal
    | CapacityPer1000
    | CapacityShare
    | FacilityShare
    | ZonesWithFacility
    | AreaPerPerson
    | ColocatedShare
    | ServiceCompleteness
    | Accessibility
    | TravelTime
    | FacilitiesInReach
    | PopulationWithChoice
    | Statistic,
    Field(discriminator="measure"),
]

MEASURES: tuple[type[GoalBase], ...] = get_args(get_args(Goal)[0])
"""A class for each measure."""

SHARES = frozenset(
    {
        "population_covered", "capacity_share", "facility_share", "zones_with_facility", "colocated_share",
        "service_completeness", "population_with_choice",
    }
)  # fmt: skip
"""Measures whose figure is 0–1."""
