from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facility_coverage.config.reading import builtin_profiles, in_state, load_study, plan_schema, study_schema
from facility_coverage.errors import ConfigError

STUDY = """\
id: town
title: Town
date: 2025-12-31
crs: EPSG:4544
zones: {path: a.csv, where: {district_id: "0500118"}}
roads: {path: a.csv}
population: {kind: raster, path: a.csv}
groups:
  - {id: elder_60, name: Old, share: 0.2}
facilities:
  - id: care
    name: {zh: 养老, en: Care}
    kind: elder_care
    path: a.csv
    tiers: [{id: top, name: Top}]
    capacity: [beds, nursing]
    profile: elder
    group: elder_60
    cutoff_min: 15
plan: plan.yaml
"""
PLAN = """\
id: plan
title: Plan
goals:
  - id: A
    name: a
    measure: population_covered
    layer: care
    group: elder_60
    target: {year: 2025, value: 1}
    citation: {document: d, clause: c}
  - id: B
    name: b
    measure: capacity_share
    layer: care
    tier: top
    capacity: beds
    part: nursing
    baseline: {year: 2020, value: 0.4}
    target: {year: 2025, value: 0.6}
    citation: {document: d, clause: c}
"""
CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("x\n")
    (tmp_path / "x.yaml").write_text(STUDY, encoding="utf-8")
    (tmp_path / "plan.yaml").write_text(PLAN, encoding="utf-8")
    return tmp_path


def faults(path: str = "x.yaml") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_study(Path(path))
    return [str(fault) for fault in caught.value.faults]


def change(file: str, old: str, new: str) -> None:
    path = Path(file)
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} must stand once"
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_good_study_is_resolved(folder: Path) -> None:
    study = load_study(Path("x.yaml"))
    assert study.config.date == dt.date(2025, 12, 31)
    assert study.config.zones.path == folder / "a.csv"
    assert study.config.zones.where == {"district_id": "0500118"}
    assert study.config.facilities[0].cutoff_min == {"urban": 15, "rural": 15}
    assert study.config.plan == folder / "plan.yaml"
    assert [[goal.id for goal in plan.goals] for plan in study.plans] == [["A", "B"]]
    assert study.profiles == builtin_profiles()


PATTERN = "start with a letter; then letters, digits and _ (small letters, at most 63 in all)"
STUDY_FAULTS = [
    # unknown keys, with the key's position
    ("crs: EPSG", "csr: EPSG", "x.yaml:4:1: csr: the key 'csr' is not known; did you mean 'crs'?"),
    ("    kind: elder", "    zzz: 1\n    kind: elder",
     "x.yaml:13:5: facilities.0.zzz: the key 'zzz' is not known; known here: path, layer, header_row, encoding, "
     "crs, datum, columns, values, constants, where, id, name, kind, tiers, tiers_inclusive, capacity, "
     "attributes, profile, cutoff_min, facilities_from, group, sources, duplicates, duplicate_distance_m, "
     "duplicate_similarity"),
    ("kind: raster, ", "kind: raster, yaer: 2020, ",
     "x.yaml:7:28: population.yaer: the key 'yaer' is not known; did you mean 'year'?"),
    # missing
    ("roads: {path: a.csv}\n", "", "x.yaml:1:1: roads: the key 'roads' is missing"),
    ("kind: raster, ", "",
     "x.yaml:7:13: population.kind: the key 'kind' is missing; give 'raster', 'points' or 'polygons'"),
    ("kind: raster", "kind: rastr",
     "x.yaml:7:20: population.kind: 'rastr' is not one of 'raster', 'points', 'polygons'; did you mean 'raster'?"),
    # wrong types
    ("title: Town", "title: 5", "x.yaml:2:8: title: 5 is not a mapping"),
    ("title: Town", 'title: ""', "x.yaml:2:8: title: the text is empty"),
    ("id: town", "id: 5", "x.yaml:1:5: id: 5 is not a text; put it in quotes"),
    ("id: town", "id: Town-1", f"x.yaml:1:5: id: 'Town-1' is not a usable name; {PATTERN}"),
    ("2025-12-31", "2025-13-31", "x.yaml:3:7: date: '2025-13-31' is not a date; write it like 2025-12-31"),
    ("2025-12-31", "86400", "x.yaml:3:7: date: 86400 is not a date; write it like 2025-12-31"),
    ("share: 0.2", "share: 20", "x.yaml:9:38: groups.0.share: 20 is not at most 1"),
    ("share: 0.2", "share: true",
     "x.yaml:9:38: groups.0.share: true is not a number; "
     "give a number, or one per area type: {urban: …, rural: …}"),
    ("share: 0.2", "share: {urban: 2}", "x.yaml:9:46: groups.0.share.urban: 2 is not at most 1"),
    ("share: 0.2", "share: {town: 0.2}",
     "x.yaml:9:39: groups.0.share.town: 'town' is not one of 'urban', 'rural'"),
    (", share: 0.2", "", "x.yaml:9:5: groups.0: "
     "give exactly one of share, zone_column, column, path, table (found: none)"),
    ("cutoff_min: 15", "cutoff_min: soon",
     "x.yaml:19:17: facilities.0.cutoff_min: 'soon' is not a mapping; "
     "give a number of minutes, or one per area type: {urban: …, rural: …}"),
    ("cutoff_min: 15", "cutoff_min: 0", "x.yaml:19:17: facilities.0.cutoff_min: 0 is not more than 0"),
    ("cutoff_min: 15", "cutoff_min: .nan",
     "x.yaml:19:17: facilities.0.cutoff_min: nan is not a finite number; "
     "give a number of minutes, or one per area type: {urban: …, rural: …}"),
    ("cutoff_min: 15", "cutoff_min: {urban: 15}",
     "x.yaml:19:17: facilities.0.cutoff_min: rural is missing; "
     "give a number of minutes, or one per area type: {urban: …, rural: …}"),
    ("[beds, nursing]", "beds", "x.yaml:16:15: facilities.0.capacity: 'beds' is not a list"),
    ('"0500118"', "[a, {b: c}]",
     "x.yaml:5:47: zones.where.district_id.1: a mapping is not a text, a number or true/false"),
    ('"0500118"', "", "x.yaml:5:42: zones.where.district_id: nothing is not a text, a number or true/false"),
    ("plan: plan.yaml", "plan: 5", "x.yaml:20:7: plan: 5 is not a path or a mapping"),
    # duplicate keys and scalars that YAML would turn into something else
    ("title: Town", "title: Town\ntitle: Two",
     "x.yaml:3:1: title: the key 'title' is given twice; it stands in line 2 already"),
    ('"0500118"', "0110101", "x.yaml:5:43: zones.where.district_id: "
     'unquoted 0110101 may be read as another number; write a plain number, or "0110101" in quotes for a text'),
    ('"0500118"', "0500118", "x.yaml:5:43: zones.where.district_id: "
     'unquoted 0500118 may be read as another number; write "0500118" in quotes'),
    ('"0500118"', "1_000", "x.yaml:5:43: zones.where.district_id: "
     'unquoted 1_000 may be read as another number; write a plain number, or "1_000" in quotes for a text'),
    ('"0500118"', "12:30", "x.yaml:5:43: zones.where.district_id: "
     'unquoted 12:30 may be read as another number; write a plain number, or "12:30" in quotes for a text'),
    ('"0500118"', "0x1F", "x.yaml:5:43: zones.where.district_id: "
     'unquoted 0x1F may be read as another number; write a plain number, or "0x1F" in quotes for a text'),
    ('"0500118"', "yes", "x.yaml:5:43: zones.where.district_id: "
     'unquoted yes may be read as true or false; write true or false, or "yes" in quotes for a text'),
    ('"0500118"', "!!binary aGk=", "x.yaml:5:43: zones.where.district_id: "
     "the YAML tag 'tag:yaml.org,2002:binary' is not known here"),
    ("plan: plan.yaml", "terrain: {path: []}", "x.yaml:20:17: terrain.path: "
     "the list is empty; give at least one entry"),
    ("plan: plan.yaml", "terrain: {path: 3}", "x.yaml:20:17: terrain.path: 3 is not a path"),
    # names that refer to nothing
    ("profile: elder", "profile: eldr", "x.yaml:17:14: facilities.0.profile: 'eldr' is not one of "
     "'adult', 'ambulance', 'car', 'carer_with_pushchair', 'elder', 'wheelchair'; did you mean 'elder'?"),
    ("    group: elder_60", "    group: elder_65", "x.yaml:18:12: facilities.0.group: 'elder_65' is not one of "
     "'total', 'elder_60'; did you mean 'elder_60'?"),
    # names used twice
    ("{id: elder_60, name: Old, share: 0.2}",
     "{id: elder_60, name: Old, share: 0.2}\n  - {id: elder_60, name: Old, share: 0.1}",
     "x.yaml:10:10: groups.1.id: the id 'elder_60' is used twice; it stands in line 9 already"),
    ("tiers: [{id: top, name: Top}]", "tiers: [{id: top, name: Top}, {id: top, name: T}]",
     "x.yaml:15:40: facilities.0.tiers.1.id: the id 'top' is used twice; it stands in line 15 already"),
    ("plan: plan", "  - {id: care, name: C, kind: c, path: a.csv, profile: adult, cutoff_min: 5}\nplan: plan",
     "x.yaml:20:10: facilities.1.id: the id 'care' is used twice; it stands in line 11 already"),
    ("[beds, nursing]", "[beds, nursing, beds]",
     "x.yaml:16:31: facilities.0.capacity.2: the column 'beds' is named twice"),
    ("groups:\n", "groups:\n  - {id: total, name: All, share: 1}\n",
     "x.yaml:9:10: groups.0.id: the group 'total' cannot be defined; "
     "it is everybody and always there; choose another id"),
    # files
    ("roads: {path: a.csv}", "roads: {path: b.csv}", "x.yaml:6:15: roads.path: "
     "the file 'b.csv' does not exist; paths start from the folder of x.yaml"),
    ("roads: {path: a.csv}", "roads: {path: .}", "x.yaml:6:15: roads.path: '.' is a folder; name a file"),
    ("roads: {path: a.csv}", 'roads: {path: "a\\0b"}', "x.yaml:6:15: roads.path: "
     "the file 'a\\x00b' does not exist; paths start from the folder of x.yaml"),
    ("plan: plan.yaml", "plan: none.yaml", "x.yaml:20:7: plan: "
     "the file 'none.yaml' does not exist; paths start from the folder of x.yaml"),
    ("plan: plan.yaml", "profiles: p.yaml", "x.yaml:20:11: profiles: "
     "the file 'p.yaml' does not exist; paths start from the folder of x.yaml"),
    ("plan: plan.yaml", "basemap: {terrain: t.tif}", "x.yaml:20:20: basemap.terrain: "
     "the file 't.tif' does not exist; paths start from the folder of x.yaml"),
    # reference systems
    ("EPSG:4544", "EPSG:1", "x.yaml:4:6: crs: "
     "the reference system 'EPSG:1' is not known; give a code such as EPSG:4326"),
    ("EPSG:4544", "EPSG:4326", "x.yaml:4:6: crs: 'EPSG:4326' (WGS 84) is not a projected system in metres; "
     "choose one such as EPSG:4544, or leave crs out"),
    ("EPSG:4544", "EPSG:2263", "x.yaml:4:6: crs: 'EPSG:2263' (NAD83 / New York Long Island (ftUS)) is not a "
     "projected system in metres; choose one such as EPSG:4544, or leave crs out"),
    ("roads: {path: a.csv}", "roads: {path: a.csv, crs: nowhere}", "x.yaml:6:27: roads.crs: "
     "the reference system 'nowhere' is not known; give a code such as EPSG:4326"),
    # datums
    ("roads: {path: a.csv}", "roads: {path: a.csv, datum: GCJ-02}", "x.yaml:6:29: roads.datum: "
     "'GCJ-02' is not one of 'wgs84', 'cgcs2000', 'gcj02', 'bd09'"),
    ("roads: {path: a.csv}", "roads: {path: a.csv, datum: gcj02, crs: EPSG:4326}", "x.yaml:6:8: roads: "
     "datum gcj02 is in degrees and has no crs: remove one of them"),
    # groups that do not fit the population
    ("share: 0.2", "column: old", "x.yaml:9:39: groups.0.column: "
     "a raster population has no columns; use share, zone_column, path or table"),
    # profiles
    ("plan: plan.yaml", "profiles: {slow: {name: S, level_speed_kmh: -1, source: s}}",
     "x.yaml:20:45: profiles.slow.level_speed_kmh: -1 is not more than 0"),
    ("plan: plan.yaml", "profiles: {slow: {name: S, level_sped_kmh: 1, source: s, level_speed_kmh: 1}}",
     "x.yaml:20:28: profiles.slow.level_sped_kmh: "
     "the key 'level_sped_kmh' is not known; did you mean 'level_speed_kmh'?"),
    ("plan: plan.yaml", "profiles: {Slow: {name: S, level_speed_kmh: 1, source: s}}",
     f"x.yaml:20:12: profiles.Slow: 'Slow' is not a usable name; {PATTERN}"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), STUDY_FAULTS, ids=[fault[2][:60] for fault in STUDY_FAULTS])
@pytest.mark.usefixtures("folder")
def test_each_fault_of_a_study(old: str, new: str, expected: str) -> None:
    change("x.yaml", old, new)
    assert faults() == [expected]


GOAL_A, GOAL_B = "    layer: care\n    group", "    layer: care\n    tier"
PLAN_FAULTS = [
    (GOAL_A, "    layer: car\n    group", "7:12: goals.0.layer: 'car' is not one of 'care'; did you mean 'care'?"),
    ("tier: top", "tier: tip", "15:11: goals.1.tier: 'tip' is not one of 'top'; did you mean 'top'?"),
    ("group: elder_60", "group: elder", "8:12: goals.0.group: 'elder' is not one of 'total', 'elder_60'; "
     "did you mean 'elder_60'?"),
    ("capacity: beds", "capacity: bed", "16:15: goals.1.capacity: 'bed' is not one of 'beds', 'nursing'; "
     "did you mean 'beds'?"),
    ("part: nursing", "part: nurses", "17:11: goals.1.part: 'nurses' is not one of 'beds', 'nursing'; "
     "did you mean 'nursing'?"),
    ("    capacity: beds\n", "", "11:5: goals.1.capacity: the key 'capacity' is missing; capacity_share needs it"),
    ("    part: nursing\n", "", "11:5: goals.1: capacity_share needs either part or attribute"),
    ("group: elder_60", "part: top", "8:5: goals.0.part: population_covered takes no 'part'; leave it out"),
    ("tier: top", "group: total", "15:5: goals.1.group: capacity_share takes no 'group'; leave it out"),
    ("id: B", "id: A", "11:9: goals.1.id: the id 'A' is used twice; it stands in line 4 already"),
    ("value: 0.6", "value: 60", "19:33: goals.1.target.value: 60 is not a share of 0–1; "
     "100 % is written 1, 60 % as 0.6"),
    ("2020", "2025", "18:22: goals.1.baseline.year: "
     "the baseline's year 2025 is not before the target's year 2025"),
    ("measure: capacity_share", "measure: capacity_shares", "13:14: goals.1.measure: 'capacity_shares' is not "
     "one of 'population_covered', 'facility_count', 'capacity_total', 'capacity_per_1000', 'capacity_share', "
     "'facility_share', 'zones_with_facility', 'area_per_person', 'colocated_share', 'service_completeness', "
     "'accessibility', 'travel_time', 'facilities_in_reach', 'population_with_choice', 'statistic'; "
     "did you mean 'capacity_share'?"),
    ("year: 2025, value: 0.6", "value: 0.6", "19:13: goals.1.target.year: the key 'year' is missing; "
     "say by when, or since when"),
    ("name: b", "name: b\n    unit: percent", "13:11: goals.1.unit: the unit 'percent' does not fit; "
     "capacity_share is in 'share'; 60 % is written 0.6"),
    ("name: b", "name: b\n    scope: {area: new_estate}", "13:19: goals.1.scope.area: 'new_estate' is not one of "
     "nothing; name it under `no_data:` if the study has no such data"),
    ("name: b", "name: b\n    scope: {each: town}", "13:19: goals.1.scope.each: 'town' is not one of 'district', "
     "'zone'"),
    ("layer: care\n    group", "layer: fitness\n    group", "7:12: goals.0.layer: 'fitness' is not one of 'care'; "
     "name it under `no_data:` if the study has no such data"),
    ("measure: capacity_share", "measure: capacity_share\n    milestones: [{year: 2030, value: 0.5}]",
     "11:5: goals.1: the years of baseline, milestones and target are not in order"),
    ("value: 0.6", "value: '0.6'", "19:33: goals.1.target.value: '0.6' is not a number"),
    ("year: 2025, value: 0.6", "year: 2025.5, value: 0.6", "19:20: goals.1.target.year: 2025.5 is not a whole number"),
    ("value: 0.6", "value: -1", "19:33: goals.1.target.value: -1 is not at least 0"),
    ("name: b", "name: b\n    verified: 1", "13:15: goals.1.verified: 1 is not true or false"),
    ("name: b", "name: b\n    verifed: true", "13:5: goals.1.verifed: the key 'verifed' is not known; "
     "did you mean 'verified'?"),
    ("    citation: {document: d, clause: c}\n  -", "    citation: {document: d}\n  -",
     "10:15: goals.0.citation.clause: the key 'clause' is missing"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), PLAN_FAULTS, ids=[fault[2][:60] for fault in PLAN_FAULTS])
@pytest.mark.usefixtures("folder")
def test_each_fault_of_a_plan_names_the_plan_file(old: str, new: str, expected: str) -> None:
    change("plan.yaml", old, new)
    assert faults() == [f"plan.yaml:{expected}"]


@pytest.mark.usefixtures("folder")
def test_an_inline_plan_has_its_place_in_the_study() -> None:
    inline = "plan:\n" + "".join(f"  {line}\n" for line in PLAN.replace("part: nursing", "part: x").splitlines())
    change("x.yaml", "plan: plan.yaml\n", inline)
    assert faults() == [
        "x.yaml:37:13: plan.goals.1.part: 'x' is not one of 'beds', 'nursing'; name care.x under "
        "`no_data:` if the study has no such data"
    ]


@pytest.mark.usefixtures("folder")
def test_own_profiles_add_and_override() -> None:
    Path("p.yaml").write_text("elder: {name: E, level_speed_kmh: 2, source: s}\n")
    change("x.yaml", "plan: plan.yaml", "profiles: p.yaml")
    study = load_study(Path("x.yaml"))
    assert study.profiles["elder"].level_speed_kmh == 2
    assert study.profiles["adult"] == builtin_profiles()["adult"]
    assert study.plans == ()


@pytest.mark.usefixtures("folder")
def test_a_raster_group_does_not_fit_points() -> None:
    change("x.yaml", "kind: raster", "kind: points")
    change("x.yaml", "share: 0.2", "path: a.csv")
    assert faults() == [
        "x.yaml:9:37: groups.0.path: a point population takes no raster; use share, zone_column, column or table"
    ]


@pytest.mark.usefixtures("folder")
def test_all_faults_come_at_once_in_the_order_of_the_files() -> None:
    change("x.yaml", "profile: elder", "profile: eldr")
    change("x.yaml", "title: Town\n", "titel: Town\n")
    change("x.yaml", "roads: {path: a.csv}", "roads: {path: b.csv}")
    change("plan.yaml", "part: nursing", "part: x")
    places = [re.match(r"[^ ]+: [^ ]+:", fault) for fault in faults()]
    assert [place[0] for place in places if place] == [
        "x.yaml:1:1: title:", "x.yaml:2:1: titel:", "x.yaml:6:15: roads.path:",
        "x.yaml:17:14: facilities.0.profile:", "plan.yaml:17:11: goals.1.part:",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "x.yaml:1:1: the file is empty"),
        (b"# nothing\n", "x.yaml:1:1: the file is empty"),
        (b"- a\n", "x.yaml:1:1: a mapping of keys is needed, found a list"),
        (b"hello", "x.yaml:1:1: a mapping of keys is needed, found 'hello'"),
        (b"a: [1, 2\nb: 3\n", "x.yaml:2:2: not valid YAML: expected ',' or ']', but got ':'"),
        (b"a: b: c\n", "x.yaml:1:5: not valid YAML: mapping values are not allowed here"),
        (b"a: 1\n---\nb: 2\n", "x.yaml:2:1: not valid YAML: but found another document"),
        (b"a: *b\n", "x.yaml:1:4: not valid YAML: found undefined alias 'b'"),
        (b"a: 1\nb: \x07\n", "x.yaml:2:4: not valid YAML: the character U+0007 is not allowed"),
        ("a: 1\nb: 养老\n".encode("gb18030"), "x.yaml:2:4: the file is not UTF-8 text; save it with encoding UTF-8"),
        (b"a: " + b"[" * 5000, "x.yaml:1:1: not usable: lists and mappings are nested too deeply"),
    ],
    ids=lambda value: value[:40].decode("latin1") if isinstance(value, bytes) else None,
)
@pytest.mark.usefixtures("folder")
def test_files_that_are_no_study(content: bytes, expected: str) -> None:
    Path("x.yaml").write_bytes(content)
    assert faults() == [expected]


@pytest.mark.usefixtures("folder")
def test_missing_files_and_folders() -> None:
    assert faults("none.yaml") == ["none.yaml: the file does not exist"]
    assert faults(".") == [".: a YAML file is needed, found a folder"]


def test_a_file_elsewhere_is_shown_with_its_whole_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    change("../x.yaml", "title: Town", 'title: ""')
    assert faults(str(folder / "x.yaml")) == [f"{folder / 'x.yaml'}:2:8: title: the text is empty"]


@pytest.mark.usefixtures("folder")
def test_anchors_and_merges_are_understood() -> None:
    change("x.yaml", "zones: {path: a.csv,", "zones: &zones {path: a.csv,")
    change("x.yaml", "roads: {path: a.csv}", "roads: {<<: *zones, layer: roads}")
    roads = load_study(Path("x.yaml")).config.roads
    assert (roads.layer, roads.where, roads.path.name) == ("roads", {"district_id": "0500118"}, "a.csv")


@pytest.mark.usefixtures("folder")
def test_an_alias_inside_its_anchor_is_a_fault() -> None:
    change("x.yaml", '{district_id: "0500118"}', "&w {district_id: [*w]}")
    assert "x.yaml:5:29: zones.where.district_id.0: an alias stands inside its own anchor" in faults()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_study_gives_faults_but_never_another_error(folder: Path, data: st.DataObject) -> None:
    lines = STUDY.splitlines()
    i = data.draw(st.integers(0, len(lines) - 1))
    junk = data.draw(st.sampled_from(["", "x", "[]", "{}", "5", "~", "- 1", ": :", "{a: {b: [c]}}", "\t", "&a *a"]))
    key = lines[i].split(":")[0]
    lines[i] = data.draw(st.sampled_from([junk, f"{key}: {junk}"]))
    (folder / "y.yaml").write_text("\n".join(lines), encoding="utf-8")
    text = ""
    try:
        load_study(folder / "y.yaml")
    except ConfigError as error:
        text = str(error) or "no fault"
    assert text != "no fault"
    assert not re.search(r"function-|constrained-|dict\[|list\[", text)


class _Dateless(yaml.SafeLoader):
    """Leaves dates as text, as a JSON Schema sees them."""


_Dateless.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@pytest.mark.parametrize("name", sorted(path.name for path in CONFIGS.glob("*.yaml") if path.name != "profiles.yaml"))
def test_the_samples_fit_the_schema_of_studies(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(study_schema())
    values = yaml.load((CONFIGS / name).read_text(encoding="utf-8"), Loader=_Dateless)  # noqa: S506 - a safe loader
    assert [error.message for error in jsonschema.Draft202012Validator(study_schema()).iter_errors(values)] == []


@pytest.mark.parametrize(
    "path", sorted([*CONFIGS.glob("plans/*.yaml"), *CONFIGS.glob("standards/*.yaml")]), ids=lambda p: p.stem
)
def test_the_plans_fit_the_schema_of_plans(path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(plan_schema())
    values = yaml.load(path.read_text(encoding="utf-8"), Loader=_Dateless)  # noqa: S506 - a safe loader
    assert [error.message for error in jsonschema.Draft202012Validator(plan_schema()).iter_errors(values)] == []


def test_the_schema_refuses_what_the_models_refuse() -> None:
    validator = jsonschema.Draft202012Validator(study_schema())
    good = yaml.safe_load(STUDY.replace("2025-12-31", '"2025-12-31"'))
    assert validator.is_valid(good)
    assert validator.is_valid({**good, "plan": yaml.safe_load(PLAN), "title": {"zh": "镇"}})
    assert not validator.is_valid({**good, "titel": "x"})
    assert not validator.is_valid({**good, "title": {}})
    assert not validator.is_valid({**good, "facilities": [{**good["facilities"][0], "cutoff_min": 0}]})


@pytest.mark.parametrize(
    ("name", "plans"),
    [
        ("yongchuan", {"yongchuan_14fyp": 49, "national": 8}), ("luzhou", {"luzhou_2030": 18}), ("emergency", {}),
        ("yongchuan-office", {"yongchuan_14fyp": 49, "national": 8}),
    ],
)  # fmt: skip
def test_every_goal_of_the_sample_can_be_judged(name: str, plans: dict[str, int]) -> None:
    study = load_study(CONFIGS / f"{name}.yaml")
    assert {plan.id: len(plan.goals) for plan in study.plans} == plans
    for state in study.config.states:
        there = in_state(study, state.id, file=name)
        assert (there.state, there.config.date) == (state.id, state.date)
    with pytest.raises(ConfigError, match="the state 'y202' is not one of"):
        in_state(study, "y202", file=name)


@pytest.mark.usefixtures("folder")
def test_a_state_reads_its_facilities_from_its_own_file_on_its_own_day() -> None:
    Path("b.csv").write_text("x\n")
    change("x.yaml", "    path: a.csv\n    tiers", "    sources: [{path: a.csv, datum: wgs84}]\n    tiers")
    with Path("x.yaml").open("a", encoding="utf-8") as file:
        file.write(
            "facilities_as_of: 2024-06-30\n"
            "states: [{id: old, name: o, date: 2020-12-31, facilities: {care: {path: b.csv, datum: gcj02}}}]\n"
        )
    study = load_study(Path("x.yaml"))
    layer = in_state(study, "old", file="x.yaml").config.facilities[0]
    assert (layer.path, layer.sources, layer.datum) == (Path("b.csv").resolve(), [], "gcj02")
    assert layer.cutoff_min == study.config.facilities[0].cutoff_min
    assert in_state(study, "old", file="x.yaml").config.facilities_as_of is None
    change("x.yaml", "facilities: {care: {path: b.csv", "facilities: {car: {path: b.csv")
    assert faults() == ["x.yaml:22:60: states.0.facilities.car: 'car' is not one of 'care'; did you mean 'care'?"]
