"""Inventory: what each file of a study holds, read on its own."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
from pyproj import CRS, Transformer
from rasterio.errors import RasterioIOError

from facility_coverage.analysis.findings import Finding, finding
from facility_coverage.config.study import RasterPopulation, StudyConfig, Table
from facility_coverage.errors import LayerError
from facility_coverage.layers.contracts import as_text
from facility_coverage.layers.crs import WGS84
from facility_coverage.layers.gdal import open_raster
from facility_coverage.layers.tables import Role, is_osm_file, read_table, shown_path
from facility_coverage.layers.zone_tables import read_zone_table

#: What reading finds in a plain table: nothing that its owner need be told.
_PLAIN = frozenset({("encoding", "utf-8"), ("delimiter", "comma"), ("heading row", "1")})

Extent = tuple[float, float, float, float]


@dataclass(frozen=True)
class LayerFacts:
    """What one file holds.

    Attributes
    ----------
    layer, file
        Which layer of the study, and its file as shown.
    kind
        ``table``, ``raster`` or ``roads``.
    rows_read, rows_kept
        Rows (cells of a raster) in the file, and those that `where` keeps; None where it could not be read.
    crs, datum
        Name of its reference system, and the datum that the study declares; empty where there is none.
    extent
        West, south, east, north in degrees, None where it is not known.
    columns
        Rows without a value by column; columns of the study only.
    found
        What reading found out by itself, e.g. encoding and delimiter.
    """

    layer: str
    file: str
    kind: str
    rows_read: int | None = None
    rows_kept: int | None = None
    crs: str = ""
    datum: str = ""
    extent: Extent | None = None
    columns: Mapping[str, int] = field(default_factory=dict)
    found: Mapping[str, str] = field(default_factory=dict)


def inventory(config: StudyConfig) -> list[LayerFacts]:
    """Return what each file of a study holds; a file that cannot be read has no rows."""
    facts = [_table_facts(layer, table, role) for layer, table, role in tables_of(config)]
    facts += [_zone_table_facts(layer, table) for layer, table in _zone_tables_of(config)]
    facts += [_raster_facts(layer, path) for layer, path in _rasters_of(config)]
    return facts


def remarks(facts: Sequence[LayerFacts], *, but: Collection[str] = ()) -> Iterator[Finding]:
    """Yield what the files themselves say: what reading found out, and columns with empty values, except `but`."""
    for one in facts:
        what = "; ".join(f"{name} {value}" for name, value in one.found.items() if (name, value) not in _PLAIN)
        if one.kind == "table" and what:
            yield finding("note", "found", one.layer, one.file, what=what)
        for column, count in one.columns.items():
            if count and column not in but:
                yield finding(
                    "note", "column_missing_values", one.layer, one.file, column=column, count=count, rows=one.rows_kept
                )


def tables_of(config: StudyConfig) -> Iterator[tuple[str, Table, Role]]:
    """Yield every table and vector layer of a study: what it is called, how it is read, and what for."""
    yield "zones", config.zones, "zones"
    if config.districts is not None:
        yield "districts", config.districts, "districts"
    if config.boundary is not None:
        yield "boundary", config.boundary, "boundary"
    yield "roads", config.roads, "roads"
    for layer in config.facilities:
        yield from ((layer.id, table, "facilities") for table in layer.tables())
    if isinstance(config.population, Table):
        yield "population", config.population, "population"
    for barrier in config.barriers:
        yield "barriers", barrier, "barriers"
    if config.basemap.water is not None:
        yield "basemap.water", config.basemap.water, "water"
    if config.basemap.neighbours is not None:
        yield "basemap.neighbours", config.basemap.neighbours, "neighbours"


def _zone_tables_of(config: StudyConfig) -> Iterator[tuple[str, Table]]:
    """Yield the tables of figures per zone, which have no places."""
    if config.population.controls is not None:
        yield "population.controls", config.population.controls
    yield from ((f"groups.{group.id}", group.table) for group in config.groups if group.table is not None)


def _rasters_of(config: StudyConfig) -> Iterator[tuple[str, Path]]:
    if isinstance(config.population, RasterPopulation):
        yield "population", config.population.path
    for group in config.groups:
        if group.path is not None:
            yield from ((f"groups.{group.id}", path) for path in _listed(group.path))
    if config.area_types.path is not None:
        yield "area_types", config.area_types.path
    if config.terrain is not None:
        yield from (("terrain", path) for path in _listed(config.terrain.path))


def _listed(paths: Path | list[Path]) -> list[Path]:
    return paths if isinstance(paths, list) else [paths]


def _table_facts(layer: str, table: Table, role: Role) -> LayerFacts:
    file = shown_path(table.path)
    if role == "roads" and is_osm_file(table.path):
        return LayerFacts(layer, file, "roads", crs=WGS84.name)
    try:
        source = read_table(table, role=role)
    except LayerError:
        return LayerFacts(layer, file, "table")
    frame = source.frame
    looked_at = _columns_of(table) if role in {"zones", "facilities", "population"} else set()
    wanted = [name for name in frame.columns if name in looked_at]
    return LayerFacts(
        layer, file, "table", rows_read=source.rows_read, rows_kept=len(frame), crs=frame.crs.name,
        datum=table.datum or "", extent=_extent(frame),
        columns={name: int((as_text(frame[name]) == "").sum()) for name in wanted}, found=dict(source.found),
    )  # fmt: skip


def _zone_table_facts(layer: str, table: Table) -> LayerFacts:
    file = shown_path(table.path)
    try:
        source = read_zone_table(table, figures=(), with_totals=True)
    except LayerError:
        return LayerFacts(layer, file, "table")
    return LayerFacts(
        layer, file, "table", rows_read=source.rows_read, rows_kept=len(source.frame), found=dict(source.found)
    )


def _columns_of(table: Table) -> set[str]:
    named = set(table.columns.values()) | {"name", "zone_id", "facility_id", "area_type", "tier", "total"}
    return named | set(getattr(table, "capacity", ()))


def _raster_facts(layer: str, path: Path) -> LayerFacts:
    file = shown_path(path)
    try:
        with open_raster(path) as raster:
            crs = CRS.from_user_input(raster.crs) if raster.crs else None
            return LayerFacts(
                layer, file, "raster", rows_read=raster.width * raster.height, rows_kept=raster.width * raster.height,
                crs=crs.name if crs else "", extent=_degrees(tuple(raster.bounds), crs) if crs else None,
                found={"cell": " × ".join(f"{size:g}" for size in raster.res), "nodata": str(raster.nodata)},
            )  # fmt: skip
    except RasterioIOError:
        return LayerFacts(layer, file, "raster")


def _extent(frame: gpd.GeoDataFrame) -> Extent | None:
    """Return the extent of a layer, None where it has no places (a table of districts)."""
    bounds = tuple(frame.total_bounds)
    return _degrees(bounds, frame.crs) if np.isfinite(bounds).all() else None


def _degrees(bounds: tuple[float, ...], crs: CRS) -> Extent:
    west, south, east, north = bounds
    to_degrees = Transformer.from_crs(crs, WGS84, always_xy=True)
    box: Extent = to_degrees.transform_bounds(west, south, east, north)
    return box
