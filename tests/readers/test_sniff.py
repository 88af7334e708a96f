import io
import tarfile

import numpy as np
import pytest
from PIL import Image

from netwright.readers.sniff import PICTURES, sniff


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"])
def test_pictures_are_told_by_their_first_bytes(name: str) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(buffer, name)
    assert sniff(buffer.getvalue()[:512]) == name.lower()
    assert name.lower() in PICTURES


def test_a_tar_is_told_by_its_header() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("a"), io.BytesIO())
    assert sniff(buffer.getvalue()[:512]) == "tar"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"a,b\n1,2\n", "text"),
        ("a;b".encode("utf-16"), "text"),
        ("naïve;b".encode("cp1252"), "text"),
        ("a,b\n1,2".encode("utf-16-le"), "text"),
        (b"\n <!DOCTYPE html><html>", "html"),
        (b"<?xml version='1.0'?><html>", "html"),
        (b"<?xml version='1.0'?><svg/>", "xml"),
        (b"<?xml version='1.0'?><ink xmlns='http://www.w3.org/2003/InkML'>", "ink"),
        (b"<?xml version='1.0'?>\n<WhiteboardCaptureSession>", "ink"),
        (b"<ink><trace>0 0</trace></ink>", "ink"),
        ("<?xml version='1.0'?><ink/>".encode("utf-16"), "ink"),
        (b".VERSION 1.0\n.COORD X Y T\n", "ink"),
        (b".versions of a text", "text"),
        (b"\x00\x00\x08\x03\x00\x00\xea\x60", "idx"),
        (b"PAR1", "parquet"),
        (b"RIFF\x00\x00\x00\x00WAVE", "wav"),
        (b"\x00\x00\x00\x20ftypisom", "mp4"),
        (b"\x80\x04\x95", "pickle"),
        (bytes(range(64)), "unknown"),
        (b"", "empty"),
    ],
)
def test_other_kinds(head: bytes, kind: str) -> None:
    assert sniff(head) == kind
