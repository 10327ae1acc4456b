"""The study: everything a user asks for in one YAML file.

The classes mirror the YAML one to one; every field's description becomes the JSON Schema's and the
reference page's. Paths are relative to the YAML file and are made absolute by `reading.load_study`.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from facility_coverage.config.cutoff import CutoffMin
from facility_coverage.config.gaps import Gaps
from facility_coverage.config.needs import Need
from facility_coverage.config.number import Number, WholeNumber
from facility_coverage.config.people import (
    AreaTypes,
    Group,
    PointPopulation,
    PolygonPopulation,
    Population,
    RasterPopulation,
)
from facility_coverage.config.plan import Plan
from facility_coverage.config.profile import Profile
from facility_coverage.config.siting import Siting
from facility_coverage.config.state import Change, StateFacilities
from facility_coverage.config.table import (
    OSM_SUFFIXES,
    AreaType,
    Column,
    Datum,
    Identifier,
    Model,
    Scalar,
    Share,
    ShiftedDatum,
    Table,
    TableKeys,
)
from facility_coverage.config.text import Lang, Text
from facility_coverage.config.uncertainty import Uncertainty

__all__ = [  # what other rooms find here, though it is made elsewhere
    "OSM_SUFFIXES", "AreaType", "AreaTypes", "Column", "Datum", "Group", "Identifier", "PointPopulation",
    "PolygonPopulation", "RasterPopulation", "Scalar", "Share", "ShiftedDatum", "Table", "TableKeys",
]  # fmt: skip


def _written_as_a_date(value: object) -> object:
    """Refuse numbers, which would be taken for seconds since 1970."""
    if isinstance(value, dt.date) or (isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value)):
        return value
    raise PydanticCustomError("date_type", "not a date")


Date = Annotated[dt.date, BeforeValidator(_written_as_a_date, json_schema_input_type=dt.date)]


class Zones(Table):
    """Towns and subdistricts: columns zone_id, name, area_type, and district_id where they lie in several districts."""

    repair: bool = Field(
        default=False,
        strict=True,
        description="Whether invalid rings are made valid, and narrow overlaps and gaps given to the neighbour with "
        "the longest common border; every change is listed",
    )
    sliver_width_m: Number = Field(
        5.0,
        gt=0,
        le=100,
        description="Overlaps and gaps up to this width, in metres, are slivers; nothing wider is repaired",
    )


class Districts(Table):
    """Districts that the zones lie in: columns district_id and name, with outlines where zones name no district."""

    crossing_share: Share = Field(
        0.01, description="A zone with more of its area than this beyond its district's outline is reported"
    )


class Roads(Table):
    """Roads: an OpenStreetMap extract (.osm.pbf, .osm) or any layer of lines with a `highway` column."""

    crossings: Literal["joined", "separate"] | None = Field(
        None,
        description="Lines that cross without a shared vertex: joined to a junction where `bridge`, `tunnel` and "
        "`layer` put both on one level, or kept separate; needed only for lines that cross and have no such column",
    )
    snap_tolerance_m: Number = Field(
        0.5,
        ge=0,
        le=50,
        description="Loose ends of lines this near to another line are joined to it, in metres; 0 joins none",
    )


class Tier(Model):
    """One level of a hierarchy of facilities."""

    id: Identifier = Field(description="Value in the layer's `tier` column")
    name: Text
    led_by: list[Identifier] = Field(
        default_factory=list,
        description="Tiers whose facilities lead those of this tier, each by the nearest: e.g. [street_centre]",
    )
    led_within_min: Number | None = Field(
        None, gt=0, le=1440, description="Longest way to the centre that leads; those farther off are led by none"
    )
    cutoff_min: CutoffMin | None = Field(None, description="Cutoff of this tier; by default that of the layer")


class FacilitySource(Table):
    """One of several files that a facility layer is read from."""

    id_prefix: str = Field("", description="Put before each facility_id, where two sources use the same ids")


class FacilityTable(FacilitySource):
    """One file of a facility layer, with what reading it must know of the layer."""

    kind: Identifier
    tiers: list[Tier] = Field(default_factory=list)
    capacity: list[Column] = Field(default_factory=list)
    attributes: list[Column] = Field(default_factory=list)


class FacilityLayer(TableKeys):
    """Facilities of one kind, who goes there and how long they may take."""

    id: Identifier
    name: Text
    kind: Identifier = Field(description="What the facilities are, e.g. elder_care, childcare, clinic, hospital")
    tiers: list[Tier] = Field(
        default_factory=list, description="Levels of the hierarchy, highest first; then a `tier` column is needed"
    )
    tiers_inclusive: bool = Field(
        False, strict=True, description="Whether a higher tier also serves the circle of a lower one"
    )
    capacity: list[Column] = Field(default_factory=list, description="Columns that count beds, slots, seats, m² …")
    attributes: list[Column] = Field(
        default_factory=list, description="Columns that say yes or no, such as quality_passed or public"
    )
    profile: str = Field(description="Who travels: the name of a profile")
    cutoff_min: CutoffMin = Field(
        description="Longest acceptable travel time in minutes; one number, or one per area type of the person's zone"
    )
    facilities_from: Literal["anywhere", "own_zones_only"] = Field(
        "anywhere", description="Whether facilities beyond the study's zones serve its people"
    )
    group: Identifier = Field("total", description="The people this layer is for; the map shows their coverage first")
    needs: list[Need] = Field(
        default_factory=list,
        description="What people need of the layer's capacities; then the run says how many can be served",
    )
    sources: list[FacilitySource] = Field(
        default_factory=list,
        description="Several files in place of `path`, the most trusted first; each says how it is read",
    )
    duplicates: Literal["report", "merge"] = Field(
        "report", description="Whether facilities that seem to be listed twice are only reported, or made one"
    )
    duplicate_distance_m: Number = Field(
        100.0, ge=0, le=5000, description="Facilities of like names are duplicates up to this distance, in metres"
    )
    duplicate_similarity: Share = Field(
        0.9, description="Least similarity of the names of duplicates: 1 for the same, 0 for nothing in common"
    )

    @model_validator(mode="after")
    def _one_path_or_several(self) -> FacilityLayer:
        if (self.path is None) == (not self.sources):
            raise ValueError("give either path or sources")
        stray = [k for k in TableKeys.model_fields if k in self.model_fields_set and getattr(self, k)]
        if self.sources and stray:
            raise ValueError(f"with sources, give {', '.join(stray)} under each of them")
        return self

    def tables(self) -> tuple[FacilityTable, ...]:
        """Return the files of the layer, the most trusted first."""
        of_layer = {key: getattr(self, key) for key in ("kind", "tiers", "capacity", "attributes")}
        own = {key: getattr(self, key) for key in TableKeys.model_fields}
        entries = [dict(source) for source in self.sources] or [own]
        return tuple(FacilityTable.model_validate(entry | of_layer) for entry in entries)


class Areas(Table):
    """Areas that goals speak of, such as new estates: polygons with `area_id` and `name`."""

    id: Identifier = Field(description="Name of these areas in goals, e.g. new_estates")
    name: Text


class Neighbours(Table):
    """Zones or districts beyond the study: polygons with `district_id`, `name` and `area_type`."""


class State(Model):
    """The study at another date, or after changes: what it does not say is as in the study."""

    id: Identifier = Field(description="Name of the state: `run --state`, `compare`")
    name: Text
    date: Date | None = Field(None, description="By default that of the study")
    population: Population | None = None
    groups: list[Group] | None = None
    roads: Roads | None = None
    facilities: dict[Identifier, StateFacilities] = Field(
        default_factory=dict, description="Files that facility layers are read from in this state: {layer: {path: …}}"
    )
    changes: list[Change] = Field(
        default_factory=list, description="Changes to the facilities: add, close, move, enlarge"
    )


class NetworkOptions(Model):
    """Choices of the network that change figures (docs/decisions)."""

    max_access_m: Number = Field(
        500.0, gt=0, le=20_000, description="A point farther than this from any road is unattached, in metres"
    )
    min_component_nodes: WholeNumber = Field(
        30, ge=1, description="Pieces of network with fewer junctions are dropped before snapping"
    )
    margin_m: Number | None = Field(
        None,
        ge=0,
        description="How far beyond the boundary roads, people and facilities are read; by default the longest trip",
    )


class Terrain(Model):
    """Elevation of the ground, which makes walking uphill slower."""

    path: Path | Annotated[list[Path], Field(min_length=1)] = Field(
        description="Elevation raster (GeoTIFF, .hgt, .hgt.zip), or a list of tiles"
    )
    slope: Literal["everywhere", "where_known"] = Field(
        "everywhere",
        description="Whether roads without a known elevation stop the run, or are walked at level speed and reported",
    )
    smoothing_m: Number = Field(
        30.0, ge=0, le=500, description="Standard deviation of the Gaussian that smooths the raster's noise, in metres"
    )


class TileLayer(Model):
    """A web map service of pictures, such as Tianditu."""

    name: Text = Field(description="What the map calls it")
    url: str = Field(
        pattern=r"^https?://[\w.{}-]+(:\d+)?/[^\s\"'<>;,]+$",
        description="Address of a picture with {z}, {x} and {y}, and {s} for one of the subdomains; a key stands in it",
    )
    subdomains: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]] = Field(
        default_factory=list, description="What {s} may stand for, e.g. ['0', '1', '2']"
    )
    max_zoom: WholeNumber = Field(18, ge=1, le=22, description="The finest level that the service has")
    attribution: Text | None = Field(None, description="Printed on the map while the service is shown")

    @model_validator(mode="after")
    def _has_its_places(self) -> TileLayer:
        missing = [place for place in ("{z}", "{x}", "{y}") if place not in self.url]
        if missing:
            raise ValueError(f"the url has no {', '.join(missing)}")
        if ("{s}" in self.url) != bool(self.subdomains):
            raise ValueError("give {s} in the url and subdomains together")
        return self

    def origins(self) -> list[str]:
        """Return the servers that the pictures come from, such as ``https://t0.example.org``."""
        scheme, rest = self.url.split("://", 1)
        host = rest.split("/", 1)[0]
        return [f"{scheme}://{host.replace('{s}', name)}" for name in self.subdomains or [""]]


class Basemap(Model):
    """Layers drawn under the results; they change no figure."""

    water: Table | None = Field(None, description="Rivers and lakes (polygons or lines)")
    terrain: Path | None = Field(None, description="Elevation raster for the shaded relief")
    neighbours: Table | None = Field(None, description="Neighbouring districts: polygons with a `name` column")
    tiles: list[TileLayer] = Field(
        default_factory=list,
        description="Web map services that a reader may switch on where there is a network; none is ever needed",
    )
    approval_number: str | None = Field(
        None, min_length=1, max_length=80, description="Map approval number (审图号), printed on every map"
    )


GeopackageLayer = Literal["zones", "demand", "facilities", "service_areas", "facility_service_areas", "gaps"]


class Outputs(Model):
    """Where the result goes and what it holds."""

    folder: Column | None = Field(
        None, description="Result folder, relative to this YAML file; by default maps/<id> where the command is run"
    )
    geopackage: list[GeopackageLayer] = Field(
        default=["zones", "demand", "facilities", "service_areas", "gaps"],
        description="Layers of coverage.gpkg; without demand, one point per piece of a cell, it is many times smaller; "
        "gaps come with their remedies",
    )
    time_surface_m: Number | None = Field(
        None,
        ge=1,
        le=10_000,
        description="Cell size in metres of `time_<layer>.tif`, the travel time from everywhere; by default none",
    )
    map_states: list[Identifier] = Field(
        default_factory=list, max_length=4, description="States of the study that its map can be compared with"
    )
    pictures: list[Literal["png", "svg", "pdf"]] = Field(
        default_factory=list, description="Also write the map as a picture: map.png (A4, 300 dpi), map.svg, map.pdf"
    )
    picture_theme: str | None = Field(
        None,
        description="What the pictures show, e.g. goal:beds or coverage:stations:total; by default the first theme",
    )
    web_map_datum: ShiftedDatum | None = Field(
        None,
        description="Also write facilities and zones as GeoJSON for web maps of China: gcj02 (Amap, Tencent) or bd09 "
        "(Baidu); by default none",
    )


class StudyConfig(Model):
    """One study: where, for whom, which facilities, which goals."""

    id: Identifier = Field(description="Name of the result folder")
    title: Text
    lang: Lang = Field("zh", description="Language of maps and messages; --lang overrides it")
    date: Date = Field(description="The state of the world that the data show; goals are judged at this date")
    facilities_as_of: Date | None = Field(
        None, description="Day on which facilities must be open to count, by their opened and closed; by default `date`"
    )
    notice: Text | None = Field(None, description="A remark printed on every map, e.g. that the data are synthetic")
    attribution: Text | None = Field(None, description="Data sources and licences, printed on every map")
    crs: str | None = Field(None, description="Metric reference system for all computing; by default the UTM zone")
    boundary: Table | None = Field(None, description="Outline of the study; by default the union of the zones")
    zones: Zones = Field(description="Towns and subdistricts: columns zone_id, name, area_type (urban or rural)")
    districts: Districts | None = Field(
        None, description="Districts of the zones; without it a zone's district_id, if any, is also its district's name"
    )
    roads: Roads
    population: Population
    groups: list[Group] = Field(default_factory=list)
    area_types: AreaTypes = Field(
        default_factory=lambda: AreaTypes.model_validate({}),
        description="What makes a zone urban or rural; by default its column area_type",
    )
    profiles: Path | dict[Identifier, Profile] | None = Field(
        None, description="Profiles of your own: a YAML file or a mapping; they add to and override the built-in ones"
    )
    facilities: list[FacilityLayer] = Field(min_length=1)
    areas: list[Areas] = Field(default_factory=list, description="Areas that goals speak of, such as new estates")
    neighbours: Neighbours | None = Field(
        None, description="What lies beyond the zones, for the ledger of who serves whom across the border"
    )
    statistics: Table | None = Field(
        None, description="Figures that no map can tell: indicator, year, value, and zone_id or district_id if for one"
    )
    plan: Path | Annotated[list[Path], Field(min_length=1)] | Plan | None = Field(
        None, description="Goals to judge: a plan file, several of them, or the plan itself"
    )
    no_data: list[str] = Field(
        default_factory=list,
        description="What plans speak of and this study has no data for; their goals show no data: ids of facility "
        "layers, columns such as elder_care.quality_passed, ids of areas, groups",
    )
    changes: list[Change] = Field(
        default_factory=list, description="Planned changes to the facilities: add, close, move, enlarge"
    )
    states: list[State] = Field(
        default_factory=list, description="The study at other dates, or after changes: see `compare`"
    )
    network: NetworkOptions = Field(default_factory=NetworkOptions)
    gaps: Gaps = Field(
        default_factory=lambda: Gaps.model_validate({}),
        description="How people who are left out are gathered into gaps, and what remedies cost",
    )
    siting: list[Siting] = Field(default_factory=list, description="Questions of where to build next")
    uncertainty: Uncertainty | None = Field(
        None, description="How sure the inputs are, for the bracket of coverage; by default none is drawn"
    )
    terrain: Terrain | None = Field(None, description="Elevation; without it everybody walks at level speed")
    barriers: list[Table] = Field(
        default_factory=list,
        description="Lines or polygons that no access leg may cross: rivers, railways, walls",
    )
    basemap: Basemap = Field(default_factory=Basemap)
    outputs: Outputs = Field(default_factory=Outputs)
