"""Whom facilities serve within capacity: by hand on one street, and laws that hold for any town."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import builders
from facility_coverage.analysis.serving import PEOPLE, serve, served_table, spare_table
from facility_coverage.analysis.trips import Trips, travel
from facility_coverage.config.needs import Need
from facility_coverage.layers.model import Layers

STREET = builders.roads([(0, 0), (3000, 0)], [[0, 1]])
ZONES = {"west": ("urban", shapely.box(-500, -500, 1000, 500)), "east": ("rural", shapely.box(1000, -500, 3500, 500))}


def town(
    people: pd.DataFrame, facilities: dict[str, tuple[float, float, str]], beds: list[float]
) -> tuple[Layers, Trips]:
    layers = builders.layers(STREET, ZONES, people, facilities)
    layers.facilities["clinics"]["beds"] = beds
    network = builders.network(STREET, people[["x_m", "y_m"]].to_numpy())
    layer = builders.facility_layer(cutoff_min={"urban": 5, "rural": 10}, capacity=["beds"])
    return layers, travel(layer, layers, network)


def test_by_hand_on_one_street() -> None:
    # One metre a second: 300 m in the west, 600 m in the east.
    # Clinic p (4 beds) at 0, q (3) at 1500, r (not told) at 2900.
    people = pd.DataFrame(
        {
            "demand_id": list("abcde"), "zone_id": ["west", "west", "east", "east", None],
            "x_m": [100.0, 900, 1400, 2800, 1450], "y_m": 0.0, "total": [100.0, 50, 50, 30, 70],
        }
    )  # fmt: skip
    layers, trip = town(people, {"p": (0, 0, "west"), "q": (1500, 0, "east"), "r": (2900, 0, "east")}, [4, 3, np.nan])
    found = serve(trip, Need.model_validate({"capacity": "beds", "per_person": {"urban": 0.05, "rural": 0.1}}), layers)
    west, east = served_table([found], layers).set_index("zone_id").loc[["west", "east"]].to_dict("records")
    # a needs 5 beds and gets 4, which are 80 people; b reaches nothing.
    assert [west[name] for name in PEOPLE] == pytest.approx([150, 100, 80, 20, 50])
    assert (west["needed"], west["provided"], west["missing_capacity"]) == pytest.approx((7.5, 4, 3.5))
    # c needs 5 beds and gets the 3 of q: 30 people; d reaches only r, whose beds nobody knows.
    # e lives beyond the zones.
    assert [east[name] for name in PEOPLE] == pytest.approx([80, 80, 30, 50, 0])
    spare = spare_table([found], layers).set_index("facility_id")
    assert spare.loc["p", ["held", "used", "spare"]].tolist() == pytest.approx([4, 4, 0])
    assert spare.loc["r", ["held", "used", "spare"]].isna().all()
    assert found.in_reach_of_unknown.tolist() == [False, False, False, True, False]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), rate=st.floats(0.01, 2))
def test_people_and_beds_add_up_and_nobody_is_served_twice(seed: int, rate: float) -> None:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-400, 3400, 30)
    zone = np.where(x < 1000, "west", "east").astype(object)
    people = pd.DataFrame({"demand_id": [str(i) for i in range(30)], "zone_id": zone, "x_m": x, "y_m": 0.0,
                           "total": rng.integers(0, 40, 30).astype(float)})  # fmt: skip
    places = {f"f{i}": (float(rng.uniform(0, 3000)), 0.0, "east") for i in range(4)}
    layers, trip = town(people, places, rng.choice([0.0, 5, 20, np.nan], 4).tolist())
    found = serve(trip, Need.model_validate({"capacity": "beds", "per_person": rate}), layers)
    table = served_table([found], layers)
    assert table["population"].to_numpy() == pytest.approx(table[["served", "residual", "not_covered"]].sum(axis=1))
    assert table["covered"].to_numpy() == pytest.approx(table[["served", "residual"]].sum(axis=1))
    assert table["population"].sum() == pytest.approx(people["total"].sum())
    assert (table[[*PEOPLE, "needed", "provided", "missing_capacity"]] >= -1e-6).all(axis=None)
    spare = spare_table([found], layers)
    assert spare["used"].sum() == pytest.approx(table["provided"].sum())
    assert (spare["used"].dropna() <= spare["held"].dropna() + 1e-9).all()
    # More beds never serve fewer people.
    more = {**layers.facilities, "clinics": layers.facilities["clinics"].assign(beds=lambda t: t["beds"] + 5)}
    trip_more = Trips(**{**vars(trip), "facilities": more["clinics"]})
    again = serve(trip_more, found.need, layers)
    assert again.found.served.sum() >= found.found.served.sum() - 1e-6
