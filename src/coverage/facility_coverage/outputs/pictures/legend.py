"""The legend of a picture: what was counted, what colours and symbols mean, in the words of the web map."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from facility_coverage.config.text import Lang
from facility_coverage.outputs import palette
from facility_coverage.outputs.panels import figure, number
from facility_coverage.outputs.pictures import content, symbols
from facility_coverage.outputs.pictures.content import gap_scale, gap_steps
from facility_coverage.outputs.pictures.fonts import Fonts
from facility_coverage.outputs.pictures.ground import ROAD_STYLES, View
from facility_coverage.outputs.pictures.sheet import Sheet
from facility_coverage.outputs.pictures.symbols import Symbol
from facility_coverage.outputs.plain_text import lines, visible

ICONS = {"met": "✓", "on_track": "↗", "behind": "!", "no_data": "–"}
_KEY_PT, _GAP_PT, _LEADING = 26.0, 6.0, 1.35


@dataclass
class Column:
    """A column of text and keys that is filled from the top; lengths in points, y downwards."""

    axes: Axes
    fonts: Fonts
    sheet: Sheet
    y: float = 0.0
    drawn: list[Any] = field(default_factory=list)

    @property
    def width(self) -> float:
        """Its width."""
        return 72 * self.sheet.side[2]

    def write(self, text: str, *, size: float = 8.5, bold: bool = False, colour: str = palette.INK, x: float = 0.0,
              most: int = 2) -> None:  # fmt: skip
        """Write a text, broken where the column ends; the y moves below it."""
        size *= self.sheet.text
        if self.full:
            return
        for line in lines(visible(text), (self.width - x) / size, most=most):
            self.y += size * _LEADING
            self.drawn.append(self.put(line, x, self.y - 0.32 * size, size, bold=bold, colour=colour))

    @property
    def full(self) -> bool:
        """Whether another line would stand below the column: then nothing more is written."""
        return self.y + 12 * self.sheet.text > 72 * self.sheet.side[3]

    def put(self, text: str, x: float, y: float, size: float, *, bold: bool = False, colour: str = palette.INK) -> Any:
        """Write a text with its baseline at a place."""
        return self.axes.text(
            x, y, self.fonts.written(text), family=list(self.fonts.families), size=size,
            weight="bold" if bold else "normal", color=colour, parse_math=False, va="baseline",
        )  # fmt: skip

    def box(self, y: float, width: float, height: float, *, x: float = 0.0, **style: Any) -> None:
        """Draw a rectangle whose upper edge is at y."""
        if not self.full:
            self.drawn.append(self.axes.add_patch(Rectangle((x, y), width, height, **style)))

    def line(self, colour: str, width_pt: float) -> None:
        """Draw the key of a line beside the next text."""
        if self.full:
            return
        key = Line2D([0, _KEY_PT * self.sheet.text * 0.85], [self.middle] * 2, color=colour, linewidth=width_pt)
        self.drawn.append(self.axes.add_line(key))

    def skip(self, points: float = _GAP_PT) -> None:
        """Leave room."""
        self.y += points * self.sheet.text

    @property
    def middle(self) -> float:
        """Height of the middle of the next line of text."""
        return self.y + 0.66 * 8.5 * self.sheet.text


def draw_legend(column: Column, core: dict[str, Any], scene: dict[str, Any], theme: dict[str, Any], view: View) -> None:
    """Fill a column with the legend of a theme."""
    words, lang = core["texts"], _lang(core)
    if core["notice"]:
        column.write(core["notice"], size=7.5, colour="#6b4400", most=3)
        column.skip()
    _headline(column, scene, theme, words, lang)
    column.skip()
    _classes(column, theme, words, lang)
    found = content.layer_of(scene, theme)
    if found is not None:
        index, layer = found
        if theme["kind"] == "coverage":
            _reach(column, layer, theme, words, view)
        column.skip()
        names: list[tuple[int | None, str]] = [*enumerate(tier["name"] for tier in layer["tiers"])]
        for level, name in names or [(None, layer["name"])]:
            _symbol(column, Symbol(index, level, len(layer["tiers"])), name)
    column.skip()
    _base(column, core, words)


def _headline(column: Column, scene: dict[str, Any], theme: dict[str, Any], words: dict[str, str], lang: Lang) -> None:
    """Say the figure of the whole study."""
    if theme["kind"] == "goal":
        goal = next((one for one in scene["goals"] if one["theme"] == theme["id"]), None)
        if goal is None:
            return
        status = goal["status"]
        column.write(goal["value"], size=17, bold=True)
        if status:
            column.write(f"{ICONS[status]} {words[status]}", size=10, bold=True, colour=palette.STATUS[status])
        if goal["target"] is not None:
            year = f"（{goal['year']} 年）" if lang == "zh" else f" ({goal['year']})"
            column.write(words["target"] + _colon(lang) + goal["target"] + year, bold=True)
        if goal["shortfall"]:
            column.write(words["shortfall"] + _colon(lang) + goal["shortfall"], colour="#8c2d08", bold=True)
        return
    people, covered, share = _summary(scene, theme)
    group = scene["groups"].get(theme["group"], "")
    if theme["kind"] == "coverage":
        column.write(figure("share", share, lang), size=17, bold=True)
        column.write(f"{group} {words['covered']}", size=8.5)
        if people is not None and covered is not None:
            # A part of a person left out is a person left out, as in the shortfalls of goals.
            left = number(float(math.ceil(round(people - covered, 3))), lang)
            column.write(f"{number(people, lang)} {words['people']} · {words['left_out']} {left}")
        layer = next((one for one in scene["layers"] if one["id"] == theme["layer"]), None)
        if layer is not None:
            column.write(layer["cutoff"], colour=palette.SERVICE, bold=True, most=3)
    else:
        column.write(f"{number(people, lang)} {words['people']}", size=13, bold=True)
        column.write(group)


def _summary(scene: dict[str, Any], theme: dict[str, Any]) -> tuple[float | None, float | None, float | None]:
    study = scene["summary"].get("study", {})
    layer = theme["layer"] or next(iter(study), "")
    people, covered, share = study.get(layer, {}).get(theme["group"], (None, None, None))
    return people, covered, share


def _classes(column: Column, theme: dict[str, Any], words: dict[str, str], lang: Lang) -> None:
    unit = (f"（{theme['unit']}）" if lang == "zh" else f" ({theme['unit']})") if theme["unit"] else ""
    column.write(theme["name"] + unit, size=9, bold=True, most=3)
    column.skip(2)
    for colour, label in zip(theme["colours"], theme["labels"], strict=True):
        _swatch(column, label, facecolor=colour)
    if None in theme["numbers"]:
        _swatch(column, words["no_data"], facecolor=palette.NO_DATA, hatch=content.HATCH)
    if theme["target"]:
        column.skip(3)
        target = words["target"] + _colon(lang) + theme["target"]
        column.write(f"{target} · {words['ramp_target']}", size=7.5, colour="#6f2a08", bold=True)


def _swatch(column: Column, label: str, **style: Any) -> None:
    size = 8.5 * column.sheet.text
    height = size * 1.15
    edge = "#a5a19a" if "hatch" in style else "#8d8a83"
    column.box(
        column.middle - height / 2, _KEY_PT * column.sheet.text * 0.85, height, linewidth=0.4, edgecolor=edge, **style
    )
    column.write(label or "–", x=_KEY_PT * column.sheet.text * 1.1, most=1)


def _reach(column: Column, layer: dict[str, Any], theme: dict[str, Any], words: dict[str, str], view: View) -> None:
    """Explain the service area and the dots of people left out."""
    indent = _KEY_PT * column.sheet.text * 1.1
    column.skip()
    style: dict[str, Any] = {"facecolor": "#dce6dd", "edgecolor": palette.SERVICE, "linewidth": 0.7}
    column.box(column.middle - 4 * column.sheet.text, indent * 0.77, 8 * column.sheet.text, **style)
    column.write(words["service"], x=indent, size=7.5)
    if not layer["gaps"] or theme["group"] != layer["group"]:
        return
    column.write(words["gaps"], x=0.0, size=7.5)
    column.skip(3)
    x = 0.0
    for people in gap_steps(layer):
        radius = max(0.5 * view.mark, np.sqrt(people) * gap_scale(layer, view))
        spot = np.array([[x + radius + 1, column.middle]])
        column.drawn.append(symbols.dots(column.axes, spot, np.array([radius]), zorder=2))
        size = 7.5 * column.sheet.text
        label = f"{people:,}"
        column.drawn.append(column.put(label, x + 2 * radius + 4, column.middle + 0.35 * size, size))
        x += 2 * radius + 10 + 0.6 * size * len(label)
    column.skip(10)


def _symbol(column: Column, symbol: Symbol, name: str) -> None:
    if column.full:
        return
    spot = np.array([[0.42 * _KEY_PT * column.sheet.text, column.middle]])
    column.drawn += symbols.draw(column.axes, spot, symbol, size=0.74 * column.sheet.mark, zorder=2)
    column.write(name, x=_KEY_PT * column.sheet.text * 1.1)


def _base(column: Column, core: dict[str, Any], words: dict[str, str]) -> None:
    indent = _KEY_PT * column.sheet.text * 1.1
    if core["basemap"].get("roads"):
        column.line(ROAD_STYLES["motorway"].casing, 3.0 * column.sheet.mark)
        column.line(ROAD_STYLES["motorway"].colour, 2.0 * column.sheet.mark)
        column.write(words["roads"], x=indent, size=7.5)
    if core["basemap"].get("water"):
        column.line("#a9cde6", 4.0 * column.sheet.mark)
        column.write(words["water"], x=indent, size=7.5)
    column.line(palette.INK, 1.75 * column.sheet.mark)
    column.write(words["boundary"], x=indent, size=7.5)


def _colon(lang: Lang) -> str:
    return "：" if lang == "zh" else ": "


def _lang(core: dict[str, Any]) -> Lang:
    return "zh" if core["lang"] == "zh" else "en"
