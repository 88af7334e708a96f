"""Sounds: how loud each of some pitches is, a hundred times a second, on the scale of the ear.

A sound is read whole, mixed to one channel and brought to one rate; what is cached is the logarithm of its energy in
bands that are narrow for low and wide for high pitches (log-mel), or the shape of that spectrum (MFCC).
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float

from netwright.errors import CellError, SpecError
from netwright.field import Field, Reason
from netwright.readers import padding
from netwright.readers.columns import Blobs, Cells, Column, Found
from netwright.readers.kinds.kind import Cell, path_of, source_of
from netwright.readers.kinds.sequence import Sequence
from netwright.spec import InputSpec, OutputSpec

BANDS = 40
LONGEST_SECONDS = 30
_MOST_HZ = 1_000_000  # a header that says more is wrong
_RATE_HZ = 16_000  # speech holds little above half of it
_WINDOW_SECONDS, _HOP_SECONDS = 0.025, 0.010
_LOWEST_HZ = 20.0
_FLOOR = 1e-6  # of the energy in a band, so that silence has a logarithm
_COEFFICIENTS = 13
_LOOKED_AT = 50


class Audio(Sequence):
    """A sound as steps of `BANDS` numbers."""

    name: ClassVar[str] = "audio"
    settings: ClassVar[tuple[str, ...]] = ("rate_hz", "features", "longest", "augment")

    def plan(self, name: str, column: Column, spec: InputSpec | OutputSpec, found: Found) -> tuple[Field, list[Reason]]:
        """Decides the rate that all are brought to: that of most files, at most 16 kHz.

        Raises:
            SpecError: The column holds no files.
        """
        path = path_of(name, spec)
        files = _files(column)
        if files is None:
            raise SpecError(f"{path}: kind audio needs sound files.", "Name a column of files.")
        wish = spec if isinstance(spec, InputSpec) else InputSpec.model_validate({})
        reasons, rate = [], wish.rate_hz
        if rate is None:
            rates = [known for head in files.heads(_LOOKED_AT) if (known := _rate(head))]
            rate = min(max(set(rates), key=rates.count), _RATE_HZ) if rates else _RATE_HZ
            why = "what most files have" if rates and rate in rates else "speech holds little above half of it"
            reasons.append(Reason(path=f"{path}.rate_hz", value=str(rate), why=why))
        features = wish.features or "mel"
        return Field(
            name=name,
            kind=self.name,
            source=source_of(name, spec),
            shape=(BANDS if features == "mel" else _COEFFICIENTS,),
            dtype="float32",
            ragged=True,
            options={
                "rate_hz": rate,
                "features": features,
                "longest": wish.longest or round(LONGEST_SECONDS / _HOP_SECONDS),
            },
        ), reasons

    def cells(self, column: Column) -> Column:
        """The files themselves where cells name them."""
        return _files(column) or column

    def one(self, raw: Cell, field: Field) -> np.ndarray:
        """`(time, band)`: a sound as the network sees it, before it is standardised.

        Raises:
            CellError: No sound, cut short, or longer than a day of work.
        """
        if not isinstance(raw, bytes):
            raise CellError("is no sound file.")
        rate = int(field.options["rate_hz"])
        sound = _read(raw, rate)
        found = log_mel(torch.from_numpy(sound), rate)
        if field.options["features"] == "mfcc":
            found = cepstrum(found)
        return found[: int(field.options["longest"])].numpy()

    def fit(self, values: np.ndarray, field: Field) -> Field:
        """The field with mean and spread of each band over all steps of the training part."""
        steps = np.concatenate([np.asarray(row) for row in values]) if len(values) else np.zeros((1, *field.shape))
        mean, std = steps.mean(axis=0, dtype=np.float64), steps.std(axis=0, dtype=np.float64)
        std = np.where(std > 1e-6, std, 1.0)
        return field.model_copy(update={"mean": tuple(mean.tolist()), "std": tuple(std.tolist())})

    def width(self, field: Field) -> int:
        """Mean and spread of each band, and how long it is."""
        return 2 * field.shape[0] + 1

    def coder(self, field: Field) -> Callable[[np.ndarray], np.ndarray]:
        """Standardises each band."""
        mean, std = np.asarray(field.mean, np.float32), np.asarray(field.std, np.float32)
        return lambda values: (values - mean) / std

    def dim(self, field: Field) -> int:
        """One number for each band."""
        return field.shape[0]

    def flat(self, coded: torch.Tensor, field: Field) -> torch.Tensor:
        """Mean and spread of each band over time, and the logarithm of the steps."""
        del field
        return padding.moments(coded)

    def preview(self, value: np.ndarray | np.generic, field: Field) -> str:
        """How long it is."""
        del field
        return f"{len(np.asarray(value)) * _HOP_SECONDS:.2f} s"


class Windows:
    """The steps of a sound that comes piece by piece, the same as of the whole.

    Args:
        field: Of the sounds.
    """

    def __init__(self, field: Field) -> None:
        self._rate, self._mfcc = int(field.options["rate_hz"]), field.options["features"] == "mfcc"
        self._held = np.zeros(0, dtype=np.float32)

    def steps(self, sound: np.ndarray) -> np.ndarray:
        """`(time, band)`: the steps that are complete with these samples.

        Args:
            sound: Samples in -1..1 that follow those before.
        """
        self._held = np.concatenate([self._held, sound])
        _, hop, points = _sizes(self._rate)
        count = max(0, (len(self._held) - points) // hop + 1)
        if not count:
            return np.zeros((0, BANDS), dtype=np.float32)
        found = log_mel(torch.from_numpy(self._held[: points + (count - 1) * hop]), self._rate)
        self._held = self._held[count * hop :].copy()
        return (cepstrum(found) if self._mfcc else found).numpy()


def _sizes(rate_hz: int) -> tuple[int, int, int]:
    """Samples of a window, from one to the next, and of a transform."""
    window = round(_WINDOW_SECONDS * rate_hz)
    return window, round(_HOP_SECONDS * rate_hz), 2 ** math.ceil(math.log2(window))


def _files(column: Column) -> Blobs | None:
    """The sound files of a column: its own, or those that its cells name."""
    if isinstance(column, Cells) and column.is_text and column.root is not None:
        return column.files()
    return column if isinstance(column, Blobs) else None


def log_mel(sound: Float[torch.Tensor, " sample"], rate_hz: int) -> Float[torch.Tensor, "time band"]:
    """The logarithm of a sound's energy in bands of the mel scale, every 10 ms over 25 ms.

    Args:
        sound: Samples in -1..1.
        rate_hz: Samples a second.

    Source: Davis & Mermelstein 1980; mel = 2595 log10(1 + f / 700), O'Shaughnessy 1987.
    """
    window, hop, points = _sizes(rate_hz)
    if len(sound) < points:
        sound = torch.nn.functional.pad(sound, (0, points - len(sound)))
    spectrum = torch.stft(sound, points, hop, window, torch.hann_window(window), center=False, return_complex=True)
    energy = spectrum.abs().square().t()  # time frequency
    return (energy @ _bands(points // 2 + 1, rate_hz) + _FLOOR).log()


def cepstrum(mel: Float[torch.Tensor, "time band"]) -> Float[torch.Tensor, "time coefficient"]:
    """Mel-frequency cepstral coefficients: the cosine transform of log-mel bands, its first numbers.

    Args:
        mel: What `log_mel` gave.

    Source: Davis & Mermelstein 1980, Comparison of Parametric Representations for Monosyllabic Word Recognition.
    """
    bands = mel.shape[1]
    places = torch.arange(bands, dtype=mel.dtype) + 0.5
    waves = torch.cos(math.pi / bands * torch.arange(_COEFFICIENTS, dtype=mel.dtype)[:, None] * places)
    return mel @ waves.t() * math.sqrt(2 / bands)


def _bands(frequencies: int, rate_hz: int) -> Float[torch.Tensor, "frequency band"]:
    """Triangles over the frequencies, evenly spread on the mel scale."""

    def mel(hertz: float) -> float:
        return 2595 * math.log10(1 + hertz / 700)

    edges = torch.linspace(mel(_LOWEST_HZ), mel(rate_hz / 2), BANDS + 2)
    hertz = 700 * (10 ** (edges / 2595) - 1)
    at = torch.linspace(0, rate_hz / 2, frequencies)[:, None]
    rising = (at - hertz[:-2]) / (hertz[1:-1] - hertz[:-2])
    falling = (hertz[2:] - at) / (hertz[2:] - hertz[1:-1])
    return torch.minimum(rising, falling).clamp(min=0)


def _rate(head: bytes) -> int:
    """Samples a second that the beginning of a file tells; 0 where it does not."""
    import soundfile

    try:
        return int(soundfile.info(io.BytesIO(head)).samplerate)
    except (soundfile.LibsndfileError, RuntimeError):
        return 0


def _read(raw: bytes, rate_hz: int) -> np.ndarray:
    """Samples of one channel at a rate.

    Raises:
        CellError: No sound, or one that ends before or behind where its header says.
    """
    import soundfile
    import soxr

    try:
        told, beyond = _promised(raw)
        with soundfile.SoundFile(io.BytesIO(raw)) as file:
            rate, promised = file.samplerate, told or file.frames
            if file.frames > LONGEST_SECONDS * 120 * rate:
                raise CellError(f"lasts {file.frames / rate / 60:,.0f} minutes; cut it into pieces first.")
            found = file.read(dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError) as exc:
        why = getattr(exc, "error_string", str(exc)).strip(" .")
        raise CellError(f"is no sound that can be read ({why}).") from exc
    if beyond and len(found) < told + beyond:
        raise CellError(f"has a wrong header: it promises {told:,} samples, and {told + beyond:,} are there.")
    if not len(found):
        raise CellError("holds no sound.")
    if len(found) < promised:
        raise CellError(f"is cut short: {len(found):,} of {promised:,} samples are there.")
    if not np.isfinite(found).all():
        raise CellError("holds samples that are no numbers.")
    mono = found.mean(axis=1)
    return mono if rate == rate_hz else soxr.resample(mono, rate, rate_hz)


def _promised(raw: bytes) -> tuple[int, int]:
    """Samples that the header of a WAV file promises, and how many follow; 0 for other files, and where it is not said.

    The library reads what is there and promised and says nothing where either is less.
    """
    if raw[:4] != b"RIFF" or raw[8:12] != b"WAVE":
        return 0, 0
    place, width = 12, 0
    while place + 8 <= len(raw):
        name, size = raw[place : place + 4], int.from_bytes(raw[place + 4 : place + 8], "little")
        if name == b"fmt ":
            rate = int.from_bytes(raw[place + 12 : place + 16], "little")
            if not 0 < rate <= _MOST_HZ:
                raise CellError(f"has a wrong header: it says {rate:,} samples a second.")
            width = int.from_bytes(raw[place + 20 : place + 22], "little")
        if name == b"data":
            known = width and size < 2**31  # else it was never filled in
            return (size // width, _unnamed(raw, place + 8 + size) // width) if known else (0, 0)
        place += 8 + size + size % 2
    return 0, 0


def _unnamed(raw: bytes, place: int) -> int:
    """Bytes from some place on that are no more parts of a WAV file, which have names, and no mere padding."""
    place += place % 2 and raw[place : place + 1] == b"\0"
    while raw[place : place + 4].replace(b" ", b"").isalnum():
        size = int.from_bytes(raw[place + 4 : place + 8], "little")
        place += 8 + size + size % 2
    rest = raw[place:]
    return len(rest) if rest.strip(b"\0") else 0
