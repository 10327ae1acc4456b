"""Opening our pages in a browser that has no network, and using them as a reader does."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any


def open_page(driver: Any, path: Path, *, at: str = "") -> None:
    """Open a map and wait until it says that it is drawn; `at` is what stands behind the # of its address."""
    driver.get("about:blank")  # a new # alone would not load the page anew
    driver.get(path.as_uri() + (f"#{at}" if at else ""))
    wait_for(driver, "return document.documentElement.dataset.ready === 'yes'")


def wait_for(driver: Any, script: str, *, seconds: float = 20.0) -> Any:
    """Return what a script returns as soon as that is true of anything."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = driver.execute_script(script)
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"never came true: {script}; console: {driver.get_log('browser')}")


def requests(driver: Any) -> list[str]:
    """Return every address that the page has asked for since it was last looked at."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [url for url in urls if not url.startswith("data:") and url != "about:blank"]


def click(driver: Any, x: float, y: float) -> None:
    """Press and release the left button at a place of the window."""
    for kind in ("mousePressed", "mouseReleased"):
        event = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
        driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)


def click_on(driver: Any, selector: str, *, text: str = "") -> None:
    """Click the first visible element that a selector finds, and that holds the text."""
    spot = """
      const [selector, text] = arguments, fits = (n) => n.textContent.includes(text) && n.getClientRects().length;
      const found = [...document.querySelectorAll(selector)].find(fits);
      if (!found) return null;
      found.scrollIntoView({block: "nearest"});
      const r = found.getBoundingClientRect();
      return [r.left + r.width / 2, r.top + r.height / 2];"""
    place = driver.execute_script(spot, selector, text)
    assert place is not None, f"nothing to click: {selector} {text!r}"
    click(driver, *place)


def spot_of(driver: Any, script: str) -> tuple[float, float]:
    """Return where on the window a place of the map is; the script returns it in the page's own 0 to 1."""
    place = """
      const [x, y] = (new Function(arguments[0]))(), k = 256 * 2 ** fc.map.getZoom(), o = fc.map.getPixelOrigin();
      const p = fc.map.layerPointToContainerPoint([x * k - o.x, y * k - o.y]);
      const r = fc.map.getContainer().getBoundingClientRect();
      return [p.x + r.left, p.y + r.top];"""
    x, y = driver.execute_script(place, script)
    return float(x), float(y)


def type_into(driver: Any, selector: str, text: str) -> None:
    """Type a text into a field, key by key."""
    driver.execute_script("const n = document.querySelector(arguments[0]); n.focus(); n.select()", selector)
    driver.execute_cdp_cmd("Input.insertText", {"text": text})


def press(driver: Any, key: str) -> None:
    """Press one key, such as Enter or ArrowRight."""
    code = {"Enter": 13, "Tab": 9, "Escape": 27, "ArrowDown": 40, "ArrowRight": 39, "ArrowLeft": 37}[key]
    for kind in ("rawKeyDown", "keyUp"):
        event = {"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code}
        driver.execute_cdp_cmd("Input.dispatchKeyEvent", event)


def text_of(driver: Any, selector: str) -> str:
    """Return the visible text of the first element that a selector finds, empty without one."""
    return str(driver.execute_script("return (document.querySelector(arguments[0]) || {}).innerText || ''", selector))
