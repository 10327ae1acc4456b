"""The study: everything a user asks for in one YAML file.

The classes mirror the YAML one to one; every field's description becomes the JSON Schema's and the
reference page's. Paths are relative to the YAML file and are made absolute by `reading.load_study`.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from facility_coverage.config.number import Number, WholeNumber
from facility_coverage.config.plan import Plan
from facility_coverage.config.profile import Profile
from facility_coverage.config.text import Lang, Text

AreaType = Literal["urban", "rural"]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Column = Annotated[str, Field(min_length=1)]
Scalar = str | int | float | bool
Share = Annotated[Number, Field(ge=0, le=1)]
Minutes = Annotated[Number, Field(gt=0, le=240)]


def _one_cutoff_serves_both(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"urban": value, "rural": value}
    return value


def _both_area_types(value: dict[AreaType, float]) -> dict[AreaType, float]:
    missing = {"urban", "rural"} - set(value)
    if missing:
        raise ValueError(f"{' and '.join(sorted(missing))} is missing")
    return value


CutoffMin = Annotated[
    dict[AreaType, Minutes],
    BeforeValidator(_one_cutoff_serves_both, json_schema_input_type=Minutes | dict[AreaType, Minutes]),
    AfterValidator(_both_area_types),
]


def _written_as_a_date(value: object) -> object:
    """Refuse numbers, which would be taken for seconds since 1970."""
    if isinstance(value, dt.date) or (isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value)):
        return value
    raise PydanticCustomError("date_type", "not a date")


Date = Annotated[dt.date, BeforeValidator(_written_as_a_date, json_schema_input_type=dt.date)]


class Model(BaseModel):
    """A frozen part of a study that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Table(Model):
    """A table or vector layer on disk, and how to read it."""

    path: Path = Field(description="File, relative to this YAML file")
    layer: str | None = Field(
        None, description="Layer of a file that holds several; for spreadsheets the name of the sheet"
    )
    header_row: WholeNumber | None = Field(
        None,
        ge=1,
        description="Row of a sheet, or line of a text table, that names the columns, from 1; by default it is found",
    )
    encoding: str | None = Field(
        None, description="Encoding of a text table or shapefile, e.g. gb18030; by default it is found"
    )
    crs: str | None = Field(
        None,
        description="Reference system of a file that carries none, e.g. EPSG:4326; CSV tables need it for lon/lat",
    )
    columns: dict[Column, Column] = Field(
        default_factory=dict, description="Columns of the file under the names used here: {file's name: our name}"
    )
    values: dict[Column, dict[str, str]] = Field(
        default_factory=dict,
        description="Categories under the words used here: {column: {file's value: our value}}, e.g. of area_type",
    )
    constants: dict[Column, Scalar] = Field(
        default_factory=dict, description="Columns that the file lacks and that have one value in every row"
    )
    where: dict[Column, Scalar | list[Scalar]] = Field(
        default_factory=dict,
        description="Keep only rows whose column has this value or one of these; on OSM files: tags",
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


class RasterPopulation(Model):
    """People per cell of a raster, such as WorldPop's counts."""

    kind: Literal["raster"]
    path: Path = Field(description="GeoTIFF with people per cell")
    year: WholeNumber | None = Field(None, description="Year the figures stand for")
    source: Text | None = Field(None, description="Shown on the map")


class PointPopulation(Table):
    """People at points, such as grid-cell or building centroids."""

    kind: Literal["points"]
    year: WholeNumber | None = Field(None, description="Year the figures stand for")
    source: Text | None = Field(None, description="Shown on the map")


Population = Annotated[RasterPopulation | PointPopulation, Field(discriminator="kind")]


class Group(Model):
    """People of one kind, e.g. those over 65: a share of everybody, or counted on their own."""

    id: Identifier = Field(description="Name in tables and goals; `total` is everybody and always there")
    name: Text
    share: Share | dict[AreaType, Share] | None = Field(None, description="Share of everybody, also per area type")
    zone_column: Column | None = Field(None, description="Column of the zones that holds the share")
    column: Column | None = Field(None, description="Column of a point population that holds the count")
    path: Path | None = Field(None, description="Raster of its own with the count per cell, on the same grid")

    @model_validator(mode="after")
    def _one_way_to_count(self) -> Group:
        given = [k for k in ("share", "zone_column", "column", "path") if getattr(self, k) is not None]
        if len(given) != 1:
            found = "none" if not given else ", ".join(given)
            raise ValueError(f"give exactly one of share, zone_column, column, path (found: {found})")
        if isinstance(self.share, dict) and len(self.share) < 2:
            raise ValueError("a share per area type needs both urban and rural")
        return self


class Tier(Model):
    """One level of a hierarchy of facilities."""

    id: Identifier = Field(description="Value in the layer's `tier` column")
    name: Text


class FacilityLayer(Table):
    """Facilities of one kind, who goes there and how long they may take."""

    id: Identifier
    name: Text
    kind: Identifier = Field(description="What the facilities are, e.g. elder_care, childcare, clinic, hospital")
    tiers: list[Tier] = Field(
        default_factory=list, description="Levels of the hierarchy, highest first; then a `tier` column is needed"
    )
    capacity: list[Column] = Field(default_factory=list, description="Columns that count beds, slots, seats …")
    profile: str = Field(description="Who travels: the name of a profile")
    cutoff_min: CutoffMin = Field(
        description="Longest acceptable travel time in minutes; one number, or one per area type of the person's zone"
    )
    facilities_from: Literal["anywhere", "own_zones_only"] = Field(
        "anywhere", description="Whether facilities beyond the study's zones serve its people"
    )
    group: Identifier = Field("total", description="The people this layer is for; the map shows their coverage first")


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


class Basemap(Model):
    """Layers drawn under the results; they change no figure."""

    water: Table | None = Field(None, description="Rivers and lakes (polygons or lines)")
    terrain: Path | None = Field(None, description="Elevation raster for the shaded relief")
    neighbours: Table | None = Field(None, description="Neighbouring districts: polygons with a `name` column")


GeopackageLayer = Literal["zones", "demand", "facilities", "service_areas", "facility_service_areas"]


class Outputs(Model):
    """Where the result goes and what it holds."""

    folder: Column | None = Field(
        None, description="Result folder, relative to this YAML file; by default maps/<id> where the command is run"
    )
    geopackage: list[GeopackageLayer] = Field(
        default=["zones", "demand", "facilities", "service_areas"],
        description="Layers of coverage.gpkg; without demand, one point per piece of a cell, it is many times smaller",
    )
    time_surface_m: Number | None = Field(
        None,
        ge=1,
        le=10_000,
        description="Cell size in metres of `time_<layer>.tif`, the travel time from everywhere; by default none",
    )


class StudyConfig(Model):
    """One study: where, for whom, which facilities, which goals."""

    id: Identifier = Field(description="Name of the result folder")
    title: Text
    lang: Lang = Field("zh", description="Language of maps and messages; --lang overrides it")
    date: Date = Field(description="The state of the world that the data show; goals are judged at this date")
    notice: Text | None = Field(None, description="A remark printed on every map, e.g. that the data are synthetic")
    attribution: Text | None = Field(None, description="Data sources and licences, printed on every map")
    crs: str | None = Field(None, description="Metric reference system for all computing; by default the UTM zone")
    boundary: Table | None = Field(None, description="Outline of the study; by default the union of the zones")
    zones: Table = Field(description="Towns and subdistricts: columns zone_id, name, area_type (urban or rural)")
    roads: Roads
    population: Population
    groups: list[Group] = Field(default_factory=list)
    profiles: Path | dict[Identifier, Profile] | None = Field(
        None, description="Profiles of your own: a YAML file or a mapping; they add to and override the built-in ones"
    )
    facilities: list[FacilityLayer] = Field(min_length=1)
    plan: Path | Plan | None = Field(None, description="Goals to judge: a plan file, or the plan itself")
    network: NetworkOptions = Field(default_factory=NetworkOptions)
    terrain: Terrain | None = Field(None, description="Elevation; without it everybody walks at level speed")
    barriers: list[Table] = Field(
        default_factory=list,
        description="Lines or polygons that no access leg may cross: rivers, railways, walls",
    )
    basemap: Basemap = Field(default_factory=Basemap)
    outputs: Outputs = Field(default_factory=Outputs)
