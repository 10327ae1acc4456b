"""Why people are left out: a constructed case for each cause."""

from __future__ import annotations

import dataclasses
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import builders
from facility_coverage.analysis.gaps import CAUSES, Variants, causes, gaps
from facility_coverage.analysis.trips import travel
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
    return causes(trip, layers, own, variants).tolist(), trip, layers


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
    table = gaps(trip, layers, np.array(found, dtype=object), groups=["total"])
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
    table = gaps(trip, layers, np.array(found, dtype=object), groups=["total"])
    assert len(table) == 0
    assert {"layer", "gap", "zone_id", "cause", "people_total", "minutes_missing", "near_name"} <= set(table.columns)


def test_every_cause_has_a_case() -> None:
    assert set(CAUSES) == {"unattached", "disconnected", "barrier", "slope", "detour", "distance"}
