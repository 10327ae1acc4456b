import numpy as np
import pandas as pd
import pytest
import shapely

import builders
from facility_coverage.analysis.coverage import CoverageResult, measure_coverage
from facility_coverage.analysis.trips import travel
from facility_coverage.config.study import FacilityLayer
from facility_coverage.layers.model import Layers

# One street of 3 km, 1 m/s. Town: 0 … 1500 m (15 minutes = 900 m), country: 1500 … 3000 m (30 minutes = 1800 m);
# nobody lives on the island. The facility stands at 0 m.
STREET = builders.roads([(0, 0), (1500, 0), (3000, 0)], [[0, 1, 2]])
ZONES = {
    "a_town": ("urban", shapely.box(0, -2000, 1500, 2000)),
    "b_country": ("rural", shapely.box(1500, -2000, 3000, 2000)),
    "c_island": ("rural", shapely.box(9000, 0, 9100, 100)),
}
PEOPLE = pd.DataFrame(
    [
        ("p1", "a_town", 900.0, 0.0, 10.0, 1.0),  # exactly 15 minutes
        ("p2", "a_town", 901.0, 0.0, 20.0, 2.0),  # one second more
        ("p3", "b_country", 1700.0, 0.0, 40.0, 4.0),  # 28 minutes, but in the country
        ("p4", "b_country", 1900.0, 0.0, 80.0, 8.0),  # 32 minutes
        ("p5", "b_country", 1700.0, 600.0, 160.0, 16.0),  # unattached
        ("p6", None, 10.0, -10.0, 320.0, np.nan),  # beyond the zones, next door to the facility
    ],
    columns=["demand_id", "zone_id", "x_m", "y_m", "total", "old"],
)
FACILITIES = {"f1": (0.0, 0.0, "a_town")}


def measured(
    facilities: dict[str, tuple[float, float, str | None]] = FACILITIES,
    *,
    people: pd.DataFrame = PEOPLE,
    layer: FacilityLayer | None = None,
) -> CoverageResult:
    chosen = layer or builders.facility_layer()
    data: Layers = builders.layers(STREET, ZONES, people, facilities)
    network = builders.network(STREET, people[["x_m", "y_m"]].to_numpy(dtype=np.float64))
    trips = [travel(chosen, data, network)]
    return measure_coverage(data, trips, {"walker": network}, groups=["total", "old"])


def zone_figures(result: CoverageResult, group: str = "total") -> dict[str, tuple[float, float]]:
    rows = result.zones[result.zones["group"] == group]
    return {row.zone_id: (row.population, row.covered) for row in rows.itertuples()}


def test_each_zone_by_its_own_cutoff() -> None:
    result = measured()
    assert zone_figures(result) == {"a_town": (30, 10), "b_country": (280, 40), "c_island": (0, 0)}
    assert zone_figures(result, "old") == {"a_town": (3, 1), "b_country": (28, 4), "c_island": (0, 0)}
    assert result.demand["clinics_covered"].tolist() == [True, False, True, False, False, False]
    assert result.demand["clinics_s"].tolist() == pytest.approx([900, 901, 1700, 1900, np.nan, 20], nan_ok=True)
    facility = result.demand["clinics_facility"]
    assert facility.isna().tolist() == [False] * 4 + [True, False]
    assert set(facility.dropna()) == {"f1"}


def test_where_nobody_lives_there_is_no_share() -> None:
    shares = measured().zones.set_index(["zone_id", "group"])["share"]
    assert shares["a_town", "total"] == pytest.approx(1 / 3)
    assert np.isnan(shares["c_island", "total"])
    assert np.isnan(shares["c_island", "old"])


def test_zones_add_up_to_the_study_and_its_area_types() -> None:
    summary = measured().summary.set_index(["scope", "group"])
    assert summary.loc[("study", "total"), ["population", "covered"]].tolist() == [310, 50]
    assert summary.loc[("urban", "total"), ["population", "covered"]].tolist() == [30, 10]
    assert summary.loc[("rural", "old"), ["population", "covered"]].tolist() == [28, 4]
    assert summary.loc[("study", "total"), "share"] == 50 / 310


def test_catchments_hold_the_people_within_their_own_cutoff() -> None:
    result = measured({"f1": (0.0, 0.0, "a_town"), "f2": (2000.0, 0.0, "b_country"), "f3": (0.0, 9000.0, None)})
    table = result.facilities.set_index("facility_id")
    # f2: p1 is 1100 m away (town: no), p2 1099 (no), p3 300, p4 100
    assert table["catchment_total"].to_dict() == {"f1": 50, "f2": 120, "f3": 0}
    assert table["catchment_old"].to_dict() == {"f1": 5, "f2": 12, "f3": 0}
    assert table["access_m"].tolist() == pytest.approx([0, 0, np.nan], nan_ok=True)
    assert zone_figures(result) == {"a_town": (30, 10), "b_country": (280, 120), "c_island": (0, 0)}


def test_facilities_beyond_the_zones_serve_or_not_as_the_layer_says() -> None:
    outside = {"f1": (2000.0, 0.0, None)}
    assert zone_figures(measured(outside))["b_country"] == (280, 120)
    own = measured(outside, layer=builders.facility_layer(facilities_from="own_zones_only"))
    assert zone_figures(own) == {"a_town": (30, 0), "b_country": (280, 0), "c_island": (0, 0)}
    assert own.demand["clinics_s"].isna().all()
    assert own.facilities.empty


def test_more_facilities_never_cover_fewer() -> None:
    rng = np.random.default_rng(11)
    facilities: dict[str, tuple[float, float, str | None]] = {}
    before = 0.0
    for i in range(8):
        facilities[f"f{i}"] = (float(rng.uniform(0, 3000)), float(rng.uniform(-400, 400)), None)
        result = measured(facilities)
        study = result.summary.set_index(["scope", "group"])["covered"]["study", "total"]
        assert study >= before
        before = study
    assert before > 0


def test_the_access_table_counts_who_stands_nowhere() -> None:
    access = measured().access.iloc[0]
    assert access["profile"] == "walker"
    assert access["edge_count"] == 1
    assert access["length_km"] == 3.0
    assert access["unattached_total"] == 160
    assert access["dropped_population"] == 0


def test_people_all_beyond_the_zones_are_counted_nowhere() -> None:
    result = measured(people=PEOPLE.assign(zone_id=pd.Series([None] * len(PEOPLE), dtype=object)))
    assert result.zones[["population", "covered"]].to_numpy().sum() == 0
    assert not result.demand["clinics_covered"].any()
    assert result.facilities["catchment_total"].tolist() == [0]


def test_the_input_is_left_as_it_was() -> None:
    people = PEOPLE.copy()
    measured(people=people)
    pd.testing.assert_frame_equal(people, PEOPLE)
