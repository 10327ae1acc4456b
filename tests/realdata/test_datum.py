"""The conversion of GCJ-02 against districts that somebody else has converted."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from scipy.optimize import minimize
from scipy.spatial import cKDTree

from facility_coverage.config.study import Table
from facility_coverage.layers.datum import geometries_from_wgs84
from facility_coverage.layers.tables import read_table

pytestmark = pytest.mark.realdata
METRIC = "EPSG:4544"
#: Yuzhong, the smallest at 23 km², is drawn otherwise in the two files, up to 380 m: no conversion makes them one.
YUZHONG = 500103
CODES = {"wgs84": "district_adcode", "gcj02": "adcode"}


def overlap(ours: gpd.GeoSeries, theirs: gpd.GeoSeries) -> list[float]:
    """Return common ÷ joint area of each pair."""
    one, other = (series.to_crs(METRIC).make_valid().to_numpy() for series in (ours, theirs))
    common, joint = shapely.area(shapely.intersection(one, other)), shapely.area(shapely.union(one, other))
    return [float(share) for share in common / joint]


@pytest.fixture(scope="module")
def pair(realdata: Path) -> dict[str, gpd.GeoSeries]:
    """The outlines of ten districts by code, in both datums, as they lie on disk."""
    frames = {datum: gpd.read_file(realdata / "china" / f"datum_pair_{datum}.geojson") for datum in CODES}
    outlines = {datum: frame.set_index(CODES[datum]).geometry.sort_index() for datum, frame in frames.items()}
    assert outlines["wgs84"].index.tolist() == outlines["gcj02"].index.tolist()
    assert len(outlines["wgs84"]) == 10
    return outlines


def as_read(realdata: Path, **options: str) -> gpd.GeoSeries:
    path = realdata / "china" / "datum_pair_gcj02.geojson"
    frame = read_table(Table.model_validate({"path": path, **options}), role="boundary").frame
    assert frame.crs.to_epsg() == 4326
    return frame.set_index("adcode").geometry.sort_index()


def test_districts_in_gcj02_become_those_in_wgs84(realdata: Path, pair: dict[str, gpd.GeoSeries]) -> None:
    shares = dict(zip(pair["wgs84"].index, overlap(as_read(realdata, datum="gcj02"), pair["wgs84"]), strict=True))
    assert shares.pop(YUZHONG) >= 0.991
    assert min(shares.values()) >= 0.999
    # In another datum they lie elsewhere: the test can tell.
    assert max(overlap(as_read(realdata), pair["wgs84"])) < 0.97
    assert max(overlap(as_read(realdata, datum="bd09"), pair["wgs84"])) < 0.97


def test_districts_in_wgs84_become_those_in_gcj02(pair: dict[str, gpd.GeoSeries]) -> None:
    there = gpd.GeoSeries(geometries_from_wgs84(pair["wgs84"].to_numpy(), "gcj02"), crs="EPSG:4326")
    shares = dict(zip(pair["wgs84"].index, overlap(there, pair["gcj02"]), strict=True))
    assert shares.pop(YUZHONG) >= 0.991
    assert min(shares.values()) >= 0.999


def test_vertices_that_both_files_have_meet_within_their_rounding(
    realdata: Path, pair: dict[str, gpd.GeoSeries]
) -> None:
    # Both round to 1e-6 degrees, 0.1 m. The file in WGS 84 leaves vertices out; those that it has, the other has too.
    ours, theirs = as_read(realdata, datum="gcj02").to_crs(METRIC), pair["wgs84"].to_crs(METRIC)
    meet = {
        code: float((cKDTree(shapely.get_coordinates(ours[code])).query(vertices)[0] < 0.25).mean())
        for code, vertices in ((code, shapely.get_coordinates(theirs[code])) for code in theirs.index)
    }
    assert meet.pop(YUZHONG) > 0.75
    assert min(meet.values()) >= 0.99


def test_no_other_place_suits_yuzhong_better(realdata: Path, pair: dict[str, gpd.GeoSeries]) -> None:
    ours, theirs = (series.to_crs(METRIC)[YUZHONG] for series in (as_read(realdata, datum="gcj02"), pair["wgs84"]))

    def apart(shift_m: np.ndarray) -> float:
        moved = shapely.transform(ours, lambda xy: xy + shift_m)
        return 1.0 - float(
            shapely.area(shapely.intersection(moved, theirs)) / shapely.area(shapely.union(moved, theirs))
        )

    best = minimize(apart, [0, 0], method="Nelder-Mead", options={"initial_simplex": [[0, 0], [5, 0], [0, 5]]})
    assert np.hypot(*best.x) < 0.25
    assert apart(np.zeros(2)) - best.fun < 1e-4
