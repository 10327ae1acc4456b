"""Least-cost ways over the hills, and the networks they make."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse import csgraph

from facility_coverage.layers.model import Floats, Ints
from facility_coverage.sample.frame import Grid

STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))


def step_graph(
    land_m: Floats, grid: Grid, factor: Floats, allowed: npt.NDArray[np.bool_], *, diagonal: bool = True
) -> sparse.csr_array:
    """Return the cost of each step from cell to neighbouring cell: length × slope penalty × mean factor."""
    index = np.arange(grid.rows * grid.cols).reshape(grid.shape)
    parts = []
    for dr, dc in STEPS if diagonal else STEPS[:2]:
        a = (slice(0, grid.rows - dr), slice(max(-dc, 0), grid.cols - max(dc, 0)))
        b = (slice(dr, grid.rows), slice(max(dc, 0), grid.cols + min(dc, 0)))
        length = grid.size_m * float(np.hypot(dr, dc))
        slope = np.abs(land_m[a] - land_m[b]) / length
        cost = length * (1.0 + np.minimum((slope / 0.07) ** 2, 25.0)) * 0.5 * (factor[a] + factor[b])
        kept = allowed[a] & allowed[b]
        parts.append((index[a][kept], index[b][kept], cost[kept]))
    here, there, cost = (np.concatenate(part) for part in zip(*parts, strict=True))
    size = grid.rows * grid.cols
    return sparse.csr_array(
        (np.concatenate([cost, cost]), (np.concatenate([here, there]), np.concatenate([there, here]))),
        shape=(size, size),
    )


def trace(before: npt.NDArray[np.int32], cell: int) -> Ints:
    """Return the cells from `cell` back to its source, both included."""
    cells = [cell]
    while before[cells[-1]] >= 0:
        cells.append(int(before[cells[-1]]))
    return np.asarray(cells, dtype=np.int64)


@dataclass(frozen=True)
class Links:
    """Least-cost ways between neighbouring places.

    Attributes
    ----------
    pair, cost
        Places joined, shape (links, 2), and the cost of the way, shape (links,). Cheapest first.
    meeting
        The step at which the two halves meet, cells, shape (links, 2).
    before
        Cell → previous cell towards its place.
    """

    pair: Ints
    cost: Floats
    meeting: Ints
    before: npt.NDArray[np.int32]

    def steps(self, chosen: Ints) -> Ints:
        """Return the distinct steps of the chosen links as sorted pairs of cells, shape (steps, 2)."""
        found = [self.meeting[chosen]]
        front: Ints = np.unique(self.meeting[chosen]).astype(np.int64)
        while len(front):
            previous = self.before[front].astype(np.int64)
            moved = previous >= 0
            found.append(np.column_stack([front[moved], previous[moved]]))
            front = np.unique(previous[moved]).astype(np.int64)
        return np.unique(np.sort(np.vstack(found), axis=1), axis=0)


def links_between(graph: sparse.csr_array, places: Ints) -> Links:
    """Join each place to the places whose catchment touches its own, by one search from all of them."""
    cost, before, source = csgraph.dijkstra(graph, indices=places, min_only=True, return_predecessors=True)
    number = np.full(graph.shape[0] + 1, -1, dtype=np.int64)
    number[places] = np.arange(len(places))
    owner = number[np.where(source < 0, -1, source)]
    steps = graph.tocoo()
    here, there = (np.asarray(v, dtype=np.int64) for v in steps.coords)
    a, b = owner[here], owner[there]
    across = (a < b) & (a >= 0)
    here, there, a, b = (v[across].astype(np.int64) for v in (here, there, a, b))
    total = cost[here] + cost[there] + steps.data[across]
    order = np.lexsort((total, b, a))
    key = a[order] * len(places) + b[order]
    first = order[np.concatenate([[True], key[1:] != key[:-1]])]
    first = first[np.argsort(total[first], kind="stable")]
    return Links(
        np.column_stack([a[first], b[first]]),
        total[first],
        np.column_stack([here[first], there[first]]),
        before,
    )


def spanner(links: Links, places: int, stretch: float) -> Ints:
    """Choose links, cheapest first, that shorten the way between their places by more than `stretch` times."""
    network: list[list[tuple[int, float]]] = [[] for _ in range(places)]
    chosen = []
    for link, ((a, b), cost) in enumerate(zip(links.pair.tolist(), links.cost.tolist(), strict=True)):
        if not _within(network, a, b, stretch * cost):
            network[a].append((b, cost))
            network[b].append((a, cost))
            chosen.append(link)
    return np.asarray(chosen, dtype=np.int64)


def _within(network: list[list[tuple[int, float]]], start: int, end: int, limit: float) -> bool:
    best = {start: 0.0}
    queue = [(0.0, start)]
    while queue:
        cost, place = heapq.heappop(queue)
        if place == end:
            return True
        for other, more in network[place]:
            total = cost + more
            if total <= limit and total < best.get(other, np.inf):
                best[other] = total
                heapq.heappush(queue, (total, other))
    return False


def chains(steps: Ints, breaks: npt.NDArray[np.bool_]) -> list[Ints]:
    """Cut a network of steps between nodes, shape (steps, 2), into chains that end at breaks, or are rings.

    Examples
    --------
    >>> import numpy as np
    >>> [c.tolist() for c in chains(np.array([[0, 1], [1, 2], [2, 3]]), np.array([True, False, True, True]))]
    [[0, 1, 2], [2, 3]]
    """
    around: dict[int, list[int]] = {}
    for a, b in steps.tolist():
        around.setdefault(a, []).append(b)
        around.setdefault(b, []).append(a)
    done: set[tuple[int, int]] = set()
    ends = sorted(node for node in around if breaks[node])
    found = [
        chain
        for start in [*ends, *sorted(around)]
        for following in around[start]
        if (start, following) not in done
        for chain in [_follow(around, breaks, start, following)]
        if not done.update(_both_ways(chain))  # type: ignore[func-returns-value]
    ]
    return [np.asarray(chain, dtype=np.int64) for chain in found]


def _follow(around: dict[int, list[int]], breaks: npt.NDArray[np.bool_], start: int, following: int) -> list[int]:
    chain = [start, following]
    while not breaks[chain[-1]] and chain[-1] != start:
        onward = [node for node in around[chain[-1]] if node != chain[-2]]
        if not onward:
            break
        chain.append(onward[0])
    return chain


def _both_ways(chain: list[int]) -> set[tuple[int, int]]:
    forward = set(itertools.pairwise(chain))
    return forward | {(b, a) for a, b in forward}
