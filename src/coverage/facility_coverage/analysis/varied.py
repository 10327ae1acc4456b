"""Varied travel: a study's travel times with other speeds, another access limit, and facilities elsewhere.

Everything is computed by the same snapping and the same search as the study's own figures. What need not be computed
twice is kept where the result is the same: a walker's times follow the speed evenly, and whoever stands within a
narrow access limit stands at the same place within a wide one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from scipy.spatial import cKDTree

from facility_coverage.analysis import draws
from facility_coverage.analysis.reach import xy_of
from facility_coverage.config.study import NetworkOptions
from facility_coverage.config.uncertainty import Uncertainty
from facility_coverage.layers.model import Floats, Layers
from facility_coverage.network.graph import Bools, build_graph
from facility_coverage.network.links import TIME_TOLERANCE_S, Links, link
from facility_coverage.network.network import Network
from facility_coverage.network.pace import at_pace, paces_evenly
from facility_coverage.network.snapping import Locations, Places, locate, time_places
from facility_coverage.network.travel import nearest_facility

T = TypeVar("T")


@dataclass(frozen=True)
class Scenario:
    """What is otherwise than in the study.

    Attributes
    ----------
    speed
        Factor of all speeds.
    max_access_m
        Access limit; None for the study's own.
    longer_m
        Metres that every trip is longer, walked at the speed of access legs; below 0 it is shorter.
    draw
        Facilities stand where this draw puts them; 0 for where the study has them.
    """

    speed: float = 1.0
    max_access_m: float | None = None
    longer_m: float = 0.0
    draw: int = 0


@dataclass(frozen=True)
class Selection:
    """Facilities that serve, and who is in time.

    Attributes
    ----------
    layer, chosen
        The facility layer, and which of its rows serve, shape (facilities,).
    profile
        Who travels.
    limit
        Of each demand point: seconds, or metres where `is_circle`; NaN beyond the zones, shape (points,).
    is_circle
        Whether the limit is a straight line.
    """

    layer: str
    chosen: Bools
    profile: str
    limit: Floats
    is_circle: bool = False

    @property
    def key(self) -> tuple[str, str, bytes]:
        """What the travel times of the selection depend on."""
        return self.layer, self.profile, self.chosen.tobytes()


@dataclass(frozen=True)
class _Moving:
    """A network at some speed, its times to be divided by `pace`; `demand` is whoever the widest limit attaches."""

    network: Network
    links: Links
    demand: Places
    pace: float

    @property
    def access_speed_ms(self) -> float:
        return self.network.profile.access_speed_ms * self.pace


@dataclass(frozen=True)
class Ground:
    """A study's people and facilities, to be varied.

    Attributes
    ----------
    layers, networks, options
        The study's own.
    asked
        Its uncertainty.
    """

    layers: Layers
    networks: Mapping[str, Network]
    options: NetworkOptions
    asked: Uncertainty
    _kept: dict[tuple[object, ...], object] = field(default_factory=dict)

    def for_draw(self) -> Ground:
        """Return the same ground, whose new results are not kept with those of the others."""
        return replace(self, _kept=dict(self._kept))

    def covered(self, chosen: Selection, scenario: Scenario) -> Bools:
        """Tell which demand points are within reach of a selection, shape (points,); False beyond the zones."""
        if chosen.is_circle:
            return np.asarray(self._metres(chosen, scenario) + scenario.longer_m <= chosen.limit)
        return np.asarray(self.seconds(chosen, scenario) <= chosen.limit + TIME_TOLERANCE_S)

    def seconds(self, chosen: Selection, scenario: Scenario) -> Floats:
        """Return the travel time between each demand point and its nearest facility, NaN where none is reached."""
        moving = self._moving(chosen.profile, scenario.speed)
        limit_m = self.options.max_access_m if scenario.max_access_m is None else scenario.max_access_m
        found = self._places(chosen, moving, scenario)
        serves = chosen.chosen & (found.access_m <= limit_m)  # False for NaN: unattached
        times_key = ("seconds", chosen.key, scenario.draw, scenario.speed / moving.pace, serves.tobytes())

        def search() -> Floats:
            places = replace(found, edge=np.where(serves, found.edge, -1))
            return nearest_facility(moving.network.graph, moving.links, moving.demand, places).seconds

        seconds = self._once(times_key, search)
        attached = moving.demand.access_m <= limit_m
        longer_s = scenario.longer_m / moving.access_speed_ms
        return np.where(attached, seconds / moving.pace + longer_s, np.nan)

    def _moving(self, profile: str, speed: float) -> _Moving:
        """Return the network of a profile at a speed; walkers keep theirs, and their times are divided."""
        network = self.networks[profile]
        if paces_evenly(network.profile) and speed != 1.0:
            return replace(self._moving(profile, 1.0), pace=speed)
        return self._once(("moving", profile, speed), lambda: self._built(network, speed))

    def _built(self, network: Network, speed: float) -> _Moving:
        if speed != 1.0:
            profile = at_pace(network.profile, speed)
            graph, _ = build_graph(
                self.layers.roads, profile, min_component_nodes=self.options.min_component_nodes, file=""
            )
            network = replace(network, profile=profile, graph=graph, links=link(graph, direction=profile.direction))
        points = self.layers.demand.points[["x_m", "y_m"]].to_numpy(dtype=np.float64)
        located = self._locate("", 0, points, network)
        demand = time_places(located, network.graph, access_speed_ms=network.profile.access_speed_ms)
        return _Moving(network, network.links, demand, 1.0)

    def _locate(self, layer: str, draw: int, points: Floats, network: Network) -> Locations:
        """Snap the facilities of a layer, or the demand (`layer` empty), once for all networks of one shape.

        The limit is the widest: within a narrower one, everybody whose leg is short enough stands at the same place.
        """
        widest_m = max(self.asked.access_m(self.options.max_access_m)[1], self.options.max_access_m)
        index = network.index  # the same object for networks of one shape, and as long-lived as they
        return self._once(
            ("located", layer, draw, id(index)),
            lambda: locate(points, index, max_access_m=widest_m, barriers=network.barriers),
        )

    def _places(self, chosen: Selection, moving: _Moving, scenario: Scenario) -> Places:
        """Return all facilities of a layer, snapped."""
        network, layer, draw = moving.network, chosen.layer, scenario.draw

        def timed() -> Places:
            located = self._locate(layer, draw, self._xy(layer, draw), network)
            return time_places(located, network.graph, access_speed_ms=network.profile.access_speed_ms)

        return self._once(("places", layer, chosen.profile, draw, scenario.speed / moving.pace), timed)

    def _metres(self, chosen: Selection, scenario: Scenario) -> Floats:
        """Return the straight line between each demand point and the nearest facility, inf where it is out of reach."""
        points = self.layers.demand.points[["x_m", "y_m"]].to_numpy(dtype=np.float64)
        farthest_m = float(np.nanmax(chosen.limit, initial=0.0)) + abs(scenario.longer_m) + 1.0

        def search() -> Floats:
            if not chosen.chosen.any():
                return np.full(len(points), np.inf)
            tree = cKDTree(self._xy(chosen.layer, scenario.draw)[chosen.chosen])
            return np.asarray(tree.query(points, distance_upper_bound=farthest_m)[0], dtype=np.float64)

        return self._once(("metres", chosen.key, scenario.draw, farthest_m), search)

    def _xy(self, layer: str, draw: int) -> Floats:
        """Return where the facilities of a layer stand in a draw."""
        facilities = self.layers.facilities[layer]
        if not draw:
            return xy_of(facilities)
        return xy_of(facilities) + draws.shifts_m(self.asked, draw, layer=layer, facility_ids=facilities["facility_id"])

    def _once(self, key: tuple[object, ...], make: Callable[[], T]) -> T:
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]  # type: ignore[return-value]
