"""The result folder is replaced whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from facility_coverage.errors import StudyError
from facility_coverage.outputs.folder import MARK, check_replaceable, replaced


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_result_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    for text in ("first", "second"):
        with replaced(out) as new:
            (new / MARK).write_text(text, encoding="utf-8")
            (new / ("zones.csv" if text == "first" else "map.html")).touch()
    assert names(out) == sorted([MARK, "map.html"])
    assert (out / MARK).read_text(encoding="utf-8") == "second"
    assert names(out.parent) == ["out"]


def test_an_error_leaves_the_old_result_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with replaced(out) as new:
        (new / MARK).write_text("old", encoding="utf-8")

    def fail_halfway() -> None:
        with replaced(out) as half:
            (half / MARK).write_text("half", encoding="utf-8")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    assert (out / MARK).read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["out"]


def test_an_empty_folder_may_be_used_and_a_file_may_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with replaced(tmp_path / "empty") as new:
        (new / MARK).touch()
    assert names(tmp_path / "empty") == [MARK]
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(StudyError, match="is a file"), replaced(tmp_path / "file"):
        pass


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").touch()
    with pytest.raises(StudyError, match="no run has written"), replaced(tmp_path / "mine"):
        pass
    assert names(tmp_path / "mine") == ["notes.txt"]


def test_a_note_laid_beside_a_result_is_not_swept_away(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with replaced(out) as new:
        (new / MARK).touch()
    (out / "notes.docx").touch()
    with pytest.raises(StudyError, match=r"notes\.docx"), replaced(out):
        pass
    assert names(out) == sorted([MARK, "notes.docx"])


def test_the_old_result_comes_back_when_the_move_fails(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with replaced(out) as new:
        (new / MARK).write_text("old", encoding="utf-8")

    def lose_the_new_one() -> None:
        with replaced(out) as new:
            new.rmdir()

    with pytest.raises(FileNotFoundError):
        lose_the_new_one()
    assert (out / MARK).read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["out"]


def test_a_place_that_cannot_be_written_is_refused_before_work_begins(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StudyError, match="cannot be made"):
        check_replaceable(tmp_path / "file" / "out")
    with pytest.raises(StudyError, match="holds files that no run has written"):
        check_replaceable(Path.cwd())


def test_time_surfaces_are_a_run_s_own_only_where_it_names_them(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "time_clinic.tif").touch()
    (folder / "run.json").write_text('{"time_surfaces": ["time_clinic.tif"]}', encoding="utf-8")
    check_replaceable(folder)
    (folder / "time_mine.tif").touch()
    with pytest.raises(StudyError, match=r"no run has written \(time_mine.tif\)"):
        check_replaceable(folder)
    for text in ("no JSON", "[]", '{"time_surfaces": 3}'):
        (folder / "run.json").write_text(text, encoding="utf-8")
        with pytest.raises(StudyError, match=r"time_clinic\.tif"):
            check_replaceable(folder)
