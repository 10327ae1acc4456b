"""What lies under the results: relief, water, neighbours and roads, small enough to travel in a page."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyproj
import shapely
from rasterio.enums import Resampling
from rasterio.io import MemoryFile
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT

from facility_coverage.layers.gdal import open_raster
from facility_coverage.layers.model import Roads
from facility_coverage.outputs.encoding import Deltas, Geometries, encode_areas, encode_lines, encode_points

Floats = npt.NDArray[np.float64]
Bounds = tuple[float, float, float, float]

# Class of road → values of `highway`, links included; what is not named is minor.
_HIGHWAYS = {
    "motorway": ("motorway", "trunk"),
    "primary": ("primary",),
    "secondary": ("secondary",),
    "tertiary": ("tertiary",),
    "path": ("track", "footway", "path", "steps", "pedestrian", "cycleway", "bridleway", "corridor", "via_ferrata"),
}
ROAD_CLASSES = ("path", "minor", "tertiary", "secondary", "primary", "motorway")
_TOLERANCE_M = {"motorway": 8.0, "primary": 8.0, "secondary": 10.0, "tertiary": 12.0, "minor": 12.0, "path": 15.0}
MAX_ROAD_VERTICES = 130_000
_TERRAIN_WIDTH_PX = 448


def road_lines(roads: Roads, bounds: Bounds) -> dict[str, Geometries]:
    """Return simplified lines per class of road within `bounds` (metres), coarser until they fit the page.

    Paths go first, then minor roads, when even the coarsest lines are too many.
    """
    lines = _lines_within(roads, bounds)
    for factor in (1.0, 2.0, 4.0):
        simple = {name: shapely.simplify(geometries, _TOLERANCE_M[name] * factor) for name, geometries in lines.items()}
        if _vertices(simple) <= MAX_ROAD_VERTICES:
            return simple
    for name in ROAD_CLASSES:
        if _vertices(simple) <= MAX_ROAD_VERTICES:
            break
        simple.pop(name, None)
    return simple


def _lines_within(roads: Roads, bounds: Bounds) -> dict[str, Geometries]:
    counts = np.diff(roads.start)
    way = np.repeat(np.arange(len(counts)), counts)
    keep = (counts[way] > 1) & (roads.tags["highway"] != "ferry").to_numpy()[way]  # a ferry is no road to draw
    kept, index = np.unique(way[keep], return_inverse=True)
    lines = shapely.linestrings(roads.xy[keep], indices=index)
    inside = shapely.intersects(lines, shapely.box(*bounds))
    lines, kept = lines[inside], kept[inside]
    highway = roads.tags["highway"].fillna("").astype(str).to_numpy()[kept]
    known = {value: name for name, values in _HIGHWAYS.items() for value in values}
    classes = np.array([known.get(value.removesuffix("_link"), "minor") for value in highway.tolist()], dtype=object)
    return {name: _merged(lines[classes == name]) for name in ROAD_CLASSES if (classes == name).any()}


def _merged(lines: Geometries) -> Geometries:
    parts: Geometries = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(lines)))
    return parts


def _vertices(lines: dict[str, Geometries]) -> int:
    return sum(int(shapely.get_num_coordinates(geometries).sum()) for geometries in lines.values())


def encode_roads(roads: Roads, bounds: Bounds, transformer: pyproj.Transformer) -> dict[str, Deltas]:
    """Return the lines of `road_lines` encoded, the least important class first."""
    lines = road_lines(roads, bounds)
    return {name: encode_lines(lines[name], transformer) for name in ROAD_CLASSES if name in lines}


def encode_water(water: gpd.GeoDataFrame, bounds: Bounds, transformer: pyproj.Transformer) -> dict[str, Deltas]:
    """Return water bodies and courses within `bounds` (metres)."""
    shapes = shapely.get_parts(shapely.clip_by_rect(water.geometry.to_numpy(), *bounds))
    shapes = shapely.simplify(shapes, 12.0)
    dimension = shapely.get_dimensions(shapes)
    return {
        "areas": encode_areas(shapes[dimension == 2], transformer),
        "lines": encode_lines(shapely.get_parts(shapes[dimension == 1]), transformer),
    }


def encode_neighbours(
    neighbours: gpd.GeoDataFrame, bounds: Bounds, study: Any, transformer: pyproj.Transformer
) -> list[dict[str, Any]]:
    """Return neighbouring areas within `bounds`, the study's own outline left out, each with a place for its name."""
    rows = []
    for name, shape in zip(neighbours["name"], neighbours.geometry, strict=True):
        part = shapely.clip_by_rect(shape, *bounds)
        shared = shapely.area(shapely.intersection(part, study)) if not part.is_empty else 0.0
        if part.is_empty or shared > 0.5 * part.area:
            continue
        spot = shapely.point_on_surface(part)
        rows.append(
            {
                "name": str(name),
                "area": encode_areas([shapely.simplify(part, 30.0)], transformer),
                "at": encode_points([spot.x], [spot.y], transformer)[0],
            }
        )
    return rows


def shaded_relief(path: Path, bounds: Bounds) -> dict[str, Any] | None:
    """Return the relief of an elevation raster as a grey PNG in Web Mercator, or None where it has no data.

    Parameters
    ----------
    path
        Elevation in metres.
    bounds
        West, south, east, north in degrees.

    Returns
    -------
    dict
        ``url`` (a data URL; white is level or unknown ground) and ``box`` in units of 1e-5 degrees.
    """
    west, south, east, north = bounds
    to_mercator = pyproj.Transformer.from_crs(4326, 3857, always_xy=True)
    left, bottom = to_mercator.transform(west, south)
    right, top = to_mercator.transform(east, north)
    width = _TERRAIN_WIDTH_PX
    height = max(2, round(width * (top - bottom) / (right - left)))
    with (
        open_raster(path) as source,
        WarpedVRT(
            source,
            crs="EPSG:3857",
            transform=Affine((right - left) / width, 0.0, left, 0.0, (bottom - top) / height, top),
            width=width,
            height=height,
            resampling=Resampling.bilinear,
            nodata=source.nodata if source.nodata is not None else -32768.0,
            dtype="float64",
        ) as warped,
    ):
        elevation = warped.read(1, masked=True).astype(np.float64).filled(np.nan)
    if not np.isfinite(elevation).any():
        return None
    # Web Mercator stretches lengths by 1 / cos(latitude).
    pixel_m = (right - left) / width * float(np.cos(np.radians((south + north) / 2)))
    return {
        "url": "data:image/png;base64," + base64.b64encode(_png(_relief(elevation, pixel_m))).decode("ascii"),
        "box": [round(value * 100_000) for value in bounds],
    }


def _relief(elevation_m: Floats, pixel_m: float) -> npt.NDArray[np.uint8]:
    """Return grey levels of a surface lit from the north-west, 45° high; level ground is white."""
    exaggeration = 1.6
    down, right = np.gradient(elevation_m * exaggeration, pixel_m)
    # The light's direction (east, north, up) against the surface's normal (-dz/dx, -dz/dy, 1); rows run south.
    lit = (right - down + np.sqrt(2)) / 2 / np.sqrt(1 + right**2 + down**2)
    shade = np.clip(lit / np.sqrt(0.5), 0, 1)
    levels = np.round((1 - 0.5 * (1 - shade)) * 16) / 16
    grey: npt.NDArray[np.uint8] = np.where(np.isfinite(levels), levels * 255, 255).astype(np.uint8)
    return grey


def _png(grey: npt.NDArray[np.uint8]) -> bytes:
    height, width = grey.shape
    # GDAL takes a picture without a grid of its own for a mistake; the page states the box.
    with MemoryFile() as memory:
        with memory.open(
            driver="PNG",
            zlevel=9,
            width=width,
            height=height,
            count=1,
            dtype="uint8",
            transform=Affine(2.0, 0.0, 0.0, 0.0, -2.0, 0.0),
        ) as image:
            image.write(grey, 1)
        return bytes(memory.read())
