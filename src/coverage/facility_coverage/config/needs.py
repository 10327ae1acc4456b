"""Needs: how much of a capacity the people of a group need."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from facility_coverage.config.cutoff import both_area_types, one_serves_both
from facility_coverage.config.number import Number
from facility_coverage.config.table import AreaType, Column, Identifier, Model

_Rate = Annotated[Number, Field(gt=0, le=1000)]
PerPerson = Annotated[
    dict[AreaType, _Rate],
    BeforeValidator(one_serves_both, json_schema_input_type=_Rate | dict[AreaType, _Rate]),
    AfterValidator(both_area_types),
]


class Need(Model):
    """What the people of a group need of one capacity of a facility layer."""

    capacity: Column = Field(description="Capacity column of the layer, such as beds")
    per_person: PerPerson = Field(
        description="What one person of the group needs of it, e.g. 0.03 beds; one number, or one per area type of the "
        "person's zone"
    )
    group: Identifier | None = Field(None, description="Who needs it; by default the layer's group")
