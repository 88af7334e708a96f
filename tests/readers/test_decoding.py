import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netwright.readers import decoding
from netwright.readers.columns import Blobs, Held, Read
from netwright.readers.pictures import Frame


def tiny_pictures(count: int) -> list[bytes]:
    rng = np.random.default_rng(0)
    raws = []
    for _ in range(count):
        buffer = io.BytesIO()
        Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)).save(buffer, "PNG")
        raws.append(buffer.getvalue())
    return raws


def pairs(raws: list[bytes]) -> Iterator[tuple[int, Read]]:
    return ((k, Held(raw)) for k, raw in enumerate(raws))


def test_child_processes_and_threads_give_the_same_pixels_and_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    raws = tiny_pictures(300)
    raws[70] = b"<html>not found</html>"
    raws[200] = raws[200][:40]
    frame = Frame(8, 8, 3)
    in_threads, in_children = np.ones((2, 300, 8, 8, 3), np.uint8)
    told: list[int] = []
    threads = decoding.decode_all(pairs(raws), 300, frame, in_threads, told.append)
    monkeypatch.setattr(decoding, "_MANY", 100)
    monkeypatch.setattr(decoding, "_TINY_SECONDS", 10.0)
    children = decoding.decode_all(pairs(raws), 300, frame, in_children, lambda _: None)
    assert np.array_equal(in_threads, in_children)
    assert threads == children
    assert threads.keys() == {70, 200}
    assert threads[70] == "holds html, not a picture."
    assert not in_threads[70].any()
    assert told[-1] == 300
    assert told == sorted(told)


def test_a_child_that_dies_is_replaced_by_this_process() -> None:
    child = decoding._Child(Frame(8, 8, 3))
    child._process.kill()
    child._process.wait()
    pixels, failed = child.decoded([(4, tiny_pictures(1)[0]), (5, "no such file.")])
    child.close()
    assert pixels[0].any()
    assert failed == {5: "no such file."}


def test_a_missing_file_is_named_by_its_place(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(tiny_pictures(1)[0])
    blobs = Blobs(tmp_path, ("a.png", "b.png"))
    sink = np.zeros((2, 8, 8, 3), np.uint8)
    assert decoding.decode_all(blobs.blobs(), 2, Frame(8, 8, 3), sink, lambda _: None) == {1: "no such file."}
