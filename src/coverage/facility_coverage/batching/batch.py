"""A batch from its YAML to the folders of its studies and their index: wiring only."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from facility_coverage.batching.folder import make_folder, remove_leftovers, write_index
from facility_coverage.batching.job import StudyJob
from facility_coverage.batching.lock import locked
from facility_coverage.batching.outcome import Outcome
from facility_coverage.batching.pool import Limits, Reporter, run_tasks
from facility_coverage.batching.tasks import list_tasks
from facility_coverage.config.batch import BatchConfig, LoadedBatch, load_batch
from facility_coverage.config.text import Lang
from facility_coverage.errors import Fault, StudyError


@dataclass(frozen=True)
class Asked:
    """What the command line says over the batch's file; None and nothing where it says nothing."""

    folder: Path | None = None
    workers: int | None = None
    memory_mb: float | None = None
    lang: Lang | None = None
    resume: bool = False
    allow_outside: bool = False


@dataclass(frozen=True)
class BatchResult:
    """How a batch ended: its studies in their order, and whether it was stopped before its end."""

    folder: Path
    lang: Lang
    outcomes: tuple[Outcome, ...]
    stopped: bool = False


def run_batch(path: Path, *, asked: Asked, reporter: Callable[[int, int], Reporter]) -> BatchResult:
    """Run every study of a batch and write the index of their results.

    Parameters
    ----------
    path
        The batch's YAML file.
    asked
        What the command line says.
    reporter
        Makes who is told how far the batch is, from the numbers of studies and of workers.

    Raises
    ------
    StudyError
        With every fault of the batch's file, template and table, or when another batch writes into its folder. Faults
        of single studies are told in their outcomes.
    """
    batch = load_batch(path)
    tasks = list_tasks(batch)
    limits = _limits(batch, asked)
    folder = asked.folder or _folder(batch.config, path)
    threads = max(1, (os.cpu_count() or 1) // limits.workers)
    job = StudyJob(folder.resolve(), asked.lang, threads, asked.resume, asked.allow_outside)
    names, lang = [task.name for task in tasks], asked.lang or batch.config.lang
    make_folder(folder)
    outcomes: dict[str, Outcome] = {}
    stopped = False
    with locked(folder, shown=str(folder)):
        remove_leftovers(folder, set(names))
        running = run_tasks(tasks, job, limits=limits, reporter=reporter(len(tasks), limits.workers))
        try:
            for outcome in running:
                outcomes[outcome.name] = outcome
                if outcome.ending == "failed":
                    remove_leftovers(folder, {outcome.name})
        except KeyboardInterrupt:
            stopped = True
        finally:
            running.close()
            remove_leftovers(folder, set(names) - set(outcomes))
        write_index(folder, batch.config.id, names, outcomes, lang=lang)
    endings = tuple(outcomes.get(name, Outcome(name, "not_run")) for name in names)
    return BatchResult(folder, lang, endings, stopped)


def _folder(config: BatchConfig, path: Path) -> Path:
    return path.parent / config.outputs if config.outputs else Path("maps") / config.id


def _limits(batch: LoadedBatch, asked: Asked) -> Limits:
    config = batch.config
    memory_mb = config.memory_mb if asked.memory_mb is None else asked.memory_mb
    whole = psutil.virtual_memory().total / 1e6
    if memory_mb >= whole:
        message = f"this machine has {whole:,.0f} MB of memory: {memory_mb:,.0f} MB would never be free"
        advice = "give what the largest study takes; see peak_memory_mb in its run.json"
        fault = batch.document.fault(("memory_mb",), message, advice=advice)
        raise StudyError([fault if asked.memory_mb is None else Fault("--memory-mb", message, advice=advice)])
    return Limits(asked.workers or config.workers or os.cpu_count() or 1, memory_mb)
