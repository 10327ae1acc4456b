"""People per polygon: divided among zones by area, and laid out as a grid of points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from facility_coverage.errors import Fault
from facility_coverage.layers.apportioning import WHOLE, Pieces, split
from facility_coverage.layers.boundaries import ids_and_none
from facility_coverage.layers.contracts import POLYGONS, SHOWN_FAULTS, raise_faults
from facility_coverage.layers.counted import Counted
from facility_coverage.layers.people_cells import no_cells
from facility_coverage.layers.people_places import check_somewhere, place_ids, read_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from facility_coverage.config.people import Group, PolygonPopulation
    from facility_coverage.layers.contracts import SourceTable
    from facility_coverage.layers.counted import Area
    from facility_coverage.layers.model import Floats, Ints

    Shapes = npt.NDArray[np.object_]

BEYOND_ZONES, BEYOND_BOX = -1, -2
OVERLAP_SHARE = 0.01
"""Polygons may overlap by this share of the smaller one; more would count people twice."""

MOST_POINTS = 10_000_000
"""Grid points over the polygons; a district of 100 km by 100 km has a million of 100 m."""


@dataclass(frozen=True)
class PolygonPieces:
    """Pieces of polygons.

    Attributes
    ----------
    of
        Polygon and zone of each piece, -1 beyond the zones and -2 beyond the box, and its share of the polygon.
    shape
        What the piece covers, None beyond the box, shape (pieces,).
    """

    of: Pieces
    shape: Shapes


def count_polygons(population: PolygonPopulation, groups: Sequence[Group], area: Area) -> Counted:
    """Read people per polygon and lay them out.

    Raises
    ------
    LayerError
        If a count is missing, negative or no number, a polygon is invalid or lies over another, or none lies in the
        study's area.
    """
    source, counts = read_counts(population, groups, area, types=POLYGONS)
    raise_faults(_invalid(source))
    frame = _projected(source, area)
    check_somewhere(source, frame, area)
    raise_faults(_overlaps(source, frame))
    pieces = cut(frame.geometry.to_numpy(), area.zones.geometry.to_numpy(), area.box)
    counted = {name: split(values.to_numpy(dtype=np.float64), pieces.of) for name, values in counts.items()}
    away = pieces.of.zone == BEYOND_BOX
    beyond = {name: float(values[away].sum()) for name, values in counted.items()}
    everybody = np.sum(list(counted.values()), axis=0)
    kept = np.flatnonzero(~away & (everybody > 0))
    raise_faults(_too_many(pieces.shape[kept], population.cell_m, source.file))
    points = _laid_out(frame, pieces, kept, counted, population.cell_m, area.zones)
    return Counted(points, beyond, no_cells(), source.rows_read, len(np.unique(pieces.of.cell[kept])))


def _laid_out(
    frame: gpd.GeoDataFrame,
    pieces: PolygonPieces,
    kept: Ints,
    counted: dict[str, Floats],
    cell_m: float,
    zones: gpd.GeoDataFrame,
) -> pd.DataFrame:
    """Return the points of the pieces `kept`, each with an equal part of its piece's people."""
    piece, xy = lay_points(pieces.shape[kept], cell_m)
    first = np.searchsorted(piece, np.arange(len(kept)))
    size = np.diff(np.append(first, len(piece)))
    equal = Pieces(piece, np.zeros(len(piece), dtype=np.int64), 1.0 / size[piece])
    polygon = pieces.of.cell[kept[piece]]
    zone_id = pd.Series(ids_and_none(zones)[pieces.of.zone[kept[piece]]], dtype="object")
    number = pd.Series(np.arange(len(piece)) - first[piece] + 1).astype(str).str.zfill(6)
    ids = pd.Series(place_ids(frame, "t").to_numpy(dtype=object)[polygon], dtype="object")
    columns = {name: split(values[kept], equal) for name, values in counted.items()}
    points = pd.DataFrame(
        {
            "demand_id": ids + "/" + zone_id.where(zone_id.notna(), "") + "/" + number,
            "cell_id": frame.index.to_numpy(dtype=np.int64)[polygon] - 1,
            "zone_id": zone_id,
            "x_m": xy[:, 0],
            "y_m": xy[:, 1],
            **columns,
        }
    )
    return points.sort_values("demand_id").reset_index(drop=True)


def _invalid(source: SourceTable) -> list[Fault]:
    wrong = ~source.frame.geometry.is_valid.to_numpy()
    if not wrong.any():
        return []
    reason = shapely.is_valid_reason(source.frame.geometry[wrong].iloc[0])
    message = f"the polygon is invalid: {reason}" if wrong.sum() == 1 else f"the polygon is invalid (first: {reason})"
    return source.fault_rows(wrong, message, advice="repair the outline there")


def _projected(source: SourceTable, area: Area) -> gpd.GeoDataFrame:
    """Return the polygons in metres; those that projecting has bent onto themselves are made valid again."""
    frame = source.frame.to_crs(area.zones.crs)
    away = ~np.isfinite(frame.geometry.bounds.to_numpy()).all(axis=1)
    message = f"lies outside what {area.zones.crs.name} can show"
    raise_faults(source.fault_rows(away, message, advice="leave it out by `where:`, or correct its place"))
    shapes = frame.geometry.to_numpy()
    bent = ~shapely.is_valid(shapes)
    if not bent.any():
        return frame
    shapes = shapes.copy()
    shapes[bent] = _polygonal(shapely.make_valid(shapes[bent]))
    return frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))


def _overlaps(source: SourceTable, frame: gpd.GeoDataFrame) -> list[Fault]:
    """Return a fault for each polygon that lies over an earlier one."""
    shapes = frame.geometry.to_numpy()
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    first, second = first[first < second], second[first < second]
    over = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    size = shapely.area(shapes)
    wrong = np.flatnonzero(over > OVERLAP_SHARE * np.minimum(size[first], size[second]))
    wrong = wrong[np.lexsort((first[wrong], second[wrong]))]
    advice = "keep one of them: people there would be counted twice"
    label = frame.index
    faults = [
        source.fault(label[second[pair]], f"lies over row {label[first[pair]]} by {over[pair]:,.0f} m²", advice=advice)
        for pair in wrong[:SHOWN_FAULTS]
    ]
    more = len(wrong) - SHOWN_FAULTS
    return faults if more <= 0 else [*faults, Fault(source.file, f"{more} more pairs of polygons lie over each other")]


def cut(shapes: Shapes, zones: Shapes, box: shapely.Geometry) -> PolygonPieces:
    """Cut polygons along zones and the box.

    Parameters
    ----------
    shapes
        Valid polygons, metres, shape (polygons,).
    zones
        Polygons that do not overlap, shape (zones,).
    box
        What the study reads; it holds every zone.

    Returns
    -------
    PolygonPieces
        Sorted by polygon, then zone, what lies beyond the zones and beyond the box last. The shares of a polygon sum to
        1; shares up to 1e-6, the errors of digitising, fall to the others.
    """
    inside_zone, inside = shapely.STRtree(shapes).query(zones, predicate="contains")
    inside, first = np.unique(inside, return_index=True)
    crossing = np.setdiff1d(np.arange(len(shapes)), inside)
    tree = shapely.STRtree(shapes[crossing])
    zone, at = tree.query(zones, predicate="intersects")
    order = np.lexsort((zone, at))
    zone, at = zone[order], at[order]
    within = _polygonal(shapely.intersection(shapes[crossing[at]], zones[zone]))
    rest = shapely.difference(shapes[crossing], _united(within, at, len(crossing)))
    near = _polygonal(shapely.intersection(rest, box))
    missing = np.maximum(shapely.area(rest) - shapely.area(near), 0.0)
    count = len(crossing)
    polygon = np.concatenate([inside, crossing[at], crossing, crossing])
    zone = np.concatenate([inside_zone[first], zone, np.full(count, BEYOND_ZONES), np.full(count, BEYOND_BOX)])
    shape = np.concatenate([shapes[inside], within, near, np.full(count, None, dtype=object)])
    size = np.concatenate([shapely.area(shapes[inside]), shapely.area(within), shapely.area(near), missing])
    return _sorted_pieces(polygon, zone, shape, size / shapely.area(shapes)[polygon])


def _sorted_pieces(polygon: Ints, zone: Ints, shape: Shapes, share: Floats) -> PolygonPieces:
    kept = share > WHOLE
    polygon, zone, shape, share = polygon[kept], zone[kept], shape[kept], share[kept]
    order = np.lexsort((np.abs(zone), zone < 0, polygon))  # zones rise, then come -1 and -2
    polygon, zone, shape, share = polygon[order], zone[order], shape[order], share[order]
    whole = np.bincount(polygon, weights=share)
    return PolygonPieces(Pieces(polygon, zone.astype(np.int64), share / whole[polygon]), shape)


def _polygonal(shapes: Shapes) -> Shapes:
    """Return only what is polygons: outlines that merely touch meet in lines and points."""
    parts, index = shapely.get_parts(shapes, return_index=True)
    nested, at = shapely.get_parts(parts, return_index=True)
    index = index[at]
    solid = shapely.get_type_id(nested) == shapely.GeometryType.POLYGON
    out = np.full(len(shapes), shapely.MultiPolygon(), dtype=object)
    if solid.any():
        found = np.unique(index[solid])
        out[found] = shapely.multipolygons(nested[solid], indices=np.searchsorted(found, index[solid]))
    return out


def _united(pieces: Shapes, of: Ints, count: int) -> Shapes:
    """Return the union of the pieces of each polygon, shape (count,)."""
    parts, index = shapely.get_parts(pieces, return_index=True)
    out = np.full(count, shapely.MultiPolygon(), dtype=object)
    if len(parts):
        found, position = np.unique(of[index], return_inverse=True)
        order = np.argsort(position, kind="stable")
        together = shapely.geometrycollections(parts[order], indices=position[order])
        out[found] = shapely.union_all(together[:, None], axis=1)
    return out


def _too_many(shapes: Shapes, cell_m: float, file: str) -> list[Fault]:
    if not len(shapes):
        return []
    west, south, east, north = shapely.total_bounds(shapes)
    count = ((east - west) / cell_m + 1) * ((north - south) / cell_m + 1)
    if count <= MOST_POINTS:
        return []
    message = f"a grid of {cell_m:g} m has {count:,.0f} points over the polygons, more than {MOST_POINTS:,}"
    return [Fault(file, message, advice="choose a larger `cell_m:`")]


def lay_points(shapes: Shapes, cell_m: float) -> tuple[Ints, Floats]:
    """Lay a regular grid into polygons.

    Parameters
    ----------
    shapes
        Polygons, metres, shape (polygons,).
    cell_m
        Size of the grid's cells; the grid is the same for all studies in one reference system.

    Returns
    -------
    tuple
        Polygon of each point, increasing, shape (points,), and its easting and northing, shape (points, 2): the centres
        of cells that lie in the polygon or on its edge, north to south, west to east. A polygon without any has one
        point on its surface.
    """
    if not len(shapes):
        return np.empty(0, dtype=np.int64), np.empty((0, 2))
    west, south, east, north = np.floor(np.asarray(shapely.total_bounds(shapes)) / cell_m)
    x = (np.arange(west, east + 1) + 0.5) * cell_m
    y = (np.arange(north, south - 1, -1) + 0.5) * cell_m
    xy = np.column_stack([np.tile(x, len(y)), np.repeat(y, len(x))])
    piece, node = shapely.STRtree(shapely.points(xy)).query(shapes, predicate="intersects")
    empty = np.setdiff1d(np.arange(len(shapes)), piece)
    spots = shapely.get_coordinates(shapely.point_on_surface(shapes[empty]))
    piece, node = np.concatenate([piece, empty]), np.concatenate([node, len(xy) + np.arange(len(empty))])
    order = np.lexsort((node, piece))
    return piece[order], np.concatenate([xy, spots])[node[order]]
