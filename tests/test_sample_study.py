"""The sample study from its YAML to its map: what the README's first command does."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numba
import numpy as np
import openpyxl
import pandas as pd
import pyproj
import pytest
import yaml

from facility_coverage.network.travel import nearest_facility
from facility_coverage.running import RunResult, run_study

ROOT = Path(__file__).parents[1]
TABLES = ("zones.csv", "coverage.gpkg", "verdicts.json", "equity.csv", "lorenz.csv", "worst_served.csv")


def test_the_plan_is_judged_on_the_facts_that_the_sample_carries(sample: RunResult) -> None:
    verdicts = {row["goal_id"]: row for row in json.loads((sample.folder / "verdicts.json").read_text("utf-8"))}
    stock = {"YC-street-centres": 7, "YC-town-centres": 16, "YC-stations": 55, "YC-village-points": 207}
    assert {name: verdicts[name]["value"] for name in stock} == stock
    assert verdicts["YC-nursing-share"]["nature"] == "binding"
    table = pd.read_csv(sample.folder / "zones.csv", dtype={"zone_id": str})
    assert len(table) == 23
    beds, nursing = table["elder_care_beds"].sum(), table["elder_care_nursing_beds"].sum()
    assert verdicts["YC-elder-beds"]["value"] == pytest.approx(beds)
    assert verdicts["YC-elder-beds"]["shortfall"] == 9_000 - beds
    assert nursing < beds
    slots = 1000 * table["childcare_slots"].sum() / table["population_total"].sum()
    assert verdicts["YC-childcare-slots"]["value"] == pytest.approx(slots)
    assert {"met", "behind"} <= {row["status"] for row in verdicts.values()}


def test_people_are_conserved_from_the_raster_to_the_zone_table(sample: RunResult) -> None:
    passport = json.loads((sample.folder / "run.json").read_text(encoding="utf-8"))
    (ledger,) = [row for row in passport["population"] if row["group"] == "total"]
    parts = ledger["in_zones"] + ledger["beyond_zones"] + ledger["beyond_margin"]
    assert parts == pytest.approx(ledger["read"], rel=1e-12)
    table = pd.read_csv(sample.folder / "zones.csv")
    assert table["population_total"].sum() == pytest.approx(ledger["in_zones"], rel=1e-9)
    assert ledger["in_zones"] == pytest.approx(1_150_000, rel=0.01)
    demand = gpd.read_file(sample.folder / "coverage.gpkg", layer="demand")
    inside = demand["zone_id"].notna()
    assert demand.loc[inside, "total"].sum() == pytest.approx(ledger["in_zones"], rel=1e-12)
    for layer, group in (("elder_care", "elder_60"), ("childcare", "child_0_2"), ("medical", "total")):
        covered = demand.loc[inside & demand[f"{layer}_covered"], group].sum()
        assert table[f"{layer}_covered_{group}"].sum() == pytest.approx(covered, rel=1e-9)
        cutoff_s = 60 * demand["zone_id"].map(cutoffs(sample, layer))
        assert (demand.loc[inside, f"{layer}_covered"] == (demand[f"{layer}_s"] <= cutoff_s + 1e-6)[inside]).all()


def cutoffs(sample: RunResult, layer: str) -> dict[str, float]:
    """Zone → minutes, from the study and the zones alone."""
    (minutes,) = [one.cutoff_min for one in sample.computed.study.config.facilities if one.id == layer]
    zones = gpd.read_file(ROOT / "layers" / "yongchuan" / "zones.geojson")
    return {row.zone_id: minutes[row.area_type] for row in zones.itertuples()}


def test_the_workbook_says_what_the_tables_say(sample: RunResult) -> None:
    book = openpyxl.load_workbook(sample.folder / "zones.xlsx")
    table = pd.read_csv(sample.folder / "zones.csv", encoding="utf-8-sig", dtype={"zone_id": str})
    columns = list(book["镇街"].iter_cols(min_row=2, values_only=True))
    assert len(columns) == len(table.columns)
    for written, name in zip(columns, table.columns, strict=True):
        if name.endswith(("total", "elder_60", "child_0_2", "_count", "beds", "slots", "area_km2")):
            assert pd.Series(written, dtype=float).to_numpy() == pytest.approx(table[name], rel=1e-9, nan_ok=True), name
    verdicts = {row["goal_id"]: row for row in json.loads((sample.folder / "verdicts.json").read_text("utf-8"))}
    heading, *rows = book["目标判定"].iter_rows(values_only=True)
    assert [row[-1] for row in rows] == list(verdicts)
    words = {"met": "达到", "on_track": "按进度", "behind": "滞后", "no_data": "无数据", None: "仅监测"}
    keys = {"现状值": "value", "目标值": "target", "目标年": "target_year", "缺口": "shortfall", "基期值": "baseline"}
    for row in (dict(zip(heading, row, strict=True)) for row in rows):
        verdict = verdicts[row["目标代码"]]
        assert row["判定"] == words[verdict["status"]]
        for name, key in keys.items():
            # A workbook keeps 16 digits.
            expected = None if verdict[key] is None else pytest.approx(verdict[key], rel=1e-14)
            assert row[name] == expected, (row["目标代码"], name)
    gaps = list(book["未可达人口"].iter_rows(min_row=2, values_only=True))
    for layer in sample.computed.study.config.facilities:
        population, covered = (table[f"{what}_{layer.group}"] for what in ("population", f"{layer.id}_covered"))
        left_out = sum(row[6] for row in gaps if row[2] == layer.name.zh)
        assert left_out == pytest.approx(population.sum() - covered.sum(), rel=1e-9)


def test_facilities_in_another_order_and_one_thread_give_the_same_bytes(sample: RunResult, tmp_path: Path) -> None:
    config = yaml.safe_load((ROOT / "configs" / "yongchuan.yaml").read_text(encoding="utf-8"))
    for name in ("configs", "layers"):
        (tmp_path / name).mkdir()
    for file in (ROOT / "configs").rglob("*.yaml"):
        target = tmp_path / file.relative_to(ROOT)
        target.parent.mkdir(exist_ok=True)
        text = file.read_text(encoding="utf-8").replace("map_states: [y2020, planned_2027]", "map_states: []")
        target.write_text(text, encoding="utf-8")
    (tmp_path / "layers" / "yongchuan").mkdir()
    for file in (file for file in (ROOT / "layers" / "yongchuan").iterdir() if file.is_file()):
        target = tmp_path / file.relative_to(ROOT)
        if file.name in {Path(layer["path"]).name for layer in config["facilities"]}:
            frame = gpd.read_file(file)
            frame.sample(frac=1, random_state=7).to_file(target, engine="pyogrio", driver="GeoJSON")
        else:
            target.symlink_to(file)
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        other = run_study(
            tmp_path / "configs" / "yongchuan.yaml", folder=tmp_path / "out", threads=1, allow_outside=True
        )
    finally:
        numba.set_num_threads(before)
    for name in TABLES:
        assert (other.folder / name).read_bytes() == (sample.folder / name).read_bytes(), name


def test_the_tables_of_an_office_give_the_same_verdicts_and_zones(sample: RunResult, tmp_path: Path) -> None:
    office = run_study(ROOT / "configs" / "yongchuan-office.yaml", folder=tmp_path / "office", threads=2)
    verdicts = [json.loads((run.folder / "verdicts.json").read_text("utf-8")) for run in (sample, office)]
    frames = [
        pd.concat([pd.DataFrame(rows).drop(columns="zones"), pd.json_normalize(rows, "zones", ["goal_id"])])
        for rows in verdicts
    ]
    pd.testing.assert_frame_equal(*frames, rtol=1e-9)
    clean, other = (pd.read_csv(run.folder / "zones.csv", dtype={"zone_id": str}) for run in (sample, office))
    # Coordinates went through two datums and a projected zone, and come back to a tenth of a millimetre.
    columns = [column for column in clean.columns if column in other.columns]
    assert set(clean.columns) - set(columns) <= {"district", "district_id"}
    pd.testing.assert_frame_equal(clean[columns], other[columns], rtol=1e-9)


def test_the_proposed_sites_gain_exactly_what_building_them_gains(sample: RunResult) -> None:
    sites = pd.read_csv(sample.folder / "sites.csv", encoding="utf-8-sig")
    (siting,) = pd.read_csv(sample.folder / "sitings.csv", encoding="utf-8-sig").to_dict("records")
    assert siting["candidates"] >= 3_000
    assert siting["demand_points"] >= 50_000
    assert (siting["outcome"], siting["gap"]) == ("optimal", 0)
    assert siting["greedy"] <= siting["objective"]
    assert sites["gain"].is_monotonic_decreasing
    assert sites["gain"].sum() == pytest.approx(siting["objective"] - siting["covered_before"], rel=1e-7)
    after = sample.computed.after
    assert after is not None
    summary = after.coverage.summary.set_index(["scope", "layer", "group"])
    covered = summary.loc[("study", "elder_care", "elder_60"), "covered"]
    assert covered == pytest.approx(siting["objective"], rel=1e-9)
    goals = pd.read_csv(sample.folder / "sites_verdicts.csv", encoding="utf-8-sig")
    whole = goals[goals["level"] == "study"].set_index("goal_id")
    assert whole.loc["YC-elder-full", "value_after"] == pytest.approx(sites["share"].iloc[-1], rel=1e-9)
    assert whole.loc["YC-elder-beds", "value_after"] - whole.loc["YC-elder-beds", "value_before"] == 10 * 30
    assert whole.loc["YC-stations", "value_after"] - whole.loc["YC-stations", "value_before"] == 10


def test_covered_servable_and_residual_people_add_up_in_every_town(sample: RunResult) -> None:
    served = pd.read_csv(sample.folder / "served.csv", encoding="utf-8-sig", dtype={"zone_id": str})
    assert set(served["layer"]) == {"elder_care", "childcare"}
    parts = served[["served", "residual", "not_covered"]].sum(axis=1)
    assert served["population"].to_numpy() == pytest.approx(parts.to_numpy(), rel=1e-9)
    assert served["covered"].to_numpy() == pytest.approx((served["served"] + served["residual"]).to_numpy(), rel=1e-9)
    assert (served["residual"] > 0).any()
    # People and covered people are those of the other tables.
    zones = pd.read_csv(sample.folder / "zones.csv", encoding="utf-8-sig", dtype={"zone_id": str})
    elders = served[served["layer"] == "elder_care"].set_index("zone_id").loc[zones["zone_id"]]
    assert elders["population"].to_numpy() == pytest.approx(zones["population_elder_60"].to_numpy(), rel=1e-9)
    assert elders["covered"].to_numpy() == pytest.approx(zones["elder_care_covered_elder_60"].to_numpy(), rel=1e-9)
    # What zones get is what facilities give, and nobody gives more than there is.
    spare = pd.read_csv(sample.folder / "spare.csv", encoding="utf-8-sig")
    given, got = spare.groupby("layer")["used"].sum(), served.groupby("layer")["provided"].sum()
    assert given.to_numpy() == pytest.approx(got.to_numpy(), rel=1e-6)
    known = spare.dropna(subset="held")
    assert (known["used"] <= known["held"]).all()
    book = openpyxl.load_workbook(sample.folder / "zones.xlsx", read_only=True)
    assert sum(1 for _ in book["容量"].rows) == 1 + len(served)


def test_gaps_add_up_to_all_who_are_left_out(sample: RunResult) -> None:
    gaps = pd.read_csv(sample.folder / "gaps.csv", encoding="utf-8-sig", dtype={"zone_id": str})
    own = gaps[gaps["goal"].isna() & gaps["capacity"].isna()]
    coverage = sample.computed.coverage.summary.set_index(["scope", "layer", "group"]).loc["study"]
    for layer in sample.computed.study.config.facilities:
        of_layer = own[own["layer"] == layer.id]
        for group in ("total", "elder_60", "child_0_2"):
            whole = coverage.loc[(layer.id, group)]
            missed = whole["population"] - whole["covered"]
            assert of_layer[f"people_{group}"].sum() == pytest.approx(missed, rel=1e-6)
    served = pd.read_csv(sample.folder / "served.csv", encoding="utf-8-sig")
    residual = gaps[gaps["capacity"].notna()].groupby("layer")["people"].sum()
    assert residual.to_dict() == pytest.approx(served.groupby("layer")["residual"].sum().to_dict(), rel=1e-6)
    emergency = gaps[gaps["goal"] == "YC-emergency-circle"]
    verdicts = json.loads((sample.folder / "verdicts.json").read_text("utf-8"))
    (goal,) = [one for one in verdicts if one["goal_id"] == "YC-emergency-circle"]
    assert emergency["people"].sum() == pytest.approx(goal["base"] - goal["amount"], rel=1e-6)


def test_remedies_of_the_sample_gain_what_they_promise(sample: RunResult) -> None:
    remedies = pd.read_csv(sample.folder / "remedies.csv", encoding="utf-8-sig")
    assert {"new_site", "path", "upgrade", "capacity"} <= set(remedies["remedy"])
    assert (remedies["of_gap"].dropna() > 0).all()
    computed = sample.computed
    (trip,) = [one for one in computed.trips if one.layer.id == "elder_care"]
    network = computed.networks[trip.layer.profile]
    people = computed.layers.demand.points["elder_60"].fillna(0.0).to_numpy()
    new = remedies[
        (remedies["layer"] == "elder_care") & (remedies["remedy"] == "new_site") & remedies["capacity"].isna()
    ]
    to_metres = pyproj.Transformer.from_crs(4326, computed.layers.crs, always_xy=True)
    for one in new.head(3).to_dict("records"):
        place = network.snap(np.column_stack(to_metres.transform([one["lon"]], [one["lat"]])))
        seconds = nearest_facility(network.graph, network.links, network.demand, place).seconds
        before, after = trip.nearest.seconds <= trip.cutoff_s + 1e-6, seconds <= trip.cutoff_s + 1e-6
        # Six decimals of a degree are a tenth of a metre.
        assert people[after & ~before].sum() == pytest.approx(one["people"], rel=2e-3)
