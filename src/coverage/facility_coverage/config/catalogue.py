"""The catalogue: which services make a living circle complete, completed by each district."""

from __future__ import annotations

from pydantic import Field

from facility_coverage.config.cutoff import CutoffMin
from facility_coverage.config.goal import Citation
from facility_coverage.config.measures import Tiers
from facility_coverage.config.table import Column, Identifier, Model
from facility_coverage.config.text import Text


class Service(Model):
    """One service of a category, and the facilities that give it."""

    id: Identifier
    name: Text
    layer: Identifier | None = Field(
        None,
        description="Facility layer that gives it; without one there is no data, and the service is not counted",
    )
    tier: Tiers | None = Field(None, description="Only facilities of these tiers")
    attribute: Column | None = Field(None, description="Only facilities for which this yes/no column says yes")
    cutoff_min: CutoffMin | None = Field(None, description="By default that of the catalogue")


class Category(Model):
    """A kind of services."""

    id: Identifier
    name: Text
    services: list[Service] = Field(default_factory=list)


class Catalogue(Model):
    """The services of a living circle, by category."""

    id: Identifier
    title: Text
    citation: Citation
    cutoff_min: CutoffMin = Field(description="Longest trip to a service, in minutes")
    profile: str = Field(description="Who travels")
    categories: list[Category] = Field(min_length=1)

    def known(self) -> tuple[Service, ...]:
        """Return the services that a layer gives."""
        return tuple(one for category in self.categories for one in category.services if one.layer is not None)
