"""Heights of the roads of an archipelago and of a city that is larger than its raster."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio
import shapely

from facility_coverage.config.study import Roads as RoadsTable
from facility_coverage.config.study import Terrain
from facility_coverage.errors import LayerError
from facility_coverage.layers.model import Roads
from facility_coverage.layers.roads import read_roads
from facility_coverage.layers.spans import is_ferry, is_span
from facility_coverage.layers.terrain import add_elevation

pytestmark = [pytest.mark.realdata, pytest.mark.usefixtures("realdata")]


@dataclass(frozen=True)
class Place:
    """The roads of a place, what the study reads, and the metric reference system."""

    roads: Roads
    box: shapely.Geometry
    crs: pyproj.CRS

    def lonlat(self, xy: np.ndarray) -> np.ndarray:
        return np.column_stack(pyproj.Transformer.from_crs(self.crs, 4326, always_xy=True).transform(*xy.T))


def place(extract: Path, epsg: int, bounds: tuple[float, float, float, float]) -> Place:
    crs = pyproj.CRS.from_epsg(epsg)
    box = shapely.box(*pyproj.Transformer.from_crs(4326, crs, always_xy=True).transform_bounds(*bounds))
    return Place(read_roads(RoadsTable(path=extract), box, box, crs=crs)[0], box, crs)


@pytest.fixture(scope="module")
def comoros(realdata: Path) -> Place:
    return place(realdata / "comoros" / "comoros-2021.osm.pbf", 32738, (43.1, -12.5, 44.7, -11.3))


@pytest.fixture(scope="module")
def tiles(realdata: Path) -> list[Path]:
    return sorted((realdata / "comoros").glob("*.hgt.zip"))


def pieces_km(roads: Roads) -> tuple[np.ndarray, np.ndarray]:
    """Return the vertex at which each straight piece begins and its length."""
    first = np.ones(len(roads.xy), dtype=bool)
    first[roads.start[1:] - 1] = False
    vertex = np.flatnonzero(first)
    return vertex, np.hypot(*(roads.xy[vertex + 1] - roads.xy[vertex]).T) / 1000


def test_comoros_is_known_from_the_shore_to_the_volcano(comoros: Place, tiles: list[Path]) -> None:
    after, report = add_elevation(comoros.roads, Terrain(path=tiles), comoros.box, crs=comoros.crs)
    assert report["known_share"] == 1
    assert report["unknown_km"] == report["filled_cells"] == 0
    assert (report["tiles"], report["tiles_used"]) == (3, 3)
    assert report["cell_m"] == pytest.approx(30.26, abs=0.05)
    heights = after.elevation_m
    assert heights is not None
    ashore = ~np.repeat(is_ferry(after.tags), np.diff(after.start))
    assert not np.isnan(heights[ashore]).any()
    # The lowest cell of the tiles is at -14 m, the summit of Karthala at 2,361 m.
    assert heights[ashore].min() > -10
    assert 2_000 < heights[ashore].max() < 2_361
    vertex, km = pieces_km(after)
    before, km_before = pieces_km(comoros.roads)
    assert km.sum() == pytest.approx(km_before.sum(), rel=1e-9)
    spans = np.repeat(is_span(after.tags), np.diff(after.start))
    assert km[(ashore & ~spans)[vertex]].max() * 1000 <= report["step_m"] * (1 + 1e-6)
    assert len(vertex) > len(before)


def test_comoros_unsmoothed_is_what_rasterio_reads(comoros: Place, tiles: list[Path]) -> None:
    terrain = Terrain(path=tiles, smoothing_m=0)
    after, _ = add_elevation(comoros.roads, terrain, comoros.box, crs=comoros.crs)
    heights = after.elevation_m
    assert heights is not None
    lonlat = comoros.lonlat(after.xy)
    ground = ~np.repeat(is_span(after.tags), np.diff(after.start))
    checked = 0
    for path in tiles:
        with rasterio.open(path) as tile:
            band = tile.read(1).astype(float)
            col, row = ~tile.transform * (lonlat[:, 0], lonlat[:, 1])
        inner = ground & (row > 2) & (col > 2) & (row < 3598) & (col < 3598)
        rows, cols = np.floor(row[inner]).astype(int), np.floor(col[inner]).astype(int)
        # A bilinear height lies between those of the cells around.
        around = [band[rows + i, cols + j] for i in (-1, 0, 1) for j in (-1, 0, 1)]
        assert (heights[inner] >= np.min(around, axis=0) - 1e-6).all()
        assert (heights[inner] <= np.max(around, axis=0) + 1e-6).all()
        assert np.abs(heights[inner] - band[rows, cols]).mean() < 1.5
        checked += int(inner.sum())
    assert checked > 80_000


def test_smoothing_takes_the_noise_off_a_runway(comoros: Place, tiles: list[Path]) -> None:
    # Moroni's runway, 2,900 m along the coast: built level, while the raster says 3 % from cell to cell.
    ends = np.array([[43.2741406, -11.5206993], [43.2695502, -11.5465166]])
    ahead = pyproj.Transformer.from_crs(4326, comoros.crs, always_xy=True)
    xy = np.column_stack(ahead.transform(*ends.T))
    runway = Roads(xy, np.arange(2), np.array([0, 2]), comoros.roads.tags.iloc[:1].assign(bridge=None, tunnel=None))
    grades = []
    for smoothing_m in (0, 30):
        terrain = Terrain(path=tiles, smoothing_m=smoothing_m)
        after, _ = add_elevation(runway, terrain, comoros.box, crs=comoros.crs)
        assert after.elevation_m is not None
        _, km = pieces_km(after)
        grades.append(float(np.median(np.abs(np.diff(after.elevation_m)) / (1000 * km))))
    assert grades[0] > 0.02
    assert grades[1] < 0.6 * grades[0]


def test_porto_alegre_is_larger_than_its_raster(realdata: Path) -> None:
    city = place(realdata / "poa" / "poa_osm.pbf", 32722, (-51.35, -30.2, -51.05, -29.9))
    path = realdata / "poa" / "poa_elevation.tif"
    terrain = Terrain(path=path, slope="where_known")
    after, report = add_elevation(city.roads, terrain, city.box, crs=city.crs)
    # Another count: the road outside the raster's outline, by shapely.
    with rasterio.open(path) as raster:
        outline = shapely.box(*raster.bounds)
    vertex, km = pieces_km(city.roads)
    lonlat = city.lonlat(city.roads.xy)
    straight = shapely.linestrings(np.stack([lonlat[vertex], lonlat[vertex + 1]], axis=1))
    shapely.prepare(outline)
    inside = np.where(shapely.contains_properly(outline, straight), 1.0, 0.0)
    cut = shapely.intersects(outline, straight) & (inside == 0)
    inside[cut] = shapely.length(shapely.intersection(outline, straight[cut])) / shapely.length(straight[cut])
    beyond_km = float((km * (1 - inside)).sum())
    assert report["length_km"] == pytest.approx(km.sum())
    # A piece that leaves the raster is unknown as a whole: up to a step too much at each crossing.
    assert beyond_km <= report["beyond_km"] <= beyond_km + 0.031 * cut.sum()
    assert report["known_share"] == pytest.approx(1 - report["unknown_km"] / report["length_km"])
    heights = after.elevation_m
    assert heights is not None
    assert np.isnan(heights).any()
    assert np.nanmax(heights) <= 254
    share = report["unknown_km"] / report["length_km"]
    with pytest.raises(LayerError, match=rf"\({share:.1%}\) have no known height: .* km beyond the raster \(-51\.255…"):
        add_elevation(city.roads, Terrain(path=path), city.box, crs=city.crs)
