"""What a download writes: layers, a study to start from, and where it all comes from."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd

from facility_coverage.layers import osm_elements, osm_features
from facility_coverage.layers.crs import WGS84
from facility_coverage.layers.osm_kinds import KINDS
from facility_coverage.outputs import starter
from facility_coverage.outputs.download_folder import MARK, checksum_of
from facility_coverage.outputs.geojson import write_geojson

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shapely.geometry.base import BaseGeometry

    from facility_coverage.layers.osm_elements import Elements
    from facility_coverage.layers.osm_places import Outline


@dataclass(frozen=True)
class Area:
    """Where to ask: the outline and its zones in degrees, and their box with the margin.

    Attributes
    ----------
    outline, zones
        In WGS 84.
    box
        In WGS 84, with vertices along its sides.
    crs
        The study's metric reference system.
    margin_m
        How far the box reaches beyond outline and zones.
    has_zones
        Whether zones were asked for; otherwise the outline is the one zone.
    left_out
        Zones whose outline is broken.
    """

    outline: Outline
    zones: gpd.GeoDataFrame
    box: BaseGeometry
    crs: str
    margin_m: float
    has_zones: bool
    left_out: tuple[str, ...]


class Parts(NamedTuple):
    """What the server sent."""

    roads: Elements
    facilities: Elements
    water: Elements


class Written(NamedTuple):
    """What is to be said to people, and what `download.json` says."""

    remarks: tuple[str, ...]
    about: dict[str, Any]


@contextmanager
def extract(elements: Elements) -> Iterator[Path]:
    """Yield elements as a file that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "part.osm.pbf"
        osm_elements.write_extract(elements, file)
        yield file


def write_download(folder: Path, area: Area, parts: Parts, *, kinds: Sequence[str], name: str) -> Written:
    """Write everything but `download.json`.

    Parameters
    ----------
    folder
        Empty.
    area, parts
        What was asked for and what came.
    kinds
        Kinds of facilities.
    name
        The study's, where the place has none.
    """
    title = area.outline.name or name
    outline = gpd.GeoDataFrame({"zone_id": ["all"], "name": [title]}, geometry=[area.outline.shape], crs=WGS84)
    write_geojson(outline, folder / "boundary.geojson")
    if area.has_zones:
        write_geojson(area.zones, folder / "zones.geojson")
    osm_elements.write_extract(parts.roads, folder / "roads.osm.pbf")
    facilities, broken = _write_facilities(area, parts.facilities, folder / "facilities", kinds=kinds)
    with extract(parts.water) as file:
        water = osm_features.water_of(file)
    if len(water.frame):
        write_geojson(water.frame, folder / "water.geojson")
    counts = {
        "roads": parts.roads.counts,
        "zones": len(area.zones),
        "facilities": facilities,
        "water": len(water.frame),
    }
    stamps = sorted({stamp for part in parts for stamp in part.timestamps})
    _write_study(folder, area, title=title, name=name, counts=counts, day=_day(stamps))
    remarks = [f"zones: the outline of {zone} is broken in OpenStreetMap, it is left out" for zone in area.left_out]
    remarks += [f"{kind}: OpenStreetMap has none here" for kind in kinds if not facilities[kind]]
    left_out = sorted({*broken, *water.left_out, *area.left_out})
    return Written(tuple(remarks), _about(area, counts, left_out, stamps))


def write_mark(folder: Path, about: Mapping[str, Any]) -> None:
    """Write `download.json`, with the checksums of all other files."""
    files = sorted(one for one in folder.rglob("*") if one.is_file())
    checksums = {one.relative_to(folder).as_posix(): checksum_of(one) for one in files}
    text = json.dumps({**about, "files": checksums}, ensure_ascii=False, indent=1)
    (folder / MARK).write_text(text + "\n", encoding="utf-8", newline="\n")


def _write_facilities(
    area: Area, elements: Elements, folder: Path, *, kinds: Sequence[str]
) -> tuple[dict[str, int], list[str]]:
    counts, broken = {}, []
    folder.mkdir()
    with extract(elements) as file:
        for kind in kinds:
            found = osm_features.facilities_of(file, KINDS[kind].has, area.box)
            counts[kind] = len(found.frame)
            broken += found.left_out
            if len(found.frame):
                write_geojson(found.frame, folder / f"{kind}.geojson")
    return counts, broken


def _write_study(folder: Path, area: Area, *, title: str, name: str, counts: Mapping[str, Any], day: str) -> None:
    facilities = {
        kind: ({"zh": KINDS[kind].zh, "en": KINDS[kind].en}, count > 0) for kind, count in counts["facilities"].items()
    }
    study = starter.Starter(
        study_id=starter.identifier(name),
        title=title,
        date=day,
        crs=area.crs,
        margin_m=area.margin_m,
        zones_file="zones.geojson" if area.has_zones else "boundary.geojson",
        facilities=facilities,
        water=counts["water"] > 0,
    )
    (folder / "study.yaml").write_text(starter.study_text(study), encoding="utf-8", newline="\n")


def _day(stamps: Sequence[str]) -> str:
    """Return the day of the data, or today where the server does not say."""
    try:
        return dt.datetime.fromisoformat(stamps[-1]).date().isoformat()
    except (IndexError, ValueError):
        return dt.datetime.now(tz=dt.UTC).date().isoformat()


def _about(area: Area, counts: Mapping[str, Any], left_out: Sequence[str], stamps: Sequence[str]) -> dict[str, Any]:
    return {
        "found": {"name": area.outline.name, "osm_id": area.outline.osm_id, "bounds": list(area.box.bounds)},
        "downloaded_at": dt.datetime.now(tz=dt.UTC).isoformat(timespec="seconds"),
        "data_from": stamps[0] if stamps else None,
        "data_to": stamps[-1] if stamps else None,
        "counts": counts,
        "left_out": left_out,
        "attribution": starter.ATTRIBUTION["en"],
        "licence": "https://opendatacommons.org/licenses/odbl/1-0/",
        "program": {name: version(name) for name in ("facility-coverage", "osmnx")},
    }
