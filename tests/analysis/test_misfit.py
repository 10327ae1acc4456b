import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from facility_coverage.analysis.misfit import FARTHEST_M, MIN_PLACES, best_reading


def to_streets(places: np.ndarray) -> np.ndarray:
    """Distance to the nearest of the streets y = 0, 1000, 2000 …"""
    return np.abs(places[:, 1] - 1000.0 * np.round(places[:, 1] / 1000.0))


def test_by_hand() -> None:
    # Ten places 10 m beside a street, one of them 30 m; declared 300 m too far north.
    true = np.column_stack([np.arange(10.0), np.full(10, 10.0)])
    true[9, 1] = 30.0
    declared = true + np.array([0.0, 300.0])
    found = best_reading(declared, {"gcj02": true, "bd09": true + np.array([0.0, 480.0])}, to_streets)
    assert found is not None
    assert (found.reading, found.places, found.declared_m, found.read_m) == ("gcj02", 10, 310.0, 10.0)
    assert found.nearer_share == 1.0
    assert found.chance == pytest.approx(2 * 0.5**10)  # two readings were tried
    assert not found.clear  # ten of ten could be chance once in five hundred
    twice = np.concatenate([declared, declared])
    assert best_reading(twice, {"gcj02": np.concatenate([true, true])}, to_streets).clear


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1))
def test_what_lies_right_is_left_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    places = np.column_stack([rng.uniform(0, 9000, 200), 1000.0 * rng.integers(0, 9, 200) + rng.normal(0, 25, 200)])
    shift = rng.uniform(300, 700) * np.array([1.0, -0.9])
    found = best_reading(places, {"gcj02": places + shift}, to_streets)
    assert found is not None
    assert not found.clear


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_chance_is_that_of_the_binomial_distribution(seed: int) -> None:
    rng = np.random.default_rng(seed)
    declared, read = rng.uniform(0, 3000, (2, 30, 2))
    found = best_reading(declared, {"bd09": read}, to_streets)
    assert found is not None
    nearer = int((to_streets(read) < to_streets(declared)).sum())
    assert found.chance == pytest.approx(binom.sf(nearer - 1, 30, 0.5), rel=1e-9)
    assert found.nearer_share == nearer / 30


def test_few_places_say_nothing() -> None:
    places = np.zeros((MIN_PLACES - 1, 2))
    assert best_reading(places, {"gcj02": places}, to_streets) is None
    assert best_reading(np.zeros((MIN_PLACES, 2)), {}, to_streets) is None


def test_what_is_far_from_every_road_counts_as_far() -> None:
    places = np.zeros((20, 2))
    found = best_reading(places, {"gcj02": places + 1.0}, lambda at: np.full(len(at), np.nan if at[0, 0] == 0 else 5.0))
    assert found is not None
    assert (found.declared_m, found.read_m) == (FARTHEST_M, 5.0)
    assert found.clear
