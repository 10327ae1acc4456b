"""Proposals on a lattice: candidates of files and junctions, forbidden ground, several layers, goals out of reach."""

from __future__ import annotations

import itertools
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import builders
from facility_coverage.analysis.proposals import Proposal, built, propose
from facility_coverage.analysis.trips import travel
from facility_coverage.config.siting import Siting
from facility_coverage.layers.candidates import junction_candidates
from facility_coverage.layers.model import Candidates, Layers

WAYS = builders.lattice(9, 7, step_m=100.0)  # 800 by 600 m, walked at 1 m/s
ZONES = {"a": ("urban", shapely.box(-50, -50, 400, 650)), "b": ("urban", shapely.box(400, -50, 850, 650))}
NOTHING = shapely.MultiPolygon()


def people(seed: int = 3, count: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, 800, count), rng.uniform(0, 600, count)
    total = rng.integers(1, 50, count).astype(float)
    zone = np.where(x <= 400, "a", "b")
    return pd.DataFrame(
        {"demand_id": [str(i) for i in range(count)], "zone_id": zone, "x_m": x, "y_m": y, "total": total}
    )


def asked(**options: Any) -> Siting:
    given = {"id": "next", "name": "next", "serves": [{"layer": "clinics"}], "sites": 2, "spacing_m": 100.0}
    return Siting.model_validate({k: v for k, v in (given | options).items() if v is not None})


def proposed(
    siting: Siting, *, own: pd.DataFrame | None = None, forbidden: Any = NOTHING, **layer: Any
) -> tuple[Proposal, Layers, Any, Any]:
    points = people()
    layers = builders.layers(WAYS, ZONES, points, {"f1": (50.0, 50.0, "a")})
    clinics = builders.facility_layer(cutoff_min=3, **layer)  # 180 m
    network = builders.network(WAYS, points[["x_m", "y_m"]].to_numpy())
    trip = travel(clinics, layers, network)
    rows = (
        own
        if own is not None
        else pd.DataFrame({"candidate_id": [], "name": [], "price": [], "zone_id": [], "x": [], "y": []})
    )
    frame = gpd.GeoDataFrame(
        rows.drop(columns=["x", "y"]), geometry=gpd.points_from_xy(rows["x"], rows["y"]), crs=layers.crs
    )
    candidates = Candidates(frame, forbidden)
    return propose(siting, layers, candidates, [trip], {"walker": network}), layers, trip, network


def covered_with(places: list[tuple[float, float]], network: Any, layers: Layers) -> float:
    """People within three minutes of what is there or of the places, by a search of its own."""
    from facility_coverage.network.travel import nearest_facility  # noqa: PLC0415 - the room below, asked afresh

    sites = network.snap(np.array([(50.0, 50.0), *places]))
    seconds = nearest_facility(network.graph, network.links, network.demand, sites).seconds
    return float(layers.demand.points["total"].to_numpy()[seconds <= 180 + 1e-6].sum())


def test_two_sites_cover_as_many_as_the_best_pair_of_all() -> None:
    proposal, layers, _, network = proposed(asked())
    corners = {(0, 0), (8, 0), (0, 6), (8, 6)}  # where two streets end is no junction
    junctions = [(100.0 * c, 100.0 * r) for c in range(9) for r in range(7) if (c, r) not in corners]
    best = max(covered_with(list(pair), network, layers) for pair in itertools.combinations(junctions, 2))
    assert proposal.candidate_count == 59
    assert proposal.solution.objective == pytest.approx(best)
    at = list(zip(proposal.sites.geometry.x, proposal.sites.geometry.y, strict=True))
    assert covered_with(at, network, layers) == pytest.approx(best)
    assert proposal.covered_before == pytest.approx(covered_with([], network, layers))
    assert proposal.covered_before + proposal.sites["gain"].sum() == pytest.approx(best)
    assert proposal.sites["covered"].iloc[-1] == pytest.approx(best)
    assert proposal.sites["share"].iloc[-1] == pytest.approx(best / layers.demand.points["total"].sum())
    first = at[0]
    assert proposal.sites["alone"].iloc[0] == pytest.approx(
        covered_with([first], network, layers) - proposal.covered_before
    )
    assert proposal.greedy <= proposal.solution.objective


def test_built_sites_are_facilities_and_gain_what_was_promised() -> None:
    proposal, layers, trip, network = proposed(asked())
    after = built(layers, [proposal])
    assert len(after.facilities["clinics"]) == 3
    assert after.facilities["clinics"]["facility_id"].is_unique
    again = travel(trip.layer, after, network)
    reached = again.nearest.seconds <= again.cutoff_s + 1e-6
    assert float(layers.demand.points["total"][reached].sum()) == pytest.approx(proposal.solution.objective)


def test_files_have_prices_and_forbidden_ground_has_no_sites() -> None:
    own = pd.DataFrame(
        {"candidate_id": ["dear", "cheap"], "name": ["Dear", "Cheap"], "price": [10.0, 1.0], "zone_id": ["b", "b"],
         "x": [700.0, 600.0], "y": [500.0, 500.0]}
    )  # fmt: skip
    proposal, *_ = proposed(asked(sites=None, budget=5, spacing_m=None, candidates=[{"path": "x.csv"}]), own=own)
    assert proposal.sites["candidate_id"].tolist() == ["cheap"]
    assert proposal.sites["price"].tolist() == [1.0]
    fenced, *_ = proposed(asked(sites=6), forbidden=shapely.box(350, -100, 900, 700))
    assert len(fenced.sites)
    assert (fenced.sites.geometry.x < 350).all()


def test_a_goal_for_every_town_is_met_by_the_fewest_sites() -> None:
    proposal, layers, _, network = proposed(asked(problem="lscp", sites=None, each_zone=0.5))
    points = layers.demand.points
    after = built(layers, [proposal])
    places = [(p.x, p.y) for p in after.facilities["clinics"].geometry]
    from facility_coverage.network.travel import nearest_facility  # noqa: PLC0415

    seconds = nearest_facility(network.graph, network.links, network.demand, network.snap(np.array(places))).seconds
    for zone in "ab":
        inside = (points["zone_id"] == zone).to_numpy()
        total = points["total"].to_numpy()
        assert total[inside & (seconds <= 180 + 1e-6)].sum() >= 0.5 * total[inside].sum() - 1e-9
    assert proposal.solution.objective == len(proposal.sites)


def test_a_goal_out_of_reach_says_where_and_how_far_off() -> None:
    proposal, *_ = proposed(
        asked(problem="lscp", sites=None, each_zone=0.9), forbidden=shapely.box(300, -100, 900, 700)
    )
    assert proposal.solution.outcome == "infeasible"
    assert "b" in proposal.lacking["zone_id"].tolist()
    assert (proposal.lacking["most"] < 0.9).all()
    assert len(proposal.sites) == 0


def test_a_shared_building_counts_people_in_each_layer_it_serves() -> None:
    once, *_ = proposed(asked(sites=1))
    twice, *_ = proposed(asked(sites=1, serves=[{"layer": "clinics"}, {"layer": "clinics", "weight": 2.0}]))
    assert twice.solution.objective == pytest.approx(3 * once.solution.objective)
    assert twice.people == pytest.approx(3 * once.people)


def test_junctions_are_thinned_to_the_one_nearest_each_centre() -> None:
    zones = gpd.GeoDataFrame({"zone_id": ["a"]}, geometry=[shapely.box(0, 0, 400, 200)], crs="EPSG:32648")
    xy = np.array([(10.0, 10.0), (90.0, 110.0), (101.0, 99.0), (350.0, 50.0), (999.0, 50.0)])
    found = junction_candidates(xy, zones, NOTHING, spacing_m=200.0)
    assert shapely.get_coordinates(found.geometry.to_numpy()).tolist() == [[101.0, 99.0], [350.0, 50.0]]
    assert found["candidate_id"].tolist() == ["J101_99", "J350_50"]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"spacing_m": None}, "give candidates, spacing_m or both"),
        ({"sites": None}, "give sites or budget"),
        ({"budget": 3}, "give sites or budget"),
        ({"problem": "lscp"}, "remove sites and budget"),
        ({"problem": "lscp", "sites": None, "share": 0.5, "each_zone": 0.5}, "not both"),
        ({"share": 0.5}, "goals of lscp"),
        ({"problem": "p_median"}, "p_median needs longest_min"),
        ({"problem": "p_center"}, "p_center needs longest_min"),
        ({"longest_min": 30}, "longest_min is for p_median and p_center"),
        ({"problem": "p_median", "longest_min": 30, "sites": None}, "give sites or budget"),
    ],
)
def test_a_siting_asks_one_question(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        asked(**keys)


CORNERS = {(0, 0), (8, 0), (0, 6), (8, 6)}
JUNCTIONS = [(100.0 * c, 100.0 * r) for c in range(9) for r in range(7) if (c, r) not in CORNERS]


def minutes_with(places: list[tuple[float, float]], network: Any) -> np.ndarray:
    """Minutes to the nearest of what is there and the places, by a search of its own."""
    from facility_coverage.network.travel import nearest_facility  # noqa: PLC0415 - the room below, asked afresh

    sites = network.snap(np.array([(50.0, 50.0), *places]))
    return nearest_facility(network.graph, network.links, network.demand, sites).seconds / 60.0


def minutes_of_pairs(network: Any) -> list[np.ndarray]:
    each = [minutes_with([place], network) for place in JUNCTIONS]
    return [np.minimum(one, other) for one, other in itertools.combinations(each, 2)]


def test_shortest_trips_are_those_of_the_best_pair_and_gains_are_what_building_gains() -> None:
    proposal, layers, trip, network = proposed(asked(problem="p_median", longest_min=10))
    total = layers.demand.points["total"].to_numpy()

    def left(minutes: np.ndarray) -> float:
        return float(total @ np.minimum(minutes, 10.0))

    best = min(left(minutes) for minutes in minutes_of_pairs(network))
    at = list(zip(proposal.sites.geometry.x, proposal.sites.geometry.y, strict=True))
    assert proposal.unit == "person_minutes"
    none, one, both = (left(minutes_with(at[:count], network)) for count in range(3))
    assert proposal.before == pytest.approx(none)
    assert proposal.solution.objective == pytest.approx(both)
    assert both == pytest.approx(best)
    assert proposal.greedy >= best - 1e-6
    assert proposal.sites["reached"].tolist() == pytest.approx([one, both])
    assert proposal.sites["gain"].sum() == pytest.approx(none - both)
    assert proposal.sites["covered"].iloc[-1] == pytest.approx(covered_with(at, network, layers))
    assert proposal.unreached == 0
    again = travel(trip.layer, built(layers, [proposal]), network).nearest.seconds / 60.0
    assert float(total @ np.minimum(again, 10.0)) == pytest.approx(proposal.solution.objective)


def test_the_longest_trip_is_told_with_whose_it_is() -> None:
    proposal, layers, trip, network = proposed(asked(problem="p_center", longest_min=20))
    again = travel(trip.layer, built(layers, [proposal]), network).nearest.seconds / 60.0
    points = layers.demand.points
    assert proposal.farthest is not None
    assert proposal.unit == "minutes"
    assert proposal.solution.objective == pytest.approx(float(again.max()))
    assert proposal.before == pytest.approx(float(minutes_with([], network).max()))
    assert proposal.farthest.minutes == pytest.approx(float(again.max()))
    home = points[(points["x_m"] == proposal.farthest.x_m) & (points["y_m"] == proposal.farthest.y_m)]
    assert home["zone_id"].tolist() == [proposal.farthest.zone_id]
    assert again[home.index[0]] == pytest.approx(proposal.farthest.minutes)
    assert proposal.sites["gain"].sum() == pytest.approx(proposal.before - proposal.solution.objective)
    least = min(float(minutes.max()) for minutes in minutes_of_pairs(network))
    assert proposal.solution.objective == pytest.approx(least)
    assert proposal.greedy >= least - 1e-9


def test_too_few_sites_to_reach_all_say_how_many_it_takes() -> None:
    proposal, *_ = proposed(asked(problem="p_center", longest_min=3, sites=1))
    assert proposal.solution.outcome == "infeasible"
    assert len(proposal.sites) == 0
    fewest, *_ = proposed(asked(problem="lscp", sites=None))
    assert proposal.needed == fewest.solution.objective
    enough, *_ = proposed(asked(problem="p_center", longest_min=3, sites=int(proposal.needed)))
    assert enough.solution.outcome == "optimal"


@pytest.mark.parametrize(
    "keys", [{}, {"problem": "backup"}, {"problem": "lscp", "sites": None}, {"problem": "p_median", "longest_min": 5}]
)
def test_gains_add_up_to_what_is_reached(keys: dict[str, Any]) -> None:
    proposal, *_ = proposed(asked(**keys))
    sites = proposal.sites
    assert proposal.candidate_count == 59
    assert abs(sites["gain"].sum()) == pytest.approx(abs(sites["reached"].iloc[-1] - proposal.before))
    assert (sites["gain"] >= -1e-9).all()
    assert (sites["alone"] >= sites["gain"] - 1e-9).all()
    if keys.get("problem") == "lscp":
        assert proposal.greedy >= proposal.solution.objective
        assert sites["reached"].iloc[-1] == pytest.approx(sites["covered"].iloc[-1])
    else:
        assert sites["reached"].iloc[-1] == pytest.approx(proposal.solution.objective)


@pytest.mark.parametrize(
    "keys",
    [{}, {"problem": "backup"}, {"problem": "p_median", "longest_min": 5}, {"problem": "p_center", "longest_min": 5}],
)
def test_nowhere_to_build_changes_nothing(keys: dict[str, Any]) -> None:
    proposal, *_ = proposed(asked(**keys), forbidden=shapely.box(-1e6, -1e6, 1e6, 1e6))
    assert (proposal.candidate_count, len(proposal.sites), proposal.solution.outcome) == (0, 0, "optimal")
    assert proposal.solution.objective == pytest.approx(proposal.before)
    assert proposal.greedy == pytest.approx(proposal.before)
    assert proposal.share_after == pytest.approx(proposal.covered_before / proposal.people)
