"""Shifts: whether a layer's coordinates look like those of another datum than the one declared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import Transformer

from facility_coverage.analysis.findings import Finding, finding
from facility_coverage.analysis.misfit import FARTHEST_M, Misfit, best_reading
from facility_coverage.config.study import Datum, FacilityLayer, StudyConfig, Table
from facility_coverage.layers.crs import WGS84
from facility_coverage.layers.datum import DATUMS, SHIFTED, from_wgs84, in_china, to_wgs84
from facility_coverage.layers.facilities import read_facilities
from facility_coverage.layers.model import Floats, Layers
from facility_coverage.layers.tables import shown_path
from facility_coverage.network.network import Network
from facility_coverage.network.snapping import locate

#: How a reading begins under which not the layer but the roads are of another datum.
_ROADS = "roads: "
_NAMES = {"wgs84": "WGS 84", "gcj02": "GCJ-02", "bd09": "BD-09"}
#: Outlines are measured at places so far from each other, metres, and at so many at most.
_EVERY_M, _MOST_PLACES = 250.0, 4000


def shifts(config: StudyConfig, layers: Layers, networks: Mapping[str, Network]) -> Iterator[Finding]:
    """Yield a finding for each layer that fits clearly better if its datum is another.

    Facilities are measured against the roads, and the outline of the zones against the boundary and the neighbours
    where the study names these. Layers outside China are passed over.
    """
    degrees = Transformer.from_crs(layers.crs, WGS84, always_xy=True)
    roads: list[Misfit] = []
    for layer in config.facilities:
        to_roads = _to_roads(networks[layer.profile])
        for table, places in _by_file(layer, layers.facilities[layer.id]):
            found = best_reading(places, _readings(places, _datum(table), degrees, roads=True), to_roads)
            if found is not None and found.clear:
                if found.reading.startswith(_ROADS):
                    roads.append(found)
                else:
                    yield _named(found, layer.id, shown_path(table.path), zh="道路", en="roads")
    if roads:
        found = max(roads, key=lambda one: one.places)
        yield finding("warning", "datum_shift_roads", "roads", shown_path(config.roads.path), **_figures(found))
    yield from _zones(config, layers, degrees)


def _by_file(layer: FacilityLayer, frame: gpd.GeoDataFrame) -> Iterator[tuple[Table, Floats]]:
    """Yield each file of a layer and the places of its facilities, metres."""
    xy, tables = np.column_stack([frame.geometry.x, frame.geometry.y]), layer.tables()
    if len(tables) == 1:
        yield tables[0], xy
        return
    for table, source in zip(tables, read_facilities(layer), strict=True):
        yield table, xy[frame["facility_id"].isin(source.frame["facility_id"]).to_numpy()]


def _zones(config: StudyConfig, layers: Layers, degrees: Transformer) -> Iterator[Finding]:
    """Measure the outline of the zones against what else is drawn of it."""
    others = [layers.basemap["neighbours"]] if "neighbours" in layers.basemap else []
    lines = [frame.geometry.boundary.to_numpy() for frame in others]
    if config.boundary is not None:
        lines.append(np.array([layers.boundary.boundary], dtype=object))
    if not lines:
        return
    drawn = shapely.union_all(np.concatenate(lines))
    outline = layers.zones.geometry.union_all().boundary
    places = shapely.get_coordinates(shapely.segmentize(outline, _EVERY_M))
    near = shapely.distance(shapely.points(places), drawn) <= FARTHEST_M / 2
    places = places[near][:: max(1, int(near.sum()) // _MOST_PLACES)]
    shapely.prepare(drawn)

    def to_drawn(at: Floats) -> Floats:
        distances: Floats = shapely.distance(shapely.points(at), drawn)
        return distances

    found = best_reading(places, _readings(places, _datum(config.zones), degrees, roads=False), to_drawn)
    if found is not None and found.clear:
        yield _named(found, "zones", shown_path(config.zones.path), zh="边界", en="the boundary and the neighbours")


def _datum(table: Table) -> Datum:
    """Return the declared datum; CGCS2000 counts as WGS 84."""
    declared = table.datum or "wgs84"
    return "wgs84" if declared == "cgcs2000" else declared


def _readings(places: Floats, declared: Datum, degrees: Transformer, *, roads: bool) -> dict[str, Floats]:
    """Return the places (metres, shape (places, 2)) as they would lie if they, or the roads, were of another datum."""
    lonlat = np.column_stack(degrees.transform(places[:, 0], places[:, 1]))
    if not in_china(lonlat).all():
        return {}
    written = from_wgs84(lonlat, declared)
    read: dict[str, Floats] = {
        datum: to_wgs84(written, datum) for datum in DATUMS if datum not in (declared, "cgcs2000")
    }
    if roads:
        read |= {_ROADS + datum: from_wgs84(lonlat, datum) for datum in SHIFTED}

    def projected(at: Floats) -> Floats:
        return np.column_stack(degrees.transform(at[:, 0], at[:, 1], direction="INVERSE"))

    return {name: projected(at) for name, at in read.items()}


def _to_roads(network: Network) -> Callable[[Floats], Floats]:
    """Return how far places lie from the network's nearest road, NaN beyond `FARTHEST_M`."""

    def distance_m(places: Floats) -> Floats:
        found = locate(places, network.index, max_access_m=FARTHEST_M)
        distances = np.full(len(places), np.nan)
        distances[found.edge >= 0] = found.access_m
        return distances

    return distance_m


def _named(found: Misfit, layer: str, file: str, *, zh: str, en: str) -> Finding:
    return finding("warning", "datum_shift", layer, file, against_zh=zh, against=en, **_figures(found))


def _figures(found: Misfit) -> dict[str, Any]:
    """Return what the sentences name."""
    datum = found.reading.removeprefix(_ROADS)
    return {
        "reading": _NAMES[datum], "datum": datum, "places": found.places, "nearer_share": found.nearer_share,
        "declared_m": found.declared_m, "read_m": found.read_m, "sure": 1.0 - found.chance,
    }  # fmt: skip
