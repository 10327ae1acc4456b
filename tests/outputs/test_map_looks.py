"""What can be read and told apart on the map, and pictures of a web map service where a study names one."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from facility_coverage.config.study import TileLayer
from facility_coverage.outputs.maps import MapContent, joined, map_payload, page, write_map
from facility_coverage.outputs.payload import Payload
from pages import click_on, open_page, requests, wait_for
from toy_map import Size

Make = Callable[..., MapContent]
Browser = Callable[[int, int], Any]

# The contrast of every visible text with what lies behind it (WCAG 2.2), opacity included.
CONTRASTS = """
  const parse = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return [n[0], n[1], n[2], n[3] ?? 1]; };
  const over = (top, under) => top.slice(0, 3).map((v, i) => v * top[3] + under[i] * (1 - top[3])).concat(1);
  const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = (rgb) => [0.2126, 0.7152, 0.0722].reduce((sum, share, i) => sum + share * linear(rgb[i] / 255), 0);
  const behind = (node) => {
    const chain = [];
    for (let n = node; n; n = n.parentElement) chain.push(n);
    const white = [255, 255, 255, 1];
    return chain.reverse().reduce((under, n) => over(parse(getComputedStyle(n).backgroundColor), under), white);
  };
  const low = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const node = text.parentElement;
    if (!text.data.trim() || !node.getClientRects().length) continue;
    let opacity = 1;
    for (let n = node; n; n = n.parentElement) opacity *= Number(getComputedStyle(n).opacity);
    const back = behind(node), ink = parse(getComputedStyle(node).color);
    const front = over([...ink.slice(0, 3), ink[3] * opacity], back);
    const [dark, bright] = [light(front), light(back)].sort((a, b) => a - b);
    const ratio = (bright + 0.05) / (dark + 0.05);
    if (ratio < 4.5) low.push([text.data.trim().slice(0, 40), node.className, Math.round(ratio * 100) / 100]);
  }
  return low;"""


@pytest.fixture(scope="module")
def toy(make_content: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("map") / "map.html"
    write_map(path, [make_content(), replace(make_content(), state="later", state_name="以后")], lang="zh")
    return path


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 390])
def test_every_text_stands_out_from_its_ground(toy: Path, browser: Browser, width: int) -> None:
    driver = browser(width, 900)
    open_page(driver, toy)
    for leaf in ("legend", "goals", "zones", "facilities"):
        driver.execute_script(f"fc.openLeaf('{leaf}')")
        assert driver.execute_script(CONTRASTS) == []
    driver.execute_script("fc.state.goalsHidden.add('met'); fc.showGoals(); fc.openLeaf('goals')")
    assert driver.execute_script(CONTRASTS) == []
    driver.execute_script("fc.openGoal(fc.scene(0).goals[2]); fc.compare(1, 'swipe')")
    assert driver.execute_script(CONTRASTS) == []
    for choice in ("{zone: fc.world.zones[0]}", "{facility: fc.layer().facilities[0]}"):
        driver.execute_script(f"fc.select({choice})")
        assert driver.execute_script(CONTRASTS) == []
    ground = "{x: z.at[0], y: z.at[1], zone: z, scene: 0}"
    driver.execute_script(f"const z = fc.world.zones[2]; fc.select({{ground: {ground}}})")
    wait_for(driver, "return document.querySelectorAll('.fc-answer').length === 3")
    assert driver.execute_script(CONTRASTS) == []
    driver.execute_script("fc.state.show.bands = fc.state.show.people = true; fc.openLeaf('legend'); fc.showLegend()")
    assert driver.execute_script(CONTRASTS) == []


@pytest.mark.browser
def test_the_contrast_test_finds_what_is_faint(toy: Path, browser: Browser) -> None:
    driver = browser(1440, 900)
    open_page(driver, toy)
    driver.execute_script("document.querySelector('h1').style.color = '#aaaaaa'")
    assert [row[1] for row in driver.execute_script(CONTRASTS)] == [""]


PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000009077"
    "53de0000000c4944415408d763d8c8f0040002c801a57ef2b4410000000049454e44ae426082"
)


@pytest.fixture
def tile_server() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(PIXEL)))
            self.end_headers()
            self.wfile.write(PIXEL)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    server.server_close()
    thread.join()


def with_tiles(content: MapContent, url: str) -> MapContent:
    tiles = [TileLayer.model_validate({"name": "天地图", "url": url, "attribution": "天地图 GS(2024)0650号"})]
    under = content.config.basemap.model_copy(update={"tiles": tiles, "approval_number": "GS(2024)0001号"})
    return replace(content, config=content.config.model_copy(update={"basemap": under}))


@pytest.mark.browser
def test_web_map_pictures_are_asked_for_when_chosen_and_not_before(
    make_content: Make, browser: Browser, tmp_path: Path, tile_server: tuple[str, list[str]]
) -> None:
    url, asked = tile_server
    path = tmp_path / "map.html"
    write_map(path, [with_tiles(make_content(), url + "/vec_w?x={x}&y={y}&l={z}&tk=KEY")], lang="zh")
    driver = browser(1440, 900)
    open_page(driver, path)
    foot = "return document.querySelector('.fc-foot').textContent"
    assert "审图号：GS(2024)0001号" in driver.execute_script(foot)
    assert asked == []
    assert requests(driver) == [path.as_uri()]
    choose = (
        "const s = document.getElementById('fc-tiles'); s.value = arguments[0]; s.dispatchEvent(new Event('change'))"
    )
    driver.execute_script(choose, "0")
    wait_for(driver, "return document.querySelectorAll('img.leaflet-tile-loaded').length > 3")
    assert all(address.startswith("/vec_w?x=") and address.endswith("&tk=KEY") for address in asked)
    assert "天地图 GS(2024)0650号" in driver.execute_script(foot)
    assert driver.get_log("browser") == []
    driver.execute_script(choose, "")
    assert driver.execute_script("return document.querySelectorAll('img').length") == 0


def test_no_other_server_may_send_pictures(make_content: Make, tmp_path: Path) -> None:
    path = tmp_path / "map.html"
    write_map(path, [with_tiles(make_content(), "https://t.example.org/{z}/{x}/{y}")], lang="zh")
    policy = path.read_text(encoding="utf-8").split('content="', 1)[1].split('"', 1)[0]
    assert "img-src data: https://t.example.org;" in policy


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"url": "https://t.example.org/{z}/{x}"}, "the url has no {y}"),
        ({"url": "https://t{s}.example.org/{z}/{x}/{y}"}, "subdomains together"),
        ({"url": "https://t.example.org/{z}/{x}/{y}", "subdomains": ["0"]}, "subdomains together"),
        ({"url": "javascript:alert(1)/{z}/{x}/{y}"}, "match"),
        ({"url": "https://t.example.org; script-src *//{z}/{x}/{y}"}, "match"),
        ({"url": 'https://t.example.org/{z}/{x}/{y}" onload="x'}, "match"),
        ({"url": "https://t{s}.example.org/{z}/{x}/{y}", "subdomains": ["a; script-src *"]}, "match"),
    ],
)
def test_tile_addresses_that_are_none_are_refused(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TileLayer.model_validate({"name": "x", **keys})


def test_subdomains_become_servers() -> None:
    url = "https://t{s}.example.org/{z}/{x}/{y}"
    layer = TileLayer.model_validate({"name": "x", "url": url, "subdomains": ["0", "7"]})
    assert layer.origins() == ["https://t0.example.org", "https://t7.example.org"]


def test_two_pages_are_joined_where_their_zones_agree(make_content: Make) -> None:
    one, two = (map_payload([make_content()], lang="zh") for _ in range(2))
    both = joined(one, two, names=("方案甲", "方案乙"))
    assert both is not None
    assert [scene["name"] for scene in both.core["scenes"]] == ["方案甲", "方案乙"]
    assert {name.split("-")[0] for name in both.blobs} == {"s0", "s1"}
    assert both.blobs["s1-times-medical"] == two.blobs["s0-times-medical"]
    other = map_payload([make_content(size=Size(columns=4))], lang="zh")
    assert joined(one, other, names=("a", "b")) is None


@pytest.mark.browser
def test_a_joined_page_compares(make_content: Make, browser: Browser, tmp_path: Path) -> None:
    one, two = (map_payload([make_content()], lang="zh") for _ in range(2))
    both = joined(one, two, names=("方案甲", "方案乙"))
    assert isinstance(both, Payload)
    path = tmp_path / "map.html"
    path.write_text(page(both), encoding="utf-8")
    driver = browser(1440, 900)
    open_page(driver, path, at="compare=other")
    names = driver.execute_script("return [...document.querySelectorAll('.fc-scene')].map((n) => n.textContent)")
    assert names == ["方案甲", "方案乙"]
    click_on(driver, ".fc-way", text="并排")
    assert driver.execute_script("return fc.views.length") == 2
    assert driver.get_log("browser") == []
