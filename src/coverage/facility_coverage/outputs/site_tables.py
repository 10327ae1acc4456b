"""Proposed sites as tables: where, in which order, with what gain, and the goals after building."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj

from facility_coverage.analysis.comparison import PARTS, compare
from facility_coverage.analysis.proposals import Proposal
from facility_coverage.analysis.verdicts import Verdict
from facility_coverage.layers.model import Layers
from facility_coverage.outputs.tables import write_csv, write_layer

FILES = ("sites.csv", "sitings.csv", "sites_verdicts.csv")
PACKAGE = "sites.gpkg"
"""Where the sites are a layer when nothing but them is written."""


def site_frame(proposals: Sequence[Proposal], layers: Layers) -> gpd.GeoDataFrame:
    """Return every proposed site: `siting`, the columns of `Proposal.sites`, `zone_name`, `lon`, `lat`, points."""
    names = dict(zip(layers.zones["zone_id"], layers.zones["name"], strict=True))
    frames = [one.sites.assign(siting=one.siting.id) for one in proposals]
    together = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), geometry="geometry", crs=layers.crs)
    to_degrees = pyproj.Transformer.from_crs(layers.crs, 4326, always_xy=True)
    lon, lat = to_degrees.transform(together.geometry.x.to_numpy(), together.geometry.y.to_numpy())
    together = together.assign(zone_name=together["zone_id"].map(names), lon=np.round(lon, 6), lat=np.round(lat, 6))
    first = ["siting", "order", "action", "layer", "candidate_id", "name", "zone_id", "zone_name", "lon", "lat"]
    together = together.assign(unit=np.repeat([one.unit for one in proposals], [len(frame) for frame in frames]))
    return together[[*first, "price", "unit", "gain", "reached", "alone", "covered", "share", "geometry"]]


def siting_table(proposals: Sequence[Proposal], layers: Layers) -> pd.DataFrame:
    """Return a row for each siting: what was asked, what was found, and how good it is."""
    to_degrees = pyproj.Transformer.from_crs(layers.crs, 4326, always_xy=True)
    return pd.DataFrame(
        [
            {
                "siting": one.siting.id,
                "problem": one.siting.problem,
                "goal": one.siting.goal or "",
                "layers": " ".join(served.layer for served in one.siting.serves),
                "candidates": one.candidate_count,
                "demand_points": one.demand_count,
                "people": one.people,
                "covered_before": one.covered_before,
                "sites": len(one.new),
                "unit": "price" if one.siting.problem == "lscp" else one.unit,
                "before": np.nan if one.siting.problem == "lscp" else one.before,
                "objective": one.solution.objective,
                "bound": one.solution.bound,
                "gap": one.solution.gap,
                "outcome": one.solution.outcome,
                "greedy": one.greedy,
                "unreached": one.unreached,
                "needed": one.needed,
                **_farthest(one, to_degrees),
            }
            for one in proposals
        ]
    )


def _farthest(proposal: Proposal, to_degrees: pyproj.Transformer) -> dict[str, object]:
    """Return whose trip is the longest after building."""
    one = proposal.farthest
    if one is None:
        return {"farthest_min": np.nan, "farthest_zone_id": None, "farthest_lon": np.nan, "farthest_lat": np.nan}
    lon, lat = to_degrees.transform(one.x_m, one.y_m)
    return {
        "farthest_min": one.minutes,
        "farthest_zone_id": one.zone_id,
        "farthest_lon": round(float(lon), 6),
        "farthest_lat": round(float(lat), 6),
    }


def write_sites(
    proposals: Sequence[Proposal],
    layers: Layers,
    before: tuple[Verdict, ...],
    after: tuple[Verdict, ...],
    folder: Path,
    *,
    package: str = "coverage.gpkg",
) -> None:
    """Write sites.csv, sitings.csv, and sites_verdicts.csv, which compares every goal before and after building.

    The sites become a layer of the GeoPackage `package` too.
    """
    sites = site_frame(proposals, layers)
    write_csv(pd.DataFrame(sites.drop(columns="geometry")), folder / "sites.csv")
    write_layer(sites, folder / package, "sites")
    write_csv(siting_table(proposals, layers), folder / "sitings.csv")
    goals = compare([before, after]).drop(columns=list(PARTS))
    told = goals["value_before"].notna() | goals["value_after"].notna()
    write_csv(goals[told], folder / "sites_verdicts.csv")
