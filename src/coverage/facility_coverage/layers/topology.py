"""How zones fit together: overlaps, gaps and borders that run apart are found, measured and, on request, repaired."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from facility_coverage.layers.model import Floats, Ints

    Shapes = np.ndarray[tuple[int], np.dtype[np.object_]]

LISTED_M2 = 1.0
"""Overlaps and gaps are listed from this area on."""

CHANGED_M2 = 0.01
"""A repaired zone is listed if its area changed by more than this."""

FIT_M = 0.01
"""Borders this near to each other fit: projecting straight lines bends them by about as much."""

_WIDTH_TOLERANCE_M = 1e-4
_TOUCH_M = 1e-3

COLUMNS = ("kind", "zones", "area_m2", "width_m", "length_m", "repaired")


def polygons_of(shapes: Shapes) -> Shapes:
    """Return valid polygons in place of any shapes; lines and points that making them valid leaves are dropped.

    Rings that run over themselves enclose what they enclose at least once.

    Examples
    --------
    >>> bow = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    >>> polygons_of(np.array([bow], dtype=object))[0].area
    2.0
    """
    valid = shapely.is_valid(shapes) & np.isin(shapely.get_type_id(shapes), (3, 6))
    made = np.where(valid, shapes, shapely.make_valid(shapes, method="structure", keep_collapsed=False))
    parts, owner = shapely.get_parts(made, return_index=True)
    wrapped = np.flatnonzero(shapely.get_type_id(made) == 7)
    if not len(wrapped):
        whole: Shapes = made
        return whole
    areal = np.isin(shapely.get_type_id(parts), (3, 6)) & np.isin(owner, wrapped)
    united = made.copy()
    united[wrapped] = shapely.MultiPolygon()
    for one in np.unique(owner[areal]):  # the few zones whose repair left more than polygons
        united[one] = shapely.union_all(parts[areal & (owner == one)])
    return united


def width_m(shapes: Shapes) -> Floats:
    """Return the width of polygons where they are widest: the diameter of the largest circle inside, shape (shapes,).

    It is the depth at which eating into a polygon from all sides leaves nothing, found by halving.

    Examples
    --------
    >>> width_m(np.array([shapely.box(0, 0, 5, 300)])).round(1)
    array([5.])
    """
    low, high = np.zeros(len(shapes)), np.sqrt(shapely.area(shapes) / np.pi)
    while len(shapes) and (high - low).max() > _WIDTH_TOLERANCE_M / 2:
        middle = (low + high) / 2
        left = ~shapely.is_empty(shapely.buffer(shapes, -middle))
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    widths: Floats = low + high
    return widths


def overlaps(zones: gpd.GeoDataFrame, *, least_m2: float = 0.0) -> pd.DataFrame:
    """Return pairs of zones that share ground.

    Parameters
    ----------
    zones
        Valid polygons in metres, sorted by `zone_id`.
    least_m2
        Smaller ones are left out.

    Returns
    -------
    pandas.DataFrame
        `first`, `second` (positions, first < second), `area_m2`, `width_m` (of the widest part); sorted by the two.
    """
    shapes = zones.geometry.to_numpy()
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = first < second
    first, second = first[once], second[once]
    shared = shapely.intersection(shapes[first], shapes[second])
    area = shapely.area(shared)
    kept = area > least_m2
    parts, owner = shapely.get_parts(shared[kept], return_index=True)
    areal = shapely.get_type_id(parts) == 3
    widest = np.zeros(int(kept.sum()))
    np.maximum.at(widest, owner[areal], width_m(parts[areal]))
    table = pd.DataFrame({"first": first[kept], "second": second[kept], "area_m2": area[kept], "width_m": widest})
    return table.sort_values(["first", "second"], ignore_index=True)


def gaps(zones: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the holes that zones enclose and that belong to none of them.

    Returns
    -------
    geopandas.GeoDataFrame
        `area_m2`, `width_m`, the hole; from west to east.
    """
    union = zones.geometry.union_all()
    # Zones that touch in two points enclose ground that is no hole of any polygon; faces of the rim find it.
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(shapely.node(shapely.boundary(union)))))
    shapely.prepare(union)
    nobodys = ~shapely.contains_properly(union, shapely.point_on_surface(faces))
    parts = faces[nobodys & (shapely.area(faces) > LISTED_M2)]
    order = np.lexsort(shapely.bounds(parts).T[::-1])
    holes = parts[order]
    table = {"area_m2": shapely.area(holes), "width_m": width_m(holes)}
    return gpd.GeoDataFrame(table, geometry=holes, crs=zones.crs)


def misfits(zones: gpd.GeoDataFrame, *, sliver_width_m: float, repair: bool) -> pd.DataFrame:
    """Return where zones do not fit together.

    Parameters
    ----------
    zones
        Valid polygons in metres, sorted by `zone_id`.
    sliver_width_m
        Up to this width, overlaps and gaps are slivers.
    repair
        Whether slivers are about to be repaired.

    Returns
    -------
    pandas.DataFrame
        One row per misfit: `kind` (``overlap``, ``gap``, or ``open_gap``: borders side by side that leave a sliver
        open to the outside, which has no area of its own), `zones` (ids, joined by a comma), `area_m2`, `width_m`,
        `length_m` (open gaps only: of the zone's border), `repaired`.
    """
    ids, shapes = zones["zone_id"].to_numpy(dtype=object), zones.geometry.to_numpy()
    shared, holes = overlaps(zones, least_m2=LISTED_M2), gaps(zones)
    hole, zone = shapely.STRtree(shapes).query(holes.geometry.to_numpy(), predicate="dwithin", distance=_TOUCH_M)
    beside = [", ".join(sorted(ids[zone[hole == i]])) for i in range(len(holes))]
    pairs = [f"{ids[i]}, {ids[j]}" for i, j in zip(shared["first"], shared["second"], strict=True)]
    apart_m = _apart_m(shapes, holes, sliver_width_m)
    apart = np.flatnonzero(apart_m > sliver_width_m)
    parts = [
        pd.DataFrame({"kind": "overlap", "zones": pairs, "area_m2": shared["area_m2"], "width_m": shared["width_m"]}),
        pd.DataFrame({"kind": "gap", "zones": beside, "area_m2": holes["area_m2"], "width_m": holes["width_m"]}),
        pd.DataFrame({"kind": "open_gap", "zones": ids[apart], "length_m": apart_m[apart]}),
    ]
    table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    table = table.reindex(columns=list(COLUMNS))
    mended = (table["kind"] == "overlap") | ((table["kind"] == "gap") & (table["width_m"] <= sliver_width_m))
    return table.assign(repaired=repair & mended)


def _apart_m(shapes: Shapes, holes: gpd.GeoDataFrame, sliver_width_m: float) -> Floats:
    """Return the length of each zone's border that runs beside a neighbour's without meeting it, metres.

    Borders of enclosed gaps and of overlaps are not among them, nor pieces that lie within `FIT_M` of the neighbour at
    their middle.
    """
    near, crossed = (shapely.coverage_invalid_edges(shapes, gap_width=width) for width in (sliver_width_m, 0.0))
    lines, zone = shapely.get_parts(shapely.difference(near, crossed), return_index=True)
    xy, line = shapely.get_coordinates(lines, return_index=True)
    pieces = np.flatnonzero(line[1:] == line[:-1])
    owner = zone[line[pieces]]
    middles = shapely.points((xy[pieces] + xy[pieces + 1]) / 2)
    piece, other = shapely.STRtree(shapes).query(middles, predicate="dwithin", distance=FIT_M)
    rims = shapely.boundary(holes.geometry.to_numpy())
    enclosed, _ = shapely.STRtree(rims).query(middles, predicate="dwithin", distance=_TOUCH_M)
    apart = np.ones(len(pieces), dtype=bool)
    apart[piece[other != owner[piece]]] = False
    apart[enclosed] = False
    length_m = np.hypot(*(xy[pieces + 1] - xy[pieces]).T)
    return np.bincount(owner[apart], weights=length_m[apart], minlength=len(shapes)).astype(np.float64)


def beyond(zones: gpd.GeoDataFrame, boundary: BaseGeometry, *, tolerance_share: float) -> pd.DataFrame:
    """Return the zones that reach beyond the outline of the study by more than a share of their area.

    Returns
    -------
    pandas.DataFrame
        Rows of `COLUMNS` of the kind ``beyond_boundary``.
    """
    shapes = zones.geometry.to_numpy()
    area = shapely.area(shapely.difference(shapes, boundary))
    out = area > np.maximum(LISTED_M2, tolerance_share * shapely.area(shapes))
    rows = {"kind": "beyond_boundary", "zones": zones["zone_id"].to_numpy(dtype=object)[out], "area_m2": area[out]}
    return pd.DataFrame(rows).reindex(columns=list(COLUMNS)).assign(repaired=False)


def repaired(zones: gpd.GeoDataFrame, *, sliver_width_m: float) -> gpd.GeoDataFrame:
    """Return zones that fit: narrow overlaps and gaps are given to the neighbour with the longest common border.

    Parameters
    ----------
    zones
        Valid polygons in metres, sorted by `zone_id`, that overlap nowhere by more than the width.
    sliver_width_m
        No gap wider than this is filled.
    """
    fitting = shapely.coverage_clean(zones.geometry.to_numpy(), gap_width=sliver_width_m)
    return zones.set_geometry(gpd.GeoSeries(fitting, index=zones.index, crs=zones.crs))


def repairs(before: gpd.GeoDataFrame, after: gpd.GeoDataFrame, reasons: Sequence[str]) -> pd.DataFrame:
    """Return what a repair changed, zone by zone.

    Parameters
    ----------
    before, after
        The same zones in metres, in the same order; those of `before` as read, rings invalid or not.
    reasons
        What was wrong with each zone's rings, empty where nothing was.

    Returns
    -------
    pandas.DataFrame
        `zone_id`, `name`, `ring`, `area_before_m2` (NaN where the ring was invalid: it encloses no area that all
        would agree on), `area_after_m2`.
    """
    ring = np.array(reasons, dtype=object)
    area_before = np.where(ring == "", shapely.area(before.geometry.to_numpy()), np.nan)
    table = pd.DataFrame(
        {
            "zone_id": after["zone_id"].to_numpy(),
            "name": after["name"].to_numpy(),
            "ring": ring,
            "area_before_m2": area_before,
            "area_after_m2": shapely.area(after.geometry.to_numpy()),
        }
    )
    same = (table["area_after_m2"] - table["area_before_m2"]).abs() <= CHANGED_M2
    return table[~same].reset_index(drop=True)


def vanished(zones: gpd.GeoDataFrame) -> Ints:
    """Return the positions of zones of which a repair would leave nothing."""
    return np.flatnonzero(shapely.is_empty(zones.geometry.to_numpy()))
