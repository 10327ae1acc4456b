"""The plan files against the table of goals, and against the indicator tables of the plans themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from facility_coverage.config.document import read_document
from facility_coverage.config.goal import Baseline, Target
from facility_coverage.config.measures import SHARES, Goal, Statistic, ZonesWithFacility
from facility_coverage.config.plan import Plan

pytestmark = pytest.mark.realdata

CONFIGS = Path(__file__).parents[2] / "src/coverage/facility_coverage/sample/configs/plans"
PREFIXES = {"YC": "yongchuan_14fyp", "LZ": "luzhou_2030", "CQ": "chongqing_2025"}

#: Figures that the table gives in its column `goal`, by the column to which they belong. Only there is "all" a figure.
IN_THE_GOAL = {
    "YC-new-estates": "target",  # the land per resident stands in the goal, the share in the target
    "YC-kindergarten": "target",  # two shares in the goal, the year alone in the target
    "CQ-elder-2021": "baseline",  # all urban and 60 % of rural communities in the goal, the year alone in the baseline
}
#: Cells in prose, and how they are read.
PROSE = {
    ("YC-clinic-circle", "baseline"): ("reached by 2020", "2020"),  # a circle that is there is a share of 1
}


@dataclass(frozen=True)
class Figure:
    """A figure of the table; a percentage is 0–1."""

    value: float
    is_share: bool
    is_about: bool


@dataclass(frozen=True)
class Cell:
    """What a cell says: year, figures, and what stands in brackets."""

    year: int | None = None
    figures: tuple[Figure, ...] = ()
    aside: str = ""
    each: bool = False


@dataclass(frozen=True)
class Row:
    id: str
    goal: str
    baseline: Cell
    target: Cell
    nature: str
    clause: str


def figures_in(text: str) -> tuple[Figure, ...]:
    found = []
    for about, number, percent in re.findall(r"(about |[≥>] ?)?(\d[\d,]*(?:\.\d+)?)( ?%)?", text):
        value = float(number.replace(",", ""))
        found.append(Figure(value / 100 if percent else value, bool(percent), bool(about)))
    return tuple(found)


def cell_of(text: str) -> Cell:
    text = text.replace("**", "").strip()
    if text == "–":
        return Cell()
    aside = " ".join(re.findall(r"\(([^)]*)\)", text))
    text = re.sub(r"\([^)]*\)", "", text).strip()
    year = re.match(r"(20\d\d)(?::|$)", text)
    rest = text[year.end() :] if year else text
    return Cell(int(year[1]) if year else None, figures_in(rest), aside, rest.endswith(" each"))


def rows_of(text: str) -> list[Row]:
    table = re.search(r"^\| id \|.*?\n\|[-|]+\|\n(.*?)\n\n", text, re.DOTALL | re.MULTILINE)
    assert table
    rows = []
    for line in table[1].splitlines():
        name, goal, baseline, target, nature, clause = (part.strip() for part in line.strip("|").split("|"))
        cells = {"baseline": baseline, "target": target}
        for key, written in cells.items():
            prose, read_as = PROSE.get((name, key), (written, written))
            assert written == prose, "the table has changed: read it again"
            cells[key] = read_as
        rows.append(
            Row(name, goal, cell_of(cells["baseline"]), cell_of(cells["target"]), nature.replace("*", ""), clause)
        )
    return rows


@pytest.fixture(scope="module")
def folder(realdata: Path) -> Path:
    return realdata.parent / "plans"


@pytest.fixture(scope="module")
def readme(folder: Path) -> str:
    return (folder / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rows(readme: str) -> list[Row]:
    return rows_of(readme)


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    read = [Plan.model_validate(read_document(path).content) for path in sorted(CONFIGS.glob("*.yaml"))]
    return {plan.id: plan for plan in read}


@pytest.fixture(scope="module")
def goals_of(rows: list[Row], plans: dict[str, Plan]) -> dict[str, list[Goal]]:
    """The goals of each row: the one of its id, then those with a suffix, in the plan's order."""
    of_row: dict[str, list[Goal]] = {}
    for row in rows:
        plan = plans[PREFIXES[row.id[:2]]]
        of_row[row.id] = [goal for goal in plan.goals if goal.id == row.id or goal.id.startswith(f"{row.id}-")]
    return of_row


def document(readme: str, folder: Path, short: str) -> str:
    """Return the source of a short name."""
    (name,) = (str(one) for one in re.findall(rf"^\| {short} \|.*\| (\S+\.txt) \|$", readme, re.MULTILINE))
    return (folder / name).read_text(encoding="utf-8")


def said(row: Row, key: str) -> tuple[Figure, ...]:
    """Return the figures of a row, also those of its column `goal` and those that a year alone implies."""
    cell: Cell = getattr(row, key)
    if IN_THE_GOAL.get(row.id) == key:
        return cell.figures + figures_in(row.goal.replace(" all ", " 100 % "))
    if cell.year is not None and not cell.figures:
        return (Figure(1.0, is_share=True, is_about=False),)
    return cell.figures


def test_the_table_is_read(rows: list[Row]) -> None:
    assert len(rows) == len({row.id for row in rows}) == 37
    by_id = {row.id: row for row in rows}
    beds = by_id["YC-elder-beds"]
    assert (beds.baseline.year, beds.baseline.figures[0].value, beds.target.figures[0].value) == (2020, 3980, 9000)
    assert "4,210" in beds.baseline.aside
    assert by_id["YC-nursing-share"].target == Cell(2025, (Figure(0.6, is_share=True, is_about=True),))
    assert by_id["YC-nursing-share"].nature == "binding"
    assert [one.value for one in by_id["CQ-elder-coverage"].baseline.figures] == [1, 1000, 10_000]
    assert [one.value for one in said(by_id["YC-kindergarten"], "target")] == [0.9, 0.55]


def test_every_row_is_in_one_plan_under_its_id(rows: list[Row], plans: dict[str, Plan]) -> None:
    where = {row.id: [plan.id for plan in plans.values() for goal in plan.goals if goal.id == row.id] for row in rows}
    assert where == {row.id: [PREFIXES[row.id[:2]]] for row in rows}


def test_baselines_are_those_of_the_table(rows: list[Row], goals_of: dict[str, list[Goal]]) -> None:
    for row in rows:
        baselines = [goal.baseline for goal in goals_of[row.id] if goal.baseline is not None]
        figures = said(row, "baseline")
        assert [one.value for one in baselines] == [pytest.approx(one.value) for one in figures], row.id
        assert [one.is_about for one in baselines] == [one.is_about for one in figures], row.id
        if row.baseline.year is not None:
            assert {one.year for one in baselines} == {row.baseline.year}, row.id


def test_targets_are_those_of_the_table(rows: list[Row], goals_of: dict[str, list[Goal]]) -> None:
    for row in rows:
        goals = [goal for goal in goals_of[row.id] if goal.target is not None]
        if row.target.each:  # so many in each district: the share of districts that have them
            (goal,) = goals
            assert isinstance(goal, ZonesWithFacility)
            assert goal.target is not None
            assert goal.target.value == 1
            least, *most = (int(figure.value) for figure in row.target.figures)
            assert (goal.at_least, goal.at_most) == (least, *most, None)[:2], row.id
            continue
        values = [goal.target.value for goal in goals if goal.target]
        assert values == [pytest.approx(one.value) for one in said(row, "target")], row.id
        assert all(goal.target.bound == "at_least" for goal in goals if goal.target), row.id


def test_years_are_those_of_the_table_or_the_last_of_the_plan(
    rows: list[Row], goals_of: dict[str, list[Goal]], plans: dict[str, Plan]
) -> None:
    last = {
        key: max((goal.target.year for goal in plan.goals if goal.target), default=0) for key, plan in plans.items()
    }
    assert (last["yongchuan_14fyp"], last["luzhou_2030"], last["chongqing_2025"]) == (2025, 2030, 0)
    for row in rows:
        years = {goal.target.year for goal in goals_of[row.id] if goal.target}
        assert years <= {row.target.year or last[PREFIXES[row.id[:2]]]}, row.id


def test_shares_are_percentages_and_nothing_else_is(rows: list[Row], goals_of: dict[str, list[Goal]]) -> None:
    for row in rows:
        goals = goals_of[row.id]
        for key in ("baseline", "target"):
            with_figure = [goal for goal in goals if getattr(goal, key) is not None]
            figures = said(row, key)
            if row.target.each or not figures:
                continue
            of_goals = [goal.measure in SHARES for goal in with_figure]
            assert of_goals == [one.is_share for one in figures], row.id


def test_natures_and_clauses_are_those_of_the_table(rows: list[Row], goals_of: dict[str, list[Goal]]) -> None:
    for row in rows:
        goals = goals_of[row.id]
        assert {goal.nature for goal in goals} == {row.nature}, row.id
        cited = " ".join(f"{goal.citation.document} {goal.citation.clause}" for goal in goals)
        clause = re.sub(r"#(\d+)", r", 第\1项", row.clause)
        clause = re.sub(r"CQ(\d+)", lambda found: f"第{int(found[1]):04d}号", clause).replace("note ", "注")
        for part in clause.split(","):
            assert part.strip() in cited, row.id


def test_what_the_table_puts_in_brackets_is_noted(rows: list[Row], goals_of: dict[str, list[Goal]]) -> None:
    asides = [(row, re.sub(r"per [\d,]+", "", row.baseline.aside)) for row in rows]
    conflicts = [(row, figure) for row, aside in asides for figure in figures_in(aside)]
    assert [figure.value for _, figure in conflicts] == [4210, 17.6]
    for row, figure in conflicts:
        note = goals_of[row.id][0].note
        assert note is not None
        assert f"{figure.value:g}" in note.zh
        assert f"{figure.value:,g}" in note.en


def test_circles_without_a_figure_are_called_readings(rows: list[Row], goals_of: dict[str, list[Goal]]) -> None:
    alone = [row for row in rows if row.id not in IN_THE_GOAL and row.target.year and not row.target.figures]
    assert len(alone) == 5
    for row in alone:
        (goal,) = goals_of[row.id]
        assert not goal.verified
        assert goal.note is not None


def test_the_catalogue_has_the_categories_that_the_table_counts(readme: str) -> None:
    found = re.search(r"\| CQ-life-circle \|.*?(\d+) categories, (\d+) services", readme)
    assert found
    content = read_document(CONFIGS.parent / "catalogues" / "life-circle-15min.yaml").content
    assert len(content["categories"]) == int(found[1])
    assert f"{found[1]}类{found[2]}项" in content["citation"]["clause"]


def test_statistics_that_the_table_tells_are_there(readme: str, plans: dict[str, Plan]) -> None:
    listed = readme.partition("## Goals that only a statistic can answer")[2].partition("\n## ")[0]
    pattern = r"(\d[\d.]*(?: → (?:≥ )?\d[\d.]*)+)( %)?( 万)?(, binding)?"
    chains = re.findall(pattern, " ".join(listed.split()))
    assert len(chains) == 9
    goals = [goal for plan in plans.values() for goal in plan.goals if isinstance(goal, Statistic)]
    for chain, percent, _, binding in chains:
        wanted = [float(part.strip("≥ ")) for part in chain.split("→")]
        (goal,) = (goal for goal in goals if series(goal) == wanted)
        assert (goal.unit == "%") == bool(percent), goal.id
        assert (goal.nature == "binding") == bool(binding), goal.id
        assert goal.verified


def series(goal: Goal) -> list[float]:
    return [step.value for step in (goal.baseline, *goal.milestones, goal.target) if step is not None]


NATURES = {"约束性": "binding", "预期性": "expected"}


def test_yongchuans_indicator_table_is_carried_whole(readme: str, folder: Path, plans: dict[str, Plan]) -> None:
    text = document(readme, folder, "YC")
    lines = re.findall(r"^(\d+) \| (.+?) \| (\S+) \| (\S+) \| (\S+) \| (约束性|预期性) \|$", text, re.MULTILINE)
    assert [int(line[0]) for line in lines] == list(range(1, 34))
    for number, name, unit, start, end, nature in lines:
        clause = f"专栏1，第{number}项"
        (goal,) = (one for one in plans["yongchuan_14fyp"].goals if one.citation.clause == clause)
        assert goal.nature == NATURES[nature], goal.id
        if isinstance(goal, Statistic):
            assert goal.unit == unit or goal.unit in name, goal.id
        scale = 0.01 if goal.measure in SHARES else 1.0
        assert figure_of(goal.target) == written(end, 2025, scale), goal.id
        if "【" in start:  # a sum of the five years before, from which this one does not start
            assert goal.baseline is None, goal.id
            assert goal.note is not None
            assert start.strip("【】") in goal.note.zh, goal.id
        else:
            assert figure_of(goal.baseline) == written(start, 2020, scale), goal.id
            assert goal.baseline is None or goal.baseline.is_about == (start[0] in "<>"), goal.id
        if goal.target is not None:
            assert (goal.target.bound == "at_most") == end.startswith("<"), goal.id


def figure_of(step: Baseline | Target | None) -> tuple[int, float] | None:
    return None if step is None else (step.year, round(step.value, 6))


def written(text: str, year: int, scale: float) -> tuple[int, float] | None:
    """Return a figure of the indicator table; None for a dash or words."""
    number = text.strip("≥<>%【】")
    return (year, round(float(number) * scale, 6)) if re.fullmatch(r"[\d.]+", number) else None


def test_luzhous_indicator_table_is_carried_whole(readme: str, folder: Path, plans: dict[str, Plan]) -> None:
    text = document(readme, folder, "LZ").partition("专栏1 主要发展指标")[2].partition("第三章")[0]
    line = r"^(?:\S+ )??(\S+?) (?:(万人|%|岁|年) )?([\d.]+|-) ([\d.]+) ([\d.]+) (约束性|预期性)$"
    lines = re.findall(line, text, re.MULTILINE)
    assert len(lines) == text.count("预期性") + text.count("约束性") == 8
    for name, unit, *figures, nature in lines:
        (goal,) = (one for one in plans["luzhou_2030"].goals if one.citation.clause == f"专栏1，{name}")
        assert isinstance(goal, Statistic)
        assert series(goal) == [float(one) for one in figures if one != "-"], goal.id
        assert goal.nature == NATURES[nature], goal.id
        assert unit == goal.unit or goal.note is not None, goal.id  # a unit that is none, or missing, is noted
        assert [step.year for step in goal.milestones] == [2025]
        assert goal.target is not None
        assert goal.target.year == 2030
        assert (goal.baseline is None) == (figures[0] == "-")
        assert goal.baseline is None or goal.baseline.year == 2020
