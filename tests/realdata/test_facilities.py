"""The Comoros: objects of each kind, and hospitals mapped twice."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest

import builders
from facility_coverage.layers import openstreetmap
from facility_coverage.layers.counted import Area
from facility_coverage.layers.duplicates import find_pairs
from facility_coverage.layers.facilities import PlacedFacilities, place_facilities, read_facilities
from facility_coverage.layers.topology import misfits, repaired

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def islands(realdata: Path) -> gpd.GeoDataFrame:
    tags = [{"boundary": ("administrative",), "admin_level": ("4",)}]
    frame, _ = openstreetmap.read_objects(
        realdata / "comoros/comoros-2021.osm.pbf", tags, file="comoros", shape="areas"
    )
    frame = frame.assign(zone_id=frame["osm_id"], area_type="rural")[["zone_id", "name", "area_type", "geometry"]]
    return frame.to_crs(32738).sort_values("zone_id", ignore_index=True)


def of_kind(kind: str, realdata: Path, islands: gpd.GeoDataFrame, **options: object) -> PlacedFacilities:
    layer = builders.facility_layer(kind=kind, path=realdata / "comoros/comoros-2021.osm.pbf", **options)
    return place_facilities(
        layer, read_facilities(layer), Area(islands, "zones", box := islands.union_all().envelope, box)
    )


@pytest.mark.parametrize(("kind", "count"), [("hospital", 28), ("clinic", 8), ("doctors", 3), ("pharmacy", 24)])
def test_each_kind_has_its_objects(kind: str, count: int, realdata: Path, islands: gpd.GeoDataFrame) -> None:
    by_amenity = set(of_kind(kind, realdata, islands, where={"amenity": kind}).frame["facility_id"])
    assert len(by_amenity) == count
    found = of_kind(kind, realdata, islands).frame.set_index("facility_id")
    assert by_amenity <= set(found.index)
    # One hospital is known by `healthcare` alone.
    assert found.loc[~found.index.isin(by_amenity), "name"].tolist() == (["Hopital Kaz"] if kind == "hospital" else [])


def test_three_hospitals_are_mapped_twice(realdata: Path, islands: gpd.GeoDataFrame) -> None:
    found = of_kind("hospital", realdata, islands)
    pairs = found.duplicates
    assert pairs[["first", "second"]].to_numpy().tolist() == [
        ["n3747965355", "w370308263"], ["n4002475742", "w783882642"], ["n4779915808", "w485214608"],
    ]  # fmt: skip
    assert pairs["first_name"].tolist() == pairs["second_name"].tolist()
    assert pairs["distance_m"].tolist() == [0.0, 0.0, 0.0]
    one = of_kind("hospital", realdata, islands, duplicates="merge").frame
    assert len(one) == len(found.frame) - 3
    assert find_pairs(one, distance_m=100, similarity=0.9).empty


def test_districts_of_a_province_fit_and_a_repair_leaves_them(realdata: Path) -> None:
    frame = gpd.read_file(realdata / "china/districts_wgs84.geojson").to_crs(32648)
    frame = frame.assign(zone_id=frame["district_adcode"].astype(str)).sort_values("zone_id", ignore_index=True)
    assert misfits(frame, sliver_width_m=5, repair=True).empty
    after = repaired(frame, sliver_width_m=5)
    assert (after.geometry.area - frame.geometry.area).abs().max() < 1e-2
