from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility_coverage.errors import StudyError
from facility_coverage.outputs.payload import Payload, blocks, read_payload


def written(folder: Path, payload: Payload) -> Path:
    page = folder / "map.html"
    scripts = [
        f'<script type="application/octet-stream" id="fc-{name}">{text}</script>' for name, text in blocks(payload)
    ]
    page.write_text("<html><head></head><body>" + "\n".join(scripts) + "</body></html>", encoding="utf-8")
    return page


@given(text=st.text(), data=st.binary())
def test_a_page_gives_back_what_it_carries(text: str, data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    payload = Payload({"title": text, "figures": [1.5, None, "x"]}, {"s0-times": data})
    found = read_payload(written(tmp_path_factory.mktemp("page"), payload))
    assert found.core["figures"] == payload.core["figures"]
    assert found.core["title"] == text.encode("utf-8", "replace").decode()
    assert found.blobs == payload.blobs


@given(st.text(min_size=1))
def test_no_text_stands_in_the_page_as_it_is(text: str) -> None:
    for _, packed in blocks(Payload({"title": text}, {})):
        assert set(packed) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")


@pytest.mark.parametrize(
    "content", ["", "<html></html>", '<script type="application/octet-stream" id="fc-core">AAAA</script>']
)
def test_another_page_is_refused_with_advice(tmp_path: Path, content: str) -> None:
    page = tmp_path / "map.html"
    page.write_text(content, encoding="utf-8")
    with pytest.raises(StudyError, match=r"is not a map of this version.*run the study again"):
        read_payload(page)


def test_a_missing_page_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"no such file.*finished run"):
        read_payload(tmp_path / "map.html")
