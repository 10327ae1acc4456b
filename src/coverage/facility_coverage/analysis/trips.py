"""Trips: everybody's way to the facilities of one layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from facility_coverage.config.study import AreaType, FacilityLayer
from facility_coverage.layers.model import Floats, Layers
from facility_coverage.network.catchment import catchments
from facility_coverage.network.links import TIME_TOLERANCE_S
from facility_coverage.network.network import Network
from facility_coverage.network.snapping import Places
from facility_coverage.network.travel import Nearest, nearest_facility


@dataclass(frozen=True)
class Trips:
    """Travel between the demand points and one facility layer.

    Attributes
    ----------
    layer
        The layer as the study configures it.
    facilities
        Facilities that may serve the study's people; rows are what `nearest` and `catchment` number.
    places
        The facilities, snapped.
    cutoff_s
        Longest acceptable travel time of each demand point, NaN beyond the zones, shape (points,).
    nearest
        Nearest facility of each demand point.
    catchment
        Seconds between each facility and each demand point of the zones within its cutoff, sparse,
        shape (facilities, points).
    """

    layer: FacilityLayer
    facilities: gpd.GeoDataFrame
    places: Places
    cutoff_s: Floats
    nearest: Nearest
    catchment: csr_array


def travel(
    layer: FacilityLayer,
    layers: Layers,
    network: Network,
    *,
    chosen: np.ndarray | None = None,
    threads: int = 1,
) -> Trips:
    """Compute the travel times between the demand points and one facility layer.

    `chosen` says which facilities count, shape (facilities,); by default those that the layer's `facilities_from` lets
    count. Times are independent of the order of facilities and of `threads`.
    """
    facilities = layers.facilities[layer.id]
    if chosen is not None:
        facilities = facilities[chosen]
    elif layer.facilities_from == "own_zones_only":
        facilities = facilities[facilities["zone_id"].notna()]
    xy = np.column_stack([facilities.geometry.x, facilities.geometry.y])
    places = network.snap(xy)
    cutoff_s = cutoffs_by_type(layer.cutoff_min, layers)
    nearest = nearest_facility(network.graph, network.links, network.demand, places)
    within = catchments(
        network.graph,
        network.links,
        network.standing,
        places,
        limit_s=60.0 * max(layer.cutoff_min.values()),
        threads=threads,
    )
    return Trips(layer, facilities, places, cutoff_s, nearest, within_own_cutoff(within, cutoff_s))


def cutoffs_by_type(cutoff_min: Mapping[AreaType, float], layers: Layers) -> Floats:
    """Return each demand point's cutoff in seconds by the area type of its zone, NaN beyond the zones."""
    return 60.0 * by_area_type(cutoff_min, layers)


def by_area_type(figures: Mapping[AreaType, float], layers: Layers) -> Floats:
    """Return the figure of the area type of each demand point's zone, NaN beyond the zones, shape (points,)."""
    area_type = pd.Series(layers.zones["area_type"].to_numpy(), index=layers.zones["zone_id"].to_numpy())
    figure = layers.demand.points["zone_id"].map(area_type).map(dict(figures))
    return np.asarray(figure.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)


def within_own_cutoff(within: csr_array, cutoff_s: Floats) -> csr_array:
    """Keep the pairs whose seconds are within the demand point's own cutoff."""
    keep = within.data <= (cutoff_s + TIME_TOLERANCE_S)[within.indices]
    kept = np.zeros(len(keep) + 1, dtype=within.indptr.dtype)
    np.cumsum(keep, out=kept[1:])
    if kept[-1] == len(keep):
        return within
    return csr_array((within.data[keep], within.indices[keep], kept[within.indptr]), shape=within.shape)
