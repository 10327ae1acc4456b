import numpy as np
import pyproj
import shapely

from facility_coverage.outputs.encoding import encode_areas, encode_lines, to_wgs84

DEGREES = to_wgs84(pyproj.CRS("EPSG:4326"))


def test_lines_become_deltas_of_whole_units() -> None:
    lines = np.array(
        [shapely.LineString([(105, 29), (105, 29), (105.00002, 28.99999)]), shapely.LineString([(1, 1), (1.000001, 1)])]
    )
    assert encode_lines(lines, DEGREES) == [[10_500_000, 2_900_000, 2, -1]]


def test_areas_keep_their_holes() -> None:
    ring = shapely.box(0, 0, 3, 3).difference(shapely.box(1, 1, 2, 2))
    assert len(encode_areas([shapely.MultiPolygon([ring])], DEGREES)) == 2
