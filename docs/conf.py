"""How Sphinx builds the documentation: offline pages, with the reference filled in from the code."""

import importlib.metadata
import re
import sys
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

sys.path.insert(0, str(Path(__file__).parent))

from tables import fill

project = "facility-coverage"
author = "The facility-coverage authors"
copyright = author  # noqa: A001 (Sphinx wants this name)
release = version = importlib.metadata.version("facility-coverage")

extensions = ["myst_parser"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nitpicky = True

html_theme = "furo"
html_title = f"facility-coverage {release}"
html_copy_source = False
html_show_sourcelink = False

_REMOTE_ASSET = re.compile(r"""<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)=["'](?:https?:)?//[^"']+""")


def setup(app: Sphinx) -> None:
    """Fill in the generated tables, and refuse pages that would load something from elsewhere."""
    app.connect("source-read", _fill_in)
    app.connect("build-finished", _refuse_remote_assets)


def _fill_in(_app: Sphinx, _page: str, source: list[str]) -> None:
    source[0] = fill(source[0])


def _refuse_remote_assets(app: Sphinx, error: Exception | None) -> None:
    if error is not None:
        return
    found = [
        f"{page.name}: {match[0]}"
        for page in sorted(Path(app.outdir).rglob("*.html"))
        for match in _REMOTE_ASSET.finditer(page.read_text(encoding="utf-8"))
    ]
    if found:
        message = "pages must open offline, but load: " + "; ".join(found)
        raise ExtensionError(message)
