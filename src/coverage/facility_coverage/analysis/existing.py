"""Existing facilities that a siting may close or enlarge."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from facility_coverage.analysis.trips import Trips
from facility_coverage.config.siting import Served, Siting
from facility_coverage.config.table import Scalar
from facility_coverage.errors import Fault, LayerError

Bools = npt.NDArray[np.bool_]


def adjustable(asked: Siting, served: Served, trip: Trips) -> tuple[Bools, Bools]:
    """Tell which facilities of a layer may be closed, and which enlarged, shape (facilities,) each.

    Facilities whose capacity nobody knows cannot be enlarged: nobody would know what they hold then.

    Raises
    ------
    LayerError
        If no facility is as the siting says.
    """
    frame, existing = trip.facilities, served.existing
    nothing = np.zeros(len(frame), dtype=np.bool_)
    if existing is None:
        return nothing, nothing
    place = f"siting {asked.id}"
    closable, enlargeable, faults = nothing, nothing, []
    if existing.closable:
        closable = chosen(frame, {} if existing.closable is True else existing.closable)
        if not closable.any():
            faults.append(Fault(place, _none(served.layer, "closed"), field="existing.closable", advice=_ADVICE))
    if existing.enlarge is not None:
        enlargeable = chosen(frame, existing.enlarge.where) & frame[list(existing.enlarge.adds)].notna().all(axis=1)
        if not enlargeable.any():
            faults.append(Fault(place, _none(served.layer, "enlarged"), field="existing.enlarge", advice=_ADVICE))
    if faults:
        raise LayerError(faults)
    return np.asarray(closable), np.asarray(enlargeable)


_ADVICE = "compare the values with those of the layer's file"


def _none(layer: str, what: str) -> str:
    return f"no facility of the layer {layer!r} is as those are said to be that may be {what}"


def chosen(frame: pd.DataFrame, where: Mapping[str, Scalar | list[Scalar]]) -> Bools:
    """Tell which rows have one of the values that each column is to have, shape (rows,)."""
    fits = np.ones(len(frame), dtype=np.bool_)
    for column, wanted in where.items():
        values = wanted if isinstance(wanted, list) else [wanted]
        fits &= frame[column].isin(values).to_numpy()
    return fits
