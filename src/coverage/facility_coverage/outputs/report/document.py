"""The report as a Word document: real headings, tables whose heads repeat, pictures of the maps."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Mapping
from typing import Any

import docx
from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from facility_coverage.outputs import palette
from facility_coverage.outputs.plain_text import visible
from facility_coverage.outputs.report.model import Block, Cell, Chapter, Facts, MapView, Points, Report, Table, Text
from facility_coverage.outputs.report.page import ICONS
from facility_coverage.outputs.report.texts import word

#: Width of the text on A4 between the margins.
TEXT_CM = 17.0
#: Width of a map, which leaves room for a table of towns on the same page.
PICTURE_CM = 15.0
LATIN, CHINESE = "Arial", "微软雅黑"
#: A column of long texts is at least as wide, centimetres: headings of figures are broken sooner than remarks.
LONG_CM = 4.5
#: Tables of up to so many rows stay on one page.
FEW = 12
_RANKS = {"error": "#9b1c1c", "warning": "#8a5a0b", "note": "#1d5f93"}
#: Every file in the document is as old as the format allows: the same report gives the same bytes.
_ANY_DAY = (1980, 1, 1, 0, 0, 0)
_NEVER = 1_000_000


def report_document(report: Report, pictures: Mapping[tuple[int, str], bytes]) -> bytes:
    """Return a report as a .docx file.

    Parameters
    ----------
    report
        What it says.
    pictures
        PNG of each map, by run and theme.
    """
    document = docx.Document()
    _styles(document)
    _page_numbers(document, report)
    _cover(document, report)
    _contents(document, report)
    for chapter in report.chapters:
        _chapter(document, chapter, pictures)
    properties = document.core_properties
    properties.title, properties.subject = _seen(report.title)[:250], report.subtitle
    properties.author, properties.last_modified_by, properties.comments = "", "", ""
    properties.created = properties.modified = dt.datetime(1980, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)
    file = io.BytesIO()
    document.save(file)
    return _without_days(file.getvalue())


def _seen(text: str) -> str:
    return visible(text, limit=_NEVER)


def _styles(document: Document) -> None:
    """Set sheet, fonts and headings."""
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21.0), Cm(29.7)
    section.left_margin = section.right_margin = Cm((21.0 - TEXT_CM) / 2)
    section.top_margin = section.bottom_margin = Cm(2.0)
    sizes = {"Normal": 10.5, "Title": 26, "Heading 1": 18, "Heading 2": 14, "Heading 3": 12, "List Bullet": 10.5}
    for name, size in sizes.items():
        style: Any = document.styles[name]
        style.font.name, style.font.size, style.font.color.rgb = LATIN, Pt(size), _colour(palette.INK)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{theme}"), None)  # a theme's font would go before ours
        for kind, font in (("ascii", LATIN), ("hAnsi", LATIN), ("eastAsia", CHINESE), ("cs", LATIN)):
            fonts.set(qn(f"w:{kind}"), font)
    normal: Any = document.styles["Normal"]
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "en-US")
    language.set(qn("w:eastAsia"), "zh-CN")  # or punctuation would be set as in Japan or Taiwan
    normal.element.get_or_add_rPr().append(language)
    normal.paragraph_format.space_after, normal.paragraph_format.line_spacing = Pt(5), 1.2


def _colour(colour: str) -> RGBColor:
    return RGBColor.from_string(colour[1:].upper())


def _page_numbers(document: Document, report: Report) -> None:
    """Put numbers at the foot of pages; the cover has none."""
    section = document.sections[0]
    section.different_first_page_header_footer = True
    paragraph = section.footer.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    before, after = word("page_of", report.lang).split("{page}")
    paragraph.add_run(before)
    _mark(paragraph, "begin")
    _instruction(paragraph, "PAGE")
    _mark(paragraph, "separate")
    paragraph.add_run("1")
    _mark(paragraph, "end")
    paragraph.add_run(after)


def _mark(paragraph: Any, kind: str) -> None:
    """Begin, separate or end a field of Word."""
    mark = OxmlElement("w:fldChar")
    mark.set(qn("w:fldCharType"), kind)
    paragraph.add_run()._r.append(mark)


def _instruction(paragraph: Any, instruction: str) -> None:
    """Say what a field of Word is: ours, never a user's text."""
    code = OxmlElement("w:instrText")
    code.set(qn("xml:space"), "preserve")
    code.text = instruction
    paragraph.add_run()._r.append(code)


def _cover(document: Document, report: Report) -> None:
    subtitle = document.add_paragraph()
    subtitle.paragraph_format.space_before = Pt(170)
    _run(subtitle, report.subtitle, size=13, colour=palette.MUTED)
    _run(document.add_paragraph(), report.title, size=26, bold=True)
    if report.notice:
        _run(document.add_paragraph(), report.notice, bold=True, colour="#7a4d00")
    _facts(document, report.facts)


def _contents(document: Document, report: Report) -> None:
    """Add Word's own table of contents, filled so that it can be read before Word has renewed it."""
    heading = document.add_paragraph()
    heading.paragraph_format.page_break_before = True
    _run(heading, word("contents", report.lang), size=18, bold=True)
    _run(document.add_paragraph(), word("update_contents", report.lang), size=9, colour=palette.MUTED)
    paragraph = document.add_paragraph()
    _mark(paragraph, "begin")
    _instruction(paragraph, 'TOC \\o "1-2"')
    _mark(paragraph, "separate")
    for i, chapter in enumerate(chapter for chapter in report.chapters if chapter.level <= 2):
        if i:
            paragraph = document.add_paragraph()
        paragraph.paragraph_format.left_indent = Cm(0.7 * (chapter.level - 1))
        paragraph.paragraph_format.space_after, paragraph.paragraph_format.line_spacing = Pt(0), 1.0
        _run(paragraph, chapter.title, bold=chapter.level == 1, size=10.5 if chapter.level == 1 else 9.5)
    _mark(paragraph, "end")


def _chapter(document: Document, chapter: Chapter, pictures: Mapping[tuple[int, str], bytes]) -> None:
    heading = document.add_heading(level=min(chapter.level, 9))
    heading.paragraph_format.page_break_before = chapter.page
    heading.add_run(_seen(chapter.title))
    if chapter.status:
        _run(heading, f"  {ICONS[chapter.status]}", bold=True, colour=palette.STATUS[chapter.status])
    for block in chapter.blocks:
        _block(document, block, pictures)


def _block(document: Document, block: Block, pictures: Mapping[tuple[int, str], bytes]) -> None:
    match block:
        case Text():
            _text(document, block)
        case Points():
            for item in block.items:
                document.add_paragraph(_seen(item), style="List Bullet")
        case Facts():
            _facts(document, block)
        case MapView():
            paragraph = document.add_paragraph()
            picture = paragraph.add_run().add_picture(
                io.BytesIO(pictures[block.run, block.theme]), width=Cm(PICTURE_CM)
            )
            picture._inline.docPr.set("descr", _seen(block.caption))
            picture._inline.docPr.set("name", "map")
        case Table():
            _table(document, block)


def _text(document: Document, block: Text) -> None:
    looks: dict[str, dict[str, Any]] = {
        "lead": {"size": 11.5}, "head": {"bold": True}, "note": {"size": 9, "colour": palette.MUTED},
        "missing": {"size": 9.5, "colour": "#4c5157"},
    }  # fmt: skip
    paragraph = document.add_paragraph()
    if block.kind == "note":
        paragraph.paragraph_format.space_after = Pt(1)
    paragraph.paragraph_format.keep_with_next = block.kind == "head"
    _run(paragraph, block.text, **looks.get(block.kind, {}))


def _facts(document: Document, facts: Facts) -> None:
    gap = "    "
    paragraph = document.add_paragraph()
    for i, (name, value) in enumerate(facts.items):
        _run(paragraph, (gap if i else "") + name + " ", size=9, colour=palette.MUTED)
        _run(paragraph, value, bold=True)


def _run(paragraph: Any, text: str, *, size: float | None = None, bold: bool = False, colour: str = "") -> None:
    run = paragraph.add_run(_seen(text))
    run.bold = bold or None
    if size is not None:
        run.font.size = Pt(size)
    if colour:
        run.font.color.rgb = _colour(colour)


def _table(document: Document, block: Table) -> None:
    if block.caption:
        caption = document.add_paragraph()
        caption.paragraph_format.keep_with_next, caption.paragraph_format.space_after = True, Pt(2)
        _run(caption, block.caption, bold=True)
    made = document.add_table(rows=0, cols=len(block.columns))
    made.autofit = False
    widths = _widths(block)
    for column, width in zip(made.columns, widths, strict=True):
        column.width = Cm(width)
    _row(made, [Cell(column.name) for column in block.columns], block, widths, head=True)
    for row in block.rows:
        _row(made, list(row), block, widths, head=False)
    if len(block.rows) <= FEW:
        for row in made.rows[:-1]:
            for place in row.cells:
                place.paragraphs[0].paragraph_format.keep_with_next = True
    document.add_paragraph().paragraph_format.space_after = Pt(2)


def _widths(block: Table) -> list[float]:
    """Return how wide columns are, in centimetres: short ones whole, the longest sharing alike what is left."""
    asked = [0.34 * width + 0.5 for width in block.widths_em]
    if sum(asked) <= TEXT_CM:
        return [width * TEXT_CM / sum(asked) for width in asked]
    room, most = TEXT_CM, TEXT_CM
    for done, width in enumerate(sorted(asked)):
        most = room / (len(asked) - done)
        if width > most:
            break
        room -= width
    long = sum(width > LONG_CM for width in asked)
    if most >= LONG_CM or long in (0, len(asked)):
        return [min(width, most) for width in asked]
    wide = min(LONG_CM, 0.6 * TEXT_CM / long)
    shrunk = (TEXT_CM - wide * long) / sum(width for width in asked if width <= LONG_CM)
    return [wide if width > LONG_CM else width * shrunk for width in asked]


def _row(made: Any, cells: list[Cell], block: Table, widths: list[float], *, head: bool) -> None:
    row = made.add_row()
    properties = row._tr.get_or_add_trPr()
    properties.append(OxmlElement("w:cantSplit"))
    if head:
        properties.append(OxmlElement("w:tblHeader"))
    for place, cell, column, width in zip(row.cells, cells, block.columns, widths, strict=True):
        place.width = Cm(width)
        _edge(place, "#9aa5b1" if head else "#e0ddd6")
        paragraph = place.paragraphs[0]
        paragraph.paragraph_format.space_after, paragraph.paragraph_format.line_spacing = Pt(1), 1.0
        if column.number:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        icon = f"{ICONS[cell.status]} " if cell.status in ICONS else ""
        colour = palette.MUTED if head else {**palette.STATUS, **_RANKS}.get(cell.status, "")
        _run(paragraph, icon + cell.text, size=8.5 if head else 9, bold=head or bool(cell.status), colour=colour)


def _edge(place: Any, colour: str) -> None:
    """Draw a line below a field."""
    borders = OxmlElement("w:tcBorders")
    bottom = OxmlElement("w:bottom")
    for key, value in (("val", "single"), ("sz", "4"), ("color", colour[1:])):
        bottom.set(qn(f"w:{key}"), value)
    borders.append(bottom)
    place._tc.get_or_add_tcPr().append(borders)


def _without_days(data: bytes) -> bytes:
    """Return a .docx whose parts are all of one day."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(zipfile.ZipInfo(name, _ANY_DAY), source.read(name), zipfile.ZIP_DEFLATED)
    return file.getvalue()
