"""Layers that GDAL reads, with the text of shapefiles in the encoding that fits it."""

from __future__ import annotations

import codecs
import struct
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import pyogrio
import pyogrio.errors
import shapely.errors

from facility_coverage.errors import Fault, LayerError, said_by
from facility_coverage.layers.contracts import raise_faults
from facility_coverage.layers.delimited import decoded, encoding_of
from facility_coverage.layers.gdal import offline
from facility_coverage.layers.vetting import vector_faults

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from facility_coverage.config.study import Table

SHAPEFILE_PARTS = (".shp", ".shx", ".dbf")

_LATIN = "iso8859-1"
"""It gives every byte a character of its own, so that the bytes can be had back from the text."""

_CHINESE = {"gb18030", "gbk", "gb2312"}


def read_vectors(table: Table, *, file: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """Read a layer through GDAL.

    Returns
    -------
    frame
        A GeoDataFrame, or a plain frame where the layer has no geometry.
    found
        The encoding of a shapefile.

    Raises
    ------
    LayerError
        If the file cannot be read, a part of a shapefile is missing, or no encoding fits its text.
    """
    is_shapefile = table.path.suffix.lower() in {".shp", ".dbf"}
    if is_shapefile:
        raise_faults(_missing_parts(table.path, file))
    raise_faults(vector_faults(table.path, file=file))
    try:
        with offline():
            layer = table.layer if table.layer is not None else _only_layer(table.path, file)
            options = {"encoding": "ISO-8859-1"} if is_shapefile else {}
            frame: pd.DataFrame = pyogrio.read_dataframe(table.path, layer=layer, **options)
    except UnicodeDecodeError:
        raise LayerError([Fault(file, "holds text that is not UTF-8", advice="save it anew as UTF-8")]) from None
    except (
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
        pyogrio.errors.FeatureError,
        pyogrio.errors.FieldError,
        pyogrio.errors.GeometryError,
        shapely.errors.GEOSException,
    ) as error:
        raise LayerError([Fault(file, f"cannot be read: {said_by(error, table.path)}")]) from None
    twice = sorted({str(name) for name in frame.columns[frame.columns.duplicated()]})
    raise_faults([Fault(file, "two columns have this name", column=name, advice="rename one") for name in twice])
    if not isinstance(frame, gpd.GeoDataFrame):
        frame = frame.drop(columns="geometry", errors="ignore")
    return _decoded(frame, table, file) if is_shapefile else (frame, {})


def _only_layer(path: Path, file: str) -> str | None:
    names = [str(name) for name, _ in pyogrio.list_layers(path)]
    if len(names) > 1:
        listed = ", ".join(repr(name) for name in names)
        raise LayerError([Fault(file, "holds several layers", advice=f"name one under `layer:` ({listed})")])
    return names[0] if names else None


def _part(path: Path, suffix: str) -> Path | None:
    return next((part for part in (path.with_suffix(suffix), path.with_suffix(suffix.upper())) if part.is_file()), None)


def _missing_parts(path: Path, file: str) -> list[Fault]:
    if path.suffix.lower() == ".dbf":
        return []
    missing = [suffix for suffix in SHAPEFILE_PARTS if _part(path, suffix) is None]
    advice = "copy the .shp together with its .shx, .dbf, .prj and .cpg"
    return [Fault(file, f"its part {path.stem}{suffix} is missing", advice=advice) for suffix in missing]


def _decoded(frame: pd.DataFrame, table: Table, file: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the frame with its text and names in the encoding that fits all of them."""
    texts = [name for name in frame.columns if name != "geometry" and _is_text(frame[name])]
    spelling = {name: [str(value).encode(_LATIN) for value in frame[name].dropna().unique()] for name in texts}
    names = [str(name).encode(_LATIN) for name in frame.columns]
    widths = _widths(table.path)
    full = {value for name, values in spelling.items() for value in values if len(value) == widths.get(name)}
    # A field that is full may have lost the end of its last character; a name has at most 10 bytes.
    full |= {name for name in names if len(name) == 10}
    every = {*names, *(value for values in spelling.values() for value in values)}
    encoding = _encoding(every, full, table, file)
    known = {value.decode(_LATIN): _decode(value, encoding, is_full=value in full) for value in every}
    changed = {name: frame[name].map(known).astype(object) for name in texts}
    return frame.assign(**changed).rename(columns=known), {"encoding": encoding}


def _is_text(values: pd.Series) -> bool:
    return bool(pd.api.types.is_string_dtype(values.dtype) or pd.api.types.is_object_dtype(values.dtype))


def _decode(value: bytes, encoding: str, *, is_full: bool) -> str | None:
    for cut in range(4 if is_full else 1):
        text = decoded(value[: len(value) - cut], encoding)
        if text is not None:
            return text
    return None


def _encoding(every: Iterable[bytes], full: set[bytes], table: Table, file: str) -> str:
    """Return the encoding named by the study, or UTF-8, or what the .cpg says, or GB18030: the first that fits."""
    foreign = [value for value in every if not value.isascii()]

    def fits(encoding: str) -> bool:
        return all(_decode(value, encoding, is_full=value in full) is not None for value in foreign)

    if table.encoding is not None:
        named = encoding_of(table.encoding, file=file)
        if fits(named):
            return named
        raise LayerError([Fault(file, f"holds text that is not {named}", advice="correct `encoding:`, or remove it")])
    stated = _stated(table.path)
    if fits("utf-8"):
        return "utf-8"
    is_chinese = fits("gb18030")
    if stated is not None and fits(stated):
        if stated in _CHINESE or not is_chinese:
            return stated
        shown = min(foreign, key=lambda value: (len(value), value)).decode("gb18030", "ignore")
        message = f"its .cpg says {stated}, but its text also reads as gb18030 ({shown!r})"
        raise LayerError([Fault(file, message, advice="name the right one under `encoding:`")])
    if is_chinese:
        return "gb18030"
    tried = ", ".join(dict.fromkeys(("utf-8", *([stated] if stated else []), "gb18030")))
    raise LayerError([Fault(file, f"holds text that is none of {tried}", advice="name its encoding under `encoding:`")])


def _stated(path: Path) -> str | None:
    """Return the encoding that the .cpg names, if Python knows it."""
    part = _part(path, ".cpg")
    if part is None:
        return None
    name = part.read_bytes()[:40].decode("ascii", "ignore").strip()
    for candidate in (name, f"cp{name}", name.replace(" ", "")):
        try:
            return codecs.lookup(candidate).name
        except (LookupError, ValueError):
            continue
    return None


def _widths(path: Path) -> dict[str, int]:
    """Return the bytes that each text field of the .dbf may hold, by its name."""
    part = _part(path, ".dbf")
    if part is None:
        return {}
    with part.open("rb") as stream:
        header = stream.read(32)
        length = struct.unpack("<H", header[8:10])[0] if len(header) == 32 else 0
        fields = stream.read(max(0, length - 32))
    described = [fields[i : i + 32] for i in range(0, len(fields) - 31, 32)]
    return {field[:11].split(b"\0")[0].decode(_LATIN): field[16] for field in described if field[11:12] == b"C"}
