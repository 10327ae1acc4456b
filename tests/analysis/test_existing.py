"""Facilities that may be closed or enlarged, and capacities: what is promised is what building anew brings."""

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
from facility_coverage.analysis.servable import servable
from facility_coverage.analysis.trips import Trips, travel
from facility_coverage.config.siting import Siting
from facility_coverage.errors import LayerError
from facility_coverage.layers.model import Candidates, Layers
from facility_coverage.network.network import Network

WAYS = builders.lattice(9, 7, step_m=100.0)  # 800 by 600 m, walked at 1 m/s
ZONES = {"a": ("urban", shapely.box(-50, -50, 400, 650)), "b": ("urban", shapely.box(400, -50, 850, 650))}
THERE = {"f1": (50.0, 50.0, "a"), "f2": (100.0, 50.0, "a"), "f3": (700.0, 600.0, "b")}
BEDS = {"f1": 6.0, "f2": 4.0, "f3": 5.0}


def world(seed: int) -> tuple[Layers, Any, Network, Trips]:
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, 800, 50), rng.uniform(0, 600, 50)
    points = pd.DataFrame(
        {"demand_id": [str(i) for i in range(50)], "zone_id": np.where(x <= 400, "a", "b"), "x_m": x, "y_m": y,
         "total": rng.integers(1, 50, 50).astype(float)}
    )  # fmt: skip
    layers = builders.layers(WAYS, ZONES, points, THERE)
    frame = layers.facilities["clinics"]
    layers.facilities["clinics"] = frame.assign(beds=frame["facility_id"].map(BEDS))
    network = builders.network(WAYS, points[["x_m", "y_m"]].to_numpy())
    layer = builders.facility_layer(cutoff_min=4, capacity=["beds"])
    return layers, layer, network, travel(layer, layers, network)


def plots(count: int = 4, **columns: Any) -> gpd.GeoDataFrame:
    at = [(400.0, 300.0), (600.0, 200.0), (200.0, 400.0), (800.0, 100.0)][:count]
    names = [f"p{i}" for i in range(count)]
    return gpd.GeoDataFrame(
        {"candidate_id": names, "name": names, "price": 1.0, "zone_id": ["a", "b", "a", "b"][:count], **columns},
        geometry=gpd.points_from_xy(*zip(*at, strict=True)), crs=32648,
    )  # fmt: skip


def asked(served: dict[str, Any], **options: Any) -> Siting:
    given = {"id": "next", "name": "next", "serves": [{"layer": "clinics"} | served],
             "candidates": [{"path": "plots.csv"}]}  # fmt: skip
    return Siting.model_validate(given | options)


def proposed(siting: Siting, seed: int, own: gpd.GeoDataFrame | None = None) -> tuple[Proposal, Layers, Trips]:
    layers, layer, network, trip = world(seed)
    frame = plots() if own is None else own
    proposal = propose(siting, layers, Candidates(frame, shapely.MultiPolygon()), [trip], {"walker": network})
    return proposal, layers, travel(layer, built(layers, [proposal]), network)


def covered(trip: Trips, layers: Layers) -> float:
    done = trip.nearest.seconds <= trip.cutoff_s + 1e-6
    return float(layers.demand.points["total"].to_numpy()[done].sum())


def served(trip: Trips, layers: Layers, per_person: float) -> float:
    need = layers.demand.points["total"].to_numpy() * per_person
    found = servable(trip.catchment, need, trip.facilities["beds"].to_numpy(dtype=float))
    return float(found.served.sum()) / per_person


@pytest.mark.parametrize("seed", range(8))
def test_promised_people_are_served_after_building(seed: int) -> None:
    own = plots(beds=[8.0, np.nan, 3.0, 12.0])
    siting = asked(
        {"capacity": {"beds": 7}, "per_person": {"beds": 0.05}}, problem="mclp_capacitated", sites=2,
        candidates=[{"path": "plots.csv", "capacity": ["beds"]}],
    )  # fmt: skip
    proposal, layers, after = proposed(siting, seed, own)
    _, _, _, now = world(seed)
    assert proposal.unit == "people_served"
    assert proposal.before == pytest.approx(served(now, layers, 0.05))
    assert proposal.solution.objective == pytest.approx(served(after, layers, 0.05))
    assert proposal.before + proposal.sites["gain"].sum() == pytest.approx(proposal.solution.objective)
    assert proposal.sites["reached"].iloc[-1] == pytest.approx(proposal.solution.objective)
    assert proposal.sites["covered"].iloc[-1] == pytest.approx(covered(after, layers))
    held = dict(zip(after.facilities["name"], after.facilities["beds"], strict=True))
    expected = {"p0": 8.0, "p1": 7.0, "p2": 3.0, "p3": 12.0}
    assert {name: held[name] for name in proposal.sites["name"]} == {
        name: expected[name] for name in proposal.sites["name"]
    }
    # No two plots do better: each pair is built by hand.
    layer, network, best = now.layer, world(seed)[2], 0.0
    for pair in itertools.combinations(range(4), 2):
        places = own.iloc[list(pair)]
        more = gpd.GeoDataFrame(
            {"facility_id": places["candidate_id"], "name": places["name"], "tier": None, "zone_id": places["zone_id"],
             "beds": places["beds"].fillna(7.0)},
            geometry=places.geometry, crs=layers.crs,
        )  # fmt: skip
        together = pd.concat([layers.facilities["clinics"], more], ignore_index=True)
        one = travel(layer, Layers(**{**vars(layers), "facilities": {"clinics": together}}), network)
        best = max(best, served(one, layers, 0.05))
    assert proposal.solution.objective == pytest.approx(best)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("problem", ["mclp", "backup", "p_median", "p_center", "lscp"])
def test_what_is_closed_is_gone_and_what_is_promised_is_there(seed: int, problem: str) -> None:
    options: dict[str, Any] = {"problem": problem} | ({"budget": 2.5} if problem != "lscp" else {"share": 0.6})
    if problem in {"p_median", "p_center"}:
        options["longest_min"] = 20
    existing = {"closable": {"facility_id": ["f1", "f2"]}, "keep_price": 0.5}
    proposal, layers, after = proposed(asked({"existing": existing}, **options), seed)
    sites = proposal.sites
    assert set(sites.loc[sites["layer"] == "clinics", "candidate_id"]) == {"f1", "f2"}
    closed = set(sites.loc[sites["action"] == "close", "candidate_id"])
    opened = set(sites.loc[sites["action"] == "open", "candidate_id"])
    assert set(after.facilities["name"]) == ({"f1", "f2", "f3"} - closed) | opened
    assert sites.loc[sites["action"] != "close", "price"].sum() <= 2.5 + 1e-9 or problem == "lscp"
    steps = sites[sites["order"] > 0]
    assert (steps.loc[steps["action"] == "close", "gain"] <= 0).all()
    assert (sites.loc[sites["order"] == 0, "action"] == "keep").all()
    total, minutes = layers.demand.points["total"].to_numpy(), after.nearest.seconds / 60.0
    assert proposal.share_after == pytest.approx(covered(after, layers) / total.sum())
    if problem == "mclp":
        assert proposal.solution.objective == pytest.approx(covered(after, layers))
        assert proposal.solution.objective == pytest.approx(best_covered(seed, 2.5))
    elif problem == "p_median":
        assert proposal.solution.objective == pytest.approx(float(total @ np.minimum(minutes, 20.0)))
    elif problem == "p_center":
        assert proposal.solution.objective == pytest.approx(float(minutes.max()))
    elif problem == "lscp":
        assert covered(after, layers) >= 0.6 * total.sum() - 1e-6
        paid = sites.loc[sites["action"].isin(["open", "keep"]), "price"].sum()
        assert proposal.solution.objective == pytest.approx(paid)
    if problem != "lscp":
        change = abs(steps["gain"].sum())
        assert change == pytest.approx(abs(proposal.solution.objective - proposal.before), abs=1e-9)


def best_covered(seed: int, budget: float) -> float:
    """People covered by the best of all choices among f1 and f2 (0.5 each) and four plots (1 each); f3 stays."""
    from facility_coverage.network.travel import nearest_facility  # noqa: PLC0415 - asked afresh

    layers, _, network, _ = world(seed)
    there = [THERE[name][:2] for name in ("f1", "f2")]
    every = [*there, *((p.x, p.y) for p in plots().geometry), THERE["f3"][:2]]
    seconds = [
        nearest_facility(network.graph, network.links, network.demand, network.snap(np.array([place]))).seconds
        for place in every
    ]
    price, best = [0.5, 0.5, 1, 1, 1, 1], 0.0
    for bits in itertools.product([False, True], repeat=6):
        if sum(p for p, bit in zip(price, bits, strict=True) if bit) <= budget + 1e-9:
            near = np.min([one for one, bit in zip(seconds, (*bits, True), strict=True) if bit], axis=0) <= 240 + 1e-6
            best = max(best, float(layers.demand.points["total"].to_numpy()[near].sum()))
    return best


@pytest.mark.parametrize("seed", range(8))
def test_facilities_are_kept_closed_enlarged_and_opened_as_serves_most(seed: int) -> None:
    existing = {
        "closable": {"facility_id": ["f1", "f2"]}, "keep_price": 0.5,
        "enlarge": {"where": {"facility_id": ["f2", "f3"]}, "adds": {"beds": 9}, "price": 0.4},
    }  # fmt: skip
    siting = asked(
        {"capacity": {"beds": 7}, "per_person": {"beds": 0.05}, "existing": existing},
        problem="mclp_capacitated", budget=2.0,
    )  # fmt: skip
    proposal, layers, after = proposed(siting, seed)
    sites = proposal.sites
    assert proposal.solution.outcome == "optimal"
    assert proposal.solution.objective == pytest.approx(served(after, layers, 0.05))
    steps = sites[sites["order"] > 0]
    assert proposal.before + steps["gain"].sum() == pytest.approx(proposal.solution.objective)
    assert sites.loc[sites["action"] != "close", "price"].sum() <= 2.0 + 1e-9
    held = dict(zip(after.facilities["facility_id"], after.facilities["beds"], strict=True))
    larger = set(sites.loc[sites["action"] == "enlarge", "candidate_id"])
    closed = set(sites.loc[sites["action"] == "close", "candidate_id"])
    assert not larger & closed
    for name, beds in BEDS.items():
        assert held.get(name) == (None if name in closed else beds + 9 * (name in larger))
    # Every choice, built by hand from the catchments of all.
    everything, layer, network, _ = world(seed)
    own = plots()
    rows = gpd.GeoDataFrame(
        {"facility_id": own["candidate_id"], "name": own["name"], "tier": None, "zone_id": own["zone_id"], "beds": 7.0},
        geometry=own.geometry, crs=layers.crs,
    )  # fmt: skip
    together = pd.concat([everything.facilities["clinics"], rows], ignore_index=True)
    whole = travel(layer, Layers(**{**vars(everything), "facilities": {"clinics": together}}), network)
    need, best = layers.demand.points["total"].to_numpy() * 0.05, 0.0
    for keep1, keep2, more2, more3, *new in itertools.product([0, 1], repeat=8):
        if more2 > keep2 or 0.5 * (keep1 + keep2) + 0.4 * (more2 + more3) + sum(new) > 2.0 + 1e-9:
            continue
        beds = np.array([6.0 * keep1, (4.0 + 9 * more2) * keep2, 5.0 + 9 * more3, *(7.0 * one for one in new)])
        best = max(best, float(servable(whole.catchment, need, beds).served.sum()) / 0.05)
    assert proposal.solution.objective == pytest.approx(best)


def test_nobody_who_may_be_closed_is_a_fault() -> None:
    existing = {"closable": {"tier": "none"}, "keep_price": 1}
    with pytest.raises(LayerError, match=r"no facility of the layer 'clinics' is as those .* may be closed"):
        proposed(asked({"existing": existing}, budget=3), 1)
    larger = {"enlarge": {"where": {"facility_id": "f9"}, "adds": {"beds": 1}, "price": 1}}
    with pytest.raises(LayerError, match="may be enlarged"):
        proposed(
            asked({"existing": larger, "capacity": {"beds": 1}, "per_person": {"beds": 0.1}},
                  problem="mclp_capacitated", budget=3), 1,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("served_keys", "keys", "said"),
    [
        ({}, {"problem": "mclp_capacitated"}, "needs per_person"),
        ({"per_person": {"beds": 0.1}}, {}, "counts no capacity: remove per_person"),
        ({"per_person": {"beds": 0.1, "rooms": 1}}, {"problem": "mclp_capacitated"}, "names one capacity"),
        ({"existing": {}}, {}, "give closable or enlarge"),
        ({"existing": {"closable": True}}, {}, "go together"),
        ({"existing": {"enlarge": {"adds": {"beds": 2}, "price": 1}}}, {"budget": 2, "sites": None}, "remove enlarge"),
        ({"existing": {"closable": True, "keep_price": 1}}, {}, "give budget in place of sites"),
    ],
)
def test_what_does_not_fit_together_is_refused(served_keys: Any, keys: dict[str, Any], said: str) -> None:
    options = {"sites": 1} | keys
    with pytest.raises(ValueError, match=said):
        asked(served_keys, **{key: value for key, value in options.items() if value is not None})
