"""The benchmark runs, its tools agree, and every row is there; how fast is for `make bench` to say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parents[1] / "benchmarks" / "run.py"


@pytest.fixture(scope="module")
def printed() -> str:
    command = [sys.executable, str(RUN), "--quick", "--only", "nearest,nearest_k,catchments,limit"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own file
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_row_is_printed_for_the_program_and_the_libraries_it_needs(printed: str) -> None:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in printed.splitlines() if "| " in line]
    works = {(row[1], row[2]) for row in rows if len(row) > 5}
    for work in ("nearest facility", "catchments of"):
        assert {tool for name, tool in works if name.startswith(work)} >= {"facility-coverage", "scipy", "networkx"}
    assert ("3 nearest facilities", "facility-coverage") in works
    assert ("against the limit", "one pass over all links (numba)") in works


def test_all_tools_agree(printed: str) -> None:
    differences = [float(text) for text in re.findall(r"\| +(\d\.\de[-+]\d\d) s +\|", printed)]
    assert len(differences) >= 6
    assert max(differences) <= 0.05
