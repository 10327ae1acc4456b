"""San Francisco's 205 tracts and 16 stores: published optima."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from facility_coverage.analysis import centers, covering, medians, siting
from facility_coverage.analysis.siting import Instance

pytestmark = pytest.mark.realdata


def test_four_problems_have_the_published_optima(realdata: Path) -> None:
    table = pd.read_csv(realdata / "siting_sf" / "SF_network_distance_candidateStore_16_censusTract_205_new.csv")
    length = table.pivot_table(index="name", columns="DestinationName", values="distance")
    demand = pd.read_csv(realdata / "siting_sf" / "SF_demand_205_centroid_uniform_weight.csv")
    people = demand.set_index("NAME")["POP2000"].reindex(length.columns).to_numpy(dtype=float)
    metres = length.to_numpy()
    assert metres.shape == (16, 205)
    rows, columns = np.nonzero(metres <= 5_000)
    near = Instance.of(csr_array((metres[rows, columns], (rows, columns)), shape=metres.shape), people)
    everywhere = Instance.of(csr_array(metres), people)
    assert siting.lscp(near).objective == 8
    assert covering.mclp(near, 4).objective == siting.mclp_direct(near, 4).objective == 875_247
    assert medians.p_median(everywhere, 4, longest=float(metres.max())).objective == pytest.approx(
        2_848_268_129.7145, abs=1e-3
    )
    assert centers.p_center(everywhere, 4).objective == pytest.approx(7_403.0638, abs=1e-4)
