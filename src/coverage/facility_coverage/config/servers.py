"""Servers of OpenStreetMap data: whom to ask, and how patiently."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from facility_coverage.errors import Fault

OVERPASS_URL = "https://overpass-api.de/api"
NOMINATIM_URL = "https://nominatim.openstreetmap.org"

LIMIT_S = 180
"""How long Overpass may work on one request; it is told so."""


@dataclass(frozen=True)
class Servers:
    """Whom to ask, and how.

    Attributes
    ----------
    overpass_url, nominatim_url
        Addresses without ``/interpreter``, ``/status`` or ``/search``.
    contact
        E-mail address or page of whoever asks; it is sent along so that a server's operators can write.
    timeout_s
        How long to wait for an answer.
    tries
        How often one request is made before it is given up.
    first_pause_s
        Pause after the first failure; it doubles each time, unless the server says how long to wait.
    piece_km2
        Areas larger than this are divided.
    """

    overpass_url: str = OVERPASS_URL
    nominatim_url: str = NOMINATIM_URL
    contact: str = ""
    timeout_s: float = 200.0
    tries: int = 5
    first_pause_s: float = 5.0
    piece_km2: float = 2500.0

    def faults(self) -> list[Fault]:
        """Return what is wrong with these choices."""
        found = []
        for option, url in (("--overpass-url", self.overpass_url), ("--nominatim-url", self.nominatim_url)):
            message = _wrong_address(url)
            if message:
                found.append(Fault(option, message, advice="give an address such as https://overpass.example.org/api"))
        if not self.contact.isascii() or not self.contact.isprintable():
            found.append(Fault("--contact", "holds characters that no header may hold", advice="use plain ASCII"))
        limits = (
            ("--timeout-s", self.timeout_s, 1, 3600), ("--tries", self.tries, 1, 20),
            ("--piece-km2", self.piece_km2, 0.01, 10_000),
        )  # fmt: skip
        found += [
            Fault(option, f"{value:g} is not between {low:g} and {high:g}")
            for option, value, low, high in limits
            if not low <= value <= high
        ]
        return found


def _wrong_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return f"{url!r} is not an address"
    if not known or not url.isprintable() or " " in url or parts.query or parts.fragment:
        return f"{url!r} is not an address"
    return "holds a user name or password, which would be written to files" if "@" in parts.netloc else ""
