"""The time grid against a search of its own, square by square."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely

import builders
import oracles
from facility_coverage.analysis.time_grid import TimeGrid, coded, lay_grid, time_grid
from facility_coverage.analysis.trips import travel
from facility_coverage.config.study import FacilityLayer
from facility_coverage.layers.model import Layers

WAYS = builders.lattice(9, 7, step_m=150.0)  # 1.2 by 0.9 km
EAST, WEST = shapely.box(600, -300, 1500, 1200), shapely.box(-300, -300, 600, 1200)
ZONES = {"a": ("urban", WEST), "b": ("rural", EAST)}
SITES = {"f1": (130.0, 215.0, "a"), "f2": (1010.0, 700.0, "b"), "f3": (900.0, 100.0, None)}
NOBODY = pd.DataFrame({"demand_id": ["d"], "zone_id": ["a"], "x_m": [0.0], "y_m": [0.0], "total": [1.0]})


def world(**options: object) -> tuple[Layers, FacilityLayer, TimeGrid]:
    layers = builders.layers(WAYS, ZONES, NOBODY, SITES)
    layer = builders.facility_layer(cutoff_min={"urban": 5, "rural": 9}, **options)
    network = builders.network(WAYS, np.zeros((1, 2)))
    trip = travel(layer, layers, network)
    return layers, layer, time_grid(layers, [trip], {layer.profile: network})


def expected(xy: np.ndarray, sites: list[str]) -> np.ndarray:
    """Seconds from each site to each place by another search, inf where there is no way, shape (sites, places)."""
    segments = oracles.segments_of_ways(WAYS.xy, WAYS.node, WAYS.start, speed_ms=1.0)
    places = np.array([SITES[name][:2] for name in sites])
    matrix, tied = oracles.travel_matrix(segments, xy, places, max_access_m=500.0, access_speed_ms=1.0)
    assert not tied
    return np.asarray(matrix)


def test_squares_lie_in_web_mercator_and_know_their_zone() -> None:
    layers, _, grid = world()
    ground = grid.ground
    assert ground.side_m == 50
    assert ground.inside.sum() == len(ground.xy) == len(ground.zone)
    # A square is 50 m wide on the ground: neighbours in a row stand so far apart.
    rows, columns = np.nonzero(ground.inside)
    beside = (np.diff(columns) == 1) & (np.diff(rows) == 0)
    steps = np.linalg.norm(np.diff(ground.xy, axis=0)[beside], axis=1)
    np.testing.assert_allclose(steps, 50.0, rtol=2e-3)
    to_mercator = pyproj.Transformer.from_crs(layers.crs, "EPSG:3857", always_xy=True)
    x, y = to_mercator.transform(*ground.xy.T)
    np.testing.assert_allclose(x, ground.west + (columns + 0.5) * ground.side, atol=1e-3)
    np.testing.assert_allclose(y, ground.north - (rows + 0.5) * ground.side, atol=1e-3)
    assert (ground.zone == np.where(ground.xy[:, 0] <= 600, 0, 1)).all()
    assert ground.inside.sum() * 2500 == pytest.approx(layers.boundary.area, rel=0.02)


def test_times_and_nearest_are_those_of_another_search() -> None:
    _, _, grid = world()
    (times,) = grid.times
    matrix = expected(grid.ground.xy, list(SITES))
    best = matrix.min(axis=0)
    reached = np.isfinite(best)
    np.testing.assert_array_equal(np.isfinite(times.seconds), reached)
    np.testing.assert_allclose(times.seconds[reached], best[reached], atol=1e-6)
    chosen = matrix[times.facility[reached], np.flatnonzero(reached)]
    np.testing.assert_allclose(chosen, best[reached], atol=1e-6)
    assert (times.facility[~reached] == -1).all()
    assert times.attached.all()


def test_catchments_are_the_squares_within_the_cutoff_of_their_own_zone() -> None:
    _, _, grid = world()
    (times,) = grid.times
    matrix = expected(grid.ground.xy, list(SITES))
    limit = np.where(grid.ground.zone == 0, 300.0, 540.0)
    for row in range(len(SITES)):
        squares = times.squares[times.indptr[row] : times.indptr[row + 1]]
        assert squares.tolist() == np.flatnonzero(matrix[row] <= limit + 1e-6).tolist()
        assert len(squares)


def test_facilities_that_serve_nobody_here_have_no_catchment_and_are_nobodys_nearest() -> None:
    _, _, grid = world(facilities_from="own_zones_only")
    (times,) = grid.times
    assert set(times.facility.tolist()) == {0, 1}
    assert times.indptr[3] == times.indptr[2]


def test_a_large_study_has_larger_squares() -> None:
    layers, _, _ = world()
    ground = lay_grid(layers, max_cells=300)
    assert ground.side_m == 100
    assert ground.inside.sum() <= 300 * 1.05


def test_a_time_at_a_bound_belongs_to_it() -> None:
    seconds = np.array([0.0, 60.0, 60.0 + 1e-9, 60.01, 120.0, 121.0])
    assert coded(seconds, np.array([60.0, 120.0])).tolist() == [0, 0, 0, 1, 1, 2]
