"""Tables: zones.csv, districts.csv and coverage.gpkg; the same input gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio

from facility_coverage.analysis.coverage import CoverageResult
from facility_coverage.analysis.verdicts import Verdict
from facility_coverage.config.study import StudyConfig
from facility_coverage.layers.model import Layers
from facility_coverage.outputs.goal_columns import with_goals

#: What a zone says of its district.
DISTRICT = ("district_id", "district_name")
#: A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA_STARTS = ("=", "+", "-", "@")


def zone_table(config: StudyConfig, layers: Layers, coverage: CoverageResult) -> pd.DataFrame:
    """Return one row per zone: people, coverage of every layer and group, facilities and capacities.

    Columns: `zone_id`, `name`, `district_id`, `district_name` (empty where the study knows no districts),
    `area_type`, `area_km2`, ``population_<group>``; per facility layer ``L``:
    ``L_covered_<group>``, ``L_share_<group>`` (0–1), ``L_facility_count``, ``L_<capacity>`` (sum of what is known,
    empty where nothing is).
    """
    zones = layers.zones.set_index("zone_id")
    columns: dict[str, Any] = {
        "name": zones["name"],
        **{name: zones.get(name, pd.Series(None, zones.index, dtype=object)) for name in DISTRICT},
        "area_type": zones["area_type"],
        "area_km2": zones.geometry.area / 1e6,
    }
    by_group = coverage.zones.set_index(["layer", "group", "zone_id"]).sort_index()
    first = config.facilities[0].id
    for group in groups_of(config):
        columns[f"population_{group}"] = by_group.loc[(first, group), "population"]
    for layer in config.facilities:
        for group in groups_of(config):
            columns[f"{layer.id}_covered_{group}"] = by_group.loc[(layer.id, group), "covered"]
            columns[f"{layer.id}_share_{group}"] = by_group.loc[(layer.id, group), "share"]
        facilities = layers.facilities[layer.id]
        inside = facilities[facilities["zone_id"].notna()].groupby("zone_id")
        columns[f"{layer.id}_facility_count"] = inside.size().reindex(zones.index, fill_value=0)
        for capacity in layer.capacity:
            known = inside[capacity].sum(min_count=1).reindex(zones.index)
            # Where no facility is, there is no bed: that is known. Where no bed is recorded, nothing is.
            columns[f"{layer.id}_{capacity}"] = known.mask(columns[f"{layer.id}_facility_count"] == 0, 0.0)
    return pd.DataFrame(columns, index=zones.index).rename_axis("zone_id").reset_index()


def district_table(config: StudyConfig, layers: Layers, coverage: CoverageResult) -> pd.DataFrame | None:
    """Return one row per district, added up from its zones; None where the study knows no districts.

    Columns: `district_id`, `name`, `zone_count`, then those of `zone_table` from `area_km2` on. Shares are those of the
    district's people, not means of its zones' shares; a capacity is empty where none of the district is known, and 0
    where it has no facility.
    """
    zones = zone_table(config, layers, coverage)
    zones = zones[zones["district_id"].notna()]
    if zones.empty:
        return None
    by_district = zones.groupby("district_id", sort=True)
    columns: dict[str, Any] = {"name": by_district["district_name"].first(), "zone_count": by_district.size()}
    sums = by_district[["area_km2", *(f"population_{group}" for group in groups_of(config))]].sum()
    columns |= {name: sums[name] for name in sums.columns}
    for layer in config.facilities:
        for group in groups_of(config):
            covered, people = by_district[f"{layer.id}_covered_{group}"].sum(), sums[f"population_{group}"]
            columns[f"{layer.id}_covered_{group}"] = covered
            columns[f"{layer.id}_share_{group}"] = covered / people.where(people > 0)
        count = columns[f"{layer.id}_facility_count"] = by_district[f"{layer.id}_facility_count"].sum()
        # A zone's 0 says that it has no facility; where the others' capacities are not known, it tells nothing.
        with_some = zones[zones[f"{layer.id}_facility_count"] > 0].groupby("district_id")
        for capacity in layer.capacity:
            known = with_some[f"{layer.id}_{capacity}"].sum(min_count=1).reindex(count.index)
            columns[f"{layer.id}_{capacity}"] = known.mask(count == 0, 0.0)
    return pd.DataFrame(columns).rename_axis("district_id").reset_index()


def groups_of(config: StudyConfig) -> list[str]:
    """Return the study's groups, everybody first."""
    return ["total", *(group.id for group in config.groups)]


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table for spreadsheets: UTF-8 with a byte-order mark, and no text that would run as a formula."""
    text = table.select_dtypes(include=["object", "string"]).columns
    safe = table.assign(**{column: table[column].map(_inert) for column in text})
    safe.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n", float_format="%.10g")


def write_geopackage(
    config: StudyConfig,
    layers: Layers,
    coverage: CoverageResult,
    verdicts: Sequence[Verdict],
    path: Path,
    *,
    areas: Mapping[str, gpd.GeoDataFrame | None],
) -> None:
    """Write the layers that the study asks for as one GeoPackage in its metric reference system.

    `areas` are its service areas by the name of their layer: `service_areas`, `facility_service_areas`.
    """
    wanted = config.outputs.geopackage
    if "zones" in wanted:
        zones = with_goals(zone_table(config, layers, coverage), verdicts)
        geometry = layers.zones.set_index("zone_id").loc[zones["zone_id"]].geometry.to_numpy()
        write_layer(gpd.GeoDataFrame(zones, geometry=geometry, crs=layers.crs), path, "zones")
        districts = district_table(config, layers, coverage)
        if districts is not None:
            outlines = layers.zones.dissolve("district_id").geometry.loc[districts["district_id"]].to_numpy()
            write_layer(gpd.GeoDataFrame(districts, geometry=outlines, crs=layers.crs), path, "districts")
    if "demand" in wanted:
        points = layers.demand.points
        demand = pd.concat([points, coverage.demand.drop(columns="demand_id")], axis=1)
        on_map = gpd.points_from_xy(points["x_m"], points["y_m"], crs=layers.crs)
        write_layer(gpd.GeoDataFrame(demand, geometry=on_map), path, "demand")
    if "facilities" in wanted:
        write_layer(facility_table(layers, coverage), path, "facilities")
    for name, frame in areas.items():
        if name in wanted and frame is not None:
            write_layer(frame, path, name)


def facility_table(layers: Layers, coverage: CoverageResult) -> gpd.GeoDataFrame:
    """Return every facility of every layer with its capacities and the people of its catchment."""
    frames = [frame.assign(layer=layer) for layer, frame in sorted(layers.facilities.items())]
    together = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), geometry="geometry", crs=layers.crs)
    return together.merge(coverage.facilities, on=["layer", "facility_id"], how="left", validate="one_to_one")


def write_layer(frame: pd.DataFrame, path: Path, name: str, *, key: str = "fid", shape: str | None = None) -> None:
    """Add a layer to a GeoPackage, or a table where there is no geometry; the same frame gives the same bytes.

    `key` is the name of the primary key; `shape` the type of geometry, where the frame may have no row to tell it.
    """
    # GDAL stamps the hour into a GeoPackage; a fixed one keeps equal results equal byte by byte.
    # The file is new and moved into place when whole: nothing is gained by waiting for the disk at every step.
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2000-01-01T00:00:00.000Z", "OGR_SQLITE_SYNCHRONOUS": "OFF"})
    plain = frame.assign(**{c: frame[c].astype(object) for c in frame.columns if frame[c].dtype == "category"})
    # The standard asks for milliseconds.
    options = {"FID": key, "DATETIME_PRECISION": "MILLISECOND"}
    if shape is not None:
        options["geometry_type"] = shape
    pyogrio.write_dataframe(plain, path, layer=name, driver="GPKG", append=path.exists(), use_arrow=True, **options)


def _inert(value: object) -> object:
    """Return text on one line, with an apostrophe before what a spreadsheet would run."""
    if not isinstance(value, str):
        return value
    line = " ".join(value.split())
    return f"'{line}" if line.startswith(FORMULA_STARTS) else line
