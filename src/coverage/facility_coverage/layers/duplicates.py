"""Facilities that are listed twice: found by name and distance, made one on request."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from rapidfuzz import fuzz, process
from scipy import sparse
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from facility_coverage.layers.model import Ints

COMPANY_FORMS = (
    "有限责任公司", "股份有限公司", "有限公司", "分公司", "公司", "(?:co|ltd|inc|llc|sarl|gmbh)", "limited",
)  # fmt: skip
"""Endings of names that say who owns a facility and not which one it is; patterns, longest first."""

#: Facilities whose neighbours are looked up at once: bounds the memory where many stand at one place.
_BLOCK = 2000

_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】|〔[^〔〕]*〕|《|》")
_MARKS = re.compile(r"[^\w\s]|_")
_FORM = re.compile(rf"(?:(?<=\S)(?:{'|'.join(COMPANY_FORMS[:5])})|\s+(?:{'|'.join(COMPANY_FORMS[5:])}))\s*$")
_BESIDE_HANZI = re.compile(r"(?<=[\u3400-\u9fff])\s+|\s+(?=[\u3400-\u9fff])")
_FIGURES = re.compile(r"[0-9十百]+")
_HANZI_FIGURES = str.maketrans("〇零一二三四五六七八九", "00123456789")


def plain_name(name: str) -> str:
    """Return a facility's name as it is compared.

    NFKC and small letters; without the contents of brackets, without punctuation and the form of a company, without
    spaces beside Chinese characters; single Chinese figures as digits. What would be nothing then keeps its brackets.

    Examples
    --------
    >>> plain_name("重庆市康宁 养老服务有限公司（东街店）"), plain_name("Pharmacie  du Port S.A.R.L")
    ('重庆市康宁养老服务', 'pharmacie du port')
    >>> plain_name("第三小学") == plain_name("第３小学"), plain_name("(Oasis)")
    (True, 'oasis')
    """
    text = unicodedata.normalize("NFKC", name).casefold()
    open_text = _BRACKETS.sub(" ", text)
    short = _short(open_text) or _short(text)
    return short or " ".join(text.split())


def _short(text: str) -> str:
    text = re.sub(r"(?<=\b\w)\.(?=\w\b)", "", text)  # s.a.r.l
    text = _BESIDE_HANZI.sub("", " ".join(_MARKS.sub(" ", text).split()))
    for _ in range(3):  # … Co. Ltd., 有限公司分公司
        text = text if text in COMPANY_FORMS else _FORM.sub("", text)
    return text.strip().translate(_HANZI_FIGURES)


def find_pairs(facilities: gpd.GeoDataFrame, *, distance_m: float, similarity: float) -> pd.DataFrame:
    """Return the pairs of facilities that are likely one and the same.

    Two are, if their names are alike, hold the same figures (第一 and 第二 are two schools), stand within the distance
    and have the same tier. Distances are those between outlines where facilities have one: a point inside a building is
    0 m from it. A facility without a name (its name is its id) is like no other.

    Parameters
    ----------
    facilities
        `facility_id`, `name`, `tier`, and outlines or points in metres as geometry.
    distance_m
        Greatest distance, metres, inclusive.
    similarity
        Least similarity of the names, 0–1, inclusive: the share of letters that both have in the same order, their
        words sorted.

    Returns
    -------
    pandas.DataFrame
        `first`, `second` (positions in `facilities`, first < second), `distance_m`, `similarity`; sorted by the two.
    """
    named = np.flatnonzero((facilities["name"] != facilities["facility_id"]).to_numpy())
    places = facilities.geometry.to_numpy()[named]
    names = _plain_names(facilities["name"].iloc[named])
    figures = pd.factorize(np.array([" ".join(_FIGURES.findall(name)) for name in names], dtype=object))[0]
    tiers = pd.factorize(facilities["tier"].to_numpy(dtype=object)[named])[0]
    tree = shapely.STRtree(places)
    found = [_no_pairs()]
    for begin in range(0, len(named), _BLOCK):
        block = places[begin : begin + _BLOCK]
        first, second = tree.query(block, predicate="dwithin", distance=distance_m)
        first = first + begin
        asked = (first < second) & (figures[first] == figures[second]) & (tiers[first] == tiers[second])
        first, second = first[asked], second[asked]
        alike = process.cpdist(names[first], names[second], scorer=fuzz.token_sort_ratio, dtype=np.float64) / 100.0
        kept = alike >= similarity
        first, second = first[kept], second[kept]
        apart = shapely.distance(places[first], places[second])
        found.append(
            pd.DataFrame(
                {"first": named[first], "second": named[second], "distance_m": apart, "similarity": alike[kept]}
            )
        )
    pairs = pd.concat([part for part in found if len(part)] or [_no_pairs()], ignore_index=True)
    return pairs.sort_values(["first", "second"], ignore_index=True)


def _plain_names(names: pd.Series) -> np.ndarray[Any, np.dtype[np.object_]]:
    spelling = {name: plain_name(name) for name in names.unique()}
    return names.map(spelling).to_numpy(dtype=object)


def _no_pairs() -> pd.DataFrame:
    types = {"first": np.int64, "second": np.int64, "distance_m": np.float64, "similarity": np.float64}
    return pd.DataFrame({name: np.empty(0, dtype=kind) for name, kind in types.items()})


def same_as(pairs: pd.DataFrame, count: int) -> Ints:
    """Return for each of `count` facilities the first of those it is the same as, itself if there is none.

    What is the same as a third is the same as one another.

    Examples
    --------
    >>> same_as(pd.DataFrame({"first": [0, 2], "second": [2, 3]}), 5)
    array([0, 1, 0, 0, 4])
    """
    ones = np.ones(len(pairs), dtype=np.int8)
    links = sparse.coo_array((ones, (pairs["first"].to_numpy(), pairs["second"].to_numpy())), shape=(count, count))
    _, part = connected_components(links, directed=False)
    _, first = np.unique(part, return_index=True)
    whole: Ints = first[part].astype(np.int64)
    return whole


def merged(facilities: gpd.GeoDataFrame, pairs: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return the facilities with duplicates made one.

    The first of those that are the same wins, with its id, place and values; what it lacks is taken from the next that
    has it. Nothing is added up.

    Parameters
    ----------
    facilities
        The most trusted first.
    pairs
        From `find_pairs`.
    """
    first = same_as(pairs, len(facilities))
    others = [column for column in facilities.columns if column not in {"facility_id", facilities.geometry.name}]
    filled = facilities[others].groupby(first, sort=True).first()
    kept = facilities.iloc[filled.index.to_numpy()]
    return kept.assign(**{column: _like(filled[column], kept[column]) for column in others})


def _like(filled: pd.Series, kept: pd.Series) -> np.ndarray[Any, np.dtype[Any]]:
    """Return filled values in the type of the column, None where text is missing."""
    if kept.dtype != object:
        return filled.astype(kept.dtype).to_numpy()
    texts = filled.astype(object).to_numpy(dtype=object).copy()
    texts[pd.isna(texts)] = None
    return texts


def same_names(facilities: gpd.GeoDataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return names that several facilities bear which are not the same: branches, or a place registered twice.

    Returns
    -------
    pandas.DataFrame
        `name` (the first spelling), `facility_count`, `facilities` (the first ten ids); sorted by name.
    """
    named = facilities["name"] != facilities["facility_id"]
    rows = pd.DataFrame(
        {
            "plain": _plain_names(facilities["name"]),
            "same": same_as(pairs, len(facilities)),
            "name": facilities["name"].to_numpy(),
            "facilities": facilities["facility_id"].to_numpy(),
        }
    )[named.to_numpy()].sort_values(["plain", "facilities"], kind="stable")
    groups = rows.groupby("plain", sort=True)
    several = groups["same"].transform("nunique") > 1
    groups = rows[several].groupby("plain", sort=True)
    table = pd.DataFrame(
        {
            "name": groups["name"].first(),
            "facility_count": groups.size(),
            "facilities": groups["facilities"].agg(lambda ids: ", ".join(ids.iloc[:10])),
        }
    )
    return table.sort_values("name", kind="stable", ignore_index=True)
