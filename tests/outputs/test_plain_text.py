from __future__ import annotations

import pytest

from facility_coverage.outputs.plain_text import lines, visible, width_em


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("养老服务站", "养老服务站"),
        ("<img onerror=a()>`${b}`", "<img onerror=a()>`${b}`"),
        ("a\u202eb\u2066c", "a[U+202E]b[U+2066]c"),
        ("\x00\x1b[31m\ud800\uffff", "[U+0000][U+001B][31m[U+D800][U+FFFF]"),
        ("one\r\ntwo\tthree", "one  two three"),
        ("字" * 10_000, "字" * 199 + "…"),
    ],
)
def test_what_steers_a_page_is_spelled_out(text: str, expected: str) -> None:
    assert visible(text) == expected


@pytest.mark.parametrize("width", [3.0, 7.5, 20.0])
@pytest.mark.parametrize(
    "text", ["老年人 2.88 km/h 步行 15 分钟(城)/30 分钟(乡)", "A" * 50, "Beds for every thousand people", ""]
)
def test_no_line_is_wider_than_asked_and_nothing_is_lost(text: str, width: float) -> None:
    found = lines(text, width, most=100)
    assert all(width_em(line) <= width for line in found)
    assert "".join(found).replace(" ", "") == text.replace(" ", "")
