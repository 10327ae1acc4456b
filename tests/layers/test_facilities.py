"""Facility layers from several files and from OpenStreetMap: kinds, prefixes, duplicates, and what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import osmium
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from osmium.osm.mutable import Node, Way
from pydantic import ValidationError

import builders
from facility_coverage.errors import LayerError
from facility_coverage.layers import openstreetmap
from facility_coverage.layers.contracts import SourceTable
from facility_coverage.layers.counted import Area
from facility_coverage.layers.facilities import PlacedFacilities, place_facilities, read_facilities
from facility_coverage.layers.osm_kinds import KINDS, OsmKind

WEST, SOUTH = 105.9, 29.3
DEGREE_M = 97_150.0  # one of longitude at 29.3 N on the ellipsoid, metres
READ = {"datum": "wgs84"}


def zones() -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame(
        {"zone_id": ["z"], "name": ["z"], "area_type": ["urban"]},
        geometry=[shapely.box(WEST - 0.05, SOUTH - 0.05, WEST + 0.05, SOUTH + 0.05)],
        crs=4326,
    )
    return frame.to_crs(32648)


def placed(**options: Any) -> PlacedFacilities:
    layer = builders.facility_layer(**options)
    area = zones()
    return place_facilities(
        layer, read_facilities(layer), Area(area, "zones", box := shapely.box(*area.total_bounds), box)
    )


def faults(**options: Any) -> list[str]:
    with pytest.raises(LayerError) as error:
        placed(**options)
    return [str(fault) for fault in error.value.faults]


def table(path: Path, *rows: str, head: str = "facility_id,name,lon,lat,beds") -> Path:
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    """A hospital drawn as a building with a node inside, the same name elsewhere, and two clinics."""
    path = tmp_path / "town.osm.pbf"
    with osmium.SimpleWriter(str(path)) as out:
        for i, (x, y) in enumerate([(0, 0), (0.004, 0), (0.004, 0.004), (0, 0.004)]):
            out.add_node(Node(id=1 + i, location=(WEST + x, SOUTH + y)))
        hospital = {"amenity": "hospital", "name": "人民医院"}
        out.add_node(Node(id=10, location=(WEST + 0.0001, SOUTH + 0.0001), tags=hospital))
        out.add_node(Node(id=11, location=(WEST + 0.03, SOUTH), tags={"healthcare": "hospital", "name": "人民医院"}))
        out.add_node(Node(id=12, location=(WEST, SOUTH), tags={"amenity": "clinic"}))
        out.add_node(Node(id=13, location=(WEST, SOUTH), tags={"healthcare": "centre", "beds": "6"}))
        out.add_node(Node(id=14, location=(WEST, SOUTH), tags={"amenity": "social_facility"}))
        out.add_way(Way(id=20, nodes=[1, 2, 3, 4, 1], tags={**hospital, "beds": "120"}))
    return path


def test_a_kind_finds_its_objects_without_where(extract: Path) -> None:
    found = placed(path=extract, kind="hospital")
    assert found.frame["facility_id"].tolist() == ["n10", "n11", "w20"]
    clinics = placed(path=extract, kind="clinic", capacity=["beds"])
    assert clinics.frame["facility_id"].tolist() == ["n12", "n13"]
    np.testing.assert_array_equal(clinics.frame["beds"], [np.nan, 6.0])
    # What the study says wins over the mapping.
    named = placed(path=extract, kind="hospital", where={"amenity": "hospital"})
    assert named.frame["facility_id"].tolist() == ["n10", "w20"]


def test_a_kind_without_a_mapping_lists_those_that_have_one(extract: Path) -> None:
    (said,) = faults(path=extract, kind="temple")
    assert said.endswith(
        f"no tags are known for the kind 'temple'; name tags under `where:`, or one of these kinds: {', '.join(KINDS)}"
    )
    (said,) = faults(path=extract, kind="elder_care")
    assert "holds no object with amenity=social_facility, social_facility:for=senior|seniors|elderly or " in said


def test_a_node_inside_its_building_is_the_same_facility(extract: Path) -> None:
    found = placed(path=extract, kind="hospital", capacity=["beds"])
    (row,) = found.duplicates.to_dict("records")
    assert (row["first"], row["second"], row["distance_m"], row["similarity"], row["merged"]) == (
        "n10",
        "w20",
        0,
        1,
        False,
    )
    assert found.same_names[["name", "facility_count"]].to_numpy().tolist() == [["人民医院", 3]]
    one = placed(path=extract, kind="hospital", capacity=["beds"], duplicates="merge")
    assert one.frame["facility_id"].tolist() == ["n10", "n11"]
    np.testing.assert_array_equal(one.frame["beds"], [120.0, np.nan])
    assert one.duplicates["merged"].tolist() == [True]
    assert one.rows == found.rows  # what was read and lies in the study, before any merging


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_kind_accepts_is_what_is_read(tmp_path: Path, kind: str) -> None:
    mapping: OsmKind = KINDS[kind]
    sets = [{key: values[-1] for key, values in tags.items()} for tags in mapping.any_of]
    wrong = [dict.fromkeys(tags, "no") for tags in mapping.any_of]
    path = tmp_path / "kinds.osm.pbf"
    with osmium.SimpleWriter(str(path)) as out:
        for i, tags in enumerate([*sets, *wrong]):
            out.add_node(Node(id=i + 1, location=(WEST, SOUTH), tags=tags))
    frame, _ = openstreetmap.read_objects(path, mapping.any_of, file="kinds", shape="sites")
    assert frame["osm_id"].tolist() == [f"n{i + 1}" for i in range(len(sets))]
    assert all(mapping.has(tags) for tags in sets)
    assert not any(mapping.has(tags) for tags in wrong)
    assert mapping.page.startswith("Tag:")
    assert mapping.meaning


def test_the_first_source_wins_and_is_filled_from_the_second(tmp_path: Path) -> None:
    metre = 1 / DEGREE_M
    first = table(tmp_path / "a.csv", f"1,康宁养老院,{WEST},{SOUTH},", f"2,福安诊所,{WEST + 0.01},{SOUTH},7")
    rows = (f"9,康宁养老院（东街）,{WEST + 60 * metre:.7f},{SOUTH},30", f"8,阳光,{WEST},{SOUTH},4")
    second = table(tmp_path / "b.csv", *rows, head="code,title,lon,lat,beds")
    sources = [
        {"path": first, **READ},
        {"path": second, **READ, "columns": {"code": "facility_id", "title": "name"}, "id_prefix": "b-"},
    ]
    both = placed(path=None, sources=sources, capacity=["beds"])
    assert both.frame["facility_id"].tolist() == ["1", "2", "b-8", "b-9"]
    (row,) = both.duplicates.to_dict("records")
    assert row["distance_m"] == pytest.approx(60, abs=0.5)
    assert [Path(row[f"{side}_file"]).name for side in ("first", "second")] == ["a.csv", "b.csv"]
    assert [row[f"{side}_name"] for side in ("first", "second")] == ["康宁养老院", "康宁养老院（东街）"]
    merge = {"duplicates": "merge", "capacity": ["beds"], "path": None}
    one = placed(sources=sources, **merge).frame
    assert one[["facility_id", "beds"]].to_numpy().tolist() == [["1", 30.0], ["2", 7.0], ["b-8", 4.0]]
    other = placed(sources=sources[::-1], **merge).frame
    assert other[["facility_id", "beds"]].to_numpy().tolist() == [["2", 7.0], ["b-8", 4.0], ["b-9", 30.0]]
    apart = placed(sources=sources, **merge, duplicate_distance_m=50)
    assert len(apart.frame) == 4
    assert apart.same_names["facilities"].tolist() == ["1, b-9"]
    assert [(Path(file).name, read, kept) for file, read, kept in one_rows(sources)] == [
        ("a.csv", 2, 2),
        ("b.csv", 2, 2),
    ]


def one_rows(sources: list[dict[str, Any]]) -> tuple[tuple[str, int, int], ...]:
    return placed(path=None, sources=sources, capacity=["beds"]).rows


def test_faults_of_all_sources_come_together(tmp_path: Path) -> None:
    first = table(tmp_path / "a.csv", f"1,a,{WEST},{SOUTH},-3")
    second = table(tmp_path / "b.csv", f",b,{WEST},{SOUTH},x")
    sources = [{"path": first, **READ}, {"path": second, **READ}]
    said = [fault.rsplit("/", 1)[1] for fault in faults(path=None, sources=sources, capacity=["beds"])]
    assert said == [
        "a.csv: row 1, column 'beds': '-3' is negative; give a count of 0 or more",
        "b.csv: row 1, column 'facility_id': is empty; give each row an id of its own",
        "b.csv: row 1, column 'beds': 'x' is not a number; give digits, as in 120, 1,200, 1.2万 or 120张, or leave it "
        "empty",
    ]


def test_an_id_in_two_sources_is_a_fault(tmp_path: Path) -> None:
    first, second = (table(tmp_path / name, f"7,{name},{WEST},{SOUTH},1") for name in ("a.csv", "b.csv"))
    sources = [{"path": first, **READ}, {"path": second, **READ}]
    assert [said.replace(f"{tmp_path}/", "") for said in faults(path=None, sources=sources)] == [
        "b.csv: row 1, column 'facility_id': '7' is there, and in a.csv too; give one of the sources an `id_prefix`"
    ]


def test_a_source_that_lies_elsewhere_is_a_fault_of_its_own(tmp_path: Path) -> None:
    first, second = table(tmp_path / "a.csv", f"1,a,{WEST},{SOUTH},1"), table(tmp_path / "b.csv", "2,b,10.0,50.0,1")
    (said,) = faults(path=None, sources=[{"path": first, **READ}, {"path": second, **READ}])
    assert "b.csv: none of the 1 facilities" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"path": None}, "give either path or sources"),
        ({"sources": [{"path": "b.csv"}]}, "give either path or sources"),
        ({"path": None, "sources": [{"path": "b.csv"}], "columns": {"a": "name"}}, "give columns under each of them"),
        (
            {"path": None, "sources": [{"path": "b.csv"}], "crs": "EPSG:1", "where": {"a": 1}},
            "give crs, where under each",
        ),
        ({"duplicate_similarity": 1.1}, "less than or equal to 1"),
        ({"duplicates": "drop"}, "'report' or 'merge'"),
    ],
)
def test_what_a_layer_may_not_say(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        builders.facility_layer(**options)


@given(st.permutations(range(6)))
def test_the_order_of_rows_changes_nothing(order: list[int]) -> None:
    names = ["康宁养老院", "康宁养老院（东）", "福安", "福安", "阳光", "阳光"]
    frame = gpd.GeoDataFrame(
        {"facility_id": [f"f{i}" for i in order], "name": [names[i] for i in order], "tier": None,
         "beds": [[np.nan, 2.0, 3.0, np.nan, np.nan, 6.0][i] for i in order]},
        geometry=gpd.points_from_xy([WEST + (i // 2) * 0.01 + (i % 2) * 0.0005 for i in order], [SOUTH] * 6), crs=4326,
        index=range(1, 7),
    )  # fmt: skip
    frame = frame.assign(tier=frame["tier"].astype(object), outline=frame.geometry.to_numpy())
    layer, area = builders.facility_layer(duplicates="merge", capacity=["beds"]), zones()
    source = SourceTable(frame, "f.csv", len(frame))
    found = place_facilities(
        layer, (source,), Area(area, "zones", shapely.box(*area.total_bounds), shapely.box(*area.total_bounds))
    )
    assert found.frame[["facility_id", "beds"]].to_numpy().tolist() == [["f0", 2.0], ["f2", 3.0], ["f4", 6.0]]
    assert found.duplicates[["first", "second"]].to_numpy().tolist() == [["f0", "f1"], ["f2", "f3"], ["f4", "f5"]]
