"""People as a source counts them, before groups by share, area types and control totals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from shapely.geometry.base import BaseGeometry

TOTAL = "total"
"""Column of everybody."""


@dataclass(frozen=True)
class Area:
    """Where a study looks for people: its zones, its outline and the box it reads, all in metres."""

    zones: gpd.GeoDataFrame
    zones_file: str
    boundary: BaseGeometry
    box: BaseGeometry


@dataclass(frozen=True)
class Counted:
    """People at points, as counted.

    Attributes
    ----------
    points
        `demand_id`, `cell_id`, `zone_id` (None beyond the zones), `x_m`, `y_m`, `total` and the groups counted on their
        own.
    beyond_margin
        People of the source beyond the box, by column.
    cells
        As in `Demand.cells`.
    rows_read, rows_kept
        Cells, points or polygons of the source, and those within the box.
    """

    points: pd.DataFrame
    beyond_margin: dict[str, float]
    cells: pd.DataFrame
    rows_read: int
    rows_kept: int
