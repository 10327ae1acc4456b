"""The folder of a download: written beside its place and moved there whole; what others put there stays."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from facility_coverage.errors import Fault, StudyError
from facility_coverage.outputs.folder import put_in_place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: The file by which a download knows its own folder; it lists the other files and their checksums.
MARK = "download.json"


def folder_faults(folder: Path, *, overwrite: bool) -> list[Fault]:
    """Return why a download must not be written into a folder.

    Parameters
    ----------
    folder
        Where the download goes; it need not exist.
    overwrite
        Whether an earlier download there may be replaced.
    """
    shown = str(folder)
    try:
        folder = folder.resolve()
        if folder.is_file():
            return [Fault(shown, "is a file", advice="name a folder for the download")]
        if folder.is_dir() and any(folder.iterdir()):
            return _existing_faults(shown, folder, overwrite=overwrite)
        parent = next(one for one in (folder, *folder.parents) if one.exists())
        if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
            return []
        reason = ""
    except (OSError, ValueError) as error:  # a name too long, or with a null character
        reason = f": {error.strerror if isinstance(error, OSError) else error}"
    return [Fault(shown, f"cannot be written{reason}", advice="name another folder for the download")]


def _existing_faults(shown: str, folder: Path, *, overwrite: bool) -> list[Fault]:
    written = _written(folder)
    if written is None:
        advice = "name a folder that is new or empty"
        return [Fault(shown, "holds files, and no download has written them", advice=advice)]
    if not overwrite:
        return [Fault(shown, "holds an earlier download", advice="name another folder, or replace it by --overwrite")]
    changed = [name for name, checksum in written.items() if not _unchanged(folder / name, checksum)]
    advice = "move it away or rename it: it would be lost"
    return [Fault(f"{shown}/{name}", "was changed after it was downloaded", advice=advice) for name in changed]


def _written(folder: Path) -> dict[str, str] | None:
    """Return file → SHA-256 of an earlier download, or None where there is none."""
    try:
        files = json.loads((folder / MARK).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not isinstance(files, dict) or not all(_is_inside(name) for name in files):
        return None
    return {str(name): str(checksum) for name, checksum in files.items()}


def _is_inside(name: str) -> bool:
    return name.count("/") <= 1 and "\\" not in name and not {"", ".", ".."} & set(name.split("/"))


def _unchanged(file: Path, checksum: str) -> bool:
    return not file.exists() or (file.is_file() and checksum_of(file) == checksum)


def checksum_of(file: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def placed(folder: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `folder` when the block ends without an error.

    Files in `folder` that no download has written are moved into the new one. After an error nothing new is left.

    Raises
    ------
    StudyError
        With `folder_faults`, and if the folder cannot be made.
    """
    shown, folder = str(folder), folder.resolve()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        new = folder.parent / tempfile.mkdtemp(prefix=f".{folder.name[:40]}-", dir=folder.parent)
    except OSError as error:
        advice = "name another folder for the download"
        raise StudyError([Fault(shown, f"cannot be made: {error.strerror}", advice=advice)]) from None
    new.chmod(0o755)
    try:
        yield new
        faults = folder_faults(folder, overwrite=overwrite)  # somebody may have written there meanwhile
        if faults:
            raise StudyError(faults)
        _swap(new, folder)
    except OSError as error:
        advice = "make room, or name another folder for the download"
        raise StudyError([Fault(shown, f"cannot be written: {error.strerror}", advice=advice)]) from None
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _swap(new: Path, folder: Path) -> None:
    others: list[str] = []
    if folder.exists():
        mine = set(_written(folder) or ()) | {MARK}
        found = (file.relative_to(folder).as_posix() for file in sorted(folder.rglob("*")) if not file.is_dir())
        others = [name for name in found if name not in mine]
    old = put_in_place(new, folder)
    for name in others:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (old / name).rename(folder / name)
    shutil.rmtree(old, ignore_errors=True)
