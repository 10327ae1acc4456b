"""One tool in a process of its own: built, asked and measured there, so that no tool's memory counts for another's."""

from __future__ import annotations

import ctypes
import gc
import importlib
import multiprocessing
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

#: What libraries ask how many threads to use.
_THREAD_SETTINGS = ("OMP_NUM_THREADS", "RAYON_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class ToolError(Exception):
    """A tool failed, was stopped, or cannot do this; says which."""


@dataclass(frozen=True)
class Query:
    """What is asked of a tool.

    Attributes
    ----------
    work
        The name of one of its methods.
    sources
        Layers of junctions (numbers in the given order), shape (facilities,) each.
    limit_s, k, points
        The cutoff in seconds, how many nearest, and how many demand points, where the work has one.
    """

    work: str
    sources: tuple[np.ndarray, ...] = ()
    limit_s: float = np.inf
    k: int = 1
    points: int = 0


@dataclass(frozen=True)
class Task:
    """A query made ready: `run` is what is timed, and `answer` turns what it returned into an array.

    Where a tool does a part of the work only, `times` as much is the whole, and its answer is -inf for what is missing.
    """

    run: Callable[[], Any]
    answer: Callable[[Any], np.ndarray] = np.asarray
    times: float = 1.0


@dataclass(frozen=True)
class Cost:
    """What one call cost: seconds, and the largest memory of the process meanwhile, bytes."""

    seconds: float
    peak_bytes: int


def forget_peak() -> None:
    """Let the largest memory count from now on, where the system can (Linux); elsewhere it counts from the start."""
    if _RESET.exists():
        _RESET.write_text("5", encoding="ascii")


def peak_bytes() -> int:
    """Return the largest memory of the process since `forget_peak`, bytes."""
    # getrusage would count the parent's memory at the time of the start as well.
    if _STATUS.exists():
        (line,) = (line for line in _STATUS.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _give_back() -> None:
    """Let the allocator return what building has freed, so that it does not count for the searches (glibc)."""
    gc.collect()
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def _timed(work: Callable[[], Any]) -> tuple[Cost, Any]:
    gc.collect()
    forget_peak()
    begin = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - begin
    return Cost(seconds, peak_bytes()), result


def _serve(connection: Connection, module: str, name: str, folder: Path, threads: int) -> None:
    """Answer the parent until it hangs up."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # some libraries talk
    tool: Any = None
    task = Task(lambda: None)
    result: Any = None

    def answer(request: tuple[str, Any]) -> Any:
        nonlocal tool, task, result
        kind, argument = request
        if kind == "open":
            tool = getattr(importlib.import_module(module), name)(folder, threads)
        elif kind == "build":
            cost, _ = _timed(tool.build)
            return cost
        elif kind == "prepare":
            result = None
            task = getattr(tool, argument.work)(argument)
            _give_back()
            return task.times
        elif kind == "run":
            result = None
            cost, result = _timed(task.run)
            return cost
        elif kind == "answer":
            np.save(argument, task.answer(result))
        return None

    while True:
        try:
            request = connection.recv()
        except EOFError:
            return
        try:
            connection.send((True, answer(request)))
        except Exception as error:  # whatever goes wrong in a peer is a line of the table
            connection.send((False, f"{type(error).__name__}: {error}".splitlines()[0][:160]))


@contextmanager
def _environment(threads: int) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _THREAD_SETTINGS}
    os.environ.update(dict.fromkeys(_THREAD_SETTINGS, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


class Worker:
    """A process that holds one tool and does what it is told, one thing at a time."""

    def __init__(self, tool: type, folder: Path, threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        arguments = (theirs, tool.__module__, tool.__name__, folder, threads)
        self._process = context.Process(target=_serve, args=arguments, daemon=True)
        with _environment(threads):
            self._process.start()
        theirs.close()

    def ask(self, kind: str, argument: Any = None, *, timeout_s: float = 600.0) -> Any:
        """Let the tool do something; raise `ToolError` where it fails or takes too long, which ends it."""
        try:
            self._connection.send((kind, argument))
            if not self._connection.poll(timeout_s):
                self.close()
                raise ToolError(f"stopped after {timeout_s:.0f} s")
            good, value = self._connection.recv()
        except (EOFError, OSError):
            self.close()
            raise ToolError("its process ended") from None
        if not good:
            raise ToolError(value)
        return value

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return not self._connection.closed

    def close(self) -> None:
        """Hang up, and end the process where it does not end by itself."""
        self._connection.close()
        self._process.join(timeout=2.0)
        self._process.terminate()
        self._process.join()
