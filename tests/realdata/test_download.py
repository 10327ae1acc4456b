"""The centre of Porto Alegre, served on the loopback, downloaded, and read like the extract it comes from."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from facility_coverage.config.servers import Servers
from facility_coverage.config.study import Roads, Table
from facility_coverage.downloading import Wanted, download
from facility_coverage.layers.boundaries import study_box
from facility_coverage.layers.crs import WGS84
from facility_coverage.layers.roads import read_roads
from facility_coverage.layers.tables import read_table
from osm_server import Script, World, serving

MARGIN_M = 500.0


def test_a_downloaded_city_has_the_roads_of_its_extract(realdata: Path, tmp_path: Path) -> None:
    extract = realdata / "poa" / "poa_osm.pbf"
    outline = shapely.box(-51.235, -30.06, -51.20, -30.03)
    wanted = Wanted(bbox=",".join(map(str, outline.bounds)), kinds=("park",), margin_m=MARGIN_M)
    with serving(Script(World.read(extract))) as script:
        # Pieces cut many ways, and those must come out whole and once.
        servers = Servers(script.overpass, script.nominatim, piece_km2=9.0)
        download(wanted, tmp_path / "out", servers=servers)
        assert len(script.queries()) > 8
    crs = gpd.GeoSeries([outline], crs=WGS84).estimate_utm_crs()
    near = gpd.GeoSeries([outline], crs=WGS84).to_crs(crs).iloc[0]
    box = study_box(near, MARGIN_M)
    files = (tmp_path / "out" / "roads.osm.pbf", extract)
    ours, theirs = (read_roads(Roads(path=file), near, box, crs=crs).roads for file in files)
    assert len(ours.tags) > 3_000
    for part in ("xy", "node", "start"):
        np.testing.assert_array_equal(getattr(ours, part), getattr(theirs, part))
    pd.testing.assert_frame_equal(ours.tags, theirs.tags)
    parks = read_table(Table(path=extract, where={"leisure": "park"}), role="facilities").frame.to_crs(crs)
    expected = set(parks[parks.geometry.within(box)]["osm_id"])
    found = read_table(Table(path=tmp_path / "out" / "facilities" / "park.geojson"), role="facilities").frame
    assert set(found["facility_id"]) == expected
    assert expected
