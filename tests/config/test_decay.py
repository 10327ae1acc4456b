"""Goals on trips: what their decay, bands and bounds may be, and each fault with its place in the plan."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from facility_coverage.analysis.limits import longest_trip_m
from facility_coverage.config.reading import load_study, plan_schema
from facility_coverage.errors import ConfigError

STUDY = """\
id: town
title: Town
date: 2025-12-31
crs: EPSG:4544
zones: {path: a.csv}
roads: {path: a.csv}
population: {kind: raster, path: a.csv}
facilities:
  - {id: care, name: C, kind: elder_care, path: a.csv, capacity: [beds], profile: adult, cutoff_min: 15}
plan: plan.yaml
"""
PLAN = """\
id: plan
title: Plan
goals:
  - id: A
    name: a
    citation: {document: d, clause: c}
    layer: care
"""
ON_BEDS = "    measure: accessibility\n    capacity: beds\n"
STEPS = "    decay: {ends_min: [10, 20, 30], weights: [1, 0.68, 0.22]}\n"
ENHANCED = "    method: enhanced_two_step\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("")
    (tmp_path / "x.yaml").write_text(STUDY, encoding="utf-8")
    return tmp_path


def written(goal: str) -> Path:
    Path("plan.yaml").write_text(PLAN + goal, encoding="utf-8")
    return Path("x.yaml")


METHOD = "'two_step', 'enhanced_two_step', 'three_step', 'huff_three_step'"
FAULTS = [
    (ON_BEDS + ENHANCED, "4:5: goals.0: enhanced_two_step needs decay: gaussian, or {ends_min: […], weights: […]}"),
    (ON_BEDS + STEPS, "4:5: goals.0: two_step counts every trip alike: leave decay out, or name another method"),
    (ON_BEDS + "    method: three_steps\n", f"10:13: goals.0.method: 'three_steps' is not one of {METHOD}; "
     "did you mean 'three_step'?"),
    (ON_BEDS + ENHANCED + "    decay: gausian\n", "11:12: goals.0.decay: 'gausian' is not one of 'gaussian'; "
     "did you mean 'gaussian'?"),
    (ON_BEDS + ENHANCED + "    decay: 5\n", "11:12: goals.0.decay: 5 is not one of 'gaussian'"),
    (ON_BEDS + ENHANCED + "    decay: {ends_min: [10], weights: [1, 0.5]}\n", "11:12: goals.0.decay: "
     "ends_min has 1 entries, weights 2: give each band one weight"),
    (ON_BEDS + ENHANCED + "    decay: {ends_min: [10, 10], weights: [1, 0.5]}\n", "11:12: goals.0.decay: "
     "the bands' ends are not rising: 10 follows 10"),
    (ON_BEDS + ENHANCED + "    decay: {ends_min: [10, 20], weights: [0.5, 1]}\n", "11:12: goals.0.decay: "
     "a longer trip counts more: the weight 1 follows 0.5"),
    (ON_BEDS + ENHANCED + "    decay: {ends_min: [10], weights: [0]}\n", "11:12: goals.0.decay: "
     "no trip counts: the weight of the first band is 0"),
    (ON_BEDS + ENHANCED + "    decay: {ends_min: [10], weights: [1.2]}\n", "11:39: goals.0.decay.weights.0: "
     "1.2 is not at most 1"),
    (ON_BEDS + ENHANCED + "    decay: {ends_min: [10], weights: [-0.1]}\n", "11:39: goals.0.decay.weights.0: "
     "-0.1 is not at least 0"),
    (ON_BEDS + ENHANCED + "    decay: {ends_min: [10], weights: []}\n", "11:38: goals.0.decay.weights: "
     "the list is empty; give at least one entry"),
    (ON_BEDS + ENHANCED + "    decay: {ends_min: [0], weights: [1]}\n", "11:24: goals.0.decay.ends_min.0: "
     "0 is not more than 0"),
    (ON_BEDS + ENHANCED + "    decay: {ends_min: ['10'], weights: [1]}\n", "11:24: goals.0.decay.ends_min.0: "
     "'10' is not a number"),
    (ON_BEDS + ENHANCED + "    decay: {ends_min: [10]}\n", "11:12: goals.0.decay.weights: "
     "the key 'weights' is missing"),
    (ON_BEDS + ENHANCED + "    decay: {end_min: [10], ends_min: [10], weights: [1]}\n", "11:13: "
     "goals.0.decay.end_min: the key 'end_min' is not known; did you mean 'ends_min'?"),
    (ON_BEDS + ENHANCED + STEPS + "    cutoff_min: 40\n", "4:5: goals.0: the longest cutoff, 40 minutes, "
     "is not in the last band, from 20 to 30 minutes"),
    (ON_BEDS + ENHANCED + STEPS + "    cutoff_min: {urban: 15, rural: 20}\n", "4:5: goals.0: the longest cutoff, "
     "20 minutes, is not in the last band, from 20 to 30 minutes"),
    (ON_BEDS + "    facilities_from: 7\n", "10:22: goals.0.facilities_from: 7 is not one of 'anywhere', "
     "'own_zones_only'"),
    ("    measure: travel_time\n    target: {year: 2025, value: 10}\n", "4:5: goals.0: a travel time is to be short: "
     "write `bound: at_most` in target"),
    ("    measure: travel_time\n    cutoff_min: 15\n", "9:5: goals.0.cutoff_min: travel_time takes no 'cutoff_min'; "
     "leave it out"),
    ("    measure: travel_time\n    unit: min\n", "9:11: goals.0.unit: the unit 'min' does not fit; travel_time is in "
     "'minutes'"),
    ("    measure: facilities_in_reach\n    unit: share\n", "9:11: goals.0.unit: the unit 'share' does not fit; "
     "facilities_in_reach is in 'facilities'"),
    ("    measure: facilities_in_reach\n    profile: adlt\n", "9:14: goals.0.profile: 'adlt' is not one of "
     "'adult', 'ambulance', 'car', 'carer_with_pushchair', 'elder', 'wheelchair'; did you mean 'adult'?"),
    ("    measure: population_with_choice\n    at_least: 0\n", "9:15: goals.0.at_least: 0 is not at least 1"),
    ("    measure: population_with_choice\n    target: {year: 2025, value: 80}\n", "9:33: goals.0.target.value: "
     "80 is not a share of 0–1; 100 % is written 1, 80 % as 0.8"),
]  # fmt: skip


@pytest.mark.parametrize(("goal", "expected"), FAULTS, ids=[fault[1][:50] for fault in FAULTS])
def test_each_fault(goal: str, expected: str) -> None:
    path = written(goal)
    with pytest.raises(ConfigError) as caught:
        load_study(path)
    assert [str(fault) for fault in caught.value.faults] == [f"plan.yaml:{expected}"]


GOOD = [
    (ON_BEDS, 15.0),
    (ON_BEDS + ENHANCED + "    decay: gaussian\n", 15.0),
    (ON_BEDS + ENHANCED + STEPS, 30.0),
    (ON_BEDS + ENHANCED + STEPS + "    cutoff_min: {urban: 15, rural: 25}\n", 25.0),
    (ON_BEDS + "    method: huff_three_step\n    decay: gaussian\n    cutoff_min: 45\n", 45.0),
    ("    measure: travel_time\n    target: {year: 2025, value: 10, bound: at_most}\n    unit: minutes\n", 15.0),
    ("    measure: facilities_in_reach\n    cutoff_min: 25\n    unit: facilities\n", 25.0),
    ("    measure: population_with_choice\n    cutoff_min: 35\n    at_least: 3\n", 35.0),
]


@pytest.mark.parametrize(("goal", "longest_min"), GOOD)
def test_what_is_good_fits_the_schema_and_says_how_far_anybody_travels(goal: str, longest_min: float) -> None:
    study = load_study(written(goal))
    walked = max(longest_min, 15.0)
    expected = longest_trip_m(load_study(written(f"    measure: population_covered\n    cutoff_min: {walked}\n")))
    assert longest_trip_m(study) == expected
    values = yaml.safe_load(PLAN + goal)
    assert [error.message for error in jsonschema.Draft202012Validator(plan_schema()).iter_errors(values)] == []
