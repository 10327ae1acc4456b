from __future__ import annotations

import itertools

import numpy as np
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility_coverage.sample.frame import EXTENT_KM, ORIGIN, Grid, metres, smooth_line, stream, to_lonlat, to_metres

SMALL = Grid(1_000.0, 5_000.0, 100.0, 3, 4)


def test_metres_count_from_the_origin():
    np.testing.assert_array_equal(metres([(0, 0), (1.5, -2)]), [ORIGIN, (ORIGIN[0] + 1_500.0, ORIGIN[1] - 2_000.0)])


def test_the_origin_lies_in_yongchuan():
    ((lon, lat),) = to_lonlat(np.asarray([ORIGIN]))
    assert lon == pytest.approx(105.93, abs=0.02)
    assert lat == pytest.approx(29.36, abs=0.02)


def test_a_kilometre_of_the_plane_is_a_kilometre_on_the_ground():
    (a, b), (c, d) = to_lonlat(metres([(0, 0), (0, 1)]))
    _, _, length_m = pyproj.Geod(ellps="GRS80").inv(a, b, c, d)
    assert length_m == pytest.approx(1_000.0, abs=1.0)


@given(st.lists(st.tuples(st.floats(-38, 22), st.floats(-55, 28)), min_size=1, max_size=20))
def test_longitude_and_latitude_lead_back_to_within_a_step_of_rounding(km: list[tuple[float, float]]):
    xy = metres(km)
    lonlat = to_lonlat(xy)
    np.testing.assert_array_equal(lonlat, np.round(lonlat, 6))
    # Half a millionth of a degree is at most 0.056 m.
    assert np.abs(to_metres(lonlat) - xy).max() < 0.06


def test_streams_repeat_and_differ_by_name():
    assert stream("a").random() == stream("a").random()
    assert stream("a").random() != stream("b").random()
    assert stream("ab").random() != stream("ba").random()


def test_over_extent_covers_the_extent_exactly():
    grid = Grid.over_extent(50.0)
    west, south, east, north = EXTENT_KM
    assert grid.shape == ((north - south) * 20, (east - west) * 20)
    assert (grid.west_m, grid.north_m) == tuple(metres([(west, north)])[0])
    assert (grid.west_m + grid.cols * 50.0, grid.north_m - grid.rows * 50.0) == tuple(metres([(east, south)])[0])


def test_cells_are_numbered_from_the_north_west_by_rows():
    assert SMALL.cell(np.asarray([[1_000.0, 5_000.0], [1_399.0, 4_999.0], [1_050.0, 4_850.0]])).tolist() == [0, 3, 4]
    assert SMALL.xy(np.asarray([0, 7])).tolist() == [[1_050.0, 4_950.0], [1_350.0, 4_850.0]]


def test_points_beyond_count_to_the_edge_cell():
    beyond = np.asarray([[0.0, 9_000.0], [9_000.0, 9_000.0], [0.0, 0.0], [9_000.0, 0.0], [1_150.0, 0.0]])
    assert SMALL.cell(beyond).tolist() == [0, 3, 8, 11, 9]


def test_centres_agree_with_cells():
    x, y = SMALL.centres()
    assert x.shape == y.shape == SMALL.shape
    xy = np.column_stack([x.ravel(), y.ravel()])
    np.testing.assert_array_equal(xy, SMALL.xy(np.arange(12)))
    np.testing.assert_array_equal(SMALL.cell(xy), np.arange(12))
    east, north = SMALL.km()
    np.testing.assert_allclose(metres(np.column_stack([east.ravel(), north.ravel()])), xy, rtol=0, atol=1e-6)


def test_noise_is_standardised_and_as_smooth_as_its_waves():
    grid = Grid(0.0, 0.0, 100.0, 120, 90)
    wide, narrow = (grid.noise(stream("test"), wave_m) for wave_m in (4_000.0, 800.0))
    for noise in (wide, narrow):
        assert noise.shape == grid.shape
        assert noise.mean() == pytest.approx(0.0, abs=1e-9)
        assert noise.std() == pytest.approx(1.0)
    steps = [np.abs(np.diff(noise, axis=1)).mean() for noise in (wide, narrow)]
    assert steps[0] < 0.5 * steps[1]
    np.testing.assert_array_equal(wide, grid.noise(stream("test"), 4_000.0))


def test_smooth_line_passes_its_points_with_even_vertices():
    points = np.asarray([[0.0, 0.0], [400.0, 300.0], [1_000.0, 300.0]])  # 500 m, then 600 m
    line = smooth_line(points, 10.0)
    assert len(line) == 110
    for point in points:
        assert np.hypot(*(line - point).T).min() < 6.0
    np.testing.assert_allclose(line[[0, -1]], points[[0, -1]], rtol=0, atol=1e-9)
    lengths = [np.hypot(*(b - a)) for a, b in itertools.pairwise(line)]
    assert 7.0 < min(lengths) <= max(lengths) < 15.0


def test_smooth_line_of_two_points_is_straight():
    line = smooth_line(np.asarray([[0.0, 0.0], [30.0, 40.0]]), 1_000.0)
    np.testing.assert_allclose(line, [[0.0, 0.0], [30.0, 40.0]], rtol=0, atol=1e-9)
