"""Many pictures into one array on all cores.

Big pictures decode in threads: Pillow lets go of Python's lock while it decodes. Tiny ones spend most of their time
in Python itself, where two threads are no faster than one, so their bytes go to child processes. Which of the two is
decided by timing the first pictures; the pixels are the same either way.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

import numpy as np

from netwright.errors import CellError, DataError
from netwright.readers.columns import Read
from netwright.readers.pictures import Frame, decode
from netwright.words import counted

CHUNK = 128  # pictures given to a thread at once
_CHUNK_BYTES = 64 * 2**20
_TRIED = 64  # pictures timed before choosing
_TINY_SECONDS = 0.001  # below this per picture Python's share dominates
_SILENT_SECONDS = 60.0  # for a chunk that takes a tenth of a second
_MANY = 4_000  # fewer pictures than this are done before child processes have started

Chunk = list[tuple[int, bytes | str]]  # (k, bytes of the file, or the reason why there are none)
Decoded = tuple[np.ndarray, dict[int, str]]


def decode_all(
    blobs: Iterable[tuple[int, Read]], count: int, frame: Frame, sink: np.ndarray, progress: Callable[[int], None]
) -> dict[int, str]:
    """Decodes every blob into its place in `sink`.

    Args:
        blobs: Pairs of place and reader, as `Blobs.blobs` gives them.
        count: How many there are.
        frame: The form of every picture.
        sink: uint8 (count, height, width, channel).
        progress: Told how many are done so far.

    Returns:
        The reason for each place that could not be filled; it holds zeros.
    """
    source = iter(blobs)
    cores = os.cpu_count() or 1
    failed: dict[int, str] = {}
    started = time.thread_time()  # the processor's time: other programs must not sway the choice
    done = _keep(_decode_here(_take(source, _TRIED), frame), sink, failed)
    progress(done)
    tiny = done and (time.thread_time() - started) / done < _TINY_SECONDS
    children: SimpleQueue[_Child] = SimpleQueue()
    in_children = bool(tiny and cores > 1 and count >= _MANY)
    made = [_Child(frame) for _ in range(cores)] if in_children else []
    for child in made:
        children.put(child)

    def work(chunk: list[tuple[int, Read]]) -> tuple[list[int], Decoded]:
        read = _fetch(chunk)
        if not in_children:
            return [k for k, _ in chunk], _decoded(read, frame)
        child = children.get()
        try:
            return [k for k, _ in chunk], child.decoded(read)
        finally:
            children.put(child)

    try:
        with ThreadPoolExecutor(cores, thread_name_prefix="netwright-decode") as pool:
            waiting: list[Future[tuple[list[int], Decoded]]] = []
            while chunk := _take(source, CHUNK):
                waiting.append(pool.submit(work, chunk))
                # Bounded: in a packed archive every waiting chunk holds its bytes.
                if len(waiting) >= 3 * cores:
                    done += _keep(waiting.pop(0).result(), sink, failed)
                    progress(done)
            for future in waiting:
                done += _keep(future.result(), sink, failed)
                progress(done)
    finally:
        for child in made:
            child.close()
    _tell([child.died for child in made if child.died])
    if done != count:  # no place may stay unfilled without a reason
        raise DataError(
            f"{done:,} of {count:,} pictures came back from reading.", "Check that the data did not change."
        )
    return failed


def _tell(died: list[int]) -> None:
    """That decoding processes died, by which signals; their pictures are there all the same."""
    if died:
        told = f"{counted(len(died), 'decoding process', 'decoding processes')} died"
        signals = ", ".join(map(str, died))
        text = f"{told} (signal {signals}); their pictures were decoded by netwright itself."
        warnings.warn(text, RuntimeWarning, stacklevel=3)


def _take(source: Iterator[tuple[int, Read]], count: int) -> list[tuple[int, Read]]:
    return list(itertools.islice(source, count))


def _fetch(chunk: list[tuple[int, Read]]) -> Chunk:
    return [(k, _bytes_or_reason(read)) for k, read in chunk]


def _bytes_or_reason(read: Read) -> bytes | str:
    try:
        return read()
    except CellError as exc:
        return exc.message


def _decode_here(chunk: list[tuple[int, Read]], frame: Frame) -> tuple[list[int], Decoded]:
    return [k for k, _ in chunk], _decoded(_fetch(chunk), frame)


def _decoded(chunk: Chunk, frame: Frame) -> Decoded:
    pixels = np.zeros((len(chunk), frame.height, frame.width, frame.channels), np.uint8)
    failed = {}
    for row, (k, raw) in enumerate(chunk):
        try:
            if isinstance(raw, str):
                raise CellError(raw)
            pixels[row] = decode(raw, frame)
        except CellError as exc:
            failed[k] = exc.message
    return pixels, failed


def _keep(result: tuple[list[int], Decoded], sink: np.ndarray, failed: dict[int, str]) -> int:
    places, (pixels, reasons) = result
    if places:
        sink[places] = pixels
    failed.update(reasons)
    return len(places)


class _Child:
    """One decoding process; a request is a line of JSON and the files' bytes, the answer a line and the pixels."""

    def __init__(self, frame: Frame) -> None:
        self._frame, self.died = frame, 0  # the signal that ended it
        self._process = subprocess.Popen(
            [sys.executable, "-m", "netwright.readers.decoding"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )

    def decoded(self, chunk: Chunk) -> Decoded:
        """Decodes in the child; if the child dies, or says nothing for `_SILENT_SECONDS`, here."""
        raws = [raw if isinstance(raw, bytes) else b"" for _, raw in chunk]
        frame = self._frame
        form = [frame.height, frame.width, frame.channels, frame.place]
        request = {"frame": form, "lengths": [len(raw) for raw in raws]}
        incoming, outgoing = self._process.stdin, self._process.stdout
        if incoming is None or outgoing is None or sum(request["lengths"]) > _CHUNK_BYTES:
            return _decoded(chunk, frame)
        watch = threading.Timer(_SILENT_SECONDS, self._process.kill)  # a killed child ends the waiting below
        watch.start()
        try:
            incoming.write(json.dumps(request).encode() + b"\n" + b"".join(raws))
            incoming.flush()
            failed = json.loads(outgoing.readline())
            content = outgoing.read(len(chunk) * frame.height * frame.width * frame.channels)
            pixels = np.frombuffer(content, np.uint8).reshape(len(chunk), frame.height, frame.width, frame.channels)
        except (BrokenPipeError, ValueError):  # nothing, or half an answer
            self.died = max(-(self._process.poll() or 0), 0)
            return _decoded(chunk, frame)
        finally:
            watch.cancel()
        reasons = {chunk[int(row)][0]: reason for row, reason in failed.items()}
        reasons.update({k: raw for k, raw in chunk if isinstance(raw, str)})
        return pixels, reasons

    def close(self) -> None:
        """Ends the child."""
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):  # it has died already
                self._process.stdin.close()
        if self._process.stdout:
            self._process.stdout.close()
        self._process.wait()


def serve() -> None:
    """The child's side: decodes until its input ends."""
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        chunk: Chunk = [(row, sys.stdin.buffer.read(length)) for row, length in enumerate(request["lengths"])]
        pixels, failed = _decoded(chunk, Frame(*request["frame"]))
        sys.stdout.buffer.write(json.dumps(failed).encode() + b"\n" + pixels.tobytes())
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    serve()
