"""The ground of the synthetic province: towns in valleys, ridges, rivers, districts; all on one grid of 100 m."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import rasterio
import rasterio.features
import shapely
from scipy import ndimage, spatial
from scipy.cluster import vq

from facility_coverage.layers.model import Floats, Ints
from facility_coverage.sample.placing import FIRST, SECOND

Bools = npt.NDArray[np.bool_]

CRS = "EPSG:4545"  # CGCS2000, 3-degree zone, central meridian 108°E
MIDDLE_X_M, SOUTH_M = 500_000.0, 3_150_000.0
CELL_M = 100.0
#: A town has a square of so many cells; the whole province has so many towns and districts, as Chongqing about has.
TOWN_CELLS = 90
TOWNS, DISTRICTS = 1024, 38
SEED = 500_000
#: Share of the cells that are empty mountain.
MOUNTAIN = 0.34
#: Built-up radius of towns and of the districts' seats, least and greatest; built-up area of the capital.
TOWN_M, SEAT_M = (650.0, 950.0), (2_400.0, 3_400.0)
CAPITAL_KM2 = 450.0
#: Roads of the countryside and middles of towns lie on every third line of the grid.
COARSE = 3
_FIELD_CELLS = 5
_RIVER_M, _MEANDER_M, _RIVER_EVERY_KM = 500.0, 1_900.0, 144.0


@dataclass(frozen=True)
class Ground:
    """What everything else is laid upon.

    Attributes
    ----------
    size
        Part of the whole province.
    rows, cols
        Cells of 100 m, row 0 in the north; nodes of the roads are the corners of the cells.
    towns
        Node (row, column) of the middle of each town, shape (towns, 2).
    radius_m, district, seat
        Built-up radius of each town, its district from 0, and whether it is the district's seat, shape (towns,).
    capital
        Number of the town that is the province's capital.
    core
        Whether a cell is built up, shape (rows, cols).
    mountain, wet
        Whether a cell is empty mountain, or water, shape (rows, cols).
    rivers
        Water, metres.
    """

    size: Fraction
    rows: int
    cols: int
    towns: Ints
    radius_m: Floats
    district: Ints
    seat: Bools
    capital: int
    core: Bools
    mountain: Bools
    wet: Bools
    rivers: gpd.GeoDataFrame

    @property
    def west_m(self) -> float:
        """Western edge, metres."""
        return west_m(self.cols)

    @property
    def north_m(self) -> float:
        """Northern edge, metres."""
        return SOUTH_M + CELL_M * self.rows

    @property
    def transform(self) -> rasterio.Affine:
        """Transform of the cells."""
        return rasterio.Affine(CELL_M, 0.0, self.west_m, 0.0, -CELL_M, self.north_m)

    @property
    def towns_xy(self) -> Floats:
        """Middles of the towns, metres, shape (towns, 2)."""
        return np.column_stack(
            [self.west_m + CELL_M * self.towns[:, 1], self.north_m - CELL_M * self.towns[:, 0]]
        ).astype(np.float64)

    @property
    def area_km2(self) -> float:
        """Area, square kilometres."""
        return self.rows * self.cols * CELL_M**2 / 1e6


def west_m(cols: int) -> float:
    """Return the western edge: the province lies about the central meridian."""
    return MIDDLE_X_M - CELL_M * (cols // 2)


def stream(name: str) -> np.random.Generator:
    """Return the random numbers of one part of the province, so that changing one part leaves the others alone."""
    return np.random.default_rng([SEED, *name.encode()])


def town_grid(size: Fraction) -> tuple[int, int]:
    """Return the rows and columns of towns nearest to `size` of all towns, not much longer than wide.

    Examples
    --------
    >>> [town_grid(Fraction(1, part)) for part in (1, 2, 4, 8, 100)]
    [(32, 32), (16, 32), (16, 16), (8, 16), (2, 5)]
    """
    wanted = max(2, round(TOWNS * size))
    longest = int(wanted**0.5)
    sides = range(min(longest, int(np.ceil(0.6 * wanted**0.5))), longest + 1)
    return min(((side, round(wanted / side)) for side in sides), key=lambda s: (abs(s[0] * s[1] - wanted), -s[0]))


def build_ground(size: Fraction) -> Ground:
    """Lay out `size` (at most 1) of the province."""
    down, across = town_grid(size)
    rows, cols = down * TOWN_CELLS, across * TOWN_CELLS
    height = _height(rows, cols)
    towns = _towns(height, down, across)
    district, seat = _districts(towns, (rows, cols), max(2, round(DISTRICTS * size)))
    rng = stream("radius")
    radius = np.where(seat, rng.uniform(*SEAT_M, len(towns)), rng.uniform(*TOWN_M, len(towns)))
    middle = np.array([rows, cols]) / 2.0
    seats = np.flatnonzero(seat)
    capital = int(seats[np.hypot(*(towns[seats] - middle).T).argmin()])
    radius[capital] = 1000.0 * (CAPITAL_KM2 * float(size) / np.pi) ** 0.5
    core = _core(towns, radius, (rows, cols))
    rivers = _rivers(rows, cols)
    origin = rasterio.Affine(CELL_M, 0.0, west_m(cols), 0.0, -CELL_M, SOUTH_M + CELL_M * rows)
    wet = rasterio.features.rasterize(rivers.geometry, (rows, cols), transform=origin, dtype="uint8").astype(np.bool_)
    # A share of the whole, whatever lies where, so that all that is counted grows with the area.
    height[core | wet] = -np.inf
    count = round(MOUNTAIN * height.size)
    mountain = height > np.partition(height.ravel(), -count - 1)[-count - 1]
    return Ground(size, rows, cols, towns, radius, district, seat, capital, core, mountain, wet, rivers)


def _height(rows: int, cols: int) -> npt.NDArray[np.float32]:
    """Return a height without unit: parallel ridges that run from south-west to north-east, bent and broken."""
    shape = (rows // _FIELD_CELLS, cols // _FIELD_CELLS)
    rng = stream("height")
    bend, rough = (ndimage.gaussian_filter(rng.standard_normal(shape), sigma) for sigma in (14.0, 4.0))
    row, col = np.indices(shape) * (_FIELD_CELLS * CELL_M / 1000.0)
    across_km = col * 0.82 + row * 0.57 + 3.0 * bend / bend.std()
    field = np.sin(2.0 * np.pi * across_km / 14.0) + 0.7 * rough / rough.std()
    zoomed = ndimage.zoom(field.astype(np.float32), _FIELD_CELLS, order=1, mode="nearest", grid_mode=True)
    return np.asarray(zoomed + rng.normal(0.0, 1e-3, zoomed.shape), dtype=np.float32)


def _towns(height: npt.NDArray[np.float32], down: int, across: int) -> Ints:
    """Return the lowest node of the inner part of each square, on the coarse lines."""
    low, high = 27, TOWN_CELLS - 26
    squares = height.reshape(down, TOWN_CELLS, across, TOWN_CELLS).swapaxes(1, 2)
    inner = squares[:, :, low:high:COARSE, low:high:COARSE]
    side = inner.shape[-1]
    row, col = np.divmod(inner.reshape(down * across, -1).argmin(axis=1), side)
    square_row, square_col = np.divmod(np.arange(down * across), across)
    nodes = [square_row * TOWN_CELLS + low + COARSE * row, square_col * TOWN_CELLS + low + COARSE * col]
    return np.column_stack(nodes).astype(np.int64)


def _districts(towns: Ints, shape: tuple[int, int], count: int) -> tuple[Ints, Bools]:
    """Return the district of each town, compact by k-means from evenly spread seeds, and whether it is the seat."""
    places = towns.astype(np.float64)
    plastic = 1.324717957244746  # evenly spread in two dimensions: M. Roberts (2018), the R2 sequence
    start = (0.5 + np.arange(1, count + 1)[:, None] / plastic ** np.array([1, 2])) % 1.0 * shape
    middles, district = vq.kmeans2(places, start, iter=20, minit="matrix", missing="raise")
    _, seats = spatial.KDTree(places).query(middles)
    # The town nearest to the middle of a district lies in it, ties aside: then its first town is the seat.
    own = district[seats] == np.arange(count)
    seats = np.where(own, seats, [np.flatnonzero(district == d)[0] for d in range(count)])
    return district.astype(np.int64), np.isin(np.arange(len(towns)), seats)


def _core(towns: Ints, radius_m: Floats, shape: tuple[int, int]) -> Bools:
    core = np.zeros(shape, dtype=np.bool_)
    for (row, col), radius in zip(towns, radius_m, strict=True):
        window, far = around(row, col, radius, shape)
        core[window] |= far <= radius
    return core


def around(row: int, col: int, radius_m: float, shape: tuple[int, int]) -> tuple[tuple[slice, slice], Floats]:
    """Return the cells within a square about a node, and how far their middles lie from it, metres."""
    reach = int(radius_m / CELL_M) + 1
    down, across = (
        np.arange(max(0, middle - reach), min(end, middle + reach))
        for middle, end in zip((row, col), shape, strict=True)
    )
    window = (slice(down[0], down[-1] + 1), slice(across[0], across[-1] + 1))
    down, across = down + 0.5 - row, across + 0.5 - col
    return window, np.asarray(CELL_M * np.hypot(down[:, None], across), dtype=np.float64)


def _rivers(rows: int, cols: int) -> gpd.GeoDataFrame:
    """Return rivers that meander along the edges of the towns' squares, some from west to east, some from the north."""
    rng = stream("rivers")
    corner = np.array([west_m(cols), SOUTH_M])
    shapes = [corner + along for along in _courses(cols, rows, rng)]
    shapes += [corner + along[:, ::-1] for along in _courses(rows, cols, rng)]
    water = shapely.union_all([shapely.LineString(xy).buffer(_RIVER_M / 2.0) for xy in shapes])
    box = shapely.box(*corner, *(corner + CELL_M * np.array([cols, rows])))
    parts = shapely.get_parts(shapely.intersection(water, box))
    return gpd.GeoDataFrame({"name": [f"江河{n + 1}" for n in range(len(parts))]}, geometry=list(parts), crs=CRS)


def _courses(length: int, width: int, rng: np.random.Generator) -> list[Floats]:
    """Return the middles of rivers that run `length` cells, abreast over `width` cells, metres."""
    squares = width // TOWN_CELLS
    count = max(1, round(width * CELL_M / 1000.0 / _RIVER_EVERY_KM))
    along = np.arange(-2_000.0, length * CELL_M + 2_001.0, 250.0)
    courses = []
    for number in range(count):
        edge = max(1, int((number + 0.5) * squares / count))
        phase = rng.uniform(0.0, 2.0 * np.pi, 2)
        waves = 0.65 * np.sin(along / 3_100.0 + phase[0]) + 0.35 * np.sin(along / 1_300.0 + phase[1])
        courses.append(np.column_stack([along, edge * TOWN_CELLS * CELL_M + _MEANDER_M * waves]))
    return courses


def zone_outlines(ground: Ground) -> list[shapely.Geometry]:
    """Return the area of each town: what is nearer to it than to any other; they meet vertex by vertex."""
    west, north = ground.west_m, ground.north_m
    box = shapely.box(west, SOUTH_M, west + CELL_M * ground.cols, north)
    points = shapely.points(ground.towns_xy)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=box.buffer(50_000.0)))
    cells = shapely.set_precision(cells, 0.001)
    tree = shapely.STRtree(cells)
    town, cell = tree.query(points, predicate="within")
    clipped = shapely.intersection(cells[cell[np.argsort(town)]], box)
    return list(clipped)


def names(count: int, part: str) -> list[str]:
    """Return invented names of two characters, each once."""
    pairs = np.array([a + b for a in FIRST for b in FIRST + SECOND if a != b])
    return [str(name) for name in stream(part).permutation(pairs)[:count]]
