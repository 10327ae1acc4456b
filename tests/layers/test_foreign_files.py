"""Files made to harm: archives that unpack without end, entities, and layers that name other files and servers."""

from __future__ import annotations

import bz2
import gzip
import http.server
import os
import struct
import threading
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import geopandas as gpd
import numpy as np
import openpyxl
import osmium
import pandas as pd
import pyogrio
import pytest
import rasterio
import shapely
from hypothesis import given
from hypothesis import strategies as st

from facility_coverage.config.study import Table
from facility_coverage.errors import ConfigError, LayerError
from facility_coverage.layers import unpacking
from facility_coverage.layers.files import read_file
from facility_coverage.layers.gdal import OFFLINE, offline, open_raster
from facility_coverage.layers.openstreetmap import read_ways
from facility_coverage.layers.roads import _read_graph
from facility_coverage.layers.unpacking import archive_faults, extract_faults, inflated, leads_out, stream_faults
from facility_coverage.layers.vetting import vector_faults
from facility_coverage.outputs.payload import read_payload


def told(path: Path) -> str:
    with pytest.raises(LayerError) as caught:
        read_file(Table(path=path), file=path.name, known=["name"])
    (fault,) = caught.value.faults
    return str(fault)


def laughs(root: str, inside: str) -> str:
    """Return a document of some hundred bytes whose text would be 3 · 10⁹ letters."""
    entities = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
    end = root.split(maxsplit=1)[0]
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "lol">{entities}]><{root}>{inside}</{end}>'


BOMBS = {
    "b.kml": laughs(
        'kml xmlns="http://www.opengis.net/kml/2.2"',
        "<Placemark><name>&a9;</name><Point><coordinates>1,2</coordinates></Point></Placemark>",
    ),
    "b.gml": laughs(
        'gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml"',
        "<gml:featureMember><a><name>&a9;</name></a></gml:featureMember>",
    ),
    "b.gpx": laughs('gpx xmlns="http://www.topografix.com/GPX/1/1"', '<wpt lat="1" lon="1"><name>&a9;</name></wpt>'),
}


# --- entities ---


@pytest.mark.parametrize("name", list(BOMBS))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_layer_that_declares_entities_is_refused(tmp_path: Path, name: str, encoding: str) -> None:
    (tmp_path / name).write_text(BOMBS[name], encoding=encoding)
    assert told(tmp_path / name) == (
        f"{name}: declares a document type, which is not read; remove <!DOCTYPE …>, and write what its entities stand "
        "for"
    )


@pytest.mark.parametrize("before", ["<!-- " + "<kml> " * 20_000 + "-->", " " * 200_000])
def test_a_document_type_is_found_behind_comments(tmp_path: Path, before: str) -> None:
    text = BOMBS["b.kml"].replace("<!DOCTYPE", before + "<!DOCTYPE")
    (tmp_path / "b.kml").write_text(text)
    assert "declares a document type" in told(tmp_path / "b.kml")


@pytest.mark.parametrize("encoding", ["GBK", "nonsense"])
def test_a_document_type_is_found_in_an_encoding_that_expat_does_not_know(tmp_path: Path, encoding: str) -> None:
    text = BOMBS["b.kml"].replace('"1.0"', f'"1.0" encoding="{encoding}"').replace("<!DOCTYPE", "<!-- <a> --><!DOCTYPE")
    (tmp_path / "b.kml").write_bytes(text.encode("gbk"))
    assert "declares a document type" in told(tmp_path / "b.kml")


def test_an_extract_with_entities_is_refused_packed_or_not(tmp_path: Path) -> None:
    text = laughs('osm version="0.6"', '<way id="1"><nd ref="1"/><tag k="highway" v="&a9;"/></way>')
    (tmp_path / "b.osm").write_text(text)
    with pytest.raises(LayerError, match="declares a document type, which is not read"):
        read_ways(tmp_path / "b.osm", file="b.osm")
    with gzip.open(tmp_path / "b.osm.gz", "wt") as stream:
        stream.write(text)
    with pytest.raises(LayerError, match="XML entities are not supported"):
        read_ways(tmp_path / "b.osm.gz", file="b.osm.gz")


def test_a_graph_with_entities_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.graphml").write_text(laughs('graphml xmlns="http://graphml.graphdrawing.org/xmlns"', "&a9;"))
    with pytest.raises(LayerError, match="declares a document type, which is not read"):
        _read_graph(tmp_path / "b.graphml", "b.graphml")


def test_a_workbook_with_entities_is_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["name"])
    book.active.append(["STANDS-FOR"])
    book.save(tmp_path / "plain.xlsx")
    path = tmp_path / "a.xlsx"
    entities = (
        laughs("x", "")
        .split("<x>", maxsplit=1)[0]
        .removeprefix('<?xml version="1.0"?>')
        .replace("DOCTYPE x", "DOCTYPE worksheet")
    )
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as plain, zipfile.ZipFile(path, "w") as bomb:
        for name in plain.namelist():
            text = plain.read(name).decode()
            bomb.writestr(name, entities + text.replace("STANDS-FOR", "&a9;") if "sheet1" in name else text)
    assert "a.xlsx: declares a document type, which is not read" in told(path)


def test_a_document_type_within_a_text_is_a_text(tmp_path: Path) -> None:
    inside = "<description><![CDATA[<!DOCTYPE html><html>名</html>]]></description>"
    text = (
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>甲</name>'
        f"{inside}<Point><coordinates>1,2</coordinates></Point></Placemark></Document></kml>"
    )
    (tmp_path / "b.kml").write_text(text, encoding="utf-8")
    frame = read_file(Table(path=tmp_path / "b.kml"), file="b.kml", known=["name"]).frame
    assert list(frame["Name"]) == ["甲"]


# --- layers that name other files and servers ---


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """Yield the address of a server on this machine, and what it was asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET  # noqa: N815 - its name

        def log_message(self, *_: object) -> None:
            pass

    running = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}", asked
    running.shutdown()
    running.server_close()
    thread.join()


VIRTUAL = '<OGRVRTDataSource><OGRVRTLayer name="l"><SrcDataSource>{to}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
NAMING = {
    "layer.vrt": VIRTUAL,
    "layer.geojson": VIRTUAL,  # GDAL goes by the content
    "layer.gpkg": VIRTUAL,
    "layer.kml": "<kml><!-- <OGRVRTDataSource> --></kml>" + VIRTUAL,
    "layer.json": '{{"type":"gdal_streamed_alg","command_line":"gdal vector pipeline ! read {to} ! write --of stream '
    'streamed_dataset"}}',
    "layer.xml": "<OGRWFSDataSource><URL>{to}</URL></OGRWFSDataSource>",
}


@pytest.mark.parametrize("name", list(NAMING))
def test_a_layer_that_names_a_server_is_not_followed(tmp_path: Path, server: tuple[str, list[str]], name: str) -> None:
    address, asked = server
    to = address if name == "layer.xml" else f"/vsicurl/{address}/x.geojson"
    (tmp_path / name).write_text(NAMING[name].format(to=to))
    with pytest.raises(Exception, match=r"."):  # the file does what it is said to do: GDAL alone asks the server
        pyogrio.read_dataframe(tmp_path / name)
    assert asked
    asked.clear()
    assert told(tmp_path / name) == (
        f"{name}: names other files or servers, which are not followed; save it as GeoPackage, GeoJSON or shapefile"
    )
    with offline(), pytest.raises(Exception, match=r"."):  # the second wall
        pyogrio.read_dataframe(tmp_path / name)
    assert asked == []


def test_a_layer_that_names_another_file_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.geojson"
    gpd.GeoDataFrame({"name": ["secret"]}, geometry=[shapely.Point(1, 2)], crs="EPSG:4326").to_file(secret)
    (tmp_path / "layer.geojson").write_text(VIRTUAL.format(to=secret).replace('name="l"', 'name="secret"'))
    assert list(pyogrio.read_dataframe(tmp_path / "layer.geojson")["name"]) == ["secret"]
    assert "names other files or servers" in told(tmp_path / "layer.geojson")


def test_gdal_is_as_before_once_a_layer_is_read(tmp_path: Path) -> None:
    before = {name: pyogrio.get_gdal_config_option(name) for name in OFFLINE}
    path = tmp_path / "a.geojson"
    gpd.GeoDataFrame({"name": ["a"]}, geometry=[shapely.Point(1, 2)], crs="EPSG:4326").to_file(path)
    assert list(read_file(Table(path=path), file="a", known=[]).frame["name"]) == ["a"]
    assert {name: pyogrio.get_gdal_config_option(name) for name in OFFLINE} == before


def raster(path: Path, **tags: str) -> Path:
    size = {"width": 512, "height": 512, "count": 1, "dtype": "uint8"}
    place = {"crs": "EPSG:4326", "transform": rasterio.Affine(0.1, 0, 0, 0, -0.1, 0)}
    with rasterio.open(path, "w", driver="GTiff", **size, **place) as made:
        made.write(np.full((1, 512, 512), 7, dtype="uint8"))
        made.update_tags(ns="OVERVIEWS", **tags)
    return path


def test_a_raster_whose_overview_lies_at_a_server_is_not_opened(tmp_path: Path, server: tuple[str, list[str]]) -> None:
    address, asked = server
    path = raster(tmp_path / "a.tif", OVERVIEW_FILE=f"/vsicurl/{address}/a.tif")
    with rasterio.open(path) as opened:
        opened.read(1, out_shape=(8, 8))
    assert asked
    asked.clear()
    with pytest.raises(rasterio.errors.RasterioIOError, match="names an overview elsewhere"), open_raster(path):
        pass
    assert asked == []


@pytest.mark.parametrize("elsewhere", [":::BASE:::../b.tif", ":::BASE:::b.vrt", "/etc/hostname"])
def test_an_overview_elsewhere_is_not_followed(tmp_path: Path, elsewhere: str) -> None:
    (tmp_path / "b.vrt").write_text("<VRTDataset/>")
    path = raster(tmp_path / "a.tif", OVERVIEW_FILE=elsewhere)
    with pytest.raises(rasterio.errors.RasterioIOError, match=r"elsewhere|has beside it"), open_raster(path):
        pass


@pytest.mark.parametrize("suffix", [".ovr", ".msk"])
def test_what_lies_beside_a_raster_is_a_raster(tmp_path: Path, suffix: str) -> None:
    path = raster(tmp_path / "a.tif")
    with open_raster(path) as opened:
        assert opened.read(1).max() == 7
    path.with_name(f"a.tif{suffix}").write_text("<VRTDataset/>")
    with pytest.raises(rasterio.errors.RasterioIOError, match="has beside it"), open_raster(path):
        pass


def test_a_virtual_raster_is_not_opened_whatever_its_name(tmp_path: Path, server: tuple[str, list[str]]) -> None:
    address, asked = server
    source = f"<SimpleSource><SourceFilename>/vsicurl/{address}/r.tif</SourceFilename></SimpleSource>"
    band = f'<VRTRasterBand dataType="Byte" band="1">{source}</VRTRasterBand>'
    text = f'<VRTDataset rasterXSize="2" rasterYSize="2">{band}</VRTDataset>'
    for name in ("a.tif", "a.vrt", "a.hgt"):
        (tmp_path / name).write_text(text)
        with pytest.raises(rasterio.errors.RasterioIOError), open_raster(tmp_path / name):
            pass
    assert asked == []


# --- kinds ---


@pytest.mark.parametrize(
    "name", ["a.geojson", "a.gpkg", "a.fgb", "a.shp", "a.kml", "a.gml", "a.gpx", "a.dxf", "a.tab", "a.mif"]
)
def test_kinds_that_hold_their_data_are_let_through(tmp_path: Path, name: str) -> None:
    drivers = {".kml": "KML", ".dxf": "DXF", ".tab": "MapInfo File", ".mif": "MapInfo File", ".gpx": "GPX"}
    columns = {} if name in {"a.dxf", "a.gpx"} else {"name": ["甲"]}
    frame = gpd.GeoDataFrame(columns, geometry=[shapely.Point(105.9, 29.3)], crs="EPSG:4326")
    options = {"driver": drivers[Path(name).suffix]} if Path(name).suffix in drivers else {}
    frame.to_file(tmp_path / name, layer="waypoints" if name == "a.gpx" else None, **options)
    assert vector_faults(tmp_path / name, file=name) == []
    assert len(read_file(Table(path=tmp_path / name, layer=_layer(name)), file=name, known=["name"]).frame) == 1


def _layer(name: str) -> str | None:
    return "waypoints" if name == "a.gpx" else None


def test_a_geodatabase_is_let_through_and_another_folder_of_that_name_is_not(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"name": ["甲"]}, geometry=[shapely.Point(105.9, 29.3)], crs="EPSG:4326")
    frame.to_file(tmp_path / "a.gdb", driver="OpenFileGDB")
    assert vector_faults(tmp_path / "a.gdb", file="a.gdb") == []
    (tmp_path / "b.gdb").mkdir()
    assert "is a folder, but no file geodatabase" in str(vector_faults(tmp_path / "b.gdb", file="b.gdb")[0])


def test_tables_of_tables_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tab").write_text('!table\n!version 900\n\nOpen Table "../secret.tab"\n')
    assert "not recognized" in told(tmp_path / "a.tab")


@pytest.mark.parametrize("name", ["a.zip", "a.kmz", "a.gpkg", "a.shz"])
def test_packed_layers_are_to_be_unpacked(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("../../a.geojson", "{}")
    assert told(tmp_path / name) == f"{name}: is packed (zip); unpack it, and name the file that was in it"


# --- archives ---


def packed(path: Path, parts: dict[str, int], *, says: int | None = None) -> Path:
    """Write an archive of zeros; it may say that they are fewer than they are."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, count in parts.items():
            with archive.open(name, "w", force_zip64=True) as stream:
                for begin in range(0, count, 1 << 20):
                    stream.write(b"\0" * min(1 << 20, count - begin))
    if says is not None:
        data = bytearray(path.read_bytes())
        at = data.find(b"PK\x01\x02")
        data[at + 24 : at + 28] = struct.pack("<I", says)
        path.write_bytes(data)
    return path


def test_an_archive_that_unpacks_to_many_times_its_size_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.xlsx", {"xl/workbook.xml": 100 << 20})
    assert path.stat().st_size < 200_000
    assert told(path) == "a.xlsx: unpacks to more than 200 times its size; split it, or save it in another form"


def test_an_archive_is_not_believed_when_it_says_that_it_is_small(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.xlsx", {"xl/workbook.xml": 100 << 20}, says=1000)
    with zipfile.ZipFile(path) as archive:
        assert archive.infolist()[0].file_size == 1000
    assert "unpacks to more than 200 times its size" in told(path)


def test_parts_count_together(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {f"part{i}": 13 << 20 for i in range(5)})
    assert [str(fault) for fault in archive_faults(path, file="a.zip")] == [
        "a.zip: unpacks to more than 200 times its size; split it, or save it in another form"
    ]


def test_small_archives_may_be_well_packed(tmp_path: Path) -> None:
    assert archive_faults(packed(tmp_path / "a.zip", {"a": 60 << 20}), file="a.zip") == []


def test_the_total_is_limited_whatever_the_ratio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MOST_BYTES", 1 << 30)
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("noise", os.urandom(8 << 20))  # so that a gigabyte is less than two hundred times its size
        with archive.open("zeros", "w", force_zip64=True) as stream:
            for _ in range(1025):
                stream.write(b"\0" * (1 << 20))
    assert [str(fault) for fault in archive_faults(path, file="a.zip")] == [
        "a.zip: unpacks to more than 1 GB; split it, or save it in another form"
    ]


NAMES = ["../a", "a/../../b", "/a", "C:\\a", "C:a", "..\\a", "\\\\server\\share\\a", "a/..\\..\\b"]


@pytest.mark.parametrize("name", NAMES)
def test_an_archive_with_a_part_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), "x")
    (fault,) = archive_faults(tmp_path / "a.zip", file="a.zip")
    assert "holds a part whose name leads out of it" in fault.message
    assert fault.advice == "make the archive anew"


@given(st.lists(st.sampled_from(["..", ".", "a", "b.c", "", "..."]), min_size=1, max_size=6).map("/".join))
def test_no_name_that_is_let_through_leaves_the_folder(name: str) -> None:
    """The oracle is os.path: where the system would put the part."""
    there = os.path.normpath(os.path.join("/unpacked/here", str(PurePosixPath(name))))  # noqa: PTH118 - the oracle
    if not (there + "/").startswith("/unpacked/here/"):
        assert leads_out(name)


def test_a_workbook_that_is_sound_is_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["name", "beds"])
    book.active.append(["甲", 3])
    book.save(tmp_path / "a.xlsx")
    frame = read_file(Table(path=tmp_path / "a.xlsx"), file="a.xlsx", known=["name"]).frame
    assert frame.to_numpy().tolist() == [["甲", "3"]]


def test_a_tile_in_an_archive_is_held_to_the_same(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "N27E105.hgt.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../N27E105.hgt", np.zeros((1201, 1201), ">i2").tobytes())
    with pytest.raises(rasterio.errors.RasterioIOError, match="leads out"), open_raster(tmp_path / "N27E105.hgt.zip"):
        pass
    with zipfile.ZipFile(tmp_path / "N27E105.hgt.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("N27E105.hgt", np.full((1201, 1201), 5, ">i2").tobytes())
    with open_raster(tmp_path / "N27E105.hgt.zip") as opened:
        assert (opened.shape, opened.read(1).max()) == ((1201, 1201), 5)
    (tmp_path / "N27E106.hgt.zip").write_bytes(b"PK\x03\x04 no archive")
    with (
        pytest.raises(rasterio.errors.RasterioIOError, match="no whole archive"),
        open_raster(tmp_path / "N27E106.hgt.zip"),
    ):
        pass


@pytest.mark.parametrize(("suffix", "packing"), [(".gz", gzip), (".bz2", bz2)])
def test_a_packed_extract_is_measured_before_it_is_read(tmp_path: Path, suffix: str, packing: object) -> None:
    path = tmp_path / f"a.osm{suffix}"
    with packing.open(path, "wb") as stream:  # type: ignore[attr-defined]
        stream.write(b'<?xml version="1.0"?><osm version="0.6">')
        for _ in range(100):
            stream.write(b" " * (1 << 20))
        stream.write(b"</osm>")
    with pytest.raises(LayerError, match="unpacks to more than 200 times its size"):
        read_ways(path, file=path.name)


def _message(*fields: tuple[int, int | bytes]) -> bytes:
    """Return a Protocol Buffers message, by the rules of its format."""

    def number(value: int) -> bytes:
        return bytes([value]) if value < 128 else bytes([value % 128 + 128]) + number(value // 128)

    return b"".join(
        number(name * 8) + number(value)
        if isinstance(value, int)
        else number(name * 8 + 2) + number(len(value)) + value
        for name, value in fields
    )


def _block(kind: bytes, content: bytes, *, says: int | None = None, last: bool = False) -> bytes:
    size, data = (2, len(content) if says is None else says), (3, zlib.compress(content, 9))
    blob = _message(data, size) if last else _message(size, data)
    header = _message((1, kind), (3, len(blob)))
    return len(header).to_bytes(4, "big") + header + blob


HEADER = _block(b"OSMHeader", _message((4, b"OsmSchema-V0.6"), (4, b"DenseNodes")))


@pytest.mark.parametrize("last", [False, True])
def test_an_extract_whose_blocks_unpack_to_many_times_its_size_is_refused(tmp_path: Path, last: bool) -> None:
    zeros = bytes(30 << 20)
    (tmp_path / "a.osm.pbf").write_bytes(HEADER + b"".join(_block(b"OSMData", zeros, last=last) for _ in range(3)))
    with pytest.raises(LayerError, match="unpacks to more than 200 times its size"):
        read_ways(tmp_path / "a.osm.pbf", file="a.osm.pbf")
    (tmp_path / "b.osm.pbf").write_bytes(HEADER + _block(b"OSMData", zeros, last=last))
    assert extract_faults(tmp_path / "b.osm.pbf", file="b.osm.pbf") == []


def test_a_block_that_says_that_it_is_small_is_refused_by_osmium(tmp_path: Path) -> None:
    block = _block(b"OSMData", bytes(30 << 20), says=1000)
    (tmp_path / "a.osm.pbf").write_bytes(HEADER + block * 3)
    with pytest.raises(LayerError, match="is not a whole OpenStreetMap file"):
        read_ways(tmp_path / "a.osm.pbf", file="a.osm.pbf")


def test_the_blocks_of_an_extract_are_added_up(tmp_path: Path) -> None:
    path = tmp_path / "a.osm.pbf"
    with osmium.SimpleWriter(str(path)) as writer:
        for i in range(1, 20_001):
            writer.add_node(osmium.osm.mutable.Node(id=i, location=(i / 1e4, i / 7e3)))
    said: list[int] = []
    assert unpacking._field(_message((1, b"x"), (2, 300), (2, 70_000), (9, 1)), 2) == 70_000
    data, at = path.read_bytes(), 0
    while at < len(data):  # by hand, with the regular form that osmium writes
        length = int.from_bytes(data[at : at + 4], "big")
        size = unpacking._field(data[at + 4 : at + 4 + length], 3)
        assert size is not None
        blob = data[at + 4 + length : at + 4 + length + size]
        begin = blob.index(b"\x78")  # where zlib's data begin
        said.append(len(zlib.decompress(blob[begin:])))
        assert unpacking._field(blob, 2) == said[-1]
        at += 4 + length + size
    assert len(said) > 2
    assert extract_faults(path, file="a") == []


@given(st.binary(max_size=200))
def test_any_bytes_are_no_trouble(data: bytes) -> None:
    assert unpacking._field(data, 2) is None or isinstance(unpacking._field(data, 2), int)


def test_a_packed_extract_of_usual_ratio_is_let_through(tmp_path: Path) -> None:
    lines = "".join(f'<node id="{i}" lat="{i / 1e4}" lon="{i / 7e3}"/>\n' for i in range(100_000))
    with gzip.open(tmp_path / "a.osm.gz", "wt") as stream:
        stream.write(lines)
    assert stream_faults(tmp_path / "a.osm.gz", file="a.osm.gz") == []


def test_a_parquet_file_of_endless_equal_values_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pd.DataFrame({"a": np.zeros(300_000), "b": 1}).to_parquet(tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < 10_000
    monkeypatch.setattr("facility_coverage.layers.files.MOST_VALUES", 599_999)
    assert told(tmp_path / "a.parquet") == "a.parquet: holds 300000 rows of 2 columns; keep 599,999 values or fewer"
    monkeypatch.setattr("facility_coverage.layers.files.MOST_VALUES", 600_000)
    assert len(read_file(Table(path=tmp_path / "a.parquet"), file="a", known=[]).frame) == 300_000


def test_a_page_that_unpacks_without_end_is_no_page_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from facility_coverage.outputs import payload  # noqa: PLC0415

    content = payload.Payload({"a": 1}, {"s0-x": b"\0" * 5000})
    page = tmp_path / "map.html"
    text = '<script type="application/octet-stream" id="fc-{}">{}</script>'
    page.write_text("".join(text.format(*block) for block in payload.blocks(content)), encoding="utf-8")
    assert read_payload(page) == content
    monkeypatch.setattr(payload, "MOST_BYTES", 5000)  # the core is part of it
    with pytest.raises(ConfigError, match="is not a map of this version"):
        read_payload(page)


@given(st.binary(max_size=5000), st.integers(0, 5000))
def test_inflating_stops_at_its_limit(data: bytes, most: int) -> None:
    packed_data = zlib.compress(data)
    if len(data) <= most:
        assert inflated(packed_data, most) == data
    else:
        with pytest.raises(ValueError, match="too much"):
            inflated(packed_data, most)
    if len(data) <= most:
        with pytest.raises(zlib.error):
            inflated(packed_data[:-1], most)
