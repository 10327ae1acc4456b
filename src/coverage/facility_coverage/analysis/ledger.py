"""The ledger: who is served across the borders of districts, and what sharing is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from facility_coverage.analysis.reach import Reach, xy_of
from facility_coverage.analysis.trips import within_own_cutoff
from facility_coverage.config.people import Group
from facility_coverage.config.study import AreaType, FacilityLayer
from facility_coverage.layers.model import Floats
from facility_coverage.layers.neighbours import neighbour_of
from facility_coverage.network.catchment import catchments

ELSEWHERE = "elsewhere"
"""District of places that neither the zones nor the neighbours hold."""

BORDER_CELL_M = 250.0
"""The outer part of a cell on the border may have its middle on our side: it belongs to the neighbour this near."""

SERVED = ["layer", "group", "people_district", "facility_district", "population", "served", "served_only"]
SHARING = ["layer", "group", "district_id", "population", "own", "shared", "only_by_others"]


@dataclass(frozen=True)
class Ledger:
    """Who is served by whose facilities.

    Attributes
    ----------
    served
        A row per facility layer, group, district of people and district of facilities: `population`, `served` (within
        the cutoff of a facility of that district) and `served_only` (and of no other district's); NaN where a
        neighbour's group is not known, and `served_only` of neighbours' people, whose own facilities are not all read.
    sharing
        A row per layer, group and district of the study: `population`, `own` (covered by the district's own
        facilities), `shared` (by anybody's) and `only_by_others`; shared = own + only_by_others.
    """

    served: pd.DataFrame
    sharing: pd.DataFrame


def keep_ledger(
    layers_asked: Sequence[FacilityLayer], reach: Reach, *, groups: Sequence[Group], own_name: str
) -> Ledger:
    """Return who is served across the borders, layer by layer.

    Parameters
    ----------
    layers_asked
        Facility layers of the study.
    reach
        The study on its networks, with people and facilities as far as the longest trip beyond its boundary.
    groups
        The study's groups, beside everybody.
    own_name
        What the study is called where its zones name no districts.
    """
    people = _people(reach, groups, own_name)
    tables = [_of_layer(layer, reach, people) for layer in layers_asked]
    served = pd.concat([one for one, _ in tables], ignore_index=True)
    sharing = pd.concat([one for _, one in tables], ignore_index=True)
    return Ledger(served[SERVED], sharing[SHARING])


@dataclass(frozen=True)
class _People:
    """District, area type and groups of every demand point, and what the places of facilities are called.

    `own` are the study's own districts; `counts` hold NaN where a group is not known.
    """

    district: np.ndarray
    area_type: np.ndarray
    counts: pd.DataFrame
    own: tuple[str, ...]
    district_of_zone: pd.Series
    neighbours: gpd.GeoDataFrame | None

    def district_of(self, facilities: gpd.GeoDataFrame) -> np.ndarray:
        """Return the district of each facility."""
        district: np.ndarray = facilities["zone_id"].map(self.district_of_zone).to_numpy(dtype=object).copy()
        beyond = facilities["zone_id"].isna().to_numpy()
        district[beyond] = _neighbour(xy_of(facilities)[beyond], self.neighbours)[0]
        return district


def _people(reach: Reach, groups: Sequence[Group], own_name: str) -> _People:
    zones, points = reach.layers.zones, reach.layers.demand.points
    names = zones["district_id"] if "district_id" in zones.columns else pd.Series(own_name, zones.index, dtype=object)
    of_zone = pd.Series(names.to_numpy(dtype=object), index=zones["zone_id"].to_numpy(dtype=object))
    kind_of_zone = pd.Series(zones["area_type"].to_numpy(dtype=object), index=of_zone.index)
    district = points["zone_id"].map(of_zone).to_numpy(dtype=object).copy()
    area_type = points["zone_id"].map(kind_of_zone).to_numpy(dtype=object).copy()
    beyond = points["zone_id"].isna().to_numpy()
    neighbours = reach.layers.neighbours
    xy = points.loc[beyond, ["x_m", "y_m"]].to_numpy(dtype=np.float64)
    there, kind, row = _neighbour(xy, neighbours, within_m=BORDER_CELL_M)
    district[beyond], area_type[beyond] = there, kind
    counts = points[["total", *(group.id for group in groups)]].astype(np.float64)
    if neighbours is not None:
        counts = counts.assign(
            **{group.id: _with_neighbours(counts, group, beyond, kind, neighbours, row) for group in groups}
        )
    return _People(district, area_type, counts, tuple(dict.fromkeys(of_zone)), of_zone, neighbours)


def _neighbour(
    xy: Floats, neighbours: gpd.GeoDataFrame | None, *, within_m: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return district, area type and row of the neighbour at each place; elsewhere, None and -1 where there is none."""
    district, kind = np.full(len(xy), ELSEWHERE, dtype=object), np.full(len(xy), None, dtype=object)
    if neighbours is None or not len(xy):
        return district, kind, np.full(len(xy), -1)
    row = neighbour_of(xy, neighbours, within_m=within_m)
    inside = row >= 0
    district[inside] = neighbours["district_id"].to_numpy(dtype=object)[row[inside]]
    kind[inside] = neighbours["area_type"].to_numpy(dtype=object)[row[inside]]
    return district, kind, row


def _with_neighbours(
    counts: pd.DataFrame,
    group: Group,
    beyond: np.ndarray,
    kind: np.ndarray,
    neighbours: gpd.GeoDataFrame,
    row: np.ndarray,
) -> Floats:
    """Return the people of a group, those of neighbours by the share that the study or their own column gives."""
    known = counts[group.id].to_numpy(dtype=np.float64).copy()
    total = counts["total"].to_numpy(dtype=np.float64)[beyond]
    if isinstance(group.share, dict):
        share = pd.Series(kind).map({str(one): value for one, value in group.share.items()}).to_numpy(dtype=np.float64)
    elif group.zone_column is not None and group.zone_column in neighbours.columns:
        column = np.append(pd.to_numeric(neighbours[group.zone_column], errors="coerce").to_numpy(np.float64), np.nan)
        share = column[row]
    else:
        return known
    known[beyond] = total * share
    return known


def _of_layer(layer: FacilityLayer, reach: Reach, people: _People) -> tuple[pd.DataFrame, pd.DataFrame]:
    facilities = reach.layers.facilities[layer.id]
    district_of = people.district_of(facilities)
    cutoff_s = _cutoffs(layer.cutoff_min, people.area_type)
    within = _within(layer, reach, district_of, cutoff_s)
    count = sum((inside.astype(np.int64) for inside in within.values()), np.zeros(len(cutoff_s), dtype=np.int64))
    served, sharing = [], []
    homes = [*people.own, *sorted(set(people.district) - set(people.own))]
    for group in people.counts.columns:
        number = people.counts[group].to_numpy(dtype=np.float64)
        for home in homes:
            here = people.district == home
            population = _sum(number, here)
            for other, inside in within.items():
                alone = _sum(number, here & inside & (count == 1)) if home in people.own else np.nan
                served.append((layer.id, group, home, other, population, _sum(number, here & inside), alone))
            if home in people.own:
                own = within.get(home, np.zeros(len(number), dtype=np.bool_))
                figures = (
                    _sum(number, here & own),
                    _sum(number, here & (count > 0)),
                    _sum(number, here & ~own & (count > 0)),
                )
                sharing.append((layer.id, group, home, population, *figures))
    return pd.DataFrame(served, columns=SERVED), pd.DataFrame(sharing, columns=SHARING)


def _within(
    layer: FacilityLayer, reach: Reach, district_of: np.ndarray, cutoff_s: Floats
) -> dict[str, npt.NDArray[np.bool_]]:
    """Tell for each district of facilities which points are within their cutoff of one of them.

    One search for all catchments serves all districts: a search of the whole network for each would take time and
    memory that grow with the number of districts times that of the points.
    """
    network = reach.networks[layer.profile]
    places = network.snap(xy_of(reach.layers.facilities[layer.id]))
    limit_s = 60.0 * max(layer.cutoff_min.values())
    found = catchments(network.graph, network.links, network.standing, places, limit_s=limit_s)
    pairs = within_own_cutoff(found, cutoff_s)
    within = {}
    for one in dict.fromkeys(district_of):
        inside = np.zeros(len(cutoff_s), dtype=np.bool_)
        inside[pairs[np.flatnonzero(district_of == one)].indices] = True
        within[str(one)] = inside
    return within


def _cutoffs(cutoff_min: Mapping[AreaType, float], area_type: np.ndarray) -> Floats:
    """Return each point's cutoff in seconds, NaN where its area type is not known."""
    minutes = pd.Series(area_type).map({str(kind): value for kind, value in cutoff_min.items()})
    return np.asarray(60.0 * minutes.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)


def _sum(number: Floats, chosen: np.ndarray) -> float:
    """Return the people chosen; NaN where the number of any of them is not known."""
    return float(number[chosen].sum())
