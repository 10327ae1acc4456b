"""Roads of the countryside: towns joined first, then villages, then hamlets, then paths to the fields."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from facility_coverage.layers.model import Floats, Ints
from facility_coverage.sample.frame import Grid, metres, stream
from facility_coverage.sample.pathways import Links, chains, links_between, spanner, step_graph
from facility_coverage.sample.settlements import Settlements
from facility_coverage.sample.terrain import Terrain

# Classes from the greatest to the smallest; a step keeps the greatest class that uses it.
CLASSES = ("trunk", "primary", "secondary", "tertiary", "unclassified", "residential", "track", "path")
# Where roads leave the map, in km, and which of them the trunk road takes.
EXITS_KM = ((13.5, 3.0), (-23.5, -1.0), (-2.0, 22.0), (10.5, -24.0), (-8.4, -45.4), (-29.0, -20.0), (-21.0, -34.0))
ROAD_BRIDGE_KM = ((-9.2, -37.2), (-9.9, -41.0))


@dataclass(frozen=True)
class Ways:
    """Lines in metres and their class.

    Attributes
    ----------
    lines
        Vertices of each way, shape (vertices, 2).
    highway
        OSM class of each way.
    """

    lines: list[Floats]
    highway: list[str]


def build_countryside(terrain: Terrain, places: Settlements) -> Ways:
    """Return the ways outside the towns' street grids; ways meet at identical vertices."""
    grid = terrain.coarse
    rank = _Ranked(grid)
    exits = grid.cell(metres(EXITS_KM))
    _towns(terrain, places, exits, rank)
    _villages(terrain, places, exits, rank)
    _hamlets(terrain, places, rank)
    steps, classes = rank.merged()
    xy, steps, classes = _crossings_noded(grid, steps, classes)
    fixed = np.isin(np.arange(len(xy)), places.seats)
    xy = _relaxed(xy, steps, classes, fixed)
    return _ways(xy, steps, classes, fixed)


class _Ranked:
    """Steps collected with the class of the road that takes them."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self._steps: list[Ints] = []
        self._classes: list[Ints] = []

    def add(self, steps: Ints, highway: str) -> None:
        """Let a road of a class take steps, shape (steps, 2)."""
        self._steps.append(steps)
        self._classes.append(np.full(len(steps), CLASSES.index(highway)))

    def merged(self) -> tuple[Ints, Ints]:
        """Return each step once with its greatest class."""
        steps, classes = np.vstack(self._steps), np.concatenate(self._classes)
        order = np.lexsort((classes, steps[:, 1], steps[:, 0]))
        steps, classes = steps[order], classes[order]
        first = np.concatenate([[True], (steps[1:] != steps[:-1]).any(axis=1)])
        return steps[first], classes[first]

    def cheaper(self, share: float) -> Floats:
        """Return a factor per cell that draws new roads to those already there."""
        factor = np.ones(self.grid.rows * self.grid.cols)
        for steps in self._steps:
            factor[steps.ravel()] = share
        return np.asarray(factor.reshape(self.grid.shape))


def _ground(terrain: Terrain, bridge_factor: float) -> Floats:
    """Return the cost of each cell for a road: dear over water but for the bridge over the Yangtze."""
    grid = terrain.coarse
    wander = np.exp(0.25 * grid.noise(stream("wander"), 900))
    dear = np.choose(terrain.wet, [1.0, 7.0, 200.0, 2_000.0])
    start, end = metres(ROAD_BRIDGE_KM)
    along = start + np.linspace(0.0, 1.0, 200)[:, None] * (end - start)
    flat = (wander * dear).ravel()
    flat[grid.cell(along)] = bridge_factor
    return np.asarray(flat.reshape(grid.shape))


def _allowed(places: Settlements, exits: Ints) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    near = ndimage.binary_dilation(places.settled, iterations=8)
    near.ravel()[exits] = True
    return np.asarray(ndimage.binary_dilation(near, iterations=6))


def _towns(terrain: Terrain, places: Settlements, exits: Ints, rank: _Ranked) -> None:
    graph = step_graph(terrain.coarse_m, rank.grid, _ground(terrain, 3.0), _allowed(places, exits))
    stops = np.concatenate([places.seats, exits])
    links = links_between(graph, stops)
    chosen = spanner(links, len(stops), 1.45)
    for highway, kept in _main_roads(links, chosen, len(stops), len(places.seats)):
        rank.add(links.steps(kept), highway)


def _main_roads(links: Links, chosen: Ints, stops: int, seats: int) -> list[tuple[str, Ints]]:
    """Sort the roads between towns: trunk to the far ends, primary on the way to the centre, else secondary."""
    a, b = links.pair[chosen].T
    both = (np.concatenate([a, b]), np.concatenate([b, a]))
    number = sparse.csr_array((np.tile(chosen + 1, 2), both), shape=(stops, stops))
    cost = sparse.csr_array((np.tile(links.cost[chosen], 2), both), shape=(stops, stops))
    _, (before,) = csgraph.dijkstra(cost, indices=[0], return_predecessors=True)

    def way(stop: int) -> list[int]:
        found = []
        while before[stop] >= 0:
            found.append(int(number[stop, before[stop]]) - 1)
            stop = int(before[stop])
        return found

    trunk = sorted({link for stop in (seats, seats + 1, seats + 2, seats + 4) for link in way(stop)})
    big = (2, 4, 5, 6, 7, 9, 10, 13, 17, 18, 21, 24)
    primary = sorted({link for stop in big for link in way(stop)})
    return [
        ("trunk", np.asarray(trunk, dtype=np.int64)),
        ("primary", np.asarray(primary, dtype=np.int64)),
        ("secondary", chosen),
    ]


def _villages(terrain: Terrain, places: Settlements, exits: Ints, rank: _Ranked) -> None:
    factor = _ground(terrain, 30.0) * rank.cheaper(0.35)
    graph = step_graph(terrain.coarse_m, rank.grid, factor, _allowed(places, exits))
    stops = np.concatenate([places.seats, places.villages])
    links = links_between(graph, stops)
    rank.add(links.steps(spanner(links, len(stops), 2.2)), "tertiary")


def _hamlets(terrain: Terrain, places: Settlements, rank: _Ranked) -> None:
    rng = stream("hamlets")
    factor = _ground(terrain, 200.0) * rank.cheaper(0.45)
    graph = step_graph(terrain.coarse_m, rank.grid, factor, places.settled)
    stops = np.concatenate([places.seats, places.villages, places.hamlets])
    links = links_between(graph, stops)
    chosen = spanner(links, len(stops), 4.0)
    lot = rng.random(len(chosen))
    rank.add(links.steps(chosen[lot < 0.55]), "unclassified")
    rank.add(links.steps(chosen[lot >= 0.55]), "residential")
    rest = np.setdiff1d(np.arange(len(links.cost)), chosen)
    rest = rest[links.cost[rest] < 1_600.0]
    lot = rng.random(len(rest))
    rank.add(links.steps(rest[lot < 0.10]), "path")
    rank.add(links.steps(rest[(lot >= 0.10) & (lot < 0.16)]), "track")
    _spurs(terrain, places, links, rank)


def _spurs(terrain: Terrain, places: Settlements, links: Links, rank: _Ranked) -> None:
    """Add dead ends that lead from a lonely cell to the nearest place, as tracks, paths and farm roads."""
    rng = stream("spurs")
    free = places.settled & (places.built_up < 0) & (terrain.wet == 0)
    slope = np.hypot(*np.gradient(terrain.coarse_m, terrain.coarse.size_m))
    ends = np.flatnonzero(free & (slope < 0.35) & (rng.random(free.shape) < 0.022))
    kinds = rng.choice(["residential", "track", "path"], size=len(ends), p=[0.42, 0.33, 0.25])
    for highway in ("residential", "track", "path"):
        cells = ends[kinds == highway]
        back = links.before[cells].astype(np.int64)
        kept = back >= 0
        start = Links(
            np.empty((0, 2), dtype=np.int64),
            np.empty(0),
            np.column_stack([cells[kept], back[kept]]),
            links.before,
        )
        rank.add(start.steps(np.arange(int(kept.sum()))), highway)


def _crossings_noded(grid: Grid, steps: Ints, classes: Ints) -> tuple[Floats, Ints, Ints]:
    """Give two diagonal steps that cross a node of their own in the middle."""
    cells = grid.rows * grid.cols
    low = steps.min(axis=1)
    offset = steps.max(axis=1) - low
    corner = np.where(offset == grid.cols + 1, low, np.where(offset == grid.cols - 1, low - 1, -1))
    falling, rising = offset == grid.cols + 1, offset == grid.cols - 1
    crossed = np.intersect1d(corner[falling], corner[rising])
    hit = np.isin(corner, crossed) & (corner >= 0)
    middle = cells + np.searchsorted(crossed, corner[hit])
    halves = np.vstack([np.column_stack([steps[hit, 0], middle]), np.column_stack([steps[hit, 1], middle])])
    xy = np.vstack([grid.xy(np.arange(cells)), grid.xy(crossed) + np.array([0.5, -0.5]) * grid.size_m])
    return xy, np.vstack([steps[~hit], halves]), np.concatenate([classes[~hit], np.tile(classes[hit], 2)])


def _relaxed(xy: Floats, steps: Ints, classes: Ints, fixed: np.ndarray) -> Floats:
    """Round the network off: each node moves towards its neighbours, more so along greater roads."""
    rng = stream("relax")
    weight = 6.0 / (1.0 + classes)
    a, b = steps.T
    size = len(xy)
    pull = sparse.csr_array((np.tile(weight, 2), (np.concatenate([a, b]), np.concatenate([b, a]))), shape=(size, size))
    total = pull.sum(axis=1)
    degree = np.bincount(steps.ravel(), minlength=size)
    free = ((degree > 1) & ~fixed)[:, None]
    moved = xy + np.where((degree > 0)[:, None], rng.uniform(-32.0, 32.0, xy.shape), 0.0)
    for _ in range(5):
        mean = (pull @ moved) / np.maximum(total, 1e-9)[:, None]
        moved = np.where(free, 0.45 * moved + 0.55 * mean, moved)
    return moved


def _ways(xy: Floats, steps: Ints, classes: Ints, fixed: np.ndarray) -> Ways:
    degree = np.bincount(steps.ravel(), minlength=len(xy))
    least = np.full(len(xy), 99)
    most = np.full(len(xy), -1)
    for end in steps.T:
        np.minimum.at(least, end, classes)
        np.maximum.at(most, end, classes)
    breaks = (degree != 2) | (least != most) | fixed
    lookup = {(a, b): c for (a, b), c in zip(steps.tolist(), classes.tolist(), strict=True)}
    lookup |= {(b, a): c for (a, b), c in lookup.items()}
    found = chains(steps, breaks)
    return Ways([xy[c] for c in found], [CLASSES[lookup[int(c[0]), int(c[1])]] for c in found])
