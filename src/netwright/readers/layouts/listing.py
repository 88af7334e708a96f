"""Every file below a folder, or member of an archive, told as a regular file or as refused with the reason.

Guarantees: nothing but regular files is opened; symbolic links are followed in a folder, each folder read once, so
loops end; in an archive links, devices and names that lead outside are refused, and nothing is ever unpacked to disk.
"""

from __future__ import annotations

import io
import os
import stat
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from netwright.errors import CellError, DataError
from netwright.files import printable
from netwright.readers.columns import (
    DAMAGED,
    MAX_CELL_BYTES,
    Blobs,
    Members,
    Refusal,
    most_unpacked,
    open_packed,
    packing_of,
    read_regular,
)
from netwright.readers.sniff import HEAD_BYTES, INKS, PICTURES, SOUNDS, TEXTS, sniff

_CLUTTER = frozenset({"thumbs.db", "desktop.ini", "__macosx", "ehthumbs.db", "icon\r"})
_HEADS = 512  # members of an archive whose first bytes are kept for planning
_HEAD_BYTES = 2**16
_SHOWN = 200  # characters of a member's name in a message
_MOST_HEADER = 2**18  # a path has 4,096 bytes at most, an extended attribute 65,536; tarfile holds it all in memory
_BY_HAND = "Unpack it by hand if you trust it, and give the folder."
_NOT_REGULAR = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}
_CUT = (*DAMAGED, tarfile.TarError, IndexError, RecursionError)  # the last two: tarfile on headers that lie


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
        endings: What its name ends in; anything where left out.
        weight: How much one of them counts where a folder holds several kinds of files.
    """

    name: str
    noun: str
    kinds: frozenset[str]
    endings: tuple[str, ...] = ()
    weight: float = 1.0

    def holds(self, name: str, kind: str) -> bool:
        """Whether a file is one of them.

        Args:
            name: Of the file.
            kind: What it holds by its first bytes.
        """
        return kind in self.kinds and (not self.endings or Path(name).suffix.casefold() in self.endings)


_SIGNALS = (
    Signal("image", "picture", PICTURES),
    Signal("audio", "sound", SOUNDS),
    Signal("ink", "pen ink", INKS),
    Signal("text", "text", TEXTS, (".txt", ".text", ".md"), 0.1),  # texts often lie beside what they tell about
)


_ASKED = {each.name: each for each in _SIGNALS} | {"ink": Signal("ink", "pen ink", INKS | TEXTS)}  # JSON, CSV, ...


def signal_of(listing: Listing, *, texts: bool = True, asked: str = "") -> Signal:
    """What most files hold; pictures where there are as many.

    Args:
        listing: Of all files.
        texts: Whether it may be texts.
        asked: What is asked for, where somebody said so: then files that may be such.
    """
    if asked in _ASKED:
        return _ASKED[asked]
    files = list(zip(listing.blobs.names, listing.kinds, strict=True))
    signals = _SIGNALS if texts else _SIGNALS[:-1]
    return max(signals, key=lambda signal: signal.weight * sum(signal.holds(*file) for file in files))


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
        DataError: Cut, damaged, with more behind its end mark, or a bomb that unpacks to far more than it holds.
    """
    packing = packing_of(path)
    found = _Found(packing)
    try:
        with open_packed(path, packing) as packed:
            content = _Content(path, packed, packing)
            with tarfile.open(fileobj=content, mode="r|") as tar:  # type: ignore[call-overload]  (it is only read)
                for member in tar:
                    content.expect(member, tar.offset)
                    found.add(member, tar)
                    tar.members.clear()  # tarfile keeps all that it has given, with what their headers say
                content.finish(tar.offset)
    except _CUT as exc:
        raise DataError(
            f"{path}: the archive is cut or damaged after {len(found.names):,} files, at {path.stat().st_size:,} bytes "
            f"({str(exc) or type(exc).__name__}).",
            "Fetch it again and compare its size with the original.",
        ) from exc
    return found.listing(path)


class _Content:
    """What an archive unpacks to, read by tarfile no further than members are due, whatever their headers claim.

    Args:
        path: The archive, for messages.
        packed: It, opened through its compression.
        packing: As `packing_of` names it.
    """

    def __init__(self, path: Path, packed: io.BufferedIOBase, packing: str) -> None:
        self._path, self._packed, self._packing = path, packed, packing
        self._most = most_unpacked(path) if packing else path.stat().st_size
        self._behind, self._due = "at its beginning", _MOST_HEADER
        self._at, self._last = 0, b""

    def read(self, size: int) -> bytes:
        """The next bytes.

        Raises:
            DataError: A bomb, or the headers before a member do not end.
        """
        self._last = self._packed.read(size)
        self._at += len(self._last)
        self._refuse_bomb(self._at)
        if self._at > self._due:
            raise DataError(
                f"{self._path}: the header {self._behind} takes more than {_MOST_HEADER:,} bytes, where a few "
                "thousand are usual.",
                _BY_HAND,
            )
        return self._last

    def expect(self, member: tarfile.TarInfo, end: int) -> None:
        """Lets a member's data be read, and the header behind them.

        Args:
            member: Whose header was read.
            end: Where its data end.

        Raises:
            DataError: A bomb.
            EOFError: The data go on behind the end of the file.
            ReadError: It claims more than its data.
        """
        name = printable(member.name[:_SHOWN])
        if member.isreg() and not member.issparse() and member.offset_data + member.size > end:
            raise tarfile.ReadError(f'"{name}" claims {member.size:,} bytes and has fewer')
        self._refuse_bomb(end)
        if not self._packing and end > self._most:
            raise EOFError(f'"{name}" goes on behind the end of the file')
        self._behind, self._due = f'behind "{name}"', end + _MOST_HEADER

    def finish(self, offset: int) -> None:
        """Reads what is left, to where the compression keeps its checksum.

        Args:
            offset: Where tarfile found no further header.

        Raises:
            DataError: A further header stands there; anything else may fill the last record.
            EOFError: No end mark stands there.
        """
        start = offset - self._at + len(self._last)
        block = self._last[start : start + tarfile.BLOCKSIZE] if start >= 0 else b""
        if block.count(0) < tarfile.BLOCKSIZE:
            whole = len(block) == tarfile.BLOCKSIZE
            raise EOFError(f"the header {self._behind} is damaged" if whole else "no end mark")
        self._due = sys.maxsize
        rest = self._last[start:]
        while rest:
            blocks = (rest[at : at + tarfile.BLOCKSIZE] for at in range(0, len(rest), tarfile.BLOCKSIZE))
            if any(_is_header(block) for block in blocks if block.count(0) < len(block)):
                raise DataError(
                    f"{self._path}: more stands behind its end mark, as where archives were joined.",
                    "Unpack it by hand (tar -xi reads on behind an end mark), and give the folder.",
                )
            rest = self.read(2**20)

    def _refuse_bomb(self, unpacked: int) -> None:
        if self._packing and unpacked > self._most:
            raise DataError(
                f"{self._path}: unpacks to more than {self._most:,} bytes from {self._path.stat().st_size:,}, like an "
                "archive bomb.",
                _BY_HAND,
            )


def _is_header(block: bytes) -> bool:
    """Whether a block has the checksum of a member's header."""
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


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
        if not reason and member.size > MAX_CELL_BYTES:
            reason = f"has {member.size:,} bytes, more than {MAX_CELL_BYTES:,}."
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
