"""Proposals: the sites that answer a study's question of where to build next, and the study after building them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd

from facility_coverage.analysis import centers
from facility_coverage.analysis.offers import Bools, Offer, make_offer
from facility_coverage.analysis.siting import Instance, Solution
from facility_coverage.analysis.solving import greedy_objective, solve, worth_of
from facility_coverage.analysis.trips import Trips
from facility_coverage.analysis.worth import Covering, Nearness, in_order, part_of
from facility_coverage.config.siting import DISTANT, Siting
from facility_coverage.layers.model import Candidates, Layers
from facility_coverage.network.network import Network

UNITS = {"p_median": "person_minutes", "p_center": "minutes"}
"""What gains and reached values are in; elsewhere people."""


@dataclass(frozen=True)
class Farthest:
    """Whose trip is the longest: minutes, and where they live."""

    minutes: float
    zone_id: str
    x_m: float
    y_m: float


@dataclass(frozen=True)
class Proposal:
    """Where to build.

    Attributes
    ----------
    siting
        The question.
    sites
        In the order of building, the one that gains most first: `order` (from 1), `candidate_id`, `name`, `zone_id`,
        `price`, `gain` (in `unit`, beyond what those before gain), `reached` (in `unit`, what is reached after
        building it: people covered, person-minutes left, minutes of the longest trip), `alone` (what it would gain by
        itself), `covered` and `share` (people within the cutoff, of all people, existing facilities counted, after
        building), points.
    candidate_count, demand_count
        How many sites and populated points there were to choose among and for.
    people, covered_before
        Of the groups served, weighted; covered by what is there.
    solution
        Objective and bound, existing facilities counted.
    greedy
        What choosing the best next site again and again would reach, NaN where it reaches no goal.
    lacking
        Of an infeasible goal: `zone_id`, `wanted` and `most` (shares), where all candidates together do not reach it.
    before
        What was reached before building, as in `reached`.
    unreached
        People whom neither what is there nor any candidate reaches within the longest trip; NaN where nothing is asked
        of that.
    needed
        Of an infeasible p-center: the least price at which everybody would be reached, or a bound of it.
    farthest
        Of p-center and p-median: whose trip is the longest after building.
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
    before: float = np.nan
    unreached: float = np.nan
    needed: float = np.nan
    farthest: Farthest | None = None

    @property
    def unit(self) -> str:
        """What `gain`, `alone` and `reached` are in: people, person_minutes or minutes."""
        return UNITS.get(self.siting.problem, "people")


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
    offer = make_offer(asked, layers, candidates, trips, networks, threads=threads)
    distant = asked.problem in DISTANT
    instance = offer.distances() if distant else offer.covering()
    solution = solve(asked, instance, offer.zone, len(layers.zones))
    greedy = greedy_objective(asked, instance, offer.zone, len(layers.zones))
    proposal = Proposal(
        asked, _in_order(asked, offer, instance, solution), len(offer.places), len(offer.people),
        float(offer.people.sum()), float(offer.people[offer.done].sum()), solution, greedy,
        _lacking(asked, instance, solution, offer, layers), abs(worth_of(asked, instance).value(instance.kept)),
    )  # fmt: skip
    return _in_minutes(proposal, offer, instance, layers) if distant else proposal


def _in_order(asked: Siting, offer: Offer, instance: Instance, solution: Solution) -> gpd.GeoDataFrame:
    """Return the chosen sites in the order in which they gain most, with the gain of each."""
    # What is there is open anyway, also where there is no solution.
    rows = np.flatnonzero(solution.opened | instance.kept)
    part = part_of(instance, rows)
    cover = Covering(part_of(offer.covering(), rows))
    worth = worth_of(asked, part)
    ties = Nearness(part, offer.longest_s) if asked.problem == "p_center" else worth
    opened, total = part.kept.copy(), float(offer.people.sum())
    alone, reached = worth.gains(opened), worth.value(opened)
    at, figures = [], []
    for site, gain in in_order(worth, part.kept, np.flatnonzero(~part.kept).tolist(), ties=ties):
        opened[site] = True
        reached += gain
        covered = cover.value(opened)
        figures.append((gain, abs(reached), float(alone[site]), covered, covered / total if total else np.nan))
        at.append(int(rows[site]) - 1)
    frame = offer.places.iloc[at].reset_index(drop=True)
    names = ["gain", "reached", "alone", "covered", "share"]
    table = pd.DataFrame(figures, columns=names, dtype=float)
    frame = frame.assign(**{name: table[name] for name in names}, order=np.arange(1, len(frame) + 1))
    columns = ["order", "candidate_id", "name", "zone_id", "price", *names, "geometry"]
    return gpd.GeoDataFrame(frame[columns], geometry="geometry", crs=offer.places.crs)


def _in_minutes(proposal: Proposal, offer: Offer, instance: Instance, layers: Layers) -> Proposal:
    """Return a proposal that counts trips with its seconds made minutes, and who is reached, how and who not."""
    found, sites = proposal.solution, proposal.sites
    reached = np.zeros(len(offer.people), dtype=np.bool_)
    reached[instance.reach.indices] = True
    needed = np.nan
    if found.outcome == "infeasible":
        needed = centers.cheapest(instance, time_limit_s=proposal.siting.time_limit_s)
    return replace(
        proposal,
        sites=sites.assign(**{name: sites[name] / 60.0 for name in ("gain", "reached", "alone")}),
        solution=replace(found, objective=found.objective / 60.0, bound=found.bound / 60.0),
        greedy=proposal.greedy / 60.0,
        before=proposal.before / 60.0,
        unreached=float(offer.people[~reached].sum()),
        needed=needed,
        farthest=_farthest(offer, instance, found, layers),
    )


def _farthest(offer: Offer, instance: Instance, found: Solution, layers: Layers) -> Farthest | None:
    """Say whose trip is the longest of all that end at an open site, the first of equals."""
    if not found.opened.any():
        return None
    length = centers.trip_lengths(instance, found.opened)
    length = np.where(np.isfinite(length), length, -np.inf)
    person = int(np.argmax(length))
    if not np.isfinite(length[person]):
        return None
    home = layers.demand.points.iloc[int(offer.point[person])]
    return Farthest(float(length[person]) / 60.0, str(home["zone_id"]), float(home["x_m"]), float(home["y_m"]))


def _lacking(asked: Siting, instance: Instance, solution: Solution, offer: Offer, layers: Layers) -> pd.DataFrame:
    """Say where an infeasible goal cannot be reached, and how far all candidates together would come."""
    if solution.outcome != "infeasible" or (asked.share is None and asked.each_zone is None):
        return pd.DataFrame({"zone_id": [], "wanted": [], "most": []})
    can: Bools = instance.covered(np.ones(len(instance.price), dtype=np.bool_))
    if asked.each_zone is None:
        whole = float(instance.people @ can) / float(instance.people.sum())
        return pd.DataFrame({"zone_id": [""], "wanted": [asked.share], "most": [whole]})
    people = np.bincount(offer.zone, instance.people, minlength=len(layers.zones))
    most = np.bincount(offer.zone, instance.people * can, minlength=len(layers.zones))
    share = most / np.where(people > 0, people, 1.0)
    short = (share < asked.each_zone) & (people > 0)
    ids = layers.zones["zone_id"].to_numpy()[short]
    return pd.DataFrame({"zone_id": ids, "wanted": asked.each_zone, "most": share[short]})


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
