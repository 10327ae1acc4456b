"""Colours of the map, and the arithmetic that shows people can tell them apart."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Deficiency = Literal["protanopia", "deuteranopia", "tritanopia"]

# Upper ends of the classes of share covered; 1 belongs to the last class.
BREAKS = (0.4, 0.6, 0.8, 0.95, 1.0)
CLASSES = ("#faf1cf", "#c3d9e2", "#8fb9d4", "#5590bf", "#2a5a99")
# Beside a target: missed by half or more, by a fifth or more, by less; met, and by a fifth or more.
MISSED = ("#b8561b", "#e7a25c", "#f9e0bd")
MET = ("#a7cbe3", "#3572ae")
NO_DATA = "#d6d3cd"
# Minutes to the nearest facility, up to and including each of the limits, then farther.
BANDS_MIN = (5, 10, 15, 30)
BANDS = ("#084840", "#237a6a", "#62ad93", "#b2d3c4", "#f5efe5")
# People in a square of the time grid: up to the first limit, the second, more.
PEOPLE_PER_SQUARE = (10, 50)
COVERED = ("#b9cfe4", "#6f9dc9", "#2a5a99")
LEFT_OUT = ("#f6c3a0", "#e5783a", "#a33a07")
CHOSEN = "#c2185b"
SITE = "#ffd23f"
GAP = "#d9480f"
SERVICE = "#0f5132"
FACILITIES = ("#5b1a6b", "#7a2e0e", "#12263f", "#1f5130", "#6b5200", "#374151")
SHAPES = ("circle", "triangle", "cross", "square", "diamond", "pentagon", "star")
STATUS = {"met": "#1b6b3a", "on_track": "#1d5f93", "behind": "#b23a0e", "no_data": "#5d6166"}
INK = "#1f2933"
MUTED = "#55606b"
PAPER = "#ffffff"

# Machado, Oliveira & Fernandes (2009), IEEE TVCG 15(6), 1291-1298: matrices of severity 1.0, for linear RGB.
_MACHADO: dict[str, tuple[tuple[float, float, float], ...]] = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def linear_rgb(colour: str) -> Floats:
    """Return a ``#rrggbb`` colour as linear RGB in 0–1, shape (3,) (IEC 61966-2-1)."""
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear: Floats = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return linear


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2, relative luminance).

    Examples
    --------
    >>> round(contrast("#000000", "#ffffff"), 1)
    21.0
    """
    weights = np.array([0.2126, 0.7152, 0.0722])
    dark, light = sorted(float(weights @ linear_rgb(colour)) for colour in (first, second))
    return (light + 0.05) / (dark + 0.05)


def lab(colour: str, deficiency: Deficiency | None = None) -> Floats:
    """Return a colour in CIE L*a*b* (D65), shape (3,), as seen with a colour-vision deficiency if one is named."""
    rgb = linear_rgb(colour)
    if deficiency is not None:
        rgb = np.clip(np.array(_MACHADO[deficiency]) @ rgb, 0, 1)
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    xyz = to_xyz @ rgb / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def difference(first: str, second: str, deficiency: Deficiency | None = None) -> float:
    """Return the CIE 1976 colour difference of two colours; about 2.3 is just noticeable.

    Examples
    --------
    >>> difference("#000000", "#ffffff") > 99
    True
    """
    return float(np.linalg.norm(lab(first, deficiency) - lab(second, deficiency)))
