"""Competition: the accessibility of a goal, by floating catchment areas, zone by zone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from facility_coverage.analysis import measures
from facility_coverage.analysis.accessibility import (
    enhanced_two_step,
    gaussian_decay,
    huff_three_step,
    step_decay,
    three_step,
    two_step,
    weights_of,
)
from facility_coverage.analysis.evidence import Evidence, cutoff_of, people_of, serving, zones_in_scope
from facility_coverage.analysis.tally import Tally, sums_by
from facility_coverage.analysis.trips import cutoffs_by_type
from facility_coverage.config.decay import StepDecay
from facility_coverage.config.measures import Accessibility
from facility_coverage.layers.model import Floats

_METHODS = {
    "two_step": two_step,
    "enhanced_two_step": enhanced_two_step,
    "three_step": three_step,
    "huff_three_step": huff_three_step,
}


def mean_accessibility(goal: Accessibility, evidence: Evidence) -> tuple[Tally, int]:
    """Average a goal's accessibility over the people of each zone.

    Facilities that do not tell their capacity are left out: nobody chooses them, and they hand out nothing. Where the
    people of a place reach no others, or where no facility tells it, there is no figure.

    Returns
    -------
    The tally, and how many of the facilities that do not tell their capacity stand beyond the zones in scope.
    """
    layer, chosen = serving(goal, evidence)
    cutoff_min = goal.longest_min(cutoff_of(goal, layer))
    catchment = evidence.reach.catchment(
        goal.layer, chosen, profile=goal.profile or layer.profile, cutoff_min=cutoff_min
    )
    facilities = evidence.layers.facilities[goal.layer][chosen]
    capacity = facilities[goal.capacity].to_numpy(dtype=np.float64)
    unknown = np.isnan(capacity)
    competing = evidence.layers.demand.points[goal.group].fillna(0.0).to_numpy(dtype=np.float64)
    within = catchment if not unknown.any() else catchment[np.flatnonzero(~unknown)]
    weights = _weighed(goal, within, cutoffs_by_type(cutoff_min, evidence.layers))
    index = _METHODS[goal.method](weights, capacity[~unknown], competing)
    zone, people = people_of(goal, evidence, goal.group)
    counted = measures.mean_accessibility(zone, people, index, zones_in_scope(goal.scope, evidence))
    if not unknown.any():
        return counted, 0

    def reaching(which: np.ndarray) -> pd.Series:
        reached = np.asarray(catchment.T @ which.astype(np.float64)) > 0
        return sums_by(zone, reached & (people > 0)).reindex(counted.rows.index, fill_value=0.0)

    standing = facilities["zone_id"][unknown]
    missing = sums_by(standing, np.ones(len(standing))).reindex(counted.rows.index, fill_value=0.0)
    unsure = 1.0 if unknown.all() else reaching(unknown)
    rows = counted.rows.assign(missing=missing, unsure=unsure, known=0.0 if unknown.all() else reaching(~unknown))
    return replace(counted, rows=rows), int(unknown.sum() - missing.sum())


def _weighed(goal: Accessibility, within: csr_array, cutoff_s: Floats) -> csr_array:
    """Return the weight of each trip; in two steps all weigh the same."""
    decay = goal.decay
    if decay is None:
        return within
    if isinstance(decay, StepDecay):
        ends_s = [60.0 * end for end in decay.ends_min]
        return weights_of(within, lambda seconds, _: step_decay(seconds, ends_s, decay.weights))
    return weights_of(within, lambda seconds, part: gaussian_decay(seconds, cutoff_s[within.indices[part]]))
