"""The summary of a run: sentences made from its figures."""

from __future__ import annotations

from typing import Any

from facility_coverage.analysis.verdicts import Verdict
from facility_coverage.config.text import Lang
from facility_coverage.outputs.report.model import Block, Cell, Chapter, Points, Table, Text, table
from facility_coverage.outputs.report.telling import NOT_MET, Row, Telling, left_out
from facility_coverage.outputs.report.texts import listed, said, word

#: Goals, and towns of each, that the summary names.
GOALS, TOWNS = 8, 3


def summary(telling: Telling) -> Chapter:
    """Return the summary: people, verdicts, largest shortfalls, people left out, other states."""
    lang = telling.lang
    blocks: list[Block] = [Text(area(telling), "lead")]
    verdicts = telling.run.verdicts
    if verdicts:
        blocks.append(Text(goals_told(telling)))
        worst = shortfalls(telling)
        if worst:
            blocks += [Text(word("largest", lang), "head"), Points(tuple(worst))]
    blocks += [Text(word("services_head", lang), "head"), Points(tuple(services_told(telling)))]
    blocks += _states(telling)
    return Chapter(telling.id("summary"), word("summary", lang), 1, tuple(blocks), page=True)


def area(telling: Telling) -> str:
    """Say how many towns and people there are."""
    zones = telling.run.zones
    counts = {group: float(zones[f"population_{group}"].sum()) for group in telling.scene["groups"]}
    return said(
        "area", telling.lang, title=telling.title, state=telling.scene["name"], zones=len(zones),
        people=telling.people(counts["total"]), groups=telling.groups_of(counts),
    )  # fmt: skip


def goals_told(telling: Telling) -> str:
    """Say how many goals are met, on track, behind and without data, and which binding ones are missed."""
    lang, verdicts = telling.lang, telling.run.verdicts
    told = said("goal_count", lang, count=len(verdicts), parts=telling.parts([one.status for one in verdicts]))
    binding = [one for one in verdicts if one.nature == "binding"]
    if not binding:
        return told
    gap = "" if lang == "zh" else " "
    parts = telling.parts([one.status for one in binding])
    told += gap + said("binding_count", lang, count=len(binding), parts=parts)
    missed = [
        said("goal_brief", lang, goal=telling.name(one), value=telling.value(one), target=telling.target(one))
        for one in binding
        if one.status in NOT_MET
    ]
    return told + gap + said("binding_missed", lang, list=listed(missed, lang)) if missed else told


def shortfalls(telling: Telling) -> list[str]:
    """Name the goals that are farthest from their targets, binding ones first, with the towns that lack most."""
    missed = [one for one in telling.run.verdicts if one.status in NOT_MET and telling.shortfall(one)]
    missed.sort(key=lambda one: (one.nature != "binding", -distance(one)))
    # Two plans may ask the same.
    return list(dict.fromkeys(_shortfall(telling, one) for one in missed))[:GOALS]


def distance(verdict: Verdict) -> float:
    """Return how far a goal is from its target, as a share of the target."""
    if verdict.target is None or verdict.value is None or verdict.target == 0:
        return 0.0
    return abs(verdict.target - verdict.value) / abs(verdict.target)


def _shortfall(telling: Telling, verdict: Verdict) -> str:
    lacking = sorted((one for one in verdict.zones if one.shortfall), key=lambda one: -(one.shortfall or 0.0))
    named = [(one.name, telling.shortfall(verdict, one)) for one in lacking[:TOWNS]]
    towns = said("worst_towns", telling.lang, list=telling.places(named)) if named else ""
    return said(
        "shortfall_line", telling.lang, goal=telling.name(verdict), value=telling.value(verdict),
        target=telling.target(verdict), shortfall=telling.shortfall(verdict), towns=towns,
    )  # fmt: skip


def services_told(telling: Telling) -> list[str]:
    """Say of each facility layer how many people it leaves out, and where the fewest are within reach."""
    return [service_told(telling, layer) for layer in telling.scene["layers"]]


def service_told(telling: Telling, layer: dict[str, Any]) -> str:
    """Say of one facility layer how many people it leaves out, and where the fewest are within reach."""
    group = layer["group"]
    row = figures(telling.scene, "study", layer["id"], group)
    if row[2] is None:
        return said("service_absent", telling.lang, layer=layer["name"])
    named = [(name, telling.share(share)) for name, share in lowest(telling, layer["id"], group)[:TOWNS]]
    towns = said("lowest_towns", telling.lang, list=telling.places(named)) if named else ""
    left = left_out(row)
    return said(
        "service_line", telling.lang, layer=layer["name"],
        group=telling.scene["groups"][group], people=telling.people(row[0]), share=telling.share(row[2]),
        left=telling.people(left), towns=towns,
    )  # fmt: skip


def figures(scene: dict[str, Any], scope: str, layer: str, group: str) -> Row:
    """Return people, people covered and their share in a scope; None where there are no such figures."""
    row: Row = scene["summary"].get(scope, {}).get(layer, {}).get(group, [None, None, None])
    return row


def lowest(telling: Telling, layer: str, group: str) -> list[tuple[str, float]]:
    """Return the towns and their shares within reach, the lowest first, those without data left out."""
    names = {zone["id"]: zone["name"] for zone in telling.core["zones"]}
    rows = ((zone, found.get(layer, {}).get(group, [None] * 3)[2]) for zone, found in telling.scene["figures"].items())
    return sorted(((names[zone], share) for zone, share in rows if share is not None), key=lambda one: one[1])


def _states(telling: Telling) -> list[Block]:
    """Put the other states of the map beside the run's own."""
    scenes = [telling.scene, *telling.core["others"]]
    return [states_table(telling, scenes)] if len(scenes) > 1 else []


def states_table(telling: Telling, scenes: list[dict[str, Any]]) -> Table:
    """Return shares within reach, and goals met, in each of several states."""
    lang: Lang = telling.lang
    rows = [
        (Cell(layer["name"]),
         *(Cell(telling.share(figures(one, "study", layer["id"], layer["group"])[2])) for one in scenes))
        for layer in telling.scene["layers"]
    ]  # fmt: skip
    if telling.run.verdicts:
        met = (sum(goal["status"] == "met" for goal in one["goals"]) for one in scenes)
        rows.append((Cell(word("goals_met", lang)), *(Cell(f"{count:,}") for count in met)))
    names = tuple(one["name"] for one in scenes)
    heads = (word("service", lang), *names)
    return table(heads, rows, numbers=" " + "#" * len(names), caption=word("states_table", lang))
