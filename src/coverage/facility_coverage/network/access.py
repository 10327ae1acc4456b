"""Which ways a traveller on foot may use, by OpenStreetMap tags.

The rules follow the OpenStreetMap wiki, pages "Key:access", "Key:foot" and "OSM tags for routing/Access
restrictions": the most specific tag wins (`foot` over `access`), and without either the class of the way decides.
Where a country's custom differs (trunk roads, say) a `foot` tag on the way settles it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

#: Classes that are no way at all, or not yet, or no longer.
NOT_A_WAY = frozenset(
    {
        "abandoned", "construction", "demolished", "disused", "elevator", "no", "planned", "proposed",
        "razed", "rest_area", "services",
    }
)  # fmt: skip

#: Classes that nobody may walk along unless `foot` says so: for motors only, or for climbers.
NOT_ON_FOOT = frozenset({"bus_guideway", "busway", "escape", "motorway", "motorway_link", "raceway", "via_ferrata"})

#: Classes that ``motorroad=yes`` closes. On lower ones the tag is a slip: a village street of the Comoros carries it.
MOTORROAD = frozenset({"trunk", "trunk_link"})

FOOT_YES = frozenset({"yes", "designated", "permissive", "destination", "customers", "permit"})
FOOT_NO = frozenset({"no", "private", "use_sidepath"})
ACCESS_NO = frozenset({"no", "private", "military", "agricultural", "forestry"})


def walkable(tags: pd.DataFrame, *, stairs: bool = True) -> npt.NDArray[np.bool_]:
    """Tell which ways may be walked along, in both directions.

    Parameters
    ----------
    tags
        One row per way with the columns `highway`, `foot`, `access` and `motorroad` (strings or None).
    stairs
        Whether ``highway=steps`` may be used.

    Returns
    -------
    Booleans, shape (ways,).

    Examples
    --------
    >>> ways = pd.DataFrame({
    ...     "highway": ["residential", "motorway", "service", "service", "steps", "construction"],
    ...     "foot": [None, None, None, "yes", None, "yes"],
    ...     "access": [None, None, "private", "private", None, None],
    ...     "motorroad": None,
    ... })
    >>> walkable(ways).tolist()
    [True, False, False, True, True, False]
    >>> walkable(ways, stairs=False).tolist()
    [True, False, False, True, False, False]
    """
    highway, foot, access = tags["highway"], tags["foot"], tags["access"]
    is_way = highway.notna() & ~highway.isin(NOT_A_WAY)
    if not stairs:
        is_way &= highway != "steps"
    for_motors = highway.isin(NOT_ON_FOOT) | (highway.isin(MOTORROAD) & (tags["motorroad"] == "yes"))
    by_default = ~for_motors & ~access.isin(ACCESS_NO)
    allowed = is_way & (foot.isin(FOOT_YES) | (by_default & ~foot.isin(FOOT_NO)))
    return allowed.to_numpy(dtype=np.bool_)
