"""Barriers: rivers, railways and walls that no access leg may cross."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from facility_coverage.errors import LayerError
from facility_coverage.layers.contracts import LINES, POLYGONS, SourceTable, check_geometry, raise_faults
from facility_coverage.layers.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pyproj
    from shapely.geometry.base import BaseGeometry

    from facility_coverage.config.study import Table
    from facility_coverage.errors import Fault


@dataclass(frozen=True)
class BarrierLayer:
    """What access legs may not cross, and what became of the files.

    Attributes
    ----------
    frame
        Lines and polygons, one column `geometry`, in an order that does not depend on the files'.
    rows
        File, rows read and rows kept of each table.
    repaired_count
        Polygons that crossed themselves, and were taken apart where they do.
    """

    frame: gpd.GeoDataFrame
    rows: list[tuple[str, int, int]]
    repaired_count: int

    @property
    def reports(self) -> dict[str, dict[str, float]]:
        """What reading changed, for the passport; nothing where there is no barrier."""
        return {"barriers": {"repaired_polygon_count": self.repaired_count}} if self.rows else {}


def read_barriers(tables: Sequence[Table], box: BaseGeometry, *, crs: pyproj.CRS) -> BarrierLayer:
    """Read lines and polygons, project them and cut them at the edge of a box.

    Parameters
    ----------
    tables
        Where they are; none is no barrier.
    box
        Where access legs may lie, metres.
    crs
        The metric reference system.

    Raises
    ------
    LayerError
        If a table cannot be read, holds anything but lines and polygons, or lies where the reference system cannot
        show it; with the faults of all tables.
    """
    faults: list[Fault] = []
    shapes: list[npt.NDArray[np.object_]] = []
    rows, repaired_count = [], 0
    for table in tables:
        try:
            source = read_table(table, role="barriers")
            raise_faults(check_geometry(source, (*LINES, *POLYGONS), what="a barrier"))
            projected = _projected(source, crs)
        except LayerError as error:
            faults += error.faults
            continue
        sound = shapely.is_valid(projected)
        near, row = _cut(np.where(sound, projected, shapely.make_valid(projected)), box)
        shapes.append(near)
        rows.append((source.file, source.rows_read, len(np.unique(row))))
        is_polygon = np.isin(source.frame.geom_type, POLYGONS)
        repaired_count += int((~sound & is_polygon)[np.unique(row)].sum())
    raise_faults(faults)
    every = np.concatenate([np.empty(0, dtype=object), *shapes])
    order = np.argsort(shapely.to_wkb(every), kind="stable")
    return BarrierLayer(gpd.GeoDataFrame(geometry=every[order], crs=crs), rows, repaired_count)


def _projected(source: SourceTable, crs: pyproj.CRS) -> npt.NDArray[np.object_]:
    geometry: npt.NDArray[np.object_] = source.frame.geometry.to_crs(crs).to_numpy()
    nowhere = ~np.isfinite(shapely.bounds(geometry)).all(axis=1)
    advice = "keep only the shapes of the study's area"
    raise_faults(source.fault_rows(nowhere, f"lies outside what {crs.name} can show", advice=advice))
    return geometry


def _cut(geometry: npt.NDArray[np.object_], box: BaseGeometry) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int64]]:
    """Return the single lines and polygons within the box, and the row that each comes from."""
    west, south, east, north = shapely.bounds(geometry).T
    low_x, low_y, high_x, high_y = box.bounds
    inside = (west >= low_x) & (south >= low_y) & (east <= high_x) & (north <= high_y)
    cut = geometry.copy()
    cut[~inside] = shapely.intersection(geometry[~inside], box)
    # Repairing and cutting leave collections, and points where a shape only touches the box: points bar nobody.
    parts, row = shapely.get_parts(cut, return_index=True)
    parts, part = shapely.get_parts(parts, return_index=True)
    extended = shapely.get_dimensions(parts) > 0
    extended &= ~shapely.is_empty(parts)
    return parts[extended], row[part][extended].astype(np.int64)
