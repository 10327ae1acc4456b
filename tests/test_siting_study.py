"""A small study run with each problem of siting: the tables promise what the run computes anew after building."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
import yaml
from shapely import box

from facility_coverage.analysis.servable import servable
from facility_coverage.config.text import Lang
from facility_coverage.errors import LayerError
from facility_coverage.outputs.payload import read_payload
from facility_coverage.outputs.report.services import site_chapters
from facility_coverage.outputs.report.telling import tell
from facility_coverage.outputs.runs import read_run
from facility_coverage.running import RunResult, run_study

CRS = "EPSG:4544"
X, Y = 587_000.0, 3_247_000.0
LONGEST_MIN = 40.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two towns on a grid of streets, 400 homes, three stations, idle schools with beds and prices."""
    here = tmp_path_factory.mktemp("town")
    towns = gpd.GeoDataFrame(
        {"zone_id": ["1", "2"], "name": ["东镇", "西镇"], "area_type": ["urban", "rural"]},
        geometry=[box(0, 0, 1500, 2000), box(1500, 0, 3000, 2000)], crs=CRS,
    )  # fmt: skip
    towns.geometry = towns.geometry.translate(X, Y)
    towns.to_file(here / "zones.gpkg")
    along = [shapely.LineString([(x, y) for x in range(0, 3001, 200)]) for y in range(0, 2001, 200)]
    across = [shapely.LineString([(x, y) for y in range(0, 2001, 200)]) for x in range(0, 3001, 200)]
    streets = gpd.GeoSeries([*along, *across], crs=CRS).translate(X, Y)
    gpd.GeoDataFrame({"highway": ["residential"] * len(streets)}, geometry=streets).to_file(here / "roads.gpkg")
    rng = np.random.default_rng(8)
    homes = {"x": X + rng.uniform(10, 2990, 400), "y": Y + rng.uniform(10, 1990, 400)}
    pd.DataFrame(homes | {"total": rng.integers(1, 60, 400)}).to_csv(here / "people.csv", index=False)
    stations = [("s1", 200, 200, 40), ("s2", 400, 300, 20), ("s3", 2600, 1800, 30)]
    rows = [{"facility_id": i, "name": i, "x": X + x, "y": Y + y, "beds": beds} for i, x, y, beds in stations]
    pd.DataFrame(rows).to_csv(here / "stations.csv", index=False)
    schools = [("a", 1000, 1000, 60, 2), ("b", 1800, 400, None, 1), ("c", 2200, 1200, 20, 1), ("d", 600, 1700, 45, 1.5)]
    rows = [
        {"facility_id": i, "name": f"{i}小学", "x": X + x, "y": Y + y, "beds": beds, "price": price}
        for i, x, y, beds, price in schools
    ]
    pd.DataFrame(rows).to_csv(here / "schools.csv", index=False)
    return here


def study(folder: Path, name: str, served: dict[str, Any], **keys: Any) -> Path:
    siting = {
        "id": "next", "name": {"zh": "新建", "en": "next"}, "serves": [{"layer": "stop"} | served],
        "candidates": [{"path": "schools.csv", "crs": CRS, "price_column": "price", "capacity": ["beds"]}],
    } | keys  # fmt: skip
    content = {
        "id": name, "title": name, "date": "2025-12-31", "crs": CRS,
        "zones": {"path": "zones.gpkg"},
        "roads": {"path": "roads.gpkg"},
        "population": {"kind": "points", "path": "people.csv", "crs": CRS},
        "facilities": [
            {"id": "stop", "name": "stop", "kind": "clinic", "path": "stations.csv", "crs": CRS, "capacity": ["beds"],
             "profile": "adult", "cutoff_min": {"urban": 8, "rural": 10}}
        ],
        "network": {"min_component_nodes": 2},
        "siting": [siting],
    }  # fmt: skip
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


EXISTING = {"closable": {"facility_id": ["s1", "s2"]}, "keep_price": 0.5}
ENLARGE = {"where": {"facility_id": ["s2", "s3"]}, "adds": {"beds": 25}, "price": 0.4}
BEDS = {"capacity": {"beds": 30}, "per_person": {"beds": 0.02}}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "mclp": ({}, {"sites": 2, "spacing_m": 300}),
    "lscp": ({}, {"share": 0.9, "spacing_m": 300}),
    "backup": ({}, {"sites": 3, "spacing_m": 300}),
    "p_median": ({}, {"sites": 2, "longest_min": LONGEST_MIN, "spacing_m": 300}),
    "p_center": ({}, {"budget": 3, "longest_min": LONGEST_MIN}),
    "mclp_capacitated": (BEDS, {"budget": 3, "spacing_m": 500}),
    "closing": ({"existing": EXISTING}, {"problem": "mclp", "budget": 2.5}),
    "altering": (BEDS | {"existing": EXISTING | {"enlarge": ENLARGE}}, {"problem": "mclp_capacitated", "budget": 2.8}),
}


LANGS: tuple[Lang, ...] = ("zh", "en")
GAINS = {
    "mclp": ("新增可达人数", "People newly covered"),
    "mclp_capacitated": ("新增可服务人数", "More people served"),
    "p_median": ("节省的人·分钟", "Person-minutes saved"),
    "p_center": ("最长用时缩短的分钟", "Minutes off the longest trip"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_the_tables_promise_is_what_building_brings(folder: Path, name: str) -> None:
    served, keys = CASES[name]
    run = run_study(study(folder, name, served, **({"problem": name} | keys)), folder=folder / "out" / name)
    sites = pd.read_csv(run.folder / "sites.csv", encoding="utf-8-sig")
    (told,) = pd.read_csv(run.folder / "sitings.csv", encoding="utf-8-sig").to_dict("records")
    steps = sites[sites["order"] > 0]
    assert told["outcome"] == "optimal"
    assert told["gap"] == 0
    assert told["bound"] == pytest.approx(told["objective"])
    reached = figures(run)
    people = float(run.computed.layers.demand.points["total"].sum())
    assert told["people"] == pytest.approx(people)
    assert steps["covered"].iloc[-1] == pytest.approx(reached["covered"])
    assert steps["share"].iloc[-1] == pytest.approx(reached["covered"] / people)
    kind = told["problem"]
    if kind == "lscp":
        assert told["objective"] == pytest.approx(sites["price"].sum())
        assert reached["covered"] >= 0.9 * people - 1e-6
        assert told["greedy"] >= told["objective"] - 1e-9
    else:
        assert told["objective"] == pytest.approx(reached[kind])
        assert steps["reached"].iloc[-1] == pytest.approx(reached[kind])
        sign = -1 if kind in {"p_median", "p_center"} else 1
        assert told["before"] + sign * steps["gain"].sum() == pytest.approx(reached[kind])
        # Greedy is never better; with closings it may leave a facility open that the budget cannot pay for.
        assert sign * told["greedy"] <= sign * told["objective"] + 1e-6
    if kind == "p_center":
        assert told["farthest_min"] == pytest.approx(reached["p_center"])
        assert str(told["farthest_zone_id"]) in {"1", "2"}
    assert set(pyogrio.read_dataframe(run.folder / "coverage.gpkg", layer="sites")["action"]) == set(sites["action"])
    (shown,) = read_payload(run.folder / "map.html").core["sitings"]
    assert len(shown["sites"]) == told["sites"] == sites["action"].isin(["open", "enlarge"]).sum()
    counts = sites["action"].value_counts()
    if name in {"closing", "altering"}:
        grown = set(sites.loc[sites["action"] == "enlarge", "candidate_id"])
        kept = set(sites.loc[sites["action"] == "keep", "candidate_id"]) - grown
        numbers = [len(kept), *(counts.get(action, 0) for action in ("close", "enlarge", "open"))]
        assert "现有设施与新建：留 {}、拆 {}、改 {}、增 {}".format(*numbers) in shown["said"]
        closed = "、".join(sites.loc[sites["action"] == "close", "name"])
        assert (f"撤并：{closed}" in shown["said"]) == bool(closed)
        assert [one["name"] for one in shown["sites"] if one["name"].endswith("（改扩建）")] == [
            f"{one}（改扩建）" for one in sites.loc[sites["action"] == "enlarge", "name"]
        ]
    for lang in LANGS:
        (chapter,) = site_chapters(tell(read_run(run.folder), 0, lang))
        assert GAINS[kind if kind in GAINS else "mclp"][LANGS.index(lang)] in repr(chapter)
    after = run.computed.after
    assert after is not None
    there = set(after.layers.facilities["stop"]["facility_id"])
    assert there == ({"s1", "s2", "s3"} - set(sites.loc[sites["action"] == "close", "candidate_id"])) | {
        f"next-{order:03d}" for order in sites.loc[sites["action"] == "open", "order"]
    }


def figures(run: RunResult) -> dict[str, float]:
    """Compute what each problem counts from the trips of the study after building."""
    after = run.computed.after
    assert after is not None
    (trip,) = after.trips
    people = after.layers.demand.points["total"].to_numpy(dtype=float)
    minutes = trip.nearest.seconds / 60.0
    times = np.bincount(trip.catchment.indices, minlength=len(people))
    beds = trip.facilities["beds"].to_numpy(dtype=float)
    covered = float(people[minutes <= trip.cutoff_s / 60.0 + 1e-9].sum())
    return {
        "covered": covered,
        "mclp": covered,
        "backup": float(people @ (0.7 * (times > 0) + 0.3 * (times > 1))),
        "p_median": float(people @ np.minimum(np.nan_to_num(minutes, nan=LONGEST_MIN), LONGEST_MIN)),
        "p_center": float(minutes.max()),
        "mclp_capacitated": float(servable(trip.catchment, 0.02 * people, beds).served.sum()) / 0.02,
    }


def test_too_large_to_count_capacities_is_told_with_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facility_coverage.analysis.capacitated.MAX_PAIRS", 10)
    path = study(folder, "large", BEDS, problem="mclp_capacitated", sites=2, spacing_m=300)
    with pytest.raises(LayerError, match=r"siting next: problem: \d+ pairs .* a larger spacing_m"):
        run_study(path, folder=folder / "out" / "large")
