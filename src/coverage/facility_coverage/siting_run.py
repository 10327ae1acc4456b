"""A siting run: where to build next, without map, report and tables of the study; wiring only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from facility_coverage.config.asked_siting import Asked, sitings_of
from facility_coverage.config.reading import LoadedStudy, load_study
from facility_coverage.config.study import Outputs
from facility_coverage.config.text import Lang
from facility_coverage.layers.tables import shown_path
from facility_coverage.outputs import passport
from facility_coverage.outputs.folder import SITES, check_replaceable, replaced
from facility_coverage.outputs.panels import said_of
from facility_coverage.outputs.site_tables import PACKAGE, write_sites
from facility_coverage.running import input_files, parameters_of, passport_of
from facility_coverage.study import Computed, Progress, compute, staged


@dataclass(frozen=True)
class SitingResult:
    """Where the proposed sites are written, and what they were computed from."""

    folder: Path
    identity: str
    computed: Computed
    lang: Lang


def default_folder(path: Path, study: LoadedStudy) -> Path:
    """Return where the sites of a study are written when nothing is said: beside the folder of its run."""
    config = study.config
    chosen = config.outputs.folder
    run = path.parent / chosen if chosen else Path("maps") / config.id
    return run.with_name(f"{run.name}-sites")


def run_siting(  # noqa: PLR0913 - what a command asks for
    path: Path,
    *,
    asked: Asked,
    folder: Path | None = None,
    lang: Lang | None = None,
    threads: int = 1,
    allow_outside: bool = False,
    progress: Progress = lambda _: None,
) -> SitingResult:
    """Propose sites for the study in the YAML file `path` and write them into a folder of their own.

    Parameters
    ----------
    path
        The study.
    asked
        What is asked in place of the study's own `siting`.
    folder
        The result folder, by default `default_folder`; an earlier one of this command is replaced when the new one is
        complete, any other is refused.
    lang
        Language of what is said; by default the study's own.
    threads
        Results do not depend on it.
    allow_outside
        Whether the study may name files outside its own folder.
    progress
        Called with the name of each stage as it begins.

    Raises
    ------
    StudyError
        With every fault found in the options and the study's files.
    """
    watch = passport.Stopwatch()
    with staged(watch, "read study", progress):
        study = load_study(path, allow_outside=allow_outside)
        sitings = sitings_of(asked, study, file=shown_path(path))
        folder = default_folder(path, study) if folder is None else folder
        check_replaceable(folder, SITES)
    language = lang or study.config.lang
    # Nothing else is written: what only other outputs need is not looked at.
    outputs = Outputs.model_validate({})
    study = replace(study, config=study.config.model_copy(update={"siting": sitings, "outputs": outputs}))
    computed = compute(study, threads=threads, watch=watch, progress=progress)
    with staged(watch, "hash inputs", progress):
        inputs = passport.file_hashes(input_files(path, study))
        parameters = parameters_of(study, language, file_name=lambda file: file.name)
        figures_from = parameters_of(study, None, file_name=lambda _: None)
        identity = passport.identity(figures_from, [row for row in inputs if row["input"] != "study"])
    with replaced(folder, SITES) as new:
        with staged(watch, "write sites", progress):
            _write(computed, new)
        content = passport_of(computed, identity=identity, parameters=parameters, inputs=inputs, watch=watch)
        passport.write_passport(new / SITES.mark, content | {"sitings": _told(computed)})
    return SitingResult(folder, identity, computed, language)


def _write(computed: Computed, folder: Path) -> None:
    after = computed.verdicts if computed.after is None else computed.after.verdicts
    write_sites(computed.proposals, computed.layers, computed.verdicts, after, folder, package=PACKAGE)


def _told(computed: Computed) -> list[dict[str, Any]]:
    """Return of each siting what was found, in words, and where a goal is out of reach."""
    zones = computed.layers.zones
    names = dict(zip(zones["zone_id"], zones["name"], strict=True))
    return [
        {
            "siting": one.siting.id,
            "said": {lang: said_of(one, names, lang) for lang in ("zh", "en")},
            "lacking": passport.records(one.lacking),
        }
        for one in computed.proposals
    ]
