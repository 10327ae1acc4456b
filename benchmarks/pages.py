"""The map's page against Folium as it comes: ``.venv/bin/python benchmarks/pages.py``.

Both show the same towns, roads and facilities; Folium's page has no people, times, goals or search. Pages are opened in
turns in headless Chromium without a network, and timed from the address to the first frame after everything is drawn.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import folium
import geopandas as gpd
import numpy as np
import shapely
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from facility_coverage.outputs import offline
from facility_coverage.outputs.maps import MapContent, write_map
from toy_map import LARGE, Size, toy_content

ROUNDS = 5
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1440,900",
)  # fmt: skip
DRAWN = """
  const done = arguments[0], frame = () => requestAnimationFrame(() => setTimeout(() => done(true), 0));
  const ready = () => typeof fc === "undefined" || document.documentElement.dataset.ready === "yes";
  const look = () => document.querySelector("canvas") && ready() ? frame() : setTimeout(look, 5);
  look();"""


def folium_page(content: MapContent, path: Path) -> None:
    """Write the same towns, roads and facilities as Folium draws them: GeoJSON on a canvas, a marker for each place."""
    layers = content.layers
    roads, way = layers.roads, np.repeat(np.arange(len(layers.roads.start) - 1), np.diff(layers.roads.start))
    lines = gpd.GeoDataFrame(geometry=shapely.linestrings(roads.xy, indices=way), crs=layers.crs)
    page = folium.Map(tiles=None, prefer_canvas=True, location=[29.3, 105.9], zoom_start=10)
    folium.GeoJson(layers.zones[["name", "geometry"]].to_crs(4326)).add_to(page)
    folium.GeoJson(lines.to_crs(4326)).add_to(page)
    for frame in layers.facilities.values():
        for point in frame.geometry.to_crs(4326):
            folium.CircleMarker([point.y, point.x], radius=3).add_to(page)
    west, south, east, north = layers.zones.to_crs(4326).total_bounds
    page.fit_bounds([[south, west], [north, east]])
    html = page.get_root().render()
    vendored = {"leaflet": "leaflet/leaflet.js", "leaflet_css": "leaflet/leaflet.css"}
    links = [*folium.Map.default_js, *folium.Map.default_css]
    path.write_text(offline.inline(html, {url: vendored.get(name) for name, url in links}), encoding="utf-8")


def opened_s(path: Path) -> float:
    """Return the seconds until a page is drawn, in a browser of its own."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in FLAGS:
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        driver.set_script_timeout(120)
        begin = time.perf_counter()
        driver.get(path.as_uri())
        driver.execute_async_script(DRAWN)
        return time.perf_counter() - begin
    finally:
        driver.quit()


def main() -> None:
    """Print a row for each page."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pages: dict[str, tuple[Path, float]] = {}
        for label, size in (("20 towns", Size()), ("3,000 towns", LARGE)):
            content = toy_content(size=size)
            for tool in ("facility-coverage", "Folium"):
                path = folder / f"{label} {tool}.html"
                begin = time.perf_counter()
                if tool == "Folium":
                    folium_page(content, path)
                else:
                    write_map(path, [content], lang="zh")
                pages[f"{label}, {tool}"] = (path, time.perf_counter() - begin)
        seconds: dict[str, list[float]] = {label: [] for label in pages}
        for _ in range(ROUNDS):
            for label, (path, _) in pages.items():
                seconds[label].append(opened_s(path))
        print(f"{'page':34} {'written, s':>10} {'MB':>6} {'drawn, s':>9}")
        for label, (path, written) in pages.items():
            size_mb = path.stat().st_size / 1e6
            print(f"{label:34} {written:10.1f} {size_mb:6.2f} {median(seconds[label]):9.2f}")


if __name__ == "__main__":
    main()
