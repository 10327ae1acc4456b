"""Mean times and numbers of facilities on the street of `judging`: a metre a second; every figure by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judging import evidence, goal, judged

PEOPLE = pd.DataFrame(
    {
        "zone_id": ["a", "a", "a", "b", "b"],
        "x_m": [720.0, 900.0, 901.0, 1800.0, 2500.0],
        "total": [300.0, 100.0, 100.0, 50.0, 150.0],
        "old": [30.0, 20.0, 50.0, 40.0, 60.0],
    }
)
TOWNS = pd.DataFrame({"zone_id": ["a", "b"], "area_type": ["urban", "rural"]})
CLINICS = pd.DataFrame({"x_m": [0.0, 1000.0], "zone_id": ["a", "b"], "tier": ["top", "low"]})
TIERS = {"care": {"tiers": [{"id": "top", "name": "T"}, {"id": "low", "name": "L"}]}}
LOST = pd.DataFrame({"zone_id": ["b"], "x_m": [100.0], "y_m": [9000.0], "total": [100.0], "old": [0.0]})


def street(facilities: pd.DataFrame = CLINICS, people: pd.DataFrame = PEOPLE, **more: Any) -> Any:
    return evidence(facilities, people, TOWNS, layers=TIERS, **more)


MOST: dict[str, Any] = {"to": {"bound": "at_most"}}


def test_the_mean_time_to_the_nearest() -> None:
    """With the clinic at 0 alone 300 people go 12 minutes, 100 go 15, 100 go 901 s …; there is no cutoff."""
    a, b = (300 * 720 + 100 * 900 + 100 * 901) / 60, (50 * 1800 + 150 * 2500) / 60
    result = judged(goal("travel_time", 21, tier="top", **MOST), street())
    assert [result.value, *(z.value for z in result.zones)] == pytest.approx([(a + b) / 700, a / 500, b / 200])
    assert (result.status, result.scale, result.unit, result.unreached_share) == ("met", "minutes", "minutes", 0)
    assert [(z.status, z.shortfall) for z in result.zones] == [("met", 0), ("behind", pytest.approx(b / 200 - 21))]
    # With both clinics the way is 280, 100, 99, 800 and 1500 m.
    near = judged(goal("travel_time", None, group="old"), street())
    metres = 30 * 280 + 20 * 100 + 50 * 99 + 40 * 800 + 60 * 1500
    assert near.value == pytest.approx(metres / 60 / 200)
    assert near.status is None
    own = street(CLINICS.assign(zone_id=pd.Series(["a", None], dtype=object)))
    assert judged(goal("travel_time", None, facilities_from="own_zones_only"), own).value == pytest.approx(
        (a + b) / 700
    )


def test_who_reaches_none_is_not_in_the_mean_and_is_told() -> None:
    people = pd.concat([PEOPLE, LOST], ignore_index=True).fillna({"y_m": 0.0})
    known = judged(goal("travel_time", 20, **MOST), street())
    result = judged(goal("travel_time", 20, **MOST), street(people=people))
    assert (result.value, result.base) == (known.value, 700)
    assert (result.unreached_share, result.zones[1].unreached_share) == (pytest.approx(1 / 8), pytest.approx(1 / 3))
    assert result.note_en == "100 people (12.5%) reach no facility and are not in the mean"
    assert "100 人(12.5%)" in result.note_zh


def test_where_nobody_reaches_one_there_is_no_mean() -> None:
    people = pd.concat([PEOPLE.iloc[:3], LOST], ignore_index=True).fillna({"y_m": 0.0})
    result = judged(goal("travel_time", 20, **MOST, scope={"each": "zone"}), street(people=people))
    assert [(z.value, z.status, z.reason) for z in result.zones][1] == (None, "no_data", "unreached")
    assert result.status == "no_data"
    none = judged(goal("travel_time", None), street(CLINICS.iloc[:0]))
    assert (none.value, none.reason, none.unreached_share) == (None, "unreached", 1)
    nobody = judged(goal("travel_time", None), street(people=PEOPLE.iloc[:3]))
    assert [z.reason for z in nobody.zones] == ["no_target", "nobody"]


def test_the_shortfall_of_a_mean_in_each_town_is_the_largest() -> None:
    result = judged(goal("travel_time", 1, **MOST, scope={"each": "zone"}), street())
    short = [z.shortfall for z in result.zones]
    assert result.shortfall == max(short) > min(short) > 0


def test_the_mean_number_within_the_cutoff() -> None:
    """In town (15 min) 300 + 100 have both clinics, 100 one; in the country (30 min) 50 have both, 150 one."""
    result = judged(goal("facilities_in_reach", 1.8), street())
    assert [result.value, *(z.value for z in result.zones)] == pytest.approx([1150 / 700, 1.8, 1.25], rel=1e-15)
    assert [(z.status, z.shortfall) for z in result.zones] == [("met", 0), ("behind", 0.55)]
    assert (result.scale, result.unit) == ("count", "facilities_in_reach")
    strict = judged(goal("facilities_in_reach", 1.8, cutoff_min=5, group="old"), street())
    # 280, 100 and 99 m from the clinic at 1000 m
    assert strict.value == pytest.approx(100 / 200)


def test_who_has_a_choice() -> None:
    result = judged(goal("population_with_choice", 0.7), street())
    assert [result.value, *(z.value for z in result.zones)] == pytest.approx([450 / 700, 0.8, 0.25])
    assert (result.status, result.shortfall, result.unit, result.scale) == ("behind", 40, "people", "share")
    assert judged(goal("population_with_choice", 0.7, at_least=3), street()).value == 0
    assert judged(goal("population_with_choice", 0.7, tier="top"), street()).value == 0


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cutoff=st.integers(1, 40))
def test_laws_of_numbers_within_reach(seed: int, cutoff: int) -> None:
    """One is a choice of one; the mean is the sum of the shares with at least 1, 2, 3 …; zones add up."""
    rng = np.random.default_rng(seed)
    care = pd.DataFrame({"x_m": rng.uniform(0, 3000, 5), "zone_id": rng.choice(list("ab"), 5)})
    points = pd.DataFrame({"x_m": rng.uniform(0, 3000, 30), "zone_id": rng.choice(list("ab"), 30)})
    world = evidence(care, points.assign(total=rng.uniform(0, 50, 30)), TOWNS)
    mean = judged(goal("facilities_in_reach", None, cutoff_min=cutoff), world)
    shares = [
        judged(goal("population_with_choice", None, at_least=n, cutoff_min=cutoff), world).value for n in range(1, 6)
    ]
    covered = judged(goal("population_covered", None, cutoff_min=cutoff), world)
    assert shares[0] == covered.value
    assert sum(shares) == pytest.approx(mean.value, rel=1e-12)
    time = judged(goal("travel_time", None), world)
    for result in (mean, time):
        assert sum(z.amount for z in result.zones) == pytest.approx(result.amount, rel=1e-9)
        assert sum(z.base for z in result.zones) == pytest.approx(result.base, rel=1e-9)
    distance = np.abs(points["x_m"].to_numpy()[:, None] - care["x_m"].to_numpy()).min(axis=1) / 60
    people = world.layers.demand.points["total"].to_numpy()
    assert time.value == pytest.approx(np.average(distance, weights=people), rel=1e-9)
