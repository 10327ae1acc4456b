"""Holding: what holds how much for whom, where a siting counts capacity."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.sparse import csr_array, vstack

from facility_coverage.analysis.capacitated import MAX_PAIRS, Holders, Sites, TooLargeError, Units
from facility_coverage.analysis.offers import Block, Offer
from facility_coverage.config.siting import Served, Siting
from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers.model import Floats, Ints


def enlargements(offer: Offer) -> gpd.GeoDataFrame:
    """Return the facilities that may be enlarged, as sites: the columns of `Offer.sites`, `action` ``enlarge``."""
    frames = []
    for block in offer.blocks:
        existing = block.served.existing
        if existing is None or existing.enlarge is None:
            continue
        rows = block.trip.facilities[block.enlargeable]
        frames.append(
            gpd.GeoDataFrame(
                {"action": "enlarge", "layer": block.served.layer, "candidate_id": rows["facility_id"].to_numpy(),
                 "name": rows["name"].to_numpy(), "price": existing.enlarge.price,
                 "zone_id": rows["zone_id"].to_numpy()},
                geometry=rows.geometry.to_numpy(), crs=offer.sites.crs,
            )
        )  # fmt: skip
    together = pd.concat(frames, ignore_index=True) if frames else offer.sites.iloc[:0]
    return gpd.GeoDataFrame(together, geometry="geometry", crs=offer.sites.crs)


def holders_of(asked: Siting, offer: Offer, larger: gpd.GeoDataFrame) -> Holders:
    """Return what can serve whom: the sites are those of the offer's instances, then the enlargements.

    Capacities that nobody knows count as none, as in `servable`.

    Raises
    ------
    LayerError
        If there are too many pairs of a facility or site and a group of points.
    """
    reaches, capacities, worths, sites = [], [], [], []
    need = np.zeros(len(offer.people))
    for block in offer.blocks:
        ((column, per_person),) = block.served.per_person.items()
        need[block.columns] = offer.people[block.columns] / block.served.weight * per_person
        for reach, capacity, site in _units(block, offer, larger, column):
            reaches.append(_at(reach, block.columns.start, len(offer.people)))
            capacities.append(np.nan_to_num(capacity, nan=0.0))
            worths.append(np.full(len(site), block.served.weight / per_person))
            sites.append(site)
    units = Units(np.concatenate(capacities), np.concatenate(worths), np.concatenate(sites))
    price = np.concatenate([[0.0], offer.sites["price"], larger["price"]]).astype(np.float64)
    if asked.budget is None:
        price = np.where(np.arange(len(price)) == 0, 0.0, 1.0)
    kept = np.arange(len(price)) == 0
    try:
        together = csr_array(vstack(reaches, format="csr"))
        return Holders.of(together, need, units, Sites(price, kept, _required(offer, larger)))
    except TooLargeError as error:
        message = (
            f"{error.pairs} pairs of a site and people whom it reaches; mclp_capacitated takes {MAX_PAIRS} at most"
        )
        advice = "give fewer candidates: a larger spacing_m, or files of candidates; or ask for mclp"
        raise LayerError([Fault(f"siting {asked.id}", message, field="problem", advice=advice)]) from error


def _units(
    block: Block, offer: Offer, larger: gpd.GeoDataFrame, column: str
) -> Sequence[tuple[csr_array, Floats, Ints]]:
    """Return reach, capacity and site of the units of a layer: facilities, enlargements, new buildings."""
    here, facilities = offer.sites, block.trip.facilities
    there = csr_array(block.trip.catchment[:, block.point])
    own = ((here["layer"] == block.served.layer) & (here["action"] == "keep")).to_numpy()
    site = np.zeros(len(facilities), dtype=np.int64)
    site[block.closable] = 1 + np.flatnonzero(own)
    units = [(there, facilities[column].to_numpy(dtype=np.float64), site)]
    existing = block.served.existing
    if existing is not None and existing.enlarge is not None and column in existing.enlarge.adds:
        mine = np.flatnonzero((larger["layer"] == block.served.layer).to_numpy())
        adds = np.full(len(mine), existing.enlarge.adds[column])
        units.append((csr_array(there[np.flatnonzero(block.enlargeable)]), adds, 1 + len(here) + mine))
    fresh = np.flatnonzero((here["action"] == "open").to_numpy())
    reach = csr_array(offer.seconds[fresh][:, block.columns])
    units.append((reach, new_capacity(here.iloc[fresh], block.served, column), 1 + fresh))
    return units


def new_capacity(places: pd.DataFrame, served: Served, column: str) -> Floats:
    """Return what a new building would hold at each place: what its file says, or else what the siting says."""
    said = served.capacity.get(column, np.nan)
    if column not in places.columns:
        return np.full(len(places), said, dtype=np.float64)
    return np.asarray(places[column].fillna(said), dtype=np.float64)


def _at(reach: csr_array, start: int, people: int) -> csr_array:
    """Return the reach of a layer's units among all people."""
    return csr_array((reach.data, reach.indices + start, reach.indptr), shape=(reach.shape[0], people))


def _required(offer: Offer, larger: gpd.GeoDataFrame) -> Ints:
    """Return the site that must be kept for a facility to be enlarged, -1 where nothing is required."""
    names = zip(offer.sites["action"], offer.sites["layer"], offer.sites["candidate_id"], strict=True)
    kept = {(layer, one): 1 + row for row, (action, layer, one) in enumerate(names) if action == "keep"}
    wanted = [kept.get(key, -1) for key in zip(larger["layer"], larger["candidate_id"], strict=True)]
    return np.array([-1] * (1 + len(offer.sites)) + wanted, dtype=np.int64)
