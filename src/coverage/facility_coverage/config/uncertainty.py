"""Uncertainty: how far speeds, access limits, positions and people may be from what a study says."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from facility_coverage.config.number import Number, WholeNumber
from facility_coverage.config.table import Model

#: Without a range of its own, the access limit varies between these multiples of the study's: 300 to 800 m of 500 m.
ACCESS_FACTORS = (0.6, 1.6)


class AccessRange(Model):
    """The least and the greatest access limit that could as well have been chosen."""

    low: Annotated[Number, Field(gt=0, le=20_000)] = Field(description="At most `network.max_access_m`, in metres")
    high: Annotated[Number, Field(gt=0, le=20_000)] = Field(description="At least `network.max_access_m`, in metres")

    @model_validator(mode="after")
    def _in_order(self) -> AccessRange:
        if self.low > self.high:
            raise ValueError(f"low {self.low:g} is more than high {self.high:g}")
        return self


class Uncertainty(Model):
    """How sure a study is of its inputs: see [the bracket](../bracket.md)."""

    speed_share: Number = Field(
        0.10, ge=0, le=0.5, description="All speeds of a profile may be this share slower or faster"
    )
    max_access_m: AccessRange | None = Field(
        None, description="Range of the access limit; by default 0.6 to 1.6 times `network.max_access_m`"
    )
    position_m: Number = Field(
        20.0,
        ge=0,
        le=1000,
        description="Standard deviation of where facilities stand and snap, east and north alike, in metres",
    )
    population_share: Number = Field(
        0.10, ge=0, le=1, description="Standard deviation of the people of each zone, as a share of them"
    )
    cell_share: Number = Field(0.30, ge=0, le=2, description="The same of the people of each cell, beside its zone's")
    draws: WholeNumber = Field(40, ge=1, le=10_000, description="How often all of them are drawn at random")
    seed: WholeNumber = Field(1, ge=0, le=2**32 - 1, description="Which random numbers: the same seed, the same result")
    interval: Number = Field(
        0.90, gt=0, lt=1, description="Share of the draws between `low` and `high`: 0.9 for the 5th to 95th percentile"
    )

    def access_m(self, central_m: float) -> tuple[float, float]:
        """Return the least and the greatest access limit around the study's own, in metres.

        Examples
        --------
        >>> Uncertainty().access_m(500.0)
        (300.0, 800.0)
        """
        if self.max_access_m is None:
            low, high = ACCESS_FACTORS
            return low * central_m, high * central_m
        return self.max_access_m.low, self.max_access_m.high
