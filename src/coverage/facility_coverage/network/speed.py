"""How long each segment of a way takes, in either direction.

On foot, slope changes the speed by the shape of the function of Tobler (1993), "Three presentations on geographical
analysis and modeling", NCGIA technical report 93-1. By car, each class of road has its speed, and `maxspeed` lowers it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from facility_coverage.config.profile import Profile
from facility_coverage.layers.model import Floats, Ints, Roads
from facility_coverage.network.access import FERRY, Bools, open_ways

STEEPEST = 1.0
"""Grades beyond this (45°) count as this: Tobler's function comes from trails, and so no time grows without end."""

FASTEST_FERRY_KMH = 75.0
"""A `duration` that would take a faster ferry (40 knots) is a slip of the pen and not used."""

_STEPS = "steps"
_ROUNDING = 1e-9  # of a grade computed from metres: one exactly as steep as allowed stays open
_KMH = {"": 1.0, "km/h": 1.0, "kmh": 1.0, "kph": 1.0, "mph": 1.609344, "knots": 1.852}
_SECONDS = {"": 60.0, "min": 60.0, "minutes": 60.0, "h": 3600.0, "hours": 3600.0}
_WITHOUT_FIGURE = frozenset({"none", "signals", "variable"})
_FIGURE = re.compile(r"(\d+(?:\.\d+)?) ?([a-z/]*)")
_ZONE = re.compile(r"[a-z]{2}(?:-[a-z]+)?:zone:?(\d+)")
_CLOCK = re.compile(r"(\d+):([0-5]\d)(?::([0-5]\d))?")
_ISO = re.compile(r"p(?:(\d+)d)?(?:t(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?)?")


@dataclass(frozen=True)
class SegmentTimes:
    """Seconds of each straight segment, in either direction.

    Attributes
    ----------
    forward_s, backward_s
        Entry `v` is the segment from vertex `v` to ``v + 1`` of the same way, travelled that way and back; inf where
        the profile may not, and at the last vertex of each way; shape (vertices,).
    report
        What was closed, not known or not understood on ways open to the profile, name → figure. On foot with terrain:
        `unknown_elevation_km` (walked at level speed), `too_steep_km` (closed by `max_grade`), `beyond_45_degrees_km`
        (taken for 45°). By car: `maxspeed_unread_ways`. With ferries: `duration_unread_ways`. Unread tags are not used.
    """

    forward_s: Floats
    backward_s: Floats
    report: dict[str, float] = field(default_factory=dict)


def segment_times(roads: Roads, profile: Profile) -> SegmentTimes:
    """Return the time of every segment for a profile; lengths are those on the map.

    Parameters
    ----------
    roads
        Ways of the study.
    profile
        Who travels.

    Examples
    --------
    One metre per second along a way of 30 m that rises by 1 m on its first 10 m:

    >>> roads = Roads(
    ...     xy=np.array([[0.0, 0.0], [10.0, 0.0], [30.0, 0.0]]), node=np.arange(3), start=np.array([0, 3]),
    ...     tags=pd.DataFrame({"highway": ["path"]}), elevation_m=np.array([100.0, 101.0, 101.0]))
    >>> times = segment_times(roads, Profile(name="walker", level_speed_kmh=3.6, source="an example"))
    >>> times.forward_s.round(2).tolist(), times.backward_s.round(2).tolist()
    ([14.19, 20.0, inf], [10.0, 20.0, inf])
    """
    way = np.repeat(np.arange(len(roads.tags)), np.diff(roads.start))
    inside = way == np.append(way[1:], -1)
    length_m = _lengths(roads, inside)
    ahead, back = open_ways(roads.tags, profile)
    report: dict[str, float] = {}
    way_m = np.bincount(way, length_m, len(roads.tags)).astype(np.float64)
    speed_ms = _way_speeds(roads, profile, way_m, ahead | back, report)[way]
    forward, backward = ahead[way] & inside, back[way] & inside
    pace_ahead = pace_back = np.ones(1)
    if profile.mode == "foot" and roads.elevation_m is not None:
        on_ground = ~roads.tags["highway"].isin({_STEPS, FERRY}).to_numpy(dtype=np.bool_)
        grade = np.where(on_ground[way] & forward, _grades(roads.elevation_m, length_m), 0.0)
        closed = _too_steep(grade, profile)
        _report_ground(grade, closed, length_m, profile, report)
        forward, backward = forward & ~closed, backward & ~closed
        if profile.slope == "tobler":
            pace_ahead, pace_back = tobler_factor(grade), tobler_factor(-grade)
    return SegmentTimes(
        np.where(forward, length_m / (speed_ms * pace_ahead), np.inf),
        np.where(backward, length_m / (speed_ms * pace_back), np.inf),
        report,
    )


def fastest_ms(profile: Profile) -> float:
    """Return a speed that a profile never exceeds anywhere, in metres per second.

    Examples
    --------
    On foot that is the best of Tobler's function, on a gentle way down:

    >>> round(3.6 * fastest_ms(Profile(name="walker", level_speed_kmh=5, source="an example")), 2)
    5.96
    """
    speeds_kmh = [3.6 * profile.access_speed_ms, *(profile.speeds_kmh or {}).values()]
    if profile.mode == "foot":
        downhill = float(tobler_factor(np.array(-0.05))) if profile.slope == "tobler" else 1.0
        speeds_kmh += [3.6 * profile.level_speed_ms * downhill, profile.stairs_speed_kmh or 0.0]
    if profile.ferry_speed_kmh is not None:
        speeds_kmh += [profile.ferry_speed_kmh, FASTEST_FERRY_KMH]
    return max(speeds_kmh) / 3.6


def tobler_factor(grade: Floats) -> Floats:
    """Return the speed on a grade as a multiple of the speed on level ground.

    Parameters
    ----------
    grade
        Rise over run in the direction walked, any shape; NaN, where it is not known, counts as level.

    Notes
    -----
    Tobler's walker does ``6 exp(-3.5 |g + 0.05|)`` km/h, that is 5.04 km/h on level ground; divided by that, the
    function is ``exp(-3.5 (|g + 0.05| - 0.05))``. Grades beyond `STEEPEST` count as `STEEPEST`.

    Examples
    --------
    >>> tobler_factor(np.array([0.0, 0.1, -0.1, -0.05])).round(3).tolist()
    [1.0, 0.705, 1.0, 1.191]
    """
    known = np.clip(np.nan_to_num(grade, nan=0.0), -STEEPEST, STEEPEST)
    return np.exp(-3.5 * (np.abs(known + 0.05) - 0.05))


def speed_limit_kmh(text: str, *, walking_kmh: float) -> float:
    """Return what a `maxspeed` tag allows: inf for no limit or a variable one, NaN where it cannot be read.

    Parameters
    ----------
    text
        A figure, in km/h or with its unit; a zone (``DE:zone30``); ``walk``, ``none``, ``signals``, ``variable``; or
        several of these, of which the lowest holds. Zones without a figure (``CN:urban``) are not read.
    walking_kmh
        What ``walk`` stands for.

    Examples
    --------
    >>> [speed_limit_kmh(text, walking_kmh=5) for text in ("50", "30 mph", "80;60", "walk", "none", "CN:urban")]
    [50.0, 48.28032, 60.0, 5.0, inf, nan]
    """
    parts = [part.strip() for part in re.split("[;|]", text.lower())]
    limits = [_one_limit_kmh(part, walking_kmh) for part in parts]
    return float(np.min(limits))  # NaN where any part is


def duration_s(text: str) -> float:
    """Return the seconds of a `duration` tag, NaN where it cannot be read.

    Examples
    --------
    Hours and minutes, minutes alone, or ISO 8601:

    >>> [duration_s(text) for text in ("01:30", "0:05:30", "20", "20 min", "PT1H30M", "soon")]
    [5400.0, 330.0, 1200.0, 1200.0, 5400.0, nan]
    """
    text = text.strip().lower()
    if match := _CLOCK.fullmatch(text):
        seconds = float(np.dot([int(part or 0) for part in match.groups()], [3600, 60, 1]))
    elif (match := _FIGURE.fullmatch(text)) and match[2] in _SECONDS:
        seconds = float(match[1]) * _SECONDS[match[2]]
    elif match := _ISO.fullmatch(text):
        seconds = float(np.dot([int(part or 0) for part in match.groups()], [86_400, 3600, 60, 1]))
    else:
        return float("nan")
    return seconds if seconds > 0 else float("nan")


def _one_limit_kmh(text: str, walking_kmh: float) -> float:
    if text in _WITHOUT_FIGURE:
        return float("inf")
    if text == "walk":
        return walking_kmh
    if (match := _FIGURE.fullmatch(text)) and match[2] in _KMH:
        limit = float(match[1]) * _KMH[match[2]]
    elif match := _ZONE.fullmatch(text):
        limit = float(match[1])
    else:
        return float("nan")
    return limit if limit > 0 else float("nan")


def _lengths(roads: Roads, inside: Bools) -> Floats:
    """Return the metres from each vertex to the next of its way, 0 at the last one."""
    step = np.zeros(len(roads.xy))
    step[:-1] = np.hypot(*(roads.xy[1:] - roads.xy[:-1]).T)
    return np.where(inside, step, 0.0)


def _grades(elevation_m: Floats, length_m: Floats) -> Floats:
    """Return the rise over run from each vertex to the next; 0 where they are one place, NaN where not known."""
    rise = np.append(elevation_m[1:] - elevation_m[:-1], 0.0)
    grade = np.zeros(len(rise))
    np.divide(rise, length_m, out=grade, where=length_m > 0)
    return grade


def _too_steep(grade: Floats, profile: Profile) -> Bools:
    return np.abs(grade) > (np.inf if profile.max_grade is None else profile.max_grade + _ROUNDING)


def _report_ground(grade: Floats, closed: Bools, length_m: Floats, profile: Profile, report: dict[str, float]) -> None:
    """Add what the ground closed or did not say, in kilometres."""
    if profile.slope == "tobler" or profile.max_grade is not None:
        report["unknown_elevation_km"] = float(length_m[np.isnan(grade)].sum()) / 1000
    if profile.max_grade is not None:
        report["too_steep_km"] = float(length_m[closed].sum()) / 1000
    if profile.slope == "tobler":
        report["beyond_45_degrees_km"] = float(length_m[(np.abs(grade) > STEEPEST) & ~closed].sum()) / 1000


def _way_speeds(roads: Roads, profile: Profile, way_m: Floats, usable: Bools, report: dict[str, float]) -> Floats:
    """Return the speed along each way on level ground, metres per second; any figure on ways that are not usable."""
    highway = roads.tags["highway"]
    if profile.speeds_kmh is not None:
        kmh = highway.map(profile.speeds_kmh).to_numpy(dtype=np.float64, na_value=1.0)
        limit = _figures(
            roads.tags, "maxspeed", lambda t: speed_limit_kmh(t, walking_kmh=3.6 * profile.access_speed_ms)
        )
        report["maxspeed_unread_ways"] = float((np.isnan(limit.value) & limit.given & usable).sum())
        speed_ms = np.fmin(kmh, limit.value) / 3.6
    else:
        speed_ms = np.full(len(highway), profile.level_speed_ms)
        if profile.stairs_speed_kmh is not None:
            speed_ms[(highway == _STEPS).to_numpy(dtype=np.bool_)] = profile.stairs_speed_kmh / 3.6
    if profile.ferry_speed_kmh is not None:
        ferry = (highway == FERRY).to_numpy(dtype=np.bool_)
        timed = _figures(roads.tags, "duration", duration_s)
        by_duration = way_m / timed.value
        used = (by_duration > 0) & (by_duration <= FASTEST_FERRY_KMH / 3.6)
        report["duration_unread_ways"] = float((ferry & usable & timed.given & ~used).sum())
        speed_ms[ferry] = np.where(used, by_duration, profile.ferry_speed_kmh / 3.6)[ferry]
    return speed_ms


@dataclass(frozen=True)
class _Figures:
    """Figures read from a column of tags: NaN where there is none or it cannot be read, and where one is given."""

    value: Floats
    given: Bools


def _figures(tags: pd.DataFrame, key: str, read: Callable[[str], float]) -> _Figures:
    """Read a column of tags, each different text once."""
    if key not in tags.columns:
        return _Figures(np.full(len(tags), np.nan), np.zeros(len(tags), dtype=np.bool_))
    code, texts = pd.factorize(tags[key])
    code_of: Ints = code.astype(np.int64)
    return _Figures(np.array([*map(read, texts), np.nan])[code_of], code_of >= 0)
