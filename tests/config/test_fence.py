"""Paths of a study stay inside its folder, links followed, unless files outside are allowed."""

from __future__ import annotations

import os
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from facility_coverage.config.document import read_document
from facility_coverage.config.fence import Fence
from facility_coverage.config.reading import _paths, load_study
from facility_coverage.config.study import StudyConfig
from facility_coverage.errors import ConfigError

LAYER = {"id": "care", "name": "Care", "kind": "clinic", "profile": "elder", "cutoff_min": 15, "path": "a.csv"}
STUDY: dict[str, Any] = {
    "id": "town",
    "title": "Town",
    "lang": "en",
    "date": "2025-12-31",
    "crs": "EPSG:4544",
    "zones": {"path": "a.csv"},
    "roads": {"path": "a.csv"},
    "population": {"kind": "raster", "path": "a.csv"},
    "facilities": [LAYER],
}


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a study, beside which lies a secret."""
    folder = tmp_path / "town"
    folder.mkdir()
    (folder / "a.csv").write_text("x\n")
    (tmp_path / "secret.csv").write_text("secret\n")
    monkeypatch.chdir(folder)
    return folder


def written(folder: Path, name: str = "x.yaml", **keys: object) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(STUDY | keys, allow_unicode=True), encoding="utf-8")
    return path


def linked(link: Path, target: Path) -> None:
    try:
        link.symlink_to(target, target_is_directory=target.is_dir())
    except OSError as error:  # Windows asks for a right
        pytest.skip(f"links cannot be made here: {error}")


def told(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_study(path)
    return [str(fault) for fault in caught.value.faults]


def test_every_path_outside_is_told_at_once_with_its_line(town: Path, tmp_path: Path) -> None:
    text = """\
id: town
title: Town
date: 2025-12-31
crs: EPSG:4544
zones: {path: ../secret.csv}
roads: {path: ../not-there.csv}
population: {kind: raster, path: a.csv}
groups: [{id: old, name: Old, path: [a.csv, ../secret.csv]}]
facilities:
  - {id: values, name: V, kind: clinic, profile: elder, cutoff_min: 15, path: a.csv}
plan: ../plan.yaml
profiles: ../profiles.yaml
states:
  - {id: later, name: Later, facilities: {values: {path: ../secret.csv}}}
basemap: {terrain: ../secret.csv}
outputs: {folder: ../elsewhere}
"""
    (tmp_path / "plan.yaml").write_text("sEcReT: [", encoding="utf-8")
    (town / "x.yaml").write_text(text, encoding="utf-8")
    why = "lies outside the study's folder 'town'; move the file there, or allow it with --allow-outside"
    assert told(Path("x.yaml")) == [
        f"x.yaml:5:15: zones.path: '../secret.csv' {why}",
        f"x.yaml:6:15: roads.path: '../not-there.csv' {why}",
        f"x.yaml:8:45: groups.0.path.1: '../secret.csv' {why}",
        f"x.yaml:11:7: plan: '../plan.yaml' {why}",
        f"x.yaml:12:11: profiles: '../profiles.yaml' {why}",
        f"x.yaml:14:58: states.0.facilities.values.path: '../secret.csv' {why}",
        f"x.yaml:15:20: basemap.terrain: '../secret.csv' {why}",
        "x.yaml:16:19: outputs.folder: '../elsewhere' lies outside the study's folder 'town'; name one inside, or "
        "allow it with --allow-outside",
    ]


def test_what_lies_outside_is_read_when_it_is_allowed(town: Path, tmp_path: Path) -> None:
    path = written(town, zones={"path": "../secret.csv"}, outputs={"folder": "../elsewhere"})
    assert load_study(path, allow_outside=True).config.zones.path == (tmp_path / "secret.csv").resolve()


@pytest.mark.parametrize("inside", [True, False])
def test_absolute_paths_count_by_where_they_lead(town: Path, tmp_path: Path, inside: bool) -> None:
    path = written(town, zones={"path": str(town / "a.csv" if inside else tmp_path / "secret.csv")})
    if inside:
        assert load_study(path).config.zones.path == town / "a.csv"
    else:
        assert "zones.path" in told(path)[0]


def test_a_folder_whose_name_only_begins_alike_is_outside(town: Path, tmp_path: Path) -> None:
    (tmp_path / "town2").mkdir()
    (tmp_path / "town2" / "a.csv").write_text("x\n")
    assert "'../town2/a.csv' lies outside" in told(written(town, zones={"path": "../town2/a.csv"}))[0]


def test_dots_that_stay_inside_are_no_matter(town: Path) -> None:
    assert load_study(written(town, zones={"path": "../town/./../town/a.csv"})).config.zones.path == town / "a.csv"


def test_the_project_is_the_folder_of_studies_in_configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    (project / "layers").mkdir(parents=True)
    (project / "layers" / "a.csv").write_text("x\n")
    (tmp_path / "a.csv").write_text("x\n")
    monkeypatch.chdir(tmp_path)
    keys = {key: STUDY[key] | {"path": "../layers/a.csv"} for key in ("zones", "roads", "population")}
    keys["facilities"] = [LAYER | {"path": "../layers/a.csv"}]
    path = written(project / "configs", **keys, outputs={"folder": "../maps/town"})
    assert load_study(path).config.zones.path == project / "layers" / "a.csv"
    path = written(project / "configs", **keys | {"zones": {"path": "../../a.csv"}})
    assert told(path) == [
        "project/configs/x.yaml:19:9: zones.path: '../../a.csv' lies outside the study's folder 'project'; move the "
        "file there, or allow it with --allow-outside"
    ]


def test_the_root_of_a_disk_is_no_project() -> None:
    top = Path(Path.cwd().anchor)
    assert Fence.around(top / "configs" / "x.yaml").root == top / "configs"
    assert Fence.around(top / "configs" / "x.yaml").leaves(top / "etc" / "passwd")


def test_a_link_that_leads_outside_is_told(town: Path, tmp_path: Path) -> None:
    linked(town / "b.csv", tmp_path / "secret.csv")
    linked(town / "folder", tmp_path)
    path = written(town, zones={"path": "b.csv"}, roads={"path": "folder/secret.csv"}, outputs={"folder": "folder/x"})
    assert [fault.split(": ", 2)[2].split(";")[0] for fault in told(path)] == [
        "'folder/x' is a link that leads outside the study's folder 'town'",
        "'folder/secret.csv' is a link that leads outside the study's folder 'town'",
        "'b.csv' is a link that leads outside the study's folder 'town'",
    ]


def test_a_link_that_leads_inside_is_followed(town: Path) -> None:
    linked(town / "b.csv", town / "a.csv")
    assert load_study(written(town, zones={"path": "b.csv"})).config.zones.path == town / "a.csv"


def test_a_study_reached_through_a_link_has_the_folder_that_the_link_lies_in(town: Path, tmp_path: Path) -> None:
    linked(tmp_path / "way", town)
    written(town)
    assert load_study(tmp_path / "way" / "x.yaml").config.zones.path == town / "a.csv"
    (tmp_path / "other").mkdir()
    linked(tmp_path / "other" / "x.yaml", town / "x.yaml")
    assert "'a.csv' does not exist" in told(tmp_path / "other" / "x.yaml")[0]


def test_links_in_a_circle_are_no_file(town: Path) -> None:
    linked(town / "b.csv", town / "c.csv")
    linked(town / "c.csv", town / "b.csv")
    assert "the file 'b.csv' does not exist" in told(written(town, zones={"path": "b.csv"}))[0]


@pytest.mark.parametrize(
    ("named", "part"), [("b.shp", "b.dbf"), ("b.gpkg", "b.gpkg-wal"), ("b.gdb", "b.gdb/a.gdbtable")]
)
def test_parts_of_a_file_do_not_lead_outside_either(town: Path, tmp_path: Path, named: str, part: str) -> None:
    (town / part).parent.mkdir(exist_ok=True)
    if not (town / named).exists():
        (town / named).write_text("x")
    linked(town / part, tmp_path / "secret.csv")
    path = written(town, zones={"path": named})
    assert f"{Path(part).name!r}, which belongs to {named!r}, is a link that leads outside" in told(path)[0]


def test_a_plan_and_a_catalogue_are_held_to_the_fence_of_the_study(town: Path, tmp_path: Path) -> None:
    goal = {
        "id": "A", "name": "a", "measure": "service_completeness", "catalogue": "../../secret.yaml", "at_least": 1,
        "target": {"year": 2025, "value": 1}, "citation": {"document": "d", "clause": "c"},
    }  # fmt: skip
    (town / "plans").mkdir()
    plan = town / "plans" / "plan.yaml"
    plan.write_text(yaml.safe_dump({"id": "p", "title": "P", "goals": [goal]}), encoding="utf-8")
    (tmp_path / "secret.yaml").write_text("SECRET: [", encoding="utf-8")
    faults = told(written(town, plan="plans/plan.yaml"))
    assert [one for one in faults if "'../../secret.yaml' lies outside the study's folder 'town'" in one]
    assert not [one for one in faults if "SECRET" in one or "not valid YAML" in one]


def test_another_disk_or_server_is_not_even_asked(town: Path) -> None:
    """Windows only has other drives: their paths are stood in for."""

    class Elsewhere(type(town)):  # type: ignore[misc]
        drive = "\\\\server\\share"

        def resolve(self, strict: bool = False) -> Path:  # noqa: ARG002 - as the real one takes it
            raise AssertionError("the server was asked")

    assert Fence.around(town / "x.yaml").leaves(Elsewhere(town / "a.csv"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(parts=st.lists(st.sampled_from(["..", ".", "town", "a", "ring", "out", "home"]), min_size=1, max_size=8))
def test_leaving_is_what_the_system_says(tmp_path: Path, parts: list[str]) -> None:
    """The oracle is os.path: links are followed by the system, then the common folder is taken."""
    town = tmp_path / "town"
    if not town.exists():
        (town / "a").mkdir(parents=True)
        linked(town / "out", tmp_path)
        linked(town / "home", town)
        linked(town / "a" / "ring", town / "a")
    path = town.joinpath(*parts)
    real = os.path.realpath(path)
    outside = os.path.commonpath([real, os.path.realpath(town)]) != os.path.realpath(town)
    assert Fence.around(town / "x.yaml").leaves(path) == outside


def _fields(model: type[BaseModel]) -> Iterator[tuple[type[BaseModel], str]]:
    """Yield every field of a model, and of the models in it, that may hold a path."""
    todo, seen = [model], set()
    while todo:
        one = todo.pop()
        if one in seen:
            continue
        seen.add(one)
        for name, field in one.model_fields.items():
            inner = list(_inner(field.annotation))
            if Path in inner:
                yield one, name
            todo += [part for part in inner if isinstance(part, type) and issubclass(part, BaseModel)]


def _inner(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in typing.get_args(annotation):
        yield from _inner(part)


def test_no_path_of_the_models_is_passed_over(town: Path) -> None:
    """Whatever may hold a path is called `path` or `catalogue`, or is one of the few that the reader knows."""
    known = {("StudyConfig", "profiles"), ("StudyConfig", "plan"), ("Basemap", "terrain")}
    found = {(model.__name__, name) for model, name in _fields(StudyConfig)}
    assert known < found
    assert {name for _, name in found - known} == {"path", "catalogue"}
    written(town, plan=["p.yaml", "q.yaml"], profiles="r.yaml", basemap={"terrain": "s.tif", "water": {"path": "t"}})
    named = {text for _, text in _paths(read_document(town / "x.yaml"))}
    assert named == {"a.csv", "p.yaml", "q.yaml", "r.yaml", "s.tif", "t"}


@pytest.mark.parametrize("name", ["columns", "values", "constants", "where", "path"])
def test_a_layer_may_be_called_as_a_key_is_and_its_paths_are_still_held(town: Path, name: str) -> None:
    state = {"id": "later", "name": "Later", "facilities": {name: {"path": "../secret.csv"}}}
    path = written(town, facilities=[LAYER | {"id": name}], states=[state])
    assert f"states.0.facilities.{name}.path: '../secret.csv' lies outside" in told(path)[0]
    loaded = load_study(path, allow_outside=True)
    assert loaded.config.states[0].facilities[name].path == (town.parent / "secret.csv").resolve()


Command = Callable[..., Any]


@pytest.mark.parametrize("command", ["run", "check", "compare", "site"])
def test_every_command_that_reads_a_study_keeps_the_fence(
    town: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    from facility_coverage import cli  # noqa: PLC0415

    written(town, zones={"path": "../secret.csv"})
    rest = {"compare": ["x.yaml"], "site": ["--layer", "care", "--sites", "1"]}.get(command, [])

    def ended(*more: str) -> str:
        monkeypatch.setattr("sys.argv", ["facility-coverage", command, "x.yaml", *rest, *more])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert end.value.code == 2
        return "".join(capsys.readouterr())

    assert "'../secret.csv' lies outside the study's folder 'town'" in ended()
    after = ended("--allow-outside")
    assert "lies outside the study's folder" not in after
    assert "secret.csv" in after  # it was read, and is no table of zones
