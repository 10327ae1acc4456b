"""How many sites meet a goal: the whole study is computed anew with them, and with one fewer."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from facility_coverage.analysis.offers import places_of
from facility_coverage.analysis.proposals import Proposal
from facility_coverage.config.reading import load_study
from facility_coverage.errors import StudyError
from facility_coverage.network.travel import nearest_facility
from facility_coverage.outputs.panels import said_of
from facility_coverage.outputs.site_tables import siting_table
from facility_coverage.study import Computed, compute
from small_study import CRS, SIDE, X0, Y0, edit, facilities, write_small, zones

CITATION = {"document": "plan", "clause": "1"}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The small study with a cutoff of ten minutes and sites at junctions, one for each square of 400 m."""
    return write_small(tmp_path)


def asking(small: Path, goal: dict[str, Any], *, siting: dict[str, Any] | None = None, **layer: Any) -> Path:
    """Let the study ask for a goal."""
    full = {"id": "G", "name": "goal", "layer": "station", "citation": CITATION, **goal}
    full["target"] = {"year": 2025, "value": full["target"]} if not isinstance(full["target"], dict) else full["target"]
    entry = {"id": "next", "name": "next", "goal": "G", "serves": [{"layer": "station", "capacity": {"beds": 8}}],
             "spacing_m": 400, **(siting or {})}  # fmt: skip

    def change(study: dict[str, Any]) -> None:
        study["plan"] = {"id": "plan", "title": "plan", "goals": [full]}
        study["siting"] = [entry]
        study["facilities"][0] |= {"cutoff_min": 10, **layer}

    edit(small, change)
    return small


def solved(small: Path) -> tuple[Computed, Proposal]:
    computed = compute(load_study(small))
    return computed, computed.proposals[0]


def status_with(small: Path, sites: pd.DataFrame) -> str | None:
    """Judge the goal of the study whose table of stations has these sites too, and whose siting is gone."""
    # A junction on the outline would, by the last digit of its degrees, be beyond it.
    x, y = (
        np.clip(one, low + 0.01, low + SIDE - 0.01) for one, low in ((sites.geometry.x, X0), (sites.geometry.y, Y0))
    )
    at = gpd.GeoSeries.from_xy(x, y, crs=CRS).to_crs(4326)
    new = pd.DataFrame(
        {"facility_id": [f"n{i}" for i in range(len(sites))], "name": "new", "beds": "8", "lon": at.x, "lat": at.y}
    )
    stations = small.parent / "stations.csv"
    before, yaml = stations.read_text(encoding="utf-8"), small.read_text(encoding="utf-8")
    pd.concat([facilities(), new]).to_csv(stations, index=False)
    edit(small, lambda study: study.pop("siting"))
    try:
        again = compute(load_study(small))
        return again.verdicts[0].status
    finally:
        stations.write_text(before, encoding="utf-8")
        small.write_text(yaml, encoding="utf-8")


GOALS: dict[str, tuple[dict[str, Any], int]] = {
    # 30 known beds (one station does not tell): 100 - 30 = 70 beds, 8 in each site.
    "beds": ({"measure": "capacity_total", "capacity": "beds", "target": 100}, 9),
    # 1,197 people, 40 beds per thousand: 47.88 - 30 = 17.88 beds.
    "per_1000": ({"measure": "capacity_per_1000", "capacity": "beds", "target": 40}, 3),
    # West has a, east has b (on the border) and c.
    "count": ({"measure": "facility_count", "target": 8}, 5),
    "count_each": ({"measure": "facility_count", "target": 4, "scope": {"each": "zone"}}, 5),
    "count_rural": ({"measure": "facility_count", "target": 5, "scope": {"area_type": "rural"}}, 3),
    "towns": ({"measure": "zones_with_facility", "at_least": 3, "target": 1.0}, 3),
    "half_the_towns": ({"measure": "zones_with_facility", "at_least": 3, "target": 0.5}, 1),
}


@pytest.mark.parametrize("name", GOALS)
def test_a_goal_that_counts_is_met_by_the_sites_and_by_not_one_fewer(small: Path, name: str) -> None:
    goal, expected = GOALS[name]
    computed, proposal = solved(asking(small, goal))
    assert computed.verdicts[0].status != "met"
    assert len(proposal.sites) == expected
    assert computed.after is not None
    assert computed.after.verdicts[0].status == "met"
    assert status_with(small, proposal.sites) == "met"
    for drop in range(len(proposal.sites)):
        assert status_with(small, proposal.sites.drop(index=drop)) != "met"


def with_districts(small: Path) -> None:
    """Each town is a district of its own."""
    zones().assign(district_id=["d1", "d2"]).to_file(small.parent / "zones.geojson")


def with_estates(small: Path, *boxes: tuple[float, float, float, float]) -> None:
    """Draw areas, in metres from the corner of the study."""
    shapes = [shapely.box(X0 + a, Y0 + b, X0 + c, Y0 + d) for a, b, c, d in boxes]
    names = {"area_id": [f"e{i}" for i in range(len(shapes))], "name": [f"Estate {i}" for i in range(len(shapes))]}
    gpd.GeoDataFrame(names, geometry=shapes, crs=CRS).to_file(small.parent / "estates.gpkg")
    edit(small, lambda study: study.update(areas=[{"id": "estates", "name": "estates", "path": "estates.gpkg"}]))


ESTATES = ((100, 100, 500, 500), (1100, 1100, 1900, 1900), (1100, 0, 1950, 700))  # a and c stand in two of them


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        ({"measure": "zones_with_facility", "units": "districts", "at_least": 3, "target": 1.0}, 3),
        ({"measure": "facility_count", "target": 4, "scope": {"each": "district"}}, 5),
        ({"measure": "population_covered", "target": 0.5, "scope": {"each": "district"}}, None),
        ({"measure": "zones_with_facility", "units": "estates", "target": 1.0}, 1),
        ({"measure": "zones_with_facility", "units": "estates", "at_least": 2, "target": 0.6}, 2),
        ({"measure": "capacity_total", "capacity": "beds", "target": 30, "scope": {"area": "estates"}}, 3),
        ({"measure": "population_covered", "target": 0.7, "scope": {"area": "estates"}}, None),
    ],
)
def test_goals_of_districts_and_areas_are_met_by_not_one_fewer(
    small: Path, goal: dict[str, Any], expected: int | None
) -> None:
    with_districts(small)
    with_estates(small, *ESTATES)
    _, proposal = solved(asking(small, goal, siting={"spacing_m": 200}))
    assert expected is None or len(proposal.sites) == expected
    assert len(proposal.sites)
    assert status_with(small, proposal.sites) == "met"
    for drop in range(len(proposal.sites)):
        assert status_with(small, proposal.sites.drop(index=drop)) != "met"


def test_a_goal_of_districts_is_refused_where_zones_are_in_none(small: Path) -> None:
    goal = {"measure": "zones_with_facility", "units": "districts", "at_least": 3, "target": 1.0}
    with pytest.raises(StudyError, match="speaks of districts, and these zones are in none: 0110101, 0110102"):
        solved(asking(small, goal))


SHARES: dict[str, dict[str, Any]] = {
    "whole": {"target": 0.6},
    "each_zone": {"target": 0.5, "scope": {"each": "zone"}},
    "urban": {"target": 0.6, "scope": {"area_type": "urban"}},
    "own_cutoff": {"target": 0.5, "cutoff_min": {"urban": 8, "rural": 12}},
    "other_profile": {"target": 0.8, "profile": "adult"},
    "own_zones_only": {"target": 0.6, "facilities_from": "own_zones_only"},
    "circle": {"target": 0.7, "radius_m": 400},
}


@pytest.mark.parametrize("name", SHARES)
def test_a_share_of_people_is_covered_by_the_fewest_sites(small: Path, name: str) -> None:
    computed, proposal = solved(asking(small, {"measure": "population_covered", **SHARES[name]}))
    sites = proposal.sites
    assert computed.verdicts[0].status != "met"
    assert computed.after is not None
    assert computed.after.verdicts[0].status == "met"
    assert proposal.solution.outcome == "optimal"
    assert proposal.solution.objective == proposal.solution.bound == len(sites) >= 2
    assert proposal.greedy >= len(sites)
    assert status_with(small, sites) == "met"
    for drop in range(len(sites)):
        assert status_with(small, sites.drop(index=drop)) != "met"
    # Gains in the order of building add up to what the study measures after them.
    verdict = computed.after.verdicts[0]
    if "scope" not in SHARES[name]:
        assert sites["share"].iloc[-1] == pytest.approx(verdict.value)


def test_no_other_set_of_one_site_fewer_covers_the_share(small: Path) -> None:
    """Every set of candidates of that number, and of one fewer, is tried by a search of its own."""
    computed, proposal = solved(asking(small, {"measure": "population_covered", "target": 0.5}))
    count = len(proposal.sites)
    assert 3 <= count <= 4
    layers, network = computed.layers, computed.networks["elder"]
    places = places_of(proposal.siting, layers, layers.candidates["next"], network)
    people = layers.demand.points["total"].to_numpy()

    def seconds(frame: Any) -> np.ndarray:
        spots = [network.snap(np.array([[one.x, one.y]])) for one in frame.geometry]
        return np.array([nearest_facility(network.graph, network.links, network.demand, one).seconds for one in spots])

    there = (seconds(layers.facilities["station"]) <= 600 + 1e-6).any(axis=0)
    new = seconds(places) <= 600 + 1e-6

    def most(number: int) -> float:
        sets = itertools.combinations(range(len(places)), number)
        return max(float(people @ (there | new[list(few)].any(axis=0))) for few in sets)

    assert most(count - 1) < 0.5 * people.sum() <= most(count)


def test_dear_candidates_give_way_to_cheap_ones(small: Path) -> None:
    """Of three plots, all of which count, the two cheap ones are built; prices are those of the file."""
    place = facilities()[["lon", "lat"]].mean()
    plots = pd.DataFrame({"facility_id": ["p", "q", "r"], "name": ["p", "q", "r"], "price": [5, 1, 2],
                          "lon": place["lon"] + np.array([0, 1e-3, 2e-3]), "lat": place["lat"]})  # fmt: skip
    plots.to_csv(small.parent / "plots.csv", index=False)
    table = {"path": "plots.csv", "datum": "wgs84", "price_column": "price"}
    goal = {"measure": "facility_count", "target": 5}
    _, proposal = solved(asking(small, goal, siting={"candidates": [table], "spacing_m": None}))
    assert sorted(proposal.sites["candidate_id"]) == ["q", "r"]


def test_a_goal_that_is_met_asks_for_nothing(small: Path) -> None:
    computed, proposal = solved(asking(small, {"measure": "facility_count", "target": 2}))
    assert len(proposal.sites) == 0
    assert proposal.solution.outcome == "optimal"
    assert computed.after is not None
    assert computed.after.verdicts[0].status == "met"


def test_a_share_out_of_reach_says_where_and_how_many_people_short(small: Path) -> None:
    """West of 400 m nothing may be built: the east, all of it, stays as it is."""
    forbid(small)
    goal = {"measure": "population_covered", "target": 0.9, "scope": {"each": "zone"}}
    computed, proposal = solved(asking(small, goal, siting={"forbidden": [{"path": "forbidden.geojson"}]}))
    assert proposal.solution.outcome == "infeasible"
    assert len(proposal.sites) == 0
    rows = proposal.lacking.set_index("place_id")
    zone = {one.id: one for one in computed.verdicts[0].zones}
    east = rows.loc["0110102"]
    verdict = zone["0110102"]
    assert verdict.amount is not None
    assert verdict.base is not None
    assert east["place"] == "西镇"
    assert east["level"] == "zone"
    assert east["most"] >= verdict.amount / verdict.base
    assert east["short"] == np.ceil(0.9 * verdict.base - east["most"] * verdict.base - 1e-6)
    assert east["unit"] == "people"


def test_too_few_candidates_say_how_many_beds_short(small: Path) -> None:
    forbid(small)
    goal = {"measure": "capacity_total", "capacity": "beds", "target": 500}
    computed, proposal = solved(asking(small, goal, siting={"forbidden": [{"path": "forbidden.geojson"}]}))
    assert proposal.solution.outcome == "infeasible"
    (row,) = proposal.lacking.to_dict("records")
    assert row["wanted"] == 500
    assert row["most"] == 30 + 8 * proposal.candidate_count
    assert row["short"] == 500 - row["most"]
    assert row["unit"] == "beds"
    assert row["level"] == "study"
    assert computed.verdicts[0].amount == 30


def test_a_town_without_candidates_is_named(small: Path) -> None:
    forbid(small)
    goal = {"measure": "zones_with_facility", "at_least": 3, "target": 1.0}
    _, proposal = solved(asking(small, goal, siting={"forbidden": [{"path": "forbidden.geojson"}]}))
    assert proposal.solution.outcome == "infeasible"
    (row,) = proposal.lacking.to_dict("records")
    assert (row["place"], row["wanted"], row["most"], row["short"]) == ("西镇", 3, 2, 1)
    assert row["unit"] == "facilities"


def test_a_goal_without_data_is_refused_with_its_reason(small: Path) -> None:
    pd.DataFrame(facilities()).assign(beds="").to_csv(small.parent / "stations.csv", index=False)
    with pytest.raises(StudyError, match=r"siting next: the goal 'G' has no data.*nobody knows") as caught:
        solved(asking(small, {"measure": "capacity_total", "capacity": "beds", "target": 500}))
    assert len(caught.value.faults) == 1


def forbid(small: Path) -> None:
    """Forbid building but in the western 400 m."""
    ground = shapely.box(X0 + 400, Y0 - 100, X0 + SIDE + 100, Y0 + SIDE + 100)
    gpd.GeoDataFrame(geometry=[ground], crs=CRS).to_file(small.parent / "forbidden.geojson")


def test_what_was_found_is_said_in_both_languages(small: Path) -> None:
    computed, proposal = solved(asking(small, {"measure": "facility_count", "target": 8}))
    english, chinese = said_of(proposal, {}, "en"), said_of(proposal, {}, "zh")
    assert english[:2] == ["Sites needed for the goal goal (8): 5", "Proven: one site fewer does not meet it"]
    assert chinese[:2] == ["达到目标“goal”（8）需新建 5 处", "已证明少一处就达不到"]
    assert len(english) == len(chinese) == 4
    table = siting_table([proposal], computed.layers)
    assert table[["goal", "problem", "sites", "outcome"]].to_numpy().tolist() == [["G", "mclp", 5, "optimal"]]
    _, met = solved(asking(small, {"measure": "facility_count", "target": 2}))
    assert said_of(met, {}, "en") == ["The goal goal (2) is met without a new site"]
    forbid(small)
    goal = {"measure": "zones_with_facility", "at_least": 3, "target": 1.0}
    _, none = solved(asking(small, goal, siting={"forbidden": [{"path": "forbidden.geojson"}]}))
    assert said_of(none, {}, "en") == [
        "All candidates together do not meet the goal goal (100.0%)",
        "西镇: 2 at most (wanted 3), 1 facilities short",
    ]
