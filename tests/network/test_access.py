from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility_coverage.config.profile import HighwayClass, Profile
from facility_coverage.config.reading import builtin_profiles
from facility_coverage.layers.model import TAGS
from facility_coverage.network import access
from facility_coverage.network.access import open_ways, walkable

CLASSES = get_args(HighwayClass)


def frame(*ways: dict[str, str | None]) -> pd.DataFrame:
    """Ways with every column of `TAGS`."""
    return pd.DataFrame([{tag: way.get(tag) for tag in TAGS} for way in ways], columns=list(TAGS), dtype=object)


def walker(**options: object) -> Profile:
    return Profile.model_validate({"name": "walker", "level_speed_kmh": 5, "source": "made up", **options})


def driver(**options: object) -> Profile:
    given = {"name": "driver", "mode": "car", "source": "made up", "access_speed_kmh": 5}
    return Profile.model_validate({**given, "speeds_kmh": dict.fromkeys(CLASSES, 30), **options})


def on(profile: Profile, **tags: str) -> tuple[bool, bool]:
    """Whether one way is open as drawn, and against it."""
    forward, backward = open_ways(frame(tags), profile)
    assert forward.dtype == backward.dtype == np.bool_
    return bool(forward[0]), bool(backward[0])


BOTH, NEITHER, AHEAD, BACK = (True, True), (False, False), (True, False), (False, True)


# Read from the OpenStreetMap wiki (Key:access, Key:foot, Key:highway): highway, foot, access → may one walk along it?
RULES = [
    ("residential", None, None, True),
    ("primary", None, None, True),
    ("footway", None, None, True),
    ("path", None, None, True),
    ("pedestrian", None, None, True),
    ("steps", None, None, True),
    ("track", None, None, True),
    ("living_street", None, None, True),
    ("motorway", None, None, False),
    ("motorway_link", None, None, False),
    ("motorway", "yes", None, True),
    ("busway", None, None, False),
    ("construction", None, None, False),
    ("construction", "yes", None, False),
    ("proposed", "designated", None, False),
    ("rest_area", None, None, False),
    ("residential", "no", None, False),
    ("residential", "private", None, False),
    ("primary", "use_sidepath", None, False),
    ("service", None, "private", False),
    ("service", None, "no", False),
    ("service", None, "destination", True),
    ("service", None, "customers", True),
    ("service", None, "permissive", True),
    ("service", "yes", "private", True),
    ("service", "designated", "no", True),
    ("service", "no", "yes", False),
    ("track", None, "forestry", False),
    ("path", "discouraged", None, True),
    ("motorway", "discouraged", None, False),
    ("via_ferrata", None, None, False),
    (None, "yes", None, False),
]


@pytest.mark.parametrize(("highway", "foot", "access", "allowed"), RULES)
def test_the_most_specific_tag_wins(highway: str | None, foot: str | None, access: str | None, allowed: bool) -> None:
    tags = pd.DataFrame({"highway": [highway], "foot": [foot], "access": [access], "motorroad": None}, dtype=object)
    assert walkable(tags).tolist() == [allowed]


def test_stairs_are_forbidden_to_those_who_cannot_climb_them_whatever_foot_says() -> None:
    tags = pd.DataFrame({"highway": ["steps", "steps", "footway"], "foot": [None, "yes", None]}, dtype=object)
    tags = tags.assign(access=None, motorroad=None)
    assert walkable(tags, stairs=False).tolist() == [False, False, True]


def test_a_road_for_motors_is_closed_unless_foot_opens_it() -> None:
    ways = {"highway": ["trunk", "trunk", "primary"], "foot": [None, "yes", None], "access": None, "motorroad": "yes"}
    assert walkable(pd.DataFrame(ways, dtype=object)).tolist() == [False, True, True]


def test_a_frame_without_the_rarer_columns_is_read_as_if_they_were_empty() -> None:
    ways = pd.DataFrame({"highway": ["residential", "steps", "motorway"]}, dtype=object)
    assert walkable(ways).tolist() == [True, True, False]
    wheels = builtin_profiles()["wheelchair"]
    assert [way.tolist() for way in open_ways(ways, wheels)] == [[True, False, False]] * 2
    assert [way.tolist() for way in open_ways(ways, driver())] == [[True, False, True], [True, False, False]]


@pytest.mark.parametrize(("highway", "foot", "access", "allowed"), RULES)
def test_a_walker_without_options_goes_where_anybody_may(highway, foot, access, allowed) -> None:
    tags = {"highway": highway, "foot": foot, "access": access}
    assert on(walker(), **tags) == (allowed, allowed)
    # one-way streets are for vehicles
    assert on(walker(), **tags, oneway="yes") == (allowed, allowed)


# What each option of `ways` changes on foot: options, tags, open before, open with the option.
FOOT_OPTIONS = [
    # private: allowed
    ({"private": "allowed"}, {"highway": "service", "access": "private"}, False, True),
    ({"private": "allowed"}, {"highway": "service", "access": "no"}, False, True),
    ({"private": "allowed"}, {"highway": "track", "access": "forestry"}, False, True),
    ({"private": "allowed"}, {"highway": "residential", "foot": "private"}, False, True),
    ({"private": "allowed"}, {"highway": "residential", "foot": "no"}, False, False),
    ({"private": "allowed"}, {"highway": "primary", "foot": "use_sidepath"}, False, False),
    ({"private": "allowed"}, {"highway": "motorway", "access": "private"}, False, False),
    # motorway
    ({"motorway": "allowed"}, {"highway": "motorway"}, False, True),
    ({"motorway": "allowed"}, {"highway": "motorway_link"}, False, True),
    ({"motorway": "allowed"}, {"highway": "trunk", "motorroad": "yes"}, False, True),
    ({"motorway": "allowed"}, {"highway": "motorway", "foot": "no"}, False, False),
    ({"motorway": "allowed"}, {"highway": "busway"}, False, False),
    ({"motorway": "forbidden"}, {"highway": "motorway", "foot": "yes"}, True, False),
    ({"motorway": "forbidden"}, {"highway": "trunk", "motorroad": "yes", "foot": "yes"}, True, False),
    ({"motorway": "forbidden"}, {"highway": "primary", "motorroad": "yes"}, True, True),
    # without_sidewalk: forbidden
    ({"without_sidewalk": "forbidden"}, {"highway": "primary", "sidewalk": "no"}, True, False),
    ({"without_sidewalk": "forbidden"}, {"highway": "secondary_link", "sidewalk": "none"}, True, False),
    ({"without_sidewalk": "forbidden"}, {"highway": "trunk", "sidewalk": "no", "foot": "yes"}, True, False),
    ({"without_sidewalk": "forbidden"}, {"highway": "primary", "sidewalk": "left"}, True, True),
    ({"without_sidewalk": "forbidden"}, {"highway": "primary", "sidewalk": "separate"}, True, True),
    ({"without_sidewalk": "forbidden"}, {"highway": "primary"}, True, True),
    ({"without_sidewalk": "forbidden"}, {"highway": "tertiary", "sidewalk": "no"}, True, True),
    # not_for_wheelchairs: forbidden
    ({"not_for_wheelchairs": "forbidden"}, {"highway": "footway", "wheelchair": "no"}, True, False),
    ({"not_for_wheelchairs": "forbidden"}, {"highway": "footway", "wheelchair": "no", "foot": "yes"}, True, False),
    ({"not_for_wheelchairs": "forbidden"}, {"highway": "footway", "wheelchair": "limited"}, True, True),
    ({"not_for_wheelchairs": "forbidden"}, {"highway": "footway"}, True, True),
]


@pytest.mark.parametrize(("ways", "tags", "before", "after"), FOOT_OPTIONS)
def test_options_on_foot(ways: dict[str, str], tags: dict[str, str], before: bool, after: bool) -> None:
    assert on(walker(), **tags) == (before, before)
    assert on(walker(ways=ways), **tags) == (after, after)


# Read from the OpenStreetMap wiki: tags → may one drive as drawn, and against it?
CAR_RULES = [
    ({"highway": "residential"}, BOTH),
    ({"highway": "construction"}, NEITHER),
    ({"highway": "steps"}, NEITHER),
    ({"highway": "steps", "motor_vehicle": "yes"}, NEITHER),
    ({}, NEITHER),
    # the more specific key wins
    ({"highway": "residential", "access": "no"}, NEITHER),
    ({"highway": "residential", "access": "private"}, NEITHER),
    ({"highway": "residential", "vehicle": "no"}, NEITHER),
    ({"highway": "residential", "access": "no", "vehicle": "yes"}, BOTH),
    ({"highway": "residential", "vehicle": "no", "motor_vehicle": "yes"}, BOTH),
    ({"highway": "residential", "vehicle": "yes", "motor_vehicle": "no"}, NEITHER),
    ({"highway": "residential", "motor_vehicle": "no", "motorcar": "yes"}, BOTH),
    ({"highway": "residential", "motor_vehicle": "yes", "motorcar": "no"}, NEITHER),
    ({"highway": "residential", "foot": "no"}, BOTH),
    # values
    ({"highway": "service", "access": "destination"}, BOTH),
    ({"highway": "service", "access": "customers"}, BOTH),
    ({"highway": "service", "motor_vehicle": "permit"}, BOTH),
    ({"highway": "service", "motor_vehicle": "delivery"}, NEITHER),
    ({"highway": "service", "access": "emergency"}, NEITHER),
    ({"highway": "service", "access": "psv"}, NEITHER),
    ({"highway": "track", "motor_vehicle": "agricultural;forestry"}, NEITHER),
    ({"highway": "track", "motor_vehicle": "agricultural; destination"}, BOTH),
    ({"highway": "service", "motor_vehicle": "discouraged"}, BOTH),
    # not for cars unless a tag says so
    ({"highway": "pedestrian"}, NEITHER),
    ({"highway": "pedestrian", "access": "yes"}, NEITHER),
    ({"highway": "pedestrian", "motor_vehicle": "destination"}, BOTH),
    ({"highway": "footway", "motor_vehicle": "unknown"}, NEITHER),
    ({"highway": "path", "motorcar": "yes"}, BOTH),
    ({"highway": "busway", "motor_vehicle": "no"}, NEITHER),
    # direction
    ({"highway": "primary", "oneway": "yes"}, AHEAD),
    ({"highway": "primary", "oneway": "true"}, AHEAD),
    ({"highway": "primary", "oneway": "1"}, AHEAD),
    ({"highway": "primary", "oneway": "-1"}, BACK),
    ({"highway": "primary", "oneway": "reverse"}, BACK),
    ({"highway": "primary", "oneway": "no"}, BOTH),
    ({"highway": "primary", "oneway": "alternating"}, BOTH),
    ({"highway": "primary", "oneway": "reversible"}, NEITHER),
    ({"highway": "primary", "oneway": "who knows"}, BOTH),
    ({"highway": "primary", "junction": "roundabout"}, AHEAD),
    ({"highway": "primary", "junction": "circular"}, AHEAD),
    ({"highway": "primary", "junction": "roundabout", "oneway": "no"}, BOTH),
    ({"highway": "primary", "junction": "roundabout", "oneway": "-1"}, BACK),
    ({"highway": "primary", "junction": "jughandle"}, BOTH),
    ({"highway": "motorway"}, AHEAD),
    ({"highway": "motorway", "oneway": "no"}, BOTH),
    ({"highway": "motorway_link"}, BOTH),
    ({"highway": "trunk", "motorroad": "yes"}, BOTH),
    ({"highway": "residential", "oneway": "yes", "motor_vehicle": "no"}, NEITHER),
]


@pytest.mark.parametrize(("tags", "expected"), CAR_RULES)
def test_rules_by_car(tags: dict[str, str], expected: tuple[bool, bool]) -> None:
    assert on(driver(), **tags) == expected


def test_a_car_keeps_to_the_classes_it_has_a_speed_for() -> None:
    main_roads = driver(speeds_kmh={"primary": 50, "primary_link": 25})
    assert [on(main_roads, highway=kind) for kind in ("primary", "primary_link", "secondary")] == [BOTH, BOTH, NEITHER]
    assert on(main_roads, highway="secondary", motorcar="yes") == NEITHER


CAR_OPTIONS = [
    ({"private": "allowed"}, {"highway": "service", "access": "private"}, NEITHER, BOTH),
    ({"private": "allowed"}, {"highway": "service", "access": "no"}, NEITHER, BOTH),
    ({"private": "allowed"}, {"highway": "service", "motor_vehicle": "private"}, NEITHER, BOTH),
    ({"private": "allowed"}, {"highway": "service", "motor_vehicle": "agricultural;forestry"}, NEITHER, BOTH),
    ({"private": "allowed"}, {"highway": "service", "motor_vehicle": "delivery"}, NEITHER, BOTH),
    ({"private": "allowed"}, {"highway": "service", "motor_vehicle": "no"}, NEITHER, NEITHER),
    ({"private": "allowed"}, {"highway": "service", "access": "psv"}, NEITHER, NEITHER),
    ({"private": "allowed"}, {"highway": "service", "access": "private", "oneway": "yes"}, NEITHER, AHEAD),
    ({"private": "allowed"}, {"highway": "pedestrian", "access": "private"}, NEITHER, NEITHER),
    ({"private": "allowed"}, {"highway": "pedestrian", "motor_vehicle": "private"}, NEITHER, NEITHER),
    ({"motorway": "forbidden"}, {"highway": "motorway"}, AHEAD, NEITHER),
    ({"motorway": "forbidden"}, {"highway": "motorway_link", "motorcar": "yes"}, BOTH, NEITHER),
    ({"motorway": "forbidden"}, {"highway": "trunk", "motorroad": "yes"}, BOTH, NEITHER),
    ({"motorway": "forbidden"}, {"highway": "trunk"}, BOTH, BOTH),
    ({"motorway": "allowed"}, {"highway": "motorway"}, AHEAD, AHEAD),
    ({"emergency": "allowed"}, {"highway": "service", "access": "no", "emergency": "yes"}, NEITHER, BOTH),
    ({"emergency": "allowed"}, {"highway": "service", "motor_vehicle": "no", "emergency": "designated"}, NEITHER, BOTH),
    ({"emergency": "allowed"}, {"highway": "service", "access": "emergency"}, NEITHER, BOTH),
    ({"emergency": "allowed"}, {"highway": "pedestrian", "emergency": "yes"}, NEITHER, BOTH),
    ({"emergency": "allowed"}, {"highway": "pedestrian"}, NEITHER, NEITHER),
    ({"emergency": "allowed"}, {"highway": "residential", "emergency": "no"}, BOTH, NEITHER),
    ({"emergency": "allowed"}, {"highway": "steps", "emergency": "yes"}, NEITHER, NEITHER),
    ({"emergency": "allowed"}, {"highway": "primary", "oneway": "yes", "emergency": "yes"}, AHEAD, AHEAD),
]


@pytest.mark.parametrize(("ways", "tags", "before", "after"), CAR_OPTIONS)
def test_options_by_car(ways, tags, before, after) -> None:
    assert on(driver(), **tags) == before
    assert on(driver(ways=ways), **tags) == after


# A ferry is open only to a profile with a ferry speed: tags → on foot, by car.
FERRIES = [
    ({}, BOTH, NEITHER),
    ({"foot": "yes"}, BOTH, NEITHER),
    ({"foot": "no"}, NEITHER, NEITHER),
    ({"access": "private"}, NEITHER, NEITHER),
    ({"motor_vehicle": "yes"}, BOTH, BOTH),
    ({"motorcar": "yes", "foot": "no"}, NEITHER, BOTH),
    ({"motor_vehicle": "no"}, BOTH, NEITHER),
    ({"vehicle": "yes", "oneway": "yes"}, BOTH, AHEAD),
]


@pytest.mark.parametrize(("tags", "on_foot", "by_car"), FERRIES)
def test_ferries(tags, on_foot, by_car) -> None:
    assert on(walker(), highway="ferry", **tags) == NEITHER
    assert on(driver(), highway="ferry", **tags) == NEITHER
    assert on(walker(ferry_speed_kmh=10), highway="ferry", **tags) == on_foot
    assert on(driver(ferry_speed_kmh=10), highway="ferry", **tags) == by_car


def test_the_class_list_of_the_configuration_ends_with_those_not_meant_for_cars() -> None:
    assert set(CLASSES[CLASSES.index("road") + 1 :]) == access.NOT_BY_CAR
    assert not set(CLASSES) & access.NOT_A_WAY


def test_the_ambulance_goes_where_a_car_goes_and_further() -> None:
    profiles = builtin_profiles()
    yard = {"highway": "service", "access": "private"}
    assert on(profiles["car"], **yard) == NEITHER
    assert on(profiles["ambulance"], **yard) == BOTH


VALUES = ["yes", "no", "private", "destination", "agricultural;forestry", "emergency", "permissive", "unheard of", None]
ANY_WAY = st.fixed_dictionaries(
    {
        "highway": st.sampled_from([*CLASSES, "steps", "construction", "ferry", "unheard_of", None]),
        **{
            key: st.sampled_from(VALUES)
            for key in ("access", "foot", "vehicle", "motor_vehicle", "motorcar", "emergency")
        },
        "oneway": st.sampled_from(["yes", "no", "-1", "reversible", "nonsense", None]),
        "sidewalk": st.sampled_from(["no", "both", None]),
        "wheelchair": st.sampled_from(["no", "yes", None]),
        "motorroad": st.sampled_from(["yes", None]),
        "junction": st.sampled_from(["roundabout", None]),
    }
)
STRICTER_ON_FOOT = [
    {"stairs": "forbidden"},
    {"ways": {"motorway": "forbidden"}},
    {"ways": {"without_sidewalk": "forbidden"}},
    {"ways": {"not_for_wheelchairs": "forbidden"}},
]


@given(st.lists(ANY_WAY, min_size=1, max_size=20), st.sampled_from(STRICTER_ON_FOOT))
def test_what_forbids_never_opens_and_what_allows_never_closes(ways, stricter) -> None:
    tags = frame(*ways)
    plain, _ = open_ways(tags, walker())
    assert (open_ways(tags, walker(**stricter))[0] <= plain).all()
    for more in ({"ways": {"private": "allowed"}}, {"ways": {"motorway": "allowed"}}, {"ferry_speed_kmh": 10}):
        assert (open_ways(tags, walker(**more))[0] >= plain).all()
    np.testing.assert_array_equal(walkable(tags), plain)
    np.testing.assert_array_equal(walkable(tags, stairs=False), open_ways(tags, walker(stairs="forbidden"))[0])


@given(st.lists(ANY_WAY, min_size=1, max_size=5))
def test_a_way_does_not_depend_on_its_neighbours_nor_on_the_index(ways) -> None:
    tags = frame(*ways)
    for profile in (walker(), driver(ways={"emergency": "allowed"}, ferry_speed_kmh=20)):
        alone = np.array([on(profile, **way) for way in ways]).T
        np.testing.assert_array_equal(open_ways(tags, profile), alone)
        np.testing.assert_array_equal(open_ways(tags.set_axis([7] * len(tags)), profile), alone)


def turned(way: dict[str, str | None]) -> dict[str, str | None]:
    """The same street drawn the other way round."""
    return {**way, "oneway": {"yes": "-1", "-1": "yes"}.get(str(way["oneway"]), way["oneway"])}


@given(st.lists(ANY_WAY.filter(lambda way: way["oneway"] in ("yes", "no", "-1", "reversible")), min_size=1, max_size=9))
def test_a_street_drawn_the_other_way_round_is_open_the_other_way_round(ways) -> None:
    forward, backward = open_ways(frame(*ways), driver())
    ahead, back = open_ways(frame(*map(turned, ways)), driver())
    np.testing.assert_array_equal((forward, backward), (back, ahead))
