"""Polygons of people are divided by area, laid out inside themselves, and nobody is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from facility_coverage.config.study import Group, PolygonPopulation
from facility_coverage.errors import LayerError
from facility_coverage.layers.boundaries import study_box
from facility_coverage.layers.counted import Area
from facility_coverage.layers.people_polygons import cut, lay_points
from facility_coverage.layers.population import People, read_population

UTM = "EPSG:32648"
EAST, NORTH = 500_000.0, 3_000_000.0
OLD = Group.model_validate({"id": "old", "name": "old", "column": "old"})


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    return shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)


def area_of(shapes: list[shapely.Geometry], *, margin_m: float = 500.0) -> Area:
    ids = [f"z{number}" for number in range(len(shapes))]
    frame = {"zone_id": ids, "name": ids, "area_type": ["urban", "rural", "rural", "rural"][: len(shapes)]}
    zones = gpd.GeoDataFrame(frame, geometry=shapes, crs=UTM)
    return Area(zones, "zones", zones.union_all(), study_box(shapely.box(*zones.total_bounds), margin_m))


TWO = area_of([box(0, 0, 1000, 1000), box(1000, 0, 2000, 1000)])


def read(folder: Path, frame: gpd.GeoDataFrame, area: Area = TWO, groups: Any = (), **options: Any) -> People:
    path = folder / "tracts.parquet"
    frame.to_parquet(path)
    return read_population(PolygonPopulation(kind="polygons", path=path, **options), groups, area)


def tracts(shapes: list[shapely.Geometry], **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=UTM)


def test_by_hand(tmp_path: Path) -> None:
    # Of 1,200 people on 600 m × 200 m, a third lives in each zone's half and the rest beyond the north of the zones.
    shapes = [box(700, 900, 1300, 1100), box(1400, 100, 1430, 130), box(5000, 5000, 5200, 5100)]
    people = read(tmp_path, tracts(shapes, total=[1200, 9, 50], old=[120, 3, 1]), groups=[OLD])
    points = people.demand.points
    # Grid centres lie at 50, 150, … in both directions: three per half, six beyond; none in the small one.
    first = points[points["cell_id"] == 0]
    assert first["zone_id"].tolist() == [None] * 6 + ["z0"] * 3 + ["z1"] * 3
    assert sorted(set(first["x_m"] - EAST)) == [750, 850, 950, 1050, 1150, 1250]
    assert set(first.loc[first["zone_id"].notna(), "y_m"] - NORTH) == {950.0}
    np.testing.assert_allclose(first["total"], 100, rtol=1e-14)
    np.testing.assert_allclose(first["old"], 10, rtol=1e-14)
    (small,) = points[points["cell_id"] == 1].itertuples()
    assert shapes[1].contains(shapely.Point(small.x_m, small.y_m))
    assert (small.total, small.old, small.zone_id) == (9, 3, "z1")
    ledger = people.demand.ledger.set_index("group")
    np.testing.assert_allclose(ledger.loc["total"].to_numpy(float), [1259, 0, 609, 600, 50], rtol=1e-14)
    np.testing.assert_allclose(ledger.loc["old"].to_numpy(float), [124, 0, 63, 60, 1], rtol=1e-14)
    assert (people.rows_read, people.rows_kept) == (3, 2)
    assert points["demand_id"].is_unique
    assert points["demand_id"].is_monotonic_increasing


def test_a_large_tract_does_not_sit_at_one_point(tmp_path: Path) -> None:
    people = read(tmp_path, tracts([box(0, 0, 1000, 1000)], total=[1000]), cell_m=50)
    points = people.demand.points
    assert len(points) == 400
    assert (points["total"] == 2.5).all()
    assert points["x_m"].mean() == EAST + 500
    assert set(np.diff(np.sort(points["x_m"].unique()))) == {50.0}


def test_points_stay_inside_a_piece_that_is_not_convex() -> None:
    ring = (
        shapely.Point(EAST + 430, NORTH + 470)
        .buffer(400)
        .difference(shapely.Point(EAST + 430, NORTH + 470).buffer(330))
    )
    piece, xy = lay_points(np.array([ring], dtype=object), 100.0)
    assert (piece == 0).all()
    assert shapely.intersects_xy(ring, xy).all()
    assert len(xy) > 5


@st.composite
def worlds(draw: st.DrawFn) -> tuple[gpd.GeoDataFrame, Area]:
    """Tracts of a crooked lattice over zones cut another way."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    across, down = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    x = np.linspace(-800, 2800, across + 1)[:, None] + rng.uniform(-150, 150, (across + 1, down + 1))
    y = np.linspace(-800, 1800, down + 1)[None, :] + rng.uniform(-150, 150, (across + 1, down + 1))
    corners = [(0, 0), (1, 0), (1, 1), (0, 1)]
    shapes = [
        shapely.Polygon([(EAST + x[i + a, j + b], NORTH + y[i + a, j + b]) for a, b in corners])
        for i in range(across)
        for j in range(down)
    ]
    shapes = [shape for shape in shapes if shape.is_valid and shape.area > 1]
    total = rng.uniform(0, 5000, len(shapes)) * rng.integers(0, 2, len(shapes))
    total[0] = 100.0
    split = draw(st.floats(100, 1900))
    zones = [box(0, 0, split, 1000), box(split, 0, 2000, 1000)]
    frame = tracts(shapes, total=total, old=total * rng.uniform(0, 1, len(shapes)))
    return frame, area_of(zones, margin_m=draw(st.floats(0, 900)))


@settings(max_examples=40)
@given(world=worlds(), cell_m=st.sampled_from([60.0, 100.0, 900.0]))
def test_nobody_is_lost_and_shares_are_areas(
    tmp_path_factory: Any, world: tuple[gpd.GeoDataFrame, Area], cell_m: float
) -> None:
    frame, area = world
    if not frame.intersects(area.box).any():
        return
    people = read(tmp_path_factory.mktemp("tracts"), frame, area, [OLD], cell_m=cell_m)
    ledger = people.demand.ledger.set_index("group")
    for name in ("total", "old"):
        row = ledger.loc[name]
        assert row["read"] == pytest.approx(frame[name].sum(), rel=1e-9)
        assert row[["in_zones", "beyond_zones", "beyond_margin"]].sum() == pytest.approx(frame[name].sum(), rel=1e-9)
        assert people.demand.points[name].sum() + row["beyond_margin"] == pytest.approx(frame[name].sum(), rel=1e-9)
        # Another way to divide: geopandas' overlay.
        density = frame.assign(density=frame[name] / frame.area)
        parts = gpd.overlay(density, area.zones[["zone_id", "geometry"]], how="intersection", keep_geom_type=True)
        oracle = (parts["density"] * parts.area).groupby(parts["zone_id"]).sum()
        found = people.demand.points.groupby("zone_id")[name].sum()
        both = pd.concat([oracle, found], axis=1).fillna(0.0)
        np.testing.assert_allclose(both.iloc[:, 0], both.iloc[:, 1], rtol=1e-9, atol=2e-6 * frame[name].sum())
    points = people.demand.points
    place = shapely.points(points[["x_m", "y_m"]].to_numpy())
    assert (shapely.distance(place, frame.geometry.to_numpy()[points["cell_id"]]) < 1e-6).all()
    zones = area.zones.set_index("zone_id").geometry
    inside = points["zone_id"].notna().to_numpy()
    assert (shapely.distance(place[inside], zones[points.loc[inside, "zone_id"]].to_numpy()) < 1e-6).all()
    assert (shapely.distance(place, area.box) < 1e-6).all()


@settings(max_examples=15)
@given(world=worlds(), data=st.data())
def test_the_order_of_polygons_and_zones_does_not_matter(
    tmp_path_factory: Any, world: tuple[gpd.GeoDataFrame, Area], data: st.DataObject
) -> None:
    frame, area = world
    if not frame.intersects(area.box).any():
        return
    folder = tmp_path_factory.mktemp("tracts")
    columns = ["zone_id", "x_m", "y_m", "total", "old"]

    def sorted_points(rows: gpd.GeoDataFrame, place: Area) -> pd.DataFrame:
        points = read(folder, rows, place, [OLD]).demand.points[columns]
        return points.sort_values(columns, ignore_index=True)

    before = sorted_points(frame, area)
    order = data.draw(st.permutations(range(len(frame))))
    turned = Area(area.zones.iloc[::-1].reset_index(drop=True), area.zones_file, area.boundary, area.box)
    after = sorted_points(frame.iloc[list(order)].reset_index(drop=True), turned)
    pd.testing.assert_frame_equal(before, after, rtol=1e-12)


def test_cut_keeps_trifles_with_the_zone_that_has_the_rest() -> None:
    shapes = np.array([box(0, 0, 1000, 1000)], dtype=object)
    zones = np.array([box(-1, -1, 1000 - 1e-5, 1001), box(1000 - 1e-5, 0, 2000, 1000)], dtype=object)
    pieces = cut(shapes, zones, box(-500, -500, 3000, 3000))
    assert pieces.of.zone.tolist() == [0]
    assert pieces.of.share.tolist() == [1.0]


BAD = [
    ([box(0, 0, 10, 10)], {"total": [-1]}, {}, "'total': -1 is negative"),
    ([box(0, 0, 10, 10)], {"total": ["viele"]}, {}, "'viele' is not a number"),
    ([box(0, 0, 10, 10)], {"total": [None]}, {}, "is empty"),
    ([box(0, 0, 10, 10)], {"people": [1]}, {}, "column 'total' is missing"),
    ([box(90_000, 0, 90_010, 10)], {"total": [1]}, {}, "none of the 1 polygons"),
    ([shapely.Point(EAST, NORTH)], {"total": [1]}, {}, "geometry is Point"),
    ([shapely.Polygon([(0, 0), (9, 9), (9, 0), (0, 9)])], {"total": [1]}, {}, "row 1: the polygon is invalid"),
    ([box(0, 0, 10, 10), box(0, 0, 900, 900)], {"total": [1, 5]}, {}, "row 2: lies over row 1 by 100 m²"),
    ([box(-499, -499, 2400, 1400)] * 1, {"total": [1]}, {"cell_m": 10}, "choose a larger `cell_m:`"),
]  # fmt: skip


@pytest.mark.parametrize(("shapes", "columns", "options", "said"), BAD, ids=[row[3] for row in BAD])
def test_bad_polygons(
    tmp_path: Path, monkeypatch: Any, shapes: list[Any], columns: dict[str, Any], options: Any, said: str
) -> None:
    monkeypatch.setattr("facility_coverage.layers.people_polygons.MOST_POINTS", 1000)
    with pytest.raises(LayerError, match=said):
        read(tmp_path, tracts(shapes, **columns), **options)


def test_a_polygon_population_takes_no_raster(tmp_path: Path) -> None:
    group = Group.model_validate({"id": "old", "name": "old", "path": tmp_path / "old.tif"})
    with pytest.raises(LayerError, match="group 'old' names a raster, but the population is polygons"):
        read(tmp_path, tracts([box(0, 0, 10, 10)], total=[1]), groups=[group])


def test_polygons_on_the_other_side_of_the_earth(tmp_path: Path) -> None:
    shapes = [shapely.box(105.0, 27.1, 105.001, 27.101), shapely.box(-165.0, 0.0, -164.9, 0.1)]
    frame = gpd.GeoDataFrame({"total": [5, 7]}, geometry=shapes, crs=4326)
    with pytest.raises(LayerError, match="row 2: lies outside what WGS 84 / UTM zone 48N can show"):
        read(tmp_path, frame)


def test_a_polygon_bent_by_projecting_keeps_its_people(tmp_path: Path) -> None:
    # Its lower side follows a parallel, which is curved in metres: the notch then reaches a few centimetres below it.
    corners = [(105, 27.12), (105.02, 27.12), (105.02, 27.14), (105.01, 27.12 + 1e-8), (105, 27.14)]
    frame = gpd.GeoDataFrame({"total": [5.0]}, geometry=[shapely.Polygon(corners)], crs=4326)
    assert frame.is_valid.all()
    assert not frame.to_crs(UTM).is_valid.all()
    found = read(tmp_path, frame).demand.ledger.set_index("group").loc["total"]
    assert found["read"] == pytest.approx(5, rel=1e-9)
