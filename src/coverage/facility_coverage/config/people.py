"""The people of a study: where they are counted, which of them, and the totals they must meet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from facility_coverage.config.number import Number, WholeNumber
from facility_coverage.config.table import AreaType, Column, Identifier, Model, Share, Table
from facility_coverage.config.text import Text

Unit = Literal["count", "per_km2", "per_ha"]


class Controls(Table):
    """Control totals: a table with zone_id and the people of each zone, in a column `total` or one named as a group."""

    study_row: str | None = Field(
        None, description="The zone_id of the row that counts the whole study, e.g. 合计; without it no row does"
    )
    disjoint: list[Identifier] = Field(
        default_factory=list,
        description="Groups of which nobody is in two, e.g. ages 0–14, 15–59 and 60+: they and the others sum to total",
    )


class RasterPopulation(Model):
    """People per cell of a raster, such as WorldPop's counts."""

    kind: Literal["raster"]
    path: Path = Field(description="GeoTIFF with people per cell")
    unit: Unit = Field("count", description="What a cell holds: people, or people per square kilometre or hectare")
    band: WholeNumber | None = Field(None, ge=1, description="Band of the people, from 1; files of one band need none")
    nodata: Number | None = Field(
        None, description="Stored value that means no data, where the file does not say so, e.g. -9999 or -200"
    )
    year: WholeNumber | None = Field(None, description="Year the figures stand for")
    source: Text | None = Field(None, description="Shown on the map")
    controls: Controls | None = Field(None, description="Control totals that people are rescaled to")


class PointPopulation(Table):
    """People at points, such as grid-cell or building centroids."""

    kind: Literal["points"]
    year: WholeNumber | None = Field(None, description="Year the figures stand for")
    source: Text | None = Field(None, description="Shown on the map")
    controls: Controls | None = Field(None, description="Control totals that people are rescaled to")


class PolygonPopulation(Table):
    """People per polygon, such as census tracts or the cells of a statistical grid."""

    kind: Literal["polygons"]
    cell_m: Number = Field(
        100.0, ge=10, le=10_000, description="Spacing of the demand points laid into each polygon, in metres"
    )
    year: WholeNumber | None = Field(None, description="Year the figures stand for")
    source: Text | None = Field(None, description="Shown on the map")
    controls: Controls | None = Field(None, description="Control totals that people are rescaled to")


Population = Annotated[RasterPopulation | PointPopulation | PolygonPopulation, Field(discriminator="kind")]

_WAYS = ("share", "zone_column", "column", "path", "table")


class Group(Model):
    """People of one kind, e.g. those over 65: a share of everybody, or counted on their own."""

    id: Identifier = Field(description="Name in tables and goals; `total` is everybody and always there")
    name: Text
    share: Share | dict[AreaType, Share] | None = Field(None, description="Share of everybody, also per area type")
    zone_column: Column | None = Field(None, description="Column of the zones that holds the share")
    column: Column | None = Field(None, description="Column of a point or polygon population that holds the count")
    path: Path | Annotated[list[Path], Field(min_length=1)] | None = Field(
        None, description="Raster of its own on the same grid, or a list of rasters that are summed, e.g. by age"
    )
    table: Table | None = Field(None, description="Table with zone_id and share: the group's share of each zone")
    unit: Unit = Field("count", description="Of `path`: what a cell holds")
    band: WholeNumber | None = Field(None, ge=1, description="Of `path`: band of the group, from 1")
    nodata: Number | None = Field(None, description="Of `path`: stored value that means no data")

    @model_validator(mode="after")
    def _one_way_to_count(self) -> Group:
        given = [k for k in _WAYS if getattr(self, k) is not None]
        if len(given) != 1:
            found = "none" if not given else ", ".join(given)
            raise ValueError(f"give exactly one of {', '.join(_WAYS)} (found: {found})")
        if isinstance(self.share, dict) and len(self.share) < 2:
            raise ValueError("a share per area type needs both urban and rural")
        stray = [k for k in ("unit", "band", "nodata") if k in self.model_fields_set]
        if stray and self.path is None:
            raise ValueError(f"{', '.join(stray)} can only stand beside path")
        return self

    def paths(self) -> tuple[Path, ...]:
        """Return the group's rasters."""
        if self.path is None:
            return ()
        return tuple(self.path) if isinstance(self.path, list) else (self.path,)


class AreaTypes(Model):
    """What makes a zone urban or rural: its column, a raster of settlement classes, or the density of its people."""

    # The passport writes the study's parameters with the keys of the YAML.
    model_config = ConfigDict(serialize_by_alias=True)

    origin: Literal["column", "raster", "density"] = Field(
        "column",
        alias="from",
        description="`column`: area_type of the zones; `raster`: classes of `path`; `density`: Degree of Urbanisation",
    )
    path: Path | None = Field(None, description="Raster of classes, such as GHS-SMOD; only with `from: raster`")
    urban: list[WholeNumber] = Field(
        default_factory=list, description="Classes of the raster that are urban, e.g. 21, 22, 23 and 30 of GHS-SMOD"
    )

    @model_validator(mode="after")
    def _raster_has_classes(self) -> AreaTypes:
        given = [k for k, there in (("path", self.path is not None), ("urban", bool(self.urban))) if there]
        if self.origin == "raster" and len(given) < 2:
            raise ValueError("from: raster needs path and urban")
        if self.origin != "raster" and given:
            raise ValueError(f"from: {self.origin} takes no {' and no '.join(given)}")
        return self
