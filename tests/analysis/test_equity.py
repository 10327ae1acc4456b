"""Equity of a street by hand: who competes, who has no figure, and where the worst-served tenth live."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import shapely

import builders
from facility_coverage.analysis.equity import CURVE, Equity, measure_equity
from facility_coverage.analysis.trips import travel

# One street of 3 km, 1 m/s. Town: 0 … 1500 m (15 minutes = 900 m), country: 1500 … 3000 m (30 minutes = 1800 m).
STREET = builders.roads([(0, 0), (1500, 0), (3000, 0)], [[0, 1, 2]])
ZONES = {
    "a_town": ("urban", shapely.box(0, -2000, 1500, 2000)),
    "b_country": ("rural", shapely.box(1500, -2000, 3000, 2000)),
}
PEOPLE = pd.DataFrame(
    [
        ("p1", "a_town", 500.0, 0.0, 100.0, 10.0),  # reaches f1
        ("p2", "a_town", 900.0, 0.0, 200.0, 20.0),  # reaches f1 in exactly 15 minutes
        ("p3", "a_town", 1200.0, 0.0, 100.0, 10.0),  # reaches nothing
        ("p4", "b_country", 1700.0, 0.0, 300.0, 60.0),  # reaches both
        ("p5", "b_country", 2900.0, 0.0, 100.0, 40.0),  # reaches f2
        ("p6", None, 10.0, -10.0, 320.0, np.nan),  # beyond the zones
    ],
    columns=["demand_id", "zone_id", "x_m", "y_m", "total", "old"],
)
FACILITIES = {"f1": (0.0, 0.0, "a_town"), "f2": (3000.0, 0.0, "b_country")}
BEDS = {"f1": 45.0, "f2": 25.0}


def measured(beds: dict[str, float] | None = None, *, people: pd.DataFrame = PEOPLE) -> Equity:
    """Equity of beds, or of facilities where `beds` is None; facilities stand in the order of `beds`."""
    order = list(beds or FACILITIES)
    options = {"group": "old"} | ({"capacity": ["beds"]} if beds else {})
    data = builders.layers(STREET, ZONES, people, {name: FACILITIES[name] for name in order})
    if beds is not None:
        data = dataclasses.replace(data, facilities={"clinics": data.facilities["clinics"].assign(beds=beds.values())})
    network = builders.network(STREET, people[["x_m", "y_m"]].to_numpy(dtype=np.float64))
    groups = [name for name in people.columns if name not in ("demand_id", "zone_id", "x_m", "y_m")]
    return measure_equity(data, [travel(builders.facility_layer(**options), data, network)], groups=groups)


def part(table: pd.DataFrame, group: str, scope: str = "study") -> pd.DataFrame:
    return table[(table["group"] == group) & (table["scope"] == scope)]


def row(equity: Equity, group: str, scope: str = "study") -> dict[str, object]:
    (found,) = part(equity.figures, group, scope).to_dict("records")
    return found


def towns(equity: Equity, group: str, scope: str = "study") -> list[tuple[object, ...]]:
    rows = part(equity.worst_served, group, scope)
    return list(rows[["zone_id", "people", "share_of_tenth", "share_of_zone"]].itertuples(index=False, name=None))


def same(one: Equity, other: Equity) -> None:
    for name in ("figures", "lorenz", "worst_served"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), rtol=1e-12, atol=1e-12)


def test_older_people_by_hand() -> None:
    # The old compete: f1 has 45 beds for 10 + 20 + 60, f2 25 for 60 + 40. A: 0.5, 0.5, 0, 0.75, 0.25 beds a person.
    equity = measured(BEDS)
    found = row(equity, "old")
    assert (found["layer"], found["capacity"], found["reason"]) == ("clinics", "beds", "")
    assert (found["population"], found["no_data"], found["partly_known"], found["missing"]) == (140, 0, 0, 0)
    assert found["with_none"] == 10
    assert found["mean_per_1000"] == pytest.approx(1000 * (45 + 25) / 140)
    # Every two people: 10·40·¼ + 10·30·½ + 10·60·¾ + 40·30·¼ + 40·60·½ + 30·60·¼ = 2650.
    assert found["gini"] == pytest.approx(2650 / (140 * 70))
    # The best 14 have ¾ each; of the worst 56, 10 have none, 40 a quarter and 6 a half.
    assert found["palma_ratio"] == pytest.approx(14 * 0.75 / 13)
    assert found["best_tenth_share"] == pytest.approx(10.5 / 70)
    assert found["worst_four_tenths_share"] == pytest.approx(13 / 70)
    # The worst 14: the 10 without, and 4 of the 40 with a quarter.
    assert found["worst_tenth_up_to_per_1000"] == pytest.approx(250)
    assert towns(equity, "old") == [
        ("a_town", pytest.approx(10), pytest.approx(10 / 14), pytest.approx(10 / 40)),
        ("b_country", pytest.approx(4), pytest.approx(4 / 14), pytest.approx(4 / 100)),
    ]


def test_everybody_has_the_same_places_in_other_numbers() -> None:
    # The beds that a place has do not depend on whose equity is asked for: 100 + 200 people live where each has a half.
    equity = measured(BEDS)
    found = row(equity, "total")
    assert found["population"] == 800
    assert found["mean_per_1000"] == pytest.approx(1000 * (300 * 0.5 + 0 + 300 * 0.75 + 100 * 0.25) / 800)
    # The worst 80 are four fifths of the hundred who reach nothing.
    assert found["worst_tenth_up_to_per_1000"] == 0
    assert towns(equity, "total") == [("a_town", pytest.approx(80), pytest.approx(1), pytest.approx(0.2))]


def test_area_types_have_tenths_of_their_own() -> None:
    equity = measured(BEDS)
    assert equity.figures["scope"].tolist() == ["study", "urban", "rural"] * 2
    assert equity.figures["group"].tolist() == ["total"] * 3 + ["old"] * 3
    urban, rural = row(equity, "old", "urban"), row(equity, "old", "rural")
    # Town: 10 with none, 30 with a half. Best 4: 2 beds; worst 16: 6 · ½.
    assert urban["palma_ratio"] == pytest.approx(2 / 3)
    assert urban["gini"] == pytest.approx(10 * 30 * 0.5 / (40 * 15))
    assert towns(equity, "old", "urban") == [("a_town", pytest.approx(4), pytest.approx(1), pytest.approx(0.1))]
    # Country: 40 with a quarter, 60 with three quarters.
    assert rural["mean_per_1000"] == pytest.approx(550)
    assert rural["gini"] == pytest.approx(40 * 60 * 0.5 / (100 * 55))
    assert rural["worst_tenth_up_to_per_1000"] == pytest.approx(250)


def test_lorenz_curves_have_101_points_by_people() -> None:
    equity = measured(BEDS)
    curve = part(equity.lorenz, "old")
    assert curve["people_share"].tolist() == pytest.approx([k / 100 for k in range(101)])
    by_share = curve.set_index(np.arange(101))["accessibility_share"]
    # 10 of 140 have none; half of the people: 70 = 10 + 40 + 20, with 0 + 10 + 10 beds.
    assert by_share[[0, 7, 50, 100]].tolist() == pytest.approx([0, 0, 20 / 70, 1])
    assert len(equity.lorenz) == 6 * len(CURVE)


def test_without_capacity_facilities_are_counted() -> None:
    equity = measured()
    found = row(equity, "old")
    assert found["capacity"] == ""
    # Two facilities, whom somebody reaches, for 140 people.
    assert found["mean_per_1000"] == pytest.approx(2000 / 140)
    assert found["gini"] == pytest.approx(
        (10 * (30 / 90 + 60 * (1 / 90 + 1 / 100) + 40 / 100) + 30 * 40 / 900 + 30 * 60 / 100 + 40 * 60 / 90) / (140 * 2)
    )


def test_unknown_beds_are_no_data_and_never_none() -> None:
    equity = measured({"f1": 45.0, "f2": np.nan})
    found = row(equity, "old")
    # p5 reaches only f2, whose beds nobody knows; p4 reaches f1 as well.
    assert (found["population"], found["no_data"], found["partly_known"], found["missing"]) == (140, 40, 60, 1)
    assert found["with_none"] == 10
    assert found["mean_per_1000"] == pytest.approx(1000 * 45 / 100)
    # A tenth of the hundred who have a figure.
    assert towns(equity, "old") == [("a_town", pytest.approx(10), pytest.approx(1), pytest.approx(0.25))]


def test_where_no_beds_are_known_nothing_is_said() -> None:
    equity = measured({"f1": np.nan, "f2": np.nan})
    for group, scope in (("old", "study"), ("total", "urban")):
        found = row(equity, group, scope)
        assert found["no_data"] == found["population"] > 0
        assert (found["reason"], found["with_none"]) == ("no_data", 0)
        assert pd.isna([found["mean_per_1000"], found["gini"], found["palma_ratio"], found["best_tenth_share"]]).all()
    assert equity.lorenz.empty
    assert equity.worst_served.empty
    assert list(equity.worst_served) == list(measured(BEDS).worst_served)


def test_where_nobody_has_any_there_is_no_ratio_and_the_reason_says_so() -> None:
    nobody = measured({"f1": 0.0, "f2": 0.0})
    found = row(nobody, "old")
    assert (found["reason"], found["with_none"], found["mean_per_1000"]) == ("nobody_has_any", 140, 0)
    assert pd.isna([found["gini"], found["palma_ratio"]]).all()
    assert nobody.lorenz.empty
    # All are equally badly served: the tenth is a tenth of each town.
    assert [share for *_, share in towns(nobody, "old")] == pytest.approx([0.1, 0.1])
    half = measured({"f1": 0.0, "f2": 25.0})
    found = row(half, "total")
    # 400 of 800 reach nothing that has beds.
    assert (found["reason"], found["worst_four_tenths_share"]) == ("four_tenths_have_none", 0)
    assert pd.isna(found["palma_ratio"])
    assert found["gini"] == pytest.approx(0.5)


def test_a_facility_that_none_of_its_people_reach_tells_nothing() -> None:
    people = PEOPLE.assign(old=[10.0, 20.0, 10.0, 0.0, 0.0, np.nan])
    equity = measured(BEDS, people=people)
    # No older person reaches f2: how many beds the hundred beside it would have cannot be said.
    assert row(equity, "total")["no_data"] == 100
    assert row(equity, "total")["missing"] == 0
    # Nobody of the group in the country: no row.
    assert equity.figures.loc[equity.figures["group"] == "old", "scope"].tolist() == ["study", "urban"]


def test_splitting_a_cell_and_any_order_give_the_same() -> None:
    whole = measured(BEDS)
    same(measured(dict(reversed(BEDS.items()))), whole)
    half = PEOPLE.iloc[[3]].assign(demand_id="p4b", total=100.0, old=20.0)
    rest = PEOPLE.assign(total=[100, 200, 100, 200, 100, 320.0], old=[10, 20, 10, 40, 40, np.nan])
    split = pd.concat([half, rest.iloc[::-1]], ignore_index=True)
    same(measured(BEDS, people=split), whole)


def test_only_the_facilities_that_count_are_shared() -> None:
    abroad = {"f1": (0.0, 0.0, "a_town"), "f2": (3000.0, 0.0, None)}
    data = builders.layers(STREET, ZONES, PEOPLE, abroad)
    data = dataclasses.replace(data, facilities={"clinics": data.facilities["clinics"].assign(beds=[45.0, 25.0])})
    network = builders.network(STREET, PEOPLE[["x_m", "y_m"]].to_numpy(dtype=np.float64))
    layer = builders.facility_layer(capacity=["beds"], group="old", facilities_from="own_zones_only")
    equity = measure_equity(data, [travel(layer, data, network)], groups=["old"])
    assert row(equity, "old")["mean_per_1000"] == pytest.approx(1000 * 45 / 140)
    assert row(equity, "old")["with_none"] == 50


def test_a_layer_without_facilities_gives_nobody_anything() -> None:
    data = builders.layers(STREET, ZONES, PEOPLE, {})
    network = builders.network(STREET, PEOPLE[["x_m", "y_m"]].to_numpy(dtype=np.float64))
    equity = measure_equity(data, [travel(builders.facility_layer(), data, network)], groups=["total"])
    assert row(equity, "total")["reason"] == "nobody_has_any"
