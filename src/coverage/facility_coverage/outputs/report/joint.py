"""The overview of several runs: beside each other, and together."""

from __future__ import annotations

from collections.abc import Sequence

from facility_coverage.analysis.verdicts import Verdict
from facility_coverage.outputs.report.model import Block, Cell, Chapter, Points, Table, Text, table
from facility_coverage.outputs.report.summary import figures
from facility_coverage.outputs.report.telling import NOT_MET, STATUSES, Row, Telling
from facility_coverage.outputs.report.texts import listed, said, word

#: Runs that stand beside each other on one page; more are continued in another table.
ACROSS = 5


def overview(tellings: Sequence[Telling]) -> Chapter:
    """Return the chapter that puts runs beside each other."""
    lang = tellings[0].lang
    blocks: list[Block] = [Text(_area(tellings), "lead"), _runs(tellings)]
    told = tuple(_told(tellings))
    if told:
        blocks.append(Points(told))
    for first in range(0, len(tellings), ACROSS):
        beside = tellings[first : first + ACROSS]
        blocks += [_services(tellings, beside), _goals(tellings, beside)]
    return Chapter("overview", word("overview", lang), 1, tuple(blocks), page=True)


def _people(telling: Telling) -> float:
    return float(telling.run.zones["population_total"].sum())


def _area(tellings: Sequence[Telling]) -> str:
    zones = sum(len(one.run.zones) for one in tellings)
    people = tellings[0].people(sum(map(_people, tellings)))
    return said("joint_area", tellings[0].lang, runs=len(tellings), zones=f"{zones:,}", people=people)


def _runs(tellings: Sequence[Telling]) -> Table:
    """Return a row for each run: people, and how many goals stand how."""
    lang = tellings[0].lang
    rows = []
    for one in tellings:
        statuses: list[str | None] = [verdict.status for verdict in one.run.verdicts]
        counts = (Cell(f"{statuses.count(status):,}") for status in STATUSES)
        name = Cell(f"{one.title} · {one.scene['name']}", to=one.id("part"))
        rows.append((name, Cell(f"{len(one.run.zones):,}"), Cell(one.people(_people(one))), *counts))
    heads = ("runs", "zones_count", "people", *(f"{status}_count" for status in STATUSES))
    caption = word("joint_runs", lang)
    return table(tuple(word(key, lang) for key in heads), rows, numbers=" ######", caption=caption)


def _alike(tellings: Sequence[Telling]) -> dict[tuple[str, str], list[Verdict | None]]:
    """Return the goals of all runs by plan and id, None where a run has no such goal, in the order of the runs."""
    found: dict[tuple[str, str], list[Verdict | None]] = {}
    for i, telling in enumerate(tellings):
        for verdict in telling.run.verdicts:
            found.setdefault((verdict.plan_id, verdict.goal_id), [None] * len(tellings))[i] = verdict
    return found


def _told(tellings: Sequence[Telling]) -> list[str]:
    """Say which goals every run meets, and which none does."""
    lang, told = tellings[0].lang, []
    alike = [[one for one in row if one is not None] for row in _alike(tellings).values()]
    shared = [row for row in alike if len(row) > 1]
    met = [row for row in shared if all(one.status == "met" for one in row)]
    missed = [row for row in shared if all(one.status in NOT_MET for one in row)]
    if met:
        told.append(said("joint_all_met", lang, count=len(met)))
    if missed:
        told.append(said("joint_missed", lang, list=listed((tellings[0].name(row[0]) for row in missed), lang)))
    return told


def _services(tellings: Sequence[Telling], beside: Sequence[Telling]) -> Table:
    """Return the share within reach of each facility layer in each run, and in all that have it together."""
    lang = tellings[0].lang
    layers = {(layer["id"], layer["group"]): layer["name"] for one in tellings for layer in one.scene["layers"]}
    rows = []
    for (layer, group), name in layers.items():
        every = [figures(one.scene, "study", layer, group) for one in tellings]
        shown = [figures(one.scene, "study", layer, group) for one in beside]
        shares = (Cell(tellings[0].share(row[2])) for row in [*shown, together(every)])
        rows.append((Cell(name), *shares))
    heads = (word("service", lang), *(one.title for one in beside), word("whole", lang))
    return table(heads, rows, numbers=" " + "#" * (len(heads) - 1), caption=word("joint_services", lang))


def together(rows: Sequence[Row]) -> Row:
    """Return people, people covered and share of several runs that have figures.

    Examples
    --------
    >>> together([[100.0, 50.0, 0.5], [300.0, 30.0, 0.1], [None, None, None]])
    [400.0, 80.0, 0.2]
    """
    known = [(row[0], row[1]) for row in rows if row[0] is not None and row[1] is not None]
    people, covered = (sum(one[i] for one in known) for i in (0, 1))
    return [people, covered, covered / people] if people else [None, None, None]


def _goals(tellings: Sequence[Telling], beside: Sequence[Telling]) -> Table:
    """Return goals of the same plan and id side by side, without those that have data nowhere."""
    lang, rows = tellings[0].lang, []
    places = [tellings.index(one) for one in beside]
    for verdicts in _alike(tellings).values():
        known = [one for one in verdicts if one is not None]
        if all(one.value is None for one in known):
            continue
        fields = []
        for i in places:
            one = verdicts[i]
            fields.append(Cell("") if one is None else Cell(tellings[i].value(one), status=one.status or ""))
        rows.append((Cell(tellings[0].name(known[0])), Cell(tellings[0].target(known[0])), *fields))
    heads = (word("goal", lang), word("target", lang), *(one.title for one in beside))
    return table(heads, rows, numbers=" #" + "#" * len(beside), caption=word("joint_goals", lang))
