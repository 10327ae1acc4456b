"""Proposals: the sites that answer a study's question of where to build next, and the study after building them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd

from facility_coverage.analysis import centers
from facility_coverage.analysis.capacitated import greedy as greedy_served
from facility_coverage.analysis.capacitated import mclp_capacitated, steps_of
from facility_coverage.analysis.holding import enlargements, holders_of, new_capacity
from facility_coverage.analysis.offers import Bools, Offer, make_offer
from facility_coverage.analysis.siting import Instance, Solution
from facility_coverage.analysis.solving import budget_of, greedy_objective, solve, worth_of
from facility_coverage.analysis.trips import Trips
from facility_coverage.analysis.worth import Covering, Nearness, closings, in_order, part_of, without_idle
from facility_coverage.analysis.worth import Served as ServedPeople
from facility_coverage.config.goal import GoalBase
from facility_coverage.config.siting import DISTANT, Served, Siting
from facility_coverage.layers.model import Candidates, Layers
from facility_coverage.network.network import Network

UNITS = {"p_median": "person_minutes", "p_center": "minutes", "mclp_capacitated": "people_served"}
"""What gains and reached values are in; elsewhere people."""

_COLUMNS = (
    "order", "action", "layer", "candidate_id", "name", "zone_id", "price", "gain", "reached", "alone", "covered",
    "share",
)  # fmt: skip
_SITE_COLUMNS = ("action", "layer", "candidate_id", "name", "price", "zone_id", "geometry")


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
        In the order of building, the one that gains most first, then what is closed, then what stays of what might
        have been closed: `order` (from 1; 0 for what stays), `action` (open, enlarge, close, keep), `layer` (of an
        existing facility, else empty), `candidate_id` (or facility_id), `name`, `zone_id`, `price`, `gain` (in `unit`,
        beyond what those before gain), `reached` (in `unit`, what is reached after building it: people covered, people
        served, person-minutes left, minutes of the longest trip), `alone` (what it would gain by itself), `covered` and
        `share` (people within the cutoff, of all people, existing facilities counted, after building), capacities that
        files of candidates name, points.
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
        Where the siting asks for a goal of the plan: `level`, `place_id`, `place` (name), `wanted`, `most`, `short`
        (how many of `unit` would still be missing) and `scale` of the figures.
    before
        What was reached before building, as in `reached`.
    unreached
        People whom neither what is there nor any candidate reaches within the longest trip; NaN where nothing is asked
        of that.
    needed
        Of an infeasible p-center: the least price at which everybody would be reached, or a bound of it.
    farthest
        Of p-center: whose trip is the longest after building.
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
    before: float = np.nan
    unreached: float = np.nan
    needed: float = np.nan
    farthest: Farthest | None = None
    goal: GoalBase | None = None

    @property
    def new(self) -> gpd.GeoDataFrame:
        """What is opened and enlarged, in the order of building."""
        return self.sites[self.sites["action"].isin(["open", "enlarge"])]

    @property
    def share_after(self) -> float:
        """Share of the people covered after building and closing."""
        steps = self.sites[self.sites["order"] > 0]
        if len(steps):
            return float(steps["share"].iloc[-1])
        return self.covered_before / self.people if self.people else float(np.nan)

    @property
    def unit(self) -> str:
        """What `gain`, `alone` and `reached` are in: people, people_served, person_minutes or minutes."""
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

    Existing facilities stay where the siting does not say that they may be closed; people whom they cover are covered
    already. A building that serves several layers counts the people that it covers in each.

    Raises
    ------
    LayerError
        If no facility is as those are said to be that may change, or the siting is too large to count capacities.
    """
    offer = make_offer(asked, layers, candidates, trips, networks, threads=threads)
    if asked.problem == "mclp_capacitated":
        return _capacitated(asked, offer)
    distant = asked.problem in DISTANT
    instance = offer.distances() if distant else offer.covering()
    worth = worth_of(asked, instance)
    solution = solve(asked, instance, offer.zone, len(layers.zones))
    if solution.opened.any() and asked.problem != "lscp":
        idle = without_idle(worth, solution.opened, np.flatnonzero(offer.there & ~instance.kept), instance.price)
        solution = replace(solution, opened=idle)
    greedy = greedy_objective(asked, instance, offer.zone, len(layers.zones))
    proposal = Proposal(
        asked, ordered(asked, offer, instance, solution), offer.place_count,
        len(offer.people), float(offer.people.sum()), float(offer.people[offer.done].sum()), solution, greedy,
        _lacking(asked, instance, solution, offer, layers), abs(worth.value(offer.there)),
    )  # fmt: skip
    return _in_minutes(proposal, offer, instance, layers) if distant else proposal


def _capacitated(asked: Siting, offer: Offer) -> Proposal:
    """Choose sites where capacities count."""
    larger = enlargements(offer)
    holders = holders_of(asked, offer, larger)
    budget = budget_of(asked)
    there = np.concatenate([offer.there, np.zeros(len(larger), dtype=np.bool_)])
    known = greedy_served(holders, budget)
    solution = mclp_capacitated(holders, budget, known=known, time_limit_s=asked.time_limit_s, gap=asked.gap)
    worth = ServedPeople(holders)
    solution = replace(
        solution, opened=without_idle(worth, solution.opened, np.flatnonzero(~holders.kept), holders.price)
    )
    opening = solution.opened & ~there
    steps = steps_of(holders, there, opening, budget=np.inf)
    # What serves nobody besides while all the others are still there is built too: others are closed for it.
    idle = sorted(set(np.flatnonzero(opening).tolist()) - {site for site, _ in steps})
    steps += [(site, 0.0) for site in idle]
    closed = closings(worth, there | solution.opened, np.flatnonzero(there & ~solution.opened).tolist())
    now = worth.value(there)
    alone = {site: worth.value(there | (np.arange(len(there)) == site)) - now for site, _ in steps}
    rows = pd.concat([offer.sites, larger], ignore_index=True) if len(larger) else offer.sites
    cover = Covering(offer.covering())
    covered = _covered(cover, [*steps, *closed], there, rows=1 + len(offer.sites))
    sites = _told(rows, [*steps, *closed], alone, (now, covered, float(offer.people.sum())), solution.opened & there)
    return Proposal(
        asked, sites, offer.place_count, len(offer.people), float(offer.people.sum()),
        float(offer.people[offer.done].sum()), solution, worth.value(known), _nowhere(), now,
    )  # fmt: skip


def _covered(cover: Covering, steps: Sequence[tuple[int, float]], there: Bools, *, rows: int) -> list[float]:
    """Return the people covered after each step; to enlarge (sites beyond `rows`) covers nobody else."""
    opened, covered = there[:rows].copy(), []
    for site, _ in steps:
        if site < rows:
            opened[site] = not opened[site]
        covered.append(cover.value(opened))
    return covered


def ordered(asked: Siting, offer: Offer, instance: Instance, solution: Solution) -> gpd.GeoDataFrame:
    """Return what is opened in the order in which it gains most, then what is closed, then what stays."""
    # What is there is open anyway, also where there is no solution.
    there = offer.there
    opened = solution.opened if solution.opened.any() else there
    rows = np.flatnonzero(opened | there)
    part = part_of(instance, rows)
    cover, worth = Covering(part_of(offer.covering(), rows)), worth_of(asked, part)
    ties = Nearness(part, offer.longest_s) if asked.problem == "p_center" else worth
    base, wanted = there[rows], opened[rows]
    steps = in_order(worth, base, np.flatnonzero(wanted & ~base).tolist(), ties=ties)
    alone = dict(enumerate(worth.gains(base).tolist()))
    steps += closings(worth, base | wanted, np.flatnonzero(base & ~wanted).tolist())
    covered = _covered(cover, steps, base, rows=len(rows))
    known = [(int(rows[site]), gain) for site, gain in steps]
    by_itself = {int(rows[site]): alone[site] for site, _ in steps if not base[site]}
    before = (worth.value(base), covered, float(offer.people.sum()))
    return _told(offer.sites, known, by_itself, before, opened & there)


def _told(
    sites: gpd.GeoDataFrame,
    steps: Sequence[tuple[int, float]],
    alone: Mapping[int, float],
    figures: tuple[float, list[float], float],
    kept: Bools,
) -> gpd.GeoDataFrame:
    """Return a row for each step, then for each facility that might have been closed and is kept.

    Parameters
    ----------
    sites
        All sites of the instance but the first, which is what stays anyway.
    steps
        Sites with what each adds.
    alone
        What sites that are opened would add by themselves.
    figures
        What is reached before, the people covered after each step, and all people.
    kept
        Sites that are there and stay.
    """
    reached, covered, total = figures
    stay = np.flatnonzero(kept[1 : 1 + len(sites)])
    at = [site - 1 for site, _ in steps] + stay.tolist()
    gain = np.array([added for _, added in steps], dtype=np.float64)
    nothing = np.full(len(stay), np.nan)
    frame = sites.iloc[at].reset_index(drop=True)
    action = frame["action"].to_numpy(dtype=object)
    action[: len(steps)] = np.where(action[: len(steps)] == "keep", "close", action[: len(steps)])
    share = np.array(covered, dtype=np.float64) / total if total else np.full(len(covered), np.nan)
    frame = frame.assign(
        order=np.concatenate([np.arange(1, len(steps) + 1), np.zeros(len(stay), dtype=np.int64)]),
        action=action,
        gain=np.concatenate([gain, nothing]),
        reached=np.concatenate([np.abs(reached + np.cumsum(gain)), nothing]),
        alone=np.array([alone.get(site, np.nan) for site, _ in steps] + nothing.tolist(), dtype=np.float64),
        covered=np.concatenate([np.array(covered, dtype=np.float64), nothing]),
        share=np.concatenate([share, nothing]),
    )
    capacities = [name for name in sites.columns if name not in _SITE_COLUMNS]
    return gpd.GeoDataFrame(frame[[*_COLUMNS, *capacities, "geometry"]], geometry="geometry", crs=sites.crs)


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
        farthest=None if proposal.unit != "minutes" else _farthest(offer, instance, found, layers),
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


def _nowhere() -> pd.DataFrame:
    return pd.DataFrame({"zone_id": [], "wanted": [], "most": []})


def _lacking(asked: Siting, instance: Instance, solution: Solution, offer: Offer, layers: Layers) -> pd.DataFrame:
    """Say where an infeasible goal cannot be reached, and how far all candidates together would come."""
    if solution.outcome != "infeasible" or (asked.share is None and asked.each_zone is None):
        return _nowhere()
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
    """Return the data of a study after building.

    Proposed sites stand as facilities of the layers they serve, what is closed is gone, what is enlarged holds more.
    """
    facilities = dict(layers.facilities)
    for proposal in proposals:
        for served in proposal.siting.serves:
            frame = _altered(facilities[served.layer], proposal.sites, served)
            together = pd.concat([frame, _new_facilities(frame, proposal, served, layers)])
            facilities[served.layer] = together.sort_values("facility_id").reset_index(drop=True)
    return replace(layers, facilities=facilities)


def _altered(frame: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, served: Served) -> gpd.GeoDataFrame:
    """Return the facilities of a layer without those that are closed, and with those enlarged that are to be."""
    own = sites[sites["layer"] == served.layer]
    of_action = {action: own.loc[own["action"] == action, "candidate_id"] for action in ("close", "enlarge")}
    frame = frame[~frame["facility_id"].isin(of_action["close"])]
    if served.existing is None or served.existing.enlarge is None:
        return frame
    larger = frame["facility_id"].isin(of_action["enlarge"])
    adds = served.existing.enlarge.adds
    return frame.assign(**{column: frame[column].mask(larger, frame[column] + more) for column, more in adds.items()})


def _new_facilities(frame: gpd.GeoDataFrame, proposal: Proposal, served: Served, layers: Layers) -> gpd.GeoDataFrame:
    """Return the sites that are opened as facilities of a layer: a site's file may say what it holds."""
    sites = proposal.sites[proposal.sites["action"] == "open"].reset_index(drop=True)
    new = pd.DataFrame({column: pd.Series([None] * len(sites), dtype=object) for column in frame.columns})
    numbered = proposal.siting.id + " " + sites["order"].astype(str)
    held = {
        column: new_capacity(sites, served, column)
        for column in frame.columns
        if column in served.capacity or column in set(sites.columns) - {*_COLUMNS, "geometry"}
    }
    new = new.assign(
        facility_id=[f"{proposal.siting.id}-{order:03d}" for order in sites["order"]],
        name=sites["name"].where(sites["name"] != "", numbered).to_numpy(),
        tier=served.tier, zone_id=sites["zone_id"].to_numpy(), geometry=sites.geometry.to_numpy(),
        **held,
    )  # fmt: skip
    for column in frame.columns:
        if frame[column].dtype == np.float64:
            new[column] = pd.to_numeric(new[column]).astype(np.float64)
    return gpd.GeoDataFrame(new, geometry="geometry", crs=layers.crs)
