"""Styles for QGIS inside coverage.gpkg: the table `layer_styles`, from which QGIS dresses a layer when it is opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pyogrio

from facility_coverage.analysis.goals import NOISE
from facility_coverage.analysis.verdicts import Verdict
from facility_coverage.config.study import FacilityLayer, StudyConfig
from facility_coverage.config.text import Lang
from facility_coverage.outputs import palette
from facility_coverage.outputs.goal_columns import goal_columns
from facility_coverage.outputs.plain_text import visible
from facility_coverage.outputs.qml import Labels, Rule, Symbol, literal, quoted, style
from facility_coverage.outputs.tables import write_layer
from facility_coverage.outputs.texts import text
from facility_coverage.outputs.themes import Theme, themes
from facility_coverage.outputs.workbook_texts import word

TABLE = "layer_styles"
#: Sizes of markers in mm: the highest tier and the lowest; layers without tiers take the middle.
_LARGEST, _MIDDLE, _SMALLEST = 4.2, 2.6, 2.0
#: Names of facilities show from this scale on.
_FACILITY_NAMES_FROM = 25_000
_ZONE_NAMES = Labels("name", 9, bold=True)
#: Dots of people in mm, larger the nearer one looks.
_DOT = "CASE WHEN @map_scale < 10000 THEN 1.6 WHEN @map_scale < 40000 THEN 1 ELSE 0.5 END"
#: Crosses and stars have less ink than the other shapes.
_ENLARGED = {"cross": 1.5, "star": 1.5}


@dataclass(frozen=True)
class Style:
    """A named style of one layer of the GeoPackage."""

    layer: str
    name: str
    qml: str


def write_styles(
    config: StudyConfig, zones: pd.DataFrame, verdicts: Sequence[Verdict], path: Path, *, lang: Lang
) -> None:
    """Write the styles of every layer that the GeoPackage has; the first of a layer is its default.

    Parameters
    ----------
    config
        The study.
    zones
        Rows of `tables.zone_table`.
    verdicts
        The goals.
    path
        The GeoPackage, with all its layers.
    lang
        Language of names and legends.
    """
    written = [str(name) for name, _ in pyogrio.list_layers(path)]
    styles = [one for one in _styles(config, zones, verdicts, lang) if one.layer in written]
    if styles:
        write_layer(_table(styles), path, TABLE, key="id")


def _table(styles: Sequence[Style]) -> pd.DataFrame:
    """Return the styles in the columns that QGIS looks for; it finds nothing where a schema is null."""
    layers = [one.layer for one in styles]
    return pd.DataFrame(
        {
            "f_table_catalog": "",
            "f_table_schema": "",
            "f_table_name": layers,
            "f_geometry_column": "geom",
            "styleName": _told_apart(styles),
            "styleQML": [one.qml for one in styles],
            "styleSLD": "",
            "useAsDefault": [layer not in layers[:number] for number, layer in enumerate(layers)],
            "description": "",
            "owner": "",
            "ui": "",
            # Equal results are equal byte by byte.
            "update_time": pd.Timestamp("2000-01-01", tz="UTC"),
        }
    )


def _told_apart(styles: Sequence[Style]) -> list[str]:
    """Return the names of styles; those that a layer has already get a number."""
    names: list[str] = []
    seen: dict[tuple[str, str], int] = {}
    for one in styles:
        name = visible(one.name)
        count = seen[one.layer, name] = seen.get((one.layer, name), 0) + 1
        names.append(name if count == 1 else f"{name} ({count})")
    return names


def _styles(config: StudyConfig, zones: pd.DataFrame, verdicts: Sequence[Verdict], lang: Lang) -> Iterator[Style]:
    """Yield all styles, the default of each layer first."""
    yield from _zone_styles(config, zones, verdicts, lang)
    outline = Symbol("fill", palette.PAPER, opacity=0.0, outline=palette.INK, width_mm=0.6)
    yield Style("districts", word("outlines", lang), style([Rule(word("district", lang), outline)], _ZONE_NAMES))
    for layer in config.facilities:
        name = layer.name.in_language(lang)
        yield Style("demand", name, style(_demand(layer, lang)))
    rules = [_facilities(layer, number, lang) for number, layer in enumerate(config.facilities)]
    names = Labels("name", 8, from_scale=_FACILITY_NAMES_FROM, around=True)
    yield Style("facilities", word("facilities", lang), style(rules, names))
    site = Symbol("marker", palette.SITE, outline=palette.INK, width_mm=0.4, size_mm=5.0)
    yield Style("sites", text("site", lang), style([Rule(text("site", lang), site)], Labels("order", 8, bold=True)))
    for table, opacity, width in (("service_areas", 0.12, 0.4), ("facility_service_areas", 0.05, 0.2)):
        # Many layers over each other show nothing: the first is shown, the others wait in the legend.
        symbol = Symbol("fill", palette.SERVICE, opacity=opacity, outline=palette.SERVICE, width_mm=width)
        rules = [
            Rule(one.name.in_language(lang), symbol, _is("layer", one.id), shown=number == 0)
            for number, one in enumerate(config.facilities)
        ]
        yield Style(table, word("service_areas", lang), style(rules))


def _zone_styles(config: StudyConfig, zones: pd.DataFrame, verdicts: Sequence[Verdict], lang: Lang) -> Iterator[Style]:
    """Yield a style for the coverage of each layer's own people, and for each goal with figures for zones."""
    found = list(themes(config, zones, verdicts, lang=lang))
    own = {layer.id: layer.group for layer in config.facilities}
    for theme in found:
        if theme.kind == "coverage" and own[theme.layer] == theme.group:
            yield _zone_style(theme, f"{theme.layer}_share_{theme.group}", lang)
    columns = {id(verdict): column for column, verdict in goal_columns(zones, verdicts).items()}
    judged = [verdict for verdict in verdicts if any(zone.value is not None for zone in verdict.zones)]
    goals = [theme for theme in found if theme.kind == "goal"]
    for theme, verdict in zip(goals, judged, strict=True):
        if id(verdict) in columns:
            yield _zone_style(theme, columns[id(verdict)], lang)


def _zone_style(theme: Theme, column: str, lang: Lang) -> Style:
    """Return zones in the colours of a theme; those without data are grey and hatched."""
    heading = f"{theme.name} ({theme.target_text or theme.unit})"
    classes = [
        Rule(label or theme.name, Symbol("fill", colour), filter_)
        for label, colour, filter_ in zip(theme.labels, theme.colours, class_filters(theme, column), strict=True)
    ]
    no_data = Symbol("fill", palette.NO_DATA, hatched=True)
    rules = (*reversed(classes), Rule(text("no_data", lang), no_data, f"{quoted(column)} IS NULL"))
    return Style("zones", heading, style([Rule(heading, rules=rules)], _ZONE_NAMES))


def class_filters(theme: Theme, column: str) -> list[str]:
    """Return which zones belong to each class of a theme, lowest first, as expressions.

    A figure that misses the target by no more than `NOISE` meets it, as in verdicts.
    """
    name = quoted(column)
    if not theme.breaks:
        return [f"{name} IS NOT NULL"]
    leeway = 1 + NOISE if theme.at_most else 1 - NOISE
    breaks = [value * leeway if value == theme.target else value for value in theme.breaks]
    above, below = (">", "<=") if theme.at_most else (">=", "<")
    return [
        f"{name} {below} {breaks[0]!r}",
        *(f"{name} {above} {low!r} AND {name} {below} {high!r}" for low, high in pairwise(breaks)),
        f"{name} {above} {breaks[-1]!r}",
    ]


def _demand(layer: FacilityLayer, lang: Lang) -> list[Rule]:
    """Return dots for people who are covered by a layer, those who are not, and those beyond the zones."""
    covered = quoted(f"{layer.id}_covered")
    inside = f"{quoted('zone_id')} IS NOT NULL"
    colours = (("not_covered", palette.GAP, f"{inside} AND NOT {covered}"),
               ("within", palette.CLASSES[3], f"{inside} AND {covered}"),
               ("beyond", palette.NO_DATA, f"{quoted('zone_id')} IS NULL"))  # fmt: skip
    rules = tuple(
        Rule(word(key, lang), Symbol("marker", colour, width_mm=0.0, size_mm=1.0, size_expression=_DOT), filter_)
        for key, colour, filter_ in colours
    )
    return [Rule(layer.name.in_language(lang), rules=rules)]


def _facilities(layer: FacilityLayer, number: int, lang: Lang) -> Rule:
    """Return the marker of a layer, as on the map; higher tiers are larger."""
    shape = palette.SHAPES[number % len(palette.SHAPES)]
    factor = _ENLARGED.get(shape, 1.0)
    cases = " ".join(f"WHEN {_is('tier', tier)} THEN {factor * size:g}" for tier, size in _sizes(layer).items())
    symbol = Symbol(
        "marker",
        palette.FACILITIES[number % len(palette.FACILITIES)],
        shape=shape,
        size_mm=factor * _MIDDLE,
        size_expression=f"CASE {cases} ELSE {factor * _MIDDLE:g} END" if cases else "",
    )
    return Rule(layer.name.in_language(lang), symbol, _is("layer", layer.id))


def _sizes(layer: FacilityLayer) -> dict[str, float]:
    """Return the size of each tier in mm, evenly from the highest to the lowest."""
    step = (_LARGEST - _SMALLEST) / max(len(layer.tiers) - 1, 1)
    return {tier.id: _LARGEST - number * step for number, tier in enumerate(layer.tiers)}


def _is(column: str, value: str) -> str:
    return f"{quoted(column)} = {literal(value)}"
