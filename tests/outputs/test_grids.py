"""The time grid as bytes, read back by a reader of its own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility_coverage.analysis.time_grid import TimeGrid
from facility_coverage.outputs import grids
from facility_coverage.outputs.scenes import MapContent

Make = Callable[..., MapContent]


def read_varints(data: bytes) -> list[int]:
    found, value, shift = [], 0, 0
    for octet in data:
        value |= (octet & 127) << shift
        shift += 7
        if not octet & 128:
            found.append(value)
            value, shift = 0, 0
    return found


@given(st.lists(st.integers(0, 2**35 - 1), max_size=50))
def test_varints_read_back(values: list[int]) -> None:
    assert read_varints(grids.varints(np.array(values, dtype=np.int64))) == values


@pytest.fixture(scope="module")
def content(make_content: Make) -> MapContent:
    return make_content()


def grid_of(content: MapContent) -> TimeGrid:
    assert content.grid is not None
    return content.grid


def test_times_and_nearest_facilities_read_back(content: MapContent) -> None:
    grid, layer = grid_of(content), content.config.facilities[0]
    ground, times = grid.ground, grid.times[0]
    bounds = grids.bounds_s(layer)
    position = np.arange(len(content.layers.facilities[layer.id]))[::-1]  # the page has them in another order
    data = np.frombuffer(grids.encode_times(ground, times, bounds, position), dtype=np.uint8)
    rows, columns = ground.inside.shape
    count = rows * columns
    code = np.cumsum(data[:count].reshape(rows, columns), axis=0, dtype=np.uint8)
    assert (code[~ground.inside] == grids.OUTSIDE).all()
    here, seconds = code[ground.inside], times.seconds
    assert (here[~times.attached] == grids.UNATTACHED).all()
    assert (here[times.attached & np.isnan(seconds)] == grids.NOWHERE).all()
    timed = ~np.isnan(seconds)
    assert timed.sum() > 10_000
    ends = np.append(bounds, np.inf)[here[timed]]
    starts = np.append(-1.0, bounds)[here[timed]]
    assert ((seconds[timed] <= ends + 1e-6) & (seconds[timed] > starts + 1e-6 - 1e-5)).all()
    # Whether somebody is covered can be told from the code alone.
    for minutes in layer.cutoff_min.values():
        np.testing.assert_array_equal(ends <= 60 * minutes, seconds[timed] <= 60 * minutes + 1e-6)
    assert nearest(data[count:], rows, columns)[ground.inside].tolist() == [
        0xFFFFFF if row < 0 else int(position[row]) for row in times.facility
    ]


def nearest(data: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Read the nearest facilities: west, north, north-east, or the next of the others."""
    ways = [data[i // 4] >> 2 * (i % 4) & 3 for i in range(rows * columns)]
    rest = data[-(-rows * columns // 4) :].astype(int).reshape(3, -1)
    others = iter((rest[0] | rest[1] << 8 | rest[2] << 16).tolist())
    found = np.full((rows + 1, columns + 2), 0xFFFFFF)
    for i, way in enumerate(ways):
        r, c = i // columns + 1, i % columns + 1
        found[r, c] = (found[r, c - 1], found[r - 1, c], found[r - 1, c + 1])[way] if way < 3 else next(others)
    assert next(others, None) is None
    return found[1:, 1:-1]


def test_catchments_read_back_in_the_order_of_the_page(content: MapContent) -> None:
    grid = grid_of(content)
    ground, times = grid.ground, grid.times[0]
    order = np.random.default_rng(3).permutation(len(times.indptr) - 1)
    values = iter(read_varints(grids.encode_catchments(ground, times, order)))
    inside = np.flatnonzero(ground.inside.ravel())
    for row in order.tolist():
        at, squares = 0, []
        for _ in range(next(values)):
            at += next(values)
            length = next(values)
            squares += range(at, at + length)
            at += length
        expected = inside[times.squares[times.indptr[row] : times.indptr[row + 1]]]
        assert squares == expected.tolist()
    assert next(values, None) is None


def test_squares_tell_where_most_people_are_left_out(content: MapContent) -> None:
    ground, points = grid_of(content).ground, content.layers.demand.points
    people = points["total"].to_numpy()
    covered = content.coverage.demand["medical_covered"].to_numpy(dtype=bool)
    data = np.frombuffer(grids.encode_people(ground, points, people, covered, content.layers.crs), dtype=np.uint8)
    classes = np.cumsum(data.reshape(ground.inside.shape), axis=0, dtype=np.uint8)
    assert set(np.unique(classes).tolist()) == set(range(7))
    # Counted once more, by the nearest centre of a square.
    from scipy.spatial import cKDTree  # noqa: PLC0415 - only here

    _, square = cKDTree(ground.xy).query(points[["x_m", "y_m"]].to_numpy())
    total = np.bincount(square, people, minlength=len(ground.xy))
    out = np.bincount(square, people * ~covered, minlength=len(ground.xy))
    density = (total > 0).astype(int) + (total > 10) + (total > 50)
    expected = np.where(total > 0, density + 3 * (out > total / 2), 0)
    agree = classes[ground.inside] == expected
    assert agree.mean() > 0.995  # points on the edge of a square may stand nearer to another's centre
