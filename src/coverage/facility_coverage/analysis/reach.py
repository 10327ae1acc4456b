"""Reach: travel times to any selection of facilities, each searched for once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from facility_coverage.analysis.trips import Trips, cutoffs_by_type, within_own_cutoff
from facility_coverage.config.study import AreaType, FacilityLayer
from facility_coverage.layers.model import Floats, Ints, Layers
from facility_coverage.network.catchment import catchments
from facility_coverage.network.links import TIME_TOLERANCE_S
from facility_coverage.network.network import Network
from facility_coverage.network.travel import Nearest, nearest_facility

Key = tuple[str, str, bytes]


@dataclass(frozen=True)
class Reach:
    """The study's people and facilities on its networks.

    Attributes
    ----------
    layers
        The study's data.
    networks
        Profile name → network.
    found
        Searches made so far: profile, layer, selection → nearest facility of each demand point.
    """

    layers: Layers
    networks: Mapping[str, Network]
    found: dict[Key, Nearest] = field(default_factory=dict)

    @classmethod
    def after(cls, layers: Layers, networks: Mapping[str, Network], trips: Sequence[Trips]) -> Reach:
        """Start with the searches that whole layers have had already."""
        reach = cls(layers, networks)
        for trip in trips:
            every = layers.facilities[trip.layer.id]
            chosen = every["facility_id"].isin(trip.facilities["facility_id"]).to_numpy()
            rows = np.append(np.flatnonzero(chosen), -1)
            nearest = Nearest(trip.nearest.seconds, rows[trip.nearest.facility], trip.nearest.node_s)
            reach.found[trip.layer.profile, trip.layer.id, chosen.tobytes()] = nearest
        return reach

    def nearest(self, layer: str, chosen: np.ndarray, *, profile: str) -> Nearest:
        """Return the nearest of the chosen facilities for each demand point; rows are those of the layer.

        Parameters
        ----------
        layer
            Id of the facility layer.
        chosen
            Which of its facilities count, shape (facilities,).
        profile
            Who travels.
        """
        key = (profile, layer, chosen.tobytes())
        if key not in self.found:
            rows = np.append(np.flatnonzero(chosen), -1)
            network = self.networks[profile]
            places = network.snap(xy_of(self.layers.facilities[layer][chosen]))
            nearest = nearest_facility(network.graph, network.links, network.demand, places)
            self.found[key] = Nearest(nearest.seconds, rows[nearest.facility], nearest.node_s)
        return self.found[key]

    def covered(
        self, layer: str, chosen: np.ndarray, *, profile: str, cutoff_min: Mapping[AreaType, float]
    ) -> np.ndarray:
        """Tell which demand points are within the cutoff of their zone's area type; False beyond the zones."""
        seconds = self.nearest(layer, chosen, profile=profile).seconds
        return np.asarray(seconds <= cutoffs_by_type(cutoff_min, self.layers) + TIME_TOLERANCE_S)

    def catchment(
        self, layer: str, chosen: np.ndarray, *, profile: str, cutoff_min: Mapping[AreaType, float]
    ) -> csr_array:
        """Return the pairs of chosen facilities and demand points within the cutoff, in seconds."""
        network = self.networks[profile]
        places = network.snap(xy_of(self.layers.facilities[layer][chosen]))
        limit_s = 60.0 * max(cutoff_min.values())
        within = catchments(network.graph, network.links, network.standing, places, limit_s=limit_s)
        return within_own_cutoff(within, cutoffs_by_type(cutoff_min, self.layers))

    def within_radius(self, layer: str, chosen: np.ndarray, radius_m: Mapping[AreaType, float]) -> np.ndarray:
        """Tell which demand points lie within a straight line of their zone's area type from a chosen facility."""
        facilities = xy_of(self.layers.facilities[layer][chosen])
        points = self.layers.demand.points[["x_m", "y_m"]].to_numpy(dtype=np.float64)
        limit_m = cutoffs_by_type(radius_m, self.layers) / 60.0
        if not len(facilities):
            return np.zeros(len(points), dtype=np.bool_)
        distance_m, _ = cKDTree(facilities).query(points)
        return np.asarray(distance_m <= limit_m)

    def between(self, start: gpd.GeoDataFrame, end: gpd.GeoDataFrame, *, profile: str) -> tuple[Floats, Ints]:
        """Return the travel time from each place to the nearest of others, seconds, and that one's row (-1: none)."""
        network = self.networks[profile]
        from_, to = network.snap(xy_of(start)), network.snap(xy_of(end))
        nearest = nearest_facility(network.graph, network.links, from_, to)
        return nearest.seconds, nearest.facility


def xy_of(frame: gpd.GeoDataFrame) -> Floats:
    """Return the places of a frame of points in metres, shape (rows, 2)."""
    return np.column_stack([frame.geometry.x, frame.geometry.y]).astype(np.float64).reshape(-1, 2)


def chosen_of(
    layer: FacilityLayer, facilities: pd.DataFrame, *, tiers: Sequence[str] | None = None, own_only: bool = False
) -> np.ndarray:
    """Tell which facilities of a layer serve: those of the tiers, and of higher ones where tiers are inclusive.

    Parameters
    ----------
    layer
        Its tiers stand highest first.
    facilities
        The layer's frame.
    tiers
        By default all.
    own_only
        Whether facilities beyond the zones are left out.
    """
    chosen = np.ones(len(facilities), dtype=np.bool_)
    if tiers is not None:
        chosen = chosen & facilities["tier"].isin(serving_tiers(layer, tiers)).to_numpy()
    if own_only:
        chosen = chosen & facilities["zone_id"].notna().to_numpy()
    return chosen


def serving_tiers(layer: FacilityLayer, tiers: Sequence[str]) -> list[str]:
    """Return the tiers whose facilities serve the circle of the tiers given."""
    ordered = [tier.id for tier in layer.tiers]
    if not layer.tiers_inclusive:
        return [tier for tier in ordered if tier in tiers]
    last = max((ordered.index(tier) for tier in tiers if tier in ordered), default=-1)
    return ordered[: last + 1]
