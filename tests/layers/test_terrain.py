"""Heights of roads: exact on simple ground, one for each place, and never guessed."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import rasterio
import scipy.ndimage
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import random_roads, roads, shuffled
from facility_coverage.config.study import StudyConfig, Terrain
from facility_coverage.errors import LayerError
from facility_coverage.layers import elevation, heights
from facility_coverage.layers.model import Roads
from facility_coverage.layers.reading import read_layers
from facility_coverage.layers.terrain import add_elevation

UTM = pyproj.CRS.from_epsg(32648)
X0, Y0 = 500_000.0, 3_000_000.0
"""The lower left corner of every raster here."""

BOX = shapely.box(X0 - 5_000, Y0 - 5_000, X0 + 15_000, Y0 + 15_000)
CELL = 10.0


def raster(path: Path, heights: np.ndarray, *, cell: float = CELL, left: float = X0, bottom: float = Y0, **profile):
    """Write heights, first row in the north, as a GeoTIFF."""
    transform = rasterio.Affine(cell, 0, left, 0, -cell, bottom + cell * heights.shape[0])
    chosen = {"crs": "EPSG:32648", "transform": transform, "dtype": heights.dtype.name, "count": 1, **profile}
    tags = chosen.pop("scaled", None)
    with rasterio.open(path, "w", driver="GTiff", height=heights.shape[0], width=heights.shape[1], **chosen) as out:
        for band in range(1, chosen["count"] + 1):
            out.write(heights, band)
        if tags:
            out.scales, out.offsets, out.units = tags
    return path


def centres(rows: int, cols: int, cell: float = CELL) -> tuple[np.ndarray, np.ndarray]:
    """Return easting and northing of the cells' centres, counted from the corner."""
    x = np.broadcast_to((np.arange(cols) + 0.5) * cell, (rows, cols))
    return x, np.broadcast_to(((rows - np.arange(rows) - 0.5) * cell)[:, None], (rows, cols))


def ground(function: Callable[[np.ndarray, np.ndarray], np.ndarray], rows: int = 100, cols: int = 100) -> np.ndarray:
    x, y = centres(rows, cols)
    return np.asarray(function(x, y), dtype=np.float32)


def plane(x, y):
    return 100 + 0.125 * x + 0.0625 * y


def ways(nodes, lists, **tags) -> Roads:
    return roads([(X0 + x, Y0 + y) for x, y in nodes], lists, **tags)


def raised(path, network: Roads, *, box=BOX, slope="everywhere", smoothing_m=0.0) -> tuple[Roads, dict[str, float]]:
    terrain = Terrain(path=path, slope=slope, smoothing_m=smoothing_m)
    return add_elevation(network, terrain, box, crs=UTM)


def local(network: Roads) -> tuple[np.ndarray, np.ndarray]:
    return network.xy[:, 0] - X0, network.xy[:, 1] - Y0


# Exact on simple ground


@pytest.mark.parametrize("smoothing_m", [0, 7, 30, 100])
def test_a_plane_stays_a_plane(tmp_path: Path, smoothing_m: float) -> None:
    path = raster(tmp_path / "dem.tif", ground(plane))
    network = ways([(450, 450), (533, 471), (580, 555)], [[0, 1, 2]])
    after, _ = raised(path, network, smoothing_m=smoothing_m)
    np.testing.assert_allclose(after.elevation_m, plane(*local(after)), rtol=0, atol=1e-9)


@pytest.mark.parametrize("height", [0.0, 0.1, 1234.567, -428.3])
@pytest.mark.parametrize("smoothing_m", [0, 30, 100])
def test_level_ground_is_level_to_the_last_digit(tmp_path: Path, height: float, smoothing_m: float) -> None:
    heights = np.full((60, 60), height)
    heights[20:24, 30:34] = np.nan
    path = raster(tmp_path / "dem.tif", heights)
    network = ways([(3, 4), (597, 403), (333, 596), (310, 380)], [[0, 1, 2], [2, 3, 0]], bridge=[None, "yes"])
    after, report = raised(path, network, smoothing_m=smoothing_m)
    assert set(after.elevation_m) == {height}
    assert report["known_share"] == 1


def test_heights_are_bilinear_between_cell_centres_by_another_library(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    heights = rng.uniform(0, 500, (40, 50))
    path = raster(tmp_path / "dem.tif", heights)
    points = rng.uniform((5.1, 5.1), (494.9, 394.9), (300, 2))
    after, _ = raised(path, ways(points, [[i, i + 1] for i in range(299)]))
    x, y = local(after)
    expected = scipy.ndimage.map_coordinates(heights, [(400 - y) / CELL - 0.5, x / CELL - 0.5], order=1)
    np.testing.assert_allclose(after.elevation_m, expected, rtol=0, atol=1e-6)
    # At the centres, what rasterio reads there.
    at_centres = ways([(105, 205), (115, 215)], [[0, 1]])
    with rasterio.open(path) as source:
        read = [value[0] for value in source.sample(at_centres.xy)]
    assert raised(path, at_centres)[0].elevation_m[[0, -1]] == pytest.approx(read, abs=1e-6)


def test_the_smoothing_is_a_gaussian_by_another_library(tmp_path: Path) -> None:
    heights = np.random.default_rng(6).uniform(0, 500, (150, 150))
    path = raster(tmp_path / "dem.tif", heights)
    smooth = scipy.ndimage.gaussian_filter(heights, 3.0, truncate=8)
    network = ways([(605, 705), (615, 705), (615, 745)], [[0, 1, 2]])
    after, _ = raised(path, network, smoothing_m=30)
    x, y = local(after)
    expected = smooth[(150 - np.ceil(y / CELL)).astype(int), (x // CELL).astype(int)]
    # Cut off at four standard deviations, a Gaussian lacks 1 part in 16,000.
    vertices = [0, 1, -1]
    np.testing.assert_allclose(after.elevation_m[vertices], expected[vertices], atol=0.05)


def test_wide_and_narrow_gaussians_are_computed_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(7).uniform(0, 500, (80, 61))
    direct = heights._gaussian(values, (2.5, 4.0))
    monkeypatch.setattr(heights, "FAST_SIGMA", 0.0)
    np.testing.assert_allclose(heights._gaussian(values, (2.5, 4.0)), direct, rtol=0, atol=1e-9)


def test_cells_in_degrees_are_smoothed_over_metres(tmp_path: Path) -> None:
    # At 60° N a degree of longitude is half as long: a ridge along the meridian and one across it must smooth alike.
    crs = pyproj.CRS.from_epsg(32648)
    step = 1 / 3600
    found = []
    for along in (True, False):
        heights = np.zeros((241, 481), dtype=np.float32)
        if along:
            heights[:, 239:242] = 100  # 3 cells of 15.5 m
        else:
            heights[119:121, :] = 100  # 2 cells of 30.9 m
        transform = rasterio.Affine(step, 0, 105 - 240.5 * step, 0, -step, 60 + 120 * step)
        path = raster(tmp_path / f"{along}.tif", heights, crs="EPSG:4326", transform=transform)
        x, y = pyproj.Transformer.from_crs(4326, crs, always_xy=True).transform(105.0, 60.0)
        network = roads([(x, y), (x + 1, y)], [[0, 1]])
        terrain = Terrain(path=path, smoothing_m=200)
        after, _ = add_elevation(network, terrain, shapely.box(x - 9, y - 9, x + 9, y + 9), crs=crs)
        width_m = 3 * 55_800 / 3600 if along else 2 * 111_412 / 3600  # of a degree at 60° N on the ellipsoid
        found.append(after.elevation_m[0] / width_m)
    # A thin ridge of width w under a Gaussian of 200 m: its height times w / (200 m · √2π).
    assert found == pytest.approx([100 / (200 * np.sqrt(2 * np.pi))] * 2, rel=1e-2)


def test_a_hill_between_two_vertices_is_climbed(tmp_path: Path) -> None:
    path = raster(tmp_path / "dem.tif", ground(lambda x, y: 0 * y + np.maximum(0, 100 - np.abs(x - 500))))
    after, report = raised(path, ways([(100, 500), (900, 500)], [[0, 1]]))
    assert len(after.xy) == 81
    assert after.elevation_m.max() == pytest.approx(95, abs=1e-4)  # the two cells astride the crest
    assert np.abs(np.diff(after.elevation_m)).sum() == pytest.approx(190, abs=1e-3)
    assert report["vertices_added"] == 79


# What stays as it was


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), smoothing_m=st.sampled_from([0.0, 25.0, 60.0]))
def test_old_vertices_keep_their_nodes_and_lengths_stay(tmp_path: Path, seed: int, smoothing_m: float) -> None:
    rng = np.random.default_rng(seed)
    network = moved(random_roads(rng))
    path = raster(tmp_path / "dem.tif", rng.uniform(0, 50, (120, 120)), left=X0 - 100, bottom=Y0 - 100)
    after, report = raised(path, network, smoothing_m=smoothing_m)
    old = int(network.node.max()) + 1
    kept = after.node < old
    np.testing.assert_array_equal(after.node[kept], network.node)
    np.testing.assert_array_equal(after.xy[kept], network.xy)
    np.testing.assert_array_equal(after.node[~kept], np.arange(old, old + (~kept).sum()))
    assert after.tags.equals(network.tags)
    for way in range(len(network.tags)):
        before = shapely.LineString(network.xy[network.start[way] : network.start[way + 1]])
        now = after.xy[after.start[way] : after.start[way + 1]]
        assert shapely.LineString(now).length == pytest.approx(before.length, rel=1e-9)
        assert np.hypot(*np.diff(now, axis=0).T).max() <= report["step_m"] * (1 + 1e-6)
        assert shapely.distance(before, shapely.points(now)).max() < 1e-6
    assert report["step_m"] == pytest.approx(max(smoothing_m, CELL))
    assert report["length_km"] == pytest.approx(
        np.sum([shapely.LineString(network.xy[a:b]).length for a, b in zip(network.start, network.start[1:])]) / 1000  # noqa: B905 - the last start has no way
    )


def moved(network: Roads) -> Roads:
    return replace(network, xy=network.xy + np.array([X0, Y0]))


def by_place(network: Roads) -> dict[tuple[float, float], float]:
    assert network.elevation_m is not None
    keys = (tuple(np.round(place, 6)) for place in network.xy)
    return dict(zip(keys, network.elevation_m, strict=True))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_the_order_of_ways_changes_no_height_and_a_node_has_one(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_roads(rng)
    tags = network.tags.assign(bridge=rng.choice([None, "yes", "no"], len(network.tags)))
    # Vertices of one node may lie a millimetre apart.
    network = moved(replace(network, tags=tags))
    network = replace(network, xy=network.xy + rng.choice([0.0, 0.0005], network.xy.shape))
    heights = rng.uniform(0, 50, (120, 120))
    heights[rng.random(heights.shape) < 0.02] = np.nan
    path = raster(tmp_path / "dem.tif", heights, left=X0 - 100, bottom=Y0 - 100)
    after, report = raised(path, network, smoothing_m=20)
    other, again = raised(path, shuffled(rng, network), smoothing_m=20)
    one, two = by_place(after), by_place(other)
    assert one.keys() == two.keys()
    np.testing.assert_allclose([one[place] for place in one], [two[place] for place in one], rtol=0, atol=1e-9)
    assert report == pytest.approx(again)
    low, high = np.full(after.node.max() + 1, np.inf), np.full(after.node.max() + 1, -np.inf)
    np.minimum.at(low, after.node, after.elevation_m)
    np.maximum.at(high, after.node, after.elevation_m)
    used = np.unique(after.node)
    np.testing.assert_array_equal(low[used], high[used])


def test_blocks_change_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    band = scipy.ndimage.gaussian_filter(rng.uniform(0, 3000, (300, 260)), 3).astype(np.float32)
    band[rng.random(band.shape) < 0.05] = -32768
    band[100:130, 60:100] = -32768
    path = raster(tmp_path / "dem.tif", band, nodata=-32768)
    cells = rng.uniform(-5, 305, (4000, 2))
    with ExitStack() as stack:
        (surface,) = elevation.open_surfaces([path], stack)
        whole = heights.heights_at(surface, cells, sigma=(2.0, 3.0), block=1000)
        for block in (30, 64):
            parts = heights.heights_at(surface, cells, sigma=(2.0, 3.0), block=block)
            np.testing.assert_array_equal(parts.status, whole.status)
            np.testing.assert_allclose(parts.height_m, whole.height_m, rtol=0, atol=1e-3)  # filled cells are float32
            assert parts.filled_cells == whole.filled_cells > 50


# Bridges and tunnels

VALLEY = ground(lambda x, y: 0 * y + 100 - 80 * np.exp(-(((x - 500) / 100) ** 2)) + 0.01 * x)


@pytest.fixture
def valley(tmp_path: Path) -> Path:
    """Ground at 100 m that rises 1 % eastward, with a valley 80 m deep at x = 500."""
    return raster(tmp_path / "valley.tif", VALLEY)


NODES = [(0 + 5, 500), (205, 500), (405, 500), (505, 500), (805, 500), (995, 500)]


def node_height(network: Roads, node: int) -> float:
    assert network.elevation_m is not None
    return float(network.elevation_m[np.flatnonzero(network.node == node)[0]])


def test_a_bridge_runs_evenly_from_end_to_end(valley: Path) -> None:
    after, report = raised(valley, ways(NODES, [[0, 1], [1, 2, 3, 4], [4, 5]], bridge=[None, "viaduct", "no"]))
    west, east = node_height(after, 1), node_height(after, 4)
    assert (west, east) == pytest.approx((102.02, 108.04), abs=0.05)
    # 200, 100 and 300 m long.
    assert node_height(after, 2) == pytest.approx(west + (east - west) / 3, abs=1e-9)
    assert node_height(after, 3) == pytest.approx(west + (east - west) / 2, abs=1e-9)
    assert report["span_km"] == pytest.approx(0.6)
    assert np.diff(after.start)[1] == 4  # no new vertices where the road is straight in height too


def test_a_bridge_of_several_ways_does_not_sag_where_they_meet(valley: Path) -> None:
    whole = ways(NODES, [[0, 1], [1, 2, 3, 4], [4, 5]], bridge=[None, "yes", None])
    split = ways(NODES, [[0, 1], [1, 2], [4, 3], [2, 3], [4, 5]], bridge=[None, "yes", "yes", "yes", None])
    one, two = (raised(valley, network)[0] for network in (whole, split))
    for node in range(6):
        assert node_height(two, node) == pytest.approx(node_height(one, node), abs=1e-9)


def test_a_bridge_comes_down_where_a_way_on_the_ground_meets_it(valley: Path) -> None:
    nodes = [*NODES, (505, 300)]
    after, _ = raised(valley, ways(nodes, [[0, 1], [1, 3, 4], [4, 5], [6, 3]], bridge=[None, "yes", None, None]))
    assert node_height(after, 3) == pytest.approx(100 - 80 + 5.05, abs=0.3)


def test_a_tunnel_runs_evenly_too_and_a_loose_end_is_on_the_ground(tmp_path: Path) -> None:
    path = raster(tmp_path / "hill.tif", ground(lambda x, y: 0 * y + 100 + 80 * np.exp(-(((x - 500) / 100) ** 2))))
    after, _ = raised(path, ways(NODES, [[0, 1], [1, 2, 3, 4]], tunnel=[None, "yes"]))
    assert node_height(after, 3) == pytest.approx(100, abs=0.1)
    assert node_height(after, 4) == pytest.approx(100, abs=0.1)


def test_where_bridges_fork_the_rises_balance(tmp_path: Path) -> None:
    path = raster(tmp_path / "dem.tif", ground(plane))
    # From the fork: 100 m to the west, 200 m to the east, 400 m to the north.
    nodes = [(400, 500), (500, 500), (700, 500), (500, 900), (300, 500), (800, 500), (500, 950)]
    lists = [[0, 1], [1, 2], [1, 3], [4, 0], [2, 5], [3, 6]]
    after, _ = raised(path, ways(nodes, lists, bridge=["yes", "yes", "yes", None, None, None]))
    west, east, north = (node_height(after, node) for node in (0, 2, 3))
    assert node_height(after, 1) == pytest.approx(
        (west / 100 + east / 200 + north / 400) / (1 / 100 + 1 / 200 + 1 / 400)
    )


def test_a_ring_of_bridges_that_touches_nothing_lies_on_the_ground(tmp_path: Path) -> None:
    path = raster(tmp_path / "dem.tif", ground(plane))
    after, _ = raised(path, ways([(300, 300), (400, 300), (400, 400)], [[0, 1, 2, 0]], bridge=["yes"]))
    np.testing.assert_allclose(after.elevation_m, plane(*local(after)), atol=1e-4)


def test_a_bridge_over_a_void_is_known_and_one_to_nowhere_is_not(tmp_path: Path) -> None:
    heights = ground(plane)
    heights[:, 30:60] = np.nan
    path = raster(tmp_path / "dem.tif", heights)
    over = [(100, 500), (250, 500), (450, 500), (700, 500), (900, 500)]
    after, report = raised(path, ways(over, [[0, 1], [1, 2, 3], [3, 4]], bridge=[None, "yes", None]))
    assert report["known_share"] == 1
    assert node_height(after, 2) == pytest.approx(plane(450, 500), abs=1e-4)
    ending = ways(over, [[0, 1], [1, 3], [4, 3], [1, 2]], bridge=[None, None, None, "yes"])
    after, report = raised(path, ending, slope="where_known")
    assert np.isnan(node_height(after, 2))
    assert report["void_km"] > 0.2


def test_ferries_need_no_height(tmp_path: Path) -> None:
    path = raster(tmp_path / "dem.tif", ground(plane))
    nodes = [(100, 500), (900, 500), (2_000, 500), (9_000, 900)]
    after, report = raised(path, ways(nodes, [[0, 1], [1, 2, 3]], highway=["path", "ferry"]))
    assert np.isnan(node_height(after, 2))
    assert (report["known_share"], report["length_km"]) == (1, pytest.approx(0.8))


def test_a_bridge_to_a_ferry_ends_on_the_ground(tmp_path: Path) -> None:
    path = raster(tmp_path / "dem.tif", ground(plane))
    nodes = [(100, 500), (300, 500), (500, 500), (700, 500), (9_000, 900)]
    network = ways(nodes, [[0, 1], [1, 2, 3], [3, 4]], highway=["path", "path", "ferry"], bridge=[None, "yes", None])
    after, report = raised(path, network)
    assert report["known_share"] == 1
    assert node_height(after, 3) == pytest.approx(plane(700, 500), abs=1e-4)
    assert np.diff(after.start).tolist() == [21, 3, 2]  # nobody walks on a ferry: it is not divided


def test_words_of_other_tables_for_no_bridge(valley: Path) -> None:
    plain, _ = raised(valley, ways(NODES, [[0, 1, 2, 3, 4, 5]]))
    for word in ("no", "F", "0", "False"):
        after, _ = raised(valley, ways(NODES, [[0, 1, 2, 3, 4, 5]], bridge=[word], tunnel=[word]))
        np.testing.assert_array_equal(after.elevation_m, plain.elevation_m)


# Several tiles, several grids


def test_tiles_with_a_shared_row_and_column_equal_their_mosaic(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    heights = rng.uniform(0, 200, (101, 101))
    whole = raster(tmp_path / "whole.tif", heights)
    parts = [
        raster(
            tmp_path / f"{top}{left}.tif",
            heights[top : top + 51, left : left + 51],
            left=X0 + left * CELL,
            bottom=Y0 + (101 - top - 51) * CELL,
        )
        for top in (50, 0)
        for left in (0, 50)
    ]
    network = moved(random_roads(rng))
    one, report = raised(whole, network, smoothing_m=25)
    two, several = raised(parts, network, smoothing_m=25)
    np.testing.assert_allclose(one.elevation_m, two.elevation_m, rtol=0, atol=1e-9)
    assert (report["tiles"], several["tiles"], several["tiles_used"]) == (1, 4, 4)


def test_tiles_of_another_grid_or_system_go_on_where_the_first_ends(tmp_path: Path) -> None:
    west = raster(tmp_path / "west.tif", ground(plane, 100, 50))
    x, y = centres(160, 160, 7.0)
    east = raster(tmp_path / "east.tif", plane(x + 450, y - 60), cell=7.0, left=X0 + 450, bottom=Y0 - 60)
    # The same plane once more, in degrees.
    step = 1e-4
    lon, lat = pyproj.Transformer.from_crs(UTM, 4326, always_xy=True).transform(X0 + 450, Y0 - 60)
    lons, lats = lon + (np.arange(120) + 0.5) * step, lat + (120 - np.arange(120) - 0.5) * step
    there = pyproj.Transformer.from_crs(4326, UTM, always_xy=True).transform(*np.meshgrid(lons, lats))
    transform = rasterio.Affine(step, 0, lon, 0, -step, lat + 120 * step)
    heights = plane(there[0] - X0, there[1] - Y0)
    degrees = raster(tmp_path / "degrees.tif", heights, crs="EPSG:4326", transform=transform)
    network = ways([(100, 300), (900, 700)], [[0, 1]])
    for other in (east, degrees):
        after, report = raised([west, other], network)
        x, y = local(after)
        inner = (x < 495) | (x > 505)  # beside its edge a raster knows only one side
        np.testing.assert_allclose(after.elevation_m[inner], plane(x, y)[inner], rtol=0, atol=2e-3)
        assert report["tiles_used"] == 2


def test_where_tiles_overlap_the_first_that_knows_gives_the_height(tmp_path: Path) -> None:
    first = np.full((50, 50), 10.0)
    first[:, 20:40] = np.nan
    paths = [raster(tmp_path / "a.tif", first), raster(tmp_path / "b.tif", np.full((50, 50), 20.0))]
    after, report = raised(paths, ways([(50, 250), (300, 250), (450, 250)], [[0, 1, 2]]))
    assert [node_height(after, node) for node in range(3)] == [10, 20, 10]
    assert report["known_share"] == 1


def test_a_tile_far_away_is_read_by_nobody_but_must_be_sound(tmp_path: Path) -> None:
    near = raster(tmp_path / "near.tif", ground(plane))
    far = raster(tmp_path / "far.tif", np.full((9, 9), 1e6), crs="EPSG:32720")
    _, report = raised([near, far], ways([(100, 100), (200, 200)], [[0, 1]]))
    assert (report["tiles"], report["tiles_used"]) == (2, 1)
    (tmp_path / "broken.tif").write_bytes(b"II*\0 and no more")
    with pytest.raises(LayerError, match=r"broken\.tif: cannot be read as an elevation raster"):
        raised([near, tmp_path / "broken.tif"], ways([(100, 100), (200, 200)], [[0, 1]]))


def test_tiles_on_both_sides_of_the_180th_meridian(tmp_path: Path) -> None:
    fiji = pyproj.CRS.from_epsg(32760)
    step = 1 / 3600
    paths = []
    for name, left in (("east", -180.0), ("west", 180.0 - 60 * step)):
        transform = rasterio.Affine(step, 0, left, 0, -step, -16.0)
        paths.append(raster(tmp_path / f"{name}.tif", np.full((60, 60), 7.0), crs="EPSG:4326", transform=transform))
    x, y = pyproj.Transformer.from_crs(4326, fiji, always_xy=True).transform([179.99, -179.99], [-16.01, -16.01])
    network = roads(list(zip(x, y, strict=True)), [[0, 1]])
    after, report = add_elevation(network, Terrain(path=paths), shapely.box(x[0], y[0] - 9, x[1], y[0] + 9), crs=fiji)
    assert (report["known_share"], report["tiles_used"]) == (1, 2)
    assert report["cell_m"] == pytest.approx(29.7, abs=0.1)  # 1″ of longitude at 16° S
    assert set(after.elevation_m) == {7.0}


def test_srtm_tiles_zipped_or_not(tmp_path: Path) -> None:
    rows, cols = np.mgrid[0:1201, 0:1201]
    tile = (rows + 2 * cols).astype(">i2")
    tile[600, 600] = -32768
    (tmp_path / "N27E105.hgt").write_bytes(tile.tobytes())
    with zipfile.ZipFile(tmp_path / "N27E105.hgt.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / "N27E105.hgt", "N27E105.hgt")
    # Posts stand on whole multiples of 3″: row 0 on 28° N, column 0 on 105° E.
    lon = np.array([105 + 100 / 1200, 105 + 103 / 1200])
    lat = np.array([28 - 500 / 1200, 28 - 500 / 1200])
    x, y = pyproj.Transformer.from_crs(4326, UTM, always_xy=True).transform(lon, lat)
    network = roads(list(zip(x, y, strict=True)), [[0, 1]])
    box = shapely.box(x.min() - 1, y.min() - 1, x.max() + 1, y.max() + 1)
    for name in ("N27E105.hgt", "N27E105.hgt.zip"):
        after, _ = raised(tmp_path / name, network, box=box)
        assert after.elevation_m[[0, -1]] == pytest.approx([700, 706], abs=1e-6)
    (tmp_path / "N27E105.hgt").rename(tmp_path / "tile.hgt")
    with pytest.raises(LayerError, match=r"tile\.hgt: cannot be read.*must keep one such as N29E105\.hgt"):
        raised(tmp_path / "tile.hgt", network, box=box)


def test_scale_and_offset_of_the_file_are_applied(tmp_path: Path) -> None:
    heights = np.full((50, 50), 1234, dtype=np.int16)
    path = raster(tmp_path / "dem.tif", heights, scaled=((0.5,), (-100.0,), ("metre",)))
    after, _ = raised(path, ways([(100, 100), (200, 200)], [[0, 1]]))
    assert set(after.elevation_m) == {517.0}


# What is not known

ACROSS = ways([(105, 505), (905, 505)], [[0, 1]])


def test_a_small_void_is_filled_and_counted(tmp_path: Path) -> None:
    heights = ground(plane)
    heights[40:60, 45:55] = -9999
    path = raster(tmp_path / "dem.tif", heights, nodata=-9999)
    after, report = raised(path, ACROSS)
    assert report["known_share"] == 1
    assert report["filled_cells"] == 10
    assert report["filled_km"] == pytest.approx(0.11)
    x, y = local(after)
    assert np.abs(after.elevation_m - plane(x, y)).max() < 4
    beside = (x < 445) | (x > 555)
    np.testing.assert_allclose(after.elevation_m[beside], plane(x, y)[beside], atol=1e-4)


@pytest.mark.parametrize("nothing", [-9999.0, np.nan])
def test_a_large_void_stays_unknown(tmp_path: Path, nothing: float) -> None:
    heights = ground(plane)
    heights[40:60, 45:56] = nothing
    path = raster(tmp_path / "dem.tif", heights, nodata=-9999)
    after, report = raised(path, ACROSS, slope="where_known", smoothing_m=10)
    x, y = local(after)
    # Vertices stand at the centres of cells: 11 of them are unknown, and the 12 pieces that lead to one.
    assert report["void_km"] == report["unknown_km"] == pytest.approx(0.12)
    assert report["known_share"] == pytest.approx(1 - 0.12 / 0.8)
    assert report["filled_cells"] == 0
    np.testing.assert_array_equal(np.isnan(after.elevation_m), (x > 450) & (x < 560))
    # Vertices amid unknown ones say nothing and are left out; the outermost stay.
    assert np.isnan(after.elevation_m).sum() == 2
    # Ground beside the void is not pulled anywhere.
    known = ~np.isnan(after.elevation_m)
    assert np.abs(after.elevation_m - plane(x, y))[known].max() < 2
    message = (
        r"0\.120 of 0\.800 km of roads \(15\.0%\) have no known height: 0\.120 km in its voids; the roads lie at .*"
    )
    with pytest.raises(LayerError, match=message + "where_known"):
        raised(path, ACROSS, smoothing_m=10)


def test_the_largest_value_of_eight_bits_is_no_height(tmp_path: Path) -> None:
    heights = np.minimum(ground(plane) * 1.5, 255).astype(np.uint8)
    path = raster(tmp_path / "dem.tif", heights)
    after, report = raised(path, ACROSS, slope="where_known")
    known = ~np.isnan(after.elevation_m)
    assert after.elevation_m[known].max() <= 254
    assert report["saturated_km"] == report["unknown_km"] > 0.4
    with pytest.raises(LayerError, match="km where its values end at the largest of their 8-bit type"):
        raised(path, ACROSS)
    # Declared as no data, the same value is a void; in 16 bits it is a height.
    declared = raster(tmp_path / "declared.tif", heights, nodata=255)
    assert raised(declared, ACROSS, slope="where_known")[1]["void_km"] == report["saturated_km"]
    assert raised(raster(tmp_path / "wide.tif", heights.astype(np.uint16)), ACROSS)[1]["known_share"] == 1


def test_saturated_cells_are_not_filled_from_lower_ones(tmp_path: Path) -> None:
    heights = np.full((100, 100), 200, dtype=np.uint8)
    heights[48:53, 48:53] = 255
    path = raster(tmp_path / "dem.tif", heights)
    _, report = raised(path, ACROSS, slope="where_known")
    assert report["saturated_km"] == pytest.approx(0.06)


def test_roads_beyond_the_raster(tmp_path: Path) -> None:
    path = raster(tmp_path / "dem.tif", ground(plane))
    network = ways([(105, 505), (905, 505), (4_005, 505)], [[0, 1, 2]])
    after, report = raised(path, network, slope="where_known")
    assert report["beyond_km"] == report["unknown_km"] == pytest.approx(3.01)  # the last known vertex is at 995 m
    assert after.elevation_m[-1:] != after.elevation_m[-1:]
    assert len(after.xy) == 1 + 80 + 9 + 2
    with pytest.raises(LayerError) as caught:
        raised(path, network)
    (fault,) = caught.value.faults
    text = str(fault)
    assert "3.0 of 3.9 km of roads (77.2%)" in text
    assert "km beyond the raster (105.000…105.010 E, 27.122…27.131 N)" in text
    assert "the roads lie at 105.001…105.040 E" in text


def test_roads_outside_the_box_may_be_unknown(tmp_path: Path) -> None:
    path = raster(tmp_path / "dem.tif", ground(plane))
    network = ways([(105, 505), (905, 505), (4_005, 505)], [[0, 1, 2]])
    box = shapely.box(X0, Y0, X0 + 985, Y0 + 1_000)
    _, report = raised(path, network, box=box)
    assert report["known_share"] == 1
    assert report["unknown_outside_km"] == pytest.approx(3.01)
    assert report["length_km"] == pytest.approx(0.88 + 0.01)  # pieces that touch the box's edge belong to it


def test_a_raster_of_another_place(tmp_path: Path) -> None:
    path = raster(tmp_path / "dem.tif", ground(plane), crs="EPSG:32733")
    with pytest.raises(LayerError, match=r"no road stands on the raster \(15\.000…15\.0.*roads lie at 105\.001…"):
        raised(path, ACROSS, slope="where_known")


def test_a_raster_of_nothing(tmp_path: Path) -> None:
    path = raster(tmp_path / "dem.tif", np.full((100, 100), np.nan))
    with pytest.raises(LayerError, match=r"\(100\.0%\) have no known height: 0\.800 km in its voids") as caught:
        raised(path, ACROSS, slope="where_known")
    assert "where_known" not in str(caught.value)


# Within a study


def study(folder: Path, terrain: dict[str, object]) -> StudyConfig:
    """A street of 800 m through one zone, with people and a clinic."""
    zone = {"zone_id": ["1"], "name": ["a"], "area_type": ["urban"]}
    outline = shapely.box(X0 + 50, Y0 + 50, X0 + 950, Y0 + 950)
    gpd.GeoDataFrame(zone, geometry=[outline], crs=UTM).to_file(folder / "zones.gpkg")
    line = shapely.LineString([(X0 + 105, Y0 + 505), (X0 + 905, Y0 + 505)])
    gpd.GeoDataFrame({"highway": ["path"]}, geometry=[line], crs=UTM).to_file(folder / "roads.gpkg")
    people = pd.DataFrame({"x": [X0 + 300.0], "y": [Y0 + 505.0], "total": [10]})
    people.to_csv(folder / "people.csv", index=False)
    people.assign(facility_id="c", name="c").to_csv(folder / "clinics.csv", index=False)
    clinics = {"id": "clinics", "name": "c", "kind": "clinic", "path": folder / "clinics.csv", "crs": "EPSG:32648"}
    return StudyConfig.model_validate(
        {
            "id": "street",
            "title": "street",
            "date": "2025-12-31",
            "zones": {"path": folder / "zones.gpkg"},
            "roads": {"path": folder / "roads.gpkg"},
            "population": {"kind": "points", "path": folder / "people.csv", "crs": "EPSG:32648"},
            "facilities": [{**clinics, "profile": "adult", "cutoff_min": 15}],
            "terrain": terrain,
        }
    )


def test_a_study_with_terrain_has_heights_and_a_report(tmp_path: Path) -> None:
    path = raster(tmp_path / "dem.tif", ground(plane))
    layers = read_layers(study(tmp_path, {"path": path}), margin_m=10.0)
    elevations = layers.roads.elevation_m
    assert elevations is not None
    # 105 m from its edge the raster ends within the reach of the Gaussian, 120 m.
    np.testing.assert_allclose(elevations, plane(*local(layers.roads)), rtol=0, atol=0.01)
    assert layers.reports["terrain"]["known_share"] == 1
    assert layers.reports["terrain"]["step_m"] == 30


def test_faults_of_the_terrain_are_listed_with_the_others(tmp_path: Path) -> None:
    config = study(tmp_path, {"path": tmp_path / "none.tif"})
    (tmp_path / "people.csv").unlink()
    with pytest.raises(LayerError) as caught:
        read_layers(config, margin_m=10.0)
    text = str(caught.value)
    assert "none.tif: no such file" in text
    assert "people.csv" in text


def test_every_figure_of_the_report_is_documented(tmp_path: Path) -> None:
    _, report = raised(raster(tmp_path / "dem.tif", ground(plane)), ACROSS)
    page = (Path(__file__).parents[2] / "docs" / "terrain.md").read_text(encoding="utf-8")
    table = page.split("## What is reported")[1].split("##")[0]
    first_cells = re.findall(r"^\| (.*?) \|", table, re.MULTILINE)
    assert {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)} == set(report)


# Faulty files


def test_faults_of_all_files_are_listed(tmp_path: Path) -> None:
    flat = np.zeros((20, 20), dtype=np.int16)
    south_up = rasterio.Affine(10, 0, X0, 0, 10, Y0)
    paths = [
        tmp_path / "none.tif",
        raster(tmp_path / "bands.tif", flat, count=3),
        raster(tmp_path / "unplaced.tif", flat, crs=None),
        raster(tmp_path / "turned.tif", flat, transform=south_up),
        raster(tmp_path / "feet.tif", flat, scaled=((1.0,), (0.0,), ("ft",))),
        raster(tmp_path / "local.tif", flat, crs='LOCAL_CS["grid",UNIT["metre",1]]'),
        raster(tmp_path / "complex.tif", flat.astype(np.complex64)),
    ]
    with pytest.raises(LayerError) as caught:
        raised(paths, ACROSS)
    texts = [str(fault).rsplit("/", 1)[1] for fault in caught.value.faults]
    assert [text.split(";")[0] for text in texts] == [
        "none.tif: no such file",
        "bands.tif: has 3 bands",
        "unplaced.tif: has no reference system",
        "turned.tif: is not north up",
        "feet.tif: says that its heights are in 'ft'",
        "local.tif: has a local reference system that cannot be placed on the earth",
        "complex.tif: holds values of the type complex64",
    ]


def test_absurd_heights_name_their_cell(tmp_path: Path) -> None:
    heights = ground(plane)
    heights[48, 33] = -9999
    path = raster(tmp_path / "dem.tif", heights)
    with pytest.raises(LayerError, match=r"row 49, column 34 holds -9999, which is no height in metres; declare"):
        raised(path, ACROSS)
    feet = raster(tmp_path / "mm.tif", ground(plane) * 1000)
    with pytest.raises(LayerError, match=r"row 1, column 1 holds 162.*\(10,000 such cells near the roads\)"):
        raised(feet, ACROSS)


def test_cells_too_fine_for_the_smoothing(tmp_path: Path) -> None:
    path = raster(tmp_path / "dem.tif", np.zeros((50, 50), dtype=np.float32), cell=0.5)
    with pytest.raises(
        LayerError, match=r"cells of 0\.5 m, too fine to be smoothed over 100 m; average it to .* 0\.78 m"
    ):
        raised(path, ways([(1, 1), (20, 20)], [[0, 1]]), smoothing_m=100)


def test_a_file_cut_off(tmp_path: Path) -> None:
    path = raster(tmp_path / "dem.tif", np.random.default_rng(1).uniform(0, 100, (400, 400)))
    path.write_bytes(path.read_bytes()[:600_000])
    network = ways([(105, 505), (3_905, 505)], [[0, 1]])
    with pytest.raises(LayerError, match=r"dem\.tif: breaks off in the middle"):
        raised(path, network)


def test_the_digest_names_the_heights(tmp_path: Path) -> None:
    low, high = (raster(tmp_path / f"{h}.tif", np.full((100, 100), h)) for h in (1.0, 2.0))
    network = replace(ACROSS, digest="roads")
    names = {raised(path, network)[0].digest for path in (low, high, low)}
    assert len(names) == 2
    assert "roads" not in names
    assert raised(low, ACROSS)[0].digest == ""
