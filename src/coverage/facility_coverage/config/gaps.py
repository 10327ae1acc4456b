"""Gaps: what makes a way a detour, and what remedies may cost."""

from __future__ import annotations

from pydantic import Field

from facility_coverage.config.number import Number, WholeNumber
from facility_coverage.config.table import Model, Share


class Prices(Model):
    """What remedies cost beside each other, in a unit of your own; a new site costs 1 by default."""

    new_site: Number = Field(1.0, gt=0, description="A new facility")
    capacity: Number = Field(0.02, gt=0, description="One more bed, slot … of a facility that is there")
    upgrade: Number = Field(0.5, gt=0, description="Raising a facility to the tier that a goal asks for")
    path_m: Number = Field(0.005, gt=0, description="One metre of a new path or footbridge")
    open_neighbour: Number = Field(0.1, gt=0, description="Opening a facility beyond the zones to the study's people")


class Gaps(Model):
    """How people who are left out are gathered, why, and what would help them."""

    detour_factor: Number = Field(
        1.5, gt=1, le=10, description="A way this many times as long as the straight line is a detour"
    )
    together_m: Number = Field(
        300.0, ge=100, le=5000, description="People left out for one cause within this distance are one gap, in metres"
    )
    radius_m: Number = Field(
        750.0,
        ge=100,
        le=20_000,
        description="A gap reaches no farther than this from its most populous place, in metres",
    )
    smallest_share: Share = Field(
        0.001,
        description="Smaller ones, as a share of all who are left out, are counted together as the scattered ones of "
        "their zone and cause",
    )
    largest: WholeNumber = Field(
        10, ge=0, le=1000, description="Remedies are sought for so many gaps of each layer and goal, the largest"
    )
    path_m: Number = Field(300.0, gt=0, le=5000, description="Longest new path or footbridge, in metres")
    spacing_m: Number = Field(
        100.0, ge=50, le=2000, description="Junctions tried as new sites: one in each square of this side, in metres"
    )
    prices: Prices = Field(
        default_factory=lambda: Prices.model_validate({}), description="What remedies cost beside each other"
    )
