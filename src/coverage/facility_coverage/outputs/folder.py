"""The result folder: written beside its place and moved there whole, so that nobody sees half a result."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facility_coverage.errors import Fault, StudyError

#: A folder that holds this file was written by a run and may be replaced by another.
MARK = "run.json"


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `folder` when the block ends without an error.

    An earlier result stays until the new one is complete. After an error nothing of the new one is left.

    Raises
    ------
    StudyError
        When `folder` is a file, or a folder that no run has written.
    """
    refuse_foreign(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    new.chmod(0o755)
    try:
        yield new
        old = new.with_name(new.name + "-old")
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def refuse_foreign(folder: Path) -> None:
    """Raise a StudyError when `folder` holds something that a run did not write."""
    if folder.is_file():
        raise StudyError([Fault(str(folder), "is a file", advice="name a folder for the result")])
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).is_file():
        advice = "name another folder, or empty this one: a run replaces its folder as a whole"
        raise StudyError([Fault(str(folder), f"holds files that no run has written (no {MARK})", advice=advice)])
