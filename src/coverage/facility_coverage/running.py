"""A run: one study from its YAML to its result folder, with its passport; wiring only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from facility_coverage.analysis.limits import profiles_of
from facility_coverage.config.reading import LoadedStudy, in_state, load_study
from facility_coverage.config.template import Template
from facility_coverage.config.text import Lang
from facility_coverage.errors import Fault, StudyError
from facility_coverage.layers.tables import shown_path
from facility_coverage.outputs import passport
from facility_coverage.outputs.folder import check_replaceable, replaced
from facility_coverage.outputs.web_maps import web_map_names
from facility_coverage.study import Computed, Progress, compute, staged
from facility_coverage.writing import surface_name, write_result


@dataclass(frozen=True)
class RunResult:
    """Where a run's result is, what it says, and what is to be known of how it was drawn."""

    folder: Path
    identity: str
    computed: Computed
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Basis:
    """What the result of a study comes from, known before anything is computed.

    Attributes
    ----------
    identity
        Of the run: program, parameters and inputs.
    parameters
        Everything the user chose, as run.json says it.
    inputs
        Name, size and sha256 of every file.
    """

    identity: str
    parameters: dict[str, Any]
    inputs: list[dict[str, Any]]


def basis_of(source: Path | Template, study: LoadedStudy, lang: Lang) -> Basis:
    """Read every input file of a study through, and return what its result would come from."""
    path = source.path if isinstance(source, Template) else source
    inputs = passport.file_hashes(input_files(path, study))
    figures_from = parameters_of(study, None, file_name=lambda _: None)
    identity = passport.identity(figures_from, [row for row in inputs if row["input"] != "study"])
    return Basis(identity, parameters_of(study, lang, file_name=lambda file: file.name), inputs)


def run_study(  # noqa: PLR0913 - what a command asks for
    source: Path | Template,
    *,
    folder: Path,
    state: str = "",
    lang: Lang | None = None,
    threads: int = 1,
    allow_outside: bool = False,
    progress: Progress = lambda _: None,
) -> RunResult:
    """Run a study and write its result into `folder`.

    Parameters
    ----------
    source
        The study's YAML file, or a template with the texts of a row.
    folder
        The result folder; an earlier result there is replaced when the new one is complete.
    state
        One of the study's states; by default the study as it is written.
    lang
        Language of the outputs; by default the study's own.
    threads
        Threads of the catchment search; results do not depend on it.
    allow_outside
        Whether the study may name files outside its own folder.
    progress
        Called with the name of each stage as it begins.

    Raises
    ------
    StudyError
        With every fault found in the study's files; or when one of them changed while it was computed.
    """
    watch = passport.Stopwatch()
    path = source.path if isinstance(source, Template) else source
    with staged(watch, "read study", progress):
        study = load_study(source, allow_outside=allow_outside)
        shown = () if state else study.config.outputs.map_states
        others = [in_state(study, name, file=shown_path(path)) for name in shown]
        if state:
            study = in_state(study, state, file=shown_path(path))
        check_replaceable(folder)
        if study.config.outputs.pictures:
            _check_pictures(study, lang or study.config.lang, file=shown_path(path))
        before = passport.file_states(input_files(path, study))
    computed = compute(study, threads=threads, watch=watch, progress=progress)
    scenes = [computed] if computed.after is None else [computed, computed.after]
    for other in others:
        with staged(watch, f"compute {other.state}", progress):
            scenes.append(compute(other, threads=threads))
    language = lang or study.config.lang
    with staged(watch, "hash inputs", progress):
        _check_unchanged(before, passport.file_states(input_files(path, study)))
        basis = basis_of(source, study, language)
        _check_unchanged(before, passport.file_states(input_files(path, study)))
    stage = partial(staged, watch, progress=progress)
    with replaced(folder) as new:
        remarks = write_result(scenes, new, lang=language, identity=basis.identity, threads=threads, stage=stage)
        content = passport_of(
            computed, identity=basis.identity, parameters=basis.parameters, inputs=basis.inputs, watch=watch
        )
        passport.write_passport(new / "run.json", content)
    return RunResult(folder, basis.identity, computed, tuple(remarks))


def _check_unchanged(before: Mapping[Path, object], after: Mapping[Path, object]) -> None:
    """Refuse a result whose inputs are no longer those it was computed from: its passport would name others."""
    changed = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
    if changed:
        advice = "run the study again, and leave its files alone meanwhile"
        raise StudyError(Fault(shown_path(path), "changed while the study ran", advice=advice) for path in changed)


def _check_pictures(study: LoadedStudy, lang: Lang, *, file: str) -> None:
    from facility_coverage.outputs.pictures.wanted import check_wanted  # noqa: PLC0415 - loads Matplotlib

    goals = [goal.id for plan in study.plans for goal in plan.goals]
    check_wanted(study.config, goals, lang=lang, file=file)


def parameters_of(study: LoadedStudy, lang: Lang | None, *, file_name: Callable[[Path], str | None]) -> dict[str, Any]:
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


def passport_of(computed: Computed, *, identity: str, parameters: dict[str, Any], inputs: list[dict[str, Any]],
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
            surface_name(layer.id)
            for layer in computed.study.config.facilities
            if computed.study.config.outputs.time_surface_m is not None
        ],
        "web_maps": web_map_names(computed.study.config.outputs.web_map_datum),
        "stages": watch.stages,
    }
