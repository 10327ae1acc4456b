"""Districts of zones: by code, by outline, and what is wrong with either."""

from __future__ import annotations

import itertools
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import box

from facility_coverage.config.study import Districts
from facility_coverage.errors import LayerError
from facility_coverage.layers.contracts import SourceTable
from facility_coverage.layers.districts import read_districts, uneven_codes, with_districts

CRS = 32648


def zones(shapes: list[shapely.Geometry], codes: list[object] | None = None) -> gpd.GeoDataFrame:
    ids = [f"z{i}" for i in range(len(shapes))]
    columns = {"zone_id": ids, "name": ids, "area_type": "rural"} | ({} if codes is None else {"district_id": codes})
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)


def outlines(**shapes: shapely.Geometry) -> SourceTable:
    frame = gpd.GeoDataFrame(
        {"district_id": list(shapes), "name": [f"District {name}" for name in shapes]},
        geometry=list(shapes.values()),
        crs=CRS,
        index=range(1, len(shapes) + 1),
    )
    return SourceTable(frame, "districts.gpkg", len(frame))


def names_only(*codes: str) -> SourceTable:
    frame = gpd.GeoDataFrame(
        {"district_id": codes, "name": codes}, geometry=[None] * len(codes), crs=4326, index=range(1, len(codes) + 1)
    )
    return SourceTable(frame, "districts.csv", len(codes))


def faults(*args: object) -> list[str]:
    with pytest.raises(LayerError) as error:
        with_districts(*args)  # type: ignore[arg-type] - the cases give what the function takes
    return [str(fault) for fault in error.value.faults]


SQUARES = [box(0, 0, 100, 100), box(100, 0, 200, 100), box(200, 0, 300, 100)]


def test_without_any_district_both_columns_are_empty() -> None:
    found, crossings = with_districts(zones(SQUARES), "zones.gpkg", None)
    assert found[["district_id", "district_name"]].isna().all(axis=None)
    assert crossings.empty


def test_codes_alone_name_the_districts() -> None:
    found, _ = with_districts(zones(SQUARES, [500118.0, 500118.0, np.nan]), "zones.gpkg", None)
    assert found["district_id"].tolist() == ["500118", "500118", None]
    assert found["district_name"].tolist() == ["500118", "500118", None]


def test_outlines_tell_the_district_of_zones_without_a_code() -> None:
    districts = outlines(w=box(-10, -10, 140, 110), e=box(140, -10, 310, 110))
    found, crossings = with_districts(zones(SQUARES), "zones.gpkg", districts, crossing_share=0.01)
    assert found["district_id"].tolist() == ["w", "e", "e"]
    assert found["district_name"].tolist() == ["District w", "District e", "District e"]
    # 40 m of the middle square's 100 lie in the west.
    assert crossings.to_dict("records") == [
        {
            "zone_id": "z1",
            "name": "z1",
            "district_id": "e",
            "area_m2": pytest.approx(4000.0),
            "share": pytest.approx(0.4),
            "others": "w",
        }
    ]
    _, lenient = with_districts(zones(SQUARES), "zones.gpkg", districts, crossing_share=0.41)
    assert lenient.empty


def test_a_code_wins_over_the_outline_and_the_crossing_is_told() -> None:
    districts = outlines(w=box(0, 0, 150, 100), e=box(150, 0, 300, 100))
    found, crossings = with_districts(zones(SQUARES, ["e", "", "e"]), "zones.gpkg", outlines(w=box(0, 0, 210, 100),
                                      e=box(210, 0, 300, 100)), crossing_share=0.05)  # fmt: skip
    assert found["district_id"].tolist() == ["e", "w", "e"]
    assert crossings[["zone_id", "share", "others"]].to_numpy().tolist() == [
        ["z0", 1.0, "w"],
        ["z2", pytest.approx(0.1), "w"],
    ]
    assert faults(zones(SQUARES), "zones.gpkg", districts) == [
        "zones.gpkg: zone 'z1' lies in no one district for the most part (50% in 'e', 50% in 'w'); give it its "
        "district_id, or correct the outlines"
    ]


def test_a_zone_in_two_overlapping_districts_or_in_none_is_a_fault() -> None:
    districts = outlines(a=box(0, 0, 100, 100), b=box(0, 0, 100, 90))
    assert faults(zones(SQUARES[:2]), "zones.gpkg", districts) == [
        "zones.gpkg: zone 'z0' lies in no one district for the most part (100% in 'a', 90% in 'b'); give it its "
        "district_id, or correct the outlines",
        "zones.gpkg: zone 'z1' lies in no one district for the most part (it meets none); give it its district_id, or "
        "correct the outlines",
    ]


def test_codes_that_no_district_has() -> None:
    said = faults(zones(SQUARES, ["110101", "110101", "9"]), "zones.gpkg", names_only("0110101", "500118"))
    assert said == [
        "zones.gpkg: column 'district_id': district '110101' of zone 'z0' and 1 more is not in districts.csv; "
        "'0110101' differs in its leading zeros only: keep codes as text",
        "zones.gpkg: column 'district_id': district '9' of zone 'z2' is not in districts.csv; there are '0110101', "
        "'500118'",
    ]
    assert faults(zones(SQUARES, ["500118", "", ""]), "zones.gpkg", names_only("500118")) == [
        "zones.gpkg: zone 'z1' and 1 more names no district; give each zone its district_id, or districts.csv outlines"
    ]


@given(st.lists(st.floats(1, 99), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_shares_of_a_zone_add_up_and_the_order_of_districts_changes_nothing(cuts: list[float], chance: object) -> None:
    edges = [0.0, *sorted({round(cut, 3) for cut in cuts}), 100.0]
    widths = np.diff(edges)
    parts = {f"d{i}": box(a, -1, b, 101) for i, (a, b) in enumerate(itertools.pairwise(edges))}
    zone = zones([box(0, 0, 100, 100)])
    order = list(parts)
    chance.shuffle(order)  # type: ignore[attr-defined] - hypothesis gives a random.Random
    if widths.max() > 50.0 + 1e-6:
        found, crossings = with_districts(zone, "z", outlines(**{name: parts[name] for name in order}))
        assert found["district_id"].tolist() == [f"d{int(widths.argmax())}"]
        assert crossings["share"].tolist() == ([pytest.approx(1 - widths.max() / 100)] if len(widths) > 1 else [])
    elif widths.max() < 50.0 - 1e-6:
        assert len(faults(zone, "z", outlines(**{name: parts[name] for name in order}))) == 1


def test_tables_with_and_without_outlines_are_read(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("district_id,名称\n0110101,甲\n0110102,\n", encoding="utf-8-sig")
    source = read_districts(Districts(path=tmp_path / "d.csv"))
    assert source.frame[["district_id", "name"]].to_numpy().tolist() == [["0110101", "甲"], ["0110102", "0110102"]]
    bow = shapely.Polygon([(0, 0), (9, 9), (9, 0), (0, 9)])
    frame = gpd.GeoDataFrame({"district_id": [1, 1], "name": ["a", "b"]}, geometry=[bow, box(0, 0, 1, 1)], crs=CRS)
    frame.to_file(tmp_path / "d.gpkg")
    with pytest.raises(LayerError) as error:
        read_districts(Districts(path=tmp_path / "d.gpkg"))
    assert [str(fault).split("d.gpkg: ")[1] for fault in error.value.faults] == [
        "row 1, column 'district_id': '1' is there 2 times (rows 1, 2)",
        "row 1: the outline of the district is invalid; repair the outline",
    ]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["0110101", "110102"], [1, "110102", 7]),
        ([110101001.0, 11010100.0, 5.0], [2, "11010100", 9]),
        (["110101", "110102"], None),  # all of one length: nothing to see
        (["1", "12", "1234"], None),  # they count
        (["A1", "A1234567"], None),
        (["", ""], None),
    ],
)
def test_codes_of_different_length_may_have_lost_zeros(codes: list[object], expected: list[object] | None) -> None:
    frame = gpd.GeoDataFrame({"zone_id": codes}, geometry=[None] * len(codes))
    found = uneven_codes(SourceTable(frame, "z.xlsx", len(codes)), "zone_id", layer="zones")
    assert found[["short_count", "code", "length"]].to_numpy().tolist() == ([] if expected is None else [expected])


@pytest.mark.parametrize("form", ["csv", "gpkg", "xlsx"])
def test_codes_stay_text_in_every_format(tmp_path: Path, form: str) -> None:
    table = pd.DataFrame({"district_id": ["0110101", "0500118"], "name": ["a", "b"]})
    path = tmp_path / f"d.{form}"
    if form == "csv":
        table.to_csv(path, index=False)
    elif form == "xlsx":
        table.to_excel(path, index=False)
    else:
        gpd.GeoDataFrame(table, geometry=[box(0, 0, 1, 1), box(1, 0, 2, 1)], crs=CRS).to_file(path)
    assert read_districts(Districts(path=path)).frame["district_id"].tolist() == ["0110101", "0500118"]


def test_codes_that_a_spreadsheet_holds_as_numbers_are_text(tmp_path: Path) -> None:
    pd.DataFrame({"district_id": [500118.0, 500119.0], "name": ["a", "b"]}).to_excel(tmp_path / "d.xlsx", index=False)
    source = read_districts(Districts(path=tmp_path / "d.xlsx"))
    assert source.frame["district_id"].tolist() == ["500118", "500119"]
    found, _ = with_districts(zones(SQUARES, [500118.0, 500119.0, 500118.0]), "zones.gpkg", source)
    assert found["district_name"].tolist() == ["a", "b", "a"]
