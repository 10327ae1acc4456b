"""Floating catchment areas as PySAL's `access` computes them."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd


def accessed(
    minutes: np.ndarray, capacity: np.ndarray, people: np.ndarray, *, limit_min: float, weight: Callable[[float], float]
) -> dict[str, np.ndarray]:
    """Return the capacity for one person at each point, by our name of the method.

    Parameters
    ----------
    minutes
        Of each trip, NaN for trips that nobody makes, shape (facilities, points).
    limit_min
        Longer trips do not count.
    weight
        Of a trip of so many minutes; plain two steps have none.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its libraries
        from access import fca  # noqa: PLC0415 - only here

        row, column = np.nonzero(~np.isnan(minutes))
        cost = pd.DataFrame({"origin": column, "dest": row, "cost": minutes[row, column]})
        demand = pd.DataFrame({"geoid": np.arange(len(people)), "demand": people})
        supply = pd.DataFrame({"geoid": np.arange(len(capacity)), "supply": capacity})
        found = {
            "two_step": fca.two_stage_fca(demand, supply, cost.copy(), max_cost=limit_min),
            "enhanced_two_step": fca.two_stage_fca(demand, supply, cost.copy(), max_cost=limit_min, weight_fn=weight),
            "three_step": fca.three_stage_fca(demand, supply, cost.copy(), max_cost=limit_min, weight_fn=weight),
        }
    return {name: one.reindex(np.arange(len(people))).fillna(0.0).to_numpy() for name, one in found.items()}
