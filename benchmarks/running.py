"""Tools in their processes, and the same work done by all of them by turns."""

from __future__ import annotations

import importlib.util
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Cost, Query, ToolError, Worker
from table import Row

#: A run that takes longer is not repeated; one that takes less, more often.
LONG_S, SHORT_S = 20.0, 1.0
#: A tool that takes longer to build is measured with one thread only.
LONG_BUILD_S = 10.0
#: A build that takes longer is stopped, and the tool with it; so is anything else after its own time.
BUILD_PATIENCE_S, PATIENCE_S = 45.0, 240.0


def say(message: str) -> None:
    """Say how far the work is, beside the table."""
    print(f"{time.strftime('%H:%M:%S')} {message}", file=sys.stderr, flush=True)


@dataclass
class Seat:
    """A tool in a process of its own.

    Attributes
    ----------
    tool, threads
        Its class, and how many threads it may use.
    worker
        The process; None where it could not be started.
    built
        What building cost, where it builds anything.
    remark
        Why it cannot be asked (any longer).
    """

    tool: Any
    threads: int
    worker: Worker | None = None
    built: Cost | None = None
    remark: str = ""
    _ready: Query | None = None

    @property
    def able(self) -> bool:
        """Whether it can be asked."""
        return self.worker is not None and self.worker.alive

    def ask(self, kind: str, argument: Any = None) -> Any:
        """Ask the process."""
        if self.worker is None or not self.worker.alive:
            raise ToolError(self.remark)
        try:
            patience_s = BUILD_PATIENCE_S if kind == "build" else PATIENCE_S
            return self.worker.ask(kind, argument, timeout_s=patience_s)
        except ToolError as error:
            self.remark = f"{kind}: {error}"
            raise ToolError(self.remark) from None

    def prepare(self, query: Query) -> float:
        """Make a query ready; return how many times what it does is the whole."""
        self._ready = None
        times: float = self.ask("prepare", query)
        self._ready = query
        return times

    def run(self, query: Query) -> Cost:
        """Run a query that was made ready, or make it ready again."""
        if self._ready is not query:
            self.prepare(query)
        cost: Cost = self.ask("run")
        return cost

    def begin(self) -> None:
        """Open the tool and let it build what it searches."""
        self.ask("open")
        if hasattr(self.tool, "build"):
            self.built = self.ask("build")


@contextmanager
def seats(tools: Sequence[Any], folder: Path, *, peers_threads: int = 2) -> Iterator[list[Seat]]:
    """Start every tool on the network in a folder, a process for each number of threads, and end them all.

    The first tool is ours; the others are given `peers_threads` threads at most.
    """
    with ExitStack() as stack:
        started = []
        for tool in tools:
            why_not = "" if importlib.util.find_spec(tool.package) else "not installed"
            for threads in tool.threads if tool is tools[0] else [n for n in tool.threads if n <= peers_threads]:
                seat = Seat(tool, threads, remark=why_not)
                if not why_not:
                    seat.worker = Worker(tool, folder, threads)
                    stack.callback(seat.worker.close)
                    why_not = _begin(seat)
                if threads == 1 or seat.able:
                    started.append(seat)
        yield started


def _begin(seat: Seat) -> str:
    """Start a tool; return why there is to be no second one with more threads, or nothing."""
    why_not = ""
    try:
        seat.begin()
    except ToolError as error:
        why_not = str(error)
        seat.worker.close()  # type: ignore[union-attr]  # it was started
    if seat.built is not None and seat.built.seconds > LONG_BUILD_S:
        why_not = "slow to build"
    built = "" if seat.built is None else f"built in {seat.built.seconds:.2f} s"
    say(f"  {seat.tool.label}, {seat.threads} thread(s): {built}{seat.remark or ''}")
    return why_not


@dataclass
class Entry:
    """One tool's part in a work.

    Attributes
    ----------
    seat, query
        Who is asked what.
    label
        What the table calls it.
    remark
        What the table says of it.
    part, times
        How many times what it is asked is the whole work, and how many times what it does is what it is asked.
    once
        Whether one run must do.
    costs
        What its runs cost.
    answer
        Where its answer stands, where there is one to compare.
    """

    seat: Seat
    query: Query
    label: str = ""
    remark: str = ""
    part: float = 1.0
    times: float = 1.0
    once: bool = False
    costs: list[Cost] = field(default_factory=list)
    answer: Path | None = None

    def __post_init__(self) -> None:
        """Call it as its tool is called, where nothing else is said."""
        self.label = self.label or self.seat.tool.label

    @property
    def name(self) -> str:
        """Tool and threads."""
        return f"{self.label}/{self.seat.threads}"

    @property
    def seconds(self) -> float:
        """The median of the runs, multiplied up to the whole work; NaN without any."""
        return self._factor * statistics.median(cost.seconds for cost in self.costs) if self.costs else np.nan

    @property
    def _factor(self) -> float:
        return self.part * self.times

    def row(self, graph: str, work: str) -> Row:
        """Return its line of the table."""
        peak = max((float(cost.peak_bytes) for cost in self.costs), default=np.nan)
        part = f"scaled × {self._factor:.4g} from a part" if self._factor != 1.0 else ""
        failed = "" if self.costs else self.seat.remark
        remark = "; ".join(text for text in (part, self.remark, failed) if text)
        first = self._factor * self.costs[0].seconds if self.costs else np.nan
        measured = {"seconds": self.seconds, "first_s": first, "runs": len(self.costs), "peak_bytes": peak}
        return Row(graph, work, self.label, self.seat.threads, **measured, remark=remark)

    def try_to(self, kind: str, folder: Path | None = None) -> None:
        """Prepare, run, or write the answer to a folder; where that fails, the row says why."""
        try:
            if kind == "prepare":
                self.times = self.seat.prepare(self.query)
            elif kind == "run":
                self.costs.append(self.seat.run(self.query))
            elif folder is not None and self.costs and self.part == 1.0:
                path = folder / f"answer {self.name.replace('/', ' ')}.npy"
                self.seat.ask("answer", path)
                self.answer = path
        except ToolError as error:
            self.seat.remark = str(error)


def able_to(work: str, seated: Sequence[Seat]) -> list[Seat]:
    """Return who has a method of that name, and where there are more threads, shares it among them."""
    return [
        seat for seat in seated
        if hasattr(seat.tool, work) and (seat.threads == 1 or work in seat.tool.threaded)
    ]  # fmt: skip


def by_turns(entries: Sequence[Entry], rounds: int, answers: Path | None = None) -> None:
    """Let all do their part once, then those again that may, so often as they are quick.

    A run longer than `LONG_S` is not repeated; one shorter than `SHORT_S` is repeated nearly twice as often as others,
    for a process's first runs pay for memory, and in short ones that is much of the time.
    """
    for entry in entries:
        entry.try_to("prepare")
    for turn in range(2 * rounds - 1):
        for entry in entries:
            done = [cost.seconds for cost in entry.costs]
            long_enough = done and (entry.once or done[0] > LONG_S or (turn >= rounds and done[0] > SHORT_S))
            if not entry.seat.able or len(done) < turn or long_enough:
                continue
            entry.try_to("run")
            if turn == 0:
                entry.try_to("answer", answers)
