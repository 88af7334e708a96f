import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from netwright.data import cache
from netwright.errors import ResourceError


def fill(folder: Path) -> None:
    np.save(folder / "0.npy", np.arange(1000))


def test_entry_is_built_once_and_found_again(cache_home: Path) -> None:
    path = cache.build("k" * 32, "photos/", 1000, 8000, fill)
    assert path == cache_home / ("k" * 32)
    assert cache.lookup("k" * 32) == path
    cache.build("k" * 32, "photos/", 1000, 8000, lambda _: pytest.fail("built twice"))


def test_damaged_entry_is_read_anew(cache_home: Path) -> None:
    path = cache.build("k", "photos/", 1000, 8000, fill)
    with (path / "0.npy").open("rb+") as file:
        file.truncate(100)
    assert cache.lookup("k") is None
    assert np.load(cache.build("k", "photos/", 1000, 8000, fill) / "0.npy").sum() == 499500


def test_entry_without_manifest_does_not_count(cache_home: Path) -> None:
    (cache_home / "k").mkdir()
    assert cache.lookup("k") is None
    assert cache.lookup(cache.build("k", "photos/", 1, 1, fill).name)


def test_failed_build_leaves_nothing(cache_home: Path) -> None:
    def fail(folder: Path) -> None:
        fill(folder)
        raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        cache.build("k", "photos/", 1, 1, fail)
    assert [entry.name for entry in cache_home.iterdir()] == ["locks"]


def test_leftovers_of_a_killed_build_are_swept(cache_home: Path) -> None:
    code = """
import sys, time; from pathlib import Path
from netwright.data import cache
def fill(folder):
    (folder / "half").write_bytes(b"x" * 1000)
    print("filling", flush=True)
    time.sleep(60)
cache.build("k", "photos/", 1, 1, fill)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "filling\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert any(entry.name.startswith(".tmp-") for entry in cache_home.iterdir())
    cache.build("k", "photos/", 1000, 8000, fill)
    assert sorted(entry.name for entry in cache_home.iterdir()) == ["k", "locks"]


def test_list_and_prune_take_the_longest_unused_first(cache_home: Path) -> None:
    for age, name in enumerate(["new", "middle", "old"]):
        path = cache.build(name, f"{name}/", 10, 8000, fill)
        os.utime(path / cache.MANIFEST, (time.time() - age * 86400,) * 2)
    assert [(entry.origin, entry.examples) for entry in cache.entries()] == [
        ("new/", 10),
        ("middle/", 10),
        ("old/", 10),
    ]
    one = cache.entries()[0].size_mb
    assert [entry.origin for entry in cache.prune(keep_mb=2.5 * one)] == ["old/"]
    assert [entry.origin for entry in cache.prune(older_than_days=0.5)] == ["middle/"]
    assert [entry.origin for entry in cache.prune()] == ["new/"]
    assert cache.entries() == []


def test_more_than_the_disk_holds_is_refused_before_reading(cache_home: Path) -> None:
    with pytest.raises(ResourceError, match=r"the cache of photos/ does not fit: [\d,]+ MB needed, [\d,]+ MB free"):
        cache.build("k", "photos/", 1, 2**60, lambda _: pytest.fail("was read"))


def test_folder_follows_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NETWRIGHT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache.folder() == tmp_path / "netwright"


def test_rows_are_dropped_in_place(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(1000, 3))
    array[:] = np.arange(3000).reshape(1000, 3)
    keep = np.setdiff1d(np.arange(1000), [0, 500, 999])
    cache.shorten(path, array, keep)
    again = np.load(path, mmap_mode="r", allow_pickle=False)
    assert again.shape == (997, 3)
    assert (again == np.arange(3000).reshape(1000, 3)[keep]).all()


def test_what_is_remembered_is_recalled(cache_home: Path) -> None:
    assert cache.recall("r") is None
    cache.remember("r", {"sources": ["a"]})
    assert cache.recall("r") == {"sources": ["a"]}
