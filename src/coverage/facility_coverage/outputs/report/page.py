"""The report as one page: live maps where there is a browser, pictures of them on paper."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jinja2
import markupsafe

from facility_coverage.config.text import Lang
from facility_coverage.outputs import texts
from facility_coverage.outputs.maps import page as map_page
from facility_coverage.outputs.offline import asset, inline
from facility_coverage.outputs.payload import CORE, Payload, blocks, pack
from facility_coverage.outputs.plain_text import visible
from facility_coverage.outputs.report.model import Chapter, Report
from facility_coverage.outputs.report.texts import word

#: Signs of verdicts beside their colours.
ICONS = {"met": "✓", "on_track": "↗", "behind": "!", "no_data": "–"}
_NEVER = 1_000_000


@dataclass
class Entry:
    """A chapter in the contents, with those below it."""

    chapter: Chapter
    below: list[Entry] = field(default_factory=list)


def report_page(
    report: Report, payloads: Sequence[Payload], pictures: Mapping[tuple[int, str], bytes], *, size: tuple[int, int]
) -> str:
    """Return a report as a page that needs nothing but itself.

    Parameters
    ----------
    report
        What it says.
    payloads
        What the maps of each run show.
    pictures
        PNG of each map, by run and theme.
    size
        Their width and height in pixels.
    """
    frame = map_code(report.lang)
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, finalize=_shown, trim_blocks=True, lstrip_blocks=True
    )
    html = environment.from_string(asset("report/report.html")).render(
        report=report,
        language="zh-CN" if report.lang == "zh" else "en",
        words=_words(report.lang),
        icons=ICONS,
        contents=entries(report.chapters),
        map_of=word("map_of", report.lang),
        sections=word("sections", report.lang),
        pictures={key: _ours("data:image/png;base64," + _base64(png)) for key, png in pictures.items()},
        size=size,
        css=_ours(asset("report/report.css")),
        script=_ours(asset("report/report.js")),
        frame=_ours(pack(frame.encode("utf-8"))),
        payloads=list(_payloads(payloads)),
    )
    return inline(html, {}, frames=[frame])


def map_code(lang: Lang) -> str:
    """Return the page of a map without any content: it takes that from the page around it."""
    empty = Payload({"lang": lang, "view": [0, 0, 1, 1], "tiles": []}, {})
    html = map_page(empty)
    for name, text in blocks(empty):
        html = html.replace(f'<script type="application/octet-stream" id="fc-{name}">{text}</script>', "")
    return html


def entries(chapters: Sequence[Chapter]) -> list[Entry]:
    """Return chapters as a tree.

    Examples
    --------
    >>> found = entries([Chapter("a", "A", 1), Chapter("b", "B", 2), Chapter("c", "C", 2), Chapter("d", "D", 1)])
    >>> [(one.chapter.id, [below.chapter.id for below in one.below]) for one in found]
    [('a', ['b', 'c']), ('d', [])]
    """
    top: list[Entry] = []
    open_: list[Entry] = []
    for chapter in chapters:
        del open_[chapter.level - 1 :]
        entry = Entry(chapter)
        (open_[-1].below if open_ else top).append(entry)
        open_.append(entry)
    return top


def _payloads(payloads: Sequence[Payload]) -> Iterator[tuple[int, str, markupsafe.Markup]]:
    """Yield the packed blocks of each run; no report asks a web map service for tiles."""
    for run, payload in enumerate(payloads):
        for name, text in blocks(Payload(payload.core | {"tiles": []}, payload.blobs)):
            yield run, CORE if name == CORE else name, _ours(text)


def _words(lang: Lang) -> dict[str, str]:
    said = {key: word(key, lang) for key in ("contents", "no_script", "error", "warning", "note")}
    return said | {status: texts.text(status, lang) for status in ICONS}


def _ours(text: str) -> markupsafe.Markup:
    """Mark a text as markup: only what is ours, or letters and digits."""
    return markupsafe.Markup(text)  # noqa: S704 - see the docstring


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _shown(value: Any) -> Any:
    """Return what a template may print: of a user's text, nothing that cannot be seen."""
    return value if isinstance(value, markupsafe.Markup) or not isinstance(value, str) else visible(value, limit=_NEVER)
