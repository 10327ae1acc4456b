"""The sample against real plans: every verdict there is, sums that hold, the border, and what changed since 2020."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facility_coverage.analysis.comparison import PARTS
from facility_coverage.analysis.verdicts import Verdict
from facility_coverage.comparing import compare_studies
from facility_coverage.config.reading import load_study
from facility_coverage.outputs.payload import read_payload
from facility_coverage.study import Computed, compute

CONFIGS = Path(__file__).parents[1] / "configs"
NOT_ADDED = {"statistic"}  # figures of a table
TOTALS = {"facility_count", "capacity_total"}


@pytest.fixture(scope="module")
def yongchuan() -> Computed:
    return compute(load_study(CONFIGS / "yongchuan.yaml"), threads=2)


@pytest.fixture(scope="module")
def luzhou() -> Computed:
    return compute(load_study(CONFIGS / "luzhou.yaml"), threads=2)


def test_the_two_plans_show_all_four_verdicts(yongchuan: Computed, luzhou: Computed) -> None:
    found = Counter(verdict.status for place in (yongchuan, luzhou) for verdict in place.verdicts)
    assert {"met", "on_track", "behind", "no_data"} <= set(found)
    assert len(yongchuan.verdicts) == 57
    assert len(luzhou.verdicts) == 18
    natures = [verdict.nature for verdict in yongchuan.verdicts]
    assert natures == sorted(natures, key=("binding", "expected", "text").index)


def added_up(verdict: Verdict) -> None:
    for key in ("amount",) if verdict.measure in TOTALS else ("amount", "base"):
        whole = getattr(verdict, key)
        if whole is None:
            continue
        for places in (verdict.districts, verdict.zones):
            if places and not all(place.reason == "districts_only" for place in places):
                total = sum(getattr(place, key) or 0.0 for place in places)
                assert total == pytest.approx(whole, rel=1e-9), (verdict.goal_id, key)


def test_zones_add_up_to_districts_and_districts_to_the_study(yongchuan: Computed, luzhou: Computed) -> None:
    judged = [verdict for place in (yongchuan, luzhou) for verdict in place.verdicts]
    added = [verdict for verdict in judged if verdict.measure not in NOT_ADDED]
    assert len({verdict.measure for verdict in added}) >= 9
    for verdict in added:
        added_up(verdict)


def test_people_of_both_sides_use_the_other_sides_facilities(yongchuan: Computed, luzhou: Computed) -> None:
    served = yongchuan.ledger.served
    served = served[(served["layer"] == "elder_care") & (served["group"] == "elder_60")]
    ours = served[(served["people_district"] == "500118") & (served["facility_district"] != "500118")]
    theirs = served[(served["people_district"] != "500118") & (served["facility_district"] == "500118")]
    assert ours["served_only"].sum() > 100
    assert theirs["served"].sum() > 100
    share = yongchuan.ledger.sharing.set_index(["layer", "group"]).loc[("elder_care", "elder_60")]
    goal = next(verdict for verdict in yongchuan.verdicts if verdict.goal_id == "YC-clinic-circle")
    assert goal.with_sharing is not None
    assert goal.without_sharing is not None
    assert goal.with_sharing > goal.without_sharing
    assert share["shared"] == pytest.approx(share["own"] + share["only_by_others"])
    between = luzhou.ledger.served
    assert {"510521", "510522"} <= set(between["people_district"])
    # The same people, seen from the other side, where the parts of cells on the border stand at other places.
    mirror = between[
        (between["layer"] == "elder_care")
        & (between["group"] == "elder_60")
        & (between["facility_district"] == "500118")
    ].set_index("people_district")["served"]
    seen = theirs.set_index("people_district")["served"]
    for district in ("510521", "510522"):
        assert seen.get(district, 0.0) == pytest.approx(mirror.get(district, 0.0), rel=0.05, abs=0.5)


def test_centres_lead_stations_and_points(yongchuan: Computed) -> None:
    table = yongchuan.hierarchy["hierarchy"]
    assert Counter(table["tier"]) == {"street_centre": 7, "town_centre": 16, "station": 55, "village_point": 207}
    led = table[table["status"] == "led"]
    assert set(led["leader_tier"]) <= {"street_centre", "town_centre"}
    assert (led["minutes"] > 0).all()
    tiers = yongchuan.hierarchy["tiers"]
    whole = tiers[(tiers["layer"] == "elder_care") & (tiers["group"] == "elder_60") & (tiers["zone_id"] == "")]
    together = whole.set_index("tier")["covered"]
    assert together["*"] >= together.drop("*").max()


def test_what_changed_since_2020_adds_up(tmp_path: Path) -> None:
    study = str(CONFIGS / "yongchuan.yaml")
    table = compare_studies(f"{study}@y2020", study, folder=tmp_path / "change").table
    told = table[table["change"].notna() & table[list(PARTS)].notna().all(axis=1)]
    np.testing.assert_allclose(told[list(PARTS)].sum(axis=1), told["change"], rtol=1e-9, atol=1e-9)
    goals = told[told["level"] == "study"].set_index("goal_id")
    assert len(goals) > 30
    for part in ("facilities", "population", "roads", "statistics"):
        assert (goals[part] != 0).any(), part
    assert (goals["method"] == 0).all()
    assert goals.loc["YC-elder-beds", "value_before"] == pytest.approx(3980, rel=0.01)
    written = pd.read_csv(tmp_path / "change" / "compare.csv", encoding="utf-8-sig")
    assert len(written) == len(table)
    shown = read_payload(tmp_path / "change" / "map.html").core
    assert [scene["name"] for scene in shown["scenes"]] == ["2025年", "2020年"]
