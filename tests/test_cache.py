"""The cache returns what was put in, or computes it again; whatever happened to its files."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from facility_coverage import cache as module
from facility_coverage.cache import VARIABLE, Cache, Stored, digest, key_of

KEY = key_of("test", "abc")


class Step:
    """Computes an entry and counts how often."""

    def __init__(self, size: int = 3) -> None:
        self.calls = 0
        self.size = size

    def __call__(self) -> Stored:
        self.calls += 1
        return Stored(
            arrays={
                "xy": np.arange(2.0 * self.size).reshape(-1, 2),
                "flag": np.array([True, False]),
                "none": np.empty(0),
            },
            tables={"tags": pd.DataFrame({"name": ["甲", None, "甲"], "foot": [np.nan] * 3}, index=[5, 6, 7])},
            figures={"ways_read": 3, "report": {"largest_move_m": 0.1, "unknown": None}},
        )


def _unpickled() -> None:
    raise RuntimeError("it was unpickled")


class Pickled:
    """Says when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[()]]:
        return _unpickled, ()


def assert_same(one: Stored, other: Stored) -> None:
    assert list(one.arrays) == list(other.arrays)
    for name, array in one.arrays.items():
        assert array.dtype == other.arrays[name].dtype
        assert array.shape == other.arrays[name].shape
        assert array.tobytes() == other.arrays[name].tobytes()
    assert list(one.tables) == list(other.tables)
    for name, frame in one.tables.items():
        pd.testing.assert_frame_equal(frame, other.tables[name], check_exact=True)
        assert [type(value) for value in frame.to_numpy().ravel()] == [
            type(value) for value in other.tables[name].to_numpy().ravel()
        ]
    assert one.figures == other.figures


def entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


def test_cold_warm_and_off_are_the_same(tmp_path: Path) -> None:
    step, cache = Step(), Cache(tmp_path / "new" / "folder")
    off, cold, warm = (each.stored(KEY, step) for each in (Cache(None), cache, cache))
    assert step.calls == 2
    assert_same(off, cold)
    assert_same(cold, warm)
    assert warm.tables["tags"]["name"].tolist() == ["甲", None, "甲"]
    assert [path.name for path in entries(tmp_path / "new" / "folder")] == [f"{KEY}.npz"]


TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"]))
ARRAYS = hnp.arrays(
    st.sampled_from([np.float64, np.float32, np.int64, np.int32, np.uint8, np.bool_]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0),
)


@settings(max_examples=40, deadline=None)
@given(
    arrays=st.dictionaries(st.text("abc _/.", max_size=6), ARRAYS, max_size=3),
    columns=st.dictionaries(st.text("abc:_ ", max_size=6), st.lists(TEXTS, min_size=4, max_size=4), max_size=4),
    figures=st.dictionaries(st.text(max_size=4), st.floats(allow_nan=False) | st.integers() | st.none() | st.text()),
)
def test_whatever_is_kept_comes_back(tmp_path_factory: pytest.TempPathFactory, **content: object) -> None:
    entry = Stored(content["arrays"], {"t": pd.DataFrame(content["columns"], dtype=object)}, content["figures"])  # type: ignore[arg-type]
    cache = Cache(tmp_path_factory.mktemp("cache"))
    cold = cache.stored(KEY, lambda: entry)
    assert_same(cold, cache.stored(KEY, lambda: pytest.fail("nothing was kept")))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_entry_is_computed_and_kept_again(tmp_path: Path, share: float) -> None:
    step, cache = Step(size=1000), Cache(tmp_path)
    first = cache.stored(KEY, step)
    (file,) = entries(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * share)])
    assert_same(cache.stored(KEY, step), first)
    assert step.calls == 2
    assert len(file.read_bytes()) == len(whole)
    cache.stored(KEY, step)
    assert step.calls == 2


def test_no_changed_byte_reaches_a_result(tmp_path: Path) -> None:
    step, cache = Step(size=40), Cache(tmp_path)
    first = cache.stored(KEY, step)
    (file,) = entries(tmp_path)
    whole = file.read_bytes()
    for position in range(0, len(whole), 7):
        file.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        assert_same(cache.stored(KEY, step), first)


def test_every_changed_byte_is_noticed(tmp_path: Path) -> None:
    """Also in what no figure comes from, such as the times of the parts."""
    cache = Cache(tmp_path)
    whole = _kept(cache, KEY).read_bytes()
    for position in range(0, len(whole), 41):
        step = Step()
        (tmp_path / f"{KEY}.npz").write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        cache.stored(KEY, step)
        assert step.calls == 1


def test_a_sound_archive_with_other_figures_is_noticed_by_its_hash(tmp_path: Path) -> None:
    """Whatever wrote it kept the checksums of the archive right, so that NumPy would read it."""
    step, cache = Step(), Cache(tmp_path)
    first = cache.stored(KEY, step)
    file = tmp_path / f"{KEY}.npz"
    ending = file.read_bytes()[-32:]
    with np.load(file) as content:
        parts = dict(content)
    parts["array xy"] = parts["array xy"] + 1
    np.savez(file, **parts)
    with np.load(file) as content:
        assert content["array xy"][0, 0] == 1
    file.write_bytes(file.read_bytes() + ending)
    assert_same(cache.stored(KEY, step), first)
    assert step.calls == 2
    cache.stored(KEY, step)
    assert step.calls == 2


def test_an_entry_under_the_name_of_another_is_noticed(tmp_path: Path) -> None:
    cache, other = Cache(tmp_path), key_of("test", "def")
    _kept(cache, KEY).rename(tmp_path / f"{other}.npz")
    step = Step()
    cache.stored(other, step)
    assert step.calls == 1


def test_an_entry_ends_with_the_hash_of_its_key_and_of_the_rest(tmp_path: Path) -> None:
    whole = _kept(Cache(tmp_path), KEY).read_bytes()
    assert whole[-32:] == hashlib.sha256(KEY.encode() + whole[:-32]).digest()


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04"])
def test_something_else_in_its_place(tmp_path: Path, content: bytes) -> None:
    (tmp_path / f"{KEY}.npz").write_bytes(content)
    step = Step()
    Cache(tmp_path).stored(KEY, step)
    Cache(tmp_path).stored(KEY, step)
    assert step.calls == 1


def test_nothing_pickled_is_read(tmp_path: Path) -> None:
    """Not even where the hash is right."""
    file = tmp_path / f"{KEY}.npz"
    np.savez(file, notes=np.array([Pickled()], dtype=object))
    file.write_bytes(file.read_bytes() + hashlib.sha256(KEY.encode() + file.read_bytes()).digest())
    with np.load(file, allow_pickle=True) as content, pytest.raises(RuntimeError, match="it was unpickled"):
        content["notes"]
    step = Step()
    Cache(tmp_path).stored(KEY, step)
    assert step.calls == 1


@pytest.mark.parametrize(
    "entry",
    [Stored(arrays={"a": np.array(["x", None], dtype=object)}), Stored(tables={"t": pd.DataFrame({"a": ["x", 1.5]})})],
)
def test_what_it_cannot_hold_is_a_mistake_of_the_caller(tmp_path: Path, entry: Stored) -> None:
    with pytest.raises(TypeError, match="of the cache hold"):
        Cache(tmp_path).stored(KEY, lambda: entry)
    assert not entries(tmp_path)


def test_a_step_that_fails_keeps_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        Cache(tmp_path).stored(KEY, lambda: Stored(figures={"a": 1 / 0}))
    assert not entries(tmp_path)


def test_without_a_key_nothing_is_kept(tmp_path: Path) -> None:
    step = Step()
    for _ in range(2):
        Cache(tmp_path).stored("", step)
    assert (step.calls, entries(tmp_path)) == (2, [])


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    step, cache = Step(), Cache(tmp_path / "file" / "cache")
    assert_same(cache.stored(KEY, step), cache.stored(KEY, step))
    assert step.calls == 2


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    step = Step()
    assert_same(Cache(tmp_path).stored(KEY, step), Cache(None).stored(KEY, step))
    assert entries(tmp_path) == []


def test_the_oldest_used_go_first_and_nothing_else(tmp_path: Path) -> None:
    keys = [key_of("test", str(i)) for i in range(4)]
    size = len(_kept(Cache(tmp_path), keys[0]).read_bytes())
    cache = Cache(tmp_path, largest_bytes=3 * size)
    stranger = tmp_path / "diary.npz"
    stranger.write_bytes(bytes(10 * size))
    for age, key in ((30, keys[0]), (20, keys[1]), (10, keys[2])):
        file = _kept(cache, key)
        os.utime(file, (1e9 - age, 1e9 - age))
    cache.stored(keys[0], lambda: pytest.fail("it is kept"))  # the oldest written, but used just now
    _kept(cache, keys[3])
    assert {path.stem for path in entries(tmp_path)} == {keys[0], keys[2], keys[3], "diary"}


def _kept(cache: Cache, key: str) -> Path:
    cache.stored(key, Step())
    assert cache.folder is not None
    return cache.folder / f"{key}.npz"


@pytest.mark.parametrize("value", ["off", "OFF", " off "])
def test_the_environment_turns_it_off(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(VARIABLE, value)
    assert Cache.from_environment().folder is None


def test_the_environment_names_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert Cache.from_environment().folder == tmp_path
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = Cache.from_environment().folder
    assert folder is not None
    assert folder.name == "facility-coverage"


def test_keys_tell_everything_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {
        key_of("roads", "a", "b"), key_of("roads", "ab"), key_of("roads", "b", "a"), key_of("graph", "a", "b"),
        key_of("roads", "a", "b", x=1), key_of("roads", "a", "b", x=1.5), key_of("roads", "a", "b", x="1"),
        key_of("roads", "a", "b", y=1), key_of("roads", "a", "b", x=None),
    }  # fmt: skip
    assert len(keys) == 9
    assert all(len(key) == 64 for key in keys)
    assert key_of("roads", "a", x={"p": 1, "q": 2}) == key_of("roads", "a", x={"q": 2, "p": 1})
    before = key_of("roads", "a")
    monkeypatch.setattr(module, "_program", lambda: "another version")
    assert key_of("roads", "a") != before


def test_keys_are_the_same_in_every_process() -> None:
    code = "from facility_coverage.cache import key_of; print(key_of('roads', 'a', where={'b': ['c'], 'a': 1}))"
    found = {
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True,  # noqa: S603 - our own code
                       env={**os.environ, "PYTHONHASHSEED": seed}).stdout.strip() for seed in ("1", "2")
    }  # fmt: skip
    assert len(found) == 1
    assert len(found.pop()) == 64


def test_digest_covers_the_parts_of_a_file(tmp_path: Path) -> None:
    roads = tmp_path / "roads.shp"
    for suffix in ("shp", "dbf", "shx", "prj", "cpg", "shp.xml"):
        (tmp_path / f"roads.{suffix}").write_text(suffix)
    (tmp_path / "roads2.dbf").write_text("another layer")
    seen = {digest(roads)}
    for suffix in ("dbf", "shx", "prj", "cpg", "shp.xml"):
        (tmp_path / f"roads.{suffix}").write_text(suffix + "!")
        seen.add(digest(roads))
    (tmp_path / "roads.cpg").unlink()
    seen.add(digest(roads))
    assert len(seen) == 7
    before = digest(roads)
    (tmp_path / "roads2.dbf").write_text("changed")
    assert digest(roads) == before


def test_digest_of_single_files_and_folders(tmp_path: Path) -> None:
    file = tmp_path / "roads.osm.pbf"
    file.write_bytes(b"abc")
    alone = digest(file)
    (tmp_path / "roads.osm").write_bytes(b"beside it")
    assert digest(file) == alone
    package = tmp_path / "roads.gpkg"
    package.write_bytes(b"abc")
    before = digest(package)
    (tmp_path / "roads.gpkg-wal").write_bytes(b"not yet merged")
    assert digest(package) != before
    folder = tmp_path / "roads.gdb"
    folder.mkdir()
    (folder / "a00000001.gdbtable").write_bytes(b"1")
    before = digest(folder)
    (folder / "a00000002.gdbtable").write_bytes(b"2")
    assert digest(folder) != before


def test_no_digest_of_what_names_other_files_or_is_absent(tmp_path: Path) -> None:
    (tmp_path / "roads.vrt").write_text("<OGRVRTDataSource/>")
    assert digest(tmp_path / "roads.vrt") == ""
    assert digest(tmp_path / "absent.gpkg") == ""
    assert key_of("roads", digest(tmp_path / "absent.gpkg"), where={}) == ""
