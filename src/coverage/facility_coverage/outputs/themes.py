"""Themes: what zones can be coloured by, with classes that name their unit and, where there is one, the target."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd

from facility_coverage.analysis.verdicts import Reason, Status, Verdict
from facility_coverage.config.study import StudyConfig
from facility_coverage.config.text import Lang
from facility_coverage.outputs import palette
from facility_coverage.outputs.panels import figure, group_names
from facility_coverage.outputs.texts import rate, text, word_for

Kind = Literal["coverage", "goal", "people"]

#: Classes of a goal end at these multiples of its target.
_BELOW, _ABOVE = (0.5, 0.8), 1.2
_QUANTILES = (0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True)
class Value:
    """One zone in a theme: its figure, None without data, its class, and for goals its verdict.

    Attributes
    ----------
    zone_id
        Of the zone.
    value
        In the theme's scale; shares are 0–1.
    number
        Number of its class in `Theme.colours`, None without data.
    status, reason, shortfall
        As in `PlaceVerdict`; empty for themes that are no goals.
    """

    zone_id: str
    value: float | None
    number: int | None
    status: Status | None = None
    reason: Reason = ""
    shortfall: float | None = None


@dataclass(frozen=True)
class Theme:
    """What zones can be coloured by.

    Attributes
    ----------
    id
        ``coverage:<layer>:<group>``, ``goal:<goal_id>``, ``density:<group>``, ``proportion:<group>``.
    kind
        Coverage by a layer, a goal of a plan, or people.
    name
        In the language of the map.
    layer, group
        Facility layer and group it speaks of, empty where it speaks of none.
    scale
        As in `Verdict.scale`; ``per_km2`` for densities.
    unit
        What stands behind a figure in a legend, such as ``%``.
    breaks
        Bounds between classes, rising; figures equal to a bound belong to the upper class, or to the lower one where
        the target is an upper limit.
    colours, labels
        Of the classes, lowest first.
    target, target_text
        What the plan asks of each zone, None without one; as people write it.
    at_most
        Whether the target is an upper limit.
    zones
        One for each zone, in the order of the zones.
    """

    id: str
    kind: Kind
    name: str
    layer: str
    group: str
    scale: str
    unit: str
    breaks: tuple[float, ...]
    colours: tuple[str, ...]
    labels: tuple[str, ...]
    target: float | None
    target_text: str
    at_most: bool
    zones: tuple[Value, ...]


@dataclass(frozen=True)
class _Head:
    """What a theme is about, before its classes are known."""

    id: str
    kind: Kind
    name: str
    scale: str
    unit: str
    layer: str = ""
    group: str = ""


def themes(config: StudyConfig, zones: pd.DataFrame, verdicts: Sequence[Verdict], *, lang: Lang) -> Iterator[Theme]:
    """Yield every theme of a study: coverage of each layer and group, goals with figures for zones, people.

    Parameters
    ----------
    config
        The study.
    zones
        Rows of `tables.zone_table`.
    verdicts
        The goals.
    lang
        Language of names and units.
    """
    groups = group_names(config, lang)
    for layer in config.facilities:
        for group in (layer.group, *(group for group in groups if group != layer.group)):
            name = f"{layer.name.in_language(lang)} · {groups[group]}"
            head = _Head(f"coverage:{layer.id}:{group}", "coverage", name, "share", "%", layer.id, group)
            figures = _figures(zones, zones[f"{layer.id}_share_{group}"])
            yield _theme(head, palette.BREAKS[:-1], palette.CLASSES, figures)
    yield from (_goal(verdict, lang) for verdict in verdicts if any(zone.value is not None for zone in verdict.zones))
    area = zones["area_km2"].where(zones["area_km2"] > 0)
    total = zones["population_total"].where(zones["population_total"] > 0)
    for group, name in groups.items():
        people = zones[f"population_{group}"]
        title = text("density_of", lang).format(name)
        head = _Head(f"density:{group}", "people", title, "per_km2", text("per_km2", lang), group=group)
        yield _sequence(head, _figures(zones, people / area))
        if group != "total":
            title = text("proportion_of", lang).format(name)
            head = _Head(f"proportion:{group}", "people", title, "share", "%", group=group)
            yield _sequence(head, _figures(zones, people / total))


def _figures(zones: pd.DataFrame, column: pd.Series) -> dict[str, float | None]:
    ids = zones["zone_id"].astype(str)
    values = column.to_numpy(dtype=float)
    return {zone_id: None if np.isnan(value) else float(value) for zone_id, value in zip(ids, values, strict=True)}


def _theme(
    head: _Head, breaks: tuple[float, ...], colours: tuple[str, ...], figures: Mapping[str, float | None]
) -> Theme:
    values = tuple(Value(zone_id, value, _number(value, breaks, False)) for zone_id, value in figures.items())
    labels = _labels(head.scale, breaks, at_most=False)
    return Theme(
        id=head.id, kind=head.kind, name=head.name, layer=head.layer, group=head.group, scale=head.scale,
        unit=head.unit, breaks=breaks, colours=colours, labels=labels, target=None, target_text="", at_most=False,
        zones=values,
    )  # fmt: skip


def _sequence(head: _Head, figures: Mapping[str, float | None]) -> Theme:
    """Return a theme without a target: classes of about as many zones each, between round numbers."""
    known = np.array([value for value in figures.values() if value is not None])
    if not len(known):
        return _theme(head, (), _spread(1), figures)
    rounded = sorted({_round(value) for value in np.quantile(known, _QUANTILES)})
    breaks = tuple(value for value in rounded if known.min() < value <= known.max())
    return _theme(head, breaks, _spread(len(breaks) + 1), figures)


def _spread(count: int) -> tuple[str, ...]:
    """Return `count` colours of the sequence, as far apart as they can be."""
    last = len(palette.CLASSES) - 1
    return tuple(palette.CLASSES[round(i * last / max(count - 1, 1))] for i in range(count))


def _round(value: float) -> float:
    """Return a value that is not negative to two significant digits."""
    return 0.0 if value <= 0 else round(value, 1 - math.floor(math.log10(value)))


def _goal(verdict: Verdict, lang: Lang) -> Theme:
    """Return the theme of a goal: warm where the target is missed, cool where it is met."""
    name = verdict.name_zh if lang == "zh" else verdict.name_en
    head = _Head(f"goal:{verdict.goal_id}", "goal", name, verdict.scale, unit_of(verdict, lang), verdict.layer or "")
    plain = _sequence(head, {zone.id: zone.value for zone in verdict.zones})
    target, at_most = verdict.target, verdict.bound == "at_most"
    if target is None or target <= 0 or all(zone.status in (None, "no_data") for zone in verdict.zones):
        values = [
            replace(value, status=zone.status, reason=zone.reason, shortfall=zone.shortfall)
            for value, zone in zip(plain.zones, verdict.zones, strict=True)
        ]
        return replace(plain, zones=tuple(values))
    breaks, colours, first_met, last_met = _around(target, verdict.scale, at_most=at_most)
    values = []
    for zone in verdict.zones:
        number = _number(zone.value, breaks, at_most)
        if number is not None and zone.status in ("met", "on_track", "behind"):
            # The verdict knows best on which side of the target a figure stands.
            met = zone.status == "met"
            low, high = (first_met, last_met) if met else (0, first_met - 1)
            if at_most and not met:
                low, high = last_met + 1, len(colours) - 1
            number = min(max(number, low), high)
        values.append(Value(zone.id, zone.value, number, zone.status, zone.reason, zone.shortfall))
    return replace(
        plain,
        breaks=breaks,
        colours=colours,
        labels=_labels(verdict.scale, breaks, at_most=at_most),
        target=target,
        target_text=target_text(verdict, lang),
        at_most=at_most,
        zones=tuple(values),
    )


def _around(target: float, scale: str, *, at_most: bool) -> tuple[tuple[float, ...], tuple[str, ...], int, int]:
    """Return breaks about a target, their colours, and the numbers of the first and last class that meet it."""
    far, near = _BELOW
    if at_most:
        breaks = (target * near, target, target / near, target / far)
        return breaks, (*reversed(palette.MET), *reversed(palette.MISSED)), 0, 1
    if scale == "share" and target * _ABOVE >= 1.0:
        return (target * far, target * near, target), (*palette.MISSED, palette.MET[-1]), 3, 3
    return (target * far, target * near, target, target * _ABOVE), (*palette.MISSED, *palette.MET), 3, 4


def _number(value: float | None, breaks: Sequence[float], at_most: bool) -> int | None:
    if value is None:
        return None
    return int(np.searchsorted(np.asarray(breaks, dtype=float), value, side="left" if at_most else "right"))


def _labels(scale: str, breaks: Sequence[float], *, at_most: bool) -> tuple[str, ...]:
    """Return the classes' bounds as short as they can be told apart; shares in per cent.

    Examples
    --------
    >>> _labels("share", (0.3, 0.48, 0.6), at_most=False)
    ('< 30', '30–48', '48–60', '≥ 60')
    >>> _labels("share", (0.5, 0.8, 1.0), at_most=False)
    ('< 50', '50–80', '80–100', '100')
    >>> _labels("per_1000", (), at_most=False)
    ('',)
    """
    if not breaks:
        return ("",)
    ends = [_plain(scale, value) for value in breaks]
    under, over = ("≤", ">") if at_most else ("<", "≥")
    last = ends[-1] if scale == "share" and breaks[-1] >= 1.0 else f"{over} {ends[-1]}"
    return (f"{under} {ends[0]}", *(f"{low}–{high}" for low, high in pairwise(ends)), last)


def _plain(scale: str, value: float) -> str:
    shown = 100 * value if scale == "share" else value
    return f"{float(f'{shown:.4g}'):,.10g}"


def target_text(verdict: Verdict, lang: Lang) -> str:
    """Return what a goal asks of each zone, as a legend writes it."""
    return ("≤ " if verdict.bound == "at_most" else "≥ ") + figure(verdict.scale, verdict.target, lang)


def unit_of(verdict: Verdict, lang: Lang) -> str:
    """Return what a goal's figures are in, short enough for a legend's heading."""
    if verdict.scale == "share":
        return "%"
    if verdict.scale == "count":
        return word_for("unit", verdict.unit, lang)
    if verdict.scale == "per_1000":
        return rate("per_1000", lang).format(word_for("unit", verdict.unit, lang))
    pattern = rate(verdict.scale, lang)
    return " ".join(pattern.replace("{}", "").split()) if pattern else verdict.scale
