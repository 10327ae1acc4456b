"""The chapter on causes and remedies tells what the tables of the run hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from facility_coverage.errors import ConfigError
from facility_coverage.outputs.report.causes import cause_chapters
from facility_coverage.outputs.report.model import Chapter, Table
from facility_coverage.outputs.report.services import service_chapters
from facility_coverage.outputs.report.telling import tell
from facility_coverage.outputs.runs import read_run
from finished import write_finished
from small_study import edit


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the small study in which few are in time, and fewer are served."""
    folder = tmp_path_factory.mktemp("causes")
    write_finished(folder)
    need = [{"capacity": "beds", "per_person": 0.5}]
    edit(folder / "small.yaml", lambda study: study["facilities"][0].update(cutoff_min=5, needs=need))
    from facility_coverage.running import run_study  # noqa: PLC0415

    return run_study(folder / "small.yaml", folder=folder / "again").folder


def tables(chapter: Chapter) -> list[Table]:
    return [block for block in chapter.blocks if isinstance(block, Table)]


def test_people_by_cause_add_up_to_the_people_left_out(folder: Path) -> None:
    telling = tell(read_run(folder), 0, "zh")
    (chapter,) = cause_chapters(telling)
    by_cause, largest, served = tables(chapter)
    (row,) = by_cause.rows
    total, *causes = (int(cell.text.replace(",", "")) for cell in row[2:])
    assert total <= sum(causes) <= total + len(causes)
    _, service, *_ = service_chapters(telling)
    (groups,) = tables(service)
    (of_group,) = [one for one in groups.rows[:2] if one[1].text == row[1].text]
    assert of_group[-1].text == f"{total:,}"
    assert [cell.text for cell in largest.rows[0]][3] in {"附近无设施", "绕行"}
    assert largest.rows[0][4].text.startswith("新建设施，新增 ")
    population, covered, can, residual = (int(cell.text.replace(",", "")) for cell in served.rows[0][3:])
    assert population >= covered == pytest.approx(can + residual, abs=1)


def test_a_table_of_another_version_is_refused(folder: Path) -> None:
    path = folder / "gaps.csv"
    kept = path.read_bytes()
    path.write_text("layer,gap\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="does not hold a run of this version"):
        read_run(folder)
    path.write_bytes(kept)


def test_a_run_without_gaps_has_no_such_chapter(folder: Path) -> None:
    for name in ("gaps.csv", "remedies.csv", "served.csv"):
        (folder / name).rename(folder / f"{name}.away")
    assert not list(cause_chapters(tell(read_run(folder), 0, "en")))
    for name in ("gaps.csv", "remedies.csv", "served.csv"):
        (folder / f"{name}.away").rename(folder / name)
