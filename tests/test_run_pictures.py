"""A run that is asked for pictures writes them beside its map; one that cannot draw them stops before it computes."""

from __future__ import annotations

from pathlib import Path

import pytest

from facility_coverage.errors import StudyError
from facility_coverage.outputs.pictures import wanted
from facility_coverage.running import run_study
from small_study import edit, write_small

pytestmark = pytest.mark.usefixtures("chinese_font")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_small(tmp_path)


def test_pictures_stand_beside_the_map_and_are_replaced_with_it(small: Path) -> None:
    edit(
        small, lambda study: study.update(outputs={"pictures": ["png", "svg", "pdf"], "picture_theme": "density:total"})
    )
    for _ in range(2):
        folder = run_study(small, folder=small.parent / "out").folder
    magic = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    assert {form: (folder / f"map.{form}").read_bytes()[: len(start)] for form, start in magic.items()} == magic


def test_without_being_asked_no_picture_is_drawn(small: Path) -> None:
    folder = run_study(small, folder=small.parent / "out").folder
    assert not [path for path in folder.iterdir() if path.suffix in (".png", ".svg", ".pdf")]


def test_an_unknown_theme_stops_the_run_before_it_computes(small: Path) -> None:
    edit(small, lambda study: study.update(outputs={"pictures": ["png"], "picture_theme": "coverage:staton:total"}))
    stages: list[str] = []
    with pytest.raises(StudyError, match=r"picture_theme.*no theme 'coverage:staton:total'; .*coverage:station:total"):
        run_study(small, folder=small.parent / "out", progress=stages.append)
    assert stages == ["read study"]
    assert not (small.parent / "out").exists()


def test_a_missing_font_stops_the_run_before_it_computes(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fonts_for = wanted.fonts_for
    monkeypatch.setattr(wanted, "fonts_for", lambda texts: fonts_for(texts, installed=["DejaVu Sans"]))
    edit(small, lambda study: study.update(outputs={"pictures": ["png"]}))
    with pytest.raises(StudyError, match="no installed font has Chinese characters"):
        run_study(small, folder=small.parent / "out")
    assert not (small.parent / "out").exists()
