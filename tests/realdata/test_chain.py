"""Two real places, from the YAML to who is covered, against a computation that shares no code with the program's."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import osmium
import pandas as pd
import pyproj
import pytest
import rasterio
import yaml

import oracles
from facility_coverage.analysis.evidence import Evidence
from facility_coverage.analysis.goals import judge
from facility_coverage.analysis.reach import Reach
from facility_coverage.analysis.service_areas import service_areas
from facility_coverage.analysis.trips import Trips
from facility_coverage.config.plan import Plan
from facility_coverage.config.reading import load_study
from facility_coverage.network.access import walkable
from facility_coverage.outputs import tables, verdict_tables
from facility_coverage.study import Computed, compute
from places import MAX_ACCESS_M, comoros_study, may_walk, poa_study

pytestmark = pytest.mark.realdata

SPEED_MS = 4.82 / 3.6
STAIRS_MS = 2.2 / 3.6
CUTOFF_S = 900.0
MIN_NODES = 30


@dataclass(frozen=True)
class Place:
    computed: Computed
    extract: Path
    folder: Path


def run(folder: Path, study: dict[str, object], extract: Path, *, threads: int = 1) -> Place:
    path = folder / f"{study['id']}.yaml"
    path.write_text(yaml.safe_dump(study, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return Place(compute(load_study(path, allow_outside=True), threads=threads), extract, folder)


@pytest.fixture(scope="session")
def comoros(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("comoros")
    return run(folder, comoros_study(realdata), realdata / "comoros" / "comoros-2021.osm.pbf")


@pytest.fixture(scope="session")
def poa(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("poa")
    return run(folder, poa_study(realdata, folder), realdata / "poa" / "poa_osm.pbf")


def walked_segments(place: Place) -> oracles.Segments:
    """Read the extract again, keep what may be walked, and drop small pieces."""
    to_metric = pyproj.Transformer.from_crs(4326, place.computed.layers.crs, always_xy=True)
    ways: dict[int, list[tuple[int, float, float]]] = {}
    stairs: set[int] = set()
    for way in osmium.FileProcessor(str(place.extract)).with_locations():
        if way.is_way() and "highway" in way.tags and may_walk(way.tags):
            located = [node for node in way.nodes if node.location.valid()]
            if len(located) >= 2:
                ways[way.id] = [(node.ref, node.lon, node.lat) for node in located]
                stairs |= {way.id} if way.tags.get("highway") == "steps" else set()
    uses: dict[int, int] = {}
    ends: set[int] = set()
    for way_id in sorted(ways):
        refs = [ref for ref, _, _ in ways[way_id]]
        ends |= {refs[0], refs[-1]}
        for ref in refs:
            uses[ref] = uses.get(ref, 0) + 1
    rows = [vertex for way_id in sorted(ways) for vertex in ways[way_id]]
    node = np.array([ref for ref, _, _ in rows])
    x, y = to_metric.transform([lon for _, lon, _ in rows], [lat for _, _, lat in rows])
    start = np.concatenate([[0], np.cumsum([len(ways[way_id]) for way_id in sorted(ways)])])
    speed_ms = np.array([STAIRS_MS if way_id in stairs else SPEED_MS for way_id in sorted(ways)])
    segments = oracles.segments_of_ways(np.column_stack([x, y]), node, start, speed_ms=speed_ms)
    junctions = ends | {ref for ref, count in uses.items() if count > 1}
    return oracles.without_small_pieces(segments, junctions, min_nodes=MIN_NODES)


def compare(place: Place) -> tuple[int, int, float]:
    """Check every demand point; return how many, how many reach a facility, and the largest difference in seconds."""
    computed = place.computed
    points, people = computed.layers.demand.points, computed.coverage.demand
    facilities = computed.layers.facilities["health"]
    theirs = oracles.nearest_seconds(
        walked_segments(place),
        points[["x_m", "y_m"]].to_numpy(),
        np.column_stack([facilities.geometry.x, facilities.geometry.y]),
        max_access_m=MAX_ACCESS_M,
        access_speed_ms=SPEED_MS,
    )
    ours = people["health_s"].to_numpy()
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    reached = ~np.isnan(ours)
    difference = float(np.abs(ours[reached] - theirs[reached]).max())
    assert difference <= 0.01
    in_zones = points["zone_id"].notna().to_numpy()
    covered = (theirs <= CUTOFF_S) & in_zones
    np.testing.assert_array_equal(people["health_covered"].to_numpy(), covered)
    total = points["total"].to_numpy()
    study = computed.coverage.summary.set_index(["scope", "group"]).loc[("study", "total")]
    # The same people, added up zone by zone: exactly the same sum, and but for rounding the exact one.
    assert study["covered"] == points[covered].groupby("zone_id")["total"].sum().sum()
    assert study["covered"] == pytest.approx(math.fsum(total[covered]), rel=1e-12)
    assert study["population"] == pytest.approx(math.fsum(total[in_zones]), rel=1e-12)
    assert 0 < study["share"] < 1
    return len(ours), int(reached.sum()), difference


def test_comoros_has_the_walkable_segments_that_were_counted_before(comoros: Place) -> None:
    roads = comoros.computed.layers.roads
    assert np.diff(roads.start)[walkable(roads.tags)].sum() - walkable(roads.tags).sum() == 65_110


def test_comoros_point_by_point(comoros: Place) -> None:
    points, reached, _ = compare(comoros)
    assert (points > 200_000, reached > 90_000) == (True, True)


def test_porto_alegre_point_by_point(poa: Place) -> None:
    points, reached, _ = compare(poa)
    assert (points, reached) == (1227, 1220)


def test_comoros_cells_are_accounted_for_one_by_one(comoros: Place, realdata: Path) -> None:
    with rasterio.open(realdata / "comoros" / "worldpop-2020-100m.tif") as raster:
        band = np.ma.filled(raster.read(1, masked=True).astype(np.float64), 0.0)
    demand = comoros.computed.layers.demand
    total = demand.ledger.set_index("group").loc["total"]
    assert band.sum() == pytest.approx(869_595, rel=1e-3)
    assert total["read"] == pytest.approx(math.fsum(band.ravel()), rel=1e-9)
    assert total["in_zones"] + total["beyond_zones"] + total["beyond_margin"] == pytest.approx(total["read"], rel=1e-9)
    cells = demand.cells
    assert not cells.duplicated(["row", "col"]).any()
    np.testing.assert_allclose(cells["read"], band[cells["row"], cells["col"]], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(cells["in_zones"] + cells["beyond_zones"], cells["read"], rtol=1e-9, atol=1e-9)
    left_out = band.copy()
    left_out[cells["row"], cells["col"]] = 0.0
    assert total["beyond_margin"] == pytest.approx(left_out.sum(), abs=1e-3)
    pieces = demand.points.assign(inside=demand.points["zone_id"].notna())
    per_cell = pieces.pivot_table(index="cell_id", columns="inside", values="total", aggfunc="sum", fill_value=0.0)
    per_cell = per_cell.reindex(cells["cell_id"])
    np.testing.assert_allclose(per_cell[True], cells["in_zones"], rtol=1e-9, atol=1e-9)


def test_zones_add_up_and_catchments_hold_the_covered(comoros: Place) -> None:
    computed = comoros.computed
    zones, summary = computed.coverage.zones, computed.coverage.summary
    study = summary[summary["scope"] == "study"].iloc[0]
    assert zones["covered"].sum() == pytest.approx(study["covered"], rel=1e-12)
    trip: Trips = computed.trips[0]
    served = np.zeros(len(computed.coverage.demand), dtype=bool)
    served[trip.catchment.indices] = True
    np.testing.assert_array_equal(served, computed.coverage.demand["health_covered"])
    per_facility = computed.coverage.facilities["catchment_total"].to_numpy()
    assert per_facility.max() <= study["covered"]
    assert per_facility.sum() >= study["covered"] * (1 - 1e-12)


def test_every_additive_measure_of_comoros_adds_up(comoros: Place) -> None:
    """Zones to districts to the study, for goals of every measure that adds up."""
    layers = comoros.computed.layers
    zones = layers.zones.assign(district_id=["A", "B", "C"], district_name=["A", "B", "C"][: len(layers.zones)])
    layers = dataclasses.replace(layers, zones=zones)
    config = comoros.computed.study.config
    reach = Reach.after(layers, comoros.computed.networks, comoros.computed.trips)
    evidence = Evidence(layers, {layer.id: layer for layer in config.facilities}, reach)
    name = config.facilities[0].id
    goals = [
        {"measure": "population_covered"}, {"measure": "population_covered", "cutoff_min": 30},
        {"measure": "population_covered", "radius_m": 1000}, {"measure": "facility_count"},
        {"measure": "zones_with_facility"},
    ]  # fmt: skip
    common = {"name": "g", "layer": name, "citation": {"document": "d", "clause": "c"}}
    content = [{**common, **goal, "id": f"g{i}"} for i, goal in enumerate(goals)]
    for verdict in judge([Plan.model_validate({"id": "p", "title": "p", "goals": content})], evidence):
        for key in ("amount",) if verdict.measure == "facility_count" else ("amount", "base"):
            for places in (verdict.districts, verdict.zones):
                total = sum(getattr(place, key) for place in places)
                assert total == pytest.approx(getattr(verdict, key), rel=1e-9), (verdict.measure, key)


@pytest.mark.parametrize("threads", [1, 2])
def test_tables_do_not_depend_on_threads_or_on_the_order_of_facilities(
    poa: Place, realdata: Path, tmp_path: Path, threads: int
) -> None:
    def written(computed: Computed, folder: Path) -> dict[str, bytes]:
        folder.mkdir()
        areas = service_areas(computed.layers, computed.trips, computed.networks)
        config = computed.study.config
        table = tables.zone_table(config, computed.layers, computed.coverage)
        tables.write_csv(table, folder / "zones.csv")
        verdict_tables.write_verdicts(computed.verdicts, folder)
        package = folder / "coverage.gpkg"
        drawn = {"service_areas": areas}
        tables.write_geopackage(config, computed.layers, computed.coverage, computed.verdicts, package, areas=drawn)
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}

    study = poa_study(realdata, tmp_path)
    sites = pd.read_csv(tmp_path / "sites.csv")
    sites.sample(frac=1, random_state=threads).to_csv(tmp_path / "sites.csv", index=False)
    again = run(tmp_path, study, poa.extract, threads=threads)
    once, twice = written(poa.computed, tmp_path / "once"), written(again.computed, tmp_path / "twice")
    assert once.keys() == twice.keys() == {"zones.csv", "verdicts.csv", "verdicts.json", "coverage.gpkg"}
    for name, content in once.items():
        assert content == twice[name], name
