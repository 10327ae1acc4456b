"""Real countries: what is read, against figures measured on the files by other means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from facility_coverage.config.study import StudyConfig
from facility_coverage.layers.model import Layers
from facility_coverage.layers.reading import read_layers

DATA = Path(__file__).parents[2].parent / "shared" / "data"

pytestmark = [pytest.mark.realdata, pytest.mark.usefixtures("realdata")]


def facility(kind: str, path: Path, **options: Any) -> dict[str, Any]:
    return {"id": kind, "name": kind, "kind": kind, "path": path, "profile": "adult", "cutoff_min": 15, **options}


@pytest.fixture(scope="module")
def comoros() -> Layers:
    extract = DATA / "comoros" / "comoros-2021.osm.pbf"
    study = {
        "id": "comoros",
        "title": "Comoros",
        "date": "2021-01-01",
        "zones": {
            "path": extract,
            "where": {"boundary": "administrative", "admin_level": "4"},
            "constants": {"area_type": "rural"},
        },
        "roads": {"path": extract},
        "population": {"kind": "raster", "path": DATA / "comoros" / "worldpop-2020-100m.tif"},
        "facilities": [facility(kind, extract, where={"amenity": kind}) for kind in ("hospital", "clinic", "doctors")],
    }
    return read_layers(StudyConfig.model_validate(study), margin_m=2500.0)


def test_comoros_objects(comoros: Layers) -> None:
    assert comoros.crs.to_epsg() == 32738
    assert comoros.zones["zone_id"].tolist() == ["r2955018", "r2955050", "r2955051"]
    for name, part in zip(comoros.zones["name"], ("Mwali", "Nzwani", "Ngazidja"), strict=True):
        assert part in name
    assert {layer: len(frame) for layer, frame in comoros.facilities.items()} == {
        "hospital": 28,
        "clinic": 8,
        "doctors": 3,
    }
    assert len(comoros.roads.tags) == 4378 + 3  # ways, and ferries
    assert comoros.roads.start[-1] == len(comoros.roads.node) == len(comoros.roads.xy)


def test_comoros_people_are_conserved(comoros: Layers) -> None:
    with rasterio.open(DATA / "comoros" / "worldpop-2020-100m.tif") as raster:
        band = raster.read(1, masked=True)
        everybody = float(band.astype("float64").sum())
        transform = raster.transform
    assert everybody == pytest.approx(869_595, rel=1e-3)
    row = comoros.demand.ledger.set_index("group").loc["total"]
    assert row["read"] == pytest.approx(everybody, abs=1e-6)
    assert row["in_zones"] + row["beyond_zones"] + row["beyond_margin"] == pytest.approx(everybody, abs=1e-6)
    cells = comoros.demand.cells
    source = band.filled(0)[cells["row"], cells["col"]].astype("float64")
    np.testing.assert_allclose(cells["in_zones"] + cells["beyond_zones"], source, rtol=0, atol=1e-9)
    # Another way to count: whole cells by their centre. Errors of coastal cells cancel out to a few in ten thousand.
    x = transform.c + (cells["col"] + 0.5) * transform.a
    y = transform.f + (cells["row"] + 0.5) * transform.e
    land = gpd.GeoSeries([comoros.zones.to_crs(4326).union_all()], crs=4326).iloc[0]
    shapely.prepare(land)
    assert row["in_zones"] == pytest.approx(source[shapely.contains_xy(land, x, y)].sum(), rel=2e-3)


def test_poa_hexagons(tmp_path: Path) -> None:
    zone = gpd.GeoDataFrame(
        {"zone_id": ["1"], "name": ["centre"], "area_type": ["urban"]},
        geometry=[shapely.box(-51.27, -30.12, -51.12, -29.95)],
        crs=4326,
    )
    zone.to_file(tmp_path / "zone.geojson")
    table = DATA / "poa" / "poa_hexgrid.csv"
    study = {
        "id": "poa",
        "title": "Porto Alegre",
        "date": "2020-01-01",
        "zones": {"path": tmp_path / "zone.geojson"},
        "roads": {"path": DATA / "poa" / "poa_osm.pbf"},
        "population": {
            "kind": "points",
            "path": table,
            "datum": "wgs84",
            "columns": {"population": "total", "id": "demand_id"},
        },
        "facilities": [
            facility(
                "poi",
                DATA / "poa" / "poa_points_of_interest.csv",
                datum="wgs84",
                columns={"id": "facility_id"},
                constants={"name": ""},
            )
        ],
    }
    layers = read_layers(StudyConfig.model_validate(study), margin_m=1250.0)
    assert layers.demand.ledger.loc[0, "read"] == 812_935
    assert len(layers.demand.points) == 1227
    assert len(layers.facilities["poi"]) == 15
    assert layers.crs.to_epsg() == 32722
