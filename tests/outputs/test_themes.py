"""Classes of themes, by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from facility_coverage.analysis.verdicts import PlaceVerdict, Status, Verdict
from facility_coverage.outputs import palette
from facility_coverage.outputs.maps import MapContent
from facility_coverage.outputs.tables import zone_table
from facility_coverage.outputs.themes import Theme, themes

Make = Callable[..., MapContent]


def goal(
    figures: dict[str, tuple[float | None, Status | None]],
    *,
    target: float | None,
    bound: str = "at_least",
    scale: str = "share",
) -> Verdict:
    zones = tuple(
        PlaceVerdict(zone, zone, value, value, 1.0, status, 2.0, None, None, 0, "")
        for zone, (value, status) in figures.items()
    )
    return Verdict(
        plan_id="p", goal_id="g", name_zh="目标", name_en="Goal", measure="capacity_share", layer="elder_care",
        nature="binding", citation="", verified=True, each=None, bound=bound, target=target, target_year=2025,
        baseline=None, baseline_year=None, expected=None, value=0.5, amount=0.5, base=1.0, status="behind",
        shortfall=1.0, progress=None, pace_per_year=None, scale=scale, beside=None, with_sharing=None,
        without_sharing=None, unit="beds", note_zh="", note_en="", districts=(), zones=zones,
    )  # fmt: skip


def theme_of(make_content: Make, verdict: Verdict, lang: str = "zh") -> Theme:
    content = make_content()
    table = zone_table(content.config, content.layers, content.coverage)
    (found,) = [t for t in themes(content.config, table, [verdict], lang=lang) if t.kind == "goal"]  # type: ignore[arg-type]
    return found


def numbers(theme: Theme) -> dict[str, int | None]:
    return {value.zone_id: value.number for value in theme.zones}


def test_a_goal_is_warm_below_its_target_and_cool_from_it_on(make_content: Make) -> None:
    figures: dict[str, tuple[float | None, Status | None]] = {
        "far": (0.29, "behind"), "half": (0.3, "behind"), "near": (0.48, "behind"), "just": (0.5999, "behind"),
        "at": (0.6, "met"), "above": (0.72, "met"), "none": (None, "no_data"),
    }  # fmt: skip
    theme = theme_of(make_content, goal(figures, target=0.6))
    assert theme.breaks == pytest.approx((0.3, 0.48, 0.6, 0.72))
    assert theme.labels == ("< 30", "30–48", "48–60", "60–72", "≥ 72")
    assert theme.colours == (*palette.MISSED, *palette.MET)
    assert numbers(theme) == {"far": 0, "half": 1, "near": 2, "just": 2, "at": 3, "above": 4, "none": None}
    assert (theme.target, theme.target_text, theme.unit) == (0.6, "≥ 60.0%", "%")


def test_everybody_covered_has_one_class_of_its_own(make_content: Make) -> None:
    theme = theme_of(make_content, goal({"a": (1.0, "met"), "b": (0.999, "behind")}, target=1.0))
    assert theme.labels == ("< 50", "50–80", "80–100", "100")
    assert numbers(theme) == {"a": 3, "b": 2}


def test_an_upper_limit_is_met_from_below_and_at_it(make_content: Make) -> None:
    figures: dict[str, tuple[float | None, Status | None]] = {
        "low": (4.0, "met"), "at": (5.0, "met"), "over": (5.5, "behind"), "far": (11.0, "behind"),
    }  # fmt: skip
    theme = theme_of(make_content, goal(figures, target=5.0, bound="at_most", scale="%"))
    assert theme.breaks == (4.0, 5.0, 6.25, 10.0)
    assert theme.labels == ("≤ 4", "4–5", "5–6.25", "6.25–10", "> 10")
    assert numbers(theme) == {"low": 0, "at": 1, "over": 2, "far": 4}
    assert theme.colours[1] == palette.MET[0]
    assert theme.target_text == "≤ 5%"


def test_the_verdict_says_on_which_side_a_figure_stands(make_content: Make) -> None:
    # A figure that a float puts a hair below the target is met, if the verdict says so.
    theme = theme_of(make_content, goal({"a": (0.6 - 1e-12, "met"), "b": (0.61, "behind")}, target=0.6))
    assert numbers(theme) == {"a": 3, "b": 2}


def test_figures_without_a_target_of_their_own_are_a_plain_sequence(make_content: Make) -> None:
    figures: dict[str, tuple[float | None, Status | None]] = {f"z{i}": (float(i), None) for i in range(1, 101)}
    theme = theme_of(make_content, goal(figures, target=9000.0, scale="count"))
    assert theme.target is None
    assert theme.target_text == ""
    assert theme.breaks == (21.0, 41.0, 60.0, 80.0)
    assert np.bincount([v.number for v in theme.zones if v.number is not None]).tolist() == [20, 20, 19, 20, 21]
    assert theme.colours == palette.CLASSES


@pytest.mark.parametrize("figure", [None, 3.0])
def test_nothing_to_tell_apart_is_one_class(make_content: Make, figure: float | None) -> None:
    theme = theme_of(make_content, goal({"a": (3.0, None), "b": (figure, None)}, target=None, scale="count"))
    assert theme.labels == ("",)
    assert len(theme.colours) == 1


def test_every_layer_group_and_goal_is_a_theme(make_content: Make) -> None:
    content = make_content()
    table = zone_table(content.config, content.layers, content.coverage)
    found = list(themes(content.config, table, content.verdicts, lang="zh"))
    ids = [theme.id for theme in found]
    assert ids[:3] == ["coverage:elder_care:elder_60", "coverage:elder_care:total", "coverage:elder_care:child_0_2"]
    assert len(ids) == len(set(ids)) == 3 * 3 + 4 + 3 + 2
    zones = content.layers.zones["zone_id"].tolist()
    for theme in found:
        assert [value.zone_id for value in theme.zones] == zones
        assert len(theme.colours) == len(theme.labels) == len(theme.breaks) + 1
        assert all(v.number is None or 0 <= v.number < len(theme.colours) for v in theme.zones)
    density = next(theme for theme in found if theme.id == "density:total")
    assert density.zones[0].value == pytest.approx(table["population_total"][0] / table["area_km2"][0])
