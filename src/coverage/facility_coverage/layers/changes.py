"""Changes to facilities: added, closed, moved, enlarged, one after the other."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from facility_coverage.config.state import AddFacilities, Change, CloseFacilities, EnlargeFacility, MoveFacility
from facility_coverage.config.study import FacilityLayer, FacilityTable
from facility_coverage.config.table import TableKeys
from facility_coverage.errors import Fault
from facility_coverage.layers.contracts import raise_faults
from facility_coverage.layers.crs import WGS84, project_xy
from facility_coverage.layers.datum import SHIFTED, to_wgs84

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COLUMNS = ("layer", "facility_id", "name", "change")


def apply_changes(
    frame: gpd.GeoDataFrame,
    changes: Sequence[Change],
    layer: FacilityLayer,
    *,
    read: Callable[[FacilityTable], gpd.GeoDataFrame],
    file: str,
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return a layer's facilities after its changes, sorted by `facility_id`, and what was changed.

    Parameters
    ----------
    frame
        `facility_id`, `name`, capacity columns, points in metres; not changed.
    changes
        Those of the study, in their order; others' are passed over.
    layer
        The layer.
    read
        Reads and places the facilities of a file as those of the layer.
    file
        Names the study in faults.

    Returns
    -------
    tuple
        The facilities; `layer`, `facility_id`, `name`, `change` (the words of the study: add, close, move, enlarge).

    Raises
    ------
    LayerError
        If a facility is not there, or one that is added is there already.
    """
    rows: list[tuple[str, str, str, str]] = []
    for change in changes:
        if change.layer != layer.id:
            continue
        ids = _ids(change)
        raise_faults(_unknown(ids, frame, layer, file))
        if isinstance(change, AddFacilities):
            added = read(_as_table(change, layer))
            raise_faults(_known(added, frame, layer, file))
            frame = gpd.GeoDataFrame(pd.concat([frame, added], ignore_index=True), geometry="geometry", crs=frame.crs)
            ids = added["facility_id"].tolist()
        names = frame.set_index("facility_id")["name"]
        rows += [(layer.id, one, str(names[one]), change.do) for one in ids]
        if isinstance(change, CloseFacilities):
            frame = frame[~frame["facility_id"].isin(ids)]
        elif isinstance(change, MoveFacility):
            frame = _moved(frame, change)
        elif isinstance(change, EnlargeFacility):
            here = frame["facility_id"] == change.id
            frame = frame.assign(**{name: frame[name].mask(here, value) for name, value in change.capacity.items()})
    ordered: gpd.GeoDataFrame = frame.sort_values("facility_id").reset_index(drop=True)
    return ordered, pd.DataFrame(rows, columns=list(COLUMNS))


def _ids(change: Change) -> list[str]:
    if isinstance(change, CloseFacilities):
        return list(change.ids)
    return [] if isinstance(change, AddFacilities) else [change.id]


def _as_table(change: AddFacilities, layer: FacilityLayer) -> FacilityTable:
    keys = {key: getattr(change.facilities, key) for key in TableKeys.model_fields}
    of_layer = {key: getattr(layer, key) for key in ("kind", "tiers", "capacity", "attributes")}
    return FacilityTable.model_validate(keys | of_layer)


def _unknown(ids: Sequence[str], frame: gpd.GeoDataFrame, layer: FacilityLayer, file: str) -> list[Fault]:
    present = frame["facility_id"].tolist()
    faults = []
    for one in ids:
        if one not in set(present):
            near = get_close_matches(one, present, n=1)
            advice = f"did you mean {near[0]!r}?" if near else ""
            faults.append(
                Fault(file, f"layer {layer.id!r} has no facility {one!r} to change", field="changes", advice=advice)
            )
    return faults


def _known(added: gpd.GeoDataFrame, frame: gpd.GeoDataFrame, layer: FacilityLayer, file: str) -> list[Fault]:
    again = sorted(set(added["facility_id"]) & set(frame["facility_id"]))
    advice = "give planned facilities ids of their own"
    return [
        Fault(file, f"layer {layer.id!r} has the facility {one!r} already", field="changes", advice=advice)
        for one in again[:20]
    ]


def _moved(frame: gpd.GeoDataFrame, change: MoveFacility) -> gpd.GeoDataFrame:
    lonlat = np.array([[change.lon, change.lat]], dtype=np.float64)
    if change.datum in SHIFTED:
        lonlat = to_wgs84(lonlat, change.datum)
    x, y = project_xy(lonlat[:, 0], lonlat[:, 1], source=WGS84, target=frame.crs)
    here = (frame["facility_id"] == change.id).to_numpy()
    shapes = frame.geometry.to_numpy().copy()
    shapes[here] = shapely.points(x[0], y[0])
    return frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))
