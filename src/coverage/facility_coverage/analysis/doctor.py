"""The data doctor: what a study's data show once they are put together; it changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from facility_coverage.analysis.details import details_findings
from facility_coverage.analysis.findings import Finding, Rank, finding
from facility_coverage.analysis.shifts import shifts
from facility_coverage.config.study import FacilityLayer, StudyConfig
from facility_coverage.layers.model import Floats, Layers
from facility_coverage.layers.tables import shown_path
from facility_coverage.network.graph import piece_lengths_m
from facility_coverage.network.network import Network
from facility_coverage.network.snapping import Places

#: More beds, slots or seats than any one place has: a count of something else, or a slip.
ABSURD_CAPACITY = 5000.0
#: A value above 100 and so many times the median of its layer is looked at.
FAR_FROM_MEDIAN, SMALL_CAPACITY = 50.0, 100.0
#: Facilities nearer to each other than this, metres, stand at one place.
SAME_PLACE_M = 1.0
#: A connected piece with less than this share of a network's length is small.
SMALL_PIECE_SHARE = 0.01
#: More people than this share of all off the network are a warning.
MANY_PEOPLE_SHARE = 0.05
#: Capacities of which the first counts a part of the second.
PARTS = (("nursing_beds", "beds"), ("inclusive_slots", "slots"))


def examine(config: StudyConfig, layers: Layers, networks: Mapping[str, Network]) -> list[Finding]:
    """Return what the layers of a study, put together, show.

    Parameters
    ----------
    config
        The study.
    layers, networks
        Its data, and the network of each profile that it names.
    """
    found: list[Finding] = []
    for layer in config.facilities:
        network, frame, file = networks[layer.profile], layers.facilities[layer.id], file_of(layer.id, layers)
        places = network.snap(places_xy(frame))
        found += _beyond(layer, layers, file)
        found += _capacities(layer, frame, file)
        found += _same_place(layer, frame, file)
        found += _off_network(layer, frame, places, network, file)
    found += _listed_twice(layers)
    found += shifts(config, layers, networks)
    found += _zones(layers, networks)
    found += _people(layers, networks)
    found += _dropped(networks, shown_path(config.roads.path))
    found += details_findings(layers)
    return found


def places_xy(frame: gpd.GeoDataFrame) -> Floats:
    """Return the places of facilities, metres, shape (facilities, 2)."""
    return np.column_stack([frame.geometry.x, frame.geometry.y])


def file_of(layer: str, layers: Layers) -> str:
    """Return the file or files of a layer, as shown."""
    return ", ".join(layers.counts.loc[layers.counts["layer"] == layer, "file"])


def _beyond(layer: FacilityLayer, layers: Layers, file: str) -> Iterator[Finding]:
    """Facilities that lie too far away to matter, and those beyond the zones."""
    rows = layers.counts[layers.counts["layer"] == layer.id]
    read, kept = int(rows["rows_read"].sum()), int(rows["rows_kept"].sum())
    if kept < read and not any(table.where for table in layer.tables()):  # a `where` leaves rows out on purpose
        yield finding("warning", "beyond_study", layer.id, file, count=read - kept, read=read)
    frame = layers.facilities[layer.id]
    outside = frame.loc[frame["zone_id"].isna(), "facility_id"]
    if len(outside) and layer.facilities_from == "anywhere":
        yield finding("note", "beyond_zones", layer.id, file, where=outside, count=len(outside))


def _capacities(layer: FacilityLayer, frame: gpd.GeoDataFrame, file: str) -> Iterator[Finding]:
    """Capacities that are missing, nothing, absurd, or less than a part of them."""
    ids = frame["facility_id"]
    for column in layer.capacity:
        value = frame[column]
        median = float(value[value > 0].median())
        absurd = (value > ABSURD_CAPACITY) | ((value > FAR_FROM_MEDIAN * median) & (value > SMALL_CAPACITY))
        for code, wrong in (
            ("capacity_missing", value.isna()),
            ("capacity_zero", value == 0),
            ("capacity_absurd", absurd),
        ):
            if wrong.any():
                yield finding(
                    "warning", code, layer.id, file, where=ids[wrong], column=column, count=int(wrong.sum()),
                    rows=len(frame), largest=float(value.max()), median=median,
                )  # fmt: skip
    for part, whole in PARTS:
        if part in layer.capacity and whole in layer.capacity:
            more = frame[part] > frame[whole]
            if more.any():
                yield finding("warning", "part_exceeds_whole", layer.id, file, where=ids[more], column=part,
                              whole=whole, count=int(more.sum()))  # fmt: skip


def _same_place(layer: FacilityLayer, frame: gpd.GeoDataFrame, file: str) -> Iterator[Finding]:
    """Facilities at one and the same place."""
    xy = places_xy(frame)
    pairs = shapely.STRtree(shapely.points(xy)).query(shapely.points(xy), predicate="dwithin", distance=SAME_PLACE_M)
    stacked = np.unique(pairs[0][pairs[0] != pairs[1]])
    if len(stacked):
        ids = frame["facility_id"].to_numpy()[stacked]
        yield finding("warning", "same_place", layer.id, file, where=ids, count=len(stacked))


def _listed_twice(layers: Layers) -> Iterator[Finding]:
    """Facilities that seem to be the same one, and names that several bear."""
    pairs, names = layers.details.get("duplicates"), layers.details.get("same_names")
    if pairs is not None:
        for layer, rows in pairs[~pairs["merged"].astype(bool)].groupby("layer", sort=False):
            where = [f"{row.first} = {row.second} ({row.distance_m:.0f} m)" for row in rows.itertuples()]
            yield finding(
                "warning", "duplicates", str(layer), file_of(str(layer), layers), where=where, count=len(rows)
            )
    if names is not None:
        for layer, rows in names.groupby("layer", sort=False):
            file = file_of(str(layer), layers)
            yield finding("note", "same_names", str(layer), file, where=rows["name"], count=len(rows))


def _off_network(
    layer: FacilityLayer, frame: gpd.GeoDataFrame, places: Places, network: Network, file: str
) -> Iterator[Finding]:
    """Facilities that stand on no road, or on a piece of network that nothing joins to the rest."""
    ids = frame["facility_id"].to_numpy()
    off = places.edge < 0
    if off.any():
        yield finding("warning", "off_network", layer.id, file, where=ids[off], count=int(off.sum()),
                      profile=layer.profile, limit_m=network.options.max_access_m)  # fmt: skip
    # At the end, what those who stand on no edge are given.
    piece_m = np.append(piece_lengths_m(network.graph), np.inf)[places.edge]
    small = piece_m < SMALL_PIECE_SHARE * float(network.graph.length_m.sum())
    if small.any():
        yield finding("warning", "small_piece", layer.id, file, where=ids[small], count=int(small.sum()),
                      profile=layer.profile)  # fmt: skip


def _zones(layers: Layers, networks: Mapping[str, Network]) -> Iterator[Finding]:
    """Zones without people, and zones that no road enters."""
    zones, file = layers.zones, file_of("zones", layers)
    people = layers.demand.points.groupby("zone_id")["total"].sum()
    empty = zones.loc[zones["zone_id"].map(people).fillna(0.0).to_numpy() == 0.0, "name"]
    if len(empty):
        yield finding("warning", "zone_without_people", "zones", file, where=empty, count=len(empty))
    tree = shapely.STRtree(zones.geometry.to_numpy())
    bare: dict[tuple[int, ...], list[str]] = {}
    for name, network in networks.items():
        entered = tree.query(_edge_lines(network), predicate="intersects")[1]
        bare.setdefault(tuple(np.setdiff1d(np.arange(len(zones)), entered).tolist()), []).append(name)
    for rows, names in bare.items():
        if rows:
            yield finding("warning", "zone_without_roads", "zones", file, where=zones["name"].iloc[list(rows)],
                          count=len(rows), profile=", ".join(names))  # fmt: skip


def _edge_lines(network: Network) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    """Return the edges of a network as lines."""
    graph = network.graph
    lines: np.ndarray[tuple[int], np.dtype[np.object_]] = shapely.linestrings(
        graph.xy, indices=np.repeat(np.arange(len(graph.tail)), np.diff(graph.start))
    )
    return lines


def _people(layers: Layers, networks: Mapping[str, Network]) -> Iterator[Finding]:
    """People who stand on no road, or whose nearest road was dropped or lies behind a barrier."""
    points, file = layers.demand.points, file_of("population", layers)
    people = pd.Series(points["total"]).where(points["zone_id"].notna(), 0.0).to_numpy(dtype=np.float64)
    whole = float(people.sum())
    alike: dict[tuple[str, int], list[str]] = {}
    for name, network in networks.items():
        concerned = {
            "people_off_network": network.demand.edge < 0,
            "people_near_dropped": network.near_dropped,
            "people_behind_barrier": network.blocked,
        }
        for code, wrong in concerned.items():
            alike.setdefault((code, round(float(people[wrong].sum()))), []).append(name)
    for (code, count), names in alike.items():
        if count:
            share = count / whole
            rank: Rank = "warning" if share >= MANY_PEOPLE_SHARE else "note"
            profile = ", ".join(names)
            yield finding(rank, code, "population", file, count=count, people_share=share, profile=profile)


def _dropped(networks: Mapping[str, Network], file: str) -> Iterator[Finding]:
    """Pieces of network that were left out as too small."""
    alike: dict[tuple[int, float], list[str]] = {}
    for name, network in networks.items():
        alike.setdefault((network.dropped.component_count, network.dropped.length_m / 1000), []).append(name)
    for (count, length_km), names in alike.items():
        if count:
            profile = ", ".join(names)
            yield finding("note", "isolated_roads", "roads", file, profile=profile, count=count, length_km=length_km)
