"""GDAL, kept to the file that it is given: no other file is followed from it, and no server is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyogrio
import rasterio
from rasterio.errors import RasterioIOError

from facility_coverage.layers.unpacking import archive_faults
from facility_coverage.layers.vetting import raster_driver

OFFLINE = {
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",  # files at an address: none
    "GDAL_HTTP_PROXY": "127.0.0.1:9",  # services: by way of a port on which nobody answers
}
"""Options of GDAL under which it reaches no server, should a kind of file that names one slip through."""

_BESIDE = ":::BASE:::"
"""Before the name of an overview that lies in the raster's own folder."""


@contextmanager
def offline() -> Iterator[None]:
    """Let pyogrio's GDAL reach no server; its options are as before in the end."""
    before = {name: pyogrio.get_gdal_config_option(name) for name in OFFLINE}
    pyogrio.set_gdal_config_options(OFFLINE)
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(before)


@contextmanager
def open_raster(path: Path) -> Iterator[Any]:
    """Open a raster that holds its cells itself: GeoTIFF, .hgt, .hgt.zip, Erdas Imagine or Esri ASCII grid.

    Raises
    ------
    RasterioIOError
        If it cannot be opened, is of another kind, or names a file that lies elsewhere.
    """
    driver = raster_driver(path)
    if driver is None:
        raise RasterioIOError(f"{str(path)!r} not recognized as being in a supported file format")
    if path.suffix.lower() == ".zip":
        _check_archive(path)
    _check_beside([path.with_name(path.name + suffix) for suffix in (".ovr", ".msk", ".OVR", ".MSK")])
    with rasterio.Env(**OFFLINE), rasterio.open(path, driver=driver) as raster:
        elsewhere = raster.tags(ns="OVERVIEWS").get("OVERVIEW_FILE")
        if elsewhere is not None:
            name = elsewhere.removeprefix(_BESIDE)
            if not elsewhere.startswith(_BESIDE) or Path(name).name != name:
                raise RasterioIOError(f"names an overview elsewhere ({elsewhere[:80]!r}), which is not followed")
            _check_beside([path.with_name(name)])
        yield raster


def _check_archive(path: Path) -> None:
    try:
        faults = archive_faults(path, file=path.name)
    except Exception as error:  # whatever a damaged archive makes zipfile raise
        raise RasterioIOError(f"is no whole archive: {error}") from None
    if faults:
        raise RasterioIOError(faults[0].message)


def _check_beside(paths: list[Path]) -> None:
    """Refuse overviews and masks beside a raster that are themselves no rasters, as they may name other files."""
    for path in paths:
        if path.is_file() and raster_driver(path) is None:
            raise RasterioIOError(f"has beside it {path.name!r}, which is no raster")
