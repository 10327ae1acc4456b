import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import builders
import oracles
from facility_coverage.network.graph import Graph, build_graph
from facility_coverage.network.snapping import Places, snap


def built(roads: object) -> Graph:
    return build_graph(roads, builders.WALKER, min_component_nodes=1, file="roads")[0]


def snapped(points: object, graph: Graph, max_access_m: float = 500.0) -> Places:
    return snap(np.array(points, dtype=float).reshape(-1, 2), graph, max_access_m=max_access_m, access_speed_ms=2.0)


BENT = builders.roads([(0, 0), (100, 0), (100, 50)], [[0, 1, 2]])


def test_a_point_snaps_along_the_edge_and_both_directions_count() -> None:
    places = snapped([(30, 12), (108, 20)], built(BENT))
    assert places.edge.tolist() == [0, 0]
    assert places.xy.tolist() == [[30, 0], [100, 20]]
    assert places.position_m.tolist() == [30, 120]
    assert places.from_tail_s.tolist() == places.to_tail_s.tolist() == [30, 120]
    assert places.to_head_s.tolist() == places.from_head_s.tolist() == [120, 30]
    assert places.access_m.tolist() == [12, 8]
    assert places.access_s.tolist() == [6, 4]


def test_points_beyond_a_dead_end_on_a_bend_and_on_the_road_itself() -> None:
    places = snapped([(-3, -4), (103, -4), (100, 50), (55, 0)], built(BENT))
    assert places.position_m.tolist() == pytest.approx([0, 100, 150, 55], abs=1e-9)
    assert places.access_m.tolist() == pytest.approx([5, 5, 0, 0], abs=1e-9)


def test_the_limit_is_inclusive() -> None:
    places = snapped([(50, -25), (50, -25.0001), (50, 9999)], built(BENT), max_access_m=25)
    assert places.edge.tolist() == [0, -1, -1]
    assert np.isnan(places.access_m[1:]).all()
    assert np.isnan(places.xy[1:]).all()
    assert np.isnan(places.to_tail_s[1:]).all()


def test_a_tie_goes_to_the_first_edge() -> None:
    graph = built(builders.roads([(0, 0), (100, 0), (0, 20), (100, 20)], [[0, 1], [2, 3]]))
    assert snapped([(40, 10)], graph).edge.tolist() == [0]
    assert snapped([(40, 10.01)], graph).edge.tolist() == [1]


def test_a_place_at_the_end_of_a_one_way_edge_is_at_its_node() -> None:
    # 0 → 1 only: at the ends one is at the node although the edge leads away from it, or into it
    graph = builders.graph([(0, 1, [(0, 0), (100, 0)], 1.0, None)], 2)
    places = snapped([(0, 5), (100, 5), (50, 5)], graph)
    assert places.to_tail_s.tolist() == [0, np.inf, np.inf]
    assert places.from_head_s.tolist() == [np.inf, 0, np.inf]
    assert places.from_tail_s.tolist() == [0, 100, 50]
    assert places.to_head_s.tolist() == [100, 0, 50]


def test_no_points_are_no_places() -> None:
    assert len(snapped([], built(BENT))) == 0


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), limit=st.sampled_from([40.0, 150.0, 500.0]))
def test_against_shapely_on_every_edge(seed: int, limit: float) -> None:
    rng = np.random.default_rng(seed)
    roads = builders.random_roads(rng)
    graph = built(roads)
    points = builders.random_points(rng, roads, 40)
    places = snapped(points, graph, limit)
    lines = [shapely.LineString(graph.xy[a:b]) for a, b in zip(graph.start, graph.start[1:], strict=False)]
    for i, point in enumerate(shapely.points(points)):
        distance = np.array([point.distance(line) for line in lines])
        if distance.min() > limit:
            assert places.edge[i] == -1
            continue
        assert places.access_m[i] == pytest.approx(distance.min(), abs=1e-9)
        assert distance[places.edge[i]] == pytest.approx(distance.min(), abs=1e-9)
        line = lines[places.edge[i]]
        # Where a polyline touches itself the first place counts for both, up to rounding.
        assert shapely.Point(places.xy[i]).distance(point) == pytest.approx(distance.min(), abs=1e-9)
        if line.length > 0 and line.is_simple and not line.is_ring:
            assert places.position_m[i] == pytest.approx(line.project(point), abs=1e-6)


def test_the_oracle_snaps_as_by_hand() -> None:
    segments = oracles.segments_of_graph(built(BENT))
    found = oracles.snap_by_segment(np.array([(30.0, 12), (108, 20), (0, 900)]), segments, max_access_m=500)
    assert found.segment.tolist() == [0, 1, -1]
    assert found.fraction[:2].tolist() == [0.3, 0.4]
