"""What every room's tests may use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# A busy machine is no fault of the code: nothing here asserts how long an example takes.
settings.register_profile("without deadlines", deadline=None)
settings.load_profile("without deadlines")

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip


def _missing(what: str, reason: str) -> None:
    if what in os.environ.get("FACILITY_COVERAGE_REQUIRE", "").split(","):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session", autouse=True)
def _no_cache_of_the_user() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACILITY_COVERAGE_CACHE", "off")
        yield


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Run the sample once for all tests that look at its result."""
    from facility_coverage.running import run_study  # noqa: PLC0415 - heavy, and only some tests need it

    study = Path(__file__).parents[1] / "configs" / "yongchuan.yaml"
    return run_study(study, folder=tmp_path_factory.mktemp("run") / "yongchuan", threads=2)


@pytest.fixture(scope="session")
def chinese_font() -> None:
    """Pictures of Chinese maps need a font that has the characters."""
    from facility_coverage.errors import StudyError  # noqa: PLC0415 - heavy, and only these tests need it
    from facility_coverage.outputs.pictures.fonts import fonts_for  # noqa: PLC0415

    try:
        fonts_for(["养老"])
    except StudyError:
        _missing("browser", "no Chinese font here; apt-get install fonts-noto-cjk")


@pytest.fixture(scope="session")
def _driver() -> Iterator[Any]:
    if not (shutil.which(CHROMIUM) and shutil.which(DRIVER)):
        _missing("browser", "no Chromium here; apt-get install chromium chromium-driver fonts-noto-cjk")
    from selenium import webdriver  # noqa: PLC0415 - heavy, and only these tests need it
    from selenium.webdriver.chrome.service import Service  # noqa: PLC0415

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def browser(_driver: Any) -> Callable[[int, int], Any]:
    """Return Chromium without a network, its window set to a width and height in pixels."""

    def sized(width: int, height: int) -> Any:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        _driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        for log in ("browser", "performance"):
            _driver.get_log(log)
        return _driver

    return sized
