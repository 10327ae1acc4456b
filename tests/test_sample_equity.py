"""Equity of the sample: what is handed out is what there is, PySAL agrees, and tenths are tenths."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import openpyxl
import pandas as pd
import pytest

from facility_coverage.analysis.equity import access_of
from facility_coverage.analysis.inequality import Distribution
from facility_coverage.analysis.trips import Trips
from facility_coverage.running import RunResult

KEYS = ["layer", "capacity", "group", "scope"]
GROUPS = ("total", "elder_60", "child_0_2")


def read(sample: RunResult, name: str) -> pd.DataFrame:
    return pd.read_csv(sample.folder / name, encoding="utf-8-sig", dtype={"zone_id": str})


def asked(sample: RunResult) -> Iterator[tuple[Trips, str]]:
    yield from ((trip, capacity) for trip in sample.computed.trips for capacity in trip.layer.capacity)


def pysal(everybody: np.ndarray) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from inequality.gini import Gini  # noqa: PLC0415 - only here
    return float(Gini(everybody).g)


def by_pairs(value: np.ndarray, people: np.ndarray) -> float:
    """The mean difference of every two people over twice the mean: the definition, value by value."""
    apart = sum(float((people * np.abs(value - one)).sum()) * weight for one, weight in zip(value, people, strict=True))
    return apart / (2 * people.sum() * (people * value).sum())


def test_every_layer_capacity_group_and_area_type_has_a_row(sample: RunResult) -> None:
    table = read(sample, "equity.csv")
    expected = [
        (trip.layer.id, capacity, group, scope)
        for trip, capacity in asked(sample)
        for group in GROUPS
        for scope in ("study", "urban", "rural")
    ]
    assert list(table[KEYS].itertuples(index=False, name=None)) == expected
    summary = sample.computed.coverage.summary.set_index(["layer", "group", "scope"])["population"]
    people = [summary[layer, group, scope] for layer, _, group, scope in expected]
    assert table["population"].to_numpy() == pytest.approx(people, rel=1e-9)
    # A ratio is missing where, and only where, four tenths of those with a figure have nothing.
    none = table["with_none"] / (table["population"] - table["no_data"]) >= 0.4
    assert (table["palma_ratio"].isna() == none).all()
    assert (table["reason"].fillna("") == np.where(none, "four_tenths_have_none", "")).all()
    assert none.any()
    assert not none.all()


def test_what_people_have_is_what_the_facilities_that_they_reach_offer(sample: RunResult) -> None:
    table = read(sample, "equity.csv").set_index(KEYS)
    reached = sample.computed.coverage.facilities
    complete = 0
    for trip, capacity in asked(sample):
        row = table.loc[(trip.layer.id, capacity, trip.layer.group, "study")]
        of_layer = reached[reached["layer"] == trip.layer.id].set_index("facility_id")
        somebody = of_layer.loc[trip.facilities["facility_id"], f"catchment_{trip.layer.group}"].to_numpy() > 0
        offered = trip.facilities[capacity].to_numpy()[somebody]
        assert row["missing"] == np.isnan(offered).sum()
        people = row["population"] - row["no_data"]
        assert row["mean_per_1000"] * people / 1000 == pytest.approx(np.nansum(offered), rel=1e-8)
        complete += row["missing"] == 0
    assert complete >= 4


def test_pysal_counts_the_people_of_the_sample_and_finds_the_same_gini(sample: RunResult) -> None:
    points = sample.computed.layers.demand.points
    for trip, capacity in asked(sample):
        competing = points[trip.layer.group].fillna(0.0).to_numpy()
        value = access_of(trip, capacity, competing).value
        # PySAL takes one value for each person: whole people, and tenths of a toddler.
        for group, parts in (("total", 1), ("child_0_2", 10)):
            people = np.where(points["zone_id"].notna() & ~np.isnan(value), points[group].fillna(0.0), 0.0)
            counted = np.rint(parts * people).astype(int)
            assert counted.sum() > 100_000
            everybody = np.repeat(value, counted)
            assert Distribution.of(value, counted).gini() == pytest.approx(pysal(everybody), abs=1e-9), trip.layer.id


def test_the_gini_of_uneven_parts_of_people_is_that_of_every_pair(sample: RunResult) -> None:
    table = read(sample, "equity.csv").set_index(KEYS)
    points = sample.computed.layers.demand.points
    for trip, capacity in asked(sample):
        competing = points[trip.layer.group].fillna(0.0).to_numpy()
        rows = pd.DataFrame({"value": access_of(trip, capacity, competing).value, "people": points["elder_60"]})
        rows = rows[points["zone_id"].notna()].dropna()
        by_value = rows.groupby("value")["people"].sum()
        expected = by_pairs(by_value.index.to_numpy(), by_value.to_numpy())
        # Tables keep ten digits.
        assert table.loc[(trip.layer.id, capacity, "elder_60", "study"), "gini"] == pytest.approx(expected, abs=1e-9)


def test_the_worst_served_tenth_is_a_tenth_and_nobody_elsewhere_has_less(sample: RunResult) -> None:
    table, worst = read(sample, "equity.csv").set_index(KEYS), read(sample, "worst_served.csv")
    towns = read(sample, "zones.csv").set_index("zone_id")
    sums = worst.groupby(KEYS, sort=False)[["people", "share_of_tenth"]].sum()
    assert len(sums) == len(table)
    tenth = (table["population"] - table["no_data"]) / 10
    assert sums["people"].to_numpy() == pytest.approx(tenth.loc[sums.index].to_numpy(), rel=1e-8)
    assert sums["share_of_tenth"].to_numpy() == pytest.approx(1, abs=1e-8)
    assert (worst["zone_name"].to_numpy() == towns.loc[worst["zone_id"], "name"].to_numpy()).all()
    assert worst["share_of_zone"].between(0, 1).all()
    for group in GROUPS:
        rows = worst[worst["group"] == group]
        assert rows["population"].to_numpy() == pytest.approx(
            towns.loc[rows["zone_id"], f"population_{group}"].to_numpy(), rel=1e-8
        )
    kinds = worst["zone_id"].map(towns["area_type"])
    assert ((worst["scope"] == "study") | (worst["scope"] == kinds)).all()


def test_curves_are_convex_and_below_the_diagonal(sample: RunResult) -> None:
    curves = read(sample, "lorenz.csv")
    table = read(sample, "equity.csv").set_index(KEYS)
    for key, curve in curves.groupby(KEYS):
        share, had = curve["people_share"].to_numpy(), curve["accessibility_share"].to_numpy()
        assert len(curve) == 101
        assert (had[0], had[-1]) == (0, 1)
        assert (np.diff(had) >= 0).all()
        assert (np.diff(had, 2) >= -1e-9).all()
        assert (had <= share + 1e-9).all()
        # Chords of 101 points lie above the curve: the area is at most the Gini's.
        area = 1 - 2 * float(np.trapezoid(had, share))
        assert area <= table.loc[key, "gini"] + 1e-9
        assert area == pytest.approx(table.loc[key, "gini"], abs=0.01)
        assert had[90] == pytest.approx(1 - table.loc[key, "best_tenth_share"], abs=1e-9)
    assert curves.groupby(KEYS).ngroups == len(table)


def test_the_workbook_says_what_the_table_says(sample: RunResult) -> None:
    heading, *rows = openpyxl.load_workbook(sample.folder / "zones.xlsx")["公平"].iter_rows(values_only=True)
    table = read(sample, "equity.csv")
    sheet = pd.DataFrame(rows, columns=heading)
    for said, name in {"基尼系数": "gini", "帕尔马式比值": "palma_ratio", "人口(人)": "population"}.items():
        assert sheet[said].astype(float).to_numpy() == pytest.approx(table[name].to_numpy(), rel=1e-9, nan_ok=True)
    first = sheet.iloc[3]
    assert first.tolist()[:4] == ["养老服务设施", "床位", "60岁及以上", "全域"]
    worst = read(sample, "worst_served.csv")
    town = worst[(worst[KEYS] == ["elder_care", "beds", "elder_60", "study"]).all(axis=1)].iloc[0]
    towns = first["最差一成所在镇街(人,占该镇街)"]
    assert towns.startswith(f"{town['zone_name']} {town['people']:,.0f} 人(")
    assert "；另 18 个镇街 " in towns
