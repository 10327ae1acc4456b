"""Where people settle: built-up seats, villages in the valleys, hamlets between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from scipy import ndimage

from facility_coverage.layers.model import Floats, Ints
from facility_coverage.sample.frame import metres, stream
from facility_coverage.sample.terrain import Terrain
from facility_coverage.sample.towns import TOWNS


@dataclass(frozen=True)
class Settlements:
    """Places as flat indices of coarse cells.

    Attributes
    ----------
    seats, villages, hamlets
        Cells; hamlets include neither seats nor villages.
    built_up
        Coarse cells: number of the town whose seat covers the cell, or -1.
    settled
        Coarse cells where people may live or roads may lead.
    """

    seats: Ints
    villages: Ints
    hamlets: Ints
    built_up: npt.NDArray[np.int64]
    settled: npt.NDArray[np.bool_]


def build_settlements(terrain: Terrain, districts_m: shapely.Geometry) -> Settlements:
    """Return where people settle within the districts, given in metres."""
    grid, rng = terrain.coarse, stream("settlements")
    x, y = grid.centres()
    inside = shapely.contains_xy(districts_m, x, y)
    built_up = _built_up(terrain)
    low = terrain.coarse_m - ndimage.gaussian_filter(ndimage.minimum_filter(terrain.coarse_m, 15), 5)
    slope = np.hypot(*np.gradient(terrain.coarse_m, grid.size_m))
    appeal = np.exp(-np.maximum(low - 25.0, 0.0) / 45.0 - slope / 0.16) * (terrain.wet == 0)
    free = inside & (built_up < 0) & (ndimage.distance_transform_edt(terrain.wet == 0) > 1.5)
    liked = appeal * free * np.exp(0.35 * grid.noise(rng, 2_500))
    villages = _peaks(liked * rng.random(grid.shape) ** 0.3, 16, 0.05)
    hamlets = _peaks(liked * rng.random(grid.shape) ** 0.5, 6, 0.035)
    seats = grid.cell(metres([town.seat_km for town in TOWNS]))
    apart = np.setdiff1d(hamlets, np.concatenate([villages, seats]))
    return Settlements(seats, villages, apart, built_up, inside)


def _peaks(liked: Floats, window: int, least: float) -> Ints:
    """Return cells that nobody within the window outdoes: evenly apart, denser where the land is good."""
    best = ndimage.maximum_filter(liked, size=window)
    return np.flatnonzero((liked == best) & (liked > least))


def _built_up(terrain: Terrain) -> npt.NDArray[np.int64]:
    grid = terrain.coarse
    x, y = grid.centres()
    ragged = 1.0 + 0.16 * grid.noise(stream("built_up"), 1_300) + 0.05 * grid.noise(stream("edges"), 500)
    slope = np.hypot(*np.gradient(terrain.coarse_m, grid.size_m))
    best = np.full(grid.shape, 1.0)
    owner = np.full(grid.shape, -1, dtype=np.int64)
    for number, town in enumerate(TOWNS):
        (seat,) = metres([town.seat_km])
        far = np.hypot(x - seat[0], y - seat[1]) / (town.radius_m * np.maximum(ragged, 0.4))
        nearer = (far < best) & (slope < 0.2) & (terrain.wet < 2)
        owner, best = np.where(nearer, number, owner), np.where(nearer, far, best)
    return owner
