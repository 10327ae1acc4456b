"""Small worlds for tests: ways, lattices, graphs and whole sets of layers."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from facility_coverage.config.profile import Profile
from facility_coverage.config.study import FacilityLayer, NetworkOptions
from facility_coverage.layers.model import TAGS, Demand, Layers, Roads
from facility_coverage.network.graph import Graph
from facility_coverage.network.network import Network, build_networks

WALKER = Profile(name="walker", level_speed_kmh=3.6, source="one metre per second, easy to count")


def roads(nodes, ways, **tags) -> Roads:
    """Make ways from lists of node numbers; `nodes` holds their coordinates; tags are given per way."""
    flat = [node for way in ways for node in way]
    frame = pd.DataFrame({tag: pd.Series([None] * len(ways), dtype=object) for tag in TAGS})
    frame["highway"] = "residential"
    for tag, values in tags.items():
        frame[tag] = pd.Series(values, dtype=object)
    frame.insert(0, "way_id", [str(i) for i in range(len(ways))])
    return Roads(
        xy=np.asarray(nodes, dtype=np.float64)[flat],
        node=np.array(flat, dtype=np.int64),
        start=np.concatenate([[0], np.cumsum([len(way) for way in ways])]).astype(np.int64),
        tags=frame,
    )


def lattice(columns, rows, *, step_m=100.0) -> Roads:
    """Make streets in rows and columns, one way per street, meeting at every crossing."""
    nodes = [(c * step_m, r * step_m) for r in range(rows) for c in range(columns)]
    along = [[r * columns + c for c in range(columns)] for r in range(rows)]
    across = [[r * columns + c for r in range(rows)] for c in range(columns)]
    return roads(nodes, along + across)


def random_roads(rng, *, n_nodes=12, n_ways=10) -> Roads:
    """Make a tangle: shared nodes, inner vertices, loops, parallel ways, repeated vertices, several pieces.

    No segment is drawn twice: a point on a doubled road stands on either copy, by the last digit of its distance.
    """
    nodes = rng.uniform(0, 1000, (n_nodes + n_ways, 2))
    ways, drawn = [], set()
    for fresh in range(n_nodes, n_nodes + n_ways):
        way = rng.choice(n_nodes, rng.integers(2, 5), replace=False).tolist()
        kind = rng.integers(0, 8)
        if kind == 0 and len(way) > 2:
            way.append(way[0])
        elif kind == 1:
            way.insert(1, way[0])
        elif kind == 2 and ways and ways[-1][0] != ways[-1][-1]:
            way = [ways[-1][0], fresh, ways[-1][-1]]
        pairs = {frozenset(pair) for pair in itertools.pairwise(way)}
        if not any(len(pair) > 1 for pair in pairs & drawn):
            ways.append(way)
            drawn |= pairs
    return roads(nodes, ways)


def shuffled(rng, ways: Roads) -> Roads:
    """Return the same ways in another order, their nodes numbered otherwise."""
    order = rng.permutation(len(ways.tags))
    name = rng.permutation(int(ways.node.max()) + 1)
    vertices = np.concatenate([np.arange(ways.start[way], ways.start[way + 1]) for way in order])
    start = np.concatenate([[0], np.cumsum(np.diff(ways.start)[order])])
    return Roads(ways.xy[vertices], name[ways.node[vertices]], start, ways.tags.iloc[order].reset_index(drop=True))


def random_points(rng, ways: Roads, count) -> np.ndarray:
    """Scatter points, some of them exactly on vertices."""
    points = rng.uniform(-100, 1100, (count, 2))
    on = rng.random(count) < 0.25
    points[on] = ways.xy[rng.integers(0, len(ways.xy), int(on.sum()))]
    return points


def graph(edges, node_count) -> Graph:
    """Make a graph from (tail, head, coordinates, seconds per metre ahead, back); None = not allowed that way."""
    xy, vertex, ahead, back, start = [], [], [], [], [0]
    for _, _, corners, forward, backward in edges:
        line = np.asarray(corners, dtype=np.float64)
        metres = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
        xy.append(line)
        vertex.append(metres)
        ahead.append(metres * (1.0 if forward is None else forward))
        back.append(metres * (1.0 if backward is None else backward))
        start.append(start[-1] + len(line))
    return Graph(
        xy=np.concatenate(xy),
        start=np.array(start, dtype=np.int64),
        vertex_m=np.concatenate(vertex),
        forward_s=np.concatenate(ahead),
        backward_s=np.concatenate(back),
        tail=np.array([edge[0] for edge in edges], dtype=np.int64),
        head=np.array([edge[1] for edge in edges], dtype=np.int64),
        forward_ok=np.array([edge[3] is not None for edge in edges]),
        backward_ok=np.array([edge[4] is not None for edge in edges]),
        node_count=node_count,
    )


def network(ways: Roads, points) -> Network:
    """Build the walker's network without dropping anything."""
    options = NetworkOptions(min_component_nodes=1)
    return build_networks(ways, {"walker": WALKER}, points, options=options, file="roads")["walker"]


def facility_layer(**options) -> FacilityLayer:
    chosen = {"id": "clinics", "name": "Clinics", "kind": "clinic", "path": "clinics.csv", "profile": "walker"}
    return FacilityLayer.model_validate({**chosen, "cutoff_min": {"urban": 15, "rural": 30}, **options})


def layers(ways: Roads, zones, points, facilities, *, layer="clinics") -> Layers:
    """Make layers: zones {id: (area type, polygon)}, points as a frame, facilities {id: (x, y, zone)}."""
    crs = pyproj.CRS.from_epsg(32648)
    frame = gpd.GeoDataFrame(
        {"zone_id": list(zones), "name": list(zones), "area_type": [kind for kind, _ in zones.values()]},
        geometry=[shape for _, shape in zones.values()],
        crs=crs,
    )
    places = gpd.GeoDataFrame(
        {
            "facility_id": list(facilities),
            "name": list(facilities),
            "tier": pd.Series([None] * len(facilities), dtype=object),
            "zone_id": pd.Series([zone for _, _, zone in facilities.values()], dtype=object),
        },
        geometry=shapely.points(np.array([(x, y) for x, y, _ in facilities.values()], dtype=float).reshape(-1, 2)),
        crs=crs,
    )
    return Layers(
        crs=crs,
        boundary=shapely.union_all([shape for _, shape in zones.values()]),
        zones=frame,
        demand=Demand(points=points, ledger=pd.DataFrame(), cells=pd.DataFrame()),
        facilities={layer: places},
        roads=ways,
    )
