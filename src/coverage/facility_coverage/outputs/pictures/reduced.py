"""Pictures of few colours: a tenth of the bytes, and no colour of the legend changed."""

from __future__ import annotations

import io
from collections.abc import Iterable

from PIL import Image

#: Colours that the picture may choose for itself, beside those that it must keep.
OWN = 56


def reduced(png: bytes, keep: Iterable[str]) -> bytes:
    """Return a PNG with a palette: colours that matter as they are, all others at the nearest of a few.

    Parameters
    ----------
    png
        The picture.
    keep
        Colours such as ``#2a5a99`` that stand in its legend.
    """
    image = Image.open(io.BytesIO(png)).convert("RGB")
    chosen = image.quantize(OWN, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).getpalette() or []
    kept = [int(colour[i : i + 2], 16) for colour in dict.fromkeys(keep) for i in (1, 3, 5)]
    colours = Image.new("P", (1, 1))
    colours.putpalette([*kept, *chosen[: 3 * OWN]])
    file = io.BytesIO()
    image.quantize(palette=colours, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()
