"""Work for workers that is done in no time, or ends them; spawned processes import it from here."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from facility_coverage.batching.outcome import Outcome
from facility_coverage.batching.tasks import Task


def quick(task: Task, progress: Callable[[str], None]) -> Outcome:
    """Tell which process it was; a task may ask for its end, or for some time."""
    progress("at work")
    if task.name.startswith("kill"):
        os.kill(os.getpid(), signal.SIGKILL)
    if task.name.startswith("leave"):
        os._exit(7)
    if task.name.startswith("slow"):
        time.sleep(0.3)
    return Outcome(task.name, "done", (str(os.getpid()),))


@dataclass
class Recorder:
    """Notes what a pool reports; knows how many tasks were under way at most."""

    under_way: set[str] = field(default_factory=set)
    most: int = 0
    stages: list[str] = field(default_factory=list)
    waited: list[tuple[float, float]] = field(default_factory=list)

    def began(self, task: Task) -> None:
        self.under_way.add(task.name)
        self.most = max(self.most, len(self.under_way))

    def stage(self, task: Task, stage: str) -> None:
        self.stages.append(f"{task.name}: {stage}")

    def ended(self, outcome: Outcome) -> None:
        self.under_way.remove(outcome.name)

    def waits(self, free_mb: float, needed_mb: float) -> None:
        self.waited.append((free_mb, needed_mb))
