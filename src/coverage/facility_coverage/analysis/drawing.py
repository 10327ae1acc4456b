"""Drawing: from reached pieces of road to the outline of the ground around them, on a grid of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

import contourpy
import numpy as np
import numpy.typing as npt
import shapely

from facility_coverage.analysis import painting
from facility_coverage.analysis.painting import Grid, Grids, Ground, Sight
from facility_coverage.analysis.walls import Walls, lay_out, look_around
from facility_coverage.config.profile import Direction
from facility_coverage.layers.model import Floats, Ints
from facility_coverage.network.graph import Graph
from facility_coverage.network.order import ranges

Polygons = npt.NDArray[np.object_]
Box = tuple[float, float, float, float]

#: Stands for the distance to a road that is nowhere near, or out of sight.
FAR_M = 1e6


@dataclass(frozen=True)
class Pen:
    """How service areas are drawn.

    Attributes
    ----------
    half_width_m
        Ground this near to a reached place on a road is drawn as reached, in metres.
    cell_m
        Distance of the grid points that the drawing is made on, in metres; its tenth is how far lines are simplified.
    max_cells
        Grid points of one drawing, at 17 bytes each. Where more would be needed the cells are doubled until they are
        few enough, and the half width is then at least a cell and a half, so that a single road still shows.
    """

    half_width_m: float
    cell_m: float
    max_cells: int

    def over(self, width_m: float, height_m: float) -> Pen:
        """Return the pen that draws strokes within a box of this size in no more than `max_cells`.

        Examples
        --------
        >>> pen = Pen(half_width_m=40, cell_m=10, max_cells=10_000)
        >>> pen.over(500, 500) == pen
        True
        >>> pen.over(3000, 2000)
        Pen(half_width_m=60.0, cell_m=40, max_cells=10000)
        """
        pen = self
        while (width_m / pen.cell_m + pen.margin_cells) * (height_m / pen.cell_m + pen.margin_cells) > pen.max_cells:
            pen = Pen(max(self.half_width_m, 3.0 * pen.cell_m), 2 * pen.cell_m, self.max_cells)
        return pen

    @property
    def margin_cells(self) -> float:
        """Cells that a grid has beyond the box of its strokes, both sides together, at most."""
        return 2.0 * self.half_width_m / self.cell_m + 5.0

    @property
    def reach_m(self) -> float:
        """How far from a stroke grid points get its distance."""
        return self.half_width_m + painting.REACH_CELLS * self.cell_m


@dataclass(frozen=True)
class Sheet:
    """What is drawn on: a network cut at walls, for one direction of travel, and the walls within reach of a pen."""

    ground: Ground
    direction: Direction
    sight: Callable[[float], Sight]

    @classmethod
    def of(cls, graph: Graph, direction: Direction, walls: Walls) -> Sheet:
        """Lay out a network between walls."""
        ground = lay_out(graph, direction, walls)
        seen = cache(lambda reach_m: look_around(ground, walls, reach_m))
        turn = Lock()

        def sight(reach_m: float) -> Sight:
            # Drawings are made side by side, but GEOS keeps no order among threads that ask one prepared shape.
            with turn:
                return seen(reach_m)

        return cls(ground, direction, sight)


@dataclass(frozen=True)
class Outline:
    """Rings of one drawing: ring `r` is ``xy[ring[r]:ring[r + 1]]``; polygon `p` has the rings from ``shell[p]`` on."""

    xy: Floats
    ring: Ints
    shell: Ints
    tolerance_m: float

    @classmethod
    def nothing(cls) -> Outline:
        """Return the outline of an empty drawing."""
        return cls(np.empty((0, 2)), np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64), 0.0)


def outlines(
    sheet: Sheet, strokes: Floats, piece: Ints, start: Ints, *, pen: Pen, within: Box | None = None
) -> list[Outline]:
    """Return the outline of each drawing: the ground within a pen's half width of its strokes, seen from them.

    Parameters
    ----------
    sheet
        The network and its walls.
    strokes, piece
        Straight reached pieces, metres, shape (strokes, 4), and the vertex of the network that each one follows.
    start
        Drawing `d` has the strokes ``start[d]:start[d + 1]``.
    pen
        Width and fineness.
    within
        West, south, east and north of what is wanted; a drawing ends not far beyond.
    """
    box = painting.boxes(strokes, start)
    if within is not None:
        box[:, :2], box[:, 2:] = np.maximum(box[:, :2], within[:2]), np.minimum(box[:, 2:], within[2:])
    found = [Outline.nothing() for _ in box]
    somewhere = np.flatnonzero(np.all(box[:, :2] <= box[:, 2:], axis=1))
    pens = {d: pen.over(*(box[d, 2:] - box[d, :2]).tolist()) for d in somewhere.tolist()}
    grids = {d: _grid(box[d], pens[d]) for d in pens}
    for batch in _batches(pens, grids):
        width = pens[batch[0]]
        rows, begin = ranges(start[batch], start[np.array(batch) + 1])
        together = Grids(*(np.array(column) for column in zip(*(grids[d] for d in batch), strict=True)))
        sight = sheet.sight(width.reach_m)
        distance_m = painting.paint(strokes[rows], piece[rows], begin, sight, together, width.half_width_m, FAR_M)
        stops = np.cumsum(together.rows * together.columns)
        for d, own in zip(batch, np.split(distance_m, stops[:-1]), strict=True):
            found[d] = _contour(own.reshape(grids[d].rows, grids[d].columns), grids[d], width)
    return found


def _grid(box: Floats, pen: Pen) -> Grid:
    """Return grid points on round multiples of the cell, at least a cell beyond everything that is drawn."""
    margin_m = pen.half_width_m + pen.cell_m
    first = np.floor((box[:2] - margin_m) / pen.cell_m)
    count = np.ceil((box[2:] + margin_m) / pen.cell_m) - first + 1
    west, south = (first * pen.cell_m).tolist()
    return Grid(west, south, float(pen.cell_m), int(count[1]), int(count[0]))


def _batches(pens: Mapping[int, Pen], grids: Mapping[int, Grid]) -> Iterator[list[int]]:
    """Yield drawings that are painted in one go: neighbours of one pen, together no larger than one may be alone."""
    batch: list[int] = []
    cells = 0
    for d, grid in grids.items():
        if batch and (pens[d] != pens[batch[0]] or cells + grid.rows * grid.columns > pens[d].max_cells):
            yield batch
            batch, cells = [], 0
        batch.append(d)
        cells += grid.rows * grid.columns
    if batch:
        yield batch


def _contour(distance_m: npt.NDArray[np.float32], grid: Grid, pen: Pen) -> Outline:
    contours = contourpy.contour_generator(
        grid.cell_m * np.arange(grid.columns),
        grid.cell_m * np.arange(grid.rows),
        distance_m,
        fill_type=contourpy.FillType.ChunkCombinedOffsetOffset,
    )
    filled: Any = contours.filled(-1.0, pen.half_width_m)  # the type depends on fill_type
    (xy,), (ring,), (shell,) = filled
    if xy is None:
        return Outline.nothing()
    corner = np.array([grid.west, grid.south])
    return Outline(xy + corner, ring.astype(np.int64), shell.astype(np.int64), pen.cell_m / 10.0)


def shapes(drawings: Sequence[Outline]) -> Polygons:
    """Return a valid multipolygon for each outline, holes kept, without points that nobody would see."""
    shells = [drawn.shell for drawn in drawings]
    offsets = (
        _chained([drawn.ring for drawn in drawings]),
        _chained(shells),
        np.cumsum([0, *(len(shell) - 1 for shell in shells)]),
    )
    xy = np.concatenate([np.empty((0, 2)), *(drawn.xy for drawn in drawings)])
    exact = shapely.from_ragged_array(shapely.GeometryType.MULTIPOLYGON, xy, offsets)
    tolerance_m = np.array([drawn.tolerance_m for drawn in drawings])
    return polygonal(shapely.simplify(exact, tolerance_m, preserve_topology=False))


def _chained(offsets: Sequence[Ints]) -> Ints:
    """Return offsets of one array after the other as offsets into all of them together.

    Examples
    --------
    >>> _chained([np.array([0, 3, 5]), np.array([0]), np.array([0, 4])]).tolist()
    [0, 3, 5, 9]
    """
    before = np.cumsum([0, *(own[-1] for own in offsets)])
    parts = [own[1:] + at for own, at in zip(offsets, before[:-1], strict=True)]
    return np.concatenate([np.zeros(1, dtype=np.int64), *parts])


def polygonal(mixed: Polygons) -> Polygons:
    """Return the polygons of each shape (shape (shapes,)) as one valid multipolygon; lines and points are left out.

    Examples
    --------
    >>> shape = shapely.from_wkt("GEOMETRYCOLLECTION (POLYGON ((0 0, 1 0, 1 1, 0 0)), LINESTRING (1 1, 2 2))")
    >>> polygonal(np.array([shape]))[0].wkt
    'MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))'
    """
    valid = shapely.is_valid(mixed)
    result = mixed.copy()
    result[~valid] = shapely.make_valid(mixed[~valid], method="structure", keep_collapsed=False)
    for i in np.flatnonzero(shapely.get_type_id(result) != shapely.GeometryType.MULTIPOLYGON):
        parts = shapely.get_parts(shapely.get_parts(result[[i]]))
        kept = (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(parts)
        result[i] = shapely.multipolygons(parts[kept])
    return result
