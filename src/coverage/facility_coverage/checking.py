"""The check of one study, from its YAML to its page: wiring only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

from facility_coverage.analysis.doctor import examine
from facility_coverage.analysis.findings import Finding, of_fault, ranked
from facility_coverage.analysis.inventory import LayerFacts, inventory, remarks
from facility_coverage.analysis.limits import longest_trip_m
from facility_coverage.config.reading import LoadedStudy, load_study
from facility_coverage.config.text import Lang
from facility_coverage.errors import Fault, StudyError
from facility_coverage.layers.reading import read_layers
from facility_coverage.layers.tables import shown_path
from facility_coverage.outputs.checkup import Checkup, write_checkup
from facility_coverage.study import networks_of

Progress = Callable[[str], None]


def check_study(
    path: Path,
    *,
    folder: Path | None = None,
    lang: Lang | None = None,
    allow_outside: bool = False,
    progress: Progress = lambda _: None,
) -> Checkup:
    """Check the data of the study in the YAML file `path`.

    Parameters
    ----------
    path
        The study.
    folder
        Where ``check.html`` and ``check.json`` are written; by default nowhere.
    lang
        Language of the page; by default the study's own.
    allow_outside
        Whether the study may name files outside its own folder.
    progress
        Called with the name of each stage as it begins.

    Returns
    -------
    What was found; faults that would stop a run are findings of the rank `error`.

    Raises
    ------
    ConfigError
        If the YAML itself is faulty: then it is not known what to check.
    """
    progress("read study")
    study = load_study(path, allow_outside=allow_outside)
    language = lang or study.config.lang
    progress("take stock of files")
    facts = inventory(study.config)
    counted = {column for layer in study.config.facilities for column in layer.capacity}  # which the doctor looks at
    findings = ranked([*_findings(study, facts, progress), *remarks(facts, but=counted)])
    title = study.config.title.in_language(language)
    checkup = Checkup(study.config.id, title, shown_path(path.resolve()), tuple(facts), tuple(findings))
    if folder is not None:
        write_checkup(checkup, folder, lang=language, on=dt.datetime.now(tz=dt.UTC).date())
    return checkup


def _findings(study: LoadedStudy, facts: Sequence[LayerFacts], progress: Progress) -> list[Finding]:
    """Read and join the data as a run does, and examine them; where a run would stop, say where."""
    try:
        progress("read layers")
        layers = read_layers(study.config, margin_m=longest_trip_m(study))
        progress("build networks")
        networks = networks_of(study, layers)
    except StudyError as error:
        return [of_fault(fault, layer=_layer_of(fault, facts)) for fault in error.faults]
    progress("examine")
    return examine(study.config, layers, networks)


def _layer_of(fault: Fault, facts: Sequence[LayerFacts]) -> str:
    """Return the layer whose file the fault names."""
    return next((one.layer for one in facts if one.file == fault.file), "study")
