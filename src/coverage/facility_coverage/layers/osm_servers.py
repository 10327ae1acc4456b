"""Talking to Overpass and Nominatim through OSMnx: politely, patiently, and going on where an earlier run stopped."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import time
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from facility_coverage.config.servers import LIMIT_S
from facility_coverage.errors import Fault, LayerError
from facility_coverage.layers.osm_responses import Trouble, clock_is_right, judge, overpass_slots

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from facility_coverage.config.servers import Servers

KEPT_DAYS = 7
"""Answers older than this are asked for again."""

LONGEST_PAUSE_S = 600.0
"""A server that asks for a longer wait is left in peace."""

_COMPLETE = "complete"


@dataclass
class Client:
    """OSMnx, set up for one download; made by `connected`.

    Attributes
    ----------
    servers
        Whom to ask.
    folder
        Where answers are kept.
    resumes
        Whether the folder outlives this download.
    say
        Called with each step.
    requests
        Server's address → requests sent so far, retries and questions for a free slot included.
    """

    servers: Servers
    folder: Path
    resumes: bool
    say: Callable[[str], None]
    requests: dict[str, int] = field(default_factory=dict)
    _answered: int = 0
    _waits: int = 0
    _about: str = ""
    _asked_for_slots: bool = False

    def fetch(self, about: str, ask: Callable[[Any], object], *key: object, overpass: bool = True) -> list[Any]:
        """Return the answers to one question, from the server or from an earlier run.

        Parameters
        ----------
        about
            What is asked for, for people.
        ask
            Called with OSMnx, once or after failures again; OSMnx keeps every answer on disk.
        key
            Everything that decides the answers.
        overpass
            Whether Overpass is asked, otherwise Nominatim.

        Raises
        ------
        LayerError
            If the server cannot be reached, or gives no usable answer in time.
        """
        import osmnx  # noqa: PLC0415 - slow to import, and only this command needs it

        url = self.servers.overpass_url if overpass else self.servers.nominatim_url
        text = json.dumps([url, version("osmnx"), self.servers.piece_km2, *key], sort_keys=True)
        folder = self.folder / hashlib.sha256(text.encode()).hexdigest()
        _drop_unusable(folder)
        if not (folder / _COMPLETE).is_file():
            self.say(f"{about}: asking {urlsplit(url).hostname}")
            self._about = about
            osmnx.settings.cache_folder = folder
            self._until_answered(lambda: ask(osmnx), url, overpass=overpass)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / _COMPLETE).touch()
        return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))]

    def _until_answered(self, ask: Callable[[], object], url: str, *, overpass: bool) -> None:
        failures, answered = 0, self._answered
        while True:
            try:
                if overpass and not self._asked_for_slots:
                    self._ask_for_slots(url)
                ask()
            except InterruptedError:  # how OSMnx says that everything is kept
                return
            except Exception as error:
                trouble = _trouble(error, reached=url in self.requests and self._answered > 0)
                if trouble is None:
                    raise
                failures = 1 if self._answered > answered else failures + 1
                answered = self._answered
                self._pause_or_give_up(trouble, failures, url)
            else:
                return

    def _pause_or_give_up(self, trouble: Trouble, failures: int, url: str) -> None:
        pause_s = self.servers.first_pause_s * 2.0 ** (failures - 1) if trouble.pause_s is None else trouble.pause_s
        if trouble.again and failures < self.servers.tries and pause_s <= LONGEST_PAUSE_S:
            self.say(f"{self._about}: {trouble.message}; trying again in {pause_s:.0f} s")
            time.sleep(pause_s)
            return
        times = f" ({failures} tries)" if failures > 1 else ""
        wait = f"; it asks for a pause of {pause_s:.0f} s" if trouble.again and pause_s > LONGEST_PAUSE_S else ""
        kept = "; what has come so far is kept, the same command goes on from there" if self.resumes else ""
        message = f"{self._about}: {trouble.message}{times}{wait}"
        raise LayerError([Fault(url, message, advice=f"{trouble.advice}{kept}")])

    def _ask_for_slots(self, url: str) -> None:
        """See whether the server manages slots as OSMnx understands them; elsewhere OSMnx would wait for ever."""
        import osmnx  # noqa: PLC0415 - as above
        import requests  # noqa: PLC0415 - as above

        headers = {"User-Agent": osmnx.settings.http_user_agent}
        response = requests.get(
            f"{url.rstrip('/')}/status", headers=headers, timeout=self.servers.timeout_s, allow_redirects=False
        )
        self._count(url)
        in_step = clock_is_right(response.text)  # OSMnx counts the wait with the clock of this machine
        osmnx.settings.overpass_rate_limit = in_step and overpass_slots(response.text) is not None
        self._asked_for_slots = True

    def receive(self, response: Any, **_: object) -> None:
        """Look at a response before OSMnx does, and stop it with `Trouble` where it must not be used or kept."""
        is_overpass = response.url.startswith(self.servers.overpass_url.rstrip("/"))
        self._count(self.servers.overpass_url if is_overpass else self.servers.nominatim_url)
        try:
            size_mb = len(response.content) / 1e6
            if urlsplit(response.url).path.endswith("/status"):
                self._wait_for_slot(response)
                return
            judge(response, is_overpass=is_overpass)
        except BaseException:
            response.close()  # whoever stops a response half way closes its connection
            raise
        self._answered += 1
        self._waits = 0
        self.say(f"{self._about}: {size_mb:.1f} MB received")

    def _count(self, url: str) -> None:
        self.requests[url] = self.requests.get(url, 0) + 1

    def _wait_for_slot(self, response: Any) -> None:
        wait_s = overpass_slots(response.text)
        self._waits += 1
        if wait_s is None or wait_s > LONGEST_PAUSE_S or self._waits > LONGEST_PAUSE_S / 5:
            raise Trouble("gives no free slot", advice="try again later, or name another server")
        if wait_s:
            self.say(f"{self._about}: waiting {wait_s:.0f} s for a free slot")


def _trouble(error: Exception, *, reached: bool) -> Trouble | None:
    """Return what an exception of a request means, or None where it is no matter of the network."""
    import requests  # noqa: PLC0415 - slow to import, and only this command needs it

    if isinstance(error, Trouble):
        return error
    if isinstance(error, requests.Timeout):
        return Trouble("gives no answer in time", again=True, advice="try again later, or allow more with --timeout-s")
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return Trouble("breaks off in the middle of an answer", again=True, advice="try again later")
    if isinstance(error, requests.RequestException):
        advice = "check the address and the connection; without internet, see docs/download.md"
        return Trouble("cannot be reached", again=reached, advice=advice)
    if isinstance(error, OSError):
        advice = "make room there, or name another folder under FACILITY_COVERAGE_CACHE"
        return Trouble(f"the answer cannot be kept on disk: {error.strerror}", advice=advice)
    return None


@contextmanager
def connected(servers: Servers, folder: Path, *, resumes: bool, say: Callable[[str], None]) -> Iterator[Client]:
    """Yield a client, with OSMnx set up for it; afterwards OSMnx is as it was.

    Parameters
    ----------
    servers
        Whom to ask.
    folder
        Where answers are kept.
    resumes
        Whether the folder outlives this download.
    say
        Called with each step.
    """
    import osmnx  # noqa: PLC0415 - slow to import, and only this command needs it

    client = Client(servers, folder, resumes, say)
    sender = f"facility-coverage/{version('facility-coverage')}"
    chosen = {
        "cache_folder": folder,
        "cache_only_mode": True,
        "doh_url_template": None,  # nobody else is told which servers are asked
        "http_referer": sender,
        "http_user_agent": f"{sender} ({servers.contact})" if servers.contact else sender,
        "max_query_area_size": servers.piece_km2 * 1e6,
        "nominatim_url": servers.nominatim_url,
        "overpass_rate_limit": True,
        # A fixed limit: another --timeout-s must not make answers of an earlier run useless.
        "overpass_settings": f"[out:json][timeout:{LIMIT_S}]{{maxsize}}",
        "overpass_url": servers.overpass_url.rstrip("/"),
        "requests_kwargs": {"hooks": {"response": client.receive}, "allow_redirects": False},
        "requests_timeout": servers.timeout_s,
        "use_cache": True,
    }
    before = {name: getattr(osmnx.settings, name) for name in chosen}
    resolver = socket.getaddrinfo  # OSMnx replaces it
    try:
        for name, value in chosen.items():
            setattr(osmnx.settings, name, value)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that an area is divided is said by us
            yield client
    finally:
        for name, value in before.items():
            setattr(osmnx.settings, name, value)
        socket.getaddrinfo = resolver


def forget(folder: Path) -> None:
    """Delete all answers kept in a folder."""
    shutil.rmtree(folder, ignore_errors=True)


def _drop_unusable(folder: Path) -> None:
    """Delete answers that are too old or half written."""
    if not folder.is_dir():
        return
    oldest = time.time() - KEPT_DAYS * 86_400
    for file in folder.glob("*.json"):
        with suppress(OSError):
            if file.stat().st_mtime < oldest or not _is_json(file):
                file.unlink()
                (folder / _COMPLETE).unlink(missing_ok=True)


def drop_old(folder: Path) -> None:
    """Delete the answers of earlier downloads that are too old to be used."""
    oldest = time.time() - KEPT_DAYS * 86_400
    for one in folder.iterdir() if folder.is_dir() else ():
        if one.is_dir() and one.stat().st_mtime < oldest:
            forget(one)


def _is_json(file: Path) -> bool:
    try:
        json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return True
