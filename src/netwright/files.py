"""Files that survive: a reader sees the old content or the new content, whole, whatever killed the writer.

Every atomic write is: a temporary file beside the target, written, fsynced, renamed over the target, then the folder
fsynced. After a power loss the name therefore never points at half a file. A full disk leaves the old file untouched
and becomes a `ResourceError` that states the megabytes needed and free; a folder that is read-only or gone becomes a
`NetwrightError` that names it. Temporaries that a killed process left behind are recognised by name and swept.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
import secrets
import shutil
import socket
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import filelock
import psutil

from netwright.errors import NetwrightError, ResourceError

_MB = 1024 * 1024
_TEMPORARY = re.compile(r"^\.tmp-(?P<host>[0-9a-f]{8})-(?P<pid>\d+)-[0-9a-f]{8}$")
_FOREIGN_LEFTOVER_SECONDS = 24 * 3600  # another host's process cannot be asked whether it lives
_DEVICE_NAMES = frozenset(["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))])


# ---- atomic writes ---------------------------------------------------------------------------------------------------


def write_bytes(path: Path, data: bytes) -> None:
    """Put bytes into a file, atomically and durably; missing parent folders are made.

    Raises:
        ResourceError: The disk is full or failed; the old file is untouched.
        NetwrightError: The folder is read-only, is not a folder, or may not be written.
    """
    with writing(path, needed_bytes=len(data)) as file:
        file.write(data)


def write_text(path: Path, text: str) -> None:
    """Put text into a file as UTF-8, line ends as they are; see `write_bytes`."""
    write_bytes(path, text.encode("utf-8", "surrogateescape"))


@contextmanager
def writing(path: Path, needed_bytes: int = 0) -> Iterator[BinaryIO]:
    """A binary file to write into; it takes the name `path` only when the block ends without an exception.

    Args:
        path: Where the content is to stand.
        needed_bytes: Expected size, for the message should the disk be full; 0 when unknown.

    Raises:
        ResourceError: The disk is full or failed; the old file is untouched.
        NetwrightError: The folder is read-only, is not a folder, or may not be written.
    """
    with explained(path, needed_bytes):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.parent / _temporary_name()
        try:
            with temporary.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):  # the first error is the one worth telling
                temporary.unlink()
            raise
        sync_folder(path.parent)


@contextmanager
def making_folder(path: Path, needed_bytes: int = 0) -> Iterator[Path]:
    """A new empty folder to fill; it takes the name `path` only when the block ends without an exception.

    Every file in it is fsynced before the rename, so a folder that has its name has its whole content. The target
    must not exist or must be an empty folder: a full folder is never replaced behind a reader's back.

    Args:
        path: The name the finished folder takes.
        needed_bytes: Expected size, for the message should the disk be full; 0 when unknown.

    Raises:
        ResourceError: The disk is full or failed; nothing stands under the name.
        NetwrightError: The parent folder is read-only or gone, or `path` exists and has content.
    """
    with explained(path, needed_bytes):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.parent / _temporary_name()
        temporary.mkdir()
        try:
            yield temporary
            _sync_tree(temporary)
            temporary.rename(path)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        sync_folder(path.parent)


def append(path: Path, text: str, *, durable: bool = True) -> None:
    """Add text at the end of a file; a full disk leaves no torn line behind.

    Args:
        path: The file.
        text: What is added.
        durable: Wait until the disk has it. Without, it outlives this process but not a power cut, and takes no
            milliseconds.

    Raises:
        ResourceError: The disk is full or failed; the file ends where it ended before.
        NetwrightError: The folder is read-only or gone.
    """
    data = text.encode("utf-8", "surrogateescape")
    with explained(path, len(data)):
        created = not path.exists()
        with path.open("ab", buffering=0) as file:
            before = file.seek(0, io.SEEK_END)
            try:
                view = memoryview(data)
                while view:
                    view = view[file.write(view) :]
                if durable:
                    os.fsync(file.fileno())
            except OSError:
                with suppress(OSError):
                    file.truncate(before)
                raise
        if created:
            sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable (a rename is not, until its folder is fsynced)."""
    if os.name == "nt":  # pragma: no cover - Windows cannot open a folder, and its renames are journalled
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_tree(folder: Path) -> None:
    for entry in folder.rglob("*"):
        if entry.is_dir():
            sync_folder(entry)
        else:
            with entry.open("rb+") as file:
                os.fsync(file.fileno())
    sync_folder(folder)


def sweep(folder: Path) -> int:
    """Delete what killed writers left in a folder; temporaries of living processes stay.

    Returns:
        How many leftovers were deleted.
    """
    swept = 0
    for entry in folder.iterdir() if folder.is_dir() else ():
        if _is_leftover(entry):
            with suppress(OSError):  # another process may sweep the same folder
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
                swept += 1
    return swept


def _temporary_name() -> str:
    # Short and independent of the target: a target with a name of 255 bytes leaves no room for a suffix.
    return f".tmp-{_host_hash()}-{os.getpid()}-{secrets.token_hex(4)}"


def _host_hash() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def _is_leftover(entry: Path) -> bool:
    match = _TEMPORARY.match(entry.name)
    if match is None:
        return False
    if match["host"] == _host_hash():
        return int(match["pid"]) != os.getpid() and not psutil.pid_exists(int(match["pid"]))
    with suppress(OSError):
        return time.time() - entry.stat().st_mtime > _FOREIGN_LEFTOVER_SECONDS
    return False


# ---- errors of the machine in words ----------------------------------------------------------------------------------


@contextmanager
def explained(path: Path, needed_bytes: int = 0) -> Iterator[None]:
    """Turn the operating system's errors about one path into errors a person can act on.

    Args:
        path: The file or folder being written.
        needed_bytes: What the write needs, for the message on a full disk; 0 when unknown.

    Raises:
        ResourceError: Disk full, quota used up, input/output error, too many open files.
        NetwrightError: Read-only, not allowed, folder gone, name too long, or a file where a folder should be.
    """
    try:
        yield
    except OSError as error:
        told = _told(error, path, needed_bytes)
        if told is None:
            raise
        raise told from error


def _told(error: OSError, path: Path, needed_bytes: int) -> NetwrightError | None:
    shown = printable(path)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        needed = f"{needed_bytes / _MB:.1f} MB needed, " if needed_bytes else ""
        return ResourceError(
            f"{shown} cannot be written: the disk is full ({needed}{free_mb(path):.1f} MB free).",
            "Free some space, or name another folder; what stood there before is untouched.",
        )
    if error.errno == errno.EIO:
        return ResourceError(
            f"{shown} cannot be written: the disk reports an input/output error.",
            "Check the disk (dmesg, smartctl), or name a folder on another one.",
        )
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return ResourceError(
            f"{shown} cannot be opened: this process has too many open files.",
            "Raise the limit with `ulimit -n 4096`.",
        )
    words = {
        errno.EROFS: ("its file system is read-only", "Name a folder that can be written."),
        errno.EACCES: ("permission denied", "Name a folder that you may write to, or change its permissions."),
        errno.EPERM: ("the system does not permit it", "Name a folder that you may write to."),
        errno.ENOENT: ("its folder is gone", "Was it deleted or unmounted meanwhile? Make it again or name another."),
        errno.ENOTDIR: ("a part of the path is a file, not a folder", "Name another folder."),
        errno.EISDIR: ("a folder of that name is in the way", "Name another file."),
        errno.EEXIST: ("something of that name exists already", "Name another folder, or remove it."),
        errno.ENOTEMPTY: ("a folder of that name exists already", "Name another folder, or remove it."),
        errno.ENAMETOOLONG: ("the name is too long", "Choose a shorter name."),
    }
    if error.errno not in words or not _concerns(error, path):
        return None
    fact, cure = words[error.errno]
    return NetwrightError(f"{shown} cannot be written: {fact}.", cure)


def _concerns(error: OSError, path: Path) -> bool:
    """Whether the error is about `path` or its folder, not about something else that the caller's block opened."""
    if error.filename is None:
        return True
    culprit = Path(os.fsdecode(error.filename)).absolute()
    here = path.absolute()
    return culprit.is_relative_to(here.parent) or here.is_relative_to(culprit)


def free_mb(path: Path) -> float:
    """Free space in MB on the file system that holds `path`, or would hold it."""
    for folder in (path, *path.absolute().parents):
        with suppress(OSError):
            return shutil.disk_usage(folder).free / _MB
    return 0.0


def require_space(path: Path, needed_bytes: int, what: str) -> None:
    """Refuse early what would fill the disk.

    Args:
        path: Where it is to be written.
        needed_bytes: How much it needs.
        what: What is to be written, for the message, e.g. "the cache of photos/".

    Raises:
        ResourceError: Less is free than needed.
    """
    free = free_mb(path)
    if needed_bytes > free * _MB:
        raise ResourceError(
            f"{what} does not fit: {needed_bytes / _MB:,.0f} MB needed, {free:,.0f} MB free at {printable(path)}.",
            "Free some space, or name a folder on another disk.",
        )


# ---- checksums and names ---------------------------------------------------------------------------------------------


def sha256(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def printable(path: Path | str) -> str:
    r"""A path as one line that any terminal and any JSON file can take (bytes that are no UTF-8 become `\xff`).

    Example:
        >>> printable("a" + chr(0xDCFF) + ".jpg"), printable("a" + chr(10) + "b")
        ('a\\xff.jpg', 'a\\nb')
    """
    try:
        data = str(path).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a surrogate pair, as text in memory may hold
        data = str(path).encode("utf-8", "backslashreplace")
    return data.decode("utf-8", "backslashreplace").replace("\n", "\\n")


def safe_name(text: str, longest_bytes: int = 80) -> str:
    """A name that is one harmless path component on every system, and the same for the same text.

    Letters and digits of any script, `-`, `_` and `.` stay. A text that had to be changed gets a short hash of the
    original, so two different texts do not fall on one name.

    Args:
        text: Any text: a class name, a run's title, a name found in a file.
        longest_bytes: Cut to so many bytes of UTF-8, 16 or more.

    Example:
        >>> safe_name("photos"), safe_name("../../etc/passwd"), safe_name("con")
        ('photos', 'etc-passwd-3754d6cb', 'con-1143da2b')
    """
    normal = unicodedata.normalize("NFC", text)
    name = re.sub(r"[^\w.-]+", "-", normal).strip("-. ")
    name = re.sub(r"\.{2,}|-{2,}", "-", name)
    reserved = name.casefold().partition(".")[0] in _DEVICE_NAMES
    if name == text and name and not reserved and len(name.encode()) <= longest_bytes:
        return name
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    room = longest_bytes - len(digest) - 1
    stem = name.encode("utf-8", "ignore")[:room].decode("utf-8", "ignore").strip("-.")
    stem = stem.replace(".", "-", 1) if reserved else stem
    return f"{stem}-{digest}" if stem else digest


# ---- locks -----------------------------------------------------------------------------------------------------------


@contextmanager
def lock(path: Path, what: str, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold a lock file while the block runs; the kernel frees it when the holder dies, however it dies.

    Args:
        path: The lock file; `<path>.holder` beside it says who holds it.
        what: What is being guarded, for the message, e.g. "the run runs/photos-1".
        wait_seconds: How long to wait for the other holder.

    Raises:
        NetwrightError: Somebody else holds it; names the process, its host and since when.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        guard = filelock.FileLock(path, thread_local=False)
        try:
            guard.acquire(timeout=wait_seconds)
        except filelock.Timeout:
            raise NetwrightError(
                f"{what} is in use by {_holder(path)}.",
                "Wait until it has finished, or stop it first.",
            ) from None
    try:
        _record_holder(path)
        yield
    finally:
        with suppress(OSError):  # the folder may have been deleted meanwhile
            _holder_file(path).unlink()
        guard.release()


def _holder_file(path: Path) -> Path:
    return path.with_name(path.name + ".holder")


def _record_holder(path: Path) -> None:
    facts = {"pid": os.getpid(), "host": socket.gethostname(), "since_utc": time.strftime("%F %T", time.gmtime())}
    with suppress(OSError):  # only the message needs it; the lock itself is held
        _holder_file(path).write_text(json.dumps(facts), encoding="utf-8")


def _holder(path: Path) -> str:
    try:
        facts = json.loads(_holder_file(path).read_text(encoding="utf-8"))
        return f"process {facts['pid']} on {facts['host']} since {facts['since_utc']} UTC"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
