from __future__ import annotations

import pytest

from facility_coverage.errors import StudyError
from facility_coverage.outputs.pictures.fonts import CHINESE, LATIN, fonts_for


def test_chinese_without_a_chinese_font_is_refused_with_advice() -> None:
    with pytest.raises(StudyError, match=r"no installed font has Chinese characters.*fonts-noto-cjk"):
        fonts_for(["养老服务"], installed=[LATIN])


def test_english_needs_no_chinese_font() -> None:
    assert fonts_for(["Elder care"], installed=[LATIN]).families == (LATIN,)


@pytest.mark.usefixtures("chinese_font")
def test_a_chinese_font_that_is_there_is_found() -> None:
    found = fonts_for(["养老服务"])
    assert found.families[0] in CHINESE
    assert found.written("养老 · ✓") == "养老·✓"


def test_a_character_that_no_font_has_becomes_a_mark_and_no_empty_box() -> None:
    assert fonts_for([""]).written("a\U00100000b") in ("a〓b", "a?b")
