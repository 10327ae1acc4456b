"""Sentences from figures made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from facility_coverage.analysis.verdicts import PlaceVerdict, Verdict
from facility_coverage.config.text import Lang
from facility_coverage.outputs.payload import Payload
from facility_coverage.outputs.report.goals import now, towns_told
from facility_coverage.outputs.report.joint import overview, together
from facility_coverage.outputs.report.model import Points, Table
from facility_coverage.outputs.report.summary import goals_told, service_told, shortfalls, summary
from facility_coverage.outputs.report.telling import Telling, left_out
from facility_coverage.outputs.runs import Run


def place(name: str, value: float | None, status: Any, short: float | None) -> PlaceVerdict:
    return PlaceVerdict(name, name, value, value, 1.0, status, short, None, None, 0, "" if status else "no_target")


def verdict(name: str, value: float | None, status: Any, **keys: Any) -> Verdict:
    base = Verdict(
        plan_id="p", goal_id=name, name_zh=name, name_en=name, measure="capacity_share", layer="care",
        nature="expected", citation="规划", verified=True, each=None, bound="at_least", target=0.6, target_year=2025,
        baseline=None, baseline_year=None, expected=None, value=value, amount=value, base=1.0, status=status,
        shortfall=None, progress=None, pace_per_year=None, scale="share", beside=None, with_sharing=None,
        without_sharing=None, unit="beds", note_zh="", note_en="", districts=(), zones=(),
    )  # fmt: skip
    return replace(base, **keys)


BEDS = verdict(
    "护理床位", 0.5996, "behind", nature="binding", shortfall=12.0,
    zones=(place("东镇", 0.5, "behind", 4.0), place("西镇", 0.4, "behind", 8.0), place("南镇", 0.7, "met", 0.0)),
)  # fmt: skip
FAR = verdict("远目标", 0.1, "behind", shortfall=900.0, zones=(place("东镇", 0.1, "behind", 900.0),))
MET = verdict("达到的", 0.9, "met", shortfall=0.0)
UNKNOWN = verdict("不知道", None, "no_data", reason="absent")
WATCHED = verdict("只监测", 0.3, None, target=None, reason="no_target")


def telling(*verdicts: Verdict, lang: Lang = "zh", index: int = 0, covered: float = 750.4) -> Telling:
    zones = pd.DataFrame({"population_total": [600.0, 400.0], "population_old": [60.0, 40.0]}, index=["a", "b"])
    layer = {"id": "care", "name": "养老", "group": "total", "cutoff": "", "unattached": "", "tiers": []}
    scene = {
        "name": "2025年", "date": "2025-12-31", "groups": {"total": "全体人口", "old": "老人"}, "layers": [layer],
        "summary": {"study": {"care": {"total": [1000.0, covered, covered / 1000]}}},
        "figures": {"a": {"care": {"total": [600.0, 360.0, 0.6]}}, "b": {"care": {"total": [400.0, 398.0, 0.995]}}},
        "goals": [], "themes": [],
    }  # fmt: skip
    names = [{"id": "a", "name": "甲镇", "district": "", "area_type": "rural"},
             {"id": "b", "name": "乙镇", "district": "", "area_type": "urban"}]  # fmt: skip
    core = {"title": f"小区{index or ''}", "notice": "", "zones": names, "scene": scene, "others": [], "sitings": []}
    run = Run("run", Payload({}, {}), {"parameters": {}}, verdicts, zones, pd.DataFrame(), ())
    return Telling(run, index, lang, Payload({}, {}), core)


def test_goals_are_counted_by_verdict_and_binding_ones_that_miss_are_named() -> None:
    assert goals_told(telling(BEDS, FAR, MET, UNKNOWN, WATCHED)) == (
        "规划目标共 5 项：达到 1 项、滞后 2 项、无数据 1 项、仅监测 1 项。其中约束性目标 1 项：滞后 1 项。"
        # 59.96 % is cut, not rounded up to the target.
        "未达到的约束性目标：护理床位（59.9%，目标 60.0%）。"
    )
    assert goals_told(telling(MET, lang="en")) == "1 goals: 1 met."


def test_shortfalls_begin_with_binding_goals_then_the_farthest_and_name_the_worst_towns() -> None:
    near = replace(FAR, name_zh="近目标", value=0.55, shortfall=3.0, zones=())
    assert shortfalls(telling(near, FAR, FAR, BEDS, MET)) == [
        "护理床位：59.9%，目标 60.0%，缺 12 张；缺口最大的镇街：西镇（8 张）、东镇（4 张）。",
        "远目标：10.0%，目标 60.0%，缺 900 张；缺口最大的镇街：东镇（900 张）。",
        "近目标：55.0%，目标 60.0%，缺 3 张。",
    ]


def test_a_service_says_whom_it_leaves_out_and_where_most() -> None:
    one = telling()
    # 1000 - 750.4 people: a part of a person left out is a person left out.
    assert service_told(one, one.scene["layers"][0]) == (
        "养老：全体人口 1,000 人中，75.0% 在时限内可达，250 人未可达；可达率最低的镇街：甲镇（60.0%）、乙镇（99.5%）。"
    )


def test_what_is_not_known_is_said_and_never_zero() -> None:
    one = telling()
    layer = one.scene["layers"][0] | {"id": "none"}
    assert service_told(one, layer) == "养老：无数据。"
    assert now(one, UNKNOWN) == "无数据。"
    assert now(one, replace(UNKNOWN, reason="nobody")) == "无数据：无对象。"
    assert now(one, WATCHED) == "现状 30.0%；规划未设目标值。"


def test_a_goal_says_where_it_stands_and_how_many_towns_miss_it() -> None:
    one = telling()
    assert now(one, BEDS) == "现状 59.9%，目标 60.0%（2025 年）：滞后，缺 12 张。"
    assert towns_told(one, BEDS) == "3 个镇街参与评价：1 个达到，2 个未达到。"
    assert towns_told(one, MET) == "该目标不逐镇街评价；各镇街数值供参考。"


def test_other_states_stand_beside_the_runs_own() -> None:
    one = telling(MET)
    other = {"name": "2020年", "goals": [{"status": "met"}] * 2, "summary": {"study": {}}}
    one.core["others"].append(other)
    (table,) = [block for block in summary(one).blocks if isinstance(block, Table)]
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["养老", "75.0%", "无数据"],
        ["达到的目标（项）", "0", "2"],
    ]


@pytest.mark.parametrize(("people", "covered", "expected"), [(10, 9.2, 1), (10, 10.00000001, 0), (5, 0, 5)])
def test_people_left_out_are_rounded_up(people: float, covered: float, expected: float) -> None:
    assert left_out([people, covered, None]) == expected


def test_runs_stand_side_by_side_and_together() -> None:
    first, second = telling(BEDS, MET), telling(replace(BEDS, value=0.7, status="met"), MET, index=1, covered=250.0)
    chapter = overview([first, second])
    assert chapter.blocks[0].text == "共 2 个区域、4 个镇街、2,000 人。"
    runs, services, goals = (block for block in chapter.blocks if isinstance(block, Table))
    assert [cell.text for cell in runs.rows[1]] == ["小区1 · 2025年", "2", "1,000", "2", "0", "0", "0"]
    # (750.4 + 250) / 2000
    assert [cell.text for cell in services.rows[0]] == ["养老", "75.0%", "25.0%", "50.0%"]
    assert [(cell.text, cell.status) for cell in goals.rows[0][2:]] == [("59.9%", "behind"), ("70.0%", "met")]
    (told,) = (block for block in chapter.blocks if isinstance(block, Points))
    assert told.items == ("所有区域均达到的目标 1 项。",)


def test_nothing_known_together_is_no_data() -> None:
    assert together([[None, None, None]]) == [None, None, None]
