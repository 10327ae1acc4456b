"""Everything a study names, read, checked and brought to one metric reference system."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd
import shapely

from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers import (
    areas,
    barriers,
    basemap,
    boundaries,
    candidates,
    districts,
    facilities,
    neighbours,
    population,
    roads,
    statistics,
    topology,
)
from facility_coverage.layers.counted import Area
from facility_coverage.layers.crs import choose_metric_crs
from facility_coverage.layers.groups import check_groups
from facility_coverage.layers.model import Layers
from facility_coverage.layers.tables import shown_path
from facility_coverage.layers.terrain import add_elevation

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

    from facility_coverage.config.study import StudyConfig
    from facility_coverage.layers.contracts import SourceTable
    from facility_coverage.layers.model import Roads

T = TypeVar("T")


class _Collector:
    """Keeps the faults of each step and the rows it read, so that one error can carry them all."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.counts: list[tuple[str, str, int, int]] = []

    def attempt(self, step: Callable[[], T]) -> T | None:
        """Return what the step returns, or None after noting its faults."""
        try:
            return step()
        except LayerError as error:
            self.faults += [fault for fault in error.faults if fault not in self.faults]
            return None

    def require(self, value: T | None) -> T:
        """Return the value; where it could not be read, raise all faults found so far.

        Raises
        ------
        LayerError
            If any step failed.
        """
        if value is None or self.faults:
            raise LayerError(self.faults)
        return value

    def count(self, layer: str, file: str, rows: tuple[int, int]) -> None:
        """Note the rows read and kept of a file."""
        self.counts.append((layer, file, *rows))


def read_layers(config: StudyConfig, *, margin_m: float) -> Layers:
    """Read all data of a study.

    Parameters
    ----------
    config
        The study, its paths absolute.
    margin_m
        How far beyond the boundary's box roads, people and facilities are read, metres; the study may override it.

    Returns
    -------
    Layers
        Everything in one metric reference system.

    Raises
    ------
    LayerError
        With the faults of all layers. Faults of place (overlaps, areas that do not meet) show once the zones are sound.
    """
    margin = margin_m if config.network.margin_m is None else config.network.margin_m
    steps = _Collector()
    zone_source = steps.attempt(lambda: boundaries.read_zones(config.zones, typed=config.area_types.origin == "column"))
    outline = config.boundary
    outline_source = None if outline is None else steps.attempt(lambda: boundaries.read_boundary(outline))
    facility_sources = {
        layer.id: steps.attempt(lambda layer=layer: facilities.read_facilities(layer))  # type: ignore[misc]
        for layer in config.facilities
    }
    district_source = None
    if (known := config.districts) is not None:
        district_source = steps.attempt(lambda: districts.read_districts(known))
    if zone_source is not None:
        steps.faults += check_groups(config.groups, zone_source)
    base_sources = _read_basemap(config, steps)
    told = _Told.read(config, steps)
    sound_zones = steps.require(zone_source) if zone_source is None else zone_source
    if config.districts is not None:
        steps.require(district_source)
    placed = steps.attempt(lambda: _study_area(config, sound_zones, district_source, outline_source, margin))
    if placed is None or (outline is not None and outline_source is None):
        raise LayerError(steps.faults)
    area, details = placed
    steps.count("zones", sound_zones.file, (sound_zones.rows_read, len(area.zones)))
    if outline_source is not None:
        steps.count("boundary", outline_source.file, (outline_source.rows_read, len(outline_source.frame)))
    if district_source is not None:
        steps.count("districts", district_source.file, (district_source.rows_read, len(district_source.frame)))
    more = told.place(config, area, steps)
    layers = _placed(config, area, facility_sources, base_sources, steps)
    return replace(layers, details=details | layers.details, **more)


@dataclass(frozen=True)
class _Told:
    """What goals and the ledger ask for beside zones, people and facilities."""

    areas: dict[str, SourceTable | None]
    neighbours: SourceTable | None
    statistics: SourceTable | None
    candidates: dict[str, candidates.CandidateSources | None]

    @classmethod
    def read(cls, config: StudyConfig, steps: _Collector) -> _Told:
        beside, table = config.neighbours, config.statistics
        return cls(
            {one.id: steps.attempt(lambda one=one: areas.read_areas(one)) for one in config.areas},  # type: ignore[misc]
            None if beside is None else steps.attempt(lambda: neighbours.read_neighbours(beside)),
            None if table is None else steps.attempt(lambda: statistics.read_statistics(table)),
            {one.id: steps.attempt(lambda one=one: candidates.read_candidates(one)) for one in config.siting},  # type: ignore[misc]
        )

    def place(self, config: StudyConfig, area: Area, steps: _Collector) -> dict[str, Any]:
        """Return the fields of `Layers` that they fill."""
        zones = area.zones
        fields: dict[str, Any] = {"candidates": {}}
        for siting in config.siting:
            sources = self.candidates[siting.id]
            if sources is None:
                continue
            chosen = steps.attempt(
                lambda siting=siting, sources=sources: candidates.place_candidates(siting, sources, area)  # type: ignore[misc]
            )
            if chosen is not None:
                fields["candidates"][siting.id] = chosen
                for file, rows_read in sources.rows():
                    steps.count(siting.id, file, (rows_read, rows_read))
        found: dict[str, Any] = {}
        for name, source in self.areas.items():
            if source is not None:
                found[name] = steps.attempt(lambda source=source: areas.place_areas(source, zones.crs))  # type: ignore[misc]
                steps.count(name, source.file, (source.rows_read, len(source.frame)))
        fields["areas"] = {name: frame for name, frame in found.items() if frame is not None}
        if self.neighbours is not None:
            fields["neighbours"] = neighbours.place_neighbours(self.neighbours, zones)
            steps.count("neighbours", self.neighbours.file, (self.neighbours.rows_read, len(fields["neighbours"])))
        table = self.statistics
        if table is not None:
            of_zones, of_districts = zones["zone_id"].tolist(), list(zones.get("district_id", []))
            kept = statistics.place_statistics(table, of_zones, of_districts)
            fields["statistics"] = kept
            steps.count("statistics", table.file, (table.rows_read, len(kept)))
        return fields


def _read_basemap(config: StudyConfig, steps: _Collector) -> dict[str, SourceTable | None]:
    sources: dict[str, SourceTable | None] = {}
    water, drawn = config.basemap.water, config.basemap.neighbours
    if water is not None:
        sources["water"] = steps.attempt(lambda: basemap.read_water(water))
    if drawn is not None:
        sources["neighbours"] = steps.attempt(lambda: basemap.read_neighbours(drawn))
    return sources


def _study_area(
    config: StudyConfig,
    zone_source: SourceTable,
    district_source: SourceTable | None,
    outline: SourceTable | None,
    margin_m: float,
) -> tuple[Area, dict[str, pd.DataFrame]]:
    """Return where the study looks, and what was found about its zones row by row."""
    table, file = config.zones, zone_source.file
    crs = choose_metric_crs(zone_source.frame, config.crs, file=f"study {config.id}")
    placed = boundaries.place_zones(zone_source, crs, sliver_width_m=table.sliver_width_m, repair=table.repair)
    crossing = config.districts.crossing_share if config.districts is not None else 0.0
    zones, crossings = districts.with_districts(placed.frame, file, district_source, crossing_share=crossing)
    boundary = boundaries.place_boundary(outline, zones)
    beyond = [] if outline is None else [topology.beyond(zones, boundary, tolerance_share=boundaries.OVERLAP_SHARE)]
    coded = [(zone_source, "zone_id", "zones"), (zone_source, "district_id", "zones")]
    coded += [] if district_source is None else [(district_source, "district_id", "districts")]
    details = {
        "topology": pd.concat([placed.topology, *(part for part in beyond if len(part))], ignore_index=True),
        "repairs": placed.repairs,
        "districts": crossings,
        "codes": pd.concat([districts.uneven_codes(s, column, layer=layer) for s, column, layer in coded]),
    }
    # Zones may reach beyond a given outline: their people, roads and facilities are read all the same.
    everything = shapely.box(*shapely.GeometryCollection([boundary, *zones.geometry]).bounds)
    return Area(zones, file, boundary, boundaries.study_box(everything, margin_m)), details


def _placed(
    config: StudyConfig,
    area: Area,
    facility_sources: dict[str, tuple[SourceTable, ...] | None],
    base_sources: dict[str, SourceTable | None],
    steps: _Collector,
) -> Layers:
    crs = area.zones.crs
    ways = steps.attempt(lambda: roads.read_roads(config.roads, area.boundary, area.box, crs=crs))
    raised = None if ways is None else steps.attempt(lambda: _raised(config, ways.roads, area))
    people = steps.attempt(lambda: _people(config, area))
    # Whoever lives at the edge of the box may join a way beyond it.
    reach = boundaries.study_box(area.box, config.network.max_access_m)
    barred = steps.attempt(lambda: barriers.read_barriers(config.barriers, reach, crs=crs))
    placed = _placed_facilities(config, area, facility_sources, steps)
    # The base map changes no figure and fills the page around the study: it reaches farther than the trips.
    west, south, east, north = area.boundary.bounds
    page = boundaries.study_box(area.boundary, 0.6 * max(east - west, north - south))
    terrain = config.basemap.terrain
    if terrain is not None:
        steps.attempt(lambda: basemap.check_terrain(terrain))
    base: dict[str, gpd.GeoDataFrame] = {}
    for name, source in base_sources.items():
        if source is not None:
            base[name] = basemap.place_basemap(source, page, crs=crs)
            steps.count(f"basemap.{name}", source.file, (source.rows_read, len(base[name])))
    _, ways_read, noded = steps.require(ways)
    network, heights = steps.require(raised)
    counted = steps.require(people)
    walls = steps.require(barred)
    for file, rows_read, rows_kept in walls.rows:
        steps.count("barriers", file, (rows_read, rows_kept))
    steps.count("roads", shown_path(config.roads.path), (ways_read, len(network.tags)))
    steps.count("population", shown_path(config.population.path), (counted.rows_read, counted.rows_kept))
    columns = ["layer", "file", "rows_read", "rows_kept"]
    counts = pd.DataFrame(steps.counts, columns=columns).sort_values(columns[:2], kind="stable", ignore_index=True)
    return Layers(
        crs, area.boundary, counted.zones, counted.demand, {name: one.frame for name, one in placed.items()}, network,
        barriers=walls.frame, reports={"roads": noded} | heights | walls.reports | counted.reports,
        details=_details(placed) | counted.details, basemap=base, counts=counts,
    )  # fmt: skip


def _people(config: StudyConfig, area: Area) -> population.People:
    return population.read_population(config.population, config.groups, area, area_types=config.area_types)


def _placed_facilities(
    config: StudyConfig,
    area: Area,
    sources: dict[str, tuple[SourceTable, ...] | None],
    steps: _Collector,
) -> dict[str, facilities.PlacedFacilities]:
    placed: dict[str, facilities.PlacedFacilities] = {}
    day = config.facilities_as_of or config.date
    scenario = facilities.Scenario(day, config.changes, f"study {config.id}")
    for layer in config.facilities:
        tables = sources[layer.id]
        if tables is None:
            continue
        found = steps.attempt(
            lambda layer=layer, tables=tables: facilities.place_facilities(layer, tables, area, scenario)  # type: ignore[misc]
        )
        if found is not None:
            placed[layer.id] = found
            for file, rows_read, rows_kept in found.rows:
                steps.count(layer.id, file, (rows_read, rows_kept))
    return placed


def _details(placed: dict[str, facilities.PlacedFacilities]) -> dict[str, pd.DataFrame]:
    """Return what reading found row by row, by subject."""
    return {
        "duplicates": pd.concat([one.duplicates for one in placed.values()], ignore_index=True),
        "same_names": pd.concat([one.same_names for one in placed.values()], ignore_index=True),
        "openings": pd.concat([one.openings for one in placed.values()], ignore_index=True),
        "changes": pd.concat([one.changes for one in placed.values()], ignore_index=True),
    }


def _raised(config: StudyConfig, ways: Roads, area: Area) -> tuple[Roads, dict[str, dict[str, float]]]:
    """Return the roads with heights and the report on them; without terrain, the roads as they are."""
    if config.terrain is None:
        return ways, {}
    raised, report = add_elevation(ways, config.terrain, area.box, crs=area.zones.crs)
    return raised, {"terrain": report}
