"""Remedies: what is promised is what computing anew with the remedy in place gains."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import builders
from facility_coverage.analysis.gap_lists import gap_lists, unserved_lists
from facility_coverage.analysis.gaps import Variants
from facility_coverage.analysis.promises import Promise
from facility_coverage.analysis.serving import serve
from facility_coverage.analysis.trips import Trips, travel
from facility_coverage.config.gaps import Gaps
from facility_coverage.config.needs import Need
from facility_coverage.config.study import NetworkOptions
from facility_coverage.layers.model import Layers, Roads
from facility_coverage.network.links import TIME_TOLERANCE_S
from facility_coverage.network.network import Network, build_networks
from facility_coverage.network.paths import nearest_with_path
from facility_coverage.network.snapping import Barriers

ZONE = {"a": ("urban", shapely.box(-3000, -3000, 6000, 6000))}
OPTIONS = NetworkOptions(min_component_nodes=1, max_access_m=150)
FACILITIES = {"f": (0.0, 0.0, "a")}


def network_of(ways: Roads, people: pd.DataFrame, barrier: Any = None) -> Network:
    walls = None if barrier is None else Barriers.of(gpd.GeoSeries([barrier]))
    xy = people[["x_m", "y_m"]].to_numpy(dtype=float)
    walker = {"walker": builders.WALKER}
    return build_networks(ways, walker, xy, options=OPTIONS, file="roads", barriers=walls)["walker"]


def points(*places: tuple[float, float], people: float = 10.0) -> pd.DataFrame:
    x, y = zip(*places, strict=True)
    ids = [str(i) for i in range(len(places))]
    return pd.DataFrame({"demand_id": ids, "zone_id": "a", "x_m": x, "y_m": y, "total": people})


def found(
    layers: Layers, network: Network, trip: Trips, *, other: Any = None, beyond: Any = None, **options: Any
) -> pd.DataFrame:
    """Return the remedies of a promise."""
    nobody = np.zeros(len(layers.facilities["clinics"]), dtype=np.bool_)
    promise = Promise(trip, "", nobody if other is None else other, nobody if beyond is None else beyond)
    asked = Gaps.model_validate({"smallest_share": 0, **options})
    (one,) = gap_lists([promise], layers, {"walker": network}, {"walker": Variants()}, groups=["total"], options=asked)
    return one.remedies


def covered(trip: Trips, layers: Layers) -> float:
    inside = trip.nearest.seconds <= trip.cutoff_s + TIME_TOLERANCE_S
    return float(layers.demand.points["total"][inside].sum())


def with_facility(layers: Layers, x_m: float, y_m: float) -> Layers:
    every = layers.facilities["clinics"]
    new = gpd.GeoDataFrame(
        {"facility_id": ["new"], "name": ["new"], "tier": [None], "zone_id": ["a"]},
        geometry=shapely.points([[x_m, y_m]]), crs=layers.crs,
    )  # fmt: skip
    together = gpd.GeoDataFrame(pd.concat([every, new], ignore_index=True), crs=layers.crs)
    return Layers(**{**vars(layers), "facilities": {"clinics": together}})


STREET = builders.roads([(0, 0), (400, 0), (800, 0), (1200, 0), (1600, 0), (2000, 0)], [[0, 1, 2, 3, 4, 5]])
CROSSED = builders.roads(
    [(0, 0), (400, 0), (800, 0), (1200, 0), (1600, 0), (2000, 0), (1200, 250), (1600, 250)],
    [[0, 1, 2, 3, 4, 5], [3, 6], [4, 7]],
)


def test_a_new_site_gains_exactly_what_building_it_gains() -> None:
    people = points((100, 0), (1100, 0), (1250, 0), (1700, 0))
    layers = builders.layers(CROSSED, ZONE, people, FACILITIES)
    network = network_of(CROSSED, people)
    layer = builders.facility_layer(cutoff_min=5)
    trip = travel(layer, layers, network)
    table = found(layers, network, trip).query("remedy == 'new_site'").set_index("gap")
    # From the junction at 1200 all within 300 m are reached.
    first = table.loc[1]
    assert (first["x_m"], first["y_m"]) == pytest.approx((1200, 0))
    assert (first["people"], first["of_gap"]) == (20, 20)
    after = travel(layer, with_facility(layers, first["x_m"], first["y_m"]), network)
    assert covered(after, layers) - covered(trip, layers) == pytest.approx(first["people"])


def test_raising_or_opening_a_facility_gains_exactly_what_counting_it_gains() -> None:
    people = points((100, 0), (900, 0), (1000, 0))
    facilities = {"f": (0.0, 0.0, "a"), "g": (1200.0, 0.0, "a"), "h": (2000.0, 0.0, "a")}
    layers = builders.layers(STREET, ZONE, people, facilities)
    network = network_of(STREET, people)
    layer = builders.facility_layer(cutoff_min=5)
    only_f = np.array([True, False, False])
    trip = travel(layer, layers, network, chosen=only_f)
    for kind, asked, price in (("upgrade", "other", 0.5), ("open_neighbour", "beyond", 0.1)):
        table = found(layers, network, trip, **{asked: ~only_f})
        (one,) = table[table["remedy"] == kind].to_dict("records")
        assert (one["facility_id"], one["price"], one["people"]) == ("g", price, 20)
        assert one["cheapest"]
        after = travel(layer, layers, network, chosen=np.array([True, True, False]))
        assert covered(after, layers) - covered(trip, layers) == one["people"]


def test_a_footbridge_where_the_street_leads_round_about() -> None:
    # A long loop: 100 m across between (500, 0) and (500, 100), 1.1 km round.
    ways = builders.roads(
        [
            (0, 0),
            (250, 0),
            (500, 0),
            (1000, 0),
            (1000, 100),
            (500, 100),
            (250, 100),
            (500, -50),
            (500, 150),
            (250, 150),
        ],
        [[0, 1, 2, 3, 4, 5, 6], [2, 7], [5, 8], [6, 9]],
    )
    people = points((100, 0), (500, 100), (450, 100), (300, 100))
    layers = builders.layers(ways, ZONE, people, FACILITIES)
    network = network_of(ways, people)
    layer = builders.facility_layer(cutoff_min=11)
    trip = travel(layer, layers, network)
    (path,) = found(layers, network, trip, path_m=120).query("remedy == 'path'").to_dict("records")
    # From (500, 100) over 100 m to (500, 0) and 500 m on: 600 s, and 650 s from 450; 800 s from 300 is too long.
    ends = {(round(path["x_m"]), round(path["y_m"])), (round(path["to_x_m"]), round(path["to_y_m"]))}
    assert ends == {(500, 100), (500, 0)}
    assert (path["people"], path["of_gap"], path["amount"]) == (20, 20, pytest.approx(100))
    assert path["price"] == pytest.approx(0.5)
    # The same as a way among the roads, from which everything is computed anew.
    more = builders.roads(
        [
            (0, 0),
            (250, 0),
            (500, 0),
            (1000, 0),
            (1000, 100),
            (500, 100),
            (250, 100),
            (500, -50),
            (500, 150),
            (250, 150),
        ],
        [[0, 1, 2, 3, 4, 5, 6], [2, 7], [5, 8], [6, 9], [2, 5]],
    )
    after = travel(layer, layers, network_of(more, people))
    assert covered(after, layers) - covered(trip, layers) == path["people"]


def test_a_bridge_joins_a_piece_of_its_own() -> None:
    nodes = [(0, 0), (200, 0), (0, 80), (200, 80), (400, 80), (200, 120)]
    ways = builders.roads(nodes, [[0, 1], [2, 3, 4], [3, 5]])
    people = points((50, 0), (200, 80), (390, 80))
    layers = builders.layers(ways, ZONE, people, FACILITIES)
    network = network_of(ways, people)
    trip = travel(builders.facility_layer(cutoff_min=5), layers, network)
    (path,) = found(layers, network, trip).query("remedy == 'path'").to_dict("records")
    joined = builders.roads(nodes, [[0, 1], [2, 3, 4], [3, 5], [0, 2]])
    after = travel(builders.facility_layer(cutoff_min=5), layers, network_of(joined, people))
    # Over 80 m from (0, 80): 280 s from (200, 80), 470 s from (390, 80).
    assert (path["people"], path["amount"]) == (10, pytest.approx(80))
    assert covered(after, layers) - covered(trip, layers) == 10


def test_a_footbridge_over_a_barrier_for_people_whom_it_cuts_off() -> None:
    # A canal at y = 20 keeps three houses from their street; the fourth is too far even over a bridge.
    people = points((100, 60), (150, 60), (100, 90), (900, 60))
    canal = shapely.LineString([(-500, 20), (2500, 20)])
    layers = builders.layers(STREET, ZONE, people, FACILITIES)
    network = network_of(STREET, people, canal)
    trip = travel(builders.facility_layer(cutoff_min=5), layers, network)
    assert covered(trip, layers) == 0
    table = found(layers, network, trip)
    (path,) = table[(table["remedy"] == "path") & (table["people"] > 0)].to_dict("records")
    assert (path["x_m"], path["y_m"], path["to_y_m"]) == pytest.approx((100, 60, 0))
    assert (path["people"], path["of_gap"], path["amount"]) == (30, 30, pytest.approx(60))
    # The same as a way with a crossing where nobody else can step on it: all come to its end.
    bridge = builders.roads(
        [(0, 0), (100, 0), (400, 0), (800, 0), (1200, 0), (1600, 0), (2000, 0), (100, 60)],
        [[0, 1, 2, 3, 4, 5, 6], [1, 7]],
    )
    after = travel(builders.facility_layer(cutoff_min=5), layers, network_of(bridge, people, canal))
    assert covered(after, layers) == path["people"]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_every_remedy_gains_what_it_promises_in_any_tangle_of_ways(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ways = builders.random_roads(rng)
    xy = builders.random_points(rng, ways, 40)
    people = points(*map(tuple, xy.tolist()))
    people["total"] = rng.integers(0, 30, 40).astype(float)
    layers = builders.layers(ways, ZONE, people, {"f": (*ways.xy[0].tolist(), "a"), "g": (*ways.xy[-1].tolist(), "a")})
    network = network_of(ways, people)
    layer = builders.facility_layer(cutoff_min=float(rng.uniform(2, 8)))
    trip = travel(layer, layers, network, chosen=np.array([True, False]))
    before = covered(trip, layers)
    table = found(layers, network, trip, other=np.array([False, True]), path_m=400, largest=3)
    for one in table.to_dict("records"):
        assert 0 < one["of_gap"] <= one["people"] + 1e-9
        if one["remedy"] == "new_site":
            after = travel(
                layer, with_facility(layers, one["x_m"], one["y_m"]), network, chosen=np.array([1, 0, 1], bool)
            )
        elif one["remedy"] == "upgrade":
            after = travel(layer, layers, network, chosen=np.array([True, True]))
        else:
            ends = [np.argmin(np.hypot(*(network.graph.node_xy - place).T)) for place in
                    ((one["x_m"], one["y_m"]), (one["to_x_m"], one["to_y_m"]))]  # fmt: skip
            if np.hypot(*(network.graph.node_xy[ends[0]] - (one["x_m"], one["y_m"]))) > 0:
                continue  # a path from the houses themselves
            seconds = one["amount"] / 1.0
            again = nearest_with_path(network, trip.places, int(ends[1]), int(ends[0]), seconds=seconds)
            after = Trips(**{**vars(trip), "nearest": again})
        assert covered(after, layers) - before == pytest.approx(one["people"], abs=1e-6)


def test_more_beds_serve_exactly_as_many_as_promised() -> None:
    people = points((100, 0), (200, 0), (700, 0), people=50.0)
    layers = builders.layers(STREET, ZONE, people, {"f": (0.0, 0.0, "a"), "g": (800.0, 0.0, "a")})
    layers.facilities["clinics"]["beds"] = [3.0, 5.0]
    network = network_of(STREET, people)
    trip = travel(builders.facility_layer(cutoff_min=5, capacity=["beds"]), layers, network)
    need = Need.model_validate({"capacity": "beds", "per_person": 0.1})
    serving = serve(trip, need, layers)
    (one,) = unserved_lists([serving], layers, options=Gaps())
    (more,) = one.remedies.to_dict("records")
    # 100 people in reach of f need 10 beds and get 3; those of g need 5 and get 5.
    assert (more["remedy"], more["facility_id"], more["amount"], more["price"]) == ("capacity", "f", 7, 0.14)
    enlarged = trip.facilities.assign(beds=[3.0 + more["amount"], 5.0])
    after = serve(Trips(**{**vars(trip), "facilities": enlarged}), need, layers)
    gained = (after.found.served - serving.found.served).sum() / 0.1
    assert gained == pytest.approx(more["people"])
    assert more["people"] == pytest.approx(70)


def test_where_capacity_is_not_told_it_is_to_be_found_out() -> None:
    people = points((100, 0))
    layers = builders.layers(STREET, ZONE, people, FACILITIES)
    layers.facilities["clinics"]["beds"] = [np.nan]
    network = network_of(STREET, people)
    trip = travel(builders.facility_layer(cutoff_min=5, capacity=["beds"]), layers, network)
    serving = serve(trip, Need.model_validate({"capacity": "beds", "per_person": 0.1}), layers)
    (one,) = unserved_lists([serving], layers, options=Gaps())
    (record,) = one.remedies.to_dict("records")
    assert (record["remedy"], record["facility_id"], record["price"]) == ("record", "f", 0)
    assert np.isnan(record["people"])
    assert not record["cheapest"]


def test_no_gap_no_remedy() -> None:
    people = points((100, 0))
    layers = builders.layers(STREET, ZONE, people, FACILITIES)
    network = network_of(STREET, people)
    trip = travel(builders.facility_layer(cutoff_min=5), layers, network)
    assert found(layers, network, trip).empty
