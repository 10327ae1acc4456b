"""Proposals: the sites that a study's siting chooses, in the order of building, with what each of them gains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import csr_array, hstack, vstack

from facility_coverage.analysis import covering, siting
from facility_coverage.analysis.siting import Instance, Solution
from facility_coverage.analysis.trips import Trips, cutoffs_by_type, within_own_cutoff
from facility_coverage.config.goal import GoalBase
from facility_coverage.config.siting import Served, Siting
from facility_coverage.layers.candidates import junction_candidates
from facility_coverage.layers.model import Candidates, Floats, Layers
from facility_coverage.network.catchment import catchments
from facility_coverage.network.links import TIME_TOLERANCE_S
from facility_coverage.network.network import Network

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Proposal:
    """Where to build.

    Attributes
    ----------
    siting
        The question.
    sites
        In the order of building, the one that gains most first: `order` (from 1), `candidate_id`, `name`, `zone_id`,
        `price`, `gain` (people covered that those before do not cover), `alone` (people it would gain by itself),
        `covered` and `share` (of all people, existing facilities counted, after building), points.
    candidate_count, demand_count
        How many sites and populated points there were to choose among and for.
    people, covered_before
        Of the groups served, weighted; covered by what is there.
    solution
        Objective and bound, existing facilities counted.
    greedy
        What choosing the best next site again and again would reach, NaN where the problem is not one of covering.
    lacking
        Of an infeasible goal: `zone_id`, `wanted` and `most` (shares), where all candidates together do not reach it.
        Where the siting asks for a goal of the plan: `level`, `place_id`, `place` (name), `wanted`, `most`, `short`
        (how many of `unit` would still be missing) and `scale` of the figures.
    goal
        The goal of the plan that the sites are to meet, where the siting asks for one.
    """

    siting: Siting
    sites: gpd.GeoDataFrame
    candidate_count: int
    demand_count: int
    people: float
    covered_before: float
    solution: Solution
    greedy: float
    lacking: pd.DataFrame
    goal: GoalBase | None = None


def propose(
    asked: Siting,
    layers: Layers,
    candidates: Candidates,
    trips: Sequence[Trips],
    networks: Mapping[str, Network],
    *,
    threads: int = 1,
) -> Proposal:
    """Choose sites for one siting of a study.

    Existing facilities stay; people whom they cover are covered already. A building that serves several layers counts
    the people that it covers in each.
    """
    by_layer = {trip.layer.id: trip for trip in trips}
    first = by_layer[asked.serves[0].layer]
    places = places_of(asked, layers, candidates, networks[first.layer.profile])
    parts = []
    for served in asked.serves:
        trip = by_layer[served.layer]
        within = _reached(places, layers, trip, networks[trip.layer.profile], threads=threads)
        parts.append((within, *_demand(served, layers, trip)))
    reach = csr_array(hstack([part[0] for part in parts], format="csr"))
    people, done = (np.concatenate([part[i] for part in parts]) for i in (1, 2))
    zone = np.concatenate([part[3] for part in parts])
    lived = np.flatnonzero((people > 0) & (zone >= 0))
    reach, people, done, zone = csr_array(reach[:, lived]), people[lived], done[lived], zone[lived]
    # What is there is one site that is open already.
    existing = csr_array(np.where(done, 1.0, 0.0)[None, :])
    existing.eliminate_zeros()
    price = np.concatenate([[0.0], places["price"].to_numpy(dtype=np.float64)])
    instance = Instance.of(
        csr_array(vstack([existing, reach], format="csr")), people, price=price, kept=np.arange(len(price)) == 0
    )
    solution = _solve(asked, instance, zone, len(layers.zones))
    greedy = np.nan
    if asked.problem == "mclp":
        chosen = covering.greedy(instance, _budget(asked))
        opened = instance.kept.copy()
        opened[chosen] = True
        greedy = float(people @ instance.covered(opened))
    return Proposal(
        asked, in_order(places, instance, solution), len(places), len(people), float(people.sum()),
        float(people[done].sum()), solution, greedy, _lacking(asked, instance, solution, zone, layers),
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


def _reached(places: gpd.GeoDataFrame, layers: Layers, trip: Trips, network: Network, *, threads: int) -> csr_array:
    """Return who is within the cutoff of each candidate, shape (candidates, points)."""
    spots = network.snap(shapely.get_coordinates(places.geometry.to_numpy()))
    limit_s = 60.0 * max(trip.layer.cutoff_min.values())
    within = catchments(network.graph, network.links, network.standing, spots, limit_s=limit_s, threads=threads)
    return within_own_cutoff(within, cutoffs_by_type(trip.layer.cutoff_min, layers))


def _demand(served: Served, layers: Layers, trip: Trips) -> tuple[Floats, Bools, npt.NDArray[np.int64]]:
    """Return what each demand point counts, whether it is covered already, and the row of its zone (-1: beyond)."""
    points = layers.demand.points
    people = served.weight * points[served.group or trip.layer.group].fillna(0.0).to_numpy(dtype=np.float64)
    done = np.asarray(trip.nearest.seconds <= cutoffs_by_type(trip.layer.cutoff_min, layers) + TIME_TOLERANCE_S)
    rows = pd.Series(np.arange(len(layers.zones)), index=layers.zones["zone_id"].to_numpy())
    return people, done, points["zone_id"].map(rows).fillna(-1).to_numpy(dtype=np.int64)


def _budget(asked: Siting) -> float:
    return float(asked.sites if asked.sites is not None else asked.budget or 0.0)


def _solve(asked: Siting, instance: Instance, zone: npt.NDArray[np.int64], zones: int) -> Solution:
    limit_s, gap = asked.time_limit_s, asked.gap
    if asked.problem == "lscp":
        if asked.each_zone is not None:
            shares = np.full(zones, asked.each_zone)
            return siting.lscp_goal(instance, zone, shares, time_limit_s=limit_s, gap=gap)
        if asked.share is not None:
            whole = np.zeros_like(zone), np.array([asked.share])
            return siting.lscp_goal(instance, *whole, time_limit_s=limit_s, gap=gap)
        return siting.lscp(instance, time_limit_s=limit_s)
    # The number of sites is the budget where every one counts the same.
    priced = instance if asked.budget is not None else replace(instance, price=np.where(instance.kept, 0.0, 1.0))
    if asked.problem == "backup":
        weight = asked.second_weight
        return siting.backup(priced, _budget(asked), second_weight=weight, time_limit_s=limit_s, gap=gap)
    return covering.mclp(priced, _budget(asked), time_limit_s=limit_s, gap=gap)


def in_order(places: gpd.GeoDataFrame, instance: Instance, solution: Solution) -> gpd.GeoDataFrame:
    """Return the chosen sites in the order in which they gain most, with the gain of each."""
    cover, people = instance.cover, instance.people
    left = np.where(instance.covered(instance.kept), 0.0, people)
    total, covered = float(people.sum()), float(people.sum() - left.sum())
    alone = np.asarray(cover @ left)
    remaining = [int(site) for site in np.flatnonzero(solution.opened & ~instance.kept)]
    rows = []
    while remaining:
        gains = [float(left[cover.indices[cover.indptr[s] : cover.indptr[s + 1]]].sum()) for s in remaining]
        site = remaining.pop(int(np.argmax(gains)))
        points = cover.indices[cover.indptr[site] : cover.indptr[site + 1]]
        gain = float(left[points].sum())
        left[points] = 0.0
        covered += gain
        rows.append((site - 1, gain, float(alone[site]), covered, covered / total if total else np.nan))
    at = [row[0] for row in rows]
    frame = places.iloc[at].reset_index(drop=True)
    figures = pd.DataFrame([row[1:] for row in rows], columns=["gain", "alone", "covered", "share"], dtype=float)
    frame = frame.assign(**{name: figures[name] for name in figures.columns}, order=np.arange(1, len(frame) + 1))
    columns = ["order", "candidate_id", "name", "zone_id", "price", "gain", "alone", "covered", "share", "geometry"]
    return gpd.GeoDataFrame(frame[columns], geometry="geometry", crs=places.crs)


def _lacking(
    asked: Siting, instance: Instance, solution: Solution, zone: npt.NDArray[np.int64], layers: Layers
) -> pd.DataFrame:
    """Say where an infeasible goal cannot be reached, and how far all candidates together would come."""
    if solution.outcome != "infeasible" or (asked.share is None and asked.each_zone is None):
        return pd.DataFrame({"zone_id": [], "wanted": [], "most": []})
    can = instance.covered(np.ones(len(instance.price), dtype=np.bool_))
    if asked.each_zone is None:
        whole = float(instance.people @ can) / float(instance.people.sum())
        return pd.DataFrame({"zone_id": [""], "wanted": [asked.share], "most": [whole]})
    people = np.bincount(zone, instance.people, minlength=len(layers.zones))
    most = np.bincount(zone, instance.people * can, minlength=len(layers.zones)) / np.where(people > 0, people, 1.0)
    short = (most < asked.each_zone) & (people > 0)
    ids = layers.zones["zone_id"].to_numpy()[short]
    return pd.DataFrame({"zone_id": ids, "wanted": asked.each_zone, "most": most[short]})


def built(layers: Layers, proposals: Sequence[Proposal]) -> Layers:
    """Return the data of a study after building: the proposed sites stand as facilities of the layers they serve."""
    facilities = dict(layers.facilities)
    for proposal in proposals:
        sites = proposal.sites
        for served in proposal.siting.serves:
            frame = facilities[served.layer]
            new = pd.DataFrame({column: pd.Series([None] * len(sites), dtype=object) for column in frame.columns})
            numbered = proposal.siting.id + " " + sites["order"].astype(str)
            new = new.assign(
                facility_id=[f"{proposal.siting.id}-{order:03d}" for order in sites["order"]],
                name=sites["name"].where(sites["name"] != "", numbered).to_numpy(),
                tier=served.tier, zone_id=sites["zone_id"].to_numpy(), geometry=sites.geometry.to_numpy(),
                **served.capacity,
            )  # fmt: skip
            for column in frame.columns:
                if frame[column].dtype == np.float64:
                    new[column] = pd.to_numeric(new[column]).astype(np.float64)
            together = pd.concat([frame, gpd.GeoDataFrame(new, geometry="geometry", crs=layers.crs)])
            facilities[served.layer] = together.sort_values("facility_id").reset_index(drop=True)
    return replace(layers, facilities=facilities)
