"""Comparison: how each verdict changed between two states, and what changed it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import pandas as pd

from facility_coverage.analysis.verdicts import PlaceVerdict, Verdict

PARTS = ("facilities", "population", "roads", "statistics", "method")
"""What is changed from the first state to the second, one after the other, in this order."""

KEY = ["plan_id", "goal_id", "level", "place_id"]


def compare(steps: Sequence[Sequence[Verdict]]) -> pd.DataFrame:
    """Return the change of every figure from the first step to the last, split by what was changed.

    Parameters
    ----------
    steps
        Verdicts of the first state, and after each of `PARTS` was changed to that of the second: 1 + len(PARTS) of
        them, the last being the second state. Two only: the change is not split.

    Returns
    -------
    pandas.DataFrame
        A row per goal and place: `plan_id`, `goal_id`, `name_zh`, `name_en`, `scale`, `level` (study, district, zone),
        `place_id`, `place`, `value_before`, `value_after`, `change`, a column per part (their sum is the change; NaN
        where a step has no value, or the change is not split), `status_before`, `status_after`.
    """
    columns = [*KEY, *_ABOUT, "value", "status"]
    tables = [pd.DataFrame(_rows(verdicts), columns=columns).set_index(KEY) for verdicts in steps]
    first, last = tables[0], tables[-1]
    index = first.index.union(last.index, sort=False)
    about = last.reindex(index)[_ABOUT].combine_first(first.reindex(index)[_ABOUT])
    values = [table["value"].astype("float64").reindex(index) for table in tables]
    unknown = pd.Series(float("nan"), index)
    changes = dict.fromkeys(PARTS, unknown)
    if len(steps) > 2:
        changes = dict(zip(PARTS, (after - before for before, after in pairwise(values)), strict=True))
    return about.assign(
        value_before=values[0],
        value_after=values[-1],
        change=values[-1] - values[0],
        **changes,
        status_before=first["status"].reindex(index),
        status_after=last["status"].reindex(index),
    ).reset_index()[[*KEY[:2], *_ABOUT[:3], *KEY[2:], _ABOUT[3], *_FIGURES]]


_ABOUT = ["name_zh", "name_en", "scale", "place"]
_FIGURES = ["value_before", "value_after", "change", *PARTS, "status_before", "status_after"]


def _rows(verdicts: Sequence[Verdict]) -> Iterator[tuple[object, ...]]:
    for verdict in verdicts:
        places: list[tuple[str, str, str, Verdict | PlaceVerdict]] = [("study", "", "", verdict)]
        places += [("district", one.id, one.name, one) for one in verdict.districts]
        places += [("zone", one.id, one.name, one) for one in verdict.zones]
        for level, place_id, place, one in places:
            about = (verdict.name_zh, verdict.name_en, verdict.scale, place)
            yield (verdict.plan_id, verdict.goal_id, level, place_id, *about, one.value, one.status)
