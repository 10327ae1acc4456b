"""Which ways a traveller may use, and in which direction, by OpenStreetMap tags.

The rules follow the OpenStreetMap wiki, pages "Key:access", "Key:foot", "Key:motor_vehicle", "Key:oneway",
"Key:emergency" and "OSM tags for routing/Access restrictions": the most specific tag wins (`foot` over `access`;
`motorcar` over `motor_vehicle` over `vehicle` over `access`), and without any the class of the way decides. Where a
country's custom differs (trunk roads, say) a `foot` tag on the way settles it. The page "Access rules" of the
documentation states them in full.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from facility_coverage.config.profile import Profile

Bools = npt.NDArray[np.bool_]

#: Classes that are no way at all, or not yet, or no longer.
NOT_A_WAY = frozenset(
    {
        "abandoned", "construction", "demolished", "disused", "elevator", "no", "planned", "proposed",
        "razed", "rest_area", "services",
    }
)  # fmt: skip

#: The class under which ways with ``route=ferry`` are read.
FERRY = "ferry"

#: Classes that nobody may walk along unless `foot` says so: for motors only, or for climbers.
NOT_ON_FOOT = frozenset({"bus_guideway", "busway", "escape", "motorway", "motorway_link", "raceway", "via_ferrata"})

#: Classes that cars may use only where a tag says so.
NOT_BY_CAR = frozenset({"bridleway", "bus_guideway", "busway", "cycleway", "footway", "path", "pedestrian"})

MOTORWAY = frozenset({"motorway", "motorway_link"})

#: Classes that ``motorroad=yes`` closes. On lower ones the tag is a slip: a village street of the Comoros carries it.
MOTORROAD = frozenset({"trunk", "trunk_link"})

#: Classes that a profile may refuse where they have no pavement.
BUSY = frozenset({"trunk", "trunk_link", "primary", "primary_link", "secondary", "secondary_link"})

#: Values that open a way, of `foot` and of the keys for vehicles.
YES = frozenset({"yes", "designated", "permissive", "destination", "customers", "permit"})
FOOT_NO = frozenset({"no", "private", "use_sidepath"})
ACCESS_NO = frozenset({"no", "private", "military", "agricultural", "forestry"})

#: Values that keep a way for some people; ``ways.private: allowed`` passes over them.
RESERVED = frozenset({"private", "military", "agricultural", "forestry", "delivery", "residents"})

#: Values that keep a way for vehicles which are no cars.
FOR_OTHERS = frozenset({"bus", "emergency", "psv"})

EMERGENCY_YES = frozenset({"yes", "designated", "official"})
ROUNDABOUT = frozenset({"circular", "roundabout"})
ONE_WAY = {
    "yes": 1, "true": 1, "1": 1, "-1": -1, "reverse": -1, "no": 0, "false": 0, "0": 0, "alternating": 0,
    "reversible": None,
}  # fmt: skip


def open_ways(tags: pd.DataFrame, profile: Profile) -> tuple[Bools, Bools]:
    """Tell along which ways a profile may travel: as they are drawn, and against it.

    Parameters
    ----------
    tags
        One row per way with the columns of ``layers.model.TAGS`` (strings or None); a column that is not there
        counts as empty.
    profile
        Who travels.

    Returns
    -------
    forward, backward
        Booleans, each of shape (ways,).

    Examples
    --------
    >>> ways = pd.DataFrame({"highway": ["primary", "footway", "primary"], "oneway": ["yes", None, "-1"]})
    >>> walker = Profile(name="walker", level_speed_kmh=5, source="an example")
    >>> [way.tolist() for way in open_ways(ways, walker)]
    [[True, True, True], [True, True, True]]
    >>> driver = Profile(name="driver", mode="car", speeds_kmh={"primary": 50}, access_speed_kmh=5, source="an example")
    >>> [way.tolist() for way in open_ways(ways, driver)]
    [[True, False, False], [False, False, True]]
    """
    if profile.mode == "foot":
        allowed = _on_foot(tags, profile)
        return allowed, allowed.copy()
    allowed = _by_car(tags, profile)
    forward, backward = _directions(tags)
    return allowed & forward, allowed & backward


def walkable(tags: pd.DataFrame, *, stairs: bool = True) -> Bools:
    """Tell which ways anybody may walk along, in both directions.

    Parameters
    ----------
    tags
        As in `open_ways`.
    stairs
        Whether ``highway=steps`` may be used.

    Returns
    -------
    Booleans, shape (ways,).

    Examples
    --------
    >>> ways = pd.DataFrame({
    ...     "highway": ["residential", "motorway", "service", "service", "steps", "construction"],
    ...     "foot": [None, None, None, "yes", None, "yes"],
    ...     "access": [None, None, "private", "private", None, None],
    ...     "motorroad": None,
    ... })
    >>> walkable(ways).tolist()
    [True, False, False, True, True, False]
    >>> walkable(ways, stairs=False).tolist()
    [True, False, False, True, False, False]
    """
    return _on_foot(tags, _WALKER if stairs else _WALKER_WITHOUT_STAIRS)


_WALKER = Profile(name="walker", level_speed_kmh=1, source="no speed is used")
_WALKER_WITHOUT_STAIRS = Profile(name="walker", level_speed_kmh=1, stairs="forbidden", source="no speed is used")


def _on_foot(tags: pd.DataFrame, profile: Profile) -> Bools:
    highway, foot, access = (_column(tags, key) for key in ("highway", "foot", "access"))
    may_enter = profile.ways.private == "allowed"
    for_motors = highway.isin(NOT_ON_FOOT - (MOTORWAY if profile.ways.motorway == "allowed" else frozenset()))
    if profile.ways.motorway != "allowed":
        for_motors |= _motorroad(tags)
    by_default = ~for_motors & (may_enter | ~access.isin(ACCESS_NO))
    closed_by_foot = foot.isin(FOOT_NO - RESERVED if may_enter else FOOT_NO)
    allowed = foot.isin(YES) | (by_default & ~closed_by_foot)
    return (allowed & _is_way(highway, profile) & ~_refused_on_foot(tags, profile)).to_numpy(dtype=np.bool_)


def _refused_on_foot(tags: pd.DataFrame, profile: Profile) -> pd.Series:
    """Tell which ways a profile refuses whatever `foot` says."""
    highway, ways = _column(tags, "highway"), profile.ways
    refused = _refused_motorways(tags, profile)
    if profile.stairs == "forbidden":
        refused |= highway == "steps"
    if ways.not_for_wheelchairs == "forbidden":
        refused |= _column(tags, "wheelchair") == "no"
    if ways.without_sidewalk == "forbidden":
        refused |= highway.isin(BUSY) & _column(tags, "sidewalk").isin({"no", "none"})
    return refused


def _by_car(tags: pd.DataFrame, profile: Profile) -> Bools:
    highway = _column(tags, "highway")
    rule = _column(tags, "motorcar")
    for key in ("motor_vehicle", "vehicle"):
        rule = rule.where(rule.notna(), _column(tags, key))
    specific = rule.notna()
    rule = rule.where(specific, _column(tags, "access"))
    closed = _closed_to_cars(rule, profile)
    if profile.ways.private == "allowed":
        closed &= specific | (rule != "no")
    opened = specific & rule.isin(YES)
    allowed = opened | (~closed & ~highway.isin(NOT_BY_CAR | {FERRY}))
    if profile.ways.emergency == "allowed":
        emergency = _column(tags, "emergency")
        allowed = (allowed & (emergency != "no")) | emergency.isin(EMERGENCY_YES) | (rule == "emergency")
    return (allowed & _is_way(highway, profile) & ~_refused_motorways(tags, profile)).to_numpy(dtype=np.bool_)


def _closed_to_cars(rule: pd.Series, profile: Profile) -> pd.Series:
    """Tell which values close a way; a list (``agricultural;forestry``) does when all its parts do."""
    closing = ACCESS_NO | RESERVED | FOR_OTHERS
    if profile.ways.private == "allowed":
        closing -= RESERVED
    values = [value for value in rule.dropna().unique() if {part.strip() for part in value.split(";")} <= closing]
    return rule.isin(values)


def _directions(tags: pd.DataFrame) -> tuple[Bools, Bools]:
    """Tell which ways vehicles may follow as drawn, and against it, by `oneway` and what a class implies."""
    written = _column(tags, "oneway")
    implied = _column(tags, "junction").isin(ROUNDABOUT) | (_column(tags, "highway") == "motorway")
    unclear = (~written.isin(list(ONE_WAY))).to_numpy(dtype=np.bool_)
    said = {way: written.isin([value for value, sign in ONE_WAY.items() if sign == way]) for way in (1, 0, -1)}
    forward = (said[1] | said[0]).to_numpy(dtype=np.bool_) | unclear
    backward = (said[-1] | said[0]).to_numpy(dtype=np.bool_) | (unclear & ~implied.to_numpy(dtype=np.bool_))
    return forward, backward


def _is_way(highway: pd.Series, profile: Profile) -> pd.Series:
    """Tell which ways are of a class that the profile can travel on at all."""
    if profile.speeds_kmh is not None:
        usable = highway.isin(list(profile.speeds_kmh))
    else:
        usable = highway.notna() & ~highway.isin(NOT_A_WAY | {FERRY})
    return usable if profile.ferry_speed_kmh is None else usable | (highway == FERRY)


def _refused_motorways(tags: pd.DataFrame, profile: Profile) -> pd.Series:
    highway = _column(tags, "highway")
    if profile.ways.motorway != "forbidden":
        return pd.Series(data=False, index=tags.index)
    return highway.isin(MOTORWAY) | _motorroad(tags)


def _motorroad(tags: pd.DataFrame) -> pd.Series:
    return _column(tags, "highway").isin(MOTORROAD) & (_column(tags, "motorroad") == "yes")


def _column(tags: pd.DataFrame, key: str) -> pd.Series:
    """Return a column of tags, empty where the frame has none."""
    return tags[key] if key in tags.columns else pd.Series([None] * len(tags), index=tags.index, dtype="object")
