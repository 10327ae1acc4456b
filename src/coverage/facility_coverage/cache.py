"""Results of slow steps, kept on disk under the hash of everything they come from.

An entry is one file: arrays as NumPy writes them, tables of texts and figures beside them, nothing pickled, and at the
end the hash of its key and of all this. Whatever is wrong with a file or a folder, the step is simply computed again.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache as once
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import platformdirs

VARIABLE = "FACILITY_COVERAGE_CACHE"
"""Environment variable that names another folder, or is `off`."""

LARGEST_BYTES = 2 * 1024**3
"""Total size of the entries; beyond it those go that were not used for the longest time."""

_FORMAT = 2
_LIBRARIES = (
    "geopandas", "numba", "numpy", "osmium", "osmnx", "pandas", "pyarrow", "pyogrio", "pyproj", "scipy", "shapely",
)  # fmt: skip
_NOTES = "notes"
_HASH_BYTES, _PIECE_BYTES = hashlib.sha256().digest_size, 1 << 20
# Formats of one file; beside others may lie parts of them, such as .dbf, .prj or .gpkg-wal.
_ALONE = frozenset({".bz2", ".fgb", ".geojson", ".geoparquet", ".graphml", ".gz", ".json", ".osm", ".parquet", ".pbf"})
_ELSEWHERE = frozenset({".vrt"})


@dataclass(frozen=True)
class Stored:
    """What a step computed.

    Attributes
    ----------
    arrays
        Name → array of numbers or truths, any shape; an array belongs to its entry and is not written to.
    tables
        Name → frame whose columns hold strings or None; it comes back with columns of type `object` and a new index.
    figures
        Name → whatever JSON can hold.
    """

    arrays: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Cache:
    """A folder of entries; None keeps nothing."""

    folder: Path | None
    largest_bytes: int = LARGEST_BYTES

    @classmethod
    def from_environment(cls) -> Cache:
        """Return the cache in the user's cache folder, or where `FACILITY_COVERAGE_CACHE` says."""
        named = os.environ.get(VARIABLE, "").strip()
        if named.lower() == "off":
            return cls(None)
        return cls(Path(named).expanduser() if named else platformdirs.user_cache_path("facility-coverage"))

    def stored(self, key: str, make: Callable[[], Stored]) -> Stored:
        """Return what is kept under a key; where nothing is, make it and keep it.

        Parameters
        ----------
        key
            From `key_of`; empty: not to be kept.
        make
            Computes the entry. What it raises is passed on, and nothing is kept.
        """
        if self.folder is None or not key:
            return _plain(make())
        file = self.folder / f"{key}.npz"
        entry = _read(file)
        if entry is None:
            entry = _plain(make())
            with suppress(OSError):  # a full disk or a folder of somebody else's: then it is computed each time
                _write(file, entry)
                self._prune()
        return entry

    def _prune(self) -> None:
        """Delete the entries not used for the longest time until the rest is small enough."""
        assert self.folder is not None  # noqa: S101 - called after writing there
        files = [(path.stat(), path) for path in self.folder.iterdir() if _is_ours(path)]
        total = sum(status.st_size for status, _ in files)
        for status, path in sorted(files, key=lambda item: (item[0].st_mtime_ns, item[1])):
            if total <= self.largest_bytes:
                break
            path.unlink(missing_ok=True)
            total -= status.st_size


def key_of(step: str, *inputs: str, **parameters: Any) -> str:
    """Return the key of a step's result: the hash of its inputs, its parameters and the program.

    Parameters
    ----------
    step
        Name of the step.
    inputs
        Hashes of what goes in, from `digest` or `key_of`; an empty one makes the key empty: not to be kept.
    parameters
        Whatever else decides the result; anything that JSON can hold.

    Examples
    --------
    >>> key_of("roads", "ab12", where={"highway": ["path"]}) == key_of("roads", "ab12", where={"highway": ["path"]})
    True
    >>> key_of("roads", "ab12", snap_tolerance_m=0.5) == key_of("roads", "ab12", snap_tolerance_m=0.6)
    False
    >>> key_of("roads", "")
    ''
    """
    if not all(inputs):
        return ""
    content = json.dumps([_FORMAT, _program(), step, inputs, parameters], sort_keys=True, allow_nan=False)
    return hashlib.sha256(content.encode()).hexdigest()


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes and of the files that belong to it, in hexadecimal digits.

    To a shapefile belong its .dbf, .prj and so on, to a folder (.gdb) all files in it. Empty where a file names other
    files anywhere (.vrt), or cannot be read: then nothing may be kept of it.
    """
    total = hashlib.sha256()
    try:
        for part in _parts(path):
            with part.open("rb") as stream:
                content = hashlib.file_digest(stream, "sha256").hexdigest()
            name = part.relative_to(path).as_posix() if path.is_dir() else part.name
            total.update(json.dumps([name, content]).encode())
    except OSError:
        return ""
    return "" if path.suffix.lower() in _ELSEWHERE else total.hexdigest()


def _parts(path: Path) -> Iterable[Path]:
    if path.is_dir():
        return sorted(part for part in path.rglob("*") if part.is_file())
    if path.suffix.lower() in _ALONE:
        return [path]
    beside = [part for part in path.parent.glob("*") if part.is_file() and _belongs(part, path)]
    return [path, *sorted(set(beside) - {path})]


def _belongs(part: Path, path: Path) -> bool:
    """Tell whether a file is a part of another by its name: roads.dbf, roads.shp.xml, roads.gpkg-wal."""
    return part.name.startswith((f"{path.stem}.", f"{path.name}-"))


@once
def _program() -> str:
    """Return the hash of the program's own code and the versions of the libraries that read and compute.

    The code rather than its version: a change between two releases must not meet old results.
    """
    total = hashlib.sha256()
    folder = Path(__file__).parent
    for path in sorted(folder.rglob("*.py")):
        total.update(path.relative_to(folder).as_posix().encode())
        total.update(path.read_bytes())
    total.update(json.dumps({name: version(name) for name in _LIBRARIES}).encode())
    return total.hexdigest()


def _is_ours(path: Path) -> bool:
    """Tell entries, whole or half written, from whatever else lies in the folder."""
    name = path.name.removesuffix(".npz").removesuffix(".part")
    return path.suffix in {".npz", ".part"} and len(name) >= 64 and not set(name[:64]) - set("0123456789abcdef")


def _plain(entry: Stored) -> Stored:
    """Return an entry as it will come back from disk, so that the first run and the next work on the same."""
    tables = {
        name: pd.DataFrame({label: _none_where_missing(frame[label]) for label in frame}, dtype=object)
        for name, frame in entry.tables.items()
    }
    return Stored(entry.arrays, tables, json.loads(json.dumps(dict(entry.figures))))


def _none_where_missing(column: pd.Series) -> npt.NDArray[np.object_]:
    values = column.to_numpy(dtype=object).copy()
    values[column.isna().to_numpy()] = None
    return values


def _write(file: Path, entry: Stored) -> None:
    """Write an entry under a name of its own and rename it, so that no reader meets half of it."""
    columns = {name: {label: pd.factorize(frame[label]) for label in frame} for name, frame in entry.tables.items()}
    notes = {
        "figures": dict(entry.figures),
        "arrays": list(entry.arrays),
        "tables": {
            name: {label: _texts(values) for label, (_, values) in table.items()} for name, table in columns.items()
        },
    }
    arrays = {f"array {name}": np.asarray(array, order="C") for name, array in entry.arrays.items()}
    for name, table in columns.items():
        arrays |= {f"table {name} {label}": codes.astype(np.int32) for label, (codes, _) in table.items()}
    if any(array.dtype.hasobject for array in arrays.values()):
        raise TypeError("arrays of the cache hold numbers or truths")
    arrays[_NOTES] = np.frombuffer(json.dumps(notes).encode(), dtype=np.uint8)
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f"{file.stem}.", suffix=".part", dir=file.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type]  # the names are ours, none is one of its options
        with part.open("r+b") as stream:
            stream.write(_hash(stream, file.stem, part.stat().st_size))
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _texts(values: Iterable[object]) -> list[str]:
    texts = list(values)
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("tables of the cache hold strings or None")
    return texts  # type: ignore[return-value]


def _read(file: Path) -> Stored | None:
    """Return an entry and mark it as used, or None where there is no sound one."""
    try:
        with file.open("rb") as stream:
            if not _is_sound(stream, file.stem):
                return None
            stream.seek(0)
            content = np.load(stream, allow_pickle=False)
            notes = json.loads(content[_NOTES].tobytes())
            arrays = {name: content[f"array {name}"] for name in notes["arrays"]}
            tables = {
                name: pd.DataFrame(
                    {label: _column(texts, content[f"table {name} {label}"]) for label, texts in table.items()},
                    dtype=object,
                )
                for name, table in notes["tables"].items()
            }
    except Exception:  # whatever a damaged file makes NumPy raise, the step is computed anew
        return None
    with suppress(OSError):  # a folder that may only be read
        os.utime(file)
    return Stored(arrays, tables, notes["figures"])


def _is_sound(stream: IO[bytes], key: str) -> bool:
    """Tell whether an entry ends with the hash of its key and of all before it."""
    length = stream.seek(0, os.SEEK_END) - _HASH_BYTES
    if length < 0:
        return False
    stream.seek(0)
    return _hash(stream, key, length) == stream.read(_HASH_BYTES)


def _hash(stream: IO[bytes], key: str, length: int) -> bytes:
    """Return the SHA-256 of a key and the next bytes of a stream, and stand after them."""
    total = hashlib.sha256(key.encode())
    while length > 0 and (piece := stream.read(min(length, _PIECE_BYTES))):
        total.update(piece)
        length -= len(piece)
    return total.digest()


def _column(texts: list[str], codes: npt.NDArray[np.int32]) -> npt.NDArray[np.object_]:
    values = np.array([*texts, None], dtype=object)  # missing values have code −1: the last
    column: npt.NDArray[np.object_] = values[codes]
    return column
