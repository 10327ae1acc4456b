"""One page that needs nothing but itself: assets inlined, everything else forbidden."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from html.parser import HTMLParser
from importlib import resources

_LINK = re.compile(r'<script src="([^"]*)"></script>|<link rel="stylesheet" href="([^"]*)"\s*/?>')
_URL_IN_CSS = re.compile(r"[-\w]+\s*:\s*[^;{}]*url\([^)]*\)[^;{}]*;?")
_FETCHING = {"src", "href", "srcset", "data", "action", "poster", "background"}
#: What fetches nothing all the same: pictures that the page holds, and places of the page itself.
_WITHIN = {("img", "src"): "data:image/png;base64,", ("a", "href"): "#"}
_FETCHES = "\0"


class UnknownAssetError(ValueError):
    """A page links to something that is not vendored: it would be missing offline."""


def asset(name: str) -> str:
    """Return a vendored text file, e.g. ``leaflet/leaflet.js``."""
    return (resources.files("facility_coverage.outputs") / "assets" / name).read_text(encoding="utf-8")


def inline(
    html: str,
    assets: Mapping[str, str | None],
    *,
    images: Iterable[str] = (),
    frames: Iterable[str] = (),
    links: Collection[str] = (),
) -> str:
    """Return a page with every link replaced by the asset it names, under a strict Content-Security-Policy.

    Parameters
    ----------
    html
        A page as Folium renders it.
    assets
        URL → vendored file, or None for a link that nothing on the page uses.
    images
        Origins, such as ``https://t0.example.org``, that the page may ask for pictures when its reader wishes so.
    frames
        Pages that stand within this one (`srcdoc`), and are bound by its policy as well as by their own.
    links
        Pages beside this one that it leads to; nothing of them is fetched before a reader follows.

    Raises
    ------
    UnknownAssetError
        The page fetches something that `assets` does not name.
    """

    def replace(match: re.Match[str]) -> str:
        url = match[1] or match[2]
        if url not in assets:
            raise UnknownAssetError(f"{url} is not vendored; add it to outputs/assets or drop it")
        name = assets[url]
        if name is None:
            return ""
        if match[1]:
            return f"<script>{asset(name)}</script>"
        # Leaflet's style sheet points at pictures of controls that are not used here.
        return f"<style>{_URL_IN_CSS.sub('', asset(name))}</style>"

    page = _LINK.sub(replace, html)
    audits = [_audited(one, links) for one in (page, *frames)]
    scripts, styles = ([text for audit in audits for text in getattr(audit, kind)] for kind in ("scripts", "styles"))
    policy = (
        "default-src 'none'; "
        f"script-src {_hashes(scripts)}; style-src {_hashes(styles)}; "
        f"img-src {' '.join(['data:', *dict.fromkeys(images)])}; base-uri 'none'; form-action 'none'"
    )
    return page.replace("<head>", f'<head>\n<meta http-equiv="Content-Security-Policy" content="{policy}" />', 1)


def _audited(page: str, links: Collection[str]) -> _Audit:
    audit = _Audit(links)
    audit.feed(page)
    audit.close()
    if audit.fetches:
        raise UnknownAssetError("the page would fetch " + ", ".join(sorted(audit.fetches)))
    return audit


def _hashes(texts: list[str]) -> str:
    digests = (hashlib.sha256(text.encode("utf-8")).digest() for text in dict.fromkeys(texts))
    return " ".join(f"'sha256-{base64.b64encode(digest).decode('ascii')}'" for digest in digests) or "'none'"


class _Audit(HTMLParser):
    """Collect the scripts and styles of a page, and whatever it would fetch."""

    def __init__(self, links: Collection[str]) -> None:
        super().__init__(convert_charrefs=False)
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.fetches: set[str] = set()
        self._links = frozenset(links)
        self._sink: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetches |= {
            f"<{tag} {name}={value!r}>"
            for name, value in attrs
            if name in _FETCHING
            and not (value or "").startswith(_WITHIN.get((tag, name), _FETCHES))
            and not (tag == "a" and value in self._links)
        }
        if tag == "script" and dict(attrs).get("type") in (None, "", "text/javascript"):
            self._sink = self.scripts
        elif tag == "style":
            self._sink = self.styles
        else:
            self._sink = None
        if self._sink is not None:
            self._sink.append("")

    def handle_data(self, data: str) -> None:
        if self._sink is not None:
            self._sink[-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._sink = None
