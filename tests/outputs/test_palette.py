from itertools import pairwise

import pytest

from facility_coverage.outputs import palette

SEEN_BY = pytest.mark.parametrize("deficiency", [None, "protanopia", "deuteranopia", "tritanopia"])


@SEEN_BY
def test_missed_and_met_keep_apart(deficiency: palette.Deficiency | None) -> None:
    ramp = (*palette.MISSED, *palette.MET)
    for first, second in pairwise(ramp):
        assert palette.difference(first, second, deficiency) > 12
    for missed in palette.MISSED:
        assert all(palette.difference(missed, met, deficiency) > 20 for met in palette.MET)
    assert all(palette.difference(colour, palette.NO_DATA, deficiency) > 9 for colour in ramp)


@SEEN_BY
def test_neighbouring_classes_gap_and_no_data_keep_apart(deficiency: palette.Deficiency | None) -> None:
    for first, second in pairwise(palette.CLASSES):
        assert palette.difference(first, second, deficiency) > 12
    for colour in palette.CLASSES:
        assert palette.difference(colour, palette.GAP, deficiency) > 25
        assert palette.difference(colour, palette.NO_DATA, deficiency) > 9


def test_classes_darken_with_coverage() -> None:
    lightness = [palette.lab(colour)[0] for colour in palette.CLASSES]
    assert lightness == sorted(lightness, reverse=True)


def test_text_is_readable() -> None:
    assert palette.contrast(palette.INK, palette.PAPER) >= 4.5
    assert palette.contrast(palette.MUTED, palette.PAPER) >= 4.5
    assert all(palette.contrast(colour, palette.PAPER) >= 4.5 for colour in palette.STATUS.values())
    assert palette.contrast("#6b4400", "#fff4d6") >= 4.5


@SEEN_BY
def test_bands_people_and_sites_keep_apart(deficiency: palette.Deficiency | None) -> None:
    for ramp in (palette.BANDS, palette.COVERED, palette.LEFT_OUT):
        for first, second in pairwise(ramp):
            assert palette.difference(first, second, deficiency) > 9
    for covered in palette.COVERED:
        assert all(palette.difference(covered, left_out, deficiency) > 20 for left_out in palette.LEFT_OUT)
    for colour in (*palette.CLASSES[1:], *palette.MISSED[:2], *palette.MET, palette.GAP):
        assert palette.difference(palette.SITE, colour, deficiency) > 20
    assert all(
        palette.difference(palette.CHOSEN, colour, deficiency) > 20 for colour in (*palette.CLASSES, *palette.MET)
    )
