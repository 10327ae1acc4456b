"""Why people are left out: a constructed case for each cause."""

from __future__ import annotations

import dataclasses
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import builders
from facility_coverage.analysis.gaps import CAUSES, Gathered, Variants, causes, gather, unserved
from facility_coverage.analysis.promises import Promise
from facility_coverage.analysis.serving import serve
from facility_coverage.analysis.trips import travel
from facility_coverage.config.gaps import Gaps
from facility_coverage.config.needs import Need
from facility_coverage.config.study import NetworkOptions
from facility_coverage.layers.model import Layers, Roads
from facility_coverage.network.network import Network, build_networks
from facility_coverage.network.snapping import Barriers

ZONE = {"a": ("urban", shapely.box(-2000, -2000, 4000, 4000))}
OPTIONS = NetworkOptions(min_component_nodes=1, max_access_m=150)


def points(*places: tuple[float, float]) -> pd.DataFrame:
    x, y = zip(*places, strict=True)
    ids = [str(i) for i in range(len(places))]
    return pd.DataFrame({"demand_id": ids, "zone_id": "a", "x_m": x, "y_m": y, "total": 10.0})


def why(
    ways: Roads, people: pd.DataFrame, *, barrier: Any = None, level: bool = False, minutes: float = 5
) -> tuple[list[str | None], Any, Layers]:
    layers = builders.layers(ways, ZONE, people, {"f": (0.0, 0.0, "a")})
    layer = builders.facility_layer(cutoff_min=minutes)
    xy = people[["x_m", "y_m"]].to_numpy()
    climber = builders.WALKER.model_copy(update={"slope": "tobler"})

    def network(*, profile: Any = climber, barred: Any = None) -> Network:
        walls = None if barred is None else Barriers.of(gpd.GeoSeries([barred], crs=layers.crs))
        return build_networks(ways, {"walker": profile}, xy, options=OPTIONS, file="roads", barriers=walls)["walker"]

    own = network(barred=barrier)
    trip = travel(layer, layers, own)
    variants = Variants(
        level=network(profile=climber.model_copy(update={"slope": "none"})) if level else None,
        unbarred=network() if barrier is not None else None,
    )
    nobody = np.zeros(1, dtype=np.bool_)
    return causes(Promise(trip, "", nobody, nobody), layers, own, variants, detour_factor=1.5).tolist(), trip, layers


def gathered(trip: Any, layers: Layers, found: list[str | None], **options: float) -> Gathered:
    why = np.array(found, dtype=object)
    return gather(trip, layers, why, layers.demand.points[["total"]], options=Gaps.model_validate(options))


STREET = builders.roads([(0, 0), (1000, 0)], [[0, 1]])


def test_far_from_any_way_and_far_from_any_facility() -> None:
    found, *_ = why(STREET, points((200, 10), (500, 10), (500, 600)))
    assert found == [None, "distance", "unattached"]


def test_on_a_piece_of_its_own() -> None:
    ways = builders.roads([(0, 0), (1000, 0), (0, 500), (1000, 500)], [[0, 1], [2, 3]])
    found, *_ = why(ways, points((100, 490)))
    assert found == ["disconnected"]


def test_behind_a_barrier() -> None:
    # A wall between the house and its street: the leg would be short, but it may not cross.
    wall = shapely.LineString([(-500, 20), (1500, 20)])
    found, *_ = why(STREET, points((100, 60), (100, 10)), barrier=wall)
    assert found == ["barrier", None]


def test_round_about() -> None:
    # 150 m as the crow flies, but the street leads round a block of 1.1 km.
    ways = builders.roads([(0, 0), (500, 0), (500, 150), (0, 150)], [[0, 1, 2, 3]])
    found, *_ = why(ways, points((0, 160)))
    assert found == ["detour"]


def test_uphill() -> None:
    # The facility stands on a hill: one in five, which makes the walk of four minutes longer than five.
    hill = dataclasses.replace(STREET, elevation_m=np.array([200.0, 0.0]))
    found, *_ = why(hill, points((240, 0), (700, 0)), level=True)
    assert found == ["slope", "distance"]


def test_people_near_each_other_are_one_gap_with_a_name_and_all_are_counted() -> None:
    rng = np.random.default_rng(2)
    village = [(600.0 + float(x), float(y) - 75.0) for x, y in rng.uniform(0, 150, (20, 2))]
    lonely = [(500.0, 900.0)]
    people = points(*village, *lonely)
    found, trip, layers = why(STREET, people)
    table = gathered(trip, layers, found).table
    assert table["people_total"].tolist() == [200.0, 10.0]
    assert table["cause"].tolist() == ["distance", "unattached"]
    assert table["gap"].tolist() == [1, 2]
    first = table.iloc[0]
    assert (first["near_id"], first["near_direction"]) == ("f", "east")
    assert first["near_m"] == pytest.approx(np.hypot(first["x_m"], first["y_m"]))
    late = (trip.nearest.seconds[:20] - 300) / 60
    assert first["minutes_missing"] == pytest.approx(late.mean())
    assert np.isnan(table["minutes_missing"].iloc[1])


def test_nobody_left_out_is_no_gap() -> None:
    found, trip, layers = why(STREET, points((100, 10)))
    table = gathered(trip, layers, found).table
    assert len(table) == 0
    assert {"layer", "gap", "zone_id", "cause", "people_total", "minutes_missing", "near_name"} <= set(table.columns)


def test_a_facility_of_another_tier_or_beyond_the_zones_is_near() -> None:
    # Facility f stands at 0, g (that does not count) at 600; people at 200, 700 and 1600.
    people = points((200, 0), (700, 0), (1600, 0))
    ways = builders.roads([(0, 0), (2000, 0)], [[0, 1]])
    layers = builders.layers(ways, ZONE, people, {"f": (0.0, 0.0, "a"), "g": (600.0, 0.0, "a")})
    own = builders.network(ways, people[["x_m", "y_m"]].to_numpy())
    trip = travel(builders.facility_layer(cutoff_min=5), layers, own, chosen=np.array([True, False]))
    nobody, g = np.zeros(2, dtype=np.bool_), np.array([False, True])
    of_tier = causes(Promise(trip, "goal", g, nobody), layers, own, Variants(), detour_factor=1.5)
    assert of_tier.tolist() == [None, "tier", "distance"]
    beyond = causes(Promise(trip, "", nobody, g), layers, own, Variants(), detour_factor=1.5)
    assert beyond.tolist() == [None, "neighbour", "distance"]


def test_within_reach_of_a_full_house_or_of_one_that_does_not_tell() -> None:
    # f has one bed for the 20 people of the first two points; of g at 1000 nobody knows.
    people = points((100, 0), (200, 0), (1100, 0), (600, 0))
    ways = builders.roads([(0, 0), (2000, 0)], [[0, 1]])
    layers = builders.layers(ways, ZONE, people, {"f": (0.0, 0.0, "a"), "g": (1000.0, 0.0, "a")})
    layers.facilities["clinics"]["beds"] = [1.0, np.nan]
    own = builders.network(ways, people[["x_m", "y_m"]].to_numpy())
    trip = travel(builders.facility_layer(cutoff_min=5, capacity=["beds"]), layers, own)
    serving = serve(trip, Need.model_validate({"capacity": "beds", "per_person": 0.1}), layers)
    why = unserved(serving)
    assert why.tolist() == ["full", "full", "no_data", None]
    left = pd.DataFrame({"total": serving.residual_people})
    table = gather(trip, layers, why, left, options=Gaps()).table
    assert dict(zip(table["cause"], table["people_total"], strict=True)) == pytest.approx({"full": 10, "no_data": 10})
    assert table["minutes_missing"].isna().all()


def test_small_settlements_of_a_zone_are_counted_together() -> None:
    people = points((500, 0), (1500, 0), (2500, 0))
    people["total"] = [1000.0, 0.4, 0.3]
    ways = builders.roads([(0, 0), (3000, 0)], [[0, 1]])
    found, trip, layers = why(ways, people)
    table = gathered(trip, layers, found, smallest_share=0.001).table
    assert table["people_total"].tolist() == pytest.approx([1000, 0.7])
    assert table["scattered"].tolist() == [False, True]
    assert table["near_id"].tolist()[0] == "f"
    assert pd.isna(table["near_id"].iloc[1])
    assert gathered(trip, layers, found, smallest_share=0).table["people_total"].tolist() == [1000, 0.4, 0.3]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), together=st.floats(100, 900), radius=st.floats(100, 900))
def test_nobody_is_lost_or_counted_twice_and_no_gap_is_wider_than_asked(
    seed: int, together: float, radius: float
) -> None:
    rng = np.random.default_rng(seed)
    places = [(float(x), float(y)) for x, y in rng.uniform(-1500, 3500, (60, 2))]
    people = points(*places)
    people["total"] = rng.integers(0, 50, 60).astype(float)
    found, trip, layers = why(STREET, people)
    result = gathered(trip, layers, found, together_m=together, radius_m=radius, smallest_share=0.02)
    out = np.array([cause is not None for cause in found])
    assert result.table["people_total"].sum() == pytest.approx(people["total"][out].sum())
    assert result.people.sum() == pytest.approx(people["total"][out].sum())
    xy = people[["x_m", "y_m"]].to_numpy()
    for row in result.table.to_dict("records"):
        mine = result.gap == row["gap"] - 1
        assert row["people_total"] == pytest.approx(people["total"][mine].sum())
        if not row["scattered"]:
            # From the middle of the most populous square: two radii and two corners of squares at most.
            across = np.hypot(*(xy[mine][:, None] - xy[mine][None, :]).transpose(2, 0, 1))
            assert across.max() <= 2 * radius + 2 * 142
    shuffled = rng.permutation(60)
    again = people.iloc[shuffled].reset_index(drop=True)
    other, trip_2, layers_2 = why(STREET, again)
    table = gathered(trip_2, layers_2, other, together_m=together, radius_m=radius, smallest_share=0.02).table
    columns = ["cause", "people_total", "x_m", "y_m"]
    pd.testing.assert_frame_equal(table[columns], result.table[columns], check_exact=False, rtol=1e-9)


def test_every_cause_has_a_case() -> None:
    cases = {"tier", "neighbour", "barrier", "unattached", "disconnected", "slope", "detour", "distance", "no_data"}
    assert set(CAUSES) == cases | {"full"}
