"""Lines become ways that meet in nodes, the same whatever the order of the file and whether kept from a run before."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facility_coverage.cache import Cache
from facility_coverage.config.study import Roads
from facility_coverage.errors import LayerError
from facility_coverage.layers import roads as roads_module
from facility_coverage.layers.roads import RoadsRead, read_roads

UTM = pyproj.CRS.from_epsg(32648)
BOUNDARY = shapely.box(500_000, 3_000_000, 501_000, 3_001_000)


def lines(path: Path, geometry: list[shapely.Geometry], **columns: object) -> Roads:
    gpd.GeoDataFrame({"highway": "path", **columns}, geometry=geometry, crs=UTM, index=range(len(geometry))).to_file(
        path
    )
    return Roads(path=path)


def read(table: Roads, **options: Any) -> RoadsRead:
    return read_roads(table, BOUNDARY, options.pop("box", BOUNDARY), crs=UTM, **options)


def line(*xy: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([(500_000 + x, 3_000_000 + y) for x, y in xy])


def test_ends_within_a_millimetre_meet_and_wider_gaps_stay_open(tmp_path: Path) -> None:
    shapes = [line((0, 0), (100, 0)), line((100.0001, 0), (200, 0)), line((200.01, 0), (300, 0))]
    table = lines(tmp_path / "r.gpkg", shapes, way_id=["1", "2", "3"])
    roads = read(table.model_copy(update={"snap_tolerance_m": 0.0})).roads
    a, b, c = (roads.node[roads.start[i] : roads.start[i + 1]] for i in range(3))
    assert a[1] == b[0]
    assert b[1] != c[0]
    assert len(set(roads.node)) == 5


def test_small_gaps_are_closed_and_reported(tmp_path: Path) -> None:
    shapes = [line((0, 0), (100, 0)), line((100.3, 0), (200, 0)), line((50, 0.4), (50, 80)), line((200.7, 0), (300, 0))]
    roads, _, report = read(lines(tmp_path / "r.gpkg", shapes, way_id=["1", "2", "3", "4"]))
    assert len(set(roads.node)) == 7
    assert report == {
        "crossings_joined": 0, "crossings_separate": 0, "ends_joined": 3, "largest_move_m": pytest.approx(0.4),
    }  # fmt: skip


CROSSING = [line((0, 0), (100, 0)), line((50, -50), (50, 50))]


def test_crossings_without_a_word_on_levels_are_a_fault(tmp_path: Path) -> None:
    plain = lines(tmp_path / "r.gpkg", [*CROSSING, line((80, -50), (80, 50))])
    with pytest.raises(LayerError) as caught:
        read(plain)
    lon, lat = pyproj.Transformer.from_crs(UTM, 4326, always_xy=True).transform(500_050, 3_000_000)
    message = str(caught.value)
    assert f"at 2 places (the first at lon {lon:.5f}, lat {lat:.5f})" in message
    assert "`crossings: joined`" in message
    assert "`crossings: separate`" in message
    assert "\n" not in message
    joined = read(plain.model_copy(update={"crossings": "joined"}))
    assert (len(set(joined.roads.node)), joined.report["crossings_joined"]) == (8, 2)
    separate = read(plain.model_copy(update={"crossings": "separate"}))
    assert (len(set(separate.roads.node)), separate.report["crossings_separate"]) == (6, 2)


@pytest.mark.parametrize("column", ["bridge", "tunnel", "layer"])
def test_a_column_of_levels_answers_for_all_lines(tmp_path: Path, column: str) -> None:
    levels = ["1", None] if column == "layer" else ["yes", None]
    read_apart = read(lines(tmp_path / "r.gpkg", CROSSING, **{column: levels}))
    assert read_apart.report["crossings_separate"] == 1
    read_joined = read(lines(tmp_path / "s.gpkg", CROSSING, **{column: [None, "0"]}))
    assert read_joined.report["crossings_joined"] == 1
    renamed = lines(tmp_path / "t.gpkg", CROSSING, niveau=levels).model_copy(update={"columns": {"niveau": column}})
    assert read(renamed).report["crossings_separate"] == 1


def test_motorways_alone_raise_no_question(tmp_path: Path) -> None:
    crossing = read(lines(tmp_path / "r.gpkg", CROSSING, highway=["motorway", "path"]))
    assert crossing.report["crossings_separate"] == 1


def test_several_lines_in_one_row_and_ways_kept_whole(tmp_path: Path) -> None:
    far = line((5000, 0), (6000, 0))
    crossing = line((900, 500), (1500, 500), (4000, 500))
    both = shapely.MultiLineString([line((0, 0), (10, 0)), line((20, 0), (30, 0))])
    table = lines(tmp_path / "r.gpkg", [far, crossing, both], bridge=[None, "yes", None])
    roads, ways_read, _ = read(table)
    assert ways_read == 3
    assert sorted(roads.tags["way_id"]) == ["2", "3", "3"]
    assert roads.tags.set_index("way_id").loc["2", "bridge"] == "yes"
    assert set(roads.tags["bridge"]) == {"yes", None}
    assert len(roads.xy) == 7
    assert roads.xy[:, 0].max() == 504_000
    np.testing.assert_array_equal(np.unique(roads.node), np.arange(7))


def test_a_road_that_crosses_without_a_vertex_inside_meets(tmp_path: Path) -> None:
    roads = read(lines(tmp_path / "r.gpkg", [line((-50, 500), (2000, 500))])).roads
    assert len(roads.tags) == 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), data=st.data())
def test_the_order_of_the_lines_changes_nothing(tmp_path: Path, seed: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    vertices = rng.uniform(0, 300, (12, 3, 2)).round(rng.integers(0, 6))  # coarse ones overlap and share vertices
    shapes = [line(*map(tuple, each)) for each in vertices]
    ids = [f"w{i}" for i in range(12)]
    order = data.draw(st.permutations(range(12)))
    results = []
    for name, rows in (("a", list(range(12))), ("b", order)):
        frame = gpd.GeoDataFrame({"highway": "path", "layer": [None] * 12, "way_id": [ids[i] for i in rows]},
                                 geometry=[shapes[i] for i in rows], crs=UTM)  # fmt: skip
        frame.to_parquet(tmp_path / f"{name}.parquet")
        results.append(read(Roads(path=tmp_path / f"{name}.parquet", snap_tolerance_m=5.0)))
    assert_same(*results)


def assert_same(one: RoadsRead, other: RoadsRead) -> None:
    for name in ("xy", "node", "start"):
        left, right = getattr(one.roads, name), getattr(other.roads, name)
        assert left.dtype == right.dtype
        assert left.tobytes() == right.tobytes()
    assert one.roads.tags.equals(other.roads.tags)
    assert (one.roads.tags.dtypes == other.roads.tags.dtypes).all()
    assert one[1:] == other[1:]


def test_roads_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(
        LayerError, match=r"the roads \(505,000…506,000 E.*do not meet the boundary \(500,000…501,000 E"
    ):
        read(lines(tmp_path / "r.gpkg", [line((5000, 0), (6000, 0))]))


def test_points_are_no_roads(tmp_path: Path) -> None:
    with pytest.raises(LayerError, match="row 1: geometry is Point; a road must be LineString"):
        read(lines(tmp_path / "r.gpkg", [shapely.Point(1, 1)]))


def test_graph_of_osmnx(tmp_path: Path) -> None:
    nx = pytest.importorskip("networkx")
    import osmnx  # noqa: PLC0415 - slow to import

    graph = nx.MultiDiGraph(crs="EPSG:32648")
    for node, x in ((1, 500_000.0), (2, 500_100.0), (3, 500_200.0)):
        graph.add_node(node, x=x, y=3_000_000.0)
    for u, v in ((1, 2), (2, 1), (2, 3)):
        graph.add_edge(u, v, osmid=7, highway="residential", length=100.0)
    osmnx.save_graphml(graph, tmp_path / "g.graphml")
    roads, ways_read, report = read(Roads(path=tmp_path / "g.graphml"))
    assert (ways_read, len(roads.tags), len(set(roads.node)), report) == (2, 2, 3, {})
    with pytest.raises(LayerError, match=r"roads\.crossings: is for layers of lines; remove it"):
        read(Roads(path=tmp_path / "g.graphml", crossings="joined"))


@pytest.fixture
def table(tmp_path: Path) -> Roads:
    shapes = [*CROSSING, line((100.2, 0), (300, 0)), line((5000, 0), (6000, 0))]
    return lines(tmp_path / "roads.shp", shapes, bridge=[None, None, "no", "yes"])


def test_kept_roads_are_the_same_as_roads_read(table: Roads, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    off, cold, warm = (read(table, cache=each) for each in (Cache(None), cache, cache))
    assert_same(off, cold)
    assert_same(cold, warm)
    assert off.roads.digest == cold.roads.digest == warm.roads.digest
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_studies_on_one_file_share_its_roads(table: Roads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(tmp_path / "cache")
    near = read(table, cache=cache)
    monkeypatch.setattr(roads_module, "read_table", lambda *_, **__: pytest.fail("the file was read again"))
    wide = read(table, cache=cache, box=shapely.box(500_000, 2_999_000, 507_000, 3_001_000))
    assert (len(near.roads.tags), len(wide.roads.tags)) == (3, 4)
    assert near.roads.digest != wide.roads.digest


@pytest.mark.parametrize(
    "changed",
    [
        {"where": {"bridge": "no"}},
        {"columns": {"bridge": "tunnel"}},
        {"constants": {"access": "yes"}},
        {"crossings": "separate"},
        {"snap_tolerance_m": 0.1},
    ],
)
def test_another_parameter_is_another_entry(table: Roads, tmp_path: Path, changed: dict[str, Any]) -> None:
    cache = Cache(tmp_path / "cache")
    other = table.model_copy(update=changed)
    first = read(table, cache=cache)
    second = read(other, cache=cache)
    assert first.roads.digest != second.roads.digest
    assert_same(second, read(other, cache=Cache(None)))


def test_another_reference_system_is_another_entry(table: Roads, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    read(table, cache=cache)
    other = pyproj.CRS.from_epsg(4544)
    area = shapely.box(*gpd.read_file(table.path).to_crs(other).total_bounds)
    roads = read_roads(table, area, area, crs=other, cache=cache).roads
    assert_same_place = read_roads(table, area, area, crs=other, cache=Cache(None)).roads
    np.testing.assert_array_equal(roads.xy, assert_same_place.xy)


@pytest.mark.parametrize("suffix", [".shp", ".dbf", ".prj"])
def test_a_changed_byte_in_any_part_is_read_again(table: Roads, tmp_path: Path, suffix: str) -> None:
    cache = Cache(tmp_path / "cache")
    before = read(table, cache=cache).roads.digest
    part = table.path.with_suffix(suffix)
    with part.open("ab") as stream:
        stream.write(b" ")
    os.utime(part, (0, 0))  # by content, not by time
    assert read(table, cache=cache).roads.digest != before


def test_a_copy_elsewhere_is_the_same_file(table: Roads, tmp_path: Path) -> None:
    for part in tmp_path.glob("roads.*"):
        (tmp_path / "copy").mkdir(exist_ok=True)
        shutil.copy(part, tmp_path / "copy" / part.name)
    assert read(Roads(path=tmp_path / "copy" / "roads.shp")).roads.digest == read(table).roads.digest


def test_faults_are_not_kept(tmp_path: Path) -> None:
    plain = lines(tmp_path / "r.gpkg", CROSSING)
    for _ in range(2):
        with pytest.raises(LayerError, match="cross without a shared vertex"):
            read(plain, cache=Cache(tmp_path / "cache"))
    assert not list(tmp_path.glob("cache/*"))
