"""One study from its YAML to its figures: wiring only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np
import pandas as pd

from facility_coverage.analysis.bracket import Bracket, bracket
from facility_coverage.analysis.coverage import CoverageResult, measure_coverage
from facility_coverage.analysis.doctor import SMALL_PIECE_SHARE
from facility_coverage.analysis.equity import Equity, measure_equity
from facility_coverage.analysis.evidence import Evidence
from facility_coverage.analysis.gap_lists import GapList, gap_lists, unserved_lists
from facility_coverage.analysis.gaps import Variants
from facility_coverage.analysis.goal_sites import propose_for_goal
from facility_coverage.analysis.goals import judge
from facility_coverage.analysis.hierarchy import led_facilities, tier_coverage
from facility_coverage.analysis.ledger import Ledger, keep_ledger
from facility_coverage.analysis.limits import longest_trip_m, profiles_of
from facility_coverage.analysis.promises import promises
from facility_coverage.analysis.proposals import Proposal, built, propose
from facility_coverage.analysis.reach import Reach
from facility_coverage.analysis.serving import Serving, serve
from facility_coverage.analysis.surfaces import check_cell
from facility_coverage.analysis.trips import Trips, travel
from facility_coverage.analysis.varied import Ground
from facility_coverage.analysis.verdicts import Verdict
from facility_coverage.config.measures import ColocatedShare
from facility_coverage.config.profile import METRES, METRES_NAME, Profile
from facility_coverage.config.reading import LoadedStudy
from facility_coverage.config.siting import Siting
from facility_coverage.config.study import StudyConfig
from facility_coverage.layers.model import Layers
from facility_coverage.layers.reading import read_layers
from facility_coverage.layers.tables import shown_path
from facility_coverage.network.network import Network, build_networks
from facility_coverage.network.snapping import Barriers
from facility_coverage.outputs import passport, tables
from facility_coverage.outputs.web_maps import check_in_china

Progress = Callable[[str], None]
Stage = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True)
class Computed:
    """Everything a study's outputs are written from; `after` is the study with what `proposals` would build.

    `progress` is told how far what is computed later has come.
    """

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
    progress: Progress = field(default=lambda _: None, repr=False, compare=False)

    @cached_property
    def bracket(self) -> Bracket | None:
        """How far the figures may be elsewhere, computed when first asked for; None where the study does not ask."""
        config = self.study.config
        if config.uncertainty is None:
            return None
        return bracket(
            Ground(self.layers, self.networks, config.network, config.uncertainty),
            self.evidence,
            self.study.plans,
            self.verdicts,
            groups=tables.groups_of(config),
            progress=self.progress,
        )

    @cached_property
    def servings(self) -> tuple[Serving, ...]:
        """Whom the facilities can serve within capacity, for each need that the study states."""
        return tuple(serve(trip, need, self.layers) for trip in self.trips for need in trip.layer.needs)

    @cached_property
    def gaps(self) -> tuple[GapList, ...]:
        """Who is left out of each promise and each need, why, and what would help."""
        config, layers = self.study.config, self.layers
        promised = tuple(promises(self.study.plans, self.evidence, self.trips))
        used = {promise.trip.layer.profile for promise in promised}
        variants = _variants(self.study, layers, {name: self.networks[name] for name in sorted(used)})
        groups, options = tables.groups_of(config), config.gaps
        return (
            *gap_lists(promised, layers, self.networks, variants, groups=groups, options=options),
            *unserved_lists(self.servings, layers, options=options),
        )

    @cached_property
    def evidence(self) -> Evidence:
        """What goals are judged on."""
        return _evidence(self.study, Reach.after(self.layers, self.networks, self.trips))

    @cached_property
    def equity(self) -> Equity:
        """How evenly what facilities offer is shared; computed when first asked for."""
        return measure_equity(self.layers, self.trips, groups=tables.groups_of(self.study.config))


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
    with staged(watch, "read layers", progress):
        layers = read_layers(config, margin_m=longest_trip_m(study))
        if config.outputs.time_surface_m is not None:
            check_cell(layers.boundary, config.outputs.time_surface_m, file=f"study {config.id}")
        if config.outputs.web_map_datum is not None:
            check_in_china(layers, config.outputs.web_map_datum, file=f"study {config.id}")
    with staged(watch, "build networks", progress):
        networks = networks_of(study, layers)
    stage = partial(staged, watch, progress=progress)
    computed = replace(_judged(study, layers, networks, threads=threads, stage=stage), progress=progress)
    if not config.siting:
        return computed
    with stage("siting"):
        proposals = tuple(_proposed(one, computed, threads=threads) for one in config.siting)
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
        verdicts = judge(study.plans, _evidence(study, reach))
        hierarchy = _hierarchy(config, reach)
        ledger = keep_ledger(config.facilities, reach, groups=config.groups, own_name=config.id)
    return Computed(study, layers, networks, trips, coverage, verdicts, hierarchy, ledger)


def _proposed(asked: Siting, computed: Computed, *, threads: int) -> Proposal:
    """Choose the sites of one siting."""
    layers, candidates = computed.layers, computed.layers.candidates[asked.id]
    if asked.goal is None:
        return propose(asked, layers, candidates, computed.trips, computed.networks, threads=threads)
    return propose_for_goal(
        asked, computed.study.plans, computed.evidence, candidates, computed.verdicts, threads=threads
    )


def _hierarchy(config: StudyConfig, reach: Reach) -> dict[str, pd.DataFrame]:
    """Return who leads whom and whom each tier covers, for the layers that have tiers."""
    tiered = [layer for layer in config.facilities if layer.tiers]
    groups = tables.groups_of(config)
    leading = [led_facilities(layer, reach) for layer in tiered if any(tier.led_by for tier in layer.tiers)]
    covered = [tier_coverage(layer, reach, groups=groups) for layer in tiered]
    parts = {"hierarchy": leading, "tiers": covered}
    return {name: pd.concat(found, ignore_index=True) for name, found in parts.items() if found}


def _evidence(study: LoadedStudy, reach: Reach) -> Evidence:
    """Return what the study's goals are judged on."""
    config = study.config
    by_id = {layer.id: layer for layer in config.facilities}
    return Evidence(reach.layers, by_id, reach, study.catalogues, config.no_data, config.date)


def _variants(study: LoadedStudy, layers: Layers, networks: Mapping[str, Network]) -> dict[str, Variants]:
    """Return each network on level ground and without barriers, where the study has slopes and barriers."""
    profiles = {name: network.profile for name, network in networks.items()}
    climbing = {name: profile for name, profile in profiles.items() if profile.slope != "none"}
    level: Mapping[str, Network] = {}
    if layers.roads.elevation_m is not None and climbing:
        flat = {name: profile.model_copy(update={"slope": "none"}) for name, profile in climbing.items()}
        level = _built(study, layers, flat, barred=True)
    open_: Mapping[str, Network] = _built(study, layers, profiles, barred=False) if len(layers.barriers) else {}
    return {name: Variants(level.get(name), open_.get(name)) for name in profiles}


def networks_of(study: LoadedStudy, layers: Layers) -> dict[str, Network]:
    """Build the network of every profile that a facility layer or a goal names."""
    profiles = {name: study.profiles[name] for name in profiles_of(study)}
    if any(isinstance(goal, ColocatedShare) for plan in study.plans for goal in plan.goals):
        profiles[METRES_NAME] = METRES
    return _built(study, layers, profiles, barred=True)


def _built(study: LoadedStudy, layers: Layers, profiles: Mapping[str, Profile], *, barred: bool) -> dict[str, Network]:
    config = study.config
    return build_networks(
        layers.roads,
        profiles,
        layers.demand.points[["x_m", "y_m"]].to_numpy(dtype=np.float64),
        options=config.network,
        file=shown_path(config.roads.path),
        barriers=Barriers.of(layers.barriers.geometry) if barred and len(layers.barriers) else None,
    )


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
def staged(watch: passport.Stopwatch, name: str, progress: Progress) -> Iterator[None]:
    """Announce a stage and time it."""
    progress(name)
    with watch.stage(name):
        yield
