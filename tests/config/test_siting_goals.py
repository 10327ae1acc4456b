"""Goals that a siting may ask for, and what is said of those that it may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from facility_coverage.config.reading import load_study
from facility_coverage.config.siting_goals import MEASURES
from facility_coverage.errors import ConfigError
from small_study import edit, write_small

CITATION = {"document": "plan", "clause": "1"}
TIERS = [{"id": "top", "name": "top"}, {"id": "low", "name": "low"}]


def goal(measure: str, **more: Any) -> dict[str, Any]:
    return {"id": "G", "name": "goal", "measure": measure, "layer": "station", "citation": CITATION,
            "target": {"year": 2025, "value": 0.9}} | more  # fmt: skip


def faults(
    small: Path,
    *goals: dict[str, Any],
    served: dict[str, Any] | None = None,
    layer: dict[str, Any] | None = None,
    **siting: Any,
) -> list[str]:
    """Return what is said of a siting that asks for the goal G."""

    def change(study: dict[str, Any]) -> None:
        study["plan"] = {"id": "plan", "title": "plan", "goals": list(goals)}
        study["facilities"][0] |= {"attributes": ["good"], **(layer or {})}
        study["no_data"] = ["station.middle"]
        study["siting"] = [
            {"id": "next", "name": "next", "goal": "G", "serves": [{"layer": "station", **(served or {})}],
             "spacing_m": 400, **siting}
        ]  # fmt: skip

    edit(small, change)
    try:
        load_study(small)
    except ConfigError as error:
        return [str(fault) for fault in error.faults]
    return []


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_small(tmp_path)


BEDS = {"capacity": {"beds": 30}}
REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "measure": (goal("facility_share", attribute="good"), {}, "'population_covered', 'capacity_total'"),
    "text": (goal("accessibility", capacity="beds"), {}, "says nothing of a number of sites"),
    "no target": (goal("facility_count", target=None), {}, "has no target"),
    "at most": (goal("facility_count", target={"year": 2025, "value": 3, "bound": "at_most"}), {}, "sets a most"),
    "attribute": (goal("facility_count", attribute="good"), {}, "of a new one nobody knows it yet"),
    "no beds": (goal("capacity_total", capacity="beds"), {}, "capacity: {beds: …}"),
    "zero beds": (goal("capacity_total", capacity="beds"), {"served": {"capacity": {"beds": 0}}}, "holds none"),
    "group": (goal("population_covered"), {"served": {"group": "total"}}, "leave group out"),
    "unknown": (goal("facility_count", id="H"), {}, "'G' is no goal of the study's plans"),
    "sites": (goal("facility_count"), {"sites": 3}, "remove sites"),
    "problem": (goal("facility_count"), {"problem": "lscp"}, "remove problem"),
    "two layers": (goal("facility_count"), {"serves": [{"layer": "station"}] * 2}, "serve that one alone"),
    "tier": (
        goal("facility_count", tier="top"),
        {"layer": {"tiers": TIERS}, "served": {"tier": "low"}},
        "a new 'low' does not count in the goal 'G'; tier: one of 'top'",
    ),
    "higher tier": (
        goal("population_covered", tier="low"),
        {"layer": {"tiers": TIERS}, "served": {"tier": "top"}},
        "tier: one of 'low'",
    ),
    "existing": (
        goal("facility_count"),
        {"served": {"existing": {"closable": True, "keep_price": 0.5}}},
        "remove existing",
    ),
    "own capacity": (
        goal("facility_count"),
        {"candidates": [{"path": "stations.csv", "datum": "wgs84", "capacity": ["beds"]}]},
        "remove capacity from candidates",
    ),
    "no such tier": (
        goal("facility_count", tier="middle"),
        {"layer": {"tiers": TIERS}, "served": {"tier": "low"}},
        "the goal 'G' counts 'middle', and the layer has no such tier; give the layer that tier",
    ),
    "no such layer": (goal("facility_count"), {"serves": [{"layer": "stat"}]}, "write layer: station"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_goal_that_sites_cannot_meet_is_refused_with_advice(small: Path, name: str) -> None:
    asked, options, said = REFUSED[name]
    if asked.get("target") is None:
        asked = {key: value for key, value in asked.items() if key != "target"}
    lines = faults(small, asked, **options)
    assert any(said in line for line in lines), lines
    assert all(line.startswith("small.yaml:") or "/small.yaml:" in line for line in lines)


@pytest.mark.parametrize("measure", MEASURES)
def test_goals_of_these_measures_may_be_asked_for(small: Path, measure: str) -> None:
    capacity = {"capacity": "beds"} if measure.startswith("capacity") else {}
    assert not faults(small, goal(measure, **capacity), served=BEDS)


def test_a_higher_tier_serves_the_lower_circle_where_the_layer_says_so(small: Path) -> None:
    layer = {"tiers": TIERS, "tiers_inclusive": True}
    assert not faults(small, goal("population_covered", tier="low"), layer=layer, served={"tier": "top"})
    assert faults(small, goal("facility_count", tier="low"), layer=layer, served={"tier": "top"})


def test_a_goal_of_two_plans_is_named_with_its_plan(small: Path) -> None:
    faults(small, goal("facility_count"))

    def change(study: dict[str, Any]) -> None:
        import yaml  # noqa: PLC0415

        for name in ("one", "two"):
            plan = study["plan"] | {"id": name}
            (small.parent / f"{name}.yaml").write_text(yaml.safe_dump(plan), encoding="utf-8")
        study["plan"] = ["one.yaml", "two.yaml"]

    edit(small, change)
    with pytest.raises(ConfigError, match=r"2 plans have a goal 'G'; write one of 'one:G', 'two:G'"):
        load_study(small)
    edit(small, lambda study: study["siting"][0].update(goal="two:G"))
    assert load_study(small).config.siting[0].goal == "two:G"


def test_a_misspelt_goal_names_the_nearest(small: Path) -> None:
    (line,) = faults(small, goal("facility_count", id="YC-stations"), goal="YC-station")
    assert "did you mean 'YC-stations'?" in line
