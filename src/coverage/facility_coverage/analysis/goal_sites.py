"""Goal sites: the fewest new sites with which a goal of the plan is met, and where they stand.

With one site fewer the goal would not be met. Coverage of people is reached by the cheapest sites that cover enough of
them; facilities, beds and towns are counted, and the sites placed where most people are newly covered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from facility_coverage.analysis.evidence import Evidence, cutoff_of, people_of, zones_in_scope
from facility_coverage.analysis.fewest import fewest
from facility_coverage.analysis.goals import NOISE
from facility_coverage.analysis.measuring import scale_of, unit_of
from facility_coverage.analysis.needed import needed, standing, usable
from facility_coverage.analysis.offers import Offer, places_of
from facility_coverage.analysis.placing import placed
from facility_coverage.analysis.proposals import Proposal, ordered
from facility_coverage.analysis.reach import chosen_of, xy_of
from facility_coverage.analysis.siting import Instance, Solution
from facility_coverage.analysis.trips import cutoffs_by_type, within_own_cutoff
from facility_coverage.analysis.verdicts import Verdict
from facility_coverage.config import measures as ask
from facility_coverage.config.plan import Plan
from facility_coverage.config.siting import Siting
from facility_coverage.config.siting_goals import goals_named
from facility_coverage.errors import Fault, StudyError
from facility_coverage.layers.model import Candidates, Floats, Ints
from facility_coverage.network.catchment import catchments

Bools = npt.NDArray[np.bool_]
_TOLERANCE = NOISE / 2
"""Relative: sums of people within this of a target reach it in every order of adding up."""


@dataclass(frozen=True)
class _Ground:
    """People who count (`people` > 0), who of them is covered, their places, and who is within reach of each candidate.

    `place` numbers the places in which the goal must hold; `ids` are theirs, empty for the whole study.
    """

    candidates: gpd.GeoDataFrame
    people: Floats
    done: Bools
    place: Ints
    ids: list[str]
    reach: csr_array

    def offer(self) -> Offer:
        """Return the same as plain sitings have it: everything that is there stays."""
        count = len(self.people)
        now_s = np.where(self.done, 0.0, np.nan)
        sites = self.candidates.assign(action="open", layer="")
        return Offer(
            sites, self.people, self.place, np.arange(count), self.reach, np.zeros(count), now_s, now_s, np.nan, ()
        )

    def instance(self) -> Instance:
        """Return the sites to choose among; what is there is the first, and open already."""
        return self.offer().covering()


def propose_for_goal(
    asked: Siting,
    plans: Sequence[Plan],
    evidence: Evidence,
    candidates: Candidates,
    verdicts: Sequence[Verdict],
    *,
    threads: int = 1,
) -> Proposal:
    """Choose the fewest sites with which the goal of a siting is met.

    Parameters
    ----------
    asked
        The siting; its goal has been found fit (`config.siting_goals`).
    plans
        Plans of the study.
    evidence
        What the study's goals are judged on.
    candidates
        Those of files, and forbidden ground.
    verdicts
        How the goals stand before building.
    threads
        Results do not depend on it.

    Raises
    ------
    StudyError
        If the goal has no data, so that nobody knows how much it is short of.
    """
    plan, goal = goals_named(str(asked.goal), plans)[0]
    before = next(one for one in verdicts if (one.plan_id, one.goal_id) == (plan.id, goal.id))
    _refuse_unknown(asked, before)
    _refuse_without_districts(asked, goal, evidence)
    if isinstance(goal, ask.PopulationCovered):
        return _by_coverage(asked, goal, evidence, candidates, threads)
    return _by_number(asked, goal, evidence, candidates, threads)


def _refuse_unknown(asked: Siting, before: Verdict) -> None:
    """Refuse a goal of which the study, or one of its places that must meet it, has no figure."""
    faults = []
    places = {"zone": before.zones, "district": before.districts}.get(before.each or "", ())
    unknown = [one.name for one in places if one.reason in ("unknown", "absent")]
    if before.status == "no_data" or before.value is None or unknown:
        where = f" in {', '.join(unknown[:5])}" if unknown else ""
        message = f"the goal {before.goal_id!r} has no data{where}: nobody knows how much is missing"
        faults.append(Fault(f"siting {asked.id}", message, advice=before.note_en or "complete the data it counts"))
    if faults:
        raise StudyError(faults)


def _refuse_without_districts(asked: Siting, goal: Any, evidence: Evidence) -> None:
    """Refuse a goal of districts where some zone is in none."""
    of_districts = goal.scope.each == "district" or getattr(goal, "units", "") == "districts"
    without = [str(zone) for zone, district in evidence.district_of.items() if district is None or district == ""]
    if of_districts and without:
        message = f"the goal {goal.id!r} speaks of districts, and these zones are in none: {', '.join(without[:5])}"
        raise StudyError([Fault(f"siting {asked.id}", message, advice="give each zone its district_id")])


def _by_coverage(
    asked: Siting, goal: ask.PopulationCovered, evidence: Evidence, candidates: Candidates, threads: int
) -> Proposal:
    """Cover the share of the people that the goal wants."""
    assert goal.target is not None  # noqa: S101 - goals without a target have been refused
    ground = _people_and_reach(asked, goal, evidence, candidates, threads)
    instance = ground.instance()
    base = np.bincount(ground.place, ground.people, minlength=len(ground.ids))
    wanted = np.asarray(goal.target.value * base * (1 - _TOLERANCE), dtype=np.float64)
    found = fewest(instance, ground.place, wanted, time_limit_s=asked.time_limit_s, gap=asked.gap)
    short = np.flatnonzero(found.most < wanted)
    lacking = pd.DataFrame(
        {
            "level": goal.scope.each or "study",
            "place_id": [ground.ids[one] for one in short],
            "wanted": float(goal.target.value),
            "most": found.most[short] / base[short],
            "short": np.maximum(1.0, np.ceil(wanted[short] - found.most[short])),
            "unit": unit_of(goal),
            "scale": scale_of(goal),
        }
    )
    return _proposal(asked, "lscp", goal, ground, found.solution, found.greedy, lacking, evidence)


def _by_number(asked: Siting, goal: Any, evidence: Evidence, candidates: Candidates, threads: int) -> Proposal:
    """Build as many as the goal counts, where they cover most people."""
    ground = _people_and_reach(asked, goal, evidence, candidates, threads)
    fit = usable(goal, evidence, ground.candidates["zone_id"], ground.candidates.geometry.to_numpy())
    stands = standing(goal, evidence, ground.candidates).where(fit)
    holds = {column: float(value) for column, value in asked.serves[0].capacity.items()}
    want = needed(goal, evidence, holds, {str(one): int(count) for one, count in stands.value_counts().items()})
    instance = ground.instance()
    if len(want.lacking):
        nothing = np.zeros(len(instance.price), dtype=np.bool_)
        solution = Solution(nothing, np.nan, np.nan, "infeasible", 0.0)
        return _proposal(asked, "mclp", goal, ground, solution, np.nan, want.lacking, evidence)
    number = {unit.id: i for i, unit in enumerate(want.units)}
    site_unit = np.concatenate([[-1], stands.map(number).fillna(-1).to_numpy(dtype=np.int64)])
    found = placed(instance, site_unit, want.units, want.enough, time_limit_s=asked.time_limit_s)
    return _proposal(asked, "mclp", goal, ground, found.solution, found.greedy, want.lacking, evidence)


def _people_and_reach(asked: Siting, goal: Any, evidence: Evidence, candidates: Candidates, threads: int) -> _Ground:
    """Return whose coverage counts: that of the goal, or of the layer where the goal counts something else."""
    layer = evidence.facility_layers[goal.layer]
    network = evidence.reach.networks[layer.profile]
    places = places_of(asked, evidence.layers, candidates, network)
    points = evidence.layers.demand.points
    facilities = evidence.layers.facilities[layer.id]
    of_people = isinstance(goal, ask.PopulationCovered)
    profile = (goal.profile if of_people else None) or layer.profile
    cutoff = cutoff_of(goal, layer) if of_people else dict(layer.cutoff_min)
    own_only = ((goal.facilities_from if of_people else None) or layer.facilities_from) == "own_zones_only"
    chosen = chosen_of(layer, facilities, tiers=goal.tier if of_people else None, own_only=own_only)
    if of_people and goal.radius_m is not None:
        done = evidence.reach.within_radius(layer.id, chosen, goal.radius_m)
        reach = _within_radius(places, evidence, goal.radius_m)
    else:
        done = evidence.reach.covered(layer.id, chosen, profile=profile, cutoff_min=cutoff)
        reach = _within_time(places, evidence, profile, cutoff, threads)
    if of_people:
        zone, people = people_of(goal, evidence, goal.group)
        place, ids = _numbered(goal, evidence, zone)
    else:
        group = asked.serves[0].group or layer.group
        people = points[group].to_numpy(dtype=np.float64)
        place, ids = np.where(points["zone_id"].notna(), 0, -1).astype(np.int64), [""]
    lived = np.flatnonzero((np.nan_to_num(people) > 0) & (place >= 0))
    return _Ground(places, people[lived], done[lived], place[lived], ids, csr_array(reach[:, lived]))


def _numbered(goal: Any, evidence: Evidence, zone: pd.Series) -> tuple[Ints, list[str]]:
    """Return the number of the place of each point in which the goal must hold, and the ids of the places."""
    ids = zones_in_scope(goal.scope, evidence)
    if goal.scope.each is None:
        return np.asarray(np.where(zone.isin(ids), 0, -1), dtype=np.int64), [""]
    name_of = pd.Series(ids, index=ids, dtype=object)
    if goal.scope.each == "district":
        name_of = evidence.district_of.reindex(ids)
    names = list(dict.fromkeys(str(one) for one in name_of))
    number = pd.Series([names.index(str(one)) for one in name_of], index=ids)
    return np.asarray(zone.map(number).fillna(-1), dtype=np.int64), names


def _within_time(places: gpd.GeoDataFrame, evidence: Evidence, profile: str, cutoff: Any, threads: int) -> csr_array:
    """Return who is within the cutoff of each candidate, shape (candidates, points)."""
    network = evidence.reach.networks[profile]
    spots = network.snap(shapely.get_coordinates(places.geometry.to_numpy()))
    limit_s = 60.0 * max(cutoff.values())
    within = catchments(network.graph, network.links, network.standing, spots, limit_s=limit_s, threads=threads)
    return within_own_cutoff(within, cutoffs_by_type(cutoff, evidence.layers))


def _within_radius(places: gpd.GeoDataFrame, evidence: Evidence, radius_m: Any) -> csr_array:
    """Return who lives within a straight line of each candidate, shape (candidates, points)."""
    points = evidence.layers.demand.points[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    limit_m = cutoffs_by_type(radius_m, evidence.layers) / 60.0
    sites = xy_of(places)
    near = cKDTree(points).query_ball_point(sites, max(radius_m.values()) * (1 + 1e-9), return_sorted=True)
    count = np.array([len(one) for one in near], dtype=np.int64)
    column = np.concatenate([np.asarray(one, dtype=np.int64) for one in near]) if len(near) else np.empty(0, np.int64)
    row = np.repeat(np.arange(len(sites)), count)
    away = sites[row] - points[column]
    distance_m = np.sqrt((away * away).sum(axis=1))
    keep = distance_m <= limit_m[column]
    shape = (len(sites), len(points))
    return csr_array((np.ones(int(keep.sum())), (row[keep], column[keep])), shape=shape)


def _proposal(  # noqa: PLR0913, PLR0917 - what a proposal says comes from all of them
    asked: Siting, problem: Any, goal: Any, ground: _Ground, solution: Solution, greedy: float, lacking: pd.DataFrame,
    evidence: Evidence,
) -> Proposal:  # fmt: skip
    names = _names(lacking["level"].tolist(), goal, evidence)
    lacking = lacking.assign(place=lacking["place_id"].map(names).fillna(""))
    done, named = float(ground.people[ground.done].sum()), asked.model_copy(update={"problem": problem})
    offer = ground.offer()
    return Proposal(
        named, ordered(named, offer, offer.covering(), solution), len(ground.candidates), len(ground.people),
        float(ground.people.sum()), done, solution, greedy, lacking, before=done, goal=goal,
    )  # fmt: skip


def _names(levels: Sequence[str], goal: Any, evidence: Evidence) -> dict[str, str]:
    """Return the names of zones, districts or areas by id."""
    if "area" in levels:
        frame, key, named = evidence.layers.areas[goal.units], "area_id", "name"
    elif "district" in levels:
        frame, key = evidence.zones, "district_id"
        named = "district_name" if "district_name" in frame.columns else key
    else:
        frame, key, named = evidence.zones, "zone_id", "name"
    return dict(zip(frame[key].astype(str), frame[named].astype(str), strict=True))
