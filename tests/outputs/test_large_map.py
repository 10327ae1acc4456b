"""A map of 3,000 towns, 10,000 facilities and half a million demand points opens and stays small."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facility_coverage.outputs.maps import write_map
from pages import open_page, requests
from toy_map import LARGE, toy_content


@pytest.mark.browser
def test_a_large_study_is_drawn_in_clusters_on_a_small_page(browser: Callable[[int, int], Any], tmp_path: Path) -> None:
    page = tmp_path / "map.html"
    content = toy_content(size=LARGE)
    assert (len(content.layers.zones), len(content.layers.demand.points)) == (3_000, 500_000)
    assert sum(len(frame) for frame in content.layers.facilities.values()) == 10_000
    remarks = write_map(page, [content], lang="zh")
    assert remarks == ["map: zones are drawn to within 30 m, to keep the page small"]
    assert page.stat().st_size <= 15_000_000
    driver = browser(1440, 900)
    open_page(driver, page)
    assert driver.get_log("browser") == []
    assert requests(driver) == [page.as_uri()]
    # All kinds at once, from afar and from near: every facility in sight is drawn, alone or in a cluster.
    for step in (0, 1, 3, 4):
        drawn, in_sight = driver.execute_script(
            """
            fc.scene(0).layers.forEach((layer) => { fc.state.shown[layer.id] = true; });
            const painter = fc.views[0].painter;
            fc.map.setZoom(fc.map.getZoom() + arguments[0], {animate: false});
            painter._update();
            const all = fc.scene(0).layers.flatMap((layer) => layer.facilities);
            return [painter._drawn.length + painter._clusters.reduce((sum, one) => sum + one.members.length, 0),
              all.filter((f) => painter._inSight(f)).length];""",
            step,
        )
        assert drawn == in_sight > 0
    assert driver.execute_script("return fc.views[0].painter._clusters.length") == 0
    assert driver.get_log("browser") == []
