"""Slopes, one-way streets and turn penalties, from the roads' tags to the seconds between points."""

from __future__ import annotations

import dataclasses
import itertools
import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import builders
from facility_coverage.config.profile import Profile
from facility_coverage.layers.model import Roads
from facility_coverage.network.catchment import catchments
from facility_coverage.network.graph import Graph, build_graph
from facility_coverage.network.links import link
from facility_coverage.network.snapping import Places, snap
from facility_coverage.network.travel import Direction, nearest_facility

LAW = settings(deadline=None, max_examples=60)
SEEDS = st.integers(0, 2**32 - 1)
CAR = {"name": "car", "mode": "car", "speeds_kmh": {"residential": 36.0}, "access_speed_kmh": 3.6, "source": "10 m/s"}


def car(**options: object) -> Profile:
    return Profile.model_validate({**CAR, **options})


def built(roads: Roads, profile: Profile = builders.WALKER) -> Graph:
    return build_graph(roads, profile, min_component_nodes=1, file="roads")[0]


def places(points: object, graph: Graph) -> Places:
    return snap(np.array(points, dtype=float).reshape(-1, 2), graph, max_access_m=500.0, access_speed_ms=1.0)


def seconds(graph: Graph, people: object, sites: object, direction: Direction = "to_facility") -> np.ndarray:
    links = link(graph, direction=direction)
    return nearest_facility(graph, links, places(people, graph), places(sites, graph)).seconds


def matrix(graph: Graph, people: object, sites: object, direction: Direction) -> np.ndarray:
    links = link(graph, direction=direction)
    found = catchments(graph, links, places(people, graph), places(sites, graph), limit_s=np.inf)
    full = np.full(found.shape, np.inf)
    full[np.repeat(np.arange(found.shape[0]), np.diff(found.indptr)), found.indices] = found.data
    return full


def hill(rise_m: float) -> Roads:
    """A road of 720 m, in eight pieces, that rises evenly to the east."""
    at = np.linspace(0, 720, 9)
    roads = builders.roads([(x, 0) for x in at], [list(range(9))])
    return dataclasses.replace(roads, elevation_m=rise_m * at / 720)


def test_a_hill_is_within_fifteen_minutes_one_way_and_not_the_other() -> None:
    # 10 % at 1 m/s: down it takes exp(3.5 (0.05 - 0.05)) = 1 time the level 12 minutes, up exp(0.35) times: 17.03
    graph = built(hill(72.0))
    above, below = [(720, 0)], [(0, 0)]
    assert seconds(graph, below, above)[0] / 60 == pytest.approx(12 * math.exp(0.35), abs=1e-9)
    assert seconds(graph, above, below)[0] / 60 == pytest.approx(12.0, abs=1e-9)
    # the facility on top: people climb to it, its ambulance comes down to them
    assert seconds(graph, below, above, "from_facility")[0] / 60 == pytest.approx(12.0, abs=1e-9)
    links = link(graph)
    for people, sites, reached in ((below, above, 0), (above, below, 1)):
        found = catchments(graph, links, places(people, graph), places(sites, graph), limit_s=900.0)
        assert found.nnz == reached


def test_flat_ground_at_any_height_equals_no_terrain() -> None:
    level, plain = built(hill(0.0)), built(dataclasses.replace(hill(0.0), elevation_m=None))
    people, sites = [(0, 0), (333, 4), (700, 0)], [(100, 7)]
    assert seconds(level, people, sites).tobytes() == seconds(plain, people, sites).tobytes()
    high = dataclasses.replace(hill(0.0), elevation_m=np.full(9, 4321.0))
    assert seconds(built(high), people, sites).tobytes() == seconds(plain, people, sites).tobytes()


@LAW
@given(seed=SEEDS)
def test_walking_there_over_hills_is_walking_back_from_the_mirrored_search(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ways = builders.random_roads(rng)
    height = rng.uniform(0, 60, int(ways.node.max()) + 1)[ways.node]
    graph = built(dataclasses.replace(ways, elevation_m=height))
    people, sites = rng.uniform(0, 1000, (12, 2)), rng.uniform(0, 1000, (4, 2))
    there = matrix(graph, people, sites, "to_facility")
    back = matrix(graph, sites, people, "from_facility")
    np.testing.assert_allclose(there, back.T, rtol=1e-12)


def test_turn_penalties_by_hand() -> None:
    # a cross of four arms of 100 m at 10 m/s; 8 s for each junction passed
    nodes = [(0, 0), (100, 0), (-100, 0), (0, 100), (0, -100), (200, 0)]
    roads = builders.roads(nodes, [[0, 1], [0, 2], [0, 3], [0, 4], [1, 5]])
    graph = built(roads, car(turn_penalty_s=8))
    sites = [(60, 0)]
    people = [(20, 0), (100, 0), (180, 0), (0, 50), (0, 0), (-100, 0), (61, 3)]
    #           along the arm          past no junction      through the middle, or starting there
    expected = [4.0, 4.0, 12.0, 5 + 8 + 6, 4 + 6, 10 + 8 + 6, 0.1 + 3]
    for direction in ("to_facility", "from_facility"):
        assert seconds(graph, people, sites, direction).tolist() == pytest.approx(expected, abs=1e-9)
        assert matrix(graph, people, sites, direction)[0].tolist() == pytest.approx(expected, abs=1e-9)
    # a facility at the junction: half the penalty from every arm
    assert seconds(graph, [(50, 0), (0, 30)], [(0, 0)]).tolist() == pytest.approx([5 + 4, 3 + 4], abs=1e-9)


def test_one_way_streets_and_roundabouts_by_hand() -> None:
    # a block: east along the south side only, the other three sides both ways
    nodes = [(0, 0), (100, 0), (100, 100), (0, 100)]
    roads = builders.roads(nodes, [[0, 1], [1, 2, 3, 0]], oneway=["yes", None])
    graph = built(roads, car())
    sites = [(50, 0)]
    assert seconds(graph, [(20, 0), (80, 0), (100, 50)], sites).tolist() == pytest.approx([3, 2 + 30 + 5, 5 + 20 + 5])
    out = seconds(graph, [(20, 0), (80, 0), (100, 50)], sites, "from_facility")
    assert out.tolist() == pytest.approx([5 + 30 + 2, 3, 10])
    # a pedestrian does not care
    assert seconds(built(roads), [(80, 0)], sites).tolist() == [30.0]


def penalised(roads: Roads, people: np.ndarray, sites: np.ndarray, penalty_s: float) -> np.ndarray:
    """Seconds by car with NetworkX: each way is one edge; points lie on ways at known places; ends wait."""
    graph = nx.DiGraph()
    ends = np.bincount(np.concatenate([roads.node[roads.start[:-1]], roads.node[roads.start[1:] - 1]]))
    on: dict[int, list[tuple[float, str]]] = {}
    for kind, table in (("p", people), ("s", sites)):
        for i, (way, metres) in enumerate(table):
            on.setdefault(int(way), []).append((float(metres), f"{kind}{i}"))
    for way, (a, b) in enumerate(itertools.pairwise(roads.start.tolist())):
        length = float(np.linalg.norm(np.diff(roads.xy[a:b], axis=0), axis=1).sum())
        stops = [(0.0, f"{way}a"), *sorted(on.get(way, [])), (length, f"{way}b")]
        oneway = roads.tags["oneway"].iloc[way] == "yes"
        for (m, u), (n, v) in itertools.pairwise(stops):
            graph.add_edge(u, v, weight=(n - m) / 10)
            if not oneway:
                graph.add_edge(v, u, weight=(n - m) / 10)
        for node, end in ((roads.node[a], f"{way}a"), (roads.node[b - 1], f"{way}b")):
            wait = penalty_s / 2 if ends[node] >= 3 else 0.0
            graph.add_edge(f"n{node}", end, weight=wait)
            graph.add_edge(end, f"n{node}", weight=wait)
    result = np.full((len(sites), len(people)), np.inf)
    for s in range(len(sites)):
        reached = nx.single_source_dijkstra_path_length(graph.reverse(), f"s{s}")
        for p in range(len(people)):
            result[s, p] = reached.get(f"p{p}", np.inf)
    return result


@LAW
@given(seed=SEEDS, penalty_s=st.sampled_from([0.0, 5.0, 60.0]))
def test_driving_against_networkx_with_a_waiting_arc_at_every_junction(seed: int, penalty_s: float) -> None:
    rng = np.random.default_rng(seed)
    n = 8
    nodes = rng.uniform(0, 1000, (n, 2))
    pairs = sorted({tuple(sorted(rng.choice(n, 2, replace=False).tolist())) for _ in range(14)})
    ways = [list(pair) if rng.random() < 0.5 else list(pair)[::-1] for pair in pairs]
    roads = builders.roads(nodes, ways, oneway=[("yes" if rng.random() < 0.3 else None) for _ in ways])

    def stand(count: int) -> tuple[np.ndarray, np.ndarray]:
        way, t = rng.integers(0, len(ways), count), rng.uniform(0.1, 0.9, count)
        first, last = roads.xy[roads.start[way]], roads.xy[roads.start[way + 1] - 1]
        return np.column_stack([way, t * np.linalg.norm(last - first, axis=1)]), first + t[:, None] * (last - first)

    (people, people_xy), (sites, sites_xy) = stand(10), stand(3)
    graph = built(roads, car(turn_penalty_s=penalty_s))
    ours = matrix(graph, people_xy, sites_xy, "to_facility")
    theirs = penalised(roads, people, sites, penalty_s)
    np.testing.assert_array_equal(np.isfinite(ours), np.isfinite(theirs))
    np.testing.assert_allclose(ours[np.isfinite(ours)], theirs[np.isfinite(theirs)], rtol=0, atol=1e-5)
    back = matrix(graph, sites_xy, people_xy, "from_facility")
    np.testing.assert_allclose(ours, back.T, rtol=1e-9, atol=1e-6)
