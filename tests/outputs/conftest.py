"""A toy district for tests of outputs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from facility_coverage.outputs.scenes import MapContent
from toy_map import toy_content


@pytest.fixture(scope="session")
def make_content() -> Callable[..., MapContent]:
    return toy_content
