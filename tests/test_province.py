"""The synthetic province: the same each time, as large as it says, one network, nobody lost, and studies that run."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import rasterio
import shapely

from facility_coverage.analysis.limits import longest_trip_m
from facility_coverage.checking import check_study
from facility_coverage.config.reading import load_study
from facility_coverage.layers.reading import read_layers
from facility_coverage.study import compute

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "province.py"
SCALE = SCRIPT.with_name("scale.py")
SIZE = Fraction(1, 128)
LAYERS = ("elder_care", "childcare", "clinic")


def write(folder: Path, size: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), str(folder), "--size", size]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own file


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("province")
    done = write(folder, str(SIZE))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def streets(province: Path) -> nx.Graph:
    """Every piece of road between two vertices, bridges marked."""
    roads = gpd.read_parquet(province / "roads.parquet")
    graph = nx.Graph()
    for line, bridge in zip(roads.geometry, roads["bridge"], strict=True):
        places = [tuple(xy) for xy in line.coords]
        graph.add_edges_from(itertools.pairwise(places), bridge=bridge == "yes")
    return graph


def people(province: Path) -> np.ndarray:
    with rasterio.open(province / "population.tif") as raster:
        assert raster.res == (100.0, 100.0)
        assert raster.profile["tiled"]
        return np.asarray(raster.read(1).astype(np.float64))


def test_the_same_size_gives_the_same_bytes(province: Path, tmp_path: Path) -> None:
    assert write(tmp_path, str(SIZE)).returncode == 0
    names = sorted(path.name for path in province.iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert [name for name in names if (tmp_path / name).read_bytes() != (province / name).read_bytes()] == []


def test_all_that_is_counted_grows_with_the_area(province: Path, streets: nx.Graph) -> None:
    said = json.loads((province / "province.json").read_text(encoding="utf-8"))
    zones, districts = (gpd.read_parquet(province / f"{name}.parquet") for name in ("zones", "districts"))
    area_km2 = zones.area.sum() / 1e6
    assert area_km2 == pytest.approx(82_944 * float(SIZE))
    assert (len(zones), len(districts)) == (8, 2)
    cells = people(province)
    found = {
        "area_km2": area_km2,
        "towns": zones["zone_id"].nunique(),
        "districts": districts["district_id"].nunique(),
        "people": cells.sum(),
        "populated_cells": np.count_nonzero(cells > 0),
        # A street that merely goes on is one edge.
        "directed_edges": 2 * (streets.number_of_edges() - sum(degree == 2 for _, degree in streets.degree)),
    } | {layer: len(gpd.read_file(province / f"{layer}.geojson")) for layer in LAYERS}
    assert {name: said[name] for name in found} == pytest.approx(found)
    # What a whole province must have at least, by area.
    whole = {"populated_cells": 5_000_000, "directed_edges": 3_000_000}
    assert all(found[name] >= least * SIZE for name, least in whole.items())
    assert sum(found[layer] for layer in LAYERS) >= 10_000 * SIZE
    assert found["people"] == pytest.approx(32_000_000 * float(SIZE), rel=1e-3)


def test_towns_cover_the_province_once_and_districts_are_sums_of_towns(province: Path) -> None:
    zones, districts = (gpd.read_parquet(province / f"{name}.parquet") for name in ("zones", "districts"))
    assert shapely.coverage_is_valid(zones.geometry.to_numpy())
    assert shapely.coverage_is_valid(districts.geometry.to_numpy())
    by_code = zones.dissolve("district_id").area
    np.testing.assert_allclose(by_code, districts.set_index("district_id").area.loc[by_code.index])
    assert set(zones["area_type"]) == {"urban", "rural"}
    assert zones["zone_id"].str[:6].eq(zones["district_id"]).all()
    assert zones["name"].is_unique


def test_roads_hang_together_over_bridges_and_only_there(province: Path, streets: nx.Graph) -> None:
    assert nx.is_connected(streets)
    on_land = streets.edge_subgraph([(a, b) for a, b, bridge in streets.edges(data="bridge") if not bridge])
    large = [piece for piece in nx.connected_components(on_land) if len(piece) > 0.1 * len(streets)]
    assert len(large) >= 2
    water = gpd.read_parquet(province / "water.parquet").union_all().buffer(-50.0)
    roads = gpd.read_parquet(province / "roads.parquet")
    wet = roads[roads.intersects(water)]
    assert len(wet) > 0
    assert wet["bridge"].eq("yes").all()


def test_town_streets_are_dense_and_mountains_empty(province: Path) -> None:
    cells = people(province)
    roads = gpd.read_parquet(province / "roads.parquet")
    assert {"primary", "tertiary", "residential", "footway", "unclassified", "path"} <= set(roads["highway"])
    share = np.count_nonzero(cells) / cells.size
    assert 0.6 < share < 0.67
    densest = np.sort(cells.ravel())[::-1]
    # A twelfth of the land, where towns may be, holds at least a third of the people.
    assert densest[: cells.size // 12].sum() > cells.sum() / 3


def test_facilities_stand_beside_roads_in_the_town_they_are_named_after(province: Path) -> None:
    zones = gpd.read_parquet(province / "zones.parquet")
    roads = gpd.read_parquet(province / "roads.parquet")
    for layer, capacity in (("elder_care", "beds"), ("childcare", "slots"), ("clinic", "beds")):
        places = gpd.read_file(province / f"{layer}.geojson").to_crs(zones.crs)
        assert places["facility_id"].is_unique
        assert (places[capacity] >= 1).all()
        far = gpd.sjoin_nearest(places, roads, distance_col="far_m")["far_m"]
        assert far.max() < 40.0
        town = gpd.sjoin(places, zones, predicate="within")
        assert len(town) == len(places)
        assert all(a.startswith(b) for a, b in zip(town["name_left"], town["name_right"], strict=True))
        if layer != "childcare":
            assert town["zone_id"].nunique() == len(zones)


def test_the_doctor_finds_no_error_and_nobody_is_lost(province: Path) -> None:
    checkup = check_study(province / "province.yaml")
    assert [finding for finding in checkup.findings if finding.rank == "error"] == []
    study = load_study(province / "province.yaml")
    layers = read_layers(study.config, margin_m=longest_trip_m(study))
    total = layers.demand.points.loc[layers.demand.points["zone_id"].notna(), "total"].sum()
    assert total == pytest.approx(people(province).sum(), rel=1e-9)


def test_districts_are_studies_whose_people_sum_to_the_province(province: Path) -> None:
    codes = gpd.read_parquet(province / "districts.parquet")["district_id"]
    found = []
    for code in codes:
        computed = compute(load_study(province / f"district_{code}.yaml"))
        table = computed.coverage.summary
        found.append(table[(table["group"] == "total") & (table["scope"] == "study")].set_index("layer"))
    whole = compute(load_study(province / "province.yaml")).coverage.summary
    whole = whole[(whole["group"] == "total") & (whole["scope"] == "study")].set_index("layer")
    for layer in LAYERS:
        assert sum(one.loc[layer, "population"] for one in found) == pytest.approx(whole.loc[layer, "population"])
        covered = sum(one.loc[layer, "covered"] for one in found)
        assert covered == pytest.approx(whole.loc[layer, "covered"], rel=1e-6)
        assert 0.05 < whole.loc[layer, "covered"] / whole.loc[layer, "population"] < 0.95


@pytest.mark.parametrize("size", ["0", "2", "1/1000", "half", "1/0"])
def test_a_size_that_is_none_is_refused_with_what_to_write(tmp_path: Path, size: str) -> None:
    done = write(tmp_path / "new", size)
    assert done.returncode == 2
    assert "such as 1/8" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "new").exists()


def test_the_sizes_are_measured_stage_by_stage_in_one_table() -> None:
    command = [sys.executable, str(SCALE), "--sizes", "1/256", "1/128"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own file
    assert done.returncode == 0, done.stderr
    rows = {cells[1].strip(): cells[2:4] for line in done.stdout.splitlines() if len(cells := line.split("|")) == 5}
    stages = ["write the province", "read study", "read layers", "build networks", "travel times", "coverage and goals"]
    costs = {name: [re.fullmatch(r" (\d+\.\d) s, (\d+\.\d\d) GB ", cell) for cell in rows[name]] for name in stages}
    assert all(found and 0.1 < float(found[2]) < 4.0 for pair in costs.values() for found in pair)
    for column in range(2):
        seconds = sum(float(found[1]) for name in stages[1:] if (found := costs[name][column]))
        said = re.match(r" (\d+\.\d) s", rows["**all stages of the study**"][column])
        assert said
        assert float(said[1]) == pytest.approx(seconds, abs=0.31)
    assert [int(cell.replace(",", "")) for cell in rows["towns"]] == [4, 8]


def test_a_size_that_memory_does_not_hold_is_said_so_and_no_figure_is_made_up() -> None:
    command = [sys.executable, str(SCALE), "--sizes", "1/256", "--memory-gb", "0.05"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own file
    assert done.returncode == 0
    assert done.stdout.startswith("1/256: writing: ")
    assert "|" not in done.stdout


def test_stages_after_memory_ran_out_have_no_figure() -> None:
    sys.path.insert(0, str(SCALE.parent))
    try:
        import scale  # noqa: PLC0415 - a script beside the package
    finally:
        sys.path.remove(str(SCALE.parent))
    written = dict.fromkeys(["area_km2", "towns", "districts", "populated_cells", "directed_edges", *LAYERS], 7)

    def stages(*names: str) -> list[dict[str, object]]:
        return [{"name": name, "seconds": 1.0, "peak_bytes": 2_000_000_000} for name in names]

    small = {"stages": stages("read layers", "build networks", "travel times"), "demand_points": 5, "directed_edges": 6}
    large = {"stages": stages("read layers"), "out_of_memory_in": "build networks"}
    written = written | {"stages": stages("write the province")}
    lines = scale.table({"1/8": (written, small), "1": (written, large)}).splitlines()
    cost = "1.0 s, 2.00 GB"
    assert lines[-6:] == [
        "| directed edges of the study | 6 | – |",
        f"| write the province | {cost} | {cost} |",
        f"| read layers | {cost} | {cost} |",
        f"| build networks | {cost} | {scale.OUT_OF_MEMORY} |",
        f"| travel times | {cost} | – |",
        "| **all stages of the study** | 3.0 s, 2.00 GB | – |",
    ]
