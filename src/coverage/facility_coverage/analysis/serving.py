"""Serving: whom the facilities of a layer can serve within their capacity, zone by zone and facility by facility."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from facility_coverage.analysis.servable import Servable, servable
from facility_coverage.analysis.tally import sums_by
from facility_coverage.analysis.trips import Trips, by_area_type
from facility_coverage.config.needs import Need
from facility_coverage.layers.model import Floats, Layers

PEOPLE = ("population", "covered", "served", "residual", "not_covered")
"""Columns of people: the first is the sum of the last three, covered that of served and residual."""


@dataclass(frozen=True)
class Serving:
    """How far a capacity serves the people who need it.

    Attributes
    ----------
    trip, need
        The layer, and what is needed of it.
    people
        Of the group at each demand point of the zones, 0 beyond them, shape (points,).
    per_person
        What one person at each demand point needs, 0 beyond the zones, shape (points,).
    found
        The largest flow of people to facilities, in units of the capacity.
    unknown
        Whether a facility does not tell its capacity, shape (facilities,).
    """

    trip: Trips
    need: Need
    people: Floats
    per_person: Floats
    found: Servable
    unknown: np.ndarray

    @property
    def group(self) -> str:
        """Who needs it."""
        return self.need.group or self.trip.layer.group

    @property
    def residual_people(self) -> Floats:
        """People within reach for whom no capacity is left, shape (points,)."""
        rate = np.where(self.per_person > 0, self.per_person, 1.0)
        return self.found.residual / rate

    @property
    def in_reach_of_unknown(self) -> np.ndarray:
        """Whether a facility that does not tell its capacity is within reach, shape (points,)."""
        return np.asarray(self.trip.catchment[np.flatnonzero(self.unknown)].astype(bool).sum(axis=0) > 0)


def serve(trip: Trips, need: Need, layers: Layers) -> Serving:
    """Serve as many people of a group as the facilities of a layer can, within the cutoff and within capacity.

    Facilities that do not tell their capacity serve nobody here: `Serving.unknown` says which.

    Raises
    ------
    RuntimeError
        If no answer is found in time.
    """
    points = layers.demand.points
    rate = np.nan_to_num(by_area_type(need.per_person, layers))
    counted = points[need.group or trip.layer.group].fillna(0.0).to_numpy(dtype=np.float64)
    people = np.where(rate > 0, counted, 0.0)
    capacity = trip.facilities[need.capacity].to_numpy(dtype=np.float64)
    found = servable(trip.catchment, people * rate, capacity)
    return Serving(trip, need, people, rate, found, np.isnan(capacity))


def served_table(servings: Sequence[Serving], layers: Layers) -> pd.DataFrame:
    """Return who is served in each zone.

    Columns: `layer`, `capacity`, `group`, `zone_id`, `zone`, then people: `population`, `covered`, `served`, `residual`
    (covered, and no capacity left), `not_covered`; then in units of the capacity: `needed`, `provided` (to these
    people, by facilities anywhere) and `missing_capacity`. `population` is `served` + `residual` + `not_covered`.
    """
    zones = layers.zones
    frames = []
    for serving in servings:
        rate = np.where(serving.per_person > 0, serving.per_person, 1.0)
        served, residual = serving.found.served / rate, serving.residual_people
        columns = {
            "population": serving.people,
            "covered": np.where(serving.found.covered, serving.people, 0.0),
            "served": served,
            "residual": residual,
            "not_covered": np.where(serving.found.covered, 0.0, serving.people),
            "needed": serving.found.need,
            "provided": serving.found.served,
            "missing_capacity": serving.found.need - serving.found.served,
        }
        sums = _sums(columns, layers)
        names = {"layer": serving.trip.layer.id, "capacity": serving.need.capacity, "group": serving.group}
        frame = pd.DataFrame(sums).reset_index(names="zone_id").assign(zone=zones["name"].to_numpy(), **names)
        frames.append(frame[[*names, "zone_id", "zone", *columns]])
    return pd.concat(frames, ignore_index=True)


def _sums(columns: Mapping[str, Floats], layers: Layers) -> dict[str, pd.Series]:
    """Return the sum of each column of demand points in each zone."""
    zone, every = layers.demand.points["zone_id"], layers.zones["zone_id"]
    return {name: sums_by(zone, values).reindex(every, fill_value=0.0) for name, values in columns.items()}


def spare_table(servings: Sequence[Serving], layers: Layers) -> pd.DataFrame:
    """Return what each facility's capacity is used for.

    Columns: `layer`, `capacity`, `group`, `facility_id`, `name`, `zone_id`, `zone`, then in units of the capacity:
    `held` (empty where it is not told), `used` and `spare`.
    """
    names_of = dict(zip(layers.zones["zone_id"], layers.zones["name"], strict=True))
    frames = []
    for one in servings:
        facilities = one.trip.facilities
        told = np.where(one.unknown, np.nan, 1.0)
        frames.append(
            pd.DataFrame(
                {
                    "layer": one.trip.layer.id,
                    "capacity": one.need.capacity,
                    "group": one.group,
                    "facility_id": facilities["facility_id"].to_numpy(),
                    "name": facilities["name"].to_numpy(),
                    "zone_id": facilities["zone_id"].to_numpy(),
                    "zone": facilities["zone_id"].map(names_of).to_numpy(),
                    "held": told * one.found.capacity,
                    "used": told * one.found.used,
                    "spare": told * one.found.spare,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)
