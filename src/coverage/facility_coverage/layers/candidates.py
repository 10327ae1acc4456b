"""Candidates: places where one could build, and ground where one may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from facility_coverage.config.study import FacilityLayer
from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers.boundaries import zone_of
from facility_coverage.layers.contracts import check_polygons, raise_faults
from facility_coverage.layers.facilities import place_facilities, read_facilities
from facility_coverage.layers.model import Candidates
from facility_coverage.layers.tables import read_table, shown_path

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from facility_coverage.config.siting import CandidateTable, Siting
    from facility_coverage.layers.contracts import SourceTable
    from facility_coverage.layers.counted import Area

COLUMNS = ("candidate_id", "name", "price", "zone_id", "geometry")


@dataclass(frozen=True)
class CandidateSources:
    """The files of one siting as read: a facility layer for each file of candidates, and its rows."""

    tables: tuple[tuple[FacilityLayer, CandidateTable, tuple[SourceTable, ...]], ...]
    forbidden: tuple[SourceTable, ...]

    def rows(self) -> list[tuple[str, int]]:
        """Return the name of each file and how many rows it has."""
        sources = [source for _, _, tables in self.tables for source in tables]
        return [(source.file, source.rows_read) for source in (*sources, *self.forbidden)]


def read_candidates(siting: Siting) -> CandidateSources:
    """Read the files of a siting, each in its own reference system.

    Raises
    ------
    LayerError
        With the faults of all files.
    """
    faults: list[Fault] = []
    tables, forbidden = [], []
    for table in siting.candidates:
        layer = _as_layer(siting.id, table)
        try:
            tables.append((layer, table, read_facilities(layer)))
        except LayerError as error:
            faults += error.faults
    for barred in siting.forbidden:
        try:
            source = read_table(barred, role="areas")
            raise_faults(check_polygons(source, what="forbidden ground"))
            forbidden.append(source)
        except LayerError as error:
            faults += error.faults
    raise_faults(faults)
    return CandidateSources(tuple(tables), tuple(forbidden))


def _as_layer(name: str, table: CandidateTable) -> FacilityLayer:
    """Return a facility layer that reads the table: a candidate is a facility that is not there yet."""
    keys = {key: getattr(table, key) for key in type(table).model_fields if key not in {"price_column", "capacity"}}
    price = [] if table.price_column is None else [table.price_column]
    return FacilityLayer.model_validate(
        {"id": name, "name": name, "kind": "candidate", "profile": "", "cutoff_min": 1, "sources": [keys],
         "capacity": [*price, *(column for column in table.capacity if column not in price)]}
    )  # fmt: skip


def place_candidates(siting: Siting, sources: CandidateSources, area: Area) -> Candidates:
    """Return the candidates of files within the zones, projected, without those on forbidden ground.

    Capacities that a file names stand in columns of their own, NaN where another file has none.

    Raises
    ------
    LayerError
        If none of a file lies in the study's area, two have the same id, or a price is missing or not positive.
    """
    crs = area.zones.crs
    shapes = [part for source in sources.forbidden for part in source.frame.geometry.to_crs(crs)]
    forbidden = shapely.union_all(np.array(shapes, dtype=object)) if shapes else shapely.MultiPolygon()
    frames = []
    for layer, table, tables in sources.tables:
        price_column = table.price_column
        placed = place_facilities(layer, tables, area).frame
        price = pd.Series(1.0, placed.index) if price_column is None else placed[price_column]
        wrong = ~(price > 0)
        raise_faults(
            [
                Fault(
                    shown_path(table.path), f"the price of {one!r} is missing or not above 0",
                    advice="give every candidate a price, or leave price_column out",
                )
                for one in placed.loc[wrong, "facility_id"].head(20)
            ]
        )  # fmt: skip
        frames.append(
            placed.assign(price=price).rename(columns={"facility_id": "candidate_id"})[
                [*COLUMNS[:-1], *table.capacity, "geometry"]
            ]
        )
    empty = gpd.GeoDataFrame({name: [] for name in COLUMNS[:-1]}, geometry=[], crs=crs)
    frame = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), geometry="geometry", crs=crs) if frames else empty
    again = frame.loc[frame["candidate_id"].duplicated(), "candidate_id"].head(20)
    file = f"siting {siting.id}"
    raise_faults([Fault(file, f"the candidate {one!r} is there twice", advice="give id_prefix") for one in again])
    inside = frame["zone_id"].notna().to_numpy(dtype=bool)
    free = ~shapely.intersects(forbidden, frame.geometry.to_numpy()) if len(frame) else inside
    return Candidates(frame[inside & free].sort_values("candidate_id").reset_index(drop=True), forbidden)


def junction_candidates(
    xy: np.ndarray, zones: gpd.GeoDataFrame, forbidden: BaseGeometry, *, spacing_m: float
) -> gpd.GeoDataFrame:
    """Return junctions as candidates: in each square of side `spacing_m`, the one nearest its centre.

    Parameters
    ----------
    xy
        Junctions of the network, metres, shape (junctions, 2).
    zones
        Candidates lie in one of them.
    forbidden
        Where nothing may be built.
    spacing_m
        Side of the squares, which lie on round multiples of it.
    """
    square = np.floor(xy / spacing_m)
    far_m = np.linalg.norm(xy - (square + 0.5) * spacing_m, axis=1)
    allowed = ~shapely.intersects_xy(forbidden, *xy.T) if not forbidden.is_empty else np.ones(len(xy), dtype=np.bool_)
    zone = zone_of(xy, zones)
    usable = np.flatnonzero(allowed & zone.notna().to_numpy())
    order = usable[np.lexsort((xy[usable, 1], xy[usable, 0], far_m[usable], square[usable, 1], square[usable, 0]))]
    _, first = np.unique(square[order], axis=0, return_index=True)
    chosen = order[np.sort(first)]
    names = [f"J{x:.0f}_{y:.0f}" for x, y in xy[chosen]]
    return gpd.GeoDataFrame(
        {"candidate_id": names, "name": "", "price": 1.0, "zone_id": zone.to_numpy()[chosen]},
        geometry=shapely.points(xy[chosen]),
        crs=zones.crs,
    )
