"""Measures of goals, one pure function each: what is counted zone by zone, and what it is divided by.

Facilities are frames with `zone_id`, capacity columns (float, NaN = no data) and attribute columns (True, False or
None = no data). Formulas with examples by hand are in docs/measures.md.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from facility_coverage.analysis.tally import Tally, sums_by, tally

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def facility_count(facilities: pd.DataFrame, zone_ids: Collection[str]) -> Tally:
    """Count the facilities of each zone, one per row.

    Examples
    --------
    >>> facility_count(pd.DataFrame({"zone_id": ["a", "a"]}), ["a", "b"]).rows["amount"].tolist()
    [2.0, 0.0]
    """
    counted = tally(zone_ids, amount=sums_by(facilities["zone_id"], np.ones(len(facilities))), base=1.0)
    return replace(counted, is_total=True)


def capacity_total(facilities: pd.DataFrame, zone_ids: Collection[str], *, capacity: str) -> Tally:
    """Sum a capacity column over the facilities whose figure is known.

    No facilities have a capacity of 0; facilities that all lack a figure have no data.

    Examples
    --------
    >>> stations = pd.DataFrame({"zone_id": ["a", "a"], "beds": [30.0, float("nan")]})
    >>> capacity_total(stations, ["a"], capacity="beds").figure(["a"])
    Figure(amount=30.0, base=1.0, missing=1)
    """
    return replace(_sums(facilities, zone_ids, [capacity], base=1.0), is_total=True)


def capacity_per_1000(facilities: pd.DataFrame, people: pd.Series, *, capacity: str) -> Tally:
    """Relate a capacity to every thousand people; `people` are those of each zone, by id.

    Examples
    --------
    >>> nurseries = pd.DataFrame({"zone_id": ["a"], "slots": [45.0]})
    >>> capacity_per_1000(nurseries, pd.Series({"a": 4000.0, "b": 6000.0}), capacity="slots").figure(["a", "b"]).value
    4.5
    """
    return _sums(facilities, list(people.index), [capacity], base=people / 1000)


def area_per_person(facilities: pd.DataFrame, people: pd.Series, *, capacity: str, per: float) -> Tally:
    """Relate square metres to every `per` people; `people` are those of each zone, by id."""
    return _sums(facilities, list(people.index), [capacity], base=people / per)


def capacity_share(
    facilities: pd.DataFrame, zone_ids: Collection[str], *, capacity: str, part: str | None = None, attribute: str = ""
) -> Tally:
    """Relate one capacity column to another, over the facilities where both are known (0–1).

    With an attribute in place of a part: the capacity of facilities that have it, over those where it is known.
    """
    if part is not None:
        return _sums(facilities, zone_ids, [part, capacity])
    has = facilities[attribute].map({True: 1.0, False: 0.0}).astype(np.float64)
    return _sums(facilities.assign(_part=facilities[capacity] * has), zone_ids, ["_part", capacity])


def facility_share(facilities: pd.DataFrame, zone_ids: Collection[str], *, attribute: str) -> Tally:
    """Relate the facilities that have an attribute to those where it is known (0–1).

    Examples
    --------
    >>> homes = pd.DataFrame({"zone_id": ["a"] * 3, "good": [True, False, None]})
    >>> facility_share(homes, ["a"], attribute="good").figure(["a"])
    Figure(amount=1.0, base=2.0, missing=1)
    """
    has = facilities[attribute].map({True: 1.0, False: 0.0}).astype(np.float64)
    return _sums(facilities.assign(_has=has, _one=1.0), zone_ids, ["_has", "_one"])


def units_with_facility(
    unit_of_facility: pd.Series, unit_ids: Collection[str], *, at_least: int = 1, at_most: int | None = None
) -> Tally:
    """Tell which zones, districts or areas have enough facilities, and not too many: 1 or 0 each.

    Examples
    --------
    >>> units_with_facility(pd.Series(["a", "a", "b"]), ["a", "b", "c"], at_least=2).rows["amount"].tolist()
    [1.0, 0.0, 0.0]
    """
    count = sums_by(unit_of_facility, np.ones(len(unit_of_facility))).reindex(list(unit_ids), fill_value=0.0)
    enough = (count >= at_least) & (count <= (np.inf if at_most is None else at_most))
    return tally(unit_ids, amount=enough.astype(np.float64), base=1.0)


def population_covered(zone_of_point: pd.Series, people: Floats, covered: Bools, zone_ids: Collection[str]) -> Tally:
    """Relate the people within reach to all people (0–1).

    Parameters
    ----------
    zone_of_point
        Zone of each demand point, None beyond them, shape (points,).
    people
        People at each point, shape (points,).
    covered
        Whether they are within reach, shape (points,).
    zone_ids
        All zones.
    """
    return tally(
        zone_ids,
        amount=sums_by(zone_of_point, np.where(covered, people, 0.0)),
        base=sums_by(zone_of_point, people),
    )


def mean_accessibility(zone_of_point: pd.Series, people: Floats, index: Floats, zone_ids: Collection[str]) -> Tally:
    """Average a two-step accessibility over people: capacity within reach for every thousand of them.

    `index` is the capacity for one person at each point (`accessibility.two_step`), shape (points,).
    """
    return tally(zone_ids, amount=sums_by(zone_of_point, people * index), base=sums_by(zone_of_point, people) / 1000)


def colocated_share(facilities: pd.DataFrame, beside: Bools, zone_ids: Collection[str]) -> Tally:
    """Relate the facilities that have one of another layer beside them to all (0–1); `beside` is one per row."""
    return _sums(facilities.assign(_beside=beside.astype(np.float64), _one=1.0), zone_ids, ["_beside", "_one"])


def _sums(
    facilities: pd.DataFrame, zone_ids: Collection[str], columns: list[str], *, base: pd.Series | float | None = None
) -> Tally:
    """Sum the first column over rows where all columns are known; the second is the base, unless another is given."""
    values = facilities[columns].to_numpy(dtype=np.float64)
    known = ~np.isnan(values).any(axis=1)
    zone = facilities["zone_id"]
    sums = [sums_by(zone, np.where(known, values[:, c], 0.0)) for c in range(len(columns))]
    return tally(
        zone_ids,
        amount=sums[0],
        base=sums[1] if base is None else base,
        known=sums_by(zone, known),
        missing=sums_by(zone, ~known),
    )
