"""Travel profiles: who walks, how fast, and where from we know."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from facility_coverage.config.number import Number
from facility_coverage.config.text import Text


class Profile(BaseModel):
    """A kind of traveller, with the published source of each speed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text
    mode: Literal["foot"] = Field("foot", description="Decides which ways may be used (docs: access rules)")
    level_speed_kmh: Number = Field(gt=0, le=200, description="Speed on level ground along the network")
    access_speed_kmh: Number | None = Field(
        None, gt=0, le=200, description="Speed of the access legs off the network; by default the level speed"
    )
    stairs: Literal["allowed", "forbidden"] = Field("allowed", description="Whether steps may be used")
    source: str = Field(min_length=1, description="Publication that states the speed")

    @property
    def level_speed_ms(self) -> float:
        """Speed along the network in metres per second."""
        return self.level_speed_kmh / 3.6

    @property
    def access_speed_ms(self) -> float:
        """Speed of access legs in metres per second."""
        speed = self.level_speed_kmh if self.access_speed_kmh is None else self.access_speed_kmh
        return speed / 3.6
