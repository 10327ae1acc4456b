"""Slopes and one-way streets of real places against SciPy, with every point inserted as a node of its own."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

import oracles
from facility_coverage.config.reading import load_study
from facility_coverage.study import Computed, compute
from places import MAX_ACCESS_M, comoros_study, may_walk, poa_study

pytestmark = pytest.mark.realdata

DOCS = Path(__file__).parents[2] / "docs"
LEVEL_KMH, STAIRS_KMH = 2.88, 1.31  # an older person
CAR_KMH = {"motorway": 60, "trunk": 50, "primary": 40, "secondary": 40, "tertiary": 30, "unclassified": 20}
CAR_KMH |= {"residential": 20, "service": 10}

#: Values of an access tag that leave a way to some, or to nobody, by car.
OPEN_TO_FEW = {
    "no", "private", "agricultural", "forestry", "military", "delivery", "residents", "emergency", "bus", "psv",
}  # fmt: skip


def run(folder: Path, study: dict[str, object]) -> Computed:
    path = folder / f"{study['id']}.yaml"
    path.write_text(yaml.safe_dump(study, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return compute(load_study(path, allow_outside=True))


def elder_study(data: Path, *, slope: bool) -> dict[str, object]:
    study = comoros_study(data)
    study["facilities"][0]["profile"] = "elder"  # type: ignore[index]
    if slope:
        study["terrain"] = {"path": [str(tile) for tile in sorted((data / "comoros").glob("*.hgt.zip"))]}
    return study


@pytest.fixture(scope="module")
def sloping(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Computed:
    return run(tmp_path_factory.mktemp("slope"), elder_study(realdata, slope=True))


@pytest.fixture(scope="module")
def level(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Computed:
    return run(tmp_path_factory.mktemp("level"), elder_study(realdata, slope=False))


def compare(computed: Computed, segments: oracles.Segments, speed_ms: float, *, towards: bool) -> float:
    """Check the seconds of every demand point; return the largest difference."""
    if towards:  # the search starts at the facilities and walks against the traffic
        segments = dataclasses.replace(segments, ahead_s=segments.back_s, back_s=segments.ahead_s)
    points = computed.layers.demand.points
    facilities = computed.layers.facilities["health"]
    theirs = oracles.nearest_seconds(
        segments,
        points[["x_m", "y_m"]].to_numpy(),
        np.column_stack([facilities.geometry.x, facilities.geometry.y]),
        max_access_m=MAX_ACCESS_M,
        access_speed_ms=speed_ms,
    )
    ours = computed.coverage.demand["health_s"].to_numpy()
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    reached = ~np.isnan(ours)
    assert reached.sum() > 1000
    return float(np.abs(ours[reached] - theirs[reached]).max())


def pace(rise_m: np.ndarray, run_m: np.ndarray) -> np.ndarray:
    """Seconds per metre up a slope: 6 exp(-3.5 |s + 0.05|) km/h, scaled to the elder's speed on level ground."""
    slope = np.clip(rise_m / np.maximum(run_m, 1e-12), -1, 1)
    tobler, flat = 6 * np.exp(-3.5 * np.abs(slope + 0.05)), 6 * np.exp(-3.5 * 0.05)
    return 3.6 / (LEVEL_KMH * tobler / flat)


def test_an_older_person_on_the_slopes_of_comoros(sloping: Computed) -> None:
    roads = sloping.layers.roads
    assert roads.elevation_m is not None
    steps = (roads.tags["highway"] == "steps").to_numpy()
    speed_ms = np.where(steps, STAIRS_KMH, LEVEL_KMH) / 3.6
    rows = roads.tags.to_dict("records")
    open_ = np.array([tags["highway"] != "ferry" and may_walk(tags) for tags in rows])
    flat = oracles.segments_of_ways(roads.xy, roads.node, roads.start, speed_ms=speed_ms, keep=open_)
    kept = np.repeat(open_, np.diff(roads.start))
    kept[roads.start[1:] - 1] = False
    first = np.flatnonzero(kept)
    run_m = np.linalg.norm(flat.b_xy - flat.a_xy, axis=1)
    rise_m = roads.elevation_m[first + 1] - roads.elevation_m[first]
    stairs = np.repeat(steps, np.diff(roads.start))[first]
    segments = dataclasses.replace(
        flat,
        ahead_s=np.where(stairs, flat.ahead_s, run_m * pace(rise_m, run_m)),
        back_s=np.where(stairs, flat.back_s, run_m * pace(-rise_m, run_m)),
    )
    graph = sloping.networks["elder"].graph
    assert graph.forward_s[graph.last].sum() != pytest.approx(graph.backward_s[graph.last].sum(), rel=1e-3)
    junctions = junctions_of(roads.node, roads.start, open_)
    segments = oracles.without_small_pieces(segments, junctions, min_nodes=30)
    assert compare(sloping, segments, LEVEL_KMH / 3.6, towards=True) <= 0.01


def covered(computed: Computed) -> float:
    rows = computed.coverage.summary.set_index(["scope", "layer", "group"])
    return float(rows.loc[("study", "health", "total"), "covered"])


def test_the_docs_say_how_many_people_the_slope_moves_out_of_the_circle(level: Computed, sloping: Computed) -> None:
    ours = covered(level), covered(sloping)
    assert ours[1] < ours[0]
    text = (DOCS / "profiles.md").read_text(encoding="utf-8")
    found = re.search(r"level ground ([\d,]+) people.*?with its slopes ([\d,]+)", text, re.DOTALL)
    assert found is not None
    assert [int(figure.replace(",", "")) for figure in found.groups()] == [int(figure) for figure in ours]
    # nobody gains by it beyond the gentle downhill that Tobler grants
    gained = (sloping.coverage.demand["health_s"] < level.coverage.demand["health_s"] / np.exp(0.175) - 1e-6).sum()
    assert gained == 0


def one_way(tags: dict[str, str | None]) -> int:
    """1 along the drawing only, -1 against it only, 0 both ways."""
    if tags["oneway"] in {"yes", "true", "1"}:
        return 1
    if tags["oneway"] in {"-1", "reverse"}:
        return -1
    if tags["oneway"] == "no":
        return 0
    return int(tags["junction"] in {"roundabout", "circular"} or tags["highway"] == "motorway")


@pytest.mark.parametrize("direction", ["to_facility", "from_facility"])
def test_driving_in_porto_alegre_obeys_one_way_streets(realdata: Path, tmp_path: Path, direction: str) -> None:
    study = poa_study(realdata, tmp_path)
    study["facilities"][0]["profile"] = "driver"  # type: ignore[index]
    study["profiles"] = {
        "driver": {"name": "Driver", "mode": "car", "direction": direction, "speeds_kmh": CAR_KMH,
                   "access_speed_kmh": 4.82, "source": "the test's own"}
    }  # fmt: skip
    computed = run(tmp_path, study)
    roads = computed.layers.roads
    speed, ahead, back = [], [], []
    for tags in roads.tags.to_dict("records"):
        opened = next((tags[k] for k in ("motorcar", "motor_vehicle", "vehicle", "access") if tags.get(k)), None)
        usable = tags["highway"] in CAR_KMH and opened not in OPEN_TO_FEW
        limit = float(tags["maxspeed"]) if str(tags["maxspeed"]).isdigit() else np.inf
        speed.append(min(CAR_KMH.get(tags["highway"], 1), limit) / 3.6)
        ahead.append(usable and one_way(tags) >= 0)
        back.append(usable and one_way(tags) <= 0)
    keep = np.array(ahead) | np.array(back)
    flat = oracles.segments_of_ways(roads.xy, roads.node, roads.start, speed_ms=np.array(speed), keep=keep)
    kept = np.repeat(keep, np.diff(roads.start))
    kept[roads.start[1:] - 1] = False
    way = np.repeat(np.arange(len(keep)), np.diff(roads.start))[kept]
    segments = dataclasses.replace(
        flat,
        ahead_s=np.where(np.array(ahead)[way], flat.ahead_s, np.inf),
        back_s=np.where(np.array(back)[way], flat.back_s, np.inf),
    )
    junctions = junctions_of(roads.node, roads.start, keep)
    segments = oracles.without_small_pieces(segments, junctions, min_nodes=30)
    assert np.isinf(segments.back_s).sum() > 1000
    assert compare(computed, segments, 4.82 / 3.6, towards=direction == "to_facility") <= 0.01


def junctions_of(node: np.ndarray, start: np.ndarray, keep: np.ndarray) -> set[int]:
    """Nodes used more than once by the kept ways, and their ends."""
    of_kept = np.repeat(keep, np.diff(start))
    uses = np.bincount(node[of_kept], minlength=int(node.max()) + 1)
    ends = {*node[start[:-1]][keep].tolist(), *node[start[1:] - 1][keep].tolist()}
    return ends | set(np.flatnonzero(uses > 1).tolist())
