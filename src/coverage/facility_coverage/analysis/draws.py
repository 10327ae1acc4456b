"""Draws: the random numbers of a study's uncertainty, the same for all layers, zones and goals.

Each number depends on the seed, the number of the draw and the name of what it belongs to (a facility, a zone, a cell),
and on nothing else: neither the order of rows, nor other facilities, nor how many draws there are changes it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.util import hash_array
from scipy.special import ndtri

from facility_coverage.config.uncertainty import Uncertainty
from facility_coverage.layers.model import Floats, Ints

Keys = npt.NDArray[np.uint64]

_BEGIN, _EAST, _NORTH, _ZONE, _CELL = range(5)
_PLASTIC = 1.324717957244746  # the real root of x³ = x + 1
_FRACTION_BITS = 53  # of a double


@dataclass(frozen=True)
class Draw:
    """One draw: the factor of all speeds, and the access limit in metres."""

    number: int
    speed: float
    max_access_m: float


def draw(asked: Uncertainty, number: int, *, max_access_m: float) -> Draw:
    """Return a draw by its number, from 1; half of all draws lie on either side of the study's own figures.

    Speed and access limit come from a sequence that fills its square evenly from the beginning (Roberts 2018, "The
    unreasonable effectiveness of quasirandom sequences": multiples of the inverse of the plastic number and of its
    square), begun at random: with few draws, independent numbers would leave a part of the range out.

    Parameters
    ----------
    asked
        The ranges.
    number
        Which draw.
    max_access_m
        The study's own limit.
    """
    low_m, high_m = asked.access_m(max_access_m)
    share = asked.speed_share
    begin = _uniform(asked, 0, _BEGIN, np.arange(2, dtype=np.uint64))
    for_speed, for_access = (begin + number / _PLASTIC ** np.array([1.0, 2.0])) % 1.0
    return Draw(
        number,
        _between(1.0 - share, 1.0, 1.0 + share, float(for_speed)),
        _between(low_m, max_access_m, high_m, float(for_access)),
    )


def shifts_m(asked: Uncertainty, number: int, *, layer: str, facility_ids: pd.Series) -> Floats:
    """Return how far east and north each facility of a layer stands from where the study has it, shape (rows, 2)."""
    keys = _keys(layer + "\n" + facility_ids.astype(str))
    return asked.position_m * np.column_stack([_normal(asked, number, what, keys) for what in (_EAST, _NORTH)])


@dataclass(frozen=True)
class Crowd:
    """What the people of demand points are called, for drawing how many they are.

    Attributes
    ----------
    zone
        Row of each point's zone in `zone_keys`, -1 beyond the zones, shape (points,).
    zone_keys, cell_keys
        Of each zone, and of each point's cell.
    """

    zone: Ints
    zone_keys: Keys
    cell_keys: Keys

    @classmethod
    def of(cls, points: pd.DataFrame) -> Crowd:
        """Name the people of demand points.

        A cell (or a polygon, or a point) goes by the first `demand_id` of its pieces: its number would depend on the
        order of the file.
        """
        zone, zones = pd.factorize(points["zone_id"])
        pieces = points[["demand_id", "cell_id"]].sort_values("demand_id").drop_duplicates("cell_id")
        name = pd.Series(pieces["demand_id"].to_numpy(dtype=object), index=pieces["cell_id"].to_numpy())
        cells = points["cell_id"].map(name)
        return cls(zone.astype(np.int64), _keys(pd.Series(zones, dtype=object)), _keys(cells))

    def factors(self, asked: Uncertainty, number: int) -> Floats:
        """Return what the people of each point are multiplied by, of mean 1 and above 0, shape (points,).

        One factor of its zone times one of its cell, both log-normal. All groups share them, and all pieces of a cell
        share the cell's. Beyond the zones there is only the cell's.
        """
        by_zone = _log_normal(asked.population_share, _normal(asked, number, _ZONE, self.zone_keys))
        of_zone = np.append(by_zone, 1.0)  # row -1, beyond the zones, finds the 1
        return of_zone[self.zone] * _log_normal(asked.cell_share, _normal(asked, number, _CELL, self.cell_keys))


def _between(low: float, central: float, high: float, uniform: float) -> float:
    """Return low at 0, central at ½, high at 1, and evenly between."""
    if uniform <= 0.5:
        return central - (central - low) * (1.0 - 2.0 * uniform)
    return central + (high - central) * (2.0 * uniform - 1.0)


def _log_normal(share: float, normal: Floats) -> Floats:
    """Return factors of mean 1 and standard deviation `share`."""
    variance = np.log1p(share**2)
    return np.asarray(np.exp(np.sqrt(variance) * normal - variance / 2.0), dtype=np.float64)


def _keys(names: pd.Series) -> Keys:
    return hash_array(names.to_numpy(dtype=object), categorize=False)


def _normal(asked: Uncertainty, number: int, what: int, keys: Keys) -> Floats:
    return np.asarray(ndtri(_uniform(asked, number, what, keys)), dtype=np.float64)


def _uniform(asked: Uncertainty, number: int, what: int, keys: Keys) -> Floats:
    """Return a number strictly between 0 and 1 for each key."""
    (salt,) = np.random.SeedSequence([asked.seed, number, what]).generate_state(1, np.uint64)
    bits = hash_array(keys ^ salt) >> np.uint64(64 - _FRACTION_BITS + 1)
    return (bits.astype(np.float64) + 0.5) * 2.0 ** (1 - _FRACTION_BITS)
