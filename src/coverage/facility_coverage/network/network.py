"""One profile's network with everybody standing on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from facility_coverage.config.profile import Profile
from facility_coverage.config.study import NetworkOptions
from facility_coverage.layers.model import Floats, Roads
from facility_coverage.network.catchment import Standing, stand
from facility_coverage.network.graph import Bools, Dropped, Graph
from facility_coverage.network.kept import graph_of
from facility_coverage.network.links import Links, link
from facility_coverage.network.snapping import Barriers, EdgeIndex, Locations, Places, locate, time_places


@dataclass(frozen=True)
class Network:
    """The roads as one profile uses them.

    Attributes
    ----------
    profile, options
        Who travels, and the choices that change figures.
    graph, links
        Edges as arrays, and as the search sees them.
    index
        The edges, packed for snapping.
    barriers
        What no access leg crosses.
    demand
        The demand points, snapped, shape (points,).
    standing
        The same edge by edge.
    dropped
        What was left out: small pieces of network, ways closed or not understood.
    near_dropped
        Demand points whose nearest way was left out as too small, shape (points,).
    blocked
        Demand points whose nearest way lay behind a barrier, shape (points,).
    """

    profile: Profile
    options: NetworkOptions
    graph: Graph
    links: Links
    index: EdgeIndex
    barriers: Barriers | None
    demand: Places
    standing: Standing
    dropped: Dropped
    near_dropped: Bools
    blocked: Bools

    def snap(self, points: Floats) -> Places:
        """Snap `points` (metres, shape (points, 2)) by the network's own limit, barriers and speed."""
        found = locate(points, self.index, max_access_m=self.options.max_access_m, barriers=self.barriers)
        return time_places(found, self.graph, access_speed_ms=self.profile.access_speed_ms)


def build_networks(
    roads: Roads,
    profiles: Mapping[str, Profile],
    demand_xy: Floats,
    *,
    options: NetworkOptions,
    file: str,
    barriers: Barriers | None = None,
) -> dict[str, Network]:
    """Build each profile's network and snap the demand points (metres, shape (points, 2)) to it.

    Networks of the same shape share their snapping, and differ in time only.

    Raises
    ------
    NetworkError
        When a profile may use no way in `file`.
    """
    networks: dict[str, Network] = {}
    snapped: list[_Snapped] = []
    for name, profile in profiles.items():
        graph, dropped = graph_of(roads, profile, min_component_nodes=options.min_component_nodes, file=file)
        shared = next((one for one in snapped if one.fits(graph, dropped)), None)
        if shared is None:
            index = EdgeIndex.of(graph)
            found = locate(demand_xy, index, max_access_m=options.max_access_m, barriers=barriers)
            near_dropped = _nearer_to_dropped(demand_xy, found, dropped, options.max_access_m, barriers)
            shared = _Snapped(index, found, dropped, near_dropped)
            snapped.append(shared)
        demand = time_places(shared.found, graph, access_speed_ms=profile.access_speed_ms)
        networks[name] = Network(
            profile=profile, options=options, graph=graph, links=link(graph, direction=profile.direction),
            index=shared.index, barriers=barriers, demand=demand,
            standing=stand(graph, demand, direction=profile.direction), dropped=dropped,
            near_dropped=shared.near_dropped, blocked=shared.found.blocked,
        )  # fmt: skip
    return networks


@dataclass(frozen=True)
class _Snapped:
    """Where the demand points stand on networks of one shape."""

    index: EdgeIndex
    found: Locations
    dropped: Dropped
    near_dropped: Bools

    def fits(self, graph: Graph, dropped: Dropped) -> bool:
        """Tell whether the edges are those of `graph`, vertex by vertex, and the same pieces were dropped."""
        edge = np.repeat(np.arange(len(graph.tail)), np.diff(graph.start))
        same_edges = np.array_equal(self.index.xy, graph.xy) and np.array_equal(self.index.edge, edge)
        return same_edges and np.array_equal(self.dropped.xy, dropped.xy)


def _nearer_to_dropped(
    points: Floats, kept: Locations, dropped: Dropped, max_access_m: float, barriers: Barriers | None
) -> Bools:
    """Tell which points stand nearer to a dropped way than to any kept one."""
    index = EdgeIndex.over(dropped.xy, dropped.start)
    there = locate(points, index, max_access_m=max_access_m, barriers=barriers)
    to_dropped, to_kept = np.full(len(points), np.inf), np.full(len(points), np.inf)
    to_dropped[there.edge >= 0], to_kept[kept.edge >= 0] = there.access_m, kept.access_m
    return to_dropped < to_kept
