import numpy as np
import pandas as pd
import pytest
import shapely

import builders
from facility_coverage.analysis.trips import cutoffs_by_type, travel

ZONES = {"t": ("urban", shapely.box(0, 0, 1000, 2000)), "v": ("rural", shapely.box(1000, 0, 2000, 2000))}


def people(rng: np.random.Generator, count: int) -> pd.DataFrame:
    x, y = rng.uniform(0, 2000, count), rng.uniform(0, 2000, count)
    zone = np.where(x < 1000, "t", "v").astype(object)
    zone[::7] = None
    return pd.DataFrame(
        {"demand_id": [f"d{i:04}" for i in range(count)], "zone_id": zone, "x_m": x, "y_m": y, "total": 1.0}
    )


def test_cutoffs_follow_the_area_type_of_the_zone() -> None:
    points = people(np.random.default_rng(0), 30)
    layers = builders.layers(builders.lattice(5, 5), ZONES, points, {"f": (0.0, 0.0, "t")})
    seconds = cutoffs_by_type(builders.facility_layer().cutoff_min, layers)
    expected = points["zone_id"].map({"t": 900.0, "v": 1800.0}).to_numpy(dtype=np.float64)
    np.testing.assert_array_equal(seconds, expected)


@pytest.mark.parametrize("threads", [1, 2])
def test_catchments_agree_with_the_nearest_facility_and_the_cutoffs(threads: int) -> None:
    rng = np.random.default_rng(1)
    points = people(rng, 400)
    sites = {f"f{i}": (float(x), float(y), "t") for i, (x, y) in enumerate(rng.uniform(0, 2000, (9, 2)))}
    layers = builders.layers(builders.lattice(11, 11, step_m=200.0), ZONES, points, sites)
    network = builders.network(layers.roads, points[["x_m", "y_m"]].to_numpy())
    trip = travel(builders.facility_layer(cutoff_min={"urban": 5, "rural": 12}), layers, network, threads=threads)
    served = np.zeros(len(points), dtype=bool)
    served[trip.catchment.indices] = True
    np.testing.assert_array_equal(served, trip.nearest.seconds <= trip.cutoff_s)
    assert (trip.catchment.data <= trip.cutoff_s[trip.catchment.indices]).all()
    assert 0 < served.sum() < len(points)
    assert not served[::7].any()
