"""The batch's YAML, its template and its table: every fault at once, with its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from facility_coverage.batching.tasks import Task, list_tasks
from facility_coverage.config.batch import BatchConfig, batch_schema, load_batch
from facility_coverage.config.reading import load_study
from facility_coverage.config.template import Template, fill, names_in
from facility_coverage.errors import StudyError
from many_studies import write_batch

DOCS = Path(__file__).parents[2] / "docs"


def tasks_of(path: Path) -> tuple[Task, ...]:
    return list_tasks(load_batch(path))


def faults_of(path: Path) -> list[str]:
    with pytest.raises(StudyError) as caught:
        tasks_of(path)
    return [str(fault).replace(f"{path.parent}/", "") for fault in caught.value.faults]


def test_a_row_fills_texts_and_paths_and_codes_keep_their_zeros(tmp_path: Path) -> None:
    path = write_batch(tmp_path, ["0110101,东区,stations.csv", "0110102,西区,stations.csv"])
    first, second = tasks_of(path)
    assert (first.name, second.name) == ("d_0110101", "d_0110102")
    study = load_study(second.source)
    assert study.config.id == "d_0110102"
    assert study.config.title.zh == "西区的研究"
    assert study.config.facilities[0].path == (tmp_path / "stations.csv").resolve()


def test_a_table_in_gb18030_is_read_like_any_other(tmp_path: Path) -> None:
    path = write_batch(tmp_path, ["1,东区,stations.csv"])
    table = tmp_path / "districts.csv"
    table.write_bytes(table.read_text(encoding="utf-8").encode("gb18030"))
    (task,) = tasks_of(path)
    assert isinstance(task.source, Template)
    assert dict(task.source.values)["name"] == "东区"


def test_every_fault_of_a_batch_is_listed_at_once(tmp_path: Path) -> None:
    path = write_batch(tmp_path, ["1,东区,a"], worker=2, memory_mb=-1, matrix="none.csv", lang="fr")
    said = faults_of(path)
    assert len(said) == 4
    assert any("worker: the key 'worker' is not known; did you mean 'workers'?" in one for one in said)
    assert any("memory_mb: -1 is not at least 0" in one for one in said)
    assert any("the file 'none.csv' does not exist" in one for one in said)
    assert any("'fr' is not one of 'zh', 'en'" in one for one in said)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"id": "b"}, "give either `studies:`, or `template:` with `matrix:`"),
        ({"id": "b", "template": "template.yaml"}, "`template:` and `matrix:` go together"),
        ({"id": "b", "studies": ["x.yaml"], "template": "template.yaml", "matrix": "districts.csv"}, "give either"),
        ({"id": "b", "studies": []}, "the list is empty"),
        ({"id": "B b", "studies": ["template.yaml"]}, "'B b' is not a usable name"),
    ],
)
def test_what_a_batch_must_say(tmp_path: Path, content: dict[str, object], message: str) -> None:
    path = write_batch(tmp_path, ["1,东区,a"])
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    assert any(message in one for one in faults_of(path))


def test_every_fault_of_a_table_is_listed_at_once(tmp_path: Path) -> None:
    path = write_batch(tmp_path, ["1,东区,a.csv", "2,,b.csv", "A-B,c,", "1,again,d.csv"])
    template = tmp_path / "template.yaml"
    template.write_text(template.read_text("utf-8") + "notice: '{adcod} {{x}}'\n", encoding="utf-8")
    assert faults_of(path) == [
        "template.yaml:" + position(template, "{adcod}") + ": notice: {adcod} is no column of districts.csv, which has "
        "'adcode', 'name', 'stations'; did you mean 'adcode'?",
        "districts.csv: row 2, column 'name': the cell is empty; the template needs it: give a text, or take the row "
        "out",
        "districts.csv: row 3, column 'stations': the cell is empty; the template needs it: give a text, or take the "
        "row out",
        "districts.csv: row 3, column 'adcode': 'd_A-B' is not a usable id; an id starts with a letter; then letters, "
        "digits and _ (small letters, at most 63 in all)",
        "districts.csv: row 4, column 'adcode': 'd_1' is the id of row 1 already; each study needs an id of its own: "
        "it names its folder",
    ]


def position(path: Path, text: str) -> str:
    """Line and character of the value that holds a text, in a plain YAML file of one key a line."""
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if text in line:
            return f"{number}:{line.index(':') + 3}"
    raise AssertionError(text)


def test_an_id_that_is_the_same_in_every_row_is_refused(tmp_path: Path) -> None:
    path = write_batch(tmp_path, ["1,东区,a.csv"])
    template = tmp_path / "template.yaml"
    template.write_text(template.read_text("utf-8").replace("d_{adcode}", "district"), encoding="utf-8")
    (said,) = faults_of(path)
    assert "id: every study would have the id 'district'; put a column of districts.csv in it" in said


def test_files_are_found_by_name_and_pattern_once_each(tmp_path: Path) -> None:
    path = write_batch(tmp_path, ["1,东区,a.csv"])
    (tmp_path / "more" / "deep").mkdir(parents=True)
    for name, content in (("more/b.yaml", "id: second"), ("more/deep/a.yaml", "id: first"), ("c.yaml", "broken: [")):
        (tmp_path / name).write_text(content, encoding="utf-8")
    studies = ["more/**/*.yaml", "more/b.yaml", "c.yaml"]
    path.write_text(yaml.safe_dump({"id": "b", "studies": studies}), encoding="utf-8")
    assert [task.name for task in tasks_of(path)] == ["second", "first", "c"]
    (tmp_path / "c.yaml").write_text("id: first", encoding="utf-8")
    studies.append("none*.yaml")
    path.write_text(yaml.safe_dump({"id": "b", "studies": studies}), encoding="utf-8")
    missing, twice = faults_of(path)
    assert "studies.3: no study file is named 'none*.yaml'" in missing
    assert "studies.2: c.yaml has the id 'first' of more/deep/a.yaml" in twice.replace(f"{tmp_path}/", "")


TEXT = st.text(st.characters(exclude_characters="{}", exclude_categories=["Cs"]), max_size=8)


@given(st.lists(st.tuples(TEXT, st.sampled_from(["adcode", "name"])), max_size=5), TEXT, TEXT)
def test_filling_is_joining(parts: list[tuple[str, str]], adcode: str, name: str) -> None:
    values = {"adcode": adcode, "name": name}
    template = "".join(f"{text}{{{{{{{column}}}}}}}{{{column}}}" for text, column in parts)
    assert fill(template, values) == "".join(f"{text}{{{values[c]}}}{values[c]}" for text, c in parts)
    assert names_in(template) == [column for _, column in parts for _ in range(2)]


def test_what_a_cell_holds_is_never_filled_again() -> None:
    assert fill("{a}", {"a": "{b} {{c}}", "b": "no"}) == "{b} {{c}}"


def test_every_key_of_a_batch_is_documented() -> None:
    section = (DOCS / "batch.md").read_text(encoding="utf-8").split("| key | meaning |")[1].split("\n\n")[0]
    cells = re.findall(r"^\| (.*?) \|", section, re.MULTILINE)
    assert {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} == set(BatchConfig.model_fields)
    assert set(batch_schema()["properties"]) == set(BatchConfig.model_fields)
