"""Attributes, dates, changes, areas, neighbours and statistics: what goals and states ask of the files."""
# ruff: noqa: E501 - a fault stands on one line, as it is printed

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

import builders
from facility_coverage.config.state import Change
from facility_coverage.config.study import Areas, FacilityLayer, FacilityTable, Neighbours, Table
from facility_coverage.errors import LayerError
from facility_coverage.layers.areas import place_areas, read_areas
from facility_coverage.layers.attributes import NO, YES, to_yes_no
from facility_coverage.layers.changes import apply_changes
from facility_coverage.layers.contracts import SourceTable
from facility_coverage.layers.counted import Area
from facility_coverage.layers.datum import from_wgs84
from facility_coverage.layers.facilities import Scenario, place_facilities, read_facilities
from facility_coverage.layers.neighbours import neighbour_of, place_neighbours, read_neighbours
from facility_coverage.layers.opening import as_date, openings
from facility_coverage.layers.statistics import place_statistics, read_statistics

CRS = "EPSG:4544"
X0, Y0 = 587_000.0, 3_247_000.0
CHANGES: TypeAdapter[list[Any]] = TypeAdapter(list[Change])


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def said(call: Callable[[], object]) -> list[str]:
    with pytest.raises(LayerError) as error:
        call()
    return str(error.value).splitlines()


def table(values: list[object]) -> SourceTable:
    places = gpd.points_from_xy([0.0] * len(values), [0.0] * len(values))
    frame = gpd.GeoDataFrame({"good": values}, geometry=places, crs=4326, index=range(1, len(values) + 1))
    return SourceTable(frame, "s.csv", len(values))


def test_every_word_of_yes_and_no_is_understood_in_any_width() -> None:
    words = [*YES, *NO, "Ｙ", " 是 ", "TRUE", True, False, 1, 0, None, "", "—"]
    meant, faults = to_yes_no(table(list(words)), "good")
    assert not faults
    expected = [True] * len(YES) + [False] * len(NO) + [True, True, True, True, False, True, False, None, None, None]
    assert meant.tolist() == expected


def test_a_word_that_says_neither_is_a_fault() -> None:
    _, faults = to_yes_no(table(["是", "整改中"]), "good")
    assert [str(fault) for fault in faults] == [
        "s.csv: row 2, column 'good': '整改中' says neither yes nor no; write 是 or 否, leave it empty where it is not known, or map it under `values: {good: …}`"
    ]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2021", dt.date(2021, 1, 1)), ("2021年", dt.date(2021, 1, 1)), ("2021年6月", dt.date(2021, 6, 1)),
        ("2021/6/30", dt.date(2021, 6, 30)), ("2021-06-30 00:00:00", dt.date(2021, 6, 30)), ("2021年6月30日", dt.date(2021, 6, 30)),
        ("2021.6", dt.date(2021, 6, 1)), ("21", None), ("去年", None), ("2021-13-01", None), ("", None),
    ],
)  # fmt: skip
def test_years_and_dates(text: str, day: dt.date | None) -> None:
    assert as_date(text) == day


@pytest.mark.parametrize(
    ("opened", "closed", "day", "status"),
    [
        ((2021, 1, 1), None, (2020, 12, 31), "not yet open"),
        ((2021, 1, 1), None, (2021, 1, 1), "open"),
        (None, (2021, 1, 1), (2020, 12, 31), "open"),
        (None, (2021, 1, 1), (2021, 1, 1), "closed"),
        (None, None, (1900, 1, 1), "open"),
    ],
)
def test_who_is_open_on_a_day(opened: Any, closed: Any, day: Any, status: str) -> None:
    dates = {"opened": [opened and dt.date(*opened)], "closed": [closed and dt.date(*closed)]}
    assert openings(pd.DataFrame(dates, dtype=object), dt.date(*day)).tolist() == [status]


STATIONS = "facility_id,name,beds,公办,地址,启用年份,closed,x,y\n"
ROWS = [
    f"a,甲,10,是,河街1号,2015,,{X0 + 100},{Y0 + 100}",
    f"b,乙,,否,,2021,,{X0 + 900},{Y0 + 100}",
    f"c,丙,5,,,,2019-07-01,{X0 + 500},{Y0 + 900}",
]
OPTIONS = {
    "kind": "elder_care",
    "capacity": ["beds"],
    "attributes": ["public"],
    "crs": CRS,
    "columns": {"公办": "public"},
}


def layer(text: str, name: str = "s.csv") -> FacilityLayer:
    Path(name).write_text(text, encoding="utf-8")
    return FacilityLayer.model_validate(
        {"id": "care", "name": "C", "profile": "elder", "cutoff_min": 15, **OPTIONS, "path": Path(name).absolute()}
    )


def area() -> Area:
    zones = gpd.GeoDataFrame(
        {"zone_id": ["w", "e"], "name": ["西", "东"], "area_type": ["urban", "rural"]},
        geometry=[shapely.box(X0, Y0, X0 + 500, Y0 + 1000), shapely.box(X0 + 500, Y0, X0 + 1000, Y0 + 1000)],
        crs=CRS,
    )
    box = shapely.box(*zones.total_bounds)
    return Area(zones.sort_values("zone_id", ignore_index=True), "zones", box, box)


def placed(day: dt.date, *changes: dict[str, Any], rows: list[str] = ROWS) -> Any:
    care = layer(STATIONS + "\n".join(rows) + "\n")
    return place_facilities(
        care, read_facilities(care), area(), Scenario(day, CHANGES.validate_python(list(changes)), "study t")
    )


def test_facilities_have_their_attributes_and_are_there_on_their_days() -> None:
    found = placed(dt.date(2018, 12, 31))
    assert found.frame["facility_id"].tolist() == ["a", "c"]
    assert found.frame["public"].tolist() == [True, None]
    assert found.frame["address"].tolist() == ["河街1号", None]
    assert found.frame["zone_id"].tolist() == ["w", "e"] or found.frame["zone_id"].tolist() == ["w", "w"]
    assert found.openings.to_dict("records") == [
        {"layer": "care", "facility_id": "b", "name": "乙", "status": "not yet open"}
    ]
    later = placed(dt.date(2025, 12, 31))
    assert later.frame["facility_id"].tolist() == ["a", "b"]
    assert later.openings["status"].tolist() == ["closed"]
    assert len(placed(dt.date(1990, 1, 1), rows=ROWS[:2]).frame) == 0


def test_dates_that_are_none_or_the_wrong_way_round_are_faults() -> None:
    bad = [ROWS[0].replace(",2015,,", ",去年,,"), ROWS[1].replace(",2021,,", ",2021,2020,")]
    assert said(lambda: placed(dt.date(2025, 1, 1), rows=bad[:1])) == [
        "s.csv: row 1, column 'opened': '去年' is not a date; write a year or a date, like 2021 or 2021-06-30, or leave it empty"
    ]
    assert said(lambda: placed(dt.date(2025, 1, 1), rows=bad[1:])) == [
        "s.csv: row 1: it closes (2020-01-01) before it opens (2021-01-01); correct one of the dates"
    ]


DAY = dt.date(2025, 12, 31)


def test_changes_are_made_one_after_the_other() -> None:
    Path("plan.csv").write_text(STATIONS + f"n,新,8,是,,,,{X0 + 700},{Y0 + 500}\n", encoding="utf-8")
    planned = {"path": str(Path("plan.csv").absolute()), "crs": CRS, "columns": {"公办": "public"}}
    goal = gpd.GeoSeries([shapely.Point(X0 + 950, Y0 + 950)], crs=CRS).to_crs(4326).iloc[0]
    lon, lat = from_wgs84(np.array([[goal.x, goal.y]]), "gcj02")[0]
    found = placed(
        DAY,
        {"do": "add", "layer": "care", "facilities": planned},
        {"do": "enlarge", "layer": "care", "id": "n", "capacity": {"beds": 80}},
        {"do": "move", "layer": "care", "id": "a", "lon": lon, "lat": lat, "datum": "gcj02"},
        {"do": "close", "layer": "care", "ids": ["b"]},
        {"do": "close", "layer": "other", "ids": ["zzz"]},
    )
    assert found.frame[["facility_id", "beds", "zone_id"]].to_dict("records") == [
        {"facility_id": "a", "beds": 10.0, "zone_id": "e"}, {"facility_id": "n", "beds": 80.0, "zone_id": "e"},
    ]  # fmt: skip
    assert found.frame.geometry.iloc[0].distance(shapely.Point(X0 + 950, Y0 + 950)) < 1e-3
    assert found.changes[["facility_id", "change"]].to_numpy().tolist() == [
        ["n", "add"],
        ["n", "enlarge"],
        ["a", "move"],
        ["b", "close"],
    ]


def test_changes_of_facilities_that_are_not_there_or_there_already() -> None:
    assert said(lambda: placed(DAY, {"do": "close", "layer": "care", "ids": ["aa"]})) == [
        "study t: changes: layer 'care' has no facility 'aa' to change; did you mean 'a'?"
    ]
    same = {"path": str(Path("s.csv").absolute()), "crs": CRS, "columns": {"公办": "public"}}
    assert (
        "study t: changes: layer 'care' has the facility 'a' already; give planned facilities ids of their own"
        in said(lambda: placed(DAY, {"do": "add", "layer": "care", "facilities": same}))
    )


@given(st.permutations(["a", "b", "c"]), st.sets(st.sampled_from(["a", "b", "c"]), min_size=1))
def test_closing_leaves_the_others_as_they_were_in_any_order(order: list[str], gone: set[str]) -> None:
    frame = gpd.GeoDataFrame(
        {"facility_id": list("abc"), "name": list("xyz"), "beds": [1.0, np.nan, 3.0]},
        geometry=gpd.points_from_xy([0, 1, 2], [0, 0, 0]),
        crs=CRS,
    )
    shuffled = frame.set_index("facility_id").loc[order].reset_index()[frame.columns]
    change = CHANGES.validate_python([{"do": "close", "layer": "clinics", "ids": sorted(gone)}])

    def never(_: FacilityTable) -> gpd.GeoDataFrame:
        raise AssertionError

    left, told = apply_changes(shuffled, change, builders.facility_layer(), read=never, file="s")
    pd.testing.assert_frame_equal(
        pd.DataFrame(left), pd.DataFrame(frame[~frame["facility_id"].isin(gone)].reset_index(drop=True))
    )
    assert told["facility_id"].tolist() == sorted(gone)


def write(file: str, shapes: list[shapely.Geometry], **columns: list[object]) -> Path:
    gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS).to_file(file)
    return Path(file).absolute()


def square(x: float, side: float = 100.0) -> shapely.Polygon:
    return shapely.box(X0 + x, Y0, X0 + x + side, Y0 + side)


def areas(path: Path) -> Areas:
    return Areas.model_validate({"id": "estates", "name": "E", "path": path})


def test_areas_are_read_and_must_not_overlap() -> None:
    path = write("a.gpkg", [square(200), square(0)], area_id=["2", "1"], name=["乙", "甲"])
    source = read_areas(areas(path))
    assert place_areas(source, source.frame.crs)["area_id"].tolist() == ["1", "2"]
    path = write("b.gpkg", [square(0), square(50)], area_id=["1", "2"], name=["甲", "乙"])
    source = read_areas(areas(path))
    assert said(lambda: place_areas(source, source.frame.crs)) == [
        "b.gpkg: areas '1' and '2' overlap by 5,000 m²; correct the outlines"
    ]
    path = write("c.gpkg", [square(0), square(200)], area_id=["1", "1"], name=["甲", "乙"])
    assert said(lambda: read_areas(areas(path))) == [
        "c.gpkg: row 1, column 'area_id': '1' is there 2 times (rows 1, 2)"
    ]


def test_neighbours_lose_what_is_the_studys_own() -> None:
    wide = shapely.box(X0 - 500, Y0, X0 + 500, Y0 + 1000)
    path = write("n.gpkg", [wide], district_id=["510521"], name=["泸县"], area_type=["rural"], share_60_plus=[0.25])
    found = place_neighbours(read_neighbours(Neighbours(path=path)), area().zones)
    assert found.geometry.area.tolist() == pytest.approx([500_000.0])
    assert found["share_60_plus"].tolist() == [0.25]
    xy = np.array([[X0 - 10, Y0 + 5], [X0 + 10, Y0 + 5], [X0 - 900, Y0 + 5]])
    assert neighbour_of(xy, found).tolist() == [0, -1, -1]
    assert neighbour_of(xy, found, within_m=10).tolist() == [0, 0, -1]  # ten metres from the border, exactly
    path = write("m.gpkg", [wide], district_id=["1"], name=["x"], area_type=["town"])
    assert said(lambda: read_neighbours(Neighbours(path=path))) == [
        "m.gpkg: row 1, column 'area_type': 'town' is not one of 'urban', 'rural'; correct it, or map it under `values: {area_type: …}`"
    ]


def statistics(text: str) -> Table:
    Path("t.csv").write_text(text, encoding="utf-8")
    return Table(path=Path("t.csv").absolute())


def test_statistics_of_other_places_are_passed_over() -> None:
    source = read_statistics(
        statistics(
            "指标,年份,数值,zone_id,district_id,来源\nA,2020,3.44,,,x\nA,2024,,,,\nA,2024,5%,z,,\nB,2020,1,,q,\n"
        )
    )
    kept = place_statistics(source, ["z"], ["d"])
    assert kept["year"].tolist() == [2020, 2024, 2024]
    assert kept["value"].fillna(-1).tolist() == [3.44, -1, 5]
    assert kept["zone_id"].tolist() == [None, None, "z"]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("A,20x,1", "t.csv: row 1, column 'year': '20x' is not a year; write it like 2025"),
        (
            "A,2020,about",
            "t.csv: row 1, column 'value': 'about' is not a number; give a number in the goal's unit, or leave it empty",
        ),
        (",2020,1", "t.csv: row 1, column 'indicator': is empty; name the indicator"),
        ("A,2020,1\nA,2020,2", "t.csv: row 2, column 'indicator': 'A' is there twice for this year and place"),
    ],
)
def test_bad_statistics(row: str, fault: str) -> None:
    assert said(lambda: read_statistics(statistics(f"indicator,year,value\n{row}\n"))) == [fault]
