"""Snapping on two real places: every point against shapely, barriers against shapely, and the figures of the record."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import osmium
import pyproj
import pytest
import shapely
import yaml
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from facility_coverage.config.reading import load_study
from facility_coverage.layers.model import Floats
from facility_coverage.network.graph import Graph
from facility_coverage.network.snapping import Barriers, EdgeIndex, Locations, Places, locate, time_places
from facility_coverage.network.travel import nearest_facility
from facility_coverage.study import Computed, compute
from places import MAX_ACCESS_M, comoros_study, poa_study

pytestmark = pytest.mark.realdata

RECORDS = Path(__file__).parents[2] / "docs" / "decisions"

#: One speed everywhere, also on stairs: the record's figures are to differ by how points join the network alone.
WALKER = {"name": "Walker", "level_speed_kmh": 4.82, "source": "Weidmann (1993): 1.34 m/s"}


@dataclass(frozen=True)
class Place:
    computed: Computed
    graph: Graph
    demand: Floats
    facilities: Floats

    @property
    def edges(self) -> np.ndarray:
        """The edges as shapely lines."""
        return shapely.linestrings(
            self.graph.xy, indices=np.repeat(np.arange(len(self.graph.tail)), np.diff(self.graph.start))
        )


def walked(folder: Path, study: dict[str, object]) -> Place:
    (facilities,) = study["facilities"]
    study["profiles"], facilities["profile"] = {"walker": WALKER}, "walker"
    (folder / "study.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
    computed = compute(load_study(folder / "study.yaml", allow_outside=True))
    points = computed.layers.demand.points[["x_m", "y_m"]].to_numpy()
    sites = shapely.get_coordinates(computed.layers.facilities["health"].geometry.to_numpy())
    return Place(computed, computed.networks["walker"].graph, points, sites)


@pytest.fixture(scope="module")
def poa(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("poa")
    return walked(folder, poa_study(realdata, folder))


@pytest.fixture(scope="module")
def comoros(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return walked(tmp_path_factory.mktemp("comoros"), comoros_study(realdata))


@pytest.fixture(params=["poa", "comoros"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(request.param)
    return found


def anywhere(place: Place, count: int, seed: int) -> Floats:
    """Scatter points over the network's box and beyond, some of them on its vertices."""
    rng = np.random.default_rng(seed)
    low, high = place.graph.xy.min(axis=0), place.graph.xy.max(axis=0)
    near = place.graph.xy[rng.integers(0, len(place.graph.xy), count)]
    near[: count // 2] += rng.normal(0, 60, (count // 2, 2))
    return np.concatenate([rng.uniform(low - 900, high + 900, (count, 2)), near])


def test_every_point_stands_where_shapely_puts_it(place: Place) -> None:
    points = np.concatenate([place.demand, place.facilities, anywhere(place, 40_000, 1)])
    found = locate(points, EdgeIndex.of(place.graph), max_access_m=MAX_ACCESS_M)
    (theirs, edge), distance = shapely.STRtree(place.edges).query_nearest(
        shapely.points(points), max_distance=MAX_ACCESS_M + 1, return_distance=True, all_matches=True
    )
    nearest = np.full(len(points), np.inf)
    nearest[theirs] = distance
    attached = found.edge >= 0
    assert not (np.abs(nearest - MAX_ACCESS_M) < 1e-7).any()
    np.testing.assert_array_equal(attached, nearest <= MAX_ACCESS_M)
    assert 0.1 < attached.mean() < 1
    np.testing.assert_allclose(found.access_m, nearest[attached], rtol=0, atol=1e-7)
    lowest = np.full(len(points), len(place.graph.tail))
    np.minimum.at(lowest, theirs, edge)
    other = np.flatnonzero(attached)[found.edge[attached] != lowest[attached]]
    # shapely takes two edges for equally near by its own last digit: there ours is another of the nearest, and rare.
    assert len(other) <= 10
    to_ours = shapely.distance(shapely.points(points[other]), place.edges[found.edge[other]])
    np.testing.assert_allclose(to_ours, nearest[other], rtol=0, atol=1e-7)


def test_legs_over_main_roads_are_those_that_shapely_finds(place: Place) -> None:
    """Take main roads for walls, and blocks of houses between them for lakes."""
    roads = place.computed.layers.roads
    ways = shapely.linestrings(roads.xy, indices=np.repeat(np.arange(len(roads.tags)), np.diff(roads.start)))
    main = ways[roads.tags["highway"].isin(["motorway", "trunk", "primary", "secondary"]).to_numpy()]
    rng = np.random.default_rng(5)
    lakes = shapely.buffer(shapely.points(anywhere(place, 150, 6)), rng.uniform(20, 200, 300), quad_segs=3)
    barriers = [*main, *lakes]
    points = np.concatenate([place.demand[:: max(1, len(place.demand) // 20_000)], anywhere(place, 5_000, 2)])
    index = EdgeIndex.of(place.graph)
    free = locate(points, index, max_access_m=MAX_ACCESS_M)
    held = locate(points, index, max_access_m=MAX_ACCESS_M, barriers=Barriers.of(barriers))
    assert held.blocked.sum() > 100
    # Whose nearest place is hidden: by every leg and every barrier near it.
    hidden, sure = crossings(points, free, index, main, lakes)
    np.testing.assert_array_equal(held.blocked[sure], hidden[sure])
    assert sure.mean() > 0.999
    np.testing.assert_array_equal(held.edge[~held.blocked], free.edge[~held.blocked])
    # Nobody stands behind a barrier, and whoever was moved walks at least as far as before.
    behind, sure = crossings(points, held, index, main, lakes)
    assert not behind[sure].any()
    before, after = everywhere(free, free.access_m), everywhere(held, held.access_m)
    assert (after[held.blocked & (held.edge >= 0)] >= before[held.blocked & (held.edge >= 0)]).all()


def everywhere(found: Locations, values: Floats) -> Floats:
    """Return what attached points have for all points, NaN where unattached."""
    full = np.full(len(found.edge), np.nan)
    full[found.edge >= 0] = values
    return full


def crossings(points: Floats, found: Locations, index: EdgeIndex, lines: np.ndarray, polygons: np.ndarray):
    """Tell by shapely which legs cross, and for which that is sure to a few millimetres."""
    on = np.flatnonzero(found.edge >= 0)
    a, b = index.xy[found.vertex], index.xy[found.vertex + 1]
    leg = np.stack([points[on], a + found.fraction[:, None] * (b - a)], axis=1)
    answers = []
    for cut_m in (0.0005, 0.003):
        short = shapely.linestrings(leg)[found.access_m > 2 * cut_m]
        ends = [shapely.line_interpolate_point(short, where) for where in (cut_m, shapely.length(short) - cut_m)]
        short = shapely.linestrings(np.stack([shapely.get_coordinates(end) for end in ends], axis=1))
        row = on[found.access_m > 2 * cut_m]
        crosses = np.zeros(len(points), dtype=bool)
        crosses[row[shapely.STRtree(lines).query(short, predicate="intersects")[0]]] = True
        smaller = shapely.buffer(polygons, -cut_m, join_style="mitre")
        which, polygon = shapely.STRtree(smaller).query(short, predicate="intersects")
        outside = ~shapely.contains_xy(smaller[polygon], *points[row[which]].T)
        crosses[row[which[outside]]] = True
        answers.append(crosses)
    return answers[1], answers[0] == answers[1]


def at_nodes(points: Floats, graph: Graph) -> Locations:
    """Join points to the nearest junction or dead end."""
    node = np.concatenate([graph.tail, graph.head])
    at = np.concatenate([graph.start[:-1], graph.last])
    _, first = np.unique(node, return_index=True)
    distance, which = cKDTree(graph.xy[at[first]]).query(points)
    end = first[which]
    is_tail = end < len(graph.tail)
    near = distance <= MAX_ACCESS_M
    return Locations(
        edge=np.where(near, end % len(graph.tail), -1),
        vertex=(at[end] - ~is_tail)[near],
        fraction=np.where(is_tail, 0.0, 1.0)[near],
        access_m=distance[near],
        blocked=np.zeros(len(points), dtype=bool),
    )


def between_nodes(found: tuple[Locations, Locations], graph: Graph, speed_ms: float, *, legs: bool) -> Floats:
    """Return the seconds of points at nodes to the nearest facility at a node, by SciPy's Dijkstra."""
    demand, facilities = (
        np.where(
            one.edge >= 0, np.where(everywhere(one, one.fraction) == 0, graph.tail[one.edge], graph.head[one.edge]), -1
        )
        for one in found
    )
    leg_d, leg_f = (everywhere(one, one.access_m) / speed_ms * legs for one in found)
    source = graph.node_count
    ends = np.concatenate([[source] * len(facilities), graph.tail, graph.head])
    others = np.concatenate([facilities, graph.head, graph.tail])
    # A sparse array drops zeros.
    cost = np.maximum(np.concatenate([leg_f, graph.forward_s[graph.last], graph.backward_s[graph.last]]), 1e-9)
    order = np.lexsort((cost, others, ends))
    ends, others, cost = ends[order], others[order], cost[order]
    first = np.concatenate([[True], (np.diff(ends) != 0) | (np.diff(others) != 0)])
    links = csr_array((cost[first], (ends[first], others[first])), shape=(source + 1, source + 1))
    return dijkstra(links, indices=source)[demand] + leg_d


def without_legs(places: Places) -> Places:
    return replace(places, access_s=np.where(places.edge >= 0, 0.0, np.nan))


def test_the_record_says_what_joining_at_nodes_and_leaving_out_legs_would_change(poa: Place) -> None:
    graph, network = poa.graph, poa.computed.networks["walker"]
    speed_ms = network.profile.access_speed_ms
    along = [network.demand, network.snap(poa.facilities)]
    nodes = at_nodes(poa.demand, graph), at_nodes(poa.facilities, graph)
    seconds = {
        "along the edge, legs walked": nearest_facility(graph, network.links, *along).seconds,
        "nearest junction, legs walked": between_nodes(nodes, graph, speed_ms, legs=True),
        "along the edge, legs left out": nearest_facility(graph, network.links, *map(without_legs, along)).seconds,
        "nearest junction, legs left out": between_nodes(nodes, graph, speed_ms, legs=False),
    }
    total = poa.computed.layers.demand.points["total"].to_numpy()
    text = (RECORDS / "0002-network-time.md").read_text(encoding="utf-8")
    for name, trip_s in seconds.items():
        covered = [total[trip_s <= 60 * minutes + 1e-6].sum() for minutes in (5, 10, 15)]
        cells = [f"{100 * people / total.sum():.2f} % ({people:,.0f})" for people in covered]
        row = re.search(rf"^\| {name} \|(.+)\|$", text, flags=re.MULTILINE)
        assert row is not None, name
        assert [cell.strip() for cell in row[1].split("|")] == cells, name
    (study,) = poa.computed.coverage.summary.query("scope == 'study' and group == 'total'").to_dict("records")
    walked_s = seconds["along the edge, legs walked"]
    assert study["covered"] == pytest.approx(total[walked_s <= 900 + 1e-6].sum(), rel=1e-12)
    # The program's own search finds the same times between junctions.
    placed = (time_places(found, graph, access_speed_ms=speed_ms) for found in nodes)
    ours = nearest_facility(graph, network.links, *placed).seconds
    np.testing.assert_allclose(ours, seconds["nearest junction, legs walked"], rtol=0, atol=1e-4)
    medians = [np.median(found) for found in (along[0].access_m[along[0].edge >= 0], nodes[0].access_m)]
    moved = np.abs(seconds["nearest junction, legs walked"] - walked_s)
    assert f"from {medians[0]:.0f} to {medians[1]:.0f} m" in text
    assert f"by {np.nanmean(moved):.0f} s on average" in text
    shares = {
        name: [total[trip_s <= 60 * m + 1e-6].sum() / total.sum() for m in (5, 15)] for name, trip_s in seconds.items()
    }
    both = np.subtract(shares["nearest junction, legs left out"], shares["along the edge, legs walked"]) * 100
    assert f"by {both[1]:.1f} percentage points at 15 minutes\n  and by {both[0]:.1f} at 5" in text
    now, then = walked_s <= 900 + 1e-6, seconds["nearest junction, legs walked"] <= 900 + 1e-6
    assert f"{total[then & ~now].sum():,.0f} people would be gained and {total[now & ~then].sum():,.0f} lost" in text


def test_the_record_says_what_a_larger_limit_would_change(poa: Place, comoros: Place) -> None:
    text = (RECORDS / "0003-access-limit.md").read_text(encoding="utf-8")
    for limit_m in (50, 100, 250, 500, 1000, 2000):
        cells = []
        for place in (poa, comoros):
            people, (demand, _), trip_s = trips(place, limit_m, None)
            unattached, covered = people[demand.edge < 0].sum(), people[trip_s <= 900 + 1e-6].sum()
            cells += [f"{100 * part / people.sum():.2f} %" for part in (unattached, covered)]
        name = f"**{limit_m}**" if limit_m == MAX_ACCESS_M else f"{limit_m:,}"
        assert f"| {name} | {' | '.join(cells)} |" in text


def test_the_record_says_what_streams_as_barriers_would_change(comoros: Place, realdata: Path) -> None:
    to_metric = pyproj.Transformer.from_crs(4326, comoros.computed.layers.crs, always_xy=True)
    streams = []
    for way in osmium.FileProcessor(str(realdata / "comoros" / "comoros-2021.osm.pbf")).with_locations():
        if way.is_way() and way.tags.get("waterway") in {"river", "stream"}:
            lonlat = np.array([(node.lon, node.lat) for node in way.nodes if node.location.valid()])
            streams.append(shapely.LineString(np.column_stack(to_metric.transform(*lonlat.T))))
    text = (RECORDS / "0016-barriers.md").read_text(encoding="utf-8")
    assert f"({len(streams)} ways, {shapely.length(streams).sum() / 1000:.0f} km)" in text
    people, _, free_s = trips(comoros, MAX_ACCESS_M, None)
    _, (demand, facilities), held_s = trips(comoros, MAX_ACCESS_M, Barriers.of(streams))
    assert f"{people.sum():,.0f} people" in text
    blocked = people[demand.blocked].sum()
    assert f"| {blocked:,.0f} ({100 * blocked / people.sum():.1f} %) |" in text
    assert f"| of them, unattached | | {people[demand.blocked & (demand.edge < 0)].sum():,.0f} |" in text
    assert not facilities.blocked.any()
    for minutes in (15, 30):
        before, after = (people[trip_s <= 60 * minutes + 1e-6].sum() for trip_s in (free_s, held_s))
        assert f"| covered within {minutes} minutes | {before:,.0f} | {after:,.0f} |" in text


def trips(
    place: Place, limit_m: float, barriers: Barriers | None
) -> tuple[Floats, tuple[Locations, Locations], Floats]:
    """Return people of the study, where demand and facilities stand, and the seconds to the nearest facility."""
    points = place.computed.layers.demand.points
    people = np.where(points["zone_id"].notna(), points["total"], 0.0)
    network, index = place.computed.networks["walker"], EdgeIndex.of(place.graph)
    found = [locate(xy, index, max_access_m=limit_m, barriers=barriers) for xy in (place.demand, place.facilities)]
    speed_ms = network.profile.access_speed_ms
    placed = (time_places(one, place.graph, access_speed_ms=speed_ms) for one in found)
    return people, (found[0], found[1]), nearest_facility(place.graph, network.links, *placed).seconds
