"""A slower or faster profile, built anew, against dividing the times of the network that is there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders
from facility_coverage.config.profile import Profile
from facility_coverage.config.reading import builtin_profiles
from facility_coverage.network.graph import build_graph
from facility_coverage.network.pace import at_pace, paces_evenly
from facility_coverage.network.speed import segment_times

TIMES = ("forward_s", "backward_s")


@given(seed=st.integers(0, 10_000), factor=st.floats(0.5, 1.5), name=st.sampled_from(["adult", "elder", "wheelchair"]))
def test_on_foot_every_time_is_divided_by_the_factor(seed: int, factor: float, name: str) -> None:
    rng = np.random.default_rng(seed)
    ways = builders.random_roads(rng)
    kinds = rng.choice(["residential", "path", "steps"], len(ways.tags))
    ways = replace(ways, tags=ways.tags.assign(highway=kinds), elevation_m=rng.uniform(0, 30, len(ways.xy)))
    profile = builtin_profiles()[name].model_copy(update={"max_grade": None})
    assert paces_evenly(profile)
    if profile.stairs == "forbidden" and (kinds == "steps").all():
        return
    before, _ = build_graph(ways, profile, min_component_nodes=1, file="")
    after, _ = build_graph(ways, at_pace(profile, factor), min_component_nodes=1, file="")
    for key in ("xy", "start", "tail", "head", "forward_ok", "backward_ok"):
        assert np.array_equal(getattr(before, key), getattr(after, key)), key
    for key in TIMES:
        np.testing.assert_allclose(getattr(after, key), getattr(before, key) / factor, rtol=1e-12, atol=1e-9)
    assert at_pace(profile, factor).access_speed_ms == pytest.approx(factor * profile.access_speed_ms, rel=1e-15)


@given(seed=st.integers(0, 10_000), factor=st.floats(0.5, 1.5))
def test_by_car_the_network_keeps_its_shape(seed: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    ways = builders.random_roads(rng)
    ways = replace(
        ways, tags=ways.tags.assign(maxspeed=rng.choice(np.array(["20", "60", None], object), len(ways.tags)))
    )
    profile = builtin_profiles()["car"]
    before, _ = build_graph(ways, profile, min_component_nodes=1, file="")
    after, _ = build_graph(ways, at_pace(profile, factor), min_component_nodes=1, file="")
    for key in ("xy", "start", "vertex_m", "tail", "head"):
        assert np.array_equal(getattr(before, key), getattr(after, key)), key


def test_a_limit_and_a_junction_hold_a_car_that_would_be_faster() -> None:
    ways = builders.roads([(0, 0), (100, 0), (200, 0)], [[0, 1], [1, 2]], maxspeed=["36", None])
    car = Profile.model_validate(
        {"name": "car", "mode": "car", "speeds_kmh": {"residential": 36}, "access_speed_kmh": 3.6,
         "turn_penalty_s": 5, "source": "ten metres a second"}
    )  # fmt: skip
    assert not paces_evenly(car)
    faster = at_pace(car, 1.25)
    assert segment_times(ways, car).forward_s[[0, 2]].tolist() == [10.0, 10.0]
    assert segment_times(ways, faster).forward_s[[0, 2]].tolist() == [10.0, 8.0]
    assert (faster.turn_penalty_s, faster.access_speed_kmh) == (5, 4.5)


def test_a_ferry_goes_as_it_goes() -> None:
    by_boat = builders.WALKER.model_copy(update={"ferry_speed_kmh": 7.2})
    assert not paces_evenly(by_boat)
    ways = builders.roads([(0, 0), (100, 0)], [[0, 1]], highway=["ferry"])
    assert [segment_times(ways, at_pace(by_boat, f)).forward_s[0] for f in (0.5, 1.0)] == [50.0, 50.0]
