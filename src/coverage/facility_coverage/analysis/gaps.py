"""Gaps: people who are left out, and why, found by computing anew without the suspected cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import cKDTree

from facility_coverage.analysis.promises import Promise
from facility_coverage.analysis.reach import xy_of
from facility_coverage.analysis.serving import Serving
from facility_coverage.analysis.settlements import settlements
from facility_coverage.analysis.trips import Trips
from facility_coverage.config.gaps import Gaps
from facility_coverage.layers.model import Floats, Ints, Layers
from facility_coverage.network.links import TIME_TOLERANCE_S
from facility_coverage.network.network import Network
from facility_coverage.network.travel import nearest_facility

Bools = npt.NDArray[np.bool_]
Cause = Literal[
    "tier", "neighbour", "barrier", "unattached", "disconnected", "slope", "detour", "distance", "no_data", "full"
]
CAUSES: tuple[Cause, ...] = get_args(Cause)

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


def causes(
    promise: Promise, layers: Layers, network: Network, variants: Variants, *, detour_factor: float
) -> npt.NDArray[np.object_]:
    """Return why each demand point is left out, None for who is covered or beyond the zones, shape (points,).

    The first of these that holds: ``tier`` (in time, if facilities of other tiers counted), ``neighbour`` (in time, if
    those beyond the zones counted), ``barrier`` (in time, if barriers could be crossed), ``unattached`` (no way near),
    ``disconnected`` (no way leads to a facility), ``slope`` (in time on level ground), ``detour`` (the way is
    `detour_factor` times the straight line, along which one would be in time), ``distance`` (no facility is near).
    """
    trip = promise.trip
    seconds, cutoff_s = trip.nearest.seconds, trip.cutoff_s
    missed = ~np.isnan(cutoff_s) & ~(seconds <= cutoff_s + TIME_TOLERANCE_S)
    every, own = layers.facilities[trip.layer.id], xy_of(trip.facilities)
    tests: list[tuple[Cause, Bools]] = [
        ("tier", _in_time(trip, network, xy_of(every[promise.other_tiers]))),
        ("neighbour", _in_time(trip, network, xy_of(every[promise.neighbours]))),
        ("barrier", _in_time(trip, variants.unbarred, own)),
        ("unattached", network.demand.edge < 0),
        ("disconnected", np.isnan(seconds) & (len(own) > 0)),
        ("slope", _in_time(trip, variants.level, own)),
        ("detour", _detour(trip, layers, network, detour_factor)),
    ]
    found = np.full(len(seconds), None, dtype=object)
    found[missed] = "distance"
    for cause, holds in reversed(tests):
        found[missed & holds] = cause
    return found


def _in_time(trip: Trips, network: Network | None, facilities: Floats) -> Bools:
    """Tell who would be in time on a network to facilities (metres, shape (facilities, 2)); nobody without either."""
    if network is None or not len(facilities):
        return np.zeros(len(trip.cutoff_s), dtype=np.bool_)
    seconds = nearest_facility(network.graph, network.links, network.demand, network.snap(facilities)).seconds
    return np.asarray(seconds <= trip.cutoff_s + TIME_TOLERANCE_S)


def _detour(trip: Trips, layers: Layers, network: Network, factor: float) -> Bools:
    """Tell whose way is a detour, on foot: by car there is no one speed."""
    speed = network.profile.level_speed_kmh
    if speed is None or not len(trip.facilities):
        return np.zeros(len(trip.cutoff_s), dtype=np.bool_)
    straight_m, _ = cKDTree(xy_of(trip.facilities)).query(layers.demand.points[["x_m", "y_m"]].to_numpy(dtype=float))
    straight_s = straight_m / (speed / 3.6)
    return (straight_s <= trip.cutoff_s + TIME_TOLERANCE_S) & (trip.nearest.seconds >= factor * straight_s)


def unserved(serving: Serving) -> npt.NDArray[np.object_]:
    """Return why each demand point within reach is not served, None for who is, shape (points,).

    ``no_data`` where a facility within reach does not tell its capacity, else ``full``.
    """
    # A millionth of a person is the rounding of shared-out people.
    left = serving.residual_people > 1e-6
    found = np.full(len(left), None, dtype=object)
    found[left] = "full"
    found[left & serving.in_reach_of_unknown] = "no_data"
    return found


@dataclass(frozen=True)
class Gathered:
    """Gaps, and who lives in them.

    Attributes
    ----------
    table
        A row for each gap, see `gather`.
    gap
        Row of each demand point, -1 for those in none, shape (points,).
    people
        Of the group that the promise is for, left out at each demand point, shape (points,).
    """

    table: pd.DataFrame
    gap: npt.NDArray[np.int64]
    people: npt.NDArray[np.float64]


def gather(
    trip: Trips, layers: Layers, why: npt.NDArray[np.object_], people: pd.DataFrame, *, options: Gaps
) -> Gathered:
    """Gather people who are left out into settlements with a name.

    Parameters
    ----------
    trip, layers
        Travel to one facility layer, and the study's data.
    why
        Why each demand point is left out, None for who is not, shape (points,).
    people
        Left out at each demand point, a column for each group; the layer's group is among them.
    options
        How near to each other people of one gap live.

    Returns
    -------
    Gaps with most people of the layer's group first, and last the scattered ones: `layer`, `gap` (from 1), `zone_id`,
    `cause`, `scattered` (whether many small ones of a zone), `x_m`, `y_m` (the middle of where they live),
    ``people_<group>``, `minutes_missing` (beyond the cutoff, mean of those who reach a facility at all; NaN where
    nobody does, or no minutes are missing), `near_id`, `near_name`, `near_m`, `near_direction` (the nearest facility as
    the crow flies, and where the gap lies from it). People add up to all who are left out.
    """
    points = layers.demand.points
    counted = people.fillna(0.0)
    left = np.flatnonzero(pd.notna(why) & (counted.max(axis=1) > 0).to_numpy())
    here, table = points.iloc[left], counted.iloc[left].reset_index(drop=True)
    own = table[trip.layer.group].to_numpy(dtype=np.float64)
    kind = pd.factorize(here["zone_id"].astype(str) + "\t" + why[left].astype(str))[0]
    xy = here[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    of = settlements(xy, kind, own, together_m=options.together_m, radius_m=options.radius_m)
    of, scattered = _pooled(of, kind, own, smallest=options.smallest_share * own.sum())
    late_s = (trip.nearest.seconds - trip.cutoff_s)[left]
    late_min = np.where(late_s > 0, late_s, np.nan) / 60.0
    first = pd.Series(np.arange(len(of))).groupby(of).first().to_numpy(dtype=np.int64)
    frame = pd.DataFrame(
        {
            "layer": trip.layer.id,
            "zone_id": here["zone_id"].to_numpy()[first],
            "cause": why[left][first],
            "scattered": scattered,
            **_means(of, np.maximum(own, 1e-9), {"x_m": xy[:, 0], "y_m": xy[:, 1]}),
            **{f"people_{group}": np.bincount(of, table[group], minlength=len(first)) for group in table.columns},
            **_means(of, np.maximum(own, 1e-9), {"minutes_missing": late_min}),
        }
    )
    key = ["scattered", f"people_{trip.layer.group}", "zone_id", "cause", "x_m", "y_m"]
    frame = frame.sort_values(key, ascending=[True, False, True, True, True, True])
    rank = np.empty(len(frame), dtype=np.int64)
    rank[frame.index.to_numpy()] = np.arange(len(frame))
    frame = frame.reset_index(drop=True)
    frame.insert(1, "gap", np.arange(1, len(frame) + 1))
    gap, who = np.full(len(points), -1, dtype=np.int64), np.zeros(len(points))
    gap[left], who[left] = rank[of], own
    return Gathered(pd.concat([frame, _nearby(frame, trip)], axis=1), gap, who)


def _pooled(of: Ints, kind: Ints, people: Floats, *, smallest: float) -> tuple[Ints, Bools]:
    """Put settlements with fewer people than `smallest` together, kind by kind; tell which numbers stand for those."""
    small = np.bincount(of, people)[of] < smallest if len(of) else np.empty(0, dtype=np.bool_)
    named = np.where(small, -1 - kind, of)
    numbers, pooled = np.unique(named, return_inverse=True)
    return pooled.astype(np.int64), numbers < 0


def _means(of: Ints, weight: Floats, columns: dict[str, Floats]) -> dict[str, Floats]:
    """Return the mean of each column over those people of each gap of whom it is known; NaN where of none."""
    means = {}
    for name, values in columns.items():
        known = np.where(np.isnan(values), 0.0, weight)
        total = np.bincount(of, known)
        sums = np.bincount(of, known * np.nan_to_num(values))
        means[name] = np.divide(sums, total, out=np.full(len(total), np.nan), where=total > 0)
    return means


def _nearby(frame: pd.DataFrame, trip: Trips) -> pd.DataFrame:
    """Return the nearest facility of each gap, and in which direction the gap lies from it; none of scattered ones."""
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
    return pd.DataFrame(columns, index=frame.index).mask(frame["scattered"])
