"""Building a report from finished runs: cover, then chapter after chapter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from facility_coverage.config.text import Lang
from facility_coverage.outputs.report.annex import annex
from facility_coverage.outputs.report.causes import cause_chapters
from facility_coverage.outputs.report.goals import goal_chapters
from facility_coverage.outputs.report.joint import overview
from facility_coverage.outputs.report.model import Chapter, Facts, Report
from facility_coverage.outputs.report.services import service_chapters, site_chapters
from facility_coverage.outputs.report.summary import summary
from facility_coverage.outputs.report.telling import Telling
from facility_coverage.outputs.report.texts import listed, said, word
from facility_coverage.outputs.report.towns import town_chapters


def build(tellings: Sequence[Telling]) -> Report:
    """Return the report of one run, or of several: first beside each other, then each by itself."""
    first, lang = tellings[0], tellings[0].lang
    alone = len(tellings) == 1
    title = first.title
    if not alone:
        title = said("joint_title", lang, first=first.title, count=len(tellings), more=len(tellings) - 1)
    notices = dict.fromkeys(one.core["notice"] for one in tellings if one.core["notice"])
    chapters = tuple(_chapters(first)) if alone else (overview(tellings), *_parts(tellings))
    return Report(lang, title, word("report", lang), " ".join(notices), _facts(tellings, lang), chapters)


def _facts(tellings: Sequence[Telling], lang: Lang) -> Facts:
    """Return what stands on the cover: days, sources, runs."""

    def every(key: str) -> str:
        return listed(dict.fromkeys(str(one.core[key]) for one in tellings if one.core[key]), lang)

    days = listed(dict.fromkeys(one.scene["date"] for one in tellings), lang)
    named = ("made", "run", "attribution", "approval")
    keys = ("made", "run", "attribution", "approval_number")
    rows = [(word("data_of", lang), days)]
    rows += [(word(name, lang), every(key)) for name, key in zip(named, keys, strict=True)]
    return Facts(tuple((name, value) for name, value in rows if value))


def _chapters(telling: Telling) -> Iterator[Chapter]:
    yield summary(telling)
    yield from service_chapters(telling)
    yield from goal_chapters(telling)
    yield from cause_chapters(telling)
    yield from site_chapters(telling)
    yield from town_chapters(telling)
    yield from annex(telling)


def _parts(tellings: Sequence[Telling]) -> Iterator[Chapter]:
    for telling in tellings:
        yield Chapter(telling.id("part"), f"{telling.title} · {telling.scene['name']}", 1, page=True)
        yield from (chapter.below(1) for chapter in _chapters(telling))
