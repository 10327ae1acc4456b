"""The command line on a small study, and on that study broken in one way after another."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd
import pyogrio
import pytest
import shapely

from facility_coverage.layers.datum import from_wgs84, geometries_from_wgs84
from small_study import CRS, X0, Y0, edit, facilities, roads, stations, write_small, zones


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A complete small study; returns its YAML file."""
    return write_small(tmp_path)


def command(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the installed command as a user does."""
    program = Path(sys.executable).with_name("facility-coverage")
    return subprocess.run([program, *arguments], cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603


def test_a_run_leaves_map_tables_and_passport_and_replaces_them(small: Path) -> None:
    first = command("run", small.name, "-o", "out", cwd=small.parent)
    assert first.returncode == 0, first.stderr
    folder = small.parent / "out"
    names = {
        "map.html",
        "zones.csv",
        "zones.xlsx",
        "coverage.gpkg",
        "findings.json",
        "verdicts.json",
        "verdicts.csv",
        "ledger.csv",
        "sharing.csv",
        "equity.csv",
        "lorenz.csv",
        "worst_served.csv",
        "gaps.csv",
        "remedies.csv",
        "run.json",
    }
    assert {path.name for path in folder.iterdir()} == names
    table = pd.read_csv(folder / "zones.csv", dtype={"zone_id": str})
    assert table["zone_id"].tolist() == ["0110101", "0110102"]
    # 400 cells hold 0 … 6 people in turn: 57 full rounds and one cell of 0.
    assert table["population_total"].sum() == pytest.approx(57 * 21)
    passport = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert passport["population"][0]["read"] == pytest.approx(57 * 21)
    tables = {name: (folder / name).read_bytes() for name in names if name not in ("map.html", "run.json")}
    again = command("run", small.name, "-o", "out", "--threads", "2", cwd=small.parent)
    assert again.returncode == 0, again.stderr
    assert {name: (folder / name).read_bytes() for name in tables} == tables
    english = command("run", small.name, "-o", "out", "--lang", "en", cwd=small.parent)
    assert english.returncode == 0, english.stderr
    changed = {name for name in tables if (folder / name).read_bytes() != tables[name]}
    # Sheets and styles speak the language; no figure does.
    assert changed == {"zones.xlsx", "coverage.gpkg"}
    assert not [path for path in small.parent.iterdir() if path.name.startswith(".out")]


def test_the_study_chooses_its_folder_and_the_layers_of_its_geopackage(small: Path) -> None:
    edit(small, lambda study: study.update(outputs={"folder": "results/small", "geopackage": ["zones", "facilities"]}))
    (small.parent / "elsewhere").mkdir()
    done = command("run", f"../{small.name}", "--threads", "1", cwd=small.parent / "elsewhere")
    assert done.returncode == 0, done.stderr
    names = pyogrio.list_layers(small.parent / "results" / "small" / "coverage.gpkg")[:, 0].tolist()
    assert names == ["zones", "facilities", "layer_styles"]
    assert not list((small.parent / "elsewhere").iterdir())


def test_facilities_too_far_away_are_named_as_left_out(small: Path) -> None:
    stations(small, lon=[105.9, 87.6, 105.91], lat=[29.34, 43.8, 29.34])
    done = command("run", small.name, "-o", "out", cwd=small.parent)
    assert done.returncode == 0, done.stderr
    assert "station: 1 of 3 facilities in stations.csv lie beyond the longest trip" in done.stderr


def test_a_check_finds_what_is_odd_and_writes_its_page(small: Path) -> None:
    stations(small, beds=["10", "0", ""], lon=[105.9, 87.6, 105.91], lat=[29.34, 43.8, 29.34])
    before = {path.name: path.read_bytes() for path in small.parent.iterdir()}
    done = command("check", small.name, "-o", "out", "--lang", "en", cwd=small.parent)
    assert done.returncode == 0, done.stderr
    content = json.loads((small.parent / "out" / "check.json").read_text(encoding="utf-8"))
    assert {(found["layer"], found["code"]) for found in content["findings"]} == {
        ("station", "beyond_study"), ("station", "capacity_missing"),
    }  # fmt: skip
    assert content["layers"][0]["layer"] == "zones"
    assert (content["layers"][0]["rows_read"], content["layers"][0]["crs"]) == (
        2,
        "CGCS2000 / 3-degree Gauss-Kruger CM 105E",
    )
    assert "0 errors, 2 warnings, 0 notes" in done.stdout
    assert done.stdout.splitlines()[-1] == "out/check.html"
    assert {path.name: path.read_bytes() for path in small.parent.iterdir() if path.is_file()} == before


def test_a_check_lists_the_faults_of_all_layers_and_fails(small: Path) -> None:
    stations(small, beds=["10", "约二十", ""])
    overlapping_zones(small)
    done = command("check", small.name, cwd=small.parent)
    assert done.returncode == 2
    assert "错误: station: stations.csv: '约二十' is not a number" in done.stdout
    assert "Traceback" not in done.stderr
    assert not (small.parent / "out").exists()


def test_a_folder_of_other_files_is_never_replaced(small: Path) -> None:
    out = small.parent / "out"
    out.mkdir()
    (out / "thesis.docx").write_text("years of work", encoding="utf-8")
    done = command("run", small.name, "-o", "out", cwd=small.parent)
    assert done.returncode == 2
    assert "no run has written" in done.stderr
    assert [path.name for path in out.iterdir()] == ["thesis.docx"]


def missing_file(small: Path) -> None:
    (small.parent / "roads.gpkg").unlink()


def overlapping_zones(small: Path) -> None:
    frame = zones()
    frame.loc[0, "geometry"] = frame.geometry.iloc[0].buffer(50, cap_style="square", join_style="mitre")
    frame.to_file(small.parent / "zones.geojson")


def wordy_capacity(small: Path) -> None:
    stations(small, beds=["10", "约二十", ""])


def half_a_pbf(small: Path) -> None:
    whole = small.parent / "whole.osm.pbf"
    with osmium.SimpleWriter(whole) as writer:
        for number in range(1, 40_001):
            place = (105.9 + number * 1e-6, 29.3 + (number * 7919 % 1000) * 1e-6)
            writer.add_node(osmium.osm.mutable.Node(id=number, location=place))
        for number in range(1, 2_000):
            way = osmium.osm.mutable.Way(
                id=number, nodes=list(range(number * 20, number * 20 + 20)), tags={"highway": "residential"}
            )
            writer.add_way(way)
    data = whole.read_bytes()
    (small.parent / "half.osm.pbf").write_bytes(data[: len(data) // 2])
    edit(small, lambda study: study.update(roads={"path": "half.osm.pbf"}))


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (missing_file, ["small.yaml:", "roads.path", "roads.gpkg"]),
        (overlapping_zones, ["zones.geojson", "overlap", "0110101", "0110102"]),
        (wordy_capacity, ["stations.csv", "row 2", "beds", "约二十"]),
        (half_a_pbf, ["half.osm.pbf"]),
    ],
)
def test_bad_input_ends_with_a_clear_error_and_no_output(
    small: Path, break_it: Callable[[Path], None], says: list[str]
) -> None:
    break_it(small)
    done = command("run", small.name, "-o", "out", cwd=small.parent)
    assert done.returncode == 2, done.stderr
    for part in says:
        assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert not (small.parent / "out").exists()
    assert not [path for path in small.parent.iterdir() if path.name.startswith(".out")]


def test_zones_beyond_the_boundary_keep_their_people_and_facilities(small: Path) -> None:
    west = zones().head(1)
    west.to_file(small.parent / "outline.geojson")
    figures = {}
    for name, boundary in (("all", None), ("west", {"path": "outline.geojson"})):
        edit(small, lambda study, boundary=boundary: study.update(boundary=boundary, network={"margin_m": 0}))
        done = command("run", small.name, "-o", name, cwd=small.parent)
        assert done.returncode == 0, done.stderr
        figures[name] = (small.parent / name / "zones.csv").read_bytes()
    assert figures["west"] == figures["all"]


def test_the_identity_follows_what_changes_figures_and_nothing_else(small: Path) -> None:
    def identity(*options: str) -> str:
        done = command("run", small.name, "-o", "out", *options, cwd=small.parent)
        assert done.returncode == 0, done.stderr
        passport = json.loads((small.parent / "out" / "run.json").read_text(encoding="utf-8"))
        return str(passport["identity"])

    places = gpd.GeoSeries.from_xy([X0 + 150, X0 + 1_000], [Y0 + 210, Y0 + 1_005], crs=CRS)
    stations = {"code": ["a", "b"], "name": ["甲站", "乙站"], "beds": [10, 20]}
    gpd.GeoDataFrame(stations, geometry=places).to_file(small.parent / "stations.shp", encoding="UTF-8")
    edit(
        small,
        lambda study: study["facilities"][0].update(
            path="stations.shp", columns={"code": "facility_id"}, crs=CRS, datum=None
        ),
    )
    first = identity()
    assert identity("--lang", "en") == first
    (small.parent / "roads.gpkg").rename(small.parent / "streets.gpkg")
    edit(small, lambda study: study.update(roads={"path": "streets.gpkg"}))
    assert identity() == first
    gpd.GeoDataFrame({**stations, "beds": [10, 99]}, geometry=places).to_file(
        small.parent / "stations.shp", encoding="UTF-8"
    )
    assert identity() != first


def test_stations_and_roads_of_web_maps_give_the_figures_of_their_true_places(small: Path) -> None:
    def figures(name: str) -> pd.DataFrame:
        done = command("run", small.name, "-o", name, cwd=small.parent)
        assert done.returncode == 0, done.stderr
        return pd.read_csv(small.parent / name / "zones.csv", encoding="utf-8-sig")

    # In the middle of a block all its streets are equally near, and a nanometre decides: move them off the middle.
    streets = roads().set_geometry(roads().translate(13, 29))
    streets.to_file(small.parent / "roads.gpkg")
    true = figures("true")
    shifted = from_wgs84(facilities()[["lon", "lat"]].to_numpy(), "gcj02")
    stations(small, lon=list(shifted[:, 0]), lat=list(shifted[:, 1]))
    lines = geometries_from_wgs84(streets.to_crs(4326).geometry.to_numpy(), "bd09")
    streets.set_geometry(gpd.GeoSeries(lines, crs=4326)).to_file(small.parent / "web.gpkg")
    edit(small, lambda study: study["facilities"][0].update(datum="gcj02"))
    edit(
        small,
        lambda study: study.update(roads={"path": "web.gpkg", "datum": "bd09"}, outputs={"web_map_datum": "gcj02"}),
    )
    pd.testing.assert_frame_equal(figures("web"), true, rtol=1e-6)
    passport = json.loads((small.parent / "web" / "run.json").read_text(encoding="utf-8"))
    assert passport["web_maps"] == ["facilities.gcj02.geojson", "zones.gcj02.geojson"]
    written = gpd.read_file(small.parent / "web" / "facilities.gcj02.geojson").sort_values("facility_id")
    np.testing.assert_allclose(shapely.get_coordinates(written.geometry.to_numpy()), shifted, atol=2e-7)
    # Read as WGS 84 the stations lie elsewhere, and the figures show it.
    edit(small, lambda study: study["facilities"][0].update(datum="wgs84"))
    wrong = command("run", small.name, "-o", "wrong", cwd=small.parent)
    assert wrong.returncode == 2 or not figures("wrong").equals(true)


def test_faults_of_different_files_come_in_one_error(small: Path) -> None:
    overlapping_zones(small)
    stations(small, beds=["x", "-3", ""])
    done = command("run", small.name, cwd=small.parent)
    assert done.returncode == 2
    assert "zones.geojson" in done.stderr
    assert "row 1, column 'beds'" in done.stderr
    assert "row 2, column 'beds'" in done.stderr
    assert "3 faults" in done.stderr


GOAL = {
    "id": "beds", "name": "beds", "measure": "capacity_total", "layer": "station", "capacity": "beds",
    "nature": "binding", "target": {"year": 2025, "value": 40}, "citation": {"document": "d", "clause": "c"},
}  # fmt: skip
BIGGER = {"do": "enlarge", "layer": "station", "id": "a", "capacity": {"beds": 20}}


def test_a_goal_that_is_not_met_ends_a_pipeline(small: Path) -> None:
    state = {"id": "built", "name": "built", "changes": [BIGGER]}
    edit(small, lambda study: study.update(plan={"id": "p", "title": "p", "goals": [GOAL]}, states=[state]))
    failed = command("run", small.name, "-o", "out", "--require-met", "binding", cwd=small.parent)
    assert failed.returncode == 1, failed.stderr
    assert failed.stderr.splitlines()[-1] == "beds is not met: behind, 30 for 40"
    assert (small.parent / "out" / "verdicts.json").exists()
    met = command("run", small.name, "--state", "built", "--require-met", "all", cwd=small.parent)
    assert met.returncode == 0, met.stderr
    assert (small.parent / "maps" / "small_built" / "map.html").exists()
    unknown = command("run", small.name, "-o", "other", "--require-met", "bed", cwd=small.parent)
    assert unknown.returncode == 2
    assert "did you mean 'beds'?" in unknown.stderr
    assert not (small.parent / "other").exists()


def test_states_and_results_are_compared(small: Path) -> None:
    state = {"id": "built", "name": "built", "changes": [BIGGER]}
    edit(small, lambda study: study.update(plan={"id": "p", "title": "p", "goals": [GOAL]}, states=[state]))
    done = command("compare", small.name, f"{small.name}@built", "-o", "change", "--lang", "en", cwd=small.parent)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["beds  beds: 30 → 40 (behind → met) = facilities +10", "change/compare.csv"]
    content = json.loads((small.parent / "change" / "compare.json").read_text(encoding="utf-8"))
    assert content["order"] == ["facilities", "population", "roads", "statistics", "method"]
    for name, more in (("one", ()), ("two", ("--state", "built"))):
        assert command("run", small.name, "-o", name, *more, cwd=small.parent).returncode == 0
    folders = command("compare", "one", "two", "--lang", "en", cwd=small.parent)
    assert folders.stdout.splitlines() == ["beds  beds: 30 → 40 (behind → met)"]
    mixed = command("compare", "one", small.name, cwd=small.parent)
    assert (mixed.returncode, "is a folder, and the other is a study" in mixed.stderr) == (2, True)
    nothing = command("compare", small.name, f"{small.name}@bult", cwd=small.parent)
    assert (nothing.returncode, "did you mean 'built'?" in nothing.stderr) == (2, True)


def test_help_names_every_command(tmp_path: Path) -> None:
    done = command("--help", cwd=tmp_path)
    assert done.returncode == 0
    for name in ("run", "check", "compare", "download", "sample", "schema"):
        assert name in done.stdout
    assert shutil.which("facility-coverage", path=str(Path(sys.executable).parent))
