"""Pictures of a toy district: what is on them, in which colours, and what hostile names do to them: nothing."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread
from matplotlib.text import Text

from facility_coverage.errors import StudyError
from facility_coverage.outputs import palette
from facility_coverage.outputs.maps import map_payload
from facility_coverage.outputs.payload import Payload
from facility_coverage.outputs.pictures.album import Album, write_pictures
from facility_coverage.outputs.pictures.sheet import IN_REPORT
from facility_coverage.outputs.scenes import MapContent

EVIL = "$\\frac{<script>alert(1)</script>--><img src=x onerror=a()>`${b}`\u202egnp.exe\x07$"
ARTEFACTS = Path(__file__).parents[2] / "artefacts"
THEME = "coverage:elder_care:elder_60"
Make = Callable[..., MapContent]

pytestmark = pytest.mark.usefixtures("chinese_font")


@pytest.fixture(scope="module")
def payload(make_content: Make) -> Payload:
    return map_payload([make_content()], lang="zh")


@pytest.fixture(scope="module")
def evil(make_content: Make) -> Payload:
    return map_payload([make_content(evil=EVIL)], lang="zh")


def pixels(png: bytes) -> Any:
    return np.rint(255 * imread(io.BytesIO(png), format="png")[..., :3]).astype(int)


def has(picture: Any, colour: str, *, at_least: int = 30) -> bool:
    rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return int((np.abs(picture - rgb).max(axis=2) <= 1).sum()) >= at_least


def shown(album: Album) -> list[Text]:
    return [one for one in album._figure.findobj(Text) if one.get_text()]


def test_a_picture_fills_a_sheet_of_a4_at_300_dpi(payload: Payload) -> None:
    png = Album(payload).picture(THEME)
    ARTEFACTS.mkdir(exist_ok=True)
    (ARTEFACTS / "picture.png").write_bytes(png)
    height, width = pixels(png).shape[:2]
    assert (width, height) == (round(11.69 * 300), round(8.27 * 300))
    # pHYs: 300 dots to the inch are 11811 to the metre.
    assert (11811).to_bytes(4, "big") * 2 in png[:200]


def test_classes_gaps_facilities_and_towns_without_data_have_their_colours(payload: Payload) -> None:
    picture = pixels(Album(payload).picture(THEME))
    theme = next(one for one in payload.core["scenes"][0]["themes"] if one["id"] == THEME)
    assert None in theme["numbers"]
    drawn = {palette.NO_DATA, palette.FACILITIES[0], *(theme["colours"][i] for i in theme["numbers"] if i is not None)}
    assert {colour for colour in drawn if not has(picture, colour)} == set()
    assert not has(picture, palette.FACILITIES[1])


def test_the_next_theme_shows_nothing_of_the_one_before(payload: Payload) -> None:
    album = Album(payload, IN_REPORT)
    before = album.picture("density:total")
    album.picture(THEME)
    assert album.picture("density:total") == before


@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_the_same_page_gives_the_same_bytes(payload: Payload, form: Any) -> None:
    first, second = (Album(payload, IN_REPORT).picture(THEME, form) for _ in range(2))
    assert first == second
    assert b"/CreationDate" not in first
    assert b"<dc:date>" not in first


@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_hostile_names_are_letters_and_nothing_else(evil: Payload, form: Any) -> None:
    picture = Album(evil, IN_REPORT).picture(THEME, form)
    if form == "svg":
        root = ET.fromstring(picture)  # noqa: S314 - our own, and it must be sound XML
        names = {element.tag.rsplit("}")[-1] for element in root.iter()}
        assert not names & {"script", "img", "a", "foreignObject"}
        assert not [key for element in root.iter() for key in element.attrib if key.startswith("on")]


def test_signs_of_formulae_and_what_cannot_be_seen_are_shown_as_they_are(evil: Payload) -> None:
    texts = shown(Album(evil))
    assert not [one for one in texts if one.get_parse_math()]
    whole = "".join(one.get_text() for one in texts)
    assert "$\\frac{<script>" in whole
    assert "[U+202E]" in whole
    assert "\u202e" not in whole


def test_a_name_of_ten_thousand_characters_is_cut(make_content: Make) -> None:
    long = map_payload([make_content(evil="长" * 10_000)], lang="zh")
    album = Album(long, IN_REPORT)
    album.picture(THEME)
    names = [one.get_text() for one in shown(album)]
    assert max(len(name) for name in names) < 250
    assert any(name.endswith("…") for name in names)


def test_no_name_stands_over_another(payload: Payload) -> None:
    album = Album(payload, IN_REPORT)
    album.picture(THEME)
    zones = {zone["name"] for zone in payload.core["zones"]}
    boxes = [one.get_window_extent() for one in shown(album) if one.get_text() in zones]
    assert len(boxes) == len(zones)
    overlapping = [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]
    assert not overlapping


def test_title_target_verdict_sources_and_run_are_told(payload: Payload) -> None:
    core = payload.core | {"approval_number": "GS(2024)0650号"}
    album = Album(Payload(core, payload.blobs))
    album.picture("goal:g2")
    # The figure keeps only what all themes share: title and legend are gone, the sources stay.
    assert "GS(2024)0650号" in "".join(one.get_text() for one in shown(album))
    for expected in ("a1b2c3d4", "合成数据", "2025-12-31"):
        assert expected in "".join(one.get_text() for one in shown(album))


def test_an_unknown_theme_is_named_with_those_like_it(payload: Payload) -> None:
    with pytest.raises(StudyError, match=r"no theme 'goal:g9'; for example goal:g\d"):
        Album(payload, IN_REPORT).picture("goal:g9")


def test_the_files_are_named_by_their_form(payload: Payload, tmp_path: Path) -> None:
    write_pictures(payload, tmp_path, ["svg"], theme="density:total")
    assert [path.name for path in tmp_path.iterdir()] == ["map.svg"]
