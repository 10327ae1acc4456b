"""Coverage: who is within the cutoff, per zone, area type and group; figures come from travel times only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from facility_coverage.analysis.trips import Trips
from facility_coverage.layers.model import Layers
from facility_coverage.network.graph import piece_lengths_m
from facility_coverage.network.links import TIME_TOLERANCE_S
from facility_coverage.network.network import Network


@dataclass(frozen=True)
class CoverageResult:
    """What the travel times say.

    Attributes
    ----------
    demand
        Aligned with ``layers.demand.points``: `demand_id` and, per facility layer ``L``: ``L_s`` (seconds to the
        nearest facility, NaN = unreachable), ``L_facility`` (its facility_id or None), ``L_covered`` (bool; False
        beyond the zones).
    zones
        Long table `zone_id`, `layer`, `group`, `population`, `covered`, `share` (NaN where nobody lives); one row per
        zone, layer and group; sorted by the three.
    summary
        The same columns with `scope` (study, urban, rural) in place of `zone_id`.
    facilities
        One row per facility: `layer`, `facility_id`, `access_m` (NaN = unattached), `piece_km` (length of the connected
        piece of network it stands on) and ``catchment_<group>`` for every group: people of the study's zones within
        their cutoff of it.
    access
        Per profile: `profile`, `edge_count`, `length_km`, ``unattached_<group>`` (people of the zones too far from any
        way, or cut off from every way by barriers), `dropped_component_count`, `dropped_length_km`,
        `dropped_population` (whose nearest way was dropped), `blocked_population` (whose nearest way lay behind a
        barrier: they take another, or none).
    """

    demand: pd.DataFrame
    zones: pd.DataFrame
    summary: pd.DataFrame
    facilities: pd.DataFrame
    access: pd.DataFrame


def measure_coverage(
    layers: Layers, trips: Sequence[Trips], networks: Mapping[str, Network], *, groups: Sequence[str]
) -> CoverageResult:
    """Count who is covered by each facility layer.

    Parameters
    ----------
    layers
        The study's data.
    trips
        Travel to each facility layer.
    networks
        Profile name → network.
    groups
        Columns of ``layers.demand.points`` to count, `total` among them.
    """
    points = layers.demand.points
    demand = {"demand_id": points["demand_id"].to_numpy()}
    for trip in trips:
        demand |= _columns(trip)
    frame = pd.DataFrame(demand, index=points.index)
    zones = pd.concat([_per_zone(layers, trip, frame, groups) for trip in trips], ignore_index=True)
    return CoverageResult(
        demand=frame,
        zones=zones.sort_values(["zone_id", "layer", "group"], ignore_index=True),
        summary=_summary(layers, zones),
        facilities=pd.concat(
            [_catchments(points, trip, networks[trip.layer.profile], groups) for trip in trips], ignore_index=True
        ),
        access=pd.DataFrame([_access(points, name, networks[name], groups) for name in sorted(networks)]),
    )


def _columns(trip: Trips) -> dict[str, np.ndarray]:
    """Return seconds, facility and covered of each demand point."""
    ids = np.array([*trip.facilities["facility_id"], None], dtype=object)  # -1 finds the None
    seconds = trip.nearest.seconds
    return {
        f"{trip.layer.id}_s": seconds,
        f"{trip.layer.id}_facility": ids[trip.nearest.facility],
        # Comparisons with NaN are False: who cannot get there, or lives beyond the zones, is not covered.
        f"{trip.layer.id}_covered": seconds <= trip.cutoff_s + TIME_TOLERANCE_S,
    }


def _per_zone(layers: Layers, trip: Trips, frame: pd.DataFrame, groups: Sequence[str]) -> pd.DataFrame:
    """Sum people and covered people of each group per zone."""
    points = layers.demand.points
    covered = frame[f"{trip.layer.id}_covered"]
    zone_ids = layers.zones["zone_id"].to_numpy()

    def per_zone(people: pd.DataFrame) -> pd.DataFrame:
        sums = people.groupby(points["zone_id"]).sum().reindex(zone_ids, fill_value=0.0)
        return sums.rename_axis("zone_id")

    people = points[list(groups)]
    tables = {"population": per_zone(people), "covered": per_zone(people.where(covered, 0.0))}
    long = pd.concat({name: table.stack() for name, table in tables.items()}, axis=1)
    long = long.rename_axis(["zone_id", "group"]).reset_index()
    long.insert(1, "layer", trip.layer.id)
    return long.assign(share=_share(long["covered"], long["population"]))


def _summary(layers: Layers, zones: pd.DataFrame) -> pd.DataFrame:
    """Add zones up to the study and to its area types, so that the sums agree to the last digit."""
    area_type = dict(zip(layers.zones["zone_id"], layers.zones["area_type"], strict=True))
    by_type = zones.assign(scope=zones["zone_id"].map(area_type))
    both = pd.concat([zones.assign(scope="study"), by_type], ignore_index=True)
    sums = both.groupby(["scope", "layer", "group"], as_index=False)[["population", "covered"]].sum()
    return sums.assign(share=_share(sums["covered"], sums["population"]))


def _catchments(points: pd.DataFrame, trip: Trips, network: Network, groups: Sequence[str]) -> pd.DataFrame:
    """Count the people of each facility's catchment."""
    # NaN stands for people beyond the zones, whose groups are not known; catchments hold none of them.
    people = points[list(groups)].fillna(0.0).to_numpy(dtype=np.float64)
    within = trip.catchment.copy()
    within.data = np.ones_like(within.data)
    counts = within @ people
    table = pd.DataFrame({f"catchment_{group}": counts[:, i] for i, group in enumerate(groups)})
    table.insert(0, "layer", trip.layer.id)
    table.insert(1, "facility_id", trip.facilities["facility_id"].to_numpy())
    table.insert(2, "access_m", trip.places.access_m)
    # The NaN at the end is for those who stand on no edge.
    table.insert(3, "piece_km", np.append(piece_lengths_m(network.graph) / 1000, np.nan)[trip.places.edge])
    return table


def _access(points: pd.DataFrame, name: str, network: Network, groups: Sequence[str]) -> dict[str, object]:
    """Say how well the demand stands on one profile's network."""
    in_zones = points["zone_id"].notna().to_numpy()
    people = points["total"].to_numpy(dtype=np.float64)
    unattached = in_zones & (network.demand.edge < 0)
    return {
        "profile": name,
        "edge_count": len(network.graph.tail),
        "length_km": float(network.graph.length_m.sum() / 1000),
        **{f"unattached_{group}": float(points.loc[unattached, group].sum()) for group in groups},
        "dropped_component_count": network.dropped.component_count,
        "dropped_length_km": network.dropped.length_m / 1000,
        "dropped_population": float(people[in_zones & network.near_dropped].sum()),
        "blocked_population": float(people[in_zones & network.blocked].sum()),
    }


def _share(part: pd.Series, whole: pd.Series) -> pd.Series:
    """Return part / whole, NaN where the whole is nothing."""
    return part / whole.where(whole > 0)
