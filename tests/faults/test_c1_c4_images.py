"""C1 damaged pictures, C2 picture bombs, C3 unusual pixels, C4 files that are not what their name says."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netwright.errors import CellError
from netwright.readers import Found, find
from netwright.readers.kinds.image import Image as ImageKind
from netwright.readers.pictures import Frame, decode
from netwright.spec import InputSpec


def encoded(pixels: np.ndarray, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form, **options)
    return buffer.getvalue()


def noise(height: int = 24, width: int = 24) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)


def good_folder(root: Path) -> Path:
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        (root / name / "good.png").write_bytes(encoded(noise()))
    return root


def read(found: Found) -> tuple[np.ndarray, dict[str, str]]:
    """All pictures of a folder, and the reasons by id."""
    kind = ImageKind()
    field, _ = kind.plan("image", found.columns["image"], InputSpec.model_validate({}), found)
    sink = np.zeros((len(found), *field.shape), np.uint8)
    failed = kind.read(found.columns["image"], field, np.arange(len(found)), sink, lambda _: None)
    return sink, {found.where(place): reason for place, reason in failed.items()}


def test_c4_photographs_of_a_telephone_are_told_by_their_name_and_what_to_do(tmp_path: Path) -> None:
    root = good_folder(tmp_path)
    brands = {"cat/new.avif": b"avif", "dog/phone.heic": b"heic", "dog/other.heif": b"mif1"}
    for name, brand in brands.items():
        (root / name).write_bytes(b"\x00\x00\x00\x18ftyp" + brand + b"\x00\x00\x00\x00mif1" + bytes(64))
    found = find(root)
    told = {item.where: item.reason for item in found.refused}
    assert told.keys() == brands.keys()
    assert all("HEIC or AVIF" in reason and "saved as JPEG" in reason for reason in told.values())
    with pytest.raises(CellError, match="is a HEIC or AVIF photograph, which has to be saved as JPEG first"):
        decode((root / "dog" / "phone.heic").read_bytes(), Frame(8, 8, 3))


def test_c1_truncated_empty_and_corrupt_pictures_are_named_and_counted(tmp_path: Path) -> None:
    root = good_folder(tmp_path)
    jpeg, whole = encoded(noise(), "JPEG"), encoded(noise())
    (root / "cat" / "cut.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    (root / "cat" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (root / "dog" / "flipped.png").write_bytes(whole[:60] + bytes(40) + whole[100:])
    (root / "dog" / "empty.jpg").write_bytes(b"")
    (root / "dog" / "head only.png").write_bytes(whole[:8])
    found = find(root)
    assert {item.where: item.reason for item in found.refused} == {"dog/empty.jpg": "empty file (0 bytes)"}
    sink, failed = read(found)
    assert failed.keys() == {"cat/cut.jpg", "cat/cut.png", "dog/flipped.png", "dog/head only.png"}
    assert "damaged JPEG" in failed["cat/cut.jpg"]
    good = [place for place in range(len(found)) if found.where(place).endswith("good.png")]
    assert all(np.array_equal(sink[place], noise()) for place in good)
    assert len(found) + len(found.refused) == 7


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"])
def test_c1_every_cut_and_flip_gives_pixels_or_a_reason(form: str) -> None:
    raw = encoded(noise(9, 11), form)
    frame = Frame(9, 11, 3)
    damaged = [raw[:length] for length in range(0, len(raw), 7)]
    damaged += [raw[:place] + bytes([raw[place] ^ 0xFF]) + raw[place + 1 :] for place in range(0, len(raw), 5)]
    for piece in damaged:
        try:
            pixels = decode(piece, frame)
        except CellError:
            continue
        assert pixels.shape == (9, 11, 3)


def png_claiming(width: int, height: int) -> bytes:
    """A few hundred bytes that claim to be a huge picture."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = zlib.compress(bytes(100_000))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(100_000, 100_000), (10_000, 10_000), (9_460, 9_460)])
def test_c2_picture_bomb_is_refused_before_decoding(width: int, height: int) -> None:
    with pytest.raises(CellError, match="is too large"):
        decode(png_claiming(width, height), Frame(8, 8, 3))


def test_c2_picture_bomb_in_a_folder_is_one_reason_among_good_pictures(tmp_path: Path) -> None:
    root = good_folder(tmp_path)
    (root / "cat" / "bomb.png").write_bytes(png_claiming(100_000, 100_000))
    _, failed = read(find(root))
    assert failed.keys() == {"cat/bomb.png"}


def test_c3_16_bits_are_scaled() -> None:
    values = np.array([[0, 257, 257 * 100, 65_535]], np.uint16)
    assert decode(encoded(values), Frame(1, 4, 1))[0, :, 0].tolist() == [0, 1, 100, 255]
    assert decode(encoded(values, "TIFF"), Frame(1, 4, 1))[0, :, 0].tolist() == [0, 1, 100, 255]


def test_c3_float_pictures_are_scaled_or_refused() -> None:
    assert decode(encoded(np.array([[0, 0.5, 1]], np.float32), "TIFF"), Frame(1, 3, 1))[0, :, 0].tolist() == [
        0,
        128,
        255,
    ]
    with pytest.raises(CellError, match="what is white is not stated"):
        decode(encoded(np.array([[0, 300.0]], np.float32), "TIFF"), Frame(1, 2, 1))


def test_c3_transparency_is_laid_on_white() -> None:
    pixels = np.zeros((1, 3, 4), np.uint8)
    pixels[0, :, 0] = 255  # red
    pixels[0, :, 3] = (0, 255, 128)
    assert decode(encoded(pixels), Frame(1, 3, 3)).tolist() == [[[255, 255, 255], [255, 0, 0], [255, 127, 127]]]


@pytest.mark.parametrize("form", ["PNG", "GIF"])
def test_c3_palette_with_transparency_is_laid_on_white(form: str) -> None:
    image = Image.fromarray(np.array([[0, 1]], np.uint8), "L").convert("P")
    image.putpalette([255, 0, 0, 0, 0, 255])
    buffer = io.BytesIO()
    image.save(buffer, form, transparency=0)
    assert decode(buffer.getvalue(), Frame(1, 2, 3)).tolist() == [[[255, 255, 255], [0, 0, 255]]]


def test_c3_cmyk() -> None:
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=100)
    red, green, blue = decode(buffer.getvalue(), Frame(8, 8, 3))[4, 4].tolist()
    assert red > 245
    assert max(green, blue) < 10


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_c3_turn_noted_by_the_camera_is_applied(form: str) -> None:
    upright = np.zeros((16, 32, 3), np.uint8)
    upright[:, 16:] = 255  # the right half is white
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    turned = decode(encoded(upright, form, exif=exif), Frame(32, 16, 3))
    assert turned[:12].mean() < 20  # what was left is now on top
    assert turned[20:].mean() > 235


def test_c3_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ((200, 0, 0), (0, 200, 0))]
    for form in ("GIF", "PNG", "WEBP", "TIFF"):
        buffer = io.BytesIO()
        options = {"lossless": True} if form == "WEBP" else {}
        frames[0].save(buffer, form, save_all=True, append_images=frames[1:], **options)
        assert decode(buffer.getvalue(), Frame(4, 4, 3))[0, 0].tolist() == [200, 0, 0]


def test_c4_content_decides_not_the_name(tmp_path: Path) -> None:
    root = good_folder(tmp_path)
    (root / "cat" / "really jpeg.png").write_bytes(encoded(noise(), "JPEG"))
    (root / "cat" / "no suffix").write_bytes(encoded(noise()))
    (root / "dog" / "page.jpg").write_bytes(b"<!DOCTYPE html><html>404</html>")
    (root / "dog" / "words.png").write_text("hello")
    (root / "dog" / "folder.jpg").mkdir()
    found = find(root)
    assert "cat/really jpeg.png" in found.ids.to_pylist()
    assert "cat/no suffix" in found.ids.to_pylist()
    assert {item.where: item.reason for item in found.refused} == {
        "dog/page.jpg": "not a picture (holds html)",
        "dog/words.png": "not a picture (holds text)",
    }
    assert not read(found)[1]


def test_c4_loops_pipes_devices_and_sockets_are_never_opened(tmp_path: Path) -> None:
    root = good_folder(tmp_path / "photos")
    (root / "cat" / "loop").symlink_to(root)
    (root / "cat" / "self.png").symlink_to(root / "cat" / "self.png")
    (root / "cat" / "gone.png").symlink_to(root / "nowhere.png")
    (root / "cat" / "zero.png").symlink_to("/dev/zero")
    (root / "cat" / "linked.png").symlink_to(root / "cat" / "good.png")
    os.mkfifo(root / "dog" / "pipe.jpg")
    found = find(root)
    assert found.ids.to_pylist() == ["cat/good.png", "cat/linked.png", "dog/good.png"]
    reasons = {item.where: item.reason for item in found.refused}
    assert reasons["cat/loop"] == "link to a folder that is read already"
    assert reasons["cat/gone.png"].startswith("broken link")
    assert reasons["cat/self.png"].startswith("broken link")
    assert reasons["cat/zero.png"] == "a device"
    assert reasons["dog/pipe.jpg"] == "a named pipe"


def test_c4_a_folder_linked_twice_is_read_once(tmp_path: Path) -> None:
    root = good_folder(tmp_path)
    (root / "another").symlink_to(root / "cat")
    found = find(root)
    assert found.ids.to_pylist() == ["cat/good.png", "dog/good.png"]
    assert [item.reason for item in found.refused] == ["link to a folder that is read already"]
