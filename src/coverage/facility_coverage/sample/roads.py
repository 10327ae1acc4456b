"""All roads of the sample in one table: noded where they meet, bridged where they do not."""

from __future__ import annotations

from collections import defaultdict

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import sparse
from scipy.sparse import csgraph

from facility_coverage.layers.model import Floats
from facility_coverage.sample.countryside import Ways
from facility_coverage.sample.expressway import build_expressways
from facility_coverage.sample.frame import CRS, metres, to_lonlat
from facility_coverage.sample.terrain import Terrain

TAGS = ("name", "foot", "access", "oneway", "bridge", "tunnel", "layer", "maxspeed")
MAXSPEED = {"motorway": "100", "motorway_link": "40", "trunk": "80", "primary": "60", "secondary": "50"}
NAMES = {"trunk": "永泸大道", "primary": "永川大道"}
LOOSE_PIECES = 6
# Bridges opened in 2023: the one that carries the trunk road over the Yangtze, and one in the town near this place.
NEW_TRUNK_BRIDGE_M = 90.0
NEW_BRIDGE_KM = (0.6, -0.7)


def build_roads(terrain: Terrain, countryside: Ways, streets: Ways) -> gpd.GeoDataFrame:
    """Return way_id, highway, the tags and geometry in longitude and latitude; lines that meet share a vertex."""
    ground, bridges = _over_water(terrain, _table([countryside, streets]))
    ground, bridges = _in_degrees(ground), _in_degrees(bridges)
    ground = ground.assign(geometry=_noded(ground["geometry"].to_numpy()))
    motorways = build_expressways(terrain, ground)
    roads = pd.concat([ground, bridges, motorways], ignore_index=True)
    roads = roads[_kept_pieces(roads["geometry"].to_numpy())].reset_index(drop=True)
    roads["maxspeed"] = roads["highway"].map(MAXSPEED).astype(object)
    roads["name"] = roads["name"].where(roads["name"].notna(), roads["highway"].map(NAMES)).astype(object)
    roads["way_id"] = [f"w{100_000 + n}" for n in range(len(roads))]
    for tag in TAGS:
        roads[tag] = roads[tag].astype(object).where(roads[tag].notna(), None)
    return gpd.GeoDataFrame(roads[["way_id", "highway", *TAGS, "geometry"]], crs="EPSG:4326")


def with_years(roads: gpd.GeoDataFrame, estates: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the roads with `built`: 2023 for two bridges and the lesser streets of new estates, 2015 for others."""
    lines = roads.to_crs(CRS).geometry
    bridge = (roads["bridge"] == "yes").to_numpy()
    new = bridge & (roads["highway"] == "trunk").to_numpy() & (lines.length > NEW_TRUNK_BRIDGE_M).to_numpy()
    street = bridge & (roads["highway"] == "secondary").to_numpy()
    far = shapely.distance(lines.to_numpy(), shapely.Point(metres([NEW_BRIDGE_KM])[0]))
    new[np.where(street, far, np.inf).argmin()] = True
    lesser = roads["highway"].isin(["residential", "service", "footway", "steps"]).to_numpy()
    new |= lesser & shapely.intersects(shapely.union_all(estates.geometry.to_numpy()), roads.geometry.to_numpy())
    columns = [name for name in roads.columns if name != "geometry"]
    return roads.assign(built=np.where(new, "2023", "2015").astype(object))[[*columns, "built", "geometry"]]


def _table(parts: list[Ways]) -> pd.DataFrame:
    """Return the ways as lines in metres, simplified by less than a road's width."""
    lines = [shapely.LineString(line) for part in parts for line in part.lines]
    table = pd.DataFrame({"highway": [kind for part in parts for kind in part.highway]}).assign(**dict.fromkeys(TAGS))
    return table.assign(geometry=shapely.simplify(np.asarray(lines), 4.0))


def _over_water(terrain: Terrain, roads: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cut roads at the banks; the pieces over water are bridges. No street or path crosses the Yangtze or a lake."""
    water = shapely.union_all([polygon for _, polygon in terrain.water.values()])
    shapely.prepare(water)
    lines = roads["geometry"].to_numpy()
    wet = shapely.intersects(water, lines)
    dry, crossing = roads[~wet], roads[wet]
    pieces = {"ground": shapely.difference(lines[wet], water), "bridge": shapely.intersection(lines[wet], water)}
    made = {}
    for kind, geometry in pieces.items():
        parts, number = shapely.get_parts(geometry, return_index=True)
        line = (shapely.get_type_id(parts) == 1) & (shapely.length(parts) > 0.3)
        made[kind] = crossing.iloc[number[line]].assign(geometry=parts[line])
    longest = np.where(made["bridge"]["highway"].isin(["trunk", "primary", "secondary"]), 2_500.0, 260.0)
    bridges = made["bridge"][shapely.length(made["bridge"]["geometry"].to_numpy()) < longest]
    return pd.concat([dry, made["ground"]], ignore_index=True), bridges.assign(bridge="yes", layer="1")


def _in_degrees(roads: pd.DataFrame) -> pd.DataFrame:
    lines = roads["geometry"].to_numpy()
    coordinates, number = shapely.get_coordinates(lines, return_index=True)
    lonlat = to_lonlat(coordinates)
    distinct = np.concatenate([[True], (np.diff(lonlat, axis=0) != 0).any(axis=1) | (np.diff(number) != 0)])
    count = np.bincount(number[distinct], minlength=len(lines))
    usable = count[number] > 1
    kept = distinct & usable
    places = np.flatnonzero(count > 1)
    renumbered = np.searchsorted(places, number[kept])
    return roads.iloc[places].assign(geometry=shapely.linestrings(lonlat[kept], indices=renumbered))


def _noded(lines: np.ndarray) -> np.ndarray:
    """Give lines that cross a shared vertex at the crossing, on the grid of a millionth of a degree."""
    a, b = shapely.STRtree(lines).query(lines, predicate="crosses")
    a, b = a[a < b], b[a < b]
    points, pair = shapely.get_parts(shapely.intersection(lines[a], lines[b]), return_index=True)
    isolated = shapely.get_type_id(points) == 0
    points, pair = points[isolated], pair[isolated]
    xy = np.round(shapely.get_coordinates(points), 6)
    extra: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for line in (a[pair], b[pair]):
        for number, place in zip(line.tolist(), xy.tolist(), strict=True):
            extra[number].append((place[0], place[1]))
    result = lines.copy()
    for number, places in extra.items():
        result[number] = _with_vertices(lines[number], np.asarray(places))
    return result


def _with_vertices(line: shapely.LineString, places: Floats) -> shapely.LineString:
    own = shapely.get_coordinates(line)
    at_own = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(own, axis=0).T))])
    at_new = shapely.line_locate_point(line, shapely.points(places))
    order = np.argsort(np.concatenate([at_own, at_new]), kind="stable")
    xy = np.vstack([own, places])[order]
    return shapely.LineString(xy[np.concatenate([[True], (np.diff(xy, axis=0) != 0).any(axis=1)])])


def _kept_pieces(lines: np.ndarray) -> np.ndarray:
    """Say which lines to keep: those of the largest connected piece and of a few small ones."""
    coordinates, number = shapely.get_coordinates(lines, return_index=True)
    _, node = np.unique(coordinates, axis=0, return_inverse=True)
    count = int(node.max()) + 1
    links = sparse.coo_array((np.ones(len(node)), (number, len(lines) + node.ravel())), shape=(len(lines) + count,) * 2)
    _, piece = csgraph.connected_components(links, directed=False)
    size = np.bincount(piece[: len(lines)])
    order = np.argsort(-size, kind="stable")
    return np.isin(piece[: len(lines)], order[: LOOSE_PIECES + 1])
