import io

import numpy as np
import pytest
from PIL import Image

from netwright.errors import CellError
from netwright.readers.pictures import Frame, decode, decode_several, header, png


def encoded(pixels: np.ndarray, form: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form)
    return buffer.getvalue()


def ramp(height: int, width: int) -> np.ndarray:
    return np.arange(height * width * 3, dtype=np.uint64).reshape(height, width, 3).astype(np.uint8)


def test_a_picture_of_the_right_size_is_untouched() -> None:
    pixels = ramp(6, 9)
    assert np.array_equal(decode(encoded(pixels), Frame(6, 9, 3)), pixels)


def test_png_round_trip() -> None:
    pixels = ramp(5, 4)
    assert np.array_equal(decode(png(pixels), Frame(5, 4, 3)), pixels)
    gray = pixels[:, :, :1]
    assert np.array_equal(decode(png(gray), Frame(5, 4, 1)), gray)


def test_cover_crops_the_middle() -> None:
    pixels = np.zeros((8, 24, 3), np.uint8)
    pixels[:, 8:16] = 200  # only the middle third is bright
    assert (decode(encoded(pixels), Frame(8, 8, 3)) == 200).all()
    assert (decode(encoded(pixels.transpose(1, 0, 2)), Frame(8, 8, 3)) == 200).all()


def test_scaling_keeps_a_flat_picture_flat() -> None:
    flat = np.full((100, 60, 3), 77, np.uint8)
    for frame in (Frame(10, 6, 3), Frame(200, 120, 3), Frame(7, 31, 3)):
        assert (decode(encoded(flat), frame) == 77).all()


def test_big_jpeg_is_scaled_while_decoding_and_always_the_same() -> None:
    y, x = np.mgrid[0:1200, 0:1600]
    photo = np.stack([x * 255 // 1600, y * 255 // 1200, (x + y) * 255 // 2800], axis=2).astype(np.uint8)
    raw = encoded(photo, "JPEG")
    small = decode(raw, Frame(120, 160, 3))
    exact = np.asarray(Image.fromarray(photo).resize((160, 120), Image.Resampling.BOX)).astype(int)
    assert np.abs(small.astype(int) - exact).max() <= 4
    assert np.array_equal(small, decode(raw, Frame(120, 160, 3)))


def test_gray_and_colour() -> None:
    red = np.zeros((2, 2, 3), np.uint8)
    red[:, :, 0] = 255
    assert (decode(encoded(red), Frame(2, 2, 1)) == 76).all()  # 0.299 of 255
    gray = np.full((2, 2), 9, np.uint8)
    assert (decode(encoded(gray), Frame(2, 2, 3)) == 9).all()


def test_header_tells_size_and_colour() -> None:
    assert header(encoded(ramp(5, 7))).height == 5
    assert not header(encoded(ramp(5, 7))).gray
    found = header(encoded(np.zeros((5, 7), np.uint8), "JPEG"))
    assert (found.height, found.width, found.gray) == (5, 7, True)


def test_header_of_text_is_refused() -> None:
    with pytest.raises(CellError, match="holds text, not a picture"):
        header(b"hello there")


def test_a_frame_of_other_proportions_is_cut_where_its_place_says() -> None:
    pixels = np.repeat(np.arange(8, dtype=np.uint8)[None, :, None] * 30, 2, axis=0)
    found = decode_several(png(pixels), [Frame(2, 2, 1, place) for place in (0.0, 0.5, 1.0)])
    assert [each[0, :, 0].tolist() for each in found] == [[0, 30], [90, 120], [180, 210]]
    assert np.array_equal(found[1], decode(png(pixels), Frame(2, 2, 1)))
