"""The service area of every single facility, as a table; for eyes only, no figure uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from facility_coverage.analysis.service_areas import facility_service_areas
from facility_coverage.analysis.trips import Trips
from facility_coverage.analysis.walls import find_walls
from facility_coverage.layers.model import Layers
from facility_coverage.network.network import Network


def facility_areas(
    layers: Layers, trips: Sequence[Trips], networks: Mapping[str, Network], *, threads: int = 1
) -> gpd.GeoDataFrame:
    """Draw where each facility is within each cutoff of its layer.

    Returns
    -------
    Columns `layer`, `facility_id`, `cutoff_min` and geometry (multipolygons, metric, empty where nothing is reached):
    one row per facility and different cutoff, in the order of `trips`, facilities and cutoffs.
    """
    rows = []
    for trip in trips:
        network = networks[trip.layer.profile]
        walls = find_walls(layers, network.profile)
        for minutes in sorted(set(trip.layer.cutoff_min.values())):
            areas = facility_service_areas(network, trip.places, walls, limit_s=60.0 * minutes, threads=threads)
            ids = trip.facilities["facility_id"].to_numpy()
            rows.append(pd.DataFrame({"layer": trip.layer.id, "facility_id": ids, "cutoff_min": float(minutes),
                                      "order": np.arange(len(ids)), "area": areas}))  # fmt: skip
    table = pd.concat(rows, ignore_index=True)
    place = table["layer"].map({trip.layer.id: i for i, trip in enumerate(trips)})
    table = table.assign(place=place).sort_values(["place", "order", "cutoff_min"], ignore_index=True)
    columns = table[["layer", "facility_id", "cutoff_min"]]
    return gpd.GeoDataFrame(columns, geometry=table["area"].to_numpy(), crs=layers.crs)
