"""Time and memory of the floating catchment areas, on random catchments of a million points and more.

Each method runs in a process of its own, so that its peak memory is its own: ``python benchmarks/accessibility.py``.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
from scipy.sparse import csr_array

from facility_coverage.analysis import accessibility as floating

PAIRS_A_POINT, POINTS_A_FACILITY, LIMIT_S = 10, 2_000, 900.0
METHODS = ("two_step", "enhanced_two_step", "three_step", "huff_three_step")


def catchment(points: int, rng: np.random.Generator) -> csr_array:
    """Return random trips of at most the limit: some ten facilities for each point."""
    facilities = points * PAIRS_A_POINT // POINTS_A_FACILITY
    pairs = facilities * POINTS_A_FACILITY
    indices = rng.integers(0, points, pairs, dtype=np.int32)
    indptr = np.arange(0, pairs + 1, POINTS_A_FACILITY, dtype=np.int32)
    return csr_array((rng.uniform(0.0, LIMIT_S, pairs), indices, indptr), shape=(facilities, points))


def peak_mb() -> float:
    """Return the most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(method: str, decay: str, points: int) -> dict[str, object]:
    """Return seconds of a core (others on it lengthen these little) and megabytes of a method and its decay."""
    rng = np.random.default_rng(7)
    within = catchment(points, rng)
    people, capacity = rng.uniform(0, 9, points), rng.uniform(1, 99, within.shape[0])
    before, start = peak_mb(), time.process_time()
    weights = within
    if decay == "gaussian":
        weights = floating.weights_of(within, lambda seconds, _: floating.gaussian_decay(seconds, LIMIT_S))
    elif decay == "bands":
        weights = floating.weights_of(
            within, lambda seconds, _: floating.step_decay(seconds, [300, 600, 900], [1.0, 0.68, 0.22])
        )
    weighed = time.process_time()
    found = getattr(floating, method)(weights, capacity, people)
    end = time.process_time()
    return {
        "method": method, "decay": decay, "million_points": points / 1e6, "million_pairs": len(within.data) / 1e6,
        "decay_s": round(weighed - start, 2), "method_s": round(end - weighed, 2),
        "before_mb": round(before), "peak_mb": round(peak_mb()),
        "handed_out": round(float((found * people).sum() / capacity.sum()), 6),
    }  # fmt: skip


def main() -> None:
    """Measure every method, or the one named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, nargs="*", default=[1_000_000, 5_000_000])
    parser.add_argument("--only", nargs=2, metavar=("METHOD", "DECAY"))
    asked = parser.parse_args()
    if asked.only:
        print(json.dumps(measure(*asked.only, asked.points[0])))
        return
    for points in asked.points:
        for method in METHODS:
            for decay in ("none",) if method == "two_step" else ("bands", "gaussian"):
                command = [sys.executable, __file__, "--points", str(points), "--only", method, decay]
                print(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())  # noqa: S603 - itself


if __name__ == "__main__":
    main()
