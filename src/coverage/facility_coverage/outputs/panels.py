"""The figures and words beside the map: legend, goals, zones; plain values, never markup."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyproj

from facility_coverage.analysis.measuring import scale_of
from facility_coverage.analysis.proposals import Proposal
from facility_coverage.analysis.verdicts import Verdict
from facility_coverage.config.goal import GoalBase
from facility_coverage.config.profile import Profile
from facility_coverage.config.study import FacilityLayer, StudyConfig
from facility_coverage.config.text import Lang
from facility_coverage.layers.model import Layers
from facility_coverage.outputs.encoding import encode_points
from facility_coverage.outputs.texts import rate, text, word_for

_MOST_PLACES = 8
"""Places that miss a goal, named one by one."""
_NAMED = 10
"""So many closed facilities are named at most."""


def number(value: float | None, lang: Lang) -> str:
    """Return a count with thousands separators, at most two decimals; no data in words.

    Examples
    --------
    >>> number(12345.0, "zh"), number(3.25, "en"), number(None, "zh")
    ('12,345', '3.25', '无数据')
    """
    if value is None or pd.isna(value):
        return text("no_data", lang)
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.2f}".rstrip("0").rstrip(".")


def figure(scale: str, value: float | None, lang: Lang) -> str:
    """Return a goal's figure as people write it: shares in per cent, rates with what they are per.

    It is never rounded up; minutes, of which few are better, are never rounded down.

    Examples
    --------
    >>> figure("share", 0.625, "zh"), figure("per_1000", 4.5, "zh"), figure("岁", 78.15, "zh")
    ('62.5%', '每千人 4.5', '78.15 岁')

    A share that misses 60 % by a little must not read as if it had met it:

    >>> figure("share", 0.5996, "en"), figure("share", 0.6, "en")
    ('59.9%', '60.0%')
    >>> figure("minutes", 15.001, "en"), figure("minutes", 15.0, "en")
    ('15.01 min', '15 min')
    """
    if value is None or pd.isna(value):
        return text("no_data", lang)
    if scale == "share":
        return f"{_cut(100 * value, 1):.1f}%"
    if scale == "count":
        return number(_cut(value, 2 if abs(value) < 100 else 0), lang)
    if scale == "minutes":  # less is better: never rounded down
        return rate(scale, lang).format(f"{0.0 - _cut(-value, 2):,.2f}".rstrip("0").rstrip("."))
    shown = number(_cut(value, 2), lang) if abs(value) < 100 else f"{_cut(value, 2):,.2f}".rstrip("0").rstrip(".")
    pattern = rate(scale, lang)
    return pattern.format(shown) if pattern else f"{shown}{'' if scale == '%' else ' '}{scale}"


def _cut(value: float, digits: int) -> float:
    """Return the value cut after some decimals; 1e-9 keeps 60.0 from becoming 59.9 by the last digit of a float."""
    unit = 10.0**digits
    return math.floor(value * unit + 1e-9) / unit


def cutoff_text(layer: FacilityLayer, profile: Profile | None, lang: Lang) -> str:
    """Return who travels how for how long, e.g. ``老年人 2.88 km/h 步行 15 分钟(城)/30 分钟(乡)``.

    By car there is no one speed to show.
    """
    urban, rural = (f"{layer.cutoff_min[kind]:g}" for kind in ("urban", "rural"))
    who = layer.profile if profile is None else profile.name.in_language(lang)
    by_car = profile is not None and profile.mode == "car"
    speed = "" if profile is None or profile.level_speed_kmh is None else f"{profile.level_speed_kmh:g} km/h "
    if lang == "zh":
        minutes = f"{urban} 分钟" if urban == rural else f"{urban} 分钟(城)/{rural} 分钟(乡)"
        return f"{who} {speed}{'驾车' if by_car else '步行'} {minutes}"
    minutes = f"{urban} min" if urban == rural else f"{urban} min (urban) / {rural} min (rural)"
    return f"{who}, {speed}{'by car' if by_car else 'on foot'}, {minutes}"


def group_names(config: StudyConfig, lang: Lang) -> dict[str, str]:
    """Return the name of every group by id, everybody first."""
    return {"total": text("everybody", lang)} | {group.id: group.name.in_language(lang) for group in config.groups}


def goal_rows(verdicts: tuple[Verdict, ...], lang: Lang) -> list[dict[str, Any]]:
    """Return goals with their verdicts, ready to be shown."""
    return [_goal_row(verdict, lang) for verdict in verdicts]


def _goal_row(verdict: Verdict, lang: Lang) -> dict[str, Any]:
    missing = verdict.missing
    return {
        "id": verdict.goal_id,
        "name": verdict.name_zh if lang == "zh" else verdict.name_en,
        "layer": verdict.layer,
        "status": verdict.status,
        "value": figure(verdict.scale, verdict.value, lang),
        "target": None if verdict.target is None else _bounded(verdict, lang),
        "year": verdict.target_year,
        "baseline": None if verdict.baseline is None else figure(verdict.scale, verdict.baseline, lang),
        "baseline_year": verdict.baseline_year,
        "shortfall": _shortfall(verdict.shortfall, verdict.unit, lang),
        "nature": text(verdict.nature, lang) if verdict.nature in ("binding", "expected") else "",
        "binding": verdict.nature == "binding",
        "citation": verdict.citation,
        "note": verdict.note_zh if lang == "zh" else verdict.note_en,
        "missing": f"{missing} {text('incomplete', lang)}" if missing else "",
        "theme": f"goal:{verdict.goal_id}" if any(zone.value is not None for zone in verdict.zones) else "",
        "unit": word_for("unit", verdict.unit, lang),
        "districts": [
            {
                "name": one.name,
                "value": figure(verdict.scale, one.value, lang),
                "status": one.status,
                "shortfall": _shortfall(one.shortfall, verdict.unit, lang),
            }
            for one in (verdict.districts if len(verdict.districts) > 1 else ())
        ],
    }


def _bounded(verdict: Verdict, lang: Lang) -> str:
    return ("≤ " if verdict.bound == "at_most" else "") + figure(verdict.scale, verdict.target, lang)


def _shortfall(shortfall: float | None, unit: str, lang: Lang) -> str:
    if shortfall is None or pd.isna(shortfall) or shortfall <= 0:
        return ""
    return f"{number(shortfall, lang)} {word_for('unit', unit, lang)}"


def figures(table: pd.DataFrame, key: str) -> dict[str, dict[str, dict[str, list[float | None]]]]:
    """Return ``{key: {layer: {group: [population, covered, share]}}}`` of a long table; NaN becomes None."""
    found: dict[str, dict[str, dict[str, list[float | None]]]] = {}
    columns = [key, "layer", "group", "population", "covered", "share"]
    for place, layer, group, population, covered, share in table[columns].itertuples(index=False, name=None):
        row = [_plain(population, 3), _plain(covered, 3), _plain(share, 9)]
        found.setdefault(str(place), {}).setdefault(layer, {})[group] = row
    return found


def _plain(value: float, decimals: int) -> float | None:
    return None if pd.isna(value) else round(float(value), decimals)


def siting_rows(
    proposals: Sequence[Proposal], layers: Layers, transformer: pyproj.Transformer, lang: Lang
) -> list[dict[str, Any]]:
    """Return the proposed sites of each siting, in the order of building."""
    zones = dict(zip(layers.zones["zone_id"], layers.zones["name"], strict=True))
    rows = []
    for one in proposals:
        sites = one.new
        at = encode_points(sites.geometry.x, sites.geometry.y, transformer)
        rows.append(
            {
                "id": one.siting.id,
                "name": one.siting.name.in_language(lang),
                "layers": [served.layer for served in one.siting.serves],
                "unit": one.unit,
                "said": said_of(one, zones, lang),
                "sites": [
                    {"at": spot, "order": int(order), "name": _named(str(name), action, lang),
                     "zone": zones.get(zone_id, ""),
                     "gain": round(float(gain), 1), "alone": round(float(alone), 1), "share": _plain(share, 6)}
                    for spot, order, name, action, zone_id, gain, alone, share in zip(
                        at, sites["order"], sites["name"], sites["action"], sites["zone_id"], sites["gain"],
                        sites["alone"],
                        sites["share"], strict=True,
                    )
                ],
            }
        )  # fmt: skip
    return rows


def _named(name: str, action: str, lang: Lang) -> str:
    """Return a site's name, of existing facilities with what is done to them."""
    return text("site_enlarged", lang).format(name=name) if action == "enlarge" else name


def said_of(proposal: Proposal, zones: dict[str, str], lang: Lang) -> list[str]:
    """Say what was found, how good it is, and what keeps an infeasible goal from being reached."""
    solution, people = proposal.solution, max(proposal.people, 1e-9)
    if proposal.goal is not None:
        goal = _said_of_goal(proposal, proposal.goal, lang)
        if not len(proposal.sites):
            return goal
    elif solution.outcome == "infeasible":
        return _said_of_infeasible(proposal, lang)
    before = proposal.covered_before / people
    after = proposal.share_after
    shown = {
        "candidates": number(proposal.candidate_count, lang),
        "sites": number(len(proposal.new), lang),
        "before": figure("share", before, lang),
        "after": figure("share", after, lang),
        "gap": figure("share", solution.gap, lang),
    }
    proven = "siting_optimal" if solution.outcome == "optimal" and solution.gap < 1e-9 else "siting_gap"
    told = [*_said_of_actions(proposal, lang), *_said_of_trips(proposal, zones, lang)]
    found = [text("siting_found", lang).format(**shown), *told]
    if proposal.goal is None:
        return [*found, text(proven, lang).format(**shown)]
    # Of a goal of people covered, how good the number of sites is has been said.
    placed = [] if proposal.siting.problem == "lscp" else [text(proven, lang).format(**shown)]
    return [*goal, *found, *placed]


def _said_of_actions(proposal: Proposal, lang: Lang) -> list[str]:
    """Say how many facilities stay, go, grow and are new, where existing ones may change, and how many are served."""
    lines, sites = [], proposal.sites
    if any(served.existing is not None for served in proposal.siting.serves):
        of = {action: sites[sites["action"] == action] for action in ("keep", "close", "enlarge", "open")}
        grown = (
            of["keep"]
            .set_index(["layer", "candidate_id"])
            .index.isin(of["enlarge"].set_index(["layer", "candidate_id"]).index)
        )
        counts = {action: len(rows) for action, rows in of.items()} | {"keep": int((~grown).sum())}
        lines.append(text("siting_actions", lang).format(**{key: number(one, lang) for key, one in counts.items()}))
        if len(of["close"]):
            named = of["close"]["name"].astype(str).head(_NAMED).tolist() + ["…"] * (len(of["close"]) > _NAMED)
            lines.append(text("siting_closed", lang).format(names=("、" if lang == "zh" else ", ").join(named)))
    if proposal.siting.problem == "mclp_capacitated":
        served = {"before": proposal.before, "after": proposal.solution.objective}
        lines.append(text("siting_served", lang).format(**{key: number(one, lang) for key, one in served.items()}))
    return lines


def _said_of_infeasible(proposal: Proposal, lang: Lang) -> list[str]:
    if proposal.needed > 0:
        shown = {"longest": number(proposal.siting.longest_min, lang), "needed": number(proposal.needed, lang)}
        return [text("siting_needed", lang).format(**shown)]
    lines = [text("siting_infeasible", lang)]
    if len(proposal.lacking):
        worst = proposal.lacking.sort_values("most").iloc[0]
        wanted, most = (figure("share", float(worst[name]), lang) for name in ("wanted", "most"))
        lines.append(text("siting_most", lang).format(count=len(proposal.lacking), wanted=wanted, most=most))
    return lines


def _said_of_trips(proposal: Proposal, zones: dict[str, str], lang: Lang) -> list[str]:
    """Say how far people go before and after building, where the siting counts that, and whom nothing reaches."""
    solution, people, lines = proposal.solution, max(proposal.people, 1e-9), []
    if proposal.siting.problem == "p_median":
        trip = {"before": proposal.before / people, "after": solution.objective / people}
        lines = [text("siting_mean", lang).format(**{key: number(value, lang) for key, value in trip.items()})]
    elif proposal.siting.problem == "p_center":
        home = "" if proposal.farthest is None else zones.get(proposal.farthest.zone_id, "")
        trip = {"before": proposal.before, "after": solution.objective}
        shown = {key: number(value, lang) for key, value in trip.items()}
        lines = [text("siting_longest", lang).format(**shown, zone=home)]
    if proposal.unreached > 0:
        shown = {"people": number(proposal.unreached, lang), "longest": number(proposal.siting.longest_min, lang)}
        lines.append(text("siting_unreached", lang).format(**shown))
    return lines


def _said_of_goal(proposal: Proposal, goal: GoalBase, lang: Lang) -> list[str]:
    """Say how many sites a goal needs and whether fewer would do; or where and by how much all of them fall short."""
    solution, sites, scale = proposal.solution, proposal.sites, scale_of(goal)
    value = None if goal.target is None else goal.target.value
    named = {"goal": goal.name.in_language(lang), "target": figure(scale, value, lang)}
    if solution.outcome == "infeasible":
        rows = proposal.lacking.to_dict("records")
        lines = [text("goal_infeasible", lang).format(**named)]
        for row in rows[:_MOST_PLACES]:
            wanted, most = (figure(str(row["scale"]), float(row[key]), lang) for key in ("wanted", "most"))
            place, unit = str(row["place"]) or text("whole_study", lang), word_for("unit", str(row["unit"]), lang)
            shown = {"place": place, "wanted": wanted, "most": most, "short": number(row["short"], lang), "unit": unit}
            lines.append(text("goal_short", lang).format(**shown))
        more = len(rows) - _MOST_PLACES
        return [*lines, text("goal_more_places", lang).format(count=more)] if more > 0 else lines
    if not len(sites):
        return [text("goal_met_already", lang).format(**named)]
    said = text("goal_sites", lang).format(sites=number(len(sites), lang), **named)
    if proposal.siting.problem == "lscp" and solution.outcome != "optimal":
        return [said, text("goal_at_least", lang).format(least=number(solution.bound, lang))]
    return [said, text("goal_fewer" if sites["price"].min() == sites["price"].max() else "goal_cheaper", lang)]
