"""The hierarchy: which centre leads which station and point, and whom each tier reaches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from facility_coverage.analysis.measures import population_covered
from facility_coverage.analysis.reach import Reach, chosen_of
from facility_coverage.config.study import FacilityLayer
from facility_coverage.network.links import TIME_TOLERANCE_S

LED = [
    "layer",
    "facility_id",
    "name",
    "tier",
    "zone_id",
    "leader_id",
    "leader_name",
    "leader_tier",
    "minutes",
    "status",
]
EVERY_TIER = "*"
"""In the coverage of tiers: all of them together."""


def led_facilities(layer: FacilityLayer, reach: Reach) -> pd.DataFrame:
    """Return for each facility of the study's zones the centre that leads it: the nearest of the tiers that may.

    Parameters
    ----------
    layer
        Its tiers say by which tiers they are led, and how far off the centre may be.
    reach
        The study on its networks; the layer's own profile walks from the led facility to the centre.

    Returns
    -------
    pandas.DataFrame
        `layer`, `facility_id`, `name`, `tier`, `zone_id`, `leader_id`, `leader_name`, `leader_tier` (None without),
        `minutes` (NaN where no centre can be reached), `status`: ``leads`` (nobody leads this tier), ``led``, or
        ``orphan`` (no centre within reach, or within the tier's own limit); sorted by facility_id.
    """
    facilities = reach.layers.facilities[layer.id]
    own = facilities[facilities["zone_id"].notna().to_numpy()]
    parts = []
    for tier in layer.tiers:
        led = own[(own["tier"] == tier.id).to_numpy()]
        leaders = own[own["tier"].isin(tier.led_by).to_numpy()]
        found = _leaders(led, leaders, layer, reach, limit_min=tier.led_within_min)
        kept = led[["facility_id", "name", "tier", "zone_id"]].reset_index(drop=True).assign(layer=layer.id, **found)
        parts.append(kept if tier.led_by else kept.assign(status="leads"))
    if not parts:
        return pd.DataFrame(columns=LED)
    table: pd.DataFrame = pd.concat(parts, ignore_index=True).sort_values("facility_id", ignore_index=True)
    texts = {column: table[column].astype(object).where(table[column].notna(), None) for column in LED[5:8]}
    return table.assign(**texts)[LED]


def _leaders(
    led: pd.DataFrame, leaders: pd.DataFrame, layer: FacilityLayer, reach: Reach, *, limit_min: float | None
) -> dict[str, np.ndarray]:
    seconds, row = np.full(len(led), np.nan), np.full(len(led), -1)
    if len(led) and len(leaders):
        seconds, row = reach.between(led, leaders, profile=layer.profile)
    minutes = seconds / 60.0
    near = row >= 0 if limit_min is None else (row >= 0) & (seconds <= 60.0 * limit_min + TIME_TOLERANCE_S)
    found = {"minutes": minutes, "status": np.where(near, "led", "orphan").astype(object)}
    for to, column in (("id", "facility_id"), ("name", "name"), ("tier", "tier")):
        values = np.array([*leaders[column], None], dtype=object)  # -1 finds the None
        found[f"leader_{to}"] = values[np.where(near, row, -1)]
    return found


def tier_coverage(layer: FacilityLayer, reach: Reach, *, groups: Sequence[str]) -> pd.DataFrame:
    """Return whom each tier covers, and all tiers together, zone by zone and in the study.

    A tier has its own cutoff, or that of the layer; where tiers are inclusive the higher ones serve its circle too.

    Returns
    -------
    pandas.DataFrame
        `layer`, `tier` (``*`` for all together), `group`, `zone_id` (empty for the study), `population`, `covered`,
        `share` (NaN where nobody lives).
    """
    points = reach.layers.demand.points
    zone_ids = reach.layers.zones["zone_id"].tolist()
    facilities = reach.layers.facilities[layer.id]
    own_only = layer.facilities_from == "own_zones_only"
    everybody = [(EVERY_TIER, None, layer.cutoff_min)]
    tiers = [(tier.id, [tier.id], tier.cutoff_min or layer.cutoff_min) for tier in layer.tiers]
    parts = []
    for name, chosen_tiers, cutoff in (*tiers, *everybody):
        chosen = chosen_of(layer, facilities, tiers=chosen_tiers, own_only=own_only)
        covered = reach.covered(layer.id, chosen, profile=layer.profile, cutoff_min=cutoff)
        for group in groups:
            people = points[group].fillna(0.0).to_numpy(dtype=np.float64)
            counted = population_covered(points["zone_id"], people, covered, zone_ids)
            rows = counted.rows[["base", "amount"]].set_axis(["population", "covered"], axis=1)
            rows = pd.concat([rows, rows.sum().to_frame("").T]).rename_axis("zone_id").reset_index()
            parts.append(rows.assign(layer=layer.id, tier=name, group=group))
    table = pd.concat(parts, ignore_index=True)
    table["share"] = table["covered"] / table["population"].where(table["population"] > 0)
    return table[["layer", "tier", "group", "zone_id", "population", "covered", "share"]]
