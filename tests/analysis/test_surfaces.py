from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio
import shapely

import builders
import oracles
from facility_coverage.analysis import surfaces
from facility_coverage.analysis.surfaces import Surface, check_cell, time_surface
from facility_coverage.errors import ConfigError
from facility_coverage.network.network import Network
from facility_coverage.network.travel import nearest_facility
from facility_coverage.outputs.surfaces import write_surface

CRS = pyproj.CRS.from_epsg(32648)
BLOCK = shapely.box(0, 0, 200, 200)


def centres(surface: Surface) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.indices(surface.seconds.shape)
    west, north, cell = surface.transform.c, surface.transform.f, surface.transform.a
    assert (surface.transform.b, surface.transform.d, surface.transform.e) == (0.0, 0.0, -cell)
    return west + (columns + 0.5) * cell, north - (rows + 0.5) * cell


def computed(network: Network, sites: object, boundary: shapely.Geometry, cell_m: float) -> Surface:
    places = network.snap(np.asarray(sites, dtype=np.float64).reshape(-1, 2))
    surface = time_surface(network, places, boundary, cell_m=cell_m, crs=CRS)
    assert (surface.seconds.dtype, surface.crs) == (np.float32, CRS)
    return surface


def test_by_hand_on_one_block() -> None:
    network = builders.network(builders.lattice(2, 2, step_m=200.0), np.zeros((1, 2)))
    surface = computed(network, [(0, 0)], BLOCK, 40.0)
    # Centres at 20, 60, 100, 140, 180 m; the first row lies in the north. Cells beside one street alone: 20 m to it,
    # then along it, and from the northern street 200 m down the western one.
    assert surface.seconds.shape == (5, 5)
    assert surface.seconds[0, 1:4].tolist() == [280.0, 320.0, 360.0]
    assert surface.seconds[4, 1:4].tolist() == [80.0, 120.0, 160.0]
    assert surface.seconds[1:4, 0].tolist() == [160.0, 120.0, 80.0]
    assert surface.seconds[4, 0] == 40.0
    assert (surface.transform.c, surface.transform.f) == (0.0, 200.0)


def test_every_cell_is_a_demand_point_like_any_other() -> None:
    rng = np.random.default_rng(11)
    ways = builders.lattice(6, 5, step_m=150.0)
    network, sites = builders.network(ways, np.zeros((1, 2))), rng.uniform(0, 600, (3, 2))
    boundary = shapely.Point(300, 300).buffer(420)
    surface = computed(network, sites, boundary, 23.0)
    x, y = centres(surface)
    inside = shapely.intersects_xy(boundary, x, y)
    points = np.column_stack([x[inside], y[inside]])
    ours = nearest_facility(network.graph, network.links, network.snap(points), network.snap(sites)).seconds
    np.testing.assert_array_equal(surface.seconds[inside], ours.astype(np.float32))
    segments = oracles.segments_of_ways(ways.xy, ways.node, ways.start, speed_ms=1.0)
    theirs = oracles.nearest_seconds(segments, points, sites, max_access_m=500.0, access_speed_ms=1.0)
    untied = ~oracles.snap_by_segment(points, segments, max_access_m=500.0).tied
    np.testing.assert_allclose(surface.seconds[inside][untied], theirs[untied], atol=1e-3)
    assert untied.sum() > 300
    assert np.isnan(surface.seconds[~inside]).all()
    assert inside.sum() > 900


def test_cells_far_from_roads_and_cut_off_cells_have_no_time() -> None:
    ways = builders.roads([(0, 0), (100, 0), (5000, 0), (5100, 0)], [[0, 1], [2, 3]])
    network = builders.network(ways, np.zeros((1, 2)))
    surface = computed(network, [(0, 0)], shapely.box(0, 0, 5100, 100), 100.0)
    assert np.isfinite(surface.seconds[0, :6]).all()
    assert np.isnan(surface.seconds[0, 6:]).all()  # more than 500 m from the street, or on the other island
    assert np.isnan(computed(network, [], shapely.box(0, 0, 5100, 100), 100.0).seconds).all()
    assert np.isnan(computed(network, [(0, 5000)], shapely.box(0, 0, 5100, 100), 100.0).seconds).all()


def test_the_surface_does_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    network = builders.network(builders.lattice(5, 5), np.zeros((1, 2)))
    whole = computed(network, [(130, 210)], shapely.box(-7, 3, 401, 395), 13.0)
    monkeypatch.setattr(surfaces, "BLOCK_CELLS", 50)
    parts = computed(network, [(130, 210)], shapely.box(-7, 3, 401, 395), 13.0)
    np.testing.assert_array_equal(whole.seconds, parts.seconds)
    assert whole.transform == parts.transform
    # Cells lie on round multiples of their side: a neighbouring study's surface fits on.
    assert (whole.transform.c / 13) % 1 == (whole.transform.f / 13) % 1 == 0


def test_a_centre_on_the_boundary_is_inside_and_a_small_boundary_has_one_cell() -> None:
    network = builders.network(builders.lattice(3, 3), np.zeros((1, 2)))
    surface = computed(network, [(0, 0)], shapely.box(5, 5, 25, 25), 10.0)
    assert surface.seconds.shape == (3, 3)
    assert np.isfinite(surface.seconds).all()
    assert computed(network, [(0, 0)], shapely.box(101, 101, 102, 102), 10.0).seconds.shape == (1, 1)


def test_too_many_cells_are_refused_before_anything_is_computed() -> None:
    boundary = shapely.box(0, 0, 100_000, 50_000)
    check_cell(boundary, 20.0, file="study.yaml")
    with pytest.raises(ConfigError) as caught:
        check_cell(boundary, 5.0, file="study.yaml")
    assert str(caught.value) == (
        "study.yaml: outputs.time_surface_m: cells of 5 m would be 200,000,000 over this study, "
        "more than 25,000,000; give 16 or more"
    )
    check_cell(boundary, 16.0, file="study.yaml")
    network = builders.network(builders.lattice(2, 2), np.zeros((1, 2)))
    with pytest.raises(ValueError, match="25,000,000"):
        time_surface(network, network.demand, boundary, cell_m=5.0, crs=CRS)


def test_the_file_holds_minutes(tmp_path: Path) -> None:
    network = builders.network(builders.lattice(5, 5), np.zeros((1, 2)))
    surface = computed(network, [(130, 210)], shapely.Point(200, 200).buffer(190), 10.0)
    write_surface(surface, tmp_path / "one.tif", layer="clinics")
    write_surface(surface, tmp_path / "two.tif", layer="clinics")
    assert (tmp_path / "one.tif").read_bytes() == (tmp_path / "two.tif").read_bytes()
    with rasterio.open(tmp_path / "one.tif") as raster:
        np.testing.assert_allclose(raster.read(1), surface.seconds / 60, rtol=1e-6)
        assert (raster.count, raster.dtypes, raster.units) == (1, ("float32",), ("min",))
        assert raster.descriptions == ("clinics_min",)
        assert np.isnan(raster.nodata)
        assert raster.transform == surface.transform
        assert pyproj.CRS.from_user_input(raster.crs) == CRS
        assert raster.compression.value == "DEFLATE"
        minutes = next(raster.sample([(135.0, 215.0)]))[0]
        row, column = raster.index(135.0, 215.0)
    assert minutes == pytest.approx(surface.seconds[row, column] / 60)
