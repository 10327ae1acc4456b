"""What the sample's registers say: openings, attributes, addresses, areas, statistics."""

from __future__ import annotations

from pathlib import Path

import exactextract
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import yaml

LAYERS = Path(__file__).parents[2] / "layers" / "yongchuan"
METRIC = "EPSG:4544"
PEOPLE_2025, PEOPLE_2020 = 1_149_469, 1_141_579


def _read(name: str) -> gpd.GeoDataFrame:
    zones = gpd.read_file(LAYERS / "zones.geojson")[["zone_id", "district_id", "geometry"]]
    return gpd.read_file(LAYERS / f"{name}.geojson").sjoin(zones, how="left").drop(columns="index_right")


def _people(areas: gpd.GeoDataFrame) -> np.ndarray:
    table = exactextract.exact_extract(str(LAYERS / "population.tif"), areas, "sum", output="pandas")
    return table["sum"].to_numpy()


def _own(frame: pd.DataFrame, *, of_2020: bool = False) -> pd.DataFrame:
    """Rows of Yongchuan, and of 2020 those not known to have opened later."""
    own = frame[frame["district_id"] == "500118"]
    return own[~(own["opened"] > 2020)] if of_2020 else own


def test_elder_care_of_2020_is_near_the_baselines_of_the_plan():
    elder = _read("elder_care")
    old = _own(elder, of_2020=True)
    assert old["beds"].sum() == pytest.approx(3_980, rel=0.01)
    assert old["tier"].value_counts().to_dict() == {
        "village_point": 101, "station": 38, "town_centre": 6, "street_centre": 3,
    }  # fmt: skip
    opened = elder["opened"].dropna()
    assert opened.between(2006, 2025).all()
    assert elder["opened"].isna().sum() == 16


def test_what_elder_care_passed_and_whom_it_has_a_contract_with():
    elder = _own(_read("elder_care"))
    assert elder["quality_passed"].mean() == pytest.approx(0.85, abs=0.03)  # the mean leaves out what is not known
    assert 0 < elder["quality_passed"].isna().sum() < 0.1 * len(elder)
    assert 0.95 < elder["contracted"].mean() < 1.0


def test_some_health_centres_share_the_address_of_elder_care():
    elder, medical = _read("elder_care"), _read("medical")
    assert elder["address"].is_unique
    told = medical.dropna(subset="address")
    assert set(told["tier"]) == {"hospital", "health_centre"}
    assert told["address"].is_unique
    shared = told.to_crs(METRIC).merge(elder.to_crs(METRIC), on="address", suffixes=("", "_elder"))
    assert 0 < len(shared) < (medical["tier"] == "health_centre").sum()
    assert shapely.distance(shared["geometry"].to_numpy(), shared["geometry_elder"].to_numpy()).max() < 25.0


def test_childcare_of_2020_and_its_models():
    childcare = _read("childcare")
    assert 1_000 * _own(childcare, of_2020=True)["slots"].sum() / PEOPLE_2020 == pytest.approx(1.2, abs=0.02)
    models = childcare[childcare["demonstration"]]
    assert models["district_id"].value_counts().to_dict() == {"500118": 1, "510521": 1}
    assert childcare["inclusive"].isna().any()


def test_each_county_has_medical_sub_centres():
    medical = _read("medical")
    centres = medical[medical["sub_centre"]]
    assert set(centres["tier"]) == {"health_centre"}
    assert centres["district_id"].value_counts().to_dict() == {"500118": 4, "510521": 2, "510522": 1}


def test_services_of_everyday_life():
    kindergarten, fitness = _read("kindergarten"), _read("fitness")
    culture, community = _read("culture"), _read("community_centre")
    assert [len(one) for one in (kindergarten, fitness, culture, community)] == [101, 99, 66, 145]
    own = _own(kindergarten)
    assert own["inclusive"].mean() > 0.9
    assert 0.5 < own.loc[own["public"], "places"].sum() / own["places"].sum() < 0.55
    assert _own(fitness)["area_m2"].sum() / PEOPLE_2025 == pytest.approx(2.4, abs=0.01)
    assert _own(fitness, of_2020=True)["area_m2"].sum() / PEOPLE_2020 == pytest.approx(2.3, abs=0.02)
    assert 1e4 * _own(culture)["floor_area_m2"].sum() / PEOPLE_2025 == pytest.approx(900, abs=1)
    assert 1e4 * _own(culture, of_2020=True)["floor_area_m2"].sum() / PEOPLE_2020 == pytest.approx(764, abs=3)
    assert _own(community)["floor_area_m2"].sum() == 137_000
    assert community["elder_friendly"].isna().any()


def test_each_town_has_something_and_some_lack_a_kind():
    everywhere = set(gpd.read_file(LAYERS / "zones.geojson")["zone_id"])
    with_kind = [set(_read(name)["zone_id"]) for name in ("kindergarten", "fitness", "culture", "community_centre")]
    assert set.union(*with_kind) == everywhere
    assert any(one != everywhere for one in with_kind)


def test_new_estates_and_old_towns_lie_in_their_districts_and_apart():
    districts = gpd.read_file(LAYERS / "districts.geojson").set_index("district_id").to_crs(METRIC)
    for name, count in (("new_estates", {"500118": 8, "510521": 2, "510522": 1}),
                        ("old_town", {"500118": 3, "510521": 2, "510522": 1})):  # fmt: skip
        areas = gpd.read_file(LAYERS / f"{name}.geojson").to_crs(METRIC)
        assert areas["area_id"].is_unique
        assert areas["district_id"].value_counts().to_dict() == count
        assert areas.geometry.is_valid.all()
        home = districts.geometry.loc[areas["district_id"]].to_numpy()
        # Coordinates are rounded to a millionth of a degree, about 0.1 m.
        assert (shapely.area(shapely.difference(areas.geometry.to_numpy(), home)) < 100.0).all()
        assert areas.union_all().area == pytest.approx(areas.area.sum(), abs=1.0)
        assert (_people(areas.to_crs("EPSG:4326")) > 50).all()


def test_most_new_estates_have_a_station_that_opened_with_them():
    areas = gpd.read_file(LAYERS / "new_estates.geojson")
    elder = _read("elder_care")
    held = elder[elder["tier"] == "station"].sjoin(areas[["area_id", "geometry"]])
    assert (held["opened"] > 2020).all()
    assert areas.loc[~areas["area_id"].isin(held["area_id"]), "name"].tolist() == ["望城苑", "产城家园", "玉龙苑"]
    planned = gpd.read_file(LAYERS / "planned_stations.geojson")
    assert not set(planned["facility_id"]) & set(elder["facility_id"])
    assert planned.columns.tolist() == gpd.read_file(LAYERS / "elder_care.geojson").columns.tolist()
    assert (planned["opened"] > 2025).all()


def test_few_ways_are_newer_than_2020():
    roads = gpd.read_parquet(LAYERS / "roads.parquet")
    new = roads[roads["built"] == "2023"]
    assert set(roads["built"]) == {"2015", "2023"}
    assert 50 < len(new) < 0.01 * len(roads)
    bridges = new[new["bridge"] == "yes"]
    assert set(bridges["highway"]) == {"trunk", "secondary"}
    areas = gpd.read_file(LAYERS / "new_estates.geojson").union_all()
    assert new.loc[new["bridge"].isna(), "geometry"].intersects(areas).all()


def test_the_people_of_2020():
    controls = pd.read_csv(LAYERS / "controls_2020.csv", dtype={"zone_id": str, "district_id": str})
    zones = gpd.read_file(LAYERS / "zones.geojson")
    assert controls["zone_id"].tolist() == zones["zone_id"].tolist()
    now = _people(zones)
    assert (controls["total"] / now).between(0.94, 1.05).all()
    assert _own(controls)["total"].sum() == PEOPLE_2020
    old, small = (_own(controls)[name].sum() / PEOPLE_2020 for name in ("elder_60", "child_0_2"))
    own = _own(zones.assign(elder=zones["share_60_plus"] * now, child=zones["share_0_2"] * now))
    assert old < own["elder"].sum() / PEOPLE_2025
    assert small > own["child"].sum() / PEOPLE_2025


def test_statistics_are_of_goals_of_the_plans_and_some_goals_have_none():
    table = pd.read_csv(LAYERS / "statistics.csv", dtype={"zone_id": str, "district_id": str})
    assert table.columns.tolist() == ["indicator", "year", "value", "zone_id", "district_id", "source"]
    assert not table.duplicated(["indicator", "year", "zone_id", "district_id"]).any()
    plans = LAYERS.parents[1] / "configs" / "plans"
    goals = [
        goal["id"]
        for name in ("yongchuan-14fyp", "luzhou-2030")
        for goal in yaml.safe_load((plans / f"{name}.yaml").read_text(encoding="utf-8"))["goals"]
        if goal["measure"] == "statistic"
    ]
    assert set(table["indicator"]) < set(goals)
