"""What a file is, told by its first bytes and never by its name."""

from __future__ import annotations

import re

from netwright.readers.encodings import encoding_of

HEAD_BYTES = 512  # as much of a file as `sniff` can use: a tar header is one block of 512 bytes

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"BZh", "bzip2"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"PAR1", "parquet"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"\x93NUMPY", "npy"),
    (b"SQLite format 3\x00", "sqlite"),
    (b"%PDF", "pdf"),
    (b"\x7fELF", "program"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old office file"),
    (b"\x80\x02", "pickle"),
    (b"\x80\x03", "pickle"),
    (b"\x80\x04", "pickle"),
    (b"\x80\x05", "pickle"),
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
    (b"ID3", "mp3"),
)
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_IDX_TYPES = b"\x08\x09\x0b\x0c\x0d\x0e"

INKS = frozenset({"ink"})
TEXTS = frozenset({"text", "xml", "html"})
PACKED = frozenset({"gzip", "xz", "bzip2"})
SOUNDS = frozenset({"wav", "flac", "ogg", "mp3"})
PICTURES = frozenset({"jpeg", "png", "gif", "bmp", "webp", "tiff"})
HEIF = "a HEIC or AVIF photograph, which has to be saved as JPEG first"
_HEIF = frozenset(
    (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
)


_IN_XML = ((b"<html", "html"), (b"<ink", "ink"), (b"<whiteboardcapturesession", "ink"))
_UNIPEN = re.compile(rb"\.(version|coord|pen_down|include|hierarchy)\b")


def sniff(head: bytes) -> str:
    r"""The kind of file that begins with these bytes.

    Args:
        head: The first `HEAD_BYTES` bytes of a file, fewer if it is shorter.

    Returns:
        A word such as "jpeg", "png", "gif", "bmp", "webp", "tiff", "gzip", "xz", "tar", "zip", "parquet", "idx",
        "html", "xml", "ink", "text", "empty"; "unknown" for bytes that are none of these.

    Example:
        >>> sniff(b"GIF89a..."), sniff(b" <!DOCTYPE html><title>404</title>"), sniff(b"a,b\n1,2\n"), sniff(b"")
        ('gif', 'html', 'text', 'empty')
    """
    if not head:
        return "empty"
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF":
        return {b"WEBP": "webp", b"WAVE": "wav", b"AVI ": "avi"}.get(head[8:12], "unknown")
    return _sniff_later(head) or _sniff_text(head)


def is_no(noun: str, kind: str) -> str:
    """Why a file is not what it should be, in words.

    Args:
        noun: What it should be.
        kind: What `sniff` found.

    Example:
        >>> is_no("picture", "html"), is_no("sound", "empty"), is_no("text", "unknown")
        ('not a picture (holds html)', 'empty file (0 bytes)', 'not a text')
    """
    if kind == "empty":
        return "empty file (0 bytes)"
    return f"not a {noun}" if kind in {"", "unknown"} else f"not a {noun} (holds {kind})"


def _sniff_later(head: bytes) -> str:
    """Formats told by bytes further inside."""
    if head[4:8] == b"ftyp":
        return HEIF if head[8:12] in _HEIF else "mp4"
    if head[257:262] == b"ustar":
        return "tar"
    layer_three = len(head) >= 3 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2
    if layer_three and head[2] & 0xF0 != 0xF0 and head[2] & 0x0C != 0x0C:
        return "mp3"  # a frame of MPEG audio, without the tag that most files begin with
    idx = head[:2] == b"\x00\x00" and len(head) >= 4 and head[2] in _IDX_TYPES and 1 <= head[3] <= 8
    return "idx" if idx else ""


def _sniff_text(head: bytes) -> str:
    encoding, skipped = encoding_of(head)
    plain = head[skipped:].decode(encoding, "replace").encode() if encoding.startswith("utf-16") else head
    start = plain.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "html"
    if start.startswith((b"<ink", b"<whiteboardcapturesession")) or _UNIPEN.match(start):
        return "ink"
    if start.startswith((b"<?xml", b"<svg")):
        found = (name for mark, name in _IN_XML if mark in start)
        return next(found, "xml")
    if head.startswith(_BOMS):
        return "text"
    # UTF-16 without a mark has a zero in every other byte; anything else with many control bytes is no text.
    zeros = (head[0::2].count(0), head[1::2].count(0))
    if max(zeros) > len(head) // 4 and min(zeros) == 0:
        return "text"
    control = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head)
    return "text" if control * 20 <= len(head) else "unknown"
