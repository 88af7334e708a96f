"""How the bytes of a text are encoded: told by its mark, or by where zeros stand in it."""

from __future__ import annotations

import codecs

BROKEN = "\N{REPLACEMENT CHARACTER}"  # in place of bytes that are no letter
_HEAD = 4096  # bytes that are looked at
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def encoding_of(head: bytes) -> tuple[str, int]:
    r"""The encoding that a text's first bytes show, and how many of them are its mark; "" where they show none.

    Args:
        head: The beginning of the text.

    Example:
        >>> encoding_of(b"\xff\xfea\x00"), encoding_of(b"a\x00b\x00"), encoding_of(b"ab")
        (('utf-16-le', 2), ('utf-16-le', 0), ('', 0))
    """
    head = head[:_HEAD]
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if len(head) < 4 or max(even, odd) * 2 < len(head) // 2 or min(even, odd) * 20 > max(even, odd):
        return "", 0
    return ("utf-16-be" if even > odd else "utf-16-le"), 0


def decoded(raw: bytes) -> str:
    r"""The text of a file: in the encoding that it shows, UTF-8, or what old Windows programs wrote.

    A UTF-8 text may have lost some bytes: where fewer of its letters are broken than whole, it stays one.

    Args:
        raw: Its bytes.

    Example:
        >>> decoded(b"M\xc3\xbcnchen, K\xc3\xb6ln\xff"), decoded(b"M\xfcnchen")
        ('München, Köln�', 'München')
    """
    encoding, skipped = encoding_of(raw)
    if encoding not in {"", "utf-8"}:
        return raw[skipped:].decode(encoding, "replace")
    try:
        return raw[skipped:].decode("utf-8")
    except UnicodeDecodeError:
        text = raw[skipped:].decode("utf-8", "replace")
    broken = text.count(BROKEN)
    whole = sum(letter > "\x7f" for letter in text) - broken
    return text if skipped or whole > broken else raw.decode("cp1252", "replace")
