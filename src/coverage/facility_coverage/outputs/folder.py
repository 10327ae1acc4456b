"""The result folder: written beside its place and moved there whole, so that nobody sees half a result."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from facility_coverage.errors import Fault, StudyError
from facility_coverage.layers.datum import SHIFTED
from facility_coverage.outputs import (
    bracket_tables,
    capacity_tables,
    equity_tables,
    findings,
    gap_tables,
    site_tables,
    verdict_tables,
)
from facility_coverage.outputs.web_maps import web_map_names

#: A folder that holds this file and none but a run's files was written by a run and may be replaced by another.
MARK = "run.json"
_WEB_MAPS = {name for datum in SHIFTED for name in web_map_names(datum)}
_TABLES = {
    "zones.csv",
    "zones.xlsx",
    "districts.csv",
    "coverage.gpkg",
    *verdict_tables.FILES,
    *site_tables.FILES,
    *capacity_tables.FILES,
    *gap_tables.FILES,
    *equity_tables.FILES,
    *bracket_tables.FILES,
}
_PICTURES = {"map.png", "map.svg", "map.pdf"}
FILES = frozenset({MARK, "map.html", findings.FILE} | _TABLES | _PICTURES | _WEB_MAPS)


@dataclass(frozen=True)
class Kind:
    """What a result folder holds: the file that tells it from others, and all that may stand in it."""

    mark: str
    files: frozenset[str]


RUN = Kind(MARK, FILES)
SITES = Kind("site.json", frozenset({"site.json", site_tables.PACKAGE, *site_tables.FILES}))


@contextmanager
def replaced(folder: Path, kind: Kind = RUN) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `folder` when the block ends without an error.

    An earlier result stays until the new one is complete, and comes back if the move fails. After an error nothing of
    the new one is left.

    Raises
    ------
    StudyError
        When `folder` cannot be written, or holds files that no run of the kind has written.
    """
    check_replaceable(folder, kind)
    folder = folder.resolve()
    new = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    new.chmod(0o755)
    try:
        yield new
        shutil.rmtree(put_in_place(new, folder), ignore_errors=True)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def put_in_place(new: Path, folder: Path) -> Path:
    """Move the folder `new` to where `folder` is; return where that one, if there was one, is now.

    Raises
    ------
    OSError
        When it cannot be moved; the old folder is then back in its place.
    """
    old = new.with_name(new.name + "-old")
    if folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    return old


def check_replaceable(folder: Path, kind: Kind = RUN) -> None:
    """Make the folder that holds `folder`, and see that a result may be written there before anything is computed.

    Raises
    ------
    StudyError
        When `folder` is a file, cannot be written, or holds files that no run of the kind has written.
    """
    shown, folder = str(folder), folder.resolve()
    if folder.is_file():
        raise StudyError([Fault(shown, "is a file", advice="name a folder for the result")])
    if folder.is_dir():
        known = kind.files | _surfaces(folder / kind.mark)
        _refuse_foreign(shown, {path.name for path in folder.iterdir()}, known, kind.mark)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        advice = "name another folder for the result"
        raise StudyError([Fault(shown, f"cannot be made: {error.strerror}", advice=advice)]) from None
    if not os.access(folder.parent, os.W_OK | os.X_OK):
        raise StudyError([Fault(shown, "cannot be written", advice="name another folder for the result")])


def _surfaces(mark: Path) -> set[str]:
    """Return the time surfaces that the run says it wrote."""
    try:
        names = json.loads(mark.read_text(encoding="utf-8"))["time_surfaces"]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    return {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()


def _refuse_foreign(shown: str, names: set[str], known: set[str] | frozenset[str], mark: str) -> None:
    foreign = sorted(names - known)
    if foreign or (names and mark not in names):
        advice = "name another folder, or move them away: a run replaces its folder as a whole"
        listed = ", ".join(foreign[:5]) or f"no {mark}"
        raise StudyError([Fault(shown, f"holds files that no run has written ({listed})", advice=advice)])
