"""The plan files that come with the program: in the format, in both languages, each goal with its source."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from facility_coverage.config.catalogue import Catalogue
from facility_coverage.config.document import read_document
from facility_coverage.config.measures import SHARES, ServiceCompleteness
from facility_coverage.config.plan import Plan

CONFIGS = Path(__file__).parents[2] / "src/coverage/facility_coverage/sample/configs"
PLANS = sorted([*CONFIGS.glob("plans/*.yaml"), *CONFIGS.glob("standards/*.yaml")])
CATALOGUES = sorted(CONFIGS.glob("catalogues/*.yaml"))
HAN = re.compile(r"[\u4e00-\u9fff]")


def content(path: Path) -> dict[str, Any]:
    """Return what a file holds; without repeated keys and other faults of YAML."""
    document = read_document(path)
    assert not document.faults
    return document.content


def texts(value: Any) -> list[dict[str, Any]]:
    """Return every text of a file, as written."""
    if isinstance(value, dict):
        if "zh" in value or "en" in value:
            return [value]
        return [text for one in value.values() for text in texts(one)]
    return [text for one in value for text in texts(one)] if isinstance(value, list) else []


def goals() -> list[Any]:
    return [pytest.param(goal, id=goal["id"]) for path in PLANS for goal in content(path)["goals"]]


def test_every_plan_is_there() -> None:
    assert {content(path)["id"]: path.name for path in PLANS} == {
        "chongqing_2025": "chongqing-2025.yaml",
        "gb50180_2018": "gb50180-2018.yaml",
        "luzhou_2030": "luzhou-2030.yaml",
        "national": "national.yaml",
        "yongchuan_14fyp": "yongchuan-14fyp.yaml",
    }


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_a_plan_is_in_the_format(path: Path) -> None:
    plan = Plan.model_validate(content(path))
    for goal in plan.goals:
        if isinstance(goal, ServiceCompleteness):
            assert not goal.catalogue.is_absolute()
            assert (path.parent / goal.catalogue).resolve() in CATALOGUES


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_a_catalogue_is_in_the_format(path: Path) -> None:
    catalogue = Catalogue.model_validate(content(path))
    ids = [service.id for category in catalogue.categories for service in category.services]
    assert len(set(ids)) == len(ids)
    assert len({category.id for category in catalogue.categories}) == len(catalogue.categories)
    assert catalogue.known()
    assert all(category.services for category in catalogue.categories)


def test_an_id_names_one_goal_in_all_plans() -> None:
    count = Counter(goal["id"] for path in PLANS for goal in content(path)["goals"])
    assert {name for name, times in count.items() if times > 1} == set()


@pytest.mark.parametrize("path", [*PLANS, *CATALOGUES], ids=lambda path: path.stem)
def test_every_text_is_in_chinese_and_in_english(path: Path) -> None:
    written = texts(content(path))
    assert written
    for text in written:
        assert set(text) == {"zh", "en"}
        assert HAN.search(text["zh"]), text
        assert not HAN.search(text["en"]), text


@pytest.mark.parametrize("goal", goals())
def test_a_goal_has_names_a_source_and_figures_in_its_unit(goal: dict[str, Any]) -> None:
    assert isinstance(goal["name"], dict), "one name for both languages"
    assert goal["citation"]["document"]
    assert goal["citation"]["clause"]
    assert isinstance(goal["verified"], bool)
    if not goal["verified"]:
        assert "note" in goal, "what was not read in the original says why"
    steps = [*(goal[key] for key in ("baseline", "target") if key in goal), *goal.get("milestones", ())]
    assert steps or "note" in goal, "a goal without figures says why"
    if goal["measure"] == "statistic":
        assert goal["unit"]
    if goal["measure"] in SHARES:
        assert all(0 <= step["value"] <= 1 for step in steps)
    if "baseline" in goal and "target" in goal:
        assert goal["baseline"]["year"] < goal["target"]["year"]


@pytest.mark.parametrize("name", ["national.yaml", "gb50180-2018.yaml"])
def test_what_was_not_at_hand_is_not_called_verified(name: str) -> None:
    (path,) = (path for path in PLANS if path.name == name)
    assert not any(goal["verified"] for goal in content(path)["goals"])


def test_the_catalogue_says_that_its_names_are_a_proposal() -> None:
    (path,) = CATALOGUES
    catalogue = Catalogue.model_validate(content(path))
    assert "本项目" in catalogue.title.zh
    assert "this project's" in catalogue.title.en
    assert "本项目所拟" in catalogue.citation.clause
