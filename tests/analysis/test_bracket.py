"""The bracket by hand on a street, and against everything computed anew on tangles of ways."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import builders
from facility_coverage.analysis import draws
from facility_coverage.analysis.bracket import CAUSES, Bracket, bracket, corners
from facility_coverage.analysis.cases import Cases
from facility_coverage.analysis.coverage import measure_coverage
from facility_coverage.analysis.evidence import Evidence
from facility_coverage.analysis.goals import judge
from facility_coverage.analysis.reach import Reach
from facility_coverage.analysis.trips import travel
from facility_coverage.analysis.varied import Ground, Scenario
from facility_coverage.config.plan import Plan
from facility_coverage.config.profile import Profile
from facility_coverage.config.study import FacilityLayer, NetworkOptions
from facility_coverage.config.uncertainty import Uncertainty
from facility_coverage.layers.model import Layers
from facility_coverage.network.network import Network, build_networks
from facility_coverage.network.pace import at_pace
from facility_coverage.network.snapping import Barriers

CITED = {"citation": {"document": "plan", "clause": "1"}}
FIGURES = ["lower", "central", "upper", "low", "high"]


@dataclass(frozen=True)
class World:
    """A study small enough to be computed anew in every way."""

    layers: Layers
    profiles: dict[str, Profile]
    facility_layers: tuple[FacilityLayer, ...]
    plan: Plan
    options: NetworkOptions

    def networks(self) -> dict[str, Network]:
        points = self.layers.demand.points[["x_m", "y_m"]].to_numpy(dtype=np.float64)
        barriers = Barriers.of(self.layers.barriers.geometry) if len(self.layers.barriers) else None
        return build_networks(
            self.layers.roads, self.profiles, points, options=self.options, file="", barriers=barriers
        )

    def evidence(self, networks: dict[str, Network]) -> Evidence:
        by_id = {layer.id: layer for layer in self.facility_layers}
        return Evidence(self.layers, by_id, Reach(self.layers, networks), date=dt.date(2025, 12, 31))

    def bracket(self, **asked: Any) -> Bracket:
        networks = self.networks()
        evidence = self.evidence(networks)
        ground = Ground(self.layers, networks, self.options, Uncertainty.model_validate(asked))
        return bracket(ground, evidence, [self.plan], judge([self.plan], evidence), groups=["total", "old"])

    def otherwise(self, scenario: Scenario, asked: Uncertainty, factor: np.ndarray | None = None) -> World:
        """The same study with its inputs changed; a trip that is longer has no such input."""
        assert scenario.longer_m == 0
        frames = dict(self.layers.facilities)
        if scenario.draw:
            for name, frame in frames.items():
                ids = frame["facility_id"]
                east, north = draws.shifts_m(asked, scenario.draw, layer=name, facility_ids=ids).T
                moved = shapely.points(frame.geometry.x + east, frame.geometry.y + north)
                frames[name] = frame.set_geometry(moved, crs=frame.crs)
        points = self.layers.demand.points
        if factor is not None:
            points = points.assign(total=points["total"] * factor, old=points["old"] * factor)
        layers = replace(self.layers, facilities=frames, demand=replace(self.layers.demand, points=points))
        limit_m = self.options.max_access_m if scenario.max_access_m is None else scenario.max_access_m
        profiles = {name: at_pace(one, scenario.speed) for name, one in self.profiles.items()}
        options = self.options.model_copy(update={"max_access_m": limit_m})
        return replace(self, layers=layers, profiles=profiles, options=options)


def goal(name: str, target: float, **more: Any) -> dict[str, Any]:
    wanted = {"id": name, "name": name, "measure": "population_covered", "layer": "clinics", **CITED, **more}
    return wanted | {"target": {"year": 2025, "value": target}}


def plan(*goals: dict[str, Any]) -> Plan:
    return Plan.model_validate({"id": "plan", "title": "plan", "goals": list(goals)})


STREET = builders.roads([(0, 0), (1000, 0), (2000, 0)], [[0, 1, 2]])
TOWNS = {"a": ("urban", shapely.box(-10, -900, 1000, 900)), "b": ("rural", shapely.box(1000, -900, 2100, 900))}
#: Minutes are 60 m. Town a (15 min = 900 m) has people at 700, 850, 900, 950 m, and 450 m beside the street at 100 m.
#: Town b (30 min = 1800 m) has people at 1700, 1790 and 1950 m. The facility stands at 0 m.
PEOPLE = pd.DataFrame(
    [
        ("p1", 1, "a", 700.0, 0.0, 10.0, 1.0),
        ("p2", 2, "a", 850.0, 0.0, 20.0, 2.0),
        ("p3", 3, "a", 900.0, 0.0, 40.0, 4.0),
        ("p4", 4, "a", 950.0, 0.0, 80.0, 8.0),
        ("p5", 5, "a", 100.0, 450.0, 160.0, 16.0),
        ("p6", 6, "b", 1700.0, 0.0, 320.0, 32.0),
        ("p7", 7, "b", 1790.0, 0.0, 640.0, 64.0),
        ("p8", 8, "b", 1950.0, 0.0, 1280.0, 128.0),
        ("p9", 9, None, 10.0, 0.0, 2560.0, np.nan),
    ],
    columns=["demand_id", "cell_id", "zone_id", "x_m", "y_m", "total", "old"],
)


def street(*goals: dict[str, Any], max_access_m: float = 400.0) -> World:
    layers = builders.layers(STREET, TOWNS, PEOPLE, {"f": (0.0, 0.0, "a")})
    options = NetworkOptions(min_component_nodes=1, max_access_m=max_access_m)
    chosen = plan(*(goals or (goal("most", 0.5), goal("each", 0.2, scope={"each": "zone"}))))
    return World(layers, {"walker": builders.WALKER}, (builders.facility_layer(),), chosen, options)


FIXED = {"speed_share": 0, "max_access_m": {"low": 400, "high": 400}, "position_m": 0, "population_share": 0,
         "cell_share": 0, "draws": 3}  # fmt: skip


def people_covered(found: Bracket, zone: str) -> list[float]:
    row = found.coverage[(found.coverage["zone_id"] == zone) & (found.coverage["group"] == "total")]
    return [round(float(row[key].iloc[0] * row["population"].iloc[0]), 9) for key in ("lower", "central", "upper")]


@pytest.mark.parametrize(
    ("asked", "town_a", "town_b"),
    [
        ({}, [70, 70, 70], [960, 960, 960]),
        # A tenth slower, 15 minutes are 810 m and 30 minutes 1620 m; a tenth faster, 990 and 1980 m.
        ({"speed_share": 0.1}, [10, 70, 150], [0, 960, 2240]),
        # At 500 m the people beside the street are attached: 450 m to it and 100 m along it.
        ({"max_access_m": {"low": 100, "high": 500}}, [70, 70, 230], [960, 960, 960]),
        # Fifty metres longer: 900 and 1790 m become 950 and 1840 m; fifty shorter: 950 m becomes 900 m.
        ({"position_m": 50}, [30, 70, 150], [320, 960, 960]),
        # 850 / 0.9 and 944 s; 450 m at 1.1 m/s and less 50 m.
        (
            {"speed_share": 0.1, "max_access_m": {"low": 100, "high": 500}, "position_m": 50},
            [10, 70, 310],
            [0, 960, 2240],
        ),
    ],
    ids=["nothing", "speed", "access", "position", "all"],
)
def test_corners_by_hand(asked: dict[str, Any], town_a: list[float], town_b: list[float]) -> None:
    found = street().bracket(**{**FIXED, **asked})
    assert people_covered(found, "a") == town_a
    assert people_covered(found, "b") == town_b
    assert people_covered(found, "") == [a + b for a, b in zip(town_a, town_b, strict=True)]


def test_the_example_of_the_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "bracket.md").read_text(encoding="utf-8")
    world = street(goal("g", 0.4))
    demand = replace(world.layers.demand, points=PEOPLE.iloc[:4].reset_index(drop=True))
    found = replace(world, layers=replace(world.layers, demand=demand)).bracket(**{**FIXED, "speed_share": 0.1})
    row = found.goals.iloc[0]
    shares = [row["lower"], row["central"], row["upper"]]
    assert shares == pytest.approx([10 / 150, 70 / 150, 1.0])
    said = "So `lower` is {:.1%}, `central` {:.1%}, `upper` {:.0%}; a goal of 40 % flips.".format(*shares)
    assert said.replace("%", " %").replace("40  %", "40 %") in page
    assert row["flips"]


def test_causes_alone_by_hand_and_which_moves_most() -> None:
    found = street().bracket(**{**FIXED, "speed_share": 0.1, "position_m": 5, "draws": 20})
    rows = found.causes[(found.causes["group"] == "total") & (found.causes["goal_id"] == "")].set_index("cause")
    assert rows.loc["speed", ["lower", "central", "upper"]].tolist() == pytest.approx(
        [10 / 2550, 1030 / 2550, 2390 / 2550]
    )
    # The last of 900 m is 5 m too far, or 950 m still is; 1790 m becomes 1795 m, in time.
    assert rows.loc["position", ["lower", "central", "upper"]].tolist() == pytest.approx(
        [990 / 2550, 1030 / 2550, 1030 / 2550]
    )
    assert rows.loc["access", ["lower", "central", "upper", "width"]].tolist() == pytest.approx(
        [1030 / 2550, 1030 / 2550, 1030 / 2550, 0]
    )
    assert rows.loc["population", ["lower", "upper"]].isna().all()
    assert rows["moves_most"].to_dict() == {"speed": True, "access": False, "position": False, "population": False}


def test_verdicts_that_flip_by_hand() -> None:
    # Town a: 70 of 310 people, 10 or 150 at the ends of speed. Town b: 960 of 2240, none or all.
    world = street(goal("low", 0.02), goal("most", 0.4), goal("each", 0.2, scope={"each": "zone"}))
    found = world.bracket(**{**FIXED, "speed_share": 0.1, "draws": 40}).goals.set_index(["goal_id", "place_id"])
    status = found[["status_lower", "status", "status_upper"]].agg(tuple, axis=1)
    assert status["low", "a"] == ("met", "met", "met")
    assert not found.loc[("low", "a"), "flips"]
    assert status["low", "b"] == ("behind", "met", "met")
    assert status["most", ""] == ("behind", "met", "met")
    assert status["most", "a"] == ("behind", "behind", "met")
    assert status["each", ""] == ("behind", "met", "met")
    assert found["flips"].to_dict()["each", ""]
    # Every speed of which 1790 m take at most 30 minutes meets it in b: factors of 0.9944 and more, 53 % of them.
    assert found.loc[("most", "b"), "met_share"] == pytest.approx(0.53, abs=0.04)
    # In a each goal of 0.2 is met from 62 people on: 900 m in 15 minutes, half of the speeds.
    assert found.loc[("each", "a"), "met_share"] == pytest.approx(0.5, abs=0.04)
    assert found.loc[("each", ""), "met_share"] == pytest.approx(0.5, abs=0.04)
    for row in found.itertuples():
        assert row.same_share == (row.met_share if row.status == "met" else pytest.approx(1 - row.met_share))


def test_people_alone_move_no_town_whose_people_all_err_together() -> None:
    found = street().bracket(**{**FIXED, "population_share": 0.5})
    by_zone = found.coverage.set_index(["group", "zone_id"])
    for zone in ("a", "b"):
        figures = by_zone.loc[("total", zone), FIGURES].astype(float)
        assert figures.tolist() == pytest.approx([figures["central"]] * 5, rel=1e-12)
        assert by_zone.loc[("total", zone), "cause"] == ""
    assert by_zone.loc[("total", ""), "low"] < by_zone.loc[("total", ""), "high"]
    assert by_zone.loc[("total", ""), "cause"] == "population"


def test_ranges_of_nothing_give_the_studys_own_figures_to_the_last_digit() -> None:
    world = street()
    found = world.bracket(**FIXED)
    for table in (found.coverage, found.goals):
        for key in FIGURES:
            assert (table[key] == table["central"]).all()
        assert (table["cause"] == "").all()
    assert not found.goals["flips"].any()
    assert not found.causes["moves_most"].any()
    networks = world.networks()
    verdicts = {one.goal_id: one for one in judge([world.plan], world.evidence(networks))}
    for row in found.goals.itertuples():
        one = verdicts[row.goal_id]
        place = one if row.level == "study" else next(zone for zone in one.zones if zone.id == row.place_id)
        assert (row.central, row.status) == (place.value, place.status)


def test_a_goal_without_data_has_no_bracket_and_one_without_a_target_no_verdict() -> None:
    untargeted = goal("shown", 1) | {"target": None}
    world = street(goal("most", 0.5), untargeted, goal("nobody", 0.5, scope={"area_type": "urban"}))
    points = PEOPLE.assign(total=PEOPLE["total"].where(PEOPLE["zone_id"] != "a", 0.0))
    world = replace(world, layers=replace(world.layers, demand=replace(world.layers.demand, points=points)))
    found = world.bracket(**{**FIXED, "speed_share": 0.1, "cell_share": 0.3}).goals.set_index(["goal_id", "level"])
    for row in found.loc["nobody"].itertuples():
        assert [getattr(row, key) for key in FIGURES] == pytest.approx([np.nan] * 5, nan_ok=True)
        assert (row.status, row.flips) == ("no_data", False)
    assert pd.isna(found.loc[("shown", "study"), "status"])
    assert set(found.loc["shown", "status"].dropna()) == {"no_data"}  # of the town where nobody lives
    assert not found.loc["shown", "flips"].any()
    assert found.loc[("shown", "study"), "lower"] < found.loc[("shown", "study"), "upper"]


def test_without_a_facility_nobody_is_covered_whatever_varies() -> None:
    world = street()
    layers = world.layers
    none = {name: frame.iloc[:0] for name, frame in layers.facilities.items()}
    found = replace(world, layers=replace(layers, facilities=none)).bracket(draws=2)
    assert (found.coverage[FIGURES] == 0).all(axis=None)
    assert not found.goals["flips"].any()


def tangle(seed: int) -> World:
    """A random study: walkers of two speeds and cars on a tangle of ways behind a fence, two facility layers."""
    rng = np.random.default_rng(seed)
    ways = builders.random_roads(rng)
    ways = replace(
        ways, tags=ways.tags.assign(maxspeed=rng.choice(np.array(["10", "15", None], object), len(ways.tags)))
    )
    spots = builders.random_points(rng, ways, 60)
    inside = rng.random(60) < 0.85
    zones = {"a": ("urban", shapely.box(-100, -100, 500, 1100)), "b": ("rural", shapely.box(500, -100, 1100, 1100))}
    west = spots[:, 0] < 500
    points = pd.DataFrame(
        {"demand_id": [f"d{i:02d}" for i in range(60)], "cell_id": np.arange(60) // 2,
         "zone_id": np.where(inside, np.where(west, "a", "b"), None), "x_m": spots[:, 0], "y_m": spots[:, 1],
         "total": rng.integers(0, 50, 60).astype(float), "old": np.where(inside, rng.integers(0, 9, 60), np.nan)}
    )  # fmt: skip
    doors = builders.random_points(rng, ways, 7)
    own = ["a", "b", None, "a", "b", "a", None]
    facilities = {f"f{i}": (*doors[i], own[i]) for i in range(7)}
    layers = builders.layers(ways, zones, points, dict(list(facilities.items())[:4]))
    other = builders.layers(ways, zones, points, dict(list(facilities.items())[4:]), layer="parks")
    fence = layers.zones.iloc[:1].set_geometry([shapely.LineString([(300, 0), (420, 900)])], crs=layers.crs)
    layers = replace(layers, facilities=layers.facilities | other.facilities, barriers=fence[["geometry"]])
    car = Profile.model_validate(
        {"name": "car", "mode": "car", "speeds_kmh": {"residential": 12}, "access_speed_kmh": 3, "turn_penalty_s": 20,
         "direction": "from_facility", "source": "slow"}
    )  # fmt: skip
    asked = (
        builders.facility_layer(cutoff_min={"urban": 4, "rural": 8}),
        builders.facility_layer(id="parks", profile="car", cutoff_min=3, facilities_from="own_zones_only"),
    )
    goals = plan(
        goal("g1", 0.5, group="old", scope={"each": "zone"}),
        goal("g2", 0.3, facilities_from="own_zones_only", cutoff_min=6, scope={"area_type": "rural"}),
        goal("g3", 0.4, layer="parks", profile="elder"),
        goal("g4", 0.4, radius_m=300),
        goal("g5", 0.4, layer="parks"),
    )
    profiles = {
        "walker": builders.WALKER,
        "car": car,
        "elder": builders.WALKER.model_copy(update={"level_speed_kmh": 2.9}),
    }
    return World(layers, profiles, asked, goals, NetworkOptions(min_component_nodes=1, max_access_m=80))


@settings(max_examples=12)
@given(seed=st.integers(0, 10_000), number=st.integers(1, 50), which=st.sampled_from(["all", *CAUSES]))
def test_every_scenario_is_what_computing_everything_anew_gives(seed: int, number: int, which: str) -> None:
    """Rebuilt networks, moved facilities and multiplied people, through coverage and goals as a run takes them."""
    world, asked = tangle(seed), Uncertainty(position_m=40)
    one = draws.draw(asked, number, max_access_m=world.options.max_access_m)
    scenario = {
        "all": Scenario(one.speed, one.max_access_m, draw=number),
        "speed": Scenario(speed=one.speed),
        "access": Scenario(max_access_m=one.max_access_m),
        "position": Scenario(draw=number),
        "population": Scenario(),
    }[which]
    points = world.layers.demand.points
    factor = draws.Crowd.of(points).factors(asked, number) if which in ("all", "population") else np.ones(len(points))
    networks = world.networks()
    evidence = world.evidence(networks)
    ground = Ground(world.layers, networks, world.options, asked)
    make = Cases.of(evidence)
    anew = world.otherwise(scenario, asked, factor)
    rebuilt = anew.networks()
    trips = [travel(layer, anew.layers, rebuilt[layer.profile]) for layer in anew.facility_layers]
    expected = measure_coverage(anew.layers, trips, rebuilt, groups=["total", "old"]).zones
    expected = expected.set_index(["layer", "group", "zone_id"])["covered"]
    for layer in world.facility_layers:
        case = make.layer(layer, groups=["total", "old"])
        people = [factor * points[group].to_numpy() for group in case.groups]
        counts = case.counts(case.counted(ground, scenario), people)
        for column, group in enumerate(case.groups):
            found = dict(zip(case.zones, counts.amount[:, column], strict=True))
            for zone, amount in found.items():
                assert amount == pytest.approx(expected[layer.id, group, zone], abs=1e-9)
    verdicts = judge([world.plan], anew.evidence(rebuilt))
    for case, wanted in zip(make.goals([world.plan], judge([world.plan], evidence)), verdicts, strict=True):
        people = [factor * points[case.groups[0]].to_numpy()]
        judged = case.judged(case.counts(case.counted(ground, scenario), people), evidence)
        assert judged.value == pytest.approx(wanted.value, abs=1e-12)
        assert [zone.status for zone in judged.zones] == [zone.status for zone in wanted.zones]
        assert judged.status == wanted.status


@settings(max_examples=4)
@given(seed=st.integers(0, 10_000), draws_=st.integers(2, 6))
def test_draws_are_those_of_everything_computed_anew(seed: int, draws_: int) -> None:
    """Low and high of all draws are the least and the greatest where the interval is nearly everything."""
    world = tangle(seed)
    asked = Uncertainty(draws=draws_, interval=1 - 1e-12, position_m=40)
    found = world.bracket(draws=draws_, interval=1 - 1e-12, position_m=40).goals.set_index(
        ["goal_id", "level", "place_id"]
    )
    values: dict[str, list[float]] = {}
    for number in range(1, draws_ + 1):
        one = draws.draw(asked, number, max_access_m=world.options.max_access_m)
        factor = draws.Crowd.of(world.layers.demand.points).factors(asked, number)
        anew = world.otherwise(Scenario(one.speed, one.max_access_m, draw=number), asked, factor)
        for verdict in judge([anew.plan], anew.evidence(anew.networks())):
            assert verdict.value is not None
            values.setdefault(verdict.goal_id, []).append(verdict.value)
            values.setdefault(f"{verdict.goal_id} met", []).append(verdict.status == "met")
    for name in ("g1", "g2", "g3", "g4", "g5"):
        row = found.loc[(name, "study", "")]
        assert [row["low"], row["high"]] == pytest.approx([min(values[name]), max(values[name])], abs=1e-9)
        assert row["met_share"] == pytest.approx(np.mean(values[f"{name} met"]))


@settings(max_examples=6)
@given(
    seed=st.integers(0, 10_000),
    speed=st.tuples(st.floats(0, 0.4), st.floats(0, 0.4)),
    limit=st.tuples(st.floats(1, 80), st.floats(1, 80)),
    metres=st.tuples(st.floats(0, 200), st.floats(0, 200)),
)
def test_a_wider_range_never_narrows_the_bracket(
    seed: int, speed: tuple[float, float], limit: tuple[float, float], metres: tuple[float, float]
) -> None:
    world = tangle(seed)
    narrow, wide = (
        world.bracket(
            speed_share=pick(speed), position_m=pick(metres), draws=1,
            max_access_m={"low": 81 - pick(limit), "high": 79 + pick(limit)},
        )
        for pick in (min, max)
    )  # fmt: skip
    for a, b in ((narrow.coverage, wide.coverage), (narrow.goals, wide.goals), (narrow.causes, wide.causes)):
        ordered = a[["lower", "central", "upper"]].astype(float).to_numpy()
        beyond = b[["lower", "central", "upper"]].astype(float).to_numpy()
        known = ~np.isnan(ordered).any(axis=1)
        assert (np.isnan(ordered) == np.isnan(beyond)).all()
        assert (np.diff(ordered[known], axis=1) >= -1e-12).all()
        assert (ordered[known, 1] == beyond[known, 1]).all()
        assert (beyond[known, 0] <= ordered[known, 0] + 1e-12).all()
        assert (beyond[known, 2] >= ordered[known, 2] - 1e-12).all()


def test_the_same_seed_gives_the_same_bracket_whatever_the_order_of_rows() -> None:
    world = tangle(7)
    once = world.bracket(draws=4)
    layers = world.layers
    turned = {name: frame.iloc[::-1].reset_index(drop=True) for name, frame in layers.facilities.items()}
    points = layers.demand.points.iloc[::-1].reset_index(drop=True)
    points = points.assign(cell_id=1000 - points["cell_id"])  # as a file whose rows stand the other way round has them
    reordered = replace(
        world, layers=replace(layers, facilities=turned, demand=replace(layers.demand, points=points)),
        facility_layers=world.facility_layers[::-1],
    )  # fmt: skip
    again = reordered.bracket(draws=4)
    for name, keys in (("coverage", ["layer", "group", "zone_id"]), ("goals", ["goal_id", "level", "place_id"])):
        first, second = (getattr(one, name).set_index(keys).sort_index() for one in (once, again))
        pd.testing.assert_frame_equal(first, second, rtol=1e-12)
    other = world.bracket(draws=4, seed=2)
    assert not np.allclose(other.goals["low"].astype(float), once.goals["low"].astype(float), equal_nan=True)


def test_progress_is_told_draw_by_draw() -> None:
    world, said = street(), list[str]()
    networks = world.networks()
    evidence = world.evidence(networks)
    ground = Ground(world.layers, networks, world.options, Uncertainty(draws=2))
    bracket(ground, evidence, [world.plan], judge([world.plan], evidence), groups=["total"], progress=said.append)
    assert said == ["coverage bracket: 1 of 2", "coverage bracket: 2 of 2"]


def test_the_corners_are_the_ends_of_the_ranges() -> None:
    asked = Uncertainty(speed_share=0.2, position_m=30)
    found = corners(asked, max_access_m=500)
    assert found["lower"] == Scenario(0.8, 300, 30)
    assert found["upper"] == Scenario(1.2, 800, -30)
