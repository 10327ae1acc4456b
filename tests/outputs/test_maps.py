"""The map of a toy district, in a browser without a network."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from facility_coverage.analysis.proposals import Proposal
from facility_coverage.analysis.siting import Solution
from facility_coverage.config.siting import Siting
from facility_coverage.config.study import TileLayer
from facility_coverage.outputs import offline, texts
from facility_coverage.outputs.maps import SCRIPTS, MapContent, map_payload, write_map
from facility_coverage.outputs.panels import figure
from facility_coverage.outputs.payload import read_payload
from pages import click, click_on, open_page, press, requests, spot_of, text_of, type_into, wait_for

EVIL = (
    "${window.hacked=1}`${window.hacked=2}`</script><script>window.hacked=3</script>"
    "<img src=x onerror='window.hacked=4'>javascript:window.hacked=5\u202egnp.exe"
)
ARTEFACTS = Path(__file__).parents[1] / "artefacts"
Make = Callable[..., MapContent]
Browser = Callable[[int, int], Any]


@pytest.fixture(scope="module")
def toy(make_content: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("map") / "map.html"
    content = make_content()
    later = replace(
        content,
        state="later",
        state_name="二〇二七年",
        config=content.config.model_copy(update={"date": content.config.date.replace(year=2027)}),
    )
    assert write_map(path, [content, later], lang="zh") == []
    return path


def test_map_is_small_and_people_left_out_are_all_drawn(make_content: Make) -> None:
    content = make_content()
    points, demand = content.layers.demand.points, content.coverage.demand
    for layer in map_payload([content], lang="zh").core["scenes"][0]["layers"]:
        left_out = points.loc[~demand[f"{layer['id']}_covered"], layer["group"]].sum()
        assert len(layer["gaps"]) <= 2_000
        assert sum(row[2] for row in layer["gaps"]) == pytest.approx(left_out, abs=0.05 * len(layer["gaps"]))


def test_a_state_that_differs_in_nothing_adds_next_to_nothing(make_content: Make, toy: Path, tmp_path: Path) -> None:
    write_map(tmp_path / "map.html", [make_content()], lang="zh")
    alone = (tmp_path / "map.html").stat().st_size
    assert alone < 3_000_000
    assert toy.stat().st_size < 1.05 * alone


def test_same_content_gives_the_same_page(make_content: Make, tmp_path: Path) -> None:
    for name in "ab":
        write_map(tmp_path / name, [make_content()], lang="zh")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_page_gives_back_its_content(toy: Path) -> None:
    core = read_payload(toy).core
    assert core["title"] == "玩具区十五分钟服务圈"
    assert [scene["name"] for scene in core["scenes"]] == ["2025年", "二〇二七年"]


def test_too_much_to_draw_is_drawn_more_coarsely_and_said(make_content: Make, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("facility_coverage.outputs.scenes.MAX_SERVICE_VERTICES", 1_500)
    monkeypatch.setattr("facility_coverage.outputs.maps.MAX_PAGE_BYTES", 100_000)
    remarks = write_map(tmp_path / "map.html", [make_content()], lang="en")
    assert remarks[0].startswith("map: service areas are drawn to within ")
    assert "browsers may be slow" in remarks[1]
    assert len(remarks) == 2


@pytest.mark.browser
@pytest.mark.parametrize(("name", "width", "height"), [("wide", 1440, 900), ("phone", 390, 844)])
def test_opens_offline_without_a_word_in_the_console(
    toy: Path, browser: Browser, name: str, width: int, height: int
) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    driver = browser(width, height)
    open_page(driver, toy)
    driver.save_screenshot(str(ARTEFACTS / f"map-{name}.png"))
    assert driver.get_log("browser") == []
    assert requests(driver) == [toy.as_uri()]
    assert driver.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.browser
def test_hostile_names_are_shown_as_text(make_content: Make, browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "map.html"
    write_map(path, [make_content(evil=EVIL)], lang="zh")
    driver = browser(1440, 900)
    open_page(driver, path)
    for choice in ("{zone: fc.world.zones[0]}", "{facility: fc.layer().facilities[0]}"):
        driver.execute_script(f"fc.select({choice})")
        assert text_of(driver, ".fc-card h2").endswith(EVIL[-20:])
    driver.execute_script(
        "const z = fc.world.zones[0]; fc.select({ground: {x: z.at[0], y: z.at[1], zone: z, scene: 0}})"
    )
    wait_for(driver, "return document.querySelectorAll('.fc-answer').length === 3")
    driver.execute_script("fc.openGoal(fc.scene(0).goals[0])")
    type_into(driver, "#fc-search", "elder")
    press(driver, "ArrowDown")
    body = driver.execute_script("return document.body.innerText + document.body.textContent")
    assert body.count(EVIL) > 20
    assert driver.execute_script("return window.hacked") is None
    assert driver.execute_script("return document.querySelectorAll('img, iframe').length") == 0
    assert driver.get_log("browser") == []
    assert requests(driver) == [path.as_uri()]


@pytest.mark.browser
def test_hostile_names_of_sites_states_services_and_approval_are_text_too(
    make_content: Make, browser: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "map.html"
    write_map(path, [with_sites(make_content(), EVIL), replace(make_content(), state="b", state_name=EVIL)], lang="zh")
    driver = browser(1440, 900)
    open_page(driver, path, at="compare=b")
    click_on(driver, ".fc-tab", text="选址")
    click_on(driver, "#fc-leaf-sites .fc-zone")
    assert text_of(driver, ".fc-card h2").endswith(EVIL[-20:])
    assert EVIL[:40] in text_of(driver, ".fc-foot")
    type_into(driver, "#fc-search", "plot")
    body = driver.execute_script("return document.body.innerText + document.body.textContent")
    assert body.count(EVIL) > 8
    assert driver.execute_script("return window.hacked") is None
    assert driver.execute_script("return document.querySelectorAll('img, iframe').length") == 0
    assert driver.get_log("browser") == []
    assert requests(driver) == [path.as_uri()]


def with_sites(content: MapContent, evil: str) -> MapContent:
    """Two proposed sites, a web map service and an approval number, all with a hostile name."""
    siting = Siting.model_validate(
        {"id": "next", "name": "next" + evil, "serves": [{"layer": "elder_care"}], "sites": 2, "spacing_m": 500}
    )
    zones = content.layers.zones
    sites = gpd.GeoDataFrame(
        {"order": [1, 2], "action": "open", "layer": "", "candidate_id": ["a", "b"], "name": ["plot" + evil, ""],
         "zone_id": zones["zone_id"][:2],
         "price": 1.0, "gain": [30.0, 20.0], "reached": [130.0, 150.0], "alone": [30.0, 25.0],
         "covered": [130.0, 150.0], "share": [0.65, 0.75]},
        geometry=zones.geometry[:2].centroid, crs=zones.crs,
    )  # fmt: skip
    found = Solution(np.array([True, True]), 150.0, 150.0, "optimal", 0.1)
    proposal = Proposal(siting, sites, 9, 99, 200.0, 100.0, found, 150.0, pd.DataFrame())
    tiles = [{"name": "tiles" + evil, "url": "https://t.example.org/{z}/{x}/{y}", "attribution": evil}]
    under = content.config.basemap.model_copy(
        update={"tiles": [TileLayer.model_validate(one) for one in tiles], "approval_number": evil[:60]}
    )
    return replace(content, config=content.config.model_copy(update={"basemap": under}), proposals=(proposal,))


@pytest.mark.browser
def test_a_name_of_ten_thousand_characters_breaks_nothing(make_content: Make, browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "map.html"
    write_map(path, [make_content(evil="长" * 10_000)], lang="zh")
    driver = browser(1440, 900)
    open_page(driver, path)
    assert driver.execute_script("return document.querySelector('.fc-leaf').getBoundingClientRect().height") > 300
    assert driver.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    assert driver.get_log("browser") == []


@pytest.mark.browser
def test_click_names_the_facility_and_draws_its_catchment(toy: Path, browser: Browser) -> None:
    driver = browser(1440, 900)
    open_page(driver, toy)
    name = driver.execute_script("return fc.layer().facilities.at(-1).name")
    click(driver, *spot_of(driver, "const f = fc.layer().facilities.at(-1); return [f.x, f.y]"))
    assert text_of(driver, ".fc-card h2") == name
    squares = wait_for(driver, "return fc.catchment(fc.scene(0), fc.state.facility).reduce((n, run) => n + run[1], 0)")
    assert squares > 20


@pytest.mark.browser
def test_the_chooser_recolours_the_map(toy: Path, browser: Browser) -> None:
    driver = browser(1440, 900)
    open_page(driver, toy)
    colours = "return fc.world.zones.map((zone) => fc.zoneColour(zone))"
    pixels = "return document.querySelector('.leaflet-map-pane canvas').toDataURL()"
    before = driver.execute_script(colours), driver.execute_script(pixels)
    choose(driver, "fc-theme", "goal:g0")
    after = driver.execute_script(colours), driver.execute_script(pixels)
    assert before[0] != after[0]
    assert before[1] != after[1]
    legend = text_of(driver, "#fc-leaf-legend")
    assert "养老机构床位数" in legend


def choose(driver: Any, name: str, value: str) -> None:
    script = (
        "const s = document.getElementById(arguments[0]); s.value = arguments[1]; s.dispatchEvent(new Event('change'))"
    )
    driver.execute_script(script, name, value)


@pytest.mark.browser
def test_a_place_on_the_ground_is_told_the_exact_times(make_content: Make, toy: Path, browser: Browser) -> None:
    content = make_content()
    assert content.grid is not None
    ground = content.grid.ground
    rng = np.random.default_rng(1)
    driver = browser(1440, 900)
    open_page(driver, toy)
    rows, columns = np.nonzero(ground.inside)
    ask = """
      const [row, column] = arguments, done = arguments[2], scene = fc.scene(0), g = scene.grid;
      const x = g.x + (column + 0.5) * g.side, y = g.y + (row + 0.5) * g.side, zone = fc.zoneAt(x, y);
      const told = (layer, i, all) => {
        const a = fc.answer(scene, layer, all[i], x, y, zone);
        return [a.minutes, a.facility && a.facility.id, a.covered, a.why];
      };
      Promise.all(scene.layers.map((layer) => fc.timesReady(scene, layer)))
        .then((all) => done([zone && zone.id, scene.layers.map((layer, i) => told(layer, i, all))]));"""
    zone_ids = content.layers.zones["zone_id"].tolist()
    for square in rng.choice(len(rows), 40, replace=False).tolist():
        zone, answers = driver.execute_async_script(ask, int(rows[square]), int(columns[square]))
        assert zone == zone_ids[ground.zone[square]]
        for layer, times, (minutes, facility, covered, why) in zip(
            content.config.facilities, content.grid.times, answers, strict=True
        ):
            seconds = times.seconds[square]
            cutoff_min = layer.cutoff_min["urban" if ground.zone[square] < 5 else "rural"]
            assert covered == bool(seconds <= 60 * cutoff_min + 1e-6)
            assert covered or why
            if np.isnan(seconds):
                assert minutes is None
                assert why == ("附近道路与这类设施不连通" if times.attached[square] else "500 米内没有道路")
            else:
                assert seconds / 60 <= minutes + 1e-6
                assert minutes - seconds / 60 < (
                    1 if minutes <= 30 else 2 if minutes <= 60 else 5 if minutes <= 120 else 10
                )
                assert facility == content.layers.facilities[layer.id]["facility_id"].iloc[times.facility[square]]


@pytest.mark.browser
def test_figures_read_as_in_the_tables(toy: Path, browser: Browser) -> None:
    driver = browser(1440, 900)
    open_page(driver, toy)
    rng = np.random.default_rng(2)
    cases = [
        (scale, float(value))
        for scale in ("share", "count", "per_1000", "m2_per_person", "per_km2", "岁", "%")
        for value in [0, 1, 0.5996, 0.6, 99.999, 100, 12345.678, *rng.uniform(0, 2, 20), *rng.uniform(0, 9999, 20)]
    ]
    shown = driver.execute_script("return arguments[0].map(([scale, value]) => fc.figure(scale, value))", cases)
    assert shown == [figure(scale, value, "zh") for scale, value in cases]


@pytest.mark.browser
@pytest.mark.parametrize(
    ("typed", "first"),
    [("卫星湖", "卫星湖镇"), ("weixinghu", "卫星湖镇"), ("wxh", "卫星湖镇"), ("WeiXH", "卫星湖镇"),
     ("xinghu", "卫星湖镇"), ("lvlu", "胜利路镇"), ("shenglilu", "胜利路镇"), ("medical 7", "medical 7"),
     ("yanglaojigou", "养老机构床位数")],
)  # fmt: skip
def test_search_by_characters_pinyin_and_initials(toy: Path, browser: Browser, typed: str, first: str) -> None:
    driver = browser(1440, 900)
    open_page(driver, toy)
    type_into(driver, "#fc-search", typed)
    hits = driver.execute_script("return [...document.querySelectorAll('.fc-hit .fc-name')].map((n) => n.textContent)")
    if typed == "lvlu":  # 利 is read li, not lü
        assert hits == []
        return
    assert hits[0] == first
    press(driver, "Enter")
    assert first in (text_of(driver, ".fc-card h2"), text_of(driver, ".fc-goal-head h2"))


@pytest.mark.browser
def test_filters_hide_what_is_not_asked_for(toy: Path, browser: Browser) -> None:
    driver = browser(1440, 900)
    open_page(driver, toy)
    click_on(driver, ".fc-tab", text="设施")
    count = "return document.querySelector('.fc-list .fc-small').textContent"
    assert driver.execute_script(count).startswith("共 200 处")
    tiers = driver.execute_script("return fc.layer().facilities.map((f) => f.tier)")
    click_on(driver, "#fc-leaf-facilities label.fc-tier", text="point")
    assert driver.execute_script(count).startswith(f"共 {200 - tiers.count(2)} 处")
    click_on(driver, "#fc-leaf-facilities label.fc-row", text="托育机构")
    assert driver.execute_script(count).startswith(f"共 {200 - tiers.count(2) + 60} 处")
    choose(driver, "fc-capacity", "0:0")
    type_into(driver, "#fc-least", "100")
    beds = driver.execute_script(
        "return fc.layer().facilities.filter((f) => f.tier !== 2 && f.capacity[0] >= 100).length"
    )
    assert driver.execute_script(count).startswith(f"共 {beds + 60} 处")
    script = "return [...document.querySelectorAll('.fc-list .fc-num')].map((n) => n.textContent.replace(/,/g, ''))"
    shown = [float(text) for text in driver.execute_script(script)]
    assert shown == sorted(shown, reverse=True)


@pytest.mark.browser
def test_a_goal_lists_the_towns_that_miss_it_and_verdicts_filter_them(toy: Path, browser: Browser) -> None:
    driver = browser(1440, 900)
    open_page(driver, toy)
    click_on(driver, ".fc-tab", text="目标")
    click_on(driver, ".fc-goal", text="滞后")
    towns = driver.execute_script("return [...document.querySelectorAll('.fc-towns .fc-zone')].map((n) => n.innerText)")
    assert len(towns) == 20
    assert all("缺 30 张" in town for town in towns)
    assert "《十四五规划》表2" in text_of(driver, "#fc-leaf-goals")
    assert driver.execute_script("return fc.state.theme").startswith("goal:")
    click_on(driver, ".fc-towns .fc-zone", text="卫星湖镇")
    assert text_of(driver, ".fc-card h2") == "卫星湖镇"
    press(driver, "Escape")
    assert text_of(driver, ".fc-card") == ""


@pytest.mark.browser
def test_two_states_are_compared_in_step(toy: Path, browser: Browser) -> None:
    driver = browser(1440, 900)
    open_page(driver, toy)
    choose(driver, "fc-other", "1")
    assert driver.execute_script("return [...document.querySelectorAll('.fc-scene')].map((n) => n.textContent)") == [
        "2025年",
        "二〇二七年",
    ]
    driver.execute_script("document.querySelector('.fc-swiper').focus()")
    before = driver.execute_script("return fc.state.compare.at")
    press(driver, "ArrowRight")
    assert driver.execute_script("return fc.state.compare.at") == pytest.approx(before + 0.05)
    click_on(driver, ".fc-way", text="并排")
    driver.execute_script("fc.map.setView([29.35, 105.95], 12, {animate: false})")
    same = """
      const [one, other] = fc.views.map((view) => view.map);
      return other && one.getCenter().distanceTo(other.getCenter()) < 1 && one.getZoom() === other.getZoom();"""
    assert driver.execute_script(same)
    driver.execute_script("fc.views[1].map.panBy([120, 40], {animate: false})")
    assert driver.execute_script(same)
    choose(driver, "fc-other", "")
    assert driver.execute_script("return fc.views.length") == 1
    assert driver.get_log("browser") == []


@pytest.mark.browser
def test_printing_fills_a_sheet_and_comes_back(toy: Path, browser: Browser) -> None:
    driver = browser(1440, 900)
    open_page(driver, toy)
    before = driver.execute_script("return fc.map.getBounds().toBBoxString()")
    printed = driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
    data = base64.b64decode(printed["data"])
    ARTEFACTS.mkdir(exist_ok=True)
    (ARTEFACTS / "map-print.pdf").write_bytes(data)
    assert data.count(b"/Type /Page\n") + data.count(b"/Type /Page ") + data.count(b"/Type/Page/") == 1
    assert not driver.execute_script("return document.documentElement.classList.contains('fc-printing')")
    after = driver.execute_script("return fc.map.getBounds().toBBoxString()")
    assert np.allclose([float(v) for v in before.split(",")], [float(v) for v in after.split(",")], atol=0.02)
    assert driver.get_log("browser") == []


@pytest.mark.browser
def test_keyboard_alone_reaches_everything(toy: Path, browser: Browser) -> None:
    driver = browser(1440, 900)
    open_page(driver, toy)
    names = set()
    for _ in range(60):
        press(driver, "Tab")
        names.add(driver.execute_script("const n = document.activeElement; return n.id || n.className || n.tagName"))
    assert {"fc-search", "fc-theme", "fc-other", "fc-tab-legend", "fc-whole"} <= names
    assert any("leaflet-control-zoom-in" in name for name in names)
    driver.execute_script("document.getElementById('fc-tab-legend').focus()")
    press(driver, "ArrowRight")
    assert driver.execute_script("return document.activeElement.id") == "fc-tab-goals"
    assert driver.execute_script("return !document.getElementById('fc-leaf-goals').hidden")


@pytest.mark.browser
def test_an_address_opens_the_map_at_a_goal_a_town_or_without_panels(toy: Path, browser: Browser) -> None:
    driver = browser(1440, 900)
    open_page(driver, toy, at="goal=g2")
    assert text_of(driver, ".fc-goal-head h2") == "养老机构床位数"
    open_page(driver, toy, at="zone=500100003")
    assert text_of(driver, ".fc-card h2") == "茶山竹海镇"
    open_page(driver, toy, at="compare=later&way=beside")
    assert driver.execute_script("return fc.views.length") == 2
    open_page(driver, toy, at="panel=none&theme=goal:g1")
    assert not driver.execute_script("return document.querySelector('.fc-side')")
    assert "养老机构床位数" in text_of(driver, ".fc-small-legend")
    assert driver.execute_script("return fc.map.getContainer().getBoundingClientRect().width") == 1440
    assert driver.get_log("browser") == []


@pytest.mark.browser
def test_the_map_stands_in_an_iframe(toy: Path, browser: Browser) -> None:
    from selenium.webdriver import ActionChains  # noqa: PLC0415 - heavy, and only browser tests need it

    page = toy.with_name("report.html")
    frame = '<iframe src="map.html#panel=none" width="900" height="600" sandbox="allow-scripts"></iframe>'
    page.write_text(f'<html><head><meta charset="utf-8"></head><body>{frame}</body></html>', encoding="utf-8")
    driver = browser(1440, 900)
    driver.get(page.as_uri())
    driver.switch_to.frame(0)
    wait_for(driver, "return document.documentElement.dataset.ready === 'yes'")
    x, y = spot_of(driver, "return fc.world.zones[7].at")
    box = driver.find_element("css selector", ".folium-map")
    ActionChains(driver).move_to_element_with_offset(
        box, x - box.size["width"] / 2, y - box.size["height"] / 2
    ).click().perform()
    wait_for(driver, "return document.querySelectorAll('.fc-answer, .fc-card table').length > 0")
    driver.switch_to.default_content()
    assert driver.get_log("browser") == []
    assert {url.split("#")[0] for url in requests(driver)} == {page.as_uri(), toy.as_uri()}


@pytest.mark.browser
def test_english_map_speaks_english(make_content: Make, browser: Browser, tmp_path: Path) -> None:
    write_map(tmp_path / "map.html", [make_content(notice="Synthetic")], lang="en")
    driver = browser(1440, 900)
    open_page(driver, tmp_path / "map.html")
    assert driver.execute_script("return document.documentElement.lang") == "en"
    for leaf in ("Legend", "Goals", "Towns", "Facilities"):
        assert leaf in text_of(driver, ".fc-tabs")


def test_every_word_of_the_scripts_has_a_text() -> None:
    words = texts.texts("en")
    asked = {
        key
        for name in SCRIPTS
        for key in re.findall(r"(?<![\w.])(?:fc\.data\.texts|t)\.([a-z]\w*)", offline.asset(f"map/{name}.js"))
    }
    assert asked - set(words) == set()
