"""What the whole program keeps to: nothing pickled is read, and no server is asked but by `download`."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from facility_coverage import cli
from small_study import write_small

SOURCE = Path(cli.__file__).parent
PICKLING = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
ASKING = {
    "socket",
    "ssl",
    "urllib.request",
    "http.client",
    "requests",
    "httpx",
    "aiohttp",
    "ftplib",
    "smtplib",
    "osmnx",
}
DOWNLOADING = {"layers/osm_servers.py", "layers/osm_responses.py"}
"""The modules that ask servers, for `download`."""
OF_FILES = {"layers/roads.py"}
"""OSMnx reads a graph from a file there."""


def _imports(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found


MODULES = [pytest.param(path, id=path.relative_to(SOURCE).as_posix()) for path in sorted(SOURCE.rglob("*.py"))]


@pytest.mark.parametrize("path", MODULES)
def test_nothing_pickled_is_read(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not {name.split(".")[0] for name in _imports(tree)} & PICKLING
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        assert name not in {"read_pickle", "to_pickle", "eval", "exec", "unsafe_load", "full_load"}
        allowed = [word.value for word in call.keywords if word.arg == "allow_pickle"]
        assert all(isinstance(value, ast.Constant) and value.value is False for value in allowed)
        assert not (ast.unparse(call.func) in {"np.load", "numpy.load"} and not allowed)


@pytest.mark.parametrize("path", MODULES)
def test_only_download_asks_servers(path: Path) -> None:
    place = path.relative_to(SOURCE).as_posix()
    found = {name for name in _imports(ast.parse(path.read_text(encoding="utf-8"))) if name in ASKING}
    if place in DOWNLOADING:
        return
    assert found <= ({"osmnx"} if place in OF_FILES else set())


GUARD = """
import socket, sys
def refused(*_args, **_keys):
    raise AssertionError("the network was asked")
for name in ("connect", "connect_ex", "sendto", "bind"):
    setattr(socket.socket, name, refused)
for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "create_connection"):
    setattr(socket, name, refused)
from facility_coverage.cli import main
main()
"""
COMMANDS = [
    ["run", "small.yaml", "-o", "out"],
    ["check", "small.yaml", "-o", "checked"],
    ["site", "small.yaml", "--layer", "station", "--sites", "1", "--spacing-m", "200", "-o", "sites"],
    ["compare", "small.yaml", "small.yaml", "-o", "compared"],
    ["report", "out", "-o", "report.html", "--docx"],
    ["embed", "out", "station", "-o", "embedded"],
]
WRITTEN = [
    "out/map.html", "checked/check.html", "sites/sites.csv", "compared/compare.csv", "report.html", "report.docx",
    "embedded/map-embed-station.html",
]  # fmt: skip


def _all_commands(folder: Path, before: list[str]) -> None:
    """Run every command but `download` one after the other in processes of their own."""
    for command in COMMANDS:
        done = subprocess.run(  # noqa: S603 - our own program
            [*before, sys.executable, "-c", GUARD, *command],
            cwd=folder, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONUTF8": "1"},
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stderr)
        assert "the network was asked" not in done.stderr
    assert [name for name in WRITTEN if not (folder / name).is_file()] == []


def test_the_guard_guards() -> None:
    text = GUARD.replace("from facility_coverage.cli import main\nmain()", "socket.create_connection(('127.0.0.1', 9))")
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)  # noqa: S603
    assert "the network was asked" in done.stderr


@pytest.mark.usefixtures("chinese_font")
def test_no_command_but_download_asks_the_network(tmp_path: Path) -> None:
    write_small(tmp_path)
    _all_commands(tmp_path, [])


def _unshare() -> list[str]:
    """Return what starts a program without any network, or skip."""
    program = shutil.which("unshare")
    if program is None:
        pytest.skip("there is no unshare here, which takes the network from a program (Linux only)")
    for options in (["-n"], ["-r", "-n"]):
        tried = subprocess.run([program, *options, "true"], capture_output=True, check=False)  # noqa: S603
        if tried.returncode == 0:
            return [program, *options]
    pytest.skip("this account may not take the network from a program (unshare -n)")


@pytest.mark.usefixtures("chinese_font")
def test_every_command_but_download_runs_without_any_network(tmp_path: Path) -> None:
    before = _unshare()
    look = "import socket; socket.create_connection(('127.0.0.1', 9), timeout=5)"
    cut = subprocess.run([*before, sys.executable, "-c", look], capture_output=True, text=True, check=False)  # noqa: S603
    assert "Network is unreachable" in cut.stderr  # not even this machine itself is there
    write_small(tmp_path)
    _all_commands(tmp_path, before)
