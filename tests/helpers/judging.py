"""Goals on a street: everything a hundred metres a time, walked at a metre a second."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from pydantic import TypeAdapter

import builders
from facility_coverage.analysis.evidence import Evidence
from facility_coverage.analysis.goals import judge
from facility_coverage.analysis.reach import Reach
from facility_coverage.analysis.verdicts import Verdict
from facility_coverage.config.goal import GoalBase
from facility_coverage.config.measures import Goal
from facility_coverage.config.plan import Plan
from facility_coverage.config.profile import METRES, METRES_NAME
from facility_coverage.config.study import FacilityLayer, NetworkOptions
from facility_coverage.layers.model import Layers
from facility_coverage.network.network import build_networks

END = dt.date(2025, 12, 31)
STREET_M = 3000.0
HUB = "hub"  # a facility at 0 m, beyond the zones: it covers whoever lives near, and is nobody's stock
NEAR_M, FAR_M = 60.0, 2900.0
GOAL: TypeAdapter[Any] = TypeAdapter(Goal)


def goal(measure: str, target: float | None, **options: Any) -> Any:
    """Make a goal for 2025 on the layer `care`, its parameters filled in."""
    given = {"id": "G", "name": {"zh": "目标", "en": "Goal"}, **options}
    if measure not in ("statistic", "service_completeness"):
        given.setdefault("layer", "care")
    if measure.startswith("capacity") or measure in ("accessibility", "area_per_person"):
        given.setdefault("capacity", "beds")
    if measure == "capacity_share" and "attribute" not in given:
        given.setdefault("part", "nursing")
    content = {"measure": measure, "citation": {"document": "Plan", "clause": "1"}, **given}
    if target is not None:
        content["target"] = {"year": 2025, "value": target, **content.pop("to", {})}
    return GOAL.validate_python(content)


def street() -> Any:
    """One street of 3 km along the x axis, a node every 100 m."""
    nodes = [(float(x), 0.0) for x in range(0, int(STREET_M) + 1, 100)]
    return builders.roads(nodes, [list(range(len(nodes)))])


def evidence(
    facilities: pd.DataFrame | dict[str, pd.DataFrame],
    people: pd.DataFrame,
    zones: pd.DataFrame,
    *,
    layers: dict[str, dict[str, Any]] | None = None,
    roads: Any = None,
    date: dt.date = END,
    **more: Any,
) -> Evidence:
    """Make evidence from plain tables.

    Parameters
    ----------
    facilities
        `x_m` (and `y_m`), `zone_id` and other columns; by layer, or of the layer `care`.
    people
        Demand points: `x_m` (and `y_m`), `zone_id`, `total` and groups.
    zones
        `zone_id`, `area_type` (urban by default) and other columns.
    layers
        Options of each facility layer.
    more
        Of `Layers` (areas, statistics, neighbours) and of `Evidence` (catalogues, no_data).
    """
    tables = facilities if isinstance(facilities, dict) else {"care": facilities}
    crs = pyproj.CRS.from_epsg(32648)
    shapes = more.pop("shapes", None) or [shapely.box(0, -50, STREET_M, 50)] * len(zones)
    points = people.assign(
        demand_id=[f"d{i:03}" for i in range(len(people))], y_m=people.get("y_m", 0.0), cell_id=range(len(people))
    )
    ways = roads or street()
    base = builders.layers(ways, {"a": ("urban", shapely.box(0, 0, 1, 1))}, points, {})
    frame = base.zones.iloc[:0]
    columns = {"name": [f"Town {z}" for z in zones["zone_id"]], "area_type": "urban"} | dict(zones.items())
    frame = type(base.zones)(columns, geometry=shapes, crs=crs)
    of_layers = {f.name for f in dataclasses.fields(Layers)}
    world = dataclasses.replace(
        base,
        zones=frame,
        boundary=shapely.union_all(shapes),
        facilities={name: _placed(table, crs) for name, table in tables.items()},
        **{key: more.pop(key) for key in list(more) if key in of_layers},
    )
    xy = points[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    networks = build_networks(
        ways,
        {"walker": builders.WALKER, METRES_NAME: METRES},
        xy,
        options=NetworkOptions(min_component_nodes=1),
        file="roads",
    )
    asked = {name: _layer(name, table, (layers or {}).get(name, {})) for name, table in tables.items()}
    return Evidence(world, asked, Reach(world, networks), date=date, **more)


def _placed(table: pd.DataFrame, crs: pyproj.CRS) -> Any:
    n = len(table)
    base = {
        "facility_id": [f"f{i:03}" for i in range(n)],
        "name": [f"F{i}" for i in range(n)],
        "tier": pd.Series([None] * n, dtype=object),
        "address": pd.Series([None] * n, dtype=object),
    }
    columns = base | {name: values.to_numpy() for name, values in table.items() if name not in ("x_m", "y_m")}
    y = table["y_m"].to_numpy(dtype=np.float64) if "y_m" in table.columns else np.zeros(n)
    return gpd.GeoDataFrame(columns, geometry=shapely.points(table["x_m"].to_numpy(dtype=np.float64), y), crs=crs)


def _layer(name: str, table: pd.DataFrame, options: dict[str, Any]) -> FacilityLayer:
    known = {"x_m", "y_m", "zone_id", "facility_id", "name", "tier", "address"}
    capacity = [c for c in table.columns if c not in known and table[c].dtype == np.float64]
    return builders.facility_layer(**{"id": name, "name": name, "capacity": capacity, **options})


def simple(
    rows: list[tuple[str | None, float, float]], people: dict[str, tuple[float, float]], **more: Any
) -> Evidence:
    """Facilities as (zone, beds, nursing), and zones as id: (population, covered); a hub covers the covered."""
    facilities = pd.DataFrame([*rows, (None, np.nan, np.nan)], columns=["zone_id", "beds", "nursing"])
    facilities = facilities.astype({"beds": float, "nursing": float}).assign(x_m=0.0, tier="top")
    points = [(z, x, n) for z, (p, c) in people.items() for x, n in ((NEAR_M, c), (FAR_M, p - c))]
    return evidence(
        facilities.assign(zone_id=facilities["zone_id"].astype(object)),
        pd.DataFrame(points, columns=["zone_id", "x_m", "total"]),
        pd.DataFrame({"zone_id": list(people)}),
        **more,
    )


def judged(one: GoalBase, shown: Evidence) -> Verdict:
    """Return the verdict of one goal."""
    plan = Plan.model_validate({"id": "p", "title": "P", "goals": [one]})
    (verdict,) = judge([plan], shown)
    return verdict
