"""Facilities listed twice: names as they are compared, pairs as a slow oracle finds them, and merging."""

from __future__ import annotations

import itertools
import time
from difflib import SequenceMatcher

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from hypothesis import given
from hypothesis import strategies as st

from facility_coverage.layers.duplicates import find_pairs, merged, plain_name, same_names


def facilities(rows: list[tuple[str, str, float, float]], **columns: list[object]) -> gpd.GeoDataFrame:
    ids, names, x, y = zip(*rows, strict=True) if rows else ((), (), (), ())
    frame = {"facility_id": list(ids), "name": list(names), "tier": pd.Series([None] * len(rows), dtype=object)}
    return gpd.GeoDataFrame({**frame, **columns}, geometry=gpd.points_from_xy(x, y), crs=32648)


def pairs(frame: gpd.GeoDataFrame, distance_m: float = 100.0, similarity: float = 0.9) -> list[tuple[str, str]]:
    found = find_pairs(frame, distance_m=distance_m, similarity=similarity)
    ids = frame["facility_id"].to_numpy()
    return [(ids[i], ids[j]) for i, j in zip(found["first"], found["second"], strict=True)]


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("康宁养老院", "康 宁 养老院"),
        ("康宁养老院", "康宁养老院（东街）"),
        ("康宁养老院", "康宁养老院有限责任公司"),
        ("康宁养老服务有限公司", "康宁养老服务有限公司分公司"),
        ("康宁养老院", "康宁养老院\u3000"),
        ("第一小学", "第1小学"),
        ("ＡＢＣ诊所", "abc诊所"),
        ("Al-Noor Clinic", "al noor  clinic"),
        ("Care Homes Co., Ltd.", "Care Homes"),
        ("Pharma S.A.R.L.", "pharma sarl"),
    ],
)
def test_names_that_are_compared_as_one(name: str, other: str) -> None:
    assert plain_name(name) == plain_name(other)


@pytest.mark.parametrize(
    ("name", "plain"), [("", ""), ("有限公司", "有限公司"), ("（东）", "东"), ("公司", "公司"), ("\x1b[2J", "2j")]
)
def test_names_of_which_little_is_left(name: str, plain: str) -> None:
    assert plain_name(name) == plain


@given(st.text())
def test_any_text_has_a_plain_form_that_is_its_own(name: str) -> None:
    assert isinstance(plain_name(name), str)


def test_like_names_nearby_are_pairs_and_others_are_not() -> None:
    frame = facilities(
        [
            ("a", "康宁养老院", 0, 0),
            ("b", "康宁养老院（东街）", 100, 0),  # exactly at the limit
            ("c", "康宁养老院", 201, 0),  # 101 m from b
            ("d", "第一小学", 0, 0),
            ("e", "第二小学", 0, 0),
            ("f", "福安诊所", 0, 0),
            ("g", "g", 0, 0),  # no name: called by its id
            ("h", "h", 0, 0),
        ]
    )
    found = find_pairs(frame, distance_m=100, similarity=0.9)
    assert found.to_numpy().tolist() == [[0, 1, 100.0, 1.0]]
    assert pairs(frame, distance_m=101) == [("a", "b"), ("b", "c")]
    # Whatever their likeness, schools of different numbers are two.
    assert pairs(frame, similarity=0.0, distance_m=0) == [("a", "f")]


def test_the_similarity_is_the_share_of_letters_in_common() -> None:
    # Nine of ten letters of both in order: 2 · 9 / 20.
    frame = facilities([("a", "甲乙丙丁戊己庚辛壬癸", 0, 0), ("b", "甲乙丙丁戊己庚辛壬子", 0, 0)])
    (row,) = find_pairs(frame, distance_m=1, similarity=0.9)["similarity"]
    assert row == pytest.approx(0.9)
    assert row == pytest.approx(SequenceMatcher(None, *frame["name"]).ratio())
    assert pairs(frame, similarity=0.91) == []
    # Words in another order are the same name.
    assert pairs(facilities([("a", "Clinique Al Noor", 0, 0), ("b", "Al Noor Clinique", 0, 0)])) == [("a", "b")]


def test_tiers_that_differ_are_two_facilities() -> None:
    rows = [("a", "康宁", 0, 0), ("b", "康宁", 0, 0), ("c", "康宁", 0, 0)]
    assert pairs(facilities(rows, tier=["station", "centre", "centre"])) == [("b", "c")]


def test_a_point_inside_its_building_is_at_no_distance() -> None:
    frame = facilities([("n1", "医院", 10, 10), ("w2", "医院", 0, 0)])
    frame.geometry = [shapely.Point(10, 10), shapely.box(0, 0, 900, 900)]
    found = find_pairs(frame, distance_m=0, similarity=1.0)
    assert found[["first", "second", "distance_m"]].to_numpy().tolist() == [[0, 1, 0.0]]


def test_merging_keeps_the_first_and_fills_what_it_lacks() -> None:
    rows = [("a", "康宁", 0, 0), ("b", "康宁（东）", 50, 0), ("x", "福安", 0, 0), ("c", "康宁", 140, 0)]
    frame = facilities(rows, beds=[np.nan, 20.0, np.nan, 30.0], slots=[5.0, 6.0, np.nan, 7.0])
    found = merged(frame, find_pairs(frame, distance_m=100, similarity=0.9))
    assert found["facility_id"].tolist() == ["a", "x"]
    assert found["name"].tolist() == ["康宁", "福安"]
    # Of a, b and c, where b is near both: a's slots, b's beds, nothing added up.
    np.testing.assert_array_equal(found[["beds", "slots"]], [[20.0, 5.0], [np.nan, np.nan]])
    assert found.geometry.x.tolist() == [0.0, 0.0]
    assert found["tier"].tolist() == [None, None]
    assert len(frame) == 4  # as it was


def test_names_borne_by_several() -> None:
    rows = [("a", "康宁", 0, 0), ("b", "康宁", 50, 0), ("c", "康宁", 5000, 0), ("d", "福安", 0, 0), ("e", "福安", 1, 0)]
    frame = facilities(rows)
    found = same_names(frame, find_pairs(frame, distance_m=100, similarity=0.9))
    assert found.to_dict("records") == [{"name": "康宁", "facility_count": 3, "facilities": "a, b, c"}]
    assert same_names(facilities([]), find_pairs(facilities([]), distance_m=1, similarity=1)).empty


PLACE = st.integers(0, 3).map(lambda step: 60.0 * step)
LISTS = st.lists(
    st.tuples(st.sampled_from(["康宁", "康宁院", "康宁养老院", "第1院", "第二院", "nil"]), PLACE, PLACE), max_size=9
)


def listed(rows: list[tuple[str, float, float]]) -> gpd.GeoDataFrame:
    beds = [float(i) if i % 3 else np.nan for i in range(len(rows))]
    named = [(f"f{i}", f"f{i}" if name == "nil" else name, x, y) for i, (name, x, y) in enumerate(rows)]
    return facilities(named, beds=beds)


@given(LISTS)
def test_pairs_and_merging_agree_with_a_slow_oracle(rows: list[tuple[str, float, float]]) -> None:
    frame = listed(rows)
    named = [i for i, (name, *_) in enumerate(rows) if name != "nil"]
    alike = {  # every other pair of these names has a likeness below 0.7
        frozenset([name]) for name in ("康宁", "康宁院", "康宁养老院", "第1院", "第二院")
    } | {frozenset(["康宁", "康宁院"]), frozenset(["康宁院", "康宁养老院"])}  # 4/5 and 6/8
    expected = [
        (f"f{i}", f"f{j}")
        for i, j in itertools.combinations(named, 2)
        if frozenset([rows[i][0], rows[j][0]]) in alike
        and np.hypot(rows[i][1] - rows[j][1], rows[i][2] - rows[j][2]) <= 100
    ]
    assert pairs(frame, similarity=0.7) == expected
    graph = nx.Graph(expected)
    graph.add_nodes_from(frame["facility_id"])
    winners = sorted(min(part) for part in nx.connected_components(graph))
    once = merged(frame, find_pairs(frame, distance_m=100, similarity=0.7))
    assert sorted(once["facility_id"]) == winners
    again = merged(once, find_pairs(once, distance_m=100, similarity=0.7))
    assert_geodataframe_equal(once, again)


@given(LISTS, st.randoms(use_true_random=False))
def test_pairs_do_not_depend_on_the_order(rows: list[tuple[str, float, float]], chance: object) -> None:
    frame = listed(rows)
    order = list(range(len(rows)))
    chance.shuffle(order)  # type: ignore[attr-defined] - hypothesis gives a random.Random
    turned = frame.iloc[order].reset_index(drop=True)
    assert {frozenset(pair) for pair in pairs(frame, similarity=0.7)} == {
        frozenset(pair) for pair in pairs(turned, similarity=0.7)
    }


def test_fifty_thousand_facilities_take_seconds() -> None:
    rng = np.random.default_rng(3)
    count = 50_000
    word = np.array(list("康宁福安阳光幸福爱心老年之家社区服务站卫生院托育园诊所"))
    names = ["".join(rng.choice(word, 8)) for _ in range(count - 500)]
    x, y = rng.uniform(0, 60_000, (2, count - 500))
    twice = rng.choice(count - 500, 500, replace=False)
    rows = [(f"f{i}", names[i], x[i], y[i]) for i in range(count - 500)]
    rows += [(f"g{i}", f"{names[i]}（分店）", x[i] + 60, y[i]) for i in twice]
    frame = facilities(rows)
    began = time.perf_counter()
    found = find_pairs(frame, distance_m=100, similarity=0.9)
    took_s = time.perf_counter() - began
    ids = frame["facility_id"].to_numpy()
    assert {(ids[i], ids[j]) for i, j in found[["first", "second"]].to_numpy()} >= {(f"f{i}", f"g{i}") for i in twice}
    assert took_s < 30  # seconds; it takes about half a second, and comparing all pairs would take hours
