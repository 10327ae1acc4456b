"""Service areas of single facilities in Porto Alegre, against the exact union of buffered reached edges."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import shapely
import yaml
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

import oracles
from facility_coverage.analysis.service_areas import FACILITY_PEN, facility_service_areas
from facility_coverage.analysis.surfaces import time_surface
from facility_coverage.analysis.walls import find_walls, no_walls
from facility_coverage.config.reading import load_study
from facility_coverage.network.travel import nearest_facility
from facility_coverage.study import Computed, compute
from places import MAX_ACCESS_M, poa_study

pytestmark = pytest.mark.realdata

CUTOFF_S = 900.0
SPEED_MS = 4.82 / 3.6
SITES = 30


@dataclass(frozen=True)
class Place:
    computed: Computed
    sites: np.ndarray
    exact: list[shapely.Geometry]
    reached: list[np.ndarray]  # ends of the reached pieces, shape (pieces, 4)


@pytest.fixture(scope="module")
def poa(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("areas")
    path = folder / "poa.yaml"
    path.write_text(yaml.safe_dump(poa_study(realdata, folder), allow_unicode=True), encoding="utf-8")
    computed = compute(load_study(path, allow_outside=True))
    graph = computed.networks["adult"].graph
    rng = np.random.default_rng(2026)
    sites = graph.xy[rng.integers(0, len(graph.xy), SITES)] + rng.normal(0, 30, (SITES, 2))
    segments = oracles.segments_of_graph(graph)
    reached = [reached_pieces(segments, site) for site in sites]
    exact = [
        shapely.union_all(shapely.buffer(shapely.linestrings(pieces.reshape(-1, 2, 2)), FACILITY_PEN.half_width_m))
        for pieces in reached
    ]
    return Place(computed, sites, exact, reached)


def reached_pieces(segments: oracles.Segments, site: np.ndarray) -> np.ndarray:
    """Return the reached parts of straight segments: times by SciPy at their ends, cut where the time is up."""
    snapped = oracles.snap_by_segment(site[None, :], segments, max_access_m=MAX_ACCESS_M)
    home, share = int(snapped.segment[0]), float(snapped.fraction[0])
    a_xy, b_xy = segments.a_xy, segments.b_xy
    middle = a_xy[home] + share * (b_xy[home] - a_xy[home])
    fresh = int(max(segments.a.max(), segments.b.max())) + 1
    a = np.append(np.append(np.delete(segments.a, home), segments.a[home]), fresh)
    b = np.append(np.append(np.delete(segments.b, home), fresh), segments.b[home])
    a_xy = np.concatenate([np.delete(a_xy, home, axis=0), segments.a_xy[[home]], [middle]])
    b_xy = np.concatenate([np.delete(b_xy, home, axis=0), [middle], segments.b_xy[[home]]])
    # Stairs have a speed of their own; on level ground both directions take as long.
    np.testing.assert_allclose(segments.ahead_s, segments.back_s, atol=1e-9)
    whole = segments.ahead_s
    seconds = np.concatenate([np.delete(whole, home), whole[home] * np.array([share, 1.0 - share])])
    roads = _both_ways(a, b, np.maximum(seconds, 1e-9))
    left = CUTOFF_S - float(snapped.access_m[0]) / SPEED_MS - dijkstra(roads, indices=fresh, limit=CUTOFF_S)
    pieces = []
    for near, near_xy, far_xy in ((a, a_xy, b_xy), (b, b_xy, a_xy)):
        use = left[near] >= 0
        part = np.minimum(1.0, left[near][use] / np.maximum(seconds[use], 1e-9))
        pieces.append(np.concatenate([near_xy[use], near_xy[use] + part[:, None] * (far_xy - near_xy)[use]], axis=1))
    return np.concatenate(pieces)


def _both_ways(a: np.ndarray, b: np.ndarray, seconds: np.ndarray) -> csr_array:
    """Return both directions of each road, the shorter where two roads join the same ends."""
    tail, head, cost = np.concatenate([a, b]), np.concatenate([b, a]), np.tile(seconds, 2)
    order = np.lexsort((cost, head, tail))
    tail, head, cost = tail[order], head[order], cost[order]
    new = np.concatenate([[True], (np.diff(tail) != 0) | (np.diff(head) != 0)])
    count = int(tail.max()) + 1
    return csr_array((cost[new], (tail[new], head[new])), shape=(count, count))


def iou(one: shapely.Geometry, other: shapely.Geometry) -> float:
    return float(one.intersection(other).area / one.union(other).area)


def test_areas_agree_with_the_exact_union(poa: Place) -> None:
    network = poa.computed.networks["adult"]
    areas = facility_service_areas(network, network.snap(poa.sites), no_walls(), limit_s=CUTOFF_S, threads=2)
    assert shapely.is_valid(areas).all()
    agreement = np.array([iou(*pair) for pair in zip(areas, poa.exact, strict=True)])
    assert agreement.min() >= 0.98
    assert np.median(agreement) >= 0.99
    # Blocks that nobody reaches stay open: as many large ones as in the exact shape.
    for area, exact in zip(areas, poa.exact, strict=True):
        ours, theirs = (
            sum(shapely.Polygon(ring).area > 2000 for ring in shapely.get_rings(shapely.get_parts(shape)))
            for shape in (area, shapely.MultiPolygon(shapely.get_parts(exact).tolist()))
        )
        assert abs(ours - theirs) <= 0.1 * theirs + 1


def test_hulls_of_the_same_places_would_not(poa: Place) -> None:
    ends = [shapely.MultiPoint(pieces.reshape(-1, 2)) for pieces in poa.reached]
    hulls = [iou(cloud.convex_hull, exact) for cloud, exact in zip(ends, poa.exact, strict=True)]
    assert max(hulls) < 0.9
    assert np.median(hulls) < 0.8


def test_motorways_take_ground_away_and_add_none(poa: Place) -> None:
    network = poa.computed.networks["adult"]
    walls = find_walls(poa.computed.layers, network.profile)
    free, held = (
        facility_service_areas(network, network.snap(poa.sites), some, limit_s=CUTOFF_S) for some in (no_walls(), walls)
    )
    for one, other in zip(free, held, strict=True):
        assert other.difference(one.buffer(2.0)).area == 0
        assert iou(one, other) > 0.95


def test_the_surface_is_the_travel_time_of_its_cells(poa: Place) -> None:
    network, trip = poa.computed.networks["adult"], poa.computed.trips[0]
    boundary = shapely.box(*poa.computed.layers.boundary.centroid.buffer(1500).bounds)
    surface = time_surface(network, trip.places, boundary, cell_m=50.0, crs=poa.computed.layers.crs)
    rows, columns = np.indices(surface.seconds.shape)
    x, y = surface.transform.c + (columns + 0.5) * 50.0, surface.transform.f - (rows + 0.5) * 50.0
    inside = shapely.intersects_xy(boundary, x, y)
    points = np.column_stack([x[inside], y[inside]])
    expected = nearest_facility(network.graph, network.links, network.snap(points), trip.places).seconds
    np.testing.assert_array_equal(surface.seconds[inside], expected.astype(np.float32))
    assert np.isfinite(expected).sum() > 2000
