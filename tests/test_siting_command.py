"""The command `site` as a user runs it: on the small study, with options and without, and told wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest

from facility_coverage.config.asked_siting import Asked, sitings_of
from facility_coverage.config.reading import load_study
from facility_coverage.errors import ConfigError
from facility_coverage.outputs.folder import SITES
from facility_coverage.outputs.panels import number
from facility_coverage.outputs.siting_lines import lines
from facility_coverage.running import run_study
from facility_coverage.siting_run import run_siting
from interrupts import hearing
from small_study import edit, stations, write_small

CITATION = {"document": "plan", "clause": "1"}
GOALS = [
    {"id": "B", "name": {"zh": "床位", "en": "Beds"}, "measure": "capacity_total", "layer": "station",
     "capacity": "beds", "citation": CITATION, "target": {"year": 2025, "value": 70}},
    {"id": "P", "name": {"zh": "可达", "en": "Reach"}, "measure": "population_covered", "layer": "station",
     "citation": CITATION, "target": {"year": 2025, "value": 0.9}},
]  # fmt: skip
SITING = {"id": "next", "name": {"zh": "新站", "en": "New stations"}, "serves": [{"layer": "station"}], "sites": 2,
          "spacing_m": 400}  # fmt: skip


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The small study with two goals and no siting."""
    path = write_small(tmp_path)
    edit(path, lambda study: study.update(plan={"id": "plan", "title": "plan", "goals": GOALS}))
    return path


def site(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the installed command as a user does."""
    program = Path(sys.executable).with_name("facility-coverage")
    return subprocess.run([program, "site", *arguments], cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603


def test_the_sitings_of_a_study_are_proposed_as_its_run_proposes_them(small: Path) -> None:
    edit(small, lambda study: study.update(siting=[SITING]))
    done = site(small.name, "--lang", "en", cwd=small.parent)
    assert done.returncode == 0, done.stderr
    folder = small.parent / "maps" / "small-sites"
    assert {path.name for path in folder.iterdir()} == SITES.files
    said = done.stdout.splitlines()
    assert said[0] == "next  New stations (mclp)"
    assert said[1] == "  2 of 36 candidates: share covered 48.1% → 80.3%"
    assert said[2] == "  Proven: no choice is better"
    assert said[3] == "  objective 962, bound 962, gap 0%, greedy 962"
    assert said[4].endswith("204 people newly covered, 65.1% with those before")
    assert said[6:] == [
        "Goals, before → after building:",
        "  P  Reach: 48.1% → 80.3% (behind → behind)",
        str(Path("maps") / "small-sites" / "sites.csv"),
    ]
    assert "siting" in done.stderr.splitlines()
    assert not [path for path in (small.parent / "maps").iterdir() if path.name.startswith(".")]
    run = run_study(small, folder=small.parent / "run")
    for name in ("sites.csv", "sites_verdicts.csv"):
        assert (folder / name).read_bytes() == (run.folder / name).read_bytes()
    assert pd.read_csv(folder / "sitings.csv").equals(pd.read_csv(run.folder / "sitings.csv"))
    here, there = (gpd.read_file(path, layer="sites") for path in (folder / "sites.gpkg", run.folder / "coverage.gpkg"))
    assert here.equals(there)
    passport = json.loads((folder / "site.json").read_text(encoding="utf-8"))
    assert passport["identity"] == run.identity
    assert passport["sitings"][0]["said"]["zh"][0] == "从 36 处候选中选出 2 处：可达率 48.1% → 80.3%"
    assert {row["input"] for row in passport["inputs"]} >= {"study", "roads.path", "population.path"}


def test_options_ask_in_place_of_the_study_and_the_goal_is_met_after_building(small: Path) -> None:
    edit(small, lambda study: study.update(siting=[SITING]))
    done = site(small.name, "--goal", "B", "--capacity", "beds=8", "-o", "beds", cwd=small.parent)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:3] == ["  达到目标“床位”（70）需新建 5 处", "  已证明少一处就达不到"]
    assert "  B  床位: 30 → 70 (滞后 → 达到)" in done.stdout.splitlines()
    sites = pd.read_csv(small.parent / "beds" / "sites.csv")
    assert len(sites) == 5  # 70 - 30 = 40 beds, 8 in each
    assert sites["siting"].unique().tolist() == ["asked"]
    verdicts = pd.read_csv(small.parent / "beds" / "sites_verdicts.csv")
    beds = verdicts[(verdicts["goal_id"] == "B") & (verdicts["level"] == "study")].iloc[0]
    assert (beds["value_before"], beds["value_after"], beds["status_after"]) == (30, 70, "met")
    row = pd.read_csv(small.parent / "beds" / "sitings.csv").iloc[0]
    assert (row["goal"], row["problem"], row["sites"], row["outcome"]) == ("B", "mclp", 5, "optimal")


def test_a_problem_of_travel_time_is_told_in_minutes(small: Path) -> None:
    result = run_siting(small, asked=Asked(problem="p_center", sites=1), folder=small.parent / "out")
    (proposal,) = result.computed.proposals
    assert proposal.siting.longest_min == 60.0
    said = lines(result.computed.proposals, result.computed.layers, (), (), lang="en")
    gain = proposal.sites["gain"].iloc[0]
    assert any(f"Minutes off the longest trip: {number(gain, 'en')};" in line for line in said), said
    with pytest.raises(ConfigError, match="longest_min is for p_median and p_center"):
        run_siting(small, asked=Asked(longest_min=30.0), folder=small.parent / "out")


def test_the_same_question_gives_the_same_bytes(small: Path) -> None:
    first = run_siting(small, asked=Asked(sites=3), folder=small.parent / "one", threads=1)
    again = run_siting(small, asked=Asked(sites=3), folder=small.parent / "two", threads=2)
    assert first.identity == again.identity
    for name in SITES.files - {"site.json"}:
        assert (first.folder / name).read_bytes() == (again.folder / name).read_bytes()


def test_a_goal_out_of_reach_is_an_answer(small: Path) -> None:
    edit(small, lambda study: study["facilities"][0].update(cutoff_min=5))
    done = site(small.name, "--goal", "P", "--lang", "en", cwd=small.parent)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[1] == "  All candidates together do not meet the goal Reach (90.0%)"
    assert said[2].startswith("  whole study: ")
    assert said[2].endswith(" people short")
    assert said[3] == "No goal's figure changes"
    folder = small.parent / "maps" / "small-sites"
    assert len(pd.read_csv(folder / "sites.csv")) == 0
    assert pyogrio.read_info(folder / "sites.gpkg", layer="sites")["features"] == 0
    (told,) = json.loads((folder / "site.json").read_text(encoding="utf-8"))["sitings"]
    (row,) = told["lacking"]
    assert (row["level"], row["unit"], row["wanted"]) == ("study", "people", 0.9)
    assert f"{row['short']:,.0f} people short" in said[2]


WRONG: dict[str, tuple[Asked, list[str]]] = {
    "nothing": (
        Asked(), ["the study asks for no sites; write siting: into it, or give --layer and --sites, or --goal"]
    ),
    "goal": (Asked(goal="b"), ["--goal: 'b' is no goal of the study's plans; give one of 'B', 'P'"]),
    "holds": (Asked(goal="B"), ["--capacity: is missing: the goal 'B' counts beds"]),
    "holds nothing": (Asked(goal="B", capacity=("beds=0",)), ["--capacity: is missing: the goal 'B' counts beds"]),
    "no number": (Asked(capacity=("beds", "=3")), ["--capacity: 'beds' is no column and number; write e.g.", "--capa"]),
    "not a number": (Asked(capacity=("beds=nan",)), ["--capacity: "]),
    "no column": (Asked(capacity=("bed=3",)), ["--capacity: 'bed' is not one of 'beds'; did you mean 'beds'?"]),
    "tier": (Asked(tier="top"), ["--tier: 'top' is not one of nothing: the layer has no tiers"]),
    "spacing": (Asked(spacing_m=3.0), ["--spacing-m: input should be greater than or equal to 50"]),
    "lscp": (Asked(problem="lscp", sites=3), ["--sites: does not go with --problem lscp"]),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_missing_or_wrong_is_said_and_nothing_written(small: Path, name: str) -> None:
    asked, lines = WRONG[name]
    with pytest.raises(ConfigError) as caught:
        run_siting(small, asked=asked, folder=small.parent / "out")
    said = [str(fault).partition("small.yaml: ")[2] for fault in caught.value.faults]
    assert len(said) == len(lines)
    assert all(one.startswith(line) for one, line in zip(said, lines, strict=True)), said
    assert not (small.parent / "out").exists()


def test_every_wrong_option_is_listed_at_once(small: Path) -> None:
    options = ["--layer", "statoin", "--problem", "mclpp", "--goal", "B", "--sites", "2"]
    done = site(small.name, *options, cwd=small.parent)
    assert done.returncode == 2
    assert done.stdout == ""
    said = done.stderr.splitlines()[-5:]
    assert said[0] == "small.yaml: --layer: 'statoin' is not one of 'station'; did you mean 'station'?"
    assert said[1].startswith("small.yaml: --problem: 'mclpp' is not one of")
    assert said[2].startswith("small.yaml: --sites: does not go with --goal")
    assert said[3].startswith("small.yaml: --problem: does not go with --goal")
    assert said[4] == "4 faults; nothing was written"
    assert not (small.parent / "maps").exists()


def test_a_layer_with_tiers_or_one_of_several_must_be_named(small: Path) -> None:
    def change(study: dict[str, Any]) -> None:
        (layer,) = study["facilities"]
        tiers = [{"id": "top", "name": "top"}, {"id": "low", "name": "low"}]
        study["facilities"].append(layer | {"id": "centre", "tiers": tiers, "constants": {"tier": "low"}})
        study["plan"]["goals"] = [GOALS[1] | {"layer": "centre", "tier": "low"}]

    edit(small, change)
    study = load_study(small)

    def faults(**options: Any) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            sitings_of(Asked(**options), study, file="small.yaml")
        return [str(fault) for fault in caught.value.faults]

    assert faults(sites=2) == [
        "small.yaml: --layer: is missing: the study has several facility layers; give one of 'station', 'centre'"
    ]
    assert faults(layer="centre") == [
        "small.yaml: --tier: is missing: the layer 'centre' has tiers; give one of 'top', 'low'"
    ]
    (asked,) = sitings_of(Asked(goal="P"), study, file="small.yaml")
    assert (asked.serves[0].layer, asked.serves[0].tier, asked.goal) == ("centre", "low", "P")
    assert faults(goal="P", tier="top") == [
        "small.yaml: --tier: a new 'top' does not count in the goal 'P'; tier: one of 'low'"
    ]
    (plain,) = sitings_of(Asked(layer="station"), study, file="small.yaml")
    assert (plain.problem, plain.sites, plain.spacing_m) == ("mclp", 5, 400.0)


def test_folders_of_others_are_never_replaced(small: Path) -> None:
    run = run_study(small, folder=small.parent / "run").folder
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    done = site(small.name, "--sites", "1", "-o", "run", cwd=small.parent)
    assert done.returncode == 2
    assert "run: holds files that no run has written" in done.stderr
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before
    assert site(small.name, "--sites", "1", "-o", "sites", cwd=small.parent).returncode == 0
    with pytest.raises(Exception, match="holds files that no run has written"):
        run_study(small, folder=small.parent / "sites")
    (small.parent / "sites" / "mine.txt").write_text("x", encoding="utf-8")
    assert site(small.name, "--sites", "1", "-o", "sites", cwd=small.parent).returncode == 2
    (small.parent / "file").write_text("x", encoding="utf-8")
    refused = site(small.name, "--sites", "1", "-o", "file", cwd=small.parent)
    assert refused.returncode == 2
    assert "is a file" in refused.stderr


def test_the_folder_of_the_study_has_its_sites_beside_it(small: Path) -> None:
    edit(small, lambda study: study.update(outputs={"folder": "results/here", "time_surface_m": 50}))
    done = site(small.name, "--sites", "1", cwd=small.parent)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (small.parent / "results").iterdir()} == {"here-sites"}


def test_hostile_names_steer_neither_terminal_nor_spreadsheet(small: Path) -> None:
    evil = '=HYPERLINK("http://x")\x1b[2J\u202etxt'
    plots = pd.DataFrame({"facility_id": ["p"], "name": [evil.replace("\x1b", "")], "lon": [105.9035], "lat": [29.34]})
    stations(small)
    table = pd.read_csv(small.parent / "stations.csv")
    plots.assign(lon=table["lon"].mean(), lat=table["lat"].mean()).to_csv(small.parent / "plots.csv", index=False)
    siting = SITING | {"name": "新\x1b[2J站", "sites": 1, "spacing_m": None,
                       "candidates": [{"path": "plots.csv", "datum": "wgs84"}]}  # fmt: skip
    edit(small, lambda study: study.update(siting=[{k: v for k, v in siting.items() if v is not None}]))
    done = site(small.name, cwd=small.parent)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
    assert "[U+202E]" in done.stdout
    table = pd.read_csv(small.parent / "maps" / "small-sites" / "sites.csv", encoding="utf-8-sig")
    assert table["name"].iloc[0].startswith("'=HYPERLINK")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_an_interrupted_siting_leaves_the_old_result(small: Path) -> None:
    assert site(small.name, "--sites", "1", "-o", "out", cwd=small.parent).returncode == 0
    before = {path.name: path.read_bytes() for path in (small.parent / "out").iterdir()}
    # Nobody writes into this pipe: whoever reads the stations from it waits there until it is interrupted.
    (small.parent / "stations.csv").unlink()
    os.mkfifo(small.parent / "stations.csv")
    program = Path(sys.executable).with_name("facility-coverage")
    process = subprocess.Popen(  # noqa: S603
        hearing([str(program), "site", small.name, "--sites", "2", "-o", "out"]), cwd=small.parent, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if line.strip() == "read layers":
            break
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert {path.name: path.read_bytes() for path in (small.parent / "out").iterdir()} == before
    assert not [path for path in small.parent.iterdir() if path.name.startswith(".out")]


def test_the_keys_of_a_place_that_falls_short_are_documented(small: Path) -> None:
    edit(small, lambda study: study["facilities"][0].update(cutoff_min=5))
    folder = run_siting(small, asked=Asked(goal="P"), folder=small.parent / "out").folder
    (told,) = json.loads((folder / "site.json").read_text(encoding="utf-8"))["sitings"]
    page = (Path(__file__).parents[1] / "docs" / "files.md").read_text(encoding="utf-8")
    section = page.split("## site.json\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert {word.strip(" `,") for row in rows for word in row.split("`, `")} == set(told["lacking"][0])
    assert set(told) == {"siting", "said", "lacking"}
