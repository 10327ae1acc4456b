"""Proposed sites on the terminal: in the order of building, how good the choice is, and which verdicts it changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from facility_coverage.analysis.comparison import compare
from facility_coverage.analysis.proposals import Proposal
from facility_coverage.analysis.verdicts import Verdict
from facility_coverage.config.text import Lang
from facility_coverage.layers.model import Layers
from facility_coverage.outputs import comparison
from facility_coverage.outputs.panels import figure, number, said_of
from facility_coverage.outputs.plain_text import visible
from facility_coverage.outputs.texts import text

_LIMIT = 400
"""Characters of a line."""


def lines(
    proposals: Sequence[Proposal],
    layers: Layers,
    before: Sequence[Verdict],
    after: Sequence[Verdict],
    *,
    lang: Lang,
) -> list[str]:
    """Return the summary: each siting with its sites, then the goals whose figure or verdict changes."""
    zones = dict(zip(layers.zones["zone_id"].astype(str), layers.zones["name"].astype(str), strict=True))
    told = [line for one in proposals for line in _of_siting(one, zones, lang)]
    return [visible(line, limit=_LIMIT) for line in (*told, *_of_goals(before, after, lang))]


def _of_siting(proposal: Proposal, zones: dict[str, str], lang: Lang) -> Iterator[str]:
    siting, solution = proposal.siting, proposal.solution
    yield f"{siting.id}  {siting.name.in_language(lang)} ({siting.problem})"
    yield from (f"  {line}" for line in said_of(proposal, zones, lang))
    if solution.outcome != "infeasible":
        figures = {"objective": solution.objective, "bound": solution.bound, "greedy": proposal.greedy}
        shown = {key: _plain(value, lang) for key, value in figures.items()}
        yield "  " + text("site_figures", lang).format(gap=f"{100 * solution.gap:.3g}%", **shown)
    for row in proposal.sites.drop(columns="geometry").to_dict("records"):
        place = " · ".join(part for part in (str(row["name"]), zones.get(str(row["zone_id"]), "")) if part)
        share = "–" if pd.isna(row["share"]) else figure("share", row["share"], lang)
        key = "site_line" if proposal.unit == "people" else "site_line_other"
        label = text("site_gain" if proposal.unit == "people" else f"site_gain_{proposal.unit}", lang)
        said = text(key, lang).format(gain=_plain(row["gain"], lang), share=share, label=label)
        action = str(row["action"])
        done = "" if action == "open" else f"{text(f'action_{action}', lang)}  "
        yield f"  {row['order']:>3}  {done}{row['candidate_id']}  {place}  {said}"


def _plain(value: float, lang: Lang) -> str:
    return "–" if pd.isna(value) else number(value, lang)


def _of_goals(before: Sequence[Verdict], after: Sequence[Verdict], lang: Lang) -> list[str]:
    """Return the goals of the study that change, a line each."""
    table = compare([before, after])
    table = table[table["level"] == "study"]
    same = (table["value_before"] == table["value_after"]) | (
        table["value_before"].isna() & table["value_after"].isna()
    )
    changed = table[~same | (table["status_before"].fillna("") != table["status_after"].fillna(""))]
    if not len(changed):
        return [text("sites_change_nothing", lang)] if len(table) else []
    return [text("sites_change", lang), *(f"  {line}" for line in comparison.lines(changed, lang=lang))]
