"""Gap lists: the gaps of every promise of a study, and of every need, each with what would help."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from facility_coverage.analysis.gaps import Gathered, Variants, causes, gather, unserved
from facility_coverage.analysis.promises import Promise
from facility_coverage.analysis.remedies import capacity_remedies, remedies, remedy_table
from facility_coverage.analysis.serving import Serving
from facility_coverage.config.gaps import Gaps
from facility_coverage.config.study import FacilityLayer
from facility_coverage.layers.model import Layers
from facility_coverage.network.network import Network


@dataclass(frozen=True)
class GapList:
    """The gaps of one promise or need.

    Attributes
    ----------
    layer
        The facility layer with the cutoff, profile and group of the promise.
    goal, capacity
        Id of the goal, or column of the need; both empty for the layer's own promise.
    gathered
        The gaps.
    remedies
        What would help the largest of them (`remedies.COLUMNS`).
    """

    layer: FacilityLayer
    goal: str
    capacity: str
    gathered: Gathered
    remedies: pd.DataFrame


def gap_lists(
    promised: Iterable[Promise],
    layers: Layers,
    networks: Mapping[str, Network],
    variants: Mapping[str, Variants],
    *,
    groups: Sequence[str],
    options: Gaps,
) -> Iterator[GapList]:
    """Yield the gaps of each promise: who does not reach what is promised.

    Parameters
    ----------
    promised
        From `promises`.
    layers
        The study's data.
    networks, variants
        By profile.
    groups
        Columns of people to count.
    options
        How gaps are gathered and remedies sought.
    """
    people = layers.demand.points[list(groups)]
    for promise in promised:
        layer, network = promise.trip.layer, networks[promise.trip.layer.profile]
        why = causes(promise, layers, network, variants[layer.profile], detour_factor=options.detour_factor)
        gathered = gather(promise.trip, layers, why, people, options=options)
        found = remedies(promise, gathered, layers, network, options=options)
        yield GapList(layer, promise.goal, "", gathered, remedy_table(found, gathered))


def unserved_lists(servings: Iterable[Serving], layers: Layers, *, options: Gaps) -> Iterator[GapList]:
    """Yield the gaps of each need: who is within reach and not served."""
    for serving in servings:
        layer = serving.trip.layer.model_copy(update={"group": serving.group})
        trip = replace(serving.trip, layer=layer)
        people = pd.DataFrame({serving.group: serving.residual_people})
        gathered = gather(trip, layers, unserved(serving), people, options=options)
        found = capacity_remedies(serving, gathered, options=options)
        yield GapList(layer, "", serving.need.capacity, gathered, remedy_table(found, gathered))
