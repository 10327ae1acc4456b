"""Travel times computed another way: single segments, snapped points inserted as nodes, Dijkstra of other libraries."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import networkx as nx
import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra


@dataclass(frozen=True)
class Segments:
    """Straight pieces of road: end nodes, end coordinates, and seconds in each direction (inf = not allowed)."""

    a: np.ndarray
    b: np.ndarray
    a_xy: np.ndarray
    b_xy: np.ndarray
    ahead_s: np.ndarray
    back_s: np.ndarray


def segments_of_ways(xy, node, start, *, speed_ms, keep=None) -> Segments:
    """Cut ways into single segments; `keep` says which ways may be used, `speed_ms` is one figure or one per way."""
    first = []
    for way in range(len(start) - 1):
        if keep is None or keep[way]:
            first.extend(range(start[way], start[way + 1] - 1))
    first = np.array(first, dtype=np.int64)
    way = np.searchsorted(start, first, side="right") - 1
    speed = np.broadcast_to(speed_ms, len(start) - 1)[way]
    seconds = np.linalg.norm(xy[first + 1] - xy[first], axis=1) / speed
    return Segments(node[first], node[first + 1], xy[first], xy[first + 1], seconds, seconds)


def segments_of_graph(graph) -> Segments:
    """Cut the edges of a `Graph` into single segments; inner vertices get numbers after the nodes."""
    parts = []
    fresh = graph.node_count
    for e in range(len(graph.tail)):
        span = np.arange(graph.start[e], graph.start[e + 1])
        inner = np.arange(fresh, fresh + len(span) - 2)
        fresh += len(inner)
        ids = np.concatenate([[graph.tail[e]], inner, [graph.head[e]]])
        ahead = np.diff(graph.forward_s[span]) if graph.forward_ok[e] else np.full(len(span) - 1, np.inf)
        back = np.diff(graph.backward_s[span]) if graph.backward_ok[e] else np.full(len(span) - 1, np.inf)
        parts.append((ids[:-1], ids[1:], graph.xy[span[:-1]], graph.xy[span[1:]], ahead, back))
    return Segments(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def without_small_pieces(segments: Segments, junctions: set[int], *, min_nodes: int) -> Segments:
    """Drop connected pieces that hold fewer than `min_nodes` of the junctions."""
    graph = nx.Graph(zip(segments.a.tolist(), segments.b.tolist(), strict=True))
    kept: set[int] = set()
    for piece in nx.connected_components(graph):
        if len(piece & junctions) >= min_nodes:
            kept |= piece
    use = np.array([node in kept for node in segments.a.tolist()])
    return Segments(*(getattr(segments, name)[use] for name in Segments.__dataclass_fields__))


@dataclass(frozen=True)
class Snapped:
    segment: np.ndarray  # -1 = unattached
    fraction: np.ndarray
    access_m: np.ndarray
    tied: np.ndarray  # another place is as near


def snap_by_segment(points, segments: Segments, *, max_access_m) -> Snapped:
    """Find the nearest single segment of each point with shapely."""
    lines = shapely.linestrings(np.stack([segments.a_xy, segments.b_xy], axis=1))
    places = shapely.points(points)
    near = shapely.STRtree(lines).query_nearest(places, max_distance=max_access_m + 1, all_matches=True)
    n = len(points)
    result = Snapped(np.full(n, -1), np.zeros(n), np.full(n, np.nan), np.zeros(n, dtype=bool))
    spots: dict[int, tuple[float, float]] = {}
    # Of ways drawn twice the first is taken, so that all points on them stand on the same one.
    for point, segment in near.T[np.lexsort((near[1], near[0]))]:
        distance = shapely.distance(places[point], lines[segment])
        if distance > max_access_m:
            continue
        length = shapely.length(lines[segment])
        along = shapely.line_locate_point(lines[segment], places[point]) if length else 0.0
        spot = (
            shapely.line_interpolate_point(lines[segment], along) if length else shapely.Point(lines[segment].coords[0])
        )
        if point in spots:
            result.tied[point] |= np.hypot(spot.x - spots[point][0], spot.y - spots[point][1]) > 1e-6
            continue
        spots[point] = (spot.x, spot.y)
        result.segment[point] = segment
        fraction = along / length if length else 0.0
        # Beyond an end of the segment the place is that end, whatever the last digit says.
        result.fraction[point] = round(fraction) if abs(fraction - round(fraction)) < 1e-9 else fraction
        result.access_m[point] = distance
    return result


def _chain_arcs(chain, ahead, back):
    """Return the arcs between neighbours of a chain of (fraction, node) in the directions that are allowed."""
    arcs = []
    for (f, u), (g, v) in itertools.pairwise(chain):
        arcs += [(u, v, ahead * (g - f))] if np.isfinite(ahead) else []
        arcs += [(v, u, back * (g - f))] if np.isfinite(back) else []
    return arcs


def _arcs(segments: Segments, stops: list[Snapped]):
    """Return arcs with every stop inserted on its segment, and the node of each stop (-1 = unattached)."""
    names = {node: i for i, node in enumerate(np.unique(np.concatenate([segments.a, segments.b])).tolist())}
    on: dict[int, list[tuple[float, int, int]]] = {}
    ids = [np.full(len(stop.segment), -1) for stop in stops]
    for which, stop in enumerate(stops):
        for i, segment in enumerate(stop.segment.tolist()):
            if segment >= 0:
                on.setdefault(segment, []).append((float(stop.fraction[i]), which, i))
    fresh = len(names)
    arcs: list[tuple[int, int, float]] = []
    ends = zip(
        segments.a.tolist(), segments.b.tolist(), segments.ahead_s.tolist(), segments.back_s.tolist(), strict=True
    )
    for s, (a, b, ahead, back) in enumerate(ends):
        chain = [(0.0, names[a])]
        for fraction, which, i in sorted(on.get(s, [])):
            if fraction >= 1.0:
                ids[which][i] = names[b]
                continue
            if fraction > chain[-1][0]:
                chain.append((fraction, fresh))
                fresh += 1
            ids[which][i] = chain[-1][1]
        chain.append((1.0, names[b]))
        arcs += _chain_arcs(chain, ahead, back)
    return arcs, ids, fresh


def travel_matrix(segments, demand, facilities, *, max_access_m=500.0, access_speed_ms=1.0, towards=True):
    """Return seconds between every facility and demand point (inf = unreachable), and whether any point was tied."""
    people = snap_by_segment(demand, segments, max_access_m=max_access_m)
    places = snap_by_segment(facilities, segments, max_access_m=max_access_m)
    arcs, (demand_id, facility_id), count = _arcs(segments, [people, places])
    graph = nx.DiGraph()
    graph.add_nodes_from(range(count))
    for u, v, seconds in arcs:
        if not graph.has_edge(u, v) or graph[u][v]["weight"] > seconds:
            graph.add_edge(u, v, weight=seconds)
    walked = graph.reverse() if towards else graph
    matrix = np.full((len(facilities), len(demand)), np.inf)
    for f, at in enumerate(facility_id.tolist()):
        if at < 0:
            continue
        reached = nx.single_source_dijkstra_path_length(walked, at)
        for d, to in enumerate(demand_id.tolist()):
            if to in reached:
                legs = (places.access_m[f] + people.access_m[d]) / access_speed_ms
                matrix[f, d] = reached[to] + legs
    return matrix, bool(people.tied.any() or places.tied.any())


def inserted(segments, demand, facilities, *, max_access_m, speed_ms):
    """Insert all points and one virtual source before the facilities, for searches of other libraries.

    Returns
    -------
    Arcs (tail, head, seconds, node count), the node of each demand point (the source where unattached), the source,
    and the seconds of each demand point's access leg (inf where unattached).
    """
    people = snap_by_segment(demand, segments, max_access_m=max_access_m)
    places = snap_by_segment(facilities, segments, max_access_m=max_access_m)
    arcs, (demand_id, facility_id), source = _arcs(segments, [people, places])
    arcs += [(source, at, places.access_m[f] / speed_ms) for f, at in enumerate(facility_id.tolist()) if at >= 0]
    tail, head, seconds = (np.array(column) for column in zip(*arcs, strict=True))
    # A sparse matrix would add parallel arcs up and may lose zeros: keep the shortest, and no zero.
    order = np.lexsort((seconds, head, tail))
    tail, head, seconds = tail[order], head[order], np.maximum(seconds[order], 1e-12)
    new = np.concatenate([[True], (np.diff(tail) != 0) | (np.diff(head) != 0)])
    legs = np.where(demand_id >= 0, people.access_m / speed_ms, np.inf)
    return (tail[new], head[new], seconds[new], source + 1), np.where(demand_id >= 0, demand_id, source), source, legs


def nearest_seconds(segments, demand, facilities, *, max_access_m, access_speed_ms):
    """Return seconds from each demand point to its nearest facility (NaN = unreachable) with SciPy; both ways alike."""
    (tail, head, seconds, count), stops, source, legs = inserted(
        segments, demand, facilities, max_access_m=max_access_m, speed_ms=access_speed_ms
    )
    matrix = csr_array((seconds, (tail, head)), shape=(count, count))
    result = dijkstra(matrix, directed=True, indices=source)[stops] + legs
    return np.where(np.isinf(result), np.nan, result)
