"""What Overpass and Nominatim answer, looked at before anything uses or keeps it."""

from __future__ import annotations

import datetime as dt
import email.utils
import html
import math
import re
from typing import Any

_BUSY = {
    429: "asks for fewer requests (429)",
    500: "has an error of its own (500)",
    502: "cannot reach its own database (502)",
    503: "is not available (503)",
    504: "is too busy (504)",
}
_REFUSED = {401, 403, 406}
_SHOWN = 160
_LATER = "try again later, or name another server"
_BUSY_WORDS = ("too busy", "rate_limited", "dispatcher", "duplicate_query")

_PLACE_KEYS = {"osm_type": str, "osm_id": int, "display_name": str, "boundingbox": list, "geojson": dict}


class Trouble(Exception):  # noqa: N818 - often only a matter of waiting
    """An answer that cannot be used.

    Attributes
    ----------
    message, advice
        What is wrong and what to do, for people.
    again
        Whether the same request may do better a little later.
    pause_s
        How long the server asks to wait.
    """

    def __init__(self, message: str, *, advice: str, again: bool = False, pause_s: float | None = None) -> None:
        super().__init__(message)
        self.message, self.advice, self.again, self.pause_s = message, advice, again, pause_s


def judge(response: Any, *, is_overpass: bool) -> None:
    """Look at a response of `requests`.

    Raises
    ------
    Trouble
        If it is not a whole answer of the right kind.
    """
    status = response.status_code
    if status in _BUSY:
        raise Trouble(_BUSY[status], again=True, advice=_LATER, pause_s=_retry_after_s(response.headers))
    if 300 <= status < 400:
        where = _short(response.headers.get("Location", "elsewhere"))
        raise Trouble(f"sends on to {where} ({status})", advice="name that address if you trust it")
    if status in _REFUSED:
        raise Trouble(f"refuses to answer ({status})", advice="say who asks with --contact, or name another server")
    if status == 404:
        raise Trouble("is no such server (404)", advice="name the address as its operator gives it")
    if status != 200:
        raise Trouble(f"answers with error {status}: {_words(response.text)}", advice=_LATER)
    content = _content(response)
    if is_overpass:
        _judge_overpass(content)
    else:
        _judge_nominatim(content)


def _content(response: Any) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError):  # a RecursionError from brackets without end
        pass
    text = response.text.lstrip("\ufeff \r\n\t")
    if not text.startswith("<"):
        raise Trouble("sends an answer that is cut off or no JSON", again=True, advice=_LATER)
    words = _words(text)
    if any(word in words for word in _BUSY_WORDS):
        raise Trouble(f"is too busy: {words}", again=True, advice=_LATER)
    advice = "check the address; a network's log-in page may stand in between"
    raise Trouble(f"sends a web page instead of data: {words}", advice=advice)


def _judge_overpass(content: Any) -> None:
    if not isinstance(content, dict) or not isinstance(content.get("elements"), list):
        raise Trouble("sends something else than Overpass data", advice="check --overpass-url")
    if "remark" not in content:
        return
    remark = _short(str(content["remark"]))
    if any(word in remark for word in _BUSY_WORDS):
        raise Trouble(f"is too busy: {remark}", again=True, advice=_LATER)
    raise Trouble(f"gives up: {remark}", advice="ask for smaller pieces with --piece-km2")


def _judge_nominatim(content: Any) -> None:
    sound = isinstance(content, list) and all(_is_place(one) for one in content)
    if not sound:
        raise Trouble("sends something else than a list of places", advice="check --nominatim-url")


def _is_place(one: Any) -> bool:
    if not isinstance(one, dict) or not all(isinstance(one.get(key), kind) for key, kind in _PLACE_KEYS.items()):
        return False
    try:
        numbers = [float(value) for value in (*one["boundingbox"], one["lat"], one["lon"], one["importance"])]
    except (KeyError, TypeError, ValueError):
        return False
    return len(numbers) == 7 and all(map(math.isfinite, numbers)) and isinstance(one["geojson"].get("type"), str)


def _retry_after_s(headers: Any) -> float | None:
    """Return the seconds that ``Retry-After`` names, as a number or as a date."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}", text):
        return float(text)
    try:
        until = email.utils.parsedate_to_datetime(text)
        return max(0.0, (until - dt.datetime.now(tz=dt.UTC)).total_seconds())
    except (TypeError, ValueError):  # not a date, or one without a time zone
        return None


def overpass_slots(text: str) -> float | None:
    r"""Return how long until the server has a free slot, from its status page; None where it manages none.

    OSMnx reads the fifth line. Servers without a limit, and old ones, write something else there, and OSMnx would wait
    for ever.

    Examples
    --------
    >>> page = "Connected as: 1\nCurrent time: 2026-11-25T08:00:00Z\nAnnounced endpoint: none\nRate limit: {}\n{}"
    >>> overpass_slots(page.format(2, "2 slots available now."))
    0.0
    >>> overpass_slots(page.format(2, "Slot available after: 2026-11-25T08:00:07Z, in 7 seconds."))
    7.0
    >>> overpass_slots(page.format(0, "Currently running queries (pid, space limit, time limit, start time):"))
    """
    lines = text.split("\n")
    if len(lines) < 5 or not re.fullmatch(r"Rate limit: [1-9]\d*", lines[3].strip()):
        return None
    if re.match(r"\d+ slots? available", lines[4]) or lines[4].startswith("Currently"):
        return 0.0
    slot = re.match(r"Slot available after: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, in (-?\d{1,9}) seconds", lines[4])
    return max(0.0, float(slot[1])) if slot else None


def clock_is_right(text: str) -> bool:
    """Tell whether this machine's clock agrees with that of a server's status page to half a minute."""
    found = re.search(r"^Current time: (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\s*$", text, re.MULTILINE)
    try:
        there = dt.datetime.fromisoformat(found[1]) if found else None
    except ValueError:
        return False
    return there is not None and abs((dt.datetime.now(tz=dt.UTC) - there).total_seconds()) < 30


def _words(text: str) -> str:
    """Return the words of a web page, without its tags."""
    body = re.sub(r"(?s)<(script|style)\b.*?</\1>|<[^>]*>", " ", text[:20_000])
    return _short(html.unescape(body)) or "(nothing)"


def _short(text: str) -> str:
    plain = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return plain if len(plain) <= _SHOWN else f"{plain[:_SHOWN]}…"
