"""Writing: everything that a result folder holds but its passport."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import geopandas as gpd

from facility_coverage.analysis.doctor import examine
from facility_coverage.analysis.facility_areas import facility_areas
from facility_coverage.analysis.findings import ranked
from facility_coverage.analysis.service_areas import service_areas
from facility_coverage.analysis.serving import served_table
from facility_coverage.analysis.surfaces import time_surface
from facility_coverage.analysis.time_grid import time_grid
from facility_coverage.config.study import StudyConfig
from facility_coverage.config.text import Lang
from facility_coverage.outputs import qgis, tables, verdict_tables, workbook
from facility_coverage.outputs.bracket_tables import write_bracket
from facility_coverage.outputs.capacity_tables import write_capacity
from facility_coverage.outputs.equity_tables import write_equity
from facility_coverage.outputs.findings import write_findings
from facility_coverage.outputs.gap_tables import write_gaps
from facility_coverage.outputs.maps import write_map
from facility_coverage.outputs.payload import read_payload
from facility_coverage.outputs.scenes import MapContent
from facility_coverage.outputs.site_tables import write_sites
from facility_coverage.outputs.surfaces import write_surface
from facility_coverage.outputs.texts import text
from facility_coverage.outputs.web_maps import write_web_maps
from facility_coverage.study import Computed, Stage


def write_result(
    scenes: Sequence[Computed], folder: Path, *, lang: Lang, identity: str, threads: int, stage: Stage
) -> list[str]:
    """Write everything but the passport into `folder`, of the first scene but for the map; return remarks on it."""
    computed = scenes[0]
    config, layers, coverage = computed.study.config, computed.layers, computed.coverage
    single = None
    contents = []
    for one in scenes:
        built = one is computed.after
        of_which = " after building" if built else f" of {one.study.state}" if one is not computed else ""
        with stage(f"draw service areas{of_which}"):
            content = map_content(one, identity=identity, lang=lang, threads=threads)
            names = ("built", text("after_building", lang)) if built else (content.state, content.state_name)
            contents.append(replace(content, state=names[0], state_name=names[1]))
    if "facility_service_areas" in config.outputs.geopackage:
        with stage("draw service areas of facilities"):
            single = facility_areas(layers, computed.trips, computed.networks, threads=threads)
    with stage("find gaps and remedies"):
        contents[0] = replace(contents[0], gaps=computed.gaps)
    with stage("write map"):
        remarks = write_map(folder / "map.html", contents, lang=lang)
    if config.outputs.pictures:
        with stage("write pictures"):
            _write_pictures(config, folder)
    with stage("examine data"):
        write_findings(ranked(examine(config, layers, computed.networks)), folder)
    drawn = {"service_areas": contents[0].service_areas, "facility_service_areas": single}
    _write_tables(computed, folder, drawn, lang=lang, identity=identity, stage=stage)
    if config.outputs.web_map_datum is not None:
        with stage("write web maps"):
            write_web_maps(config, layers, coverage, folder, datum=config.outputs.web_map_datum)
    if config.outputs.time_surface_m is not None:
        with stage("write time surfaces"):
            _write_surfaces(computed, config.outputs.time_surface_m, folder)
    return remarks


def _write_tables(
    computed: Computed,
    folder: Path,
    drawn: Mapping[str, gpd.GeoDataFrame | None],
    *,
    lang: Lang,
    identity: str,
    stage: Stage,
) -> None:
    """Compute what no map shows, and write every table, the GeoPackage and the workbook."""
    config, layers, coverage = computed.study.config, computed.layers, computed.coverage
    servings, gaps = computed.servings, computed.gaps
    with stage("measure equity"):
        equity = computed.equity
    if config.uncertainty is not None:
        with stage("coverage bracket"):
            write_bracket(computed.bracket, folder)
    with stage("write tables"):
        zones = tables.zone_table(config, layers, coverage)
        tables.write_csv(zones, folder / "zones.csv")
        districts = tables.district_table(config, layers, coverage)
        if districts is not None:
            tables.write_csv(districts, folder / "districts.csv")
        verdict_tables.write_verdicts(computed.verdicts, folder)
        verdict_tables.write_hierarchy(computed.hierarchy, folder)
        verdict_tables.write_ledger(computed.ledger, folder)
        package = folder / "coverage.gpkg"
        tables.write_geopackage(config, layers, coverage, computed.verdicts, package, areas=drawn)
        if computed.after is not None:
            write_sites(computed.proposals, layers, computed.verdicts, computed.after.verdicts, folder)
        write_gaps(gaps, layers, folder, drawn="gaps" in config.outputs.geopackage)
        if servings:
            write_capacity(servings, layers, folder)
        write_equity(equity, folder)
        qgis.write_styles(config, zones, computed.verdicts, package, lang=lang)
        told = workbook.Result(
            config, computed.study.profiles, layers, coverage, computed.verdicts, computed.hierarchy.get("hierarchy"),
            identity, served_table(servings, layers) if servings else None, gaps, equity, computed.bracket,
        )  # fmt: skip
        workbook.write_workbook(told, folder / workbook.FILE, lang=lang)


def map_content(computed: Computed, *, identity: str, lang: Lang, threads: int = 1) -> MapContent:
    """Draw service areas, compute the times on the ground, and return everything that a map shows of a state."""
    study, layers = computed.study, computed.layers
    return MapContent(
        config=study.config, profiles=study.profiles, layers=layers, coverage=computed.coverage,
        verdicts=computed.verdicts, service_areas=service_areas(layers, computed.trips, computed.networks),
        run_identity=identity, generated_on=dt.datetime.now(tz=dt.UTC).date(),
        grid=time_grid(layers, computed.trips, computed.networks, threads=threads),
        leaders=computed.hierarchy.get("hierarchy"), proposals=computed.proposals, state=study.state,
        state_name="" if study.state_name is None else study.state_name.in_language(lang),
    )  # fmt: skip


def surface_name(layer: str) -> str:
    """Return the name of the file with the travel times to a layer from everywhere."""
    return f"time_{layer}.tif"


def _write_surfaces(computed: Computed, cell_m: float, folder: Path) -> None:
    """Write the travel time from everywhere to each facility layer."""
    layers = computed.layers
    for trip in computed.trips:
        network = computed.networks[trip.layer.profile]
        surface = time_surface(network, trip.places, layers.boundary, cell_m=cell_m, crs=layers.crs)
        write_surface(surface, folder / surface_name(trip.layer.id), layer=trip.layer.id)


def _write_pictures(config: StudyConfig, folder: Path) -> None:
    """Draw what the map has just been written with."""
    from facility_coverage.outputs.pictures.album import write_pictures  # noqa: PLC0415 - loads Matplotlib

    payload, wanted = read_payload(folder / "map.html"), config.outputs
    write_pictures(payload, folder, wanted.pictures, theme=wanted.picture_theme)
