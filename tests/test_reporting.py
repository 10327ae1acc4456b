"""report and embed on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from facility_coverage.cli import app
from facility_coverage.errors import StudyError
from facility_coverage.outputs.report.telling import left_out, tell
from facility_coverage.outputs.runs import read_run
from facility_coverage.reporting import write_report
from finished import write_finished

pytestmark = pytest.mark.usefixtures("chinese_font")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("runs")
    return write_finished(folder / "one"), write_finished(folder / "two", evil="二")


def test_one_run_becomes_a_page_and_a_document(runs: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "deep" / "report.html"
    done = CliRunner().invoke(app, ["report", str(runs[0]), "-o", str(out), "--docx", "--lang", "en"])
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [str(out), str(out.with_suffix(".docx"))]
    text = out.read_text(encoding="utf-8")
    assert "<h1>Small</h1>" in text
    assert "Verdicts on all goals" in text
    assert "规划目标判定总表" not in text


def test_several_runs_stand_beside_each_other_and_then_by_themselves(runs: tuple[Path, Path], tmp_path: Path) -> None:
    (page,) = write_report(runs, tmp_path / "report.html")
    text = page.read_text(encoding="utf-8")
    assert "小样等 2 个区域公共服务评估" in text
    for chapter in ("overview", "r0-part", "r0-summary", "r0-goal-0", "r1-part", "r1-goal-0", "r1-town-1"):
        assert f'id="{chapter}"' in text
    assert text.count('data-name="core"') == 2
    assert text.count('id="report-frame"') == 1


def test_people_left_out_are_as_many_as_the_goal_lacks(runs: tuple[Path, Path]) -> None:
    told = tell(read_run(runs[0]), 0, "zh")
    (goal,) = [one for one in told.run.verdicts if one.goal_id == "reach"]
    assert goal.shortfall == left_out(told.scene["summary"]["study"]["station"]["old"]) != 0
    for town in goal.zones:
        assert town.shortfall == left_out(told.scene["figures"][town.id]["station"]["old"])


def test_maps_of_goals_and_layers_are_written(runs: tuple[Path, Path], tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["embed", str(runs[0]), "station", "beds", "-o", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map-embed-beds.html", "map-embed-station.html"]


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="no such file; name the folder of a finished run"):
        write_report([tmp_path], tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []
