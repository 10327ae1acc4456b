"""The time grid: how far each square of ground is from every facility layer, for answers to a click on a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from facility_coverage.analysis.trips import Trips, within_own_cutoff
from facility_coverage.layers.boundaries import zone_of
from facility_coverage.layers.model import Floats, Ints, Layers
from facility_coverage.network.catchment import catchments
from facility_coverage.network.links import TIME_TOLERANCE_S
from facility_coverage.network.network import Network
from facility_coverage.network.snapping import Places
from facility_coverage.network.travel import nearest_facility

WEB_MERCATOR = "EPSG:3857"
#: Squares of ground in the study that a grid may have, those of all facility layers together; and the sides, in metres,
#: that are tried in turn.
MAX_CELLS = 400_000
MAX_ANSWERS = 900_000
CELLS_M = (50, 75, 100, 125, 150, 200, 250, 300, 400, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000)


@dataclass(frozen=True)
class GroundGrid:
    """Squares in Web Mercator, the first row in the north.

    Attributes
    ----------
    west, north
        Outer corner in Web Mercator metres.
    side
        Of a square, in Web Mercator metres, which are longer than metres on the ground.
    side_m
        About its side on the ground, in metres.
    inside
        Which squares have their centre in the study, shape (rows, columns).
    zone
        Row of the zone that the centre lies in, -1 for none, shape (inside squares,).
    xy
        Centres of the inside squares in the study's metric system, shape (inside squares, 2).
    """

    west: float
    north: float
    side: float
    side_m: int
    inside: npt.NDArray[np.bool_]
    zone: Ints
    xy: Floats


@dataclass(frozen=True)
class GroundTimes:
    """Travel times of one facility layer on the ground.

    Attributes
    ----------
    layer
        Id of the facility layer.
    seconds
        From the centre of each inside square to the nearest facility (or back, as the profile travels), NaN where none
        is reached, shape (inside squares,).
    facility
        Its row in the layer's frame, -1 for none.
    attached
        Whether a way is near enough to the centre.
    indptr, squares
        Facility `f` (row in the layer's frame) is within the cutoff of the inside squares
        ``squares[indptr[f]:indptr[f + 1]]``, rising.
    """

    layer: str
    seconds: Floats
    facility: Ints
    attached: npt.NDArray[np.bool_]
    indptr: Ints
    squares: npt.NDArray[np.int32]


@dataclass(frozen=True)
class TimeGrid:
    """The ground, and the travel times of each facility layer on it."""

    ground: GroundGrid
    times: tuple[GroundTimes, ...]


def time_grid(layers: Layers, trips: Sequence[Trips], networks: Mapping[str, Network], *, threads: int = 1) -> TimeGrid:
    """Compute the travel times between the ground of a study and its facility layers.

    The centre of a square is a demand point like any other, with the cutoff of the zone it lies in. Squares are as
    small as `MAX_CELLS` and `MAX_ANSWERS` allow.

    Memory: 60 bytes for each square, 12 for each pair of a facility and a square in its catchment.
    """
    ground = lay_grid(layers, max_cells=min(MAX_CELLS, MAX_ANSWERS // max(len(trips), 1)))
    standing: dict[str, Places] = {}
    times = []
    for trip in trips:
        network = networks[trip.layer.profile]
        if trip.layer.profile not in standing:
            standing[trip.layer.profile] = network.snap(ground.xy)
        times.append(_times(layers, ground, trip, network, standing[trip.layer.profile], threads))
    return TimeGrid(ground, tuple(times))


def lay_grid(layers: Layers, *, max_cells: int = MAX_CELLS) -> GroundGrid:
    """Lay a grid over the study, of at most about so many squares, and say in which zone each lies."""
    area_m2 = layers.boundary.area
    side_m = next((side for side in CELLS_M if area_m2 / side**2 <= max_cells), CELLS_M[-1])
    to_mercator = pyproj.Transformer.from_crs(layers.crs, WEB_MERCATOR, always_xy=True)
    west, south, east, north = to_mercator.transform_bounds(*layers.boundary.bounds)
    middle = layers.boundary.centroid
    x, y = to_mercator.transform([middle.x, middle.x + 1.0], [middle.y, middle.y])
    side = side_m * float(np.hypot(x[1] - x[0], y[1] - y[0]))
    columns, rows = max(1, int(np.ceil((east - west) / side))), max(1, int(np.ceil((north - south) / side)))
    across, down = west + (np.arange(columns) + 0.5) * side, north - (np.arange(rows) + 0.5) * side
    centre = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
    xy = np.column_stack(to_mercator.transform(centre[:, 0], centre[:, 1], direction="INVERSE"))
    inside = shapely.intersects_xy(layers.boundary, *xy.T)
    xy = xy[inside]
    rows_of = pd.Series(np.arange(len(layers.zones)), index=layers.zones["zone_id"].to_numpy())
    of_point = zone_of(xy, layers.zones).map(rows_of).fillna(-1).to_numpy(dtype=np.int64)
    return GroundGrid(west, north, side, side_m, inside.reshape(rows, columns), of_point, xy)


def _times(
    layers: Layers, ground: GroundGrid, trip: Trips, network: Network, squares: Places, threads: int
) -> GroundTimes:
    nearest = nearest_facility(network.graph, network.links, squares, trip.places)
    frame = layers.facilities[trip.layer.id]
    # Facilities that serve nobody here (those beyond the zones, where only own ones count) have no trips.
    rows = np.append(np.flatnonzero(frame["facility_id"].isin(trip.facilities["facility_id"])), -1)
    limit_s = 60.0 * max(trip.layer.cutoff_min.values())
    within = catchments(network.graph, network.links, squares, trip.places, limit_s=limit_s, threads=threads)
    minutes = layers.zones["area_type"].map(dict(trip.layer.cutoff_min)).to_numpy(dtype=np.float64)
    own = within_own_cutoff(within, 60.0 * np.append(minutes, np.nan)[ground.zone])
    own.sort_indices()
    counts = np.zeros(len(frame) + 1, dtype=np.int64)
    counts[rows[:-1] + 1] = np.diff(own.indptr)
    return GroundTimes(
        trip.layer.id, nearest.seconds, rows[nearest.facility], squares.edge >= 0, np.cumsum(counts),
        own.indices.astype(np.int32),
    )  # fmt: skip


def coded(seconds: Floats, bounds_s: Floats) -> Ints:
    """Return the number of the first bound that each time does not exceed, ``len(bounds_s)`` for longer ones.

    A time within `TIME_TOLERANCE_S` of a bound belongs to it, as cutoffs do.

    Examples
    --------
    >>> coded(np.array([0.0, 15.0, 15.1, 99.0]), np.array([15.0, 30.0])).tolist()
    [0, 0, 1, 2]
    """
    return np.searchsorted(bounds_s, seconds - TIME_TOLERANCE_S, side="left")
