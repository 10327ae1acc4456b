"""People at points, and groups counted on their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from facility_coverage.config.study import Group, PointPopulation, RasterPopulation
from facility_coverage.errors import LayerError
from facility_coverage.layers.boundaries import study_box
from facility_coverage.layers.counted import Area
from facility_coverage.layers.population import read_population

UTM = "EPSG:32648"


@pytest.fixture
def area() -> Area:
    # Two zones of 1 km side by side.
    shapes = [shapely.box(500_000, 3_000_000, 501_000, 3_001_000), shapely.box(501_000, 3_000_000, 502_000, 3_001_000)]
    frame = {"zone_id": ["a", "b"], "name": ["a", "b"], "area_type": ["urban", "rural"]}
    zones = gpd.GeoDataFrame(frame, geometry=shapes, crs=UTM)
    union = zones.union_all()
    return Area(zones, "zones", union, study_box(union, 500.0))


def points(tmp_path: Path, text: str, **options: Any) -> PointPopulation:
    path = tmp_path / "people.csv"
    path.write_text(text, encoding="utf-8")
    return PointPopulation.model_validate({"kind": "points", "path": path, "crs": UTM, **options})


def test_points_are_counted_once_and_accounted_for(tmp_path: Path, area: Area) -> None:
    text = (
        "x,y,people,old\n"
        "501000,3000500,10,1\n"  # on the border of both zones: the first takes them
        "501500,3000500,20,2\n"
        "502300,3000500,40,4\n"  # within the margin
        "509000,3000500,80,8\n"  # beyond it
    )
    groups = [
        Group.model_validate({"id": "old", "name": "old", "column": "old"}),
        Group.model_validate({"id": "kid", "name": "kid", "share": {"urban": 0.5, "rural": 0.1}}),
    ]
    people = read_population(points(tmp_path, text, columns={"people": "total"}), groups, area)
    demand = people.demand
    assert (people.rows_read, people.rows_kept) == (4, 3)
    assert demand.points["demand_id"].tolist() == ["p000000001", "p000000002", "p000000003"]
    assert demand.points["zone_id"].tolist() == ["a", "b", None]
    np.testing.assert_array_equal(demand.points["kid"], [5.0, 2.0, np.nan])
    ledger = demand.ledger.set_index("group")
    assert ledger.loc["total"].tolist() == [150, 0, 30, 40, 80]
    assert ledger.loc["old"].tolist() == [15, 0, 3, 4, 8]
    assert ledger.loc["kid", "in_zones"] == 7


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("501500,3000500,-2", "row 1, column 'total': '-2' is negative"),
        ("501500,3000500,some", "row 1, column 'total': 'some' is not a number"),
        ("501500,3000500,", "row 1, column 'total': is empty"),
        ("601500,3000500,1", "none of the 1 points"),
    ],
)
def test_bad_points(tmp_path: Path, area: Area, row: str, said: str) -> None:
    with pytest.raises(LayerError, match=said):
        read_population(points(tmp_path, f"x,y,total\n{row}\n"), [], area)


def raster(path: Path, people: np.ndarray, *, west: float = 500_000) -> Path:
    transform = rasterio.Affine(500, 0, west, 0, -500, 3_001_000)
    height, width = people.shape
    profile = {"driver": "GTiff", "height": height, "width": width, "count": 1, "dtype": "float64", "nodata": -9.0}
    with rasterio.open(path, "w", **profile, crs=UTM, transform=transform) as out:
        out.write(people, 1)
    return path


def test_nodata_and_nan_are_nobody_and_the_far_side_is_booked(tmp_path: Path, area: Area) -> None:
    people = np.zeros((2, 20))
    people[0] = [1, -9, np.nan, 4, 5, *[0] * 14, 100]
    population = RasterPopulation(kind="raster", path=raster(tmp_path / "p.tif", people))
    people_found = read_population(population, [], area)
    demand = people_found.demand
    assert demand.ledger.iloc[0, 1:].tolist() == [110, 0, 5, 5, 100]
    assert (people_found.rows_read, people_found.rows_kept) == (4, 3)
    assert demand.cells["cell_id"].tolist() == [0, 3, 4]
    assert demand.points["x_m"].tolist() == [500_250, 501_750, 502_250]


def test_group_raster_on_the_same_grid(tmp_path: Path, area: Area) -> None:
    population = RasterPopulation(kind="raster", path=raster(tmp_path / "p.tif", np.full((2, 4), 10.0)))
    old = np.arange(8.0).reshape(2, 4)
    group = Group.model_validate({"id": "old", "name": "old", "path": raster(tmp_path / "old.tif", old)})
    demand = read_population(population, [group], area).demand
    by_zone = demand.points.groupby("zone_id")["old"].sum()
    assert by_zone.to_dict() == pytest.approx({"a": 0 + 1 + 4 + 5, "b": 2 + 3 + 6 + 7})
    raster(tmp_path / "old.tif", old, west=500_100)
    with pytest.raises(LayerError, match="is not on the population's grid"):
        read_population(population, [group], area)
