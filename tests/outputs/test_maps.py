from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facility_coverage.outputs.maps import MapContent, map_data, write_map
from pages import open_page, requests

EVIL = "${window.hacked=1}</script><script>window.hacked=2</script><img src=x onerror='window.hacked=3'>"
ARTEFACTS = Path(__file__).parents[1] / "artefacts"
Make = Callable[..., MapContent]


def test_map_is_small_and_people_left_out_are_all_drawn(make_content: Make, tmp_path: Path) -> None:
    content = make_content()
    write_map(tmp_path / "map.html", content, lang="zh")
    assert (tmp_path / "map.html").stat().st_size < 3_000_000
    points, demand = content.layers.demand.points, content.coverage.demand
    for layer in map_data(content, lang="zh")["layers"]:
        left_out = points.loc[~demand[f"{layer['id']}_covered"], layer["group"]].sum()
        assert len(layer["gaps"]) <= 4_000
        assert sum(row[2] for row in layer["gaps"]) == pytest.approx(left_out, abs=0.05 * len(layer["gaps"]))


def test_same_content_gives_the_same_page(make_content: Make, tmp_path: Path) -> None:
    for name in "ab":
        write_map(tmp_path / name, make_content(), lang="zh")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.browser
@pytest.mark.parametrize(("name", "width", "height"), [("wide", 1440, 900), ("phone", 390, 844)])
def test_opens_offline_without_a_word_in_the_console(
    make_content: Make, browser: Callable[[int, int], Any], name: str, width: int, height: int
) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    path = ARTEFACTS / "map.html"
    write_map(path, make_content(), lang="zh")
    driver = browser(width, height)
    open_page(driver, path)
    driver.save_screenshot(str(ARTEFACTS / f"map-{name}.png"))
    assert driver.get_log("browser") == []
    assert requests(driver) == [path.as_uri()]
    assert driver.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.browser
def test_hostile_names_are_shown_as_text(
    make_content: Make, browser: Callable[[int, int], Any], tmp_path: Path
) -> None:
    path = tmp_path / "map.html"
    write_map(path, make_content(evil=EVIL), lang="zh")
    driver = browser(1440, 900)
    open_page(driver, path)
    for script in ("fc.select(fc.world.zones[0], null)", "fc.select(null, fc.layer().facilities[0])"):
        driver.execute_script(script)
        card = driver.execute_script("return document.querySelector('.fc-card h2').textContent")
        assert card.endswith(EVIL)
    body = driver.execute_script("return document.body.innerText + document.body.textContent")
    assert body.count(EVIL) > 10
    assert driver.execute_script("return window.hacked") is None
    assert driver.execute_script("return document.querySelectorAll('img').length") == 0
    assert driver.get_log("browser") == []
    assert requests(driver) == [path.as_uri()]


@pytest.mark.browser
def test_click_names_the_facility_and_the_chooser_recolours(
    make_content: Make, browser: Callable[[int, int], Any], tmp_path: Path
) -> None:
    path = tmp_path / "map.html"
    write_map(path, make_content(), lang="en")
    driver = browser(1440, 900)
    open_page(driver, path)
    spot = """
      const f = fc.layer().facilities.at(-1), k = 256 * 2 ** fc.map.getZoom(), o = fc.map.getPixelOrigin();
      const p = fc.map.layerPointToContainerPoint([f.x * k - o.x, f.y * k - o.y]);
      const r = fc.map.getContainer().getBoundingClientRect();
      return [p.x + r.left, p.y + r.top, f.name];"""
    x, y, name = driver.execute_script(spot)
    for kind in ("mousePressed", "mouseReleased"):
        event = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
        driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)
    assert driver.execute_script("return document.querySelector('.fc-card h2').textContent") == name
    colours = "return fc.world.zones.map(fc.zoneColour)"
    pixels = "return document.querySelector('.leaflet-map-pane canvas').toDataURL()"
    before = driver.execute_script(colours), driver.execute_script(pixels)
    driver.execute_script(
        "const s = document.getElementById('fc-layer'); s.value = '1';s.dispatchEvent(new Event('change'))"
    )
    after = driver.execute_script(colours), driver.execute_script(pixels)
    assert before[0] != after[0]
    assert before[1] != after[1]
    assert "Legend and layers" in driver.execute_script("return document.body.innerText")
    assert driver.execute_script("return document.documentElement.lang") == "en"
