from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import get_args

import jsonschema
import pytest
import yaml
from pydantic import ValidationError

from facility_coverage.config.profile import Figure, Profile
from facility_coverage.config.reading import builtin_profiles, load_study, study_schema
from facility_coverage.errors import ConfigError

STUDY = """\
id: town
title: Town
date: 2025-12-31
zones: {path: a.csv}
roads: {path: a.csv}
population: {kind: raster, path: a.csv}
facilities: [{id: care, name: Care, kind: care, path: a.csv, profile: elder, cutoff_min: 15}]
profiles:
  mine: {name: M, source: s, """
ROOT = Path(__file__).parents[2]
FOOT, CAR = "level_speed_kmh: 4", "mode: car, access_speed_kmh: 4, speeds_kmh: {road: 20}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("x\n")
    return tmp_path


def faults(folder: Path, keys: str) -> list[str]:
    (folder / "x.yaml").write_text(f"{STUDY}{keys}}}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_study(Path("x.yaml"))
    return [str(fault).removeprefix("x.yaml:9:") for fault in caught.value.faults]


# --- the built-in profiles -------------------------------------------------------------------------------------------


def test_the_profiles_of_the_sample_are_those_of_the_program() -> None:
    inside = resources.files("facility_coverage.config") / "profiles.yaml"
    assert (ROOT / "configs" / "profiles.yaml").read_bytes() == inside.read_bytes()


def test_the_promised_profiles_are_there() -> None:
    assert set(builtin_profiles()) == {"adult", "elder", "carer_with_pushchair", "wheelchair", "ambulance", "car"}


@pytest.mark.parametrize("name", sorted(builtin_profiles()))
def test_every_figure_of_a_profile_has_its_source_and_every_source_its_figure(name: str) -> None:
    profile = builtin_profiles()[name]
    main = "level_speed_kmh" if profile.mode == "foot" else "speeds_kmh"
    raw = yaml.safe_load((ROOT / "configs" / "profiles.yaml").read_text(encoding="utf-8"))[name]
    figures = {key for key in raw if key in get_args(Figure)} - {main}
    assert set(profile.sources) == figures
    # nothing that moves a figure is left to a default without a source
    assert main in raw
    assert profile.access_speed_kmh is not None
    if profile.mode == "foot":
        assert "slope" in raw
        assert profile.stairs == "forbidden" or profile.stairs_speed_kmh is not None
    else:
        assert profile.turn_penalty_s > 0
    for source in (profile.source, *profile.sources.values()):
        assert any(year in source for year in ("19", "20")) or source.startswith("derived"), source


def test_the_figures_are_those_of_their_sources() -> None:
    found = builtin_profiles()
    metres_per_second = {"adult": 1.34, "elder": 0.8, "carer_with_pushchair": 3.5 * 0.3048, "wheelchair": 0.79}
    for name, speed in metres_per_second.items():
        assert found[name].level_speed_ms == pytest.approx(speed, abs=0.002)
        assert found[name].access_speed_kmh == found[name].level_speed_kmh
    for name in ("adult", "elder", "carer_with_pushchair"):
        on_stairs = metres_per_second[name] * 0.610 / 1.34
        assert found[name].stairs_speed_kmh == pytest.approx(3.6 * on_stairs, abs=0.007)
    assert found["wheelchair"].max_grade == pytest.approx(1 / 12, abs=1e-4)
    assert found["wheelchair"].max_grade >= 1 / 12
    assert found["ambulance"].turn_penalty_s == pytest.approx(9.4 * 666 / 896, abs=0.05)


def test_the_speeds_by_car_are_design_speeds() -> None:
    # CJJ 37-2012, table 3.2.1, and JTG B01-2014: the middle of three steps; elsewhere the lowest
    steps = {"motorway": (120, 100, 80), "trunk": (100, 80, 60), "primary": (60, 50, 40), "secondary": (50, 40, 30),
             "tertiary": (40, 30, 20)}  # fmt: skip
    found = builtin_profiles()
    speeds = found["car"].speeds_kmh
    assert speeds is not None
    for kind, (_, middle, _) in steps.items():
        assert speeds[kind] == middle
        assert speeds[f"{kind}_link"] == middle / 2
    rest = set(speeds) - set(steps) - {f"{kind}_link" for kind in steps}
    assert rest == {"unclassified", "residential", "living_street", "service", "road"}
    assert {speeds[kind] for kind in rest} == {20}
    assert found["ambulance"].speeds_kmh == {**speeds, "pedestrian": 20}


def test_an_ambulance_drives_to_the_people_and_everybody_else_to_the_facility() -> None:
    directions = {name: profile.direction for name, profile in builtin_profiles().items()}
    assert {name for name, direction in directions.items() if direction == "from_facility"} == {"ambulance"}


# --- profiles of a study ---------------------------------------------------------------------------------------------

GOOD = [
    FOOT,
    CAR,
    f"{FOOT}, stairs: forbidden, max_grade: 0.08, slope: none, ferry_speed_kmh: 10",
    f"{FOOT}, ways: {{private: allowed, motorway: allowed, without_sidewalk: forbidden}}",
    f"{FOOT}, ways: {{not_for_wheelchairs: forbidden, motorway: forbidden}}",
    f"{CAR}, turn_penalty_s: 5, direction: from_facility, ways: {{emergency: allowed, motorway: forbidden}}",
    f"{FOOT}, access_speed_kmh: 3, sources: {{access_speed_kmh: t}}",
    # what the other mode would take by default does no harm
    f"{FOOT}, turn_penalty_s: 0",
    f"{CAR}, slope: tobler, stairs: allowed",
]


@pytest.mark.parametrize("keys", GOOD)
def test_good_profiles(folder: Path, keys: str) -> None:
    (folder / "x.yaml").write_text(f"{STUDY}{keys}}}\n", encoding="utf-8")
    study = load_study(Path("x.yaml"))
    mine = study.profiles["mine"]
    assert Profile.model_validate(mine.model_dump()) == mine
    assert not schema_errors(keys)


BAD = [
    ("stairs: allowed", "9: profiles.mine.level_speed_kmh: the key 'level_speed_kmh' is missing"),
    ("mode: car, access_speed_kmh: 4", "9: profiles.mine.speeds_kmh: the key 'speeds_kmh' is missing"),
    ("mode: car, speeds_kmh: {road: 20}", "9: profiles.mine.access_speed_kmh: the key 'access_speed_kmh' is missing"),
    ("mode: cra, level_speed_kmh: 4",
     "36: profiles.mine.mode: 'cra' is not one of 'foot', 'car'; did you mean 'car'?"),
    (f"{CAR}, level_speed_kmh: 4",
     "103: profiles.mine.level_speed_kmh: mode car takes no level_speed_kmh; leave it out"),
    (f"{CAR}, max_grade: 0.1", "97: profiles.mine.max_grade: mode car takes no max_grade; leave it out"),
    (f"{CAR}, slope: none", "93: profiles.mine.slope: mode car takes no slope; leave it out"),
    (f"{CAR}, stairs: forbidden", "94: profiles.mine.stairs: mode car takes no stairs; leave it out"),
    (f"{CAR}, stairs_speed_kmh: 1",
     "104: profiles.mine.stairs_speed_kmh: mode car takes no stairs_speed_kmh; leave it out"),
    (f"{FOOT}, speeds_kmh: {{road: 20}}", "62: profiles.mine.speeds_kmh: mode foot takes no speeds_kmh; leave it out"),
    (f"{FOOT}, turn_penalty_s: 5", "66: profiles.mine.turn_penalty_s: mode foot takes no turn_penalty_s; leave it out"),
    (f"{FOOT}, ways: {{emergency: allowed}}", "56: profiles.mine.ways: mode foot takes no emergency; leave it out"),
    (f"{CAR}, ways: {{without_sidewalk: forbidden, not_for_wheelchairs: forbidden}}",
     "92: profiles.mine.ways: mode car takes no without_sidewalk and no not_for_wheelchairs; leave it out"),
    (f"{FOOT}, stairs: forbidden, stairs_speed_kmh: 1", "87: profiles.mine.stairs_speed_kmh: "
     "stairs are forbidden and have a speed; leave out one of stairs, stairs_speed_kmh"),
    ("mode: car, access_speed_kmh: 4, speeds_kmh: {}", "74: profiles.mine.speeds_kmh: "
     "no class is named: every road would be closed; write e.g. {residential: 20}"),
    ("mode: car, access_speed_kmh: 4, speeds_kmh: {road: 0}",
     "81: profiles.mine.speeds_kmh.road: 0 is not more than 0"),
    ("mode: car, access_speed_kmh: 4, speeds_kmh: 20", "74: profiles.mine.speeds_kmh: 20 is not a mapping"),
    (f"{FOOT}, max_grade: 8", "61: profiles.mine.max_grade: 8 is not at most 1"),
    (f"{FOOT}, ways: {{privat: allowed}}",
     "57: profiles.mine.ways.privat: the key 'privat' is not known; did you mean 'private'?"),
    (f"{FOOT}, sources: {{slope: ''}}", "67: profiles.mine.sources.slope: the text is empty"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "expected"), BAD, ids=[keys for keys, _ in BAD])
def test_each_fault_of_a_profile(folder: Path, keys: str, expected: str) -> None:
    assert faults(folder, keys) == [expected]


def test_a_misspelt_class_would_close_its_roads_and_is_refused(folder: Path) -> None:
    (fault,) = faults(folder, "mode: car, access_speed_kmh: 4, speeds_kmh: {motorwy: 100}")
    assert fault.startswith("75: profiles.mine.speeds_kmh.motorwy: 'motorwy' is not one of 'motorway', ")
    assert fault.endswith("; did you mean 'motorway'?")


def test_all_faults_of_a_profile_come_at_once(folder: Path) -> None:
    found = faults(folder, "mode: car, level_speed_kmh: 4, slope: none")
    assert [fault.split(": ")[1] for fault in found] == [
        f"profiles.mine.{key}" for key in ("speeds_kmh", "access_speed_kmh", "level_speed_kmh", "slope")
    ]


def schema_errors(keys: str) -> list[str]:
    schema = study_schema()
    profile = {"$ref": "#/$defs/Profile", "$defs": schema["$defs"]}
    values = yaml.safe_load(f"{{name: M, source: s, {keys}}}")
    return [error.message for error in jsonschema.Draft202012Validator(profile).iter_errors(values)]


def test_editors_know_which_keys_a_mode_needs() -> None:
    assert schema_errors("stairs: allowed") == ["'level_speed_kmh' is a required property"]
    assert schema_errors("mode: foot") == ["'level_speed_kmh' is a required property"]
    assert schema_errors("mode: car, speeds_kmh: {road: 20}") == ["'access_speed_kmh' is a required property"]
    assert schema_errors("mode: car, access_speed_kmh: 4, speeds_kmh: {raod: 20}")


def test_speeds_in_metres_per_second() -> None:
    walker = Profile.model_validate({"name": "w", "level_speed_kmh": 3.6, "source": "s"})
    assert (walker.level_speed_ms, walker.access_speed_ms) == (1, 1)
    assert walker.model_copy(update={"access_speed_kmh": 7.2}).access_speed_ms == 2
    with pytest.raises(ValueError, match="mode car has no level speed"):
        _ = builtin_profiles()["car"].level_speed_ms


def test_a_profile_made_by_hand_is_checked_alike() -> None:
    with pytest.raises(ValidationError, match="mode foot takes no speeds_kmh"):
        Profile(name="w", level_speed_kmh=4, speeds_kmh={"road": 20}, source="s")
