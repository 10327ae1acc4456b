import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

import builders
from facility_coverage.analysis.trips import cutoffs_by_type, travel, within_own_cutoff

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


@given(st.integers(0, 100_000))
def test_pairs_are_kept_where_they_are_within_the_persons_own_cutoff(seed: int) -> None:
    """Pair by pair; beyond the zones there is no cutoff, and nobody is served. Indices stay as small as they were."""
    rng = np.random.default_rng(seed)
    seconds = np.where(rng.random((5, 12)) < 0.5, rng.integers(0, 5, (5, 12)) * 300.0, np.nan)
    cutoff = rng.choice([300.0, 900.0, 1200.0, np.nan], 12)
    row, column = np.nonzero(~np.isnan(seconds))
    before = csr_array((seconds[row, column], (row, column)), shape=seconds.shape)
    kept = within_own_cutoff(before, cutoff)
    expected = {(r, c): seconds[r, c] for r, c in zip(row, column, strict=True) if seconds[r, c] <= cutoff[c]}
    pairs = kept.tocoo()
    assert dict(zip(zip(*pairs.coords, strict=True), pairs.data, strict=True)) == expected
    assert kept.indices.dtype == kept.indptr.dtype == before.indptr.dtype
