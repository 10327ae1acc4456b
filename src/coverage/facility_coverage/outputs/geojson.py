"""GeoJSON in WGS 84, one feature a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

DIGITS = 7
"""Decimals of a degree: as precise as OpenStreetMap, about 1 cm."""

_INERT = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
"""Written otherwise, so that the text may stand inside a page's script; it reads the same."""


def write_geojson(frame: gpd.GeoDataFrame, file: Path) -> None:
    """Write a frame in longitude and latitude; missing values become null.

    Parameters
    ----------
    frame
        In WGS 84; the other columns hold strings, integers or missing values.
    file
        Where to.
    """
    shapes = shapely.transform(frame.geometry.to_numpy(), lambda xy: np.round(xy, DIGITS))
    columns = [name for name in frame.columns if name != frame.geometry.name]
    rows = frame[columns].astype(object).where(frame[columns].notna(), None)
    lines = [
        json.dumps(
            {
                "type": "Feature",
                "properties": dict(zip(columns, row, strict=True)),
                "geometry": shapely.geometry.mapping(shape),
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )
        for row, shape in zip(rows.itertuples(index=False, name=None), shapes, strict=True)
    ]
    text = '{"type":"FeatureCollection","features":[\n' + ",\n".join(lines) + "\n]}\n"
    file.write_text(text.translate(_INERT), encoding="utf-8", newline="\n")
