"""Small pictures made large, so that a page, a screen reader's zoom and a printed PDF all show their pixels sharp."""

from __future__ import annotations

import base64
import io

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
