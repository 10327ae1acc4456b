"""Floating catchment areas of Porto Alegre's health care, by our travel times, against PySAL's `access`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from facility_coverage.analysis.accessibility import enhanced_two_step, gaussian_decay, three_step, two_step, weights_of
from facility_coverage.analysis.reach import Reach
from facility_coverage.config.reading import load_study
from facility_coverage.study import Computed, compute
from places import poa_study
from pysal import accessed

pytestmark = pytest.mark.realdata

ENDS_MIN, WEIGHTS = [10, 20, 30], [1.0, 0.68, 0.22]
BANDS = {"decay": {"ends_min": ENDS_MIN, "weights": WEIGHTS}}
GOALS = [
    ("two_step", {"cutoff_min": 30}), ("enhanced_two_step", BANDS), ("three_step", BANDS),
    ("enhanced_two_step", {"decay": "gaussian", "cutoff_min": 30}),
    ("three_step", {"decay": "gaussian", "cutoff_min": 30}),
]  # fmt: skip


def in_bands(minutes: float) -> float:
    return next(weight for end, weight in zip(ENDS_MIN, WEIGHTS, strict=True) if minutes <= end)


def bell(minutes: float) -> float:
    return (float(np.exp(-((minutes / 30) ** 2) / 2)) - float(np.exp(-0.5))) / (1 - float(np.exp(-0.5)))


@pytest.fixture(scope="module")
def poa(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Computed:
    """Hexagons with their people; where there is health care, with the number of places as capacity."""
    folder = tmp_path_factory.mktemp("poa")
    study = poa_study(realdata, folder)
    hexagons = pd.read_csv(realdata / "poa" / "poa_hexgrid.csv").set_index("id")
    sites = pd.read_csv(folder / "sites.csv")
    sites.assign(places=hexagons["healthcare"].loc[sites["facility_id"]].to_numpy()).to_csv(folder / "sites.csv")
    (layer,) = study["facilities"]  # type: ignore[misc]
    layer["capacity"] = ["places"]
    goals = [
        {
            "id": f"{method}-{i}", "name": "n", "measure": "accessibility", "layer": "health", "capacity": "places",
            "method": method, "citation": {"document": "d", "clause": "c"}, **more,
        }
        for i, (method, more) in enumerate(GOALS)
    ]  # fmt: skip
    study["plan"] = {"id": "p", "title": "P", "goals": goals}
    path = folder / "poa.yaml"
    path.write_text(yaml.safe_dump(study, allow_unicode=True), encoding="utf-8")
    return compute(load_study(path, allow_outside=True))


@pytest.mark.parametrize("bent", [False, True], ids=["bands", "gaussian"])
def test_every_hexagon_and_every_goal_is_as_access_has_it(poa: Computed, bent: bool) -> None:
    layers, demand = poa.layers, poa.layers.demand.points
    facilities = layers.facilities["health"]
    cutoff = {"urban": 30.0, "rural": 30.0}
    everything = np.ones(len(facilities), dtype=bool)
    within = Reach(layers, poa.networks).catchment("health", everything, profile="adult", cutoff_min=cutoff)  # type: ignore[arg-type]
    pairs = within.tocoo()
    minutes = np.full(within.shape, np.nan)
    minutes[pairs.coords] = pairs.data / 60
    assert (~np.isnan(minutes)).sum() > 10_000
    capacity, people = facilities["places"].to_numpy(dtype=float), demand["total"].to_numpy(dtype=float)
    # Ours has a tolerance at the ends of bands, theirs has none: no trip is so near to an end that it matters.
    assert min(np.nanmin(np.abs(minutes - end)) for end in ENDS_MIN) > 1e-7
    weight = bell if bent else in_bands
    theirs = accessed(minutes, capacity, people, limit_min=30, weight=weight)
    weights = within.copy()
    weights.data = np.vectorize(weight, otypes=[float])(within.data / 60)
    if bent:
        ours = weights_of(within, lambda seconds, _: gaussian_decay(seconds, 1800.0))
        np.testing.assert_allclose(ours.data, weights.data, rtol=1e-9, atol=1e-12)
    methods = {"two_step": two_step, "enhanced_two_step": enhanced_two_step, "three_step": three_step}
    verdicts = {verdict.goal_id: verdict for verdict in poa.verdicts}
    for name, steps in methods.items():
        found = steps(weights, capacity, people)
        assert (found > 0).sum() > 500
        np.testing.assert_allclose(found, theirs[name], rtol=1e-9, atol=1e-15)
    for i, (method, options) in enumerate(GOALS):
        if (options.get("decay") == "gaussian") == bent:
            inside = demand["zone_id"].notna().to_numpy()
            expected = 1000 * (people * theirs[method])[inside].sum() / people[inside].sum()
            assert verdicts[f"{method}-{i}"].value == pytest.approx(expected, rel=1e-9)
