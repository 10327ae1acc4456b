"""Hills and water: parallel folds from north-east to south-west, and the Yangtze in the south."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import rasterio.features
import shapely
from affine import Affine
from scipy import ndimage
from scipy.sparse import csgraph

from facility_coverage.layers.model import Floats
from facility_coverage.sample.frame import EXTENT_KM, Grid, metres, smooth_line, stream
from facility_coverage.sample.pathways import step_graph, trace
from facility_coverage.sample.towns import TOWNS

# Across strike, from and to along strike, all in km; height over the valley in m; half width in km.
RIDGES = (
    (-21.0, -12, 6, 190, 0.9),
    (-12.6, -13, 6, 330, 0.8),
    (-4.6, -26, 16, 480, 0.95),
    (6.6, -30, 3, 390, 0.9),
    (9.5, 4, 20, 430, 0.9),
    (13.2, -22, -4, 250, 0.8),
    (18.0, -22, 6, 300, 0.9),
    (-14.0, -34, -21, 220, 0.8),
    (5.5, -52, -38, 210, 0.8),
    (19.5, -40, -30, 240, 0.9),
)
YANGTZE_KM = (
    (-40, -46), (-34, -44.5), (-28, -46.6), (-22, -47.2), (-17.5, -43.6), (-13, -40.6), (-9.5, -38.6), (-5.5, -37.6),
    (-3.4, -34.6), (-0.6, -32.6), (3.4, -33.6), (7.2, -34.4), (10.5, -31.8), (15, -30.2), (19, -31), (24, -28.5),
)  # fmt: skip
# Name, course by way points in km, half width in m at source and mouth.
RIVERS: tuple[tuple[str, tuple[tuple[float, float], ...], float, float], ...] = (
    ("临江河", ((-4.4, 5.0), (-1.2, 0.4), (3.6, -4.6), (6.4, -14.0), (7.6, -23.0), (8.2, -33.8)), 7, 24),
    ("九龙河", ((-8.6, -5.0), (-9.0, -14.0), (-7.6, -24.0), (-6.0, -37.6)), 5, 17),
    ("大陆溪", ((-15.0, -8.0), (-16.4, -20.0), (-14.4, -30.0), (-13.2, -40.4)), 5, 18),
    ("小安溪", ((-10.4, -1.0), (-8.8, 8.0), (-6.4, 15.0), (-3.6, 26.0)), 5, 16),
)
RESERVOIRS = (
    ("卫星湖", (-1.6, -10.8), 1100.0),
    ("上游水库", (-8.4, 4.4), 1000.0),
    ("孙家口水库", (9.8, 1.0), 850.0),
    ("关门山水库", (0.6, 9.2), 800.0),
    ("四明水库", (-13.4, -18.6), 750.0),
    ("跳蹬河水库", (-22.4, -1.8), 700.0),
)


@dataclass(frozen=True)
class Terrain:
    """Elevation in metres on a fine and a coarse grid, and the water in metres of the plane.

    Attributes
    ----------
    fine, fine_m
        Grid of 50 m cells and its elevations.
    coarse, coarse_m
        Grid of 100 m cells and its elevations.
    water
        Name → (kind, polygon).
    wet
        Coarse cells: 0 dry, 1 river, 2 reservoir, 3 the Yangtze.
    """

    fine: Grid
    fine_m: Floats
    coarse: Grid
    coarse_m: Floats
    water: dict[str, tuple[str, shapely.Geometry]]
    wet: npt.NDArray[np.uint8]


def build_terrain() -> Terrain:
    """Return the hills and the water of the sample."""
    fine, coarse = Grid.over_extent(50.0), Grid.over_extent(100.0)
    dry = _relief(fine)
    yangtze = _yangtze()
    land = _lowered_to(dry, _distance(fine, yangtze))
    rivers = {name: _river(coarse, _halved(land), *rest) for name, *rest in RIVERS}  # type: ignore[arg-type]
    water: dict[str, tuple[str, shapely.Geometry]] = {"长江": ("river", yangtze)}
    for name, polygon in rivers.items():
        land = land - 11.0 * np.exp(-((_distance(fine, polygon) / 170.0) ** 2))
        water[name] = ("river", shapely.difference(polygon, yangtze))
    for name, km, radius_m in RESERVOIRS:
        lake, level = _reservoir(fine, land, metres([km])[0], radius_m)
        water[name] = ("reservoir", lake)
        land = np.where(_covers(fine, lake), level, land)
    land = np.where(_covers(fine, yangtze), 198.0, np.maximum(land, 201.0))
    wet = np.zeros(coarse.shape, dtype=np.uint8)
    for kind, polygon in water.values():
        value = 3 if polygon is yangtze else 1 if kind == "river" else 2
        wet = np.maximum(wet, _covers(coarse, polygon, touched=True).astype(np.uint8) * np.uint8(value))
    return Terrain(fine, land, coarse, _halved(land), water, wet)


def _relief(grid: Grid) -> Floats:
    rng = stream("relief")
    east, north = grid.km()
    along = 0.5 * east + 0.866 * north
    across = 0.866 * east - 0.5 * north + 0.8 * grid.noise(rng, 14_000) + 0.22 * grid.noise(rng, 3_500)
    base = 245.0 + 1.5 * np.clip(north + 36.0, 0.0, 62.0) + 14.0 * grid.noise(rng, 9_000)
    crest = 1.0 + 0.13 * grid.noise(rng, 3_000) + 0.06 * grid.noise(rng, 900)
    ridges = np.zeros(grid.shape)
    for at, start, end, height, half_width in RIDGES:
        fade = _smoothstep((along - start) / 5.0) * _smoothstep((end - along) / 5.0)
        off = across - at
        # The folds are steeper on their north-western side, as in the real anticlines.
        profile = 1.0 / (1.0 + np.abs(off / (half_width * np.where(off < 0, 0.8, 1.15))) ** 2.6)
        ridges = np.maximum(ridges, height * fade * profile)
    hills = 1.0 - np.abs(grid.noise(rng, 1_500)) * 0.8
    rough = 24.0 * hills + 15.0 * grid.noise(rng, 800) + 5.0 * grid.noise(rng, 350)
    gullies = 1.0 - 0.20 * np.abs(grid.noise(rng, 700))
    return base + ridges * crest * gullies + rough * _ruggedness(east, north)


def _ruggedness(east: Floats, north: Floats) -> Floats:
    """Return 1 in the hills and less around towns, which stand where the land is flat."""
    flat = np.zeros(east.shape)
    for town in TOWNS:
        reach_km = 1.3 * town.radius_m / 1000.0 + 0.4
        squared = (east - town.seat_km[0]) ** 2 + (north - town.seat_km[1]) ** 2
        flat = np.maximum(flat, np.exp(-squared / reach_km**2))
    return 1.0 - 0.75 * flat


def _smoothstep(value: Floats) -> Floats:
    t = np.clip(value, 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t))


def _yangtze() -> shapely.Polygon:
    """Return the river between its banks, as far as the elevations reach."""
    line = smooth_line(metres(YANGTZE_KM), 120.0)
    rng = stream("yangtze")
    tangent = np.gradient(line, axis=0)
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]]) / np.hypot(*tangent.T)[:, None]
    half = [310.0 + 70.0 * ndimage.gaussian_filter1d(rng.standard_normal(len(line)), 14) * 5.0 for _ in range(2)]
    left, right = (line + normal * side[:, None] * sign for side, sign in zip(half, (1.0, -1.0), strict=True))
    river = shapely.buffer(shapely.Polygon(np.vstack([left, right[::-1]])), 0)
    (west, south), (east, north) = metres((EXTENT_KM[:2], EXTENT_KM[2:]))
    return shapely.intersection(river, shapely.box(west, south, east, north))


def _lowered_to(land: Floats, distance_m: Floats) -> Floats:
    share = _smoothstep(distance_m / 3_200.0) * 0.65 + _smoothstep(distance_m / 700.0) * 0.35
    return 200.0 + (land - 200.0) * share


def _river(
    grid: Grid, land: Floats, points_km: tuple[tuple[float, float], ...], source_m: float, mouth_m: float
) -> shapely.Geometry:
    """Return the polygon of a river that keeps to low ground between its way points."""
    graph = step_graph(land, grid, ((land - 190.0) / 60.0) ** 2 + 0.15, np.ones(grid.shape, dtype=np.bool_))
    stops = grid.cell(metres(points_km))
    course = [np.asarray([stops[0]])]
    for here, there in itertools.pairwise(stops):
        _, before = csgraph.dijkstra(graph, indices=here, return_predecessors=True)
        course.append(trace(before, int(there))[::-1][1:])
    xy = grid.xy(np.concatenate(course))
    smooth = np.column_stack([ndimage.gaussian_filter1d(v, 2.0, mode="nearest") for v in xy.T])
    half = np.linspace(source_m, mouth_m, 6)
    cuts = np.linspace(0, len(smooth) - 1, 7).astype(int)
    parts = [
        shapely.buffer(shapely.LineString(smooth[a : b + 1]), h, quad_segs=2)
        for a, b, h in zip(cuts[:-1], cuts[1:], half, strict=True)
    ]
    return shapely.simplify(shapely.union_all(parts), 3.0)


def _reservoir(grid: Grid, land: Floats, at: Floats, radius_m: float) -> tuple[shapely.Geometry, float]:
    """Flood the hollows around a place, as a dam would, and return the lake and its level in metres."""
    x, y = grid.centres()
    near = np.hypot(x - at[0], y - at[1]) < radius_m
    level = float(np.percentile(land[near], 34))
    labels, _ = ndimage.label(near & (land < level))
    flooded = labels == np.bincount(labels[labels > 0]).argmax()
    shapes = rasterio.features.shapes(flooded.astype(np.uint8), mask=flooded, transform=_affine(grid))
    lake = shapely.union_all([shapely.geometry.shape(shape) for shape, _ in shapes])
    smooth = lake.buffer(30).buffer(-60).buffer(45, quad_segs=4)
    largest = max(shapely.get_parts(smooth), key=shapely.area)
    return shapely.simplify(shapely.Polygon(largest.exterior), 6.0), level


def _affine(grid: Grid) -> Affine:
    return Affine(grid.size_m, 0.0, grid.west_m, 0.0, -grid.size_m, grid.north_m)


def _covers(grid: Grid, polygon: shapely.Geometry, *, touched: bool = False) -> npt.NDArray[np.bool_]:
    burnt = rasterio.features.rasterize(
        [(polygon, 1)], out_shape=grid.shape, transform=_affine(grid), all_touched=touched, dtype="uint8"
    )
    return np.asarray(burnt, dtype=np.bool_)


def _distance(grid: Grid, polygon: shapely.Geometry) -> Floats:
    return np.asarray(ndimage.distance_transform_edt(~_covers(grid, polygon, touched=True)) * grid.size_m)


def _halved(values: Floats) -> Floats:
    rows, cols = values.shape
    return np.asarray(values.reshape(rows // 2, 2, cols // 2, 2).mean(axis=(1, 3)))
