"""How cells and polygons of people fall to zones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import exactextract
import numpy as np
from exactextract.raster import NumPyRasterSource

if TYPE_CHECKING:
    import geopandas as gpd

    from facility_coverage.layers.model import Floats, Ints
    from facility_coverage.layers.raster import Window

WHOLE = 1e-6
"""Area fractions come in single precision: below this a share is nothing, and this near to one it is all."""


@dataclass(frozen=True)
class Pieces:
    """Pieces of cells: one per cell and zone, and one for what lies beyond the zones.

    Attributes
    ----------
    cell
        Position in the flattened window, shape (pieces,), increasing.
    zone
        Row of the zones, -1 beyond them, shape (pieces,).
    share
        Share of the cell, 0–1, shape (pieces,); the shares of a cell sum to 1.
    """

    cell: Ints
    zone: Ints
    share: Floats


def apportion(window: Window, zones: gpd.GeoDataFrame, populated: Ints) -> Pieces:
    """Divide cells among zones by exact area shares.

    Parameters
    ----------
    window
        The raster's part.
    zones
        Polygons in any reference system.
    populated
        Flat positions of the cells wanted, increasing, shape (cells,).

    Returns
    -------
    Pieces
        Sorted by cell, then zone, what lies beyond last; the shares of a cell sum to 1. Cells that zones cover wholly
        (to 1e-6, the precision of the area shares) are shared among them alone.
    """
    cell, zone, share = _zone_shares(window, zones)
    position = np.searchsorted(populated, cell)
    wanted = (share > WHOLE) & (position < len(populated))
    wanted[wanted] = populated[position[wanted]] == cell[wanted]
    position, zone, share = position[wanted], zone[wanted], share[wanted]
    covered = np.bincount(position, weights=share, minlength=len(populated))
    # Cells covered wholly, or a trifle more where outlines overlap, belong to their zones alone.
    scale = np.where(covered >= 1.0 - WHOLE, covered, 1.0)
    share = share / scale[position]
    rest = np.where(covered >= 1.0 - WHOLE, 0.0, 1.0 - covered)
    beyond = np.flatnonzero(rest > 0)
    position = np.concatenate([position, beyond])
    zone = np.concatenate([zone, np.full(len(beyond), -1, dtype=np.int64)])
    share = np.concatenate([share, rest[beyond]])
    order = np.lexsort((np.where(zone < 0, len(zones), zone), position))
    return Pieces(populated[position[order]], zone[order], share[order])


def _zone_shares(window: Window, zones: gpd.GeoDataFrame) -> tuple[Ints, Ints, Floats]:
    height, width = window.people.shape
    left, top = window.transform.c, window.transform.f
    right, bottom = left + width * window.transform.a, top + height * window.transform.e
    wkt = window.crs.to_wkt()
    source = NumPyRasterSource(
        np.zeros((height, width), dtype=np.int8), xmin=left, ymin=bottom, xmax=right, ymax=top, srs_wkt=wkt
    )
    shapes = zones[["geometry"]].to_crs(window.crs).set_crs(wkt, allow_override=True).assign(zone=range(len(zones)))
    found = exactextract.exact_extract(source, shapes, ["cell_id", "coverage"], include_cols=["zone"], output="pandas")
    counts = found["cell_id"].map(len).to_numpy()
    cell = np.concatenate([np.asarray(ids, dtype=np.int64) for ids in found["cell_id"]])
    share = np.concatenate([np.asarray(part, dtype=np.float64) for part in found["coverage"]])
    return cell, np.repeat(found["zone"].to_numpy(dtype=np.int64), counts), share


def split(values: Floats, pieces: Pieces) -> Floats:
    """Return the people of each piece; the pieces of a cell sum to its value to the last bit that floats allow.

    Parameters
    ----------
    values
        People per cell of the flattened window, shape (rows × columns,).
    pieces
        From `apportion`.
    """
    people = values[pieces.cell] * pieces.share
    if not len(people):
        return people
    first = np.flatnonzero(np.concatenate([[True], np.diff(pieces.cell) != 0]))
    missing = values[pieces.cell[first]] - np.add.reduceat(people, first)
    last = np.concatenate([first[1:], [len(people)]]) - 1
    people[last] = np.maximum(people[last] + missing, 0.0)
    return people
