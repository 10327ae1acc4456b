"""The check's page, its JSON, and its lines on a terminal."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import markupsafe

from facility_coverage import __version__
from facility_coverage.analysis.findings import RANKS, Finding
from facility_coverage.analysis.inventory import LayerFacts
from facility_coverage.config.text import Lang
from facility_coverage.outputs.findings import rows
from facility_coverage.outputs.offline import asset, inline

_WORDS: dict[str, tuple[str, str]] = {
    "title": ("数据检查", "Check of the data"),
    "findings": ("发现", "Findings"),
    "nothing": ("未发现问题", "Nothing was found"),
    "layers": ("图层", "Layers"),
    "layer": ("图层与文件", "Layer and file"),
    "rows_read": ("读入行数", "Rows read"),
    "rows_kept": ("保留行数", "Rows kept"),
    "crs": ("坐标系", "Reference system"),
    "extent": ("范围（经纬度）", "Extent (degrees)"),
    "missing": ("空值", "Empty values"),
    "found": ("读取方式", "How it was read"),
    "unread": ("无法读取", "could not be read"),
    "footer": ("检查不改动任何数据。", "A check changes no data."),
    "error": ("错误", "errors"),
    "warning": ("警告", "warnings"),
    "note": ("提示", "notes"),
}
_BADGES = {"error": ("错误", "error"), "warning": ("警告", "warning"), "note": ("提示", "note")}


@dataclass(frozen=True)
class Checkup:
    """What a check found.

    Attributes
    ----------
    study, title, file
        The study's id, its title in the language asked for, and its file as shown.
    layers
        What each file holds.
    findings
        Ranked, errors first.
    """

    study: str
    title: str
    file: str
    layers: Sequence[LayerFacts]
    findings: Sequence[Finding]

    @property
    def counts(self) -> dict[str, int]:
        """How many findings each rank has."""
        counted = Counter(found.rank for found in self.findings)
        return {rank: counted[rank] for rank in RANKS}


def write_checkup(checkup: Checkup, folder: Path, *, lang: Lang, on: dt.date) -> None:
    """Write ``check.html``, which opens offline, and ``check.json`` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("check.html", _page(checkup, lang, on)), ("check.json", _json(checkup, on))):
        new = folder / f".{name}.new"
        new.write_text(content, encoding="utf-8")
        new.replace(folder / name)


def lines(checkup: Checkup, *, lang: Lang) -> Iterator[str]:
    """Yield the check as lines of text: layers, then findings."""
    pick = 0 if lang == "zh" else 1
    for facts in checkup.layers:
        if facts.rows_read is None and facts.kind != "roads":
            yield plain(f"{facts.layer}: {facts.file}: {_WORDS['unread'][pick]}")
        else:
            rows = "" if facts.rows_read is None else f"{facts.rows_read:,} → {facts.rows_kept or 0:,}"
            parts = (f"{facts.layer}:", facts.file, rows, _system(facts), _how(facts))
            yield plain("  ".join(part for part in parts if part))
    yield ""
    for found in checkup.findings:
        place = ": ".join(part for part in (found.layer, found.file) if part)
        yield plain(f"{_BADGES[found.rank][pick]}: {place}: {found.message.in_language(lang)}")
        if found.where:
            yield plain(f"    {', '.join(found.where)}{_more(found)}")
        yield plain(f"    → {found.advice.in_language(lang)}")
    yield ", ".join(f"{count} {_WORDS[rank][pick]}" for rank, count in checkup.counts.items())


def badge(rank: str, lang: Lang) -> str:
    """Return the name of a finding's rank."""
    return _BADGES[rank][0 if lang == "zh" else 1]


def plain(line: str) -> str:
    r"""Return a line without characters that would steer a terminal.

    Examples
    --------
    >>> plain("a\x1b[31mb\n")
    'a[31mb'
    """
    return "".join(character for character in line if character.isprintable())


def _page(checkup: Checkup, lang: Lang, on: dt.date) -> str:
    pick = 0 if lang == "zh" else 1
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    page = environment.from_string(asset("check/check.html")).render(
        lang="zh-CN" if lang == "zh" else "en", css=markupsafe.Markup(asset("check/check.css")),  # noqa: S704 - our own
        title=checkup.title, file=checkup.file, date=on.isoformat(),
        words={name: both[pick] for name, both in _WORDS.items()},
        ranks=[{"code": rank, "count": count, "name": _WORDS[rank][pick]} for rank, count in checkup.counts.items()],
        findings=[
            {
                "rank": found.rank, "rank_name": _BADGES[found.rank][pick], "layer": found.layer, "file": found.file,
                "message": found.message.in_language(lang), "advice": found.advice.in_language(lang),
                "where": ", ".join(found.where) + _more(found),
            }
            for found in checkup.findings
        ],
        layers=[_row(facts) for facts in checkup.layers],
    )  # fmt: skip
    return inline(page, {})


def _more(found: Finding) -> str:
    return " …" if found.where and found.count is not None and found.count > len(found.where) else ""


def _row(facts: LayerFacts) -> dict[str, Any]:
    extent = facts.extent
    return {
        "layer": facts.layer, "file": facts.file, "unread": facts.rows_read is None and facts.kind != "roads",
        "rows_read": "" if facts.rows_read is None else f"{facts.rows_read:,}",
        "rows_kept": "" if facts.rows_kept is None else f"{facts.rows_kept:,}",
        "crs": _system(facts),
        "extent": "" if extent is None else f"{extent[0]:.4f}–{extent[2]:.4f} E, {extent[1]:.4f}–{extent[3]:.4f} N",
        "missing": ", ".join(f"{name} {count:,}" for name, count in facts.columns.items() if count),
        "found": _how(facts),
    }  # fmt: skip


def _system(facts: LayerFacts) -> str:
    return " · ".join(part for part in (facts.crs, facts.datum) if part)


def _how(facts: LayerFacts) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.found.items())


def _json(checkup: Checkup, on: dt.date) -> str:
    content = {
        "study": checkup.study,
        "checked_on": on.isoformat(),
        "version": __version__,
        "counts": checkup.counts,
        "layers": [dataclasses.asdict(facts) for facts in checkup.layers],
        "findings": rows(checkup.findings),
    }
    return json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
