"""A comparison on the terminal and on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from facility_coverage.analysis.comparison import PARTS
from facility_coverage.config.text import Lang
from facility_coverage.errors import Fault, StudyError
from facility_coverage.outputs.panels import figure
from facility_coverage.outputs.tables import write_csv
from facility_coverage.outputs.texts import text

_PART_NAMES = {
    "facilities": ("设施", "facilities"),
    "population": ("人口", "population"),
    "roads": ("道路", "roads"),
    "statistics": ("统计", "statistics"),
    "method": ("方法", "method"),
}


def write_comparison(table: pd.DataFrame, folder: Path, *, first: str, second: str) -> None:
    """Write compare.csv (a row per goal and place) and compare.json (what was compared, in which order, and the rows).

    Raises
    ------
    StudyError
        If the folder cannot be written.
    """
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    content = {"first": first, "second": second, "order": list(PARTS), "rows": rows}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_csv(table, folder / "compare.csv")
        lines = json.dumps(content, ensure_ascii=False, indent=1, default=float) + "\n"
        (folder / "compare.json").write_text(lines, encoding="utf-8")
    except OSError as error:
        raise StudyError([Fault(str(folder), f"cannot be written: {error.strerror}")]) from None


def lines(table: pd.DataFrame, *, lang: Lang) -> list[str]:
    """Return what changed in the whole study, a goal a line, with what changed it."""
    study = table[table["level"] == "study"]
    said = []
    for row in study.to_dict("records"):
        scale, name = str(row["scale"]), row["name_zh" if lang == "zh" else "name_en"]
        before, after = (figure(scale, row[key], lang) for key in ("value_before", "value_after"))
        status = [row[key] for key in ("status_before", "status_after")]
        words = [text(one, lang) if isinstance(one, str) else "–" for one in status]
        line = f"{row['goal_id']}  {name}: {before} → {after} ({words[0]} → {words[1]})"
        causes = [
            f"{_PART_NAMES[part][0 if lang == 'zh' else 1]} {_signed(row[part], scale)}"
            for part in PARTS
            if pd.notna(row[part]) and row[part] != 0
        ]
        said.append(line + (f" = {', '.join(causes)}" if causes else ""))
    return said


def _signed(change: float, scale: str) -> str:
    return f"{100 * change:+.2f} %" if scale == "share" else f"{change:+,.4g}"
