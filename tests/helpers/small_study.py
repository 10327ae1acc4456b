"""One complete small study: two towns on a lattice of streets, with three stations, to be broken in many ways."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
import yaml

CRS = "EPSG:4544"
X0, Y0 = 587_000.0, 3_247_000.0  # a corner near Yongchuan, metres
SIDE = 2_000.0
STEP = 100.0


def zones() -> gpd.GeoDataFrame:
    """Two squares side by side."""
    west = shapely.box(X0, Y0, X0 + SIDE / 2, Y0 + SIDE)
    east = shapely.box(X0 + SIDE / 2, Y0, X0 + SIDE, Y0 + SIDE)
    columns = {"zone_id": ["0110101", "0110102"], "name": ["东街", "西镇"], "area_type": ["urban", "rural"]}
    return gpd.GeoDataFrame(columns, geometry=[west, east], crs=CRS)


def roads() -> gpd.GeoDataFrame:
    """A lattice of streets, whose crossings share a vertex."""
    ticks = np.arange(0, SIDE + 1, STEP)
    lines = [shapely.LineString([(X0 + x, Y0 + y) for x in ticks]) for y in ticks]
    lines += [shapely.LineString([(X0 + x, Y0 + y) for y in ticks]) for x in ticks]
    ids = [f"w{i:03d}" for i in range(len(lines))]
    return gpd.GeoDataFrame({"way_id": ids, "highway": "residential"}, geometry=lines, crs=CRS)


def facilities() -> pd.DataFrame:
    """Three stations as an office would list them."""
    places = gpd.GeoSeries.from_xy(
        [X0 + 150, X0 + 1_000, X0 + 1_910], [Y0 + 210, Y0 + 1_005, Y0 + 300], crs=CRS
    ).to_crs(4326)
    return pd.DataFrame(
        {
            "facility_id": ["a", "b", "c"],
            "name": ["甲站", "乙站", "丙站"],
            "beds": ["10", "20", ""],
            "lon": places.x.round(7),
            "lat": places.y.round(7),
        }
    )


def write_population(path: Path, *, x0: float = X0, y0: float = Y0) -> None:
    """Write 400 cells of 0 … 6 people in turn."""
    cells = int(SIDE / STEP)
    people = (np.arange(cells * cells, dtype=np.float32) % 7).reshape(cells, cells)
    transform = rasterio.transform.from_origin(x0, y0 + SIDE, STEP, STEP)
    with rasterio.open(
        path, "w", driver="GTiff", width=cells, height=cells, count=1, dtype="float32", crs=CRS, transform=transform
    ) as raster:
        raster.write(people, 1)


STUDY = {
    "id": "small",
    "title": "小样",
    "date": "2025-12-31",
    "crs": CRS,
    "zones": {"path": "zones.geojson"},
    "roads": {"path": "roads.gpkg"},
    "population": {"kind": "raster", "path": "people.tif"},
    "facilities": [
        {
            "id": "station",
            "name": "养老服务站",
            "kind": "elder_care",
            "path": "stations.csv",
            "datum": "wgs84",
            "capacity": ["beds"],
            "profile": "elder",
            "cutoff_min": 15,
        }
    ],
    "network": {"min_component_nodes": 5},
}


def write_small(folder: Path) -> Path:
    """Write the whole study into a folder; returns its YAML file."""
    zones().to_file(folder / "zones.geojson")
    roads().to_file(folder / "roads.gpkg")
    facilities().to_csv(folder / "stations.csv", index=False)
    write_population(folder / "people.tif")
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(STUDY, allow_unicode=True), encoding="utf-8")
    return path


def edit(small: Path, change: Callable[[dict], object]) -> None:
    """Change the study's YAML."""
    study = yaml.safe_load(small.read_text(encoding="utf-8"))
    change(study)
    small.write_text(yaml.safe_dump(study, allow_unicode=True), encoding="utf-8")


def stations(small: Path, **columns: list[object]) -> None:
    """Write the table of stations with other columns."""
    facilities().assign(**columns).to_csv(small.parent / "stations.csv", index=False)
