"""What a study may say of its people, and what it is told where that does not fit together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from facility_coverage.config.people import AreaTypes
from facility_coverage.config.reading import LoadedStudy, load_study
from facility_coverage.errors import ConfigError
from facility_coverage.running import input_files


def study(folder: Path, **changes: Any) -> Path:
    (folder / "a.csv").write_text("", encoding="utf-8")
    (folder / "b.tif").write_bytes(b"")
    content = {
        "id": "town",
        "title": "Town",
        "date": "2025-12-31",
        "zones": {"path": "a.csv"},
        "roads": {"path": "a.csv"},
        "population": {"kind": "polygons", "path": "a.csv"},
        "facilities": [
            {"id": "care", "name": "Care", "kind": "elder_care", "path": "a.csv", "profile": "elder", "cutoff_min": 15}
        ],
        **changes,
    }
    path = folder / "x.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def faults(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as error:
        load_study(path)
    return [f"{fault.field}: {fault.message}; {fault.advice}" for fault in error.value.faults]


def group(**keys: Any) -> dict[str, Any]:
    return {"groups": [{"id": "old", "name": "Old", **keys}]}


def test_every_file_of_the_people_is_found_and_becomes_an_input(tmp_path: Path) -> None:
    path = study(
        tmp_path,
        population={"kind": "raster", "path": "b.tif", "controls": {"path": "a.csv"}},
        groups=[
            {"id": "old", "name": "Old", "path": ["b.tif", "b.tif"], "unit": "per_ha"},
            {"id": "kids", "name": "Kids", "table": {"path": "a.csv"}},
        ],
        area_types={"from": "raster", "path": "b.tif", "urban": [21, 30]},
    )
    loaded: LoadedStudy = load_study(path)
    files = input_files(path, loaded)
    expected = {
        "population.controls.path",
        "groups.0.path.0",
        "groups.0.path.1",
        "groups.1.table.path",
        "area_types.path",
    }
    assert expected <= set(files)
    assert all(file.is_absolute() for file in files.values())
    assert [len(one.paths()) for one in loaded.config.groups] == [2, 0]
    assert loaded.config.model_dump()["area_types"]["from"] == "raster"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (group(path=["b.tif", "c.tif"]), "groups.0.path.1: the file 'c.tif' does not exist"),
        (group(table={"path": "c.csv"}), "groups.0.table.path: the file 'c.csv' does not exist"),
        (group(path="b.tif"), "groups.0.path: a polygon population takes no raster; use share, zone_column, column"),
        (group(share=0.2, unit="per_ha"), "groups.0: unit can only stand beside path"),
        (group(path=[]), "groups.0.path: the list is empty"),
        (group(share=0.2, column="old"), "groups.0: give exactly one of share, zone_column, column, path, table"),
        ({"area_types": {"from": "raster"}}, "area_types: from: raster needs path and urban"),
        ({"area_types": {"from": "density", "urban": [30]}}, "area_types: from: density takes no urban"),
        ({"area_types": {"from": "guess"}}, "area_types.from: 'guess' is not one of 'column', 'raster', 'density'"),
        ({"area_types": {"form": "density"}}, "area_types.form: the key 'form' is not known; did you mean 'from'?"),
        (
            {"population": {"kind": "polygons", "path": "a.csv", "controls": {"path": "c.csv", "disjoint": ["kids"]}}},
            "population.controls.disjoint.0: 'kids' is not one of nothing",
        ),
        ({"population": {"kind": "raster", "path": "b.tif", "unit": "per_acre"}}, "unit: 'per_acre' is not one of"),
        ({"population": {"kind": "raster", "path": "b.tif", "band": 0}}, "population.band: 0 is not at least 1"),
        ({"population": {"kind": "polygons", "path": "a.csv", "cell_m": 1}}, "population.cell_m: 1 is not at least 10"),
    ],
)  # fmt: skip
def test_what_does_not_fit(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    assert any(said in fault for fault in faults(study(tmp_path, **changes))), faults(study(tmp_path, **changes))


def test_disjoint_groups_are_named_once(tmp_path: Path) -> None:
    controls = {"path": "a.csv", "disjoint": ["old", "old"]}
    told = faults(
        study(tmp_path, population={"kind": "points", "path": "a.csv", "controls": controls}, **group(share=0.2))
    )
    assert told == ["population.controls.disjoint.1: the group 'old' is named twice; "]


def test_area_types_come_from_the_column_unless_the_study_says_otherwise() -> None:
    assert AreaTypes.model_validate({}).origin == "column"
