"""The report in Word, read back."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import docx
import pytest
from docx.document import Document
from docx.oxml.ns import qn

from facility_coverage.outputs.report import model
from facility_coverage.outputs.report.document import TEXT_CM, _widths
from facility_coverage.reporting import write_report
from finished import SHOWN

pytestmark = pytest.mark.usefixtures("chinese_font")


@pytest.fixture(scope="module")
def data(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    written = write_report([finished], tmp_path_factory.mktemp("report") / "report.html", docx=True)
    assert [path.name for path in written] == ["report.html", "report.docx"]
    return written[1].read_bytes()


@pytest.fixture(scope="module")
def document(data: bytes) -> Document:
    return docx.Document(io.BytesIO(data))


@pytest.fixture(scope="module")
def evil(finished_evil: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_report([finished_evil], tmp_path_factory.mktemp("report") / "r.html", docx=True)[1].read_bytes()


def headings(document: Document) -> list[tuple[str, str]]:
    return [(one.style.name, one.text) for one in document.paragraphs if one.style.name.startswith("Heading")]


def test_chapters_have_words_own_headings(document: Document) -> None:
    found = headings(document)
    top = (
        "摘要 各类服务可达情况 规划目标判定总表 分项目标 未可达的原因与对策 分镇街情况 方法说明 数据质量 依据 运行信息"
    )
    assert [text for level, text in found if level == "Heading 1"] == top.split()
    assert ("Heading 2", "东街") in found
    assert any(text.startswith("床位") for level, text in found if level == "Heading 2")


def test_tables_repeat_their_heads_and_rows_are_not_torn(document: Document) -> None:
    assert len(document.tables) > 8
    for table in document.tables:
        first, *rest = (row._tr.trPr for row in table.rows)
        assert first.find(qn("w:tblHeader")) is not None
        assert all(row.find(qn("w:tblHeader")) is None for row in rest)
        assert all(row.find(qn("w:cantSplit")) is not None for row in rest)


def test_the_verdicts_say_figure_target_and_shortfall(document: Document) -> None:
    # Three stations, of which two say how many beds they have: 10 and 20.
    (row,) = [
        row for table in document.tables for row in table.rows if row.cells[0].text == "床位" and len(row.cells) == 7
    ]
    assert [cell.text for cell in row.cells] == ["床位", "30", "40", "2025", "约束性", "! 滞后", "10 张"]


def test_each_map_is_a_picture_with_a_description(document: Document) -> None:
    pictures = document.element.body.findall(f".//{qn('wp:docPr')}")
    assert [one.get("descr") for one in pictures] == ["养老服务站", "床位", "可达", "站点"]


def test_contents_are_words_own_field_and_chinese_has_its_font(document: Document) -> None:
    codes = [one.text for one in document.element.body.iter(qn("w:instrText"))]
    assert codes == ['TOC \\o "1-2"']
    fonts = document.styles["Heading 1"].element.rPr.rFonts
    assert fonts.get(qn("w:eastAsia")) == "微软雅黑"
    assert fonts.get(qn("w:eastAsiaTheme")) is None


def test_the_same_run_gives_the_same_bytes(finished: Path, data: bytes, tmp_path: Path) -> None:
    again = write_report([finished], tmp_path / "report.html", docx=True)[1]
    assert again.read_bytes() == data


def test_hostile_names_are_text_and_no_link_or_field(evil: bytes) -> None:
    document = docx.Document(io.BytesIO(evil))
    texts = [one.text for one in document.paragraphs]
    texts += [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    assert sum(SHOWN in text for text in texts) > 20
    with zipfile.ZipFile(io.BytesIO(evil)) as parts:
        whole = {
            name: parts.read(name).decode("utf-8") for name in parts.namelist() if name.endswith((".xml", ".rels"))
        }
    body = whole["word/document.xml"]
    assert "\u202e" not in body
    assert "<w:hyperlink" not in body
    assert all("onerror" not in code.text for code in document.element.body.iter(qn("w:instrText")))
    assert "<img" not in body
    external = [name for name, text in whole.items() if 'TargetMode="External"' in text]
    assert external == []


@pytest.mark.parametrize(
    "texts",
    [
        ("名", "1"),
        ("名" * 60, "1", "约束性"),
        ("名" * 60, "长" * 300, "12,345"),
        ("名" * 60,) * 5,
        ("八个字的表头名称",) * 6 + ("长" * 90,),
    ],
)
def test_columns_fill_the_page_and_long_texts_are_not_starved(texts: tuple[str, ...]) -> None:
    widths = _widths(model.table(tuple("列" for _ in texts), [model.cells(*texts)]))
    assert sum(widths) == pytest.approx(TEXT_CM)
    assert min(widths) > 0.5
    assert all(width > 3 for width, text in zip(widths, texts, strict=True) if len(text) > 50)
