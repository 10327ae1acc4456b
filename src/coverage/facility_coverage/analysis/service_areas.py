"""Service areas: polygons drawn around the reached parts of roads; for eyes only, no figure uses them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from facility_coverage.analysis import painting
from facility_coverage.analysis.drawing import Pen, Polygons, Sheet, outlines, polygonal, shapes
from facility_coverage.analysis.painting import Homes
from facility_coverage.analysis.trips import Trips
from facility_coverage.analysis.walls import Walls, find_walls
from facility_coverage.config.profile import Direction
from facility_coverage.layers.model import Ints, Layers
from facility_coverage.network.catchment import node_times
from facility_coverage.network.links import TIME_TOLERANCE_S
from facility_coverage.network.network import Network
from facility_coverage.network.snapping import Places

#: For one facility: fine enough to agree with the exact shape to 98 % and more.
FACILITY_PEN = Pen(half_width_m=40.0, cell_m=10.0, max_cells=4_000_000)
#: For a whole layer on the map of a district.
LAYER_PEN = Pen(half_width_m=90.0, cell_m=25.0, max_cells=6_000_000)

#: Facilities whose node times are held at one time and thread.
_BLOCK = 32


def service_areas(layers: Layers, trips: Sequence[Trips], networks: Mapping[str, Network]) -> gpd.GeoDataFrame:
    """Draw where each facility layer is within its cutoff.

    Drawn is the ground within the half width of `LAYER_PEN` of the reached parts of edges (partial edges included) that
    no wall hides from them. Each area type is drawn with its own cutoff.

    Returns
    -------
    Columns `layer` and geometry (multipolygons, metric), one row per layer in the order of `trips`.
    """
    urban = shapely.union_all(layers.zones.geometry[layers.zones["area_type"] == "urban"].to_numpy())
    sheets: dict[str, Sheet] = {}
    drawn = np.empty(len(trips), dtype=object)
    for i, trip in enumerate(trips):
        profile, cutoff_min = trip.layer.profile, trip.layer.cutoff_min
        if profile not in sheets:
            sheets[profile] = _sheet(networks[profile], find_walls(layers, networks[profile].profile))
        by_cutoff = {
            minutes: _drawn_for_all(sheets[profile], trip, 60.0 * minutes, layers.boundary)
            for minutes in set(cutoff_min.values())
        }
        area = by_cutoff[cutoff_min["rural"]]
        if len(by_cutoff) > 1:
            in_towns = shapely.intersection(by_cutoff[cutoff_min["urban"]], urban)
            area = shapely.union(in_towns, shapely.difference(area, urban))
        drawn[i] = shapely.intersection(area, layers.boundary)
    frame = {"layer": [trip.layer.id for trip in trips]}
    return gpd.GeoDataFrame(frame, geometry=polygonal(drawn), crs=layers.crs)


def facility_service_areas(
    network: Network,
    facilities: Places,
    walls: Walls,
    *,
    limit_s: float,
    pen: Pen = FACILITY_PEN,
    threads: int = 1,
) -> Polygons:
    """Draw where each single facility is within `limit_s`.

    Memory: a grid of at most ``pen.max_cells`` for each thread, around the reached roads of the facilities drawn at one
    time, and 8 bytes for each node and thread.

    Parameters
    ----------
    network
        The roads as a profile uses them.
    facilities
        Snapped facilities.
    walls
        What the drawing may not jump, from `find_walls`.
    limit_s
        Longest travel time in seconds, inclusive: between a place on a road and the facility, with the facility's
        access leg, in the profile's direction.
    pen
        Width and fineness of the drawing.
    threads
        Facilities are shared among so many threads; the result does not depend on it.

    Returns
    -------
    Valid multipolygons in the metric reference system, shape (facilities,); empty for a facility that is unattached, or
    whose access leg alone takes longer.
    """
    sheet = _sheet(network, walls)
    limit = limit_s + TIME_TOLERANCE_S

    def part(rows: Ints) -> Polygons:
        here = _taken(facilities, rows)
        homes = _homes(here, sheet.direction)
        within = node_times(network.graph, network.links, here, limit_s=limit_s)
        reached = painting.strokes_around(sheet.ground, homes, within.indptr, within.node, within.seconds, limit)
        return shapes(outlines(sheet, *reached, pen=pen))

    blocks = np.array_split(np.arange(len(facilities)), -(-len(facilities) // _BLOCK) or 1)
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return np.concatenate(list(pool.map(part, blocks)))


def _sheet(network: Network, walls: Walls) -> Sheet:
    return Sheet.of(network.graph, network.links.direction, walls)


def _taken(places: Places, rows: Ints) -> Places:
    """Return the named rows of places."""
    return Places(**{field.name: getattr(places, field.name)[rows] for field in dataclasses.fields(places)})


def _homes(facilities: Places, direction: Direction) -> Homes:
    tail_s, head_s = facilities.forward_s, facilities.backward_s
    if direction == "to_facility":
        tail_s, head_s = head_s, tail_s
    return Homes(facilities.edge, facilities.position_m, tail_s, head_s, facilities.access_s)


def _drawn_for_all(sheet: Sheet, trip: Trips, cutoff_s: float, boundary: BaseGeometry) -> BaseGeometry:
    """Return the ground from which some facility is within `cutoff_s`, drawn in and around the box of the boundary."""
    homes = _homes(trip.places, sheet.direction)
    limit = cutoff_s + TIME_TOLERANCE_S
    reached = painting.strokes_of_all(sheet.ground, homes, limit, trip.nearest.node_s)
    box = shapely.box(*boundary.bounds).buffer(2.0 * LAYER_PEN.half_width_m).bounds
    (shape,) = shapes(outlines(sheet, *reached, pen=LAYER_PEN, within=box))
    return shape
