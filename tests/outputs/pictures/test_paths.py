from __future__ import annotations

import numpy as np
import pytest
import shapely

from facility_coverage.outputs import encoding
from facility_coverage.outputs.pictures import paths
from facility_coverage.outputs.pictures.ground import View


def turning(ring: np.ndarray) -> float:
    """Twice the signed area: above 0 where the ring turns left."""
    x, y = ring[:, 0], ring[:, 1]
    return float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum())


def square(x: float, y: float, side: float) -> np.ndarray:
    return np.array([[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]])


@pytest.mark.parametrize("flip", [1, -1])
def test_a_hole_winds_against_its_outline_and_an_island_in_it_with_it(flip: int) -> None:
    found = paths.wound([square(0, 0, 9)[::flip], square(1, 1, 7), square(2, 2, 2)[::flip], square(20, 0, 1)])
    rings = np.split(found.vertices, np.flatnonzero(found.codes == found.MOVETO)[1:])
    assert [turning(ring) > 0 for ring in rings] == [True, False, True, True]


def test_lines_come_back_as_they_were_encoded() -> None:
    transformer = encoding.to_wgs84("EPSG:4326")
    lines = [shapely.LineString([(105.1, 29.0), (105.2, 29.1), (105.0, 29.3)]), shapely.LineString([(1, 2), (3, 4)])]
    degrees, first = encoding.decode_lines(encoding.encode_lines(np.array(lines, dtype=object), transformer))
    assert first.tolist() == [0, 3]
    np.testing.assert_allclose(degrees, np.vstack([shapely.get_coordinates(line) for line in lines]), atol=1e-9)


def test_nothing_is_an_empty_path() -> None:
    assert len(paths.areas([]).vertices) == len(paths.lines([]).vertices) == 0


def test_a_metre_is_stretched_as_the_parallels_are() -> None:
    _, north = paths.projected(np.array([[105.0, 60.0]]))[0]
    assert paths.stretch(north) == pytest.approx(2.0)  # 1 / cos 60°
    assert paths.projected(np.array([[180.0, 0.0]]))[0, 0] == pytest.approx(20_037_508.34)


def test_a_view_shows_the_whole_box_in_the_shape_of_the_paper() -> None:
    box = [10_500_000, 2_900_000, 10_550_000, 2_990_000]
    view = View.around(box, 8.0, 6.0, 1.0)
    assert (view.right - view.left) / (view.top - view.bottom) == pytest.approx(8 / 6)
    corners = paths.points(box[::2], box[1::2])
    assert (corners > [view.left, view.bottom]).all()
    assert (corners < [view.right, view.top]).all()
    assert (view.top - view.bottom) * view.pt_per_m == pytest.approx(6 * 72)
