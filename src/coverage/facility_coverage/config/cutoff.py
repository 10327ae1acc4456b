"""Cutoffs: one figure for everybody, or one per area type."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from facility_coverage.config.number import Number
from facility_coverage.config.table import AreaType

Minutes = Annotated[Number, Field(gt=0, le=240)]
Metres = Annotated[Number, Field(gt=0, le=100_000)]


def _one_serves_both(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"urban": value, "rural": value}
    return value


def _both_area_types(value: dict[AreaType, float]) -> dict[AreaType, float]:
    missing = {"urban", "rural"} - set(value)
    if missing:
        raise ValueError(f"{' and '.join(sorted(missing))} is missing")
    return value


CutoffMin = Annotated[
    dict[AreaType, Minutes],
    BeforeValidator(_one_serves_both, json_schema_input_type=Minutes | dict[AreaType, Minutes]),
    AfterValidator(_both_area_types),
]
RadiusM = Annotated[
    dict[AreaType, Metres],
    BeforeValidator(_one_serves_both, json_schema_input_type=Metres | dict[AreaType, Metres]),
    AfterValidator(_both_area_types),
]
