"""Travel profiles: who travels, how fast, where they may go, and where from we know."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticKnownError

from facility_coverage.config.number import Number
from facility_coverage.config.text import Text

Direction = Literal["to_facility", "from_facility"]
Mode = Literal["foot", "car"]
Permission = Literal["allowed", "forbidden"]
Speed = Annotated[Number, Field(gt=0, le=200)]
Citation = Annotated[str, Field(min_length=1)]

#: Classes that a car may be given a speed for; those after `road` are open to it only where a tag says so.
HighwayClass = Literal[
    "motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link", "secondary", "secondary_link",
    "tertiary", "tertiary_link", "unclassified", "residential", "living_street", "service", "track", "road",
    "pedestrian", "footway", "cycleway", "bridleway", "path", "busway", "bus_guideway",
]  # fmt: skip

#: Figures of a profile that `sources` may cite.
Figure = Literal[
    "level_speed_kmh", "slope", "max_grade", "stairs_speed_kmh", "speeds_kmh", "turn_penalty_s", "ferry_speed_kmh",
    "access_speed_kmh",
]  # fmt: skip

ON_FOOT = ("level_speed_kmh", "slope", "max_grade", "stairs", "stairs_speed_kmh")
BY_CAR = ("speeds_kmh", "turn_penalty_s")
_NEEDED = {"foot": ("level_speed_kmh",), "car": ("speeds_kmh", "access_speed_kmh")}
_WAYS_ON_FOOT = ("without_sidewalk", "not_for_wheelchairs")
_WAYS_BY_CAR = ("emergency",)


class Ways(BaseModel):
    """Which ways a profile uses beyond the rules of its mode: see [access rules](../access-rules.md)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    private: Permission = Field(
        "forbidden", description="Ways kept for some: `access` no or private, `foot` or `motor_vehicle` private"
    )
    motorway: Permission | None = Field(
        None,
        description="Motorways, and trunk roads tagged `motorroad=yes`: open, or closed whatever else is tagged; "
        "without this key, on foot closed where no `foot` tag opens them, by car open",
    )
    without_sidewalk: Permission = Field(
        "allowed", description="On foot: trunk, primary and secondary roads tagged `sidewalk=no`"
    )
    not_for_wheelchairs: Permission = Field("allowed", description="On foot: ways tagged `wheelchair=no`")
    emergency: Permission = Field(
        "forbidden", description="By car: ways that are closed by other tags and tagged `emergency=yes`"
    )


def _schema_of_modes(schema: dict[str, Any]) -> None:
    """Let editors know which keys each mode needs."""
    schema["if"] = {"properties": {"mode": {"const": "car"}}, "required": ["mode"]}
    schema["then"] = {"required": list(_NEEDED["car"])}
    schema["else"] = {"required": list(_NEEDED["foot"])}


class Profile(BaseModel):
    """A kind of traveller, with the published source of each figure: see [profiles](../profiles.md)."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_schema_of_modes)

    name: Text
    mode: Mode = Field("foot", description="How people travel; decides which ways are open and which keys apply")
    direction: Direction = Field(
        "to_facility",
        description="People travel to the facility, or its staff (an ambulance) travel `from_facility` to the people",
    )
    level_speed_kmh: Speed | None = Field(
        None, validate_default=True, description="On foot, needed: speed on level ground along the network"
    )
    slope: Literal["tobler", "none"] = Field(
        "tobler", description="On foot: how slope changes the speed, where the study has terrain"
    )
    max_grade: Number | None = Field(
        None,
        gt=0,
        le=1,
        description="On foot: ways steeper than this are closed, where the study has terrain; 8 % is 0.08",
    )
    stairs: Permission = Field("allowed", description="On foot: whether steps may be used")
    stairs_speed_kmh: Speed | None = Field(
        None, description="On foot: speed along steps as drawn on the map; by default the level speed"
    )
    speeds_kmh: dict[HighwayClass, Speed] | None = Field(
        None,
        validate_default=True,
        description="By car, needed: speed for each `highway` class, which `maxspeed` lowers; other classes are closed",
    )
    turn_penalty_s: Number = Field(
        0.0, ge=0, le=300, description="By car: seconds lost at each junction passed; half of it on either side"
    )
    ferry_speed_kmh: Speed | None = Field(
        None, description="Opens ferries, at this speed where they carry no `duration`; waiting is not counted"
    )
    access_speed_kmh: Speed | None = Field(
        None,
        validate_default=True,
        description="Speed of the access legs off the network; on foot by default the level speed, by car needed",
    )
    ways: Ways = Field(default_factory=Ways, description="Which ways the profile uses beyond the rules of its mode")
    source: str = Field(
        min_length=1, description="Publication behind the main figure: `level_speed_kmh`, by car `speeds_kmh`"
    )
    sources: dict[Figure, Citation] = Field(
        default_factory=dict, description="Publications behind the other figures: {stairs_speed_kmh: …}"
    )

    @field_validator(*ON_FOOT, *BY_CAR, "access_speed_kmh", mode="after")
    @classmethod
    def _of_its_mode(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse keys of the other mode, and miss those that this one needs."""
        mode, key = info.data.get("mode"), str(info.field_name)
        given = value is not None and value != cls.model_fields[key].default
        if given and ((mode == "car" and key in ON_FOOT) or (mode == "foot" and key in BY_CAR)):
            raise ValueError(f"mode {mode} takes no {key}; leave it out")
        if value is None and key in _NEEDED.get(str(mode), ()):
            raise PydanticKnownError("missing")
        return value

    @field_validator("speeds_kmh", mode="after")
    @classmethod
    def _some_class(cls, value: dict[str, float] | None) -> dict[str, float] | None:
        if value is not None and not value:
            raise ValueError("no class is named: every road would be closed; write e.g. {residential: 20}")
        return value

    @field_validator("stairs_speed_kmh", mode="after")
    @classmethod
    def _no_speed_on_forbidden_stairs(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and info.data.get("stairs") == "forbidden":
            raise ValueError("stairs are forbidden and have a speed; leave out one of stairs, stairs_speed_kmh")
        return value

    @field_validator("ways", mode="after")
    @classmethod
    def _ways_of_its_mode(cls, value: Ways, info: ValidationInfo) -> Ways:
        mode = info.data.get("mode")
        other = {"car": _WAYS_ON_FOOT, "foot": _WAYS_BY_CAR}.get(str(mode), ())
        given = [key for key in other if getattr(value, key) != Ways.model_fields[key].default]
        if given:
            raise ValueError(f"mode {mode} takes no {' and no '.join(given)}; leave it out")
        return value

    @property
    def level_speed_ms(self) -> float:
        """Speed on level ground in metres per second; on foot only."""
        if self.level_speed_kmh is None:
            raise ValueError(f"mode {self.mode} has no level speed")
        return self.level_speed_kmh / 3.6

    @property
    def access_speed_ms(self) -> float:
        """Speed of access legs in metres per second."""
        return self.level_speed_ms if self.access_speed_kmh is None else self.access_speed_kmh / 3.6


METRES = Profile.model_validate(
    {"name": {"zh": "米", "en": "metres"}, "level_speed_kmh": 3.6, "slope": "none", "source": "one metre a second"}
)
"""Walks a metre a second wherever feet may go, so that its travel times are metres on foot."""

METRES_NAME = "metres on foot"
"""Its name among networks; no user can give this name to a profile."""
