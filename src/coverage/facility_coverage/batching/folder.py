"""The folder of a batch: what dead runs left is removed, and the index is written from the results that are there."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from facility_coverage.batching.outcome import Outcome
from facility_coverage.config.text import Lang
from facility_coverage.errors import Fault, StudyError
from facility_coverage.outputs.batch_page import index_page
from facility_coverage.outputs.batch_tables import (
    FILES,
    Entry,
    read_entry,
    write_batch_json,
    write_parquet,
    write_workbook,
)

#: What `outputs.folder.replaced` adds to a name: eight signs of `tempfile`, and for the old result `-old`.
_LEFTOVER = re.compile(r"\.(?P<name>[^.]+)-[a-z0-9_]{8}(-old)?")


def make_folder(folder: Path) -> None:
    """Make the folder of all results.

    Raises
    ------
    StudyError
        When it cannot be made or written, or holds files of others under the names of ours.
    """
    advice = "name another folder for the results"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError([Fault(str(folder), f"cannot be made: {error.strerror}", advice=advice)]) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StudyError([Fault(str(folder), "cannot be written", advice=advice)])
    there = [name for name in FILES if (folder / name).exists()]
    if there and FILES[0] not in there:
        message = f"holds files that no batch has written ({', '.join(there)})"
        raise StudyError([Fault(str(folder), message, advice=advice)])


def remove_leftovers(folder: Path, names: Collection[str]) -> int:
    """Remove the unfinished folders that killed runs of these studies left; return how many there were."""
    left = [path for path in folder.iterdir() if _is_leftover(path, names)]
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
    return len(left)


def _is_leftover(path: Path, names: Collection[str]) -> bool:
    match = _LEFTOVER.fullmatch(path.name)
    return match is not None and match["name"] in names and path.is_dir() and not path.is_symlink()


def write_index(folder: Path, batch: str, order: Sequence[str], outcomes: Mapping[str, Outcome], *, lang: Lang) -> None:
    """Write index.html, verdicts.parquet, verdicts.xlsx and batch.json, each whole or not at all.

    Results of studies that failed now, or were not run, are not told: they are of what the study was before.
    """
    entries = [_entry(folder, name, outcomes.get(name, Outcome(name, "not_run"))) for name in order]
    new = {name: folder / f".{name}.new" for name in FILES}
    try:
        new["index.html"].write_text(index_page(batch, entries, lang=lang), encoding="utf-8")
        write_parquet(entries, new["verdicts.parquet"])
        write_workbook(entries, new["verdicts.xlsx"], lang=lang)
        write_batch_json(batch, entries, new["batch.json"])
        for name, path in new.items():
            path.replace(folder / name)
    except OSError as error:
        advice = "see that the disk has room, and run the batch again with --resume"
        message = f"the index cannot be written: {error.strerror or error}"
        raise StudyError([Fault(str(folder), message, advice=advice)]) from None
    finally:
        for path in new.values():
            path.unlink(missing_ok=True)


def _entry(folder: Path, name: str, outcome: Outcome) -> Entry:
    if not outcome.has_result:
        return Entry(name, outcome.ending, outcome.reasons)
    try:
        return read_entry(folder, name)
    except (StudyError, OSError, ValueError, KeyError, TypeError) as error:
        said = " ".join(str(error).split())[:300]
        return Entry(name, "failed", (f"its result can no longer be read ({said}); run the batch again",))
