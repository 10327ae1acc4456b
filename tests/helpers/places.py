"""Studies of two real places, from data that lie outside the project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol

import pandas as pd
import shapely

MAX_ACCESS_M = 500.0


class Tags(Protocol):
    def get(self, key: str, /) -> str | None: ...


def comoros_study(data: Path) -> dict[str, object]:
    extract = str(data / "comoros" / "comoros-2021.osm.pbf")
    return {
        "id": "comoros",
        "title": "Comoros",
        "lang": "en",
        "date": "2021-01-01",
        "zones": {
            "path": extract,
            "where": {"boundary": "administrative", "admin_level": "4"},
            "constants": {"area_type": "rural"},
        },
        "roads": {"path": extract},
        "population": {"kind": "raster", "path": str(data / "comoros" / "worldpop-2020-100m.tif")},
        "facilities": [
            {
                "id": "health",
                "name": "Health care",
                "kind": "clinic",
                "path": extract,
                "where": {"amenity": ["hospital", "clinic", "doctors"]},
                "profile": "adult",
                "cutoff_min": 15,
            }
        ],
        "network": {"max_access_m": MAX_ACCESS_M},
    }


def poa_study(data: Path, folder: Path) -> dict[str, object]:
    hexagons = pd.read_csv(data / "poa" / "poa_hexgrid.csv")
    sites = hexagons.loc[hexagons["healthcare"] > 0, ["id", "lon", "lat"]].rename(columns={"id": "facility_id"})
    sites.assign(name=sites["facility_id"]).to_csv(folder / "sites.csv", index=False)
    outline = shapely.MultiPoint(hexagons[["lon", "lat"]].to_numpy()).convex_hull.buffer(0.01)
    zone = {"zone_id": "centre", "name": "Centro", "area_type": "urban"}
    feature = {
        "type": "Feature",
        "properties": zone,
        "geometry": shapely.geometry.mapping(outline),
    }
    (folder / "zone.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return {
        "id": "poa",
        "title": "Porto Alegre",
        "lang": "en",
        "date": "2020-01-01",
        "zones": {"path": "zone.geojson"},
        "roads": {"path": str(data / "poa" / "poa_osm.pbf")},
        "population": {
            "kind": "points",
            "path": str(data / "poa" / "poa_hexgrid.csv"),
            "datum": "wgs84",
            "columns": {"id": "demand_id", "population": "total"},
        },
        "facilities": [
            {
                "id": "health",
                "name": "Health care",
                "kind": "clinic",
                "path": "sites.csv",
                "datum": "wgs84",
                "profile": "adult",
                "cutoff_min": 15,
            }
        ],
        "network": {"max_access_m": MAX_ACCESS_M},
    }


def may_walk(tags: Tags) -> bool:
    """Apply the stated rules one by one: no way, then `foot`, then the class, then `access`."""
    highway, foot, access = tags.get("highway"), tags.get("foot"), tags.get("access")
    if highway in {"construction", "proposed", "planned", "abandoned", "disused", "razed", "demolished",
                   "rest_area", "services", "elevator", "no"}:  # fmt: skip
        return False
    if foot in {"yes", "designated", "permissive", "destination", "customers", "permit"}:
        return True
    if foot in {"no", "private", "use_sidepath"}:
        return False
    if highway in {"motorway", "motorway_link", "raceway", "busway", "bus_guideway", "escape", "via_ferrata"}:
        return False
    if tags.get("motorroad") == "yes" and highway in {"trunk", "trunk_link"}:
        return False
    return access not in {"no", "private", "military", "agricultural", "forestry"}
