"""Boundary, roads and facilities of a place from OpenStreetMap, as a folder with a study to start from: wiring only."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import shapely
from shapely.geometry.base import BaseGeometry

from facility_coverage.cache import Cache
from facility_coverage.config.reading import builtin_profiles
from facility_coverage.config.servers import OVERPASS_URL, Servers
from facility_coverage.errors import Fault, LayerError, StudyError
from facility_coverage.layers import osm_elements, osm_features, osm_places
from facility_coverage.layers.boundaries import study_box
from facility_coverage.layers.crs import WGS84, choose_metric_crs
from facility_coverage.layers.osm_elements import Elements
from facility_coverage.layers.osm_kinds import KINDS, values_of
from facility_coverage.layers.osm_places import Outline
from facility_coverage.layers.osm_servers import Client, connected, drop_old, forget
from facility_coverage.network.speed import fastest_ms
from facility_coverage.outputs import starter
from facility_coverage.outputs.download_folder import folder_faults, placed
from facility_coverage.outputs.downloads import Area, Parts, extract, write_download, write_mark

Progress = Callable[[str], None]

DEFAULT_KINDS = ("elder_care", "childcare", "clinic", "hospital")

ROADS = ('["highway"]', '["route"="ferry"]')
"""Ways that are downloaded: all that the reader of extracts takes for roads, whatever else they say."""

WATER = {"natural": ["water"], "waterway": ["canal", "river", "riverbank"]}

LARGEST_KM2 = 20_000.0
"""Larger areas are not asked of the public server."""

LEVELS = range(2, 12)


@dataclass(frozen=True)
class Wanted:
    """What is to be downloaded: exactly one of the first three, and what goes with it.

    Attributes
    ----------
    place
        Name, or id such as R2715968.
    bbox
        ``west,south,east,north`` in degrees.
    boundary
        File of polygons.
    kinds
        Kinds of facilities, of `osm_kinds.KINDS`.
    zone_level
        `admin_level` of the zones; None: the boundary is the one zone.
    margin_m
        How far beyond the boundary; by default as far as the longest trip of the study that is written.
    """

    place: str | None = None
    bbox: str | None = None
    boundary: Path | None = None
    kinds: tuple[str, ...] = DEFAULT_KINDS
    zone_level: int | None = None
    margin_m: float | None = None

    def faults(self) -> list[Fault]:
        """Return what is wrong with these choices."""
        found = []
        given = [one for one in (self.place, self.bbox, self.boundary) if one is not None]
        if len(given) != 1 or self.place == "":
            found.append(
                Fault("download", f"{len(given)} areas are named", advice="give a PLACE, --bbox or --boundary")
            )
        choice = f"choose among {', '.join(KINDS)}"
        unknown = [kind for kind in self.kinds or ("",) if kind not in KINDS]
        found += [Fault("--kinds", f"{kind!r} is no kind", advice=choice) for kind in unknown]
        if self.zone_level is not None and self.zone_level not in LEVELS:
            advice = "in China 6 is a county or district, 8 a town or subdistrict"
            found.append(Fault("--zones", f"{self.zone_level} is no admin_level", advice=advice))
        if self.margin_m is not None and not 0 <= self.margin_m <= 200_000:
            found.append(Fault("--margin-m", f"{self.margin_m:g} is not between 0 and 200000"))
        return found

    @property
    def reach_m(self) -> float:
        """How far beyond the boundary to ask, metres."""
        if self.margin_m is not None:
            return self.margin_m
        profiles = builtin_profiles()
        fastest = max(fastest_ms(profiles[starter.profile_of(kind)]) for kind in self.kinds)
        return float(math.ceil(60.0 * starter.CUTOFF_MIN * fastest))


@dataclass(frozen=True)
class Downloaded:
    """What a download left, and what is to be said about it."""

    folder: Path
    remarks: tuple[str, ...]


def download(
    wanted: Wanted,
    folder: Path,
    *,
    servers: Servers | None = None,
    overwrite: bool = False,
    refresh: bool = False,
    progress: Progress = lambda _: None,
) -> Downloaded:
    """Download a place into a folder.

    Parameters
    ----------
    wanted
        What.
    folder
        Where to; it appears when everything is there.
    servers
        Whom to ask; by default the public servers.
    overwrite
        Whether an earlier download may be replaced.
    refresh
        Whether to ask anew for what an earlier run has received.
    progress
        Called with each step.

    Raises
    ------
    StudyError
        If a choice is wrong, a server cannot be used, or the place is not found; nothing is written then.
    """
    servers = servers or Servers()
    faults = [*wanted.faults(), *servers.faults(), *folder_faults(folder, overwrite=overwrite)]
    if faults:
        raise StudyError(faults)
    with _answers() as (kept, resumes):
        if refresh:
            forget(kept)
        drop_old(kept)
        with connected(servers, kept, resumes=resumes, say=progress) as client:
            area = _area(wanted, client)
            _check_size(area, servers)
            parts = _ask(wanted, area, client)
        with placed(folder, overwrite=overwrite) as new:
            progress("writing files")
            written = write_download(new, area, parts, kinds=wanted.kinds, name=folder.resolve().name)
            write_mark(new, {"asked": _asked(wanted), **written.about, "servers": _requests(client)})
    return Downloaded(folder, written.remarks)


@contextmanager
def _answers() -> Iterator[tuple[Path, bool]]:
    """Yield the folder in which answers are kept, and whether it outlives this download."""
    cache = Cache.from_environment().folder
    if cache is not None:
        yield cache / "openstreetmap", True
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder), False


def _asked(wanted: Wanted) -> dict[str, object]:
    return {
        "place": wanted.place,
        "bbox": wanted.bbox,
        "boundary": wanted.boundary.name if wanted.boundary else None,
        "kinds": list(wanted.kinds),
        "zone_level": wanted.zone_level,
        "margin_m": wanted.reach_m,
    }


def _requests(client: Client) -> list[dict[str, object]]:
    urls = (client.servers.nominatim_url, client.servers.overpass_url)
    return [{"url": url, "requests": client.requests.get(url, 0)} for url in urls]


def _area(wanted: Wanted, client: Client) -> Area:
    outline = _outline(wanted, client)
    alone = gpd.GeoDataFrame({"zone_id": ["all"], "name": [outline.name or "all"]}, geometry=[outline.shape], crs=WGS84)
    if wanted.zone_level is None:
        return _with_box(outline, alone, wanted, ())
    level = wanted.zone_level
    tags = {"admin_level": [str(level)]}
    elements = _features("zones", tags, shapely.box(*outline.shape.bounds), client)
    with extract(elements) as file:
        found = osm_features.zones_of(file, level, outline.shape)
    if found.frame.empty:
        broken = f"; the outlines of {', '.join(found.left_out)} are broken" if found.left_out else ""
        message = f"has no area of admin_level {level} within the boundary{broken}"
        advice = "name another --zones level, or none and zones of your own later"
        raise LayerError([Fault(client.servers.overpass_url, message, advice=advice)])
    return _with_box(outline, found.frame, wanted, tuple(found.left_out))


def _outline(wanted: Wanted, client: Client) -> Outline:
    if wanted.place is not None:
        return osm_places.of_place(" ".join(wanted.place.split()), client)
    if wanted.boundary is not None:
        return osm_places.of_file(wanted.boundary)
    return osm_places.of_box(wanted.bbox or "")


def _with_box(outline: Outline, zones: gpd.GeoDataFrame, wanted: Wanted, left_out: tuple[str, ...]) -> Area:
    crs = choose_metric_crs(zones, None, file="download")
    everything = gpd.GeoSeries([outline.shape, *zones.geometry], crs=WGS84).to_crs(crs).union_all()
    box = shapely.segmentize(study_box(everything, wanted.reach_m), 5_000.0)
    degrees = gpd.GeoSeries([box], crs=crs).to_crs(WGS84).iloc[0]
    return Area(outline, zones, degrees, crs.to_string(), wanted.reach_m, wanted.zone_level is not None, left_out)


def _check_size(area: Area, servers: Servers) -> None:
    size_km2 = gpd.GeoSeries([area.box], crs=WGS84).to_crs(area.crs).area.iloc[0] / 1e6
    if size_km2 > LARGEST_KM2 and servers.overpass_url.rstrip("/") == OVERPASS_URL:
        message = f"{size_km2:,.0f} km² are more than the public server should be asked for ({LARGEST_KM2:,.0f} km²)"
        advice = "use an extract (docs/download.md), or a server of your own with --overpass-url"
        raise StudyError([Fault("download", message, advice=advice)])


def _ask(wanted: Wanted, area: Area, client: Client) -> Parts:
    ring = area.box.wkt
    answers = client.fetch(
        "roads", lambda osmnx: osmnx.graph_from_polygon(area.box, custom_filter=list(ROADS)), ROADS, ring
    )
    roads = osm_elements.joined(answers, url=client.servers.overpass_url)
    if not roads.ways:
        message = "has no road in this area"
        raise LayerError([Fault(client.servers.overpass_url, message, advice="check the place or the box")])
    facilities = _features("facilities", values_of(wanted.kinds), area.box, client)
    return Parts(roads, facilities, _features("water", WATER, area.box, client))


def _features(about: str, tags: dict[str, list[str]], within: BaseGeometry, client: Client) -> Elements:
    answers = client.fetch(about, lambda osmnx: osmnx.features_from_polygon(within, tags), tags, within.wkt)
    return osm_elements.joined(answers, url=client.servers.overpass_url)
