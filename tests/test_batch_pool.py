"""The workers of a batch: every study ends exactly once, whatever happens to workers, and memory is guarded."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from batch_jobs import Recorder, quick
from facility_coverage.batching import pool
from facility_coverage.batching.outcome import Outcome
from facility_coverage.batching.pool import Limits, run_tasks
from facility_coverage.batching.tasks import Task


def run(*names: str, workers: int = 2, memory_mb: float = 0.0) -> tuple[list[Outcome], Recorder]:
    recorder = Recorder()
    tasks = [Task(name, Path("-")) for name in names]
    outcomes = list(run_tasks(tasks, quick, limits=Limits(workers, memory_mb), reporter=recorder))
    assert not recorder.under_way
    assert not multiprocessing.active_children()
    return outcomes, recorder


def test_every_task_ends_once_and_workers_are_used_again() -> None:
    names = [f"t{number}" for number in range(40)]
    outcomes, recorder = run(*names)
    assert sorted(one.name for one in outcomes) == sorted(names)
    assert len({one.reasons for one in outcomes}) == 2
    assert recorder.most == 2
    assert sorted(recorder.stages) == sorted(f"{name}: at work" for name in names)


def test_workers_that_die_fail_their_own_task_and_are_replaced() -> None:
    outcomes, _ = run("a", "kill1", "b", "leave1", "kill2", "kill3", "leave2", "c", "d")
    ended = {one.name: one for one in outcomes}
    assert len(outcomes) == 9
    assert {name for name, one in ended.items() if one.ending == "done"} == {"a", "b", "c", "d"}
    assert all("was killed (SIGKILL)" in ended[name].reasons[0] for name in ("kill1", "kill2", "kill3"))
    assert all("ended by itself (code 7)" in ended[name].reasons[0] for name in ("leave1", "leave2"))


def test_nothing_is_started_while_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([50.0] * 3)
    monkeypatch.setattr(pool, "_TICK_S", 0.01)
    monkeypatch.setattr(pool, "free_mb", lambda: next(answers, 1e9))
    outcomes, recorder = run("a", "b", memory_mb=100)
    assert [one.ending for one in outcomes] == ["done", "done"]
    assert recorder.waited == [(50.0, 100.0)] * 3


def test_what_a_study_under_way_may_still_take_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    # A worker holds some 100 MB: of 100,000 it may still take 99,900, so a second needs nearly 200,000.
    monkeypatch.setattr(pool, "free_mb", lambda: 150_000.0)
    _, alone = run("slow1", "slow2", "slow3", memory_mb=100_000)
    assert alone.most == 1
    assert all(199_000 < needed < 200_000 for _, needed in alone.waited)
    monkeypatch.setattr(pool, "free_mb", lambda: 201_000.0)
    _, both = run("slow1", "slow2", "slow3", memory_mb=100_000)
    assert both.most == 2


@pytest.mark.parametrize(("name", "value"), [("STUDIES_PER_WORKER", 1), ("GROWN_MB", 1.0)])
def test_workers_that_served_long_or_have_grown_make_way(
    monkeypatch: pytest.MonkeyPatch, name: str, value: float
) -> None:
    monkeypatch.setattr(pool, name, value)
    outcomes, _ = run("a", "b", "c", workers=1)
    assert len({one.reasons for one in outcomes}) == 3


def test_closing_ends_what_is_under_way() -> None:
    recorder = Recorder()
    tasks = [Task(name, Path("-")) for name in ("a", "slow1", "slow2")]
    running = run_tasks(tasks, quick, limits=Limits(2, 0.0), reporter=recorder)
    assert next(running).ending == "done"
    running.close()
    assert not multiprocessing.active_children()
