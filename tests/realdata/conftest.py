"""Real data: where it lies, and what happens where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

DATA = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Return ../shared/data, skip where it is absent, fail where it is required."""
    if not DATA.is_dir():
        reason = "../shared/data is absent: put the folder `shared` beside the project's to run this test"
        if "realdata" in os.environ.get("FACILITY_COVERAGE_REQUIRE", ""):
            pytest.fail(reason)
        pytest.skip(reason)
    return DATA
