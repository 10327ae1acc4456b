"""Two expressways with separate carriageways, bridges, tunnels and interchanges."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import shapely
from scipy import ndimage

from facility_coverage.layers.model import Floats
from facility_coverage.sample.frame import metres, smooth_line, to_lonlat, to_metres
from facility_coverage.sample.terrain import Terrain

# Name, way points and interchanges in km.
EXPRESSWAYS = (
    (
        "成渝高速公路",
        ((16.5, 4.6), (10.5, 7.2), (5.0, 6.6), (0.5, 5.6), (-4.5, 4.0), (-11.0, 3.6), (-18.0, 0.2), (-26.0, -1.6)),
        ((7.2, 6.9), (0.5, 5.6), (-10.0, 3.6), (-19.0, -0.2)),
    ),
    (
        "三环高速公路",
        ((-5.5, 23.5), (-6.2, 14.5), (-7.2, 7.0), (-7.6, -3.0), (-7.0, -12.0), (-9.5, -21.0), (-5.0, -29.0),
         (-2.4, -33.0), (-3.6, -40.0), (-5.5, -46.0)),
        ((-6.2, 14.0), (-7.6, -2.0), (-7.0, -13.0), (-9.3, -23.0), (-4.6, -29.6)),
    ),
)  # fmt: skip
STEP_M = 50.0


def build_expressways(terrain: Terrain, ground: pd.DataFrame) -> pd.DataFrame:
    """Return motorways and links in longitude and latitude; `ground` holds the roads they cross or join."""
    roads = ground["geometry"].to_numpy()
    tree = shapely.STRtree(roads)
    main = ground["highway"].isin(["trunk", "primary", "secondary", "tertiary"]).to_numpy()
    joints = np.unique(shapely.get_coordinates(shapely.boundary(roads[main])), axis=0)
    rows: list[dict[str, object]] = []
    for name, course, interchanges in EXPRESSWAYS:
        middle = smooth_line(metres(course), STEP_M)
        for side in (1.0, -1.0):
            carriageway = to_lonlat(_beside(middle, 12.0 * side)[:: int(side)])
            rows += _carriageway(terrain, name, carriageway, tree)
            rows += _links(carriageway, metres(interchanges), joints, tree)
    return pd.DataFrame(rows)


def _beside(line: Floats, offset_m: float) -> Floats:
    tangent = np.gradient(line, axis=0)
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]]) / np.hypot(*tangent.T)[:, None]
    return np.asarray(line - normal * offset_m)


def _carriageway(terrain: Terrain, name: str, line: Floats, tree: shapely.STRtree) -> list[dict[str, object]]:
    """Cut a carriageway where it changes between ground, bridge and tunnel."""
    xy = to_metres(line)
    land = terrain.coarse_m.ravel()[terrain.coarse.cell(xy)]
    grade = ndimage.gaussian_filter1d(ndimage.minimum_filter1d(land, 41), 12)
    segments = shapely.linestrings(np.stack([line[:-1], line[1:]], axis=1))
    over = np.zeros(len(segments), dtype=np.bool_)
    over[np.unique(tree.query(segments, predicate="intersects")[0])] = True
    wet = terrain.wet.ravel()[terrain.coarse.cell(xy)] > 0
    kind = np.where(land[:-1] - grade[:-1] > 75.0, 2, np.where(over | wet[:-1] | wet[1:], 1, 0))
    cuts = np.concatenate([[0], np.flatnonzero(np.diff(kind)) + 1, [len(kind)]])
    return [
        {
            "highway": "motorway",
            "name": name,
            "foot": "no",
            "oneway": "yes",
            "bridge": "yes" if kind[a] == 1 else None,
            "tunnel": "yes" if kind[a] == 2 else None,
            "layer": {0: None, 1: "1", 2: "-1"}[int(kind[a])],
            "geometry": shapely.LineString(line[a : b + 1]),
        }
        for a, b in itertools.pairwise(cuts)
    ]


def _links(line: Floats, interchanges: Floats, joints: Floats, tree: shapely.STRtree) -> list[dict[str, object]]:
    """Join a carriageway to the nearest main road by an exit and an entrance."""
    xy, joint_xy = to_metres(line), to_metres(joints)
    rows: list[dict[str, object]] = []
    for place in interchanges:
        vertex = int(np.argmin(np.hypot(*(xy - place).T)))
        goal = int(np.argmin(np.hypot(*(joint_xy - xy[vertex]).T)))
        for ahead in (-7, 7):
            start = int(np.clip(vertex + ahead, 1, len(xy) - 2))
            onward = xy[start] + (xy[vertex] - xy[start]) * 0.9
            t = np.linspace(0.0, 1.0, 12)[:, None]
            curve = (1 - t) ** 2 * xy[start] + 2 * t * (1 - t) * onward + t**2 * joint_xy[goal]
            bend = to_lonlat(curve)
            bend[0], bend[-1] = line[start], joints[goal]
            path = shapely.LineString(bend if ahead < 0 else bend[::-1])
            crosses = len(tree.query(path, predicate="crosses")) > 0
            rows.append(
                {
                    "highway": "motorway_link",
                    "foot": "no",
                    "oneway": "yes",
                    "bridge": "yes" if crosses else None,
                    "layer": "1" if crosses else None,
                    "geometry": path,
                }
            )
    return rows
