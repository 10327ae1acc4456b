"""Tables and vector layers as a study names them, and the words that its models share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from facility_coverage.config.number import Number, WholeNumber

AreaType = Literal["urban", "rural"]
ShiftedDatum = Literal["gcj02", "bd09"]
Datum = Literal["wgs84", "cgcs2000", "gcj02", "bd09"]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Column = Annotated[str, Field(min_length=1)]
Scalar = str | int | float | bool
OSM_SUFFIXES = (".pbf", ".osm", ".osm.gz", ".osm.bz2")
Share = Annotated[Number, Field(ge=0, le=1)]


class Model(BaseModel):
    """A frozen part of a study that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TableKeys(Model):
    """What the entry of any table may say."""

    path: Path | None = Field(None, description="File, relative to this YAML file")
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
        description="Reference system of a file that carries none, e.g. EPSG:4544; tables need it for x/y in metres",
    )
    datum: Datum | None = Field(
        None,
        description="What longitudes and latitudes mean: wgs84 (GPS, OpenStreetMap), cgcs2000 (surveys), gcj02 (Amap, "
        "Tencent) or bd09 (Baidu); tables with lon/lat need it, of other files it overrides what a web map wrote there",
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

    @model_validator(mode="after")
    def _datum_fits(self) -> Self:
        if self.datum in get_args(ShiftedDatum) and self.crs is not None:
            raise ValueError(f"datum {self.datum} is in degrees and has no crs: remove one of them")
        if self.datum not in {None, "wgs84"} and self.path is not None and self.path.name.endswith(OSM_SUFFIXES):
            raise ValueError(f"OpenStreetMap files are in wgs84, not in {self.datum}: remove datum")
        return self


class Table(TableKeys):
    """A table or vector layer on disk, and how to read it."""

    path: Path = Field(description="File, relative to this YAML file")
