"""The fence around a study: the folder that the paths in its files may not leave.

A study that somebody sends is text that names files. Without a fence it could have any file of the reader's machine
read, or its result written over any folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from facility_coverage.config.document import Document, Place, describe
from facility_coverage.errors import Fault

OPTION = "--allow-outside"
_CONFIGS = "configs"
_FOLDER = "folder"
_GEODATABASE = ".gdb"


@dataclass(frozen=True)
class Fence:
    """The folder that holds a study and everything it names, or no such folder.

    Attributes
    ----------
    start
        Folder of the study's file as it was named: relative paths start there.
    root
        The study's folder with its links followed; None where files outside are allowed.
    """

    start: Path
    root: Path | None

    @classmethod
    def around(cls, study: Path, *, allow_outside: bool = False) -> Fence:
        """Return the fence around the study in a file.

        It is the file's folder; or that folder's parent where it is called `configs`, as a project keeps its studies
        beside its `layers` and `maps`. The root of a disk is never a study's folder.
        """
        start = study.absolute().parent
        if allow_outside:
            return cls(start, None)
        folder = followed(start) or start
        above = folder.parent
        in_project = os.path.normcase(folder.name) == _CONFIGS and above != Path(above.anchor)
        return cls(start, above if in_project else folder)

    def leaves(self, path: Path) -> bool:
        """Tell whether a path, with its links followed, leads outside.

        A path on another disk or server is not looked at: asking a server for a file tells it who asks.
        """
        if self.root is None:
            return False
        drives = {os.path.normcase(known.drive) for known in (self.root, self.start)}
        if os.path.normcase(path.drive) not in drives:
            return True
        real = followed(path)
        return real is not None and not real.is_relative_to(self.root)

    def faults(self, document: Document, named: Iterable[tuple[Place, str]]) -> Iterator[Fault]:
        """Yield a fault for each path in a document that leads outside; whether there is such a file is not told."""
        for place, text in named:
            what = self._trespass(document.path.parent / text, text)
            if what is not None and self.root is not None:
                root = describe(self.root.name or str(self.root))
                do = "name one inside" if place[-1] == _FOLDER else "move the file there"
                message = f"{what} outside the study's folder {root}"
                yield document.fault(place, message, advice=f"{do}, or allow it with {OPTION}")

    def _trespass(self, path: Path, text: str) -> str | None:
        """Return in words what leads outside: the path, or a file that is read along with it, such as a linked .dbf."""
        if self.root is None:
            return None
        if self.leaves(path):
            is_link = _plainly_inside(path, self.start, self.root)
            return f"{describe(text)} {'is a link that leads' if is_link else 'lies'}"
        part = next((part.name for part in _links_with(path) if self.leaves(part)), None)
        return part and f"{describe(part)}, which belongs to {describe(text)}, is a link that leads"


def followed(path: Path) -> Path | None:
    """Return a path with its links followed; None where they go round in a circle or the name is none."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return None


def _plainly_inside(path: Path, start: Path, root: Path) -> bool:
    """Tell whether a path seems to be inside as long as no link is followed."""
    plain = Path(os.path.normpath(path))
    above = start.parent if start.parent.resolve() == root else start
    return plain.is_relative_to(above) or plain.is_relative_to(root)


def _links_with(path: Path) -> Iterator[Path]:
    """Yield the links among the files that GDAL reads along with one: .dbf, .prj, .tif.ovr, all files of a .gdb."""
    try:
        if path.is_dir():
            found = path.rglob("*") if path.suffix.lower() == _GEODATABASE else iter(())
        else:
            found = (one for one in path.parent.iterdir() if one.name.startswith((f"{path.stem}.", f"{path.name}-")))
        yield from sorted(one for one in found if one.is_symlink())
    except (OSError, ValueError):  # no path at all, or a folder that may not be listed
        return
