"""The outline of a study: a place that Nominatim knows, a box, or a file."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely
import shapely.geometry

from facility_coverage.config.table import Table
from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers.boundaries import read_boundary
from facility_coverage.layers.crs import WGS84
from facility_coverage.layers.osm_elements import clean

if TYPE_CHECKING:
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry

    from facility_coverage.layers.osm_servers import Client

SHOWN_PLACES = 8

_OSM_ID = re.compile(r"[NWR][1-9]\d{0,17}")
_AREAS = ("Polygon", "MultiPolygon")


@dataclass(frozen=True)
class Outline:
    """What is studied.

    Attributes
    ----------
    shape
        Polygons in WGS 84.
    name
        What people call it; may be empty.
    osm_id
        Of the object in OpenStreetMap, e.g. R2715968; empty for a box or a file.
    """

    shape: BaseGeometry
    name: str
    osm_id: str = ""


def of_box(text: str) -> Outline:
    """Return the box ``west,south,east,north``, in degrees.

    Raises
    ------
    LayerError
        If these are not four numbers of a box on the earth.

    Examples
    --------
    >>> of_box("105.8,29.2,106.0,29.4").shape.bounds
    (105.8, 29.2, 106.0, 29.4)
    """
    advice = "give west,south,east,north in degrees, e.g. 105.8,29.2,106.0,29.4"
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise LayerError([Fault("--bbox", f"{text!r} is not four numbers", advice=advice)]) from None
    if not (-180 <= west < east <= 180 and -80 <= south < north <= 84):
        raise LayerError([Fault("--bbox", f"{text!r} is not a box on the earth", advice=advice)])
    return Outline(shapely.box(west, south, east, north), "")


def of_file(path: Path) -> Outline:
    """Return the union of a file's polygons.

    Raises
    ------
    LayerError
        If the file is not made of valid polygons with a reference system.
    """
    source = read_boundary(Table(path=path.resolve()))
    shape = _areas_of(source.frame.to_crs(WGS84).geometry.union_all())
    if shape.is_empty or not _on_earth(shape):
        raise LayerError([Fault(source.file, "holds no area on the earth", advice="check its reference system")])
    return Outline(shape, path.stem)


def of_place(place: str, client: Client) -> Outline:
    """Return the one area that Nominatim knows under a name, or under an id such as R2715968.

    Raises
    ------
    LayerError
        If it knows none or several, or cannot be asked.
    """
    if _OSM_ID.fullmatch(place):
        return _looked_up(place, client)
    frames: list[gpd.GeoDataFrame] = []
    answers = client.fetch(
        "boundary", lambda osmnx: frames.append(_geocoded(osmnx, place)), "search", place, overpass=False
    )
    results = answers[0] if answers else []
    areas = [one for one in results if one["geojson"]["type"] in _AREAS]
    governed = [one for one in areas if one.get("class") == "boundary" and one.get("type") == "administrative"]
    chosen = {_id_of(one): one for one in governed or areas}
    if len(chosen) != 1:
        raise LayerError([_not_one(place, results, list(chosen.values()), client)])
    return _outline(next(iter(chosen.values())), client)


def _looked_up(osm_id: str, client: Client) -> Outline:
    answers = client.fetch(
        "boundary", lambda osmnx: _geocoded(osmnx, osm_id, by_osmid=True), "lookup", osm_id, overpass=False
    )
    results = answers[0] if answers else []
    if not results:
        message = f"knows no object {osm_id}"
        raise LayerError([Fault(client.servers.nominatim_url, message, advice="look the id up on openstreetmap.org")])
    if results[0]["geojson"]["type"] not in _AREAS:
        message = f"{osm_id} ({_name(results[0])}) is no area"
        advice = "name the relation or closed way of its outline"
        raise LayerError([Fault(client.servers.nominatim_url, message, advice=advice)])
    return _outline(results[0], client)


def _geocoded(osmnx: Any, place: str, *, by_osmid: bool = False) -> gpd.GeoDataFrame | None:
    """Ask; what OSMnx makes of an answer without an area does not matter, for the answer itself is kept."""
    with suppress(ValueError, TypeError):
        return osmnx.geocode_to_gdf(place, by_osmid=by_osmid)
    return None


def _outline(result: dict[str, Any], client: Client) -> Outline:
    try:
        shape = _areas_of(shapely.geometry.shape(result["geojson"]))
    except (shapely.errors.ShapelyError, ValueError, TypeError, LookupError, AttributeError):
        shape = shapely.Polygon()
    if shape.is_empty or not _on_earth(shape):
        message = f"sends an outline of {_id_of(result)} ({_name(result)}) that is none"
        raise LayerError([Fault(client.servers.nominatim_url, message, advice="use --bbox or --boundary")])
    return Outline(shape, _name(result), _id_of(result))


def _areas_of(shape: BaseGeometry) -> BaseGeometry:
    parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(shapely.force_2d(shape))))
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])


def _on_earth(shape: BaseGeometry) -> bool:
    west, south, east, north = shape.bounds
    return bool(west >= -180 and east <= 180 and south >= -80 and north <= 84)


def _id_of(result: dict[str, Any]) -> str:
    return f"{clean(result['osm_type'])[:1].upper()}{result['osm_id']}"


def _name(result: dict[str, Any]) -> str:
    return " ".join(clean(result["display_name"]).split())[:120]


def _not_one(place: str, results: list[dict[str, Any]], chosen: list[dict[str, Any]], client: Client) -> Fault:
    """Say that a name stands for no area or for several, and list what may have been meant."""
    server = client.servers.nominatim_url
    if not results:
        advice = "check the spelling, add the province, or use --bbox or --boundary"
        return Fault(server, f"knows no place {place!r}", advice=advice)
    listed = "; ".join(f"{_id_of(one)} {_name(one)}" for one in (chosen or results)[:SHOWN_PLACES])
    more = len(chosen or results) - SHOWN_PLACES
    listed += f"; and {more} more" if more > 0 else ""
    if not chosen:
        advice = "name the district around it, or use --bbox or --boundary"
        return Fault(server, f"knows {place!r}, but no area of that name ({listed})", advice=advice)
    return Fault(
        server, f"knows {len(chosen)} areas {place!r} ({listed})", advice="give the id of one instead of a name"
    )
