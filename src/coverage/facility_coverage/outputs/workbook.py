"""zones.xlsx: verdicts, zones, facilities, gaps and method as one workbook; the same input gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from facility_coverage.analysis.coverage import CoverageResult
from facility_coverage.analysis.equity import Equity
from facility_coverage.analysis.gap_lists import GapList
from facility_coverage.analysis.verdicts import PlaceVerdict, Verdict
from facility_coverage.config.profile import Profile
from facility_coverage.config.study import StudyConfig
from facility_coverage.config.text import Lang
from facility_coverage.layers.crs import WGS84
from facility_coverage.layers.model import Layers
from facility_coverage.outputs.capacity_tables import capacity_sheet
from facility_coverage.outputs.gap_tables import gap_sheet
from facility_coverage.outputs.panels import figure, group_names
from facility_coverage.outputs.sheets import DEGREES, TENTHS, WHOLE, YEAR, Cell, Column, Sheet, figure_form, write_book
from facility_coverage.outputs.tables import facility_table, groups_of, zone_table
from facility_coverage.outputs.texts import rate, text, word_for
from facility_coverage.outputs.workbook_equity import equity_sheet
from facility_coverage.outputs.workbook_method import method
from facility_coverage.outputs.workbook_texts import word

FILE = "zones.xlsx"


@dataclass(frozen=True)
class Result:
    """What the workbook tells of a run; `hierarchy` says who leads whom, None where no tier is led.

    `served` says who can be served within capacity, None where no need is stated; `gaps` who is left out, and why.
    Without `equity` it has no sheet of that.
    """

    config: StudyConfig
    profiles: Mapping[str, Profile]
    layers: Layers
    coverage: CoverageResult
    verdicts: Sequence[Verdict]
    hierarchy: pd.DataFrame | None
    identity: str
    served: pd.DataFrame | None = None
    gaps: Sequence[GapList] = ()
    equity: Equity | None = None


def write_workbook(result: Result, path: Path, *, lang: Lang) -> None:
    """Write the workbook in a language, made on the day of the study."""
    config = result.config
    sheets = [
        _verdicts(result, lang),
        _goals(result, lang),
        _zones(result, lang),
        _facilities(result, lang),
        _gaps(result, lang),
        *([gap_sheet(config, result.gaps, result.layers, lang=lang)] if result.gaps else []),
        *([] if result.served is None else [capacity_sheet(config, result.served, lang=lang)]),
        *([] if result.equity is None else [equity_sheet(config, result.equity, lang)]),
        method(config, result.profiles, identity=result.identity, lang=lang),
    ]
    write_book(path, sheets, day=config.date, footer=f"{config.id} {result.identity}")


def _verdicts(result: Result, lang: Lang) -> Sheet:
    """Return a row for each goal of the study as a whole."""
    goals, layers = result.verdicts, {layer.id: layer.name.in_language(lang) for layer in result.config.facilities}

    def column(key: str, values: Sequence[object], form: str = "General") -> Column:
        return Column(word(key, lang), values, form)

    columns = [
        column("goal", [_name(goal, lang) for goal in goals]),
        column("status", [Cell(text(goal.status or "no_target", lang), status=goal.status) for goal in goals]),
        column("value", [_figure(goal, goal.value) for goal in goals]),
        column("bound", ["" if goal.target is None else "≤" if goal.bound == "at_most" else "≥" for goal in goals]),
        column("target", [_figure(goal, goal.target) for goal in goals]),
        column("unit", [_unit(goal, lang) for goal in goals]),
        column("target_year", [goal.target_year for goal in goals], YEAR),
        column("shortfall", [_amount(goal.shortfall) for goal in goals]),
        column("shortfall_unit", [word_for("unit", goal.unit, lang) for goal in goals]),
        column("baseline", [_figure(goal, goal.baseline) for goal in goals]),
        column("baseline_year", [goal.baseline_year for goal in goals], YEAR),
        column("expected", [_figure(goal, goal.expected) for goal in goals]),
        column("nature", [_nature(goal.nature, lang) for goal in goals]),
        column("layer", [layers.get(goal.layer, "") for goal in goals]),
        column("missing", [goal.missing or None for goal in goals], WHOLE),
        column("note", [_note(goal, lang) for goal in goals]),
        column("citation", [goal.citation for goal in goals]),
        column("verified", [word("yes" if goal.verified else "no", lang) for goal in goals]),
        column("plan", [goal.plan_id for goal in goals]),
        column("goal_id", [goal.goal_id for goal in goals]),
    ]
    return Sheet(word("sheet_verdicts", lang), columns, frozen=2)


def _goals(result: Result, lang: Lang) -> Sheet:
    """Return a row for each zone and a column for each goal with figures for zones: figure and verdict in one cell."""
    zones = result.layers.zones
    columns = [Column(word("zone_id", lang), zones["zone_id"].tolist()), _zone_names(zones, lang)]
    for goal in result.verdicts:
        by_zone = {zone.id: zone for zone in goal.zones}
        if any(zone.value is not None for zone in goal.zones):
            cells = [_judged(goal, by_zone.get(zone), lang) for zone in zones["zone_id"]]
            columns.append(Column(_heading(goal, lang), cells))
    return Sheet(word("sheet_goals", lang), columns, frozen=2)


def _heading(goal: Verdict, lang: Lang) -> str:
    """Return a goal's name over what it asks of a zone, or over its unit where zones are not judged."""
    if goal.target is None or all(zone.status in (None, "no_data") for zone in goal.zones):
        return f"{_name(goal, lang)}\n{_unit(goal, lang)}"
    bound = "≤" if goal.bound == "at_most" else "≥"
    return f"{_name(goal, lang)}\n{bound} {figure(goal.scale, goal.target, lang)}"


def _judged(goal: Verdict, zone: PlaceVerdict | None, lang: Lang) -> Cell:
    """Return a zone's figure; the number format puts the word of its verdict behind it."""
    if zone is None or zone.value is None or pd.isna(zone.value):
        return Cell(None)
    form = figure_form(goal.scale, zone.value, goal.target)
    if zone.status is None:
        return Cell(zone.value, form)
    return Cell(zone.value, f'{form}" {text(zone.status, lang)}"', zone.status)


def _zones(result: Result, lang: Lang) -> Sheet:
    """Return zones.csv with headings that people read."""
    config, groups = result.config, group_names(result.config, lang)
    table = zone_table(config, result.layers, result.coverage)
    kinds = {kind: text(f"{kind}_long", lang) for kind in ("urban", "rural")}
    columns = [
        Column(word("zone_id", lang), table["zone_id"].tolist()),
        _zone_names(table, lang),
        Column(word("district_id", lang), table["district_id"].tolist()),
        Column(word("district", lang), table["district_name"].tolist()),
        Column(word("area_type", lang), table["area_type"].astype(object).replace(kinds).tolist()),
        Column(word("area_km2", lang), table["area_km2"].tolist(), TENTHS),
    ]
    for group in groups_of(config):
        people = table[f"population_{group}"].tolist()
        columns.append(Column(f"{groups[group]}\n{word('population', lang)}", people, WHOLE))
    for layer in config.facilities:
        name = layer.name.in_language(lang)
        for group in groups_of(config):
            covered, share = (table[f"{layer.id}_{what}_{group}"] for what in ("covered", "share"))
            columns.append(Column(f"{name}\n{groups[group]}\n{word('covered', lang)}", covered.tolist(), WHOLE))
            columns.append(Column(f"{name}\n{groups[group]}\n{word('share', lang)}", _shares(share)))
        count = table[f"{layer.id}_facility_count"].tolist()
        columns.append(Column(f"{name}\n{word('count', lang)}", count, WHOLE))
        for capacity in layer.capacity:
            known = [_amount(value) for value in table[f"{layer.id}_{capacity}"]]
            columns.append(Column(f"{name}\n{word_for('capacity', capacity, lang)}", known))
    return Sheet(word("sheet_zones", lang), columns, frozen=2)


def _facilities(result: Result, lang: Lang) -> Sheet:
    """Return a row for each facility: what it is, where, whom it serves and who leads it."""
    config, asked = result.config, result.config.facilities
    table = facility_table(result.layers, result.coverage)
    table["layer"] = pd.Categorical(table["layer"], [layer.id for layer in asked], ordered=True)
    table = table.sort_values(["layer", "facility_id"], ignore_index=True)
    zone_names = dict(zip(result.layers.zones["zone_id"], result.layers.zones["name"], strict=True))
    layer_names = {layer.id: layer.name.in_language(lang) for layer in asked}
    tiers = {(layer.id, tier.id): tier.name.in_language(lang) for layer in asked for tier in layer.tiers}
    of_tier = [tiers.get(pair, "") for pair in zip(table["layer"], table["tier"], strict=True)]
    columns = [
        Column(word("layer", lang), [layer_names[layer] for layer in table["layer"]]),
        Column(word("facility_id", lang), table["facility_id"].tolist()),
        Column(word("facility", lang), table["name"].tolist()),
        Column(word("tier", lang), of_tier),
        Column(word("zone", lang), [zone_names.get(zone, word("outside", lang)) for zone in table["zone_id"]]),
    ]
    if "address" in table.columns:
        columns.append(Column(word("address", lang), table["address"].tolist()))
    capacities = dict.fromkeys(name for layer in asked for name in layer.capacity)
    columns += [Column(word_for("capacity", name, lang), [_amount(one) for one in table[name]]) for name in capacities]
    attributes = dict.fromkeys(name for layer in asked for name in layer.attributes)
    columns += [Column(name, [_yes_or_no(one, lang) for one in table[name]]) for name in attributes]
    columns += [
        Column(f"{word('catchment', lang)}\n{name}", table[f"catchment_{group}"].tolist(), WHOLE)
        for group, name in group_names(config, lang).items()
    ]
    places = table.geometry.to_crs(WGS84)
    columns.append(Column(word("lon", lang), places.x.tolist(), DEGREES))
    columns.append(Column(word("lat", lang), places.y.tolist(), DEGREES))
    return Sheet(word("sheet_facilities", lang), [*columns, *_leaders(result.hierarchy, table, lang)], frozen=3)


def _leaders(hierarchy: pd.DataFrame | None, table: pd.DataFrame, lang: Lang) -> list[Column]:
    """Return who leads each facility, how far off, and what that means; nothing where no tier is led."""
    if hierarchy is None:
        return []
    keys = ["layer", "facility_id"]
    led = table[keys].astype(object).merge(hierarchy, on=keys, how="left", validate="one_to_one")
    status = ["" if pd.isna(value) else word(value, lang) for value in led["status"]]
    return [
        Column(word("leading", lang), status),
        Column(word("leader", lang), led["leader_name"].tolist()),
        Column(word("leader_minutes", lang), led["minutes"].tolist(), TENTHS),
    ]


def _gaps(result: Result, lang: Lang) -> Sheet:
    """Return who is left out of what, zone by zone, for each layer's own people; most people first."""
    config, groups = result.config, group_names(result.config, lang)
    asked = pd.DataFrame([(layer.id, layer.group) for layer in config.facilities], columns=["layer", "group"])
    zones = result.layers.zones[["zone_id", "name"]]
    table = result.coverage.zones.merge(asked, on=["layer", "group"]).merge(zones, on="zone_id")
    table["left_out"] = table["population"] - table["covered"]
    # Sums of shared-out people carry float noise: a millionth of a person is nobody.
    table = table[table["left_out"] > 1e-6].sort_values(
        ["left_out", "layer", "zone_id"], ascending=[False, True, True], ignore_index=True
    )
    names = {layer.id: layer.name.in_language(lang) for layer in config.facilities}
    columns = [
        Column(word("zone_id", lang), table["zone_id"].tolist()),
        _zone_names(table, lang),
        Column(word("layer", lang), [names[layer] for layer in table["layer"]]),
        Column(word("group", lang), [groups[group] for group in table["group"]]),
        Column(word("population", lang), table["population"].tolist(), WHOLE),
        Column(word("covered", lang), table["covered"].tolist(), WHOLE),
        Column(word("left_out", lang), table["left_out"].tolist(), WHOLE),
        Column(word("share_left_out", lang), _shares(table["left_out"] / table["population"])),
    ]
    return Sheet(word("sheet_gaps", lang), columns, frozen=2)


def _zone_names(zones: pd.DataFrame, lang: Lang) -> Column:
    return Column(word("zone", lang), zones["name"].tolist())


def _name(goal: Verdict, lang: Lang) -> str:
    return goal.name_zh if lang == "zh" else goal.name_en


def _nature(nature: str, lang: Lang) -> str:
    return text(nature, lang) if nature in ("binding", "expected") else word("text", lang)


def _note(goal: Verdict, lang: Lang) -> str:
    """Return the remarks on a goal, and why it has no figure."""
    said = [goal.note_zh if lang == "zh" else goal.note_en]
    if goal.reason in ("absent", "unknown", "unreached", "nobody"):
        said.append(word(f"reason_{goal.reason}", lang))
    return ("；" if lang == "zh" else "; ").join(one for one in said if one)


def _unit(goal: Verdict, lang: Lang) -> str:
    """Return what a goal's figures are in."""
    if goal.scale in ("share", "count"):
        return "%" if goal.scale == "share" else word_for("unit", goal.unit, lang)
    unit = word_for("unit", goal.unit, lang) if goal.scale == "per_1000" else ""
    return " ".join(rate(goal.scale, lang).format(unit).split()) or goal.scale


def _figure(goal: Verdict, value: float | None) -> Cell:
    """Return a goal's figure as it is, shown on its side of the target."""
    known = value is not None and np.isfinite(value)
    return Cell(value, figure_form(goal.scale, value, goal.target)) if known and value is not None else Cell(None)


def _amount(value: float | None) -> Cell:
    """Return an amount with the decimals that it has, at most two."""
    return Cell(None) if value is None or pd.isna(value) else Cell(value, figure_form("count", value))


def _shares(shares: pd.Series) -> list[Cell]:
    return [Cell(None) if pd.isna(share) else Cell(share, figure_form("share", share)) for share in shares]


def _yes_or_no(value: object, lang: Lang) -> str | None:
    return None if pd.isna(value) else word("yes" if value else "no", lang)  # type: ignore[call-overload]
