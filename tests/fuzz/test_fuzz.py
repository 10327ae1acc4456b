"""Whatever stands in a file, a study ends in figures or in faults, never in a traceback.

Here for a moment; `python tests/fuzz/test_fuzz.py MINUTES` goes on for longer and prints how many runs there were.
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
import yaml

from facility_coverage.config.reading import load_study
from facility_coverage.errors import StudyError
from facility_coverage.layers.reading import read_layers

sys.path.insert(0, str(Path(__file__).parent))
from mutation import mutated

CRS = "EPSG:4544"
X0, Y0, SIDE, STEP = 587_000.0, 3_247_000.0, 400.0, 100.0
#: Which file is broken: each holds what the study needs, in one of the formats that offices use.
FILES = (
    "study.yaml", "zones.geojson", "stations.csv", "stations.xlsx", "stations.geojson", "stations.parquet", "zones.shp",
    "zones.dbf", "zones.gpkg", "roads.geojson", "people.tif", "people.csv",
)  # fmt: skip


def world(folder: Path) -> dict[str, bytes]:
    """Write a sound small study in every format; return its files."""
    ticks = np.arange(0, SIDE + 1, STEP)
    lines = [shapely.LineString([(X0 + x, Y0 + y) for x in ticks]) for y in ticks]
    lines += [shapely.LineString([(X0 + x, Y0 + y) for y in ticks]) for x in ticks]
    gpd.GeoDataFrame({"highway": ["residential"] * len(lines)}, geometry=lines, crs=CRS).to_file(
        folder / "roads.geojson"
    )
    zones = gpd.GeoDataFrame(
        {"zone_id": ["0110101", "0110102"], "name": ["东街", "西镇"], "area_type": ["urban", "rural"]},
        geometry=[shapely.box(X0 + a, Y0, X0 + a + SIDE / 2, Y0 + SIDE) for a in (0, SIDE / 2)], crs=CRS,
    )  # fmt: skip
    for name in ("zones.geojson", "zones.shp", "zones.gpkg"):
        zones.to_file(folder / name)
    places = gpd.GeoSeries.from_xy([X0 + 15, X0 + 205, X0 + 390], [Y0 + 21, Y0 + 105, Y0 + 300], crs=CRS).to_crs(4326)
    columns = {"facility_id": ["a", "b", "c"], "name": ["甲站", "乙站", "丙站"], "beds": ["10", "20", ""]}
    table = pd.DataFrame({**columns, "lon": places.x.round(7), "lat": places.y.round(7)})
    table.to_csv(folder / "stations.csv", index=False)
    table.to_excel(folder / "stations.xlsx", index=False)
    gpd.GeoDataFrame(columns, geometry=places.to_numpy(), crs=4326).to_file(folder / "stations.geojson")
    table.to_parquet(folder / "stations.parquet")
    people = gpd.GeoSeries.from_xy([X0 + 50, X0 + 250], [Y0 + 50, Y0 + 250], crs=CRS).to_crs(4326)
    pd.DataFrame({"total": [10, 20], "lon": people.x, "lat": people.y}).to_csv(folder / "people.csv", index=False)
    transform = rasterio.transform.from_origin(X0, Y0 + SIDE, STEP, STEP)
    with rasterio.open(
        folder / "people.tif",
        "w",
        driver="GTiff",
        width=4,
        height=4,
        count=1,
        dtype="float32",
        crs=CRS,
        transform=transform,
    ) as raster:
        raster.write(np.arange(16, dtype=np.float32).reshape(4, 4), 1)
    (folder / "study.yaml").write_text(study("study.yaml"), encoding="utf-8")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def study(broken: str) -> str:
    """Return the study that reads the file that is to be broken."""
    stem = Path(broken).stem
    stations = broken if stem == "stations" else "stations.csv"
    zones = broken.replace(".dbf", ".shp") if stem == "zones" else "zones.geojson"
    point = {} if stations == "stations.geojson" else {"datum": "wgs84"}
    people = {"kind": "points", "path": "people.csv", "datum": "wgs84"}
    content = {
        "id": "small", "title": "小样", "date": "2025-12-31", "crs": CRS, "zones": {"path": zones},
        "roads": {"path": "roads.geojson"},
        "population": people if broken == "people.csv" else {"kind": "raster", "path": "people.tif"},
        "facilities": [
            {"id": "station", "name": "养老", "kind": "elder_care", "path": stations, **point, "capacity": ["beds"],
             "profile": "elder", "cutoff_min": 15}
        ],
        "network": {"min_component_nodes": 2},
    }  # fmt: skip
    return yaml.safe_dump(content, allow_unicode=True)


def outcome(folder: Path, files: dict[str, bytes], broken: str, rng: np.random.Generator) -> str:
    """Break one file, read the study, mend it again; return how it ended."""
    (folder / "study.yaml").write_text(study(broken), encoding="utf-8")
    sound = (folder / broken).read_bytes()
    (folder / broken).write_bytes(mutated(sound, rng))
    try:
        read_layers(load_study(folder / "study.yaml").config, margin_m=100.0)
    except StudyError as error:
        return "faults" if error.faults else "no reason"
    finally:
        for name, data in files.items():
            if name in (broken, "study.yaml") or not (folder / name).exists():
                (folder / name).write_bytes(data)
    return "read"


@pytest.mark.parametrize("broken", FILES)
@pytest.mark.filterwarnings("default")  # of other libraries, on broken files
def test_a_broken_file_ends_in_faults_or_figures(broken: str, tmp_path: Path) -> None:
    files = world(tmp_path)
    rng = np.random.default_rng(FILES.index(broken))
    ends = Counter(outcome(tmp_path, files, broken, rng) for _ in range(12))
    assert sum(ends.values()) == 12
    assert "no reason" not in ends


def fuzz(minutes: float, say: Callable[[str], None] = print) -> None:
    """Break files for so long and say how many runs ended how; at a traceback, say what repeats it."""
    warnings.simplefilter("ignore")
    end = time.monotonic() + 60 * minutes
    ends: Counter[tuple[str, str]] = Counter()
    seed = 0
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        files = world(folder)
        while time.monotonic() < end:
            broken = FILES[seed % len(FILES)]
            try:
                ends[broken, outcome(folder, files, broken, np.random.default_rng(seed))] += 1
            except Exception:
                say(f"seed {seed}, {broken}")
                raise
            seed += 1
    say(f"{seed} runs, no traceback")
    for (broken, how), count in sorted(ends.items()):
        say(f"  {broken}: {how} {count}")


if __name__ == "__main__":
    fuzz(float(sys.argv[1]))
