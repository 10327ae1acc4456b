"""The doctor on a street of 3 km, each finding with its counterpart that stays silent."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from geopandas.testing import assert_geodataframe_equal

import builders
from facility_coverage.analysis import doctor
from facility_coverage.analysis.finding_texts import SENTENCES
from facility_coverage.analysis.findings import Finding
from facility_coverage.config.study import StudyConfig
from facility_coverage.layers.model import Layers

STREET = builders.roads([(0, 0), (1500, 0), (3000, 0)], [[0, 1, 2]])
ZONES = {
    "a_town": ("urban", shapely.box(0, -2000, 1500, 2000)),
    "b_country": ("rural", shapely.box(1500, -2000, 3000, 2000)),
}
PEOPLE = pd.DataFrame(
    [("p1", "a_town", 900.0, 0.0, 10.0), ("p2", "b_country", 1700.0, 0.0, 40.0)],
    columns=["demand_id", "zone_id", "x_m", "y_m", "total"],
)
FACILITIES = {"f1": (0.0, 0.0, "a_town"), "f2": (2000.0, 10.0, "b_country")}


def study(**layer: object) -> StudyConfig:
    return StudyConfig.model_validate(
        {
            "id": "street", "title": "街", "date": "2025-12-31", "zones": {"path": "zones.gpkg"},
            "roads": {"path": "roads.gpkg"}, "population": {"kind": "raster", "path": "people.tif"},
            "facilities": [builders.facility_layer(**layer).model_dump()],
        }
    )  # fmt: skip


def world(
    *,
    facilities=FACILITIES,
    people=PEOPLE,
    zones=ZONES,
    roads=STREET,
    capacity: dict | None = None,
    read: int | None = None,
) -> Layers:
    data = builders.layers(roads, zones, people, facilities)
    frame = data.facilities["clinics"].assign(**(capacity or {}))
    rows = [("clinics", "clinics.csv", read or len(frame), len(frame)), ("zones", "zones.gpkg", 2, 2)]
    counts = pd.DataFrame(rows, columns=["layer", "file", "rows_read", "rows_kept"])
    return dataclasses.replace(data, facilities={"clinics": frame}, counts=counts)


def findings(data: Layers, config: StudyConfig | None = None) -> dict[str, Finding]:
    network = builders.network(data.roads, data.demand.points[["x_m", "y_m"]].to_numpy(dtype=np.float64))
    return {found.code: found for found in doctor.examine(config or study(), data, {"walker": network})}


def test_a_sound_study_is_silent() -> None:
    assert findings(world()) == {}
    full = {"beds": [10.0, 20.0], "nursing_beds": [10.0, 5.0]}
    assert findings(world(capacity=full), study(capacity=["beds", "nursing_beds"])) == {}


def test_facilities_that_were_left_out_and_those_beyond_the_zones() -> None:
    found = findings(world(facilities={**FACILITIES, "f3": (1000.0, 0.0, None)}, read=7))
    assert set(found) == {"beyond_study", "beyond_zones"}
    assert (found["beyond_study"].count, found["beyond_study"].file) == (4, "clinics.csv")
    assert (found["beyond_zones"].rank, found["beyond_zones"].where) == ("note", ("f3",))
    own = study(facilities_from="own_zones_only")
    assert "beyond_zones" not in findings(world(facilities={**FACILITIES, "f3": (1000.0, 0.0, None)}), own)
    # A `where` leaves rows out on purpose.
    assert "beyond_study" not in findings(world(read=7), study(where={"kind": "clinic"}))


def test_capacities() -> None:
    capacity = {"beds": [0.0, np.nan, 60.0, 6000.0, 40.0, 30.0], "nursing_beds": [0.0, 9.0, 61.0, 10.0, 1.0, 1.0]}
    many = {f"f{i}": (100.0 * i, 0.0, "a_town") for i in range(6)}
    found = findings(world(facilities=many, capacity=capacity), study(capacity=["beds", "nursing_beds"]))
    assert set(found) == {"capacity_missing", "capacity_zero", "capacity_absurd", "part_exceeds_whole"}
    assert found["capacity_missing"].where == ("f1",)
    assert found["capacity_missing"].message.en == "beds: no data for 1 of 6 facilities (which is not counted as 0)"
    # 6,000 beds; the median of 60, 6,000, 40 and 30 is 50.
    assert (found["capacity_absurd"].where, found["capacity_absurd"].figures["median"]) == (("f3",), 50.0)
    assert found["part_exceeds_whole"].where == ("f2",)


def test_a_capacity_far_above_all_others_is_looked_at() -> None:
    many = {f"f{i}": (100.0 * i, 0.0, "a_town") for i in range(3)}
    for largest, expected in ((1000.0, False), (1001.0, True)):  # 50 × the median of 20
        data = world(facilities=many, capacity={"beds": [20.0, 20.0, largest]})
        assert ("capacity_absurd" in findings(data, study(capacity=["beds"]))) is expected


def test_facilities_at_one_place() -> None:
    pair = {"f1": (100.0, 0.0, "a_town"), "f2": (100.6, 0.8, "a_town"), "f3": (102.0, 0.0, "a_town")}
    found = findings(world(facilities=pair))
    assert found["same_place"].where == ("f1", "f2")  # exactly 1 m apart
    assert findings(world(facilities={"f1": (100.0, 0.0, "a_town"), "f2": (101.01, 0.0, "a_town")})) == {}


def test_facilities_off_the_network_and_on_a_small_piece_of_it() -> None:
    roads = builders.roads([(0, 0), (1500, 0), (3000, 0), (900, 900), (910, 900)], [[0, 1, 2], [3, 4]])
    places = {"f1": (0.0, 0.0, "a_town"), "f2": (1400.0, 1900.0, "a_town"), "f3": (905.0, 900.0, "a_town")}
    found = findings(world(facilities=places, roads=roads))
    assert set(found) == {"off_network", "small_piece"}
    assert (found["off_network"].where, found["small_piece"].where) == (("f2",), ("f3",))
    assert found["off_network"].figures["limit_m"] == 500.0


def test_zones_without_people_or_roads() -> None:
    zones = {**ZONES, "c_island": ("rural", shapely.box(9000, 0, 9100, 100))}
    found = findings(world(zones=zones))
    assert {code: one.where for code, one in found.items()} == {
        "zone_without_people": ("c_island",),
        "zone_without_roads": ("c_island",),
    }


def test_a_road_that_passes_through_without_a_vertex_inside_enters_a_zone() -> None:
    zones = {"a": ("urban", shapely.box(0, -9, 200, 9)), "b": ("urban", shapely.box(200, -9, 400, 9))}
    road = builders.roads([(-10, 0), (500, 0)], [[0, 1]])
    people = PEOPLE.assign(zone_id=["a", "b"], x_m=[50.0, 300.0])
    assert findings(world(zones=zones, roads=road, people=people, facilities={"f": (1.0, 0.0, "a")})) == {}


def test_people_off_the_network() -> None:
    far = pd.DataFrame([("p3", "b_country", 1700.0, 501.0, 2.0)], columns=PEOPLE.columns)
    found = findings(world(people=pd.concat([PEOPLE, far], ignore_index=True)))
    assert set(found) == {"people_off_network"}
    assert (found["people_off_network"].rank, found["people_off_network"].count) == ("note", 2)
    assert found["people_off_network"].figures["people_share"] == 2 / 52
    many = far.assign(total=3.0)  # 3 of 53: more than one in twenty
    assert findings(world(people=pd.concat([PEOPLE, many], ignore_index=True)))["people_off_network"].rank == "warning"
    beyond = far.assign(zone_id=[None])
    assert findings(world(people=pd.concat([PEOPLE, beyond], ignore_index=True))) == {}


def test_the_doctor_changes_nothing() -> None:
    data = world(capacity={"beds": [np.nan, 0.0]})
    before = {"zones": data.zones.copy(), "facilities": data.facilities["clinics"].copy(), "people": PEOPLE.copy()}
    findings(data, study(capacity=["beds"]))
    assert_geodataframe_equal(data.zones, before["zones"])
    assert_geodataframe_equal(data.facilities["clinics"], before["facilities"])
    pd.testing.assert_frame_equal(data.demand.points, before["people"])


def test_both_languages_name_the_same_things() -> None:
    for code, sentence in SENTENCES.items():
        zh, en = (set(re.findall(r"{(\w+)", part)) for part in (sentence.zh, sentence.en))
        assert zh - {"against_zh"} == en - {"against"}, code


def test_every_code_of_the_program_has_sentences_and_every_sentence_is_used() -> None:
    folder = Path(doctor.__file__).parents[1]
    source = "".join(
        path.read_text(encoding="utf-8") for path in folder.rglob("*.py") if path.name != "finding_texts.py"
    )
    assert [code for code in SENTENCES if f'"{code}"' not in source] == []


def test_every_code_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "check.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == {"fault", *SENTENCES}
