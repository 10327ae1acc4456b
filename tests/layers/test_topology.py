"""How zones fit together, on worlds drawn by hand and on thousands made up."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from shapely import box

from facility_coverage.errors import LayerError
from facility_coverage.layers import topology
from facility_coverage.layers.boundaries import PlacedZones, place_zones
from facility_coverage.layers.contracts import SourceTable

CRS = 32648


def zones(shapes: list[shapely.Geometry], ids: list[str] | None = None) -> gpd.GeoDataFrame:
    ids = ids or [chr(ord("a") + i) for i in range(len(shapes))]
    return gpd.GeoDataFrame({"zone_id": ids, "name": ids, "area_type": "rural"}, geometry=shapes, crs=CRS)


def placed(shapes: list[shapely.Geometry], *, repair: bool = True, width_m: float = 5.0) -> PlacedZones:
    frame = zones(shapes)
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    source = SourceTable(frame, "zones.gpkg", len(frame))
    return place_zones(source, frame.crs, sliver_width_m=width_m, repair=repair)


def faults(shapes: list[shapely.Geometry], **options: object) -> list[str]:
    with pytest.raises(LayerError) as error:
        placed(shapes, **options)
    return [str(fault) for fault in error.value.faults]


def rows(table: pd.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    return list(table[list(columns)].round(3).itertuples(index=False, name=None))


def test_zones_that_fit_are_silent_and_stay_as_they_are() -> None:
    shapes = [box(0, 0, 100, 100), box(100, 0, 200, 100), box(0, 100, 200, 150)]
    for repair in (False, True):
        found = placed(shapes, repair=repair)
        assert found.topology.empty
        assert found.repairs.empty
        assert shapely.equals(found.frame.geometry.to_numpy(), np.array(shapes, dtype=object)).all()


def test_an_overlap_has_area_width_and_both_zones() -> None:
    # 2 m × 100 m shared; a third zone overlaps nobody.
    found = topology.misfits(
        zones([box(0, 0, 100, 100), box(98, 0, 200, 100), box(300, 0, 400, 9)]), sliver_width_m=5, repair=False
    )
    assert rows(found, "kind", "zones", "area_m2", "width_m", "repaired") == [("overlap", "a, b", 200.0, 2.0, False)]


def test_a_gap_names_its_neighbours_and_a_lake_its_only_one() -> None:
    west = box(0, 0, 100, 100) - box(97, 40, 100, 80)  # a gap of 3 × 40 m between both
    east = box(100, 0, 200, 100) - box(150, 50, 170, 60)  # a lake of 20 × 10 m inside one
    found = placed([west, east], repair=False)
    assert rows(found.topology, "kind", "zones", "area_m2", "width_m") == [
        ("gap", "a, b", 120.0, 3.0),
        ("gap", "b", 200.0, 10.0),
    ]
    assert found.topology["repaired"].tolist() == [False, False]


def test_ground_between_zones_that_touch_in_two_points_is_enclosed() -> None:
    square = shapely.Polygon([(0, 0), (100, 0), (100, 100), (0, 100)])
    bent = shapely.Polygon([(0, 0), (0, 100), (100, 100), (50, 150), (-50, 150), (-50, 0)])
    away = shapely.Polygon([(100, 100), (100, 0), (140, 50)])  # meets the square along a line
    cap = shapely.Polygon([(100, 0), (120, 50), (100, 100), (110, 50)])  # touches the square in its two corners
    assert placed([square, bent, away], repair=False).topology.empty
    found = placed([square, cap], repair=False).topology
    assert rows(found, "kind", "zones", "area_m2") == [("gap", "a, b", 500.0)]


def test_a_sliver_open_to_the_outside_is_found_and_left() -> None:
    shapes = [box(0, 0, 100, 100), box(101, 0, 200, 100)]
    for repair in (False, True):
        found = placed(shapes, repair=repair)
        assert rows(found.topology, "kind", "zones", "length_m", "repaired") == [
            ("open_gap", "a", 100.0, False),
            ("open_gap", "b", 100.0, False),
        ]
        assert found.frame.geometry.area.tolist() == [10_000.0, 9_900.0]
    # 6 m apart is two places, not a sliver.
    assert placed([box(0, 0, 100, 100), box(106, 0, 200, 100)]).topology.empty


def test_a_neighbour_with_other_vertices_on_the_same_line_fits() -> None:
    assert placed([box(0, 0, 100, 100), box(100, 0, 200, 50), box(100, 50, 200, 100)]).topology.empty


@pytest.mark.parametrize(("gap_m", "found_m"), [(0.009, 0), (0.011, 100)])
def test_borders_a_centimetre_apart_fit(gap_m: float, found_m: float) -> None:
    found = placed([box(0, 0, 100, 100), box(100 + gap_m, 0, 200, 50), box(100 + gap_m, 50, 200, 100)]).topology
    assert rows(found, "zones", "length_m") == ([("a", 100.0), ("b", 50.0), ("c", 50.0)] if found_m else [])


def test_zones_beyond_the_boundary() -> None:
    frame = zones([box(0, 0, 100, 100), box(100, 0, 200, 100)])
    found = topology.beyond(frame, box(0, 0, 190, 100), tolerance_share=1e-4)
    assert rows(found, "kind", "zones", "area_m2") == [("beyond_boundary", "b", 1000.0)]
    # 1 m² of 10,000 is what digitising leaves.
    assert topology.beyond(frame, box(0, 0, 199.99, 100), tolerance_share=1e-4).empty


def test_a_narrow_overlap_goes_to_the_longer_border() -> None:
    # b lies 2 m × 40 m over a, and shares more border with the strip than a does (40 m + … against …).
    whole, piece = box(0, 0, 100, 100), box(98, 30, 200, 70)
    found = placed([whole, piece])
    strip = whole & piece
    border = {"a": strip.boundary & (whole - strip), "b": strip.boundary & (piece - strip)}
    longer = max(border, key=lambda name: border[name].length)
    expected = {"a": 10_000.0, "b": 102 * 40.0}
    other = {"a": "b", "b": "a"}[longer]
    expected[other] -= 80.0
    assert dict(zip(found.frame["zone_id"], found.frame.geometry.area, strict=True)) == pytest.approx(expected)
    assert rows(found.topology, "kind", "area_m2", "repaired") == [("overlap", 80.0, True)]
    assert rows(found.repairs, "zone_id", "area_before_m2", "area_after_m2") == [
        (other, expected[other] + 80.0, pytest.approx(expected[other]))
    ]


@pytest.mark.parametrize(("width_m", "filled"), [(2.9, False), (3.1, True)])
def test_a_gap_is_filled_up_to_the_width_and_no_further(width_m: float, filled: bool) -> None:
    # The gap's border with b is 40 m, with a 46 m.
    found = placed([box(0, 0, 100, 100) - box(97, 40, 100, 80), box(100, 0, 200, 100)], width_m=width_m)
    assert found.frame.geometry.area.tolist() == pytest.approx([10_000.0 if filled else 9_880.0, 10_000.0])
    assert found.topology["repaired"].tolist() == [filled]
    assert len(found.repairs) == filled


def test_a_wide_overlap_is_a_fault_with_and_without_repair() -> None:
    shapes = [box(0, 0, 100, 100), box(90, 0, 200, 100)]
    said = (
        "zones.gpkg: zones 'a' and 'b' overlap by 1,000 m² (10.0 m wide); correct the outlines: nobody can live in "
        "two zones; `repair: true` divides overlaps up to `sliver_width_m`"
    )
    assert faults(shapes) == [said]
    assert faults(shapes, repair=False) == [said]
    assert placed(shapes, width_m=10.1).frame.geometry.area.sum() == pytest.approx(20_000)


def test_a_zone_that_is_all_overlap_is_a_fault() -> None:
    assert faults([box(0, 0, 100, 100), box(10, 10, 14, 90)]) == [
        "zones.gpkg: nothing is left of zone 'b' after the repair; correct its outline"
    ]


def test_invalid_rings_are_made_valid_and_told() -> None:
    bow = shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])  # two triangles of 2,500 m²
    loop = shapely.Polygon([(200, 0), (300, 0), (300, 100), (250, 100), (250, -50), (240, -50), (240, 100), (200, 100)])
    found = placed([bow, loop])
    assert found.frame.is_valid.all()
    assert found.frame.geometry.area.tolist() == pytest.approx(
        [5_000.0, shapely.make_valid(loop, method="structure").area]
    )
    assert found.repairs["ring"].tolist() == ["Self-intersection[50 50]", "Self-intersection[250 0]"]
    assert found.repairs["area_before_m2"].isna().all()


@st.composite
def shaken_grids(draw: st.DrawFn) -> list[shapely.Geometry]:
    """Squares of 100 m in a grid, each digitised on its own: corners off by up to 2 m."""
    columns, lines = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    off = st.floats(-2, 2).map(lambda value: round(value, 2))
    shapes = []
    for column in range(columns):
        for line in range(lines):
            corners = [(0, 0), (100, 0), (100, 100), (0, 100)]
            moved = [(100 * column + x + draw(off), 100 * line + y + draw(off)) for x, y in corners]
            shapes.append(shapely.Polygon(moved))
    return shapes


@given(shaken_grids())
def test_repair_keeps_all_ground_and_adds_only_the_slivers_it_tells(shapes: list[shapely.Geometry]) -> None:
    union = shapely.union_all(shapes)
    found = placed(shapes, width_m=8.0)
    after = found.frame.geometry.to_numpy()
    filled = found.topology[(found.topology["kind"] == "gap") & found.topology["repaired"]]["area_m2"].sum()
    # Nobody's ground twice, all of the union kept; gaps below the 1 m² that are listed make the difference.
    assert shapely.area(after).sum() == pytest.approx(shapely.union_all(after).area, abs=1e-3)
    assert shapely.union_all(after).area >= union.area + filled - 1e-3
    assert shapely.area(shapely.difference(shapely.union_all(after), union)) <= filled + topology.LISTED_M2 * 9
    assert shapely.coverage_is_valid(after)
    again = place_zones(
        SourceTable(found.frame.set_axis(range(1, len(shapes) + 1)), "z", len(shapes)),
        found.frame.crs,
        sliver_width_m=8.0,
        repair=True,
    )
    np.testing.assert_allclose(again.frame.geometry.area, found.frame.geometry.area, atol=1e-3)


@given(shaken_grids(), st.randoms(use_true_random=False))
def test_the_order_of_zones_changes_nothing(shapes: list[shapely.Geometry], chance: object) -> None:
    assume(len(shapes) > 1)
    frame = zones(shapes)
    order = list(range(len(shapes)))
    chance.shuffle(order)  # type: ignore[attr-defined] - hypothesis gives a random.Random
    results = []
    for rows_in_order in (frame, frame.iloc[order]):
        numbered = rows_in_order.set_axis(range(1, len(frame) + 1))
        results.append(place_zones(SourceTable(numbered, "z", len(frame)), frame.crs, sliver_width_m=8.0, repair=True))
    pd.testing.assert_frame_equal(results[0].topology, results[1].topology)
    pd.testing.assert_frame_equal(results[0].repairs, results[1].repairs)
    assert (shapely.to_wkb(results[0].frame.geometry) == shapely.to_wkb(results[1].frame.geometry)).all()


@given(shaken_grids())
def test_overlaps_agree_with_pairs_measured_one_by_one(shapes: list[shapely.Geometry]) -> None:
    found = topology.overlaps(zones(shapes))
    expected = {
        (i, j): (shapes[i] & shapes[j]).area
        for i in range(len(shapes))
        for j in range(i + 1, len(shapes))
        if (shapes[i] & shapes[j]).area > 0
    }
    assert dict(zip(zip(found["first"], found["second"], strict=True), found["area_m2"], strict=True)) == pytest.approx(
        expected
    )
    assert (found["width_m"] > 0).all()


@given(st.lists(st.floats(1, 50), min_size=3, max_size=12))
def test_a_width_is_that_of_the_largest_circle_inside(radii: list[float]) -> None:
    turns = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    star = shapely.Polygon(np.column_stack([np.cos(turns), np.sin(turns)]) * np.array(radii)[:, None])
    circle = shapely.maximum_inscribed_circle(star, tolerance=0.001)
    (width,) = topology.width_m(np.array([star], dtype=object))
    assert width == pytest.approx(2 * circle.length, rel=0.02, abs=0.01)
