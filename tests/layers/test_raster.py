"""Cells fall to zones by area, and nobody is lost."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from facility_coverage.layers.apportioning import apportion, split
from facility_coverage.layers.raster import Window

UTM = pyproj.CRS.from_epsg(32648)


def window_of(people: np.ndarray) -> Window:
    # Cells of 100 m whose lower left corner is (0, 0).
    transform = rasterio.Affine(100, 0, 0, 0, -100, 100 * people.shape[0])
    return Window(people, 0, 0, people.shape[1], transform, UTM, 0.0, int((people > 0).sum()))


def zones_of(shapes: list[shapely.Geometry]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"zone_id": [str(i) for i in range(len(shapes))]}, geometry=shapes, crs=UTM)


def test_shares_are_areas() -> None:
    people = np.array([[10.0, 0.0], [20.0, 40.0]])
    zones = zones_of([shapely.box(0, 0, 125, 200), shapely.box(125, 0, 150, 200)])
    pieces = apportion(window_of(people), zones, np.flatnonzero(people.ravel()))
    # Cells 0 and 2 lie in zone 0; of cell 3 a quarter lies in each zone and half beyond.
    assert pieces.cell.tolist() == [0, 2, 3, 3, 3]
    assert pieces.zone.tolist() == [0, 0, 0, 1, -1]
    assert split(people.ravel(), pieces) == pytest.approx([10, 20, 10, 10, 20], abs=1e-5)


def test_cells_inside_the_zones_leave_nobody_beyond() -> None:
    people = np.ones((3, 3))
    # A border that no single-precision share can divide exactly.
    zones = zones_of([shapely.box(0, 0, 133.3333, 300), shapely.box(133.3333, 0, 300, 300)])
    pieces = apportion(window_of(people), zones, np.arange(9))
    assert (pieces.zone >= 0).all()
    assert split(people.ravel(), pieces).sum() == pytest.approx(9, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_sum_in_is_sum_out(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6))
    counts = st.floats(0, 1e6, allow_nan=False).map(lambda value: 0.0 if value < 1e-6 else value)
    people = np.array(data.draw(st.lists(counts, min_size=height * width, max_size=height * width)))
    people = people.reshape(height, width)
    cuts = data.draw(st.lists(st.floats(-150, 750, allow_nan=False), min_size=2, max_size=5, unique=True))
    edges = sorted(cuts)
    top = data.draw(st.floats(20, 700))
    strips = [shapely.box(a, -50, b, top) for a, b in itertools.pairwise(edges) if b - a > 1e-3]
    zones = zones_of(strips or [shapely.box(0, 0, 9, 9)])
    pieces = apportion(window_of(people), zones, np.flatnonzero(people.ravel() > 0))
    out = split(people.ravel(), pieces)
    assert (out >= 0).all()
    by_cell = np.bincount(pieces.cell, weights=out, minlength=people.size)
    np.testing.assert_allclose(by_cell, people.ravel(), rtol=1e-12, atol=1e-9)
    # An independent oracle of the shares: areas of intersection by shapely.
    for cell, zone, value in zip(pieces.cell, pieces.zone, out, strict=True):
        row, col = divmod(int(cell), width)
        square = shapely.box(col * 100, (height - row - 1) * 100, (col + 1) * 100, (height - row) * 100)
        shape = zones.geometry.iloc[zone] if zone >= 0 else square.difference(zones.union_all())
        share = square.intersection(shape).area / 10_000
        assert value == pytest.approx(people[row, col] * share, rel=1e-5, abs=people[row, col] * 5e-6)
