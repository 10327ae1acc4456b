"""Sheets: how large a picture is, and where title, legend, map and sources stand on it."""

from __future__ import annotations

from dataclasses import dataclass

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Sheet:
    """A sheet of paper.

    Attributes
    ----------
    width_in, height_in, dpi
        Its size in inches, and pixels to the inch.
    text, mark
        How large its letters and its symbols are beside those of an A4 sheet.
    margin
        Empty edge, inches.
    """

    width_in: float = 11.69
    height_in: float = 8.27
    dpi: int = 300
    text: float = 1.0
    mark: float = 1.0
    margin: float = 0.35

    @property
    def head(self) -> Box:
        """Left, bottom, width and height of the title, inches."""
        height = 0.72 * self.text
        return self.margin, self.height_in - self.margin - height, self.width_in - 2 * self.margin, height

    @property
    def foot(self) -> Box:
        """Left, bottom, width and height of the sources, inches."""
        return self.margin, self.margin, self.width_in - 2 * self.margin, 0.36 * self.text

    @property
    def side(self) -> Box:
        """Left, bottom, width and height of the legend, inches."""
        bottom = self.foot[1] + self.foot[3]
        return self.margin, bottom, 2.55 * self.text, self.head[1] - bottom

    @property
    def map(self) -> Box:
        """Left, bottom, width and height of the map, inches."""
        left = self.side[0] + self.side[2] + 0.12 * self.text
        return left, self.side[1], self.width_in - self.margin - left, self.side[3]

    def share(self, box: Box) -> Box:
        """Return a box in shares of the sheet, as Matplotlib places axes."""
        left, bottom, width, height = box
        return left / self.width_in, bottom / self.height_in, width / self.width_in, height / self.height_in


#: A map alone on A4, and a map within a page of a report.
A4 = Sheet()
IN_REPORT = Sheet(width_in=7.2, height_in=5.0, dpi=125, text=0.76, mark=0.74, margin=0.06)
