"""The cache: what was read once lies here as plain arrays, mapped into memory at the next start.

An entry is a folder named by the hash of everything its content depends on: the fingerprint of the data, the version
of the readers and the resolved fields. It is filled in a temporary folder under a lock, every file is fsynced, the
manifest is written last and the folder gets its name by a rename: an entry that can be seen is complete. The cache
lies outside the data, in $NETWRIGHT_CACHE or the platform's cache folder, and may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from netwright import files

VERSION = 1  # of this layout
MANIFEST = "manifest.json"
_SHARE_OF_FREE = 0.6
_LONGEST_BUILD_SECONDS = 24 * 3600.0
_MB = 1024 * 1024


@dataclass(frozen=True)
class Entry:
    """One data set in the cache.

    Args:
        path: Its folder.
        origin: What the user gave as data.
        examples: How many it holds.
        size_mb: What it takes on the disk.
        used_utc: When it was last used, seconds since 1970.
    """

    path: Path
    origin: str
    examples: int
    size_mb: float
    used_utc: float


def folder() -> Path:
    """Where the cache lies; not necessarily there yet."""
    if given := os.environ.get("NETWRIGHT_CACHE"):
        return Path(given).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "netwright"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "netwright" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "netwright"


def key(*facts: str) -> str:
    """The name of an entry: a hash of everything that its content depends on."""
    return hashlib.sha256(json.dumps([VERSION, _code(), *facts]).encode()).hexdigest()[:32]


@cache
def _code() -> str:
    """A hash of the code that makes the content: what older code read is never taken for what this code reads."""
    package = Path(__file__).resolve().parents[1]
    state = hashlib.sha256()
    for path in sorted([*(package / "readers").rglob("*.py"), *(package / "data").glob("*.py")]):
        state.update(path.read_bytes())
    return state.hexdigest()


def cap_bytes(cache_mb: int | None) -> tuple[int, str]:
    """How large one entry may become, and why."""
    if cache_mb is not None:
        return cache_mb * _MB, f"data.cache_mb is {cache_mb:,}"
    free = files.free_mb(folder())
    return int(free * _SHARE_OF_FREE) * _MB, f"{_SHARE_OF_FREE:.0%} of the {free:,.0f} MB free at {folder()}"


def lookup(name: str) -> Path | None:
    """The folder of a complete, undamaged entry, or None; marks it as used."""
    path = folder() / name
    manifest = _manifest(path)
    if manifest is None:
        return None
    sizes = manifest.get("sizes")
    if not isinstance(sizes, dict) or any(_size(path / file) != size for file, size in sizes.items()):
        shutil.rmtree(path, ignore_errors=True)  # cut short by something other than us: read the data again
        return None
    with suppress(OSError):  # a cache on a read-only disk still serves
        os.utime(path / MANIFEST)
    return path


def build(name: str, origin: str, examples: int, needed_bytes: int, fill: Callable[[Path], None]) -> Path:
    """The folder of an entry, filled now unless another process has just done so.

    Args:
        name: From `key`.
        origin: What the user gave as data, for the list.
        examples: How many there are, for the list.
        needed_bytes: Predicted size.
        fill: Writes the content into the folder it is given.

    Raises:
        ResourceError: The disk is too full for it; nothing is left behind.
        NetwrightError: The cache folder cannot be written.
    """
    files.require_space(folder(), needed_bytes, f"the cache of {origin}")
    with files.lock(folder() / "locks" / name, f"the cache entry {name}", wait_seconds=_LONGEST_BUILD_SECONDS):
        if (done := lookup(name)) is not None:
            return done
        files.sweep(folder())
        shutil.rmtree(folder() / name, ignore_errors=True)  # one without a manifest: pruning was cut short
        with files.making_folder(folder() / name, needed_bytes) as temporary:
            fill(temporary)
            sizes = {str(file.relative_to(temporary)): file.stat().st_size for file in sorted(temporary.rglob("*"))}
            manifest = {"version": VERSION, "origin": origin, "examples": examples, "sizes": sizes}
            files.write_text(temporary / MANIFEST, json.dumps(manifest, indent=1))
    return folder() / name


def entries() -> list[Entry]:
    """Everything in the cache, the last used first."""
    found = []
    for path in folder().iterdir() if folder().is_dir() else ():
        manifest = _manifest(path)
        if manifest is not None:
            size = sum(_size(file) for file in path.rglob("*") if file.is_file())
            used = (path / MANIFEST).stat().st_mtime
            found.append(Entry(path, str(manifest["origin"]), int(str(manifest["examples"])), size / _MB, used))
    return sorted(found, key=lambda entry: -entry.used_utc)


def prune(keep_mb: float = 0.0, older_than_days: float = 0.0) -> list[Entry]:
    """Delete entries, the longest unused first, and leftovers of killed builds.

    Args:
        keep_mb: Stop once the cache is this small; 0 deletes all that are old enough.
        older_than_days: Only entries unused for so long.

    Returns:
        What was deleted. A process that has an entry mapped keeps its data until it ends.
    """
    files.sweep(folder())
    present = entries()
    total = sum(entry.size_mb for entry in present)
    limit = time.time() - older_than_days * 24 * 3600
    deleted = []
    for entry in reversed(present):
        if total <= keep_mb or entry.used_utc > limit:
            break
        shutil.rmtree(entry.path, ignore_errors=True)
        total -= entry.size_mb
        deleted.append(entry)
    if not entries():
        shutil.rmtree(folder() / "requests", ignore_errors=True)
    return deleted


# ---- what was asked for last time ------------------------------------------------------------------------------------


def recall(request: str) -> dict[str, object] | None:
    """What was kept under a request, or None."""
    try:
        kept = json.loads((folder() / "requests" / f"{request}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return kept if isinstance(kept, dict) else None


def remember(request: str, facts: dict[str, object]) -> None:
    """Keep plain facts under a request, so that the next start need not look at the data to know them."""
    files.write_text(folder() / "requests" / f"{request}.json", json.dumps(facts))


# ---- arrays ----------------------------------------------------------------------------------------------------------


def shorten(path: Path, array: np.memmap, keep: np.ndarray) -> None:
    """Drop rows of a mapped .npy file in place: the kept rows move up, the header and the file are cut to them.

    Args:
        path: The file.
        array: Its map, open for writing.
        keep: Ascending rows to keep.
    """
    step = max(1, 16 * _MB // max(1, array[:1].nbytes))
    for start in range(0, len(keep), step):
        moved = keep[start : start + step]
        array[start : start + len(moved)] = array[moved]
    array.flush()
    header = {"descr": np.lib.format.dtype_to_descr(array.dtype), "fortran_order": False}
    with path.open("rb+") as file:
        np.lib.format.write_array_header_1_0(file, {**header, "shape": (len(keep), *array.shape[1:])})
        file.truncate(file.tell() + len(keep) * array[:1].nbytes)


def _manifest(path: Path) -> dict[str, object] | None:
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and manifest.get("version") == VERSION else None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
