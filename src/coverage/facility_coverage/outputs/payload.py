"""What a page carries: one JSON text and named byte strings, packed so that no user's text stands in the page."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facility_coverage.errors import ConfigError, Fault
from facility_coverage.layers.unpacking import MOST_BYTES, inflated

CORE = "core"
_BLOCK = re.compile(r'<script type="application/octet-stream" id="fc-([^"]+)">([A-Za-z0-9+/=]*)</script>')


@dataclass(frozen=True)
class Payload:
    """The content of a page.

    Attributes
    ----------
    core
        What the page needs at once, as plain JSON values.
    blobs
        What it unpacks when it is asked for, by name.
    """

    core: dict[str, Any]
    blobs: Mapping[str, bytes]


def pack(data: bytes) -> str:
    """Return bytes deflated and in base64: letters and digits only, whatever they say."""
    return base64.b64encode(zlib.compress(data, 9)).decode("ascii")


def blocks(payload: Payload) -> list[tuple[str, str]]:
    """Return the name and packed text of each block of a page."""
    text = json.dumps(payload.core, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A lone surrogate is no character: it has no place in UTF-8.
    core = text.encode("utf-8", "replace")
    return [(CORE, pack(core)), *((name, pack(data)) for name, data in payload.blobs.items())]


def read_payload(page: Path) -> Payload:
    """Return what a page that we wrote carries.

    Raises
    ------
    ConfigError
        When the file is missing or is no page of this version.
    """
    try:
        found = dict(_BLOCK.findall(page.read_text(encoding="utf-8")))
        data, most = {}, MOST_BYTES
        for name, text in found.items():
            data[name] = inflated(base64.b64decode(text), most)
            most -= len(data[name])
        core = json.loads(data.pop(CORE))
        return Payload(core, data)
    except FileNotFoundError:
        raise ConfigError([Fault(str(page), "no such file", advice="name the folder of a finished run")]) from None
    except (OSError, ValueError, KeyError, zlib.error):
        advice = "run the study again with this version"
        raise ConfigError([Fault(str(page), "is not a map of this version", advice=advice)]) from None
