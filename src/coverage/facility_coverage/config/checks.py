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
from facility_coverage.config.study import NetworkOptions
from facility_coverage.errors import Fault

#: Columns that result tables have anyway; GeoPackages do not tell capitals from small letters.
_TAKEN = frozenset(
    {
        "demand_id", "cell_id", "zone_id", "x_m", "y_m", "fid", "geom", "geometry", "facility_id", "name", "tier",
        "layer", "access_m", "piece_km", "area_type", "area_km2", "facility_count", "district_id", "district_name",
        "zone_count", "address", "opened", "closed",
    }
)  # fmt: skip


def check_study(document: Document, profiles: Collection[str]) -> list[Fault]:
    """Return the faults of a study file; `profiles` are the names of all profiles known."""
    study = document.content
    return [
        *repeated(document, ("groups",), study.get("groups")),
        *repeated(document, ("facilities",), study.get("facilities")),
        *repeated(document, ("areas",), study.get("areas")),
        *repeated(document, ("states",), study.get("states")),
        *_groups(document),
        *_facilities(document, profiles),
        *_changes(document, ("changes",), study),
        *_states(document),
        *repeated(document, ("siting",), study.get("siting")),
        *_sitings(document),
        *_uncertainty(document),
        *_taken_names(document),
        *_systems(document),
    ]


def entries(value: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the mappings of a list with their positions."""
    entries = value if isinstance(value, list) else []
    return ((i, entry) for i, entry in enumerate(entries) if isinstance(entry, dict))


def _named(entry: dict[str, Any]) -> bool:
    return isinstance(entry.get("id"), str)


def ids(value: Any) -> list[str]:
    """Return the ids of the mappings of a list."""
    return [entry["id"] for _, entry in entries(value) if _named(entry)]


def unknown(document: Document, place: Place, value: Any, options: Collection[str]) -> Iterator[Fault]:
    """Yield a fault of a name that is none of the options."""
    if isinstance(value, str) and value not in options:
        message = f"{describe(value)} is not one of {one_of(options)}"
        yield document.fault(place, message, advice=did_you_mean(value, options))


def repeated(document: Document, place: Place, value: Any) -> Iterator[Fault]:
    """Yield a fault of each id that is used again in a list."""
    first: dict[str, int] = {}
    for i, entry in entries(value):
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
    layers = ids(document.content.get("facilities"))
    groups = ids(document.content.get("groups"))
    per_layer = {f"{layer}_{end}" for layer in layers for end in ("s", "facility", "covered")}
    taken = _TAKEN | per_layer | {f"catchment_{group}" for group in ("total", *groups)}
    advice = "the result tables have a column of that name; choose another"
    for i, group in entries(document.content.get("groups")):
        if _named(group) and group["id"] in taken:
            yield document.fault(("groups", i, "id"), f"{describe(group['id'])} is taken", advice=advice)
    for i, layer in entries(document.content.get("facilities")):
        if layer.get("id") == "population":
            yield document.fault(("facilities", i, "id"), "'population' is taken", advice=advice)
        for key in ("capacity", "attributes"):
            for k, column in enumerate(layer[key] if isinstance(layer.get(key), list) else ()):
                if isinstance(column, str) and (
                    column.casefold() in taken or column.casefold().startswith(("covered_", "share_"))
                ):
                    yield document.fault(("facilities", i, key, k), f"{describe(column)} is taken", advice=advice)


def _groups(document: Document) -> Iterator[Fault]:
    population = document.content.get("population")
    kind = population.get("kind") if isinstance(population, dict) else None
    for i, group in entries(document.content.get("groups")):
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
    groups = ids(document.content.get("groups"))
    for i, name in enumerate(names if isinstance(names, list) else ()):
        yield from unknown(document, (*place, i), name, groups)
        if name in names[:i]:
            yield document.fault((*place, i), f"the group {describe(name)} is named twice")


def _facilities(document: Document, profiles: Collection[str]) -> Iterator[Fault]:
    groups = ["total", *ids(document.content.get("groups"))]
    for i, layer in entries(document.content.get("facilities")):
        place = ("facilities", i)
        yield from repeated(document, (*place, "tiers"), layer.get("tiers"))
        yield from unknown(document, (*place, "profile"), layer.get("profile"), sorted(profiles))
        yield from unknown(document, (*place, "group"), layer.get("group"), groups)
        for k, tier in entries(layer.get("tiers")):
            leaders = tier.get("led_by")
            for n, leader in enumerate(leaders if isinstance(leaders, list) else ()):
                others = [one for one in ids(layer.get("tiers")) if one != tier.get("id")]
                yield from unknown(document, (*place, "tiers", k, "led_by", n), leader, others)
        yield from _needs(document, place, layer, groups)
        listed = [(key, layer[key]) for key in ("capacity", "attributes") if isinstance(layer.get(key), list)]
        seen: list[object] = []
        for key, columns in listed:
            for k, column in enumerate(columns):
                if column in seen:
                    message = f"the column {describe(column)} is named twice"
                    yield document.fault((*place, key, k), message)
                seen.append(column)


def _needs(document: Document, place: Place, layer: dict[str, Any], groups: Collection[str]) -> Iterator[Fault]:
    """Yield needs of capacities or groups that are not there, and those stated twice."""
    listed = layer.get("capacity")
    holds = listed if isinstance(listed, list) else []
    stated: dict[tuple[object, object], int] = {}
    for k, need in entries(layer.get("needs")):
        here = (*place, "needs", k)
        yield from unknown(
            document, (*here, "capacity"), need.get("capacity"), holds if isinstance(holds, list) else []
        )
        yield from unknown(document, (*here, "group"), need.get("group"), groups)
        key = (str(need.get("capacity")), str(need.get("group", layer.get("group", "total"))))
        if key in stated:
            advice = f"it stands in line {stated[key]} already"
            yield document.fault((*here, "capacity"), f"the need of {key[0]!r} is stated twice", advice=advice)
        stated.setdefault(key, document.values.get((*here, "capacity"), (1, 1))[0])


def _states(document: Document) -> Iterator[Fault]:
    for i, state in entries(document.content.get("states")):
        known = ids(document.content.get("facilities"))
        files = state.get("facilities")
        for layer in files if isinstance(files, dict) else ():
            if layer not in known:
                message = f"{describe(layer)} is not one of {one_of(known)}"
                advice = did_you_mean(str(layer), known)
                yield document.fault(("states", i, "facilities", layer), message, advice=advice, at_key=True)
        yield from _changes(document, ("states", i, "changes"), state)
    outputs = document.content.get("outputs")
    shown = outputs.get("map_states") if isinstance(outputs, dict) else None
    for i, name in enumerate(shown if isinstance(shown, list) else ()):
        yield from unknown(document, ("outputs", "map_states", i), name, ids(document.content.get("states")))


def _sitings(document: Document) -> Iterator[Fault]:
    layers = {layer["id"]: layer for _, layer in entries(document.content.get("facilities")) if _named(layer)}
    groups = ["total", *ids(document.content.get("groups"))]
    for i, siting in entries(document.content.get("siting")):
        for k, served in entries(siting.get("serves")):
            place = ("siting", i, "serves", k)
            yield from unknown(document, (*place, "layer"), served.get("layer"), list(layers))
            yield from unknown(document, (*place, "group"), served.get("group"), groups)
            layer = layers.get(str(served.get("layer")))
            if layer is None:
                continue
            tiers, holds = ids(layer.get("tiers")), layer.get("capacity")
            yield from unknown(document, (*place, "tier"), served.get("tier"), tiers)
            yield from _longest(document, i, siting, layer)
            if tiers and "tier" not in served:
                message = f"the layer {layer['id']!r} has tiers: say which a new facility has"
                yield document.fault(place, message, advice=f"tier: one of {one_of(tiers)}")
            yield from _held(document, place, served, _list(holds))
            yield from _enough_known(document, place, served, siting)
            yield from _existing(document, (*place, "existing"), served.get("existing"), layer)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _held(document: Document, place: Place, served: dict[str, Any], holds: list[Any]) -> Iterator[Fault]:
    """Yield capacities that the layer has not."""
    for key in ("capacity", "per_person"):
        given = served.get(key)
        for column in given if isinstance(given, dict) else ():
            if column not in holds:
                message = f"{describe(column)} is not one of {one_of(holds)}"
                yield document.fault((*place, key, column), message, at_key=True)


def _enough_known(document: Document, place: Place, served: dict[str, Any], siting: dict[str, Any]) -> Iterator[Fault]:
    """Yield a capacity that counts though no candidate is said to have any."""
    counted, capacity = served.get("per_person"), served.get("capacity")
    tables = [table for _, table in entries(siting.get("candidates"))]
    for column in counted if isinstance(counted, dict) else ():
        in_files = all(column in (table.get("capacity") or []) for table in tables) and "spacing_m" not in siting
        if column not in (capacity if isinstance(capacity, dict) else {}) and not (tables and in_files):
            message = f"what a new facility holds of {describe(column)} is not said"
            advice = f"give capacity: {{{column}: …}} beside per_person"
            yield document.fault((*place, "per_person", column), message, advice=advice, at_key=True)


def _existing(document: Document, place: Place, existing: Any, layer: dict[str, Any]) -> Iterator[Fault]:
    """Yield columns that the facilities of a layer have not."""
    if not isinstance(existing, dict):
        return
    holds, attributes = (_list(layer.get(key)) for key in ("capacity", "attributes"))
    known = ["facility_id", "name", "tier", "zone_id", *holds, *attributes]
    enlarge = existing.get("enlarge")
    parts: list[tuple[Place, Any, list[Any]]] = [(("closable",), existing.get("closable"), known)]
    if isinstance(enlarge, dict):
        parts += [
            (("enlarge", "where"), enlarge.get("where"), known),
            (("enlarge", "adds"), enlarge.get("adds"), holds),
        ]
    for key, given, columns in parts:
        for column in given if isinstance(given, dict) else ():
            if column not in columns:
                message = f"{describe(column)} is not one of {one_of(columns)}"
                yield document.fault((*place, *key, column), message, at_key=True)


def _longest(document: Document, place: int, siting: dict[str, Any], layer: dict[str, Any]) -> Iterator[Fault]:
    """Yield a longest trip that is shorter than what a layer's people accept: whom it covers could not be told."""
    longest, cutoff = siting.get("longest_min"), layer.get("cutoff_min")
    of_types = list(cutoff.values()) if isinstance(cutoff, dict) else [cutoff]
    minutes = [one for one in of_types if isinstance(one, int | float) and not isinstance(one, bool)]
    if isinstance(longest, int | float) and minutes and longest < max(minutes):
        message = f"{describe(longest)} is below the cutoff of the layer {layer['id']!r}, {max(minutes):g} minutes"
        advice = f"give {max(minutes):g} or more"
        yield document.fault(("siting", place, "longest_min"), message, advice=advice)


def _uncertainty(document: Document) -> Iterator[Fault]:
    """Yield ends of the access limit's range between which the study's own limit does not lie."""
    own = document.at(("network", "max_access_m"))
    own_m = own if isinstance(own, int | float) else NetworkOptions().max_access_m
    for end, sign, word in (("low", 1, "more"), ("high", -1, "less")):
        place: Place = ("uncertainty", "max_access_m", end)
        limit_m = document.at(place)
        if isinstance(limit_m, int | float) and sign * limit_m > sign * own_m:
            message = f"{end} {limit_m:g} is {word} than the study's own limit of {own_m:g} m"
            yield document.fault(place, message, advice="network.max_access_m lies between low and high")


def _changes(document: Document, place: Place, holder: dict[str, Any]) -> Iterator[Fault]:
    """Yield changes to layers or capacities that the study has not."""
    layers = {entry["id"]: entry for _, entry in entries(document.content.get("facilities")) if _named(entry)}
    for i, change in entries(holder.get("changes")):
        yield from unknown(document, (*place, i, "layer"), change.get("layer"), list(layers))
        columns = layers.get(str(change.get("layer")), {}).get("capacity")
        given = change.get("capacity")
        if not isinstance(given, dict) or not isinstance(columns, list):
            continue
        for column in given:
            if column not in columns:
                message = f"{describe(column)} is not one of {one_of(columns)}"
                advice = did_you_mean(str(column), columns)
                yield document.fault((*place, i, "capacity", column), message, advice=advice, at_key=True)


def _systems(document: Document) -> Iterator[Fault]:
    study = document.content
    tables: list[Place] = [(key,) for key in ("boundary", "zones", "districts", "roads", "population")]
    for i, layer in entries(study.get("facilities")):
        tables += [("facilities", i), *(("facilities", i, "sources", k) for k, _ in entries(layer.get("sources")))]
    tables += [("barriers", i) for i, _ in entries(study.get("barriers"))]
    tables += [("areas", i) for i, _ in entries(study.get("areas"))]
    tables += [("basemap", "water"), ("basemap", "neighbours"), ("neighbours",)]
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
