"""Junctions that plain lines lack: by hand, against GEOS, and whatever the order of the lines."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from facility_coverage.layers.model import TAGS, Floats, Roads
from facility_coverage.layers.noding import NodingReport, node_lines

Line = list[tuple[float, float]]
EAST, NORTH = 600_000.0, 3_300_000.0  # coordinates as large as real ones: rounding is part of the test
ORIGIN = np.array([EAST, NORTH])


def lines(*shapes: Line, **tags: list[str | None]) -> Roads:
    xy = np.array([vertex for shape in shapes for vertex in shape]) + ORIGIN
    _, node = np.unique(np.rint(xy * 1000), axis=0, return_inverse=True)
    start = np.cumsum([0, *(len(shape) for shape in shapes)])
    columns = {tag: tags.get(tag, [None] * len(shapes)) for tag in TAGS}
    columns["highway"] = tags.get("highway", ["residential"] * len(shapes))
    frame = pd.DataFrame({"way_id": [str(i) for i in range(len(shapes))]} | columns, dtype=object)
    return Roads(xy, node.reshape(-1).astype(np.int64), start.astype(np.int64), frame)


def noded(roads: Roads, *, join: bool = True, tolerance: float = 0.5) -> tuple[Roads, NodingReport]:
    return node_lines(roads, join_crossings=join, snap_tolerance_m=tolerance)


def shape(roads: Roads, way: int) -> Floats:
    return roads.xy[roads.start[way] : roads.start[way + 1]] - ORIGIN


def nodes(roads: Roads, way: int) -> list[int]:
    return roads.node[roads.start[way] : roads.start[way + 1]].tolist()


def meet(roads: Roads, one: int, other: int) -> bool:
    return bool(set(nodes(roads, one)) & set(nodes(roads, other)))


def length(roads: Roads) -> float:
    return sum(float(np.hypot(*np.diff(shape(roads, way), axis=0).T).sum()) for way in range(len(roads.tags)))


WEST_EAST: Line = [(0, 0), (100, 0)]
SOUTH_NORTH: Line = [(50, -40), (50, 60)]


def test_two_lines_cross() -> None:
    roads, report = noded(lines(WEST_EAST, SOUTH_NORTH))
    np.testing.assert_allclose(shape(roads, 0), [(0, 0), (50, 0), (100, 0)], atol=1e-9)
    np.testing.assert_allclose(shape(roads, 1), [(50, -40), (50, 0), (50, 60)], atol=1e-9)
    assert nodes(roads, 0)[1] == nodes(roads, 1)[1]
    assert sorted(set(roads.node)) == list(range(5))
    assert report == NodingReport(1, 0, 0, 0.0, (EAST + 50, NORTH))


def test_separate_leaves_crossings_and_counts_them() -> None:
    before = lines(WEST_EAST, SOUTH_NORTH)
    roads, report = noded(before, join=False)
    np.testing.assert_array_equal(roads.xy, before.xy)
    assert report == NodingReport(0, 1, 0, 0.0)


@pytest.mark.parametrize(
    ("tags", "joined"),
    [
        ({"bridge": ["yes", None]}, False),
        ({"bridge": ["viaduct", "no"]}, False),
        ({"bridge": ["no", None]}, True),
        ({"bridge": ["F", "False"]}, True),
        ({"tunnel": [None, "yes"]}, False),
        ({"bridge": ["yes", "yes"]}, True),
        ({"bridge": ["yes", "yes"], "layer": ["2", "1"]}, False),
        ({"bridge": ["yes", "yes"], "layer": ["1", None]}, True),
        ({"layer": ["1", "0"]}, False),
        ({"layer": ["-1", "-1"]}, True),
        ({"bridge": ["yes", None], "layer": ["0", None]}, False),  # exports write 0 where no layer is known
        ({"layer": ["0.5", None]}, True),
        ({"highway": ["motorway", "residential"]}, False),
        ({"highway": ["motorway", "motorway_link"]}, False),
        ({"highway": ["trunk", "residential"]}, True),
        ({"highway": ["trunk", "residential"], "motorroad": ["yes", None]}, False),
        ({"highway": ["ferry", "residential"]}, False),
    ],
)
def test_who_meets_by_crossing(tags: dict[str, list[str | None]], joined: bool) -> None:
    roads, report = noded(lines(WEST_EAST, SOUTH_NORTH, **tags))
    assert meet(roads, 0, 1) is joined
    assert (report.crossings_joined, report.crossings_separate) == (int(joined), int(not joined))


def test_a_vertex_on_another_line_is_a_crossing() -> None:
    roads, report = noded(lines(WEST_EAST, [(50, -40), (50, 0), (20, 60)]))
    assert nodes(roads, 0)[1] == nodes(roads, 1)[1]
    assert (len(roads.xy), report.crossings_joined) == (6, 1)


def test_three_lines_through_one_place_share_one_node() -> None:
    roads, report = noded(lines(WEST_EAST, SOUTH_NORTH, [(20, -30.1), (80, 30.1)], [(13, 37), (87, -37)]))
    middle = {nodes(roads, way)[1] for way in range(4)}
    assert len(middle) == 1
    assert [len(nodes(roads, way)) for way in range(4)] == [3, 3, 3, 3]
    assert report.crossings_joined == 1


def test_a_bridge_above_a_junction_stays_above() -> None:
    roads, report = noded(lines(WEST_EAST, SOUTH_NORTH, [(0, -50), (100, 50)], bridge=[None, None, "yes"]))
    assert meet(roads, 0, 1)
    assert not meet(roads, 2, 0)
    assert not meet(roads, 2, 1)
    assert (report.crossings_joined, report.crossings_separate) == (1, 1)


def test_shared_vertices_join_at_any_level() -> None:
    roads, report = noded(lines([(0, 0), (50, 0)], [(50, 0), (90, 0)], bridge=[None, "yes"]))
    assert meet(roads, 0, 1)
    assert report == NodingReport(0, 0, 0, 0.0)


def test_a_line_that_crosses_itself_meets_itself_on_the_ground_only() -> None:
    loop: Line = [(0, 0), (100, 0), (100, 50), (50, 50), (50, -50)]
    roads, report = noded(lines(loop))
    assert nodes(roads, 0)[1] == nodes(roads, 0)[5]
    assert (report.crossings_joined, report.crossings_separate) == (1, 0)
    spiral, report = noded(lines(loop, bridge=["yes"]))
    assert len(set(spiral.node)) == 5
    assert (report.crossings_joined, report.crossings_separate) == (0, 1)


def test_an_end_on_a_line_stays_where_it_is() -> None:
    roads, report = noded(lines(WEST_EAST, [(50, 0), (50, 60)]), join=False)
    assert nodes(roads, 0)[1] == nodes(roads, 1)[0]
    assert (report.ends_joined, report.largest_move_m, report.crossings_separate) == (1, 0.0, 0)
    np.testing.assert_allclose(shape(roads, 0)[1], (50, 0), atol=1e-9)


@pytest.mark.parametrize(
    ("gap", "joined"), [(0.3, True), (0.5, True), (0.500001, False), (-0.3, True), (-0.5, True), (0.0005, True)]
)
def test_an_end_near_a_line(gap: float, joined: bool) -> None:
    roads, report = noded(lines(WEST_EAST, [(50, gap), (50, 60)]))
    assert meet(roads, 0, 1) is joined
    assert report.ends_joined == int(joined)
    if joined:
        np.testing.assert_allclose(shape(roads, 1), [(50, 0), (50, 60)], atol=0.00051)
        assert report.largest_move_m == pytest.approx(abs(gap) if abs(gap) > 0.001 else 0, abs=1e-9)
    assert (report.crossings_joined, report.crossings_separate) == (0, 0)


def test_an_end_farther_beyond_a_line_is_a_crossing() -> None:
    roads, report = noded(lines(WEST_EAST, [(50, -0.6), (50, 60)]))
    assert (report.ends_joined, report.crossings_joined) == (0, 1)
    np.testing.assert_allclose(shape(roads, 1), [(50, -0.6), (50, 0), (50, 60)], atol=1e-9)


def test_no_tolerance_joins_no_end() -> None:
    roads, report = noded(lines(WEST_EAST, [(50, 0.01), (50, 60)]), tolerance=0)
    assert not meet(roads, 0, 1)
    assert report == NodingReport(0, 0, 0, 0.0)
    assert meet(noded(lines(WEST_EAST, [(50, 0), (50, 60)]), tolerance=0)[0], 0, 1)  # it touches: a crossing


def test_an_end_near_a_vertex_goes_to_the_vertex() -> None:
    # Nearest place (49.6, 0), 0.3 m away; the vertex (50, 0) lies within 0.5 m of it.
    roads, report = noded(lines([(0, 0), (50, 0), (100, 0)], [(49.6, 0.3), (49.6, 60)]))
    assert nodes(roads, 0)[1] == nodes(roads, 1)[0]
    assert len(roads.xy) == 5
    assert report.largest_move_m == pytest.approx(0.5, abs=1e-9)


def test_two_ends_meet_half_way() -> None:
    roads, report = noded(lines([(0, 0), (50, 0)], [(50.4, 0), (100, 0)]))
    assert nodes(roads, 0)[1] == nodes(roads, 1)[0]
    np.testing.assert_allclose(shape(roads, 0)[1], (50.2, 0), atol=1e-9)
    assert (report.ends_joined, report.largest_move_m) == (2, pytest.approx(0.2, abs=1e-9))


def test_a_star_of_ends_becomes_one_junction() -> None:
    angles = np.arange(7) * 2 * np.pi / 7
    rays: list[Line] = [
        [(0.2 * np.cos(a), 0.2 * np.sin(a)), (80 * np.cos(a + 0.01), 80 * np.sin(a + 0.01))] for a in angles
    ]
    roads, report = noded(lines(*rays))
    assert len({nodes(roads, way)[0] for way in range(7)}) == 1
    np.testing.assert_allclose(shape(roads, 3)[0], (0, 0), atol=1e-9)
    assert (report.ends_joined, len(roads.xy)) == (7, 14)


def test_ends_on_both_sides_of_a_line_join_it_at_one_junction() -> None:
    roads, report = noded(lines(WEST_EAST, [(50, 0.2), (50, 60)], [(50, -0.2), (50, -60)]))
    assert nodes(roads, 0)[1] == nodes(roads, 1)[0] == nodes(roads, 2)[0]
    assert (report.ends_joined, len(roads.xy)) == (2, 7)


@pytest.mark.parametrize(
    ("tags", "joined"),
    [
        ({"bridge": ["yes", None]}, False),  # a street ends below the middle of a bridge
        ({"bridge": [None, "yes"]}, True),  # a bridge ends on a street
        ({"tunnel": [None, "yes"]}, True),
        ({"tunnel": ["yes", None]}, False),
        ({"bridge": ["yes", "yes"]}, True),
        ({"bridge": ["yes", "yes"], "layer": ["1", "2"]}, False),
        ({"highway": ["motorway", "motorway_link"]}, True),  # ramps join by their ends
    ],
)
def test_levels_of_an_end_near_the_middle_of_a_line(tags: dict[str, list[str | None]], joined: bool) -> None:
    roads, report = noded(lines(WEST_EAST, [(50, 0.3), (50, 60)], **tags))
    assert meet(roads, 0, 1) is joined
    assert report.ends_joined == int(joined)


@pytest.mark.parametrize("tag", ["bridge", "tunnel"])
def test_ends_near_ends_meet_at_any_level(tag: str) -> None:
    roads, _ = noded(
        lines([(0, 0), (50, 0)], [(50.3, 0), (90, 0)], [(90.3, 0), (150, 0)], **{tag: [None, "yes", None]})
    )
    assert meet(roads, 0, 1)
    assert meet(roads, 1, 2)


def test_ends_that_lines_share_do_not_move() -> None:
    before = lines(WEST_EAST, [(50, 0.3), (20, 60)], [(50, 0.3), (80, 60)])
    roads, report = noded(before)
    np.testing.assert_array_equal(roads.xy, before.xy)
    assert report == NodingReport(0, 0, 0, 0.0)


def test_a_drawn_stub_is_not_pulled_in() -> None:
    before = lines([(0, 0), (50, 0), (100, 0)], [(50, 60), (50, 0), (50, -0.4)])
    roads, report = noded(before)
    assert report.ends_joined == 0
    np.testing.assert_allclose(shape(roads, 1)[-1], (50, -0.4), atol=1e-9)


def test_lines_that_overlap_meet_in_their_ends_only() -> None:
    roads, report = noded(lines([(0, 0), (75, 0), (100, 0)], [(50, 0), (80, 0), (150, 0)]))
    np.testing.assert_allclose(shape(roads, 0)[:, 0], [0, 50, 75, 100], atol=1e-9)
    np.testing.assert_allclose(shape(roads, 1)[:, 0], [50, 80, 100, 150], atol=1e-9)
    assert len(set(roads.node)) == 6
    assert (report.crossings_joined, report.crossings_separate, report.ends_joined) == (0, 0, 2)


def test_points_on_one_place_and_closed_lines() -> None:
    ring: Line = [(0, 0), (10, 0), (10, 10), (0, 10), (0, 0)]
    roads, report = noded(lines(ring, [(5, -5), (5, 5)], [(30, 30), (30, 30)], [(5, -5), (5, -5), (0, -9)]))
    assert meet(roads, 0, 1)
    assert report.crossings_joined == 1


def test_nothing_to_do() -> None:
    before = lines(WEST_EAST)
    roads, report = noded(before)
    np.testing.assert_array_equal(roads.xy, before.xy)
    assert report == NodingReport(0, 0, 0, 0.0)


def random_lines(seed: int, count: int) -> list[Line]:
    rng = np.random.default_rng(seed)
    return [[tuple(v) for v in rng.uniform(0, 1000, (rng.integers(2, 5), 2)).tolist()] for _ in range(count)]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 25))
def test_crossings_are_those_of_geos(seed: int, count: int) -> None:
    shapes = random_lines(seed, count)
    before = lines(*shapes)
    roads, report = noded(before, tolerance=0)
    union = shapely.unary_union([shapely.LineString(np.array(each) + ORIGIN) for each in shapes])
    theirs = np.unique(shapely.get_coordinates(union), axis=0)
    assume(not cKDTree(theirs).query_pairs(0.005))  # nearer than a few millimetres, places become one here
    _, first = np.unique(roads.node, return_index=True)
    ours = roads.xy[first]
    assert len(ours) == len(theirs)
    distance, match = cKDTree(theirs).query(ours)
    assert distance.max() < 1e-6
    assert len(set(match)) == len(theirs)
    assert report.crossings_joined == (np.bincount(roads.node) > 1).sum()  # the lines shared no vertex
    assert length(roads) == pytest.approx(length(before), abs=1e-6)
    assert noded(roads, tolerance=0)[1] == NodingReport(0, 0, 0, 0.0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.sampled_from([0.0, 0.5, 20.0]))
def test_length_changes_by_no_more_than_the_moves(seed: int, count: int, tolerance: float) -> None:
    before = lines(*random_lines(seed, count))
    roads, report = noded(before, tolerance=tolerance)
    assert set(roads.node) == set(range(roads.node.max() + 1))
    merged = 0.001 * len(roads.xy)  # crossings within a millimetre of each other are one
    assert abs(length(roads) - length(before)) <= report.ends_joined * report.largest_move_m + merged
    kept = shapely.linestrings(roads.xy, indices=np.repeat(np.arange(count), np.diff(roads.start)))
    old = shapely.linestrings(before.xy, indices=np.repeat(np.arange(count), np.diff(before.start)))
    assert shapely.hausdorff_distance(kept, old).max() <= report.largest_move_m + 0.002


def with_near_misses(seed: int, count: int, tolerance: float) -> Roads:
    """Return random lines, and as many more that begin near one of them."""
    rng = np.random.default_rng([seed, 1])
    shapes = random_lines(seed, count)
    more: list[Line] = []
    for shape_ in shapes:
        x, y = shapely.LineString(shape_).interpolate(rng.uniform(), normalized=True).coords[0]
        dx, dy = rng.uniform(-tolerance, tolerance, 2)
        more.append([(x + dx, y + dy), tuple(rng.uniform(0, 1000, 2).tolist())])
    return lines(*shapes, *more)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 25), st.sampled_from([0.5, 20.0]), st.booleans())
def test_every_loose_end_near_another_line_is_joined(seed: int, count: int, tolerance: float, join: bool) -> None:
    before = with_near_misses(seed, count, tolerance)
    roads, report = noded(before, tolerance=tolerance, join=join)
    way = np.repeat(np.arange(2 * count), np.diff(before.start))
    old = shapely.linestrings(before.xy, indices=way)
    old_uses, uses = np.bincount(before.node)[before.node], np.bincount(roads.node)[roads.node]
    joined = 0
    for before_end, end in zip(_ends(before), _ends(roads), strict=True):
        gap = shapely.distance(shapely.points(before.xy[before_end]), np.delete(old, way[before_end])).min()
        if old_uses[before_end] == 1 and gap <= tolerance:
            assert uses[end] > 1
            joined += 1
        else:
            np.testing.assert_array_equal(roads.xy[end], before.xy[before_end])
    assert joined == report.ends_joined


def _ends(roads: Roads) -> list[int]:
    return np.column_stack([roads.start[:-1], roads.start[1:] - 1]).ravel().tolist()
