"""Styles in coverage.gpkg: what QGIS finds there, by SQLite, by an XML parser, and by QGIS itself where it is."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest

from facility_coverage.analysis.verdicts import PlaceVerdict, Status, Verdict
from facility_coverage.outputs import palette, qgis, tables
from facility_coverage.outputs.goal_columns import goal_columns, with_goals
from facility_coverage.outputs.scenes import MapContent
from facility_coverage.outputs.themes import Theme, themes

Make = Callable[..., MapContent]
COLUMNS = [
    "id", "f_table_catalog", "f_table_schema", "f_table_name", "f_geometry_column", "styleName", "styleQML",
    "styleSLD", "useAsDefault", "description", "owner", "ui", "update_time",
]  # fmt: skip
EVIL = "\"'<>&]]>\u202e\x01\n=1"
QGIS_PYTHON = "/usr/bin/python3"
QGIS_ENVIRONMENT = {"QT_QPA_PLATFORM": "offscreen", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


def write(content: MapContent, path: Path, *, lang: Any = "zh") -> Path:
    config, layers, coverage = content.config, content.layers, content.coverage
    single = gpd.GeoDataFrame(
        {"layer": ["elder_care"], "facility_id": ["a"], "cutoff_min": [15.0]},
        geometry=content.service_areas.geometry.iloc[:1].to_numpy(),
        crs=layers.crs,
    )
    wanted = config.outputs.model_copy(update={"geopackage": [*config.outputs.geopackage, "facility_service_areas"]})
    config = config.model_copy(update={"outputs": wanted})
    areas = {"service_areas": content.service_areas, "facility_service_areas": single}
    tables.write_geopackage(config, layers, coverage, content.verdicts, path, areas=areas)
    middle = layers.zones.geometry.iloc[[0, 6]].centroid
    tables.write_layer(gpd.GeoDataFrame({"order": [1, 2]}, geometry=middle.to_numpy(), crs=layers.crs), path, "sites")
    zones = tables.zone_table(config, layers, coverage)
    qgis.write_styles(config, zones, content.verdicts, path, lang=lang)
    return path


def judged(goal_id: str, *figures: tuple[float | None, Status | None], like: Verdict, **changes: Any) -> Verdict:
    zones = tuple(
        PlaceVerdict(zone.id, "", value, value, 1.0, status, None, None, None, 0, "")
        for zone, (value, status) in zip(like.zones, figures, strict=False)
    )
    return replace(like, goal_id=goal_id, zones=zones, **changes)


@pytest.fixture(scope="module")
def package(make_content: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    content = make_content()
    (first, *_) = content.verdicts
    # 0.6 less the noise of sums, and just less than that.
    shares: list[tuple[float | None, Status | None]] = [
        (0.6 - 1e-12, "met"), (0.6 - 1e-8, "behind"), (0.3, "behind"), (0.72, "met"), (None, "no_data"),
        (0.0, "behind"),
    ]  # fmt: skip
    most: list[tuple[float | None, Status | None]] = [(5.0, "met"), (5.001, "behind"), (4.0, "met"), (10.0, "behind")]
    goals = (
        judged("share", *shares, like=first, scale="share", target=0.6),
        judged("most", *most, like=first, scale="%", target=5.0, bound="at_most"),
        *content.verdicts,
    )
    return write(replace(content, verdicts=goals), tmp_path_factory.mktemp("gpkg") / "coverage.gpkg")


@pytest.fixture
def database(package: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{package}?mode=ro", uri=True)) as connection:
        yield connection


def styles_of(database: sqlite3.Connection) -> list[dict[str, Any]]:
    rows = database.execute("SELECT * FROM layer_styles ORDER BY id")
    return [dict(zip([column[0] for column in rows.description], row, strict=True)) for row in rows]


def parsed(qml: str) -> ElementTree.Element:
    return ElementTree.fromstring(qml)  # noqa: S314 - written by this test


def rules_of(qml: str) -> list[tuple[str, str, str | None]]:
    """Label, filter and colour of each rule that draws."""
    root = parsed(qml)
    symbols = {symbol.get("name"): symbol for symbol in root.findall("renderer-v2/symbols/symbol")}
    found = []
    for rule in root.iter("rule"):
        if rule.get("symbol") is not None:
            colour = symbols[rule.get("symbol")].find("layer/Option/Option[@name='color']").get("value")  # type: ignore[union-attr]
            found.append((rule.get("label", ""), rule.get("filter", ""), colour))
    return found


def rgba(colour: str, alpha: int = 255) -> str:
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5)) + f",{alpha}"


def test_the_table_is_as_qgis_looks_for_it(package: Path, database: sqlite3.Connection) -> None:
    rows = styles_of(database)
    assert list(rows[0]) == COLUMNS
    layers = {name for name, _ in pyogrio.list_layers(package)}
    drawn = {"zones", "demand", "facilities", "sites", "service_areas", "facility_service_areas"}
    assert layers == {*drawn, "layer_styles"}
    defaults = [row["f_table_name"] for row in rows if row["useAsDefault"]]
    assert sorted(defaults) == sorted(drawn)
    geometry = dict(database.execute("SELECT table_name, column_name FROM gpkg_geometry_columns"))
    assert all(geometry[row["f_table_name"]] == row["f_geometry_column"] for row in rows)
    assert {(row["f_table_catalog"], row["f_table_schema"], row["update_time"]) for row in rows} == {
        ("", "", "2000-01-01T00:00:00.000Z")
    }
    names = [(row["f_table_name"], row["styleName"]) for row in rows]
    assert len(names) == len(set(names))
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_gdal_reads_every_layer_without_a_warning(package: Path) -> None:
    for name, _ in pyogrio.list_layers(package):
        assert len(pyogrio.read_dataframe(package, layer=name)), name
    assert pyogrio.read_dataframe(package, layer="layer_styles")["useAsDefault"].dtype == bool


def test_every_zone_gets_the_colour_that_it_has_on_the_map(database: sqlite3.Connection, make_content: Make) -> None:
    content = make_content()
    zones = tables.zone_table(content.config, content.layers, content.coverage)
    own = {layer.id: layer.group for layer in content.config.facilities}
    by_name: dict[str, Theme] = {}
    for theme in themes(content.config, zones, content.verdicts, lang="zh"):
        if theme.kind == "goal" or (theme.kind == "coverage" and own[theme.layer] == theme.group):
            by_name.setdefault(f"{theme.name} ({theme.target_text or theme.unit})", theme)
    styles = {row["styleName"]: row for row in styles_of(database) if row["f_table_name"] == "zones"}
    assert set(by_name) <= set(styles)
    assert len(styles) == 3 + 2 + 4
    for name, theme in by_name.items():
        assert coloured(database, styles[name]["styleQML"]) == {
            value.zone_id: rgba(palette.NO_DATA if value.number is None else theme.colours[value.number])
            for value in theme.zones
        }


def coloured(database: sqlite3.Connection, qml: str) -> dict[str, str | None]:
    """Colour of each zone: SQLite understands the filters too. No zone may be let through twice."""
    found: dict[str, str | None] = {}
    for _, condition, colour in rules_of(qml):
        for (zone,) in database.execute(f"SELECT zone_id FROM zones WHERE {condition}"):  # noqa: S608 - our own filter
            assert zone not in found
            found[zone] = colour
    return found


def test_a_figure_is_on_the_side_of_the_target_that_the_verdict_says(database: sqlite3.Connection) -> None:
    styles = {row["styleName"]: row["styleQML"] for row in styles_of(database)}
    (share,) = [qml for name, qml in styles.items() if name.endswith("(≥ 60.0%)")]
    far, half, near = (rgba(colour) for colour in palette.MISSED)
    met, above = (rgba(colour) for colour in palette.MET)
    none = rgba(palette.NO_DATA)
    zones = [zone for (zone,) in database.execute("SELECT zone_id FROM zones ORDER BY fid")]
    by_zone = coloured(database, share)
    assert [by_zone[zone] for zone in zones[:7]] == [met, near, half, above, none, far, none]
    (most,) = [qml for name, qml in styles.items() if name.endswith("(≤ 5%)")]
    by_zone = coloured(database, most)
    # From a limit on, the farther above it, the warmer.
    assert [by_zone[zone] for zone in zones[:5]] == [met, near, above, half, none]
    labels = [label for label, _, _ in rules_of(share)]
    assert labels == ["≥ 72", "60–72", "48–60", "30–48", "< 30", "无数据"]


def test_zones_have_figure_and_verdict_of_each_goal(package: Path) -> None:
    frame = pyogrio.read_dataframe(package, layer="zones", read_geometry=False)
    assert frame["goal_share"].tolist()[:4] == [0.6 - 1e-12, 0.6 - 1e-8, 0.3, 0.72]
    assert frame["goal_share"].isna().tolist() == [False] * 4 + [True, False] + [True] * 14
    assert frame["goal_share_status"].tolist()[:5] == ["met", "behind", "behind", "met", "no_data"]
    assert frame["goal_g0"].tolist() == [12.0] * 20
    assert "goal_g3" in frame.columns


def test_goals_with_one_name_have_columns_of_their_own(make_content: Make) -> None:
    (first, *_) = make_content().verdicts
    goals = [
        replace(first, goal_id=goal, plan_id=plan)
        for goal, plan in (("a", "p"), ("A", "q"), ("a", "r"), ("a", "p"), ("a_status", "p"), ("x", "p"))
    ]
    zones = pd.DataFrame({"zone_id": [zone.id for zone in first.zones], "goal_x": 1.0})
    # The fourth is the first goal again; `goal_a_status` is the verdict on `goal_a`.
    assert list(goal_columns(zones, goals)) == ["goal_a", "goal_q_A", "goal_r_a", "goal_p_a", "goal_p_x"]
    assert {name.lower() for name in with_goals(zones, goals).columns} >= {"goal_q_a", "goal_q_a_status"}


def test_facilities_have_the_shapes_of_the_map_and_sizes_of_their_tiers(database: sqlite3.Connection) -> None:
    (row,) = [row for row in styles_of(database) if row["f_table_name"] == "facilities"]
    assert [(name, condition, colour) for name, condition, colour in rules_of(row["styleQML"])] == [
        ("养老服务设施", "\"layer\" = 'elder_care'", rgba(palette.FACILITIES[0])),
        ("托育机构", "\"layer\" = 'childcare'", rgba(palette.FACILITIES[1])),
        ("医疗机构", "\"layer\" = 'medical'", rgba(palette.FACILITIES[2])),
    ]
    root = parsed(row["styleQML"])
    shapes = [one.get("value") for one in root.findall(".//symbol/layer/Option/Option[@name='name']")]
    assert shapes == ["circle", "triangle", "cross_fill"]
    sizes = [one.get("value", "") for one in root.findall(".//Option[@name='expression']")]
    assert sizes[0].startswith("CASE WHEN \"tier\" = 'centre' THEN 4.2 WHEN \"tier\" = 'station' THEN 3.1")
    for name, expression in zip(("elder_care", "medical"), sizes, strict=True):
        query = f"SELECT DISTINCT tier, {expression} FROM facilities WHERE layer = '{name}'"  # noqa: S608 - our own
        by_tier = dict(database.execute(query))
        ordered = [by_tier[tier] for tier in ("centre", "station", "point", "hospital", "clinic") if tier in by_tier]
        assert ordered == sorted(set(ordered), reverse=True)


def test_people_are_covered_left_out_or_beyond(database: sqlite3.Connection) -> None:
    rows = [row for row in styles_of(database) if row["f_table_name"] == "demand"]
    assert len(rows) == 3
    total = database.execute("SELECT count(*) FROM demand").fetchone()[0]
    for row, layer in zip(rows, ("elder_care", "childcare", "medical"), strict=True):
        counts = {
            label: database.execute(f"SELECT count(*) FROM demand WHERE {condition}").fetchone()[0]  # noqa: S608
            for label, condition, _ in rules_of(row["styleQML"])
        }
        (covered,) = database.execute(f"SELECT sum({layer}_covered) FROM demand").fetchone()  # noqa: S608
        assert counts == {"未可达": total - covered, "可达": covered, "研究范围以外": 0}


def test_names_of_users_do_not_break_a_style(make_content: Make, tmp_path: Path) -> None:
    path = write(make_content(evil=EVIL), tmp_path / "evil.gpkg")
    with closing(sqlite3.connect(path)) as database:
        rows = styles_of(database)
        for row in rows:
            root = parsed(row["styleQML"])
            assert root.tag == "qgis"
            for text in (row["styleName"], *(rule.get("label", "") for rule in root.iter("rule"))):
                assert not {"\u202e", "\x01", "\n"} & set(text)
        labels = {label for row in rows for label, _, _ in rules_of(row["styleQML"])}
        assert "养老服务设施\"'<>&]]>[U+202E][U+0001] =1" in labels
        assert database.execute("SELECT count(*) FROM zones").fetchone() == (20,)


def test_only_layers_that_are_there_have_styles(make_content: Make, tmp_path: Path) -> None:
    content = make_content()
    outputs = content.config.outputs.model_copy(update={"geopackage": ["facilities"]})
    config = content.config.model_copy(update={"outputs": outputs})
    zones = tables.zone_table(config, content.layers, content.coverage)
    tables.write_geopackage(config, content.layers, content.coverage, (), tmp_path / "f.gpkg", areas={})
    qgis.write_styles(config, zones, (), tmp_path / "f.gpkg", lang="en")
    frame = pyogrio.read_dataframe(tmp_path / "f.gpkg", layer="layer_styles")
    assert frame["f_table_name"].tolist() == ["facilities"]
    assert frame["styleName"].tolist() == ["Facilities"]


def test_the_same_result_is_the_same_bytes(make_content: Make, tmp_path: Path) -> None:
    first, second = (write(make_content(), tmp_path / f"{name}.gpkg").read_bytes() for name in "ab")
    assert first == second


#: Loads every layer as QGIS does, with its default style, draws it, and tries every other style of the zones.
_IN_QGIS = """
import json, sys
from qgis.core import QgsApplication, QgsMapRendererSequentialJob, QgsMapSettings, QgsVectorLayer
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtXml import QDomDocument

QgsApplication.setPrefixPath("/usr", True)
application = QgsApplication([], False)
application.initQgis()
path, names = sys.argv[1], sys.argv[2].split(",")


def colours(layer):
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    settings.setExtent(layer.extent())
    settings.setOutputSize(QSize(400, 400))
    settings.setBackgroundColor(QColor("white"))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    return sorted({image.pixelColor(x, y).name() for x in range(0, 400, 2) for y in range(0, 400, 2)})


found = {}
for name in names:
    layer = QgsVectorLayer(path + "|layername=" + name, name, "ogr")
    _, loaded = layer.loadDefaultStyle()
    renderer = layer.renderer()
    found[name] = {
        "loaded": loaded,
        "type": renderer.type(),
        "legend": [item.label() for item in renderer.legendSymbolItems()],
        "invalid": [rule.filterExpression() for rule in renderer.rootRule().descendants()
                    if rule.filter() is not None and rule.filter().hasParserError()],
        "labels": layer.labelsEnabled(),
        "colours": colours(layer),
        "styles": {},
    }
    # Those of the layer itself come first.
    own, ids, titles, _, _ = layer.listStylesInDatabase()
    for one, title in zip(ids[:own], titles):
        document = QDomDocument()
        document.setContent(layer.getStyleFromDatabase(one)[0])
        found[name]["styles"][title] = layer.importNamedStyle(document)[0]
print(json.dumps(found), flush=True)
"""


def test_qgis_dresses_each_layer(package: Path, database: sqlite3.Connection, tmp_path: Path) -> None:
    try:
        subprocess.run([QGIS_PYTHON, "-c", "import qgis.core"], check=True, capture_output=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no QGIS here; apt-get install python3-qgis")
    rows = styles_of(database)
    names = list(dict.fromkeys(row["f_table_name"] for row in rows))
    command = [QGIS_PYTHON, "-c", _IN_QGIS, str(package), ",".join(names)]
    home = {**QGIS_ENVIRONMENT, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=home)  # noqa: S603 - Debian's Python
    # QGIS may end badly after its work is done; what it said counts.
    assert done.stdout, done.stderr
    found = json.loads(done.stdout.splitlines()[0])
    for name in names:
        layer = found[name]
        assert (layer["loaded"], layer["type"], layer["invalid"]) == (True, "RuleRenderer", []), name
        assert layer["labels"] == (name in ("zones", "facilities", "sites"))
        assert set(layer["styles"]) == {row["styleName"] for row in rows if row["f_table_name"] == name}
        assert all(layer["styles"].values())
    assert found["zones"]["legend"][1:] == ["≥ 95", "80–95", "60–80", "40–60", "< 40", "无数据"]
    (default,) = [row["styleQML"] for row in rows if row["f_table_name"] == "zones" and row["useAsDefault"]]
    expected = {"#" + "".join(f"{int(part):02x}" for part in str(colour).split(",")[:3])
                for colour in coloured(database, default).values()}  # fmt: skip
    assert expected <= set(found["zones"]["colours"])
    assert set(palette.FACILITIES[:3]) <= set(found["facilities"]["colours"])
    assert palette.GAP in found["demand"]["colours"]
    assert palette.SITE in found["sites"]["colours"]
