"""Gaps: people who are left out, and why, found by computing anew without the suspected cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from facility_coverage.analysis.reach import xy_of
from facility_coverage.analysis.trips import Trips
from facility_coverage.layers.model import Ints, Layers
from facility_coverage.network.links import TIME_TOLERANCE_S
from facility_coverage.network.network import Network
from facility_coverage.network.travel import nearest_facility

Bools = npt.NDArray[np.bool_]
Cause = Literal["unattached", "disconnected", "barrier", "slope", "detour", "distance"]
CAUSES: tuple[Cause, ...] = get_args(Cause)

#: A way so many times as long as the straight line is a detour.
DETOUR_FACTOR = 1.5
#: People who live within this distance of each other and are left out for the same cause are one gap, in metres.
TOGETHER_M = 300.0
_CELL_M = 100.0
_NEAR = ("near_id", "near_name", "near_m", "near_direction")
_COMPASS = ("east", "north_east", "north", "north_west", "west", "south_west", "south", "south_east")


@dataclass(frozen=True)
class Variants:
    """The same roads without a suspected cause, None where the study has no such cause.

    Attributes
    ----------
    level
        On level ground.
    unbarred
        Without barriers.
    """

    level: Network | None = None
    unbarred: Network | None = None


def causes(trip: Trips, layers: Layers, network: Network, variants: Variants) -> npt.NDArray[np.object_]:
    """Return why each demand point is left out, None for who is covered or beyond the zones, shape (points,).

    The first of these that holds: ``barrier`` (in time, or near enough to a way, if barriers could be crossed),
    ``unattached`` (no way near), ``disconnected`` (no way leads to a facility), ``slope`` (in time on level ground),
    ``detour`` (the way is `DETOUR_FACTOR` times the straight line, along which one would be in time), ``distance`` (no
    facility is near).
    """
    seconds, cutoff_s = trip.nearest.seconds, trip.cutoff_s
    missed = ~np.isnan(cutoff_s) & ~(seconds <= cutoff_s + TIME_TOLERANCE_S)
    tests: list[tuple[Cause, Bools]] = []
    if variants.unbarred is not None:
        tests.append(("barrier", _in_time(trip, variants.unbarred)))
    tests += [("unattached", network.demand.edge < 0), ("disconnected", np.isnan(seconds))]
    if variants.level is not None:
        tests.append(("slope", _in_time(trip, variants.level)))
    tests.append(("detour", _detour(trip, layers, network)))
    found = np.full(len(seconds), None, dtype=object)
    found[missed] = "distance"
    for cause, holds in reversed(tests):
        found[missed & holds] = cause
    return found


def _in_time(trip: Trips, network: Network) -> Bools:
    """Tell who would be in time on another network."""
    places = network.snap(xy_of(trip.facilities))
    seconds = nearest_facility(network.graph, network.links, network.demand, places).seconds
    return np.asarray(seconds <= trip.cutoff_s + TIME_TOLERANCE_S)


def _detour(trip: Trips, layers: Layers, network: Network) -> Bools:
    """Tell whose way is a detour, on foot: by car there is no one speed."""
    speed = network.profile.level_speed_kmh
    if speed is None or not len(trip.facilities):
        return np.zeros(len(trip.cutoff_s), dtype=np.bool_)
    straight_m, _ = cKDTree(xy_of(trip.facilities)).query(layers.demand.points[["x_m", "y_m"]].to_numpy(dtype=float))
    straight_s = straight_m / (speed / 3.6)
    return (straight_s <= trip.cutoff_s + TIME_TOLERANCE_S) & (trip.nearest.seconds >= DETOUR_FACTOR * straight_s)


def gaps(trip: Trips, layers: Layers, why: npt.NDArray[np.object_], *, groups: Sequence[str]) -> pd.DataFrame:
    """Gather people who are left out into settlements with a name.

    Parameters
    ----------
    trip, layers
        Travel to one facility layer, and the study's data.
    why
        From `causes`.
    groups
        Columns of people to count, `total` among them.

    Returns
    -------
    pandas.DataFrame
        Most people of the layer's group first: `layer`, `gap` (from 1), `zone_id`, `cause`, `x_m`, `y_m` (where most of
        them live), ``people_<group>``, `minutes_missing` (beyond the cutoff, mean of the people; NaN where nothing is
        reached), `near_id`, `near_name`, `near_m`, `near_direction` (the nearest facility as the crow flies).
    """
    points = layers.demand.points
    people = points[list(groups)].fillna(0.0)
    left = np.flatnonzero(pd.notna(why) & (people["total"].to_numpy() > 0))
    of = _gathered(points.iloc[left], why[left])
    table = people.iloc[left].reset_index(drop=True)
    own = table[trip.layer.group].to_numpy(dtype=np.float64)
    weight = np.maximum(own, 1e-9)
    here = points.iloc[left]
    late_min = (trip.nearest.seconds - trip.cutoff_s)[left] / 60.0
    count = int(of.max()) + 1 if len(of) else 0
    total = np.bincount(of, weight, minlength=count)
    first = pd.Series(np.arange(len(of))).groupby(of).first().to_numpy(dtype=np.int64)
    columns: dict[str, object] = {
        "layer": trip.layer.id,
        "zone_id": here["zone_id"].to_numpy()[first],
        "cause": why[left][first],
        "x_m": np.bincount(of, weight * here["x_m"].to_numpy(), minlength=count) / total,
        "y_m": np.bincount(of, weight * here["y_m"].to_numpy(), minlength=count) / total,
        **{f"people_{group}": np.bincount(of, table[group], minlength=count) for group in groups},
        "minutes_missing": np.bincount(of, weight * late_min, minlength=count) / total,
    }
    frame = pd.DataFrame(columns)
    frame = frame.sort_values([f"people_{trip.layer.group}", "zone_id", "cause"], ascending=[False, True, True])
    frame = frame.reset_index(drop=True)
    frame.insert(1, "gap", np.arange(1, len(frame) + 1))
    return pd.concat([frame, _nearby(frame, trip)], axis=1)


def _gathered(points: pd.DataFrame, why: npt.NDArray[np.object_]) -> Ints:
    """Return the number of the settlement of each point: near each other, in one zone, for one cause."""
    if not len(points):
        return np.empty(0, dtype=np.int64)
    kind = pd.factorize(points["zone_id"].astype(str) + "\t" + why.astype(str))[0]
    square = np.floor(points[["x_m", "y_m"]].to_numpy(dtype=np.float64) / _CELL_M).astype(np.int64)
    cells, cell = np.unique(np.column_stack([kind, square]), axis=0, return_inverse=True)
    # Cells of another kind are put far away, so that one search finds neighbours of one kind.
    apart = np.column_stack([cells[:, 1:] * _CELL_M, cells[:, 0] * 1e7])
    pairs = cKDTree(apart).query_pairs(TOGETHER_M, output_type="ndarray")
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(cells), len(cells)))
    _, label = connected_components(links, directed=False)
    return np.asarray(label[cell.ravel()], dtype=np.int64)


def _nearby(frame: pd.DataFrame, trip: Trips) -> pd.DataFrame:
    """Return the nearest facility of each gap, and in which direction the gap lies from it."""
    places = xy_of(trip.facilities)
    if not len(places) or not len(frame):
        return pd.DataFrame(index=frame.index, columns=list(_NEAR), dtype=object)
    here = frame[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    metres, row = cKDTree(places).query(here)
    east, north = (here - places[row]).T
    direction = np.array(_COMPASS, dtype=object)[np.round(np.arctan2(north, east) / (np.pi / 4)).astype(int) % 8]
    columns = {
        "near_id": trip.facilities["facility_id"].to_numpy()[row],
        "near_name": trip.facilities["name"].to_numpy()[row],
        "near_m": metres,
        "near_direction": direction,
    }
    return pd.DataFrame(columns, index=frame.index)
