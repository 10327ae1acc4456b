"""The bracket of a whole small study, as its page describes it: files, workbook, progress, and what it leaves alone."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import yaml

from facility_coverage.analysis.limits import FARTHEST_SHIFT, longest_trip_m
from facility_coverage.config.reading import load_study
from facility_coverage.config.uncertainty import Uncertainty
from facility_coverage.errors import ConfigError
from facility_coverage.outputs.bracket_tables import FILES, bracket_sheet
from facility_coverage.running import run_study
from facility_coverage.study import compute
from small_study import edit, write_small

PAGE = (Path(__file__).parents[1] / "docs" / "bracket.md").read_text(encoding="utf-8")
GOALS = {
    "id": "plan",
    "title": "plan",
    "goals": [
        {
            "id": "near", "name": {"zh": "=近", "en": "=near"}, "measure": "population_covered", "layer": "station",
            "target": {"year": 2025, "value": 0.45}, "citation": {"document": "plan", "clause": "1"},
        },
        {
            "id": "beds", "name": "beds", "measure": "capacity_total", "layer": "station", "capacity": "beds",
            "target": {"year": 2025, "value": 30}, "citation": {"document": "plan", "clause": "2"},
        },
    ],
}  # fmt: skip


def example() -> dict[str, object]:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    return yaml.safe_load(block)


def write(folder: Path, **keys: object) -> Path:
    folder.mkdir(exist_ok=True)
    path = write_small(folder)
    edit(path, lambda study: study.update({"plan": GOALS, **keys}))
    return path


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[str]]:
    """The result with the page's example, that without, and the stages told."""
    folder, said = tmp_path_factory.mktemp("bracket"), list[str]()
    with_it, without = write(folder / "with", **example()), write(folder / "without")
    for path, tell in ((with_it, said.append), (without, lambda _: None)):
        run_study(path, folder=path.parent / "out", threads=2, progress=tell)
    return with_it.parent / "out", without.parent / "out", said


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / name, encoding="utf-8-sig", keep_default_na=False, na_values=[""])


def test_the_pages_example_is_the_defaults() -> None:
    asked = Uncertainty.model_validate(example()["uncertainty"])
    assert asked.access_m(500.0) == Uncertainty().access_m(500.0)
    assert asked.model_copy(update={"max_access_m": None}) == Uncertainty()


def test_the_studys_own_figures_are_the_same_with_it_and_without(ran: tuple[Path, Path, list[str]]) -> None:
    with_it, without, _ = ran
    for name in ("zones.csv", "verdicts.json", "verdicts.csv"):
        assert (with_it / name).read_bytes() == (without / name).read_bytes(), name
    assert not any((without / name).exists() for name in FILES)
    assert "区间" not in openpyxl.load_workbook(without / "zones.xlsx").sheetnames
    assert (with_it / "map.html").stat().st_size == pytest.approx((without / "map.html").stat().st_size, abs=200)


def test_the_central_figures_are_the_studys(ran: tuple[Path, Path, list[str]]) -> None:
    folder = ran[0]
    zones, bracket = table(folder, "zones.csv").set_index("zone_id"), table(folder, "bracket.csv")
    for row in bracket[bracket["zone_id"].notna()].itertuples():
        assert row.central == pytest.approx(zones.loc[row.zone_id, f"station_share_{row.group}"])
        assert row.lower <= row.central <= row.upper
        assert row.low <= row.high
    verdicts = table(folder, "verdicts.csv")
    goals = table(folder, "bracket_goals.csv")
    assert goals["goal_id"].tolist() == ["near"] * 3
    assert goals["level"].tolist() == ["study", "zone", "zone"]
    for row in goals.itertuples():
        here = (verdicts["goal_id"] == "near") & (verdicts["level"] == row.level)
        here &= (verdicts["place"] == row.place) | (row.level == "study")
        (place,) = verdicts[here].itertuples()
        assert (row.central, row.status) == (pytest.approx(place.value), place.status)
    assert goals["flips"].any()


def test_causes_are_told_for_each_layer_and_goal(ran: tuple[Path, Path, list[str]]) -> None:
    causes = table(ran[0], "bracket_causes.csv")
    assert causes["cause"].tolist() == ["speed", "access", "position", "population"] * 2
    assert causes["goal_id"].fillna("").tolist() == [""] * 4 + ["near"] * 4
    assert causes.groupby(causes["goal_id"].fillna(""))["moves_most"].sum().tolist() == [1, 1]
    widest = causes.loc[causes.groupby(causes["goal_id"].fillna(""))["width"].idxmax()]
    assert widest["moves_most"].all()
    goal = table(ran[0], "bracket_goals.csv")
    assert goal["cause"].iloc[0] == widest["cause"].iloc[1]


def test_the_sheet_holds_layers_goals_and_flipping_places_and_no_formula(ran: tuple[Path, Path, list[str]]) -> None:
    sheet = openpyxl.load_workbook(ran[0] / "zones.xlsx")["区间"]
    rows = list(sheet.iter_rows(values_only=True))
    goals = table(ran[0], "bracket_goals.csv")
    shown = goals[(goals["level"] == "study") | goals["flips"]]
    assert [row[0] for row in rows[1:]] == ["养老服务站", *["=近"] * len(shown)]
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert [row[4] for row in rows[2:]] == pytest.approx(shown["central"].tolist())
    assert [row[12] for row in rows[2:]] == ["是" if flips else "否" for flips in shown["flips"]]


def test_progress_counts_the_draws(ran: tuple[Path, Path, list[str]]) -> None:
    told = [stage for stage in ran[2] if stage.startswith("coverage bracket:")]
    assert told == [f"coverage bracket: {i} of 40" for i in range(1, 41)]


def test_the_same_study_gives_the_same_bytes_with_any_number_of_threads(tmp_path: Path) -> None:
    asked = {"uncertainty": {"draws": 4}}
    one, two = (write(tmp_path / name, **asked) for name in ("one", "two"))
    run_study(one, folder=tmp_path / "out", threads=1)
    first = {name: (tmp_path / "out" / name).read_bytes() for name in FILES}
    run_study(two, folder=tmp_path / "out", threads=2)  # replaces what the first has written
    assert {name: (tmp_path / "out" / name).read_bytes() for name in FILES} == first


def test_nothing_is_drawn_before_it_is_asked_for(tmp_path: Path) -> None:
    said: list[str] = []
    study = load_study(write(tmp_path, uncertainty={"draws": 2}))
    computed = compute(study, progress=said.append)
    assert not any("bracket" in stage for stage in said)
    assert computed.bracket is computed.bracket
    assert sum("bracket" in stage for stage in said) == 2
    assert computed.bracket is not None
    sheet = bracket_sheet(computed.bracket, study.config, lang="en")
    assert sheet.name == "Bracket"
    assert [column.heading for column in sheet.columns[:5]] == ["Figure", "Group", "Place", "Worst case", "Central"]
    assert compute(load_study(write(tmp_path))).bracket is None


def test_data_are_read_as_far_as_the_fastest_trip_leads(tmp_path: Path) -> None:
    plain = longest_trip_m(load_study(write(tmp_path)))
    asked = load_study(write(tmp_path, uncertainty={"speed_share": 0.25, "position_m": 30}))
    assert longest_trip_m(asked) == pytest.approx(1.25 * plain + FARTHEST_SHIFT * 30)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"max_access_m": {"low": 600, "high": 800}}, "low 600 is more than the study's own limit of 500 m"),
        ({"max_access_m": {"low": 100, "high": 400}}, "high 400 is less than the study's own limit of 500 m"),
        ({"max_access_m": {"low": 900, "high": 100}}, "low 900 is more than high 100"),
        ({"draws": 0}, "draws"),
        ({"speed_share": 0.6}, "speed_share"),
        ({"interval": 1}, "interval"),
        ({"speeds": 0.1}, "speeds"),
    ],
)  # fmt: skip
def test_faults_are_told_with_their_line(tmp_path: Path, asked: dict[str, object], said: str) -> None:
    path = write(tmp_path, uncertainty=asked)
    with pytest.raises(ConfigError) as caught:
        load_study(path)
    faults = [str(fault) for fault in caught.value.faults]
    assert any(said in fault and re.search(r"small\.yaml:\d+:", fault) for fault in faults), faults
