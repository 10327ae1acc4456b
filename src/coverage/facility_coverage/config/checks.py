"""Faults that no single value shows: names that refer to nothing, names used twice, systems that do not fit.

The checks work on the values as read, so that they speak even when a model has refused the file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import pyproj
from pyproj.exceptions import CRSError

from facility_coverage.config.document import Document, Place, describe
from facility_coverage.config.faults import did_you_mean, one_of
from facility_coverage.errors import Fault

_PARAMETERS = {  # measure: needed, also understood
    "population_covered": ((), ("group",)),
    "facility_count": ((), ("tier",)),
    "capacity_total": (("capacity",), ("tier",)),
    "capacity_per_1000": (("capacity",), ("tier", "group")),
    "capacity_share": (("capacity", "part"), ("tier",)),
}
_SHARES = ("population_covered", "capacity_share")
#: Columns that result tables have anyway; GeoPackages do not tell capitals from small letters.
_TAKEN = frozenset(
    {
        "demand_id", "cell_id", "zone_id", "x_m", "y_m", "fid", "geom", "geometry", "facility_id", "name", "tier",
        "layer", "access_m", "piece_km", "area_type", "area_km2", "facility_count", "district_id", "district_name",
        "zone_count",
    }
)  # fmt: skip


def check_study(document: Document, profiles: Collection[str]) -> list[Fault]:
    """Return the faults of a study file; `profiles` are the names of all profiles known."""
    study = document.content
    return [
        *_repeated(document, ("groups",), study.get("groups")),
        *_repeated(document, ("facilities",), study.get("facilities")),
        *_groups(document),
        *_facilities(document, profiles),
        *_taken_names(document),
        *_systems(document),
    ]


def check_plan(document: Document, under: Place, plan: dict[str, Any], study: dict[str, Any]) -> list[Fault]:
    """Return the faults of a plan (in place `under` of its document) against the study's layers and groups."""
    layers: dict[str, Any] = {}
    for _, entry in _entries(study.get("facilities")):
        if _named(entry):
            layers.setdefault(entry["id"], entry)
    groups = ["total", *_ids(study.get("groups"))]
    faults = list(_repeated(document, (*under, "goals"), plan.get("goals")))
    for i, goal in _entries(plan.get("goals")):
        place = (*under, "goals", i)
        faults += _references(document, place, goal, layers, groups)
        faults += _parameters(document, place, goal)
        faults += _figures(document, place, goal)
    return faults


def _entries(value: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    entries = value if isinstance(value, list) else []
    return ((i, entry) for i, entry in enumerate(entries) if isinstance(entry, dict))


def _named(entry: dict[str, Any]) -> bool:
    return isinstance(entry.get("id"), str)


def _ids(value: Any) -> list[str]:
    return [entry["id"] for _, entry in _entries(value) if _named(entry)]


def _unknown(document: Document, place: Place, value: Any, options: Collection[str]) -> Iterator[Fault]:
    if isinstance(value, str) and value not in options:
        message = f"{describe(value)} is not one of {one_of(options)}"
        yield document.fault(place, message, advice=did_you_mean(value, options))


def _repeated(document: Document, place: Place, value: Any) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for i, entry in _entries(value):
        if not _named(entry):
            continue
        here = (*place, i, "id")
        if entry["id"] in first:
            advice = f"it stands in line {first[entry['id']]} already"
            yield document.fault(here, f"the id {describe(entry['id'])} is used twice", advice=advice)
        else:
            first[entry["id"]] = document.values.get(here, (1, 1))[0]


def _taken_names(document: Document) -> Iterator[Fault]:
    """Yield groups, layers and capacities whose columns would fall together with others in the result tables."""
    layers = _ids(document.content.get("facilities"))
    groups = _ids(document.content.get("groups"))
    per_layer = {f"{layer}_{end}" for layer in layers for end in ("s", "facility", "covered")}
    taken = _TAKEN | per_layer | {f"catchment_{group}" for group in ("total", *groups)}
    advice = "the result tables have a column of that name; choose another"
    for i, group in _entries(document.content.get("groups")):
        if _named(group) and group["id"] in taken:
            yield document.fault(("groups", i, "id"), f"{describe(group['id'])} is taken", advice=advice)
    for i, layer in _entries(document.content.get("facilities")):
        if layer.get("id") == "population":
            yield document.fault(("facilities", i, "id"), "'population' is taken", advice=advice)
        for k, column in enumerate(layer["capacity"] if isinstance(layer.get("capacity"), list) else ()):
            if isinstance(column, str) and (
                column.casefold() in taken or column.casefold().startswith(("covered_", "share_"))
            ):
                yield document.fault(("facilities", i, "capacity", k), f"{describe(column)} is taken", advice=advice)


def _groups(document: Document) -> Iterator[Fault]:
    population = document.content.get("population")
    kind = population.get("kind") if isinstance(population, dict) else None
    for i, group in _entries(document.content.get("groups")):
        if group.get("id") == "total":
            advice = "it is everybody and always there; choose another id"
            yield document.fault(("groups", i, "id"), "the group 'total' cannot be defined", advice=advice)
        if kind == "raster" and group.get("column") is not None:
            advice = "use share, zone_column, path or table"
            yield document.fault(("groups", i, "column"), "a raster population has no columns", advice=advice)
        if kind in ("points", "polygons") and group.get("path") is not None:
            advice = "use share, zone_column, column or table"
            of_kind = "point" if kind == "points" else "polygon"
            yield document.fault(("groups", i, "path"), f"a {of_kind} population takes no raster", advice=advice)
    yield from _disjoint(document)


def _disjoint(document: Document) -> Iterator[Fault]:
    """Yield names under `disjoint` that are no groups, or are there twice."""
    place: Place = ("population", "controls", "disjoint")
    names = document.at(place)
    groups = _ids(document.content.get("groups"))
    for i, name in enumerate(names if isinstance(names, list) else ()):
        yield from _unknown(document, (*place, i), name, groups)
        if name in names[:i]:
            yield document.fault((*place, i), f"the group {describe(name)} is named twice")


def _facilities(document: Document, profiles: Collection[str]) -> Iterator[Fault]:
    groups = ["total", *_ids(document.content.get("groups"))]
    for i, layer in _entries(document.content.get("facilities")):
        place = ("facilities", i)
        yield from _repeated(document, (*place, "tiers"), layer.get("tiers"))
        yield from _unknown(document, (*place, "profile"), layer.get("profile"), sorted(profiles))
        yield from _unknown(document, (*place, "group"), layer.get("group"), groups)
        columns = layer.get("capacity")
        if isinstance(columns, list):
            for k, column in enumerate(columns):
                if column in columns[:k]:
                    message = f"the column {describe(column)} is named twice"
                    yield document.fault((*place, "capacity", k), message)


def _systems(document: Document) -> Iterator[Fault]:
    study = document.content
    tables: list[Place] = [(key,) for key in ("boundary", "zones", "districts", "roads", "population")]
    for i, layer in _entries(study.get("facilities")):
        tables += [("facilities", i), *(("facilities", i, "sources", k) for k, _ in _entries(layer.get("sources")))]
    tables += [("barriers", i) for i, _ in _entries(study.get("barriers"))]
    tables += [("basemap", "water"), ("basemap", "neighbours")]
    yield from _system(document, ("crs",), study.get("crs"), metric=True)
    for place in tables:
        value = document.at(place)
        if isinstance(value, dict):
            yield from _system(document, (*place, "crs"), value.get("crs"), metric=False)


def _system(document: Document, place: Place, value: Any, *, metric: bool) -> Iterator[Fault]:
    if not isinstance(value, str):
        return
    try:
        system = pyproj.CRS.from_user_input(value)
    except CRSError:
        advice = "give a code such as EPSG:4326"
        yield document.fault(place, f"the reference system {describe(value)} is not known", advice=advice)
        return
    units = {axis.unit_name for axis in system.axis_info}
    if metric and not (system.is_projected and units == {"metre"}):
        message = f"{describe(value)} ({system.name}) is not a projected system in metres"
        advice = "choose one such as EPSG:4544, or leave crs out"
        yield document.fault(place, message, advice=advice)


def _references(
    document: Document, place: Place, goal: dict[str, Any], layers: dict[str, Any], groups: list[str]
) -> Iterator[Fault]:
    yield from _unknown(document, (*place, "layer"), goal.get("layer"), list(layers))
    yield from _unknown(document, (*place, "group"), goal.get("group"), groups)
    name = goal.get("layer")
    layer = layers.get(name) if isinstance(name, str) else None
    if layer is None:
        return
    yield from _unknown(document, (*place, "tier"), goal.get("tier"), _ids(layer.get("tiers")))
    columns = layer.get("capacity", [])
    if not isinstance(columns, list):
        return
    columns = [c for c in columns if isinstance(c, str)]
    for key in ("capacity", "part"):
        yield from _unknown(document, (*place, key), goal.get(key), columns)


def _parameters(document: Document, place: Place, goal: dict[str, Any]) -> Iterator[Fault]:
    measure = goal.get("measure")
    if not isinstance(measure, str) or measure not in _PARAMETERS:
        return
    needed, understood = _PARAMETERS[measure]
    for key in needed:
        if goal.get(key) is None:
            message = f"the key {key!r} is missing"
            yield document.fault((*place, key), message, advice=f"{measure} needs it")
    for key in ("tier", "group", "capacity", "part"):
        if goal.get(key) is not None and key not in (*needed, *understood):
            message = f"{measure} takes no {key!r}"
            yield document.fault((*place, key), message, advice="leave it out", at_key=True)


def _figures(document: Document, place: Place, goal: dict[str, Any]) -> Iterator[Fault]:
    """Shares above 1 (a percentage by mistake), and a baseline that is not before the target."""
    target, baseline = (goal.get(key) for key in ("target", "baseline"))
    for key, figure in (("target", target), ("baseline", baseline)):
        value = figure.get("value") if isinstance(figure, dict) else None
        if goal.get("measure") in _SHARES and isinstance(value, int | float) and value > 1:
            advice = f"100 % is written 1, {value:g} % as {value / 100:g}"
            yield document.fault((*place, key, "value"), f"{value:g} is not a share of 0–1", advice=advice)
    if isinstance(target, dict) and isinstance(baseline, dict):
        start, end = baseline.get("year"), target.get("year")
        if isinstance(start, int) and isinstance(end, int) and start >= end:
            message = f"the baseline's year {start} is not before the target's year {end}"
            yield document.fault((*place, "baseline", "year"), message)
