"""Changes between states, and the gate: on the street of `judging`."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from facility_coverage.analysis.comparison import PARTS, compare
from facility_coverage.analysis.gate import gate_goals, not_met
from facility_coverage.analysis.goals import judge
from facility_coverage.config.plan import Plan
from facility_coverage.errors import ConfigError
from judging import goal, simple

PLAN = Plan.model_validate(
    {
        "id": "p", "title": "P",
        "goals": [
            goal("capacity_total", 40, id="beds", nature="binding"),
            goal("capacity_per_1000", 5, id="rate", nature="expected"),
            goal("population_covered", 0.5, id="reach"),
            goal("capacity_total", None, id="shown"),
        ],
    }
)  # fmt: skip


def verdicts(beds: float, people: float, covered: float) -> Any:
    return judge([PLAN], simple([("a", beds, 0)], {"a": (people, covered)}, date=dt.date(2025, 12, 31)))


def test_the_parts_of_a_change_add_up_to_it() -> None:
    first, built, grown = verdicts(30, 1000, 400), verdicts(45, 1000, 400), verdicts(45, 3000, 1800)
    table = compare([first, built, grown, grown, grown, grown])
    study = table[table["level"] == "study"].set_index("goal_id")
    assert study.loc["beds", ["value_before", "value_after", "change", *PARTS]].tolist() == [30, 45, 15, 15, 0, 0, 0, 0]
    assert study.loc["rate", ["change", "facilities", "population"]].tolist() == pytest.approx([-15, 15, -30])
    assert study.loc["reach", ["status_before", "status_after"]].tolist() == ["behind", "met"]
    np.testing.assert_allclose(table[list(PARTS)].sum(axis=1), table["change"], atol=1e-12)
    assert set(table["level"]) == {"study", "zone"}


def test_two_results_are_compared_without_the_split() -> None:
    table = compare([verdicts(30, 1000, 400), verdicts(45, 1000, 400)])
    assert table.loc[0, "change"] == 15
    assert table[list(PARTS)].isna().all(axis=None)


@pytest.mark.parametrize(
    ("asked", "failed"),
    [("", []), ("binding", ["beds"]), ("expected", []), ("all", ["beds", "reach"]), ("reach, rate", ["reach"])],
)
def test_the_gate_names_what_is_not_met(asked: str, failed: list[str]) -> None:
    goals = gate_goals(asked, [PLAN], file="study")
    assert [one.goal_id for one in not_met(verdicts(30, 1000, 400), goals)] == failed


def test_the_gate_knows_only_goals_with_targets() -> None:
    with pytest.raises(ConfigError) as error:
        gate_goals("bed,shown", [PLAN], file="study")
    assert str(error.value).splitlines() == [
        "study: --require-met names 'bed', which is no goal with a target; did you mean 'beds'?",
        "study: --require-met names 'shown', which is no goal with a target; give binding, all, or ids",
    ]
