"""Time surfaces as GeoTIFF, for a GIS; the same surface gives the same bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio

from facility_coverage.analysis.surfaces import Surface


def write_surface(surface: Surface, path: Path, *, layer: str) -> None:
    """Write the travel times to a facility layer as a GeoTIFF of one band, in minutes.

    Cells without a time are NaN, which the file declares as its value for no data. The band is named after `layer` and
    carries its unit, ``min``.
    """
    rows, columns = surface.seconds.shape
    with rasterio.open(
        path, "w", driver="GTiff", width=columns, height=rows, count=1, dtype="float32", nodata=np.nan,
        crs=surface.crs.to_wkt(), transform=surface.transform, compress="deflate", predictor=3, tiled=True,
        blockxsize=256, blockysize=256,
    ) as raster:  # fmt: skip
        raster.write(surface.seconds / np.float32(60.0), 1)
        raster.set_band_description(1, f"{layer}_min")
        raster.set_band_unit(1, "min")
