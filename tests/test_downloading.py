"""Downloads from a server on the loopback: real HTTP, a small world, and every way in which a server may misbehave."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import osmnx
import pandas as pd
import pytest
import rasterio
import shapely
import yaml

from facility_coverage.config.reading import load_study
from facility_coverage.config.servers import Servers
from facility_coverage.config.study import Roads
from facility_coverage.downloading import Wanted, download
from facility_coverage.errors import StudyError
from facility_coverage.layers.osm_kinds import KINDS
from facility_coverage.layers.roads import read_roads
from facility_coverage.outputs.starter import identifier
from facility_coverage.running import run_study
from facility_coverage.study import compute
from interrupts import hearing
from osm_server import STAMP, Reply, Script, World, as_json, place, serving, slots_page

ROOT = Path(__file__).parents[1]
WEST, SOUTH, STEP = 105.90, 29.30, 0.001
SIDE = 20
TOWNS = ((0, 10), (10, 20))
BOX = Wanted(bbox=f"{WEST + 0.002},{SOUTH + 0.002},{WEST + 0.018},{SOUTH + 0.018}")
DISTRICT = shapely.box(WEST + 0.002, SOUTH + 0.002, WEST + 0.018, SOUTH + 0.018)


def at(x: float, y: float) -> tuple[float, float]:
    return WEST + x * STEP, SOUTH + y * STEP


def build_world() -> World:
    """A lattice of ways of all sorts around a district of two towns, with a lake, and far away another road."""
    world = World()
    for x in range(SIDE + 1):
        for y in range(SIDE + 1):
            world.node(1000 + 100 * x + y, *at(x, y))
    sorts = [
        {"highway": "residential", "name": "人民路"}, {"highway": "footway", "surface": "gravel", "incline": "5%"},
        {"highway": "steps"}, {"highway": "primary", "oneway": "yes", "maxspeed": "60", "sidewalk": "both"},
        {"highway": "path", "bridge": "yes", "layer": "1"}, {"highway": "service", "access": "private", "foot": "yes"},
        {"highway": "residential", "tunnel": "yes", "layer": "-1"},
    ]  # fmt: skip
    for i in range(SIDE + 1):
        world.way(i + 1, [1000 + 100 * i + y for y in range(SIDE + 1)], **sorts[i % len(sorts)])
        world.way(i + 101, [1000 + 100 * x + i for x in range(SIDE + 1)], **sorts[(i + 3) % len(sorts)])
    world.way(301, [1000, 3020], route="ferry", duration="00:05")
    world.node(9001, 106.5, 29.9)
    world.node(9002, 106.6, 29.9)
    world.way(302, [9001, 9002], highway="residential")
    _add_towns(world)
    _add_facilities(world)
    for i, (x, y) in enumerate([(5.2, 5.2), (5.8, 5.2), (5.8, 5.8), (5.2, 5.8)]):
        world.node(7000 + i, *at(x, y))
    world.way(401, [7000, 7001, 7002, 7003, 7000], natural="water", name="湖")
    return world


def _add_towns(world: World) -> None:
    """Two towns that share the way between them, one of another level, and one with a broken outline."""
    for i, (x, y) in enumerate([(2, 2), (10, 2), (18, 2), (18, 18), (10, 18), (2, 18)]):
        world.node(8000 + i, *at(x, y))
    world.way(501, [8004, 8005, 8000, 8001])
    world.way(502, [8001, 8004])
    world.way(503, [8001, 8002, 8003, 8004])
    town = {"type": "boundary", "boundary": "administrative", "admin_level": "8"}
    world.relation(601, [("way", 501, "outer"), ("way", 502, "outer")], name="东街", **town)
    world.relation(602, [("way", 502, "outer"), ("way", 503, "outer")], name="西镇", **town)
    world.relation(603, [("way", 501, "outer")], name="断", **town)
    world.relation(604, [("way", 501, "outer"), ("way", 503, "outer")], name="区", **town | {"admin_level": "6"})


def _add_facilities(world: World) -> None:
    world.node(5001, *at(4.1, 4.2), amenity="clinic", name="第一诊所", beds="12")
    world.node(5002, *at(15.2, 12.1), healthcare="clinic", amenity="clinic")
    world.node(5003, *at(11.1, 4.2), amenity="social_facility", social_facility__for="senior", name="养老站")
    world.node(5004, *at(12.1, 4.2), amenity="social_facility", social_facility__for="homeless")
    for i, (x, y) in enumerate([(8.2, 8.2), (8.8, 8.2), (8.8, 8.8), (8.2, 8.8)]):
        world.node(5100 + i, *at(x, y))
    world.way(402, [5100, 5101, 5102, 5103, 5100], amenity="hospital", name="医院")


@pytest.fixture(scope="module")
def world() -> World:
    return build_world()


@pytest.fixture
def script(world: World) -> Iterator[Script]:
    """A server that knows the district."""
    places = {"某区": [place(77, "某区", DISTRICT)], "R77": [place(77, "某区", DISTRICT)]}
    with serving(Script(world, places)) as served:
        yield served


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep answers in a folder of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("FACILITY_COVERAGE_CACHE", str(folder))
    return folder


def servers(script: Script, **options: object) -> Servers:
    chosen = {"timeout_s": 20.0, "tries": 3, "first_pause_s": 0.02} | options
    return Servers(script.overpass, script.nominatim, **chosen)  # type: ignore[arg-type]


def get(script: Script, folder: Path, wanted: Wanted | None = None, **options: object) -> list[str]:
    """Download; return the steps that were announced."""
    said: list[str] = []
    wanted = wanted or Wanted(place="某区", zone_level=8)
    chosen = {"servers": servers(script)} | options
    download(wanted, folder, progress=said.append, **chosen)  # type: ignore[arg-type]
    return said


def faults(script: Script, folder: Path, wanted: Wanted | None = None, **options: object) -> list[str]:
    """Download in vain; return the faults, with the server's changing address taken out."""
    before = sorted(folder.parent.rglob("*"))
    with pytest.raises(StudyError) as caught:
        get(script, folder, wanted, **options)
    cache = folder.parent / "cache"
    assert [one for one in sorted(folder.parent.rglob("*")) if not one.is_relative_to(cache)] == [
        one for one in before if not one.is_relative_to(cache)
    ], "something was left behind"
    return [str(fault).replace(script.url, "URL") for fault in caught.value.faults]


def features(file: Path) -> dict[str, dict[str, object]]:
    listed = json.loads(file.read_text(encoding="utf-8"))["features"]
    return {next(iter(one["properties"].values())): one["properties"] for one in listed}


def test_a_download_writes_every_layer_and_says_where_it_is_from(script: Script, tmp_path: Path) -> None:
    folder = tmp_path / "some district"
    get(script, folder, servers=servers(script, contact="gis@example.org"))
    assert sorted(one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()) == [
        "boundary.geojson", "download.json", "facilities/clinic.geojson", "facilities/elder_care.geojson",
        "facilities/hospital.geojson", "roads.osm.pbf", "study.yaml", "water.geojson", "zones.geojson",
    ]  # fmt: skip
    assert gpd.read_file(folder / "boundary.geojson").geometry.iloc[0].equals(DISTRICT)
    assert {key: one["name"] for key, one in features(folder / "zones.geojson").items()} == {
        "r601": "东街",
        "r602": "西镇",
    }
    assert features(folder / "facilities/clinic.geojson")["n5001"] == {
        "facility_id": "n5001", "name": "第一诊所", "amenity": "clinic", "healthcare": None, "beds": "12",
    }  # fmt: skip
    assert set(features(folder / "facilities/elder_care.geojson")) == {"n5003"}
    hospital = gpd.read_file(folder / "facilities/hospital.geojson")
    assert hospital.geometry.iloc[0].within(shapely.box(*at(8.2, 8.2), *at(8.8, 8.8)))
    about = json.loads((folder / "download.json").read_text(encoding="utf-8"))
    assert about["asked"] == {
        "place": "某区", "bbox": None, "boundary": None, "kinds": ["elder_care", "childcare", "clinic", "hospital"],
        "zone_level": 8, "margin_m": 1436.0,
    }  # fmt: skip
    assert about["counts"]["facilities"] == {"elder_care": 1, "childcare": 0, "clinic": 2, "hospital": 1}
    assert about["counts"]["roads"] == {"nodes": (SIDE + 1) ** 2, "ways": 2 * (SIDE + 1) + 1, "relations": 0}
    assert (about["data_from"], about["data_to"], about["left_out"]) == (STAMP, STAMP, ["r603"])
    assert "ODbL" in about["attribution"]
    page = (ROOT / "docs" / "download.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.*?) \|", page.split("### download.json")[1].split("##")[0], re.MULTILINE)
    assert {key for row in rows for key in re.findall(r"`(\w+)`", row)} == set(about)
    assert [one["requests"] for one in about["servers"]] == [1, 6]
    assert all("(gis@example.org)" in agent and agent.startswith("facility-coverage/") for agent in script.agents[-1:])


def test_a_download_leaves_osmnx_and_the_resolver_as_they_were(script: Script, tmp_path: Path) -> None:
    names = ("cache_folder", "overpass_url", "nominatim_url", "requests_kwargs", "cache_only_mode", "http_user_agent")
    before = {name: getattr(osmnx.settings, name) for name in names}
    resolver = socket.getaddrinfo
    get(script, tmp_path / "out")
    assert {name: getattr(osmnx.settings, name) for name in names} == before
    assert socket.getaddrinfo is resolver


def write_people(path: Path) -> None:
    people = (np.arange(1600, dtype=np.float32) % 7).reshape(40, 40)
    transform = rasterio.transform.from_origin(WEST, SOUTH + 0.02, 0.0005, 0.0005)
    with rasterio.open(
        path, "w", driver="GTiff", width=40, height=40, count=1, dtype="float32", crs="EPSG:4326", transform=transform
    ) as raster:
        raster.write(people, 1)


def test_a_downloaded_study_runs_once_it_has_people(script: Script, tmp_path: Path) -> None:
    folder = tmp_path / "some_district"
    get(script, folder)
    with pytest.raises(StudyError, match=r"population\.tif' does not exist"):
        load_study(folder / "study.yaml")
    write_people(folder / "population.tif")
    study = load_study(folder / "study.yaml").config
    assert (study.id, str(study.date), study.title.zh) == ("some_district", STAMP[:10], "某区")
    result = run_study(folder / "study.yaml", folder=tmp_path / "result")
    table = pd.read_csv(result.folder / "zones.csv")
    assert table["zone_id"].tolist() == ["r601", "r602"]
    assert (table["clinic_share_total"] > 0.5).all()


def test_the_downloaded_world_gives_the_graph_and_times_of_the_whole_extract(
    script: Script, world: World, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    get(script, folder)
    write_people(folder / "population.tif")
    for name in ("whole.osm", "whole.osm.pbf"):
        world.write(folder / name)
        direct = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
        for layer in direct["facilities"]:
            where = {"clinic": {"amenity": "clinic"}, "hospital": {"amenity": "hospital"}}
            senior = {"amenity": "social_facility", "social_facility:for": "senior"}
            layer |= {"path": name, "where": where.get(layer["id"], senior)}
        direct |= {"roads": {"path": name}}
        (folder / "direct.yaml").write_text(yaml.safe_dump(direct, allow_unicode=True), encoding="utf-8")
        ours, theirs = (compute(load_study(folder / one)) for one in ("study.yaml", "direct.yaml"))
        np.testing.assert_array_equal(ours.layers.roads.xy, theirs.layers.roads.xy)
        np.testing.assert_array_equal(ours.layers.roads.node, theirs.layers.roads.node)
        np.testing.assert_array_equal(ours.layers.roads.start, theirs.layers.roads.start)
        pd.testing.assert_frame_equal(ours.layers.roads.tags, theirs.layers.roads.tags)
        assert len(ours.trips) == 3
        for mine, other in zip(ours.trips, theirs.trips, strict=True):
            assert np.isfinite(mine.nearest.seconds).sum() > 100
            np.testing.assert_array_equal(mine.nearest.seconds, other.nearest.seconds)


def test_pieces_of_a_large_area_join_to_the_same_roads(script: Script, tmp_path: Path) -> None:
    get(script, tmp_path / "one")
    whole = len(script.queries())
    get(script, tmp_path / "many", servers=servers(script, piece_km2=4.0))
    assert len(script.queries()) - whole > 2 * whole
    for name in ("roads.osm.pbf", "facilities/clinic.geojson", "zones.geojson", "water.geojson"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "many" / name).read_bytes()


@pytest.mark.parametrize(
    "wanted",
    [
        BOX,
        Wanted(boundary=Path("outline.gpkg")),
        Wanted(place="R77"),
    ],
    ids=["bbox", "file", "id"],
)
def test_an_area_may_be_a_box_a_file_or_an_id(
    script: Script, tmp_path: Path, wanted: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    gpd.GeoDataFrame(geometry=[DISTRICT], crs=4326).to_crs(4544).to_file("outline.gpkg")
    get(script, tmp_path / "out", replace(wanted, kinds=("clinic",)))
    outline = gpd.read_file(tmp_path / "out" / "boundary.geojson").geometry.iloc[0]
    assert outline.symmetric_difference(DISTRICT).area < 1e-9
    study = yaml.safe_load((tmp_path / "out" / "study.yaml").read_text(encoding="utf-8"))
    assert study["zones"]["path"] == "boundary.geojson"
    write_people(tmp_path / "out" / "population.tif")
    assert compute(load_study(tmp_path / "out" / "study.yaml")).layers.zones["zone_id"].tolist() == ["all"]
    asked = [path for path, _ in script.log if path.startswith("/nominatim")]
    assert asked == (["/nominatim/lookup"] if wanted.place else [])


def first(reply: Reply, times: int = 1, path: str = "/api/interpreter") -> Callable[[str, str], Reply | None]:
    """Misbehave in the first requests of a path."""
    left = [times]

    def misbehave(asked: str, _: str) -> Reply | None:
        if asked != path or not left[0]:
            return None
        left[0] -= 1
        return reply

    return misbehave


BUSY_PAGE = (
    b"<html><body>runtime error: open64: Dispatcher_Client::request_read_and_idx::timeout. too busy</body></html>"
)
CUT_JSON = b'{"version": 0.6, "elements": [{"type": "no'


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(429, headers={"Retry-After": "0"}), "asks for fewer requests (429); trying again in 0 s"),
        (Reply(429, headers={"Retry-After": "Wed, 25 Nov 2020 08:00:00 GMT"}), "asks for fewer requests (429)"),
        (Reply(504), "is too busy (504); trying again in 0 s"),
        (Reply(200, BUSY_PAGE), "is too busy: runtime error"),
        (Reply(200, CUT_JSON), "sends an answer that is cut off or no JSON"),
        (Reply(200, b'{"elements": []}' + b" " * 100, cut=True), "breaks off in the middle of an answer"),
        (Reply(200, as_json({"elements": [], "remark": "runtime error: rate_limited"}).body), "is too busy"),
    ],
    ids=["429", "429 until", "504", "busy page", "cut JSON", "cut connection", "busy remark"],
)
def test_what_may_pass_is_tried_again(script: Script, tmp_path: Path, reply: Reply, says: str) -> None:
    script.misbehave = first(reply)
    said = get(script, tmp_path / "out", BOX)
    assert [line for line in said if says in line]
    assert (tmp_path / "out" / "study.yaml").is_file()


@pytest.mark.parametrize("reply", [Reply(429), Reply(200, CUT_JSON)], ids=["429", "cut JSON"])
def test_a_name_is_asked_for_again(script: Script, tmp_path: Path, reply: Reply) -> None:
    script.misbehave = first(reply, path="/nominatim/search")
    get(script, tmp_path / "out")
    assert [path for path, _ in script.log].count("/nominatim/search") == 2


def test_a_slow_answer_is_asked_for_again(script: Script, tmp_path: Path) -> None:
    script.misbehave = first(Reply(sleep_s=2.5))
    said = get(script, tmp_path / "out", BOX, servers=servers(script, timeout_s=1.0))
    assert [line for line in said if "gives no answer in time; trying again" in line]


LATER = "; try again later, or name another server"


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(429), f"URL/api: roads: asks for fewer requests (429) (3 tries){LATER}"),
        (Reply(504), f"URL/api: roads: is too busy (504) (3 tries){LATER}"),
        (
            Reply(429, headers={"Retry-After": "7200"}),
            f"URL/api: roads: asks for fewer requests (429); it asks for a pause of 7200 s{LATER}",
        ),
        (Reply(200, CUT_JSON), f"URL/api: roads: sends an answer that is cut off or no JSON (3 tries){LATER}"),
        (
            Reply(200, b"<html><title>Log in</title><script>x()</script><p>Wi-Fi \x1b[31mportal</html>"),
            "URL/api: roads: sends a web page instead of data: Log in Wi-Fi [31mportal; check the address; a network's "
            "log-in page may stand in between",
        ),
        (
            as_json({"elements": [], "remark": "runtime error: Query timed out after 181 seconds."}),
            "URL/api: roads: gives up: runtime error: Query timed out after 181 seconds.; ask for smaller pieces with "
            "--piece-km2",
        ),
        (as_json([]), "URL/api: roads: sends something else than Overpass data; check --overpass-url"),
        (as_json({"elements": 7}), "URL/api: roads: sends something else than Overpass data; check --overpass-url"),
        (as_json({"elements": []}), "URL/api: has no road in this area; check the place or the box"),
        (
            as_json({"elements": [{"type": "way", "id": "../x", "nodes": [1, 2], "tags": {"highway": "path"}}]}),
            "URL/api: sends an element that is none of OpenStreetMap's: way ../x; check --overpass-url, or ask again "
            "with --refresh",
        ),
        (Reply(404), "URL/api: roads: is no such server (404); name the address as its operator gives it"),
        (
            Reply(403),
            "URL/api: roads: refuses to answer (403); say who asks with --contact, or name another server",
        ),
        (
            Reply(400, b"<html>parse error: Unknown type</html>"),
            f"URL/api: roads: answers with error 400: parse error: Unknown type{LATER}",
        ),
        (
            Reply(302, headers={"Location": "http://192.0.2.1/evil"}),
            "URL/api: roads: sends on to http://192.0.2.1/evil (302); name that address if you trust it",
        ),
    ],
    ids=["429", "504", "long wait", "cut JSON", "web page", "remark", "list", "no list", "empty", "no element", "404",
         "403", "400", "302"],
)  # fmt: skip
def test_what_does_not_pass_is_one_fault_and_leaves_nothing(
    script: Script, tmp_path: Path, reply: Reply, says: str
) -> None:
    script.misbehave = lambda path, _: reply if path == "/api/interpreter" else None
    assert faults(script, tmp_path / "out", BOX) == [says]


def test_a_server_that_is_down_is_said_at_once(script: Script, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{free.getsockname()[1]}"
    advice = "check the address and the connection; without internet, see docs/download.md"
    said = faults(script, tmp_path / "out", servers=replace(servers(script), overpass_url=gone))
    assert said == [f"{gone}: zones: cannot be reached; {advice}"]
    said = faults(script, tmp_path / "out", servers=replace(servers(script), nominatim_url=gone))
    assert said == [f"{gone}: boundary: cannot be reached; {advice}"]


def test_time_outs_end(script: Script, tmp_path: Path) -> None:
    script.misbehave = lambda path, _: Reply(sleep_s=1.5) if path == "/api/interpreter" else None
    said = faults(script, tmp_path / "out", BOX, servers=servers(script, timeout_s=1.0, tries=2))
    advice = "try again later, or allow more with --timeout-s"
    assert said == [f"URL/api: roads: gives no answer in time (2 tries); {advice}"]


@pytest.mark.parametrize(
    ("results", "says"),
    [
        (
            [],
            "URL/nominatim: knows no place '某区'; check the spelling, add the province, or use --bbox or --boundary",
        ),
        (
            [place(1, "某区, 甲省", DISTRICT), place(2, "某区, 乙省\x1b[2J", DISTRICT)],
            "URL/nominatim: knows 2 areas '某区' (R1 某区, 甲省; R2 某区, 乙省 [2J); give the id of one "
            "instead of a name",
        ),
        (
            [place(3, "某区站", shapely.Point(1, 2), osm_type="node", **{"class": "railway"})],
            "URL/nominatim: knows '某区', but no area of that name (N3 某区站); name the district around it, or "
            "use --bbox or --boundary",
        ),
        (
            {"error": "nothing"},
            "URL/nominatim: boundary: sends something else than a list of places; check --nominatim-url",
        ),
        (
            [place(4, "某区", DISTRICT) | {"boundingbox": ["a"]}],
            "URL/nominatim: boundary: sends something else than a list of places; check --nominatim-url",
        ),
        (
            [place(5, "某区", DISTRICT, geojson={"type": "Polygon", "coordinates": [[[0, 0], [1]]]})],
            "URL/nominatim: sends an outline of R5 (某区) that is none; use --bbox or --boundary",
        ),
    ],
    ids=["unknown", "several", "a point", "an error", "half a place", "no outline"],
)
def test_a_place_that_is_no_area_is_one_fault(script: Script, tmp_path: Path, results: object, says: str) -> None:
    script.places["某区"] = results  # type: ignore[assignment]
    assert faults(script, tmp_path / "out") == [says]


def test_the_one_governed_area_is_taken_before_a_building_of_the_name(script: Script, tmp_path: Path) -> None:
    building = place(9, "某区", shapely.box(0, 0, 1, 1), osm_type="way", importance=0.9, **{"class": "building"})
    script.places["某区"].insert(0, building)
    get(script, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "download.json").read_text(encoding="utf-8"))["found"]["osm_id"] == "R77"


def test_no_zone_of_the_level(script: Script, tmp_path: Path) -> None:
    (said,) = faults(script, tmp_path / "out", Wanted(place="某区", zone_level=10))
    assert said.startswith("URL/api: has no area of admin_level 10 within the boundary; ")


def test_an_interrupted_download_asks_only_for_what_is_missing(script: Script, tmp_path: Path, kept: Path) -> None:
    get(script, tmp_path / "whole", servers=servers(script, piece_km2=4.0))
    needed = script.queries()
    assert len(set(needed)) == len(needed) > 10
    script.log.clear()
    done = len(needed) // 2
    for folder in sorted(kept.rglob("*"), reverse=True):
        folder.rmdir() if folder.is_dir() else folder.unlink()
    script.misbehave = lambda _path, _query: None if len(script.queries()) <= done else Reply(504)
    (said,) = faults(script, tmp_path / "again", servers=servers(script, piece_km2=4.0))
    assert "is too busy (504) (3 tries)" in said
    assert said.endswith("what has come so far is kept, the same command goes on from there")
    asked = script.queries()
    assert asked == [*needed[:done], *[needed[done]] * 3]
    script.log.clear()
    script.misbehave = lambda _path, _query: None
    get(script, tmp_path / "again", servers=servers(script, piece_km2=4.0, timeout_s=30.0))
    assert script.queries() == needed[done:]
    for file in ("roads.osm.pbf", "zones.geojson", "facilities/clinic.geojson", "study.yaml"):
        ours = (tmp_path / "again" / file).read_text(encoding="latin-1").replace("id: again", "id: whole")
        assert ours == (tmp_path / "whole" / file).read_text(encoding="latin-1")
    script.log.clear()
    get(script, tmp_path / "third", servers=servers(script, piece_km2=4.0))
    assert script.log == []
    get(script, tmp_path / "fourth", servers=servers(script, piece_km2=4.0), refresh=True)
    assert script.queries() == needed


def test_half_written_and_old_answers_are_asked_for_again(script: Script, tmp_path: Path, kept: Path) -> None:
    get(script, tmp_path / "first", BOX)
    needed = script.queries()
    script.log.clear()
    broken, old, *_ = sorted(one for one in kept.rglob("*.json") if b"elements" in one.read_bytes())
    broken.write_bytes(broken.read_bytes()[:40])
    os.utime(old, (1_000_000_000, 1_000_000_000))
    get(script, tmp_path / "second", BOX)
    assert len(script.queries()) == 2
    assert set(script.queries()) < set(needed)
    assert (tmp_path / "second" / "roads.osm.pbf").read_bytes() == (tmp_path / "first" / "roads.osm.pbf").read_bytes()


def test_slots_are_waited_for(script: Script, tmp_path: Path) -> None:
    waits = [True]

    def page() -> str:
        if len([1 for path, _ in script.log if path == "/api/status"]) == 2 and waits:
            waits.pop()
            until = (dt.datetime.now(tz=dt.UTC) + dt.timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
            return slots_page(f"Slot available after: {until}, in 2 seconds.")
        return slots_page("2 slots available now.")

    script.status_page = page
    said = get(script, tmp_path / "out", BOX)
    assert [line for line in said if "waiting 2 s for a free slot" in line]
    paths = [path for path, _ in script.log if path.startswith("/api")]
    assert paths.count("/api/status") == paths.count("/api/interpreter") + 1


def test_a_slot_that_is_far_away_is_not_waited_for(script: Script, tmp_path: Path) -> None:
    script.status_page = lambda: slots_page("Slot available after: 2026-11-26T08:00:00Z, in 2000 seconds.")
    said = faults(script, tmp_path / "out", BOX)
    assert said == ["URL/api: roads: gives no free slot; try again later, or name another server"]
    assert script.queries() == []


@pytest.mark.parametrize(
    "page",
    [
        slots_page("", limit=0),
        "Connected as: 1\nCurrent time: 2026-11-25T08:00:00Z\nRate limit: 2\n2 slots available now.\nCurrently running",
        slots_page("2 slots available now.").replace("Current time: 20", "Current time: 19"),
        "<html>\n\n\n\n\n\nno such page</html>",
    ],
    ids=["no limit", "old server", "wrong clock", "a page"],
)
def test_a_server_without_slots_is_not_asked_for_them(script: Script, tmp_path: Path, page: str) -> None:
    script.status_page = lambda: page
    get(script, tmp_path / "out", BOX)
    assert [path for path, _ in script.log].count("/api/status") == 1


HOSTILE = ["<script>alert(1)</script>", "../../x", "a\nid: evil\n# b", "\u202egnp.exe", "${7*7}", "\ud800", "x" * 255]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(tmp_path: Path, name: str) -> None:
    world = build_world()
    world.elements["node", 5001]["tags"] = {"amenity": "clinic", "name": name, "geometry": "x", "facility_id": "evil"}
    world.elements["relation", 601]["tags"]["name"] = name
    world.elements["way", 1]["tags"]["name"] = name
    with serving(Script(world, {"某区": [place(77, name, DISTRICT)]})) as script:
        get(script, tmp_path / "out")
    plain = "".join(one if one.isprintable() else " " for one in name)
    folder = tmp_path / "out"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["out"]
    assert {one.name for one in (folder / "facilities").iterdir()} == {
        "clinic.geojson", "elder_care.geojson", "hospital.geojson",
    }  # fmt: skip
    assert features(folder / "facilities/clinic.geojson")["n5001"]["name"] == plain
    assert features(folder / "zones.geojson")["r601"]["name"] == plain
    text = (folder / "study.yaml").read_text(encoding="utf-8")
    study = yaml.safe_load(text)
    assert (study["id"], study["title"]) == ("out", " ".join(plain.split())[:120] or "out")
    assert not [line for line in text.splitlines() if line.startswith("#") and "evil" in line]
    write_people(folder / "population.tif")
    page = (run_study(folder / "study.yaml", folder=tmp_path / "result").folder / "map.html").read_text(
        encoding="utf-8"
    )
    assert "<script>alert(1)" not in page


def test_elements_with_impossible_texts_are_refused(tmp_path: Path) -> None:
    world = build_world()
    world.elements["way", 1]["tags"]["name"] = "y" * 300
    with serving(Script(world)) as script:
        (said,) = faults(script, tmp_path / "out", BOX)
    assert "sends an element that is none of OpenStreetMap's: way 1;" in said


def test_an_existing_folder_is_kept_unless_told_otherwise(script: Script, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    get(script, folder)
    (folder / "population.tif").write_bytes(b"people")
    (folder / "notes").mkdir()
    (folder / "notes" / "mine.txt").write_text("mine", encoding="utf-8")
    before = {one: one.read_bytes() for one in folder.rglob("*") if one.is_file()}
    (said,) = faults(script, folder)
    assert said == f"{folder}: holds an earlier download; name another folder, or replace it by --overwrite"
    get(script, folder, Wanted(place="某区", kinds=("clinic",)), overwrite=True)
    assert (folder / "population.tif").read_bytes() == b"people"
    assert (folder / "notes" / "mine.txt").read_text(encoding="utf-8") == "mine"
    assert not (folder / "facilities" / "hospital.geojson").exists()
    assert not (folder / "zones.geojson").exists()
    assert before.keys() >= {one for one in folder.rglob("*") if one.is_file()}
    (folder / "study.yaml").write_text("id: mine", encoding="utf-8")
    (said,) = faults(script, folder, overwrite=True)
    assert said == (
        f"{folder}/study.yaml: was changed after it was downloaded; move it away or rename it: it would be lost"
    )
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "thesis.docx").write_bytes(b"years of work")
    (said,) = faults(script, other, overwrite=True)
    assert said == f"{other}: holds files, and no download has written them; name a folder that is new or empty"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["out", "thesis"]


def test_wrong_choices_come_in_one_error_and_ask_nobody(script: Script, tmp_path: Path) -> None:
    wanted = Wanted(place="某区", bbox="1,2,3", kinds=("elder_car", "clinic"), zone_level=12, margin_m=-1.0)
    wrong = replace(
        servers(script), overpass_url="ftp://x", nominatim_url="http://me:secret@host", contact="a\nHost: b", tries=0
    )
    said = faults(script, tmp_path / "out", wanted, servers=wrong)
    assert [re.split(r": | is ", one)[0] for one in said] == [
        "download", "--kinds", "--zones", "--margin-m", "--overpass-url", "--nominatim-url", "--contact", "--tries",
    ]  # fmt: skip
    assert "secret" not in "".join(said)
    assert script.log == []


@pytest.mark.parametrize("name", ["a file/out", "x" * 300, "nu\0ll", "a file"])
def test_a_folder_that_cannot_be_one(script: Script, tmp_path: Path, name: str) -> None:
    (tmp_path / "a file").touch()
    with pytest.raises(StudyError, match="for the download"):
        get(script, tmp_path / name, BOX)
    assert script.log == []
    assert [one.name for one in tmp_path.iterdir()] == ["a file"]


@pytest.mark.parametrize("box", ["1,2,3", "a,b,c,d", "5,5,4,6", "0,0,nan,1", "0,89,1,95", "", "inf,0,1,1"])
def test_a_box_that_is_none(script: Script, tmp_path: Path, box: str) -> None:
    (said,) = faults(script, tmp_path / "out", Wanted(bbox=box))
    assert said.startswith("--bbox: ")


def test_the_public_server_is_not_asked_for_a_whole_province(script: Script, tmp_path: Path) -> None:
    wide = replace(servers(script), overpass_url="https://overpass-api.de/api/")
    (said,) = faults(script, tmp_path / "out", Wanted(bbox="105,28,108,31"), servers=wide)
    assert "are more than the public server should be asked for (20,000 km²); use an extract" in said


def test_kinds_that_nobody_has_drawn_are_left_to_the_user(script: Script, tmp_path: Path) -> None:
    get(script, tmp_path / "out", replace(BOX, kinds=("park", "police")))
    text = (tmp_path / "out" / "study.yaml").read_text(encoding="utf-8")
    study = yaml.safe_load(text)
    assert [(one["kind"], one["path"]) for one in study["facilities"]] == [("park", "facilities/park.csv")]
    assert "# MISSING: facilities." in text
    assert "#    path: facilities/police.csv" in text


def test_the_page_lists_every_kind_with_its_tags() -> None:
    page = (ROOT / "docs" / "download.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.MULTILINE))
    for kind, known in KINDS.items():
        tags = [f"`{key}={'|'.join(values)}`" for one in known.any_of for key, values in one.items()]
        assert re.findall(r"`[^`]+`", rows[kind].replace(r"\|", "|")) == tags
        assert rows[kind].startswith(known.zh)


def test_the_study_of_the_page_loads(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "download.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "configs").mkdir()
    (tmp_path / "layers" / "district").mkdir(parents=True)
    for name in ("district.osm.pbf", "population.tif"):
        (tmp_path / "layers" / "district" / name).touch()
    (tmp_path / "configs" / "district.yaml").write_text(text, encoding="utf-8")
    assert load_study(tmp_path / "configs" / "district.yaml").config.facilities[0].kind == "clinic"


def command(*arguments: str | Path, script: Script, cache: Path | str) -> subprocess.Popen[str]:
    """Start the installed command as a user does, the servers named in the environment."""
    program = Path(sys.executable).with_name("facility-coverage")
    named = {
        "FACILITY_COVERAGE_OVERPASS_URL": script.overpass,
        "FACILITY_COVERAGE_NOMINATIM_URL": script.nominatim,
        "FACILITY_COVERAGE_CONTACT": "gis@example.org",
        "FACILITY_COVERAGE_CACHE": str(cache),
    }
    return subprocess.Popen(  # noqa: S603
        hearing([str(program), "download", *map(str, arguments)]), env=os.environ | named, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_the_command_says_what_it_does_and_where_the_study_is(script: Script, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    options = ("--zones", "8", "--kinds", "clinic, childcare", "--margin-m", "300")
    with command("某区", "-o", folder, *options, script=script, cache="off") as process:
        out, err = process.communicate()
    assert (process.returncode, out) == (0, f"{folder / 'study.yaml'}\n"), err
    assert err.splitlines()[:2] == ["boundary: asking 127.0.0.1", "boundary: 0.0 MB received"]
    assert err.splitlines()[-3:] == [
        "writing files",
        "zones: the outline of r603 is broken in OpenStreetMap, it is left out",
        "childcare: OpenStreetMap has none here",
    ]
    assert "(gis@example.org)" in script.agents[0]
    assert json.loads((folder / "download.json").read_text(encoding="utf-8"))["asked"]["margin_m"] == 300
    script.misbehave = lambda _path, _query: Reply(404)
    with command("某区", "-o", tmp_path / "no", script=script, cache="off") as process:
        _, err = process.communicate()
    assert process.returncode == 2
    assert "Traceback" not in err
    assert err.splitlines()[-1] == "1 fault; nothing was written"


def test_a_stopped_command_leaves_nothing_but_answers(script: Script, tmp_path: Path) -> None:
    area = ("--bbox", BOX.bbox or "", "--kinds", "clinic")
    script.misbehave = lambda _path, query: Reply(sleep_s=30) if "amenity" in query else None
    with command(*area, "-o", tmp_path / "out", script=script, cache=tmp_path / "cache") as process:
        while not [query for query in script.queries() if "amenity" in query]:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert process.returncode != 0
    assert "Traceback" not in err
    assert [one.name for one in tmp_path.iterdir()] == ["cache"]
    asked = script.queries()
    script.misbehave = lambda _path, _query: None
    with command(*area, "-o", tmp_path / "out", script=script, cache=tmp_path / "cache") as process:
        _, err = process.communicate()
    assert process.returncode == 0, err
    again = script.queries()[len(asked) :]
    assert again[0] == asked[-1]
    assert not set(again) & set(asked[:-1])


def test_every_identifier_is_one() -> None:
    for text in ("", "..", "A b", "9", "永川", "x" * 99, "___", "a" * 62 + " b"):
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,62}", identifier(text)), text


def test_roads_are_read_as_they_stand_in_the_world(script: Script, world: World, tmp_path: Path) -> None:
    get(script, tmp_path / "out", BOX)
    world.write(tmp_path / "whole.osm")
    everywhere = shapely.box(500_000, 3_200_000, 700_000, 3_400_000)
    crs = gpd.GeoSeries([DISTRICT], crs=4326).estimate_utm_crs()
    near = gpd.GeoSeries([DISTRICT], crs=4326).to_crs(crs).iloc[0]
    tags = []
    for file in (tmp_path / "out" / "roads.osm.pbf", tmp_path / "whole.osm"):
        read = read_roads(Roads(path=file), near, everywhere, crs=crs)
        assert read.report == {"vertices_without_location": 0}
        tags.append(read.roads.tags.set_index("way_id"))
    pd.testing.assert_frame_equal(tags[0], tags[1].drop(index="302"))
