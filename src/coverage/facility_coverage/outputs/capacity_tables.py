"""Who can be served within capacity, as tables: served.csv, spare.csv, and the workbook's sheet of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from facility_coverage.analysis.serving import PEOPLE, Serving, served_table, spare_table
from facility_coverage.config.study import StudyConfig
from facility_coverage.config.text import Lang
from facility_coverage.layers.model import Layers
from facility_coverage.outputs.panels import group_names
from facility_coverage.outputs.sheets import TENTHS, WHOLE, Column, Sheet
from facility_coverage.outputs.tables import write_csv
from facility_coverage.outputs.texts import word_for
from facility_coverage.outputs.workbook_texts import word

FILES = ("served.csv", "spare.csv")
_PEOPLE = {name: name for name in PEOPLE} | {"not_covered": "left_out"}
_UNITS = ("needed", "provided", "missing_capacity")


def write_capacity(servings: Sequence[Serving], layers: Layers, folder: Path) -> None:
    """Write served.csv (whom facilities can serve, by zone) and spare.csv (what is used, by facility)."""
    write_csv(served_table(servings, layers), folder / FILES[0])
    write_csv(spare_table(servings, layers), folder / FILES[1])


def capacity_sheet(config: StudyConfig, table: pd.DataFrame, *, lang: Lang) -> Sheet:
    """Return served.csv with headings that people read."""
    layers = {layer.id: layer.name.in_language(lang) for layer in config.facilities}
    groups = group_names(config, lang)
    columns = [
        Column(word("zone_id", lang), table["zone_id"].tolist()),
        Column(word("zone", lang), table["zone"].tolist()),
        Column(word("layer", lang), table["layer"].map(layers).tolist()),
        Column(word("capacity", lang), [word_for("capacity", name, lang) for name in table["capacity"]]),
        Column(word("group", lang), table["group"].map(groups).tolist()),
        *(Column(word(key, lang), table[name].tolist(), WHOLE) for name, key in _PEOPLE.items()),
        *(Column(word(name, lang), table[name].tolist(), TENTHS) for name in _UNITS),
    ]
    return Sheet(word("sheet_capacity", lang), columns, frozen=2)
