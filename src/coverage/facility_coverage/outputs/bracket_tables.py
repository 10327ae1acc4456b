"""The bracket as tables and as a sheet of the workbook."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import pandas as pd

from facility_coverage.analysis.bracket import Bracket
from facility_coverage.analysis.verdicts import Status
from facility_coverage.config.study import StudyConfig
from facility_coverage.config.text import Lang
from facility_coverage.outputs.panels import group_names
from facility_coverage.outputs.sheets import Cell, Column, Sheet, figure_form
from facility_coverage.outputs.tables import write_csv
from facility_coverage.outputs.texts import text
from facility_coverage.outputs.workbook_texts import word

FILES = ("bracket.csv", "bracket_goals.csv", "bracket_causes.csv")

_FIGURES = ("lower", "central", "upper", "low", "high")


def write_bracket(bracket: Bracket | None, folder: Path) -> None:
    """Write bracket.csv, bracket_goals.csv and bracket_causes.csv; nothing without a bracket."""
    if bracket is None:
        return
    for name, table in zip(FILES, (bracket.coverage, bracket.goals, bracket.causes), strict=True):
        write_csv(table, folder / name)


def bracket_sheet(bracket: Bracket, config: StudyConfig, *, lang: Lang) -> Sheet:
    """Return the sheet: every layer for its own people, every goal, and the places whose verdict flips."""
    table = pd.concat([_of_layers(bracket, config, lang), _of_goals(bracket, lang)], ignore_index=True)
    names = {cause: word(f"cause_{cause}", lang) for cause in table["cause"].unique() if cause}
    columns = [
        Column(word("figure", lang), table["figure"].tolist()),
        Column(word("group", lang), table["group"].tolist()),
        Column(word("place", lang), table["place"].tolist()),
        *(Column(word(f"bracket_{key}", lang), _shares(table[key], table["target"])) for key in _FIGURES),
        *(
            Column(word(f"bracket_{key}", lang), [_verdict(status, lang) for status in table[key]])
            for key in ("status_lower", "status", "status_upper")
        ),
        Column(word("bracket_met_share", lang), _shares(table["met_share"], table["target"] * float("nan"))),
        Column(word("bracket_flips", lang), [_flips(one, lang) for one in table["flips"]]),
        Column(word("bracket_cause", lang), [names.get(cause, "") for cause in table["cause"]]),
    ]
    return Sheet(word("sheet_bracket", lang), columns, frozen=1)


def _of_layers(bracket: Bracket, config: StudyConfig, lang: Lang) -> pd.DataFrame:
    """Return the study's row of each layer, for the people it is for."""
    own = {layer.id: layer.group for layer in config.facilities}
    names = {layer.id: layer.name.in_language(lang) for layer in config.facilities}
    table = bracket.coverage
    rows = table[(table["zone_id"] == "") & (table["group"] == table["layer"].map(own))]
    kept = rows[[*_FIGURES, "cause"]].assign(
        figure=rows["layer"].map(names), group=rows["group"].map(group_names(config, lang)), place=word("whole", lang)
    )
    return _with_all(kept)


def _of_goals(bracket: Bracket, lang: Lang) -> pd.DataFrame:
    """Return the study's row of each goal, and the rows of places whose verdict flips."""
    table = bracket.goals
    rows = table[(table["level"] == "study") | table["flips"].astype(bool)]
    place = rows["place"].where(rows["level"] != "study", word("whole", lang))
    return _with_all(rows.assign(figure=rows["name_zh" if lang == "zh" else "name_en"], group="", place=place))


def _with_all(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of the sheet as objects; those that the rows lack hold nothing."""
    names = ("figure", "group", "place", *_FIGURES, "target", "status_lower", "status", "status_upper", "met_share",
             "flips", "cause")  # fmt: skip
    columns: Mapping[str, pd.Series] = {
        name: rows[name].astype(object) if name in rows else pd.Series(None, rows.index, dtype=object) for name in names
    }
    return pd.DataFrame(columns)


def _shares(values: pd.Series, targets: pd.Series) -> list[Cell]:
    """Return shares that are shown on their side of the target."""
    return [
        Cell(None) if pd.isna(value) else Cell(value, figure_form("share", value, None if pd.isna(target) else target))
        for value, target in zip(values, targets, strict=True)
    ]


def _verdict(status: object, lang: Lang) -> Cell:
    known: Status | None = next((one for one in get_args(Status) if one == status), None)
    return Cell(None) if known is None else Cell(text(known, lang), status=known)


def _flips(value: object, lang: Lang) -> str | None:
    return None if value is None or pd.isna(value) else word("yes" if value else "no", lang)  # type: ignore[call-overload]
