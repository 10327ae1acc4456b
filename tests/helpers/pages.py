"""Opening our pages in a browser that has no network."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any


def open_page(driver: Any, path: Path) -> None:
    """Open a map and wait until it says that it is drawn."""
    driver.get(path.as_uri())
    for _ in range(100):
        if driver.execute_script("return document.documentElement.dataset.ready") == "yes":
            return
        time.sleep(0.1)
    raise AssertionError(f"the map never got ready: {driver.get_log('browser')}")


def requests(driver: Any) -> list[str]:
    """Return every address that the page has asked for since it was last looked at."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [url for url in urls if not url.startswith("data:")]
