"""What reading found, as findings: each with its zones or facilities, and silence without."""

from __future__ import annotations

import dataclasses

import pandas as pd
import shapely

import builders
from facility_coverage.analysis.details import details_findings
from facility_coverage.layers.model import Layers

NOBODY = pd.DataFrame(columns=["demand_id", "zone_id", "x_m", "y_m", "total"])


def layers(**details: list[dict[str, object]]) -> Layers:
    streets = builders.roads([(0, 0), (1, 0)], [[0, 1]])
    data = builders.layers(streets, {"a": ("urban", shapely.box(0, 0, 1, 1))}, NOBODY, {})
    counts = pd.DataFrame([("zones", "zones.gpkg", 1, 1)], columns=["layer", "file", "rows_read", "rows_kept"])
    return dataclasses.replace(
        data, counts=counts, details={name: pd.DataFrame(rows) for name, rows in details.items()}
    )


def misfit(
    kind: str, zones: str, *, area_m2: float = float("nan"), length_m: float = float("nan"), repaired: bool = False
):
    return {"kind": kind, "zones": zones, "area_m2": area_m2, "length_m": length_m, "repaired": repaired}


def test_nothing_found_is_no_finding() -> None:
    assert details_findings(layers()) == []
    assert details_findings(layers(topology=[misfit("gap", "a, b", area_m2=5.0, repaired=True)])) == []


def test_misfits_of_zones() -> None:
    found = {
        one.code: one
        for one in details_findings(
            layers(
                topology=[
                    misfit("overlap", "a, b", area_m2=3.0),
                    misfit("gap", "a, b", area_m2=1200.0),
                    misfit("gap", "b", area_m2=300.0),
                    misfit("gap", "b, c", area_m2=9.0, repaired=True),
                    misfit("open_gap", "a", length_m=80.0),
                    misfit("beyond_boundary", "c", area_m2=50.0),
                ]
            )
        )
    }
    assert {code: (one.rank, one.count) for code, one in found.items()} == {
        "zone_overlap": ("note", 1),
        "zone_gap": ("warning", 2),
        "zone_open_gap": ("warning", 1),
        "zone_beyond_boundary": ("note", 1),
    }
    assert found["zone_gap"].where == ("a, b (1,200 m²)", "b (300 m²)")
    assert found["zone_gap"].figures == {"area_m2": 1500.0}
    assert found["zone_gap"].message.en == "2 gaps between zones belong to none of them, 1,500 m² in all"
    assert found["zone_open_gap"].where == ("a (80 m)",)
    assert {one.file for one in found.values()} == {"zones.gpkg"}


def test_repairs_crossings_codes_and_merged_facilities() -> None:
    repairs = [
        {"zone_id": "a", "name": "甲", "ring": "", "area_before_m2": 1000.0, "area_after_m2": 1040.0},
        {
            "zone_id": "b",
            "name": "乙",
            "ring": "Self-intersection[0 0]",
            "area_before_m2": float("nan"),
            "area_after_m2": 7.0,
        },
    ]
    crossings = [{"zone_id": "a", "name": "甲", "district_id": "1", "area_m2": 52.0, "share": 0.05, "others": "2"}]
    codes = [
        {
            "layer": "districts",
            "file": "d.csv",
            "column": "district_id",
            "short_count": 1,
            "code": "110101",
            "length": 7,
        }
    ]
    pair = {"first": "1", "second": "9", "first_file": "a.csv", "second_file": "b.csv", "distance_m": 60.4}
    duplicates = [{"layer": "clinics", **pair, "merged": True}, {"layer": "beds", **pair, "merged": False}]
    found = {
        one.code: one
        for one in details_findings(layers(repairs=repairs, districts=crossings, codes=codes, duplicates=duplicates))
    }
    assert found["zone_repaired"].where == ("a (1,000 → 1,040 m²)", "b (? → 7 m²)")
    assert found["zone_repaired"].figures == {"rings": 1.0}
    assert found["zone_crosses_district"].where == ("a (52 m², 5.0%)",)
    assert (found["code_lengths"].layer, found["code_lengths"].file, found["code_lengths"].where) == (
        "districts",
        "d.csv",
        ("110101",),
    )
    assert found["code_lengths"].message.zh == "district_id：1 个代码少于 7 位，前导零可能丢失"
    assert (found["facility_merged"].layer, found["facility_merged"].where) == ("clinics", ("1 = 9 (60 m)",))
    assert found["facility_merged"].file == "a.csv, b.csv"
    assert len(found) == 4


def test_control_totals_far_from_the_source_are_told() -> None:
    rows = [("a", 80.0, 100.0, 100.0, 1.25), ("b", 100.0, 110.0, 110.0, 1.1), (None, 180.0, float("nan"), 210.0, 7 / 6)]
    table = pd.DataFrame(rows, columns=["zone_id", "read", "control", "rescaled", "factor"]).assign(group="total")
    (far,) = details_findings(layers(controls=table))
    assert (far.code, far.rank, far.count, far.where) == ("control_far", "warning", 1, ("a (× 1.25)",))
    assert far.figures["largest_share"] == 0.25
    (near,) = details_findings(layers(controls=table[1:]))
    assert (near.code, near.rank, near.count) == ("control_near", "note", 1)
