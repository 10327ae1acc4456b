"""The index of a batch: every study with its verdicts, and a link to its map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jinja2
import markupsafe

from facility_coverage.analysis.verdicts import Verdict
from facility_coverage.config.text import Lang
from facility_coverage.outputs.batch_tables import STATUSES, Entry, word
from facility_coverage.outputs.offline import asset, inline

_TITLE = {"zh": "批量结果", "en": "Results of the batch"}


def index_page(batch: str, entries: Sequence[Entry], *, lang: Lang) -> str:
    """Return the page: it opens offline, and is the same from the same results."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    css = asset("check/check.css") + asset("batch/index.css")
    endings = ("done", "failed", "not_run")
    counts = [{"code": one, "count": sum(entry.ending == one for entry in entries), "name": word(one, lang)}
              for one in endings]  # fmt: skip
    page = environment.from_string(asset("batch/index.html")).render(
        lang="zh-CN" if lang == "zh" else "en",
        css=markupsafe.Markup(css),  # noqa: S704 - our own
        title=batch,
        heading=_TITLE[lang],
        words={name: word(name, lang) for name in ("study", "title", "date", "verdicts", "ending")},
        statuses=[{"code": status, "name": word(status, lang)} for status in STATUSES],
        counts=[one for one in counts if one["count"] or one["code"] == "done"],
        rows=[_row(one, lang) for one in entries],
    )
    links = [f"{one.name}/map.html" for one in entries if one.ending == "done"]
    return inline(page, {}, links=links)


def _row(entry: Entry, lang: Lang) -> dict[str, Any]:
    done = entry.ending == "done"
    return {
        "name": entry.name,
        "href": f"{entry.name}/map.html" if done else "",
        "title": entry.title.in_language(lang) if entry.title else "",
        "date": entry.date,
        "ending": entry.ending,
        "ending_name": word(entry.ending, lang),
        "counts": [entry.counts[status] if done else "" for status in STATUSES],
        "goals": [_goal(verdict, lang) for verdict in entry.verdicts if verdict.status],
        "reasons": entry.reasons,
    }


def _goal(verdict: Verdict, lang: Lang) -> dict[str, str]:
    status = verdict.status or "no_data"
    name = verdict.name_zh if lang == "zh" else verdict.name_en
    return {"status": status, "status_name": word(status, lang), "name": name}
