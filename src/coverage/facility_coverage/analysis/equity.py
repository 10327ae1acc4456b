"""Equity: how evenly what facilities offer within reach is shared among the people of each group and area type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from facility_coverage.analysis.accessibility import two_step
from facility_coverage.analysis.inequality import NOTHING, Distribution
from facility_coverage.analysis.trips import Trips
from facility_coverage.layers.model import Floats, Ints, Layers

SCOPES = ("study", "urban", "rural")
#: The worst-served part of people that is told town by town.
TENTH = 0.1
#: Shares of people at which Lorenz curves are told.
CURVE = np.linspace(0.0, 1.0, 101)
#: Splitting a class leaves rounding in towns that have none of it: so small a part of the tenth is nobody.
_NOBODY = 1e-9

_KEYS = ["layer", "capacity", "group", "scope"]
_FIGURES = [
    *_KEYS, "population", "no_data", "partly_known", "with_none", "missing", "mean_per_1000", "gini", "palma_ratio",
    "best_tenth_share", "worst_four_tenths_share", "worst_tenth_up_to_per_1000", "reason",
]  # fmt: skip
_CURVES = [*_KEYS, "people_share", "accessibility_share"]
_WORST = [*_KEYS, "zone_id", "zone_name", "people", "share_of_tenth", "population", "share_of_zone"]


@dataclass(frozen=True)
class Equity:
    """How evenly accessibility is shared, by `layer`, `capacity` (empty: facilities are counted), `group` and `scope`.

    Rows stand in the order of the study's layers, capacities and groups, and of `SCOPES`; groups that have nobody in a
    scope have no row. See docs/equity.md for formulas.

    Attributes
    ----------
    figures
        `population`; `no_data` (people of it whose accessibility is not known, who are left out), `partly_known`
        (people who also reach facilities of unknown capacity), `with_none` (people whose accessibility is 0),
        `missing` (facilities of unknown capacity within somebody's reach), `mean_per_1000`, `gini`, `palma_ratio`,
        `best_tenth_share`, `worst_four_tenths_share`, `worst_tenth_up_to_per_1000`, and `reason` for what is NaN.
    lorenz
        `people_share`, `accessibility_share`: 101 points of each curve; none where nobody has any.
    worst_served
        Where the worst-served tenth of the people live: `zone_id`, `zone_name`, `people` (of the tenth),
        `share_of_tenth`, `population` (of the group in the zone), `share_of_zone`; most people first, then by zone_id.
    """

    figures: pd.DataFrame
    lorenz: pd.DataFrame
    worst_served: pd.DataFrame


@dataclass(frozen=True)
class Access:
    """What is within reach of one person at each demand point.

    Attributes
    ----------
    value
        Capacity (or facilities) for one person, 0 where nothing is within reach, NaN where it is not known.
    is_partly_known
        Whether facilities of unknown capacity are within reach beside others.
    missing
        Facilities of unknown capacity within somebody's reach.
    """

    value: Floats
    is_partly_known: np.ndarray
    missing: int


def measure_equity(layers: Layers, trips: Sequence[Trips], *, groups: Sequence[str]) -> Equity:
    """Compute how evenly the capacity within reach, or the facilities, are shared among people.

    Parameters
    ----------
    layers
        The study's data.
    trips
        Travel to each facility layer.
    groups
        Columns of ``layers.demand.points`` whose people are looked at.
    """
    people = _People.of(layers, [*groups, *(trip.layer.group for trip in trips)])
    parts = [
        found
        for trip in trips
        for capacity in (trip.layer.capacity or [""])
        for found in _of_capacity(trip, capacity, people, groups)
    ]
    return Equity(*(_table(parts, i, columns) for i, columns in enumerate((_FIGURES, _CURVES, _WORST))))


def access_of(trip: Trips, capacity: str, people: Floats) -> Access:
    """Return what is within reach of one person at each point, shared with all people who compete for it.

    `accessibility.two_step` within the layer's own cutoffs. A facility tells nothing where its capacity is not known,
    or where none of the people who compete are within its reach; who reaches only such facilities has no figure, and
    who reaches others too has theirs.

    Parameters
    ----------
    trip
        Travel to the facility layer.
    capacity
        Column of its facilities; empty: each facility counts 1.
    people
        Who competes at each demand point, shape (points,).
    """
    count = len(trip.facilities)
    offered = trip.facilities[capacity].to_numpy(dtype=np.float64) if capacity else np.ones(count)
    pairs = trip.catchment
    within = csr_array((np.ones(pairs.nnz), pairs.indices, pairs.indptr), shape=pairs.shape)
    unknown = np.isnan(offered)
    silent = unknown | (np.asarray(within @ people) <= 0)
    reached_silent = np.asarray(within.T @ silent.astype(np.float64)) > 0
    reached_known = np.asarray(within.T @ (~silent).astype(np.float64)) > 0
    value = two_step(within, offered, people)
    # Where no capacity at all is known, those who reach nothing must not stand for everybody.
    value[(reached_silent & ~reached_known) | (count > 0 and unknown.all())] = np.nan
    missing = unknown & (np.diff(pairs.indptr) > 0)
    return Access(value, reached_silent & reached_known, int(missing.sum()))


@dataclass(frozen=True)
class _People:
    """Who lives where: row of the zone of each point (-1 beyond), scope → its points, group → people, zones."""

    zone: Ints
    in_scope: dict[str, np.ndarray]
    of_group: dict[str, Floats]
    zones: pd.DataFrame

    @classmethod
    def of(cls, layers: Layers, groups: Sequence[str]) -> _People:
        points, zones = layers.demand.points, layers.zones
        zone = pd.Index(zones["zone_id"]).get_indexer(pd.Index(points["zone_id"]))
        kind = np.array([*zones["area_type"], None], dtype=object)[zone]  # -1 finds the None
        in_scope = {scope: (zone >= 0) if scope == "study" else kind == scope for scope in SCOPES}
        # NaN stands for people beyond the zones, whose groups are not known.
        of_group = {group: points[group].fillna(0.0).to_numpy(dtype=np.float64) for group in groups}
        return cls(zone.astype(np.int64), in_scope, of_group, zones[["zone_id", "name"]].reset_index(drop=True))

    def by_zone(self, people: Floats) -> Floats:
        """Add up people by zone."""
        inside = self.zone >= 0
        return np.bincount(self.zone[inside], weights=people[inside], minlength=len(self.zones)).astype(np.float64)


def _of_capacity(
    trip: Trips, capacity: str, everybody: _People, groups: Sequence[str]
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]]:
    """Yield figures, curve and towns of each group and scope that have people."""
    competing = everybody.of_group[trip.layer.group]
    access = access_of(trip, capacity, competing)
    # Many points reach the same facilities: what follows works on the values that there are.
    value, which = np.unique(access.value, return_inverse=True)
    for group in groups:
        for scope in SCOPES:
            people = np.where(everybody.in_scope[scope], everybody.of_group[group], 0.0)
            if not people.sum() > 0:
                continue
            keys = dict(zip(_KEYS, (trip.layer.id, capacity, group, scope), strict=True))
            by_value = np.bincount(which, weights=people, minlength=len(value))
            shared = Distribution.of(value, by_value)
            part = np.zeros(len(value))
            part[(by_value > 0) & ~np.isnan(value)] = shared.part_below(TENTH)
            yield (
                pd.DataFrame([keys | _figures(access, people, shared)]),
                _curve(shared).assign(**keys),
                _towns(everybody, people, people * part[which]).assign(**keys),
            )


def _figures(access: Access, people: Floats, shared: Distribution) -> dict[str, object]:
    """Return the figures of one group in one scope."""
    share = shared.lorenz([0.4, 0.9])
    reached = shared.part_below(TENTH) > _NOBODY
    return {
        "population": float(people.sum()),
        "no_data": float(people[np.isnan(access.value)].sum()),
        "partly_known": float(people[access.is_partly_known & ~np.isnan(access.value)].sum()),
        "with_none": float(shared.people[shared.value == 0].sum()),
        "missing": access.missing,
        "mean_per_1000": 1000.0 * shared.mean,
        "gini": shared.gini(),
        "palma_ratio": shared.palma(),
        "best_tenth_share": float(1.0 - share[1]),
        "worst_four_tenths_share": float(share[0]),
        "worst_tenth_up_to_per_1000": 1000.0 * float(shared.value[reached][-1]) if reached.any() else np.nan,
        "reason": _reason(shared, float(share[0])),
    }


def _reason(shared: Distribution, worst: float) -> str:
    """Say why figures are NaN: nobody has a figure, nobody has any, or the worst-served four tenths have nothing."""
    if not len(shared.value):
        return "no_data"
    if not shared.mean > 0:
        return "nobody_has_any"
    return "" if worst > NOTHING else "four_tenths_have_none"


def _curve(shared: Distribution) -> pd.DataFrame:
    """Return the points of the Lorenz curve; none where there is nothing to share."""
    curve = pd.DataFrame({"people_share": CURVE, "accessibility_share": shared.lorenz(CURVE)})
    return curve[curve["accessibility_share"].notna()]


def _towns(everybody: _People, people: Floats, worst: Floats) -> pd.DataFrame:
    """Return the zones where the worst-served tenth live."""
    of_zone, population = everybody.by_zone(worst), everybody.by_zone(people)
    named: pd.DataFrame = everybody.zones.rename(columns={"name": "zone_name"})
    table = named.assign(people=of_zone, population=population)
    table = table[of_zone > _NOBODY * worst.sum()]
    table = table.assign(
        share_of_tenth=table["people"] / worst.sum(), share_of_zone=table["people"] / table["population"]
    )
    towns: pd.DataFrame = table.sort_values(["people", "zone_id"], ascending=[False, True], ignore_index=True)
    return towns


def _table(parts: Sequence[tuple[pd.DataFrame, ...]], which: int, columns: list[str]) -> pd.DataFrame:
    """Put the tables of all groups together; columns stand in order even where there is no row."""
    found = [part[which] for part in parts if len(part[which])]
    return pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame(columns=columns)
