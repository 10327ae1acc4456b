from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

from facility_coverage.outputs import basemap


def test_level_ground_is_white_and_only_the_far_slope_is_dark() -> None:
    assert (basemap._relief(np.zeros((5, 5)), 10.0) == 255).all()
    rising_east = np.tile(np.arange(5.0) * 10, (5, 1))
    # Lit from the north-west: ground that rises to the east faces the light, ground that falls is in shade.
    assert basemap._relief(-rising_east, 10.0).max() < basemap._relief(rising_east, 10.0).min()


def test_relief_is_a_png_of_the_box_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "dem.tif"
    heights = np.add.outer(np.arange(20.0), np.arange(20.0)).astype("float32")
    grid = {"width": 20, "height": 20, "count": 1, "dtype": "float32", "crs": "EPSG:4326"}
    with rasterio.open(path, "w", driver="GTiff", transform=Affine(0.01, 0, 105, 0, -0.01, 29), **grid) as file:
        file.write(heights, 1)
    relief = basemap.shaded_relief(path, (105.0, 28.8, 105.2, 29.0))
    assert relief is not None
    assert relief["url"].startswith("data:image/png;base64,iVBOR")
    assert relief["box"] == pytest.approx([10_500_000, 2_880_000, 10_520_000, 2_900_000])
    assert basemap.shaded_relief(path, (10.0, 10.0, 10.2, 10.2)) is None
