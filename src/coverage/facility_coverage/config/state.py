"""States and scenarios: the study at another date, or after planned changes."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

from facility_coverage.config.number import Number
from facility_coverage.config.table import Column, Datum, Identifier, Model, Table


class _OnLayer(Model):
    layer: Identifier = Field(description="Id of the facility layer")


class AddFacilities(_OnLayer):
    """Facilities that are planned, from a file of their own."""

    do: Literal["add"]
    facilities: Table = Field(description="File with the columns of the layer, and ids that the layer has not")


class CloseFacilities(_OnLayer):
    """Facilities that are given up."""

    do: Literal["close"]
    ids: list[str] = Field(min_length=1, description="Their facility_id")


class MoveFacility(_OnLayer):
    """A facility that moves to another place."""

    do: Literal["move"]
    id: str = Field(description="Its facility_id")
    lon: Number = Field(ge=-180, le=180)
    lat: Number = Field(ge=-90, le=90)
    datum: Datum = Field(description="What lon and lat mean")


class EnlargeFacility(_OnLayer):
    """A facility whose capacity changes."""

    do: Literal["enlarge"]
    id: str = Field(description="Its facility_id")
    capacity: dict[Column, Annotated[Number, Field(ge=0)]] = Field(
        min_length=1, description="The capacity it has then, not what is added: {beds: 80}"
    )


Change = Annotated[AddFacilities | CloseFacilities | MoveFacility | EnlargeFacility, Field(discriminator="do")]

CHANGES: tuple[type[Model], ...] = get_args(get_args(Change)[0])
"""A class for each kind of change."""


class StateFacilities(Table):
    """The file that a facility layer is read from in this state."""
