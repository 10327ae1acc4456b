"""Chapters on goals: the table of all verdicts, each goal with figures for towns, those for the whole area only."""

from __future__ import annotations

from collections.abc import Iterator

from facility_coverage.analysis.verdicts import PlaceVerdict, Verdict
from facility_coverage.outputs import texts
from facility_coverage.outputs.panels import figure
from facility_coverage.outputs.report.model import Block, Cell, Chapter, MapView, Table, Text, cells, table
from facility_coverage.outputs.report.telling import NOT_MET, Telling, left_out
from facility_coverage.outputs.report.texts import bracketed, said, word

#: Towns that a table names; the files of the run have all.
MOST_ROWS = 300


def goal_chapters(telling: Telling) -> Iterator[Chapter]:
    """Yield the chapters on goals; none where a run has no goals."""
    verdicts = telling.run.verdicts
    if not verdicts:
        return
    lang = telling.lang
    yield Chapter(telling.id("goals"), word("goals", lang), 1, tuple(_tables(telling)), page=True)
    shown = [(i, one) for i, one in enumerate(verdicts) if telling.theme_of(one)]
    if shown:
        yield Chapter(telling.id("each"), word("each_goal", lang), 1, page=True)
        for number, (position, verdict) in enumerate(shown):
            yield _goal(telling, position, verdict, first=number == 0)
    rest = [one for one in verdicts if not telling.theme_of(one)]
    if rest:
        block = _whole_area(telling, rest)
        yield Chapter(telling.id("whole"), word("study_goals", lang), 1, (block,), page=True)


def _tables(telling: Telling) -> Iterator[Block]:
    """Yield a table of verdicts for each plan."""
    lang = telling.lang
    titles = {plan["id"]: plan["title"]["zh" if lang == "zh" else "en"] for plan in telling.run.parameters["plans"]}
    heads = tuple(word(key, lang) for key in ("goal", "value", "target", "year", "nature", "status", "shortfall"))
    for plan in dict.fromkeys(verdict.plan_id for verdict in telling.run.verdicts):
        rows = [
            (
                Cell(telling.name(one), to=telling.goal_id(i) if telling.theme_of(one) else telling.id("whole")),
                Cell(telling.value(one)),
                Cell(telling.target(one)),
                Cell("" if one.target_year is None else str(one.target_year)),
                Cell(nature(telling, one)),
                telling.status(one.status),
                Cell(telling.shortfall(one)),
            )
            for i, one in enumerate(telling.run.verdicts)
            if one.plan_id == plan
        ]
        yield table(heads, rows, numbers=" ###  #", caption=titles.get(plan, ""))


def nature(telling: Telling, verdict: Verdict) -> str:
    """Say whether a goal is binding."""
    known = ("binding", "expected", "text")
    return word(verdict.nature, telling.lang) if verdict.nature in known else ""


def now(telling: Telling, verdict: Verdict) -> str:
    """Say where a goal stands."""
    lang = telling.lang
    if verdict.value is None:
        why = verdict.reason or "absent"
        return word("no_figure", lang) if why == "absent" else said("absent", lang, reason=_reason(telling, why))
    if verdict.target is None or verdict.status is None:
        return said("monitored", lang, value=telling.value(verdict))
    lack = telling.shortfall(verdict)
    return said(
        "now_line", lang, value=telling.value(verdict), target=telling.target(verdict), year=verdict.target_year,
        status=texts.text(verdict.status, lang), short=said("short_by", lang, shortfall=lack) if lack else "",
    )  # fmt: skip


def _reason(telling: Telling, reason: str) -> str:
    return texts.text(f"reason_{reason}", telling.lang)


def towns_told(telling: Telling, verdict: Verdict) -> str:
    """Say how many towns meet a goal and how many miss it."""
    judged = [one for one in verdict.zones if one.status in ("met", *NOT_MET)]
    if not judged:
        return word("towns_not_judged", telling.lang)
    without = sum(one.status == "no_data" for one in verdict.zones)
    return said(
        "towns_judged", telling.lang, count=len(judged), met=sum(one.status == "met" for one in judged),
        missed=sum(one.status in NOT_MET for one in judged),
        none=said("towns_none", telling.lang, count=without) if without else "",
    )  # fmt: skip


def _goal(telling: Telling, position: int, verdict: Verdict, *, first: bool) -> Chapter:
    gap = "" if telling.lang == "zh" else " "
    name = telling.name(verdict)
    blocks = [
        Text(now(telling, verdict) + gap + towns_told(telling, verdict), "lead"),
        MapView(telling.index, telling.theme_of(verdict), name),
        *_services(telling, verdict),
        *_districts(telling, verdict),
        *_towns(telling, verdict),
        *remarks(telling, verdict),
    ]
    status = verdict.status or "" if verdict.value is not None else "no_data"
    return Chapter(telling.goal_id(position), name, 2, tuple(blocks), status=status, page=not first)


def _districts(telling: Telling, verdict: Verdict) -> Iterator[Block]:
    if len(verdict.districts) > 1:
        yield _places(telling, verdict, verdict.districts, word("district", telling.lang), caption="")


def _services(telling: Telling, verdict: Verdict) -> Iterator[Block]:
    """Yield who reaches each service of a catalogue."""
    lang = telling.lang
    rows = [
        cells(one.name_zh if lang == "zh" else one.name_en, telling.people(one.people),
              telling.share(one.covered / one.people if one.people else None),
              telling.people(left_out([one.people, one.covered, None])))
        for one in verdict.services
    ]  # fmt: skip
    if rows:
        yield table(tuple(word(key, lang) for key in ("service", "people", "share", "left_out")), rows, numbers=" ###")


def _towns(telling: Telling, verdict: Verdict) -> Iterator[Block]:
    """Yield the towns that miss a goal by what they lack, those that meet it, and why others have no figure."""
    lang, town = telling.lang, word("town", telling.lang)
    missed = [one for one in verdict.zones if one.status in NOT_MET]
    missed.sort(key=lambda one: (-(one.shortfall or 0.0), _order(verdict, one)))
    met = [one for one in verdict.zones if one.status == "met"]
    met.sort(key=lambda one: _order(verdict, one))
    if missed:
        yield _places(telling, verdict, tuple(missed[:MOST_ROWS]), town, caption=word("towns_missing", lang))
    if met:
        named = telling.places([(one.name, telling.value(verdict, one)) for one in met[:MOST_ROWS]])
        yield Text(said("towns_met", lang, list=named))
    rest = [one for one in verdict.zones if one.status is None or one.status == "no_data"]
    if not missed and not met:
        known = sorted((one for one in rest if one.value is not None), key=lambda one: _order(verdict, one))
        yield _places(telling, verdict, tuple(known[:MOST_ROWS]), town, caption=word("towns_figures", lang))
        rest = [one for one in rest if one.value is None]
    for reason in dict.fromkeys(one.reason for one in rest):
        named = telling.places([(one.name, "") for one in rest if one.reason == reason][:MOST_ROWS])
        yield Text(said("towns_without", lang, reason=_reason(telling, reason or "absent"), list=named), "missing")
    over = max(len(missed), len(met), len(rest)) - MOST_ROWS
    if over > 0:
        yield Text(said("more_rows", lang, count=over), "note")


def _order(verdict: Verdict, place: PlaceVerdict) -> float:
    """Return what sorts the worst figure first."""
    value = place.value or 0.0
    return -value if verdict.bound == "at_most" else value


def _places(telling: Telling, verdict: Verdict, places: tuple[PlaceVerdict, ...], head: str, *, caption: str) -> Table:
    lang = telling.lang
    rows = [
        (Cell(one.name, to=telling.town_id(one.id)), Cell(telling.value(verdict, one)), telling.status(one.status),
         Cell(telling.shortfall(verdict, one)))
        for one in places
    ]  # fmt: skip
    judged = any(one.status is not None for one in places)
    heads = (head, word("value", lang), word("status", lang), word("shortfall", lang))
    count = 4 if judged else 2
    return table(heads[:count], [row[:count] for row in rows], numbers=" # #"[:count], caption=caption)


def remarks(telling: Telling, verdict: Verdict) -> Iterator[Text]:
    """Yield what a reader must know of a goal's figure, and where the goal comes from."""
    lang = telling.lang
    if verdict.baseline is not None:
        value = figure(verdict.scale, verdict.baseline, lang)
        yield Text(said("baseline_line", lang, year=verdict.baseline_year, value=value), "note")
    if verdict.beside is not None:
        yield Text(said("beside_line", lang, value=figure(verdict.scale, verdict.beside, lang)), "note")
    if verdict.with_sharing is not None and verdict.without_sharing is not None:
        anywhere, own = (figure(verdict.scale, one, lang) for one in (verdict.with_sharing, verdict.without_sharing))
        yield Text(said("sharing_line", lang, with_sharing=anywhere, without=own), "note")
    if verdict.missing:
        yield Text(said("missing_line", lang, count=verdict.missing), "note")
    note = verdict.note_zh if lang == "zh" else verdict.note_en
    if note:
        yield Text(note, "note")
    cited = said("cited", lang, citation=verdict.citation)
    yield Text(cited + ("" if verdict.verified else word("unverified", lang)), "note")


def _whole_area(telling: Telling, verdicts: list[Verdict]) -> Table:
    lang = telling.lang
    heads = tuple(word(key, lang) for key in ("goal", "value", "baseline", "target", "status", "shortfall", "note"))
    rows = [
        (
            Cell(telling.name(one)),
            Cell(telling.value(one)),
            Cell("" if one.baseline is None else figure(one.scale, one.baseline, lang)),
            Cell(telling.target(one) + bracketed("" if one.target is None else str(one.target_year), lang)),
            telling.status(one.status),
            Cell(telling.shortfall(one)),
            Cell(one.note_zh if lang == "zh" else one.note_en),
        )
        for one in verdicts
    ]
    return table(heads, rows, numbers=" ### # ")
