"""Pictures: uint8 (height, width, channel) of one size, standardised per channel by the training part."""

from __future__ import annotations

import itertools
import math
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import numpy as np
import pyarrow as pa
import torch
from PIL import Image as Pillow

from netwright.errors import CellError, SpecError
from netwright.field import Field, Reason
from netwright.files import printable
from netwright.readers.columns import Arrays, Blobs, Cells, Column, Found, Held, Read, read_regular
from netwright.readers.decoding import decode_all
from netwright.readers.kinds.kind import Cell, Kind, path_of, source_of
from netwright.readers.pictures import Frame, Header, decode, decode_several, header, png, to_frame
from netwright.spec import InputSpec, OutputSpec
from netwright.words import listed

LARGEST_PX = 64  # the longer side of a default size: enough for a net trained from scratch on a CPU
_LINE = 2.5  # times as long one way as the other, or more: a line of writing, whose shorter side is bound instead
_LONGEST_PX = 1024  # of such a line
_MULTIPLE_PX = 8  # default sizes are multiples, so that three halvings by pooling leave no rest
_HEADERS = 256  # pictures looked at to plan
_LEAST_STD = 1 / 255  # one step of gray: a channel flatter than this is constant
_TOLD = 256  # pictures between two reports of progress
_BLOCK_BYTES = 2**26  # of pictures in all their frames
_BLOCK_PIXELS = 2**18  # numbers summed or copied at once: fits a core's own memory


class Image(Kind):
    """A picture file, an array of pixels, or a cell that names a file below the table's folder."""

    name: ClassVar[str] = "image"
    settings: ClassVar[tuple[str, ...]] = ("size_px", "channels", "augment")

    def plan(self, name: str, column: Column, spec: InputSpec | OutputSpec, found: Found) -> tuple[Field, list[Reason]]:
        """Chooses size and channels from a few hundred headers.

        Raises:
            SpecError: The column holds no pictures, or it is an output.
        """
        if isinstance(spec, OutputSpec):
            raise SpecError(
                f"{path_of(name, spec)}: pictures cannot be an output yet.", "Choose a category or a number."
            )
        headers = _headers(column)
        if not headers:
            raise SpecError(
                f'{path_of(name, spec)}: column "{source_of(name, spec)}" holds no picture that can be read.',
                "Check that the files exist and are JPEG, PNG, GIF, BMP, WebP or TIFF.",
            )
        where = path_of(name, spec)
        size, why_size = spec.size_px, "given"
        reasons = []
        if size is None:
            size, why_size = _size(headers)
            reasons.append(Reason(path=f"{where}.size_px", value=f"{size[0]} x {size[1]}", why=why_size))
        channels = spec.channels
        if channels is None:
            gray = sum(found_header.gray for found_header in headers)
            channels = 1 if gray == len(headers) else 3
            told = "every picture looked at is gray" if channels == 1 else f"{len(headers) - gray:,} have colours"
            reasons.append(Reason(path=f"{where}.channels", value=str(channels), why=f"{told} (of {len(headers):,})"))
        field = Field(
            name=name,
            kind=self.name,
            source=source_of(name, spec),
            shape=(size[0], size[1], channels),
            dtype="uint8",
            options={"resample": "bilinear", "fit": "cover", "background": "white", "turn": "exif", "frame": "first"},
        )
        return field, [*reasons, *_without_row(where, column)]

    def read(
        self, column: Column, field: Field, index: np.ndarray, sink: np.ndarray, progress: Callable[[int], None]
    ) -> dict[int, str]:
        """Decodes on all cores; pictures that cannot be read are zeros and come back with the reason."""
        frame = _frame(field)
        if isinstance(column, Arrays):
            return _from_arrays(column.values, frame, index, sink, progress)
        return decode_all(_blobs(column, field, index), len(index), frame, sink, progress)

    def in_frames(
        self, column: Column, field: Field, index: np.ndarray, frames: Sequence[Frame]
    ) -> Iterator[tuple[np.ndarray, list[np.ndarray]]]:
        """Pictures read again in other frames than the field's, each file decoded once; nothing is kept.

        Args:
            column: Where they are.
            field: What they were read as.
            index: Rows of the column.
            frames: The forms to bring each picture to.

        Yields:
            Blocks: places in `index`, each once, and per frame the pixels, uint8 (picture, height, width, channel).

        Raises:
            CellError: A picture cannot be read any more.
        """
        if isinstance(column, Arrays):
            cells = ((k, column.values[int(place)]) for k, place in enumerate(index))
        else:
            cells = _blobs(column, field, index)
        size = max(1, _BLOCK_BYTES // sum(frame.height * frame.width * frame.channels for frame in frames))
        with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="netwright-frames") as pool:
            while block := list(itertools.islice(cells, min(size, _TOLD))):
                read = [(cell() if callable(cell) else cell) for _, cell in block]  # an archive is read in one go
                brought = pool.map(lambda raw: _in_frames(raw, frames), read)
                yield np.array([k for k, _ in block]), [np.stack(each) for each in zip(*brought, strict=True)]

    def headers(self, column: Column) -> list[Header]:
        """Size and colour of some pictures, evenly spread over the column."""
        return _headers(column)

    def one(self, raw: Cell, field: Field) -> np.ndarray:
        """One picture, from the bytes of its file, from an array, or from the path of a file.

        Raises:
            CellError: Not a picture, damaged, or too large.
        """
        frame = _frame(field)
        if isinstance(raw, np.ndarray) and raw.dtype == np.uint8 and raw.ndim in (2, 3):
            return _fitted(raw, frame)
        if isinstance(raw, str):
            raw = read_regular(raw)
        if not isinstance(raw, bytes):
            raise CellError(f"a picture cannot be read from {type(raw).__name__}.")
        return decode(raw, frame)

    def fit(self, values: np.ndarray, field: Field) -> Field:
        """Mean and standard deviation per channel in 0..1, from exact sums of whole numbers."""
        channels = field.shape[2]
        total, squares, count = [0] * channels, [0] * channels, 0
        rows = _rows_of(field.shape)
        for start in range(0, len(values), rows):
            # float64 adds and multiplies whole numbers exactly below 2**53, in any order; a block stays far below.
            pixels = np.ascontiguousarray(values[start : start + rows].reshape(-1, channels).T, np.float64)
            count += pixels.shape[1]
            total = [old + int(new) for old, new in zip(total, pixels.sum(axis=1), strict=True)]
            squares = [old + int(new) for old, new in zip(squares, np.einsum("ij,ij->i", pixels, pixels), strict=True)]
        count = max(1, count)
        mean = [value / (255 * count) for value in total]
        spread = [math.sqrt(count * two - one * one) / (255 * count) for one, two in zip(total, squares, strict=True)]
        std = [max(value, _LEAST_STD) for value in spread]
        return field.model_copy(update={"mean": tuple(mean), "std": tuple(std)})

    def code(self, values: np.ndarray | torch.Tensor, field: Field) -> torch.Tensor:
        """(batch, channel, height, width) in the channels-last memory format, standardised."""
        pixels = torch.as_tensor(values).to(torch.float32).div_(255)
        if field.mean:
            mean = torch.tensor(field.mean, dtype=torch.float32, device=pixels.device)
            pixels = pixels.sub_(mean).div_(torch.tensor(field.std, dtype=torch.float32, device=pixels.device))
        return pixels.permute(0, 3, 1, 2)

    def uncode(self, coded: torch.Tensor, field: Field) -> np.ndarray:
        """The picture; what is darker than black or brighter than white is cut."""
        pixels = coded.permute(1, 2, 0)
        if field.mean:
            pixels = pixels * torch.tensor(field.std) + torch.tensor(field.mean)
        return (pixels * 255).round().clamp(0, 255).byte().numpy()

    def preview(self, value: np.ndarray | np.generic, field: Field) -> bytes:
        """The picture as PNG."""
        return png(np.asarray(value))


def _rows_of(shape: tuple[int, ...]) -> int:
    """How many pictures make one block."""
    return max(1, _BLOCK_PIXELS // math.prod(shape))


def _frame(field: Field) -> Frame:
    return Frame(*field.shape)


def _blobs(column: Column, field: Field, index: np.ndarray) -> Iterator[tuple[int, Read]]:
    """Place in `index` and reader of each picture file."""
    if isinstance(column, Cells) and _is_binary(column):
        return ((k, Held(column.values[int(place)].as_py() or b"")) for k, place in enumerate(index))
    blobs, places = (column.files(index), None) if isinstance(column, Cells) else (column, index)
    if not isinstance(blobs, Blobs):
        raise SpecError(f"{field.name}: several columns are no picture.", "Name one column.")
    return blobs.blobs(places)


def _in_frames(raw: bytes | np.ndarray, frames: Sequence[Frame]) -> list[np.ndarray]:
    return decode_several(raw, frames) if isinstance(raw, bytes) else [_fitted(raw, frame) for frame in frames]


def _is_binary(column: Cells) -> bool:
    kind = column.values.type
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _headers(column: Column) -> list[Header]:
    """Size and colour of some pictures, evenly spread over the column."""
    if isinstance(column, Arrays):
        shape = column.values.shape
        if column.values.dtype != np.uint8 or len(shape) not in (3, 4):
            return []
        return [Header(shape[1], shape[2], len(shape) == 3 or shape[3] == 1)]
    if isinstance(column, Cells):
        chosen = np.unique(np.linspace(0, len(column) - 1, min(_HEADERS, len(column))).astype(np.int64))
        if _is_binary(column):
            heads = [column.values[int(place)].as_py() or b"" for place in chosen]
        else:
            heads = column.files(chosen).heads(_HEADERS) if column.root else []
    else:
        heads = column.heads(_HEADERS) if isinstance(column, Blobs) else []
    found = []
    for head in heads:
        try:
            found.append(header(head))
        except CellError:
            continue  # it is met again, and accounted for, when the cells are read
    return found


def _size(headers: list[Header]) -> tuple[tuple[int, int], str]:
    """The default size: the common one, else the median, scaled so that one side is at most `LARGEST_PX`.

    It is the longer side, or the shorter one of a line of writing, whose letters would be lost otherwise.
    """
    sizes = Counter((found.height, found.width) for found in headers)
    alike = len(sizes) == 1
    height, width = (int(np.median([found[axis] for found in sizes.elements()])) for axis in (0, 1))
    size = (height, width)
    line = max(size) >= _LINE * min(size)
    scale = min(LARGEST_PX / min(size), _LONGEST_PX / max(size)) if line else LARGEST_PX / max(size)
    if alike and scale >= 1:
        return size, "every picture looked at has this size"
    sides = f"up to {LARGEST_PX} x {_LONGEST_PX}, a line of writing" if line else f"up to {LARGEST_PX}"
    told = "every picture looked at" if alike else f"median of {len(headers):,} pictures"
    why = f"{told} is {height} x {width}; multiples of {_MULTIPLE_PX} {sides}"
    scale = min(1.0, scale)
    height, width = (max(_MULTIPLE_PX, int(side * scale + 1e-9) // _MULTIPLE_PX * _MULTIPLE_PX) for side in size)
    return (height, width), why


def _from_arrays(
    values: np.ndarray, frame: Frame, index: np.ndarray, sink: np.ndarray, progress: Callable[[int], None]
) -> dict[int, str]:
    shape = values.shape[1:] if values.ndim == 4 else (*values.shape[1:], 1)
    if shape == (frame.height, frame.width, frame.channels):
        rows = _rows_of(shape)
        for start in range(0, len(index), rows):
            block = index[start : start + rows]
            sink[start : start + rows] = values[block].reshape(len(block), *shape)
            progress(min(start + rows, len(index)))
        return {}
    for k, place in enumerate(index):
        sink[k] = _fitted(values[place], frame)
        if k % _TOLD == _TOLD - 1:
            progress(k + 1)
    progress(len(index))
    return {}


def _fitted(pixels: np.ndarray, frame: Frame) -> np.ndarray:
    """An array of pixels brought to the frame."""
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.ndim == 3 and pixels.shape[2] not in (3, 4):
        raise CellError(f"an array of shape {pixels.shape} is no picture.")
    if not pixels.size:
        raise CellError("the array has no pixels.")
    return to_frame(Pillow.fromarray(pixels), frame)


def _without_row(where: str, column: Column) -> list[Reason]:
    """Picture files beside those a table names, which no row mentions."""
    if not isinstance(column, Cells) or column.root is None or _is_binary(column):
        return []
    named = {name.replace("\\", "/") for name in column.values.cast(pa.string()).to_pylist() if name}
    folders = {name.rpartition("/")[0] for name in named}
    suffixes = {"." + name.rpartition(".")[2].lower() for name in named}
    stray = []
    for folder in sorted(folders):
        inside = (column.root / folder).resolve()
        if inside.is_relative_to(column.root.resolve()) and inside.is_dir():
            prefix = f"{folder}/" if folder else ""
            stray += [prefix + child.name for child in inside.iterdir() if child.suffix.lower() in suffixes]
    stray = sorted(set(stray) - named)
    if not stray:
        return []
    told = listed([printable(name) for name in stray])
    return [Reason(path=where, value=f"{len(stray):,} files without a row, left out", why=told)]
