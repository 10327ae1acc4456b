"""Streets of the towns: slightly irregular grids with lanes, footways and stairs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from facility_coverage.layers.model import Floats, Ints
from facility_coverage.sample.countryside import Ways
from facility_coverage.sample.frame import metres, stream
from facility_coverage.sample.settlements import Settlements
from facility_coverage.sample.terrain import Terrain
from facility_coverage.sample.towns import TOWNS

CORE = (0, 1, 2)
CORE_BLOCK_M = 175.0
TOWN_BLOCK_M = 115.0
# Gaps in the core up to twice as many cells wide are built over with streets.
CORE_GAP_CELLS = 8


def build_streets(terrain: Terrain, places: Settlements) -> Ways:
    """Return the street grids of all built-up seats: one for the three subdistricts of the core, one per other seat."""
    lines: list[Floats] = []
    highway: list[str] = []
    grids = [(CORE, CORE_BLOCK_M)] + [((n,), TOWN_BLOCK_M) for n in range(len(TOWNS)) if n not in CORE]
    for numbers, block_m in grids:
        made = _street_grid(terrain, places, numbers, block_m)
        lines += made.lines
        highway += made.highway
    return Ways(lines, highway)


def _street_grid(terrain: Terrain, places: Settlements, numbers: tuple[int, ...], block_m: float) -> Ways:
    rng = stream(f"streets {numbers[0]}")
    centre = metres([TOWNS[n].seat_km for n in numbers]).mean(axis=0)
    reach = int(max(TOWNS[n].radius_m for n in numbers) * (2.6 if len(numbers) > 1 else 1.6) / block_m)
    side = 2 * reach + 1
    xy = _nodes((centre, block_m, side, rng))
    cell = terrain.coarse.cell(xy)
    town = _joined(np.isin(places.built_up, numbers)) if len(numbers) > 1 else np.isin(places.built_up, numbers)
    wet = terrain.wet.ravel()[cell]
    inside, passable = town.ravel()[cell] & (wet == 0), town.ravel()[cell] & (wet < 2)
    index = np.arange(side * side).reshape(side, side)
    edges, lane = [], []
    for a, b, number in (
        (index[:, :-1], index[:, 1:], np.broadcast_to(np.arange(side)[:, None], (side, side - 1))),
        (index[:-1, :], index[1:, :], np.broadcast_to(np.arange(side)[None, :], (side - 1, side))),
    ):
        edges.append(np.column_stack([a.ravel(), b.ravel()]))
        lane.append(number.ravel())
    edge, lanes = np.vstack(edges), np.concatenate(lane)
    main = 6 if len(numbers) > 1 else 4
    through = lanes % main == 0
    keep = inside[edge].all(axis=1) & ((rng.random(len(edge)) > 0.13) | through)
    # Only the main streets of the core have bridges over its rivers.
    keep |= passable[edge].all(axis=1) & through & (len(numbers) > 1)
    edge, lanes = edge[keep], lanes[keep]
    highway = np.where(lanes % main == 0, "secondary" if len(numbers) > 1 else "tertiary", "residential")
    highway = np.where((lanes % main == main // 2) & (len(numbers) > 1), "tertiary", highway)
    lines = [xy[pair] for pair in edge]
    more = _inner_ways(terrain, xy, inside, (index, rng))
    return Ways(lines + more.lines, highway.tolist() + more.highway)


def _joined(town: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Close the gaps between the parts of a town, cells, shape (rows, cols)."""
    reach = np.hypot(*np.mgrid[-CORE_GAP_CELLS : CORE_GAP_CELLS + 1, -CORE_GAP_CELLS : CORE_GAP_CELLS + 1])
    return np.asarray(ndimage.binary_closing(town, reach <= CORE_GAP_CELLS))


def _nodes(layout: tuple[Floats, float, int, np.random.Generator]) -> Floats:
    """Return the crossings of a warped and turned lattice, shape (side², 2)."""
    centre, block_m, side, rng = layout
    step = (np.arange(side) - side // 2) * block_m
    # Streets are not evenly apart: each line of the lattice has its own offset.
    u = step + rng.uniform(-0.16, 0.16, side) * block_m
    v = step + rng.uniform(-0.16, 0.16, side) * block_m
    uu, vv = np.meshgrid(u, v)
    turn = np.deg2rad(rng.uniform(15.0, 50.0))
    wave = rng.uniform(0.0, 2.0 * np.pi, 4)
    long_m = 14.0 * block_m
    uu = uu + 0.55 * block_m * np.sin(vv / long_m * 2.6 + wave[0]) + 0.3 * block_m * np.sin(uu / long_m * 5 + wave[1])
    vv = vv + 0.55 * block_m * np.sin(uu / long_m * 2.3 + wave[2]) + 0.3 * block_m * np.sin(vv / long_m * 4 + wave[3])
    x = centre[0] + uu * np.cos(turn) - vv * np.sin(turn)
    y = centre[1] + uu * np.sin(turn) + vv * np.cos(turn)
    return np.column_stack([x.ravel(), y.ravel()]) + rng.normal(0.0, 0.055 * block_m, (side * side, 2))


def _inner_ways(
    terrain: Terrain,
    xy: Floats,
    inside: np.ndarray,
    layout: tuple[Ints, np.random.Generator],
) -> Ways:
    """Return lanes into blocks, and footways and stairs across them; stairs where the block is steep."""
    index, rng = layout
    corners = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=-1).reshape(-1, 4)
    corners = corners[inside[corners].all(axis=1)]
    height = terrain.coarse_m.ravel()[terrain.coarse.cell(xy)]
    steep = np.ptp(height[corners], axis=1) > 9.0
    lot = rng.random(len(corners))
    first = rng.integers(0, 4, len(corners))
    lines: list[Floats] = []
    highway: list[str] = []
    for block, start, chance, hilly in zip(corners, first, lot, steep, strict=True):
        a, c = xy[block[start]], xy[block[(start + 2) % 4]]
        middle = xy[block].mean(axis=0) + rng.normal(0.0, 9.0, 2)
        if chance < 0.34:
            lines.append(np.vstack([a, 0.55 * a + 0.45 * middle + rng.normal(0.0, 4.0, 2), middle]))
            highway.append("service")
        elif chance < (0.62 if hilly else 0.44):
            lines += [np.vstack([a, middle]), np.vstack([middle, c])]
            highway += ["footway", "steps"] if hilly or chance < 0.38 else ["footway", "footway"]
        elif chance < 0.70:
            lines.append(np.vstack([a, middle]))
            highway.append("residential")
    return Ways(lines, highway)
