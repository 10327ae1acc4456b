"""Who leads whom, whom each tier covers, and who is served across the border: on the street of `judging`."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from facility_coverage.analysis.hierarchy import led_facilities, tier_coverage
from facility_coverage.analysis.ledger import keep_ledger
from facility_coverage.config.people import Group
from judging import evidence

TIERS = [
    {"id": "street", "name": "s"},
    {"id": "town", "name": "t"},
    {"id": "station", "name": "n", "led_by": ["street", "town"]},
    {"id": "point", "name": "p", "led_by": ["station"], "led_within_min": 10, "cutoff_min": 5},
]
CARE = pd.DataFrame(
    [
        ("street", 0.0, "a"), ("town", 2400.0, "b"), ("station", 900.0, "a"), ("station", 1500.0, "b"),
        ("point", 1500.0, "b"), ("point", 300.0, "a"), ("point", 2101.0, "b"), ("town", 1200.0, None),
    ],
    columns=["tier", "x_m", "zone_id"],
)  # fmt: skip
ZONES = pd.DataFrame({"zone_id": ["a", "b"], "area_type": ["urban", "rural"]})
PEOPLE = pd.DataFrame(
    {"zone_id": ["a", "a", "b", None], "x_m": [100.0, 1000.0, 2500.0, 2900.0], "total": [10.0, 20.0, 40.0, 7.0]}
)


def world(**options: Any) -> Any:
    return evidence(CARE, PEOPLE, ZONES, layers={"care": {"tiers": TIERS, **options}})


def test_each_point_is_led_by_its_nearest_centre_of_the_study() -> None:
    shown = world()
    table = led_facilities(shown.facility_layers["care"], shown.reach).set_index("facility_id")
    assert table["status"].to_dict() == {
        "f000": "leads", "f001": "leads", "f002": "led", "f003": "led", "f004": "led", "f005": "led", "f006": "orphan",
    }  # fmt: skip
    # 900 m from the street's centre, not 300 m from the town's beyond the zones; the other station is 900 m from b's.
    assert table.loc["f002", ["leader_id", "leader_tier", "minutes"]].tolist() == ["f000", "street", 15.0]
    assert table.loc["f003", ["leader_id", "minutes"]].tolist() == ["f001", 15.0]
    assert table.loc["f005", ["leader_id", "minutes"]].tolist() == ["f002", 10.0]  # exactly ten minutes is within
    assert table.loc["f006", "leader_id"] is None
    assert table.loc["f006", "minutes"] == pytest.approx(601 / 60)


def test_tiers_cover_alone_with_those_above_and_together() -> None:
    shown = world()
    table = tier_coverage(shown.facility_layers["care"], shown.reach, groups=["total"])
    study = table[table["zone_id"] == ""].set_index("tier")["covered"].to_dict()
    # points within five minutes: 10 people by the one at 300 m, nobody by that at 2,101 m (399 m); all tiers: everybody
    assert study == {"street": 10.0, "town": 60.0, "station": 70.0, "point": 10.0, "*": 70.0}
    inclusive = world(tiers_inclusive=True)
    more = tier_coverage(inclusive.facility_layers["care"], inclusive.reach, groups=["total"])
    assert more[more["zone_id"] == ""].set_index("tier")["covered"].to_dict() == {
        "street": 10.0, "town": 70.0, "station": 70.0, "point": 70.0, "*": 70.0,
    }  # fmt: skip
    zones = table[(table["zone_id"] != "") & (table["tier"] == "town")]
    assert zones[["population", "covered"]].to_numpy().tolist() == [[30.0, 20.0], [40.0, 40.0]]


def test_a_layer_without_tiers_leads_nobody() -> None:
    shown = evidence(pd.DataFrame({"x_m": [0.0], "zone_id": ["a"]}), PEOPLE, ZONES)
    assert led_facilities(shown.facility_layers["care"], shown.reach).empty


NEIGHBOURS = gpd.GeoDataFrame(
    {"district_id": ["n"], "name": ["N"], "area_type": ["rural"], "old": [0.5]},
    geometry=[shapely.box(2800, -50, 3000, 50)],
    crs=32648,
)
OLD = Group.model_validate({"id": "old", "name": "o", "zone_column": "old"})


def ledger(
    facilities: list[tuple[float, str | None]], people: list[tuple[float, str | None, float]], **more: Any
) -> Any:
    care = pd.DataFrame(facilities, columns=["x_m", "zone_id"]).astype({"zone_id": object})
    points = pd.DataFrame(people, columns=["x_m", "zone_id", "total"]).astype({"zone_id": object})
    points["old"] = points["total"].where(points["zone_id"].notna()) * 0.1
    zones = pd.DataFrame({"zone_id": ["a", "b"], "district_id": ["A", "B"], "district_name": ["A", "B"]})
    shown = evidence(care, points, zones, **more)
    return keep_ledger(list(shown.facility_layers.values()), shown.reach, groups=[OLD], own_name="study")


def test_who_is_served_only_by_the_other_district() -> None:
    found = ledger([(0.0, "a"), (3000.0, "b")], [(500.0, "a", 10.0), (2500.0, "a", 50.0), (2600.0, "b", 7.0)])
    rows = found.served[found.served["group"] == "total"].set_index(["people_district", "facility_district"])
    assert rows["served"].to_dict() == {("A", "A"): 10.0, ("A", "B"): 50.0, ("B", "A"): 0.0, ("B", "B"): 7.0}
    assert rows["served_only"].to_dict() == {("A", "A"): 10.0, ("A", "B"): 50.0, ("B", "A"): 0.0, ("B", "B"): 7.0}
    share = found.sharing[found.sharing["group"] == "total"].set_index("district_id")
    assert share.loc["A", ["population", "own", "shared", "only_by_others"]].tolist() == [60.0, 10.0, 60.0, 50.0]


def test_neighbours_people_served_by_ours_with_their_own_groups() -> None:
    people = [(2500.0, "b", 10.0), (2900.0, None, 40.0), (1600.0, None, 99.0)]
    found = ledger([(2000.0, "b")], people, neighbours=NEIGHBOURS)
    rows = found.served.set_index(["group", "people_district"])
    assert rows.loc[("total", "n"), ["population", "served"]].tolist() == [40.0, 40.0]
    assert rows.loc[("old", "n"), "served"] == 20.0
    assert np.isnan(rows.loc[("total", "n"), "served_only"])
    # Somebody at 1,600 m stands in no neighbour: without an area type there is no cutoff.
    assert rows.loc[("total", "elsewhere"), ["population", "served"]].tolist() == [99.0, 0.0]
    assert np.isnan(rows.loc[("old", "elsewhere"), "population"])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_shared_is_own_and_only_by_others(seed: int) -> None:
    rng = np.random.default_rng(seed)
    care = [(float(x), str(z)) for x, z in zip(rng.uniform(0, 3000, 4), rng.choice(["a", "b"], 4), strict=True)]
    people = [
        (float(x), str(z), float(n))
        for x, z, n in zip(rng.uniform(0, 3000, 20), rng.choice(["a", "b"], 20), rng.uniform(0, 9, 20), strict=True)
    ]
    share = ledger(care, people).sharing
    np.testing.assert_allclose(share["shared"], share["own"] + share["only_by_others"], rtol=1e-12)
    assert (share["shared"] <= share["population"] + 1e-9).all()


def test_who_reaches_both_sides_is_served_by_both_and_by_neither_alone() -> None:
    found = ledger([(0.0, "a"), (1000.0, "b")], [(500.0, "a", 10.0), (50.0, "a", 3.0), (1900.0, "a", 5.0)])
    rows = found.served[found.served["group"] == "total"].set_index(["people_district", "facility_district"])
    # Those at 50 m reach B's at 950 m not within 900 s; those at 1,900 m reach B's alone, at exactly 15 minutes.
    assert rows.loc[("A", "A"), ["served", "served_only"]].tolist() == [13.0, 3.0]
    assert rows.loc[("A", "B"), ["served", "served_only"]].tolist() == [15.0, 5.0]
    share = found.sharing[found.sharing["group"] == "total"].set_index("district_id")
    assert share.loc["A", ["own", "shared", "only_by_others"]].tolist() == [13.0, 18.0, 5.0]
