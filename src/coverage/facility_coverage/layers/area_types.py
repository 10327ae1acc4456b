"""What makes a zone urban or rural: settlement classes of a raster, or the density of people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyproj
import rasterio
import rasterio.errors
import rasterio.windows
from scipy import ndimage

from facility_coverage.errors import Fault, LayerError, said_by
from facility_coverage.layers.contracts import raise_faults
from facility_coverage.layers.counted import TOTAL
from facility_coverage.layers.crs import project_xy
from facility_coverage.layers.gdal import open_raster
from facility_coverage.layers.tables import shown_path

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt

    from facility_coverage.config.people import AreaTypes
    from facility_coverage.layers.model import Floats

    Bools = npt.NDArray[np.bool_]

# The Degree of Urbanisation: Eurostat and others, Applying the Degree of Urbanisation - A methodological manual to
# define cities, towns and rural areas for international comparisons, 2021 edition, doi 10.2785/706535.
CELL_M = 1000.0
CENTRE_PER_KM2, CENTRE_PEOPLE = 1500.0, 50_000.0
CLUSTER_PER_KM2, CLUSTER_PEOPLE = 300.0, 5_000.0

URBAN_SHARE = 0.5
"""A zone is rural where more than half of its people are (same source)."""

KNOWN_SHARE = 0.5
"""Least share of a zone's people whose class must be known."""


def type_zones(
    choice: AreaTypes, points: pd.DataFrame, zones: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return the zones with their area types, and how these came about.

    Parameters
    ----------
    choice
        What decides.
    points
        People as counted, before control totals: `zone_id`, `x_m`, `y_m`, `total`; those beyond the zones count for
        the clusters of density.
    zones
        In the metric reference system.

    Returns
    -------
    tuple
        Zones with `area_type`; and a row per zone: `zone_id`, `area_type`, `total`, `known_share` (people whose class
        is known), `urban_share` (of those), `centre_share` (in urban centres, by density only). Without rows where the
        zones' own column decides.

    Raises
    ------
    LayerError
        If the raster is faulty, or nobody lives in a zone, or too few of its people have a class.
    """
    if choice.origin == "column":
        return zones, pd.DataFrame()
    xy = points[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    people = points[TOTAL].to_numpy(dtype=np.float64)
    centre = np.full(len(points), np.nan)
    if choice.path is not None:
        file = shown_path(choice.path)
        urban = classes_at(choice, xy, zones.crs)
    else:
        file = "area_types"
        in_centre, in_cluster = settled(xy, people)
        centre, urban = in_centre.astype(np.float64), in_cluster.astype(np.float64)
    table = (
        _shares(points["zone_id"], people, urban, centre).reindex(zones["zone_id"]).rename_axis("zone_id").reset_index()
    )
    raise_faults(_unknown(table, file))
    table.insert(1, "area_type", np.where(table["urban_share"] >= URBAN_SHARE, "urban", "rural"))
    return zones.assign(area_type=table["area_type"].to_numpy(dtype=object)), table


def _shares(zone_id: pd.Series, people: Floats, urban: Floats, centre: Floats) -> pd.DataFrame:
    known = ~np.isnan(urban)
    frame = pd.DataFrame(
        {
            "zone_id": zone_id.to_numpy(dtype=object),
            TOTAL: people,
            "known": np.where(known, people, 0.0),
            "urban": people * np.where(known, urban, 0.0),
            "centre": people * centre,
        }
    )
    sums = frame[frame["zone_id"].notna()].groupby("zone_id").sum(min_count=1)
    known_sum = sums["known"].where(sums["known"] > 0)
    return pd.DataFrame(
        {
            TOTAL: sums[TOTAL],
            "known_share": sums["known"] / sums[TOTAL].where(sums[TOTAL] > 0),
            "urban_share": sums["urban"] / known_sum,
            "centre_share": sums["centre"] / known_sum,
        }
    )


def _unknown(table: pd.DataFrame, file: str) -> list[Fault]:
    faults = []
    for zone, people, known in zip(table["zone_id"], table[TOTAL], table["known_share"], strict=True):
        if not people > 0:
            advice = "give the zones a column area_type, or leave this one out"
            faults.append(Fault(file, f"nobody lives in zone {zone!r}: its people give no area type", advice=advice))
        elif not known >= KNOWN_SHARE:
            message = f"only {known:.0%} of the people of zone {zone!r} have a class"
            faults.append(Fault(file, message, advice="use a raster that covers the zones"))
    return faults


def classes_at(choice: AreaTypes, xy: Floats, crs: pyproj.CRS) -> Floats:
    """Return 1 where a raster's class is urban, 0 where it is another and NaN where none is known, shape (points,).

    Raises
    ------
    LayerError
        If the raster is unreadable, has several bands or no reference system, or holds no classes.
    """
    if choice.path is None:
        raise ValueError("no raster of classes is named")
    file = shown_path(choice.path)
    if not choice.path.is_file():
        raise LayerError([Fault(file, "no such file")])
    try:
        with open_raster(choice.path) as raster:
            raise_faults(_class_faults(raster, file))
            x, y = project_xy(xy[:, 0], xy[:, 1], source=crs, target=pyproj.CRS.from_user_input(raster.crs))
            to_cell = ~raster.transform
            col = np.floor(to_cell.a * x + to_cell.b * y + to_cell.c)
            row = np.floor(to_cell.d * x + to_cell.e * y + to_cell.f)
            on = (row >= 0) & (row < raster.height) & (col >= 0) & (col < raster.width)
            urban = np.full(len(xy), np.nan)
            if on.any():
                top, left = int(row[on].min()), int(col[on].min())
                window = rasterio.windows.Window(left, top, int(col[on].max()) - left + 1, int(row[on].max()) - top + 1)
                band = raster.read(1, window=window, masked=True)
                at = (row[on].astype(np.int64) - top, col[on].astype(np.int64) - left)
                known = ~np.ma.getmaskarray(band)[at]
                urban[on] = np.where(known, np.isin(band.data[at], choice.urban), np.nan)
    except rasterio.errors.RasterioIOError as error:
        raise LayerError([Fault(file, f"cannot be read: {said_by(error, choice.path)}")]) from None
    return urban


def _class_faults(raster: rasterio.DatasetReader, file: str) -> list[Fault]:
    faults = []
    if raster.crs is None:
        faults.append(Fault(file, "has no reference system", advice="write it into the file"))
    if raster.count != 1:
        faults.append(Fault(file, f"has {raster.count} bands", advice="keep the one with the classes"))
    if np.dtype(raster.dtypes[0]).kind not in "iu":
        faults.append(Fault(file, f"holds {raster.dtypes[0]}, not classes", advice="classes are whole numbers"))
    return faults


def settled(xy: Floats, people: Floats) -> tuple[Bools, Bools]:
    """Return who lives in urban centres, and who lives in urban clusters, by the Degree of Urbanisation.

    Parameters
    ----------
    xy
        Easting and northing, metres, shape (points, 2).
    people
        People at each point, shape (points,).

    Returns
    -------
    tuple
        Two arrays of shape (points,). Centres: cells of 1 km with at least 1,500 people that share sides, 50,000 people
        together. Clusters: at least 300 that share sides or corners, 5,000 together. Gaps in centres are not filled.
    """
    if not len(xy):
        return np.zeros(0, dtype=bool), np.zeros(0, dtype=bool)
    cell = np.floor(xy / CELL_M).astype(np.int64)
    cell -= cell.min(axis=0)
    grid = np.zeros(cell.max(axis=0) + 1)
    np.add.at(grid, (cell[:, 0], cell[:, 1]), people)
    sides = ndimage.generate_binary_structure(2, 1)
    corners = ndimage.generate_binary_structure(2, 2)
    centre = _clusters(grid, CENTRE_PER_KM2, CENTRE_PEOPLE, sides)
    cluster = _clusters(grid, CLUSTER_PER_KM2, CLUSTER_PEOPLE, corners)
    at = (cell[:, 0], cell[:, 1])
    return centre[at], cluster[at]


def _clusters(grid: Floats, per_km2: float, least: float, touching: Bools) -> Bools:
    label, _ = ndimage.label(grid >= per_km2, structure=touching)
    people = np.bincount(label.ravel(), weights=grid.ravel())
    large = people >= least
    large[0] = False
    found: Bools = large[label]
    return found
