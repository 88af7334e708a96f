"""Bytes of a picture file to one array of pixels, the same array on every machine and in every thread.

Guarantees: at most `MAX_PIXELS` pixels are ever decoded; 16 bits are scaled, not clipped; transparency is laid on
white; the turn noted by the camera is applied; of an animation the first frame counts. Imports neither torch nor
pyarrow, so that a decoding child process starts quickly.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from netwright.errors import CellError
from netwright.readers.sniff import HEAD_BYTES, HEIF, PICTURES, sniff

MAX_PIXELS = 89_478_485  # Pillow's own bound: above it Pillow would warn, we refuse before decoding
_TURNED = 5  # EXIF orientations 5 to 8 swap height and width
_ORIENTATION = 0x0112

# What Pillow raises on damaged files; its parsers are many and so are the types.
DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    EOFError,
    OverflowError,
    ZeroDivisionError,
    NotImplementedError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    UserWarning,  # where warnings are errors
)
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
# "Corrupt EXIF data" and the like, which name no file: pixels count, and pixels that are missing raise.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


@dataclass(frozen=True)
class Frame:
    """The form every picture of a field is brought to.

    Args:
        height: Pixels.
        width: Pixels.
        channels: 1 for gray, 3 for red, green, blue.
        place: Where a picture of other proportions is cut, from 0 (its left or upper end) to 1 (its right or lower).
    """

    height: int
    width: int
    channels: int
    place: float = 0.5


@dataclass(frozen=True)
class Header:
    """What a picture's first bytes say, the camera's turn applied."""

    height: int
    width: int
    gray: bool


def header(head: bytes) -> Header:
    """Size and colour of a picture from its first bytes.

    Raises:
        CellError: Not a picture, or its header is damaged.
    """
    image = _open(head)
    try:
        turned = image.getexif().get(_ORIENTATION, 1) >= _TURNED
    except DAMAGED:
        turned = False
    width, height = image.size[::-1] if turned else image.size
    return Header(height, width, image.mode in {"1", "L", "LA", "La", "I", "F"} or image.mode.startswith("I;16"))


def decode(raw: bytes, frame: Frame) -> np.ndarray:
    """The pixels of one picture file, uint8 (height, width, channel).

    Args:
        raw: The whole file.
        frame: The form to bring it to: scaled to cover the frame, then cropped in the middle.

    Raises:
        CellError: Not a picture, damaged, cut, or too large.
    """
    return decode_several(raw, (frame,))[0]


def decode_several(raw: bytes, frames: Sequence[Frame]) -> list[np.ndarray]:
    """The pixels of one picture file in several frames; it is decoded once.

    Args:
        raw: The whole file.
        frames: The forms to bring it to, at least one.

    Raises:
        CellError: Not a picture, damaged, cut, or too large.
    """
    image = _open(raw)
    try:
        if image.format == "JPEG":
            # The decoder scales by 1/2, 1/4 or 1/8 while decoding, but never below twice the largest frame.
            turned = "exif" in image.info and image.getexif().get(_ORIENTATION, 1) >= _TURNED
            wide, high = max(frame.width for frame in frames), max(frame.height for frame in frames)
            sides = (high, wide) if turned else (wide, high)
            image.draft(None, (2 * sides[0], 2 * sides[1]))
        image.load()
        if image.format == "TIFF" or not image.info.keys().isdisjoint({"exif", "xmp", "Raw profile type exif"}):
            image = ImageOps.exif_transpose(image)
        return [to_frame(image, frame) for frame in frames]
    except DAMAGED as exc:
        raise CellError(f"is a damaged {image.format or 'picture'} ({_first_line(exc)}).") from exc


def _open(raw: bytes) -> Image.Image:
    kind = sniff(raw[:HEAD_BYTES])
    if kind == "empty":
        raise CellError("is empty (0 bytes).")
    if kind == HEIF:
        raise CellError(f"is {HEIF}.")
    if kind not in PICTURES:
        raise CellError(f"holds {kind}, not a picture." if kind != "unknown" else "is not a picture.")
    try:
        image = Image.open(io.BytesIO(raw), formats=(kind.upper(),))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        raise CellError(f"is too large: more than {MAX_PIXELS:,} pixels.") from exc
    except DAMAGED as exc:
        raise CellError(f"is a damaged {kind.upper()} (its header cannot be read).") from exc
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise CellError(f"is too large: {width:,} x {height:,} pixels, the limit is {MAX_PIXELS:,}.")
    return image


def _first_line(exc: BaseException) -> str:
    return (str(exc).splitlines() or [""])[0][:120] or type(exc).__name__


def to_frame(image: Image.Image, frame: Frame) -> np.ndarray:
    """A loaded picture as uint8 (height, width, channel) of the frame's size and colours.

    Raises:
        CellError: Its numbers have no stated white, e.g. 32-bit measurements.
    """
    image = _eight_bits(image)
    mode = "L" if frame.channels == 1 else "RGB"
    if image.mode != mode:
        image = _flattened(image).convert(mode)
    if image.size != (frame.width, frame.height):
        image = image.resize((frame.width, frame.height), Image.Resampling.BILINEAR, box=_cover(image.size, frame))
    return np.frombuffer(image.tobytes(), np.uint8).reshape(frame.height, frame.width, frame.channels)


def _cover(size: tuple[int, int], frame: Frame) -> tuple[float, float, float, float]:
    """The largest box of a picture that has the frame's proportions, at the frame's place in it."""
    width, height = size
    scale = min(width / frame.width, height / frame.height)
    wide, high = scale * frame.width, scale * frame.height
    left, top = (width - wide) * frame.place, (height - high) * frame.place
    return max(left, 0.0), max(top, 0.0), min(left + wide, width), min(top + high, height)


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit and float pictures scaled to 0..255; Pillow's own conversion would clip them."""
    if image.mode != "I" and image.mode != "F" and not image.mode.startswith("I;16"):
        return image
    values = np.asarray(image)
    if image.mode == "F":
        if not (values.min() >= 0 and values.max() <= 1):
            raise CellError("holds float pixels outside 0..1, so what is white is not stated.")
        return Image.fromarray(np.rint(values * 255).astype(np.uint8))
    values = values.astype(np.int64)
    if values.min() < 0 or values.max() > 65_535:
        raise CellError("holds 32-bit pixels outside 0..65,535, so what is white is not stated.")
    return Image.fromarray(((values + 128) // 257).astype(np.uint8))


def _flattened(image: Image.Image) -> Image.Image:
    """The picture on a white ground, without transparency."""
    if not image.has_transparency_data:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, (255, 255, 255, 255)), image)


def png(pixels: np.ndarray) -> bytes:
    """One array, uint8 (height, width, channel), as PNG bytes."""
    buffer = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(buffer, "PNG")
    return buffer.getvalue()
