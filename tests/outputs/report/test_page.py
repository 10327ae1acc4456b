"""The report's page, in a browser without a network and on paper."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facility_coverage.outputs.report.page import map_code
from facility_coverage.reporting import write_report
from finished import SHOWN
from pages import click, requests, wait_for

ARTEFACTS = Path(__file__).parents[2] / "artefacts"
Browser = Callable[[int, int], Any]

pytestmark = pytest.mark.usefixtures("chinese_font")


@pytest.fixture(scope="module")
def page(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    (path,) = write_report([finished], tmp_path_factory.mktemp("report") / "report.html")
    return path


@pytest.fixture(scope="module")
def evil_page(finished_evil: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    (path,) = write_report([finished_evil], tmp_path_factory.mktemp("report") / "report.html")
    return path


def open_report(driver: Any, path: Path, *, at: str = "") -> None:
    driver.get("about:blank")
    driver.get(path.as_uri())
    driver.execute_script("document.documentElement.style.scrollBehavior = 'auto'")
    if at:
        driver.execute_script("document.getElementById(arguments[0]).scrollIntoView()", at)


def test_code_of_the_map_stands_once_and_names_no_place(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.count('id="report-frame"') == 1
    assert "L.Map" not in text  # Leaflet is in there, packed
    assert text.count('data-name="core"') == 1
    assert not re.search(r'(?:src|href)="(?!data:image/png;base64,|#)', text)


def test_the_same_run_gives_the_same_page(finished: Path, page: Path, tmp_path: Path) -> None:
    (again,) = write_report([finished], tmp_path / "report.html")
    assert again.read_bytes() == page.read_bytes()


def test_a_map_without_content_waits_for_the_page_around_it() -> None:
    code = map_code("zh")
    assert "fc-ready" in code
    assert "application/octet-stream" not in code


@pytest.mark.browser
@pytest.mark.parametrize(("name", "width", "height"), [("wide", 1440, 900), ("phone", 390, 844)])
def test_maps_come_alive_where_they_are_seen_and_nothing_is_asked_for(
    page: Path, browser: Browser, name: str, width: int, height: int
) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    driver = browser(width, height)
    open_report(driver, page)
    driver.save_screenshot(str(ARTEFACTS / f"report-{name}.png"))
    assert driver.execute_script("return document.querySelector('#r0-goal-0 iframe')") is None
    driver.execute_script("document.getElementById('r0-goal-0').scrollIntoView()")
    wait_for(driver, "return document.querySelector('#r0-goal-0 figure[data-live]')")
    driver.save_screenshot(str(ARTEFACTS / f"report-{name}-goal.png"))
    sandbox = driver.execute_script("return document.querySelector('#r0-goal-0 iframe').getAttribute('sandbox')")
    assert sandbox == "allow-scripts"
    assert driver.get_log("browser") == []
    assert set(requests(driver)) <= {page.as_uri(), "about:srcdoc"}
    assert driver.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.browser
def test_a_map_out_of_sight_is_a_picture_again(page: Path, browser: Browser) -> None:
    driver = browser(1200, 500)
    open_report(driver, page, at="r0-service-0")
    wait_for(driver, "return document.querySelector('#r0-service-0 figure[data-live]')")
    driver.execute_script("window.scrollTo(0, document.body.scrollHeight)")
    wait_for(driver, "return document.querySelectorAll('iframe').length === 0")
    picture = "const i = document.querySelector('#r0-service-0 figure img'); return i.complete && i.naturalWidth"
    assert driver.execute_script(picture) > 300
    assert driver.get_log("browser") == []


@pytest.mark.browser
def test_the_map_inside_answers_a_click_and_lets_the_wheel_scroll_the_report(page: Path, browser: Browser) -> None:
    driver = browser(1440, 900)
    open_report(driver, page, at="r0-goal-0")
    figure = "#r0-goal-0 figure[data-live] iframe"
    wait_for(driver, f"return document.querySelector('{figure}')")
    box = driver.execute_script(f"return document.querySelector('{figure}').getBoundingClientRect().toJSON()")
    x, y = box["left"] + box["width"] / 2, box["top"] + box["height"] / 2
    driver.switch_to.frame(driver.find_element("css selector", figure))
    answer, end = "return (document.querySelector('.fc-card h2') || {}).innerText", time.monotonic() + 20
    while not driver.execute_script(answer):  # the first clicks come before the browser knows what lies there
        assert time.monotonic() < end
        click(driver, x, y)
        time.sleep(0.2)
    assert driver.execute_script("return fc.state.theme") == "goal:beds"
    driver.switch_to.default_content()
    before = driver.execute_script("return window.scrollY")
    wheel = {"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": 200}
    driver.execute_cdp_cmd("Input.dispatchMouseEvent", wheel)
    wait_for(driver, f"return window.scrollY > {before} + 50")


@pytest.mark.browser
def test_every_entry_of_the_contents_leads_somewhere_and_can_be_reached_by_keys(page: Path, browser: Browser) -> None:
    driver = browser(1440, 900)
    open_report(driver, page)
    lost = "return [...document.querySelectorAll('a')].filter((a) => !document.getElementById(a.hash.slice(1))).length"
    assert driver.execute_script(lost) == 0
    driver.execute_script("document.querySelector('.contents a').focus()")
    assert driver.execute_script("return document.activeElement.hash") == "#r0-summary"


@pytest.mark.browser
def test_hostile_names_are_text_and_run_nowhere(evil_page: Path, browser: Browser) -> None:
    driver = browser(1440, 900)
    open_report(driver, evil_page, at="r0-goal-0")
    wait_for(driver, "return document.querySelector('#r0-goal-0 figure[data-live]')")
    body = driver.execute_script("return document.querySelector('main').textContent")
    assert body.count(SHOWN) > 20
    assert "\u202e" not in driver.execute_script("return document.documentElement.outerHTML")
    assert driver.execute_script("return window.hacked") is None
    only_ours = "return [...document.querySelectorAll('img')].every((n) => n.src.startsWith('data:image/png;base64,'))"
    assert driver.execute_script(only_ours)
    driver.switch_to.frame(driver.find_element("css selector", "#r0-goal-0 iframe"))
    assert driver.execute_script("return window.hacked") is None
    driver.switch_to.default_content()
    assert driver.get_log("browser") == []
    assert set(requests(driver)) <= {evil_page.as_uri(), "about:srcdoc"}


@pytest.mark.browser
def test_on_paper_maps_are_pictures_and_pages_are_numbered(page: Path, browser: Browser) -> None:
    driver = browser(1440, 900)
    open_report(driver, page, at="r0-goal-0")
    wait_for(driver, "return document.querySelector('#r0-goal-0 figure[data-live]')")
    pdf = driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True})["data"]
    path = ARTEFACTS / "report.pdf"
    path.write_bytes(base64.b64decode(pdf))
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    hidden = "return getComputedStyle(document.querySelector('#r0-goal-0 iframe')).display"
    picture = "return document.querySelector('#r0-goal-0 img').getBoundingClientRect().height"
    assert driver.execute_script(hidden) == "none"
    assert driver.execute_script(picture) > 100
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed: apt-get install poppler-utils to read the printed pages")
    words = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout  # noqa: S603, S607
    pages = words.split("\f")
    assert len(pages) > 8
    assert pages[0].count("公共服务设施评估报告") == 1
    assert pages[3].rstrip().endswith("3") or pages[3].rstrip().endswith("4")
