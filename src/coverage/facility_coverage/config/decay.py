"""Decay: how much less a longer trip counts."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from facility_coverage.config.cutoff import Minutes
from facility_coverage.config.table import Model, Share


class StepDecay(Model):
    """Weights of trips, band by band: a trip has the weight of the first band whose end it does not exceed."""

    ends_min: list[Minutes] = Field(
        min_length=1, description="Where each band ends, in minutes, rising; longer trips count nothing"
    )
    weights: list[Share] = Field(
        min_length=1, description="The weight of each band, 0–1, not rising; of the first more than 0"
    )

    @model_validator(mode="after")
    def _one_weight_for_each_band(self) -> StepDecay:
        if len(self.ends_min) != len(self.weights):
            raise ValueError(
                f"ends_min has {len(self.ends_min)} entries, weights {len(self.weights)}: give each band one weight"
            )
        for near, far in pairwise(self.ends_min):
            if near >= far:
                raise ValueError(f"the bands' ends are not rising: {far:g} follows {near:g}")
        for near, far in pairwise(self.weights):
            if near < far:
                raise ValueError(f"a longer trip counts more: the weight {far:g} follows {near:g}")
        if self.weights[0] == 0:
            raise ValueError("no trip counts: the weight of the first band is 0")
        return self


def _form(value: object) -> str:
    return "steps" if isinstance(value, dict | StepDecay) else "gaussian"


Decay = Annotated[
    Annotated[Literal["gaussian"], Tag("gaussian")] | Annotated[StepDecay, Tag("steps")], Discriminator(_form)
]
