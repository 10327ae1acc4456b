"""Finished runs for tests of reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from facility_coverage.outputs.runs import Run, read_run
from finished import EVIL, write_finished


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_finished(tmp_path_factory.mktemp("finished"))


@pytest.fixture(scope="session")
def finished_evil(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_finished(tmp_path_factory.mktemp("evil"), evil=EVIL)


@pytest.fixture(scope="session")
def small_run(finished: Path) -> Run:
    return read_run(finished)
