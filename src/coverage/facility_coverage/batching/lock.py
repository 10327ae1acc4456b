"""The lock of a folder: one batch at a time writes there."""

from __future__ import annotations

import json
import os
import platform
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from facility_coverage.errors import Fault, StudyError

NAME = ".batch.lock"


@contextmanager
def locked(folder: Path, *, shown: str) -> Iterator[None]:
    """Hold the folder's lock during the block; the lock of a batch that is dead is taken over.

    Raises
    ------
    StudyError
        When another batch writes there, or the folder cannot be written.
    """
    mine = {"pid": os.getpid(), "host": platform.node(), "started": _started(os.getpid()), "token": uuid.uuid4().hex}
    path = folder / NAME
    try:
        _take(path, mine, shown)
    except OSError as error:
        fault = Fault(shown, f"cannot be written: {error.strerror}", advice="name another folder for the results")
        raise StudyError([fault]) from None
    try:
        yield
    finally:
        if _read(path) == mine:
            path.unlink(missing_ok=True)


def _take(path: Path, mine: dict[str, Any], shown: str) -> None:
    # The lock appears whole: written under a name of its own, then linked to the name that all look at.
    own = path.with_name(f"{NAME}.{mine['token']}")
    own.write_text(json.dumps(mine), encoding="utf-8")
    try:
        for _ in range(10):
            try:
                _appear(own, path)
            except FileExistsError:
                _make_way(path, own, shown)
            else:
                return
        raise StudyError([Fault(shown, "is being locked by several batches at once", advice="start one of them again")])
    finally:
        own.unlink(missing_ok=True)


def _appear(own: Path, path: Path) -> None:
    """Give a file a second name, unless that is taken."""
    try:
        os.link(own, path)
    except FileExistsError:
        raise
    except OSError:  # a disk that knows no links
        with path.open("x", encoding="utf-8") as file:
            file.write(own.read_text(encoding="utf-8"))


def _make_way(path: Path, own: Path, shown: str) -> None:
    """Remove the lock of a dead batch, or say who holds it."""
    found = _read(path)
    if found is None:
        if not path.exists():
            return  # given back meanwhile
    elif _alive(found):
        where = "" if found.get("host") == platform.node() else f" on {found.get('host')}"
        message = f"another batch writes there (process {found.get('pid')}{where})"
        advice = f"wait until it is done, or name another folder; if it is no longer running, delete {NAME} there"
        raise StudyError([Fault(shown, message, advice=advice)])
    # Of two that find a dead lock one moves it away; if it was a fresh one by then, it goes back.
    aside = own.with_name(own.name + ".old")
    with suppress(FileNotFoundError):
        path.rename(aside)
        if _read(aside) != found:
            with suppress(FileExistsError):
                _appear(aside, path)
        aside.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any] | None:
    """Return who holds a lock; None where there is none that can be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _alive(found: dict[str, Any]) -> bool:
    """Whether who holds the lock still runs; of another machine nobody can tell, and it counts as running."""
    if found.get("host") != platform.node():
        return True
    pid = found.get("pid")
    return isinstance(pid, int) and _started(pid) is not None and _started(pid) == found.get("started")


def _started(pid: int) -> str | None:
    """Return what tells a process from a later one of the same number; None if there is none."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        with suppress(OSError):  # counted since the machine's start, whatever its clock is set to
            return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
        return f"{process.create_time():.1f}"
    except (psutil.Error, ValueError, OverflowError):
        return None
