from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import builders
from facility_coverage.cache import Cache
from facility_coverage.config.profile import Profile
from facility_coverage.errors import NetworkError
from facility_coverage.layers.model import Roads
from facility_coverage.network import kept
from facility_coverage.network.graph import Dropped, Graph, build_graph

ROADS = dataclasses.replace(builders.lattice(5, 4), digest="ab" * 32)


def got(
    cache: Cache, roads: Roads = ROADS, profile: Profile = builders.WALKER, *, nodes: int = 1
) -> tuple[Graph, Dropped]:
    return kept.graph_of(roads, profile, min_component_nodes=nodes, file="roads", cache=cache)


def assert_same(one: tuple[Graph, Dropped], other: tuple[Graph, Dropped]) -> None:
    for left, right in zip(one, other, strict=True):
        for field in dataclasses.fields(left):
            np.testing.assert_array_equal(getattr(left, field.name), getattr(right, field.name))


def test_a_kept_graph_is_the_built_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(tmp_path)
    built = build_graph(ROADS, builders.WALKER, min_component_nodes=1, file="roads")
    assert_same(got(cache), built)
    assert len(list(tmp_path.iterdir())) == 1
    monkeypatch.setattr(kept, "build_graph", None)  # from here on only the cache can answer
    assert_same(got(cache), built)
    renamed = builders.WALKER.model_copy(update={"direction": "from_facility", "source": "another"})
    assert_same(got(cache, profile=renamed), built)


@pytest.mark.parametrize("change", ["speed", "nodes", "roads", "none"])
def test_whatever_decides_the_graph_names_its_entry(tmp_path: Path, change: str) -> None:
    cache = Cache(tmp_path)
    got(cache)
    slow = builders.WALKER.model_copy(update={"level_speed_kmh": 1.8})
    roads = dataclasses.replace(ROADS, digest={"roads": "cd" * 32, "none": ""}.get(change, ROADS.digest))
    graph, _ = got(cache, roads, slow if change == "speed" else builders.WALKER, nodes=2 if change == "nodes" else 1)
    assert graph.forward_s.max() == pytest.approx((2 if change == "speed" else 1) * graph.vertex_m.max())
    assert len(list(tmp_path.iterdir())) == (1 if change == "none" else 2)


def test_faults_are_not_kept(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(NetworkError, match="fewer than 99"):
            got(Cache(tmp_path), nodes=99)
    assert not list(tmp_path.iterdir())
