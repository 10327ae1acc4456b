"""Measuring: each goal's measure on the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import singledispatch
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from facility_coverage.analysis import competition, measures, nearness
from facility_coverage.analysis.evidence import (
    Evidence,
    cutoff_of,
    own_facilities,
    people_of,
    people_per_zone,
    unknown_note,
    with_attribute,
    zones_in_scope,
)
from facility_coverage.analysis.reach import chosen_of
from facility_coverage.analysis.tally import Tally, sums_by, tally
from facility_coverage.analysis.verdicts import ServiceReach
from facility_coverage.config import measures as ask
from facility_coverage.config.catalogue import Catalogue, Category, Service
from facility_coverage.config.goal import GoalBase
from facility_coverage.config.profile import METRES_NAME
from facility_coverage.config.study import AreaType
from facility_coverage.layers.names import plain
from facility_coverage.network.links import TIME_TOLERANCE_S


@dataclass(frozen=True)
class Measured:
    """What a measure found.

    Attributes
    ----------
    tally
        By zone or district; None where the study has no data.
    unit
        Name of what is missing to a target: a capacity column, ``facilities``, ``people``, ``zones``, ``minutes`` …
    level
        What the rows of the tally are: ``zone``, ``district``, or ``study`` where one row stands for it all.
    beside
        The same by travel time, where the goal is a circle.
    anywhere, own
        People covered only: the same with facilities wherever they stand, and with those of the study's zones alone.
    per_level
        Statistics only: figures by level and id, which do not add up.
    absent
        What the study says it has no data for.
    services
        Services only: who reaches each of them.
    note
        What a reader must know of this figure, in Chinese and in English.
    """

    tally: Tally | None
    unit: str
    level: str = "zone"
    beside: Tally | None = None
    anywhere: Tally | None = None
    own: Tally | None = None
    per_level: Mapping[tuple[str, str], float] = field(default_factory=dict)
    absent: str = ""
    services: tuple[ServiceReach, ...] = ()
    note: tuple[str, str] = ("", "")


def measure(goal: GoalBase, evidence: Evidence) -> Measured:
    """Measure a goal on the evidence; what the study says it has no data for has no figure."""
    absent = absent_of(goal, evidence)
    if absent:
        return Measured(None, unit_of(goal), absent=absent)
    found, more = _measure(goal, evidence), _partly_absent(goal, evidence)
    zh, en = (tuple(part for part in pair if part) for pair in zip(found.note, more, strict=True))
    return replace(found, note=("；".join(zh), "; ".join(en)))


def unit_of(goal: GoalBase) -> str:
    """Return the unit of what is missing to a goal's target."""
    people = (ask.PopulationCovered, ask.ServiceCompleteness, ask.PopulationWithChoice)
    if isinstance(goal, people):
        return "people"
    if isinstance(goal, ask.ZonesWithFacility):
        return goal.units if goal.units in ("zones", "districts") else "areas"
    if isinstance(goal, ask.CapacityShare):
        return goal.part or goal.capacity
    if isinstance(goal, ask.Statistic):
        return goal.unit
    if isinstance(goal, ask.TravelTime | ask.FacilitiesInReach):
        return "minutes" if isinstance(goal, ask.TravelTime) else goal.measure
    return str(getattr(goal, "capacity", "facilities"))


def scale_of(goal: GoalBase) -> str:
    """Return what a goal's figures are in: ``share``, ``count``, ``per_1000``, ``m2_per_person`` … or its own unit."""
    if goal.measure in ask.SHARES:
        return "share"
    if isinstance(goal, ask.CapacityPer1000 | ask.Accessibility):
        return "per_1000"
    if isinstance(goal, ask.AreaPerPerson):
        return f"m2_per_{goal.per}"
    if isinstance(goal, ask.TravelTime):
        return "minutes"
    return goal.unit if isinstance(goal, ask.Statistic) else "count"


def absent_of(goal: Any, evidence: Evidence) -> str:
    """Return the first name of a goal that the study says it has no data for; of several tiers all must be without."""
    names: list[str] = []
    for end in ("", "with_"):
        layer = getattr(goal, f"{end}layer", None)
        tiers = [f"{layer}.{tier}" for tier in getattr(goal, f"{end}tier", None) or ()]
        names += [layer] if layer else []
        names += tiers if all(tier in evidence.no_data for tier in tiers) else []
    columns = (getattr(goal, key, None) for key in ("capacity", "part", "attribute"))
    names += [f"{goal.layer}.{column}" for column in columns if column]
    names += [name for name in (goal.scope.area, getattr(goal, "group", None), getattr(goal, "units", None)) if name]
    return next((name for name in names if name in evidence.no_data), "")


def _partly_absent(goal: Any, evidence: Evidence) -> tuple[str, str]:
    """Return a note on the tiers of a goal that the study has no data for, beside others that it has."""
    tiers = [
        f"{getattr(goal, f'{end}layer', None)}.{tier}"
        for end in ("", "with_")
        for tier in getattr(goal, f"{end}tier", None) or ()
    ]
    without = ", ".join(tier for tier in tiers if tier in evidence.no_data)
    return (f"无 {without} 的数据，未计入", f"no data on {without}: not counted") if without else ("", "")


@singledispatch
def _measure(goal: Any, _evidence: Evidence) -> Measured:
    raise TypeError(f"no measure for {type(goal).__name__}")


@_measure.register
def _population_covered(goal: ask.PopulationCovered, evidence: Evidence) -> Measured:
    layer = evidence.facility_layers[goal.layer]
    facilities = evidence.layers.facilities[goal.layer]
    zone, people = people_of(goal, evidence, goal.group)
    ids = zones_in_scope(goal.scope, evidence)
    own_only = (goal.facilities_from or layer.facilities_from) == "own_zones_only"
    profile, cutoff = goal.profile or layer.profile, cutoff_of(goal, layer)

    def counted(covered: np.ndarray) -> Tally:
        return measures.population_covered(zone, people, covered, ids)

    by_time = {
        only: counted(
            evidence.reach.covered(
                goal.layer,
                chosen_of(layer, facilities, tiers=goal.tier, own_only=only),
                profile=profile,
                cutoff_min=cutoff,
            )
        )
        for only in (False, True)
    }
    found = Measured(by_time[own_only], "people", anywhere=by_time[False], own=by_time[True])
    if goal.radius_m is None:
        return found
    chosen = chosen_of(layer, facilities, tiers=goal.tier, own_only=own_only)
    near = evidence.reach.within_radius(goal.layer, chosen, goal.radius_m)
    return replace(found, tally=counted(near), beside=by_time[own_only])


@_measure.register
def _facility_count(goal: ask.FacilityCount, evidence: Evidence) -> Measured:
    own = with_attribute(own_facilities(goal, evidence), goal.attribute)
    counted = measures.facility_count(own, zones_in_scope(goal.scope, evidence))
    return Measured(counted, "facilities", note=unknown_note(own_facilities(goal, evidence), goal.attribute))


@_measure.register
def _capacity_total(goal: ask.CapacityTotal, evidence: Evidence) -> Measured:
    ids = zones_in_scope(goal.scope, evidence)
    return Measured(measures.capacity_total(own_facilities(goal, evidence), ids, capacity=goal.capacity), goal.capacity)


@_measure.register
def _capacity_per_1000(goal: ask.CapacityPer1000, evidence: Evidence) -> Measured:
    people = people_per_zone(goal, evidence, goal.group)
    return Measured(
        measures.capacity_per_1000(own_facilities(goal, evidence), people, capacity=goal.capacity), goal.capacity
    )


@_measure.register
def _capacity_share(goal: ask.CapacityShare, evidence: Evidence) -> Measured:
    related = measures.capacity_share(
        own_facilities(goal, evidence),
        zones_in_scope(goal.scope, evidence),
        capacity=goal.capacity,
        part=goal.part,
        attribute=goal.attribute or "",
    )
    return Measured(related, unit_of(goal))


@_measure.register
def _facility_share(goal: ask.FacilityShare, evidence: Evidence) -> Measured:
    ids = zones_in_scope(goal.scope, evidence)
    return Measured(
        measures.facility_share(own_facilities(goal, evidence), ids, attribute=goal.attribute), "facilities"
    )


@_measure.register
def _zones_with_facility(goal: ask.ZonesWithFacility, evidence: Evidence) -> Measured:
    everything = own_facilities(goal, evidence)
    own = with_attribute(everything, goal.attribute)
    note = unknown_note(everything, goal.attribute)
    limits: dict[str, Any] = {"at_least": goal.at_least, "at_most": goal.at_most}
    ids = zones_in_scope(goal.scope, evidence)
    if goal.units == "zones":
        return Measured(measures.units_with_facility(own["zone_id"], ids, **limits), "zones", note=note)
    if goal.units == "districts":
        district = evidence.district_of
        names = list(dict.fromkeys(district.reindex(ids)))
        counted = measures.units_with_facility(own["zone_id"].map(district), names, **limits)
        return Measured(counted, "districts", level="district", note=note)
    return Measured(_areas_with_facility(goal, own, evidence, limits), "areas", note=note)


def _areas_with_facility(
    goal: ask.ZonesWithFacility, own: gpd.GeoDataFrame, evidence: Evidence, limits: dict[str, Any]
) -> Tally:
    """Count areas by the zone in which a point on them lies; those beyond the zones are nobody's."""
    areas = evidence.layers.areas[goal.units]
    _, area = areas_at(own.geometry.to_numpy(), areas)
    ids = [str(one) for one in areas["area_id"]]
    held = measures.units_with_facility(pd.Series(np.array(ids, dtype=object)[area]), ids, **limits).rows["amount"]
    place = zones_of_areas(areas, evidence)
    scope = zones_in_scope(goal.scope, evidence)
    place = place.where(place.isin(scope))
    return tally(scope, amount=sums_by(place, held.to_numpy()), base=sums_by(place, np.ones(len(areas))))


def areas_at(places: np.ndarray, areas: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs of places and areas (row numbers) where the place lies in the area; its edge is in it."""
    place, area = shapely.STRtree(areas.geometry.to_numpy()).query(places, predicate="intersects")
    return place, area


def zones_of_areas(areas: gpd.GeoDataFrame, evidence: Evidence) -> pd.Series:
    """Return the zone in which a point on each area lies, NaN beyond the zones."""
    zones = evidence.zones
    point, zone = shapely.STRtree(zones.geometry.to_numpy()).query(
        shapely.point_on_surface(areas.geometry.to_numpy()), predicate="intersects"
    )
    zone_of_area = pd.Series(zones["zone_id"].to_numpy(dtype=object)[zone], index=point).groupby(level=0).first()
    return zone_of_area.reindex(range(len(areas)))


@_measure.register
def _area_per_person(goal: ask.AreaPerPerson, evidence: Evidence) -> Measured:
    per = {"person": 1.0, "10000_people": 10_000.0, "100_households": 100.0 * (goal.household_size or 1.0)}[goal.per]
    people = people_per_zone(goal, evidence, goal.group)
    own = own_facilities(goal, evidence)
    return Measured(measures.area_per_person(own, people, capacity=goal.capacity, per=per), goal.capacity)


@_measure.register
def _colocated_share(goal: ask.ColocatedShare, evidence: Evidence) -> Measured:
    own = own_facilities(goal, evidence)
    others = evidence.layers.facilities[goal.with_layer]
    if goal.with_tier is not None:
        others = others[others["tier"].isin(goal.with_tier).to_numpy()]
    metres, _ = evidence.reach.between(own, others, profile=METRES_NAME)
    beside = metres <= goal.within_m + TIME_TOLERANCE_S  # metres, walked at one a second
    if goal.same_address and {"address"} <= set(own.columns) & set(others.columns):
        known = {plain(text) for text in others["address"].dropna()} - {""}
        beside |= own["address"].map(lambda text: isinstance(text, str) and plain(text) in known).to_numpy(dtype=bool)
    return Measured(measures.colocated_share(own, beside, zones_in_scope(goal.scope, evidence)), "facilities")


@_measure.register
def _service_completeness(goal: ask.ServiceCompleteness, evidence: Evidence) -> Measured:
    catalogue = evidence.catalogues[goal.catalogue]
    zone, people = people_of(goal, evidence, goal.group)
    told = known_services(catalogue, evidence)
    reached = np.zeros(len(people), dtype=np.int64)
    rows = []
    for category, service in told:
        covered = _reaches(service, catalogue, evidence)
        reached += covered
        counts = (float(people[covered].sum()), float(people.sum()))
        rows.append(
            ServiceReach(category.id, service.id, service.name.zh, service.name.en, str(service.layer), *counts)
        )
    total = sum(len(category.services) for category in catalogue.categories)
    note = (
        f"目录 {total} 项服务中 {len(told)} 项有数据",
        f"{len(told)} of the catalogue's {total} services have data",
    )
    needed = goal.at_least or len(told)
    if not told or needed > len(told):
        return Measured(None, "people", services=tuple(rows), note=note)
    complete = measures.population_covered(zone, people, reached >= needed, zones_in_scope(goal.scope, evidence))
    return Measured(complete, "people", services=tuple(rows), note=note)


def known_services(catalogue: Catalogue, evidence: Evidence) -> list[tuple[Category, Service]]:
    """Return the services of a catalogue that the study has data for, with their categories."""
    return [
        (category, service)
        for category in catalogue.categories
        for service in category.services
        if service.layer is not None and not _service_absent(service, evidence)
    ]


def _service_absent(service: Service, evidence: Evidence) -> bool:
    names = [service.layer, *(f"{service.layer}.{part}" for part in (*(service.tier or ()), service.attribute))]
    return any(name in evidence.no_data for name in names)


def _reaches(service: Service, catalogue: Catalogue, evidence: Evidence) -> np.ndarray:
    cutoff: Mapping[AreaType, float] = dict(service.cutoff_min or catalogue.cutoff_min)
    chosen = serving(service, evidence)
    return evidence.reach.covered(str(service.layer), chosen, profile=catalogue.profile, cutoff_min=cutoff)


def serving(service: Service, evidence: Evidence) -> np.ndarray:
    """Tell which facilities of its layer offer a service of a catalogue."""
    layer = evidence.facility_layers[str(service.layer)]
    facilities = evidence.layers.facilities[layer.id]
    chosen = chosen_of(layer, facilities, tiers=service.tier, own_only=layer.facilities_from == "own_zones_only")
    if service.attribute is not None:
        chosen = chosen & (facilities[service.attribute] == True).to_numpy()  # noqa: E712 - None is not known
    return chosen


@_measure.register
def _accessibility(goal: ask.Accessibility, evidence: Evidence) -> Measured:
    counted, beyond = competition.mean_accessibility(goal, evidence)
    zh, en = (
        f"范围外另有 {beyond} 处设施缺少 {goal.capacity} 数据，未计入",
        f"of the facilities beyond, {beyond} have no figure for {goal.capacity} and are left out",
    )
    return Measured(counted, goal.capacity, note=(zh, en) if beyond else ("", ""))


@_measure.register
def _travel_time(goal: ask.TravelTime, evidence: Evidence) -> Measured:
    counted = nearness.mean_minutes(goal, evidence)
    return Measured(counted, unit_of(goal), note=nearness.unreached_note(counted))


@_measure.register
def _facilities_in_reach(goal: ask.FacilitiesInReach, evidence: Evidence) -> Measured:
    return Measured(nearness.mean_facilities(goal, evidence), unit_of(goal))


@_measure.register
def _population_with_choice(goal: ask.PopulationWithChoice, evidence: Evidence) -> Measured:
    return Measured(nearness.people_with_choice(goal, evidence), unit_of(goal))


@_measure.register
def _statistic(goal: ask.Statistic, evidence: Evidence) -> Measured:
    table = evidence.layers.statistics
    rows = table[(table["indicator"] == (goal.indicator or goal.id)) & table["value"].notna()]
    rows = rows[rows["year"] <= evidence.date.year].sort_values("year", kind="stable")
    level = np.where(rows["zone_id"].notna(), "zone", np.where(rows["district_id"].notna(), "district", "study"))
    place = rows["zone_id"].fillna(rows["district_id"]).fillna("")
    keys = zip(level, place, strict=True)
    found = {(str(one), str(at)): float(value) for (one, at), value in zip(keys, rows["value"], strict=True)}
    years = rows.loc[level == "study", "year"]
    late = len(years) and int(years.iloc[-1]) < evidence.date.year
    note = (f"{int(years.iloc[-1])} 年数据", f"figure of {int(years.iloc[-1])}") if late else ("", "")
    return Measured(None, goal.unit, level="study", per_level=found, note=note)
