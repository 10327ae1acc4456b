"""Districts and zones that tile each other with shared vertices and keep to ridges and rivers."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy import ndimage
from scipy.sparse import csgraph

from facility_coverage.layers.model import Floats, Ints
from facility_coverage.sample.frame import Grid, metres, stream, to_lonlat, to_metres
from facility_coverage.sample.pathways import chains, step_graph
from facility_coverage.sample.terrain import Terrain
from facility_coverage.sample.towns import DISTRICTS, TOWNS

YONGCHUAN_AREA_KM2 = 1579.0
# A rough hand-drawn outline, in km; noise and the target area give it its final shape.
OUTLINE_KM = (
    (-5, 23), (0, 22.5), (5, 17), (8.5, 13), (12, 9.5), (15.5, 7.5), (15, 0), (16.5, -6), (12.5, -10.5), (13.5, -17),
    (10, -22.5), (11.5, -27.5), (6, -33.5), (2, -36.2), (-3.5, -38.5), (-7, -41), (-11.5, -41.3), (-12.5, -37.5),
    (-14.5, -32), (-15, -27.5), (-19.5, -26), (-23.5, -21), (-22.5, -15), (-24.5, -9), (-24, -1), (-25.5, 4),
    (-20, 8.5), (-17.5, 11.5), (-14, 12.5), (-12.5, 18.5),
)  # fmt: skip
# The strip of neighbouring Luzhou lies south and west of this place; its ends are rounded over some kilometres.
STRIP_CORNER_KM = (-2.8, -8.6)
STRIP_END_KM = 4.5
STRIP_WIDTH_M = 7_300.0


def build_zones(terrain: Terrain) -> gpd.GeoDataFrame:
    """Return the zones in longitude and latitude: zone_id, name, area_type, district_id, district, shares, geometry."""
    labels = _labels(terrain)
    faces = _faces(terrain.coarse, labels)
    town_of = labels.ravel()[terrain.coarse.cell(np.column_stack([faces.x, faces.y]))]
    towns = [TOWNS[t] for t in range(len(TOWNS))]
    geometry = [shapely.coverage_union_all(np.asarray(faces.polygon)[town_of == t]) for t in range(len(towns))]
    return gpd.GeoDataFrame(
        {
            "zone_id": [t.zone_id for t in towns],
            "name": [t.name for t in towns],
            "area_type": ["urban" if t.urban else "rural" for t in towns],
            "district_id": [t.district_id for t in towns],
            "district": [DISTRICTS[t.district_id] for t in towns],
            "share_60_plus": [t.share_60_plus for t in towns],
            "share_0_2": [t.share_0_2 for t in towns],
        },
        geometry=[max(shapely.get_parts(g), key=shapely.area) for g in geometry],
        crs="EPSG:4326",
    )


def build_districts(zones: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the districts as the exact unions of their zones: district_id, name, geometry."""
    ids = list(DISTRICTS)
    geometry = [shapely.coverage_union_all(zones.geometry[zones["district_id"] == i].to_numpy()) for i in ids]
    return gpd.GeoDataFrame({"district_id": ids, "name": list(DISTRICTS.values())}, geometry=geometry, crs="EPSG:4326")


def _labels(terrain: Terrain) -> npt.NDArray[np.int64]:
    """Return the number of the town of each coarse cell, -1 beyond the districts, shape (rows, cols)."""
    grid = terrain.coarse
    inside = _yongchuan(grid)
    strip = _strip(grid, inside)
    rough = 1.0 + 0.35 * np.abs(grid.noise(stream("borders"), 1_200))
    height = terrain.coarse_m - ndimage.minimum_filter(terrain.coarse_m, 41)
    factor = (1.0 + (height / 90.0) ** 2) * rough * np.where(terrain.wet > 0, 6.0, 1.0)
    labels = np.full(grid.shape, -1, dtype=np.int64)
    for region, district_ids in ((inside, {"500118"}), (strip, set(DISTRICTS) - {"500118"})):
        graph = step_graph(terrain.coarse_m, grid, factor, region, diagonal=False)
        numbers = np.asarray([i for i, town in enumerate(TOWNS) if town.district_id in district_ids])
        seats = grid.cell(metres([TOWNS[i].seat_km for i in numbers]))
        _, _, source = csgraph.dijkstra(graph, indices=seats, min_only=True, return_predecessors=True)
        town = np.full(grid.rows * grid.cols + 1, -1)
        town[seats] = numbers
        found = town[np.where(source < 0, -1, source)].reshape(grid.shape)
        labels = np.where(region, found, labels)
    return labels


def _yongchuan(grid: Grid) -> npt.NDArray[np.bool_]:
    rng = stream("outline")
    east, north = grid.km()
    east = east + 0.75 * grid.noise(rng, 5_000) + 0.30 * grid.noise(rng, 1_800)
    north = north + 0.75 * grid.noise(rng, 5_000) + 0.30 * grid.noise(rng, 1_800)
    outline = np.asarray(OUTLINE_KM, dtype=np.float64)
    centre = outline.mean(axis=0)
    scale = 1.0
    for _ in range(4):
        polygon = shapely.Polygon((outline - centre) * scale + centre)
        mask = _largest(shapely.contains_xy(polygon, east, north))
        scale *= float(np.sqrt(YONGCHUAN_AREA_KM2 / (mask.sum() * (grid.size_m / 1000.0) ** 2)))
    return mask


def _strip(grid: Grid, inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    east, north = grid.km()
    rng = stream("strip")
    away = ndimage.distance_transform_edt(~inside) * grid.size_m
    wavy = away + 420.0 * grid.noise(rng, 4_500) + 160.0 * grid.noise(rng, 1_500)
    east = east + 0.55 * grid.noise(rng, 4_000) + 0.22 * grid.noise(rng, 1_500)
    north = north + 0.55 * grid.noise(rng, 4_000) + 0.22 * grid.noise(rng, 1_500)
    ends = _eased(STRIP_CORNER_KM[0] - east) * _eased(STRIP_CORNER_KM[1] - north)
    return _largest(~inside & (wavy < STRIP_WIDTH_M * ends) & (ends > 0.0))


def _eased(inward_km: Floats) -> Floats:
    """Return the share of its width that the strip has so far from its end: a quarter of an ellipse."""
    left = 1.0 - np.clip(inward_km / STRIP_END_KM, 0.0, 1.0)
    return np.asarray(np.sqrt(1.0 - left**2))


def _largest(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    labels, _ = ndimage.label(ndimage.binary_fill_holes(ndimage.binary_opening(mask, iterations=2)))
    return np.asarray(labels == np.bincount(labels[labels > 0]).argmax())


def _faces(grid: Grid, labels: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Return the smooth faces between the borders of the labels, with a place in metres inside each."""
    corners = grid.cols + 1
    steps = _border_steps(labels, corners)
    degree = np.bincount(steps.ravel(), minlength=(grid.rows + 1) * corners)
    arcs = []
    for chain in chains(steps, degree != 2):
        row, col = np.divmod(chain, corners)
        xy = np.column_stack([grid.west_m + col * grid.size_m, grid.north_m - row * grid.size_m])
        arcs.append(_smooth_arc(xy))
    polygons = shapely.get_parts(shapely.polygonize([shapely.LineString(to_lonlat(arc)) for arc in arcs]))
    xy = to_metres(shapely.get_coordinates(shapely.point_on_surface(polygons)))
    return pd.DataFrame({"x": xy[:, 0], "y": xy[:, 1], "polygon": list(polygons)})


def _border_steps(labels: npt.NDArray[np.int64], corners: int) -> Ints:
    framed = np.pad(labels, 1, constant_values=-1)
    rows, cols = np.nonzero(framed[1:, 1:-1] != framed[:-1, 1:-1])
    level = np.column_stack([rows * corners + cols, rows * corners + cols + 1])
    rows, cols = np.nonzero(framed[1:-1, 1:] != framed[1:-1, :-1])
    upright = np.column_stack([rows * corners + cols, (rows + 1) * corners + cols])
    return np.vstack([level, upright])


def _smooth_arc(xy: Floats) -> Floats:
    """Round the stairs of an arc off; its ends stay."""
    if len(xy) > 3:
        closed = bool((xy[0] == xy[-1]).all())
        inner = np.column_stack([ndimage.gaussian_filter1d(v, 2.2, mode="wrap" if closed else "nearest") for v in xy.T])
        ease = np.clip(np.minimum(np.arange(len(xy)), np.arange(len(xy))[::-1]) / 4.0, 0.0, 1.0)[:, None]
        xy = inner if closed else inner * ease + xy * (1.0 - ease)
        if closed:
            xy[-1] = xy[0]
    return np.asarray(shapely.get_coordinates(shapely.simplify(shapely.LineString(xy), 12.0)))
