"""Remedies: what would bring the people of a gap within reach, what it costs, and whom it gains.

Every gain is computed anew with the remedy in place: with one facility more, one more that counts, one path more, or
more capacity.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from facility_coverage.analysis.gaps import Bools, Gathered
from facility_coverage.analysis.promises import Promise
from facility_coverage.analysis.reach import xy_of
from facility_coverage.analysis.servable import servable
from facility_coverage.analysis.serving import Serving
from facility_coverage.analysis.trips import within_own_cutoff
from facility_coverage.config.gaps import Gaps
from facility_coverage.layers.candidates import junction_candidates
from facility_coverage.layers.model import Floats, Ints, Layers
from facility_coverage.network.catchment import catchments
from facility_coverage.network.links import TIME_TOLERANCE_S
from facility_coverage.network.network import Network
from facility_coverage.network.paths import foot_of, nearest_with_access, nearest_with_path
from facility_coverage.network.travel import Nearest

Kind = Literal["new_site", "upgrade", "open_neighbour", "path", "capacity", "record"]

#: Places that are tried for each gap: those nearest to it.
_TRIED = 40
#: Causes that a path may cure: whoever lives far away needs a facility.
_BY_PATH = ("barrier", "unattached", "disconnected", "slope", "detour")
COLUMNS = (
    "layer", "gap", "remedy", "price", "people", "of_gap", "price_per_person", "cheapest", "facility_id", "name",
    "amount", "x_m", "y_m", "to_x_m", "to_y_m",
)  # fmt: skip


@dataclass(frozen=True)
class Remedy:
    """One way to help a gap.

    Attributes
    ----------
    gap
        Row of the gap, from 0.
    kind
        ``new_site``, ``upgrade`` (raise a facility to the tier asked for), ``open_neighbour`` (let one beyond the zones
        count), ``path``, ``capacity`` (more beds), ``record`` (find out how many beds there are).
    price
        By the study's prices.
    people, of_gap
        Of the promise's group whom it brings within reach (or serves): anywhere, and of this gap; NaN for ``record``.
    place, end
        Where: a place, or both ends of a path; metres, shape (2,).
    facility_id, name
        Of the facility that is to be changed.
    amount
        Metres of a path, or units of capacity.
    """

    gap: int
    kind: Kind
    price: float
    people: float
    of_gap: float
    place: Floats
    end: Floats | None = None
    facility_id: str = ""
    name: str = ""
    amount: float = np.nan


@dataclass(frozen=True)
class _Case:
    """A promise with its gaps, and everything that is tried on them."""

    promise: Promise
    gathered: Gathered
    layers: Layers
    network: Network
    options: Gaps

    @property
    def cutoff_s(self) -> Floats:
        return self.promise.trip.cutoff_s

    def gained(self, nearest: Nearest, gap: int) -> tuple[float, float]:
        """Return the people whom other travel times bring within reach, and those of one gap."""
        people = np.where(nearest.seconds <= self.cutoff_s + TIME_TOLERANCE_S, self.gathered.people, 0.0)
        return float(people.sum()), float(people[self.gathered.gap == gap].sum())


def remedies(promise: Promise, gathered: Gathered, layers: Layers, network: Network, *, options: Gaps) -> list[Remedy]:
    """Return what would help the largest gaps of a promise: of each kind of remedy the one that helps a gap most.

    Parameters
    ----------
    promise, gathered
        Who is to reach what, and who does not.
    layers, network
        The study's data, and the network of the promise.
    options
        How many gaps, how long a path, which prices.
    """
    case = _Case(promise, gathered, layers, network, options)
    return [
        *_new_sites(case),
        *_counted(case, promise.other_tiers, "upgrade", options.prices.upgrade),
        *_counted(case, promise.neighbours, "open_neighbour", options.prices.open_neighbour),
        *_paths(case),
    ]


def _largest(gathered: Gathered, options: Gaps) -> pd.DataFrame:
    """Return the largest gaps, which stand first; scattered places have no place that would help them all."""
    table = gathered.table
    return table[~table["scattered"].astype(bool)].head(options.largest)


def _new_sites(case: _Case) -> Iterator[Remedy]:
    """Yield the best junction for a new facility."""
    spacing_m = case.options.spacing_m
    nowhere = shapely.MultiPolygon()
    junctions = junction_candidates(case.network.graph.node_xy, case.layers.zones, nowhere, spacing_m=spacing_m)
    xy = shapely.get_coordinates(junctions.geometry.to_numpy())
    for gap, at, people, of_gap in _best_places(case, xy):
        yield Remedy(gap, "new_site", case.options.prices.new_site, people, of_gap, xy[at])


def _counted(case: _Case, chosen: Bools, kind: Kind, price: float) -> Iterator[Remedy]:
    """Yield the best of the layer's facilities that do not count today."""
    facilities = case.layers.facilities[case.promise.trip.layer.id][chosen]
    xy = xy_of(facilities)
    for gap, at, people, of_gap in _best_places(case, xy):
        row = facilities.iloc[at]
        yield Remedy(gap, kind, price, people, of_gap, xy[at], None, str(row["facility_id"]), str(row["name"]))


def _best_places(case: _Case, xy: Floats) -> Iterator[tuple[int, int, float, float]]:
    """Yield for each gap the place from which most of its people are in reach: gap, row of `xy`, people, of the gap."""
    if not len(xy):
        return
    trip, people, gap_of = case.promise.trip, case.gathered.people, case.gathered.gap
    limit_s = 60.0 * max(trip.layer.cutoff_min.values())
    tree = cKDTree(xy)
    network = case.network
    for gap, (x_m, y_m) in enumerate(_largest(case.gathered, case.options)[["x_m", "y_m"]].to_numpy(dtype=np.float64)):
        near = np.atleast_1d(tree.query((x_m, y_m), k=min(_TRIED, len(xy)))[1])
        within = catchments(
            network.graph, network.links, network.standing, network.snap(xy[near]), limit_s=limit_s
        )  # fmt: skip
        within = within_own_cutoff(within, case.cutoff_s)
        place = np.repeat(np.arange(len(near)), np.diff(within.indptr))
        who = people[within.indices]
        everybody = np.bincount(place, who, minlength=len(near))
        mine = np.bincount(place, np.where(gap_of[within.indices] == gap, who, 0.0), minlength=len(near))
        best = int(np.lexsort((np.arange(len(near)), -everybody, -mine))[0])
        if mine[best] > 0:
            yield gap, int(near[best]), float(everybody[best]), float(mine[best])


def _paths(case: _Case) -> Iterator[Remedy]:
    """Yield the path that brings most of a gap's people in time; of those the shortest. On foot only."""
    speed_kmh = case.network.profile.level_speed_kmh
    if speed_kmh is None or not len(case.promise.trip.facilities):
        return
    speed_ms = speed_kmh / 3.6
    places = case.network.graph.node_xy
    tree = cKDTree(places)
    for gap, row in enumerate(_largest(case.gathered, case.options).to_dict("records")):
        if row["cause"] not in _BY_PATH:
            continue
        middle = np.array([row["x_m"], row["y_m"]], dtype=np.float64)
        yield from _path_to_network(case, gap, speed_ms)
        yield from _path_between(case, gap, middle, places, tree, speed_ms)


def _path_to_network(case: _Case, gap: int, speed_ms: float) -> Iterator[Remedy]:
    """Yield a path from where most of a gap's unattached people live to the nearest way, over what bars it."""
    network, promise = case.network, case.promise
    here = np.flatnonzero((case.gathered.gap == gap) & (network.demand.edge < 0))
    if not len(here):
        return
    xy = case.layers.demand.points[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    middle = xy[here[int(np.argmax(case.gathered.people[here]))]]
    found = foot_of(network, middle, longest_m=case.options.path_m)
    if found is None:
        return
    foot, length_m = found
    lonely = np.flatnonzero(network.demand.edge < 0)
    leg_m = np.hypot(*(xy[lonely] - middle).T)
    lonely, leg_m = lonely[leg_m <= network.options.max_access_m], leg_m[leg_m <= network.options.max_access_m]
    if network.barriers is not None:
        free = ~network.barriers.block(xy[lonely], np.broadcast_to(middle, (len(lonely), 2)).copy())
        lonely, leg_m = lonely[free], leg_m[free]
    access_s = leg_m / network.profile.access_speed_ms + length_m / speed_ms
    nearest = nearest_with_access(network, promise.trip.places, lonely, foot, access_s)
    people, of_gap = case.gained(nearest, gap)
    if of_gap > 0:
        price = case.options.prices.path_m * length_m
        yield Remedy(gap, "path", price, people, of_gap, middle, foot.xy[0], amount=length_m)


def _path_between(
    case: _Case, gap: int, middle: Floats, places: Floats, tree: cKDTree, speed_ms: float
) -> Iterator[Remedy]:
    """Yield a path between two junctions, from one near the gap to one from where it is less far."""
    trip, node_s, options = case.promise.trip, case.promise.trip.nearest.node_s, case.options
    near = np.asarray(tree.query_ball_point(middle, options.radius_m + options.path_m), dtype=np.int64)
    ends = cKDTree(places[near]).query_pairs(options.path_m, output_type="ndarray")
    one, other = near[np.concatenate([ends, ends[:, ::-1]])].T if len(ends) else np.empty((2, 0), dtype=np.int64)
    length_m = np.hypot(*(places[one] - places[other]).T)
    through_s = length_m / speed_ms + node_s[other]
    saves = through_s < node_s[one] - TIME_TOLERANCE_S
    one, other, length_m, through_s = one[saves], other[saves], length_m[saves], through_s[saves]
    if not len(one):
        return
    # Of the junctions where a path would save most.
    best_s = np.full(len(places), -np.inf)
    np.maximum.at(best_s, one, np.minimum(node_s[one], 1e9) - through_s)
    starts = np.unique(one)
    starts = starts[np.lexsort((starts, -best_s[starts]))[:_TRIED]]
    pair = np.flatnonzero(np.isin(one, starts))
    everybody, mine = _in_time_over(case, gap, starts, one[pair], through_s[pair], places)
    best = int(np.lexsort((-everybody, length_m[pair], -mine))[0])
    if mine[best] <= 0:
        return
    a, b, metres = int(one[pair[best]]), int(other[pair[best]]), float(length_m[pair[best]])
    nearest = nearest_with_path(case.network, trip.places, a, b, seconds=metres / speed_ms)
    people, of_gap = case.gained(nearest, gap)
    yield Remedy(gap, "path", options.prices.path_m * metres, people, of_gap, places[a], places[b], amount=metres)


def _in_time_over(
    case: _Case, gap: int, starts: Ints, one: Ints, through_s: Floats, places: Floats
) -> tuple[Floats, Floats]:
    """Return the people, and those of a gap, who are in time by way of junction `one` and `through_s` from there on."""
    network = case.network
    limit_s = 60.0 * max(case.promise.trip.layer.cutoff_min.values())
    spots = network.snap(places[starts])
    within = catchments(network.graph, network.links, network.standing, spots, limit_s=limit_s)
    everybody, mine = np.zeros(len(one)), np.zeros(len(one))
    for k, start in enumerate(starts):
        rows = within.indices[within.indptr[k] : within.indptr[k + 1]]
        left_s = case.cutoff_s[rows] - within.data[within.indptr[k] : within.indptr[k + 1]]
        order = np.argsort(-left_s)
        who = case.gathered.people[rows][order]
        of_gap = np.where(case.gathered.gap[rows][order] == gap, who, 0.0)
        pairs = np.flatnonzero(one == start)
        count = np.searchsorted(-left_s[order], -through_s[pairs] + TIME_TOLERANCE_S, side="right")
        everybody[pairs] = np.concatenate([[0.0], np.cumsum(who)])[count]
        mine[pairs] = np.concatenate([[0.0], np.cumsum(of_gap)])[count]
    return everybody, mine


def capacity_remedies(serving: Serving, gathered: Gathered, *, options: Gaps) -> list[Remedy]:
    """Return how many beds more, and where, would serve the largest gaps of people within reach who are not served.

    Where a facility in reach does not tell its capacity, that is to be found out first.
    """
    found = serving.found
    trip, rate = serving.trip, np.where(serving.per_person > 0, serving.per_person, 1.0)
    xy, facilities = xy_of(trip.facilities), trip.facilities
    remedies_ = []
    for gap, cause in enumerate(_largest(gathered, options)["cause"]):
        here = np.flatnonzero(gathered.gap == gap)
        asked = np.asarray(trip.catchment[:, here].astype(bool) @ found.residual[here])
        asked = np.where(serving.unknown == (cause == "no_data"), asked, -1.0)
        at = int(np.argmax(asked))
        row = facilities.iloc[at]
        who = {"place": xy[at], "facility_id": str(row["facility_id"]), "name": str(row["name"])}
        if cause == "no_data":
            remedies_.append(Remedy(gap, "record", 0.0, np.nan, np.nan, **who))
            continue
        more = float(np.ceil(asked[at] - 1e-9))
        capacity = found.capacity.copy()
        capacity[at] += more
        gain = (servable(trip.catchment, found.need, capacity).served - found.served) / rate
        price, people = options.prices.capacity * more, float(gain.sum())
        remedies_.append(Remedy(gap, "capacity", price, people, float(gain[here].sum()), amount=more, **who))
    return remedies_


def remedy_table(found: list[Remedy], gathered: Gathered) -> pd.DataFrame:
    """Return remedies as a table, gap by gap, and which of them costs least for each person gained.

    Columns: see `COLUMNS`; `gap` is the number in the table of gaps, `cheapest` is True for one of each gap at most.
    """
    nowhere = np.full(2, np.nan)
    rows = [
        {
            "layer": gathered.table["layer"].iloc[one.gap], "gap": int(gathered.table["gap"].iloc[one.gap]),
            "remedy": one.kind, "price": one.price, "people": one.people, "of_gap": one.of_gap,
            "price_per_person": one.price / one.people if one.people > 0 else np.nan, "cheapest": False,
            "facility_id": one.facility_id, "name": one.name, "amount": one.amount,
            **dict(zip(("x_m", "y_m"), one.place, strict=True)),
            **dict(zip(("to_x_m", "to_y_m"), nowhere if one.end is None else one.end, strict=True)),
        }
        for one in found
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table = table.sort_values(["gap", "price_per_person", "remedy"], kind="stable", ignore_index=True)
    first = ~table["gap"].duplicated() & table["price_per_person"].notna()
    return table.assign(cheapest=first)
