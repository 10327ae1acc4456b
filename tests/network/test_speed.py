from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import roads
from facility_coverage.config.profile import Profile
from facility_coverage.config.reading import builtin_profiles
from facility_coverage.layers.model import Roads
from facility_coverage.network.speed import (
    FASTEST_FERRY_KMH,
    duration_s,
    fastest_ms,
    segment_times,
    speed_limit_kmh,
    tobler_factor,
)

INF = math.inf
NAN = math.nan


def walker(**options: object) -> Profile:
    """One metre per second on level ground."""
    return Profile.model_validate({"name": "walker", "level_speed_kmh": 3.6, "source": "made up", **options})


def driver(**options: object) -> Profile:
    """Ten metres per second on streets, twenty on main roads."""
    given = {"name": "driver", "mode": "car", "source": "made up", "access_speed_kmh": 3.6}
    return Profile.model_validate({**given, "speeds_kmh": {"residential": 36, "primary": 72}, **options})


def line(*x: float, heights: list[float] | None = None, **tags: str) -> Roads:
    """One way along the x axis."""
    way = roads([(at, 0.0) for at in x], [list(range(len(x)))], **{key: [value] for key, value in tags.items()})
    return way if heights is None else replace(way, elevation_m=np.array(heights, dtype=np.float64))


def times(ways: Roads, profile: Profile) -> tuple[list[float], list[float]]:
    found = segment_times(ways, profile)
    assert found.forward_s.shape == found.backward_s.shape == (len(ways.xy),)
    return found.forward_s.tolist(), found.backward_s.tolist()


# --- on foot ---------------------------------------------------------------------------------------------------------


def test_a_hill_by_hand() -> None:
    # up 10 %, down 5 %, level, and on to a vertex of unknown height; 100 m each
    hill = line(0, 100, 200, 300, 400, heights=[50, 60, 55, 55, NAN])
    found = segment_times(hill, walker())
    up_10 = 100 * math.exp(3.5 * 0.10)  # |0.10 + 0.05| - 0.05 = 0.10
    down_10 = 100.0  # |-0.10 + 0.05| - 0.05 = 0
    down_5 = 100 * math.exp(-3.5 * 0.05)  # |-0.05 + 0.05| - 0.05 = -0.05
    up_5 = 100 * math.exp(3.5 * 0.05)
    assert found.forward_s == pytest.approx([up_10, down_5, 100, 100, INF], rel=1e-12)
    assert found.backward_s == pytest.approx([down_10, up_5, 100, 100, INF], rel=1e-12)
    assert found.forward_s[:2] == pytest.approx([141.907, 83.946], abs=0.001)
    assert found.report == {"unknown_elevation_km": 0.1, "beyond_45_degrees_km": 0.0}


def test_the_shape_is_that_of_the_published_function() -> None:
    # speeds of Tobler (1993) in km/h by slope in degrees, from tables of the function in handbooks, two decimals
    published = {-30: 0.95, -20: 2.00, -10: 3.86, -5: 5.26, 0: 5.04, 1: 4.74, 5: 3.71, 10: 2.72, 20: 1.41, 30: 0.67}
    grades = np.tan(np.radians(list(published)))
    level_kmh = 6 * math.exp(-3.5 * 0.05)
    np.testing.assert_allclose(level_kmh * tobler_factor(grades), list(published.values()), atol=0.0051)


@pytest.mark.parametrize(("grade", "expected_kmh"), [(0.05, 4.2281), (-0.05, 6.0), (0.1, 3.5493), (-0.1, 5.0367)])
def test_a_walker_as_fast_as_toblers_walks_as_toblers_does(grade: float, expected_kmh: float) -> None:
    assert 6 * math.exp(-3.5 * abs(grade + 0.05)) == pytest.approx(expected_kmh, abs=1e-4)
    hill = line(0, 1000, heights=[0, 1000 * grade])
    ahead, _ = times(hill, walker(level_speed_kmh=6 * math.exp(-0.175)))
    assert 3600 / ahead[0] == pytest.approx(expected_kmh, abs=1e-4)


def test_no_slope_by_choice_or_for_want_of_terrain_is_level_ground() -> None:
    hill = line(0, 100, 200, heights=[0, 30, NAN])
    level = ([100.0, 100.0, INF], [100.0, 100.0, INF])
    assert times(hill, walker(slope="none")) == level
    assert segment_times(hill, walker(slope="none")).report == {}
    assert times(replace(hill, elevation_m=None), walker()) == level
    assert segment_times(replace(hill, elevation_m=None), walker(max_grade=0.1)).report == {}


def test_too_steep_ways_are_closed_both_ways_and_exactly_as_steep_ones_are_not() -> None:
    # 1:12, a hair more, 1:12 down, unknown; computed from heights far above the sea
    ways = line(0, 12, 24, 36, 48, heights=[3000.3, 3001.3, 3002.3001, 3001.3001, NAN])
    found = segment_times(ways, walker(max_grade=1 / 12, slope="none"))
    assert found.forward_s.tolist() == [12, INF, 12, 12, INF]
    assert found.backward_s.tolist() == [12, INF, 12, 12, INF]
    assert found.report == {"unknown_elevation_km": 0.012, "too_steep_km": 0.012}


def test_the_wheelchair_may_use_a_ramp_of_one_in_twelve() -> None:
    wheels = builtin_profiles()["wheelchair"]
    ahead, back = times(line(0, 12, 24, heights=[100, 101, 102.1]), wheels)
    assert np.isfinite([ahead[0], back[0]]).all()
    assert (ahead[1], back[1]) == (INF, INF)


def test_steps_have_their_own_speed_and_no_slope() -> None:
    stairs = line(0, 10, 20, heights=[0, 6, NAN], highway="steps")
    assert times(stairs, walker(stairs_speed_kmh=1.8)) == ([20, 20, INF], [20, 20, INF])
    assert times(stairs, walker(stairs_speed_kmh=1.8, max_grade=0.1)) == ([20, 20, INF], [20, 20, INF])
    assert times(stairs, walker()) == ([10, 10, INF], [10, 10, INF])
    assert times(stairs, walker(stairs="forbidden")) == ([INF] * 3, [INF] * 3)
    assert segment_times(stairs, walker()).report["unknown_elevation_km"] == 0
    # other ways keep the level speed
    assert times(line(0, 10), walker(stairs_speed_kmh=1.8)) == ([10, INF], [10, INF])


def test_two_vertices_at_one_place_take_no_time_and_have_no_grade() -> None:
    double = line(0, 50, 50, 100, heights=[0, 0, 9, 9])
    assert times(double, walker(max_grade=0.05)) == ([50, 0, 50, INF], [50, 0, 50, INF])


def test_a_cliff_counts_as_45_degrees_and_is_reported() -> None:
    cliff = line(0, 1, 2, heights=[0, 900, 900])
    found = segment_times(cliff, walker())
    assert found.forward_s[0] == pytest.approx(math.exp(3.5))
    assert found.backward_s[0] == pytest.approx(math.exp(3.5 * 0.9))
    assert found.report["beyond_45_degrees_km"] == 0.001
    closed = segment_times(cliff, walker(max_grade=0.5)).report
    assert closed == {"unknown_elevation_km": 0, "too_steep_km": 0.001, "beyond_45_degrees_km": 0}


def test_ways_that_are_closed_have_no_time_and_are_not_reported() -> None:
    closed = line(0, 100, heights=[0, NAN], highway="motorway")
    found = segment_times(closed, walker())
    assert (found.forward_s.tolist(), found.backward_s.tolist()) == ([INF, INF], [INF, INF])
    assert found.report == {"unknown_elevation_km": 0.0, "beyond_45_degrees_km": 0.0}


def test_lengths_are_those_on_the_map() -> None:
    bent = roads([(0, 0), (30, 40), (30, 100)], [[0, 1, 2], [2, 0]])
    ahead, back = times(bent, walker())
    assert ahead == [50, 60, INF, pytest.approx(math.hypot(30, 100)), INF]
    assert back == ahead


def test_no_ways_take_no_time() -> None:
    none = Roads(np.empty((0, 2)), np.empty(0, dtype=np.int64), np.zeros(1, dtype=np.int64), line(0, 1).tags.iloc[:0])
    for profile in (walker(), driver(ferry_speed_kmh=10)):
        assert times(none, profile) == ([], [])


# --- ferries ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", [walker(ferry_speed_kmh=18), driver(ferry_speed_kmh=18)])
def test_a_ferry_goes_by_its_duration_or_its_speed(profile: Profile) -> None:
    def ferry(**tags: str) -> Roads:
        return line(0, 1000, 4000, heights=[0, 500, NAN], highway="ferry", motor_vehicle="yes", foot="yes", **tags)

    assert times(ferry(), profile) == ([200, 600, INF], [200, 600, INF])
    # 20 minutes for 4 km: 300 s for the first quarter
    assert times(ferry(duration="00:20"), profile) == ([300, 900, INF], [300, 900, INF])
    assert segment_times(ferry(duration="00:20"), profile).report["duration_unread_ways"] == 0
    for unread in ("soon", "0:00", "00:03"):  # 4 km in 3 minutes: 80 km/h
        assert times(ferry(duration=unread), profile) == ([200, 600, INF], [200, 600, INF])
        assert segment_times(ferry(duration=unread), profile).report["duration_unread_ways"] == 1


def test_a_duration_on_a_street_is_not_used() -> None:
    street = line(0, 100, duration="01:00")
    assert times(street, walker(ferry_speed_kmh=18)) == ([100, INF], [100, INF])
    assert segment_times(street, walker(ferry_speed_kmh=18)).report == {"duration_unread_ways": 0}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1:30", 5400), ("01:30", 5400), ("00:05", 300), ("100:00", 360_000), ("0:05:30", 330), ("20", 1200),
        ("7.5", 450), ("20 min", 1200), ("20min", 1200), ("2 hours", 7200), ("1.5 h", 5400), ("PT20M", 1200),
        ("PT1H30M", 5400), ("P1DT2H", 93_600), ("P2D", 172_800), ("PT45S", 45), (" 00:10 ", 600),
        ("", NAN), ("0", NAN), ("00:00", NAN), ("PT", NAN), ("P", NAN), ("1:75", NAN), ("-5", NAN), ("soon", NAN),
        ("20 knots", NAN), ("1 30", NAN), ("00:10-00:20", NAN),
    ],
)  # fmt: skip
def test_durations(text: str, seconds: float) -> None:
    assert duration_s(text) == pytest.approx(seconds, nan_ok=True)


# --- by car ----------------------------------------------------------------------------------------------------------


def test_a_street_by_hand() -> None:
    assert times(line(0, 100, 300), driver()) == ([10, 20, INF], [10, 20, INF])
    assert times(line(0, 100, 300, highway="primary"), driver()) == ([5, 10, INF], [5, 10, INF])
    assert times(line(0, 100, highway="tertiary"), driver()) == ([INF, INF], [INF, INF])
    assert times(line(0, 100, oneway="yes"), driver()) == ([10, INF], [INF, INF])
    assert times(line(0, 100, oneway="-1"), driver()) == ([INF, INF], [10, INF])


def test_no_slope_by_car() -> None:
    assert times(line(0, 100, heights=[0, 30]), driver()) == ([10, INF], [10, INF])
    assert segment_times(line(0, 100, heights=[0, NAN]), driver()).report == {"maxspeed_unread_ways": 0}


def test_maxspeed_lowers_the_speed_of_the_class_and_never_raises_it() -> None:
    limits = ["18", "100", "none", "CN:urban", None, "walk"]
    ways = roads([(0, 0), (100, 0)], [[0, 1]] * 6, maxspeed=limits)
    found = segment_times(ways, driver())
    assert found.forward_s[::2].tolist() == [20, 10, 10, 10, 10, 100]
    assert found.report == {"maxspeed_unread_ways": 1}
    # a limit on a way that is closed anyhow is nobody's concern
    assert segment_times(line(0, 1, highway="steps", maxspeed="?"), driver()).report == {"maxspeed_unread_ways": 0}


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("50", 50), (" 50 ", 50), ("7.5", 7.5), ("50 km/h", 50), ("50kmh", 50), ("50 kph", 50),
        ("50 mph", 80.4672), ("50mph", 80.4672), ("10 knots", 18.52), ("30 MPH", 48.28032),
        ("walk", 5), ("none", INF), ("signals", INF), ("variable", INF),
        ("50;80", 50), ("80; 50 mph", 80), ("60|40", 40), ("none;100", 100),
        ("DE:zone30", 30), ("DE:zone:30", 30), ("BE-VLG:zone20", 20),
        ("CN:urban", NAN), ("RO:urban", NAN), ("50;CN:rural", NAN), ("", NAN), ("0", NAN), ("-50", NAN),
        ("50 furlongs", NAN), ("fast", NAN), ("implicit", NAN), ("50 @ (06:00-20:00)", NAN), ("5O", NAN),
    ],
)  # fmt: skip
def test_limits(text: str, limit: float) -> None:
    assert speed_limit_kmh(text, walking_kmh=5) == pytest.approx(limit, nan_ok=True)


# --- laws ------------------------------------------------------------------------------------------------------------

HEIGHT = st.one_of(st.floats(-50, 50), st.just(NAN))
VERTEX = st.tuples(st.integers(0, 200), st.integers(0, 200), HEIGHT)
KINDS = ["residential", "primary", "steps", "ferry", "motorway", "footway"]
ONEWAY = st.sampled_from(["yes", "-1", "no"])
WAY = st.tuples(st.lists(VERTEX, min_size=2, max_size=6), st.sampled_from(KINDS), ONEWAY)
WAYS = st.lists(WAY, min_size=1, max_size=4)
PROFILES = [
    walker(), walker(slope="none"), walker(max_grade=0.3, stairs_speed_kmh=1), walker(stairs="forbidden"),
    walker(ferry_speed_kmh=12), driver(), driver(ferry_speed_kmh=12), *builtin_profiles().values(),
]  # fmt: skip
PROFILE = st.sampled_from(PROFILES)


def built(ways, *, backwards: bool = False) -> Roads:
    corners = [vertices[::-1] if backwards else vertices for vertices, _, _ in ways]
    flat = list(itertools.chain.from_iterable(corners))
    firsts = itertools.accumulate([0, *map(len, corners)])
    numbers = [list(range(first, first + len(line))) for first, line in zip(firsts, corners, strict=False)]
    swap = {"yes": "-1", "-1": "yes", "no": "no"}
    oneway = [swap[sign] if backwards else sign for _, _, sign in ways]
    found = roads([(x, y) for x, y, _ in flat], numbers, highway=[kind for _, kind, _ in ways], oneway=oneway)
    return replace(found, elevation_m=np.array([height for _, _, height in flat]))


@given(WAYS, PROFILE)
def test_a_way_drawn_the_other_way_round_has_its_times_swapped(ways, profile: Profile) -> None:
    one, other = segment_times(built(ways), profile), segment_times(built(ways, backwards=True), profile)
    start = built(ways).start
    for first, last in itertools.pairwise(start):
        forward, backward = one.forward_s[first : last - 1], one.backward_s[first : last - 1]
        np.testing.assert_array_equal(other.forward_s[first : last - 1], backward[::-1])
        np.testing.assert_array_equal(other.backward_s[first : last - 1], forward[::-1])
    assert other.report == pytest.approx(one.report)


@given(WAYS, PROFILE, st.floats(0.25, 3))
def test_scaling_the_speeds_scales_the_times(ways, profile: Profile, factor: float) -> None:
    keys = ("level_speed_kmh", "stairs_speed_kmh", "ferry_speed_kmh", "access_speed_kmh")
    change = {key: factor * value for key in keys if (value := getattr(profile, key)) is not None}
    if profile.speeds_kmh is not None:
        change["speeds_kmh"] = {kind: factor * speed for kind, speed in profile.speeds_kmh.items()}
    one, other = segment_times(built(ways), profile), segment_times(built(ways), profile.model_copy(update=change))
    np.testing.assert_allclose(other.forward_s * factor, one.forward_s, rtol=1e-12)
    np.testing.assert_allclose(other.backward_s * factor, one.backward_s, rtol=1e-12)


@given(WAYS, PROFILE, st.floats(-400, 8000))
def test_flat_terrain_is_no_terrain(ways, profile: Profile, height: float) -> None:
    flat = built(ways)
    flat = replace(flat, elevation_m=np.full(len(flat.xy), height))
    assert times(flat, profile) == times(replace(flat, elevation_m=None), profile)


@given(WAYS, PROFILE)
def test_nobody_is_ever_faster_than_their_fastest(ways, profile: Profile) -> None:
    made = built(ways)
    found = segment_times(made, profile)
    length = np.append(np.hypot(*np.diff(made.xy, axis=0).T), 0.0)
    for seconds in (found.forward_s, found.backward_s):
        assert (seconds >= length / fastest_ms(profile) * (1 - 1e-12))[np.isfinite(seconds)].all()


@given(WAYS, PROFILE)
def test_only_real_times_come_out(ways, profile: Profile) -> None:
    made = built(ways)
    found = segment_times(made, profile)
    for seconds in (found.forward_s, found.backward_s):
        assert (seconds >= 0).all()
        assert np.isinf(seconds[made.start[1:] - 1]).all()


@given(st.floats(-1, 1))
def test_uphill_is_never_faster_than_level_and_never_faster_than_the_same_way_down(grade: float) -> None:
    up, down = tobler_factor(np.array([abs(grade), -abs(grade)]))
    assert 0 < up <= 1
    assert up <= down <= math.exp(0.175) * (1 + 1e-12)


def test_the_fastest_of_each_kind() -> None:
    assert fastest_ms(walker(slope="none")) == pytest.approx(1)
    assert fastest_ms(walker()) == pytest.approx(math.exp(0.175))
    assert fastest_ms(walker(access_speed_kmh=36)) == pytest.approx(10)
    assert fastest_ms(walker(stairs_speed_kmh=7.2)) == pytest.approx(2)
    assert fastest_ms(walker(ferry_speed_kmh=3)) == pytest.approx(FASTEST_FERRY_KMH / 3.6)
    assert fastest_ms(driver()) == pytest.approx(20)
    assert fastest_ms(driver(ferry_speed_kmh=180)) == pytest.approx(50)
