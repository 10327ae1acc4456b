"""The maps of two real places, made by the command and opened without a network."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pages import open_page, requests
from places import comoros_study, poa_study

pytestmark = [pytest.mark.realdata, pytest.mark.browser]

ARTEFACTS = Path(__file__).parents[1] / "artefacts"


@pytest.mark.parametrize("place", ["comoros", "poa"])
def test_the_map_of_a_real_place_opens_without_a_network(
    realdata: Path, browser: Callable[[int, int], Any], tmp_path: Path, place: str
) -> None:
    study = comoros_study(realdata) if place == "comoros" else poa_study(realdata, tmp_path)
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study, allow_unicode=True), encoding="utf-8")
    program = Path(sys.executable).with_name("facility-coverage")
    done = subprocess.run(  # noqa: S603 (our own program)
        [program, "run", "study.yaml", "--allow-outside"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "maps" / place
    assert done.stdout.strip() == str(Path("maps") / place / "map.html")
    driver = browser(1440, 900)
    open_page(driver, folder / "map.html")
    ARTEFACTS.mkdir(exist_ok=True)
    driver.save_screenshot(str(ARTEFACTS / f"{place}.png"))
    assert driver.get_log("browser") == []
    assert requests(driver) == [(folder / "map.html").as_uri()]
    passport = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    (study_wide,) = [row for row in passport["coverage"] if row["scope"] == "study"]
    text = driver.execute_script("return document.body.innerText")
    # Shares are cut, not rounded, so that none reads as if it had met a target that it missed.
    assert f"{math.floor(1000 * study_wide['share']) / 10:.1f}%" in text
    assert passport["identity"] in text
