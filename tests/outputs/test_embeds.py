"""Small maps of one facility layer, or of one goal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facility_coverage.errors import ConfigError
from facility_coverage.outputs.embeds import first_scene, narrowed, subjects, write_embeds
from facility_coverage.outputs.maps import map_payload
from facility_coverage.outputs.payload import Payload, read_payload
from facility_coverage.outputs.scenes import MapContent
from pages import click, open_page, requests, spot_of, text_of, wait_for

Browser = Callable[[int, int], Any]


@pytest.fixture(scope="module")
def payload(make_content: Callable[..., MapContent]) -> Payload:
    return map_payload([make_content()] * 2, lang="zh")


def test_a_layer_comes_with_its_own_figures_and_nothing_of_the_others(payload: Payload) -> None:
    small = narrowed(payload, subjects(payload)["childcare"])
    (scene,) = small.core["scenes"]
    assert [layer["id"] for layer in scene["layers"]] == ["childcare"]
    assert {theme["layer"] for theme in scene["themes"]} == {"childcare"}
    assert scene["goals"] == []
    assert {name.rsplit("-", 1)[1] for name in small.blobs} == {"childcare"}
    assert small.core["show"] == {"panel": "none", "theme": "coverage:childcare:child_0_2"}
    assert not [name for name in small.core["pinyin"] if "elder_care" in name]


def test_a_layer_that_stands_alone_keeps_its_colour_and_shape(payload: Payload) -> None:
    whole = payload.core["palette"]
    for place, layer in enumerate(("elder_care", "childcare", "medical")):
        own = narrowed(payload, subjects(payload)[layer]).core["palette"]
        assert (own["facilities"][0], own["shapes"][0]) == (whole["facilities"][place], whole["shapes"][place])


def test_a_goal_comes_with_its_layer_and_theme(payload: Payload) -> None:
    small = narrowed(payload, subjects(payload)["g2"])
    (scene,) = small.core["scenes"]
    assert [theme["id"] for theme in scene["themes"]] == ["goal:g2"]
    assert [goal["id"] for goal in scene["goals"]] == ["g2"]
    assert [layer["id"] for layer in scene["layers"]] == ["elder_care"]


def test_other_states_are_left_out(payload: Payload) -> None:
    alone = first_scene(payload)
    assert len(alone.core["scenes"]) == 1
    assert all(name.startswith("s0-") for name in alone.blobs)
    assert len(payload.core["scenes"]) == 2


def test_every_unknown_name_is_told_with_those_like_it(payload: Payload, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        write_embeds(payload, ["childcar", "g0", "nothing-like-it"], tmp_path / "out", run="maps/toy")
    first, second = map(str, caught.value.faults)
    assert first.startswith("maps/toy: no facility layer or goal 'childcar'; for example childcare")
    assert "'nothing-like-it'" in second
    assert not (tmp_path / "out").exists()


def test_pages_are_named_smaller_than_the_map_and_the_same_again(payload: Payload, tmp_path: Path) -> None:
    first, second = (write_embeds(payload, ["childcare", "g2", "g2"], tmp_path / one, run="r") for one in "ab")
    assert [path.name for path in first] == ["map-embed-childcare.html", "map-embed-g2.html"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert read_payload(first[1]).core["show"]["theme"] == "goal:g2"


@pytest.mark.browser
@pytest.mark.parametrize("name", ["medical", "g2"])
def test_an_embedded_map_opens_without_a_panel_and_answers_a_click(
    payload: Payload, browser: Browser, tmp_path: Path, name: str
) -> None:
    (path,) = write_embeds(payload, [name], tmp_path, run="r")
    driver = browser(900, 560)
    open_page(driver, path)
    assert driver.execute_script("return document.querySelector('.fc-side')") is None
    click(driver, *spot_of(driver, "const f = fc.layer().facilities.at(-1); return [f.x, f.y]"))
    assert text_of(driver, ".fc-card h2") == driver.execute_script("return fc.layer().facilities.at(-1).name")
    driver.execute_script(
        "const z = fc.world.zones[3]; fc.select({ground: {x: z.at[0], y: z.at[1], zone: z, scene: 0}})"
    )
    wait_for(driver, "return document.querySelectorAll('.fc-answer').length === 1")
    assert driver.get_log("browser") == []
    assert requests(driver) == [path.as_uri()]


@pytest.mark.browser
def test_a_goal_of_no_layer_opens_as_well(payload: Payload, browser: Browser, tmp_path: Path) -> None:
    scene = payload.core["scenes"][0]
    themes = [theme | {"layer": ""} if theme["id"] == "goal:g2" else theme for theme in scene["themes"]]
    bare = Payload(payload.core | {"scenes": [scene | {"themes": themes}]}, payload.blobs)
    (path,) = write_embeds(bare, ["g2"], tmp_path, run="r")
    driver = browser(900, 560)
    open_page(driver, path)
    assert driver.get_log("browser") == []
    assert read_payload(path).blobs == {}
