"""Chapters on towns: the verdicts of each, who reaches what, its facilities and who leads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from facility_coverage.analysis.verdicts import PlaceVerdict, Verdict
from facility_coverage.outputs import texts
from facility_coverage.outputs.panels import number
from facility_coverage.outputs.report.model import Block, Cell, Chapter, Facts, Table, Text, cells, table
from facility_coverage.outputs.report.telling import MOST_TOWNS, NOT_MET, Telling, left_out
from facility_coverage.outputs.report.texts import listed, said, word


def town_chapters(telling: Telling) -> Iterator[Chapter]:
    """Yield a chapter for all towns, and one for each."""
    lang, zones = telling.lang, telling.core["zones"]
    many = len(zones) > MOST_TOWNS
    blocks = (Text(said("too_many_towns", lang, most=MOST_TOWNS), "missing"),) if many else ()
    yield Chapter(telling.id("towns"), word("towns", lang), 1, blocks, page=True)
    if many:
        return
    goals = _by_town(telling)
    for i, zone in enumerate(zones):
        yield _town(telling, zone, goals.get(zone["id"], []), first=i == 0)


def _by_town(telling: Telling) -> dict[str, list[tuple[int, Verdict, PlaceVerdict]]]:
    """Return for each town its goals: position, goal, verdict."""
    found: dict[str, list[tuple[int, Verdict, PlaceVerdict]]] = {}
    for position, verdict in enumerate(telling.run.verdicts):
        for place in verdict.zones:
            found.setdefault(place.id, []).append((position, verdict, place))
    return found


def _town(
    telling: Telling, zone: dict[str, Any], goals: list[tuple[int, Verdict, PlaceVerdict]], *, first: bool
) -> Chapter:
    lang = telling.lang
    row = telling.run.zones.loc[zone["id"]]
    blocks: list[Block] = [_facts(telling, zone, row), *_goals(telling, goals), _services(telling, zone["id"])]
    blocks += [_facilities(telling, row), *_leaders(telling, zone["id"])]
    name = zone["name"] or word("unnamed", lang)
    return Chapter(telling.town_id(zone["id"]), name, 2, tuple(blocks), page=not first)


def _facts(telling: Telling, zone: dict[str, Any], row: Any) -> Facts:
    lang = telling.lang
    items = [(word("kind_of_town", lang), word(zone["area_type"], lang))]
    if len({one["district"] for one in telling.core["zones"]}) > 1:
        items.append((word("district", lang), zone["district"]))
    items.append((word("area_km2", lang), said("km2", lang, value=number(float(row["area_km2"]), lang))))
    for group, name in telling.scene["groups"].items():
        items.append((name, telling.people(row[f"population_{group}"])))
    return Facts(tuple(items))


def _goals(telling: Telling, goals: list[tuple[int, Verdict, PlaceVerdict]]) -> Iterator[Block]:
    """Yield the goals that a town misses, those that it meets, and those without data."""
    lang = telling.lang
    if not goals:
        return
    missed = [one for one in goals if one[2].status in NOT_MET]
    met = [one for one in goals if one[2].status == "met"]
    if not missed and not met:
        yield Text(word("town_no_goals", lang))
        return
    yield Text(said("town_status", lang, parts=telling.parts([one[2].status for one in (*met, *missed)])), "lead")
    if missed:
        rows = [
            (
                Cell(telling.name(goal), to=telling.goal_id(position) if telling.theme_of(goal) else ""),
                Cell(telling.value(goal, place)),
                Cell(telling.target(goal)),
                telling.status(place.status),
                Cell(telling.shortfall(goal, place)),
            )
            for position, goal, place in missed
        ]
        heads = tuple(word(key, lang) for key in ("goal", "value", "target", "status", "shortfall"))
        yield table(heads, _once(rows), numbers=" ## #", caption=word("town_missed", lang))
    if met:
        named = [_brief(telling, goal, place) for _, goal, place in met]
        yield Text(said("town_met", lang, list=listed(dict.fromkeys(named), lang)))
    without = [telling.name(goal) for _, goal, place in goals if place.status == "no_data"]
    if without:
        yield Text(said("town_no_data", lang, list=listed(dict.fromkeys(without), lang)), "missing")


def _brief(telling: Telling, goal: Verdict, place: PlaceVerdict) -> str:
    value, target = telling.value(goal, place), telling.target(goal)
    return said("goal_brief", telling.lang, goal=telling.name(goal), value=value, target=target)


def _once(rows: Sequence[tuple[Cell, ...]]) -> list[tuple[Cell, ...]]:
    """Leave out what another plan has asked in the same words."""
    said_before: dict[tuple[str, ...], tuple[Cell, ...]] = {}
    for row in rows:
        said_before.setdefault(tuple(cell.text for cell in row), row)
    return list(said_before.values())


def _services(telling: Telling, zone_id: str) -> Table:
    """Return who is within reach of each facility layer."""
    lang, groups = telling.lang, telling.scene["groups"]
    rows = []
    for layer in telling.scene["layers"]:
        of_layer = telling.scene["figures"].get(zone_id, {}).get(layer["id"], {})
        own = of_layer.get(layer["group"], [None, None, None])
        others = [
            f"{groups[group]} {telling.share(row[2])}"
            for group, row in of_layer.items()
            if group != layer["group"] and group in groups
        ]
        told = (telling.people(own[0]), telling.share(own[2]), telling.people(left_out(own)))
        rows.append(cells(layer["name"], groups[layer["group"]], *told, listed(others, lang)))
    heads = ("service", "for_whom", "people", "share", "left_out", "others")
    caption = word("town_services", lang)
    return table(tuple(word(key, lang) for key in heads), rows, numbers="  ###", caption=caption)


def _facilities(telling: Telling, row: Any) -> Table:
    """Return how many facilities of each kind stand in a town, and what they hold."""
    lang = telling.lang
    rows = [
        cells(
            layer.name.in_language(lang),
            number(row[f"{layer.id}_facility_count"], lang),
            listed(
                [
                    f"{texts.word_for('capacity', column, lang)} {number(row[f'{layer.id}_{column}'], lang)}"
                    for column in layer.capacity
                ],
                lang,
            ),
        )
        for layer in telling.run.layers
    ]
    heads = tuple(word(key, lang) for key in ("service", "facilities", "capacity"))
    return table(heads, rows, numbers=" #", caption=word("town_facilities", lang))


def _leaders(telling: Telling, zone_id: str) -> Iterator[Block]:
    """Yield which centre leads which facilities of a town."""
    rows = telling.run.hierarchy
    if not len(rows):
        return
    here = rows[(rows["zone_id"] == zone_id) & (rows["status"] != "leads")]
    lang, layers = telling.lang, {layer.id: layer for layer in telling.run.layers}
    found = []
    for (layer, leader), led in here.groupby(["layer", "leader_name"], sort=False):
        named = [(one["name"] or one["facility_id"], _minutes(one["minutes"])) for one in led.to_dict("records")]
        centre = str(leader) or word("no_leader", lang)
        found.append(cells(layers[str(layer)].name.in_language(lang), centre, telling.places(named)))
    if found:
        heads = tuple(word(key, lang) for key in ("service", "leader", "led"))
        yield table(heads, found, caption=word("town_leaders", lang))


def _minutes(minutes: str) -> str:
    """Return a time rounded up, so that 15 minutes are within 15 minutes.

    Examples
    --------
    >>> _minutes("14.2"), _minutes("15"), _minutes("")
    ('15', '15', '')
    """
    return "" if not minutes or pd.isna(float(minutes)) else f"{-int(-float(minutes) // 1):,}"
