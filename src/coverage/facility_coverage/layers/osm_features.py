"""Facilities, zones and water from a downloaded extract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import osmium
import osmium.filter
import osmium.geom
import pandas as pd
import shapely

from facility_coverage.layers.crs import WGS84

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry

FACILITY_TAGS = ("amenity", "healthcare", "social_facility", "operator", "beds", "capacity", "wheelchair")
"""Tags of a facility that are written beside its id and name, where any facility has them."""

#: Ways with these keys are lines, closed or not.
_LINES = {"waterway": ("canal", "drain", "river", "stream")}


Found = tuple[str, dict[str, str], Any]
"""Id, tags and shape of an object."""


class Features(NamedTuple):
    """Objects in WGS 84, and the ids of those whose outline is broken."""

    frame: gpd.GeoDataFrame
    left_out: list[str]


def facilities_of(extract: Path, has: Callable[[Mapping[str, str]], bool], within: BaseGeometry) -> Features:
    """Return facilities as points.

    Parameters
    ----------
    extract
        From `osm_elements.write_extract`.
    has
        Tells by the tags whether an object is wanted.
    within
        In degrees; an object whose point lies elsewhere is left out.

    Returns
    -------
    Features
        `facility_id` (n…, w…, r…), `name` and those of `FACILITY_TAGS` that occur, sorted by id.
    """
    found, left_out = _read(extract, has)
    points = np.asarray(shapely.point_on_surface([shape for _, _, shape in found]), dtype=object)
    inside = np.asarray(shapely.intersects(within, points), dtype=bool)
    rows = [
        {"facility_id": key, "name": tags.get("name", ""), **{tag: tags.get(tag) for tag in FACILITY_TAGS}}
        for key, tags, _ in found
    ]
    frame = gpd.GeoDataFrame(
        pd.DataFrame(rows, columns=["facility_id", "name", *FACILITY_TAGS], dtype=object), geometry=points, crs=WGS84
    )
    frame = frame[inside].reset_index(drop=True)
    empty = [tag for tag in FACILITY_TAGS if frame[tag].isna().all()]
    return Features(frame.drop(columns=empty), left_out)


def zones_of(extract: Path, level: int, boundary: BaseGeometry) -> Features:
    """Return the administrative areas of a level whose larger part lies within the boundary.

    Returns
    -------
    Features
        `zone_id`, `name`, `admin_level`, valid polygons, sorted by id.
    """
    found, left_out = _read(extract, lambda tags: is_zone(tags, level))
    areas = [(key, tags, _polygons(shape)) for key, tags, shape in found if shapely.get_dimensions(shape) == 2]
    areas = [
        (key, tags, shape) for key, tags, shape in areas if shape.intersection(boundary).area > 0.5 * shape.area > 0.0
    ]
    areas = _each_once(areas)
    rows = [{"zone_id": key, "name": tags.get("name", key), "admin_level": level} for key, tags, _ in areas]
    columns = pd.DataFrame(rows, columns=["zone_id", "name", "admin_level"])
    frame = gpd.GeoDataFrame(columns, geometry=[shape for _, _, shape in areas], crs=WGS84)
    return Features(frame, left_out)


def _each_once(areas: list[Found]) -> list[Found]:
    """Return the areas without ways that are also the whole outline of a relation: those carry the same tags."""
    outlines = {shapely.normalize(shape).wkb for key, _, shape in areas if key[0] == "r"}
    return [one for one in areas if one[0][0] == "r" or shapely.normalize(one[2]).wkb not in outlines]


def is_zone(tags: Mapping[str, str], level: int) -> bool:
    """Tell whether tags are those of an administrative area of the level."""
    return tags.get("boundary") == "administrative" and tags.get("admin_level") == str(level)


def water_of(extract: Path) -> Features:
    """Return rivers as lines and waters as polygons, with `name`, sorted by id."""
    found, left_out = _read(extract, is_water)
    shapes = [(tags, shape) for _, tags, shape in found if shapely.get_dimensions(shape) > 0]
    names = {"name": [tags.get("name") for tags, _ in shapes]}
    return Features(gpd.GeoDataFrame(names, geometry=[shape for _, shape in shapes], crs=WGS84), left_out)


def is_water(tags: Mapping[str, str]) -> bool:
    """Tell whether tags are those of a river, a canal or a lake."""
    return tags.get("natural") == "water" or tags.get("waterway") in {"canal", "river", "riverbank"}


def _polygons(shape: BaseGeometry) -> BaseGeometry:
    """Return the shape, valid, and of it what has an area."""
    parts = shapely.get_parts(shapely.make_valid(shape))
    parts = shapely.get_parts(parts)
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])


def _read(extract: Path, has: Callable[[Mapping[str, str]], bool]) -> tuple[list[Found], list[str]]:
    """Return id, tags and shape of the objects, sorted by id, and the ids of those without a shape."""
    factory = osmium.geom.WKBFactory()
    tags_of: dict[str, dict[str, str]] = {}
    shapes: dict[str, Any] = {}
    item: Any
    for item in osmium.FileProcessor(str(extract)).with_locations().with_areas():
        tags = dict(item.tags)
        if not has(tags):
            continue
        if item.is_area():
            if item.from_way() and any(tags.get(key) in values for key, values in _LINES.items()):
                continue
            key = f"{'w' if item.from_way() else 'r'}{item.orig_id()}"
            if item.num_rings()[0]:  # none where the outline is not closed
                shapes[key] = factory.create_multipolygon(item)
        else:
            key = f"{item.type_str()}{item.id}"
            if key not in shapes:
                _add_shape(item, key, shapes, factory)
        tags_of[key] = tags
    keys = sorted(shapes, key=_order)
    decoded = shapely.from_wkb([shapes[key] for key in keys])
    found = [(key, tags_of[key], shape) for key, shape in zip(keys, decoded, strict=True)]
    return found, sorted(set(tags_of) - set(shapes), key=_order)


def _order(key: str) -> tuple[str, int]:
    return key[0], int(key[1:])


def _add_shape(item: Any, key: str, shapes: dict[str, Any], factory: Any) -> None:
    if item.is_node():
        shapes[key] = factory.create_point(item)
    elif item.is_way() and len({node.ref for node in item.nodes}) > 1 and _located(item.nodes):
        shapes[key] = factory.create_linestring(item)


def _located(nodes: Iterable[Any]) -> bool:
    return all(node.location.valid() for node in nodes)
