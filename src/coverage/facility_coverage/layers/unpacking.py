"""What a packed file unpacks to, counted piece by piece before anything reads it; nothing is unpacked to disk.

What a file says of its own size is not believed: it is unpacked and thrown away, up to the limits.
"""

from __future__ import annotations

import bz2
import copy
import gzip
import zipfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Protocol

from facility_coverage.errors import Fault

MOST_BYTES = 1 << 30
"""What a workbook, a tile in an archive, or a page of a run may unpack to."""

MOST_EXTRACT_BYTES = 64 << 30
"""What a packed OpenStreetMap extract may unpack to; OpenStreetMap's of the whole of China is a third of it."""

MOST_RATIO = 200
"""Times its own size that a file may unpack to, where that is more than `RATIO_FROM_BYTES`."""

RATIO_FROM_BYTES = 64 << 20

_PIECE = 1 << 20
_LARGEST_HEADER, _LARGEST_BLOCK = 64 << 10, 32 << 20  # of a .pbf file, by its definition
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError)


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


def archive_faults(path: Path, *, file: str) -> list[Fault]:
    """Return what makes a zip archive unsafe: parts outside it, or more content than the limits.

    Raises
    ------
    BadZipFile, zlib.error, OSError, NotImplementedError
        If it is no whole archive.
    """
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        strays = [part.filename for part in parts if leads_out(part.filename)]
        if strays:
            message = f"holds a part whose name leads out of it ({strays[0][:60]!r})"
            return [Fault(file, message, advice="make the archive anew")]
        total, (most, limit) = 0, _limit(path, MOST_BYTES)
        for part in parts:
            if part.flag_bits & 1:  # locked: its reader says so
                continue
            longest = copy.copy(part)
            longest.file_size = 1 << 62  # what it says is not believed
            with archive.open(longest) as stream:
                total += _counted(stream, most - total)
            if total > most:
                return [_too_much(file, limit)]
    return []


def stream_faults(path: Path, *, file: str) -> list[Fault]:
    """Return a fault where a .gz or .bz2 file unpacks to more than the limits; a damaged one is its reader's matter."""
    opened = gzip.open if path.suffix.lower() == ".gz" else bz2.open
    most, limit = _limit(path, MOST_EXTRACT_BYTES)
    try:
        with opened(path, "rb") as stream:
            total = _counted(stream, most)
    except _DAMAGED:
        return []
    return [_too_much(file, limit)] if total > most else []


def extract_faults(path: Path, *, file: str) -> list[Fault]:
    """Return a fault where the blocks of a .pbf file unpack to more than the limits.

    Each block says what it unpacks to, and osmium refuses a block that says anything else (wiki.openstreetmap.org/wiki/
    PBF_Format: BlobHeader.datasize is its field 3, Blob.raw_size its field 2). A damaged file is osmium's matter.
    """
    most, limit = _limit(path, MOST_EXTRACT_BYTES)
    total = 0
    with path.open("rb") as stream:
        while (start := stream.read(4)) and total <= most:
            length = int.from_bytes(start, "big")
            size = _field(stream.read(length), 3) if length <= _LARGEST_HEADER else None
            if size is None or size > _LARGEST_BLOCK:
                return []
            block = stream.read(size)
            total += _field(block, 2) or len(block)
    return [_too_much(file, limit)] if total > most else []


def inflated(data: bytes, most: int) -> bytes:
    """Return zlib data unpacked.

    Raises
    ------
    ValueError
        If it unpacks to more than `most` bytes.
    zlib.error
        If it is damaged or cut off.

    Examples
    --------
    >>> inflated(zlib.compress(b"a" * 100), 100) == b"a" * 100
    True
    """
    unpacker = zlib.decompressobj()
    content = unpacker.decompress(data, most + 1)
    if len(content) > most:
        raise ValueError("unpacks to too much")
    if not unpacker.eof:
        raise zlib.error("cut off")
    return content


def leads_out(name: str) -> bool:
    r"""Tell whether the name of a part would leave the folder that an archive is unpacked into, on any system.

    Examples
    --------
    >>> [leads_out(name) for name in ("xl/workbook.xml", "a..b", "../a", "a/../../b", "/etc/x", "C:x", "..\\a")]
    [False, False, True, True, True, True, True]
    """
    ways = (PurePosixPath(name), PureWindowsPath(name))
    return any(way.anchor or way.drive or ".." in way.parts for way in ways) or "\0" in name


def _field(message: bytes, wanted: int) -> int | None:
    """Return the whole number in a field of a Protocol Buffers message, the last where there are several."""
    found, at = None, 0
    try:
        while at < len(message):
            key, at = _varint(message, at)
            number, kind = key >> 3, key & 7
            if kind == 0:
                value, at = _varint(message, at)
                found = value if number == wanted else found
            elif kind == 2:
                length, at = _varint(message, at)
                at += length
            else:
                at += {1: 8, 5: 4}[kind]
    except (IndexError, KeyError):  # cut off, or no such message
        return None
    return found


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins at a byte of a message, seven bits a byte, and where the next begins."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise IndexError("no number")


def _limit(path: Path, most: int) -> tuple[int, str]:
    """Return the bytes that a file may unpack to, by its own size, and how that limit is called."""
    by_ratio = max(RATIO_FROM_BYTES, MOST_RATIO * path.stat().st_size)
    return (by_ratio, f"{MOST_RATIO} times its size") if by_ratio < most else (most, f"{most >> 30} GB")


def _counted(stream: _Stream, most: int) -> int:
    """Return the bytes of a stream, read until there are more than `most`."""
    total = 0
    while total <= most and (piece := stream.read(_PIECE)):
        total += len(piece)
    return total


def _too_much(file: str, limit: str) -> Fault:
    return Fault(file, f"unpacks to more than {limit}", advice="split it, or save it in another form")
