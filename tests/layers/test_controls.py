"""Control totals are met, zone by zone and group by group, and what cannot be met is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility_coverage.config.people import Controls
from facility_coverage.errors import LayerError
from facility_coverage.layers.controls import ControlTotals, read_controls
from facility_coverage.layers.rescaling import Rescaled, meet_totals

ZONES = ["a", "b", "c"]


def people(**groups: list[float]) -> pd.DataFrame:
    """Six points: two in zone a, one in b, one in c, two beyond."""
    zone = pd.Series(["a", "a", "b", "c", None, None], dtype="object")
    return pd.DataFrame({"demand_id": list("123456"), "zone_id": zone, "x_m": 0.0, "y_m": 0.0, **groups})


def controls(*, disjoint: tuple[str, ...] = (), study: dict[str, float] | None = None, **zones: Any) -> ControlTotals:
    table = pd.DataFrame(zones, index=pd.Index(ZONES, name="zone_id"), dtype="float64")
    whole = pd.Series(study or {}, dtype="float64").reindex(table.columns)
    return ControlTotals(table, whole, disjoint, "controls.csv")


def sums(rescaled: Rescaled, name: str) -> list[float]:
    return list(rescaled.points.groupby("zone_id")[name].sum())


BASE = {"total": [10.0, 30.0, 50.0, 20.0, 7.0, 0.0], "old": [1.0, 9.0, 5.0, 4.0, 2.0, 0.0]}


def test_groups_follow_their_total_and_zones_without_a_control_stay() -> None:
    done = meet_totals(people(**BASE), ["old"], controls(total=[80, np.nan, 10]))
    assert done.points["total"].tolist() == [20, 60, 50, 10, 7, 0]
    assert done.points["old"].tolist() == [2, 18, 5, 2, 2, 0]
    factors = done.factors.set_index(["group", "zone_id"])["factor"]
    assert factors.loc[("total", "a")] == factors.loc[("old", "a")] == 2
    assert factors.loc[("total", "b")] == 1
    assert done.factors.loc[done.factors["zone_id"].isna(), ["group", "read", "rescaled"]].to_numpy().tolist() == [
        ["total", 110, 140], ["old", 19, 27]]  # fmt: skip
    assert done.report == {"raking_rounds": 1, "largest_residual": 0}


def test_a_group_has_a_total_of_its_own() -> None:
    done = meet_totals(people(**BASE), ["old"], controls(old=[15, np.nan, 0]))
    assert done.points["total"].tolist() == BASE["total"]
    assert done.points["old"].tolist() == [1.5, 13.5, 5, 0, 2, 0]
    assert sums(meet_totals(people(**BASE), ["old"], controls(total=[80, 50, 20], old=[10, 5, 4])), "old") == [10, 5, 4]


def test_the_study_row_scales_what_no_zone_settles() -> None:
    done = meet_totals(people(**BASE), [], controls(total=[40, np.nan, np.nan], study={"total": 180.0}))
    np.testing.assert_allclose(sums(done, "total"), [40, 100, 40], rtol=1e-8)
    assert done.report["raking_rounds"] > 1
    assert done.report["largest_residual"] <= 1e-9
    own = meet_totals(people(**BASE), ["old"], controls(old=[np.nan] * 3, study={"old": 38.0}))
    np.testing.assert_allclose(sums(own, "old"), [20, 10, 8], rtol=1e-12)


def test_total_and_disjoint_groups_are_raked_together() -> None:
    base = {"total": [10.0, 30.0, 50.0, 20.0, 7.0, 0.0], "kids": [2.0, 6.0, 10.0, 4.0, 1.0, 0.0],
            "old": [3.0, 7.0, 20.0, 6.0, 2.0, 0.0]}  # fmt: skip
    wanted = controls(
        disjoint=("kids", "old"), study={"kids": 30.0, "old": 50.0}, total=[60, 60, 20], kids=[np.nan] * 3,
        old=[np.nan] * 3,
    )  # fmt: skip
    done = meet_totals(people(**base), ["kids", "old"], wanted)
    np.testing.assert_allclose(sums(done, "total"), [60, 60, 20], rtol=1e-9)
    inside = done.points[done.points["zone_id"].notna()]
    assert inside["kids"].sum() == pytest.approx(30, rel=1e-9)
    assert inside["old"].sum() == pytest.approx(50, rel=1e-9)
    assert (inside["total"] >= inside["kids"] + inside["old"]).all()
    assert done.points.iloc[4:][["total", "kids", "old"]].to_numpy().tolist() == [[7, 1, 2], [0, 0, 0]]


def test_disjoint_groups_of_a_zone_raise_its_total() -> None:
    base = {"total": [10.0, 10.0, 0.0, 0.0, 0.0, 0.0], "old": [4.0, 0.0, 0.0, 0.0, 0.0, 0.0]}
    done = meet_totals(people(**base), ["old"], controls(disjoint=("old",), old=[8, np.nan, np.nan]))
    assert done.points["old"].tolist() == [8, 0, 0, 0, 0, 0]
    assert done.points["total"].tolist() == [14, 10, 0, 0, 0, 0]


@given(data=st.data())
def test_totals_are_met_and_nobody_moves_between_points(data: st.DataObject) -> None:
    figures = st.floats(50, 1000)  # raking is slow where wishes lie far from the source
    total = np.array(data.draw(st.lists(figures, min_size=6, max_size=6)))
    shares = np.array(data.draw(st.lists(st.floats(0.05, 0.45), min_size=12, max_size=12))).reshape(2, 6)
    frame = people(total=list(total), kids=list(total * shares[0]), old=list(total * shares[1]))
    wanted = np.array(data.draw(st.lists(figures, min_size=9, max_size=9))).reshape(3, 3)  # zone × kids, old, rest
    table = controls(
        disjoint=("kids", "old"), study={"kids": wanted[:, 0].sum(), "old": wanted[:, 1].sum()},
        total=wanted.sum(axis=1), kids=[np.nan] * 3, old=[np.nan] * 3,
    )  # fmt: skip
    done = meet_totals(frame, ["kids", "old"], table)
    np.testing.assert_allclose(sums(done, "total"), wanted.sum(axis=1), rtol=1e-8)
    np.testing.assert_allclose(sum(sums(done, "kids")), wanted[:, 0].sum(), rtol=1e-8)
    # Within a zone, a group is scaled by one factor.
    by_zone = (done.points["kids"] / frame["kids"]).iloc[:2]
    assert by_zone.iloc[0] == pytest.approx(by_zone.iloc[1], rel=1e-9)
    assert done.points["zone_id"].tolist() == frame["zone_id"].tolist()
    order = data.draw(st.permutations(range(6)))
    turned = meet_totals(frame.iloc[list(order)].reset_index(drop=True), ["kids", "old"], table).points
    for name in ("total", "kids", "old"):
        np.testing.assert_allclose(
            turned.set_index("demand_id").loc[frame["demand_id"], name], done.points[name], rtol=1e-9
        )


UNMET = [
    (controls(total=[np.nan, 5, np.nan]), {"total": [1, 1, 0, 1, 0, 0]},
     "5 people are wanted as total of zone 'b'; the source counts nobody there"),
    (controls(old=[5, np.nan, np.nan]), {"total": [9, 9, 0, 1, 0, 0], "old": [0] * 6}, "5 people are wanted as old of "
     "zone 'a'"),
    (controls(total=[10, 10, 10], study={"total": 31.0}), {"total": [1.0] * 6},
     "total of zone 'a' comes to 10.33 instead of 10.00; the control totals contradict each other or the source"),
    (controls(old=[50, np.nan, np.nan]), BASE, "group 'old' of zone 'a' comes to 50.0, more than its total 40.0"),
    (controls(disjoint=("old", "kids"), total=[9, 9, 9]),
     {"total": [10] * 6, "old": [7] * 6, "kids": [7] * 6},
     "groups old, kids sum to more than everybody at 4 points, by 16.0 people"),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "figures", "said"), UNMET, ids=[row[2][:50] for row in UNMET])
def test_what_cannot_be_met(wanted: ControlTotals, figures: dict[str, list[float]], said: str) -> None:
    columns = {name: [float(value) for value in values] for name, values in figures.items()}
    with pytest.raises(LayerError, match=r"controls\.csv: ") as error:
        meet_totals(people(**columns), [name for name in columns if name != "total"], wanted)
    assert said in str(error.value)


def table(folder: Path, text: str, **options: Any) -> Controls:
    path = folder / "controls.csv"
    path.write_text(text, encoding="utf-8")
    return Controls.model_validate({"path": path, **options})


def test_a_table_of_an_office(tmp_path: Path) -> None:
    text = '代码,常住人口,六十岁以上\na,"1,200",300\nb,1.5万,\n合计,16200,4000\n'
    named = table(tmp_path, text, columns={"六十岁以上": "old"}, study_row="合计")
    found = read_controls(named, ["old", "kids"], ZONES)
    np.testing.assert_array_equal(found.zones.to_numpy(), [[1200, 300], [15000, np.nan], [np.nan, np.nan]])
    assert found.study.to_dict() == {"total": 16200, "old": 4000}


BAD = [
    ("zone_id,total\na,1\nx,2\n", {}, "row 2, column 'zone_id': 'x' is no zone of the study"),
    ("zone_id,total\na,1\n合计,2\n总计,2\n", {"study_row": "合计"}, "'总计' is no zone of the study"),
    ("zone_id,total\na,1\n", {"study_row": "合计"}, "no row has the zone_id '合计'; correct `study_row:`"),
    ("zone_id,total\na,1\na,2\n", {}, "'a' is there 2 times"),
    ("zone_id,total\na,-1\n", {}, "'-1' is negative"),
    ("zone_id,total\na,viele\n", {}, "'viele' is not a number"),
    ("zone_id,people\na,1\n", {}, "column 'total' is missing"),
    ("zone_id,total,old\na,10,11\n", {}, "column 'old': '11' of group 'old' are more than the total"),
    ("zone_id,total,old,kids\na,10,6,6\n", {"disjoint": ["old", "kids"]},
     "groups old, kids sum to more than the total"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "options", "said"), BAD, ids=[row[2] for row in BAD])
def test_bad_tables(tmp_path: Path, text: str, options: Any, said: str) -> None:
    with pytest.raises(LayerError) as error:
        read_controls(table(tmp_path, text, **options), ["old", "kids"], ZONES)
    assert said in str(error.value)
