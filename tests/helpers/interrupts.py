"""Programs that hear Ctrl-C: a shell's background jobs, and all that they start, ignore it otherwise."""

from __future__ import annotations

import sys

_HEARS = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""


def hearing(words: list[str]) -> list[str]:
    """Return the words that start a program so that Ctrl-C stops it."""
    return [sys.executable, "-c", _HEARS, *words]
