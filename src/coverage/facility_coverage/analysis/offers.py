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

from facility_coverage.analysis.existing import adjustable
from facility_coverage.analysis.siting import Instance
from facility_coverage.analysis.trips import Trips, cutoffs_by_type, within_own_cutoff
from facility_coverage.config.siting import Served, Siting
from facility_coverage.layers.candidates import junction_candidates
from facility_coverage.layers.model import Candidates, Floats, Ints, Layers
from facility_coverage.network.catchment import catchments
from facility_coverage.network.links import TIME_TOLERANCE_S
from facility_coverage.network.network import Network
from facility_coverage.network.travel import nearest_facility

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Block:
    """What one layer brings to an offer.

    Attributes
    ----------
    served
        What a new building would be in this layer.
    trip
        The layer's trips.
    columns
        Its people among those of the offer.
    point
        Their rows among the study's demand points, shape (people of the block,).
    closable, enlargeable
        Which of the layer's facilities may be closed or enlarged, shape (facilities,).
    """

    served: Served
    trip: Trips
    columns: slice
    point: Ints
    closable: Bools
    enlargeable: Bools


@dataclass(frozen=True)
class Offer:
    """What may be open after building, and the people of the layers that a building would serve.

    Attributes
    ----------
    sites
        Facilities that may be closed, then places where one could build: `action` (what opening it is: ``keep`` or
        ``open``), `layer` (of a facility), `candidate_id` (or facility_id), `name`, `price`, `zone_id`, capacities that
        files of candidates name, points.
    people, zone, point
        Of each populated demand point and layer: what it counts, the row of its zone, and its row among the study's
        demand points.
    seconds
        Trips to sites, sparse, shape (sites, people): those within the cutoff, or those up to `longest_min` where the
        siting names it.
    cutoff_s
        Of each, shape (people,).
    now_s, fixed_s
        To the nearest facility that is there, and to the nearest that stays anyway; NaN without any, shape (people,).
    longest_s
        Of `longest_min`, NaN without.
    blocks
        What each layer brings.
    again
        Where being covered twice counts: who is within the cutoff of two or more of the facilities that stay anyway,
        shape (people,); else None.
    """

    sites: gpd.GeoDataFrame
    people: Floats
    zone: Ints
    point: Ints
    seconds: csr_array
    cutoff_s: Floats
    now_s: Floats
    fixed_s: Floats
    longest_s: float
    blocks: tuple[Block, ...]
    again: Bools | None = None

    @property
    def done(self) -> Bools:
        """Tell who is within the cutoff of what is there, shape (people,)."""
        return np.asarray(self.now_s <= self.cutoff_s + TIME_TOLERANCE_S)

    @property
    def place_count(self) -> int:
        """Return how many places there are where one could build."""
        return int((self.sites["action"] == "open").sum())

    @property
    def there(self) -> Bools:
        """Tell which sites of an instance are there now: what stays anyway, and what may be closed."""
        own = (self.sites["action"] == "keep").to_numpy(dtype=np.bool_)
        return np.concatenate([[True], own, np.full(int(self.again is not None), True)])

    def covering(self) -> Instance:
        """Return who is within the cutoff of what; what stays anyway is one site that is open, the first.

        Where being covered twice counts, it is a second one too, the last, for those whom it covers twice.
        """
        own = self.seconds if np.isnan(self.longest_s) else within_own_cutoff(self.seconds, self.cutoff_s)
        return self._instance(own, self.fixed_s <= self.cutoff_s + TIME_TOLERANCE_S)

    def distances(self) -> Instance:
        """Return who is how far from what, up to the longest trip; what stays anyway is the first site."""
        return self._instance(self.seconds, self.fixed_s <= self.longest_s + TIME_TOLERANCE_S)

    def _instance(self, reach: csr_array, near: Bools) -> Instance:
        points = np.flatnonzero(near)
        there = csr_array((self.fixed_s[points], points, np.array([0, len(points)])), shape=(1, len(self.people)))
        price = np.concatenate([[0.0], self.sites["price"].to_numpy(dtype=np.float64)])
        rows, kept = [there, reach], np.arange(len(price)) == 0
        if self.again is not None:
            rows.append(csr_array(self.again[None, :].astype(np.float64)))
            price, kept = np.append(price, 0.0), np.append(kept, True)
        return Instance.of(csr_array(vstack(rows, format="csr")), self.people, price=price, kept=kept)


def make_offer(
    asked: Siting,
    layers: Layers,
    candidates: Candidates,
    trips: Sequence[Trips],
    networks: Mapping[str, Network],
    *,
    threads: int = 1,
) -> Offer:
    """Find what a siting may choose among, and everybody's trips to it.

    A building that serves several layers counts the people of each.

    Raises
    ------
    LayerError
        If no facility is as the siting says that those are which may be closed or enlarged.
    """
    by_layer = {trip.layer.id: trip for trip in trips}
    places = places_of(asked, layers, candidates, networks[by_layer[asked.serves[0].layer].layer.profile])
    longest_s = np.nan if asked.longest_min is None else 60.0 * asked.longest_min
    parts, blocks, closable, first = [], [], [], 0
    for served in asked.serves:
        trip = by_layer[served.layer]
        network = networks[trip.layer.profile]
        cutoff_s = cutoffs_by_type(trip.layer.cutoff_min, layers)
        people, zone = _demand(served, layers, trip)
        lived = np.flatnonzero((people > 0) & (zone >= 0))
        limit_s = np.full(len(people), longest_s) if asked.longest_min else cutoff_s
        block = Block(served, trip, slice(first, first + len(lived)), lived, *adjustable(asked, served, trip))
        first += len(lived)
        own = closable_sites(block)
        seconds = _within(pd.concat([own, places]) if len(own) else places, network, limit_s, threads=threads)
        seconds = csr_array(seconds[:, lived])
        now_s, fixed_s = trip.nearest.seconds[lived], _fixed_s(block, network)
        parts.append((people[lived], zone[lived], lived, cutoff_s[lived], now_s, fixed_s, seconds))
        blocks.append(block)
        closable.append(own)
    people, zone, point, cutoff_s, now_s, fixed_s = (np.concatenate([part[i] for part in parts]) for i in range(6))
    sites = gpd.GeoDataFrame(
        pd.concat([*(own for own in closable if len(own)), places.assign(action="open", layer="")], ignore_index=True),
        geometry="geometry", crs=layers.crs,
    )  # fmt: skip
    seconds = _together([part[6] for part in parts], [len(own) for own in closable])
    again = np.concatenate([_twice(block) for block in blocks]) if asked.problem == "backup" else None
    return Offer(sites, people, zone, point, seconds, cutoff_s, now_s, fixed_s, longest_s, tuple(blocks), again)


def _twice(block: Block) -> Bools:
    """Tell who is within the cutoff of two or more facilities that stay anyway, shape (people of the block,)."""
    stay = csr_array(block.trip.catchment[np.flatnonzero(~block.closable)])
    return np.asarray(np.bincount(stay.indices, minlength=stay.shape[1])[block.point] > 1)


def _together(parts: Sequence[csr_array], own: Sequence[int]) -> csr_array:
    """Return the trips of all layers: to each one's own facilities, then to the places that serve all of them."""
    if len(parts) == 1:
        return parts[0]
    places = csr_array(hstack([part[count:] for part, count in zip(parts, own, strict=True)], format="csr"))
    columns = np.cumsum([0, *(part.shape[1] for part in parts)])
    rows = [
        csr_array((part[:count].data, part[:count].indices + start, part[:count].indptr), (count, columns[-1]))
        for part, count, start in zip(parts, own, columns[:-1], strict=True)
        if count
    ]
    return csr_array(vstack([*rows, places], format="csr"))


def _fixed_s(block: Block, network: Network) -> Floats:
    """Return seconds to the nearest facility of a layer that stays anyway, shape (people of the block,)."""
    if not block.closable.any():
        return np.asarray(block.trip.nearest.seconds[block.point])
    stay = block.trip.facilities[~block.closable]
    places = network.snap(shapely.get_coordinates(stay.geometry.to_numpy()))
    return np.asarray(nearest_facility(network.graph, network.links, network.demand, places).seconds[block.point])


def closable_sites(block: Block) -> gpd.GeoDataFrame:
    """Return the facilities of a layer that may be closed, as sites."""
    rows = block.trip.facilities[block.closable]
    price = block.served.existing.keep_price if block.served.existing is not None else None
    return gpd.GeoDataFrame(
        {"action": "keep", "layer": block.served.layer, "candidate_id": rows["facility_id"].to_numpy(),
         "name": rows["name"].to_numpy(), "price": np.full(len(rows), price or 0.0),
         "zone_id": rows["zone_id"].to_numpy()},
        geometry=rows.geometry.to_numpy(), crs=rows.crs,
    )  # fmt: skip


def places_of(asked: Siting, layers: Layers, candidates: Candidates, network: Network) -> gpd.GeoDataFrame:
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
