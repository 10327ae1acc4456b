"""Cutoffs: one figure for everybody, or one per area type."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from facility_coverage.config.number import Number
from facility_coverage.config.table import AreaType

Minutes = Annotated[Number, Field(gt=0, le=240)]
Metres = Annotated[Number, Field(gt=0, le=100_000)]


def one_serves_both(value: object) -> object:
    """Return one number for each area type, where a single one is given."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"urban": value, "rural": value}
    return value


def both_area_types(value: dict[AreaType, float]) -> dict[AreaType, float]:
    """Refuse figures that leave an area type out."""
    missing = {"urban", "rural"} - set(value)
    if missing:
        raise ValueError(f"{' and '.join(sorted(missing))} is missing")
    return value


CutoffMin = Annotated[
    dict[AreaType, Minutes],
    BeforeValidator(one_serves_both, json_schema_input_type=Minutes | dict[AreaType, Minutes]),
    AfterValidator(both_area_types),
]
RadiusM = Annotated[
    dict[AreaType, Metres],
    BeforeValidator(one_serves_both, json_schema_input_type=Metres | dict[AreaType, Metres]),
    AfterValidator(both_area_types),
]
