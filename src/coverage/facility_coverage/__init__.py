"""Who reaches which public facility within fifteen minutes, and whether the plan's goals hold."""

from importlib.metadata import version

__version__ = version("facility-coverage")
