"""Roads of the synthetic province: streets in towns, a wider mesh between villages, roads that join the towns, bridges.

All roads run along the grid's lines from corner to corner of its cells; corners are moved a little, so that nothing is
straight, and not so far that roads would cross between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from province_ground import CELL_M, COARSE, CRS, TOWN_CELLS, Bools, Ground, stream
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from facility_coverage.layers.model import Floats, Ints

Codes = npt.NDArray[np.uint8]

CLASSES = (
    "", "primary", "secondary", "tertiary", "residential", "service", "footway", "unclassified", "track", "path",
)  # fmt: skip
PRIMARY, SECONDARY, TERTIARY, RESIDENTIAL, SERVICE, FOOTWAY, UNCLASSIFIED, TRACK, PATH = range(1, 10)
#: Corners are moved by up to this; two lines 100 m apart stay so 50 m at least.
JITTER_M = 25.0
#: Share of the streets of a town and of the pieces of road between villages that are there.
KEPT_STREETS, KEPT_ROADS, KEPT_PATHS = 0.94, 0.92, 0.6
_MAIN_STREETS, _BRIDGES, _PATHS = 5, 15, 9
_LONGEST = 30
_BRIDGE_BIT = 16


@dataclass(frozen=True)
class Steps:
    """Pieces of road from corner to corner.

    Attributes
    ----------
    across, down
        Class of the step from a corner to the next in the east, shape (rows + 1, cols), and in the south, shape
        (rows, cols + 1); 0 where there is none, and 16 more on bridges.
    xy
        Corners as moved, metres, shape ((rows + 1) * (cols + 1), 2).
    """

    across: Codes
    down: Codes
    xy: Floats

    def ends(self) -> tuple[Ints, Ints]:
        """Return the corners that each step joins, those across first, shape (steps,) each."""
        cols = self.across.shape[1]
        row, col = np.nonzero(self.across)
        row_down, col_down = np.nonzero(self.down)
        tail = np.concatenate([row * (cols + 1) + col, row_down * (cols + 1) + col_down])
        return tail, tail + np.repeat([1, cols + 1], [len(row), len(row_down)])


def build_roads(ground: Ground) -> Steps:
    """Return all roads, joined to one piece."""
    wet = _at_corners(ground.wet, least=1)
    core = _at_corners(ground.core, least=4)
    settled = ~_at_corners(ground.mountain, least=3)
    main_across, main_down = _between_towns(ground)
    across = _one_way(core, settled, wet, main_across, "across")
    down = _one_way(core.T, settled.T, wet.T, np.ascontiguousarray(main_down.T), "down")
    steps = Steps(across, np.ascontiguousarray(down.T), _corners(ground))
    return _largest_piece(steps)


def _at_corners(cells: Bools, *, least: int) -> Bools:
    """Tell of which corners at least so many of the four cells about them are so; beyond the edge it goes on."""
    wide = np.pad(cells, 1, mode="edge").astype(np.uint8)
    return np.asarray(wide[:-1, :-1] + wide[1:, :-1] + wide[:-1, 1:] + wide[1:, 1:] >= least)


def _corners(ground: Ground) -> Floats:
    rows, cols = ground.rows + 1, ground.cols + 1
    rng = stream("corners")
    xy = np.empty((rows, cols, 2))
    xy[..., 0] = ground.west_m + CELL_M * np.arange(cols)
    xy[..., 1] = ground.north_m - CELL_M * np.arange(rows)[:, None]
    # Whoever stands at the edge of the province stays in it.
    for axis, inner in ((0, np.s_[:, 1:-1]), (1, np.s_[1:-1, :])):
        moved = xy[..., axis][inner]
        moved += rng.uniform(-JITTER_M, JITTER_M, moved.shape)
    return np.round(xy.reshape(-1, 2), 2)


def _between_towns(ground: Ground) -> tuple[Codes, Codes]:
    """Return the roads from each town to its neighbours in the east and south: along a row, then along a column."""
    across = np.zeros((ground.rows + 1, ground.cols), dtype=np.uint8)
    down = np.zeros((ground.rows, ground.cols + 1), dtype=np.uint8)
    squares = ground.towns // TOWN_CELLS
    number = {(int(r), int(c)): n for n, (r, c) in enumerate(squares)}
    for (row, col), one in number.items():
        for other in (number.get((row, col + 1)), number.get((row + 1, col))):
            if other is None:
                continue
            (top, left), (bottom, right) = ground.towns[one], ground.towns[other]
            code = PRIMARY if ground.seat[one] or ground.seat[other] else SECONDARY
            across[top, min(left, right) : max(left, right)] = code
            down[top:bottom, right] = code
    return across, down


def _one_way(core: Bools, settled: Bools, wet: Bools, main: Codes, name: str) -> Codes:
    """Return the steps along the rows of corners."""
    rng = stream(f"roads {name}")
    lines, count = core.shape[0], core.shape[1] - 1
    line = np.arange(lines)[:, None]
    steps = _paths(settled, rng)
    on = settled[:, :-1] & settled[:, 1:] & (line % COARSE == 0)
    kept = _drawn(rng, lines, count, COARSE, KEPT_ROADS)
    kinds = _kinds(rng, lines, count, (UNCLASSIFIED, RESIDENTIAL, TRACK, PATH), (0.45, 0.25, 0.2, 0.1))
    _put(steps, on & kept, kinds)
    inside = core[:, :-1] & core[:, 1:]
    through = inside & (line % _BRIDGES == 0)
    steps[inside] = 0
    kept = rng.random((lines, count), dtype=np.float32) < KEPT_STREETS
    _put(steps, inside & kept, _kinds(rng, lines, count, (RESIDENTIAL, SERVICE, FOOTWAY), (0.7, 0.15, 0.15)))
    steps[inside & (line % _MAIN_STREETS == 0)] = TERTIARY
    over = wet[:, :-1] | wet[:, 1:]
    steps[over & ~through] = 0
    _put(steps, main > 0, main)
    steps[over & (steps > 0)] |= _BRIDGE_BIT
    return steps


def _put(steps: Codes, where: Bools, codes: Codes) -> None:
    np.copyto(steps, codes, where=where)


def _paths(settled: Bools, rng: np.random.Generator) -> Codes:
    """Return paths over the lower mountains, far apart."""
    lines, count = settled.shape[0], settled.shape[1] - 1
    near = ndimage.binary_dilation(settled[:, :-1], iterations=2 * _PATHS)
    on = near & (np.arange(lines)[:, None] % _PATHS == 0) & _drawn(rng, lines, count, _PATHS, KEPT_PATHS)
    return np.where(on, np.uint8(PATH), np.uint8(0))


def _drawn(rng: np.random.Generator, lines: int, count: int, unit: int, share: float) -> Bools:
    """Draw units of so many steps."""
    units = rng.random((lines, -(-count // unit)), dtype=np.float32) < share
    return np.asarray(np.repeat(units, unit, axis=1)[:, :count])


def _kinds(
    rng: np.random.Generator, lines: int, count: int, codes: tuple[int, ...], shares: tuple[float, ...]
) -> Codes:
    """Draw a class for each stretch of a line."""
    drawn = rng.choice(np.array(codes, dtype=np.uint8), (lines, -(-count // _LONGEST)), p=shares)
    return np.asarray(np.repeat(drawn, _LONGEST, axis=1)[:, :count])


def _largest_piece(steps: Steps) -> Steps:
    """Leave out what does not hang together with the rest: small islands of streets and paths."""
    tail, head = steps.ends()
    count = len(steps.xy)
    graph = sparse.coo_array((np.ones(len(tail), dtype=np.uint8), (tail, head)), shape=(count, count)).tocsr()
    _, piece = csgraph.connected_components(graph, directed=False)
    largest = np.bincount(piece[tail]).argmax()
    inside = (piece == largest).reshape(steps.down.shape[0] + 1, -1)
    return Steps(
        np.where(inside[:, :-1] & inside[:, 1:], steps.across, np.uint8(0)),
        np.where(inside[:-1] & inside[1:], steps.down, np.uint8(0)),
        steps.xy,
    )


def write_roads(steps: Steps, path: Path) -> int:
    """Write ways, each a stretch of a line of one class; ways meet at identical vertices. Return their number."""
    cols = steps.across.shape[1]
    down = np.ascontiguousarray(steps.down.T)
    parts = [_runs(steps.across, 1, cols + 1, _LONGEST), _runs(down, cols + 1, 1, _LONGEST)]
    codes = np.concatenate([part[0] for part in parts])
    lengths = np.concatenate([part[1] for part in parts])
    corners = np.concatenate([part[2] for part in parts])
    lines = shapely.linestrings(steps.xy[corners], indices=np.repeat(np.arange(len(codes)), lengths))
    over = codes >= _BRIDGE_BIT
    table = {
        "highway": np.array(CLASSES, dtype=object)[codes % _BRIDGE_BIT],
        "bridge": np.where(over, "yes", None),
        "layer": np.where(over, "1", None),
    }
    gpd.GeoDataFrame(table, geometry=lines, crs=CRS).to_parquet(path, index=False, compression="zstd")
    return len(codes)


def _runs(codes: Codes, step: int, line: int, longest: int) -> tuple[Codes, Ints, Ints]:
    """Return stretches of one class: their classes, their numbers of vertices, and their corners one after another.

    Parameters
    ----------
    codes
        Steps line by line.
    step, line
        What the number of a corner grows by from one step to the next, and from one line to the next.
    longest
        Most steps of a stretch.
    """
    flat, count = codes.ravel(), codes.shape[1]
    at = np.flatnonzero(flat)
    if not len(at):
        return flat[:0], at, at
    place = at % count
    new = (np.diff(at) != 1) | (flat[at[1:]] != flat[at[:-1]]) | (place[1:] == 0) | (place[1:] % longest == 0)
    first = np.concatenate([[0], np.flatnonzero(new) + 1])
    vertices = np.diff(np.concatenate([first, [len(at)]])) + 1
    start = at[first]
    corner = start // count * line + start % count * step
    offset = np.arange(vertices.sum()) - np.repeat(np.cumsum(vertices) - vertices, vertices)
    return flat[start], vertices, np.repeat(corner, vertices) + offset * step
