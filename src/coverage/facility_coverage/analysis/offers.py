"""Offers: what one siting may choose among, for whom, and who is how far from what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import csr_array, hstack, vstack

from facility_coverage.analysis.siting import Instance
from facility_coverage.analysis.trips import Trips, cutoffs_by_type, within_own_cutoff
from facility_coverage.config.siting import Served, Siting
from facility_coverage.layers.candidates import junction_candidates
from facility_coverage.layers.model import Candidates, Floats, Ints, Layers
from facility_coverage.network.catchment import catchments
from facility_coverage.network.links import TIME_TOLERANCE_S
from facility_coverage.network.network import Network

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Offer:
    """Places where one could build, and the people of the layers that a building would serve.

    Attributes
    ----------
    places
        `candidate_id`, `name`, `price`, `zone_id`, points.
    people, zone, point
        Of each populated demand point and layer: what it counts, the row of its zone, and its row among the study's
        demand points.
    seconds
        Trips to places, sparse, shape (places, people): those within the cutoff, or those up to `longest_min` where the
        siting names it.
    cutoff_s
        Of each, shape (people,).
    now_s
        To the nearest facility that is there, NaN without any, shape (people,).
    longest_s
        Of `longest_min`, NaN without.
    """

    places: gpd.GeoDataFrame
    people: Floats
    zone: Ints
    point: Ints
    seconds: csr_array
    cutoff_s: Floats
    now_s: Floats
    longest_s: float

    @property
    def done(self) -> Bools:
        """Tell who is within the cutoff of what is there, shape (people,)."""
        return np.asarray(self.now_s <= self.cutoff_s + TIME_TOLERANCE_S)

    def covering(self) -> Instance:
        """Return who is within the cutoff of what; what is there is one site that is open already, the first."""
        own = self.seconds if np.isnan(self.longest_s) else within_own_cutoff(self.seconds, self.cutoff_s)
        return self._instance(own, self.done)

    def distances(self) -> Instance:
        """Return who is how far from what, up to the longest trip; what is there is the first site."""
        return self._instance(self.seconds, self.now_s <= self.longest_s + TIME_TOLERANCE_S)

    def _instance(self, reach: csr_array, near: Bools) -> Instance:
        points = np.flatnonzero(near)
        there = csr_array((self.now_s[points], points, np.array([0, len(points)])), shape=(1, len(self.people)))
        price = np.concatenate([[0.0], self.places["price"].to_numpy(dtype=np.float64)])
        together = csr_array(vstack([there, reach], format="csr"))
        return Instance.of(together, self.people, price=price, kept=np.arange(len(price)) == 0)


def make_offer(
    asked: Siting,
    layers: Layers,
    candidates: Candidates,
    trips: Sequence[Trips],
    networks: Mapping[str, Network],
    *,
    threads: int = 1,
) -> Offer:
    """Find the places of a siting and everybody's trips to them.

    A building that serves several layers counts the people of each.
    """
    by_layer = {trip.layer.id: trip for trip in trips}
    first = by_layer[asked.serves[0].layer]
    places = _places(asked, layers, candidates, networks[first.layer.profile])
    longest_s = np.nan if asked.longest_min is None else 60.0 * asked.longest_min
    parts = []
    for served in asked.serves:
        trip = by_layer[served.layer]
        cutoff_s = cutoffs_by_type(trip.layer.cutoff_min, layers)
        people, zone = _demand(served, layers, trip)
        lived = np.flatnonzero((people > 0) & (zone >= 0))
        limit_s = np.full(len(people), longest_s) if asked.longest_min else cutoff_s
        seconds = _within(places, networks[trip.layer.profile], limit_s, threads=threads)
        seconds = csr_array(seconds[:, lived])
        parts.append((people[lived], zone[lived], lived, cutoff_s[lived], trip.nearest.seconds[lived], seconds))
    people, zone, point, cutoff_s, now_s = (np.concatenate([part[i] for part in parts]) for i in range(5))
    seconds = parts[0][5] if len(parts) == 1 else csr_array(hstack([part[5] for part in parts], format="csr"))
    return Offer(places, people, zone, point, seconds, cutoff_s, now_s, longest_s)


def _places(asked: Siting, layers: Layers, candidates: Candidates, network: Network) -> gpd.GeoDataFrame:
    """Return all candidates: those of files, and junctions where they are asked for."""
    found = [candidates.frame]
    if asked.spacing_m is not None:
        graph = network.graph
        nodes = np.unique(np.concatenate([graph.tail, graph.head]))
        place = np.empty((graph.node_count, 2))
        place[graph.tail] = graph.xy[graph.start[:-1]]
        place[graph.head] = graph.xy[graph.start[1:] - 1]
        found.append(junction_candidates(place[nodes], layers.zones, candidates.forbidden, spacing_m=asked.spacing_m))
    frame = pd.concat([one for one in found if len(one)], ignore_index=True) if any(map(len, found)) else found[0]
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=layers.crs)


def _within(places: gpd.GeoDataFrame, network: Network, limit_s: Floats, *, threads: int) -> csr_array:
    """Return who is within their own limit of each candidate, in seconds, shape (candidates, points)."""
    spots = network.snap(shapely.get_coordinates(places.geometry.to_numpy()))
    most = float(np.nanmax(limit_s))
    within = catchments(network.graph, network.links, network.standing, spots, limit_s=most, threads=threads)
    return within_own_cutoff(within, limit_s)


def _demand(served: Served, layers: Layers, trip: Trips) -> tuple[Floats, Ints]:
    """Return what each demand point counts, and the row of its zone (-1: beyond)."""
    points = layers.demand.points
    people = served.weight * points[served.group or trip.layer.group].fillna(0.0).to_numpy(dtype=np.float64)
    rows = pd.Series(np.arange(len(layers.zones)), index=layers.zones["zone_id"].to_numpy())
    return people, points["zone_id"].map(rows).fillna(-1).to_numpy(dtype=np.int64)
