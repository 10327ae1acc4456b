"""Evidence: what goals are judged on, and the part of it that a goal speaks of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from facility_coverage.analysis.reach import Reach, chosen_of
from facility_coverage.analysis.tally import sums_by
from facility_coverage.config.catalogue import Catalogue
from facility_coverage.config.goal import Scope
from facility_coverage.config.study import AreaType, FacilityLayer
from facility_coverage.layers.model import Layers


@dataclass(frozen=True)
class Evidence:
    """What goals are judged on.

    Attributes
    ----------
    layers
        The study's data.
    facility_layers
        How the study configures each facility layer, by id.
    reach
        Travel times, searched for when a goal asks.
    catalogues
        Catalogues of services by path.
    no_data
        What the study says it has no data for: layers, columns, tiers, areas, groups.
    date
        The day of judgement; figures are of the years up to it.
    """

    layers: Layers
    facility_layers: Mapping[str, FacilityLayer]
    reach: Reach
    catalogues: Mapping[Path, Catalogue] = field(default_factory=dict)
    no_data: Collection[str] = ()
    date: dt.date = dt.date.max

    @property
    def zones(self) -> gpd.GeoDataFrame:
        """The study's zones."""
        return self.layers.zones

    @property
    def district_of(self) -> pd.Series:
        """District of each zone by zone_id; one nameless district where zones name none."""
        zones = self.layers.zones
        names = zones["district_id"] if "district_id" in zones.columns else pd.Series("", zones.index, dtype=object)
        return pd.Series(names.to_numpy(dtype=object), index=zones["zone_id"].to_numpy(dtype=object))


def zones_in_scope(scope: Scope, evidence: Evidence) -> list[str]:
    """Return the zones that a goal speaks of."""
    zones = evidence.zones
    rows = zones if scope.area_type is None else zones[zones["area_type"] == scope.area_type]
    return [str(zone) for zone in rows["zone_id"]]


def own_facilities(goal: Any, evidence: Evidence) -> gpd.GeoDataFrame:
    """Return the facilities that a goal counts: those that stand in its zones, areas and tiers."""
    facilities = evidence.layers.facilities[goal.layer]
    keep = facilities["zone_id"].isin(zones_in_scope(goal.scope, evidence)).to_numpy()
    if goal.tier is not None:
        keep = keep & facilities["tier"].isin(goal.tier).to_numpy()
    if goal.scope.area is not None:
        keep = keep & inside_area(goal.scope.area, facilities.geometry.to_numpy(), evidence)
    return facilities[keep]


def inside_area(area: str, places: np.ndarray, evidence: Evidence) -> np.ndarray:
    """Tell which places lie in an area; its edge is in it."""
    outline = shapely.union_all(evidence.layers.areas[area].geometry.to_numpy())
    shapely.prepare(outline)
    return np.asarray(shapely.intersects(outline, places))


def people_of(goal: Any, evidence: Evidence, group: str) -> tuple[pd.Series, np.ndarray]:
    """Return zone and people of each demand point; nobody outside the goal's zones and areas."""
    points = evidence.layers.demand.points
    people = points[group].to_numpy(dtype=np.float64)
    keep = points["zone_id"].isin(zones_in_scope(goal.scope, evidence)).to_numpy()
    if goal.scope.area is not None:
        keep = keep & inside_area(goal.scope.area, shapely.points(points[["x_m", "y_m"]].to_numpy()), evidence)
    return points["zone_id"].where(keep), np.where(keep, people, 0.0)


def people_per_zone(goal: Any, evidence: Evidence, group: str) -> pd.Series:
    """Return the people of each zone in scope."""
    zone, people = people_of(goal, evidence, group)
    sums = sums_by(zone, people)
    return sums.reindex(zones_in_scope(goal.scope, evidence), fill_value=0.0)


def serving(goal: Any, evidence: Evidence) -> tuple[FacilityLayer, np.ndarray]:
    """Return the layer of a goal, and which of its facilities serve: by tier, and by where they stand."""
    layer = evidence.facility_layers[goal.layer]
    own_only = (goal.facilities_from or layer.facilities_from) == "own_zones_only"
    return layer, chosen_of(layer, evidence.layers.facilities[goal.layer], tiers=goal.tier, own_only=own_only)


def cutoff_of(goal: Any, layer: FacilityLayer) -> Mapping[AreaType, float]:
    """Return the goal's own cutoff, or that of its tier, or that of the layer."""
    if goal.cutoff_min is not None:
        return dict(goal.cutoff_min)
    own = [tier.cutoff_min for tier in layer.tiers if tier.id in (getattr(goal, "tier", None) or ())]
    if own and own[0] is not None and all(one == own[0] for one in own):
        return dict(own[0])
    return dict(layer.cutoff_min)


def with_attribute(facilities: gpd.GeoDataFrame, attribute: str | None) -> gpd.GeoDataFrame:
    """Return the facilities for which an attribute says yes; all of them without one."""
    if attribute is None:
        return facilities
    return facilities[(facilities[attribute] == True).to_numpy()]  # noqa: E712 - None is not known


def unknown_note(facilities: gpd.GeoDataFrame, attribute: str | None) -> tuple[str, str]:
    """Return a note on facilities whose attribute is not known, and which therefore are not counted."""
    unknown = 0 if attribute is None else int(facilities[attribute].isna().sum())
    if not unknown:
        return "", ""
    return (
        f"{unknown} 处设施的 {attribute} 未知，未计入",
        f"{attribute} is unknown for {unknown} facilities, which are not counted",
    )
