"""Every file below a folder, or member of an archive, told as a regular file or as refused with the reason.

Guarantees: nothing but regular files is opened; symbolic links are followed in a folder, each folder read once, so
loops end; in an archive links, devices and names that lead outside are refused, and nothing is ever unpacked to disk.
"""

from __future__ import annotations

import lzma
import os
import stat
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from netwright.errors import CellError, DataError
from netwright.files import printable
from netwright.readers.columns import Blobs, Members, Refusal, open_packed, packing_of, read_regular
from netwright.readers.sniff import HEAD_BYTES, PICTURES, SOUNDS, sniff

_CLUTTER = frozenset({"thumbs.db", "desktop.ini", "__macosx", "ehthumbs.db", "icon\r"})
_HEADS = 512  # members of an archive whose first bytes are kept for planning
_HEAD_BYTES = 2**16
_BOMB_RATIO = 300  # unpacked : packed; xz reaches about 100 on ordinary data
_BOMB_FLOOR = 2**30
_NOT_REGULAR = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}
_CUT = (EOFError, lzma.LZMAError, zlib.error, tarfile.TarError, OSError)


@dataclass
class Listing:
    """The files of one source, in order of their names in a folder, in their own order in an archive.

    Args:
        blobs: The regular files.
        kinds: What each holds by its first bytes, in the same order.
        refused: Everything else.
    """

    blobs: Blobs
    kinds: list[str]
    refused: list[Refusal] = field(default_factory=list)


def refusal(name: str, reason: str) -> Refusal:
    """A refused file."""
    return Refusal(printable(name), printable(name), "refused", reason)


def clutter(name: str) -> str:
    """Why a file is left aside by its name alone, e.g. hidden; empty when it is not."""
    for part in name.split("/"):
        if part.startswith("."):
            return "hidden file"
        if part.lower() in _CLUTTER:
            return "file of the operating system, not data"
    return ""


@dataclass(frozen=True)
class Signal:
    """What the files of a folder are read as.

    Args:
        name: Of the column.
        noun: One of them, in words.
        kinds: What such a file holds by its first bytes.
    """

    name: str
    noun: str
    kinds: frozenset[str]


_SIGNALS = (Signal("image", "picture", PICTURES), Signal("audio", "sound", SOUNDS))


def signal_of(kinds: list[str]) -> Signal:
    """What most files hold; pictures where there are as many.

    Args:
        kinds: Of all files.
    """
    return max(_SIGNALS, key=lambda signal: sum(kind in signal.kinds for kind in kinds))


def list_folder(root: Path) -> Listing:
    """Every file below a folder, each sniffed by its first bytes."""
    names: list[str] = []
    refused: list[Refusal] = []
    for name, reason in _walk(root):
        why = clutter(name) or reason
        if why:
            refused.append(refusal(name, why))
        else:
            names.append(name)
    kept: list[str] = []
    kinds: list[str] = []
    for name in sorted(names):
        try:
            kinds.append(sniff(read_regular(f"{root}/{name}", HEAD_BYTES)))
            kept.append(name)
        except CellError as exc:
            refused.append(refusal(name, exc.message))
    return Listing(Blobs(root, tuple(kept)), kinds, refused)


def _walk(root: Path) -> Iterator[tuple[str, str]]:
    """Pairs of (relative name, reason to refuse it or empty)."""
    seen: set[tuple[int, int]] = set()
    waiting: list[tuple[str, str]] = [(str(root), "")]
    links: list[tuple[str, str]] = []
    while waiting or links:
        # Linked folders come last, so that a folder which is also linked to keeps its own name.
        folder, prefix = waiting.pop() if waiting else links.pop(0)
        try:
            facts = os.stat(folder)  # noqa: PTH116  (folder may hold undecodable bytes; kept as plain text throughout)
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as exc:
            yield prefix.rstrip("/"), f"folder cannot be read ({exc.strerror})"
            continue
        if (facts.st_dev, facts.st_ino) in seen:
            yield prefix.rstrip("/"), "link to a folder that is read already"
            continue
        seen.add((facts.st_dev, facts.st_ino))
        for entry in entries:
            name = prefix + entry.name
            try:
                mode = entry.stat().st_mode
            except OSError as exc:
                yield name, f"broken link ({exc.strerror})" if entry.is_symlink() else f"unreadable ({exc.strerror})"
                continue
            if stat.S_ISDIR(mode) and not clutter(entry.name):
                (links if entry.is_symlink() else waiting).append((entry.path, name + "/"))
            else:
                yield name, "" if stat.S_ISREG(mode) else _NOT_REGULAR.get(stat.S_IFMT(mode), "hidden folder")


def list_archive(path: Path) -> Listing:
    """Every member of a tar archive, packed or not, read once from front to back.

    Raises:
        DataError: Cut, damaged, or a bomb that unpacks to far more than it holds.
    """
    packing = packing_of(path)
    found = _Found(packing)
    size = path.stat().st_size
    total = 0
    try:
        with open_packed(path, packing) as packed, tarfile.open(fileobj=packed, mode="r|") as tar:
            for member in tar:
                total += tarfile.BLOCKSIZE + member.size  # its header too: a million empty files are a bomb as well
                if packing and total > max(_BOMB_FLOOR, _BOMB_RATIO * size):
                    raise DataError(
                        f"{path}: unpacks to more than {total:,} bytes from {size:,}, like an archive bomb.",
                        "Unpack it by hand if you trust it, and give the folder.",
                    )
                if not packing and member.isreg() and member.offset_data + member.size > size:
                    raise EOFError
                found.add(member, tar)
            if not packing and tar.offset >= size:
                raise EOFError("no end mark")
            while packed.read(2**20):
                pass  # to the end, where the compression keeps its checksum
    except _CUT as exc:
        raise DataError(
            f"{path}: the archive is cut or damaged after {len(found.names):,} files, at {size:,} bytes "
            f"({str(exc) or type(exc).__name__}).",
            "Fetch it again and compare its size with the original.",
        ) from exc
    return found.listing(path)


class _Found:
    """The members of one archive while it is being read."""

    def __init__(self, packing: str) -> None:
        self.packing = packing
        self.names: list[str] = []
        self.kinds: list[str] = []
        self.refused: list[Refusal] = []
        self.heads: dict[int, bytes] = {}
        self._facts: list[tuple[int, int]] = []
        self._taken: set[str] = set()
        self._stride = 1

    def add(self, member: tarfile.TarInfo, tar: tarfile.TarFile) -> None:
        name = member.name.removeprefix("./")
        reason = _unsafe(member) or clutter(name)
        if not reason and name in self._taken:
            reason = "second member of the same name"
        if member.isdir() and not _unsafe(member):
            return
        if reason:
            self.refused.append(refusal(name, reason))
            return
        file = tar.extractfile(member)
        keep = bool(self.packing) and len(self.names) % self._stride == 0
        head = file.read(_HEAD_BYTES if keep else HEAD_BYTES) if file else b""
        if keep:
            self._keep_head(len(self.names), head)
        self._taken.add(name)
        self.names.append(name)
        self.kinds.append(sniff(head[:HEAD_BYTES]))
        self._facts.append((member.offset_data, member.size))

    def _keep_head(self, number: int, head: bytes) -> None:
        self.heads[number] = head
        if len(self.heads) > _HEADS:
            self._stride *= 2
            self.heads = {kept: value for kept, value in self.heads.items() if kept % self._stride == 0}

    def listing(self, path: Path) -> Listing:
        facts = np.array(self._facts, np.int64).reshape(-1, 2)
        members = Members(facts[:, 0], facts[:, 1], self.packing, self.heads)
        return Listing(Blobs(path, tuple(self.names), members), self.kinds, self.refused)


def _unsafe(member: tarfile.TarInfo) -> str:
    """Why a member of an archive is refused, or nothing."""
    name = member.name.replace("\\", "/")
    reasons = (
        (name.startswith("/") or name[1:2] == ":", "absolute path in an archive"),
        (".." in name.split("/"), "path that leads out of the archive (..)"),
        ("\x00" in name, "name with a NUL byte"),
        (member.issym() or member.islnk(), f"link in an archive (to {printable(member.linkname)})"),
        (
            not member.isdir() and (not member.isreg() or member.issparse()),
            "special member of an archive (device, pipe or sparse file)",
        ),
    )
    return next((reason for holds, reason in reasons if holds), "")


def subset(listing: Listing, keep: list[int]) -> Blobs:
    """The blobs at some places of a listing."""
    blobs = listing.blobs
    names = tuple(blobs.names[place] for place in keep)
    if blobs.members is None:
        return Blobs(blobs.root, names)
    old = blobs.members
    order = np.array(keep, np.int64)
    heads = {new: old.heads[place] for new, place in enumerate(keep) if place in old.heads}
    members = Members(old.offsets[order], old.sizes[order], old.compressed, heads)
    return Blobs(blobs.root, names, members)
