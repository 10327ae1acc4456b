"""Albums: pictures of all themes of one page, over a ground that is drawn once."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

from facility_coverage.errors import ConfigError
from facility_coverage.outputs import palette
from facility_coverage.outputs.payload import Payload
from facility_coverage.outputs.pictures import content, ground, paths
from facility_coverage.outputs.pictures.fonts import fonts_for
from facility_coverage.outputs.pictures.ground import View, draw_ground
from facility_coverage.outputs.pictures.legend import ICONS, Column, draw_legend
from facility_coverage.outputs.pictures.names import draw_names
from facility_coverage.outputs.pictures.reduced import reduced
from facility_coverage.outputs.pictures.sheet import A4, Box, Sheet
from facility_coverage.outputs.pictures.wanted import no_theme
from facility_coverage.outputs.plain_text import fitted, lines, visible

Format = Literal["png", "svg", "pdf"]
#: No day, no version of a library: the same page gives the same bytes.
_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
#: Text becomes outlines in a drawing, which then needs no font where it is opened.
_SETTINGS: Any = {"svg.hashsalt": "facility-coverage", "svg.fonttype": "path", "hatch.linewidth": 0.5}


class Album:
    """Draws the themes of one page.

    Parameters
    ----------
    payload
        What the page carries; its first state is drawn.
    sheet
        How large the pictures are.

    Raises
    ------
    StudyError
        When no installed font can write its texts.
    """

    def __init__(self, payload: Payload, sheet: Sheet = A4) -> None:
        self._core, self._sheet = payload.core, sheet
        self._scene: dict[str, Any] = payload.core["scenes"][0]
        self._fonts = fonts_for(_texts(payload.core))
        self._zones = [paths.areas(zone["area"]) for zone in self._core["zones"]]
        self._view = View.around(self._core["view"], sheet.map[2], sheet.map[3], sheet.mark)
        self._figure = Figure(figsize=(sheet.width_in, sheet.height_in), dpi=sheet.dpi, facecolor=palette.PAPER)
        FigureCanvasAgg(self._figure)
        with mpl.rc_context(_SETTINGS):
            self._map = self._map_axes()
            self._side = self._points_axes(sheet.side)
            self._head = self._points_axes(sheet.head)
            self._foot()

    @property
    def themes(self) -> list[str]:
        """Ids of the themes, in the order of the page."""
        return [theme["id"] for theme in self._scene["themes"]]

    def picture(self, theme_id: str, form: Format = "png") -> bytes:
        """Return the picture of a theme.

        Raises
        ------
        ConfigError
            When the page has no such theme.
        """
        theme = next((one for one in self._scene["themes"] if one["id"] == theme_id), None)
        if theme is None:
            raise ConfigError([no_theme(theme_id, self.themes, file="map.html")])
        with mpl.rc_context(_SETTINGS):
            drawn = content.draw_theme(self._map, self._scene, theme, self._zones, self._view)
            drawn += self._title(theme)
            column = Column(self._side, self._fonts, self._sheet)
            draw_legend(column, self._core, self._scene, theme, self._view)
            file = io.BytesIO()
            self._figure.savefig(file, format=form, dpi=self._sheet.dpi, metadata=_METADATA[form])
            for one in (*drawn, *column.drawn):
                one.remove()
        return file.getvalue()

    def small(self, theme_id: str) -> bytes:
        """Return the picture of a theme as a PNG of few colours."""
        theme = next(one for one in self._scene["themes"] if one["id"] == theme_id)
        keep = (
            *theme["colours"], *palette.FACILITIES, *palette.STATUS.values(), palette.NO_DATA, palette.GAP, palette.INK,
            palette.PAPER, palette.MUTED, palette.SERVICE, ground.PAPER,
        )  # fmt: skip
        return reduced(self.picture(theme_id), keep)

    def _map_axes(self) -> Any:
        view = self._view
        axes = self._figure.add_axes(self._sheet.share(self._sheet.map))
        axes.set(xlim=(view.left, view.right), ylim=(view.bottom, view.top), xticks=[], yticks=[], autoscale_on=False)
        for edge in axes.spines.values():
            edge.set(color="#8d8a83", linewidth=0.6, zorder=ground.FRAME)
        draw_ground(axes, self._core, view)
        axes.set(xlim=(view.left, view.right), ylim=(view.bottom, view.top))
        draw_names(axes, self._core, view, self._fonts)
        self._scale_bar(axes)
        self._north(axes)
        return axes

    def _points_axes(self, box: Box) -> Any:
        """Return an empty part of the sheet whose coordinates are points, y downwards."""
        axes = self._figure.add_axes(self._sheet.share(box))
        axes.set(xlim=(0, 72 * box[2]), ylim=(72 * box[3], 0), autoscale_on=False)
        axes.set_axis_off()
        return axes

    def _title(self, theme: dict[str, Any]) -> list[Any]:
        """Write the study's title and what is shown of it."""
        text, width = self._sheet.text, 72 * self._sheet.head[2]
        column = Column(self._head, self._fonts, self._sheet)
        title = fitted(visible(self._core["title"]), width / (17 * text))
        shown = fitted(visible(f"{theme['name']} · {self._scene['name']}"), width / (11 * text))
        return [
            column.put(title, 0, 20 * text, 17 * text, bold=True),
            column.put(shown, 0, 38 * text, 11 * text, colour=palette.MUTED),
        ]

    def _foot(self) -> None:
        """Write sources, days, the run and the approval number."""
        core, words, scene = self._core, self._core["texts"], self._scene
        colon = "：" if core["lang"] == "zh" else ": "
        approval = words["approval"] + colon + core["approval_number"] if core["approval_number"] else ""
        said = (
            approval, core["attribution"], scene["population_source"], f"{words['data_of']} {scene['date']}",
            f"{words['made']} {core['made']}", f"{words['run']} {core['run']}",
        )  # fmt: skip
        column = Column(self._points_axes(self._sheet.foot), self._fonts, self._sheet)
        size = 7 * self._sheet.text
        text = " · ".join(visible(one, limit=300) for one in said if one)
        for i, line in enumerate(lines(text, 72 * self._sheet.foot[2] / size, most=2)):
            column.put(line, 0, (1.7 + 1.3 * i) * size, size, colour=palette.MUTED)

    def _scale_bar(self, axes: Any) -> None:
        """Draw a bar of a round length, true in the middle of the map."""
        view, text = self._view, self._sheet.text
        limit = 0.22 * 72 * self._sheet.map[2] / view.ground_pt_per_m
        unit = 10.0 ** math.floor(math.log10(limit))
        length_m = unit * max(step for step in (1, 2, 5) if step * unit <= limit)
        x, y, high = (view.left + 10 * text / view.pt_per_m, view.bottom + 10 * text / view.pt_per_m, 3.2 * text)
        half = length_m * view.ground_pt_per_m / view.pt_per_m / 2
        pt = text / view.pt_per_m
        self._backing(axes, (x - 6 * pt, y - 6 * pt), 2 * half + 12 * pt, 25 * pt)
        for i, colour in enumerate((palette.INK, palette.PAPER)):
            bar = Rectangle((x + i * half, y), half, high / view.pt_per_m, facecolor=colour, edgecolor=palette.INK)
            axes.add_patch(bar).set(linewidth=0.6, zorder=ground.FRAME)
        km = length_m >= 1000
        label = f"{length_m / 1000 if km else length_m:g} {self._core['texts']['kilometre' if km else 'metre']}"
        style = {"family": list(self._fonts.families), "size": 8 * text, "color": palette.INK, "parse_math": False}
        axes.text(x + half, y + 5.5 * text / view.pt_per_m, self._fonts.written(label), ha="center", va="bottom",
                  zorder=ground.FRAME, **style)  # fmt: skip

    def _backing(self, axes: Any, corner: tuple[float, float], width: float, height: float) -> None:
        """Lighten the map where something must be read on it."""
        box = Rectangle(corner, width, height, facecolor=palette.PAPER, alpha=0.82, linewidth=0, zorder=ground.FRAME)
        axes.add_patch(box)

    def _north(self, axes: Any) -> None:
        view, text = self._view, self._sheet.text
        pt = text / view.pt_per_m
        x, y = view.right - 20 * pt, view.top - 12 * pt
        self._backing(axes, (x - 13 * pt, y - 37 * pt), 26 * pt, 42 * pt)
        arrow = [(x, y), (x + 7 * pt, y - 20 * pt), (x, y - 16 * pt), (x - 7 * pt, y - 20 * pt)]
        axes.add_patch(Polygon(arrow, facecolor=palette.INK, linewidth=0, zorder=ground.FRAME))
        letter = self._fonts.written(self._core["texts"]["north_letter"])
        axes.text(x, y - 23 * pt, letter, ha="center", va="top", size=9 * text, weight="bold", color=palette.INK,
                  family=list(self._fonts.families), parse_math=False, zorder=ground.FRAME)  # fmt: skip


def _texts(core: dict[str, Any]) -> Iterator[str]:
    """Yield every text that a picture may show."""
    scene = core["scenes"][0]
    yield from (core["title"], core["notice"], core["attribution"], core["approval_number"])
    yield from (scene["name"], scene["population_source"], *scene["groups"].values(), *ICONS.values())
    yield from (core["texts"][word] for word in core["texts"])
    for zone in (*core["zones"], *(core.get("districts") or ()), *(core["basemap"].get("neighbours") or ())):
        yield zone["name"]
    for theme in scene["themes"]:
        yield from (theme["name"], theme["unit"], theme["target"], *theme["labels"])
    for layer in scene["layers"]:
        yield from (layer["name"], layer["cutoff"], *(tier["name"] for tier in layer["tiers"]))


def write_pictures(payload: Payload, folder: Path, forms: Sequence[Format], *, theme: str | None = None) -> None:
    """Write map.png, map.svg or map.pdf of one theme of a page, by default its first."""
    album = Album(payload)
    for form in forms:
        (folder / f"map.{form}").write_bytes(album.picture(theme or album.themes[0], form))
