"""Batches end to end: broken studies, killed workers, interrupted and resumed, two in one folder."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import psutil
import pytest

from facility_coverage.batching.lock import NAME, locked
from facility_coverage.errors import StudyError
from facility_coverage.running import run_study
from many_studies import command, contents, start, write_batch, write_stations

BEDS = {"a.csv": ["10", "20", ""], "b.csv": ["1", "2", "3"]}
GOOD = [f"{number},区{number},{'ab'[number % 2]}.csv" for number in range(4)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, beds in BEDS.items():
        write_stations(tmp_path, name, beds)
    return tmp_path


def until(true: Callable[[], bool], *, seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a batch of six studies, two broken in different ways, that nothing has disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    for name, beds in BEDS.items():
        write_stations(folder, name, beds)
    write_broken(folder)
    done = command("batch", "batch.yaml", "--workers", "2", "--lang", "en", cwd=folder)
    (folder / "stdout.txt").write_text(done.stdout, encoding="utf-8")
    (folder / "stderr.txt").write_text(done.stderr, encoding="utf-8")
    (folder / "code.txt").write_text(str(done.returncode), encoding="utf-8")
    return folder


def same_inputs(folder: Path, copy: Path) -> Path:
    """Copy what a batch starts from: a GeoPackage written anew would be another file."""
    shutil.copytree(folder, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns("maps", "*.txt"))
    return copy


def write_broken(folder: Path) -> None:
    write_stations(folder, "bad.csv", ["x", "2", "3"])
    write_batch(folder, [*GOOD, "4,区4,bad.csv", "5,区5,missing.csv"])


def test_two_broken_studies_of_six_fail_alone(undisturbed: Path) -> None:
    assert (undisturbed / "code.txt").read_text() == "3"
    out = undisturbed / "maps" / "province"
    said = (undisturbed / "stdout.txt").read_text(encoding="utf-8").splitlines()
    assert said[:4] == [f"d_{number}  done" for number in range(4)]
    assert said[4].startswith("d_4  failed  bad.csv: row 1, column 'beds': 'x' is not a number")
    assert "the file 'missing.csv' does not exist" in said[5]
    assert said[5].startswith("d_5  failed  template.yaml:")
    assert said[6:] == ["4 done, 2 failed, 0 skipped", "maps/province/index.html"]
    assert sorted(path.name for path in out.iterdir()) == [
        "batch.json", "d_0", "d_1", "d_2", "d_3", "index.html", "verdicts.parquet", "verdicts.xlsx",
    ]  # fmt: skip
    progress = (undisturbed / "stderr.txt").read_text(encoding="utf-8").splitlines()
    assert sum("of 6" in line for line in progress) == 6
    assert sum(" left)" in line for line in progress) == 5


def test_the_index_tells_what_each_study_says(undisturbed: Path) -> None:
    out = undisturbed / "maps" / "province"
    table = pd.read_parquet(out / "verdicts.parquet")
    whole = table[table["level"] == "study"]
    # 10 + 20 + unknown, and 1 + 2 + 3 beds, against a target of 25 for 2030.
    assert whole[["study", "value", "status"]].to_numpy().tolist() == [
        ["d_0", 30.0, "met"], ["d_1", 6.0, "behind"], ["d_2", 30.0, "met"], ["d_3", 6.0, "behind"],
    ]  # fmt: skip
    for name, rows in table.groupby("study"):
        own = pd.read_csv(out / str(name) / "verdicts.csv", encoding="utf-8-sig", dtype={"place_id": str})
        assert rows["value"].tolist() == pytest.approx(own["value"].tolist(), nan_ok=True)
        assert rows["place_id"].fillna("").tolist() == own["place_id"].fillna("").tolist()
        passport = json.loads((out / str(name) / "run.json").read_text(encoding="utf-8"))
        assert set(rows["run"]) == {passport["identity"]}
    book = openpyxl.load_workbook(out / "verdicts.xlsx")
    studies = list(book["Studies"].iter_rows(values_only=True))
    assert [row[0] for row in studies[1:]] == [f"d_{number}" for number in range(6)]
    assert [row[3] for row in studies[1:]] == ["done"] * 4 + ["failed"] * 2
    assert [row[4:7] for row in studies[1:3]] == [(1, 0, 0), (0, 0, 1)]
    assert [row[5] for row in book["Verdicts"].iter_rows(values_only=True)][1:] == [30, 6, 30, 6]
    page = (out / "index.html").read_text(encoding="utf-8")
    assert all(f'href="d_{number}/map.html"' in page for number in range(4))
    assert 'href="d_4' not in page
    assert "is not a number" in page


def test_a_study_of_a_batch_is_what_run_writes(undisturbed: Path, tmp_path: Path) -> None:
    text = (undisturbed / "template.yaml").read_text(encoding="utf-8")
    alone = undisturbed / "alone.yaml"
    alone.write_text(text.replace("{adcode}", "1").replace("{name}", "区1").replace("{stations}", "b.csv"), "utf-8")
    run_study(alone, folder=tmp_path / "d_1", lang="en")
    alone.unlink()
    assert contents(tmp_path / "d_1") == contents(undisturbed / "maps" / "province" / "d_1")


def test_a_killed_worker_fails_its_study_alone_and_resume_makes_up_for_it(undisturbed: Path, tmp_path: Path) -> None:
    folder = same_inputs(undisturbed, tmp_path)
    batch = start("batch", "batch.yaml", "--workers", "2", "--lang", "en", cwd=folder)
    out = folder / "maps" / "province"
    # The victim is at work: it has made the folder that it writes to.
    until(lambda: out.is_dir() and any(out.glob(".d_*")))
    victims = [child for child in psutil.Process(batch.pid).children() if "spawn_main" in " ".join(child.cmdline())]
    victims[0].send_signal(signal.SIGKILL)
    said, _ = batch.communicate(timeout=300)
    assert batch.returncode == 3
    killed = [line for line in said.splitlines() if "its process was killed (SIGKILL)" in line]
    assert len(killed) == 1
    assert "3 done, 3 failed, 0 skipped" in said
    again = command("batch", "batch.yaml", "--workers", "2", "--lang", "en", "--resume", cwd=folder)
    assert "1 done, 2 failed, 3 skipped" in again.stdout
    assert contents(out) == contents(undisturbed / "maps" / "province")


def test_a_killed_batch_leaves_nothing_that_resume_does_not_put_right(undisturbed: Path, tmp_path: Path) -> None:
    folder = same_inputs(undisturbed, tmp_path)
    out = folder / "maps" / "province"
    batch = start("batch", "batch.yaml", "--workers", "2", "--lang", "en", cwd=folder)
    until(lambda: out.is_dir() and any(out.glob(".d_*")))
    workers = psutil.Process(batch.pid).children()
    batch.send_signal(signal.SIGKILL)
    batch.communicate()
    until(lambda: not any(worker.is_running() and worker.status() != "zombie" for worker in workers), seconds=20)
    assert any(out.glob(".d_*"))
    assert (out / NAME).exists()
    (out / ".d_0-x7f3k2a1-old").mkdir()
    (out / ".mine-x7f3k2a1").mkdir()
    again = command("batch", "batch.yaml", "--workers", "2", "--lang", "en", "--resume", cwd=folder)
    assert again.returncode == 3, again.stderr
    assert [path.name for path in out.glob(".*")] == [".mine-x7f3k2a1"]
    assert contents(out) == contents(undisturbed / "maps" / "province")


def test_an_interrupted_batch_ends_its_workers_and_tells_what_is_done(folder: Path) -> None:
    write_batch(folder, GOOD)
    out = folder / "maps" / "province"
    batch = start("batch", "batch.yaml", "--workers", "1", "--lang", "en", cwd=folder)
    until(lambda: any(out.glob(".d_1-*")))
    time.sleep(0.2)  # so that the batch has heard of the first
    workers = psutil.Process(batch.pid).children()
    batch.send_signal(signal.SIGINT)
    said, progress = batch.communicate(timeout=60)
    assert batch.returncode == 130
    assert "Traceback" not in progress
    until(lambda: not any(worker.is_running() for worker in workers), seconds=20)
    told = {row["study"]: row["ending"] for row in json.loads((out / "batch.json").read_text("utf-8"))["studies"]}
    assert told["d_3"] == "not_run"
    assert "d_0  done" in said
    assert not list(out.glob(".*"))
    assert set(pd.read_parquet(out / "verdicts.parquet")["study"]) == {n for n, end in told.items() if end == "done"}


def test_resume_does_anew_what_changed_and_nothing_else(folder: Path) -> None:
    write_batch(folder, GOOD[:3])
    arguments = ("batch", "batch.yaml", "--workers", "1", "--lang", "en", "--resume")
    assert "3 done, 0 failed, 0 skipped" in command(*arguments, cwd=folder).stdout
    out = folder / "maps" / "province"
    first = {path: path.stat().st_mtime_ns for path in out.glob("*/run.json")}
    before = contents(out)
    same = command(*arguments, cwd=folder)
    assert (same.returncode, "0 done, 0 failed, 3 skipped" in same.stdout) == (0, True)
    assert {path: path.stat().st_mtime_ns for path in first} == first
    assert contents(out) == before
    # The file of one study changes, and a title in the table; one result loses a file.
    write_stations(folder, "b.csv", ["100", "2", "3"])
    table = (folder / "districts.csv").read_text("utf-8").replace("区0", "新区0")
    (folder / "districts.csv").write_text(table, encoding="utf-8")
    changed = command(*arguments, cwd=folder).stdout
    assert "2 done, 0 failed, 1 skipped" in changed
    assert "d_2  skipped" in changed
    values = pd.read_parquet(out / "verdicts.parquet").query("level == 'study'").set_index("study")["value"]
    assert values.to_dict() == {"d_0": 30.0, "d_1": 105.0, "d_2": 30.0}
    (out / "d_2" / "verdicts.json").unlink()
    assert "d_2  done" in command(*arguments, cwd=folder).stdout
    other = command(*arguments[:-2], "zh", "--resume", cwd=folder).stdout
    assert "3 完成, 0 失败, 0 跳过" in other  # the language is part of what is written


def test_an_old_result_of_a_study_that_fails_now_is_kept_but_not_told(folder: Path) -> None:
    write_batch(folder, GOOD[:2])
    command("batch", "batch.yaml", cwd=folder)
    out = folder / "maps" / "province"
    kept = contents(out / "d_1")
    write_stations(folder, "b.csv", ["x", "2", "3"])
    done = command("batch", "batch.yaml", "--resume", cwd=folder)
    assert done.returncode == 3
    assert contents(out / "d_1") == kept
    assert set(pd.read_parquet(out / "verdicts.parquet")["study"]) == {"d_0"}


def test_two_batches_in_one_folder_get_a_clear_message(folder: Path) -> None:
    write_batch(folder, GOOD[:1])
    (folder / "out").mkdir()
    with locked(folder / "out", shown="out"):
        refused = command("batch", "batch.yaml", "-o", "out", cwd=folder)
    assert refused.returncode == 2
    assert refused.stderr.splitlines() == [
        f"out: another batch writes there (process {os.getpid()}); wait until it is done, or name another folder; "
        f"if it is no longer running, delete {NAME} there",
        "1 fault; nothing was written",
    ]
    assert [path.name for path in (folder / "out").iterdir()] == []


@pytest.mark.parametrize(
    ("lock", "free"),
    [
        ({"pid": 2**22 + 1, "host": platform.node(), "started": "1"}, True),
        ({"pid": os.getpid(), "host": platform.node(), "started": "1"}, True),  # the number is another's now
        ({"pid": 1, "host": "elsewhere", "started": "1"}, False),
        ("half a lo", True),
    ],
)
def test_the_lock_of_a_dead_batch_is_taken_over(tmp_path: Path, lock: object, free: bool) -> None:
    path = tmp_path / NAME
    path.write_text(lock if isinstance(lock, str) else json.dumps(lock), encoding="utf-8")
    if free:
        with locked(tmp_path, shown="out"):
            assert json.loads(path.read_text("utf-8"))["pid"] == os.getpid()
            with pytest.raises(StudyError, match="another batch"), locked(tmp_path, shown="out"):
                pass
        assert not list(tmp_path.iterdir())
    else:
        with pytest.raises(StudyError, match="on elsewhere"), locked(tmp_path, shown="out"):
            pass
        assert path.exists()


def test_only_one_of_many_takes_over_a_dead_lock(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(json.dumps({"pid": 2**22 + 1, "host": platform.node(), "started": "1"}), "utf-8")
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom facility_coverage.batching.lock import locked\n"
        "from facility_coverage.errors import StudyError\n"
        "sys.stdin.readline()\n"
        "try:\n    with locked(Path('.'), shown='out'):\n        print('held'); time.sleep(2)\n"
        "except StudyError:\n    print('refused')\n"
    )
    many = [
        subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path,  # noqa: S603
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(5)
    ]  # fmt: skip
    time.sleep(3)
    for one in many:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    said = sorted(one.communicate()[0].strip() for one in many)
    assert said == ["held", *["refused"] * 4]


def test_files_of_others_are_never_replaced(folder: Path) -> None:
    write_batch(folder, GOOD[:1])
    (folder / "out").mkdir()
    (folder / "out" / "index.html").write_text("mine", encoding="utf-8")
    done = command("batch", "batch.yaml", "-o", "out", cwd=folder)
    assert done.returncode == 2
    assert "holds files that no batch has written (index.html)" in done.stderr
    assert (folder / "out" / "index.html").read_text(encoding="utf-8") == "mine"


def test_an_input_that_changes_while_its_study_runs_is_refused(folder: Path) -> None:
    write_batch(folder, GOOD[:1])
    text = (folder / "template.yaml").read_text(encoding="utf-8")
    study = folder / "study.yaml"
    study.write_text(text.replace("{adcode}", "0").replace("{name}", "区").replace("{stations}", "a.csv"), "utf-8")

    def disturb(stage: str) -> None:
        if stage == "travel times":
            write_stations(folder, "a.csv", ["1", "1", "1"])

    with pytest.raises(StudyError, match=r"a\.csv: changed while the study ran"):
        run_study(study, folder=folder / "out", progress=disturb)
    assert not (folder / "out").exists()
