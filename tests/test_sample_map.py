"""What a planner asks of the sample's map, answered in at most three clicks each; nothing else is open."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from facility_coverage.network.travel import nearest_facility
from facility_coverage.running import RunResult
from pages import click, click_on, open_page, press, requests, spot_of, text_of, type_into, wait_for

ARTEFACTS = Path(__file__).parent / "artefacts"
Browser = Callable[[int, int], Any]

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("name", "width", "height"), [("sample-wide", 1440, 900), ("sample-phone", 390, 844)])
def test_the_map_opens_without_a_network(
    sample: RunResult, browser: Browser, name: str, width: int, height: int
) -> None:
    page = sample.folder / "map.html"
    assert page.stat().st_size <= 3_000_000
    driver = browser(width, height)
    open_page(driver, page)
    ARTEFACTS.mkdir(exist_ok=True)
    driver.save_screenshot(str(ARTEFACTS / f"{name}.png"))
    assert driver.get_log("browser") == []
    assert requests(driver) == [page.as_uri()]
    text = driver.execute_script("return document.body.innerText")
    # Left out as the goal counts them: whole persons, never fewer than there are.
    (goal,) = [one for one in sample.computed.verdicts if one.goal_id == "YC-elder-full"]
    assert f"未可达 {goal.shortfall:,.0f}" in text
    for shown in ("永川区十五分钟服务圈", "合成样例数据", "养老服务设施", sample.identity):
        assert shown in text


def test_which_towns_miss_the_elder_care_goal_and_by_how_many_beds(sample: RunResult, browser: Browser) -> None:
    driver = browser(1440, 900)
    open_page(driver, sample.folder / "map.html")
    click_on(driver, ".fc-tab", text="目标")
    click_on(driver, ".fc-goal", text="护理型床位占比")
    (goal,) = [
        row
        for row in json.loads((sample.folder / "verdicts.json").read_text("utf-8"))
        if row["goal_id"] == "YC-nursing-share"
    ]
    missing = sorted((z for z in goal["zones"] if z["status"] == "behind"), key=lambda z: (-z["shortfall"], z["value"]))
    assert len(missing) == 19
    rows = "[...document.querySelectorAll('.fc-towns[open] .fc-zone')]"
    shown = driver.execute_script(f"return {rows}.map((n) => [...n.children].map((c) => c.textContent))")
    assert [(name, short) for _, name, short, _ in shown] == [
        (zone["name"], f"缺 {zone['shortfall']:.0f} 张护理型床位") for zone in missing
    ]
    driver.save_screenshot(str(ARTEFACTS / "sample-goal.png"))


def test_how_many_minutes_to_the_nearest_clinic_and_why_it_is_not_covered(sample: RunResult, browser: Browser) -> None:
    computed = sample.computed
    medical = next(trip for trip in computed.trips if trip.layer.id == "medical")
    network = computed.networks[medical.layer.profile]
    driver = browser(1440, 900)
    open_page(driver, sample.folder / "map.html")
    # A square of a rural town, reached in 35 to 50 minutes, and none of the symbols near.
    find = """
      const done = arguments[0], scene = fc.scene(0), layer = scene.layers[2], g = scene.grid;
      fc.timesReady(scene, layer).then((times) => {
        for (let i = 0; i < times.code.length; i += 7) {
          const x = g.x + (i % g.columns + 0.5) * g.side, y = g.y + (Math.floor(i / g.columns) + 0.5) * g.side;
          const minutes = layer.bounds_s[times.code[i]] / 60;
          if (!(minutes > 35 && minutes < 50) || (fc.zoneAt(x, y) || {}).area_type !== "rural") continue;
          const far = fc.layer().facilities.every((f) => fc.metres({x, y}, f) > 1700);
          if (far) return done([x, y]);
        }
        done(null);
      });"""
    x, y = driver.execute_async_script(find)
    click(driver, *spot_of(driver, f"return [{x}, {y}]"))
    wait_for(driver, "return document.querySelectorAll('.fc-answer').length === 7")
    row = driver.execute_script(
        "return [...document.querySelectorAll('.fc-answer')].find((n) => n.textContent.includes('医疗机构')).innerText"
    )
    lon, lat = driver.execute_script("const g = fc.state.ground, [a, b] = fc.degrees(g.x, g.y); return [b, a]")
    shown = driver.execute_script("return fc.state.ground.nearest.length")
    assert shown == 7
    assert "未可达" in row
    assert "直线" in row
    assert "最近" in row
    told = int(row.split("分钟")[0].split()[-1])
    # The same, computed by the search itself at the centre of the square that was clicked.
    centre = driver.execute_script(
        "const g = fc.scene(0).grid, p = fc.state.ground, s = fc.square(fc.scene(0), p.x, p.y);"
        "return fc.degrees(g.x + (s % g.columns + 0.5) * g.side, g.y + (Math.floor(s / g.columns) + 0.5) * g.side)"
    )
    assert abs(centre[0] - lat) < 0.001
    assert abs(centre[1] - lon) < 0.001
    from pyproj import Transformer  # noqa: PLC0415 - only here

    place = np.array([Transformer.from_crs(4326, computed.layers.crs, always_xy=True).transform(centre[1], centre[0])])
    seconds = nearest_facility(network.graph, network.links, network.snap(place), medical.places).seconds[0]
    assert seconds / 60 <= told
    assert told - seconds / 60 < 2
    driver.save_screenshot(str(ARTEFACTS / "sample-ground.png"))


def test_which_facility_leads_a_station(sample: RunResult, browser: Browser) -> None:
    table = pd.read_csv(sample.folder / "hierarchy.csv")
    station = table[(table["tier"] == "station") & (table["status"] == "led")].iloc[5]
    driver = browser(1440, 900)
    open_page(driver, sample.folder / "map.html")
    type_into(driver, "#fc-search", station["name"])
    press(driver, "Enter")
    card = text_of(driver, ".fc-card")
    assert f"上级中心：\xa0{station['leader_name']}" in card.replace(" ", "\xa0") or station["leader_name"] in card
    assert f"（{np.ceil(round(station['minutes'], 1)):.0f} 分钟）" in card
    click_on(driver, ".fc-card .fc-link")
    assert text_of(driver, ".fc-card h2") == station["leader_name"]
    driver.save_screenshot(str(ARTEFACTS / "sample-leader.png"))


def test_two_years_beside_each_other(sample: RunResult, browser: Browser) -> None:
    driver = browser(1440, 900)
    open_page(driver, sample.folder / "map.html", at="compare=y2020&way=beside")
    assert text_of(driver, ".fc-change") == "2020年 42.7% → 2025年 63.3%"
    driver.save_screenshot(str(ARTEFACTS / "sample-compare.png"))
    assert driver.get_log("browser") == []


def test_which_proposed_site_helps_most_people(sample: RunResult, browser: Browser) -> None:
    table = pd.read_csv(sample.folder / "sites.csv", encoding="utf-8-sig")
    best = table.loc[table["gain"].idxmax()]
    driver = browser(1440, 900)
    open_page(driver, sample.folder / "map.html")
    click_on(driver, ".fc-tab", text="选址")
    click_on(driver, "#fc-leaf-sites .fc-zone")
    card = text_of(driver, ".fc-card")
    assert best["zone_name"] in card
    assert f"{best['gain']:,.0f} 人" in card
    assert "已证明没有更好的方案" in card
    lat, lon = driver.execute_script("return fc.degrees(fc.state.site.x, fc.state.site.y)")
    assert (lon, lat) == pytest.approx((best["lon"], best["lat"]), abs=1e-5)
    driver.save_screenshot(str(ARTEFACTS / "sample-site.png"))
    assert driver.get_log("browser") == []


def test_where_most_people_are_left_out_why_and_what_would_help(sample: RunResult, browser: Browser) -> None:
    gaps = pd.read_csv(sample.folder / "gaps.csv", encoding="utf-8-sig", dtype={"zone_id": str})
    own = gaps[(gaps["layer"] == "elder_care") & gaps["goal"].isna() & gaps["capacity"].isna()]
    cures = pd.read_csv(sample.folder / "remedies.csv", encoding="utf-8-sig")
    gain = cures.query("layer == 'elder_care' and cheapest and capacity.isna()").set_index("gap")["people"]
    driver = browser(1440, 900)
    open_page(driver, sample.folder / "map.html")
    rows = driver.execute_script("return [...document.querySelectorAll('.fc-gap')].map((n) => n.innerText)")
    assert len(rows) == 5
    for row, gap in zip(rows, own.head(5).to_dict("records"), strict=True):
        assert gap["name_zh"] in row
        assert f"{np.ceil(gap['people']):,.0f}" in row
        assert f"+{np.floor(gain[gap['gap']]):,.0f}" in row
    click_on(driver, ".fc-gap")
    centre = driver.execute_script("const c = fc.map.getCenter(); return [c.lng, c.lat]")
    assert centre == pytest.approx(own.iloc[0][["lon", "lat"]].tolist(), abs=1e-3)
    # Another layer, another list; with a goal's figures on the map there are no dots, and no list.
    driver.execute_script("fc.choose('goal:YC-elder-beds')")
    assert not driver.execute_script("return document.querySelectorAll('.fc-gap').length")
