"""Two states of the world against each other: each part of the second put in place of the first's, one by one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from facility_coverage.analysis.comparison import PARTS, compare
from facility_coverage.analysis.verdicts import Verdict
from facility_coverage.config.reading import LoadedStudy, in_state, load_study
from facility_coverage.config.study import FacilityLayer, StudyConfig
from facility_coverage.config.table import TableKeys
from facility_coverage.config.text import Lang
from facility_coverage.errors import ConfigError, Fault
from facility_coverage.outputs.comparison import write_comparison
from facility_coverage.outputs.maps import joined, map_payload, page
from facility_coverage.outputs.payload import Payload, read_payload
from facility_coverage.outputs.verdict_tables import read_verdicts
from facility_coverage.study import Computed, compute
from facility_coverage.writing import map_content

_PEOPLE = ("population", "groups", "zones", "districts", "area_types", "boundary", "neighbours")
_ROADS = ("roads", "terrain", "barriers")
_FIGURES = ("statistics", "date")
_STATE = "@"


@dataclass(frozen=True)
class Compared:
    """How every figure changed, the language of the second study, and what is to be known of the map."""

    table: pd.DataFrame
    lang: Lang
    remarks: tuple[str, ...] = ()


def compare_studies(
    first: str,
    second: str,
    *,
    folder: Path | None = None,
    lang: Lang | None = None,
    allow_outside: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Compared:
    """Compare two studies, states of studies, or results.

    Parameters
    ----------
    first, second
        ``study.yaml``, ``study.yaml@state``, or a folder that a run has written. Folders are compared as they are, and
        their change is not split; studies are computed once more for each part that differs, in the order of
        `analysis.comparison.PARTS`.
    folder
        Where compare.csv, compare.json and map.html, with both beside each other, are written; by default nowhere.
    lang
        Language of the map of two studies; by default that of the second. Folders' maps keep theirs.
    allow_outside
        Whether studies may name files outside their own folders.
    progress
        Called with the name of each stage as it begins.

    Raises
    ------
    StudyError
        With the faults of both; when one is a study and the other a folder; when studies have other facility layers.
    """
    ends: Callable[[], tuple[Payload, Payload]]
    if Path(first).is_dir() and Path(second).is_dir():
        table, own = compare([read_verdicts(Path(first)), read_verdicts(Path(second))]), _lang(Path(second))

        def ends() -> tuple[Payload, Payload]:
            return read_payload(Path(first) / "map.html"), read_payload(Path(second) / "map.html")

    elif Path(first).is_dir() or Path(second).is_dir():
        one = first if Path(first).is_dir() else second
        raise ConfigError([Fault(one, "is a folder, and the other is a study", advice="compare two of a kind")])
    else:
        old, new = (_load(name, allow_outside=allow_outside) for name in (first, second))
        _check_alike(old, new, first, second)
        own = new.config.lang
        verdicts, computed = _steps(old, new, progress)
        table = compare(verdicts)

        def ends() -> tuple[Payload, Payload]:
            found = [
                map_payload([map_content(one, identity="compare", lang=lang or own)], lang=lang or own)
                for one in computed
            ]
            return found[0], found[1]

    remarks: tuple[str, ...] = ()
    if folder is not None:
        write_comparison(table, folder, first=first, second=second)
        progress("write map")
        remarks = _write_map(ends(), folder, first=first, second=second)
    return Compared(table, own, remarks)


def _write_map(ends: tuple[Payload, Payload], folder: Path, *, first: str, second: str) -> tuple[str, ...]:
    """Write both on one map, the second one shown at once; say so where their zones differ and there is none."""
    both = joined(ends[1], ends[0], names=(Path(second).name, Path(first).name))
    if both is None:
        return ("their zones differ: no map.html is written",)
    (folder / "map.html").write_text(page(both), encoding="utf-8", newline="\n")
    return ()


def _load(name: str, *, allow_outside: bool) -> LoadedStudy:
    path, _, state = name.partition(_STATE)
    study = load_study(Path(path), allow_outside=allow_outside)
    return in_state(study, state, file=path) if state else study


def _check_alike(one: LoadedStudy, other: LoadedStudy, first: str, second: str) -> None:
    here, there = ({layer.id for layer in study.config.facilities} for study in (one, other))
    if here != there:
        names = ", ".join(repr(name) for name in sorted(here ^ there))
        message = f"{first} and {second} do not have the same facility layers ({names})"
        raise ConfigError([Fault(second, message, advice="compare states of one study")])


def _steps(
    one: LoadedStudy, other: LoadedStudy, progress: Callable[[str], None]
) -> tuple[list[tuple[Verdict, ...]], tuple[Computed, Computed]]:
    """Return the verdicts of the first study, and after each part was changed; and the first and the last as computed.

    What does not differ is not repeated.
    """
    studies = [mixed(one, other, count) for count in range(len(PARTS) + 1)]
    first = last = None
    verdicts: list[tuple[Verdict, ...]] = []
    before: LoadedStudy | None = None
    for study, part in zip(studies, ("first state", *PARTS), strict=True):
        if last is None or study != before:
            progress(f"compute: {part}")
            last, before = compute(study), study
            first = first or last
        verdicts.append(last.verdicts)
    assert first is not None and last is not None  # noqa: S101, PT018 - there is always a first state
    return verdicts, (first, last)


def mixed(one: LoadedStudy, other: LoadedStudy, count: int) -> LoadedStudy:
    """Return the first study with its first `count` parts (of `PARTS`) replaced by the second's."""
    if count == len(PARTS):
        return replace(other, config=_with_day(other.config))
    parts = PARTS[:count]
    old, new = _with_day(one.config), _with_day(other.config)
    keys: dict[str, Any] = {}
    if "facilities" in parts:
        keys |= {"facilities": _sources_of(new, old), "changes": new.changes, "facilities_as_of": new.facilities_as_of}
    for part, names in (("population", _PEOPLE), ("roads", _ROADS), ("statistics", _FIGURES)):
        if part in parts:
            keys |= {name: getattr(new, name) for name in names}
    return replace(one, config=old.model_copy(update=keys))


def _with_day(config: StudyConfig) -> StudyConfig:
    """Return the study with the day of its facilities written out, so that another date does not change them."""
    return config.model_copy(
        update={"facilities_as_of": config.facilities_as_of or config.date, "states": [], "siting": []}
    )


def _sources_of(new: StudyConfig, old: StudyConfig) -> list[FacilityLayer]:
    """Return the layers as the old study judges them, read from where the new one reads them."""
    there = {layer.id: layer for layer in new.facilities}
    keys = (*TableKeys.model_fields, "sources", "duplicates", "duplicate_distance_m", "duplicate_similarity")
    return [layer.model_copy(update={key: getattr(there[layer.id], key) for key in keys}) for layer in old.facilities]


def _lang(folder: Path) -> Lang:
    try:
        lang = json.loads((folder / "run.json").read_text(encoding="utf-8"))["parameters"]["lang"]
    except (OSError, ValueError, TypeError, KeyError):
        return "zh"
    return "en" if lang == "en" else "zh"
