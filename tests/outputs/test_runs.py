"""Finished runs read back, and told in another language."""

from __future__ import annotations

from pathlib import Path

import pytest

from facility_coverage.errors import ConfigError
from facility_coverage.outputs.runs import read_run
from facility_coverage.outputs.translation import in_language, state_name
from finished import write_finished


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_finished(tmp_path_factory.mktemp("run"))


def test_a_run_gives_back_its_figures_and_findings(folder: Path) -> None:
    run = read_run(folder)
    assert [layer.id for layer in run.layers] == ["station"]
    assert run.lang == "zh"
    assert run.zones["population_total"].sum() == pytest.approx(sum(i % 7 for i in range(400)))
    assert [verdict.goal_id for verdict in run.verdicts] == ["beds", "reach", "count"]
    assert run.findings is not None
    assert {found.code for found in run.findings} >= {"capacity_missing"}


def test_a_run_of_before_findings_has_none(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        if file.name != "findings.json":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    assert read_run(tmp_path).findings is None


@pytest.mark.parametrize(("name", "message"), [("run.json", "holds no run.json"), ("zones.csv", "holds no zones.csv")])
def test_a_folder_that_lacks_a_file_says_which(folder: Path, tmp_path: Path, name: str, message: str) -> None:
    for file in folder.iterdir():
        if file.name != name:
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(ConfigError, match=message):
        read_run(tmp_path)


def test_a_run_of_another_version_asks_to_be_run_again(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "run.json").write_text('{"parameters": {}}', encoding="utf-8")
    with pytest.raises(ConfigError, match="not hold a run of this version; run the study again"):
        read_run(tmp_path)


def test_in_another_language_every_word_of_ours_changes_and_no_figure_does(folder: Path) -> None:
    run = read_run(folder)
    own, other = (in_language(run, lang).core for lang in ("zh", "en"))
    assert (own["title"], other["title"]) == ("小样", "Small")
    assert other["texts"]["no_data"] == "no data"
    here, there = own["scenes"][0], other["scenes"][0]
    assert there["name"] == "2025"
    assert there["groups"]["total"] == "Everybody"
    assert there["layers"][0]["cutoff"] == "Older person, 2.88 km/h on foot, 15 min"
    assert [theme["name"] for theme in there["themes"]][-1] == "老人: share of the population"
    for key in ("values", "numbers", "status", "colours"):
        assert [theme[key] for theme in here["themes"]] == [theme[key] for theme in there["themes"]]
    assert here["layers"][0]["facilities"] == there["layers"][0]["facilities"]
    assert state_name(run, run.core["scenes"][1], "en") == "以后"
