"""The project's own files: what lies where, what the pages promise, and what must not be in them."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml

from facility_coverage.cli import app
from facility_coverage.config.reading import load_study

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.zh.md")
TOP_LEVEL = {
    ".ci", ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.md", "README.zh.md", "benchmarks", "configs",
    "docs", "layers", "maps", "pyproject.toml", "src", "tests",
}  # fmt: skip
HEAVY = ("geopandas", "numba", "pandas", "pyproj", "rasterio", "osmnx", "folium", "scipy", "shapely")
# Written so that the pattern does not find itself.
MACHINE_PATH = re.compile(
    r"(?<![\w.$}~])/(?:home|root|Users|tmp|private|var/folders|work)/[\w.]|[A-Za-z]:\\Users\\", re.ASCII
)
BINARY = {".gpkg", ".parquet", ".png", ".tif", ".zip", ".pbf"}


def project_files() -> list[Path]:
    """Files of the project, as git sees them: tracked, or new and not ignored."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: clone the repository to run this test")
    command = [git, "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603
    return [Path(name) for name in listed.split("\0") if name and (ROOT / name).exists()]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def commands() -> dict[str, typer.core.TyperCommand]:
    return typer.main.get_command(app).commands


def code_blocks(text: str, language: str = r"\w*") -> list[str]:
    return re.findall(rf"^```(?:{language})\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def run(*command: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **options)  # noqa: S603


def test_the_top_level_holds_exactly_what_the_design_names() -> None:
    assert {path.parts[0] for path in project_files()} == TOP_LEVEL


def test_results_and_environments_are_not_in_git() -> None:
    files = project_files()
    assert [path for path in files if path.parts[0] == "maps"] == [Path("maps/README.md")]
    assert not [path for path in files if {".venv", "__pycache__", "_build"} & set(path.parts)]


def test_the_source_folder_is_no_package_and_coverage_is_not_ours() -> None:
    assert not (ROOT / "src/coverage/__init__.py").exists()
    assert not (ROOT / "src/__init__.py").exists()
    found = importlib.util.find_spec("coverage")
    if found is not None:  # coverage.py, where somebody has installed it
        places = [found.origin or "", *(found.submodule_search_locations or [])]
        assert not [place for place in places if Path(place).is_relative_to(ROOT / "src")]


def test_rooms_import_only_rooms_below_them() -> None:
    done = run(Path(sys.executable).with_name("lint-imports"), "--no-cache", env=os.environ | {"PYTHONUTF8": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 kept, 0 broken" in done.stdout


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    found = []
    for path in project_files():
        if path.suffix in BINARY:
            continue
        text = (ROOT / path).read_text(encoding="utf-8", errors="replace")  # the sample has a table in GB18030
        found += [f"{path}: {match[0]}" for match in MACHINE_PATH.finditer(text)]
    assert not found


@pytest.mark.parametrize("text", ["see /" + "home/li/data", "'/" + "tmp/x'", "C:" + "\\Users\\li"])
def test_the_search_for_folders_finds_them(text: str) -> None:
    assert MACHINE_PATH.search(text)


def test_both_readmes_are_in_step() -> None:
    english, chinese = (read(name) for name in READMES)
    for pattern in (r"^#+(?= )", r"^[-*] ", r"^\| (`[a-z.]+`)?"):
        assert re.findall(pattern, english, re.MULTILINE) == re.findall(pattern, chinese, re.MULTILINE)
    assert code_blocks(english) == code_blocks(chinese)
    assert len(code_blocks(english)) >= 4


@pytest.mark.parametrize("name", READMES)
def test_links_and_file_names_of_a_readme_lead_somewhere(name: str) -> None:
    text = read(name)
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", text) + re.findall(r"`((?:docs|configs|layers)/[\w./-]+)`", text)
    example = "configs/riverside.yaml"
    assert {target for target in targets if target != example and not (ROOT / target).exists()} == set()
    assert example in targets


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):.*## ", read("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("name", [*READMES, "docs/start.md", "docs/start.zh.md", "docs/reference/commands.md"])
def test_every_command_shown_exists(name: str) -> None:
    lines = [line for block in code_blocks(read(name), "sh") for line in block.splitlines()]
    assert lines
    for line in lines:
        program, subcommand, *arguments = line.split()
        if program == "make":
            assert subcommand in make_targets(), line
            continue
        assert program == "facility-coverage", line
        known = {option for parameter in commands()[subcommand].params for option in parameter.opts}
        assert {word for word in arguments if word.startswith("-")} <= known, line


@pytest.mark.parametrize("name", READMES)
def test_a_readme_names_every_command_and_make_target(name: str) -> None:
    text = read(name)
    for command in commands():
        assert f"facility-coverage {command}" in text
    for target in make_targets() - {"help"}:
        assert f"make {target}" in text


def test_the_reference_explains_every_command_and_option() -> None:
    sections = dict(
        re.findall(r"^## ([\w-]+)\n(.*?)(?=^## |\Z)", read("docs/reference/commands.md"), re.DOTALL | re.MULTILINE)
    )
    assert set(commands()) == set(sections) - {"Exit"}
    for name, command in commands().items():
        options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
        assert not {option for option in options - {"--help"} if option not in sections[name]}, name


def test_the_study_of_the_readmes_loads(tmp_path: Path) -> None:
    (example,) = code_blocks(read("README.md"), "yaml")
    study = tmp_path / "configs" / "riverside.yaml"
    study.parent.mkdir()
    study.write_text(example, encoding="utf-8")
    for name in re.findall(r"\.\./(layers/[\w./-]+)", example):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    loaded = load_study(study)
    assert loaded.config.facilities[0].cutoff_min == {"urban": 15, "rural": 30}
    (plan,) = loaded.plans
    assert getattr(plan.goals[0], "capacity", None) in loaded.config.facilities[0].capacity


def test_help_loads_no_heavy_library() -> None:
    code = (
        "import sys\nfrom facility_coverage.cli import main\nsys.argv = ['facility-coverage', '--help']\n"
        f"try:\n    main()\nexcept SystemExit:\n    pass\nprint([name for name in {HEAVY} if name in sys.modules])"
    )
    done = run(sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_make_says_which_python_it_needs(tmp_path: Path) -> None:
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed: install it to run this test")
    done = run(make, "map", f"VENV={tmp_path / 'venv'}", "PYTHON=no-such-python")
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_the_oldest_python_is_the_same_everywhere() -> None:
    assert 'requires-python = ">=3.11"' in read("pyproject.toml")
    assert "sys.version_info < (3, 11)" in read("Makefile")
    assert all("3.11" in read(name) for name in READMES)


def test_the_build_server_skips_nothing() -> None:
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    text = script.read_text(encoding="utf-8")
    assert "set -euo pipefail" in text
    assert "export FACILITY_COVERAGE_REQUIRE=browser,realdata" in text
    assert text.rstrip().endswith("make test")


def test_the_changelog_keeps_its_form() -> None:
    text = read("CHANGELOG.md")
    assert re.findall(r"^## .*", text, re.MULTILINE)[0] == "## [Unreleased]"
    assert "### Figures changed" in text.split("## [", 2)[1]


def test_studies_and_plans_name_a_schema_that_is_there() -> None:
    files = [*(ROOT / "configs").glob("*.yaml"), *(ROOT / "configs/plans").glob("*.yaml")]
    texts = {path: path.read_text(encoding="utf-8") for path in files}
    carriers = {path: text for path, text in texts.items() if {"facilities", "goals"} & set(yaml.safe_load(text))}
    assert {path.name for path in carriers} >= {"yongchuan.yaml", "luzhou.yaml"}
    for path, text in carriers.items():
        schema = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
        assert schema is not None, path.name
        assert (path.parent / schema[1]).is_file(), f"{path.name}: {schema[1]} is not there"
