import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

import builders
import oracles
from facility_coverage.analysis.service_areas import HALF_WIDTH_M, service_areas
from facility_coverage.analysis.trips import travel

STEP_M = 300.0
WAYS = builders.lattice(13, 13, step_m=STEP_M)  # 3.6 km square
WHOLE = shapely.box(-500, -500, 4100, 4100)
SITES = {"f1": (1030.0, 915.0, "z"), "f2": (2450.0, 2400.0, "z")}
NOBODY = pd.DataFrame({"demand_id": ["d"], "zone_id": ["z"], "x_m": [0.0], "y_m": [0.0], "total": [1.0]})


def drawn(sites: dict[str, tuple[float, float, str | None]], cutoff_min: object, zones: object = None) -> BaseGeometry:
    layers = builders.layers(WAYS, zones or {"z": ("urban", WHOLE)}, NOBODY, sites)
    network = builders.network(WAYS, np.zeros((1, 2)))
    trip = travel(builders.facility_layer(cutoff_min=cutoff_min), layers, network)
    table = service_areas(layers, [trip], {"walker": network})
    assert table["layer"].tolist() == ["clinics"]
    return table.geometry.iloc[0]


def reached_samples(cutoff_s: float, *, step_m: float = 5.0) -> np.ndarray:
    """Return places on the streets within the cutoff, by the oracle: every sample is a demand point of its own."""
    along = np.arange(0, 3600 + step_m, step_m)
    samples = np.concatenate(
        [np.column_stack(pair) for k in range(13) for line in [np.full_like(along, k * STEP_M)]
         for pair in ((along, line), (line, along))]
    )  # fmt: skip
    segments = oracles.segments_of_ways(WAYS.xy, WAYS.node, WAYS.start, speed_ms=1.0)
    sites = np.array([(x, y) for x, y, _ in SITES.values()])
    seconds = oracles.nearest_seconds(segments, samples, sites, max_access_m=500.0, access_speed_ms=1.0)
    return samples[seconds <= cutoff_s]


def test_the_area_holds_the_reached_roads_and_is_their_buffer() -> None:
    area = drawn(SITES, 13)
    reached = reached_samples(13 * 60.0)
    assert shapely.contains_xy(area, reached).mean() >= 0.98
    exact = shapely.union_all(shapely.buffer(shapely.points(reached), HALF_WIDTH_M, quad_segs=16))
    assert area.intersection(exact).area / area.union(exact).area >= 0.95
    assert area.is_valid


def test_the_area_ends_at_the_boundary() -> None:
    half = shapely.box(-500, -500, 1100, 4100)
    area = drawn(SITES, 13, {"z": ("urban", half)})
    assert area.area > 0
    assert area.difference(half.buffer(1e-6)).area == 0


def test_each_area_type_is_drawn_with_its_own_cutoff() -> None:
    west, east = shapely.box(-500, -500, 1500, 4100), shapely.box(1500, -500, 4100, 4100)
    mixed = drawn(SITES, {"urban": 4, "rural": 13}, {"a": ("urban", west), "z": ("rural", east)})
    short, long = drawn(SITES, 4), drawn(SITES, 13)
    expected = short.intersection(west).union(long.intersection(east))
    assert mixed.symmetric_difference(expected).area / expected.area < 0.02


def test_where_nothing_is_reached_nothing_is_drawn() -> None:
    assert drawn({"far": (0.0, 90_000.0, None)}, 13).is_empty
    assert drawn({"slow": (150.0, 150.0, "z")}, 2).is_empty  # the access leg alone takes 2.5 minutes
