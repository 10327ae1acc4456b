"""People rescaled to control totals, zone by zone and group by group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from facility_coverage.errors import Fault
from facility_coverage.layers.contracts import SHOWN_FAULTS, raise_faults
from facility_coverage.layers.counted import TOTAL
from facility_coverage.layers.raking import MOST_ROUNDS, TOLERANCE, Raked, Totals, rake

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from facility_coverage.layers.controls import ControlTotals
    from facility_coverage.layers.model import Floats, Ints

    Bools = npt.NDArray[np.bool_]
    Named = tuple[Sequence[str], str]
    Sums = dict[str, tuple[Floats, Floats]]

EXCESS = 1e-5
"""Disjoint groups may sum to this share more than everybody: rasters come in single precision."""


@dataclass(frozen=True)
class Rescaled:
    """People who meet the control totals.

    Attributes
    ----------
    points
        As given, with `total` and groups rescaled within the zones.
    factors
        `zone_id` (None for the whole study), `group`, `read` and `rescaled` (people before and after), `control`
        (NaN where none is given), `factor` (NaN where nobody was read).
    report
        `raking_rounds`, and `largest_residual`: the worst miss of a total as a share of it.
    """

    points: pd.DataFrame
    factors: pd.DataFrame
    report: dict[str, float]


def meet_totals(points: pd.DataFrame, groups: Sequence[str], controls: ControlTotals) -> Rescaled:
    """Rescale the people within the zones to the control totals.

    Everybody is rescaled first, together with the groups named as disjoint. Every other group follows the people of its
    point, and is then rescaled to its own totals, if it has any. Zones without a control keep their figures, unless the
    whole study has one. Nobody moves from one point to another.

    Raises
    ------
    LayerError
        If people are wanted where nobody was counted, totals contradict each other, or a group outgrows its total.
    """
    zone_ids = controls.zones.index
    inside = points["zone_id"].notna().to_numpy()
    zone = pd.Index(zone_ids).get_indexer(pd.Index(points.loc[inside, "zone_id"])).astype(np.int64)
    before = {name: points.loc[inside, name].to_numpy(dtype=np.float64) for name in (TOTAL, *groups)}
    after, raked = _joint(before, zone, controls)
    ratio = _ratio(before[TOTAL], after[TOTAL], zone, len(zone_ids))
    scalings = [raked]
    for name in (name for name in groups if name not in controls.disjoint):
        after[name] = before[name] * ratio
        if name in controls.zones.columns:
            seed = _sums(after[name][:, None], zone, len(zone_ids))
            scalings.append(_scaling(seed, _own_totals(controls, name), controls, [name]))
            after[name] = after[name] * scalings[-1].factor[zone, 0]
    sums = {name: (_of_zones(before[name], zone, controls), _of_zones(after[name], zone, controls)) for name in before}
    raise_faults(_outgrown(sums, controls))
    columns = {name: _within(points[name], inside, values) for name, values in after.items()}
    report = {
        "raking_rounds": max(one.rounds for one in scalings),
        "largest_residual": max(one.worst for one in scalings),
    }
    return Rescaled(points.assign(**columns), _factors(sums, controls), report)


def _joint(before: dict[str, Floats], zone: Ints, controls: ControlTotals) -> tuple[dict[str, Floats], _Scaling]:
    """Rescale everybody and the disjoint groups, whose people are the same."""
    block = _blocks(before, controls)
    seed = _sums(block, zone, len(controls.zones))
    scaling = _scaling(seed, _joint_totals(controls), controls, [*controls.disjoint, ""])
    factor = scaling.factor[zone]
    after = dict(zip(controls.disjoint, (block * factor).T, strict=False))
    kept = (factor == 1.0).all(axis=1)
    return {TOTAL: np.where(kept, before[TOTAL], (block * factor).sum(axis=1)), **after}, scaling


def _of_zones(people: Floats, zone: Ints, controls: ControlTotals) -> Floats:
    return np.bincount(zone, weights=people, minlength=len(controls.zones)).astype(np.float64)


@dataclass(frozen=True)
class _Scaling:
    """Factors by zone and part, shape (zones, parts), and how well they meet their totals."""

    factor: Floats
    rounds: int
    worst: float


def _sums(block: Floats, zone: Ints, count: int) -> Floats:
    """Return the people of each zone, shape (zones, parts)."""
    return np.column_stack([np.bincount(zone, weights=part, minlength=count) for part in block.T])


def _blocks(people: dict[str, Floats], controls: ControlTotals) -> Floats:
    """Return the disjoint groups and whoever is in none of them, shape (points, groups + 1)."""
    parts = [people[name] for name in controls.disjoint]
    rest = people[TOTAL] - sum(parts, start=np.zeros_like(people[TOTAL]))
    excess = rest < -EXCESS * people[TOTAL]
    if excess.any():
        message = (
            f"groups {', '.join(controls.disjoint)} sum to more than everybody at {int(excess.sum())} points, "
            f"by {-rest[excess].sum():,.1f} people"
        )
        raise_faults([Fault(controls.file, message, advice="take those that share people out of `disjoint:`")])
    return np.column_stack([*parts, np.maximum(rest, 0.0)])


def _column(controls: ControlTotals, name: str) -> Floats:
    if name not in controls.zones.columns:
        return np.full(len(controls.zones), np.nan)
    return controls.zones[name].to_numpy(dtype=np.float64)


def _joint_totals(controls: ControlTotals) -> Totals:
    """Return the totals of everybody and of the disjoint groups; the last part, whoever is in none, has none."""
    rest = np.full(len(controls.zones), np.nan)
    cell = np.column_stack([*(_column(controls, name) for name in controls.disjoint), rest])
    part = np.array([*(float(controls.study.get(name, np.nan)) for name in controls.disjoint), np.nan])
    return Totals(cell, _column(controls, TOTAL), part, float(controls.study.get(TOTAL, np.nan)))


def _own_totals(controls: ControlTotals, name: str) -> Totals:
    none = np.full((len(controls.zones), 1), np.nan)
    return Totals(none, _column(controls, name), np.array([np.nan]), float(controls.study.get(name, np.nan)))


def _scaling(seed: Floats, totals: Totals, controls: ControlTotals, names: Sequence[str]) -> _Scaling:
    """Return the factors that meet the totals; `names` are those of the parts."""
    whole = names[0] if len(names) == 1 and names[0] else TOTAL
    raise_faults(_nobody(seed, totals, controls, (names, whole)))
    raked = rake(seed, totals)
    if not raked.is_met:
        raise_faults(_unmet(raked, totals, controls, (names, whole)))
    factor = np.divide(raked.people, seed, out=np.ones_like(seed), where=seed > 0)
    misses = [abs(off) / goal for off, goal, _ in _listed(raked.residual, totals, controls, (names, whole)) if goal > 0]
    return _Scaling(factor, raked.rounds, max(misses, default=0.0))


def _listed(
    figures: Totals, totals: Totals, controls: ControlTotals, named: Named
) -> Iterable[tuple[float, float, str]]:
    """Yield the figure beside each total that is given: figure, total, and what it counts."""
    names, whole = named
    for z, zone in enumerate(controls.zones.index):
        yield float(figures.zone[z]), float(totals.zone[z]), f"{whole} of zone {zone!r}"
        for k, name in enumerate(names):
            yield float(figures.cell[z, k]), float(totals.cell[z, k]), f"{name} of zone {zone!r}"
    for k, name in enumerate(names):
        yield float(figures.part[k]), float(totals.part[k]), f"{name} of the whole study"
    yield figures.whole, totals.whole, f"{whole} of the whole study"


def _shortened(faults: list[Fault], file: str) -> list[Fault]:
    more = len(faults) - SHOWN_FAULTS
    return faults if more <= 0 else [*faults[:SHOWN_FAULTS], Fault(file, f"{more} more control totals with this fault")]


def _nobody(seed: Floats, totals: Totals, controls: ControlTotals, named: Named) -> list[Fault]:
    """Return a fault for each total above 0 where the source counts nobody."""
    counted = Totals(seed, seed.sum(axis=1), seed.sum(axis=0), float(seed.sum()))
    advice = "the source counts nobody there: check its place, or take the control out"
    faults = [
        Fault(controls.file, f"{goal:,.0f} people are wanted as {what}", advice=advice)
        for count, goal, what in _listed(counted, totals, controls, named)
        if goal > 0 and count == 0
    ]
    return _shortened(faults, controls.file)


def _unmet(raked: Raked, totals: Totals, controls: ControlTotals, named: Named) -> list[Fault]:
    """Return a fault for each total that raking misses."""
    advice = f"the control totals contradict each other or the source ({MOST_ROUNDS:,} rounds of raking): leave one out"
    faults = [
        Fault(controls.file, f"{what} comes to {goal + off:,.2f} instead of {goal:,.2f}", advice=advice)
        for off, goal, what in _listed(raked.residual, totals, controls, named)
        if abs(off) > TOLERANCE * goal
    ]
    return _shortened(faults, controls.file)


def _ratio(before: Floats, after: Floats, zone: Ints, count: int) -> Floats:
    """Return by how much everybody at each point was rescaled; where nobody was, by how much the zone was."""
    was, became = (np.bincount(zone, weights=people, minlength=count) for people in (before, after))
    of_zone = np.divide(became, was, out=np.ones(count), where=was > 0)
    return np.divide(after, before, out=of_zone[zone], where=before > 0)


def _outgrown(sums: Sums, controls: ControlTotals) -> list[Fault]:
    """Return a fault for each zone in which rescaling made a group larger than everybody."""
    total_before, total = sums[TOTAL]
    faults = []
    for name, (before, after) in sums.items():
        # Where the source itself counts more of the group than everybody, rescaling is not at fault.
        grown = after * total_before > before * total * (1 + EXCESS)
        for z in np.flatnonzero(grown & (after > total * (1 + EXCESS))):
            zone = controls.zones.index[int(z)]
            message = f"group {name!r} of zone {zone!r} comes to {after[z]:,.1f}, more than its total {total[z]:,.1f}"
            faults.append(
                Fault(controls.file, message, advice="correct the group's control, or give one for the total")
            )
    return _shortened(faults, controls.file)


def _within(values: pd.Series, inside: Bools, new: Floats) -> pd.Series:
    out = values.to_numpy(dtype=np.float64).copy()
    out[inside] = new
    return pd.Series(out, index=values.index)


def _factors(sums: Sums, controls: ControlTotals) -> pd.DataFrame:
    zones = controls.zones.index
    frames = []
    for name, (before, after) in sums.items():
        control = _column(controls, name)
        rows = {
            "zone_id": pd.Series([*zones, None], dtype="object"),
            "group": name,
            "read": [*before, before.sum()],
            "control": [*control, float(controls.study.get(name, np.nan))],
            "rescaled": [*after, after.sum()],
        }
        frames.append(pd.DataFrame(rows))
    table = pd.concat(frames, ignore_index=True)
    read = table["read"].to_numpy()
    factor = np.divide(table["rescaled"].to_numpy(), read, out=np.full(len(table), np.nan), where=read > 0)
    return table.assign(factor=factor)
