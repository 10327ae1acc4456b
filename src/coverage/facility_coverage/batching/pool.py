"""The workers: processes that compute one study after the other, each behind a pipe of its own.

A worker that dies takes nothing along but its study: no queue and no lock is shared (docs/decisions/0036-batches.md).
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Protocol

import psutil

from facility_coverage.batching.outcome import Outcome
from facility_coverage.batching.tasks import Task

Job = Callable[[Task, Callable[[str], None]], Outcome]

#: After so many studies, or when it has kept so much memory, a worker makes way for a new one.
STUDIES_PER_WORKER = 50
GROWN_MB = 1_500
_TICK_S = 1.0
_PATIENCE_S = 5.0
_MB = 1e6


class Reporter(Protocol):
    """Who is told how far the batch is."""

    def began(self, task: Task) -> None:
        """Say that a study is under way."""

    def stage(self, task: Task, stage: str) -> None:
        """Say what is being done for it."""

    def ended(self, outcome: Outcome) -> None:
        """Say how it ended."""

    def waits(self, free_mb: float, needed_mb: float) -> None:
        """Say that studies wait for memory."""


@dataclass(frozen=True)
class Limits:
    """How many studies may be under way, and how much memory must be free before one more is."""

    workers: int
    memory_mb: float


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    task: Task | None = None
    begin: float = 0.0
    studies: int = 0
    resident_mb: float = 0.0
    ended: bool = field(default=False)


def run_tasks(tasks: Sequence[Task], job: Job, *, limits: Limits, reporter: Reporter) -> Generator[Outcome, None, None]:
    """Yield how each study ended, in the order in which they do.

    Parameters
    ----------
    tasks
        The studies.
    job
        Computes one; it is sent to the workers, and must be importable there.
    limits
        Studies at once, and memory to be left free.
    reporter
        Told of everything that happens.

    Notes
    -----
    Closing the generator ends every worker.
    """
    waiting, workers = deque(tasks), list[_Worker]()
    try:
        while waiting or any(worker.task for worker in workers):
            _assign(waiting, workers, job, limits, reporter)
            if not workers:  # memory is short
                time.sleep(_TICK_S)
                continue
            ends = [(worker.pipe, worker.process.sentinel) for worker in workers]
            ready = set(wait([end for both in ends for end in both], timeout=_TICK_S))
            for worker in [one for one, both in zip(workers, ends, strict=True) if ready & set(both)]:
                outcome = _heard(worker, reporter)
                if outcome is not None:
                    reporter.ended(outcome)
                    yield outcome
            workers[:] = [worker for worker in workers if not _left(worker)]
    finally:
        _end(workers)


def free_mb() -> float:
    """Return the memory that programs can still get, in MB."""
    return float(psutil.virtual_memory().available) / _MB


def _assign(waiting: deque[Task], workers: list[_Worker], job: Job, limits: Limits, reporter: Reporter) -> None:
    """Give studies to idle workers, and to new ones, while there is memory."""
    while waiting and sum(worker.task is not None for worker in workers) < limits.workers:
        busy = [worker for worker in workers if worker.task]
        idle = [worker for worker in workers if not worker.task]
        # What those under way may still take is not free, though nobody has it yet.
        needed = limits.memory_mb + sum(max(0.0, limits.memory_mb - _resident_mb(worker)) for worker in busy)
        free = free_mb() + sum(_resident_mb(worker) for worker in idle[:1])
        if free < needed:
            for worker in idle:  # what they keep may be what is missing
                _dismiss(worker)
                workers.remove(worker)
            reporter.waits(free, needed)
            return
        worker = idle[0] if idle else _hire(job)
        if not idle:
            workers.append(worker)
        try:
            worker.pipe.send(waiting[0])
        except (BrokenPipeError, ConnectionError):  # it died idle; the next takes its place
            _dismiss(worker)
            workers.remove(worker)
            continue
        worker.task, worker.begin = waiting.popleft(), time.monotonic()
        reporter.began(worker.task)


def _heard(worker: _Worker, reporter: Reporter) -> Outcome | None:
    """Take what a worker says; return how its study ended, if it did."""
    try:
        while worker.pipe.poll():
            said = worker.pipe.recv()
            if isinstance(said, Outcome):
                worker.task, worker.studies = None, worker.studies + 1
                worker.resident_mb = _resident_mb(worker)
                return said
            if worker.task is not None:
                reporter.stage(worker.task, str(said))
    except (EOFError, OSError):
        pass
    else:
        if worker.process.is_alive():
            return None
    worker.process.join(_PATIENCE_S)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()
    worker.ended, task, worker.task = True, worker.task, None
    if task is None:
        return None
    return Outcome(task.name, "failed", (_death(worker.process.exitcode),), time.monotonic() - worker.begin)


def _death(code: int | None) -> str:
    """Return why a worker is no more, in words of its user."""
    if code is not None and code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = str(-code)
        if name == "SIGKILL":
            return (
                "its process was killed (SIGKILL), as the system does when memory runs out; use fewer workers, raise "
                "memory_mb, and run the batch again with --resume"
            )
        return f"its process was ended by the signal {name}; run the batch again with --resume"
    return f"its process ended by itself (code {code}); run the study alone to see why"


def _left(worker: _Worker) -> bool:
    """Whether a worker is gone; one that has grown or has served long enough is sent away."""
    if worker.task is None and (worker.studies >= STUDIES_PER_WORKER or worker.resident_mb > GROWN_MB):
        _dismiss(worker)
        return True
    if worker.ended:
        worker.pipe.close()
    return worker.ended


def _resident_mb(worker: _Worker) -> float:
    try:
        return float(psutil.Process(worker.process.pid).memory_info().rss) / _MB
    except psutil.Error:
        return 0.0


def _hire(job: Job) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, job), name="facility-coverage worker", daemon=True)
    with _interrupts_held():  # inherited: Ctrl-C is for the batch, which ends its workers itself
        process.start()
    theirs.close()
    return _Worker(process, ours)


def _dismiss(worker: _Worker) -> None:
    """Let an idle worker go, and wait until its memory is given back."""
    worker.pipe.close()
    worker.process.join(_PATIENCE_S)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()


def _end(workers: Sequence[_Worker]) -> None:
    """End all workers, whatever they are doing."""
    for worker in workers:
        worker.process.terminate()
    for worker in workers:
        worker.process.join(_PATIENCE_S)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        worker.pipe.close()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back meanwhile, and hear it afterwards; where it cannot be held back, do not hear it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    if hasattr(signal, "pthread_sigmask"):  # not on Windows
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _serve(pipe: Connection, job: Job) -> None:
    """Compute what the pipe asks for until it is closed; this runs in the worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_die_with, args=(parent.sentinel,), daemon=True).start()
    with suppress(EOFError, OSError):
        while True:
            task = pipe.recv()
            pipe.send(job(task, pipe.send))


def _die_with(sentinel: int) -> None:
    """End at once when the batch is gone: nobody would read the result, and its folder may be another's by then."""
    wait([sentinel])
    os._exit(1)
