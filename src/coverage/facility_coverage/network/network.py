"""One profile's network with everybody standing on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import shapely

from facility_coverage.config.profile import Profile
from facility_coverage.config.study import NetworkOptions
from facility_coverage.layers.model import Floats, Roads
from facility_coverage.network.graph import Bools, Dropped, Graph, build_graph
from facility_coverage.network.snapping import Locations, Places, locate, snap, time_places
from facility_coverage.network.travel import Direction, Links, link


@dataclass(frozen=True)
class Network:
    """The roads as one profile uses them.

    Attributes
    ----------
    profile, options
        Who travels, and the choices that change figures.
    graph, links
        Edges as arrays, and as the search sees them.
    demand
        The demand points, snapped, shape (points,).
    dropped
        Small pieces of network that were left out.
    near_dropped
        Demand points whose nearest way was left out, shape (points,).
    """

    profile: Profile
    options: NetworkOptions
    graph: Graph
    links: Links
    demand: Places
    dropped: Dropped
    near_dropped: Bools

    def snap(self, points: Floats) -> Places:
        """Snap `points` (metres, shape (points, 2)) by the network's own limit and speed."""
        return snap(
            points,
            self.graph,
            max_access_m=self.options.max_access_m,
            access_speed_ms=self.profile.access_speed_ms,
        )


def build_networks(
    roads: Roads,
    profiles: Mapping[str, Profile],
    demand_xy: Floats,
    *,
    options: NetworkOptions,
    file: str,
    direction: Direction = "to_facility",
) -> dict[str, Network]:
    """Build each profile's network and snap the demand points (metres, shape (points, 2)) to it.

    Profiles that may use the same ways share the geometry and the snapping, and differ in time only.

    Raises
    ------
    NetworkError
        When a profile may use no way in `file`.
    """
    shared: dict[tuple[str, str], _Geometry] = {}
    networks = {}
    for name, profile in profiles.items():
        access = (profile.mode, profile.stairs)
        if access not in shared:
            shared[access] = _geometry(roads, profile, demand_xy, options=options, file=file)
        ways = shared[access]
        graph = ways.graph.at_speed(profile.level_speed_ms)
        networks[name] = Network(
            profile=profile,
            options=options,
            graph=graph,
            links=link(graph, direction=direction),
            demand=time_places(ways.demand, graph, access_speed_ms=profile.access_speed_ms),
            dropped=ways.dropped,
            near_dropped=ways.near_dropped,
        )
    return networks


@dataclass(frozen=True)
class _Geometry:
    """What profiles that may use the same ways have in common."""

    graph: Graph
    dropped: Dropped
    demand: Locations
    near_dropped: Bools


def _geometry(roads: Roads, profile: Profile, demand_xy: Floats, *, options: NetworkOptions, file: str) -> _Geometry:
    graph, dropped = build_graph(roads, profile, min_component_nodes=options.min_component_nodes, file=file)
    demand = locate(demand_xy, graph, max_access_m=options.max_access_m)
    return _Geometry(graph, dropped, demand, _nearer_to_dropped(demand_xy, demand, dropped, options.max_access_m))


def _nearer_to_dropped(points: Floats, kept: Locations, dropped: Dropped, max_access_m: float) -> Bools:
    """Tell which points stand nearer to a dropped way than to any kept one."""
    nearer = np.zeros(len(points), dtype=np.bool_)
    if len(dropped.start) < 2:
        return nearer
    lines = shapely.linestrings(
        dropped.xy, indices=np.repeat(np.arange(len(dropped.start) - 1), np.diff(dropped.start))
    )
    (point, _), distance = shapely.STRtree(lines).query_nearest(
        shapely.points(points), max_distance=max_access_m, return_distance=True, all_matches=False
    )
    to_kept = np.full(len(points), np.inf)
    to_kept[kept.edge >= 0] = kept.access_m
    nearer[point] = distance < to_kept[point]
    return nearer
