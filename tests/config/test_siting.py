"""Faults of sitings in YAML: where, what, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from facility_coverage.config.reading import load_study
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
  - id: care
    name: Care
    kind: elder_care
    path: a.csv
    capacity: [beds]
    attributes: [public]
    profile: elder
    cutoff_min: {urban: 15, rural: 30}
plan:
  {id: p, title: p, goals: [{id: A, name: a, measure: facility_count, layer: care, citation: {document: d, clause: c}}]}
siting:
  - id: next
    name: next
    spacing_m: 400
"""


def write(folder: Path, lines: str) -> Path:
    (folder / "a.csv").write_text("a\n1\n", encoding="utf-8")
    path = folder / "study.yaml"
    path.write_text(STUDY + lines, encoding="utf-8")
    return path


def indented(keys: dict[str, object]) -> str:
    """Each key on a line of its own, from line 23 on."""
    flow = [yaml.safe_dump({key: value}, default_flow_style=True, width=9_999).strip() for key, value in keys.items()]
    return "".join(f"    {line[1:-1]}\n" for line in flow)


def served(**keys: object) -> list[dict[str, object]]:
    return [{"layer": "care"} | keys]


BEDS = {"capacity": {"beds": 30}, "per_person": {"beds": 0.03}}


@pytest.mark.parametrize(
    "keys",
    [
        {"serves": served(), "sites": 2, "problem": "p_median", "longest_min": 60},
        {"serves": served(), "budget": 2.5, "problem": "p_center", "longest_min": 30},
        {"serves": served(**BEDS), "sites": 2, "problem": "mclp_capacitated"},
        {"serves": served(existing={"closable": True, "keep_price": 0.5}), "budget": 3},
        {"serves": served(existing={"closable": {"public": True, "zone_id": ["a", "b"]}, "keep_price": 1}),
         "problem": "lscp", "share": 0.5},
        {"serves": served(**BEDS, existing={"enlarge": {"adds": {"beds": 9}, "price": 1}}), "budget": 3,
         "problem": "mclp_capacitated"},
    ],
)  # fmt: skip
def test_what_fits_together_is_read(tmp_path: Path, keys: dict[str, object]) -> None:
    (siting,) = load_study(write(tmp_path, indented(keys))).config.siting
    for key, value in keys.items():
        if key != "serves":
            assert getattr(siting, key) == value


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"serves": served(), "sites": 2, "problem": "p_medain"}, "study.yaml:25:14: siting.0.problem: 'p_medain'"),
        ({"serves": served(), "sites": 2, "problem": "p_median"}, "p_median needs longest_min"),
        ({"serves": served(), "sites": 2, "problem": "p_center", "longest_min": 20},
         "study.yaml:26:18: siting.0.longest_min: 20 is below the cutoff of the layer 'care', 30 minutes; "
         "give 30 or more"),
        ({"serves": served(), "sites": 2, "longest_min": 60}, "longest_min is for p_median and p_center: remove it"),
        ({"serves": served(per_person={"beds": 0.1}), "sites": 2, "problem": "mclp_capacitated"},
         "siting.0.serves.0.per_person.beds: what a new facility holds of 'beds' is not said; "
         "give capacity: {beds: …} beside per_person"),
        ({"serves": served(per_person={"bed": 0.1}, capacity={"bed": 1}), "sites": 2, "problem": "mclp_capacitated"},
         "siting.0.serves.0.per_person.bed: 'bed' is not one of 'beds'"),
        ({"serves": served(**BEDS), "sites": 2}, "mclp counts no capacity: remove per_person"),
        ({"serves": served(existing={"closable": {"kind": "x"}, "keep_price": 1}), "budget": 3},
         "siting.0.serves.0.existing.closable.kind: 'kind' is not one of"),
        ({"serves": served(**BEDS, existing={"enlarge": {"adds": {"rooms": 9}, "price": 1}}), "budget": 3,
          "problem": "mclp_capacitated"}, "enlarge.adds.rooms: 'rooms' is not one of 'beds'"),
        ({"serves": served(existing={"closable": True}), "budget": 3}, "closable and keep_price go together"),
        ({"serves": served(existing={"closable": "yes", "keep_price": 1}), "budget": 3}, "existing.closable"),
        ({"serves": served(existing={"closable": True, "keep_price": 1}), "sites": 3}, "give budget in place of sites"),
    ],
)  # fmt: skip
def test_what_does_not_is_told_with_its_line(tmp_path: Path, keys: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_study(write(tmp_path, indented(keys)))
    lines = [str(fault) for fault in caught.value.faults]
    assert any(said in line for line in lines), lines
    assert all("study.yaml:" in line for line in lines)
