"""The sample on disk: layers and studies, the same bytes each time."""

from __future__ import annotations

import io
import json
import tempfile
from importlib import resources
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import rasterio
import shapely
from affine import Affine

from facility_coverage.config.reading import plan_schema, study_schema
from facility_coverage.errors import Fault, StudyError
from facility_coverage.sample.countryside import build_countryside
from facility_coverage.sample.estates import build_estates, build_old_towns, build_planned_stations
from facility_coverage.sample.figures import build_controls, build_statistics
from facility_coverage.sample.frame import CRS
from facility_coverage.sample.office import write_office
from facility_coverage.sample.people import CELL_DEG, NODATA, People, build_people
from facility_coverage.sample.placing import World, build_world
from facility_coverage.sample.public_services import (
    build_community_centres,
    build_culture,
    build_fitness,
    build_kindergartens,
)
from facility_coverage.sample.records import with_childcare_records, with_elder_care_records, with_medical_records
from facility_coverage.sample.roads import build_roads, with_years
from facility_coverage.sample.services import build_childcare, build_elder_care, build_medical
from facility_coverage.sample.settlements import build_settlements
from facility_coverage.sample.streets import build_streets
from facility_coverage.sample.terrain import Terrain, build_terrain
from facility_coverage.sample.zoning import build_districts, build_zones

NOTICE = "Synthetic sample data made by facility-coverage: not a survey, no real people, roads or facilities"


def write_sample(folder: Path, *, overwrite: bool = False) -> None:
    """Write the sample's layers and studies into `folder`/layers/yongchuan and `folder`/configs.

    Parameters
    ----------
    folder
        Where to write; made if it does not exist.
    overwrite
        Whether files that differ from the sample's may be replaced.

    Raises
    ------
    StudyError
        If files exist that differ from the sample's, and `overwrite` is false; nothing is written then.
    """
    with tempfile.TemporaryDirectory() as work:
        made = Path(work)
        _write_configs(made / "configs")
        _write_layers(made / "layers" / "yongchuan")
        files = {file.relative_to(made): file.read_bytes() for file in sorted(made.rglob("*")) if file.is_file()}
    different = [name for name, data in files.items() if (folder / name).exists() and not _same(folder / name, data)]
    if different and not overwrite:
        advice = "move it away, or allow files to be overwritten"
        raise StudyError(
            Fault(str(folder / name), "exists and differs from the sample's", advice=advice) for name in different
        )
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def _same(file: Path, data: bytes) -> bool:
    return file.is_file() and file.read_bytes() == data


def _write_configs(folder: Path) -> None:
    package = resources.files("facility_coverage")
    with resources.as_file(package / "sample" / "configs") as source:
        for file in sorted(source.rglob("*.yaml")):
            target = folder / file.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    (folder / "profiles.yaml").write_bytes((package / "config" / "profiles.yaml").read_bytes())
    for name, schema in (("study", study_schema()), ("plan", plan_schema())):
        text = json.dumps(schema, ensure_ascii=False, indent=1) + "\n"
        (folder / f"{name}.schema.json").write_text(text, encoding="utf-8", newline="\n")


def _write_layers(folder: Path) -> None:
    folder.mkdir(parents=True)
    terrain = build_terrain()
    zones = build_zones(terrain)
    districts = build_districts(zones)
    places = build_settlements(terrain, shapely.union_all(districts.to_crs(CRS).geometry.to_numpy()))
    roads = build_roads(terrain, build_countryside(terrain, places), build_streets(terrain, places))
    people = build_people(terrain, places, zones, roads)
    world = build_world(terrain, places, people, zones, roads)
    services, areas = _build_services(world)
    water = gpd.GeoDataFrame(
        {"name": list(terrain.water), "kind": [kind for kind, _ in terrain.water.values()]},
        geometry=[polygon for _, polygon in terrain.water.values()],
        crs=CRS,
    ).to_crs("EPSG:4326")
    for name, frame in {"districts": districts, "zones": zones, "water": water, **services, **areas}.items():
        _write_geojson(frame, folder / f"{name}.geojson")
    write_office(folder / "office", zones=zones, services=services)
    for name, table in {"statistics": build_statistics(), "controls_2020": build_controls(people, zones)}.items():
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    _write_roads(with_years(roads, areas["new_estates"]), folder / "roads.parquet")
    _write_people(people, folder / "population.tif")
    _write_elevation(terrain, folder / "dem.tif")


def _build_services(world: World) -> tuple[dict[str, gpd.GeoDataFrame], dict[str, gpd.GeoDataFrame]]:
    """Return facilities, and the areas that plans speak of with what is planned there, by the name of their file."""
    elder, childcare, medical = build_elder_care(world), build_childcare(world), build_medical(world)
    estates = build_estates(world, elder, childcare)
    elder = with_elder_care_records(elder, estates)
    services = {
        "elder_care": elder,
        "childcare": with_childcare_records(childcare, estates),
        "medical": with_medical_records(medical, elder),
        "kindergarten": build_kindergartens(world),
        "fitness": build_fitness(world),
        "culture": build_culture(world),
        "community_centre": build_community_centres(world),
    }
    areas = {
        "new_estates": estates,
        "old_town": build_old_towns(world),
        "planned_stations": build_planned_stations(estates),
    }
    return services, areas


def _write_geojson(frame: gpd.GeoDataFrame, file: Path) -> None:
    """Write one feature a line, coordinates to a millionth of a degree, missing values as null."""
    rounded = shapely.transform(frame.geometry.to_numpy(), lambda xy: np.round(xy, 6))
    columns = [name for name in frame.columns if name != "geometry"]
    lines = []
    for row, shape in zip(frame[columns].itertuples(index=False), rounded, strict=True):
        properties = {name: _plain(value) for name, value in zip(columns, row, strict=True)}
        feature = {"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(shape)}
        lines.append(json.dumps(feature, ensure_ascii=False, separators=(",", ":")))
    head = json.dumps({"type": "FeatureCollection", "name": file.stem, "synthetic": True, "notice": NOTICE})
    text = head[:-1] + ', "features": [\n' + ",\n".join(lines) + "\n]}\n"
    file.write_text(text, encoding="utf-8", newline="\n")


def _plain(value: object) -> object:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value.item() if isinstance(value, np.generic) else value


def _write_roads(roads: gpd.GeoDataFrame, file: Path) -> None:
    buffer = io.BytesIO()
    roads.to_parquet(buffer, index=False)
    table = pq.read_table(buffer)
    table = table.replace_schema_metadata(
        {**(table.schema.metadata or {}), b"synthetic": b"true", b"notice": NOTICE.encode()}
    )
    pq.write_table(table, file, compression="zstd", compression_level=15)


def _write_people(people: People, file: Path) -> None:
    values = np.where(np.isnan(people.count), NODATA, people.count).astype(np.float32)
    place = Affine(CELL_DEG, 0.0, people.west_deg, 0.0, -CELL_DEG, people.north_deg)
    _write_raster(values, file, {"crs": "EPSG:4326", "transform": place, "nodata": NODATA, "predictor": 3})


def _write_elevation(terrain: Terrain, file: Path) -> None:
    grid = terrain.fine
    place = Affine(grid.size_m, 0.0, grid.west_m, 0.0, -grid.size_m, grid.north_m)
    values = np.round(terrain.fine_m).astype(np.int16)
    _write_raster(values, file, {"crs": CRS, "transform": place, "nodata": -32_768, "predictor": 2})


def _write_raster(values: npt.NDArray[np.generic], file: Path, options: dict[str, object]) -> None:
    rows, cols = values.shape
    with rasterio.open(
        file, "w", driver="GTiff", height=rows, width=cols, count=1, dtype=values.dtype, compress="deflate",
        zlevel=9, **options,
    ) as raster:  # fmt: skip
        raster.write(values, 1)
        raster.update_tags(synthetic="true", notice=NOTICE)
