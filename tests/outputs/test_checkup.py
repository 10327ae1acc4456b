"""The check's page in a real browser, its JSON, and its lines."""

import datetime as dt
import json
from pathlib import Path

import pytest

import pages
from facility_coverage.analysis.findings import finding, of_fault, ranked
from facility_coverage.analysis.inventory import LayerFacts
from facility_coverage.errors import Fault
from facility_coverage.outputs.checkup import Checkup, lines, write_checkup

EVIL = "<img src=x onerror=alert(1)>${alert(2)}{{7*7}}\x1b[31m"
DAY = dt.date(2026, 11, 25)


def checkup(evil: str = "") -> Checkup:
    layers = (
        LayerFacts(
            "zones", f"zones{evil}.gpkg", "table", rows_read=28, rows_kept=23, crs="CGCS2000", datum="cgcs2000",
            extent=(105.6, 29.0, 106.1, 29.5), columns={"name": 0, "beds": 1200}, found={"encoding": "gb18030"},
        ),
        LayerFacts("roads", "roads.osm.pbf", "roads", crs="WGS 84"),
        LayerFacts("clinics", "clinics.xlsx", "table"),
    )  # fmt: skip
    found = [
        finding("note", "beyond_zones", "clinics", "clinics.xlsx", where=[f"c{i}{evil}" for i in range(12)], count=12),
        finding("warning", "zone_without_people", "zones", "zones.gpkg", where=[f"城南{evil}"], count=1),
        of_fault(Fault("clinics.xlsx", f"'约二十{evil}' is not a number", row=7, column="beds"), layer="clinics"),
    ]
    return Checkup("small", f"小样{evil}", f"small{evil}.yaml", layers, tuple(ranked(found)))


def test_lines_for_a_terminal() -> None:
    assert list(lines(checkup(), lang="en")) == [
        "zones:  zones.gpkg  28 → 23  CGCS2000 · cgcs2000  encoding gb18030",
        "roads:  roads.osm.pbf  WGS 84",
        "clinics: clinics.xlsx: could not be read",
        "",
        "error: clinics: clinics.xlsx: '约二十' is not a number",
        "    row 7, beds",
        "    → correct it: a run stops here",
        "warning: zones: zones.gpkg: 1 zones have no people",
        "    城南",
        "    → see whether the population and the zones belong together",
        "note: clinics: clinics.xlsx: 12 facilities lie beyond the zones and serve its people all the same",
        "    c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 …",
        "    → set facilities_from: own_zones_only if only the study's own facilities should count",
        "1 errors, 1 warnings, 1 notes",
    ]
    assert list(lines(checkup(), lang="zh"))[-1] == "1 错误, 1 警告, 1 提示"


def test_no_line_steers_the_terminal() -> None:
    assert "\x1b" not in "".join(lines(checkup(EVIL), lang="zh"))


def test_json_holds_every_figure(tmp_path: Path) -> None:
    write_checkup(checkup(), tmp_path, lang="zh", on=DAY)
    content = json.loads((tmp_path / "check.json").read_text(encoding="utf-8"))
    assert content["counts"] == {"error": 1, "warning": 1, "note": 1}
    assert [found["code"] for found in content["findings"]] == ["fault", "zone_without_people", "beyond_zones"]
    assert content["findings"][1]["message"] == {"zh": "1 个镇街没有人口", "en": "1 zones have no people"}
    assert content["layers"][0]["columns"] == {"name": 0, "beds": 1200}
    assert content["layers"][2]["rows_read"] is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["check.html", "check.json"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_opens_without_a_network_and_hostile_text_stays_text(lang, browser, tmp_path: Path) -> None:
    write_checkup(checkup(EVIL), tmp_path, lang=lang, on=DAY)
    driver = browser(1100, 1400)
    driver.get((tmp_path / "check.html").as_uri())
    assert driver.get_log("browser") == []
    assert pages.requests(driver) == [(tmp_path / "check.html").as_uri()]
    assert driver.execute_script("return document.querySelectorAll('img, script').length") == 0
    text = driver.execute_script("return document.body.innerText")
    assert "<img src=x onerror=alert(1)>${alert(2)}{{7*7}}" in text
    assert "1,200" in text
    ranks = driver.execute_script("return [...document.querySelectorAll('li')].map(li => li.className)")
    assert ranks == ["error", "warning", "note"]


def test_the_page_fits_a_telephone(browser, tmp_path: Path) -> None:
    write_checkup(checkup(), tmp_path, lang="zh", on=DAY)
    driver = browser(390, 800)
    driver.get((tmp_path / "check.html").as_uri())
    assert driver.execute_script("return document.documentElement.scrollWidth") <= 390
