"""What a file is by its first bytes, before a library that knows two hundred kinds of file decides that for itself.

Some kinds name other files or servers, which GDAL then opens: virtual layers, streamed algorithms, web services. They
are told by their content and not by their suffix; so only kinds that hold their data themselves are let through.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.parsers import expat

from facility_coverage.errors import Fault

START = 1 << 20
"""Bytes that are looked at; GDAL looks at fewer."""

_FOLLOWING = (
    b"<OGRVRT", b"<VRTDataset", b"<GDAL_W", b"OGRWFSDataSource", b"WFS_Capabilities", b"gdal_streamed_alg",
    b"PDS_VERSION_ID",
)  # fmt: skip
"""Marks by which GDAL knows files that name other files or servers, wherever in the file they stand."""

_PACKED = {
    b"PK\x03\x04": "zip",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"7z\xbc\xaf": "7z",
    b"Rar!": "rar",
    b"\xfd7zXZ": "xz",
}
_SHAPEFILE = b"\x00\x00\x27\x0a"
_SQLITE, _FLATGEOBUF = b"SQLite format 3\x00", b"fgb\x03"
_TABLES = frozenset(b"\x02\x03\x30\x31\x32\x43\x63\x83\x8b\xcb\xf5\xe5")  # first byte of a .dbf, by version
_JSON = frozenset({".geojson", ".json", ".topojson", ".geojsonl", ".geojsons", ".jsonl", ".ndjson"})
_DXF = re.compile(rb"\s*(?:0|999)\s*\n|AutoCAD Binary DXF")
_ROOTS = frozenset({"kml", "gpx", "FeatureCollection"})
_GML = b"http://www.opengis.net/gml"
_LINKED_TABLE = (b"open table", b"isseamless")
_DOCTYPE = "<!DOCTYPE"
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_ELEMENT = re.compile(rb"<([A-Za-z_][\w.:-]*)")
_SAVE = "save it as GeoPackage, GeoJSON or shapefile"


def vector_faults(path: Path, *, file: str) -> list[Fault]:
    """Return why a vector layer is not given to GDAL: packed, naming other files, or of no kind that is read."""
    if path.is_dir():
        is_geodatabase = (path / "a00000001.gdbtable").is_file()
        return [] if is_geodatabase else [Fault(file, "is a folder, but no file geodatabase", advice=_SAVE)]
    start = _start(path)
    packed = next((kind for mark, kind in _PACKED.items() if start.startswith(mark)), None)
    if packed is not None:
        return [Fault(file, f"is packed ({packed})", advice="unpack it, and name the file that was in it")]
    if any(mark in start for mark in _FOLLOWING):
        return [Fault(file, "names other files or servers, which are not followed", advice=_SAVE)]
    plain = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if plain.startswith(b"<") or start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return xml_faults(path, file=file) or _root_faults(path, start, file)
    return [] if _is_known(start, plain, path.suffix.lower()) else [_unknown(path, file)]


def xml_faults(path: Path, *, file: str) -> list[Fault]:
    """Return a fault where an XML file declares a document type: its entities may grow without end, or be files."""
    return start_faults(_start(path), file=file)


def start_faults(start: bytes, *, file: str) -> list[Fault]:
    """Return a fault where XML that begins so declares a document type, or anything may still come."""
    root = _root(start)
    if root == _DOCTYPE:
        advice = "remove <!DOCTYPE …>, and write what its entities stand for"
        return [Fault(file, "declares a document type, which is not read", advice=advice)]
    if root is None and len(start) == START:
        return [Fault(file, "holds no element in its first megabyte", advice="save it anew")]
    return []


def raster_driver(path: Path) -> str | None:
    """Return GDAL's name of a raster's kind, None where it is none that is read."""
    start = _start(path, 64)
    if start[:4] in {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}:
        return "GTiff"
    if path.name.lower().endswith((".hgt", ".hgt.zip")):
        return "SRTMHGT"
    if start.startswith(b"EHFA_HEADER_TAG"):
        return "HFA"
    return "AAIGrid" if start.lstrip().lower().startswith(b"ncols") else None


def _start(path: Path, count: int = START) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(count)
    except OSError:  # its reader says why
        return b""


def _is_known(start: bytes, plain: bytes, suffix: str) -> bool:
    if suffix in _JSON:
        return plain[:1] in {b"{", b"[", b"\x1e"}
    if start.startswith((_SQLITE, _FLATGEOBUF)) or (suffix == ".shp" and start.startswith(_SHAPEFILE)):
        return True
    if suffix == ".dbf":
        return start[:1] != b"" and start[0] in _TABLES
    if suffix == ".dxf":
        return _DXF.match(start) is not None
    if suffix == ".tab":
        return plain.lower().startswith(b"!table") and not any(mark in plain.lower() for mark in _LINKED_TABLE)
    return suffix == ".mif" and plain.lower().startswith(b"version")


def _root_faults(path: Path, start: bytes, file: str) -> list[Fault]:
    root = (_root(start) or "").rpartition(":")[2]
    return [] if root in _ROOTS or _GML in start else [_unknown(path, file)]


def _root(start: bytes) -> str | None:
    """Return the name of the first element, `_DOCTYPE` where a document type stands before it, None where none is."""
    found: list[str] = []
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = lambda *_: found.append(_DOCTYPE)
    parser.StartElementHandler = lambda name, _: found.append(name)
    try:
        for i in range(0, len(start), 1024):  # what comes after the first element is not looked at
            parser.Parse(start[i : i + 1024], False)
            if found:
                break
    except (expat.ExpatError, ValueError, LookupError):  # also an encoding that expat does not know, such as GBK
        if not found:
            plain = _COMMENT.sub(b"", start)
            element = _ELEMENT.search(plain)
            before = plain[: element.start()] if element else plain
            found = [_DOCTYPE] if b"<!DOCTYPE" in before else [element[1].decode("ascii", "replace")] if element else []
    return found[0] if found else None


def _unknown(path: Path, file: str) -> Fault:
    return Fault(
        file, f"cannot be read: {path.name!r} not recognized as being in a supported file format", advice=_SAVE
    )
