"""The people of Comoros in every form: nobody is lost, and the forms agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

from facility_coverage.config.people import AreaTypes
from facility_coverage.config.study import PolygonPopulation, RasterPopulation, Zones
from facility_coverage.layers.boundaries import place_boundary, place_zones, read_zones, study_box
from facility_coverage.layers.cell_areas import cell_areas_m2
from facility_coverage.layers.counted import Area
from facility_coverage.layers.crs import choose_metric_crs
from facility_coverage.layers.population import People, read_population

pytestmark = pytest.mark.realdata

EVERYBODY = 869_595
ISLANDS = ("r2955018", "r2955050", "r2955051")


@pytest.fixture(scope="module")
def area(realdata: Path) -> Area:
    table = Zones.model_validate(
        {
            "path": realdata / "comoros" / "comoros-2021.osm.pbf",
            "where": {"boundary": "administrative", "admin_level": "4"},
            "constants": {"area_type": "rural"},
        }
    )
    source = read_zones(table)
    crs = choose_metric_crs(source.frame, None, file="comoros")
    zones = place_zones(source, crs, sliver_width_m=table.sliver_width_m).frame
    boundary = place_boundary(None, zones)
    return Area(zones, source.file, boundary, study_box(boundary, 2500.0))


@pytest.fixture(scope="module")
def raster(realdata: Path) -> Path:
    return realdata / "comoros" / "worldpop-2020-100m.tif"


def read(path: Path, area: Area, *, area_types: Any = None, **options: Any) -> People:
    population = RasterPopulation.model_validate({"kind": "raster", "path": path, **options})
    return read_population(population, [], area, area_types=AreaTypes.model_validate(area_types or {}))


def total(people: People) -> pd.Series:
    row: pd.Series = people.demand.ledger.set_index("group").loc["total"]
    return row


@pytest.fixture(scope="module")
def counted(area: Area, raster: Path) -> People:
    return read(raster, area)


def of_zones(people: People) -> pd.Series:
    return people.demand.points.groupby("zone_id")["total"].sum()


def test_everybody_is_in_the_zones_or_beyond(counted: People, raster: Path) -> None:
    with rasterio.open(raster) as file:
        exact = float(file.read(1, masked=True).astype("float64").sum())
    row = total(counted)
    assert exact == pytest.approx(EVERYBODY, abs=1)
    assert row["read"] == pytest.approx(exact, rel=1e-12)
    assert row[["in_zones", "beyond_zones", "beyond_margin"]].sum() == pytest.approx(exact, rel=1e-9)
    # The raster's shores lie some hundred metres off those of the outlines.
    assert row["in_zones"] / exact == pytest.approx(0.945, abs=0.001)
    assert row["beyond_margin"] == 0


def test_the_same_people_as_a_density(counted: People, area: Area, raster: Path, tmp_path: Path) -> None:
    with rasterio.open(raster) as file:
        people, profile = file.read(1), file.profile
        km2 = cell_areas_m2(file.transform, area.zones.crs.geodetic_crs, np.arange(file.height))[:, None] / 1e6
    # The country lies 12° south, where a cell of 3″ has 0.0083 km²; the file forgets its nodata.
    assert 0.0083 < float(km2.mean()) < 0.0085
    density = np.where(people == profile["nodata"], -9999.0, people / km2)
    with rasterio.open(tmp_path / "density.tif", "w", **(profile | {"dtype": "float64", "nodata": None})) as file:
        file.write(density, 1)
    found = read(tmp_path / "density.tif", area, unit="per_km2", nodata=-9999.0)
    pd.testing.assert_frame_equal(found.demand.points, counted.demand.points, rtol=1e-12)
    assert total(found)["read"] == pytest.approx(total(counted)["read"], rel=1e-12)


def test_the_same_people_as_squares(counted: People, area: Area, raster: Path, tmp_path: Path) -> None:
    # Ten by ten cells together, as a statistical grid of about 1 km.
    with rasterio.open(raster) as file:
        people = file.read(1, masked=True).astype("float64").filled(0.0)
        transform = file.transform
    rows, cols = (size // 10 + 1 for size in people.shape)
    padded = np.zeros((rows * 10, cols * 10))
    padded[: people.shape[0], : people.shape[1]] = people
    sums = padded.reshape(rows, 10, cols, 10).sum(axis=(1, 3))
    row, col = np.nonzero(sums)
    west, top = transform.c + 10 * transform.a * col, transform.f + 10 * transform.e * row
    squares = shapely.box(west, top + 10 * transform.e, west + 10 * transform.a, top)
    gpd.GeoDataFrame({"total": sums[row, col]}, geometry=squares, crs=4326).to_parquet(tmp_path / "grid.parquet")
    population = PolygonPopulation(kind="polygons", path=tmp_path / "grid.parquet")
    found = read_population(population, [], area)
    row_of = total(found)
    assert row_of["read"] == pytest.approx(people.sum(), rel=1e-9)
    assert row_of[["in_zones", "beyond_zones", "beyond_margin"]].sum() == pytest.approx(people.sum(), rel=1e-9)
    # Squares on the shore put some people into the sea: coarse squares know less than fine cells.
    ratio = of_zones(found) / of_zones(counted)
    assert ratio.between(0.93, 1.0).all()
    assert len(found.demand.points) > 100_000


def test_control_totals_of_the_islands(area: Area, raster: Path, tmp_path: Path) -> None:
    # Round figures, not a census: what counts is that they are met.
    text = "zone_id,total\nr2955018,52000\nr2955050,320000\n全国,800000\n"
    (tmp_path / "controls.csv").write_text(text, encoding="utf-8")
    found = read(raster, area, controls={"path": tmp_path / "controls.csv", "study_row": "全国"})
    np.testing.assert_allclose(of_zones(found), [52_000, 320_000, 428_000], rtol=1e-8)
    row = total(found)
    assert row["read"] + row["rescaled"] == pytest.approx(
        row[["in_zones", "beyond_zones", "beyond_margin"]].sum(), rel=1e-9
    )


def test_the_islands_by_density(area: Area, raster: Path) -> None:
    found = read(raster, area, area_types={"from": "density"})
    table = found.details["area_types"].set_index("zone_id")
    assert set(table.index) == set(ISLANDS)
    assert table["total"].sum() == pytest.approx(total(found)["in_zones"], rel=1e-12)
    assert (table["centre_share"] <= table["urban_share"]).all()
    assert (table["area_type"] == np.where(table["urban_share"] >= 0.5, "urban", "rural")).all()
