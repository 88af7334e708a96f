import codecs

import pytest

from netwright.readers.encodings import decoded, encoding_of

TEXT = "caf\u00e9 \U0001f469\n"


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (b"", "utf-16-le"),
        (b"", "utf-16-be"),
    ],
)
def test_a_text_is_the_same_however_it_is_encoded(mark: bytes, encoding: str) -> None:
    assert decoded(mark + TEXT.encode(encoding)) == TEXT


def test_a_few_lost_bytes_do_not_make_another_encoding() -> None:
    text = "Größe, Übung und Straße. " * 20
    raw = bytearray(text.encode())
    raw[raw.index("ß".encode())] = 0x20  # what is left of the letter is none
    assert decoded(bytes(raw)) == text.replace("ß", " \N{REPLACEMENT CHARACTER}", 1)
    assert decoded("é".encode()[:1] + text.encode()).endswith(text)  # cut within a letter
    assert decoded(text.encode("cp1252")) == text


def test_what_is_neither_is_what_old_windows_programs_wrote() -> None:
    assert decoded("caf\u00e9".encode("cp1252")) == "caf\u00e9"
    assert encoding_of(b"") == encoding_of(b"abcd") == ("", 0)


def test_a_torn_character_at_the_end_spoils_nothing_else() -> None:
    assert decoded(codecs.BOM_UTF16_LE + "abc".encode("utf-16-le")[:-1]) == "ab\ufffd"
