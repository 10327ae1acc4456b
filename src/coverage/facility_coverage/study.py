"""One study from its YAML to its result folder: wiring only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from facility_coverage.analysis.coverage import CoverageResult, measure_coverage
from facility_coverage.analysis.doctor import SMALL_PIECE_SHARE, examine
from facility_coverage.analysis.evidence import Evidence
from facility_coverage.analysis.facility_areas import facility_areas
from facility_coverage.analysis.findings import ranked
from facility_coverage.analysis.goals import judge
from facility_coverage.analysis.hierarchy import led_facilities, tier_coverage
from facility_coverage.analysis.ledger import Ledger, keep_ledger
from facility_coverage.analysis.limits import longest_trip_m, profiles_of
from facility_coverage.analysis.proposals import Proposal, built, propose
from facility_coverage.analysis.reach import Reach
from facility_coverage.analysis.service_areas import service_areas
from facility_coverage.analysis.surfaces import check_cell, time_surface
from facility_coverage.analysis.time_grid import time_grid
from facility_coverage.analysis.trips import Trips, travel
from facility_coverage.analysis.verdicts import Verdict
from facility_coverage.config.measures import ColocatedShare
from facility_coverage.config.profile import METRES, METRES_NAME
from facility_coverage.config.reading import LoadedStudy, in_state, load_study
from facility_coverage.config.study import StudyConfig
from facility_coverage.config.text import Lang
from facility_coverage.layers.model import Layers
from facility_coverage.layers.reading import read_layers
from facility_coverage.layers.tables import shown_path
from facility_coverage.network.network import Network, build_networks
from facility_coverage.network.snapping import Barriers
from facility_coverage.outputs import passport, qgis, tables, verdict_tables, workbook
from facility_coverage.outputs.findings import write_findings
from facility_coverage.outputs.folder import check_replaceable, replaced
from facility_coverage.outputs.maps import write_map
from facility_coverage.outputs.payload import read_payload
from facility_coverage.outputs.scenes import MapContent
from facility_coverage.outputs.site_tables import write_sites
from facility_coverage.outputs.surfaces import write_surface
from facility_coverage.outputs.texts import text
from facility_coverage.outputs.web_maps import check_in_china, web_map_names, write_web_maps

Progress = Callable[[str], None]
Stage = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True)
class Computed:
    """Everything a study's outputs are written from; `after` is the study with what `proposals` would build."""

    study: LoadedStudy
    layers: Layers
    networks: dict[str, Network]
    trips: tuple[Trips, ...]
    coverage: CoverageResult
    verdicts: tuple[Verdict, ...]
    hierarchy: dict[str, pd.DataFrame]
    ledger: Ledger
    proposals: tuple[Proposal, ...] = ()
    after: Computed | None = None


@dataclass(frozen=True)
class RunResult:
    """Where a run's result is, what it says, and what is to be known of how it was drawn."""

    folder: Path
    identity: str
    computed: Computed
    remarks: tuple[str, ...] = ()


def run_study(
    path: Path,
    *,
    folder: Path,
    state: str = "",
    lang: Lang | None = None,
    threads: int = 1,
    progress: Progress = lambda _: None,
) -> RunResult:
    """Run the study in the YAML file `path` and write its result into `folder`.

    Parameters
    ----------
    path
        The study.
    folder
        The result folder; an earlier result there is replaced when the new one is complete.
    state
        One of the study's states; by default the study as it is written.
    lang
        Language of the outputs; by default the study's own.
    threads
        Threads of the catchment search; results do not depend on it.
    progress
        Called with the name of each stage as it begins.

    Raises
    ------
    StudyError
        With every fault found in the study's files.
    """
    watch = passport.Stopwatch()
    with _stage(watch, "read study", progress):
        study = load_study(path)
        shown = () if state else study.config.outputs.map_states
        others = [in_state(study, name, file=shown_path(path)) for name in shown]
        if state:
            study = in_state(study, state, file=shown_path(path))
        check_replaceable(folder)
        if study.config.outputs.pictures:
            _check_pictures(study, lang or study.config.lang, file=shown_path(path))
    computed = compute(study, threads=threads, watch=watch, progress=progress)
    scenes = [computed] if computed.after is None else [computed, computed.after]
    for other in others:
        with _stage(watch, f"compute {other.state}", progress):
            scenes.append(compute(other, threads=threads))
    language = lang or study.config.lang
    with _stage(watch, "hash inputs", progress):
        inputs = passport.file_hashes(input_files(path, study))
        parameters = _parameters(study, language, file_name=lambda file: file.name)
        figures_from = _parameters(study, None, file_name=lambda _: None)
        identity = passport.identity(figures_from, [row for row in inputs if row["input"] != "study"])
    stage = partial(_stage, watch, progress=progress)
    with replaced(folder) as new:
        remarks = _write(scenes, new, lang=language, identity=identity, threads=threads, stage=stage)
        content = _passport(computed, identity=identity, parameters=parameters, inputs=inputs, watch=watch)
        passport.write_passport(new / "run.json", content)
    return RunResult(folder, identity, computed, tuple(remarks))


def _write(
    scenes: Sequence[Computed], folder: Path, *, lang: Lang, identity: str, threads: int, stage: Stage
) -> list[str]:
    """Write everything but the passport into `folder`, of the first scene but for the map; return remarks on it."""
    computed = scenes[0]
    config, layers, coverage = computed.study.config, computed.layers, computed.coverage
    single = None
    contents = []
    for one in scenes:
        with stage("draw service areas"):
            content = map_content(one, identity=identity, lang=lang, threads=threads)
            if one is computed.after:
                content = replace(content, state="built", state_name=text("after_building", lang))
            contents.append(content)
    areas = contents[0].service_areas
    if "facility_service_areas" in config.outputs.geopackage:
        with stage("draw service areas of facilities"):
            single = facility_areas(layers, computed.trips, computed.networks, threads=threads)
    with stage("write map"):
        remarks = write_map(folder / "map.html", contents, lang=lang)
    if config.outputs.pictures:
        with stage("write pictures"):
            _write_pictures(config, folder)
    with stage("examine data"):
        write_findings(ranked(examine(config, layers, computed.networks)), folder)
    with stage("write tables"):
        zones = tables.zone_table(config, layers, coverage)
        tables.write_csv(zones, folder / "zones.csv")
        districts = tables.district_table(config, layers, coverage)
        if districts is not None:
            tables.write_csv(districts, folder / "districts.csv")
        verdict_tables.write_verdicts(computed.verdicts, folder)
        verdict_tables.write_hierarchy(computed.hierarchy, folder)
        verdict_tables.write_ledger(computed.ledger, folder)
        package, drawn = folder / "coverage.gpkg", {"service_areas": areas, "facility_service_areas": single}
        tables.write_geopackage(config, layers, coverage, computed.verdicts, package, areas=drawn)
        if computed.after is not None:
            write_sites(computed.proposals, layers, computed.verdicts, computed.after.verdicts, folder)
        qgis.write_styles(config, zones, computed.verdicts, package, lang=lang)
        told = workbook.Result(
            config, computed.study.profiles, layers, coverage, computed.verdicts, computed.hierarchy.get("hierarchy"),
            identity,
        )  # fmt: skip
        workbook.write_workbook(told, folder / workbook.FILE, lang=lang)
    if config.outputs.web_map_datum is not None:
        with stage("write web maps"):
            write_web_maps(config, layers, coverage, folder, datum=config.outputs.web_map_datum)
    if config.outputs.time_surface_m is not None:
        with stage("write time surfaces"):
            _write_surfaces(computed, config.outputs.time_surface_m, folder)
    return remarks


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


def compute(
    study: LoadedStudy,
    *,
    threads: int = 1,
    watch: passport.Stopwatch | None = None,
    progress: Progress = lambda _: None,
) -> Computed:
    """Compute coverage and verdicts of a study without writing anything."""
    watch = watch or passport.Stopwatch()
    config = study.config
    with _stage(watch, "read layers", progress):
        layers = read_layers(config, margin_m=longest_trip_m(study))
        if config.outputs.time_surface_m is not None:
            check_cell(layers.boundary, config.outputs.time_surface_m, file=f"study {config.id}")
        if config.outputs.web_map_datum is not None:
            check_in_china(layers, config.outputs.web_map_datum, file=f"study {config.id}")
    with _stage(watch, "build networks", progress):
        networks = networks_of(study, layers)
    stage = partial(_stage, watch, progress=progress)
    computed = _judged(study, layers, networks, threads=threads, stage=stage)
    if not config.siting:
        return computed
    with stage("siting"):
        proposals = tuple(
            propose(one, layers, layers.candidates[one.id], computed.trips, networks, threads=threads)
            for one in config.siting
        )
    after = _judged(study, built(layers, proposals), networks, threads=threads, stage=stage)
    return replace(computed, proposals=proposals, after=after)


def _judged(
    study: LoadedStudy, layers: Layers, networks: dict[str, Network], *, threads: int, stage: Stage
) -> Computed:
    """Travel, and judge the goals."""
    config = study.config
    with stage("travel times"):
        trips = tuple(travel(layer, layers, networks[layer.profile], threads=threads) for layer in config.facilities)
    with stage("coverage and goals"):
        coverage = measure_coverage(layers, trips, networks, groups=tables.groups_of(config))
        reach = Reach.after(layers, networks, trips)
        by_id = {layer.id: layer for layer in config.facilities}
        evidence = Evidence(layers, by_id, reach, study.catalogues, config.no_data, config.date)
        verdicts = judge(study.plans, evidence)
        hierarchy = _hierarchy(config, reach)
        ledger = keep_ledger(config.facilities, reach, groups=config.groups, own_name=config.id)
    return Computed(study, layers, networks, trips, coverage, verdicts, hierarchy, ledger)


def _hierarchy(config: StudyConfig, reach: Reach) -> dict[str, pd.DataFrame]:
    """Return who leads whom and whom each tier covers, for the layers that have tiers."""
    tiered = [layer for layer in config.facilities if layer.tiers]
    groups = tables.groups_of(config)
    leading = [led_facilities(layer, reach) for layer in tiered if any(tier.led_by for tier in layer.tiers)]
    covered = [tier_coverage(layer, reach, groups=groups) for layer in tiered]
    parts = {"hierarchy": leading, "tiers": covered}
    return {name: pd.concat(found, ignore_index=True) for name, found in parts.items() if found}


def networks_of(study: LoadedStudy, layers: Layers) -> dict[str, Network]:
    """Build the network of every profile that a facility layer or a goal names."""
    config = study.config
    profiles = {name: study.profiles[name] for name in profiles_of(study)}
    if any(isinstance(goal, ColocatedShare) for plan in study.plans for goal in plan.goals):
        profiles[METRES_NAME] = METRES
    return build_networks(
        layers.roads,
        profiles,
        layers.demand.points[["x_m", "y_m"]].to_numpy(dtype=np.float64),
        options=config.network,
        file=shown_path(config.roads.path),
        barriers=Barriers.of(layers.barriers.geometry) if len(layers.barriers) else None,
    )


def _surface_name(layer: str) -> str:
    return f"time_{layer}.tif"


def _write_surfaces(computed: Computed, cell_m: float, folder: Path) -> None:
    """Write the travel time from everywhere to each facility layer."""
    layers = computed.layers
    for trip in computed.trips:
        network = computed.networks[trip.layer.profile]
        surface = time_surface(network, trip.places, layers.boundary, cell_m=cell_m, crs=layers.crs)
        write_surface(surface, folder / _surface_name(trip.layer.id), layer=trip.layer.id)


def _check_pictures(study: LoadedStudy, lang: Lang, *, file: str) -> None:
    from facility_coverage.outputs.pictures.wanted import check_wanted  # noqa: PLC0415 - loads Matplotlib

    goals = [goal.id for plan in study.plans for goal in plan.goals]
    check_wanted(study.config, goals, lang=lang, file=file)


def _write_pictures(config: StudyConfig, folder: Path) -> None:
    """Draw what the map has just been written with."""
    from facility_coverage.outputs.pictures.album import write_pictures  # noqa: PLC0415 - loads Matplotlib

    payload, wanted = read_payload(folder / "map.html"), config.outputs
    write_pictures(payload, folder, wanted.pictures, theme=wanted.picture_theme)


def left_out(computed: Computed) -> list[str]:
    """Return a sentence for each facility layer some of whose facilities lie too far away to matter.

    Layers with a `where` are passed over: their rows are left out for that too, and on purpose.
    """
    layers = computed.study.config.facilities
    whole = [layer.id for layer in layers if not any(table.where for table in layer.tables())]
    counts = computed.layers.counts.loc[lambda rows: rows["layer"].isin(whole)]
    columns = (counts[name] for name in ("layer", "file", "rows_read", "rows_kept"))
    return [
        f"{layer}: {read - kept} of {read} facilities in {file} lie beyond the longest trip from the study's area "
        "and are left out"
        for layer, file, read, kept in zip(*columns, strict=True)
        if kept < read
    ]


def cut_off(computed: Computed) -> list[str]:
    """Return a sentence for each facility layer some of whose facilities stand on small pieces of network.

    A piece is small below `SMALL_PIECE_SHARE` of the whole network's length: hardly anybody reaches such a facility,
    which may be a fault of the roads.
    """
    sentences = []
    for trip in computed.trips:
        rows = computed.coverage.facilities.loc[lambda table, layer=trip.layer.id: table["layer"] == layer]  # type: ignore[misc]
        network = computed.networks[trip.layer.profile]
        small = rows[rows["piece_km"] < SMALL_PIECE_SHARE * network.graph.length_m.sum() / 1000]
        if len(small):
            first = small.iloc[0]
            sentences.append(
                f"{trip.layer.id}: {len(small)} of {len(rows)} facilities stand on small pieces of network that no way "
                f"open to {trip.layer.profile} joins to the rest (first: {first['facility_id']}, "
                f"{first['piece_km']:.1f} km); check the roads there, or raise network.min_component_nodes"
            )
    return sentences


@contextmanager
def _stage(watch: passport.Stopwatch, name: str, progress: Progress) -> Iterator[None]:
    """Announce a stage and time it."""
    progress(name)
    with watch.stage(name):
        yield


def _parameters(study: LoadedStudy, lang: Lang | None, *, file_name: Callable[[Path], str | None]) -> dict[str, Any]:
    """Return everything the user chose, with files by `file_name`; without a language, what changes figures only."""
    profiles = profiles_of(study)
    chosen = study.config.model_dump(exclude=None if lang else {"outputs"})
    return {
        **_with_file_names(chosen, file_name),
        "date": study.config.date.isoformat(),
        "lang": lang,
        "profiles": {name: study.profiles[name].model_dump() for name in profiles},
        "plans": _with_file_names([plan.model_dump() for plan in study.plans], file_name),
        "catalogues": [catalogue.model_dump() for catalogue in study.catalogues.values()],
        "state": study.state,
    }


def input_files(path: Path, study: LoadedStudy) -> dict[str, Path]:
    """Return every file a study reads: dotted key of the study → file."""
    catalogues = {f"catalogues.{i}": file for i, file in enumerate(study.catalogues)}
    return {"study": path, **_paths(study.config.model_dump(), ()), **catalogues}


def _paths(value: Any, at: tuple[str, ...]) -> dict[str, Path]:
    if isinstance(value, Path):
        return {".".join(at): value}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {name: file for key, item in items for name, file in _paths(item, (*at, str(key))).items()}


def _with_file_names(value: Any, file_name: Callable[[Path], str | None]) -> Any:
    """Return `value` with every path as `file_name` writes it."""
    if isinstance(value, dict):
        return {key: _with_file_names(item, file_name) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_file_names(item, file_name) for item in value]
    return file_name(value) if isinstance(value, Path) else value


def _passport(computed: Computed, *, identity: str, parameters: dict[str, Any], inputs: list[dict[str, Any]],
              watch: passport.Stopwatch) -> dict[str, Any]:  # fmt: skip
    """Return what run.json says."""
    layers, coverage = computed.layers, computed.coverage
    return {
        "study": computed.study.config.id,
        "identity": identity,
        "finished_at": dt.datetime.now(tz=dt.UTC).isoformat(timespec="seconds"),
        "crs": layers.crs.to_string(),
        "parameters": parameters,
        "inputs": inputs,
        "rows": passport.records(layers.counts),
        "population": passport.records(layers.demand.ledger),
        "networks": passport.records(coverage.access),
        "reports": layers.reports,
        "details": {name: passport.records(table) for name, table in layers.details.items()},
        "ways": {name: network.dropped.report for name, network in computed.networks.items()},
        "unattached_facilities": passport.records(
            coverage.facilities.loc[coverage.facilities["access_m"].isna(), ["layer", "facility_id"]]
        ),
        "coverage": passport.records(coverage.summary),
        "siting_seconds": {one.siting.id: round(one.solution.seconds, 2) for one in computed.proposals},
        "time_surfaces": [
            _surface_name(layer.id)
            for layer in computed.study.config.facilities
            if computed.study.config.outputs.time_surface_m is not None
        ],
        "web_maps": web_map_names(computed.study.config.outputs.web_map_datum),
        "stages": watch.stages,
    }
