"""Accessibility of goals on a lattice of streets, every 300 m walked in five minutes; every figure by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import builders
from judging import evidence, goal, judged

NAN = float("nan")
TICKS = [300.0 * i for i in range(4)]
NODES = [(x, y) for y in TICKS for x in TICKS]
LATTICE = builders.roads(
    NODES, [list(range(4 * r, 4 * r + 4)) for r in range(4)] + [list(range(c, 16, 4)) for c in range(4)]
)
# Within ten minutes of station A live p and r, of B p, q and r: p and r go 5 minutes to A and 10 to B, q goes 5 to B.
PEOPLE = pd.DataFrame(
    {
        "x_m": [300.0, 600.0, 0.0],
        "y_m": [0.0, 600.0, 300.0],
        "zone_id": ["a", "a", "b"],
        "total": [100.0, 50.0, 100.0],
        "old": [10.0, 40.0, 30.0],
    }
)
STEPS = {"ends_min": [5, 10], "weights": [1, 0.5]}


def lattice(beds: tuple[float, ...] = (20.0, 30.0), zone: tuple[str | None, ...] = ("a", "b"), **more: Any) -> Any:
    table = pd.DataFrame({"x_m": [0.0, 600.0], "y_m": [0.0, 300.0], "zone_id": pd.Series(zone, dtype=object)})
    care = {"care": {"cutoff_min": 10, "capacity": ["beds"], **more.pop("care", {})}}
    return evidence(
        table.assign(beds=beds, **more.pop("columns", {})),
        more.pop("people", PEOPLE),
        pd.DataFrame({"zone_id": ["a", "b"]}),
        roads=LATTICE,
        layers=care,
        **more,
    )


def figures(world: Any, **options: Any) -> list[float | None]:
    """Of the study, and of the towns a and b, for every thousand people."""
    result = judged(goal("accessibility", 150, **options), world)
    return [result.value, *(zone.value for zone in result.zones)]


EDGE = np.exp(-0.5)
NEAR = (np.exp(-0.125) - EDGE) / (1 - EDGE)
BY_HAND = [
    # Beds for one person: A 20 / 200, B 30 / 250; p and r have both, q has B.
    ("two_step", None, (0.22, 0.12)),
    # Ten minutes count half: A 20 / 200, B 30 / (50 + 50 + 50).
    ("enhanced_two_step", STEPS, (0.1 + 0.1, 0.2)),
    # At ten minutes a Gaussian of ten minutes is 0: A is p's and r's alone, B is q's.
    ("enhanced_two_step", "gaussian", (0.1, 0.6)),
    # p and r choose A with 2/3: A 20 / (2 · 2/3 · 100), B 30 / (2 · 1/3 · 0.5 · 100 + 50).
    ("three_step", STEPS, (2 / 3 * 0.15 + 1 / 3 * 0.5 * 0.36, 0.36)),
    # A draws p and r with 20, B with 30 · 0.5: 4/7 and 3/7. A 20 / (200 · 4/7), B 30 / (200 · 3/7 + 50).
    ("huff_three_step", STEPS, (4 / 7 * 0.175 + 3 / 7 * 0.5 * 21 / 95, 21 / 95)),
    # Only the way to A counts for p and r, and it counts NEAR.
    ("huff_three_step", "gaussian", (0.1 * NEAR, 0.6 * NEAR)),
]


@pytest.mark.parametrize(("method", "decay", "each"), BY_HAND)
def test_each_method_by_hand(method: str, decay: Any, each: tuple[float, float]) -> None:
    p, q = each
    town = (100 * p + 50 * q) / 150
    whole = (200 * p + 50 * q) / 250
    options = {} if decay is None else {"decay": decay}
    found = figures(lattice(), method=method, **options)
    assert found == pytest.approx([1000 * whole, 1000 * town, 1000 * p], rel=1e-12)


def test_bands_take_the_place_of_the_cutoff_of_the_layer_but_not_of_the_goals_own() -> None:
    far = {"method": "enhanced_two_step", "decay": {"ends_min": [5, 20], "weights": [1, 0.5]}}
    # All 250 reach A: r and p with 1, q at twenty minutes with a half.
    ratio_a, ratio_b = 20 / (200 + 25), 30 / 150
    assert figures(lattice(), **far)[2] == pytest.approx(1000 * (ratio_a + ratio_b / 2))
    assert figures(lattice(), **far, cutoff_min=10)[2] == pytest.approx(200.0)


def test_group_tier_profile_and_facilities_from() -> None:
    old = figures(lattice(), group="old")
    ratio = 20 / 40, 30 / 80
    assert old[2] == pytest.approx(1000 * sum(ratio))
    tiers = {"care": {"tiers": [{"id": "top", "name": "T"}, {"id": "low", "name": "L"}]}}
    tiered = lattice(**tiers, columns={"tier": ["top", "low"]})
    assert figures(tiered, tier="top") == pytest.approx([1000 * 20 / 250, 1000 * 10 / 150, 100.0])
    abroad = lattice(zone=("a", None))
    assert figures(abroad) == pytest.approx([200.0, 1000 * 28 / 150, 220.0])
    assert figures(abroad, facilities_from="own_zones_only")[2] == pytest.approx(100.0)
    closed = lattice(zone=("a", None), care={"facilities_from": "own_zones_only"})
    assert figures(closed)[2] == pytest.approx(100.0)
    assert figures(closed, facilities_from="anywhere")[2] == pytest.approx(220.0)


def test_the_shortfall_is_in_beds() -> None:
    result = judged(goal("accessibility", 300), lattice())
    assert (result.status, result.shortfall, result.unit, result.scale) == ("behind", 25, "beds", "per_1000")


@pytest.mark.parametrize("method", ["two_step", "three_step", "huff_three_step"])
def test_a_facility_that_tells_no_capacity_is_left_out_as_if_it_were_not_there(method: str) -> None:
    options = {"method": method} | ({} if method == "two_step" else {"decay": STEPS})
    alone = lattice(columns={"tier": ["top", "low"]}, care={"tiers": [{"id": "top", "name": "T"}]})
    without = judged(goal("accessibility", 1, tier="top", **options), alone)
    result = judged(goal("accessibility", 1, **options), lattice((20.0, NAN)))
    assert (result.value, result.missing) == (without.value, 1)
    assert result.note_en == "1 facility has no figure for beds and is left out"
    beyond = judged(goal("accessibility", 1, **options), lattice((20.0, NAN), zone=("a", None)))
    assert (beyond.value, beyond.missing) == (without.value, 0)
    assert beyond.note_en == "of the facilities beyond, 1 have no figure for beds and are left out"


@pytest.mark.parametrize("zone", [("a", "b"), ("a", "a"), (None, None)])
def test_where_no_facility_tells_its_capacity_there_is_no_figure(zone: tuple[str | None, ...]) -> None:
    """Also where those that tell none stand beyond a town, or beyond all of them."""
    result = judged(goal("accessibility", 1), lattice((NAN, NAN), zone))
    assert [(one.value, one.status, one.reason) for one in (result, *result.zones)] == [
        (None, "no_data", "unknown")
    ] * 3


def test_a_town_that_reaches_only_facilities_without_a_figure_has_none() -> None:
    """B alone tells nothing: q, the only one of its town, reaches no other. Who reaches nothing has 0."""
    people = PEOPLE.assign(zone_id=["a", "b", "a"])
    result = judged(goal("accessibility", 1), lattice((20.0, NAN), ("a", "a"), people=people))
    assert [(one.value, one.reason) for one in (result, *result.zones)] == [
        (pytest.approx(80.0), ""), (pytest.approx(100.0), ""), (None, "unknown"),
    ]  # fmt: skip
    near = judged(goal("accessibility", 1, cutoff_min=4), lattice((20.0, NAN), ("a", "a"), people=people))
    assert [(one.value, one.reason) for one in (near, *near.zones)] == [(0, ""), (0, ""), (0, "")]


def test_no_facility_at_all_is_no_capacity() -> None:
    tiers = {"tiers": [{"id": "top", "name": "T"}, {"id": "low", "name": "L"}]}
    empty = lattice(columns={"tier": ["low", "low"]}, care=tiers)
    assert figures(empty, tier="top") == [0, 0, 0]
    for method in ("enhanced_two_step", "three_step", "huff_three_step"):
        assert figures(empty, tier="top", method=method, decay=STEPS) == [0, 0, 0]
