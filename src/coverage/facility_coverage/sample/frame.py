"""The plane the sample is drawn on: grids of square cells, smooth noise, and the way to longitude and latitude."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyproj
from scipy import ndimage

from facility_coverage.layers.model import Floats, Ints

CRS = "EPSG:4544"
ORIGIN = (589_900.0, 3_249_000.0)
SEED = 500118
EXTENT_KM = (-38.0, -55.0, 22.0, 28.0)


def stream(name: str) -> np.random.Generator:
    """Return the random numbers of one part of the sample, so that changing one part leaves the others alone."""
    return np.random.default_rng([SEED, *name.encode()])


def metres(km: object) -> Floats:
    """Turn kilometres east and north of the town centre, shape (n, 2), into metres of `CRS`."""
    return np.asarray(np.asarray(km, dtype=np.float64) * 1000.0 + np.asarray(ORIGIN), dtype=np.float64)


def to_lonlat(xy: Floats) -> Floats:
    """Turn metres, shape (n, 2), into longitude and latitude rounded to a millionth of a degree."""
    transformer = pyproj.Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    lon, lat = transformer.transform(xy[:, 0], xy[:, 1])
    return np.round(np.column_stack([lon, lat]), 6)


def to_metres(lonlat: Floats) -> Floats:
    """Turn longitude and latitude, shape (n, 2), into metres of `CRS`."""
    transformer = pyproj.Transformer.from_crs("EPSG:4326", CRS, always_xy=True)
    x, y = transformer.transform(lonlat[:, 0], lonlat[:, 1])
    return np.column_stack([x, y])


@dataclass(frozen=True)
class Grid:
    """Square cells, row 0 in the north."""

    west_m: float
    north_m: float
    size_m: float
    rows: int
    cols: int

    @classmethod
    def over_extent(cls, size_m: float) -> Grid:
        """Return the grid of cells of `size_m` metres over the whole extent of the sample."""
        west, south, east, north = (1000.0 * v for v in EXTENT_KM)
        return cls(
            ORIGIN[0] + west,
            ORIGIN[1] + north,
            size_m,
            round((north - south) / size_m),
            round((east - west) / size_m),
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.cols

    def centres(self) -> tuple[Floats, Floats]:
        """Return x and y of every cell's centre in metres, each of shape (rows, cols)."""
        x = self.west_m + (np.arange(self.cols) + 0.5) * self.size_m
        y = self.north_m - (np.arange(self.rows) + 0.5) * self.size_m
        xx, yy = np.meshgrid(x, y)
        return xx, yy

    def km(self) -> tuple[Floats, Floats]:
        """Return kilometres east and north of the town centre, each of shape (rows, cols)."""
        x, y = self.centres()
        return (x - ORIGIN[0]) / 1000.0, (y - ORIGIN[1]) / 1000.0

    def cell(self, xy: Floats) -> Ints:
        """Return the flat index of the cell under each point, shape (n,); points beyond count to the edge cell."""
        col = np.clip(((xy[:, 0] - self.west_m) // self.size_m).astype(np.int64), 0, self.cols - 1)
        row = np.clip(((self.north_m - xy[:, 1]) // self.size_m).astype(np.int64), 0, self.rows - 1)
        return row * self.cols + col

    def xy(self, cell: Ints) -> Floats:
        """Return the centres of cells given by flat index, shape (n, 2)."""
        row, col = np.divmod(cell, self.cols)
        return np.column_stack([self.west_m + (col + 0.5) * self.size_m, self.north_m - (row + 0.5) * self.size_m])

    def noise(self, rng: np.random.Generator, wave_m: float) -> Floats:
        """Return smooth noise of mean 0 and deviation 1 with bumps about `wave_m` wide, shape (rows, cols)."""
        step = wave_m / 2.0 / self.size_m
        coarse = rng.standard_normal((int(self.rows / step) + 5, int(self.cols / step) + 5))
        row = np.arange(self.rows) / step + 2.0
        col = np.arange(self.cols) / step + 2.0
        bumps = ndimage.map_coordinates(
            coarse, np.meshgrid(row, col, indexing="ij"), order=3, prefilter=False, mode="reflect"
        )
        return np.asarray((bumps - bumps.mean()) / bumps.std())


def smooth_line(points_m: Floats, step_m: float) -> Floats:
    """Return a smooth line through the points, a vertex about every `step_m` metres, shape (vertices, 2)."""
    from scipy.interpolate import CubicSpline  # noqa: PLC0415  slow to import, used in two places

    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points_m, axis=0).T))])
    at = np.linspace(0.0, along[-1], max(int(along[-1] / step_m), 2))
    return np.asarray(CubicSpline(along, points_m)(at))
