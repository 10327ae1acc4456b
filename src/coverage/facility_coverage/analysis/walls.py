"""Walls: rivers, motorways and other lines that nobody can cross, and that no drawing jumps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from facility_coverage.analysis.painting import Ground, Sight
from facility_coverage.config.profile import Direction, Profile
from facility_coverage.layers.model import Floats, Ints, Layers, Roads
from facility_coverage.network.access import MOTORROAD, MOTORWAY, open_ways
from facility_coverage.network.graph import Bools, Graph
from facility_coverage.network.order import group

#: Two walls that cut a road nearer to each other than this share of a piece cut it once.
_SAME_CUT = 1e-9


@dataclass(frozen=True)
class Walls:
    """What nobody can cross.

    Attributes
    ----------
    xy
        The two ends of each straight piece of wall, metres, shape (walls, 4).
    bank
        Whether a piece is part of the outline of `polygons`, shape (walls,).
    polygons
        The polygons among the walls, as one shape; empty without any.
    """

    xy: Floats
    bank: Bools
    polygons: BaseGeometry


def no_walls() -> Walls:
    """Return the walls of open country: none."""
    return Walls(np.empty((0, 4)), np.empty(0, dtype=np.bool_), shapely.MultiPolygon())


def find_walls(layers: Layers, profile: Profile) -> Walls:
    """Return what a profile cannot cross: the study's barriers, and motorways it may not use.

    Motorways are ways of the classes `motorway` and `motorway_link`, and trunk roads with ``motorroad=yes``. Those on a
    bridge or in a tunnel are passed under or over.
    """
    barriers = layers.barriers.geometry.to_numpy() if len(layers.barriers) else np.empty(0, dtype=object)
    parts = shapely.get_parts(shapely.get_parts(barriers))  # twice: collections may hold multipart shapes
    kind = shapely.get_type_id(parts)
    polygons = shapely.union_all(parts[kind == shapely.GeometryType.POLYGON])
    lines = parts[np.isin(kind, (shapely.GeometryType.LINESTRING, shapely.GeometryType.LINEARRING))]
    banks = _pieces(shapely.get_rings(shapely.get_parts(polygons)))
    xy = np.concatenate([banks, _pieces(lines), _closed_motorways(layers.roads, profile)])
    return Walls(xy, np.arange(len(xy)) < len(banks), polygons)


def _pieces(lines: npt.NDArray[np.object_]) -> Floats:
    """Return the straight pieces of lines, shape (pieces, 4)."""
    xy, line = shapely.get_coordinates(lines, return_index=True)
    same = line[1:] == line[:-1]
    return np.concatenate([xy[:-1][same], xy[1:][same]], axis=1).reshape(-1, 4)


def _closed_motorways(roads: Roads, profile: Profile) -> Floats:
    """Return the straight pieces of the motorways at ground level that a profile may not use, shape (pieces, 4)."""
    tags = roads.tags
    motorway = tags["highway"].isin(MOTORWAY) | (tags["highway"].isin(MOTORROAD) & (tags["motorroad"] == "yes"))
    forward, backward = open_ways(tags, profile)
    barred = motorway.to_numpy(dtype=np.bool_) & ~(forward | backward) & ~_lifted(tags)
    way = np.repeat(np.arange(len(tags)), np.diff(roads.start))
    first = np.flatnonzero((way[1:] == way[:-1]) & barred[way[:-1]]) if len(way) else np.empty(0, dtype=np.int64)
    return np.concatenate([roads.xy[first], roads.xy[first + 1]], axis=1)


def _lifted(tags: pd.DataFrame) -> Bools:
    """Tell which ways run on a bridge or in a tunnel."""
    above, below = (tags[key].notna() & ~tags[key].isin({"no", "false", "0"}) for key in ("bridge", "tunnel"))
    return (above | below).to_numpy(dtype=np.bool_)


def lay_out(graph: Graph, direction: Direction, walls: Walls) -> Ground:
    """Return a network as the drawings see it: cut where it meets a wall, so that each piece lies on one side.

    Times between two vertices grow evenly, so that the cuts change none.
    """
    vertex, share = _cuts(graph, walls)

    def cut(values: Floats) -> Floats:
        weight = share if values.ndim == 1 else share[:, None]
        between = values[vertex] + weight * (values[vertex + 1] - values[vertex])
        wider: Floats = np.insert(values, vertex + 1, between, axis=0)
        return wider

    tail_s, head_s, tail_ok, head_ok = graph.forward_s, graph.backward_s, graph.forward_ok, graph.backward_ok
    if direction == "to_facility":
        tail_s, head_s, tail_ok, head_ok = head_s, tail_s, head_ok, tail_ok
    incident, incident_start = group(np.concatenate([graph.tail, graph.head]), graph.node_count)
    return Ground(
        xy=cut(graph.xy), start=graph.start + np.searchsorted(vertex, graph.start), vertex_m=cut(graph.vertex_m),
        tail_s=cut(tail_s), head_s=cut(head_s), tail_ok=tail_ok, head_ok=head_ok, tail=graph.tail, head=graph.head,
        incident_start=incident_start, incident=incident % len(graph.tail),
    )  # fmt: skip


def _cuts(graph: Graph, walls: Walls) -> tuple[Ints, Floats]:
    """Return where edges meet walls: a vertex each, and the share of the way from there to the next, in order."""
    piece, wall = _near(graph.xy, graph.start, walls, 0.0)
    a, b = graph.xy[piece], graph.xy[piece + 1]
    c, d = walls.xy[wall, :2], walls.xy[wall, 2:]
    along, across = b - a, d - c
    turn = along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0]
    meets = turn != 0.0  # a road along a wall is not cut by it
    share = np.zeros(len(piece))
    gap = c - a
    share[meets] = (gap[:, 0] * across[:, 1] - gap[:, 1] * across[:, 0])[meets] / turn[meets]
    inner = (share > _SAME_CUT) & (share < 1.0 - _SAME_CUT)
    piece, share = piece[inner], share[inner]
    order = np.lexsort((share, piece))
    piece, share = piece[order], share[order]
    new = np.ones(len(piece), dtype=np.bool_)
    new[1:] = (np.diff(piece) > 0) | (np.diff(share) > _SAME_CUT)
    return piece[new], share[new]


def look_around(ground: Ground, walls: Walls, reach_m: float) -> Sight:
    """Return the walls within `reach_m` of each straight piece of the network."""
    count = len(ground.xy)
    piece, wall = _near(ground.xy, ground.start, walls, reach_m)
    order, start = group(piece, count)
    inside = np.zeros(count, dtype=np.bool_)
    near = np.flatnonzero(np.diff(start))
    if walls.bank.any():
        middle = (ground.xy[near] + ground.xy[near + 1]) / 2.0
        shapely.prepare(walls.polygons)
        inside[near] = shapely.contains_xy(walls.polygons, middle)
    return Sight(start=start, wall=wall[order], xy=walls.xy, bank=walls.bank, inside=inside)


def _near(xy: Floats, start: Ints, walls: Walls, reach_m: float) -> tuple[Ints, Ints]:
    """Return the pairs of a piece of network, named by its first vertex, and a wall within `reach_m` of it."""
    none = np.empty(0, dtype=np.int64)
    if not len(walls.xy):
        return none, none
    first = np.delete(np.arange(len(xy) - 1), start[1:-1] - 1)
    # Most networks see no wall for miles: boxes tell which pieces are worth a line.
    low, high = np.minimum(xy[first], xy[first + 1]), np.maximum(xy[first], xy[first + 1])
    ends = walls.xy.reshape(-1, 2)
    west_south, east_north = ends.min(axis=0) - reach_m, ends.max(axis=0) + reach_m
    first = first[np.all((high >= west_south) & (low <= east_north), axis=1)]
    pieces = shapely.linestrings(np.stack([xy[first], xy[first + 1]], axis=1))
    # GEOS finds nothing near a line without length: repeated vertices, and the steps that carry a turn penalty.
    spots = np.flatnonzero(np.all(xy[first] == xy[first + 1], axis=1))
    pieces[spots] = shapely.points(xy[first[spots]])
    tree = shapely.STRtree(shapely.linestrings(walls.xy.reshape(-1, 2, 2)))
    # A hair more than asked: a piece that ends on a wall by intent misses it by a last digit.
    piece, wall = tree.query(pieces, predicate="dwithin", distance=reach_m + 1e-6)
    return first[piece], wall.astype(np.int64)
