"""The time grid as bytes for a page: small numbers, row by row, that pack well."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj

from facility_coverage.analysis.time_grid import WEB_MERCATOR, GroundGrid, GroundTimes, coded
from facility_coverage.config.study import FacilityLayer
from facility_coverage.layers.model import Floats, Ints
from facility_coverage.outputs.palette import PEOPLE_PER_SQUARE

Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]

#: Codes that are no time: beyond the last bound, no way to any facility, no way near, outside the study.
BEYOND, NOWHERE, UNATTACHED, OUTSIDE = 252, 253, 254, 255
#: Position of no facility.
NONE = 0xFFFFFF
_EARTH_M = 2 * np.pi * 6_378_137.0


def bounds_s(layer: FacilityLayer) -> Floats:
    """Return the times that codes stand for, ever farther apart up to four hours, and the layer's cutoffs."""
    steps = [np.arange(1, 31), np.arange(32, 61, 2), np.arange(65, 121, 5), np.arange(130, 241, 10)]
    return np.unique(60.0 * np.concatenate([*steps, list(layer.cutoff_min.values())]))


def frame(ground: GroundGrid) -> dict[str, Any]:
    """Return where the grid lies, in the page's Web Mercator of 0 to 1."""
    rows, columns = ground.inside.shape
    return {
        "x": ground.west / _EARTH_M + 0.5,
        "y": 0.5 - ground.north / _EARTH_M,
        "side": ground.side / _EARTH_M,
        "side_m": ground.side_m,
        "rows": rows,
        "columns": columns,
    }


def encode_times(ground: GroundGrid, times: GroundTimes, bounds: Floats, position: Ints) -> bytes:
    """Return the codes of the travel times, then the nearest facility of each square.

    Of the facilities, a code of two bits for each square says: as to the west (0), as to the north (1), as to the
    north-east (2), or another (3); then follow those others, their position on the page in three bytes. Beyond the
    grid, and where there is none, the position is 0xFFFFFF.

    Parameters
    ----------
    ground, times
        The grid and a facility layer's times on it.
    bounds
        From `bounds_s`.
    position
        Position on the page of each row of the layer's frame, shape (facilities,).
    """
    code = np.minimum(coded(times.seconds, bounds), BEYOND)
    code = np.where(np.isnan(times.seconds), np.where(times.attached, NOWHERE, UNATTACHED), code)
    place = np.full(ground.inside.shape, NONE, dtype=np.int64)
    place[ground.inside] = np.append(position, NONE)[times.facility]
    around = np.pad(place, ((1, 0), (1, 1)), constant_values=NONE)
    west, north, north_east = around[1:, :-2], around[:-1, 1:-1], around[:-1, 2:]
    way = np.select([place == west, place == north, place == north_east], [0, 1, 2], 3).ravel()
    others = place.ravel()[way == 3]
    packed = np.append(way, np.zeros(-len(way) % 4, dtype=np.int64)).reshape(-1, 4) @ np.array([1, 4, 16, 64])
    parts = (packed, *(others >> shift & 0xFF for shift in (0, 8, 16)))
    return _steps(_plane(ground, code, OUTSIDE)) + b"".join(part.astype(np.uint8).tobytes() for part in parts)


def encode_people(ground: GroundGrid, points: pd.DataFrame, people: Floats, covered: Bools, crs: pyproj.CRS) -> bytes:
    """Return one plane of classes: 0 for nobody, 1 to 3 for few to many people within reach, 4 to 6 for left out.

    A square where most people are left out is one of those left out.

    Parameters
    ----------
    ground
        The grid.
    points
        Demand points: `x_m`, `y_m`.
    people, covered
        How many live at each point, and whether they are covered, shape (points,).
    crs
        Reference system of the points.
    """
    rows, columns = ground.inside.shape
    x, y = pyproj.Transformer.from_crs(crs, WEB_MERCATOR, always_xy=True).transform(
        points["x_m"].to_numpy(dtype=float), points["y_m"].to_numpy(dtype=float)
    )
    column = np.clip((x - ground.west) // ground.side, 0, columns - 1).astype(np.int64)
    row = np.clip((ground.north - y) // ground.side, 0, rows - 1).astype(np.int64)
    square = row * columns + column
    everybody = np.bincount(square, people, minlength=rows * columns)
    out = np.bincount(square, people * ~covered, minlength=rows * columns)
    density = np.searchsorted(PEOPLE_PER_SQUARE, everybody, side="left") + 1
    classes = np.where(everybody > 0, density + (len(PEOPLE_PER_SQUARE) + 1) * (out > 0.5 * everybody), 0)
    return _steps(classes.astype(np.uint8).reshape(rows, columns))


def encode_catchments(ground: GroundGrid, times: GroundTimes, order: Ints) -> bytes:
    """Return the squares within the cutoff of each facility, as runs: varints of the gap before one, and its length.

    Facilities stand in the `order` of the page, each with the number of its runs first. Squares are numbered row by
    row.
    """
    counts = np.diff(times.indptr)[order]
    start = np.cumsum(counts) - counts
    taken = np.repeat(times.indptr[:-1][order] - start, counts) + np.arange(counts.sum())
    flat = np.flatnonzero(ground.inside.ravel())[times.squares[taken]]
    of = np.repeat(np.arange(len(order)), counts)
    first = np.ones(len(flat), dtype=np.bool_)
    first[1:] = (np.diff(flat) != 1) | (np.diff(of) != 0)
    begin = np.flatnonzero(first)
    length = np.diff(np.append(begin, len(flat)))
    owner = of[begin]
    gap = flat[begin].copy()
    same = np.flatnonzero(np.diff(owner) == 0) + 1
    gap[same] -= (flat[begin] + length)[same - 1]
    runs = np.bincount(owner, minlength=len(order))
    # Each facility's number of runs, then its pairs: interleaved by where they stand.
    before = np.cumsum(runs) - runs
    values = np.empty(len(order) + 2 * len(begin), dtype=np.int64)
    values[np.arange(len(order)) + 2 * before] = runs
    at = owner + 1 + 2 * np.arange(len(begin))
    values[at], values[at + 1] = gap, length
    return varints(values)


def varints(values: Ints) -> bytes:
    """Return numbers of seven bits a byte, the lowest first; the eighth bit says that more follow.

    Examples
    --------
    >>> varints(np.array([1, 127, 128, 300])).hex(" ")
    '01 7f 80 01 ac 02'
    """
    places = np.array([0, 7, 14, 21, 28])
    groups = np.maximum(1, (values[:, None] >= 1 << places).sum(axis=1))
    digits = values[:, None] >> places & 0x7F
    shown = np.arange(5) < groups[:, None]
    more = np.arange(5) < groups[:, None] - 1
    octets: Bytes = (digits + 0x80 * more)[shown].astype(np.uint8)
    return octets.tobytes()


def _plane(ground: GroundGrid, values: Ints, outside: int) -> Bytes:
    plane = np.full(ground.inside.shape, outside, dtype=np.uint8)
    plane[ground.inside] = values
    return plane


def _steps(plane: Bytes) -> bytes:
    """Return each value less the one to its north, modulo 256: neighbours are alike, and small steps pack well."""
    return bytes(np.diff(plane, axis=0, prepend=np.zeros((1, plane.shape[1]), dtype=np.uint8)).tobytes())
