"""A report of finished runs, from their folders to its files: wiring only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from facility_coverage.config.text import Lang
from facility_coverage.errors import Fault, StudyError
from facility_coverage.outputs.pictures.album import Album
from facility_coverage.outputs.pictures.sheet import IN_REPORT
from facility_coverage.outputs.report.building import build
from facility_coverage.outputs.report.document import report_document
from facility_coverage.outputs.report.model import Report
from facility_coverage.outputs.report.page import report_page
from facility_coverage.outputs.report.telling import Telling, tell
from facility_coverage.outputs.runs import read_run

Progress = Callable[[str], None]


def write_report(
    folders: Sequence[Path],
    path: Path,
    *,
    docx: bool = False,
    lang: Lang | None = None,
    progress: Progress = lambda _: None,
) -> list[Path]:
    """Write the report of finished runs.

    Parameters
    ----------
    folders
        Of the runs, in the order in which they are told.
    path
        The page to write.
    docx
        Whether the same is also written as a Word document beside it.
    lang
        Language; by default that of the first run.
    progress
        Called with the name of each stage as it begins.

    Returns
    -------
    The files written.

    Raises
    ------
    StudyError
        When a folder holds no finished run, no font can write the maps' names, or a file cannot be written.
    """
    progress("read runs")
    runs = [read_run(folder) for folder in folders]
    tellings = [tell(run, index, lang or runs[0].lang) for index, run in enumerate(runs)]
    report = build(tellings)
    pictures = draw(report, tellings, progress)
    progress("write report")
    size = round(IN_REPORT.width_in * IN_REPORT.dpi), round(IN_REPORT.height_in * IN_REPORT.dpi)
    content = {path: report_page(report, [one.payload for one in tellings], pictures, size=size).encode("utf-8")}
    if docx:
        progress("write document")
        content[path.with_suffix(".docx")] = report_document(report, pictures)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for file, data in content.items():
            file.write_bytes(data)
    except OSError as error:
        raise StudyError([Fault(str(path), f"cannot be written: {error.strerror}")]) from None
    return list(content)


def draw(report: Report, tellings: Sequence[Telling], progress: Progress) -> dict[tuple[int, str], bytes]:
    """Return the picture of every map of a report, by run and theme."""
    pictures: dict[tuple[int, str], bytes] = {}
    for telling in tellings:
        album = Album(telling.payload, IN_REPORT)
        themes = dict.fromkeys(view.theme for view in report.views() if view.run == telling.index)
        for number, theme in enumerate(themes, start=1):
            progress(f"draw map {number} of {len(themes)}: {telling.run.folder}")
            pictures[telling.index, theme] = album.small(theme)
    return pictures
