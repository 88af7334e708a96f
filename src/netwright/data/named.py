"""Public data sets by name, fetched only when asked: the one place in netwright that opens a connection by itself.

What arrives is checked by the SHA-256 of its *unpacked* content, since mirrors pack the same files differently. Each
file appears under its name only when it is whole and right; a second call goes on where the first was cut off.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import sys
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from netwright import files
from netwright.errors import DataError, NetwrightError, SpecError
from netwright.registry import nearest

_TIMEOUT_SECONDS = 30.0
_PIECE_BYTES = 64 * 1024


@dataclass(frozen=True)
class File:
    """One packed file of a data set.

    Args:
        name: As it stands on every mirror.
        size: Bytes once unpacked.
        sha256: Of the unpacked content.
    """

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Named:
    """A data set that can be fetched.

    Args:
        files: All of its files.
        mirrors: Addresses that the file names are appended to, tried in order.
        licence: What to know before using it.
    """

    files: tuple[File, ...]
    mirrors: tuple[str, ...]
    licence: str


KNOWN: dict[str, Named] = {
    "mnist": Named(
        files=(
            File(
                "train-images-idx3-ubyte.gz",
                47_040_016,
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            ),
            File(
                "train-labels-idx1-ubyte.gz",
                60_008,
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            ),
            File(
                "t10k-images-idx3-ubyte.gz",
                7_840_016,
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            ),
            File(
                "t10k-labels-idx1-ubyte.gz",
                10_008,
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            ),
        ),
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        licence="CC BY-SA 3.0, Yann LeCun, Corinna Cortes and Christopher Burges",
    ),
}


def folder() -> Path:
    """Where fetched data sets are kept when no folder is given."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "netwright" / "data"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "netwright" / "data"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "netwright" / "data"


def get(
    name: str,
    mirror: str | None = None,
    root: Path | None = None,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> Path:
    """Fetch a data set and give the folder it stands in; files that are there and right are not fetched again.

    Args:
        name: Its name, e.g. "mnist".
        mirror: Address of a folder that holds the files, instead of the public ones; also $NETWRIGHT_MIRROR, which
            holds one folder per data set.
        root: Folder to make the data set's folder in.
        progress: Called with what is fetched, unpacked bytes so far, and bytes expected.

    Raises:
        SpecError: No data set of that name; an address that is not http or https.
        NetwrightError: No mirror could be reached, with what each of them said.
        DataError: Every mirror that answered gave wrong content.
        ResourceError: The disk is full.
    """
    if name not in KNOWN:
        raise SpecError(f'no data set is named "{name}"{nearest(name, KNOWN)}.', f"Known: {', '.join(KNOWN)}.")
    named = KNOWN[name]
    target = (root or folder()) / files.safe_name(name)
    mirrors = _mirrors(name, named, mirror)
    for file in named.files:
        if not _is_right(target / file.name, file):
            _fetch(file, mirrors, target / file.name, progress)
    return target


def _mirrors(name: str, named: Named, mirror: str | None) -> tuple[str, ...]:
    own = os.environ.get("NETWRIGHT_MIRROR")
    chosen = (mirror,) if mirror else (f"{own.rstrip('/')}/{name}",) if own else named.mirrors
    for address in chosen:
        if not address.startswith(("https://", "http://")):
            raise SpecError(f'"{address}" is no address of a mirror.', "Give one that begins with https:// or http://.")
    return tuple(address.rstrip("/") + "/" for address in chosen)


def _fetch(file: File, mirrors: tuple[str, ...], target: Path, progress: Callable[[str, int, int], None]) -> None:
    said, wrong = [], False
    for mirror in mirrors:
        try:
            _fetch_from(mirror + file.name, file, target, progress)
        except DataError as error:
            wrong = True
            said.append(f"{mirror} gave wrong content ({error.message})")
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            said.append(f"{mirror} could not be reached ({getattr(error, 'reason', error)})")
        else:
            return
    message = f"{file.name} could not be fetched: {'; '.join(said)}."
    cure = (
        f"Run the command again to go on with this file, name a mirror with --mirror, or put the file into "
        f"{files.printable(target.parent)} by hand."
    )
    raise DataError(message, cure) if wrong else NetwrightError(message, cure)


def _fetch_from(address: str, file: File, target: Path, progress: Callable[[str, int, int], None]) -> None:
    """Stream one file to its place; unpacked on the way to count and to hash it, stored as it came."""
    unpack, state, done = zlib.decompressobj(wbits=31), hashlib.sha256(), 0
    request = urllib.request.Request(address, headers={"User-Agent": "netwright"})
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer, files.writing(target) as out:
        while piece := answer.read(_PIECE_BYTES):
            out.write(piece)
            while piece:
                content = _unpacked(unpack, piece)
                state.update(content)
                done += len(content)
                if done > file.size:
                    raise DataError(f"it unpacks to more than the expected {file.size:,} bytes")
                piece = unpack.unconsumed_tail
            progress(f"fetching {file.name}", done, file.size)
        if done != file.size or not unpack.eof:
            raise DataError(f"it ends after {done:,} of {file.size:,} bytes")
        if state.hexdigest() != file.sha256:
            raise DataError(f"its SHA-256 is {state.hexdigest()[:16]}..., expected {file.sha256[:16]}...")


def _unpacked(unpack: zlib._Decompress, piece: bytes) -> bytes:
    try:
        return unpack.decompress(piece, _PIECE_BYTES * 16)  # bounded: a bomb is noticed before it fills the memory
    except zlib.error as error:
        raise DataError(f"it is no gzip file ({error})") from error


def _is_right(path: Path, file: File) -> bool:
    if not path.is_file():
        return False
    unpack, state, done = zlib.decompressobj(wbits=31), hashlib.sha256(), 0
    try:
        with path.open("rb") as packed:
            while (piece := packed.read(_PIECE_BYTES)) and done <= file.size:
                content = _unpacked(unpack, piece)
                while content:
                    state.update(content)
                    done += len(content)
                    content = _unpacked(unpack, unpack.unconsumed_tail) if unpack.unconsumed_tail else b""
    except (OSError, DataError):
        return False
    return unpack.eof and state.hexdigest() == file.sha256
