"""The sheet of the workbook on equity: how evenly what is within reach is shared, and where the worst served live."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from facility_coverage.analysis.equity import Equity
from facility_coverage.config.study import StudyConfig
from facility_coverage.config.text import Lang
from facility_coverage.outputs.panels import figure, group_names
from facility_coverage.outputs.sheets import WHOLE, Cell, Column, Sheet, figure_form
from facility_coverage.outputs.texts import text, word_for
from facility_coverage.outputs.workbook_texts import word

#: Towns named in one cell; `worst_served.csv` names them all.
TOWNS = 5
_KEYS = ["layer", "capacity", "group", "scope"]
_WORDS: dict[str, tuple[str, str]] = {
    "offered": ("计入的容量", "What is offered"),
    "facilities": ("设施(处)", "facilities"),
    "no_data": ("无数据(人)", "No data (people)"),
    "with_none": ("可及性为零(人)", "With none (people)"),
    "mean": ("可及性均值\n(每千人)", "Accessibility, mean\n(per 1,000)"),
    "gini": ("基尼系数", "Gini"),
    "palma": ("帕尔马式比值", "Palma-like ratio"),
    "best": ("最好一成\n所得份额", "Share of the\nbest-served tenth"),
    "worst": ("最差四成\n所得份额", "Share of the worst-\nserved four tenths"),
    "up_to": ("最差一成的可及性\n不高于(每千人)", "Worst-served tenth:\nup to (per 1,000)"),
    "towns": ("最差一成所在镇街(人,占该镇街)", "Where the worst-served tenth live (people, share of the town)"),
    "no_data_reason": ("没有已知容量的设施", "no capacity is known"),
    "nobody_has_any": ("无人可及，不能比较", "nobody has any: there is nothing to compare"),
    "four_tenths_have_none": ("最差四成可及性为零，比值没有分母", "the worst-served four tenths have none: no ratio"),
    "partly": ("另可及容量未知设施的人：{}", "people who reach some of these beside others: {}"),
    "missing": ("容量未知的设施：{} 处", "facilities of unknown capacity: {}"),
    "town": ("{} {} 人({})", "{} {} ({})"),
    "others": ("另 {} 个镇街 {} 人", "{} more towns {}"),
}


def equity_sheet(config: StudyConfig, equity: Equity, lang: Lang) -> Sheet:
    """Return a row for each layer, capacity, group and area type."""
    table, groups = equity.figures, group_names(config, lang)
    layers = {layer.id: layer.name.in_language(lang) for layer in config.facilities}
    scopes = {"study": text("study", lang)} | {kind: text(f"{kind}_long", lang) for kind in ("urban", "rural")}
    towns = {key: _towns(rows, lang) for key, rows in equity.worst_served.groupby(_KEYS, sort=False)}
    keys = list(table[_KEYS].itertuples(index=False, name=None))
    columns = [
        Column(word("layer", lang), [layers[layer] for layer in table["layer"]]),
        Column(_word("offered", lang), [_offered(capacity, lang) for capacity in table["capacity"]]),
        Column(word("group", lang), [groups[group] for group in table["group"]]),
        Column(word("area_type", lang), [scopes[scope] for scope in table["scope"]]),
        Column(word("population", lang), table["population"].tolist(), WHOLE),
        Column(_word("mean", lang), _rates(table["mean_per_1000"])),
        Column(_word("gini", lang), table["gini"].tolist(), "0.000"),
        Column(_word("palma", lang), table["palma_ratio"].tolist(), "0.00"),
        Column(_word("best", lang), _shares(table["best_tenth_share"])),
        Column(_word("worst", lang), _shares(table["worst_four_tenths_share"])),
        Column(_word("with_none", lang), table["with_none"].tolist(), WHOLE),
        Column(_word("up_to", lang), _rates(table["worst_tenth_up_to_per_1000"])),
        Column(_word("towns", lang), [towns.get(key, "") for key in keys]),
        Column(_word("no_data", lang), table["no_data"].tolist(), WHOLE),
        Column(word("note", lang), [_note(row, lang) for row in table.to_dict("records")]),
    ]
    return Sheet(word("sheet_equity", lang), columns, frozen=4)


def _word(key: str, lang: Lang) -> str:
    return _WORDS[key][0 if lang == "zh" else 1]


def _offered(capacity: str, lang: Lang) -> str:
    return word_for("capacity", capacity, lang) if capacity else _word("facilities", lang)


def _towns(rows: pd.DataFrame, lang: Lang) -> str:
    """Name the towns with most of the tenth, and count the others."""
    said = [
        _word("town", lang).format(
            row["zone_name"], _people(row["people"]), figure("share", row["share_of_zone"], lang)
        )
        for row in rows.head(TOWNS).to_dict("records")
    ]
    others = rows.iloc[TOWNS:]
    if len(others):
        said.append(_word("others", lang).format(len(others), _people(others["people"].sum())))
    return _joined(said, lang)


def _note(row: Mapping[Any, Any], lang: Lang) -> str:
    """Say what has no figure and why, and what is not known."""
    reason = str(row["reason"])
    said = [_word("no_data_reason" if reason == "no_data" else reason, lang)] if reason else []
    if row["missing"]:
        said.append(_word("missing", lang).format(row["missing"]))
    if row["partly_known"] > 0:
        said.append(_word("partly", lang).format(_people(row["partly_known"])))
    return _joined(said, lang)


def _joined(said: Sequence[str], lang: Lang) -> str:
    return ("；" if lang == "zh" else "; ").join(said)


def _people(count: float) -> str:
    """Return people as a number, with decimals only where there is less than one."""
    return f"{count:,.0f}" if count >= 0.5 else f"{count:.1g}"


def _rates(values: pd.Series) -> list[Cell]:
    return [Cell(None) if pd.isna(value) else Cell(value, _form(value)) for value in values]


def _form(value: float) -> str:
    """Return a number format with two decimals, or as many as show two digits of a small figure."""
    digits = 2 if value == 0 or value >= 0.1 else min(9, 1 - math.floor(math.log10(value)))
    return f"{WHOLE}.{digits * '0'}"


def _shares(values: pd.Series) -> list[Cell]:
    return [Cell(None) if pd.isna(value) else Cell(value, figure_form("share", value)) for value in values]
