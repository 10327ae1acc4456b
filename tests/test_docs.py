"""The documentation has an entry for every key, measure, profile, output file and column, and for nothing else."""

from __future__ import annotations

import importlib.util
import json
import re
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import get_args

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely
import yaml

from facility_coverage.comparing import compare_studies
from facility_coverage.config.goal import GoalBase
from facility_coverage.config.measures import MEASURES
from facility_coverage.config.reading import builtin_profiles
from facility_coverage.config.study import GeopackageLayer
from facility_coverage.layers.duplicates import find_pairs
from facility_coverage.layers.osm_kinds import KINDS
from facility_coverage.running import run_study

DOCS = Path(__file__).parents[1] / "docs"
CRS = "EPSG:4544"


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@cache
def tables() -> ModuleType:
    """The script that writes the generated tables."""
    spec = importlib.util.spec_from_file_location("docs_tables", DOCS / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sections(text: str, level: int = 2) -> dict[str, str]:
    mark = "#" * level
    found = re.findall(rf"^{mark} (.+?)\n(.*?)(?=^#{{1,{level}}} |\Z)", text, re.DOTALL | re.MULTILINE)
    return dict(found)


def documented(section: str) -> set[str]:
    """Names in the first column of a section's table."""
    cells = re.findall(r"^\| (.*?) \|", section, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_every_key_of_the_configuration_has_a_meaning() -> None:
    script = tables()
    owners = script.definitions()
    without = [f"{o}.{k}" for o, d in owners.items() for k, p in d["properties"].items() if not script.meaning(o, k, p)]
    assert not without
    stale = [name for name in script.MORE if name.split(".")[1] not in owners[name.split(".")[0]]["properties"]]
    assert not stale
    page = script.fill(read("reference/config.md"))
    assert "<!--" not in page
    for key in ("max_access_m", "cutoff_min", "zone_column", "facilities_from", "verified"):
        assert f"| `{key}` |" in page


def test_links_inside_the_configuration_lead_to_its_headings() -> None:
    page = tables().fill(read("reference/config.md"))
    headings = {heading.lower().replace(" ", "-") for heading in sections(page)}
    assert set(re.findall(r"\]\(#([\w-]+)\)", page)) <= headings


def test_every_measure_has_a_section_with_formula_unit_and_hand_example() -> None:
    found = sections(read("measures.md"))
    common = {*GoalBase.model_fields, "measure"}
    assert set(found) == {*(name_of(one) for one in MEASURES), "Verdicts"}
    for one in MEASURES:
        section = found[name_of(one)]
        for row in ("Formula", "Unit", "Takes", "By hand"):
            assert f"| {row} |" in section
        takes = set(re.findall(r"`(\w+)`", section.split("| Takes |")[1].split("\n")[0]))
        assert set(one.model_fields) - common <= takes


def name_of(measure: type[GoalBase]) -> str:
    (name,) = get_args(measure.model_fields["measure"].annotation)
    return str(name)


def test_every_profile_is_listed_with_its_source() -> None:
    page = tables().fill(read("profiles.md"))
    for name, profile in builtin_profiles().items():
        assert f"| `{name}` |" in page
        assert profile.source in page


def test_every_kind_of_openstreetmap_is_listed_with_its_tags_and_page() -> None:
    page = tables().fill(read("facilities.md"))
    listed = dict(re.findall(r"^\| `(\w+)` \|.*\| `(Tag:[^`]+)` \|$", page, re.MULTILINE))
    assert listed == {name: kind.page for name, kind in KINDS.items()}
    for kind in KINDS.values():
        for key, values in (pair for tags in kind.any_of for pair in tags.items()):
            assert f"`{key}={'`, `'.join(values)}`" in page


def test_the_likenesses_of_names_are_as_the_page_says() -> None:
    rows = re.findall(r"^\| (\S+) · (\S+) \| ([\d.]+) \|", read("facilities.md"), re.MULTILINE)
    assert len(rows) == 3
    for first, second, said in rows:
        columns = {"facility_id": ["1", "2"], "name": [first, second], "tier": [None, None]}
        frame = gpd.GeoDataFrame(columns, geometry=[shapely.Point(0, 0)] * 2)
        (found,) = find_pairs(frame, distance_m=0, similarity=0.1)["similarity"]
        assert found == pytest.approx(float(said))


def test_every_page_and_decision_is_reached_from_the_contents() -> None:
    pages = {
        path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md") if "_build" not in path.parts
    }
    listed = {"index"}
    for index, folder in (("index.md", ""), ("decisions/index.md", "decisions/")):
        for block in re.findall(r"```\{toctree\}\n(.*?)```", read(index), re.DOTALL):
            listed |= {folder + line for line in block.splitlines() if line and not line.startswith(":")}
    assert pages == listed


@pytest.mark.parametrize("path", sorted((DOCS / "decisions").glob("0*.md")), ids=lambda path: path.stem[:4])
def test_a_decision_states_context_choice_consequence_and_status(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# {int(path.stem[:4])}. ")
    assert list(sections(text)) == ["Context", "Choice", "What it would change"]
    assert "**Status:**" in text


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory, chinese_font: None) -> Path:  # noqa: ARG001 - for its pictures
    """The result folder of a street with two towns, one station and one goal."""
    folder = tmp_path_factory.mktemp("street")
    outlines = [shapely.box(0, 0, 500, 400), shapely.box(500, 0, 1000, 400)]
    names = {"zone_id": ["1", "2"], "name": ["a", "b"], "area_type": ["urban", "rural"], "district_id": ["d", "d"]}
    move = (587_000.0, 3_247_000.0)
    zones = gpd.GeoDataFrame(names, geometry=outlines, crs=CRS)
    zones.geometry = zones.geometry.translate(*move)
    zones.to_file(folder / "zones.gpkg")
    line = gpd.GeoSeries([shapely.LineString([(x, 200) for x in np.arange(0, 1001, 100)])], crs=CRS).translate(*move)
    gpd.GeoDataFrame({"highway": ["residential"]}, geometry=line).to_file(folder / "roads.gpkg")
    at = pd.DataFrame({"x": [move[0] + 250.0, move[0] + 750.0], "y": [move[1] + 210.0] * 2})
    at.assign(total=[10, 20]).to_csv(folder / "people.csv", index=False)
    at.head(1).assign(facility_id="s", name="s", room=5, good="yes", tier="low").to_csv(
        folder / "stations.csv", index=False
    )
    citation = {"document": "plan", "clause": "1"}
    goal = {
        "id": "g",
        "name": "g",
        "measure": "capacity_total",
        "layer": "stop",
        "capacity": "room",
        "citation": citation,
    }
    study = {
        "id": "street",
        "title": "street",
        "date": "2025-12-31",
        "crs": CRS,
        "zones": {"path": "zones.gpkg"},
        "roads": {"path": "roads.gpkg"},
        "population": {"kind": "points", "path": "people.csv", "crs": CRS},
        "groups": [{"id": "old", "name": "old", "share": 0.2}],
        "facilities": [
            {"id": "stop", "name": "stop", "kind": "clinic", "path": "stations.csv", "crs": CRS, "capacity": ["room"],
             "attributes": ["good"],
             "tiers": [{"id": "low", "name": "low", "led_by": ["top"]}, {"id": "top", "name": "top"}],
             "profile": "adult", "cutoff_min": 15, "needs": [{"capacity": "room", "per_person": 0.1}]}
        ],
        "plan": {"id": "plan", "title": "plan", "goals": [goal | {"target": {"year": 2025, "value": 1}}]},
        "network": {"min_component_nodes": 2},
        "siting": [{"id": "next", "name": "next", "serves": [{"layer": "stop", "tier": "low"}], "sites": 1,
                    "spacing_m": 200}],
        "uncertainty": {"draws": 2},
        "outputs": {"geopackage": list(get_args(GeopackageLayer)), "time_surface_m": 50, "web_map_datum": "gcj02",
                    "pictures": ["png", "svg", "pdf"]},
    }  # fmt: skip
    path = folder / "street.yaml"
    path.write_text(yaml.safe_dump(study), encoding="utf-8")
    return run_study(path, folder=folder / "out").folder


def as_documented(columns: list[str]) -> set[str]:
    """Column names with this study's ids taken out."""
    patterns = {"stop": "<layer>", "old": "<group>", "room": "<capacity>", "good": "<attribute>"}
    words = [[patterns.get(word, word) for word in column.split("_")] for column in columns]
    for word in words:
        if word[-1] == "total" and len(word) > 1:
            word[-1] = "<group>"
    return {"_".join(word) for word in words}


def test_every_file_of_a_result_has_a_section(result: Path) -> None:
    written = {path.name.replace("stop", "<layer>").replace("gcj02", "<datum>") for path in result.iterdir()}
    assert set(sections(read("files.md"))) == written | {"compare.csv", "sites.gpkg", "site.json"}


def test_every_column_of_a_comparison_is_documented(result: Path) -> None:
    table = compare_studies(str(result), str(result), folder=result.parent / "change").table
    assert documented(sections(read("files.md"))["compare.csv"]) == set(table.columns)
    assert {path.name for path in (result.parent / "change").iterdir()} == {"compare.csv", "compare.json", "map.html"}


RESULTS = [
    "zones.csv",
    "districts.csv",
    "verdicts.csv",
    "hierarchy.csv",
    "tiers.csv",
    "ledger.csv",
    "sharing.csv",
    "equity.csv",
    "lorenz.csv",
    "worst_served.csv",
    "served.csv",
    "spare.csv",
    "gaps.csv",
    "remedies.csv",
    "bracket.csv",
    "bracket_goals.csv",
    "bracket_causes.csv",
    "sites.csv",
    "sitings.csv",
    "sites_verdicts.csv",
]


@pytest.mark.parametrize("name", RESULTS)
def test_every_column_of_a_table_is_documented(result: Path, name: str) -> None:
    table = pd.read_csv(result / name, encoding="utf-8-sig")
    assert documented(sections(read("files.md"))[name]) == as_documented(list(table.columns))


def test_every_layer_and_column_of_the_geopackage_is_documented(result: Path) -> None:
    found = {name: section for name, section in sections(read("files.md"), 3).items() if "`" in section}
    path = result / "coverage.gpkg"
    assert set(found) == {name for name, _ in pyogrio.list_layers(path)}
    assert set(pyogrio.read_info(path, layer="sites")["fields"]) == documented(sections(read("files.md"))["sites.csv"])
    for name, file in (("gaps", "gaps.csv"), ("remedies", "remedies.csv"), ("remedy_paths", "remedies.csv")):
        columns = list(pyogrio.read_info(path, layer=name)["fields"])
        assert as_documented(columns) == documented(sections(read("files.md"))[file]), name
    for name in ("demand", "facilities", "service_areas", "facility_service_areas", "layer_styles"):
        columns = list(pyogrio.read_info(path, layer=name)["fields"])
        assert documented(found[name]) == as_documented(columns), name
    for name in ("zones", "districts"):
        table = pd.read_csv(result / f"{name}.csv", encoding="utf-8-sig")
        columns = list(pyogrio.read_info(path, layer=name)["fields"])
        added = [column.replace("_g", "_<goal>") for column in columns[len(table.columns) :]]
        assert columns[: len(table.columns)] == list(table.columns)
        assert added == (["goal_<goal>", "goal_<goal>_status"] if name == "zones" else [])
        assert documented(found[name]) == set(added)


def test_every_sheet_of_the_workbook_is_documented(result: Path) -> None:
    section = sections(read("files.md"))["zones.xlsx"]
    titles = re.findall(r"^\| (\S+) \((.+?)\) \|", section, re.MULTILINE)
    assert [chinese for chinese, _ in titles] == openpyxl.load_workbook(result / "zones.xlsx").sheetnames


def test_every_key_of_the_verdicts_is_documented(result: Path) -> None:
    (verdict,) = json.loads((result / "verdicts.json").read_text(encoding="utf-8"))
    section = sections(read("files.md"))["verdicts.json"]
    assert documented(section) == set(verdict)
    assert all(f"`{key}`" in section for key in verdict["zones"][0])


def test_every_key_of_the_passport_is_documented(result: Path) -> None:
    passport = json.loads((result / "run.json").read_text(encoding="utf-8"))
    section = sections(read("files.md"))["run.json"]
    assert documented(section) == set(passport)
    for part in ("inputs", "rows", "population", "networks", "coverage", "stages"):
        for key in passport[part][0]:
            name = "unattached_<group>" if key.startswith("unattached_") else key
            assert f"`{name}`" in section, f"{part}: {key}"
