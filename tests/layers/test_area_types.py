"""Zones are urban or rural by where their people live."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from hypothesis import given
from hypothesis import strategies as st

from facility_coverage.config.people import AreaTypes
from facility_coverage.errors import LayerError
from facility_coverage.layers.area_types import classes_at, settled, type_zones

UTM = "EPSG:32648"
EAST, NORTH = 500_000.0, 3_000_000.0
ZONES = gpd.GeoDataFrame(
    {"zone_id": ["a", "b"], "name": ["a", "b"], "area_type": ["", ""]},
    geometry=[shapely.box(EAST + east, NORTH, EAST + east + 4000, NORTH + 4000) for east in (0, 4000)],
    crs=UTM,
)  # fmt: skip
DENSITY = AreaTypes.model_validate({"from": "density"})


def points(cells: list[tuple[int, int, float, str | None]]) -> pd.DataFrame:
    """People at the centres of cells of 1 km: column, row (from the south-west), people, zone."""
    column, row, people, zone = zip(*cells, strict=True)
    x, y = EAST + 1000 * np.array(column) + 500, NORTH + 1000 * np.array(row) + 500
    return pd.DataFrame(
        {"zone_id": pd.Series(zone, dtype="object"), "x_m": x, "y_m": y, "total": np.array(people, float)}
    )


def classes(folder: Path, grid: list[list[int]], *, crs: Any = UTM) -> AreaTypes:
    """Classes of 1 km; the grid's first row is the northernmost."""
    path = folder / "smod.tif"
    band = np.array(grid, dtype="int16")
    transform = rasterio.Affine(1000, 0, EAST, 0, -1000, NORTH + 1000 * band.shape[0])
    profile = {"driver": "GTiff", "height": band.shape[0], "width": band.shape[1], "count": 1, "dtype": "int16"}
    with rasterio.open(path, "w", **profile, crs=crs, transform=transform, nodata=-200) as out:
        out.write(band, 1)
    return AreaTypes.model_validate({"from": "raster", "path": path, "urban": [21, 22, 23, 30]})


def test_a_zone_is_what_most_of_its_people_are(tmp_path: Path) -> None:
    choice = classes(tmp_path, [[30, 11, 11, 11, 13, 21, -200, 11]])
    people = points([(0, 0, 600, "a"), (1, 0, 400, "a"), (4, 0, 60, "b"), (5, 0, 40, "b"), (6, 0, 50, "b")])
    zones, table = type_zones(choice, people, ZONES)
    assert zones["area_type"].tolist() == ["urban", "rural"]
    assert ZONES["area_type"].tolist() == ["", ""]
    assert table["urban_share"].tolist() == [0.6, 0.4]
    assert table["known_share"].tolist() == pytest.approx([1, 100 / 150])
    assert table["centre_share"].isna().all()


def test_half_is_urban(tmp_path: Path) -> None:
    choice = classes(tmp_path, [[30, 11, 11, 11, 30, 11]])
    zones, _ = type_zones(choice, points([(0, 0, 5, "a"), (1, 0, 5, "a"), (4, 0, 5, "b"), (5, 0, 5.1, "b")]), ZONES)
    assert zones["area_type"].tolist() == ["urban", "rural"]


def test_classes_in_another_reference_system(tmp_path: Path) -> None:
    # GHS-SMOD comes in Mollweide; a raster there is asked at the points' places.
    path = tmp_path / "smod.tif"
    x, y = gpd.GeoSeries([shapely.Point(EAST + 500, NORTH + 500)], crs=UTM).to_crs("ESRI:54009").iloc[0].coords[0]
    band = np.full((3, 3), 11, dtype="int16")
    band[1, 1] = 30
    transform = rasterio.Affine(1000, 0, x - 1500, 0, -1000, y + 1500)
    profile = {"driver": "GTiff", "height": 3, "width": 3, "count": 1, "dtype": "int16"}
    with rasterio.open(path, "w", **profile, crs="ESRI:54009", transform=transform) as out:
        out.write(band, 1)
    choice = AreaTypes.model_validate({"from": "raster", "path": path, "urban": [30]})
    at = np.array([[EAST + 500, NORTH + 500], [EAST + 1600, NORTH + 500], [EAST + 90_000, NORTH]])
    np.testing.assert_array_equal(classes_at(choice, at, ZONES.crs), [1, 0, np.nan])


def test_density_by_hand() -> None:
    # 34 cells of 1,500 that share sides are a centre of 51,000. Four cells of 1,300 that meet at corners are a cluster
    # of 5,200; four of 1,200 are only 4,800 people. All else is rural, however dense.
    centre = [(c, r, 1500.0, "a") for c in range(17) for r in range(2)]
    chain = [(30 + k, 30 + k, 1300.0, "b") for k in range(4)]
    small = [(60 + k, 60, 1200.0, "b") for k in range(4)]
    people = points([*centre, *chain, *small, (90, 90, 4999.0, None)])
    in_centre, in_cluster = settled(people[["x_m", "y_m"]].to_numpy(), people["total"].to_numpy())
    assert in_centre.tolist() == [True] * 34 + [False] * 9
    assert in_cluster.tolist() == [True] * 38 + [False] * 5
    zones, table = type_zones(DENSITY, people, ZONES)
    assert zones["area_type"].tolist() == ["urban", "urban"]
    assert table["centre_share"].tolist() == [1, 0]
    assert table["urban_share"].tolist() == pytest.approx([1, 5200 / 10_000])


@pytest.mark.parametrize(("people", "urban"), [(300.0, True), (299.9, False)])
def test_the_cut_offs_are_inclusive(people: float, *, urban: bool) -> None:
    cells = points([(c, 0, people, "a") for c in range(17)])
    _, cluster = settled(cells[["x_m", "y_m"]].to_numpy(), cells["total"].to_numpy())
    assert cluster.all() == urban
    few = points([(0, 0, 5000.0 if urban else 4999.0, "a")])
    assert settled(few[["x_m", "y_m"]].to_numpy(), few["total"].to_numpy())[1].tolist() == [urban]


@given(data=st.data())
def test_clusters_are_connected_components(data: st.DataObject) -> None:
    # NetworkX knows the cells as a graph.
    size = data.draw(st.integers(1, 7))
    draw = st.sampled_from([0.0, 250.0, 300.0, 900.0, 1499.0, 1500.0, 12_000.0])
    grid = np.array(data.draw(st.lists(draw, min_size=size * size, max_size=size * size))).reshape(size, size)
    cells = points([(c, r, grid[c, r], "a") for c in range(size) for r in range(size)])
    order = data.draw(st.permutations(range(size * size)))
    found = settled(cells[["x_m", "y_m"]].to_numpy()[list(order)], cells["total"].to_numpy()[list(order)])
    for mask, dense, least, reach in ((found[0], 1500, 50_000, 1.0), (found[1], 300, 5000, 1.5)):
        graph = nx.Graph()
        graph.add_nodes_from(zip(*np.nonzero(grid >= dense), strict=True))
        pairs = [(u, v) for u in graph for v in graph if 0 < np.hypot(u[0] - v[0], u[1] - v[1]) <= reach]
        graph.add_edges_from(pairs)
        large = [part for part in nx.connected_components(graph) if sum(grid[cell] for cell in part) >= least]
        oracle = np.zeros((size, size), dtype=bool)
        for cell in (cell for part in large for cell in part):
            oracle[cell] = True
        assert mask.tolist() == oracle.ravel()[list(order)].tolist()


def test_faults(tmp_path: Path) -> None:
    only_a = points([(0, 0, 5, "a")])
    with pytest.raises(LayerError, match="nobody lives in zone 'b': its people give no area type"):
        type_zones(DENSITY, only_a, ZONES)
    some = points([(0, 0, 5, "a"), (4, 0, 4, "b"), (5, 0, 6, "b")])
    with pytest.raises(LayerError, match="only 40% of the people of zone 'b' have a class"):
        type_zones(classes(tmp_path, [[30, 11, 11, 11, 30]]), some, ZONES)
    choice = classes(tmp_path, [[30]], crs=None)
    assert choice.path is not None
    with pytest.raises(LayerError, match="has no reference system"):
        type_zones(choice, some, ZONES)
    choice.path.write_bytes(b"no raster")
    with pytest.raises(LayerError, match="cannot be read"):
        type_zones(choice, some, ZONES)
    choice.path.unlink()
    with pytest.raises(LayerError, match="no such file"):
        type_zones(choice, some, ZONES)
