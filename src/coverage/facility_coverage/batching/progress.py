"""How far a batch is: bars on a terminal, plain lines elsewhere, and the table at its end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from facility_coverage.batching.outcome import Ending, Outcome
from facility_coverage.batching.pool import Reporter
from facility_coverage.batching.tasks import Task
from facility_coverage.config.text import Lang
from facility_coverage.outputs.batch_tables import word

_ORDER: tuple[Ending, ...] = ("done", "failed", "skipped", "not_run")
#: Lines of one study's faults that the terminal shows; batch.json holds them all.
SHOWN_REASONS = 20


def seconds_left(ended: Sequence[Outcome], *, total: int, workers: int) -> float | None:
    """Return how long the rest will take if it is like what was computed; None before anything was.

    Studies that were skipped say nothing about the others.

    Examples
    --------
    >>> seconds_left([Outcome("a", "done", (), 4.0), Outcome("b", "done", (), 8.0)], total=6, workers=2)
    12.0
    """
    computed = [one.seconds for one in ended if one.ending != "skipped"]
    if not computed:
        return None
    left = total - len(ended)
    return sum(computed) / len(computed) * left / max(1, min(workers, left))


def said(seconds: float | None) -> str:
    """Return a time left in words.

    Examples
    --------
    >>> said(42), said(600), said(3 * 3600 + 1), said(None)
    ('about 42 s left', 'about 10 min left', 'about 3.0 h left', '')
    """
    if seconds is None:
        return ""
    if seconds < 100:
        return f"about {seconds:.0f} s left"
    return f"about {seconds / 60:.0f} min left" if seconds < 6000 else f"about {seconds / 3600:.1f} h left"


class PlainReporter:
    """A line for each study that ends."""

    def __init__(self, total: int, workers: int, say: Callable[[str], None]) -> None:
        self._total, self._workers, self._say = total, workers, say
        self._ended: list[Outcome] = []
        self._waited = float("-inf")

    def began(self, task: Task) -> None:
        """Say nothing."""

    def stage(self, task: Task, stage: str) -> None:
        """Say nothing."""

    def ended(self, outcome: Outcome) -> None:
        """Say how a study ended, how many have, and how long the rest will take."""
        self._ended.append(outcome)
        count, left = len(self._ended), seconds_left(self._ended, total=self._total, workers=self._workers)
        more = f", {said(left)}" if left is not None and count < self._total else ""
        self._say(f"{outcome.name}: {outcome.ending} in {outcome.seconds:.1f} s ({count} of {self._total}{more})")

    def waits(self, free_mb: float, needed_mb: float) -> None:
        """Say once a minute that memory is short."""
        if time.monotonic() - self._waited > 60:
            self._waited = time.monotonic()
            self._say(f"waiting for memory: {free_mb:,.0f} MB free, {needed_mb:,.0f} MB needed for one more study")


class BarReporter:
    """A bar for the whole, and a line for each study under way."""

    def __init__(self, total: int, workers: int, progress: Progress) -> None:
        self._total, self._workers, self._progress = total, workers, progress
        self._ended: list[Outcome] = []
        self._whole = progress.add_task("", total=total, left="", count=f"0/{total}")
        self._lines: dict[str, TaskID] = {}

    def began(self, task: Task) -> None:
        """Add a line."""
        self._lines[task.name] = self._progress.add_task(task.name, total=None, left="", count="")

    def stage(self, task: Task, stage: str) -> None:
        """Show what is being done."""
        self._progress.update(self._lines[task.name], left=f"{stage} …")

    def ended(self, outcome: Outcome) -> None:
        """Take the line away and move the bar."""
        self._ended.append(outcome)
        if (line := self._lines.pop(outcome.name, None)) is not None:
            self._progress.remove_task(line)
        if outcome.ending == "failed":
            self._progress.console.print(f"{outcome.name}: failed", markup=False, highlight=False)
        left = said(seconds_left(self._ended, total=self._total, workers=self._workers))
        count = f"{len(self._ended)}/{self._total}"
        self._progress.update(self._whole, completed=len(self._ended), count=count, left=left)

    def waits(self, free_mb: float, needed_mb: float) -> None:
        """Show that memory is short."""
        self._progress.update(self._whole, left=f"waiting for memory ({free_mb:,.0f} of {needed_mb:,.0f} MB)")


@contextmanager
def reporting(stream: TextIO, say: Callable[[str], None]) -> Iterator[Callable[[int, int], Reporter]]:
    """Yield what makes the reporter that suits a stream."""
    if not stream.isatty():
        yield lambda total, workers: PlainReporter(total, workers, say)
        return
    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[count]}"),
        TimeElapsedColumn(), TextColumn("{task.fields[left]}", markup=False),
    )  # fmt: skip
    with Progress(*columns, console=Console(file=stream), transient=True) as progress:
        yield lambda total, workers: BarReporter(total, workers, progress)


def lines(outcomes: Sequence[Outcome], *, lang: Lang) -> Iterator[str]:
    """Yield the table of studies: how each ended and why, then how many did."""
    width = max((len(one.name) for one in outcomes), default=0)
    for one in sorted(outcomes, key=lambda outcome: _ORDER.index(outcome.ending)):
        shown = one.reasons[:SHOWN_REASONS]
        head = f"{one.name:<{width}}  {word(one.ending, lang)}"
        yield f"{head}  {shown[0]}" if shown else head
        yield from (f"{'':<{width}}  {reason}" for reason in shown[1:])
        if len(one.reasons) > len(shown):
            yield f"{'':<{width}}  + {len(one.reasons) - len(shown)}: batch.json"
    counted = Counter(one.ending for one in outcomes)
    yield ", ".join(
        f"{counted[ending]} {word(ending, lang)}" for ending in _ORDER if counted[ending] or ending != "not_run"
    )
