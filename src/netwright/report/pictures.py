"""Pictures for a page: small ones made large, so that they stay sharp in zoom and print; numbers as shades of gray."""

from __future__ import annotations

import base64
import io
import math

import numpy as np
from PIL import Image

_SHARP_PX = 128  # twice the size on the page: sharp on dense screens and on paper


def enlarged(png: str) -> str:
    """A picture with each pixel repeated until its shorter side has about 128; larger ones as they are.

    Browsers can do this too, but a PDF viewer blurs what they leave small.

    Args:
        png: PNG bytes as base64 text.

    Raises:
        PIL.UnidentifiedImageError: It is not a picture.
    """
    with Image.open(io.BytesIO(base64.b64decode(png)), formats=["PNG"]) as picture:
        factor = _SHARP_PX // max(min(picture.size), 1)
        if factor < 2 or max(picture.size) * factor > 8 * _SHARP_PX:
            return png
        size = (picture.width * factor, picture.height * factor)
        large = picture.resize(size, Image.Resampling.NEAREST)
    written = io.BytesIO()
    large.save(written, "PNG", optimize=True)
    return base64.b64encode(written.getvalue()).decode("ascii")


def shades(values: np.ndarray, low: float, high: float, most_px: int) -> tuple[str, tuple[int, int]]:
    """Numbers as shades of gray, or three channels of them as colours: a data URI, and its width and height in pixels.

    Args:
        values: Shape (height, width), or (3, height, width) for red, green and blue; what is NaN is left clear.
        low: What is drawn black.
        high: What is drawn white; where it is no more than `low`, everything is black.
        most_px: Longest side; larger ones are averaged down.

    Example:
        >>> shades(np.array([[0.0, 1.0, 2.0]]), 0.0, 2.0, 80)[1]
        (3, 1)
    """
    width = high - low
    clear = np.isnan(values).reshape(-1, *values.shape[-2:]).any(axis=0)
    scaled = (np.nan_to_num(values) - low) / width if width > 0 else np.zeros_like(values)
    pixels = np.rint(255 * np.clip(scaled, 0, 1)).astype(np.uint8)
    pixels = np.moveaxis(pixels, 0, 2) if pixels.ndim == 3 else pixels
    if clear.any():
        covered = np.where(clear, 0, 255).astype(np.uint8)
        pixels = np.dstack([pixels, covered])
    return page_picture(pixels, most_px)


def page_picture(pixels: np.ndarray, most_px: int) -> tuple[str, tuple[int, int]]:
    """Pixels as a data URI, and its width and height.

    Args:
        pixels: uint8, (height, width) or (height, width, channel): gray, with cover, colours, or colours with cover.
        most_px: Longest side; larger ones are averaged down.
    """
    picture = Image.fromarray(pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels)
    factor = math.ceil(max(picture.size) / most_px)
    if factor > 1:
        picture = picture.reduce(factor)
    written = io.BytesIO()
    picture.save(written, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(written.getvalue()).decode('ascii')}", picture.size
