"""What registers say of facilities beyond their place: when they opened, what they passed, their address."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from facility_coverage.layers.model import Floats
from facility_coverage.sample.frame import CRS, stream
from facility_coverage.sample.placing import FIRST, SECOND, towns_of
from facility_coverage.sample.towns import DISTRICTS, TOWNS

CENTRES = ("street_centre", "town_centre")
#: Towns whose elder-care centre opened after 2020, and when: most were built in the years of the plan.
NEW_CENTRES = {
    0: 2022, 3: 2024, 4: 2023, 6: 2021, 10: 2021, 11: 2022, 12: 2022, 14: 2025, 16: 2023, 17: 2021, 18: 2022, 20: 2024,
    21: 2023, 22: 2025, 25: 2023,
}  # fmt: skip
SLOTS_2020 = 1_371
#: Towns whose health centre is a medical sub-centre of its district.
SUB_CENTRES = (5, 10, 13, 18, 23, 24, 27)
#: Districts whose largest childcare facility is the model for the others; Hejiang has none.
DEMONSTRATED = ("500118", "510521")
#: Health centres up to so far from the elder-care centre of their town share its compound.
SHARED_M = 25.0


def with_elder_care_records(elder: gpd.GeoDataFrame, estates: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the layer with quality_passed, contracted, opened and address; None = not told."""
    rng = stream("elder care records")
    new = _new_elder_care(elder, estates, rng)
    passed = rng.random(len(elder)) < np.where(new, 0.98, 0.7)
    town = towns_of(elder)
    listed = pd.Series(town).map(NEW_CENTRES).to_numpy(dtype=np.float64)
    opened = np.where(elder["tier"].isin(CENTRES) & ~np.isnan(listed), listed, _years(new, rng))
    told = {
        "quality_passed": _told(passed, 0.95, rng),
        "contracted": _told(rng.random(len(elder)) < 0.97, 0.99, rng),
        "opened": opened,
        "address": [_address(name, number) for name, number in zip(elder["name"], town, strict=True)],
    }
    return _with(elder, told)


def with_childcare_records(childcare: gpd.GeoDataFrame, estates: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the layer with inclusive, demonstration and opened; None = not told."""
    rng = stream("childcare records")
    district = np.asarray([TOWNS[n].district_id for n in towns_of(childcare)])
    largest = [childcare["slots"].where(district == one).idxmax() for one in DEMONSTRATED]
    slots = childcare["slots"].to_numpy(dtype=np.float64)
    opened = opened_after(slots, district == "500118", SLOTS_2020, rng, new=_within(childcare, estates))
    told = {
        "inclusive": _told(rng.random(len(childcare)) < 0.8, 0.95, rng),
        "demonstration": childcare.index.isin(largest),
        "opened": opened,
    }
    return _with(childcare, told)


def with_medical_records(medical: gpd.GeoDataFrame, elder: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the layer with sub_centre, opened and address, some of them those of elder care; None = not told."""
    rng = stream("medical records")
    town, is_centre = towns_of(medical), (medical["tier"] == "health_centre").to_numpy()
    # Few clinics say when they opened.
    opened = _years(rng.random(len(medical)) < 0.5, rng)
    opened[is_centre | (rng.random(len(medical)) > 0.08)] = np.nan
    address = [
        _address(name, number) if tier != "clinic" else None
        for name, number, tier in zip(medical["name"], town, medical["tier"], strict=True)
    ]
    centres = elder[elder["tier"].isin(CENTRES)].to_crs(CRS)
    beside = dict(zip(towns_of(centres).tolist(), zip(centres.geometry, centres["address"], strict=True), strict=True))
    for row, place in zip(np.flatnonzero(is_centre), medical[is_centre].to_crs(CRS).geometry, strict=True):
        other, shared = beside[int(town[row])]
        if shapely.distance(place, other) < SHARED_M:
            address[row] = shared
    return _with(medical, {"sub_centre": is_centre & np.isin(town, SUB_CENTRES), "opened": opened, "address": address})


def opened_after(
    sizes: Floats, own: np.ndarray, old_total: float, rng: np.random.Generator, *, new: np.ndarray | None = None
) -> Floats:
    """Return years of opening by which Yongchuan has about `old_total` of its sizes in 2020; NaN = not told.

    Parameters
    ----------
    sizes
        Slots, square metres …
    own
        What lies in Yongchuan.
    old_total
        Size of what was there in 2020.
    rng
        Chance.
    new
        What surely opened later.
    """
    later = np.zeros(len(sizes), dtype=np.bool_) if new is None else new.copy()
    left = sizes[own].sum() - old_total - sizes[own & later].sum()
    for one in rng.permutation(len(sizes)):
        # What is too large for the rest was there before, and a smaller one opens in its place.
        if own[one] and not later[one] and sizes[one] <= left:
            later[one], left = True, left - sizes[one]
    return _years(later | (~own & (rng.random(len(sizes)) < 0.5)), rng)


def _new_elder_care(elder: gpd.GeoDataFrame, estates: gpd.GeoDataFrame, rng: np.random.Generator) -> np.ndarray:
    """Say what opened after 2020: centres as listed, a third of the stations and half of the village points.

    Stations of new estates are new, and so are those with many nursing beds, which earlier ones lacked.
    """
    share = (elder["nursing_beds"] / elder["beds"]).fillna(0.57).to_numpy() + rng.normal(0.0, 0.03, len(elder))
    share = np.where(_within(elder, estates), 9.0, share)
    new = elder["tier"].isin(CENTRES).to_numpy() & np.isin(towns_of(elder), list(NEW_CENTRES))
    for tier, part in (("station", 1.0 / 3.0), ("village_point", 0.5)):
        rows = np.flatnonzero(elder["tier"] == tier)
        new[rows[np.argsort(-share[rows], kind="stable")[: round(part * len(rows))]]] = True
    return np.asarray(new)


def _within(layer: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> np.ndarray:
    return np.asarray(shapely.intersects(shapely.union_all(areas.geometry.to_numpy()), layer.geometry.to_numpy()))


def _years(new: np.ndarray, rng: np.random.Generator) -> Floats:
    """Return years after 2020 for what is new, before for the rest, of which a tenth has told none."""
    years = np.where(new, rng.integers(2021, 2026, len(new)), rng.integers(2006, 2021, len(new))).astype(np.float64)
    return np.where(~new & (rng.random(len(new)) < 0.1), np.nan, years)


def _told(answer: np.ndarray, known: float, rng: np.random.Generator) -> list[bool | None]:
    """Return the answers of a share of facilities; None of the others."""
    return [bool(one) if chance < known else None for one, chance in zip(answer, rng.random(len(answer)), strict=True)]


def _address(name: str, town: int) -> str:
    """Return an invented address: of the community or village that the name tells, or in the seat's main street."""
    place, own = f"{DISTRICTS[TOWNS[town].district_id]}{TOWNS[town].name}", name.removeprefix(TOWNS[town].name)
    number = sum(ord(letter) for letter in name) % 180 + 1
    here, rest = own[:2], own[2:]
    if rest.startswith("社区"):
        return f"{place}{here}社区{here}路{number}号"
    if rest.startswith("村"):
        return f"{place}{here}村{number % 9 + 1}组"
    street = FIRST[(11 * town + 3) % len(FIRST)] + SECOND[(7 * town + 5) % len(SECOND)]
    return f"{place}{street}路{number}号"


def _with(layer: gpd.GeoDataFrame, columns: dict[str, Any]) -> gpd.GeoDataFrame:
    """Return the layer with more columns, the geometry last."""
    return gpd.GeoDataFrame(pd.DataFrame(layer.drop(columns="geometry")).assign(**columns), geometry=layer.geometry)
